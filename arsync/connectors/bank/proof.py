"""Does a statement add up, and is one missing?

Law     proven means: every amount was readable and opening + lines = closing, to the minor unit.
Shape   pure functions over `Statement` values.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
class Gap:
    """Something is missing or doubled between two statements of one account."""

    code: str
    account_key: str
    after: Statement
    before: Statement
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


def gaps(statements: Iterable[Statement]) -> tuple[Gap, ...]:
    """Missing statement numbers and balances that do not follow on, per account and currency.

    Numbers start again each year at many banks: a number that falls is a new year, not a gap.
    """
    by_account: dict[tuple[str, str | None], list[Statement]] = defaultdict(list)
    for statement in statements:
        by_account[statement.account.key, statement.currency].append(statement)
    return tuple(
        gap
        for _, series in sorted(by_account.items(), key=lambda item: str(item[0]))
        for earlier, later in _neighbours(series)
        for gap in _between(earlier, later)
    )


def _neighbours(series: Sequence[Statement]) -> Iterable[tuple[Statement, Statement]]:
    ordered = sorted(series, key=lambda s: (str(s.from_date or s.to_date or ""), s.sequence or 0))
    return pairwise(ordered)


def _between(earlier: Statement, later: Statement) -> Iterable[Gap]:
    key = earlier.account.key
    if earlier.sequence is not None and later.sequence is not None and later.sequence > earlier.sequence + 1:
        missing = f"statement {earlier.sequence} is followed by {later.sequence}"
        yield Gap("gap", key, earlier, later, missing)
    if earlier.closing is not None and later.opening is not None and earlier.closing != later.opening:
        broken = f"closing {earlier.closing} is followed by opening {later.opening}"
        yield Gap("balance-break", key, earlier, later, broken)
