"""Trouble on the wire at every write: lost answers, throttles, pages of proxies. Each payment is booked once."""

import pytest

from arsync.errors import ConsentLost, Garbled, PlatformBusy, PlatformRefused, Throttled
from arsync.sync import actions, connect
from tests.worlds.office import Line

pytestmark = pytest.mark.slow
LOST = ["lost_before_commit", "lost_after_commit", "reset_mid_body", "truncated_body"]
BUSY = ["status_429", "xml_429", "status_403", "status_500", "status_500_after_commit", "html_503", "empty_504",
        "empty_504_after_commit", "fault_in_200", "status_401"]  # fmt: skip
WRITES = ("POST /payment", "POST /creditmemo")


@pytest.fixture
def office(quick_office):
    """A receipt with a cash discount (credit memo, then payment), one over two invoices, one of a stranger."""
    office = quick_office
    term = office.keeper.create_term("2/10 net 30", 30, discount_percent=2, discount_days=10)["Id"]
    north, acme = office.customer("Northwind Traders"), office.customer("Acme Corporation")
    office.invoice(north, "100.00", "1001", days_ago=5, SalesTermRef={"value": term})
    office.invoice(acme, "60.00", "2001")
    office.invoice(acme, "40.00", "2002")
    office.mode("auto")
    office.statement(
        Line("98.00", "INVOICE 1001", "NORTHWIND TRADERS"),
        Line("100.00", "INVOICES 2001 2002", "ACME CORPORATION"),
        Line("13.37", "HELLO", "SOMEBODY ELSE"),
    )
    return office


def run_once(office):
    """One run; the error of the platform it ended in, or None."""
    try:
        office.last = office.run()
    except (PlatformBusy, PlatformRefused) as error:
        return error
    return None


def run_through(office, most=8):
    """Runs until idle, errors of the wire and all; the errors met."""
    met = []
    for _ in range(most):
        error = run_once(office)
        if error is None and not office.last.changed:
            return met
        met.append(error)
    raise AssertionError(f"not at rest after {most} runs: {met}")


def ended_well(office):
    office.adds_up()
    office.all_received()
    office.agrees()
    assert sorted(str(p["TotalAmt"]) for p in office.payments()) in (["100", "98"], ["100.00", "98.00"])
    assert [str(m["TotalAmt"]) for m in office.keeper.all("CreditMemo")] in (["2"], ["2.00"])
    assert sorted(r.state for r in office.receipts()) == ["applied", "applied", "queued"]
    assert [q.reason for q in office.queue()] == ["unknown payer"]


@pytest.mark.parametrize("where", WRITES)
@pytest.mark.parametrize("kind", [*LOST, "status_429", "html_503", "empty_504_after_commit", "status_401"])
def test_once_at_a_write(office, where, kind):
    office.simulator.faults.add(where, kind)
    run_through(office)
    ended_well(office)


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize(
    "kind", [*LOST, "status_429", "status_500_after_commit", "html_503", "empty_504_after_commit"]
)
def test_at_every_attempt_of_a_write_until_the_next_day(office, kind, skip):
    """Longer than all patience: the run ends, the next one reads back before it sends anything again."""
    office.simulator.faults.add("POST /payment", kind, times=20, skip=skip)
    run_once(office)
    assert sum(office.ours().values()) <= 2
    office.adds_up()
    office.simulator.faults.clear()
    office.clock.pass_days(1)
    run_through(office)
    ended_well(office)


@pytest.mark.parametrize("kind", [*LOST, *BUSY])
@pytest.mark.parametrize("where", ["POST /query", "GET /cdc", "GET /reports"])
def test_at_a_reading(office, where, kind):
    office.simulator.faults.add(where, kind, times=1, skip=1)
    met = run_once(office)
    assert met is None or met.do, "an error says what to do"
    office.adds_up_if_any()
    office.simulator.faults.clear()
    run_through(office)
    ended_well(office)


@pytest.mark.parametrize("times", [1, 2, 4, 9])
def test_the_reading_back_is_disturbed_too(office, times):
    """The answer is lost, and so are the answers to the question what became of it."""
    office.simulator.faults.add("POST /payment", "lost_after_commit", times=4)
    office.run()
    office.simulator.faults.add("POST /query", "lost_before_commit", times=times)
    run_through(office)
    ended_well(office)


def test_a_platform_that_stays_throttled_writes_nothing_twice(office):
    office.simulator.faults.add("POST /payment", "status_429", times=50)
    assert isinstance(run_once(office), Throttled | None)
    office.simulator.faults.clear()
    run_through(office)
    ended_well(office)


def test_an_answer_lost_while_taking_back(office):
    run_through(office)
    receipt = next(r for r in office.receipts() if r.amount_minor == 9800)
    actions.undo(office.desk(), receipt.decision_id, "not theirs")
    office.simulator.faults.add("POST /payment", "lost_after_commit", times=4)
    office.simulator.faults.add("POST /creditmemo", "lost_before_commit", times=4)
    run_through(office)
    assert [str(p["TotalAmt"]) for p in office.payments()] in (["100"], ["100.00"])
    assert office.keeper.all("CreditMemo") == []
    assert office.decision(receipt.decision_id).state == "undone"
    assert not office.queue("books disagree")
    office.adds_up()
    office.agrees()


def test_a_sign_in_that_is_revoked_in_the_middle(office):
    run_through(office)
    office.invoice("1", "10.00", "1009")
    tokens = office.simulator.tokens
    tokens.access.clear()
    tokens.grants.clear()
    with pytest.raises(ConsentLost, match="no longer accepts") as met:
        office.run()
    assert "arsync connect" in met.value.do
    connect.keep_tokens(office.house, office.ledger.connection_id, office.new_tokens())
    run_through(office)
    ended_well(office)


def test_a_page_of_a_proxy_instead_of_books(office):
    office.simulator.faults.add("POST /query", "html_503", times=50)
    with pytest.raises((PlatformBusy, Garbled)):
        office.run()
    assert office.receipts() == []
    office.simulator.faults.clear()
    run_through(office)
    ended_well(office)
