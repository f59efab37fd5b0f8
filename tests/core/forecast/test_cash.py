"""Cash by week: nothing is lost, credits and disputes are no income, thin knowledge is wide."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arsync.core.dates import is_business_day
from arsync.core.forecast.cash import forecast
from arsync.core.forecast.delays import Habits, OpenRow, PaidItem

MONDAY = date(2024, 6, 3)
NOBODY = Habits.learn([], [], MONDAY)


def punctual(customer_id=1, count=120):
    days = [MONDAY - timedelta(days=n) for n in range(1, 2 * count)]
    paid_on = [day for day in days if is_business_day(day)][:count]
    return [PaidItem(customer_id, day - timedelta(days=30), day, day, "USD", 100_00) for day in paid_on]


PUNCTUAL = Habits.learn(punctual(), [], MONDAY)


def row(
    open_minor=100_00, due=MONDAY + timedelta(days=9), customer_id=1, currency="USD", disputed=0, item_id=1
):
    return OpenRow(customer_id, item_id, MONDAY - timedelta(days=30), due, currency, open_minor, disputed)


def only(rows, habits=PUNCTUAL, as_of=MONDAY, weeks=4):
    (currency,) = forecast(rows, habits, as_of, weeks).currencies
    return currency


def test_a_punctual_customer_pays_in_the_week_of_the_due_date():
    got = only([row()])
    assert got.weeks[1].likely_minor > 85_00
    assert (got.weeks[1].low_minor, got.weeks[1].high_minor) == pytest.approx((90_00, 100_00), abs=15_00)


@pytest.mark.parametrize(
    ("as_of", "first", "last"),
    [
        pytest.param(MONDAY, MONDAY, MONDAY + timedelta(days=6), id="a whole week from a Monday"),
        pytest.param(
            date(2024, 6, 6), date(2024, 6, 6), date(2024, 6, 9), id="from a Thursday, what is left of it"
        ),
        pytest.param(date(2024, 2, 29), date(2024, 2, 29), date(2024, 3, 3), id="a leap day at a month end"),
    ],
)
def test_the_first_week_begins_today(as_of, first, last):
    got = only([row()], as_of=as_of)
    assert (got.weeks[0].start, got.weeks[0].end) == (first, last)
    assert got.weeks[1].start == last + timedelta(days=1)


@pytest.mark.parametrize(
    ("named", "minor", "weeks", "beyond"),
    [
        pytest.param(
            MONDAY + timedelta(days=15), 100_00, [0, 0, 100_00, 0], 0, id="all of it, in the week promised"
        ),
        pytest.param(MONDAY, 100_00, [100_00, 0, 0, 0], 0, id="today"),
        pytest.param(
            MONDAY + timedelta(days=6), 100_00, [0, 100_00, 0, 0], 0, id="a Sunday is the Monday after"
        ),
        pytest.param(MONDAY + timedelta(days=60), 100_00, [0, 0, 0, 0], 100_00, id="beyond what is forecast"),
    ],
)
def test_what_is_promised_comes_on_its_day(named, minor, weeks, beyond):
    got = only([replace(row(), named=named, named_minor=minor)])
    assert ([week.likely_minor for week in got.weeks], got.beyond_minor) == (weeks, beyond)
    assert [week.low_minor for week in got.weeks] == pytest.approx(weeks, abs=1_00)


def test_a_promise_of_a_part_leaves_the_rest_to_the_delays_and_one_that_is_over_all_of_it():
    part = replace(row(), named=MONDAY + timedelta(days=22), named_minor=40_00)
    got, learned = only([part]), only([row(open_minor=60_00)])
    assert got.weeks[3].likely_minor == learned.weeks[3].likely_minor + 40_00
    assert got.weeks[1].likely_minor == learned.weeks[1].likely_minor
    over = replace(row(), named=MONDAY - timedelta(days=1), named_minor=100_00)
    assert only([over]) == only([row()])
    told = [forecast([one], PUNCTUAL, MONDAY).note for one in (part, over)]
    assert told == [
        "learned from 120 settled items; 1 of the items on the day promised, or expected in the books",
        "learned from 120 settled items",
    ]


def test_nothing_comes_in_on_a_weekend():
    got = only([row(due=date(2024, 6, 1))], as_of=date(2024, 6, 8))
    assert got.weeks[0].likely_minor == 0


@pytest.mark.parametrize(
    ("rows", "credit", "left"),
    [
        pytest.param([row(customer_id=None)], 0, 100_00, id="a debt of nobody known is still a debt"),
        pytest.param([row(100_00), row(-30_00)], 0, 70_00, id="a credit is cash that will not come again"),
        pytest.param([row(100_00), row(-130_00)], -30_00, 0, id="more credit than debt stays credit"),
        pytest.param(
            [row(100_00), row(-30_00, customer_id=2)], -30_00, 100_00, id="credits stay with their customer"
        ),
        pytest.param(
            [row(100_00), row(-30_00, customer_id=None)], -30_00, 100_00, id="cash of an unknown payer"
        ),
    ],
)
def test_credits_reduce_what_is_expected(rows, credit, left):
    got = only(rows)
    assert got.credit_minor == credit
    assert sum(week.likely_minor for week in got.weeks) + got.beyond_minor == left


def test_credits_settle_the_oldest_item_first():
    old, new = row(due=MONDAY + timedelta(days=2), item_id=5), row(due=MONDAY + timedelta(days=16), item_id=2)
    got = only([new, old, row(-100_00, item_id=3)])
    assert got.weeks[0].likely_minor < 5_00
    assert got.weeks[2].likely_minor > 85_00


def test_disputed_amounts_are_in_no_week():
    got = only([row(100_00, disputed=60_00)])
    assert got.disputed_minor == 60_00
    assert sum(week.likely_minor for week in got.weeks) + got.beyond_minor == 40_00
    assert max(week.high_minor for week in got.weeks) <= 40_00


def test_a_credit_does_not_pay_what_is_disputed():
    got = only([row(100_00, disputed=100_00), row(-30_00)])
    assert (got.disputed_minor, got.credit_minor) == (100_00, -30_00)


@pytest.mark.parametrize("disputed", [-1, 100_01])
def test_a_dispute_of_more_than_is_open_is_an_error(disputed):
    with pytest.raises(ValueError, match="item 1: disputed"):
        only([row(100_00, disputed=disputed)])


def test_a_forecast_of_no_weeks_is_an_error():
    with pytest.raises(ValueError, match="0 weeks"):
        forecast([], PUNCTUAL, MONDAY, 0)


def test_currencies_are_never_added():
    got = forecast(
        [row(7, currency="JPY"), row(5, currency="KWD"), row(-3, currency="KWD")], PUNCTUAL, MONDAY
    )
    assert [(each.currency, each.open_minor) for each in got.currencies] == [("JPY", 7), ("KWD", 2)]


def test_without_history_the_range_is_wide_and_says_so():
    rows = [row(due=MONDAY + timedelta(days=n), customer_id=n, item_id=n) for n in range(14)]
    thin, known = forecast(rows, NOBODY, MONDAY), forecast(rows, PUNCTUAL, MONDAY)
    assert thin.note.startswith("terms only: no payment history")
    assert known.note == "learned from 120 settled items"

    def width(got):
        return sum(week.high_minor - week.low_minor for week in got.currencies[0].weeks)

    assert width(thin) > 2 * width(known)
    assert thin.currencies[0].weeks[0].low_minor == 0
    assert "only 5 settled items" in forecast(rows, Habits.learn(punctual(count=5), [], MONDAY), MONDAY).note


ROWS = st.lists(
    st.builds(
        lambda minor, share, named, **rest: replace(
            row(minor, disputed=max(minor, 0) * share // 100, **rest),
            named=named,
            named_minor=max(minor, 0) // 3,
        ),
        st.integers(-(10**12), 10**12),
        st.integers(0, 100),
        st.none() | st.dates(MONDAY - timedelta(days=9), MONDAY + timedelta(days=90)),
        due=st.dates(MONDAY - timedelta(days=300), MONDAY + timedelta(days=150)),
        customer_id=st.none() | st.integers(1, 3),
        currency=st.sampled_from(["USD", "JPY", "KWD"]),
        item_id=st.integers(1, 99),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.booleans(), st.integers(1, 8), st.integers(0, 6))
def test_no_minor_unit_is_lost(rows, learned, weeks, weekday):
    got = forecast(rows, PUNCTUAL if learned else NOBODY, MONDAY + timedelta(days=weekday), weeks)
    for each in got.currencies:
        assert each.open_minor == sum(r.open_minor for r in rows if r.currency == each.currency)
        likely = sum(week.likely_minor for week in each.weeks)
        assert likely + each.beyond_minor + each.disputed_minor + each.credit_minor == each.open_minor
        assert all(0 <= week.low_minor <= week.likely_minor <= week.high_minor for week in each.weeks)
        assert len(each.weeks) == weeks
    assert sum(each.items for each in got.currencies) == len(rows)


@settings(max_examples=40, deadline=None)
@given(
    ROWS.filter(lambda rows: len({r.item_id for r in rows}) == len(rows)), st.randoms(use_true_random=False)
)
def test_the_order_of_the_rows_does_not_matter(rows, random):
    first = forecast(rows, PUNCTUAL, MONDAY, 3)
    random.shuffle(rows)
    assert forecast(rows, PUNCTUAL, MONDAY, 3) == first
