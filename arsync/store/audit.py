"""The audit chain: who decided what, why, before and after, in the transaction of the change.

Shape   each event's hash covers the previous hash and a salted digest of its body, so a body can be erased
        (a person's right) and the chain still verifies. The newest link is signed with a key that is not in
        the store: rewriting the whole chain needs that key too.
Errors  `verify` returns what is wrong as data; it never stops at the first fault.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from arsync.store import bulk, raw
from arsync.store.tables import event, event_body, event_head

_START = "0" * 64
_SALT = 16
_ENCODER = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to record. `body` holds before, after and why as JSON values, amounts as text."""

    what: str
    subject: str
    body: dict[str, Any]


def record(conn: Connection, ledger_id: int, at: str, who: str, entries: Sequence[Entry]) -> None:
    """Append events to the ledger's chain."""
    if not entries:
        return
    seq, last = _lock_head(conn, ledger_id)
    events, bodies = [], []
    salts = os.urandom(_SALT * len(entries))
    for number, entry in enumerate(entries):
        seq += 1
        salt = salts[_SALT * number : _SALT * (number + 1)]
        body = _ENCODER.encode(entry.body)
        digest = hashlib.sha256(salt + body).hexdigest()
        last = _link(last, seq, at, who, entry.what, entry.subject, digest)
        events.append((ledger_id, seq, at, who, entry.what, entry.subject, digest, last))
        bodies.append((ledger_id, seq, salt, body))
    bulk.insert(conn, event, ("ledger_id", "seq", "at", "who", "what", "subject", "digest", "hash"), events)
    stored = raw.packed(body for *_, body in bodies)
    rows = [(*row[:3], body) for row, body in zip(bodies, stored, strict=True)]
    bulk.insert(conn, event_body, ("ledger_id", "seq", "salt", "body"), rows)
    conn.execute(event_head.update().where(event_head.c.ledger_id == ledger_id).values(seq=seq, hash=last))


def sign(conn: Connection, ledger_id: int, key: bytes) -> None:
    """Sign the newest link; does nothing when it is signed already."""
    row = conn.execute(select(event_head).where(event_head.c.ledger_id == ledger_id)).one_or_none()
    if row is None or row.signed_seq == row.seq:
        return
    signature = _signature(key, ledger_id, row.seq, row.hash)
    conn.execute(
        event_head.update()
        .where(event_head.c.ledger_id == ledger_id)
        .values(signed_seq=row.seq, signature=signature)
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the chain."""

    seq: int
    what: str


def verify(conn: Connection, ledger_id: int, key: bytes) -> tuple[int, list[Fault]]:
    """Walk the whole chain: the number of events, and every fault found."""
    faults: list[Fault] = []
    last, count, hashes = _START, 0, {0: _START}
    joined = event.outerjoin(
        event_body, (event.c.ledger_id == event_body.c.ledger_id) & (event.c.seq == event_body.c.seq)
    )
    query = (
        select(event, event_body.c.salt, event_body.c.body)
        .select_from(joined)
        .where(event.c.ledger_id == ledger_id)
        .order_by(event.c.seq)
    )
    for row in conn.execute(query):
        count += 1
        if row.seq != count:
            faults.append(Fault(count, f"event {count} is missing"))
            count = row.seq
        if row.body is not None and _digest(row) != row.digest:
            faults.append(Fault(row.seq, "the body was changed after it was written"))
        link = _link(last, row.seq, row.at, row.who, row.what, row.subject, row.digest)
        if link != row.hash:
            faults.append(Fault(row.seq, "the link to the event before does not hold"))
        last = hashes[row.seq] = row.hash
    head = conn.execute(select(event_head).where(event_head.c.ledger_id == ledger_id)).one_or_none()
    if head is None:
        return count, faults + ([Fault(0, "the head of the chain is missing")] if count else [])
    if head.seq != count or head.hash != last:
        faults.append(Fault(head.seq, f"the chain ends at event {count}, its head says {head.seq}"))
    if head.signed_seq:
        signed = _signature(key, ledger_id, head.signed_seq, hashes.get(head.signed_seq, ""))
        if not hmac.compare_digest(signed, head.signature):
            faults.append(Fault(head.signed_seq, "the signature does not fit the chain"))
    return count, faults


def _digest(row: Any) -> str:
    """The digest of a stored body; empty for one that cannot even be unpacked."""
    try:
        body = raw.unpacked(row.body)
    except ValueError:
        return ""
    return hashlib.sha256(bytes(row.salt) + body).hexdigest()


def history(conn: Connection, ledger_id: int, subject: str) -> list[dict[str, Any]]:
    """The events of one subject, oldest first, with their bodies (None where erased)."""
    joined = event.outerjoin(
        event_body, (event.c.ledger_id == event_body.c.ledger_id) & (event.c.seq == event_body.c.seq)
    )
    query = (
        select(event.c.seq, event.c.at, event.c.who, event.c.what, event_body.c.body)
        .select_from(joined)
        .where(event.c.ledger_id == ledger_id, event.c.subject == subject)
        .order_by(event.c.seq)
    )
    return [
        {
            "seq": row.seq,
            "at": row.at,
            "who": row.who,
            "what": row.what,
            "body": json.loads(raw.unpacked(row.body)) if row.body is not None else None,
        }
        for row in conn.execute(query)
    ]


def _lock_head(conn: Connection, ledger_id: int) -> tuple[int, str]:
    bulk.insert_missing(
        conn,
        event_head,
        ("ledger_id", "seq", "hash", "signed_seq", "signature"),
        [(ledger_id, 0, _START, 0, "")],
    )
    query = select(event_head.c.seq, event_head.c.hash).where(event_head.c.ledger_id == ledger_id)
    row = conn.execute(query.with_for_update()).one()
    return row.seq, row.hash


def _link(last: str, *parts: str | int) -> str:
    text = "\n".join([last, *[str(part).replace("\\", "\\\\").replace("\n", "\\n") for part in parts]])
    return hashlib.sha256(text.encode()).hexdigest()


def _signature(key: bytes, ledger_id: int, seq: int, last: str) -> str:
    return hmac.new(key, f"{ledger_id}\n{seq}\n{last}".encode(), hashlib.sha256).hexdigest()
