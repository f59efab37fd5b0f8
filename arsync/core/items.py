"""Records as a platform states them: customers, open items, payments, terms, accounts, the books.

Shape   `ref`-like fields hold the platform's own ids as text ("Invoice:157", "58"); our integer ids exist
        only in the store.
Units   amounts are `Money`; rates are Decimal; discounts are basis points (100 bp = 1 %).
Sign    what is owed to us is positive; credit memos, payments and prepayments are negative open items.
Law     open = original - everything applied to the item. A payment is an item too: original = -total, and
        its lines bring it to -unapplied.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from arsync.core.money import Money


class ItemKind(StrEnum):
    """What an open item is."""

    INVOICE = "invoice"
    CHARGE = "charge"
    DEBIT_MEMO = "debit_memo"
    JOURNAL_DEBIT = "journal_debit"
    CREDIT_MEMO = "credit_memo"
    JOURNAL_CREDIT = "journal_credit"
    PAYMENT = "payment"  # its unapplied part
    DEPOSIT_CREDIT = "deposit_credit"  # a deposit line straight to receivables

    @property
    def is_debit(self) -> bool:
        """Whether it asks for money."""
        return self in _DEBITS


_DEBITS = frozenset({ItemKind.INVOICE, ItemKind.CHARGE, ItemKind.DEBIT_MEMO, ItemKind.JOURNAL_DEBIT})


@dataclass(frozen=True, slots=True)
class Customer:
    """The account that owes."""

    name: str
    active: bool = True
    parent: str | None = None  # platform id of the customer above
    currency: str | None = None
    terms: str | None = None  # platform id
    email: str | None = None
    aliases: tuple[str, ...] = ()  # company name, print-on-cheque name ...
    number: str | None = None


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something to settle. `stated_open` is what the platform says is left.

    None where it states nothing (journal lines).
    """

    customer: str  # platform id
    kind: ItemKind
    issued: date
    due: date
    original: Money  # signed: credits negative
    stated_open: Money | None
    number: str | None = None
    reference: str | None = None  # purchase order or the like
    terms: str | None = None
    memo: str | None = None  # our own private note on the record, as read
    rate: Decimal | None = None  # home units per unit, where stated
    voided: bool = False
    expected: date | None = None  # when the books expect its money, where they say so


@dataclass(frozen=True, slots=True)
class AppliedLine:
    """One line of a payment: `amount` settles that much of `item` (positive for debits, negative for credits)."""

    item: str  # platform id of the item, e.g. "Invoice:157"
    amount: Money


@dataclass(frozen=True, slots=True)
class Payment:
    """A receipt as the platform has booked it; also an open item with original = -total.

    Law: unapplied == total - sum(line amounts) - what other payments use of it as a credit, to the minor unit.
    """

    customer: str
    on: date
    total: Money
    unapplied: Money
    lines: tuple[AppliedLine, ...] = ()
    reference: str | None = None
    deposit_account: str | None = None
    memo: str | None = None
    rate: Decimal | None = None
    voided: bool = False
    deposited: bool = False  # on a bank deposit, so the platform will not let it change


@dataclass(frozen=True, slots=True)
class Terms:
    """Payment terms."""

    name: str
    due_days: int | None = None
    discount_bp: int = 0
    discount_days: int = 0
    active: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """A ledger account. `balance` is the platform's current figure where it states one."""

    name: str
    kind: str  # "receivable", "bank", "undeposited_funds", "income", "expense", "liability", "other"
    currency: str | None
    balance: Money | None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Product:
    """A product or service of the platform, which adjustments may be mapped to."""

    name: str
    account: str | None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Books:
    """Facts about the whole set of books."""

    company: str
    home_currency: str
    multicurrency: bool = False
    closed_until: date | None = None
    warnings: tuple[str, ...] = ()  # settings of the platform that may change what a write does
    zone: str | None = None  # where their day begins, as the time zone database names it ("Pacific/Auckland")
    reminds: bool = False  # the platform sends reminders to customers by itself
