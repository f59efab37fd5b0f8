"""What is left undecided is judged on what is left, and the next run says the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import Reason, Verdict
from arsync.core.items import ItemKind
from arsync.core.matching import reach, record
from arsync.core.matching.again import Seen
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.rounds import Before, less, rounds
from arsync.core.matching.snapshot import Alias, Knowledge, MatchPolicy
from tests.core.matching.build import DAY, advice, booked, customer, find, item, receipt, snapshot
from tests.core.matching.test_laws import AMOUNTS, NAMES, POSTING, contests, worlds

CAREFUL = MatchPolicy(small_difference_minor={"USD": 50})
BOLD = replace(CAREFUL, weighed=True, posts=frozenset({"short-pay", "over-pay"}))
TRUSTING = replace(BOLD, automatic=CAREFUL.automatic | {"block", "set"}, threshold=0.9)
WAITING = replace(CAREFUL, wait_days=2)
POLICIES = pytest.mark.parametrize(
    "policy",
    [CAREFUL, BOLD, TRUSTING, POSTING, WAITING],
    ids=["careful", "bold", "trusting", "posting", "waiting"],
)


@pytest.fixture(autouse=True)
def small_crowds():
    """In small worlds few are many."""
    usual, reach.CROWD = reach.CROWD, 2
    yield
    reach.CROWD = usual


def judge(policy, mode="auto"):
    return lambda finding, money: decide(finding, money, policy, mode)


def acting(outcome):
    """The explanation of each receipt that is decided."""
    done = {Verdict.APPLY, Verdict.LINK}
    return {
        one.receipt.id: one.decision.explanation for one in outcome.judged if one.decision.verdict in done
    }


@POLICIES
@given(world=st.one_of(worlds(), contests()))
def test_the_next_run_says_the_same(world, policy):
    outcome = rounds(world, Knowledge(), policy, judge(policy))
    decided = acting(outcome)
    left = less(world, decided)
    findings = match(left, Knowledge(), policy)
    assert [one.finding for one in outcome.judged if one.receipt.id not in decided] == list(findings)
    assert not acting(rounds(left, Knowledge(), policy, judge(policy)))


@POLICIES
@given(world=st.one_of(worlds(), contests()))
def test_what_a_round_was_given_gives_its_findings_again(world, policy):
    outcome = rounds(world, Knowledge(), policy, judge(policy))
    for one in outcome.judged:
        findings = match(outcome.given[one.round], Knowledge(), policy)
        assert next(f for f in findings if f.receipt_id == one.receipt.id) == one.finding


def _an_item(draw, items, receipts, number):
    amount = draw(st.sampled_from([1, -1])) * draw(AMOUNTS)
    items.append(item(number, amount, f"INV-{20_400 + draw(st.integers(1, 12))}", draw(st.integers(1, 4))))


def _an_item_less(draw, items, receipts, number):
    place = draw(st.integers(0, len(items))) - 1
    if place >= 0 and draw(st.booleans()):
        items[place] = items[place]._replace(available_minor=items[place].available_minor // 2 or 1)
    elif place >= 0:
        items.pop(place)


def _a_receipt(draw, items, receipts, number):
    text, name = draw(st.sampled_from(["", "INV 20401"])), draw(st.sampled_from(NAMES))
    receipts.append(receipt(draw(AMOUNTS), text, name, id=number))


def _a_receipt_less(draw, items, receipts, number):
    place = draw(st.integers(0, len(receipts))) - 1
    if place >= 0 and draw(st.booleans()):
        receipts[place] = receipts[place]._replace(texts=("INV 20402",))
    elif place >= 0:
        receipts.pop(place)


@st.composite
def changes(draw, world):
    """The same ledger a little later: something came, something went, something is another."""
    items, receipts = list(world.items), list(world.receipts)
    booked, aliases = list(world.booked), []
    for number in range(400, 400 + draw(st.integers(0, 3))):
        draw(st.sampled_from([_an_item, _an_item_less, _a_receipt, _a_receipt_less]))(
            draw, items, receipts, number
        )
    if draw(st.integers(0, 4)) == 0:
        booked.append(payment(draw))
    if draw(st.integers(0, 6)) == 0:
        aliases.append(
            Alias("QUILL", 1, draw(st.integers(1, 2)), DAY + timedelta(days=draw(st.integers(0, 2))))
        )
    later = replace(world, items=tuple(items), receipts=tuple(receipts), booked=tuple(booked))
    later = replace(later, as_of=world.as_of + timedelta(days=draw(st.integers(0, 3))))
    return later, Knowledge(tuple(aliases))


def payment(draw):
    return booked(99, draw(AMOUNTS), customer_id=draw(st.integers(1, 4)))


def kept_of(outcome):
    """What a store keeps of a match: what it saw, and the findings that stand in the queue."""
    done = acting(outcome)
    queued = [one for one in outcome.judged if one.receipt.id not in done]
    return Before(outcome.seen, {one.receipt.id: one.finding for one in queued})


@POLICIES
@pytest.mark.parametrize("mode", ["propose", "auto"])
@given(data=st.data())
def test_matching_what_changed_gives_what_matching_everything_would(data, mode, policy):
    world = data.draw(st.one_of(worlds(), contests()))
    first = rounds(world, Knowledge(), policy, judge(policy, mode))
    base = less(world, acting(first))
    later, knowledge = data.draw(changes(base))
    whole = rounds(later, knowledge, policy, judge(policy, mode))
    again = rounds(later, knowledge, policy, judge(policy, mode), kept_of(first))
    assert [(one.receipt, one.finding, one.decision) for one in again.judged] == [
        (one.receipt, one.finding, one.decision) for one in whole.judged
    ]
    for one in again.judged:
        if one.round is not None:
            findings = match(again.given[one.round], knowledge, policy)
            assert next(f for f in findings if f.receipt_id == one.receipt.id) == one.finding


@POLICIES
@given(world=st.one_of(worlds(), contests()))
def test_when_nothing_changed_nothing_is_matched(world, policy):
    first = rounds(world, Knowledge(), policy, judge(policy, "propose"))
    again = rounds(world, Knowledge(), policy, judge(policy, "propose"), kept_of(first))
    assert again.given == () or acting(first)
    assert again.seen == first.seen


def test_a_change_is_matched_with_what_it_touches_and_nothing_else():
    customers = (customer(1, "Kestrel Foods LLC"), customer(2, "Marlow Paper Ltd"))
    items = [item(1, 1_000, "INV-20401"), item(2, 2_000, "INV-30402", customer_id=2)]
    money = (receipt(1_500, "PAYMENT", id=1), receipt(2_500, "PAYMENT", name="MARLOW PAPER LTD", id=2))
    first = rounds(snapshot(items, money, customers), Knowledge(), CAREFUL, judge(CAREFUL))
    credit = item(3, 500, "INV-20403", due=9)
    again = rounds(
        snapshot([*items, credit], money, customers), Knowledge(), CAREFUL, judge(CAREFUL), kept_of(first)
    )
    (given_,) = again.given
    assert ([row.id for row in given_.receipts], [row.id for row in given_.items]) == ([1], [1, 3])
    assert [one.round for one in again.judged] == [0, None]


def test_a_receipt_whose_advice_another_one_completes_is_matched_again():
    """Nobody knows the sender; the two receipts have nothing in common but the advice that both are part of."""
    items = [item(1, 1_000, "INV-20401"), item(2, 2_500, "INV-20402", customer_id=2, due=9)]
    customers = (customer(1), customer(2, "Marlow Paper Ltd"))
    told = (advice("INV-20401", 1_000, name="QUILL"), advice("INV-20402", 2_500, name="QUILL"))
    parts = (receipt(1_000, "", name="QUILL", id=1), receipt(2_500, "", name="QUILL", id=2))
    first = rounds(
        snapshot(items, parts[:1], customers, remittances=told), Knowledge(), CAREFUL, judge(CAREFUL)
    )
    both = snapshot(items, parts, customers, remittances=told)
    again = rounds(both, Knowledge(), CAREFUL, judge(CAREFUL), kept_of(first))
    whole = rounds(both, Knowledge(), CAREFUL, judge(CAREFUL))
    assert [one.finding for one in again.judged] == [one.finding for one in whole.judged]
    assert first.judged[0].finding != again.judged[0].finding


def test_a_receipt_hears_of_a_second_item_with_the_number_that_its_advice_names():
    customers = (customer(1), customer(2, "Marlow Paper Ltd"), customer(3, "Verity Glass AG"))
    items = [item(1, 1_000, "INV-20401"), item(2, -500, "INV-20402", due=9)]
    told = tuple(advice(n, minor, name="QUILL") for n, minor in (("INV-20401", 1_000), ("INV-20402", -500)))
    money = receipt(500, "", name="QUILL", id=1)
    first = rounds(
        snapshot(items, money, customers, remittances=told), Knowledge(), BOLD, judge(BOLD, "propose")
    )
    again_ = snapshot(
        [*items, item(3, 1_000, "INV-20401", customer_id=2)], money, customers, remittances=told
    )
    later = rounds(again_, Knowledge(), BOLD, judge(BOLD, "propose"), kept_of(first))
    assert [one.finding for one in later.judged] == list(match(again_, Knowledge(), BOLD))
    assert later.judged[0].finding != first.judged[0].finding


def test_a_stranger_hears_of_it_when_of_a_crowd_few_are_left():
    """Three of four items of one amount are settled by a receipt of another; then the fourth may be a stranger's."""
    customers = (customer(1), *(customer(n, f"Marlow Paper {n}") for n in range(2, 6)))
    items = [item(n, 1_000, f"INV-2040{n}", customer_id=1 if n < 4 else n, due=n) for n in range(1, 5)]
    told = receipt(3_000, "INV 20401 20402 20403", id=1)
    stranger = receipt(1_000, "", name="QUILL", id=2)
    outcome = rounds(snapshot(items, (told, stranger), customers), Knowledge(), CAREFUL, judge(CAREFUL))
    one = outcome.judged[1].finding
    assert [[share.item_id for share in found.shares] for found in one.explanations] == [[4]]
    left = less(snapshot(items, (told, stranger), customers), acting(outcome))
    assert [one] == list(match(left, Knowledge(), CAREFUL))


