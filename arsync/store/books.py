"""Keep what a platform states: one page of a pull, in one transaction, writing only what changed.

Shape   records come as `contract.Record`; platform ids become our ids at their first mention, so order of
        arrival does not matter.
Law     unchanged input writes zero rows. Applications are append-only: a changed payment adds the
        difference as new rows. item.open_minor == item.original_minor - sum(application.amount_minor of the
        item); 0 when gone.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, func, select

from arsync.connectors.contract import Gone, Page, Record, Ref
from arsync.core.items import Books, Customer, ItemKind, OpenItem, Payment
from arsync.core.money import Money
from arsync.store import bulk, raw
from arsync.store.tables import (
    application,
    bank_account,
    bank_line,
    customer,
    external_ref,
    item,
    item_note,
    item_version,
    ledger,
    payment,
    receipt,
    reference,
)

_DOCUMENTS = frozenset(
    kind.value for kind in (ItemKind.INVOICE, ItemKind.CHARGE, ItemKind.DEBIT_MEMO, ItemKind.CREDIT_MEMO)
)
_REFERENCE_KINDS = frozenset({"terms", "account", "product", "books"})
_ITEM = (
    "ledger_id", "id", "customer_id", "kind", "number", "reference", "issued", "due", "currency", "original_minor",
    "open_minor", "stated_open_minor", "terms", "gone", "raw_sha", "version", "expected",
)  # fmt: skip
_VERSION = (
    "ledger_id",
    "item_id",
    "known_from",
    "known_to",
    "customer_id",
    "issued",
    "due",
    "original_minor",
    "gone",
)
_what_aging_needs = itemgetter(
    *(_ITEM.index(name) for name in ("customer_id", "issued", "due", "original_minor", "gone"))
)
_CUSTOMER = (
    "ledger_id", "id", "name", "active", "parent_id", "currency", "terms", "email", "aliases", "gone",
    "raw_sha", "version",
)  # fmt: skip
_PAYMENT = (
    "ledger_id", "id", "on_date", "total_minor", "unapplied_minor", "reference", "deposit_account", "memo", "deposited",
)  # fmt: skip
_APPLICATION = ("ledger_id", "id", "item_id", "other_id", "pays", "amount_minor", "on_date", "known_at")


@dataclass(slots=True)
class Kept:
    """What a page changed."""

    seen: int = 0
    written: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # by kind
    item_ids: set[int] = field(default_factory=set)  # items whose facts or open amount changed
    left_customers: set[int] = field(
        default_factory=set
    )  # customers that vanished: deleted, or merged into others

    def add(self, other: "Kept") -> None:
        """Count another page too."""
        self.seen += other.seen
        for kind, number in other.written.items():
            self.written[kind] += number
        self.item_ids |= other.item_ids
        self.left_customers |= other.left_customers

    @property
    def total(self) -> int:
        """Records written."""
        return sum(self.written.values())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page belongs."""

    connection_id: int
    ledger_id: int
    at: str


def keep_page(conn: Connection, place: Place, page: Page) -> Kept:
    """Keep a page; what it changed."""
    kept = Kept(seen=len(page.records) + len(page.gone))
    by_kind: dict[str, list[Record]] = defaultdict(list)
    for record in page.records:
        by_kind[record.ref.kind].append(record)
    for kind in sorted(_REFERENCE_KINDS & set(by_kind)):
        kept.written[kind] += _keep_references(conn, place, by_kind[kind])
    _keep_zone(conn, place, by_kind["books"])
    _keep_customers(conn, place, by_kind["customer"], kept)
    _keep_items(conn, place, by_kind["item"] + by_kind["payment"], kept)
    _mark_gone(conn, place, page.gone, kept)
    return kept


def our_ids(conn: Connection, place: Place, kind: str, external_ids: Iterable[str]) -> dict[str, int]:
    """Our ids of platform ids, made at their first mention. Payments are items."""
    wanted = dict.fromkeys(external_ids)
    found = known_ids(conn, place.connection_id, kind, wanted)
    return found | _new_ids(conn, place, kind, [e for e in wanted if e not in found])


