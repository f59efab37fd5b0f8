"""What Xero's rows mean: tables, then the laws."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors import exact
from arsync.connectors.contract import Gone, Record, Unreadable
from arsync.connectors.xero import mapping
from arsync.connectors.xero.mapping import Facts
from arsync.core.items import AppliedLine
from arsync.core.money import Money

HOME = Facts("GBP", multicurrency=True)
CONTACT = {"ContactID": "c-1", "Name": "O'Brien \\ Sons' & Co"}


def usd(text):
    return Money.of(text, "USD")


def invoice(**changed):
    row = {
        "Type": "ACCREC", "InvoiceID": "i-1", "InvoiceNumber": "INV-1", "Contact": CONTACT, "Status": "AUTHORISED",
        "Date": "/Date(1767225600000+0000)/", "DueDate": "/Date(1769817600000+0000)/", "CurrencyCode": "USD",
        "Total": Decimal("120.00"), "AmountDue": Decimal("70.00"), "AmountPaid": Decimal("40.00"),
        "AmountCredited": Decimal("10.00"), "UpdatedDateUTC": "/Date(1767225600000+0000)/",
    }  # fmt: skip
    return row | changed


def read(entity, row, facts=HOME):
    return mapping.read(entity, row, facts)


@pytest.mark.parametrize(
    ("changed", "original", "left"),
    [
        pytest.param({}, "120.00", "70.00", id="part paid, part credited"),
        pytest.param({"AmountDue": "70.00", "Total": "120.00"}, "120.00", "70.00", id="numbers in quotes"),
        pytest.param({"CISDeduction": Decimal("20.00"), "AmountDue": Decimal("50.00")}, "100.00", "50.00",
                     id="a contractor's tax is withheld: it was never owed to us"),
        pytest.param({"Status": "VOIDED", "AmountDue": 0, "AmountPaid": 0, "AmountCredited": 0}, "0.00", "0.00",
                     id="voided"),
        pytest.param({"Date": "2026-01-01T00:00:00", "DueDate": "2026-01-31"}, "120.00", "70.00", id="ISO dates"),
    ],
)  # fmt: skip
def test_an_invoice_states_what_was_charged_and_what_is_left(changed, original, left):
    (record,) = read("Invoices", invoice(**changed))
    assert (record.value.original, record.value.stated_open) == (usd(original), usd(left))
    assert (record.value.issued.isoformat(), record.value.due.isoformat()) == ("2026-01-01", "2026-01-31")
    assert record.value.voided == (changed.get("Status") == "VOIDED")


@pytest.mark.parametrize(
    ("said", "day"),
    [
        pytest.param({}, None, id="not said"),
        pytest.param({"ExpectedPaymentDate": None}, None, id="null"),
        pytest.param({"ExpectedPaymentDate": ""}, None, id="empty"),
        pytest.param({"ExpectedPaymentDate": "/Date(1769817600000+0000)/"}, "2026-01-31", id="a day"),
    ],
)
def test_when_the_books_expect_the_money_of_an_invoice(said, day):
    (record,) = read("Invoices", invoice(**said))
    assert record.value.expected == (date.fromisoformat(day) if day else None)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"Status": "SIMMERING"}, "Status", id="a status nobody announced"),
        pytest.param({"DueDate": None}, "DueDate", id="a null date"),
        pytest.param(
            {"ExpectedPaymentDate": "soon"}, "ExpectedPaymentDate", id="an expected day nobody can read"
        ),
        pytest.param({"Total": "12,34"}, "Total", id="an amount nobody can read"),
        pytest.param({"Total": Decimal("120.001")}, "Total", id="more digits than the currency has"),
        pytest.param({"AmountPaid": Decimal("39.00")}, "Total", id="amounts that contradict each other"),
        pytest.param({"Type": "ACCOTHER"}, "Type", id="a type nobody announced"),
        pytest.param({"Contact": {}}, "Contact", id="nobody's"),
        pytest.param({"CurrencyCode": None}, "CurrencyCode", id="no currency, where there are several"),
    ],
)
def test_what_cannot_be_read_is_named_and_keeps_its_text(changed, field):
    (told,) = read("Invoices", invoice(**changed))
    assert isinstance(told, Unreadable)
    assert (told.ref.id, told.field) == ("Invoice:i-1", field)
    assert json.loads(told.raw)["InvoiceNumber"] == "INV-1"


@pytest.mark.parametrize("changed", [{"Type": "ACCPAY"}, {"Status": "DRAFT"}, {"Status": "SUBMITTED"}])
def test_what_nobody_owes_us_is_no_item(changed):
    assert read("Invoices", invoice(**changed)) == ()


def payment(**changed):
    row = {
        "PaymentID": "p-1", "PaymentType": "ACCRECPAYMENT", "Status": "AUTHORISED", "Date": "2026-01-05",
        "Amount": Decimal("40.00"), "Reference": "wire", "Account": {"AccountID": "a-1"}, "IsReconciled": False,
        "Invoice": {"InvoiceID": "i-1", "CurrencyCode": "USD", "Contact": CONTACT},
    }  # fmt: skip
    return row | changed


def note(kind):
    return {f"{kind}ID": "n-1", "CurrencyCode": "USD", "Contact": CONTACT}


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        pytest.param({}, AppliedLine("Invoice:i-1", usd("40.00")), id="of an invoice"),
        pytest.param({"PaymentType": "ARCREDITPAYMENT", "CreditNote": note("CreditNote"), "Invoice": None},
                     AppliedLine("CreditNote:n-1", usd("-40.00")), id="a refund of a credit note"),
        pytest.param({"PaymentType": "AROVERPAYMENTPAYMENT", "Overpayment": note("Overpayment"), "Invoice": None},
                     AppliedLine("Payment:Overpayment:n-1", usd("-40.00")), id="a refund of an overpayment"),
    ],
)  # fmt: skip
def test_a_payment_settles_one_document(changed, line):
    (record,) = read("Payments", payment(**changed))
    assert record.value.lines == (line,)
    assert record.value.total == line.amount
    assert record.value.unapplied == usd("0.00")


def test_a_payment_we_make_is_none_of_ours():
    assert read("Payments", payment(PaymentType="ACCPAYPAYMENT")) == ()


def test_a_deleted_payment_is_gone_and_its_batch_with_it():
    told = read("Payments", payment(Status="DELETED", BatchPaymentID="b-1"))
    assert {one.ref.id for one in told if isinstance(one, Gone)} == {"Payment:p-1", "Payment:Batch:b-1"}


def test_a_batch_of_one_contact_is_one_receipt_and_of_two_it_is_not():
    other = {"InvoiceID": "i-2", "CurrencyCode": "USD", "Contact": CONTACT}
    rows = [payment(), payment(PaymentID="p-2", Amount=Decimal("2.00"), Invoice=other)]
    (record,) = mapping.batch("b-1", rows, HOME)
    assert (record.ref.id, record.value.total) == ("Payment:Batch:b-1", usd("42.00"))
    rows[1]["Invoice"] = other | {"Contact": {"ContactID": "c-2"}}
    assert [one.ref.id for one in mapping.batch("b-1", rows, HOME)] == ["Payment:p-1", "Payment:p-2"]


def test_a_merged_contact_is_gone_and_an_archived_one_is_not():
    assert isinstance(read("Contacts", {**CONTACT, "MergedToContactID": "c-2"})[0], Gone)
    (record,) = read("Contacts", {**CONTACT, "ContactStatus": "ARCHIVED"})
    assert not record.value.active


def test_a_record_does_not_change_when_its_neighbour_does():
    (one,) = read("Invoices", invoice())
    (two,) = read("Invoices", invoice(Contact={**CONTACT, "Name": "New name", "Balances": {}}))
    assert one.raw == two.raw


_AMOUNTS = st.integers(0, 10**16).map(lambda minor: Decimal(minor).scaleb(-2))


@given(_AMOUNTS, _AMOUNTS, _AMOUNTS)
def test_what_was_charged_is_what_is_due_paid_and_credited_to_the_minor_unit(due, paid, credited):
    row = invoice(Total=due + paid + credited, AmountDue=due, AmountPaid=paid, AmountCredited=credited)
    (record,) = read("Invoices", exact.read_object(exact.text(row)))
    assert isinstance(record, Record)
    assert record.value.original.minor == int((due + paid + credited) * 100)
    assert record.value.stated_open.minor == int(due * 100)


@given(
    st.dictionaries(
        st.sampled_from(sorted(invoice())), st.none() | st.text(max_size=9) | st.integers() | st.booleans()
    )
)
def test_whatever_stands_in_a_row_nothing_raises_and_nothing_is_guessed(changed):
    for told in read("Invoices", invoice(**changed)):
        if isinstance(told, Record) and not told.value.voided:
            value = told.value
            assert value.stated_open == Money.of(invoice(**changed)["AmountDue"], value.stated_open.currency)
