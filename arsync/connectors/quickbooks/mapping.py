"""QuickBooks rows to the nouns of core: pure, and nothing that cannot be read becomes a default.

Shape   `read(entity, row, ledger)` gives one `Record` or `Unreadable` per thing the row states; a journal
        entry or deposit states one per receivable line, or none.
Sign    debits positive, credits negative; a payment's lines too.
Law     invoice original = TotalAmt - Deposit; payment unapplied = total - sum(lines), or less by what other
        payments use of it, else the payment is `Unreadable`.
Refs    customer "58"; items "Invoice:157", "CreditMemo:12", "JournalEntry:20:0", "Deposit:30:1" (the last
        part is the line's id); payments "Payment:158". A payment line names the entry's line when
        QuickBooks does (TxnLineId) or when the entry is known and only one of its lines fits the customer.
        Otherwise the line's item is "JournalEntry:20" without a line: the store resolves it to the item of
        that entry which belongs to the payment's customer, and queues it if there are several.
Source  README.md of this folder.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

from arsync.connectors import exact
from arsync.connectors.contract import Record, Ref, Unreadable
from arsync.core.items import (
    Account,
    AppliedLine,
    Books,
    Customer,
    ItemKind,
    OpenItem,
    Payment,
    Product,
    Terms,
)
from arsync.core.money import AmountUnreadable, Money, total

Row = Mapping[str, Any]
Key = tuple[str, str]  # entity and id: ("JournalEntry", "20")


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One receivable line of a journal entry or deposit."""

    item: str  # "JournalEntry:20:0"
    customer: str
    is_debit: bool


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What one row does not say about itself."""

    home_currency: str
    multicurrency: bool = False
    receivable: frozenset[str] = frozenset()  # ids of the accounts receivable
    entries: Mapping[Key, tuple[EntryLine, ...]] = field(default_factory=dict)


class FieldUnreadable(ValueError):
    """A field of a row holds no readable value."""

    def __init__(self, field_name: str, why: str) -> None:
        super().__init__(field_name, why)
        self.field_name, self.why = field_name, why


def read(entity: str, row: Row, ledger: LedgerFacts) -> tuple[Record | Unreadable, ...]:
    """Everything one row states."""
    if entity in _LINES_OF:
        try:
            lines = _receivable_lines(entity, row, ledger)
        except FieldUnreadable as bad:
            ref = Ref("item", f"{entity}:{row.get('Id', '?')}")
            return (Unreadable(ref, exact.text(row).encode(), bad.field_name, bad.why),)
        return tuple(_entry_line(entity, row, line, ledger) for line in lines)
    kind, prefix, reader = _READERS[entity]
    ref = Ref(kind, f"{prefix}{row.get('Id', '?')}")
    return (_record(ref, row, lambda: reader(row, ledger)),)


def ref_of(entity: str, number: str) -> Ref:
    """The ref of a row that gives exactly one record, or of a whole entry (journal entry, deposit)."""
    if entity in _LINES_OF:
        return Ref("item", f"{entity}:{number}")
    kind, prefix, _ = _READERS[entity]
    return Ref(kind, f"{prefix}{number}")


def _record(ref: Ref, row: Row, value: Callable[[], Any]) -> Record | Unreadable:
    raw = exact.text(row).encode()
    if not isinstance(row.get("Id"), str):
        return Unreadable(ref, raw, "Id", "missing")
    try:
        return Record(ref, raw, value(), changed=_changed(row), version=str(row.get("SyncToken", "")))
    except FieldUnreadable as bad:
        return Unreadable(ref, raw, bad.field_name, bad.why)


def _changed(row: Row) -> str:
    return _inner(row, "MetaData", "LastUpdatedTime") or ""


# ---- fields


def amount(row: Row, name: str, currency: str) -> Money:
    """An amount that must be there, as a number."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise FieldUnreadable(name, "missing" if value is None else f"{value!r} is not a number")
    try:
        return Money.of(value, currency)
    except AmountUnreadable as error:
        raise FieldUnreadable(name, error.why) from error


