"""What does a ledger cost at which nothing happens, and how much memory does a first load take?

    python -m bench idle

Idle: a furnished ledger with a hundred invoices, run again and again; the simulator counts the reads, the store is
compared row by row. Memory: 100,000 invoices are pulled over HTTP from a simulator in another process and stored; the
peak is that of the pulling process alone.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Figure, say

MOST_READS, MOST_MIB = 3, 300


def run(*, big: bool = False) -> list[Figure]:
    """Reads and rows of idle runs; peak memory of a first load."""
    say("idle ...")
    figures = idle()
    number = 1_000_000 if big else 100_000
    say(f"first load of {number:,} invoices ...")
    return figures + first_load(number)


def idle() -> list[Figure]:
    """Three runs on the day of the last change, one a day later."""
    from tests.worlds.office import make_office, served_platform

    with served_platform() as platform, tempfile.TemporaryDirectory(prefix="arsync-bench-") as name:
        folder = Path(name)
        office = make_office(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)
        office.mode("auto")
        owners = [office.customer(f"Customer {n}") for n in range(10)]
        for n in range(100):
            office.invoice(owners[n % 10], f"{100 + n}.00", f"INV-{n:04d}")
        office.run_until_idle()
        before, reads = office.rows(), []
        for wait_s in (60, 60, 60, 86_400, 60):
            office.clock.sleep(wait_s)
            platform.simulator.requests.clear()
            office.run()
            asked = [r for r in platform.simulator.requests if not r.path.startswith("/oauth2/")]
            assert asked, "not even the change feed was read"
            reads.append((len(asked), sum("/reports/" in r.path for r in asked)))
        changed = office.changed_rows(before)
        office.store.close()
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


def first_load(number: int) -> list[Figure]:
    """Pull from a simulator in another process, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="arsync-bench-") as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "bench.idle", "serve", str(number)], stdout=subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            puller = [sys.executable, "-m", "bench.idle", "pull", folder, json.dumps(told)]
            made = json.loads(subprocess.run(puller, check=True, stdout=subprocess.PIPE).stdout)
        finally:
            server.kill()
            server.wait()
            if server.stdout is not None:
                server.stdout.close()
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
    before_mib, began = _peak_mib(), time.perf_counter()
    pull_all(job)
    took_s = time.perf_counter() - began
    with store.read() as conn:
        invoices = conn.execute(select(func.count()).select_from(item)).scalar_one()
    store.close()
    made = {"invoices": invoices, "took_s": took_s, "before_mib": before_mib, "peak_mib": _peak_mib()}
    print(json.dumps(made))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        pull(Path(sys.argv[2]), json.loads(sys.argv[3]))
