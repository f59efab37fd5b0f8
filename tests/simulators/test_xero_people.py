"""People and machines beside the client: races, hands in the books, webhooks, reports, time (behaviours 55 to 60)."""

import base64
import hashlib
import hmac
import http.client
import threading
import urllib.parse
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise

import pytest

from arsync.simulators.exact_json import dump_json, parse_json
from arsync.simulators.xero import BulkInvoice, Switches, XeroSimulator
from arsync.simulators.xero.control import control_total
from tests.simulators import xero_spec
from tests.simulators.xero_api import Api, invoice, line


def payment(made, amount):
    return {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": amount}


def over_http(url, method, path, document=None, token=""):
    parts = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    link.request(
        method, path, None if document is None else dump_json(document), {"Authorization": f"Bearer {token}"}
    )
    answer = link.getresponse()
    raw = answer.read()
    link.close()
    return answer.status, raw


# ---- races and hands ---------------------------------------------------------------------------------------


def test_of_concurrent_payments_only_what_is_due_is_taken(xero, xapi, keeper, bluebird):
    xero.switches.concurrent_limit = 20
    made = keeper.invoice(bluebird, "100.00")
    found = []

    def pay():
        found.append(xapi.send("PUT", "/Payments", payment(made, "30.00")).status)

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [200] * 3 + [400] * 5
    assert xapi.one("Invoices", made["InvoiceID"])["AmountDue"] == Decimal("10.00")


def test_reconciling_is_done_by_a_person(xapi, keeper, bluebird):
    made = keeper.invoice(bluebird, "100.00")
    paid = xapi.put("Payments", payment(made, "100.00"))
    assert paid["IsReconciled"] is False
    keeper.reconcile(paid["PaymentID"])
    assert xapi.one("Payments", paid["PaymentID"])["IsReconciled"] is True
    assert len(xapi.get("/Payments", where="IsReconciled==true")["Payments"]) == 1
    keeper.reconcile(paid["PaymentID"], reconciled=False)
    assert xapi.one("Payments", paid["PaymentID"])["IsReconciled"] is False


def test_a_reconciled_batch_is_reconciled_in_each_payment(xapi, keeper, bluebird):
    rows = [(keeper.invoice(bluebird, "10.00")["InvoiceID"], "10.00") for _ in range(2)]
    made = keeper.batch(rows)
    keeper.reconcile(made["BatchPaymentID"])
    assert xapi.one("BatchPayments", made["BatchPaymentID"])["IsReconciled"] is True
    assert all(one["IsReconciled"] for one in xapi.get("/Payments")["Payments"])


def test_what_people_do_in_the_books_is_seen(xapi, keeper, bluebird):
    made = keeper.invoice(bluebird, "100.00", currency="EUR")
    other = keeper.invoice(bluebird, "50.00")
    batch = keeper.batch([(made["InvoiceID"], "100.00"), (other["InvoiceID"], "50.00")])
    assert xapi.one("BatchPayments", batch["BatchPaymentID"])["TotalAmount"] == Decimal("175.00")
    keeper.delete_batch(batch["BatchPaymentID"])
    keeper.void(made["InvoiceID"])
    assert xapi.one("Invoices", made["InvoiceID"])["Status"] == "VOIDED"
    keeper.edit(other["InvoiceID"], LineItems=[line("70.00")])
    assert xapi.one("Invoices", other["InvoiceID"])["AmountDue"] == Decimal("70.00")


def test_the_control_api_does_all_of_it_over_http(xero, tenant, bluebird):
    base = f"/_control/books/{tenant.organisation.id}"
    with xero.serve() as url:

        def post(path, document):
            status, raw = over_http(url, "POST", path, document)
            return status, parse_json(raw)

        _, made = post(f"{base}/invoice", {"contact": bluebird, "value": "100.00", "date": "2026-02-01"})
        _, paid = post(
            f"{base}/pay", {"paper_id": made["InvoiceID"], "value": "40.00", "reference": "by hand"}
        )
        assert paid["Reference"] == "by hand"
        post(f"{base}/reconcile", {"record_id": paid["PaymentID"]})
        post(f"{base}/lock", {"period": "2026-01-31"})
        assert post(f"{base}/pay", {"paper_id": made["InvoiceID"], "value": "400.00"})[0] == 400
        assert post(f"{base}/demolish", {})[0] == 404
        _, opened = post("/_control/organisations", {"name": "Second", "country": "NZ"})
        _, app = post("/_control/apps", {"name": "Other"})
        _, tokens = post(
            "/_control/grant", {"client_id": app["client_id"], "tenant_ids": [opened["tenant_id"]]}
        )
        status, raw = over_http(url, "GET", "/connections", token=tokens["access_token"])
        assert (status, parse_json(raw)[0]["tenantName"]) == (200, "Second")
        post("/_control/faults", {"match": "GET /connections", "kind": "slow", "delay_s": "0.01"})
        assert parse_json(over_http(url, "GET", "/_control/faults")[1])["faults"][0]["kind"] == "slow"
        over_http(url, "DELETE", "/_control/faults")
        assert parse_json(over_http(url, "GET", "/_control/faults")[1])["faults"] == []
        assert post("/_control/switches", {"minute_limit": 5})[1]["minute_limit"] == 5
        assert post("/_control/switches", {"gravity": 5})[0] == 400
        assert post("/_control/clock", {"advance_s": 60})[1]["now"] == "2026-03-02T18:01:00+00:00"
        assert parse_json(over_http(url, "GET", "/_control/requests")[1])["requests"]
        assert "egress" in parse_json(over_http(url, "GET", "/_control/egress")[1])
        books = parse_json(over_http(url, "GET", base)[1])
        zero = Decimal("0.00")
        assert books["control_total"] == {"account": 60, "open_items": 60, "difference": zero}
    assert tenant.organisation.period_lock == date(2026, 1, 31)
    assert tenant.core.payments[paid["PaymentID"]].reconciled


def test_the_pages_show_books_and_their_control_total(xero, tenant, keeper):
    awkward = keeper.contact("<b>O'Brien & Co</b>")["ContactID"]
    keeper.invoice(awkward, "100.00", number="<i>1</i>", currency="EUR")
    keeper.overpayment(awkward, "30.00")
    with xero.serve() as url:
        page = over_http(url, "GET", f"/_control/books/{tenant.organisation.id}?page=1")[1].decode()
        first = over_http(url, "GET", "/_control/")[1].decode()
    assert "Accounts Receivable 95.00, open items 95.00: equal" in page
    assert "&lt;b&gt;O&#x27;Brien &amp; Co&lt;/b&gt;" in page
    assert "<i>1" not in page
    assert tenant.organisation.id in first


def test_the_page_would_show_books_that_disagree(xero, tenant, keeper, bluebird):
    made = keeper.invoice(bluebird, "100.00")
    tenant.core.papers[made["InvoiceID"]].base_cents += 1
    assert control_total(tenant)["difference"] == Decimal("-0.01")
    with xero.serve() as url:
        page = over_http(url, "GET", f"/_control/books/{tenant.organisation.id}?page=1")[1].decode()
    assert "DIFFER by -0.01" in page


# ---- webhooks ----------------------------------------------------------------------------------------------


class Door:
    """A listener that checks signatures, as Xero asks of it; `answers` overrule it one by one."""

    def __init__(self, key):
        self.key, self.heard, self.answers = key, [], []
        self.body, self.cookie = b"", False
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                digest = hmac.new(door.key.encode(), body, hashlib.sha256).digest()
                right = self.headers["x-xero-signature"] == base64.b64encode(digest).decode()
                status = 200 if right else 401
                if right and parse_json(body)["events"]:
                    status = door.answers.pop(0) if door.answers else 200
                    door.heard.append(parse_json(body))
                self.send_response(status)
                if door.cookie:
                    self.send_header("Set-Cookie", "a=b")
                self.send_header("Content-Length", str(len(door.body)))
                self.end_headers()
                self.wfile.write(door.body)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def door(xapi):
    opened = Door(xapi.app.webhook_key)
    yield opened
    opened.close()


def test_a_door_proves_itself_before_it_hears_anything(xero, xapi, keeper, bluebird, door):
    keeper.invoice(bluebird, "1.00")
    assert not xero.listen(xapi.app, "http://127.0.0.1:9/nobody")
    for spoilt in ({"key": "wrong"}, {"body": b"OK"}, {"cookie": True}):
        before = {name: getattr(door, name) for name in spoilt}
        vars(door).update(spoilt)
        assert not xero.listen(xapi.app, door.url), spoilt
        vars(door).update(before)
    assert xero.listen(xapi.app, door.url)
    assert xero.deliver_webhooks() == 0  # what was written before is not told
    keeper.invoice(bluebird, "1.00")
    assert xero.deliver_webhooks() == 1


def test_events_of_webhooks(xero, xapi, keeper, bluebird, door):
    xero.listen(xapi.app, door.url)
    made = xapi.put("Invoices", invoice(bluebird))
    xapi.put("Payments", payment(made, "10.00"))
    keeper.overpayment(bluebird, "5.00")
    keeper.credit_note(bluebird, "5.00")
    xero.deliver_webhooks()
    told = [event for message in door.heard for event in message["events"]]
    assert (told[0]["eventCategory"], told[0]["eventType"]) == ("INVOICE", "CREATE")
    kinds = {one["eventCategory"] for one in told}
    assert kinds == {"INVOICE", "OVERPAYMENT", "CREDITNOTE"}  # none for payments
    first = told[0]
    assert first["tenantId"] == xapi.tenant_id
    assert first["resourceUrl"].endswith(f"/Invoices/{made['InvoiceID']}")
    noted = next(one for one in told if one["eventCategory"] == "CREDITNOTE")
    assert noted["data"] == {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}
    sequences = [(one["firstEventSequence"], one["lastEventSequence"]) for one in door.heard]
    assert all(before[1] + 1 == after[0] for before, after in pairwise(sequences))


@pytest.mark.corpus
def test_webhook_bodies_are_of_the_published_shape(xero, xapi, keeper, bluebird, door):
    xero_spec.missing()
    import yaml
    from jsonschema import Draft202012Validator

    xero.listen(xapi.app, door.url)
    keeper.invoice(bluebird, "1.00")
    keeper.credit_note(bluebird, "1.00")
    xero.deliver_webhooks()
    published = yaml.safe_load((xero_spec.FOLDER / "xero-webhooks.yaml").read_text())
    checked = 0
    for message in door.heard:
        credit = message["events"][0]["eventCategory"] == "CREDITNOTE"
        name = "CreditNoteWebhookEvent" if credit else "WebhookEvent"
        schema = {"$ref": f"#/components/schemas/{name}", "components": published["components"]}
        assert list(Draft202012Validator(schema).iter_errors(message)) == []
        checked += 1
    assert checked == 2


def test_a_failed_delivery_is_tried_every_fifteen_minutes_for_a_day(
    xero, xapi, keeper, bluebird, door, clock
):
    xero.listen(xapi.app, door.url)
    keeper.invoice(bluebird, "1.00")
    door.answers = [500, 500]
    assert xero.deliver_webhooks() == 1
    clock.advance(minutes=14)
    assert xero.deliver_webhooks() == 0
    clock.advance(minutes=1)
    assert xero.deliver_webhooks() == 1
    clock.advance(minutes=15)
    assert xero.deliver_webhooks() == 1
    assert xero.deliver_webhooks() == 0
    keeper.invoice(bluebird, "1.00")
    door.answers = [500] * 200
    for _ in range(97):
        xero.deliver_webhooks()
        clock.advance(minutes=15)
    assert xapi.app.webhook_state == "disabled"
    door.answers, heard = [], len(door.heard)
    clock.advance(days=10)
    assert xero.deliver_webhooks() == 0
    assert xero.listen(xapi.app, door.url)
    assert xero.deliver_webhooks() == 1  # told again: kept for thirty-one days
    assert len(door.heard) == heard + 1


def test_events_older_than_thirty_one_days_are_gone(xero, xapi, keeper, bluebird, door, clock):
    xero.listen(xapi.app, door.url)
    keeper.invoice(bluebird, "1.00")
    clock.advance(days=31)
    assert xero.deliver_webhooks() == 0


def test_duplicates_and_disorder_on_request(xero, xapi, keeper, bluebird, door):
    xero.listen(xapi.app, door.url)
    xero.switches.webhook_duplicates = xero.switches.webhook_shuffle = True
    for _ in range(6):
        keeper.invoice(bluebird, "1.00")
    xero.deliver_webhooks()
    sequences = [one["firstEventSequence"] for one in door.heard]
    assert len(sequences) == 12
    assert sequences != sorted(sequences)
    assert sorted(set(sequences)) == sorted(sequences[::2])


def test_a_served_simulator_delivers_by_itself(xero, xapi, bluebird, door):
    with xero.serve() as url:
        document = {"client_id": xapi.app.client_id, "url": door.url}
        answer = parse_json(over_http(url, "POST", "/_control/webhooks/listen", document)[1])
        assert answer == {"proven": True, "key": xapi.app.webhook_key, "state": "ok"}
        xapi.put("Invoices", invoice(bluebird))
        for _ in range(100):
            if door.heard:
                break
            threading.Event().wait(0.05)
    assert door.heard


# ---- reports, time, the log --------------------------------------------------------------------------------


def cells(row):
    return [one["Value"] for one in row["Cells"]]


def test_aged_receivables_are_the_ledger(xapi, keeper, bluebird):
    made = keeper.invoice(bluebird, "100.00", date="2026-01-10", due="2026-02-09", number="A-1")
    keeper.invoice(bluebird, "50.00", date="2026-02-20", due="2026-03-22", number="A-2")
    keeper.credit_note(bluebird, "20.00", date="2026-02-25", number="C-1")
    keeper.pay(made["InvoiceID"], "30.00", date="2026-02-15")
    (report,) = xapi.get("/Reports/AgedReceivablesByContact", contactId=bluebird, date="2026-03-02")[
        "Reports"
    ]
    rows = report["Rows"][1]["Rows"]
    assert cells(rows[0])[1:] == [
        "A-1",
        "2026-02-09T00:00:00",
        "21 days overdue",
        "100.00",
        "30.00",
        "0.00",
        "70.00",
    ]
    assert cells(rows[2])[-1] == "-20.00"
    assert cells(rows[-1]) == ["Total", "", "", "", "130.00", "30.00", "0.00", "100.00"]
    assert Decimal(cells(rows[-1])[-1]) * 100 == keeper.receivable_cents()
    before = xapi.get("/Reports/AgedReceivablesByContact", contactId=bluebird, date="2026-02-14")["Reports"][
        0
    ]
    assert cells(before["Rows"][1]["Rows"][-1])[-1] == "100.00"
    assert xapi.send("GET", "/Reports/AgedReceivablesByContact").status == 400


def test_the_trial_balance_is_the_ledger(xapi, keeper, bluebird):
    made = keeper.invoice(bluebird, "100.00", date="2026-02-01")
    keeper.pay(made["InvoiceID"], "30.00", date="2026-02-15")
    (report,) = xapi.get("/Reports/TrialBalance", date="2026-02-14")["Reports"]
    rows = {cells(row)[0]: cells(row)[1:3] for section in report["Rows"][1:] for row in section["Rows"]}
    assert rows == {
        "Sales (200)": ["", "100.00"],
        "Accounts Receivable (610)": ["100.00", ""],
        "Total": ["100.00", "100.00"],
    }


def year(seed, clock):
    simulator = XeroSimulator(seed=seed, clock=clock, switches=Switches(audit_every_write=True))
    tenant = simulator.add_organisation("Same", currencies=("EUR",), rates={"EUR": "0.9"})
    api = Api(simulator, tenant)
    contact = api.put("Contacts", {"Name": "C"})["ContactID"]
    made = api.put("Invoices", invoice(contact))
    api.put("Payments", payment(made, "10.00"))
    return simulator, dump_json(api.get("/Invoices", page=1)), api.token


def test_the_same_seed_gives_the_same_answers(clock):
    first, again, other = year(3, clock), year(3, clock), year(4, clock)
    assert first[1:] == again[1:]
    assert first[1] != other[1]


def test_only_the_given_clock_moves_time(xero, clock):
    assert xero.now() == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    xero.advance(3600)
    clock.advance(hours=1)
    assert xero.now() == datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def test_the_log_has_a_verdict_and_the_egress_of_each_exchange(xero, tenant, xapi, bluebird):
    xero.judge = lambda request, answer: f"{request.method} {answer.status} is odd"
    xapi.get("/Organisation")
    xapi.send("PUT", "/Invoices", {"Invoices": [invoice(bluebird)]}, {"idempotency-key": "k1"})
    logged = xero.requests[-1]
    assert (logged.method, logged.path, logged.status, logged.idempotency_key) == (
        "PUT",
        "/Invoices",
        200,
        "k1",
    )
    assert logged.verdict == "PUT 200 is odd"
    key = (xapi.app.client_id, xapi.tenant_id, "2026-03-02")
    assert xero.egress == {key: logged.answer_bytes}  # Organisation is exempt
    xero.requests.clear()
    xero.judge = None


def test_a_restart_changes_nothing(tmp_path, clock):
    path = tmp_path / "xero.json"
    simulator = XeroSimulator(seed=3, clock=clock, state_path=path)
    tenant = simulator.add_organisation("Kept", currencies=("EUR",), rates={"EUR": "0.9"})
    api = Api(simulator, tenant)
    keeper = tenant.books
    contact = keeper.contact(
        r"O'Brien \ Sons' & Co", PaymentTerms={"Sales": {"Day": 9, "Type": "DAYSAFTERBILLDATE"}}
    )
    made = api.put("Invoices", invoice(contact["ContactID"], CurrencyCode="EUR"))
    paid = api.send("PUT", "/Payments", payment(made, "10.00"), {"idempotency-key": "k1"})
    credit = keeper.credit_note(contact["ContactID"], "5.00", currency="EUR")
    keeper.allocate(credit["CreditNoteID"], made["InvoiceID"], "2.00")
    keeper.overpayment(contact["ContactID"], "7.00")
    keeper.strange(made["InvoiceID"], Status="ODD")
    api.get("/Organisation")
    paths = (
        "/Invoices",
        "/Payments",
        "/Contacts",
        "/CreditNotes",
        "/Overpayments",
        "/Accounts",
        "/BankTransactions",
    )
    before = [dump_json(api.get(one, page=1)[one[1:]]) for one in paths]

    again = XeroSimulator(seed=99, clock=clock, state_path=path)
    api.simulator = again
    assert [dump_json(api.get(one, page=1)[one[1:]]) for one in paths] == before
    again.tenants[api.tenant_id].core.audit()
    assert api.send("PUT", "/Payments", payment(made, "10.00"), {"idempotency-key": "k1"}).body == paid.body
    assert api.put("Invoices", invoice(contact["ContactID"]))["InvoiceNumber"] == "INV-0002"
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="no state file"):
        again.load(tmp_path / "other.json")


def test_many_invoices_at_once_are_in_the_books(xero, xapi, keeper, bluebird):
    day = date(2026, 2, 1)
    keeper.add_invoices(BulkInvoice(bluebird, 100 + n, day, day, f"B{n}") for n in range(500))
    keeper.audit()
    assert xapi.get("/Invoices", page=1, pageSize=1000)["pagination"]["itemCount"] == 500
    assert keeper.receivable_cents() == sum(100 + n for n in range(500))
