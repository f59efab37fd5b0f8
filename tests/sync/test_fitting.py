"""What is asked, in steps that one document each can do: the same effect, to the minor unit."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.contract import (
    ApplyCredits,
    ApplyPayment,
    PostCredit,
    PostEntry,
    PostReceipt,
    Ref,
    Settle,
)
from arsync.connectors.quickbooks import QuickBooksConnector
from arsync.connectors.xero import XeroConnector
from arsync.core.money import Money
from arsync.errors import Broken
from arsync.sync.fitting import fit

ON, WHO = date(2026, 11, 20), Ref("customer", "c")
PAIRS, WHOLE = XeroConnector.manifest.writes, QuickBooksConnector.manifest.writes


def usd(minor):
    return Money(minor, "USD")


def item(name, minor):
    return Settle(Ref("payment" if name.startswith("Payment") else "item", name), usd(minor))


def receipt(minor, *settles, credits_of=(), **more):
    return PostReceipt(WHO, ON, usd(minor), settles, credits_of, "wire", "bank", **more)


def given_up(minor, name):
    return PostCredit(WHO, ON, usd(minor), "400", None, "cash discount", Ref("item", name))


def test_a_platform_whose_documents_do_it_all_gets_what_was_asked():
    wanted = (given_up(5, "Invoice:1"), receipt(95, item("Invoice:1", 100), credits_of=(0,)))
    assert fit(wanted, WHOLE, "USD") == wanted


def test_a_discount_meets_its_own_item_and_the_cash_settles_the_rest():
    wanted = (
        given_up(5, "Invoice:2"),
        receipt(145, item("Invoice:1", 50), item("Invoice:2", 100), credits_of=(0,)),
    )
    discount, allocation, cash = fit(wanted, PAIRS, "USD")
    assert discount == wanted[0]
    assert allocation == ApplyCredits(WHO, ON, (item("Invoice:2", 5),), (0,))
    assert cash == receipt(145, item("Invoice:1", 50), item("Invoice:2", 95))


def test_each_pair_of_credit_and_item_is_a_step_and_a_payment_on_account_is_used_by_itself():
    wanted = (
        receipt(
            60,
            item("Invoice:1", 50),
            item("Invoice:2", 50),
            item("CreditNote:9", -30),
            item("Payment:Overpayment:8", -10),
        ),
    )
    assert fit(wanted, PAIRS, "USD") == (
        ApplyCredits(WHO, ON, (item("Invoice:1", 30), item("CreditNote:9", -30))),
        ApplyPayment(Ref("payment", "Payment:Overpayment:8"), (item("Invoice:1", 10),)),
        receipt(60, item("Invoice:1", 10), item("Invoice:2", 50)),
    )


def test_several_items_in_a_foreign_currency_are_paid_one_by_one_and_the_banks_amount_is_split_exactly():
    wanted = (receipt(300, item("Invoice:1", 100), item("Invoice:2", 200), banked=Money(1000, "NZD")),)
    one, two = fit(wanted, PAIRS, "NZD")
    assert (one.total, one.settles, one.banked) == (usd(100), (item("Invoice:1", 100),), Money(333, "NZD"))
    assert (two.total, two.settles, two.banked) == (usd(200), (item("Invoice:2", 200),), Money(667, "NZD"))


def test_where_a_payment_cannot_move_a_return_is_its_entry_alone():
    entry = PostEntry(WHO, ON, usd(100), "receivable", "bank", "returned payment", "NSF")
    wanted = (
        entry,
        ApplyPayment(Ref("payment", "Payment:1"), (), entries_of=(0,), frees=(item("Invoice:1", 100),)),
    )
    assert fit(wanted, PAIRS, "USD") == (entry,)
    assert fit(wanted, WHOLE, "USD") == wanted


def test_credits_beyond_what_they_settle_are_refused():
    with pytest.raises(Broken, match="more than what it is to settle"):
        fit((receipt(1, item("Invoice:1", 10), item("CreditNote:9", -30)),), PAIRS, "USD")


def effect(intents):
    """Per item what it loses, and the cash."""
    loses, cash = Counter(), 0
    for intent in intents:
        for settle in getattr(intent, "settles", ()):
            loses[settle.item] += settle.amount.minor
        if isinstance(intent, ApplyPayment):
            loses[intent.payment] -= sum(settle.amount.minor for settle in intent.settles)
        if isinstance(intent, PostReceipt):
            cash += intent.total.minor
    return {ref: minor for ref, minor in loses.items() if minor}, cash


@given(
    debits=st.lists(st.integers(1, 10_000), min_size=1, max_size=6),
    shares=st.lists(st.integers(1, 5_000), max_size=5),
    rest=st.sampled_from([0, 0, 1, 777]),
    home=st.sampled_from(["USD", "EUR"]),
)
def test_fitted_intents_amount_to_what_was_asked(debits, shares, rest, home):
    credits_used = []
    left = sum(debits) - 1
    for number, share in enumerate(shares):
        used = min(share, left)
        if used > 0:
            name = f"CreditNote:{number}" if number % 2 else f"Payment:Overpayment:{number}"
            credits_used.append(item(name, -used))
            left -= used
    owed = [item(f"Invoice:{number}", minor) for number, minor in enumerate(debits)]
    cash = sum(debits) + sum(one.amount.minor for one in credits_used) + rest
    wanted = (receipt(cash, *owed, *credits_used),)
    fitted = fit(wanted, PAIRS, home)
    assert effect(fitted) == effect(wanted)
    for intent in fitted:
        if isinstance(intent, ApplyCredits):
            assert len(intent.settles) == 2


def test_a_law_that_is_not_kept_is_seen():
    wanted = (receipt(100, item("Invoice:1", 100)),)
    assert effect(wanted) != effect((replace(wanted[0], total=usd(99)),))


def test_home_money_owed_that_arrived_abroad_is_asked_for_item_by_item_with_its_share():
    arrived = Money(100_00, "EUR")
    wanted = (receipt(110_00, item("Invoice:1", 60_00), item("Invoice:2", 50_00), banked=arrived),)
    made = fit(wanted, PAIRS, "USD")
    assert [(one.total, len(one.settles)) for one in made] == [(usd(60_00), 1), (usd(50_00), 1)]
    assert sum(one.banked.minor for one in made) == arrived.minor
    assert fit(wanted, WHOLE, "USD") == wanted
