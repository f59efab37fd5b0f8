"""A platform that is busy, out of reach, or says no: a simulated company, over real HTTP."""

from arsync.errors import (
    ConsentLost,
    Garbled,
    PlatformBusy,
    PlatformRefused,
    Throttled,
    Unreachable,
    UsageError,
)
from tests.errors.reproduce import reproduces


@reproduces(
    Throttled,
    title="QuickBooks asks us to slow down",
    when="it still does after all waiting",
    do="nothing; the next run tries again",
)
def test_a_platform_that_stays_throttled(world):
    world.simulator.faults.add("POST /query", "status_429", times=100)
    world.pull()


@reproduces(
    Unreachable,
    title="QuickBooks cannot be reached",
    when="the network is down",
    do="check the network; the next run tries again",
)
def test_a_platform_that_is_gone(world):
    world.simulator.stop()
    world.pull()


@reproduces(
    Garbled,
    title="QuickBooks' answer is cut",
    when="an answer ends in the middle, time after time",
    do="nothing; the next run tries again, and nothing of the answer was kept",
)
def test_an_answer_that_is_cut(world):
    world.simulator.faults.add("POST /query", "truncated_body", times=100)
    world.pull()


@reproduces(
    PlatformBusy,
    title="QuickBooks has a failure of its own",
    when="it answers with a system failure, time after time",
    do="nothing; the next run tries again",
)
def test_a_platform_that_fails(world):
    world.simulator.faults.add("POST /query", "status_500", times=100)
    world.pull()


@reproduces(
    PlatformRefused,
    title="QuickBooks refuses a question",
    when="it answers with a fault that repeating will not change",
    do="report it with the trace number the error shows",
)
def test_a_question_that_is_refused(world):
    world.simulator.faults.add("POST /query", "fault_in_200", times=100)
    world.pull()


@reproduces(
    ConsentLost,
    title="QuickBooks no longer accepts the sign-in",
    when="the consent expired, was revoked, or another installation used it",
    do="sign in again: arsync connect quickbooks",
)
def test_a_sign_in_that_was_revoked(world):
    world.store.tokens = type(world.store.tokens)("access-gone", "refresh-gone", world.clock.now())
    world.pull()


@reproduces(
    UsageError,
    title="The place where the last pull stopped cannot be read",
    when="the store holds a cursor of another version",
    do="read everything again: arsync run with --full",
)
def test_a_strange_cursor(world):
    world.pull('{"step":"changes","since":"yesterday"}')
