"""Settle: what became of what was sent.

`read_back` asks the platform about calls whose answer was lost, before anything is sent again. `verify`
compares what was
confirmed with what a later pull shows: only then does a decision count as done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from arsync.connectors.contract import (
    Answer,
    ApplyCredits,
    ApplyPayment,
    Intent,
    Park,
    PostCredit,
    PostDeposit,
    PostEntry,
    PostReceipt,
    PostRefund,
    Ref,
    Reverse,
    SetExpected,
    SetNote,
)
from arsync.core.decisions import Reason
from arsync.core.money import Money
from arsync.store import audit, books, decisions, outbox, queues
from arsync.store.engine import Tx
from arsync.store.outbox import Planned
from arsync.store.queues import Entry
from arsync.sync import quality
from arsync.sync.job import ENGINE, Job


@dataclass(slots=True)
class Settled:
    """What settling found."""

    adopted: int = 0  # effects of lost answers that were found
    absent: int = 0  # lost requests that never arrived: sent again, same bytes, same key
    unclear: int = 0
    verified: int = 0
    contradicted: int = 0


def read_back(job: Job) -> Settled:
    """Look for the effects of calls whose answer we do not have."""
    settled = Settled()
    with job.store.read() as conn:
        waiting = [
            (planned, row)
            for planned in outbox.bundles(conn, job.ledger.id, ("sent", "unknown"))
            for row in outbox.commands(conn, job.ledger.id, planned.id)
            if row.state in ("sent", "unknown")
        ]
    for planned, row in waiting:
        if may_be_late(job, row):
            continue  # it may still arrive: nobody could say that it is absent
        found = job.connector.find(outbox.call_of(row))
        at = job.at()
        with job.store.begin() as conn:
            if found.state == "present":
                settled.adopted += 1
                outbox.adopt(
                    conn,
                    job.ledger.id,
                    row.id,
                    found.ref,
                    "found on the platform after its answer was lost",
                    at,
                )
                outbox.set_bundle(conn, job.ledger.id, planned.id, "sent")
            elif found.state == "absent":
                settled.absent += 1
                outbox.mark_absent(conn, job.ledger.id, row.id)
                outbox.set_bundle(conn, job.ledger.id, planned.id, "sent")
            else:
                settled.unclear += 1
                outbox.set_bundle(conn, job.ledger.id, planned.id, "unknown", found.difference)
                _ask(conn, job, planned, row, found.difference or "nobody can tell whether it arrived", at)
    return settled


def may_be_late(job: Job, row: Any) -> bool:
    """Whether a call that shared its request may still take effect on the platform."""
    if row.together is None:
        return False  # sent again it has the same key, so that at most one of the two takes effect
    late = timedelta(seconds=job.connector.manifest.writes[row.verb].late_s)
    return job.clock() - datetime.fromisoformat(row.sent_at) < late


def verify(job: Job) -> Settled:
    """Compare confirmed bundles with the books as just pulled."""
    settled = Settled()
    with job.store.read() as conn:
        waiting = outbox.bundles(conn, job.ledger.id, ("confirmed",))
    for planned in waiting:
        at = job.at()
        with job.store.begin() as conn:
            answers = answers_of(conn, job.ledger.id, planned.id)
            state, difference = _shown(conn, job, planned.bundle.intents, answers)
            if state == "not yet":
                continue
            outbox.verified(conn, job.ledger.id, planned.id)
            settled.verified += 1
            _done(conn, job, planned, answers, at)
            if state == "differs":
                settled.contradicted += 1
                _contradiction(conn, job, planned, difference, at)
    return settled


def answers_of(conn: Tx, ledger_id: int, bundle_id: int) -> list[Answer]:
    """Accepted answers of a bundle, in order."""
    return [
        outbox.answer_of(row)
        for row in outbox.commands(conn, ledger_id, bundle_id)
        if row.state in ("confirmed", "verified")
    ]


def _shown(conn: Tx, job: Job, wanted: Sequence[Intent], answers: Sequence[Answer]) -> tuple[str, str]:
    """Whether the books show every intent: "shown", "not yet", or "differs" and how."""
    refs = {answer.call.number: answer.ref for answer in answers}
    for number, intent in enumerate(wanted):
        state, difference = _intent_shown(conn, job, intent, refs.get(number), refs)
        if state != "shown":
            return state, difference
    return "shown", ""


def _intent_shown(
    conn: Tx, job: Job, intent: Intent, ref: Ref | None, refs: Mapping[int, Ref | None]
) -> tuple[str, str]:
    if isinstance(intent, Reverse):
        return reversal_shown(conn, job, intent)
    if isinstance(intent, Park | SetNote | SetExpected):
        return "shown", ""  # no receivable moves, so no pull shows it: the accepted answer has to do
    if isinstance(intent, PostDeposit):
        return _banked(conn, job, intent)
    target = intent.payment if isinstance(intent, ApplyPayment) else ref
    our_id = _our_id(conn, job, target)
    row = _item(conn, job, our_id)
    if row is None or our_id is None or target is None:
        return "not yet", ""
    if row.gone:
        return "differs", f"{target.id} was deleted on the platform"
    if isinstance(intent, PostCredit | PostEntry):
        sign = 1 if isinstance(intent, PostEntry) else -1
        ok = row.original_minor == sign * intent.amount.minor
        return (
            ("shown", "") if ok else ("differs", f"{target.id} is {Money(row.original_minor, row.currency)}")
        )
    if isinstance(intent, PostRefund):
        size = Money(-books.payment_total(conn, job.ledger.id, our_id), intent.amount.currency)
        return ("shown", "") if size == intent.amount else ("differs", f"{target.id} pays back {size}")
    return _payment_shown(conn, job, intent, our_id, target, refs)


def _banked(conn: Tx, job: Job, intent: PostDeposit) -> tuple[str, str]:
    """Whether every payment of a deposit is on one; where no pull shows that, the accepted answer has to do."""
    if job.connector.manifest.writes["deposit"].shown == "answer":
        return "shown", ""
    for one in intent.payments:
        our_id = _our_id(conn, job, one.payment)
        if our_id is None or not books.is_deposited(conn, job.ledger.id, our_id):
            return "not yet", ""
    return "shown", ""


def _payment_shown(
    conn: Tx,
    job: Job,
    intent: PostReceipt | ApplyCredits | ApplyPayment,
    our_id: int,
    target: Ref,
    refs: Mapping[int, Ref | None],
) -> tuple[str, str]:
    if isinstance(intent, PostReceipt):
        total = Money(books.payment_total(conn, job.ledger.id, our_id), intent.total.currency)
        if total != intent.total:
            return "differs", f"{target.id} is {total}, we wrote {intent.total}"
    stored = books.applied_by(conn, job.ledger.id, our_id)
    for settle in intent.settles:
        item_id = _our_id(conn, job, settle.item)
        now = stored.get(item_id or 0, 0)
        enough = (
            now == settle.amount.minor
            if not isinstance(intent, ApplyPayment)
            else abs(now) >= abs(settle.amount.minor)
        )
        if not enough:
            shown = Money(now, settle.amount.currency)
            return "differs", f"{target.id} settles {shown} of {settle.item.id}, we wrote {settle.amount}"
    for number in () if isinstance(intent, PostReceipt) else intent.entries_of:
        entry = refs.get(number)
        if not stored.get(_our_id(conn, job, entry) or 0, 0):
            return (
                "differs",
                f"{target.id} does not settle {entry.id if entry else 'the entry'}, which we wrote",
            )
    return "shown", ""


def reversal_shown(conn: Tx, job: Job, intent: Reverse) -> tuple[str, str]:
    """Whether the books show that something was taken back; what was never pulled has come and gone unseen."""
    our_id = _our_id(conn, job, intent.written)
    row = _item(conn, job, our_id)
    if row is None or our_id is None:
        return "shown", ""
    if not intent.settles:
        # Voided counts as taken back; a payment without cash (credits applied) is void once it settles nothing.
        void = row.original_minor == 0 and not books.applied_by(conn, job.ledger.id, our_id)
        return ("shown", "") if row.gone or void else ("not yet", "")
    stored = books.applied_by(conn, job.ledger.id, our_id)
    left = [s for s in intent.settles if stored.get(_our_id(conn, job, s.item) or 0, 0)]
    return ("not yet", "") if left else ("shown", "")


def _done(conn: Tx, job: Job, planned: Planned, answers: Sequence[Answer], at: str) -> None:
    """The decision counts: what it reserved is now in the books."""
    row = outbox.decision_of(conn, job.ledger.id, planned.decision_id)
    if row.state == "failed":  # this was the taking back of what a failed decision had written
        return
    lines = decisions.lines(conn, job.ledger.id, row.id)
    decisions.set_state(conn, job.ledger.id, row.id, "done")
    decisions.touch_items(conn, job.ledger.id, {line.item_id for line in lines if line.item_id is not None})
    if row.undoes_id is not None:
        _undone(conn, job, row, at)
        return
    payments = [a.ref for a in answers if a.ref is not None and a.ref.kind == "payment"]
    if row.verdict == "return":
        _gave_back(conn, job, row, payments, "returned")
    elif row.verdict == "refund":
        decisions.set_receipt(conn, job.ledger.id, row.receipt_id, state="returned")
    elif row.receipt_id is not None and row.verdict not in decisions.BESIDE:
        state = {"on_account": "on_account", "link": "linked"}.get(row.verdict, "applied")
        decisions.set_receipt(
            conn, job.ledger.id, row.receipt_id, state=state,
            payment_id=_our_id(conn, job, payments[-1]) if payments else None,
        )  # fmt: skip
    if row.verdict == "note":
        return
    subject = f"receipt:{row.receipt_id}" if row.receipt_id is not None else f"decision:{row.id}"
    written = [a.ref.id for a in answers if a.ref is not None]
    audit.record(
        conn,
        job.ledger.id,
        at,
        ENGINE,
        [audit.Entry("verified", subject, {"decision": row.id, "written": written})],
    )


def _gave_back(conn: Tx, job: Job, row: Any, payments: Sequence[Ref], state: str) -> None:
    """A return is booked, or unbooked again: so with it the receipt whose payment now settles the entry."""
    moved = [our_id for ref in payments if (our_id := _our_id(conn, job, ref)) is not None]
    for original in decisions.receipts_of_payments(conn, job.ledger.id, moved):
        before = "linked" if original.decision_id is None else "applied"
        decisions.set_receipt(
            conn, job.ledger.id, original.id, state=state if state == "returned" else before
        )
    if state == "returned":
        decisions.set_receipt(conn, job.ledger.id, row.receipt_id, state="returned")


def _undone(conn: Tx, job: Job, row: Any, at: str) -> None:
    old = decisions.find(conn, job.ledger.id, row.undoes_id)
    decisions.set_state(conn, job.ledger.id, old.id, "undone")
    audit.record(
        conn,
        job.ledger.id,
        at,
        ENGINE,
        [audit.Entry("undone", f"receipt:{old.receipt_id}", {"decision": old.id, "by": row.decided_by})],
    )
    if old.verdict == "return":
        payments = [ref for _, ref in outbox.written(conn, job.ledger.id, old.id) if ref.kind == "payment"]
        _gave_back(conn, job, old, payments, "taken back")
    if old.receipt_id is None or old.verdict in decisions.BESIDE:
        return
    receipt = decisions.receipt_of(conn, job.ledger.id, old.receipt_id)
    decisions.set_receipt(
        conn, job.ledger.id, receipt.id, state="queued", decision_id=None, payment_id=None, hands_off=True
    )
    queues.open_items(
        conn,
        job.ledger.id,
        [
            Entry(
                subject=f"receipt:{receipt.id}",
                reason=Reason.CONFIRMATION.value,
                detail=f"D-{old.id} was undone by {row.decided_by}; decide again by hand",
                receipt_id=receipt.id,
                customer_id=receipt.customer_id,
                currency=receipt.currency,
                amount_minor=receipt.amount_minor,
                finding_sha=old.finding_sha,
                snapshot_sha=old.snapshot_sha,
            )
        ],
        at,
    )


def _contradiction(conn: Tx, job: Job, planned: Planned, difference: str, at: str) -> None:
    row = outbox.decision_of(conn, job.ledger.id, planned.decision_id)
    quality.moved(conn, job.ledger.id, row, at)
    queues.open_items(
        conn,
        job.ledger.id,
        [
            Entry(
                subject=f"decision:{planned.decision_id}",
                reason=Reason.BOOKS_DISAGREE.value,
                detail=f"D-{planned.decision_id}: {difference}; somebody changed it on the platform",
                receipt_id=row.receipt_id,
                customer_id=row.customer_id,
            )
        ],
        at,
    )


def _ask(conn: Tx, job: Job, planned: Planned, row: Any, why: str, at: str) -> None:
    owner = outbox.decision_of(conn, job.ledger.id, planned.decision_id)
    queues.open_items(
        conn,
        job.ledger.id,
        [
            Entry(
                subject=f"command:{row.id}",
                reason=Reason.BOOKS_DISAGREE.value,
                detail=f"C-{row.id} ({row.verb}): {why}; look in the books before anything is sent again",
                receipt_id=owner.receipt_id,
                customer_id=owner.customer_id,
            )
        ],
        at,
    )


def taken_back_already(conn: Tx, job: Job, wanted: Sequence[Intent]) -> bool:
    """Whether somebody has taken back, on the platform, everything that a bundle is to take back."""
    return all(
        isinstance(intent, Reverse)
        and _our_id(conn, job, intent.written) is not None
        and reversal_shown(conn, job, intent)[0] == "shown"
        for intent in wanted
    )


def _our_id(conn: Tx, job: Job, ref: Ref | None) -> int | None:
    if ref is None:
        return None
    return books.known_ids(conn, job.ledger.connection_id, "item", [ref.id]).get(ref.id)


def _item(conn: Tx, job: Job, our_id: int | None) -> Any:
    return None if our_id is None else books.item_row(conn, job.ledger.id, our_id)


def watch(job: Job, moved: set[int]) -> int:
    """Payments we rely on that somebody changed on the platform: a queue item each.

    A decision is never undone by the program.
    """
    if not moved:
        return 0
    with job.store.begin() as conn:
        found = []
        ours = _being_changed(conn, job)
        for row in decisions.receipts_of_payments(conn, job.ledger.id, moved):
            if row.payment_id in ours:
                continue  # it is verified when our own change is complete
            difference = _changed(conn, job, row)
            if difference:
                if row.decision_id is not None:
                    decided = decisions.find(conn, job.ledger.id, row.decision_id)
                    quality.moved(conn, job.ledger.id, decided, job.at())
                found.append(
                    Entry(
                        subject=f"payment:{row.payment_id}",
                        reason=Reason.BOOKS_DISAGREE.value,
                        detail=difference,
                        receipt_id=row.id,
                        customer_id=row.customer_id,
                        currency=row.currency,
                        amount_minor=row.amount_minor,
                    )
                )
        return len(queues.open_items(conn, job.ledger.id, found, job.at()).new)


def _applied_by_all(conn: Tx, job: Job, row: Any) -> dict[int, int]:
    """What everything that a receipt's decision wrote settles now, by item: where one document cannot do it all."""
    written = [
        ref for _, ref in outbox.written(conn, job.ledger.id, row.decision_id) if ref.kind == "payment"
    ]
    known = books.known_ids(conn, job.ledger.connection_id, "item", {ref.id for ref in written})
    stored: dict[int, int] = {}
    for payment_id in {row.payment_id, *known.values()}:
        for item_id, minor in books.applied_by(conn, job.ledger.id, payment_id).items():
            stored[item_id] = stored.get(item_id, 0) + minor
    return stored


