"""Money that may go back, over all customers: whose, how it came, until when, and that it adds up."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.finality import EVER_BACK, WINDOWS, finality
from arsync.reports.not_final import ReceivedRow, not_final
from arsync.reports.stamp import Stamp

TODAY = date(2026, 11, 20)
STAMP = Stamp(TODAY, "receipt", None, "unproven: no statement yet")


def got(
    customer="Northwind", minor=100_00, *, method="cheque", on=TODAY, currency="USD", receipts=1, of=None
):
    customer_id = of or sum(customer.encode())
    return ReceivedRow(customer_id, customer, currency, method, on, receipts, minor)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        pytest.param([got(method="wire"), got(method="cash")], [], id="a wire is final when it is there"),
        pytest.param(
            [got(), got(minor=50_00, on=date(2026, 11, 19))],
            [("Northwind", "cheque", "may go back", date(2026, 12, 2), 2, 150_00)],
            id="receipts of one customer and method are one row, until the last of them",
        ),
        pytest.param(
            [got(), got(minor=50_00, of=9)],
            [
                ("Northwind", "cheque", "may go back", date(2026, 12, 2), 1, 100_00),
                ("Northwind", "cheque", "may go back", date(2026, 12, 2), 1, 50_00),
            ],
            id="two customers of one name are two",
        ),
        pytest.param(
            [got(), got(on=date(2026, 9, 1))],
            [
                ("Northwind", "cheque", "may go back", date(2026, 12, 2), 1, 100_00),
                ("Northwind", "cheque", "may be claimed back", date(2027, 9, 1), 1, 100_00),
            ],
            id="what only a claim can fetch is a row of its own",
        ),
        pytest.param(
            [got(method="not said", on=date(2026, 9, 1))],
            [("Northwind", "not said", "not known", None, 1, 100_00)],
            id="what the bank never said is not known, never final",
        ),
        pytest.param(
            [got(method="bacs direct debit", currency="GBP", on=date(2020, 1, 2))],
            [("Northwind", "bacs direct debit", "may be claimed back", date.max, 1, 100_00)],
            id="an indemnity claim has no end",
        ),
        pytest.param(
            [got("Acme", 1_00), got("O'Brien \\ Sons' & Co", 2_00), got("Acme", 5_00, currency="EUR")],
            [
                ("Acme", "cheque", "may go back", date(2026, 12, 2), 1, 5_00),
                ("O'Brien \\ Sons' & Co", "cheque", "may go back", date(2026, 12, 2), 1, 2_00),
                ("Acme", "cheque", "may go back", date(2026, 12, 2), 1, 1_00),
            ],
            id="currencies apart, the largest first",
        ),
        pytest.param([got(on=date(2025, 1, 2))], [], id="a year after, a cheque is final"),
    ],
)
def test_what_is_not_final(rows, told):
    made = not_final(rows, STAMP)
    seen = [(r.customer, r.method, r.standing, r.until, r.receipts, r.amount_minor) for r in made.rows]
    assert seen == told


ROWS = st.lists(
    st.builds(
        ReceivedRow,
        st.sampled_from([1, 2, None]),
        st.sampled_from(["Acme", "Northwind"]),
        st.sampled_from(["USD", "EUR"]),
        st.sampled_from(sorted(WINDOWS)),
        st.dates(date(2024, 1, 1), TODAY),
        st.integers(1, 5),
        st.integers(1, 10**9),
    ),
    max_size=30,
)


@given(ROWS)
def test_every_receipt_is_in_one_row_or_final(rows):
    made = not_final(rows, STAMP)
    resting = [row for row in rows if finality(row.method, row.booked).on(TODAY) != "final"]
    for currency in ("USD", "EUR"):
        assert sum(r.amount_minor for r in made.rows if r.currency == currency) == sum(
            r.amount_minor for r in resting if r.currency == currency
        )
    assert sum(r.receipts for r in made.rows) == sum(r.receipts for r in resting)


@given(ROWS)
def test_methods_that_are_never_asked_for_are_final_at_once(rows):
    left_out = [row for row in rows if row.method not in EVER_BACK]
    assert not_final(left_out, STAMP).rows == ()
    assert {"wire", "cash"}.isdisjoint(EVER_BACK)
    assert "cheque" in EVER_BACK


def test_the_text_has_totals_that_add_up():
    rows = [got(), got("Acme", 7_50, method="ach debit"), got("Acme", 40_00, on=date(2026, 9, 1))]
    text = "\n".join(not_final(rows, STAMP).text(following="arsync export not-final.xlsx"))
    assert "3 receipts in USD" in text
    for one in ("107.50", "40.00", "147.50", "may be claimed back", "2026-12-02", "next: arsync export"):
        assert one in text
    forever = not_final([got(method="bacs direct debit", currency="GBP", on=date(2020, 1, 2))], STAMP)
    assert "without an end" in "\n".join(forever.text())


def test_nothing_to_list():
    assert not_final([], STAMP).text()[-1] == "all money in the books is final"


def test_the_table_for_programs():
    table = not_final([got(), got(method="not said", on=date(2026, 9, 1))], STAMP).table()
    assert [column.name for column in table.columns][3] == "until"
    assert [row[3] for row in table.rows] == [date(2026, 12, 2), None]