def _amount_or_none(row: Row, name: str, currency: str) -> Money | None:
    return None if row.get(name) is None else amount(row, name, currency)


def _day(row: Row, name: str) -> date:
    value = row.get(name)
    try:
        return date.fromisoformat(value or "")
    except (ValueError, TypeError):
        raise FieldUnreadable(name, "missing" if value is None else f"{value!r} is not a date") from None


def _currency(row: Row, ledger: LedgerFacts) -> str:
    stated = _inner(row, "CurrencyRef", "value")
    if stated:
        return stated
    if row.get("CurrencyRef") is not None:
        raise FieldUnreadable("CurrencyRef", f"{row['CurrencyRef']!r} names no currency")
    if ledger.multicurrency:
        raise FieldUnreadable("CurrencyRef", "missing, and these books hold several currencies")
    return ledger.home_currency


def _inner(row: Row, name: str, key: str = "value") -> str | None:
    holder = row.get(name)
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) and value else None


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _must(row: Row, name: str) -> str:
    value = _inner(row, name)
    if value is None:
        raise FieldUnreadable(name, "missing")
    return value


def _name(row: Row, name: str) -> str:
    value = _text(row, name)
    if value is None:
        raise FieldUnreadable(name, "missing")
    return value


def _rate(row: Row) -> Decimal | None:
    value = row.get("ExchangeRate")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int) or value <= 0:
        raise FieldUnreadable("ExchangeRate", f"{value!r} is not a rate")
    return Decimal(value)


def _flag(row: Row, name: str, *, absent: bool) -> bool:
    value = row.get(name, absent)
    if not isinstance(value, bool):
        raise FieldUnreadable(name, f"{value!r} is neither true nor false")
    return value


_VOIDED = re.compile(r"\s*Voided\b")


def _voided(row: Row, amount_read: Money) -> bool:
    # There is no flag: a void leaves amounts of zero and writes "Voided" before the private note.
    return not amount_read and bool(_VOIDED.match(_text(row, "PrivateNote") or ""))


# ---- documents


def _invoice(row: Row, ledger: LedgerFacts) -> OpenItem:
    currency = _currency(row, ledger)
    all_of_it = amount(row, "TotalAmt", currency)
    # Properties without a value are left out, so an absent Deposit is a statement: nothing was prepaid.
    prepaid = _amount_or_none(row, "Deposit", currency) or Money.zero(currency)
    return OpenItem(
        customer=_must(row, "CustomerRef"),
        kind=ItemKind.INVOICE,
        issued=_day(row, "TxnDate"),
        due=_day(row, "DueDate"),
        original=all_of_it - prepaid,
        stated_open=amount(row, "Balance", currency),
        number=_text(row, "DocNumber"),
        reference=_order_number(row),
        terms=_inner(row, "SalesTermRef"),
        memo=_text(row, "PrivateNote"),
        rate=_rate(row),
        voided=_voided(row, all_of_it),
    )


_ORDER_FIELDS = frozenset({"po", "ponumber", "pono", "purchaseorder", "purchaseordernumber", "customerpo"})


def _order_number(row: Row) -> str | None:
    stated = _text(row, "PONumber")
    if stated:
        return stated
    for custom in _list(row, "CustomField"):
        name = re.sub(r"[^a-z]", "", str(custom.get("Name", "")).lower())
        if name in _ORDER_FIELDS and _text(custom, "StringValue"):
            return _text(custom, "StringValue")
    return None


