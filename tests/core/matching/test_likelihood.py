"""How payers pay: a set's weight, and what becomes of several sets where policy lets them be weighed."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import EvidenceClass, Reason, Verdict
from arsync.core.matching.likelihood import USUAL, elsewhere, timely, unseen, weight
from arsync.core.matching.months import months_named
from tests.core.matching.build import (
    DAY,
    POLICY,
    advice,
    customer,
    decided,
    find,
    item,
    receipt,
    said,
    shares,
)

WEIGHED = replace(
    POLICY,
    automatic=POLICY.automatic | {"block", "set"},
    weighed=True,
    posts=frozenset({"short-pay", "over-pay", "deduction"}),
)


@given(st.integers(1, 12), st.data())
def test_the_ways_of_paying_share_at_most_everything(count, data):
    """All sets of a customer's items together are no more than all payments."""
    dues = data.draw(st.lists(st.integers(1, 4), min_size=count, max_size=count).map(sorted))
    total = sum(
        weight(count, [place for place in range(count) if bits >> place & 1], dues, Counter(dues), 0, 0)
        for bits in range(1, 2**count)
    )
    assert 0 < total <= 1.1


@pytest.mark.parametrize(
    ("likelier", "less"),
    [
        pytest.param([0, 1, 2], [1, 2, 3], id="the oldest rather than a later run"),
        pytest.param([1, 2, 3], [1, 3, 5], id="a run rather than some"),
        pytest.param([1, 3], [0, 2, 4, 5], id="two of some rather than four"),
        pytest.param([4], [1, 3], id="one rather than two of some"),
    ],
)
def test_what_payers_do_more_often_weighs_more(likelier, less):
    dues = [10, 20, 30, 40, 50, 60]
    on_date = Counter(dues)
    assert weight(6, likelier, dues, on_date, 0, 0) > 2 * weight(6, less, dues, on_date, 0, 0)


def test_a_round_amount_is_rather_something_else():
    assert elsewhere(10_000_00) > 20 * elsewhere(9_999_00) > 20 * elsewhere(9_999_37)


def test_prices_that_are_all_multiples_of_one_amount_are_met_by_chance():
    assert elsewhere(5_675_00, (2_125_00, 1_425_00, 2_500_00)) > 5 * elsewhere(5_675_00)
    assert elsewhere(5_675_00, (2_125_37, 1_425_00, 2_500_00)) == elsewhere(5_675_00)


def test_equal_amounts_leave_more_unseen():
    various = [100_01 + 7 * n for n in range(40)]
    assert unseen(1_200_00, [100_00] * 40, 4) > 1_000 * unseen(1_200_00, various, 4)
    assert unseen(1_200_50, [100_00] * 40, 4) == 0


def test_what_a_search_looked_at_is_not_unseen():
    """Of all sets of some items, one in four has more than four."""
    amounts = [100_01 + 7 * n for n in range(40)]
    assert unseen(1_200_00, amounts, 4) * 4 == unseen(1_200_00, amounts, 1)


def test_of_who_pays_some_items_by_habit_more_is_unseen():
    amounts, some = [100_01 + 7 * n for n in range(40)], USUAL._replace(some=0.5)
    assert unseen(1_200_00, amounts, 4, some) > 10 * unseen(1_200_00, amounts, 4)


SEVERAL = (
    item(1, 310_11, due=-9),
    item(2, 250_22, due=-8),
    item(3, 140_33, due=-7),
    item(4, 60_11, due=-5),
    item(5, 171_37, due=-2),
    item(6, 330_44, due=5),  # 1+2+3 = 700.66 = 1+4+6
    item(7, 61_19, due=9),
)


