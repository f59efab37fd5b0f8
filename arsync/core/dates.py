"""Dates of receivables: terms, business days, age, buckets, weeks.

Units   ages and terms are calendar days; business days are Monday to Friday without the holidays handed in.
Shape   pure functions of dates; the day a report speaks of (`as_of`) is always handed in.
Law     every age falls into exactly one bucket.
Errors  `UsageError` for bucket edges that are not rising whole numbers.
Source  net days and cash discount days are counted from the issue date, the usual reading of "2/10 net 30".
"""

from bisect import bisect_left
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta

from arsync.core.items import Terms
from arsync.errors import UsageError

NO_HOLIDAYS: frozenset[date] = frozenset()
_SATURDAY = 5
_MAX_DIGITS = 5  # of a bucket edge: 99,999 days


def due_date(issued: date, terms: Terms) -> date | None:
    """The day the terms ask for payment; None when they state no number of days."""
    return None if terms.due_days is None else issued + timedelta(days=terms.due_days)


def discount_until(issued: date, terms: Terms) -> date | None:
    """The last day on which the cash discount is earned; None when the terms give none."""
    return issued + timedelta(days=terms.discount_days) if terms.discount_bp else None


def is_business_day(day: date, holidays: AbstractSet[date] = NO_HOLIDAYS) -> bool:
    """Whether banks work on this day."""
    return day.weekday() < _SATURDAY and day not in holidays


def next_business_day(day: date, holidays: AbstractSet[date] = NO_HOLIDAYS) -> date:
    """The day itself if it is a business day, otherwise the first one after it."""
    while not is_business_day(day, holidays):
        day += timedelta(days=1)
    return day


def add_business_days(day: date, count: int, holidays: AbstractSet[date] = NO_HOLIDAYS) -> date:
    """The business day `count` business days later, or earlier when negative; 0 gives `day` itself."""
    step = timedelta(days=1 if count > 0 else -1)
    for _ in range(abs(count)):
        day += step
        while not is_business_day(day, holidays):
            day += step
    return day


def business_days_between(start: date, end: date, holidays: AbstractSet[date] = NO_HOLIDAYS) -> int:
    """Business days after `start`, up to and including `end`; negative when `end` is earlier."""
    if end < start:
        return -business_days_between(end, start, holidays)
    weeks, rest = divmod((end - start).days, 7)
    tail = (start + timedelta(days=offset) for offset in range(1, rest + 1))
    working = 5 * weeks + sum(day.weekday() < _SATURDAY for day in tail)
    return working - sum(start < day <= end and day.weekday() < _SATURDAY for day in holidays)


def age_days(since: date, as_of: date) -> int:
    """Calendar days from `since` to `as_of`; negative while `since` lies ahead."""
    return (as_of - since).days


def week_start(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def week_starts(day: date, count: int) -> tuple[date, ...]:
    """The Mondays of `count` weeks, the first being the week that holds `day`."""
    first = week_start(day)
    return tuple(first + timedelta(weeks=n) for n in range(count))


@dataclass(frozen=True, slots=True)
class Buckets:
    """Age classes. `edges` are the oldest ages, in days, of every class but the last, which is open-ended."""

    edges: tuple[int, ...] = (0, 30, 60, 90)

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in zip(self.edges, self.edges[1:], strict=False))
        if not self.edges or self.edges[0] < 0 or not rising:
            raise UsageError(
                f"bucket edges {','.join(map(str, self.edges))!r} do not rise from 0 or more",
                do="give days in rising order, for example 0,30,60,90",
            )

    @classmethod
    def parse(cls, text: str) -> "Buckets":
        """Read edges such as `"0,15,30,60"`.

        Raises:
            UsageError: something is not a whole number of days, or the numbers do not rise.
        """
        words = [word.strip() for word in text.split(",")]
        wrong = [
            word for word in words if not (word.isascii() and word.isdigit() and len(word) <= _MAX_DIGITS)
        ]
        if wrong:
            raise UsageError(
                f"bucket edge {wrong[0]!r} is not a whole number of days",
                where=f"buckets {text!r}",
                do="give days in rising order, for example 0,30,60,90",
            )
        return cls(tuple(map(int, words)))

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, youngest first: `("Current", "1-30", "31-60", "61-90", "91+")`."""
        first = "Current" if self.edges[0] == 0 else f"Up to {self.edges[0]}"
        between = (
            f"{low + 1}-{high}" if low + 1 < high else f"{high}"
            for low, high in zip(self.edges, self.edges[1:], strict=False)
        )
        return (first, *between, f"{self.edges[-1] + 1}+")

    def index(self, age: int) -> int:
        """Which class an age belongs to; what is not due yet (a negative age) is in the first."""
        return bisect_left(self.edges, age)
