"""Signing in as a person does it: a browser that comes back by itself, a pasted address, and giving it back."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from arsync.cli import cli
from arsync.errors import ConsentLost, NotPermitted, PlatformBusy, UsageError
from tests.cli.installation import REALM, connect, consent

_BROWSER = """\
import sys
from tests.cli.installation import consent
import urllib.request
urllib.request.urlopen(consent(sys.argv[1], {realm!r})).read()
"""


@pytest.fixture
def port(place):
    """A free port, as the place the app sends its people back to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    toml = place.folder / "arsync.toml"
    toml.write_text(toml.read_text() + f'redirect_uri = "http://127.0.0.1:{number}/callback"\n')
    return number


def test_the_browser_comes_back_by_itself_and_the_ledger_is_open(place, port, tmp_path):
    script = tmp_path / "browser.py"
    script.write_text(_BROWSER.format(realm=REALM))
    words = ["--config", str(place.folder / "arsync.toml"), "--as", "dana", "connect", "quickbooks"]
    ran = subprocess.run(
        [sys.executable, "-m", "arsync", *words, "--ledger", "O'Brien \\ Sons' & Co"],
        env={**os.environ, "BROWSER": f"{sys.executable} {script} %s", "PYTHONPATH": str(Path.cwd())},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "is in observe" in ran.stdout
    assert "waiting for your browser" in ran.stderr
    assert [row["name"] for row in place.json("ledger list")] == ["O'Brien \\ Sons' & Co"]
    assert "records seen" in place.type("pull").stdout


class _Connecting:
    """`arsync connect quickbooks` under way in a thread."""

    def __init__(self, place, options=""):
        self.words = ["--config", str(place.folder / "arsync.toml"), "--as", "dana", "connect", "quickbooks"]
        self.words += ["--no-browser", *options.split()]
        self.result, self.thread = None, threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        self.result = CliRunner().invoke(cli, self.words, standalone_mode=False)

    def ended(self):
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.result


def _knock(port, path):
    """What the listener answers; waits until it listens."""
    for _ in range(100):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").status
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nobody listens")


def _state(monkeypatch, value="the-state-of-this-sign-in"):
    monkeypatch.setattr("secrets.token_urlsafe", lambda _n: value)
    return value


def test_an_answer_with_another_state_is_turned_away_and_the_right_one_still_counts(place, port, monkeypatch):
    state = _state(monkeypatch)
    under_way = _Connecting(place, "--ledger supply")
    assert _knock(port, "/callback?code=stolen&state=other&realmId=1") == 400
    assert _knock(port, "/favicon.ico") == 400
    page = (
        f"{place.url}/connect/oauth2?client_id={place.simulator.client_id}&state={state}"
        f"&redirect_uri=http://127.0.0.1:{port}/callback"
    )
    assert _knock(port, consent(page).partition(str(port))[2]) == 200
    assert under_way.ended().exception is None
    assert [row["name"] for row in place.json("ledger list")] == ["supply"]


def test_a_no_at_the_consent_page_ends_the_wait_and_says_so(place, port, monkeypatch):
    state = _state(monkeypatch)
    under_way = _Connecting(place)
    assert _knock(port, f"/callback?error=access_denied&state={state}") == 200
    error = under_way.ended().exception
    assert isinstance(error, UsageError)
    assert "access_denied" in error.what


def test_a_browser_that_opens_a_connection_and_says_nothing_holds_nobody_up(place, port, monkeypatch):
    state = _state(monkeypatch)
    under_way = _Connecting(place)
    _knock(port, "/warm-up")
    with socket.create_connection(("127.0.0.1", port)):
        began = time.monotonic()
        _knock(port, f"/callback?error=access_denied&state={state}")
        under_way.ended()
        assert time.monotonic() - began < 4


def test_a_proxy_may_bring_the_answer_of_an_app_in_production(place, port, monkeypatch):
    state = _state(monkeypatch)
    toml = place.folder / "arsync.toml"
    toml.write_text(
        toml.read_text().replace(f"http://127.0.0.1:{port}/callback", "https://ar.example.com/sign-in")
    )
    under_way = _Connecting(place, f"--ledger supply --listen 127.0.0.1:{port}")
    page = (
        f"{place.url}/connect/oauth2?client_id={place.simulator.client_id}&state={state}"
        "&redirect_uri=https://ar.example.com/sign-in"
    )
    assert _knock(port, consent(page).partition("ar.example.com")[2]) == 200
    assert under_way.ended().exception is None
    assert "records seen" in place.type("pull").stdout


def test_a_taken_port_names_the_way_round(place, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(UsageError, match="nobody can listen") as error:
            place.type("--as dana connect quickbooks --no-browser")
    assert "--paste" in error.value.do


def test_a_pasted_address_will_do_where_there_is_no_browser(place, monkeypatch):
    state = _state(monkeypatch)
    page = (
        f"{place.url}/connect/oauth2?client_id={place.simulator.client_id}&state={state}"
        "&redirect_uri=http://127.0.0.1:8765/callback"
    )
    said = place.type("--as dana connect quickbooks --paste --ledger supply", answer=consent(page) + "\n")
    assert "is in observe" in said.stdout


def test_two_companies_are_two_ledgers_and_lost_consent_names_the_right_one(place):
    place.simulator.add_company("77", name="Second Company")
    connect(place, "--ledger first")
    connect(place, "--ledger second", realm="77")
    assert [row["name"] for row in place.json("ledger list")] == ["first", "second"]
    lost = [t for t, grant in place.simulator.tokens.grants.items() if grant.realm_id == "77"]
    for token in lost:
        place.simulator.tokens.revoke(token)
    assert "records seen" in place.type("pull --ledger first").stdout
    with pytest.raises(ConsentLost) as error:
        place.type("pull --ledger second")
    command = re.search(r"arsync (connect quickbooks --name \S+)", error.value.do)[1]
    assert command == "connect quickbooks --name quickbooks-77"
    connect(place, command.removeprefix("connect quickbooks "), realm="77")
    assert "records seen" in place.type("pull --ledger second").stdout
    assert len(place.json("ledger list")) == 2
    told = {check["do"] for check in place.json("doctor")}
    assert "arsync reconcile --ledger first --dry-run" in told, "what doctor says may be typed"


def test_disconnecting_gives_the_consent_back_and_keeps_what_is_known(place):
    connect(place)
    place.type("pull")
    assert place.simulator.tokens.grants
    said = place.json("--as dana disconnect")
    assert said["revoked"]
    assert not place.simulator.tokens.grants
    assert said["back"] == "arsync connect quickbooks --name quickbooks"
    with pytest.raises(ConsentLost, match="not signed in"):
        place.type("pull")
    assert "signed out" in place.type("run").stdout, "a run over all ledgers passes by"
    assert place.json("aging")["lines"] == []
    assert place.json("audit log ledger")[-1]["what"] == "signed out"
    connect(place, "--name quickbooks")
    assert "records seen" in place.type("pull").stdout


def test_a_consent_the_platform_forgot_is_given_back_all_the_same(place):
    connect(place)
    place.simulator.tokens.grants.clear()
    assert not place.json("--as dana disconnect")["revoked"]


def test_a_platform_out_of_reach_keeps_the_sign_in_unless_told_otherwise(place, monkeypatch):
    connect(place)
    monkeypatch.setattr("time.sleep", lambda _s: None)
    place.simulator.faults.add("POST /v2/oauth2/tokens/revoke", "html_503", times=4)
    with pytest.raises(PlatformBusy):
        place.type("--as dana disconnect")
    assert "records seen" in place.type("pull").stdout
    place.simulator.faults.add("POST /v2/oauth2/tokens/revoke", "html_503", times=4)
    assert "remove arsync" in place.type("--as dana disconnect --anyway").stdout
    with pytest.raises(ConsentLost, match="not signed in"):
        place.type("pull")


def test_only_an_admin_disconnects(place):
    connect(place)
    place.type("--as dana people add casey --role clerk")
    with pytest.raises(NotPermitted):
        place.type("--as casey disconnect")
