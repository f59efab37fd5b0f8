"""Why not this invoice? The answer names what the matcher looked at."""

import pytest
from hypothesis import given

from arsync.core.matching.engine import match
from arsync.core.matching.snapshot import Knowledge
from arsync.core.matching.why import why
from tests.core.matching.build import DAY, POLICY, customer, item, receipt, snapshot
from tests.core.matching.test_laws import worlds

MINE, THEIRS = customer(1, "Kestrel Foods LLC"), customer(2, "Marlow Paper Ltd")


def asked(money, *items, about=1):
    """The codes of what is said of an item."""
    world = snapshot(items, money, (MINE, THEIRS))
    finding = match(world, Knowledge(), POLICY)[0]
    answer = why(world, Knowledge(), POLICY, finding, about)
    return {("+" if one.supports else "-") + one.code for one in answer}


@pytest.mark.parametrize(
    ("money", "items", "told"),
    [
        pytest.param(
            receipt(1_000, "INV 20402"),
            [item(1, 1_000, "INV-20401"), item(2, 1_000, "INV-20402", due=9)],
            {"-others-named", "+amount-fits", "+payer-name"},
            id="the text names another one of its amount",
        ),
        pytest.param(
            receipt(1_000, "INV 20401"),
            [item(1, 1_000, "INV-20401")],
            {"+suggested", "+named", "+amount-fits", "+payer-name"},
            id="what is suggested is said to be",
        ),
        pytest.param(
            receipt(1_000, "PAYMENT"),
            [item(1, 1_000, "INV-20401", customer_id=2)],
            {"-payer-differs", "-not-named", "+amount-fits"},
            id="another customer owes it",
        ),
        pytest.param(
            receipt(900, "PAYMENT"),
            [item(1, 1_000, "INV-20401")],
            {"+payer-name", "-not-named", "-amount-differs"},
            id="another amount came",
        ),
        pytest.param(
            receipt(980, "PAYMENT"),
            [item(1, 1_000, "INV-20401", discount_minor=20, discount_until=DAY)],
            {"+payer-name", "-not-named", "+amount-fits", "+suggested"},
            id="less its discount it is the amount",
        ),
        pytest.param(
            receipt(1_000, "PAYMENT", currency="EUR"),
            [item(1, 1_000, "INV-20401")],
            {"-other-currency"},
            id="it is owed in another currency",
        ),
        pytest.param(
            receipt(900, "INV 20410"),
            [item(1, 1_000, "INV-20401")],
            {"-named-nearly", "+payer-name", "-amount-differs"},
            id="the text may name it with a slip",
        ),
        pytest.param(
            receipt(3_000, "PAYMENT"),
            [
                item(1, 1_000, "INV-20401"),
                item(2, 2_000, "INV-20402", due=9),
                item(3, 3_000, "INV-20403", due=20),
            ],
            {"+payer-name", "-not-named", "-amount-differs", "+in-a-set", "-other-sets", "+suggested"},
            id="with others it comes to the amount, and so does another",
        ),
    ],
)
def test_an_answer_names_what_speaks_for_and_against(money, items, told):
    assert told <= asked(money, *items)


def test_of_an_item_that_was_not_open_nothing_is_said():
    assert asked(receipt(1_000), item(1, 1_000), about=7) == set()


@given(worlds())
def test_every_item_of_every_world_has_an_answer(world):
    for finding in match(world, Knowledge(), POLICY):
        for one in world.items:
            answer = why(world, Knowledge(), POLICY, finding, one.id)
            assert answer
            assert len(answer) == len(set(answer))
            paid = {share.item_id for each in finding.explanations for share in each.shares}
            assert ("suggested" in {row.code for row in answer}) == (one.id in paid)
