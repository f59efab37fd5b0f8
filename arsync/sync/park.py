"""Park: at period end, money of unknown payers goes to a waiting account, where the policy says so.

Law     a receipt is parked at most once and stays in the queue; nothing about a receivable moves. When somebody
        finds the payer, the receipt is posted out of the waiting account, so the deposit stays as it is.
"""

from datetime import date

from arsync.connectors.contract import Bundle, Park
from arsync.core.decisions import EvidenceClass, Reason
from arsync.core.money import Money
from arsync.store import audit, books, decisions, office, outbox, queues
from arsync.store.engine import Tx
from arsync.store.office import PolicyVersion
from arsync.sync.decide import decision_event, reference_of
from arsync.sync.job import ENGINE, Job

_UNIDENTIFIED = frozenset({Reason.UNKNOWN_PAYER.value, Reason.SEVERAL_CUSTOMERS.value})


def park(job: Job) -> int:
    """Plan the parking of what nobody could identify by the end of its month; how many."""
    with job.store.read() as conn:
        policy = office.policy_in_force(conn, job.ledger.id)
    if policy.policy.unidentified != "book" or job.ledger.mode == "observe":
        return 0
    with job.store.read() as conn:
        chosen = _unidentified(conn, job.ledger.id, job.today().replace(day=1))
    for receipt_id, account in chosen:
        _plan(job, receipt_id, account, policy)
    return len(chosen)


def _unidentified(conn: Tx, ledger_id: int, month_start: date) -> list[tuple[int, str]]:
    """Receipts of past months whose payer is not known, with the platform's mirror of their bank account."""
    chosen = []
    for item in queues.listing(conn, ledger_id):
        if item.reason not in _UNIDENTIFIED or not item.subject.startswith("receipt:"):
            continue
        receipt = decisions.receipt_of(conn, ledger_id, item.receipt_id)
        account = books.deposit_account(conn, receipt.bank_line_id)
        late = receipt.on_date < month_start and receipt.amount_minor > 0 and not receipt.is_return
        if late and account is not None and decisions.park_of(conn, ledger_id, receipt.id) is None:
            chosen.append((receipt.id, account))
    return chosen


def _plan(job: Job, receipt_id: int, account: str, policy: PolicyVersion) -> None:
    waiting = policy.policy.unidentified_account
    assert waiting is not None  # the policy is refused without it
    at = job.at()
    with job.store.begin() as conn:
        receipt = decisions.receipt_of(conn, job.ledger.id, receipt_id)
        new = decisions.New(
            receipt_id=receipt_id,
            customer_id=None,
            verdict="park",
            evidence_class=EvidenceClass.NONE.value,
            probability=1.0,
            decided_by=ENGINE,
            why="nobody could say who paid by the end of the month",
            currency=receipt.currency,
            lines=(),
            state="planned",
            receipt_state=None,
            policy_version=policy.version,
        )
        (decision_id,) = decisions.keep(conn, job.ledger.id, [new], at)
        total = Money(receipt.amount_minor, receipt.currency)
        intent = Park(receipt.on_date, total, waiting, account, reference_of(receipt))
        bundle = Bundle(f"{job.ledger.uid}-{decision_id}", 1, (intent,))
        outbox.plan(conn, job.ledger.id, [(decision_id, bundle)], at)
        audit.record(conn, job.ledger.id, at, ENGINE, [decision_event(decision_id, new)])
