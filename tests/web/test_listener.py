"""The door for webhooks: opens to signed knocks, keeps one mark, answers in time, and a lost knock loses nothing."""

import http.client
import json
import socket
import threading
import time
import urllib.parse

import pytest

from arsync.connectors.quickbooks import webhook
from arsync.errors import StoreUnusable
from arsync.web import listener
from arsync.web.listener import MOST_BYTES, Knocks, listening
from tests.connectors.quickbooks.test_webhook import TOKEN, cloud, sign


class Marks:
    def __init__(self):
        self.kept, self.trouble, self.slow = [], False, threading.Event()
        self.slow.set()

    def keep(self, companies):
        self.slow.wait(10)
        if self.trouble:
            raise StoreUnusable("the disk is full")
        self.kept.append(companies)
        return 1


@pytest.fixture
def marks():
    return Marks()


@pytest.fixture
def door(marks):
    knocks = Knocks(
        webhook.SIGNATURE,
        lambda body, given: webhook.signed(body, given, TOKEN),
        webhook.companies,
        marks.keep,
    )
    with listening(("127.0.0.1", 0), knocks) as address:
        yield urllib.parse.urlsplit(address).netloc


def knock(door, document, signature=None, body=None):
    body = json.dumps(document).encode() if body is None else body
    connection = http.client.HTTPConnection(door, timeout=10)
    connection.request(
        "POST", "/quickbooks", body, {"intuit-signature": sign(body) if signature is None else signature}
    )
    return connection.getresponse().status


def test_a_signed_knock_is_kept_before_it_is_answered(door, marks):
    assert knock(door, [cloud("1"), cloud("2")]) == 200
    assert marks.kept == [{"1", "2"}]


@pytest.mark.parametrize("signature", ["", "wrong", sign(b"another body")])
def test_an_unsigned_knock_leaves_no_mark(door, marks, signature):
    assert knock(door, [cloud("1")], signature) == 401
    assert marks.kept == []


def test_what_is_not_read_here_is_acknowledged_and_forgotten(door, marks):
    assert knock(door, [cloud("1", "qbo.bill.created.v1")]) == 200
    assert marks.kept == []


def test_a_signed_body_nobody_can_read_marks_every_ledger(door, marks):
    assert knock(door, None, body=b"<xml/>") == 200
    assert marks.kept == [None]


def test_duplicates_and_disorder_are_the_same_mark_again(door, marks):
    for _ in range(3):
        assert knock(door, [cloud("1")]) == 200
    assert set(marks.kept) == {frozenset({"1"})}


def test_a_busy_store_is_told_in_time_and_the_knock_comes_again(door, marks):
    marks.slow.clear()
    began = time.monotonic()
    assert knock(door, [cloud("1")]) == 503
    assert time.monotonic() - began < 3
    marks.slow.set()
    assert knock(door, [cloud("1")]) == 200


def test_a_store_that_cannot_keep_the_mark_is_no_yes(door, marks, monkeypatch):
    monkeypatch.setattr(listener, "ANSWER_WITHIN_S", 0.3)
    marks.trouble = True
    assert knock(door, [cloud("1")]) == 503
    marks.trouble = False
    assert knock(door, [cloud("1")]) == 200


def test_a_crowd_is_answered_in_time(door, marks):
    answers, began = [], time.monotonic()
    threads = [
        threading.Thread(target=lambda n=n: answers.append(knock(door, [cloud(str(n % 5))])))
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 40
    assert time.monotonic() - began < 10
    assert frozenset().union(*marks.kept) == {"0", "1", "2", "3", "4"}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(f"Content-Length: {MOST_BYTES + 1}", b"413", id="too long a body is not read"),
        pytest.param("X: 1", b"411", id="a body without a length is not read"),
        pytest.param("Content-Length: -5", b"411", id="a length below zero"),
    ],
)
def test_what_could_fill_our_memory_is_refused(door, head, status):
    host, _, port = door.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        assert status in line.recv(100)


def test_somebody_who_never_finishes_holds_nobody_up(door, marks):
    host, _, port = door.rpartition(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        assert knock(door, [cloud("1")]) == 200
        line.settimeout(5)
        assert line.recv(10) == b"", "the slow one is let go"
    assert marks.kept == [{"1"}]


def test_a_browser_that_looks_by_is_told_who_is_here(door):
    connection = http.client.HTTPConnection(door, timeout=5)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
