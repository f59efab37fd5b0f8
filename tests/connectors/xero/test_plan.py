"""What is asked, as calls to Xero: pure, so tables over a few records."""

import json
from datetime import date
from decimal import Decimal

import pytest

from arsync.connectors import exact
from arsync.connectors.contract import (
    Answer,
    ApplyCredits,
    Banked,
    Bundle,
    Call,
    Cannot,
    Fresh,
    PostCredit,
    PostDeposit,
    PostEntry,
    PostReceipt,
    PostRefund,
    Ref,
    Reverse,
    SetExpected,
    SetNote,
    Settle,
)
from arsync.connectors.xero import plan
from arsync.core.items import Books
from arsync.core.money import Money

TODAY = date(2026, 11, 22)
ACME = Ref("customer", "c-1")
ONE, TWO, OTHERS, EURO = (Ref("item", f"Invoice:i-{n}") for n in (1, 2, 3, 4))
NOTE = Ref("item", "CreditNote:n-1")
BATCH, PAID = Ref("payment", "Payment:Batch:b-1"), Ref("payment", "Payment:p-1")
OVER = Ref("payment", "Payment:Overpayment:o-1")
SETTLED = Ref("item", "Invoice:i-5")


def usd(text):
    return Money.of(text, "USD")


def document(number, left, *, contact="c-1", currency="USD", name="AmountDue", **more):
    return {
        "InvoiceID": number, "InvoiceNumber": number.upper(), "Status": "AUTHORISED", "CurrencyCode": currency,
        "Contact": {"ContactID": contact}, "Date": "2026-11-01", name: Decimal(left), **more,
    }  # fmt: skip


ROWS = {
    ONE: document("i-1", "100.00"),
    TWO: document("i-2", "50.00"),
    OTHERS: document("i-3", "50.00", contact="c-2"),
    EURO: document("i-4", "50.00", currency="EUR"),
    SETTLED: document("i-5", "0.00", Status="PAID"),
    NOTE: document("n-1", "30.00", name="RemainingCredit", Allocations=[{"AllocationID": "old"}]),
    PAID: {"PaymentID": "p-1", "Date": "2026-11-01", "IsReconciled": False, "Status": "AUTHORISED"},
    BATCH: {"BatchPaymentID": "b-1", "Payments": [{"Date": "2026-11-01", "IsReconciled": False}]},
    OVER: {"OverpaymentID": "o-1", "Date": "2026-11-01", "Allocations": []},
}


def planned(intent, *, rows=ROWS, closed=None, done=(), site=None):
    books = Books("Acme", "USD", multicurrency=True, closed_until=closed)
    fresh = Fresh({ref: exact.text(row).encode() for ref, row in rows.items()}, books)
    where = site or plan.Site("t-1", returns_account="260")
    return plan.plan(Bundle("books-7", 2, (intent,)), fresh, done, where)


def receipt(total, *settles, **more):
    lines = tuple(Settle(ref, money) for ref, money in settles)
    return PostReceipt(ACME, TODAY, total, lines, **{"reference": "WIRE 7", "deposit_account": "a-1", **more})


WHOLE = (ONE, usd("100.00"))


def test_one_invoice_is_one_payment_to_the_cent_that_ends_in_our_marker():
    call = planned(receipt(usd("100.00"), WHOLE))
    assert (call.method, call.path) == ("PUT", "/Payments?summarizeErrors=false")
    [payment] = json.loads(call.body, parse_float=str)["Payments"]
    assert payment == {
        "Invoice": {"InvoiceID": "i-1"},
        "Account": {"AccountID": "a-1"},
        "Date": "2026-11-22",
        "Amount": "100.00",
        "Reference": "WIRE 7 arsync:books-7.2.0",
    }


def test_several_invoices_are_one_batch():
    call = planned(receipt(usd("120.00"), WHOLE, (TWO, usd("20.00"))))
    assert call.path == "/BatchPayments?summarizeErrors=false"
    [batch] = json.loads(call.body, parse_float=str)["BatchPayments"]
    assert [one["Amount"] for one in batch["Payments"]] == ["100.00", "20.00"]


def test_a_rest_makes_all_of_it_an_overpayment_that_is_then_allocated():
    intent = receipt(usd("120.00"), WHOLE)
    first = planned(intent)
    assert b'"Type":"RECEIVE-OVERPAYMENT"' in first.body
    assert b'"UnitAmount":120.00' in first.body
    answers = [Answer(first, "accepted", OVER)]
    second = planned(intent, done=answers)
    assert (second.method, second.path) == ("PUT", "/Overpayments/o-1/Allocations")
    assert second.key != first.key
    assert planned(intent, done=[*answers, Answer(second, "accepted", OVER)]) is None


