"""Which of what was applied alone a person looks at again, blind; and whether what is found is too much.

Shape   `draw(uid, decisions, strata, one_in)` -> the decisions to look at, and how far each stratum has come; pure.
Law     of every `one_in` consecutive decisions of a stratum exactly one is drawn, each with the same chance: the sample
        holds the strata in their own proportions, so its plain share of errors is the share of all.
Chance  comes from the ledger and the decision alone: whoever draws again draws the same.
"""

import hashlib
from collections.abc import Iterable, Mapping
from math import sqrt
from typing import NamedTuple

_Z = 1.959964  # 95 % of a normal distribution lie within so many deviations


class Stratum(NamedTuple):
    """Automatic applications of one kind: evidence and size."""

    evidence_class: str
    currency: str
    digits: int  # of the amount in minor units


class Place(NamedTuple):
    """How far the draw has come among `one_in` decisions of a stratum."""

    seen: int = 0
    drawn: bool = False


def stratum_of(evidence_class: str, currency: str, minor: int) -> Stratum:
    """Where an application belongs."""
    return Stratum(evidence_class, currency, len(str(abs(minor))))


def draw(
    uid: str, decisions: Iterable[tuple[int, Stratum]], strata: Mapping[Stratum, Place], one_in: int
) -> tuple[list[int], dict[Stratum, Place]]:
    """Draw from decisions that were just made.

    Args:
        uid: the ledger's.
        decisions: their numbers, in the order in which they were made.
        strata: how far each stratum had come.
        one_in: so many decisions for each that is drawn; 0 draws none.

    Returns:
        The numbers drawn, and the places that changed.
    """
    drawn: list[int] = []
    places: dict[Stratum, Place] = {}
    for decision_id, stratum in decisions if one_in else ():
        place = places.get(stratum) or strata.get(stratum) or Place()
        if place.seen >= one_in:
            place = Place()
        hit = not place.drawn and _chance(uid, decision_id) % (one_in - place.seen) == 0
        if hit:
            drawn.append(decision_id)
        places[stratum] = Place(place.seen + 1, place.drawn or hit)
    return drawn, places


def _chance(uid: str, decision_id: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{uid}-{decision_id}".encode()).digest()[:8])


def interval(hits: int, number: int) -> tuple[float, float]:
    """Between which shares the true one lies, with 95 % (Wilson)."""
    if not number:
        return 0.0, 1.0
    share = hits / number
    middle = share + _Z * _Z / (2 * number)
    spread = _Z * sqrt(share * (1 - share) / number + _Z * _Z / (4 * number * number))
    whole = 1 + _Z * _Z / number
    # At no hit and at nothing but hits one end is the share itself, but for the last digit.
    low = (middle - spread) / whole if hits else share
    high = (middle + spread) / whole if hits < number else share
    return low, high


def too_many(wrong: int, checked: int, most_in_10_000: int) -> bool:
    """Whether more are wrong than may be, for certain (95 %)."""
    return wrong > 0 and 10_000 * interval(wrong, checked)[0] > most_in_10_000
