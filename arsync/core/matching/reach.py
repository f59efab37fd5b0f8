"""What a finding may depend on, so that a change makes only what it touches be matched again.

Shape   `Reach` says where a receipt looks; `touched` tells the receipts to match again, `part` what with.
Law     receipts that no change touches keep their findings, and matching the part gives what matching everything would:
        whatever two receipts may compete for lies under one roof or has one amount, and a part is closed over both.
Cost    linear in the receipts that are left; the part is as large as what the change touches.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import NamedTuple

from arsync.core.matching.snapshot import CustomerRow, Snapshot


class Reach(NamedTuple):
    """Families, by one customer of each (`roofs`), and amounts, by currency and without sign."""

    roofs: frozenset[int]
    amounts: frozenset[tuple[str, int]]


def joined(reaches: Iterable[Reach]) -> Reach:
    """Wherever one of them looks."""
    each = list(reaches)
    return Reach(
        frozenset[int]().union(*(one.roofs for one in each)),
        frozenset[tuple[str, int]]().union(*(one.amounts for one in each)),
    )


def touched(reaches: Mapping[int, Reach], change: Reach) -> set[int]:
    """The receipts whose findings the change may alter, and all that they may compete with."""
    under: dict[object, list[int]] = defaultdict(list)
    for receipt_id, reach in reaches.items():
        for place in (*reach.roofs, *reach.amounts):
            under[place].append(receipt_id)
    found: set[int] = set()
    seen: set[object] = set()
    places: list[object] = [*change.roofs, *change.amounts]
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


def part(snapshot: Snapshot, receipts: Set[int], under: Set[int], roofs: Mapping[int, int]) -> Snapshot:
    """These receipts, and the items of all families that they look at."""
    return replace(
        snapshot,
        receipts=tuple(row for row in snapshot.receipts if row.id in receipts),
        items=tuple(row for row in snapshot.items if roofs.get(row.customer_id, row.customer_id) in under),
    )


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
