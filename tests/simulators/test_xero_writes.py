"""Writing: documents, money, credits, locks (behaviours 39 to 54)."""

from decimal import Decimal

import pytest

from arsync.simulators.exact_json import parse_json
from arsync.simulators.xero.refusals import HAS_APPLIED, LOCKED_PAYMENT, NOT_AUTHORISED, OVER_OUTSTANDING
from tests.simulators.xero_api import Api, invoice, line

NOT_VALID = "Invoice not of valid status for modification"
MONEY = Decimal


def pay(made, amount, **more):
    return {
        "Invoice": {"InvoiceID": made["InvoiceID"]},
        "Account": {"Code": "090"},
        "Date": "2026-03-01",
        "Amount": amount,
        **more,
    }


@pytest.fixture
def owed(xapi, bluebird):
    """An invoice over 100.00."""
    return xapi.put("Invoices", invoice(bluebird, Date="2026-02-01", DueDate="2026-03-03"))


def due(xapi, made):
    shown = xapi.one("Invoices", made["InvoiceID"])
    return shown["AmountDue"], shown["AmountPaid"], shown["AmountCredited"], shown["Status"]


# ---- status ------------------------------------------------------------------------------------------------


STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED", "VOIDED")
LEGAL = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "DELETED": set(),
    "VOIDED": set(),
}


@pytest.mark.parametrize("after", STATUSES)
@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("kind", ["Invoice", "CreditNote"])
def test_the_status_machine(xapi, bluebird, kind, before, after):
    element = invoice(bluebird, Status="DRAFT", Type="ACCREC" if kind == "Invoice" else "ACCRECCREDIT")
    made = xapi.put(f"{kind}s", element)
    for step in {"VOIDED": ["AUTHORISED", "VOIDED"], "DRAFT": []}.get(before, [before]):
        xapi.post(f"{kind}s", made[f"{kind}ID"], {"Status": step})
    path = f"/{kind}s/{made[f'{kind}ID']}"
    answer = xapi.send("POST", path, {"Status": after})
    if after in LEGAL[before]:
        assert answer.status == 200
        assert xapi.one(f"{kind}s", made[f"{kind}ID"])["Status"] == after
    else:
        assert xapi.refused("POST", path, {"Status": after})[1][0].endswith(
            "not of valid status for modification"
        )


def test_paid_is_set_by_xero_alone(xapi, owed):
    assert xapi.refused("POST", f"/Invoices/{owed['InvoiceID']}", {"Status": "PAID"}) == (400, [NOT_VALID])


def test_what_an_authorised_invoice_needs(xapi, bluebird):
    for change, message in (
        ({"LineItems": []}, "One or more line items must be specified"),
        (
            {"LineItems": [line(AccountCode="999")]},
            "Account code '999' is not a valid code for this document.",
        ),
        (
            {"LineItems": [line(AccountCode="610")]},
            "Account code '610' is not a valid code for this document.",
        ),
        ({"Contact": {}}, "A Contact must be specified for this type of transaction"),
        ({"CurrencyCode": "SEK"}, "Organisation is not subscribed to currency SEK"),
        ({"Status": "PAID"}, "Invoice not of valid status for creation"),
        ({"Type": "ACCSOMETHING"}, "Invoice type is not valid"),
    ):
        assert xapi.refused("PUT", "/Invoices", {**invoice(bluebird), **change}) == (400, [message])


def test_a_part_paid_invoice_keeps_its_amounts_but_not_its_words(xapi, keeper, owed, bluebird):
    keeper.pay(owed["InvoiceID"], "40.00")
    path = f"/Invoices/{owed['InvoiceID']}"
    (row,) = owed["LineItems"]
    changed = xapi.post("Invoices", owed["InvoiceID"], {"Reference": "PO 7", "DueDate": "2026-06-30"})
    assert (changed["Reference"], changed["AmountDue"]) == ("PO 7", MONEY("60.00"))
    words = {"LineItems": [{**row, "Description": "Other words", "AccountCode": "260"}]}
    assert xapi.post("Invoices", owed["InvoiceID"], words)["LineItems"][0]["AccountCode"] == "260"
    for change in (
        {"LineItems": [{**row, "UnitAmount": "50.00", "LineAmount": "50.00"}]},
        {"Date": "2026-01-01"},
    ):
        assert xapi.refused("POST", path, change) == (400, [HAS_APPLIED])
    assert xapi.refused("POST", path, {"Status": "VOIDED"}) == (400, [HAS_APPLIED])


# ---- many at once ------------------------------------------------------------------------------------------


