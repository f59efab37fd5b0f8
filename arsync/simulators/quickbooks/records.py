"""A stored object, the settings of a company and the switches of disputed behaviour."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from arsync.simulators.quickbooks.ledger import ItemKey, Posting
from arsync.simulators.quickbooks.wire import Document


@dataclass(slots=True)
class Record:
    """One object of one kind; `fields` hold what was written, everything derived is added when it is read."""

    kind: str
    id: str
    fields: Document
    user: str = ""
    sync_token: int = 0
    created_s: int = 0
    updated_s: int = 0
    change: int = 0  # number of its latest change in the company's sequence
    deleted: bool = False
    customer_id: str = ""
    total_cents: int = 0
    postings: tuple[Posting, ...] = ()
    items: tuple[ItemKey, ...] = ()
    applications: dict[ItemKey, int] = field(default_factory=dict)  # payments only
    deposit_id: str = ""  # the deposit that took this payment or sales receipt to the bank
    content: str = ""  # of an attached file, base64
    merged_id: str = ""  # a customer that has been merged into this one, for the webhook that says so
    text: str | None = None  # JSON, made when first read


@dataclass(slots=True)
class CompanySettings:
    """What the owner of the books has set up."""

    name: str
    country: str = "US"
    home_currency: str = "USD"
    multicurrency: bool = False
    book_close_date: date | None = None
    custom_txn_numbers: bool = False
    custom_fields: tuple[str, ...] = ()
    first_number: int = 1001
    user: str = "Pat Keeper"
    time_zone: str = "America/Los_Angeles"
    read_only: bool = False  # the subscription lapsed: 6190
    auto_apply_credit: bool = False
    auto_apply_payments: bool = False
    exchange_rates: dict[str, Decimal] = field(default_factory=dict)  # home units for one foreign unit
    tax_percents: dict[str, Decimal] | None = None  # tax codes by name; None: those of the country


@dataclass(slots=True)
class Switches:
    """Behaviour that is disputed or unverified; the default follows the better evidence, or is strict.

    Every switch is named with its evidence in README.md.
    """

    refresh_rotation: Literal["same", "each", "daily"] = "daily"
    old_refresh_grace_s: int = 0
    entity_case: Literal["any", "strict"] = "any"  # of the entity in a query
    sparse_payment: Literal["refuse", "accept"] = "refuse"
    line_over_balance: Literal["refuse", "cap"] = "refuse"
    void_paid_invoice: Literal["unapply", "refuse"] = "unapply"
    missing_tax_code: Literal["accept", "refuse"] = "accept"
    numbers_as_text: Literal["accept", "refuse"] = "accept"
    cdc_window: Literal["refuse", "accept"] = "refuse"
    cdc_cap: Literal["entity", "call"] = "entity"
    cdc_objects: int = 1000
    requestid_other_body: Literal["replay", "refuse"] = "replay"
    closed_period: Literal["6210", "5010", "unchanged"] = "6210"
    rate_limits: bool = False
    throttle: Literal["json_429", "xml_429", "json_403"] = "json_429"
    retry_after_s: int | None = None
    monthly_reads: int | None = None  # CorePlus reads before the block; None: no block
    other_apps_batches: int = 0  # of the 120 a minute that all applications share
    batch_order: Literal["given", "reversed"] = "given"
    webhook_delay_s: int = 0
    webhook_copies: int = 1  # how often an acknowledged delivery is sent
    webhook_order: Literal["sent", "reversed"] = "sent"
    webhook_mixed_realms: bool = True  # several companies in one delivery
    webhook_hold: bool = False  # later deliveries wait for the first to be acknowledged
    webhooks_lost: bool = False  # nothing is told
    emails_a_day: int = 40
    extra_read_fields: dict[str, Document] = field(
        default_factory=dict
    )  # kind -> properties nobody announced
    audit_every_write: bool = False  # recompute the whole ledger after each write
