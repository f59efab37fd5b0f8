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
            assert (
                tuple(
                    conn.execute(
                        select(*(alias.c[name] for name in COLUMNS)).where(alias.c.key == r[1])
                    ).one()
                )
                == r
            )


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


def test_an_update_sets_columns_by_key_and_counts_up(store):
    with store.begin() as conn:
        bulk.upsert(conn, alias, COLUMNS, [row("a"), row("b"), row("c", until=DAY)])
        keys = ("ledger_id", "key", "customer_id", "since")
        rows = [(1, "a", 7, DAY, DAY), (1, "c", 7, DAY, None), (1, "nobody", 7, DAY, DAY)]
        bulk.update(conn, alias, keys, ("until",), rows, counted="confirmations")
        found = conn.execute(select(alias.c.key, alias.c.until, alias.c.confirmations).order_by(alias.c.key))
        assert [tuple(r) for r in found] == [("a", DAY, 2), ("b", None, 1), ("c", None, 2)]


def test_an_update_may_only_count_up(store):
    with store.begin() as conn:
        bulk.upsert(conn, alias, COLUMNS, [row("a"), row("b")])
        bulk.update(conn, alias, ("ledger_id", "key"), (), [(1, "b")], counted="confirmations")
        found = conn.execute(select(alias.c.confirmations).order_by(alias.c.key)).scalars()
        assert list(found) == [1, 2]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["a", "nobody", "a"], ["a"], id="each once, however often it is named"),
        pytest.param(
            ['"\\', "{NULL}", "Łódź, ž"], ['"\\', "{NULL}", "Łódź, ž"], id="text that would need quoting"
        ),
        pytest.param([*map(str, range(5_000)), "a"], ["a"], id="thousands at once"),
    ],
)
def test_rows_among_values(store, wanted, found):
    with store.begin() as conn:
        bulk.upsert(conn, alias, COLUMNS, [row(key) for key in ("a", "b", '"\\', "{NULL}", "Łódź, ž")])
        rows = bulk.rows_by(conn, alias, ("key",), "key", wanted, ledger_id=1)
        assert sorted(r.key for r in rows) == sorted(found)
        assert bulk.rows_by(conn, alias, ("key",), "key", wanted, ledger_id=2) == []
