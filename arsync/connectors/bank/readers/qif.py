"""QIF: what is left when a bank offers nothing better. It names no currency, no ids and no order of dates.

Units   amounts with a decimal point and grouping commas, or as the profile's amount style says.
Shape   decoded text -> drafts, one for each account.
Law     each transaction is a line or a problem. Dates are read in the declared order; without one, only if the
        file itself leaves no other. The currency is the profile's: without it every line is a problem.
Errors  `FileRefused` when the file holds no bank, cash or card transactions.
Source  Intuit, Quicken Interchange Format (D, T, U, P, M, N, C, L, S, E, $, ^; !Type, !Account, !Option).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.amounts import AmountStyle, amount_problem_code, read_money
from arsync.connectors.bank.bankprofile import DateOrder, Profile
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import BankLineRead
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused

_READ = frozenset({"bank", "cash", "ccard", "oth a", "oth l"})
_NUMBERS = re.compile(r"\s*([0-9]{1,4})\s*[/.\-]\s*([0-9]{1,2})\s*([/.\-'])\s*'?\s*([0-9]{1,4})\s*")
_YEAR_DIGITS, _LAST_MONTH, _CENTURY = 4, 12, 80
_STYLE = AmountStyle(decimal_mark=".")
_OPENING = "opening balance"
_ORDERS: tuple[DateOrder, ...] = ("month first", "day first", "year first")


@dataclass(slots=True)
class _Transaction:
    account: str
    line: int
    rows: list[str] = field(default_factory=list)

    def one(self, letter: str) -> str:
        return next((row[1:].strip() for row in self.rows if row[:1] == letter), "")


def read(text: str, profile: Profile) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """Read the accounts of one file, and warnings about the file."""
    walk = _Walk()
    found = list(walk.transactions(text))
    if not found and not walk.seen:
        raise FileRefused(
            "the file holds no bank, cash or card transactions", do="export the account as QIF again"
        )
    order = profile.date_order or _order(one.one("D") for one in found)
    drafts: dict[str, Draft] = {}
    for one in found:
        name = profile.account or one.account
        draft = drafts.get(name)
        if draft is None:
            account = identity.account_id("other" if name else "unknown", name)
            draft = drafts[name] = Draft(account, profile.currency)
        _take(draft, one, order, profile)
    if not drafts:
        name = profile.account or ""
        drafts[name] = Draft(identity.account_id("other" if name else "unknown", name), profile.currency)
    for draft in drafts.values():
        draft.days_of_lines()
    return tuple(drafts.values()), tuple(dict.fromkeys(walk.warnings))


class _Walk:
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.seen = False

    def transactions(self, text: str) -> Iterator[_Transaction]:
        """The transactions of accounts that hold money; lists of categories and securities are stepped over."""
        section, account = "", ""
        held: _Transaction | None = None
        for number, row in enumerate(text.splitlines(), 1):
            stripped = row.strip("\x00\x1a").strip()
            if stripped.startswith("!"):
                section = _section(stripped, section)
                self.seen = self.seen or section in _READ
                self._unread(section)
                held = None
            elif stripped == "^":
                if held is not None and section in _READ and held.rows:
                    yield held
                held = None
            elif section == "account" and stripped.startswith("N"):
                account = stripped[1:].strip()
            elif section in _READ and stripped:
                held = held or _Transaction(account, number)
                held.rows.append(stripped)
        if held is not None and held.rows:  # the last one may lack its end mark
            yield held

    def _unread(self, section: str) -> None:
        if section in {"invst", "port"}:
            self.warnings.append("investment-transactions-not-read")


def _section(row: str, current: str) -> str:
    kind, _, name = row[1:].partition(":")
    if kind.lower() == "type":
        return name.strip().lower()
    return "account" if kind.lower() == "account" else current


def _order(dates: Iterable[str]) -> DateOrder | None:
    """The one order in which every date of the file is a date; None where two are."""
    given = [text for text in dict.fromkeys(dates) if text]
    fitting = [order for order in _ORDERS if given and all(_day(text, order) for text in given)]
    return fitting[0] if len(fitting) == 1 else None


def _day(text: str, order: DateOrder) -> date | None:
    found = _NUMBERS.fullmatch(text)
    if not found:
        return None
    first, second, mark, last = found.groups()
    if (len(first) == _YEAR_DIGITS) != (order == "year first"):
        return None
    year, month, day = {
        "year first": (first, second, last),
        "month first": (last, first, second),
        "day first": (last, second, first),
    }[order]
    whole = int(year)
    if len(year) < _YEAR_DIGITS:
        whole += 2000 if mark == "'" or whole < _CENTURY else 1900
    try:
        return date(whole, int(month), int(day))
    except ValueError:
        return None


def _take(draft: Draft, one: _Transaction, order: DateOrder | None, profile: Profile) -> None:
    locator, raw = f"line {one.line}", "\n".join(one.rows)
    given = one.one("T") or one.one("U")
    try:
        amount = _money(given, profile)
    except AmountUnreadable as error:
        code = amount_problem_code(error, profile.currency)
        do = "declare currency and decimal mark in the bank's profile, and read the file again"
        draft.problem(code, locator, "T", raw, str(error), do)
        return
    if one.one("P").lower() == _OPENING:
        draft.opening = draft.opening or amount
        draft.warnings.append("opening-balance-read")
        return
    written = one.one("D")
    booked = _day(written, order) if order else None
    if booked is None:
        why = (
            f"{written!r} can be read in two ways" if order is None and written else f"{written!r} is no date"
        )
        do = "declare date_order in the bank's profile, and read the file again"
        draft.problem("date-unreadable", locator, "D", written, why, do)
    number, payee, memo = one.one("N"), one.one("P"), one.one("M")
    text, joined, cut = texts.join((payee, memo))
    content = identity.Content(booked or written, None, number, "", text)
    draft.lines.append(
        BankLineRead(
            locator=locator,
            key=identity.line_key(draft.account, "C", None, amount, content),
            occurrence=1,
            provider_id=None,
            provider_id_trust="C",
            booking_date=booked,
            value_date=None,
            amount=amount,
            payer_name=payee or None,
            text=text,
            text_joined=joined,
            cheque_number=number if number.isdigit() else None,
            code_family="cheque" if number.isdigit() else "other",
            warnings=(*cut, "currency-from-profile"),
            raw=raw,
        )
    )


def _money(given: str, profile: Profile) -> Money:
    if profile.currency is None:
        raise AmountUnreadable(given, "QIF names no currency, and the profile none")
    style = profile.amounts if profile.amounts.decimal_mark else _STYLE
    money = read_money(given, profile.currency, style)
    return -money if profile.invert_sign else money
