"""What the bank account shows beside payments: money received and spent, overpayments, prepayments, transfers.

Law     an overpayment or prepayment is born with the bank transaction that received it, and stands in Accounts
        Receivable; the transaction can then no longer be changed.
Source  reference pages of BankTransactions, Overpayments, Prepayments, BankTransfers.
"""

from decimal import Decimal

from arsync.simulators.exact_json import Document
from arsync.simulators.xero import contacts, fields, papers
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.ledger import Entry
from arsync.simulators.xero.payments import bank_account
from arsync.simulators.xero.records import Account, Actor, Kind, Paper, Transfer
from arsync.simulators.xero.refusals import HAS_APPLIED, Invalid

PLAIN = {"RECEIVE": 1, "SPEND": -1}
CREDITS: dict[str, tuple[Kind, int]] = {
    "RECEIVE-OVERPAYMENT": ("Overpayment", 1),
    "RECEIVE-PREPAYMENT": ("Prepayment", 1),
    "SPEND-OVERPAYMENT": ("Overpayment", -1),
    "SPEND-PREPAYMENT": ("Prepayment", -1),
}


def save(books: Books, element: Document, actor: Actor, unit_digits: int = 2) -> Paper:
    """Make a bank transaction, or change or delete the one that is meant."""
    known_id = fields.text(element, "BankTransactionID")
    if not known_id:
        return create(books, element, actor, unit_digits)
    known: Paper | None = books.find(books.papers, known_id)
    if known is None or known.kind != "BankTransaction":
        raise Invalid("Bank transaction with the supplied ID could not be found")
    return update(books, known, element, actor, unit_digits)


def create(books: Books, element: Document, actor: Actor, unit_digits: int = 2) -> Paper:
    """Money received or spent; with an overpayment or prepayment where the type says so."""
    kind = fields.text(element, "Type") or ""
    if kind not in PLAIN and kind not in CREDITS:
        raise Invalid(f"{kind} is not a valid bank transaction type")
    account = bank_account(books, element, "BankAccount")
    contact = contacts.of_document(books, element, actor)
    on = fields.day(element, "Date") or books.today()
    books.check_unlocked(on, actor)
    currency = account.currency or books.organisation.base_currency
    rate = Decimal(1)
    if currency != books.organisation.base_currency:
        rate = fields.rate(element) or books.day_rate(currency)
    made = Paper(books.new_id(), "BankTransaction", kind, contact.id, on, currency, rate, "AUTHORISED")
    made.reference = fields.text(element, "Reference", 255) or ""
    made.amount_types, made.bank_account_id, made.app_id = "Inclusive", account.id, actor.app_id
    made.reconciled = bool(fields.flag(element, "IsReconciled"))
    books.add_paper(made)
    _fill(books, made, element, unit_digits)
    if kind in CREDITS:
        _credit(books, made, account)
    else:
        _post(books, made)
    books.stamp(made)
    books.note(made.id, "Created", f"{kind} created", actor.user)
    return made


def _fill(books: Books, made: Paper, element: Document, unit_digits: int) -> None:
    if made.type.endswith("OVERPAYMENT"):
        element = {**element, "LineAmountTypes": "NoTax"}
    papers.set_lines(books, made, element, unit_digits)
    if not made.lines:
        raise Invalid("One or more line items must be specified")
    if made.total_cents <= 0:
        raise Invalid("The document total must be greater than zero.")
    made.base_cents = books.to_base(made.total_cents, made.rate)


def _post(books: Books, made: Paper) -> None:
    for line in made.lines:
        account = books.account_by_code(line.account_code)
        if account is None or account.system in {"DEBTORS", "CREDITORS"}:
            raise Invalid(f"Account code '{line.account_code}' is not a valid code for this document.")
    lines = papers.document_lines(books, made, made.bank_account_id, PLAIN[made.type])
    books.post(made.id, Entry(made.on, books.postings(*lines)))


