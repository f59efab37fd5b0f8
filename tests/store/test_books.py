"""What a platform states is kept exactly once, and open amounts follow from applications."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from arsync.connectors.contract import Gone, Ref
from arsync.core.items import ItemKind
from arsync.store import books, queries
from arsync.store.engine import Store
from arsync.store.tables import application, item, item_version, metadata
from tests.store.conftest import DAY, at, customer, invoice, paid, usd


def contents(store: Store) -> dict[str, list]:
    with store.read() as conn:
        return {t.name: sorted(map(repr, conn.execute(select(t)).all())) for t in metadata.sorted_tables}


def opens(store: Store) -> dict[str, int]:
    with store.read() as conn:
        rows = conn.execute(select(item.c.id, item.c.open_minor)).all()
        names = books.platform_refs(conn, 1, "item", [r.id for r in rows])
    return {names[r.id]: r.open_minor for r in rows}


def law(store: Store) -> None:
    """open == original - applied for every item, and every application has two sides."""
    with store.read() as conn:
        sums = select(application.c.item_id, func.sum(application.c.amount_minor))
        applied = {i: int(m) for i, m in conn.execute(sums.group_by(application.c.item_id))}
        for row in conn.execute(select(item)):
            expected = 0 if row.gone else row.original_minor - applied.get(row.id, 0)
            assert row.open_minor == expected, row
        assert int(conn.execute(select(func.coalesce(func.sum(application.c.amount_minor), 0))).scalar()) == 0


def test_the_same_page_again_writes_nothing(store, keep):
    page = [customer("1"), invoice(10, "1", 500_00), paid(20, "1", 200_00, {"Invoice:10": 200_00})]
    keep(*page)
    before = contents(store)
    assert keep(*page).total == 0
    assert contents(store) == before


def test_a_payment_lowers_what_it_settles_and_keeps_the_rest_unapplied(store, keep):
    keep(customer("1"), invoice(10, "1", 500_00), paid(20, "1", 700_00, {"Invoice:10": 500_00}))
    assert opens(store) == {"Invoice:10": 0, "Payment:20": -200_00}
    law(store)


def test_a_credit_netted_in_a_payment_uses_the_credit_up(store, keep):
    memo = invoice(11, "1", -50_00, kind=ItemKind.CREDIT_MEMO)
    netted = paid(20, "1", 450_00, {"Invoice:10": 500_00, "Invoice:11": -50_00})
    keep(customer("1"), invoice(10, "1", 500_00), memo, netted)
    assert set(opens(store).values()) == {0}
    law(store)


def test_an_edited_payment_adds_the_difference_and_never_changes_a_row(store, keep):
    keep(customer("1"), invoice(10, "1", 500_00), invoice(12, "1", 300_00))
    keep(paid(20, "1", 300_00, {"Invoice:10": 300_00}))
    with store.read() as conn:
        first = conn.execute(select(application).order_by(application.c.id)).all()
    keep(paid(20, "1", 300_00, {"Invoice:12": 300_00}))
    with store.read() as conn:
        after = conn.execute(select(application).order_by(application.c.id)).all()
    assert after[: len(first)] == first
    assert opens(store) == {"Invoice:10": 500_00, "Invoice:12": 0, "Payment:20": 0}
    law(store)


def test_a_deleted_payment_opens_its_invoice_again(store, keep):
    keep(customer("1"), invoice(10, "1", 500_00), paid(20, "1", 500_00, {"Invoice:10": 500_00}))
    keep(gone=(Gone(Ref("payment", "Payment:20")),))
    assert opens(store) == {"Invoice:10": 500_00, "Payment:20": 0}
    law(store)


def test_a_deleted_invoice_leaves_the_payment_unapplied(store, keep):
    keep(customer("1"), invoice(10, "1", 500_00), paid(20, "1", 500_00, {"Invoice:10": 500_00}))
    keep(gone=(Gone(Ref("item", "Invoice:10")),))
    assert opens(store) == {"Invoice:10": 0, "Payment:20": -500_00}
    law(store)


def test_a_record_that_comes_back_after_it_was_gone_is_open_again(store, keep):
    page = [customer("1"), invoice(10, "1", 500_00)]
    keep(*page)
    keep(gone=(Gone(Ref("item", "Invoice:10")),))
    keep(*page)
    assert opens(store) == {"Invoice:10": 500_00}


def test_order_of_arrival_does_not_matter(store, keep):
    keep(paid(20, "1", 500_00, {"Invoice:10": 500_00}))
    keep(invoice(10, "1", 500_00))
    keep(customer("1", "Late Ltd"))
    assert opens(store) == {"Invoice:10": 0, "Payment:20": 0}
    with store.read() as conn:
        assert queries.find_customer(conn, 1, "Late Ltd").external_id == "1"
    law(store)


def test_a_payment_of_an_invoice_that_comes_in_the_same_page_or_later_settles_it(store, keep):
    """What a page mentions for the first time is not read again: its open amount must be right at once."""
    keep(
        customer("1"),
        invoice(10, "1", 500_00),
        paid(20, "1", 300_00, {"Invoice:10": 200_00, "Invoice:11": 100_00}),
    )
    keep(invoice(11, "1", 400_00), invoice(12, "1", 1_00))
    with store.read() as conn:
        opens = conn.execute(
            select(item.c.number, item.c.open_minor).order_by(item.c.open_minor, item.c.number)
        ).all()
    assert [tuple(o) for o in opens] == [(None, 0), ("12", 1_00), ("10", 300_00), ("11", 300_00)]


def test_a_journal_entry_named_without_its_line_is_the_one_line_of_that_customer(store, keep):
    line = invoice(10, "1", 80_00, kind=ItemKind.JOURNAL_DEBIT)
    line = type(line)(Ref("item", "JournalEntry:30:2"), line.raw, line.value)
    keep(customer("1"), line, paid(20, "1", 80_00, {"JournalEntry:30": 80_00}))
    assert opens(store)["JournalEntry:30:2"] == 0


def test_a_version_row_only_when_a_column_that_aging_needs_changes(store, keep):
    keep(customer("1"), invoice(10, "1", 500_00))
    keep(invoice(10, "1", 500_00, reference="PO 7"))
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(item_version)).scalar() == 1
    keep(invoice(10, "1", 500_00, due=date(2026, 12, 1)))
    with store.read() as conn:
        rows = conn.execute(select(item_version).order_by(item_version.c.known_from)).all()
    assert [(r.due, r.known_to is None) for r in rows] == [(DAY, False), (date(2026, 12, 1), True)]


@pytest.mark.parametrize(
    ("as_of", "known", "expected"),
    [
        pytest.param(date(2026, 9, 30), at(59), {}, id="before the invoice there is nothing"),
        pytest.param(
            date(2026, 10, 5), at(59), {"Invoice:10": 500_00}, id="between invoice and payment all is open"
        ),
        pytest.param(date(2026, 10, 20), at(59), {}, id="after the payment nothing is open"),
        pytest.param(
            date(2026, 10, 20), at(1), {"Invoice:10": 500_00}, id="as known before the payment was read"
        ),
    ],
)
def test_any_day_can_be_asked_again(store, keep, as_of, known, expected):
    keep(customer("1"), invoice(10, "1", 500_00))
    keep(paid(20, "1", 500_00, {"Invoice:10": 500_00}, on=date(2026, 10, 15)))
    with store.read() as conn:
        rows = queries.open_as_of(conn, 1, as_of, known)
        names = books.platform_refs(conn, 1, "item", [r.item_id for r in rows])
    assert {names[r.item_id]: r.open_minor for r in rows} == expected


def test_a_payment_older_than_its_invoice_is_a_credit_until_the_invoice_exists(store, keep):
    keep(customer("1"), invoice(10, "1", 500_00, issued=date(2026, 10, 10), due=date(2026, 10, 10)))
    keep(paid(20, "1", 500_00, {"Invoice:10": 500_00}, on=date(2026, 10, 5)))
    with store.read() as conn:
        rows = queries.open_as_of(conn, 1, date(2026, 10, 7), at(59))
    assert [(r.kind, r.open_minor) for r in rows] == [("payment", -500_00)]


_AMOUNTS = st.integers(1, 10**9)


@pytest.mark.slow
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_however_payments_are_edited_open_amounts_follow(store, data):
    """Random edits of payments over a few invoices: the law holds after every page, and a rebuild agrees."""
    from arsync.connectors.contract import Page

    place = books.Place(1, 1, at(data.draw(st.integers(0, 3000))))
    names = [f"Invoice:{n}" for n in (10, 11, 12)]
    originals = {name: data.draw(_AMOUNTS) for name in names}
    with store.begin() as conn:
        for table in (application, item, item_version):
            conn.execute(table.delete())
        books.keep_page(
            conn,
            place,
            Page((customer("1"), *(invoice(int(n.split(":")[1]), "1", m) for n, m in originals.items()))),
        )
    left = dict(originals)
    for payment in (20, 21):
        for edit in range(data.draw(st.integers(1, 3))):
            chosen = [n for n in names if data.draw(st.booleans())]
            lines = {n: data.draw(st.integers(1, originals[n])) for n in chosen}
            with store.begin() as conn:
                books.keep_page(
                    conn,
                    books.Place(1, 1, at(payment * 10 + edit)),
                    Page((paid(payment, "1", sum(lines.values()) + edit, lines),)),
                )
            law(store)
        left = {n: left[n] - lines.get(n, 0) for n in left}
    found = opens(store)
    assert {n: found[n] for n in names} == left


def test_known_ids_are_per_connection_and_kind(store, keep):
    keep(customer("1"), invoice(1, "1", usd(5).minor))
    with store.read() as conn:
        assert books.known_ids(conn, 1, "customer", ["1", "2"]) == {"1": 1}
        assert books.known_ids(conn, 2, "customer", ["1"]) == {}
        assert books.present(conn, 1, "item") == frozenset({"Invoice:1"})
