"""Four envelopes, one meaning each."""

import pytest

from arsync.connectors.quickbooks.faults import Fault, fault_of, meaning
from arsync.connectors.transport import Reply

TID = {"intuit_tid": "tid-9"}


def accounting(code, message="words", detail="", kind="ValidationFault"):
    return (
        f'{{"Fault":{{"Error":[{{"Message":"{message}","Detail":"{detail}","code":"{code}","element":""}}],'
        f'"type":"{kind}"}},"time":"2026-11-22T00:00:00.000-08:00"}}'
    )


def gateway(code, kind="AUTHENTICATION"):
    return (
        '{"warnings":null,"intuitObject":null,"fault":{"error":[{"message":"m","detail":"d",'
        f'"code":"{code}","element":null}}],"type":"{kind}"}},"time":1601391072830,"cdcresponse":[]}}'
    )


CLOSED = "Account Period Closed"
XML = (
    '<?xml version="1.0"?><IntuitResponse time="x"><Fault type="SERVICE"><Error code="3001">'
    "<Message>message=ThrottleExceeded</Message><Detail>wait</Detail></Error></Fault></IntuitResponse>"
)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        pytest.param(400, accounting("5010", "Stale Object Error"), "stale", id="a stale object"),
        pytest.param(400, accounting("5010", CLOSED), "closed_period", id="closed as stale"),
        pytest.param(400, accounting("6210", CLOSED), "closed_period", id="closed, as documented"),
        pytest.param(400, accounting("6210", "Duplicate number"), "refused", id="once a duplicate"),
        pytest.param(400, accounting("6000", "books", "it is closed"), "closed_period", id="catch-all"),
        pytest.param(400, accounting("610", "Object Not Found"), "gone", id="gone"),
        pytest.param(400, accounting("2010"), "refused", id="an unknown property"),
        pytest.param(400, accounting("6540"), "refused", id="on a deposit"),
        pytest.param(400, accounting("6190"), "read_only", id="a lapsed subscription"),
        pytest.param(400, accounting("500", "Unsupported Operation"), "refused", id="unsupported"),
        pytest.param(400, accounting("10000"), "busy", id="a system failure"),
        pytest.param(500, accounting("9999"), "busy", id="any failure of theirs"),
        pytest.param(200, accounting("6000"), "refused", id="a fault inside HTTP 200"),
        pytest.param(200, accounting("77777", kind="Odd"), "unknown", id="what nobody knows stops"),
        pytest.param(429, accounting("3001"), "throttled", id="throttled"),
        pytest.param(403, accounting("3001", kind="SERVICE"), "throttled", id="throttled in disguise"),
        pytest.param(429, XML, "throttled", id="throttled in XML"),
        pytest.param(401, gateway("3200"), "sign_in", id="an ended token"),
        pytest.param(401, gateway("120"), "consent", id="an administrator who left"),
        pytest.param(403, gateway("3100"), "consent", id="a company we were never let into"),
        pytest.param(403, accounting("1"), "consent", id="any other 403"),
        pytest.param(400, accounting("not a number"), "refused", id="no numeric code"),
        pytest.param(400, '{"Fault":{"Error":[]}}', "refused", id="a fault without errors"),
        pytest.param(400, '{"Fault":{"Error":[{"Message":"m"}]}}', "refused", id="no code"),
    ],
)  # fmt: skip
def test_what_a_fault_means(status, text, expected):
    fault = fault_of(Reply(status, TID, text))
    assert meaning(fault) == expected
    assert fault.trace == "tid-9"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><body>503</body></html>",
        '{"Fault":',
        "upstream timed out",
        "[]",
        '{"Payment":{"PrivateNote":"Fault"}}',
    ],
)
def test_what_is_no_fault(text):
    assert fault_of(Reply(200, {}, text)) is None


def test_all_errors_of_a_fault_are_told():
    text = (
        '{"Fault":{"Error":[{"Message":"one","Detail":"a","code":"2010"},'
        '{"Message":"two","Detail":"b","code":"2020"}],"type":"ValidationFault"}}'
    )
    assert fault_of(Reply(400, {}, text)).said == "one; two: a; b (code 2010)"


def test_a_fault_says_its_words_once():
    assert Fault(400, "610", "same", "same").said == "same (code 610)"
