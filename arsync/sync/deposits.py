"""Deposits: a bank line that became several receipts is brought to the bank as the one line it is.

Law     the payments of its receipts less the fee that was kept are the line, to the cent; a deposit is made only when
        every receipt of the line is in the books.
"""

from dataclasses import dataclass
from typing import Any

from arsync.connectors.contract import Banked, Bundle, PostDeposit
from arsync.core.decisions import EvidenceClass, Reason
from arsync.core.money import Money
from arsync.store import audit, books, decisions, office, outbox, queries, queues
from arsync.store.engine import Tx
from arsync.store.queues import Entry
from arsync.sync.decide import decision_event, reference_of
from arsync.sync.job import ENGINE, Job


def deposit(job: Job) -> int:
    """Plan the deposit of every such line that is ready; how many."""
    if job.ledger.mode == "observe":
        return 0
    with job.store.read() as conn:
        lines = decisions.lines_to_deposit(conn, job.ledger.id)
        asked = {row.subject for row in queues.listing(conn, job.ledger.id)} if lines else set()
        open_lines = [
            line for line in lines if f"deposit:{line}" not in asked
        ]  # of the others a person is asked
        ready = [(line, found) for line in open_lines if (found := _ready(conn, job, line)) is not None]
    planned = 0
    for line_id, found in ready:
        planned += _plan(job, line_id, found)
    return planned


@dataclass(frozen=True, slots=True)
class _Ready:
    """A line whose receipts are all in the books."""

    intent: PostDeposit
    receipt_id: int
    why_not: str = ""
    reason: Reason = Reason.BOOKS_DISAGREE


def _ready(conn: Tx, job: Job, line_id: int) -> _Ready | None:
    rows = sorted(decisions.receipts_of_line(conn, job.ledger.id, line_id), key=lambda row: row.part)
    paid, kept = [r for r in rows if r.amount_minor > 0], [r for r in rows if r.amount_minor < 0]
    mirror = books.deposit_account(conn, line_id)
    if mirror is None or not paid or any(r.state not in (*decisions.IN_THE_BOOKS, "not_ours") for r in paid):
        return None
    line = queries.origin(conn, line_id)
    booked = [r for r in paid if r.state in decisions.IN_THE_BOOKS]
    # Where no pull shows deposits, the platform is asked right before ours is sent.
    writes = job.connector.manifest.writes.get("deposit")
    is_told = writes is None or writes.shown == "pull"
    banked = [r for r in booked if is_told and books.is_deposited(conn, job.ledger.id, r.payment_id)]
    if len(banked) == len(paid):
        return None  # somebody has brought it to the bank
    gross = Money(sum(r.amount_minor for r in paid), line.currency)
    total = Money(line.amount_minor, line.currency)
    fee, account = gross - total, office.policy_in_force(conn, job.ledger.id).policy.fee_account
    names = books.platform_refs(conn, job.ledger.id, "item", [r.payment_id for r in booked])
    intent = PostDeposit(
        line.booking_date, total, mirror,
        tuple(Banked(books.item_ref(names[r.payment_id]), Money(r.amount_minor, r.currency)) for r in booked),
        reference_of(rows[0]), fee or None, account,
    )  # fmt: skip
    ready = _Ready(intent, rows[0].id)
    if len(booked) < len(paid) or banked or any(r.state != "not_ours" for r in kept):
        why = "some of its receipts are no receivables, or are on a deposit already: make the deposit in the books"
        return _Ready(intent, rows[0].id, why)
    if fee.minor < 0:
        return _Ready(intent, rows[0].id, f"its receipts are {gross}, which is less than the line")
    if fee and account is None:
        why = f"{fee} was kept as a fee, and the policy names no account: arsync adjustments map fee --account ID"
        return _Ready(intent, rows[0].id, why, Reason.UNMAPPED_ADJUSTMENT)
    return ready


def _plan(job: Job, line_id: int, ready: _Ready) -> int:
    at, total = job.at(), ready.intent.total
    with job.store.begin() as conn:
        if ready.why_not:
            entry = Entry(
                subject=f"deposit:{line_id}",
                reason=ready.reason.value,
                detail=f"the deposit of the line of {ready.intent.on} over {total}: {ready.why_not}",
                receipt_id=ready.receipt_id,
                currency=total.currency,
                amount_minor=total.minor,
            )
            queues.open_items(conn, job.ledger.id, [entry], at)
            return 0
        new = decisions.New(
            receipt_id=ready.receipt_id, customer_id=None, verdict="deposit",
            evidence_class=EvidenceClass.NONE.value, probability=1.0, decided_by=ENGINE,
            why=f"every receipt of the bank line of {ready.intent.on} over {total} is in the books",
            currency=total.currency, lines=(), state="planned", receipt_state=None,
        )  # fmt: skip
        (decision_id,) = decisions.keep(conn, job.ledger.id, [new], at)
        outbox.plan(
            conn,
            job.ledger.id,
            [(decision_id, Bundle(f"{job.ledger.uid}-{decision_id}", 1, (ready.intent,)))],
            at,
        )
        audit.record(conn, job.ledger.id, at, ENGINE, [decision_event(decision_id, new)])
    return 1


def deposit_of(conn: Tx, ledger_id: int, bank_line_id: int) -> Any:
    """The deposit of ours that brought a line to the bank; None if there is none."""
    for row in decisions.receipts_of_line(conn, ledger_id, bank_line_id):
        for one in decisions.of_receipt(conn, ledger_id, row.id):
            if one.verdict == "deposit" and one.state in ("planned", "done"):
                return one
    return None
