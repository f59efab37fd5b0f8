"""Cash by week from the open book.

Units   amounts are minor units of each currency; weeks run Monday to Sunday, the first one from `as_of`.
Shape   (open rows, habits, day) -> per currency: weeks with low, likely and high amounts, and what is left.
Law     sum of the likely weeks + beyond + disputed + credit = open, to the minor unit; low <= likely <= high.
Rules   Credits and unapplied cash pay the oldest items of the customer first: that cash is here already.
        What is left of them, and cash of unknown payers, is `credit`. Disputed amounts are in no week.
        Likely is the expected amount; low and high hold 80 % of the outcomes (10 % below, 10 % above).
        What is promised, or expected in the books, for a day to come is counted on it, not by the customer's delays.
        Only what is invoiced by `as_of` is counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from arsync.core.dates import NO_HOLIDAYS, is_business_day, next_business_day, week_start, week_starts
from arsync.core.forecast.delays import Habits, OpenRow
from arsync.core.forecast.ranges import Chance, quantiles
from arsync.core.money import Money

LOW_SHARE, HIGH_SHARE = 0.1, 0.9
THIN = 30  # settled items below which a forecast rests on terms
_Block: TypeAlias = tuple[
    int | None, date, date | None
]  # what one customer owes on one due date, or has promised
_PARTS = 10**9  # probabilities become whole weights, so that amounts are allotted without loss


@dataclass(frozen=True, slots=True)
class Week:
    """What comes in from `start` to `end`, both included."""

    start: date
    end: date
    low_minor: int
    likely_minor: int
    high_minor: int


@dataclass(frozen=True, slots=True)
class CurrencyForecast:
    """The forecast of one currency. Law: likely weeks + beyond + disputed + credit = open."""

    currency: str
    open_minor: int
    weeks: tuple[Week, ...]
    beyond_minor: int
    disputed_minor: int
    credit_minor: int  # zero or negative
    items: int


@dataclass(frozen=True, slots=True)
class CashForecast:
    """The forecast of a ledger; `note` says what it rests on."""

    as_of: date
    currencies: tuple[CurrencyForecast, ...]
    settled_items: int
    note: str


@dataclass(frozen=True, slots=True)
class _Expected:
    """What is to come of one open item, after credits and disputes."""

    customer_id: int | None
    due: date
    minor: int
    named: date | None  # the day somebody has named for it


def forecast(
    rows: Iterable[OpenRow],
    habits: Habits,
    as_of: date,
    weeks: int = 13,
    holidays: AbstractSet[date] = NO_HOLIDAYS,
) -> CashForecast:
    """Forecast the cash from what is open at the start of `as_of`.

    Args:
        rows: everything open, of one ledger; credits and unapplied cash negative.
        habits: what was learned by that day.
        as_of: the first day that is forecast.
        weeks: how many weeks, counting the one `as_of` is in.
        holidays: days on which no bank works.

    Raises:
        ValueError: less than one week, or more disputed than is open.
    """
    if weeks < 1:
        raise ValueError(f"a forecast of {weeks} weeks")
    by_currency: dict[str, list[OpenRow]] = defaultdict(list)
    for row in rows:
        if not 0 <= row.disputed_minor <= max(row.open_minor, 0):
            raise ValueError(f"item {row.item_id}: disputed {row.disputed_minor} of open {row.open_minor}")
        by_currency[row.currency].append(row)
    outlook = _Outlook(habits, as_of, week_starts(as_of, weeks), holidays)
    currencies = tuple(_of_currency(currency, own, outlook) for currency, own in sorted(by_currency.items()))
    promised = sum(1 for own in by_currency.values() for row in own if _is_named(row, as_of))
    return CashForecast(as_of, currencies, habits.settled_items, _note(habits.settled_items, promised))


@dataclass(frozen=True, slots=True)
class _Outlook:
    """The weeks asked for, and how probable each is for an item."""

    habits: Habits
    as_of: date
    mondays: tuple[date, ...]
    holidays: AbstractSet[date]

    def chances(self, customer_id: int | None, due: date, named: date | None) -> list[float]:
        """The probability of each week, and last that of none of them."""
        if named is not None:
            return self._on(named)
        until = self.mondays[-1] + timedelta(days=6)
        days = self.habits.pay_days(customer_id, due, self.as_of, until, self.holidays)
        result = [0.0] * (len(self.mondays) + 1)
        for day, probability in zip(days.days, days.probabilities, strict=True):
            result[(day - self.mondays[0]).days // 7] += probability
        result[-1] = days.later
        return result

    def _on(self, named: date) -> list[float]:
        """All of it in the week of one day, or of the first one after it on which banks work."""
        result = [0.0] * (len(self.mondays) + 1)
        works = named if is_business_day(named, self.holidays) else next_business_day(named, self.holidays)
        result[min((works - self.mondays[0]).days // 7, len(self.mondays))] = 1.0
        return result


def _of_currency(currency: str, rows: Sequence[OpenRow], outlook: _Outlook) -> CurrencyForecast:
    expected, credit_minor = _after_credits(rows, outlook.as_of)
    blocks: dict[_Block, int] = defaultdict(int)
    for item in expected:
        blocks[item.customer_id, item.due, item.named] += item.minor
    sums = [0] * (len(outlook.mondays) + 1)
    likely: list[tuple[_Block, int, list[float]]] = []
    for block, minor in sorted(blocks.items(), key=_in_order):
        chances = outlook.chances(*block)
        weights = [round(chance * _PARTS) for chance in chances]
        for n, part in enumerate(Money(minor, currency).allot(weights)):
            sums[n] += part.minor
        likely.append((block, minor, chances))
    thin = outlook.habits.settled_items < THIN
    weeks = []
    for n, monday in enumerate(outlook.mondays):
        low, high = _range([(block, minor, chances[n]) for block, minor, chances in likely], whole=thin)
        start = max(monday, outlook.as_of)
        # A lopsided week may have its mean outside the middle 80 %; the range is then widened to hold it.
        weeks.append(Week(start, monday + timedelta(days=6), min(low, sums[n]), sums[n], max(high, sums[n])))
    return CurrencyForecast(
        currency=currency,
        open_minor=sum(row.open_minor for row in rows),
        weeks=tuple(weeks),
        beyond_minor=sums[-1],
        disputed_minor=sum(row.disputed_minor for row in rows),
        credit_minor=credit_minor,
        items=len(rows),
    )


def _in_order(entry: tuple[_Block, int]) -> tuple[int, date, date]:
    (customer_id, due, named), _ = entry
    return customer_id or 0, due, named or date.max


def _is_named(row: OpenRow, as_of: date) -> bool:
    """Whether somebody has named a day for it that is still to come."""
    return row.named is not None and row.named >= as_of and row.named_minor > 0 and row.open_minor > 0


def _after_credits(rows: Sequence[OpenRow], as_of: date) -> tuple[list[_Expected], int]:
    """What is still to come per item, the oldest settled first by credits; and the credit left over."""
    credit: dict[int | None, int] = defaultdict(int)
    for row in rows:
        credit[row.customer_id] += min(row.open_minor, 0)
    expected = []
    for row in sorted(rows, key=lambda row: (row.due, row.issued, row.item_id)):
        if row.open_minor <= 0:
            continue
        undisputed = row.open_minor - row.disputed_minor
        # Cash of an unknown payer settles nobody's items, not even those of an unknown customer.
        used = 0 if row.customer_id is None else min(undisputed, -credit[row.customer_id])
        credit[row.customer_id] += used
        left = undisputed - used
        promised = min(left, row.named_minor) if _is_named(row, as_of) else 0
        if promised:
            expected.append(_Expected(row.customer_id, row.due, promised, row.named))
        if left > promised:
            expected.append(_Expected(row.customer_id, row.due, left - promised, None))
    return expected, sum(credit.values())


def _range(blocks: Sequence[tuple[_Block, int, float]], *, whole: bool) -> tuple[int, int]:
    """The amounts that one outcome in ten stays below, and one in ten exceeds.

    What falls due in one week at a customer is paid in one run, or not (docs/evidence/forecast.md).
    Without history nothing is known about who moves with whom, so the `whole` book comes or stays as one:
    the range is wide because knowledge is thin.
    """
    joined: dict[object, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for (customer_id, due, named), size, probability in blocks:
        learned = None if whole else (customer_id, week_start(due))
        key = learned if named is None else (customer_id, named, "named")
        sizes, weighted = joined[key]
        joined[key] = (sizes + size, weighted + size * probability)
    chances = [Chance(size, weighted / size) for size, weighted in joined.values()]
    low, high = quantiles(chances, (LOW_SHARE, HIGH_SHARE))
    return low, high


def _note(settled_items: int, promised: int) -> str:
    said = (
        "" if not promised else f"; {promised:,} of the items on the day promised, or expected in the books"
    )
    return _rests_on(settled_items) + said


def _rests_on(settled_items: int) -> str:
    if settled_items == 0:
        return "terms only: no payment history yet, so the ranges are wide"
    if settled_items < THIN:
        return f"mostly terms: only {settled_items} settled items to learn from, so the ranges are wide"
    return f"learned from {settled_items:,} settled items"
