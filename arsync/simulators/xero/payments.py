"""Money against papers: payments, refunds, batches, and credits that are allocated.

Units   a payment's amount is in its document's currency, its bank amount in the account's.
Law     what a payment takes from the control account is its share of the document at the document's own rate; the
        difference to what reached the bank is a realised gain or loss.
Source  reference pages of Payments, BatchPayments, CreditNotes; lock texts quoted in public code.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from arsync.simulators.exact_json import Document
from arsync.simulators.xero import fields
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.ledger import Entry
from arsync.simulators.xero.records import (
    SIDES,
    Account,
    Actor,
    Allocation,
    Batch,
    Kind,
    Paper,
    Payment,
)
from arsync.simulators.xero.refusals import LOCKED_PAYMENT, NOT_AUTHORISED, OVER_OUTSTANDING, Invalid
from arsync.simulators.xero.wire import amount

TARGETS: tuple[Kind, ...] = ("Invoice", "CreditNote", "Prepayment", "Overpayment")
PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENTPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENTPAYMENT",
}
DOUBTFUL = 2  # a rate so many times the day's, or that part of it, draws a warning
_BATCH_TEXTS = (
    ("Reference", "reference", 255),
    ("Particulars", "particulars", 12),
    ("Code", "code", 12),
    ("Details", "details", 255),
    ("Narrative", "narrative", 18),
)


class Sums(NamedTuple):
    """What one payment moves, in three currencies."""

    cents: int
    bank_cents: int
    base_cents: int
    rate: Decimal


# ---- payments ----------------------------------------------------------------------------------------------


def create(books: Books, element: Document, actor: Actor) -> Payment:
    """Pay one document, or refund one credit."""
    paper, account = target(books, element), bank(books, element, "Account")
    on = fields.day(element, "Date") or books.today()
    sums = _sums(books, paper, account, element)
    payment = pay(
        books, paper, account, on, sums, actor, reference=fields.text(element, "Reference", 255) or ""
    )
    # Meant for conversions; it marks no statement line.
    payment.reconciled = bool(fields.flag(element, "IsReconciled"))
    return payment


def warnings(books: Books, payment: Payment) -> tuple[str, ...]:
    """What Xero remarks about a payment it has taken."""
    day_rate = books.day_rate(books.papers[payment.paper_id].currency)
    if day_rate / DOUBTFUL <= payment.rate <= day_rate * DOUBTFUL:
        return ()
    return (f"The currency rate {payment.rate} is significantly different from the day's rate {day_rate}.",)


def target(books: Books, element: Document) -> Paper:
    """The one document a payment is about."""
    named = [(kind, block) for kind in TARGETS if (block := fields.inner(element, kind))]
    for kind in ("Invoice", "CreditNote"):
        number = fields.text(element, f"{kind}Number", 255)
        if number and not any(one == kind for one, _ in named):
            named.append((kind, {f"{kind}Number": number}))
    if len(named) != 1:
        raise Invalid("A payment must name exactly one Invoice, CreditNote, Prepayment or Overpayment")
    kind, block = named[0]
    found = _paper(books, kind, block)
    if found is None:
        raise Invalid(f"{kind} could not be found")
    if found.status != "AUTHORISED":
        raise Invalid(NOT_AUTHORISED)
    return found


def _paper(books: Books, kind: Kind, block: Document) -> Paper | None:
    paper_id = fields.text(block, f"{kind}ID")
    if paper_id:
        found: Paper | None = books.find(books.papers, paper_id)
        return found if found is not None and found.kind == kind else None
    number = fields.text(block, f"{kind}Number", 255)
    if kind == "Invoice" and number in books.numbers:
        return books.papers[books.numbers[number]]
    return next(
        (one for one in books.papers.values() if number and (one.kind, one.number) == (kind, number)), None
    )


def bank(books: Books, element: Document, name: str) -> Account:
    """An account money can reach: a bank, or one that is enabled for payments."""
    block = fields.inner(element, name)
    if block is None:
        raise Invalid(f"{name} is required")
    code = fields.text(block, "Code")
    account = books.find(books.accounts, block.get("AccountID", "")) or books.account_by_code(code or "")
    if account is None:
        raise Invalid("The account could not be found")
    if account.status != "ACTIVE" or not (account.type == "BANK" or account.payments_enabled):
        raise Invalid(
            "Payments can only be made to a bank account or an account that is enabled for payments"
        )
    found: Account = account
    return found


def bank_account(books: Books, element: Document, name: str) -> Account:
    """A bank account proper, which alone has a bank screen: money received, spent and moved needs one."""
    account = bank(books, element, name)
    if account.type != "BANK":
        raise Invalid(f"{name} must be an account of type BANK")
    return account


def _sums(books: Books, paper: Paper, account: Account, element: Document) -> Sums:
    cents = fields.cents(element, "Amount")
    if cents is None or cents <= 0:
        raise Invalid("Amount must be greater than zero")
    return sums_of(books, paper, account, cents, fields.cents(element, "BankAmount"), fields.rate(element))


def sums_of(
    books: Books, paper: Paper, account: Account, cents: int, bank_cents: int | None, rate: Decimal | None
) -> Sums:
    """Amounts in the document's, the bank's and the base currency; what is given decides what is derived."""
    base = books.organisation.base_currency
    into = account.currency or base
    if bank_cents is not None and bank_cents <= 0:
        raise Invalid("BankAmount must be greater than zero")
    if into == paper.currency:
        if bank_cents not in {None, cents}:
            raise Invalid("BankAmount must equal Amount where the account has the document's currency")
        rate = Decimal(1) if into == base else rate or books.day_rate(paper.currency)
        return Sums(cents, cents, books.to_base(cents, rate), rate)
    if into == base:
        if bank_cents is not None:
            return Sums(cents, bank_cents, bank_cents, books.rate_between(cents, bank_cents))
        rate = rate or books.day_rate(paper.currency)
        return Sums(cents, books.to_base(cents, rate), books.to_base(cents, rate), rate)
    if paper.currency == base:
        # A document in base currency, paid into a foreign account: what it is worth here is its own amount.
        return Sums(cents, bank_cents or books.from_base(cents, books.day_rate(into)), cents, Decimal(1))
    raise Invalid(f"A {paper.currency} document cannot be paid into a {into} account")


def pay(  # noqa: PLR0913 - a payment and who makes it
    books: Books,
    paper: Paper,
    account: Account,
    on: date,
    sums: Sums,
    actor: Actor,
    *,
    reference: str = "",
    batch_id: str = "",
) -> Payment:
    """Book one payment."""
    if books.locks(on, actor):
        raise Invalid(LOCKED_PAYMENT)
    if sums.cents > paper.open_cents:
        raise Invalid(OVER_OUTSTANDING)
    books.change(paper)
    relief = books.relief(paper, sums.cents)
    payment = Payment(
        books.new_id(),
        paper.id,
        account.id,
        on,
        sums.cents,
        sums.bank_cents,
        sums.rate,
        sums.base_cents,
        relief,
        reference,
        batch_id=batch_id,
    )
    books.add(books.payments, payment)
    control, side = books.control(paper)
    gain = books.system("REALISEDCURRENCYGAIN").id
    lines = ((account.id, side * sums.base_cents), (control, -side * relief))
    difference = side * (relief - sums.base_cents)
    books.post(payment.id, Entry(on, books.postings(*lines, (gain, difference))))
    paper.payments = (*paper.payments, payment.id)
    paper.paid_cents += sums.cents
    paper.base_settled += relief
    books.settled(paper, on)
    books.stamp(payment)
    said = f"Payment of {amount(sums.cents)} on {on.isoformat()}"
    books.note(paper.id, "Payment", said, actor.user)
    books.note(payment.id, "Created", said, actor.user)
    return payment


def delete(books: Books, payment: Payment, actor: Actor) -> Payment:
    """Take one payment back, unless it belongs to a batch."""
    if payment.status == "DELETED":
        raise Invalid("This payment has already been deleted")
    if payment.batch_id:
        raise Invalid("This payment was created by a batch payment and cannot be deleted by itself")
    return _undo(books, payment, actor)


def _undo(books: Books, payment: Payment, actor: Actor) -> Payment:
    if books.locks(payment.on, actor):
        raise Invalid(LOCKED_PAYMENT)
    if payment.reconciled and books.switches.delete_reconciled == "refuse" and not actor.person:
        raise Invalid("A reconciled payment cannot be deleted")
    paper = books.change(books.papers[payment.paper_id])
    books.change(payment)
    books.post(payment.id, None)
    payment.status, payment.reconciled = "DELETED", False
    paper.payments = tuple(one for one in paper.payments if one != payment.id)
    paper.paid_cents -= payment.cents
    paper.base_settled -= payment.base_relief
    books.settled(paper, None)
    books.stamp(payment)
    books.note(paper.id, "Payment deleted", f"Payment of {amount(payment.cents)} removed", actor.user)
    books.note(payment.id, "Deleted", "Payment deleted", actor.user)
    return payment


# ---- batches -----------------------------------------------------------------------------------------------


def create_batch(books: Books, element: Document, actor: Actor) -> Batch:
    """Several invoices paid by one line at the bank."""
    account = bank(books, element, "Account")
    on = fields.day(element, "Date") or books.today()
    rows = fields.rows(element, "Payments") or []
    if not rows:
        raise Invalid("A batch payment must have at least one payment")
    if any(fields.inner(row, kind) for row in rows for kind in ("CreditNote", "Prepayment", "Overpayment")):
        raise Invalid("Batch payments can only be made against invoices")
    papers = [target(books, row) for row in rows]
    kinds = {paper.type for paper in papers}
    if len(kinds) > 1:
        raise Invalid("A batch payment cannot mix sales invoices and bills")
    base = books.organisation.base_currency
    foreign = any(paper.currency != base for paper in papers) or account.currency not in {"", base}
    if foreign and not actor.person:
        raise Invalid(f"Batch payments can only be made in the organisation's base currency {base}")
    batch = Batch(books.new_id(), "RECBATCH" if kinds == {"ACCREC"} else "PAYBATCH", account.id, on)
    for name, attribute, limit in _BATCH_TEXTS:
        setattr(batch, attribute, fields.text(element, name, limit) or "")
    books.add(books.batches, batch)
    for row, paper in zip(rows, papers, strict=True):
        if paper.status != "AUTHORISED":  # an earlier row has paid it
            raise Invalid(NOT_AUTHORISED)
        sums = _sums(books, paper, account, row)
        made = pay(books, paper, account, on, sums, actor, reference=batch.reference, batch_id=batch.id)
        batch.payments = (*batch.payments, made.id)
    books.stamp(batch)
    books.note(batch.id, "Created", f"Batch of {len(rows)} payments created", actor.user)
    return batch


def delete_batch(books: Books, batch: Batch, actor: Actor) -> Batch:
    """Take all payments of a batch back."""
    if batch.status == "DELETED":
        raise Invalid("This batch payment has already been deleted")
    books.change(batch)
    for payment_id in batch.payments:
        _undo(books, books.payments[payment_id], actor)
    batch.status, batch.reconciled = "DELETED", False
    books.stamp(batch)
    books.note(batch.id, "Deleted", "Batch payment deleted", actor.user)
    return batch


# ---- allocations -------------------------------------------------------------------------------------------


def allocate(books: Books, credit: Paper, element: Document, actor: Actor) -> Allocation:
    """Use part of a credit on an invoice; the date is the later of the two documents'."""
    block = fields.inner(element, "Invoice")
    invoice = _paper(books, "Invoice", block) if block else None
    if invoice is None:
        raise Invalid("Invoice could not be found")
    cents = fields.cents(element, "Amount")
    if cents is None or cents <= 0:
        raise Invalid("Amount must be greater than zero")
    _check_allocation(books, credit, invoice, cents)
    on = max(credit.on, invoice.on)
    books.check_unlocked(on, actor)
    books.change(credit)
    books.change(invoice)
    made = Allocation(
        books.new_id(),
        credit.id,
        invoice.id,
        on,
        cents,
        books.relief(credit, cents),
        books.relief(invoice, cents),
    )
    books.add(books.allocations, made)
    control, side = books.control(invoice)
    gain = books.system("REALISEDCURRENCYGAIN").id
    net = side * (made.base_credit - made.base_invoice)
    books.post(made.id, Entry(on, books.postings((control, net), (gain, -net))))
    for paper, base in ((credit, made.base_credit), (invoice, made.base_invoice)):
        paper.allocations = (*paper.allocations, made.id)
        paper.credited_cents += cents
        paper.base_settled += base
        books.settled(paper, on)
    books.note(
        invoice.id, "Credit Applied", f"{credit.kind} {credit.number} applied, {amount(cents)}", actor.user
    )
    books.note(credit.id, "Credit Applied", f"Applied to {invoice.number}, {amount(cents)}", actor.user)
    return made


