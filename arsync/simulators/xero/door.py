"""One request to the accounting API, from its path to the document that answers it.

Shape   `Door.act(books, call)` returns a status and a JSON document, or raises `Refused`. Who asks has been checked.
Law     a write is one transaction: without `summarizeErrors=false` one bad element leaves nothing behind; with it
        each element stands or falls by itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arsync.simulators.exact_json import Document, parse_json
from arsync.simulators.xero import (
    bank,
    contacts,
    fields,
    listing,
    papers,
    payments,
    refusals,
    rendering,
    reports,
    wire,
)
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.listing import RESOURCES, Resource
from arsync.simulators.xero.records import Account, Actor, Paper, Payment
from arsync.simulators.xero.refusals import Failed, Invalid

NOTE_LENGTH = 2_500
AREAS = {
    "Invoices": "invoices",
    "CreditNotes": "invoices",
    "Payments": "payments",
    "BatchPayments": "payments",
    "Overpayments": "payments",
    "Prepayments": "payments",
    "BankTransactions": "banktransactions",
    "BankTransfers": "banktransactions",
    "Contacts": "contacts",
}
"""What of a consent opens an endpoint; everything else is `settings`."""
SETTINGS = {
    "Accounts",
    "BrandingThemes",
    "Currencies",
    "InvoiceReminders",
    "Organisation",
    "TaxRates",
    "Users",
}
NOT_SIMULATED = {
    "Budgets", "ContactGroups", "Employees", "ExpenseClaims", "Items", "Journals", "LinkedTransactions",
    "ManualJournals", "PaymentServices", "PurchaseOrders", "Quotes", "Receipts", "RepeatingInvoices", "Setup",
    "TrackingCategories",
}  # fmt: skip
_PDF = b"%PDF-1.4\n% a simulated document\n%%EOF\n"

Save = Callable[[Books, Document, "Call"], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request whose sender is known."""

    method: str
    parts: tuple[str, ...]  # of the path, after /api.xro/2.0
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    actor: Actor

    @property
    def digits(self) -> int:
        """Decimals of unit prices."""
        return 4 if self.query.get("unitdp") == "4" else 2


@dataclass(frozen=True, slots=True)
class Done:
    """What answers a call; `raw` instead of a document where the answer is no document.

    `writes` is how many things the books have taken.
    """

    status: int
    document: Document | None = None
    raw: bytes = b""
    content_type: str = ""
    writes: int = 0


def area_of(parts: tuple[str, ...]) -> str:
    """What of a consent a path needs."""
    head = parts[0] if parts else ""
    if head == "Reports":
        return reports.AREAS.get(parts[1] if len(parts) > 1 else "", "reports.balancesheet")
    return AREAS.get(head, "settings")


def act(books: Books, call: Call) -> Done:
    """Serve one request."""
    head, *rest = call.parts or ("",)
    if head in NOT_SIMULATED:
        raise refusals.not_here(head)
    if head == "Reports" and rest and call.method == "GET":
        return Done(200, reports.run(books, rest[0], call.query))
    if head in SETTINGS - {"Accounts"}:
        return _settings(books, call, head, rest)
    resource = RESOURCES.get(head)
    if resource is None:
        raise refusals.not_found()
    match rest:
        case []:
            return _collection(books, resource, call)
        case [record_id]:
            return _single(books, resource, record_id, call)
        case [record_id, "History"] if head != "Accounts":
            return _history(books, resource, record_id, call)
        case [record_id, *below]:
            return _below(books, resource, _found(books, resource, record_id), below, call)
    raise refusals.not_found()


# ---- reading -----------------------------------------------------------------------------------------------


def _collection(books: Books, resource: Resource, call: Call) -> Done:
    if call.method != "GET":
        return _written(books, resource, call, elements(call.body, resource.name))
    rows, pagination = listing.find(books, resource, call.query, _since(call), call.actor.app_id)
    rows = [_strange(books, row, resource) for row in rows]
    shown: Document = {"pagination": pagination} if pagination else {}
    return Done(200, {**shown, resource.name: rows})


def _since(call: Call) -> int | None:
    text = call.headers.get("if-modified-since", "")
    try:
        return wire.read_moment_s(text) if text else None
    except ValueError as bad:
        raise refusals.Refused(
            412, b"One or more conditions in the request header could not be read"
        ) from bad


