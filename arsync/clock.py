"""The one place that reads the clock. Everything else is handed a `Clock`, so that a test can stand at a month end."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def stamp(at: datetime) -> str:
    """The instant as fixed-width UTC text that sorts as it happened: `2026-11-22T08:15:30.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
