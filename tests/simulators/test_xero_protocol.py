"""The wire: formats, headers, limits, troubles, idempotency keys (behaviours 9 to 25)."""

import gzip
import http.client
import threading
import time
import urllib.parse
from contextlib import suppress

import pytest

from arsync.simulators.exact_json import dump_json, parse_json
from arsync.simulators.xero import API, FAULT_KINDS
from tests.simulators.xero_api import Api, invoice


class Link:
    """A client on a socket."""

    def __init__(self, url, api):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.api = api

    def send(self, method, path, body=None, **headers):
        link = http.client.HTTPConnection(*self.address, timeout=10)
        said = {
            "Authorization": f"Bearer {self.api.token}",
            "xero-tenant-id": self.api.tenant_id,
            "Accept": "application/json",
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        try:
            link.request(method, API + path, None if body is None else dump_json(body), said)
            answer = link.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            link.close()


@pytest.fixture
def link(xero, xapi):
    with xero.serve() as url:
        yield Link(url, xapi)


# ---- formats -----------------------------------------------------------------------------------------------


def test_without_asking_for_json_one_gets_xml(xapi, keeper, bluebird):
    keeper.invoice(bluebird, "12.50", date="2026-03-01")
    answer = xapi.send("GET", "/Invoices", headers={"accept": "*/*"})
    text = answer.body.decode()
    assert answer.content_type.startswith("text/xml")
    assert text.startswith("<Response><Id>")
    assert "<Invoices><Invoice>" in text
    assert "<Total>12.50</Total>" in text
    assert "<Date>2026-03-01T00:00:00</Date>" in text


def test_the_envelope_and_both_forms_of_dates(xapi, keeper, bluebird):
    made = keeper.invoice(bluebird, "12.50", date="2026-03-01", due="2026-03-31")
    document = xapi.get(f"/Invoices/{made['InvoiceID']}")
    assert document["Status"] == "OK"
    assert document["ProviderName"] == "Tester"
    assert document["DateTimeUTC"] == "/Date(1772474400000)/"
    (shown,) = document["Invoices"]
    assert (shown["Date"], shown["DateString"]) == ("/Date(1772323200000+0000)/", "2026-03-01T00:00:00")
    assert (shown["DueDate"], shown["DueDateString"]) == ("/Date(1774915200000+0000)/", "2026-03-31T00:00:00")
    assert shown["UpdatedDateUTCString"] == "2026-03-02T18:00:00Z"


def test_gzip_where_it_is_asked_for(link, keeper, bluebird):
    for _ in range(3):
        keeper.invoice(bluebird, "12.50")
    _, headers, body = link.send("GET", "/Invoices?page=1", Accept_Encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert len(parse_json(gzip.decompress(body))["Invoices"]) == 3
    _, headers, body = link.send("GET", "/Invoices?page=1")
    assert "content-encoding" not in headers
    assert parse_json(body)


# ---- limits ------------------------------------------------------------------------------------------------


def left(answer):
    found = dict(answer.headers)
    return tuple(int(found[f"X-{name}Limit-Remaining"]) for name in ("Day", "Min", "AppMin"))


def test_every_answer_says_what_is_left(xapi):
    assert left(xapi.send("GET", "/Organisation")) == (4999, 59, 9999)
    assert left(xapi.send("GET", "/Invoices/none")) == (4998, 58, 9998)
    assert left(xapi.send("PUT", "/Invoices", b"no json")) == (4997, 57, 9997)


def test_sixty_a_minute(xero, tenant, xapi, clock):
    for _ in range(60):
        assert xapi.send("GET", "/Organisation").status == 200
    answer = xapi.send("GET", "/Organisation")
    found = dict(answer.headers)
    assert (answer.status, found["X-Rate-Limit-Problem"], found["Retry-After"]) == (429, "minute", "60")
    assert xero.used_today(xapi.app.client_id, xapi.tenant_id) == 60
    assert (
        Api(xero, tenant).send("GET", "/Organisation").status == 200
    )  # another application's quota is its own
    clock.advance(seconds=60)
    assert xapi.send("GET", "/Organisation").status == 200


@pytest.mark.parametrize(("limit", "tier"), [(1000, "Starter"), (5000, "all others")])
def test_the_day_has_a_limit_and_says_for_how_many_hours(xero, xapi, clock, limit, tier):
    xero.switches.day_limit, xero.switches.minute_limit, xero.judge = limit, 10**6, None
    for _ in range(limit):
        assert xapi.send("GET", "/Currencies").status == 200, tier
    answer = xapi.send("GET", "/Currencies")
    found = dict(answer.headers)
    assert (answer.status, found["X-Rate-Limit-Problem"]) == (429, "day")
    wait_s = int(found["Retry-After"])
    assert 60 < wait_s <= 86_400
    clock.advance(seconds=wait_s - 1)
    xapi.token = xero.grant(xapi.app, xapi.tenant_id)["access_token"]
    assert xapi.send("GET", "/Currencies").status == 429
    clock.advance(seconds=1)
    assert xapi.send("GET", "/Currencies").status == 200


def test_the_limit_of_an_application_over_all_tenants(xero, tenant, xapi):
    xero.switches.app_minute_limit = 3
    branch = Api(xero, xero.add_organisation("Branch"), xapi.app)
    for api in (xapi, branch, xapi):
        assert api.send("GET", "/Organisation").status == 200
    assert dict(branch.send("GET", "/Organisation").headers)["X-Rate-Limit-Problem"] == "appminute"


def test_five_at_once_and_the_sixth_is_told_no_time(xero, link):
    xero.faults.add("GET /Accounts", "slow", times=5, delay_s=0.6)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(link.send("GET", "/Accounts")[0])) for _ in range(5)
    ]
    for one in threads:
        one.start()
    time.sleep(0.25)
    status, headers, _ = link.send("GET", "/Organisation")
    for one in threads:
        one.join()
    assert (status, headers["x-rate-limit-problem"]) == (429, "concurrent")
    assert "retry-after" not in headers
    assert found == [200] * 5
    assert link.send("GET", "/Organisation")[0] == 200


