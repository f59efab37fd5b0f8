"""Find records for a parsed query: candidates, conditions, order, page."""

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from functools import partial
from re import Pattern, escape
from re import compile as compile_pattern

from arsync.simulators.quickbooks import refusals, rendering
from arsync.simulators.quickbooks.books import INDEXED, Books
from arsync.simulators.quickbooks.query import Condition, Select
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.schema import LIST_KINDS, NAME_KINDS
from arsync.simulators.quickbooks.wire import Document, RawJson, amount, parse_moment

Comparable = int | str | Decimal | bool

_REMEMBERED = 16


class Search:
    """Runs queries over one company; remembers the last results so that paging does not sort again."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._results: dict[Select, tuple[int, list[Record]]] = {}

    def run(self, select: Select) -> Document:
        """The `QueryResponse` object; empty when nothing is found.

        Raises:
            Refused: 4001 when a value does not fit its property.
        """
        found = self._found(select)
        if select.count:
            return {"totalCount": len(found)}
        page = found[select.start - 1 : select.start - 1 + select.limit]
        if not page:
            return {}
        rows = [self._row(record, select) for record in page]
        return {select.kind: rows, "startPosition": select.start, "maxResults": len(rows)}

    def _row(self, record: Record, select: Select) -> RawJson | Document:
        if not select.fields:
            return RawJson(self._books.text(record))
        whole = self._books.render(record)
        wanted = {field.partition(".")[0] for field in select.fields} | {"domain", "sparse", "Id"}
        return {name: value for name, value in whole.items() if name in wanted}

    def _found(self, select: Select) -> list[Record]:
        key = Select(select.kind, where=select.where, order=select.order)
        version = self._books.version(select.kind)
        known = self._results.get(key)
        if known is not None and known[0] == version:
            return known[1]
        tests = [_test(condition, self._books) for condition in select.where]
        found = [record for record in self._candidates(select) if all(test(record) for test in tests)]
        found = self._sorted(select, found)
        if len(self._results) >= _REMEMBERED:
            self._results.pop(next(iter(self._results)))
        self._results[key] = (version, found)
        return found

    def _candidates(self, select: Select) -> Iterable[Record]:
        hide_inactive = select.kind in LIST_KINDS and not any(one.field == "Active" for one in select.where)
        for record in self._likely(select):
            if record.deleted or (hide_inactive and not record.fields.get("Active", True)):
                continue
            yield record

    def _likely(self, select: Select) -> Iterable[Record]:
        records = self._books.records[select.kind]
        for one in select.where:
            if one.field == "Id" and one.operator in {"=", "IN"}:
                return [records[value] for value in dict.fromkeys(one.values) if value in records]
            if one.field in INDEXED and one.operator == "=":
                return self._books.named_by(select.kind, one.field, one.values[0].strip())
            if one.field == "MetaData.LastUpdatedTime" and one.operator in {">", ">="}:
                return self._books.changed_since(select.kind, _moment(one.values[0]))
        if select.kind in LIST_KINDS:
            return records.values()
        return self._books.in_change_order(select.kind)

    def _sorted(self, select: Select, found: list[Record]) -> list[Record]:
        if not select.order:
            return _default_order(self._books, select.kind, found)
        for field, descending in reversed(select.order):
            found = sorted(found, key=partial(_sort_key, self._books, field), reverse=descending)
        return found


def _default_order(books: Books, kind: str, found: list[Record]) -> list[Record]:
    """Recorded: names by their full name, transactions by their latest change, newest first."""
    if kind in NAME_KINDS:
        return sorted(found, key=lambda record: rendering.full_name(books, kind, record.fields).casefold())
    if kind in LIST_KINDS:
        return sorted(found, key=lambda record: str(record.fields.get("Name", "")).casefold())
    return sorted(found, key=lambda record: -record.change)


def _sort_key(books: Books, field: str, record: Record) -> tuple[int, Decimal, str]:
    """Numbers by value, texts without case, missing first."""
    value = value_of(books, record, field)
    if value is None:
        return (0, Decimal(0), "")
    if isinstance(value, (int, Decimal)):
        return (1, Decimal(value), "")
    if value.isdecimal():
        return (1, Decimal(value), "")
    return (2, Decimal(0), value.casefold())


def value_of(books: Books, record: Record, field: str) -> Comparable | None:
    """The value of a property by its dotted name; a reference is its Id, a moment its seconds."""
    quick = _QUICK.get(field)
    if quick is not None:
        return quick(record)
    if field == "Balance" and len(record.items) == 1:
        return amount(books.items.by_key[record.items[0]].open_cents)
    name, _, rest = field.partition(".")
    value: object = record.fields.get(name)
    if value is None or name in _DERIVED:
        value = books.render(record).get(name)
    for part in rest.split(".") if rest else ():
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, (int, str, Decimal, bool)) else None


_DERIVED = frozenset({"DisplayName", "Name", "Deposit", "PrintOnCheckName"})
_QUICK: dict[str, Callable[[Record], Comparable | None]] = {
    "Id": lambda record: record.id,
    "MetaData.LastUpdatedTime": lambda record: record.updated_s,
    "MetaData.CreateTime": lambda record: record.created_s,
    "TotalAmt": lambda record: amount(record.total_cents),
    "Active": lambda record: bool(record.fields.get("Active", True)),
}


def _moment(text: str) -> int:
    try:
        return parse_moment(text)
    except ValueError as bad:
        raise refusals.query_invalid(f"Invalid date value {text}") from bad


def _test(condition: Condition, books: Books) -> Callable[[Record], bool]:
    field = condition.field
    if field.startswith("AttachableRef."):
        return _linked(condition)
    if condition.operator == "LIKE":
        pattern = _like(condition.values[0])
        return lambda record: pattern.fullmatch(str(value_of(books, record, field) or "")) is not None
    values = tuple(_literal(condition, text) for text in condition.values)
    if condition.operator == "IN":
        return lambda record: _normal(condition, value_of(books, record, field)) in values
    wanted = values[0]
    if condition.operator == "=":
        return lambda record: _normal(condition, value_of(books, record, field)) == wanted
    compare = _COMPARE[condition.operator]
    return lambda record: compare(_normal(condition, value_of(books, record, field)), wanted)


def _linked(condition: Condition) -> Callable[[Record], bool]:
    """An attachment may belong to several documents: one that fits is enough."""
    *_, name = condition.field.split(".")
    wanted = {value.casefold() for value in condition.values}

    def fits(record: Record) -> bool:
        targets = (one.get("EntityRef", {}) for one in record.fields.get("AttachableRef", []))
        return any(str(target.get(name, "")).casefold() in wanted for target in targets)

    return fits


def _compare_by(
    test: Callable[[Comparable, Comparable], bool],
) -> Callable[[Comparable | None, Comparable], bool]:
    """A value of another sort than what is asked for is neither above nor below it."""
    return lambda left, right: (
        left is not None
        and left != ""
        and isinstance(left, str) == isinstance(right, str)
        and test(left, right)
    )


_COMPARE: dict[str, Callable[[Comparable | None, Comparable], bool]] = {
    "<": _compare_by(lambda left, right: left < right),  # type: ignore[operator]  # both sides were read alike
    ">": _compare_by(lambda left, right: left > right),  # type: ignore[operator]  # both sides were read alike
    "<=": _compare_by(lambda left, right: left <= right),  # type: ignore[operator]  # both sides were read alike
    ">=": _compare_by(lambda left, right: left >= right),  # type: ignore[operator]  # both sides were read alike
}


def _like(text: str) -> Pattern[str]:
    """`%` stands for anything; nothing else is special."""
    return compile_pattern("(?is)" + ".*".join(escape(part) for part in text.split("%")))


def _literal(condition: Condition, text: str) -> Comparable:
    if condition.type == "moment":
        return _moment(text)
    if condition.type == "flag":
        return text.lower() == "true"
    if condition.type in {"number", "whole"} or (condition.field == "Id" and text.isdecimal()):
        try:
            return Decimal(text)
        except InvalidOperation as bad:
            raise refusals.query_invalid(f"Invalid number value {text}") from bad
    return text.strip()


def _normal(condition: Condition, value: Comparable | None) -> Comparable | None:
    if condition.field == "Id" and isinstance(value, str) and value.isdecimal():
        return Decimal(value)
    if value is None:
        return "" if condition.type not in {"number", "whole", "moment", "flag"} else None
    return value
