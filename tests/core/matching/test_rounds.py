"""What is left undecided is judged on what is left, and the next run says the same."""

from dataclasses import replace

import pytest
from hypothesis import given

from arsync.core.decisions import Reason, Verdict
from arsync.core.items import ItemKind
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.record import Later, later_from_text, later_to_text
from arsync.core.matching.rounds import less, replay, rounds
from arsync.core.matching.snapshot import Knowledge, MatchPolicy
from tests.core.matching.build import DAY, booked, customer, find, item, receipt, snapshot
from tests.core.matching.test_laws import worlds

CAREFUL = MatchPolicy(small_difference_minor={"USD": 50})
BOLD = replace(CAREFUL, weighed=True, posts=frozenset({"short-pay", "over-pay"}))
TRUSTING = replace(BOLD, automatic=CAREFUL.automatic | {"block", "set"}, threshold=0.9)
POLICIES = pytest.mark.parametrize("policy", [CAREFUL, BOLD, TRUSTING], ids=["careful", "bold", "trusting"])


def judge(policy, mode="auto"):
    return lambda finding, money: decide(finding, money, policy, mode)


def acting(outcome):
    """The explanation of each receipt that is decided."""
    done = {Verdict.APPLY, Verdict.LINK}
    return {
        one.receipt.id: one.decision.explanation for one in outcome.judged if one.decision.verdict in done
    }


@POLICIES
@given(world=worlds())
def test_the_next_run_says_the_same(world, policy):
    outcome = rounds(world, Knowledge(), policy, judge(policy))
    decided = acting(outcome)
    left = less(world, decided)
    findings = match(left, Knowledge(), policy)
    assert [one.finding for one in outcome.judged if one.receipt.id not in decided] == list(findings)
    assert not acting(rounds(left, Knowledge(), policy, judge(policy)))


@POLICIES
@given(world=worlds())
def test_every_round_can_be_replayed(world, policy):
    outcome = rounds(world, Knowledge(), policy, judge(policy))
    for one in outcome.judged:
        findings = replay(world, Knowledge(), policy, outcome.taken[: one.round])
        assert next(f for f in findings if f.receipt_id == one.receipt.id) == one.finding


@POLICIES
@given(world=worlds())
def test_nothing_is_spent_twice_over_all_rounds(world, policy):
    left = {one.id: one.available_minor for one in world.items}
    outcome = rounds(world, Knowledge(), policy, judge(policy))
    payments = []
    for one in acting(outcome).values():
        payments += [one.booked_payment_id] if one.booked_payment_id else []
        for share in one.shares:
            assert (
                0 < share.settled_minor <= left[share.item_id]
                or left[share.item_id] <= share.settled_minor < 0
            )
            left[share.item_id] -= share.settled_minor
    assert len(payments) == len(set(payments))


def test_in_observe_and_propose_one_round_says_everything():
    world = snapshot([item(1, 1_000, "INV-20401")], receipt(1_000, "INV 20401"))
    for mode in ("observe", "propose"):
        outcome = rounds(world, Knowledge(), CAREFUL, judge(CAREFUL, mode))
        assert outcome.taken == ()
        assert outcome.judged[0].decision.reason is Reason.CONFIRMATION


def test_what_the_batch_settles_is_not_held_against_the_rest_of_it():
    """Two items of one amount, one of them named by another receipt: what is left has one answer."""
    items = [item(1, 1_000, "INV-20401"), item(2, 1_000, "INV-20402", due=9)]
    told, silent = receipt(1_000, "INV 20401", id=1), receipt(1_000, "PAYMENT", id=2)
    outcome = rounds(snapshot(items, (told, silent)), Knowledge(), CAREFUL, judge(CAREFUL))
    assert [one.decision.verdict for one in outcome.judged] == [Verdict.APPLY, Verdict.APPLY]
    assert [share.item_id for share in outcome.judged[1].decision.explanation.shares] == [2]


def test_less_takes_what_is_paid_discounted_and_given_up_but_not_what_is_disputed():
    from arsync.core.decisions import EvidenceClass, Explanation, Share

    world = snapshot(
        [item(1, 1_000), item(2, 500), item(3, -300)],
        (receipt(900, id=1), receipt(5, id=2)),
        booked=(booked(9, 40),),
    )
    shares = (Share(1, 600, 20, 30, 100), Share(2, 500), Share(3, -300))
    one = Explanation(1, shares, 100, EvidenceClass.REFERENCE, (), 0.99)
    left = less(world, {1: one})
    assert [(row.id, row.kind, row.available_minor) for row in left.items] == [
        (1, ItemKind.INVOICE, 350),
        (-1, ItemKind.PAYMENT, -100),
    ]
    assert [row.id for row in left.receipts] == [2]
    assert ([row.id for row in left.recent], left.recent_customers) == ([1], (1,))
    assert left.booked == world.booked
    linked = less(world, {2: replace(one, shares=(), booked_payment_id=9)})
    assert (linked.booked, linked.items) == ((), world.items)


def test_what_another_customer_settles_does_not_change_what_is_said_of_a_close_name():
    """A name that is only close is weighed against strangers; how many items they have open says nothing."""
    customers = (customer(1, "Kestrel Foods LLC"), customer(2, "Marlow Paper Ltd"))
    mine = item(1, 1_000, "INV-20401")
    others = [item(n, 100 + n, f"INV-3{n:04}", customer_id=2) for n in range(2, 40)]
    money = receipt(1_000, "PAYMENT", name="KESTRAL FOODS LLC", on=DAY)
    assert find([mine, *others], money, customers) == find([mine], money, customers)


def test_a_later_round_reads_back_from_its_text():
    later = Later("ab" * 32, ((1, 2), (7,)))
    assert later_from_text(later_to_text(later)) == later