class TestSeveralSets:
    def test_by_default_two_answers_are_no_answer(self):
        decision = decided(SEVERAL, receipt(700_66), policy=replace(WEIGHED, weighed=False))
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.SEVERAL_SETS)

    def test_a_run_that_fits_outweighs_a_bare_sum(self):
        decision = decided(SEVERAL, receipt(700_66), policy=WEIGHED)
        assert shares(decision) == {1: 310_11, 2: 250_22, 3: 140_33}
        assert (decision.verdict, decision.explanation.klass) == (Verdict.APPLY, EvidenceClass.BLOCK)
        assert "other-sets" in said(decision.explanation)

    def test_two_equal_items_of_different_months_never_outweigh_each_other(self):
        decision = decided((item(1, 99_37, due=-30), item(2, 99_37)), receipt(99_37), policy=WEIGHED)
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.SEVERAL_SETS)

    def test_the_month_in_the_text_tells_them_apart(self):
        items = (item(1, 99_37, due=-30), item(2, 99_37))
        decision = decided(items, receipt(99_37, "RENT MARCH 2026"), policy=WEIGHED)
        assert (decision.verdict, shares(decision)) == (Verdict.APPLY, {2: 99_37})

    def test_a_month_that_is_not_theirs_is_an_obstacle(self):
        decision = decided((item(1, 99_37, due=-90),), receipt(99_37, "RENT MARCH 2026"), policy=WEIGHED)
        assert decision.verdict is not Verdict.APPLY
        assert "other-month" in said(decision.explanation)

    def test_the_probabilities_of_all_that_fit_are_at_most_one(self):
        finding = find(SEVERAL, receipt(700_66), policy=WEIGHED)
        assert sum(one.probability for one in finding.explanations) <= 1

    @pytest.mark.parametrize("count", [300, 10_000])
    def test_thousands_of_equal_items_are_answered_and_left_to_a_person(self, count):
        items = tuple(item(n, 100_00, due=n % 30) for n in range(1, count + 1))
        decision = decided(items, receipt(700_00), policy=WEIGHED)
        assert decision.verdict is Verdict.QUEUE

    @pytest.mark.parametrize(
        ("prices", "dates"),
        [
            pytest.param(1, 365, id="one rent, due on every day of a year"),
            pytest.param(7, 365, id="seven rents"),
            pytest.param(1, 9_999, id="each due on a day of its own"),
        ],
    )
    def test_ten_thousand_rents_are_answered_in_bounded_time(self, prices, dates):
        import time

        items = tuple(item(n, 100_00 + n % prices * 1_00, due=n % dates - dates) for n in range(1, 10_001))
        began = time.process_time()
        decision = decided(items, receipt(1_200_00), policy=WEIGHED)
        assert decision.verdict is not Verdict.APPLY
        assert time.process_time() - began < 10


class TestPayersThatMayBeSeveral:
    def test_a_close_name_and_an_odd_amount_that_fits_only_it(self):
        customers = (customer(1, "Kestrel Foods LLC"), customer(2, "Kestrel Foodes LLC"))
        items = (item(1, 4_813_37), item(2, 9_950_11, customer_id=2))
        decision = decided(items, receipt(4_813_37, name="KESTREL FOODZ"), customers, policy=WEIGHED)
        assert (decision.verdict, shares(decision)) == (Verdict.APPLY, {1: 4_813_37})

    def test_the_same_amount_at_both_is_a_persons_to_decide(self):
        customers = (customer(1, "Kestrel Foods LLC"), customer(2, "Kestrel Foodes LLC"))
        items = (item(1, 4_813_37), item(2, 4_813_37, customer_id=2))
        decision = decided(items, receipt(4_813_37, name="KESTREL FOODZ"), customers, policy=WEIGHED)
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.SEVERAL_CUSTOMERS)

    @pytest.mark.parametrize("name", ["Co & Sons O'Brien", "OBRI SONS CO", "OBRN SNS"])
    def test_words_turned_round_or_cut_short_are_a_candidate(self, name):
        customers = (customer(1, "O'Brien \\ Sons' & Co"), customer(2, "Tamarack Glass Ltd"))
        finding = find(
            (item(1, 4_813_37), item(2, 77_31, customer_id=2)), receipt(4_813_37, name=name), customers
        )
        assert [one.customer_id for one in finding.explanations] == [1]
        assert "payer-close" in said(finding.explanations[0])


