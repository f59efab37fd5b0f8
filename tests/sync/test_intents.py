"""From a decision to what is asked of the platform: not a cent is gained or lost on the way, or in the outbox."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.contract import (
    ApplyCredits,
    ApplyPayment,
    Banked,
    PostCredit,
    PostDeposit,
    PostEntry,
    PostReceipt,
    PostRefund,
    Ref,
    Reverse,
    SetExpected,
    SetNote,
    Settle,
)
from arsync.core.decisions import EvidenceClass, Explanation, Share
from arsync.core.money import Money
from arsync.core.policy import BookedAs, Policy
from arsync.store import outbox
from arsync.store.decisions import Line
from arsync.sync import intents

DAY = date(2026, 11, 22)
POLICY = Policy(
    adjustments={kind: BookedAs("42", "NON") for kind in ("cash discount", "small difference", "write-off")}
)
NORTH = Ref("customer", "7")
REFS = {number: Ref("item", f"Invoice:{number}") for number in range(1, 6)}
GIVEN_UP = ("discount", "small_difference", "write_off")


def cash(minor):
    return intents.Cash(NORTH, DAY, Money(minor, "USD"), "CHK 12", "35")


LINES = st.lists(
    st.builds(
        Line, st.sampled_from(sorted(REFS)), st.sampled_from(("cash", *GIVEN_UP)), st.integers(1, 10**9)
    ),
    min_size=1,
    max_size=8,
)


@given(LINES, st.integers(0, 10**6))
def test_cash_and_what_is_given_up_are_what_the_items_lose_and_what_stays(lines, kept):
    received = sum(line.minor for line in lines if line.kind == "cash") + kept
    whole = (*lines, Line(None, "on_account", kept)) if kept else tuple(lines)
    *given_up, receipt = intents.for_receipt(cash(received), whole, REFS, POLICY)
    assert isinstance(receipt, PostReceipt)
    assert all(isinstance(one, PostCredit) and one.amount.minor > 0 for one in given_up)
    settled = sum(settle.amount.minor for settle in receipt.settles)
    assert received + sum(one.amount.minor for one in given_up) == settled + kept
    assert receipt.credits_of == tuple(range(len(given_up)))
    assert len({settle.item for settle in receipt.settles}) == len(receipt.settles), "an item is settled once"


@given(LINES)
def test_intents_read_back_from_the_outbox_are_the_same(lines):
    payment = Ref("payment", "Payment:9")
    settles = (Settle(REFS[1], Money(5, "USD")), Settle(REFS[2], Money(-5, "KWD")))
    wanted = (
        *intents.for_receipt(cash(sum(line.minor for line in lines)), lines, REFS, POLICY),
        ApplyCredits(NORTH, DAY, settles, (0,)),
        ApplyPayment(payment, settles),
        Reverse(payment, settles),
        Reverse(payment),
    )
    assert outbox.intents_from_text(outbox.intents_to_text(wanted)) == wanted


@pytest.mark.parametrize(
    ("kinds", "missing"),
    [
        pytest.param(["cash", "on_account"], [], id="nothing is given up"),
        pytest.param(["discount"], ["cash discount"], id="a discount without a document"),
        pytest.param(["write_off", "write_off"], ["write-off"], id="said once"),
        pytest.param(GIVEN_UP, ["cash discount", "small difference", "write-off"], id="all three"),
    ],
)
def test_what_the_policy_maps_to_no_document(kinds, missing):
    lines = [Line(1, kind, 100) for kind in kinds]
    assert intents.unmapped(lines, Policy()) == missing
    assert intents.unmapped(lines, POLICY) == []


@given(
    st.lists(st.builds(Share, st.sampled_from(sorted(REFS)), *[st.integers(0, 10**6)] * 4), max_size=5),
    st.integers(0, 10**6),
)
def test_a_deduction_stays_open_on_its_item(shares, kept):
    explanation = Explanation(7, tuple(shares), kept, EvidenceClass.PARTIAL, (), 0.5)
    lines = intents.lines_of(explanation)
    assert sum(line.minor for line in lines) == kept + sum(
        share.settled_minor - share.deduction_minor for share in shares
    )
    assert all(line.minor for line in lines), "no line says nothing"


def test_one_receipt_with_everything_word_for_word():
    """A payment over two items, with a discount on one and a small difference on the other, and money left."""
    shares = (Share(1, 98_00, 2_00), Share(2, 49_97, 0, 3))
    lines = intents.lines_of(Explanation(7, shares, 1_00, EvidenceClass.PARTIAL, (), 0.5))
    assert lines == (
        Line(1, "cash", 98_00),
        Line(1, "discount", 2_00),
        Line(2, "cash", 49_97),
        Line(2, "small_difference", 3),
        Line(None, "on_account", 1_00),
    )
    usd = {minor: Money(minor, "USD") for minor in (2_00, 3, 100_00, 50_00, 148_97)}
    assert intents.for_receipt(cash(148_97), lines, REFS, POLICY) == (
        PostCredit(NORTH, DAY, usd[2_00], "42", "NON", "cash discount", REFS[1]),
        PostCredit(NORTH, DAY, usd[3], "42", "NON", "small difference", REFS[2]),
        PostReceipt(
            NORTH,
            DAY,
            usd[148_97],
            (Settle(REFS[1], usd[100_00]), Settle(REFS[2], usd[50_00])),
            (0, 1),
            "CHK 12",
            "35",
        ),
    )


def test_money_in_another_currency_word_for_word():
    """90.00 in dollars came for 100.00 in euros; what is given up stands beside it."""
    lines = (Line(1, "cash", 70_00), Line(2, "cash", 30_00), Line(2, "write_off", 1_00))
    came = replace(cash(90_00), grouped=True).exchanged(lines, "EUR")
    credit, receipt = intents.for_receipt(came, lines, REFS, POLICY)
    assert credit.amount == Money(1_00, "EUR")
    assert receipt == PostReceipt(
        NORTH, DAY, Money(100_00, "EUR"),
        (Settle(REFS[1], Money(70_00, "EUR")), Settle(REFS[2], Money(31_00, "EUR"))),
        (0,), "CHK 12", "35", grouped=True, banked=Money(90_00, "USD"),
    )  # fmt: skip


def test_credits_and_a_payment_that_is_there_word_for_word():
    lines = (Line(1, "cash", 30_00), Line(2, "cash", -30_00), Line(3, "write_off", 5))
    settles = (
        Settle(REFS[1], Money(30_00, "USD")),
        Settle(REFS[2], Money(-30_00, "USD")),
        Settle(REFS[3], Money(5, "USD")),
    )
    assert intents.for_credits(cash(0), lines, REFS, POLICY) == (
        PostCredit(NORTH, DAY, Money(5, "USD"), "42", "NON", "write-off", REFS[3]),
        ApplyCredits(NORTH, DAY, settles, (0,)),
    )
    held = intents.Held(Ref("payment", "Payment:9"), NORTH, False, DAY)
    assert intents.for_payment(held, lines, REFS, "USD") == (ApplyPayment(held.payment, settles),)
    locked = replace(held, locked=True)
    used = Settle(held.payment, Money(-5, "USD"))
    assert intents.for_payment(locked, lines, REFS, "USD") == (ApplyCredits(NORTH, DAY, (*settles, used)),)


ENTRY = PostEntry(NORTH, DAY, Money(100_00, "USD"), "84", "35", "returned payment", "R9")
PAYMENT = Ref("payment", "Payment:9")


HELD = intents.Held(PAYMENT, NORTH, locked=False, today=DAY)
HUNDRED = Money(100_00, "USD")
MEMO = Settle(REFS[2], -HUNDRED)


@pytest.mark.parametrize(
    ("asked", "given", "bundle"),
    [
        pytest.param(
            intents.for_return,
            (ENTRY, PAYMENT, [Settle(REFS[1], HUNDRED)]),
            (ENTRY, ApplyPayment(PAYMENT, (), entries_of=(0,), frees=(Settle(REFS[1], HUNDRED),))),
            id="a return: the payment leaves its invoice for the entry",
        ),
        pytest.param(
            intents.for_return,
            (ENTRY, None, [Settle(REFS[1], HUNDRED)]),
            (ENTRY,),
            id="a return whose payment may not change: the entry is what is owed",
        ),
        pytest.param(
            intents.for_refund,
            (ENTRY, None, [MEMO]),
            (ENTRY, ApplyCredits(NORTH, DAY, (MEMO,), entries_of=(0,))),
            id="a refund of credits",
        ),
        pytest.param(
            intents.for_refund,
            (ENTRY, HELD, ()),
            (ENTRY, ApplyPayment(PAYMENT, (), entries_of=(0,))),
            id="a refund of money on account",
        ),
        pytest.param(
            intents.for_refund,
            (ENTRY, replace(HELD, locked=True), ()),
            (ENTRY, ApplyCredits(NORTH, DAY, (Settle(PAYMENT, -HUNDRED),), entries_of=(0,))),
            id="a refund of money on account whose payment is locked",
        ),
        pytest.param(
            intents.refunds,
            (ENTRY, [MEMO, Settle(PAYMENT, Money(-25_00, "USD"))]),
            (
                PostRefund(NORTH, DAY, HUNDRED, REFS[2], "35", "R9"),
                PostRefund(NORTH, DAY, Money(25_00, "USD"), PAYMENT, "35", "R9"),
            ),
            id="a refund out of each credit, where the platform pays back so",
        ),
    ],
)
def test_money_that_goes_back_word_for_word(asked, given, bundle):
    assert asked(*given) == bundle


@pytest.mark.parametrize(
    ("wanted", "back"),
    [
        pytest.param(
            (PostReceipt(NORTH, DAY, Money(5, "USD"), ()),),
            (Reverse(PAYMENT),),
            id="what we created is deleted",
        ),
        pytest.param(
            (ApplyPayment(PAYMENT, (Settle(REFS[1], Money(5, "USD")),)),),
            (Reverse(PAYMENT, (Settle(REFS[1], Money(5, "USD")),)),),
            id="a payment of the platform is never deleted, its lines are taken off",
        ),
        pytest.param(
            (ENTRY, ApplyPayment(PAYMENT, (), entries_of=(0,))),
            (Reverse(PAYMENT, (Settle(PAYMENT, Money(100_00, "USD")),)), Reverse(PAYMENT)),
            id="a refund: the payment leaves the entry, then the entry goes",
        ),
        pytest.param(
            (ENTRY, ApplyPayment(PAYMENT, (), (0,), (Settle(REFS[1], Money(100_00, "USD")),))),
            (
                ApplyPayment(
                    PAYMENT,
                    (Settle(REFS[1], Money(100_00, "USD")),),
                    frees=(Settle(PAYMENT, Money(100_00, "USD")),),
                ),
                Reverse(PAYMENT),
            ),
            id="a return: the payment settles the invoice again",
        ),
        pytest.param((SetNote(REFS[1], "x"),), (), id="a note is not taken back"),
        pytest.param((SetExpected(REFS[1], DAY),), (), id="an expected day is not taken back"),
    ],
)
def test_what_was_written_is_taken_back_last_first(wanted, back):
    """Every intent is told to have written `PAYMENT`: what matters is the shape."""
    assert intents.taking_back(wanted, dict.fromkeys(range(len(wanted)), PAYMENT)) == back
    assert intents.taking_back(wanted, {}) == ()


@pytest.mark.parametrize(
    "intent",
    [
        ENTRY,
        replace(ENTRY, fee=Money(12_00, "USD"), fee_account="61"),
        PostDeposit(DAY, Money(95_00, "USD"), "35", (Banked(PAYMENT, Money(100_00, "USD")),), "PO-1",
                    Money(5_00, "USD"), "61"),
        ApplyPayment(PAYMENT, (), (0,), (Settle(REFS[1], Money(100_00, "USD")),)),
        ApplyCredits(NORTH, DAY, (Settle(REFS[1], Money(5, "USD")),), entries_of=(0,)),
        PostRefund(NORTH, DAY, HUNDRED, REFS[2], "35", "R9"),
        SetNote(REFS[1], "payment in review, Q-1", "AR status"),
        SetExpected(REFS[1], DAY),
        SetExpected(REFS[1], None),
    ],
    ids=lambda intent: type(intent).__name__,
)  # fmt: skip
def test_every_intent_comes_back_from_the_outbox_as_it_was(intent):
    assert outbox.intents_from_text(outbox.intents_to_text((intent,))) == (intent,)
