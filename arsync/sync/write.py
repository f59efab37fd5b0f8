"""Write: carry out what was decided. The outbox is the only door; no transaction spans a call.

Shape   bundles of one customer go one after the other; bundles of different customers share requests, as many
        calls as the platform takes in one. Each call has its own answer, and one that fails holds up nobody else.
Law     a call is stored to the byte before its first byte leaves; sent again, it is the same bytes under
        the same key. A bundle that did not finish blocks only bundles of the same customer. Customers whose
        books disagree are left alone. Books that may only be read are not written to until a person says so.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from arsync.connectors.contract import (
    Answer,
    ApplyPayment,
    Bundle,
    Cannot,
    Fresh,
    Intent,
    Page,
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
from arsync.core.items import Books
from arsync.core.money import Money
from arsync.errors import Broken
from arsync.store import audit, books, decisions, outbox, queues, work
from arsync.store.books import Kept
from arsync.store.engine import Tx
from arsync.store.outbox import Leaving, Planned
from arsync.store.queues import Entry
from arsync.sync import intents, quality
from arsync.sync.job import ENGINE, Job
from arsync.sync.pull import pull
from arsync.sync.settle import answers_of, may_be_late, taken_back_already

READ_ONLY = "ledger:read-only"  # the queue item that stands while nothing may be written
_GENERATIONS = 5
_OLD = timedelta(seconds=60)  # what was read before is looked at again before more calls leave
_REASONS = {
    "closed_period": Reason.CLOSED_PERIOD,
    "currency_mismatch": Reason.CURRENCY_MISMATCH,
    "unmapped_adjustment": Reason.UNMAPPED_ADJUSTMENT,
    "stale": Reason.STALE_RECORD,
}
Owner = tuple[
    str, int
]  # whose bundles wait for each other: ("customer", 7), or ("decision", 12) where no customer is


@dataclass(slots=True)
class Written:
    """What writing did."""

    sent: int = 0
    confirmed: int = 0
    failed: int = 0
    unknown: int = 0
    held: int = 0
    minor: dict[str, int] = field(default_factory=dict)  # cash booked, by currency
    stopped: str = ""  # why nothing more may be written
    pulled: Kept = field(
        default_factory=Kept
    )  # what had changed on the platform when calls were about to leave

    def add(self, other: "Written") -> None:
        """Count another round of writing too."""
        self.sent += other.sent
        self.confirmed += other.confirmed
        self.failed += other.failed
        self.unknown += other.unknown
        self.stopped = self.stopped or other.stopped


def write(job: Job, held: Collection[int]) -> Written:
    """Carry out every planned bundle; `held` are customers (our ids) whose books disagree."""
    done = Written()
    with job.store.read() as conn:
        done.stopped = _stopped(conn, job)
        if done.stopped:
            return done
        waiting = outbox.bundles(conn, job.ledger.id, ("planned", "sent"))
        unclear = outbox.bundles(conn, job.ledger.id, ("unknown",))
        owners = outbox.owners(conn, job.ledger.id, {p.decision_id for p in (*waiting, *unclear)})
    blocked = {owners[p.decision_id] for p in unclear} | {("customer", customer) for customer in held}
    lines: dict[Owner, deque[Planned]] = {}
    for planned in waiting:
        lines.setdefault(owners[planned.decision_id], deque()).append(planned)
    done.held = sum(len(lines.pop(owner)) for owner in blocked & set(lines))
    _Writing(job, lines, deque(lines), done).run(len(waiting))
    return done


def _stopped(conn: Tx, job: Job) -> str:
    """Why nothing may be written, as a person was told; empty when writing may go on."""
    found = [row for row in queues.listing(conn, job.ledger.id) if row.subject == READ_ONLY]
    return (
        f"{found[0].detail}; when it may be written to: arsync queue resolve {found[0].id} --why TEXT"
        if found
        else ""
    )


class _Writing:
    """Bundles under way: a line of them per owner, and whose turn it is."""

    def __init__(
        self, job: Job, lines: Mapping[Owner, deque[Planned]], turns: deque[Owner], done: Written
    ) -> None:
        self._job, self._lines, self._turns, self._done = job, lines, turns, done
        self._most = min(writes.calls_per_send for writes in job.connector.manifest.writes.values())
        self._looked: datetime | None = None

    def run(self, number: int) -> None:
        while self._turns and not self._done.stopped:
            self._look()
            wave: list[tuple[Owner, Leaving]] = []
            while self._turns and len(wave) < self._most:
                owner = self._turns.popleft()
                step = _step(self._job, self._lines[owner][0], self._done)
                if isinstance(step, Leaving):
                    wave.append((owner, step))
                else:
                    self._turn_over(owner, finished=step)
            again = [owner for owner, answer in self._sent(wave) if self._judged(owner, answer)]
            self._turns.extendleft(reversed(again))
            self._job.tell("write", f"{self._done.confirmed} of {number}")

    def _look(self) -> None:
        """See what has changed on the platform since: it takes a payment of what somebody else has paid meanwhile."""
        now = self._job.clock()
        if self._looked is None or now - self._looked >= _OLD:
            self._done.pulled.add(pull(self._job))
            self._looked = self._job.clock()

    def _turn_over(self, owner: Owner, *, finished: bool) -> None:
        """A bundle is done with: the owner's next one follows, unless this one did not finish."""
        self._lines[owner].popleft()
        if finished and self._lines[owner]:
            self._turns.appendleft(owner)
        else:
            self._done.held += len(self._lines[owner])

    def _sent(self, wave: Sequence[tuple[Owner, Leaving]]) -> list[tuple[Owner, Answer]]:
        if not wave:
            return []
        answers = _send(self._job, [leaving for _, leaving in wave])
        self._done.sent += len(answers)
        return [(owner, answer) for (owner, _), answer in zip(wave, answers, strict=True)]

    def _judged(self, owner: Owner, answer: Answer) -> bool:
        """Whether the owner's bundle goes on."""
        planned = self._lines[owner][0]
        if _goes_on(self._job, planned, answer, self._done):
            return True
        self._turn_over(owner, finished=False)
        return False