def test_one_bad_element_fails_them_all(xapi, keeper, owed, bluebird):
    good, bad = pay(owed, "10.00"), pay(owed, "1000.00")
    status, messages = xapi.refused("PUT", "/Payments", {"Payments": [good, bad]})
    assert (status, messages) == (400, [OVER_OUTSTANDING])
    assert xapi.get("/Payments")["Payments"] == []
    assert due(xapi, owed)[0] == MONEY("100.00")


def test_with_summarize_errors_false_each_stands_by_itself(xapi, keeper, bluebird, owed):
    keeper.core.organisation.rates["EUR"] = MONEY("0.8")
    euro = xapi.put("Invoices", invoice(bluebird, CurrencyCode="EUR"))
    rows = [pay(owed, "10.00"), pay(owed, "1000.00"), pay(euro, "10.00", CurrencyRate="5")]
    document = xapi.call("PUT", "/Payments", {"Payments": rows}, summarizeErrors="false")
    good, bad, doubtful = document["Payments"]
    assert (good["StatusAttributeString"], good["Amount"]) == ("OK", MONEY("10.00"))
    assert (bad["StatusAttributeString"], bad["ValidationErrors"]) == (
        "ERROR",
        [{"Message": OVER_OUTSTANDING}],
    )
    assert bad["Amount"] == MONEY("1000.00")
    assert doubtful["StatusAttributeString"] == "WARNING"
    assert "rate 5" in doubtful["Warnings"][0]["Message"]
    assert len(xapi.get("/Payments")["Payments"]) == 2


def test_the_error_text_may_be_called_description(xero, xapi, owed):
    xero.judge = None
    xero.switches.error_text_key = "Description"
    document = xapi.call("PUT", "/Payments", {"Payments": [pay(owed, "1000.00")]}, summarizeErrors="false")
    assert document["Payments"][0]["ValidationErrors"] == [{"Description": OVER_OUTSTANDING}]


def test_a_refused_request_takes_no_number_and_tells_no_webhook(xero, xapi, bluebird, keeper):
    told = []
    keeper.core.on_commit = told.append
    bad = {**invoice(bluebird), "LineItems": [line(AccountCode="999")]}
    xapi.refused("PUT", "/Invoices", {"Invoices": [invoice(bluebird), bad]})
    assert told == []
    assert xapi.put("Invoices", invoice(bluebird))["InvoiceNumber"] == "INV-0001"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"text"', b'{"Invoices": 5}', b'{"Invoices": [5]}', b"[" * 99_999]
)
def test_a_body_that_cannot_be_read_is_400(xapi, body):
    answer = xapi.send("PUT", "/Invoices", body)
    assert (answer.status, parse_json(answer.body)["Type"]) == (400, "PostDataInvalidException")


@pytest.mark.parametrize("amount", ["ten", True, [], {}, "1e999", "NaN", "0.001"])
def test_an_amount_that_cannot_be_read_is_400_and_never_zero(xapi, owed, amount):
    assert xapi.refused("PUT", "/Payments", pay(owed, amount))[0] == 400
    assert due(xapi, owed)[0] == MONEY("100.00")


# ---- payments ----------------------------------------------------------------------------------------------


def test_rules_of_payments(xapi, keeper, owed, bluebird):
    draft = xapi.put("Invoices", invoice(bluebird, Status="DRAFT"))
    credit = keeper.credit_note(bluebird, "10.00")
    for element, message in (
        (pay(owed, "100.01"), OVER_OUTSTANDING),
        (pay(draft, "1.00"), NOT_AUTHORISED),
        (pay(owed, "0"), "Amount must be greater than zero"),
        (pay(owed, "-5.00"), "Amount must be greater than zero"),
        (
            pay(owed, "5.00", Account={"Code": "200"}),
            "Payments can only be made to a bank account or an account",
        ),
        (pay(owed, "5.00", Account={"Code": "nope"}), "The account could not be found"),
        (pay(owed, "5.00", Account=None), "Account is required"),
        (pay({"InvoiceID": "none"}, "5.00"), "Invoice could not be found"),
        (
            pay(owed, "5.00", CreditNote={"CreditNoteID": credit["CreditNoteID"]}),
            "A payment must name exactly one",
        ),
        ({"Account": {"Code": "090"}, "Amount": "5.00"}, "A payment must name exactly one"),
    ):
        status, (said,) = xapi.refused("PUT", "/Payments", element)
        assert status == 400
        assert said.startswith(message)
    assert xapi.put("Payments", pay(owed, "5.00", Account={"Code": "880"}))["Amount"] == MONEY("5.00")


def test_an_unread_amount_comes_back_as_it_was_sent(xero, xapi):
    xero.judge = None
    answer = xapi.send("PUT", "/Payments", {"Account": {"Code": "090"}, "Amount": "much"})
    assert (answer.status, parse_json(answer.body)["Elements"][0]["Amount"]) == (400, "much")


