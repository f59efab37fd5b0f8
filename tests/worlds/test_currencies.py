"""Books in several currencies: proved per control account, never mixed; money in a wrong currency is queued."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from arsync.errors import UsageError
from arsync.sync import actions, rates
from tests.worlds.office import Line, Office, make_office


@pytest.fixture
def abroad(platform, tmp_path) -> Iterator[Office]:
    folder = tmp_path / "abroad"
    rates = {"EUR": Decimal("1.25")}
    made = make_office(
        platform, f"sqlite:///{folder}/arsync.sqlite", folder, multicurrency=True, exchange_rates=rates
    )
    yield made
    made.house.store.close()


def test_a_foreign_customer_is_proved_by_the_control_account_of_the_currency(abroad):
    home = abroad.customer("Northwind Traders")
    paris = abroad.customer("Ateliers Réunis SARL", currency="EUR")
    abroad.invoice(home, "250.00", "1001")
    abroad.invoice(paris, "400.00", "1002")
    ran = abroad.run()
    assert (ran.before.state, ran.before.differences) == ("proven", ())
    assert not abroad.run().changed


def test_dollars_never_pay_euros(abroad):
    paris = abroad.customer("Ateliers Réunis SARL", currency="EUR")
    invoice = abroad.invoice(paris, "400.00", "1002")
    abroad.mode("auto")
    abroad.statement(Line("400.00", "INVOICE 1002", "ATELIERS REUNIS SARL"))
    abroad.run()
    assert abroad.balance(invoice) == 400
    assert abroad.receipt().state == "queued"
    assert abroad.queued().reason == "currency mismatch"


def test_home_customers_of_a_multicurrency_company_are_applied_and_proved(abroad):
    home = abroad.customer("Northwind Traders")
    abroad.customer("Ateliers Réunis SARL", currency="EUR")
    invoice = abroad.invoice(home, "250.00", "1001")
    abroad.mode("auto")
    abroad.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    ran = abroad.run()
    assert abroad.balance(invoice) == 0
    assert ran.after.state == "proven"
    abroad.adds_up()


def test_books_that_take_no_exchange_are_asked_for_none(abroad):
    """QuickBooks: what was sent is known, and still a person must book the exchange."""
    paris = abroad.customer("Ateliers Réunis SARL", currency="EUR")
    invoice = abroad.invoice(paris, "400.00", "1002")
    abroad.policy('[match]\nautomatic = ["reference", "one item", "exchange"]\n')
    file = abroad.folder / "rates.csv"
    file.write_text(f"date,currency,rate\n{abroad.today().isoformat()},EUR,1.25\n")
    rates.take(abroad.store, abroad.desk().person, abroad.clock.now, file, "USD")
    abroad.mode("auto")
    abroad.statement(Line("498.00", "INVOICE 1002", "ATELIERS REUNIS SARL", on=abroad.today()))
    abroad.run()
    row = abroad.queued()
    assert (row.reason, row.preferred) == ("currency mismatch", False)
    assert row.detail.startswith("the books take no USD for items in EUR: invoice 1001: EUR 400.00")
    with pytest.raises(UsageError, match="take no money in another currency"):
        actions.accept(abroad.desk(), row.id)
    assert abroad.balance(invoice) == 400
    assert not abroad.run().changed
