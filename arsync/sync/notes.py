"""Notes: what arsync knows of an open item, said on the platform's own record, for the people of the books.

Off unless the policy turns it on. Never where the customer reads it; what people wrote there stays. Where the
platform's items carry the day on which their money is expected, a promise is said there too.

Law     a note is written only when what there is to say has changed; our own writing comes back as no change. A note
        that cannot be written holds up nothing and is tried again when there is something else to say.
        An expected day is said once for each promise: what people make of it in the books afterwards stands. A promise
        that is withdrawn sets back what the books had expected before, unless somebody has changed it since.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from arsync.connectors.contract import Bundle, Intent, SetExpected, SetNote
from arsync.core.decisions import EvidenceClass
from arsync.core.matching import record
from arsync.core.promises import State
from arsync.store import audit, books, collecting, decisions, office, outbox, queues, raw, work
from arsync.store.engine import Tx
from arsync.sync import promises
from arsync.sync.job import ENGINE, Job
from arsync.sync.promises import Standing

NOTHING = "nothing pending"


def note(job: Job) -> int:
    """Plan the notes whose words, or expected days, have changed; of how many items."""
    if job.ledger.mode == "observe":
        return 0
    with job.store.read() as conn:
        policy = office.policy_in_force(conn, job.ledger.id)
        if policy.policy.write_back == "off":
            return 0
        every = promises.standing(conn, job.ledger, job.today())
        changed = _changed(conn, job, words(conn, job, every))
        days = {one.item_id: one for one in _days(conn, job, every)} if _can_expect(job) else {}
    at = job.at()
    with job.store.begin() as conn:
        touched = sorted({*changed, *days})
        names = books.platform_refs(conn, job.ledger.id, "item", touched)
        owners = books.documents(conn, job.ledger.id, touched)
        for item_id in touched:
            ref, text, day = books.item_ref(names[item_id]), changed.get(item_id), days.get(item_id)
            wanted: list[Intent] = []
            if text is not None:
                wanted.append(SetNote(ref, text, policy.policy.write_back_field))
            if day is not None and day.on != day.standing:
                wanted.append(SetExpected(ref, day.on))
            decision_id = 0
            if wanted:
                new = decisions.New(
                    receipt_id=None, customer_id=owners[item_id], verdict="note",
                    evidence_class=EvidenceClass.NONE.value, probability=1.0, decided_by=ENGINE,
                    why=text if text is not None else "when its money is expected", currency="", lines=(),
                    state="planned", receipt_state=None, policy_version=policy.version,
                )  # fmt: skip
                (decision_id,) = decisions.keep(conn, job.ledger.id, [new], at)
                bundle = Bundle(f"{job.ledger.uid}-{decision_id}", 1, tuple(wanted))
                outbox.plan(conn, job.ledger.id, [(decision_id, bundle)], at)
            if text is not None:
                books.keep_note(conn, job.ledger.id, item_id, text, decision_id)
            if day is not None:
                _keep_day(conn, job, day, decision_id, at)
    return len(touched)


def words(conn: Tx, job: Job, every: Sequence[Standing]) -> dict[int, str]:
    """What there is to say of items: of their payment, then of promises and the last reminder.

    A payment is decided and on its way, waits for a second person, or is asked in the queue.
    """
    ledger_id = job.ledger.id
    said: dict[int, str] = {}
    for row in queues.listing(conn, ledger_id):
        if row.finding_sha is not None and row.subject.startswith("receipt:"):
            finding = record.finding_from_text(raw.get(conn, bytes(row.finding_sha)).decode())
            for share in finding.explanations[0].shares if finding.explanations else ():
                said.setdefault(share.item_id, f"payment in review, Q-{row.id}")
    for item_id, decision_id, state in work.spending(conn, ledger_id):
        said[item_id] = f"{'waits for approval' if state == 'asked' else 'payment decided'}, D-{decision_id}"
    for item_id, more in promises.said(conn, job.ledger, every).items():
        said[item_id] = "; ".join([*([said[item_id]] if item_id in said else []), *more])
    return said


def _changed(conn: Tx, job: Job, said: Mapping[int, str]) -> dict[int, str]:
    """The words that differ from what stands on the platform; items that carry a document note only."""
    standing = books.notes(conn, job.ledger.id)
    wanted = {**dict.fromkeys(standing, NOTHING), **said}
    changed = {item_id: text for item_id, text in sorted(wanted.items()) if standing.get(item_id) != text}
    carrying = books.documents(conn, job.ledger.id, changed)
    return {item_id: text for item_id, text in changed.items() if item_id in carrying}


# ---- expected days


@dataclass(frozen=True, slots=True)
class _Day:
    """The day an item is to show: `ours` that we say so from now on, else it goes back to the books."""

    item_id: int
    on: date | None
    standing: date | None  # what the books show now
    ours: bool
    before: date | None = None  # what to set back one day
    replaced: date | None = None  # what people of the books had said


def _can_expect(job: Job) -> bool:
    return "expect" in job.connector.manifest.writes


def _days(conn: Tx, job: Job, every: Sequence[Standing]) -> Iterator[_Day]:
    """The expected days that are not said yet, and those to be set back."""
    newest = promises.latest(every)
    said = collecting.expected(conn, job.ledger.id)
    unfinished = {
        one.decision_id for one in outbox.bundles(conn, job.ledger.id, ("planned", "sent", "unknown"))
    }
    facts = books.books_of(conn, job.ledger.id)
    closed = facts.closed_until if facts is not None else None
    carrying = books.documents(conn, job.ledger.id, newest)
    for item_id, one in newest.items():
        row, ours = one.row, said.get(item_id)
        if ours is not None and ours.decision_id in unfinished:
            continue  # what the books show is not known before it has come or gone
        if item_id not in carrying or row.open_minor <= 0 or (closed is not None and row.issued <= closed):
            continue  # nothing is expected of it, or the books take no change of it
        stands = ours is not None and row.expected == ours.on_date
        if one.state.runs and (ours is None or ours.on_date != row.by_date):
            before = ours.before if ours is not None and stands else row.expected
            theirs = None if stands or row.expected == row.by_date else row.expected
            yield _Day(item_id, row.by_date, row.expected, ours=True, before=before, replaced=theirs)
        elif one.state is State.WITHDRAWN and ours is not None:
            yield _Day(item_id, ours.before if stands else row.expected, row.expected, ours=False)


def _keep_day(conn: Tx, job: Job, day: _Day, decision_id: int, at: str) -> None:
    if not day.ours or day.on is None:
        collecting.forget_expected(conn, job.ledger.id, day.item_id)
        return
    collecting.keep_expected(conn, job.ledger.id, day.item_id, day.on, day.before, decision_id)
    if day.replaced is not None:
        body = {"the books expected": day.replaced.isoformat(), "promised by": day.on.isoformat()}
        entry = audit.Entry("expected day replaced", f"item:{day.item_id}", body)
        audit.record(conn, job.ledger.id, at, ENGINE, [entry])
