"""Nobody outruns a platform's limits: not in a burst, not from several threads, not over several ledgers."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.pace import AccountPace, Limit, ProcessPaces, Throttle
from arsync.connectors.quickbooks.connector import _CONCURRENT, _LIMITS
from tests.connectors.quickbooks.helpers import Clock, connector_on, ports


@given(
    gaps_ms=st.lists(st.integers(0, 400), min_size=1, max_size=120),
    limits=st.sampled_from(
        [(Limit(8, 1.0), Limit(45, 6.0)), (Limit(3, 0.5),), (Limit(1, 0.1), Limit(5, 2.0))]
    ),
)
def test_no_window_ever_holds_more_than_its_limit(gaps_ms, limits):
    clock = Clock()
    throttle = Throttle(limits, clock.now, clock.sleep)
    departures = []
    for gap in gaps_ms:
        clock.now_is += timedelta(milliseconds=gap)
        throttle.wait()
        departures.append(clock.now())
    for limit in limits:
        for first in departures:
            within = [
                one for one in departures if timedelta(0) <= one - first < timedelta(seconds=limit.window_s)
            ]
            assert len(within) <= limit.requests


def test_an_unhurried_caller_never_waits():
    clock = Clock()
    throttle = Throttle((Limit(8, 1.0),), clock.now, clock.sleep)
    for _ in range(50):
        throttle.wait()
        clock.now_is += timedelta(seconds=0.2)
    assert clock.slept_s == []


def test_a_clock_set_back_costs_no_more_than_two_windows():
    clock = Clock()
    throttle = Throttle((Limit(2, 1.0),), clock.now, clock.sleep)
    throttle.wait()
    throttle.wait()
    clock.now_is -= timedelta(hours=1)
    assert throttle.wait() <= 2


def test_a_clock_that_stands_still_does_not_hang():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    slept = []
    throttle = Throttle((Limit(2, 1.0),), lambda: now, slept.append)
    for _ in range(6):
        throttle.wait()
    assert slept == [1.0, 1.0, 2.0, 2.0]


def test_a_clock_set_back_is_paid_for_once_not_by_all_who_follow():
    clock = Clock()
    throttle = Throttle((Limit(450, 60.0),), clock.now, clock.sleep)
    for _ in range(450):
        throttle.wait()
    clock.now_is -= timedelta(hours=1)
    assert sum(throttle.wait() for _ in range(450)) <= 2 * 60


def test_only_paths_with_the_ending_count_for_a_limit_of_their_own():
    clock = Clock()
    throttle = Throttle(_LIMITS, clock.now, clock.sleep)
    departures = []
    for number in range(400):
        path = "/v3/company/1/batch" if number % 2 else "/v3/company/1/query"
        throttle.wait(path)
        departures.append((path, clock.now()))
    batches = [at for path, at in departures if path.endswith("/batch")]
    for first in batches:
        assert sum(timedelta(0) <= at - first < timedelta(minutes=1) for at in batches) <= 40


@pytest.mark.parametrize("connectors", [1, 3])
def test_all_who_share_an_account_share_its_limits(connectors):
    """Never more than 10 a second, 8 at once and 40 batches a minute, over several ledgers of one connection too."""
    clock, paces = Clock(), ProcessPaces()
    shared = [
        paces.of("books.test 1", lambda: AccountPace(_LIMITS, _CONCURRENT, clock.now, clock.sleep))
        for _ in range(connectors)
    ]
    departures = []
    for number in range(60):
        with shared[number % connectors].turn("/v3/company/1/query"):
            departures.append(clock.now())
    for first in departures:
        assert sum(timedelta(0) <= at - first < timedelta(seconds=1) for at in departures) <= 10


def test_connectors_of_one_company_get_the_same_pace_and_others_their_own():
    given_ports = replace(ports(), paces=ProcessPaces())
    made = [connector_on(lambda _request: None, given_ports) for _ in range(2)]
    for connector in made:
        del connector.__dict__["_transport"]
    assert made[0]._transport._pace is made[1]._transport._pace
    other = type(made[0])(type(made[0]._settings)("another-realm", "http://books.test"), given_ports)
    assert other._transport._pace is not made[0]._transport._pace
    for connector in (*made, other):
        connector.close()


def test_no_more_than_eight_are_under_way_at_once():
    pace = AccountPace((Limit(1000, 1.0),), 8, lambda: datetime.now(UTC), lambda _s: None)
    under_way, most, lock, go = 0, [0], threading.Lock(), threading.Barrier(20)

    def ask():
        nonlocal under_way
        go.wait()
        with pace.turn("/query"):
            with lock:
                under_way += 1
                most[0] = max(most[0], under_way)
            threading.Event().wait(0.02)
            with lock:
                under_way -= 1

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 8
