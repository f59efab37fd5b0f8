"""From a decision to what is asked of the platform.

Law     cash + what is given up + credits used == what the debits lose + what stays on account, to the minor
        unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from arsync.connectors.contract import (
    ApplyCredits,
    ApplyPayment,
    Intent,
    PostCredit,
    PostEntry,
    PostReceipt,
    PostRefund,
    Ref,
    Reverse,
    SetExpected,
    SetNote,
    Settle,
)
from arsync.core.decisions import Explanation
from arsync.core.money import Money, total
from arsync.core.policy import ADJUSTMENT_KINDS, Policy
from arsync.store.decisions import Line

# kind of a decision's line -> kind of adjustment
ADJUSTMENTS = {"discount": "cash discount"} | {
    kind.replace(" ", "_").replace("-", "_"): kind for kind in ADJUSTMENT_KINDS if kind != "cash discount"
}


@dataclass(frozen=True, slots=True)
class Cash:
    """The money a decision is about."""

    customer: Ref
    on: date
    total: Money
    reference: str
    deposit_account: str | None
    grouped: bool = False  # see `PostReceipt`
    banked: Money | None = None  # what arrived, where `total` is what it settles in another currency

    def exchanged(self, lines: Sequence[Line], currency: str) -> "Cash":
        """All of it against items in another currency: what they lose, at the rate that makes the two equal."""
        settled = Money(sum(line.minor for line in lines if line.kind == "cash"), currency)
        return replace(self, total=settled, banked=self.total)


def lines_of(explanation: Explanation) -> tuple[Line, ...]:
    """What an explanation spends, line by line.

    A deduction stays open on its item until somebody settles the dispute.
    """
    lines = []
    for share in explanation.shares:
        for kind, minor in (
            ("cash", share.applied_minor),
            ("discount", share.discount_minor),
            ("small_difference", share.write_off_minor),
        ):
            if minor:
                lines.append(Line(share.item_id, kind, minor))
    if explanation.on_account_minor:
        lines.append(Line(None, "on_account", explanation.on_account_minor))
    return tuple(lines)


def unmapped(lines: Sequence[Line], policy: Policy) -> list[str]:
    """Kinds of adjustment the lines need that the policy maps to no document."""
    mapped = {kind for kind, booked in policy.adjustments.items() if booked.product is not None}
    return sorted({ADJUSTMENTS[line.kind] for line in lines if line.kind in ADJUSTMENTS} - mapped)


def for_receipt(
    cash: Cash, lines: Sequence[Line], refs: Mapping[int, Ref], policy: Policy
) -> tuple[Intent, ...]:
    """Give up what is given up first, then book the money against everything at once."""
    given_up = _credits(cash, lines, refs, policy)
    settles = _settles(lines, refs, cash.total.currency)
    used = tuple(range(len(given_up)))
    receipt = PostReceipt(
        cash.customer, cash.on, cash.total, settles, used, cash.reference, cash.deposit_account, cash.grouped,
        cash.banked,
    )  # fmt: skip
    return (*given_up, receipt)


def for_credits(
    cash: Cash, lines: Sequence[Line], refs: Mapping[int, Ref], policy: Policy
) -> tuple[Intent, ...]:
    """Settle debits with credits the customer has, no cash."""
    given_up = _credits(cash, lines, refs, policy)
    settles = _settles(lines, refs, cash.total.currency)
    return (*given_up, ApplyCredits(cash.customer, cash.on, settles, tuple(range(len(given_up)))))


@dataclass(frozen=True, slots=True)
class Held:
    """A payment the platform already holds; `locked` where its own record may not change any more."""

    payment: Ref
    customer: Ref
    locked: bool  # dated in closed books
    today: date


def for_payment(
    held: Held, lines: Sequence[Line], refs: Mapping[int, Ref], currency: str
) -> tuple[Intent, ...]:
    """Use the unapplied part of a payment; where it is locked, through a document without cash."""
    settles = _settles(lines, refs, currency)
    if not held.locked:
        return (ApplyPayment(held.payment, settles),)
    used = total((settle.amount for settle in settles), currency)
    return (ApplyCredits(held.customer, held.today, (*settles, Settle(held.payment, -used))),)


def for_return(entry: PostEntry, payment: Ref | None, settled: Sequence[Settle]) -> tuple[Intent, ...]:
    """Book money the bank gave back, dated as it did.

    The payment stays what it was, money that arrived; it settles the entry now, and with it what `settled` lists is
    open again. Without a payment that may change, the entry itself is what is owed.
    """
    if payment is None:
        return (entry,)
    return (entry, ApplyPayment(payment, (), entries_of=(0,), frees=tuple(settled)))


def for_refund(entry: PostEntry, held: Held | None, used: Sequence[Settle]) -> tuple[Intent, ...]:
    """Book a refund the bank has paid, and use up what was given back: credits, or a payment's unapplied part."""
    if held is None:
        return (entry, ApplyCredits(entry.customer, entry.on, tuple(used), entries_of=(0,)))
    if held.locked:
        whole = (Settle(held.payment, -entry.amount),)
        return (entry, ApplyCredits(entry.customer, entry.on, whole, entries_of=(0,)))
    return (entry, ApplyPayment(held.payment, (), entries_of=(0,)))


