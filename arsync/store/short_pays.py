"""What short payments are made of: the money of a time, what it settled, and what was left of it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select

from arsync.store import bulk
from arsync.store.decisions import IN_THE_BOOKS
from arsync.store.tables import application, bank_line, customer, decision_line, item, receipt

_GIVEN_UP = ("small_difference", "write_off")


class Paid(NamedTuple):
    """A receipt that is in the books. Minor units of its currency."""

    receipt_id: int
    customer_id: int
    customer: str
    currency: str
    left_minor: int  # what stayed open, at the end of that day, of the items it pays
    deducted_minor: int
    given_up_minor: int  # small differences and write-offs


def paid(conn: Connection, ledger_id: int, since: date) -> list[Paid]:
    """Every receipt of a customer from a day on whose payment stands in the books."""
    r = receipt.c
    query = (
        select(r.id, r.on_date, r.currency, r.payment_id, r.decision_id, item.c.customer_id, customer.c.name)
        .join(item, (item.c.ledger_id == r.ledger_id) & (item.c.id == r.payment_id))
        .join(bank_line, bank_line.c.id == r.bank_line_id)
        .outerjoin(customer, (customer.c.ledger_id == r.ledger_id) & (customer.c.id == item.c.customer_id))
        .where(
            r.ledger_id == ledger_id,
            r.on_date >= since,
            r.state.in_(IN_THE_BOOKS),
            bank_line.c.superseded_by.is_(None),
        )
        .order_by(r.id)
    )
    rows = conn.execute(query).all()
    settled = _settled_by(conn, ledger_id, {row.payment_id for row in rows})
    moves = _moves(conn, ledger_id, {i for items in settled.values() for i in items})
    given_up = _given_up(conn, ledger_id, {row.decision_id for row in rows if row.decision_id is not None})
    return [
        Paid(
            row.id,
            row.customer_id,
            row.name or "",
            row.currency,
            sum(_left(moves[i], row.on_date) for i in settled[row.payment_id]),
            given_up[row.decision_id]["deduction"],
            sum(given_up[row.decision_id][kind] for kind in _GIVEN_UP),
        )
        for row in rows
    ]


class _Moves(NamedTuple):
    original_minor: int
    settled: list[tuple[date, int]]


def _settled_by(conn: Connection, ledger_id: int, payment_ids: Iterable[int]) -> dict[int, set[int]]:
    """The items that each payment settles something of."""
    columns = ("item_id", "other_id", "amount_minor")
    rows = bulk.rows_by(
        conn, application, columns, "other_id", sorted(payment_ids), ledger_id=ledger_id, pays=False
    )
    sums: dict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        sums[row.other_id, row.item_id] += row.amount_minor
    found: dict[int, set[int]] = defaultdict(set)
    for (payment_id, item_id), minor in sums.items():
        if minor > 0:
            found[payment_id].add(item_id)
    return found


def _moves(conn: Connection, ledger_id: int, item_ids: Iterable[int]) -> dict[int, _Moves]:
    ids = sorted(item_ids)
    rows = bulk.rows_by(conn, item, ("id", "original_minor"), "id", ids, ledger_id=ledger_id, gone=False)
    found: dict[int, _Moves] = defaultdict(lambda: _Moves(0, []))
    found |= {row.id: _Moves(row.original_minor, []) for row in rows}
    columns = ("item_id", "on_date", "amount_minor")
    for row in bulk.rows_by(conn, application, columns, "item_id", ids, ledger_id=ledger_id):
        found[row.item_id].settled.append((row.on_date, row.amount_minor))
    return found


def _left(moves: _Moves, on: date) -> int:
    """What is open of an item at the end of a day."""
    return max(0, moves.original_minor - sum(minor for day, minor in moves.settled if day <= on))


def _given_up(conn: Connection, ledger_id: int, ids: Iterable[int]) -> dict[int | None, dict[str, int]]:
    """By decision and kind."""
    columns = ("decision_id", "kind", "amount_minor")
    found: dict[int | None, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in bulk.rows_by(conn, decision_line, columns, "decision_id", sorted(ids), ledger_id=ledger_id):
        found[row.decision_id][row.kind] += row.amount_minor
    return found