@pytest.mark.parametrize(("direction", "rate"), [("document_per_base", "0.8"), ("base_per_document", "1.25")])
def test_a_euro_invoice_paid_into_a_dollar_account(xero, xapi, keeper, bluebird, direction, rate):
    xero.switches.rate_direction = direction
    made = xapi.put("Invoices", invoice(bluebird, CurrencyCode="EUR", CurrencyRate=rate))
    by_rate = xapi.put("Payments", pay(made, "40.00", CurrencyRate=rate))
    assert by_rate["BankAmount"] == MONEY("50.00")
    by_bank = xapi.put("Payments", pay(made, "60.00", BankAmount="80.00"))
    assert (by_bank["Amount"], by_bank["BankAmount"]) == (MONEY("60.00"), MONEY("80.00"))
    assert by_bank["CurrencyRate"] == MONEY("0.75" if direction == "document_per_base" else "1.3333333333")
    core = keeper.core
    assert keeper.receivable_cents() == 0
    # 60.00 EUR stood at 75.00 and brought 80.00: 5.00 gained.
    assert core.ledger.balances[core.system("REALISEDCURRENCYGAIN").id] == -5_00
    assert core.ledger.balances[keeper.bank()] == 130_00


def test_what_a_foreign_payment_cannot_be(xapi, keeper, bluebird):
    made = xapi.put("Invoices", invoice(bluebird, CurrencyCode="EUR"))
    pounds = keeper.bank_account("Pounds", "092", currency="GBP")["AccountID"]
    euros = keeper.bank_account("Euros", "091", currency="EUR")["AccountID"]
    _, (said,) = xapi.refused("PUT", "/Payments", pay(made, "5.00", Account={"AccountID": pounds}))
    assert said == "A EUR document cannot be paid into a GBP account"
    assert xapi.put("Payments", pay(made, "5.00", Account={"AccountID": euros}))["BankAmount"] == MONEY(
        "5.00"
    )
    other = pay(made, "5.00", Account={"AccountID": euros}, BankAmount="6.00")
    assert xapi.refused("PUT", "/Payments", other)[0] == 400


def test_the_last_payment_takes_what_rounding_left(xapi, keeper, bluebird):
    made = xapi.put("Invoices", invoice(bluebird, "100.00", CurrencyCode="EUR", CurrencyRate="3"))
    for amount in ("33.33", "33.33", "33.34"):
        xapi.put("Payments", pay(made, amount, CurrencyRate="3"))
    assert keeper.receivable_cents() == 0


def test_payments_move_what_is_due_and_deleting_moves_it_back(xapi, owed):
    first = xapi.put("Payments", pay(owed, "40.00"))
    assert due(xapi, owed) == (MONEY("60.00"), MONEY("40.00"), MONEY("0.00"), "AUTHORISED")
    last = xapi.put("Payments", pay(owed, "60.00", Date="2026-03-02"))
    assert due(xapi, owed) == (MONEY("0.00"), MONEY("100.00"), MONEY("0.00"), "PAID")
    assert xapi.one("Invoices", owed["InvoiceID"])["FullyPaidOnDate"] == "/Date(1772409600000+0000)/"
    gone = xapi.post("Payments", last["PaymentID"], {"Status": "DELETED"})
    assert gone["Status"] == "DELETED"
    assert due(xapi, owed) == (MONEY("60.00"), MONEY("40.00"), MONEY("0.00"), "AUTHORISED")
    assert "FullyPaidOnDate" not in xapi.one("Invoices", owed["InvoiceID"])
    assert xapi.refused("POST", f"/Payments/{last['PaymentID']}", {"Status": "DELETED"})[0] == 400
    assert xapi.refused("POST", f"/Payments/{first['PaymentID']}", {"Amount": "5.00"})[0] == 400


def batch(rows, **more):
    payments = [{"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": amount} for one, amount in rows]
    return {"Account": {"Code": "090"}, "Date": "2026-03-01", "Payments": payments, **more}


def test_a_batch_is_one_line_at_the_bank(xapi, keeper, bluebird, owed):
    other = xapi.put("Invoices", invoice(bluebird, "50.00"))
    made = xapi.put("BatchPayments", batch([(owed, "100.00"), (other, "20.00")], Reference="ACH 55"))
    assert (made["Type"], made["TotalAmount"], len(made["Payments"])) == ("RECBATCH", MONEY("120.00"), 2)
    payment = xapi.one("Payments", made["Payments"][0]["PaymentID"])
    assert (payment["BatchPaymentID"], payment["Reference"]) == (made["BatchPaymentID"], "ACH 55")
    assert xapi.refused("POST", f"/Payments/{payment['PaymentID']}", {"Status": "DELETED"})[0] == 400
    body = {"BatchPaymentID": made["BatchPaymentID"], "Status": "DELETED"}
    gone = xapi.call("POST", "/BatchPayments", body)["BatchPayments"][0]
    assert gone["Status"] == "DELETED"
    assert (due(xapi, owed)[3], due(xapi, other)[0]) == ("AUTHORISED", MONEY("50.00"))
    again = xapi.put("BatchPayments", batch([(owed, "1.00")]))
    assert xapi.post("BatchPayments", again["BatchPaymentID"], {"Status": "DELETED"})["Status"] == "DELETED"