def _new_ids(conn: Connection, place: Place, kind: str, new: Sequence[str]) -> dict[str, int]:
    ids = bulk.take_ids(conn, place.ledger_id, kind, len(new))
    bulk.insert(
        conn,
        external_ref,
        ("connection_id", "kind", "external_id", "ledger_id", "id", "from_at"),
        [(place.connection_id, kind, e, place.ledger_id, i, place.at) for e, i in zip(new, ids, strict=True)],
    )
    return dict(zip(new, ids, strict=True))


def known_ids(conn: Connection, connection_id: int, kind: str, external_ids: Iterable[str]) -> dict[str, int]:
    """Our ids of those platform ids that were ever mentioned."""
    rows = bulk.rows_by(
        conn,
        external_ref,
        ("external_id", "id"),
        "external_id",
        external_ids,
        connection_id=connection_id,
        kind=kind,
    )
    return dict(rows)


def platform_refs(conn: Connection, ledger_id: int, kind: str, ids: Iterable[int]) -> dict[int, str]:
    """Platform ids of ours (`kind` is customer or item)."""
    rows = bulk.rows_by(
        conn, external_ref, ("id", "external_id"), "id", set(ids), ledger_id=ledger_id, kind=kind
    )
    return {row.id: row.external_id for row in rows}


def item_ref(external_id: str) -> Ref:
    """The contract's ref of an item: payments have a kind of their own there."""
    return Ref("payment" if external_id.startswith("Payment:") else "item", external_id)


def present(conn: Connection, connection_id: int, kind: str) -> frozenset[str]:
    """Platform ids the store holds as present, so that a full load can find the missing ones."""
    if kind in _REFERENCE_KINDS:
        return frozenset()
    table = customer if kind == "customer" else item
    query = (
        select(external_ref.c.external_id)
        .join(table, (table.c.ledger_id == external_ref.c.ledger_id) & (table.c.id == external_ref.c.id))
        .where(
            external_ref.c.connection_id == connection_id,
            external_ref.c.kind == ("customer" if kind == "customer" else "item"),
            table.c.gone.is_(False),
        )
    )
    if kind == "payment":
        query = query.where(item.c.kind == ItemKind.PAYMENT.value)
    if kind == "item":
        query = query.where(item.c.kind != ItemKind.PAYMENT.value)
    return frozenset(conn.execute(query).scalars())


def items_of(conn: Connection, ledger_id: int, customer_ids: Iterable[int]) -> list[int]:
    """The items these customers hold: open ones first, then the settled."""
    query = select(item.c.id).where(
        item.c.ledger_id == ledger_id,
        item.c.gone.is_(False),
        bulk.among(conn, item.c.customer_id, customer_ids),
    )
    return list(conn.execute(query.order_by(item.c.open_minor == 0, item.c.id)).scalars())


def books_of(conn: Connection, ledger_id: int) -> Books | None:
    """The facts about the whole set of books, as last read."""
    for body in references(conn, ledger_id, "books").values():
        closed = body["closed_until"]
        return Books(
            body["company"],
            body["home_currency"],
            body["multicurrency"],
            date.fromisoformat(closed) if closed else None,
            tuple(body["warnings"]),
            body.get("zone"),  # books that were read before zones were kept say nothing
            body.get("reminds", False),
        )
    return None


def references(conn: Connection, ledger_id: int, kind: str) -> dict[str, dict[str, Any]]:
    """Terms, accounts or products by platform id."""
    query = select(reference.c.external_id, reference.c.body).where(
        reference.c.ledger_id == ledger_id, reference.c.kind == kind, reference.c.gone.is_(False)
    )
    return {row.external_id: json.loads(row.body) for row in conn.execute(query)}


