"""Who may ask: applications, consent, tokens, scopes, connections (behaviours 1 to 8)."""

import base64
import hashlib
import http.client
import urllib.parse
from datetime import UTC, datetime

import pytest

from arsync.simulators.exact_json import parse_json
from arsync.simulators.xero import XeroSimulator
from arsync.simulators.xero.oauth import TokenRefused
from tests.simulators.xero_api import Api

DAY_S = 86_400


def form(url, path, fields, headers=None):
    """POST a form; (status, JSON document or None)."""
    parts = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    body = urllib.parse.urlencode(fields)
    link.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})
    answer = link.getresponse()
    raw = answer.read()
    location = answer.getheader("Location")
    link.close()
    return answer.status, location or (parse_json(raw) if raw.startswith(b"{") else raw)


def basic(app):
    return {
        "Authorization": "Basic " + base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
    }


def secret(app):
    return {"client_id": app.client_id, "client_secret": app.client_secret}


def consent(url, app, tenant, **more):
    fields = {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uris[0],
        "scope": "offline_access openid accounting.invoices",
        "state": "s1",
        "tenant": tenant.organisation.id,
        **more,
    }
    status, location = form(url, "/identity/connect/authorize", fields)
    assert status == 302, location
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))


@pytest.fixture
def app(xero):
    return xero.add_app("Tester")


@pytest.mark.parametrize("way", ["basic", "form"])
def test_a_code_gives_tokens_which_refresh_and_can_be_revoked(xero, tenant, app, way):
    who = {"headers": basic(app)} if way == "basic" else {}
    extra = {} if way == "basic" else secret(app)
    with xero.serve() as url:
        back = consent(url, app, tenant)
        assert back["state"] == "s1"
        fields = {
            "grant_type": "authorization_code",
            "code": back["code"],
            "redirect_uri": app.redirect_uris[0],
        }
        status, tokens = form(url, "/connect/token", fields | extra, **who)
        assert status == 200
        assert (tokens["expires_in"], tokens["token_type"]) == (1800, "Bearer")
        assert form(url, "/connect/token", fields | extra, **who) == (
            400,
            {"error": "invalid_grant"},
        )  # single use
        fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]} | extra
        status, newer = form(url, "/connect/token", fields, **who)
        assert newer["refresh_token"] != tokens["refresh_token"]
        status, body = form(url, "/connect/revocation", {"token": newer["refresh_token"]} | extra, **who)
        assert (status, body) == (200, b"")
        fields["refresh_token"] = newer["refresh_token"]
        assert form(url, "/connect/token", fields, **who) == (400, {"error": "invalid_grant"})
    assert xero.desk.connections == {}


def test_a_wrong_secret_is_refused(xero, app):
    with xero.serve() as url:
        fields = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": "guessed"}
        assert form(url, "/connect/token", fields) == (400, {"error": "invalid_client"})


def test_a_code_lives_five_minutes(xero, tenant, app, clock):
    with xero.serve() as url:
        code = consent(url, app, tenant)["code"]
        clock.advance(minutes=5)
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uris[0]}
        assert form(url, "/connect/token", fields | secret(app)) == (400, {"error": "invalid_grant"})


def test_pkce_needs_the_verifier_and_no_secret(xero, tenant):
    app = xero.add_app("Desktop", kind="pkce")
    assert app.client_secret == ""
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with xero.serve() as url:
        asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
        for given, status in (("x" * 50, 400), (verifier, 200)):
            fields = {
                "grant_type": "authorization_code",
                "code": consent(url, app, tenant, **asked)["code"],
                "redirect_uri": app.redirect_uris[0],
                "client_id": app.client_id,
                "code_verifier": given,
            }
            assert form(url, "/connect/token", fields)[0] == status


def test_redirects_go_to_https_or_to_localhost_by_name(xero):
    xero.add_app("Web", redirect_uris=("https://example.com/back", "http://localhost:1/back"))
    with pytest.raises(ValueError, match="localhost"):
        xero.add_app("Odd", redirect_uris=("http://127.0.0.1:1/back",))


def refresh(xero, app, token):
    return xero.desk.exchange(app, {"grant_type": "refresh_token", "refresh_token": token})


def test_a_used_refresh_token_works_again_for_thirty_minutes(xero, tenant, app, clock):
    first = xero.grant(app, tenant.organisation.id)["refresh_token"]
    refresh(xero, app, first)
    clock.advance(minutes=29)
    assert refresh(xero, app, first)["access_token"]
    clock.advance(minutes=1)
    with pytest.raises(TokenRefused, match="invalid_grant"):
        refresh(xero, app, first)


def test_an_access_token_lives_thirty_minutes(xapi, clock):
    clock.advance(minutes=29, seconds=59)
    xapi.get("/Organisation")
    clock.advance(seconds=1)
    answer = xapi.send("GET", "/Organisation")
    document = parse_json(answer.body)
    assert (answer.status, document["Title"], document["Status"]) == (401, "Unauthorized", 401)
    assert document["Detail"].startswith("TokenExpired")


def test_an_unused_refresh_token_lives_sixty_days(xero, tenant, app, clock):
    token = xero.grant(app, tenant.organisation.id)["refresh_token"]
    clock.advance(days=59)
    token = refresh(xero, app, token)["refresh_token"]
    clock.advance(days=60)
    with pytest.raises(TokenRefused, match="invalid_grant"):
        refresh(xero, app, token)


