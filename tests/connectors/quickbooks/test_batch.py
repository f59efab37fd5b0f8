"""Several calls in one request: each with its own answer, under a key that follows from theirs."""

from datetime import date, timedelta

import pytest

from arsync.connectors import exact
from arsync.connectors.contract import Bundle, Fresh, PostReceipt, Ref, Reverse, Settle
from tests.connectors.quickbooks.helpers import USD_BOOKS, usd

ON = date(2026, 11, 20)


def call_of(world, key, *intents, raw=None):
    return world.connector.plan(Bundle(key, 0, intents), Fresh(raw or {}, USD_BOOKS), ())


def receipts(world, number):
    """One call each: a customer pays an invoice."""
    calls = []
    for n in range(number):
        customer = Ref("customer", world.keeper.create_customer(f"Customer {n}")["Id"])
        invoice = world.keeper.create_invoice(customer.id, "10.00")
        ref = Ref("item", f"Invoice:{invoice['Id']}")
        raw = {ref: exact.text(world.keeper.get("Invoice", invoice["Id"])).encode()}
        intent = PostReceipt(customer, ON, usd("10.00"), (Settle(ref, usd("10.00")),))
        calls.append(call_of(world, f"b-{n}", intent, raw=raw))
    return calls


def batches(world):
    return [r for r in world.simulator.requests if r.path.endswith("/batch")]


def test_each_call_has_its_own_answer(world):
    calls = receipts(world, 5)
    paid = exact.read_object(calls[2].body)["Line"][0]["LinkedTxn"][0]["TxnId"]
    world.keeper.create_payment(exact.read_object(calls[2].body)["CustomerRef"]["value"], "10.00",
                                [("Invoice", paid, "10.00")])  # fmt: skip
    answers = list(world.connector.send(calls))
    assert [a.call for a in answers] == calls
    assert [a.outcome for a in answers] == ["accepted", "accepted", "refused", "accepted", "accepted"]
    assert "6000" in answers[2].code
    assert len(batches(world)) == 1


def test_the_same_calls_again_are_the_same_request(world):
    calls = receipts(world, 3)
    first = list(world.connector.send(calls))
    second = list(world.connector.send(calls))
    assert [a.ref for a in first] == [a.ref for a in second]
    assert len(world.keeper.all("Payment")) == 3
    (key,) = {request.query["requestid"] for request in batches(world)}
    assert 0 < len(key) <= 36


def test_an_answer_that_tells_of_what_is_no_more_is_not_believed(world):
    calls = receipts(world, 3)
    first = list(world.connector.send(calls))
    world.keeper.delete("Payment", first[1].ref.id.partition(":")[2])
    world.clock.now_is += timedelta(seconds=60)
    second = list(world.connector.send(calls))
    assert [a.outcome for a in second] == ["accepted", "unknown", "accepted"]
    assert "exists no more" in second[1].why


def test_what_was_written_is_deleted_in_one_request_too(world):
    answers = list(world.connector.send(receipts(world, 3)))
    back = []
    for n, answer in enumerate(answers):
        raw = {answer.ref: exact.text(world.keeper.get("Payment", answer.ref.id.partition(":")[2])).encode()}
        back.append(call_of(world, f"u-{n}", Reverse(answer.ref), raw=raw))
    assert [a.outcome for a in world.connector.send(back)] == ["accepted"] * 3
    assert world.keeper.all("Payment") == []


@pytest.mark.parametrize("kind", ["status_500_after_commit", "lost_after_commit", "html_503"])
def test_a_lost_request_leaves_every_call_unknown_and_each_is_found_by_itself(world, kind):
    calls = receipts(world, 3)
    world.simulator.faults.add("POST /batch", kind, times=9)
    assert [a.outcome for a in world.connector.send(calls)] == ["unknown"] * 3
    world.simulator.faults.clear()
    state = "absent" if kind == "html_503" else "present"
    assert [world.connector.find(call).state for call in calls] == [state] * 3


def test_no_more_than_thirty_five_requests_leave_in_a_minute(world):
    calls = receipts(world, 2)
    began = world.clock.now_is
    for _ in range(36):
        list(world.connector.send(calls))
    assert (world.clock.now_is - began).total_seconds() >= 59
