"""What python-quickbooks sends by itself, as `responses` records it, is what leaves through our session.

The SDK alone keeps its own session (requests). Under our transport the same calls must ask for the same things, and
requests must see nothing of them.
"""

import warnings
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from quickbooks.client import QuickBooks
from quickbooks.exceptions import QuickbooksException

from arsync.connectors.contract import Call
from arsync.connectors.quickbooks import QuickBooksSettings
from arsync.errors import ConsentLost, Garbled
from tests.connectors.quickbooks.helpers import answer, connector_on
from tests.connectors.quickbooks.test_faults import XML, accounting, gateway

REALM, BASE, TOKEN = "9130", "https://books.test", "access-token-one"
SITE = QuickBooksSettings(REALM, BASE)
COMPANY = f"{BASE}/v3/company/{REALM}"
BODY = '{"TotalAmt":100.10,"CustomerRef":{"value":"1"},"PrivateNote":"arsync:1-7.0.0"}'
PAYMENT = '{"Payment":{"Id":"5","TotalAmt":100.10,"MetaData":{"LastUpdatedTime":"2026-11-22T08:00:00Z"}}}'
ANSWERS = {
    "query": '{"QueryResponse":{"Invoice":[{"Id":"1","Balance":0.10}]}}',
    "cdc": '{"CDCResponse":[{"QueryResponse":[{}]}]}',
    "reports/AgedReceivables": '{"Header":{},"Rows":{}}',
    "payment/5": PAYMENT,
    "payment": PAYMENT,
}

# What is asked -> the same call of the SDK's client and of ours.
CALLS = {
    "query": (lambda sdk: sdk.query("select * from Invoice"), lambda our: our.query("select * from Invoice")),
    "cdc": (
        lambda sdk: sdk.change_data_capture("Invoice,Payment", "2026-11-21T00:00:00Z"),
        lambda our: our.changes("Invoice,Payment", "2026-11-21T00:00:00Z"),
    ),
    "reports/AgedReceivables": (
        lambda sdk: sdk.get_report("AgedReceivables", {"report_date": "2026-11-22"}),
        lambda our: our.report("AgedReceivables", {"report_date": "2026-11-22"}),
    ),
    "payment/5": (lambda sdk: sdk.get_single_object("Payment", "5"), lambda our: our.one("Payment", "5")),
    "payment": (
        lambda sdk: sdk.create_object("Payment", BODY, request_id="key-1"),
        lambda our: our.write("Payment", "create", BODY, "key-1"),
    ),
    "payment deleted": (
        lambda sdk: sdk.delete_object("Payment", BODY, request_id="key-2"),
        lambda our: our.write("Payment", "delete", BODY, "key-2"),
    ),
}


def body_of(text):
    return text.decode() if isinstance(text, bytes) else text or ""


def asked(method, url, headers, body):
    """A request without what every HTTP library adds by itself."""
    split = urlsplit(url)
    kept = {name: headers.get(name) for name in ("Authorization", "Accept", "Content-Type")}
    return method, f"{split.scheme}://{split.netloc}{split.path}", parse_qs(split.query), kept, body_of(body)


def bare_sdk():
    """The SDK as its own page has it, with its own session."""
    client = SimpleNamespace(environment="production", access_token=TOKEN, refresh_token="r", client_id="id")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        sdk = QuickBooks(
            auth_client=client, refresh_token="r", company_id=REALM, minorversion=75, use_decimal=True
        )
    sdk.api_url_v3 = f"{BASE}/v3"
    return sdk


def sent_by_the_sdk(name):
    """The one request that the SDK makes, and what it reads from the answer."""
    path = name.partition(" ")[0]
    with responses.RequestsMock() as wire:
        for method in (responses.GET, responses.POST):
            wire.add(method, f"{COMPANY}/{path}", body=ANSWERS[path])
        wire.assert_all_requests_are_fired = False
        read = CALLS[name][0](bare_sdk())
        [call] = wire.calls
        return asked(call.request.method, call.request.url, call.request.headers, call.request.body), read


