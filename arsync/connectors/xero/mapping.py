"""Xero's rows to the nouns of core: pure, and nothing that cannot be read becomes a default.

Shape   `read(entity, row, facts)` gives what one row states: records, what cannot be read, what is gone. Payments of a
        batch come together: `batch(number, rows, facts)`.
Sign    debits positive, credits negative; a payment's lines too; a refund is a payment below zero.
Law     invoice original = AmountDue + AmountPaid + AmountCredited, which must be Total - CISDeduction.
Refs    customer "<ContactID>"; items "Invoice:<id>", "CreditNote:<id>", "Receive:<id>"; payments "Payment:<id>",
        "Payment:Batch:<id>", "Payment:Overpayment:<id>", "Payment:Prepayment:<id>",
        "Payment:Allocation:<CreditNoteID>:<AllocationID>", "Payment:Receive:<id>".
Raw     a record's text without what is of other records: a document inside a document is cut down to its name, a
        contact's balances are left out. Else a record would seem to change whenever its neighbour does.
Source  README.md of this folder.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from arsync.connectors import exact
from arsync.connectors.contract import Gone, Record, Ref, Unreadable
from arsync.connectors.xero.zones import zone_of
from arsync.core.items import (
    Account,
    AppliedLine,
    Books,
    Customer,
    ItemKind,
    OpenItem,
    Payment,
    Product,
)
from arsync.core.money import AmountUnreadable, Money, total

Row = Mapping[str, Any]
State = Record | Unreadable | Gone
BOOKS = Ref("books", "books")


@dataclass(frozen=True, slots=True)
class Facts:
    """What one row does not say about itself."""

    home_currency: str
    multicurrency: bool = False


class FieldUnreadable(ValueError):
    """A field of a row holds no readable value."""

    def __init__(self, field_name: str, why: str) -> None:
        super().__init__(field_name, why)
        self.field_name, self.why = field_name, why


def read(entity: str, row: Row, facts: Facts) -> tuple[State, ...]:
    """Everything one row states."""
    return _READERS[entity](row, facts)


def payment_ref(number: str, kind: str = "") -> Ref:
    """The ref of a payment: of its own, or of a batch, overpayment, prepayment ..."""
    return Ref("payment", f"Payment:{kind}:{number}" if kind else f"Payment:{number}")


def _record(ref: Ref, row: Row, value: Callable[[], Any], *, key: str) -> Record | Unreadable:
    raw = exact.text(row).encode()
    if not isinstance(row.get(key), str):
        return Unreadable(ref, raw, key, "missing")
    try:
        return Record(ref, raw, value(), changed=_text(row, "UpdatedDateUTC") or "")
    except FieldUnreadable as bad:
        return Unreadable(ref, raw, bad.field_name, bad.why)


# ---- what of a row is its own

_NAMES = (
    "InvoiceID", "InvoiceNumber", "CreditNoteID", "CreditNoteNumber", "OverpaymentID", "PrepaymentID", "Type",
    "CurrencyCode",
)  # fmt: skip
_DOCUMENTS = ("Invoice", "CreditNote", "Overpayment", "Prepayment")


def named(document: object) -> dict[str, Any]:
    """A document inside another: what it is called, and whose it is."""
    if not isinstance(document, Mapping):
        return {}
    told = {name: document[name] for name in _NAMES if name in document}
    contact = _contact_id(document)
    return told | {"Contact": {"ContactID": contact}} if contact else told


def _own(row: Row, *without: str) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if key not in without}
    for key, value in kept.items():
        if key in _DOCUMENTS:
            kept[key] = named(value)
        elif key == "Contact" and _contact_id(row):
            kept[key] = {"ContactID": _contact_id(row)}
        elif key in {"Allocations", "Payments"} and isinstance(value, list):
            kept[key] = [_own(one) if isinstance(one, Mapping) else one for one in value]
        elif key == "BatchPayment" and isinstance(value, Mapping):
            kept[key] = {"BatchPaymentID": value.get("BatchPaymentID")}
    return kept


def _contact_id(row: Row) -> str | None:
    contact = row.get("Contact")
    return _text(contact, "ContactID") if isinstance(contact, Mapping) else None


# ---- fields


def amount(row: Row, name: str, currency: str) -> Money:
    """An amount that must be there: a number, or a number in quotes as some of Xero's samples have it."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise FieldUnreadable(name, "missing" if value is None else f"{value!r} is not a number")
    try:
        return Money.of(value, currency)
    except AmountUnreadable as error:
        raise FieldUnreadable(name, error.why) from error


