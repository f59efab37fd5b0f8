"""Does a statement add up, and is one missing?

Law     proven means: every amount was readable and opening + lines = closing, to the minor unit.
Shape   pure functions over `Statement` values.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from arsync.core.bank import BankLineRead, Problem, Proven, Statement
from arsync.core.money import Money

AMOUNT_PROBLEMS = frozenset(
    {
        "amount-unreadable",
        "amount-ambiguous",
        "sign-unreadable",
        "currency-unreadable",
        "line-unreadable",
        "control-totals-differ",
        "balance-unreadable",
        "balance-chain-broken",
    }
)
"""Problems after which a statement's sum says nothing."""


@dataclass(frozen=True, slots=True)
class Span:
    """What of a statement says which statement comes before and after it."""

    account_key: str
    currency: str | None
    sequence: int | None
    opening: Money | None
    closing: Money | None
    from_date: date | None
    to_date: date | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing or doubled between two statements of one account."""

    code: str
    account_key: str
    why: str


def prove(
    opening: Money | None, closing: Money | None, lines: Sequence[BankLineRead], problems: Iterable[Problem]
) -> tuple[Proven, Money | None]:
    """Return the verdict and closing - (opening + lines), where both balances are known."""
    unreadable = any(problem.code in AMOUNT_PROBLEMS for problem in problems)
    if opening is None or closing is None:
        return ("unproven" if unreadable else "no balances"), None
    currency = opening.currency
    if closing.currency != currency or any(line.amount.currency != currency for line in lines):
        return "unproven", None
    moved = sum(line.amount.minor for line in lines)
    difference = Money(closing.minor - opening.minor - moved, currency)
    return ("unproven" if unreadable or difference else "proven"), difference


def span(statement: Statement) -> Span:
    """The span of a statement just read."""
    return Span(
        statement.account.key,
        statement.currency,
        statement.sequence,
        statement.opening,
        statement.closing,
        statement.from_date,
        statement.to_date,
    )


def gaps(spans: Iterable[Span]) -> tuple[Gap, ...]:
    """Missing statement numbers, and balances that do not follow on, per account and currency.

    `gap`: a number is missing; numbers start again each year, so one that falls is a new year. `balance-break`: a
    closing is not the next opening. `overlap`: two periods share days, and so may share lines.
    """
    by_account: dict[tuple[str, str | None], list[Span]] = defaultdict(list)
    for one in spans:
        by_account[one.account_key, one.currency].append(one)
    return tuple(
        gap
        for _, series in sorted(by_account.items(), key=lambda item: str(item[0]))
        for earlier, later in _neighbours(series)
        for gap in _between(earlier, later)
    )


def _neighbours(series: Sequence[Span]) -> Iterable[tuple[Span, Span]]:
    ordered = sorted(series, key=lambda s: (str(s.from_date or s.to_date or ""), s.sequence or 0))
    return pairwise(ordered)


def _between(earlier: Span, later: Span) -> Iterable[Gap]:
    key = earlier.account_key
    if earlier.sequence is not None and later.sequence is not None and later.sequence > earlier.sequence + 1:
        yield Gap("gap", key, f"statement {earlier.sequence} is followed by {later.sequence}")
    if earlier.to_date and later.from_date and later.from_date < earlier.to_date:
        yield Gap("overlap", key, f"a period to {earlier.to_date} is followed by one from {later.from_date}")
    elif earlier.closing is not None and later.opening is not None and earlier.closing != later.opening:
        yield Gap("balance-break", key, f"closing {earlier.closing} is followed by opening {later.opening}")
