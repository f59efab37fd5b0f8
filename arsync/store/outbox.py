"""The outbox: the only door to a platform.

Shape   a decision has one bundle per generation; a bundle's calls become commands, one at a time, each
        stored to the byte before the first byte leaves. States: planned -> sent -> confirmed -> verified,
        or withdrawn, refused, unknown, superseded.
Law     a key belongs to an intent and a generation, never to an attempt: sending again repeats the stored
        bytes under the stored key.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, select

from arsync.connectors.contract import (
    Answer,
    Bundle,
    Call,
    Intent,
    Ref,
    Reverse,
)
from arsync.errors import NotFound
from arsync.store import bulk, raw
from arsync.store.tables import bundle, command, decision

OPEN = ("planned", "sent", "confirmed", "unknown")


@dataclass(frozen=True, slots=True)
class Planned:
    """A stored bundle."""

    id: int
    decision_id: int
    state: str
    why: str
    bundle: Bundle


def plan(conn: Connection, ledger_id: int, rows: Sequence[tuple[int, Bundle]], at: str) -> list[int]:
    """Store bundles of decisions; their ids."""
    ids = bulk.take_ids(conn, ledger_id, "bundle", len(rows))
    bulk.insert(
        conn,
        bundle,
        ("ledger_id", "id", "decision_id", "generation", "key", "intents", "state", "why", "at"),
        [
            (ledger_id, i, decision_id, b.generation, b.key, intents_to_text(b.intents), "planned", "", at)
            for i, (decision_id, b) in zip(ids, rows, strict=True)
        ],
    )
    return list(ids)


def bundles(conn: Connection, ledger_id: int, states: Iterable[str]) -> list[Planned]:
    """Bundles in these states, in the order they were decided."""
    query = (
        select(bundle)
        .where(bundle.c.ledger_id == ledger_id, bundle.c.state.in_(list(states)))
        .order_by(bundle.c.id)
    )
    return [_planned(row) for row in conn.execute(query)]


def bundles_of(conn: Connection, ledger_id: int, decision_id: int) -> list[Planned]:
    """All generations of a decision's bundle."""
    query = (
        select(bundle)
        .where(bundle.c.ledger_id == ledger_id, bundle.c.decision_id == decision_id)
        .order_by(bundle.c.generation)
    )
    return [_planned(row) for row in conn.execute(query)]


def bundle_of(conn: Connection, ledger_id: int, bundle_id: int) -> Planned:
    """One bundle as it is now."""
    return _planned(
        conn.execute(select(bundle).where(bundle.c.ledger_id == ledger_id, bundle.c.id == bundle_id)).one()
    )


