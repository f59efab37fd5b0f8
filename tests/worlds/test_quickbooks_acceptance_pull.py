"""Acceptance of reading QuickBooks: cases that expose a toy connector, each under its own words."""

import json
from bisect import insort
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from arsync.connectors.quickbooks import query
from arsync.connectors.quickbooks.sdk import Company
from arsync.errors import ConsentLost, UsageError
from arsync.simulators.quickbooks import BulkInvoice, door, rendering, wire
from arsync.store import audit, books, office, proofs, tables
from arsync.store.vault import StoredTokens
from arsync.sync import behind, connect, report
from arsync.sync.proof import prove
from arsync.sync.pull import pull
from tests.worlds.office import REALM, Line

ODD_NAME = "O'Brien \\ Sons' & Co"


def case(number, text):
    """The case's own words as the id of the test."""
    return pytest.mark.parametrize("case_", [pytest.param(None, id=f"{number}. {text}")])


def bulk(office, customer, count, first=0):
    return office.keeper.add_invoices(
        BulkInvoice(customer, 100_00 + n, "2026-11-01", "2026-12-01", f"B{first + n}") for n in range(count)
    )


def asked(office, word=""):
    """Reads of the company's books, without sign-in."""
    return [
        r for r in office.simulator.requests
        if "/oauth2/" not in r.path and word in f"{r.path} {json.dumps(r.query)}"
    ]  # fmt: skip


def signed_in_anew(office):
    connect.keep_tokens(office.house, office.ledger.connection_id, office.new_tokens())


def count(office, table, *where):
    with office.store.read() as conn:
        return conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one()


def proven(office):
    """Per customer and against the control account, to the cent, by our own proof and by the simulator's books."""
    job = office.job()
    proof = prove(job, changed=True)
    job.connector.close()
    assert (proof.state, proof.differences, proof.stopped, proof.moved) == ("proven", (), "", frozenset())
    office.agrees()


def differences(office):
    with office.store.read() as conn:
        return proofs.standing(conn, office.ledger.id)


@pytest.mark.slow
@case(1, "2,350 invoices, default client -> all pulled, read calls <= 4")
def test_case_1(quick_office, monkeypatch, case_):
    office = quick_office
    made = bulk(office, office.customer("Acme"), 2350)
    statements, real = [], Company.query
    monkeypatch.setattr(Company, "query", lambda self, text: statements.append(text) or real(self, text))
    office.run()
    assert count(office, tables.item, tables.item.c.kind == "invoice") == len(made) == 2350
    assert 1 <= sum("FROM Invoice" in text for text in statements) <= 4
    proven(office)


@case(12, "Customer \"O'Brien \\ Sons' & Co\" looked up; no injection, right row")
def test_case_12(quick_office, case_):
    office = quick_office
    odd = office.customer(ODD_NAME)
    trap = office.customer("x\\' OR Active = 'y")
    office.invoice(odd, "250.00", "1001")
    office.invoice(trap, "80.00", "1002")
    connector = office.job().connector
    for number, name in ((odd, ODD_NAME), (trap, "x\\' OR Active = 'y")):
        statement = query.select("Customer", query.equals("DisplayName", name))
        rows = connector._company.query(statement)["QueryResponse"]["Customer"]
        assert [row["Id"] for row in rows] == [number]
    connector.close()
    office.mode("auto")
    office.statement(Line("250.00", "INVOICE 1001", "OBRIEN SONS AND CO"))
    office.run()
    lines = report.aging_report(office.store, office.ledger, office.today(), now=office.clock.now()).lines
    assert [(line.customer, line.total_minor) for line in lines] == [("x\\' OR Active = 'y", 80_00)]
    proven(office)


