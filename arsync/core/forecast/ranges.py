"""The range of a sum of things that each happen, or not, with a known probability.

Units   sizes are whole minor units of one currency; probabilities and shares are 0 to 1.
Shape   chances -> the sums below which the asked shares of all outcomes lie. No random numbers: the largest
        chances are added up outcome by outcome on a grid, the many small ones as a normal distribution.
Law     0 <= every quantile <= sum of the sizes; quantiles rise with their share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, sqrt

_APART = 40  # chances that are added up one by one
_CELLS = 400  # of the grid that holds their sum


@dataclass(frozen=True, slots=True)
class Chance:
    """Something of this size that happens with this probability, as a whole."""

    size: int
    probability: float

    @property
    def spread(self) -> float:
        """Its variance."""
        return self.size * self.size * self.probability * (1 - self.probability)


def quantiles(chances: Sequence[Chance], shares: Sequence[float]) -> tuple[int, ...]:
    """The sums that are not exceeded in these shares of all outcomes; the chances are independent."""
    total = sum(chance.size for chance in chances)
    ordered = sorted(chances, key=lambda chance: (-chance.spread, -chance.size))
    grid, cell = _summed(ordered[:_APART])
    small = ordered[_APART:]
    centre = sum(chance.size * chance.probability for chance in small)
    width = max(sqrt(sum(chance.spread for chance in small)), cell / 2, 0.5)
    return tuple(_solve(grid, cell, centre, width, share, total) for share in shares)


def _summed(chances: Sequence[Chance]) -> tuple[list[float], float]:
    """The probability of each multiple of a cell; a size between two is shared so that the mean stays."""
    total = sum(chance.size for chance in chances)
    cell = max(total / _CELLS, 1.0)
    grid = [1.0]
    for chance in chances:
        whole, part = divmod(chance.size / cell, 1)
        low = int(whole)
        longer = [probability * (1 - chance.probability) for probability in grid] + [0.0] * (low + 1)
        for n, probability in enumerate(grid):
            happens = probability * chance.probability
            longer[n + low] += happens * (1 - part)
            longer[n + low + 1] += happens * part
        grid = longer
    return grid, cell


def _solve(grid: Sequence[float], cell: float, centre: float, width: float, share: float, total: int) -> int:
    """The sum at which the mixture of shifted normal distributions reaches the share, to the unit."""
    likely = [(n * cell + centre, probability) for n, probability in enumerate(grid) if probability > _NEVER]
    low, high = 0, total
    while low < high:
        middle = (low + high) // 2
        reached = sum(p * (1 + erf((middle - at) / width / _SQRT2)) / 2 for at, p in likely)
        low, high = (low, middle) if reached >= share else (middle + 1, high)
    return low


_NEVER, _SQRT2 = 1e-9, sqrt(2)
