"""What changed is told to whoever asked: both shapes, signed, again until acknowledged, never in order."""

import itertools
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from quickbooks import QuickBooks

from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.quickbooks.webhooks import RETRY_AFTER_S

VERIFIER = "0d5b9b1e-7f3f-4f57-a1a0-2f1f5f6f9f00"


class Listener:
    """An endpoint that keeps what it hears and answers what it is told to."""

    def __init__(self):
        self.heard, self.status, self.arrived = [], 200, threading.Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.heard.append((body, self.headers["intuit-signature"]))
                self.send_response(listener.status)
                self.end_headers()
                listener.arrived.set()

            def log_message(self, *_words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self):
        return [json.loads(body) for body, _ in self.heard]

    def ids(self):
        """(type, Id) of every CloudEvent heard, in the order heard."""
        return [(one["type"], one["intuitentityid"]) for body in self.bodies() for one in body]


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def endpoint(sim, company, listener):
    return sim.webhooks.register(listener.url, verifier=VERIFIER)


def test_cloudevents_tell_what_was_created_changed_and_touched(sim, books, listener, endpoint):
    customer = books.create_customer("Ann")["Id"]
    invoice = books.create_invoice(customer, 10)["Id"]
    paid = books.create_payment(customer, 10, [("Invoice", invoice, 10)])["Id"]
    assert sim.deliver_webhooks() == 1
    assert listener.ids() == [
        ("qbo.customer.created.v1", customer),
        ("qbo.invoice.created.v1", invoice),
        ("qbo.invoice.updated.v1", invoice),
        ("qbo.payment.created.v1", paid),
    ]
    event = listener.bodies()[0][0]
    assert event == {
        "specversion": "1.0",
        "id": event["id"],
        "source": "intuit.simulator",
        "type": "qbo.customer.created.v1",
        "datacontenttype": "application/json",
        "time": "2026-03-02T18:00:00.000000000Z",
        "intuitentityid": customer,
        "intuitaccountid": "9130",
        "data": {},
    }


@pytest.mark.parametrize(
    ("act", "told"),
    [
        pytest.param(lambda books, one: books.delete("Invoice", one), "deleted", id="a deletion"),
        pytest.param(lambda books, one: books.void("Invoice", one), "voided", id="a void"),
        pytest.param(lambda books, one: books.edit("Invoice", one, PrivateNote="x"), "updated", id="an edit"),
        pytest.param(
            lambda books, one: books.core.send("Invoice", one, "a@example.com"), "emailed", id="an e-mail"
        ),
    ],
)
def test_operations_have_their_names(sim, books, listener, endpoint, act, told):
    invoice = books.create_invoice(books.create_customer("Ann")["Id"], 10)["Id"]
    sim.deliver_webhooks()
    listener.heard.clear()
    act(books, invoice)
    sim.deliver_webhooks()
    assert listener.ids() == [(f"qbo.invoice.{told}.v1", invoice)]


def test_a_merge_tells_both_customers(sim, books, listener):
    sim.webhooks.register(listener.url, "notifications")
    gone, kept = (books.create_customer(name)["Id"] for name in ("Gone", "Kept"))
    sim.deliver_webhooks()
    listener.heard.clear()
    books.merge_customers(gone, kept)
    sim.deliver_webhooks()
    entities = listener.bodies()[0]["eventNotifications"][0]["dataChangeEvent"]["entities"]
    assert [(one["id"], one["operation"], one.get("deletedId")) for one in entities] == [
        (gone, "Delete", None),
        (kept, "Merge", gone),
    ]


def test_the_older_shape(sim, books, listener):
    sim.webhooks.register(listener.url, "notifications")
    customer = books.create_customer("Ann")["Id"]
    sim.deliver_webhooks()
    entity = {
        "name": "Customer",
        "id": customer,
        "operation": "Create",
        "lastUpdated": "2026-03-02T10:00:00-0800",
    }
    expected = {"realmId": "9130", "dataChangeEvent": {"entities": [entity]}}
    assert listener.bodies() == [{"eventNotifications": [expected]}]


@pytest.mark.parametrize("shape", ["notifications", "cloudevents"])
def test_the_sdk_accepts_the_signature_and_no_other(sim, books, listener, shape):
    """python-quickbooks checks what we sign: an implementation that is not ours."""
    sim.webhooks.register(listener.url, shape, VERIFIER)
    books.create_customer("Änn & Sons")
    sim.deliver_webhooks()
    body, signed = listener.heard[0]
    checker = object.__new__(QuickBooks)
    assert checker.validate_webhook_signature(body.decode(), signed, VERIFIER)
    assert not checker.validate_webhook_signature(body.decode() + " ", signed, VERIFIER)
    assert not checker.validate_webhook_signature(body.decode(), signed, "another")


