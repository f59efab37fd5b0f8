"""One sum of the bank and what it is made of: payouts, lockbox batches, ACH batches, batches of an earlier notice.

Units   minor units of one currency, signed: positive is money in.
Law     shares add up to the line, whatever was reported: what the parts do not explain is a share of its own,
        labelled remainder. A sum explains one line or none: two that fit explain nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

REMAINDER = "remainder"
_EARLIEST, _LATEST = timedelta(days=3), timedelta(days=10)
_TELLING = 5  # characters of a reference that can be found in a text


@dataclass(frozen=True, slots=True)
class Sum:
    """What one deposit, payout or batch comes to."""

    id: int
    total_minor: int
    currency: str
    last_day: date | None
    reference: str


@dataclass(frozen=True, slots=True)
class Line:
    """A booked line that nothing has taken apart yet."""

    id: int
    amount_minor: int
    currency: str
    booked: date
    text: str


def partner(one: Sum, lines: Iterable[Line]) -> Line | None:
    """The only line that books this sum: same amount, near its day, and with its reference if any line has it."""
    near = [line for line in lines if _near(one, line)]
    same = [line for line in near if line.amount_minor == one.total_minor]
    named = [line for line in same if _names(one, line)]
    fitting = named or same
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        return None
    # Another amount is believed only with the reference in the text: the remainder then says what is missing.
    named = [line for line in near if _names(one, line)]
    return named[0] if len(named) == 1 else None


def _near(one: Sum, line: Line) -> bool:
    if line.currency != one.currency:
        return False
    return one.last_day is None or one.last_day - _EARLIEST <= line.booked <= one.last_day + _LATEST


def _names(one: Sum, line: Line) -> bool:
    reference = "".join(one.reference.upper().split())
    return len(reference) >= _TELLING and reference in "".join(line.text.upper().split())


def remainder(line_minor: int, parts: Sequence[int]) -> int:
    """What the parts do not explain of a line; zero where they come to it."""
    return line_minor - sum(parts)