def raw_of(conn: Connection, place: Place, refs: Iterable[Ref]) -> dict[Ref, bytes]:
    """The newest stored raw record of each ref that is known."""
    wanted: dict[str, dict[str, Ref]] = {"customer": {}, "item": {}, "account": {}}
    for ref in refs:
        wanted[ref.kind if ref.kind in wanted else "item"][ref.id] = ref
    shas = _account_shas(conn, place.ledger_id, wanted["account"])
    for kind, table in (("customer", customer), ("item", item)):
        ids = known_ids(conn, place.connection_id, kind, wanted[kind])
        back = {i: wanted[kind][e] for e, i in ids.items()}
        for row in bulk.rows_by(conn, table, ("id", "raw_sha"), "id", back, ledger_id=place.ledger_id):
            shas[back[row.id]] = bytes(row.raw_sha)
    bodies = raw.get_many(conn, shas.values())
    return {ref: bodies[key] for ref, key in shas.items()}


def _account_shas(conn: Connection, ledger_id: int, wanted: Mapping[str, Ref]) -> dict[Ref, bytes]:
    if not wanted:
        return {}
    query = select(reference.c.external_id, reference.c.raw_sha).where(
        reference.c.ledger_id == ledger_id,
        reference.c.kind == "account",
        reference.c.external_id.in_(list(wanted)),
    )
    return {wanted[row.external_id]: bytes(row.raw_sha) for row in conn.execute(query)}


def item_row(conn: Connection, ledger_id: int, item_id: int) -> Any:
    """An item's row; None for one we do not hold."""
    return conn.execute(select(item).where(item.c.ledger_id == ledger_id, item.c.id == item_id)).one_or_none()


def versions(conn: Connection, ledger_id: int, ids: Iterable[int]) -> dict[int, int]:
    """The versions of items, for a decision on them as they are now."""
    return {
        r.id: r.version for r in bulk.rows_by(conn, item, ("id", "version"), "id", ids, ledger_id=ledger_id)
    }


def parent_of(conn: Connection, ledger_id: int, customer_id: int) -> int | None:
    """The customer above."""
    query = select(customer.c.parent_id).where(
        customer.c.ledger_id == ledger_id, customer.c.id == customer_id
    )
    found: int | None = conn.execute(query).scalar()
    return found


def is_deposited(conn: Connection, ledger_id: int, payment_id: int) -> bool:
    """Whether a payment is on a bank deposit, so that the platform does not let it change."""
    query = select(payment.c.deposited).where(payment.c.ledger_id == ledger_id, payment.c.id == payment_id)
    return bool(conn.execute(query).scalar())


def payment_total(conn: Connection, ledger_id: int, payment_id: int) -> int:
    """A payment's total in minor units; 0 for one we do not hold."""
    query = select(payment.c.total_minor).where(payment.c.ledger_id == ledger_id, payment.c.id == payment_id)
    return int(conn.execute(query).scalar() or 0)


def applied_by(conn: Connection, ledger_id: int, payment_id: int) -> dict[int, int]:
    """What a payment settles now, by item."""
    query = (
        select(application.c.item_id, func.sum(application.c.amount_minor))
        .where(
            application.c.ledger_id == ledger_id,
            application.c.other_id == payment_id,
            application.c.pays.is_(False),
        )
        .group_by(application.c.item_id)
    )
    return {item_id: int(minor) for item_id, minor in conn.execute(query) if int(minor)}


def open_minor(conn: Connection, ledger_id: int, item_id: int) -> int:
    """An item's open amount; 0 for one we do not hold."""
    query = select(item.c.open_minor).where(item.c.ledger_id == ledger_id, item.c.id == item_id)
    return int(conn.execute(query).scalar() or 0)


def receivable_accounts(conn: Connection, ledger_id: int, currency: str) -> list[str]:
    """The platform's receivable control accounts of a currency that are in use."""
    return [
        name
        for name, body in sorted(references(conn, ledger_id, "account").items())
        if body["kind"] == "receivable" and body["active"] and body["currency"] in (currency, None)
    ]


def documents(conn: Connection, ledger_id: int, item_ids: Iterable[int]) -> dict[int, int]:
    """Whose items they are; only of those that are documents of their own on the platform, not lines of an entry."""
    rows = bulk.rows_by(
        conn, item, ("id", "customer_id", "kind", "gone"), "id", item_ids, ledger_id=ledger_id
    )
    return {row.id: row.customer_id for row in rows if row.kind in _DOCUMENTS and not row.gone}


