"""What a person does in QuickBooks behind a program's back."""

from decimal import Decimal

import pytest

from arsync.simulators.quickbooks.refusals import Refused
from tests.simulators.direct_api import pay_line, ref


@pytest.fixture
def customer(books):
    return books.create_customer("Bluebird Cafe")["Id"]


def test_the_copy_button_copies_the_note_but_no_application(books, customer):
    invoice = books.create_invoice(customer, "25.00", PrivateNote="arsync:op-1")
    paid = books.create_payment(
        customer, "25.00", [("Invoice", invoice["Id"], "25.00")], PrivateNote="arsync:op-2"
    )
    second = books.copy("Invoice", invoice["Id"])
    assert (second["PrivateNote"], str(second["Balance"]), second["DocNumber"]) == (
        "arsync:op-1",
        "25.00",
        "1002",
    )
    again = books.copy("Payment", paid["Id"])
    assert (again["PrivateNote"], str(again["UnappliedAmt"])) == ("arsync:op-2", "25.00")
    assert again["Id"] != paid["Id"]


def test_a_payment_is_applied_and_unapplied_line_by_line(books, customer):
    one, other = (books.create_invoice(customer, 10)["Id"] for _ in range(2))
    paid = books.create_payment(customer, 30)["Id"]
    books.apply(paid, "Invoice", one, "10")
    books.apply(paid, "Invoice", other, "7.50")
    assert str(books.get("Payment", paid)["UnappliedAmt"]) == "12.50"
    books.unapply(paid, "Invoice", one)
    assert [line["LinkedTxn"][0]["TxnId"] for line in books.get("Payment", paid)["Line"]] == [other]
    books.unapply(paid)
    assert str(books.get("Payment", paid)["UnappliedAmt"]) == "30.00"


def test_a_person_always_has_the_newest_token(books, api, customer):
    invoice = books.create_invoice(customer, 10)
    for number in range(3):
        books.edit("Invoice", invoice["Id"], PrivateNote=f"call {number}")
    assert api.get("Invoice", invoice["Id"])["SyncToken"] == "3"
    assert api.code("Invoice", {**invoice, "PrivateNote": "mine"}) == "5010"


@pytest.mark.parametrize("value", [1.5, True], ids=["a float", "a flag"])
def test_only_exact_amounts(books, customer, value):
    with pytest.raises(ValueError, match="no exact amount"):
        books.create_invoice(customer, value)


def test_a_discount_is_taken_with_a_credit_memo_of_its_own_item(books, api, customer):
    """The portable way to a cash discount: a credit memo with the discount item, applied with the cash."""
    invoice = books.create_invoice(customer, 100)
    discount = next(item["Id"] for item in books.all("Item") if item["Name"] == "Cash discount")
    credit = books.create_credit_memo(customer, 2, item=discount)
    lines = [pay_line("Invoice", invoice["Id"], 100), pay_line("CreditMemo", credit["Id"], 2)]
    api.post("Payment", {"CustomerRef": ref(customer), "TotalAmt": 98, "Line": lines})
    balances = {one["Name"]: one["CurrentBalance"] for one in books.all("Account")}
    assert (balances["Discounts given"], balances["Undeposited Funds"]) == (-2, 98)
    assert balances["Accounts Receivable (A/R)"] == 0
    assert balances["Services"] == Decimal(100)


def test_a_refused_document_uses_no_number_and_no_id_up(books, customer):
    books.create_invoice(customer, 1)
    with pytest.raises(Refused):
        books.create_invoice(customer, -1)
    made = books.create_invoice(customer, 1)
    assert (made["Id"], made["DocNumber"]) == ("2", "1002")


def test_sales_and_refund_receipts_are_no_receivables(books, customer):
    books.create_sales_receipt(customer, 9)
    books.create_refund_receipt(customer, 4)
    assert books.open_items() == []
    assert [one["Balance"] for kind in ("SalesReceipt", "RefundReceipt") for one in books.all(kind)] == [0, 0]
    assert books.receivable_cents() == 0
