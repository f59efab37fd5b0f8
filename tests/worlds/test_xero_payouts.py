"""A payout on Xero: its payments stand in full in a clearing account, fee and transfer leave nothing there."""

import json
from decimal import Decimal

import pytest

from arsync.core.policy import BookedAs
from arsync.errors import UsageError
from arsync.store import office
from arsync.store.receipts import Share
from arsync.sync import actions, connect
from arsync.sync.deposits import deposit_of
from tests.worlds.office import Line
from tests.worlds.test_write_back import at_rest, map_to
from tests.worlds.xero_office import settings, xero_office

pytestmark = pytest.mark.slow
CLEARING, FEES = "095", "404"


def with_fees(made):
    account = made.tenant.core.account_by_code(FEES).id
    map_to(made, "fee", BookedAs(None, account=account))


SHARES = [
    Share(10000, ("INVOICE 1001",), "O'BRIEN \\ SONS' & CO"),
    Share(5000, ("INVOICE 1002",), "ACME CORPORATION"),
]


@pytest.fixture
def at_xero(tmp_path):
    with xero_office(tmp_path, connection={"clearing_account": CLEARING}) as made:
        made.keeper.bank_account("Stripe clearing", CLEARING)
        made.mode("auto")
        made.run()
        with_fees(made)
        yield made


def standing(made, code):
    """What is on an account of the organisation, by its code."""
    core = made.tenant.core
    return Decimal(core.ledger.balances[core.account_by_code(code).id]) / 100


def transfers(made):
    return [one for one in made.tenant.core.transfers.values() if one.status == "AUTHORISED"]


def fees(made):
    return [
        one for one in made.papers("BankTransaction") if (one.type, one.status) == ("SPEND", "AUTHORISED")
    ]


def paid_out(made, net="145.50", fee=450, shares=SHARES):
    """Two invoices, and a payout that a clerk takes apart."""
    owners = (("O'Brien \\ Sons' & Co", "100.00", "1001"), ("Acme Corporation", "50.00", "1002"))
    invoices = [made.invoice(made.customer(name), amount, number) for name, amount, number in owners]
    made.statement(Line(net, "STRIPE PAYOUT PO-77", "STRIPE", on=made.today()))
    made.run()
    actions.split(made.desk(), made.queued().id, shares, fee)
    return invoices


def test_a_payout_leaves_nothing_in_the_clearing_account_and_its_net_is_one_transfer_to_the_bank(at_xero):
    bank, cost = standing(at_xero, "090"), standing(at_xero, FEES)
    invoices = paid_out(at_xero)
    at_xero.run_until_idle()
    assert [at_xero.balance(one) for one in invoices] == [0, 0]
    (transfer,), (fee,) = transfers(at_xero), fees(at_xero)
    assert (transfer.cents, transfer.to_id, transfer.on) == (145_50, at_xero.keeper.bank(), at_xero.today())
    assert (fee.total_cents, at_xero.tenant.core.contacts[fee.contact_id].name) == (4_50, "Payouts")
    assert standing(at_xero, CLEARING) == 0
    assert standing(at_xero, "090") == bank + Decimal("145.50")
    assert standing(at_xero, FEES) == cost + Decimal("4.50")
    assert at_xero.queue() == []
    at_rest(at_xero)


def test_a_deposit_without_a_fee_is_a_transfer_alone(at_xero):
    paid_out(at_xero, "150.00", 0)
    at_xero.run_until_idle()
    assert ([one.cents for one in transfers(at_xero)], fees(at_xero)) == ([150_00], [])
    assert standing(at_xero, CLEARING) == 0
    at_rest(at_xero)


def test_a_part_that_is_left_on_account_waits_in_the_clearing_account_too(at_xero):
    owner = at_xero.customer("Contoso")
    paid_out(at_xero, shares=[SHARES[0], Share(5000, ("NO IDEA",), "")])
    at_xero.run_until_idle()
    assert (transfers(at_xero), standing(at_xero, CLEARING)) == ([], 100), "one part is not decided yet"
    actions.on_account(at_xero.desk(), at_xero.queued().id, at_xero.customer_id(owner))
    at_xero.run_until_idle()
    assert ([one.cents for one in transfers(at_xero)], standing(at_xero, CLEARING)) == ([145_50], 0)
    at_rest(at_xero)


