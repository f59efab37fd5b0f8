"""Promises, reminders and expected days come back as they were kept, on every database."""

from datetime import date

import pytest

from arsync.core.promises import Moved
from arsync.store import bulk, collecting
from arsync.store.collecting import Given, Said
from arsync.store.tables import application, customer, item

DAY, BY = date(2026, 11, 20), date(2026, 12, 5)
AT = "2026-11-20T08:00:00.000000Z"
NAME = "O'Brien \\ Sons' & Co"


@pytest.fixture
def conn(store):
    with store.begin() as opened:
        columns = ("ledger_id", "id", "name", "active", "aliases", "gone", "raw_sha", "version")
        bulk.insert(opened, customer, columns, [(1, 7, NAME, True, "[]", False, b"x", 1)])
        columns = (
            "ledger_id", "id", "customer_id", "kind", "number", "issued", "due", "currency", "original_minor",
            "open_minor", "gone", "raw_sha", "version",
        )  # fmt: skip
        rows = [
            (1, "invoice", "1001", 100, 40),
            (2, "invoice", None, 50, 50),
            (3, "payment", None, -60, -60),
        ]
        bulk.insert(
            opened,
            item,
            columns,
            [
                (1, i, 7, kind, number, DAY, DAY, "USD", was, left, False, b"x", 1)
                for i, kind, number, was, left in rows
            ],
        )
        yield opened


def test_a_promise_is_kept_with_what_became_of_it(conn):
    ids = collecting.keep_promises(
        conn, 1, [Said(1, 100, BY, DAY, NAME, "soon"), Said(2, 50, BY, DAY, "", "")], "Cleo", AT
    )
    assert ids == [1, 2]
    (third,) = collecting.keep_promises(conn, 1, [Said(1, 60, BY, DAY, "", "")], "Cleo", AT)
    collecting.supersede(conn, 1, {1: third})
    collecting.withdraw(conn, 1, 2, "Max", "another invoice", AT)
    first, second, last = collecting.promises(conn, 1)
    assert (first.said_by, first.comment, first.customer, first.number) == (NAME, "soon", NAME, "1001")
    assert (first.superseded_by, first.withdrawn_at, first.open_minor, first.by_date) == (3, None, 40, BY)
    assert (second.withdrawn_by, second.withdrawn_why) == ("Max", "another invoice")
    assert (last.superseded_by, last.withdrawn_at) == (None, None)
    assert collecting.promises(conn, 2) == []


def test_only_what_was_known_after_the_promise_counts(conn):
    collecting.keep_promises(conn, 1, [Said(1, 100, BY, DAY, "", "")], "Cleo", AT)
    columns = ("ledger_id", "id", "item_id", "other_id", "pays", "amount_minor", "on_date", "known_at")
    rows = [
        (1, 1, 30, AT),
        (2, 1, 20, AT.replace("08:00", "09:00")),
        (3, 1, 10, AT.replace("08:00", "09:30")),
    ]
    rows += [(4, 2, 5, AT.replace("08:00", "09:00"))]
    bulk.insert(
        conn, application, columns, [(1, i, of, 3, False, minor, DAY, known) for i, of, minor, known in rows]
    )
    assert collecting.settled_since(conn, 1) == {1: [Moved(DAY, 30)]}


def test_unapplied_cash_is_told_as_what_there_is(conn):
    (one,) = collecting.unapplied(conn, 1, [7])
    assert (one.customer_id, one.currency, one.issued, int(one.minor)) == (7, "USD", DAY, 60)
    assert collecting.unapplied(conn, 1, [8]) == []


def test_reminders_come_oldest_first(conn):
    given = [Given(1, BY, 2, "phone"), Given(1, DAY, 1, "not said")]
    assert collecting.keep_reminders(conn, 1, given, "Cleo", AT) == [1, 2]
    assert [(one.on_date, one.level, one.way, one.who) for one in collecting.reminders(conn, 1)] == [
        (DAY, 1, "not said", "Cleo"),
        (BY, 2, "phone", "Cleo"),
    ]


def test_an_expected_day_is_one_an_item(conn):
    collecting.keep_expected(conn, 1, 1, DAY, None, 4)
    collecting.keep_expected(conn, 1, 1, BY, DAY, 5)
    (row,) = collecting.expected(conn, 1).values()
    assert (row.item_id, row.on_date, row.before, row.decision_id) == (1, BY, DAY, 5)
    collecting.forget_expected(conn, 1, 1)
    assert collecting.expected(conn, 1) == {}