def test_what_a_batch_cannot_be(xapi, keeper, bluebird, owed):
    euro = xapi.put("Invoices", invoice(bluebird, CurrencyCode="EUR"))
    bill = xapi.put("Invoices", invoice(bluebird, Type="ACCPAY", InvoiceNumber="B-1"))
    credit = keeper.credit_note(bluebird, "10.00")
    noted = batch([(owed, "1.00")])
    noted["Payments"].append({"CreditNote": {"CreditNoteID": credit["CreditNoteID"]}, "Amount": "1.00"})
    for element, message in (
        (
            batch([(owed, "1.00"), (euro, "1.00")]),
            "Batch payments can only be made in the organisation's base",
        ),
        (batch([(owed, "1.00"), (bill, "1.00")]), "A batch payment cannot mix sales invoices and bills"),
        (batch([(owed, "60.00"), (owed, "60.00")]), OVER_OUTSTANDING),
        (batch([(owed, "100.00"), (owed, "1.00")]), NOT_AUTHORISED),
        (noted, "Batch payments can only be made against invoices"),
        (batch([]), "A batch payment must have at least one payment"),
    ):
        status, (said,) = xapi.refused("PUT", "/BatchPayments", element)
        assert status == 400
        assert said.startswith(message)
    assert due(xapi, owed)[0] == MONEY("100.00")
    assert keeper.batch(
        [(owed["InvoiceID"], "1.00"), (euro["InvoiceID"], "1.00")]
    )  # a person may, in Xero's pages


# ---- credits -----------------------------------------------------------------------------------------------


def a_credit(xapi, keeper, contact, kind, amount="70.00", date="2026-02-10"):
    """(path, id) of a credit."""
    if kind == "CreditNotes":
        return kind, keeper.credit_note(contact, amount, date=date)["CreditNoteID"]
    act = keeper.overpayment if kind == "Overpayments" else keeper.prepayment
    return kind, act(contact, amount, date=date)[f"{kind[:-1]}ID"]


def allocate(made, amount):
    return {
        "Allocations": [{"Amount": amount, "Date": "2020-01-01", "Invoice": {"InvoiceID": made["InvoiceID"]}}]
    }


@pytest.mark.parametrize("kind", ["CreditNotes", "Overpayments", "Prepayments"])
def test_allocations(xapi, keeper, bluebird, owed, kind):
    _, credit_id = a_credit(xapi, keeper, bluebird, kind)
    path = f"/{kind}/{credit_id}/Allocations"
    assert xapi.refused("PUT", path, allocate(owed, "70.01"))[1] == [
        "The allocation amount exceeds the remaining credit"
    ]
    (made,) = xapi.call("PUT", path, allocate(owed, "30.00"))["Allocations"]
    assert (
        made["Date"] == "/Date(1770681600000+0000)/"
    )  # 10 February: the later of the two, not what was asked
    assert due(xapi, owed) == (MONEY("70.00"), MONEY("0.00"), MONEY("30.00"), "AUTHORISED")
    xapi.call("PUT", path, allocate(owed, "40.00"))
    credit = xapi.one(kind, credit_id)
    assert (credit["RemainingCredit"], credit["Status"]) == (MONEY("0.00"), "PAID")
    assert [one["Amount"] for one in credit["Allocations"]] == [MONEY("30.00"), MONEY("40.00")]
    (shown,) = xapi.one("Invoices", owed["InvoiceID"])[kind][:1]
    assert shown["AppliedAmount"] == MONEY("30.00")
    gone = xapi.call("DELETE", f"{path}/{made['AllocationID']}")
    assert gone["IsDeleted"] is True
    credit = xapi.one(kind, credit_id)
    assert (credit["RemainingCredit"], credit["Status"]) == (MONEY("30.00"), "AUTHORISED")
    assert due(xapi, owed)[:3] == (MONEY("60.00"), MONEY("0.00"), MONEY("40.00"))


