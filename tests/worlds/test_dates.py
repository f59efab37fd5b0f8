"""Month ends and other days: documents dated ahead, runs as a month ends, a company in another time zone."""

from datetime import UTC, datetime, timedelta

import pytest

from arsync.connectors.contract import Tokens
from arsync.sync import connect
from tests.worlds.office import REALM, Line, Office


def sign_in_again(office: Office) -> None:
    """Consent given at the test's own date: a refresh token lives a hundred days."""
    access, refresh = office.simulator.grant(REALM)
    until = office.clock.now_is + timedelta(hours=1)
    connect.keep_tokens(office.house, office.ledger.connection_id, Tokens(access, refresh, until))


def test_an_invoice_dated_next_month_is_no_difference(quick_office):
    office = quick_office
    customer = office.customer("Northwind Traders")
    office.invoice(customer, "250.00", "1001", days_ago=-20)
    ran = office.run()
    assert (ran.before.state, ran.before.differences) == ("proven", ())
    assert not office.run().changed


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC), id="ten seconds before a month ends"),
        pytest.param(datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC), id="ten seconds before a year ends"),
        pytest.param(datetime(2028, 2, 29, 12, 0, 0, tzinfo=UTC), id="a leap day"),
        pytest.param(
            datetime(2027, 3, 14, 9, 59, 58, tzinfo=UTC), id="the second the clocks of California go forward"
        ),
        pytest.param(
            datetime(2026, 11, 1, 8, 59, 58, tzinfo=UTC), id="the hour the clocks of California go back"
        ),
    ],
)
def test_the_main_job_on_an_awkward_day(quick_office, now):
    office = quick_office
    office.clock.now_is = now
    sign_in_again(office)
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001", days_ago=3)
    office.mode("auto")
    office.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS", on=office.today()))
    ran = office.run()
    assert office.balance(invoice) == 0
    assert (ran.settled.verified, ran.after.state) == (1, "proven")
    office.clock.now_is = office.clock.now_is.replace(microsecond=0)
    office.run_until_idle()
    assert len(office.payments()) == 1
    office.adds_up()
    office.agrees()
