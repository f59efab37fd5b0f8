"""Over a real socket: the real SDK, the real OAuth client, and everything that goes wrong on a wire."""

import base64
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import AuthorizationException, ObjectNotFoundException, ValidationException
from quickbooks.objects import Customer, Invoice, Payment

from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.quickbooks.interference import FAULT_KINDS
from arsync.simulators.quickbooks.wire import parse_json
from tests.simulators.direct_api import Api

pytestmark = pytest.mark.slow


class Session:
    """What the SDK needs of a session: a token and `request`."""

    def __init__(self, token):
        self.access_token = token
        self._session = requests.Session()

    def request(self, method, url, **rest):
        return self._session.request(method, url, timeout=10, **rest)

    def close(self):
        self._session.close()


@pytest.fixture
def url(sim, company):
    with sim.serve() as address:
        yield address


@pytest.fixture
def auth(sim, url):
    client = AuthClient(
        sim.client_id, sim.client_secret, "http://localhost/back", f"{url}/.well-known/openid_configuration"
    )
    client.realm_id = "9130"
    with client:
        yield client


@pytest.fixture
def qb(sim, url, auth):
    auth.access_token, auth.refresh_token = sim.grant("9130")

    class Local(QuickBooks):
        api_url_v3 = sandbox_api_url_v3 = f"{url}/v3"

        def _start_session(self):
            self.session = Session(self.auth_client.access_token)
            return self.auth_client.refresh_token

    client = Local(
        auth_client=auth,
        refresh_token=auth.refresh_token,
        company_id="9130",
        minorversion=75,
        use_decimal=True,
    )
    yield client
    client.session.close()


def ask(url, sim, method, path, **rest):
    headers = {"Authorization": f"Bearer {sim.grant('9130')[0]}", **rest.pop("headers", {})}
    return requests.request(method, f"{url}/v3/company/9130{path}", headers=headers, timeout=10, **rest)


# ---- OAuth with intuit-oauth


def test_consent_in_a_browser(sim, url, auth):
    page = requests.get(auth.get_authorization_url([Scopes.ACCOUNTING], "state 1"), timeout=10)
    assert "Acme Supply" in page.text
    back = requests.post(page.url, data={"realm_id": "9130"}, allow_redirects=False, timeout=10)
    found = parse_qs(urlsplit(back.headers["Location"]).query)
    assert (back.status_code, found["state"], found["realmId"]) == (302, ["state 1"], ["9130"])
    auth.get_bearer_token(found["code"][0], realm_id="9130")
    assert (auth.expires_in, auth.x_refresh_token_expires_in) == (3600, 8_726_400)
    assert sim.tokens.realm_of(auth.access_token) == "9130"
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.get_bearer_token(found["code"][0])


@pytest.mark.parametrize(
    ("rotation", "hours", "changed", "old_works"),
    [
        pytest.param("same", 30, False, True, id="the token stays"),
        pytest.param("each", 0, True, False, id="a new one each time"),
        pytest.param("daily", 23, False, True, id="the same within a day"),
        pytest.param("daily", 24, True, False, id="a new one after a day"),
    ],
)
def test_refresh_rotation(sim, switches, clock, auth, rotation, hours, changed, old_works):
    switches.refresh_rotation = rotation
    old = sim.grant("9130")[1]
    clock.advance(hours=hours)
    auth.refresh(old)
    assert (auth.refresh_token != old) == changed
    if old_works:
        auth.refresh(old)
    else:
        with pytest.raises(AuthClientError, match="invalid_grant"):
            auth.refresh(old)


def test_an_old_refresh_token_may_have_a_grace(sim, switches, clock, auth):
    switches.refresh_rotation, switches.old_refresh_grace_s = "each", 60
    old = sim.grant("9130")[1]
    auth.refresh(old)
    clock.advance(seconds=59)
    auth.refresh(old)
    clock.advance(seconds=1)
    with pytest.raises(AuthClientError):
        auth.refresh(old)


