"""Match and decide until nothing more follows: what is left undecided is judged on what is left.

Shape   `rounds(snapshot, knowledge, policy, judge, before)` -> `Outcome`; pure. `judge` says what is done with one.
Law     a decided receipt is judged in the round that decides it, everything else on what is left in the end: matching
        that (`less`) once more gives the same findings. So a run says of a receipt what the next run says, as long as
        nothing else happens.
Cost    a round after the first costs what the one before it touched.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from arsync.core.decisions import Decision, Explanation, Finding, Share, Verdict
from arsync.core.items import ItemKind
from arsync.core.matching import engine
from arsync.core.matching.again import Seen, seen, stale
from arsync.core.matching.reach import Reach, beside, joined, part, recounted, touched
from arsync.core.matching.snapshot import ItemRow, Knowledge, MatchPolicy, ReceiptRow, Snapshot

Judge = Callable[[Finding, ReceiptRow], Decision]
_ACTS = frozenset({Verdict.APPLY, Verdict.LINK})


@dataclass(frozen=True, slots=True)
class Judged:
    """What is found and decided of one receipt, and in which round; None if the finding is of an earlier match."""

    receipt: ReceiptRow
    finding: Finding
    decision: Decision
    round: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """All receipts in the snapshot's order, what each round was given, and what the next match need not see again."""

    judged: tuple[Judged, ...]
    given: tuple[Snapshot, ...]
    seen: Seen


@dataclass(frozen=True, slots=True)
class Before:
    """What the last match saw, and the findings of it that still stand somewhere."""

    seen: Seen
    findings: Mapping[int, Finding]


def rounds(
    snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy, judge: Judge, before: Before | None = None
) -> Outcome:
    """Match, decide, take what was decided away, match what that touches, until a round decides nothing.

    With `before` only what is new since then, and what that touches, is matched at all.
    """
    lasting = engine.Lasting(snapshot, knowledge, policy)
    left = snapshot
    reaches: dict[int, Reach] = {}
    batch, again, judged = _start(snapshot, lasting, knowledge, judge, before, reaches)
    given: list[Snapshot] = []
    while batch is not None:
        acting: dict[int, Explanation] = {}
        for receipt, finding in zip(batch.snapshot.receipts, batch.match(), strict=True):
            if receipt.id not in again:
                continue
            decision = judge(finding, receipt)
            judged[receipt.id] = Judged(receipt, finding, decision, len(given))
            if decision.verdict in _ACTS and decision.explanation:
                acting[receipt.id] = decision.explanation
                reaches.pop(receipt.id, None)
            else:
                reaches[receipt.id] = batch.reach(receipt.id)
        given.append(batch.snapshot)
        change = _change(left, acting, lasting.roofs)
        left = less(left, acting)
        moved = recounted(left, reaches, lasting.roofs)
        reaches |= moved
        change = joined([change, *moved.values()])
        again = touched(reaches, change)
        batch = _batch(left, again, reaches, change, lasting)
    sight = seen(left, knowledge, policy, lasting.roofs, reaches)
    return Outcome(tuple(judged[receipt.id] for receipt in snapshot.receipts), tuple(given), sight)


def _start(
    snapshot: Snapshot,
    lasting: engine.Lasting,
    knowledge: Knowledge,
    judge: Judge,
    before: Before | None,
    reaches: dict[int, Reach],
) -> tuple[engine.Batch | None, Set[int], dict[int, Judged]]:
    """What is to be matched first, which of it is new, and what is said of the rest; notes where the rest looks."""
    everything = frozenset(row.id for row in snapshot.receipts)
    if before is None:
        return engine.Batch(snapshot, lasting) if everything else None, everything, {}
    prepared: list[engine.Batch] = []

    def look() -> dict[int, Reach]:
        prepared.append(engine.Batch(snapshot, lasting))
        return {row.id: prepared[0].reach(row.id) for row in snapshot.receipts}

    now = seen(snapshot, knowledge, lasting.policy, lasting.roofs, {})
    old = stale(before.seen, now, snapshot, before.findings, lasting.roofs, look)
    kept = {row.id: row for row in snapshot.receipts if row.id not in old.receipts}
    if 2 * len(kept) < len(snapshot.receipts):  # then matching everything costs hardly more
        return prepared[0] if prepared else engine.Batch(snapshot, lasting), everything, {}
    judged, change = {}, old.change
    for receipt_id, row in kept.items():
        finding = before.findings[receipt_id]
        reaches[receipt_id] = old.reaches[receipt_id]
        judged[receipt_id] = Judged(row, finding, judge(finding, row), None)
        if judged[receipt_id].decision.verdict in _ACTS:  # then it shall have evidence of today
            change = joined([change, reaches[receipt_id]])
    again = old.receipts | touched(old.reaches, change)
    return _batch(snapshot, again, old.reaches, change, lasting), again, judged


def _batch(
    left: Snapshot, again: Set[int], reaches: Mapping[int, Reach], change: Reach, lasting: engine.Lasting
) -> engine.Batch | None:
    """A match of these receipts and of all that they look at, or may look at since the change."""
    if not again:
        return None
    together = {*again, *beside(reaches, again)}
    return engine.Batch(part(left, together, reaches, change.roofs, lasting.roofs), lasting)


def _change(snapshot: Snapshot, acting: Mapping[int, Explanation], roofs: Mapping[int, int]) -> Reach:
    """What these receipts alter by being decided."""
    spent = {share.item_id: share for one in acting.values() for share in one.shares}
    items = [item for item in snapshot.items if item.id in spent]
    customers = {item.customer_id for item in items} | {one.customer_id for one in acting.values()}
    amounts = {(row.currency, abs(row.amount_minor)) for row in snapshot.receipts if row.id in acting}
    amounts |= {(item.currency, abs(_left(item, spent[item.id]))) for item in items}
    return Reach(
        frozenset(roofs.get(customer, customer) for customer in customers if customer is not None),
        frozenset(amounts),
    )


def _left(item: ItemRow, share: Share) -> int:
    """What may still be spent; a deduction stays open until somebody settles it."""
    return item.available_minor - share.settled_minor + share.deduction_minor


def less(snapshot: Snapshot, acting: Mapping[int, Explanation]) -> Snapshot:
    """The snapshot without these receipts and what they spend: what the next run would be given."""
    shares = {share.item_id: share for one in acting.values() for share in one.shares}
    linked = {one.booked_payment_id for one in acting.values()}
    items = [
        item._replace(available_minor=_left(item, shares[item.id])) if item.id in shares else item
        for item in snapshot.items
        if item.id not in shares or _left(item, shares[item.id])
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
