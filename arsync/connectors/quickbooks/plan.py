"""Intents to calls: pure. It shapes what was decided and chooses nothing.

Law     a payment's TotalAmt + its credit lines == its debit lines + what it leaves unapplied.
        Every amount asked for is still there in the freshest record, else the answer is `Cannot` "stale".
Shape   one call an intent, in the order of the bundle; `Call.number` is the intent's position, from 0.
Markers `arsync:<key>.<generation>.<number>` begins the private note of everything we create.
Source  README.md of this folder: two-line form for credits, whole object for payments, PaymentRefNum of 21
        characters.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NoReturn, cast

from arsync.connectors import exact
from arsync.connectors.contract import (
    Answer,
    ApplyCredits,
    ApplyPayment,
    Bundle,
    Call,
    Cannot,
    Fresh,
    Park,
    PostCredit,
    PostDeposit,
    PostEntry,
    PostReceipt,
    Ref,
    Reverse,
    SetNote,
    Settle,
    Verb,
)
from arsync.connectors.quickbooks.mapping import FieldUnreadable, amount, settled
from arsync.core.money import Money, total
from arsync.errors import Broken

MARKER_FIELD, MARKER_WIDTH = "PrivateNote", 4000
_REFERENCE_WIDTH = 21
_NOTE_WIDTH = 1000
_FIELD_WIDTH = 31  # of a custom field's text
_TAG = re.compile(r"\[arsync: [^\]]*\]")
BATCH = 30  # calls in one request
_KEY_DIGITS = 32  # QuickBooks takes 50 characters, and 36 inside a batch
Code = Literal[
    "closed_period", "currency_mismatch", "unmapped_adjustment", "stale", "unsupported", "too_long"
]
_Entity = Literal["Payment", "CreditMemo", "Deposit", "JournalEntry", "Invoice"]
Row = Mapping[str, Any]


class _CannotBe(Exception):
    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a call says, before its key."""

    verb: Verb
    entity: _Entity
    body: Mapping[str, Any]
    expects: Mapping[str, str]
    operation: str = ""


@dataclass(frozen=True, slots=True)
class _Task:
    """One intent's surroundings."""

    bundle: Bundle
    fresh: Fresh
    done: Mapping[int, Answer]
    number: int

    @property
    def marker(self) -> str:
        return marker(self.bundle.key, self.bundle.generation, self.number)

    def row(self, ref: Ref) -> dict[str, Any]:
        raw = self.fresh.raw.get(ref)
        if raw is None:
            _no("stale", f"{ref.kind} {ref.id} is not among the records read")
        return exact.read_object(raw)


@dataclass(frozen=True, slots=True)
class Site:
    """Where calls go."""

    realm_id: str
    minor_version: int


def plan(bundle: Bundle, fresh: Fresh, done: Sequence[Answer], site: Site) -> Call | Cannot | None:
    """The next call of the bundle; None when every intent has its accepted answer in `done`."""
    answers = {answer.call.number: answer for answer in done}
    number = next((n for n in range(len(bundle.intents)) if n not in answers), None)
    if number is None:
        return None
    intent = bundle.intents[number]
    try:
        draft = _DRAFTS[type(intent)](intent, _Task(bundle, fresh, answers, number))
    except _CannotBe as stop:
        return Cannot(stop.reason, stop.code)
    except FieldUnreadable as error:
        return Cannot(f"{error.field_name} of a record it touches cannot be read: {error.why}", "stale")
    return _call(draft, bundle, number, site)


def marker(key: str, generation: int, number: int) -> str:
    """Our name of one created document, as it stands in its private note."""
    return f"arsync:{key}.{generation}.{number}"


def request_key(realm_id: str, verb: Verb, bundle: Bundle, number: int) -> str:
    """The idempotency key: the same for every attempt, another for every generation."""
    named = "\n".join((realm_id, verb, bundle.key, str(number), str(bundle.generation)))
    return hashlib.sha256(named.encode()).hexdigest()[:_KEY_DIGITS]


