"""The range of a sum: against all outcomes counted one by one."""

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.forecast.ranges import Chance, quantiles

CHANCES = st.lists(st.builds(Chance, st.integers(0, 10**9), st.floats(0, 1)), max_size=9)
SHARES = (0.05, 0.1, 0.5, 0.9, 0.95)


def probability_of_at_most(chances, limit):
    return sum(
        prod(c.probability if hit else 1 - c.probability for c, hit in zip(chances, hits, strict=True))
        for hits in product((False, True), repeat=len(chances))
        if sum(c.size for c, hit in zip(chances, hits, strict=True) if hit) <= limit
    )


@given(CHANCES)
def test_few_chances_are_as_exact_as_the_grid(chances):
    total = sum(chance.size for chance in chances)
    blur = 12 * max(total // 400, 1)  # of nine sizes shared between cells, and of the smoothing
    for share, at in zip(SHARES, quantiles(chances, SHARES), strict=True):
        assert probability_of_at_most(chances, at + blur) >= share - 0.01
        assert probability_of_at_most(chances, at - blur) <= share + 0.01


@given(st.lists(st.builds(Chance, st.integers(0, 10**12), st.floats(0, 1)), max_size=120))
def test_quantiles_rise_between_nothing_and_everything(chances):
    got = quantiles(chances, SHARES)
    assert list(got) == sorted(got)
    assert got[0] >= 0
    assert got[-1] <= sum(chance.size for chance in chances)


def test_many_small_chances_are_nearly_normal():
    low, middle, high = quantiles([Chance(100, 0.5)] * 10_000, (0.1, 0.5, 0.9))
    # mean 500,000; standard deviation 5,000; a tenth lies beyond 1.2816 of it
    assert (low, middle, high) == pytest.approx((493_592, 500_000, 506_408), abs=150)


def test_one_chance_is_all_or_nothing():
    assert quantiles([Chance(1_000_000, 0.3)], (0.5, 0.9)) == pytest.approx((0, 1_000_000), abs=5_000)


def test_nothing_comes_to_nothing():
    assert quantiles([], (0.1, 0.9)) == (0, 0)
