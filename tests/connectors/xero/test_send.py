"""What is kept of Xero's answers."""

import json

import pytest

from arsync.connectors.contract import Call
from arsync.connectors.transport import Reply, Transport
from arsync.connectors.xero import XeroConnector
from arsync.testing import Clock
from arsync.testing.stage import opened
from tests.connectors.xero.bench import xero_bench

QUOTED = "we were sent Authorization: Bearer eyJhbGciOi.QmFzZTY0"
PAGE = json.dumps({"ErrorNumber": 10, "Type": "ValidationException", "Message": QUOTED})


@pytest.mark.parametrize("number", [pytest.param(1, id="by itself"), pytest.param(2, id="in a batch")])
def test_a_refusal_that_quotes_what_was_sent_is_kept_without_the_token(monkeypatch, number):
    calls = [
        Call(
            0,
            "post_entry",
            f"k-{n}",
            "PUT",
            "/BankTransactions?summarizeErrors=false",
            b'{"BankTransactions":[{}]}',
        )
        for n in range(number)
    ]
    clock = Clock()
    with xero_bench(clock) as bench, opened(XeroConnector, bench, clock) as stage:
        connector = stage.connector()
        monkeypatch.setattr(Transport, "request", lambda _self, _ask: Reply(400, {}, PAGE))
        answers = list(connector.send(calls))
    assert [answer.outcome for answer in answers] == ["refused"] * number
    assert all(b"QmFzZTY0" not in answer.raw and b"[hidden]" in answer.raw for answer in answers)
    assert all("QmFzZTY0" not in answer.why and "[hidden]" in answer.why for answer in answers)
