"""Intents to calls: pure. It shapes what was decided and chooses nothing.

Shape   one receipt is one line on Xero's bank screen: a payment for one invoice, a batch for several in the
        books' own currency, an overpayment that is then allocated where some is left over. Receipts that reached the
        bank as one line stand in a clearing account, and a transfer from there is that line. An intent may take
        several calls; all its answers name the same record. Settling a debit with a credit is one allocation.
Law     amounts asked for are still there in the freshest record, else the answer is `Cannot` "stale"; nothing is
        dated in a locked period. `IsReconciled` is never sent: a person, or Xero itself, matches the bank line.
Markers `arsync:<key>.<generation>.<number>` ends the reference (of an allocation, which has none, nothing does).
Source  README.md of this folder.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NoReturn

from arsync.connectors import exact
from arsync.connectors.contract import (
    Answer,
    ApplyCredits,
    ApplyPayment,
    Bundle,
    Call,
    Cannot,
    Fresh,
    PostCredit,
    PostDeposit,
    PostEntry,
    PostReceipt,
    PostRefund,
    Ref,
    Reverse,
    SetExpected,
    SetNote,
    Settle,
    Verb,
)
from arsync.connectors.xero.mapping import FieldUnreadable, amount, batch_of, day, flag
from arsync.core.money import Money, total
from arsync.errors import Broken

MARKER_FIELD, REFERENCE_WIDTH = "Reference", 255
NOTE_WIDTH = 2500
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KEY_DIGITS = 40  # Xero takes 128 characters
EACH_BY_ITSELF = "?summarizeErrors=false"  # one element that is refused does not refuse the others
Code = Literal[
    "closed_period", "currency_mismatch", "unmapped_adjustment", "stale", "unsupported", "too_long"
]
Row = Mapping[str, Any]


class _CannotBe(Exception):
    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class Site:
    """Where calls go, and what the connection says of them."""

    tenant_id: str
    prepayment_account: str = ""  # code; money for nothing yet is a prepayment there, else an overpayment
    returns_account: str = ""  # code of the account through which returned payments go
    clearing_account: str = ""  # code or id of the bank account in which the payments of a payout wait for it
    payouts_contact: str = "Payouts"  # whose fees they are


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a call says, before its key."""

    verb: Verb
    method: Literal["PUT", "POST", "DELETE"]
    path: str
    body: Mapping[str, Any] | None
    expects: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Task:
    """One intent's surroundings; `made` are the answers of its own earlier calls."""

    bundle: Bundle
    fresh: Fresh
    done: Mapping[int, Answer]
    made: Sequence[Answer]
    number: int
    site: Site

    @property
    def marker(self) -> str:
        return marker(self.bundle.key, self.bundle.generation, self.number)

    def row(self, ref: Ref) -> dict[str, Any]:
        raw = self.fresh.raw.get(ref)
        if raw is None:
            _no("stale", f"{ref.kind} {ref.id} is not among the records read")
        return exact.read_object(raw)


def plan(bundle: Bundle, fresh: Fresh, done: Sequence[Answer], site: Site) -> Call | Cannot | None:
    """The next call of the bundle; None when every intent has all its accepted answers in `done`."""
    for number, intent in enumerate(bundle.intents):
        made = [answer for answer in done if answer.call.number == number]
        latest = {answer.call.number: answer for answer in done}
        task = _Task(bundle, fresh, latest, made, number, site)
        try:
            draft = _DRAFTS.get(type(intent), _never)(intent, task)
        except _CannotBe as stop:
            return Cannot(stop.reason, stop.code)
        except FieldUnreadable as error:
            return Cannot(f"{error.field_name} of a record it touches cannot be read: {error.why}", "stale")
        if draft is not None:
            return _call(draft, task)
    return None


def marker(key: str, generation: int, number: int) -> str:
    """Our name of one created document, as it stands in its reference."""
    return f"arsync:{key}.{generation}.{number}"


def _call(draft: _Draft, task: _Task) -> Call:
    bundle = task.bundle
    named = (
        task.site.tenant_id, draft.verb, bundle.key, str(bundle.generation), str(task.number), str(len(task.made)),
    )  # fmt: skip
    return Call(
        number=task.number,
        verb=draft.verb,
        key=hashlib.sha256("\n".join(named).encode()).hexdigest()[:_KEY_DIGITS],
        method=draft.method,
        path=draft.path,
        body=b"" if draft.body is None else exact.text(draft.body).encode(),
        expects=draft.expects,
    )


