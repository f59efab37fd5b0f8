"""Match and decide until nothing more follows: what is left undecided is judged on what is left.

Shape   `rounds(snapshot, knowledge, policy, judge)` -> `Outcome`; pure. `judge` says what is done with one finding.
Law     a decided receipt is judged in the round that decides it, everything else on what is left in the end: matching
        that (`less`) once more gives the same findings. So a run says of a receipt what the next run says, as long as
        nothing else happens.
Cost    a round after the first costs what the one before it touched.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from arsync.core.decisions import Decision, Explanation, Finding, Verdict
from arsync.core.items import ItemKind
from arsync.core.matching import engine
from arsync.core.matching.reach import Reach, part, touched
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
    """Match, decide, take what was decided away, match what that touches, until a round decides nothing."""
    lasting = engine.Lasting(snapshot, knowledge, policy)
    judged: dict[int, Judged] = {}
    reaches: dict[int, Reach] = {}
    taken: list[tuple[int, ...]] = []
    left = these = snapshot
    while these.receipts:
        matched = engine.match_with(these, lasting)
        acting: dict[int, Explanation] = {}
        for receipt, finding in zip(these.receipts, matched.findings, strict=True):
            decision = judge(finding, receipt)
            judged[receipt.id] = Judged(receipt, finding, decision, len(taken))
            if decision.verdict in _ACTS and decision.explanation:
                acting[receipt.id] = decision.explanation
                reaches.pop(receipt.id, None)
            else:
                reaches[receipt.id] = matched.reach(receipt.id)
        if not acting:
            break
        taken.append(tuple(sorted(acting)))
        change = _change(left, acting, lasting.roofs)
        left = less(left, acting)
        again = touched(reaches, change)
        under = change.roofs.union(*(reaches[receipt_id].roofs for receipt_id in again))
        these = part(left, again, under, lasting.roofs)
    return Outcome(tuple(judged[receipt.id] for receipt in snapshot.receipts), tuple(taken))


def _change(snapshot: Snapshot, acting: Mapping[int, Explanation], roofs: Mapping[int, int]) -> Reach:
    """What these receipts alter by being decided."""
    spent = {share.item_id: share for one in acting.values() for share in one.shares}
    items = [item for item in snapshot.items if item.id in spent]
    customers = {item.customer_id for item in items} | {one.customer_id for one in acting.values()}
    amounts = {(row.currency, abs(row.amount_minor)) for row in snapshot.receipts if row.id in acting}
    amounts |= {
        (i.currency, abs(i.available_minor - spent[i.id].settled_minor + spent[i.id].deduction_minor))
        for i in items
    }
    return Reach(
        frozenset(roofs.get(customer, customer) for customer in customers if customer is not None),
        frozenset(amounts),
    )


def replay(
    snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy, taken: Iterable[Collection[int]]
) -> tuple[Finding, ...]:
    """The findings of the round after those that decided `taken`."""
    lasting = engine.Lasting(snapshot, knowledge, policy)
    for ids in taken:
        findings = engine.match_with(snapshot, lasting).findings
        snapshot = less(snapshot, {f.receipt_id: f.explanations[0] for f in findings if f.receipt_id in ids})
    return engine.match_with(snapshot, lasting).findings


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
