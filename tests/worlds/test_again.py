"""Only what is new is matched, and what a run says of a receipt is what the next one says."""

import pytest

from arsync.sync import actions
from tests.worlds.office import Line

pytestmark = pytest.mark.slow


@pytest.fixture
def office(quick_office):
    """Two customers whose money waits for a person: a part of an invoice each."""
    office = quick_office
    office.payers = {
        name: office.customer(name) for name in ("Northwind Traders", "Marlow Paper", "Harbor Foods")
    }
    office.invoice(office.payers["Northwind Traders"], "250.00", "1001")
    office.invoice(office.payers["Marlow Paper"], "250.00", "2001")
    office.mode("auto")
    lines = [
        Line("100.00", "INVOICE 1001", "NORTHWIND TRADERS"),
        Line("90.00", "INVOICE 2001", "MARLOW PAPER"),
    ]
    office.statement(*lines)
    office.run()
    assert len(office.queue()) == 2
    return office


def given(ran):
    """The payers of the receipts that each round of a run's match looked at."""
    return [[row.payer_name for row in one.receipts] for one in ran.decided.outcome.given]


def test_when_nothing_happened_nothing_is_matched_and_nothing_is_written(office):
    before = office.rows()
    assert given(office.run()) == []
    assert office.changed_rows(before) == set()


def test_a_new_invoice_is_matched_with_the_money_of_its_customer_alone(office):
    office.invoice(office.payers["Marlow Paper"], "90.00", "2002", days_ago=3)
    assert given(office.run()) == [["MARLOW PAPER"]]
    office.invoice(office.payers["Harbor Foods"], "90.00", "3001", days_ago=3)
    assert given(office.run()) == []


def test_a_policy_and_a_customer_may_touch_everything_and_a_new_day_nothing(office):
    both = [["NORTHWIND TRADERS", "MARLOW PAPER"]]
    office.policy('[match]\nautomatic = ["reference"]\n')
    assert given(office.run()) == both
    office.clock.pass_days(1)
    assert given(office.run()) == []
    office.customer("Marlow Papers")
    assert given(office.run()) == both
    assert given(office.run()) == []


def test_what_a_person_decides_is_matched_no_more(office):
    (queued,) = [row for row in office.queue() if row.amount_minor == 10_000]
    actions.not_ours(office.desk(), queued.id, "a transfer")
    assert given(office.run()) == []
    assert len(office.queue()) == 1


def test_a_new_line_is_matched_with_what_it_may_compete_with(office):
    """Here that is more than half of everything, and then everything is matched."""
    office.statement(Line("150.00", "INVOICE 1001 REST", "NORTHWIND TRADERS"))
    assert given(office.run()) == [["NORTHWIND TRADERS", "MARLOW PAPER", "NORTHWIND TRADERS"]]
    assert given(office.run()) == []
    assert len(office.queue()) == 3
