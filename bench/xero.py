"""What does Xero cost in calls, and a large organisation in memory?

    python -m bench xero

Changes: every one of 10,000 invoices edited between two runs; list calls are those for invoices. Sweep: 100,000 open
invoices served by a simulator in another process, loaded first, then a night later with nothing changed: the calls that
list open invoices, and all calls of that round. The peak of memory is that of the pulling process alone, over both.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.idle import MOST_LIST_CALLS, MOST_MIB, in_processes, peak_mib
from bench.measure import Figure, say

_NIGHT = timedelta(hours=21)
_SETTLED = timedelta(hours=1)  # the books were not written within the overlap of the first load
CHANGED, SWEPT, MOST_SWEEP_CALLS = 10_000, 100_000, 110


def run(*, big: bool = False) -> list[Figure]:
    """Calls for many changes; calls, memory and rows of a sweep. `big` changes nothing: Xero refuses larger lists."""
    del big
    say(f"{CHANGED:,} changed invoices on Xero ...")
    figures = changes()
    say(f"{SWEPT:,} invoices swept ...")
    return figures + sweep()


def changes() -> list[Figure]:
    """One pull after every one of many invoices was edited."""
    from sqlalchemy import func, select

    from arsync.simulators.xero.bookkeeper import BulkInvoice
    from arsync.store.tables import item

    with _furnished() as office:
        owners, today = [office.customer(f"Customer {n:03d}") for n in range(500)], office.today()
        rows = [BulkInvoice(owners[n % 500], 100 + n, today, today, f"B{n}") for n in range(CHANGED)]
        made = office.keeper.add_invoices(rows)
        office.run()
        office.clock.sleep(3_600)
        for number in made:
            office.clock.sleep(0.2)
            office.keeper.edit(number, Reference="edited")
        office.clock.sleep(600)
        office.simulator.switches.rate_limits = True
        office.simulator.requests.clear()
        job = office.job()
        from arsync.sync.pull import pull as pull_all

        pull_all(job)
        job.connector.close()
        asked = office.simulator.requests
        with office.store.read() as conn:
            where = item.c.reference == "edited"
            moved = conn.execute(select(func.count()).select_from(item).where(where)).scalar_one()
    assert moved == CHANGED
    lists = [r for r in asked if r.path == "/Invoices" and "If-Modified" not in r.query]
    limited = [r for r in asked if r.status == 429]
    what = f"{CHANGED:,} invoices changed on Xero"
    return [
        Figure(f"{what}: list calls", len(lists), "calls", MOST_LIST_CALLS, at_least=False),
        Figure("  all calls of that pull", len(asked), "calls"),
        Figure("  told to slow down", len(limited), "times", 0, at_least=False),
    ]


@contextmanager
def _furnished() -> Iterator[Any]:
    from tests.worlds.xero_office import make_xero_office, served_xero

    with served_xero() as platform, tempfile.TemporaryDirectory(prefix="arsync-bench-") as name:
        folder = Path(name)
        office = make_xero_office(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)
        yield office
        office.store.close()


def sweep() -> list[Figure]:
    """A first load, and the nightly round that sweeps."""
    made = in_processes("bench.xero", SWEPT)
    assert made["invoices"] == SWEPT
    what = f"{SWEPT:,} open invoices on Xero"
    return [
        Figure(f"{what}: calls that sweep", made["sweeping"], "calls", MOST_SWEEP_CALLS, at_least=False),
        Figure("  all calls of that night's round", made["calls"], "calls"),
        Figure("  calls of the first load", made["first_calls"], "calls"),
        Figure("  peak memory", made["peak_mib"], "MiB", MOST_MIB, at_least=False),
        Figure("  rows written by the sweep", made["written"], "", 0, at_least=False),
        Figure("  pulled over HTTP and stored", SWEPT / made["took_s"], "invoices/s"),
    ]


def serve(number: int) -> None:
    """The simulator's process: tells its address and tokens, then waits to be ended."""
    from arsync.simulators.xero import Switches, XeroSimulator
    from arsync.simulators.xero.bookkeeper import BulkInvoice

    switches = Switches(
        rate_limits=False
    )  # a minute's limit would make the bench wait, not the figures differ
    simulator = XeroSimulator(clock=lambda: datetime.now(UTC), switches=switches)
    tenant, app = simulator.add_organisation("Large"), simulator.add_app("bench")
    owners = [tenant.books.contact(f"Customer {n:04d}")["ContactID"] for n in range(1_000)]
    today = datetime.now(UTC).date()
    tenant.books.add_invoices(
        BulkInvoice(owners[n % 1_000], 100 + n, today, today, f"B{n}") for n in range(number)
    )
    granted = simulator.grant(app, tenant.organisation.id)
    with simulator.serve() as url:
        tokens = [granted["access_token"], granted["refresh_token"]]
        told = {"url": url, "tenant": tenant.organisation.id, "tokens": tokens}
        print(json.dumps({**told, "client": [app.client_id, app.client_secret]}), flush=True)
        while True:
            time.sleep(1)


