"""Terms, business days, buckets and weeks."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.dates import (
    Buckets,
    add_business_days,
    age_days,
    business_days_between,
    discount_until,
    due_date,
    is_business_day,
    next_business_day,
    week_start,
    week_starts,
)
from arsync.core.items import Terms
from arsync.errors import UsageError

DAYS = st.dates(date(1999, 1, 1), date(2101, 12, 31))
HOLIDAYS = st.frozensets(st.dates(date(2024, 1, 1), date(2024, 12, 31)), max_size=12)


@pytest.mark.parametrize(
    ("issued", "days", "due"),
    [
        pytest.param(
            date(2024, 1, 31), 30, date(2024, 3, 1), id="a month end counts days, over a leap February"
        ),
        pytest.param(date(2023, 1, 31), 30, date(2023, 3, 2), id="the same in a common year is a day later"),
        pytest.param(date(2024, 2, 29), 365, date(2025, 2, 28), id="a leap day has no anniversary"),
        pytest.param(date(2024, 12, 31), 1, date(2025, 1, 1), id="the turn of the year"),
        pytest.param(date(2024, 5, 6), 0, date(2024, 5, 6), id="due on receipt"),
        pytest.param(date(2024, 5, 6), None, None, id="terms without days give no date"),
    ],
)
def test_due_date(issued, days, due):
    assert due_date(issued, Terms("t", due_days=days)) == due


@pytest.mark.parametrize(
    ("discount_bp", "discount_days", "until"),
    [
        pytest.param(200, 10, date(2024, 3, 10), id="2/10: the tenth day still earns it"),
        pytest.param(200, 0, date(2024, 2, 29), id="earned only on the day itself"),
        pytest.param(0, 10, None, id="days without a rate are no discount"),
    ],
)
def test_discount_until(discount_bp, discount_days, until):
    terms = Terms("t", due_days=30, discount_bp=discount_bp, discount_days=discount_days)
    assert discount_until(date(2024, 2, 29), terms) == until


FRIDAY, SATURDAY, MONDAY, TUESDAY = (date(2024, 3, d) for d in (1, 2, 4, 5))


@pytest.mark.parametrize(
    ("day", "holidays", "expected"),
    [
        pytest.param(FRIDAY, frozenset(), FRIDAY, id="a business day is its own next"),
        pytest.param(SATURDAY, frozenset(), MONDAY, id="Saturday waits for Monday"),
        pytest.param(SATURDAY, frozenset({MONDAY}), TUESDAY, id="and for Tuesday when Monday is a holiday"),
    ],
)
def test_next_business_day(day, holidays, expected):
    assert next_business_day(day, holidays) == expected


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        pytest.param(FRIDAY, 1, MONDAY, id="over the weekend"),
        pytest.param(MONDAY, -1, FRIDAY, id="back over the weekend"),
        pytest.param(SATURDAY, 0, SATURDAY, id="nothing added moves nothing"),
        pytest.param(SATURDAY, 1, MONDAY, id="one after Saturday is Monday"),
    ],
)
def test_add_business_days(day, count, expected):
    assert add_business_days(day, count) == expected


@given(DAYS, st.integers(1, 60), HOLIDAYS)
def test_adding_business_days_is_undone_by_counting_them(day, count, holidays):
    assert business_days_between(day, add_business_days(day, count, holidays), holidays) == count


@given(st.dates(date(2023, 12, 1), date(2025, 2, 1)), st.integers(-40, 400), HOLIDAYS)
def test_business_days_between_counts_each_day_once(start, span, holidays):
    end = start + timedelta(days=span)
    low, high = sorted((start, end))
    slow = sum(is_business_day(low + timedelta(days=n + 1), holidays) for n in range((high - low).days))
    assert business_days_between(start, end, holidays) == (slow if span >= 0 else -slow)


def test_the_standard_buckets():
    buckets = Buckets()
    assert buckets.labels == ("Current", "1-30", "31-60", "61-90", "91+")
    assert [buckets.index(age) for age in (-5, 0, 1, 30, 31, 60, 61, 90, 91, 4000)] == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
    ]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        pytest.param("0,15,30,60", ("Current", "1-15", "16-30", "31-60", "61+"), id="own edges"),
        pytest.param(" 0, 30 ", ("Current", "1-30", "31+"), id="blanks do not matter"),
        pytest.param("30,60", ("Up to 30", "31-60", "61+"), id="by document date nothing is current"),
        pytest.param("0,1,7", ("Current", "1", "2-7", "8+"), id="a class of a single day"),
        pytest.param("0", ("Current", "1+"), id="due and overdue"),
    ],
)
def test_parse_buckets(text, labels):
    assert Buckets.parse(text).labels == labels


@pytest.mark.parametrize("text", ["", "a", "0,,30", "30,0", "0,0", "-1,30", "0,1.5", "0,999999", "0,\u0663"])
def test_unreadable_buckets_say_what_to_write(text):
    with pytest.raises(UsageError, match="bucket edge") as caught:
        Buckets.parse(text)
    assert "0,30,60,90" in caught.value.do


@given(st.sets(st.integers(0, 400), min_size=1, max_size=6), st.integers(-400, 800))
def test_every_age_is_in_exactly_one_bucket(edges, age):
    buckets = Buckets(tuple(sorted(edges)))
    bounds = [float("-inf"), *buckets.edges, float("inf")]
    inside = [n for n in range(len(bounds) - 1) if bounds[n] < age <= bounds[n + 1]]
    assert inside == [buckets.index(age)]
    assert len(buckets.labels) == len(set(buckets.labels)) == len(bounds) - 1


@given(DAYS, st.integers(0, 60))
def test_weeks_start_on_mondays_and_hold_their_day(day, count):
    assert week_start(day).weekday() == 0
    assert 0 <= age_days(week_start(day), day) <= 6
    assert [age_days(week_start(day), start) for start in week_starts(day, count)] == [
        7 * n for n in range(count)
    ]


def test_business_days_step_over_holidays():
    holidays = frozenset({date(2026, 11, 26), date(2026, 11, 27)})
    assert add_business_days(date(2026, 11, 25), 1, holidays) == date(2026, 11, 30)
    assert add_business_days(date(2026, 11, 30), -1, holidays) == date(2026, 11, 25)


def test_the_longest_edge_and_one_digit_more():
    assert Buckets.parse("99999").edges == (99_999,)
    with pytest.raises(UsageError) as refused:
        Buckets.parse("100000")
    assert refused.value.where == "buckets '100000'"
    assert refused.value.do == "give days in rising order, for example 0,30,60,90"


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        pytest.param(date(2026, 11, 25), date(2026, 11, 30), 1, id="two holidays and a weekend between"),
        pytest.param(date(2026, 11, 30), date(2026, 11, 25), -1, id="the same backwards"),
        pytest.param(date(2026, 11, 26), date(2026, 11, 30), 1, id="from a holiday, which does not count"),
        pytest.param(date(2026, 11, 25), date(2026, 11, 26), 0, id="to a holiday"),
        pytest.param(date(2026, 11, 25), date(2026, 11, 25), 0, id="the same day"),
    ],
)
def test_business_days_between_with_holidays(start, end, count):
    holidays = frozenset(
        {date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 28)}
    )  # the last is a Saturday
    assert business_days_between(start, end, holidays) == count


def test_no_buckets_at_all_are_refused():
    with pytest.raises(UsageError):
        Buckets(())
