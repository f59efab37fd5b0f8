"""One holder of a ledger at a time, and a holder that lost its lock sends nothing."""

import pytest
from sqlalchemy import text

from arsync.errors import LedgerLocked
from arsync.store.lock import locked
from arsync.sync import write as writing
from tests.worlds.office import Line


def test_a_lock_is_given_back_however_its_holder_ends(office):
    with pytest.raises(RuntimeError), locked(office.store, "ledger-1"):
        raise RuntimeError
    with locked(office.store, "ledger-1"), pytest.raises(LedgerLocked), locked(office.store, "ledger-1"):
        pass
    with locked(office.store, "ledger-1"):
        pass


def test_who_lost_the_lock_sends_nothing_and_the_next_run_carries_on(office, monkeypatch):
    """The server ends the connection that holds the lock while a run is about to write (PostgreSQL)."""
    if office.store.is_sqlite:
        return  # the kernel keeps a flock for as long as the process lives
    customer = office.customer("Northwind Traders")
    office.invoice(customer, "250.00", "1001")
    office.mode("auto")
    office.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    touched = writing.touched

    def cut(wanted):
        with office.store.begin() as conn:
            others = "pid in (select pid from pg_locks where locktype = 'advisory')"
            conn.execute(text(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}"))
        return touched(wanted)

    monkeypatch.setattr(writing, "touched", cut)
    with pytest.raises(LedgerLocked, match="with it the lock"):
        office.run()
    assert office.payments() == []
    monkeypatch.undo()
    office.run_until_idle()
    assert len(office.payments()) == 1
    office.adds_up()
    office.agrees()
