"""Remittance advices as people write them: a table with headings in a mail, a document or a sheet nobody declared.

Units   amounts with either decimal mark, one mark in a document; the currency the document names, else the given one.
Shape   cells or text -> one `Remittance`, or None where there is no such table; pure.
Law     a row with a reference and an amount is a line of the advice, or a problem of it; rows that do not come to
        the total the document names are a problem. What a document says of itself lifts no grade.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

from arsync.connectors.bank import remit
from arsync.connectors.bank.amounts import AmountStyle, is_currency, read_money
from arsync.connectors.bank.readers.rows import read_date
from arsync.core.bank import Grade, Problem, Remittance, RemittanceLine
from arsync.core.money import AmountUnreadable, Money

Column = Literal["reference", "paid", "gross", "discount", "deduction", "document_date", "note"]
_AMOUNTS: tuple[Column, ...] = ("paid", "gross", "discount", "deduction")
_LONGEST_REFERENCE = 60
_HEADER_WITHIN = 60  # rows before the headings: letterheads, greetings
_SYMBOL_OF = {"€": "EUR", "£": "GBP", "¥": "JPY"}
_SYMBOLS = ("€", "£", "¥", "US$", "$")
CURRENCIES = "USD|EUR|GBP|CHF|CAD|AUD|NZD|JPY|SEK|NOK|DKK|PLN|CZK|HUF|SGD|HKD|ZAR|MXN|INR"  # in prose
_CODE = re.compile(rf"(?<![\w-])({CURRENCIES})(?![\w-])")
_BRACKETS = re.compile(r"[\[(][^\])]*[\])]")
_NOT_WORD = re.compile(r"[^a-z0-9 ]+")
_SPACED = re.compile(r" {2,}|\t|\s*\|\s*|;")
_MONEY = re.compile(
    r"^[-+(]?\s?(?:[A-Z]{3}\s?|US\$\s?|[€£¥$]\s?)?[-+(]?[0-9][0-9.,'\u00a0\u202f ]*\)?"
    r"\s?(?:[A-Z]{3}|[€£¥$])?\s?(?:CR|-|\))?$"
)
# "Invoice INV-7: 100.00", the whole line: a list without headings. Nothing is given back (`++`): a ruler of hashes
# would be cut in every way there is.
_LISTED = re.compile(
    r"[\s*•·-]*+(?:[A-Za-z]*+[ .:#]++){0,4}(?P<reference>[A-Za-z0-9][A-Za-z0-9/_.-]*)(?:\s*+[:=,\u2013-])?\s++"
    r"(?P<amount>[-+(]?(?:[A-Z]{3} ?|US\$ ?|[€£$] ?)?[-+(]?[0-9][0-9.,'\u00a0]*[.,][0-9]{2}\)?"
    r"(?: ?(?:[A-Z]{3}|€|£|\$|CR|-))?)\s*"
)
_MARKED = re.compile(r"([.,])([0-9]{1,2})(?![0-9.,])")
_TOTAL_SAID = re.compile(
    r"(?:total(?: (?:payment|paid|amount(?: paid)?|remitted))?|payment (?:amount|total)"
    r"|amount (?:of payment|paid|remitted)|remittance amount|zahlbetrag|zahlungsbetrag"
    r"|gesamtbetrag|gesamtsumme|montant total|total a payer|totaalbedrag"
    r"|importo totale|importe total)\b[^0-9\n\-(]{0,24}([-(]?[0-9][0-9.,'\u00a0\u202f ]*[0-9]\)?)",
    re.IGNORECASE,
)
_REFERENCE_SAID = re.compile(
    r"(?:payment (?:reference|ref|number|no|id)|trace(?: number| no)?|eft(?: number| no| ref)?|ach(?: trace| id)?"
    r"|che(?:que|ck)(?: number| no)?|wire(?: reference| ref)?|end[- ]to[- ]end(?: id)?|zahlungsreferenz|zahlungsbeleg)"
    r"\s*[:.#]?\s*#?\s*([A-Z0-9][A-Z0-9/-]{3,34})",
    re.IGNORECASE,
)
_DATE_SAID = re.compile(
    r"(?:payment date|date of payment|value date|date paid|paid on|settlement date|zahlungsdatum|valuta(?:datum)?"
    r"|date de paiement|betaaldatum|data pagamento|fecha de pago)\s*[:.]?\s*([0-9][0-9A-Za-z ./,-]{5,16}[0-9])",
    re.IGNORECASE,
)
_PAYER_SAID = re.compile(
    r"^[^\S\n]*(?:payer|paid by|payment from|remitter|customer name|auftraggeber|zahler|payeur|donneur d'ordre)"
    r"[^\S\n]*[:.]\s{0,80}(.{2,80}?)[^\S\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_CERTAIN_DATES = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y/%m/%d",
)


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of a document that it does not say, or may not say, itself.

    Attributes:
        currency: where it names none.
        on: the day it came.
        grade: how far its sender may be believed.
        payer_name: who the sender is; empty where only the document says so.
        reference: what the sender calls the payment outside the document.
    """

    currency: str | None
    on: date | None = None
    grade: Grade = "unknown"
    payer_name: str = ""
    reference: str = ""


