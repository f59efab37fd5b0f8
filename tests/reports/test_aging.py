"""Aging: buckets by due or document date, credits by their own date, totals that tie."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.dates import Buckets
from arsync.core.items import ItemKind
from arsync.output import Screen, as_json
from arsync.reports.aging import AgedRow, aging

AS_OF = date(2024, 3, 31)


def row(
    kind=ItemKind.INVOICE,
    issued=AS_OF,
    due=AS_OF,
    currency="USD",
    open_minor=100_00,
    customer_id=1,
    item_id=1,
):
    return AgedRow(
        customer_id,
        f"Customer {customer_id}",
        item_id,
        f"N{item_id}",
        kind,
        issued,
        due,
        currency,
        open_minor,
    )


def days_ago(days):
    return AS_OF - timedelta(days=days)


@pytest.mark.parametrize(
    ("issued", "due", "basis", "label"),
    [
        pytest.param(days_ago(40), AS_OF, "due", "Current", id="due today is current"),
        pytest.param(days_ago(40), days_ago(1), "due", "1-30", id="the day after, it is overdue"),
        pytest.param(days_ago(60), days_ago(30), "due", "1-30", id="thirty days late"),
        pytest.param(
            days_ago(61), days_ago(31), "due", "31-60", id="and one more: a month end in February's way"
        ),
        pytest.param(days_ago(400), days_ago(91), "due", "91+", id="over ninety"),
        pytest.param(
            days_ago(40), AS_OF, "document", "31-60", id="by document date the due date does not matter"
        ),
        pytest.param(days_ago(2), days_ago(-28), "due", "Current", id="not due yet"),
    ],
)
def test_an_invoice_falls_into_its_bucket(issued, due, basis, label):
    got = aging([row(issued=issued, due=due)], AS_OF, basis)
    filled = [name for name, minor in zip(got.labels, got.totals[0].buckets_minor, strict=True) if minor]
    assert filled == [label]


@pytest.mark.parametrize("basis", ["due", "document"])
@pytest.mark.parametrize(
    "kind", [ItemKind.CREDIT_MEMO, ItemKind.PAYMENT, ItemKind.JOURNAL_CREDIT, ItemKind.DEPOSIT_CREDIT]
)
def test_a_credit_ages_by_its_own_date_and_lowers_the_total(kind, basis):
    credit = row(kind, issued=days_ago(45), due=days_ago(5), open_minor=-30_00, item_id=2)
    line = aging([row(), credit], AS_OF, basis).lines[0]
    assert line.buckets_minor == (100_00, 0, -30_00, 0, 0)
    assert (line.credits_minor, line.total_minor) == (-30_00, 70_00)


def test_the_leap_day_counts():
    got = aging([row(due=date(2024, 2, 29))], date(2024, 3, 30))
    assert got.totals[0].buckets_minor == (0, 100_00, 0, 0, 0)
    assert aging([row(due=date(2024, 2, 29))], date(2024, 3, 31)).totals[0].buckets_minor == (
        0,
        0,
        100_00,
        0,
        0,
    )


def test_currencies_are_never_added():
    got = aging(
        [row(open_minor=5), row(currency="JPY", open_minor=7), row(currency="KWD", open_minor=9)], AS_OF
    )
    assert [(total.currency, total.total_minor) for total in got.totals] == [
        ("JPY", 7),
        ("KWD", 9),
        ("USD", 5),
    ]
    assert [line[2] for line in got.rows()] == ["JPY", "KWD", "USD"]


def test_own_buckets_name_the_columns():
    got = aging([row()], AS_OF, buckets=Buckets.parse("30,60"))
    names = [column.name for column in got.table().columns]
    assert names[3:6] == ["up_to_30", "days_31_60", "days_61_up"]


def test_the_report_says_what_it_rests_on():
    got = aging(
        [row()], AS_OF, "document", known_at=datetime(2024, 4, 2, 6, 30, tzinfo=UTC), ledger="acme-us"
    )
    text = "\n".join(got.text(following="arsync aging acme-us --json"))
    assert text.startswith(
        "acme-us  as of 2024-03-31, by document date, as known 2024-04-02 06:30 UTC\nunproven"
    )
    assert text.endswith("next: arsync aging acme-us --json")


def test_the_screen():
    rows = [
        row(due=days_ago(20), open_minor=39_500_00),
        row(open_minor=1_234_56, customer_id=2),
        row(ItemKind.PAYMENT, issued=AS_OF, open_minor=-34_56, customer_id=2),
    ]
    assert aging(rows, AS_OF, completeness="proven").text(Screen(80, unicode=False)) == [
        "as of 2024-03-31, by due date, as known now",
        "proven",
        "",
        "open USD 40,700.00 in 3 items; credits are part of the totals",
        "  Current   1,200.00  #",
        "  1-30     39,500.00  ##############################",
        "  31-60         0.00",
        "  61-90         0.00",
        "  91+           0.00",
        "",
        "Customer      Current       1-30  31-60  61-90   91+      Total  Credits",
        "Customer 1       0.00  39,500.00   0.00   0.00  0.00  39,500.00     0.00",
        "Customer 2   1,200.00       0.00   0.00   0.00  0.00   1,200.00   -34.56",
        "-----------  --------  ---------  -----  -----  ----  ---------  -------",
        "2 customers  1,200.00  39,500.00   0.00   0.00  0.00  40,700.00   -34.56",
    ]


def test_nothing_open_says_so():
    assert aging([row(open_minor=0)], AS_OF).text()[-1] == "nothing is open"


ROWS = st.lists(
    st.builds(
        row,
        kind=st.sampled_from(ItemKind),
        issued=st.dates(date(2020, 1, 1), AS_OF),
        due=st.dates(date(2020, 1, 1), date(2025, 1, 1)),
        currency=st.sampled_from(["USD", "JPY", "KWD"]),
        open_minor=st.integers(-(10**14), 10**14),
        customer_id=st.integers(1, 4),
    ),
    max_size=30,
)
EDGES = st.sets(st.integers(0, 200), min_size=1, max_size=5).map(lambda edges: Buckets(tuple(sorted(edges))))


@given(ROWS, st.sampled_from(["due", "document"]), EDGES)
def test_totals_tie(rows, basis, buckets):
    got = aging(rows, AS_OF, basis, buckets)
    owed, credit = Counter(), Counter()
    for each in rows:
        owed[each.currency] += each.open_minor
        credit[each.currency] += 0 if each.kind.is_debit else each.open_minor
    for total in got.totals:
        lines = [line for line in got.lines if line.currency == total.currency]
        assert total.total_minor == sum(total.buckets_minor) == owed[total.currency]
        assert total.total_minor == sum(line.total_minor for line in lines)
        assert total.credits_minor == sum(line.credits_minor for line in lines) == credit[total.currency]
        assert all(sum(line.buckets_minor) == line.total_minor for line in lines)
        columns = zip(*(line.buckets_minor for line in lines), strict=True)
        assert total.buckets_minor == tuple(map(sum, columns))
    assert {total.currency for total in got.totals} == {each.currency for each in rows if each.open_minor}


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert as_json(aging(shuffled, AS_OF)) == as_json(aging(rows, AS_OF))
