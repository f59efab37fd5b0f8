"""How often we are wrong: of what is applied without a person, one in so many goes to a clerk who does not see it.

Law     nothing is held up: what is drawn stays applied. The draw is kept with the decisions it is drawn from, so that
        a killed run draws nothing twice and leaves nothing out. A class of evidence that is certainly worse than the
        policy allows goes back to propose by itself; only a manager lets it go on.
"""

from collections.abc import Sequence
from typing import Any

from arsync.core.decisions import Reason
from arsync.core.matching.sampling import draw as drawn_from
from arsync.core.matching.sampling import interval, stratum_of, too_many
from arsync.core.policy import Policy
from arsync.store import audit, office, queues
from arsync.store import quality as store
from arsync.store.decisions import New
from arsync.store.engine import Tx
from arsync.store.office import Ledger
from arsync.store.queues import Entry
from arsync.sync.job import ENGINE, Job

_HINT = "applied without a person; say what it pays, without looking at what was applied"


def sample_subject(decision_id: int) -> str:
    """The subject of the queue item in which a clerk says what a drawn receipt pays."""
    return f"sample:{decision_id}"


def doubt_subject(decision_id: int) -> str:
    """The subject of the queue item that says that a clerk has seen it otherwise."""
    return f"doubt:{decision_id}"


def class_subject(evidence_class: str) -> str:
    """The subject of the queue item that says that a class of evidence is held back."""
    return f"class:{evidence_class}"


def draw(conn: Tx, ledger: Ledger, rows: Sequence[tuple[int, New]], policy: Policy, at: str) -> None:
    """Draw from what was just decided without a person, and ask a clerk."""
    applied = {i: new for i, new in rows if new.verdict in store.APPLIED}
    if not applied:
        return
    strata = [(i, stratum_of(new.evidence_class, new.currency, _minor(new))) for i, new in applied.items()]
    places = store.places(conn, ledger.id)
    drawn, changed = drawn_from(ledger.uid, strata, places, policy.sample_one_in)
    store.keep_draw(conn, ledger.id, [(i, applied[i].evidence_class) for i in drawn], changed, at)
    entries = [
        Entry(
            subject=sample_subject(i),
            reason=Reason.QUALITY_CHECK.value,
            detail=_HINT,
            receipt_id=applied[i].receipt_id,
            currency=applied[i].currency,
            amount_minor=_minor(applied[i]),
        )
        for i in drawn
    ]
    opened = queues.open_items(conn, ledger.id, entries, at)
    events = [audit.Entry("drawn", subject, {"queue": i}) for subject, i in opened.new.items()]
    audit.record(conn, ledger.id, at, ENGINE, events)


def _minor(new: New) -> int:
    """The receipt's amount."""
    return sum(line.minor for line in new.lines if line.kind in ("cash", "on_account"))


def hold_back(job: Job) -> int:
    """Hold back every class of evidence that is worse than the policy in force allows; how many are new."""
    with job.store.read() as conn:
        policy = office.policy_in_force(conn, job.ledger.id).policy
        worse = _worse(conn, job.ledger.id, policy)
    if not worse:
        return 0
    with job.store.begin() as conn:
        return review(conn, job.ledger, policy, job.at())


def review(conn: Tx, ledger: Ledger, policy: Policy, at: str) -> int:
    """The same inside a transaction: an event and a queue item for each class."""
    worse = _worse(conn, ledger.id, policy)
    for klass, (wrong, checked) in worse.items():
        low, high = (round(10_000 * share) for share in interval(wrong, checked))
        why = f"{wrong:,} of {checked:,} checked were wrong: {low} to {high} in 10,000"
        store.hold(conn, ledger.id, klass, why, at)
        entry = Entry(
            subject=class_subject(klass),
            reason=Reason.QUALITY_CHECK.value,
            detail=f'"{klass}" is back to propose: {why}, where {policy.most_wrong_in_10_000} may be',
        )
        queues.open_items(conn, ledger.id, [entry], at)
        body = {"class": klass, "wrong": wrong, "checked": checked, "most": policy.most_wrong_in_10_000}
        audit.record(conn, ledger.id, at, ENGINE, [audit.Entry("back to propose", entry.subject, body)])
    return len(worse)


def _worse(conn: Tx, ledger_id: int, policy: Policy) -> dict[str, tuple[int, int]]:
    held = store.held(conn, ledger_id)
    return {
        klass: (wrong, checked)
        for klass, (wrong, checked) in sorted(store.checked(conn, ledger_id).items())
        if klass not in held and too_many(wrong, checked, policy.most_wrong_in_10_000)
    }


def undone(conn: Tx, ledger: Ledger, decision: Any, by: str, at: str) -> None:
    """A person takes back what was applied without one: an error, whoever else looked at it."""
    if not _is_automatic(decision):
        return
    store.keep_error(conn, ledger.id, [(decision.id, decision.evidence_class)], "undone", by, at)
    store.set_sample(conn, ledger.id, decision.id, "undone", by, at)
    subjects = [sample_subject(decision.id), doubt_subject(decision.id)]
    queues.close(conn, ledger.id, subjects, by, f"D-{decision.id} is taken back", at)
    review(conn, ledger, office.policy_in_force(conn, ledger.id).policy, at)


def moved(conn: Tx, ledger_id: int, decision: Any, at: str) -> None:
    """Somebody changed in the books what was applied without a person."""
    if _is_automatic(decision):
        error = [(decision.id, decision.evidence_class)]
        store.keep_error(conn, ledger_id, error, "moved", "platform", at)


def void(conn: Tx, ledger_id: int, decision_id: int, at: str) -> None:
    """Nothing was applied after all: there is nothing to look at."""
    store.set_sample(conn, ledger_id, decision_id, "void", ENGINE, at)
    outcome = f"D-{decision_id} was not carried out"
    queues.close(conn, ledger_id, [sample_subject(decision_id)], ENGINE, outcome, at)


def _is_automatic(decision: Any) -> bool:
    return decision.decided_by == ENGINE and decision.verdict in store.APPLIED