@dataclass(slots=True)
class Table:
    """An advice while it is read: where its columns stand, and what was read of it so far."""

    columns: dict[Column, int]
    currency: str | None
    mark: str | None
    lines: list[RemittanceLine] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    total: Money | None = None
    raw: list[str] = field(default_factory=list)


def from_text(text: str, given: Given) -> Remittance | None:
    """Read the table of a text whose columns stand apart by tabs, bars or two spaces."""
    lines = text.splitlines()
    table = from_cells(((line, _cells(line)) for line in lines), text, given, by_place=True)
    return table or _from_list(lines, text, given)


def _from_list(lines: Sequence[str], text: str, given: Given) -> Remittance | None:
    """A list of documents and amounts without headings; None where no line is one."""
    found = [(at, line, listed) for at, line in enumerate(lines, 1) if (listed := _LISTED.fullmatch(line))]
    documents = [
        (at, line, listed)
        for at, line, listed in found
        if has_digit(listed["reference"]) and read_date(listed["reference"], _CERTAIN_DATES) is None
    ]
    if not documents:
        return None
    mark = mark_of([[listed["amount"]] for _, _, listed in documents])
    table = Table({"reference": 0, "paid": 1}, currency_of("", text, given), mark)
    for at, line, listed in documents:
        _take(table, at, line, [listed["reference"], listed["amount"]])
    return advice_of(table, text, documents[0][0], given) if table.lines or table.problems else None


def _cells(line: str) -> list[str]:
    stripped = line.strip().strip("|")
    return [cell.strip() for cell in _SPACED.split(stripped)] if stripped else []


def from_rows(rows: Iterable[Sequence[str]], given: Given) -> Remittance | None:
    """Read a table that is one already: a sheet, a delimited file, a table of HTML."""
    kept = [[" ".join(cell.split()) for cell in row] for row in rows]
    text = "\n".join("  ".join(row) for row in kept)
    return from_cells((("  ".join(row), row) for row in kept), text, given)


def from_cells(
    rows: Iterable[tuple[str, list[str]]], text: str, given: Given, *, by_place: bool = False
) -> Remittance | None:
    """Read rows, each with its source text; None where no row is headings of an advice or none follows them.

    Args:
        rows: in order.
        text: the whole document, in which payment date, reference, payer and total may be said.
        given: what is known of it otherwise.
        by_place: an empty cell left no mark; what stands under a heading is of its column.
    """
    listed = list(rows)
    found = next(
        (
            (at, columns)
            for at, (_, cells) in enumerate(listed[:_HEADER_WITHIN])
            if (columns := _headings(cells))
        ),
        None,
    )
    if found is None:
        return None
    at, columns = found
    currency = currency_of(" ".join(listed[at][1]), text, given)
    table = Table(columns, currency, mark_of(cells for _, cells in listed[at + 1 :]))
    for number, (line, cells) in enumerate(listed[at + 1 :], at + 2):
        _take(table, number, line, _fitted(line, cells, listed[at]) if by_place else cells)
    if not table.lines and not table.problems:
        return None
    return advice_of(table, text, at + 1, given)


