"""Reads files of exchange rates: a list by day and currency, or the European Central Bank's wide table.

Shape   `read(text, base)` -> `RatesRead`: the rates and what could not be read, each with its line number and raw text.
Units   of a list (`date,currency,rate`) a unit of the currency is so many of the base; of the wide table
        (`Date,USD,JPY,...`) a euro is so many of the currency.
Law     nothing is guessed: an unreadable line gives a problem and no rate, and of two rates of one day and pair in one
        file that differ neither counts.
Source  European Central Bank, euro foreign exchange reference rates, eurofxref.csv and eurofxref-hist.csv.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from arsync.core.money import AmountUnreadable, exponent
from arsync.core.rates import Rate

_VALUE = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)
_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_ABSENT = frozenset({"", "N/A"})
_EURO = "EUR"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line, or a field of it, that could not be read."""

    line: int  # counted from 1, the header being the first
    raw: str
    why: str


@dataclass(frozen=True, slots=True)
class RatesRead:
    """What a file says; `bad` is everything that could not be read."""

    rates: tuple[Rate, ...]
    bad: tuple[BadLine, ...]


class NoRates(ValueError):
    """The text is no file of rates that is known."""


def read(text: str, base: str | None = None) -> RatesRead:
    """The rates of a file.

    Args:
        text: the whole file.
        base: what a list's rates are in, where the file has no column `base`.

    Raises:
        NoRates: the header is none of the known ones, or nothing says what the rates are in.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    header = [name.strip() for name in next(csv.reader(lines[:1]), [])]
    names = [name.lower() for name in header]
    if {"date", "currency", "rate"} <= set(names):
        if base is None and "base" not in names:
            raise NoRates("nothing says which currency the rates are in")
        found = _listed(lines[1:], names, base)
    elif names[:1] == ["date"] and any(map(_CODE.fullmatch, header[1:])):
        found = _wide(lines[1:], header)
    else:
        raise NoRates(f"the first line is {lines[0][:80]!r}" if lines else "the file is empty")
    said: dict[tuple[date, frozenset[str]], set[Rate]] = {}
    bad: list[BadLine] = []
    for _, _, one in found:
        if isinstance(one, Rate):
            said.setdefault((one.on, frozenset(one[1:3])), set()).add(one)
    for number, raw, one in found:
        if isinstance(one, str):
            bad.append(BadLine(number, raw, one))
        elif len(said[one.on, frozenset(one[1:3])]) > 1:
            bad.append(BadLine(number, raw, "another line says otherwise for this day"))
    return RatesRead(tuple(sorted(min(each) for each in said.values() if len(each) == 1)), tuple(bad))


_Found = list[tuple[int, str, Rate | str]]


def _listed(lines: list[str], names: list[str], base: str | None) -> _Found:
    found: _Found = []
    for number, raw, cells in _rows(lines):
        if len(cells) != len(names):
            found.append((number, raw, f"it has {len(cells)} fields, the header {len(names)}"))
            continue
        row = dict(zip(names, cells, strict=True))
        found.append(
            (number, raw, _rate(row["date"], row["currency"], row.get("base") or base or "", row["rate"]))
        )
    return found


def _wide(lines: list[str], header: list[str]) -> _Found:
    found: _Found = []
    for number, raw, cells in _rows(lines):
        if len(cells) < len([name for name in header if name]):
            found.append((number, raw, f"it has {len(cells)} fields, the header {len(header)}"))
            continue
        for code, cell in zip(header[1:], cells[1:], strict=False):
            if code and cell not in _ABSENT:
                found.append((number, f"{cells[0]} {code} {cell}", _rate(cells[0], _EURO, code, cell)))
    return found


def _rows(lines: list[str]) -> Iterator[tuple[int, str, list[str]]]:
    for number, raw in enumerate(lines, 2):
        if raw.strip():
            yield number, raw, [cell.strip() for cell in next(csv.reader([raw]))]


def _rate(day: str, one: str, other: str, value: str) -> Rate | str:
    """One unit of `one` is `value` of `other`; or why that is none."""
    on = _day(day)
    if on is None:
        return f"{day!r} is no date"
    for code in (one, other):
        try:
            exponent(code)
        except AmountUnreadable as bad:
            return str(bad)
    if one == other:
        return f"{one} has no rate in itself"
    if _VALUE.fullmatch(value) is None or not Decimal(value):
        return f"{value!r} is no rate"
    return Rate(on, one, other, Decimal(value))


def _day(text: str) -> date | None:
    for shape in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a business date has no zone
        except ValueError:
            continue
    return None
