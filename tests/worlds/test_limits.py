"""What a policy forbids is left to a person, whatever the evidence."""

import pytest

from arsync.errors import NotPermitted
from arsync.store import queries
from arsync.store.office import policy_in_force
from arsync.sync import actions
from arsync.sync.health import ledger_checks
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


def test_doctor_tells_a_name_that_the_books_do_not_have(office):
    """It protects from nobody: misspelt, or renamed in the books since."""

    def said():
        return [one for one in ledger_checks(office.house, office.ledger) if "do_not_accept" in one.what]

    office.run()
    office.policy('[do_not_accept]\ncustomers = ["Northwind Traders", "O\'Brien & Co"]\n')
    (check,) = said()
    assert (check.state, "O'Brien & Co" in check.what, "Northwind" in check.what) == ("warn", True, False)
    office.policy('[do_not_accept]\ncustomers = ["Northwind Traders"]\n')
    assert said() == []


def test_no_money_of_a_customer_is_accepted_that_the_policy_names(office):
    office.policy('[do_not_accept]\ncustomers = ["Northwind Traders"]\n')
    pay(office, 0)
    office.run_until_idle()
    assert [row.reason for row in office.queue()] == ["do not accept"]
    assert office.payments() == []


MONTH = '[write_off_a_month]\nUSD = "40.00"\n'


def give_up(office, name, amount):
    """Write off so much of an invoice that is open, as somebody."""
    with office.store.read() as conn:
        item = queries.find_item(conn, office.ledger.id, "1001")
    return actions.write_off(
        office.desk(name), item.id, "write-off", int(amount.replace(".", "")), "an old debt"
    )


@pytest.fixture
def owing(office):
    office.policy(office.mapped + MONTH)
    office.invoice(office.northwind, "900.00", "1001", days_ago=5)
    office.run()
    return office


def test_what_one_person_gives_up_alone_has_a_limit_for_the_month(owing):
    give_up(owing, "Cleo", "25.00")
    owing.run_until_idle()
    with pytest.raises(NotPermitted) as refused:
        give_up(owing, "Cleo", "15.01")
    assert refused.value.what == (
        "Cleo has given up USD 25.00 alone in 2026-11, of USD 40.00: USD 15.01 more is over the limit"
    )
    assert "Ada, Max, Mia" in refused.value.do
    assert give_up(owing, "Cleo", "15.00").state == "planned"
    owing.run_until_idle()
    owing.adds_up()


def test_who_may_approve_is_asked_for_a_second_person_beyond_the_limit(owing):
    give_up(owing, "Max", "25.00")
    over = give_up(owing, "Max", "20.00")
    assert over.state == "asked"
    with pytest.raises(NotPermitted, match="a second person"):
        actions.approve(owing.desk("Max"), over.decision_id)
    actions.approve(owing.desk("Mia"), over.decision_id)
    assert owing.decision(over.decision_id).approved_by == "Mia"
    owing.run_until_idle()


def test_what_a_second_person_approved_what_was_undone_and_last_month_count_not(owing):
    approved = give_up(owing, "Cleo", "30.00")  # more than a clerk may at once
    assert approved.state == "asked"
    actions.approve(owing.desk("Max"), approved.decision_id)
    undone = give_up(owing, "Cleo", "25.00")
    actions.undo(owing.desk(), undone.decision_id, "a slip")
    assert give_up(owing, "Cleo", "25.00").state == "planned"
    owing.run_until_idle()
    with pytest.raises(NotPermitted):
        give_up(owing, "Cleo", "25.00")
    owing.clock.pass_days(20)
    assert give_up(owing, "Cleo", "25.00").state == "planned"


def test_a_small_difference_a_clerk_accepts_counts(office):
    office.policy(office.mapped + GIVING + '[write_off_a_month]\nUSD = "1.00"\n')
    office.mode("propose")
    pay(office, 60, 60)
    office.run()
    first, second = [q for q in office.queue() if q.subject.startswith("receipt:")]
    assert actions.accept(office.desk(), first.id).state == "planned"
    with pytest.raises(NotPermitted, match=r"USD 0\.60 alone"):
        actions.accept(office.desk(), second.id)
    assert [q.id for q in office.queue()] == [second.id]