def notes(conn: Connection, ledger_id: int) -> dict[int, str]:
    """What the platform's records say of items in our name."""
    query = select(item_note.c.item_id, item_note.c.text).where(item_note.c.ledger_id == ledger_id)
    return dict(conn.execute(query).all())


def keep_note(conn: Connection, ledger_id: int, item_id: int, text: str, decision_id: int) -> None:
    """Remember what is said of an item on the platform."""
    columns = ("ledger_id", "item_id", "text", "decision_id")
    bulk.upsert(conn, item_note, columns, [(ledger_id, item_id, text, decision_id)])


def grouped(conn: Connection, ledger_id: int, bank_line_ids: Iterable[int]) -> set[int]:
    """The bank lines among these that became several receipts: a lump deposit, a payout with its fee."""
    query = (
        select(receipt.c.bank_line_id)
        .where(receipt.c.ledger_id == ledger_id, bulk.among(conn, receipt.c.bank_line_id, bank_line_ids))
        .group_by(receipt.c.bank_line_id)
        .having(func.count() > 1)
    )
    return set(conn.execute(query).scalars())


def deposit_account(conn: Connection, bank_line_id: int) -> str | None:
    """The platform's account that mirrors the bank account of a line."""
    return deposit_accounts(conn, [bank_line_id]).get(bank_line_id)


def deposit_accounts(conn: Connection, bank_line_ids: Iterable[int]) -> dict[int, str | None]:
    """The platform's accounts that mirror the bank accounts of lines."""
    query = (
        select(bank_line.c.id, bank_account.c.deposit_account)
        .join(bank_account, bank_line.c.bank_account_id == bank_account.c.id)
        .where(bulk.among(conn, bank_line.c.id, bank_line_ids))
    )
    return dict(conn.execute(query).all())


# ---- keeping


def _keep_references(conn: Connection, place: Place, records: Sequence[Record]) -> int:
    shas = raw.keep(conn, [record.raw for record in records])
    rows = [
        (
            place.ledger_id,
            r.ref.kind,
            r.ref.id,
            json.dumps(asdict(r.value), default=_plain, sort_keys=True),
            key,
            False,
        )
        for r, key in zip(records, shas, strict=True)
    ]
    return bulk.upsert(
        conn, reference, ("ledger_id", "kind", "external_id", "body", "raw_sha", "gone"), _last_of(rows, 3)
    )


def _keep_zone(conn: Connection, place: Place, records: Sequence[Record]) -> None:
    """Where the ledger's day begins, as the platform says it now."""
    for record in records:
        assert isinstance(record.value, Books)
        zone = record.value.zone
        conn.execute(
            ledger.update()
            .where(ledger.c.id == place.ledger_id, ledger.c.zone.is_distinct_from(zone))
            .values(zone=zone)
        )


def _keep_customers(conn: Connection, place: Place, records: Sequence[Record], kept: Kept) -> None:
    fresh = _fresh(conn, place, "customer", records)
    values = [(one, one.record.value) for one in fresh if isinstance(one.record.value, Customer)]
    if not values:
        return
    parents = our_ids(conn, place, "customer", {value.parent for _, value in values if value.parent})
    mentioned = [one.id for one in fresh if one.mentioned]
    before = bulk.rows_by(
        conn, customer, ("id", "version", "active"), "id", mentioned, ledger_id=place.ledger_id
    )
    known = {row.id: row.version for row in before}
    inactive = {one.id for one, value in values if not value.active}
    kept.left_customers |= {row.id for row in before if row.active and row.id in inactive}
    rows = [
        (
            place.ledger_id, one.id, value.name, value.active, parents[value.parent] if value.parent else None,
            value.currency, value.terms, value.email, json.dumps(value.aliases), False, one.sha,
            known.get(one.id, 0) + 1,
        )
        for one, value in values
    ]  # fmt: skip
    kept.written["customer"] += bulk.upsert(conn, customer, _CUSTOMER, rows)


