"""Nacha ACH files: entries, returns, notices of change and the remittances in their addenda.

Units   amounts are digits of US cents. The transaction code gives the direction: credits are money in for the
        account they name, debits money out; a returned debit takes back money that was collected.
Shape   decoded text -> drafts, one for each batch.
Law     the entries of a batch come to its control record, and so does what the bank books: one net line. These
        lines are what that line is made of, never money beside it. A return names the trace it takes back.
Errors  `FileRefused` when the file has no batch.
Source  Nacha Operating Rules, appendix three (record formats, SEC codes) and appendix four (return codes).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from arsync.connectors.bank import identity, remit, texts
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import x12
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import BankLineRead, CodeFamily
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused

CURRENCY = "USD"
_WIDTH = 94
_CREDITS, _DEBITS = frozenset("1234"), frozenset("56789")
_RETURNED = frozenset("16")
_ADVICE_CREDITS, _ADVICE_DEBITS = frozenset({"81", "83", "85", "87"}), frozenset({"82", "84", "86", "88"})
_CENTURY = 80
_SEC, _DESCRIPTION, _COMPANY, _COMPANY_ID = slice(50, 53), slice(53, 63), slice(4, 20), slice(40, 50)
_CREATED, _SETTLED, _LONGEST_YEAR = slice(23, 29), slice(75, 78), 366
_EFFECTIVE, _BATCH_NUMBER = slice(69, 75), slice(87, 94)
_DEBIT_TOTAL, _CREDIT_TOTAL = slice(20, 32), slice(32, 44)
_ADV_DEBIT_TOTAL, _ADV_CREDIT_TOTAL = slice(20, 40), slice(40, 60)
_REMITTANCE_SIGNS = ("RMR*", "RMR|", "ST*820", "BPR*")


@dataclass(slots=True)
class _Entry:
    row: str
    line: int
    addenda: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    header: str
    line: int
    entries: list[_Entry] = field(default_factory=list)
    control: str = ""


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where the fields of an entry stand; IAT and ADV have layouts of their own."""

    amount: slice
    account: slice
    number: slice
    name: slice


_USUAL = _Fields(slice(29, 39), slice(12, 29), slice(39, 54), slice(54, 76))
_CTX = _Fields(slice(29, 39), slice(12, 29), slice(39, 54), slice(58, 74))
_IAT = _Fields(slice(29, 39), slice(39, 74), slice(0, 0), slice(0, 0))
_ADV = _Fields(slice(27, 39), slice(12, 27), slice(39, 48), slice(54, 76))
_LAYOUTS = {"CTX": _CTX, "IAT": _IAT, "ADV": _ADV, "ACK": _USUAL, "ATX": _CTX, "TRX": _CTX, "ENR": _CTX}


def read(text: str, profile: Profile) -> tuple[Draft, ...]:
    """Read the batches of one file."""
    rows = list(_rows(text))
    created = next((_day(row[_CREATED]) for _, row in rows if row[0] == "1"), None)
    batches = list(_batches(rows))
    if not batches:
        raise FileRefused(
            "the file holds no batch (record 5)", do="ask the bank for the file of a day with entries"
        )
    return tuple(_draft(batch, created, profile) for batch in batches)


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """Rows of 94 characters, also where the file has no line ends; trailing blanks may be missing."""
    lines = text.splitlines()
    if len(lines) <= 1 and len(text) > _WIDTH:
        lines = [text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH)]
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, line.ljust(_WIDTH)


def _batches(rows: list[tuple[int, str]]) -> Iterator[_Batch]:
    held: _Batch | None = None
    for number, row in rows:
        kind = row[0]
        if kind == "5":
            if held is not None:
                yield held
            held = _Batch(row, number)
        elif held is None:
            continue
        elif kind == "6":
            held.entries.append(_Entry(row, number))
        elif kind == "7" and held.entries:
            held.entries[-1].addenda.append(row)
        elif kind == "8":
            held.control = row
            yield held
            held = None
    if held is not None:
        yield held


def _draft(batch: _Batch, created: date | None, profile: Profile) -> Draft:
    header = batch.header
    company, number = header[_COMPANY].strip(), header[_BATCH_NUMBER].strip()
    draft = Draft(identity.account_id("ach", header[_COMPANY_ID].strip() or company), CURRENCY, "detail")
    draft.reference = header[_DESCRIPTION].strip() or None
    day = _day(header[_EFFECTIVE]) or _settled(header[_SETTLED], created)
    draft.statement_id = f"{company}/{day or header[_EFFECTIVE].strip()}/{number}"
    draft.from_date = draft.to_date = day
    for entry in batch.entries:
        _take(draft, batch, entry, day, profile)
    _check(draft, batch)
    return draft


