"""Invoices and credit notes: lines, totals, the status machine, what may still be changed when money has touched them.

Law     a part-paid document keeps its amounts; moving its due date or marking it as sent does not move
        UpdatedDateUTC (the feed's documented blind spot).
Source  reference pages of Invoices and CreditNotes; error texts quoted in public code.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from arsync.simulators.exact_json import Document
from arsync.simulators.xero import contacts, fields
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.ledger import Entry
from arsync.simulators.xero.records import Actor, Contact, Kind, Line, Paper
from arsync.simulators.xero.refusals import HAS_APPLIED, Invalid
from arsync.simulators.xero.wire import rounded

TRANSITIONS = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID"},
    "VOIDED": set(),
    "DELETED": set(),
}
TYPES: dict[Kind, tuple[str, ...]] = {
    "Invoice": ("ACCREC", "ACCPAY"),
    "CreditNote": ("ACCRECCREDIT", "ACCPAYCREDIT"),
}
WORD = {"Invoice": "Invoice", "CreditNote": "Credit note"}
AMOUNT_TYPES = {"Exclusive", "Inclusive", "NoTax"}
CENT_DIGITS, UNIT_DIGITS = Decimal("0.01"), Decimal("0.0001")


def save(
    books: Books, kind: Kind, element: Document, actor: Actor, method: str, unit_digits: int = 2
) -> Paper:
    """Make a document, or change the one that is meant."""
    known = find(books, kind, element)
    if known is None:
        return create(books, kind, element, actor, unit_digits)
    if method == "PUT" and not element.get(f"{kind}ID"):
        raise Invalid("Invoice # must be unique." if kind == "Invoice" else "Credit note # must be unique.")
    return update(books, known, element, actor, unit_digits)


def find(books: Books, kind: Kind, element: Document) -> Paper | None:
    """The document an element means, by id or by its number."""
    paper_id = fields.text(element, f"{kind}ID")
    if paper_id:
        found: Paper | None = books.find(books.papers, paper_id)
        if found is None or found.kind != kind:
            raise Invalid(f"{WORD[kind]} with the supplied ID could not be found")
        return found
    number = fields.text(element, f"{kind}Number", 255)
    if not number:
        return None
    if kind == "Invoice":
        if element.get("Type", "ACCREC") != "ACCREC":
            return None
        return books.papers.get(books.numbers.get(number, ""))
    return next((one for one in books.papers.values() if one.kind == kind and one.number == number), None)


# ---- making ------------------------------------------------------------------------------------------------


def create(books: Books, kind: Kind, element: Document, actor: Actor, unit_digits: int = 2) -> Paper:
    """A new document."""
    paper_type = fields.text(element, "Type")
    if paper_type not in TYPES[kind]:
        raise Invalid(f"{WORD[kind]} type is not valid")
    status = fields.text(element, "Status") or "DRAFT"
    if status not in {"DRAFT", "SUBMITTED", "AUTHORISED"}:
        raise Invalid(f"{WORD[kind]} not of valid status for creation")
    contact = contacts.of_document(books, element, actor)
    on = fields.day(element, "Date") or books.today()
    currency = fields.text(element, "CurrencyCode") or contact.currency or books.organisation.base_currency
    paper = Paper(
        books.new_id(), kind, str(paper_type), contact.id, on, books.check_currency(currency), Decimal(1)
    )
    paper.rate = _rate(books, element, paper)
    paper.app_id, paper.status = actor.app_id, status
    books.add_paper(paper)
    _name(books, paper, element)
    _head(books, paper, element)
    if paper.due is None and kind == "Invoice":
        paper.due = due_by_terms(contact, on)
    set_lines(books, paper, element, unit_digits)
    if status == "AUTHORISED":
        _approve(books, paper, actor)
    books.stamp(paper)
    books.tell(paper, "CREATE")
    books.note(paper.id, "Created", f"{paper.number or paper.kind} created, status {status}", actor.user)
    return paper


def due_by_terms(contact: Contact, on: date) -> date:
    """When a document falls due by the contact's terms; on its date without any."""
    if contact.terms is None:
        return on
    number, kind = contact.terms
    if kind == "DAYSAFTERBILLDATE":
        return on + timedelta(days=number)
    months = {"OFCURRENTMONTH": 0, "OFFOLLOWINGMONTH": 1, "DAYSAFTERBILLMONTH": 1}[kind]
    first = _month_start(on, months)
    if kind == "DAYSAFTERBILLMONTH":
        return first + timedelta(days=number - 1)
    last = _month_start(first, 1) - timedelta(days=1)
    return min(first + timedelta(days=number - 1), last)