def _strange(books: Books, row: Document, resource: Resource) -> Document:
    """A row as a test wants it to be read."""
    return {**row, **books.overlays.get(str(row[resource.id_field]), {})}


def _found(books: Books, resource: Resource, name: str) -> Any:  # noqa: ANN401 - the resource's own records
    """A record by id, and where Xero allows it by number."""
    known = resource.one(books, name)
    if known is not None:
        return known
    if resource.kind == "Invoice" and name in books.numbers:
        return books.papers[books.numbers[name]]
    if resource.kind in {"Contact", "CreditNote"}:
        found = next((row for row in resource.rows(books) if name and row.number == name), None)
        if found is not None:
            return found
    raise refusals.not_found()


def _single(books: Books, resource: Resource, record_id: str, call: Call) -> Done:
    found = _found(books, resource, record_id)
    if call.method == "POST":
        named = [{**one, resource.id_field: found.id} for one in elements(call.body, resource.name)]
        return _written(books, resource, call, named[:1])
    if call.method != "GET":
        raise refusals.no_such_method()
    if "application/pdf" in call.headers.get("accept", "") and resource.kind in {"Invoice", "CreditNote"}:
        return Done(200, raw=_PDF, content_type="application/pdf")
    shown = _strange(books, resource.full(books, found, call.digits), resource)
    return Done(200, {resource.name: [shown]})


def _history(books: Books, resource: Resource, record_id: str, call: Call) -> Done:
    found = _found(books, resource, record_id)
    if call.method == "GET":
        notes = [rendering.note(one) for one in reversed(books.history.get(found.id, ()))]
        return Done(200, {"HistoryRecords": notes})
    if call.method != "PUT":
        raise refusals.no_such_method()
    with books.writing():
        for element in elements(call.body, "HistoryRecords"):
            details = str(element.get("Details") or "")
            if not details or len(details) > NOTE_LENGTH:
                why = f"Details must have between 1 and {NOTE_LENGTH} characters"
                raise refusals.validation([Failed(element, (why,))])
            books.note(found.id, "Note", details)
    return Done(200, {"HistoryRecords": [rendering.note(books.history[found.id][-1])]}, writes=1)


def _below(books: Books, resource: Resource, found: Any, below: list[str], call: Call) -> Done:  # noqa: ANN401 - the resource's own records
    match (call.method, resource.kind, *below):
        case ("POST", "Invoice", "Email"):
            _validly({}, lambda: _in_one(books, lambda: papers.email(books, found, call.actor)))
            return Done(204, writes=1)
        case ("GET", "Invoice", "OnlineInvoice"):
            if found.status == "DRAFT":
                raise refusals.validation([Failed({"InvoiceID": found.id}, ("The invoice is a draft",))])
            url = f"https://in.xero.com/{found.id.replace('-', '')[:24]}"
            return Done(200, {"OnlineInvoices": [{"OnlineInvoiceUrl": url}]})
        case ("GET", "Invoice" | "CreditNote", "pdf"):
            return Done(200, raw=_PDF, content_type="application/pdf")
        case ("PUT", "CreditNote" | "Overpayment" | "Prepayment", "Allocations"):
            return _allocate(books, found, call)
        case ("DELETE", "CreditNote" | "Overpayment" | "Prepayment", "Allocations", allocation_id):
            made = books.find(books.allocations, allocation_id)
            if made is None or made.credit_id != found.id:
                raise refusals.not_found()
            _validly({}, lambda: _in_one(books, lambda: payments.deallocate(books, made, call.actor)))
            return Done(200, rendering.allocation(books, made), writes=1)
        case (_, _, "Attachments", *_):
            raise refusals.not_here("Attachments")
    raise refusals.not_found()


def _in_one(books: Books, write: Callable[[], object]) -> None:
    with books.writing():
        write()


def _validly(element: Document, write: Callable[[], object]) -> None:
    try:
        write()
    except Invalid as bad:
        raise refusals.validation([Failed(element, bad.messages)]) from bad


# ---- writing -----------------------------------------------------------------------------------------------