def _keep_items(conn: Connection, place: Place, records: Sequence[Record], kept: Kept) -> None:
    """Items and payments; then applications of the payments; then open amounts of all that moved."""
    fresh = _fresh(conn, place, "item", records)
    if not fresh:
        return
    mentioned = {one.id for one in fresh if one.mentioned}
    known = _known_items(conn, place, mentioned)
    customers = our_ids(conn, place, "customer", {_value(one.record).customer for one in fresh})
    rows = {one.id: _item_row(place, one, customers, known.get(one.id)) for one in fresh}
    bulk.insert(conn, item, _ITEM, [row for i, row in rows.items() if i not in known])
    bulk.upsert(conn, item, _ITEM, [row for i, row in rows.items() if i in known])
    _keep_versions(conn, place, rows, known)
    for kind, number in Counter(one.record.ref.kind for one in fresh).items():
        kept.written[kind] += number
    payments = {one.id: one.record.value for one in fresh if isinstance(one.record.value, Payment)}
    bulk.upsert(conn, payment, _PAYMENT, [_payment_row(place, i, p) for i, p in payments.items()])
    moved = _keep_applications(conn, place, payments)
    # What nobody had mentioned before this page has no applications but those of this page.
    kept.item_ids |= set(rows) | refresh_open(conn, place.ledger_id, moved | mentioned)
    _tell_planner(conn, rows)


class _Fresh(NamedTuple):  # made once a record: a third of the cost of a frozen dataclass
    """A record that is new, changed or back again; its raw bytes are kept under `sha`."""

    record: Record
    id: int
    sha: bytes
    mentioned: bool  # its platform id was known before this page, so that applications may name it


def _fresh(conn: Connection, place: Place, kind: str, records: Sequence[Record]) -> list[_Fresh]:
    """The records that are not here as they are; a page may state one twice, the last one counts."""
    keyed = {record.ref.id: (record, raw.sha(record.raw)) for record in records}
    if not keyed:
        return []
    here = _here(conn, place, kind, keyed)
    new = {e: one for e, one in keyed.items() if e not in here or here[e][1] != one[1]}
    raw.keep_keyed(conn, {key: record.raw for record, key in new.values()})
    made = _new_ids(conn, place, kind, [e for e in new if e not in here])
    return [_Fresh(record, made.get(e) or here[e][0], key, e in here) for e, (record, key) in new.items()]


def _here(
    conn: Connection, place: Place, kind: str, external_ids: Iterable[str]
) -> dict[str, tuple[int, bytes | None]]:
    """Our id of each platform id that was ever mentioned, and the hash of its record where that is present."""
    table = customer if kind == "customer" else item
    at_home = (table.c.ledger_id == place.ledger_id) & (table.c.id == external_ref.c.id)
    query = (
        select(external_ref.c.external_id, external_ref.c.id, table.c.raw_sha)
        .outerjoin(table, at_home & table.c.gone.is_(False))
        .where(
            external_ref.c.connection_id == place.connection_id,
            external_ref.c.kind == kind,
            bulk.among(conn, external_ref.c.external_id, external_ids),
        )
    )
    return {e: (i, key if key is None else bytes(key)) for e, i, key in conn.execute(query).all()}


def _tell_planner(conn: Connection, ids: Iterable[int]) -> None:
    """On a first load, each time the number of items has grown tenfold."""
    if len(str(min(ids))) != len(str(max(ids))):
        bulk.analyze(conn, external_ref, customer, item, item_version, application)


def _known_items(conn: Connection, place: Place, ids: Iterable[int]) -> dict[int, Any]:
    columns = (
        "id",
        "customer_id",
        "issued",
        "due",
        "original_minor",
        "open_minor",
        "gone",
        "version",
    )
    return {row.id: row for row in bulk.rows_by(conn, item, columns, "id", ids, ledger_id=place.ledger_id)}


