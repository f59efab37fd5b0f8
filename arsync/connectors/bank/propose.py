"""A first draft of a bank profile, made from a file: what the file shows, and what a person must still say.

Shape   bytes -> `Proposal`: TOML, and the questions that are open; pure.
Law     only what the file leaves no other reading for is written down; the rest is a line marked TO DECIDE. A
        proposal is never used by itself: a person saves it.
Source  headings of public exports in eight languages.
"""

import csv
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources

from arsync.connectors.bank import decode
from arsync.connectors.bank.amounts import AmountStyle, read_decimal
from arsync.connectors.bank.readers import xlsx
from arsync.connectors.bank.readers.rows import read_date
from arsync.core.money import AmountUnreadable
from arsync.errors import FileRefused

_DELIMITERS = (",", ";", "\t", "|")
_SEEN_ROWS = 200
_HEADER_WITHIN = 30
_ENCODINGS = ("utf-8", "cp1252")
_DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M",
)  # fmt: skip
_SYMBOLS = ("€", "$", "£", "USD", "EUR", "GBP", "CHF", "kr")
_DIGIT = re.compile(r"[0-9]")
_IN_BRACKETS = re.compile(r"\s*\([^)]*\)$")
_MARKS = {".": AmountStyle(".", _SYMBOLS, parentheses=True, trailing_sign=True)}
_MARKS[","] = AmountStyle(",", _SYMBOLS, parentheses=True, trailing_sign=True)


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """Our field -> what banks call it."""
    file = resources.files("arsync.connectors.bank") / "headings.toml"
    table = tomllib.loads(file.read_text("utf-8"))
    return {name: tuple(words) for name, words in table.items()}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile's TOML, and what a person must decide before it works."""

    toml: str
    open_questions: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    delimiter: str = ","
    encodings: tuple[str, ...] = _ENCODINGS
    header: list[str] = field(default_factory=list)
    within: int = 1
    columns: dict[str, str] = field(default_factory=dict)
    rows: list[list[str]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


def propose(data: bytes, name: str, *, is_workbook: bool) -> Proposal:
    """Draft a profile for delimited text or a workbook.

    Raises:
        FileRefused: no row of the file looks like a heading.
    """
    draft = _Draft()
    if is_workbook:
        table = xlsx.rows(
            data, None, decimal_mark=".", date_format="%Y-%m-%d", max_bytes=len(data) * 200 + 1_000_000
        )
    else:
        decoded = decode.decode(data, (*_ENCODINGS, "latin-1"))
        draft.encodings = (decoded.codec,)
        draft.delimiter = delimiter_of(decoded.text)
        lines = decoded.text.splitlines()[:_SEEN_ROWS]
        table = table_of(lines, draft.delimiter)
    _find_header(draft, table)
    _find_columns(draft)
    return Proposal(_toml(draft, name), tuple(draft.questions))


def table_of(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    """The rows of delimited text. Raises `FileRefused` for a cell longer than any table has."""
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise FileRefused(f"the table cannot be read: {error}", do="open it and look at its cells") from None


def delimiter_of(text: str) -> str:
    """The mark that stands equally often in most lines."""
    lines = [line for line in text.splitlines()[:_SEEN_ROWS] if line.strip()]

    def evenness(mark: str) -> tuple[int, int]:
        counts = Counter(line.count(mark) for line in lines if mark in line)
        number, times = max(counts.items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
        return times if number else 0, number

    return max(_DELIMITERS, key=evenness)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.strip().strip("\ufeff\"'").lower())
    bare = "".join(char for char in plain if not unicodedata.combining(char)).replace("ø", "o")
    return _IN_BRACKETS.sub("", bare) or bare


def _find_header(draft: _Draft, table: Sequence[Sequence[str]]) -> None:
    """The row with most headings we know, among the first; at least a date and an amount."""
    known = {word for words in _words().values() for word in words}
    scored = [
        (sum(_folded(cell) in known for cell in row), -at) for at, row in enumerate(table[:_HEADER_WITHIN])
    ]
    best, at = max(scored, default=(0, 0))
    if best < 2:  # noqa: PLR2004 - a date and an amount
        raise FileRefused(
            "no row among the first looks like headings",
            do="write the profile by hand with first_row and column numbers; the bank README shows how",
        )
    draft.header = [cell.strip().strip("\ufeff") for cell in table[-at]]
    draft.within = -at + 1
    draft.rows = [list(row) for row in table[-at + 1 :] if any(cell.strip() for cell in row)]


def _find_columns(draft: _Draft) -> None:
    cells: dict[str, str] = {}
    for cell in draft.header:
        cells.setdefault(_folded(cell), cell)
    for our_name, words in _words().items():
        for word in words:
            found = cells.get(word)
            if found is not None and found not in draft.columns.values():
                draft.columns[our_name] = found
                break


def _values(draft: _Draft, name: str) -> list[str]:
    column = draft.columns.get(name)
    if column is None:
        return []
    at = draft.header.index(column)
    return [row[at].strip() for row in draft.rows if at < len(row) and row[at].strip()]


def _date_formats(draft: _Draft) -> list[str]:
    given = [text for text in dict.fromkeys(_values(draft, "booking_date")) if _DIGIT.search(text)]
    fitting = [
        one
        for one in _DATE_FORMATS
        if given and sum(_is_day(t, one) for t in given) >= max(1, len(given) - 2)
    ]
    if not given:
        draft.questions.append("booking_date: name the column of the booking date")
    elif not fitting:
        draft.questions.append(f"date_formats: none known fits {given[0]!r}")
    elif len(fitting) > 1:
        draft.questions.append(f"date_formats: {given[0]!r} fits {' and '.join(fitting)}; keep the right one")
    return fitting


def _is_day(text: str, pattern: str) -> bool:
    found = read_date(text, (pattern,))
    return found is not None and date(1990, 1, 1) <= found


def _decimal_mark(draft: _Draft) -> str | None:
    names = [name for name in ("amount", "debit", "credit", "balance") if name in draft.columns]
    given = [text for name in names for text in dict.fromkeys(_values(draft, name)) if _DIGIT.search(text)]
    fitting = [
        mark for mark, style in _MARKS.items() if given and all(_is_amount(text, style) for text in given)
    ]
    if len(fitting) == 1:
        return fitting[0]
    draft.questions.append(
        "amounts.decimal_mark: both readings fit" if fitting else "amounts: some fit neither decimal mark"
    )
    return None


def _is_amount(text: str, style: AmountStyle) -> bool:
    try:
        read_decimal(text, style)
    except AmountUnreadable:
        return False
    return True


def _sign(draft: _Draft) -> list[str]:
    if "debit" in draft.columns and "credit" in draft.columns:
        draft.columns.pop("amount", None)
        return ['sign = "debit and credit columns"']
    draft.columns.pop("debit", None)
    draft.columns.pop("credit", None)
    if "flag" in draft.columns:
        flags = sorted(set(_values(draft, "flag")))
        draft.questions.append(f"money_in, money_out: sort {flags} into the two")
        return ['sign = "flag"', f"money_in = {_list(flags)}  # TO DECIDE", "money_out = []  # TO DECIDE"]
    if "amount" not in draft.columns:
        draft.questions.append("amount: name the column of the amount")
    elif not any("-" in text or "(" in text for text in _values(draft, "amount")):
        draft.questions.append('sign: no amount is negative; is money out written as positive ("inverted")?')
    return ['sign = "signed"']


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(value) for value in values) + "]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'


def _toml(draft: _Draft, name: str) -> str:
    formats, mark = _date_formats(draft), _decimal_mark(draft)
    sign = _sign(draft)
    used = [one for one in ("amount", "debit", "credit") if one in draft.columns]
    symbols = [s for s in _SYMBOLS if any(s in text for one in used for text in _values(draft, one))]
    if "currency" not in draft.columns:
        draft.questions.append("currency: the file names none; the bank account's is used")
    columns = [
        f"{our_name} = [{_quoted(column)}]" if our_name == "text" else f"{our_name} = {_quoted(column)}"
        for our_name, column in draft.columns.items()
    ]
    style = [f"decimal_mark = {_quoted(mark or '.')}", *([f"symbols = {_list(symbols)}"] if symbols else [])]
    lines = [
        "# Proposed from one file. Check every line before you use it; TO DECIDE marks what the file does not say.",
        *(f"# TO DECIDE  {question}" for question in draft.questions),
        f"name = {_quoted(name)}",
        f"amounts = {{ {', '.join(style)} }}",
        "",
        "[csv]",
        f"delimiter = {_quoted(draft.delimiter)}",
        f"encodings = {_list(draft.encodings)}",
        f"header = {_list(draft.header)}",
        f"header_within = {draft.within}",
        f"date_formats = {_list(formats)}",
        *sign,
        "",
        "[csv.columns]",
        *columns,
    ]
    return "\n".join(lines) + "\n"
