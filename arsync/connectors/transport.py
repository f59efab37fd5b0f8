"""One HTTP client for every platform: timeouts, throttle, retry table, metering, redaction.

Units   `*_s` are seconds.
Shape   `Ask` in, `Reply` out. A reply of any status comes back, unless the retry table asks for another
        attempt.
Errors  `Unreachable`: nothing left this machine. `NoAnswer` (an `Unreachable`): bytes may have left, so the
        effect is unknown. `Throttled`: the platform still asks us to slow down after the last attempt.
        `Garbled`: not what was promised.
Law     a write is repeated only inside one `request`, byte for byte, under its own idempotency key.
"""

import logging
import re
import ssl
import urllib.parse
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

import httpx2
import tenacity

from arsync.connectors.contract import Meter, Pace
from arsync.errors import Garbled, Throttled, Unreachable

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 130.0  # QuickBooks gives up on its own side after 120 s
_EXCERPT = 200  # characters of a foreign answer that an error may quote


class NoAnswer(Unreachable):
    """Bytes may have left, and no usable answer came back: nobody can tell what became of the request."""


# ---- secrets stay out of every log line


_SHAPES = (
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(
        r"""(?ix)(["']?\b(?:access_token|refresh_token|id_token|client_secret|assertion|password)["']?
        \s*[=:]\s*["']?)[^\s"'&,;}\]]+"""
    ),
    re.compile(r"(\bcode=)[^\s\"'&]{10,}"),  # an authorisation code; error codes are shorter
)
_HIDDEN = "[hidden]"
_SHORTEST_SECRET = 6  # hiding shorter values would blank ordinary words


