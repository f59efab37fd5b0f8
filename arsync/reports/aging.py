"""Aging: what each customer owes, by how old it is.

Units   amounts are minor units of the line's currency; ages are calendar days.
Shape   open items of one ledger -> one line per customer and currency, in buckets of age.
Law     sum of the buckets of a line = its total; sum of the lines of a currency = sum of the rows handed in.
Credits credit memos and the unapplied part of payments stand in the buckets with their minus sign, aged by
        their own date whatever the basis, as platforms do; `credits` says how much of the total they are.
Source  the aging of QuickBooks Online and Xero ages unapplied payments and credits by transaction date.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from arsync.core.dates import Buckets, age_days
from arsync.core.items import ItemKind
from arsync.core.money import Money
from arsync.output import PLAIN, Bar, Screen, bars, counted, grid, section
from arsync.reports.stamp import UNPROVEN, Stamp
from arsync.reports.writers import Cell, Column, Table

Basis = Literal["due", "document"]


@dataclass(frozen=True, slots=True)
class AgedRow:
    """One open item as of the report's day; credits and unapplied payments are negative."""

    customer_id: int
    customer: str
    item_id: int
    number: str | None
    kind: ItemKind
    issued: date
    due: date
    currency: str
    open_minor: int


@dataclass(frozen=True, slots=True)
class AgedLine:
    """What one customer owes in one currency. Law: sum(buckets) = total; credits are part of total."""

    customer_id: int
    customer: str
    currency: str
    buckets_minor: tuple[int, ...]
    credits_minor: int
    total_minor: int
    items: int


@dataclass(frozen=True, slots=True)
class Aging:
    """The report. `totals` has one line per currency (customer id 0)."""

    stamp: Stamp
    labels: tuple[str, ...]
    lines: tuple[AgedLine, ...]
    totals: tuple[AgedLine, ...]

    def table(self) -> Table:
        """For CSV, JSON and XLSX: one row per customer and currency."""
        columns = (
            Column("customer_id", "integer"),
            Column("customer"),
            Column("currency", "currency"),
            *(Column(_header(label), "amount") for label in self.labels),
            Column("total", "amount"),
            Column("of_which_credits", "amount"),
            Column("items", "integer"),
        )
        return Table("aging", columns, self.rows(), self.stamp)

    def rows(self) -> list[tuple[Cell, ...]]:
        """The rows of `table`, largest total first within a currency."""
        return [
            (line.customer_id, line.customer, line.currency, *_amounts(line), line.items)
            for line in self.lines
        ]

    def text(self, screen: Screen = PLAIN, *, following: str = "") -> list[str]:
        """For people: totals by age as a picture, then the customers, per currency."""
        result = [*self.stamp.lines(), ""]
        for total in self.totals:
            result += [*self._currency(total, screen), ""]
        if not self.totals:
            result += ["nothing is open", ""]
        return [*result, f"next: {following}"] if following else result[:-1]

    def _currency(self, total: AgedLine, screen: Screen) -> list[str]:
        owed = Money(total.total_minor, total.currency)
        chart = [
            Bar(label, Money(minor, total.currency))
            for label, minor in zip(self.labels, total.buckets_minor, strict=True)
        ]
        lines = [line for line in self.lines if line.currency == total.currency]
        headings = ("Customer", *self.labels, "Total", "Credits")
        body: list[tuple[Cell, ...]] = [(line.customer, *_amounts(line)) for line in lines]
        people = grid(headings, body, screen, totals=[(counted(len(lines), "customer"), *_amounts(total))])
        title = f"open {owed} in {counted(total.items, 'item')}; credits are part of the totals"
        return [*section(title, bars(chart, screen), screen), "", *people]


def aging(
    rows: Iterable[AgedRow],
    as_of: date,
    basis: Basis = "due",
    buckets: Buckets | None = None,
    *,
    known_at: datetime | None = None,
    completeness: str = UNPROVEN,
    ledger: str = "",
) -> Aging:
    """Sort open items by age.

    Args:
        rows: every item open on `as_of`, of one ledger; items with nothing open may be among them.
        as_of: the day the ages are counted to.
        basis: `"due"` ages debits by due date, `"document"` by issue date; credits always by issue date.
        buckets: the classes; Current, 1-30, 31-60, 61-90, 91+ unless given.
        known_at: the moment whose knowledge the rows are; None for now.
        completeness: "proven against ..." or "unproven: why".
        ledger: whose books these are, for the head of the report.
    """
    classes = buckets or Buckets()
    customers: dict[tuple[str, int], list[AgedRow]] = defaultdict(list)
    currencies: dict[str, list[AgedRow]] = defaultdict(list)
    for row in rows:
        if row.open_minor:
            customers[row.currency, row.customer_id].append(row)
            currencies[row.currency].append(row)
    lines = [
        _line(key[1], group[0].customer, group, as_of, basis, classes) for key, group in customers.items()
    ]
    totals = [_line(0, "", group, as_of, basis, classes) for _, group in sorted(currencies.items())]
    lines.sort(key=lambda line: (line.currency, -line.total_minor, line.customer, line.customer_id))
    stamp = Stamp(as_of, basis, known_at, completeness, ledger)
    return Aging(stamp, classes.labels, tuple(lines), tuple(totals))


def aged_from(row: AgedRow, basis: Basis) -> date:
    """The date an item's age is counted from."""
    return row.due if basis == "due" and row.kind.is_debit else row.issued


def _line(
    customer_id: int, customer: str, rows: Sequence[AgedRow], as_of: date, basis: Basis, buckets: Buckets
) -> AgedLine:
    aged = [0] * len(buckets.labels)
    for row in rows:
        aged[buckets.index(age_days(aged_from(row, basis), as_of))] += row.open_minor
    return AgedLine(
        customer_id=customer_id,
        customer=customer,
        currency=rows[0].currency,
        buckets_minor=tuple(aged),
        credits_minor=sum(row.open_minor for row in rows if not row.kind.is_debit),
        total_minor=sum(row.open_minor for row in rows),
        items=len(rows),
    )


def _amounts(line: AgedLine) -> tuple[Money, ...]:
    minors = (*line.buckets_minor, line.total_minor, line.credits_minor)
    return tuple(Money(minor, line.currency) for minor in minors)


def _header(label: str) -> str:
    """A stable column name for files: "1-30" is days_1_30, "91+" is days_91_up."""
    words = label.lower().replace("-", "_").replace("+", "_up").replace(" ", "_")
    return words if words.isidentifier() else f"days_{words}"
