"""What a new company has before anybody writes: accounts, items, terms, payment methods."""

from typing import TYPE_CHECKING

from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.taxes import PERCENTS

if TYPE_CHECKING:  # books imports this module
    from arsync.simulators.quickbooks.books import Books

ACCOUNTS = (
    # role, name, type, subtype
    ("receivable", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("undeposited", "Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("checking", "Checking", "Bank", "Checking"),
    ("income", "Services", "Income", "ServiceFeeIncome"),
    ("tax", "Sales Tax Payable", "Other Current Liability", "SalesTaxPayable"),
    ("discounts", "Discounts given", "Income", "DiscountsRefundsGiven"),
    ("bad_debts", "Bad Debts", "Expense", "BadDebts"),
    ("fees", "Bank Charges", "Expense", "BankCharges"),
    ("exchange", "Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss"),
    ("equity", "Opening Balance Equity", "Equity", "OpeningBalanceEquity"),
)

ITEMS = (
    # name, type, role of the income account
    ("Services", "Service", "income"),
    ("Cash discount", "Service", "discounts"),
    ("Write-off", "Service", "bad_debts"),
)

TERMS = (
    {"Name": "Due on receipt", "DueDays": 0},
    {"Name": "Net 15", "DueDays": 15},
    {"Name": "Net 30", "DueDays": 30},
    {"Name": "Net 60", "DueDays": 60},
    {"Name": "2% 10 Net 30", "DueDays": 30, "DiscountPercent": 2, "DiscountDays": 10},
)

PAYMENT_METHODS = (
    {"Name": "Cash", "Type": "NON_CREDIT_CARD"},
    {"Name": "Check", "Type": "NON_CREDIT_CARD"},
    {"Name": "Credit Card", "Type": "CREDIT_CARD"},
    {"Name": "Bank transfer", "Type": "NON_CREDIT_CARD"},
)

FIRST_TAX_CODE = 2

CURRENCY_NAMES = {
    "USD": "United States Dollar",
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "AUD": "Australian Dollar",
    "CHF": "Swiss Franc",
    "JPY": "Japanese Yen",
    "MXN": "Mexican Peso",
}


def open_books(books: "Books") -> None:
    """Write the chart of accounts and the lists; the two singletons are records too, so queries find them."""
    home = books.settings.home_currency
    for role, name, account_type, subtype in ACCOUNTS:
        made = books.create(
            "Account",
            {
                "Name": name,
                "AccountType": account_type,
                "AccountSubType": subtype,
                "CurrencyRef": {"value": home},
            },
        )
        books.play_role(role if role != "receivable" else f"receivable:{home}", made["Id"])
    for name, item_type, role in ITEMS:
        books.create(
            "Item", {"Name": name, "Type": item_type, "IncomeAccountRef": {"value": books.account(role)}}
        )
    for term in TERMS:
        books.create("Term", term)
    for method in PAYMENT_METHODS:
        books.create("PaymentMethod", method)
    for kind in ("CompanyInfo", "Preferences"):
        books.admit_given(Record(kind, "1", {}))
    _add_tax_codes(books)


def _add_tax_codes(books: "Books") -> None:
    """TAX and NON for lines in the United States; elsewhere a code for each percentage."""
    united_states = books.settings.country == "US"
    for code_id, taxable in (("TAX", True), ("NON", False)) if united_states else ():
        fields = {"Name": code_id, "Description": code_id, "Active": True, "Taxable": taxable}
        books.admit_given(Record("TaxCode", code_id, {**fields, "TaxGroup": False}))
    chosen = books.settings.tax_percents
    percents = PERCENTS.get(books.settings.country, {}) if chosen is None else chosen
    for number, (name, percent) in enumerate(percents.items(), FIRST_TAX_CODE):
        rate_id = str(number + 1)  # recorded: the rate of code 2 is 3
        rate = {"Name": name, "Description": name, "Active": True, "RateValue": percent}
        books.admit_given(Record("TaxRate", rate_id, rate))
        detail = {"TaxRateRef": {"value": rate_id}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
        code = {"Name": name, "Description": name, "Active": True, "Taxable": True, "TaxGroup": True}
        books.admit_given(
            Record("TaxCode", str(number), {**code, "SalesTaxRateList": {"TaxRateDetail": [detail]}})
        )


def add_receivable_account(books: "Books", currency: str) -> None:
    """The receivable account of a foreign currency."""
    made = books.create(
        "Account",
        {
            "Name": f"Accounts Receivable (A/R) - {currency}",
            "AccountType": "Accounts Receivable",
            "AccountSubType": "AccountsReceivable",
            "CurrencyRef": {"value": currency},
        },
    )
    books.play_role(f"receivable:{currency}", made["Id"])