def _call(draft: _Draft, bundle: Bundle, number: int, site: Site) -> Call:
    query = f"operation={draft.operation}&" if draft.operation else ""
    return Call(
        number=number,
        verb=draft.verb,
        key=request_key(site.realm_id, draft.verb, bundle, number),
        method="POST",
        path=f"/v3/company/{site.realm_id}/{draft.entity.lower()}?{query}minorversion={site.minor_version}",
        body=exact.text(draft.body).encode(),
        expects=draft.expects,
    )


def _no(code: Code, reason: str) -> NoReturn:
    raise _CannotBe(code, reason)


# ---- checks


def _open_period(task: _Task, on: date, what: str) -> None:
    closed = task.fresh.books.closed_until
    if closed is not None and on <= closed:
        _no("closed_period", f"{what} is dated {on}, and the books are closed up to {closed}")


def _right_currency(task: _Task, customer: Ref, currency: str) -> None:
    books = task.fresh.books
    if not books.multicurrency:
        if currency != books.home_currency:
            _no(
                "currency_mismatch", f"an amount in {currency} for books that know {books.home_currency} only"
            )
        return
    stated = _value(task.row(customer), "CurrencyRef")
    if stated != currency:
        _no("currency_mismatch", f"an amount in {currency} for customer {customer.id}, who owes in {stated}")


def _value(row: Row, name: str) -> str | None:
    holder = row.get(name)
    return holder.get("value") if isinstance(holder, Mapping) else None


@dataclass(frozen=True, slots=True)
class _Target:
    """One document that is settled: how to link it, and by how much (without sign)."""

    entity: str
    number: str
    line: str | None
    size: Money

    @property
    def document(self) -> str:
        return f"{self.entity}:{self.number}"

    def link(self) -> dict[str, str]:
        link = {"TxnId": self.number, "TxnType": self.entity}
        return link | {"TxnLineId": self.line} if self.line else link

    def as_line(self) -> dict[str, Any]:
        return {"Amount": self.size.decimal(), "LinkedTxn": [self.link()]}


def _targets(task: _Task, customer: Ref, settles: Sequence[Settle], currency: str) -> list[_Target]:
    """What is settled, one target an item; checked against the freshest records."""
    sums: dict[Ref, Money] = {}
    for settle in settles:
        if settle.amount.currency != currency:
            _no(
                "currency_mismatch",
                f"{settle.item.id} is settled in {settle.amount.currency}, not in {currency}",
            )
        sums[settle.item] = sums.get(settle.item, Money.zero(currency)) + settle.amount
    return [_target(task, customer, item, size) for item, size in sums.items() if size]


def _target(task: _Task, customer: Ref, item: Ref, size: Money) -> _Target:
    entity, number, line = _parts(item)
    row = task.row(item)
    owner, is_debit, left = _SIDES[entity](row, line, size.currency)
    if (size.minor > 0) != is_debit:
        raise Broken(f"{item.id} is settled from the wrong side: {size.text()}", where=task.marker)
    if _value(row, "CurrencyRef") not in {size.currency, None}:
        _no("currency_mismatch", f"{item.id} is in {_value(row, 'CurrencyRef')}, not in {size.currency}")
    if abs(size) > left:
        _no("stale", f"{item.id} has {left.text()} left, less than the {abs(size).text()} decided")
    _same_customer(task, customer, owner, item)
    return _Target(entity, number, line, abs(size))


def _parts(item: Ref) -> tuple[str, str, str | None]:
    entity, _, rest = item.id.partition(":")
    number, _, line = rest.partition(":")
    if entity not in _SIDES or not number:
        _no("unsupported", f"{item.id} cannot be named in a payment of QuickBooks")
    return entity, number, line or None


