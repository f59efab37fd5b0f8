"""QuickBooks write-back against the cases that expose a toy connector; each test's id is the case's own text.

The books are the simulator's, over HTTP; the laws of `office.py` (`adds_up`, `agrees`) hold after every case.
"""

import json
from decimal import Decimal

import pytest

from arsync.errors import UsageError
from arsync.store import outbox
from arsync.sync import actions
from arsync.sync import run as running
from arsync.sync import write as writing
from arsync.sync.report import aging_report
from tests.worlds.office import TODAY, Line, make_office

pytestmark = pytest.mark.slow
CASES = {
    2: "Timeout after the payment was created -> exactly one Payment after retry, across process restart.",
    3: "Payment deleted in QBO, re-push -> new Payment with new Id; books show it.",
    4: "Clerk edits invoice between match and write -> 5010 handled; decision re-evaluated, not blindly replayed.",
    5: "Two invoices paid, invoice memo written afterwards -> no stale-token failure.",
    6: "Balance was paid in the UI meanwhile -> no overpayment posted; exception raised.",
    7: "One bank receipt: 3 invoices + 1 credit memo + short pay -> TotalAmt = cash, lines tie to cents.",
    8: "Zero-cash credit application; credit partly left; RemainingCredit right.",
    9: "JE credit on A/R applied to an invoice; JE residual computed.",
    10: "Existing unapplied payment applied; other lines of that Payment intact.",
    11: "0.1+0.2-style amounts, 1,000 lines: sums exact to the cent; JSON numbers on the wire.",
    22: "Books closed through last month; receipt dated inside -> queued with reason, nothing half-written.",
    23: "EUR customer in USD company: balance, home balance and ageing right; wrong-currency receipt refused.",
    24: "Batch of 30 with 7 faults -> 23 recorded, 7 queued with own reason; rerun does nothing twice.",
}


def case(number):
    """The mark of one case's test, with the case's words as its id."""
    return pytest.mark.parametrize("number", [pytest.param(number, id=f"{number}: {CASES[number]}")])


@pytest.fixture
def office(quick_office):
    quick_office.mode("auto")
    return quick_office


@pytest.fixture
def meanwhile(monkeypatch):
    """Let the bookkeeper do something at a moment of the next run."""

    def arrange(where, name, act):
        pending, real = [act], getattr(where, name)

        def later(*given):
            if pending:
                pending.pop()()
            return real(*given)

        monkeypatch.setattr(where, name, later)

    return arrange


def ended_well(office):
    office.run_until_idle()
    office.adds_up()
    office.agrees()
    before = office.rows()
    assert not office.run().changed
    assert office.changed_rows(before) == set()


def lines_of(payment):
    return {
        (line["LinkedTxn"][0]["TxnType"], line["LinkedTxn"][0]["TxnId"]): Decimal(str(line["Amount"]))
        for line in payment["Line"]
    }


def the_payment(office):
    (payment,) = office.payments()
    return payment


def sent_bodies(office):
    """Every body that left for the books, as its exact text."""
    with office.store.read() as conn:
        return [
            bytes(row.body).decode()
            for planned in outbox.bundles(conn, office.ledger.id, ["verified", "confirmed", "refused"])
            for row in outbox.commands(conn, office.ledger.id, planned.id)
        ]


@case(2)
def test_a_timeout_after_the_payment(office, number):
    office.invoice(office.customer("Acme"), "100.00", "1001")
    office.statement(Line("100.00", "INVOICE 1001", "ACME"))
    office.simulator.faults.add("POST /payment", "lost_after_commit", times=9)
    assert office.run().written.unknown == 1
    office.simulator.faults.clear()
    # A run opens connector and tokens anew and knows of the call only what the store holds.
    assert office.run().read_back.adopted == 1
    assert len(office.payments()) == 1
    ended_well(office)


@case(3)
def test_a_payment_deleted_in_the_books_is_written_again(office, number):
    invoice = office.invoice(office.customer("Acme"), "100.00", "1001", days_ago=5)
    office.statement(Line("100.00", "INVOICE 1001", "ACME"))
    office.run_until_idle()
    first = the_payment(office)["Id"]
    office.keeper.delete("Payment", first)
    office.run()
    (asks,) = office.queue("books disagree")
    assert "deleted" in asks.detail
    actions.redo(office.desk(), office.receipt().decision_id, "deleted by mistake")
    office.run()
    second = the_payment(office)["Id"]
    assert second != first
    assert office.balance(invoice) == 0
    assert office.queue() == []
    assert office.receipt().payment_id == office.item(f"Payment:{second}").id
    ended_well(office)


