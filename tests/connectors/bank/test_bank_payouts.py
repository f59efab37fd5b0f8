"""Payout reports: what one bank line is made of. Samples follow each provider's API documentation."""

import json
from dataclasses import replace

import pytest

from arsync.connectors.bank.bankprofile import GENERIC, parse_profile, shipped_profile
from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money


def read_one(value, profile=GENERIC):
    (read,) = read_file(json.dumps(value).encode(), profile).statements
    return read


def stripe(kind, amount, fee=0, *, category=None, source="ch_1", **more):
    return {
        "object": "balance_transaction",
        "id": f"txn_{kind}_{amount}",
        "type": kind,
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": "usd",
        "created": 1768435200,
        "available_on": 1768608000,
        "description": "INV-1",
        "reporting_category": category or kind,
        "source": source,
        **more,
    }


def test_charges_refunds_disputes_and_fees_come_to_the_payout():
    read = read_one(
        {
            "object": "list",
            "data": [
                stripe("payout", -17_910, source="po_1"),
                stripe("charge", 10_000, 320),
                stripe("charge", 12_000, 270),
                stripe("refund", -3_000, category="refund"),
                stripe("adjustment", -500, category="dispute"),
            ],
        }
    )
    assert (read.standing, read.total, read.reference, read.proven) == (
        "detail",
        Money(17_910, "USD"),
        "po_1",
        "proven",
    )
    assert [(line.amount.minor, line.code_family, line.is_return) for line in read.lines] == [
        (10_000, "card", False),
        (-320, "fee", False),
        (12_000, "card", False),
        (-270, "fee", False),
        (-3_000, "refund", False),
        (-500, "chargeback", True),
    ]


def test_a_payout_may_be_negative_and_what_its_items_leave_open_is_shown():
    read = read_one(
        {"data": [stripe("payout", 700, source="po_1"), stripe("refund", -1_000), stripe("charge", 200)]}
    )
    assert (read.total, read.proven, read.difference) == (Money(-700, "USD"), "unproven", Money(100, "USD"))


def test_a_list_without_a_payout_names_no_total():
    read = read_one({"data": [stripe("charge", 100)]})
    assert (read.total, read.proven) == (None, "no balances")


def test_yen_are_whole_and_icelandic_crowns_come_in_hundredths():
    def one(currency, amount):
        return read_one({"data": [stripe("charge", amount, currency=currency)]})

    assert one("jpy", 500).lines[0].amount == Money(500, "JPY")
    assert one("isk", 50_000).lines[0].amount == Money(500, "ISK")
    assert one("isk", 50_001).problems[0].code == "amount-unreadable"


def gocardless(*items, amount="5871", **more):
    payout = {
        "id": "PO1",
        "amount": amount,
        "currency": "GBP",
        "arrival_date": "2026-01-15",
        "reference": "ACME-7",
        **more,
    }
    return {"payouts": payout, "payout_items": items}


def item(kind, amount, payment="PM1"):
    return {"type": kind, "amount": amount, "links": {"payment": payment}}


def test_gocardless_fees_hold_tenths_and_their_sum_is_whole():
    read = read_one(
        gocardless(
            item("payment_paid_out", "6000.0"),
            item("gocardless_fee", "-60.5"),
            item("gocardless_fee", "-19.5"),
            item("payment_failed", "-49.0", "PM0"),
        )
    )
    assert [(line.amount.minor, line.code_family) for line in read.lines] == [
        (6000, "direct_debit_in"),
        (-49, "return"),
        (-80, "fee"),
    ]
    assert (read.total, read.proven, read.reference) == (Money(5871, "GBP"), "proven", "ACME-7")
    assert read.lines[1].original_reference == "PM0"


@pytest.mark.parametrize("kind", ["gocardless_fee", "payment_paid_out"])
def test_tenths_that_do_not_come_to_a_penny_are_a_problem(kind):
    read = read_one(gocardless(item(kind, "-60.5"), item("payment_paid_out", "100.0")))
    assert (read.proven, [problem.code for problem in read.problems]) == ("unproven", ["amount-unreadable"])


@pytest.mark.parametrize("amount", ["9" * 5000, "\u00b2", "--5", "9" * 19])
@pytest.mark.parametrize("service", ["Stripe", "GoCardless"])
def test_a_number_longer_than_any_amount_is_a_problem(amount, service):
    odd, usual = {**stripe("charge", 0), "amount": amount}, stripe("charge", 100)
    of = {
        "Stripe": {"data": [odd, usual]},
        "GoCardless": gocardless(item("payment_paid_out", amount), item("payment_paid_out", "100.0")),
    }
    read = read_one(of[service])
    assert [line.amount.minor for line in read.lines] == [100]
    assert [problem.code for problem in read.problems] == ["amount-unreadable"]


