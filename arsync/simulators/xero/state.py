"""Everything that cannot be derived, as JSON and back, by the types of the records.

Law     `decode(kind, encode(value)) == value` for every record; books that were restored read like those before.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from arsync.simulators.exact_json import Document
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.ledger import Entry
from arsync.simulators.xero.records import (
    Account,
    Allocation,
    Batch,
    Contact,
    Note,
    Organisation,
    Paper,
    Payment,
    Transfer,
)

_TABLES: dict[str, type] = {
    "accounts": Account,
    "contacts": Contact,
    "papers": Paper,
    "payments": Payment,
    "batches": Batch,
    "allocations": Allocation,
    "transfers": Transfer,
}


def encode(value: object) -> Any:  # noqa: ANN401 - JSON
    """A record as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: encode(getattr(value, one.name)) for one in fields(value) if one.init}
    if isinstance(value, (tuple, list)):
        return [encode(one) for one in value]
    if isinstance(value, Mapping):
        return {name: encode(one) for name, one in value.items()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    return value.isoformat() if isinstance(value, date) else value


@lru_cache(maxsize=256)
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def decode(kind: Any, value: Any) -> Any:  # noqa: ANN401 - by its type hints
    """A record of a type from JSON values."""
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return (
            None
            if value is None
            else decode(next(one for one in get_args(kind) if one is not type(None)), value)
        )
    if origin is Literal or kind in {str, int, bool, Any, object}:
        return _plain(value)
    if kind is Decimal:
        return Decimal(value["decimal"])
    if kind is date:
        return date.fromisoformat(value)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value)
    if origin is dict:
        return {name: decode(get_args(kind)[1], one) for name, one in value.items()}
    hints = _hints(kind)
    if hasattr(kind, "__dataclass_fields__"):
        return kind(**{name: decode(hints[name], one) for name, one in value.items()})
    return kind(*(decode(hint, one) for hint, one in zip(hints.values(), value, strict=True)))


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON inside a record
    if isinstance(value, dict):
        return (
            Decimal(value["decimal"])
            if set(value) == {"decimal"}
            else {k: _plain(v) for k, v in value.items()}
        )
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _decode_tuple(kinds: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    if len(kinds) == 2 and kinds[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        return tuple(decode(kinds[0], one) for one in value)
    return tuple(decode(kind, one) for kind, one in zip(kinds, value, strict=True))


def snapshot(books: Books) -> Document:
    """All of an organisation's books."""
    return {
        "organisation": encode(books.organisation),
        **{name: [encode(one) for one in getattr(books, name).values()] for name in _TABLES},
        "history": encode(books.history),
        "entries": encode(books.ledger.entries),
        "overlays": encode(books.overlays),
        "counters": books.counters,
        "emails": books.emails,
    }


def organisation(document: Document) -> Organisation:
    """The organisation of a snapshot."""
    found: Organisation = decode(Organisation, document["organisation"])
    return found


def restore(books: Books, document: Document) -> None:
    """Fill empty books."""
    for name, kind in _TABLES.items():
        table = getattr(books, name)
        for one in document[name]:
            record = decode(kind, one)
            table[record.id] = record
    books.history = {key: decode(tuple[Note, ...], notes) for key, notes in document["history"].items()}
    books.overlays = _plain(document["overlays"])
    books.counters, books.emails = dict(document["counters"]), dict(document["emails"])
    for record_id, entry in document["entries"].items():
        books.ledger.post(record_id, decode(Entry, entry))
    for paper in books.papers.values():
        books.by_contact[paper.contact_id].append(paper.id)
        if paper.type == "ACCREC" and paper.number:
            books.numbers[paper.number] = paper.id
