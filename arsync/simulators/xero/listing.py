"""Lists: what is filtered, in what order, which page of it, in how much detail.

Shape   `find(books, resource, query, since_s)` returns the rows rendered, and the `pagination` object where the answer
        is a page.
Law     pages of an unchanging list hold every record once; a record that changes moves to the end of the default
        order, so that a reader who goes on paging meets it again.
Source  reference page "Requests and responses"; Invoices, Payments for the optimised fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from arsync.simulators.exact_json import Document
from arsync.simulators.xero import rendering, where
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.payments import PAYMENT_TYPES
from arsync.simulators.xero.records import Contact, Paper, Transfer
from arsync.simulators.xero.refusals import bad_query, too_many
from arsync.simulators.xero.wire import amount

PAGE, PAGE_MOST = 100, 1000
Getter = Callable[[Books, Any], Any]
Render = Callable[[Books, Any, int], Document]


@dataclass(frozen=True, slots=True)
class Resource:
    """One endpoint that lists records."""

    name: str  # plural, as in the path and the answer
    kind: str  # singular
    table: Callable[[Books], Mapping[str, Any]]
    fields: Mapping[str, Getter]
    optimised: frozenset[str]
    full: Render
    listed: Render
    summary: Render | None = None
    paged: bool = True
    modified_ms: Callable[[Any], int] = lambda row: int(row.updated_ms)
    lists: Mapping[str, str] = field(default_factory=dict)  # list parameter -> field it filters

    def rows(self, books: Books) -> list[Any]:
        """All records of this kind."""
        return [row for row in self.table(books).values() if getattr(row, "kind", self.kind) == self.kind]

    def one(self, books: Books, record_id: str) -> Any:  # noqa: ANN401 - the table's own kind of record
        """A record by id; None when there is none of this kind."""
        row = self.table(books).get(record_id.lower())
        return row if getattr(row, "kind", self.kind) == self.kind else None

    @property
    def id_field(self) -> str:
        """`InvoiceID`."""
        return f"{self.kind}ID"


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean parameter, in either case."""
    return query.get(name, "").lower() == "true"