def _day(text: str) -> date | None:
    if not text.isascii() or not text.strip().isdigit():
        return None
    try:
        year = int(text[:2])
        return date(year + (2000 if year < _CENTURY else 1900), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def _settled(day_of_year: str, created: date | None) -> date | None:
    """The settlement day the operator put in: a day of the year, in the year that lies nearest the file's."""
    number = texts.count(day_of_year)
    if created is None or number is None or not 1 <= number <= _LONGEST_YEAR:
        return None
    days = [date(created.year + offset, 1, 1) + timedelta(number - 1) for offset in (-1, 0, 1)]
    return min(days, key=lambda day: abs((day - created).days))


def _cents(digits: str) -> Money:
    bare = digits.strip()
    if not bare.isascii() or not bare.isdigit():
        raise AmountUnreadable(digits, "not a whole number of cents")
    return Money(int(bare), CURRENCY)


def _sign(code: str) -> int:
    if code in _ADVICE_CREDITS or (code[:1] in "2345" and code[1:] in _CREDITS):
        return 1
    if code in _ADVICE_DEBITS or (code[:1] in "2345" and code[1:] in _DEBITS):
        return -1
    return 0


def _take(draft: Draft, batch: _Batch, entry: _Entry, day: date | None, profile: Profile) -> None:
    row, locator = entry.row, f"line {entry.line}"
    code = row[1:3]
    raw = "\n".join(part.rstrip() for part in (row, *entry.addenda))
    layout = _LAYOUTS.get(batch.header[_SEC], _USUAL)
    sign = _sign(code)
    try:
        amount = _cents(row[layout.amount])
    except AmountUnreadable as error:
        draft.problem("amount-unreadable", locator, "6", raw, str(error))
        return
    if not sign:
        draft.problem(
            "sign-unreadable", locator, "6", raw, f"transaction code {code!r} is neither credit nor debit"
        )
        return
    line = _line(draft, batch, entry, (amount if sign > 0 else -amount, day, raw), layout, profile)
    if day is None:
        given = batch.header[_EFFECTIVE]
        why = f"the effective date {given!r} of the batch is none"
        draft.problem(
            "date-unreadable", locator, "5", given, why, "look at the bank's line and give its date"
        )
    draft.lines.append(line)
    _advise(draft, entry, line)


@dataclass(frozen=True, slots=True)
class _Return:
    reason: str
    original_trace: str


def _returned(entry: _Entry) -> _Return | None:
    """What a return addendum (type 99) says; that of a dishonoured or contested return too."""
    for addendum in entry.addenda:
        if addendum[1:3] == "99":
            return _Return(addendum[3:6].strip(), addendum[6:21].strip())
    return None


def _line(
    draft: Draft,
    batch: _Batch,
    entry: _Entry,
    read: tuple[Money, date | None, str],
    layout: _Fields,
    profile: Profile,
) -> BankLineRead:
    amount, day, raw = read
    row = entry.row
    sec = batch.header[_SEC]
    trace = row[79:94].strip()
    number, name = row[layout.number].strip(), row[layout.name].strip()
    returned = _returned(entry)
    is_change = any(addendum[1:3] == "98" for addendum in entry.addenda)
    is_return = returned is not None or (row[2] in _RETURNED and not is_change and sec != "ADV")
    notes = [addendum[3:83] for addendum in entry.addenda if addendum[1:3] == "05"]
    text, joined, cut = texts.join((number, *notes))
    trust = identity.trust_of(trace, profile.id_trust)
    payer_account = f"{row[3:12].strip()} {row[layout.account].strip()}".strip()
    content = identity.Content(day or "", None, row[1:3], payer_account, text)
    codes = {"transaction code": row[1:3], "SEC": sec, "company": batch.header[_COMPANY].strip()}
    codes |= {"notice of change": next(a[3:6] for a in entry.addenda if a[1:3] == "98")} if is_change else {}
    family: CodeFamily = "return" if is_return else "transfer_in" if amount.minor > 0 else "other"
    return BankLineRead(
        locator=f"line {entry.line}",
        key=identity.line_key(draft.account, trust, trace, amount, content),
        occurrence=1,
        provider_id=trace or None,
        provider_id_trust=trust,
        booking_date=day,
        value_date=None,
        amount=amount,
        payer_name=name or None,
        payer_account=payer_account or None,
        end_to_end_id=number or None,
        text=text,
        text_joined=joined,
        bank_reference=trace or None,
        code_family=family,
        raw_codes=codes,
        return_reason=returned.reason if returned else None,
        original_reference=(returned.original_trace or None) if returned else None,
        is_return=is_return,
        warnings=(*cut, *(("notice-of-change",) if is_change else ())),
        raw=raw,
    )


def _advise(draft: Draft, entry: _Entry, line: BankLineRead) -> None:
    """The 820 in the addenda: their 80 characters joined first, because elements are cut anywhere."""
    notes = [addendum[3:83] for addendum in entry.addenda if addendum[1:3] == "05"]
    message = "".join(note.ljust(80) for note in notes[:-1]) + (notes[-1].rstrip() if notes else "")
    if not any(sign in message for sign in _REMITTANCE_SIGNS):
        return
    for found in x12.read(message, CURRENCY, abs(line.amount)):
        advice = replace(
            found,
            locator=line.locator,
            on=found.on or line.booking_date,
            payer_name=found.payer_name or line.payer_name or "",
            payer_account=line.payer_account or "",
            reference=found.reference or line.bank_reference or "",
            line_key=line.key,
        )
        draft.remittances.append(remit.keyed(advice))


def _check(draft: Draft, batch: _Batch) -> None:
    """Hold the batch's control record against its entries; its net is what the bank books."""
    if not batch.control:
        draft.warnings.append("batch-not-closed")
        return
    is_advice = batch.header[_SEC] == "ADV"
    debit_at, credit_at = (
        (_ADV_DEBIT_TOTAL, _ADV_CREDIT_TOTAL) if is_advice else (_DEBIT_TOTAL, _CREDIT_TOTAL)
    )
    try:
        debits, credits_ = _cents(batch.control[debit_at]), _cents(batch.control[credit_at])
    except AmountUnreadable as error:
        draft.problem("balance-unreadable", f"line {batch.line}", "8", batch.control.rstrip(), str(error))
        return
    draft.total = credits_ - debits
    if draft.problems:
        return
    read_in = sum(line.amount.minor for line in draft.lines if line.amount.minor > 0)
    read_out = -sum(line.amount.minor for line in draft.lines if line.amount.minor < 0)
    if (read_in, read_out) != (credits_.minor, debits.minor):
        why = f"the control record says {credits_} in and {debits} out; the entries differ"
        do = "ask the bank for the whole file"
        draft.problem("control-totals-differ", f"line {batch.line}", "8", batch.control.rstrip(), why, do)
