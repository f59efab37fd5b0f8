"""Unapplied cash: money that has arrived and settles nothing yet, and where all received money went.

Units   amounts are minor units of the row's currency; received money is positive.
Shape   receipts with what became of them, and unapplied payments of the platform -> lines and an equation.
Law     per currency: applied + on account + not receivables + undecided + returned or refunded = received.
        A receipt for which that does not hold is listed with the difference; it is never hidden in a total.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from arsync.core.dates import age_days
from arsync.core.money import Money
from arsync.output import PLAIN, Screen, counted, grid, section
from arsync.reports.stamp import UNPROVEN, Stamp
from arsync.reports.writers import Cell, Column, Table


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt as of the report's day, and what became of its money."""

    receipt_id: int
    received_on: date
    payer: str
    customer: str | None
    currency: str
    received_minor: int
    applied_minor: int = 0
    on_account_minor: int = 0
    not_receivables_minor: int = 0
    undecided_minor: int = 0
    returned_minor: int = 0  # returned by the bank, or refunded
    why: str = ""  # why it is undecided

    @property
    def unexplained_minor(self) -> int:
        """What is missing from the equation; anything but 0 is an error."""
        explained = self.applied_minor + self.on_account_minor + self.not_receivables_minor
        return self.received_minor - explained - self.undecided_minor - self.returned_minor


@dataclass(frozen=True, slots=True)
class UnappliedPayment:
    """A payment in the platform's books, not from one of our receipts, that is not fully applied."""

    item_id: int
    paid_on: date
    number: str | None
    customer: str
    currency: str
    unapplied_minor: int
    what: str = "payment"  # or deposit: a line of one straight to receivables


@dataclass(frozen=True, slots=True)
class UnappliedLine:
    """Money that settles nothing yet. `state`: undecided, on account, unapplied payment or deposit, or unexplained."""

    state: str
    reference: str
    arrived: date
    age_days: int
    payer: str
    customer: str | None
    currency: str
    amount_minor: int
    why: str


@dataclass(frozen=True, slots=True)
class Equation:
    """Where all money received in one currency went; `unexplained` is 0 unless our books are wrong."""

    currency: str
    receipts: int
    received_minor: int
    applied_minor: int
    on_account_minor: int
    not_receivables_minor: int
    undecided_minor: int
    returned_minor: int
    unexplained_minor: int
    unapplied_payments_minor: int  # beside the equation: not received through arsync


@dataclass(frozen=True, slots=True)
class Unapplied:
    """The report: lines, largest first within a currency, and one equation per currency."""

    stamp: Stamp
    lines: tuple[UnappliedLine, ...]
    equations: tuple[Equation, ...]

    def table(self) -> Table:
        """For CSV, JSON and XLSX: one row per line."""
        columns = (
            Column("state"),
            Column("reference"),
            Column("arrived", "date"),
            Column("age_days", "integer"),
            Column("payer"),
            Column("customer"),
            Column("currency", "currency"),
            Column("amount", "amount"),
            Column("why"),
        )
        return Table("unapplied_cash", columns, self.rows(), self.stamp)

    def rows(self) -> list[tuple[Cell, ...]]:
        """The rows of `table`."""
        return [
            (
                line.state,
                line.reference,
                line.arrived,
                line.age_days,
                line.payer,
                line.customer,
                line.currency,
                Money(line.amount_minor, line.currency),
                line.why,
            )
            for line in self.lines
        ]

    def text(self, screen: Screen = PLAIN, *, following: str = "") -> list[str]:
        """For people: per currency the equation, then the lines."""
        result = [*self.stamp.lines(), ""]
        for equation in self.equations:
            lines = [line for line in self.lines if line.currency == equation.currency]
            result += [*_equation_text(equation, screen), "", *_lines_text(lines, screen), ""]
        if not self.equations:
            result += ["nothing was received", ""]
        return [*result, f"next: {following}"] if following else result[:-1]