def _credit_memo(row: Row, ledger: LedgerFacts) -> OpenItem:
    currency = _currency(row, ledger)
    all_of_it = amount(row, "TotalAmt", currency)
    left = "RemainingCredit" if row.get("RemainingCredit") is not None else "Balance"
    issued = _day(row, "TxnDate")
    return OpenItem(
        customer=_must(row, "CustomerRef"),
        kind=ItemKind.CREDIT_MEMO,
        issued=issued,
        due=issued,
        original=-all_of_it,
        stated_open=-amount(row, left, currency),
        number=_text(row, "DocNumber"),
        reference=_order_number(row),
        terms=_inner(row, "SalesTermRef"),
        memo=_text(row, "PrivateNote"),
        rate=_rate(row),
        voided=_voided(row, all_of_it),
    )


# ---- journal entries and deposits: only their receivable lines are ours


def _list(row: Row, name: str) -> list[Row]:
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(line, Mapping) for line in value):
        raise FieldUnreadable(name, "not a list of objects")
    return value


def _receivable_lines(entity: str, row: Row, ledger: LedgerFacts) -> list[Row]:
    detail = _LINES_OF[entity]
    return [
        line
        for line in _list(row, "Line")
        if isinstance(line.get(detail), Mapping)
        and _inner(line[detail], "AccountRef") in ledger.receivable
        and line.get("Amount") != 0
    ]


def _entry_line(entity: str, row: Row, line: Row, ledger: LedgerFacts) -> Record | Unreadable:
    ref = Ref("item", f"{entity}:{row.get('Id', '?')}:{line.get('Id', '?')}")
    reader = _journal_line if entity == "JournalEntry" else _deposit_line

    def item() -> OpenItem:
        if not isinstance(line.get("Id"), str):
            raise FieldUnreadable("Line.Id", "missing")
        return reader(row, line, ledger)

    return _record(ref, row, item)


def _journal_line(row: Row, line: Row, ledger: LedgerFacts) -> OpenItem:
    detail = line["JournalEntryLineDetail"]
    side = detail.get("PostingType")
    if side not in ("Debit", "Credit"):  # a list cannot be looked up in a set
        raise FieldUnreadable("PostingType", f"{side!r} is neither Debit nor Credit")
    entity = detail.get("Entity")
    if not isinstance(entity, Mapping) or entity.get("Type") != "Customer" or not _inner(entity, "EntityRef"):
        raise FieldUnreadable("Entity", "a line on accounts receivable names no customer")
    kind = ItemKind.JOURNAL_DEBIT if side == "Debit" else ItemKind.JOURNAL_CREDIT
    return _line_item(row, line, ledger, kind, str(_inner(entity, "EntityRef")))


def _deposit_line(row: Row, line: Row, ledger: LedgerFacts) -> OpenItem:
    entity = line["DepositLineDetail"].get("Entity")
    customer = entity.get("value") if isinstance(entity, Mapping) else None
    kind = str(entity.get("type", "customer")).lower() if isinstance(entity, Mapping) else ""
    if kind != "customer" or not isinstance(customer, str) or not customer:
        raise FieldUnreadable("Entity", "a line on accounts receivable names no customer")
    return _line_item(row, line, ledger, ItemKind.DEPOSIT_CREDIT, customer)


def _line_item(row: Row, line: Row, ledger: LedgerFacts, kind: ItemKind, customer: str) -> OpenItem:
    size = amount(line, "Amount", _currency(row, ledger))
    if size.minor < 0:
        raise FieldUnreadable("Amount", f"{size.text()} is negative on a line of accounts receivable")
    issued = _day(row, "TxnDate")
    return OpenItem(
        customer=customer,
        kind=kind,
        issued=issued,
        due=issued,
        original=size if kind.is_debit else -size,
        stated_open=None,
        number=_text(row, "DocNumber"),
        reference=_text(line, "Description"),
        memo=_text(row, "PrivateNote"),
        rate=_rate(row),
    )


def entry_lines(entity: str, row: Row, ledger: LedgerFacts) -> tuple[EntryLine, ...]:
    """The receivable lines of an entry, for resolving the payment lines that point at it."""
    return tuple(
        EntryLine(record.ref.id, record.value.customer, record.value.kind.is_debit)
        for record in read(entity, row, ledger)
        if isinstance(record, Record) and isinstance(record.value, OpenItem)
    )


