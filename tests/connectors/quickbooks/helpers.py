"""Ports on memory, a clock that moves when somebody sleeps, and a wire that answers from a function."""

import contextlib
import json
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from arsync.connectors.contract import Bundle, Call, Fresh, Ports, Pull, Ref, Tokens
from arsync.connectors.pace import AccountPace
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
    return Ports(
        store or MemoryTokens(tokens()),
        CountingMeter(),
        clock.now,
        clock.sleep,
        "client-id",
        "client-secret-7f3",
    )


def connector_on(answer, given=None, settings=None):
    """A connector whose every request is answered by `answer(request)`."""
    given = given or ports()
    connector = QuickBooksConnector(settings or QuickBooksSettings("9130", "http://books.test"), given)
    wire = httpx2.MockTransport(answer)
    connector.__dict__["_transport"] = Transport(
        "quickbooks",
        given.now,
        given.sleep,
        given.meter,
        AccountPace(_LIMITS, 8, given.now, given.sleep),
        wire=wire,
    )
    return connector


def answer(document, status=200, headers=None):
    text = document if isinstance(document, str) else json.dumps(document, default=str)
    return httpx2.Response(status, text=text, headers={"intuit_tid": "tid-1", **(headers or {})})


def usd(text):
    return Money.of(Decimal(text), "USD")


@dataclass
class World:
    simulator: Any
    company: Any
    keeper: Any  # the bookkeeper
    connector: QuickBooksConnector
    clock: Clock
    store: MemoryTokens
    ports: Ports
    settings: QuickBooksSettings

    def pull(self, cursor=None, known=None, full=False):
        pages = list(self.connector.pull(Pull(cursor, full, known or (lambda _kind: frozenset()))))
        return Pulled(pages)

    def requests(self, path=""):
        return [line for line in self.simulator.requests if path in line.path]

    def send(self, *intents, key="b-1", generation=0, raw=None, books=USD_BOOKS):
        """Plan and send a whole bundle; stops at what is not accepted."""
        bundle, done = Bundle(key, generation, intents), []
        while True:
            call = self.connector.plan(bundle, Fresh(raw or {}, books), done)
            if not isinstance(call, Call):
                return call, done
            [answer] = self.connector.send([call])
            done.append(answer)
            if answer.outcome != "accepted":
                return call, done

    def raw(self, *refs):
        """The freshest raw records."""
        return {record.ref: record.raw for record in self.connector.fetch(refs).records}


class Pulled:
    """All pages of a pull as one thing."""

    def __init__(self, pages):
        self.pages = pages
        self.records = {record.ref: record for page in pages for record in page.records}
        self.gone = [gone.ref for page in pages for gone in page.gone]
        self.unreadable = [one for page in pages for one in page.unreadable]
        self.cursor = pages[-1].cursor

    def value(self, kind, number):
        return self.records[Ref(kind, number)].value
