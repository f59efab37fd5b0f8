"""JSON over the transport, signed in: digits stay, tokens are renewed once, and what is no answer is an error."""

from decimal import Decimal

import httpx2
import pytest

from arsync.connectors.jsonapi import JsonApi
from arsync.connectors.oauth import Endpoints
from arsync.connectors.pace import AccountPace
from arsync.connectors.transport import Transport
from arsync.errors import ConsentLost, Garbled
from tests.connectors.quickbooks.helpers import ports

ENDPOINTS = Endpoints(
    "pebble", "http://pebble.test/consent", "http://pebble.test/token", "http://pebble.test/revoke", "books"
)
RENEWED = {"access_token": "access-token-two", "refresh_token": "refresh-token-two", "expires_in": 3600}


@pytest.fixture
def api():
    """Make an API whose every request is answered by `answer(request)`."""
    made = []

    def on(answer):
        given = ports()
        api = JsonApi("http://pebble.test", ENDPOINTS, given, [])
        wire = httpx2.MockTransport(answer)
        pace = AccountPace([], 1, given.now, given.sleep)
        api.__dict__["_transport"] = Transport("pebble", given.now, given.sleep, given.meter, pace, wire=wire)
        made.append(api)
        return api

    yield on
    for one in made:
        one.close()


def test_numbers_keep_their_digits(api):
    read = api(lambda _request: httpx2.Response(200, text='{"amount": 100.10, "count": 3}')).read("/x")
    assert read == {"amount": Decimal("100.10"), "count": 3}
    assert str(read["amount"]) == "100.10"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx2.Response(200, text="<html>"), id="a page"),
        pytest.param(httpx2.Response(200, text=""), id="nothing"),
        pytest.param(httpx2.Response(200, text='{"rows": ['), id="half an answer"),
        pytest.param(httpx2.Response(200, text="[]"), id="JSON, but no object"),
        pytest.param(httpx2.Response(500, text="{}"), id="an object with a status nobody expects"),
        pytest.param(httpx2.Response(422, text='{"error": "no"}'), id="a refusal where none is expected"),
    ],
)
def test_what_is_no_answer_is_garbled(api, answer):
    with pytest.raises(Garbled) as caught:
        api(lambda _request: answer).read("/rows?customer=O'Brien")
    assert "O'Brien" not in str(caught.value), "a query may name customers"


def test_an_expected_refusal_comes_back(api):
    heard = api(lambda _request: httpx2.Response(422, text='{"error": "no"}')).ask(
        "POST", "/payments", b"{}", {"Idempotency-Key": "k"}, frozenset({200, 422})
    )
    assert heard == (422, {"error": "no"}, '{"error": "no"}')


def test_what_is_sent_is_what_was_asked(api):
    seen = []

    def answer(request):
        seen.append((request.method, str(request.url), request.content, request.headers["Idempotency-Key"]))
        return httpx2.Response(200, text="{}")

    api(answer).ask("POST", "/payments?a=b", b'{"x":1}', {"Idempotency-Key": "k"})
    assert seen == [("POST", "http://pebble.test/payments?a=b", b'{"x":1}', "k")]


def test_a_token_that_ended_is_renewed_once_and_asked_again(api):
    bearers = []

    def answer(request):
        if request.url.path == "/token":
            return httpx2.Response(200, json=RENEWED)
        bearers.append(request.headers["Authorization"])
        return httpx2.Response(200 if bearers[-1].endswith("two") else 401, text="{}")

    assert api(answer).read("/x") == {}
    assert bearers == ["Bearer access-token-one", "Bearer access-token-two"]


def test_who_is_not_let_in_with_a_new_token_has_lost_consent(api):
    def answer(request):
        return httpx2.Response(200, json=RENEWED) if request.url.path == "/token" else httpx2.Response(401)

    with pytest.raises(ConsentLost, match="does not let us in"):
        api(answer).read("/x")


def test_constructing_and_closing_open_nothing():
    api = JsonApi("http://pebble.test", ENDPOINTS, ports(), [])
    api.close()
    api.close()
    assert "_transport" not in vars(api)
