"""From what the matcher says to what is done.

Shape   (finding, receipt, policy, mode) -> `Decision`; pure.
Law     APPLY only if: the mode is automatic, one explanation stands alone, nothing stands in its way, its
        class is trusted, and its probability reaches the threshold for the amount. Linking books nothing and
        is allowed in every mode.
"""

import re
from typing import Literal

from arsync.core.decisions import Decision, EvidenceClass, Explanation, Finding, Reason, Verdict
from arsync.core.matching.snapshot import MatchPolicy, ReceiptRow

Mode = Literal["observe", "propose", "auto"]

# From here on a preferred explanation may be offered for acceptance in bulk; below, a person starts afresh.
_PREFERRED = 0.5


def decide(finding: Finding, receipt: ReceiptRow, policy: MatchPolicy, mode: Mode) -> Decision:
    """What is done with a receipt now.

    `wait_days` of a waiting decision are business days counted from the receipt's date. In modes observe and
    propose nothing is applied; what would have been is proposed with the reason "confirmation".
    """
    first = finding.explanations[0] if finding.explanations else None
    if first is None:
        return _without(finding, policy)
    if first.klass is EvidenceClass.BOOKED:
        linked = finding.unique and finding.reason is None
        verdict = Verdict.LINK if linked else Verdict.QUEUE
        return Decision(finding.receipt_id, verdict, first, None if linked else Reason.ALREADY_BOOKED)
    if _settles_a_dispute(finding, receipt):
        return Decision(finding.receipt_id, Verdict.QUEUE, first, Reason.FULL_PAYMENT)
    obstacle = _obstacle(finding, first, receipt, policy)
    if obstacle is None:
        if mode == "auto":
            return Decision(finding.receipt_id, Verdict.APPLY, first, None)
        return Decision(finding.receipt_id, Verdict.PROPOSE, first, Reason.CONFIRMATION)
    if finding.wait:
        return Decision(finding.receipt_id, Verdict.WAIT, first, obstacle, policy.wait_days)
    preferred = finding.unique and first.probability >= _PREFERRED and obstacle not in _NEVER_PROPOSED
    return Decision(finding.receipt_id, Verdict.PROPOSE if preferred else Verdict.QUEUE, first, obstacle)


def _obstacle(
    finding: Finding, first: Explanation, receipt: ReceiptRow, policy: MatchPolicy
) -> Reason | None:
    """What keeps the first explanation from being applied alone."""
    posted = is_posted(finding.reason, policy)
    if finding.reason is not None and not posted:
        return finding.reason
    if not finding.unique:
        return Reason.SEVERAL_SETS
    if (not posted and first.klass.value not in policy.automatic) or _too_much(receipt, policy):
        return Reason.CONFIRMATION
    if first.probability < threshold(receipt, policy):
        return Reason.WEAK_EVIDENCE
    return finding.reason if finding.wait else None  # the advice may still say why


def is_posted(reason: Reason | None, policy: MatchPolicy) -> bool:
    """Whether policy books what differs for this reason all the same."""
    return reason is not None and reason.value in policy.posts


_FULL = re.compile(
    r"\b(?:PAID IN FULL|PAYMENT IN FULL|FULL (?:AND|&) FINAL|FULL SETTLEMENT|FINAL SETTLEMENT"
    r"|ACCORD AND SATISFACTION|POUR SOLDE DE TOUT COMPTE|ZUM AUSGLEICH ALLER (?:FORDERUNGEN|ANSPR(?:Ü|UE)CHE))\b"
)
_SHORT = frozenset({Reason.SHORT_PAY, Reason.DEDUCTION})


def _settles_a_dispute(finding: Finding, receipt: ReceiptRow) -> bool:
    """Whether less is paid than is owed and the payer says that this is all.

    Who takes such money may have given up the rest (accord and satisfaction, UCC 3-311): a person decides.
    """
    less = finding.reason in _SHORT or any(
        share.write_off_minor or share.deduction_minor for share in finding.explanations[0].shares
    )
    return less and any(_FULL.search(text.upper()) for text in receipt.texts)


def threshold(receipt: ReceiptRow, policy: MatchPolicy) -> float:
    """The least probability to apply alone; it rises with the amount at risk."""
    large = policy.large_minor.get(receipt.currency)
    if large is not None and abs(receipt.amount_minor) >= large:
        return max(policy.threshold, policy.threshold_large)
    return policy.threshold


def _too_much(receipt: ReceiptRow, policy: MatchPolicy) -> bool:
    most = policy.most_minor.get(receipt.currency)
    return most is not None and abs(receipt.amount_minor) > most


# Accepting many of these at once would undo what the queue is for.
_NEVER_PROPOSED = frozenset(
    {
        Reason.POSSIBLE_DUPLICATE,
        Reason.RETURNED_PAYMENT,
        Reason.CURRENCY_MISMATCH,
        Reason.SEVERAL_SETS,
        Reason.ALREADY_BOOKED,
    }
)


def _without(finding: Finding, policy: MatchPolicy) -> Decision:
    reason = finding.reason or Reason.UNKNOWN_PAYER
    if finding.wait:
        return Decision(finding.receipt_id, Verdict.WAIT, None, reason, policy.wait_days)
    return Decision(finding.receipt_id, Verdict.QUEUE, None, reason)
