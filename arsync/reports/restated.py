"""Restated: what has moved the aging of a past day since that day was reported.

An application counts from the platform's effective date, the later date of its two documents, and not from the day
somebody decided it: applying an old payment today changes what was open last month. This report says which documents
moved, by how much, and why.

Units   minor units of the line's currency.
Shape   what was open on a day as known then, and as known now -> one line per item that differs.
Law     per currency: then + sum of moved = now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from arsync.core.money import Money
from arsync.output import PLAIN, Screen, counted, grid
from arsync.reports.aging import AgedRow
from arsync.reports.stamp import Stamp
from arsync.reports.writers import Cell, Column, Table


@dataclass(frozen=True, slots=True)
class Cause:
    """An application that became known later: its other document, its effective date, and what it settles."""

    item_id: int
    document: str  # the other side: "Payment 158"
    on: date  # the platform's effective date
    known_on: date  # when the books showed it here
    amount_minor: int  # what the item's open amount goes down by


@dataclass(frozen=True, slots=True)
class Moved:
    """One item whose open amount on that day is another one now."""

    customer: str
    item_id: int
    document: str
    issued: date
    currency: str
    then_minor: int
    now_minor: int
    why: str

    @property
    def moved_minor(self) -> int:
        """By how much."""
        return self.now_minor - self.then_minor


@dataclass(frozen=True, slots=True)
class Sum:
    """What was open in one currency, then and now."""

    currency: str
    then_minor: int
    now_minor: int


@dataclass(frozen=True, slots=True)
class Restated:
    """The report."""

    stamp: Stamp
    lines: tuple[Moved, ...]
    totals: tuple[Sum, ...]

    def table(self) -> Table:
        """For CSV, JSON and XLSX: one row per item that moved."""
        columns = (
            Column("customer"),
            Column("document"),
            Column("issued", "date"),
            Column("currency", "currency"),
            Column("then", "amount"),
            Column("now", "amount"),
            Column("moved", "amount"),
            Column("why"),
        )
        return Table("restated", columns, self.rows(), self.stamp)

    def rows(self) -> list[tuple[Cell, ...]]:
        """The rows of `table`, largest move first within a currency."""
        return [
            (one.customer, one.document, one.issued, one.currency, *_amounts(one), one.why)
            for one in self.lines
        ]

    def text(self, screen: Screen = PLAIN) -> list[str]:
        """For people: per currency then, moved and now, and the documents."""
        result = [*self.stamp.lines(), ""]
        for total in self.totals:
            then, now = Money(total.then_minor, total.currency), Money(total.now_minor, total.currency)
            lines = [one for one in self.lines if one.currency == total.currency]
            result.append(f"open then {then}, now {now}; {counted(len(lines), 'document')} moved")
            body: list[tuple[Cell, ...]] = [
                (one.customer, one.document, *_amounts(one), one.why) for one in lines
            ]
            result += (
                grid(("Customer", "Document", "Then", "Now", "Moved", "Why"), body, screen) if body else []
            )
            result.append("")
        return result[:-1] if self.totals else [*result, "nothing was open, then or now"]


def _amounts(one: Moved) -> tuple[Money, ...]:
    return tuple(Money(minor, one.currency) for minor in (one.then_minor, one.now_minor, one.moved_minor))


def restated(
    then: Iterable[AgedRow],
    now: Iterable[AgedRow],
    causes: Iterable[Cause],
    names: Mapping[int, str],
    stamp: Stamp,
) -> Restated:
    """Compare what was open on a day as known then and as known now; `names` are the documents of items."""
    old, new = {row.item_id: row for row in then}, {row.item_id: row for row in now}
    because: dict[int, list[Cause]] = defaultdict(list)
    for cause in causes:
        because[cause.item_id].append(cause)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    lines = []
    for item_id in sorted({*old, *new}):
        before, after = old.get(item_id), new.get(item_id)
        row = after or before
        assert row is not None
        then_minor, now_minor = (one.open_minor if one else 0 for one in (before, after))
        sums[row.currency][0] += then_minor
        sums[row.currency][1] += now_minor
        if then_minor != now_minor:
            why = _why(before, after, because[item_id])
            document = names.get(item_id, f"item {item_id}")
            lines.append(
                Moved(row.customer, item_id, document, row.issued, row.currency, then_minor, now_minor, why)
            )
    lines.sort(key=lambda one: (one.currency, -abs(one.moved_minor), one.item_id))
    totals = tuple(Sum(currency, *both) for currency, both in sorted(sums.items()))
    return Restated(stamp, tuple(lines), totals)


def _why(before: AgedRow | None, after: AgedRow | None, causes: Sequence[Cause]) -> str:
    moved = (after.open_minor if after else 0) - (before.open_minor if before else 0)
    told = [
        f"{one.document} counts from {one.on}, known here {one.known_on}"
        for one in causes
        if one.amount_minor
    ]
    if moved == -sum(one.amount_minor for one in causes):
        return "; ".join(told)
    # What applications do not explain, the document itself does.
    own = (
        "entered later"
        if before is None
        else "deleted or settled later"
        if after is None
        else "changed later"
    )
    return "; ".join([own, *told])