@pytest.mark.parametrize("lost", ["PUT /BankTransactions", "PUT /BankTransfers"])
@pytest.mark.parametrize("when", ["lost_after_commit", "lost_before_commit"])
def test_an_answer_that_is_lost_on_the_way_books_nothing_twice(at_xero, lost, when):
    paid_out(at_xero)
    at_xero.simulator.faults.add(lost, when, times=9)
    at_xero.run()
    at_xero.simulator.faults.clear()
    at_xero.clock.sleep(7 * 60)
    at_xero.run_until_idle(8)
    assert ([one.cents for one in transfers(at_xero)], [one.total_cents for one in fees(at_xero)]) == (
        [145_50],
        [4_50],
    )
    assert standing(at_xero, CLEARING) == 0
    at_rest(at_xero)


def test_a_transfer_that_somebody_made_by_hand_is_not_made_again(at_xero):
    paid_out(at_xero, "150.00", 0)
    core, on = at_xero.tenant.core, at_xero.today().isoformat()
    clearing = core.account_by_code(CLEARING).id
    at_xero.keeper.transfer(clearing, at_xero.keeper.bank(), "150.00", date=on)
    at_xero.run_until_idle(8)
    assert len(transfers(at_xero)) == 1
    (ask,) = [row for row in at_xero.queue() if row.subject.startswith("deposit:")]
    assert "brought the same amount there that day" in ask.detail


def test_a_payment_moved_out_of_the_clearing_account_stops_the_payout(at_xero):
    paid_out(at_xero, shares=[SHARES[0], Share(5000, ("NO IDEA",), "")])
    at_xero.run_until_idle()
    (payment,) = at_xero.payments()
    at_xero.keeper.delete_payment(payment.id)
    at_xero.run()
    assert transfers(at_xero) == []


def test_payments_reconciled_with_the_processors_own_feed_are_paid_out_all_the_same(at_xero):
    owner = at_xero.customer("Contoso")
    paid_out(at_xero, shares=[SHARES[0], Share(5000, ("NO IDEA",), "")])
    at_xero.run_until_idle()
    (payment,) = at_xero.payments()
    at_xero.keeper.reconcile(payment.id)
    at_xero.run()
    actions.on_account(at_xero.desk(), at_xero.queued().id, at_xero.customer_id(owner))
    at_xero.run_until_idle()
    assert ([one.cents for one in transfers(at_xero)], standing(at_xero, CLEARING)) == ([145_50], 0)


def test_without_a_clearing_account_a_person_is_told_what_to_set(tmp_path):
    with xero_office(tmp_path) as made:
        made.mode("auto")
        paid_out(made)
        made.run()
        asked = made.queue("unmapped adjustment")
        assert {"arsync connect xero --clearing-account CODE" in row.detail for row in asked} == {True}
        assert made.payments() == []


def test_a_payout_whose_fee_is_mapped_to_nothing_is_asked_for_before_anything_moves(tmp_path):
    with xero_office(tmp_path, connection={"clearing_account": CLEARING}) as made:
        made.keeper.bank_account("Stripe clearing", CLEARING)
        made.mode("auto")
        paid_out(made)
        made.run_until_idle()
        (ask,) = made.queue("unmapped adjustment")
        assert "arsync adjustments map fee" in ask.detail
        assert (transfers(made), fees(made)) == ([], [])
        with_fees(made)
        actions.resolve(made.desk(), ask.id, "mapped")
        made.run_until_idle()
        assert standing(made, CLEARING) == 0


def test_a_payout_is_taken_back_by_a_person_who_is_told_what_to_delete(at_xero):
    paid_out(at_xero)
    at_xero.run_until_idle()
    with at_xero.store.read() as conn:
        line = at_xero.receipts()[0].bank_line_id
        deposit = deposit_of(conn, at_xero.ledger.id, line)
    actions.undo(at_xero.desk(), deposit.id, "wrong bank account")
    at_xero.run_until_idle()
    (row,) = [q for q in at_xero.queue() if "a person takes a payout back" in q.detail]
    assert "Spend:" in row.detail
    assert len(transfers(at_xero)) == 1


def test_parts_that_are_not_the_line_are_refused(at_xero):
    with pytest.raises(UsageError, match="must be"):
        paid_out(at_xero, fee=0)


def test_signing_in_again_keeps_the_accounts_that_were_named_once(at_xero):
    ada = at_xero.desk("Ada").person

    def kept(**said):
        given = settings(at_xero.url, at_xero.tenant_id, **said)
        number = connect.add_connection(at_xero.house, "xero", None, given, ada)
        with at_xero.store.read() as conn:
            stored = json.loads(office.connection_row(conn, number).settings)
        return stored["clearing_account"], stored["returns_account"], stored["scopes"]

    usual = kept()[2]
    assert kept() == (CLEARING, "", usual)
    assert kept(returns_account="260") == (CLEARING, "260", usual)
    assert kept(clearing_account="096", scopes="accounting.contacts.read") == (
        "096",
        "260",
        "accounting.contacts.read",
    )
    assert kept() == ("096", "260", usual)
