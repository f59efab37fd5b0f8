"""Exchange rates: what a currency was worth in another on a day, as somebody published it.

Shape   `Rate` is one published figure: one unit of `one` cost `value` units of `other` on a day. `Rates` answers for
        any two currencies and day: as published, turned round, or across a third currency both are quoted in.
Units   `value` is the exact text's Decimal; answers are fractions, so nothing is rounded on the way.
Law     a day without a rate has that of the newest day of the five calendar days before it; else there is none. A pair
        published itself goes before one across a third currency of the same day.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from arsync.core.money import exponent

STANDS_DAYS = 5  # weekends and holidays publish nothing


class Rate(NamedTuple):
    """One unit of `one` is `value` units of `other`."""

    on: date
    one: str
    other: str
    value: Decimal  # above zero


class Found(NamedTuple):
    """A rate for two currencies, and the day it was published for."""

    on: date
    value: Fraction


class Rates:
    """Published rates, ready to be asked."""

    def __init__(self, rows: Iterable[Rate]) -> None:
        self._days: dict[date, dict[str, dict[str, Fraction]]] = {}
        for row in rows:
            value = Fraction(row.value)
            day = self._days.setdefault(row.on, {})
            day.setdefault(row.one, {})[row.other] = value
            day.setdefault(row.other, {})[row.one] = Fraction(1, value)

    def __bool__(self) -> bool:
        return bool(self._days)

    def at(self, on: date, one: str, other: str) -> Found | None:
        """What a unit of `one` was worth in `other`; None if no day up to five days before has it."""
        if one == other:
            return Found(on, Fraction(1))
        for back in range(STANDS_DAYS + 1):
            day = on - timedelta(days=back)
            value = _across(self._days.get(day, {}), one, other)
            if value is not None:
                return Found(day, value)
        return None


def worth(rate: Fraction, one: str, other: str) -> Fraction:
    """The same rate between minor units: a yen has none, a dollar a hundred."""
    return rate * Fraction(10) ** (exponent(other) - exponent(one))


def _across(day: dict[str, dict[str, Fraction]], one: str, other: str) -> Fraction | None:
    quoted, back = day.get(one, {}), day.get(other, {})
    if other in quoted:
        return quoted[other]
    between = sorted(quoted.keys() & back.keys())
    return Fraction(quoted[between[0]], back[between[0]]) if between else None


def between(rates: Iterable[Rate], currencies: frozenset[str]) -> list[Rate]:
    """Those that say something of two of these currencies: of both, or of two of them in a third."""
    rows = list(rates)
    quoted: dict[str, set[str]] = {}
    for row in rows:
        for one, other in ((row.one, row.other), (row.other, row.one)):
            if one not in currencies and other in currencies:
                quoted.setdefault(one, set()).add(other)
    bridges = {one for one, others in quoted.items() if len(others) > 1}
    return [row for row in rows if row.one in currencies | bridges and row.other in currencies | bridges]