# ---- payments


@dataclass(frozen=True, slots=True)
class _Link:
    """One link of a payment line; `sign` 0 where the line alone does not tell whether it is a debit."""

    item: str
    size: Money
    sign: int


_SIGNS: Mapping[str, int] = {"Invoice": 1, "CreditMemo": -1, "Deposit": -1, "Payment": -1}
_MOST_UNSIGNED = 10  # 2 to the 10th assignments are tried at most


def _payment(row: Row, ledger: LedgerFacts) -> Payment:
    currency = _currency(row, ledger)
    customer = _must(row, "CustomerRef")
    all_of_it, unapplied = amount(row, "TotalAmt", currency), amount(row, "UnappliedAmt", currency)
    links = [link for line in _list(row, "Line") for link in _links(line, customer, currency, ledger)]
    return Payment(
        customer=customer,
        on=_day(row, "TxnDate"),
        total=all_of_it,
        unapplied=unapplied,
        lines=_signed(links, all_of_it - unapplied),
        reference=_text(row, "PaymentRefNum"),
        deposit_account=_inner(row, "DepositToAccountRef"),
        memo=_text(row, "PrivateNote"),
        rate=_rate(row),
        voided=_voided(row, all_of_it),
        deposited=any(link.get("TxnType") == "Deposit" for link in _list(row, "LinkedTxn")),
    )


def _links(line: Row, customer: str, currency: str, ledger: LedgerFacts) -> Iterable[_Link]:
    if line.get("Amount") == 0:
        return
    for link in _list(line, "LinkedTxn"):
        entity, number = link.get("TxnType"), link.get("TxnId")
        if not isinstance(entity, str) or not isinstance(number, str):
            raise FieldUnreadable("LinkedTxn", f"{exact.text(dict(link))} names no document")
        size = amount(line, "Amount", currency)
        if entity not in _LINES_OF:
            yield _Link(f"{entity}:{number}", size, _SIGNS.get(entity, 0))
            continue
        known = _fitting(ledger.entries.get((entity, number), ()), customer, _text(link, "TxnLineId"))
        sides = {entry.is_debit for entry in known}
        sign = _SIGNS.get(entity, 0) if len(sides) != 1 else (1 if sides == {True} else -1)
        line_id = _text(link, "TxnLineId")
        item = f"{entity}:{number}:{line_id}" if line_id else f"{entity}:{number}"
        yield _Link(known[0].item if len(known) == 1 else item, size, sign)


def _fitting(lines: tuple[EntryLine, ...], customer: str, line_id: str | None) -> tuple[EntryLine, ...]:
    named = tuple(line for line in lines if line_id is not None and line.item.endswith(f":{line_id}"))
    own = tuple(line for line in lines if line.customer == customer)
    # A payment may settle lines of a sub-customer; then the entry's only line is the one that is meant.
    return named or own or lines


def _signed(links: list[_Link], applied: Money) -> tuple[AppliedLine, ...]:
    """The links with the signs under which they add up to what is applied; there must be one such reading."""
    unsigned = sum(link.sign == 0 for link in links)
    if unsigned > _MOST_UNSIGNED:
        raise FieldUnreadable("Line", f"{unsigned} linked documents whose side is unknown")
    choices = product(*((link.sign,) if link.sign else (1, -1) for link in links))
    candidates = {_lines(links, signs) for signs in choices}
    readings = [
        lines
        for lines in sorted(candidates, key=str)
        if total((line.amount for line in lines), applied.currency) == applied
    ]
    if (
        not readings
        and not unsigned
        and total((line.amount for line in next(iter(candidates))), applied.currency) < applied
    ):
        # Another payment has used the rest as a credit; the store sees whether one did, by what is open then.
        return next(iter(candidates))
    if not readings:
        raise FieldUnreadable(
            "Line", f"the lines do not add up to TotalAmt - UnappliedAmt = {applied.text()}"
        )
    if len(readings) > 1:
        raise FieldUnreadable(
            "Line", "the lines add up in more than one way: the sides of linked documents are unknown"
        )
    return readings[0]


