"""What a finding may depend on, so that a change makes only what it touches be matched again.

Shape   `Reach` says where a receipt looks; `touched` tells the receipts to match again, `part` what with.
Law     receipts that no change touches keep their findings, and matching the part gives what matching everything would:
        whatever two receipts may compete for lies under one roof or has one amount, and a part is closed over both.
        Where a receipt only looks, it takes nothing: a change there touches it, and goes no further through it.
        Of an amount that very many items have, a receipt needs their number alone, and that in steps: so a change
        of one of them touches nobody.
Cost    linear in the receipts that are left; the part is as large as what the change touches.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import NamedTuple

from arsync.core.matching.snapshot import Crowd, CustomerRow, Snapshot

CROWD = 16  # more items of one amount than these count by their number alone


class Reach(NamedTuple):
    """Families, by one customer of each (`roofs`), and amounts, by currency and without sign.

    `crowd` is the number of items with a receipt's amount, in steps; 0: not looked at, or so few that each counts.
    `looks` are the families that merely owe that amount, of a payer nobody knows.
    """

    roofs: frozenset[int]
    amounts: frozenset[tuple[str, int]]
    crowd: int = 0
    looks: frozenset[int] = frozenset()


def is_crowd(number: int) -> bool:
    """Whether so many items are too many to look at each."""
    return number > CROWD


def step(number: int) -> int:
    """A number of items: exact up to a crowd, then the next power of two."""
    return 1 << (number - 1).bit_length() if is_crowd(number) else number


def joined(reaches: Iterable[Reach]) -> Reach:
    """Wherever one of them may take something."""
    each = list(reaches)
    return Reach(
        frozenset[int]().union(*(one.roofs for one in each)),
        frozenset[tuple[str, int]]().union(*(one.amounts for one in each)),
    )


def touched(reaches: Mapping[int, Reach], change: Reach) -> set[int]:
    """The receipts whose findings the change may alter, and all that they may compete with."""
    return _reached(reaches, [*change.roofs, *change.amounts], lookers=True)


def beside(reaches: Mapping[int, Reach], receipts: Set[int]) -> set[int]:
    """The others that may take what these receipts look at: without them nobody knows what is left of it."""
    looked_at = frozenset[int]().union(*(reaches[one].looks for one in receipts if one in reaches))
    return _reached(reaches, list(looked_at), lookers=False) - receipts


def _reached(reaches: Mapping[int, Reach], places: list[object], *, lookers: bool) -> set[int]:
    """The receipts that may take something there, or only look; and so on through what they may take."""
    under: dict[object, list[int]] = defaultdict(list)
    for receipt_id, reach in reaches.items():
        for place in (*reach.roofs, *reach.amounts, *(reach.looks if lookers else ())):
            under[place].append(receipt_id)
    found: set[int] = set()
    seen: set[object] = set()
    while places:
        place = places.pop()
        if place in seen:
            continue
        seen.add(place)
        for receipt_id in under.get(place, ()):
            if receipt_id not in found:
                found.add(receipt_id)
                places += (*reaches[receipt_id].roofs, *reaches[receipt_id].amounts)
    return found


def part(
    snapshot: Snapshot,
    receipts: Set[int],
    reaches: Mapping[int, Reach],
    changed: Set[int],
    roofs: Mapping[int, int],
) -> Snapshot:
    """These receipts, and the items of all families that they look at.

    And of all that `changed`: what is left of an item may be an amount that somebody new looks for.
    """
    chosen = tuple(row for row in snapshot.receipts if row.id in receipts)
    each = [reaches[row.id] for row in chosen if row.id in reaches]
    under = frozenset(changed).union(*(one.roofs for one in each), *(one.looks for one in each))
    crowds = {
        Crowd(row.currency, row.amount_minor, reaches[row.id].crowd)
        for row in chosen
        if row.id in reaches and reaches[row.id].crowd
    }
    return replace(
        snapshot,
        receipts=chosen,
        items=tuple(row for row in snapshot.items if roofs.get(row.customer_id, row.customer_id) in under),
        crowds=tuple(sorted(crowds)),
    )


def recounted(left: Snapshot, reaches: Mapping[int, Reach], roofs: Mapping[int, int]) -> dict[int, Reach]:
    """Where receipts look now whose crowd has another number than it had."""
    rows = [row for row in left.receipts if row.id in reaches and reaches[row.id].crowd]
    owners: dict[tuple[str, int], list[int]] = {(row.currency, row.amount_minor): [] for row in rows}
    for item in left.items if owners else ():
        mine = owners.get((item.currency, item.available_minor))
        if mine is not None:
            mine.append(item.customer_id)
    found = {}
    for row in rows:
        now, old = owners[row.currency, row.amount_minor], reaches[row.id]
        if step(len(now)) == old.crowd:
            continue
        if is_crowd(len(now)):
            found[row.id] = old._replace(crowd=step(len(now)))
        else:
            more = {roofs.get(customer, customer) for customer in now}
            found[row.id] = Reach(old.roofs, old.amounts, 0, old.looks | more)
    return found


def roofs_of(customers: Iterable[CustomerRow]) -> dict[int, int]:
    """Of each customer that has relatives, the one that stands for all of them."""
    found: dict[int, int] = {}

    def top(customer: int) -> int:
        while found.get(customer, customer) != customer:
            customer = found[customer]
        return customer

    related = [(row.id, row.parent_id) for row in customers if row.parent_id is not None]
    for customer, parent in related:
        low, high = sorted((top(customer), top(parent)))
        found[high] = low
    return {customer: top(customer) for pair in related for customer in pair}
