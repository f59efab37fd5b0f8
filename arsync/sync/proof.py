"""Proof: our open amount per customer against the platform's, and the sum against the control account.

Law     a difference counts when a second pull and reading still show it. It stops writing for those
        customers; a total that the customers' differences do not explain stops the ledger. What differs at
        connection becomes the opening baseline once a manager signs it, and is shown until it is cleared. A
        platform that gives no totals leaves the ledger "unproven".
Names   behind a new difference the platform is asked for its documents, once. Those that are other there than
        here are read again, whatever the change feed said of them: a change that the feed lost is found so. What
        still differs then is named in the difference, to the cent.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from arsync.connectors.contract import Ref, Total
from arsync.core.decisions import Reason
from arsync.core.money import Money
from arsync.store import audit, books, office, proofs, queues
from arsync.store.engine import Tx
from arsync.store.proofs import CONTROL, UNREAD, Difference, Key
from arsync.store.queues import Entry
from arsync.sync import behind
from arsync.sync.job import ENGINE, Job
from arsync.sync.pull import pull, read_again

log = logging.getLogger("arsync.sync")
_ONCE_A_DAY = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared. `held` are customers whose unexplained difference stops writing for them."""

    state: str  # proven, differs, unproven, not due
    ours_minor: Mapping[str, int] = field(default_factory=dict)  # by currency
    theirs_minor: Mapping[str, int] = field(default_factory=dict)
    held: frozenset[int] = frozenset()
    differences: tuple[Difference, ...] = ()
    stopped: str = ""
    source: str = ""
    moved: frozenset[int] = frozenset()  # items that looking again changed here

    def completeness(self) -> str:
        """One phrase for reports."""
        if self.state == "proven":
            return f"proven against {self.source}"
        if self.state == "differs":
            return f"unproven: {len(self.differences)} difference(s), see arsync proof"
        return "unproven"


def prove(job: Job, *, changed: bool) -> Proof:
    """Compare; `changed` says that something moved since the last proof. An idle ledger is proved once a day."""
    if not job.connector.manifest.totals:
        return Proof("unproven")
    if not changed and not _due(job):
        standing = _standing(job)
        if not standing.differences:
            return standing
    # An idle ledger's control account and foreign customers are not read again, unless they differed.
    sides = _sides(job, _read(job, with_control=changed or _more_differs(job)))
    found = _compare(job, sides)
    moved: frozenset[int] = frozenset()
    if _unexplained(found) != _known(job):
        again = pull(job)  # the second look: the books may have moved between pull and reading
        stated = _read(job, with_control=True)
        found, sides, named = _explained(job, stated, _compare(job, _sides(job, stated)))
        moved = frozenset(again.item_ids | named)
    return replace(_keep(job, found, sides), moved=moved)


def _explained(
    job: Job, stated: "_Stated", found: dict[Key, Difference]
) -> tuple[dict[Key, Difference], "_Sides", set[int]]:
    """What differs still, named by the documents that stand behind it, after those were read again."""
    known = _known(job)
    fresh = {key for key, minor in _unexplained(found).items() if known.get(key) != minor}
    asked, moved = behind.ask(job, fresh, stated.strangers, stated.as_of), set[int]()
    if asked is None:
        return found, _sides(job, stated), moved
    named = behind.compare(job, asked)
    if named.refs:
        job.tell("proof", f"{len(named.refs)} documents differ and are read again")
        moved = read_again(job, named.refs).item_ids
        if moved:
            _record_lost(job, named.refs)
        found, named = _compare(job, _sides(job, stated)), behind.compare(job, asked)
    for key in fresh & named.told.keys() & found.keys():
        found[key] = replace(found[key], source=f"{found[key].source}; {named.told[key]}")
    return found, _sides(job, stated), moved


def _record_lost(job: Job, refs: Sequence[Ref]) -> None:
    """The change feed did not show what reading the documents again has changed here: worth knowing."""
    body = {"documents": [ref.id for ref in refs]}
    with job.store.begin() as conn:
        audit.record(
            conn, job.ledger.id, job.at(), ENGINE, [audit.Entry("lost change found", "ledger", body)]
        )


def _more_differs(job: Job) -> bool:
    """Whether a difference stands in what an idle ledger is not compared by: control accounts, foreign customers."""
    home = job.ledger.home_currency
    with job.store.read() as conn:
        standing = proofs.standing(conn, job.ledger.id)
    return any(customer == CONTROL or currency != home for customer, currency in standing)


def _due(job: Job) -> bool:
    with job.store.read() as conn:
        last = office.connection_row(conn, job.ledger.connection_id).totals_at
    return last is None or job.clock() - datetime.fromisoformat(last) >= _ONCE_A_DAY


