"""How often one may ask, and writes that are remembered: rate limits and idempotency keys.

Units   seconds of the simulator's clock.
Law     a remembered answer counts against the limits like any other; a limit that refuses counts nothing.
Source  limits and idempotency pages of Xero as quoted in public notes (2026).
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field

from arsync.simulators.xero.records import Switches
from arsync.simulators.xero.refusals import Refused, idempotency, throttled

DAY_S = 86_400
KEY_LENGTH = 128
KEY_LIFE_S = 6 * 60


@dataclass(slots=True)
class Meter:
    """What one application has used of one tenant."""

    resets_at: int  # second of the day at which the day's window starts anew
    recent: deque[int] = field(default_factory=deque)
    day: int = -1
    used_today: int = 0
    at_once: int = 0
    egress: dict[str, int] = field(default_factory=dict)  # bytes by UTC day

    def roll(self, now_s: int) -> None:
        """Forget what is past."""
        while self.recent and self.recent[0] <= now_s - 60:
            self.recent.popleft()
        day = (now_s - self.resets_at) // DAY_S
        if day != self.day:
            self.day, self.used_today = day, 0


def check(meter: Meter, app_recent: deque[int], switches: Switches, now_s: int) -> None:
    """Count one request, or refuse it."""
    meter.roll(now_s)
    while app_recent and app_recent[0] <= now_s - 60:
        app_recent.popleft()
    if switches.rate_limits:
        if meter.at_once > switches.concurrent_limit:
            raise throttled("concurrent", None)
        if meter.used_today >= switches.day_limit:
            raise throttled("day", (meter.day + 1) * DAY_S + meter.resets_at - now_s)
        if len(meter.recent) >= switches.minute_limit:
            raise throttled("minute", meter.recent[0] + 60 - now_s)
        if len(app_recent) >= switches.app_minute_limit:
            raise throttled("appminute", app_recent[0] + 60 - now_s)
    meter.recent.append(now_s)
    app_recent.append(now_s)
    meter.used_today += 1


def headers(meter: Meter, app_recent: deque[int], switches: Switches) -> tuple[tuple[str, str], ...]:
    """What is left, on every answer."""
    return (
        ("X-DayLimit-Remaining", str(max(switches.day_limit - meter.used_today, 0))),
        ("X-MinLimit-Remaining", str(max(switches.minute_limit - len(meter.recent), 0))),
        ("X-AppMinLimit-Remaining", str(max(switches.app_minute_limit - len(app_recent), 0))),
    )


@dataclass(frozen=True, slots=True)
class Remembered:
    """A request and what it was answered."""

    request: str
    first_s: int
    status: int
    body: bytes
    content_type: str


@dataclass(slots=True)
class Memory:
    """Idempotency keys of all applications."""

    known: dict[str, Remembered] = field(default_factory=dict)

    def recall(self, scope: str, key: str, request: str, now_s: int, *, down: bool) -> Remembered | None:
        """The answer a key has had; None when it is new or forgotten."""
        if not key:
            return None
        if len(key) > KEY_LENGTH:
            raise idempotency(f"The Idempotency-Key is longer than {KEY_LENGTH} characters.")
        if down:
            raise Refused(500, b"The idempotency store is not available", "text/plain; charset=utf-8")
        known = self.known.get(f"{scope} {key}")
        if known is None or known.first_s + KEY_LIFE_S <= now_s:
            return None
        if known.request != request:
            raise idempotency(f"The Idempotency-Key {key} is used with a different request.")
        return known

    def keep(self, scope: str, key: str, answer: Remembered) -> None:
        """Remember an answer, an error too."""
        if key:
            self.known[f"{scope} {key}"] = answer


def fingerprint(method: str, tenant_id: str, path: str, body: bytes) -> str:
    """What makes two requests the same one."""
    return hashlib.sha256(f"{method} {tenant_id} {path} ".encode() + body).hexdigest()