def _step(job: Job, planned: Planned, done: Written) -> Leaving | bool:
    """The next call of a bundle; True when there is none, False when it cannot go on."""
    with job.store.read() as conn:
        planned = outbox.bundle_of(conn, job.ledger.id, planned.id)
        rows = outbox.commands(conn, job.ledger.id, planned.id)
        nothing_left = taken_back_already(conn, job, planned.bundle.intents)
        answers = answers_of(conn, job.ledger.id, planned.id)
        fresh = _fresh(conn, job, planned.bundle.intents)
    if nothing_left:
        return _finish(job, planned, done)
    lost = next((row for row in rows if row.state == "sent"), None)
    if lost is not None:
        # The run before was cut off between storing and answering; if the platform knew it, it had been found.
        again = replace(outbox.call_of(lost), again=True)
        return not may_be_late(job, lost) and Leaving(planned.id, lost.number, again, lost)
    call = job.connector.plan(planned.bundle, fresh, answers)
    if call is None:
        _count(done, planned.bundle)
        return _finish(job, planned, done)
    if isinstance(call, Cannot):
        done.failed += 1
        _fail(job, planned, _REASONS.get(call.code, Reason.PLATFORM_REFUSED), call.reason)
        return False
    return Leaving(planned.id, len(rows), call)


def _finish(job: Job, planned: Planned, done: Written) -> bool:
    with job.store.begin() as conn:
        outbox.set_bundle(conn, job.ledger.id, planned.id, "confirmed")
    done.confirmed += 1
    return True


def _send(job: Job, leaving: Sequence[Leaving]) -> list[Answer]:
    """Store calls, send them in one request, store their answers."""
    job.still_ours()
    with job.store.begin() as conn:
        ids = outbox.keep_calls(conn, job.ledger.id, leaving, job.at())
    answers = list(job.connector.send([one.call for one in leaving]))
    if len(answers) != len(leaving):
        raise Broken(
            f"the connector gave {len(answers)} answers to {len(leaving)} calls", where=f"C-{ids[0]}"
        )
    with job.store.begin() as conn:
        for command_id, one, answer in zip(ids, leaving, answers, strict=True):
            outbox.keep_answer(conn, job.ledger.id, command_id, answer, job.at())
            if answer.outcome == "unknown":
                outbox.set_bundle(conn, job.ledger.id, one.bundle_id, "unknown", answer.why)
            if one.call.verb in ("note", "expect"):
                # Kept as if pulled: our own words must not come back as somebody's change.
                books.keep_page(conn, job.place(), Page(answer.records))
    return answers


def _goes_on(job: Job, planned: Planned, answer: Answer, done: Written) -> bool:
    """What an answer means for its bundle."""
    if answer.outcome == "accepted":
        return True
    with job.store.read() as conn:
        planned = outbox.bundle_of(conn, job.ledger.id, planned.id)
    if answer.code == "read_only":
        done.stopped = _read_only(job, planned, answer.why)
        return False
    if answer.outcome == "stale" and planned.bundle.generation < _GENERATIONS and _still_right(job, planned):
        return True
    if answer.outcome == "unknown":
        done.unknown += 1
        return False
    done.failed += 1
    stale = answer.outcome == "stale"
    reason = Reason.STALE_RECORD if stale else _REASONS.get(answer.code, Reason.PLATFORM_REFUSED)
    _fail(job, planned, reason, answer.why)
    return False


