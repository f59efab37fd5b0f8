"""What the last match saw, so that the next one matches only what is new.

Shape   `seen(...)` -> `Seen`: digests of what findings rest on, and where each undecided receipt looks. `stale(...)` ->
        the receipts that must be matched again, and what changed for them.
Law     matching the stale receipts and keeping the findings of all others gives what matching everything would.
Cost    digests cost a tenth of a match; beyond them nothing is spent on what did not change.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple, TypeVar

from arsync.core.decisions import Finding
from arsync.core.matching import engine, record
from arsync.core.matching.exchange import about
from arsync.core.matching.reach import Reach, joined, touched
from arsync.core.matching.snapshot import Knowledge, MatchPolicy, ReceiptRow, Snapshot

_DIGEST_BYTES = 12
K = TypeVar("K", int, str)


class Waiting(NamedTuple):
    """An undecided receipt: a digest of its row, where it looks, and a digest of the rates of its days."""

    row: str
    reach: Reach
    rates: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the findings of the undecided receipts rest on."""

    ground: str  # of all of them: customers, what is learned and in force, policy, advices
    day: date
    roofs: dict[int, str]  # open items, by family
    amounts: dict[str, str]  # payments booked and receipts seen lately, by "currency amount"
    receipts: dict[int, Waiting]


@dataclass(frozen=True, slots=True)
class Stale:
    """The receipts to match again, where they look, and what changed."""

    receipts: frozenset[int]
    reaches: Mapping[int, Reach]  # of all receipts
    change: Reach


def seen(
    snapshot: Snapshot,
    knowledge: Knowledge,
    policy: MatchPolicy,
    roofs: Mapping[int, int],
    reaches: Mapping[int, Reach],
) -> Seen:
    """What a match of this snapshot sees."""
    families: dict[int, list[object]] = defaultdict(list)
    for item in snapshot.items:
        families[roofs.get(item.customer_id, item.customer_id)].append(item)
    for habit in knowledge.habits:
        families[roofs.get(habit.customer_id, habit.customer_id)].append(habit)
    money: dict[str, list[object]] = defaultdict(list)
    for booked in snapshot.booked:
        money[_place(booked.currency, booked.total_minor)].append(booked)
    for row, customer in zip(snapshot.recent, snapshot.recent_customers, strict=True):
        money[_place(row.currency, row.amount_minor)].append((row, customer))
    learned, rates = knowledge.in_force(snapshot.as_of), _rates_of(snapshot)
    ground = (engine.ENGINE_VERSION, policy, learned, snapshot.customers, snapshot.remittances)
    return Seen(
        _digest(ground),
        snapshot.as_of,
        {roof: _digest(rows) for roof, rows in families.items()},
        {place: _digest(rows) for place, rows in money.items()},
        {
            row.id: Waiting(_digest(row), reaches[row.id], rates(row))
            for row in snapshot.receipts
            if row.id in reaches
        },
    )


def _rates_of(snapshot: Snapshot) -> Callable[[ReceiptRow], str]:
    """A digest of the rates that a receipt may be judged by; empty where there are none."""
    days: dict[date, str] = {}

    def of(row: ReceiptRow) -> str:
        if row.on not in days:
            near = sorted(about(snapshot.rates, row.on))
            days[row.on] = _digest(near) if near else ""
        return days[row.on]

    return of


def _abroad(snapshot: Snapshot, roofs: Mapping[int, int]) -> Callable[[ReceiptRow, Reach], bool]:
    """Whether a receipt looks at items in another currency than its own, so that a rate may matter."""

    @cache  # walks all items, so only where a rate has changed
    def owed() -> Mapping[int, set[str]]:
        found: dict[int, set[str]] = {}
        for item in snapshot.items:
            found.setdefault(roofs.get(item.customer_id, item.customer_id), set()).add(item.currency)
        return found

    return lambda row, reach: any(
        owed().get(roof, set()) - {row.currency} for roof in reach.roofs | reach.looks
    )


def stale(
    before: Seen,
    now: Seen,
    snapshot: Snapshot,
    known: Mapping[int, Finding],
    roofs: Mapping[int, int],
    look: Callable[[], Mapping[int, Reach]],
) -> Stale:
    """What is to be matched again.

    Args:
        before: what the last match saw.
        now: what there is; its receipts need not be filled.
        snapshot: the same.
        known: the findings of the last match that are still at hand.
        roofs: of each customer that has relatives, the one that stands for all of them.
        look: tells where each receipt of the snapshot looks now; asked only if anything changed.
    """
    ids = frozenset(row.id for row in snapshot.receipts)
    if before.ground != now.ground:
        return Stale(ids, {}, Reach(frozenset(now.roofs), frozenset()))
    old = {i: before.receipts[i].reach for i in before.receipts}
    rates, abroad = _rates_of(snapshot), _abroad(snapshot, roofs)
    fresh = {
        row.id
        for row in snapshot.receipts
        if row.id not in known
        or row.id not in old
        or before.receipts[row.id].row != _digest(row)
        or (known[row.id].wait and before.day != now.day)
        or (before.receipts[row.id].rates != rates(row) and abroad(row, old[row.id]))
    }
    gone = old.keys() - ids
    change = Reach(
        frozenset(_differing(before.roofs, now.roofs)),
        frozenset(map(_amount, _differing(before.amounts, now.amounts))),
    )
    if not (fresh or gone or change.roofs or change.amounts):
        return Stale(frozenset(), old, change)
    reaches = look()
    fresh |= {i for i in ids if i in old and old[i] != reaches[i]}
    change = joined([change, *(old[i] for i in (*gone, *fresh) if i in old), *(reaches[i] for i in fresh)])
    return Stale(frozenset(touched(reaches, change) | fresh), reaches, change)


def _differing(before: Mapping[K, str], now: Mapping[K, str]) -> set[K]:
    return {key for key, _ in before.items() ^ now.items()}


def _place(currency: str, minor: int) -> str:
    return f"{currency} {abs(minor)}"


def _amount(place: str) -> tuple[str, int]:
    currency, _, minor = place.partition(" ")
    return currency, int(minor)


def _digest(value: object) -> str:
    return hashlib.blake2b(record.encode(value), digest_size=_DIGEST_BYTES).hexdigest()
