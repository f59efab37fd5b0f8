"""The wire changes nothing but what it is asked to, and each trouble is what its name says."""

import http.client
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from arsync.testing.wire import Fault, Wire

ANSWER = b'{"name": "O\'Brien \\\\ Sons\' & Co"}'


class Platform(BaseHTTPRequestHandler):
    """Remembers what it was asked."""

    heard: list = []  # noqa: RUF012 - one platform for these tests

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.heard.append((self.command, self.path, body, self.headers["X-Odd"]))
        self.send_response(201)
        self.send_header("X-Trace", "t-1")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_args):
        pass


@pytest.fixture
def wire():
    Platform.heard.clear()
    with HTTPServer(("127.0.0.1", 0), Platform) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        target = f"http://127.0.0.1:{server.server_port}"
        with Wire(target, lambda: datetime(2026, 11, 22, tzinfo=UTC)).running() as running:
            yield running
        server.shutdown()


def ask(wire, timeout_s=5):
    """Status, headers and body; one connection each."""
    connection = http.client.HTTPConnection("127.0.0.1", int(wire.url.rpartition(":")[2]), timeout=timeout_s)
    try:
        connection.request("POST", "/a%20b?x=%27", b"\x00bytes", {"X-Odd": "yes"})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_it_hands_on_every_byte_and_remembers(wire):
    status, headers, body = ask(wire)
    assert (status, headers["X-Trace"], body) == (201, "t-1", ANSWER)
    assert Platform.heard == [("POST", "/a%20b?x=%27", b"\x00bytes", "yes")]
    [exchange] = wire.exchanges
    assert (exchange.sent.path, exchange.sent.body, exchange.status) == ("/a%20b?x=%27", b"\x00bytes", 201)


@pytest.mark.parametrize(
    ("trouble", "reached", "status"),
    [
        ("lost before", 0, None),
        ("lost after", 1, None),
        ("torn", 1, None),
        ("truncated", 1, 201),
        ("html", 1, 200),
        ("empty", 1, 200),
        ("broken", 1, 500),
        ("throttled", 0, 429),
    ],
)
def test_each_trouble_is_what_its_name_says(wire, trouble, reached, status):
    wire.fault(Fault(trouble))
    if status is None:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            ask(wire)
    else:
        assert ask(wire)[0] == status
    assert len(Platform.heard) == reached
    assert [one.trouble for one in wire.exchanges] == [trouble]
    wire.heal()
    assert ask(wire)[2] == ANSWER


def test_half_an_answer_looks_whole_or_torn(wire):
    wire.fault(Fault("truncated"))
    assert ask(wire)[2] == ANSWER[: len(ANSWER) // 2]
    wire.fault(Fault("torn"))
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        ask(wire)


def test_a_late_answer_comes_never(wire):
    wire.fault(Fault("late"))
    with pytest.raises(TimeoutError):
        ask(wire, timeout_s=0.1)
    assert len(Platform.heard) == 1, "the platform did it"


def test_faults_wait_for_their_turn_and_are_used_up(wire):
    wire.fault(Fault("broken", skip=1, times=2))
    assert [ask(wire)[0] for _ in range(4)] == [201, 500, 500, 201]


def test_a_wait_is_told_only_if_asked_for(wire):
    wire.fault(Fault("throttled", retry_after_s=7))
    assert ask(wire)[1]["Retry-After"] == "7"
    wire.fault(Fault("throttled"))
    assert "Retry-After" not in ask(wire)[1]


def test_a_page_of_a_proxy_shows_what_it_was_asked(wire):
    wire.fault(Fault("html"))
    assert b"x-odd: yes" in ask(wire)[2]


def test_answers_are_rewritten_and_somebody_may_act_before(wire):
    acted = []
    wire.fault(Fault("rewritten", rewrite=bytes.upper))
    assert ask(wire)[2] == ANSWER.upper()
    wire.fault(Fault("watched", first=lambda: acted.append(len(Platform.heard))))
    assert ask(wire)[2] == ANSWER
    assert acted == [1], "before the request was handed on"


def test_connections_are_counted_and_cut_at_the_end(wire):
    connection = http.client.HTTPConnection("127.0.0.1", int(wire.url.rpartition(":")[2]))
    connection.request("POST", "/")
    connection.getresponse().read()
    assert wire.connections == 1
    connection.close()
