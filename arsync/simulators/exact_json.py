"""JSON without floats: numbers keep their exact digits on the way in and on the way out."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

Document = dict[str, Any]
"""One JSON object; numbers are `int` or `Decimal`."""


def parse_json(text: str | bytes) -> object:
    """Read JSON; fractions become `Decimal` with their exact digits.

    Raises:
        ValueError: the text is not JSON, or holds NaN or Infinity.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


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
