"""The months that a payer's text names: `RENT MARCH`, `SUBSCRIPTION 03/2026`, `STATEMENT 2026-03`.

Shape   (texts, the day of the receipt) -> {(year, month)}; pure. A month without a year is the nearest one.
Law     a full date names no month; whole words only.
"""

import re
from datetime import date
from functools import lru_cache

from arsync.core.matching.normalise import fold

Month = tuple[int, int]

_NAMES = (
    "JAN JANUARY JANUAR JANUARI JANVIER",
    "FEB FEBRUARY FEBRUAR FEBRUARI FEVRIER",
    "MAR MARCH MAERZ MARZ MRZ MAART MARS",
    "APR APRIL AVRIL",
    "MAY MAI MEI",
    "JUN JUNE JUNI JUIN",
    "JUL JULY JULI JUILLET",
    "AUG AUGUST AUGUSTUS AOUT",
    "SEP SEPT SEPTEMBER SEPTEMBRE",
    "OCT OCTOBER OKT OKTOBER OCTOBRE",
    "NOV NOVEMBER NOVEMBRE",
    "DEC DECEMBER DEZ DEZEMBER DECEMBRE",
)
_NUMBER = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
_WORD = re.compile(
    rf"(?<![A-Z0-9])({'|'.join(sorted(_NUMBER, key=len, reverse=True))})(?![A-Z])\.?(?: ?((?:19|20)[0-9]{{2}}))?"
)
_FIGURES = re.compile(
    r"(?<![0-9./-])(?:(0?[1-9]|1[0-2])[/.]((?:19|20)[0-9]{2})|((?:19|20)[0-9]{2})-(0[1-9]|1[0-2]))(?![0-9/.-])"
)


@lru_cache(maxsize=8_192)  # asked several times of one receipt
def months_named(texts: tuple[str, ...], on: date) -> frozenset[Month]:
    """The months that the first of the texts names."""
    found: set[Month] = set()
    for text in texts[:1]:
        folded = fold(text)
        for word in _WORD.finditer(folded):
            number = _NUMBER[word[1]]
            found.add((int(word[2]) if word[2] else _nearest(number, on), number))
    return frozenset(found | months_in_figures(texts))


@lru_cache(maxsize=8_192)
def months_in_figures(texts: tuple[str, ...]) -> frozenset[Month]:
    """Those that the first of the texts names in figures."""
    groups = (match.groups() for text in texts[:1] for match in _FIGURES.finditer(fold(text)))
    return frozenset(
        (int(year or other_year), int(first or other)) for first, year, other_year, other in groups
    )


def begins(number: str | None, month: Month) -> bool:
    """Whether a document's number begins with a month's figures."""
    year, of_year = month
    return number is not None and "".join(filter(str.isdigit, number)).startswith(f"{year}{of_year:02d}")


def of_month(day: date, months: frozenset[Month]) -> bool:
    """Whether a day lies in one of the months."""
    return (day.year, day.month) in months


def _nearest(month: int, on: date) -> int:
    def months_away(year: int) -> int:
        return abs((year - on.year) * 12 + month - on.month)

    return min((on.year - 1, on.year, on.year + 1), key=months_away)