def _headings(cells: Sequence[str]) -> dict[Column, int]:
    """Which column says what; empty unless a document and an amount of it are named."""
    words = _words()
    columns: dict[Column, int] = {}
    folded = [_folded(cell) for cell in cells]
    for name in (*_AMOUNTS, "reference", "document_date", "note"):
        for word in words[name]:
            if word in folded and folded.index(word) not in columns.values():
                columns[name] = folded.index(word)
                break
    has_amount = "paid" in columns or "gross" in columns
    return columns if has_amount and "reference" in columns else {}


@cache
def _words() -> Mapping[str, tuple[str, ...]]:
    file = resources.files("arsync.connectors.bank") / "advice_headings.toml"
    return {name: tuple(words) for name, words in tomllib.loads(file.read_text("utf-8")).items()}


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", _BRACKETS.sub(" ", text).lower())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    words = _NOT_WORD.sub(" ", _CODE.sub(" ", bare.upper()).lower()).split()
    return " ".join(words)


def currency_of(headings: str, text: str, given: Given) -> str | None:
    """The currency the headings or the whole document name; several are none, then the given one counts."""
    for said in (headings, text):
        codes: set[str] = {code for code in _CODE.findall(said) if is_currency(code)}
        codes |= {code for symbol, code in _SYMBOL_OF.items() if symbol in said}
        if len(codes) == 1:
            return codes.pop()
        if codes:
            break
    return given.currency


def mark_of(rows: Iterable[Sequence[str]]) -> str | None:
    """The decimal mark of a document; None where no amount, or not all, tell it."""
    marks: set[str] = {
        found[1]
        for cells in rows
        for cell in cells
        if _MONEY.match(cell) and (found := _MARKED.search(cell.strip(" )-CR€£¥$")))
    }
    return marks.pop() if len(marks) == 1 else None


def _fitted(line: str, cells: list[str], headings: tuple[str, list[str]]) -> list[str]:
    """The cells of a row under their headings: as many as there are, or its words if those are, or by place."""
    width = len(headings[1])
    if len(cells) == width:
        return cells
    words = line.split()
    if len(words) == width:
        return words
    placed = [""] * width
    over = _places(*headings)
    for cell, (start, end) in zip(cells, _places(line, cells), strict=True):
        apart = [max(left - end, start - right, 0) for left, right in over]
        column = apart.index(min(apart))
        placed[column] = f"{placed[column]} {cell}".strip()
    return placed


def _places(line: str, cells: Sequence[str]) -> list[tuple[int, int]]:
    """Where each cell stands in its line."""
    places, at = [], 0
    for cell in cells:
        start = line.find(cell, at)
        at = start + len(cell)
        places.append((start, at))
    return places


def _take(table: Table, number: int, line: str, cells: Sequence[str]) -> None:
    if not any(cells) or all(set(cell) <= set("-=_ *") for cell in cells):
        return
    if any(_folded(cell) in _words()["total"] or _folded(cell).startswith("total ") for cell in cells[:2]):
        _total(table, number, line, cells)
        return
    reference = _at(table, cells, "reference")
    given = [name for name in _AMOUNTS if _MONEY.match(_at(table, cells, name))]
    if not given or not reference or len(reference) > _LONGEST_REFERENCE or not has_digit(reference):
        # Under the total stand greetings and telephone numbers.
        if table.total is None and ("paid" in given or "gross" in given) and len(cells) > 1:
            _problem(table, number, line, "a row with an amount names no document")
        return
    table.raw.append(line)
    try:
        amounts = {name: _money(table, _at(table, cells, name)) for name in _AMOUNTS}
    except AmountUnreadable as error:
        _problem(table, number, line, str(error))
        return
    note = _at(table, cells, "note")
    day = read_date(_at(table, cells, "document_date"), _CERTAIN_DATES)
    table.lines.append(_line(reference, amounts, day, note))