def sent_by_us(name, text=None, status=200):
    """The one request that leaves through our transport, and what is read; requests must not be used at all."""
    seen = []

    def wire(request):
        seen.append(asked(request.method, str(request.url), request.headers, request.content))
        return answer(text or ANSWERS[name.partition(" ")[0]], status)

    with responses.RequestsMock() as other_door:
        read = CALLS[name][1](connector_on(wire, settings=SITE)._company)
        assert len(other_door.calls) == 0
    [request] = seen
    return request, read


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_leaves(name):
    (theirs, _), (ours, _) = sent_by_the_sdk(name), sent_by_us(name)
    assert ours == theirs


@pytest.mark.parametrize("name", CALLS)
def test_the_same_answer_is_read(name):
    (_, theirs), (_, ours) = sent_by_the_sdk(name), sent_by_us(name)
    assert ours == (theirs.get("Payment") if name == "payment/5" else theirs)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_names_its_version_and_its_token(name):
    (_, _, params, headers, _), _ = sent_by_us(name)
    assert params["minorversion"] == ["75"]
    assert headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(("name", "key"), [("payment", "key-1"), ("payment deleted", "key-2")])
def test_a_write_carries_its_key_and_its_very_bytes(name, key):
    (method, _, params, _, body), _ = sent_by_us(name)
    assert (method, params["requestid"], body) == ("POST", [key], BODY)


@pytest.mark.parametrize("name", ["query", "cdc", "reports/AgedReceivables", "payment/5"])
def test_a_read_carries_no_key(name):
    (_, _, params, _, _), _ = sent_by_us(name)
    assert "requestid" not in params


def test_numbers_keep_their_digits_both_ways():
    (_, _, _, _, body), read = sent_by_us("payment")
    assert '"TotalAmt":100.10' in body
    assert (read["Payment"]["TotalAmt"], type(read["Payment"]["TotalAmt"])) == (Decimal("100.10"), Decimal)
    assert str(read["Payment"]["TotalAmt"]) == "100.10"


# ---- the four envelopes, where the SDK alone loses what they say

CALL = Call(0, "post_receipt", "key-1", "POST", f"/v3/company/{REALM}/payment", BODY.encode())
HTML = "<html><body>503 Service Unavailable</body></html>"
A_IN_200 = accounting("6000", "A business validation error has occurred")
B = gateway("120")


def written(text, status):
    """What our connector makes of this answer to a payment."""
    [told] = connector_on(lambda _request: answer(text, status)).send([CALL])
    return told.outcome, told.code, told.why


@pytest.mark.parametrize(
    ("text", "status", "outcome", "code", "says"),
    [
        pytest.param(accounting("5010", "Stale Object"), 400, "stale", "5010", "Stale Object", id="A"),
        pytest.param(A_IN_200, 200, "refused", "6000", "business validation", id="A inside HTTP 200"),
        pytest.param(accounting("2020", "Required"), 400, "refused", "2020", "trace tid-1", id="A, the trace kept"),
        pytest.param(accounting("x1", "odd"), 400, "refused", "x1", "odd", id="A, a code that is no number"),
        pytest.param(gateway("500", "SERVICE"), 400, "refused", "500", "m: d", id="B"),
        pytest.param(XML, 500, "unknown", "", "", id="C"),
        pytest.param(HTML, 200, "unknown", "", "", id="D, a page that pretends all went well"),
    ],
)  # fmt: skip
def test_a_fault_of_each_envelope_keeps_its_meaning(text, status, outcome, code, says):
    told = written(text, status)
    assert told[0] == outcome
    assert code in told[1]
    assert says in told[2]


def test_a_gateway_fault_that_only_consent_helps_is_told_as_that():
    with pytest.raises(ConsentLost):
        written(B, 403)


def test_a_page_instead_of_an_answer_is_no_empty_answer():
    with pytest.raises(Garbled):
        sent_by_us("query", HTML)


@pytest.mark.parametrize(
    ("text", "status", "lost"),
    [
        pytest.param(gateway("3100"), 403, "3100", id="the code of a gateway's fault"),
        pytest.param(XML, 429, "3001", id="the code of an XML fault"),
    ],
)
def test_why_faults_are_read_before_the_sdk_sees_them(text, status, lost):
    """The SDK alone turns these into one code of its own; when it no longer does, our reading may go."""
    with responses.RequestsMock() as wire:
        wire.add(responses.POST, f"{COMPANY}/query", body=text, status=status)
        with pytest.raises(QuickbooksException) as told:
            bare_sdk().query("select * from Invoice")
    assert str(told.value.error_code) == "10000"
    assert lost in text