_STAMP = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(value: object) -> datetime | None:
    """A moment in either of Xero's spellings; None for what is none. Without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    if stamp := _STAMP.fullmatch(value):
        try:
            return _EPOCH + timedelta(milliseconds=int(stamp[1]))
        except OverflowError:
            return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def day(row: Row, name: str) -> date:
    """A calendar date, which Xero writes as midnight UTC; never moved into another zone."""
    when = instant(row.get(name))
    if when is None:
        value = row.get(name)
        raise FieldUnreadable(name, "missing" if value is None else f"{value!r} is not a date")
    return when.date()


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _must(row: Row, name: str) -> str:
    value = _text(row, name)
    if value is None:
        raise FieldUnreadable(name, "missing" if row.get(name) is None else f"{row[name]!r} is no text")
    return value


def flag(row: Row, name: str) -> bool:
    """True or false, also in quotes; absent is false."""
    value = row.get(name, False)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise FieldUnreadable(name, f"{value!r} is neither true nor false")
    return value


def _list(row: Row, name: str) -> list[Row]:
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise FieldUnreadable(name, "not a list of objects")
    return value


def _currency(row: Row, facts: Facts) -> str:
    stated = row.get("CurrencyCode")
    if isinstance(stated, str) and stated:
        return stated
    if facts.multicurrency or stated not in (None, ""):
        raise FieldUnreadable("CurrencyCode", "missing, and these books hold several currencies")
    return facts.home_currency


def _customer_of(row: Row) -> str:
    contact = _contact_id(row)
    if contact is None:
        raise FieldUnreadable("Contact", "names no contact")
    return contact


def _status(row: Row, known: Iterable[str]) -> str:
    stated = _must(row, "Status")
    if stated not in known:
        raise FieldUnreadable("Status", f"{stated!r} is no status that is known here")
    return stated


# ---- contacts


def _contact(row: Row, _facts: Facts) -> tuple[State, ...]:
    ref = Ref("customer", str(row.get("ContactID", "?")))
    # Balances move without the record's being changed, and "is a customer" with them.
    own = _own(row, "Balances", "IsCustomer", "IsSupplier", "HasAttachments", "ContactGroups", "Attachments")
    if _text(row, "MergedToContactID"):
        return (Gone(ref, _text(row, "UpdatedDateUTC") or ""),)

    def value() -> Customer:
        status = row.get("ContactStatus", "ACTIVE")
        if status not in ("ACTIVE", "ARCHIVED", "GDPRREQUEST"):
            raise FieldUnreadable("ContactStatus", f"{status!r} is no status that is known here")
        return Customer(
            name=_must(row, "Name"),
            active=status == "ACTIVE",
            email=_text(row, "EmailAddress"),
            number=_text(row, "AccountNumber") or _text(row, "ContactNumber"),
        )

    return (_record(ref, own, value, key="ContactID"),)


# ---- documents

_OPEN = ("AUTHORISED", "PAID")
_NOT_YET = (
    "DRAFT",
    "SUBMITTED",
    "DELETED",
)  # nobody owes these: not approved, or thrown away before they were


def _invoice(row: Row, facts: Facts) -> tuple[State, ...]:
    if row.get("Type") == "ACCPAY" or row.get("Status") in _NOT_YET:
        return ()
    ref = Ref("item", f"Invoice:{row.get('InvoiceID', '?')}")

    def value() -> OpenItem:
        if row.get("Type") != "ACCREC":
            raise FieldUnreadable("Type", f"{row.get('Type')!r} is no type that is known here")
        status = _status(row, (*_OPEN, "VOIDED"))
        currency = _currency(row, facts)
        original, left = invoice_amounts(row, currency)
        nothing = Money.zero(currency)
        return OpenItem(
            customer=_customer_of(row),
            kind=ItemKind.INVOICE,
            issued=day(row, "Date"),
            due=day(row, "DueDate"),
            original=nothing if status == "VOIDED" else original,
            stated_open=nothing if status == "VOIDED" else left,
            number=_text(row, "InvoiceNumber"),
            reference=_text(row, "Reference"),
            voided=status == "VOIDED",
            expected=day(row, "ExpectedPaymentDate") if row.get("ExpectedPaymentDate") else None,
        )

    return (_record(ref, _own(row), value, key="InvoiceID"),)


def invoice_amounts(row: Row, currency: str) -> tuple[Money, Money]:
    """What was charged and what is left.

    Raises:
        FieldUnreadable: they contradict the total.
    """
    charged, left = amount(row, "Total", currency), amount(row, "AmountDue", currency)
    if row.get("Status") == "VOIDED":
        return charged, left
    original = left + amount(row, "AmountPaid", currency) + amount(row, "AmountCredited", currency)
    held = (
        amount(row, "CISDeduction", currency) if row.get("CISDeduction") is not None else Money.zero(currency)
    )
    if original not in (charged - held, charged):
        why = f"{charged.text()} is not {original.text()}, what is due, paid and credited together"
        raise FieldUnreadable("Total", why)
    return original, left


def adds_up(row: Row) -> bool:
    """Whether an invoice's amounts agree without more being known of it."""
    names = ("Total", "AmountDue", "AmountPaid", "AmountCredited")
    try:
        charged, *parts = (Decimal(str(row.get(name))) for name in names)
    except ArithmeticError:
        return True  # `read` tells which of them cannot be read
    return row.get("Status") in {"VOIDED", *_NOT_YET} or charged == sum(parts)


