"""How a customer usually pays: what confirmed payments teach, and what that weighs."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import Verdict
from arsync.core.matching.habits import observed, taking, together, told, ways_of
from arsync.core.matching.likelihood import DISCOUNT, USUAL, Ways
from arsync.core.matching.snapshot import Habit, Knowledge
from tests.core.matching.build import DAY, decided, find, item, receipt, said, shares

FIVE = tuple(item(n, 1_000_00 + 137_07 * n * n, due=10 * n - 40) for n in range(1, 6))


def seen(settled, items=FIVE, discounted=False):
    whole = {row.id: row.available_minor for row in items}
    return observed(1, items, {i: whole.get(i, 1) for i in settled}, receipt(1_00), discounted=discounted)


def mostly(habit):
    return max(Ways._fields, key=lambda name: getattr(habit.ways, name))


@pytest.mark.parametrize(
    ("settled", "way"),
    [
        pytest.param({4}, "one", id="one item in the middle"),
        pytest.param({1, 2, 3}, "oldest", id="the first three"),
        pytest.param({1, 2, 3, 4, 5}, "all", id="everything"),
        pytest.param({2, 3, 4}, "run", id="three in a row"),
        pytest.param({2, 4, 5}, "but_one", id="a row but one"),
        pytest.param({1, 3, 5}, "some", id="here and there"),
    ],
)
def test_a_confirmed_payment_is_of_the_way_that_makes_it_likeliest(settled, way):
    assert mostly(seen(settled)) == way


@pytest.mark.parametrize(
    "settled",
    [
        pytest.param({1, 99}, id="an item of somebody else"),
        pytest.param(set(), id="nothing: it stays on account"),
    ],
)
def test_what_does_not_settle_the_customers_own_items_teaches_nothing(settled):
    assert seen(settled) is None


@given(st.lists(st.sets(st.integers(1, 5), min_size=1), min_size=1, max_size=30))
def test_a_payment_counts_once_however_many_ways_it_may_be_of(payments):
    (habit,) = together([one for chosen in payments if (one := seen(chosen))])
    assert habit.payments == len(payments)
    assert sum(habit.ways) == pytest.approx(len(payments))
    assert sum(ways_of(habit)) == pytest.approx(sum(USUAL))


def test_few_confirmations_move_little_and_many_much():
    (twice,) = together([seen({1, 2, 3, 4, 5})] * 2)
    (often,) = together([seen({1, 2, 3, 4, 5})] * 60)
    assert USUAL.all < ways_of(twice).all < 3 * USUAL.all < 0.4 < ways_of(often).all
    assert ways_of(None) == USUAL


def test_discounts_are_learned_where_the_terms_granted_them():
    terms = {"discount_minor": 6_00, "discount_until": DAY + timedelta(days=2)}
    over = {"discount_minor": 6_00, "discount_until": date(2026, 1, 1)}
    items = (item(1, 600_34, **terms), item(2, 700_34, **over))
    habits = [
        seen({1}, items, discounted=True),
        seen({1}, items, discounted=False),
        seen({2}, items, discounted=False),
        seen({1}, items, discounted=None),
    ]
    assert [(one.taken, one.left) for one in habits] == [(1, 0), (0, 1), (0, 0), (0, 0)]
    (always,) = together(habits[:1] * 30)
    assert taking(always) > 0.75 > taking(None) == DISCOUNT


def test_a_habit_says_what_it_is():
    (habit,) = together([seen({1, 2, 3})] * 4 + [seen({1, 3, 5})])
    assert told(habit) == "most often the oldest items"
    assert told(habit._replace(taken=2, left=1)).endswith("; the discount was taken 2 of 3 times")


OLDEST = Knowledge(habits=together([seen({1, 2, 3})] * 40))
ONE = Knowledge(habits=together([seen({4})] * 40))
# The third alone is as much as the first two.
TWO_ANSWERS = (
    item(1, 310_11, due=-12),
    item(2, 250_22, due=-11),
    item(3, 560_33, due=-10),
    item(4, 91_37, due=-5),
    item(5, 171_49, due=-2),
)


@pytest.mark.parametrize(
    ("known", "first"),
    [
        pytest.param(OLDEST, {1, 2}, id="who pays the oldest first means the first two"),
        pytest.param(ONE, {3}, id="who pays one by one means the one"),
    ],
)
def test_a_habit_ranks_what_fits_and_is_told(known, first):
    finding = find(TWO_ANSWERS, receipt(560_33), knowledge=known)
    assert set(shares(finding.explanations[0])) == first
    assert "habit" in said(finding.explanations[0])


@pytest.mark.parametrize("known", [OLDEST, ONE, Knowledge()])
def test_no_habit_decides_between_two_answers_where_policy_does_not_weigh(known):
    assert decided(TWO_ANSWERS, receipt(560_33), knowledge=known).verdict is not Verdict.APPLY


def test_a_habit_is_its_customers_alone():
    theirs = Knowledge(habits=(Habit(2, *OLDEST.habits[0][1:]),))
    assert find(TWO_ANSWERS, receipt(560_33), knowledge=theirs) == find(TWO_ANSWERS, receipt(560_33))


@given(st.sampled_from([OLDEST, ONE]), st.integers(50_00, 2_000_00))
def test_no_habit_makes_a_set_that_does_not_come_to_the_cent(known, amount):
    with_habit = find(TWO_ANSWERS, receipt(amount), knowledge=known).explanations
    without = find(TWO_ANSWERS, receipt(amount)).explanations
    assert sorted(e.shares for e in with_habit) == sorted(e.shares for e in without)
