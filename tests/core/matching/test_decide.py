"""What is done with what the matcher says: the obstacles that no policy takes away."""

from dataclasses import replace

import pytest

from arsync.core.decisions import Reason, Verdict
from arsync.core.matching.decide import decide
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
