"""Received money that may still go back: by customer and by the way in which it came, and until when.

Units   amounts in minor units of the row's currency; days are the last ones on which it may go back.
Shape   receipts in the books -> one row per customer, currency, method and standing -> totals per currency.
Law     every receipt counts in one row or is final. What the bank does not say and a cheque would be over by now is
        a row of its own ("not known"): caution, not knowledge.
Source  `core/finality.py` has the windows and whose rules they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from arsync.core.finality import Finality, Method, Standing, finality
from arsync.core.money import Money
from arsync.output import PLAIN, Screen, counted, grid, section
from arsync.reports.stamp import Stamp
from arsync.reports.writers import Cell, Column, Table

_ORDER: tuple[Standing, ...] = ("may go back", "may be claimed back", "not known")


@dataclass(frozen=True, slots=True)
class ReceivedRow:
    """Receipts of one customer, one day and one method whose money is in the books."""

    customer_id: int | None  # two customers may have one name
    customer: str
    currency: str
    method: Method
    booked: date
    receipts: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class NotFinalRow:
    """What of one customer's money is not final; `until` is the last day of the last receipt, None: nobody can say."""

    customer: str
    currency: str
    method: Method
    standing: Standing
    until: date | None
    receipts: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class NotFinal:
    """The report: by currency what goes back without our being asked first, then the largest."""

    stamp: Stamp
    rows: tuple[NotFinalRow, ...]

    def table(self) -> Table:
        """For CSV, JSON and XLSX."""
        columns = (
            Column("customer"),
            Column("standing"),
            Column("method"),
            Column("until", "date"),
            Column("receipts", "integer"),
            Column("currency", "currency"),
            Column("amount", "amount"),
        )
        return Table("not_final", columns, [_cells(row) for row in self.rows], self.stamp)

    def text(self, screen: Screen = PLAIN, *, following: str = "") -> list[str]:
        """For people: per currency the totals, then the rows."""
        told = [*self.stamp.lines(), ""]
        if not self.rows:
            return [*told, "all money in the books is final"]
        for currency in dict.fromkeys(row.currency for row in self.rows):
            own = [row for row in self.rows if row.currency == currency]
            told += [*_totals(own, currency, screen), "", *_lines(own, screen), ""]
        return [*told, f"next: {following}"] if following else told[:-1]


def not_final(received: Iterable[ReceivedRow], stamp: Stamp) -> NotFinal:
    """List the money that is not final on the day of the stamp.

    Args:
        received: all receipts of one ledger that are in the books.
        stamp: the day and completeness of the report.
    """
    resting: dict[tuple[int | None, str, Method, Standing], list[tuple[ReceivedRow, Finality]]] = defaultdict(
        list
    )
    for row in received:
        final = finality(row.method, row.booked)
        standing = final.on(stamp.as_of)
        if standing != "final":
            resting[row.customer_id, row.currency, row.method, standing].append((row, final))
    rows = [
        NotFinalRow(
            own[0][0].customer,
            *key[1:],
            max((until for _, final in own if (until := _until(final, key[3]))), default=None),
            sum(row.receipts for row, _ in own),
            sum(row.amount_minor for row, _ in own),
        )
        for key, own in resting.items()
    ]
    rows.sort(
        key=lambda row: (
            row.currency,
            _ORDER.index(row.standing),
            -row.amount_minor,
            row.customer,
            row.method,
        )
    )
    return NotFinal(stamp, tuple(rows))


def _until(final: Finality, standing: Standing) -> date | None:
    if standing == "not known":
        return None
    return final.returned_until if standing == "may go back" else final.claimed_until


def _totals(rows: Sequence[NotFinalRow], currency: str, screen: Screen) -> list[str]:
    body: list[tuple[Cell, ...]] = [
        (standing, Money(minor, currency))
        for standing in _ORDER
        if (minor := sum(row.amount_minor for row in rows if row.standing == standing))
    ]
    whole: tuple[Cell, ...] = ("not final", Money(sum(row.amount_minor for row in rows), currency))
    table = grid(("", currency), body, screen, totals=[whole])
    return section(
        f"{counted(sum(row.receipts for row in rows), 'receipt')} in {currency}", table[1:], screen
    )


def _lines(rows: Sequence[NotFinalRow], screen: Screen) -> list[str]:
    body: list[tuple[Cell, ...]] = [
        (
            Money(row.amount_minor, row.currency), row.standing, _ends(row), row.customer,
            "how it came is not said" if row.method == "not said" else row.method, row.receipts,
        )
        for row in rows
    ]  # fmt: skip
    return grid(("Amount", "Standing", "Until", "Customer", "Method", "Receipts"), body, screen)


def _ends(row: NotFinalRow) -> str:
    if row.until is None:
        return ""
    return "without an end" if row.until == date.max else row.until.isoformat()


def _cells(row: NotFinalRow) -> tuple[Cell, ...]:
    return (
        row.customer, row.standing, row.method, row.until, row.receipts, row.currency,
        Money(row.amount_minor, row.currency),
    )  # fmt: skip
