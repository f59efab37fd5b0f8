"""JSON feeds: Berlin Group, Plaid, Ponto, Qonto, PayPal; each sample follows the provider's documentation."""

import json
from dataclasses import replace
from datetime import date

import pytest

from arsync.connectors.bank.bankprofile import GENERIC
from arsync.connectors.bank.mapping import read_file
from arsync.core.bank import Correction
from arsync.core.money import Money
from arsync.errors import FileRefused, UnsafeFile, UnsupportedFormat


def read_json(value, profile=GENERIC):
    return read_file(json.dumps(value).encode(), profile).statements


def berlin(*booked, pending=(), **more):
    return {
        "account": {"iban": "DE89370400440532013000"},
        "transactions": {"booked": booked, "pending": pending},
        **more,
    }


def berlin_line(amount="45.00", **more):
    return {
        "transactionId": "T1",
        "bookingDate": "2026-01-15",
        "valueDate": "2026-01-16",
        "transactionAmount": {"amount": amount, "currency": "EUR"},
        "debtorName": "Ada Ltd",
        "debtorAccount": {"iban": "DE75512108001245126199"},
        "creditorName": "Us",
        "endToEndId": "E-1",
        "remittanceInformationUnstructured": "Invoice 1001",
        **more,
    }


def test_berlin_group_lines_are_signed_and_name_the_other_side():
    (read,) = read_json(
        berlin(berlin_line(), berlin_line("-7.10", transactionId="T2", creditorName="Landlord"))
    )
    assert read.account.key == "iban:DE89370400440532013000"
    first, second = read.lines
    assert (first.amount, first.payer_name, first.payer_account) == (
        Money(4500, "EUR"),
        "Ada Ltd",
        "DE75512108001245126199",
    )
    assert (first.booking_date, first.value_date, first.end_to_end_id) == (
        date(2026, 1, 15),
        date(2026, 1, 16),
        "E-1",
    )
    assert (second.amount.minor, second.payer_name) == (-710, "Landlord")


def test_pending_lines_are_left_out_and_named():
    (read,) = read_json(berlin(berlin_line(), pending=[berlin_line("9.00")]))
    assert ([line.amount.minor for line in read.lines], "pending-not-read" in read.warnings) == ([4500], True)


@pytest.mark.parametrize("value", [" ", "", None, "NOTPROVIDED", "0000"])
def test_an_id_that_says_nothing_is_not_trusted(value):
    (read,) = read_json(berlin(berlin_line(transactionId=value)))
    assert read.lines[0].provider_id_trust == "C"


def test_text_in_an_array_and_a_structured_reference():
    given = berlin_line(
        remittanceInformationUnstructuredArray=["Invoice 10", "01"],
        remittanceInformationStructured="RF18539007547034",
    )
    (read,) = read_json(berlin(given))
    assert read.lines[0].creditor_reference == "RF18539007547034"
    assert read.lines[0].text.startswith("Invoice 10 01")
    assert read.lines[0].text_joined.startswith("Invoice 1001")


@pytest.mark.parametrize("amount", ["NaN", "1,5", "", "1e999", "1.005", "Infinity", None])
def test_an_unreadable_amount_is_a_problem_and_the_others_stay(amount):
    (read,) = read_json(berlin(berlin_line(amount), berlin_line(transactionId="T2")))
    assert (len(read.lines), len(read.problems), read.proven) == (1, 1, "unproven")


def plaid(amount=5.4, **more):
    return {
        "account_id": "A1",
        "transaction_id": "P1",
        "amount": amount,
        "iso_currency_code": "USD",
        "date": "2026-01-15",
        "name": "ADA LTD INVOICE 1001",
        "pending": False,
        **more,
    }


@pytest.mark.parametrize(
    "wrap", [lambda t: t, lambda t: {"transactions": t}, lambda t: {"added": t}], ids=["list", "get", "sync"]
)
def test_plaid_counts_money_out_as_positive_and_we_do_not(wrap):
    (read,) = read_json(wrap([plaid(5.4), plaid(-500, transaction_id="P2")]))
    assert [(line.amount.minor, line.provider_id_trust) for line in read.lines] == [
        (-540, "A"),
        (50_000, "A"),
    ]


def test_a_float_keeps_the_digits_it_is_written_with():
    (read,) = read_file(json.dumps([plaid(1)]).replace(": 1,", ": 0.1,").encode()).statements
    assert read.lines[0].amount.minor == -10


def test_pending_plaid_transactions_are_never_lines():
    (read,) = read_json([plaid(pending=True), plaid(transaction_id="P2", pending_transaction_id="P1")])
    assert [line.provider_id for line in read.lines] == ["P2"]
    assert read.lines[0].raw_codes["pending_transaction_id"] == "P1"


