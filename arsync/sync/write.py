"""Write: carry out what was decided. The outbox is the only door; no transaction spans a call.

Law     a call is stored to the byte before its first byte leaves; sent again, it is the same bytes under
        the same key. A bundle that did not finish blocks only bundles of the same customer. Customers whose
        books disagree are left alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from arsync.connectors.contract import (
    Answer,
    ApplyPayment,
    Bundle,
    Call,
    Cannot,
    Fresh,
    Intent,
    Park,
    PostCredit,
    PostReceipt,
    Ref,
    Reverse,
)
from arsync.core.decisions import Reason
from arsync.core.items import Books
from arsync.core.money import Money
from arsync.errors import Broken
from arsync.store import audit, books, decisions, outbox, queues, work
from arsync.store.engine import Tx
from arsync.store.outbox import Planned
from arsync.store.queues import Entry
from arsync.sync.job import ENGINE, Job
from arsync.sync.settle import answers_of, taken_back_already

_GENERATIONS = 5
_REASONS = {
    "closed_period": Reason.CLOSED_PERIOD,
    "currency_mismatch": Reason.CURRENCY_MISMATCH,
    "unmapped_adjustment": Reason.UNMAPPED_ADJUSTMENT,
    "stale": Reason.STALE_RECORD,
}


@dataclass(slots=True)
class Written:
    """What writing did."""

    sent: int = 0
    confirmed: int = 0
    failed: int = 0
    unknown: int = 0
    held: int = 0
    minor: dict[str, int] = field(default_factory=dict)  # cash booked, by currency


def write(job: Job, held: Collection[int]) -> Written:
    """Carry out every planned bundle; `held` are customers (our ids) whose books disagree."""
    done = Written()
    with job.store.read() as conn:
        waiting = outbox.bundles(conn, job.ledger.id, ("planned", "sent"))
        unclear = outbox.bundles(conn, job.ledger.id, ("unknown",))
        blocked = {outbox.decision_of(conn, job.ledger.id, p.decision_id).customer_id for p in unclear}
    for planned in waiting:
        with job.store.read() as conn:
            customer_id = outbox.decision_of(conn, job.ledger.id, planned.decision_id).customer_id
        if customer_id in held or customer_id in blocked:
            done.held += 1
            continue
        if not _carry_out(job, planned, done):
            blocked.add(customer_id)
        job.tell("write", f"{done.confirmed} of {len(waiting)}")
    return done


def _carry_out(job: Job, planned: Planned, done: Written) -> bool:
    """Send a bundle's calls one after the other; whether it finished."""
    while True:
        with job.store.read() as conn:
            (planned,) = [
                p for p in outbox.bundles_of(conn, job.ledger.id, planned.decision_id) if p.id == planned.id
            ]
            rows = outbox.commands(conn, job.ledger.id, planned.id)
            nothing_left = taken_back_already(conn, job, planned.bundle.intents)
        if nothing_left:
            with job.store.begin() as conn:
                outbox.set_bundle(conn, job.ledger.id, planned.id, "confirmed")
            done.confirmed += 1
            return True
        lost = [row for row in rows if row.state == "sent"]
        answer = _send_again(job, lost[0]) if lost else _send_next(job, planned)
        if answer is None:
            done.confirmed += 1
            _count(done, planned.bundle)
            return True
        if isinstance(answer, Cannot):
            done.failed += 1
            _fail(job, planned, _REASONS.get(answer.code, Reason.PLATFORM_REFUSED), answer.reason)
            return False
        done.sent += 1
        if answer.outcome == "accepted":
            continue
        if (
            answer.outcome == "stale"
            and planned.bundle.generation < _GENERATIONS
            and _still_right(job, planned)
        ):
            continue
        if answer.outcome == "unknown":
            done.unknown += 1
            return False
        done.failed += 1
        reason = (
            Reason.STALE_RECORD
            if answer.outcome == "stale"
            else _REASONS.get(answer.code, Reason.PLATFORM_REFUSED)
        )
        _fail(job, planned, reason, answer.why)
        return False


def _send_next(job: Job, planned: Planned) -> Answer | Cannot | None:
    """Plan the next call, store it, send it, store its answer. None when the bundle is finished."""
    with job.store.read() as conn:
        answers = answers_of(conn, job.ledger.id, planned.id)
        fresh = _fresh(conn, job, planned.bundle.intents)
        number = len(outbox.commands(conn, job.ledger.id, planned.id))
    call = job.connector.plan(planned.bundle, fresh, answers)
    if call is None:
        with job.store.begin() as conn:
            outbox.set_bundle(conn, job.ledger.id, planned.id, "confirmed")
        return None
    if isinstance(call, Cannot):
        return call
    job.still_ours()
    with job.store.begin() as conn:
        command_id = outbox.keep_call(conn, job.ledger.id, planned.id, number, call, job.at())
    return _send(job, planned.id, command_id, call)


def _send_again(job: Job, row: Any) -> Answer:
    """Send a stored command once more.

    The run before was cut off between storing and answering, and the platform knows nothing of it.
    """
    job.still_ours()
    with job.store.begin() as conn:
        outbox.keep_attempt(conn, job.ledger.id, row, job.at())
    return _send(job, row.bundle_id, row.id, outbox.call_of(row))


def _send(job: Job, bundle_id: int, command_id: int, call: Call) -> Answer:
    answers = list(job.connector.send([call]))
    if len(answers) != 1:
        raise Broken(f"the connector gave {len(answers)} answers to one call", where=f"C-{command_id}")
    with job.store.begin() as conn:
        outbox.keep_answer(conn, job.ledger.id, command_id, answers[0], job.at())
        if answers[0].outcome == "unknown":
            outbox.set_bundle(conn, job.ledger.id, bundle_id, "unknown", answers[0].why)
    return answers[0]


