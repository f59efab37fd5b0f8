"""Short ways to say a snapshot in tests: one US ledger, amounts in cents, one day."""

from dataclasses import replace
from datetime import date, timedelta

from arsync.core.decisions import Decision, Finding
from arsync.core.items import ItemKind
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.snapshot import (
    BookedRow,
    CustomerRow,
    ItemRow,
    Knowledge,
    MatchPolicy,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)

DAY = date(2026, 3, 2)  # a Monday
POLICY = MatchPolicy()


def customer(id_: int = 1, name: str = "Kestrel Foods LLC", **more) -> CustomerRow:
    return CustomerRow(id_, name, **more)


def item(
    id_: int, amount: int, number: str | None = None, customer_id: int = 1, due: int = 0, **more
) -> ItemRow:
    """An open item due `due` days after DAY; negative amounts are credit memos."""
    kind = more.pop("kind", ItemKind.INVOICE if amount > 0 else ItemKind.CREDIT_MEMO)
    when = DAY + timedelta(days=due)
    currency = more.pop("currency", "USD")
    original = more.pop("original", amount)
    return ItemRow(
        id_, customer_id, kind, number, when - timedelta(days=30), when, currency, original, amount, **more
    )


def receipt(amount: int, text: str = "", name: str = "KESTREL FOODS LLC", **more) -> ReceiptRow:
    on = more.pop("on", DAY)
    currency = more.pop("currency", "USD")
    texts = more.pop("texts", (text,) if text else ())
    return ReceiptRow(more.pop("id", 1), on, currency, amount, name, texts=texts, **more)


def advice(
    reference: str, paid: int, gross: int | None = None, total: int | None = None, **more
) -> RemittanceRow:
    return RemittanceRow(
        more.pop("id", "A1"),
        more.pop("received", DAY),
        more.pop("name", "Kestrel Foods LLC"),
        "USD",
        total,
        more.pop("grade", "known sender"),
        reference,
        paid,
        gross if gross is not None else paid,
        **more,
    )


def listing(text: str, total: int | None, **more) -> RemittanceRow:
    """An advice that names documents and states no amount but its total."""
    return replace(advice(text, 0, total=total, in_full=True, **more), gross_minor=None)


def booked(id_: int, total: int, customer_id: int = 1, days: int = 0, reference: str = "") -> BookedRow:
    return BookedRow(id_, customer_id, DAY + timedelta(days=days), "USD", total, 0, reference)


def snapshot(items, receipts, customers=None, **more) -> Snapshot:
    receipts = (receipts,) if isinstance(receipts, ReceiptRow) else receipts
    customers = customers or (customer(),)
    as_of = more.pop("as_of", DAY)
    return Snapshot(1, as_of, tuple(customers), tuple(items), tuple(receipts), **more)


def find(
    items, receipts, customers=None, policy: MatchPolicy = POLICY, knowledge: Knowledge | None = None, **more
) -> Finding:
    return match(snapshot(items, receipts, customers, **more), knowledge or Knowledge(), policy)[0]


def decided(items, receipts, customers=None, policy: MatchPolicy = POLICY, mode="auto", **more) -> Decision:
    one = snapshot(items, receipts, customers, **{k: v for k, v in more.items() if k != "knowledge"})
    finding = match(one, more.get("knowledge") or Knowledge(), policy)[0]
    return decide(finding, one.receipts[0], policy, mode)


def shares(decision_or_explanation) -> dict[int, int]:
    """Item -> applied, of a decision's explanation or an explanation."""
    one = getattr(decision_or_explanation, "explanation", decision_or_explanation)
    return {share.item_id: share.applied_minor for share in one.shares} if one else {}


def said(explanation) -> set[str]:
    return {evidence.code for evidence in explanation.evidence}
