"""Money of unknown payers at a month end: left alone, or booked to a waiting account, as the policy says."""

from datetime import date
from decimal import Decimal

import pytest

from arsync.store import tables
from arsync.sync import actions
from tests.worlds.office import Line, Office

LATE = date(2026, 11, 18)


@pytest.fixture
def waiting(office: Office) -> str:
    """The platform's account for money nobody can identify yet, and a bank account that is mirrored there."""
    account = office.keeper.create_account(
        "Unidentified receipts", "Other Current Asset", "OtherCurrentAssets"
    )
    with office.store.begin() as conn:
        conn.execute(tables.bank_account.update().values(deposit_account=office.keeper.account("checking")))
    return str(account["Id"])


def book_at_period_end(office: Office, account: str) -> None:
    office.policy(f'[unidentified]\nat_period_end = "book"\naccount = "{account}"\n')


def standing(office: Office, account: str) -> Decimal:
    return Decimal(str(office.keeper.get("Account", account)["CurrentBalance"]))


def deposits(office: Office) -> list[str]:
    return [str(d["TotalAmt"]) for d in office.keeper.all("Deposit")]


@pytest.mark.parametrize(
    ("policy", "days", "booked"),
    [
        pytest.param("leave", 15, [], id="the careful default leaves it in the queue"),
        pytest.param("book", 0, [], id="before the month has ended nothing is booked"),
        pytest.param("book", 15, ["77.10"], id="once the month has ended it goes to the waiting account"),
    ],
)
def test_at_period_end(office, waiting, policy, days, booked):
    office.mode("auto")
    if policy == "book":
        book_at_period_end(office, waiting)
    office.statement(Line("77.10", "WIRE 88712", "NOBODY KNOWS LLC", on=LATE))
    office.run()
    office.clock.pass_days(days)
    office.run()
    assert deposits(office) == booked
    assert office.queued().reason == "unknown payer"
    assert office.receipt().state == "queued"
    office.adds_up()
    office.agrees()
    before = office.rows()
    assert not office.run().changed
    assert office.changed_rows(before) == set()


def test_in_observe_nothing_is_booked(office, waiting):
    office.mode("observe")
    book_at_period_end(office, waiting)
    office.statement(Line("77.10", "WIRE 88712", "NOBODY KNOWS LLC", on=LATE))
    office.run()
    office.clock.pass_days(15)
    office.run()
    assert deposits(office) == []


def test_when_the_payer_is_found_the_waiting_account_is_emptied_and_the_bank_stays_as_it_was(office, waiting):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "77.10", "1001")
    office.mode("auto")
    book_at_period_end(office, waiting)
    office.statement(Line("77.10", "WIRE 88712", "NOBODY KNOWS LLC", on=LATE))
    office.run()
    office.clock.pass_days(15)
    office.run()
    assert abs(standing(office, waiting)) == Decimal("77.10")
    bank = standing(office, office.keeper.account("checking"))
    queued = office.queued()
    actions.apply(office.desk(), queued.id, [office.part(f"Invoice:{invoice}", "77.10")])
    office.run()
    assert office.balance(invoice) == 0
    assert standing(office, waiting) == 0
    assert standing(office, office.keeper.account("checking")) == bank
    assert deposits(office) == ["77.10"]
    office.adds_up()
    office.agrees()


def test_a_lost_answer_while_parking_books_it_once(office, waiting):
    office.mode("auto")
    book_at_period_end(office, waiting)
    office.statement(Line("77.10", "WIRE 88712", "NOBODY KNOWS LLC", on=LATE))
    office.run()
    office.clock.pass_days(15)
    office.simulator.faults.add("POST /deposit", "lost_after_commit", times=9)
    office.run()
    office.simulator.faults.clear()
    office.run_until_idle()
    assert deposits(office) == ["77.10"]
    office.agrees()
