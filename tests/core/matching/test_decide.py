"""What is done with what the matcher says: the obstacles that no policy takes away."""

from dataclasses import replace

import pytest

from arsync.core.decisions import EvidenceClass, Explanation, Finding, Reason, Share, Verdict
from arsync.core.matching.decide import decide, threshold
from tests.core.matching.build import POLICY, find, item, receipt

POSTS = replace(POLICY, posts=frozenset({"short-pay"}), threshold=0.5)


@pytest.mark.parametrize(
    ("amount_minor", "text", "reason"),
    [
        pytest.param(90_00, "INV 20417", Reason.SHORT_PAY, id="less than is owed"),
        pytest.param(
            90_00, "INV 20417 PAID IN FULL", Reason.FULL_PAYMENT, id="less, and the payer says it is all"
        ),
        pytest.param(90_00, "INV 20417 full and final settlement", Reason.FULL_PAYMENT, id="in other words"),
        pytest.param(100_00, "INV 20417 PAID IN FULL", None, id="all that is owed, and so it says"),
    ],
)
def test_less_that_is_said_to_be_all_is_never_taken_by_rule(amount_minor, text, reason):
    given = receipt(amount_minor, text)
    finding = find((item(1, 100_00, "INV-20417"),), given)
    assert decide(finding, given, POLICY, "auto").reason is reason
    verdict = decide(finding, given, POSTS, "auto").verdict
    assert (verdict is Verdict.APPLY) is (reason is not Reason.FULL_PAYMENT)


FIRST = Explanation(1, (Share(11, 100_00),), 0, EvidenceClass.REFERENCE, (), 0.98)
SURE = Finding(1, (FIRST,), True, None)
GIVEN = receipt(100_00, "INV 20417")
STRICT = replace(POLICY, threshold=0.98, automatic=frozenset({"reference"}))


def first(**changes):
    return replace(SURE, explanations=(replace(FIRST, **changes),))


def told(finding, policy=STRICT, given=GIVEN, mode="auto"):
    """Verdict and reason; a decision keeps its receipt and the first explanation."""
    decided = decide(finding, given, policy, mode)
    assert decided.receipt_id == 1
    assert decided.explanation is (finding.explanations[0] if finding.explanations else None)
    return decided.verdict, decided.reason


BOOKED = first(klass=EvidenceClass.BOOKED)


@pytest.mark.parametrize(
    ("finding", "policy", "verdict", "reason"),
    [
        pytest.param(SURE, STRICT, Verdict.APPLY, None, id="nothing stands in its way"),
        pytest.param(
            first(probability=0.979), STRICT, Verdict.PROPOSE, Reason.WEAK_EVIDENCE, id="just not sure enough"
        ),
        pytest.param(
            first(probability=0.5), STRICT, Verdict.PROPOSE, Reason.WEAK_EVIDENCE, id="as likely as not"
        ),
        pytest.param(
            first(probability=0.499), STRICT, Verdict.QUEUE, Reason.WEAK_EVIDENCE, id="less likely than not"
        ),
        pytest.param(
            replace(SURE, unique=False), STRICT, Verdict.QUEUE, Reason.SEVERAL_SETS, id="another set fits"
        ),
        pytest.param(
            first(klass=EvidenceClass.BALANCE),
            STRICT,
            Verdict.PROPOSE,
            Reason.CONFIRMATION,
            id="a class that is not trusted",
        ),
        pytest.param(
            SURE,
            replace(STRICT, most_minor={"USD": 99_99}),
            Verdict.PROPOSE,
            Reason.CONFIRMATION,
            id="more than may be alone",
        ),
        pytest.param(
            SURE,
            replace(STRICT, most_minor={"USD": 100_00}),
            Verdict.APPLY,
            None,
            id="just as much as may be",
        ),
        pytest.param(
            SURE,
            replace(STRICT, most_minor={"EUR": 1}),
            Verdict.APPLY,
            None,
            id="a limit in another currency",
        ),
        pytest.param(
            SURE,
            replace(STRICT, large_minor={"USD": 100_00}, threshold_large=0.99),
            Verdict.PROPOSE,
            Reason.WEAK_EVIDENCE,
            id="a large amount asks for more",
        ),
        pytest.param(
            SURE,
            replace(STRICT, large_minor={"USD": 100_01}, threshold_large=0.99),
            Verdict.APPLY,
            None,
            id="a cent less than large",
        ),
        pytest.param(
            replace(SURE, reason=Reason.SHORT_PAY),
            STRICT,
            Verdict.PROPOSE,
            Reason.SHORT_PAY,
            id="the matcher's own reason",
        ),
        pytest.param(
            replace(SURE, reason=Reason.SHORT_PAY),
            replace(STRICT, posts=frozenset({"short-pay"}), automatic=frozenset()),
            Verdict.APPLY,
            None,
            id="a reason that the policy posts, whatever the class",
        ),
        pytest.param(
            replace(SURE, reason=Reason.SHORT_PAY, unique=False),
            replace(STRICT, posts=frozenset({"short-pay"})),
            Verdict.QUEUE,
            Reason.SEVERAL_SETS,
            id="posted, but another set fits",
        ),
        pytest.param(
            replace(SURE, reason=Reason.SHORT_PAY, wait=True),
            replace(STRICT, posts=frozenset({"short-pay"})),
            Verdict.WAIT,
            Reason.SHORT_PAY,
            id="posted, but an advice may still say why",
        ),
        pytest.param(
            replace(SURE, wait=True), STRICT, Verdict.APPLY, None, id="sure, whatever advice may come"
        ),
        pytest.param(
            replace(first(probability=0.1), wait=True),
            STRICT,
            Verdict.WAIT,
            Reason.WEAK_EVIDENCE,
            id="an advice may help",
        ),
        *(
            pytest.param(
                replace(SURE, reason=reason),
                STRICT,
                Verdict.QUEUE,
                reason,
                id=f"never offered in bulk: {reason}",
            )
            for reason in (
                Reason.POSSIBLE_DUPLICATE,
                Reason.RETURNED_PAYMENT,
                Reason.CURRENCY_MISMATCH,
                Reason.SEVERAL_SETS,
                Reason.ALREADY_BOOKED,
            )
        ),
        pytest.param(
            replace(SURE, explanations=(), reason=Reason.UNKNOWN_REFERENCE),
            STRICT,
            Verdict.QUEUE,
            Reason.UNKNOWN_REFERENCE,
            id="nothing explains it",
        ),
        pytest.param(
            replace(SURE, explanations=()),
            STRICT,
            Verdict.QUEUE,
            Reason.UNKNOWN_PAYER,
            id="nothing, for no reason given",
        ),
        pytest.param(
            replace(SURE, explanations=(), wait=True),
            STRICT,
            Verdict.WAIT,
            Reason.UNKNOWN_PAYER,
            id="nothing yet",
        ),
        pytest.param(BOOKED, STRICT, Verdict.LINK, None, id="booked already"),
        pytest.param(
            replace(BOOKED, unique=False),
            STRICT,
            Verdict.QUEUE,
            Reason.ALREADY_BOOKED,
            id="booked, but two claim it",
        ),
        pytest.param(
            replace(BOOKED, reason=Reason.SHORT_PAY),
            STRICT,
            Verdict.QUEUE,
            Reason.ALREADY_BOOKED,
            id="booked differently",
        ),
    ],
)
def test_what_is_done_with_a_finding(finding, policy, verdict, reason):
    assert told(finding, policy) == (verdict, reason)


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_what_would_be_applied_is_proposed_in_the_other_modes(mode):
    assert told(SURE, mode=mode) == (Verdict.PROPOSE, Reason.CONFIRMATION)
    assert told(BOOKED, mode=mode) == (Verdict.LINK, None)
    assert told(replace(SURE, unique=False), mode=mode) == (Verdict.QUEUE, Reason.SEVERAL_SETS)