def _standing(job: Job) -> Proof:
    with job.store.read() as conn:
        standing = proofs.standing(conn, job.ledger.id)
        stopped = office.find_ledger(conn, job.ledger.name).stopped or ""
    open_ones = tuple(d for d in standing.values() if d.unexplained_minor)
    return Proof(
        "differs" if open_ones else "not due", held=_held(standing), differences=open_ones, stopped=stopped
    )


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the platform said at one reading."""

    as_of: date
    totals: tuple[Total, ...]
    control: tuple[Total, ...]
    with_control: bool
    strangers: tuple[str, ...]  # customers in the totals that we have never read

    @property
    def source(self) -> str:
        """What was compared with."""
        return (self.totals or self.control)[0].source if self.totals or self.control else ""


@dataclass(frozen=True, slots=True)
class _Sides:
    """Ours and theirs by customer and currency; the control account under customer 0."""

    ours: Mapping[Key, int]
    theirs: Mapping[Key, int]
    source: str


def _read(job: Job, *, with_control: bool) -> _Stated:
    with job.store.read() as conn:
        # Documents dated ahead are open too; asked for an earlier day, the platform would leave them out.
        last = max(proofs.last_date(conn, job.ledger.id) or job.today(), job.today())
        foreign = _foreign(conn, job) if with_control else {}
    totals = job.connector.totals(last, frozenset(foreign.values()))
    with_control = with_control and "ledger" in job.connector.manifest.totals
    control = job.connector.control() if with_control else ()
    with job.store.read() as conn:
        named = [str(one.customer) for one in totals if one.customer is not None]
        known = books.known_ids(conn, job.ledger.connection_id, "customer", named)
    strangers = tuple(name for name in named if name not in known)
    return _Stated(last, totals, control, with_control, strangers)


def _foreign(conn: Tx, job: Job) -> dict[int, str]:
    """Customers who owe in another currency than the books' own, with their platform ids."""
    ids = proofs.foreign_customers(conn, job.ledger.id, job.ledger.home_currency)
    return books.platform_refs(conn, job.ledger.id, "customer", ids)


def _sides(job: Job, stated: _Stated) -> _Sides:
    with job.store.read() as conn:
        ours = proofs.ours(conn, job.ledger.id)
        theirs = _theirs(conn, job, stated.totals)
        foreign = proofs.foreign_customers(conn, job.ledger.id, job.ledger.home_currency)
    for currency in {key[1] for key in ours} | {t.amount.currency for t in stated.control}:
        ours[(CONTROL, currency)] = sum(
            minor for (c, cur), minor in ours.items() if c != CONTROL and cur == currency
        )
    for one in stated.control:
        key = (CONTROL, one.amount.currency)
        theirs[key] = theirs.get(key, 0) + one.amount.minor
    if not stated.with_control:
        for key in [k for k in ours if k[0] == CONTROL]:
            del ours[key]
    # Where the platform states a foreign customer in home currency, at a rate of its own, there is nothing to
    # compare: he is proved by the control account of his currency.
    unstated = {c for c, currency in theirs if c in foreign and currency == job.ledger.home_currency}
    if not stated.with_control:
        unstated = set(foreign)
    for key in [k for k in {**ours, **theirs} if k[0] in unstated]:
        ours.pop(key, None)
        theirs.pop(key, None)
    return _Sides(ours, theirs, stated.source)


def _theirs(conn: Tx, job: Job, totals: tuple[Total, ...]) -> dict[Key, int]:
    named = [t for t in totals if t.customer is not None]
    ids = books.known_ids(conn, job.ledger.connection_id, "customer", [str(t.customer) for t in named])
    result: dict[Key, int] = {}
    for one in named:
        # The whole total of a customer we have never read is a difference, never dropped.
        key = (ids.get(str(one.customer), UNREAD), one.amount.currency)
        result[key] = result.get(key, 0) + one.amount.minor
    return result


def _compare(job: Job, sides: _Sides) -> dict[Key, Difference]:
    ours, theirs = sides.ours, sides.theirs
    with job.store.read() as conn:
        standing = proofs.standing(conn, job.ledger.id)
        contradictions = proofs.contradictions(conn, job.ledger.id)
    found: dict[Key, Difference] = {}
    for key in sorted(set(ours) | set(theirs)):
        mine, his, before = ours.get(key, 0), theirs.get(key, 0), standing.get(key)
        baseline = before.baseline_minor if before else 0
        if mine != his or (baseline and before):
            # A difference that stands as it did keeps the words it was found with, the documents' names among them.
            same = before is not None and (before.ours_minor, before.theirs_minor) == (mine, his)
            source = before.source if before is not None and same else sides.source
            signed = before.signed_by if before else None
            found[key] = Difference(key[0], key[1], mine, his, baseline if mine != his else 0, signed, source)
    for key in [k for k, d in found.items() if d.ours_minor == d.theirs_minor]:
        del found[key]
    # A document that contradicts itself is a difference of its customer even where the sums agree by chance.
    for row in contradictions:
        key = (row.customer_id, row.currency)
        if key not in found:
            stated = ours.get(key, 0) - row.open_minor + row.stated_open_minor
            found[key] = Difference(
                *key, ours.get(key, 0), stated, 0, None, f"balance of {row.kind} {row.number or row.id}"
            )
    return found