def elements(body: bytes, plural: str) -> list[Document]:
    """The elements of a body: `{"Invoices": [...]}`, or one object by itself."""
    try:
        document = parse_json(body)
    except (ValueError, RecursionError) as bad:
        raise refusals.unreadable(f"JSON for post data was invalid: {bad}") from bad
    if not isinstance(document, dict):
        raise refusals.unreadable("JSON for post data was invalid: an object is expected")
    found = document.get(plural, [document])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise refusals.unreadable(f"{plural} must be a list of objects")
    return found


def _written(books: Books, resource: Resource, call: Call, given: list[Document]) -> Done:
    save = _SAVES.get(resource.name)
    if save is None or call.method not in {"PUT", "POST"}:
        raise refusals.no_such_method()
    summarize = call.query.get("summarizeErrors", "true").lower() != "false"
    rows: list[Document] = []
    failed: list[Failed] = []
    with books.writing():
        for element in given:
            try:
                with books.writing():
                    record = save(books, element, call)
            except Invalid as bad:
                failed.append(Failed(element, bad.messages))
                rows.append(_failed_row(books, element, bad.messages))
                continue
            rows.append(_written_row(books, resource, record, call, marked=not summarize))
        if failed and summarize:
            raise refusals.validation(failed)
    return Done(200, {resource.name: rows}, writes=len(rows) - len(failed))


def _failed_row(books: Books, element: Document, messages: tuple[str, ...]) -> Document:
    key = books.switches.error_text_key
    return {
        **refusals.echo(element),
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{key: message} for message in messages],
    }


def _written_row(books: Books, resource: Resource, record: Any, call: Call, *, marked: bool) -> Document:  # noqa: ANN401 - the resource's own records
    shown = resource.full(books, record, call.digits)
    remarks = payments.warnings(books, record) if isinstance(record, Payment) else ()
    if remarks:
        shown["Warnings"] = refusals.errors(remarks)
    if marked:
        shown["StatusAttributeString"] = "WARNING" if remarks else "OK"
    return shown


def _allocate(books: Books, credit: Paper, call: Call) -> Done:
    made, failed = [], []
    with books.writing():
        for element in elements(call.body, "Allocations"):
            try:
                made.append(payments.allocate(books, credit, element, call.actor))
            except Invalid as bad:
                failed.append(Failed(element, bad.messages))
        if failed:
            raise refusals.validation(failed)
    return Done(200, {"Allocations": [rendering.allocation(books, one) for one in made]}, writes=1)


def _save_contact(books: Books, element: Document, call: Call) -> object:
    return contacts.save(books, element, call.actor, call.method)


def _save_invoice(books: Books, element: Document, call: Call) -> object:
    return papers.save(books, "Invoice", element, call.actor, call.method, call.digits)


def _save_credit_note(books: Books, element: Document, call: Call) -> object:
    return papers.save(books, "CreditNote", element, call.actor, call.method, call.digits)


def _save_bank_transaction(books: Books, element: Document, call: Call) -> object:
    return bank.save(books, element, call.actor, call.digits)


def _save_payment(books: Books, element: Document, call: Call) -> object:
    known = books.find(books.payments, element.get("PaymentID", ""))
    if known is None:
        return payments.create(books, element, call.actor)
    if element.get("Status") != "DELETED":
        raise Invalid("A payment cannot be changed; delete it and make another")
    return payments.delete(books, known, call.actor)


def _save_batch(books: Books, element: Document, call: Call) -> object:
    known = books.find(books.batches, element.get("BatchPaymentID", ""))
    if known is None and element.get("BatchPaymentID"):
        raise Invalid("Batch payment with the supplied ID could not be found")
    if known is None:
        return payments.create_batch(books, element, call.actor)
    if element.get("Status") != "DELETED":
        raise Invalid("A batch payment cannot be changed; delete it and make another")
    return payments.delete_batch(books, known, call.actor)


def _save_transfer(books: Books, element: Document, call: Call) -> object:
    known = books.find(books.transfers, element.get("BankTransferID", ""))
    if known is None:
        return bank.create_transfer(books, element, call.actor)
    if element.get("Status") != "DELETED":
        raise Invalid("A bank transfer cannot be changed")
    return bank.delete_transfer(books, known, call.actor)


