"""JSON whose numbers stay what they were: Decimal in, the same digits out, never a float.

Law     `text(read(t))` holds the numbers of `t` digit for digit; keys keep their order.
Errors  `ValueError` for text that is not JSON, or holds NaN or Infinity.
"""

import json
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NoReturn, cast

_WORDS = {None: "null", True: "true", False: "false"}


def read(source: str | bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type before it is looked at
    """The value written there; numbers with a decimal mark or exponent are Decimal, others int."""
    try:
        return json.loads(source, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested more deeply than anything meant to be read") from None


def read_object(source: str | bytes) -> dict[str, Any]:
    """The JSON object written there."""
    value = read(source)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is wrong, not our caller's type
    return value


def text(value: object) -> str:
    """Compact JSON of a value made of dict, list, tuple, str, int, Decimal, bool and None."""
    # Exact types, commonest first: every record of every pull passes here.
    kind = type(value)
    if kind is str:
        return encode_basestring(cast("str", value))
    if kind is dict:
        fields = cast("dict[str, object]", value).items()
        return "{" + ",".join([f"{_key(name)}{text(inner)}" for name, inner in fields]) + "}"
    if kind is Decimal or kind is int:
        return str(value)
    if kind is list or kind is tuple:
        return "[" + ",".join([text(inner) for inner in cast("list[object]", value)]) + "]"
    if value is None or kind is bool:
        return _WORDS[cast("bool | None", value)]
    raise TypeError(f"{kind.__name__} has no exact JSON")


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    return f"{encode_basestring(name)}:"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
