"""Which automatic applications are looked at again: one in so many of each kind, by a chance anybody can draw again."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.matching.sampling import Place, Stratum, draw, interval, stratum_of, too_many

SMALL, LARGE = Stratum("reference", "USD", 5), Stratum("reference", "USD", 8)


@pytest.mark.parametrize(
    ("minor", "stratum"),
    [
        pytest.param(999_99, SMALL, id="below a thousand"),
        pytest.param(-999_99, SMALL, id="a sign is no size"),
        pytest.param(123_456_78, LARGE, id="above a hundred thousand"),
    ],
)
def test_applications_are_told_apart_by_evidence_currency_and_size(minor, stratum):
    assert stratum_of("reference", "USD", minor) == stratum


@given(
    st.text("abcdef0123456789", min_size=6, max_size=6),
    st.lists(st.sampled_from([SMALL, LARGE]), max_size=200),
    st.integers(1, 20),
)
def test_of_so_many_of_a_kind_exactly_one_is_drawn(uid, kinds, one_in):
    decisions = list(enumerate(kinds, 1))
    drawn, _ = draw(uid, decisions, {}, one_in)
    for kind in (SMALL, LARGE):
        mine = [i for i, k in decisions if k == kind]
        blocks = [mine[n : n + one_in] for n in range(0, len(mine), one_in)]
        hits = [len(set(block) & set(drawn)) for block in blocks]
        assert all(hit == 1 for hit, block in zip(hits, blocks, strict=True) if len(block) == one_in)
        assert all(hit <= 1 for hit in hits)


@given(st.lists(st.sampled_from([SMALL, LARGE]), max_size=100), st.integers(1, 12), st.integers(0, 100))
def test_a_draw_in_two_runs_draws_what_one_run_draws(kinds, one_in, cut):
    decisions = list(enumerate(kinds, 1))
    whole, end = draw("a1b2c3", decisions, {}, one_in)
    first, places = draw("a1b2c3", decisions[:cut], {}, one_in)
    second, later = draw("a1b2c3", decisions[cut:], places, one_in)
    assert (first + second, {**places, **later}) == (whole, end)


def test_each_place_among_so_many_has_the_same_chance():
    hits = Counter(
        drawn
        for ledger in range(20_000)
        for drawn in draw(f"{ledger:06x}", [(i, SMALL) for i in range(1, 6)], {}, 5)[0]
    )
    assert sum(hits.values()) == 20_000
    assert all(abs(number - 4_000) < 250 for number in hits.values()), hits


def test_another_ledger_draws_others():
    decisions = [(i, SMALL) for i in range(1, 501)]
    assert draw("a1b2c3", decisions, {}, 10)[0] != draw("a1b2c4", decisions, {}, 10)[0]


def test_none_is_drawn_where_the_policy_says_so():
    assert draw("a1b2c3", [(1, SMALL)], {}, 0) == ([], {})


def test_a_smaller_block_than_before_begins_anew():
    _, places = draw("a1b2c3", [(7, SMALL)], {SMALL: Place(40, False)}, 10)
    assert places[SMALL].seen == 1


@pytest.mark.parametrize(
    ("wrong", "checked", "most", "is_too_many"),
    [
        pytest.param(0, 3, 0, False, id="nothing wrong is never too much"),
        pytest.param(1, 30, 50, True, id="one of thirty is worse than 50 in 10,000 for certain"),
        pytest.param(1, 100, 50, False, id="one of a hundred may be chance"),
        pytest.param(10, 100, 50, True, id="ten of a hundred are not"),
        pytest.param(1, 10, 10_000, False, id="a policy may allow anything"),
    ],
)
def test_too_many_are_wrong_when_even_the_lower_bound_is_over_the_limit(wrong, checked, most, is_too_many):
    assert too_many(wrong, checked, most) is is_too_many


def test_what_is_not_known_may_be_anything():
    assert interval(0, 0) == (0.0, 1.0)
