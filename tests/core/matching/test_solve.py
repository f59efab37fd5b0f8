"""Exact sums: everything found adds up, and complete means complete."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.matching.solve import RunTable, SumTable

VALUES = st.lists(st.integers(-40, 60).filter(bool), min_size=1, max_size=9)


def every_set(values, target, max_items):
    places = range(len(values))
    return {
        chosen
        for size in range(1, max_items + 1)
        for chosen in combinations(places, size)
        if sum(values[place] for place in chosen) == target
    }


@given(VALUES, st.integers(-60, 150), st.integers(1, 9), st.sampled_from([2, 6, 16, 2_048]))
def test_found_sets_are_right_and_complete_means_all(values, target, max_items, budget):
    truth = every_set(values, target, max_items)
    got = SumTable(values, budget).find(target, max_items)
    assert set(got.sets) <= truth
    assert len(set(got.sets)) == len(got.sets)
    if got.complete:
        assert set(got.sets) == truth


def is_run(chosen, dues):
    """Whether a set takes every item of the dates between its first and its last."""
    first, last = dues[chosen[0]], dues[chosen[-1]]
    return len(chosen) > 1 and all(place in chosen for place, due in enumerate(dues) if first < due < last)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 60)), min_size=1, max_size=9), st.integers(1, 200)
)
def test_runs_are_all_runs(items, target):
    dues, values = zip(*sorted(items, key=lambda item: item[0]), strict=True)
    sums = every_set(values, target, len(values))
    truth = {chosen for chosen in sums if is_run(chosen, dues)}
    found = RunTable(values, dues).find(target)
    assert set(found) <= truth
    assert len(set(found)) == len(found)
    if max(map(dues.count, dues)) <= 5 and len(truth) < 24:
        assert set(found) == truth


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 90)), min_size=2, max_size=10), st.integers(1, 1_023)
)
def test_runs_with_some_of_one_crowded_date_are_found_or_too_many_to_tell(items, chosen):
    """Of one date of more than two items any may be taken; of all others all."""
    dues, values = zip(*sorted(items, key=lambda item: item[0]), strict=True)
    target = sum(value for place, value in enumerate(values) if chosen >> place & 1)
    truth = {
        chosen
        for chosen in every_set(values, target, len(values))
        if is_run(chosen, dues) and is_of_one_crowd(chosen, dues)
    }
    found = RunTable(values, dues, few=2).find_crowded(target, 2_048)
    assert len(set(found)) == len(found)
    assert set(found) == truth or (not found and len(truth) > 4)


def is_of_one_crowd(chosen, dues):
    """Whether it leaves out items of one date only, of many items; or is all of one such date."""
    taken = [dues[place] for place in chosen]
    left_out = {due for due in taken if dues.count(due) > taken.count(due)} or set(taken)
    return len(left_out) == 1 and dues.count(left_out.pop()) > 2


def test_dates_that_would_cost_more_than_the_budget_are_left_out():
    dues = [1] * 40 + [2] * 10
    values = [1_000 + 7 * n for n in range(50)]
    assert RunTable(values, dues).find_crowded(sum(values[40:43]), 2_048) == [(40, 41, 42)]
    assert RunTable(values, dues).find_crowded(sum(values[:3]), 2_048) == []


def test_runs_of_ten_thousand_equal_items_of_one_date_stop_early():
    found = RunTable([100] * 10_000, ["2026-03-02"] * 10_000).find(500_00)
    assert 0 < len(found) <= 24


@pytest.mark.parametrize(
    ("count", "reach"),
    [
        pytest.param(22, 12, id="22 items: every set"),
        pytest.param(60, 4, id="60 items: sets of four"),
        pytest.param(500, 3, id="500 items: not even sets of three"),
    ],
)
def test_beyond_the_budget_the_answer_is_unknown(count, reach):
    table = SumTable([10_000 + 7 * n for n in range(count)], 2_048)
    assert table.find(3, 12).complete == (reach == 12)
    assert table.find(3, 2).complete
    assert table.find(3, 4).complete == (count <= 60)


def test_many_answers_stop_the_search_and_say_so():
    got = SumTable([100] * 20, 2_048).find(500, 12)
    assert len(got.sets) == 24
    assert not got.complete