def _invoice_side(row: Row, _line: str | None, currency: str) -> tuple[str | None, bool, Money]:
    return _value(row, "CustomerRef"), True, amount(row, "Balance", currency)


def _memo_side(row: Row, _line: str | None, currency: str) -> tuple[str | None, bool, Money]:
    left = "RemainingCredit" if row.get("RemainingCredit") is not None else "Balance"
    return _value(row, "CustomerRef"), False, amount(row, left, currency)


def _journal_side(row: Row, line: str | None, currency: str) -> tuple[str | None, bool, Money]:
    found = _entry_row(row, line)
    detail = found.get("JournalEntryLineDetail") or {}
    # The entry states no balance; more than its whole line can never be right.
    owner = _value(detail.get("Entity") or {}, "EntityRef")
    return owner, detail.get("PostingType") == "Debit", amount(found, "Amount", currency)


def _deposit_side(row: Row, line: str | None, currency: str) -> tuple[str | None, bool, Money]:
    found = _entry_row(row, line)
    owner = _value(found.get("DepositLineDetail") or {}, "Entity")
    return owner, False, amount(found, "Amount", currency)


def _entry_row(row: Row, line: str | None) -> Row:
    for candidate in row.get("Line") or []:
        if line is not None and candidate.get("Id") == line:
            found: Row = candidate
            return found
    _no("stale", f"entry {row.get('Id')} has no line {line} any more")


def _payment_side(row: Row, _line: str | None, currency: str) -> tuple[str | None, bool, Money]:
    return _value(row, "CustomerRef"), False, amount(row, "UnappliedAmt", currency)


_Side = Callable[[Row, str | None, str], tuple[str | None, bool, Money]]
_SIDES: Mapping[str, _Side] = {
    "Invoice": _invoice_side,
    "CreditMemo": _memo_side,
    "JournalEntry": _journal_side,
    "Deposit": _deposit_side,
    "Payment": _payment_side,
}
_DEEPEST = 6  # QuickBooks nests customers five levels deep


def _same_customer(task: _Task, payer: Ref, owner: str | None, item: Ref) -> None:
    above = owner
    for _ in range(_DEEPEST):
        if above == payer.id:
            return
        raw = task.fresh.raw.get(Ref("customer", above or ""))
        above = _value(exact.read_object(raw), "ParentRef") if raw else None
        if above is None:
            break
    _no(
        "unsupported",
        f"{item.id} belongs to customer {owner}, and a payment of customer {payer.id} cannot settle it",
    )


def _credits(task: _Task, numbers: Sequence[int]) -> list[_Target]:
    """The credit memos that earlier intents of this bundle created; all of each is used up."""
    targets = []
    for number in numbers:
        intent, answer = task.bundle.intents[number], task.done.get(number)
        if not isinstance(intent, PostCredit) or answer is None or answer.ref is None:
            raise Broken(f"intent {number} is no credit that was posted before", where=task.marker)
        entity, memo, _ = _parts(answer.ref)
        targets.append(_Target(entity, memo, None, intent.amount))
    return targets


def _entries(task: _Task, numbers: Sequence[int]) -> list[_Target]:
    """The receivable lines of entries that earlier intents of this bundle booked; each is settled whole."""
    targets = []
    for number in numbers:
        intent, answer = task.bundle.intents[number], task.done.get(number)
        if not isinstance(intent, PostEntry) or answer is None or answer.ref is None:
            raise Broken(f"intent {number} is no entry that was posted before", where=task.marker)
        entity, entry, line = _parts(answer.ref)
        targets.append(_Target(entity, entry, line, intent.amount))
    return targets


# ---- one draft an intent


def _receipt(intent: PostReceipt, task: _Task) -> _Draft:
    if payment := next((settle.item for settle in intent.settles if settle.item.kind != "item"), None):
        _no(
            "unsupported", f"{payment.id} is a payment: its unapplied part is used by a document without cash"
        )
    targets = _targets(task, intent.customer, intent.settles, intent.total.currency)
    return _new_payment(
        "post_receipt", intent, intent.total, targets + _credits(task, intent.credits_of), task
    )