def _month_start(day: date, ahead: int) -> date:
    month = day.month - 1 + ahead
    return date(day.year + month // 12, month % 12 + 1, 1)


def _rate(books: Books, element: Document, paper: Paper) -> Decimal:
    if paper.currency == books.organisation.base_currency:
        return Decimal(1)
    return fields.rate(element) or books.day_rate(paper.currency)


def _name(books: Books, paper: Paper, element: Document) -> None:
    number = fields.text(element, f"{paper.kind}Number", 255) or ""
    if paper.type == "ACCREC":
        while not number or (not element.get("InvoiceNumber") and number in books.numbers):
            number = f"INV-{books.take_number('invoice'):04}"
        books.name_invoice(paper, number)
    elif paper.kind == "CreditNote":
        paper.number = number or f"CN-{books.take_number('credit'):04}"
    else:
        paper.number = number


def _head(books: Books, paper: Paper, element: Document) -> None:
    """Fields that every status lets through."""
    setters: dict[str, Callable[[Document, str], object]] = {
        "due": fields.day,
        "expected": fields.day,
        "planned": fields.day,
        "reference": lambda one, name: fields.text(one, name, 255),
        "url": fields.text,
        "branding_id": fields.text,
        "sent": fields.flag,
    }
    names = {
        "due": "DueDate",
        "expected": "ExpectedPaymentDate",
        "planned": "PlannedPaymentDate",
        "reference": "Reference",
        "url": "Url",
        "branding_id": "BrandingThemeID",
        "sent": "SentToContact",
    }
    for attribute, name in names.items():
        value = setters[attribute](element, name)
        if value is not None:
            setattr(paper, attribute, value)
    # Only this name takes the day away; "ExpectedPaymentDate": "" does nothing (XeroAPI/xero-node#476).
    if element.get("ExpectedPaymentDateString") == "":
        paper.expected = None


# ---- lines and totals --------------------------------------------------------------------------------------


def set_lines(books: Books, paper: Paper, element: Document, unit_digits: int) -> None:
    """Lines, how their amounts are meant, and the totals they make."""
    kind = fields.text(element, "LineAmountTypes")
    if kind is not None:
        if kind not in AMOUNT_TYPES:
            raise Invalid(f"{kind} is not a valid LineAmountTypes")
        paper.amount_types = kind
    rows = fields.rows(element, "LineItems")
    if rows is not None:
        old = {line.id: line for line in paper.lines}
        paper.lines = tuple(_line(books, paper, row, old, unit_digits) for row in rows)
    total(paper)


def _line(books: Books, paper: Paper, row: Document, old: dict[str, Line], unit_digits: int) -> Line:
    """One line: with a known LineItemID it is changed, otherwise it is new."""
    before = old.get(str(row.get("LineItemID", "")).lower())
    quantity = fields.number(row, "Quantity")
    if quantity is None:
        quantity = before.quantity if before else Decimal(1)
    unit = fields.number(row, "UnitAmount")
    given = fields.cents(row, "LineAmount")
    if unit is None:
        unit = before.unit if before else Decimal(given or 0).scaleb(-2) / (quantity or Decimal(1))
    unit = unit.quantize(UNIT_DIGITS if unit_digits == 4 else CENT_DIGITS)  # noqa: PLR2004 - unitdp=4
    discount = fields.number(row, "DiscountRate")
    share = (100 - (discount or Decimal(0))) / 100
    cents = rounded(quantity * unit * share * 100)
    if given is not None and given != cents:
        expected, found = Decimal(cents).scaleb(-2), Decimal(given).scaleb(-2)
        raise Invalid(f"The line total {found} does not match the expected line total {expected}")
    code = fields.text(row, "AccountCode")
    code = code if code is not None else (before.account_code if before else "")
    account = books.account_by_code(code)
    tax_type = fields.text(row, "TaxType") or (
        before.tax_type if before else account.tax_type if account else "NONE"
    )
    tax = fields.cents(row, "TaxAmount")
    return Line(
        before.id if before else books.new_id(),
        fields.text(row, "Description") or (before.description if before else ""),
        quantity,
        unit,
        cents,
        tax if tax is not None else tax_of(books, paper.amount_types, tax_type, cents),
        code,
        "NONE" if paper.amount_types == "NoTax" else tax_type,
        fields.text(row, "ItemCode") or "",
        discount,
        tuple(fields.rows(row, "Tracking") or ()),
    )


def tax_of(books: Books, amount_types: str, tax_type: str, cents: int) -> int:
    """The tax of one line, rounded by itself."""
    percent = books.organisation.tax_percent if tax_type in {"OUTPUT", "INPUT"} else Decimal(0)
    if amount_types == "NoTax" or not percent:
        return 0
    if amount_types == "Inclusive":
        return rounded(Decimal(cents) * percent / (100 + percent))
    return rounded(Decimal(cents) * percent / 100)


def total(paper: Paper) -> None:
    """SubTotal, TotalTax and Total from the lines."""
    lines, tax = sum(line.line_cents for line in paper.lines), sum(line.tax_cents for line in paper.lines)
    paper.tax_cents = tax
    paper.net_cents = lines - tax if paper.amount_types == "Inclusive" else lines
    paper.total_cents = paper.net_cents + tax
    undiscounted = sum(rounded(line.quantity * line.unit * 100) for line in paper.lines if line.discount_rate)
    discounted = sum(line.line_cents for line in paper.lines if line.discount_rate)
    paper.discount_cents = undiscounted - discounted


# ---- approval ----------------------------------------------------------------------------------------------


def _approve(books: Books, paper: Paper, actor: Actor) -> None:
    """What an AUTHORISED document must have; then it stands in the ledger."""
    books.check_unlocked(paper.on, actor)
    if not paper.lines:
        raise Invalid("One or more line items must be specified")
    for line in paper.lines:
        if not line.description:
            raise Invalid("Description is required")
        account = books.account_by_code(line.account_code)
        if account is None or account.status != "ACTIVE" or account.system in {"DEBTORS", "CREDITORS"}:
            raise Invalid(f"Account code '{line.account_code}' is not a valid code for this document.")
    if paper.total_cents < 0:
        raise Invalid("The document total must be greater than or equal to zero.")
    paper.base_cents = books.to_base(paper.total_cents, paper.rate)
    control, side = books.control(paper)
    books.post(paper.id, Entry(paper.on, books.postings(*document_lines(books, paper, control, side))))
    if paper.total_cents == 0:
        paper.status, paper.fully_paid = "PAID", paper.on


def document_lines(books: Books, paper: Paper, control: str, side: int) -> list[tuple[str, int]]:
    """The entry of a document: the whole against its lines and their tax, what rounding leaves to ROUNDING."""
    found = [(control, side * paper.base_cents)]
    for line in paper.lines:
        net = line.line_cents - line.tax_cents if paper.amount_types == "Inclusive" else line.line_cents
        account = books.account_by_code(line.account_code)
        if account is None:
            raise Invalid(f"Account code '{line.account_code}' is not a valid code for this document.")
        found.append((account.id, -side * books.to_base(net, paper.rate)))
        found.append((books.system("GST").id, -side * books.to_base(line.tax_cents, paper.rate)))
    found.append((books.system("ROUNDING").id, -sum(base for _, base in found)))
    return found


# ---- changing ----------------------------------------------------------------------------------------------


def update(books: Books, paper: Paper, element: Document, actor: Actor, unit_digits: int = 2) -> Paper:
    """Change a document as far as its status lets."""
    status = fields.text(element, "Status") or paper.status
    # The SDK and many clients send a paid document's old status back.
    if paper.status == "PAID" and status == "AUTHORISED":
        status = "PAID"
    if status not in TRANSITIONS[paper.status]:
        if status == "VOIDED" and paper.applied:
            raise Invalid(HAS_APPLIED)
        raise Invalid(f"{WORD[paper.kind]} not of valid status for modification")
    books.change(paper)
    if status == "VOIDED":
        return void(books, paper, actor)
    if status == "DELETED":
        return _delete(books, paper, actor)
    if paper.status in {"AUTHORISED", "PAID"}:
        books.check_unlocked(paper.on, actor)
    before = replace(paper)
    if paper.applied or paper.status == "PAID":
        _change_settled(books, paper, element, actor)
    else:
        _change_open(books, paper, element, actor, unit_digits)
        if status == "AUTHORISED":
            paper.status = status
            _approve(books, paper, actor)
        paper.status = paper.status if status == "AUTHORISED" else status
    _stamp_change(books, paper, before)
    books.tell(paper, "UPDATE")
    books.note(paper.id, "Edited", f"{paper.number or paper.kind} changed", actor.user)
    return paper


def _stamp_change(books: Books, paper: Paper, before: Paper) -> None:
    """Move UpdatedDateUTC, but not for what the feed is blind to on a part-paid document."""
    seen = replace(before, due=paper.due, sent=paper.sent)
    if not (paper.applied and seen == paper):
        books.stamp(paper)


def _change_open(books: Books, paper: Paper, element: Document, actor: Actor, unit_digits: int) -> None:
    if fields.inner(element, "Contact"):
        books.move_paper(paper, contacts.of_document(books, element, actor).id)
    paper.on = fields.day(element, "Date") or paper.on
    currency = fields.text(element, "CurrencyCode")
    if currency and currency != paper.currency:
        paper.currency = books.check_currency(currency)
        paper.rate = books.day_rate(currency)
    if paper.currency != books.organisation.base_currency:
        paper.rate = fields.rate(element) or paper.rate
    _rename(books, paper, element)
    _head(books, paper, element)
    set_lines(books, paper, element, unit_digits)


def _rename(books: Books, paper: Paper, element: Document) -> None:
    number = fields.text(element, f"{paper.kind}Number", 255)
    if not number or number == paper.number:
        return
    if paper.type == "ACCREC":
        books.name_invoice(paper, number)
    else:
        paper.number = number


def _change_settled(books: Books, paper: Paper, element: Document, actor: Actor) -> None:
    """Money has touched it: its amounts stay."""
    rows = fields.rows(element, "LineItems")
    if rows is not None:
        paper.lines = _relabelled(books, paper, rows)
    block = fields.inner(element, "Contact")
    contact = contacts.of_document(books, element, actor) if block else None
    if contact is not None and contact.id != paper.contact_id:
        if paper.allocations:
            raise Invalid(HAS_APPLIED)
        books.move_paper(paper, contact.id)
    asked = fields.day(element, "Date")
    if asked is not None and asked != paper.on:
        raise Invalid(HAS_APPLIED)
    currency = fields.text(element, "CurrencyCode")
    if currency is not None and currency != paper.currency:
        raise Invalid(HAS_APPLIED)
    _rename(books, paper, element)
    _head(books, paper, element)
    if rows is not None:
        control, side = books.control(paper)
        books.post(paper.id, Entry(paper.on, books.postings(*document_lines(books, paper, control, side))))


def _relabelled(books: Books, paper: Paper, rows: list[Document]) -> tuple[Line, ...]:
    """The same lines with another description, account or tracking; anything else is refused."""
    old = {line.id: line for line in paper.lines}
    new = tuple(_line(books, paper, row, old, 4) for row in rows)
    kept = [(line.id, line.line_cents, line.tax_cents) for line in new]
    if kept != [(line.id, line.line_cents, line.tax_cents) for line in paper.lines]:
        raise Invalid(HAS_APPLIED)
    return new


def void(books: Books, paper: Paper, actor: Actor) -> Paper:
    """Take an authorised document out of the books; nothing may be applied to it."""
    if paper.applied:
        raise Invalid(HAS_APPLIED)
    books.check_unlocked(paper.on, actor)
    books.post(paper.id, None)
    paper.status, paper.base_cents, paper.base_settled = "VOIDED", 0, 0
    books.stamp(paper)
    books.tell(paper, "UPDATE")
    books.note(paper.id, "Voided", f"{paper.number or paper.kind} voided", actor.user)
    return paper


def _delete(books: Books, paper: Paper, actor: Actor) -> Paper:
    paper.status = "DELETED"
    books.stamp(paper)
    books.tell(paper, "UPDATE")
    books.note(paper.id, "Deleted", f"{paper.number or paper.kind} deleted", actor.user)
    return paper


# ---- sending -----------------------------------------------------------------------------------------------


def email(books: Books, paper: Paper, actor: Actor) -> None:
    """Send an invoice to its contact, as often as a day allows."""
    if paper.status not in {"SUBMITTED", "AUTHORISED", "PAID"}:
        raise Invalid("Only submitted, authorised or paid invoices can be emailed")
    if not books.contacts[paper.contact_id].email:
        raise Invalid("The contact does not have an email address")
    day = books.now().date().isoformat()
    cap = 0 if books.organisation.is_demo else books.switches.email_cap
    sent = books.emails.get(day, 0)
    if sent >= cap:
        raise Invalid("You have reached the limit of emails that can be sent in a day")
    books.change(paper)
    books.emails[day] = sent + 1
    before = replace(paper)
    paper.sent = True
    _stamp_change(books, paper, before)
    books.note(paper.id, "Invoice sent", f"{paper.number} sent to the contact", actor.user)
