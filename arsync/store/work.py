"""What the matcher is given: the snapshot of one ledger, read in one transaction, and what was learned.

Law     available = open - reserved (decided, not yet verified); an item whose platform figure contradicts
        our own has nothing available.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from arsync.core.items import ItemKind
from arsync.core.matching.booked import RETURN_BY_NAME_DAYS, name_of_original
from arsync.core.matching.exchange import OLDEST_DAYS
from arsync.core.matching.snapshot import (
    BookedRow,
    CustomerRow,
    ItemRow,
    Knowledge,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)
from arsync.core.rates import Rate, between
from arsync.store import books, breakdowns, bulk, learned, rates, raw
from arsync.store import receipts as received
from arsync.store.tables import (
    bank_line,
    customer,
    decision,
    decision_line,
    item,
    matched,
    payment,
    receipt,
)

_OPEN_STATES = ("undecided", "waiting", "queued")
_RECENT_DAYS = 90
_KINDS = {kind.value: kind for kind in ItemKind}
RECEIPT = (
    "id", "on_date", "currency", "amount_minor", "payer_name", "payer_account", "texts", "is_return", "proven", "state",
    "version", "customer_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """A snapshot and the versions of what it saw, for the check at commit."""

    snapshot: Snapshot
    knowledge: Knowledge
    item_versions: Mapping[int, int]
    receipt_versions: Mapping[int, int]
    proven: Mapping[int, bool]  # by receipt: its statement adds up
    states: Mapping[int, str]  # by receipt
    held: frozenset[int]  # items whose figures contradict the platform's


def load(conn: Connection, ledger_id: int, as_of: date) -> Work:
    """Everything a match run needs."""
    items, versions, held = _items(conn, ledger_id)
    parking = select(decision.c.receipt_id).where(
        decision.c.ledger_id == ledger_id, decision.c.verdict == "park", decision.c.state == "planned"
    )
    receipts = _receipts(
        conn,
        ledger_id,
        receipt.c.state.in_(_OPEN_STATES) & receipt.c.hands_off.is_(False) & receipt.c.id.not_in(parking),
    )
    since = min((row.on_date for row in receipts), default=as_of) - timedelta(days=_RECENT_DAYS)
    recent = _receipts(
        conn,
        ledger_id,
        (receipt.c.state.in_(("planned", "applied", "on_account", "linked")) | receipt.c.hands_off)
        & (receipt.c.on_date >= since),
    )
    known = {row.id for row in (*recent, *receipts)}
    recent += [row for row in _named_by_returns(conn, ledger_id, receipts) if row.id not in known]
    snapshot = Snapshot(
        ledger_id=ledger_id,
        as_of=as_of,
        customers=customers(conn, ledger_id),
        items=items,
        receipts=tuple(receipt_row(row) for row in receipts),
        booked=_booked(conn, ledger_id, since),
        recent=tuple(receipt_row(row) for row in recent),
        recent_customers=tuple(row.customer_id or 0 for row in recent),
        remittances=_remittances(conn, ledger_id, since),
        rates=_rates(conn, items, receipts),
    )
    return Work(
        snapshot=snapshot,
        knowledge=learned.knowledge(conn, ledger_id, as_of),
        item_versions=versions,
        receipt_versions={row.id: row.version for row in receipts},
        proven={row.id: row.proven for row in receipts},
        states={row.id: row.state for row in receipts},
        held=held,
    )


def _rates(conn: Connection, items: Iterable[ItemRow], receipts: Iterable[Any]) -> tuple[Rate, ...]:
    """The rates that money in another currency than its items is judged by; none where there is no such money."""
    days = [row.on_date for row in receipts]
    currencies = frozenset({row.currency for row in receipts} | {row.currency for row in items})
    if len(currencies) == 1 or not days:
        return ()
    first = min(days) - timedelta(days=OLDEST_DAYS)
    return tuple(between(rates.between(conn, first, max(days)), currencies))


def _named_by_returns(conn: Connection, ledger_id: int, rows: Iterable[Any]) -> list[Any]:
    """Older receipts that the bank names in what it takes back now."""
    returns = [receipt_row(row) for row in rows if row.is_return]
    if not returns:
        return []
    days = (min(row.on for row in returns) - timedelta(days=RETURN_BY_NAME_DAYS), max(r.on for r in returns))
    return received.naming(conn, ledger_id, {name_of_original(row) for row in returns}, days)


def reserved(conn: Connection, ledger_id: int, ids: Iterable[int] | None = None) -> dict[int, int]:
    """Minor units per item that are decided and not yet verified, signed like the item."""
    sums = select(decision_line.c.item_id, func.sum(decision_line.c.amount_minor))
    query = _under_way(sums, ledger_id).group_by(decision_line.c.item_id)
    if ids is not None:
        query = query.where(bulk.among(conn, decision_line.c.item_id, ids))
    return {item_id: int(minor) for item_id, minor in conn.execute(query)}


def spending(conn: Connection, ledger_id: int) -> list[Any]:
    """(item, decision, state of the decision) of everything decided that no pull has shown yet."""
    who = select(decision_line.c.item_id, decision.c.id, decision.c.state)
    return list(conn.execute(_under_way(who, ledger_id).order_by(decision.c.id)))


def _under_way(query: Select[Any], ledger_id: int) -> Select[Any]:
    """Narrowed to the items of decisions that are asked or planned; taking one back spends nothing."""
    return query.join(
        decision,
        and_(decision.c.ledger_id == decision_line.c.ledger_id, decision.c.id == decision_line.c.decision_id),
    ).where(
        decision_line.c.ledger_id == ledger_id,
        decision_line.c.item_id.is_not(None),
        decision.c.state.in_(("asked", "planned")),
        decision.c.undoes_id.is_(None),
    )


def receipt_row(row: Any) -> ReceiptRow:
    """A stored receipt as the matcher reads it."""
    texts = json.loads(row.texts)
    return ReceiptRow(
        row.id, row.on_date, row.currency, row.amount_minor, row.payer_name, row.payer_account, tuple(texts["texts"]),
        texts["creditor_reference"], texts["end_to_end_id"], texts["bank_reference"], texts["cheque_number"],
        # Receipts of before these were kept do not name them.
        row.is_return, texts.get("original_reference", ""), texts.get("return_reason", ""),
    )  # fmt: skip


def _remittances(conn: Connection, ledger_id: int, since: date) -> tuple[RemittanceRow, ...]:
    """Advices as the matcher reads them; a line may state what is paid, or the document's amount, or neither."""
    return tuple(
        RemittanceRow(
            remittance_id=str(row.id),
            received=row.received,
            payer_name=row.payer_name,
            currency=row.currency,
            total_minor=row.total_minor,
            grade=row.grade,
            reference=row.reference,
            paid_minor=paid or 0,
            gross_minor=row.gross_minor,
            discount_minor=row.discount_minor or 0,
            note=row.note,
            in_full=paid is None,
        )
        for row in breakdowns.remittances(conn, ledger_id, since)
        for paid in (_paid_minor(row),)
    )


