"""Money in another currency than the invoices: a clerk says what it pays, the bank's amount makes the rate.

With rates on file it finds its invoices by itself, and is booked as the clerk would book it.
"""

from datetime import timedelta

import pytest

from arsync.errors import Conflict, UsageError
from arsync.sync import actions, rates
from tests.worlds.office import Line
from tests.worlds.xero_office import POLICY, xero_office

pytestmark = pytest.mark.slow
NAME = "Ateliers Reunis d'O'Brien"


@pytest.fixture
def abroad(tmp_path):
    with xero_office(tmp_path, currencies=("EUR",), rates={"EUR": "0.9137"}) as made:
        made.mode("auto")
        yield made


def owed(made, *amounts):
    owner = made.customer(NAME)
    return [made.invoice(owner, size, f"INV-{n}", currency="EUR") for n, size in enumerate(amounts, 1)]


def arrived(made, amount="109.47", text="INV-1"):
    made.statement(Line(amount, text, NAME.upper(), on=made.today()))
    made.run()
    row = made.queued()
    assert row.reason == "currency mismatch"
    return row


def parts(made, invoices, *amounts):
    return [made.part(f"Invoice:{i}", a) for i, a in zip(invoices, amounts, strict=True)]


def gains(made):
    """What Xero has booked as realised currency gain or loss."""
    core = made.tenant.core
    return core.ledger.balances[core.system("REALISEDCURRENCYGAIN").id]


def at_rest(made):
    made.run_until_idle()
    made.agrees()
    before = made.rows()
    assert not made.run().changed
    assert made.changed_rows(before) == set()


def test_a_clerk_applies_dollars_to_an_invoice_in_euro_with_the_amount_of_the_bank(abroad):
    invoices = owed(abroad, "100.01")
    row = arrived(abroad)
    acted = actions.apply(abroad.desk(), row.id, parts(abroad, invoices, "100.01"))
    assert "USD 109.47 is EUR 100.01: 1 EUR at 1.094591 USD" in acted.text
    abroad.run()
    (payment,) = abroad.payments()
    assert (payment.cents, payment.bank_cents, payment.account_id) == (100_01, 109_47, abroad.keeper.bank())
    assert abroad.balance(invoices[0]) == 0
    assert gains(abroad) != 0, "the difference of rates is Xero's own entry"
    assert [r.state for r in abroad.receipts()] == ["applied"]
    assert abroad.queue() == []
    at_rest(abroad)


def test_several_invoices_share_the_banks_amount_to_the_cent(abroad):
    invoices = owed(abroad, "33.33", "33.33", "33.34")
    row = arrived(abroad, "109.46", "INV-1 INV-2 INV-3")
    actions.apply(abroad.desk(), row.id, parts(abroad, invoices, "33.33", "33.33", "33.34"))
    abroad.run()
    shares = sorted((one.cents, one.bank_cents) for one in abroad.payments())
    assert [cents for cents, _ in shares] == [33_33, 33_33, 33_34]
    assert sum(bank for _, bank in shares) == 109_46
    assert [abroad.balance(one) for one in invoices] == [0, 0, 0]
    at_rest(abroad)


def test_a_part_of_an_invoice_is_paid_and_the_rest_stays_open_in_its_own_currency(abroad):
    invoices = owed(abroad, "100.00")
    row = arrived(abroad, "54.73")
    actions.apply(abroad.desk(), row.id, parts(abroad, invoices, "50.00"))
    abroad.run()
    assert abroad.balance(invoices[0]) == 50
    assert abroad.item(f"Invoice:{invoices[0]}").open_minor == 50_00
    at_rest(abroad)


def test_an_answer_that_is_lost_books_nothing_twice(abroad):
    invoices = owed(abroad, "50.00", "50.00")
    row = arrived(abroad, "109.46", "INV-1 INV-2")
    actions.apply(abroad.desk(), row.id, parts(abroad, invoices, "50.00", "50.00"))
    abroad.simulator.faults.add("PUT /Payments", "lost_after_commit", times=9)
    abroad.run()
    abroad.simulator.faults.clear()
    abroad.clock.sleep(7 * 60)
    abroad.run_until_idle()
    assert sorted(one.bank_cents for one in abroad.payments()) == [54_73, 54_73]
    at_rest(abroad)


def test_it_is_undone_like_any_other(abroad):
    invoices = owed(abroad, "100.00")
    row = arrived(abroad)
    acted = actions.apply(abroad.desk(), row.id, parts(abroad, invoices, "100.00"))
    abroad.run_until_idle()
    actions.undo(abroad.desk(), acted.decision_id, "wrong invoice")
    abroad.run_until_idle()
    assert (abroad.payments(), abroad.balance(invoices[0])) == ([], 100)
    assert abroad.queued().receipt_id == abroad.receipt().id


def test_what_cannot_be_exchanged_is_refused_with_what_to_do(abroad):
    euro = owed(abroad, "100.00")
    home = [abroad.invoice(abroad.customer("Home"), "5.00", "INV-9")]
    row = arrived(abroad)
    with pytest.raises(UsageError, match="leaves no rest"):
        actions.apply(abroad.desk(), row.id, parts(abroad, euro, "100.00"), rest_on_account=True)
    with pytest.raises(UsageError, match="cannot settle"):
        actions.apply(abroad.desk(), row.id, parts(abroad, euro, "-1.00"))
    with pytest.raises(Conflict):
        actions.apply(abroad.desk(), row.id, parts(abroad, euro, "100.01"))
    with pytest.raises(UsageError):
        actions.apply(abroad.desk(), row.id, parts(abroad, [*euro, *home], "100.00", "5.00"))
    assert abroad.queued().id == row.id