def _no(code: Code, reason: str) -> NoReturn:
    raise _CannotBe(code, reason)


def _never(intent: object, _task: _Task) -> NoReturn:
    _no("unsupported", f"Xero takes no {type(intent).__name__}: do it in Xero, and the next pull shows it")


# ---- checks


def _open_period(task: _Task, on: date, what: str) -> None:
    closed = task.fresh.books.closed_until
    if closed is not None and on <= closed:
        _no("closed_period", f"{what} is dated {on}, and the books are locked up to {closed}")


def _debits(task: _Task, settles: Sequence[Settle]) -> dict[str, Money]:
    """How much of which invoice, by its id; checked against the freshest records."""
    sums: dict[Ref, Money] = {}
    for settle in settles:
        sums[settle.item] = sums[settle.item] + settle.amount if settle.item in sums else settle.amount
    return {ref.id.partition(":")[2]: _debit(task, ref, size) for ref, size in sums.items() if size}


def _debit(task: _Task, ref: Ref, size: Money) -> Money:
    if not ref.id.startswith("Invoice:"):
        _no("unsupported", f"{ref.id} cannot be settled by a payment of Xero")
    if size.minor < 0:
        raise Broken(f"{ref.id} is settled from the wrong side: {size.text()}", where=task.marker)
    row = task.row(ref)
    stated = row.get("CurrencyCode") or task.fresh.books.home_currency
    if stated != size.currency:
        _no("currency_mismatch", f"{ref.id} is in {stated}, and {size} is to settle it")
    left = amount(row, "AmountDue", size.currency)
    if row.get("Status") != "AUTHORISED" or size.minor > left.minor:
        _no(
            "stale",
            f"{ref.id} is {row.get('Status')} with {left.text()} left, less than the {size.text()} decided",
        )
    return size


def _credit(task: _Task, ref: Ref, size: Money) -> Row:
    """A credit's freshest record; `size` is how much of it is used, without sign."""
    row = task.row(ref)
    stated = row.get("CurrencyCode") or task.fresh.books.home_currency
    if stated != size.currency:
        _no("currency_mismatch", f"{ref.id} is in {stated}, and {size} of it is to be used")
    left = amount(row, "RemainingCredit", size.currency)
    if row.get("Status") != "AUTHORISED" or size.minor > left.minor:
        _no(
            "stale",
            f"{ref.id} is {row.get('Status')} with {left.text()} left, less than the {size.text()} decided",
        )
    return row


def _account(account: str | None) -> dict[str, str]:
    if not account:
        _no("unsupported", "it is not known which account of Xero the bank account is: arsync bank map")
    return {"AccountID": account}


def _clearing(task: _Task, currency: str) -> dict[str, str]:
    """Where the payments of a payout wait for it."""
    named = task.site.clearing_account
    if not named:
        why = "no account is named in which the payments of a payout wait: arsync connect xero --clearing-account CODE"
        _no("unmapped_adjustment", why)
    if currency != task.fresh.books.home_currency:
        _no("currency_mismatch", f"the payments of a payout wait in {task.fresh.books.home_currency} only")
    return {"AccountID" if _ID.fullmatch(named) else "Code": named}


def _into(intent: PostReceipt, task: _Task) -> dict[str, str]:
    """The account a receipt is booked to."""
    return _clearing(task, intent.total.currency) if intent.grouped else _account(intent.deposit_account)


def _line_account(task: _Task, account: str) -> str:
    """How a line names an account: by its code, which an account of Xero need not have."""
    raw = task.fresh.raw.get(Ref("account", account))
    if raw is None:
        return account
    row = exact.read_object(raw)
    if not row.get("Code"):
        _no(
            "unmapped_adjustment",
            f"the account {row.get('Name')} has no code in Xero, so that no line can name it",
        )
    return str(row["Code"])


def _reference(task: _Task, said: str) -> str:
    words = " ".join(said.split())[: REFERENCE_WIDTH - len(task.marker) - 1].rstrip()
    return f"{words} {task.marker}".lstrip()


# ---- a receipt


