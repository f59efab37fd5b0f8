"""Intents to calls: pure, exact, and never past the law."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors import exact
from arsync.connectors.contract import (
    Answer,
    ApplyCredits,
    Bundle,
    Call,
    Cannot,
    Fresh,
    PostCredit,
    PostReceipt,
    Ref,
    Settle,
)
from arsync.connectors.quickbooks import mapping, plan
from arsync.connectors.quickbooks.mapping import LedgerFacts
from arsync.core.items import Books
from arsync.core.money import Money
from arsync.errors import Broken
from tests.connectors.quickbooks.helpers import USD_BOOKS, usd

SITE = plan.Site("9130", 75)
ON = date(2026, 11, 20)
ACME = Ref("customer", "58")
EURO_BOOKS = Books("X", "USD", multicurrency=True)


def document(entity, number, left, currency=None, customer="58"):
    row = {"Id": number, "SyncToken": "0", "CustomerRef": {"value": customer}, "TotalAmt": Decimal(left)}
    row |= {"RemainingCredit" if entity == "CreditMemo" else "Balance": Decimal(left)}
    row |= {"CurrencyRef": {"value": currency}} if currency else {}
    return Ref("item", f"{entity}:{number}"), exact.text(row).encode()


def call_for(intent, raw=None, books=USD_BOOKS, generation=0, key="b-1", done=()):
    return plan.plan(Bundle(key, generation, (intent,)), Fresh(raw or {}, books), done, SITE)


@given(
    debits=st.lists(st.integers(1, 10**9), min_size=1, max_size=5),
    memos=st.lists(st.integers(1, 10**8), max_size=3),
    extra=st.integers(0, 10**8),
    repeats=st.booleans(),
)
def test_a_planned_payment_always_obeys_the_law(debits, memos, extra, repeats):
    raw, settles = {}, []
    for entity, sizes, sign in (("Invoice", debits, 1), ("CreditMemo", memos, -1)):
        for number, size in enumerate(sizes):
            ref, text = document(entity, str(number), Money(size, "USD").text())
            raw[ref] = text
            parts = (size // 2, size - size // 2) if repeats else (size,)
            settles += [Settle(ref, Money(sign * part, "USD")) for part in parts if part]
    cash = sum(debits) - sum(memos) + extra
    if cash < 0:
        return
    call = call_for(PostReceipt(ACME, ON, Money(cash, "USD"), tuple(settles)), raw)
    body = exact.read_object(call.body)
    # Read as a platform's answer, the body must be a payment whose lines add up.
    answered = body | {"Id": "9", "SyncToken": "0", "UnappliedAmt": Decimal(call.expects["UnappliedAmt"])}
    [record] = mapping.read("Payment", answered, LedgerFacts("USD"))
    assert record.value.unapplied == Money(extra, "USD")
    assert len(body["Line"]) == len(raw), "one line an item"
    assert all(one["Amount"] > 0 for one in body["Line"])
    assert str(body["TotalAmt"]) == Money(cash, "USD").text()


def test_amounts_are_numbers_of_exact_digits_not_strings_and_not_floats():
    ref, text = document("Invoice", "1", "0.30")
    call = call_for(
        PostReceipt(ACME, ON, usd("0.30"), (Settle(ref, usd("0.10")), Settle(ref, usd("0.20")))), {ref: text}
    )
    assert b'"TotalAmt":0.30,' in call.body
    assert b'"Amount":0.30,' in call.body


def test_a_thousand_lines_of_ten_cents_are_a_hundred():
    raw = dict(document("Invoice", str(n), "0.10") for n in range(1000))
    call = call_for(PostReceipt(ACME, ON, usd("100"), tuple(Settle(ref, usd("0.10")) for ref in raw)), raw)
    assert call.expects["UnappliedAmt"] == "0.00"


def test_a_key_is_the_same_for_every_attempt_and_new_for_every_generation():
    intent = PostReceipt(ACME, ON, usd("1"), ())
    first = call_for(intent)
    assert call_for(intent) == first
    others = [
        call_for(intent, generation=1),
        call_for(intent, key="b-2"),
        plan.plan(Bundle("b-1", 0, (intent,)), Fresh({}, USD_BOOKS), (), plan.Site("9131", 75)),
    ]
    assert len({first.key, *(other.key for other in others)}) == 4
    assert len(first.key) <= 36


def test_a_bundle_goes_step_by_step_and_ends():
    ref, text = document("Invoice", "1", "100")
    credit = PostCredit(ACME, ON, usd("2"), "19", None, "cash discount", ref)
    pay = PostReceipt(ACME, ON, usd("98"), (Settle(ref, usd("100")),), credits_of=(0,))
    bundle, fresh = Bundle("b-1", 0, (credit, pay)), Fresh({ref: text}, USD_BOOKS)
    first = plan.plan(bundle, fresh, (), SITE)
    assert (first.verb, first.path) == ("post_credit", "/v3/company/9130/creditmemo?minorversion=75")
    accepted = Answer(first, "accepted", Ref("item", "CreditMemo:12"))
    second = plan.plan(bundle, fresh, (accepted,), SITE)
    assert second.number == 1
    assert json.loads(second.body)["Line"][1] == {
        "Amount": 2.00,
        "LinkedTxn": [{"TxnId": "12", "TxnType": "CreditMemo"}],
    }
    assert plan.plan(bundle, fresh, (accepted, Answer(second, "accepted", None)), SITE) is None


@pytest.mark.parametrize(
    "intent",
    [
        pytest.param(PostReceipt(ACME, ON, usd("1"), (Settle(document("Invoice", "1", "9")[0], usd("9")),)),
                     id="more is settled than there is"),
        pytest.param(ApplyCredits(ACME, ON, (Settle(document("Invoice", "1", "9")[0], usd("9")),)),
                     id="credits that are not there"),
        pytest.param(PostReceipt(ACME, ON, usd("1"), (Settle(document("Invoice", "1", "9")[0], usd("-1")),)),
                     id="an invoice used as a credit"),
        pytest.param(PostReceipt(ACME, ON, usd("1"), (), credits_of=(0,)), id="a credit never posted"),
    ],
)  # fmt: skip
def test_an_intent_that_breaks_the_law_is_our_own_fault(intent):
    with pytest.raises(Broken):
        call_for(intent, dict([document("Invoice", "1", "9")]))


@pytest.mark.parametrize(
    ("amount", "customer", "item_currency", "code"),
    [
        pytest.param(Money(900, "EUR"), "EUR", "EUR", None, id="euros for euros"),
        pytest.param(
            Money(900, "USD"), "EUR", "EUR", "currency_mismatch", id="dollars from one who owes in euros"
        ),
        pytest.param(
            Money(900, "EUR"), "EUR", "USD", "currency_mismatch", id="an invoice in another currency"
        ),
        pytest.param(Money(900, "EUR"), None, "EUR", "currency_mismatch", id="a customer without a currency"),
    ],
)
def test_one_payment_has_one_currency(amount, customer, item_currency, code):
    ref, text = document("Invoice", "1", "9", item_currency)
    row = {"Id": "58"} | ({"CurrencyRef": {"value": customer}} if customer else {})
    raw = {ref: text, ACME: exact.text(row).encode()}
    got = call_for(PostReceipt(ACME, ON, amount, (Settle(ref, amount),)), raw, EURO_BOOKS)
    assert (got.code if isinstance(got, Cannot) else None) == code
    if isinstance(got, Call):
        assert json.loads(got.body)["CurrencyRef"] == {"value": "EUR"}
        assert b"ExchangeRate" not in got.body


def test_a_record_that_was_not_read_is_stale():
    ref, _ = document("Invoice", "1", "9")
    assert call_for(PostReceipt(ACME, ON, usd("9"), (Settle(ref, usd("9")),))).code == "stale"


def test_a_record_that_cannot_be_read_stops_the_plan():
    ref, _ = document("Invoice", "1", "9")
    raw = {ref: b'{"Id":"1","CustomerRef":{"value":"58"},"Balance":"nine"}'}
    assert call_for(PostReceipt(ACME, ON, usd("9"), (Settle(ref, usd("9")),)), raw).code == "stale"


def test_a_payment_cannot_be_settled_by_another_payment():
    settle = Settle(Ref("payment", "Payment:7"), usd("-1"))
    assert call_for(PostReceipt(ACME, ON, usd("9"), (settle,))).code == "unsupported"


@pytest.mark.parametrize(
    ("tax_code", "said"),
    [(None, None), ("NON", None), ("5", "TaxInclusive")],
)
def test_tax_never_comes_on_top_of_a_credit(tax_code, said):
    ref, text = document("Invoice", "1", "9")
    call = call_for(PostCredit(ACME, ON, usd("2"), "19", tax_code, "cash discount", ref), {ref: text})
    assert json.loads(call.body).get("GlobalTaxCalculation") == said
    assert (
        call_for(PostCredit(ACME, ON, usd("2"), "19", "TAX", "discount", ref), {ref: text}).code
        == "unmapped_adjustment"
    )
