"""Match and decide until nothing more follows: what is left undecided is judged on what is left.

Shape   `rounds(snapshot, knowledge, policy, judge)` -> `Outcome`; pure. `judge` says what is done with one finding.
Law     a decided receipt is judged in the round that decides it, everything else in the last one: matching what is
        left (`less`) once more gives the same findings. So a run says of a receipt what the next run says, as long
        as nothing else happens.
Cost    a round costs what is left of the batch; nearly all of it is decided in the first.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from arsync.core.decisions import Decision, Explanation, Finding, Verdict
from arsync.core.items import ItemKind
from arsync.core.matching import engine
from arsync.core.matching.payers import Payers
from arsync.core.matching.snapshot import ItemRow, Knowledge, MatchPolicy, ReceiptRow, Snapshot

Judge = Callable[[Finding, ReceiptRow], Decision]
_ACTS = frozenset({Verdict.APPLY, Verdict.LINK})


@dataclass(frozen=True, slots=True)
class Judged:
    """What is found and decided of one receipt, and in which round, from 0 on."""

    receipt: ReceiptRow
    finding: Finding
    decision: Decision
    round: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All receipts in the snapshot's order, and the receipts that each round decided."""

    judged: tuple[Judged, ...]
    taken: tuple[tuple[int, ...], ...]


def rounds(snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy, judge: Judge) -> Outcome:
    """Match, decide, take what was decided away, and again, until a round decides nothing."""
    payers = Payers(snapshot, knowledge, policy)
    judged: dict[int, Judged] = {}
    taken: list[tuple[int, ...]] = []
    left = snapshot
    while left.receipts:
        findings = engine.match(left, knowledge, policy, payers)
        acting: dict[int, Explanation] = {}
        for receipt, finding in zip(left.receipts, findings, strict=True):
            decision = judge(finding, receipt)
            judged[receipt.id] = Judged(receipt, finding, decision, len(taken))
            if decision.verdict in _ACTS and decision.explanation:
                acting[receipt.id] = decision.explanation
        if not acting:
            break
        taken.append(tuple(sorted(acting)))
        left = less(left, acting)
    return Outcome(tuple(judged[receipt.id] for receipt in snapshot.receipts), tuple(taken))


def replay(
    snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy, taken: Iterable[Collection[int]]
) -> tuple[Finding, ...]:
    """The findings of the round after those that decided `taken`."""
    payers = Payers(snapshot, knowledge, policy)
    for ids in taken:
        findings = engine.match(snapshot, knowledge, policy, payers)
        snapshot = less(snapshot, {f.receipt_id: f.explanations[0] for f in findings if f.receipt_id in ids})
    return engine.match(snapshot, knowledge, policy, payers)


def less(snapshot: Snapshot, acting: Mapping[int, Explanation]) -> Snapshot:
    """The snapshot without these receipts and what they spend: what the next run would be given."""
    spent: dict[int, int] = {}
    linked: set[int | None] = set()
    for explanation in acting.values():
        linked.add(explanation.booked_payment_id)
        for share in explanation.shares:
            minor = share.applied_minor + share.discount_minor + share.write_off_minor
            spent[share.item_id] = spent.get(share.item_id, 0) + minor
    items = [
        item._replace(available_minor=item.available_minor - spent[item.id]) if item.id in spent else item
        for item in snapshot.items
        if item.available_minor != spent.get(item.id)
    ]
    gone = [row for row in snapshot.receipts if row.id in acting]
    return replace(
        snapshot,
        items=(*items, *_on_account(gone, acting)),
        receipts=tuple(row for row in snapshot.receipts if row.id not in acting),
        booked=tuple(row for row in snapshot.booked if row.id not in linked),
        recent=(*snapshot.recent, *gone),
        recent_customers=(*snapshot.recent_customers, *(acting[row.id].customer_id or 0 for row in gone)),
    )


def _on_account(gone: Sequence[ReceiptRow], acting: Mapping[int, Explanation]) -> Iterable[ItemRow]:
    """What stays on account will be an open item of its customer; until it has an id it has the receipt's, negative."""
    for row in gone:
        one = acting[row.id]
        if one.customer_id and one.on_account_minor and one.booked_payment_id is None:
            minor = -one.on_account_minor
            yield ItemRow(
                -row.id, one.customer_id, ItemKind.PAYMENT, None, row.on, row.on, row.currency, minor, minor
            )
