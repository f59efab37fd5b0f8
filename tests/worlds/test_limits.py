"""What a policy forbids is left to a person, whatever the evidence."""

import pytest

from arsync.store.office import policy_in_force
from tests.worlds.office import Line

pytestmark = pytest.mark.slow
GIVING = '[match.small_difference]\nUSD = "1.00"\n'


@pytest.fixture
def office(quick_office):
    office = quick_office
    office.northwind = office.customer("Northwind Traders")
    with office.store.read() as conn:
        office.mapped = policy_in_force(conn, office.ledger.id).text.replace(
            "[match]", "[match]\nthreshold = 0.5"
        )
    office.mode("auto")
    return office


def pay(office, *cents_short):
    """An invoice of 100.00 for each, paid so many cents short."""
    lines = []
    for number, short in enumerate(cents_short, 1_001):
        office.invoice(office.northwind, "100.00", str(number), days_ago=5)
        lines.append(Line(f"{(10_000 - short) / 100:.2f}", f"INVOICE {number}", "NORTHWIND TRADERS"))
    office.statement(*lines)


def states(office):
    return [row.state for row in office.receipts()]


def test_a_year_has_a_limit_for_what_is_given_up_for_a_customer(office):
    office.policy(office.mapped + GIVING + '[match.given_up_a_year]\nUSD = "1.00"\n')
    pay(office, 60, 30, 20)
    office.run_until_idle()
    assert states(office) == ["applied", "applied", "queued"]
    assert [row.reason for row in office.queue()] == ["confirmation"]
    before = office.rows()
    office.run()
    assert office.changed_rows(before) == set()


def test_without_a_limit_all_are_given_up(office):
    office.policy(office.mapped + GIVING)
    pay(office, 60, 30, 20)
    office.run_until_idle()
    assert states(office) == ["applied"] * 3


def test_no_money_of_a_customer_is_accepted_that_the_policy_names(office):
    office.policy('[do_not_accept]\ncustomers = ["Northwind Traders"]\n')
    pay(office, 0)
    office.run_until_idle()
    assert [row.reason for row in office.queue()] == ["do not accept"]
    assert office.payments() == []