def test_money_for_nothing_yet_is_a_prepayment_where_an_account_is_named_for_it():
    call = planned(receipt(usd("120.00")), site=plan.Site("t-1", prepayment_account="825"))
    assert b'"Type":"RECEIVE-PREPAYMENT"' in call.body
    assert b'"AccountCode":"825"' in call.body


@pytest.mark.parametrize(
    ("intent", "closed", "code"),
    [
        pytest.param(receipt(usd("100.00"), WHOLE), TODAY, "closed_period", id="dated on the last closed day"),
        pytest.param(receipt(usd("100.01"), (ONE, usd("100.01"))), None, "stale", id="a cent more than is left"),
        pytest.param(receipt(Money.of("50.00", "USD"), (EURO, usd("50.00"))), None, "currency_mismatch", id="euros"),
        pytest.param(
            receipt(Money.of("90.00", "EUR"), (EURO, Money.of("50.00", "EUR")), banked=usd("99.00")), None,
            "unsupported", id="a rest in another currency than the bank's",
        ),
        pytest.param(
            receipt(usd("150.00"), WHOLE, (OTHERS, usd("50.00"))), None, "unsupported", id="a batch of two contacts"
        ),
        pytest.param(receipt(usd("100.00"), WHOLE, deposit_account=None), None, "unsupported", id="which account?"),
        pytest.param(
            ApplyCredits(ACME, TODAY, (Settle(ONE, usd("30.01")), Settle(NOTE, usd("-30.01")))), None, "stale",
            id="a cent more than the credit has",
        ),
        pytest.param(
            ApplyCredits(ACME, TODAY, (Settle(ONE, usd("30.00")), Settle(NOTE, usd("-30.00")))), date(2026, 11, 1),
            "closed_period", id="an allocation's day is the later of its documents', and that is closed",
        ),
        pytest.param(
            PostCredit(ACME, TODAY, usd("1.00"), "", None, "cash discount", ONE), None, "unmapped_adjustment",
            id="no account for what is given up",
        ),
        pytest.param(Reverse(PAID), date(2026, 11, 1), "closed_period", id="a payment in a closed period"),
        pytest.param(Reverse(BATCH), date(2026, 11, 1), "closed_period", id="a batch in a closed period"),
        pytest.param(Reverse(OVER), None, "unsupported", id="an overpayment"),
        pytest.param(Reverse(ONE), None, "unsupported", id="an invoice, which stands beside money spent"),
        pytest.param(SetNote(ONE, "hello", "AR status"), None, "unsupported", id="a field of one's own"),
        pytest.param(SetExpected(NOTE, TODAY), None, "unsupported", id="a day on which a credit note is paid"),
        pytest.param(SetExpected(ONE, TODAY), date(2026, 11, 1), "closed_period", id="a day on a locked invoice"),
        pytest.param(SetExpected(SETTLED, TODAY), None, "stale", id="a day on which a paid invoice is paid"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_why(intent, closed, code):
    said = planned(intent, closed=closed)
    assert isinstance(said, Cannot)
    assert said.code == code
    assert said.reason


@pytest.mark.parametrize(
    ("on", "said"),
    [
        pytest.param(date(2026, 12, 5), {"ExpectedPaymentDate": "2026-12-05"}, id="a day"),
        pytest.param(None, {"ExpectedPaymentDateString": ""}, id="no day: only this name takes it away"),
    ],
)
def test_an_expected_day_is_said_alone(on, said):
    call = planned(SetExpected(ONE, on))
    assert (call.verb, call.method, call.path) == ("expect", "POST", "/Invoices/i-1")
    assert json.loads(call.body) == {"Invoices": [{"InvoiceID": "i-1", **said}]}
    assert planned(SetExpected(ONE, on), done=[Answer(call, "accepted", ONE)]) is None


def test_a_returned_payment_without_a_clearing_account_names_the_option():
    entry = PostEntry(ACME, TODAY, usd("9.00"), "610", "a-1", "returned payment", "NSF")
    said = planned(entry, site=plan.Site("t-1"))
    assert isinstance(said, Cannot)
    assert "--returns-account" in said.reason


@pytest.mark.parametrize(
    ("ref", "row"),
    [
        pytest.param(PAID, {**ROWS[PAID], "IsReconciled": True}, id="a payment"),
        pytest.param(PAID, {**ROWS[PAID], "IsReconciled": "true"}, id="a payment that says so in quotes"),
        pytest.param(
            BATCH, {**ROWS[BATCH], "Payments": [{"Date": "2026-11-01", "IsReconciled": True}]}, id="a batch"
        ),
    ],
)
def test_what_a_bank_line_holds_is_not_taken_back(ref, row):
    said = planned(Reverse(ref), rows={**ROWS, ref: row})
    assert isinstance(said, Cannot)
    assert "reconcile" in said.reason


def test_a_payment_of_a_batch_is_not_taken_back_alone():
    said = planned(Reverse(PAID), rows={**ROWS, PAID: {**ROWS[PAID], "BatchPaymentID": "b-1"}})
    assert isinstance(said, Cannot)
    assert "as a whole" in said.reason


@pytest.mark.parametrize("ref", [PAID, BATCH])
def test_taking_back_says_deleted_and_nothing_else(ref):
    call = planned(Reverse(ref))
    assert isinstance(call, Call)
    assert json.loads(call.body) == {"Status": "DELETED"}


def test_a_long_reference_is_cut_and_the_marker_is_not():
    call = planned(receipt(usd("100.00"), WHOLE, reference="X" * 400))
    said = json.loads(call.body)["Payments"][0]["Reference"]
    assert len(said) == plan.REFERENCE_WIDTH
    assert said.endswith(" arsync:books-7.2.0")


def test_reconciled_is_never_sent():
    several = receipt(usd("150.00"), WHOLE, (TWO, usd("50.00")))
    intents = (receipt(usd("100.00"), WHOLE), receipt(usd("120.00"), WHOLE), several)
    assert all(b"IsReconciled" not in planned(one).body for one in intents)


# ---- refunds

HELD = OVER, {**document("o-1", "30.00", name="RemainingCredit"), "OverpaymentID": "o-1"}


def refund(credit, size="20.00", **more):
    return PostRefund(ACME, TODAY, usd(size), credit, "a-1", "RF-7", **more)


@pytest.mark.parametrize(("credit", "name"), [(NOTE, "CreditNote"), (OVER, "Overpayment")])
def test_a_refund_is_a_payment_against_the_credit(credit, name):
    call = planned(refund(credit), rows=ROWS | {HELD[0]: HELD[1]})
    [payment] = json.loads(call.body, parse_float=str)["Payments"]
    assert payment == {
        name: {f"{name}ID": credit.id.rpartition(":")[2]},
        "Account": {"AccountID": "a-1"},
        "Date": "2026-11-22",
        "Amount": "20.00",
        "Reference": "RF-7 arsync:books-7.2.0",
    }
    assert planned(refund(credit), done=[accepted(call, PAID)]) is None


@pytest.mark.parametrize(
    ("intent", "closed", "code"),
    [
        pytest.param(refund(NOTE, "30.01"), None, "stale", id="more than is left"),
        pytest.param(refund(NOTE), TODAY, "closed_period", id="a locked day"),
        pytest.param(refund(PAID), None, "unsupported", id="a payment holds no credit"),
        pytest.param(refund(BATCH), None, "unsupported", id="nor does a batch"),
    ],
)
def test_a_refund_that_cannot_be_booked(intent, closed, code):
    assert planned(intent, closed=closed).code == code


# ---- payouts

CLEARED = plan.Site("t-1", clearing_account="095")
WAITING = {"AccountID": "a-9", "Code": "095", "Name": "Stripe clearing"}
IN_CLEARING = {
    PAID: {"PaymentID": "p-1", "Amount": Decimal("100.00"), "Account": WAITING},
    BATCH: {
        "BatchPaymentID": "b-1",
        "Payments": [{"Amount": Decimal(text), "Account": WAITING} for text in ("20.00", "30.00")],
    },
    OVER: {"OverpaymentID": "o-1", "Total": Decimal("7.00"), "RemainingCredit": Decimal("7.00")},
}


def payout(net="145.50", fee="4.50", *parts, **more):
    banked = tuple(Banked(ref, usd(text)) for ref, text in parts or ((PAID, "100.00"), (BATCH, "50.00")))
    given = {"fee": usd(fee) if fee else None, "fee_account": "404", **more}
    return PostDeposit(TODAY, usd(net), "a-1", banked, "PO-77", **given)


def accepted(call, ref):
    return Answer(call, "accepted", ref)


def test_a_payout_spends_its_fee_and_transfers_the_rest():
    fee = planned(payout(), rows=IN_CLEARING, site=CLEARED)
    [spent] = json.loads(fee.body, parse_float=str)["BankTransactions"]
    assert (spent["Type"], spent["BankAccount"], spent["Contact"]) == (
        "SPEND",
        {"Code": "095"},
        {"Name": "Payouts"},
    )
    assert [(line["AccountCode"], line["UnitAmount"]) for line in spent["LineItems"]] == [("404", "4.50")]
    ref = Ref("item", "Spend:s-1")
    call = planned(payout(), rows=IN_CLEARING, site=CLEARED, done=[accepted(fee, ref)])
    [moved] = json.loads(call.body, parse_float=str)["BankTransfers"]
    assert moved == {
        "FromBankAccount": {"Code": "095"},
        "ToBankAccount": {"AccountID": "a-1"},
        "Amount": "145.50",
        "Date": "2026-11-22",
        "Reference": "PO-77 arsync:books-7.2.0",
    }
    done = [accepted(fee, ref), accepted(call, ref)]
    assert planned(payout(), rows=IN_CLEARING, site=CLEARED, done=done) is None


def test_a_payout_without_a_fee_is_one_call():
    call = planned(payout("150.00", ""), rows=IN_CLEARING, site=CLEARED)
    assert (call.path, call.expects["From"], call.expects["To"]) == ("/BankTransfers", "095", "a-1")
    done = [accepted(call, Ref("item", "Transfer:t-1"))]
    assert planned(payout("150.00", ""), rows=IN_CLEARING, site=CLEARED, done=done) is None


def test_the_clearing_account_may_be_named_by_its_id():
    number = "0f2f3cb7-4c0e-4f53-8f0e-7f3e1c7f0a11"
    rows = {PAID: {**IN_CLEARING[PAID], "Account": {"AccountID": number}}}
    site = plan.Site("t-1", clearing_account=number)
    call = planned(payout("100.00", "", (PAID, "100.00")), rows=rows, site=site)
    assert json.loads(call.body)["BankTransfers"][0]["FromBankAccount"] == {"AccountID": number}


def test_the_account_of_a_fee_is_named_by_its_code():
    rows = IN_CLEARING | {Ref("account", "404"): {"AccountID": "404", "Code": "6100", "Name": "Bank fees"}}
    call = planned(payout(), rows=rows, site=CLEARED)
    assert json.loads(call.body)["BankTransactions"][0]["LineItems"][0]["AccountCode"] == "6100"


@pytest.mark.parametrize(
    ("intent", "changed", "site", "code", "says"),
    [
        pytest.param(payout(), {}, plan.Site("t-1"), "unmapped_adjustment", "--clearing-account", id="no account"),
        pytest.param(payout(fee_account=None), {}, CLEARED, "unmapped_adjustment", "fee", id="no account for the fee"),
        pytest.param(
            payout(), {PAID: {**IN_CLEARING[PAID], "Amount": Decimal("99.00")}}, CLEARED, "stale", "99.00", id="less"
        ),
        pytest.param(
            payout(),
            {PAID: {**IN_CLEARING[PAID], "Account": {"AccountID": "a-1", "Name": "Bank"}}},
            CLEARED,
            "unsupported",
            "stands in Bank",
            id="a payment that is in the bank already",
        ),
        pytest.param(
            payout(), {Ref("account", "404"): {"Name": "Fees"}}, CLEARED, "unmapped_adjustment", "no code", id="no code"
        ),
        pytest.param(
            payout("7.50", "", (OVER, "7.50")), {}, CLEARED, "stale", "7.00", id="an overpayment that is less"
        ),
    ],
)  # fmt: skip
def test_a_payout_that_cannot_be_made(intent, changed, site, code, says):
    found = planned(intent, rows=IN_CLEARING | changed, site=site)
    assert isinstance(found, Cannot)
    assert (found.code, says in found.reason) == (code, True), found.reason


def test_a_receipt_of_a_payout_is_booked_to_the_clearing_account():
    call = planned(receipt(usd("100.00"), WHOLE, deposit_account=None, grouped=True), site=CLEARED)
    assert json.loads(call.body)["Payments"][0]["Account"] == {"Code": "095"}
    foreign = receipt(Money.of("50.00", "EUR"), (EURO, Money.of("50.00", "EUR")), grouped=True)
    assert planned(foreign, site=CLEARED).code == "currency_mismatch"


@pytest.mark.parametrize("ref", ["Transfer:t-1", "Spend:s-1"])
def test_a_payout_is_taken_back_by_a_person(ref):
    found = planned(Reverse(Ref("item", ref)))
    assert (found.code, "a person takes a payout back" in found.reason) == ("unsupported", True)