def test_a_refresh_token_dies_of_age_and_of_revocation(sim, clock, auth):
    token = sim.grant("9130")[1]
    clock.advance(days=101)
    with pytest.raises(AuthClientError, match="Incorrect or invalid refresh token"):
        auth.refresh(token)
    access, token = sim.grant("9130")
    assert auth.revoke(token) is True
    assert sim.tokens.realm_of(access) is None
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.refresh(token)


def test_a_wrong_secret(sim, url, auth):
    auth.client_secret = "wrong"
    with pytest.raises(AuthClientError, match="invalid_client"):
        auth.refresh(sim.grant("9130")[1])


def test_the_hard_expiry_comes_only_when_asked_for(sim, url):
    basic = base64.b64encode(f"{sim.client_id}:{sim.client_secret}".encode()).decode()
    form = {"grant_type": "refresh_token", "refresh_token": sim.grant("9130")[1]}
    headers = {"Authorization": f"Basic {basic}"}
    name = "x_refresh_token_hard_expires_in"
    address = f"{url}/oauth2/v1/tokens/bearer"
    assert name not in requests.post(address, data=form, headers=headers, timeout=10).json()
    headers["x-include-refresh-token-hard-expires-in"] = "true"
    assert requests.post(address, data=form, headers=headers, timeout=10).json()[name] == 5 * 365 * 86_400


def test_access_expires_and_realms_are_apart(sim, url, qb, clock):
    sim.add_company("42", name="Someone else")
    qb.company_id = "42"
    with pytest.raises(Exception, match="003100"):
        qb.query("select * from Invoice")
    qb.company_id = "9130"
    clock.advance(seconds=3599)
    assert qb.query("select * from Invoice")["QueryResponse"] == {}
    clock.advance(seconds=1)
    with pytest.raises(AuthorizationException) as caught:
        qb.query("select * from Invoice")
    body = json.loads(caught.value.detail)
    assert (body["fault"]["error"][0]["code"], body["fault"]["type"]) == ("3200", "AUTHENTICATION")


# ---- the API with python-quickbooks


def test_the_sdk_reads_pays_and_deletes(qb, books):
    customer = books.create_customer("O'Brien \\ Sons' & Co")["Id"]
    invoice = books.create_invoice(customer, "100.10")
    found = Invoice.where("Balance > '0'", qb=qb)
    assert [(one.Id, one.Balance) for one in found] == [(invoice["Id"], Decimal("100.10"))]
    line = {"Amount": "@", "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    body = json.dumps({"CustomerRef": {"value": customer}, "TotalAmt": "@", "Line": [line]}).replace(
        '"@"', "100.10"
    )
    made = qb.create_object("Payment", body, request_id="key-1")["Payment"]
    assert str(made["TotalAmt"]) == "100.10"
    assert Payment.get(made["Id"], qb=qb).UnappliedAmt == 0
    qb.delete_object("Payment", json.dumps({"Id": made["Id"], "SyncToken": made["SyncToken"]}))
    with pytest.raises(ObjectNotFoundException):
        Payment.get(made["Id"], qb=qb)
    feed = change_data_capture([Invoice, Payment], "2026-03-01T00:00:00-08:00", qb=qb)
    assert feed.Payment._object_list[0].status == "Deleted"
    assert feed.Invoice._object_list[0].SyncToken == "2"


def test_the_sdks_own_objects_can_be_saved(qb, books):
    customer = Customer()
    customer.DisplayName = "Saved Ltd"
    saved = customer.save(qb=qb)
    assert books.get("Customer", saved.Id)["DisplayName"] == "Saved Ltd"
    made = books.create_invoice(saved.Id, 10)
    assert Invoice.get(made["Id"], qb=qb).void(qb=qb)["Invoice"]["PrivateNote"] == "Voided"
    payment = Payment.get(books.create_payment(saved.Id, 5)["Id"], qb=qb)
    with pytest.raises(ValidationException) as caught:
        payment.void(qb=qb)
    assert caught.value.error_code == 2020


def test_the_sdks_batch(qb, books):
    books.create_customer("Taken")
    wanted = []
    for name in ("One", "Taken", "Two"):
        customer = Customer()
        customer.DisplayName = name
        wanted.append(customer)
    result = batch_create(wanted, qb=qb)
    assert [one.DisplayName for one in result.successes] == ["One", "Two"]
    assert [one.Error[0].code for one in result.faults] == ["6240"]


