"""What a confirmation teaches."""

from datetime import timedelta

import pytest

from arsync.core.matching.engine import match
from arsync.core.matching.learn import learn
from arsync.core.matching.payers import payer_of
from arsync.core.matching.snapshot import Alias, Knowledge, MatchPolicy
from tests.core.matching.build import DAY, customer, item, receipt, shares, snapshot

DAYS = 730
END = DAY + timedelta(days=DAYS)


def taught(name, account="", customer=7, on=DAY, known=None):
    return learn(known or Knowledge(), name, account, customer, on, DAYS)


def test_a_confirmation_teaches_name_and_account():
    got = taught("Quill Media Ltd.", "DE89 3704")
    assert got.aliases == (
        Alias("account:DE893704", 7, 1, DAY, END),
        Alias("QUILL MEDIA LTD", 7, 1, DAY, END),
    )


def test_a_second_confirmation_counts_keeps_the_first_date_and_lasts_anew():
    later = timedelta(days=3)
    twice = taught("QUILL MEDIA", "****1234", on=DAY + later, known=taught("Quill Media"))
    assert twice.aliases == (Alias("QUILL MEDIA", 7, 2, DAY, END + later),)


def test_another_customer_gets_an_entry_of_its_own():
    got = taught("Quill Media", customer=8, known=taught("Quill Media"))
    assert {(a.customer_id, a.confirmations) for a in got.aliases} == {(7, 1), (8, 1)}


def test_what_nobody_confirms_any_more_is_forgotten_and_learned_from_the_beginning():
    known = taught("Quill Media", known=taught("Quill Media"))
    assert known.in_force(END - timedelta(days=1))
    assert known.in_force(END) == ()
    assert [a.confirmations for a in taught("Quill Media", on=END, known=known).in_force(END)] == [1]


def test_nothing_to_go_by_teaches_nothing():
    assert taught("") == Knowledge()


@pytest.mark.parametrize(
    ("owners", "payer"),
    [
        pytest.param({2}, 2, id="one customer, whoever its parent is"),
        pytest.param({2, 3}, 1, id="two children of one parent"),
        pytest.param({1, 3}, 1, id="a parent and its child"),
        pytest.param({2, 4}, None, id="a child and a stranger"),
        pytest.param({4, 5}, None, id="two strangers"),
        pytest.param(set[int](), None, id="nobody"),
    ],
)
def test_who_a_payment_for_several_customers_is_booked_for(owners, payer):
    assert payer_of(owners, {2: 1, 3: 1}.get) == payer


def test_a_name_that_paid_for_a_child_and_then_for_all_of_them_is_the_parents():
    """A parent's first payments may have been for one child alone."""
    people = (
        customer(1, "Harbor Group"),
        customer(2, "Delmar Foods", parent_id=1),
        customer(3, "Fenwick Glass", parent_id=1),
    )
    knowledge = Knowledge()
    for owners in ({2}, {2}, {2, 3}):
        knowledge = learn(knowledge, "HARBOR PAY", "", payer_of(owners, {2: 1, 3: 1}.get) or 0, DAY, 30)
    items = (item(1, 4_813_37, customer_id=2), item(2, 1_147_18, customer_id=3))
    found = match(snapshot(items, (receipt(5_960_55, name="HARBOR PAY"),), people), knowledge, MatchPolicy())
    assert shares(found[0].explanations[0]) == {1: 4_813_37, 2: 1_147_18}