# ---- with rates on file


ALONE = POLICY.replace('"balance"]', '"balance", "exchange"]')


def published(made, value="1.0975", *, days_ago=0, currency="EUR"):
    """A rate to the dollar, as a person imports it."""
    on = made.today() - timedelta(days=days_ago)
    file = made.folder / "rates.csv"
    file.write_text(f"date,currency,rate\n{on.isoformat()},{currency},{value}\n")
    return rates.take(made.store, made.desk().person, made.clock.now, file, "USD")


def test_a_receipt_that_names_an_invoice_in_euro_is_booked_at_the_banks_amount(abroad):
    abroad.policy(ALONE)
    invoices = owed(abroad, "100.01")
    published(abroad)
    abroad.statement(Line("109.47", "INV-1", NAME.upper(), on=abroad.today()))
    abroad.run()
    (payment,) = abroad.payments()
    assert (payment.cents, payment.bank_cents, payment.account_id) == (100_01, 109_47, abroad.keeper.bank())
    assert abroad.balance(invoices[0]) == 0
    assert gains(abroad) != 0, "the difference of rates is Xero's own entry"
    assert [r.state for r in abroad.receipts()] == ["applied"]
    made = abroad.decision(abroad.receipt().decision_id)
    assert (made.decided_by, made.evidence_class) == ("engine", "exchange")
    assert "at the rate of" in made.why
    at_rest(abroad)


def test_it_is_booked_exactly_as_a_clerk_books_it(abroad, tmp_path):
    def books(made, automatic):
        owed(made, "33.33", "33.33", "33.34")
        if automatic:
            made.policy(ALONE)
            published(made)
        made.statement(Line("109.46", "INV-1 INV-2 INV-3", NAME.upper(), on=made.today()))
        made.run()
        if not automatic:
            invoices = [i for i, paper in made.tenant.core.papers.items() if paper.kind == "Invoice"]
            pays = [str(made.balance(i)) for i in invoices]
            actions.apply(made.desk(), made.queued().id, parts(made, invoices, *pays))
        made.run_until_idle()
        return sorted((p.cents, p.bank_cents, p.on, p.status) for p in made.payments())

    with xero_office(tmp_path / "by hand", currencies=("EUR",), rates={"EUR": "0.9137"}) as other:
        other.mode("auto")
        by_hand = books(other, automatic=False)
    assert books(abroad, automatic=True) == by_hand
    assert sum(bank for _, bank, *_ in by_hand) == 109_46


def test_a_late_rate_brings_back_a_receipt_that_waits(abroad):
    abroad.policy(ALONE)
    invoices = owed(abroad, "100.00")
    row = arrived(abroad, "109.00")
    assert "no rate of EUR" in row.detail
    assert not abroad.run().changed
    published(abroad, "1.3000")
    abroad.run()
    assert abroad.balance(invoices[0]) == 100, "a rate that does not fit"
    made = published(abroad)
    assert (made.new, made.corrected) == (0, 1)
    abroad.run_until_idle()
    assert abroad.balance(invoices[0]) == 0
    assert abroad.queue() == []
    at_rest(abroad)


def test_without_the_class_in_the_policy_it_is_proposed_and_accepted_with_one_word(abroad):
    invoices = owed(abroad, "100.00")
    published(abroad)
    abroad.statement(Line("109.00", "INV-1", NAME.upper(), on=abroad.today()))
    abroad.run()
    row = abroad.queued()
    assert (row.reason, row.preferred) == ("confirmation", True)
    assert abroad.balance(invoices[0]) == 100
    actions.accept(abroad.desk(), row.id)
    abroad.run_until_idle()
    assert abroad.balance(invoices[0]) == 0
    (payment,) = abroad.payments()
    assert (payment.cents, payment.bank_cents) == (100_00, 109_00)
    at_rest(abroad)


def test_more_than_the_items_is_suggested_and_cannot_be_accepted(abroad):
    abroad.policy(ALONE)
    owed(abroad, "100.00")
    published(abroad)
    abroad.statement(Line("131.00", "INV-1 EUR 120.00", NAME.upper(), on=abroad.today()))
    abroad.run()
    row = abroad.queued()
    with pytest.raises(UsageError, match="cannot stay on account"):
        actions.accept(abroad.desk(), row.id)
    assert abroad.queued().id == row.id


def test_what_was_applied_by_itself_is_undone_like_any_other(abroad):
    abroad.policy(ALONE)
    invoices = owed(abroad, "100.00")
    published(abroad)
    abroad.statement(Line("109.00", "INV-1", NAME.upper(), on=abroad.today()))
    abroad.run_until_idle()
    actions.undo(abroad.desk(), abroad.receipt().decision_id, "wrong invoice")
    abroad.run_until_idle()
    assert (abroad.payments(), abroad.balance(invoices[0])) == ([], 100)