def test_what_an_allocation_cannot_be(xapi, keeper, bluebird, owed):
    other = keeper.contact("Other")["ContactID"]
    elsewhere = xapi.put("Invoices", invoice(other))
    euro = xapi.put("Invoices", invoice(bluebird, CurrencyCode="EUR"))
    _, credit_id = a_credit(xapi, keeper, bluebird, "CreditNotes", "500.00")
    path = f"/CreditNotes/{credit_id}/Allocations"
    for made, amount, message in (
        (elsewhere, "1.00", "The credit can only be allocated to invoices of the same contact"),
        (euro, "1.00", "The credit can only be allocated to invoices of the same currency"),
        (owed, "100.01", "The allocation amount exceeds the amount outstanding on the invoice"),
        (owed, "0", "Amount must be greater than zero"),
    ):
        assert xapi.refused("PUT", path, allocate(made, amount)) == (400, [message])
    draft = xapi.put("CreditNotes", invoice(bluebird, Type="ACCRECCREDIT", Status="DRAFT"))
    path = f"/CreditNotes/{draft['CreditNoteID']}/Allocations"
    assert xapi.refused("PUT", path, allocate(owed, "1.00"))[0] == 400


@pytest.mark.parametrize("kind", ["Overpayment", "Prepayment"])
def test_money_received_ahead_makes_two_objects(xapi, keeper, bluebird, kind):
    element = {
        "Type": f"RECEIVE-{kind.upper()}",
        "Contact": {"ContactID": bluebird},
        "BankAccount": {"Code": "090"},
        "Date": "2026-03-01",
        "Reference": "INV-77",
        "LineItems": [line("250.00")],
        "LineAmountTypes": "NoTax",
    }
    made = xapi.put("BankTransactions", element)
    credit = xapi.one(f"{kind}s", made[f"{kind}ID"])
    assert (credit["RemainingCredit"], credit["Type"]) == (MONEY("250.00"), element["Type"])
    if kind == "Prepayment":
        assert credit["InvoiceNumber"] == "INV-77"
    assert keeper.receivable_cents() == -250_00
    path = f"/BankTransactions/{made['BankTransactionID']}"
    changed = {**element, "Reference": "X"}
    assert xapi.refused("POST", path, changed) == (400, ["This bank transaction cannot be edited"])
    keeper.void(credit[f"{kind}ID"])
    assert xapi.one("BankTransactions", made["BankTransactionID"])["Status"] == "VOIDED"
    assert keeper.receivable_cents() == 0


def test_a_plain_bank_transaction_can_be_changed_and_deleted(xapi, keeper, bluebird):
    element = {"Type": "RECEIVE", "Contact": {"ContactID": bluebird}, "BankAccount": {"Code": "090"}}
    made = xapi.put("BankTransactions", {**element, "LineItems": [line("108.25")]})
    assert (made["LineAmountTypes"], made["Total"]) == ("Inclusive", MONEY("108.25"))
    assert made["TotalTax"] == MONEY("8.25")
    changed = xapi.post(
        "BankTransactions", made["BankTransactionID"], {**element, "LineItems": [line("10.00")]}
    )
    assert changed["Total"] == MONEY("10.00")
    assert keeper.core.ledger.balances[keeper.bank()] == 10_00
    assert xapi.post(
        "BankTransactions", made["BankTransactionID"], {**element, "LineItems": [], "Status": "DELETED"}
    )
    assert keeper.core.ledger.balances[keeper.bank()] == 0


@pytest.mark.parametrize(
    ("kind", "payment_type"),
    [
        ("CreditNotes", "ARCREDITPAYMENT"),
        ("Overpayments", "AROVERPAYMENTPAYMENT"),
        ("Prepayments", "ARPREPAYMENTPAYMENT"),
    ],
)
def test_refunds_are_payments_of_credits(xapi, keeper, bluebird, kind, payment_type):
    name = kind[:-1]
    _, credit_id = a_credit(xapi, keeper, bluebird, kind)
    element = {
        name: {f"{name}ID": credit_id},
        "Account": {"Code": "090"},
        "Amount": "70.00",
        "Date": "2026-03-01",
    }
    made = xapi.put("Payments", element)
    assert made["PaymentType"] == payment_type
    credit = xapi.one(kind, credit_id)
    assert (credit["Status"], credit["RemainingCredit"]) == ("PAID", MONEY("0.00"))
    assert keeper.receivable_cents() == 0
    xapi.post("Payments", made["PaymentID"], {"Status": "DELETED"})
    assert keeper.receivable_cents() == -70_00


# ---- locks -------------------------------------------------------------------------------------------------


def test_both_lock_dates_speak_in_one_element(xapi, keeper, owed, bluebird):
    keeper.lock(period="2026-02-28", year="2026-02-28")
    _, messages = xapi.refused("PUT", "/Invoices", invoice(bluebird, Date="2026-02-28"))
    assert messages == [
        "The document date cannot be before the period lock date, currently set at 28-Feb-2026",
        "The document date cannot be before the end of year lock date, currently set at 28-Feb-2026",
    ]
    assert xapi.send("PUT", "/Invoices", invoice(bluebird, Date="2026-03-01")).status == 200
    assert xapi.refused("PUT", "/Payments", pay(owed, "1.00", Date="2026-02-28")) == (400, [LOCKED_PAYMENT])
    assert xapi.put("Payments", pay(owed, "1.00"))
    assert xapi.refused("POST", f"/Invoices/{owed['InvoiceID']}", {"Reference": "late"})[0] == 400