def owners(conn: Connection, ledger_id: int, decision_ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """Whose bundles wait for each other, by decision: those of one customer; else each by itself."""
    rows = bulk.rows_by(conn, decision, ("id", "customer_id"), "id", decision_ids, ledger_id=ledger_id)
    return {
        row.id: ("decision", row.id) if row.customer_id is None else ("customer", row.customer_id)
        for row in rows
    }


def set_bundle(conn: Connection, ledger_id: int, bundle_id: int, state: str, why: str = "") -> None:
    """Move a bundle to another state."""
    conn.execute(
        bundle.update()
        .where(bundle.c.ledger_id == ledger_id, bundle.c.id == bundle_id)
        .values(state=state, why=why)
    )


def commands(conn: Connection, ledger_id: int, bundle_id: int) -> list[Any]:
    """The commands of a bundle, in order."""
    query = (
        select(command)
        .where(command.c.ledger_id == ledger_id, command.c.bundle_id == bundle_id)
        .order_by(command.c.number)
    )
    return list(conn.execute(query))


def command_of(conn: Connection, ledger_id: int, command_id: int) -> Any:
    """One command."""
    row = conn.execute(
        select(command).where(command.c.ledger_id == ledger_id, command.c.id == command_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no command C-{command_id}", do="see: arsync show D-… of its decision")
    return row


@dataclass(frozen=True, slots=True)
class Leaving:
    """A call about to leave: of which bundle, and its row if it has left before."""

    bundle_id: int
    number: int
    call: Call
    row: Any = None


def keep_calls(conn: Connection, ledger_id: int, leaving: Sequence[Leaving], at: str) -> list[int]:
    """Store calls that share a request as sent, before its first byte leaves; their command ids, in order."""
    new = [one for one in leaving if one.row is None]
    fresh = iter(bulk.take_ids(conn, ledger_id, "command", len(new)))
    ids = [next(fresh) if one.row is None else int(one.row.id) for one in leaving]
    together = ids[0] if len(ids) > 1 else None
    for command_id, one in zip(ids, leaving, strict=True):
        if one.row is not None:
            attempts = one.row.attempts + 1
            _set_command(
                conn, ledger_id, command_id, state="sent", attempts=attempts, sent_at=at, together=together
            )
            continue
        call = one.call
        conn.execute(
            command.insert().values(
                ledger_id=ledger_id, id=command_id, bundle_id=one.bundle_id, number=one.number, verb=call.verb,
                key=call.key, method=call.method, path=call.path, body=call.body, together=together,
                expects=json.dumps({"intent": call.number, "facts": dict(call.expects)}),
                state="sent", attempts=1, sent_at=at, code="", why="",
            )
        )  # fmt: skip
        set_bundle(conn, ledger_id, one.bundle_id, "sent")
    return ids


def keep_answer(conn: Connection, ledger_id: int, command_id: int, answer: Answer, at: str) -> None:
    """Store what became of a command."""
    (sha,) = raw.keep(conn, [answer.raw])
    state = {"accepted": "confirmed", "refused": "refused", "stale": "superseded", "unknown": "unknown"}[
        answer.outcome
    ]
    _set_command(
        conn, ledger_id, command_id, state=state, answered_at=at, answer_sha=sha, code=answer.code, why=answer.why,
        ref_kind=answer.ref.kind if answer.ref else None, ref_id=answer.ref.id if answer.ref else None,
    )  # fmt: skip


def adopt(conn: Connection, ledger_id: int, command_id: int, ref: Ref | None, why: str, at: str) -> None:
    """The effect of a lost answer was found on the platform."""
    _set_command(
        conn, ledger_id, command_id, state="confirmed", answered_at=at, why=why,
        ref_kind=ref.kind if ref else None, ref_id=ref.id if ref else None,
    )  # fmt: skip


def mark_absent(conn: Connection, ledger_id: int, command_id: int) -> None:
    """The platform knows nothing of the call: it may be sent again, same bytes, same key."""
    _set_command(conn, ledger_id, command_id, state="sent", why="not on the platform: to be sent again")


def written(conn: Connection, ledger_id: int, decision_id: int) -> list[tuple[Intent, Ref]]:
    """What a decision's calls created or changed, in order, whatever the generation; its taking back left out."""
    found: list[tuple[Intent, Ref]] = []
    for planned in bundles_of(conn, ledger_id, decision_id):
        for row in commands(conn, ledger_id, planned.id):
            if row.state in ("confirmed", "verified") and row.ref_id:
                intent = planned.bundle.intents[call_of(row).number]
                if not isinstance(intent, Reverse):
                    found.append((intent, Ref(row.ref_kind, row.ref_id)))
    return found


def next_generation(conn: Connection, ledger_id: int, planned: Planned) -> None:
    """Decide a bundle anew, after a stale answer or while nothing may be written: new keys for what is to come."""
    conn.execute(
        bundle.update()
        .where(bundle.c.ledger_id == ledger_id, bundle.c.id == planned.id)
        .values(generation=planned.bundle.generation + 1, state="planned")
    )


def verified(conn: Connection, ledger_id: int, bundle_id: int) -> None:
    """The platform's own records show the bundle's effect."""
    conn.execute(
        command.update()
        .where(command.c.ledger_id == ledger_id, command.c.bundle_id == bundle_id)
        .values(state="verified")
    )
    set_bundle(conn, ledger_id, bundle_id, "verified")


def call_of(row: Any) -> Call:
    """The stored call of a command, exact to the byte."""
    expects = json.loads(row.expects)
    return Call(expects["intent"], row.verb, row.key, row.method, row.path, bytes(row.body), expects["facts"])


def answer_of(row: Any) -> Answer:
    """The stored answer of a confirmed command."""
    ref = Ref(row.ref_kind, row.ref_id) if row.ref_id else None
    return Answer(call_of(row), "accepted", ref, why=row.why)


def decision_keys(conn: Connection, ledger_id: int) -> dict[str, int]:
    """Bundle key -> decision id, of everything ever planned."""
    query = select(bundle.c.key, bundle.c.decision_id).where(bundle.c.ledger_id == ledger_id)
    return dict(conn.execute(query).all())


def has_open(conn: Connection, ledger_id: int) -> bool:
    """Whether anything waits to be sent, read back or verified."""
    query = select(bundle.c.id).where(bundle.c.ledger_id == ledger_id, bundle.c.state.in_(OPEN)).limit(1)
    return conn.execute(query).scalar() is not None


def decision_of(conn: Connection, ledger_id: int, decision_id: int) -> Any:
    """The decision's row."""
    return conn.execute(
        select(decision).where(decision.c.ledger_id == ledger_id, decision.c.id == decision_id)
    ).one()


# ---- intents as text


def intents_to_text(intents: Sequence[Intent]) -> str:
    """Intents as JSON: `[["PostReceipt", {...}]]`, amounts in minor units."""
    return _ENCODER.encode([(type(one).__name__, one) for one in intents]).decode()


def intents_from_text(text: str) -> tuple[Intent, ...]:
    """The intents that a text states."""
    return tuple(_DECODERS[name].decode(body) for name, body in _PAIRS.decode(text))


_ENCODER = msgspec.json.Encoder()
_PAIRS = msgspec.json.Decoder(list[tuple[str, msgspec.Raw]])
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    kind.__name__: msgspec.json.Decoder(kind) for kind in get_args(Intent)
}


def _planned(row: Any) -> Planned:
    made = Bundle(row.key, row.generation, intents_from_text(row.intents))
    return Planned(row.id, row.decision_id, row.state, row.why, made)


def _set_command(conn: Connection, ledger_id: int, command_id: int, **values: Any) -> None:
    conn.execute(
        command.update().where(command.c.ledger_id == ledger_id, command.c.id == command_id).values(**values)
    )
