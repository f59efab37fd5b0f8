"""Check the shape of a written document against the table of properties, and make its numbers exact.

Shape   (kind, JSON object) -> JSON object without nulls and empty texts; numbers are `Decimal` or `int`.
Errors  `Refused`: 2010 unknown property, 2030 Id, 2050 length, 2080 number, 2090 date, 2170 enumeration.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from arsync.simulators.quickbooks import refusals
from arsync.simulators.quickbooks.schema import ENTITIES, ENUMERATIONS, STRUCTURES, Property
from arsync.simulators.quickbooks.wire import Document, parse_moment


def clean(kind: str, document: Mapping[str, object], *, numbers_as_text: bool) -> Document:
    """The document as the books store it."""
    return _structure(kind, ENTITIES[kind], document, numbers_as_text=numbers_as_text)


def _structure(
    owner: str, table: Mapping[str, Property], document: Mapping[str, object], *, numbers_as_text: bool
) -> Document:
    kept: Document = {}
    for name, value in document.items():
        if name not in table:
            raise refusals.unknown_property(owner, name, tuple(table))
        if value is None or value == "":
            continue
        found = _value(name, table[name], value, numbers_as_text=numbers_as_text)
        if table[name].type == "ref" and isinstance(found, dict) and "value" not in found:
            continue  # clients send the parts of a reference they do not have as empty texts
        kept[name] = found
    return kept


def _value(name: str, known: Property, value: object, *, numbers_as_text: bool) -> object:
    if known.type == "any":
        return value
    if known.many:
        if not isinstance(value, list):
            raise refusals.unreadable(f"Can not deserialize {name} out of a single value")
        return [_one(name, known, item, numbers_as_text=numbers_as_text) for item in value]
    return _one(name, known, value, numbers_as_text=numbers_as_text)


def _one(name: str, known: Property, value: object, *, numbers_as_text: bool) -> object:
    if known.type in STRUCTURES:
        if not isinstance(value, dict):
            raise refusals.unreadable(f"Can not deserialize {name} out of {type(value).__name__}")
        return _structure(
            known.type.capitalize(), STRUCTURES[known.type], value, numbers_as_text=numbers_as_text
        )
    if isinstance(value, (dict, list)):
        raise refusals.unreadable(f"Can not deserialize {name} out of {type(value).__name__}")
    if known.type in ENUMERATIONS:
        if value not in ENUMERATIONS[known.type]:
            raise refusals.bad_value(name, value)
        return value
    if known.type in {"number", "whole"}:
        return _number(name, known.type, value, numbers_as_text=numbers_as_text)
    if known.type == "flag":
        return _flag(name, value)
    return _text(name, known, str(value))


def _number(name: str, kind: str, value: object, *, numbers_as_text: bool) -> Decimal | int:
    if isinstance(value, (bool, float)) or (isinstance(value, str) and not numbers_as_text):
        raise refusals.bad_number(name, value)
    try:
        number = Decimal(str(value))
    except InvalidOperation as bad:
        raise refusals.bad_number(name, value) from bad
    if not number.is_finite() or (kind == "whole" and number != number.to_integral_value()):
        raise refusals.bad_number(name, value)
    return int(number) if number == number.to_integral_value() else number.normalize()


def _flag(name: str, value: object) -> bool:
    flags = {True: True, False: False, "true": True, "false": False}
    if not isinstance(value, (bool, str)) or value not in flags:
        raise refusals.bad_value(name, value)
    return flags[value]


def _text(name: str, known: Property, value: str) -> str:
    if known.longest is not None and len(value) > known.longest:
        raise refusals.too_long(name, known.longest)
    try:
        if known.type == "date":
            return date.fromisoformat(value[:10]).isoformat()
        if known.type == "moment":
            parse_moment(value)
    except ValueError as bad:
        raise refusals.bad_date(name, value) from bad
    return value