def _receipt(intent: PostReceipt, task: _Task) -> _Draft | None:
    settled = total((settle.amount for settle in intent.settles), intent.total.currency)
    rest = intent.total - settled
    if intent.credits_of or rest.minor < 0 or intent.total.minor <= 0:
        raise Broken(f"{intent.total.text()} of cash cannot settle {settled.text()}", where=task.marker)
    if rest:
        return _on_account(intent, task)
    if task.made:
        return None
    _open_period(task, intent.on, "the receipt")
    debits = _debits(task, intent.settles)
    if len(debits) == 1:
        return _payment(intent, task, debits)
    return _batch(intent, task, debits)


def _payment(intent: PostReceipt, task: _Task, debits: Mapping[str, Money]) -> _Draft:
    ((number, size),) = debits.items()
    payment = {
        "Invoice": {"InvoiceID": number},
        "Account": _into(intent, task),
        "Date": intent.on.isoformat(),
        "Amount": size.decimal(),
        "Reference": _reference(task, intent.reference),
    }
    expects = {"Invoices": sizes(debits), "Currency": size.currency, "Date": intent.on.isoformat()}
    if intent.banked is not None:
        payment["BankAmount"] = intent.banked.decimal()
        expects |= {"BankAmount": intent.banked.text(), "BankCurrency": intent.banked.currency}
    return _Draft("post_receipt", "PUT", f"/Payments{EACH_BY_ITSELF}", {"Payments": [payment]}, expects)


def _batch(intent: PostReceipt, task: _Task, debits: Mapping[str, Money]) -> _Draft:
    if intent.total.currency != task.fresh.books.home_currency or intent.banked is not None:
        _no("unsupported", f"Xero takes batches in {task.fresh.books.home_currency} only")
    owners = {task.row(settle.item).get("Contact", {}).get("ContactID") for settle in intent.settles}
    if len(owners) > 1:
        _no(
            "unsupported",
            "a batch for several contacts cannot be told from several receipts: pay them one by one",
        )
    reference = _reference(task, intent.reference)
    body = {
        "Account": _into(intent, task),
        "Date": intent.on.isoformat(),
        # Which of the two Xero keeps depends on the country.
        "Reference": reference,
        "Details": reference,
        "Payments": [
            {"Invoice": {"InvoiceID": number}, "Amount": size.decimal()} for number, size in debits.items()
        ],
    }
    expects = {"Invoices": sizes(debits), "Currency": intent.total.currency, "Date": intent.on.isoformat()}
    return _Draft(
        "post_receipt", "PUT", f"/BatchPayments{EACH_BY_ITSELF}", {"BatchPayments": [body]}, expects
    )


def _on_account(intent: PostReceipt, task: _Task) -> _Draft | None:
    """The whole receipt as an overpayment, one line on the bank screen; then what it settles."""
    if task.made:
        debits = _debits(task, intent.settles) if len(task.made) == 1 else {}
        ref = task.made[0].ref
        return _allocation("post_receipt", task, ref, debits, ()) if ref and debits else None
    _open_period(task, intent.on, "the receipt")
    if intent.banked is not None:
        _no("unsupported", f"money of {intent.banked} cannot be left over in {intent.total.currency}")
    debits = _debits(task, intent.settles)
    prepaid = bool(task.site.prepayment_account) and not debits
    line: dict[str, Any] = {
        "Description": f"receipt of {intent.total} {task.marker}",
        "Quantity": 1,
        "UnitAmount": intent.total.decimal(),
    }
    line |= {"AccountCode": task.site.prepayment_account} if prepaid else {}
    body = {
        "Type": "RECEIVE-PREPAYMENT" if prepaid else "RECEIVE-OVERPAYMENT",
        "Contact": {"ContactID": intent.customer.id},
        "BankAccount": _into(intent, task),
        "Date": intent.on.isoformat(),
        "LineAmountTypes": "Inclusive" if prepaid else "NoTax",
        "Reference": _reference(task, intent.reference),
        "LineItems": [line],
    }
    expects = {
        "Contact": intent.customer.id,
        "Currency": intent.total.currency,
        "Total": intent.total.text(),
        "Date": intent.on.isoformat(),
        "Later": sizes(debits),
    }
    return _Draft(
        "post_receipt", "PUT", f"/BankTransactions{EACH_BY_ITSELF}", {"BankTransactions": [body]}, expects
    )


# ---- credits


_ALLOCATED = {"CreditNote": "CreditNotes", "Overpayment": "Overpayments", "Prepayment": "Prepayments"}


