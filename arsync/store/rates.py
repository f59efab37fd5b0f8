"""Exchange rates as published: one for each day and pair; what comes later corrects what was there."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from arsync.core.rates import Rate
from arsync.store import bulk
from arsync.store.tables import rate


def keep(conn: Connection, rates: Sequence[Rate], who: str, at: str) -> tuple[int, int]:
    """Store rates; how many are new, and how many correct one of their day."""
    days = (min(one.on for one in rates), max(one.on for one in rates)) if rates else None
    known = {_pair(one): one for one in between(conn, *days)} if days else {}
    news = [one for one in rates if known.get(_pair(one)) != one]
    rows = [(*_pair(one), one.one, str(one.value), who, at) for one in news]
    bulk.upsert(conn, rate, ("on_date", "low", "high", "one", "value", "who", "at"), rows)
    corrected = sum(_pair(one) in known for one in news)
    return len(news) - corrected, corrected


def between(conn: Connection, first: date, last: date) -> list[Rate]:
    """The rates of some days, in order."""
    return [rate_of(row) for row in listing(conn, first, last)]


def listing(conn: Connection, first: date, last: date) -> list[Any]:
    """The same as they are kept, with who imported them and when."""
    query = select(rate).where(rate.c.on_date >= first, rate.c.on_date <= last)
    return list(conn.execute(query.order_by(rate.c.on_date, rate.c.low, rate.c.high)))


def _pair(one: Rate) -> tuple[date, str, str]:
    low, high = sorted((one.one, one.other))
    return one.on, low, high


def rate_of(row: Any) -> Rate:
    """A rate as it was published; its pair is kept by the codes in order."""
    return Rate(row.on_date, row.one, row.high if row.one == row.low else row.low, Decimal(row.value))
