"""Snapshots, knowledge and findings as JSON text, so that a decision can be replayed to the same answer.

Shape   rows are lists in field order; dates ISO text. Reading back gives an equal value.
Law     from_text(to_text(x)) == x; the same value always gives the same text.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
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
        body[name] = _rows(getattr(snapshot, name), kind)
    body["recent_customers"] = list(snapshot.recent_customers)
    return _text_of(body)


def snapshot_from_text(text: str) -> Snapshot:
    """The snapshot that a text states."""
    body = json.loads(text)
    tables: dict[str, Any] = {name: tuple(_objects(body[name], kind)) for name, kind in _TABLES.items()}
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
    """The finding as JSON."""
    body = {
        "receipt": finding.receipt_id,
        "unique": finding.unique,
        "reason": finding.reason.value if finding.reason else None,
        "wait": finding.wait,
        "explanations": [
            {
                "customer": e.customer_id,
                "class": e.klass.value,
                "probability": e.probability,
                "on_account": e.on_account_minor,
                "booked": e.booked_payment_id,
                "shares": e.shares,
                "evidence": e.evidence,
            }
            for e in finding.explanations
        ],
        "rejected": [(r.customer_id, r.item_ids, r.why) for r in finding.rejected],
    }
    return _text_of(body)


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


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass or named tuple, in order."""
    return tuple(f.name for f in fields(kind)) if is_dataclass(kind) else kind._fields


def _reader(name: str) -> Callable[[Any], Any]:
    if name in _DATES:
        return lambda value: date.fromisoformat(value) if value else None
    if name in _TUPLES:
        return tuple
    if name == "kind":
        return ItemKind
    return lambda value: value
