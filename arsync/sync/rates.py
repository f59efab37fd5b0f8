"""Exchange rates of the installation: taken from a file by a person, and asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from arsync.clock import stamp
from arsync.core.rate_files import BadLine, NoRates, read
from arsync.core.rates import STANDS_DAYS, Rates
from arsync.errors import UsageError
from arsync.store import audit, office, rates
from arsync.store.engine import Store
from arsync.store.office import Person
from arsync.sync.acting import permitted

_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a file."""

    new: int
    corrected: int
    same: int
    bad: tuple[BadLine, ...]


class Row(NamedTuple):
    """A rate on file."""

    on: date
    one: str
    other: str
    value: Decimal
    who: str
    at: str


class Shown(NamedTuple):
    """A rate as people read it, rounded to eight digits, and the day it was published for."""

    on: date
    text: str


def take(store: Store, person: Person, clock: Callable[[], datetime], path: Path, base: str | None) -> Taken:
    """Keep the rates of a file; each ledger's chain says who did it.

    Raises:
        NotPermitted: the person may not decide receipts either.
        UsageError: no file of rates, or nothing says what its rates are in.
    """
    permitted(person, "work")
    try:
        made = read(path.read_bytes().decode("utf-8"), base.upper() if base else None)
    except UnicodeDecodeError:
        raise UsageError("it is not text in UTF-8", where=str(path), do="save it as CSV in UTF-8") from None
    except NoRates as bad:
        raise UsageError(
            f"it is no file of rates: {bad}",
            where=str(path),
            do="give date,currency,rate with --base CURRENCY, or the European Central Bank's table",
        ) from None
    at = stamp(clock())
    with store.begin() as conn:
        new, corrected = rates.keep(conn, made.rates, person.name, at)
        body = {"new": new, "corrected": corrected, "unreadable": len(made.bad), "file": path.name}
        for ledger in office.ledgers(conn) if new or corrected else ():
            audit.record(conn, ledger.id, at, person.name, [audit.Entry("rates imported", "rates", body)])
    return Taken(new, corrected, len(made.rates) - new - corrected, made.bad)


def on_file(store: Store, first: date, last: date) -> list[Row]:
    """The rates of some days, in order."""
    with store.read() as conn:
        rows = rates.listing(conn, first, last)
    return [Row(*rates.rate_of(row), row.who, row.at) for row in rows]


def at(store: Store, on: date, one: str, other: str) -> Shown | None:
    """What a unit of one currency was worth in another, as the matcher sees it."""
    with store.read() as conn:
        found = Rates(rates.between(conn, on - timedelta(days=STANDS_DAYS), on)).at(on, one, other)
    if found is None:
        return None
    value = Decimal(round(found.value * 10**_DIGITS)).scaleb(-_DIGITS)
    return Shown(found.on, f"{value.normalize():f}")
