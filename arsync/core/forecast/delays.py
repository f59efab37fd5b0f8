"""How late each customer pays: delay curves learned from what was paid, and from what is still open.

Units   delays are calendar days from the due date to the day the money arrived; negative is early.
Shape   (paid items, open rows, day) -> `Habits`; `habits.pay_days(...)` -> the probability of coming days.
Law     the probabilities of all days, with "later than we look", add up to 1; no day before `as_of` has any.
Source  docs/evidence/forecast.md has the figures behind every constant here, and the command that made them.

A curve is a discrete hazard: the chance that an item not settled before day d of its delay is settled on
it. So an item that is 20 days late is judged by those that were 20 days late, an open item counts as "not
settled until now", and days before an item was issued do not count as days it was left unpaid. Curves are
shrunk level by level towards the wider one, as if the wider one had been seen on some pseudo-items: assumed
terms -> ledger -> ledger, due weekday -> customer -> customer, due weekday. A customer without history is the
ledger; one with hundreds of payments is almost only itself. The due weekday matters because customers pay in
weekly runs. Habits are of days, not of money: all currencies share them.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, product

from arsync.core.dates import NO_HOLIDAYS, age_days, is_business_day, next_business_day

FIRST, LAST = (
    -90,
    180,
)  # delays are told apart from 90 days early to 180 days late; beyond, the hazard is constant
WEEKENDS_FROM = 20  # one settlement in this many on a weekend shows that money arrives on any day
RECENT = 365  # days of history that count; older habits say less about today
PSEUDO_ASSUMED, PSEUDO_WEEKDAY, PSEUDO_CUSTOMER, PSEUDO_CUSTOMER_WEEKDAY = 10, 20, 10, 30
_TAIL_FROM = 60  # the constant hazard is measured on items at least this late
_DAYS = LAST - FIRST + 1
_ALL_DAYS = -1


@dataclass(frozen=True, slots=True)
class PaidItem:
    """An item that was settled, and when the money came."""

    customer_id: int
    issued: date
    due: date
    paid_on: date
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An open item; credits and unapplied cash are negative, cash of an unknown payer has no customer."""

    customer_id: int | None
    item_id: int
    issued: date
    due: date
    currency: str
    open_minor: int
    disputed_minor: int = 0
    named: date | None = None  # when the customer has promised to pay, or the books expect it
    named_minor: int = 0  # how much of it


@dataclass(frozen=True, slots=True)
class PayDays:
    """The probability of each coming business day, in order, and of later than those."""

    days: tuple[date, ...]
    probabilities: tuple[float, ...]
    later: float

    def quantile(self, share: float) -> date | None:
        """The first day by which at least this share of the probability has passed; None if that is later."""
        for day, reached in zip(self.days, accumulate(self.probabilities), strict=True):
            if reached >= share - _ROUNDING:
                return day
        return None

    def shortest(self, share: float) -> tuple[date, date]:
        """The shortest span that holds this share of what falls into `days`; the earliest of equals."""
        reached = (0.0, *accumulate(self.probabilities))
        wanted = share * reached[-1] - _ROUNDING
        best = (self.days[0], self.days[-1])
        for n, start in enumerate(self.days):
            end = bisect_left(reached, reached[n] + wanted, n + 1)
            if end < len(reached) and self.days[end - 1] - start < best[1] - best[0]:
                best = (start, self.days[end - 1])
        return best


_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class _Curve:
    """Hazards for delays FIRST..LAST, and the constant one beyond."""

    hazards: tuple[float, ...]
    tail: float


def _assumed() -> _Curve:
    """What is believed before anything was seen: due dates are roughly kept, some slip, few slip far."""
    bands = ((0, 0.004), (1, 0.30), (8, 0.06), (31, 0.03))
    hazards = [next((h for until, h in bands if d < until), 0.015) for d in range(FIRST, LAST + 1)]
    return _Curve(tuple(hazards), 0.01)


@dataclass(slots=True)
class _Counts:
    """Items by the delay at which we began to watch them, settled, and at which they were still open."""

    entered: Counter[int] = field(default_factory=Counter)
    settled: Counter[int] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)

    def shrunk(self, wider: _Curve, pseudo: int) -> _Curve:
        """The curve of these counts, with `wider` weighing as much as `pseudo` items."""
        if not self.entered:
            return wider
        settled, moves = [0] * (_DAYS + 1), [0] * (_DAYS + 2)
        for delay, count in self.entered.items():
            moves[delay - FIRST] += count
        for delay, count in self.waiting.items():
            moves[delay - FIRST] -= count  # an open item has not been watched today itself
        for delay, count in self.settled.items():
            settled[delay - FIRST] += count
            moves[delay - FIRST + 1] -= count
        believed = accumulate(wider.hazards, lambda left, hazard: left * (1 - hazard), initial=float(pseudo))
        # Not strict: the last places are of delays beyond LAST, which have no hazard of their own.
        days = zip(wider.hazards, settled, accumulate(moves), believed, strict=False)
        return _Curve(
            tuple(
                (seen + left * prior) / (alive + left) if alive + left > _ROUNDING else prior
                for prior, seen, alive, left in days
            ),
            wider.tail,
        )

    def tail(self, prior: float) -> float:
        """Settlements per day of items over `_TAIL_FROM` days late, with 100 pseudo-days of `prior`."""
        ends = (*self.settled.items(), *self.waiting.items())
        watched = sum(count * (end - _TAIL_FROM) for end, count in ends if end > _TAIL_FROM)
        seen = sum(count for end, count in self.settled.items() if end > _TAIL_FROM)
        return (seen + 100 * prior) / (watched + 100)


