"""One run of one ledger: settle, pull, proof, intake, match, decide, write, settle, proof.

Law     only the holder of the ledger's lock pulls, decides automatically and sends; the lock dies with its
        holder. A run that was cut off anywhere is carried on by the next one. A run that finds nothing new
        writes nothing.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arsync.errors import ArsyncError
from arsync.store import audit, outbox, queues, runs
from arsync.store.books import Kept
from arsync.store.lock import locked
from arsync.sync import decide, settle
from arsync.sync.decide import Decided, Tally
from arsync.sync.deposits import deposit
from arsync.sync.giving_back import book_refunds
from arsync.sync.intake import Taken, intake
from arsync.sync.job import Job
from arsync.sync.notes import note
from arsync.sync.park import park
from arsync.sync.proof import Proof, prove
from arsync.sync.pull import pull
from arsync.sync.quality import hold_back
from arsync.sync.settle import Settled
from arsync.sync.sources import collect
from arsync.sync.write import Written, write


@dataclass(slots=True)
class Ran:
    """What a run did, for people and programs."""

    run_id: int
    pulled: Kept
    taken: Taken
    before: Proof
    decided: Decided
    tally: Tally
    read_back: Settled = field(default_factory=Settled)
    written: Written = field(default_factory=Written)
    settled: Settled = field(default_factory=Settled)
    after: Proof | None = None
    contradicted: int = 0
    parked: int = 0
    deposits: int = 0
    refunds: int = 0
    open_queue: int = 0
    new_queue: int = 0
    stopped: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything at all changed, here or on the platform."""
        return bool(
            self.pulled.total
            or self.taken.new_lines
            or self.taken.remittances
            or self.new_queue
            or self.tally.changed_queue_items
            or self.tally.number.get("apply")
            or self.tally.number.get("link")
            or self.written.sent
            or self.settled.verified
            or self.read_back.adopted
            or self.deposits
            or self.refunds
        )


def run(job: Job, inbox: Path) -> Ran:
    """The whole story, once."""
    with locked(job.store, f"ledger-{job.ledger.id}") as still_ours:
        job = replace(job, still_ours=still_ours)
        with job.store.begin() as conn:
            run_id = runs.start(conn, job.ledger.id, job.at())
            queue_before = len(queues.listing(conn, job.ledger.id))
        try:
            ran = _steps(job, inbox, run_id)
        except ArsyncError as error:
            _end(job, run_id, "failed", {}, error.what)
            raise
        with job.store.read() as conn:
            ran.open_queue = len(queues.listing(conn, job.ledger.id))
        ran.new_queue = max(ran.new_queue, ran.open_queue - queue_before)
        _end(job, run_id, "done", _counts(ran), ran.stopped or None)
        return ran


def look(job: Job, inbox: Path) -> Taken:
    """Only what mailboxes, servers and feeds bring: what a run may do whose platform is to be left in peace."""
    if not job.sources:
        return Taken()
    with locked(job.store, f"ledger-{job.ledger.id}") as still_ours:
        return collect(replace(job, still_ours=still_ours), inbox, Taken())


def dry_run(job: Job, inbox: Path) -> tuple[Kept, Taken, Proof, Decided]:
    """Pull, import and match, but decide nothing and write nothing to the platform."""
    with locked(job.store, f"ledger-{job.ledger.id}"):
        pulled = pull(job)
        proof = prove(job, changed=bool(pulled.total))
        taken = collect(job, inbox, intake(job, inbox))
        return pulled, taken, proof, decide.look(job)


def _steps(job: Job, inbox: Path, run_id: int) -> Ran:
    read_back = settle.read_back(job)
    pulled = pull(job)
    settled = settle.verify(job)
    contradicted = settle.watch(job, pulled.item_ids)
    before = prove(job, changed=bool(pulled.total or settled.verified))
    contradicted += settle.watch(job, set(before.moved))
    taken = collect(job, inbox, intake(job, inbox))
    hold_back(job)
    decided = decide.look(job)
    tally = decide.keep(job, decided)
    ran = Ran(
        run_id, pulled, taken, before, decided, tally, read_back, settled=settled, contradicted=contradicted
    )
    ran.new_queue = tally.new_queue_items
    ran.stopped = before.stopped or _not_writing(job)
    ran.parked = park(job)
    ran.deposits, ran.refunds = deposit(job), book_refunds(job)
    if not ran.stopped:
        ran.written = write(job, before.held)
        ran.stopped = ran.written.stopped
        ran.pulled.add(ran.written.pulled)
        ran.contradicted += settle.watch(job, ran.written.pulled.item_ids)
    if ran.written.sent or ran.written.confirmed:
        _prove_writing(job, ran)
    if not ran.stopped and note(job):
        ran.written.add(write(job, before.held))
        settle.verify(job)
    return ran


def _prove_writing(job: Job, ran: Ran) -> None:
    """Read back what was written, and prove the books again."""
    ran.pulled.add(pull(job))
    again = settle.verify(job)
    ran.settled.verified += again.verified
    ran.settled.contradicted += again.contradicted
    ran.after = prove(job, changed=True)
    ran.stopped = ran.after.stopped or ran.stopped


def _not_writing(job: Job) -> str:
    """Why nothing may be written at all: a ledger in observe with nothing to finish."""
    if job.ledger.mode != "observe":
        return ""
    with job.store.read() as conn:
        unfinished = outbox.has_open(conn, job.ledger.id)
    return "" if unfinished else "the ledger is in observe: nothing is written"


def _end(job: Job, run_id: int, outcome: str, counts: dict[str, Any], error: str | None) -> None:
    at = job.at()
    with job.store.begin() as conn:
        runs.end(conn, job.ledger.id, run_id, at, outcome, counts, error)
        audit.sign(conn, job.ledger.id, job.signing_key)


def _counts(ran: Ran) -> dict[str, Any]:
    return {
        "records seen": ran.pulled.seen,
        "records changed": ran.pulled.total,
        "bank lines": ran.taken.new_lines,
        "decided": dict(ran.tally.number),
        "sent": ran.written.sent,
        "confirmed": ran.written.confirmed,
        "verified": ran.settled.verified,
        "queue": ran.open_queue,
    }