class Redaction(logging.Filter):
    """Hides known secrets, and everything shaped like one, in messages, arguments and tracebacks."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: set[str] = set()

    def hide(self, *secrets: str) -> None:
        """Never let these values appear again."""
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                self._secrets |= {
                    secret,
                    urllib.parse.quote(secret, safe=""),
                    urllib.parse.quote_plus(secret),
                }

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        for shape in _SHAPES:
            text = shape.sub(rf"\1{_HIDDEN}", text)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; every record passes."""
        record.msg, record.args = self.clean(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = self.clean(logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = self.clean(record.stack_info)
        return True


REDACTION = Redaction()
# A filter acts only where a record is born: every logger that could see a header is named, `guard` covers
# handlers.
_LOGGERS = (
    "arsync.connectors",
    "httpx2",
    *(f"httpcore2.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
)
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(REDACTION)
log = logging.getLogger("arsync.connectors")


def guard(handler: logging.Handler) -> logging.Handler:
    """Make a handler redact whatever reaches it, from any logger."""
    handler.addFilter(REDACTION)
    return handler


# ---- the retry table


@dataclass(frozen=True, slots=True)
class Again:
    """When an attempt is repeated, and how long each repeat waits; after the last wait the outcome stands."""

    name: str
    statuses: frozenset[int]  # empty: no answer at all
    says: re.Pattern[str] | None  # the answer must contain this
    waits_s: tuple[float, ...]


_THROTTLE = re.compile(r"ThrottleExceeded|\b(?:00)?3001\b")
_PAUSES_S = (1.0, 5.0, 20.0)
_MINUTES_S = (60.0, 60.0, 60.0)  # the platform's own advice is to wait 60 s
_NETWORK = Again("network", frozenset(), None, _PAUSES_S)
RETRY_TABLE = (
    Again("throttled", frozenset({429}), None, _MINUTES_S),
    Again("throttled", frozenset({400, 403, 503}), _THROTTLE, _MINUTES_S),
    Again("gateway", frozenset({502, 503, 504}), None, _PAUSES_S),
    _NETWORK,
)
_LONGEST_WAIT_S = 300.0  # whoever is asked to wait longer comes back with another run


# ---- one request


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `purpose` is what the meter counts; without `repeat` never again once bytes have left."""

    method: str
    url: str
    purpose: Literal["read", "write", "token"]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    repeat: bool = True
    key_s: float | None = (
        None  # once bytes have left, no attempt follows later than this: the key is forgotten
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; header names are lower case. `doubtful`: an earlier attempt left without an answer."""

    status: int
    headers: Mapping[str, str]
    text: str
    doubtful: bool = False
    size: int = 0  # bytes of the body on the wire

    @property
    def trace(self) -> str:
        """The platform's own number of this exchange, for its support."""
        return (
            self.headers.get("intuit_tid")
            or self.headers.get("intuit-tid")
            or self.headers.get("x-correlation-id")
            or self.headers.get("xero-correlation-id", "")
        )

    def excerpt(self) -> str:
        """The beginning of the body on one line, without secrets."""
        return REDACTION.clean(" ".join(self.text[: 4 * _EXCERPT].split()))[:_EXCERPT]


class _TryAgain(Exception):
    def __init__(
        self, rule: Again, reply: Reply | None, wait_s: float | None, cause: Exception | None
    ) -> None:
        super().__init__(rule.name)
        self.rule, self.reply, self.wait_s, self.cause = rule, reply, wait_s, cause


@cache
def _trust() -> ssl.SSLContext:
    """The certificates we trust; reading them takes 50 ms, so all clients share them."""
    return httpx2.create_ssl_context()


class Transport:
    """The one way out. Thread-safe; `close` (or letting go of it) closes its connections."""

    def __init__(
        self,
        name: str,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        meter: Meter,
        pace: Pace,
        *,
        wire: httpx2.BaseTransport | None = None,
    ) -> None:
        """`wire` replaces the network (for tests); `name` is the platform's, for errors and meters.

        `pace` is the account's, shared with everybody in this process who speaks with the same account.
        """
        self._name, self._now, self._sleep, self._meter, self._pace = name, now, sleep, meter, pace
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            limits=httpx2.Limits(max_connections=pace.concurrent),
            verify=_trust(),
            transport=wire,
        )
        self.close = weakref.finalize(self, self._client.close)

    def request(self, ask: Ask) -> Reply:
        """Send one request, repeating it as the retry table says.

        Raises:
            Unreachable, NoAnswer, Throttled: see the module.
        """
        began = self._now()
        left = False  # whether any attempt may have reached the platform without our learning its fate

        def attempt() -> Reply:
            nonlocal left
            try:
                reply = self._once(ask)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
                raise _TryAgain(_NETWORK, None, None, error) from error
            except (httpx2.TransportError, httpx2.DecodingError) as error:
                left = True
                raise _TryAgain(_NETWORK, None, None, error) from error
            rule = _rule(reply)
            if rule is None:
                return reply
            left = left or rule.name == "gateway"
            raise _TryAgain(rule, reply, _retry_after_s(reply), None)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: (
                    isinstance(error, _TryAgain)
                    and (not left or self._repeats(ask, began))
                    and (error.wait_s or 0.0) <= _LONGEST_WAIT_S
                )
            ),
            wait=_wait_s,
            stop=_spent,
            sleep=self._sleep,
            before_sleep=lambda state: self._note_repeat(ask, state),
            reraise=True,
        )
        try:
            reply = retrying(attempt)
        except _TryAgain as last:
            raise self._give_up(ask, last, left=left) from last.cause
        return replace(reply, doubtful=left)

    def _repeats(self, ask: Ask, began: datetime) -> bool:
        """Whether a request whose fate is unknown may leave once more, after the longest pause between attempts."""
        if not ask.repeat or ask.key_s is None:
            return ask.repeat
        return (self._now() - began).total_seconds() + max(_PAUSES_S + _MINUTES_S) <= ask.key_s

    def _once(self, ask: Ask) -> Reply:
        # The path alone: a query may name customers.
        path = urllib.parse.urlsplit(ask.url).path
        with self._pace.turn(path):
            began = self._now()
            response = self._client.request(
                ask.method,
                ask.url,
                headers=dict(ask.headers),
                params=dict(ask.params) or None,
                content=ask.body or None,
            )
        reply = Reply(
            response.status_code,
            {k.lower(): v for k, v in response.headers.items()},
            response.text,
            size=response.num_bytes_downloaded,
        )
        took_s = (self._now() - began).total_seconds()
        log.info(
            "%s %s %s %d %.2f s trace %s",
            self._name,
            ask.method,
            path,
            reply.status,
            took_s,
            reply.trace or "-",
        )
        if response.is_success:
            self._meter.count(f"{self._name}.{ask.purpose}")
        return reply

    def _note_repeat(self, ask: Ask, state: tenacity.RetryCallState) -> None:
        error = _failure(state)
        self._meter.count(f"{self._name}.{error.rule.name}")
        path = urllib.parse.urlsplit(ask.url).path
        reason = error.reply.excerpt() if error.reply else _said(error.cause)
        log.warning(
            "%s %s %s: %s, again in %.0f s: %s",
            self._name,
            ask.method,
            path,
            error.rule.name,
            _wait_s(state),
            reason,
        )

    def _give_up(self, ask: Ask, last: _TryAgain, *, left: bool) -> Unreachable | Throttled:
        split = urllib.parse.urlsplit(ask.url)
        where = f"{ask.method} {split.netloc}{split.path}"
        if last.reply is not None:
            where += f", trace {last.reply.trace or 'none'}"
        if last.rule.name == "throttled":
            if last.wait_s is not None and last.wait_s > _LONGEST_WAIT_S:
                again = self._now() + timedelta(seconds=last.wait_s)
                what = f"{self._name} takes no more requests before {again:%Y-%m-%d %H:%M} UTC"
                return Throttled(
                    what, where=where, do="nothing; a run after that goes on where this one stopped"
                )
            what = f"{self._name} still asks us to slow down after {len(last.rule.waits_s)} pauses"
            return Throttled(what, where=where, do="nothing; the next run tries again")
        if last.reply is not None:
            said = last.reply.excerpt() or "an empty page"
            what = f"{self._name} answered {last.reply.status} each time: {said}"
        else:
            what = f"{self._name} gave no answer: {_said(last.cause)}"
        if left:
            return NoAnswer(what, where=where, do="nothing; the next run reads back first, then tries again")
        return Unreachable(what, where=where, do="check the network; the next run tries again")


