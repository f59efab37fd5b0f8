"""Money in another currency than the items: what was sent is known, or a person looks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import EvidenceClass, Reason, Verdict
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.exchange import bands
from arsync.core.matching.rounds import less, rounds
from arsync.core.matching.snapshot import Knowledge, MatchPolicy
from arsync.core.rates import Rate, Rates
from tests.core.matching.build import (
    DAY,
    advice,
    customer,
    decided,
    find,
    item,
    receipt,
    said,
    shares,
    snapshot,
)
from tests.core.matching.test_rounds import acting, judge, kept_of, small_crowds  # noqa: F401 - a fixture for all

POLICY = MatchPolicy(
    automatic=MatchPolicy().automatic | {"block", "set", "exchange"}, exchange_days=0, exchange_better_bp=0
)
RATES = (Rate(DAY, "EUR", "USD", Decimal("1.10")),)


def euro(id_, amount, number=None, **more):
    return item(id_, amount, number, currency="EUR", **more)


def look(items, money, policy=POLICY, rates=RATES, **more):
    return decided(items, money, policy=policy, rates=rates, **more)


# 1,000.00 EUR are worth 1,100.00 USD; 1.2 % less are 1,086.80, and a fee of 45.00 less 1,041.80


@pytest.mark.parametrize(
    ("amount", "applied"),
    [
        pytest.param(1_100_00, True, id="its worth"),
        pytest.param(1_086_80, True, id="less the whole spread"),
        pytest.param(1_086_79, False, id="a cent less: a fee, or paid short"),
        pytest.param(1_041_80, False, id="less spread and fee"),
        pytest.param(1_100_01, False, id="a cent more than its worth"),
    ],
)
def test_a_named_item_is_settled_in_full_by_what_may_be_its_worth(amount, applied):
    found = look([euro(1, 1_000_00, "INV-20401")], receipt(amount, "INV 20401"))
    assert (found.verdict is Verdict.APPLY) == applied
    if applied:
        assert shares(found) == {1: 1_000_00}
        assert (found.explanation.klass, found.explanation.currency) == (EvidenceClass.EXCHANGE, "EUR")
        assert "at the rate of 2026-03-02" in found.explanation.evidence[0].text
    else:
        assert found.reason is Reason.CURRENCY_MISMATCH


def test_where_only_a_fee_explains_it_a_person_sees_the_item_suggested():
    found = look([euro(1, 1_000_00, "INV-20401")], receipt(1_050_00, "INV 20401"))
    assert (found.verdict, shares(found)) == (Verdict.QUEUE, {1: 1_000_00})
    assert "fee-or-short" in said(found.explanation)


def test_what_the_text_states_was_sent_may_have_lost_a_fee():
    found = look([euro(1, 1_000_00, "INV-20401")], receipt(1_050_00, "INV 20401 ORIG EUR 1,000.00"))
    assert (found.verdict, shares(found)) == (Verdict.APPLY, {1: 1_000_00})


@pytest.mark.parametrize(
    "text",
    ["EUR 900.00 FOR 20401", "20401 EUR900,00", "INV 20401 ORIG EUR 900.00", "INV 20401 AMT 900.00"],
)
def test_less_than_the_item_is_stated_and_so_it_is_only_suggested(text):
    found = look([euro(1, 1_000_00, "INV-20401")], receipt(985_00, text))
    assert found.verdict is Verdict.QUEUE
    assert shares(found) in ({1: 900_00}, {})


def test_an_amount_that_cannot_have_been_sent_says_nothing():
    found = look([euro(1, 1_000_00, "INV-20401")], receipt(1_095_00, "INV 20401 ORIG EUR 5,000.00"))
    assert (found.verdict, shares(found)) == (Verdict.APPLY, {1: 1_000_00})


def test_an_advice_says_what_was_sent():
    told = (
        replace(advice("20401", 1_000_00), currency="EUR"),
        replace(advice("20402", 300_00), currency="EUR"),
    )
    items = [euro(1, 1_000_00, "INV-20401"), euro(2, 300_00, "INV-20402"), euro(3, 1_310_00, "INV-20777")]
    rows = tuple(replace(row, total_minor=1_300_00) for row in told)
    found = look(items[:2], receipt(1_420_00), remittances=rows)
    assert (found.verdict, shares(found)) == (Verdict.APPLY, {1: 1_000_00, 2: 300_00})
    other = look(items, receipt(1_420_00), remittances=rows)
    assert other.verdict is not Verdict.APPLY, "the third is worth the same, and the text names nothing"


@pytest.mark.parametrize(
    ("items", "amount", "applied"),
    [
        pytest.param([euro(1, 1_000_00)], 1_095_00, True, id="the only item"),
        pytest.param([euro(1, 1_000_00), euro(2, 400_00, due=5)], 1_535_00, True, id="the balance"),
        pytest.param(
            [euro(1, 1_000_00), euro(2, 400_00, due=5), euro(3, 3_000_00, due=9)], 1_535_00, True, id="a run"
        ),
        pytest.param(
            [euro(1, 1_000_00), euro(2, 3_000_00, due=5), euro(3, 400_00, due=9)],
            1_535_00,
            False,
            id="a bare sum of some",
        ),
        pytest.param(
            [euro(1, 1_000_00), euro(2, 1_003_00, due=5)], 1_095_00, False, id="two that are worth about it"
        ),
        pytest.param(
            [euro(1, 1_000_00), euro(2, 985_00, due=5)], 1_095_00, False, id="another just beside the band"
        ),
        pytest.param(
            [euro(1, 1_000_00), euro(2, 12_00, due=5)], 1_108_00, False, id="a small one that hardly shows"
        ),
        pytest.param([euro(1, 1_000_00), item(2, 1_095_00)], 1_095_00, False, id="home money explains it"),
    ],
)
def test_unnamed_items_of_a_known_payer_only_where_nothing_else_comes_near(items, amount, applied):
    found = look(items, receipt(amount))
    assert (found.verdict is Verdict.APPLY and found.explanation.currency == "EUR") == applied


def test_nobody_whose_name_is_only_close():
    found = look([euro(1, 1_000_00)], receipt(1_095_00, name="KESTRAL FODS"))
    assert found.verdict is not Verdict.APPLY


@pytest.mark.parametrize("text", ["INV 20401 ETC", "INV 20401 20999", "INV 20401 +MORE"])
def test_a_list_that_goes_on_or_names_what_nobody_owes_is_not_applied(text):
    found = look(
        [euro(1, 1_000_00, "INV-20401"), euro(2, 40_000_00, "INV-20407", due=3)], receipt(1_095_00, text)
    )
    assert found.verdict is not Verdict.APPLY


def test_a_discount_on_the_day_is_another_answer():
    granted = euro(1, 1_000_00, "INV-20401", discount_minor=10_00, discount_until=DAY)
    assert look([granted], receipt(1_089_00, "INV 20401")).verdict is Verdict.QUEUE
    told = look([granted], receipt(1_085_00, "INV 20401 ORIG EUR 990.00"))
    assert (told.verdict, told.explanation.shares[0].discount_minor) == (Verdict.APPLY, 10_00)


def test_more_may_be_hidden_in_a_large_amount_and_then_a_person_confirms():
    large = [euro(1, 90_000_00, "INV-20401")]
    found = look(large, receipt(98_500_00, "INV 20401"))
    assert (found.verdict, found.reason) == (Verdict.PROPOSE, Reason.CONFIRMATION)
    bold = replace(POLICY, exchange_unseen_hundredths=2_000_00)
    assert look(large, receipt(98_500_00, "INV 20401"), bold).verdict is Verdict.APPLY


def test_without_the_class_in_the_policy_it_is_proposed():
    careful = replace(POLICY, automatic=MatchPolicy().automatic)
    found = look([euro(1, 1_000_00, "INV-20401")], receipt(1_095_00, "INV 20401"), careful)
    assert (found.verdict, found.reason) == (Verdict.PROPOSE, Reason.CONFIRMATION)


@pytest.mark.parametrize(
    "rates", [(), (RATES[0]._replace(on=DAY - timedelta(days=6)),)], ids=["none", "too old"]
)
def test_without_a_rate_the_queue_says_which_is_missing(rates):
    found = find([euro(1, 1_000_00, "INV-20401")], receipt(1_095_00, "INV 20401"), policy=POLICY, rates=rates)
    assert found.reason is Reason.CURRENCY_MISMATCH
    assert any("no rate of EUR for 2026-03-02" in one.why for one in found.rejected)


def test_the_same_money_twice_is_not_applied_twice():
    items = [euro(1, 1_000_00), euro(2, 1_000_00, due=1)]
    money = receipt(1_095_00, "OUR PAYMENT 7", id=2)
    before = receipt(1_095_00, "OUR PAYMENT 7", id=1, on=DAY - timedelta(days=1))
    found = look(items, money, recent=(before,), recent_customers=(1,))
    assert found.reason is Reason.POSSIBLE_DUPLICATE


def test_two_receipts_that_want_the_same_item_both_wait():
    money = (receipt(1_095_00, "INV 20401", id=1), receipt(1_094_00, "INV 20401 X", id=2))
    found = match(snapshot([euro(1, 1_000_00, "INV-20401")], money, rates=RATES), Knowledge(), POLICY)
    assert not any(one.unique and one.reason is None for one in found)


def test_a_bank_may_book_it_three_business_days_late():
    monday, friday = (
        receipt(1_210_00, "INV 20401"),
        Rate(DAY - timedelta(days=3), "EUR", "USD", Decimal("1.21")),
    )
    both = (*RATES, friday)
    late = replace(POLICY, exchange_days=1, exchange_unseen_hundredths=900_00)
    assert look([euro(1, 1_000_00, "INV-20401")], monday, late, both).verdict is Verdict.APPLY
    assert look([euro(1, 1_000_00, "INV-20401")], monday, POLICY, both).verdict is Verdict.QUEUE


def test_yen_have_no_cents():
    rates = (Rate(DAY, "USD", "JPY", Decimal("150.25")),)
    found = look([item(1, 100_000, "INV-20401", currency="JPY")], receipt(665_00, "INV 20401"), rates=rates)
    assert (found.verdict, shares(found), found.explanation.currency) == (Verdict.APPLY, {1: 100_000}, "JPY")


AMOUNTS = st.integers(1, 400).map(lambda tens: tens * 10_00)


@given(
    sent=AMOUNTS,
    spread=st.integers(0, 120),
    fee=st.integers(0, 45_00),
    value=st.decimals("0.2", "5", places=4),
)
def test_whatever_the_bank_may_have_kept_what_was_sent_is_within_the_band(sent, spread, fee, value):
    arrived = round(sent * value * (10_000 - spread) / 10_000) - fee
    if arrived > 0:
        band = bands(Rates((Rate(DAY, "EUR", "USD", value),)), receipt(arrived), "EUR", POLICY)
        assert sent in band
        assert band.twice().low_minor < band.low_minor <= band.high_minor < band.twice().high_minor


@st.composite
def worlds(draw):
    """Two customers who owe in euro and dollars, and money in dollars that is mostly worth some of it."""
    items = [
        item(
            n,
            draw(AMOUNTS),
            f"INV-{20_400 + draw(st.sampled_from([n, n, n, 1]))}",
            draw(st.sampled_from([1, 1, 2])),
            draw(st.integers(0, 6)),
            currency=draw(st.sampled_from(["EUR", "EUR", "EUR", "USD"])),
        )
        for n in range(1, 1 + draw(st.integers(0, 5)))
    ]
    money = []
    for n in range(1, 1 + draw(st.integers(1, 4))):
        name, owner = draw(
            st.sampled_from([("KESTREL FOODS LLC", 1), ("MARLOW PAPER LTD", 2), ("KESTREL FOD", 1)])
        )
        mine = [row for row in items if row.customer_id == owner]
        some = draw(st.lists(st.sampled_from(mine), max_size=2, unique_by=lambda row: row.id)) if mine else []
        sent = sum(row.available_minor for row in some) or draw(AMOUNTS)
        amount = round(sent * Decimal("1.10") * (10_000 - draw(st.integers(0, 130))) / 10_000)
        quoted = " ".join(row.number[4:] for row in some) if draw(st.booleans()) else ""
        stated = f" ORIG EUR {sent // 100}.{sent % 100:02d}" if draw(st.integers(0, 2)) == 0 else ""
        on = DAY + timedelta(days=draw(st.integers(0, 2)))
        money.append(receipt(amount, f"INV {quoted}{stated}", name, id=n, on=on))
    told = ()
    if items and draw(st.booleans()):
        some = draw(st.lists(st.sampled_from(items), min_size=1, max_size=3, unique_by=lambda row: row.id))
        total = sum(row.available_minor for row in some)
        told = tuple(
            replace(advice(row.number, row.available_minor, total=total), currency="EUR") for row in some
        )
    people = (customer(1), customer(2, "Marlow Paper Ltd", parent_id=draw(st.sampled_from([None, None, 1]))))
    return snapshot(
        items, money, people, remittances=told, rates=draw(published()), as_of=DAY + timedelta(days=2)
    )


def published():
    """Mostly the rate of the day before and the days themselves; now and then none, or another."""
    values = st.sampled_from(["1.10", "1.10", "1.10", "1.1004", "1.25"])
    rates = st.tuples(st.integers(-6, 2), values).map(
        lambda pair: Rate(DAY + timedelta(days=pair[0]), "EUR", "USD", Decimal(pair[1]))
    )
    usual = (Rate(DAY - timedelta(days=1), "EUR", "USD", Decimal("1.10")),)
    some = st.lists(rates, max_size=2, unique_by=lambda rate: rate.on).map(tuple)
    return st.one_of(some, some.map(lambda more: usual + tuple(r for r in more if r.on >= DAY)))


TRUSTING = replace(POLICY, weighed=True, threshold=0.9, exchange_days=2, exchange_unseen_hundredths=1_000_00)
WAITING = replace(TRUSTING, wait_days=2, posts=frozenset({"short-pay", "over-pay"}))
POLICIES = pytest.mark.parametrize(
    "policy", [POLICY, TRUSTING, WAITING], ids=["careful", "trusting", "waiting"]
)


@POLICIES
@given(world=worlds())
def test_what_is_applied_settles_items_in_full_and_each_once(world, policy):
    open_minor = {row.id: row.available_minor for row in world.items}
    currencies = {row.id: row.currency for row in world.items}
    spent = set()
    for row, finding in zip(world.receipts, match(world, Knowledge(), policy), strict=True):
        done = decide(finding, row, policy, "auto")
        if done.verdict is not Verdict.APPLY or done.explanation.currency is None:
            continue
        for share in done.explanation.shares:
            assert currencies[share.item_id] == done.explanation.currency != row.currency
            assert share.settled_minor == open_minor[share.item_id]
            assert share.item_id not in spent
            spent.add(share.item_id)
        assert done.explanation.on_account_minor == 0


@POLICIES
@given(world=worlds(), seed=st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_same_findings(world, seed, policy):
    parts = {}
    for name in ("items", "receipts", "rates", "remittances"):
        rows = list(getattr(world, name))
        seed.shuffle(rows)
        parts[name] = tuple(rows)
    one = {f.receipt_id: f for f in match(world, Knowledge(), policy)}
    other = {f.receipt_id: f for f in match(replace(world, **parts), Knowledge(), policy)}
    assert one == other


@POLICIES
@given(world=worlds())
def test_the_next_run_says_the_same(world, policy):
    outcome = rounds(world, Knowledge(), policy, judge(policy))
    gone = acting(outcome)
    left = less(world, gone)
    findings = match(left, Knowledge(), policy)
    assert [one.finding for one in outcome.judged if one.receipt.id not in gone] == list(findings)


@POLICIES
@pytest.mark.parametrize("mode", ["propose", "auto"])
@given(data=st.data())
def test_after_new_rates_or_items_matching_what_is_touched_gives_what_matching_everything_would(
    data, mode, policy
):
    world = data.draw(worlds())
    first = rounds(world, Knowledge(), policy, judge(policy, mode))
    later = less(world, acting(first))
    if data.draw(st.booleans()):
        later = replace(later, rates=data.draw(published()))
    if data.draw(st.booleans()):
        later = replace(later, items=(*later.items, euro(99, data.draw(AMOUNTS), "INV-20409")))
    if later.items and data.draw(st.booleans()):
        later = replace(later, items=later.items[1:])
    whole = rounds(later, Knowledge(), policy, judge(policy, mode))
    again = rounds(later, Knowledge(), policy, judge(policy, mode), kept_of(first))
    assert [(one.receipt, one.finding, one.decision) for one in again.judged] == [
        (one.receipt, one.finding, one.decision) for one in whole.judged
    ]


def test_a_late_rate_touches_the_receipt_abroad_and_no_other():
    people = (customer(1), customer(2, "Marlow Paper Ltd"))
    items = [euro(1, 1_000_00, "INV-20401"), item(2, 2_000_00, "INV-30402", 2)]
    money = (receipt(1_095_00, "INV 20401", id=1), receipt(500_00, "PAYMENT", name="MARLOW PAPER LTD", id=2))
    first = rounds(snapshot(items, money, people), Knowledge(), POLICY, judge(POLICY))
    assert not acting(first)
    later = snapshot(items, money, people, rates=RATES)
    again = rounds(later, Knowledge(), POLICY, judge(POLICY), kept_of(first))
    assert [one.round is not None for one in again.judged] == [True, False]
    assert list(acting(again)) == [1]
