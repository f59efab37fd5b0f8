"""Habitual short-payers: customers whose payments keep being smaller than what they pay.

Units   amounts in minor units of the row's currency; shares in hundredths of a per cent.
Shape   receipts in the books -> one row per customer and currency with at least so many short ones.
Law     a receipt is short if something of the items it pays is open at the end of its day, was deducted, or was given
        up. Who pays one invoice in two parts is short once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arsync.core.money import Money
from arsync.output import PLAIN, Screen, grid
from arsync.reports.stamp import Stamp
from arsync.reports.writers import Cell, Column, Table


@dataclass(frozen=True, slots=True)
class PaidRow:
    """A receipt of one customer that is in the books."""

    customer_id: int | None  # two customers may have one name
    customer: str
    currency: str
    left_minor: int  # what stayed open of the items it pays
    deducted_minor: int
    given_up_minor: int  # small differences and write-offs

    @property
    def short_minor(self) -> int:
        """How much less was paid."""
        return self.left_minor + self.deducted_minor + self.given_up_minor


@dataclass(frozen=True, slots=True)
class ShortPayer:
    """One customer in one currency."""

    customer: str
    currency: str
    receipts: int
    times_short: int
    short_minor: int
    given_up_minor: int

    @property
    def share_bp(self) -> int:
        """Short ones of all receipts."""
        return self.times_short * 10_000 // self.receipts


@dataclass(frozen=True, slots=True)
class ShortPayers:
    """The report; most often short first."""

    stamp: Stamp
    rows: tuple[ShortPayer, ...]

    def table(self) -> Table:
        """For CSV, JSON and XLSX."""
        columns = (
            Column("customer"),
            Column("receipts", "integer"),
            Column("short_payments", "integer"),
            Column("share", "percent"),
            Column("currency", "currency"),
            Column("short", "amount"),
            Column("given_up", "amount"),
        )
        return Table("short_payers", columns, [_cells(row) for row in self.rows], self.stamp)

    def text(self, screen: Screen = PLAIN, *, following: str = "") -> list[str]:
        """For people."""
        told = [*self.stamp.lines(), ""]
        if not self.rows:
            return [*told, "nobody keeps paying less"]
        body = [
            (
                row.customer, row.receipts, row.times_short, f"{row.share_bp // 100} %",
                Money(row.short_minor, row.currency), Money(row.given_up_minor, row.currency), row.currency,
            )
            for row in self.rows
        ]  # fmt: skip
        head = ("Customer", "Receipts", "Short", "Share", "Less", "Given up", "")
        told += grid(head, body, screen)
        return [*told, "", f"next: {following}"] if following else told


def short_payers(receipts: Iterable[PaidRow], least: int, stamp: Stamp) -> ShortPayers:
    """Customers with at least so many short receipts.

    Args:
        receipts: all receipts of a time whose payment is in the books.
        least: short receipts that make a habit.
        stamp: the day and completeness of the report.
    """
    by_payer: dict[tuple[int | None, str], list[PaidRow]] = defaultdict(list)
    for row in receipts:
        by_payer[row.customer_id, row.currency].append(row)
    rows = [_of(own) for own in by_payer.values()]
    kept = [row for row in rows if row.times_short >= max(1, least)]
    kept.sort(key=lambda row: (-row.share_bp, -row.times_short, row.customer, row.currency))
    return ShortPayers(stamp, tuple(kept))


def _of(own: Sequence[PaidRow]) -> ShortPayer:
    short = [row for row in own if row.short_minor]
    return ShortPayer(
        own[0].customer,
        own[0].currency,
        len(own),
        len(short),
        sum(row.short_minor for row in short),
        sum(row.given_up_minor for row in own),
    )


def _cells(row: ShortPayer) -> tuple[Cell, ...]:
    return (
        row.customer, row.receipts, row.times_short, row.share_bp, row.currency,
        Money(row.short_minor, row.currency), Money(row.given_up_minor, row.currency),
    )  # fmt: skip