def _fresh(conn: Tx, job: Job, wanted: Sequence[Intent]) -> Fresh:
    facts = books.books_of(conn, job.ledger.id) or Books(job.ledger.name, job.ledger.home_currency)
    refs = touched(wanted)
    return Fresh(books.raw_of(conn, job.place(), (*refs, *_owners(conn, job, refs))), facts)


def _owners(conn: Tx, job: Job, refs: Sequence[Ref]) -> list[Ref]:
    """Whose items they are, and the customers above: a group may pay for its branches."""
    ids = books.known_ids(conn, job.ledger.connection_id, "item", [r.id for r in refs if r.kind == "item"])
    rows = [books.item_row(conn, job.ledger.id, our_id) for our_id in ids.values()]
    above = {int(row.customer_id) for row in rows if row is not None}
    family: set[int] = set()
    while above:
        family |= above
        parents = {books.parent_of(conn, job.ledger.id, customer_id) for customer_id in above}
        above = {parent for parent in parents if parent is not None} - family
    names = books.platform_refs(conn, job.ledger.id, "customer", family)
    return [Ref("customer", name) for name in names.values()]


def touched(wanted: Sequence[Intent]) -> list[Ref]:
    """Every record of the platform that intents name."""
    refs: dict[Ref, None] = {}
    for intent in wanted:
        if isinstance(intent, Park):
            continue
        if isinstance(intent, PostCredit):
            refs |= dict.fromkeys((intent.customer, intent.for_item))
            continue
        if isinstance(intent, ApplyPayment):
            refs[intent.payment] = None
        elif isinstance(intent, Reverse):
            refs[intent.written] = None
        else:
            refs[intent.customer] = None
        refs |= dict.fromkeys(settle.item for settle in intent.settles)
    return list(refs)


def _still_right(job: Job, planned: Planned) -> bool:
    """After a stale answer: read again what the bundle touches, and see whether the decision still holds.

    If so, the next generation.
    """
    page = job.connector.fetch(touched(planned.bundle.intents))
    with job.store.begin() as conn:
        books.keep_page(conn, job.place(), page)
        lines = decisions.lines(conn, job.ledger.id, planned.decision_id)
        taken = work.reserved(conn, job.ledger.id)
        if outbox.decision_of(conn, job.ledger.id, planned.decision_id).undoes_id is None and any(
            not _fits(books.open_minor(conn, job.ledger.id, line.item_id), taken.get(line.item_id, 0))
            for line in lines
            if line.item_id is not None
        ):
            return False
        outbox.next_generation(conn, job.ledger.id, planned)
    return True


def _fits(open_minor: int, taken_minor: int) -> bool:
    """Whether everything reserved on an item, this decision included, is still open on it."""
    return 0 <= taken_minor <= open_minor or open_minor <= taken_minor <= 0


def _fail(job: Job, planned: Planned, reason: Reason, why: str) -> None:
    """The decision cannot be carried out: a person decides again, and what was already written is taken back."""
    at = job.at()
    with job.store.begin() as conn:
        row = outbox.decision_of(conn, job.ledger.id, planned.decision_id)
        written = [a.ref for a in answers_of(conn, job.ledger.id, planned.id) if a.ref is not None]
        outbox.set_bundle(conn, job.ledger.id, planned.id, "refused", why)
        lines = decisions.lines(conn, job.ledger.id, row.id)
        decisions.touch_items(
            conn, job.ledger.id, {line.item_id for line in lines if line.item_id is not None}
        )
        undoing = row.undoes_id is not None
        decisions.set_state(conn, job.ledger.id, row.id, "failed")
        if undoing:
            decisions.set_state(conn, job.ledger.id, row.undoes_id, "done")
        elif written:
            back = tuple(Reverse(ref) for ref in reversed(written))
            again = Bundle(planned.bundle.key, planned.bundle.generation + 1, back)
            outbox.plan(conn, job.ledger.id, [(row.id, again)], at)
        if row.receipt_id is not None and not undoing and row.verdict != "park":
            decisions.set_receipt(
                conn, job.ledger.id, row.receipt_id, state="queued", decision_id=None, hands_off=True
            )
        queues.open_items(conn, job.ledger.id, [_entry(conn, job, row, reason, why)], at)
        subject = f"receipt:{row.receipt_id}" if row.receipt_id is not None else f"decision:{row.id}"
        entry = audit.Entry(f"not carried out: {reason.value}", subject, {"decision": row.id, "why": why})
        audit.record(conn, job.ledger.id, at, ENGINE, [entry])


def _entry(conn: Tx, job: Job, row: Any, reason: Reason, why: str) -> Entry:
    amount = None
    if row.receipt_id is not None:
        receipt = decisions.receipt_of(conn, job.ledger.id, row.receipt_id)
        amount = Money(receipt.amount_minor, receipt.currency)
    return Entry(
        subject=f"receipt:{row.receipt_id}"
        if row.receipt_id is not None and row.undoes_id is None and row.verdict != "park"
        else f"decision:{row.id}",
        reason=reason.value,
        detail=why,
        receipt_id=row.receipt_id,
        customer_id=row.customer_id,
        currency=amount.currency if amount else None,
        amount_minor=amount.minor if amount else None,
        finding_sha=row.finding_sha,
        snapshot_sha=row.snapshot_sha,
    )


def _count(done: Written, bundle: Bundle) -> None:
    for intent in bundle.intents:
        if isinstance(intent, PostReceipt):
            done.minor[intent.total.currency] = done.minor.get(intent.total.currency, 0) + intent.total.minor