def _apply_credits(intent: ApplyCredits, task: _Task) -> _Draft:
    made = _credits(task, intent.credits_of) + _entries(task, intent.entries_of)
    amounts = [settle.amount for settle in intent.settles] or [target.size for target in made]
    if not amounts:
        raise Broken("nothing is settled", where=task.marker)
    currency = amounts[0].currency
    targets = _targets(task, intent.customer, intent.settles, currency)
    return _new_payment("apply", intent, Money.zero(currency), targets + made, task)


def _made(task: _Task, numbers: Sequence[int], currency: str) -> Money:
    """What earlier intents of the bundle are worth together."""
    intents = (task.bundle.intents[number] for number in numbers)
    return total((i.amount for i in intents if isinstance(i, PostCredit | PostEntry)), currency)


def _new_payment(
    verb: Verb, intent: PostReceipt | ApplyCredits, cash: Money, targets: list[_Target], task: _Task
) -> _Draft:
    currency, customer = cash.currency, intent.customer
    _open_period(task, intent.on, "the receipt" if cash else "the application of credits")
    _right_currency(task, customer, currency)
    used = total((settle.amount for settle in intent.settles), currency)
    used -= _made(task, intent.credits_of, currency)
    if isinstance(intent, ApplyCredits):
        used += _made(task, intent.entries_of, currency)
    unapplied = cash - used
    if unapplied.minor < 0 or (isinstance(intent, ApplyCredits) and unapplied):
        raise Broken(f"{cash.text()} of cash cannot settle {used.text()} net of credits", where=task.marker)
    body = _head(task, customer, intent.on, currency) | {"TotalAmt": cash.decimal(), "ProcessPayment": False}
    note = [f"{'receipt of' if cash else 'credits applied, no cash,'} {cash}"]
    if isinstance(intent, PostReceipt):
        reference = " ".join(intent.reference.split())
        note += [reference] if reference else []
        body |= {"PaymentRefNum": reference[:_REFERENCE_WIDTH].rstrip()} if reference else {}
        account = intent.deposit_account
        body |= {"DepositToAccountRef": {"value": account}} if account else {}
    body |= {"PrivateNote": _note(task, note), "Line": [target.as_line() for target in targets]}
    return _Draft(verb, "Payment", body, _payment_facts(body, customer.id, cash, unapplied))


def _head(task: _Task, customer: Ref, on: date, currency: str) -> dict[str, Any]:
    head: dict[str, Any] = {"CustomerRef": {"value": customer.id}, "TxnDate": on.isoformat()}
    return head | {"CurrencyRef": {"value": currency}} if task.fresh.books.multicurrency else head


def _note(task: _Task, said: Sequence[str]) -> str:
    return f"{task.marker} {', '.join(said)}"[:_NOTE_WIDTH]


def _payment_facts(body: Row, customer: str, cash: Money, unapplied: Money) -> dict[str, str]:
    return {
        "CustomerRef": customer,
        "Currency": cash.currency,
        "TotalAmt": cash.text(),
        "UnappliedAmt": unapplied.text(),
        "Lines": lines_text(settled(body), cash.currency),
    }


def lines_text(sums: Mapping[str, Decimal], currency: str) -> str:
    """What is settled, as one comparable text: "CreditMemo:12=5.00 Invoice:157=105.00"."""
    return " ".join(
        f"{document}={Money.of(size, currency).text()}" for document, size in sorted(sums.items())
    )


