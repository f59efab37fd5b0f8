"""Which sets of amounts add up to a target, and are there several?

Units   integers of minor units; credits are negative values.
Shape   `SumTable(values, budget)` is made once per customer and asked for many targets; `find` gives index
        sets.
Law     every set found adds up exactly; `complete` is true only if no set of at most `max_items` was left
        out. Beyond the budget the answer is "not complete", never a guess.
Cost    one question costs at most `budget` look-ups; the table costs about as much once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, combinations, groupby, pairwise

from arsync.core.matching.likelihood import FEW_ON_A_DATE

_PAIR = 2
_PAIR_OF_PAIRS = 4
_ENOUGH = 24  # sets; more of them say nothing new about ambiguity
_TELLING = 4  # of more runs that could each be chance none is worth telling


@dataclass(frozen=True, slots=True)
class Sums:
    """Sets of positions that add up, smallest first, and whether the search saw everything."""

    sets: tuple[tuple[int, ...], ...]
    complete: bool
    seen: int  # every set of up to so many items was looked at; at least 1


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
    """The sums of one customer's open amounts, prepared for many targets.

    `twins` says which amounts are interchangeable (equal marks); of these the first stand for the others.
    """

    def __init__(self, values: Sequence[int], budget: int, twins: Sequence[int] | None = None) -> None:
        self._values = tuple(values)
        self._budget = budget
        self._most = sum(value for value in values if value > 0)
        self._least = sum(value for value in values if value < 0)
        groups: dict[int, list[int]] = {}
        for place, mark in enumerate(twins if twins is not None else range(len(values))):
            groups.setdefault(mark, []).append(place)
        self._groups = tuple(groups.values())
        # A set of four needs no more than four of a kind.
        self._kept = sorted(place for group in self._groups for place in group[:_PAIR_OF_PAIRS])
        self._before = {place: earlier for group in self._groups for earlier, place in pairwise(group)}

    def find(self, target: int, max_items: int) -> Sums:
        """The sets of at most `max_items` amounts that add up to `target`; at most 24 of them."""
        if not self._least <= target <= self._most:
            return Sums((), complete=True, seen=max_items)
        if self._sides is not None:
            sets, cut = _take(self._meet(target, max_items))
            return Sums(sets, complete=not cut, seen=1 if cut else max_items)
        sets, cut = _take(one for one in self._small(target, max_items) if self._is_first(one))
        return Sums(sets, complete=not cut and max_items <= self._reach, seen=1 if cut else self._reach)

    def _is_first(self, places: tuple[int, ...]) -> bool:
        """Whether every item's earlier twins are chosen with it."""
        return all(self._before.get(place, place) in places for place in places)

    @property
    def _reach(self) -> int:
        """The size up to which every set can be looked at within the budget."""
        count = len(self._kept)
        if count * (count - 1) // 2 <= self._budget:
            return _PAIR_OF_PAIRS
        return _PAIR if count <= self._budget else 1

    @cached_property
    def _sides(self) -> tuple[list[list[int]], list[list[int]]] | None:
        """The groups in two halves of few enough sums; None if there are too many."""
        sides: tuple[list[list[int]], list[list[int]]] = ([], [])
        sizes = [1, 1]
        for group in sorted(self._groups, key=len, reverse=True):
            side = sizes[0] > sizes[1]
            sizes[side] *= len(group) + 1
            sides[side].append(group)
            if sizes[side] > self._budget:
                return None
        return sides

    @cached_property
    def _singles(self) -> _Index:
        index = _Index()
        for place in self._kept:
            index.add(self._values[place], place)
        return index

    @cached_property
    def _pairs(self) -> _Index:
        """Sums of two, the pair kept as one number: left * count + right."""
        index, count, values, kept = _Index(), len(self._values), self._values, self._kept
        first, add = index.first, index.add
        for number, left in enumerate(kept):
            code, value = left * count, values[left]
            for right in kept[number + 1 :]:
                total = value + values[right]
                if total in first:
                    add(total, code + right)
                else:
                    first[total] = code + right
        return index

    @cached_property
    def _halves(self) -> tuple[_Index, list[int], list[int]]:
        """All sums of the first half with their places as bits; sums and places of the second, side by side."""
        assert self._sides is not None
        index = _Index()
        for total, chosen in zip(*_all_sums(self._sides[0], self._values), strict=True):
            if total in index.first:
                index.add(total, chosen)
            else:
                index.first[total] = chosen
        return index, *_all_sums(self._sides[1], self._values)

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
        first, values = self._singles.first, self._values
        for place in self._kept:
            if target - values[place] in first:
                yield from (
                    (place, other) for other in self._singles.all(target - values[place]) if other > place
                )

    def _triples(self, target: int) -> Iterator[tuple[int, ...]]:
        first, values = self._pairs.first, self._values
        for place in [place for place in self._kept if target - values[place] in first]:
            for left, right in map(self._decode, self._pairs.all(target - values[place])):
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


def _all_sums(groups: Iterable[Sequence[int]], values: Sequence[int]) -> tuple[list[int], list[int]]:
    """The sums of all subsets, of each group the first so many; beside each sum its places as bits."""
    totals, places = [0], [0]
    for group in groups:
        value, bits = values[group[0]], 0
        so_far, chosen_so_far = totals, places
        totals, places = list(totals), list(places)
        for number, place in enumerate(group, 1):
            bits |= 1 << place
            totals += [total + number * value for total in so_far]
            places += [chosen | bits for chosen in chosen_so_far]
    return totals, places


def _places(chosen: int) -> tuple[int, ...]:
    return tuple(place for place in range(chosen.bit_length()) if chosen >> place & 1)


