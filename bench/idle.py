"""What does a ledger cost at which nothing happens, and how much memory does a first load take?

    python -m bench idle

Idle: a furnished ledger with a hundred invoices, run again and again; the simulator counts the reads, the store is
compared row by row. A month: 31 nights of it. Changes: every invoice edited between two runs; list calls are the
queries and captures of that pull, without preferences and counts. Memory: 100,000 invoices are pulled over HTTP from
a simulator in another process and stored; the peak is that of the pulling process alone.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench.measure import Figure, say

MOST_READS, MOST_MIB = 3, 300
MOST_A_MONTH, CHANGED, MOST_LIST_CALLS = 100, 10_000, 12


def run(*, big: bool = False) -> list[Figure]:
    """Reads and rows of idle runs, and of a month of them; calls for many changes; peak memory of a first load."""
    say("idle ...")
    figures = idle()
    say("a month of nights ...")
    figures += month()
    say(f"{CHANGED:,} changed invoices ...")
    figures += changes()
    number = 1_000_000 if big else 100_000
    say(f"first load of {number:,} invoices ...")
    return figures + first_load(number)


def idle() -> list[Figure]:
    """Three runs on the day of the last change, one a day later."""
    with _furnished() as office:
        before, reads = office.rows(), []
        for wait_s in (60, 60, 60, 86_400, 60):
            office.clock.sleep(wait_s)
            asked = _asked_by(office, office.run)
            assert asked, "not even the change feed was read"
            reads.append((len(asked), sum("/reports/" in r.path for r in asked)))
        changed = office.changed_rows(before)
    plain = max(count for count, reports in reads if not reports)
    proving = max((count for count, reports in reads if reports), default=0)
    proofs = sum(reports for _, reports in reads)
    return [
        Figure("idle ledger: reads of a run", plain, "reads", MOST_READS, at_least=False),
        Figure(
            "idle ledger: reads of the day's run that proves", proving, "reads", MOST_READS, at_least=False
        ),
        Figure("idle ledger: proofs in 5 runs over a day", proofs, "", 1, at_least=False),
        Figure("idle ledger: tables with changed rows", len(changed), "", 0, at_least=False),
    ]


def month() -> list[Figure]:
    """31 nightly runs of an idle ledger."""
    with _furnished() as office:
        nights = []
        for _ in range(31):
            office.clock.pass_days(1)
            nights.append(len(_asked_by(office, office.run)))
        assert all(nights), "a night without a look"
    return [
        Figure("idle ledger: reads of a night", max(nights), "reads", MOST_READS, at_least=False),
        Figure("idle ledger: reads of a month of nights", sum(nights), "reads", MOST_A_MONTH, at_least=False),
    ]


def changes() -> list[Figure]:
    """One pull after every one of many invoices was edited."""
    from sqlalchemy import func, select

    from arsync.simulators.quickbooks import BulkInvoice
    from arsync.store.tables import item

    with _furnished(invoices=0) as office:
        owners = [office.customer(f"Customer {n:03d}") for n in range(500)]
        made = office.keeper.add_invoices(
            BulkInvoice(owners[n % 500], 100 + n, "2026-11-01", "2026-12-01", f"B{n}") for n in range(CHANGED)
        )
        office.run()
        office.clock.pass_days(1)
        for number in made:
            office.clock.sleep(0.2)
            office.keeper.edit("Invoice", number, DueDate="2026-12-24")
        office.clock.sleep(600)
        statements, asked = _pulled(office)
        with office.store.read() as conn:
            moved = conn.execute(
                select(func.count()).select_from(item).where(item.c.due == date(2026, 12, 24))
            ).scalar_one()
    assert moved == CHANGED
    lists = [x for x in statements if x.startswith("SELECT *") and "FROM Preferences" not in x]
    captures = sum("/cdc" in r.path for r in asked)
    assert len(statements) + captures == len(asked)
    return [
        Figure(
            f"{CHANGED:,} changed invoices: list calls",
            len(lists) + captures,
            "calls",
            MOST_LIST_CALLS,
            at_least=False,
        ),
        Figure("  all reads of that pull", len(asked), "reads"),
    ]


def _pulled(office: Any) -> tuple[list[str], list[Any]]:
    """One pull: the statements it asked, and all its requests."""
    from arsync.sync.pull import pull as pull_all

    job, statements = office.job(), []
    company = job.connector._company  # noqa: SLF001 - what is asked is seen nowhere else
    real = company.query
    company.query = lambda statement: statements.append(statement) or real(statement)
    asked = _asked_by(office, lambda: pull_all(job))
    job.connector.close()
    return statements, asked


@contextmanager
def _furnished(invoices: int = 100) -> Iterator[Any]:
    """An office at rest."""
    from tests.worlds.office import make_office, served_platform

    with served_platform() as platform, tempfile.TemporaryDirectory(prefix="arsync-bench-") as name:
        folder = Path(name)
        office = make_office(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)
        office.mode("auto")
        owners = [office.customer(f"Customer {n}") for n in range(10)]
        for n in range(invoices):
            office.invoice(owners[n % 10], f"{100 + n}.00", f"INV-{n:04d}")
        office.run_until_idle()
        yield office
        office.store.close()


def _asked_by(office: Any, work: Callable[[], object]) -> list[Any]:
    """The reads that some work costs."""
    office.simulator.requests.clear()
    work()
    return [r for r in office.simulator.requests if not r.path.startswith("/oauth2/")]


def first_load(number: int) -> list[Figure]:
    """Pull from a simulator in another process, in a process of its own."""
    made = in_processes("bench.idle", number)
    assert made["invoices"] == number
    return [
        Figure(
            f"first load of {number:,} invoices: peak memory",
            made["peak_mib"],
            "MiB",
            MOST_MIB,
            at_least=False,
        ),
        Figure("  memory before it began", made["before_mib"], "MiB"),
        Figure("  pulled over HTTP and stored", number / made["took_s"], "invoices/s"),
    ]


def in_processes(module: str, number: int) -> dict[str, Any]:
    """What the puller of a bench tells, its simulator being served by another process."""
    with tempfile.TemporaryDirectory(prefix="arsync-bench-") as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", module, "serve", str(number)], stdout=subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            puller = [sys.executable, "-m", module, "pull", folder, json.dumps(told)]
            made: dict[str, Any] = json.loads(
                subprocess.run(puller, check=True, stdout=subprocess.PIPE).stdout
            )
        finally:
            server.kill()
            server.wait()
            if server.stdout is not None:
                server.stdout.close()
    return made


def serve(number: int) -> None:
    """The simulator's process: books with `number` invoices; tells its address and tokens, then waits to be ended."""
    from arsync.simulators.quickbooks import BulkInvoice, QuickBooksSimulator

    simulator = QuickBooksSimulator(clock=lambda: datetime.now(UTC))
    books = simulator.add_company("1", name="Large").books
    customers = [books.create_customer(f"Customer {n:04d}")["Id"] for n in range(1_000)]
    books.add_invoices(
        BulkInvoice(customers[n % 1_000], 100 + n, "2026-01-05", "2026-02-04", f"B{n}") for n in range(number)
    )
    access, refresh = simulator.grant("1")
    with simulator.serve() as url:
        told = {
            "url": url,
            "tokens": [access, refresh],
            "client": [simulator.client_id, simulator.client_secret],
        }
        print(json.dumps(told), flush=True)
        while True:
            time.sleep(1)


