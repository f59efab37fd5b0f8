"""What a reader sees of a record: whole, as a line of an unpaged list, as a summary, or as a stub inside another.

Shape   every function returns a new JSON object; keys of absent values are left out, never null.
Source  examples of the public specification and of the reference pages.
"""

from decimal import Decimal

from arsync.simulators.exact_json import Document
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.chart import CURRENCY_NAMES, VERSIONS
from arsync.simulators.xero.payments import PAYMENT_TYPES
from arsync.simulators.xero.records import (
    Account,
    Allocation,
    Batch,
    Contact,
    Kind,
    Line,
    Note,
    Organisation,
    Paper,
    Payment,
    Transfer,
)
from arsync.simulators.xero.wire import amount, day_text, json_day, json_moment, moment_text

SUMMARY_DROPS = {"Payments", "HasAttachments", "LineItems", "CISDeduction"}
CONTACT_SUMMARY_DROPS = {"Balances", "IsCustomer", "IsSupplier", "ContactGroups", "ContactPersons"}
_LINKS: tuple[tuple[Kind, str], ...] = (
    ("CreditNote", "CreditNotes"),
    ("Prepayment", "Prepayments"),
    ("Overpayment", "Overpayments"),
)


def said(**values: object) -> Document:
    """Only what has a value; `False` and zero are values."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


# ---- papers ------------------------------------------------------------------------------------------------


def paper(books: Books, one: Paper, unit_digits: int = 2) -> Document:
    """The whole of an invoice, credit note, overpayment, prepayment or bank transaction."""
    shown = _head(books, one) | {"Contact": contact_full(books.contacts[one.contact_id])}
    shown["LineItems"] = [line(row, unit_digits) for row in one.lines]
    if one.kind == "Invoice":
        shown["Payments"] = [_applied_payment(pay) for pay in books.payments_of(one)]
        shown |= _credits_of(books, one)
        shown["InvoiceAddresses"] = []
    elif one.kind != "BankTransaction":
        shown["Allocations"] = [_applied_allocation(books, made) for made in books.allocations_of(one)]
        shown["Payments"] = [_applied_payment(pay) for pay in books.payments_of(one)]
    return shown


def paper_listed(books: Books, one: Paper, _unit_digits: int = 2) -> Document:
    """A line of a list without pages: no line items, hardly a contact."""
    shown = _head(books, one) | {"Contact": contact_stub(books.contacts[one.contact_id])}
    if one.kind == "Invoice":
        shown |= _credits_of(books, one)
        shown["Payments"] = [_applied_payment(pay) for pay in books.payments_of(one)]
    if one.kind in {"Invoice", "CreditNote"}:
        shown["LineItems"] = []
    return shown


def paper_summary(books: Books, one: Paper, _unit_digits: int = 2) -> Document:
    """`summaryOnly=true`: the amounts stay."""
    shown = _head(books, one) | {"Contact": contact_stub(books.contacts[one.contact_id])}
    return {name: value for name, value in shown.items() if name not in SUMMARY_DROPS}


def _head(books: Books, one: Paper) -> Document:
    shown: Document = {"Type": one.type, f"{one.kind}ID": one.id}
    shown |= {
        "Status": one.status,
        "LineAmountTypes": one.amount_types,
        "DateString": day_text(one.on),
        "Date": json_day(one.on),
        "SubTotal": amount(one.net_cents),
        "TotalTax": amount(one.tax_cents),
        "Total": amount(one.total_cents),
        "CurrencyCode": one.currency,
        "HasAttachments": False,
        "UpdatedDateUTC": json_moment(one.updated_ms),
    }
    if one.kind != "BankTransaction":
        shown["CurrencyRate"] = one.rate
        shown["UpdatedDateUTCString"] = moment_text(one.updated_ms, "Z")
    if one.fully_paid is not None and one.kind in {"Invoice", "CreditNote"}:
        shown["FullyPaidOnDate"] = json_day(one.fully_paid)
    return shown | _OWN[one.kind](books, one)


def _invoice(_books: Books, one: Paper) -> Document:
    gone = one.status in {"VOIDED", "DELETED"}
    shown: Document = {"InvoiceNumber": one.number, "Reference": one.reference}
    shown |= {
        "AmountDue": amount(0 if gone else one.open_cents),
        "AmountPaid": amount(one.paid_cents),
        "AmountCredited": amount(one.credited_cents),
        "SentToContact": one.sent,
        "IsDiscounted": bool(one.discount_cents),
        "HasErrors": False,
    }
    if one.due is not None:
        shown |= {"DueDateString": day_text(one.due), "DueDate": json_day(one.due)}
    return shown | said(
        TotalDiscount=amount(one.discount_cents) if one.discount_cents else None,
        ExpectedPaymentDate=json_day(one.expected) if one.expected else None,
        PlannedPaymentDate=json_day(one.planned) if one.planned else None,
        Url=one.url,
        BrandingThemeID=one.branding_id,
    )


def _credit_note(_books: Books, one: Paper) -> Document:
    shown: Document = {"CreditNoteNumber": one.number, "ID": one.id, "Reference": one.reference}
    remaining = 0 if one.status in {"VOIDED", "DELETED"} else one.open_cents
    shown |= {"RemainingCredit": amount(remaining), "SentToContact": one.sent, "HasErrors": False}
    if one.due is not None:
        shown |= {"DueDateString": day_text(one.due), "DueDate": json_day(one.due)}
    return shown | said(BrandingThemeID=one.branding_id)


def _credit(_books: Books, one: Paper) -> Document:
    remaining = 0 if one.status == "VOIDED" else one.open_cents
    shown: Document = {"ID": one.id, "RemainingCredit": amount(remaining)}
    if one.reference:
        shown["Reference"] = one.reference
        if one.kind == "Prepayment":
            shown["InvoiceNumber"] = one.reference
    return shown


def _bank_transaction(books: Books, one: Paper) -> Document:
    shown: Document = {"BankAccount": account_stub(books.accounts[one.bank_account_id])}
    shown |= {"IsReconciled": one.reconciled, "Reference": one.reference}
    if books.organisation.base_currency != one.currency:
        shown["CurrencyRate"] = one.rate
    if one.credit_id:
        shown[f"{books.papers[one.credit_id].kind}ID"] = one.credit_id
    return shown


_OWN = {
    "Invoice": _invoice,
    "CreditNote": _credit_note,
    "Overpayment": _credit,
    "Prepayment": _credit,
    "BankTransaction": _bank_transaction,
}


def line(row: Line, unit_digits: int) -> Document:
    """One line; unit prices with two decimals unless four were asked for."""
    unit = row.unit.quantize(Decimal("0.0001" if unit_digits == 4 else "0.01"))  # noqa: PLR2004 - unitdp=4
    shown: Document = {
        "LineItemID": row.id,
        "Description": row.description,
        "Quantity": row.quantity,
        "UnitAmount": unit,
        "LineAmount": amount(row.line_cents),
        "TaxAmount": amount(row.tax_cents),
        "TaxType": row.tax_type,
        "Tracking": list(row.tracking),
    }
    return shown | said(AccountCode=row.account_code, ItemCode=row.item_code, DiscountRate=row.discount_rate)


def _applied_payment(one: Payment) -> Document:
    return {
        "PaymentID": one.id,
        "Date": json_day(one.on),
        "Amount": amount(one.cents),
        "Reference": one.reference,
        "CurrencyRate": one.rate,
        "HasAccount": False,
        "HasValidationErrors": False,
    } | said(BatchPaymentID=one.batch_id)


def _credits_of(books: Books, one: Paper) -> Document:
    """What was allocated to an invoice, by kind; empty lists stand for none."""
    found: dict[str, list[Document]] = {name: [] for _, name in _LINKS}
    names = dict(_LINKS)
    for made in books.allocations_of(one):
        credit = books.papers[made.credit_id]
        found[names[credit.kind]].append(_applied_credit(credit, made))
    return dict(found)


def _applied_credit(credit: Paper, made: Allocation) -> Document:
    shown: Document = {
        f"{credit.kind}ID": credit.id,
        "ID": credit.id,
        "AppliedAmount": amount(made.cents),
        "DateString": day_text(credit.on),
        "Date": json_day(credit.on),
        "LineItems": [],
        "Total": amount(credit.total_cents),
        "CurrencyRate": credit.rate,
    }
    if credit.kind == "CreditNote":
        shown |= {"CreditNoteNumber": credit.number, "HasErrors": False}
    return shown


def _applied_allocation(books: Books, made: Allocation) -> Document:
    invoice = books.papers[made.invoice_id]
    return {
        "AllocationID": made.id,
        "Amount": amount(made.cents),
        "Date": json_day(made.on),
        "Invoice": {"InvoiceID": invoice.id, "InvoiceNumber": invoice.number},
    }


def allocation(books: Books, made: Allocation) -> Document:
    """An allocation by itself; a deleted one says hardly more than that."""
    if made.deleted:
        return {
            "AllocationID": made.id,
            "Date": json_day(made.on),
            "Invoice": {"InvoiceID": made.invoice_id},
            "IsDeleted": True,
        }
    credit = books.papers[made.credit_id]
    return _applied_allocation(books, made) | {credit.kind: {f"{credit.kind}ID": credit.id, "ID": credit.id}}


# ---- payments ----------------------------------------------------------------------------------------------


def payment(books: Books, one: Payment, _unit_digits: int = 2) -> Document:
    """A payment with the fuller document inside."""
    target = books.papers[one.paper_id]
    shown = _payment_head(books, one)
    inside = _head(books, target) | {
        "Contact": contact_stub(books.contacts[target.contact_id]),
        "LineItems": [],
    }
    inside |= {"Payments": []} if target.kind == "Invoice" else {}
    shown[target.kind] = inside
    if one.batch_id:
        shown["BatchPayment"] = _batch_head(books, books.batches[one.batch_id])
    return shown


def payment_listed(books: Books, one: Payment, _unit_digits: int = 2) -> Document:
    """A line of a list without pages: the document is a stub without amounts or dates."""
    target = books.papers[one.paper_id]
    stub: Document = {
        f"{target.kind}ID": target.id,
        "Contact": contact_stub(books.contacts[target.contact_id]),
    }
    if target.kind == "Invoice":
        stub |= {"Type": target.type, "InvoiceNumber": target.number, "LineItems": []}
    elif target.kind == "CreditNote":
        stub |= {"Type": target.type, "CreditNoteNumber": target.number, "LineItems": []}
    return _payment_head(books, one) | {target.kind: stub}


def _payment_head(books: Books, one: Payment) -> Document:
    target = books.papers[one.paper_id]
    shown: Document = {
        "PaymentID": one.id,
        "Date": json_day(one.on),
        "Amount": amount(one.cents),
        "BankAmount": amount(one.bank_cents),
        "Reference": one.reference,
        "CurrencyRate": one.rate,
        "PaymentType": PAYMENT_TYPES[target.type],
        "Status": one.status,
        "UpdatedDateUTC": json_moment(one.updated_ms),
        "UpdatedDateUTCString": moment_text(one.updated_ms, "Z"),
        "HasAccount": True,
        "IsReconciled": one.reconciled,
        "HasValidationErrors": False,
        "Account": account_stub(books.accounts[one.account_id]),
    }
    return shown | said(BatchPaymentID=one.batch_id)


def batch(books: Books, one: Batch, _unit_digits: int = 2) -> Document:
    """A batch with its payments."""
    rows = [books.payments[payment_id] for payment_id in one.payments]
    return _batch_head(books, one) | {
        "Payments": [
            {
                "PaymentID": row.id,
                "Amount": amount(row.cents),
                "BankAmount": amount(row.bank_cents),
                "Invoice": {
                    "InvoiceID": row.paper_id,
                    "InvoiceNumber": books.papers[row.paper_id].number,
                    "CurrencyCode": books.papers[row.paper_id].currency,
                },
            }
            for row in rows
        ]
    }


def _batch_head(books: Books, one: Batch) -> Document:
    total = sum(books.payments[payment_id].bank_cents for payment_id in one.payments)
    shown: Document = {
        "BatchPaymentID": one.id,
        "Account": account_stub(books.accounts[one.account_id]),
        "DateString": day_text(one.on),
        "Date": json_day(one.on),
        "Type": one.type,
        "Status": one.status,
        "TotalAmount": amount(total),
        "UpdatedDateUTC": json_moment(one.updated_ms),
        "IsReconciled": one.reconciled,
    }
    return shown | said(
        Reference=one.reference,
        Particulars=one.particulars,
        Code=one.code,
        Details=one.details,
        Narrative=one.narrative,
    )


def transfer(books: Books, one: Transfer, _unit_digits: int = 2) -> Document:
    """A bank transfer."""
    return {
        "BankTransferID": one.id,
        "CreatedDateUTCString": moment_text(one.created_ms),
        "CreatedDateUTC": json_moment(one.created_ms),
        "DateString": day_text(one.on),
        "Date": json_day(one.on),
        "Status": one.status,
        "FromBankAccount": account_stub(books.accounts[one.from_id]),
        "ToBankAccount": account_stub(books.accounts[one.to_id]),
        "Amount": amount(one.cents),
        "FromIsReconciled": False,
        "ToIsReconciled": False,
        "Reference": one.reference,
        "HasAttachments": False,
    }


# ---- contacts ----------------------------------------------------------------------------------------------


def contact_stub(one: Contact) -> Document:
    """A contact inside a line of a list."""
    return {
        "ContactID": one.id,
        "Name": one.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def contact_full(one: Contact) -> Document:
    """A contact inside a whole document: what can be said without looking at its other documents."""
    shown: Document = {
        "ContactID": one.id,
        "ContactStatus": one.status,
        "Name": one.name,
        "EmailAddress": one.email,
        "Addresses": list(one.addresses),
        "Phones": list(one.phones),
        "UpdatedDateUTC": json_moment(one.updated_ms),
        "ContactGroups": [],
        "ContactPersons": list(one.persons),
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    return shown | said(
        ContactNumber=one.number,
        AccountNumber=one.account_number,
        FirstName=one.first_name,
        LastName=one.last_name,
        TaxNumber=one.tax_number,
        DefaultCurrency=one.currency,
    )


def contact(books: Books, one: Contact, _unit_digits: int = 2) -> Document:
    """A contact on a page or by itself."""
    shown = contact_full(one) | _roles(books, one)
    receivable, payable = books.balance_of(one.id), books.balance_of(one.id, "CREDITORS")
    shown["Balances"] = {
        "AccountsReceivable": {"Outstanding": amount(receivable[0]), "Overdue": amount(receivable[1])},
        "AccountsPayable": {"Outstanding": amount(payable[0]), "Overdue": amount(payable[1])},
    }
    if one.terms is not None:
        shown["PaymentTerms"] = {"Sales": {"Day": one.terms[0], "Type": one.terms[1]}}
    return shown | said(MergedToContactID=one.merged_to)


def contact_listed(books: Books, one: Contact, _unit_digits: int = 2) -> Document:
    """A line of a list without pages."""
    return contact_full(one) | _roles(books, one) | {"ContactPersons": []}


def _roles(books: Books, one: Contact) -> Document:
    types = {paper.type for paper in books.contact_papers(one.id)}
    return {"IsSupplier": "ACCPAY" in types, "IsCustomer": "ACCREC" in types}


def contact_summary(_books: Books, one: Contact, _unit_digits: int = 2) -> Document:
    """`summaryOnly=true`."""
    shown = contact_full(one)
    return {name: value for name, value in shown.items() if name not in CONTACT_SUMMARY_DROPS}


# ---- the rest ----------------------------------------------------------------------------------------------


def account_stub(one: Account) -> Document:
    """An account inside something else."""
    return {"AccountID": one.id} | said(Code=one.code, Name=one.name, CurrencyCode=one.currency)


def account(_books: Books, one: Account, _unit_digits: int = 2) -> Document:
    """One account of the chart."""
    shown: Document = {
        "AccountID": one.id,
        "Name": one.name,
        "Status": one.status,
        "Type": one.type,
        "TaxType": one.tax_type,
        "Class": one.account_class,
        "EnablePaymentsToAccount": one.payments_enabled,
        "ShowInExpenseClaims": False,
        "HasAttachments": False,
        "UpdatedDateUTC": json_moment(one.updated_ms),
    }
    shown |= said(Code=one.code, SystemAccount=one.system, CurrencyCode=one.currency)
    if one.type == "BANK":
        shown |= {"BankAccountNumber": one.bank_number, "BankAccountType": "BANK"}
    return shown


def organisation(one: Organisation) -> Document:
    """The organisation."""
    shown: Document = {
        "OrganisationID": one.id,
        "Name": one.name,
        "LegalName": one.name,
        "PaysTax": bool(one.tax_percent),
        "Version": VERSIONS.get(one.country, "GLOBAL"),
        "OrganisationType": "COMPANY",
        "OrganisationEntityType": "COMPANY",
        "BaseCurrency": one.base_currency,
        "CountryCode": one.country,
        "IsDemoCompany": one.is_demo,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 12,
        "SalesTaxBasis": "ACCRUALS" if one.tax_percent else "NONE",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "CreatedDateUTC": json_moment(one.created_ms),
        "Timezone": one.timezone,
        "ShortCode": one.short_code,
        "Class": "DEMO" if one.is_demo else "PREMIUM",
        "Edition": "BUSINESS",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }
    if one.period_lock is not None:
        shown["PeriodLockDate"] = json_day(one.period_lock)
    if one.year_lock is not None:
        shown["EndOfYearLockDate"] = json_day(one.year_lock)
    return shown


def currency(code: str) -> Document:
    """An enabled currency."""
    return {"Code": code, "Description": CURRENCY_NAMES.get(code, code)}


def note(one: Note) -> Document:
    """A line of a history."""
    return {
        "Changes": one.changes,
        "DateUTCString": moment_text(one.moment_ms),
        "DateUTC": json_moment(one.moment_ms),
        "User": one.user,
        "Details": one.details,
    }