def _credit(books: Books, made: Paper, account: Account) -> None:
    """The credit beside the bank transaction; it carries the entry."""
    kind, side = CREDITS[made.type]
    credit = Paper(
        books.new_id(),
        kind,
        made.type,
        made.contact_id,
        made.on,
        made.currency,
        made.rate,
        "AUTHORISED",
        reference=made.reference,
        number=made.reference if kind == "Prepayment" else "",
        amount_types=made.amount_types,
        lines=made.lines,
        net_cents=made.net_cents,
        tax_cents=made.tax_cents,
        total_cents=made.total_cents,
        base_cents=made.base_cents,
        app_id=made.app_id,
        bank_account_id=account.id,
    )
    books.add_paper(credit)
    made.credit_id = credit.id
    control, _ = books.control(credit)
    lines = ((account.id, side * made.base_cents), (control, -side * made.base_cents))
    books.post(credit.id, Entry(made.on, books.postings(*lines)))
    books.stamp(credit)
    books.tell(credit, "CREATE")
    books.note(credit.id, "Created", f"{kind} created", "System Generated")


def update(books: Books, made: Paper, element: Document, actor: Actor, unit_digits: int = 2) -> Paper:
    """Change or delete a plain bank transaction."""
    if made.credit_id or made.status != "AUTHORISED":
        raise Invalid("This bank transaction cannot be edited")
    books.check_unlocked(made.on, actor)
    books.change(made)
    if fields.text(element, "Status") == "DELETED":
        made.status, made.reconciled = "DELETED", False
        books.post(made.id, None)
    else:
        made.on = fields.day(element, "Date") or made.on
        books.check_unlocked(made.on, actor)
        made.reference = fields.text(element, "Reference", 255) or made.reference
        if fields.inner(element, "Contact"):
            books.move_paper(made, contacts.of_document(books, element, actor).id)
        _fill(books, made, element, unit_digits)
        _post(books, made)
    books.stamp(made)
    books.note(made.id, "Edited", "Bank transaction changed", actor.user)
    return made


def void_credit(books: Books, credit: Paper, actor: Actor) -> Paper:
    """A person takes an overpayment or prepayment back, with the bank transaction that received it."""
    if credit.applied:
        raise Invalid(HAS_APPLIED)
    books.change(credit)
    papers.void(books, credit, actor)
    for one in books.contact_papers(credit.contact_id):
        if one.credit_id == credit.id:
            books.change(one)
            one.status, one.reconciled = "VOIDED", False
            books.stamp(one)
    return credit


# ---- transfers ---------------------------------------------------------------------------------------------


def create_transfer(books: Books, element: Document, actor: Actor) -> Transfer:
    """Move money between two bank accounts of one currency."""
    from_account = bank_account(books, element, "FromBankAccount")
    to_account = bank_account(books, element, "ToBankAccount")
    cents = fields.cents(element, "Amount")
    if cents is None or cents <= 0:
        raise Invalid("Amount must be greater than zero")
    if from_account.id == to_account.id or from_account.currency != to_account.currency:
        raise Invalid("A transfer needs two different bank accounts of the same currency")
    on = fields.day(element, "Date") or books.today()
    books.check_unlocked(on, actor)
    made = Transfer(books.new_id(), from_account.id, to_account.id, on, cents, created_ms=books.now_ms())
    made.reference = fields.text(element, "Reference", 255) or ""
    books.add(books.transfers, made)
    base = books.to_base(cents, books.day_rate(from_account.currency or books.organisation.base_currency))
    books.post(made.id, Entry(on, books.postings((to_account.id, base), (from_account.id, -base))))
    return made


def delete_transfer(books: Books, made: Transfer, actor: Actor) -> Transfer:
    """Take a transfer back."""
    if made.status == "DELETED":
        raise Invalid("This bank transfer has already been deleted")
    books.check_unlocked(made.on, actor)
    books.change(made)
    books.post(made.id, None)
    made.status = "DELETED"
    return made