@case(13, "Inactive customer with open invoice -> still aged")
def test_case_13(quick_office, case_):
    office = quick_office
    customer = office.customer("Acme")
    office.invoice(customer, "250.00", "1001")
    office.run()
    office.clock.sleep(3600)
    office.keeper.deactivate("Customer", customer)
    office.run()
    lines = report.aging_report(office.store, office.ledger, office.today(), now=office.clock.now()).lines
    assert [(line.customer, line.total_minor) for line in lines] == [("Acme", 250_00)]
    proven(office)


@case(14, "Parent + sub-customers: aging total not doubled")
def test_case_14(quick_office, case_):
    office = quick_office
    parent = office.customer("Cascade Group")
    child = office.customer("Cascade Inn", parent=parent)
    grandchild = office.customer("Cascade Inn Bar", parent=child, BillWithParent=True)
    for owner, amount in ((parent, "10.00"), (child, "85.00"), (grandchild, "5.05")):
        office.invoice(owner, amount, "")
    office.run()
    proven(office)
    aged = report.aging_report(office.store, office.ledger, office.today(), now=office.clock.now())
    assert [total.total_minor for total in aged.totals] == [100_05]
    assert sorted(line.total_minor for line in aged.lines) == [5_05, 10_00, 85_00]


@pytest.mark.slow
@case(15, "CDC returns 1,000 of 1,700 changes -> nothing lost")
@pytest.mark.parametrize("cap", ["entity", "call"])
def test_case_15(quick_office, case_, cap):
    office = quick_office
    office.simulator.switches.cdc_cap = cap
    customer = office.customer("Acme")
    old = office.invoice(customer, "77.00", "OLD")
    office.run()
    office.clock.sleep(3600)
    made = bulk(office, customer, 1700)
    paid = office.keeper.create_payment(customer, "100.00", [("Invoice", made[0], "100.00")])["Id"]
    office.keeper.delete("Invoice", old)
    office.clock.sleep(3600)
    office.run()
    assert count(office, tables.item, tables.item.c.kind == "invoice", tables.item.c.gone.is_(False)) == 1700
    assert office.item(f"Payment:{paid}").open_minor == 0
    assert office.item(f"Invoice:{old}").gone
    proven(office)
    office.clock.sleep(3600)
    office.simulator.requests.clear()
    assert not office.run().changed
    assert len(asked(office)) == 2, "afterwards the feed is at rest again"


@case(16, "Host off for 45 days -> full resync incl. deletes, no duplicates")
def test_case_16(quick_office, case_):
    office = quick_office
    customer, other = office.customer("Acme"), office.customer("Bolt")
    gone, kept, edited = (office.invoice(customer, f"{n}00.00", f"100{n}") for n in (1, 2, 3))
    paid = office.keeper.create_payment(customer, "50.00", [("Invoice", kept, "50.00")])["Id"]
    office.run()
    office.clock.pass_days(10)
    office.keeper.delete("Invoice", gone)
    office.keeper.delete("Payment", paid)
    office.keeper.edit("Invoice", edited, PrivateNote="moved")
    new = office.invoice(other, "12.34", "1009")
    office.clock.pass_days(35)
    signed_in_anew(office)
    office.run()
    assert office.item(f"Invoice:{gone}").gone
    assert office.item(f"Payment:{paid}").gone
    assert office.item(f"Invoice:{kept}").open_minor == 200_00
    assert office.item(f"Invoice:{new}").open_minor == 12_34
    assert count(office, tables.item) == 5
    proven(office)
    office.clock.sleep(3600)
    before = office.rows()
    office.run()
    assert office.changed_rows(before) == set()


def at_night(office, monkeypatch, *, offsets):
    """The night in which Pacific time is set back, 2027-11-07: half past one comes twice."""
    if not offsets:
        for module in (door, rendering):
            monkeypatch.setattr(module, "pacific", lambda second: wire.pacific(second)[:-6])
        monkeypatch.setattr(door, "pacific_millis", lambda moment: wire.pacific_millis(moment)[:-6])
    office.clock.now_is = datetime(2027, 11, 6, 12, 0, tzinfo=UTC)
    signed_in_anew(office)


