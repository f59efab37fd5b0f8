"""What people of the books see of arsync on Xero, and what Xero tells arsync of its own habits."""

import pytest

from arsync.sync.health import ledger_checks
from tests.worlds.office import Line
from tests.worlds.xero_office import POLICY, xero_office


@pytest.fixture
def at_xero(tmp_path):
    with xero_office(tmp_path, reminders=True) as made:
        yield made


def notes(at_xero, invoice):
    """What arsync has said on an invoice, oldest first."""
    said = at_xero.tenant.core.history.get(invoice, ())
    return [one.details for one in said if one.details.startswith("arsync: ")]


def in_review(at_xero):
    invoice = at_xero.invoice(at_xero.customer("O'Brien \\ Sons' & Co"), "120.00", "INV-1001")
    at_xero.statement(Line("120.00", "INV-1001", payer="OBRIEN SONS"))
    at_xero.run_until_idle()
    return invoice


def test_nothing_is_said_on_an_invoice_unless_the_policy_says_so(at_xero):
    assert notes(at_xero, in_review(at_xero)) == []


def test_the_history_of_an_invoice_says_what_is_under_way_and_when_it_is_over(at_xero):
    at_xero.policy(POLICY + '\n[write_back]\nstate = "note"\n')
    invoice = in_review(at_xero)
    (item,) = at_xero.queue()
    assert notes(at_xero, invoice) == [f"arsync: payment in review, Q-{item.id}"]
    calls = len(at_xero.calls("PUT"))
    at_xero.run_until_idle()
    assert len(at_xero.calls("PUT")) == calls, "what has been said is not said again"
    at_xero.mode("auto")
    at_xero.clock.sleep(60)
    at_xero.run_until_idle()
    assert notes(at_xero, invoice)[-1] == "arsync: nothing pending"
    at_xero.agrees()


def test_a_note_whose_answer_is_lost_is_said_once(at_xero):
    at_xero.policy(POLICY + '\n[write_back]\nstate = "note"\n')
    at_xero.simulator.faults.add("PUT /Invoices", "lost_after_commit")
    invoice = in_review(at_xero)
    assert len(notes(at_xero, invoice)) == 1
    at_xero.agrees()


def test_doctor_warns_where_xero_reminds_customers_by_itself(at_xero):
    at_xero.run()
    said = [check for check in ledger_checks(at_xero.house, at_xero.ledger) if "reminders" in check.what]
    assert [(check.state, check.do) for check in said] == [("warn", "in the company's settings")]
