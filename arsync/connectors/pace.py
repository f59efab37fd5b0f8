"""How fast requests may leave, shared by everybody in this process who speaks with the same account.

Units   `*_s` are seconds; a `Limit` is that many requests in any window of that length, exactly, not on
        average.
Law     no window of any limit ever holds more requests than it allows, however many ledgers, threads and
        connectors share the account. Platforms count an account (QuickBooks: company and app), not a
        connection.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from arsync.connectors.contract import Pace, Ports


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `requests` in any `window_s` seconds; with `ending`, only paths that end so are counted."""

    requests: int
    window_s: float
    ending: str = ""


class Throttle:
    """Gives every request its departure time, so that no window of any limit ever holds too many."""

    def __init__(
        self, limits: Sequence[Limit], now: Callable[[], datetime], sleep: Callable[[float], None]
    ) -> None:
        self._limits = [(limit, deque[datetime](maxlen=limit.requests)) for limit in limits]
        self._now, self._sleep = now, sleep
        self._latest = now()
        self._lock = threading.Lock()

    def wait(self, path: str = "") -> float:
        """Sleep until a request to this path may leave; returns the seconds slept."""
        counted = [(limit, left) for limit, left in self._limits if path.endswith(limit.ending)]
        with self._lock:
            now = self._moved()
            departure = max([now, *(self._free(limit, left, now) for limit, left in counted)])
            for _, left in counted:
                left.append(departure)
        pause_s = (departure - now).total_seconds()
        if pause_s > 0:
            self._sleep(pause_s)
        return pause_s

    def _moved(self) -> datetime:
        """Now; a clock that was set back takes the departures along, or all who follow would sleep for as long."""
        now = self._now()
        back = self._latest - now
        if back > timedelta(0):
            for _, left in self._limits:
                left.extend([one - back for one in left])
        self._latest = now
        return now

    @staticmethod
    def _free(limit: Limit, left: deque[datetime], now: datetime) -> datetime:
        if len(left) < limit.requests:
            return now
        window = timedelta(seconds=limit.window_s)
        # A clock that stands still must not make us sleep for ever: all who wait fit into the next two windows.
        return min(left[0] + window, now + 2 * window)


class AccountPace:
    """One account's throttle, and how many requests may be under way at once."""

    def __init__(
        self,
        limits: Sequence[Limit],
        concurrent: int,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self.concurrent = concurrent
        self._throttle = Throttle(limits, now, sleep)
        self._slots = threading.BoundedSemaphore(concurrent)

    @contextmanager
    def turn(self, path: str) -> Iterator[None]:
        """One request's turn; it may leave when the block begins."""
        with self._slots:
            self._throttle.wait(path)
            yield


def shared(ports: Ports, account: str, limits: Sequence[Limit], concurrent: int) -> Pace:
    """The pace of everybody in this process who speaks with the account; without `ports.paces`, one of its own."""

    def made() -> Pace:
        return AccountPace(limits, concurrent, ports.now, ports.sleep)

    return made() if ports.paces is None else ports.paces.of(account, made)


class ProcessPaces:
    """The contract's paces, for one process."""

    def __init__(self) -> None:
        self._paces: dict[str, Pace] = {}
        self._lock = threading.Lock()

    def of(self, account: str, make: Callable[[], Pace]) -> Pace:
        """The account's pace, made at its first mention."""
        with self._lock:
            if account not in self._paces:
                self._paces[account] = make()
            return self._paces[account]