@case(17, "DST night and offset-less clock -> no change lost or doubled")
@pytest.mark.parametrize("offsets", [True, False], ids=["with offsets", "without offsets"])
def test_case_17(quick_office, monkeypatch, case_, offsets):
    office = quick_office
    at_night(office, monkeypatch, offsets=offsets)
    customer = office.customer("Acme")
    one, two = office.invoice(customer, "100.00", "1"), office.invoice(customer, "200.00", "2")
    office.run()
    paid = []
    for invoice, amount, hour, minute in ((one, "40.00", 8, 30), (two, "70.00", 9, 15)):
        # 08:30 UTC is 01:30 in summer time, 09:15 UTC is 01:15 in winter time: later, although the clock says less.
        office.clock.now_is = datetime(2027, 11, 7, hour, minute, tzinfo=UTC)
        paid.append(office.keeper.create_payment(customer, amount, [("Invoice", invoice, amount)])["Id"])
        office.clock.sleep(600)
        office.run()
        assert office.item(f"Payment:{paid[-1]}").open_minor == 0, "the change of this hour arrived"
    assert [office.item(f"Invoice:{i}").open_minor for i in (one, two)] == [60_00, 130_00]
    assert count(office, tables.item) == 4
    assert count(office, tables.application) == 4, "two rows each, none doubled"
    since = [r.query["changedSince"] for r in asked(office, "/cdc")]
    assert since
    assert all(datetime.fromisoformat(text).tzinfo is not None for text in since)
    proven(office)


@pytest.mark.slow
@case(17, "a load of many pages without offsets loses nothing either")
def test_case_17_paging(quick_office, monkeypatch, case_):
    office = quick_office
    at_night(office, monkeypatch, offsets=False)
    customer = office.customer("Acme")
    for part in range(3):
        office.clock.sleep(60)
        bulk(office, customer, 800, first=800 * part)
    office.run()
    assert count(office, tables.item) == 2400
    proven(office)


@case(18, "Voided invoice with applied payment -> payment shown unapplied, exception raised, aging right")
def test_case_18(quick_office, case_):
    office = quick_office
    customer = office.customer("Acme")
    invoice = office.invoice(customer, "250.00", "1001")
    office.mode("auto")
    office.statement(Line("250.00", "INVOICE 1001", "ACME"))
    office.run()
    (payment,) = office.payments()
    office.clock.sleep(3600)
    office.keeper.void("Invoice", invoice)
    office.run()
    assert office.item(f"Payment:{payment['Id']}").open_minor == -250_00
    assert office.item(f"Invoice:{invoice}").open_minor == 0
    (queued,) = [q for q in office.queue("books disagree") if q.subject.startswith("payment:")]
    assert f"Payment:{payment['Id']}" in queued.detail
    aged = report.aging_report(office.store, office.ledger, office.today(), now=office.clock.now())
    assert [(total.total_minor, total.credits_minor) for total in aged.totals] == [(-250_00, -250_00)]
    proven(office)


@case(19, 'False CDC "Deleted" -> no reversal of cash')
def test_case_19(quick_office, case_):
    office = quick_office
    customer = office.customer("Acme")
    invoice = office.invoice(customer, "250.00", "1001")
    payment = office.keeper.create_payment(customer, "100.00", [("Invoice", invoice, "100.00")])["Id"]
    office.run()
    office.clock.sleep(3600)
    for kind, number in (("Payment", payment), ("Invoice", invoice), ("Customer", customer)):
        office.keeper.tell_false_deletion(kind, number)
    before = office.rows()
    office.run()
    assert not office.item(f"Payment:{payment}").gone
    assert office.item(f"Invoice:{invoice}").open_minor == 150_00
    # The rows have a newer time of change, nothing else: no cash moved, and nothing was reversed for a moment.
    assert office.changed_rows(before) <= {"item", "customer", "raw"}
    office.keeper.delete("Payment", payment)
    office.clock.sleep(60)
    office.run()
    assert office.item(f"Payment:{payment}").gone, "a true deletion still counts"
    assert office.item(f"Invoice:{invoice}").open_minor == 250_00
    office.keeper.clear_false_deletions()


