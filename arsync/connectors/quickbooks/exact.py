"""JSON whose numbers stay what they were: Decimal in, the same digits out, never a float.

Law     `text(read(t))` holds the numbers of `t` digit for digit; keys keep their order.
Errors  `ValueError` for text that is not JSON, or holds NaN or Infinity.
"""

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NoReturn

_WORDS = {None: "null", True: "true", False: "false"}


def read(source: str | bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type before it is looked at
    """The value written there; numbers with a decimal mark or exponent are Decimal, others int."""
    return json.loads(source, parse_float=Decimal, parse_constant=_refuse)


def read_object(source: str | bytes) -> dict[str, Any]:
    """The JSON object written there."""
    value = read(source)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is wrong, not our caller's type
    return value


def text(value: object) -> str:
    """Compact JSON of a value made of dict, list, str, int, Decimal, bool and None."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def _write(value: object, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif isinstance(value, dict):
        parts.append("{")
        for position, (key, inner) in enumerate(value.items()):
            parts.append(f"{',' if position else ''}{encode_basestring(key)}:")
            _write(inner, parts)
        parts.append("}")
    elif isinstance(value, list | tuple):
        parts.append("[")
        for position, inner in enumerate(value):
            if position:
                parts.append(",")
            _write(inner, parts)
        parts.append("]")
    elif value is None or isinstance(value, bool):
        parts.append(_WORDS[value])
    elif isinstance(value, Decimal | int):
        parts.append(str(value))
    else:
        raise TypeError(f"{type(value).__name__} has no exact JSON")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
