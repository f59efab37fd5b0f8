"""What a reader sees of a record: the written fields, the names behind references, everything derived.

Source  property sets and defaults as in recorded traffic; only properties with a value are returned.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from arsync.simulators.quickbooks import attachments, payments
from arsync.simulators.quickbooks.chart import CURRENCY_NAMES
from arsync.simulators.quickbooks.ledger import ItemKey, in_home
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.schema import REFERENCES
from arsync.simulators.quickbooks.wire import Document, amount, pacific, to_cents

if TYPE_CHECKING:  # books imports this module
    from arsync.simulators.quickbooks.books import Books

CLASSIFICATIONS = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
}

_DERIVED = frozenset({"Id", "name"})


def render(books: "Books", record: Record) -> Document:
    """The object as JSON, numbers exact."""
    head: Document = {
        "domain": "QBO",
        "sparse": False,
        "Id": record.id,
        "SyncToken": str(record.sync_token),
        "MetaData": {"CreateTime": pacific(record.created_s), "LastUpdatedTime": pacific(record.updated_s)},
    }
    shown = _SHOW[record.kind](books, record)
    return {**head, **shown, **books.switches.extra_read_fields.get(record.kind, {})}


def full_name(books: "Books", kind: str, fields: Mapping[str, Document | str]) -> str:
    """`Parent:Child`, the name that must be unique."""
    parent = fields.get("ParentRef")
    name = str(fields.get("DisplayName", fields.get("Name", "")))
    if not isinstance(parent, dict):
        return name
    above = books.records[kind].get(parent["value"])
    return f"{full_name(books, kind, above.fields)}:{name}" if above else name


def says_nothing_new(books: "Books", record: Record, fields: Document) -> bool:
    """Whether written fields are what a reader sees already, defaults included, and leave nothing out."""
    seen = render(books, record)
    return record.fields.keys() <= fields.keys() and all(
        name in seen and without_derived(value) == without_derived(seen[name])
        for name, value in fields.items()
    )


def without_derived(value: object) -> object:
    """The same without line Ids, subtotals and the names of references: what a no-op is judged by."""
    if isinstance(value, dict):
        return {
            name: without_derived(one)
            for name, one in value.items()
            if name not in _DERIVED and not (name == "DetailType" and one == "DepositLineDetail")
        }
    if isinstance(value, list):
        kept = [
            one
            for one in value
            if not (isinstance(one, dict) and one.get("DetailType") == "SubTotalLineDetail")
        ]
        return [without_derived(one) for one in kept]
    return value


def _named(books: "Books", value: object) -> object:
    """Copy a value, with the current name behind each reference."""
    if isinstance(value, list):
        return [_named(books, one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _reference(books, name, one) for name, one in value.items()}


def _reference(books: "Books", name: str, value: object) -> object:
    if not isinstance(value, dict):
        return _named(books, value)
    if name == "CurrencyRef":
        code = value["value"]
        return {"value": code, "name": CURRENCY_NAMES.get(code, code)}
    target = books.reference_of({name: value}, name) if name in REFERENCES else None
    if target is None:
        return _named(books, value)
    shown = {"value": value["value"], "name": _display(target)}
    return {**shown, "type": value["type"]} if "type" in value else shown


def _display(record: Record) -> str:
    """DisplayName or Name; what was made inactive says so."""
    name = str(record.fields.get("DisplayName", record.fields.get("Name", "")))
    return name if record.fields.get("Active", True) else f"{name} (deleted)"


def _fields(books: "Books", record: Record) -> Document:
    shown: Document = {name: _reference(books, name, value) for name, value in record.fields.items()}
    custom = books.settings.custom_fields
    if custom and record.kind in {"Invoice", "CreditMemo", "SalesReceipt", "RefundReceipt", "Estimate"}:
        shown["CustomField"] = _custom_fields(custom, record.fields.get("CustomField", []))
    return shown


def _custom_fields(names: tuple[str, ...], written: list[Document]) -> list[Document]:
    values = {one.get("DefinitionId"): one for one in written}
    found = []
    for number, name in enumerate(names, 1):
        one: Document = {"DefinitionId": str(number), "Name": name, "Type": "StringType"}
        text = values.get(str(number), {}).get("StringValue")
        found.append({**one, "StringValue": text} if text else one)
    return found


def _sale(books: "Books", record: Record) -> Document:
    shown = _fields(books, record)
    lines = list(shown.get("Line", []))
    subtotal = sum(to_cents(line["Amount"]) for line in lines if line["DetailType"] == "SalesItemLineDetail")
    place = next(
        (n for n, line in enumerate(lines) if line["DetailType"] == "DiscountLineDetail"), len(lines)
    )
    lines.insert(
        place, {"Amount": amount(subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    )
    tax = dict(shown.get("TxnTaxDetail", {}))
    shown["Line"] = lines
    shown["TxnTaxDetail"] = {**tax, "TotalTax": amount(to_cents(tax.get("TotalTax", 0)))}
    shown["TotalAmt"] = amount(record.total_cents)
    shown.setdefault("ApplyTaxAfterDiscount", False)
    shown.setdefault("PrintStatus", "NeedToPrint")
    shown.setdefault("EmailStatus", "NotSet")
    if record.kind != "Estimate":
        _open_amounts(books, record, shown)
    if record.deposit_id:
        shown["LinkedTxn"] = [{"TxnId": record.deposit_id, "TxnType": "Deposit"}]
    return shown


def _open_amounts(books: "Books", record: Record, shown: Document) -> None:
    item = books.items.by_key.get(ItemKey(record.kind, record.id))
    open_cents = item.open_cents if item else 0
    shown["Balance"] = amount(open_cents)
    if "Deposit" in shown:
        shown["Deposit"] = amount(to_cents(shown["Deposit"]))
    if books.settings.multicurrency:
        shown["HomeTotalAmt"] = amount(in_home(record.total_cents, item.rate) if item else record.total_cents)
        shown["HomeBalance"] = amount(item.open_home_cents if item else 0)
    if item is not None and item.applied:
        shown["LinkedTxn"] = [{"TxnId": one, "TxnType": "Payment"} for one in item.applied]


def _invoice(books: "Books", record: Record) -> Document:
    flags = {
        "AllowIPNPayment": False,
        "AllowOnlinePayment": False,
        "AllowOnlineCreditCardPayment": False,
        "AllowOnlineACHPayment": False,
    }
    return {**flags, "LinkedTxn": [], **_sale(books, record)}


def _credit_memo(books: "Books", record: Record) -> Document:
    shown = _sale(books, record)
    return {**shown, "RemainingCredit": shown["Balance"]}


def _payment(books: "Books", record: Record) -> Document:
    shown = _fields(books, record)
    shown["TotalAmt"] = amount(record.total_cents)
    shown["UnappliedAmt"] = amount(payments.unapplied_cents(books, record))
    shown["Line"] = payments.written_lines(books, record)
    if record.deposit_id:
        shown["LinkedTxn"] = [{"TxnId": record.deposit_id, "TxnType": "Deposit"}]
    return shown


def _journal_entry(books: "Books", record: Record) -> Document:
    return {"Adjustment": False, **_fields(books, record)}


def _deposit(books: "Books", record: Record) -> Document:
    shown = {**_fields(books, record), "TotalAmt": amount(record.total_cents)}
    if books.settings.multicurrency:
        rate = Decimal(record.fields.get("ExchangeRate", 1))
        shown["HomeTotalAmt"] = amount(in_home(record.total_cents, rate))
    return shown


def _customer(books: "Books", record: Record) -> Document:
    fields = record.fields
    shown: Document = {
        "Taxable": True,
        "Job": False,
        "BillWithParent": False,
        "PreferredDeliveryMethod": "Print",
        **_fields(books, record),
        "Balance": amount(books.balance_cents(record.id)),
        "BalanceWithJobs": amount(books.balance_cents(record.id, with_jobs=True)),
        "FullyQualifiedName": full_name(books, "Customer", fields),
        "DisplayName": _display(record),
    }
    shown.setdefault("PrintOnCheckName", fields["DisplayName"])
    shown.setdefault("DefaultTaxCodeRef", {"value": "2"})
    if "ParentRef" in fields:
        shown["ParentRef"] = {"value": fields["ParentRef"]["value"]}
        shown["Level"] = len(books.lineage(record.id)) - 1
    return shown


def _vendor(books: "Books", record: Record) -> Document:
    shown = {"Balance": 0, "Vendor1099": False, **_fields(books, record), "DisplayName": _display(record)}
    shown.setdefault("CurrencyRef", _reference(books, "CurrencyRef", {"value": books.settings.home_currency}))
    shown.setdefault("PrintOnCheckName", record.fields["DisplayName"])
    return shown


def _employee(books: "Books", record: Record) -> Document:
    shown = {"BillableTime": False, **_fields(books, record), "DisplayName": _display(record)}
    shown.setdefault("PrintOnCheckName", record.fields["DisplayName"])
    return shown


def _account(books: "Books", record: Record) -> Document:
    shown = _fields(books, record)
    classification = CLASSIFICATIONS.get(record.fields.get("AccountType", ""), "Asset")
    foreign = books.account_currency(record.id) != books.settings.home_currency
    cents = books.ledger.own[record.id] if foreign else books.ledger.home[record.id]
    natural = cents if classification in {"Asset", "Expense"} else -cents
    return {
        **shown,
        "Name": _display(record),
        "SubAccount": False,
        "FullyQualifiedName": record.fields["Name"],
        "Classification": classification,
        "CurrentBalance": amount(natural),
        "CurrentBalanceWithSubAccounts": amount(natural),
    }


def _list_entry(books: "Books", record: Record) -> Document:
    return {**_fields(books, record), "Name": _display(record)}


def _item(books: "Books", record: Record) -> Document:
    shown = {"Type": "Service", "UnitPrice": 0, "Taxable": False, **_list_entry(books, record)}
    return {**shown, "FullyQualifiedName": record.fields["Name"]}


def _dimension(sub: str) -> Callable[["Books", Record], Document]:
    """Classes and departments say whether they are below another."""

    def show(books: "Books", record: Record) -> Document:
        name = full_name(books, record.kind, record.fields)
        return {
            sub: "ParentRef" in record.fields,
            **_list_entry(books, record),
            "FullyQualifiedName": name,
        }

    return show


def _purchase(books: "Books", record: Record) -> Document:
    shown = {"Credit": False, **_fields(books, record), "TotalAmt": amount(record.total_cents)}
    applied = {one: None for key in record.items for one in books.items.by_key[key].applied}
    return {**shown, "LinkedTxn": [{"TxnId": one, "TxnType": "Payment"} for one in applied]}


def _attachable(books: "Books", record: Record) -> Document:
    if not record.content:
        return dict(record.fields)
    place = f"/v3/company/{books.realm_id}/download/{record.id}"
    address = attachments.address(books.address, books.realm_id, record.id, books.now_s())
    return {**record.fields, "FileAccessUri": place, "TempDownloadUri": address}


def _term(books: "Books", record: Record) -> Document:
    kind = "DATE_DRIVEN" if "DayOfMonthDue" in record.fields else "STANDARD"
    return {"Type": kind, **_list_entry(books, record)}


def _company_info(books: "Books", record: Record) -> Document:
    settings = books.settings
    return {
        "CompanyName": settings.name,
        "LegalName": settings.name,
        "CompanyStartDate": pacific(record.created_s)[:10],
        "FiscalYearStartMonth": "January",
        "Country": settings.country,
        "SupportedLanguages": "en",
        "DefaultTimeZone": settings.time_zone,
        "NameValue": [{"Name": "IsQbdtMigrated", "Value": "false"}],
    }


def _preferences(books: "Books", _record: Record) -> Document:
    settings = books.settings
    home = {"value": settings.home_currency}
    accounting: Document = {
        "UseAccountNumbers": False,
        "DefaultARAccount": {"value": books.account(f"receivable:{settings.home_currency}")},
        "TrackDepartments": False,
        "FirstMonthOfFiscalYear": "January",
        "TaxYearMonth": "January",
        "CustomerTerminology": "Customers",
    }
    if settings.book_close_date is not None:
        accounting["BookCloseDate"] = settings.book_close_date.isoformat()
    return {
        "AccountingInfoPrefs": accounting,
        "SalesFormsPrefs": {
            "CustomTxnNumbers": settings.custom_txn_numbers,
            "AllowDeposit": True,
            "AllowDiscount": True,
            "DefaultDiscountAccount": books.account("discounts"),
            "AutoApplyCredit": settings.auto_apply_credit,
            "AutoApplyPayments": settings.auto_apply_payments,
        },
        "CurrencyPrefs": {"MultiCurrencyEnabled": settings.multicurrency, "HomeCurrency": home},
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
    }


_SHOW = {
    "Invoice": _invoice,
    "CreditMemo": _credit_memo,
    "SalesReceipt": _sale,
    "RefundReceipt": _sale,
    "Estimate": _sale,
    "Payment": _payment,
    "JournalEntry": _journal_entry,
    "Deposit": _deposit,
    "Customer": _customer,
    "Vendor": _vendor,
    "Employee": _employee,
    "Account": _account,
    "Item": _item,
    "Term": _term,
    "PaymentMethod": _list_entry,
    "Class": _dimension("SubClass"),
    "Department": _dimension("SubDepartment"),
    "TaxCode": _list_entry,
    "TaxRate": _list_entry,
    "Purchase": _purchase,
    "Transfer": _fields,
    "Attachable": _attachable,
    "CompanyInfo": _company_info,
    "Preferences": _preferences,
}
