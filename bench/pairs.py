"""How good are pairs of a receipt and an item that it pays? Counted beside the truth; pure."""

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass
from itertools import groupby

from bench.matching import Pair

Scored = list[tuple[Pair, float]]  # a pair, and how sure it is (a probability)


@dataclass(frozen=True, slots=True)
class Quality:
    """Pairs found, how many of them are right, and how many right ones there are."""

    found: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        """The share of what was found that is right; of nothing nothing is wrong."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of what is right that was found."""
        return self.right / self.true if self.true else 1.0


def quality(pairs: Collection[Pair], truth: Set[Pair]) -> Quality:
    """Each pair counts once."""
    distinct = set(pairs)
    return Quality(len(distinct), len(distinct & truth), len(truth))


def best_scores(scored: Iterable[tuple[Pair, float]]) -> dict[Pair, float]:
    """Each pair once, with the best of its scores."""
    best: dict[Pair, float] = {}
    for pair, score in scored:
        if score > best.get(pair, -1.0):
            best[pair] = score
    return best


def at_precision(
    scored: Iterable[tuple[Pair, float]], truth: Set[Pair], wanted: float
) -> tuple[float, Quality]:
    """The threshold that finds most at this precision or better; where none does, the one of the best precision.

    Pairs of one score stand or fall together.
    """
    ordered = sorted(best_scores(scored).items(), key=lambda entry: -entry[1])
    steps: list[tuple[float, Quality]] = []
    found = right = 0
    for score, group in groupby(ordered, key=lambda entry: entry[1]):
        pairs = [pair for pair, _ in group]
        found, right = found + len(pairs), right + sum(pair in truth for pair in pairs)
        steps.append((score, Quality(found, right, len(truth))))
    if not steps:
        return 1.0, Quality(0, 0, len(truth))
    good = [step for step in steps if step[1].precision >= wanted]
    if good:
        return max(good, key=lambda step: step[1].right)
    return max(steps, key=lambda step: (step[1].precision, step[1].right))