@dataclass(frozen=True, slots=True)
class Habits:
    """What is known on a day about when items get settled."""

    as_of: date
    settled_items: int
    any_day: bool  # money is seen to arrive on weekends too, so no probability is moved off them
    _counts: dict[tuple[int | None, int], _Counts] = field(repr=False)
    _curves: dict[tuple[int | None, int], _Curve] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def learn(cls, paid: Iterable[PaidItem], waiting: Iterable[OpenRow], as_of: date) -> "Habits":
        """Learn from items settled before `as_of` and from debits open then; anything later is ignored."""
        counts: dict[tuple[int | None, int], _Counts] = defaultdict(_Counts)
        since = as_of - timedelta(days=RECENT)
        settled = on_weekends = 0
        for item in paid:
            if since <= item.paid_on < as_of:
                settled += 1
                on_weekends += not is_business_day(item.paid_on)
                delay = _clamped(age_days(item.due, item.paid_on))
                entry = min(delay, _clamped(age_days(item.due, max(item.issued, since))))
                for key in _keys(item.customer_id, item.due):
                    counts[key].entered[entry] += 1
                    counts[key].settled[delay] += 1
        for row in waiting:
            if row.open_minor > 0 and row.customer_id is not None and row.issued < as_of:
                entry = _clamped(age_days(row.due, max(row.issued, since)))
                for key in _keys(row.customer_id, row.due):
                    counts[key].entered[entry] += 1
                    counts[key].waiting[_clamped(age_days(row.due, as_of))] += 1
        return cls(as_of, settled, on_weekends * WEEKENDS_FROM > settled, dict(counts))

    def settled_by(self, customer_id: int) -> int:
        """How many recent settled items the habit of a customer rests on."""
        counts = self._counts.get((customer_id, _ALL_DAYS))
        return counts.settled.total() if counts else 0

    def pay_days(
        self,
        customer_id: int | None,
        due: date,
        as_of: date,
        until: date,
        holidays: AbstractSet[date] = NO_HOLIDAYS,
    ) -> PayDays:
        """When an item open at the start of `as_of` will be settled, for the days up to `until`.

        Probability that falls on a weekend or holiday moves to the next business day, unless `any_day`.
        """
        curve = self._curve(customer_id, due.weekday())
        chances: dict[date, float] = defaultdict(float)
        alive = 1.0
        first = age_days(due, as_of)
        arrivals = _arrivals(as_of, until, frozenset(holidays), any_day=self.any_day)
        for delay, day in enumerate(arrivals, start=first):
            hazard = curve.tail if delay > LAST else curve.hazards[max(delay, FIRST) - FIRST]
            chances[day] += alive * hazard
            alive *= 1 - hazard
        inside = [day for day in chances if day <= until]
        over = sum(chance for day, chance in chances.items() if day > until)
        return PayDays(tuple(inside), tuple(chances[day] for day in inside), alive + over)

    def _curve(self, customer_id: int | None, weekday: int) -> _Curve:
        key = (customer_id, weekday)
        if key not in self._curves:
            self._curves[key] = self._made(customer_id, weekday)
        return self._curves[key]

    def _made(self, customer_id: int | None, weekday: int) -> _Curve:
        counts = self._counts.get((customer_id, weekday), _NOTHING)
        if customer_id is not None:
            of_customer = self._counts.get((customer_id, _ALL_DAYS), _NOTHING)
            wider = of_customer.shrunk(self._curve(None, weekday), PSEUDO_CUSTOMER)
            return counts.shrunk(wider, PSEUDO_CUSTOMER_WEEKDAY)
        if weekday != _ALL_DAYS:
            return counts.shrunk(self._curve(None, _ALL_DAYS), PSEUDO_WEEKDAY)
        ledger = counts.shrunk(_ASSUMED, PSEUDO_ASSUMED)
        return _Curve(ledger.hazards, counts.tail(_ASSUMED.tail))


@lru_cache(maxsize=16)
def _arrivals(as_of: date, until: date, holidays: frozenset[date], *, any_day: bool) -> tuple[date, ...]:
    """For every day of the span, the day on which money settled on it arrives; they never fall back."""
    span = (as_of + timedelta(days=n) for n in range(age_days(as_of, until) + 1))
    return tuple(day if any_day else next_business_day(day, holidays) for day in span)


_ASSUMED = _assumed()
_NOTHING = _Counts()


def _keys(customer_id: int, due: date) -> Iterable[tuple[int | None, int]]:
    return product((None, customer_id), (_ALL_DAYS, due.weekday()))


def _clamped(delay: int) -> int:
    return min(max(delay, FIRST), LAST + 1)
