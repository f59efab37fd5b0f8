"""Read and write the platform's JSON without ever touching a float.

Units   amounts are integer cents inside; outside they are number text: `0`, else two decimals (`100.00`).
Time    seconds since the epoch inside; outside US Pacific time with its daylight-saving offset.
Source  recorded traffic of a sandbox company (minimul/qbo_api, 2020 to 2024).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any
from zoneinfo import ZoneInfo

Document = dict[str, Any]
"""One JSON object; numbers are `int` or `Decimal`."""

PACIFIC = ZoneInfo("America/Los_Angeles")
CENT = Decimal("0.01")


def parse_json(text: str | bytes) -> object:
    """Read JSON; fractions become `Decimal` with their exact digits.

    Raises:
        ValueError: the text is not JSON, or holds NaN or Infinity.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def amount(cents: int) -> Decimal | int:
    """The number QuickBooks prints for an amount: `0`, or two decimals."""
    return Decimal(cents).scaleb(-2) if cents else 0


def to_cents(value: Decimal | int | str) -> int:
    """Whole cents of an amount.

    Raises:
        ValueError: not a number, or finer than a cent.
    """
    if isinstance(value, (bool, float)):
        raise ValueError(f"{value!r} is no exact amount")  # noqa: TRY004 - one error for every bad amount
    try:
        scaled = Decimal(value).scaleb(2)
        whole = scaled.to_integral_value()
    except InvalidOperation as bad:
        raise ValueError(f"{value!r} is no amount") from bad
    if not scaled.is_finite() or whole != scaled:
        raise ValueError(f"{value!r} is finer than a cent")
    return int(whole)


class RawJson:
    """JSON text that is already written, so that a page of a thousand records is a join."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def dump_json(value: object) -> str:
    """JSON text; a `Decimal` becomes a bare number with exactly its digits.

    Raises:
        TypeError: a value (a float, say) that has no exact text.
    """
    write = _WRITERS.get(type(value))
    if write is None:
        raise TypeError(f"{type(value).__name__} has no exact JSON text")
    return write(value)


def _object(value: Document) -> str:
    return "{" + ",".join([f"{_key(name)}:{dump_json(item)}" for name, item in value.items()]) + "}"


def _array(value: list[object] | tuple[object, ...]) -> str:
    return "[" + ",".join([dump_json(item) for item in value]) + "]"


_key = lru_cache(maxsize=4096)(encode_basestring)

_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: str,
    Decimal: lambda value: format(value, "f"),
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    RawJson: lambda value: value.text,
    dict: _object,
    list: _array,
    tuple: _array,
}


@lru_cache(maxsize=65_536)
def pacific(second: int) -> str:
    """`2026-01-02T03:04:05-08:00`, as MetaData prints it."""
    return datetime.fromtimestamp(second, PACIFIC).isoformat()


def pacific_millis(moment: datetime) -> str:
    """`2026-01-02T03:04:05.006-08:00`, as the envelope prints it."""
    return moment.astimezone(PACIFIC).isoformat(timespec="milliseconds")


def parse_moment(text: str) -> int:
    """Seconds since the epoch; a time without an offset is read as Pacific (nobody has verified which zone).

    Raises:
        ValueError: not a date or time of ISO 8601.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=PACIFIC)
    return int(moment.astimezone(UTC).timestamp())
