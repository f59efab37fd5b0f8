"""What holds for every batch: nothing lost, nothing spent twice, no order, no guess."""

import gc
import time
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import EvidenceClass, Verdict
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.snapshot import Knowledge, MatchPolicy, Snapshot
from tests.core.matching.build import DAY, advice, booked, customer, item, receipt, snapshot

POLICY = MatchPolicy(small_difference_minor={"USD": 50})
POSTING = replace(
    POLICY,
    weighed=True,
    threshold=0.5,
    posts=frozenset({"short-pay", "over-pay", "deduction"}),
    automatic=frozenset(klass.value for klass in EvidenceClass),
)
POLICIES = pytest.mark.parametrize("policy", [POLICY, POSTING], ids=["by default", "posting differences"])
NAMES = ("Kestrel Foods LLC", "Kestrel Foods Inc", "Marlow Paper Ltd", r"O'Brien \ Sons' & Co")
AMOUNTS = st.sampled_from([1_000, 2_000, 3_000, 2_500, 5_500, 12_345, 777])


@st.composite
def worlds(draw, base=0, names=NAMES) -> Snapshot:
    """A small ledger full of coincidences: few amounts, look-alike names, credits, discounts, families."""
    rng = draw(st.randoms(use_true_random=False))
    customers = tuple(customer(base + n, name) for n, name in enumerate(names, 1))
    if draw(st.booleans()):
        customers = (*customers[:-1], customers[-1]._replace(parent_id=customers[0].id))
    items = []
    for n in range(1, draw(st.integers(1, 9)) + 1):
        amount = draw(AMOUNTS)
        credit = draw(st.integers(0, 6)) == 0
        items.append(
            item(
                base + n,
                -amount // 2 if credit else amount,
                f"INV-{base + 20_400 + n}",
                customer_id=base + draw(st.integers(1, len(names))),
                due=draw(st.integers(0, 2)),
                discount_minor=0 if credit else draw(st.sampled_from([0, 0, 20])),
                discount_until=DAY,
            )
        )
    receipts, advices = [], []
    for n in range(1, draw(st.integers(1, 6)) + 1):
        chosen = rng.sample(items, min(len(items), draw(st.integers(1, 3))))
        amount = sum(one.available_minor for one in chosen) + draw(st.sampled_from([0, 0, 0, -20, -40, 700]))
        text = draw(
            st.sampled_from(
                ["", "PAYMENT", "INV " + ", ".join(one.number or "" for one in chosen), "INV 99999"]
            )
        )
        payer = draw(st.sampled_from([*names, "QUILL", ""]))
        amounts = [amount or 1]
        if draw(st.integers(0, 3)) == 0:
            sender = draw(st.sampled_from([names[0], payer]))
            advices += [
                advice(one.number or "", one.available_minor, id=f"A{base + n}", name=sender)
                for one in chosen
            ]
            if len(chosen) > 1 and draw(st.booleans()):  # the advice is for two receipts
                first = chosen[0].available_minor
                amounts = [part for part in (first, amounts[0] - first) if part > 0]
        for place, part in enumerate(amounts):
            receipts.append(receipt(part, text, name=payer, id=base + n + 40 * place))
    payments = [booked(base + 90, draw(AMOUNTS), customer_id=base + 1)] if draw(st.booleans()) else []
    return snapshot(items, tuple(receipts), customers, remittances=tuple(advices), booked=tuple(payments))


@st.composite
def contests(draw) -> Snapshot:
    """A few items of one customer, and receipts that name some of them and pay less, all or more."""
    items = tuple(
        item(n, draw(AMOUNTS), f"INV-{20_400 + n}", due=draw(st.integers(0, 2)))
        for n in range(1, draw(st.integers(1, 3)) + 1)
    )
    receipts = []
    for n in range(1, draw(st.integers(2, 4)) + 1):
        chosen = draw(st.lists(st.sampled_from(items), min_size=1, max_size=2, unique=True))
        share = draw(st.sampled_from([30, 60, 90, 95, 100, 100, 103, 130]))
        amount = sum(one.available_minor for one in chosen) * share // 100
        text = draw(st.sampled_from(["", "INV " + ", ".join(one.number or "" for one in chosen)]))
        receipts.append(receipt(amount, text, name=NAMES[0], id=n))
    return snapshot(items, tuple(receipts), (customer(1, NAMES[0]),))


@POLICIES
@given(world=st.one_of(worlds(), contests()))
def test_no_cent_of_a_receipt_is_lost(world, policy):
    for finding, money in zip(match(world, Knowledge(), policy), world.receipts, strict=True):
        assert finding.receipt_id == money.id
        for one in finding.explanations:
            assert (
                sum(share.applied_minor for share in one.shares) + one.on_account_minor == money.amount_minor
            )