def test_a_batch_of_everything(sim, url, api, books):
    customer = books.create_customer("Ann")["Id"]
    items = [
        {"bId": "1", "operation": "create", "Payment": {"CustomerRef": {"value": customer}, "TotalAmt": 5}},
        {"bId": "2", "Query": "select * from Customer"},
        {"bId": "3", "operation": "delete", "Payment": {"Id": "77", "SyncToken": "0"}},
        {"bId": "4", "operation": "create", "Payment": {"TotalAmt": 5}},
    ]
    answers = api.call("POST", "/batch", {"BatchItemRequest": items}, requestid="b-1")["BatchItemResponse"]
    assert [list(one) for one in answers] == [
        ["Payment", "bId"],
        ["QueryResponse", "bId"],
        ["Fault", "bId"],
        ["Fault", "bId"],
    ]
    again = api.call("POST", "/batch", {"BatchItemRequest": items}, requestid="b-1")["BatchItemResponse"]
    assert again == answers
    assert len(books.all("Payment")) == 1
    assert api.refused("POST", "/batch", {"BatchItemRequest": items * 8})[0] == 400
    assert api.refused("POST", "/batch", {"BatchItemRequest": items}, requestid="b" * 37)[1] == "2050"
    long = [{**items[0], "bId": str(uuid.uuid4())}]
    assert (
        "Fault"
        in api.call("POST", "/batch", {"BatchItemRequest": long}, requestid="b-2")["BatchItemResponse"][0]
    )


def test_headers_minor_versions_and_unknown_paths(sim, url, api):
    answer = ask(url, sim, "GET", "/query", params={"query": "select * from Invoice", "minorversion": "3"})
    assert answer.headers["intuit_tid"]
    assert answer.headers["QBO-Version"]
    assert answer.headers["Date"] == "Mon, 02 Mar 2026 18:00:00 GMT"
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    assert ask(url, sim, "GET", "/query", params={"query": "select * from Invoice"}).status_code == 200
    assert ask(url, sim, "GET", "/nonsense").json()["Fault"]["Error"][0]["code"] == "500"
    assert requests.get(f"{url}/somewhere", timeout=10).status_code == 400
    found = api.call("GET", "/companyinfo/9130")["CompanyInfo"]
    assert (found["CompanyName"], found["Country"]) == ("Acme Supply", "US")


# ---- the same write twice


def test_a_requestid_is_answered_twice_and_done_once(api, books):
    customer = books.create_customer("Ann")["Id"]
    body = {"CustomerRef": {"value": customer}, "TotalAmt": 10}
    first = api.send("POST", "/payment", body, requestid="r-1")
    assert api.send("POST", "/payment", body, requestid="r-1") == first
    assert len(books.all("Payment")) == 1
    made = parse_json(first.body)["Payment"]["Id"]
    books.delete("Payment", made)
    assert api.send("POST", "/payment", body, requestid="r-1") == first
    assert books.all("Payment") == []


def test_a_refused_request_does_not_use_its_requestid_up(api, books):
    customer = books.create_customer("Ann")["Id"]
    assert api.code("Payment", {"CustomerRef": {"value": customer}}, requestid="r-1") == "2020"
    assert (
        api.post("Payment", {"CustomerRef": {"value": customer}, "TotalAmt": 1}, requestid="r-1")["Id"] == "1"
    )


def test_another_body_under_the_same_requestid(api, books, switches):
    customer = books.create_customer("Ann")["Id"]
    body = {"CustomerRef": {"value": customer}, "TotalAmt": 10}
    api.post("Payment", body, requestid="r-1")
    assert str(api.post("Payment", {**body, "TotalAmt": 11}, requestid="r-1")["TotalAmt"]) == "10.00"
    switches.requestid_other_body = "refuse"
    assert api.code("Payment", {**body, "TotalAmt": 11}, requestid="r-1") == "6000"
    assert api.code("Payment", body, requestid="r" * 51) == "2050"


