"""The accounts, taxes and zones an organisation starts with."""

from decimal import Decimal
from typing import NamedTuple


class Opening(NamedTuple):
    """One account of a new organisation."""

    code: str
    name: str
    type: str
    account_class: str
    system: str = ""
    payments_enabled: bool = False
    taxed: bool = False


CHART = (
    Opening("090", "Business Bank Account", "BANK", "ASSET"),
    Opening("200", "Sales", "REVENUE", "REVENUE", taxed=True),
    Opening("260", "Other Revenue", "REVENUE", "REVENUE", taxed=True),
    Opening("404", "Bank Fees", "EXPENSE", "EXPENSE"),
    Opening("429", "General Expenses", "EXPENSE", "EXPENSE", taxed=True),
    Opening("497", "Bank Revaluations", "EXPENSE", "EXPENSE", "BANKCURRENCYGAIN"),
    Opening("499", "Realised Currency Gains", "EXPENSE", "EXPENSE", "REALISEDCURRENCYGAIN"),
    Opening("610", "Accounts Receivable", "CURRENT", "ASSET", "DEBTORS"),
    Opening("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "CREDITORS"),
    Opening("820", "Sales Tax", "CURRLIAB", "LIABILITY", "GST"),
    Opening("860", "Rounding", "CURRLIAB", "LIABILITY", "ROUNDING"),
    Opening("880", "Owner A Drawings", "EQUITY", "EQUITY", payments_enabled=True),
)
COUNTRIES = {  # base currency, Xero's zone, IANA's zone, sales tax in percent
    "US": ("USD", "EASTERNSTANDARDTIME", "America/New_York", Decimal("8.25")),
    "NZ": ("NZD", "NEWZEALANDSTANDARDTIME", "Pacific/Auckland", Decimal(15)),
    "AU": ("AUD", "AUSEASTERNSTANDARDTIME", "Australia/Sydney", Decimal(10)),
    "GB": ("GBP", "GMTSTANDARDTIME", "Europe/London", Decimal(20)),
}
VERSIONS = {"US": "US", "NZ": "NZ", "AU": "AU", "GB": "UK"}
CURRENCY_NAMES = {
    "USD": "United States Dollar",
    "NZD": "New Zealand Dollar",
    "AUD": "Australian Dollar",
    "GBP": "British Pound",
    "EUR": "Euro",
    "JPY": "Japanese Yen",
    "CAD": "Canadian Dollar",
}