@case(3)
def test_a_payment_deleted_in_the_books_with_its_key_remembered_there(office, number):
    """The key of the first generation would be answered with the deleted payment: the second has its own."""
    office.invoice(office.customer("Acme"), "100.00", "1001", days_ago=5)
    office.statement(Line("100.00", "INVOICE 1001", "ACME"))
    office.run_until_idle()
    for generation in range(1, 4):
        office.keeper.delete("Payment", the_payment(office)["Id"])
        office.run()
        actions.redo(office.desk(), office.receipt().decision_id, "deleted by mistake")
        office.run()
        assert f".{generation + 1}." in the_payment(office)["PrivateNote"]
    ended_well(office)


@case(4)
def test_an_invoice_edited_between_match_and_write(office, number, meanwhile):
    customer = office.customer("Acme")
    invoice = office.invoice(customer, "100.00", "1001")
    old = office.keeper.create_payment(customer, "100.00")["Id"]
    office.run()
    actions.apply_payment(
        office.desk(), office.item(f"Payment:{old}").id, [office.part(f"Invoice:{invoice}", "100.00")]
    )
    meanwhile(writing, "_send", lambda: office.keeper.edit("Payment", old, PrivateNote="looked at by Kim"))
    ran = office.run()
    assert (ran.written.sent, ran.written.failed) == (2, 0), "refused once as stale, decided anew, sent again"
    assert office.balance(invoice) == 0
    assert office.keeper.get("Payment", old)["PrivateNote"] == "looked at by Kim", "the edit stands"
    ended_well(office)


@case(4)
def test_a_stale_answer_where_the_decision_does_not_hold_any_more(office, number, meanwhile):
    customer = office.customer("Acme")
    invoice, other = office.invoice(customer, "100.00", "1001"), office.invoice(customer, "70.00", "1002")
    old = office.keeper.create_payment(customer, "100.00")["Id"]
    office.run()
    actions.apply_payment(
        office.desk(), office.item(f"Payment:{old}").id, [office.part(f"Invoice:{invoice}", "100.00")]
    )
    meanwhile(writing, "_send", lambda: office.keeper.apply(old, "Invoice", other, "70.00"))
    office.run()
    assert office.balance(invoice) == 100
    assert [q.reason for q in office.queue()] == ["stale record"]
    assert lines_of(office.keeper.get("Payment", old)) == {("Invoice", other): 70}
    ended_well(office)


NOTES = """
[write_back]
state = "{state}"
{field}
"""


def with_notes(office, state="note", field=""):
    office.policy(NOTES.format(state=state, field=field))


@case(5)
def test_a_note_on_invoices_that_were_paid(office, number):
    customer = office.customer("Acme")
    first, second = office.invoice(customer, "100.00", "1001"), office.invoice(customer, "50.00", "1002")
    office.keeper.edit("Invoice", second, PrivateNote="ask for Kim")
    with_notes(office)
    office.statement(Line("120.00", "INVOICES 1001 1002", "ACME"))
    office.run()
    queued = office.queued()
    assert office.keeper.get("Invoice", first)["PrivateNote"] == f"[arsync: payment in review, Q-{queued.id}]"
    actions.apply(
        office.desk(),
        queued.id,
        [office.part(f"Invoice:{first}", "100.00"), office.part(f"Invoice:{second}", "20.00")],
    )
    ran = office.run()  # paying moves both invoices' tokens; the notes follow in the same run
    assert (ran.written.failed, office.queue()) == (0, [])
    notes = [office.keeper.get("Invoice", one)["PrivateNote"] for one in (first, second)]
    assert notes == ["[arsync: nothing pending]", "ask for Kim [arsync: nothing pending]"]
    ended_well(office)


@case(6)
@pytest.mark.parametrize("switch", ["refuse", "cap"])
def test_the_balance_was_paid_meanwhile(office, number, meanwhile, switch):
    customer = office.customer("Acme")
    invoice = office.invoice(customer, "100.00", "1001")
    office.simulator.switches.line_over_balance = switch
    office.statement(Line("100.00", "INVOICE 1001", "ACME"))
    meanwhile(
        running,
        "write",
        lambda: office.keeper.create_payment(customer, "100.00", [("Invoice", invoice, "100.00")]),
    )
    office.run()
    assert (office.balance(invoice), office.ours()) == (0, {})
    assert [q.reason for q in office.queue()] == ["stale record"]
    ended_well(office)


