"""Explanations in a clerk's words, and how likely each kind is to be exactly right.

Shape   `Draft` is what the passes say of one receipt before receipts are compared with each other.
Units   minor units of the receipt's currency; shares signed as on the open item.
Law     sum(applied) + on_account == receipt amount for every explanation (`explanation` refuses anything
        else).
Source  `PROBABILITY` was measured, see docs/evidence/cashbench.md: right applications of each kind on the
        tuning seeds, rounded down; a kind with few cases is kept below the default threshold on purpose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from arsync.core.decisions import Evidence, EvidenceClass, Explanation, Reason, Rejected, Share
from arsync.core.matching.candidates import Book
from arsync.core.matching.payers import Payer
from arsync.core.matching.snapshot import ItemRow, ReceiptRow
from arsync.core.money import Money

if TYPE_CHECKING:
    from arsync.core.matching.exchange import Sent

_SHOWN_ITEMS = 6

# kind of explanation -> probability that exactly these applications are right; not money. What rests on amounts is not
# here: it is weighed, see `likelihood`.
PROBABILITY: dict[str, float] = {
    "reference, payer agrees": 0.999,
    "reference, payer likely": 0.998,
    "reference, payer unknown": 0.99,
    "reference, other payer": 0.90,
    "weak reference": 0.985,
    "weak reference, payer unknown": 0.80,
    "reference with credit": 0.985,
    "reference with small difference": 0.98,
    "order": 0.985,
    "order, some items": 0.90,
    "remittance": 0.998,
    "remittance, its sender pays": 0.985,
    "remittance, payer unknown": 0.97,
    "remittance with small difference": 0.90,
    "remittance less a fee": 0.985,
    "remittance with gaps": 0.70,
    "amount alone": 0.75,
    "short": 0.70,
    "short, other payer": 0.15,
    "short, nothing else named": 0.985,
    "short by much": 0.95,
    "over": 0.75,
    "over, nothing else as small": 0.985,
    "over, much": 0.05,
    "small difference": 0.60,
    "on account": 0.75,
    "on account, payer known": 0.985,
    "booked": 0.995,
    "booked, weak": 0.60,
}


@dataclass(slots=True)
class Draft:
    """What one receipt says by itself."""

    receipt: ReceiptRow
    payer: Payer
    explanations: list[Explanation] = field(default_factory=list)
    reason: Reason | None = None
    unique: bool = False
    rejected: list[Rejected] = field(default_factory=list)
    final: bool = False  # later passes have nothing to add
    # Whose words `receipt` has beside its own: an advice without amounts came from who is on file, or from anybody.
    told_by: Literal["nobody", "known sender", "anybody"] = "nobody"
    sent: "Sent | None" = None  # `receipt` is what was sent, in the currency of the items; not what arrived

    @property
    def strong(self) -> bool:
        """One explanation stands, and nothing stands in its way."""
        return bool(self.explanations) and self.unique and self.reason is None


def money(minor: int, currency: str) -> str:
    """An amount for people."""
    return str(Money(minor, currency))


def label(item: ItemRow) -> str:
    """An item for people."""
    kind = item.kind.value.replace("_", " ")
    return f"{kind} {item.number}" if item.number else f"{kind} of {item.issued.isoformat()}"


def labels(items: Sequence[ItemRow]) -> str:
    """Items for people, the first few by name."""
    shown = ", ".join(label(item) for item in items[:_SHOWN_ITEMS])
    more = len(items) - _SHOWN_ITEMS
    return f"{shown} and {more} more" if more > 0 else shown


def pro(code: str, text: str) -> Evidence:
    """A sentence in favour."""
    return Evidence(code, supports=True, text=text)


def con(code: str, text: str) -> Evidence:
    """A sentence against."""
    return Evidence(code, supports=False, text=text)


def explanation(
    receipt: ReceiptRow,
    customer_id: int | None,
    shares: Iterable[Share],
    klass: EvidenceClass,
    likely: str | float,
    evidence: Iterable[Evidence],
) -> Explanation:
    """An explanation whose rest, if positive, stays on account; `likely` is its kind, or what was weighed.

    Raises:
        ValueError: the shares take more than the receipt has.
    """
    rows = tuple(sorted(shares, key=lambda share: share.item_id))
    on_account = receipt.amount_minor - sum(share.applied_minor for share in rows)
    if on_account < 0:
        raise ValueError(
            f"receipt {receipt.id} has {receipt.amount_minor}, its explanation takes {-on_account} more"
        )
    return Explanation(
        customer_id,
        rows,
        on_account,
        klass,
        tuple(evidence),
        PROBABILITY[likely] if isinstance(likely, str) else likely,
    )


def payer_evidence(book: Book, payer: Payer, owners: frozenset[int]) -> tuple[Evidence, ...]:
    """What the payer says for or against these items' customers."""
    if payer.known is not None:
        if owners <= book.relatives(payer.known):
            return (pro(payer.code, f"The payer is {book.name(payer.known)}: {payer.how}."),)
        return (
            con(
                "payer-differs",
                f"The payer is {book.name(payer.known)}, who does not owe these items: {payer.how}.",
            ),
        )
    for candidate in payer.candidates:
        if owners <= book.relatives(candidate):
            return (pro(payer.code, f"The payer may be {book.name(candidate)}: {payer.how}."),)
    if payer.candidates:
        return (
            con(
                "payer-other",
                f"The payer looks like {book.name(payer.candidates[0])}, who does not owe these items.",
            ),
        )
    return (con("payer-unknown", "Nothing on file says who the payer is."),)


def standing(book: Book, payer: Payer, owners: frozenset[int]) -> str:
    """How the payer stands to the items' customers: agrees, likely, unknown or other."""
    if payer.known is not None:
        return "agrees" if owners <= book.relatives(payer.known) else "other"
    if any(owners <= book.relatives(candidate) for candidate in payer.candidates):
        return "likely"
    return "unknown"


def owner_of(book: Book, payer: Payer, owners: frozenset[int]) -> int | None:
    """The one customer an explanation belongs to; None if the owners are no family."""
    if len(owners) == 1:
        return next(iter(owners))
    heads = [payer.known] if payer.known is not None else sorted(owners)
    for head in heads:
        row = book.customers.get(head)
        for top in (head, row.parent_id if row else None):
            if top is not None and owners <= frozenset(book.family(top)):
                return top
    return None