class TestDifferences:
    ITEMS = (item(1, 1_000_37, "INV-20417"), item(2, 3_000_11, "INV-31002", due=9))

    @pytest.mark.parametrize(
        ("amount", "text", "applied", "left_over"),
        [
            pytest.param(900_00, "INV 20417", {1: 900_00}, 0, id="a short payment stays open on its item"),
            pytest.param(1_004_37, "INV 20417", {1: 1_000_37}, 4_00, id="what is over stays on account"),
        ],
    )
    def test_they_are_posted_where_policy_says_so(self, amount, text, applied, left_over):
        decision = decided(self.ITEMS, receipt(amount, text), policy=WEIGHED)
        assert (decision.verdict, shares(decision)) == (Verdict.APPLY, applied)
        assert decision.explanation.on_account_minor == left_over
        assert decided(self.ITEMS, receipt(amount, text)).verdict is Verdict.PROPOSE

    @pytest.mark.parametrize(
        ("amount", "text", "more"),
        [
            pytest.param(1_200_37, "INV 20417", (), id="another item may be what is over"),
            pytest.param(900_00, "INV 20417, 77", (), id="the list of numbers goes on"),
            pytest.param(900_00, "INV 20417 +MORE", (), id="the text says there is more"),
            pytest.param(900_00, "INV 20417,", (), id="the text breaks off inside its list"),
            pytest.param(900_00, "INV 20417 &", (), id="the text breaks off where another would follow"),
            pytest.param(
                900_00, "INV 20417", (item(3, 890_00, "INV-20471"),), id="one slip away stands another"
            ),
            pytest.param(900_00, "INV 20417", (item(3, -60_00, "CM-9"),), id="an open credit may explain it"),
        ],
    )
    def test_not_where_something_else_may_explain_them(self, amount, text, more):
        assert (
            decided((*self.ITEMS, *more), receipt(amount, text), policy=WEIGHED).verdict is not Verdict.APPLY
        )

    def test_a_short_payment_waits_for_an_advice_that_may_say_why(self):
        policy = replace(WEIGHED, wait_days=2)
        assert decided(self.ITEMS, receipt(900_00, "INV 20417"), policy=policy).verdict is Verdict.WAIT

    def test_a_second_payment_is_a_possible_duplicate_before_it_is_short(self):
        seen = receipt(900_00, "INV 20417", id=9, on=date(2026, 2, 27))
        more = {"recent": (seen,), "recent_customers": (1,)}
        decision = decided(self.ITEMS, receipt(900_00, "INV 20417"), policy=WEIGHED, **more)
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.POSSIBLE_DUPLICATE)

    def test_money_in_advance_of_a_payer_known_by_name(self):
        decision = decided((), receipt(5_000_00, "PREPAYMENT ORDER 7"), policy=WEIGHED)
        assert (decision.verdict, decision.explanation.on_account_minor) == (Verdict.APPLY, 5_000_00)

    def test_money_in_advance_under_a_name_learned_for_a_family_waits_for_a_person(self):
        from arsync.core.matching.learn import learn
        from arsync.core.matching.snapshot import Knowledge

        family = (customer(1, "Harbor Group"), customer(2, "Harbor Foods", parent_id=1))
        known = Knowledge()
        for _ in range(3):
            known = learn(known, "QUARRY TREASURY", "", 2, DAY, 730)
        paid = receipt(5_000_00, "PREPAYMENT", name="QUARRY TREASURY")
        assert decided((), paid, family, policy=WEIGHED, knowledge=known).verdict is not Verdict.APPLY


def test_a_name_that_pays_for_several_children_is_their_parents():
    from arsync.core.matching.learn import learn
    from arsync.core.matching.snapshot import Knowledge

    family = (
        customer(1, "Harbor Group"),
        customer(2, "Delmar Foods", parent_id=1),
        customer(3, "Fenwick Glass", parent_id=1),
    )
    known = Knowledge()
    for child in (2, 3):
        known = learn(known, "QUARRY TREASURY", "", child, DAY, 730)
    items = (item(1, 4_813_37, customer_id=2), item(2, 77_31, customer_id=3))
    finding = find(items, receipt(4_813_37, name="QUARRY TREASURY"), family, knowledge=known)
    assert "payer-alias" in said(finding.explanations[0])


def test_an_advice_of_one_item_may_be_anothers_where_a_second_has_its_amount():
    items = (item(1, 99_37, "INV-20417", due=-30), item(2, 99_37, "INV-31002"))
    lines = (advice("20417", 99_37),)
    assert decided(items, receipt(99_37), remittances=lines).reason is Reason.SEVERAL_SETS
    assert decided(items, receipt(99_37, "INV 20417"), remittances=lines).verdict is Verdict.APPLY


def test_what_an_undecided_receipt_names_is_left_to_it():
    twins = (item(1, 99_37, references=("UNIT 4A",)), item(2, 99_37, references=("UNIT 4B",)))
    older = item(3, 99_37, references=("UNIT 4A",), due=-60)
    both = (receipt(99_37, "RENT MARCH 2026", id=1), receipt(99_37, "UNIT 4A", id=2))
    decision = decided((*twins, older), both, policy=WEIGHED)
    assert (decision.verdict, shares(decision)) == (Verdict.APPLY, {2: 99_37})