def _credit_note(row: Row, facts: Facts) -> tuple[State, ...]:
    if row.get("Type") == "ACCPAYCREDIT" or row.get("Status") in _NOT_YET:
        return ()
    number = str(row.get("CreditNoteID", "?"))
    ref, own = Ref("item", f"CreditNote:{number}"), _own(row)

    def value() -> OpenItem:
        if row.get("Type") != "ACCRECCREDIT":
            raise FieldUnreadable("Type", f"{row.get('Type')!r} is no type that is known here")
        status = _status(row, (*_OPEN, "VOIDED"))
        currency, issued = _currency(row, facts), day(row, "Date")
        nothing = Money.zero(currency)
        return OpenItem(
            customer=_customer_of(row),
            kind=ItemKind.CREDIT_MEMO,
            issued=issued,
            due=issued,
            original=nothing if status == "VOIDED" else -amount(row, "Total", currency),
            stated_open=nothing if status == "VOIDED" else -amount(row, "RemainingCredit", currency),
            number=_text(row, "CreditNoteNumber"),
            reference=_text(row, "Reference"),
            voided=status == "VOIDED",
        )

    record = _record(ref, own, value, key="CreditNoteID")
    return (record, *_allocations(row, own, facts)) if isinstance(record, Record) else (record,)


def _allocations(row: Row, own: Row, facts: Facts) -> Iterable[State]:
    """Each allocation of a credit note settles one invoice with it, and is a payment without cash."""
    note = str(row["CreditNoteID"])
    for one in _list(own, "Allocations"):
        ref = payment_ref(f"{note}:{one.get('AllocationID', '?')}", "Allocation")
        told = {
            **one, "CreditNoteID": note, "CreditNoteNumber": row.get("CreditNoteNumber"), "Contact": own["Contact"],
        }  # fmt: skip

        def value(one: Row = one) -> Payment:
            currency = _currency(row, facts)
            used = amount(one, "Amount", currency)
            return Payment(
                customer=_customer_of(row),
                on=day(one, "Date"),
                total=Money.zero(currency),
                unapplied=Money.zero(currency),
                lines=(_line(one, used), AppliedLine(f"CreditNote:{note}", -used)),
                reference=_text(row, "CreditNoteNumber"),
            )

        yield _record(ref, told, value, key="AllocationID")


