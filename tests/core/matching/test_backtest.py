"""A back-test knows of each day what was known then, and measures against what the books say now."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arsync.core.decisions import Verdict
from arsync.core.matching.backtest import History, Past, changed, quality, replayed
from arsync.core.matching.sampling import interval
from arsync.core.matching.snapshot import MatchPolicy
from arsync.reports import backtest as report
from tests.core.matching.build import DAY, POLICY, customer, item, receipt
from tests.core.matching.test_laws import worlds

MINE, THEIRS = customer(1, "Kestrel Foods LLC"), customer(2, "Marlow Paper Ltd")


def day(number):
    return DAY + timedelta(days=number)


def past(money, settled, customer_id=1, *, taught=False):
    return Past(money, customer_id, settled, taught)


def history(items, *receipts, moves=()):
    return History(1, (MINE, THEIRS), tuple(items), tuple(moves), receipts)


def verdicts(cases):
    return [case.decision.verdict.value for case in cases]


def test_what_a_later_receipt_settled_was_open_before():
    items = [item(1, 1_000, "INV-20401"), item(2, 1_000, "INV-20402", due=9)]
    first, second = receipt(1_000, "PAYMENT", id=1), receipt(1_000, "THE REST", id=2, on=day(1))
    cases = replayed(history(items, past(first, {1: 1_000}), past(second, {2: 1_000})), POLICY)
    assert verdicts(cases) == ["queue", "apply"], "two fit on the first day, one is left on the second"
    assert [case.right for case in cases] == [True, True]


def test_what_others_settled_is_gone_the_day_after():
    items = [item(1, 1_000, "INV-20401"), item(2, 1_000, "INV-20402", due=9)]
    money = past(receipt(1_000, "PAYMENT", on=day(1)), {2: 1_000})
    for when, verdict in ((0, "apply"), (1, "queue")):
        (case,) = replayed(history(items, money, moves=[(day(when), 1, 1_000)]), POLICY)
        assert case.decision.verdict.value == verdict


def test_an_item_is_not_seen_before_it_was_issued():
    late = item(1, 1_000, "INV-20401", due=60)
    (case,) = replayed(history([late], past(receipt(1_000, "INV 20401"), {1: 1_000})), POLICY)
    assert case.first is None


def test_what_a_person_taught_is_known_from_then_on_and_not_before():
    items = [item(n, 1_000 * n, f"INV-2040{n}") for n in (1, 2, 3)]
    money = [
        past(receipt(1_000 * n, "PAYMENT", name="QUILL", id=n, on=day(n)), {n: 1_000 * n}, taught=True)
        for n in (1, 2, 3)
    ]
    assert verdicts(replayed(history(items, *money), POLICY)) == ["queue", "propose", "apply"]
    silent = [Past(one.receipt, 1, one.settled, taught=False) for one in money]
    assert verdicts(replayed(history(items, *silent), POLICY)) == ["queue", "queue", "queue"]


def test_quality_stands_at_four_levels_beside_how_often_it_is_wrong():
    items = [
        item(1, 1_000, "INV-20401"),
        item(2, 3_000, "INV-20402"),
        item(3, 500, "INV-20403"),
        item(4, 7_000),
    ]
    good = past(receipt(4_000, "INV 20401 INV 20402", id=1), {1: 1_000, 2: 3_000})
    bad = past(receipt(500, "INV 20403", id=2), {4: 500})
    cases = replayed(history(items, good, bad), POLICY)
    found = quality(cases)
    assert (found.receipts, found.alone, found.wrong) == (2, 2, 1)
    assert (found.lines, found.customers) == ((3, 2), (2, 2))
    assert found.value_minor == {"USD": (4_500, 4_000)}
    assert found.wrong_rate[0] < 0.5 < found.wrong_rate[1]
    assert sum(band.number for band in found.bands) == 2
    text = "\n".join(report.lines(found, None, []))
    assert "1 of 2  50.0 %" in text
    assert "2 of 3  66.6 %" in text
    picture = report.plot(found.bands)
    assert picture.count("<circle") == len(found.bands)


def test_two_policies_differ_where_they_would_have_done_something_else():
    items = [item(1, 1_000, "INV-20401"), item(2, 500, "INV-20402")]
    told, silent = receipt(1_000, "INV 20401", id=1), receipt(500, "PAYMENT", id=2)
    past_ = history(items, past(told, {1: 1_000}), past(silent, {2: 500}))
    careful = MatchPolicy(automatic=frozenset({"reference"}))
    now, then = replayed(past_, POLICY), replayed(past_, careful)
    ((one, other),) = changed(now, then)
    assert (one.past.receipt.id, one.decision.verdict, other.decision.verdict) == (
        2,
        Verdict.APPLY,
        Verdict.PROPOSE,
    )
    assert changed(now, now) == []
    text = "\n".join(report.lines(quality(now), quality(then), [(one, other)]))
    assert "1 receipt would have been treated differently" in text


@given(worlds())
def test_every_receipt_of_the_past_is_replayed_once(world):
    told = [Past(row, 1, {}, taught=False) for row in world.receipts]
    cases = replayed(History(1, world.customers, world.items, (), tuple(told)), POLICY)
    assert sorted(case.past.receipt.id for case in cases) == sorted(row.id for row in world.receipts)


@pytest.mark.parametrize(
    ("hits", "number", "low", "high"),
    [
        (0, 0, 0, 1),
        (0, 10, 0, 0.2775),
        (10, 10, 0.7225, 1),
        (5, 10, 0.2366, 0.7634),
        (1, 100, 0.0018, 0.0545),
    ],
)
def test_the_interval_is_wilsons(hits, number, low, high):
    """Source: the closed form, worked out for these by R's `prop.test(correct = FALSE)`."""
    assert interval(hits, number) == pytest.approx((low, high), abs=0.0001)


@example(number=58, hits=58)
@example(number=58, hits=0)
@given(number=st.integers(1, 500), hits=st.integers(0, 500))
def test_the_interval_holds_the_share(number, hits):
    hits = min(hits, number)
    low, high = interval(hits, number)
    assert 0 <= low <= hits / number <= high <= 1
