"""Money that goes back: a payment the bank returned, a refund a person asked for and another approved.

Law     cash that arrived stays in the books. What goes back is an entry of its own, dated as the bank dated it, on
        which the customer owes again; the returned payment, or the credit that was refunded, settles that entry.
        arsync pays nothing: a refund is booked when the bank shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from arsync.connectors.contract import Bundle, Intent, PostEntry, Ref, Settle
from arsync.core.decisions import Reason
from arsync.core.matching.booked import RETURN_BY_NAME_DAYS, RETURN_DAYS, name_of_original, taken_back
from arsync.core.matching.normalise import normalise_payer
from arsync.core.money import Money
from arsync.errors import UsageError
from arsync.store import audit, bank, books, decisions, office, outbox, queries, queues, receipts, work
from arsync.store.engine import Tx
from arsync.store.office import Ledger
from arsync.store.queues import Entry
from arsync.sync import intents
from arsync.sync.decide import reference_of
from arsync.sync.fitting import fitted, takes
from arsync.sync.intents import Held
from arsync.sync.job import ENGINE, Job

# ---- where it is booked


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where an entry is booked: platform ids."""

    receivable: str
    bank: str


def accounts_of(conn: Tx, ledger: Ledger, bank_line_id: int, currency: str) -> Accounts:
    """The receivable account of the currency and the mirror of the bank account of a line.

    Raises:
        UsageError: one of them is not known; says how to name it.
    """
    receivable = books.receivable_accounts(conn, ledger.id, currency)
    if len(receivable) != 1:
        raise UsageError(
            f"the books have {len(receivable)} receivable accounts in {currency}, so that nobody can say which it is",
            where=ledger.name,
            do="book it in the books by hand",
        )
    mirror = books.deposit_account(conn, bank_line_id)
    if mirror is None:
        name = queries.origin(conn, bank_line_id).account
        raise UsageError(
            f"it is not known which account of the books the bank account {name} is",
            where=ledger.name,
            do=f"arsync bank map {name} --deposit-account ID",
        )
    return Accounts(receivable[0], mirror)


def held(conn: Tx, ledger: Ledger, payment_id: int, today: date) -> Held:
    """A payment the platform holds, and whether its record may still change."""
    row = books.item_row(conn, ledger.id, payment_id)
    facts = books.books_of(conn, ledger.id)
    closed = facts.closed_until if facts else None
    owner = books.platform_refs(conn, ledger.id, "customer", [row.customer_id])[row.customer_id]
    name = books.platform_refs(conn, ledger.id, "item", [payment_id])[payment_id]
    locked = closed is not None and row.issued <= closed
    return Held(books.item_ref(name), Ref("customer", owner), locked, today)


# ---- a return


def originals(conn: Tx, ledger: Ledger, receipt: Any, amount: Money) -> list[Any]:
    """Receipts in the books that a return of this amount may take back, as the queue says it."""
    back = work.receipt_row(receipt)
    days = (receipt.on_date - timedelta(days=RETURN_DAYS), receipt.on_date)
    rows = decisions.receipts_of_amount(conn, ledger.id, amount.minor, amount.currency, days)
    days = (receipt.on_date - timedelta(days=RETURN_BY_NAME_DAYS), receipt.on_date)
    rows += receipts.naming(conn, ledger.id, [name_of_original(back)], days)
    by_id = {row.id: row for row in rows if row.state in decisions.IN_THE_BOOKS}
    seen = [(work.receipt_row(row), row.customer_id or 0) for row in by_id.values()]
    return [by_id[one.id] for one in taken_back(back, seen, amount.minor).receipts]


