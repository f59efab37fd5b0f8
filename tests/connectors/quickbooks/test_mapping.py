"""Rows to nouns: what is stated arrives, what cannot be read is told with its raw text."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors import exact
from arsync.connectors.contract import Record, Ref, Unreadable
from arsync.connectors.quickbooks import mapping
from arsync.connectors.quickbooks.mapping import EntryLine, LedgerFacts
from arsync.core.items import Account, AppliedLine, ItemKind, Product, Terms
from arsync.core.money import Money
from tests.connectors.quickbooks.helpers import usd

FACTS = LedgerFacts("USD", receivable=frozenset({"84"}))
SEVERAL = LedgerFacts("USD", multicurrency=True)
STAMP = {"LastUpdatedTime": "2026-11-01T08:00:00-08:00"}
INVOICE = {
    "Id": "157", "SyncToken": "3", "MetaData": STAMP, "CustomerRef": {"value": "58"}, "DocNumber": "1041",
    "TxnDate": "2026-11-01", "DueDate": "2026-12-01",
    "TotalAmt": Decimal("100.10"), "Balance": Decimal("60.00"),
}  # fmt: skip
PAYMENT = {
    "Id": "158", "SyncToken": "0", "MetaData": STAMP, "CustomerRef": {"value": "58"}, "TxnDate": "2026-11-05",
    "TotalAmt": Decimal("95.05"), "UnappliedAmt": 0,
}  # fmt: skip


def only(entity, row, facts=FACTS):
    [one] = mapping.read(entity, row, facts)
    return one


def line(size, *links):
    return {
        "Amount": Decimal(size),
        "LinkedTxn": [dict(zip(("TxnType", "TxnId", "TxnLineId"), link, strict=False)) for link in links],
    }


def test_a_record_keeps_its_text_version_and_time():
    record = only("Invoice", INVOICE)
    assert record.ref == Ref("item", "Invoice:157")
    assert (record.version, record.changed) == ("3", STAMP["LastUpdatedTime"])
    assert exact.read_object(record.raw) == INVOICE


def test_a_prepayment_taken_off_an_invoice_was_never_owed():
    value = only("Invoice", INVOICE | {"Deposit": Decimal("40.10"), "Balance": Decimal("60.00")}).value
    assert (value.original, value.stated_open) == (usd("60"), usd("60"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"TotalAmt": None}, "TotalAmt", id="no total"),
        pytest.param({"TotalAmt": "100.10"}, "TotalAmt", id="a total as a string"),
        pytest.param({"TotalAmt": True}, "TotalAmt", id="a total that is true"),
        pytest.param({"TotalAmt": Decimal("100.105")}, "TotalAmt", id="a tenth of a cent"),
        pytest.param({"Balance": None}, "Balance", id="no balance is not a balance of zero"),
        pytest.param({"Deposit": "x"}, "Deposit", id="a deposit nobody can read"),
        pytest.param({"TxnDate": "11/01/2026"}, "TxnDate", id="a date of another shape"),
        pytest.param({"TxnDate": 20261101}, "TxnDate", id="a date as a number"),
        pytest.param({"DueDate": None}, "DueDate", id="no due date is not due today"),
        pytest.param({"DueDate": "2026-02-30"}, "DueDate", id="a day that does not exist"),
        pytest.param({"CustomerRef": None}, "CustomerRef", id="nobody owes it"),
        pytest.param({"CustomerRef": {"value": ""}}, "CustomerRef", id="an empty customer"),
        pytest.param({"CurrencyRef": {"value": "ZZZ"}}, "TotalAmt", id="a currency that does not exist"),
        pytest.param({"CurrencyRef": {"value": "JPY"}}, "TotalAmt", id="cents of yen"),
        pytest.param({"ExchangeRate": "1.1"}, "ExchangeRate", id="a rate as a string"),
        pytest.param({"ExchangeRate": 0}, "ExchangeRate", id="a rate of nothing"),
        pytest.param({"Id": 157}, "Id", id="an id that is a number"),
    ],
)
def test_what_cannot_be_read_is_told_and_kept(change, field):
    row = {name: value for name, value in (INVOICE | change).items() if value is not None}
    got = only("Invoice", row)
    assert isinstance(got, Unreadable)
    assert got.field == field
    assert got.why
    assert exact.read_object(got.raw) == row


def test_in_books_of_several_currencies_a_missing_one_is_not_the_home_currency():
    assert only("Invoice", INVOICE, SEVERAL).field == "CurrencyRef"
    euros = INVOICE | {"CurrencyRef": {"value": "EUR"}, "ExchangeRate": Decimal("1.0825")}
    value = only("Invoice", euros, SEVERAL).value
    assert (value.original, value.rate) == (Money(100_10, "EUR"), Decimal("1.0825"))


def test_yen_have_no_cents_and_dinars_have_three_digits():
    yen = INVOICE | {"CurrencyRef": {"value": "JPY"}, "TotalAmt": 1200, "Balance": 1200}
    assert only("Invoice", yen, SEVERAL).value.original == Money(1200, "JPY")
    dinars = INVOICE | {"CurrencyRef": {"value": "KWD"}, "TotalAmt": Decimal("1.234"), "Balance": 0}
    assert only("Invoice", dinars, SEVERAL).value.original == Money(1234, "KWD")


@pytest.mark.parametrize(
    ("fields", "voided"),
    [
        ({"TotalAmt": 0, "Balance": 0, "PrivateNote": "Voided"}, True),
        ({"TotalAmt": 0, "Balance": 0, "PrivateNote": "Voided - old note"}, True),
        ({"TotalAmt": 0, "Balance": 0, "PrivateNote": "Voidedness"}, False),
        ({"TotalAmt": 0, "Balance": 0}, False),
        ({"PrivateNote": "Voided"}, False),
    ],
)
def test_a_void_is_zero_and_says_so(fields, voided):
    assert only("Invoice", INVOICE | fields).value.voided is voided


def test_a_purchase_order_number_is_found_in_a_custom_field():
    custom = [{"Name": "Crew #", "StringValue": "7"}, {"Name": "P.O. Number", "StringValue": "PO-77"}]
    assert only("Invoice", INVOICE | {"CustomField": custom}).value.reference == "PO-77"


def test_a_credit_memo_states_what_is_left_of_it():
    row = INVOICE | {"RemainingCredit": Decimal("30.00")}
    value = only("CreditMemo", row).value
    assert (value.kind, value.original, value.stated_open) == (
        ItemKind.CREDIT_MEMO,
        usd("-100.10"),
        usd("-30"),
    )
    assert value.due == value.issued == date(2026, 11, 1)
    assert only("CreditMemo", INVOICE).value.stated_open == usd("-60"), "without it, its balance"


# ---- payments


@pytest.mark.parametrize(
    ("total", "unapplied", "lines", "expected"),
    [
        pytest.param("95.05", "0", [line("100.10", ("Invoice", "1")), line("5.05", ("CreditMemo", "2"))],
                     [("Invoice:1", "100.10"), ("CreditMemo:2", "-5.05")], id="two lines for a credit"),
        pytest.param("0", "0", [line("5", ("Invoice", "1"), ("CreditMemo", "2"))],
                     [("Invoice:1", "5"), ("CreditMemo:2", "-5")], id="one line with both links"),
        pytest.param("50", "10", [line("40", ("Invoice", "1")), line("0", ("Invoice", "3"))],
                     [("Invoice:1", "40")], id="a line of nothing is no application"),
        pytest.param("50", "50", [], [], id="all of it on account"),
        pytest.param("70", "0", [line("100", ("Invoice", "1")), line("30", ("JournalEntry", "20", "1"))],
                     [("Invoice:1", "100"), ("JournalEntry:20:1", "-30")], id="a journal credit, by the law"),
        pytest.param("130", "0", [line("100", ("Invoice", "1")), line("30", ("JournalEntry", "20"))],
                     [("Invoice:1", "100"), ("JournalEntry:20", "30")], id="a journal debit, by the law"),
        pytest.param("75", "0", [line("100", ("Invoice", "1")), line("25", ("Deposit", "30", "1"))],
                     [("Invoice:1", "100"), ("Deposit:30:1", "-25")], id="a deposit is a credit"),
        pytest.param("75", "0", [line("100", ("Invoice", "1")), line("25", ("Check", "30"))],
                     [("Invoice:1", "100"), ("Check:30", "-25")], id="an unknown kind keeps its name"),
    ],
)  # fmt: skip
def test_the_lines_of_a_payment_have_signs(total, unapplied, lines, expected):
    row = PAYMENT | {"TotalAmt": Decimal(total), "UnappliedAmt": Decimal(unapplied), "Line": lines}
    assert only("Payment", row).value.lines == tuple(AppliedLine(item, usd(size)) for item, size in expected)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        pytest.param([line("96", ("Invoice", "1"))], "do not add up", id="more than there was"),
        pytest.param([line("50", ("JournalEntry", "1")), line("50", ("JournalEntry", "2")),
                      line("95.05", ("Invoice", "3"))], "more than one way", id="two sides fit"),
        pytest.param([line("1", ("Check", str(n))) for n in range(11)], "side is unknown", id="11 sides"),
        pytest.param([{"Amount": Decimal("95.05"), "LinkedTxn": [{"TxnType": "Invoice"}]}], "no document",
                     id="a link to nothing"),
        pytest.param([{"Amount": "95.05", "LinkedTxn": [{"TxnType": "Invoice", "TxnId": "1"}]}], "a number",
                     id="an amount as a string"),
        pytest.param("none", "not a list", id="no list"),
    ],
)  # fmt: skip
def test_a_payment_that_does_not_add_up_is_unreadable(lines, why):
    got = only("Payment", PAYMENT | {"Line": lines})
    assert isinstance(got, Unreadable)
    assert why in got.why


def test_a_payment_may_be_used_as_a_credit_by_another():
    """Its own lines and what is unapplied are less than its total: the store looks for who uses the rest."""
    got = only("Payment", PAYMENT | {"Line": [line("90", ("Invoice", "1"))]})
    assert isinstance(got, Record)
    assert [(one.item, one.amount) for one in got.value.lines] == [("Invoice:1", usd("90"))]


def test_known_entries_tell_the_side_and_the_line():
    known = {
        ("JournalEntry", "1"): (EntryLine("JournalEntry:1:0", "58", is_debit=True),),
        ("JournalEntry", "2"): (
            EntryLine("JournalEntry:2:0", "99", is_debit=True),
            EntryLine("JournalEntry:2:1", "58", is_debit=False),
        ),
        ("JournalEntry", "4"): (
            EntryLine("JournalEntry:4:0", "58", is_debit=False),
            EntryLine("JournalEntry:4:1", "58", is_debit=False),
        ),
    }
    facts = LedgerFacts("USD", receivable=FACTS.receivable, entries=known)
    lines = [
        line("50", ("JournalEntry", "1")),
        line("50", ("JournalEntry", "2")),
        line("9", ("JournalEntry", "4")),
    ]
    row = PAYMENT | {"TotalAmt": 0, "UnappliedAmt": 9, "Line": lines}
    assert only("Payment", row, facts).value.lines == (
        AppliedLine("JournalEntry:1:0", usd("50")),
        AppliedLine("JournalEntry:2:1", usd("-50")),
        AppliedLine("JournalEntry:4", usd("-9")),
    ), "several lines of the customer: the entry is named without a line, for the store to resolve"


@given(
    debits=st.lists(st.integers(1, 10**9), max_size=6),
    memos=st.lists(st.integers(1, 10**9), max_size=4),
    unapplied=st.integers(0, 10**9),
)
def test_whatever_is_applied_the_law_holds(debits, memos, unapplied):
    cash = sum(debits) - sum(memos) + unapplied
    lines = [line(usd_text(d), ("Invoice", str(n))) for n, d in enumerate(debits)]
    lines += [line(usd_text(c), ("CreditMemo", str(n))) for n, c in enumerate(memos)]
    row = PAYMENT | {
        "TotalAmt": Decimal(usd_text(cash)), "UnappliedAmt": Decimal(usd_text(unapplied)), "Line": lines
    }  # fmt: skip
    value = only("Payment", exact.read_object(exact.text(row))).value
    assert value.unapplied.minor == value.total.minor - sum(one.amount.minor for one in value.lines)
    off = only("Payment", row | {"UnappliedAmt": Decimal(usd_text(unapplied + 1))})
    assert isinstance(off, Unreadable), "one cent off is not rounded away"


def usd_text(minor):
    return Money(minor, "USD").text()


# ---- entries


def journal(side="Credit", account="84", entity=None, **more):
    detail = {"PostingType": side, "AccountRef": {"value": account}}
    if entity:
        detail["Entity"] = {"Type": entity[0], "EntityRef": {"value": entity[1]}}
    return {"Id": "0", "Amount": Decimal("30.00"), "JournalEntryLineDetail": detail} | more


def entry(*lines):
    return {"Id": "20", "SyncToken": "0", "MetaData": STAMP, "TxnDate": "2026-11-02", "Line": list(lines)}


def test_only_lines_on_receivables_are_items():
    row = entry(journal(entity=("Customer", "58")), journal("Debit", "5", Id="1"))
    record = only("JournalEntry", row)
    assert record.ref == Ref("item", "JournalEntry:20:0")
    assert (record.value.original, record.value.stated_open, record.value.customer) == (
        usd("-30"),
        None,
        "58",
    )
    assert mapping.read("JournalEntry", entry(journal("Debit", "5")), FACTS) == ()


@pytest.mark.parametrize(
    ("row_line", "field"),
    [
        pytest.param(journal(), "Entity", id="no customer on a receivable line"),
        pytest.param(journal(entity=("Vendor", "58")), "Entity", id="a vendor on a receivable line"),
        pytest.param(journal("Left", entity=("Customer", "58")), "PostingType", id="neither side"),
        pytest.param(journal(entity=("Customer", "58"), Amount=Decimal(-1)), "Amount", id="a negative line"),
        pytest.param(journal(entity=("Customer", "58"), Id=0), "Line.Id", id="a line without a name"),
    ],
)
def test_a_receivable_line_that_cannot_be_read_is_told(row_line, field):
    assert only("JournalEntry", entry(row_line)).field == field


# ---- lists


@pytest.mark.parametrize(
    ("percent", "points"), [(2, 200), (Decimal("1.50"), 150), (Decimal("0.25"), 25), (100, 10_000), (None, 0)]
)
def test_a_discount_is_basis_points(percent, points):
    row = {"Id": "3", "Name": "2% 10 Net 30", "DueDays": 30, "DiscountDays": 10, "DiscountPercent": percent}
    assert only("Term", row).value == Terms("2% 10 Net 30", 30, points, 10)


@pytest.mark.parametrize("percent", ["2", Decimal("0.001"), 101, -1, True])
def test_a_discount_nobody_can_hold_is_unreadable(percent):
    assert only("Term", {"Id": "3", "Name": "odd", "DiscountPercent": percent}).field == "DiscountPercent"


def test_accounts_are_known_by_type_not_by_name():
    row = {
        "Id": "84",
        "Name": "Forderungen",
        "AccountType": "Accounts Receivable",
        "CurrentBalance": Decimal("1.50"),
    }
    assert only("Account", row).value == Account("Forderungen", "receivable", "USD", usd("1.50"))
    funds = {
        "Id": "4",
        "Name": "Kasse",
        "AccountType": "Other Current Asset",
        "AccountSubType": "UndepositedFunds",
    }
    assert only("Account", funds).value.kind == "undeposited_funds"
    assert mapping.receivable_accounts([row, funds]) == {"84"}


def test_a_product_keeps_its_account():
    row = {"Id": "9", "Name": "Write-off", "IncomeAccountRef": {"value": "12"}, "Active": False}
    assert only("Item", row).value == Product("Write-off", "12", active=False)


def test_an_inactive_customer_loses_the_suffix_and_nothing_else():
    row = {"Id": "5", "DisplayName": "Acme (deleted)", "Active": False, "CompanyName": "Acme Ltd"}
    value = only("Customer", row).value
    assert (value.name, value.active, value.aliases) == ("Acme", False, ("Acme Ltd",))
    assert only("Customer", row | {"Active": True}).value.name == "Acme (deleted)"


def test_the_books_warn_of_settings_that_act_by_themselves():
    row = {
        "Id": "1",
        "CurrencyPrefs": {"HomeCurrency": {"value": "USD"}, "MultiCurrencyEnabled": True},
        "AccountingInfoPrefs": {"BookCloseDate": "2026-10-31"},
        "SalesFormsPrefs": {"AutoApplyCredit": True, "AutoApplyPayments": False},
    }
    record = mapping.books(row, "Acme")
    assert isinstance(record, Record)
    assert (record.value.closed_until, record.value.multicurrency) == (date(2026, 10, 31), True)
    [warning] = record.value.warnings
    assert "AutoApplyCredit" in warning
    assert mapping.books(row | {"CurrencyPrefs": {}}, "Acme").field == "HomeCurrency"
    assert (
        mapping.books(row | {"AccountingInfoPrefs": {"BookCloseDate": "soon"}}, "Acme").field
        == "BookCloseDate"
    )


def test_a_line_of_nothing_on_receivables_is_no_item():
    assert mapping.read("JournalEntry", entry(journal(entity=("Customer", "58"), Amount=0)), FACTS) == ()


@pytest.mark.parametrize(
    ("entity", "wrong", "field"),
    [
        pytest.param(
            "Invoice", {"CurrencyRef": {"value": 1}}, "CurrencyRef", id="a currency that is a number"
        ),
        pytest.param("Invoice", {"CurrencyRef": "USD"}, "CurrencyRef", id="a currency of another shape"),
        pytest.param("JournalEntry", {"Line": "x"}, "Line", id="lines that are a word"),
        pytest.param("JournalEntry", {"Line": [None]}, "Line", id="a line that is none"),
    ],
)
def test_another_shape_is_no_default(entity, wrong, field):
    row = {"Id": "7", "CustomerRef": {"value": "1"}, "TxnDate": "2026-11-01", "DueDate": "2026-11-30"}
    [told] = mapping.read(entity, {**row, "TotalAmt": 1, "Balance": 1, **wrong}, FACTS)
    assert isinstance(told, Unreadable)
    assert (told.field, told.ref.id) == (field, f"{entity}:7")
    assert mapping.entry_lines("JournalEntry", {**row, "Line": "x"}, FACTS) == ()


def test_a_note_that_is_no_text_ends_no_pull():
    row = {"Id": "7", "CustomerRef": {"value": "1"}, "TxnDate": "2026-11-01", "DueDate": "2026-11-30"}
    assert only("Invoice", {**row, "TotalAmt": 0, "Balance": 0, "PrivateNote": 12}).value.voided is False