def test_advisers_pass_the_period_lock_but_not_the_years(xero, tenant, keeper, bluebird):
    adviser = Api(xero, tenant, adviser=True)
    keeper.lock(period="2026-02-28")
    assert adviser.send("PUT", "/Invoices", invoice(bluebird, Date="2026-02-01")).status == 200
    keeper.lock(year="2026-02-28")
    assert adviser.send("PUT", "/Invoices", invoice(bluebird, Date="2026-02-01")).status == 400
    actions = {one["Name"]: one["Status"] for one in adviser.get("/Organisation/Actions")["Actions"]}
    assert actions["ApproveTransactionsBeforePeriodLockDate"] == "ALLOWED"


def test_nothing_in_a_locked_period_is_taken_back(xapi, keeper, bluebird, owed):
    made = xapi.put("Payments", pay(owed, "10.00"))
    _, credit_id = a_credit(xapi, keeper, bluebird, "CreditNotes")
    (used,) = xapi.call("PUT", f"/CreditNotes/{credit_id}/Allocations", allocate(owed, "5.00"))["Allocations"]
    other = xapi.put("Invoices", invoice(bluebird, Date="2026-02-01"))
    keeper.lock(year="2026-03-01")
    assert xapi.refused("POST", f"/Payments/{made['PaymentID']}", {"Status": "DELETED"}) == (
        400,
        [LOCKED_PAYMENT],
    )
    assert xapi.refused("DELETE", f"/CreditNotes/{credit_id}/Allocations/{used['AllocationID']}")[0] == 400
    assert xapi.refused("POST", f"/Invoices/{other['InvoiceID']}", {"Status": "VOIDED"})[0] == 400


# ---- lines, contacts, numbers ------------------------------------------------------------------------------


def test_lines_without_their_id_are_made_anew(xapi, bluebird):
    made = xapi.put("Invoices", invoice(bluebird, LineItems=[line("10.00"), line("20.00")]))
    first, second = made["LineItems"]
    kept = {"LineItemID": first["LineItemID"], "Description": "kept"}
    changed = xapi.post("Invoices", made["InvoiceID"], {"LineItems": [kept, line("20.00")]})
    assert changed["LineItems"][0] == {**first, "Description": "kept"}
    assert changed["LineItems"][1]["LineItemID"] != second["LineItemID"]
    assert (
        xapi.post("Invoices", made["InvoiceID"], {"Reference": "no lines"})["LineItems"]
        == changed["LineItems"]
    )
    assert xapi.post("Invoices", made["InvoiceID"], {"LineItems": [kept]})["Total"] == MONEY("10.00")


def test_other_fields_of_an_invoices_contact_change_the_contact(xapi, keeper):
    person = {
        "FirstName": "Sam",
        "LastName": "Payer",
        "EmailAddress": "sam@example.com",
        "IncludeInEmails": True,
    }
    made = keeper.contact("Bluebird", ContactPersons=[person])["ContactID"]
    xapi.put("Invoices", invoice(made))
    assert xapi.one("Contacts", made)["ContactPersons"] == [person]
    xapi.put("Invoices", invoice(made, Contact={"ContactID": made, "EmailAddress": "new@example.com"}))
    shown = xapi.one("Contacts", made)
    assert (shown["EmailAddress"], shown["ContactPersons"]) == ("new@example.com", [])
    assert (
        xapi.put("Invoices", invoice(made, Contact={"Name": "Somebody New"}))["Contact"]["Name"]
        == "Somebody New"
    )


def test_contacts_are_found_and_refused_by_name(xapi, bluebird):
    _, (said,) = xapi.refused("PUT", "/Contacts", {"Name": "BLUEBIRD CAFE"})
    assert said.startswith("The contact name Bluebird Cafe is already assigned to another contact.")
    found = xapi.call("POST", "/Contacts", {"Contacts": [{"Name": "Bluebird Cafe", "AccountNumber": "A-1"}]})
    assert found["Contacts"][0]["ContactID"] == bluebird
    assert xapi.refused("PUT", "/Contacts", {"Name": "N" * 256})[0] == 400
    assert (
        xapi.refused("PUT", "/Contacts", {"Name": "P", "ContactPersons": [{"FirstName": "x"}] * 6})[0] == 400
    )
    xapi.post("Contacts", bluebird, {"ContactStatus": "ARCHIVED"})
    assert "archived" in xapi.refused("PUT", "/Invoices", invoice(bluebird))[1][0]