@pytest.mark.parametrize(
    ("text", "months"),
    [
        pytest.param("RENT MARCH", {(2026, 3)}, id="a month is the nearest one"),
        pytest.param("RENT DEC", {(2025, 12)}, id="nearest may be last year's"),
        pytest.param("MIETE MÄRZ 2025", {(2025, 3)}, id="German, with its year"),
        pytest.param("SUBSCRIPTION 03/2026", {(2026, 3)}, id="month and year in figures"),
        pytest.param("STATEMENT 2026-02", {(2026, 2)}, id="year and month in figures"),
        pytest.param("LOYER FEVRIER ET MARS 2026", {(2026, 2), (2026, 3)}, id="two of them"),
        pytest.param("DATED 24.12.2025 MARKET AUGUSTA", set(), id="a full date and other words name none"),
        pytest.param("INV 2026-0312", set(), id="an invoice number is no month"),
    ],
)
def test_months_of_a_text(text, months):
    assert months_named((text,), DAY) == months


def test_a_text_that_names_other_items_is_not_outweighed_by_an_amount():
    """The payer's own designation outranks what fits: money for unit A is not unit C's, though it has its amount."""
    items = [
        item(1, 420_000, "1928503533", due=1, references=("UNIT 32A",)),
        item(2, 420_000, "1928503788", due=31, references=("UNIT 32A",)),
        item(3, 100_000, "1928503662", due=31, references=("UNIT 32C",)),
    ]
    told = decided(items, receipt(100_000, "UNIT 32A"), policy=WEIGHED)
    assert told.verdict is not Verdict.APPLY
    assert "names-others" in said(told.explanation)
    assert shares(decided(items, receipt(100_000, "PAYMENT"), policy=WEIGHED)) == {3: 100_000}


def test_more_sets_than_a_float_can_count_are_no_error():
    dues = list(range(3_000))
    assert weight(3_000, range(0, 3_000, 2), dues, Counter(dues), 0, 0) == 0.0
    assert weight(2, [0], [1, 2], {1: 1, 2: 1}, 3_000, 1_500) < 1e-300


def test_of_equal_rents_the_one_that_is_due_is_suggested_and_none_is_applied():
    """The rent of December was never paid; who pays 1,850.00 on the second of March means March."""
    rents = [item(n, 1_850_00, due=due) for n, due in enumerate((-87, -56, 1, 32), 1)]
    told = decided(rents, receipt(1_850_00, "RENT"), policy=WEIGHED)
    assert (told.verdict, shares(told)) == (Verdict.QUEUE, {3: 1_850_00})


@given(st.lists(st.integers(0, 4_000), min_size=1))
def test_no_day_alone_decides_between_two_answers(days):
    assert 0.03 <= timely(days) <= timely([0]) == 1.0


def test_an_item_long_overdue_is_applied_as_surely_as_another_where_nothing_else_fits():
    late, due = (
        find([item(1, 1_813_37, due=days), item(2, 77_31, due=9)], receipt(1_813_37), policy=WEIGHED)
        for days in (-300, 0)
    )
    assert late.explanations[0].probability == due.explanations[0].probability


CROWDED = tuple(
    item(10 * date + n, 100_00 + (7_919 * (10 * date + n) ** 2) % 900_001, due=7 * date)
    for date, count in ((-3, 4), (-2, 9), (-1, 10), (0, 8), (1, 12))
    for n in range(count)
)


@pytest.mark.parametrize(
    "some",
    [
        pytest.param((-20, -18, -15, -13, -12), id="five of the nine of one date"),
        pytest.param(
            (-30, -29, -28, -27, -20, -17, -14), id="all of a date, and three of the nine of the next"
        ),
    ],
)
def test_a_run_with_some_of_a_date_of_many_is_found_and_by_default_waits_for_a_person(some):
    chosen = [row for row in CROWDED if row.id in some]
    money = receipt(sum(row.available_minor for row in chosen))
    assert set(shares(decided(CROWDED, money, policy=WEIGHED))) == {row.id for row in chosen}
    assert decided(CROWDED, money).verdict is not Verdict.APPLY


def test_a_customer_with_hundreds_of_crowded_dates_costs_no_more_than_the_budget():
    import time

    many = [item(n, 10_000 + (7_919 * n * n) % 900_001, due=n // 9) for n in range(1, 2_000)]
    began = time.process_time()
    find(many, receipt(12_345_67), policy=WEIGHED)
    assert time.process_time() - began < 5
