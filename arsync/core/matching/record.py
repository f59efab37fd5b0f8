"""Snapshots, knowledge and findings as JSON text, so that a decision can be replayed to the same answer.

Shape   a snapshot's tables are lists of columns in field order, other rows lists; dates ISO text. Reading back gives an
        equal value.
Law     from_text(to_text(x)) == x; the same value always gives the same text.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from json.encoder import encode_basestring as _quoted
from operator import attrgetter
from typing import Any, TypeVar

from arsync.core.decisions import Evidence, EvidenceClass, Explanation, Finding, Reason, Rejected, Share
from arsync.core.items import ItemKind
from arsync.core.matching.snapshot import (
    Alias,
    BookedRow,
    CustomerRow,
    ItemRow,
    Knowledge,
    MatchPolicy,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)

T = TypeVar("T")
_TABLES: dict[str, type] = {
    "customers": CustomerRow,
    "items": ItemRow,
    "receipts": ReceiptRow,
    "booked": BookedRow,
    "remittances": RemittanceRow,
    "recent": ReceiptRow,
}
_DATES = frozenset({"issued", "due", "discount_until", "on", "received", "since", "until"})
_TUPLES = frozenset({"aliases", "payer_accounts", "references", "texts"})
# Made once; what it cannot write can only be a date. Anything else is a `TypeError` of `isoformat`.
_text_of = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=date.isoformat).encode


def snapshot_to_text(snapshot: Snapshot) -> str:
    """The snapshot as JSON."""
    body: dict[str, Any] = {"ledger_id": snapshot.ledger_id, "as_of": snapshot.as_of.isoformat()}
    for name, kind in _TABLES.items():
        body[name] = list(zip(*_rows(getattr(snapshot, name), kind), strict=True))
    body["recent_customers"] = list(snapshot.recent_customers)
    return _text_of(body)


def snapshot_from_text(text: str) -> Snapshot:
    """The snapshot that a text states."""
    body = json.loads(text)
    tables: dict[str, Any] = {
        name: tuple(_objects(list(zip(*body[name], strict=True)), kind)) for name, kind in _TABLES.items()
    }
    return Snapshot(
        ledger_id=body["ledger_id"],
        as_of=date.fromisoformat(body["as_of"]),
        recent_customers=tuple(body["recent_customers"]),
        **tables,
    )


def knowledge_to_text(knowledge: Knowledge) -> str:
    """What was learned, as JSON."""
    return _text_of(_rows(knowledge.aliases, Alias))


def knowledge_from_text(text: str) -> Knowledge:
    """What a text states as learned."""
    return Knowledge(tuple(_objects(json.loads(text), Alias)))


def finding_to_text(finding: Finding) -> str:
    """The finding as JSON, piece by piece: a run writes one for every receipt, and an encoder takes twice as long."""
    explanations = ",".join(map(_explanation, finding.explanations))
    rejected = ",".join(
        [f"[{_number(r.customer_id)},{list(r.item_ids)},{_quoted(r.why)}]" for r in finding.rejected]
    )
    reason = f'"{finding.reason.value}"' if finding.reason else "null"
    return (
        f'{{"receipt":{finding.receipt_id},"unique":{_flag(finding.unique)},"reason":{reason},'
        f'"wait":{_flag(finding.wait)},"explanations":[{explanations}],"rejected":[{rejected}]}}'
    )


def _explanation(one: Explanation) -> str:
    shares = ",".join(["[%d,%d,%d,%d,%d]" % share for share in one.shares])  # noqa: UP031 - a share is a tuple
    evidence = ",".join([f"[{_quoted(e.code)},{_flag(e.supports)},{_quoted(e.text)}]" for e in one.evidence])
    return (
        f'{{"customer":{_number(one.customer_id)},"class":"{one.klass.value}","probability":{one.probability!r},'
        f'"on_account":{one.on_account_minor},"booked":{_number(one.booked_payment_id)},'
        f'"shares":[{shares}],"evidence":[{evidence}]}}'
    )


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _flag(value: bool) -> str:  # noqa: FBT001 - it is what is written
    return "true" if value else "false"


def finding_from_text(text: str) -> Finding:
    """The finding that a text states."""
    body = json.loads(text)
    return Finding(
        receipt_id=body["receipt"],
        unique=body["unique"],
        reason=Reason(body["reason"]) if body["reason"] else None,
        wait=body["wait"],
        explanations=tuple(
            Explanation(
                customer_id=e["customer"],
                shares=tuple(Share(*row) for row in e["shares"]),
                on_account_minor=e["on_account"],
                klass=EvidenceClass(e["class"]),
                evidence=tuple(Evidence(*row) for row in e["evidence"]),
                probability=e["probability"],
                booked_payment_id=e["booked"],
            )
            for e in body["explanations"]
        ),
        rejected=tuple(Rejected(customer, tuple(items), why) for customer, items, why in body["rejected"]),
    )


def policy_to_text(policy: MatchPolicy) -> str:
    """The matcher's part of the policy, as JSON."""
    body = {f.name: getattr(policy, f.name) for f in fields(policy)}
    return json.dumps({**body, "automatic": sorted(policy.automatic)}, sort_keys=True)


def policy_from_text(text: str) -> MatchPolicy:
    """The matcher's part of the policy that a text states."""
    body = json.loads(text)
    return MatchPolicy(**{**body, "automatic": frozenset(body["automatic"])})


def _rows(values: Sequence[Any], kind: type) -> Sequence[Any]:
    if not is_dataclass(kind):
        return values  # named tuples are lists already
    read: Callable[[Any], Any] = attrgetter(*_names(kind))
    return [read(value) for value in values]


def _objects(rows: Sequence[Sequence[Any]], kind: type[T]) -> list[T]:
    read = [_reader(name) for name in _names(kind)]
    return [kind(*(convert(value) for convert, value in zip(read, row, strict=True))) for row in rows]


def _names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass or named tuple, in order."""
    return tuple(f.name for f in fields(kind)) if is_dataclass(kind) else kind._fields  # type: ignore[attr-defined]  # then it is a named tuple


def _reader(name: str) -> Callable[[Any], Any]:
    if name in _DATES:
        return lambda value: date.fromisoformat(value) if value else None
    if name in _TUPLES:
        return tuple
    if name == "kind":
        return ItemKind
    return lambda value: value
