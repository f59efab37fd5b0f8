"""The referee itself: what it lets through, what it catches, and that every endpoint was before it."""

import dataclasses
import re

import pytest

from arsync.simulators.xero import Request
from tests.simulators import xero_spec
from tests.simulators.xero_api import invoice

pytestmark = [pytest.mark.corpus, pytest.mark.slow]


@pytest.fixture(autouse=True)
def corpus():
    xero_spec.missing()


@pytest.fixture
def everything(xero, xapi, keeper, bluebird):
    """One of each kind of record, read in every way a client reads."""
    xero.switches.rate_limits = False
    made = xapi.put("Invoices", invoice(bluebird))
    paid = keeper.pay(made["InvoiceID"], "10.00")
    batch = keeper.batch([(made["InvoiceID"], "5.00")], reference="B", date="2026-03-01")
    credit = keeper.credit_note(bluebird, "9.00")
    keeper.allocate(credit["CreditNoteID"], made["InvoiceID"], "2.00")
    over, ahead = keeper.overpayment(bluebird, "5.00"), keeper.prepayment(bluebird, "6.00", reference="P")
    keeper.allocate(over["OverpaymentID"], made["InvoiceID"], "1.00")
    keeper.received(bluebird, "3.00")
    keeper.bank_account("Savings", "095")
    moved = xapi.put("BankTransfers", {
        "FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "095"}, "Amount": "1.00"})  # fmt: skip
    ids = {
        "Invoices": made["InvoiceID"],
        "Payments": paid["PaymentID"],
        "BatchPayments": batch["BatchPaymentID"],
        "CreditNotes": credit["CreditNoteID"],
        "Overpayments": over["OverpaymentID"],
        "Prepayments": ahead["PrepaymentID"],
        "BankTransactions": over["BankTransactionID"],
        "BankTransfers": moved["BankTransferID"],
        "Contacts": bluebird,
        "Accounts": keeper.bank(),
    }
    for name, record_id in ids.items():
        for query in ({}, {"page": 1}, {"page": 1, "unitdp": 4}, {"summaryOnly": "true"}, {"order": "Date"}):
            xapi.send("GET", f"/{name}", **query)
        xapi.get(f"/{name}/{record_id}")
        assert xapi.send("GET", f"/{name}/{record_id}/History").status == (404 if name == "Accounts" else 200)
    for path in (
        "/Organisation",
        "/Organisation/Actions",
        "/Currencies",
        "/TaxRates",
        "/BrandingThemes",
        "/Users",
    ):
        xapi.get(path)
    xapi.get("/InvoiceReminders/Settings")
    xapi.get("/Reports/TrialBalance")
    xapi.get("/Reports/AgedReceivablesByContact", contactId=bluebird)
    return ids


def test_every_answer_obeys_the_specification(xero, everything):
    judged = [one for one in xero.requests if one.status in {200, 204}]
    assert len(judged) > 60
    assert [one.verdict for one in judged if one.verdict] == []


@pytest.mark.parametrize(
    ("right", "wrong", "caught"),
    [
        (rb'"AUTHORISED"', b'"HIBERNATING"', "is not one of"),
        (rb'"AmountDue":\d+\.\d\d', b'"AmountDue":"1.00"', "is not of type 'number'"),
        (rb'"AmountDue"', b'"AmountDoo"', "Additional properties are not allowed"),
        (rb'"SentToContact":false', b'"SentToContact":null', "None for not nullable"),
        (rb'"DueDate":"[^"]*"', b'"DueDate":"02/03/2026"', "DueDate is written '02/03/2026'"),
        (rb'"InvoiceID":"[^"]*"', b'"InvoiceID":"7"', "is not a 'uuid'"),
        (rb'"InvoiceAddresses":\[\]', b'"InvoiceAddresses":{}', "is not of type 'array'"),
    ],
)
def test_the_referee_catches(xapi, everything, right, wrong, caught):
    good = xapi.send("GET", "/Invoices", page=1)
    spoilt = dataclasses.replace(good, body=re.sub(right, wrong, good.body, count=1))
    assert spoilt.body != good.body
    request = Request("GET", "/Invoices", {"page": "1"}, {"accept": "application/json"})
    assert xero_spec.judge(request, good) == ""
    assert caught in xero_spec.judge(request, spoilt)


def test_what_breaks_the_specification_on_purpose_does_break_it(xero, xapi, everything, monkeypatch):
    """An entry of the list that no longer breaks anything must go."""
    monkeypatch.setattr(xero_spec, "ON_PURPOSE", ())
    xero.judge = xero_spec.judge
    (shown,) = xapi.one("CreditNotes", everything["CreditNotes"])["Allocations"]
    path = f"/CreditNotes/{everything['CreditNotes']}/Allocations/{shown['AllocationID']}"
    xero.requests.clear()
    xapi.call("DELETE", path)
    xapi.get("/BankTransactions")
    verdicts = [one.verdict for one in xero.requests]
    xero.requests.clear()
    assert [bool(one) for one in verdicts] == [True, True]