class RunTable:
    """Runs of amounts in order of due date, prepared for many targets.

    Items of one date have no order of their own: a run takes whole dates between its first and its last, and of these
    two any items (of a date with more than `few` items, the first or the last so many).
    """

    def __init__(
        self,
        values: Sequence[int],
        dues: Sequence[object],
        twins: Sequence[int] | None = None,
        few: int = FEW_ON_A_DATE,
    ) -> None:
        self._values, self._dues, self._twins = values, dues, twins or range(len(values))
        self._most, self._few = sum(values), few
        self._crowded: dict[int, SumTable] | None = None

    @cached_property
    def _dates(self) -> list[list[int]]:
        return [list(places) for _, places in groupby(range(len(self._dues)), key=self._dues.__getitem__)]

    @cached_property
    def _before(self) -> list[int]:
        """The sum of everything before each date."""
        return [0, *accumulate(sum(map(self._values.__getitem__, places)) for places in self._dates)]

    @cached_property
    def _table(self) -> "_Runs":
        table = _Runs([], [], {}, {})
        for number, places in enumerate(self._dates):
            before, after = self._before[number], self._before[number + 1]
            for some, total in _parts(places, self._values, self._twins, self._few):
                table.starts.append((number, some))
                table.rests.append(after - total)
                table.ends.setdefault(before + total, []).append((number, some))
                if len(some) > 1:
                    table.within.setdefault(total, []).append(some)
        return table

    def find(self, target: int) -> list[tuple[int, ...]]:
        """The places of runs of at least two that add up to `target`; at most 24 of them."""
        if not 0 < target <= self._most:
            return []
        table = self._table
        found = dict.fromkeys(map(tuple, table.within.get(target, ())[:_ENOUGH]))
        ends = table.ends
        for place in [place for place, rest in enumerate(table.rests) if target + rest in ends]:
            number, some = table.starts[place]
            for other, last in ends[target + table.rests[place]]:
                if other > number:
                    between = range(self._dates[number][-1] + 1, self._dates[other][0])
                    found[(*some, *between, *last)] = None
            if len(found) >= _ENOUGH:
                break
        return list(found)

    def find_crowded(self, target: int, budget: int) -> list[tuple[int, ...]]:
        """Runs that take whole dates, and of their first or last date, which has many items, any of these.

        None where so many fit that they say nothing; dates of which half the items have more sums than fit into what
        the budget leaves for each are left out.
        """
        found: list[tuple[int, ...]] = []
        for number, table in self._crowds(budget).items():
            places = self._dates[number]
            for whole, rest in self._beside(number, target):
                for some in table.find(rest, len(places)).sets:
                    chosen = (*(places[at] for at in some), *whole)
                    found += [tuple(sorted(chosen))] if len(chosen) > 1 else []
            if len(found) > _TELLING:
                return []
        return found

    def _beside(self, number: int, target: int) -> Iterator[tuple[range, int]]:
        """The whole dates that may stand before or after some of this one's items, and what is left for these."""
        yield range(0), target
        most = self._before[number + 1] - self._before[number]
        for first in range(number - 1, -1, -1):
            rest = target - (self._before[number] - self._before[first])
            if rest <= 0:
                break
            if rest < most:
                yield range(self._dates[first][0], self._dates[number][0]), rest
        for last in range(number + 1, len(self._dates)):
            rest = target - (self._before[last + 1] - self._before[number + 1])
            if rest <= 0:
                break
            if rest < most:
                yield range(self._dates[number][-1] + 1, self._dates[last][-1] + 1), rest

    def _crowds(self, budget: int) -> dict[int, SumTable]:
        """The sums of the dates with many items, by date."""
        if self._crowded is None:
            crowds = [(n, places) for n, places in enumerate(self._dates) if len(places) > self._few]
            each = budget // max(1, len(crowds))
            self._crowded = {
                number: SumTable(
                    [self._values[place] for place in places], each, [self._twins[place] for place in places]
                )
                for number, places in crowds
                if 2 ** ((len(places) + 1) // 2) <= each
            }
        return self._crowded


@dataclass(frozen=True, slots=True)
class _Runs:
    """The ways to begin and to end a run."""

    starts: list[tuple[int, Sequence[int]]]  # date, and what of it
    rests: list[
        int
    ]  # beside each start: the sum of everything up to the end of its date, less what is taken of it
    ends: dict[int, list[tuple[int, Sequence[int]]]]  # the same by the sum of everything up to and with it
    within: dict[int, list[Sequence[int]]]  # several items of one date, by their sum


def _parts(
    places: list[int], values: Sequence[int], twins: Sequence[int], few: int
) -> Iterator[tuple[Sequence[int], int]]:
    """Some of the places of one date, and their sum; twins stand for each other."""
    if len(places) == 1:
        yield places, values[places[0]]
        return
    if len(places) <= few:
        distinct = len({twins[place] for place in places}) == len(places)
        seen: set[tuple[int, ...]] = set()
        for size in range(1, len(places) + 1):
            for chosen in combinations(places, size):
                marks = chosen if distinct else tuple(sorted(twins[place] for place in chosen))
                if distinct or marks not in seen:
                    seen.add(marks)
                    yield chosen, sum([values[place] for place in chosen])
        return
    start, stop = places[0], places[-1] + 1
    for end, total in enumerate(accumulate(values[start:stop]), start + 1):
        yield range(start, end), total
    if len({twins[place] for place in places}) == 1:
        return
    whole = sum(values[start:stop])
    for begin, total in enumerate(accumulate(values[start : stop - 1]), start + 1):
        yield range(begin, stop), whole - total