def document_of(ref: Ref) -> tuple[str, str]:
    """Where a credit is kept: ("Overpayments", id) for "Payment:Overpayment:<id>"."""
    name, _, number = ref.id.removeprefix("Payment:").rpartition(":")
    if name not in _ALLOCATED:
        _no("unsupported", f"{ref.id} holds nothing that could be used for another invoice")
    return _ALLOCATED[name], number


def _allocation(
    verb: Verb, task: _Task, credit: Ref, debits: Mapping[str, Money], before: Sequence[str]
) -> _Draft:
    entity, number = document_of(credit)
    currency = next(iter(debits.values())).currency
    listed = [
        {"Invoice": {"InvoiceID": invoice}, "Amount": size.decimal(), "Date": _today_of(task).isoformat()}
        for invoice, size in debits.items()
    ]
    expects = {"Invoices": sizes(debits), "Currency": currency, "Before": " ".join(before), "Of": credit.id}
    path = f"/{entity}/{number}/Allocations"
    return _Draft(verb, "PUT", path, {"Allocations": listed}, expects)


def _today_of(task: _Task) -> date:
    """The day an allocation is asked for; Xero dates it itself, with the later of its two documents."""
    intent = task.bundle.intents[task.number]
    if isinstance(intent, PostReceipt | ApplyCredits):
        return intent.on
    assert isinstance(intent, ApplyPayment)
    rows = [task.row(ref) for ref in (intent.payment, *(settle.item for settle in intent.settles))]
    return max(day(row, "Date") for row in rows)


def _apply_credits(intent: ApplyCredits, task: _Task) -> _Draft | None:
    if task.made:
        return None
    if intent.entries_of:
        _no("unsupported", "Xero lets no credit settle an entry")
    debits = _debits(task, [settle for settle in intent.settles if settle.amount.minor > 0])
    held = [settle for settle in intent.settles if settle.amount.minor < 0]
    used = total((size for size in debits.values()), next(iter(debits.values())).currency)
    if len(held) + len(intent.credits_of) != 1:
        raise Broken("one allocation uses one credit", where=task.marker)
    if intent.credits_of:
        answer = task.done.get(intent.credits_of[0])
        if answer is None or answer.ref is None:
            raise Broken(
                f"intent {intent.credits_of[0]} is no credit that was posted before", where=task.marker
            )
        return _allocation("apply", task, answer.ref, debits, ())
    row = _credit(task, held[0].item, used)
    if held[0].amount + used:
        raise Broken(f"{held[0].amount.text()} of credit cannot settle {used.text()}", where=task.marker)
    _later_date_open(task, row, intent.settles)
    return _allocation("apply", task, held[0].item, debits, _allocations(row))


def _apply_payment(intent: ApplyPayment, task: _Task) -> _Draft | None:
    if task.made:
        return None
    if intent.frees or intent.entries_of:
        _no("unsupported", "Xero lets no payment move from what it paid to something else")
    document_of(intent.payment)
    debits = _debits(task, intent.settles)
    used = total(debits.values(), next(iter(debits.values())).currency)
    row = _credit(task, intent.payment, used)
    _later_date_open(task, row, intent.settles)
    return _allocation("apply", task, intent.payment, debits, _allocations(row))


def _later_date_open(task: _Task, credit: Row, settles: Sequence[Settle]) -> None:
    """An allocation is dated with the later of its documents: that day must be open."""
    for settle in settles:
        if settle.amount.minor > 0:
            later = max(day(credit, "Date"), day(task.row(settle.item), "Date"))
            _open_period(task, later, "the allocation")


def _allocations(row: Row) -> list[str]:
    return [str(one.get("AllocationID")) for one in row.get("Allocations") or []]


def _post_credit(intent: PostCredit, task: _Task) -> _Draft | None:
    if task.made:
        return None
    _open_period(task, intent.on, f"the {intent.what}")
    if intent.amount.minor <= 0:
        raise Broken(f"a credit of {intent.amount.text()}", where=task.marker)
    if not intent.product:
        _no("unmapped_adjustment", f"no account is named for {intent.what!r}")
    named = task.row(intent.for_item).get("InvoiceNumber") or intent.for_item.id
    line: dict[str, Any] = {
        "Description": f"{intent.what} on {named}",
        "Quantity": 1,
        "UnitAmount": intent.amount.decimal(),
        "AccountCode": intent.product,
    }
    line |= {"TaxType": intent.tax_code} if intent.tax_code else {}
    body = {
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": intent.customer.id},
        "Date": intent.on.isoformat(),
        "LineAmountTypes": "Inclusive",
        "CurrencyCode": intent.amount.currency,
        "Reference": _reference(task, f"{intent.what} on {named}"),
        "LineItems": [line],
    }
    expects = {
        "Contact": intent.customer.id,
        "Currency": intent.amount.currency,
        "Total": intent.amount.text(),
        "Date": intent.on.isoformat(),
    }
    return _Draft("post_credit", "PUT", f"/CreditNotes{EACH_BY_ITSELF}", {"CreditNotes": [body]}, expects)