def _paid_minor(row: Any) -> int | None:
    """What a line pays; None if it states no amount at all."""
    if row.paid_minor is not None or row.gross_minor is None:
        return row.paid_minor  # type: ignore[no-any-return]  # a row of the driver
    return row.gross_minor - (row.discount_minor or 0)  # type: ignore[no-any-return]


def last_seen(conn: Connection, ledger_id: int) -> bytes | None:
    """What the last match kept for the next one."""
    body = conn.execute(select(matched.c.body).where(matched.c.ledger_id == ledger_id)).scalar()
    return raw.unpacked(body) if body is not None else None


def keep_seen(conn: Connection, ledger_id: int, body: bytes) -> None:
    """Keep what this match saw."""
    bulk.upsert(conn, matched, ("ledger_id", "body"), [(ledger_id, *raw.packed([body]))])


def customers(conn: Connection, ledger_id: int) -> tuple[CustomerRow, ...]:
    """Everybody who may owe."""
    c = customer.c
    query = select(c.id, c.name, c.aliases, c.parent_id, c.currency, c.active)
    rows = conn.execute(query.where(c.ledger_id == ledger_id, c.gone.is_(False)).order_by(c.id))
    return tuple(
        CustomerRow(r.id, r.name, tuple(json.loads(r.aliases)), r.parent_id, r.currency, r.active)
        for r in rows
    )


