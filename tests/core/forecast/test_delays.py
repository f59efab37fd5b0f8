"""When an item will be paid: a customer's own habit, the age it has, and business days."""

import os
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.dates import is_business_day
from arsync.core.forecast.delays import Habits, OpenRow, PaidItem

AS_OF = date(2024, 6, 3)  # a Monday
CORPUS = Path(__file__).parents[3] / "../shared/corpus/ar/b2b_ledger_dev.csv"


def paid(customer_id, delay, paid_on, terms=30):
    due = paid_on - timedelta(days=delay)
    return PaidItem(customer_id, due - timedelta(days=terms), due, paid_on, "USD", 100_00)


def history(customer_id, delay, count):
    """Payments on `count` business days before AS_OF, all with the same delay."""
    days = [AS_OF - timedelta(days=n) for n in range(1, 2 * count + 8)]
    return [paid(customer_id, delay, day) for day in days if is_business_day(day)][:count]


def open_row(customer_id=1, due=AS_OF, open_minor=100_00, item_id=1, issued=date(2024, 1, 1)):
    return OpenRow(customer_id, item_id, issued, due, "USD", open_minor)


def days(habits, customer_id, due, weeks=13, as_of=AS_OF):
    return habits.pay_days(customer_id, due, as_of, as_of + timedelta(weeks=weeks))


@pytest.mark.parametrize(
    ("delay", "due", "expected"),
    [
        pytest.param(0, date(2024, 6, 12), date(2024, 6, 12), id="punctual"),
        pytest.param(14, date(2024, 6, 5), date(2024, 6, 19), id="always two weeks late"),
        pytest.param(-7, date(2024, 6, 14), date(2024, 6, 7), id="always a week early"),
        pytest.param(5, date(2024, 6, 10), date(2024, 6, 17), id="a Saturday becomes the Monday after"),
    ],
)
def test_a_customer_pays_as_it_always_paid(delay, due, expected):
    habits = Habits.learn(history(1, delay, 200), [], AS_OF)
    assert days(habits, 1, due).quantile(0.5) == expected


def test_an_item_already_late_is_judged_by_those_that_were_as_late():
    mostly_five = history(1, 5, 150) + history(1, 40, 20)
    habits = Habits.learn(mostly_five, [], AS_OF)
    assert days(habits, 1, AS_OF).quantile(0.5) <= AS_OF + timedelta(days=7)
    late = days(habits, 1, AS_OF - timedelta(days=20))
    assert late.quantile(0.5) == AS_OF + timedelta(days=21)  # 40 days late is a Sunday
    assert late.probabilities[0] < 0.05


def test_a_stranger_is_the_ledger():
    habits = Habits.learn(history(1, 10, 200), [], AS_OF)
    due = date(2024, 6, 12)
    stranger, ledger = days(habits, 2, due), days(habits, None, due)
    assert stranger.days == ledger.days
    assert stranger.probabilities == pytest.approx(ledger.probabilities)
    assert days(habits, 2, due).quantile(0.5) == due + timedelta(days=12)  # a Saturday, so Monday
    assert habits.settled_by(2) == 0


def test_few_payments_move_a_customer_a_little_and_many_almost_wholly():
    ledger = history(9, 0, 250)
    due = date(2024, 6, 12)

    def late_share(count):
        habits = Habits.learn(ledger + history(1, 21, count), [], AS_OF)
        got = days(habits, 1, due)
        return sum(
            p for day, p in zip(got.days, got.probabilities, strict=True) if day >= due + timedelta(days=15)
        )

    shares = [late_share(count) for count in (0, 2, 10, 50, 200)]
    assert shares == sorted(shares)
    assert shares[1] < 0.5 < shares[-1]
    assert shares[-1] > 0.85


def test_items_left_open_count_as_not_paid_until_now():
    done = history(1, 0, 20)
    silent = [open_row(1, AS_OF - timedelta(days=60), item_id=n) for n in range(40)]
    due = AS_OF + timedelta(days=7)
    before = days(Habits.learn(done, [], AS_OF), 1, due).later
    after = days(Habits.learn(done, silent, AS_OF), 1, due).later
    assert after > 3 * before


def test_days_before_an_item_was_issued_are_not_days_it_was_left_unpaid():
    long_terms = [paid(1, -30, item.paid_on, terms=60) for item in history(1, -30, 25)]
    short_terms = [paid(1, 0, item.paid_on, terms=5) for item in history(1, 0, 200)]
    due = AS_OF + timedelta(days=50)
    early = days(Habits.learn(long_terms + short_terms, [], AS_OF), 1, due)
    assert early.quantile(0.5) <= due - timedelta(days=28)


def test_items_not_due_yet_say_nothing_about_being_late():
    done, due = history(1, 0, 60), AS_OF + timedelta(days=20)
    young = [open_row(1, due, item_id=n, issued=AS_OF - timedelta(days=1)) for n in range(400)]
    alone, among = (days(Habits.learn(done, rows, AS_OF), 1, due) for rows in ([], young))
    assert among.later == pytest.approx(alone.later, abs=0.05)
    assert among.quantile(0.5) == alone.quantile(0.5) == due + timedelta(days=1)  # the due date is a Sunday