def _value(record: Record) -> OpenItem | Payment:
    assert isinstance(record.value, OpenItem | Payment)
    return record.value


def _item_row(place: Place, one: _Fresh, customers: Mapping[str, int], before: Any) -> tuple[Any, ...]:
    value = _value(one.record)
    stated: Money | None
    if isinstance(value, Payment):
        kind, number, ref, issued, due = ItemKind.PAYMENT, value.reference, None, value.on, value.on
        original, stated, terms, expected = -value.total, -value.unapplied, None, None
    else:
        kind, number, ref, issued, due = value.kind, value.number, value.reference, value.issued, value.due
        original, stated, terms = value.original, value.stated_open, value.terms
        expected = value.expected
    open_minor = before.open_minor if before else original.minor  # refresh_open follows
    return (
        place.ledger_id, one.id, customers[value.customer], kind.value, number, ref, issued, due, original.currency,
        original.minor, open_minor, None if stated is None else stated.minor, terms, False,
        one.sha, before.version + 1 if before else 1, expected,
    )  # fmt: skip


def _payment_row(place: Place, our_id: int, value: Payment) -> tuple[Any, ...]:
    return (
        place.ledger_id, our_id, value.on, value.total.minor, value.unapplied.minor, value.reference,
        value.deposit_account, value.memo, value.deposited,
    )  # fmt: skip


def _keep_versions(
    conn: Connection, place: Place, rows: Mapping[int, tuple[Any, ...]], known: Mapping[int, Any]
) -> None:
    """A version row only when a column that aging needs has changed."""
    opened, again, closed = [], [], []
    for our_id, row in rows.items():
        facts, before = _what_aging_needs(row), known.get(our_id)
        version = (place.ledger_id, our_id, place.at, None, *facts)
        if before is None:
            opened.append(version)
        elif facts != (before.customer_id, before.issued, before.due, before.original_minor, before.gone):
            closed.append(our_id)
            again.append(version)
    _close_versions(conn, place, closed)
    bulk.insert(conn, item_version, _VERSION, opened)
    bulk.upsert(conn, item_version, _VERSION, again)


def _close_versions(conn: Connection, place: Place, ids: Iterable[int]) -> None:
    if not (listed := list(ids)):
        return
    conn.execute(
        item_version.update()
        .where(
            item_version.c.ledger_id == place.ledger_id,
            bulk.among(conn, item_version.c.item_id, listed),
            item_version.c.known_to.is_(None),
            item_version.c.known_from != place.at,
        )
        .values(known_to=place.at)
    )


def _keep_applications(conn: Connection, place: Place, payments: Mapping[int, Payment]) -> set[int]:
    """Append what changed between the stored applications of these payments and their lines now.

    The items that moved.
    """
    if not payments:
        return set()
    targets = _targets(conn, place, payments)
    issued = {
        row.id: row.issued
        for row in bulk.rows_by(
            conn, item, ("id", "issued"), "id", set(targets.values()), ledger_id=place.ledger_id
        )
    }
    wanted: dict[tuple[int, int, date], int] = defaultdict(int)
    for our_id, value in payments.items():
        for line in value.lines:
            target = targets[(value.customer, line.item)]
            # A payment that is older than the item it settles is a plain credit until the item exists.
            wanted[(our_id, target, max(value.on, issued.get(target, value.on)))] += line.amount.minor
    stored = _stored_applications(conn, place, payments)
    over = _over(stored, wanted)
    changes = {
        key: wanted[key] - stored.get(key, 0)
        for key in [*wanted, *(k for k in stored if k not in wanted)]
        if key[:2] not in over
    }
    changes = _dated(changes, _entries_of(conn, place, targets))
    return _append(conn, place, {key: minor for key, minor in changes.items() if minor})


def _over(
    stored: Mapping[tuple[int, int, date], int], wanted: Mapping[tuple[int, int, date], int]
) -> set[tuple[int, int]]:
    """Pairs of payer and settled whose history has ended: applied once, taken off on a later day."""
    sums: dict[tuple[int, int], int] = defaultdict(int)
    for (payer, settled, _), minor in stored.items():
        sums[payer, settled] += minor
    named = {key[:2] for key in wanted}
    return {pair for pair, minor in sums.items() if not minor and pair not in named}


