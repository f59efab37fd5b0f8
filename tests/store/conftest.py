"""A store of each kind, at the newest revision, and small ways to put records into it."""

from collections.abc import Iterator
from datetime import date
from itertools import count

import pytest

from arsync import migrations
from arsync.connectors.contract import Page, Record, Ref
from arsync.core.items import AppliedLine, Customer, ItemKind, OpenItem, Payment
from arsync.core.money import Money
from arsync.store.books import Place
from arsync.store.engine import Store

DAY = date(2026, 10, 1)


def at(number: int) -> str:
    """The n-th instant of a test."""
    return f"2026-11-22T00:{number // 60:02d}:{number % 60:02d}.000000Z"


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def customer(external_id: str, name: str = "", **facts: object) -> Record:
    value = Customer(name or f"Customer {external_id}", **facts)
    return Record(Ref("customer", external_id), repr(value).encode(), value)


def invoice(number: int, owner: str, minor: int, stated: int | None = None, **facts: object) -> Record:
    values = {"issued": DAY, "due": DAY, "number": str(number), "kind": ItemKind.INVOICE, **facts}
    left = usd(minor if stated is None else stated)
    value = OpenItem(customer=owner, original=usd(minor), stated_open=left, **values)
    return Record(Ref("item", f"Invoice:{number}"), repr(value).encode(), value)


def paid(number: int, owner: str, total: int, lines: dict[str, int], on: date = DAY) -> Record:
    applied = tuple(AppliedLine(item, usd(minor)) for item, minor in lines.items())
    value = Payment(owner, on, usd(total), usd(total - sum(lines.values())), applied)
    return Record(Ref("payment", f"Payment:{number}"), repr(value).encode(), value)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    made = Store(store_url)
    migrations.upgrade(made)
    yield made
    made.close()


@pytest.fixture
def keep(store: Store):
    """Keep records (and what is gone) as the next page of connection 1, ledger 1."""
    from arsync.store import books

    ticks = count(1)

    def kept(*records: Record, gone: tuple = ()) -> books.Kept:
        with store.begin() as conn:
            return books.keep_page(conn, Place(1, 1, at(next(ticks))), Page(tuple(records), gone=gone))

    return kept
