"""Sets of one customer's open items that fit an amount: one item, the balance, a block, any set.

Shape   `Sets(policy).fits(pool, amount, on)` -> `Fits`; a `Fit` is a set of items with the discounts it takes.
Law     every fit adds up exactly; twins count once and the lowest ids stand for them. Amounts are taken
        whole, or all less the discounts the terms grant on the day; never some of each (only references can
        say which).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter
from typing import Any

from arsync.core.decisions import EvidenceClass, Share
from arsync.core.matching import habits
from arsync.core.matching.candidates import Pool, discount_minor, twin_key
from arsync.core.matching.likelihood import (
    DISCOUNT_LATE,
    FEW_ON_A_DATE,
    ITS_MONTH,
    OLDER_LEFT,
    OTHER_MONTH,
    Ways,
    discounting,
    elsewhere,
    timely,
    unseen,
    weight,
)
from arsync.core.matching.months import Month, of_month
from arsync.core.matching.snapshot import Habit, ItemRow, MatchPolicy
from arsync.core.matching.solve import RunTable, Sums, SumTable

_PoolKey = tuple[tuple[int, ...], tuple[int, ...]]
_Key = tuple[
    tuple[tuple[int, ...], tuple[int, ...]], tuple[int, ...]
]  # a pool, and what is asked of each item
_RUNS = 2  # times the search budget: ways to begin a run that are kept for a customer
_CROWDS = 16  # times the search budget: sums of the dates with many items
_ENOUGH = 24  # sets that fit; of more nobody asks which equal item stands in which
_KEPT = 256  # customers whose prepared sums are kept; receipts are asked about one customer after another
_SWAPS = 8  # items of one amount that are tried in each other's place
_RANK = {EvidenceClass.ONE_ITEM: 0, EvidenceClass.BALANCE: 1, EvidenceClass.BLOCK: 2, EvidenceClass.SET: 3}


@dataclass(frozen=True, slots=True)
class Fit:
    """Items that add up to the amount, each less its discount."""

    items: tuple[ItemRow, ...]
    discounts_minor: tuple[int, ...]
    klass: EvidenceClass
    note: str  # what makes this set special, as a sentence
    weight: float = 0.0  # the share of payments that would settle exactly this set (`likelihood`)

    def shares(self) -> tuple[Share, ...]:
        """Every item settled whole."""
        return tuple(
            Share(item.id, item.available_minor - discount, discount)
            for item, discount in zip(self.items, self.discounts_minor, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Fits:
    """Fits best first; `complete` if no other set of at most the policy's size was left out."""

    fits: tuple[Fit, ...]
    complete: bool
    others: float = 0.0  # the weight of everything else that comes to this amount
    alike: bool = (
        False  # another run has the very amounts of the first: only which of equal items is meant tells
    )

    @property
    def total(self) -> float:
        """The weight of everything that comes to this amount."""
        return _total(self.fits) + self.others


