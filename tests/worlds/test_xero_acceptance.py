"""The acceptance cases of the Xero connector, each under its own text."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import select

from arsync.connectors.contract import Bundle, Call, Fresh, PostReceipt, Pull, Ref, Settle
from arsync.connectors.xero import pull as pulling
from arsync.connectors.xero import send
from arsync.core.money import Money
from arsync.errors import ConsentLost, LedgerLocked, PlatformRefused, Throttled
from arsync.reports.writers import write
from arsync.simulators.xero import ALL_SCOPES
from arsync.simulators.xero.bookkeeper import BulkInvoice
from arsync.simulators.xero.refusals import OVER_OUTSTANDING
from arsync.store import books, tables
from arsync.sync import actions, connect
from arsync.sync import write as writing
from arsync.sync.fitting import fit
from arsync.sync.report import aging_report
from arsync.sync.run import run
from tests.worlds.office import Line
from tests.worlds.xero_office import settings, tokens_of, xero_office


@pytest.fixture
def at_xero(tmp_path):
    with xero_office(tmp_path) as made:
        made.mode("auto")
        yield made


def one_receipt(at_xero, amount="120.00", number="INV-1001", name="Harbor Freight"):
    invoice = at_xero.invoice(at_xero.customer(name), amount, number)
    at_xero.statement(Line(amount, number, payer=name.upper()))
    return invoice


def ends_well(at_xero):
    at_xero.run_until_idle()
    at_xero.adds_up()
    at_xero.agrees()


def test_01_response_to_put_payment_lost_after_commit_exactly_one_payment_exists_after_recovery(at_xero):
    one_receipt(at_xero)
    at_xero.simulator.faults.add("PUT /Payments", "lost_after_commit")
    at_xero.run()
    ends_well(at_xero)
    assert len(at_xero.payments()) == 1
    assert [r.state for r in at_xero.receipts()] == ["applied"]


def test_02_same_recovery_7_minutes_later_key_expired_still_one(at_xero):
    one_receipt(at_xero)
    at_xero.simulator.faults.add("PUT /Payments", "lost_after_commit", times=9)
    at_xero.run()
    at_xero.simulator.faults.clear()
    at_xero.clock.sleep(7 * 60)
    ends_well(at_xero)
    assert len(at_xero.payments()) == 1


def test_03_cached_400_replay_after_the_cause_is_fixed_succeeds_with_new_key(at_xero):
    revenue = next(a.id for a in at_xero.tenant.core.accounts.values() if a.type == "REVENUE")
    actions.map_bank_account(at_xero.desk("Ada"), "main", revenue)
    invoice = one_receipt(at_xero)
    at_xero.run()
    (row,) = [q for q in at_xero.queue() if q.subject.startswith("receipt:")]
    assert row.reason == "platform refused"
    actions.map_bank_account(at_xero.desk("Ada"), "main", at_xero.keeper.bank())
    actions.apply(at_xero.desk(), row.id, [at_xero.part(f"Invoice:{invoice}", "120.00")])
    at_xero.run()
    ends_well(at_xero)
    keys = [r.idempotency_key for r in at_xero.calls("PUT", "/Payments")]
    assert len(keys) == len(set(keys)) == 2
    assert at_xero.balance(invoice) == 0


def test_04_day_limit_429_retry_after_66975_run_ends_in_under_60_s_resumes_next_day_without_loss(at_xero):
    invoice = one_receipt(at_xero)
    at_xero.simulator.faults.add("GET /Invoices", "status_429_day")
    began = at_xero.clock.now_is
    with pytest.raises(Throttled, match="no more requests before"):
        at_xero.run()
    assert at_xero.clock.now_is - began < timedelta(seconds=60)
    at_xero.clock.pass_days(1)
    at_xero.run()
    ends_well(at_xero)
    assert at_xero.balance(invoice) == 0


def test_05_60_a_minute_burst_of_10000_invoices_no_429_storm_at_most_12_list_calls(at_xero):
    customer = at_xero.customer("Many")
    rows = []
    for number in range(10_000):
        rows.append(BulkInvoice(customer, 1000, at_xero.today(), at_xero.today(), f"B-{number}"))
    at_xero.keeper.add_invoices(rows)
    at_xero.simulator.requests.clear()
    connector = at_xero.job().connector
    pages = list(connector.pull(Pull(None)))
    lists = at_xero.calls("GET", "/Invoices")
    assert sum(len(page.records) for page in pages) >= 10_000
    assert len(lists) <= 12
    assert [r for r in at_xero.simulator.requests if r.status == 429] == []


def test_06_8_workers_at_token_expiry_one_refresh_old_and_new_token_survive_a_crash_mid_refresh(at_xero):
    at_xero.clock.sleep(31 * 60)
    at_xero.simulator.requests.clear()
    jobs = [at_xero.job() for _ in range(8)]
    threads = [threading.Thread(target=job.connector.probe) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(at_xero.calls("POST", "/connect/token")) == 1
    stored = connect.StoredTokens(at_xero.house.store, at_xero.house.vault, at_xero.ledger.connection_id)
    first = stored.load().refresh
    # A crash between Xero's answer and our saving it: the old token is still good for half an hour.
    at_xero.clock.sleep(31 * 60)
    at_xero.simulator.faults.add("POST /connect/token", "lost_after_commit")
    at_xero.run()
    assert stored.load().refresh != first


def test_07_two_tenants_two_apps_in_one_process_no_token_or_data_crossing(tmp_path):
    with xero_office(tmp_path / "a") as one:
        other = one.simulator.add_organisation("Second Company", country="US")
        app = one.simulator.add_app("second")
        credentials = {
            "xero": (one.app.client_id, one.app.client_secret),
            "xero.second": (app.client_id, app.client_secret),
        }
        house = replace(one.house, secrets=credentials.__getitem__)
        ada = one.desk("Ada").person
        second = connect.add_connection(
            house, "xero", "second", settings(one.url, other.organisation.id, app="second"), ada
        )
        granted = one.simulator.grant(app, other.organisation.id)
        connect.keep_tokens(house, second, tokens_of(granted, one.clock))
        connect.add_ledger(house, second, "second", ada)
        one.customer("Only In The First")
        other.books.contact("Only In The Second")
        one.simulator.requests.clear()
        results = {}

        def pull(connection_id, name):
            connector, _ = connect.open_connector(house, connection_id)
            results[name] = [r.value for page in connector.pull(Pull(None)) for r in page.records]

        threads = [
            threading.Thread(target=pull, args=(one.ledger.connection_id, "first")),
            threading.Thread(target=pull, args=(second, "second")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        names = {who: {getattr(v, "name", "") for v in values} for who, values in results.items()}
        assert "Only In The First" in names["first"]
        assert "Only In The First" not in names["second"]
        assert "Only In The Second" in names["second"]
        assert {r.status for r in one.simulator.requests} == {200}


def test_08_invoice_changes_while_page_3_of_7_is_read_not_lost(at_xero, monkeypatch):
    monkeypatch.setattr(pulling, "ROWS", 10)
    customer = at_xero.customer("Pages")
    numbers = []
    for number in range(70):
        at_xero.clock.sleep(2)
        numbers.append(at_xero.invoice(customer, "10.00", f"P-{number}"))
    pages, seen, edited = at_xero.job().connector.pull(Pull(None)), set(), False
    for page in pages:
        seen |= {r.ref.id for r in page.records if r.ref.id.startswith("Invoice:")}
        if len(seen) >= 30 and not edited:
            edited = True
            at_xero.clock.sleep(2)
            at_xero.keeper.edit(numbers[3], Reference="touched")
    assert edited
    assert seen == {f"Invoice:{number}" for number in numbers}


def test_09_due_date_moved_on_part_paid_invoice_in_the_ui_aging_corrected_after_the_sweep(at_xero):
    invoice = at_xero.invoice(at_xero.customer("Late"), "100.00", "INV-1")
    at_xero.keeper.pay(invoice, "40.00", date=at_xero.today().isoformat())
    at_xero.run_until_idle()
    at_xero.clock.sleep(600)
    at_xero.run_until_idle()
    at_xero.clock.sleep(600)
    moved = at_xero.today() + timedelta(days=45)
    at_xero.keeper.edit(invoice, DueDate=moved.isoformat())
    at_xero.run()
    assert at_xero.item(f"Invoice:{invoice}").due != moved, "the list told it after all"
    at_xero.clock.pass_days(1)
    at_xero.run()
    assert at_xero.item(f"Invoice:{invoice}").due == moved
    at_xero.agrees()


def test_10_voided_invoice_and_deleted_payment_in_xero_propagate_the_match_reopens(at_xero):
    paid = one_receipt(at_xero)
    voided = at_xero.invoice(at_xero.customer("Other"), "75.00", "INV-2002")
    at_xero.run_until_idle()
    (payment,) = at_xero.payments()
    at_xero.clock.sleep(60)
    at_xero.keeper.delete_payment(payment.id)
    at_xero.keeper.void(voided)
    at_xero.run()
    assert at_xero.item(f"Invoice:{paid}").open_minor == 12_000
    assert at_xero.item(f"Invoice:{voided}").open_minor == 0
    assert "deleted or voided" in at_xero.queue("books disagree")[0].detail
    at_xero.agrees()


@pytest.mark.parametrize("which", ["period", "year"])
def test_11_payment_dated_in_locked_period_queued_with_reason_zero_failed_writes_both_lock_fields(
    at_xero, which
):
    one_receipt(at_xero)
    at_xero.keeper.lock(**{which: at_xero.today().isoformat()})
    at_xero.run()
    assert [q.reason for q in at_xero.queue()] == ["closed period"]
    assert at_xero.calls("PUT") == []
    assert at_xero.payments() == []


def test_12_batch_of_50_with_3_invalid_47_applied_once_3_in_the_queue_with_xeros_own_text(
    at_xero, monkeypatch
):
    invoices = [
        at_xero.invoice(at_xero.customer(f"Customer {n:02}"), f"{100 + n}.00", f"INV-{3000 + n}")
        for n in range(50)
    ]
    at_xero.statement(
        *[Line(f"{100 + n}.00", f"INV-{3000 + n}", payer=f"CUSTOMER {n:02}") for n in range(50)]
    )
    core, real, told = at_xero.tenant.core, send._used_up, []

    def overtaken(tenant, calls):
        """Between our look and the write somebody pays three of them in the browser."""
        late = real(tenant, calls)
        for number in invoices[:3]:
            if core.papers[number].open_cents > 50_00:
                at_xero.keeper.pay(number, "60.00")
        return late

    def told_by(tenant, call, row, of=send._element_judged):
        told.append(of(tenant, call, row))
        return told[-1]

    monkeypatch.setattr(send, "_used_up", overtaken)
    monkeypatch.setattr(send, "_element_judged", told_by)
    at_xero.run()
    at_xero.run_until_idle()
    assert len([r for r in at_xero.receipts() if r.state == "applied"]) == 47
    assert len(at_xero.calls("PUT", "/Payments")) == 1, "one request for all fifty"
    assert [a.why.partition(",")[0] for a in told if a.outcome != "accepted"] == [
        f"Xero: {OVER_OUTSTANDING}"
    ] * 3
    queued = [q for q in at_xero.queue() if q.subject.startswith("receipt:")]
    assert [q.reason for q in queued] == ["stale record"] * 3
    assert all("left" in q.detail for q in queued), [q.detail for q in queued]
    at_xero.agrees()


@pytest.mark.parametrize("over", ["0.01", "500.00"])
def test_13_overpayment_by_a_cent_and_by_500_correct_object_no_amount_due_below_zero(at_xero, over):
    invoice = at_xero.invoice(at_xero.customer("Generous"), "120.00", "INV-1001")
    paid = Decimal("120.00") + Decimal(over)
    at_xero.statement(Line(str(paid), "INV-1001", payer="GENEROUS"))
    at_xero.run()
    if not at_xero.papers("Overpayment"):
        (row,) = [q for q in at_xero.queue() if q.subject.startswith("receipt:")]
        parts = [at_xero.part(f"Invoice:{invoice}", "120.00")]
        actions.apply(at_xero.desk(), row.id, parts, rest_on_account=True)
        at_xero.run()
    ends_well(at_xero)
    assert at_xero.balance(invoice) == 0
    (made,) = at_xero.papers("Overpayment")
    assert made.open_cents == int(Decimal(over) * 100)


def test_14_one_receipt_for_7_invoices_one_recbatch_one_reference_total_equals_bank_line(at_xero):
    customer = at_xero.customer("Seven")
    for number in range(7):
        at_xero.invoice(customer, f"{10 + number}.00", f"INV-{4000 + number}")
    text = " ".join(f"INV-{4000 + n}" for n in range(7))
    at_xero.statement(Line("91.00", text, payer="SEVEN"))
    at_xero.run()
    ends_well(at_xero)
    (batch,) = at_xero.batches()
    assert sum(p.cents for p in at_xero.payments()) == 9100
    assert "arsync:" in batch.reference
    assert len(at_xero.payments()) == 7


def test_16_credit_note_across_3_invoices_with_remainder_undo_restores(at_xero):
    customer = at_xero.customer("Credited")
    invoices = [at_xero.invoice(customer, "30.00", f"INV-{n}", days_ago=20 + n) for n in range(3)]
    note = at_xero.credit_memo(customer, "100.00", "CN-1")
    at_xero.run_until_idle()
    parts = [at_xero.part(f"Invoice:{n}", "30.00") for n in invoices] + [
        at_xero.part(f"CreditNote:{note}", "-90.00")
    ]
    actions.apply_credits(at_xero.desk(), parts, "agreed")
    at_xero.run()
    at_xero.run_until_idle()
    assert at_xero.balance(note) == 10
    assert all(at_xero.balance(n) == 0 for n in invoices)
    note_id = at_xero.item(f"CreditNote:{note}").id
    with at_xero.store.read() as conn:
        a = tables.application.c
        days = set(conn.execute(select(a.on_date).where(a.item_id == note_id)).scalars())
        newest = select(tables.decision.c.id).order_by(tables.decision.c.id.desc())
        decision_id = conn.execute(newest).scalars().first()
    assert days == {at_xero.today() - timedelta(days=10)}, "the later of the two documents' dates"
    at_xero.agrees()
    actions.undo(at_xero.desk("Max"), decision_id, "a mistake")
    at_xero.run()
    at_xero.run_until_idle()
    assert at_xero.balance(note) == 100
    at_xero.agrees()


def test_17_two_runs_cron_overlap_on_one_tenant_no_double_application(at_xero):
    one_receipt(at_xero)
    outcomes = []

    def work():
        try:
            outcomes.append(at_xero.run())
        except LedgerLocked as locked:
            outcomes.append(locked)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 2
    ends_well(at_xero)
    assert len(at_xero.payments()) == 1


def test_18_clerk_pays_in_the_ui_between_match_and_write_no_overpay_exception_raised(at_xero, monkeypatch):
    invoice = one_receipt(at_xero)
    original = send.send

    def paid_meanwhile(tenant, calls):
        if at_xero.balance(invoice) == 120:
            at_xero.keeper.pay(invoice, "100.00", date=at_xero.today().isoformat())
        return original(tenant, calls)

    monkeypatch.setattr(send, "send", paid_meanwhile)
    at_xero.run()
    assert at_xero.balance(invoice) == 20
    (row,) = [q for q in at_xero.queue() if q.subject.startswith("receipt:")]
    assert row.reason == "stale record"
    at_xero.run()
    at_xero.agrees()


@pytest.mark.parametrize(
    ("shown", "lost"),
    [
        pytest.param({"Status": "SIMMERING"}, 1, id="unknown enum"),
        pytest.param({"DueDate": None, "DueDateString": None}, 1, id="null date"),
        pytest.param({"SentToContact": "false"}, 0, id="quoted bool, which can be read"),
    ],
)
def test_19_unknown_enum_null_date_quoted_bool_in_1_of_1000_records_999_synced_1_quarantined(
    at_xero, shown, lost
):
    owner, today = at_xero.customer("Strange"), at_xero.today()
    invoices = at_xero.keeper.add_invoices(
        BulkInvoice(owner, 1000, today, today, f"S-{n}") for n in range(1000)
    )
    at_xero.keeper.strange(invoices[500], **shown)
    at_xero.run()
    queued = at_xero.queue("unreadable field")
    assert [q.subject.rpartition(":")[2] for q in queued] == invoices[500:501][:lost]
    with at_xero.store.read() as conn:
        assert len(books.present(conn, at_xero.ledger.connection_id, "item")) == 1000 - lost


def test_20_nz_org_utc_13_invoice_dated_1_jan_stays_1_jan_in_store_and_exports_today_by_org_zone(tmp_path):
    with xero_office(tmp_path, country="NZ") as made:
        made.clock.now_is = datetime(2026, 12, 31, 11, 30, tzinfo=UTC)  # half past midnight in Auckland
        connect.keep_tokens(made.house, made.ledger.connection_id, made.new_tokens())
        assert made.job().today().isoformat() == "2027-01-01"
        invoice = made.keeper.invoice(
            made.customer("Kiwi"), "10.00", date="2027-01-01", due="2027-01-31", number="N-1"
        )
        made.run()
        row = made.item(f"Invoice:{invoice['InvoiceID']}")
        assert (row.issued.isoformat(), row.due.isoformat()) == ("2027-01-01", "2027-01-31")
        day = made.ledger.day_of(made.clock.now_is)
        table = aging_report(made.store, made.ledger, day, now=made.clock.now_is).table()
        written = json.loads(write(table, tmp_path / "aging.json").path.read_text())
        assert written["as_of"] == "2027-01-01"


def test_21_archived_and_merged_contact_history_follows_merged_to_contact_id(at_xero):
    old, new = at_xero.customer("Old Name"), at_xero.customer("New Name")
    invoice = at_xero.invoice(old, "50.00", "INV-1")
    at_xero.run_until_idle()
    at_xero.clock.sleep(600)
    at_xero.keeper.merge(old, into=new)
    at_xero.run()
    at_xero.run_until_idle()
    assert at_xero.item(f"Invoice:{invoice}").customer_id == at_xero.customer_id(new)
    at_xero.agrees()


def test_23_user_disconnects_app_clear_state_no_retry_loop_other_tenants_go_on(at_xero):
    other = at_xero.simulator.add_organisation("Goes On", country="US")
    ada = at_xero.desk("Ada").person
    second = connect.add_connection(
        at_xero.house, "xero", "second", settings(at_xero.url, other.organisation.id), ada
    )
    granted = at_xero.simulator.grant(at_xero.app, other.organisation.id)
    connect.keep_tokens(at_xero.house, second, tokens_of(granted, at_xero.clock))
    ledger, _ = connect.add_ledger(at_xero.house, second, "second", ada)
    desk = at_xero.simulator.desk
    connection = desk.connection(at_xero.app.client_id, at_xero.tenant_id)
    desk.connections.pop(connection.id)
    at_xero.simulator.requests.clear()
    with pytest.raises(ConsentLost, match="does not let us into this organisation") as met:
        at_xero.run()
    assert "arsync connect xero" in met.value.do
    assert len(at_xero.simulator.requests) <= 3
    with connect.at_work(at_xero.house, ledger, lambda _step, _text: None) as job:
        assert run(job, at_xero.inbox).before.state == "proven"


@pytest.mark.parametrize("status", [401, 403])
def test_24_missing_payments_scope_read_works_write_disabled_with_named_cause(at_xero, status):
    at_xero.simulator.switches.missing_scope = status
    reading = (*(s for s in ALL_SCOPES if s != "accounting.payments"), "accounting.payments.read")
    granted = at_xero.simulator.grant(at_xero.app, at_xero.tenant_id, scopes=reading)
    connect.keep_tokens(at_xero.house, at_xero.ledger.connection_id, tokens_of(granted, at_xero.clock))
    one_receipt(at_xero)
    ran = at_xero.run()
    assert "accounting.payments" in ran.stopped
    assert at_xero.payments() == []
    assert "accounting.payments" in at_xero.job().connector.probe().warnings[-1]


def test_24_no_reports_role_reads_and_writes_as_ever(at_xero):
    """Nothing is read from a report, so a person without the right to reports may let arsync in."""
    granted = at_xero.simulator.grant(at_xero.app, at_xero.tenant_id, may_report=False)
    connect.keep_tokens(at_xero.house, at_xero.ledger.connection_id, tokens_of(granted, at_xero.clock))
    one_receipt(at_xero)
    assert at_xero.run().before.state == "proven"
    ends_well(at_xero)
    assert len(at_xero.payments()) == 1


def test_25_nightly_proof_sum_of_open_amount_due_by_contact_equals_ledger_and_a_hidden_difference_is_found(
    at_xero,
):
    customer = at_xero.customer("Proved")
    at_xero.invoice(customer, "100.00", "INV-1")
    at_xero.credit_memo(customer, "30.00", "CN-1")
    at_xero.keeper.overpayment(customer, "20.00", date=at_xero.today().isoformat())
    at_xero.invoice(at_xero.customer("Another"), "7.07", "INV-2")
    ran = at_xero.run()
    assert ran.before.state == "proven"
    assert ran.before.theirs_minor == {"USD": 5707}
    at_xero.agrees()
    granted = at_xero.simulator.grant(at_xero.app, at_xero.tenant_id)
    bearer = {"Authorization": f"Bearer {granted['access_token']}", "Accept": "application/json"}
    asked = f"{at_xero.url}/api.xro/2.0/Reports/AgedReceivablesByContact"
    report = httpx2.get(
        asked, params={"contactId": customer}, headers={"xero-tenant-id": at_xero.tenant_id, **bearer}
    )
    cells = [cell["Value"] for row in report.json()["Reports"][0]["Rows"][-1:] for cell in _cells(row)]
    assert "50.00" in cells, cells
    verdicts = [one.verdict for one in at_xero.simulator.requests]
    assert verdicts
    assert not any(verdicts)
    # A payment that was lost on its way into the store is found by name, and nothing more is written for that customer.
    with at_xero.store.begin() as conn:
        conn.execute(tables.item.update().where(tables.item.c.number == "INV-2").values(open_minor=700))
    at_xero.clock.pass_days(1)
    assert at_xero.run().before.state == "differs"


def _cells(row):
    return row.get("Cells", []) + [cell for inner in row.get("Rows", []) for cell in _cells(inner)]


def test_15_eur_invoice_into_usd_bank_account_amount_eur_bank_amount_usd_to_the_cent(tmp_path):
    with xero_office(tmp_path, currencies=("EUR",), rates={"EUR": "0.9137"}) as made:
        invoice = made.invoice(made.customer("Berliner"), "100.01", "INV-7", currency="EUR")
        made.run()
        ref, customer = Ref("item", f"Invoice:{invoice}"), made.tenant.core.papers[invoice].contact_id
        receipt = PostReceipt(
            Ref("customer", customer),
            made.today(),
            Money.of("100.01", "EUR"),
            (Settle(ref, Money.of("100.01", "EUR")),),
            reference="wire 7",
            deposit_account=made.keeper.bank(),
            banked=Money.of("109.47", "USD"),
        )
        (answer,) = written(made, receipt)
        assert answer.outcome == "accepted"
        assert b'"Amount":100.01,' in answer.call.body
        assert b'"BankAmount":109.47' in answer.call.body
        (payment,) = made.payments()
        assert (payment.cents, payment.bank_cents) == (10_001, 10_947)
        assert made.objections == []


def written(made, *intents):
    """Carry out intents past the outbox: what the connector plans and Xero answers."""
    connector, done = made.job().connector, []
    with made.store.read() as conn:
        facts = books.books_of(conn, made.ledger.id)
        fresh = Fresh(books.raw_of(conn, made.job().place(), writing.touched(intents)), facts)
    bundle = Bundle("test-1", 1, fit(intents, connector.manifest.writes, made.ledger.home_currency))
    while isinstance(call := connector.plan(bundle, fresh, done), Call):
        done += connector.send([call])
    assert call is None, call
    return done


def test_22_4_dp_unit_prices_and_per_line_tax_stored_totals_equal_xeros_lines_and_contact_persons_intact(
    at_xero,
):
    person = {
        "FirstName": "Ann",
        "LastName": "Payer",
        "EmailAddress": "ann@payer.test",
        "IncludeInEmails": True,
    }
    customer = at_xero.customer("Precise", ContactPersons=[person])
    lines = [
        {"Description": n, "Quantity": "3", "UnitAmount": "0.3333", "AccountCode": "200", "TaxType": "OUTPUT"}
        for n in ("a", "b", "c")
    ]
    invoice = at_xero.keeper.invoice(
        customer, "1.00", number="INV-4", LineItems=lines, LineAmountTypes="Exclusive"
    )
    paper = at_xero.tenant.core.papers[invoice["InvoiceID"]]
    before = repr(paper.lines), repr(at_xero.tenant.core.contacts[customer])
    at_xero.run()
    total = Decimal(paper.total_cents) / 100
    assert at_xero.item(f"Invoice:{paper.id}").original_minor == paper.total_cents
    at_xero.statement(Line(str(total), "INV-4", payer="PRECISE"))
    at_xero.run()
    ends_well(at_xero)
    assert at_xero.balance(paper.id) == 0
    paper = at_xero.tenant.core.papers[paper.id]
    assert (repr(paper.lines), repr(at_xero.tenant.core.contacts[customer])) == before


def test_an_endless_refusal_of_the_sign_in_is_told_once(at_xero):
    at_xero.simulator.faults.add("GET /Organisation", "status_403", times=50)
    with pytest.raises((ConsentLost, PlatformRefused)):
        at_xero.run()
