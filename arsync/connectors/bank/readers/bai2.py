"""BAI2 cash management reports.

Units   amounts are whole minor units without a mark; the type code gives the sign: 100-399 and 920-959 money
        in, 400-699 and 960-999 money out.
Shape   decoded text -> drafts, one for each account record (03).
Law     each detail record (16) is a line, a part of the line it belongs to, or a problem. Items of a lockbox
        or ACH deposit add up to the deposit that stands before them, and are its parts.
Errors  `FileRefused` when the file has no account.
Source  BAI Cash Management Balance Reporting Specifications, version 2 (records 01-99, type codes, funds types).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.amounts import SignUnreadable, amount_problem_code
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import BankLineRead, CodeFamily
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused, TruncatedFile

_RECORD = re.compile(r"(01|02|03|16|49|88|98|99),")
# Some banks write several records on one line; a text may hold a slash, so a record must look like one.
_NEXT_ON_LINE = re.compile(
    r"/[ \t]*(?=16,[0-9]{3},[0-9]*,|49,[+-]?[0-9]*,[0-9]+|98,[+-]?[0-9]*,[0-9]+,[0-9]+|99,[+-]?[0-9]*,[0-9]+,[0-9]+"
    r"|88,|03,[^,/]*,[A-Z]{0,3},|02,[^,/]*,[^,/]*,[0-9])"
)
_AMOUNT = re.compile(r"[+-]?[0-9]{1,18}")
_TAGGED = re.compile(r"([A-Z]{4}): ?(.*)", re.DOTALL)
_REASON = re.compile(r'Reason:? *"?([RC][0-9]{2})\b')
_ITEMS_OF = {"116": frozenset({"115"}), "143": frozenset({"142", "165"}), "452": frozenset({"451"})}
_INFORMATION = "890"
_OPENING, _CLOSING = "010", "015"
_CENTURY = 80
_DEFAULT_CURRENCY = "USD"  # the specification's
_FAMILIES: dict[str, CodeFamily] = {
    **dict.fromkeys(("115", "116"), "lockbox"),
    **dict.fromkeys(("142", "143", "165", "169", "195", "208", "191"), "transfer_in"),
    **dict.fromkeys(("175", "176", "301"), "cheque"),
    **dict.fromkeys(("123", "255", "257", "266", "423", "555", "557", "566"), "return"),
    **dict.fromkeys(("252", "258", "395", "552", "558", "694"), "reversal"),
    **dict.fromkeys(("564", "567", "661", "698"), "fee"),
    **dict.fromkeys(("354", "346", "654"), "interest"),
    **dict.fromkeys(("366",), "cash"),
}
_DETAILS_OF_FUNDS = {"S": 3, "V": 2}
_SUMMARY_WIDTH = 4


@dataclass(slots=True)
class _Record:
    code: str
    line: int
    pieces: list[str]  # the record and its continuations, without code and end mark
    raw: str


@dataclass(slots=True)
class _Group:
    """What the accounts of a group share (record 02)."""

    day: date | None
    currency: str
    by_default: bool
    intraday: bool
    status: str


@dataclass(slots=True)
class _Account:
    draft: Draft
    group: _Group
    total: int = 0
    records: list[_Record] = field(default_factory=list)
    types: list[str] = field(default_factory=list)  # the type code of each line


def read(text: str, profile: Profile) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """Read the accounts of one file, and warnings about the file."""
    walk = _Walk(profile)
    ended = False
    for record in _records(text):
        ended = record.code == "99"
        walk.take(record)
    if walk.account is not None:
        raise TruncatedFile(
            "the file ends inside an account", do="download it again; nothing of it was imported"
        )
    if not walk.drafts:
        raise FileRefused("the file holds no account (record 03)", do="export the period again")
    return tuple(walk.drafts), () if ended else ("file-not-closed",)


def _records(text: str) -> Iterator[_Record]:
    """Records with their continuations; a line that begins no record goes on with the text before it."""
    held: _Record | None = None
    for number, line in enumerate(text.splitlines(), 1):
        for piece in _NEXT_ON_LINE.sub("/\n", line).split("\n"):
            stripped = piece.strip("\x00\x1a \t")
            begins = _RECORD.match(stripped)
            if begins is None or begins[1] == "88":
                if held is not None and stripped:
                    held.pieces.append(_bare(stripped[3:] if begins else stripped))
                    held.raw += f"\n{piece}"
                continue
            if held is not None:
                yield held
            held = _Record(begins[1], number, [_bare(stripped[3:])], piece)
    if held is not None:
        yield held


def _bare(piece: str) -> str:
    """Without the end mark, which stands once."""
    return piece.rstrip().removesuffix("/")


class _Walk:
    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.drafts: list[Draft] = []
        self.account: _Account | None = None
        self.group = _Group(
            None, profile.currency or _DEFAULT_CURRENCY, by_default=True, intraday=False, status=""
        )

    def take(self, record: _Record) -> None:
        if record.code == "02":
            self.group = _group(_structured(record), self.profile)
        elif record.code == "03":
            self._begin(record)
        elif self.account is None:
            return
        elif record.code == "16":
            _take_detail(self.account, record, self.profile)
        elif record.code == "49":
            _check_totals(self.account, _structured(record))
            self.account = None

    def _begin(self, record: _Record) -> None:
        fields = _structured(record)
        group = self.group
        identifier = fields[0].strip() or self.profile.account or ""
        named = fields[1].strip().upper() if len(fields) > 1 else ""
        group = replace(group, currency=named, by_default=False) if named else group
        account = identity.account_id("bank" if identifier else "unknown", identifier)
        draft = Draft(account, group.currency, "provisional" if group.intraday else "booked")
        draft.from_date = draft.to_date = group.day
        self.account = _Account(draft, group, records=[record])
        self.drafts.append(draft)
        if group.status and group.status != "1":
            draft.warnings.append("group-is-not-an-update")
        _summaries(self.account, fields[2:], f"line {record.line}")


def _structured(record: _Record) -> list[str]:
    """The fields of a record whose continuations begin a new field."""
    return ",".join(record.pieces).split(",")


def _group(fields: list[str], profile: Profile) -> _Group:
    fields += [""] * 7
    status, day, currency, modifier = (fields[at].strip() for at in (2, 3, 5, 6))
    currency = currency.upper()
    return _Group(
        _day(day),
        currency or profile.currency or _DEFAULT_CURRENCY,
        not currency,
        modifier in {"3", "4"},
        status,
    )


def _day(text: str) -> date | None:
    if len(text) != 6 or not text.isascii() or not text.isdigit():  # noqa: PLR2004 - YYMMDD
        return None
    try:
        year = int(text[:2])
        return date(year + (2000 if year < _CENTURY else 1900), int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


def _minor(raw: str, currency: str) -> Money:
    """Whole minor units, with a sign at most."""
    if not _AMOUNT.fullmatch(raw.strip()):
        raise AmountUnreadable(raw, "not a whole number of minor units")
    unsigned = Money.of(raw.strip().lstrip("+-"), "JPY")  # the digits, no more than an amount may have
    Money.zero(currency).text()  # a known currency
    return Money(-unsigned.minor if raw.strip().startswith("-") else unsigned.minor, currency)


def _summaries(account: _Account, fields: list[str], locator: str) -> None:
    """Balances and totals of record 03: type, amount, count, funds type with its details."""
    draft, currency = account.draft, account.group.currency
    at = 0
    while at < len(fields):
        code, amount, funds = (fields[at + i].strip() if at + i < len(fields) else "" for i in (0, 1, 3))
        details = _funds_width(fields, at + 3, funds)
        at += _SUMMARY_WIDTH + details
        if not code or not amount:
            continue
        try:
            money = _minor(amount, currency)
        except AmountUnreadable as error:
            do = "compare with the statement on paper, or ask the bank"
            draft.problem("balance-unreadable", locator, f"03 type {code}", amount, str(error), do)
            continue
        account.total += money.minor
        if code == _OPENING:
            draft.opening = money
        elif code == _CLOSING:
            draft.closing = money


def _funds_width(fields: list[str], at: int, funds: str) -> int:
    """How many fields after the funds type belong to it."""
    if funds == "D":
        count = fields[at + 1].strip() if at + 1 < len(fields) else ""
        return 1 + 2 * int(count) if count.isdigit() and len(count) <= 3 else 1  # noqa: PLR2004 - a count
    return _DETAILS_OF_FUNDS.get(funds, 0)


@dataclass(frozen=True, slots=True)
class _Detail:
    code: str
    amount: str
    value_date: date | None
    bank_reference: str
    customer_reference: str
    texts: tuple[str, ...]


def _detail(record: _Record) -> _Detail:
    """Take a record 16 apart: structured fields first, which may go on in a continuation; the rest is text."""
    waiting = list(record.pieces[1:])
    fields = record.pieces[0].split(",")

    def have(count: int) -> None:
        while len(fields) < count and waiting:
            fields.extend(waiting.pop(0).split(","))
        fields.extend([""] * (count - len(fields)))

    have(3)
    funds = fields[2].strip().upper()
    if funds == "D":
        have(4)
    width = 3 + _funds_width(fields, 2, funds)
    have(width + 2)
    value_date = _day(fields[3].strip()) if funds == "V" else None
    text = ",".join(fields[width + 2 :])
    return _Detail(
        fields[0].strip(),
        fields[1].strip(),
        value_date,
        fields[width].strip(),
        fields[width + 1].strip(),
        tuple(piece for piece in (text, *waiting) if piece.strip()),
    )


def _sign(code: str) -> int:
    number = int(code) if code.isdigit() else 0
    if 100 <= number < 400 or 920 <= number < 960:  # noqa: PLR2004 - the specification's ranges
        return 1
    if 400 <= number < 700 or 960 <= number < 1000:  # noqa: PLR2004
        return -1
    raise SignUnreadable(code, f"type code {code!r} does not say whether money came in or went out")


def _take_detail(account: _Account, record: _Record, profile: Profile) -> None:
    account.records.append(record)
    detail = _detail(record)
    draft, locator = account.draft, f"line {record.line}"
    if detail.code == _INFORMATION:
        draft.warnings.append("information-not-read")
        return
    try:
        amount = _minor(detail.amount, account.group.currency)
        account.total += amount.minor
        if amount.minor < 0:
            _negative(detail)
        signed = amount if _sign(detail.code) > 0 else -amount
    except AmountUnreadable as error:
        code = amount_problem_code(error, account.group.currency)
        draft.problem(code, locator, "16", record.raw, str(error))
        return
    if account.group.day is None:
        draft.problem(
            "date-unreadable", locator, "02", "", "the group has no as-of date", "give the line its date"
        )
    line = _line(account, detail, signed, record, profile)
    if not _is_item(account, line, detail.code):
        draft.lines.append(line)
        account.types.append(detail.code)


def _negative(detail: _Detail) -> None:
    raise SignUnreadable(detail.amount, "a minus where the type code already says the direction")


def _is_item(account: _Account, line: BankLineRead, code: str) -> bool:
    """Whether this is an item of the deposit before it; then it becomes a part of it."""
    if not account.types or account.types[-1] not in _ITEMS_OF.get(code, ()):
        return False
    whole = account.draft.lines[-1]
    parts = (*whole.parts, line)
    if sum(part.amount.minor for part in parts) > whole.amount.minor:
        return False
    numbered = replace(
        line, key=identity.part_key(whole.key, len(whole.parts), line.bank_reference, line.amount)
    )
    account.draft.lines[-1] = replace(whole, parts=(*whole.parts, numbered))
    return True


def _line(
    account: _Account, detail: _Detail, amount: Money, record: _Record, profile: Profile
) -> BankLineRead:
    group = account.group
    tags: dict[str, str] = {}
    for piece in detail.texts:
        if found := _TAGGED.fullmatch(piece.strip()):
            tags[found[1]] = found[2]
    pieces = [piece for piece in detail.texts if not _TAGGED.fullmatch(piece.strip())]
    text, joined, cut = texts.join((*pieces, tags.get("REMI")))
    family = _FAMILIES.get(detail.code, "other")
    is_return = family == "return"
    payer = "DBNM" if amount.minor >= 0 or is_return else "CRNM"
    payer_account = tags.get("DACT" if amount.minor >= 0 else "CACT", "").strip() or None
    trust = identity.trust_of(detail.bank_reference, profile.id_trust)
    content = identity.Content(
        group.day or "",
        detail.value_date,
        detail.code,
        payer_account or "",
        f"{detail.customer_reference} {text}",
    )
    reason = _REASON.search(text)
    end_to_end_id = tags.get("EREF", "").strip() or None
    original = end_to_end_id or detail.customer_reference or None
    return BankLineRead(
        locator=f"line {record.line}",
        key=identity.line_key(account.draft.account, trust, detail.bank_reference, amount, content),
        occurrence=1,
        provider_id=detail.bank_reference or None,
        provider_id_trust=trust,
        booking_date=group.day,
        value_date=detail.value_date,
        amount=amount,
        payer_name=tags.get(payer, "").strip() or None,
        payer_account=payer_account,
        end_to_end_id=end_to_end_id,
        text=text,
        text_joined=joined,
        bank_reference=detail.bank_reference or None,
        cheque_number=detail.customer_reference if family == "cheque" and detail.customer_reference else None,
        code_family=family,
        raw_codes={
            "type": detail.code,
            **({"customer reference": detail.customer_reference} if detail.customer_reference else {}),
        },
        return_reason=reason[1] if reason else None,
        original_reference=original if is_return else None,
        is_return=is_return,
        is_reversal=family == "reversal",
        warnings=(*cut, *(("currency-by-default",) if group.by_default else ())),
        raw=record.raw,
    )


def _codes(detail: _Detail) -> dict[str, str]:
    given = {"type": detail.code, "customer reference": detail.customer_reference}
    return {name: value for name, value in given.items() if value}


def _check_totals(account: _Account, trailer: list[str]) -> None:
    """Hold the account's control total (49) against its records, and finish its deposits."""
    draft = account.draft
    for at, line in enumerate(draft.lines):
        if line.parts and sum(part.amount.minor for part in line.parts) != line.amount.minor:
            why = f"its {len(line.parts)} items do not add up to {line.amount}"
            do = "the deposit is kept whole; find out from the bank what it is made of"
            draft.problem("parts-do-not-add-up", line.locator, "16", line.raw, why, do)
            draft.lines[at] = replace(line, parts=())
    given = trailer[0].strip() if trailer else ""
    unreadable = any(problem.code != "date-unreadable" for problem in draft.problems)
    if not unreadable and given and _AMOUNT.fullmatch(given) and int(given) != account.total:
        why = f"the bank's control total is {given}, the records give {account.total}"
        draft.problem("control-totals-differ", "49", "49", given, why, "ask the bank for the whole report")