def _post_credit(intent: PostCredit, task: _Task) -> _Draft:
    _open_period(task, intent.on, f"the {intent.what}")
    _right_currency(task, intent.customer, intent.amount.currency)
    if intent.amount.minor <= 0:
        raise Broken(f"a credit of {intent.amount.text()}", where=task.marker)
    if not intent.product:
        _no("unmapped_adjustment", f"no product is named for {intent.what!r}")
    if intent.tax_code == "TAX":
        _no("unmapped_adjustment", f"tax code TAX for {intent.what!r} would add tax on top of its amount")
    product = task.fresh.raw.get(Ref("product", intent.product))
    if product is not None and exact.read_object(product).get("Active") is False:
        _no("unmapped_adjustment", f"the product for {intent.what!r} (id {intent.product}) is not active")
    detail: dict[str, Any] = {"ItemRef": {"value": intent.product}}
    body = _head(task, intent.customer, intent.on, intent.amount.currency)
    if intent.tax_code:
        detail["TaxCodeRef"] = {"value": intent.tax_code}
        # Outside the United States a code's tax would come on top unless the amount is said to hold it
        # already.
        body |= {} if intent.tax_code == "NON" else {"GlobalTaxCalculation": "TaxInclusive"}
    what = f"{intent.what} on {_named(task, intent.for_item)}"
    line = {
        "Amount": intent.amount.decimal(),
        "Description": what,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
    }
    body |= {"PrivateNote": _note(task, [what]), "Line": [line]}
    expects = {
        "CustomerRef": intent.customer.id,
        "Currency": intent.amount.currency,
        "TotalAmt": intent.amount.text(),
    }
    return _Draft("post_credit", "CreditMemo", body, expects)


def _named(task: _Task, item: Ref) -> str:
    raw = task.fresh.raw.get(item)
    number = exact.read_object(raw).get("DocNumber") if raw else None
    entity = item.id.partition(":")[0]
    return f"{entity} {number}" if number else item.id


def _park(intent: Park, task: _Task) -> _Draft:
    """A deposit on the bank account, straight from the waiting account; no customer, no receivable."""
    _open_period(task, intent.on, "the receipt")
    books = task.fresh.books
    if not books.multicurrency and intent.total.currency != books.home_currency:
        _no(
            "currency_mismatch",
            f"an amount in {intent.total.currency} for books that know {books.home_currency} only",
        )
    line = {
        "Amount": intent.total.decimal(),
        "Description": f"payer not known, {intent.reference}",
        "DetailType": "DepositLineDetail",
        "DepositLineDetail": {"AccountRef": {"value": intent.account}},
    }
    body: dict[str, Any] = {
        "TxnDate": intent.on.isoformat(),
        "DepositToAccountRef": {"value": intent.deposit_account},
        "PrivateNote": _note(task, [f"receipt of {intent.total}, payer not known, {intent.reference}"]),
        "Line": [line],
    }
    body |= {"CurrencyRef": {"value": intent.total.currency}} if books.multicurrency else {}
    expects = {
        "Currency": intent.total.currency,
        "TotalAmt": intent.total.text(),
        "DepositTo": intent.deposit_account,
        "From": intent.account,
    }
    return _Draft("park", "Deposit", body, expects)


def _post_entry(intent: PostEntry, task: _Task) -> _Draft:
    """A journal entry: the customer owes again, the bank account has less; the bank's fee is ours to carry."""
    _open_period(task, intent.on, f"the {intent.what}")
    currency = intent.amount.currency
    _right_currency(task, intent.customer, currency)
    if intent.amount.minor <= 0:
        raise Broken(f"an entry of {intent.amount.text()}", where=task.marker)
    said = f"{intent.what}, {intent.reference}" if intent.reference else intent.what
    owes = {"Type": "Customer", "EntityRef": {"value": intent.customer.id}}
    lines = [_journal_line("Debit", intent.amount, intent.receivable, said, owes)]
    gone = intent.amount
    if intent.fee:
        if intent.fee_account is None:
            _no("unmapped_adjustment", "no account is named for the bank's fee")
        lines.append(_journal_line("Debit", intent.fee, intent.fee_account, f"bank fee, {said}"))
        gone += intent.fee
    lines.append(_journal_line("Credit", gone, intent.bank_account, said))
    body: dict[str, Any] = {"TxnDate": intent.on.isoformat(), "PrivateNote": _note(task, [said])}
    body |= {"CurrencyRef": {"value": currency}} if task.fresh.books.multicurrency else {}
    body |= {"Line": lines}
    return _Draft(
        "post_entry", "JournalEntry", body, {"Currency": currency, "Entry": entry_text(body, currency)}
    )


