"""How good pairs are, and the threshold at which two matchers are equally precise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.matching import world, world_and_truth
from bench.pairs import Quality, at_precision, quality

TRUTH = frozenset({(1, 10), (1, 11), (2, 20), (3, 30)})
RIGHT, WRONG = [(1, 10), (1, 11), (2, 20)], [(1, 20), (3, 10)]


@pytest.mark.parametrize(
    ("pairs", "precision", "recall"),
    [
        pytest.param(RIGHT, 1.0, 0.75, id="three of four, nothing wrong"),
        pytest.param(RIGHT[:1] + WRONG[:1], 0.5, 0.25, id="half is wrong"),
        pytest.param(RIGHT[:1] * 3, 1.0, 0.25, id="a pair counts once"),
        pytest.param([(10, 1)], 0.0, 0.0, id="an item is no receipt"),
        pytest.param([], 1.0, 0.0, id="of nothing nothing is wrong"),
    ],
)
def test_quality(pairs, precision, recall):
    found = quality(pairs, TRUTH)
    assert (found.precision, found.recall) == (precision, recall)


@pytest.mark.parametrize(
    ("scored", "wanted", "threshold", "found"),
    [
        pytest.param(
            [(RIGHT[0], 0.9), (RIGHT[1], 0.5), (WRONG[0], 0.4)],
            1.0,
            0.5,
            (2, 2),
            id="all above the wrong one",
        ),
        pytest.param(
            [(RIGHT[0], 0.9), (WRONG[0], 0.8), (RIGHT[1], 0.7)], 0.6, 0.7, (3, 2), id="precision comes back"
        ),
        pytest.param(
            [(WRONG[0], 0.9), (RIGHT[0], 0.8), (WRONG[1], 0.1)], 1.0, 0.8, (2, 1), id="the best there is"
        ),
        pytest.param(
            [(RIGHT[0], 0.9), (WRONG[0], 0.9)], 1.0, 0.9, (2, 1), id="equal scores are not told apart"
        ),
        pytest.param(
            [(RIGHT[0], 0.2), (WRONG[0], 0.5), (RIGHT[0], 0.9)],
            1.0,
            0.9,
            (1, 1),
            id="a pair has its best score",
        ),
        pytest.param([], 1.0, 1.0, (0, 0), id="nothing"),
    ],
)
def test_threshold(scored, wanted, threshold, found):
    assert at_precision(scored, TRUTH, wanted) == (threshold, Quality(*found, len(TRUTH)))


PAIRS = st.tuples(st.integers(1, 3), st.sampled_from([10, 11, 20, 30]))


@given(st.lists(st.tuples(PAIRS, st.sampled_from([0.1, 0.5, 0.9]))), st.sampled_from([0.5, 0.9, 1.0]))
def test_no_threshold_finds_more_at_that_precision(scored, wanted):
    threshold, best = at_precision(scored, TRUTH, wanted)
    every = [quality([pair for pair, score in scored if score >= least], TRUTH) for least in (0.1, 0.5, 0.9)]
    assert best == quality([pair for pair, score in scored if score >= threshold], TRUTH)
    good = [one for one in every if one.found and one.precision >= wanted]
    if good:
        assert best.precision >= wanted
        assert best.right == max(one.right for one in good)
    elif scored:
        assert best.precision == max(one.precision for one in every if one.found)


def test_the_truth_of_a_world_is_what_its_receipts_pay():
    """Each item is paid once, by its own customer, and the amounts come to the receipt or to a fee less."""
    snapshot, truth = world_and_truth(300, 60, 6)
    assert snapshot == world(300, 60, 6)
    items = {item.id: item for item in snapshot.items}
    assert len({item_id for _, item_id in truth}) == len(truth)
    for receipt in snapshot.receipts:
        paid = [items[item_id] for receipt_id, item_id in truth if receipt_id == receipt.id]
        assert len({item.customer_id for item in paid}) == 1
        assert sum(item.available_minor for item in paid) - receipt.amount_minor in (0, 15_00)