def test_square_entries():
    def money(minor):
        return {"amount": minor, "currency_code": "USD"}

    entries = [
        {
            "id": "e1",
            "payout_id": "po_9",
            "effective_at": "2026-01-15T10:00:00Z",
            "type": "CHARGE",
            "gross_amount_money": money(5000),
            "fee_amount_money": money(160),
            "net_amount_money": money(4840),
            "type_charge_details": {"payment_id": "pay_1"},
        },
        {
            "id": "e2",
            "payout_id": "po_9",
            "effective_at": "2026-01-15T10:00:00Z",
            "type": "REFUND",
            "gross_amount_money": money(-1000),
            "fee_amount_money": money(0),
        },
    ]
    read = read_one({"payout": {"id": "po_9", "amount_money": money(3840)}, "payout_entries": entries})
    assert [(line.amount.minor, line.code_family) for line in read.lines] == [
        (5000, "card"),
        (-160, "fee"),
        (-1000, "refund"),
    ]
    assert (read.total, read.proven, read.reference) == (Money(3840, "USD"), "proven", "po_9")


CSV = (
    "automatic_payout_id,balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category,description\n"
    "po_1,txn_1,2026-01-13 10:00:00,2026-01-15,usd,100.00,3.20,96.80,charge,INV-1\n"
    "po_1,txn_2,2026-01-13 11:00:00,2026-01-15,usd,-20.00,0.00,-20.00,refund,INV-0\n"
    "po_2,txn_3,2026-01-14 11:00:00,2026-01-16,usd,50.00,1.75,48.25,charge,INV-2\n"
)


def test_a_report_of_payouts_as_a_table_is_one_breakdown_a_payout():
    first, second = read_file(CSV.encode(), shipped_profile("stripe-payouts")).statements
    assert [
        (s.standing, s.reference, sum(line.amount.minor for line in s.lines)) for s in (first, second)
    ] == [
        ("detail", "po_1", 7_680),
        ("detail", "po_2", 4_825),
    ]
    assert [line.code_family for line in first.lines] == ["card", "fee", "refund"]


ADVICE = """
name = "advice"
currency = "EUR"
grade = "known sender"
amounts = { decimal_mark = "," }
[csv]
kind = "advice"
delimiter = ";"
header = ["Payment", "Date", "Document", "Gross", "Discount", "Paid", "Note", "Total"]
date_formats = ["%d.%m.%Y"]
[csv.columns]
payment = "Payment"
booking_date = "Date"
reference = "Document"
gross = "Gross"
discount = "Discount"
paid = "Paid"
note = "Note"
total = "Total"
"""
ROWS = (
    "Payment;Date;Document;Gross;Discount;Paid;Note;Total\n"
    "P1;15.01.2026;INV-1;62,00;2,00;60,00;;100,00\n"
    "P1;15.01.2026;INV-2;40,00;;40,00;short;\n"
)


def test_an_advice_as_a_table_is_one_remittance_a_payment():
    profile = parse_profile(ADVICE, where="advice")
    (advice,) = read_file((ROWS + "P2;15.01.2026;INV-3;;;5,00;;\n").encode(), profile).remittances[:1]
    assert [(one.reference, one.paid.minor, one.gross.minor, one.note) for one in advice.lines] == [
        ("INV-1", 6000, 6200, ""),
        ("INV-2", 4000, 4000, "short"),
    ]
    assert (advice.total, advice.grade, advice.reference, advice.problems) == (
        Money(100_00, "EUR"),
        "known sender",
        "P1",
        (),
    )


def test_an_advice_of_nobody_vouched_for_is_of_unknown_grade():
    profile = replace(parse_profile(ADVICE, where="advice"), grade="unknown")
    assert read_file(ROWS.encode(), profile).remittances[0].grade == "unknown"


def test_an_advice_that_does_not_come_to_its_total_says_so():
    profile = parse_profile(ADVICE, where="advice")
    (advice,) = read_file(ROWS.replace("100,00", "101,00").encode(), profile).remittances
    assert [problem.code for problem in advice.problems] == ["remittance-does-not-add-up"]