def _line(allocation: Row, used: Money) -> AppliedLine:
    invoice = allocation.get("Invoice")
    number = _text(invoice, "InvoiceID") if isinstance(invoice, Mapping) else None
    if number is None:
        raise FieldUnreadable("Invoice", "the allocation names no invoice")
    return AppliedLine(f"Invoice:{number}", used)


def _on_account(kind: str) -> Callable[[Row, Facts], tuple[State, ...]]:
    """Money that came before or beyond what it is for: an overpayment or a prepayment."""
    key, received = f"{kind}ID", {f"RECEIVE-{kind.upper()}", f"AR{kind.upper()}"}
    paid = {f"SPEND-{kind.upper()}", f"AP{kind.upper()}"}

    def states(row: Row, facts: Facts) -> tuple[State, ...]:
        ref = payment_ref(str(row.get(key, "?")), kind)
        if row.get("Type") in paid:
            return ()
        if row.get("Status") == "VOIDED":
            return (Gone(ref, _text(row, "UpdatedDateUTC") or ""),)

        def value() -> Payment:
            if row.get("Type") not in received:
                raise FieldUnreadable("Type", f"{row.get('Type')!r} is no type that is known here")
            _status(row, _OPEN)
            currency = _currency(row, facts)
            return Payment(
                customer=_customer_of(row),
                on=day(row, "Date"),
                total=amount(row, "Total", currency),
                unapplied=amount(row, "RemainingCredit", currency),
                lines=_gathered(_line(x, amount(x, "Amount", currency)) for x in _list(row, "Allocations")),
                reference=_text(row, "Reference"),
            )

        return (_record(ref, _own(row), value, key=key),)

    return states


def _gathered(lines: Iterable[AppliedLine]) -> tuple[AppliedLine, ...]:
    """One line an item: an invoice may have several allocations from one document."""
    sums: dict[str, Money] = {}
    for line in lines:
        sums[line.item] = sums[line.item] + line.amount if line.item in sums else line.amount
    return tuple(AppliedLine(item, size) for item, size in sums.items())


# ---- payments

_REFUNDS: Mapping[str, tuple[str, str]] = {
    "ARCREDITPAYMENT": ("CreditNote", "CreditNote:"),
    "AROVERPAYMENTPAYMENT": ("Overpayment", "Payment:Overpayment:"),
    "ARPREPAYMENTPAYMENT": ("Prepayment", "Payment:Prepayment:"),
}
_OF_BILLS = ("ACCPAYPAYMENT", "APCREDITPAYMENT", "APPREPAYMENTPAYMENT", "APOVERPAYMENTPAYMENT")


def is_of_bills(row: Row) -> bool:
    """Whether a payment is one we make."""
    return row.get("PaymentType") in _OF_BILLS


def batch_of(row: Row) -> str | None:
    """The batch that a payment is part of."""
    inner = row.get("BatchPayment")
    inside = _text(inner, "BatchPaymentID") if isinstance(inner, Mapping) else None
    return _text(row, "BatchPaymentID") or inside


def is_deleted(row: Row) -> bool:
    """Whether a payment is no more."""
    return row.get("Status") == "DELETED"


def _payment(row: Row, facts: Facts) -> tuple[State, ...]:
    if is_of_bills(row):
        return ()
    ref = payment_ref(str(row.get("PaymentID", "?")))
    changed = _text(row, "UpdatedDateUTC") or ""
    if is_deleted(row):
        in_batch = batch_of(row)
        whole = (Gone(payment_ref(in_batch, "Batch"), changed),) if in_batch else ()
        return (*whole, Gone(ref, changed))
    return (_record(ref, _own(row), lambda: _paid([row], facts), key="PaymentID"),)