def _unexplained(found: Mapping[Key, Difference]) -> dict[Key, int]:
    return {key: d.unexplained_minor for key, d in found.items() if d.unexplained_minor}


def _known(job: Job) -> dict[Key, int]:
    with job.store.read() as conn:
        return _unexplained(proofs.standing(conn, job.ledger.id))


def _held(found: Mapping[Key, Difference]) -> frozenset[int]:
    return frozenset(key[0] for key, d in found.items() if d.unexplained_minor and key[0] != CONTROL)


def _stop(found: Mapping[Key, Difference]) -> str:
    """Why the whole ledger stops: the control account differs by more than its customers' differences explain."""
    for (customer, currency), d in found.items():
        if customer != CONTROL:
            continue
        explained = sum(
            x.unexplained_minor for (c, cur), x in found.items() if c != CONTROL and cur == currency
        )
        rest = d.unexplained_minor - explained
        if rest:
            return f"the control account differs by {Money(rest, currency)} that no customer explains ({d.source})"
    return ""


def _unreadable(job: Job) -> str:
    """Documents that cannot be read: what they hold is in the control account, and in nobody's open amount."""
    with job.store.read() as conn:
        subjects = sorted(queues.subjects(conn, job.ledger.id, "record:item:"))
    names = [subject.split(":", 2)[2] for subject in subjects]
    return f"; not counted, because it cannot be read: {behind.sentence(names)}" if names else ""


def _keep(job: Job, found: Mapping[Key, Difference], sides: _Sides) -> Proof:
    stopped, at = _stop(found), job.at()
    stopped += _unreadable(job) if stopped else ""
    with job.store.begin() as conn:
        office.set_connection(conn, job.ledger.connection_id, totals_at=at)
        changed, cleared = proofs.keep(conn, job.ledger.id, found, at)
        before = office.find_ledger(conn, job.ledger.name).stopped or ""
        if stopped != before:
            office.set_ledger(conn, job.ledger.id, stopped=stopped or None)
        entries = [_entry(found[key]) for key in changed if found[key].unexplained_minor]
        queues.open_items(conn, job.ledger.id, entries, at)
        gone = [_subject(key) for key in cleared] + [
            _subject(k) for k, d in found.items() if not d.unexplained_minor
        ]
        queues.close(conn, job.ledger.id, gone, ENGINE, "the books agree", at)
        if changed or cleared or stopped != before:
            audit.record(conn, job.ledger.id, at, ENGINE, [_event(found, changed, cleared, stopped)])
    open_ones = tuple(d for d in found.values() if d.unexplained_minor)
    return Proof(
        state="differs" if open_ones else "proven",
        ours_minor=_by_currency(sides.ours),
        theirs_minor=_by_currency(sides.theirs),
        held=_held(found),
        differences=open_ones,
        stopped=stopped,
        source=sides.source,
    )


def _by_currency(amounts: Mapping[Key, int]) -> dict[str, int]:
    result: dict[str, int] = {}
    for (customer, currency), minor in amounts.items():
        if customer != CONTROL:
            result[currency] = result.get(currency, 0) + minor
    return result


def _subject(key: Key) -> str:
    return f"proof:{key[0]}:{key[1]}"


def _entry(d: Difference) -> Entry:
    ours, theirs = Money(d.ours_minor, d.currency), Money(d.theirs_minor, d.currency)
    who = "the control account" if d.customer_id == CONTROL else "the customer's open amount"
    return Entry(
        subject=_subject((d.customer_id, d.currency)),
        reason=Reason.BOOKS_DISAGREE.value,
        detail=f"{who} is {ours} here and {theirs} there ({d.source}); nothing is written for it "
        "until they agree or it is signed",
        customer_id=d.customer_id if d.customer_id > 0 else None,
        currency=d.currency,
        amount_minor=d.unexplained_minor,
    )


def _event(
    found: Mapping[Key, Difference], changed: list[Key], cleared: list[Key], stopped: str
) -> audit.Entry:
    return audit.Entry(
        "proof",
        "ledger",
        {
            "differences": [[*key, str(Money(found[key].unexplained_minor, key[1]))] for key in changed],
            "cleared": [list(key) for key in cleared],
            "stopped": stopped,
        },
    )