def _journal_line(
    side: str, size: Money, account: str, said: str, entity: Row | None = None
) -> dict[str, Any]:
    detail: dict[str, Any] = {"PostingType": side, "AccountRef": {"value": account}}
    return {
        "Amount": size.decimal(),
        "Description": said[:_NOTE_WIDTH],
        "DetailType": "JournalEntryLineDetail",
        "JournalEntryLineDetail": detail | ({"Entity": entity} if entity else {}),
    }


def entry_text(row: Row, currency: str) -> str:
    """What a journal entry moves, as one comparable text: "Credit 35=112.00 Debit 84/58=112.00"."""
    said = []
    for line in row.get("Line") or []:
        detail = line.get("JournalEntryLineDetail") or {}
        owner = _value(detail.get("Entity") or {}, "EntityRef")
        account = f"{_value(detail, 'AccountRef')}{f'/{owner}' if owner else ''}"
        said.append(f"{detail.get('PostingType')} {account}={amount(line, 'Amount', currency).text()}")
    return " ".join(sorted(said))


def _post_deposit(intent: PostDeposit, task: _Task) -> _Draft:
    """A bank deposit of payments that wait in Undeposited Funds; its total is the bank's own line."""
    _open_period(task, intent.on, "the deposit")
    currency = intent.total.currency
    fee = intent.fee or Money.zero(currency)
    gross = total((one.amount for one in intent.payments), currency)
    if gross - fee != intent.total or fee.minor < 0:
        raise Broken(f"{gross.text()} less {fee.text()} is not {intent.total.text()}", where=task.marker)
    lines = [_banked_line(task, one.payment, one.amount) for one in intent.payments]
    if fee:
        if intent.fee_account is None:
            _no("unmapped_adjustment", "no account is named for the fee of the payout")
        detail = {"AccountRef": {"value": intent.fee_account}}
        lines.append(
            {
                "Amount": (-fee).decimal(),
                "Description": "fee of the payout",
                "DetailType": "DepositLineDetail",
                "DepositLineDetail": detail,
            }
        )
    body: dict[str, Any] = {
        "TxnDate": intent.on.isoformat(),
        "DepositToAccountRef": {"value": intent.deposit_account},
        "PrivateNote": _note(task, [f"bank line of {intent.total}", intent.reference]),
        "Line": lines,
    }
    body |= {"CurrencyRef": {"value": currency}} if task.fresh.books.multicurrency else {}
    expects = {
        "Currency": currency,
        "TotalAmt": intent.total.text(),
        "DepositTo": intent.deposit_account,
        "Banked": banked_text(body, currency),
    }
    return _Draft("deposit", "Deposit", body, expects)


def _banked_line(task: _Task, payment: Ref, size: Money) -> dict[str, Any]:
    row = task.row(payment)
    if any(link.get("TxnType") == "Deposit" for link in row.get("LinkedTxn") or []):
        _no("stale", f"{payment.id} is on a bank deposit already")
    if amount(row, "TotalAmt", size.currency) != size:
        _no("stale", f"{payment.id} is not {size.text()} any more")
    link = {"TxnId": payment.id.partition(":")[2], "TxnType": "Payment", "TxnLineId": "0"}
    return {"Amount": size.decimal(), "LinkedTxn": [link]}


