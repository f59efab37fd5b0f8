"""Signing in: one refresh for all who wait, saved before it is used."""

import threading
import urllib.parse
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from arsync.connectors.oauth import Endpoints, SignIn, authorize_url, challenge
from arsync.connectors.pace import AccountPace, Limit
from arsync.connectors.quickbooks import QuickBooksConnector, QuickBooksSettings
from arsync.connectors.transport import NoAnswer, Transport
from arsync.errors import ConsentLost, Garbled, PlatformRefused
from arsync.simulators.quickbooks import QuickBooksSimulator, Switches
from tests.connectors.quickbooks.helpers import START, Clock, MemoryTokens, answer, ports, tokens

ENDPOINTS = Endpoints(
    "quickbooks",
    "https://sign.test/connect/oauth2",
    "https://sign.test/tokens/bearer",
    "https://sign.test/revoke",
    "books",
    asks={"x-include-refresh-token-hard-expires-in": "true"},
)
GRANTED = {
    "access_token": "access-token-two",
    "refresh_token": "refresh-token-two",
    "expires_in": 3600,
    "x_refresh_token_expires_in": 8_726_400,
    "x_refresh_token_hard_expires_in": 157_680_000,
}


def sign_in(store, wire, clock=None, endpoints=ENDPOINTS, *, secret=True):
    given = ports(clock, store)
    given = given if secret else replace(given, client_secret="")
    made = Transport(
        "quickbooks",
        given.now,
        given.sleep,
        given.meter,
        AccountPace([Limit(9, 1)], 8, given.now, given.sleep),
        wire=httpx2.MockTransport(wire),
    )
    return SignIn(endpoints, made, given)


def ended():
    return tokens(until=START)


def test_a_good_token_is_used_as_it_is():
    store = MemoryTokens(tokens())
    assert sign_in(store, lambda _: pytest.fail("nothing to ask")).access() == "access-token-one"


def test_an_ended_token_is_refreshed_and_saved_before_it_is_used():
    store = MemoryTokens(ended())
    asked = []

    def wire(request):
        asked.append(request)
        return answer(GRANTED)

    assert sign_in(store, wire).access() == "access-token-two"
    [saved] = store.saved
    assert saved.refresh == "refresh-token-two"
    assert saved.access_until == START + timedelta(seconds=3600)
    assert saved.refresh_until == START + timedelta(seconds=8_726_400)
    assert saved.hard_until == START + timedelta(seconds=157_680_000)
    form = urllib.parse.parse_qs(asked[0].content.decode())
    assert form == {"grant_type": ["refresh_token"], "refresh_token": ["refresh-token-one"]}
    assert asked[0].headers["x-include-refresh-token-hard-expires-in"] == "true"
    assert asked[0].headers["authorization"].startswith("Basic ")


def test_a_store_that_cannot_save_lets_nobody_use_the_new_token():
    store = MemoryTokens(ended())
    store.save = lambda _: (_ for _ in ()).throw(OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        sign_in(store, lambda _: answer(GRANTED)).access()


def test_whoever_waited_for_the_lock_finds_the_work_done():
    store = MemoryTokens(ended())
    asked, everybody_saw_it_ended = [], threading.Barrier(8)
    read = store.load

    def load():
        tokens_read = read()
        if not store.held:
            everybody_saw_it_ended.wait(timeout=10)
        return tokens_read

    def wire(_):
        asked.append(1)
        return answer(GRANTED)

    store.load = load
    signed = [sign_in(store, wire) for _ in range(8)]
    got = []
    threads = [threading.Thread(target=lambda one=one: got.append(one.access())) for one in signed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["access-token-two"] * 8
    assert len(asked) == 1


def test_a_refused_token_is_renewed_although_it_has_not_ended():
    store = MemoryTokens(tokens())
    assert sign_in(store, lambda _: answer(GRANTED)).renew("access-token-one") == "access-token-two"


def test_a_refresh_token_that_is_not_repeated_stays_the_one_we_have():
    store = MemoryTokens(ended())
    sign_in(store, lambda _: answer({"access_token": "access-token-two", "expires_in": 3600})).access()
    assert store.tokens.refresh == "refresh-token-one"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(400, {"error": "invalid_grant", "error_description": "Incorrect refresh token"},
                     ConsentLost, id="the refresh token is not taken"),
        pytest.param(401, {"error": "invalid_client"}, PlatformRefused, id="the client is not known"),
        pytest.param(200, {"expires_in": 3600}, Garbled, id="no tokens in it"),
        pytest.param(200, GRANTED | {"expires_in": "soon"}, Garbled, id="a life nobody can read"),
        pytest.param(200, GRANTED | {"expires_in": -5}, Garbled, id="a negative life"),
        pytest.param(200, "<html>hello</html>", Garbled, id="a page instead"),
        pytest.param(504, "", NoAnswer, id="nothing at all"),
    ],
)  # fmt: skip
def test_what_goes_wrong_has_a_name_and_keeps_the_old_tokens(status, body, error):
    store = MemoryTokens(ended())
    with pytest.raises(error) as caught:
        sign_in(store, lambda _: answer(body, status)).access()
    assert store.saved == []
    assert caught.value.do
    assert "token-one" not in str(caught.value)
    assert "token-two" not in str(caught.value)


def test_the_authorise_address_carries_what_the_platform_needs():
    url = authorize_url(ENDPOINTS, "client-id", "http://localhost:8765/callback", "state & more")
    split = urllib.parse.urlsplit(url)
    assert url.startswith(ENDPOINTS.authorize_url)
    assert urllib.parse.parse_qs(split.query) == {
        "client_id": ["client-id"],
        "response_type": ["code"],
        "scope": ["books"],
        "redirect_uri": ["http://localhost:8765/callback"],
        "state": ["state & more"],
    }


