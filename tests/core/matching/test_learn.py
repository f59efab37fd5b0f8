"""What a confirmation teaches."""

from datetime import timedelta

from arsync.core.matching.learn import learn
from arsync.core.matching.snapshot import Alias, Knowledge
from tests.core.matching.build import DAY


def test_a_confirmation_teaches_name_and_account():
    got = learn(Knowledge(), "Quill Media Ltd.", "DE89 3704", 7, DAY)
    assert got.aliases == (Alias("account:DE893704", 7, 1, DAY), Alias("QUILL MEDIA LTD", 7, 1, DAY))


def test_a_second_confirmation_counts_and_keeps_the_first_date():
    once = learn(Knowledge(), "Quill Media", "", 7, DAY)
    twice = learn(once, "QUILL MEDIA", "****1234", 7, DAY + timedelta(days=3))
    assert twice.aliases == (Alias("QUILL MEDIA", 7, 2, DAY),)


def test_another_customer_gets_an_entry_of_its_own():
    got = learn(learn(Knowledge(), "Quill Media", "", 7, DAY), "Quill Media", "", 8, DAY)
    assert {(a.customer_id, a.confirmations) for a in got.aliases} == {(7, 1), (8, 1)}


def test_nothing_to_go_by_teaches_nothing():
    assert learn(Knowledge(), "", "", 7, DAY) == Knowledge()
