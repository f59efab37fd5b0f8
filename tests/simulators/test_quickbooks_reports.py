"""Reports are computed from the ledger: they tie to the control account on every day one asks for."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.simulators.quickbooks import reports
from tests.simulators.direct_api import Api
from tests.simulators.test_quickbooks_law import STEP, Clerk


@pytest.fixture
def year(books):
    """An invoice in each bucket on 2026-03-02, one of a child, a credit and an unapplied payment."""
    ann = books.create_customer("Ann")["Id"]
    child = books.create_customer("Barn", parent=ann)["Id"]
    bob = books.create_customer("Bob")["Id"]
    for due, amount in (
        ("2026-03-02", 1),
        ("2026-03-01", 2),
        ("2026-01-31", 4),
        ("2026-01-30", 8),
        ("2025-12-01", 16),
        ("2025-11-30", 32),
    ):
        books.create_invoice(ann, amount, date="2025-11-01", due=due)
    books.create_invoice(child, 64, date="2026-02-01", due="2026-02-28")
    late = books.create_invoice(bob, 100, date="2026-01-10", due="2026-02-10")["Id"]
    books.create_payment(bob, 130, [("Invoice", late, 100)], date="2026-02-20")
    books.create_credit_memo(ann, 3, date="2026-02-15")
    return ann, child, bob


def cells(api, name, **query):
    found = api.call("GET", f"/reports/{name}", **query)
    rows = found["Rows"].get("Row", [])
    kept = {
        row["ColData"][0].get("id"): [one["value"] for one in row["ColData"][1:]]
        for row in rows
        if "ColData" in row
    }
    grand = [one["value"] for one in rows[-1]["Summary"]["ColData"][1:]] if rows else None
    return kept, grand


def test_the_buckets_of_an_aging(api, year):
    ann, child, bob = year
    rows, grand = cells(api, "AgedReceivables", report_date="2026-03-02")
    assert rows[ann][-1] == "60.00"
    assert rows[child] == ["", "64.00", "", "", "", "64.00"]
    assert rows[bob] == ["", "-30.00", "", "", "", "-30.00"]
    assert grand[-1] == "94.00"


@pytest.mark.parametrize(
    ("days_late", "column"),
    [
        pytest.param(0, 0, id="due today is current"),
        pytest.param(1, 1, id="a day late"),
        pytest.param(30, 1, id="thirty days"),
        pytest.param(31, 2, id="thirty-one"),
        pytest.param(60, 2, id="sixty"),
        pytest.param(90, 3, id="ninety"),
        pytest.param(91, 4, id="ninety-one"),
        pytest.param(400, 4, id="more than a year"),
    ],
)
def test_the_edges_of_the_buckets(api, books, clock, days_late, column):
    customer = books.create_customer("Ann")["Id"]
    today = clock.moment.date()
    due = (today - timedelta(days=days_late)).isoformat()
    books.create_invoice(customer, 7, date="2024-01-01", due=due)
    rows, _ = cells(api, "AgedReceivables", report_date=today.isoformat())
    assert [number for number, text in enumerate(rows[customer][:5]) if text] == [column]


def test_a_past_day_is_as_it_was(api, year):
    ann, child, bob = year
    rows, grand = cells(api, "CustomerBalance", report_date="2026-02-19")
    assert rows == {ann: ["60.00"], child: ["64.00"], bob: ["100.00"]}
    assert grand == ["224.00"]
    assert cells(api, "CustomerBalance", report_date="2026-01-09")[0] == {ann: ["63.00"]}


def test_one_customer(api, year):
    assert set(cells(api, "CustomerBalance", customer=year[2])[0]) == {year[2]}


def test_no_data(api):
    found = api.call("GET", "/reports/AgedReceivables")
    assert found["Rows"] == {}
    assert {"Name": "NoReportData", "Value": "true"} in found["Header"]["Option"]


def test_the_detail_lists_every_open_item(api, year):
    found = api.call("GET", "/reports/AgedReceivableDetail", report_date="2026-03-02")
    sections = found["Rows"]["Row"]
    lines = [row for section in sections[:-1] for row in section["Rows"]["Row"]]
    assert sum(Decimal(row["ColData"][-1]["value"]) for row in lines) == 94
    assert sections[-1]["Summary"]["ColData"][-1]["value"] == "94.00"


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [("Nonsense", {}, "500"), ("AgedReceivables", {"report_date": "soon"}, "2090")],
    ids=["an unknown report", "a day in words"],
)
def test_refused_reports(api, path, query, code):
    assert api.refused("GET", f"/reports/{path}", **query)[1] == code


@given(st.lists(STEP, max_size=20))
def test_every_report_is_the_control_account(steps):
    clerk = Clerk()
    for step in steps:
        clerk.do(step)
    api = Api(clerk.simulator, "1")
    balance = clerk.books.receivable_cents()
    for name in ("AgedReceivables", "CustomerBalance"):
        rows, grand = cells(api, name)
        assert sum((Decimal(row[-1] or 0) for row in rows.values()), Decimal(0)) * 100 == balance
        assert grand is None or Decimal(grand[-1] or 0) * 100 == balance
    assert sum(line.cents for line in reports.open_lines(clerk.core, "2026-12-31")) == balance