def _paid(rows: Sequence[Row], facts: Facts) -> Payment:
    """One payment, or all of a batch's: of one contact, in one currency."""
    first = rows[0]
    lines = [_settled(row, facts) for row in rows]
    size = total((line.amount for line in lines), lines[0].amount.currency)
    account = first.get("Account")
    return Payment(
        customer=_payer(first),
        on=day(first, "Date"),
        total=size,
        unapplied=Money.zero(size.currency),
        lines=_gathered(lines),
        reference=_text(first, "Reference"),
        deposit_account=_text(account, "AccountID") if isinstance(account, Mapping) else None,
        # A reconciled payment holds a bank line: it is taken off by a person in Xero, never by us.
        deposited=any(flag(row, "IsReconciled") for row in rows),
    )


def _settled(row: Row, facts: Facts) -> AppliedLine:
    _status(row, ("AUTHORISED",))
    kind = row.get("PaymentType", "ACCRECPAYMENT")
    if kind == "ACCRECPAYMENT":
        document = _document(row, "Invoice")
        return AppliedLine(
            f"Invoice:{_must(document, 'InvoiceID')}", amount(row, "Amount", _currency(document, facts))
        )
    if kind not in _REFUNDS:
        raise FieldUnreadable("PaymentType", f"{kind!r} is no type that is known here")
    name, prefix = _REFUNDS[kind]
    document = _document(row, name)
    size = amount(row, "Amount", _currency(document, facts))
    return AppliedLine(f"{prefix}{_must(document, f'{name}ID')}", -size)


def _document(row: Row, name: str) -> Row:
    found = row.get(name)
    if not isinstance(found, Mapping):
        raise FieldUnreadable(name, "missing")
    return found


def _payer(row: Row) -> str:
    for name in _DOCUMENTS:
        document = row.get(name)
        if isinstance(document, Mapping) and (found := _contact_id(document)):
            return found
    raise FieldUnreadable("Contact", "the payment names no contact")


def batch(number: str, rows: Sequence[Row], facts: Facts) -> tuple[State, ...]:
    """All payments of one batch: one receipt where they are of one contact in one currency, else each its own."""
    sides = {(_who(row), _what(row)) for row in rows}
    if len(sides) > 1:
        return tuple(state for row in rows for state in _payment(row, facts))
    ordered = sorted(rows, key=lambda row: str(row.get("PaymentID")))
    told = {"BatchPaymentID": number, "Payments": [_own(row) for row in ordered]}
    stamps = [_text(row, "UpdatedDateUTC") or "" for row in ordered]
    record = _record(payment_ref(number, "Batch"), told, lambda: _paid(ordered, facts), key="BatchPaymentID")
    if isinstance(record, Record):
        record = Record(record.ref, record.raw, record.value, changed=max(stamps))
    return (record,)


def _who(row: Row) -> str | None:
    try:
        return _payer(row)
    except FieldUnreadable:
        return None


def _what(row: Row) -> object:
    invoice = row.get("Invoice")
    return invoice.get("CurrencyCode") if isinstance(invoice, Mapping) else None


# ---- money received that was never owed: booked at once


def _received(row: Row, facts: Facts) -> tuple[State, ...]:
    if row.get("Type") != "RECEIVE":
        return ()
    number = str(row.get("BankTransactionID", "?"))
    item, ref, own = Ref("item", f"Receive:{number}"), payment_ref(number, "Receive"), _own(row)
    if row.get("Status") in {"DELETED", "VOIDED"}:
        changed = _text(row, "UpdatedDateUTC") or ""
        return (Gone(item, changed), Gone(ref, changed))

    def charge() -> OpenItem:
        _status(row, ("AUTHORISED",))
        currency, on = _currency(row, facts), day(row, "Date")
        return OpenItem(
            customer=_customer_of(row),
            kind=ItemKind.CHARGE,
            issued=on,
            due=on,
            original=amount(row, "Total", currency),
            stated_open=Money.zero(currency),
            reference=_text(row, "Reference"),
        )

    def receipt() -> Payment:
        currency = _currency(row, facts)
        size = amount(row, "Total", currency)
        account = row.get("BankAccount")
        return Payment(
            customer=_customer_of(row),
            on=day(row, "Date"),
            total=size,
            unapplied=Money.zero(currency),
            lines=(AppliedLine(item.id, size),),
            reference=_text(row, "Reference"),
            deposit_account=_text(account, "AccountID") if isinstance(account, Mapping) else None,
            deposited=flag(row, "IsReconciled"),
        )

    owed = _record(item, own, charge, key="BankTransactionID")
    if isinstance(owed, Unreadable):
        return (owed,)
    return (owed, _record(ref, own, receipt, key="BankTransactionID"))