# ---- money that the bank gave back


def _post_entry(intent: PostEntry, task: _Task) -> _Draft | None:
    """What is owed again as a new invoice, and the money that left the bank; both through one account that clears."""
    if len(task.made) > 1:
        return None
    through = task.site.returns_account
    if not through:
        why = "no account is named through which returned payments go: arsync connect xero --returns-account CODE"
        _no("unmapped_adjustment", why)
    _open_period(task, intent.on, f"the {intent.what}")
    size, customer = intent.amount, {"ContactID": intent.customer.id}
    said = _reference(task, f"{intent.what} {intent.reference}")
    owed = {"Description": intent.what, "Quantity": 1, "UnitAmount": size.decimal(), "AccountCode": through}
    expects = {"Contact": intent.customer.id, "Currency": size.currency, "Date": intent.on.isoformat()}
    if not task.made:
        body = {
            "Type": "ACCREC", "Status": "AUTHORISED", "Contact": customer, "Date": intent.on.isoformat(),
            "DueDate": intent.on.isoformat(), "LineAmountTypes": "NoTax", "CurrencyCode": size.currency,
            "Reference": said, "LineItems": [owed],
        }  # fmt: skip
        return _Draft(
            "post_entry",
            "PUT",
            f"/Invoices{EACH_BY_ITSELF}",
            {"Invoices": [body]},
            expects | {"Total": size.text()},
        )
    lines, left = [owed], size
    if intent.fee:
        if not intent.fee_account:
            _no("unmapped_adjustment", "no account is named for the bank's fee")
        code = _line_account(task, intent.fee_account)
        lines.append(
            {
                "Description": "bank fee",
                "Quantity": 1,
                "UnitAmount": intent.fee.decimal(),
                "AccountCode": code,
            }
        )
        left = left + intent.fee
    body = {
        "Type": "SPEND", "Contact": customer, "BankAccount": _account(intent.bank_account),
        "Date": intent.on.isoformat(), "LineAmountTypes": "NoTax", "Reference": said, "LineItems": lines,
    }  # fmt: skip
    invoice = task.made[0].ref
    assert invoice is not None
    facts = expects | {"Total": left.text(), "Of": invoice.id}
    return _Draft(
        "post_entry", "PUT", f"/BankTransactions{EACH_BY_ITSELF}", {"BankTransactions": [body]}, facts
    )


def _post_refund(intent: PostRefund, task: _Task) -> _Draft | None:
    """A payment against the credit itself, which makes it smaller."""
    if task.made:
        return None
    if intent.amount.minor <= 0:
        raise Broken(f"a refund of {intent.amount.text()}", where=task.marker)
    entity, number = document_of(intent.credit)
    name = entity.removesuffix("s")
    _open_period(task, intent.on, "the refund")
    _credit(task, intent.credit, intent.amount)
    payment = {
        name: {f"{name}ID": number},
        "Account": _account(intent.bank_account),
        "Date": intent.on.isoformat(),
        "Amount": intent.amount.decimal(),
        "Reference": _reference(task, intent.reference),
    }
    size = intent.amount
    expects = {
        f"Back {name}": sizes({number: size}),
        "Currency": size.currency,
        "Date": intent.on.isoformat(),
    }
    return _Draft("refund", "PUT", f"/Payments{EACH_BY_ITSELF}", {"Payments": [payment]}, expects)


# ---- payouts


