"""Read and write the platform's JSON without ever touching a float.

Units   amounts are integer cents inside; outside they are number text: `0`, else two decimals (`100.00`).
Time    seconds since the epoch inside; outside US Pacific time with its daylight-saving offset.
Source  recorded traffic of a sandbox company (minimul/qbo_api, 2020 to 2024).
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from arsync.simulators.exact_json import Document, RawJson, dump_json, parse_json

__all__ = [
    "CENT",
    "PACIFIC",
    "Document",
    "RawJson",
    "amount",
    "dump_json",
    "pacific",
    "pacific_millis",
    "parse_json",
    "parse_moment",
    "to_cents",
]

PACIFIC = ZoneInfo("America/Los_Angeles")
CENT = Decimal("0.01")


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