@pytest.mark.parametrize(("mixed", "deliveries"), [(True, [{"9130", "42"}]), (False, [{"9130"}, {"42"}])])
def test_companies_are_mixed_in_one_array_or_not(sim, books, switches, listener, endpoint, mixed, deliveries):
    switches.webhook_mixed_realms = mixed
    sim.add_company("42", name="Other")
    sim.deliver_webhooks()
    listener.heard.clear()
    books.create_customer("Ann")
    sim.companies["42"].books.create_customer("Bob")
    sim.deliver_webhooks()
    assert [{one["intuitaccountid"] for one in body} for body in listener.bodies()] == deliveries


def test_duplicates_carry_the_same_ids(sim, books, switches, listener, endpoint):
    switches.webhook_copies = 3
    books.create_customer("Ann")
    assert sim.deliver_webhooks() == 3
    assert len(listener.heard) == 3
    assert len({body for body, _ in listener.heard}) == 1


def test_out_of_order(sim, books, switches, listener, endpoint):
    switches.webhook_order = "reversed"
    first, second = (books.create_customer(name)["Id"] for name in ("Ann", "Bob"))
    sim.deliver_webhooks()
    assert [one for _, one in listener.ids()] == [second, first]


def test_nothing_arrives_where_it_is_lost(sim, books, switches, listener, endpoint):
    switches.webhooks_lost = True
    books.create_customer("Ann")
    assert sim.deliver_webhooks() == 0


def test_a_delay_runs_on_the_simulators_clock(sim, books, switches, clock, listener, endpoint):
    switches.webhook_delay_s = 60
    books.create_customer("Ann")
    clock.advance(seconds=59)
    assert sim.deliver_webhooks() == 0
    clock.advance(seconds=1)
    assert sim.deliver_webhooks() == 1


def test_retries_follow_their_schedule_when_the_clock_jumps(sim, books, clock, listener, endpoint):
    listener.status = 500
    books.create_customer("Ann")
    sim.deliver_webhooks()
    for wait_s in RETRY_AFTER_S[:3]:
        clock.advance(seconds=wait_s - 1)
        assert sim.deliver_webhooks() == 0
        clock.advance(seconds=1)
        assert sim.deliver_webhooks() == 1
    clock.advance(days=2)
    sim.deliver_webhooks()
    times = [one.at_s for one in sim.webhooks.attempts]
    waits = [int(after - before) for before, after in itertools.pairwise(times)]
    assert waits[:9] == [10, 20, 30, 300, 1200, 7200, 14_400, 21_600, 21_600]
    assert set(waits[9:]) == {21_600}
    assert [one.failures_before for one in sim.webhooks.attempts] == list(range(len(times)))
    listener.status = 200
    clock.advance(hours=6)
    assert sim.deliver_webhooks() == 1
    clock.advance(days=1)
    assert sim.deliver_webhooks() == 0


@pytest.mark.parametrize("held", [True, False])
def test_later_events_may_wait_for_the_first(sim, books, switches, clock, listener, endpoint, held):
    switches.webhook_hold = held
    listener.status = 503
    books.create_customer("Ann")
    sim.deliver_webhooks()
    listener.status = 200
    books.create_customer("Bob")
    assert sim.deliver_webhooks() == (0 if held else 1)
    clock.advance(seconds=10)
    assert sim.deliver_webhooks() == (2 if held else 1)


def test_nobody_there_is_a_failure_too(sim, books, listener):
    sim.webhooks.register("http://127.0.0.1:9/nobody")
    books.create_customer("Ann")
    sim.deliver_webhooks()
    assert [one.status for one in sim.webhooks.attempts] == [0]


def test_a_served_simulator_tells_by_itself(sim, books, listener, endpoint):
    with sim.serve():
        books.create_customer("Ann")
        assert listener.arrived.wait(5)


def test_what_is_owed_outlives_a_restart(sim, tmp_path, clock, listener):
    path = tmp_path / "books.json"
    first = QuickBooksSimulator(clock=clock, state_path=path)
    first.add_company("1", name="Kept")
    first.webhooks.register(listener.url)
    listener.status = 500
    first.companies["1"].books.create_customer("Ann")
    first.deliver_webhooks()
    second = QuickBooksSimulator(clock=clock, state_path=path)
    listener.status = 200
    clock.moment += timedelta(seconds=10)
    assert second.deliver_webhooks() == 1
    assert listener.heard[0] == listener.heard[1]


def test_endpoints_through_the_back_door(sim, books, listener):
    with sim.serve() as url:

        def control(method, path, **body):
            return requests.request(method, f"{url}/_control/{path}", json=body or None, timeout=10).json()

        shown = control("POST", "webhooks", url=listener.url, shape="notifications")
        assert shown["endpoints"][0]["shape"] == "notifications"
        assert len(shown["endpoints"][0]["verifier"]) == 36
        books.create_customer("Ann")
        control("POST", "webhooks/deliver")
        assert listener.arrived.wait(5)
        sim.deliver_webhooks()
        assert control("GET", "webhooks")["attempts"][0]["status"] == 200
        assert control("DELETE", "webhooks", url=listener.url)["endpoints"] == []
        assert "error" in control("POST", "webhooks", url="nowhere")
        assert "error" in control("POST", "webhooks", url=listener.url, shape="smoke")
