"""Match and decide: what is done with every receipt that is not decided yet.

Law     decisions, what they spend, their bundles, queue items and events are kept in one transaction, and
        only if everything they spend still has the version the matcher saw. A finding that is already in
        the queue as it is writes nothing.
"""

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from arsync.connectors.contract import Bundle, Park, Ref
from arsync.core import decisions as core
from arsync.core.decisions import Decision, Finding, Reason, Verdict
from arsync.core.matching import record
from arsync.core.matching.snapshot import Knowledge, ReceiptRow
from arsync.core.money import Money
from arsync.core.policy import Policy
from arsync.store import audit, books, decisions, office, outbox, queues, raw, work
from arsync.store import quality as measured
from arsync.store.engine import Tx
from arsync.store.office import Ledger, PolicyVersion
from arsync.store.queues import Entry
from arsync.sync import intents, quality
from arsync.sync.fitting import exchanges, fitter
from arsync.sync.gate import Standing, capped, guarded
from arsync.sync.job import ENGINE, Job

if TYPE_CHECKING:
    from arsync.core.matching.rounds import Before, Judged, Outcome

_QUEUED = (Verdict.PROPOSE, Verdict.QUEUE)


@dataclass(slots=True)
class Tally:
    """What was decided, for people: (number, minor units by currency) per verdict."""

    number: dict[str, int] = field(default_factory=dict)
    minor: dict[str, dict[str, int]] = field(default_factory=dict)
    dropped: int = 0  # decisions the store refused because something changed meanwhile
    new_queue_items: int = 0
    changed_queue_items: int = 0

    def add(self, verdict: str, amount: Money) -> None:
        """Count one receipt."""
        self.number[verdict] = self.number.get(verdict, 0) + 1
        by_currency = self.minor.setdefault(verdict, {})
        by_currency[amount.currency] = by_currency.get(amount.currency, 0) + amount.minor


@dataclass(frozen=True, slots=True)
class Decided:
    """The outcome of a match run, before anything is kept."""

    work: work.Work
    outcome: "Outcome"
    before: "Before | None"
    policy: PolicyVersion
    exchanges: bool  # the books take money in another currency than the items

    @property
    def cases(self) -> "tuple[Judged, ...]":
        """Every receipt that was undecided."""
        return self.outcome.judged


