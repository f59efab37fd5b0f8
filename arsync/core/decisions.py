"""The five decisions, the reasons to queue, and what an explanation is.

Shape   a `Finding` is what the matcher says of one receipt: ranked explanations and rejected candidates; a
        `Decision` is what follows from a finding, the policy and the ledger's mode.
Units   amounts are minor units of the receipt's currency (`*_minor`), or of the one an explanation states; signed as on
        the open item: credits negative.
Law     sum(applied) + on_account == receipt amount, for every explanation; or what was sent, if it states a currency.
Speed   evidence and shares, of which there are several for each receipt, are named tuples: cheap to make and to write.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What is to be done with a receipt."""

    APPLY = "apply"
    WAIT = "wait"
    PROPOSE = "propose"
    QUEUE = "queue"
    NOT_OURS = "not_ours"
    LINK = "link"  # already booked on the platform: link it, book nothing


class Reason(StrEnum):
    """Why a person must look (extend, do not overload)."""

    UNKNOWN_PAYER = "unknown payer"
    SEVERAL_CUSTOMERS = "several customers fit"
    SEVERAL_LEDGERS = "several ledgers fit"
    SEVERAL_SETS = "several sets fit"
    SHORT_PAY = "short-pay"
    OVER_PAY = "over-pay"
    DEDUCTION = "deduction"
    UNKNOWN_REFERENCE = "unknown reference"
    POSSIBLE_DUPLICATE = "possible duplicate"
    ALREADY_BOOKED = "already booked"
    CLOSED_PERIOD = "closed period"
    CURRENCY_MISMATCH = "currency mismatch"
    RETURNED_PAYMENT = "returned payment"
    STALE_RECORD = "stale record"
    UNREADABLE_FIELD = "unreadable field"
    UNPROVEN_STATEMENT = "unproven statement"
    BOOKS_DISAGREE = "books disagree"
    UNMAPPED_ADJUSTMENT = "unmapped adjustment"
    PLATFORM_REFUSED = "platform refused"
    FULL_PAYMENT = "claims full payment"  # less than is owed, and the payer says that it is all
    BANK_DETAILS = "bank details"  # a letter asks to change where money is paid to
    WEAK_EVIDENCE = "weak evidence"
    DO_NOT_ACCEPT = (
        "do not accept"  # the policy names this customer or account: no money of theirs without a person
    )
    QUALITY_CHECK = (
        "quality check"  # what was applied without a person is looked at by one who does not see it
    )
    CONFIRMATION = (
        "confirmation"  # one preferred explanation, strong, but this class is not trusted to run alone here
    )


class EvidenceClass(StrEnum):
    """The class of evidence an explanation rests on; policy trusts classes, not scores."""

    REFERENCE = "reference"  # references name every item and the amounts agree
    REMITTANCE = "remittance"  # a graded advice names items and amounts
    ONE_ITEM = "one item"  # known payer, exactly one open item has this amount
    BALANCE = "balance"  # known payer, the whole balance
    BLOCK = "block"  # known payer, all items of one due date / statement / oldest-first run
    SET = "set"  # known payer, the only set of items that adds up
    PARTIAL = "partial"  # references name the items, the amount is less or more
    EXCHANGE = "exchange"  # items in another currency, worth what arrived at the day's rate
    BOOKED = "booked"  # a payment of the platform explains the line
    NONE = "none"


class Evidence(NamedTuple):
    """One sentence for or against, with a stable code for programs."""

    code: str
    supports: bool
    text: str


class Share(NamedTuple):
    """What one item gets. Law: applied + discount + write_off + deduction = how much of the item is settled."""

    item_id: int
    applied_minor: int
    discount_minor: int = 0
    write_off_minor: int = 0
    deduction_minor: int = 0

    @property
    def settled_minor(self) -> int:
        """How much of the item's open amount this uses up."""
        return self.applied_minor + self.discount_minor + self.write_off_minor + self.deduction_minor


@dataclass(frozen=True, slots=True)
class Explanation:
    """A possible set of applications for one receipt."""

    customer_id: int | None
    shares: tuple[Share, ...]
    on_account_minor: int
    klass: EvidenceClass
    evidence: tuple[Evidence, ...]
    probability: float  # that exactly these applications are right; not money
    booked_payment_id: int | None = None  # BOOKED: the platform payment's item id
    # EXCHANGE: what the amounts are in; they add up to what was sent, which the receipt is worth.
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that was looked at and why it is not proposed."""

    customer_id: int | None
    item_ids: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What the matcher says of one receipt: explanations ranked best first (at most `policy.max_suggestions`)."""

    receipt_id: int
    explanations: tuple[Explanation, ...]
    unique: bool  # no second explanation fits comparably well
    reason: Reason | None  # what stands in the way of applying the first one; None if nothing does
    rejected: tuple[Rejected, ...] = ()
    wait: bool = False  # an advice may still come and would settle it


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with a receipt now."""

    receipt_id: int
    verdict: Verdict
    explanation: Explanation | None
    reason: Reason | None
    wait_days: int = 0