def pull(folder: Path, told: dict) -> None:
    """The puller's process: an installation in `folder`, one first load."""
    from datetime import timedelta

    from cryptography.fernet import Fernet
    from sqlalchemy import func, select

    from arsync import migrations
    from arsync.connectors.contract import Tokens
    from arsync.connectors.quickbooks import QuickBooksSettings
    from arsync.store import office
    from arsync.store.engine import Store
    from arsync.store.tables import item
    from arsync.store.vault import Vault
    from arsync.sync import connect
    from arsync.sync.pull import pull as pull_all

    store, url = Store(f"sqlite:///{folder / 'arsync.sqlite'}"), told["url"]
    migrations.upgrade(store)
    house = connect.House(
        store,
        Vault([Fernet.generate_key()]),
        lambda: datetime.now(UTC),
        time.sleep,
        lambda _: tuple(told["client"]),
    )
    with store.begin() as conn:
        ada = office.add_person(conn, "Ada", "admin", house.at())
    settings = QuickBooksSettings("1", url, f"{url}/oauth2/v1/tokens/bearer", f"{url}/connect/oauth2")
    connection_id = connect.add_connection(house, "quickbooks", "quickbooks", settings, ada)
    now = house.clock()
    tokens = Tokens(*told["tokens"], now + timedelta(minutes=55), now + timedelta(days=100))
    connect.keep_tokens(house, connection_id, tokens)
    ledger, _ = connect.add_ledger(house, connection_id, "books", ada)
    job, _ = connect.job_of(house, ledger, lambda _step, _text: None)
    before_mib, began = peak_mib(), time.perf_counter()
    pull_all(job)
    took_s = time.perf_counter() - began
    with store.read() as conn:
        invoices = conn.execute(select(func.count()).select_from(item)).scalar_one()
    store.close()
    made = {"invoices": invoices, "took_s": took_s, "before_mib": before_mib, "peak_mib": peak_mib()}
    print(json.dumps(made))


def peak_mib() -> float:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        pull(Path(sys.argv[2]), json.loads(sys.argv[3]))