class Sets:
    """Asks for sets; keeps prepared sums and answers, which hold as long as the items they are about."""

    def __init__(self, policy: MatchPolicy) -> None:
        self._policy = policy
        self._answers: dict[tuple[Any, ...], Fits] = {}
        self._tables: dict[_Key, SumTable] = {}
        self._run_tables: dict[tuple[_PoolKey, tuple[int, ...], int], RunTable] = {}

    def fits(
        self,
        pool: Pool,
        amount_minor: int,
        on: date,
        months: frozenset[Month] = frozenset(),
        habit: Habit | None = None,
    ) -> Fits:
        """All sets of the pool that fit, twins merged, best first; `months` are those that the text names."""
        question = (pool.key, amount_minor, on, months, habit)
        if question not in self._answers:
            self._answers[question] = self._search(pool, amount_minor, on, months, habit)
        return self._answers[question]

    def _search(
        self, pool: Pool, amount_minor: int, on: date, months: frozenset[Month], habit: Habit | None
    ) -> Fits:
        ways, taking = habits.ways_of(habit), habits.taking(habit)
        found: dict[tuple[tuple[int, ...], tuple[int, ...]], Fit] = {}
        complete, seen = True, self._policy.max_set_items  # every set of up to so many items was looked at
        modes = self._modes(pool, on)
        whole_months = _whole_months(pool, months)
        for taken in modes:
            hits, sums = self._places(pool, taken, amount_minor)
            complete, seen = complete and sums.complete, min(seen, sums.seen)
            for places, (klass, note) in hits.items():
                chosen = _lowest_twins(places, pool)
                share = _weight(pool, chosen, ways)
                share *= discounting(granted=len(modes) > 1, taken=taken is not modes[0], often=taking)
                if months and not is_of_months((pool.items[p] for p in chosen), months):
                    share *= OTHER_MONTH
                share += ITS_MONTH * sum(chosen == places for places in whole_months)
                fit = Fit(
                    tuple(pool.items[p] for p in chosen), tuple(taken[p] for p in chosen), klass, note, share
                )
                key = (chosen, fit.discounts_minor)
                if key not in found or _RANK[klass] < _RANK[found[key].klass]:
                    found[key] = fit
        others = elsewhere(amount_minor, pool.values_minor)
        others += DISCOUNT_LATE * sum(
            _weight(pool, (place,), ways) for place in self._too_late(pool, on, amount_minor)
        )
        if not complete:
            others += unseen(amount_minor, pool.values_minor, seen, ways)
        # What the text says of months outranks what is near or old.
        weighed = found.values() if months else _older_first(_in_time(found.values(), on))
        fits = tuple(sorted(weighed, key=_rank))
        return Fits(fits, complete, others, _is_alike(pool, fits, months))

    def _modes(self, pool: Pool, on: date) -> list[tuple[int, ...]]:
        """The discounts taken, by place: none, and all that the terms grant on this day."""
        none = (0,) * len(pool.items)
        if not pool.discountable:
            return [none]
        grace_days = self._policy.discount_grace_days
        granted = tuple(discount_minor(item, on, grace_days) for item in pool.items)
        return [none, granted] if any(granted) else [none]

    def _too_late(self, pool: Pool, on: date, amount_minor: int) -> list[int]:
        """The items that come to the amount less a discount that the terms grant no more on this day."""
        if not pool.discountable:
            return []
        grace_days = self._policy.discount_grace_days
        return [
            place
            for place, item in enumerate(pool.debits)
            if item.discount_minor
            and item.available_minor - item.discount_minor == amount_minor
            and not discount_minor(item, on, grace_days)
        ]

    def _places(
        self, pool: Pool, taken: tuple[int, ...], amount_minor: int
    ) -> tuple[dict[tuple[int, ...], tuple[EvidenceClass, str]], Sums]:
        values = pool.values_minor
        if any(taken):
            values = tuple(value - less for value, less in zip(values, taken, strict=True))
        table = self._table(values, pool)
        count = len(pool.debits)
        hits: dict[tuple[int, ...], tuple[EvidenceClass, str]] = {
            (place,): (EvidenceClass.ONE_ITEM, "It is exactly this item's amount.")
            for place in range(count)
            if values[place] == amount_minor
        }
        for places, note in _balances(count, values, amount_minor):
            hits.setdefault(places, (EvidenceClass.BALANCE, note))
        for places, note in _blocks(pool, self._runs(values, pool, FEW_ON_A_DATE), values, amount_minor):
            hits.setdefault(places, (EvidenceClass.BLOCK, note))
        sums = table.find(amount_minor, self._policy.max_set_items)
        for places in sums.sets:
            if places[0] < count:
                hits.setdefault(places, (EvidenceClass.SET, "These items add up to the amount."))
        if not hits and not sums.complete:
            hits.update(self._crowded_runs(pool, values, amount_minor))
        if not sums.complete and not any(taken) and len(hits) < _ENOUGH:
            for places in _swapped(pool, list(hits)):
                hits.setdefault(places, (EvidenceClass.SET, "These items add up to the amount."))
        return hits, sums

    def _crowded_runs(
        self, pool: Pool, values: tuple[int, ...], amount_minor: int
    ) -> dict[tuple[int, ...], tuple[EvidenceClass, str]]:
        """Runs that begin or end with some of a date's many items; costly, so only if nothing else fits."""
        few = self._few(pool)
        runs = self._runs(values, pool, few)
        found = _blocks(pool, runs, values, amount_minor) if few > FEW_ON_A_DATE else []
        if not found:
            crowded = runs.find_crowded(amount_minor, _CROWDS * self._policy.search_budget)
            found = [(places, _block_note(pool, places)) for places in crowded]
        return {places: (EvidenceClass.BLOCK, note) for places, note in found}

    def _few(self, pool: Pool) -> int:
        """So many items of one date may be combined freely, all of them within the budget."""
        few, counts = self._policy.search_budget.bit_length() - 1, pool.on_date.values()
        while (
            few > FEW_ON_A_DATE and sum(2**n for n in counts if n <= few) > _RUNS * self._policy.search_budget
        ):
            few -= 1
        return few if any(FEW_ON_A_DATE < n <= few for n in counts) else FEW_ON_A_DATE

    def _runs(self, values: tuple[int, ...], pool: Pool, few: int) -> RunTable:
        count, key = len(pool.debits), (pool.key, values, few)
        if key not in self._run_tables:
            _make_room(self._run_tables)
            self._run_tables[key] = RunTable(values[:count], pool.dues, pool.twins[:count], few)
        return self._run_tables[key]

    def _table(self, values: tuple[int, ...], pool: Pool) -> SumTable:
        key = (pool.key, values)
        if key not in self._tables:
            _make_room(self._tables)
            self._tables[key] = SumTable(values, self._policy.search_budget, pool.twins)
        return self._tables[key]


