"""The last gate before a decision acts: what stands in its way, whatever the evidence.

Shape   (decision, receipt, what is known of ledger and policy) -> the decision, or the same for a person; pure.
Law     a decision only ever loses its power to act here; none becomes one that acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from arsync.core.decisions import Decision, Explanation, Reason, Verdict
from arsync.core.matching.normalise import normalise_account
from arsync.core.matching.snapshot import ReceiptRow
from arsync.core.policy import Policy
from arsync.sync import intents


@dataclass(frozen=True, slots=True)
class Standing:
    """What may stand in the way of acting."""

    proven: Mapping[int, bool]  # by receipt
    closed_until: date | None
    policy: Policy
    owners: Mapping[int, int]  # item -> customer
    parents: Mapping[int, int | None]  # customer -> the one above
    never: frozenset[int]  # customers whose money is not accepted without a person
    held: frozenset[str]  # classes of evidence that were too often wrong
    exchanges: bool  # the books take money in another currency than the items


def guarded(decided: Decision, receipt: ReceiptRow, standing: Standing) -> Decision:
    """The decision, unless something stands in its way.

    Unproven statement, closed period, unmapped adjustment, strangers, evidence that was too often wrong, books that
    take no money in another currency.
    """
    if _impossible(decided, exchanges=standing.exchanges):
        return replace(decided, verdict=Verdict.QUEUE, reason=Reason.CURRENCY_MISMATCH)
    if decided.verdict not in (Verdict.APPLY, Verdict.LINK) or decided.explanation is None:
        return decided
    reason = _obstacle(decided.verdict, decided.explanation, receipt, standing)
    if reason is not None:
        return replace(decided, verdict=Verdict.QUEUE, reason=reason)
    if decided.verdict is Verdict.APPLY and decided.explanation.klass.value in standing.held:
        return replace(decided, verdict=Verdict.PROPOSE, reason=Reason.CONFIRMATION)
    return decided


def _obstacle(
    verdict: Verdict, explanation: Explanation, receipt: ReceiptRow, standing: Standing
) -> Reason | None:
    if _refused(explanation, receipt, standing):
        return Reason.DO_NOT_ACCEPT
    if not standing.proven[receipt.id] and standing.policy.unproven_statement == "queue":
        return Reason.UNPROVEN_STATEMENT
    return _write_obstacle(explanation, receipt, standing) if verdict is Verdict.APPLY else None


def _impossible(decided: Decision, *, exchanges: bool) -> bool:
    """Whether something is to be done or proposed in another currency that the books do not take."""
    one = decided.explanation
    acts = decided.verdict in (Verdict.APPLY, Verdict.PROPOSE)
    return acts and one is not None and one.currency is not None and not exchanges


def _refused(explanation: Explanation, receipt: ReceiptRow, standing: Standing) -> bool:
    """Whether the policy wants no money of this payer, or of anybody it is for, without a person."""
    if receipt.payer_account and normalise_account(receipt.payer_account) in standing.policy.never_accounts:
        return True
    owners = {explanation.customer_id, *(standing.owners[share.item_id] for share in explanation.shares)}
    return any(not standing.never.isdisjoint(_upwards(owner, standing.parents)) for owner in owners)


def _upwards(customer: int | None, parents: Mapping[int, int | None]) -> list[int]:
    """A customer and everybody above it, each once: books in which two are above each other end too."""
    found: list[int] = []
    while customer is not None and customer not in found:
        found.append(customer)
        customer = parents.get(customer)
    return found


def capped(
    decided: Decision, receipt: ReceiptRow, policy: Policy, given_up: dict[tuple[int, str], dict[int, int]]
) -> Decision:
    """A person decides what would give up more for a customer than the policy allows in a year.

    `given_up` has, by customer and currency, the minor units of each receipt, of this year (0) and of this batch.
    """
    cap = policy.given_up_a_year_minor.get(receipt.currency)
    one = decided.explanation
    if cap is None or one is None or one.customer_id is None:
        return decided
    so_far = given_up.setdefault((one.customer_id, receipt.currency), {})
    so_far.pop(receipt.id, None)
    minor = sum(share.write_off_minor for share in one.shares)
    if decided.verdict is not Verdict.APPLY or not minor:
        return decided
    if sum(so_far.values()) + minor > cap:
        return replace(decided, verdict=Verdict.QUEUE, reason=Reason.CONFIRMATION)
    so_far[receipt.id] = minor
    return decided


def _write_obstacle(explanation: Explanation, receipt: ReceiptRow, standing: Standing) -> Reason | None:
    if (
        standing.closed_until
        and receipt.on <= standing.closed_until
        and standing.policy.closed_period == "queue"
    ):
        return Reason.CLOSED_PERIOD
    if intents.unmapped(intents.lines_of(explanation), standing.policy):
        return Reason.UNMAPPED_ADJUSTMENT
    if explanation.customer_id is None:
        return Reason.SEVERAL_CUSTOMERS
    for share in explanation.shares:
        if explanation.customer_id not in _upwards(standing.owners[share.item_id], standing.parents):
            return Reason.SEVERAL_CUSTOMERS
    return None