def _lines(links: list[_Link], signs: tuple[int, ...]) -> tuple[AppliedLine, ...]:
    return tuple(
        AppliedLine(link.item, link.size if sign > 0 else -link.size)
        for link, sign in zip(links, signs, strict=True)
    )


def entry_links(row: Row) -> list[Row]:
    """The links of a payment's lines that point at journal entries and deposits."""
    lines = row.get("Line")
    return [
        link
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, Mapping) and isinstance(line.get("LinkedTxn"), list)
        for link in line["LinkedTxn"]
        if isinstance(link, Mapping)
        and link.get("TxnType") in _LINES_OF
        and isinstance(link.get("TxnId"), str)
    ]


def linked_entries(row: Row) -> frozenset[Key]:
    """The journal entries and deposits that a payment's lines point at."""
    return frozenset((link["TxnType"], link["TxnId"]) for link in entry_links(row))


def settled(row: Row) -> dict[str, Decimal]:
    """What a payment's lines settle per document, without sign, for comparing: {"Invoice:157": 100.00}."""
    sums: dict[str, Decimal] = {}
    for line in _list(row, "Line"):
        size = line.get("Amount")
        for link in _list(line, "LinkedTxn"):
            if isinstance(size, Decimal | int) and size != 0:
                name = f"{link.get('TxnType')}:{link.get('TxnId')}"
                sums[name] = sums.get(name, Decimal(0)) + size
    return sums


# ---- lists


def _customer(row: Row, ledger: LedgerFacts) -> Customer:
    active = _flag(row, "Active", absent=True)
    name = _name(row, "DisplayName")
    person = " ".join(filter(None, (_text(row, "GivenName"), _text(row, "FamilyName"))))
    others = (
        _text(row, "CompanyName"),
        _text(row, "PrintOnCheckName"),
        _text(row, "FullyQualifiedName"),
        person,
    )
    name = name if active else name.removesuffix(" (deleted)")
    return Customer(
        name=name,
        active=active,
        parent=_inner(row, "ParentRef"),
        currency=_inner(row, "CurrencyRef") or (None if ledger.multicurrency else ledger.home_currency),
        terms=_inner(row, "SalesTermRef"),
        email=_inner(row, "PrimaryEmailAddr", "Address"),
        aliases=tuple(dict.fromkeys(other for other in others if other and other != name)),
        number=_text(row, "AcctNum"),
    )


_BASIS_POINTS = 100  # in one percent


def _terms(row: Row, _ledger: LedgerFacts) -> Terms:
    percent = row.get("DiscountPercent") or 0
    if isinstance(percent, bool) or not isinstance(percent, Decimal | int):
        raise FieldUnreadable("DiscountPercent", f"{percent!r} is not a number")
    points = percent * _BASIS_POINTS
    if points != int(points) or not 0 <= points <= 100 * _BASIS_POINTS:
        raise FieldUnreadable(
            "DiscountPercent", f"{percent} percent is not a whole number of basis points from 0 to 10000"
        )
    return Terms(
        name=_name(row, "Name"),
        due_days=_whole(row, "DueDays"),
        discount_bp=int(points),
        discount_days=_whole(row, "DiscountDays") or 0,
        active=_flag(row, "Active", absent=True),
    )


def _whole(row: Row, name: str) -> int | None:
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int) or value != int(value) or value < 0:
        raise FieldUnreadable(name, f"{value!r} is not a number of days")
    return int(value)


