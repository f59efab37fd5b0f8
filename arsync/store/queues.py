"""Queue items: what a clerk must look at. One open item per subject.

Law     opening an item that is open with the same facts writes nothing; with other facts it is brought up
        to date.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from arsync.errors import Conflict, NotFound
from arsync.store import bulk
from arsync.store.tables import queue_item


@dataclass(frozen=True, slots=True)
class Entry:
    """What there is to look at."""

    subject: str
    reason: str
    detail: str
    receipt_id: int | None = None
    customer_id: int | None = None
    currency: str | None = None
    amount_minor: int | None = None
    preferred: bool = False
    finding_sha: bytes | None = None
    snapshot_sha: bytes | None = None
    raw_sha: bytes | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening entries changed: new items and items whose facts changed."""

    new: dict[str, int]
    changed: dict[str, int]


_FACTS = (
    "reason",
    "detail",
    "receipt_id",
    "customer_id",
    "currency",
    "amount_minor",
    "preferred",
    "finding_sha",
    "raw_sha",
)


def open_items(conn: Connection, ledger_id: int, entries: Sequence[Entry], at: str) -> Opened:
    """Open or bring up to date one item per subject."""
    wanted = {entry.subject: entry for entry in entries}
    known = {row.subject: row for row in _open_rows(conn, ledger_id, wanted)}
    new = [entry for subject, entry in wanted.items() if subject not in known]
    ids = bulk.take_ids(conn, ledger_id, "queue", len(new))
    columns = ("ledger_id", "id", "subject", *_FACTS, "snapshot_sha", "opened_at", "version")
    bulk.insert(
        conn,
        queue_item,
        columns,
        [
            (ledger_id, i, e.subject, *(getattr(e, f) for f in _FACTS), e.snapshot_sha, at, 1)
            for i, e in zip(ids, new, strict=True)
        ],
    )
    changed = {
        subject: row.id
        for subject, row in known.items()
        if any(_comparable(getattr(row, f)) != getattr(wanted[subject], f) for f in _FACTS)
    }
    bulk.update(
        conn,
        queue_item,
        ("ledger_id", "id"),
        (*_FACTS, "snapshot_sha"),
        [
            (ledger_id, i, *(getattr(wanted[subject], f) for f in _FACTS), wanted[subject].snapshot_sha)
            for subject, i in changed.items()
        ],
        counted="version",
    )
    return Opened({entry.subject: i for i, entry in zip(ids, new, strict=True)}, changed)


def subjects(conn: Connection, ledger_id: int, prefix: str) -> list[str]:
    """The subjects of open items that begin so."""
    query = select(queue_item.c.subject).where(
        queue_item.c.ledger_id == ledger_id,
        queue_item.c.closed_at.is_(None),
        queue_item.c.subject.startswith(prefix, autoescape=True),
    )
    return list(conn.execute(query).scalars())


def close(
    conn: Connection, ledger_id: int, subjects: Iterable[str], by: str, outcome: str, at: str
) -> list[int]:
    """Close the open items of these subjects; their ids."""
    rows = _open_rows(conn, ledger_id, dict.fromkeys(subjects))
    bulk.update(
        conn,
        queue_item,
        ("ledger_id", "id"),
        ("closed_at", "closed_by", "outcome", "version"),
        [(ledger_id, row.id, at, by, outcome, row.version + 1) for row in rows],
    )
    return [row.id for row in rows]


def find(conn: Connection, ledger_id: int, queue_id: int) -> Any:
    """One queue item, open or closed."""
    row = conn.execute(
        select(queue_item).where(queue_item.c.ledger_id == ledger_id, queue_item.c.id == queue_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no queue item Q-{queue_id}", do="see: arsync queue list")
    return row


def claim(conn: Connection, ledger_id: int, queue_id: int, version: int | None = None) -> Any:
    """The open item, locked for change; `version` is what the person saw."""
    query = select(queue_item).where(queue_item.c.ledger_id == ledger_id, queue_item.c.id == queue_id)
    row = conn.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"there is no queue item Q-{queue_id}", do="see: arsync queue list")
    if row.closed_at is not None:
        raise Conflict(
            f"Q-{queue_id} was closed by {row.closed_by}: {row.outcome}",
            where=row.closed_at,
            do=f"see: arsync queue show {queue_id}",
        )
    if version is not None and row.version != version:
        raise Conflict(
            f"Q-{queue_id} changed since you looked at it", where=f"version {row.version}, yours {version}",
            do=f"look again: arsync queue show {queue_id}",
        )  # fmt: skip
    return row


def listing(conn: Connection, ledger_id: int, *, closed: bool = False) -> list[Any]:
    """Open items, largest amount first; or the closed ones, newest first."""
    query = select(queue_item).where(queue_item.c.ledger_id == ledger_id)
    if closed:
        query = query.where(queue_item.c.closed_at.is_not(None)).order_by(queue_item.c.closed_at.desc())
    else:
        query = query.where(queue_item.c.closed_at.is_(None)).order_by(
            queue_item.c.amount_minor.desc().nulls_last(), queue_item.c.id
        )
    return list(conn.execute(query))


def change(conn: Connection, ledger_id: int, row: Any, **values: Any) -> None:
    """Change columns of an item; counts its version up."""
    conn.execute(
        queue_item.update()
        .where(queue_item.c.ledger_id == ledger_id, queue_item.c.id == row.id)
        .values(**values, version=row.version + 1)
    )


def _open_rows(conn: Connection, ledger_id: int, subjects: Iterable[str]) -> list[Any]:
    listed = list(subjects)
    if not listed:
        return []
    query = select(queue_item).where(
        queue_item.c.ledger_id == ledger_id,
        queue_item.c.closed_at.is_(None),
        bulk.among(conn, queue_item.c.subject, listed),
    )
    return list(conn.execute(query).all())


def _comparable(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