def has_digit(reference: str) -> bool:
    """Whether it can be a document's number."""
    return any(map(str.isdigit, reference))


def _line(
    reference: str, amounts: Mapping[Column, Money | None], day: date | None, note: str
) -> RemittanceLine:
    """One document; what is paid follows from gross and what is taken off where only those are given."""
    gross, discount, deduction = amounts["gross"], amounts["discount"], amounts["deduction"]
    discount = abs(discount) if discount else None
    paid = amounts["paid"]
    if paid is None and gross is not None:
        paid = gross
        for less in (discount, abs(deduction) if deduction else None):
            paid = paid - less if less else paid
    if deduction:
        note = f"{note} deduction {abs(deduction)}".strip()
    return RemittanceLine(
        reference=reference, paid=paid, gross=gross, discount=discount, document_date=day, note=note
    )


def _total(table: Table, number: int, line: str, cells: Sequence[str]) -> None:
    paid = [_at(table, cells, "paid"), *reversed(cells)]
    said = next((cell for cell in paid if _MONEY.match(cell)), "")
    if not said or table.total is not None:
        return
    try:
        table.total = _money(table, said)
    except AmountUnreadable as error:
        _problem(table, number, line, str(error))


def _at(table: Table, cells: Sequence[str], name: Column) -> str:
    at = table.columns.get(name)
    return cells[at] if at is not None and at < len(cells) else ""


def _money(table: Table, text: str) -> Money | None:
    if not text.strip(" -\u2013"):
        return None
    if table.currency is None:
        raise AmountUnreadable(text, "the document names no currency")
    credit = text.upper().endswith("CR")
    bare = _CODE.sub("", text[:-2] if credit else text).strip()
    style = AmountStyle(table.mark, _SYMBOLS, parentheses=True, trailing_sign=True)
    amount = read_money(bare, table.currency, style)
    return -abs(amount) if credit else amount


def _problem(table: Table, number: int, line: str, why: str) -> None:
    table.raw.append(line)
    table.problems.append(Problem("remittance-unreadable", f"line {number}", "paid", line, why, remit.ASK))


def advice_of(table: Table, text: str, number: int, given: Given) -> Remittance:
    """What was read, with what the document says of the payment as a whole."""
    reference, payer, day = _REFERENCE_SAID.search(text), _PAYER_SAID.search(text), _DATE_SAID.search(text)
    on = read_date(" ".join(day[1].split()), _CERTAIN_DATES) if day else None
    said = reference[1] if reference and has_digit(reference[1]) else given.reference
    return remit.sealed(
        Remittance(
            key="",
            locator=f"line {number}",
            on=on or given.on,
            payer_name=given.payer_name or (payer[1] if payer else ""),
            currency=table.currency,
            total=table.total or said_total(table, text),
            grade=given.grade,
            reference=said,
            lines=tuple(table.lines),
            problems=tuple(table.problems),
            raw="\n".join(table.raw),
        )
    )


def said_total(table: Table, text: str) -> Money | None:
    """The total the prose names, if it names one only."""
    return only_amount(table, map(str.strip, _TOTAL_SAID.findall(text)))


def only_amount(table: Table, texts: Iterable[str]) -> Money | None:
    """The one amount that all texts name; None where there are several, or one that cannot be read."""
    if table.currency is None:
        return None
    style = AmountStyle(table.mark, (), parentheses=True)
    try:
        amounts = {read_money(text, table.currency, style) for text in texts}
    except AmountUnreadable:
        return None
    return amounts.pop() if len(amounts) == 1 else None


def of_sender(advice: Remittance, given: Given) -> Remittance:
    """An advice of another format that came in a stranger's envelope: it is worth what its sender is worth."""
    sender = replace(advice, grade=given.grade, payer_name=given.payer_name or advice.payer_name)
    return remit.keyed(
        replace(sender, on=advice.on or given.on, reference=advice.reference or given.reference)
    )
