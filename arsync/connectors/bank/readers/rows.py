"""A row of a table, and the dates in it, for every reader of tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file: its fields, the line it starts on, and its exact text."""

    fields: list[str]
    number: int
    raw: str
    malformed: str = ""


def read_date(text: str, formats: Iterable[str]) -> date | None:
    """The calendar day by the first declared format that fits; zones never move it."""
    for pattern in formats:
        try:
            # Only the day is taken, so a zone in the text must not and cannot matter.
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
    return None
