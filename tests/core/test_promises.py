"""Promises to pay: kept, broken, or still to be waited for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.promises import Moved, Promise, State, state_of

BY = date(2026, 12, 5)
EARLY, LATE = BY - timedelta(days=5), BY + timedelta(days=3)
HUNDRED = Promise(BY, 100_00)


def paid(minor, on=EARLY):
    return Moved(on, minor)


@pytest.mark.parametrize(
    ("settled", "waiting", "open_minor", "today", "state"),
    [
        pytest.param([], [], 100_00, EARLY, State.OPEN, id="before its day it runs"),
        pytest.param([], [], 100_00, BY, State.OPEN, id="on its day it still runs"),
        pytest.param([], [], 100_00, LATE, State.BROKEN, id="the day after it is broken"),
        pytest.param([paid(100_00)], [], 0, LATE, State.KEPT, id="paid in time"),
        pytest.param([paid(100_00, BY)], [], 0, LATE, State.KEPT, id="paid on its day"),
        pytest.param([paid(40_00), paid(60_00)], [], 0, LATE, State.KEPT, id="paid in two parts"),
        pytest.param(
            [paid(100_00)], [], 200_00, LATE, State.KEPT, id="what was promised, of an item with more"
        ),
        pytest.param([paid(99_99)], [], 1, LATE, State.BROKEN, id="a cent short"),
        pytest.param([paid(100_00, LATE)], [], 0, LATE, State.BROKEN, id="paid, but late"),
        pytest.param([paid(100_00, LATE)], [], 0, BY, State.KEPT, id="settled early by money dated later"),
        pytest.param(
            [paid(100_00), paid(-100_00, BY)], [], 100_00, LATE, State.BROKEN, id="paid and given back"
        ),
        pytest.param(
            [paid(100_00), paid(-100_00, LATE)], [], 100_00, LATE, State.BROKEN, id="given back after its day"
        ),
        pytest.param([], [paid(100_00)], 100_00, LATE, State.IN_REVIEW, id="arrived in time, not decided"),
        pytest.param(
            [paid(60_00)], [paid(40_00)], 40_00, LATE, State.IN_REVIEW, id="the rest arrived in time"
        ),
        pytest.param([], [paid(99_99)], 100_00, LATE, State.BROKEN, id="less arrived than was promised"),
        pytest.param([], [paid(100_00, LATE)], 100_00, LATE, State.BROKEN, id="arrived too late"),
        pytest.param([], [paid(100_00)], 100_00, EARLY, State.IN_REVIEW, id="arrived before its day is over"),
        pytest.param([], [], 0, LATE, State.NOT_OWED, id="voided"),
        pytest.param([], [], 0, EARLY, State.NOT_OWED, id="voided before its day"),
    ],
)
def test_what_becomes_of_a_promise(settled, waiting, open_minor, today, state):
    assert state_of(HUNDRED, settled, waiting, open_minor, today) == state
    for over, gone in ((State.WITHDRAWN, "withdrawn"), (State.SUPERSEDED, "superseded")):
        assert state_of(replace(HUNDRED, **{gone: True}), settled, waiting, open_minor, today) == over


@pytest.mark.parametrize("state", State, ids=str)
def test_what_runs(state):
    assert state.runs == (state in (State.OPEN, State.IN_REVIEW))


days = st.dates(EARLY - timedelta(days=9), LATE + timedelta(days=9))
moves = st.lists(st.builds(Moved, days, st.integers(-150_00, 150_00)), max_size=5)
arrivals = st.lists(st.builds(Moved, days, st.integers(1, 150_00)), max_size=3)
owed = st.integers(0, 300_00)


@given(moves, arrivals, owed, days, days, st.integers(1, 100_00))
def test_more_money_never_breaks_a_promise(settled, waiting, left, today, on, more):
    before = state_of(HUNDRED, settled, waiting, left, today)
    for with_more in (([*settled, Moved(on, more)], waiting), (settled, [*waiting, Moved(on, more)])):
        after = state_of(HUNDRED, *with_more, left, today)
        assert not (after is State.BROKEN and before in (State.KEPT, State.OPEN, State.IN_REVIEW))


@given(moves, arrivals, owed)
def test_until_its_day_is_over_no_promise_is_broken(settled, waiting, left):
    assert state_of(HUNDRED, settled, waiting, left, BY) is not State.BROKEN


@given(moves, owed, days)
def test_what_is_kept_needs_no_waiting_money_and_stays_kept_on_every_later_day(settled, left, today):
    if state_of(HUNDRED, settled, [], left, LATE) is State.KEPT:
        assert state_of(HUNDRED, settled, [], left, max(today, LATE)) is State.KEPT
        assert sum(one.minor for one in settled) >= HUNDRED.amount_minor


@given(moves, arrivals, owed, days)
def test_the_order_of_what_happened_says_nothing(settled, waiting, left, today):
    told = state_of(HUNDRED, settled, waiting, left, today)
    assert state_of(HUNDRED, settled[::-1], waiting[::-1], left, today) == told
