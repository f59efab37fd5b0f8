"""MT940 statements and MT942 reports, with the texts of `:86:` and `:NS:`.

Units   amounts carry one decimal mark, comma or point, or none; the mark before them gives the sign:
        C in, D out, RC out, RD in (a reversal takes back what it names), EC and ED expected.
Shape   decoded text -> drafts, one for each message.
Law     each `:61:` is a line or a problem. The year of an entry date is the one that lies nearest the value
        date. A time that was wrapped to the start of a line is no tag.
Errors  `FileRefused` when no message has an account or a line.
Source  SWIFT Standards MT Category 9, MT940, MT942 (fields 20, 25, 28C, 34F, 60a, 61, 62a, 86, 90C, 90D).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.amounts import amount_problem_code, is_currency
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import swift_text
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import AccountId, BankLineRead, CodeFamily
from arsync.core.money import AmountUnreadable, Money, exponent
from arsync.errors import FileRefused

_KNOWN = r"20|21|25P?|28C?|34F|13D?|60[FM]|61|62[FM]|64|65|86|90[CD]|NS"
_TAG = re.compile(rf"^:({_KNOWN}) ?:", re.MULTILINE)
_SPLIT_TAG = re.compile(rf"^:\n(?=(?:{_KNOWN}):)", re.MULTILINE)
_NEXT = {"20": ("21", "25", "25P", "28", "28C"), "21": ("25", "25P"), "25": ("28", "28C", "60F", "60M", "NS")}
_TIMES = frozenset(["20", "21", "25", "28"])
_LINE = re.compile(
    r"(?P<valued>[0-9]{6})(?P<entered>[0-9]{4})?\s?(?P<mark>R?[CD]|E[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>[0-9]+(?:[.,][0-9]*)?)(?![0-9.,])(?!NONREF)(?P<type>[NSF][A-Z0-9 ]{3})?(?P<references>.*)",
    re.ASCII | re.DOTALL,
)
_LINE_WITHOUT_TYPE = re.compile(
    r"(?P<valued>[0-9]{6})(?P<entered>[0-9]{4})?\s?(?P<mark>R?[CD]|E[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>[0-9]+(?:[.,][0-9]*)?)(?![0-9.,])(?P<type>)(?P<references>.*)",
    re.ASCII | re.DOTALL,
)
_BALANCE = re.compile(
    r"(?P<mark>R?[CD])(?P<day>[0-9]{6})(?P<currency>[A-Z]{3})?(?P<amount>[0-9]+(?:[.,][0-9]*)?)\s*"
)
_TOTAL = re.compile(r"(?P<count>[0-9]{1,5})(?P<currency>[A-Z]{3})(?P<amount>[0-9]+(?:[.,][0-9]*)?)\s*")
_FLOOR = re.compile(r"([A-Z]{3})[CD]?[0-9]")
_NUMBER = re.compile(r"\s*([0-9]{1,18})(?![0-9])")
_AMOUNT = re.compile(r"[0-9]{1,40}(?:[.,][0-9]{0,5})?", re.ASCII)
_CENTS = re.compile(r"[0-9]{1,13}[.,][0-9]{2}", re.ASCII)
_BANK_CODE = re.compile(r"[0-9]{8}|[A-Z]{6}[A-Z0-9]{2,5}|[A-Z]{4,}|[0-9]{4}-[0-9]{5}")
_SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1, "EC": 1, "ED": -1}
_FAMILIES: dict[str, CodeFamily] = {
    "CHK": "cheque",
    "CHG": "fee",
    "COM": "fee",
    "INT": "interest",
    "FEX": "fx",
    "RTI": "return",
    "DDT": "direct_debit_in",
    "TRF": "transfer_in",
}
# These say where the reference stands, and are none.
_NO_REFERENCE = frozenset(["KREF+", "EREF+", "KREF", "EREF", "PREF", "MARF"])
_SHORTEST_WITH_CURRENCY = 7
_ENDS = frozenset({"-", ":", "-\x03", "\x03", "-\x1a", "\x1a"})
_CENTURY = 80  # years below it are 20xx


@dataclass(slots=True)
class _Tag:
    name: str
    value: str
    line: int


@dataclass(slots=True)
class _Message:
    tags: list[_Tag] = field(default_factory=list)

    def one(self, *names: str) -> str | None:
        return next((tag.value for name in names for tag in self.tags if tag.name == name), None)


def read(text: str, profile: Profile) -> tuple[Draft, ...]:
    """Read the messages of one file."""
    text = _SPLIT_TAG.sub(":", text.replace("\r\n", "\n").replace("\r", "\n").replace("{4:", "{4:\n"))
    drafts = [_statement(message, profile) for message in _messages(text)]
    if not any(d.account.scheme != "unknown" or d.lines or d.problems or d.opening for d in drafts):
        raise FileRefused(
            "no message of the file names an account or holds a line", do="download the file again"
        )
    return tuple(drafts)


def _messages(text: str) -> Iterator[_Message]:
    message = _Message()
    for tag in _tags(text):
        if tag.name == "20" and message.tags:
            yield message
            message = _Message()
        message.tags.append(tag)
    if message.tags:
        yield message


def _tags(text: str) -> Iterator[_Tag]:
    found = list(_TAG.finditer(text))
    kept = [mark for at, mark in enumerate(found) if _is_tag(found, at)]
    line, counted = 1, 0
    for at, mark in enumerate(kept):
        line += text.count("\n", counted, mark.start())
        counted = mark.start()
        end = kept[at + 1].start() if at + 1 < len(kept) else len(text)
        yield _Tag(mark[1], text[mark.end() : end], line)


def _is_tag(found: list[re.Match[str]], at: int) -> bool:
    """Whether `:20:` and its like are tags, and not the minutes of a time that was wrapped."""
    name = found[at][1]
    if name not in _TIMES or at == 0 or found[at - 1][1] not in {"61", "86"}:
        return True
    return at + 1 < len(found) and found[at + 1][1] in _NEXT.get(name, ())


def _statement(message: _Message, profile: Profile) -> Draft:
    opening_text = message.one("60F", "60M")
    closing_text = message.one("62F", "62M")
    account, named_currency = _account(message.one("25", "25P") or "", profile)
    floor = _FLOOR.match(message.one("34F") or "")
    opened = _BALANCE.match(opening_text or "")
    closed = _BALANCE.match(closing_text or "")
    currency = (
        (opened and opened["currency"])
        or (closed and closed["currency"])
        or (floor and floor[1])
        or named_currency
        or profile.currency
    )
    intraday = closing_text is None and (
        floor is not None or message.one("13", "13D", "90C", "90D") is not None
    )
    draft = Draft(account, currency, "provisional" if intraday else "booked")
    draft.statement_id = (message.one("20") or "").strip().partition("\n")[0] or None
    number = _NUMBER.match(message.one("28C", "28") or "")
    draft.sequence = int(number[1]) if number and int(number[1]) else None
    draft.opening = _balance(draft, opening_text, "60")
    draft.closing = _balance(draft, closing_text, "62")
    draft.from_date, draft.to_date = _day_of(opened), _day_of(closed)
    for lines in _lines(message):
        _take(draft, lines, profile)
    _check_totals(draft, message)
    return draft


def _lines(message: _Message) -> Iterator[list[_Tag]]:
    """Each `:61:` with the `:86:` and `:NS:` that follow it."""
    held: list[_Tag] = []
    for tag in message.tags:
        if tag.name == "61":
            if held:
                yield held
            held = [tag]
        elif held and tag.name in {"86", "NS"}:
            held.append(tag)
        elif held and tag.name in {"62F", "62M", "64", "65", "90C", "90D"}:
            yield held
            held = []
    if held:
        yield held


def _account(given: str, profile: Profile) -> tuple[AccountId, str | None]:
    """The account of `:25:`, and the currency that some banks write behind it."""
    text = " ".join(given.split()).strip("/ ")
    currency = (
        text[-3:]
        if is_currency(text[-3:])
        and text[-4:-3] in {" ", "/", *"0123456789"}
        and len(text) >= _SHORTEST_WITH_CURRENCY
        else None
    )
    if currency and not identity.is_iban(text.replace(" ", "")):
        text = text[:-3].strip("/ ")
    left, _, right = text.partition("/")
    bank, identifier = (left, right) if right and _BANK_CODE.fullmatch(left) else ("", text)
    identifier = identifier or profile.account or ""
    return identity.account_id("bank" if identifier else "unknown", identifier, bank), currency


def _day_of(balance: re.Match[str] | None) -> date | None:
    return _day(balance["day"]) if balance else None


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    """YYMMDD; None for a day that is not in the calendar."""
    year = int(text[:2])
    try:
        return date(year + (2000 if year < _CENTURY else 1900), int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _entry_day(entered: str, valued: str) -> date | None:
    """MMDD in the year that lies nearest the value date."""
    near = _day(valued)
    year = near.year if near else int(valued[:2]) + (2000 if int(valued[:2]) < _CENTURY else 1900)
    anchor = near or date(year, 6, 30)
    days = []
    for candidate in (year - 1, year, year + 1):
        try:
            days.append(date(candidate, int(entered[:2]), int(entered[2:])))
        except ValueError:
            continue
    return min(days, key=lambda day: abs((day - anchor).days), default=None)


def _money(raw: str, currency: str | None) -> Money:
    if currency is None:
        raise AmountUnreadable(raw, "neither the file nor the profile names a currency")
    if _CENTS.fullmatch(raw) and exponent(currency) == 2:  # noqa: PLR2004 - most amounts, without a Decimal
        return Money(int(raw[:-3] + raw[-2:]), currency)
    if not _AMOUNT.fullmatch(raw):
        raise AmountUnreadable(raw, "not a number with one decimal mark")
    return Money.of(raw.replace(",", "."), currency)


def _balance(draft: Draft, given: str | None, tag: str) -> Money | None:
    if given is None:
        return None
    found = _BALANCE.match(given)
    first_line = given.strip().partition("\n")[0]
    try:
        money = _money(
            found["amount"] if found else first_line, (found and found["currency"]) or draft.currency
        )
    except AmountUnreadable as error:
        do = "compare with the statement on paper, or ask the bank"
        draft.problem("balance-unreadable", f":{tag}:", tag, first_line, str(error), do)
        return None
    return money if found and found["mark"] in {"C", "RD"} else -money


def _rows(value: str) -> list[str]:
    """The lines of a field, without what ends a message."""
    rows = value.strip("\n").split("\n")
    kept = []
    for row in rows:
        if row.startswith(("-}", "{5:")) or row in _ENDS:
            break
        kept.append(row)
    return kept


def _take(draft: Draft, tags: list[_Tag], profile: Profile) -> None:
    rows = _rows(tags[0].value)
    locator = f"line {tags[0].line}"
    first = rows[0] if rows else ""
    found = _LINE.match(first) or _LINE_WITHOUT_TYPE.match(first)
    if not found and len(rows) > 1:  # wrapped in the middle
        found = _LINE.match(first + rows[1])
        rows = rows[1:]
    raw = "".join(f":{tag.name}:{tag.value}" for tag in tags).strip("\n")
    if not found:
        draft.problem("line-unreadable", locator, ":61:", raw, f"{first!r} is not a statement line")
        return
    try:
        amount = _money(found["amount"], draft.currency)
    except AmountUnreadable as error:
        draft.problem(amount_problem_code(error, draft.currency), locator, ":61:", raw, str(error))
        return
    draft.lines.append(_line(draft, found, amount, tags, (locator, raw, rows[1:]), profile))


def _line(
    draft: Draft,
    found: re.Match[str],
    amount: Money,
    tags: list[_Tag],
    around: tuple[str, str, list[str]],
    profile: Profile,
) -> BankLineRead:
    locator, raw, supplement = around
    mark, code = found["mark"], (found["type"] or "").strip()
    money = amount if _SIGNS[mark] > 0 else -amount
    valued = _day(found["valued"])
    booked = _entry_day(found["entered"], found["valued"]) if found["entered"] else valued
    if booked is None:
        given = found["entered"] or found["valued"]
        draft.problem(
            "date-unreadable",
            locator,
            ":61:",
            given,
            f"{given!r} is no day",
            "look at the line and give its date",
        )
    customer, _, bank = found["references"].partition("//")
    customer, _, beside = customer.strip().partition("  ")
    bank = bank.strip()
    supplement = [beside.strip(), *supplement]
    info = _information(tags)
    pieces, account = _pieces(customer, supplement, info.payer_account)
    text, joined, cut = texts.join((*pieces, info.text)) if pieces else (info.text, info.text_joined, ())
    if pieces:
        joined = " ".join((*pieces, info.text_joined)).strip()[: texts.LONGEST_TEXT]
    trust = identity.trust_of(bank, profile.id_trust)
    content = identity.Content(booked or found["valued"], valued, code, account or "", text)
    is_reversal = mark in {"RC", "RD"}
    family: CodeFamily = "return" if info.is_return else "reversal" if is_reversal else _family(code, money)
    warnings = (*info.warnings, *cut)
    if valued is None:
        warnings += ("value-date-unreadable",)
    return BankLineRead(
        locator=locator,
        key=identity.line_key(draft.account, trust, bank, money, content),
        occurrence=1,
        provider_id=bank or None,
        provider_id_trust=trust,
        booking_date=booked,
        value_date=valued,
        amount=money,
        payer_name=info.payer_name,
        ultimate_payer_name=info.ultimate_payer_name,
        payer_account=account,
        end_to_end_id=info.end_to_end_id,
        text=text,
        text_joined=joined,
        bank_reference=bank or None,
        cheque_number=customer if code[1:] == "CHK" and customer else None,
        code_family=family,
        raw_codes={**({"type": code} if code else {}), **info.codes},
        return_reason=info.return_reason,
        original_reference=(info.end_to_end_id or customer or None) if info.is_return else None,
        is_return=info.is_return,
        is_reversal=is_reversal,
        warnings=warnings,
        raw=raw,
    )


def _pieces(customer: str, supplement: list[str], account: str | None) -> tuple[list[str], str | None]:
    """What stands beside the amount: references are text, an IBAN is the account of the other side."""
    pieces = []
    for given in (customer, *supplement):
        piece = " ".join(given.split())
        if identity.is_iban(piece):
            account = account or piece
        elif piece not in _NO_REFERENCE and identity.trust_of(piece, "B") != "C":
            pieces.append(piece)
    return pieces, account


def _information(tags: list[_Tag]) -> swift_text.Information:
    rows = [row for tag in tags[1:] if tag.name == "86" for row in _rows(tag.value)]
    if rows:
        return swift_text.read(rows)
    return swift_text.read_ns(row for tag in tags[1:] for row in _rows(tag.value))


def _family(code: str, amount: Money) -> CodeFamily:
    family = _FAMILIES.get(code[1:], "other")
    return "other" if family == "transfer_in" and amount.minor < 0 else family


def _check_totals(draft: Draft, message: _Message) -> None:
    """Hold the counts and sums of an MT942 (`:90D:`, `:90C:`) against what was read."""
    for name, sign in (("90D", -1), ("90C", 1)):
        given = message.one(name)
        found = _TOTAL.match(given or "")
        if not found or draft.problems:
            continue
        amounts = [line.amount.minor for line in draft.lines if line.amount.minor * sign > 0]
        try:
            told = _money(found["amount"], found["currency"])
        except AmountUnreadable:
            told = None
        if told is None or (int(found["count"]), told.minor) != (len(amounts), abs(sum(amounts))):
            why = f"the bank counts {found['count']} and {found['amount']}, the file holds {len(amounts)}"
            draft.problem(
                "control-totals-differ",
                f":{name}:",
                name,
                found[0].strip(),
                why,
                "ask the bank for the whole report",
            )
