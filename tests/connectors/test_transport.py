"""The one way out: paced, patient where patience helps, and silent about secrets."""

import io
import logging

import httpx2
import pytest

from arsync.connectors.pace import AccountPace, Limit
from arsync.connectors.transport import (
    REDACTION,
    RETRY_TABLE,
    Ask,
    NoAnswer,
    Redaction,
    Transport,
    garbled,
    guard,
)
from arsync.errors import Throttled, Unreachable
from tests.connectors.quickbooks.helpers import Clock, CountingMeter

URL = "http://books.test/v3/company/1/query"
THROTTLE_XML = '<IntuitResponse><Fault type="SERVICE"><Error code="3001"/></Fault></IntuitResponse>'
UNHURRIED = (Limit(1000, 1.0),)


def transport(*outcomes, limits=UNHURRIED):
    """A transport whose attempts have these outcomes in turn, the last one again and again."""
    left, seen = list(outcomes), []

    def wire(request):
        seen.append(request)
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, Exception):
            raise outcome
        status, text, *headers = outcome
        return httpx2.Response(status, text=text, headers=headers[0] if headers else {})

    clock, meter = Clock(), CountingMeter()
    made = Transport(
        "quickbooks",
        clock.now,
        clock.sleep,
        meter,
        AccountPace(limits, 8, clock.now, clock.sleep),
        wire=httpx2.MockTransport(wire),
    )
    return made, clock, seen, meter


OK = (200, "{}", {"intuit_tid": "tid-7"})


@pytest.mark.parametrize(
    ("trouble", "waits_s"),
    [
        pytest.param((429, "slow down"), [60], id="a throttle waits a minute"),
        pytest.param((429, "", {"Retry-After": "7"}), [7], id="unless it says how long"),
        pytest.param((429, "", {"Retry-After": "soon"}), [60], id="and what is no number is not believed"),
        pytest.param((403, THROTTLE_XML), [60], id="a throttle in XML under 403 is a throttle"),
        pytest.param((503, '{"code":"003001"}'), [60], id="and under 503"),
        pytest.param((502, "<html>"), [1], id="a bad gateway is asked again"),
        pytest.param((503, "<html>"), [1], id="an unavailable one too"),
        pytest.param((504, ""), [1], id="and a late one"),
        pytest.param(httpx2.ConnectError("refused"), [1], id="no connection is tried again"),
        pytest.param(httpx2.ReadTimeout("late"), [1], id="so is a late answer"),
        pytest.param(httpx2.RemoteProtocolError("cut"), [1], id="and a cut one"),
    ],
)  # fmt: skip
def test_what_passes_is_waited_for(trouble, waits_s):
    made, clock, seen, _ = transport(trouble, OK)
    assert made.request(Ask("GET", URL, "read")).status == 200
    assert (clock.slept_s, len(seen)) == (waits_s, 2)


def test_a_write_is_not_repeated_when_its_key_may_be_forgotten():
    made, clock, seen, _ = transport(*[httpx2.ReadTimeout("late")] * 9)
    ask = Ask("PUT", URL, "write", key_s=64.0)
    with pytest.raises(NoAnswer):
        made.request(ask)
    assert (clock.slept_s, len(seen)) == ([1, 5], 3)  # 6 s have passed, and a pause may last a minute


def test_whoever_is_asked_to_wait_for_hours_stops_at_once_and_says_when_it_goes_on():
    made, clock, seen, _ = transport((429, "", {"Retry-After": "66975"}), OK)
    with pytest.raises(Throttled, match="no more requests before"):
        made.request(Ask("GET", URL, "read"))
    assert (clock.slept_s, len(seen)) == ([], 1)


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 409, 500, 501])
def test_everything_else_comes_back_at_once(status):
    made, clock, seen, _ = transport((status, "whatever"))
    assert made.request(Ask("GET", URL, "read")).status == status
    assert (clock.slept_s, len(seen)) == ([], 1)


@pytest.mark.parametrize(
    ("outcomes", "error"),
    [
        pytest.param([(429, "")], Throttled, id="throttled to the end"),
        pytest.param([httpx2.ConnectError("refused")], Unreachable, id="never connected: nothing left"),
        pytest.param([httpx2.ReadTimeout("late")], NoAnswer, id="late to the end: it may have happened"),
        pytest.param([(502, "<html>")], NoAnswer, id="a gateway to the end: it may have happened"),
        pytest.param(
            [httpx2.ReadTimeout("late"), httpx2.ConnectError("refused")],
            NoAnswer,
            id="one attempt left, then none",
        ),
    ],
)  # fmt: skip
def test_the_end_of_patience_says_whether_anything_left(outcomes, error):
    made, _, seen, _ = transport(*outcomes)
    with pytest.raises(Unreachable if error is not Throttled else Throttled) as caught:
        made.request(Ask("POST", URL, "write", body=b"{}"))
    assert type(caught.value) is error
    assert len(seen) == 4
    assert len({request.content for request in seen}) == 1, "byte for byte the same"
    assert caught.value.where.startswith("POST books.test/v3")
    assert caught.value.do