@case(20, "429 storm with XML body -> backs off, finishes, never more than 10/s or 40 batches/min")
def test_case_20(quick_office, case_):
    office = quick_office
    office.simulator.switches.rate_limits = True
    office.simulator.switches.throttle = "xml_429"
    customers = [office.customer(f"Customer {n}") for n in range(12)]
    for n, customer in enumerate(customers):
        office.invoice(customer, f"{100 + n}.00", f"INV-{n}")
    office.mode("auto")
    office.statement(*(Line(f"{100 + n}.00", f"INV-{n}", f"CUSTOMER {n}") for n in range(12)))
    office.simulator.requests.clear()
    office.simulator.faults.add("GET /cdc", "xml_429", times=2)
    office.simulator.faults.add("/query", "xml_429", times=3, skip=2)
    office.simulator.faults.add("POST /payment", "xml_429", times=2, skip=1)
    office.run_until_idle()
    log = [r for r in office.simulator.requests if "/oauth2/" not in r.path]
    scripted = sum(r.status == 429 for r in log)
    assert 1 <= scripted <= 7, "none but the scripted ones: we never ran into the limits ourselves"
    times = [r.time for r in log]
    for first in times:
        assert sum(timedelta(0) <= t - first < timedelta(seconds=1) for t in times) <= 10
    batches = [r.time for r in log if r.path.endswith("/batch")]
    for first in batches:
        assert sum(timedelta(0) <= t - first < timedelta(minutes=1) for t in batches) <= 40
    assert {r.state for r in office.receipts()} == {"applied"}
    office.adds_up()
    office.agrees()


class Killed(BaseException):
    """The process ends here."""