@contextmanager
def _no_collector() -> Iterator[None]:
    """Run without Python's cycle collector.

    A batch makes some hundred thousand rows that stay to its end and no cycles; walking them again and again took 15 to
    25 % of the time. What was made is then counted as old, so that the next small collection does not walk it either.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()


@_no_collector()
def look(job: Job) -> Decided:
    """Match what is new and decide, keeping nothing: the pure middle of a run, and all of a dry run."""
    from arsync.core.matching.decide import decide
    from arsync.core.matching.rounds import rounds

    with job.store.read() as conn:
        policy = office.policy_in_force(conn, job.ledger.id)
        todo = work.load(conn, job.ledger.id, job.today())
        facts = books.books_of(conn, job.ledger.id)
        before = _before(conn, job, todo.states)
        abroad = exchanges(conn, job.ledger)
        held = frozenset(measured.held(conn, job.ledger.id))
        since = job.today().replace(month=1, day=1)
        given_up = {
            key: {0: minor} for key, minor in decisions.given_up(conn, job.ledger.id, ENGINE, since).items()
        }
    if not policy.policy.learns:
        todo = replace(todo, knowledge=Knowledge())
    standing = Standing(
        todo.proven,
        facts.closed_until if facts else None,
        policy.policy,
        owners={row.id: row.customer_id for row in todo.snapshot.items},
        parents={row.id: row.parent_id for row in todo.snapshot.customers},
        never=frozenset(
            row.id for row in todo.snapshot.customers if row.name in policy.policy.never_customers
        ),
        held=held,
        exchanges=abroad,
    )
    matching = policy.policy.match

    def judge(finding: Finding, receipt: ReceiptRow) -> Decision:
        decision = guarded(decide(finding, receipt, matching, job.ledger.mode), receipt, standing)
        return capped(decision, receipt, policy.policy, given_up)

    outcome = rounds(todo.snapshot, todo.knowledge, matching, judge, before)
    return Decided(todo, outcome, before, policy, abroad)


def _before(conn: Tx, job: Job, states: Mapping[int, str]) -> "Before | None":
    """What the last match saw, and what it said of everything that is in the queue.

    Of a receipt that waits for an advice the queue may still hold an older finding.
    """
    from arsync.core.matching.again import Seen
    from arsync.core.matching.rounds import Before

    body = work.last_seen(conn, job.ledger.id)
    if body is None:
        return None
    waiting = _waiting(conn, job)
    rows = [row for i, row in waiting.items() if states.get(i) == "queued" and row.finding_sha is not None]
    texts = raw.get_many(conn, (bytes(row.finding_sha) for row in rows))
    findings = (record.finding_from_text(texts[bytes(row.finding_sha)].decode()) for row in rows)
    seen: Seen = record.decode(body, Seen)
    return Before(seen, {finding.receipt_id: finding for finding in findings})


def _waiting(conn: Tx, job: Job) -> dict[int, Any]:
    """The open queue items that are about receipts, by receipt."""
    rows = queues.listing(conn, job.ledger.id)
    return {row.receipt_id: row for row in rows if row.subject == f"receipt:{row.receipt_id}"}


@_no_collector()
def keep(job: Job, decided: Decided) -> Tally:
    """Keep what was decided."""
    tally = Tally()
    for case in decided.cases:
        tally.add(case.decision.verdict.value, Money(case.receipt.amount_minor, case.receipt.currency))
    acting = [
        c for c in decided.cases if c.decision.verdict in (Verdict.APPLY, Verdict.LINK, Verdict.NOT_OURS)
    ]
    queued = [c for c in decided.cases if c.decision.verdict in _QUEUED]
    waiting = [c for c in decided.cases if c.decision.verdict is Verdict.WAIT]
    if not (acting or waiting or queued):
        return tally
    at = job.at()
    texts = {c.receipt.id: record.finding_to_text(c.finding).encode() for c in decided.cases}
    with job.store.begin() as conn:
        shas = {i: raw.sha(text) for i, text in texts.items()}
        known = _waiting(conn, job)
        news = [c for c in queued if not _same(c, known.get(c.receipt.id), shas[c.receipt.id])]
        if acting or news:
            proofs = _keep_evidence(conn, decided, acting + news, texts, known)
            tally.dropped = _act(conn, job, decided, acting, proofs, at)
            entries = [_entry(c, proofs[c.receipt.id], decided) for c in news]
            opened = queues.open_items(conn, job.ledger.id, entries, at)
            tally.new_queue_items, tally.changed_queue_items = len(opened.new), len(opened.changed)
            _note_queued(conn, job, news, opened, at)
        for state, cases in (("queued", queued), ("waiting", waiting)):
            ids = [c.receipt.id for c in cases if decided.work.states[c.receipt.id] != state]
            decisions.move_receipts(conn, job.ledger.id, ids, state)
        if decided.before is None or decided.before.seen != decided.outcome.seen:
            work.keep_seen(conn, job.ledger.id, record.compact(decided.outcome.seen))
    return tally


@dataclass(frozen=True, slots=True)
class _Proof:
    """Where what was seen and what was found are kept."""

    snapshot_sha: bytes
    finding_sha: bytes


def _same(case: "Judged", row: Any, sha: bytes) -> bool:
    """Whether the finding is in the queue already as it is."""
    return (
        row is not None
        and row.finding_sha is not None
        and bytes(row.finding_sha) == sha
        and row.reason == _reason(case.decision).value
        and row.preferred == (case.decision.verdict is Verdict.PROPOSE)
    )


def _keep_evidence(
    conn: Tx,
    decided: Decided,
    cases: "Sequence[Judged]",
    texts: Mapping[int, bytes],
    known: Mapping[int, Any],
) -> dict[int, _Proof]:
    """Keep what the matcher saw and said, so that `audit replay` gives the same answer again.

    What was found before has its proof in the queue (`known`, by receipt).
    """
    rest = (
        record.knowledge_to_text(decided.work.knowledge),
        record.policy_to_text(decided.policy.policy.match),
    )
    used = sorted({c.round for c in cases if c.round is not None})
    seen = ["\n".join((record.snapshot_to_text(decided.outcome.given[n]), *rest)).encode() for n in used]
    fresh = [c.receipt.id for c in cases if c.round is not None]
    kept = raw.keep(conn, [*seen, *(texts[receipt_id] for receipt_id in fresh)])
    places, findings = dict(zip(used, kept, strict=False)), dict(zip(fresh, kept[len(used) :], strict=True))
    return {
        c.receipt.id: _Proof(known[c.receipt.id].snapshot_sha, known[c.receipt.id].finding_sha)
        if c.round is None
        else _Proof(places[c.round], findings[c.receipt.id])
        for c in cases
    }


def _act(
    conn: Tx,
    job: Job,
    decided: Decided,
    acting: "Sequence[Judged]",
    proofs: Mapping[int, _Proof],
    at: str,
) -> int:
    """Keep decisions that act by themselves; the number the store refused."""
    news = [_new(case, proofs[case.receipt.id], decided.policy) for case in acting]
    out = decisions.refused(
        conn, job.ledger.id, news, decided.work.item_versions, decided.work.receipt_versions
    )
    kept = [new for position, new in enumerate(news) if position not in out]
    ids = decisions.keep(conn, job.ledger.id, kept, at)
    writing = [(i, new) for i, new in zip(ids, kept, strict=True) if new.state == "planned"]
    plan_bundles(conn, job.ledger, writing, decided.policy, at)
    quality.draw(conn, job.ledger, list(zip(ids, kept, strict=True)), decided.policy.policy, at)
    audit.record(
        conn, job.ledger.id, at, ENGINE, [decision_event(i, new) for i, new in zip(ids, kept, strict=True)]
    )
    subjects = [f"receipt:{new.receipt_id}" for new in kept]
    queues.close(conn, job.ledger.id, subjects, ENGINE, "decided by evidence that came later", at)
    return len(out)


def plan_bundles(
    conn: Tx, ledger: Ledger, rows: Sequence[tuple[int, decisions.New]], policy: PolicyVersion, at: str
) -> None:
    """Store what the decisions ask of the platform."""
    item_ids = {line.item_id for _, new in rows for line in new.lines if line.item_id is not None}
    items = {i: books.item_ref(e) for i, e in books.platform_refs(conn, ledger.id, "item", item_ids).items()}
    customers = books.platform_refs(
        conn, ledger.id, "customer", {n.customer_id for _, n in rows if n.customer_id}
    )
    receipt_ids = [new.receipt_id for _, new in rows if new.receipt_id is not None]
    cash = _cash(conn, ledger.id, receipt_ids, open_from(conn, ledger.id, policy.policy))
    fitted = fitter(conn, ledger)
    bundles = []
    for decision_id, new in rows:
        assert new.customer_id is not None
        assert new.receipt_id is not None
        money = cash(new.receipt_id, Ref("customer", customers[new.customer_id]))
        if new.currency != money.total.currency:
            money = money.exchanged(new.lines, new.currency)
        wanted = intents.for_receipt(money, new.lines, items, policy.policy)
        bundles.append((decision_id, Bundle(f"{ledger.uid}-{decision_id}", 1, fitted(wanted))))
    outbox.plan(conn, ledger.id, bundles, at)


def open_from(conn: Tx, ledger_id: int, policy: Policy) -> date:
    """The first day that is open, where the policy lets a receipt be dated on it instead of its own."""
    facts = books.books_of(conn, ledger_id)
    if policy.closed_period == "queue" or facts is None or facts.closed_until is None:
        return date.min
    return facts.closed_until + timedelta(days=1)


def _cash(
    conn: Tx, ledger_id: int, receipt_ids: Sequence[int], first_day: date
) -> Callable[[int, Ref], intents.Cash]:
    """The money of each receipt, as the platform will be told of it for a customer."""
    rows = decisions.receipts(conn, ledger_id, receipt_ids)
    lines = {row.bank_line_id for row in rows.values()}
    banks = books.deposit_accounts(conn, lines)
    # The receipts of a lump deposit wait until all of them go to the bank as one line.
    together = books.grouped(conn, ledger_id, lines)
    banks |= dict.fromkeys(together)
    waiting = {
        i: _waiting_account(conn, ledger_id, d.id) for i, d in decisions.parks(conn, ledger_id, rows).items()
    }

    def of(receipt_id: int, customer: Ref) -> intents.Cash:
        row = rows[receipt_id]
        account = waiting.get(receipt_id) or banks.get(row.bank_line_id)
        on, grouped = max(row.on_date, first_day), account is None and row.bank_line_id in together
        size = Money(row.amount_minor, row.currency)
        return intents.Cash(customer, on, size, reference_of(row), account, grouped)

    return of


def reference_of(row: Any) -> str:
    """What the bank calls a receipt: shown in the books."""
    texts = json.loads(row.texts)
    return texts["cheque_number"] or texts["bank_reference"] or texts["end_to_end_id"] or f"R-{row.id}"


def _waiting_account(conn: Tx, ledger_id: int, parked_by: int) -> str | None:
    """The account a receipt was parked in at period end: posting it from there empties it again."""
    (intent,) = outbox.bundles_of(conn, ledger_id, parked_by)[0].bundle.intents
    return intent.account if isinstance(intent, Park) else None


def decision_event(decision_id: int, new: decisions.New) -> audit.Entry:
    """What the audit chain keeps of a decision."""
    return audit.Entry(
        what=f"decided: {new.verdict}",
        subject=f"receipt:{new.receipt_id}" if new.receipt_id is not None else f"decision:{decision_id}",
        body={
            "decision": decision_id,
            "customer": new.customer_id,
            "class": new.evidence_class,
            "why": new.why,
            "lines": [
                [line.item_id, line.kind, Money(line.minor, new.currency).text()] for line in new.lines
            ],
            "currency": new.currency,
            "policy": new.policy_version,
            "engine": new.engine_version,
        },
    )


def _new(case: "Judged", proof: _Proof, policy: PolicyVersion) -> decisions.New:
    from arsync.core.matching.engine import ENGINE_VERSION

    explanation, verdict = case.decision.explanation, case.decision.verdict
    lines = intents.lines_of(explanation) if explanation and verdict is Verdict.APPLY else ()
    on_account_only = bool(lines) and all(line.item_id is None for line in lines)
    receipt_state = {Verdict.APPLY: "planned", Verdict.LINK: "linked", Verdict.NOT_OURS: "not_ours"}[verdict]
    return decisions.New(
        receipt_id=case.receipt.id,
        customer_id=explanation.customer_id if explanation else None,
        verdict="on_account" if on_account_only else verdict.value,
        evidence_class=explanation.klass.value if explanation else core.EvidenceClass.NONE.value,
        probability=explanation.probability if explanation else 0.0,
        decided_by=ENGINE,
        why=" ".join(e.text for e in explanation.evidence if e.supports) if explanation else "",
        currency=(explanation.currency if explanation and lines else None) or case.receipt.currency,
        lines=lines,
        state="planned" if verdict is Verdict.APPLY else "done",
        receipt_state=receipt_state,
        payment_id=explanation.booked_payment_id if explanation else None,
        snapshot_sha=proof.snapshot_sha,
        finding_sha=proof.finding_sha,
        engine_version=ENGINE_VERSION,
        policy_version=policy.version,
    )


def _reason(decided: Decision) -> Reason:
    return decided.reason or Reason.WEAK_EVIDENCE


def _entry(case: "Judged", proof: _Proof, decided: Decided) -> Entry:
    first = case.finding.explanations[0] if case.finding.explanations else None
    return Entry(
        subject=f"receipt:{case.receipt.id}",
        reason=_reason(case.decision).value,
        detail=_detail(case, decided),
        receipt_id=case.receipt.id,
        customer_id=first.customer_id if first else None,
        currency=case.receipt.currency,
        amount_minor=case.receipt.amount_minor,
        preferred=case.decision.verdict is Verdict.PROPOSE,
        finding_sha=proof.finding_sha,
        snapshot_sha=proof.snapshot_sha,
    )


def _detail(case: "Judged", decided: Decided) -> str:
    """One line for the queue: who, and what speaks for or against the first explanation."""
    reason, first = (
        _reason(case.decision),
        case.decision.explanation or next(iter(case.finding.explanations), None),
    )
    if reason is Reason.UNMAPPED_ADJUSTMENT and first:
        kinds = intents.unmapped(intents.lines_of(first), decided.policy.policy)
        return f"the policy maps no document to: {', '.join(kinds)}"
    if first and first.currency and not decided.exchanges:
        owed = f"the books take no {case.receipt.currency} for items in {first.currency}"
        return f"{owed}: {first.evidence[0].text}"
    against = [e.text for e in first.evidence if not e.supports] if first else []
    if against:
        return against[0]
    if first and first.evidence:
        return first.evidence[0].text
    return case.finding.rejected[0].why if case.finding.rejected else "nothing in the books fits"


def _note_queued(conn: Tx, job: Job, news: "Sequence[Judged]", opened: queues.Opened, at: str) -> None:
    ids = opened.new | opened.changed
    audit.record(
        conn,
        job.ledger.id,
        at,
        ENGINE,
        [
            audit.Entry(
                what=f"queued: {_reason(c.decision).value}",
                subject=f"receipt:{c.receipt.id}",
                body={
                    "queue": ids.get(f"receipt:{c.receipt.id}"),
                    "suggestions": len(c.finding.explanations),
                },
            )
            for c in news
            if f"receipt:{c.receipt.id}" in ids
        ],
    )