RECEIVABLE_TYPE = "Accounts Receivable"
_ACCOUNT_KINDS: Mapping[str, str] = {
    RECEIVABLE_TYPE: "receivable",
    "Bank": "bank",
    "Income": "income",
    "Other Income": "income",
    "Expense": "expense",
    "Other Expense": "expense",
    "Cost of Goods Sold": "expense",
    "Accounts Payable": "liability",
    "Credit Card": "liability",
    "Other Current Liability": "liability",
    "Long Term Liability": "liability",
}


def _account(row: Row, ledger: LedgerFacts) -> Account:
    currency = _inner(row, "CurrencyRef") or (None if ledger.multicurrency else ledger.home_currency)
    kind = _ACCOUNT_KINDS.get(_name(row, "AccountType"), "other")
    return Account(
        name=_name(row, "Name"),
        kind="undeposited_funds" if row.get("AccountSubType") == "UndepositedFunds" else kind,
        currency=currency,
        balance=_amount_or_none(row, "CurrentBalance", currency) if currency else None,
        active=_flag(row, "Active", absent=True),
    )


def receivable_accounts(rows: Iterable[Row]) -> frozenset[str]:
    """The ids of the accounts receivable among these rows, by type: names are translated and renamed."""
    return frozenset(
        row["Id"] for row in rows if row.get("AccountType") == RECEIVABLE_TYPE and _text(row, "Id")
    )


def _product(row: Row, _ledger: LedgerFacts) -> Product:
    return Product(
        name=_text(row, "FullyQualifiedName") or _name(row, "Name"),
        account=_inner(row, "IncomeAccountRef"),
        active=_flag(row, "Active", absent=True),
    )


_Reader = Callable[[Row, LedgerFacts], Any]
_READERS: Mapping[str, tuple[Any, str, _Reader]] = {
    "Account": ("account", "", _account),
    "Term": ("terms", "", _terms),
    "Item": ("product", "", _product),
    "Customer": ("customer", "", _customer),
    "Invoice": ("item", "Invoice:", _invoice),
    "CreditMemo": ("item", "CreditMemo:", _credit_memo),
    "Payment": ("payment", "Payment:", _payment),
}
_LINES_OF: Mapping[str, str] = {"JournalEntry": "JournalEntryLineDetail", "Deposit": "DepositLineDetail"}
ENTRIES = tuple(_LINES_OF)


# ---- the books

BOOKS = Ref("books", "books")


def books(preferences: Row, company: str) -> Record | Unreadable:
    """The books as the company's preferences state them; `company` is its name."""
    return _record_of_books(preferences, lambda: _books(preferences, company))


def _record_of_books(row: Row, value: Callable[[], Books]) -> Record | Unreadable:
    raw = exact.text(row).encode()
    try:
        return Record(BOOKS, raw, value(), changed=_changed(row), version=str(row.get("SyncToken", "")))
    except FieldUnreadable as bad:
        return Unreadable(BOOKS, raw, bad.field_name, bad.why)


def _books(preferences: Row, company: str) -> Books:
    currencies, accounting = _part(preferences, "CurrencyPrefs"), _part(preferences, "AccountingInfoPrefs")
    home = _inner(currencies, "HomeCurrency")
    if home is None:
        raise FieldUnreadable("HomeCurrency", "missing")
    return Books(
        company=company,
        home_currency=home,
        multicurrency=_flag(currencies, "MultiCurrencyEnabled", absent=False),
        closed_until=_day(accounting, "BookCloseDate") if accounting.get("BookCloseDate") else None,
        warnings=_warnings(_part(preferences, "SalesFormsPrefs")),
    )


_AUTO = {
    "AutoApplyCredit": "QuickBooks applies credits by itself",
    "AutoApplyPayments": "QuickBooks applies payments by itself",
}


def _warnings(forms: Row) -> tuple[str, ...]:
    on = ((name, what) for name, what in _AUTO.items() if forms.get(name) is True)
    return tuple(f"{what}: turn off {name} in the company's settings" for name, what in on)


def _part(row: Row, name: str) -> Row:
    part = row.get(name)
    return part if isinstance(part, Mapping) else {}