def _post_deposit(intent: PostDeposit, task: _Task) -> _Draft | None:
    """What the payout's sender kept is spent out of the clearing account, the rest goes over to the bank as its line.

    The payments stand there in full, so that nothing of them is left.
    """
    currency = intent.total.currency
    fee = intent.fee or Money.zero(currency)
    gross = total((one.amount for one in intent.payments), currency)
    if gross - fee != intent.total or fee.minor < 0:
        raise Broken(f"{gross.text()} less {fee.text()} is not {intent.total.text()}", where=task.marker)
    if len(task.made) == (2 if fee else 1):
        return None
    _open_period(task, intent.on, "the payout")
    clearing = _clearing(task, currency)
    if fee and not task.made:
        return _kept_fee(intent, fee, clearing, task)
    if not task.made:
        _all_waiting(intent, task)
    body = {
        "FromBankAccount": clearing,
        "ToBankAccount": _account(intent.deposit_account),
        "Amount": intent.total.decimal(),
        "Date": intent.on.isoformat(),
        "Reference": _reference(task, intent.reference),
    }
    expects = {
        "Amount": intent.total.text(),
        "Currency": currency,
        "Date": intent.on.isoformat(),
        "From": next(iter(clearing.values())),
        "To": intent.deposit_account,
    }
    if task.made and task.made[0].ref is not None:
        expects |= {"Of": task.made[0].ref.id}
    return _Draft("deposit", "PUT", "/BankTransfers", {"BankTransfers": [body]}, expects)


def _kept_fee(intent: PostDeposit, fee: Money, clearing: Mapping[str, str], task: _Task) -> _Draft:
    if not intent.fee_account:
        _no("unmapped_adjustment", "no account is named for the fee of the payout")
    _all_waiting(intent, task)
    line = {
        "Description": f"fee of the payout of {intent.total}",
        "Quantity": 1,
        "UnitAmount": fee.decimal(),
        "AccountCode": _line_account(task, intent.fee_account),
    }
    body = {
        "Type": "SPEND",
        "Contact": {"Name": task.site.payouts_contact},
        "BankAccount": clearing,
        "Date": intent.on.isoformat(),
        "LineAmountTypes": "NoTax",
        "Reference": _reference(task, intent.reference),
        "LineItems": [line],
    }
    expects = {"Total": fee.text(), "Currency": fee.currency, "Date": intent.on.isoformat()}
    return _Draft(
        "deposit", "PUT", f"/BankTransactions{EACH_BY_ITSELF}", {"BankTransactions": [body]}, expects
    )


def _all_waiting(intent: PostDeposit, task: _Task) -> None:
    """Every payment of a payout is what it was decided to be, and stands in the clearing account."""
    for one in intent.payments:
        row, currency = task.row(one.payment), one.amount.currency
        rows = row["Payments"] if one.payment.id.startswith("Payment:Batch:") else [row]
        field_name = "Total" if "RemainingCredit" in row else "Amount"
        shown = total((amount(each, field_name, currency) for each in rows), currency)
        if shown != one.amount:
            _no("stale", f"{one.payment.id} is {shown.text()}, not {one.amount.text()}")
        for each in rows:
            account = each.get("Account")  # an overpayment does not say where it is
            if isinstance(account, Mapping) and task.site.clearing_account not in account.values():
                where = account.get("Name") or account.get("Code") or account.get("AccountID")
                _no("unsupported", f"{one.payment.id} stands in {where}, not in the clearing account")


# ---- taking back


def _reverse(intent: Reverse, task: _Task) -> _Draft | None:
    ref = intent.written
    if ref.id.startswith(("Transfer:", "Spend:")):
        _no(
            "unsupported",
            f"a person takes a payout back: delete its bank transfer and its fee, {ref.id}, in Xero",
        )
    if intent.settles:
        return _take_off(intent, task)
    if task.made:
        return None
    row = task.row(ref)
    kind = ref.id.removeprefix("Payment:").partition(":")[0]
    if kind in {"Overpayment", "Prepayment"}:
        _no(
            "unsupported",
            f"Xero lets no program take back {ref.id}: delete it in Xero (the bank account, the transaction, Options)",
        )
    if kind == "CreditNote":
        _open_period(task, day(row, "Date"), "the credit note")
        body = {"CreditNotes": [{"CreditNoteID": ref.id.partition(":")[2], "Status": "VOIDED"}]}
        return _Draft("reverse", "POST", f"/CreditNotes{EACH_BY_ITSELF}", body, {"Status": "VOIDED"})
    if kind == "Invoice":
        _no(
            "unsupported",
            f"{ref.id} stands beside money that left the bank: void it and delete its Spend Money in Xero",
        )
    if kind == "Allocation":
        note, _, allocation = ref.id.removeprefix("Payment:Allocation:").partition(":")
        _open_period(task, day(row, "Date"), "the allocation")
        path = f"/CreditNotes/{note}/Allocations/{allocation}"
        return _Draft("reverse", "DELETE", path, None, {"Gone": allocation})
    return _delete_payment(ref, row, task)


