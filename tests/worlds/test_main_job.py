"""The main job end to end: books over HTTP, bank files on disk, people, on both databases."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from arsync.cli.care import _replay
from arsync.errors import Conflict, LedgerLocked, NotPermitted, UsageError
from arsync.store import decisions, tables
from arsync.store.lock import locked
from arsync.sync import actions
from arsync.sync.report import aging_report, unapplied_report
from tests.worlds.office import Line

pytestmark = pytest.mark.slow


def test_one_receipt_pays_one_invoice(office):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001")
    office.mode("auto")
    office.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    ran = office.run()
    assert ran.tally.number == {"apply": 1}
    assert ran.settled.verified == 1
    assert ran.after.state == "proven"
    assert office.balance(invoice) == 0
    assert office.receipt().state == "applied"
    office.adds_up()
    office.all_received()
    office.agrees()
    before, books = office.rows(), office.books_as_people_see_them()
    again = office.run()
    assert not again.changed
    assert office.changed_rows(before) == set()
    assert office.books_as_people_see_them() == books


def test_a_receipt_over_three_invoices_with_a_credit_memo_and_a_short_pay_and_back_again(office):
    customer = office.customer("Northwind Traders")
    invoices = [
        office.invoice(customer, a, n)
        for a, n in (("100.00", "1001"), ("200.00", "1002"), ("300.00", "1003"))
    ]
    memo = office.credit_memo(customer, "50.00", "CM-7")
    office.run()
    office.statement(Line("530.00", "INV 1001 1002 1003 LESS CM-7", "NORTHWIND TRADERS"))
    office.run()
    books_before, opens_before = office.books_as_people_see_them(), opens(office)
    queued = office.queued()
    parts = [
        office.part(f"Invoice:{invoices[0]}", "100.00"),
        office.part(f"Invoice:{invoices[1]}", "200.00"),
        office.part(f"Invoice:{invoices[2]}", "280.00"),
        office.part(f"CreditMemo:{memo}", "-50.00"),
    ]
    acted = actions.apply(office.desk(), queued.id, parts, version=queued.version)
    assert acted.state == "planned"
    office.adds_up()
    ran = office.run()
    assert ran.after.state == "proven"
    assert [office.balance(i) for i in invoices] == [0, 0, Decimal(20)]
    (payment,) = office.payments()
    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (530, 0)
    assert len(payment["Line"]) == 4
    assert office.receipt().state == "applied"
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0

    undone = actions.undo(office.desk(), acted.decision_id, "the customer wants it on 1003 alone")
    office.adds_up()
    ran = office.run()
    assert ran.after.state == "proven"
    assert office.books_as_people_see_them() == books_before
    assert office.decision(acted.decision_id).state == "undone"
    assert office.decision(undone.decision_id).state == "done"
    receipt = office.receipt()
    assert (receipt.state, receipt.payment_id, receipt.decision_id) == ("queued", None, None)
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0
    assert opens(office) == {**opens_before, f"Payment:{payment['Id']}": 0}


def opens(office):
    """Open amount by platform id, of everything the store ever held."""
    with office.store.read() as conn:
        query = select(tables.external_ref.c.external_id, tables.item.c.open_minor).join(
            tables.item, tables.item.c.id == tables.external_ref.c.id
        )
        return dict(conn.execute(query.where(tables.external_ref.c.kind == "item")).all())


# ---- what a receipt may be


def test_several_receipts_in_one_file(office):
    north, acme = office.customer("Northwind Traders"), office.customer("Acme Corporation")
    for number, amount in (("1001", "250.00"), ("1002", "120.50"), ("1003", "79.50")):
        office.invoice(north, amount, number)
    office.invoice(acme, "999.99", "2001")
    office.mode("auto")
    office.statement(
        Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"),
        Line("200.00", "INVOICES 1002 1003", "NORTHWIND TRADERS"),
        Line("999.99", "2001", "ACME CORPORATION"),
        Line("13.37", "HELLO", "SOMEBODY ELSE"),
        Line("-4.50", "BANK FEE", "BANK"),
    )
    ran = office.run()
    assert ran.tally.number == {"apply": 3, "queue": 1}
    assert ran.written.minor == {"USD": 25000 + 20000 + 99999}
    assert office.queued().reason == "unknown payer"
    office.adds_up()
    office.all_received()
    office.agrees()
    assert sum(Decimal(str(p["TotalAmt"])) for p in office.payments()) == Decimal("1449.99")


def test_a_cash_discount_is_a_credit_memo_and_goes_back_with_its_payment(office):
    term = office.keeper.create_term("2/10 net 30", 30, discount_percent=2, discount_days=10)["Id"]
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "100.00", "1001", days_ago=5, SalesTermRef={"value": term})
    office.mode("auto")
    office.statement(Line("98.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    ran = office.run()
    assert ran.tally.number == {"apply": 1}
    assert ran.written.sent == 2
    assert office.balance(invoice) == 0
    (memo,) = office.keeper.all("CreditMemo")
    assert (memo["TotalAmt"], memo["RemainingCredit"]) == (2, 0)
    office.adds_up()
    office.agrees()
    decision_id = office.receipt().decision_id
    actions.undo(office.desk(), decision_id, "the discount was not due")
    office.run()
    assert (office.payments(), office.keeper.all("CreditMemo")) == ([], [])
    assert office.balance(invoice) == 100
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0


def short_of_ten(office, write_off):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "500.00", "1001")
    received = str(Decimal("500.00") - Decimal(write_off))
    office.statement(Line(received, "INVOICE 1001", "NORTHWIND TRADERS"))
    office.run()
    part = office.part(f"Invoice:{invoice}", received, write_off=write_off)
    return invoice, part


def test_a_clerk_writes_off_up_to_the_limit(quick_office):
    invoice, part = short_of_ten(quick_office, "25.00")
    acted = actions.apply(quick_office.desk(), quick_office.queued().id, [part])
    assert acted.state == "planned"
    quick_office.run()
    assert quick_office.balance(invoice) == 0
    quick_office.adds_up()
    quick_office.agrees()


def test_more_than_the_limit_needs_a_second_person(office):
    invoice, part = short_of_ten(office, "25.01")
    acted = actions.apply(office.desk("Max"), office.queued().id, [part])
    assert acted.state == "asked"
    ran = office.run()
    assert not ran.written.sent, "nothing is written before it is approved"
    assert office.balance(invoice) == 500
    office.adds_up()
    with pytest.raises(NotPermitted, match="second person"):
        actions.approve(office.desk("Max"), acted.decision_id)
    with pytest.raises(NotPermitted):
        actions.approve(office.desk("Cleo"), acted.decision_id)
    assert actions.approve(office.desk("Mia"), acted.decision_id).state == "planned"
    ran = office.run()
    assert ran.settled.verified == 1
    assert office.balance(invoice) == 0
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0


def test_a_rejected_write_off_is_in_the_queue_again(quick_office):
    invoice, part = short_of_ten(quick_office, "100.00")
    acted = actions.apply(quick_office.desk(), quick_office.queued().id, [part])
    actions.reject(quick_office.desk("Mia"), acted.decision_id, "too much")
    assert quick_office.queued().detail.endswith("too much")
    assert quick_office.decision(acted.decision_id).state == "withdrawn"
    quick_office.adds_up()
    assert quick_office.run_until_idle() <= 1
    assert quick_office.balance(invoice) == 500


def test_cash_on_account_stays_with_the_customer(office):
    customer = office.customer("Northwind Traders")
    office.statement(Line("75.00", "ADVANCE", "NORTHWIND TRADERS"))
    office.run()
    actions.on_account(office.desk(), office.queued().id, office.customer_id(customer))
    office.run()
    (payment,) = office.payments()
    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (75, 75)
    assert office.receipt().state == "on_account"
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0


def test_part_of_a_receipt_on_account(quick_office):
    office = quick_office
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "60.00", "1001")
    office.statement(Line("75.00", "INV 1001", "NORTHWIND TRADERS"))
    office.run()
    part = office.part(f"Invoice:{invoice}", "60.00")
    with pytest.raises(UsageError, match=r"15\.00 is left over"):
        actions.apply(office.desk(), office.queued().id, [part])
    actions.apply(office.desk(), office.queued().id, [part], rest_on_account=True)
    office.run()
    (payment,) = office.payments()
    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (75, 15)
    office.adds_up()
    office.agrees()


def test_money_the_bookkeeper_booked_is_linked_and_booked_no_more(office):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001")
    day = office.today().isoformat()
    office.keeper.create_payment(
        customer, "250.00", [("Invoice", invoice, "250.00")], date=day, reference="1001"
    )
    office.mode("auto")
    office.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    ran = office.run()
    assert ran.tally.number == {"link": 1}
    assert len(office.payments()) == 1
    assert office.receipt().state == "linked"
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0


def test_a_payment_that_is_there_unapplied_is_linked_and_used(office):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001")
    payment = office.keeper.create_payment(
        customer, "300.00", date=office.today().isoformat(), reference="X1"
    )["Id"]
    office.statement(Line("300.00", "SOMETHING", "NORTHWIND TRADERS"))
    office.run()
    row = office.receipt()
    if row.state == "linked":  # the matcher found it by itself: then it is used by hand
        acted = actions.apply_payment(
            office.desk(), office.item(f"Payment:{payment}").id, [office.part(f"Invoice:{invoice}", "250.00")]
        )
    else:
        acted = actions.link(
            office.desk(),
            office.queued().id,
            office.item(f"Payment:{payment}").id,
            [office.part(f"Invoice:{invoice}", "250.00")],
        )
    office.adds_up()
    office.run()
    assert len(office.payments()) == 1
    assert office.keeper.get("Payment", payment)["UnappliedAmt"] == 50
    assert office.balance(invoice) == 0
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0
    actions.undo(office.desk(), acted.decision_id, "it was for 1002")
    office.run()
    assert office.keeper.get("Payment", payment)["UnappliedAmt"] == 300
    assert office.balance(invoice) == 250
    office.adds_up()
    office.agrees()


def test_link_by_hand_and_use_a_part(quick_office):
    """The clerk links while the matcher does not: the payment bears another amount than the line."""
    office = quick_office
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001")
    payment = office.keeper.create_payment(customer, "300.00", date=office.today().isoformat())["Id"]
    office.statement(Line("295.00", "LESS WIRE FEE", "NORTHWIND TRADERS"))
    office.run()
    part = office.part(f"Invoice:{invoice}", "250.00")
    acted = actions.link(office.desk(), office.queued().id, office.item(f"Payment:{payment}").id, [part])
    assert acted.state == "planned"
    office.adds_up()
    office.run()
    assert office.balance(invoice) == 0
    assert office.receipt().state == "linked"
    assert office.receipt().payment_id == office.item(f"Payment:{payment}").id
    (equation,) = unapplied_report(office.store, office.ledger, office.clock.now_is).equations
    assert (equation.applied_minor, equation.on_account_minor) == (24500, 5000)
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0


def test_the_unapplied_part_of_a_payment_is_spent_once(quick_office):
    office = quick_office
    customer = office.customer("Northwind Traders")
    invoices = [office.invoice(customer, "250.00", n) for n in ("1001", "1002")]
    payment = office.keeper.create_payment(customer, "300.00", date=office.today().isoformat())["Id"]
    office.statement(Line("295.00", "LESS WIRE FEE", "NORTHWIND TRADERS"))
    office.run()
    parts = [office.part(f"Invoice:{i}", "250.00") for i in invoices]
    actions.link(office.desk(), office.queued().id, office.item(f"Payment:{payment}").id, parts[:1])
    with pytest.raises(Conflict, match="less available"):
        actions.apply_payment(office.desk(), office.item(f"Payment:{payment}").id, parts[1:])


def test_credits_settle_items_without_cash(office):
    customer = office.customer("Northwind Traders")
    invoice, memo = office.invoice(customer, "80.00", "1001"), office.credit_memo(customer, "30.00", "CM-1")
    office.run()
    parts = [office.part(f"Invoice:{invoice}", "30.00"), office.part(f"CreditMemo:{memo}", "-30.00")]
    acted = actions.apply_credits(office.desk(), parts)
    office.run()
    assert office.balance(invoice) == 50
    office.adds_up()
    office.agrees()
    assert office.run_until_idle() == 0
    actions.undo(office.desk(), acted.decision_id, "wrong invoice")
    office.run()
    assert office.balance(invoice) == 80
    office.agrees()


@pytest.mark.parametrize(
    "given_up",
    [
        pytest.param({"discount": "-5.00"}, id="discount"),
        pytest.param({"write_off": "-5.00"}, id="write-off"),
    ],
)
def test_nothing_below_zero_is_given_up(quick_office, given_up):
    """A write-off below zero would raise the debt, and no platform takes it: it must not reach the outbox."""
    office = quick_office
    invoice = office.invoice(office.customer("Northwind Traders"), "100.00", "1001")
    office.statement(Line("105.00", "INV 1001", "NORTHWIND TRADERS"))
    office.run()
    with pytest.raises(UsageError, match="below zero"):
        actions.apply(
            office.desk(), office.queued().id, [office.part(f"Invoice:{invoice}", "105.00", **given_up)]
        )


def test_a_discount_by_hand_counts_toward_the_limit_of_what_a_clerk_gives_up(quick_office):
    office = quick_office
    invoice = office.invoice(office.customer("Northwind Traders"), "500.00", "1001")
    office.statement(Line("460.00", "INV 1001", "NORTHWIND TRADERS"))
    office.run()
    part = office.part(f"Invoice:{invoice}", "460.00", discount="40.00")
    assert actions.apply(office.desk(), office.queued().id, [part]).state == "asked"


def test_a_payment_stands_behind_one_receipt_only(quick_office):
    office = quick_office
    payment = office.keeper.create_payment(
        office.customer("Northwind Traders"), "300.00", date=office.today().isoformat()
    )["Id"]
    office.statement(
        Line("290.00", "FIRST", "NORTHWIND TRADERS"), Line("295.00", "SECOND", "NORTHWIND TRADERS")
    )
    office.run()
    first, second = (q.id for q in office.queue())
    ours = office.item(f"Payment:{payment}").id
    actions.link(office.desk(), first, ours)
    with pytest.raises(Conflict, match="linked to this payment already"):
        actions.link(office.desk(), second, ours)


# ---- how far the ledger goes by itself


def clear_case(office):
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "250.00", "1001")
    office.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    return invoice


def test_observe_writes_nothing(quick_office):
    office = quick_office
    invoice = clear_case(office)
    office.mode("observe")
    ran = office.run()
    assert ran.tally.number == {"propose": 1}
    assert (ran.written.sent, office.payments(), office.balance(invoice)) == (0, [], 250)
    with pytest.raises(NotPermitted, match="observe"):
        actions.accept(office.desk(), office.queued().id)
    office.adds_up()
    assert office.run_until_idle() == 0


def test_propose_asks_and_an_accepted_suggestion_is_written(quick_office):
    office = quick_office
    invoice = clear_case(office)
    ran = office.run()
    assert ran.tally.number == {"propose": 1}
    queued = office.queued()
    assert queued.preferred
    actions.accept(office.desk(), queued.id, version=queued.version)
    office.adds_up()
    office.run()
    assert office.balance(invoice) == 0
    office.agrees()


def test_auto_takes_up_what_was_proposed(quick_office):
    office = quick_office
    invoice = clear_case(office)
    office.run()
    office.mode("auto")
    ran = office.run()
    assert ran.tally.number == {"apply": 1}
    assert office.queue() == []
    assert office.balance(invoice) == 0
    office.agrees()
    office.adds_up()


def test_what_a_person_took_back_is_never_applied_again_by_the_program(quick_office):
    office = quick_office
    invoice = clear_case(office)
    office.mode("auto")
    office.run()
    actions.undo(office.desk(), office.receipt().decision_id, "not theirs")
    office.run()
    assert office.run_until_idle() == 0
    assert office.receipt().state == "queued"
    assert (office.balance(invoice), office.payments()) == (250, [])
    office.adds_up()
    office.agrees()


def test_undo_before_anything_was_sent_withdraws(quick_office):
    office = quick_office
    invoice = clear_case(office)
    office.run()
    acted = actions.accept(office.desk(), office.queued().id)
    actions.undo(office.desk(), acted.decision_id, "a second thought")
    assert office.decision(acted.decision_id).state == "withdrawn"
    ran = office.run()
    assert ran.written.sent == 0
    assert office.balance(invoice) == 250
    office.adds_up()
    assert office.run_until_idle() == 0


def test_the_ledger_closed_the_period(quick_office):
    office = quick_office
    clear_case(office)
    office.keeper.set_closing_date(office.today().isoformat())
    office.mode("auto")
    ran = office.run()
    assert ran.tally.number == {"queue": 1}
    assert office.queued().reason == "closed period"
    assert ran.written.sent == 0
    with pytest.raises(UsageError, match="closed"):
        actions.accept(office.desk(), office.queued().id)
    office.adds_up()
    assert office.run_until_idle() == 0


# ---- past days


def test_aging_of_a_past_day_before_and_after_a_payment_as_known_then_and_now(office):
    customer = office.customer("Northwind Traders")
    office.invoice(customer, "250.00", "1001", days_ago=30)
    office.run()
    first_day = office.today()
    office.clock.pass_days(5)
    office.mode("auto")
    paid_on = first_day + timedelta(days=2)
    office.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS", on=paid_on))
    office.run()
    known_day = office.today()
    office.clock.pass_days(3)

    def open_on(day, known=None):
        report = aging_report(office.store, office.ledger, day, now=office.clock.now_is, known_on=known)
        return sum(line.total_minor for line in report.totals)

    assert open_on(office.today()) == 0
    assert open_on(paid_on) == 0
    assert open_on(paid_on - timedelta(days=1)) == 25000, "before the payment's date it was open"
    assert open_on(known_day, known=first_day) == 25000, "on the first day nobody knew of the payment"
    assert open_on(paid_on, known=known_day) == 0
    assert open_on(first_day - timedelta(days=31)) == 0, "before the invoice nothing was open"


# ---- one at a time


def test_two_runs_at_once(office):
    with locked(office.store, f"ledger-{office.ledger.id}"), pytest.raises(LedgerLocked):
        office.run()
    office.run()


# ---- the matcher's answer, again


def test_replay_gives_the_same_explanation(office):
    clear_case(office)
    office.mode("auto")
    office.run()
    with office.store.read() as conn:
        row = decisions.find(conn, office.ledger.id, office.receipt().decision_id)
        same, then, now = _replay(conn, row)
    assert same
    assert then == now
    assert "reference" in then
