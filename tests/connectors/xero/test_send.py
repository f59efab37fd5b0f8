"""What is kept of Xero's answers."""

import json
from datetime import date

import pytest

from arsync.connectors.contract import Bundle, Call, SetExpected
from arsync.connectors.transport import Reply, Transport
from arsync.connectors.xero import XeroConnector, send
from arsync.errors import Throttled
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


@pytest.fixture
def expecting():
    """A stage, and a call that says of an invoice when its money is expected."""
    clock = Clock()
    with xero_bench(clock) as bench, opened(XeroConnector, bench, clock) as stage:
        item = bench.invoice(bench.customer("Acme"), stage.money(12_00))
        intent = SetExpected(item, date(2026, 12, 5))
        yield stage, stage.connector().plan(Bundle("books-1", 1, (intent,)), stage.fresh(intent), ())


@pytest.mark.parametrize(
    ("row", "outcome", "why"),
    [
        pytest.param({}, "refused", "Xero shows no expected date, not 2026-12-05", id="not there"),
        pytest.param(
            {"ExpectedPaymentDate": "2026-12-06"},
            "refused",
            "Xero shows 2026-12-06, not 2026-12-05",
            id="another",
        ),
        pytest.param(
            {"ExpectedPaymentDate": "soon"}, "unknown", "no readable ExpectedPaymentDate", id="unreadable"
        ),
    ],
)
def test_a_day_counts_only_as_it_is_read_back(expecting, monkeypatch, row, outcome, why):
    stage, call = expecting
    monkeypatch.setattr(send, "_invoices", lambda _tenant, numbers: {numbers[0]: row})
    (answer,) = stage.connector().send([call])
    assert (answer.outcome, answer.records) == (outcome, ())
    assert why in answer.why


def test_a_day_that_cannot_be_read_back_now_is_looked_for_later(expecting, monkeypatch):
    stage, call = expecting

    def throttled(_tenant, _numbers):
        raise Throttled("the day's calls are used up", do="wait")

    assert stage.connector().find(call).state == "absent"
    with monkeypatch.context() as later:
        later.setattr(send, "_invoices", throttled)
        (answer,) = stage.connector().send([call])
    assert answer.outcome == "unknown"
    assert stage.connector().find(call).state == "present"


def test_what_is_read_back_is_what_the_next_pull_reads(expecting):
    stage, call = expecting
    (answer,) = stage.connector().send([call])
    (record,) = answer.records
    assert record.value.expected == date(2026, 12, 5)
    assert stage.pull().records[record.ref].raw == record.raw