def _delete_payment(ref: Ref, row: Row, task: _Task) -> _Draft:
    payments = row.get("Payments") if ref.id.startswith("Payment:Batch:") else [row]
    for one in payments or []:
        _open_period(task, day(one, "Date"), "the payment")
        if flag(one, "IsReconciled"):
            _no("unsupported", f"{ref.id} is reconciled with a bank line: unreconcile it in Xero first")
        if ref.id.count(":") == 1 and batch_of(one):
            _no("unsupported", f"{ref.id} is part of a batch, which can only be deleted as a whole")
    entity = "BatchPayments" if ref.id.startswith("Payment:Batch:") else "Payments"
    path = f"/{entity}/{ref.id.rpartition(':')[2]}"
    return _Draft("reverse", "POST", path, {"Status": "DELETED"}, {"Status": "DELETED"})


def _take_off(intent: Reverse, task: _Task) -> _Draft | None:
    """The allocations of a credit to these invoices, one call each, in the order they stand."""
    entity, number = document_of(intent.written)
    off = {settle.item.id.partition(":")[2] for settle in intent.settles}
    row = task.row(intent.written)
    named = [
        one
        for one in row.get("Allocations") or []
        if (one.get("Invoice") or {}).get("InvoiceID") in off and one.get("AllocationID")
    ]
    gone = {answer.call.path.rpartition("/")[2] for answer in task.made}
    following = next((one for one in named if one["AllocationID"] not in gone), None)
    if following is None:
        return None
    _open_period(task, day(following, "Date"), "the allocation")
    path = f"/{entity}/{number}/Allocations/{following['AllocationID']}"
    return _Draft(
        "reverse", "DELETE", path, None, {"Gone": following["AllocationID"], "Of": intent.written.id}
    )


# ---- notes


def _set_note(intent: SetNote, task: _Task) -> _Draft | None:
    if task.made:
        return None
    if intent.where is not None:
        _no("unsupported", "Xero has no fields of one's own: notes go to the invoice's history")
    entity, number = ("Invoices" if intent.item.id.startswith("Invoice:") else "CreditNotes"), intent.item.id
    text = f"arsync: {intent.text or 'nothing pending'}"[:NOTE_WIDTH]
    path = f"/{entity}/{number.partition(':')[2]}/History"
    return _Draft(
        "note", "PUT", path, {"HistoryRecords": [{"Details": text}]}, {"Details": text, "Of": intent.item.id}
    )


def _set_expected(intent: SetExpected, task: _Task) -> _Draft | None:
    """The day alone, on an open invoice; lines and contact are not sent, so they stay as they are.

    Xero takes the day away only by its other name (README.md, "State back").
    """
    if task.made:
        return None
    kind, _, number = intent.item.id.partition(":")
    if kind != "Invoice":
        _no("unsupported", f"{intent.item.id} is no invoice: Xero expects no money for it")
    row = task.row(intent.item)
    if row.get("Status") != "AUTHORISED":
        _no("stale", f"{intent.item.id} is {row.get('Status')}: no money is expected for it")
    _open_period(task, day(row, "Date"), intent.item.id)
    said = intent.on.isoformat() if intent.on is not None else ""
    name = "ExpectedPaymentDate" if said else "ExpectedPaymentDateString"
    body = {"Invoices": [{"InvoiceID": number, name: said}]}
    facts = {"Expected": said, "Of": intent.item.id}
    return _Draft("expect", "POST", f"/Invoices/{number}", body, facts)


def sizes(debits: Mapping[str, Money]) -> str:
    """What is settled, as one comparable text."""
    return " ".join(f"{number}={size.text()}" for number, size in sorted(debits.items()))


_DRAFTS: Mapping[type, Callable[[Any, _Task], _Draft | None]] = {
    PostReceipt: _receipt,
    ApplyCredits: _apply_credits,
    ApplyPayment: _apply_payment,
    PostCredit: _post_credit,
    PostEntry: _post_entry,
    PostRefund: _post_refund,
    PostDeposit: _post_deposit,
    Reverse: _reverse,
    SetNote: _set_note,
    SetExpected: _set_expected,
}
