"""What keeps a decision from acting, whatever the evidence."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import Decision, EvidenceClass, Explanation, Reason, Share, Verdict
from arsync.core.matching.snapshot import ReceiptRow
from arsync.core.policy import BookedAs, Policy
from arsync.sync.gate import Standing, capped, guarded

DAY = date(2026, 3, 2)
RECEIPT = ReceiptRow(7, DAY, "USD", 100_00, "KESTREL FOODS", "DE89 3704")
EXPLAINED = Explanation(1, (Share(11, 100_00),), 0, EvidenceClass.REFERENCE, (), 0.99)
APPLY = Decision(7, Verdict.APPLY, EXPLAINED, None)
LINK = Decision(7, Verdict.LINK, replace(EXPLAINED, klass=EvidenceClass.BOOKED), None)
FREE = Standing(
    proven={7: True}, closed_until=None, policy=Policy(), owners={11: 1, 12: 2, 13: 3}, parents={2: 1, 3: 2, 1: None},
    never=frozenset(), held=frozenset(), exchanges=False,
)  # fmt: skip
ABROAD = replace(EXPLAINED, currency="EUR")


def told(decision, standing):
    """Verdict and reason."""
    decided = guarded(decision, RECEIPT, standing)
    assert decided.explanation is decision.explanation
    return decided.verdict, decided.reason


def explained(**changes):
    return replace(APPLY, explanation=replace(EXPLAINED, **changes))


@pytest.mark.parametrize(
    ("decision", "changes", "verdict", "reason"),
    [
        pytest.param(APPLY, {}, Verdict.APPLY, None, id="nothing"),
        pytest.param(LINK, {}, Verdict.LINK, None, id="nothing in the way of a link"),
        pytest.param(
            APPLY,
            {"proven": {7: False}},
            Verdict.QUEUE,
            Reason.UNPROVEN_STATEMENT,
            id="a statement that does not come out",
        ),
        pytest.param(
            LINK, {"proven": {7: False}}, Verdict.QUEUE, Reason.UNPROVEN_STATEMENT, id="the same, for a link"
        ),
        pytest.param(
            APPLY,
            {"proven": {7: False}, "policy": Policy(unproven_statement="apply")},
            Verdict.APPLY,
            None,
            id="the same, where the policy takes it as it stands",
        ),
        pytest.param(
            APPLY, {"closed_until": DAY}, Verdict.QUEUE, Reason.CLOSED_PERIOD, id="the last closed day"
        ),
        pytest.param(
            APPLY, {"closed_until": date(2026, 3, 1)}, Verdict.APPLY, None, id="the first open date"
        ),
        pytest.param(
            APPLY,
            {"closed_until": DAY, "policy": Policy(closed_period="first open date")},
            Verdict.APPLY,
            None,
            id="a closed day that is moved",
        ),
        pytest.param(
            LINK, {"closed_until": DAY}, Verdict.LINK, None, id="a link books nothing in a closed period"
        ),
        pytest.param(
            APPLY, {"never": frozenset({1})}, Verdict.QUEUE, Reason.DO_NOT_ACCEPT, id="do not accept"
        ),
        pytest.param(LINK, {"never": frozenset({1})}, Verdict.QUEUE, Reason.DO_NOT_ACCEPT, id="nor link"),
        pytest.param(
            APPLY, {"never": frozenset({2, 3})}, Verdict.APPLY, None, id="do not accept those below"
        ),
        pytest.param(
            explained(shares=(Share(11, 50_00), Share(13, 50_00))),
            {"never": frozenset({3})},
            Verdict.QUEUE,
            Reason.DO_NOT_ACCEPT,
            id="do not accept, of a daughter whose item is among them",
        ),
        pytest.param(
            explained(customer_id=3, shares=(Share(13, 100_00),)),
            {"never": frozenset({1})},
            Verdict.QUEUE,
            Reason.DO_NOT_ACCEPT,
            id="do not accept, two above the one who pays",
        ),
        pytest.param(
            explained(customer_id=None, shares=(Share(11, 100_00),)),
            {"never": frozenset({1})},
            Verdict.QUEUE,
            Reason.DO_NOT_ACCEPT,
            id="do not accept, of several customers' money",
        ),
        pytest.param(
            APPLY,
            {"policy": Policy(never_accounts=frozenset({"DE893704"}))},
            Verdict.QUEUE,
            Reason.DO_NOT_ACCEPT,
            id="an account whose money is not accepted",
        ),
        pytest.param(
            APPLY,
            {"policy": Policy(never_accounts=frozenset({"DE99", ""}))},
            Verdict.APPLY,
            None,
            id="another account",
        ),
        pytest.param(
            explained(shares=(Share(11, 99_00, write_off_minor=1_00),)),
            {},
            Verdict.QUEUE,
            Reason.UNMAPPED_ADJUSTMENT,
            id="a difference that no document is mapped to",
        ),
        pytest.param(
            explained(shares=(Share(11, 99_00, write_off_minor=1_00),)),
            {"policy": Policy(adjustments={"small difference": BookedAs("Bank fees")})},
            Verdict.APPLY,
            None,
            id="a difference with its document",
        ),
        pytest.param(
            explained(customer_id=None), {}, Verdict.QUEUE, Reason.SEVERAL_CUSTOMERS, id="nobody's money"
        ),
        pytest.param(
            explained(customer_id=2),
            {},
            Verdict.QUEUE,
            Reason.SEVERAL_CUSTOMERS,
            id="a daughter's for her mother",
        ),
        pytest.param(
            explained(shares=(Share(11, 50_00), Share(12, 25_00), Share(13, 25_00))),
            {},
            Verdict.APPLY,
            None,
            id="a mother's for herself and those below",
        ),
        pytest.param(
            explained(customer_id=2, shares=(Share(12, 50_00), Share(11, 50_00))),
            {},
            Verdict.QUEUE,
            Reason.SEVERAL_CUSTOMERS,
            id="one of two items of somebody else",
        ),
        pytest.param(
            explained(customer_id=9),
            {"parents": {1: 2, 2: 1}},
            Verdict.QUEUE,
            Reason.SEVERAL_CUSTOMERS,
            id="customers above each other, in broken books",
        ),
        pytest.param(
            APPLY,
            {"held": frozenset({"reference"})},
            Verdict.PROPOSE,
            Reason.CONFIRMATION,
            id="a class that was often wrong",
        ),
        pytest.param(APPLY, {"held": frozenset({"one item"})}, Verdict.APPLY, None, id="another class was"),
        pytest.param(
            LINK,
            {"held": frozenset({"already booked"})},
            Verdict.LINK,
            None,
            id="a class of links is not held back",
        ),
        pytest.param(
            APPLY,
            {"held": frozenset({"reference"}), "proven": {7: False}},
            Verdict.QUEUE,
            Reason.UNPROVEN_STATEMENT,
            id="the heavier of two obstacles",
        ),
        pytest.param(
            explained(currency="EUR"),
            {},
            Verdict.QUEUE,
            Reason.CURRENCY_MISMATCH,
            id="books that exchange nothing",
        ),
        pytest.param(
            explained(currency="EUR"), {"exchanges": True}, Verdict.APPLY, None, id="books that exchange"
        ),
        pytest.param(
            Decision(7, Verdict.PROPOSE, ABROAD, Reason.CONFIRMATION),
            {},
            Verdict.QUEUE,
            Reason.CURRENCY_MISMATCH,
            id="a proposal that the books would not take",
        ),
        pytest.param(
            Decision(7, Verdict.QUEUE, ABROAD, Reason.SHORT_PAY),
            {},
            Verdict.QUEUE,
            Reason.SHORT_PAY,
            id="queued as it is",
        ),
        pytest.param(
            Decision(7, Verdict.PROPOSE, EXPLAINED, Reason.SHORT_PAY),
            {"never": frozenset({1}), "proven": {7: False}, "closed_until": DAY},
            Verdict.PROPOSE,
            Reason.SHORT_PAY,
            id="a proposal is a person's anyway",
        ),
        pytest.param(
            Decision(7, Verdict.APPLY, None, None),
            {"proven": {7: False}},
            Verdict.APPLY,
            None,
            id="what explains nothing",
        ),
    ],
)
def test_what_stands_in_the_way(decision, changes, verdict, reason):
    assert told(decision, replace(FREE, **changes)) == (verdict, reason)


CAP = Policy(given_up_a_year_minor={"USD": 5_00})
GIVES = explained(shares=(Share(11, 97_00, write_off_minor=2_00), Share(12, 0, write_off_minor=1_00)))


@pytest.mark.parametrize(
    ("decision", "policy", "so_far", "verdict"),
    [
        pytest.param(GIVES, CAP, {0: 2_00}, Verdict.APPLY, id="just as much as a year allows"),
        pytest.param(GIVES, CAP, {0: 2_01}, Verdict.QUEUE, id="a cent more"),
        pytest.param(
            GIVES, CAP, {0: 1_00, 3: 1_00, 4: 1}, Verdict.QUEUE, id="a cent more, with others of this batch"
        ),
        pytest.param(
            GIVES, CAP, {0: 2_00, 7: 3_00}, Verdict.APPLY, id="its own of an earlier round does not count"
        ),
        pytest.param(GIVES, Policy(), {0: 99_00}, Verdict.APPLY, id="no cap"),
        pytest.param(
            GIVES, replace(CAP, given_up_a_year_minor={"EUR": 0}), {0: 9}, Verdict.APPLY, id="another's cap"
        ),
        pytest.param(APPLY, CAP, {0: 9_00}, Verdict.APPLY, id="nothing given up, though the cap is passed"),
        pytest.param(
            replace(GIVES, explanation=replace(GIVES.explanation, customer_id=None)),
            CAP,
            {0: 9_00},
            Verdict.APPLY,
            id="nobody's: stopped elsewhere",
        ),
    ],
)
def test_what_is_given_up_for_one_customer_in_a_year(decision, policy, so_far, verdict):
    given_up = {(1, "USD"): dict(so_far), (2, "USD"): {0: 99_00}, (1, "EUR"): {0: 99_00}}
    found = capped(decision, RECEIPT, policy, given_up)
    assert found.verdict is verdict
    assert found.reason is (Reason.CONFIRMATION if verdict is Verdict.QUEUE else None)
    assert found.explanation is decision.explanation


def test_what_is_applied_counts_for_the_next_and_what_is_queued_does_not():
    given_up = {}
    assert capped(GIVES, RECEIPT, CAP, given_up).verdict is Verdict.APPLY
    assert given_up == {(1, "USD"): {7: 3_00}}
    second = capped(GIVES, RECEIPT._replace(id=8), CAP, given_up)
    assert (second.verdict, given_up) == (Verdict.QUEUE, {(1, "USD"): {7: 3_00}})
    queued = replace(GIVES, verdict=Verdict.QUEUE, reason=Reason.SHORT_PAY)
    assert capped(queued, RECEIPT, CAP, given_up) is queued
    assert given_up == {(1, "USD"): {}}, "what a later round no longer applies is free again"
    assert capped(replace(GIVES, explanation=None), RECEIPT, CAP, given_up).explanation is None


SHARES = st.builds(Share, st.integers(11, 13), st.integers(1, 9), write_off_minor=st.integers(0, 3))
DECISIONS = st.builds(
    Decision,
    st.just(7),
    st.sampled_from(Verdict),
    st.none() | st.builds(
        Explanation,
        st.none() | st.integers(1, 3),
        st.lists(SHARES).map(tuple),
        st.just(0), st.sampled_from(EvidenceClass), st.just(()), st.just(0.99), currency=st.sampled_from((None, "EUR")),
    ),
    st.sampled_from((None, *Reason)),
)  # fmt: skip


@given(
    DECISIONS,
    st.booleans(),
    st.frozensets(st.integers(1, 3)),
    st.frozensets(st.sampled_from(["reference", "balance"])),
)
def test_nothing_gains_the_power_to_act(decision, proven, never, held):
    standing = replace(FREE, proven={7: proven}, never=never, held=held)
    found = guarded(decision, RECEIPT, standing)
    assert found.verdict is decision.verdict or found.verdict in {Verdict.QUEUE, Verdict.PROPOSE}
    assert (found.explanation, found.receipt_id) == (decision.explanation, 7)
    assert (
        found.verdict not in {Verdict.QUEUE, Verdict.PROPOSE} or found == decision or found.reason is not None
    )
