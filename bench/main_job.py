"""10,000 open items x 2,000 receipts: from the store to decisions and back, beside the floor.

    python -m bench main_job

One ledger in `auto`, a warm process: `decide.look` (read, match, decide) and `decide.keep` (decisions, lines, bundles,
queue items, states, events, evidence, one transaction), in turns with `bench/floor.py` on a second store with the same
rows. Both stores are put back after each round. Of the receipts 62 % quote numbers in full and 8 % in part; 30 % pay
several items; names are cut and mistyped; every twentieth comes from a stranger and names nothing.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from json import dumps
from types import ModuleType
from typing import Any, cast

from arsync.connectors.contract import Connector, Page, Record, Ref
from arsync.core.items import Customer, OpenItem
from arsync.core.matching import decide as deciding
from arsync.core.matching import engine, record
from arsync.core.matching.snapshot import ReceiptRow, Snapshot
from arsync.core.money import Money
from arsync.store import audit, books, bulk, decisions, office, queues, work
from arsync.store.engine import Store
from arsync.store.tables import bank_account, bank_line, item, item_version, matched, receipt
from arsync.sync import decide
from arsync.sync.job import Job
from bench import floor
from bench.matching import TODAY, world
from bench.measure import Driver, Figure, say, stores, timed

USUAL = (10_000, 2_000, 200)  # items, receipts, customers
BIG = (1_000_000, 20_000, 20_000)
ROUNDS = 7
WANTED = 4.0
_AT = "2026-03-02T08:00:00.000000Z"
_STAGES: tuple[tuple[str, ModuleType | type, str], ...] = (
    ("read the ledger", work, "load"),
    ("match", engine.Batch, "match"),
    ("decide", deciding, "decide"),
    ("findings as text", record, "finding_to_text"),
    ("what is in the queue", decide, "_before"),
    ("keep evidence", decide, "_keep_evidence"),
    ("check what is spent", decisions, "refused"),
    ("keep decisions", decisions, "keep"),
    ("plan bundles", decide, "plan_bundles"),
    ("audit", audit, "record"),
    ("close queue items", queues, "close"),
    ("open queue items", queues, "open_items"),
    ("receipts' states", decisions, "move_receipts"),
)


def furnish(store: Store, snapshot: Snapshot) -> Job:
    """Put a snapshot into an empty store, the way the platform and the bank would have."""
    place = books.Place(1, 1, _AT)
    with store.begin() as conn:
        connection_id = office.add_connection(conn, "books", "quickbooks", {}, _AT)
        ledger = office.add_ledger(conn, "books", connection_id, "USD", _AT, by="Ada")
        office.set_ledger(conn, ledger.id, mode="auto")
        books.keep_page(conn, place, Page(tuple(_customer(c) for c in snapshot.customers)))
        books.keep_page(conn, place, Page(tuple(_item(i) for i in snapshot.items)))
        account = {
            "id": 1,
            "ledger_id": 1,
            "name": "main",
            "identifier": "1",
            "currency": "USD",
            "created_at": _AT,
        }
        bulk.insert(conn, bank_account, list(account), [tuple(account.values())])
        lines = [_line(r) for r in snapshot.receipts]
        bulk.insert(conn, bank_line, list(lines[0]), [tuple(line.values()) for line in lines])
        rows = [_receipt(r) for r in snapshot.receipts]
        bulk.insert(conn, receipt, list(rows[0]), [tuple(row.values()) for row in rows])
        bulk.analyze(conn, item, item_version, receipt, bank_line)
        ledger = office.find_ledger(conn, "books")
    noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    return Job(store, ledger, cast(Connector, None), lambda: noon, b"")


def _customer(row: Any) -> Record:
    return Record(Ref("customer", str(row.id)), str(row.id).encode(), Customer(row.name, currency="USD"))


def _item(row: Any) -> Record:
    amount = Money(row.original_minor, row.currency)
    value = OpenItem(str(row.customer_id), row.kind, row.issued, row.due, amount, amount, row.number)
    return Record(Ref("item", f"Invoice:{row.id}"), f"invoice {row.id}".encode(), value)


def _line(row: ReceiptRow) -> dict[str, Any]:
    return {
        "id": row.id, "bank_account_id": 1, "statement_id": 1, "file_sha": bytes(32), "locator": str(row.id),
        "key": str(row.id), "occurrence": 1, "booking_date": row.on, "amount_minor": row.amount_minor,
        "currency": row.currency, "payer_name": row.payer_name, "payer_account": row.payer_account,
        "text": row.texts[0], "body": "{}", "is_return": False,
    }  # fmt: skip


def _receipt(row: ReceiptRow) -> dict[str, Any]:
    names = (
        "creditor_reference", "end_to_end_id", "bank_reference", "cheque_number", "original_reference", "return_reason",
    )  # fmt: skip
    return {
        "ledger_id": 1, "id": row.id, "bank_line_id": row.id, "part": 0, "on_date": row.on, "currency": row.currency,
        "amount_minor": row.amount_minor, "payer_name": row.payer_name, "payer_account": row.payer_account,
        "texts": dumps({"texts": row.texts} | {name: getattr(row, name) for name in names}), "is_return": False,
        "proven": True, "state": "undecided", "hands_off": False, "version": 1,
    }  # fmt: skip


def busy_day(items: int, receipts: int, customers: int) -> Snapshot:
    """The world of `bench.matching`, with strangers among its payers."""
    return with_strangers(world(items, receipts, customers))


def with_strangers(made: Snapshot) -> Snapshot:
    """The same, where every twentieth payer is nobody who is known and names nothing."""
    strangers = tuple(
        r._replace(payer_name=f"ZEPHYR VENTURES {r.id}", texts=("PAYMENT",)) if r.id % 20 == 0 else r
        for r in made.receipts
    )
    return replace(made, receipts=strangers)


def put_back(driver: Driver, tables: tuple[Any, ...]) -> None:
    """Undecide everything."""
    # Evidence stays on our side: what is kept by its hash would otherwise have to be told from the pages' records.
    floor.clear(driver, (*tables, matched))
    with driver.transaction():
        driver.connection.execute(
            "update receipt set state = 'undecided', decision_id = null, customer_id = null, version = 1"
        )
        driver.connection.execute("update item set version = 1")
    driver.tidy()


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Seconds per stage while the block runs."""
    spent: dict[str, float] = {name: 0.0 for name, _, _ in _STAGES}
    originals = [(module, attribute, getattr(module, attribute)) for _, module, attribute in _STAGES]
    for (name, module, attribute), (_, _, original) in zip(_STAGES, originals, strict=True):
        setattr(module, attribute, _watch(spent, name, original))
    yield spent
    for module, attribute, original in originals:
        setattr(module, attribute, original)