# ---- accounts and the books

_KINDS = {
    "BANK": "bank", "REVENUE": "income", "SALES": "income", "OTHERINCOME": "income", "EXPENSE": "expense",
    "DIRECTCOSTS": "expense", "OVERHEADS": "expense", "CURRLIAB": "liability", "LIABILITY": "liability",
    "TERMLIAB": "liability",
}  # fmt: skip


def _account(row: Row, facts: Facts) -> tuple[State, ...]:
    """An account; one of profit and loss may also carry adjustments, as a product does elsewhere."""
    number, own = str(row.get("AccountID", "?")), _own(row, "HasAttachments", "AddToWatchlist", "TaxType")

    def value() -> Account:
        receivable = row.get("SystemAccount") == "DEBTORS"
        return Account(
            name=_must(row, "Name"),
            kind="receivable" if receivable else _KINDS.get(str(row.get("Type")), "other"),
            currency=_text(row, "CurrencyCode") or (None if facts.multicurrency else facts.home_currency),
            balance=None,
            active=row.get("Status", "ACTIVE") == "ACTIVE",
        )

    account = _record(Ref("account", number), own, value, key="AccountID")
    code = _text(row, "Code")  # which is how a line of a document names its account
    if not isinstance(account, Record) or code is None or row.get("Class") not in ("REVENUE", "EXPENSE"):
        return (account,)

    def carrier() -> Product:
        return Product(f"{code} {_must(row, 'Name')}", number, row.get("Status", "ACTIVE") == "ACTIVE")

    return (account, _record(Ref("product", code), own, carrier, key="AccountID"))


def books(organisation: Row, currencies: Sequence[Row], *, reminds: bool) -> Record | Unreadable:
    """The books as the organisation and its settings state them."""
    told = {
        "Organisation": dict(organisation),
        "Currencies": sorted(str(one.get("Code")) for one in currencies),
        "InvoiceReminders": reminds,
    }
    raw = exact.text(told).encode()
    try:
        return Record(BOOKS, raw, _books(organisation, told["Currencies"], reminds=reminds))
    except FieldUnreadable as bad:
        return Unreadable(BOOKS, raw, bad.field_name, bad.why)


def _books(organisation: Row, currencies: Any, *, reminds: bool) -> Books:  # noqa: ANN401 - built just above
    locks = [
        day(organisation, name)
        for name in ("PeriodLockDate", "EndOfYearLockDate")
        if organisation.get(name) is not None
    ]
    warnings = []
    if reminds:
        warnings.append(
            "Xero sends reminders by itself: turn them off there, or customers are reminded twice"
        )
    if organisation.get("IsDemoCompany") is True:
        warnings.append("this is Xero's demo company, which Xero empties from time to time")
    named = _text(organisation, "Timezone")
    zone = zone_of(named) if named else None
    if named and zone is None:
        warnings.append(
            f"Xero's time zone {named} is not known here: its day is taken to be that of UTC, unless timezone in "
            "arsync.toml says otherwise"
        )
    return Books(
        company=_must(organisation, "Name"),
        home_currency=_must(organisation, "BaseCurrency"),
        multicurrency=len(currencies) > 1,
        closed_until=max(locks, default=None),
        warnings=tuple(warnings),
        zone=zone,
        reminds=reminds,
    )


_READERS: Mapping[str, Callable[[Row, Facts], tuple[State, ...]]] = {
    "Contacts": _contact,
    "Invoices": _invoice,
    "CreditNotes": _credit_note,
    "Payments": _payment,
    "Overpayments": _on_account("Overpayment"),
    "Prepayments": _on_account("Prepayment"),
    "BankTransactions": _received,
    "Accounts": _account,
}