def _check_allocation(books: Books, credit: Paper, invoice: Paper, cents: int) -> None:
    if credit.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Invalid("Allocations can only be made between Authorised documents")
    if SIDES[credit.type][0] != SIDES[invoice.type][0] or SIDES[credit.type][1] == SIDES[invoice.type][1]:
        raise Invalid("The credit cannot be allocated to a document of this type")
    if credit.contact_id != invoice.contact_id:
        raise Invalid("The credit can only be allocated to invoices of the same contact")
    if credit.currency != invoice.currency:
        raise Invalid("The credit can only be allocated to invoices of the same currency")
    if cents > credit.open_cents:
        raise Invalid("The allocation amount exceeds the remaining credit")
    if cents > invoice.open_cents:
        raise Invalid("The allocation amount exceeds the amount outstanding on the invoice")


def deallocate(books: Books, made: Allocation, actor: Actor) -> Allocation:
    """Take an allocation back."""
    if made.deleted:
        raise Invalid("This allocation has already been deleted")
    books.check_unlocked(made.on, actor)
    books.change(made)
    books.post(made.id, None)
    made.deleted = True
    for paper_id, base in ((made.credit_id, made.base_credit), (made.invoice_id, made.base_invoice)):
        paper = books.change(books.papers[paper_id])
        paper.allocations = tuple(one for one in paper.allocations if one != made.id)
        paper.credited_cents -= made.cents
        paper.base_settled -= base
        books.settled(paper, None)
        books.note(paper.id, "Credit Removed", f"Allocation of {amount(made.cents)} removed", actor.user)
    return made
