"""Pull: read what changed on the platform; each page and its cursor are kept in one transaction.

Law     a cursor moves only with its page; a run cut off anywhere resumes and loses nothing. Unchanged input
        writes zero rows. A message that something changed counts as heeded only when a pull that began after it
        has ended.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from arsync.connectors.contract import Kind, Page, Pull, Ref, Unreadable
from arsync.core.decisions import Reason
from arsync.store import books, office, queues, raw
from arsync.store.books import Kept
from arsync.sync.job import ENGINE, Job

log = logging.getLogger("arsync.sync")
_REFS_A_PAGE = 1000
_PROBED = 200
_IDLE_CURSOR = timedelta(
    days=1
)  # an idle ledger's cursor moves once a day: well inside every platform's window


def pull(job: Job, *, full: bool = False) -> Kept:
    """Read everything that changed since the last pull; what it changed here."""
    began = job.at()
    with job.store.read() as conn:
        row = office.connection_row(conn, job.ledger.connection_id)
    total = Kept()
    want = Pull(cursor=row.cursor, full=full, known=lambda kind: _known(job, kind))
    cursor_at = row.cursor_at
    for page in job.connector.pull(want):
        if page.note:
            job.tell("pull", page.note)
        kept, cursor_at = _keep(job, page, cursor_at)
        total.add(kept)
    if total.left_customers:
        total.add(_moved_on(job, total.left_customers))
    stamps = {"loaded_at": job.at()} if row.loaded_at is None else {}
    if office.unheeded(row):
        stamps["heeded_at"] = began
    if stamps:
        with job.store.begin() as conn:
            office.set_connection(conn, job.ledger.connection_id, **stamps)
    return total


def _known(job: Job, kind: Kind) -> frozenset[str]:
    """What the store holds as present, in the books or in the queue of what cannot be read."""
    with job.store.read() as conn:
        queued = queues.subjects(conn, job.ledger.id, f"record:{kind}:")
        present = books.present(conn, job.ledger.connection_id, kind)
    return present | {subject.split(":", 2)[2] for subject in queued}


def _moved_on(job: Job, left_customers: set[int]) -> Kept:
    """Read the items of customers that vanished, or became inactive, again.

    Merging two customers does either, and hands the items of one to the other, maybe in silence. A few, open ones
    first, tell whether that happened; only then the rest is read.
    """
    with job.store.read() as conn:
        left = books.items_of(conn, job.ledger.id, left_customers)
        names = books.platform_refs(conn, job.ledger.id, "item", left)
    refs = [books.item_ref(names[item_id]) for item_id in left]
    total = read_again(job, refs[:_PROBED])
    if total.item_ids:
        total.add(read_again(job, refs[_PROBED:]))
    return total


def read_again(job: Job, refs: Sequence[Ref]) -> Kept:
    """Read these records as they are now, whatever the change feed says; what that changed here."""
    total = Kept()
    for first in range(0, len(refs), _REFS_A_PAGE):
        page = job.connector.fetch(refs[first : first + _REFS_A_PAGE])
        total.add(_keep(job, page, None)[0])
    return total


def _keep(job: Job, page: Page, cursor_at: str | None) -> tuple[Kept, str | None]:
    """Keep one page; an idle page of a feed at rest writes nothing unless the stored cursor is a day old."""
    rests = page.rest and not _old(job, cursor_at)
    if rests and not (page.records or page.gone or page.unreadable):
        return Kept(), cursor_at
    place = job.place()
    with job.store.begin() as conn:
        kept = books.keep_page(conn, place, page)
        if page.unknown and office.keep_unknown(conn, job.ledger.connection_id, page.unknown, place.at):
            log.warning(
                "%s: properties nobody announced: %s", job.ledger.name, ", ".join(sorted(page.unknown))
            )
        if page.unreadable:
            shas = raw.keep(conn, [u.raw for u in page.unreadable])
            entries = [_entry(u, sha) for u, sha in zip(page.unreadable, shas, strict=True)]
            queues.open_items(conn, job.ledger.id, entries, place.at)
        if kept.total or page.gone:
            readable = [f"record:{r.ref.kind}:{r.ref.id}" for r in page.records] + [
                f"record:{g.ref.kind}:{g.ref.id}" for g in page.gone
            ]
            still = {f"record:{u.ref.kind}:{u.ref.id}" for u in page.unreadable}
            queues.close(
                conn,
                job.ledger.id,
                [s for s in readable if s not in still],
                ENGINE,
                "the platform's record can be read now",
                place.at,
            )
        if page.cursor is not None and (not rests or kept.total or page.unreadable):
            office.set_connection(conn, job.ledger.connection_id, cursor=page.cursor, cursor_at=place.at)
            cursor_at = place.at
    return kept, cursor_at


def _old(job: Job, cursor_at: str | None) -> bool:
    return cursor_at is None or job.clock() - datetime.fromisoformat(cursor_at) > _IDLE_CURSOR


def _entry(unreadable: Unreadable, sha: bytes) -> queues.Entry:
    ref = unreadable.ref
    return queues.Entry(
        subject=f"record:{ref.kind}:{ref.id}",
        reason=Reason.UNREADABLE_FIELD.value,
        detail=f"{ref.id}: {unreadable.field} cannot be read: {unreadable.why}",
        raw_sha=sha,
    )
