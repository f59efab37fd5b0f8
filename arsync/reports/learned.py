"""What clerks' decisions taught: each payer, whose money it is, who said so, and what follows from it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from arsync.output import PLAIN, Cell, Screen, grid


@dataclass(frozen=True, slots=True)
class Taught:
    """One thing that was learned."""

    id: int
    key: str
    payer: str  # the key for people
    customer: str
    confirmations: int
    since: date
    until: date | None
    by: tuple[str, ...]  # empty where it was learned before that was kept


@dataclass(frozen=True, slots=True)
class Learned:
    """One thing that was learned, and what follows from it."""

    id: int
    payer: str
    customer: str
    confirmations: int
    since: date
    until: date | None
    by: tuple[str, ...]
    standing: str


def learned(rows: Iterable[Taught], needed: int, today: date, *, used: bool) -> list[Learned]:
    """What follows from each thing that was learned.

    Args:
        rows: all there is, newest first.
        needed: confirmations before a payer counts as known.
        today: what has ended before is not in force.
        used: whether the policy uses what was learned at all.
    """
    rows = list(rows)
    shared = Counter(row.key for row in rows if _in_force(row, today))
    return [
        Learned(
            row.id, row.payer, row.customer, row.confirmations, row.since, row.until, row.by,
            _standing(row, needed, today, shared=shared[row.key] > 1) if used else "not used",
        )
        for row in rows
    ]  # fmt: skip


def _standing(row: Taught, needed: int, today: date, *, shared: bool) -> str:
    if not _in_force(row, today):
        return "ended"
    if shared:
        return "several customers"
    return "known" if row.confirmations >= needed else f"suggests, known from {needed} on"


def _in_force(row: Taught, today: date) -> bool:
    return row.until is None or today < row.until


@dataclass(frozen=True, slots=True)
class Pays:
    """How one customer usually pays, by what people confirmed."""

    customer_id: int
    customer: str
    payments: int
    ways: str  # in words
    since: date
    last: date
    by: tuple[str, ...]


def habit_lines(rows: Sequence[Pays], screen: Screen = PLAIN) -> list[str]:
    """For people."""
    body: list[tuple[Cell, ...]] = [
        (row.customer, row.payments, row.ways, row.since, row.last, ", ".join(row.by)) for row in rows
    ]
    head = ("Customer", "Payments", "Of these", "Since", "Last", "By")
    return [*grid(head, body, screen), f"take one back: arsync learned unlearn '{rows[0].customer}'"]


def lines(rows: Sequence[Learned], screen: Screen = PLAIN) -> list[str]:
    """For people."""
    body: list[tuple[Cell, ...]] = [
        (
            row.id, row.payer, row.customer, row.confirmations, row.since, row.until or "", ", ".join(row.by),
            row.standing,
        )
        for row in rows
    ]  # fmt: skip
    head = ("", "Payer", "Customer", "Confirmed", "Since", "Until", "By", "")
    told = grid(head, body, screen)
    return [*told, f"take one back: arsync learned forget {rows[0].id}"]
