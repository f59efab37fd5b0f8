"""Signing in to Xero: an app with a secret, one without, one without a person; several organisations and apps."""

import re
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

from arsync.cli import cli
from arsync.errors import ConfigError, ConsentLost, PlatformRefused, UsageError
from arsync.simulators.xero import XeroSimulator
from tests.cli.installation import Installation, _Stay

REDIRECT = "http://localhost:8765/callback"


@pytest.fixture
def xero():
    made = XeroSimulator(clock=lambda: datetime.now(UTC))
    made.add_organisation("O'Brien \\ Sons' & Co")
    with made.serve() as url:
        yield made, url


@pytest.fixture
def place(tmp_path, xero):
    """An installation that knows no app yet."""
    CliRunner().invoke(
        cli, ["init", str(tmp_path), "--admin", "dana"], catch_exceptions=False, standalone_mode=False
    )
    return Installation(tmp_path, *xero)


def knows(place, app, section="xero"):
    """Write an app into arsync.toml, its secret into a file."""
    text = f'\n[{section}]\nclient_id = "{app.client_id}"\n'
    if app.client_secret:
        (place.folder / f"{app.name}.secret").write_text(app.client_secret)
        text += f'client_secret_file = "{app.name}.secret"\n'
    text += f'base_url = "{place.url}"\ntoken_url = "{place.url}/connect/token"\n'
    text += f'authorize_url = "{place.url}/identity/connect/authorize"\nrevoke_url = "{place.url}/connect/revocation"\n'
    toml = place.folder / "arsync.toml"
    toml.write_text(toml.read_text() + text)
    return app


def allows(page, *tenants):
    """What a browser does when somebody allows access to these organisations."""
    fields = urllib.parse.parse_qsl(urllib.parse.urlsplit(page).query)
    data = urllib.parse.urlencode([*fields, *(("tenant", one) for one in tenants)]).encode()
    request = urllib.request.Request(page.partition("?")[0], data=data, method="POST")
    try:
        urllib.request.build_opener(_Stay).open(request)
    except urllib.error.HTTPError as answer:
        return str(answer.headers["Location"])
    raise AssertionError("the consent page sent nobody anywhere")


@pytest.fixture
def person(monkeypatch):
    """Somebody who opens the page that is printed, allows access to these organisations, and pastes the address."""
    said, real, tenants = [], click.echo, []

    def echo(text="", **more):
        said.append(str(text))
        real(text, **more)

    monkeypatch.setattr(click, "echo", echo)
    pages = lambda: re.findall(r"http://\S+authorize\?\S+", "\n".join(said))  # noqa: E731 - said grows
    monkeypatch.setattr(click, "prompt", lambda *_a, **_k: allows(pages()[-1], *tenants))
    return tenants


def organisations(place):
    return {one.organisation.name: number for number, one in place.simulator.tenants.items()}


@pytest.mark.parametrize("kind", ["web", "pkce"])
def test_a_person_lets_an_app_in_with_a_secret_or_without(place, person, kind):
    knows(place, place.simulator.add_app("mine", kind=kind))
    person += place.simulator.tenants
    said = place.type("--as dana connect xero --paste --ledger books").stdout
    assert "connected to O'Brien \\ Sons' & Co (USD); ledger books is in observe" in said
    assert "records seen" in place.type("pull").stdout


def test_a_custom_connection_needs_no_person(place):
    scopes = ("accounting.invoices", "accounting.payments", "accounting.banktransactions", "accounting.contacts",
              "accounting.settings.read")  # fmt: skip
    [tenant] = place.simulator.tenants
    knows(place, place.simulator.add_app("own", kind="custom", scopes=scopes, tenant_id=tenant))
    place.type("--as dana connect xero --custom --ledger books")
    assert "records seen" in place.type("pull").stdout
    place.simulator.advance(31 * 60)
    assert "records seen" in place.type("pull").stdout, (
        "it has no refresh token, and signs in again by itself"
    )


def test_of_several_organisations_one_is_named_and_each_is_a_ledger(place, person):
    place.simulator.add_organisation("Second Company")
    knows(place, place.simulator.add_app("mine"))
    person += place.simulator.tenants
    with pytest.raises(UsageError, match="reaches these organisations: O'Brien") as error:
        place.type("--as dana connect xero --paste")
    assert "--tenant" in error.value.do
    assert place.json("ledger list") == [], "nothing half-made is left"
    place.type("--as dana connect xero --paste --ledger second --tenant 'Second Company'")
    first = organisations(place)["O'Brien \\ Sons' & Co"]
    place.type(f"--as dana connect xero --paste --ledger first --tenant {first}")
    assert [row["name"] for row in place.json("ledger list")] == ["second", "first"]
    again = place.type("--as dana connect xero --paste --tenant 'Second Company'").stdout
    assert "signed in again; ledger second goes on" in again


def test_two_apps_sign_in_side_by_side(place, person):
    place.simulator.add_organisation("Second Company")
    knows(place, place.simulator.add_app("mine"))
    knows(place, place.simulator.add_app("shop", kind="pkce"), "xero.apps.shop")
    names = organisations(place)
    person.append(names["O'Brien \\ Sons' & Co"])
    place.type("--as dana connect xero --paste --ledger first")
    person[:] = [names["Second Company"]]
    place.type("--as dana connect xero --paste --ledger second --app shop")
    for ledger in ("first", "second"):
        assert "records seen" in place.type(f"pull --ledger {ledger}").stdout
    with pytest.raises(ConfigError, match=r"no app xero\.other") as error:
        place.type("--as dana connect xero --paste --app other")
    assert "[xero.apps.other]" in error.value.do


def test_read_only_asks_for_no_right_to_write(place, person):
    app = knows(place, place.simulator.add_app("mine"))
    person += place.simulator.tenants
    place.type("--as dana connect xero --paste --ledger books --read-only")
    [grant] = [one for one in place.simulator.desk.grants.values() if one.client_id == app.client_id]
    assert {scope for scope in grant.scopes if not scope.endswith(".read")} == {"offline_access"}
    assert "records seen" in place.type("pull").stdout


def test_a_no_at_the_consent_page_is_told_as_such(place, person):
    knows(place, place.simulator.add_app("mine"))
    with pytest.raises(UsageError, match="access_denied"):
        place.type("--as dana connect xero --paste")
    assert person == []


def test_disconnecting_takes_this_organisation_off_the_app_and_leaves_the_others(place, person):
    place.simulator.add_organisation("Second Company")
    knows(place, place.simulator.add_app("mine"))
    person += place.simulator.tenants
    place.type("--as dana connect xero --paste --ledger second --tenant 'Second Company'")
    said = place.json("--as dana disconnect")
    assert said["revoked"]
    left = {one.tenant_id for one in place.simulator.desk.connections.values()}
    assert organisations(place)["Second Company"] not in left
    with pytest.raises(ConsentLost, match="not signed in"):
        place.type("pull")


def test_an_app_xero_does_not_know_is_refused_with_its_word(place):
    app = knows(
        place, place.simulator.add_app("mine", kind="custom", tenant_id=next(iter(place.simulator.tenants)))
    )
    del place.simulator.desk.apps[app.client_id]
    with pytest.raises(PlatformRefused, match="invalid_client"):
        place.type("--as dana connect xero --custom")
