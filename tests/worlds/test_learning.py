"""The switch for what a ledger's own history teaches: statistics of its customers, or nothing at all."""

from datetime import timedelta

import pytest

from arsync.errors import NotFound, NotPermitted
from arsync.store import audit, learned
from arsync.sync import actions
from arsync.sync.report import forecast_report, habits_report, learned_report
from tests.worlds.office import POLICY, Line, finding_of


def confirmed(office):
    """A clerk says whose money a strange name is."""
    invoice = office.invoice(office.customer("Acme Corporation"), "250.00", "1001")
    office.statement(Line("250.00", "THANK YOU", "HOLDING 77 LLC"))
    office.run()
    actions.apply(office.desk(), office.queued().id, [office.part(f"Invoice:{invoice}", "250.00")])
    office.run_until_idle()
    with office.store.read() as conn:
        return learned.knowledge(conn, office.ledger.id, office.clock.now().date())


def ignoring(office):
    product = office.keeper.create_item("Given up", "income")["Id"]
    office.policy(POLICY.format(product=product) + '\n[learning]\nhistory = "ignore"\n')


def test_a_confirmed_payer_is_remembered(quick_office):
    assert confirmed(quick_office).aliases


def test_how_a_confirmed_customer_paid_is_remembered_and_forgotten_after_its_time(quick_office):
    office = quick_office
    (habit,) = confirmed(office).habits
    assert (habit.payments, round(sum(habit.ways), 3)) == (1, 1.0)
    today = office.clock.now().date()
    with office.store.read() as conn:
        assert learned.habits(conn, office.ledger.id, today + timedelta(days=729)) == (habit,)
        assert learned.habits(conn, office.ledger.id, today + timedelta(days=730)) == ()


def test_a_habit_is_listed_weighs_what_fits_and_is_taken_back(quick_office):
    office = quick_office
    acme = office.customer("Acme Corporation")
    for number, amount in enumerate(("110.00", "120.00", "130.00"), 1001):
        invoice = office.invoice(acme, amount, str(number))
        office.statement(Line(amount, "THANK YOU", f"STRANGER {number} LLC"))
        office.run()
        actions.apply(office.desk(), office.queued().id, [office.part(f"Invoice:{invoice}", amount)])
        office.run_until_idle()
    (told,) = habits_report(office.store, office.ledger, office.clock.now().date())
    assert (told.customer, told.payments) == ("Acme Corporation", 3)
    for number, amount in (("2001", "310.11"), ("2002", "250.22"), ("2003", "560.33")):
        office.invoice(acme, amount, number)
    office.statement(Line("560.33", "PAYMENT", "ACME CORPORATION"))
    office.run()
    with office.store.read() as conn:
        first = finding_of(conn, office.queued())["explanations"][0]
    assert "that people confirmed" in str(first)
    actions.forget_habit(office.desk(), told.customer_id, "they pay as they like")
    assert habits_report(office.store, office.ledger, office.clock.now().date()) == []
    office.run()
    with office.store.read() as conn:
        again = finding_of(conn, office.queued())["explanations"][0]
    assert "that people confirmed" not in str(again)
    with pytest.raises(NotFound, match="nothing is remembered"):
        actions.forget_habit(office.desk(), told.customer_id)


def test_where_history_is_ignored_no_habit_is_learned(quick_office):
    office = quick_office
    ignoring(office)
    assert confirmed(office).habits == ()


def test_with_history_ignored_a_confirmation_teaches_nothing_and_what_was_taught_is_not_used(quick_office):
    office = quick_office
    taught = confirmed(office)
    ignoring(office)
    office.invoice(office.customer("Beta"), "80.00", "1002")
    office.statement(Line("80.00", "HELLO", "HOLDING 77 LLC"))
    office.run()
    assert "HOLDING" not in office.queued().detail
    with office.store.read() as conn:
        assert learned.knowledge(conn, office.ledger.id, office.clock.now().date()) == taught, (
            "what was taught is kept, and stands still"
        )


def test_with_history_ignored_the_forecast_goes_by_due_dates(quick_office):
    office = quick_office
    confirmed(office)
    office.invoice(office.customer("Beta"), "80.00", "1002")
    office.run()
    office.clock.pass_days(1)
    used = forecast_report(office.store, office.ledger, office.clock.now(), 6)
    ignoring(office)
    plain = forecast_report(office.store, office.ledger, office.clock.now(), 6)
    assert "only 1 settled items" in "\n".join(used.text())
    assert "terms only" in "\n".join(plain.text())


# ---- what was learned is visible, and can be taken back


def known_payer(office):
    """A strange name that two clerks have confirmed for a customer, and its next money in the queue of a ledger."""
    customer = office.customer("Acme Corporation")
    for number, person in ((1, "Cleo"), (2, "Max")):
        invoice = office.invoice(customer, f"25{number}.00", f"100{number}")
        office.statement(Line(f"25{number}.00", "THANK YOU", "HOLDING 77 LLC"))
        office.run()
        part = office.part(f"Invoice:{invoice}", f"25{number}.00")
        actions.apply(office.desk(person), office.queued().id, [part])
        office.run_until_idle()
    office.invoice(customer, "80.00", "1003")
    office.statement(Line("80.00", "HELLO", "HOLDING 77 LLC"))
    office.run_until_idle()


def listed(office):
    return learned_report(office.store, office.ledger, office.today())


def test_what_was_learned_says_who_confirmed_it_how_often_and_until_when(office):
    known_payer(office)
    (one,) = listed(office)
    assert (one.id, one.payer, one.customer, one.standing) == (
        1,
        '"HOLDING 77 LLC"',
        "Acme Corporation",
        "known",
    )
    assert (one.confirmations, one.by, one.since) == (2, ("Cleo", "Max"), office.today())
    assert one.until == office.today() + timedelta(days=730)


def test_what_is_taken_back_is_matched_again_and_kept_on_record(office):
    known_payer(office)
    assert office.queued().reason == "confirmation"
    actions.forget(office.desk(), 1, "the holding pays for others too")
    assert [one.standing for one in listed(office)] == ["ended"]
    office.run()
    assert office.queued().reason == "unknown payer"
    with office.store.read() as conn:
        (event,) = audit.history(conn, office.ledger.id, "learned:1")
    assert (event["what"], event["who"]) == ("forgotten", "Cleo")
    with pytest.raises(NotFound, match="nothing of the number 1"):
        actions.forget(office.desk(), 1)
    with pytest.raises(NotPermitted):
        actions.forget(office.desk("Otto"), 1)
    before = office.rows()
    office.run()
    assert office.changed_rows(before) == set()


def test_what_was_forgotten_is_learned_again_from_the_beginning(office):
    known_payer(office)
    office.clock.pass_days(1)
    actions.forget(office.desk(), 1)
    office.run()
    actions.on_account(office.desk(), office.queued().id, 1)
    assert [(one.id, one.confirmations, one.standing) for one in listed(office)] == [
        (2, 1, "suggests, known from 2 on"),
        (1, 2, "ended"),
    ]


def test_what_nobody_confirms_any_more_ends_by_itself(office):
    known_payer(office)
    office.clock.pass_days(731)
    assert [one.standing for one in listed(office)] == ["ended"]
