"""A ledger's own day: which day an instant falls on there, and when a day is over."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.contract import Record, Ref
from arsync.core.items import Books
from arsync.store import office
from arsync.store.office import Ledger

ZONES = (
    "UTC", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Apia", "Asia/Kolkata", "Europe/London",
    "America/New_York", "America/Santiago", "America/Los_Angeles", "Pacific/Pago_Pago", "Africa/Casablanca",
)  # fmt: skip


def ledger(zone):
    return Ledger(1, "books", "abc123", 1, "USD", "observe", None, zone)


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        pytest.param("UTC", "2026-12-31T23:59:59", "2026-12-31", id="without a zone the day is UTC's"),
        pytest.param("Pacific/Auckland", "2026-12-31T10:59:59", "2026-12-31", id="Auckland, a second to midnight"),
        pytest.param("Pacific/Auckland", "2026-12-31T11:00:00", "2027-01-01", id="Auckland, midnight in summer"),
        pytest.param("Pacific/Auckland", "2026-06-30T11:30:00", "2026-06-30", id="Auckland, the same hour in winter"),
        pytest.param("Pacific/Auckland", "2026-06-30T12:00:00", "2026-07-01", id="Auckland, midnight in winter"),
        pytest.param("Pacific/Auckland", "2026-09-26T12:00:00", "2026-09-27", id="Auckland, a day of 23 hours begins"),
        pytest.param("Pacific/Auckland", "2026-09-27T11:00:00", "2026-09-28", id="Auckland, and is over"),
        pytest.param("America/Denver", "2026-12-01T06:59:59", "2026-11-30", id="Denver, still last month"),
        pytest.param("America/Denver", "2026-12-01T07:00:00", "2026-12-01", id="Denver, the month begins"),
        pytest.param("America/Denver", "2026-11-02T06:59:59", "2026-11-01", id="Denver, the 25th hour of a day"),
    ],
)  # fmt: skip
def test_the_day_of_an_instant(zone, instant, day):
    assert ledger(zone).day_of(datetime.fromisoformat(instant).replace(tzinfo=UTC)) == date.fromisoformat(day)


@given(zone=st.sampled_from(ZONES), day=st.dates(min_value=date(2009, 1, 1), max_value=date(2035, 12, 31)))
def test_a_day_is_over_when_the_next_one_begins(zone, day):
    books = ledger(zone)
    end = books.end_of(day)
    assert books.day_of(end) > day
    assert books.day_of(end - timedelta(microseconds=1)) <= day
    # Samoa had no 30 December 2011; every other day is followed by the next one.
    if day not in (date(2011, 12, 29), date(2011, 12, 30)):
        assert books.day_of(end) == day + timedelta(days=1)
        assert books.day_of(end - timedelta(microseconds=1)) == day


def test_the_pull_tells_where_the_day_begins_and_writes_it_once(store, keep):
    with store.begin() as conn:
        connection = office.add_connection(conn, "xero", "xero", {}, "2026-11-22T00:00:00.000000Z")
        office.add_ledger(conn, "books", connection, "NZD", "2026-11-22T00:00:00.000000Z", by="Ada")

    def pulled(zone):
        keep(Record(Ref("books", "books"), b"{}", Books("Kiwi", "NZD", zone=zone)))
        with store.read() as conn:
            return office.find_ledger(conn, "books").zone

    zones = [pulled(zone) for zone in (None, "Pacific/Auckland", "Pacific/Auckland", "Europe/London", None)]
    assert zones == ["UTC", "Pacific/Auckland", "Pacific/Auckland", "Europe/London", "UTC"]
    assert ZoneInfo(zones[0])