def _entries_of(conn: Connection, place: Place, targets: Mapping[tuple[str, str], int]) -> dict[int, date]:
    """The debit lines of entries among what payments settle, and their days."""
    rows = bulk.rows_by(
        conn, item, ("id", "kind", "issued"), "id", set(targets.values()), ledger_id=place.ledger_id
    )
    return {row.id: row.issued for row in rows if row.kind == ItemKind.JOURNAL_DEBIT.value}


def _dated(
    changes: Mapping[tuple[int, int, date], int], entries: Mapping[int, date]
) -> dict[tuple[int, int, date], int]:
    """Changes, where a payment that moves on to a later entry leaves what it settled only on the entry's day.

    That is how a payment the bank gave back is booked: until that day the item was paid.
    """
    moved: dict[int, list[list[Any]]] = defaultdict(list)  # payer -> [day, how much may be dated so]
    for (payer, settled, _), minor in changes.items():
        if settled in entries and minor > 0:
            moved[payer].append([entries[settled], minor])
    dated: dict[tuple[int, int, date], int] = defaultdict(int)
    for (payer, settled, on), minor in changes.items():
        left = minor
        for move in moved[payer] if minor < 0 else ():
            if move[0] > on and left:
                part = min(move[1], -left)
                move[1] -= part
                left += part
                dated[payer, settled, move[0]] -= part
        if left:
            dated[payer, settled, on] += left
    return dated


def _append(conn: Connection, place: Place, changes: Mapping[tuple[int, int, date], int]) -> set[int]:
    ids = iter(bulk.take_ids(conn, place.ledger_id, "application", 2 * len(changes)))
    rows = []
    for (source, target, on), minor in changes.items():
        rows.append((place.ledger_id, next(ids), target, source, False, minor, on, place.at))
        rows.append((place.ledger_id, next(ids), source, target, True, -minor, on, place.at))
    bulk.insert(conn, application, _APPLICATION, rows)
    return {side for source, target, _ in changes for side in (source, target)}


def _targets(conn: Connection, place: Place, payments: Mapping[int, Payment]) -> dict[tuple[str, str], int]:
    """Our item ids of the documents that payment lines name.

    A journal entry named without its line is the one line of that customer.
    """
    named = {(p.customer, line.item) for p in payments.values() for line in p.lines}
    vague = {
        key for key in named if key[1].count(":") == 1 and key[1].startswith(("JournalEntry:", "Deposit:"))
    }
    found: dict[tuple[str, str], int] = {}
    for owner, document in vague:
        if (one := _only_line(conn, place, owner, document)) is not None:
            found[(owner, document)] = one
    rest = named - set(found)
    ids = our_ids(conn, place, "item", (document for _, document in rest))
    found.update({key: ids[key[1]] for key in rest})
    return found


def _only_line(conn: Connection, place: Place, owner: str, document: str) -> int | None:
    owner_id = known_ids(conn, place.connection_id, "customer", [owner]).get(owner)
    query = (
        select(item.c.id)
        .join(external_ref, (external_ref.c.ledger_id == item.c.ledger_id) & (external_ref.c.id == item.c.id))
        .where(
            external_ref.c.connection_id == place.connection_id,
            external_ref.c.kind == "item",
            external_ref.c.external_id.startswith(f"{document}:", autoescape=True),
            item.c.ledger_id == place.ledger_id,
            item.c.customer_id == owner_id,
            item.c.gone.is_(False),
        )
    )
    lines = conn.execute(query).scalars().all()
    return lines[0] if len(lines) == 1 else None


