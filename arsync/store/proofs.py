"""Our open amounts against the platform's, and the differences a person must look at.

Units   minor units of the currency. `customer_id` 0 is the ledger's control account,
        -1 stands for customers that were never read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from arsync.store import bulk
from arsync.store.tables import customer, difference, external_ref, item

CONTROL = 0
UNREAD = -1  # stands for all customers the platform names and we have never read
Key = tuple[int, str]  # customer id, currency


@dataclass(frozen=True, slots=True)
class Difference:
    """Ours and theirs, and how much of it was there at connection and signed."""

    customer_id: int
    currency: str
    ours_minor: int
    theirs_minor: int
    baseline_minor: int
    signed_by: str | None
    source: str

    @property
    def unexplained_minor(self) -> int:
        """What no signed baseline explains."""
        return self.ours_minor - self.theirs_minor - self.baseline_minor


def ours(conn: Connection, ledger_id: int) -> dict[Key, int]:
    """Open amount per customer and currency, payments and credits included; customers at zero left out."""
    query = (
        select(item.c.customer_id, item.c.currency, func.sum(item.c.open_minor))
        .where(item.c.ledger_id == ledger_id, item.c.open_minor != 0, item.c.gone.is_(False))
        .group_by(item.c.customer_id, item.c.currency)
    )
    return {
        (customer, currency): int(minor) for customer, currency, minor in conn.execute(query) if int(minor)
    }


def documents(conn: Connection, ledger_id: int, customer_ids: Iterable[int]) -> list[Any]:
    """The open items of these customers by their platform ids."""
    query = (
        select(item.c.customer_id, item.c.currency, item.c.open_minor, external_ref.c.external_id)
        .join(external_ref, (external_ref.c.ledger_id == item.c.ledger_id) & (external_ref.c.id == item.c.id))
        .where(
            item.c.ledger_id == ledger_id,
            item.c.open_minor != 0,
            item.c.gone.is_(False),
            external_ref.c.kind == "item",
            bulk.among(conn, item.c.customer_id, customer_ids),
        )
    )
    return list(conn.execute(query.order_by(item.c.id)))


def last_date(conn: Connection, ledger_id: int) -> date | None:
    """The latest date any document bears; None when there is none."""
    query = select(func.max(item.c.issued)).where(item.c.ledger_id == ledger_id, item.c.gone.is_(False))
    found: date | None = conn.execute(query).scalar()
    return found


def foreign_customers(conn: Connection, ledger_id: int, home: str) -> frozenset[int]:
    """Customers who owe in another currency than the books' own."""
    query = select(customer.c.id).where(
        customer.c.ledger_id == ledger_id, customer.c.currency.is_not(None), customer.c.currency != home
    )
    return frozenset(conn.execute(query).scalars())


def contradictions(conn: Connection, ledger_id: int) -> list[Any]:
    """Items whose open amount, as the platform's own payments make it, is not the platform's own figure."""
    i = item.c
    query = select(
        i.id, i.customer_id, i.number, i.kind, i.currency, i.open_minor, i.stated_open_minor
    ).where(
        i.ledger_id == ledger_id,
        i.gone.is_(False),
        i.stated_open_minor.is_not(None),
        i.stated_open_minor != i.open_minor,
    )
    return list(conn.execute(query.order_by(i.id)))


def standing(conn: Connection, ledger_id: int) -> dict[Key, Difference]:
    """Differences that were confirmed and are not cleared."""
    query = select(difference).where(difference.c.ledger_id == ledger_id, difference.c.cleared_at.is_(None))
    return {
        (row.customer_id, row.currency): Difference(
            row.customer_id,
            row.currency,
            row.ours_minor,
            row.theirs_minor,
            row.baseline_minor,
            row.signed_by,
            row.source,
        )
        for row in conn.execute(query)
    }


def keep(
    conn: Connection, ledger_id: int, found: Mapping[Key, Difference], at: str
) -> tuple[list[Key], list[Key]]:
    """Keep what a proof found: new or changed differences, and those that are cleared."""
    before = standing(conn, ledger_id)
    cleared = [key for key in before if key not in found]
    changed = [key for key, value in found.items() if before.get(key) != value]
    for customer_id, currency in cleared:
        conn.execute(
            difference.update()
            .where(
                difference.c.ledger_id == ledger_id,
                difference.c.customer_id == customer_id,
                difference.c.currency == currency,
            )
            .values(cleared_at=at)
        )
    bulk.upsert(
        conn,
        difference,
        (
            "ledger_id", "customer_id", "currency", "ours_minor", "theirs_minor", "baseline_minor",
            "signed_by", "source",
            "seen_at", "cleared_at",
        ),
        [
            (ledger_id, *key, d.ours_minor, d.theirs_minor, d.baseline_minor, d.signed_by, d.source, at, None)
            for key, d in found.items()
            if key in changed
        ],
    )  # fmt: skip
    return changed, cleared


def sign(conn: Connection, ledger_id: int, by: str) -> list[Difference]:
    """Take the standing differences as the opening baseline; what was signed."""
    signed = [d for d in standing(conn, ledger_id).values() if d.unexplained_minor]
    for d in signed:
        conn.execute(
            difference.update()
            .where(
                difference.c.ledger_id == ledger_id,
                difference.c.customer_id == d.customer_id,
                difference.c.currency == d.currency,
            )
            .values(baseline_minor=d.ours_minor - d.theirs_minor, signed_by=by)
        )
    return signed