@POLICIES
@given(world=st.one_of(worlds(), contests()))
def test_amounts_are_integers_and_no_share_takes_more_than_its_item_has(world, policy):
    available = {one.id: one.available_minor for one in world.items}
    for finding in match(world, Knowledge(), policy):
        for one in finding.explanations:
            assert len({share.item_id for share in one.shares}) == len(one.shares)
            for share in one.shares:
                amounts = (
                    share.applied_minor,
                    share.discount_minor,
                    share.write_off_minor,
                    share.deduction_minor,
                )
                assert all(type(amount) is int for amount in amounts)
                left = available[share.item_id]
                assert 0 < share.settled_minor <= left or left <= share.settled_minor < 0


@POLICIES
@given(world=st.one_of(worlds(), contests()))
def test_an_item_is_spent_once_over_the_batch(world, policy):
    available = {one.id: one.available_minor for one in world.items}
    spent: Counter[int] = Counter()
    linked: Counter[int] = Counter()
    for finding, money in zip(match(world, Knowledge(), policy), world.receipts, strict=True):
        decision = decide(finding, money, policy, "auto")
        if decision.verdict is Verdict.APPLY:
            for share in decision.explanation.shares:
                spent[share.item_id] += share.settled_minor
        if decision.verdict is Verdict.LINK:
            linked[decision.explanation.booked_payment_id] += 1
    assert all(abs(minor) <= abs(available[item_id]) for item_id, minor in spent.items())
    assert all(count == 1 for count in linked.values())


@POLICIES
@given(world=st.one_of(worlds(), contests()), seed=st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(world, policy, seed):
    rng = Random(seed)

    def shuffled(rows):
        return tuple(rng.sample(rows, len(rows)))

    other = replace(
        world,
        customers=shuffled(world.customers),
        items=shuffled(world.items),
        receipts=shuffled(world.receipts),
        booked=shuffled(world.booked),
        remittances=shuffled(world.remittances),
    )
    first = {finding.receipt_id: finding for finding in match(world, Knowledge(), policy)}
    assert {finding.receipt_id: finding for finding in match(other, Knowledge(), policy)} == first


@POLICIES
@given(
    here=worlds(), there=worlds(base=500, names=("Tamarack Steel BV", "Verity Glass AG", "Umber Yachts SA"))
)
def test_a_closed_part_is_matched_like_the_whole(here, there, policy):
    """Two parts that share no customer, number or payer say nothing about each other.

    A receipt that does not say who pays may belong to anybody: it touches every part, so none is among them.
    """

    def said(world):
        return tuple(one for one in world.receipts if one.payer_name not in {"", "QUILL"})

    here = replace(here, receipts=said(here))
    there = replace(there, receipts=said(there), remittances=(), booked=())
    both = replace(
        here,
        customers=here.customers + there.customers,
        items=here.items + there.items,
        receipts=here.receipts + there.receipts,
    )
    parts = (*match(here, Knowledge(), policy), *match(there, Knowledge(), policy))
    assert match(both, Knowledge(), policy) == parts


@given(worlds())
def test_a_second_item_that_fits_as_well_is_never_ignored(world):
    """Wherever one item is applied on its amount, another of the same amount and another date stops it."""
    findings = match(world, Knowledge(), POLICY)
    for finding, money in zip(findings, world.receipts, strict=True):
        decision = decide(finding, money, POLICY, "auto")
        if decision.verdict is not Verdict.APPLY or decision.explanation.klass.value not in {
            "one item",
            "balance",
        }:
            continue
        owner = decision.explanation.customer_id
        rival = item(9_999, money.amount_minor, "INV-88888", customer_id=owner, due=40)
        again = match(replace(world, items=(*world.items, rival)), Knowledge(), POLICY)
        second = decide(next(f for f in again if f.receipt_id == money.id), money, POLICY, "auto")
        assert second.verdict is not Verdict.APPLY or 9_999 not in {
            share.item_id for share in second.explanation.shares
        }
        assert second.verdict is not Verdict.APPLY or money.texts


@given(worlds())
def test_a_bare_sum_and_a_bare_amount_are_never_applied(world):
    silent = replace(
        world,
        remittances=(),
        booked=(),
        receipts=tuple(one._replace(texts=()) for one in world.receipts),
    )
    for finding, money in zip(match(silent, Knowledge(), POLICY), silent.receipts, strict=True):
        decision = decide(finding, money, POLICY, "auto")
        if decision.verdict is Verdict.APPLY:
            assert money.payer_name not in {"QUILL", ""}
            assert decision.explanation.klass.value in {"one item", "balance"}


@pytest.mark.slow
def test_ten_thousand_items_and_two_thousand_receipts_take_no_more_than_linear_time():
    """Twice the ledger may take at most three times as long."""
    from bench.matching import world as ledger

    small, large = ledger(5_000, 1_000, 100), ledger(10_000, 2_000, 200)

    def seconds(one):
        began = time.thread_time()
        match(one, Knowledge(), MatchPolicy())
        return time.thread_time() - began

    # By turns, and with what the tests before this one left out of the collector's way.
    gc.freeze()
    try:
        times = [(seconds(small), seconds(large)) for _ in range(6)]
    finally:
        gc.unfreeze()
    assert min(of_large for _, of_large in times) < 3 * min(of_small for of_small, _ in times)
