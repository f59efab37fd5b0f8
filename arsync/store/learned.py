"""What clerks' decisions taught: who pays for whom, since when, until when, and who said so.

Law     what is forgotten is not deleted: it ends today, and what was decided by it can be replayed.
"""

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from arsync.core.matching.habits import together
from arsync.core.matching.likelihood import Ways
from arsync.core.matching.snapshot import Alias, Habit, Knowledge
from arsync.errors import NotFound
from arsync.store import bulk
from arsync.store.tables import alias, customer, habit


def knowledge(conn: Connection, ledger_id: int, on: date) -> Knowledge:
    """Learned payers, oldest first, and how customers pay by what is remembered on a day."""
    query = (
        select(alias)
        .where(alias.c.ledger_id == ledger_id)
        .order_by(alias.c.since, alias.c.key, alias.c.customer_id)
    )
    return Knowledge(
        tuple(Alias(r.key, r.customer_id, r.confirmations, r.since, r.until) for r in conn.execute(query)),
        habits(conn, ledger_id, on),
    )


def habits(conn: Connection, ledger_id: int, on: date) -> tuple[Habit, ...]:
    """How each customer paid, of the confirmations that are remembered on a day."""
    h = habit.c
    query = select(h.customer_id, h.ways, h.taken, h["left"]).where(
        h.ledger_id == ledger_id, h.on_date <= on, h.until > on
    )
    rows = conn.execute(query.order_by(h.id))
    return together(Habit(r.customer_id, 1, Ways(*json.loads(r.ways)), r.taken, r.left) for r in rows)


def keep_habit(conn: Connection, ledger_id: int, seen: Habit, on: date, until: date, who: str) -> None:
    """Store how a customer paid once, as somebody confirmed it."""
    (number,) = bulk.take_ids(conn, ledger_id, "habit", 1)
    conn.execute(
        habit.insert().values(
            ledger_id=ledger_id, id=number, customer_id=seen.customer_id, on_date=on, until=until,
            ways=json.dumps([round(part, 6) for part in seen.ways]), taken=seen.taken, left=seen.left, taught_by=who,
        )
    )  # fmt: skip


def habit_teachers(
    conn: Connection, ledger_id: int, on: date
) -> dict[int, tuple[str, date, date, list[str]]]:
    """By customer: its name, the first and the last confirmation that is remembered, and who confirmed."""
    h = habit.c
    query = (
        select(h.customer_id, customer.c.name, h.on_date, h.taught_by)
        .outerjoin(customer, (customer.c.ledger_id == h.ledger_id) & (customer.c.id == h.customer_id))
        .where(h.ledger_id == ledger_id, h.on_date <= on, h.until > on)
        .order_by(h.id)
    )
    found: dict[int, tuple[str, date, date, list[str]]] = {}
    for row in conn.execute(query):
        name, first, _, people = found.get(row.customer_id, (row.name or "", row.on_date, row.on_date, []))
        found[row.customer_id] = (name, first, row.on_date, sorted({*people, row.taught_by}))
    return found


def forget_habit(conn: Connection, ledger_id: int, customer_id: int, on: date) -> int:
    """End what is remembered of how a customer pays; of how many payments.

    Raises:
        NotFound: nothing is remembered of it.
    """
    h = habit.c
    mine = (h.ledger_id == ledger_id) & (h.customer_id == customer_id) & (h.until > on)
    number = conn.execute(habit.update().where(mine).values(until=on)).rowcount
    if not number:
        raise NotFound("nothing is remembered of how this customer pays", do="see: arsync learned habits")
    return number


def keep(conn: Connection, ledger_id: int, before: Knowledge, after: Knowledge, who: str) -> None:
    """Store what somebody's decision taught."""
    old = set(before.aliases)
    news = [one for one in after.aliases if one not in old]
    known = {(row.key, row.customer_id, row.since): row for row in listing(conn, ledger_id)}
    kept = [known.get((one.key, one.customer_id, one.since)) for one in news]
    ids = iter(bulk.take_ids(conn, ledger_id, "alias", kept.count(None)))
    rows = [
        (
            ledger_id, one.key, one.customer_id, one.since, one.until, one.confirmations,
            row.id if row is not None else next(ids),
            json.dumps(sorted({who, *(teachers(row) if row is not None else ())})),
        )
        for one, row in zip(news, kept, strict=True)
    ]  # fmt: skip
    columns = ("ledger_id", "key", "customer_id", "since", "until", "confirmations", "id", "taught_by")
    bulk.upsert(conn, alias, columns, rows)


def listing(conn: Connection, ledger_id: int) -> list[Any]:
    """Everything that was ever learned, with the customer's name, newest first."""
    query = (
        select(alias, customer.c.name.label("customer"))
        .outerjoin(
            customer, (customer.c.ledger_id == alias.c.ledger_id) & (customer.c.id == alias.c.customer_id)
        )
        .where(alias.c.ledger_id == ledger_id)
    )
    return list(conn.execute(query.order_by(alias.c.since.desc(), alias.c.id.desc())))


def teachers(row: Any) -> list[str]:
    """Who confirmed it; nobody, where it was learned before that was kept."""
    return json.loads(row.taught_by) if row.taught_by else []


def forget(conn: Connection, ledger_id: int, alias_id: int, on: date) -> Any:
    """End what was learned; what it was before.

    Raises:
        NotFound: there is nothing of that number in force.
    """
    mine = (alias.c.ledger_id == ledger_id) & (alias.c.id == alias_id)
    row = next((one for one in listing(conn, ledger_id) if one.id == alias_id), None)
    if row is None or (row.until is not None and row.until <= on):
        raise NotFound(f"nothing of the number {alias_id} is remembered", do="see: arsync learned")
    conn.execute(alias.update().where(mine).values(until=on))
    return row
