"""A statement while its lines go by, whatever the format.

Shape   a mutable `Draft`, filled by one reader, then one frozen `Statement`.
Law     what was added is in the statement: each line, each problem, each warning once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from arsync.connectors.bank import texts
from arsync.connectors.bank.proof import prove
from arsync.core.bank import AccountId, BankLineRead, Problem, Remittance, Standing, Statement
from arsync.core.money import Money

LOOK = "look at the line in the file and enter it by hand, or ask the bank"


@dataclass(slots=True)
class Draft:
    """One statement in the making; see `Statement` for the fields."""

    account: AccountId
    currency: str | None
    standing: Standing = "booked"
    statement_id: str | None = None
    sequence: int | None = None
    opening: Money | None = None
    closing: Money | None = None
    total: Money | None = None
    reference: str | None = None
    from_date: date | None = None
    to_date: date | None = None
    lines: list[BankLineRead] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    remittances: list[Remittance] = field(default_factory=list)
    removed: tuple[str, ...] = ()

    def problem(self, code: str, locator: str, name: str, raw: str, why: str, do: str = LOOK) -> None:
        """Add a problem."""
        self.problems.append(Problem(code, locator, name, raw, why, do))

    def statement(self) -> Statement:
        """The statement, proved as far as the file allows."""
        if self.account.scheme == "unknown":
            self.warnings.append("account-missing")
        opening, closing = self.opening, self.closing
        if self.standing == "detail" and self.total is not None:
            opening, closing = Money(0, self.total.currency), self.total
        proven, difference = prove(opening, closing, self.lines, self.problems)
        return Statement(
            account=self.account,
            currency=self.currency,
            statement_id=self.statement_id,
            sequence=self.sequence,
            opening=self.opening,
            closing=self.closing,
            from_date=self.from_date,
            to_date=self.to_date,
            lines=tuple(self.lines),
            proven=proven,
            difference=difference,
            problems=tuple(self.problems),
            warnings=texts.once(self.warnings + [problem.code for problem in self.problems]),
            standing=self.standing,
            total=self.total,
            reference=self.reference,
            removed=self.removed,
        )

    def days_of_lines(self) -> None:
        """Take the statement's days from its lines, where the file names none."""
        days = [line.booking_date for line in self.lines if line.booking_date]
        self.from_date = self.from_date or min(days, default=None)
        self.to_date = self.to_date or max(days, default=None)


def finished(drafts: Iterable[Draft]) -> tuple[tuple[Statement, ...], tuple[Remittance, ...]]:
    """The statements and remittances of all drafts."""
    drafts = tuple(drafts)
    remittances = tuple(advice for draft in drafts for advice in draft.remittances)
    return tuple(draft.statement() for draft in drafts), remittances