def _stored_applications(
    conn: Connection, place: Place, ids: Iterable[int], *, touching: bool = False
) -> dict[tuple[int, int, date], int]:
    """(payer, settled, date) -> amount of the applications these items pay.

    With `touching`, of those that settle them too.
    """
    a, listed = application.c, list(ids)
    stored: dict[tuple[int, int, date], int] = {}
    for side in (a.other_id, a.item_id) if touching else (a.other_id,):
        query = (
            select(a.other_id, a.item_id, a.on_date, func.sum(a.amount_minor))
            .where(a.ledger_id == place.ledger_id, a.pays.is_(False), bulk.among(conn, side, listed))
            .group_by(a.other_id, a.item_id, a.on_date)
        )
        for payer, settled, on, minor in conn.execute(query).all():
            if int(minor):
                stored[(payer, settled, on)] = int(minor)
    return stored


def refresh_open(conn: Connection, ledger_id: int, ids: Iterable[int]) -> set[int]:
    """Bring open amounts up to date with the applications; the items whose open amount moved."""
    applied = (
        select(func.coalesce(func.sum(application.c.amount_minor), 0))
        .where(application.c.ledger_id == ledger_id, application.c.item_id == item.c.id)
        .scalar_subquery()
    )
    now = case((item.c.gone, 0), else_=item.c.original_minor - applied)
    query = select(item.c.id, item.c.version, now).where(
        item.c.ledger_id == ledger_id, bulk.among(conn, item.c.id, ids), now != item.c.open_minor
    )
    changed = [(ledger_id, i, int(minor), version + 1) for i, version, minor in conn.execute(query)]
    bulk.update(conn, item, ("ledger_id", "id"), ("open_minor", "version"), changed)
    return {row[1] for row in changed}


def _mark_gone(conn: Connection, place: Place, gone: Sequence[Gone], kept: Kept) -> None:
    _mark_references_gone(conn, place, [g.ref for g in gone if g.ref.kind in _REFERENCE_KINDS])
    customers = known_ids(
        conn, place.connection_id, "customer", [g.ref.id for g in gone if g.ref.kind == "customer"]
    )
    for part in bulk.chunks(customers.values()):
        left = conn.execute(
            customer.update()
            .where(
                customer.c.ledger_id == place.ledger_id, customer.c.id.in_(part), customer.c.gone.is_(False)
            )
            .values(gone=True, version=customer.c.version + 1)
            .returning(customer.c.id)
        )
        vanished = set(left.scalars())
        kept.left_customers |= vanished
        kept.written["gone"] += len(vanished)
    named = [g.ref.id for g in gone if g.ref.kind in {"item", "payment"}]
    ids = known_ids(conn, place.connection_id, "item", named)
    before = {i: row for i, row in _known_items(conn, place, ids.values()).items() if not row.gone}
    if not before:
        return
    _close_versions(conn, place, before)
    bulk.upsert(
        conn,
        item_version,
        _VERSION,
        [
            (
                place.ledger_id,
                i,
                place.at,
                None,
                row.customer_id,
                row.issued,
                row.due,
                row.original_minor,
                True,
            )
            for i, row in before.items()
        ],
    )
    bulk.update(
        conn,
        item,
        ("ledger_id", "id"),
        ("gone", "version"),
        [(place.ledger_id, i, True, r.version + 1) for i, r in before.items()],
    )
    stored = _stored_applications(conn, place, before, touching=True)
    moved = _append(conn, place, {key: -minor for key, minor in stored.items()})
    kept.written["gone"] += len(before)
    kept.item_ids |= set(before) | refresh_open(conn, place.ledger_id, moved | set(before))


def _mark_references_gone(conn: Connection, place: Place, refs: Sequence[Ref]) -> None:
    for ref in refs:
        conn.execute(
            reference.update()
            .where(
                reference.c.ledger_id == place.ledger_id,
                reference.c.kind == ref.kind,
                reference.c.external_id == ref.id,
            )
            .values(gone=True)
        )


def _last_of(rows: Sequence[tuple[Any, ...]], keys: int) -> list[tuple[Any, ...]]:
    """One row per key, the last one: a page may state a record twice."""
    return list({row[:keys]: row for row in rows}.values())


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return {"amount": value.text(), "currency": value.currency}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"cannot keep {type(value).__name__}")
