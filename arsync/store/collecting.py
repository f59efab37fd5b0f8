"""Promises to pay, reminders on record, and which expected days we have said on the platform.

Law     nothing is deleted: a promise is superseded or withdrawn, a reminder stays.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from arsync.core.items import ItemKind
from arsync.core.promises import Moved
from arsync.store import bulk
from arsync.store.tables import (
    application,
    customer,
    decision,
    decision_line,
    item,
    item_expected,
    promise,
    receipt,
    reminder,
)

_PROMISE = (
    "ledger_id",
    "id",
    "item_id",
    "amount_minor",
    "by_date",
    "on_date",
    "said_by",
    "comment",
    "who",
    "at",
)
_REMINDER = ("ledger_id", "id", "item_id", "on_date", "level", "way", "who", "at")


@dataclass(frozen=True, slots=True)
class Said:
    """A promise as a person records it."""

    item_id: int
    amount_minor: int
    by: date
    on: date
    said_by: str
    comment: str


@dataclass(frozen=True, slots=True)
class Given:
    """A reminder as a person records it."""

    item_id: int
    on: date
    level: int
    way: str


# ---- promises


def promises(conn: Connection, ledger_id: int) -> list[Any]:
    """Every promise with what its item is now, oldest first."""
    return list(conn.execute(_with_item(promise, ledger_id).order_by(promise.c.id)))


def keep_promises(conn: Connection, ledger_id: int, said: Sequence[Said], who: str, at: str) -> list[int]:
    """Record promises; their ids."""
    ids = bulk.take_ids(conn, ledger_id, "promise", len(said))
    rows = [
        (ledger_id, i, one.item_id, one.amount_minor, one.by, one.on, one.said_by, one.comment, who, at)
        for i, one in zip(ids, said, strict=True)
    ]
    bulk.insert(conn, promise, _PROMISE, rows)
    return list(ids)


def supersede(conn: Connection, ledger_id: int, by: Mapping[int, int]) -> None:
    """Older promises are superseded by newer ones: older id to newer id."""
    rows = [(ledger_id, older, newer) for older, newer in by.items()]
    bulk.update(conn, promise, ("ledger_id", "id"), ("superseded_by",), rows)


def withdraw(conn: Connection, ledger_id: int, promise_id: int, who: str, why: str, at: str) -> None:
    """A promise does not count any more."""
    values = ("withdrawn_at", "withdrawn_by", "withdrawn_why")
    bulk.update(conn, promise, ("ledger_id", "id"), values, [(ledger_id, promise_id, at, who, why)])


def settled_since(conn: Connection, ledger_id: int) -> dict[int, list[Moved]]:
    """What the item of each promise has lost since it was recorded, by the day of the books."""
    query = (
        select(promise.c.id, application.c.on_date, func.sum(application.c.amount_minor))
        .join(
            application,
            and_(application.c.ledger_id == promise.c.ledger_id, application.c.item_id == promise.c.item_id),
        )
        .where(promise.c.ledger_id == ledger_id, application.c.known_at > promise.c.at)
        .group_by(promise.c.id, application.c.on_date)
        .order_by(promise.c.id, application.c.on_date)
    )
    found: dict[int, list[Moved]] = defaultdict(list)
    for promise_id, on, minor in conn.execute(query):
        found[promise_id].append(Moved(on, int(minor)))
    return found


# ---- money that has arrived and is not settled yet


def under_way(conn: Connection, ledger_id: int) -> dict[int, list[Moved]]:
    """What items lose by decisions that no pull has shown yet, on the day their money arrived."""
    query = (
        select(decision_line.c.item_id, decision_line.c.amount_minor, receipt.c.on_date, decision.c.at)
        .join(
            decision,
            and_(
                decision.c.ledger_id == decision_line.c.ledger_id,
                decision.c.id == decision_line.c.decision_id,
            ),
        )
        .outerjoin(
            receipt, and_(receipt.c.ledger_id == decision.c.ledger_id, receipt.c.id == decision.c.receipt_id)
        )
        .where(
            decision_line.c.ledger_id == ledger_id,
            decision_line.c.item_id.is_not(None),
            decision.c.state.in_(("asked", "planned")),
            decision.c.undoes_id.is_(None),
        )
    )
    found: dict[int, list[Moved]] = defaultdict(list)
    for row in conn.execute(query):
        on = row.on_date if row.on_date is not None else date.fromisoformat(row.at[:10])
        found[row.item_id].append(Moved(on, row.amount_minor))
    return found


def undecided(conn: Connection, ledger_id: int) -> dict[int, Any]:
    """Money that arrived and about which nothing is decided, by receipt."""
    query = select(
        receipt.c.id, receipt.c.on_date, receipt.c.currency, receipt.c.amount_minor, receipt.c.customer_id
    ).where(
        receipt.c.ledger_id == ledger_id,
        receipt.c.state.in_(("undecided", "waiting", "queued")),
        receipt.c.amount_minor > 0,
    )
    return {row.id: row for row in conn.execute(query)}


def unapplied(conn: Connection, ledger_id: int, customer_ids: Iterable[int]) -> list[Any]:
    """What customers have paid and nothing is settled with: customer, currency, day, how much (positive)."""
    query = (
        select(item.c.customer_id, item.c.currency, item.c.issued, (-item.c.open_minor).label("minor"))
        .where(
            item.c.ledger_id == ledger_id,
            item.c.kind == ItemKind.PAYMENT.value,
            item.c.gone.is_(False),
            item.c.open_minor < 0,
            bulk.among(conn, item.c.customer_id, customer_ids),
        )
        .order_by(item.c.issued, item.c.id)
    )
    return list(conn.execute(query))


# ---- reminders


def reminders(conn: Connection, ledger_id: int) -> list[Any]:
    """Every reminder with what its item is now, oldest first."""
    query = _with_item(reminder, ledger_id)
    return list(conn.execute(query.order_by(reminder.c.on_date, reminder.c.id)))


def keep_reminders(conn: Connection, ledger_id: int, given: Sequence[Given], who: str, at: str) -> list[int]:
    """Record reminders; their ids."""
    ids = bulk.take_ids(conn, ledger_id, "reminder", len(given))
    rows = [
        (ledger_id, i, one.item_id, one.on, one.level, one.way, who, at)
        for i, one in zip(ids, given, strict=True)
    ]
    bulk.insert(conn, reminder, _REMINDER, rows)
    return list(ids)


# ---- what the books expect


def expected(conn: Connection, ledger_id: int) -> dict[int, Any]:
    """The expected days that we have said, by item: on_date, before, decision_id."""
    query = select(item_expected).where(item_expected.c.ledger_id == ledger_id)
    return {row.item_id: row for row in conn.execute(query)}


def keep_expected(
    conn: Connection, ledger_id: int, item_id: int, on: date, before: date | None, decision_id: int
) -> None:
    """Remember which day we said, and what stood there before."""
    columns = ("ledger_id", "item_id", "on_date", "before", "decision_id")
    bulk.upsert(conn, item_expected, columns, [(ledger_id, item_id, on, before, decision_id)])


def forget_expected(conn: Connection, ledger_id: int, item_id: int) -> None:
    """What stands on the platform is not ours any more."""
    of_item = (item_expected.c.ledger_id == ledger_id) & (item_expected.c.item_id == item_id)
    conn.execute(item_expected.delete().where(of_item))


def _with_item(table: Any, ledger_id: int) -> Select[Any]:
    facts = (
        item.c.number,
        item.c.currency,
        item.c.open_minor,
        item.c.expected,
        item.c.customer_id,
        item.c.issued,
    )
    return (
        select(table, *facts, customer.c.name.label("customer"))
        .join(item, and_(item.c.ledger_id == table.c.ledger_id, item.c.id == table.c.item_id))
        .outerjoin(
            customer, and_(customer.c.ledger_id == item.c.ledger_id, customer.c.id == item.c.customer_id)
        )
        .where(table.c.ledger_id == ledger_id)
    )
