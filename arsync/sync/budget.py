"""The month's reads of a connection: how many are left, and which may wait.

Platforms charge or limit reads by the month. Necessary, whatever the budget says: the pull and the proof of a run
that has something to decide, to write or to verify; one look a day; what a person asks for; confirming a deletion.
Optional: looks at books where nothing waits here, also those a webhook asks for; asking which documents stand
behind a difference; the look of `arsync doctor --ask`.

Law     from 80 % of the budget optional looks come at most every four hours; from 95 % once a day, and the other
        optional reads stop. A month begins at midnight UTC.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from arsync.clock import Clock
from arsync.store import office, outbox, runs
from arsync.store.engine import Tx
from arsync.store.office import Ledger
from arsync.sync import intake
from arsync.sync.connect import House

SLOW_PERCENT, STOP_PERCENT = 80, 95
_SLOW, _DAILY = timedelta(hours=4), timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Budget:
    """Reads of one connection this month."""

    used: int
    allowed: int

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


def budget_of(conn: Tx, connection_id: int, allowed: int, clock: Clock) -> Budget:
    """What this month has used."""
    platform = office.connection_row(conn, connection_id).platform
    counts = office.metered(conn, connection_id, office.month_of(clock))
    return Budget(counts.get(f"{platform}.read", 0), allowed)


def rests(house: House, ledger: Ledger, inbox: Path) -> str:
    """Why a scheduled run of this ledger may wait; empty when it should go on."""
    with house.store.read() as conn:
        budget = budget_of(conn, ledger.connection_id, house.monthly_reads, house.clock)
        if not budget.look_every or outbox.has_open(conn, ledger.id):
            return ""
        last = runs.latest(conn, ledger.id, outcome="done")
        if last is None:
            return ""
        following = datetime.fromisoformat(last.started_at) + budget.look_every
        if following <= house.clock() or intake.has_news(conn, inbox):
            return ""
    return (
        f"{budget.percent} % of the month's {budget.allowed:,} reads are used: nothing waits here, "
        f"the next look is at {following:%Y-%m-%d %H:%M} UTC"
    )