@pytest.mark.parametrize(
    ("scopes", "method", "path", "allowed"),
    [
        pytest.param(("accounting.invoices.read",), "GET", "/Invoices", True, id="granular read reads"),
        pytest.param(
            ("accounting.invoices.read",), "PUT", "/Invoices", False, id="granular read does not write"
        ),
        pytest.param(("accounting.invoices",), "GET", "/Payments", False, id="invoices are not payments"),
        pytest.param(("accounting.payments",), "GET", "/BatchPayments", True, id="payments hold batches"),
        pytest.param(("accounting.payments",), "GET", "/Overpayments", True, id="payments hold overpayments"),
        pytest.param(("accounting.settings.read",), "GET", "/Accounts", True, id="settings hold accounts"),
        pytest.param(("accounting.contacts",), "GET", "/Organisation", False, id="contacts are not settings"),
        pytest.param(("accounting.transactions",), "PUT", "/Payments", True, id="the broad scope covers all"),
        pytest.param(("accounting.transactions",), "GET", "/Contacts", False, id="but not contacts"),
        pytest.param(("accounting.reports.read",), "GET", "/Reports/TrialBalance", True, id="broad reports"),
        pytest.param(
            ("accounting.reports.aged.read",),
            "GET",
            "/Reports/TrialBalance",
            False,
            id="one report is not another",
        ),
    ],
)
def test_scopes_open_endpoints(xero, tenant, scopes, method, path, allowed):
    granular = not any("transactions" in one.split(".") or one == "accounting.reports.read" for one in scopes)
    app = xero.add_app("Scoped", granular=granular)
    answer = Api(xero, tenant, app, scopes).send(method, path, {})
    assert (b"AuthorizationUnsuccessful" not in answer.body) == allowed
    xero.switches.missing_scope = 403
    if not allowed:
        assert Api(xero, tenant, app, scopes).send(method, path, {}).status == 403


def test_a_new_application_cannot_ask_for_broad_scopes(xero, tenant, app):
    with pytest.raises(ValueError, match=r"accounting\.transactions"):
        xero.grant(app, tenant.organisation.id, scopes=("accounting.transactions",))


def test_broad_scopes_end_in_september_2027(clock):
    clock.moment = datetime(2027, 9, 12, 23, 50, tzinfo=UTC)
    xero = XeroSimulator(clock=clock)
    api = Api(
        xero, xero.add_organisation("Old"), xero.add_app("Old", granular=False), ("accounting.transactions",)
    )
    assert api.send("GET", "/Invoices").status == 200
    clock.advance(minutes=10)
    assert api.send("GET", "/Invoices").status == 401


def test_a_user_without_reports_gets_403_from_reports_only(xero, tenant):
    api = Api(xero, tenant, may_report=False)
    assert api.send("GET", "/Reports/TrialBalance").status == 403
    assert api.send("GET", "/Invoices").status == 200


def test_connections_are_listed_filtered_and_deleted(xero, tenant, app):
    other = xero.add_organisation("Branch", country="NZ")
    tokens = xero.grant(app, tenant.organisation.id)
    again = xero.grant(app, other.organisation.id)
    who = f"Bearer {tokens['access_token']}"
    found = xero.connections(who)
    assert [one["tenantName"] for one in found] == ["Acme Supply", "Branch"]
    only = xero.connections(who, found[1]["authEventId"])
    assert [one["tenantId"] for one in only] == [other.organisation.id]
    assert again
    with xero.serve() as url:
        parts = urllib.parse.urlsplit(url)
        link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        for name in ("connections", "Connections"):
            link.request("GET", f"/{name}", headers={"Authorization": who})
            assert len(parse_json(link.getresponse().read())) == 2
        link.request("DELETE", f"/connections/{found[0]['id']}", headers={"Authorization": who})
        assert link.getresponse().status == 204
        link.close()
    gone = Api(xero, other, app)
    gone.tenant_id = tenant.organisation.id
    assert gone.send("GET", "/Invoices").status == 403
    gone.tenant_id = other.organisation.id
    assert gone.send("GET", "/Invoices").status == 200


def test_an_unknown_tenant_is_403(xapi):
    xapi.tenant_id = "00000000-0000-0000-0000-000000000000"
    answer = xapi.send("GET", "/Invoices")
    assert (answer.status, parse_json(answer.body)["Detail"]) == (403, "AuthenticationUnsuccessful")


def test_one_applications_token_does_not_open_anothers_tenant(xero, tenant, xapi):
    stranger = Api(xero, xero.add_organisation("Elsewhere"), xero.add_app("Stranger"))
    stranger.tenant_id = xapi.tenant_id
    assert stranger.send("GET", "/Invoices").status == 403


def test_a_custom_connection_needs_no_tenant_header(xero, tenant):
    app = xero.add_app(
        "Custom", kind="custom", scopes=("accounting.invoices",), tenant_id=tenant.organisation.id
    )
    tokens = xero.desk.exchange(app, {"grant_type": "client_credentials", "scope": "accounting.invoices"})
    assert "refresh_token" not in tokens
    api = Api(xero, tenant)
    api.token = tokens["access_token"]
    answer = api.send("GET", "/Invoices", headers={"xero-tenant-id": None})
    assert answer.status == 200
    with pytest.raises(TokenRefused, match="invalid_scope"):
        xero.desk.exchange(app, {"grant_type": "client_credentials", "scope": "accounting.payments"})


def test_an_application_looks_after_its_connections_without_a_user(xero, tenant, app):
    xero.grant(app, tenant.organisation.id)
    tokens = xero.desk.exchange(app, {"grant_type": "client_credentials", "scope": "app.connections"})
    assert len(xero.connections(f"Bearer {tokens['access_token']}")) == 1
