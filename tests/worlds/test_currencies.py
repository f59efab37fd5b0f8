"""Books in several currencies: proved per control account, never mixed; money in a wrong currency is queued."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

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
