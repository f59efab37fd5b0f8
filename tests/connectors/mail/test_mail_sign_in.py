"""Where owners of mailboxes sign in: addresses, rights and what the consent page is told."""

from urllib.parse import parse_qs, urlsplit

import pytest

from arsync.connectors import oauth
from arsync.connectors.mail.sign_in import SignInAt

PROVIDERS = [
    pytest.param(
        SignInAt("microsoft", "ours.example"),
        "https://login.microsoftonline.com/ours.example/oauth2/v2.0/authorize",
        "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
        {},
        id="Microsoft 365, one tenant",
    ),
    pytest.param(
        SignInAt("microsoft"),
        "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
        "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
        {},
        id="Microsoft 365, any organisation",
    ),
    pytest.param(
        SignInAt("google"),
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://mail.google.com/",
        {"access_type": ["offline"], "prompt": ["consent"]},
        id="Gmail gives a refresh token only when asked for offline access",
    ),
    pytest.param(
        SignInAt(addresses={"authorize_url": "https://x.example/a", "token_url": "t", "scope": "mail"}),
        "https://x.example/a",
        "mail",
        {},
        id="another provider",
    ),
]


@pytest.mark.parametrize(("at", "page", "scope", "more"), PROVIDERS)
def test_the_consent_page_of_each_provider(at, page, scope, more):
    endpoints = at.endpoints("ap@ours.example")
    url = oauth.authorize_url(endpoints, "client", "http://localhost:8765/callback", "state", "verifier")
    asked = parse_qs(urlsplit(url).query)
    assert url.partition("?")[0] == page
    assert (asked["scope"], asked["login_hint"]) == ([scope], ["ap@ours.example"])
    assert asked["code_challenge_method"] == ["S256"]
    assert {name: asked[name] for name in more} == more


def test_only_microsoft_has_no_way_to_give_a_consent_back():
    assert SignInAt("microsoft").endpoints("u").revoke_url == ""
    assert SignInAt("google").endpoints("u").revoke_url == "https://oauth2.googleapis.com/revoke"
