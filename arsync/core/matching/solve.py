"""Which sets of amounts add up to a target, and are there several?

Units   integers of minor units; credits are negative values.
Shape   `SumTable(values, budget)` is made once per customer and asked for many targets; `find` gives index
        sets.
Law     every set found adds up exactly; `complete` is true only if no set of at most `max_items` was left
        out. Beyond the budget the answer is "not complete", never a guess.
Cost    one question costs at most `budget` look-ups; the table costs about as much once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

_PAIR = 2
_PAIR_OF_PAIRS = 4
_ENOUGH = 24  # sets; more of them say nothing new about ambiguity


@dataclass(frozen=True, slots=True)
class Sums:
    """Sets of positions that add up, smallest first, and whether the search saw everything."""

    sets: tuple[tuple[int, ...], ...]
    complete: bool


class _Index:
    """Numbers to numbers, several for one key; two flat tables, since a list for every key is slow to keep."""

    __slots__ = ("first", "more")

    def __init__(self) -> None:
        self.first: dict[int, int] = {}
        self.more: dict[int, list[int]] = {}

    def add(self, key: int, value: int) -> None:
        if self.first.setdefault(key, value) != value:
            self.more.setdefault(key, []).append(value)

    def all(self, key: int) -> tuple[int, ...]:
        if key not in self.first:
            return ()
        return (self.first[key], *self.more.get(key, ()))


class SumTable:
    """The sums of one customer's open amounts, prepared for many targets."""

    def __init__(self, values: Sequence[int], budget: int) -> None:
        self._values = tuple(values)
        self._budget = budget
        self._most = sum(value for value in values if value > 0)
        self._least = sum(value for value in values if value < 0)

    def find(self, target: int, max_items: int) -> Sums:
        """The sets of at most `max_items` amounts that add up to `target`; at most 24 of them."""
        if not self._least <= target <= self._most:
            return Sums((), complete=True)
        count = len(self._values)
        if 2 ** ((count + 1) // 2) <= self._budget:
            sets, cut = _take(self._meet(target, max_items))
            return Sums(sets, complete=not cut)
        sets, cut = _take(self._small(target, max_items))
        return Sums(sets, complete=not cut and max_items <= self._reach)

    def runs(self, target: int, stop: int) -> list[tuple[int, int]]:
        """Runs [start, end) of consecutive values among the first `stop` that add up to `target`."""
        places = self._prefixes
        starts = [total for total in self._totals[: stop + 1] if total + target in places.first]
        return sorted(
            (start, end)
            for total in dict.fromkeys(starts)
            for start in places.all(total)
            for end in places.all(total + target)
            if start < end <= stop
        )

    @property
    def _reach(self) -> int:
        """The size up to which every set can be looked at within the budget."""
        count = len(self._values)
        if count * (count - 1) // 2 <= self._budget:
            return _PAIR_OF_PAIRS
        return _PAIR if count <= self._budget else 1

    @cached_property
    def _totals(self) -> tuple[int, ...]:
        return (0, *accumulate(self._values))

    @cached_property
    def _prefixes(self) -> _Index:
        index = _Index()
        for place, total in enumerate(self._totals):
            index.add(total, place)
        return index

    @cached_property
    def _singles(self) -> _Index:
        index = _Index()
        for place, value in enumerate(self._values):
            index.add(value, place)
        return index

    @cached_property
    def _pairs(self) -> _Index:
        """Sums of two, the pair kept as one number: left * count + right."""
        index, count = _Index(), len(self._values)
        first, add = index.first, index.add
        for left, value in enumerate(self._values):
            code = left * count
            for right in range(left + 1, count):
                total = value + self._values[right]
                if total in first:
                    add(total, code + right)
                else:
                    first[total] = code + right
        return index

    @cached_property
    def _halves(self) -> tuple[_Index, list[int], list[int]]:
        """All sums of the first half with their places as bits; sums and places of the second, side by side."""
        middle = len(self._values) // 2
        index = _Index()
        for total, chosen in zip(*_all_sums(self._values[:middle], 0), strict=True):
            if total in index.first:
                index.add(total, chosen)
            else:
                index.first[total] = chosen
        return index, *_all_sums(self._values[middle:], middle)

    def _meet(self, target: int, max_items: int) -> Iterator[tuple[int, ...]]:
        index, totals, places = self._halves
        first = index.first
        for at in [at for at, total in enumerate(totals) if target - total in first]:
            for low in index.all(target - totals[at]):
                chosen = low | places[at]
                if chosen and chosen.bit_count() <= max_items:
                    yield _places(chosen)

    def _small(self, target: int, max_items: int) -> Iterator[tuple[int, ...]]:
        """Sets of up to four places, as far as the budget reaches."""
        reach = min(max_items, self._reach)
        yield from ((place,) for place in self._singles.all(target))
        if reach < _PAIR:
            return
        if self._reach == _PAIR:
            yield from self._pairs_by_complement(target)
            return
        yield from map(self._decode, self._pairs.all(target))
        if reach > _PAIR:
            yield from self._triples(target)
        if reach >= _PAIR_OF_PAIRS:
            yield from self._pairs_of_pairs(target)

    def _pairs_by_complement(self, target: int) -> Iterator[tuple[int, ...]]:
        first = self._singles.first
        for place, value in enumerate(self._values):
            if target - value in first:
                yield from ((place, other) for other in self._singles.all(target - value) if other > place)

    def _triples(self, target: int) -> Iterator[tuple[int, ...]]:
        first = self._pairs.first
        for place in [place for place, value in enumerate(self._values) if target - value in first]:
            for left, right in map(self._decode, self._pairs.all(target - self._values[place])):
                if left > place:
                    yield (place, left, right)

    def _pairs_of_pairs(self, target: int) -> Iterator[tuple[int, ...]]:
        first = self._pairs.first
        for total in [total for total in first if target - total in first]:
            late = [self._decode(code) for code in self._pairs.all(target - total)]
            for early in map(self._decode, self._pairs.all(total)):
                yield from ((*early, *pair) for pair in late if early[1] < pair[0])

    def _decode(self, code: int) -> tuple[int, int]:
        return divmod(code, len(self._values))


def _take(sets: Iterator[tuple[int, ...]]) -> tuple[tuple[tuple[int, ...], ...], bool]:
    found: set[tuple[int, ...]] = set()
    for one in sets:
        found.add(one)
        if len(found) >= _ENOUGH:
            return tuple(sorted(found, key=lambda places: (len(places), places))), True
    return tuple(sorted(found, key=lambda places: (len(places), places))), False


def _all_sums(values: Sequence[int], shift: int) -> tuple[list[int], list[int]]:
    """The sums of all subsets, and beside each its places as bits."""
    totals, places = [0], [0]
    for place, value in enumerate(values):
        bit = 1 << (place + shift)
        totals += [total + value for total in totals]
        places += [chosen | bit for chosen in places]
    return totals, places


def _places(chosen: int) -> tuple[int, ...]:
    return tuple(place for place in range(chosen.bit_length()) if chosen >> place & 1)