@case(7)
def test_three_invoices_a_credit_memo_and_a_short_pay(office, number):
    customer = office.customer("Acme")
    invoices = [
        office.invoice(customer, a, n) for a, n in (("50.10", "1041"), ("34.20", "1042"), ("20.35", "1043"))
    ]
    memo = office.credit_memo(customer, "2.07", "CM-17")
    office.statement(Line("101.58", "1041 1042/1043 LESS CM-17", "ACME"))
    office.run()
    parts = [
        office.part(f"Invoice:{i}", a) for i, a in zip(invoices, ("50.10", "34.20", "19.35"), strict=True)
    ]
    actions.apply(office.desk(), office.queued().id, [*parts, office.part(f"CreditMemo:{memo}", "-2.07")])
    office.run()
    payment = the_payment(office)
    assert Decimal(str(payment["TotalAmt"])) == Decimal("101.58")
    assert lines_of(payment) == {
        ("Invoice", invoices[0]): Decimal("50.10"),
        ("Invoice", invoices[1]): Decimal("34.20"),
        ("Invoice", invoices[2]): Decimal("19.35"),
        ("CreditMemo", memo): Decimal("2.07"),
    }
    assert [office.balance(i) for i in invoices] == [0, 0, 1]
    ended_well(office)


@case(8)
def test_a_credit_memo_is_applied_in_part(office, number):
    customer = office.customer("Acme")
    invoice, memo = office.invoice(customer, "30.00", "1001"), office.credit_memo(customer, "50.00", "CM-1")
    office.run()
    parts = [office.part(f"Invoice:{invoice}", "30.00"), office.part(f"CreditMemo:{memo}", "-30.00")]
    actions.apply_credits(office.desk(), parts)
    office.run()
    assert Decimal(str(the_payment(office)["TotalAmt"])) == 0
    assert office.balance(invoice) == 0
    assert Decimal(str(office.keeper.get("CreditMemo", memo)["RemainingCredit"])) == 20
    assert office.item(f"CreditMemo:{memo}").open_minor == -2000
    ended_well(office)


@case(9)
def test_a_journal_credit_is_applied(office, number):
    customer = office.customer("Acme")
    invoice = office.invoice(customer, "30.00", "1001")
    entry = office.keeper.create_journal_entry(
        [("Debit", "income", "50.00"), ("Credit", "receivable:USD", "50.00", customer)],
        date=TODAY.isoformat(),
    )["Id"]
    office.run()
    credit = f"JournalEntry:{entry}:1"
    actions.apply_credits(
        office.desk(), [office.part(f"Invoice:{invoice}", "30.00"), office.part(credit, "-30.00")]
    )
    office.run()
    assert office.balance(invoice) == 0
    assert lines_of(the_payment(office)) == {("Invoice", invoice): 30, ("JournalEntry", entry): 30}
    assert office.item(credit).open_minor == -2000, "the entry states no balance: it is computed"
    ended_well(office)


@case(10)
def test_an_unapplied_payment_is_applied(office, number):
    customer = office.customer("Acme")
    first, second = office.invoice(customer, "60.00", "1001"), office.invoice(customer, "40.00", "1002")
    old = office.keeper.create_payment(customer, "100.00", [("Invoice", first, "60.00")], reference="CHK 9")[
        "Id"
    ]
    office.run()
    actions.apply_payment(
        office.desk(), office.item(f"Payment:{old}").id, [office.part(f"Invoice:{second}", "25.00")]
    )
    office.run()
    payment = the_payment(office)
    assert lines_of(payment) == {("Invoice", first): 60, ("Invoice", second): 25}
    assert (Decimal(str(payment["UnappliedAmt"])), payment["PaymentRefNum"]) == (15, "CHK 9")
    ended_well(office)


@case(11)
def test_a_thousand_lines_of_odd_cents(office, number):
    customer = office.customer("Acme")
    sizes = [Decimal(n % 97 * 11 + 10) / 100 for n in range(1000)]
    on = {"date": "2026-11-01", "due": "2026-12-01"}
    invoices = [
        office.keeper.create_invoice(customer, str(size), number=f"N{n:05d}", **on)["Id"]
        for n, size in enumerate(sizes)
    ]
    office.statement(Line(str(sum(sizes)), "ALL OF NOVEMBER", "ACME"))
    office.run()
    assert {number for _, number in lines_of(the_payment(office))} == set(invoices)
    assert (
        sum(lines_of(the_payment(office)).values())
        == sum(sizes)
        == Decimal(str(the_payment(office)["TotalAmt"]))
    )
    (body,) = sent_bodies(office)
    assert f'"TotalAmt":{sum(sizes)}' in body
    amounts = json.loads(body, parse_float=str, parse_int=str)
    assert [line["Amount"] for line in amounts["Line"]] == [f"{size:.2f}" for size in sizes]
    assert '"Amount":"' not in body, "numbers, not text"
    ended_well(office)