def test_a_name_with_every_awkward_sign(xapi):
    name = r"O'Brien \ Sons' & Co <ß> 株"
    made = xapi.put("Contacts", {"Name": name})
    assert xapi.get("/Contacts", where=f'Name=="{name}"')["Contacts"][0]["ContactID"] == made["ContactID"]


@pytest.mark.parametrize(
    ("kind", "prices", "net", "tax"),
    [
        pytest.param(
            "Exclusive", ["0.06", "0.06", "0.06"], "0.18", "0.00", id="three times half a cent down"
        ),
        pytest.param("Exclusive", ["0.07", "0.07", "0.07"], "0.21", "0.03", id="rounded a line, then added"),
        pytest.param("Exclusive", ["100.00"], "100.00", "8.25", id="exclusive"),
        pytest.param("Inclusive", ["108.25"], "100.00", "8.25", id="inclusive"),
        pytest.param("NoTax", ["100.00"], "100.00", "0.00", id="no tax"),
    ],
)
def test_tax_is_rounded_line_by_line(xapi, keeper, bluebird, kind, prices, net, tax):
    rows = [line(price, TaxType="OUTPUT") for price in prices]
    made = xapi.put("Invoices", invoice(bluebird, LineAmountTypes=kind, LineItems=rows))
    assert (made["SubTotal"], made["TotalTax"]) == (MONEY(net), MONEY(tax))
    assert made["Total"] == MONEY(net) + MONEY(tax)
    assert keeper.receivable_cents() == int(made["Total"] * 100)


def test_discounts_and_line_totals(xapi, bluebird):
    made = xapi.put("Invoices", invoice(bluebird, LineItems=[line("33.33", Quantity=3, DiscountRate=10)]))
    assert (made["Total"], made["TotalDiscount"]) == (MONEY("89.99"), MONEY("10.00"))
    wrong = invoice(bluebird, LineItems=[line("10.00", LineAmount="9.99")])
    assert xapi.refused("PUT", "/Invoices", wrong)[1] == [
        "The line total 9.99 does not match the expected line total 10.00"
    ]


def test_a_number_is_refused_on_put_and_updated_on_post(xapi, bluebird):
    made = xapi.put("Invoices", invoice(bluebird, InvoiceNumber="A-1"))
    again = invoice(bluebird, InvoiceNumber="A-1", Reference="second")
    assert xapi.refused("PUT", "/Invoices", again) == (400, ["Invoice # must be unique."])
    changed = xapi.call("POST", "/Invoices", {"Invoices": [again]})["Invoices"][0]
    assert (changed["InvoiceID"], changed["Reference"]) == (made["InvoiceID"], "second")
    other = xapi.put("Invoices", invoice(bluebird, InvoiceNumber="A-2"))
    path = f"/Invoices/{other['InvoiceID']}"
    assert xapi.refused("POST", path, {"InvoiceNumber": "A-1"}) == (400, ["Invoice # must be unique."])
    assert xapi.put("Invoices", invoice(bluebird, Type="ACCPAY", InvoiceNumber="A-1"))  # a bill may


def test_void_is_blocked_while_anything_is_applied(xapi, keeper, bluebird, owed):
    path = f"/Invoices/{owed['InvoiceID']}"
    made = xapi.put("Payments", pay(owed, "1.00"))
    assert xapi.refused("POST", path, {"Status": "VOIDED"}) == (400, [HAS_APPLIED])
    xapi.post("Payments", made["PaymentID"], {"Status": "DELETED"})
    _, credit_id = a_credit(xapi, keeper, bluebird, "CreditNotes")
    (used,) = xapi.call("PUT", f"/CreditNotes/{credit_id}/Allocations", allocate(owed, "5.00"))["Allocations"]
    assert xapi.refused("POST", path, {"Status": "VOIDED"}) == (400, [HAS_APPLIED])
    assert xapi.refused("POST", f"/CreditNotes/{credit_id}", {"Status": "VOIDED"}) == (400, [HAS_APPLIED])
    xapi.call("DELETE", f"/CreditNotes/{credit_id}/Allocations/{used['AllocationID']}")
    assert xapi.post("Invoices", owed["InvoiceID"], {"Status": "VOIDED"})["AmountDue"] == 0


# ---- history and mail --------------------------------------------------------------------------------------


def test_history_is_kept_and_notes_are_limited(xapi, owed):
    xapi.put("Payments", pay(owed, "1.00"))
    path = f"/Invoices/{owed['InvoiceID']}/History"
    found = xapi.get(path)["HistoryRecords"]
    assert [one["Changes"] for one in found] == ["Payment", "Created"]
    note = {"HistoryRecords": [{"Details": "n" * 2500}]}
    made = xapi.call("PUT", path, note)["HistoryRecords"][0]
    assert (made["User"], len(made["Details"])) == ("System Generated", 2500)
    assert xapi.refused("PUT", path, {"HistoryRecords": [{"Details": "n" * 2501}]})[0] == 400
    assert len(xapi.get(path)["HistoryRecords"]) == 3