def refunds(entry: PostEntry, used: Sequence[Settle]) -> tuple[Intent, ...]:
    """The same where the platform pays back out of a credit: one document for each of them."""
    return tuple(
        PostRefund(entry.customer, entry.on, -settle.amount, settle.item, entry.bank_account, entry.reference)
        for settle in used
    )


def taking_back(wanted: Sequence[Intent], written: Mapping[int, Ref]) -> tuple[Intent, ...]:
    """What takes back those intents of a bundle that were written, last first; `written` by their number."""
    back: list[Intent] = []
    for number in sorted(written, reverse=True):
        intent = wanted[number]
        if isinstance(intent, ApplyPayment):
            back.append(_unapplying(intent, wanted, written))
        elif not isinstance(intent, SetNote | SetExpected | Reverse):
            back.append(Reverse(written[number]))
    return tuple(back)


def _unapplying(intent: ApplyPayment, wanted: Sequence[Intent], written: Mapping[int, Ref]) -> Intent:
    """The payment is the platform's: only what we applied is taken off, and what we took off is applied again."""
    off = list(intent.settles)
    for number in intent.entries_of:
        entry = wanted[number]
        assert isinstance(entry, PostEntry)
        off.append(Settle(written[number], entry.amount))
    if intent.frees:
        return ApplyPayment(intent.payment, intent.frees, frees=tuple(off))
    return Reverse(intent.payment, tuple(off))


def _credits(
    cash: Cash, lines: Sequence[Line], refs: Mapping[int, Ref], policy: Policy
) -> tuple[PostCredit, ...]:
    made = []
    for line in lines:
        if line.kind in ADJUSTMENTS and line.item_id is not None:
            what = ADJUSTMENTS[line.kind]
            booked = policy.adjustments[what]
            amount = Money(line.minor, cash.total.currency)
            assert booked.product is not None  # `unmapped` said so
            made.append(
                PostCredit(
                    cash.customer, cash.on, amount, booked.product, booked.tax_code, what, refs[line.item_id]
                )
            )
    return tuple(made)


def _settles(lines: Sequence[Line], refs: Mapping[int, Ref], currency: str) -> tuple[Settle, ...]:
    """One line per item: what it loses in all."""
    minor: dict[int, int] = {}
    for line in lines:
        if line.item_id is not None:
            minor[line.item_id] = minor.get(line.item_id, 0) + line.minor
    return tuple(Settle(refs[item_id], Money(amount, currency)) for item_id, amount in minor.items())
