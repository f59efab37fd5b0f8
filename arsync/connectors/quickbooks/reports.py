"""The platform's own figures of what each customer owes, and of the documents behind: two reports.

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
    if not isinstance(report.get("Rows"), Mapping):
        raise ReportUnreadable("it has no rows, not even an empty list of them")
    rows = _rows(report)
    if not rows:
        return (Total(None, Money.zero(currency), source),)
    columns = _columns(report, currency)
    customers: dict[str, Money] = {}
    for cells in _customer_rows(rows):
        name = _at(cells, columns.name)
        number = name.get("id")
        if not isinstance(number, str) or not number:
            raise ReportUnreadable(f"row {name.get('value')!r} names no customer")
        customers[number] = customers.get(number, Money.zero(currency)) + _row_total(cells, columns)
    stated = _grand_total(rows, columns)
    if stated != total(customers.values(), currency):
        raise ReportUnreadable(f"its customers do not add up to its total of {stated.text()}")
    each = (Total(number, amount, source) for number, amount in customers.items())
    return (*each, Total(None, stated, source))


@dataclass(frozen=True, slots=True)
class Stated:
    """One open document of the report of documents."""

    customer: str
    kind: str  # "Invoice", "Credit Memo": as people read it
    number: str  # its id there
    name: str
    open: Money


def open_documents(report: Row, home_currency: str) -> tuple[Stated, ...]:
    """The open documents of the customer balance detail, with the customer each one stands under.

    Raises:
        ReportUnreadable: a column is missing, or a document stands under nobody.
    """
    header = report.get("Header")
    currency = str(header.get("Currency") or home_currency) if isinstance(header, Mapping) else home_currency
    rows = _rows(report)
    if not rows:
        return ()
    listed = _list(report.get("Columns"), "Column")
    place = {name: _position(listed, name) for name in ("tx_date", "txn_type", "doc_num", "open_bal")}
    return tuple(
        _stated(cells, customer, place, currency)
        for customer, cells in _document_rows(rows, "")
        if _at(cells, place["txn_type"]).get("id")
    )


def _position(columns: Sequence[Row], name: str) -> int:
    for position, column in enumerate(columns):
        if any(key.endswith(name) for key in (_key(column), str(column.get("ColType", "")).lower())):
            return position
    raise ReportUnreadable(f"it has no column {name}")


def _document_rows(rows: Sequence[Row], customer: str) -> Iterator[tuple[str, Sequence[Row]]]:
    for row in rows:
        names = [str(cell["id"]) for cell in _cells(row.get("Header", {}))[:1] if cell.get("id")]
        if row.get("ColData") is not None:
            yield customer, _cells(row)
        yield from _document_rows(_rows(row), names[0] if names else customer)


def _stated(cells: Sequence[Row], customer: str, place: Mapping[str, int], currency: str) -> Stated:
    kind = _at(cells, place["txn_type"])
    number, day = _at(cells, place["doc_num"]).get("value"), _at(cells, place["tx_date"]).get("value")
    name = f"{kind.get('value')} {number or kind['id']} of {day}"
    if not customer:
        raise ReportUnreadable(f"{name} stands under no customer")
    opened = _cell(cells, place["open_bal"], currency)
    return Stated(customer, str(kind.get("value")), str(kind["id"]), name, opened)


def _list(holder: object, name: str) -> list[Row]:
    """The objects listed under a name; none where the name is absent."""
    found = (holder.get(name) or []) if isinstance(holder, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ReportUnreadable(f"{name} is no list of objects")
    return found


def _rows(holder: Row) -> list[Row]:
    return _list(holder.get("Rows", {}), "Row")


def _columns(report: Row, currency: str) -> _Columns:
    stated = report.get("Columns")
    listed = _list(stated, "Column") if isinstance(stated, Mapping) else []
    if not listed:
        raise ReportUnreadable("it has no columns")
    money = [position for position, column in enumerate(listed) if column.get("ColType") == "Money"]
    names = [position for position, column in enumerate(listed) if column.get("ColType") != "Money"]
    if not money or len(names) != 1:
        raise ReportUnreadable(f"it has {len(names)} name columns and {len(money)} money columns")
    keyed = [position for position in money if _key(listed[position]) == "total"]
    whole = keyed[0] if keyed else money[-1]
    return _Columns(names[0], tuple(position for position in money if position != whole), whole, currency)


def _key(column: Row) -> str:
    for pair in _list(column, "MetaData"):
        if pair.get("Name") == "ColKey":
            return str(pair.get("Value")).lower()
    return ""


def _customer_rows(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The cells of every customer's own row; a parent's own figures stand in the header of its section."""
    for row in rows:
        if row.get("group") == "GrandTotal":
            continue
        header = _cells(row.get("Header", {}))
        if any(cell.get("value") for cell in header[1:]):
            yield header
        if row.get("ColData") is not None:
            yield _cells(row)
        yield from _customer_rows(_rows(row))


def _cells(holder: object) -> list[Row]:
    return _list(holder, "ColData")


def _at(cells: Sequence[Row], position: int) -> Row:
    if position >= len(cells):
        raise ReportUnreadable("a row has fewer cells than there are columns")
    return cells[position]


def _row_total(cells: Sequence[Row], columns: _Columns) -> Money:
    stated = _cell(cells, columns.whole, columns.currency)
    if stated != total(
        (_cell(cells, position, columns.currency) for position in columns.buckets), columns.currency
    ):
        name = _at(cells, columns.name).get("value")
        raise ReportUnreadable(f"row {name!r} does not add up to {stated.text()}")
    return stated


def _cell(cells: Sequence[Row], position: int, currency: str) -> Money:
    value = _at(cells, position).get("value")
    if value is None or value == "":
        return Money.zero(currency)
    try:
        return Money.of(str(value), currency)
    except AmountUnreadable as error:
        raise ReportUnreadable(str(error)) from error


def _grand_total(rows: Sequence[Row], columns: _Columns) -> Money:
    for row in rows:
        if row.get("group") == "GrandTotal":
            return _row_total(_cells(row.get("Summary", {})) or _cells(row), columns)
    raise ReportUnreadable("it has no total")
