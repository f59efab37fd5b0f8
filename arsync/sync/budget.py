"""The month's reads of a connection: how many are left, and which may wait.

Platforms charge or limit reads by the month. Necessary, whatever the budget says: the pull and the proof of a run
that has something to decide, to write or to verify; one look a day; what a person asks for; confirming a deletion.
Optional: looks at books where nothing waits here, also those a webhook asks for (`follow.rests`); asking which
documents stand behind a difference (`proof`); the look of `arsync doctor --ask`.

Law     from 80 % of the budget optional looks come at most every four hours; from 95 % once a day, and the other
        optional reads stop. A month begins at midnight UTC.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from arsync.clock import Clock
from arsync.config import app_name
from arsync.store import office
from arsync.store.engine import Tx

SLOW_PERCENT, STOP_PERCENT = 80, 95
_SLOW, _DAILY = timedelta(hours=4), timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Budget:
    """Reads of one connection this month."""

    used: int
    allowed: int
    app: str = ""  # whose `monthly_reads` says what is allowed

    @property
    def percent(self) -> int:
        """How much is used, rounded down."""
        return self.used * 100 // self.allowed

    @property
    def stops(self) -> bool:
        """Whether optional reads are over for this month."""
        return self.percent >= STOP_PERCENT

    @property
    def look_every(self) -> timedelta:
        """The least time between two optional looks."""
        if self.stops:
            return _DAILY
        return _SLOW if self.percent >= SLOW_PERCENT else timedelta(0)


def budget_of(conn: Tx, connection_id: int, allowed: Callable[[str], int], clock: Clock) -> Budget:
    """What this month has used; `allowed` says how many reads a connection of an app has."""
    row = office.connection_row(conn, connection_id)
    app = app_name(row.platform, json.loads(row.settings).get("app", ""))
    counts = office.metered(conn, connection_id, office.month_of(clock))
    return Budget(counts.get(f"{row.platform}.read", 0), allowed(app), app)