def _make_room(tables: dict[Any, Any]) -> None:
    """Prepared sums are large: only so many are kept, and the oldest go."""
    if len(tables) >= _KEPT:
        del tables[next(iter(tables))]


def _balances(count: int, values: tuple[int, ...], amount_minor: int) -> list[tuple[tuple[int, ...], str]]:
    found = []
    if len(values) > 1 and count and sum(values) == amount_minor:
        found.append((tuple(range(len(values))), "It is the customer's whole balance."))
    if 1 < count < len(values) and sum(values[:count]) == amount_minor:
        found.append((tuple(range(count)), "It is everything the customer owes, credits not counted."))
    return found


def _blocks(
    pool: Pool, runs: RunTable, values: tuple[int, ...], amount_minor: int
) -> list[tuple[tuple[int, ...], str]]:
    """Runs of at least two debits in order of due date, without or with all credits."""
    count = len(pool.debits)
    netted = tuple(range(count, len(values)))
    questions: list[tuple[tuple[int, ...], int]] = [((), amount_minor)]
    if netted:
        questions.append((netted, amount_minor - sum(values[count:])))
    return [
        ((*places, *extra), _block_note(pool, places))
        for extra, target in questions
        for places in runs.find(target)
    ]


def _swapped(pool: Pool, found: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """The same sets with one item in the place of another of its amount: what a cut search did not reach."""
    for places in found:
        for place in places:
            for other in pool.by_amount[pool.values_minor[place]][:_SWAPS]:
                if other not in places and pool.twins[other] != pool.twins[place]:
                    yield tuple(sorted({*places, other} - {place}))


def _block_note(pool: Pool, places: tuple[int, ...]) -> str:
    first, last = pool.dues[places[0]], pool.dues[places[-1]]
    if first == last:
        return f"They are items due on {first.isoformat()}."
    if places == tuple(range(len(places))):
        return f"They are the oldest items, due up to {last.isoformat()}."
    return f"They are consecutive items, due {first.isoformat()} to {last.isoformat()}."


def _lowest_twins(places: tuple[int, ...], pool: Pool) -> tuple[int, ...]:
    """The same set with every item replaced by its lowest twin."""
    times = pool.times
    if all(times[pool.values_minor[place]] == 1 for place in places):
        return places
    wanted = Counter(pool.twins[place] for place in places)
    return tuple(sorted(place for mark, number in wanted.items() for place in pool.places_of[mark][:number]))


def _is_alike(pool: Pool, fits: Sequence[Fit], months: frozenset[Month]) -> bool:
    """Whether another run, in the months that are named, settles items of the same amounts as the first.

    A run that leaves out nothing of its days is only like another such run.
    """
    if not fits or len(fits[0].items) == 1:
        return False
    first = fits[0].items
    amounts = sorted(item.available_minor for item in first)
    is_run = _is_whole_run if _is_whole_run(pool, first) else _is_run
    return _may_be_swapped(pool, first, months) or (
        is_run(pool, first)
        and any(
            sorted(item.available_minor for item in fit.items) == amounts
            and is_run(pool, fit.items)
            and not (months and not is_of_months(fit.items, months))
            for fit in fits[1:]
        )
    )


def _may_be_swapped(pool: Pool, items: Sequence[ItemRow], months: frozenset[Month]) -> bool:
    """Whether an item of the same days that is left out has the amount of one that is not."""
    if all(pool.times[item.available_minor] == 1 for item in items):
        return False
    first, last = _days(items)
    inside, kinds = {item.id for item in items}, {twin_key(item) for item in items}
    return any(
        other.id not in inside
        and twin_key(other) not in kinds
        and not (months and not is_of_months((other,), months))
        for amount in {item.available_minor for item in items}
        for other in (pool.items[place] for place in pool.by_amount[amount])
        if first <= other.due <= last
    )


def _is_run(pool: Pool, items: Sequence[ItemRow]) -> bool:
    """Whether everything due between the first day and the last of these is among them."""
    first, last = _days(items)
    between = sum(count for due, count in pool.on_date.items() if first < due < last)
    return between == sum(first < item.due < last for item in items if item.available_minor > 0)


def _is_whole_run(pool: Pool, items: Sequence[ItemRow]) -> bool:
    """Whether everything due from the first day to the last of these is among them."""
    first, last = _days(items)
    debits = sum(item.available_minor > 0 for item in items)
    return debits == sum(count for due, count in pool.on_date.items() if first <= due <= last)


def _days(items: Sequence[ItemRow]) -> tuple[date, date]:
    """The first and the last day on which these debits are due."""
    dues = [item.due for item in items if item.available_minor > 0]
    return min(dues), max(dues)


def is_of_months(items: Iterable[ItemRow], months: frozenset[Month]) -> bool:
    """Whether every item was issued or is due in one of the months."""
    return all(of_month(item.issued, months) or of_month(item.due, months) for item in items)


def _in_time(fits: Collection[Fit], on: date) -> list[Fit]:
    """The fits weighed by how near to their due dates they are paid, beside the nearest of them."""
    near = [timely([abs((on - i.due).days) for i in fit.items if i.available_minor > 0]) for fit in fits]
    # Who takes a discount pays early.
    near = [1.0 if any(fit.discounts_minor) else one for fit, one in zip(fits, near, strict=True)]
    best = max(near, default=1.0)
    return [replace(fit, weight=fit.weight * one / best) for fit, one in zip(fits, near, strict=True)]


def _older_first(fits: Sequence[Fit]) -> list[Fit]:
    """The fits, where the likeliest leaves an older item open with the amount of one it settles.

    Sets of its amounts with older items then weigh more, up to half of what it weighs, and together as before.
    """
    if len(fits) <= 1:
        return list(fits)
    first = max(fits, key=attrgetter("weight"))
    amounts, due = _amounts(first), _days_in_all(first)
    older = [fit for fit in fits if _days_in_all(fit) < due and _amounts(fit) == amounts]
    if len(first.items) == 1 or not older:
        return list(fits)
    risen = [replace(fit, weight=min(first.weight / 2, fit.weight / OLDER_LEFT)) for fit in older]
    scale = _total([first, *older]) / _total([first, *risen])
    rest = [fit for fit in fits if fit is not first and fit not in older]
    return [*(replace(fit, weight=fit.weight * scale) for fit in (first, *risen)), *rest]


def _total(fits: Iterable[Fit]) -> float:
    return sum(fit.weight for fit in fits)


def _amounts(fit: Fit) -> list[tuple[int, int]]:
    return sorted((i.available_minor, less) for i, less in zip(fit.items, fit.discounts_minor, strict=True))


def _days_in_all(fit: Fit) -> int:
    return sum(item.due.toordinal() for item in fit.items)


def _whole_months(pool: Pool, months: frozenset[Month]) -> list[tuple[int, ...]]:
    """Everything that is due in the months, and everything issued in them."""
    places = range(len(pool.debits)) if months else ()
    due = tuple(p for p in places if of_month(pool.items[p].due, months))
    issued = tuple(p for p in places if of_month(pool.items[p].issued, months))
    return [chosen for chosen in (due, issued) if chosen]


def _weight(pool: Pool, places: tuple[int, ...], ways: Ways) -> float:
    debits = len(pool.debits)
    chosen = [place for place in places if place < debits]
    netted = len(places) - len(chosen)
    return weight(debits, chosen, pool.dues, pool.on_date, len(pool.credits), netted, ways)


def _rank(fit: Fit) -> tuple[float, int, int, int, tuple[int, ...]]:
    return (
        -fit.weight,
        _RANK[fit.klass],
        sum(map(bool, fit.discounts_minor)),
        len(fit.items),
        tuple(i.id for i in fit.items),
    )
