"""Days on which banks do not settle: the Federal Reserve's and those of TARGET, for counting return windows.

Shape   a year -> the dates; pure. `both` is their union: counting with it a window ends late rather than early.
Source  Federal Reserve Financial Services, holiday schedule (a holiday on a Sunday is kept on Monday, one on a
        Saturday is not kept); ECB, TARGET closing days (New Year, Good Friday, Easter Monday, 1 May, 25 and 26
        December).
"""

from datetime import date, timedelta
from functools import cache

_MONDAY, _THURSDAY, _SUNDAY = 0, 3, 6
_JUNETEENTH_SINCE = 2021  # in force since 17 June of that year


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous rule of Meeus, Jones and Butcher)."""
    century, of_century = divmod(year, 100)
    leap, rest = divmod(century, 4)
    moon = (19 * (year % 19) + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


def target(year: int) -> frozenset[date]:
    """Closing days of the euro's settlement system."""
    sunday = easter(year)
    moving = {sunday - timedelta(days=2), sunday + timedelta(days=1)}
    return frozenset(moving | {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)})


def federal_reserve(year: int) -> frozenset[date]:
    """Closing days of the Federal Reserve Banks."""
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    fixed += [date(year, 6, 19)] if year >= _JUNETEENTH_SINCE else []
    kept = {day + timedelta(days=day.weekday() == _SUNDAY) for day in fixed}
    moving = {
        _nth(year, 1, _MONDAY, 3), _nth(year, 2, _MONDAY, 3), _nth(year, 6, _MONDAY, 1) - timedelta(weeks=1),
        _nth(year, 9, _MONDAY, 1), _nth(year, 10, _MONDAY, 2), _nth(year, 11, _THURSDAY, 4),
    }  # fmt: skip
    return frozenset(kept | moving)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7, weeks=number - 1)


@cache
def both(year: int) -> frozenset[date]:
    """Every day on which one of the two does not settle."""
    return target(year) | federal_reserve(year)
