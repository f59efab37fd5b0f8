"""The books move while we work: a bookkeeper edits before, between and after; figures that do not agree."""

from datetime import timedelta
from decimal import Decimal

import pytest

from arsync.errors import NotPermitted
from arsync.simulators.quickbooks.ledger import ItemKey, OpenItem, Posting
from arsync.simulators.quickbooks.records import Record
from arsync.store import tables, work
from arsync.sync import actions
from arsync.sync import run as running
from arsync.sync import write as writing
from tests.worlds.office import Line

pytestmark = pytest.mark.slow


@pytest.fixture
def office(quick_office):
    return quick_office


def case(office, mode="auto", amount="250.00"):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, amount, "1001")
    office.mode(mode)
    office.statement(Line(amount, "INVOICE 1001", "NORTHWIND TRADERS"))
    return customer, invoice


@pytest.fixture
def before_writing(monkeypatch):
    """Let the bookkeeper do something after a run has pulled and decided, before it writes."""

    def arrange(act):
        pending, write = [act], running.write

        def write_after(job, held):
            if pending:
                pending.pop()()
            return write(job, held)

        monkeypatch.setattr(running, "write", write_after)

    return arrange


@pytest.fixture
def before_sending(monkeypatch):
    """Let the bookkeeper do something after the last look at the books, before the first call leaves."""

    def arrange(act):
        pending, send = [act], writing._send

        def send_after(job, leaving):
            if pending:
                pending.pop()()
            return send(job, leaving)

        monkeypatch.setattr(writing, "_send", send_after)

    return arrange


@pytest.mark.parametrize("switch", ["refuse", "cap"])
def test_paid_between_deciding_and_writing_nothing_leaves_at_all(office, before_writing, switch):
    """Right before calls leave the books are looked at again: QuickBooks itself would take the money twice."""
    customer, invoice = case(office)
    office.simulator.switches.line_over_balance = switch
    before_writing(lambda: office.keeper.create_payment(customer, "250.00", [("Invoice", invoice, "250.00")]))
    ran = office.run()
    assert ran.written.sent == 0
    assert office.ours() == {}
    assert office.queued().reason == "stale record"
    office.run_until_idle()
    office.adds_up()
    office.agrees()


def test_the_invoice_is_paid_between_pull_and_write(office, before_writing):
    customer, invoice = case(office)
    before_writing(lambda: office.keeper.create_payment(customer, "250.00", [("Invoice", invoice, "250.00")]))
    office.run()
    office.run_until_idle()
    assert office.balance(invoice) == 0
    assert office.ours() == {}
    assert office.queued().reason in ("platform refused", "stale record")
    office.adds_up()
    office.agrees()


def test_the_platform_takes_less_than_was_sent_and_a_person_sorts_it_out(office, before_sending):
    """QuickBooks may cap a line at what is left of the invoice: then the answer is not what was asked for."""
    customer, invoice = case(office)
    office.simulator.switches.line_over_balance = "cap"
    before_sending(lambda: office.keeper.create_payment(customer, "100.00", [("Invoice", invoice, "100.00")]))
    office.run()
    assert office.run_until_idle() <= 1
    office.simulator.switches.line_over_balance = "refuse"
    ours, capped = office.ours(), [p for p in office.payments() if p["TotalAmt"] == 250]
    assert sum(ours.values()) == len(capped) == 1
    (asks,) = [q for q in office.queue() if q.subject.startswith("command:")]
    assert asks.reason == "books disagree"
    actions.resolve(office.desk(), asks.id, "it is there, with 100.00 unapplied")
    queued = office.queued()
    actions.link(office.desk(), queued.id, office.item(f"Payment:{capped[0]['Id']}").id)
    office.run()
    assert office.run_until_idle() == 0
    assert office.queue() == []
    assert office.receipt().state == "linked"
    assert office.ours() == ours, "nothing was sent again"
    office.adds_up()


