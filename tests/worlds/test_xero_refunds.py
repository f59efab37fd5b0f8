"""A refund on Xero is a payment against the credit it gives back, once the bank shows it."""

import pytest

from arsync.errors import NotPermitted
from arsync.sync import actions
from tests.worlds.office import Line
from tests.worlds.test_write_back import at_rest
from tests.worlds.xero_office import xero_office

pytestmark = pytest.mark.slow
NAME = "O'Brien \\ Sons' & Co"


@pytest.fixture
def at_xero(tmp_path):
    with xero_office(tmp_path, connection={"prepayment_account": "260"}) as made:
        made.mode("auto")
        yield made


def credit_note(made):
    number = made.credit_memo(made.customer(NAME), "55.00", "CN-9")
    return f"CreditNote:{number}", number


def overpayment(made):
    found = made.keeper.overpayment(made.customer(NAME), "55.00", reference="TWICE")
    number = made.tenant.core.papers[found["BankTransactionID"]].credit_id
    return f"Payment:Overpayment:{number}", number


def prepayment(made):
    found = made.keeper.prepayment(made.customer(NAME), "55.00", reference="AHEAD")
    number = made.tenant.core.papers[found["BankTransactionID"]].credit_id
    return f"Payment:Prepayment:{number}", number


def asked(made, ref, amount="-40.00"):
    made.run()
    return actions.ask_refund(made.desk(), [made.part(ref, amount)], "wants it back").decision_id


def shown(made, text, amount="-40.00"):
    made.clock.pass_days(2)
    made.statement(Line(amount, text, "SOMEBODY", on=made.today()))


def left(made, number):
    return made.tenant.core.papers[number].open_cents


@pytest.mark.parametrize("credit", [credit_note, overpayment, prepayment])
def test_a_refund_is_asked_by_one_approved_by_another_and_booked_when_the_bank_shows_it(at_xero, credit):
    ref, number = credit(at_xero)
    decision = asked(at_xero, ref)
    with pytest.raises(NotPermitted):
        actions.approve(at_xero.desk(), decision)
    actions.approve(at_xero.desk("Max"), decision)
    at_xero.run_until_idle()
    assert at_xero.payments() == [], "nothing is booked before the bank shows it"
    shown(at_xero, f"TRANSFER RF-{decision}")
    at_xero.run()
    (payment,) = at_xero.payments()
    assert (payment.paper_id, payment.cents, payment.on) == (number, 40_00, at_xero.today())
    assert payment.account_id == at_xero.keeper.bank()
    assert (left(at_xero, number), at_xero.item(ref).open_minor) == (15_00, -15_00)
    assert at_xero.decision(decision).state == "done"
    assert at_xero.queue() == []
    at_rest(at_xero)


def test_two_credit_notes_given_back_with_one_transfer_are_two_payments(at_xero):
    owner = at_xero.customer(NAME)
    notes = [at_xero.credit_memo(owner, amount, f"CN-{n}") for n, amount in enumerate(("30.00", "25.00"))]
    at_xero.run()
    parts = [at_xero.part(f"CreditNote:{n}", a) for n, a in zip(notes, ("-30.00", "-10.00"), strict=True)]
    decision = actions.ask_refund(at_xero.desk(), parts, "closes the account").decision_id
    actions.approve(at_xero.desk("Max"), decision)
    shown(at_xero, f"RF-{decision}")
    at_xero.run_until_idle()
    assert sorted(one.cents for one in at_xero.payments()) == [10_00, 30_00]
    assert [left(at_xero, one) for one in notes] == [0, 15_00]
    at_rest(at_xero)


@pytest.mark.parametrize("when", ["lost_after_commit", "lost_before_commit"])
def test_a_refund_whose_answer_is_lost_is_booked_once(at_xero, when):
    ref, number = credit_note(at_xero)
    decision = asked(at_xero, ref)
    actions.approve(at_xero.desk("Max"), decision)
    shown(at_xero, f"RF-{decision}")
    at_xero.simulator.faults.add("PUT /Payments", when, times=9)
    at_xero.run()
    at_xero.simulator.faults.clear()
    at_xero.clock.sleep(7 * 60)
    at_xero.run_until_idle()
    assert (len(at_xero.payments()), left(at_xero, number)) == (1, 15_00)
    at_rest(at_xero)


def test_a_credit_that_somebody_used_meanwhile_is_not_refunded_beyond_what_is_left(at_xero):
    ref, number = credit_note(at_xero)
    decision = asked(at_xero, ref)
    actions.approve(at_xero.desk("Max"), decision)
    invoice = at_xero.invoice(at_xero.tenant.core.papers[number].contact_id, "50.00", "INV-7")
    at_xero.keeper.allocate(number, invoice, "50.00")
    shown(at_xero, f"RF-{decision}")
    at_xero.run_until_idle()
    assert (at_xero.payments(), left(at_xero, number)) == ([], 5_00)
    assert at_xero.queue() != []


def test_a_refund_is_undone_by_deleting_its_payment(at_xero):
    ref, number = credit_note(at_xero)
    decision = asked(at_xero, ref)
    actions.approve(at_xero.desk("Max"), decision)
    shown(at_xero, f"RF-{decision}")
    at_xero.run_until_idle()
    actions.undo(at_xero.desk("Max"), decision, "the transfer came back")
    at_xero.run_until_idle()
    assert (at_xero.payments(), left(at_xero, number)) == ([], 55_00)
    assert at_xero.item(ref).open_minor == -55_00