@case(22)
def test_a_receipt_dated_in_closed_books(office, number):
    customer = office.customer("Acme")
    invoice = office.invoice(customer, "98.00", "1001", days_ago=60)
    office.keeper.set_closing_date("2026-10-31")
    office.statement(Line("98.00", "INVOICE 1001", "ACME", on=TODAY.replace(month=10, day=30)))
    ran = office.run()
    assert (ran.written.sent, office.queued().reason) == (0, "closed period")
    assert (office.payments(), office.keeper.all("CreditMemo")) == ([], [])
    assert office.balance(invoice) == 98
    ended_well(office)


@case(22)
@pytest.mark.parametrize("switch", ["6210", "5010"])
def test_the_books_are_closed_while_it_is_written(office, number, meanwhile, switch):
    """A discount and a payment: the platform closes between our look and our calls; nothing stays half-written."""
    term = office.keeper.create_term("2/10 net 30", 30, discount_percent=2, discount_days=10)["Id"]
    invoice = office.invoice(
        office.customer("Acme"), "100.00", "1001", days_ago=5, SalesTermRef={"value": term}
    )
    office.simulator.switches.closed_period = switch
    office.statement(Line("98.00", "INVOICE 1001", "ACME"))
    meanwhile(writing, "_send", lambda: office.keeper.set_closing_date(TODAY.isoformat()))
    office.run()
    assert [q.reason for q in office.queue()] == ["closed period"]
    assert (office.payments(), office.keeper.all("CreditMemo"), office.balance(invoice)) == ([], [], 100)
    ended_well(office)


@case(22)
def test_the_policy_may_date_it_on_the_first_open_day(office, number):
    invoice = office.invoice(office.customer("Acme"), "98.00", "1001", days_ago=60)
    office.policy('[closed_period]\nreceipts = "first open date"\n')
    office.keeper.set_closing_date("2026-10-31")
    office.statement(Line("98.00", "INVOICE 1001", "ACME", on=TODAY.replace(month=10, day=30)))
    office.run()
    assert (the_payment(office)["TxnDate"], office.balance(invoice)) == ("2026-11-01", 0)
    ended_well(office)


@case(23)
def test_a_customer_abroad(platform, tmp_path, number):
    folder = tmp_path / "abroad"
    url = f"sqlite:///{folder}/arsync.sqlite"
    office = make_office(platform, url, folder, multicurrency=True, exchange_rates={"EUR": Decimal("1.25")})
    paris = office.customer("Ateliers Réunis SARL", currency="EUR")
    invoice = office.invoice(paris, "400.00", "1002")
    office.mode("auto")
    office.statement(Line("400.00", "INVOICE 1002", "ATELIERS REUNIS SARL"))
    ran = office.run()
    stated = office.keeper.get("Invoice", invoice)
    assert (stated["Balance"], stated["HomeBalance"]) == (400, 500)
    assert office.item(f"Invoice:{invoice}").open_minor == 40000
    report = aging_report(office.store, office.ledger, TODAY, now=office.clock.now_is)
    assert [(t.currency, t.total_minor) for t in report.totals] == [("EUR", 40000)]
    assert (ran.written.sent, ran.before.state, office.queued().reason) == (0, "proven", "currency mismatch")
    with pytest.raises(UsageError, match="is in EUR, the money in USD"):
        actions.apply(office.desk(), office.queued().id, [office.part(f"Invoice:{invoice}", "400.00")])
    office.run()
    assert (office.payments(), sent_bodies(office)) == ([], [])
    office.house.store.close()


@case(24)
def test_thirty_calls_in_one_request_of_which_seven_fail(office, number, meanwhile):
    owned = {}
    for n in range(30):
        customer = office.customer(f"Customer {n:02d}")
        owned[office.invoice(customer, "10.00", f"{2000 + n}")] = customer
    office.statement(*(Line("10.00", f"INVOICE {2000 + n}", f"CUSTOMER {n:02d}") for n in range(30)))
    bad = list(owned)[::4][:7]

    def trouble():
        for invoice in bad[:4]:
            office.keeper.create_payment(owned[invoice], "10.00", [("Invoice", invoice, "10.00")])
        for invoice in bad[4:]:
            office.keeper.void("Invoice", invoice)

    meanwhile(writing, "_send", trouble)
    ran = office.run()
    batches = [r for r in office.simulator.requests if r.path.endswith("/batch")]
    assert len(batches) == 1
    assert (ran.written.sent, ran.written.confirmed, ran.written.failed) == (30, 23, 7)
    queued = [q for q in office.queue() if q.subject.startswith("receipt:")]
    assert len(queued) == 7
    assert len({q.detail for q in queued}) == 7, "each with its own reason"
    ended_well(office)
    assert len(office.ours()) == 23
    assert len([r for r in office.simulator.requests if r.path.endswith("/batch")]) == 1