def _said(error: Exception | None) -> str:
    return REDACTION.clean(f"{type(error).__name__} {error}".strip())


def _rule(reply: Reply) -> Again | None:
    for rule in RETRY_TABLE:
        if reply.status in rule.statuses and (rule.says is None or rule.says.search(reply.text)):
            return rule
    return None


def _failure(state: tenacity.RetryCallState) -> _TryAgain:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _TryAgain)
    return error


def _wait_s(state: tenacity.RetryCallState) -> float:
    error = _failure(state)
    if error.wait_s is not None:
        return error.wait_s
    # tenacity asks for a wait even after the last attempt, before it stops.
    return error.rule.waits_s[min(state.attempt_number, len(error.rule.waits_s)) - 1]


def _spent(state: tenacity.RetryCallState) -> bool:
    return state.attempt_number > len(_failure(state).rule.waits_s)


def _retry_after_s(reply: Reply) -> float | None:
    stated = reply.headers.get("retry-after", "")
    return float(stated) if stated.isdecimal() else None


def garbled(name: str, reply: Reply, why: str, where: str) -> Garbled:
    """The error for an answer that is not what was promised."""
    what = f"{name} sent an answer nobody can read ({why}): {reply.excerpt() or 'an empty body'}"
    where = f"{where}, HTTP {reply.status}, trace {reply.trace or 'none'}"
    return Garbled(what, where=where, do="nothing; the next run tries again")
