"""Promises to pay: whether what a customer has promised came in time.

Units   amounts are minor units of the item's currency; days are those of the ledger.
Rules   A promise is kept once the item has lost the promised amount by the promised day, by whatever means: money,
        a credit, a write-off. What was taken back since does not count. On its own day a promise still runs. Money
        that has arrived in time and waits for a decision does not break it: the promise is in review.
Law     more settled, or more waiting, never turns a kept promise or one that runs into a broken one; only days do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class State(StrEnum):
    """What has become of a promise."""

    OPEN = "open"
    IN_REVIEW = "in review"
    KEPT = "kept"
    BROKEN = "broken"
    NOT_OWED = "not owed any more"  # voided, or reduced in the books: nothing is left to promise
    SUPERSEDED = "superseded"  # by a newer promise for the same item
    WITHDRAWN = "withdrawn"

    @property
    def runs(self) -> bool:
        """Whether its money is still to be waited for."""
        return self in (State.OPEN, State.IN_REVIEW)


@dataclass(frozen=True, slots=True)
class Promise:
    """That much of one item, by a day, that day included."""

    by: date
    amount_minor: int  # positive
    withdrawn: bool = False
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """What an item lost on a day, or may lose by money that arrived on it; negative where it was opened again."""

    on: date
    minor: int


def state_of(
    promise: Promise, settled: Sequence[Moved], waiting: Sequence[Moved], open_minor: int, today: date
) -> State:
    """What has become of a promise.

    Args:
        promise: what was said.
        settled: what the item has lost since it was said.
        waiting: money for the item, or of its customer, that has arrived and is not settled yet.
        open_minor: what is open of the item now.
        today: the ledger's own day.
    """
    if promise.withdrawn:
        return State.WITHDRAWN
    if promise.superseded:
        return State.SUPERSEDED
    stands = sum(one.minor for one in settled)
    in_time = min(stands, sum(one.minor for one in settled if one.on <= promise.by))
    if in_time >= promise.amount_minor:
        return State.KEPT
    if open_minor <= 0 and stands < promise.amount_minor:
        return State.NOT_OWED
    if open_minor <= 0 and today <= promise.by:
        return State.KEPT  # by money that is dated later, and here already
    arrived = sum(one.minor for one in waiting if one.on <= promise.by)
    if in_time + arrived >= promise.amount_minor:
        return State.IN_REVIEW
    return State.BROKEN if today > promise.by else State.OPEN