def save_account(books: Books, element: Document, _call: Call) -> Account:
    """A new account of the chart, or changed fields of one."""
    account: Account | None = books.find(books.accounts, element.get("AccountID", ""))
    code, name = fields.text(element, "Code", 10) or "", fields.text(element, "Name", 150) or ""
    if account is None:
        kind = fields.text(element, "Type") or ""
        if not name or kind not in {"BANK", "REVENUE", "EXPENSE", "CURRENT", "CURRLIAB", "EQUITY"}:
            raise Invalid("An account needs a Name and a known Type")
        if code and books.account_by_code(code) is not None:
            raise Invalid("Please enter a unique Code.")
        classes = {"REVENUE": "REVENUE", "EXPENSE": "EXPENSE", "CURRLIAB": "LIABILITY", "EQUITY": "EQUITY"}
        account = books.add(
            books.accounts, Account(books.new_id(), code, name, kind, classes.get(kind, "ASSET"))
        )
        if kind == "BANK":
            base = books.organisation.base_currency
            account.currency = books.check_currency(fields.text(element, "CurrencyCode") or base)
            account.bank_number = fields.text(element, "BankAccountNumber", 40) or ""
    else:
        books.change(account)
        account.name, account.code = name or account.name, code or account.code
        account.status = fields.text(element, "Status") or account.status
    enabled = fields.flag(element, "EnablePaymentsToAccount")
    account.payments_enabled = account.payments_enabled if enabled is None else enabled
    books.stamp(account)
    return account


_SAVES: dict[str, Save] = {
    "Accounts": save_account,
    "BankTransactions": _save_bank_transaction,
    "BankTransfers": _save_transfer,
    "BatchPayments": _save_batch,
    "Contacts": _save_contact,
    "CreditNotes": _save_credit_note,
    "Invoices": _save_invoice,
    "Payments": _save_payment,
}


# ---- settings ----------------------------------------------------------------------------------------------


def _settings(books: Books, call: Call, head: str, rest: list[str]) -> Done:
    organisation = books.organisation
    match (call.method, head, *rest):
        case ("GET", "Organisation"):
            return Done(200, {"Organisations": [rendering.organisation(organisation)]})
        case ("GET", "Organisation", "Actions"):
            return Done(200, {"Actions": _actions(books, call.actor)})
        case ("GET", "Currencies"):
            return Done(200, {"Currencies": [rendering.currency(one) for one in organisation.currencies]})
        case ("PUT", "Currencies"):
            (element, *_) = elements(call.body, "Currencies")
            code = str(element.get("Code", ""))
            with books.writing():
                add_currency(books, code)
            return Done(200, {"Currencies": [rendering.currency(code)]})
        case ("GET", "TaxRates"):
            return Done(200, {"TaxRates": _tax_rates(books)})
        case ("GET", "BrandingThemes"):
            return Done(200, {"BrandingThemes": []})
        case ("GET", "InvoiceReminders", "Settings"):
            return Done(200, {"InvoiceReminders": [{"Enabled": organisation.reminders}]})
        case ("GET", "Users"):
            return Done(200, {"Users": []})
    raise refusals.no_such_method()


def add_currency(books: Books, code: str) -> None:
    """Enable a currency."""
    organisation = books.change(books.organisation)
    if code not in organisation.currencies:
        organisation.currencies = (*organisation.currencies, code)


def _actions(books: Books, actor: Actor) -> list[Document]:
    allowed = {
        "CreateApprovedInvoice": True,
        "CreateDraftInvoice": True,
        "CreateRepeatingInvoice": False,
        "UseMulticurrency": len(books.organisation.currencies) > 1,
        "ApproveTransactionsBeforePeriodLockDate": actor.adviser,
        "AttachFilesIntoInvoice": False,
    }
    return [{"Name": name, "Status": "ALLOWED" if yes else "NOT-ALLOWED"} for name, yes in allowed.items()]


def _tax_rates(books: Books) -> list[Document]:
    percent = books.organisation.tax_percent
    return [
        {
            "Name": name,
            "TaxType": kind,
            "Status": "ACTIVE",
            "DisplayTaxRate": rate,
            "EffectiveRate": rate,
            "TaxComponents": [{"Name": name, "Rate": rate, "IsCompound": False}],
        }
        for name, kind, rate in (("Tax on Sales", "OUTPUT", percent), ("Tax Exempt", "NONE", 0))
    ]
