"""One fast load per database, with the same outcome."""

from datetime import date

import pytest
from sqlalchemy import select

from arsync.store import bulk
from arsync.store.tables import alias, counter

COLUMNS = ("ledger_id", "key", "customer_id", "since", "until", "confirmations")
DAY = date(2026, 2, 28)


def row(key, confirmations=1, until=None):
    return (1, key, 7, DAY, until, confirmations)


@pytest.mark.parametrize(
    ("again", "written"),
    [
        pytest.param([row("a"), row("b")], 0, id="unchanged rows are not written"),
        pytest.param([row("a", 2), row("b")], 1, id="only the changed row is written"),
        pytest.param([row("a"), row("b"), row("c")], 1, id="only the new row is written"),
        pytest.param([row("a", until=DAY)], 1, id="null to a value is a change"),
        pytest.param([], 0, id="nothing is nothing"),
    ],
)
def test_upsert_writes_what_changed(store, again, written):
    with store.begin() as conn:
        assert bulk.upsert(conn, alias, COLUMNS, [row("a"), row("b")]) == 2
    with store.begin() as conn:
        assert bulk.upsert(conn, alias, COLUMNS, again) == written
        for r in again:
            assert tuple(conn.execute(select(alias).where(alias.c.key == r[1])).one()) == r


@pytest.mark.parametrize(
    "key",
    [
        "O'Brien \\ Sons' & Co",
        "tab\there",
        "line\nbreak",
        "\\N",
        "nul-like \\x00",
        "Łódź 株式会社",
        '"quoted"',
        "\\.",
    ],
)
def test_awkward_text_survives_the_bulk_path(store, key):
    with store.begin() as conn:
        bulk.upsert(conn, alias, COLUMNS, [row(key)])
        assert conn.execute(select(alias.c.key)).scalar() == key


def test_ids_count_up_and_are_never_given_twice(store):
    with store.begin() as conn:
        assert list(bulk.take_ids(conn, 1, "item", 3)) == [1, 2, 3]
        assert list(bulk.take_ids(conn, 1, "item", 0)) == []
    with store.begin() as conn:
        assert list(bulk.take_ids(conn, 1, "item", 2)) == [4, 5]
        assert list(bulk.take_ids(conn, 2, "item", 1)) == [1]
        assert conn.execute(select(counter.c.last).where(counter.c.ledger_id == 1)).scalar() == 5
