"""The two commands that stay: `listen` and `run --follow`, as a service manager starts and ends them."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from arsync.errors import ConfigError, UsageError
from tests.cli.installation import REALM, connect
from tests.connectors.quickbooks.test_webhook import TOKEN, cloud, sign

pytestmark = pytest.mark.slow


def started(place, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "arsync", "--config", str(place.folder / "arsync.toml"), *words],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process):
    process.send_signal(signal.SIGTERM)
    code = process.wait(30)
    process.stdout.close()
    return code


@pytest.fixture
def listening(place):
    (place.folder / "webhook.token").write_text(TOKEN + "\n")
    toml = place.folder / "arsync.toml"
    toml.write_text(toml.read_text() + 'webhook_token_file = "webhook.token"\n')
    connect(place)
    process = started(place, "listen", "--port", "0", "--json")
    address = ""
    lines = []
    while "}" not in lines[-1:]:
        lines.append(process.stdout.readline().strip())
    address = json.loads("".join(lines))["address"]
    yield address
    assert ended(process) == 0


def knock(address, document):
    body = json.dumps(document).encode()
    request = urllib.request.Request(address, body, {"intuit-signature": sign(body)})
    return urllib.request.urlopen(request, timeout=5).status


def test_a_knock_makes_a_following_run_look_again(place, listening):
    following = started(place, "run", "--follow", "--every", "1000", "--json")
    first = json.loads(following.stdout.readline())
    assert first["ledger"] == "supply"
    books = place.simulator.companies[REALM].books
    books.create_invoice(books.create_customer("Northwind")["Id"], "250.00", number="1001")
    assert knock(listening, [cloud(REALM)]) == 200
    assert any("last webhook" in line["what"] for line in place.json("doctor"))
    began = time.monotonic()
    second = json.loads(following.stdout.readline())
    assert second["records_changed"] > 0
    assert time.monotonic() - began < 60
    assert ended(following) == 0
    assert place.json("aging")["totals"][0]["total"] == {"amount": "250.00", "currency": "USD"}


def test_an_unsigned_knock_is_turned_away(place, listening):
    request = urllib.request.Request(listening, b"[]", {"intuit-signature": "nonsense"})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=5)


def test_listening_needs_the_token_and_a_free_port(place):
    with pytest.raises(ConfigError, match="webhook_token_file"):
        place.type("listen")
    (place.folder / "webhook.token").write_text(" \n")
    toml = place.folder / "arsync.toml"
    toml.write_text(toml.read_text() + 'webhook_token_file = "webhook.token"\n')
    with pytest.raises(ConfigError, match="is empty"):
        place.type("listen")
    (place.folder / "webhook.token").write_text(TOKEN)
    taken = int(place.url.rpartition(":")[2])
    with pytest.raises(UsageError, match="nobody can listen"):
        place.type(f"listen --port {taken}")
