"""What the matcher is given: one ledger at one moment, what was learned, and the policy.

Shape   plain values with our integer ids; no platform id, no SQL, no clock (`as_of` is the only today).
Units   `*_minor` are integers of minor units of the record's `currency`; credits and payments are negative
        items.
Speed   customers, items and receipts are named tuples: of a frozen dataclass making one costs six times as much, and a
        ledger has ten thousand of them on a usual day.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from arsync.core.items import ItemKind
from arsync.core.matching.likelihood import Ways
from arsync.core.rates import Rate


class CustomerRow(NamedTuple):
    """Who may owe."""

    id: int
    name: str
    aliases: tuple[str, ...] = ()  # other names the platform knows
    parent_id: int | None = None
    currency: str | None = None
    active: bool = True
    payer_accounts: tuple[str, ...] = ()  # bank accounts the platform itself states


class ItemRow(NamedTuple):
    """An open item; only `available_minor` may be spent (open - reserved - disputed)."""

    id: int
    customer_id: int
    kind: ItemKind
    number: str | None
    issued: date
    due: date
    currency: str
    original_minor: int
    available_minor: int
    references: tuple[str, ...] = ()  # purchase order and the like
    discount_minor: int = 0  # cash discount the terms grant, on the original
    discount_until: date | None = None


class ReceiptRow(NamedTuple):
    """Money to apply."""

    id: int
    on: date
    currency: str
    amount_minor: int
    payer_name: str = ""
    payer_account: str = ""
    # Remittance text in its joinings: with and without spaces at the line breaks.
    texts: tuple[str, ...] = ()
    creditor_reference: str = ""
    end_to_end_id: str = ""
    bank_reference: str = ""
    cheque_number: str = ""
    is_return: bool = False
    original_reference: str = ""  # of a return: what the bank calls the payment it takes back
    return_reason: str = ""  # of a return: the bank's code


@dataclass(frozen=True, slots=True)
class BookedRow:
    """A payment the platform already holds and no receipt explains yet (pass 1)."""

    id: int  # the payment's item id
    customer_id: int
    on: date
    currency: str
    total_minor: int  # positive
    unapplied_minor: int  # positive
    reference: str = ""


@dataclass(frozen=True, slots=True)
class RemittanceRow:
    """One line of an advice. Ungraded advice (`grade` "unknown") never lifts a receipt to automatic.

    A line `in_full` names documents and states no amount: what is open on all of them is paid. Its `reference` may be a
    sentence, its `paid_minor` is 0 and says nothing.
    """

    remittance_id: str
    received: date
    payer_name: str
    currency: str
    total_minor: int | None
    grade: str  # "bank file", "known sender", "unknown"
    reference: str
    paid_minor: int
    gross_minor: int | None = None
    discount_minor: int = 0
    note: str = ""
    in_full: bool = False


class Crowd(NamedTuple):
    """So many open items of the ledger have this amount, in steps (`reach.step`)."""

    currency: str
    minor: int
    number: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One ledger at one moment, or a part of it."""

    ledger_id: int
    as_of: date
    customers: tuple[CustomerRow, ...]
    items: tuple[ItemRow, ...]
    receipts: tuple[ReceiptRow, ...]
    booked: tuple[BookedRow, ...] = ()
    remittances: tuple[RemittanceRow, ...] = ()
    recent: tuple[ReceiptRow, ...] = ()  # receipts already applied in the last weeks, to notice duplicates
    recent_customers: tuple[int, ...] = ()  # customer of each `recent` row, same order
    crowds: tuple[Crowd, ...] = ()  # of a part: the amounts whose items are too many to be in it
    rates: tuple[Rate, ...] = ()  # of the currencies of these items and receipts, around the receipts' days


@dataclass(frozen=True, slots=True)
class Alias:
    """A learned payer: this name or account pays for this customer. Automatic use needs confirmations."""

    key: str  # normalised payer name, or "account:" + normalised account
    customer_id: int
    confirmations: int
    since: date
    until: date | None = None


class Habit(NamedTuple):
    """How one customer paid, of what people confirmed."""

    customer_id: int
    payments: int
    ways: Ways  # how many of them in each way; a payment that may be of several is shared
    taken: int  # with the cash discount that the terms granted
    left: int  # without it


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What clerks' decisions taught."""

    aliases: tuple[Alias, ...] = ()
    habits: tuple[Habit, ...] = ()  # one of a customer, by customer

    def in_force(self, on: date) -> tuple[Alias, ...]:
        """What counts on a day."""
        return tuple(a for a in self.aliases if a.since <= on and (a.until is None or on < a.until))


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """What the matcher may take for granted; part of the versioned policy document."""

    # Values of EvidenceClass.
    automatic: frozenset[str] = frozenset({"reference", "remittance", "one item", "balance"})
    alias_confirmations: int = 2  # before a learned payer counts as known
    alias_days: int = 730  # after its last confirmation a learned payer is forgotten
    small_difference_minor: dict[str, int] = field(default_factory=dict)  # by currency; absent = zero
    small_difference_bp: int = (
        10_000  # and at most so many hundredths of a per cent of the items it is missing from
    )
    discount_grace_days: int = 0
    wait_days: int = 0  # business days a line may wait for an advice
    # Where several sets or payers fit: queue, or weigh them against each other and apply what outweighs the rest.
    weighed: bool = False
    # Reasons that do not stop a receipt: what is short or deducted stays open on its item, what is over on account.
    posts: frozenset[str] = frozenset()
    max_suggestions: int = 5
    max_set_items: int = 12  # size of a set searched for
    # Look-ups for one receipt's sums; beyond it the answer is "unknown", never a guess.
    search_budget: int = 2_048
    threshold: float = 0.98  # least probability to apply alone; rises with the amount
    # By currency: from here on the threshold is `threshold_large`.
    large_minor: dict[str, int] = field(default_factory=dict)
    threshold_large: float = 0.995
    most_minor: dict[str, int] = field(
        default_factory=dict
    )  # larger receipts are never applied without a person
    # Of a receipt in another currency than the items: what may be missing from their worth at the day's rate, in
    # hundredths of a per cent and as a fee in hundredths of the receipt's currency; how much better the rate may be;
    # how many business days the bank may have booked it late.
    exchange_spread_bp: int = 120
    exchange_fee_hundredths: int = 45_00
    exchange_better_bp: int = 10
    exchange_days: int = 3
    # In hundredths of the receipt's currency: the largest spread that nobody needs to look at where no advice says
    # what was sent, for a payer who sent as much more would not be noticed.
    exchange_unseen_hundredths: int = 60_00
