"""The migrations and the tables say the same, on every database; a store of another revision is refused."""

import json
from datetime import date

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from arsync import migrations
from arsync.core.matching.snapshot import Alias, Knowledge
from arsync.errors import StoreUnusable
from arsync.store import learned, raw
from arsync.store.engine import Store
from arsync.store.tables import item, metadata


def test_migrating_an_empty_store_gives_exactly_the_tables(store):
    with store.begin() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(store):
    migrations.upgrade(store)
    assert store.revision() == migrations.HEAD


def test_receipts_of_before_learn_how_they_came_from_what_the_bank_said(tmp_path):
    """0008: a line that is one receipt takes its method from the line; what the bank does not say stays not said."""
    old = Store(f"sqlite:///{tmp_path}/a.db")
    migrations.upgrade(old, "0006")
    line = (
        "insert into bank_line (id, bank_account_id, statement_id, file_sha, locator, key, occurrence, booking_date,"
        " amount_minor, currency, payer_name, payer_account, text, body, is_return)"
        " values (:id, 1, 1, '', '', :id, 1, '2026-01-15', 100, :currency, '', '', '', :body, false)"
    )
    receipt = (
        "insert into receipt (ledger_id, id, bank_line_id, part, on_date, currency, amount_minor, payer_name,"
        " payer_account, texts, is_return, proven, state, hands_off, version)"
        " values (1, :id, :line, :part, '2026-01-15', :currency, 100, '', '', '{}', false, true, 'undecided', false, 1)"
    )
    said = [("USD", "lockbox"), ("EUR", "direct_debit_in"), ("USD", "other"), ("USD", "cheque")]
    with old.begin() as conn:
        for number, (currency, family) in enumerate(said, 1):
            body = json.dumps({"code_family": family})
            conn.execute(text(line), {"id": number, "currency": currency, "body": body})
            parts = 2 if number == len(said) else 1  # what a line of several receipts says is not of each
            for part in range(parts):
                values = {"id": 10 * number + part, "line": number, "part": part, "currency": currency}
                conn.execute(text(receipt), values)
    migrations.upgrade(old)
    with old.read() as conn:
        found = conn.execute(text("select method from receipt order by id")).scalars().all()
    assert found == ["cheque", "sepa direct debit", "not said", "not said", "not said"]
    old.close()


def test_what_was_learned_before_it_had_numbers_gets_them_in_the_order_it_was_learned(store_url):
    other = Store(store_url)
    migrations.upgrade(other, "0007")
    row = "insert into alias (ledger_id, key, customer_id, since, confirmations) values (:l, :k, 1, :s, 2)"
    with other.begin() as conn:
        for ledger, key, since in ((1, "B", "2026-02-01"), (1, "A", "2026-01-01"), (2, "C", "2026-01-01")):
            conn.execute(text(row), {"l": ledger, "k": key, "s": since})
    migrations.upgrade(other)
    with other.begin() as conn:
        assert [(one.id, one.key) for one in learned.listing(conn, 1)] == [(2, "B"), (1, "A")]
        before = learned.knowledge(conn, 1, date(2026, 3, 1))
        after = Knowledge((*before.aliases, Alias("D", 1, 1, date(2026, 3, 1))))
        learned.keep(conn, 1, before, after, "Cleo")
        newest = learned.listing(conn, 1)[0]
        assert (newest.id, newest.key, learned.teachers(newest)) == (3, "D", ["Cleo"])
    other.close()


def test_what_xero_expected_before_is_read_from_its_records_and_settled_items_are_left(store_url):
    """0011: a day that people of the books have set is known before a promise replaces it."""
    other = Store(store_url)
    migrations.upgrade(other, "0010")
    said = [
        ({"ExpectedPaymentDate": "/Date(1796428800000+0000)/"}, 100),
        ({"ExpectedPaymentDate": "2026-12-05T00:00:00"}, 100),
        ({}, 100),
        ({"ExpectedPaymentDate": "/Date(1796428800000+0000)/"}, 0),
    ]
    with other.begin() as conn:
        conn.execute(
            text(
                "insert into connection (id, name, platform, settings, created_at) values (1, 'x', 'xero', '{}', '')"
            )
        )
        conn.execute(
            text(
                "insert into ledger (id, name, uid, connection_id, home_currency, mode, created_at)"
                " values (1, 'x', 'x', 1, 'USD', 'observe', '')"
            )
        )
        for number, (row, left) in enumerate(said, 1):
            (sha,) = raw.keep(conn, [json.dumps(row | {"InvoiceID": str(number)}).encode()])
            conn.execute(
                text(
                    "insert into item (ledger_id, id, customer_id, kind, issued, due, currency, original_minor,"
                    " open_minor, gone, raw_sha, version) values (1, :id, 1, 'invoice', '2026-11-01', '2026-12-01',"
                    " 'USD', 100, :left, false, :sha, 1)"
                ),
                {"id": number, "left": left, "sha": sha},
            )
    migrations.upgrade(other)
    with other.read() as conn:
        found = dict(conn.execute(select(item.c.id, item.c.expected)).all())
    assert found == {1: date(2026, 12, 5), 2: date(2026, 12, 5), 3: None, 4: None}
    other.close()


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        pytest.param(None, "has not been set up", id="an empty database is told to be set up"),
        pytest.param("0000", "an older arsync", id="an older store is told to be upgraded"),
        pytest.param("9999", "a newer arsync", id="a newer store is not touched"),
    ],
)
def test_a_store_of_another_revision_is_refused(tmp_path, revision, says):
    other = Store(f"sqlite:///{tmp_path}/a.db")
    if revision is not None:
        migrations.upgrade(other)
        with other.begin() as conn:
            conn.execute(text("update alembic_version set version_num = :r"), {"r": revision})
    with pytest.raises(StoreUnusable, match=says):
        migrations.check(other)
    other.close()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("nonsense", id="not a URL"),
        pytest.param("oracle://x", id="a database we do not know"),
        pytest.param("sqlite:////nonexistent/folder/a.db", id="a folder that is not there"),
        pytest.param("postgresql+psycopg://nobody@127.0.0.1:1/x", id="a server that does not answer"),
    ],
)
def test_a_store_that_cannot_be_opened_says_so(url):
    with pytest.raises(StoreUnusable) as error:
        migrations.check(Store(url))
    assert error.value.do