def test_an_expected_day_is_taken_away_by_its_other_name_only(xapi, owed):
    """XeroAPI/xero-node#476: `ExpectedPaymentDate` left empty changes nothing."""
    said = xapi.post("Invoices", owed["InvoiceID"], {"ExpectedPaymentDate": "2026-12-05"})
    assert said["ExpectedPaymentDate"] == "/Date(1796428800000+0000)/"
    assert said["LineItems"] == xapi.get(f"/Invoices/{owed['InvoiceID']}")["Invoices"][0]["LineItems"]
    said = xapi.post("Invoices", owed["InvoiceID"], {"ExpectedPaymentDate": ""})
    assert "ExpectedPaymentDate" in said
    said = xapi.post("Invoices", owed["InvoiceID"], {"ExpectedPaymentDateString": ""})
    assert "ExpectedPaymentDate" not in said


def test_emails_have_a_cap_a_day(xero, xapi, owed, clock):
    xero.switches.email_cap = 2
    path = f"/Invoices/{owed['InvoiceID']}/Email"
    for _ in range(2):
        assert xapi.send("POST", path, {}).status == 204
    assert xapi.one("Invoices", owed["InvoiceID"])["SentToContact"] is True
    assert xapi.refused("POST", path, {})[0] == 400
    clock.advance(days=1)
    xapi.token = xero.grant(xapi.app, xapi.tenant_id)["access_token"]
    assert xapi.send("POST", path, {}).status == 204


def test_a_demo_organisation_sends_no_mail(xero):
    demo = xero.add_organisation("Demo Company", is_demo=True)
    api = Api(xero, demo)
    contact = demo.books.contact("C", EmailAddress="c@example.com")["ContactID"]
    made = demo.books.invoice(contact, "1.00")
    assert api.refused("POST", f"/Invoices/{made['InvoiceID']}/Email", {})[0] == 400


def test_online_invoices_and_pdf(xapi, owed, bluebird):
    found = xapi.get(f"/Invoices/{owed['InvoiceID']}/OnlineInvoice")["OnlineInvoices"]
    assert found[0]["OnlineInvoiceUrl"].startswith("https://in.xero.com/")
    answer = xapi.send("GET", f"/Invoices/{owed['InvoiceID']}", headers={"accept": "application/pdf"})
    assert (answer.content_type, answer.body[:4]) == ("application/pdf", b"%PDF")


def test_default_dates_and_terms(xero):
    """An invoice without a date is of today where the organisation is; terms give its due date."""
    nz = xero.add_organisation("Kiwi", country="NZ")
    api = Api(xero, nz)
    terms = {"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    contact = nz.books.contact("C", PaymentTerms=terms)["ContactID"]
    made = api.put("Invoices", invoice(contact))
    assert (made["DateString"], made["DueDateString"]) == ("2026-03-03T00:00:00", "2026-04-20T00:00:00")


def test_transfers_between_banks(xapi, keeper):
    keeper.bank_account("Savings", "095")
    element = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "095"}, "Amount": "20.00"}
    made = xapi.put("BankTransfers", element)
    assert keeper.core.ledger.balances[keeper.bank()] == -20_00
    gone = xapi.post("BankTransfers", made["BankTransferID"], {"Status": "DELETED"})
    assert gone["Status"] == "DELETED"
    assert xapi.get("/BankTransfers")["BankTransfers"] == []
    assert len(xapi.get("/BankTransfers", includeDeleted="true")["BankTransfers"]) == 1
    assert xapi.refused("PUT", "/BankTransfers", {**element, "ToBankAccount": {"Code": "090"}})[0] == 400
    assert xapi.refused("PUT", "/BankTransfers", {**element, "ToBankAccount": {"Code": "880"}})[0] == 400, (
        "no bank"
    )


def test_accounts_and_currencies_are_added(xapi):
    made = xapi.put("Accounts", {"Code": "091", "Name": "Euro", "Type": "BANK", "CurrencyCode": "EUR"})
    assert made["CurrencyCode"] == "EUR"
    assert xapi.refused("PUT", "/Accounts", {"Code": "091", "Name": "X", "Type": "BANK"})[1] == [
        "Please enter a unique Code."
    ]
    assert (
        xapi.call("PUT", "/Currencies", {"Code": "SEK", "Description": "Krona"})["Currencies"][0]["Code"]
        == "SEK"
    )
    assert "SEK" in [one["Code"] for one in xapi.get("/Currencies")["Currencies"]]