def test_without_history_terms_are_assumed_to_be_roughly_kept():
    got = days(Habits.learn([], [], AS_OF), 1, date(2024, 6, 19))
    assert date(2024, 6, 17) <= got.quantile(0.5) <= date(2024, 7, 1)
    assert got.later < 0.15


def test_what_happens_later_is_not_known():
    known = history(1, 3, 40)
    later = [paid(1, 30, AS_OF), paid(1, 30, AS_OF + timedelta(days=9))]
    unborn = [open_row(1, AS_OF + timedelta(days=40), issued=AS_OF)]
    now = days(Habits.learn(known, [], AS_OF), 1, AS_OF)
    assert days(Habits.learn(known + later, unborn, AS_OF), 1, AS_OF) == now


def test_a_ledger_whose_money_comes_on_any_day_is_not_moved_off_weekends():
    on_saturdays = [paid(1, 3, AS_OF - timedelta(days=2 + 7 * n)) for n in range(40)]
    got = days(Habits.learn(on_saturdays, [], AS_OF), 1, date(2024, 6, 12))
    assert got.quantile(0.5) == date(2024, 6, 15)


def test_holidays_are_no_pay_days():
    holiday = date(2024, 6, 12)
    habits = Habits.learn(history(1, 0, 200), [], AS_OF)
    got = habits.pay_days(1, holiday, AS_OF, AS_OF + timedelta(weeks=4), frozenset({holiday}))
    assert holiday not in got.days
    assert got.quantile(0.5) == date(2024, 6, 13)


PAID = st.lists(
    st.builds(
        paid,
        st.integers(1, 3),
        st.integers(-120, 250),
        st.dates(AS_OF - timedelta(days=500), AS_OF + timedelta(days=20)),
        st.integers(0, 60),
    ),
    max_size=40,
)
OPEN = st.lists(
    st.builds(
        open_row,
        st.none() | st.integers(1, 3),
        st.dates(AS_OF - timedelta(days=400), AS_OF + timedelta(days=90)),
        st.integers(-(10**6), 10**6),
    ),
    max_size=20,
)
DUE = st.dates(AS_OF - timedelta(days=500), AS_OF + timedelta(days=120))


@given(PAID, OPEN, st.none() | st.integers(1, 4), DUE, st.integers(0, 30))
def test_probabilities_are_whole_and_lie_ahead(paid_items, open_rows, customer_id, due, weeks):
    habits = Habits.learn(paid_items, open_rows, AS_OF)
    got = days(habits, customer_id, due, weeks)
    assert sum(got.probabilities) + got.later == pytest.approx(1)
    assert all(probability >= 0 for probability in (*got.probabilities, got.later))
    assert all(day >= AS_OF and (habits.any_day or is_business_day(day)) for day in got.days)
    assert list(got.days) == sorted(set(got.days))


@given(PAID, OPEN, DUE, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(paid_items, open_rows, due, random):
    first = days(Habits.learn(paid_items, open_rows, AS_OF), 1, due)
    random.shuffle(paid_items)
    random.shuffle(open_rows)
    assert days(Habits.learn(paid_items, open_rows, AS_OF), 1, due) == first


@given(PAID, DUE, st.floats(0.05, 0.95))
def test_the_shortest_span_holds_its_share_and_none_shorter_does(paid_items, due, share):
    got = days(Habits.learn(paid_items, [], AS_OF), 1, due)
    chances = dict(zip(got.days, got.probabilities, strict=True))
    wanted = share * sum(chances.values())

    def held(start, end):
        return sum(chance for day, chance in chances.items() if start <= day <= end)

    start, end = got.shortest(share)
    assert held(start, end) >= wanted - 1e-6
    shorter = end - start - timedelta(days=1)
    assert all(held(day, day + shorter) < wanted + 1e-6 for day in got.days)


@pytest.mark.corpus
@pytest.mark.slow
def test_a_real_ledger_is_forecast_better_than_by_its_empirical_quantiles():
    """One week of real items, predicted at issue; the whole protocol is in bench/forecast.py."""
    if not CORPUS.exists():
        assert os.environ.get("CI") != "true", f"{CORPUS} must be there in CI"
        pytest.skip("the shared corpus is not beside the project: ar/b2b_ledger_dev.csv")
    from bench import forecast as bench

    fit_end = date(2019, 7, 8)
    items = bench.load(CORPUS)
    test = [i for i in items if fit_end <= i.issued < fit_end + timedelta(days=5) and i.cleared != bench.FAR]
    actual = [item.delay for item in test]
    points, empirical, _ = bench.simple_rules(items, test, fit_end)
    mine = bench.ours(items, test)
    assert len(test) > 300
    assert bench.pinball([spread for spread, _, _ in mine], actual) < bench.pinball(empirical, actual)
    wrong = fmean(abs(a - spread[3]) for a, (spread, _, _) in zip(actual, mine, strict=True))
    assert wrong < fmean(
        abs(a - point["customer median, last 200"]) for a, point in zip(actual, points, strict=True)
    )