@case(
    21,
    "Refresh token rotated, process killed before commit -> next run still connects or says exactly what to do",
)
@pytest.mark.parametrize(
    "grace_s", [0, 86_400], ids=["the old token is dead at once", "the old token lives a day"]
)
def test_case_21(quick_office, monkeypatch, case_, grace_s):
    office = quick_office
    office.invoice(office.customer("Acme"), "250.00", "1001")
    office.run()
    office.simulator.switches.refresh_rotation = "each"
    office.simulator.switches.old_refresh_grace_s = grace_s
    office.clock.sleep(3600)
    with monkeypatch.context() as patch:
        patch.setattr(StoredTokens, "save", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            office.run()
    if grace_s:
        assert office.run().before.state in {"proven", "not due"}
        return
    with pytest.raises(ConsentLost) as lost:
        office.run()
    assert "no longer accepts our sign-in" in lost.value.what
    assert (
        lost.value.do
        == "an administrator of the company connects again: arsync connect quickbooks --name quickbooks"
    )
    signed_in_anew(office)
    office.run()
    proven(office)


def hidden(office, kind, number):
    """Let the change feed forget a document: as if it had been changed before we looked last."""
    core = office.company.core
    record, log = core.records[kind][number], core.changes[kind]
    log[:] = [entry for entry in log if entry[2] != number]
    record.updated_s -= 40 * 86_400
    record.text = None
    insort(log, (record.updated_s, record.change, number))


def shown_again(office, kind, number):
    """Let the change feed show it after all."""
    core = office.company.core
    record = core.records[kind][number]
    core.announce(record)


@case(
    25,
    "Nightly tie-out: per-customer store balance = AgedReceivables to the cent; an injected unlinked deposit line "
    "on A/R is reported, not hidden",
)
def test_case_25(quick_office, case_):
    office = quick_office
    acme, bolt = office.customer("Acme"), office.customer("Bolt")
    office.invoice(acme, "250.00", "1001")
    office.invoice(bolt, "99.99", "1002")
    office.run()
    proven(office)
    office.clock.pass_days(1)
    deposit = office.keeper.create_deposit(straight=[(acme, "40.01")], date=office.today().isoformat())["Id"]
    ran = office.run()
    assert ran.before.state == "proven"
    (line,) = report.unapplied_report(office.store, office.ledger, office.clock.now()).lines
    assert (line.state, line.reference) == ("unapplied deposit", f"Deposit {deposit}")
    assert (line.customer, line.amount_minor, line.arrived) == ("Acme", 40_01, office.today())
    proven(office)


@case(25, "a deposit line that the change feed never showed is found by the proof, to the cent, by name")
def test_case_25_lost(office, case_):
    acme = office.customer("Acme")
    office.invoice(acme, "250.00", "1001")
    office.run()
    office.clock.pass_days(1)
    deposit = office.keeper.create_deposit(straight=[(acme, "40.01")], date=office.today().isoformat())["Id"]
    hidden(office, "Deposit", deposit)
    ran = office.run()
    assert not ran.pulled.item_ids, (
        "the feed shows accounts and the customer, whose balances moved, not the deposit"
    )
    assert ran.before.state == "proven", "it was read again, and the books agree"
    assert office.item(f"Deposit:{deposit}:1").open_minor == -40_01
    assert ran.before.moved == {office.item(f"Deposit:{deposit}:1").id}
    with office.store.read() as conn:
        (told,) = [
            e for e in audit.history(conn, office.ledger.id, "ledger") if e["what"] == "lost change found"
        ]
    assert told["body"]["documents"] == [f"Deposit:{deposit}"]
    proven(office)


@case(25, "what is posted to A/R by a kind that is not read is named in the difference, to the cent")
def test_case_25_unread_kind(quick_office, case_, monkeypatch):
    from arsync.connectors.quickbooks import pull as reading

    office = quick_office
    acme = office.customer("Acme")
    office.invoice(acme, "250.00", "1001")
    office.run()
    office.clock.pass_days(1)
    # A connector of before deposits were read: a deposit then stands for every kind that is not read.
    for module, name, value in (
        (reading, "ENTITIES", tuple(e for e in reading.ENTITIES if e != "Deposit")),
        (reading, "_DELETABLE", tuple(e for e in reading._DELETABLE if e != "Deposit")),
    ):
        monkeypatch.setattr(module, name, value)
    deposit = office.keeper.create_deposit(straight=[(acme, "40.01")], date=office.today().isoformat())["Id"]
    ran = office.run()
    assert ran.before.state == "differs"
    found = differences(office)[(office.customer_id(acme), "USD")]
    assert found.unexplained_minor == 40_01
    assert f"Deposit {deposit} of {office.today()} is USD 0.00 here and USD -40.01 there" in found.source
    assert "not read" in found.source
    (queued,) = [q for q in office.queue("books disagree") if q.customer_id == found.customer_id]
    assert f"Deposit {deposit}" in queued.detail
    before = office.rows()
    office.clock.sleep(3600)
    office.run()
    assert office.changed_rows(before) == set(), "a difference that stands is not written again"
    with office.store.read() as conn:
        events = audit.history(conn, office.ledger.id, "ledger")
    assert Counter(e["what"] for e in events)["proof"] >= 1


# ---- beside the cases: a merge, foreign customers, fields nobody announced


@pytest.mark.parametrize(
    "silently", [False, True], ids=["the feed shows the documents", "the feed shows only the customer"]
)
def test_a_merged_customer_hands_its_items_over_and_nothing_is_doubled(office, silently):
    loser, winner = office.customer("Acme Ltd"), office.customer("Acme Limited")
    invoice, paid = office.invoice(loser, "250.00", "1001"), office.invoice(loser, "30.00", "1000")
    payment = office.keeper.create_payment(loser, "35.00", [("Invoice", paid, "30.00")])["Id"]
    office.invoice(winner, "10.00", "1002")
    office.run()
    office.clock.sleep(3600)
    office.keeper.merge_customers(loser, winner)
    if silently:
        for kind, number in (("Invoice", invoice), ("Invoice", paid), ("Payment", payment)):
            hidden(office, kind, number)
    office.run()
    lines = report.aging_report(office.store, office.ledger, office.today(), now=office.clock.now()).lines
    assert [(line.customer, line.total_minor) for line in lines] == [("Acme Limited", 255_00)]
    assert office.item(f"Invoice:{paid}").customer_id == office.customer_id(winner), "settled ones too"
    proven(office)


def test_a_property_nobody_announced_is_kept_and_told(quick_office):
    office = quick_office
    office.simulator.switches.extra_read_fields = {"Invoice": {"Mood": {"value": "good"}}}
    invoice = office.invoice(office.customer("Acme"), "250.00", "1001")
    office.run()
    office.simulator.switches.extra_read_fields = {}
    with office.store.read() as conn:
        told = [row.name for row in office_unknown(conn, office)]
        raw = books.raw_of(conn, office.job().place(), [books.item_ref(f"Invoice:{invoice}")])
    assert told == ["Invoice.Mood"]
    assert json.loads(raw[books.item_ref(f"Invoice:{invoice}")])["Mood"] == {"value": "good"}
    assert office.queue() == []


def office_unknown(conn, at):
    return office.unknown_fields(conn, at.ledger.connection_id)


def test_a_pull_that_heeds_a_message_says_so_and_a_message_meanwhile_stays(quick_office):
    office_ = quick_office
    office_.run()
    from arsync.sync.hear import hear

    assert hear(office_.house, "quickbooks", frozenset({REALM, "another"})) == 1
    assert hear(office_.house, "quickbooks", frozenset({"another"})) == 0

    def waits():
        with office_.store.read() as conn:
            return office.unheeded(office.connection_row(conn, office_.ledger.connection_id))

    assert waits()
    job = office_.job()
    real = job.connector.pull

    def interrupted(want):
        yield from real(want)
        hear(office_.house, "quickbooks", None)

    job.connector.pull = interrupted
    pull(job)
    job.connector.close()
    assert waits(), "it came after the pull began"
    office_.run()
    assert not waits()


def test_foreign_customers_are_proved_in_their_own_currency(platform, tmp_path):
    from tests.worlds.office import make_office

    folder = tmp_path / "abroad"
    rates = {"EUR": Decimal("1.25"), "KWD": Decimal("3.26")}
    office = make_office(
        platform, f"sqlite:///{folder}/arsync.sqlite", folder, multicurrency=True, exchange_rates=rates
    )
    paris, home = office.customer("Ateliers Réunis SARL", currency="EUR"), office.customer("Northwind")
    office.invoice(paris, "400.00", "1002")
    office.invoice(home, "10.00", "1003")
    assert office.run().before.state == "proven"
    office.clock.pass_days(1)
    credit = office.keeper.create_credit_memo(paris, "15.00", date=office.today().isoformat(), number="C-1")[
        "Id"
    ]
    hidden(office, "CreditMemo", credit)
    office.invoice(home, "5.00", "1004")
    ran = office.run()
    assert ran.before.state == "differs"
    found = differences(office)[(office.customer_id(paris), "EUR")]
    assert (found.ours_minor, found.theirs_minor) == (400_00, 385_00)
    assert found.customer_id in ran.before.held
    shown_again(office, "CreditMemo", credit)
    assert office.run().before.state == "proven"
    office.house.store.close()


def test_applying_an_old_payment_moves_a_reported_aging_and_the_report_says_which_documents(quick_office):
    office = quick_office
    customer = office.customer("Acme")
    invoice = office.invoice(customer, "250.00", "1001", days_ago=30)
    paid_on = (office.today() - timedelta(days=25)).isoformat()
    payment = office.keeper.create_payment(customer, "100.00", [], date=paid_on)["Id"]
    office.run()
    day = office.today()
    office.clock.pass_days(20)
    office.keeper.apply(payment, "Invoice", invoice, "100.00")
    late = office.invoice(customer, "9.00", "1002", days_ago=25)
    office.run()
    made = report.restated_report(office.store, office.ledger, day, now=office.clock.now())
    then = report.aging_report(office.store, office.ledger, day, now=office.clock.now(), known_on=day)
    now = report.aging_report(office.store, office.ledger, day, now=office.clock.now())
    assert {line.document: (line.then_minor, line.now_minor) for line in made.lines} == {
        f"Invoice {invoice}": (250_00, 150_00),
        f"Payment {payment}": (-100_00, 0),
        f"Invoice {late}": (0, 9_00),
    }
    whys = {line.document: line.why for line in made.lines}
    assert (
        whys[f"Invoice {invoice}"] == f"Payment {payment} counts from {paid_on}, known here {office.today()}"
    )
    assert whys[f"Invoice {late}"] == "entered later"
    (total,) = made.totals
    assert (total.then_minor, total.now_minor) == (then.totals[0].total_minor, now.totals[0].total_minor)
    with pytest.raises(UsageError, match="nothing was known"):
        report.restated_report(office.store, office.ledger, day - timedelta(days=5), now=office.clock.now())


def lost_deposit(office):
    """A deposit on receivables that the change feed never shows."""
    acme = office.customer("Acme")
    office.invoice(acme, "250.00", "1001")
    office.run()
    office.clock.pass_days(1)
    deposit = office.keeper.create_deposit(straight=[(acme, "40.01")], date=office.today().isoformat())["Id"]
    hidden(office, "Deposit", deposit)


def test_a_report_of_documents_that_cannot_be_had_stops_nothing(quick_office):
    office = quick_office
    lost_deposit(office)
    office.simulator.faults.add("GET /reports/CustomerBalanceDetail", "fault_in_200", times=9)
    ran = office.run()
    (found,) = [d for d in ran.before.differences if d.customer_id]
    assert (found.unexplained_minor, ran.before.state) == (40_01, "differs")
    assert ran.before.held == {found.customer_id}


def test_the_question_for_documents_waits_when_the_months_reads_run_out(quick_office):
    office = quick_office
    lost_deposit(office)
    with office.store.begin() as conn:
        values = {"connection_id": 1, "month": "2026-11", "what": "quickbooks.read", "count": 19_500}
        conn.execute(tables.meter.delete())
        conn.execute(tables.meter.insert().values(**values))
    office.simulator.requests.clear()
    ran = office.run()
    assert ran.before.state == "differs"
    assert not asked(office, "CustomerBalanceDetail")


def test_more_customers_than_one_question_holds_are_not_taken_for_empty(quick_office, monkeypatch):
    office = quick_office
    monkeypatch.setattr(behind, "_MOST_CUSTOMERS", 2)
    monkeypatch.setattr(behind, "_A_QUESTION", 1)
    customers = [office.customer(f"Customer {n}") for n in range(4)]
    for n, customer in enumerate(customers):
        office.invoice(customer, "100.00", f"{n}")
    office.run()
    office.clock.pass_days(1)
    for customer in customers:
        made = office.keeper.create_deposit(straight=[(customer, "1.00")], date=office.today().isoformat())[
            "Id"
        ]
        hidden(office, "Deposit", made)
    ran = office.run()
    assert len(ran.before.moved) == 2
    left = [d for d in ran.before.differences if d.customer_id]
    assert [d.unexplained_minor for d in left] == [1_00, 1_00]
    assert all("Invoice" not in d.source for d in left)