def test_money_that_goes_out_is_as_large_as_money_that_comes():
    out = receipt(-100_00)
    large = replace(STRICT, large_minor={"USD": 100_00}, threshold_large=0.99)
    assert (threshold(out, large), threshold(GIVEN, large)) == (0.99, 0.99)
    assert (
        told(first(probability=0.999), replace(STRICT, most_minor={"USD": 99_99}), out)[0] is Verdict.PROPOSE
    )
    assert threshold(GIVEN, replace(large, threshold=0.995)) == 0.995, "large never asks for less"
    assert threshold(receipt(100_00, currency="EUR"), large) == 0.98


@pytest.mark.parametrize("wait", [0, 3])
def test_who_waits_is_told_for_how_many_business_days(wait):
    policy = replace(STRICT, wait_days=wait)
    for finding in (replace(SURE, explanations=(), wait=True), replace(first(probability=0.1), wait=True)):
        assert decide(finding, GIVEN, policy, "auto").wait_days == wait


@pytest.mark.parametrize(
    ("share", "reason", "words", "settles"),
    [
        pytest.param(
            Share(11, 90_00, write_off_minor=10_00), None, "PAID IN FULL", True, id="a difference given up"
        ),
        pytest.param(
            Share(11, 90_00, deduction_minor=10_00), None, "Payment in full", True, id="a deduction"
        ),
        pytest.param(Share(11, 90_00), Reason.DEDUCTION, "FULL & FINAL", True, id="deducted, by its reason"),
        pytest.param(Share(11, 90_00), Reason.SHORT_PAY, "final settlement", True, id="short, by its reason"),
        pytest.param(
            Share(11, 90_00), Reason.SHORT_PAY, "ZUM AUSGLEICH ALLER ANSPRÜCHE", True, id="in German"
        ),
        pytest.param(
            Share(11, 90_00), Reason.SHORT_PAY, "zum Ausgleich aller Ansprüche", True, id="in small letters"
        ),
        pytest.param(Share(11, 90_00), Reason.SHORT_PAY, "INV 20417", False, id="short, and nothing said"),
        pytest.param(
            Share(11, 90_00, 10_00), None, "PAID IN FULL", False, id="less the discount that was granted"
        ),
        pytest.param(Share(11, 90_00), Reason.OVER_PAY, "PAID IN FULL", False, id="more than is owed"),
    ],
)
def test_all_that_is_said_to_be_paid(share, reason, words, settles):
    given = receipt(90_00, texts=("INV 20417", words))
    verdict, why = told(replace(first(shares=(share,)), reason=reason), given=given)
    assert (why is Reason.FULL_PAYMENT) is settles
    assert verdict is Verdict.QUEUE or not settles
