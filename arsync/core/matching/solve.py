"""Which sets of amounts add up to a target, and are there several?

Units   integers of minor units; credits are negative values.
Shape   `SumTable(values, budget)` is made once per customer and asked for many targets; `find` gives index sets.
Law     every set found adds up exactly; `complete` is true only if no set of at most `max_items` was left out.
        Beyond the budget the answer is "not complete", never a guess.
Cost    one question costs at most `budget` look-ups; the table costs about as much once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

_ENOUGH = 24  # sets; more of them say nothing new about ambiguity


@dataclass(frozen=True, slots=True)
class Sums:
    """Sets of positions that add up, smallest first, and whether the search saw everything."""

    sets: tuple[tuple[int, ...], ...]
    complete: bool


class SumTable:
    """The sums of one customer's open amounts, prepared for many targets."""

    def __init__(self, values: Sequence[int], budget: int) -> None:
        self._values = tuple(values)
        self._budget = budget

    def find(self, target: int, max_items: int) -> Sums:
        """The sets of at most `max_items` amounts that add up to `target`; at most 24 of them."""
        count = len(self._values)
        if 2 ** ((count + 1) // 2) <= self._budget:
            sets, cut = _take(self._meet(target, max_items))
            return Sums(sets, complete=not cut)
        sets, cut = _take(self._small(target, max_items))
        reach = 4 if self._pairs_allowed else 3 if count <= self._budget else 1
        return Sums(sets, complete=not cut and max_items <= reach)

    @property
    def _pairs_allowed(self) -> bool:
        return len(self._values) * (len(self._values) - 1) // 2 <= self._budget

    @cached_property
    def _singles(self) -> dict[int, list[int]]:
        places: dict[int, list[int]] = defaultdict(list)
        for place, value in enumerate(self._values):
            places[value].append(place)
        return dict(places)

    @cached_property
    def _pairs(self) -> dict[int, list[tuple[int, int]]]:
        pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for left, right in combinations(range(len(self._values)), 2):
            pairs[self._values[left] + self._values[right]].append((left, right))
        return dict(pairs)

    @cached_property
    def _halves(self) -> tuple[dict[int, list[int]], list[tuple[int, int]]]:
        """All sums of the first half by value, and of the second half as (sum, mask)."""
        middle = len(self._values) // 2
        first: dict[int, list[int]] = defaultdict(list)
        for total, chosen in _all_sums(self._values[:middle], 0):
            first[total].append(chosen)
        return dict(first), _all_sums(self._values[middle:], middle)

    def _meet(self, target: int, max_items: int) -> Iterator[tuple[int, ...]]:
        first, second = self._halves
        for total, high in second:
            for low in first.get(target - total, ()):
                chosen = low | high
                if chosen and chosen.bit_count() <= max_items:
                    yield _places(chosen)

    def _small(self, target: int, max_items: int) -> Iterator[tuple[int, ...]]:
        """Sets of up to four positions, as far as the budget reaches."""
        for place in self._singles.get(target, ()):
            yield (place,)
        if max_items < 2 or len(self._values) > self._budget:
            return
        if not self._pairs_allowed:
            yield from self._pairs_by_complement(target)
            return
        yield from self._pairs.get(target, ())
        if max_items >= 3:
            for place, value in enumerate(self._values):
                yield from ((place, *pair) for pair in self._pairs.get(target - value, ()) if pair[0] > place)
        if max_items >= 4:
            for total, pairs in self._pairs.items():
                for late in self._pairs.get(target - total, ()):
                    yield from ((*early, *late) for early in pairs if early[1] < late[0])

    def _pairs_by_complement(self, target: int) -> Iterator[tuple[int, ...]]:
        for place, value in enumerate(self._values):
            yield from ((place, other) for other in self._singles.get(target - value, ()) if other > place)


def runs(values: Sequence[int], target: int, limit: int = 4) -> list[tuple[int, int]]:
    """Runs [start, stop) of consecutive values that add up to `target`, at most `limit` of them."""
    starts: dict[int, list[int]] = {0: [0]}
    found: list[tuple[int, int]] = []
    total = 0
    for stop, value in enumerate(values, 1):
        total += value
        found.extend((start, stop) for start in starts.get(total - target, ()))
        if len(found) >= limit:
            return found[:limit]
        starts.setdefault(total, []).append(stop)
    return found


def _take(sets: Iterator[tuple[int, ...]]) -> tuple[tuple[tuple[int, ...], ...], bool]:
    found: set[tuple[int, ...]] = set()
    for one in sets:
        found.add(one)
        if len(found) >= _ENOUGH:
            return tuple(sorted(found, key=lambda places: (len(places), places))), True
    return tuple(sorted(found, key=lambda places: (len(places), places))), False


def _all_sums(values: Sequence[int], shift: int) -> list[tuple[int, int]]:
    sums = [(0, 0)]
    for place, value in enumerate(values):
        bit = 1 << (place + shift)
        sums += [(total + value, chosen | bit) for total, chosen in sums]
    return sums


def _places(chosen: int) -> tuple[int, ...]:
    return tuple(place for place in range(chosen.bit_length()) if chosen >> place & 1)