def whole(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole-number parameter."""
    text = query.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError as bad:
        raise bad_query(f"{name} '{text}' is not a number") from bad


def find(
    books: Books, resource: Resource, query: Mapping[str, str], since_s: int | None, app_id: str = ""
) -> tuple[list[Document], Document | None]:
    """The rows a GET of a list answers, and its pagination."""
    summary = resource.summary is not None and flag(query, "summaryOnly")
    paged = resource.paged and ("page" in query or "Statuses" in query or "pageSize" in query or summary)
    found = _wanted(books, resource, query, since_s, app_id)
    if not paged and len(found) > books.switches.threshold:
        raise too_many(books.switches.threshold)
    render = resource.summary if summary and resource.summary else resource.full if paged else resource.listed
    if not paged:
        full = resource.full if not resource.paged else render
        return [full(books, one, 2) for one in found], None
    size = min(max(whole(query, "pageSize", PAGE), 1), PAGE_MOST)
    page = max(whole(query, "page", 1), 1)
    digits = 4 if query.get("unitdp") == "4" else 2
    rows = [render(books, one, digits) for one in found[(page - 1) * size : page * size]]
    pages = -(-len(found) // size)
    return rows, {"page": page, "pageSize": size, "pageCount": pages, "itemCount": len(found)}


def _wanted(
    books: Books, resource: Resource, query: Mapping[str, str], since_s: int | None, app_id: str
) -> list[Any]:
    rows = resource.rows(books)
    asked = where.parse(query["where"]) if query.get("where") else None
    order = where.parse_order(query["order"]) if query.get("order") else []
    names = {name for name, _ in order} | (asked.fields if asked else frozenset())
    for name in names:
        if name not in resource.fields:
            raise bad_query(f"No property or field '{name}' exists in type '{resource.kind}'")
    slow = bool(names - resource.optimised) or bool(asked and asked.ors - {"invoiceid"})
    if since_s is not None:
        rows = [row for row in rows if resource.modified_ms(row) // 1000 >= since_s]
    if slow and len(rows) > books.switches.threshold:
        raise too_many(books.switches.threshold)
    rows = [row for row in rows if _listed_in(books, resource, query, row)]
    rows = [row for row in rows if _visible(row, query, app_id)]
    if asked is not None:
        get = resource.fields
        rows = [row for row in rows if asked.matches(lambda name, one=row: get[name](books, one))]  # type: ignore[misc]  # bound per row
    return _ordered(books, resource, rows, order)


def _listed_in(books: Books, resource: Resource, query: Mapping[str, str], row: object) -> bool:
    for parameter, name in resource.lists.items():
        text = query.get(parameter)
        if text:
            found = str(resource.fields[name](books, row)).casefold()
            if found not in {part.strip().casefold() for part in text.split(",")}:
                return False
    term = query.get("searchTerm", "").casefold()
    if not term:
        return True
    searched = ("number", "reference", "name", "email")
    return any(term in str(getattr(row, name, "")).casefold() for name in searched)


def _visible(row: object, query: Mapping[str, str], app_id: str) -> bool:
    if isinstance(row, Contact):
        return row.status == "ACTIVE" or flag(query, "includeArchived") or bool(query.get("IDs"))
    if isinstance(row, Transfer):
        return row.status != "DELETED" or flag(query, "includeDeleted")
    if isinstance(row, Paper) and flag(query, "createdByMyApp"):
        return row.app_id == app_id
    return True


def _ordered(books: Books, resource: Resource, rows: list[Any], order: list[tuple[str, bool]]) -> list[Any]:
    keyed = sorted(((resource.modified_ms(row), row.id, row) for row in rows), key=itemgetter(0, 1))
    found = [row for *_, row in keyed]
    for name, descending in reversed(order):
        get = resource.fields[name]

        def key(row: object, get: Getter = get) -> tuple[bool, Any]:
            value = where.comparable(get(books, row))
            return value is not None, value

        found.sort(key=key, reverse=descending)
    return found


# ---- the table ---------------------------------------------------------------------------------------------


def _contact_fields() -> dict[str, Getter]:
    return {
        "contact.contactid": lambda books, row: row.contact_id,
        "contact.name": lambda books, row: books.contacts[row.contact_id].name,
        "contact.contactnumber": lambda books, row: books.contacts[row.contact_id].number,
    }


def _paper_fields(kind: str) -> dict[str, Getter]:
    return _contact_fields() | {
        f"{kind.lower()}id": lambda _books, row: row.id,
        f"{kind.lower()}number": lambda _books, row: row.number,
        "status": lambda _books, row: row.status,
        "type": lambda _books, row: row.type,
        "reference": lambda _books, row: row.reference,
        "date": lambda _books, row: row.on,
        "duedate": lambda _books, row: row.due,
        "expectedpaymentdate": lambda _books, row: row.expected,
        "fullypaidondate": lambda _books, row: row.fully_paid,
        "total": lambda _books, row: amount(row.total_cents),
        "subtotal": lambda _books, row: amount(row.net_cents),
        "amountdue": lambda _books, row: amount(row.open_cents),
        "amountpaid": lambda _books, row: amount(row.paid_cents),
        "amountcredited": lambda _books, row: amount(row.credited_cents),
        "remainingcredit": lambda _books, row: amount(row.open_cents),
        "currencycode": lambda _books, row: row.currency,
        "senttocontact": lambda _books, row: row.sent,
        "isreconciled": lambda _books, row: row.reconciled,
        "updateddateutc": lambda _books, row: row.updated_ms,
        "bankaccount.accountid": lambda _books, row: row.bank_account_id,
    }


def _paper_resource(
    name: str, kind: str, optimised: set[str], lists: dict[str, str] | None = None
) -> Resource:
    return Resource(
        name,
        kind,
        lambda books: books.papers,
        _paper_fields(kind),
        frozenset(optimised | {"updateddateutc", f"{kind.lower()}id"}),
        rendering.paper,
        rendering.paper_listed,
        rendering.paper_summary if kind == "Invoice" else None,
        lists=lists or {},
    )


_CONTACT = {"contact.contactid", "contact.name", "contact.contactnumber"}
RESOURCES: dict[str, Resource] = {
    one.name: one
    for one in (
        _paper_resource(
            "Invoices",
            "Invoice",
            {"status", "reference", "invoicenumber", "type", "amountpaid", "date", "duedate", "amountdue"}
            | _CONTACT,
            {
                "IDs": "invoiceid",
                "InvoiceNumbers": "invoicenumber",
                "ContactIDs": "contact.contactid",
                "Statuses": "status",
            },
        ),
        _paper_resource("CreditNotes", "CreditNote", {"status", "date", "reference", "type"} | _CONTACT),
        _paper_resource(
            "Overpayments", "Overpayment", {"status", "date"} | _CONTACT, {"References": "reference"}
        ),
        _paper_resource(
            "Prepayments", "Prepayment", {"status", "date"} | _CONTACT, {"InvoiceNumbers": "reference"}
        ),
        _paper_resource(
            "BankTransactions", "BankTransaction", {"type", "status", "date", "contact.contactid"}
        ),
        Resource(
            "Payments",
            "Payment",
            lambda books: books.payments,
            {
                "paymentid": lambda _books, row: row.id,
                "paymenttype": lambda books, row: PAYMENT_TYPES[books.papers[row.paper_id].type],
                "status": lambda _books, row: row.status,
                "date": lambda _books, row: row.on,
                "amount": lambda _books, row: amount(row.cents),
                "reference": lambda _books, row: row.reference,
                "isreconciled": lambda _books, row: row.reconciled,
                "updateddateutc": lambda _books, row: row.updated_ms,
                "account.accountid": lambda _books, row: row.account_id,
                "batchpaymentid": lambda _books, row: row.batch_id or None,
                "invoice.invoiceid": lambda _books, row: row.paper_id,
                "creditnote.creditnoteid": lambda _books, row: row.paper_id,
                "invoice.invoicenumber": lambda books, row: books.papers[row.paper_id].number,
            },
            frozenset(
                {
                    "paymenttype",
                    "status",
                    "date",
                    "invoice.invoiceid",
                    "reference",
                    "paymentid",
                    "updateddateutc",
                }
            ),
            rendering.payment,
            rendering.payment_listed,
        ),
        Resource(
            "Contacts",
            "Contact",
            lambda books: books.contacts,
            {
                "contactid": lambda _books, row: row.id,
                "name": lambda _books, row: row.name,
                "emailaddress": lambda _books, row: row.email,
                "accountnumber": lambda _books, row: row.account_number,
                "contactnumber": lambda _books, row: row.number,
                "contactstatus": lambda _books, row: row.status,
                "updateddateutc": lambda _books, row: row.updated_ms,
            },
            frozenset({"name", "emailaddress", "accountnumber", "contactid", "updateddateutc"}),
            rendering.contact,
            rendering.contact_listed,
            rendering.contact_summary,
            lists={"IDs": "contactid"},
        ),
        Resource(
            "BatchPayments",
            "BatchPayment",
            lambda books: books.batches,
            {
                "batchpaymentid": lambda _books, row: row.id,
                "type": lambda _books, row: row.type,
                "status": lambda _books, row: row.status,
                "account.accountid": lambda _books, row: row.account_id,
                "date": lambda _books, row: row.on,
                "reference": lambda _books, row: row.reference,
                "updateddateutc": lambda _books, row: row.updated_ms,
            },
            frozenset({"type", "account.accountid", "status"}),
            rendering.batch,
            rendering.batch,
            paged=False,
        ),
        Resource(
            "BankTransfers",
            "BankTransfer",
            lambda books: books.transfers,
            {
                "banktransferid": lambda _books, row: row.id,
                "date": lambda _books, row: row.on,
                "amount": lambda _books, row: amount(row.cents),
                "status": lambda _books, row: row.status,
            },
            frozenset(),
            rendering.transfer,
            rendering.transfer,
            paged=False,
            modified_ms=lambda row: int(row.created_ms),
        ),
        Resource(
            "Accounts",
            "Account",
            lambda books: books.accounts,
            {
                "accountid": lambda _books, row: row.id,
                "code": lambda _books, row: row.code,
                "name": lambda _books, row: row.name,
                "type": lambda _books, row: row.type,
                "class": lambda _books, row: row.account_class,
                "status": lambda _books, row: row.status,
                "systemaccount": lambda _books, row: row.system or None,
                "enablepaymentstoaccount": lambda _books, row: row.payments_enabled,
                "updateddateutc": lambda _books, row: row.updated_ms,
            },
            frozenset(),
            rendering.account,
            rendering.account,
            paged=False,
        ),
    )
}