def test_a_company_sees_nothing_of_another(sim, api, books):
    """Ids, names, numbers, requestids and tokens: the same in both, and strangers to each other."""
    other = Api(sim, sim.add_company("42", name="Someone else").realm_id)
    body = {"DisplayName": "Ann"}
    made = [one.post("Customer", body, requestid="same")["Id"] for one in (api, other)]
    assert made == ["1", "1"]
    api.post("Payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 1})
    assert other.query("select * from Payment") == {}
    since = "2026-03-01T00:00:00-08:00"
    feed = other.call("GET", "/cdc", entities="Payment", changedSince=since)
    assert feed["CDCResponse"][0]["QueryResponse"] == [{}]
    other.token = api.token
    answer = other.send("GET", "/customer/1")
    assert (answer.status, parse_json(answer.body)["fault"]["error"][0]["code"]) == (403, "3100")


# ---- faults


@pytest.fixture
def customer(books):
    return books.create_customer("Ann")["Id"]


PAYMENT = b'{"CustomerRef":{"value":"1"},"TotalAmt":10}'


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [
        pytest.param("lost_before_commit", None, False, id="cut before anything happened"),
        pytest.param("lost_after_commit", None, True, id="cut after it happened"),
        pytest.param("reset_mid_body", None, True, id="reset in the middle of the answer"),
        pytest.param("truncated_body", 200, True, id="half an answer"),
        pytest.param("slow", 200, True, id="a slow answer"),
        pytest.param("slow_drip", 200, True, id="an answer drop by drop"),
        pytest.param("status_429", 429, False, id="throttled"),
        pytest.param("xml_429", 429, False, id="throttled in XML"),
        pytest.param("status_403", 403, False, id="throttled the old way"),
        pytest.param("status_500", 500, False, id="system failure"),
        pytest.param("status_500_after_commit", 500, True, id="system failure, but it happened"),
        pytest.param("html_503", 503, False, id="a page instead of JSON"),
        pytest.param("empty_504", 504, False, id="nothing at all"),
        pytest.param("empty_504_after_commit", 504, True, id="nothing at all, but it happened"),
        pytest.param("fault_in_200", 200, False, id="a fault that says 200"),
        pytest.param("status_401", 401, False, id="a token refused"),
    ],
)
def test_every_fault_is_what_it_says(sim, url, books, customer, kind, status, done):
    sim.faults.add("POST /payment", kind, delay_s=0.05)
    if status is None:
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            ask(url, sim, "POST", "/payment", data=PAYMENT)
    else:
        assert ask(url, sim, "POST", "/payment", data=PAYMENT).status_code == status
    assert len(books.all("Payment")) == (1 if done else 0)
    assert ask(url, sim, "POST", "/payment", data=PAYMENT).status_code == 200, "a fault fires once"


def test_no_fault_is_untested():
    table = test_every_fault_is_what_it_says.pytestmark[0].args[1]
    assert {one.values[0] for one in table} == set(FAULT_KINDS)


def test_what_the_broken_answers_look_like(sim, url, customer):
    sim.faults.add("POST /payment", "fault_in_200")
    assert "Fault" in ask(url, sim, "POST", "/payment", data=PAYMENT).json()
    sim.faults.add("*", "xml_429", retry_after_s=7)
    answer = ask(url, sim, "GET", "/query", params={"query": "select * from Invoice"})
    assert (answer.headers["Retry-After"], answer.headers["Content-Type"]) == ("7", "application/xml")
    assert "ThrottleExceeded" in answer.text
    sim.faults.add("GET /query", "truncated_body", skip=1)
    assert ask(url, sim, "GET", "/query", params={"query": "select * from Customer"}).json()
    with pytest.raises(requests.exceptions.JSONDecodeError):
        ask(url, sim, "GET", "/query", params={"query": "select * from Customer"}).json()
    with pytest.raises(ValueError, match="no fault is called"):
        sim.faults.add("*", "gremlins")


