"""What a confirmation teaches."""

from datetime import timedelta

from arsync.core.matching.learn import learn
from arsync.core.matching.snapshot import Alias, Knowledge
from tests.core.matching.build import DAY

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