def test_a_code_is_asked_for_once_only():
    store = MemoryTokens(None)
    asked = []

    def wire(request):
        asked.append(request)
        raise httpx2.ReadTimeout("late")

    with pytest.raises(NoAnswer):
        sign_in(store, wire).exchange("code-Q0123456789", "http://localhost/callback")
    assert len(asked) == 1


class TestAgainstTheSimulatedPlatform:
    """Refresh tokens that die at once, and codes, as the platform does it."""

    @pytest.fixture
    def served(self):
        clock = Clock()
        simulator = QuickBooksSimulator(clock=clock.now, switches=Switches(refresh_rotation="each"))
        simulator.add_company("1", name="Books")
        with simulator.serve() as url:
            yield simulator, url, clock

    def signed(self, served, store):
        simulator, url, clock = served
        given = ports(clock, store)
        given = type(given)(
            store, given.meter, clock.now, clock.sleep, simulator.client_id, simulator.client_secret
        )
        made = Transport(
            "quickbooks",
            clock.now,
            clock.sleep,
            given.meter,
            AccountPace([Limit(9, 1)], 8, clock.now, clock.sleep),
        )
        endpoints = Endpoints(
            "quickbooks",
            f"{url}/connect/oauth2",
            f"{url}/oauth2/v1/tokens/bearer",
            f"{url}/v2/oauth2/tokens/revoke",
            "x",
        )
        return SignIn(endpoints, made, given)

    def test_a_token_is_refreshed_again_and_again(self, served):
        access, refresh = served[0].grant("1")
        store = MemoryTokens(tokens(access, refresh))
        signed = self.signed(served, store)
        seen = {access}
        for _ in range(4):
            served[2].sleep(3600)
            seen.add(signed.access())
        assert len(seen) == 5
        assert len({saved.refresh for saved in store.saved}) == 4

    def test_a_code_becomes_tokens(self, served):
        callback = "http://localhost:8765/callback"
        code = served[0].tokens.new_code("1", callback)
        store = MemoryTokens(None)
        got = self.signed(served, store).exchange(code, callback)
        assert store.saved == [got]
        assert got.refresh_until > got.access_until


def asked_with(request):
    return dict(urllib.parse.parse_qsl(request.content.decode()))


def test_the_challenge_is_that_of_the_standard():
    # RFC 7636, appendix B
    assert (
        challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_an_app_without_a_secret_proves_that_it_asked():
    seen = []

    def wire(request):
        seen.append(request)
        return answer(GRANTED)

    store = MemoryTokens(ended())
    sign_in(store, wire, secret=False).exchange(
        "code-of-consent", "http://localhost:8765/callback", "verifier-of-43"
    )
    page = authorize_url(ENDPOINTS, "app", "http://localhost:8765/callback", "state", "verifier-of-43")
    assert f"code_challenge={challenge('verifier-of-43')}" in page
    assert "verifier-of-43" not in page
    assert asked_with(seen[0])["code_verifier"] == "verifier-of-43"
    assert asked_with(seen[0])["client_id"] == ports(None, store).client_id
    assert "authorization" not in seen[0].headers


def test_an_app_that_stands_for_itself_asks_anew_each_time():
    seen = []

    def wire(request):
        seen.append(request)
        return answer({"access_token": "access-token-two", "expires_in": 1800, "scope": "books other"})

    store = MemoryTokens(ended())
    endpoints = replace(ENDPOINTS, itself=True)
    assert sign_in(store, wire, endpoints=endpoints).access() == "access-token-two"
    assert asked_with(seen[0]) == {"grant_type": "client_credentials", "scope": "books"}
    assert (store.saved[0].refresh, store.saved[0].refresh_until) == ("", None)
    assert store.saved[0].scope == "books other"


def test_a_consent_is_given_back_in_the_form_the_platform_wants():
    seen = []

    def wire(request):
        seen.append(request)
        return httpx2.Response(200)

    store = MemoryTokens(tokens())
    assert sign_in(store, wire, endpoints=replace(ENDPOINTS, revokes="form")).revoke()
    assert asked_with(seen[0]) == {"token": store.load().refresh}


@pytest.mark.parametrize(
    ("token_url", "expected"),
    [
        pytest.param(
            "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
            "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
            id="Intuit has a host of its own for it",
        ),
        pytest.param(
            "http://127.0.0.1:8800/oauth2/v1/tokens/bearer",
            "http://127.0.0.1:8800/v2/oauth2/tokens/revoke",
            id="a simulator's tokens are never sent to Intuit",
        ),
    ],
)
def test_a_consent_is_given_back_where_it_was_given(token_url, expected):
    connector = QuickBooksConnector(QuickBooksSettings("1", token_url=token_url), ports())
    assert connector._endpoints.revoke_url == expected


@pytest.mark.parametrize(
    ("status", "body", "known"),
    [
        pytest.param(200, "", True, id="the platform forgets"),
        pytest.param(400, '{"error": "invalid_request"}', False, id="it knew nothing of it"),
    ],
)
def test_a_consent_is_given_back(status, body, known):
    seen = []

    def wire(request):
        seen.append((str(request.url), request.content))
        return httpx2.Response(status, text=body)

    store = MemoryTokens(tokens())
    assert sign_in(store, wire).revoke() is known
    assert seen == [("https://sign.test/revoke", b'{"token": "refresh-token-one"}')]


def test_a_refused_app_does_not_count_as_given_back():
    with pytest.raises(PlatformRefused, match="invalid_client"):
        sign_in(MemoryTokens(tokens()), lambda _: answer({"error": "invalid_client"}, 401)).revoke()
