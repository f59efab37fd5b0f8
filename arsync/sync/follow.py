"""Follow: when a ledger is due again, for a process that stays."""

from datetime import datetime, timedelta

from arsync.store import office, runs
from arsync.store.office import Ledger
from arsync.sync.connect import House

_TOGETHER = timedelta(seconds=15)  # changes come in bursts: one pull for all of them


def due(house: House, ledger: Ledger, every: timedelta) -> bool:
    """Whether a ledger has waited long enough, or something changed there and the burst is over."""
    now = house.clock()
    with house.store.read() as conn:
        last = runs.latest(conn, ledger.id)
        row = office.connection_row(conn, ledger.connection_id)
    if last is None or now - datetime.fromisoformat(last.started_at) >= every:
        return True
    return office.unheeded(row) and now - datetime.fromisoformat(last.started_at) >= _TOGETHER