def _watch(spent: dict[str, float], name: str, original: Any) -> Any:
    def watch(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return original(*given, **named)
        finally:
            spent[name] += time.perf_counter() - began

    return watch


def main_job(job: Job) -> decide.Tally:
    """What is measured."""
    return decide.keep(job, decide.look(job))


def measure(name: str, ours: Store, theirs: Store, size: tuple[int, int, int], rounds: int) -> list[Figure]:
    """One database."""
    snapshot = busy_day(*size)
    job = furnish(ours, snapshot)
    furnish(theirs, snapshot)
    our, their = Driver(ours), Driver(theirs)
    tally = main_job(job)
    output = floor.output_of(their, our)
    assert sum(tally.number.values()) == size[1]
    assert tally.dropped == 0
    took, least = [], []
    keeps = {row[0] for row in their.rows(floor.raw)}
    for _ in range(rounds):
        put_back(our, floor.OUTPUTS[:-1])
        our.forget_raw(keeps)
        took.append(timed(lambda: main_job(job))[0])
        put_back(their, floor.OUTPUTS[:-1])
        their.forget_raw(keeps)
        least.append(timed(lambda: (floor.read(their), floor.write(their, output)))[0])
    put_back(our, floor.OUTPUTS[:-1])
    our.forget_raw(keeps)
    with watched() as spent:
        whole, _ = timed(lambda: main_job(job))
    again = _again(job, our)
    our.close()
    their.close()
    say(f"  {output.number:,} rows written; decided: {tally.number}")
    ratio = statistics.median(t / f for t, f in zip(took, least, strict=True))
    stages = [Figure(f"  {stage}", 1000 * seconds, "ms") for stage, seconds in spent.items()]
    rest = Figure("  the rest, with the commit", 1000 * (whole - sum(spent.values())), "ms")
    return [
        Figure(f"main job, {name}: beside the floor", ratio, "x", WANTED, at_least=False),
        Figure(f"main job, {name}", 1000 * statistics.median(took), "ms"),
        Figure(f"floor, {name}", 1000 * statistics.median(least), "ms"),
        *stages,
        rest,
        *(Figure(f"{what}, {name}", 1000 * seconds, "ms") for what, seconds in again.items()),
    ]


def _again(job: Job, driver: Driver) -> dict[str, float]:
    """Seconds of reading, matching and deciding what the main job left undecided, as it is and after one change."""
    change = "update item set open_minor = open_minor - 1 where id = (select min(id) from item where open_minor > 100)"
    found = {}
    for what, statement in (("match again, nothing changed", ""), ("match again, one item changed", change)):
        if statement:
            with driver.transaction():
                driver.connection.execute(statement)
        spent = []
        for _ in range(3):
            seconds, decided = timed(lambda: decide.look(job))
            spent.append(seconds)
        found[what] = statistics.median(spent)
        matched = sum(len(given.receipts) for given in decided.outcome.given)
        say(f"  {what}: {matched:,} of {len(decided.cases):,} receipts")
    return found


def run(*, big: bool = False) -> list[Figure]:
    """Both databases; `big` is a million open items and 20,000 receipts, once, on SQLite alone."""
    figures = []
    with stores(2) as each:
        for name, (ours, theirs) in each:
            if big and name != "SQLite":
                continue
            say(f"main job, {name} ...")
            figures += measure(name, ours, theirs, BIG if big else USUAL, 1 if big else ROUNDS)
    return figures