def test_what_plaid_modified_corrects_and_what_it_removed_is_named():
    (read,) = read_json({"added": [], "modified": [plaid()], "removed": [{"transaction_id": "P9"}]})
    assert read.lines[0].corrects == Correction("P1", "REPLACE")
    assert read.removed == ("P9",)


def test_values_one_after_the_other_are_one_file():
    data = (json.dumps([plaid()]) + "\n" + json.dumps(plaid(transaction_id="P2"))).encode()
    assert len(read_file(data).statements[0].lines) == 2


def test_ponto_lines():
    said = {
        "amount": 4.25,
        "currency": "EUR",
        "executionDate": "2026-01-15T22:00:00.000Z",
        "valueDate": "2026-01-16T00:00:00Z",
        "counterpartName": "Ada",
        "counterpartReference": "BE10325927501996",
        "remittanceInformation": "090933755493",
        "remittanceInformationType": "structured",
    }
    record = {
        "type": "transaction",
        "id": "X1",
        "attributes": said,
        "relationships": {"account": {"data": {"id": "acc"}}},
    }
    (read,) = read_json({"data": [record]})
    (line,) = read.lines
    assert (line.amount.minor, line.booking_date, line.creditor_reference) == (
        425,
        date(2026, 1, 15),
        "090933755493",
    )
    assert line.payer_account == "BE10325927501996"


@pytest.mark.parametrize(("side", "minor"), [("credit", 12_000), ("debit", -12_000), ("sideways", None)])
def test_qonto_lines_take_their_sign_from_the_side(side, minor):
    record = {
        "transaction_id": "q",
        "amount_cents": 12000,
        "currency": "EUR",
        "side": side,
        "settled_at": "2026-01-15T07:00:00Z",
        "status": "completed",
        "label": "ADA",
        "reference": "INV-1",
    }
    (read,) = read_json({"transactions": [record, {**record, "status": "pending"}]})
    assert [line.amount.minor for line in read.lines] == ([minor] if minor else [])
    assert [problem.code for problem in read.problems] == ([] if minor else ["sign-unreadable"])


def paypal(value="1000.00", fee="-100.00", **more):
    info = {
        "transaction_id": "PP1",
        "transaction_event_code": "T0006",
        "transaction_initiation_date": "2026-01-15T04:03:52+0000",
        "transaction_amount": {"currency_code": "USD", "value": value},
        "transaction_status": "S",
        "invoice_id": "INV-1",
        **more,
    }
    if fee:
        info["fee_amount"] = {"currency_code": "USD", "value": fee}
    payer = {"email_address": "ada@example.com", "payer_name": {"alternate_full_name": "Ada Ltd"}}
    return {"transaction_info": info, "payer_info": payer}


def test_a_paypal_line_is_what_the_balance_moved_by_with_amount_and_fee_as_its_parts():
    (read,) = read_json({"transaction_details": [paypal()], "account_number": "4711"})
    (line,) = read.lines
    assert (line.amount.minor, [(part.amount.minor, part.code_family) for part in line.parts]) == (
        90_000,
        [(100_000, "wallet"), (-10_000, "fee")],
    )
    assert (line.payer_name, line.payer_account, read.account.identifier) == (
        "Ada Ltd",
        "ada@example.com",
        "4711",
    )


@pytest.mark.parametrize("status", ["P", "D"])
def test_paypal_lines_that_are_not_booked_are_left_out(status):
    (read,) = read_json({"transaction_details": [paypal(transaction_status=status)]})
    assert (read.lines, "pending-not-read" in read.warnings) == ((), True)


def test_a_paypal_fee_of_another_currency_is_a_problem():
    given = paypal()
    given["transaction_info"]["fee_amount"]["currency_code"] = "EUR"
    (read,) = read_json({"transaction_details": [given]})
    assert (read.lines, len(read.problems)) == ((), 1)


@pytest.mark.parametrize("text", ["{", '{"a": NaN}', '{"a" 1}', "[1, 2"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(FileRefused):
        read_file(text.encode() if text.startswith("{") else b'["' + text.encode())


def test_deep_nesting_is_refused():
    with pytest.raises(UnsafeFile):
        read_file(b'{"a": ' + b"[" * 100_000)


def test_json_of_nobody_we_know_is_refused_by_name():
    with pytest.raises(UnsupportedFormat, match="JSON of a provider"):
        read_json({"balances": []})


def test_an_account_of_the_profile_stands_for_one_the_feed_does_not_name():
    (read,) = read_json([plaid()], replace(GENERIC, account="DE89370400440532013000"))
    assert read.account.key == "iban:DE89370400440532013000"