def _being_changed(conn: Tx, job: Job) -> set[int]:
    """Payments that we are about to change, or have changed without having seen it in the books yet."""
    names = {
        ref.id
        for planned in outbox.bundles(conn, job.ledger.id, outbox.OPEN)
        for intent in planned.bundle.intents
        for ref in (getattr(intent, "payment", None), getattr(intent, "written", None))
        if ref is not None
    }
    return set(books.known_ids(conn, job.ledger.connection_id, "item", names).values())


def _changed(conn: Tx, job: Job, row: Any) -> str:
    """How the books contradict a decided receipt now; empty if they do not, or if we are taking it back ourselves."""
    if (
        row.decision_id is not None
        and decisions.find(conn, job.ledger.id, row.decision_id).state == "undoing"
    ):
        return ""
    name = books.platform_refs(conn, job.ledger.id, "item", [row.payment_id]).get(
        row.payment_id, "the payment"
    )
    shown = _item(conn, job, row.payment_id)
    if shown is None or shown.gone or shown.original_minor == 0:
        return f"{name}, which books R-{row.id}, was deleted or voided on the platform"
    if row.state not in ("applied", "linked") or row.decision_id is None:
        return ""
    stored = _applied_by_all(conn, job, row)
    wanted: dict[int, int] = {}
    for line in decisions.lines(conn, job.ledger.id, row.decision_id):
        if line.item_id not in (None, row.payment_id):
            wanted[line.item_id] = wanted.get(line.item_id, 0) + line.amount_minor
    if any(stored.get(i, 0) != minor for i, minor in wanted.items()):
        return f"{name}, which books R-{row.id}, settles other amounts on the platform now"
    return ""
