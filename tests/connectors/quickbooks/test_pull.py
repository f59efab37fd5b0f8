"""Pulling from the simulated platform: nothing is lost, nothing is doubled, and idle costs two calls."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arsync.connectors.contract import Pull, Ref
from arsync.connectors.quickbooks import pull as pull_module
from arsync.core.items import AppliedLine, Customer, ItemKind
from arsync.errors import ConsentLost, Garbled, PlatformBusy, PlatformRefused, UsageError
from arsync.simulators.quickbooks import BulkInvoice
from tests.connectors.quickbooks.helpers import usd

ODD_NAME = "O'Brien \\ Sons' & Co"
DAY = timedelta(days=1)


def bulk(world, customer, count):
    rows = [BulkInvoice(customer, 100_00 + n, "2026-11-01", "2026-12-01") for n in range(count)]
    return world.keeper.add_invoices(rows)


def item(number):
    return Ref("item", number)


def test_every_noun_arrives_as_the_books_state_it(world):
    parent = world.keeper.create_customer(ODD_NAME)["Id"]
    child = world.keeper.create_customer("Branch", parent=parent)["Id"]
    invoice = world.keeper.create_invoice(child, "100.10", date="2026-11-01", due="2026-12-01", number="1041")
    memo = world.keeper.create_credit_memo(parent, "5.05", date="2026-11-03")
    payment = world.keeper.create_payment(
        parent, "60", [("Invoice", invoice["Id"], "40.10")], date="2026-11-05", reference="wire 4711"
    )
    pulled = world.pull()
    assert pulled.unreadable == []
    assert pulled.value("books", "books").company == "Craig's Design"
    assert pulled.value("customer", parent).name == ODD_NAME
    assert pulled.value("customer", child).parent == parent
    stated = pulled.value("item", f"Invoice:{invoice['Id']}")
    assert (stated.original, stated.stated_open, stated.number) == (
        usd("100.10"),
        usd("60.00"),
        invoice["DocNumber"],
    )
    assert (stated.issued, stated.due) == (date(2026, 11, 1), date(2026, 12, 1))
    credit = pulled.value("item", f"CreditMemo:{memo['Id']}")
    assert (credit.kind, credit.original, credit.stated_open) == (
        ItemKind.CREDIT_MEMO,
        usd("-5.05"),
        usd("-5.05"),
    )
    paid = pulled.value("payment", f"Payment:{payment['Id']}")
    assert (paid.total, paid.unapplied, paid.reference) == (usd("60"), usd("19.90"), "wire 4711")
    assert paid.lines == (AppliedLine(f"Invoice:{invoice['Id']}", usd("40.10")),)
    assert {record.ref.kind for record in pulled.records.values()} == {
        "books", "account", "terms", "product", "customer", "item", "payment"
    }  # fmt: skip


def test_an_idle_pull_costs_one_capture_and_the_preferences(world):
    world.clock.sleep(3600)
    cursor = world.pull().cursor
    world.clock.sleep(900)
    before = len(world.simulator.requests)
    world.pull(cursor)
    assert [line.path for line in world.simulator.requests[before:]] == ["/query", "/cdc"]


def test_a_change_arrives_with_the_next_pull_and_only_that(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    one, _two = bulk(world, customer, 2)
    world.clock.sleep(3600)
    cursor = world.pull().cursor
    world.clock.sleep(60)
    world.keeper.edit("Invoice", one, PrivateNote="looked at")
    pulled = world.pull(cursor)
    assert [ref for ref in pulled.records if ref.kind == "item"] == [item(f"Invoice:{one}")]
    assert pulled.value("item", f"Invoice:{one}").memo == "looked at"


def test_a_deletion_is_gone_and_a_false_claim_of_one_is_not(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    one, two = bulk(world, customer, 2)
    world.clock.sleep(3600)
    cursor = world.pull().cursor
    world.keeper.delete("Invoice", one)
    world.keeper.tell_false_deletion("Invoice", two)
    pulled = world.pull(cursor)
    assert pulled.gone == [item(f"Invoice:{one}")]
    assert pulled.value("item", f"Invoice:{two}").stated_open == usd("100.01")


def test_an_inactive_customer_still_arrives_under_its_own_name(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    world.keeper.deactivate("Customer", customer)
    value = world.pull().value("customer", customer)
    assert value == Customer("Acme", active=False, currency="USD", aliases=value.aliases)


@pytest.mark.slow
def test_2350_invoices_of_one_second_take_four_reads(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    made = bulk(world, customer, 2350)
    before = len(world.simulator.requests)
    pulled = world.pull()
    items = [ref for ref in pulled.records if ref.kind == "item"]
    assert len(items) == len(made) == 2350
    notes = [page.note for page in pulled.pages if page.note.startswith("Invoice")]
    assert len(notes) <= 4
    assert len(world.simulator.requests) - before <= 2 + 8 + 4


@pytest.mark.slow
def test_a_row_deleted_while_paging_hides_no_other(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    made = bulk(world, customer, 2100)
    seen = set()
    removed = False
    for page in world.connector.pull(Pull(None)):
        seen |= {record.ref.id for record in page.records if record.ref.kind == "item"}
        if page.note.startswith("Invoice") and not removed:
            removed = True
            for number in made[:5]:
                world.keeper.delete("Invoice", number)
    assert removed
    assert {f"Invoice:{number}" for number in made} <= seen


def test_what_changes_while_a_load_runs_arrives_with_the_next_pull(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    one, two = bulk(world, customer, 2)
    world.clock.sleep(3600)
    cursor = None
    for page in world.connector.pull(Pull(None)):
        cursor = page.cursor or cursor
        if page.note.startswith("Invoice"):
            world.keeper.edit("Invoice", one, PrivateNote="changed behind the reader")
            world.keeper.delete("Invoice", two)
    pulled = world.pull(cursor)
    assert pulled.value("item", f"Invoice:{one}").memo == "changed behind the reader"
    assert pulled.gone == [item(f"Invoice:{two}")]


@pytest.mark.slow
def test_1700_changes_overflow_the_capture_and_none_is_lost(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    world.clock.sleep(3600)
    cursor = world.pull().cursor
    world.clock.sleep(3600)
    made = bulk(world, customer, 1700)
    world.clock.sleep(3600)
    pulled = world.pull(cursor)
    assert {f"Invoice:{number}" for number in made} == {r.id for r in pulled.records if r.kind == "item"}
    world.clock.sleep(3600)
    before = len(world.simulator.requests)
    assert not [r for r in world.pull(pulled.cursor).records if r.kind == "item"]
    paths = [line.path for line in world.simulator.requests[before:] if "oauth" not in line.path]
    assert paths == ["/query", "/cdc"]


def test_after_45_days_away_everything_is_caught_up_deletions_too(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    one, two, three = bulk(world, customer, 3)
    world.clock.sleep(3600)
    first = world.pull()
    known = {
        kind: {r.id for r in first.records if r.kind == kind} for kind in ("customer", "item", "payment")
    }
    world.clock.sleep(10 * 86_400)
    world.keeper.delete("Invoice", one)
    world.keeper.edit("Invoice", two, PrivateNote="moved")
    world.clock.sleep(35 * 86_400)
    access, refresh = world.simulator.grant(world.settings.realm_id)
    world.store.tokens = type(world.store.tokens)(access, refresh, world.clock.now() + timedelta(hours=1))
    pulled = world.pull(first.cursor, known=lambda kind: frozenset(known.get(kind, ())))
    assert pulled.gone == [item(f"Invoice:{one}")]
    assert pulled.value("item", f"Invoice:{two}").memo == "moved"
    assert item(f"Invoice:{three}") not in pulled.records, "unchanged rows are not read again"


def test_a_full_load_finds_what_vanished_without_a_trace(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    (one,) = bulk(world, customer, 1)
    cursor = world.pull().cursor
    known = {"item": frozenset({f"Invoice:{one}", "Invoice:999", "JournalEntry:998:0"})}
    pulled = world.pull(cursor, known=lambda kind: known.get(kind, frozenset()), full=True)
    assert sorted(pulled.gone) == [item("Invoice:999"), item("JournalEntry:998:0")]
    assert item(f"Invoice:{one}") in pulled.records


# ---- journal entries and deposits


def entry(world, customer, amount, side="Credit"):
    other = "Debit" if side == "Credit" else "Credit"
    return world.keeper.create_journal_entry(
        [(side, "receivable", amount, customer), (other, "income", amount)], date="2026-11-02"
    )


def receivable_line(row):
    return next(line["Id"] for line in row["Line"] if line["JournalEntryLineDetail"].get("Entity"))


def test_an_entry_on_receivables_is_an_item_and_a_payment_line_names_it(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    (invoice,) = bulk(world, customer, 1)
    row = entry(world, customer, "30")
    number = f"JournalEntry:{row['Id']}:{receivable_line(row)}"
    payment = world.keeper.create_payment(
        customer, "0", [("Invoice", invoice, "30"), ("JournalEntry", row["Id"], "30")]
    )
    pulled = world.pull()
    value = pulled.value("item", number)
    assert (value.kind, value.original, value.stated_open) == (ItemKind.JOURNAL_CREDIT, usd("-30"), None)
    lines = pulled.value("payment", f"Payment:{payment['Id']}").lines
    assert set(lines) == {AppliedLine(f"Invoice:{invoice}", usd("30")), AppliedLine(number, usd("-30"))}


def test_two_entries_of_the_same_amount_get_the_sides_their_books_say(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    debit, credit = entry(world, customer, "50", "Debit"), entry(world, customer, "50")
    payment = world.keeper.create_payment(
        customer, "0", [("JournalEntry", debit["Id"], "50"), ("JournalEntry", credit["Id"], "50")]
    )
    value = world.pull().value("payment", f"Payment:{payment['Id']}")
    assert {line.amount for line in value.lines} == {usd("50"), usd("-50")}
    assert all(line.item.count(":") == 2 for line in value.lines)


def test_a_line_edited_away_from_receivables_is_gone(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    row = entry(world, customer, "30")
    number = f"JournalEntry:{row['Id']}:{receivable_line(row)}"
    world.clock.sleep(3600)
    first = world.pull()
    assert item(number) in first.records
    lines = world.keeper.get("JournalEntry", row["Id"])["Line"]
    for line in lines:
        detail = line["JournalEntryLineDetail"]
        if detail.pop("Entity", None):
            detail["AccountRef"] = {"value": world.keeper.account("checking")}
    world.keeper.edit("JournalEntry", row["Id"], Line=lines)
    pulled = world.pull(
        first.cursor, known=lambda kind: frozenset({number}) if kind == "item" else frozenset()
    )
    assert pulled.gone == [item(number)]


def test_a_deleted_entry_takes_all_its_known_lines_along(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    row = entry(world, customer, "30")
    number = f"JournalEntry:{row['Id']}:{receivable_line(row)}"
    world.clock.sleep(3600)
    first = world.pull()
    world.keeper.delete("JournalEntry", row["Id"])
    pulled = world.pull(
        first.cursor, known=lambda kind: frozenset({number}) if kind == "item" else frozenset()
    )
    assert pulled.gone == [item(number)]


def test_a_deposit_straight_to_receivables_is_a_credit(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    detail = {
        "AccountRef": {"value": world.keeper.account("receivable")},
        "Entity": {"value": customer, "type": "CUSTOMER"},
    }
    line = {"Amount": 25, "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    row = world.keeper.create(
        "Deposit", {"DepositToAccountRef": {"value": world.keeper.account("checking")}, "Line": [line]}
    )
    value = world.pull().value("item", f"Deposit:{row['Id']}:{row['Line'][0]['Id']}")
    assert (value.kind, value.original, value.customer) == (ItemKind.DEPOSIT_CREDIT, usd("-25"), customer)


# ---- states of documents


def test_voided_documents_say_so(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    invoice, other = bulk(world, customer, 2)
    payment = world.keeper.create_payment(customer, "10", [("Invoice", other, "10")])["Id"]
    world.keeper.void("Invoice", invoice)
    world.keeper.void("Payment", payment)
    pulled = world.pull()
    assert pulled.value("item", f"Invoice:{invoice}").voided
    assert pulled.value("payment", f"Payment:{payment}").voided
    assert pulled.value("item", f"Invoice:{other}").stated_open == usd("100.01")


def test_a_payment_on_a_deposit_is_marked(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    payment = world.keeper.create_payment(customer, "10")
    line = {"Amount": 10, "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}]}
    world.keeper.create(
        "Deposit", {"DepositToAccountRef": {"value": world.keeper.account("checking")}, "Line": [line]}
    )
    assert world.pull().value("payment", f"Payment:{payment['Id']}").deposited


# ---- trouble


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param("truncated_body", Garbled, id="an answer cut in its middle is no empty page"),
        pytest.param("html_503", PlatformBusy, id="a proxy's page is no empty page"),
        pytest.param("empty_504", PlatformBusy, id="an empty answer is no empty page"),
        pytest.param("fault_in_200", PlatformRefused, id="a fault inside HTTP 200 is no empty page"),
        pytest.param("status_500", PlatformBusy, id="a system failure is no empty page"),
    ],
)
def test_an_error_is_never_an_empty_page(world, fault, error):
    world.simulator.faults.add("POST /query", fault, times=100, skip=3)
    with pytest.raises(error) as caught:
        world.pull()
    assert caught.value.do


@pytest.mark.parametrize(
    "fault", ["status_429", "xml_429", "status_403", "html_503", "empty_504", "reset_mid_body"]
)
def test_passing_trouble_is_waited_out(world, fault):
    customer = world.keeper.create_customer("Acme")["Id"]
    bulk(world, customer, 1)
    world.simulator.faults.add("POST /query", fault, times=2, skip=2)
    assert len([ref for ref in world.pull().records if ref.kind == "item"]) == 1
    counts = world.ports.meter.counts
    assert counts["quickbooks.throttled"] + counts["quickbooks.gateway"] + counts["quickbooks.network"] == 2


def test_an_expired_token_is_renewed_once_in_mid_pull(world):
    world.simulator.faults.add("POST /query", "status_401", skip=4)
    assert world.pull().records
    assert len(world.store.saved) == 1
    assert world.store.saved[0].hard_until is not None


def test_lost_consent_names_the_command_that_helps(world):
    world.store.tokens = type(world.store.tokens)("access-gone", "refresh-gone", world.clock.now())
    with pytest.raises(ConsentLost, match="no longer accepts") as caught:
        world.pull()
    assert "arsync connect" in caught.value.do


@pytest.mark.parametrize(
    "stored", ["", "{}", "[]", '{"step":"load"}', '{"step":"changes","since":"yesterday"}', '{"x":1}']
)
def test_a_strange_cursor_is_refused_not_forgotten(world, stored):
    with pytest.raises(UsageError, match="no cursor"):
        world.pull(stored)


# ---- the law: cut off anywhere, resumed from the last stored cursor, the same records


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, 6), max_size=8))
def test_a_pull_killed_anywhere_and_resumed_gives_the_same_records(world, monkeypatch, cuts):
    monkeypatch.setattr(pull_module.query, "ROWS", 7)
    monkeypatch.setattr(
        pull_module.query.select, "__kwdefaults__", {**pull_module.query.select.__kwdefaults__, "rows": 7}
    )
    if not world.keeper.all("Invoice"):
        _many(world)
    straight = world.pull().records
    cursor, stored = None, {}
    for cut in [*cuts, 1000]:
        for count, page in enumerate(world.connector.pull(Pull(cursor)), 1):
            stored |= {record.ref: record for record in page.records}
            cursor = page.cursor or cursor
            if count == cut:
                break
    assert stored == straight


def _many(world):
    customer = world.keeper.create_customer("Acme")["Id"]
    invoices = bulk(world, customer, 20)
    for number in range(12):
        world.clock.sleep(1)
        row = entry(world, customer, "3")
        links = [("Invoice", invoices[number], "5"), ("JournalEntry", row["Id"], "3")]
        world.keeper.create_payment(customer, "2", links)
        world.keeper.edit("Invoice", invoices[number], PrivateNote=f"touched {number}")
