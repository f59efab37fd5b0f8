"""Follow: when a ledger is due again, and when it may wait because the month's reads run out."""

from datetime import datetime, timedelta
from pathlib import Path

from arsync.store import office, outbox, runs
from arsync.store.office import Ledger
from arsync.sync import intake
from arsync.sync.budget import budget_of
from arsync.sync.connect import House

_TOGETHER = timedelta(seconds=10)  # changes come in bursts: one pull for all of them


def due(house: House, ledger: Ledger, every: timedelta) -> bool:
    """Whether a ledger has waited long enough, or something changed there and the burst is over."""
    now = house.clock()
    with house.store.read() as conn:
        last = runs.latest(conn, ledger.id)
        row = office.connection_row(conn, ledger.connection_id)
    if last is None or now - datetime.fromisoformat(last.started_at) >= every:
        return True
    return office.unheeded(row) and now - datetime.fromisoformat(last.started_at) >= _TOGETHER


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
