"""BAI lockbox files: cheques a bank opened for us, by batch.

Units   amounts are ten digits of minor units. The format names no currency: the profile's, else US dollars.
Shape   decoded text -> drafts, one for each batch; each cheque with its invoices is a remittance too.
Law     the cheques of a batch add up to its total (record 7). The bank books the batch as one deposit: these
        lines are what that deposit is made of, never money beside it.
Errors  `FileRefused` when the file has no batch.
Source  BAI Lockbox Communications Standards (records 1, 2, 5, 6, 4, 7, 8, 9); overflow fields differ by bank
        and are declared in the profile's [lockbox].
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from arsync.connectors.bank import identity, remit, texts
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import BankLineRead, Remittance, RemittanceLine
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused

_DEFAULT_CURRENCY = "USD"
_CENTURY = 80
_BATCH = slice(1, 4)
_BOX, _BOX_DATE = slice(7, 14), slice(14, 20)
_CHEQUE = {"item": slice(4, 7), "amount": slice(7, 17), "routing": slice(17, 26), "account": slice(26, 36)}
_NUMBER, _REST = slice(36, 46), 46
_OVERFLOW = 11
_TOTAL_COUNT, _TOTAL = slice(20, 23), slice(23, 33)


@dataclass(slots=True)
class _Cheque:
    row: str
    line: int
    overflow: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    number: str
    box: str
    day: date | None
    line: int
    cheques: list[_Cheque] = field(default_factory=list)
    total_row: str = ""


def read(text: str, profile: Profile) -> tuple[Draft, ...]:
    """Read the batches of one file."""
    batches = list(_batches(text))
    if not batches:
        raise FileRefused(
            "the file holds no batch (record 5)", do="ask the bank for the file of a day with receipts"
        )
    return tuple(_draft(batch, profile) for batch in batches)


def _batches(text: str) -> Iterator[_Batch]:
    held: _Batch | None = None
    for number, row in enumerate(text.splitlines(), 1):
        kind = row[:1]
        if held is not None and _ends(held, kind, row):
            yield held
            held = None
        if kind == "5":
            held = _Batch("", row[_BOX], _day(row[_BOX_DATE]), number)
        elif kind == "6":
            held = held or _Batch("", "", None, number)
            held.number = row[_BATCH]
            held.cheques.append(_Cheque(row, number))
        elif kind == "4" and held is not None and held.cheques:
            held.cheques[-1].overflow.append(row[_OVERFLOW:].strip())
        elif kind == "7" and held is not None:
            held.number, held.total_row = row[_BATCH], row
    if held is not None:
        yield held


def _ends(held: _Batch, kind: str, row: str) -> bool:
    """Whether this row is of another batch than the one being read."""
    return kind == "5" or bool(held.total_row) or (kind == "6" and held.number not in {"", row[_BATCH]})


def _day(text: str) -> date | None:
    if not text.isascii() or not text.isdigit():
        return None
    try:
        year = int(text[:2])
        return date(year + (2000 if year < _CENTURY else 1900), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def _minor(digits: str, currency: str) -> Money:
    if not digits.isascii() or not digits.isdigit():
        raise AmountUnreadable(digits, "not a whole number of minor units")
    return Money(int(digits), currency)


def _draft(batch: _Batch, profile: Profile) -> Draft:
    currency = profile.currency or _DEFAULT_CURRENCY
    box = batch.box.strip()
    draft = Draft(identity.account_id("lockbox", box), currency, "detail")
    draft.statement_id = f"{box}/{batch.day or ''}/{batch.number}"
    draft.reference = box
    draft.from_date = draft.to_date = batch.day
    if profile.currency is None:
        draft.warnings.append("currency-by-default")
    if batch.total_row:
        try:
            draft.total = _minor(batch.total_row[_TOTAL], currency)
        except AmountUnreadable as error:
            draft.problem("balance-unreadable", f"line {batch.line}", "7", batch.total_row, str(error))
    for cheque in batch.cheques:
        _take(draft, batch, cheque, profile)
    count = texts.count(batch.total_row[_TOTAL_COUNT])
    if count not in {None, 0, len(batch.cheques)}:
        why = f"the bank counts {count} cheques, the file holds {len(batch.cheques)}"
        do = "ask the bank for the whole file"
        draft.problem("control-totals-differ", f"line {batch.line}", "7", batch.total_row, why, do)
    return draft


def _take(draft: Draft, batch: _Batch, cheque: _Cheque, profile: Profile) -> None:
    row, locator = cheque.row, f"line {cheque.line}"
    currency = draft.currency or _DEFAULT_CURRENCY
    raw = "\n".join((row, *cheque.overflow))
    try:
        amount = _minor(row[_CHEQUE["amount"]], currency)
        documents = [_document(given, profile, currency) for given in cheque.overflow if given]
    except AmountUnreadable as error:
        draft.problem("amount-unreadable", locator, "6", raw, str(error))
        return
    item, routing, account = (row[_CHEQUE[name]].strip() for name in ("item", "routing", "account"))
    number = row[_NUMBER].strip().lstrip("0")
    drawn_on = f"{routing} {account}".strip()
    remitter = row[_REST:].strip().lstrip("0123456789").split("  ")[0].strip()
    text, joined, cut = texts.join((remitter, *cheque.overflow))
    content = identity.Content(batch.day or "", None, "lockbox", drawn_on, f"{batch.number}/{item}/{number}")
    key = identity.line_key(draft.account, "C", None, amount, content)
    if batch.day is None:
        why = "the batch has no date"
        draft.problem(
            "date-unreadable", locator, "5", batch.box, why, "look at the deposit and give its date"
        )
    line = BankLineRead(
        locator=locator,
        key=key,
        occurrence=1,
        provider_id=None,
        provider_id_trust="C",
        booking_date=batch.day,
        value_date=None,
        amount=amount,
        payer_name=remitter or None,
        payer_account=drawn_on or None,
        text=text,
        text_joined=joined,
        bank_reference=f"{batch.number}/{item}",
        cheque_number=number or None,
        code_family="lockbox",
        raw_codes={"batch": batch.number, "item": item},
        warnings=cut,
        raw=raw,
    )
    draft.lines.append(line)
    advice = Remittance(
        key="",
        locator=locator,
        on=batch.day,
        payer_name=remitter,
        payer_account=drawn_on,
        currency=currency,
        total=amount,
        grade="bank file",
        reference=number,
        line_key=key,
        lines=tuple(documents),
        raw=raw,
    )
    if documents:
        draft.remittances.append(remit.sealed(advice))


def _document(given: str, profile: Profile, currency: str) -> RemittanceLine:
    """One overflow record: an invoice, with an amount where the profile says how wide the fields are."""
    layout = profile.lockbox
    if layout is None:
        return RemittanceLine(reference=given)
    reference = given[: layout.invoice_width].strip()
    digits = given[layout.invoice_width : layout.invoice_width + layout.amount_width].strip()
    if not digits:
        return RemittanceLine(reference=reference)
    taken_off = digits.startswith("-")
    paid = _minor(digits.lstrip("-+"), currency)
    return RemittanceLine(reference=reference, paid=-paid if taken_off else paid)
