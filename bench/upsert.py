"""How fast do pages of a platform reach the store, beside the raw driver writing the same rows?

    python -m bench upsert

100,000 invoices in pages of 1,000, each with its raw record of about 1.2 kB, through the production path: raw by
hash and compressed, platform ids, items, versions, open amounts. After each page the raw driver upserts (SQLite
executemany with "on conflict", PostgreSQL COPY and "insert ... on conflict") the rows that page became into a second
store with the same tables and indexes, and merely inserts them into a third. It finds them ready-made, with our ids;
hashing and compressing the page's raw records is timed apart, so that the ratio is given without and with it. Then
all pages again unchanged, then with a tenth changed.
"""

import json
import statistics
import time
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import text

from arsync.connectors.contract import Page, Record, Ref
from arsync.core.items import Customer, ItemKind, OpenItem
from arsync.core.money import Money
from arsync.store import books
from arsync.store.engine import Store
from arsync.store.raw import packed, sha
from arsync.store.tables import customer, external_ref, item, item_version, raw
from bench.measure import Driver, Figure, say, stores, timed

PAGE = 1_000
CUSTOMERS = 2_000
_DAY = date(2026, 1, 5)


def invoice(number: int, rng: Random, changed: int = 0) -> Record:
    """An invoice as QuickBooks states it; `changed` times edited."""
    owner, issued = str(rng.randrange(1, CUSTOMERS + 1)), _DAY + timedelta(days=number % 300)
    amount = Money(rng.randrange(50_00, 90_000_00), "USD")
    due = issued + timedelta(days=30 + 7 * changed)
    line = {
        "Id": "1",
        "LineNum": 1,
        "Description": f"Delivery {rng.randrange(10**8):08d}, contract {rng.randrange(10**5)}, as agreed",
        "Amount": amount.text(),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {
            "ItemRef": {"value": str(rng.randrange(400)), "name": f"Product {rng.randrange(400)}"},
            "UnitPrice": amount.text(),
            "Qty": 1,
            "TaxCodeRef": {"value": "NON"},
        },
    }
    address = {
        "Id": str(rng.randrange(10**6)),
        "Line1": f"{rng.randrange(9999)} Harbor Street",
        "City": "Bayshore",
        "CountrySubDivisionCode": "CA",
        "PostalCode": f"94{rng.randrange(1000):03d}",
    }
    body = {
        "domain": "QBO",
        "sparse": False,
        "Id": str(number),
        "SyncToken": str(changed),
        "MetaData": {
            "CreateTime": f"{issued}T10:{number % 60:02d}:00-08:00",
            "LastUpdatedTime": f"{issued}T11:{number % 60:02d}:{changed:02d}-08:00",
        },
        "DocNumber": f"INV-{number:07d}",
        "TxnDate": issued.isoformat(),
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "Line": [
            line,
            {"Amount": amount.text(), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
        ],
        "CustomerRef": {"value": owner, "name": f"Customer {owner} Holdings"},
        "BillAddr": address,
        "ShipAddr": {**address, "Id": str(rng.randrange(10**6))},
        "SalesTermRef": {"value": "3"},
        "DueDate": due.isoformat(),
        "TotalAmt": amount.text(),
        "Balance": amount.text(),
        "BillEmail": {"Address": f"payables{owner}@example.com"},
        "PrintStatus": "NeedToPrint",
        "EmailStatus": "NotSet",
    }
    value = OpenItem(
        owner, ItemKind.INVOICE, issued, due, amount, amount, f"INV-{number:07d}", f"PO {number % 9973}", "3"
    )
    return Record(Ref("item", f"Invoice:{number}"), json.dumps(body, separators=(",", ":")).encode(), value)


def page(number: int, *, changed: bool = False) -> Page:
    """Page `number`; with `changed`, every tenth invoice was edited since."""
    first = number * PAGE + 1
    return Page(
        tuple(invoice(n, Random(n), changed=int(changed and n % 10 == 0)) for n in range(first, first + PAGE))
    )


def customers() -> Page:
    """The customers, one page."""
    return Page(
        tuple(
            Record(Ref("customer", str(n)), f'{{"Id":"{n}"}}'.encode(), Customer(f"Customer {n} Holdings"))
            for n in range(1, CUSTOMERS + 1)
        )
    )


def keep(store: Store, one: Page, second: int) -> tuple[float, int, int]:
    """Keep a page as production does: seconds, records written, and rows the database says were written."""
    place = books.Place(
        1, 1, f"2026-11-22T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000000Z"
    )

    began = time.perf_counter()
    with store.begin() as conn:
        looked_s, before = timed(lambda: _written(conn))
        records = books.keep_page(conn, place, one).total
        again_s, after = timed(lambda: _written(conn))
    return time.perf_counter() - began - looked_s - again_s, records, after - before


def _written(conn: Any) -> int:
    """Rows this connection (SQLite) or transaction (PostgreSQL) has inserted, updated or deleted."""
    if conn.dialect.name == "sqlite":
        return int(conn.connection.driver_connection.total_changes)
    found = conn.execute(
        text(
            "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_xact_user_tables "
            "where schemaname = 'public'"
        )
    )
    return int(found.scalar_one())


def rows_of(driver: Driver, first: int, last: int) -> list[tuple[Any, list[tuple[Any, ...]]]]:
    """What the items `first` to `last` became, table by table."""
    span = f"between {first} and {last}"
    used = f"sha in (select raw_sha from item where id {span})"
    return [
        (raw, driver.rows(raw, used)),
        (external_ref, driver.rows(external_ref, f"kind = 'item' and id {span}")),
        (item, driver.rows(item, f"id {span}")),
        (item_version, driver.rows(item_version, f"item_id {span}")),
    ]


def pages(number: int, *, changed: bool = False) -> Iterator[tuple[int, Page]]:
    """Pages one by one, made while nobody looks at the watch."""
    for n in range(number):
        yield n, page(n, changed=changed)


def measure(name: str, ours: Store, theirs: Store, bare: Store, number: int) -> list[Figure]:
    """All three loads on one database."""
    keep(ours, customers(), 0)
    reader, upserter, inserter = Driver(ours), Driver(theirs), Driver(bare)
    for writer in (upserter, inserter):
        _load(writer, [(table, reader.rows(table)) for table in (raw, customer, external_ref)])
    took, driver, floor, packing = [], [], [], []
    for n, one in pages(number):
        took.append(keep(ours, one, n + 1)[0])
        rows = rows_of(reader, n * PAGE + 1, (n + 1) * PAGE)
        assert [len(found) for _, found in rows] == [PAGE] * 4
        driver.append(timed(lambda rows=rows: _upsert(upserter, rows))[0])
        floor.append(timed(lambda rows=rows: _load(inserter, rows))[0])
        packing.append(timed(lambda one=one: _packed(one))[0])
    again = [keep(ours, one, number + n + 1) for n, one in pages(number)]
    edited = [keep(ours, one, 2 * number + n + 1) for n, one in pages(number, changed=True)]
    assert sum(records for _, records, _ in edited) == number * PAGE // 10
    for one in (reader, upserter, inserter):
        one.close()
    total = number * PAGE
    packs = [d + p for d, p in zip(driver, packing, strict=True)]
    return [
        Figure(f"upsert, {name}: new rows beside the raw driver's upsert", _ratio(driver, took), "x", 0.7),
        Figure(f"upsert, {name}: the same, when it hashes and compresses too", _ratio(packs, took), "x", 0.7),
        Figure(f"upsert, {name}: beside the raw driver's bare insert", _ratio(floor, took), "x"),
        Figure(f"upsert, {name}: new", total / sum(took), "invoices/s"),
        Figure(f"upsert, {name}: raw driver's upsert, four rows each", total / sum(driver), "invoices/s"),
        Figure(f"upsert, {name}: raw driver's insert, four rows each", total / sum(floor), "invoices/s"),
        Figure(f"upsert, {name}: again, unchanged", _rate(again), "invoices/s", 100_000),
        Figure(
            f"upsert, {name}: rows written for unchanged ones",
            sum(w for _, _, w in again),
            "",
            0,
            at_least=False,
        ),
        Figure(f"upsert, {name}: again, a tenth changed", _rate(edited), "invoices/s"),
    ]


Rows = list[tuple[Any, list[tuple[Any, ...]]]]


def _load(writer: Driver, rows: Rows) -> None:
    with writer.transaction():
        for table, found in rows:
            writer.insert(table, found)


def _upsert(writer: Driver, rows: Rows) -> None:
    with writer.transaction():
        for table, found in rows:
            writer.upsert(table, found)


def _packed(one: Page) -> list[tuple[bytes, bytes]]:
    bodies = [record.raw for record in one.records]
    return list(zip(map(sha, bodies), packed(bodies), strict=True))


def _ratio(theirs: list[float], ours: list[float]) -> float:
    return statistics.median(t / o for t, o in zip(theirs, ours, strict=True))


def _rate(pages_kept: list[tuple[float, int, int]]) -> float:
    return PAGE / statistics.median(took for took, _, _ in pages_kept)


def run(*, big: bool = False) -> list[Figure]:
    """Both databases; `big` is a million invoices, on SQLite alone."""
    figures = []
    with stores(3) as each:
        for name, (ours, theirs, bare) in each:
            if big and name != "SQLite":
                continue
            say(f"upsert, {name} ...")
            figures += measure(name, ours, theirs, bare, 1_000 if big else 100)
    return figures
