"""The platform's own figure of what each customer owes: the aged receivables report.

Units   the report is in the home currency, also for customers who owe in another; an account in its own.
Law     a row's total is the sum of its buckets, the customers add up to the report's total; else the report
        is `Garbled`.
Source  recorded reports; columns are found by ColKey and ColType, customers by id, never by position or
        title.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arsync.connectors.contract import Total
from arsync.core.money import AmountUnreadable, Money, total

Row = Mapping[str, Any]


class ReportUnreadable(ValueError):
    """A report that is not what was promised."""


@dataclass(frozen=True, slots=True)
class _Columns:
    name: int
    buckets: tuple[int, ...]
    whole: int
    currency: str


def aged_receivables(report: Row, source: str, home_currency: str) -> tuple[Total, ...]:
    """One total per customer with an id, and the ledger's own (customer None).

    Raises:
        ReportUnreadable: a cell, a row or the whole does not add up, or a row names nobody.
    """
    header = report.get("Header")
    currency = str(header.get("Currency") or home_currency) if isinstance(header, Mapping) else home_currency
    rows = _rows(report)
    if not rows:
        return (Total(None, Money.zero(currency), source),)
    columns = _columns(report, currency)
    customers: dict[str, Money] = {}
    for cells in _customer_rows(rows):
        number = str(cells[columns.name].get("id") or "")
        if not number:
            raise ReportUnreadable(f"row {cells[columns.name].get('value')!r} names no customer")
        customers[number] = customers.get(number, Money.zero(currency)) + _row_total(cells, columns)
    stated = _grand_total(rows, columns)
    if stated != total(customers.values(), currency):
        raise ReportUnreadable(f"its customers do not add up to its total of {stated.text()}")
    each = (Total(number, amount, source) for number, amount in customers.items())
    return (*each, Total(None, stated, source))


def _rows(report: Row) -> Sequence[Row]:
    rows = report.get("Rows")
    found = rows.get("Row") if isinstance(rows, Mapping) else None
    return found if isinstance(found, list) else []


def _columns(report: Row, currency: str) -> _Columns:
    columns = report.get("Columns")
    listed = columns.get("Column") if isinstance(columns, Mapping) else None
    if not isinstance(listed, list):
        raise ReportUnreadable("it has no columns")
    money = [position for position, column in enumerate(listed) if column.get("ColType") == "Money"]
    names = [position for position, column in enumerate(listed) if column.get("ColType") != "Money"]
    if not money or len(names) != 1:
        raise ReportUnreadable(f"it has {len(names)} name columns and {len(money)} money columns")
    keyed = [position for position in money if _key(listed[position]) == "total"]
    whole = keyed[0] if keyed else money[-1]
    return _Columns(names[0], tuple(position for position in money if position != whole), whole, currency)


def _key(column: Row) -> str:
    for pair in column.get("MetaData") or []:
        if pair.get("Name") == "ColKey":
            return str(pair.get("Value")).lower()
    return ""


def _customer_rows(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The cells of every customer's own row; a parent's own figures stand in the header of its section."""
    for row in rows:
        if row.get("group") == "GrandTotal":
            continue
        header = _cells(row.get("Header"))
        if any(cell.get("value") for cell in header[1:]):
            yield header
        if row.get("ColData") is not None:
            yield _cells(row)
        yield from _customer_rows(_rows(row))


def _cells(holder: object) -> Sequence[Row]:
    cells = holder.get("ColData") if isinstance(holder, Mapping) else None
    return cells if isinstance(cells, list) else []


def _row_total(cells: Sequence[Row], columns: _Columns) -> Money:
    stated = _cell(cells, columns.whole, columns.currency)
    if stated != total(
        (_cell(cells, position, columns.currency) for position in columns.buckets), columns.currency
    ):
        raise ReportUnreadable(f"row {cells[columns.name].get('value')!r} does not add up to {stated.text()}")
    return stated


def _cell(cells: Sequence[Row], position: int, currency: str) -> Money:
    if position >= len(cells):
        raise ReportUnreadable("a row has fewer cells than there are columns")
    value = cells[position].get("value")
    if value in {None, ""}:
        return Money.zero(currency)
    try:
        return Money.of(str(value), currency)
    except AmountUnreadable as error:
        raise ReportUnreadable(str(error)) from error


def _grand_total(rows: Sequence[Row], columns: _Columns) -> Money:
    for row in rows:
        if row.get("group") == "GrandTotal":
            return _row_total(_cells(row.get("Summary")) or _cells(row), columns)
    raise ReportUnreadable("it has no total")
