"""Ports on memory, a clock that moves when somebody sleeps, and a wire that answers from a function."""

import contextlib
import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx2

from arsync.connectors.contract import Ports, Tokens
from arsync.connectors.quickbooks import QuickBooksConnector, QuickBooksSettings
from arsync.connectors.quickbooks.connector import _LIMITS
from arsync.connectors.transport import Transport
from arsync.core.items import Books
from arsync.core.money import Money

START = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
USD_BOOKS = Books("Craig's Design", "USD")


class Clock:
    def __init__(self, now=START):
        self.now_is, self.slept_s = now, []

    def now(self):
        return self.now_is

    def sleep(self, seconds):
        self.slept_s.append(seconds)
        self.now_is += timedelta(seconds=seconds)


class MemoryTokens:
    def __init__(self, tokens):
        self.tokens, self.saved, self._lock, self.held = tokens, [], threading.Lock(), False

    def load(self):
        return self.tokens

    def save(self, tokens):
        assert self.held, "saved outside of the lock"
        self.tokens = tokens
        self.saved.append(tokens)

    @contextlib.contextmanager
    def exclusive(self):
        with self._lock:
            self.held = True
            try:
                yield
            finally:
                self.held = False


class CountingMeter:
    def __init__(self):
        self.counts = Counter()

    def count(self, what, number=1):
        self.counts[what] += number


def tokens(access="access-token-one", refresh="refresh-token-one", until=START + timedelta(hours=1)):
    return Tokens(access, refresh, until)


def ports(clock=None, store=None):
    clock = clock or Clock()
    return Ports(store or MemoryTokens(tokens()), CountingMeter(), clock.now, clock.sleep, "client-id", "client-secret-7f3")


def connector_on(answer, given=None, settings=None):
    """A connector whose every request is answered by `answer(request)`."""
    given = given or ports()
    connector = QuickBooksConnector(settings or QuickBooksSettings("9130", "http://books.test"), given)
    wire = httpx2.MockTransport(answer)
    connector.__dict__["_transport"] = Transport(
        "quickbooks", given.now, given.sleep, given.meter, _LIMITS, wire=wire
    )
    return connector


def answer(document, status=200, headers=None):
    text = document if isinstance(document, str) else json.dumps(document, default=str)
    return httpx2.Response(status, text=text, headers={"intuit_tid": "tid-1", **(headers or {})})


def usd(text):
    return Money.of(Decimal(text), "USD")