def test_a_lost_answer_repeated_with_its_requestid_pays_once(sim, url, books, customer):
    sim.faults.add("POST /payment", "lost_after_commit")
    with pytest.raises(requests.ConnectionError):
        ask(url, sim, "POST", "/payment", params={"requestid": "k"}, data=PAYMENT)
    assert (
        ask(url, sim, "POST", "/payment", params={"requestid": "k"}, data=PAYMENT).json()["Payment"]["Id"]
        == "1"
    )
    assert len(books.all("Payment")) == 1
    log = [(one.requestid, one.status, one.fault) for one in sim.requests]
    assert log == [("k", 0, "lost_after_commit"), ("k", 200, "")]


# ---- limits and meters


def test_rate_limits_run_on_the_simulators_clock(api, switches, clock):
    switches.rate_limits = True
    ten = [api.send("GET", "/query", query="select * from Invoice").status for _ in range(11)]
    assert ten == [200] * 10 + [429]
    clock.advance(seconds=1)
    for _ in range(49):
        clock.advance(seconds=1)
        for _ in range(10):
            assert api.send("GET", "/query", query="select * from Invoice").status == 200
    assert api.send("GET", "/query", query="select * from Invoice").status == 429
    switches.throttle, switches.retry_after_s = "json_403", 30
    answer = api.send("GET", "/query", query="select * from Invoice")
    assert (answer.status, dict(answer.headers)["Retry-After"]) == (403, "30")
    clock.advance(seconds=61)
    assert api.send("GET", "/query", query="select * from Invoice").status == 200


def test_batches_have_their_own_limit(api, switches, clock):
    switches.rate_limits = True
    statuses = []
    for _ in range(41):
        clock.advance(seconds=1)
        statuses.append(api.send("POST", "/batch", {"BatchItemRequest": []}).status)
    assert statuses == [200] * 40 + [429]


def test_reads_are_metered_and_writes_are_not(sim, api, switches, books):
    customer = books.create_customer("Ann")["Id"]
    api.query("select * from Customer")
    api.get("Customer", customer)
    api.call("GET", "/cdc", entities="Invoice", changedSince="2026-03-01T00:00:00Z")
    api.call("GET", "/reports/AgedReceivables")
    api.call(
        "POST",
        "/batch",
        {"BatchItemRequest": [{"bId": str(n), "Query": "select * from Item"} for n in range(3)]},
    )
    api.refused("GET", "/customer/99")
    api.post("Payment", {"CustomerRef": {"value": customer}, "TotalAmt": 1})
    counted = sim.counters[("9130", "2026-03")]
    assert (counted.reads, counted.writes) == (7, 1)
    switches.monthly_reads = 7
    assert api.send("GET", f"/customer/{customer}").status == 403


def test_a_lapsed_subscription_reads_only(api, company, books):
    books.create_customer("Ann")
    company.settings.read_only = True
    assert api.code("Payment", PAYMENT) == "6190"
    assert len(api.query("select * from Customer")["Customer"]) == 1


# ---- many at once