def _installed(folder: Path, told: dict[str, Any], clock: Callable[[], datetime]) -> tuple[Any, Any]:
    """An installation in a folder, signed in: its house and its ledger."""
    from cryptography.fernet import Fernet

    from arsync import migrations
    from arsync.connectors.contract import Tokens
    from arsync.connectors.xero import connector as xero
    from arsync.store import office
    from arsync.store.engine import Store
    from arsync.store.vault import Vault
    from arsync.sync import connect
    from tests.worlds.xero_office import settings

    xero._LIMITS = ()  # noqa: SLF001 - the pace is not what is measured
    store = Store(f"sqlite:///{folder / 'arsync.sqlite'}")
    migrations.upgrade(store)
    vault, client = Vault([Fernet.generate_key()]), tuple(told["client"])
    house = connect.House(store, vault, clock, time.sleep, lambda _: client)
    with store.begin() as conn:
        ada = office.add_person(conn, "Ada", "admin", house.at())
    given = settings(told["url"], told["tenant"])
    connection_id = connect.add_connection(house, "xero", "xero", given, ada)
    connect.keep_tokens(house, connection_id, Tokens(*told["tokens"], house.clock() + timedelta(minutes=25)))
    return house, connect.add_ledger(house, connection_id, "books", ada)[0]


def pull(folder: Path, told: dict[str, Any]) -> None:
    """The puller's process: an installation in `folder`, one first load, one sweep a night later.

    What was changed within the five minutes before a load is read twice; here nothing was.
    """
    from sqlalchemy import func, select

    from arsync.store import office
    from arsync.store.tables import item
    from arsync.sync import connect
    from arsync.sync.pull import pull as pull_all

    later = timedelta()
    house, ledger = _installed(folder, told, lambda: datetime.now(UTC) + later)
    store = house.store
    months = {f"{house.clock() + wait:%Y-%m}" for wait in (timedelta(), _SETTLED, _SETTLED + _NIGHT)}

    def pulled() -> tuple[int, Any]:
        """Calls so far, after one more pull, and what it kept."""
        job, meter = connect.job_of(house, ledger, lambda _step, _text: None)
        kept = pull_all(job)
        job.connector.close()
        meter.keep()
        with store.read() as conn:
            counts = [
                office.metered(conn, ledger.connection_id, month).get("xero.read", 0) for month in months
            ]
        return sum(counts), kept

    def pass_time(wait: timedelta) -> None:
        """On both clocks."""
        nonlocal later
        later += wait
        urlopen(
            Request(f"{told['url']}/_control/clock", json.dumps({"advance_s": wait.total_seconds()}).encode())
        ).close()

    pass_time(_SETTLED)
    began = time.perf_counter()
    first_calls, _ = pulled()
    took_s = time.perf_counter() - began
    pass_time(_NIGHT)
    sweeping = _sweeping()
    calls, kept = pulled()
    calls -= first_calls
    with store.read() as conn:
        invoices = conn.execute(select(func.count()).select_from(item)).scalar_one()
    store.close()
    facts = {"invoices": invoices, "took_s": took_s, "first_calls": first_calls, "calls": calls}
    print(json.dumps({**facts, "sweeping": len(sweeping), "written": kept.total, "peak_mib": peak_mib()}))


def _sweeping() -> list[str]:
    """Grows by one with each call, from now on, that lists open invoices whether they changed or not."""
    from arsync.connectors.xero.wire import Tenant

    asked, read = [], Tenant.read

    def counting(self: Any, path: str, params: Any = None, since: Any = None) -> Any:
        if params and "Statuses" in params:
            asked.append(path)
        return read(self, path, params, since)

    Tenant.read = counting  # type: ignore[method-assign]
    return asked


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        pull(Path(sys.argv[2]), json.loads(sys.argv[3]))