def opened_again(conn: Tx, ledger: Ledger, payment_id: int, amount: Money) -> tuple[Settle, ...]:
    """What a payment settles and no longer will: its unapplied part goes first, then its items, newest due first."""
    needed = amount.minor + books.open_minor(conn, ledger.id, payment_id)  # an unapplied part is negative
    settled = {i: minor for i, minor in books.applied_by(conn, ledger.id, payment_id).items() if minor > 0}
    rows = sorted(
        (row for row in (books.item_row(conn, ledger.id, i) for i in settled) if row is not None),
        key=lambda row: (row.due, row.id),
        reverse=True,
    )
    names = books.platform_refs(conn, ledger.id, "item", settled)
    freed = []
    for row in rows:
        minor = min(needed, settled[row.id])
        if minor > 0:
            freed.append(Settle(books.item_ref(names[row.id]), Money(minor, amount.currency)))
            needed -= minor
    return tuple(freed)


@dataclass(frozen=True, slots=True)
class Given:
    """A return as it will be booked."""

    customer_id: int
    customer: Ref
    on: date
    amount: Money
    fee: Money | None
    reference: str


def return_intents(
    conn: Tx, ledger: Ledger, given: Given, where: Accounts, original: Any, today: date
) -> tuple[Intent, ...]:
    """What a return asks of the platform; the payment of `original` moves to the entry where it may change."""
    fee_account = office.policy_in_force(conn, ledger.id).policy.fee_account if given.fee else None
    entry = PostEntry(
        given.customer, given.on, given.amount, where.receivable, where.bank, "returned payment", given.reference,
        given.fee, fee_account,
    )  # fmt: skip
    if original is None or original.payment_id is None:
        return intents.for_return(entry, None, ())
    payment = held(conn, ledger, original.payment_id, today)
    if payment.locked or books.is_deposited(conn, ledger.id, original.payment_id):
        return intents.for_return(entry, None, ())
    settled = opened_again(conn, ledger, original.payment_id, given.amount)
    return intents.for_return(entry, payment.payment, settled)


# ---- refunds


def reference_for(decision_id: int) -> str:
    """What the transfer of a refund should say, so that its bank line is known again."""
    return f"RF-{decision_id}"


def book_refunds(job: Job) -> int:
    """Plan the booking of every approved refund that the bank shows now; how many."""
    if job.ledger.mode == "observe":
        return 0
    with job.store.read() as conn:
        waiting = decisions.approved_refunds(conn, job.ledger.id)
        if not waiting:
            return 0
        fits = _fits(conn, job, waiting)
    booked = 0
    for row in waiting:
        sure, possible = fits[row.id]
        if len(sure) == 1:
            booked += _book(job, row, sure[0])
        elif possible:
            _ask_which(job, row, possible)
    return booked


def _fits(conn: Tx, job: Job, waiting: Sequence[Any]) -> dict[int, tuple[list[Any], list[Any]]]:
    """Per refund: the lines that are surely it, and those whose amount alone fits."""
    amounts = {row.id: refunded(conn, job.ledger, row.id) for row in waiting}
    asked_on = {row.id: job.ledger.day_of(datetime.fromisoformat(row.at)) for row in waiting}
    since = min(asked_on.values())
    lines = bank.outgoing(conn, job.ledger.id, {-one.minor for one in amounts.values()}, since)
    names = queries.customer_names(conn, job.ledger.id)
    found = {}
    for row in waiting:
        amount, asked = amounts[row.id], asked_on[row.id]
        same = [
            line
            for line in lines
            if (line.amount_minor, line.currency) == (-amount.minor, amount.currency)
            and line.booking_date >= asked
        ]
        named = [line for line in same if _mentions(line, reference_for(row.id))]
        payee = [line for line in same if _names(line, names.get(row.customer_id, ""))]
        # Two refunds of one amount to one customer: only the reference tells them apart.
        twins = [
            other for other in waiting
            if other.id != row.id and other.customer_id == row.customer_id and amounts[other.id] == amount
        ]  # fmt: skip
        found[row.id] = (named or ([] if twins else payee), same)
    return found


def refunded(conn: Tx, ledger: Ledger, decision_id: int) -> Money:
    """What a refund gives back."""
    spent = decisions.lines(conn, ledger.id, decision_id)
    return Money(-sum(line.amount_minor for line in spent), spent[0].currency)


