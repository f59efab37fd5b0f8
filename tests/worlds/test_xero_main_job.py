"""Cash application on Xero, from bank file to books and back."""

import pytest

from tests.worlds.office import Line
from tests.worlds.xero_office import xero_office


@pytest.fixture
def at_xero(tmp_path):
    with xero_office(tmp_path) as made:
        made.mode("auto")
        yield made


def test_one_invoice_is_paid_by_one_payment_and_a_second_run_writes_nothing(at_xero):
    customer = at_xero.customer("O'Brien \\ Sons' & Co")
    invoice = at_xero.invoice(customer, "120.00", "INV-1001")
    at_xero.statement(Line("120.00", "INV-1001", payer="OBRIEN SONS"))
    ran = at_xero.run()
    assert ran.written.confirmed == 1
    assert at_xero.balance(invoice) == 0
    assert len(at_xero.payments()) == 1
    at_xero.run_until_idle()
    before = at_xero.rows()
    at_xero.run()
    assert at_xero.changed_rows(before) == set()
    at_xero.adds_up()
    at_xero.agrees()