def open_of(conn: Connection, ledger_id: int, customer_id: int) -> tuple[ItemRow, ...]:
    """What one customer has open and nothing has spent, as the matcher sees it."""
    return _items(conn, ledger_id, item.c.customer_id == customer_id)[0]


def _items(
    conn: Connection, ledger_id: int, *which: ColumnElement[bool]
) -> tuple[tuple[ItemRow, ...], dict[int, int], frozenset[int]]:
    taken, terms = reserved(conn, ledger_id), books.references(conn, ledger_id, "terms")
    i = item.c
    query = select(
        i.id, i.customer_id, i.kind, i.number, i.reference, i.issued, i.due, i.currency, i.original_minor,
        i.open_minor, i.stated_open_minor, i.terms, i.version,
    ).where(i.ledger_id == ledger_id, i.open_minor != 0, i.gone.is_(False), *which).order_by(i.id)  # fmt: skip
    rows, versions, held = [], {}, set()
    for (
        item_id, owner, kind, number, reference, issued, due, currency, original, still, stated, term, version,
    ) in conn.execute(query).all():  # fmt: skip
        versions[item_id] = version
        if stated is not None and stated != still:
            held.add(item_id)
            continue
        if available := still - taken.get(item_id, 0):
            granted = discount(terms.get(term) if term else None, issued, original)
            references = (reference,) if reference else ()
            rows.append(
                ItemRow(
                    item_id, owner, _KINDS[kind], number, issued, due, currency, original, available, references,
                    *granted,
                )
            )  # fmt: skip
    return tuple(rows), versions, frozenset(held)


def discount(terms: dict[str, Any] | None, issued: date, original_minor: int) -> tuple[int, date | None]:
    """The cash discount that terms grant on an amount, and until when."""
    if not terms or not terms["discount_bp"] or original_minor <= 0:
        return 0, None
    half_up = (original_minor * terms["discount_bp"] * 2 + 10_000) // 20_000
    return half_up, issued + timedelta(days=terms["discount_days"])


def _receipts(conn: Connection, ledger_id: int, where: Any) -> list[Any]:
    query = (
        select(*(receipt.c[name] for name in RECEIPT))
        .join(bank_line, bank_line.c.id == receipt.c.bank_line_id)
        .where(receipt.c.ledger_id == ledger_id, bank_line.c.superseded_by.is_(None), where)
        .order_by(receipt.c.id)
    )
    return list(conn.execute(query).all())


def _booked(conn: Connection, ledger_id: int, since: date) -> tuple[BookedRow, ...]:
    """Payments of the platform that no receipt explains yet."""
    linked = select(receipt.c.payment_id).where(
        receipt.c.ledger_id == ledger_id, receipt.c.payment_id.is_not(None)
    )
    query = (
        select(payment, item.c.customer_id, item.c.currency, item.c.open_minor)
        .join(item, (item.c.ledger_id == payment.c.ledger_id) & (item.c.id == payment.c.id))
        .where(
            payment.c.ledger_id == ledger_id,
            payment.c.total_minor > 0,
            payment.c.on_date >= since,
            item.c.gone.is_(False),
            payment.c.id.not_in(linked),
        )
        .order_by(payment.c.id)
    )
    return tuple(
        BookedRow(r.id, r.customer_id, r.on_date, r.currency, r.total_minor, -r.open_minor, r.reference or "")
        for r in conn.execute(query)
    )