def test_a_request_that_may_not_be_repeated_is_not_once_bytes_may_have_left():
    made, _, seen, _ = transport(httpx2.ReadTimeout("late"), OK)
    with pytest.raises(NoAnswer):
        made.request(Ask("POST", URL, "token", repeat=False))
    assert len(seen) == 1
    made, _, seen, _ = transport(httpx2.ConnectError("refused"), OK)
    assert made.request(Ask("POST", URL, "token", repeat=False)).status == 200
    assert len(seen) == 2


def test_a_reply_after_a_lost_attempt_is_doubtful():
    made, *_ = transport(httpx2.ReadTimeout("late"), OK)
    assert made.request(Ask("POST", URL, "write")).doubtful
    made, *_ = transport(httpx2.ConnectError("refused"), OK)
    assert not made.request(Ask("POST", URL, "write")).doubtful


def test_the_meter_counts_what_succeeded_and_what_was_waited_for():
    made, _, _, meter = transport((429, ""), OK)
    made.request(Ask("GET", URL, "read"))
    assert meter.counts == {"quickbooks.read": 1, "quickbooks.throttled": 1}


def test_every_rule_has_an_end():
    assert all(0 < sum(rule.waits_s) <= 300 for rule in RETRY_TABLE)


# ---- secrets

SECRETS = ("AB11.access/token+with=odd", "RT1-refresh-token-value", "client-secret-7f3", "code-Q0123456789")


@pytest.fixture
def everything_logged():
    """All log lines of all loggers, as a handler without any filter of ours would write them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def test_no_secret_reaches_a_log_line_or_an_error(everything_logged):
    REDACTION.hide(*SECRETS)
    access, refresh, client, code = SECRETS
    body = f'{{"error":"{refresh}","access_token":"{access}"}}'
    outcomes = [
        (503, body),
        httpx2.ReadTimeout(f"while sending {client}"),
        (429, f"code={code}"),
        (503, access),
    ]
    made, *_ = transport(*outcomes)
    ask = Ask(
        "POST",
        URL,
        "token",
        headers={"Authorization": f"Bearer {access}"},
        params={"code": code},
        body=f"refresh_token={refresh}&client_secret={client}".encode(),
    )
    assert not any(secret in repr(ask) for secret in SECRETS)
    with pytest.raises(NoAnswer) as caught:
        made.request(ask)
    log = logging.getLogger("arsync.connectors")
    log.warning("an argument: %s", {"refresh": refresh})
    try:
        int(f"a message with {access}")
    except ValueError:
        log.exception("a traceback")
    log.info("a stack", stack_info=True)
    written = everything_logged.getvalue()
    assert "a traceback" in written
    assert "again in" in written
    for secret in SECRETS:
        assert secret not in written
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer eyJhbGciOiJkaXIi.QmFzZTY0",
        "authorization: basic Q2xpZW50OnNlY3JldA==",
        '{"access_token":"eyJhbGciOi-QmFzZTY0","expires_in":3600}',
        "{'refresh_token': 'eyJhbGciOi-QmFzZTY0'}",
        "grant_type=refresh_token&refresh_token=eyJhbGciOi-QmFzZTY0",
        "https://me.test/callback?code=eyJhbGciOi-QmFzZTY0&realmId=1",
        "client_secret=eyJhbGciOi-QmFzZTY0",
    ],
)
def test_what_looks_like_a_secret_is_hidden_unknown_as_it_is(text):
    clean = Redaction().clean(text)
    assert "QmFzZTY0" not in clean
    assert "Q2xpZW50" not in clean
    assert "[hidden]" in clean


def test_what_helps_to_find_a_fault_is_not_hidden():
    text = 'HTTP 400 "code":"5010" errorCode=003001 code=610 trace 1-5f734c9d'
    assert Redaction().clean(text) == text


def test_a_guarded_handler_hides_what_other_loggers_say(everything_logged):
    stream = io.StringIO()
    handler = guard(logging.StreamHandler(stream))
    other = logging.getLogger("somebody.else")
    other.addHandler(handler)
    other.warning("Bearer eyJhbGciOiJkaXIi.QmFzZTY0")
    other.removeHandler(handler)
    assert "QmFzZTY0" not in stream.getvalue()


def test_trace_ids_are_kept_in_log_lines_and_errors(everything_logged):
    made, *_ = transport(OK)
    reply = made.request(Ask("GET", URL, "read"))
    assert "tid-7" in everything_logged.getvalue()
    assert "tid-7" in garbled("quickbooks", reply, "not JSON", "query").where


def test_a_query_never_reaches_the_log(everything_logged):
    made, *_ = transport(OK)
    made.request(Ask("POST", URL, "read", body=b"SELECT * FROM Customer WHERE DisplayName = 'Jane Doe'"))
    assert "Jane" not in everything_logged.getvalue()