def _mentions(line: Any, reference: str) -> bool:
    return reference in f"{line.payer_name} {line.text}".upper().replace(",", " ").split()


def _names(line: Any, customer: str) -> bool:
    wanted = normalise_payer(customer)
    return bool(wanted) and wanted in (normalise_payer(line.payer_name), normalise_payer(line.text))


def _ask_which(job: Job, row: Any, lines: Sequence[Any]) -> None:
    listed = ", ".join(f"L-{line.id} of {line.booking_date} {line.payer_name}".rstrip() for line in lines[:5])
    with job.store.begin() as conn:
        amount = refunded(conn, job.ledger, row.id)
        entry = Entry(
            subject=f"decision:{row.id}",
            reason=Reason.CONFIRMATION.value,
            detail=f"which line paid the refund D-{row.id}? {listed}: arsync refund book D-{row.id} --line L-…",
            customer_id=row.customer_id,
            currency=amount.currency,
            amount_minor=-amount.minor,
        )
        queues.open_items(conn, job.ledger.id, [entry], job.at())


def _book(job: Job, row: Any, line: Any) -> int:
    at = job.at()
    with job.store.begin() as conn:
        try:
            book_refund(conn, job.ledger, row, line, job.today(), at)
        except UsageError as error:
            entry = Entry(
                subject=f"decision:{row.id}",
                reason=Reason.UNMAPPED_ADJUSTMENT.value,
                detail=f"the refund D-{row.id} cannot be booked: {error.what}; {error.do}",
                customer_id=row.customer_id,
            )
            queues.open_items(conn, job.ledger.id, [entry], at)
            return 0
        body = {"decision": row.id, "line": line.id}
        audit.record(
            conn, job.ledger.id, at, ENGINE, [audit.Entry("refund seen", f"decision:{row.id}", body)]
        )
        queues.close(conn, job.ledger.id, [f"decision:{row.id}"], ENGINE, f"L-{line.id} paid it", at)
    return 1


def book_refund(conn: Tx, ledger: Ledger, row: Any, line: Any, today: date, at: str) -> None:
    """Plan the booking of a refund that a bank line shows.

    Raises:
        UsageError: an account it needs is not known.
    """
    amount = refunded(conn, ledger, row.id)
    where = accounts_of(conn, ledger, line.id, amount.currency)
    owner = books.platform_refs(conn, ledger.id, "customer", [row.customer_id])[row.customer_id]
    receipt_id = bank.claim(conn, ledger.id, line)
    reference = reference_of(decisions.receipt_of(conn, ledger.id, receipt_id))
    entry = PostEntry(
        Ref("customer", owner), line.booking_date, amount, where.receivable, where.bank, "refund",
        f"{reference_for(row.id)} {reference}",
    )  # fmt: skip
    spent = {s.item_id: s.amount_minor for s in decisions.lines(conn, ledger.id, row.id)}
    names = books.platform_refs(conn, ledger.id, "item", spent)
    refs = {item_id: books.item_ref(name) for item_id, name in names.items()}
    payments = [item_id for item_id, ref in refs.items() if ref.kind == "payment"]
    settles = [Settle(refs[i], Money(minor, amount.currency)) for i, minor in spent.items()]
    if takes(conn, ledger, "refund"):
        wanted = intents.refunds(entry, settles)
    else:
        used = held(conn, ledger, payments[0], today) if payments else None
        wanted = intents.for_refund(entry, used, settles)
    decisions.set_receipt(
        conn,
        ledger.id,
        receipt_id,
        state="planned",
        decision_id=row.id,
        customer_id=row.customer_id,
        hands_off=True,
    )
    decisions.tell_receipt(conn, ledger.id, row.id, receipt_id)
    queues.close(conn, ledger.id, [f"receipt:{receipt_id}"], ENGINE, f"it paid the refund D-{row.id}", at)
    outbox.plan(
        conn, ledger.id, [(row.id, Bundle(f"{ledger.uid}-{row.id}", 1, fitted(conn, ledger, wanted)))], at
    )