@pytest.mark.parametrize(
    ("kind", "problem", "wait"),
    [
        ("status_429_minute", "minute", "60"),
        ("status_429_day", "day", "66975"),
        ("status_429_appminute", "appminute", "60"),
        ("status_429_concurrent", "concurrent", None),
    ],
)
def test_throttles_on_request(xero, link, kind, problem, wait):
    xero.faults.add("GET /Invoices", kind)
    status, headers, _ = link.send("GET", "/Invoices")
    assert (status, headers["x-rate-limit-problem"], headers.get("retry-after")) == (429, problem, wait)
    assert link.send("GET", "/Invoices")[0] == 200


# ---- troubles ----------------------------------------------------------------------------------------------


def test_three_plain_texts_of_503(xero, link):
    bodies = []
    for kind in ("503_maintenance", "503_unavailable", "503_offline"):
        xero.faults.add("GET /Invoices", kind)
        status, headers, body = link.send("GET", "/Invoices")
        assert (status, headers["content-type"]) == (503, "text/plain; charset=utf-8")
        bodies.append(body)
    assert len(set(bodies)) == 3
    assert bodies[2] == b"The Organisation is offline"


def test_500_is_html(xero, link):
    xero.faults.add("GET /Invoices", "html_500")
    status, headers, body = link.send("GET", "/Invoices")
    assert (status, headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert body.startswith(b"<!DOCTYPE html>")


def test_404_for_an_unknown_id_and_412_for_an_unreadable_condition(xapi):
    assert xapi.send("GET", "/Invoices/00000000-0000-0000-0000-000000000000").status == 404
    assert xapi.send("GET", "/Nothing").status == 404
    assert xapi.send("GET", "/Invoices", headers={"if-modified-since": "yesterday"}).status == 412
    assert xapi.send("GET", "/Quotes").status == 501  # Xero has it, the simulator says that it has not


def an_invoice(contact):
    return {"Invoices": [invoice(contact)]}


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("lost_before_commit", 0),
        ("lost_after_commit", 1),
        ("reset_mid_body", 1),
        ("html_500_after_commit", 1),
        ("truncated_body", 1),
        ("duplicate", 2),
    ],
)
def test_what_was_written_when_the_answer_is_lost(xero, link, keeper, bluebird, kind, written):
    xero.faults.add("PUT /Invoices", kind)
    try:
        status, _, body = link.send("PUT", "/Invoices", an_invoice(bluebird))
        seen = status == 200 and bool(parse_json(body))
    except (http.client.HTTPException, ConnectionError, ValueError):
        seen = False
    assert seen == (kind == "duplicate")
    assert len(keeper.open_items()) == written
    if kind.startswith("lost"):
        assert xero.requests[-1].status == 0


