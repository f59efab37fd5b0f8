"""The one place where text becomes money.

Units   in: the bank's text; out: `Money` in whole minor units.
Shape   (text, currency, style) -> Money; pure.
Law     no digit is lost, added or rounded; a text with two readings has none.
Errors  `AmountUnreadable`, and `AmountAmbiguous` for a text with two readings.
Source  OFX 2.2 section 3.2.9 (either decimal mark, no grouping) and what banks write all the same (README).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from arsync.core.money import AmountUnreadable, Money, exponent


class AmountAmbiguous(AmountUnreadable):
    """`2,000` without a declared decimal mark is two, or two thousand."""


class SignUnreadable(AmountUnreadable):
    """The number may be read, but not whether it came in or went out."""


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """How one bank writes amounts.

    Attributes:
        decimal_mark: "." or ","; None when the format allows either and the bank declares none.
        symbols: currency signs that may stand before or after the number.
        parentheses: (1.00) is negative.
        trailing_sign: 1.00- is negative.
    """

    decimal_mark: str | None = None
    symbols: tuple[str, ...] = ()
    parentheses: bool = False
    trailing_sign: bool = False


EITHER_MARK = AmountStyle()
POINT = AmountStyle(decimal_mark=".")

_LONGEST = 64
_CENTS = 2  # digits after the mark in most currencies: the fast path
_GROUP = 3  # digits between two marks that group
_PLAIN = re.compile(r"[+-]?[0-9]{1,15}\.[0-9]{2}", re.ASCII)
_SPACES = "\u0020\u00a0\u2009\u202f"
_APOSTROPHES = "'\u2019"


def _number(mark: str, group: str) -> re.Pattern[str]:
    """A number with this decimal mark, plain or in groups of three (with commas, 1,00,000 too)."""
    separator = f"[{re.escape(group)}{_SPACES}{_APOSTROPHES}]"
    grouped = rf"[0-9]{{1,3}}(?P<sep>{separator})[0-9]{{3}}(?:(?P=sep)[0-9]{{3}})*"
    indian = r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}|" if group == "," else ""
    point = re.escape(mark)
    whole = rf"(?P<whole>{grouped}|{indian}[0-9]{{1,40}})"
    return re.compile(rf"{whole}(?:{point}(?P<fraction>[0-9]{{0,5}}))?|{point}(?P<only>[0-9]{{1,5}})")


_NUMBER = {".": _number(".", ","), ",": _number(",", ".")}
_TWO_READINGS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_NOT_DIGITS = re.compile(r"[^0-9]")


def amount_problem_code(error: AmountUnreadable, currency: str | None) -> str:
    """The stable code of what stopped an amount from being read."""
    if isinstance(error, AmountAmbiguous):
        return "amount-ambiguous"
    if isinstance(error, SignUnreadable):
        return "sign-unreadable"
    return "amount-unreadable" if currency and is_currency(currency) else "currency-unreadable"


def is_currency(code: str) -> bool:
    """Whether this is a code of ISO 4217."""
    try:
        exponent(code)
    except AmountUnreadable:
        return False
    return True


def read_money(text: str, currency: str, style: AmountStyle) -> Money:
    """Read an amount exactly.

    Raises:
        AmountUnreadable: no amount in this style, over 15 integer or 5 fraction digits, finer than
            the currency, or a currency that is not in ISO 4217.
        AmountAmbiguous: two readings, and the style does not say which.
    """
    if style.decimal_mark != "," and _PLAIN.fullmatch(text) and exponent(currency) == _CENTS:
        return Money(int(text[:-3] + text[-2:]), currency)
    stripped = text.strip()
    if (
        style.decimal_mark is None
        and exponent(currency) < _GROUP
        and _TWO_READINGS.fullmatch(stripped.lstrip("+-"))
    ):
        raise AmountAmbiguous(text, "it has two readings, and no decimal mark is declared")
    return Money.of(read_decimal(stripped, style), currency)


def read_decimal(text: str, style: AmountStyle) -> Decimal:
    """The number a text writes, without a currency. Raises `AmountUnreadable`."""
    if not text or len(text) > _LONGEST:
        raise AmountUnreadable(text[:_LONGEST], "empty" if not text else "too long for an amount")
    negative, digits = _sign(text, style)
    mark = style.decimal_mark or _mark_of(digits)
    found = _NUMBER[mark].fullmatch(digits)
    if not found:
        raise AmountUnreadable(text, f"not a number with decimal mark {mark!r}")
    whole = _NOT_DIGITS.sub("", found["whole"] or "0")
    fraction = found["fraction"] or found["only"] or ""
    return Decimal(f"{'-' if negative else ''}{whole}.{fraction or '0'}")


def _mark_of(digits: str) -> str:
    """The decimal mark where either is allowed: the last one seen, if it stands once."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return "."
    mark = digits[last]
    other = "," if mark == "." else "."
    return mark if digits.count(mark) == 1 else other


def _sign(text: str, style: AmountStyle) -> tuple[bool, str]:
    """Take sign, currency sign and brackets off; more than one sign is no number."""
    rest = text.replace("\u2212", "-").strip()
    signs: list[str] = []
    if style.parentheses and rest.startswith("(") and rest.endswith(")"):
        signs.append("-")
        rest = rest[1:-1].strip()
    rest = _take_sign(rest, signs)
    for symbol in style.symbols:
        rest = rest.removeprefix(symbol).removesuffix(symbol).strip()
    rest = _take_sign(rest, signs)
    if style.trailing_sign and rest[-1:] in {"-", "+"}:
        signs.append(rest[-1])
        rest = rest[:-1].strip()
    if len(signs) > 1:
        raise AmountUnreadable(text, "more than one sign")
    return signs == ["-"], rest


def _take_sign(rest: str, signs: list[str]) -> str:
    if rest[:1] in {"-", "+"}:
        signs.append(rest[0])
        return rest[1:].strip()
    return rest