def _read_only(job: Job, planned: Planned, why: str) -> str:
    """The books may only be read: every decision stands and waits; a person says when to go on."""
    at = job.at()
    with job.store.begin() as conn:
        outbox.next_generation(conn, job.ledger.id, planned)
        detail = f"the books take no writing just now ({why})"
        opened = queues.open_items(
            conn, job.ledger.id, [Entry(READ_ONLY, Reason.PLATFORM_REFUSED.value, detail)], at
        )
        if opened.new:
            audit.record(
                conn, job.ledger.id, at, ENGINE, [audit.Entry("writing stopped", "ledger", {"why": why})]
            )
        return _stopped(conn, job)


def _fresh(conn: Tx, job: Job, wanted: Sequence[Intent]) -> Fresh:
    facts = books.books_of(conn, job.ledger.id) or Books(job.ledger.name, job.ledger.home_currency)
    refs = [*touched(wanted), *_accounts(wanted)]
    return Fresh(books.raw_of(conn, job.place(), (*refs, *_owners(conn, job, refs))), facts)


def _accounts(wanted: Sequence[Intent]) -> list[Ref]:
    """The accounts that fees are booked on, which a platform may name otherwise in a document's line."""
    named = [one.fee_account for one in wanted if isinstance(one, PostEntry | PostDeposit)]
    return [Ref("account", account) for account in dict.fromkeys(named) if account is not None]


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
    return list(dict.fromkeys(ref for intent in wanted for ref in _named(intent)))


def _named(intent: Intent) -> list[Ref]:
    match intent:
        case Park():
            return []
        case PostCredit(customer=owner, for_item=item) | PostRefund(customer=owner, credit=item):
            return [owner, item]
        case PostEntry():
            return [intent.customer]
        case PostDeposit():
            return [one.payment for one in intent.payments]
        case SetNote() | SetExpected():
            return [intent.item]
        case ApplyPayment():
            return [intent.payment, *(settle.item for settle in (*intent.settles, *intent.frees))]
        case Reverse():
            return [intent.written, *(settle.item for settle in intent.settles)]
        case _:
            return [intent.customer, *(settle.item for settle in intent.settles)]


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
        answers = answers_of(conn, job.ledger.id, planned.id)
        written = {a.call.number: a.ref for a in answers if a.ref is not None}
        outbox.set_bundle(conn, job.ledger.id, planned.id, "refused", why)
        lines = decisions.lines(conn, job.ledger.id, row.id)
        decisions.touch_items(
            conn, job.ledger.id, {line.item_id for line in lines if line.item_id is not None}
        )
        undoing = row.undoes_id is not None
        decisions.set_state(conn, job.ledger.id, row.id, "failed")
        quality.void(conn, job.ledger.id, row.id, at)
        if row.verdict == "note":  # nobody need look: it is tried again when there is something else to say
            return
        if undoing:
            decisions.set_state(conn, job.ledger.id, row.undoes_id, "done")
        elif back := intents.taking_back(planned.bundle.intents, written):
            again = Bundle(planned.bundle.key, planned.bundle.generation + 1, back)
            outbox.plan(conn, job.ledger.id, [(row.id, again)], at)
        if row.receipt_id is not None and not undoing and row.verdict not in decisions.BESIDE:
            decisions.set_receipt(
                conn, job.ledger.id, row.receipt_id, state="queued", decision_id=None, hands_off=True
            )
        queues.open_items(conn, job.ledger.id, [_entry(conn, job, row, reason, why)], at)
        subject = f"receipt:{row.receipt_id}" if row.receipt_id is not None else f"decision:{row.id}"
        entry = audit.Entry(f"not carried out: {reason.value}", subject, {"decision": row.id, "why": why})
        audit.record(conn, job.ledger.id, at, ENGINE, [entry])


def _entry(conn: Tx, job: Job, row: Any, reason: Reason, why: str) -> Entry:
    amount, subject = None, f"decision:{row.id}"
    if row.receipt_id is not None:
        receipt = decisions.receipt_of(conn, job.ledger.id, row.receipt_id)
        amount = Money(receipt.amount_minor, receipt.currency)
        if row.verdict == "deposit":
            subject = f"deposit:{receipt.bank_line_id}"
        elif row.undoes_id is None and row.verdict not in decisions.BESIDE:
            subject = f"receipt:{receipt.id}"
    return Entry(
        subject=subject,
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
