"""Notes: what arsync knows of an open item, said on the platform's own record, for the people of the books.

Off unless the policy turns it on. Never where the customer reads it; what people wrote there stays.

Law     a note is written only when what there is to say has changed; our own writing comes back as no change. A note
        that cannot be written holds up nothing and is tried again when there is something else to say.
"""

from collections.abc import Mapping

from arsync.connectors.contract import Bundle, SetNote
from arsync.core.decisions import EvidenceClass
from arsync.core.matching import record
from arsync.store import books, decisions, office, outbox, queues, raw, work
from arsync.store.engine import Tx
from arsync.sync.job import ENGINE, Job

NOTHING = "nothing pending"


def note(job: Job) -> int:
    """Plan the notes whose words have changed; how many."""
    if job.ledger.mode == "observe":
        return 0
    with job.store.read() as conn:
        policy = office.policy_in_force(conn, job.ledger.id)
        if policy.policy.write_back == "off":
            return 0
        changed = _changed(conn, job, words(conn, job.ledger.id))
    at = job.at()
    with job.store.begin() as conn:
        names = books.platform_refs(conn, job.ledger.id, "item", changed)
        owners = books.documents(conn, job.ledger.id, changed)
        for item_id, text in changed.items():
            new = decisions.New(
                receipt_id=None, customer_id=owners[item_id], verdict="note", evidence_class=EvidenceClass.NONE.value,
                probability=1.0, decided_by=ENGINE, why=text, currency="", lines=(), state="planned",
                receipt_state=None, policy_version=policy.version,
            )  # fmt: skip
            (decision_id,) = decisions.keep(conn, job.ledger.id, [new], at)
            intent = SetNote(books.item_ref(names[item_id]), text, policy.policy.write_back_field)
            bundle = Bundle(f"{job.ledger.uid}-{decision_id}", 1, (intent,))
            outbox.plan(conn, job.ledger.id, [(decision_id, bundle)], at)
            books.keep_note(conn, job.ledger.id, item_id, text, decision_id)
    return len(changed)


def words(conn: Tx, ledger_id: int) -> dict[int, str]:
    """What there is to say of items: decided and on its way, waiting for a second person, or asked in the queue."""
    said: dict[int, str] = {}
    for row in queues.listing(conn, ledger_id):
        if row.finding_sha is not None and row.subject.startswith("receipt:"):
            finding = record.finding_from_text(raw.get(conn, bytes(row.finding_sha)).decode())
            for share in finding.explanations[0].shares if finding.explanations else ():
                said.setdefault(share.item_id, f"payment in review, Q-{row.id}")
    for item_id, decision_id, state in work.spending(conn, ledger_id):
        said[item_id] = f"{'waits for approval' if state == 'asked' else 'payment decided'}, D-{decision_id}"
    return said


def _changed(conn: Tx, job: Job, said: Mapping[int, str]) -> dict[int, str]:
    """The words that differ from what stands on the platform; items that carry a document note only."""
    standing = books.notes(conn, job.ledger.id)
    wanted = {**dict.fromkeys(standing, NOTHING), **said}
    changed = {item_id: text for item_id, text in sorted(wanted.items()) if standing.get(item_id) != text}
    carrying = books.documents(conn, job.ledger.id, changed)
    return {item_id: text for item_id, text in changed.items() if item_id in carrying}
