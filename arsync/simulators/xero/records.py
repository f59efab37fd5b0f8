"""What the books hold, and the switches of disputed behaviour.

Units   `*_cents` are hundredths of the document's currency, `base_*` of the organisation's; `*_ms` milliseconds since
        the epoch; a rate is what `Switches.rate_direction` says.
Shape   collections inside records are tuples, so that a shallow copy keeps the state before a change.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

Kind = Literal["Invoice", "CreditNote", "Overpayment", "Prepayment", "BankTransaction"]

SIDES = {
    "ACCREC": ("DEBTORS", 1),
    "ACCRECCREDIT": ("DEBTORS", -1),
    "RECEIVE-OVERPAYMENT": ("DEBTORS", -1),
    "RECEIVE-PREPAYMENT": ("DEBTORS", -1),
    "ACCPAY": ("CREDITORS", -1),
    "ACCPAYCREDIT": ("CREDITORS", 1),
    "SPEND-OVERPAYMENT": ("CREDITORS", 1),
    "SPEND-PREPAYMENT": ("CREDITORS", 1),
}
"""Which control account a document stands in, and whether it is a debit there."""


@dataclass(slots=True)
class Switches:
    """What the sources disagree on or nobody could verify, and what can be made stranger than usual."""

    day_limit: int = 5_000  # 1,000 on the Starter tier
    minute_limit: int = 60
    concurrent_limit: int = 5
    app_minute_limit: int = 10_000
    rate_limits: bool = True
    threshold: int = 100_000
    missing_scope: Literal[401, 403] = 401
    rate_direction: Literal["document_per_base", "base_per_document"] = "document_per_base"
    idempotency_scope: Literal["app", "app_and_tenant"] = "app"
    error_text_key: Literal["Message", "Description"] = (
        "Message"  # of ValidationErrors without summarizeErrors
    )
    delete_reconciled: Literal["allow", "refuse"] = "allow"
    quoted_numbers: bool = False  # money as text, as some documented examples show
    quoted_booleans: bool = False
    email_cap: int = 1_000
    idempotency_store_down: bool = False
    webhook_duplicates: bool = False
    webhook_shuffle: bool = False
    audit_every_write: bool = False


@dataclass(slots=True)
class Organisation:
    """One tenant."""

    id: str
    name: str
    base_currency: str = "USD"
    country: str = "US"
    timezone: str = "UTC"  # Xero's own name
    zone: str = "UTC"  # the same in IANA's words
    tax_percent: Decimal = Decimal(0)
    currencies: tuple[str, ...] = ()  # enabled ones, base included
    rates: dict[str, Decimal] = field(default_factory=dict)  # the day's rate of each foreign currency
    period_lock: date | None = None
    year_lock: date | None = None
    is_demo: bool = False
    reminders: bool = False
    short_code: str = ""
    created_ms: int = 0
    user: str = "Pat Keeper"


@dataclass(slots=True)
class Account:
    """One account of the chart."""

    id: str
    code: str
    name: str
    type: str
    account_class: str
    currency: str = ""  # bank accounts only
    bank_number: str = ""
    payments_enabled: bool = False
    system: str = ""
    status: str = "ACTIVE"
    tax_type: str = "NONE"
    updated_ms: int = 0


@dataclass(slots=True)
class Contact:
    """Somebody who owes or is owed."""

    id: str
    name: str
    number: str = ""
    account_number: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    tax_number: str = ""
    currency: str = ""
    terms: tuple[int, str] | None = None  # of sales: day, type
    persons: tuple[dict[str, object], ...] = ()
    addresses: tuple[dict[str, object], ...] = ()
    phones: tuple[dict[str, object], ...] = ()
    status: str = "ACTIVE"
    merged_to: str = ""
    updated_ms: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line; amounts are already rounded."""

    id: str
    description: str
    quantity: Decimal
    unit: Decimal
    line_cents: int
    tax_cents: int
    account_code: str = ""
    tax_type: str = "NONE"
    item_code: str = ""
    discount_rate: Decimal | None = None
    tracking: tuple[dict[str, object], ...] = ()


@dataclass(slots=True)
class Paper:
    """Invoice, credit note, overpayment, prepayment or bank transaction: what has lines and a total.

    `paid_cents` is money (payments of an invoice, refunds of a credit), `credited_cents` what was allocated.
    """

    id: str
    kind: Kind
    type: str
    contact_id: str
    on: date
    currency: str
    rate: Decimal
    status: str = "DRAFT"
    number: str = ""
    reference: str = ""
    due: date | None = None
    expected: date | None = None
    planned: date | None = None
    amount_types: str = "Exclusive"
    lines: tuple[Line, ...] = ()
    net_cents: int = 0
    tax_cents: int = 0
    total_cents: int = 0
    discount_cents: int = 0
    base_cents: int = 0
    paid_cents: int = 0
    credited_cents: int = 0
    base_settled: int = 0
    payments: tuple[str, ...] = ()
    allocations: tuple[str, ...] = ()
    fully_paid: date | None = None
    sent: bool = False
    url: str = ""
    branding_id: str = ""
    app_id: str = ""
    bank_account_id: str = ""
    credit_id: str = ""  # the overpayment or prepayment a bank transaction has made
    reconciled: bool = False
    updated_ms: int = 0

    @property
    def open_cents(self) -> int:
        """AmountDue of an invoice, RemainingCredit of a credit."""
        return self.total_cents - self.paid_cents - self.credited_cents

    @property
    def is_item(self) -> bool:
        """Whether it stands in a control account; what received a credit at the bank does not."""
        return self.kind != "BankTransaction"

    @property
    def applied(self) -> bool:
        """Whether anything was ever settled and still is."""
        return bool(self.payments or self.allocations)


@dataclass(slots=True)
class Payment:
    """Money against one paper; `base_relief` is what left the control account, `base_cents` what reached the bank."""

    id: str
    paper_id: str
    account_id: str
    on: date
    cents: int
    bank_cents: int
    rate: Decimal
    base_cents: int
    base_relief: int
    reference: str = ""
    reconciled: bool = False
    status: str = "AUTHORISED"
    batch_id: str = ""
    updated_ms: int = 0


@dataclass(slots=True)
class Batch:
    """Several payments that are one line at the bank."""

    id: str
    type: str
    account_id: str
    on: date
    payments: tuple[str, ...] = ()
    reference: str = ""
    particulars: str = ""
    code: str = ""
    details: str = ""
    narrative: str = ""
    status: str = "AUTHORISED"
    reconciled: bool = False
    updated_ms: int = 0


@dataclass(slots=True)
class Allocation:
    """Part of a credit settles part of an invoice."""

    id: str
    credit_id: str
    invoice_id: str
    on: date
    cents: int
    base_credit: int
    base_invoice: int
    deleted: bool = False


@dataclass(slots=True)
class Transfer:
    """Money from one bank account of ours to another."""

    id: str
    from_id: str
    to_id: str
    on: date
    cents: int
    reference: str = ""
    status: str = "AUTHORISED"
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a record's history."""

    moment_ms: int
    changes: str
    user: str
    details: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: a person in Xero's own pages, or an application for a person."""

    user: str
    app_id: str = ""
    adviser: bool = False

    @property
    def person(self) -> bool:
        """Whether it is a person in Xero's own pages, who may do what the API may not."""
        return not self.app_id
