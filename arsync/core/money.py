"""Money: an integer of minor units and a currency.

Units   `minor` counts the currency's smallest unit: 12.34 USD is 1234, 12 JPY is 12, 1.234 KWD is 1234.
Law     an amount with more digits than its currency has is unreadable, never rounded;
        `allot` loses no minor unit.
Errors  `AmountUnreadable` (a ValueError) for text that is not exactly an amount of the currency.
Source  ISO 4217, list one of 2025 (exponents other than two are listed below).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation

_THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_NONE = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_FOUR = frozenset("CLF UYW".split())
_TWO = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
    CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
    MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW
    ZWG""".split()
)
_MAX_DIGITS = 15
# Decimal alone would also take "1_000", " 12 " and the digits of other scripts.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# The usual context rounds to 28 digits without a word.
_EXACT = Context(prec=60, traps=[Inexact])


class AmountUnreadable(ValueError):
    """The text is not an amount of this currency; `raw` keeps it."""

    def __init__(self, raw: str, why: str) -> None:
        super().__init__(f"{raw!r} is not an amount: {why}")
        self.raw, self.why = raw, why


def exponent(currency: str) -> int:
    """Digits after the decimal mark, 0 to 4. Raises `AmountUnreadable` for an unknown currency."""
    if currency in _TWO:
        return 2
    if currency in _NONE:
        return 0
    if currency in _THREE:
        return 3
    if currency in _FOUR:
        return 4
    raise AmountUnreadable(currency, "not an ISO 4217 currency code")


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount; negative means owed the other way."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> "Money":
        """The amount written in major units (`"12.34"`), exactly.

        Raises:
            AmountUnreadable: not a plain number in ASCII digits, over 15 digits, or finer than the currency.
        """
        raw = str(amount)
        digits = exponent(currency)
        if _NUMBER.fullmatch(raw) is None:
            raise AmountUnreadable(raw, "not a number")
        try:
            value = Decimal(raw)
            if value.adjusted() >= _MAX_DIGITS:
                raise AmountUnreadable(raw, f"over {_MAX_DIGITS} digits")
            scaled = value.scaleb(digits, _EXACT)
        except InvalidOperation:
            raise AmountUnreadable(raw, "an exponent beyond any amount") from None
        except Inexact:
            raise AmountUnreadable(raw, f"{currency} has {digits} decimal digits") from None
        if scaled != scaled.to_integral_value():
            raise AmountUnreadable(raw, f"{currency} has {digits} decimal digits")
        return cls(int(scaled), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, in this currency."""
        return cls(0, currency)

    def decimal(self) -> Decimal:
        """The amount in major units, with the currency's digits: `Decimal("12.30")`."""
        digits = exponent(self.currency)
        return Decimal(self.minor).scaleb(-digits, _EXACT)

    def text(self) -> str:
        """Plain decimal text for files and programs: `"1234.50"`."""
        digits = exponent(self.currency)
        if digits == 0:
            return str(self.minor)
        whole, part = divmod(abs(self.minor), 10**digits)
        return f"{'-' if self.minor < 0 else ''}{whole}.{part:0{digits}d}"

    def grouped(self) -> str:
        """For people: `"1,234.50"`."""
        return f"{self.decimal():,f}"

    def __str__(self) -> str:
        return f"{self.currency} {self.grouped()}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def allot(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Split by non-negative weights (largest remainder, earlier first); the parts add up exactly."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        parts = [whole * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
        for i in by_remainder[: whole - sum(parts)]:
            parts[i] += 1
        return tuple(Money(sign * part, self.currency) for part in parts)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added or compared")
        return other.minor


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts of one currency; zero of it when there are none."""
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result