def test_the_invoice_is_made_smaller_between_pull_and_write(office, before_writing):
    _, invoice = case(office)
    line = office.keeper.get("Invoice", invoice)["Line"][0]
    smaller = {"Amount": 200, "DetailType": line["DetailType"], line["DetailType"]: line[line["DetailType"]]}
    before_writing(lambda: office.keeper.edit("Invoice", invoice, Line=[smaller]))
    office.run()
    office.run_until_idle()
    assert office.ours() == {}
    assert office.queued().reason in ("platform refused", "stale record")
    office.adds_up()
    office.agrees()


def test_the_invoice_is_touched_between_pull_and_write_and_the_decision_still_holds(office, before_writing):
    _, invoice = case(office)
    before_writing(lambda: office.keeper.edit("Invoice", invoice, PrivateNote="called them"))
    office.run()
    assert office.run_until_idle() <= 1
    assert office.balance(invoice) == 0
    assert office.receipt().state == "applied"
    office.adds_up()
    office.agrees()


def test_an_accepted_suggestion_whose_invoice_was_paid_meanwhile_is_queued_again(office):
    customer, invoice = case(office, "propose")
    office.run()
    actions.accept(office.desk(), office.queued().id)
    office.keeper.create_payment(customer, "250.00", [("Invoice", invoice, "250.00")], date="2026-09-01")
    office.run()
    office.run_until_idle()
    assert office.ours() == {}
    assert office.queued().reason == "stale record"
    office.adds_up()
    office.agrees()


def test_a_payment_of_ours_that_is_deleted_is_reported_and_not_booked_again(office):
    _, invoice = case(office)
    office.run()
    (payment,) = office.payments()
    office.keeper.delete("Payment", payment["Id"])
    office.run()
    assert office.run_until_idle() == 0
    (row,) = office.queue("books disagree")
    assert "deleted" in row.detail
    assert (office.payments(), office.balance(invoice)) == ([], 250)
    assert office.receipt().state == "applied", (
        "a person's or engine's decision is never undone by the program"
    )


def test_a_payment_of_ours_that_is_unapplied_is_reported(office):
    _, invoice = case(office)
    office.run()
    (payment,) = office.payments()
    office.keeper.unapply(payment["Id"])
    office.run()
    assert office.run_until_idle() == 0
    (row,) = office.queue("books disagree")
    assert "settles other amounts" in row.detail
    assert office.balance(invoice) == 250
    office.agrees()


def test_undo_of_a_payment_that_is_gone_already_ends_well(office):
    _, invoice = case(office)
    office.run()
    (payment,) = office.payments()
    decision_id = office.receipt().decision_id
    office.keeper.delete("Payment", payment["Id"])
    actions.undo(office.desk(), decision_id, "wrong customer")
    office.run()
    office.run_until_idle()
    assert (office.payments(), office.balance(invoice)) == ([], 250)
    assert office.decision(decision_id).state == "undone"
    assert office.receipt().state == "queued"
    office.adds_up()
    office.agrees()


