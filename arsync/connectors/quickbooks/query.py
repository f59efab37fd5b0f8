r"""Statements of QuickBooks' query language.

Source  data queries page of Intuit's reference: AND only, one field to order by, positions from 1, at most
        1,000 rows; strings in single quotes with `\` as escape; times need an explicit offset.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

ROWS = 1000  # the most one query returns


def literal(value: str) -> str:
    r"""A string as the language quotes it: `O'Brien \ Sons` becomes `'O\'Brien \\ Sons'`."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def moment(when: datetime) -> str:
    """A time with its offset; without one the platform would read it in a zone of its own."""
    return when.astimezone(UTC).isoformat(timespec="seconds")


def select(
    entity: str, *where: str, order: str = "", start: int = 1, rows: int = ROWS, fields: str = "*"
) -> str:
    """One page of rows of an entity."""
    statement = f"SELECT {fields} FROM {entity}"  # noqa: S608 - QuickBooks has no parameters; values pass `literal`
    if where:
        statement += " WHERE " + " AND ".join(where)
    if order:
        statement += f" ORDERBY {order}"
    return f"{statement} STARTPOSITION {start} MAXRESULTS {rows}"


def count(entity: str, *where: str) -> str:
    """How many rows of an entity there are."""
    condition = " WHERE " + " AND ".join(where) if where else ""
    return f"SELECT count(*) FROM {entity}{condition}"  # noqa: S608 - as above


def one_of(field: str, values: Iterable[str]) -> str:
    """A condition: the field has one of these values."""
    return f"{field} IN ({', '.join(literal(value) for value in values)})"


def equals(field: str, value: str) -> str:
    """A condition: the field has this value."""
    return f"{field} = {literal(value)}"