def banked_text(row: Row, currency: str) -> str:
    """What a deposit is made of, as one comparable text: "61=-4.50 Payment:158=100.00"."""
    said = []
    for line in row.get("Line") or []:
        links = line.get("LinkedTxn") or []
        account = _value(line.get("DepositLineDetail") or {}, "AccountRef")
        named = f"{links[0].get('TxnType')}:{links[0].get('TxnId')}" if links else str(account)
        said.append(f"{named}={amount(line, 'Amount', currency).text()}")
    return " ".join(sorted(said))


def _set_note(intent: SetNote, task: _Task) -> _Draft:
    """Our tag in the private note, in place, with what people wrote around it; or a custom field of ours."""
    entity, number, _ = _parts(intent.item)
    if entity not in {"Invoice", "CreditMemo"}:
        _no("unsupported", f"{intent.item.id} carries no note of ours")
    row = task.row(intent.item)
    _open_period(task, date.fromisoformat(str(row.get("TxnDate"))), intent.item.id)
    currency = _value(row, "CurrencyRef") or task.fresh.books.home_currency
    body = {"Id": number, "SyncToken": row.get("SyncToken"), "sparse": True}
    if intent.where is None:
        note = _tagged(row.get("PrivateNote") or "", intent.text)
        if len(note) > MARKER_WIDTH:
            _no("too_long", f"the private note of {intent.item.id} has no room for our tag")
        body, expects = body | {"PrivateNote": note}, {"PrivateNote": note}
    else:
        text = intent.text[:_FIELD_WIDTH]
        fields = _with_field(row, intent.where, text)
        body, expects = body | {"CustomField": fields}, {"CustomField": f"{intent.where}={text}"}
    return _Draft("note", cast("_Entity", entity), body, {"Currency": currency} | expects)


def _tagged(note: str, text: str) -> str:
    tag = f"[arsync: {' '.join(text.replace('[', '(').replace(']', ')').split())}]"
    if _TAG.search(note):
        return _TAG.sub(lambda _: tag, note, count=1)
    return f"{note.rstrip()} {tag}".lstrip()


def _with_field(row: Row, name: str, text: str) -> list[dict[str, Any]]:
    fields = [dict(one) for one in row.get("CustomField") or []]
    if all(one.get("Name") != name for one in fields):
        _no("unsupported", f"the sales forms have no custom field {name!r}")
    return [one | {"StringValue": text} if one.get("Name") == name else one for one in fields]


# ---- changing a payment that exists

_READ_ONLY = frozenset(
    {"UnappliedAmt", "MetaData", "domain", "status", "HomeTotalAmt", "LinkedTxn", "TxnStatus"}
)


def _apply_payment(intent: ApplyPayment, task: _Task) -> _Draft:
    row, currency = _changeable(task, intent.payment)
    customer = Ref("customer", _value(row, "CustomerRef") or "")
    targets = _targets(task, customer, intent.settles, currency) + _entries(task, intent.entries_of)
    used = total((settle.amount for settle in intent.settles), currency)
    used += _made(task, intent.entries_of, currency)
    lines, freed = _freed(_own_lines(row), intent.frees, currency)
    left = amount(row, "UnappliedAmt", currency) + freed
    if used > left:
        _no("stale", f"{intent.payment.id} has {left.text()} unapplied, less than the {used.text()} decided")
    for target in targets:
        lines = _with(lines, target)
    return _changed_payment("apply", row, lines, left - used, currency)


def _reverse(intent: Reverse, task: _Task) -> _Draft:
    if intent.settles:
        return _take_lines_off(intent, task)
    entity, number = intent.written.id.split(":", 1)
    if entity not in {"Payment", "CreditMemo", "JournalEntry", "Deposit"}:
        _no("unsupported", f"{intent.written.id} is nothing arsync creates")
    number = number.partition(":")[0]
    row, currency = _changeable(task, intent.written)
    if "arsync:" not in (row.get("PrivateNote") or ""):
        _no(
            "unsupported",
            f"{intent.written.id} does not carry our marker any more; a person must decide about it",
        )
    body = {"Id": number, "SyncToken": row.get("SyncToken")}
    expects = {"status": "Deleted", "Currency": currency}
    return _Draft("reverse", cast("_Entity", entity), body, expects, "delete")