def test_undo_of_a_payment_that_is_gone_takes_its_credit_memo_back_too(office):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "100.00", "1001")
    office.statement(Line("90.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    office.run()
    part = office.part(f"Invoice:{invoice}", "90.00", write_off="10.00")
    acted = actions.apply(office.desk(), office.queued().id, [part])
    office.run()
    (payment,) = office.payments()
    office.keeper.delete("Payment", payment["Id"])
    actions.undo(office.desk(), acted.decision_id, "wrong customer")
    office.run()
    office.run_until_idle()
    assert (office.payments(), office.keeper.all("CreditMemo"), office.balance(invoice)) == ([], [], 100)
    assert office.decision(acted.decision_id).state == "undone"
    office.adds_up()
    office.agrees()


def test_undo_of_a_used_payment_whose_part_was_taken_off_already_ends_well(office):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001")
    payment = office.keeper.create_payment(customer, "300.00")["Id"]
    office.run()
    part = office.part(f"Invoice:{invoice}", "250.00")
    acted = actions.apply_payment(office.desk(), office.item(f"Payment:{payment}").id, [part])
    office.run()
    office.keeper.unapply(payment)
    actions.undo(office.desk(), acted.decision_id, "wrong invoice")
    office.run()
    assert office.run_until_idle() <= 1
    assert office.decision(acted.decision_id).state == "undone"
    office.adds_up()
    office.agrees()


def test_undo_after_the_bookkeeper_took_the_payment_to_the_bank_asks_a_person(office):
    _, invoice = case(office)
    office.run()
    (payment,) = office.payments()
    office.keeper.create_deposit([payment["Id"]])
    acted = actions.undo(office.desk(), office.receipt().decision_id, "wrong customer")
    office.run()
    office.run_until_idle()
    assert office.decision(acted.decision_id).state == "failed"
    assert office.receipt().state == "applied"
    assert office.balance(invoice) == 0
    assert [q.subject for q in office.queue()] == [f"decision:{acted.decision_id}"]
    office.adds_up()
    office.agrees()


def test_a_copy_made_in_the_books_is_not_taken_for_ours(office):
    case(office)
    office.run()
    (payment,) = office.payments()
    office.keeper.copy("Payment", payment["Id"])
    office.run()
    assert office.run_until_idle() == 0
    assert office.receipt().payment_id == office.item(f"Payment:{payment['Id']}").id
    office.adds_up()


def test_a_bank_deposit_straight_to_receivables_is_a_credit_of_its_customer(office):
    customer, invoice = case(office, "propose")
    office.keeper.create_deposit(straight=[(customer, "40.00")])
    ran = office.run()
    assert ran.before.state == "proven"
    office.agrees()
    office.adds_up()
    assert office.run_until_idle() == 0
    assert office.balance(invoice) == 250


def test_a_credit_memo_whose_payment_is_refused_is_taken_back(office, before_writing):
    """Of two calls the first was written and the second cannot be: nothing half-done stays in the books."""
    term = office.keeper.create_term("2/10 net 30", 30, discount_percent=2, discount_days=10)["Id"]
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "100.00", "1001", days_ago=5, SalesTermRef={"value": term})
    office.mode("auto")
    office.statement(Line("98.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    before_writing(lambda: office.keeper.create_payment(customer, "100.00", [("Invoice", invoice, "100.00")]))
    office.run()
    office.run_until_idle()
    assert (office.keeper.all("CreditMemo"), office.ours()) == ([], {})
    assert office.queued().reason in ("platform refused", "stale record")
    office.adds_up()
    office.agrees()


def test_a_clerk_decides_while_a_run_does(office, monkeypatch):
    """What a person has decided in between stands; the program drops its own decision and counts it."""
    _, invoice = case(office, "propose")
    office.run()
    queued, keep = office.queued(), running.decide.keep
    office.mode("auto")

    def keep_late(job, decided):
        actions.accept(office.desk(), queued.id)
        return keep(job, decided)

    with monkeypatch.context() as patched:
        patched.setattr(running.decide, "keep", keep_late)
        ran = office.run()
    assert ran.tally.dropped == 1
    assert office.run_until_idle() <= 1
    assert office.decision(office.receipt().decision_id).decided_by == "Cleo"
    assert (len(office.payments()), office.balance(invoice)) == (1, 0)
    office.adds_up()
    office.agrees()


def test_a_dry_run_decides_and_writes_nothing(office):
    _, invoice = case(office)
    job = office.job()
    _, taken, _, decided = running.dry_run(job, office.inbox)
    job.connector.close()
    assert [c.decision.verdict.value for c in decided.cases] == ["apply"]
    assert taken.new_receipts == 1
    assert (office.payments(), office.balance(invoice), office.queue()) == ([], 250, [])
    assert office.receipt().state == "undecided"
    office.run()
    assert office.balance(invoice) == 0


# ---- figures that do not agree


def cheque_straight_to_receivables(office, customer, amount):
    """A document of a kind that no connector reads, on the customer's account, as a cheque may be."""
    core, minor = office.keeper.core, int(Decimal(amount) * 100)
    receivable, income = office.keeper.account("receivable"), office.keeper.account("income")
    number = str(900 + len(core.records.get("Purchase", {})))
    record = Record(
        "Purchase",
        number,
        {"TxnDate": (office.today() - timedelta(days=3)).isoformat()},
        customer_id=customer,
    )
    core.records.setdefault("Purchase", {})[number] = record
    core.items.put(ItemKey("Purchase", number), OpenItem(1, minor, customer, receivable, "USD"))
    core.post(record, (Posting(receivable, minor, minor, customer), Posting(income, -minor, -minor)))


def test_a_difference_is_looked_at_twice_stops_its_customer_and_is_signed(office):
    other = office.customer("Acme Corporation")
    paid = office.invoice(other, "99.00", "2001")
    customer, invoice = case(office)
    cheque_straight_to_receivables(office, customer, "75.00")
    office.statement(Line("99.00", "INVOICE 2001", "ACME CORPORATION"))
    looks = len([r for r in office.simulator.requests if "AgedReceivables" in r.path])
    ran = office.run()
    assert len([r for r in office.simulator.requests if "AgedReceivables" in r.path]) >= looks + 2, (
        "a second look"
    )
    assert ran.before.state == "differs"
    assert ran.before.stopped == "", "the customer's difference explains the control account's"
    (held,) = ran.before.held
    assert held == office.customer_id(customer)
    assert (office.balance(invoice), office.balance(paid)) == (250, 0), "only the customer that differs waits"
    assert ran.written.held == 1
    assert {q.subject.split(":")[0] for q in office.queue("books disagree")} == {"proof"}
    office.adds_up()
    with pytest.raises(NotPermitted):
        actions.sign_baseline(office.desk("Cleo"))
    _, signed = actions.sign_baseline(office.desk("Max"))
    assert {d.unexplained_minor for d in signed} == {-7500}
    office.run()
    assert office.balance(invoice) == 0, "signed: writing goes on"
    assert office.queue() == []
    assert office.run_until_idle() == 0
    office.adds_up()


def test_a_difference_that_clears_by_itself_lets_writing_go_on(office):
    customer, invoice = case(office)
    cheque_straight_to_receivables(office, customer, "75.00")
    office.run()
    assert office.balance(invoice) == 250
    core = office.keeper.core
    core.items.drop(ItemKey("Purchase", "900"))
    core.post(core.records["Purchase"]["900"], ())
    office.run()
    office.run_until_idle()
    assert office.balance(invoice) == 0
    assert office.queue() == []
    office.adds_up()
    office.agrees()


def move_control_account(office, cents):
    """Change the balance of the receivable account behind every document's back."""
    core, receivable = office.keeper.core, office.keeper.account("receivable")
    core.ledger.home[receivable] += cents
    core.ledger.own[receivable] += cents
    core.records["Account"][receivable].text = None


def test_a_total_no_customer_explains_stops_the_ledger_until_it_is_right_again(office):
    _, invoice = case(office)
    move_control_account(office, 5000)
    ran = office.run()
    assert "no customer explains" in ran.stopped
    assert office.balance(invoice) == 250
    assert ran.written.sent == 0
    assert office.ledger.stopped
    move_control_account(office, -5000)
    office.run()  # the same day: a difference is looked at in every run until it is gone
    office.run_until_idle()
    assert office.balance(invoice) == 0
    assert (office.ledger.stopped, office.queue()) == (None, [])
    office.agrees()


def test_a_payment_whose_lines_do_not_explain_it_is_held_and_told(office):
    """QuickBooks states less unapplied than total less lines, and no payment used the rest: nobody spends it."""
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001")
    old = office.keeper.create_payment(
        customer, "100.00", [("Invoice", invoice, "40.00")], date="2026-09-01"
    )["Id"]
    office.run()
    row = office.item(f"Payment:{old}")
    with office.store.begin() as conn:  # what a page with a line left out would have stored
        conn.execute(tables.item.update().where(tables.item.c.id == row.id).values(open_minor=-10000))
    office.mode("auto")
    office.statement(Line("190.00", "REST OF 1001 AFTER OUR CREDIT", "NORTHWIND TRADERS"))
    office.run()
    with office.store.read() as conn:
        assert row.id in work.load(conn, office.ledger.id, office.today()).held