def unapplied(
    receipts: Iterable[ReceiptRow],
    payments: Iterable[UnappliedPayment],
    as_of: date,
    *,
    known_at: datetime | None = None,
    completeness: str = UNPROVEN,
    ledger: str = "",
) -> Unapplied:
    """List the cash that settles nothing yet.

    Args:
        receipts: all receipts of one ledger up to `as_of`, settled ones too: the equation counts them.
        payments: unapplied payments of the platform that no receipt of ours stands behind.
        as_of: the day ages are counted to.
        known_at: the moment whose knowledge the rows are; None for now.
        completeness: "proven against ..." or "unproven: why".
        ledger: whose books these are.
    """
    receipts, payments = list(receipts), list(payments)
    lines = [line for receipt in receipts for line in _of_receipt(receipt, as_of)]
    lines += [_of_payment(payment, as_of) for payment in payments if payment.unapplied_minor]
    lines.sort(key=lambda line: (line.currency, -abs(line.amount_minor), line.reference, line.state))
    stamp = Stamp(as_of, "receipt", known_at, completeness, ledger)
    return Unapplied(stamp, tuple(lines), _equations(receipts, payments))


def _of_receipt(receipt: ReceiptRow, as_of: date) -> list[UnappliedLine]:
    states = (
        ("unexplained", receipt.unexplained_minor, "the parts do not add up to what was received"),
        ("undecided", receipt.undecided_minor, receipt.why),
        ("on account", receipt.on_account_minor, ""),
    )
    return [
        UnappliedLine(
            state=state,
            reference=f"R-{receipt.receipt_id}",
            arrived=receipt.received_on,
            age_days=age_days(receipt.received_on, as_of),
            payer=receipt.payer,
            customer=receipt.customer,
            currency=receipt.currency,
            amount_minor=minor,
            why=why,
        )
        for state, minor, why in states
        if minor
    ]


def _of_payment(payment: UnappliedPayment, as_of: date) -> UnappliedLine:
    return UnappliedLine(
        state=f"unapplied {payment.what}",
        reference=payment.number or f"item {payment.item_id}",
        arrived=payment.paid_on,
        age_days=age_days(payment.paid_on, as_of),
        payer=payment.customer,
        customer=payment.customer,
        currency=payment.currency,
        amount_minor=payment.unapplied_minor,
        why="",
    )


def _equations(receipts: list[ReceiptRow], payments: list[UnappliedPayment]) -> tuple[Equation, ...]:
    by_currency: dict[str, list[ReceiptRow]] = defaultdict(list)
    outside: dict[str, int] = defaultdict(int)
    for receipt in receipts:
        by_currency[receipt.currency].append(receipt)
    for payment in payments:
        outside[payment.currency] += payment.unapplied_minor
    return tuple(
        Equation(
            currency=currency,
            receipts=len(own),
            received_minor=sum(receipt.received_minor for receipt in own),
            applied_minor=sum(receipt.applied_minor for receipt in own),
            on_account_minor=sum(receipt.on_account_minor for receipt in own),
            not_receivables_minor=sum(receipt.not_receivables_minor for receipt in own),
            undecided_minor=sum(receipt.undecided_minor for receipt in own),
            returned_minor=sum(receipt.returned_minor for receipt in own),
            unexplained_minor=sum(receipt.unexplained_minor for receipt in own),
            unapplied_payments_minor=outside.get(currency, 0),
        )
        for currency in sorted({*by_currency, *outside})
        for own in [by_currency.get(currency, [])]
    )


def _equation_text(each: Equation, screen: Screen) -> list[str]:
    parts: list[tuple[str, int]] = [
        ("applied", each.applied_minor),
        ("on account", each.on_account_minor),
        ("not receivables", each.not_receivables_minor),
        ("undecided", each.undecided_minor),
        ("returned or refunded", each.returned_minor),
    ]
    if each.unexplained_minor:
        parts.append(("UNEXPLAINED", each.unexplained_minor))
    body: list[tuple[Cell, ...]] = [(label, Money(minor, each.currency)) for label, minor in parts]
    received: tuple[Cell, ...] = ("received", Money(each.received_minor, each.currency))
    table = grid(("", each.currency), body, screen, totals=[received])
    lines = section(f"{counted(each.receipts, 'receipt')} in {each.currency}", table[1:], screen)
    if each.unapplied_payments_minor:
        outside = Money(each.unapplied_payments_minor, each.currency)
        lines.append(f"  besides, unapplied payments in the platform's books: {outside}")
    return lines


def _lines_text(lines: list[UnappliedLine], screen: Screen) -> list[str]:
    if not lines:
        return ["  everything is settled"]
    body: list[tuple[Cell, ...]] = [
        (
            Money(line.amount_minor, line.currency),
            line.state,
            line.arrived,
            line.age_days,
            line.customer or line.payer,
            line.why,
            line.reference,
        )
        for line in lines
    ]
    return grid(("Amount", "State", "Arrived", "Days", "From", "Why", "Reference"), body, screen)
