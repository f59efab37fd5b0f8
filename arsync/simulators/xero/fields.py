"""Read the fields of what a client sends.

Errors  `Refused` (400 PostDataInvalidException) for a value of the wrong type, `Invalid` for one that is too long.
"""

from datetime import date
from decimal import Decimal

from arsync.simulators.exact_json import Document
from arsync.simulators.xero import refusals, wire
from arsync.simulators.xero.refusals import Invalid


def text(element: Document, name: str, limit: int = 4_000) -> str | None:
    """Text of a limited length; None where the field is missing or null."""
    value = element.get(name)
    if value is None:
        return None
    if isinstance(value, (dict, list, bool)):
        raise refusals.unreadable(f"{name} must be text")
    if len(str(value)) > limit:
        raise Invalid(f"The length of the field {name} must not exceed {limit} characters.")
    return str(value)


def day(element: Document, name: str) -> date | None:
    """A calendar day."""
    value = element.get(name)
    if value in {None, ""}:
        return None
    try:
        return wire.read_day(value)
    except (ValueError, OverflowError) as bad:
        raise refusals.unreadable(f"{name}: {value} is not a valid date") from bad


def cents(element: Document, name: str) -> int | None:
    """An amount in hundredths."""
    value = element.get(name)
    if value is None:
        return None
    try:
        return wire.to_cents(value)
    except ValueError as bad:
        raise refusals.unreadable(f"{name}: {bad}") from bad


def number(element: Document, name: str) -> Decimal | None:
    """An exact number."""
    value = element.get(name)
    if value is None:
        return None
    try:
        return wire.number(value)
    except ValueError as bad:
        raise refusals.unreadable(f"{name}: {bad}") from bad


def rate(element: Document, name: str = "CurrencyRate") -> Decimal | None:
    """An exchange rate, which is above zero."""
    value = number(element, name)
    if value is not None and value <= 0:
        raise Invalid("CurrencyRate must be greater than zero")
    return value


def flag(element: Document, name: str) -> bool | None:
    """A boolean; quoted ones are taken, as the documentation's own samples send them."""
    value = element.get(name)
    if value is None or isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise refusals.unreadable(f"{name} must be true or false")


def inner(element: Document, name: str) -> Document | None:
    """An object inside; an empty one counts as missing."""
    value = element.get(name)
    if value is None or value == {}:
        return None
    if not isinstance(value, dict):
        raise refusals.unreadable(f"{name} must be an object")
    return value


def rows(element: Document, name: str) -> list[Document] | None:
    """A list of objects."""
    value = element.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise refusals.unreadable(f"{name} must be a list of objects")
    return value