def test_a_duplicate_with_a_key_is_written_once(xero, link, keeper, bluebird):
    xero.faults.add("PUT /Invoices", "duplicate")
    assert link.send("PUT", "/Invoices", an_invoice(bluebird), Idempotency_Key="k1")[0] == 200
    assert len(keeper.open_items()) == 1


def test_slow_answers_come(xero, link):
    for kind in ("slow", "slow_drip"):
        xero.faults.add("GET /Accounts", kind, delay_s=0.2)
        started = time.monotonic()
        assert link.send("GET", "/Accounts")[0] == 200
        assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("kind", "status"), [("status_401", 401), ("status_403", 403), ("status_412", 412)])
def test_single_refusals_on_request(xero, link, kind, status):
    xero.faults.add("GET /Invoices", kind)
    assert link.send("GET", "/Invoices")[0] == status
    assert link.send("GET", "/Invoices")[0] == 200


def test_every_kind_of_fault_is_carried_out(xero, link, bluebird):
    for kind in FAULT_KINDS:
        xero.faults.add("PUT /Invoices", kind, delay_s=0.01)
        with suppress(http.client.HTTPException, ConnectionError):
            link.send("PUT", "/Invoices", an_invoice(bluebird))
        assert xero.requests[-1].fault == kind
    with pytest.raises(ValueError, match="no fault is called"):
        xero.faults.add("GET /", "flood")


# ---- idempotency keys --------------------------------------------------------------------------------------


def test_a_key_repeats_the_answer_for_six_minutes(xapi, keeper, bluebird, clock):
    key = {"idempotency-key": "k1"}
    first = xapi.send("PUT", "/Invoices", an_invoice(bluebird), key)
    clock.advance(minutes=5, seconds=59)
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird), key).body == first.body
    assert len(keeper.open_items()) == 1
    clock.advance(seconds=1)
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird), key).status == 200
    assert len(keeper.open_items()) == 2


def test_a_key_repeats_an_error_too(xapi, keeper, bluebird):
    made = keeper.invoice(bluebird, "10.00")
    payment = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": "10.00"}
    keeper.lock(year="2026-12-31")
    first = xapi.send("PUT", "/Payments", payment, {"idempotency-key": "k1"})
    keeper.lock()
    assert first.status == 400
    assert xapi.send("PUT", "/Payments", payment, {"idempotency-key": "k1"}).body == first.body
    assert xapi.send("PUT", "/Payments", payment, {"idempotency-key": "k2"}).status == 200


def test_a_key_with_another_request_is_refused(xapi, keeper, bluebird):
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird), {"idempotency-key": "k1"}).status == 200
    other = {"Invoices": [invoice(bluebird, "7.00")]}
    for method, path, body in (("PUT", "/Invoices", other), ("POST", "/Invoices", an_invoice(bluebird))):
        answer = xapi.send(method, path, body, {"idempotency-key": "k1"})
        assert answer.status == 400
        assert b"is used with a different request" in answer.body
    assert len(keeper.open_items()) == 1


def test_a_key_belongs_to_the_application(xero, xapi, tenant, bluebird, keeper):
    key = {"idempotency-key": "k1"}
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird), key).status == 200
    assert Api(xero, tenant).send("PUT", "/Invoices", an_invoice(bluebird), key).status == 200
    assert len(keeper.open_items()) == 2


def test_a_key_of_128_characters_is_the_longest(xapi, bluebird):
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird), {"idempotency-key": "k" * 128}).status == 200
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird), {"idempotency-key": "k" * 129}).status == 400


def test_repeated_answers_count_against_the_limits(xero, xapi, bluebird):
    for _ in range(3):
        xapi.send("PUT", "/Invoices", an_invoice(bluebird), {"idempotency-key": "k1"})
    assert xero.used_today(xapi.app.client_id, xapi.tenant_id) == 3


def test_when_the_store_of_keys_is_down_nothing_is_written(xero, xapi, keeper, bluebird):
    xero.switches.idempotency_store_down = True
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird), {"idempotency-key": "k1"}).status == 500
    assert keeper.open_items() == []
    assert xapi.send("PUT", "/Invoices", an_invoice(bluebird)).status == 200