def _take_lines_off(intent: Reverse, task: _Task) -> _Draft:
    row, currency = _changeable(task, intent.written)
    lines, freed = _freed(_own_lines(row), intent.settles, currency)
    left = amount(row, "UnappliedAmt", currency) + freed
    return _changed_payment("reverse", row, lines, left, currency)


def _freed(
    lines: list[dict[str, Any]], settles: Sequence[Settle], currency: str
) -> tuple[list[dict[str, Any]], Money]:
    """The lines without what is taken back, and how much that sets free."""
    freed = Money.zero(currency)
    for settle in settles:
        entity, number, line = _parts(settle.item)
        lines = _without(lines, _Target(entity, number, line, abs(settle.amount)), currency)
        freed += settle.amount
    return lines, freed


def _changeable(task: _Task, written: Ref) -> tuple[dict[str, Any], str]:
    row = task.row(written)
    on = row.get("TxnDate")
    _open_period(task, date.fromisoformat(on) if isinstance(on, str) else date.min, written.id)
    if any(link.get("TxnType") == "Deposit" for link in row.get("LinkedTxn") or []):
        _no("unsupported", f"{written.id} is on a bank deposit; take it off the deposit in QuickBooks first")
    currency = _value(row, "CurrencyRef") or task.fresh.books.home_currency
    return row, currency


def _own_lines(row: Row) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "LineEx"} for line in row.get("Line") or []]


def _fits(line: Row, target: _Target) -> bool:
    links = line.get("LinkedTxn") or []
    if len(links) != 1 or (links[0].get("TxnId"), links[0].get("TxnType")) != (target.number, target.entity):
        return False
    return target.line is None or links[0].get("TxnLineId") in {None, target.line}


def _with(lines: list[dict[str, Any]], target: _Target) -> list[dict[str, Any]]:
    position = next((n for n, line in enumerate(lines) if _fits(line, target)), None)
    if position is None:
        return [*lines, target.as_line()]
    more = amount(lines[position], "Amount", target.size.currency) + target.size
    return [line | {"Amount": more.decimal()} if n == position else line for n, line in enumerate(lines)]


def _without(lines: list[dict[str, Any]], target: _Target, currency: str) -> list[dict[str, Any]]:
    position = next((n for n, line in enumerate(lines) if _fits(line, target)), None)
    if position is None:
        _no("stale", f"the payment does not settle {target.document} any more")
    less = amount(lines[position], "Amount", currency) - target.size
    if less.minor < 0:
        _no("stale", f"the payment settles less of {target.document} than is to be taken back")
    kept = [lines[position] | {"Amount": less.decimal()}] if less else []
    return [*lines[:position], *kept, *lines[position + 1 :]]


def _changed_payment(
    verb: Verb, row: Row, lines: list[dict[str, Any]], unapplied: Money, currency: str
) -> _Draft:
    kept = {key: value for key, value in row.items() if key not in _READ_ONLY}
    body = kept | {"sparse": False, "ProcessPayment": False, "Line": lines}
    cash = amount(row, "TotalAmt", currency)
    return _Draft(
        verb, "Payment", body, _payment_facts(body, _value(row, "CustomerRef") or "", cash, unapplied)
    )


_DRAFTS: Mapping[type, Callable[[Any, _Task], _Draft]] = {
    PostReceipt: _receipt,
    ApplyCredits: _apply_credits,
    ApplyPayment: _apply_payment,
    PostCredit: _post_credit,
    PostEntry: _post_entry,
    PostDeposit: _post_deposit,
    Park: _park,
    SetNote: _set_note,
    Reverse: _reverse,
}