def test_a_stranger_hears_of_what_a_short_payment_leaves_open():
    """Nobody owed that amount before; what is left of another customer's item is it."""
    items = [item(1, 1_000_37, "INV-20417"), item(2, 3_000_11, "INV-31002", due=9)]
    short, stranger = receipt(900_00, "INV 20417", id=1), receipt(100_37, "", name="QUILL", id=2)
    world = snapshot(items, (short, stranger))
    outcome = rounds(world, Knowledge(), BOLD, judge(BOLD))
    (finding,) = match(less(world, acting(outcome)), Knowledge(), BOLD)
    assert [share.item_id for share in finding.explanations[0].shares] == [1]
    assert outcome.judged[1].finding == finding


def test_what_may_now_be_done_by_itself_gets_evidence_of_today():
    world = snapshot([item(1, 1_000, "INV-20401")], receipt(1_000, "INV 20401"))
    first = rounds(world, Knowledge(), CAREFUL, judge(CAREFUL, "propose"))
    again = rounds(world, Knowledge(), CAREFUL, judge(CAREFUL, "auto"), kept_of(first))
    assert [(one.decision.verdict, one.round) for one in again.judged] == [(Verdict.APPLY, 0)]


@given(st.one_of(worlds(), contests()))
def test_what_was_seen_reads_back_from_its_text(world):
    seen = rounds(world, Knowledge(), CAREFUL, judge(CAREFUL)).seen
    assert record.decode(record.compact(seen), Seen) == seen


@POLICIES
@given(world=st.one_of(worlds(), contests()))
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
        assert len(outcome.given) == 1
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