def test_concurrent_clients_are_safe(sim, url, books, customer):
    invoice = books.create_invoice(customer, 40)["Id"]
    token = sim.grant("9130")[0]
    body = {
        "CustomerRef": {"value": customer},
        "TotalAmt": 1,
        "Line": [{"Amount": 1, "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}],
    }

    def pay(number):
        address = f"{url}/v3/company/9130/payment?requestid=p{number % 40}"
        return requests.post(
            address, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10
        ).status_code

    def meddle():
        for number in range(20):
            books.edit("Invoice", invoice, PrivateNote=str(number))

    clerk = threading.Thread(target=meddle)
    clerk.start()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(pay, range(80)))
    clerk.join()
    assert statuses == [200] * 80
    assert books.get("Invoice", invoice)["Balance"] == 0
    assert len(books.all("Payment")) == 40
    books.audit()


# ---- keeping the books, and the back door


def test_books_outlive_the_process(tmp_path, clock, switches):
    path = tmp_path / "books.json"
    first = QuickBooksSimulator(clock=clock, switches=switches, state_path=path)
    first.add_company("9130", name="Kept Ltd").books.create_customer("Ann")
    tokens = first.grant("9130")
    with first.serve() as url:
        first.faults.add("POST /payment", "lost_after_commit")
        with pytest.raises(requests.ConnectionError):
            requests.post(
                f"{url}/v3/company/9130/payment?requestid=k",
                data=PAYMENT,
                headers={"Authorization": f"Bearer {tokens[0]}"},
                timeout=10,
            )
    second = QuickBooksSimulator(seed=99, clock=clock, switches=switches, state_path=path)
    assert second.client_id == first.client_id
    with second.serve() as url:
        answer = requests.post(
            f"{url}/v3/company/9130/payment?requestid=k",
            data=PAYMENT,
            headers={"Authorization": f"Bearer {tokens[0]}"},
            timeout=10,
        )
    assert answer.json()["Payment"]["Id"] == "1"
    assert len(second.companies["9130"].books.all("Payment")) == 1


def test_a_strange_file_is_not_state(tmp_path, clock):
    path = tmp_path / "books.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match="no state file"):
        QuickBooksSimulator(clock=clock, state_path=path)


def test_the_back_door(sim, url):
    def control(method, path, **body):
        return requests.request(method, f"{url}/_control/{path}", json=body or None, timeout=10)

    control("POST", "companies", realm_id="5", name="Fifth & Co")
    customer = control("POST", "books/5/create_customer", name="<Ann>").json()["Id"]
    invoice = control("POST", "books/5/create_invoice", customer=customer, amount="12.30").json()["Id"]
    paid = control(
        "POST", "books/5/create_payment", customer=customer, amount="5", lines=[["Invoice", invoice, "5"]]
    ).json()["Id"]
    shown = parse_json(control("GET", "books/5").content)
    assert [(one["kind"], str(one["open"])) for one in shown["open_items"]] == [("Invoice", "7.30")]
    assert {one["kind"] for one in shown["journal"]} == {"Invoice", "Payment"}
    control("POST", "books/5/unapply", payment_id=paid)
    control("POST", "books/5/delete", kind="Payment", record_id=paid)
    assert str(parse_json(control("GET", "books/5").content)["receivable"]) == "12.30"
    assert "&lt;Ann&gt;" in requests.get(f"{url}/_control/books/5?page=1", timeout=10).text
    assert "Fifth &amp; Co" in control("GET", "").text
    assert control("POST", "grant", realm_id="5").json().keys() == {"access_token", "refresh_token"}
    assert (
        control("POST", "faults", match="*", kind="slow", delay_s="0.5").json()["faults"][0]["kind"] == "slow"
    )
    assert control("DELETE", "faults").json() == {"faults": []}
    before = sim.now()
    control("POST", "clock", advance_s=3600)
    assert sim.now() - before == timedelta(hours=1)
    assert control("POST", "switches", line_over_balance="cap").json()["line_over_balance"] == "cap"
    assert control("POST", "switches", colour="red").status_code == 400
    assert control("POST", "books/5/explode").status_code == 404
    assert (
        control("POST", "books/5/create_invoice", customer="99", amount="1").json()["Fault"]["Error"][0][
            "code"
        ]
        == "2500"
    )
    assert control("POST", "books/5/create_invoice", customer=customer, amount="1.001").status_code == 400
    assert control("GET", "requests").json() == {"requests": []}
    assert control("GET", "counters").json() == {"counters": []}


def test_it_starts_stops_and_starts_again_on_one_port(sim, company):
    with sim.serve() as url, pytest.raises(RuntimeError, match="already"):
        sim.start()
    port = urlsplit(url).port
    with sim.serve(port) as again:
        assert again == url
        assert requests.get(f"{again}/_control/", timeout=10).status_code == 200


def test_an_answer_does_not_wait_for_nagle(sim, url):
    """A listening socket without IPPROTO_TCP costs 40 ms an answer on a kept connection."""
    headers = {"Authorization": f"Bearer {sim.grant('9130')[0]}"}
    with requests.Session() as session:
        took = []
        for _ in range(20):
            started = time.perf_counter()
            session.get(f"{url}/v3/company/9130/preferences", headers=headers, timeout=10)
            took.append(time.perf_counter() - started)
        assert min(took) < 0.03
