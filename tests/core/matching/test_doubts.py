"""Applications that were wrong once in a measured year: what looks certain, and why a person has it now.

Each comes with its neighbour that is still applied, so that no doubt grows into a habit of doubting.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from arsync.core.decisions import EvidenceClass, Verdict
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.likelihood import USUAL
from arsync.core.matching.snapshot import Habit, Knowledge
from tests.core.matching.build import (
    DAY,
    POLICY,
    advice,
    customer,
    decided,
    item,
    receipt,
    said,
    shares,
    snapshot,
)

WEIGHED = replace(
    POLICY,
    automatic=POLICY.automatic | {"block", "set"},
    weighed=True,
    threshold=0.98,
    posts=frozenset({"short-pay", "over-pay", "deduction"}),
)
PARENT = customer(1, "Harbor Group")
FAMILY = (PARENT, customer(2, "Delmar Foods", parent_id=1), customer(3, "Fenwick Glass", parent_id=1))
HARBOR = "HARBOR GROUP"


def one(items, money, customers=None, **more):
    return decided(items, money, customers, policy=WEIGHED, **more)


# ---- the books contradict themselves


@pytest.mark.parametrize(
    ("odd", "verdict"),
    [
        pytest.param(
            item(2, 600_00, original=600_00, due=-30), Verdict.APPLY, id="every item as it was made"
        ),
        pytest.param(item(2, 300_00, original=600_00, due=-30), Verdict.APPLY, id="one is paid in part"),
        pytest.param(item(2, 1_200_00, original=600_00, due=-30), Verdict.QUEUE, id="one is open twice over"),
        pytest.param(
            item(2, -90_00, original=-60_00), Verdict.QUEUE, id="a credit gives more than it was for"
        ),
    ],
)
@pytest.mark.parametrize("text", ["", "INV 20417"])
def test_nothing_of_a_customer_is_sure_while_more_is_open_than_was_made(odd, verdict, text):
    told = one((item(1, 4_813_37, "INV-20417"), odd), receipt(4_813_37, text))
    assert told.verdict in ({verdict} if verdict is Verdict.APPLY else {Verdict.QUEUE, Verdict.PROPOSE})
    assert ("books-differ" in said(told.explanation)) is (verdict is not Verdict.APPLY)


def test_a_difference_that_is_posted_is_doubted_with_the_books():
    twice = item(1, 2_164_24, "INV-20417", original=1_082_12)
    told = one((twice,), receipt(2_000_00, "INV 20417"))
    assert told.verdict is not Verdict.APPLY
    assert "books-differ" in said(told.explanation)


def test_books_that_contradict_themselves_elsewhere_are_no_matter():
    customers = (customer(1), customer(2, "Ospry Glass"))
    items = (item(1, 4_813_37, "INV-20417"), item(2, 1_200_00, original=600_00, customer_id=2))
    assert one(items, receipt(4_813_37, "INV 20417"), customers).verdict is Verdict.APPLY


# ---- a little more than the items named ask for


@pytest.mark.parametrize(
    ("text", "paid", "verdict"),
    [
        pytest.param("INV 20417", 4_938_12 + 1_43, Verdict.APPLY, id="one is named"),
        pytest.param("INV 20417 + 20418", 4_938_12 + 1_147_18 + 1_43, Verdict.QUEUE, id="a list may go on"),
    ],
)
def test_a_little_more_is_an_over_payment_only_of_one_item(text, paid, verdict):
    """The list was cut: a third item was paid short, by nearly the difference."""
    items = (
        item(1, 4_938_12, "INV-20417"),
        item(2, 1_147_18, "INV-20418", due=1),
        item(3, 605_93, "INV-20433", due=2),
    )
    told = one(items, receipt(paid, text))
    assert told.verdict in ({verdict} if verdict is Verdict.APPLY else {Verdict.QUEUE, Verdict.PROPOSE})


# ---- two differences of one item


@pytest.mark.parametrize(
    ("paid", "verdict"),
    [
        pytest.param((80_00, 90_00), Verdict.QUEUE, id="together more than is open"),
        pytest.param((50_00, 45_00), Verdict.APPLY, id="together less"),
    ],
)
def test_two_short_payments_of_one_item_are_posted_as_far_as_it_is_open(paid, verdict):
    money = tuple(receipt(minor, "INV 20417", id=n) for n, minor in enumerate(paid, 1))
    policy = replace(WEIGHED, threshold=0.5)
    for found, row in zip(
        match(snapshot((item(1, 100_00, "INV-20417"),), money), Knowledge(), policy), money, strict=True
    ):
        assert decide(found, row, policy, "auto").verdict is verdict


# ---- an advice of a family


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        pytest.param(
            item(3, 940_28, "SI24007936", 3, due=14), Verdict.QUEUE, id="a sibling's, one figure off"
        ),
        pytest.param(item(3, 940_28, "SI24007936", 2, due=14), Verdict.QUEUE, id="its own, one figure off"),
        pytest.param(item(3, 941_28, "SI24007936", 3, due=14), Verdict.APPLY, id="another amount"),
        pytest.param(item(3, 940_28, "SI24011111", 3, due=14), Verdict.APPLY, id="another number"),
    ],
)
def test_an_advice_whose_number_may_be_a_slip_is_left_to_a_person(other, verdict):
    items = (item(1, 940_28, "SI24007976", 2), item(2, 505_11, "SI24007918", 2), other)
    lines = (
        advice("SI24007976", 940_28, total=1_445_39, name=HARBOR),
        advice("SI24007918", 505_11, total=1_445_39, name=HARBOR),
    )
    told = one(items, receipt(1_445_39, name=HARBOR), FAMILY, remittances=lines)
    assert (told.verdict is Verdict.APPLY) is (verdict is Verdict.APPLY)


@pytest.mark.parametrize(
    ("open_now", "gross", "verdict"),
    [
        pytest.param(1_000_00, 1_000_00, Verdict.APPLY, id="advice and books say the same is open"),
        pytest.param(2_000_00, 1_000_00, Verdict.QUEUE, id="the advice says that half of it is open"),
        pytest.param(1_000_00, 1_100_00, Verdict.QUEUE, id="the advice says that more is open"),
    ],
)
def test_a_deduction_is_what_the_advice_says_and_not_what_is_left(open_now, gross, verdict):
    lines = (advice("INV-20417", 950_00, gross, total=950_00, note="207 DAMAGED"),)
    items = (item(1, open_now, "INV-20417", original=2_000_00),)
    told = one(items, receipt(950_00), remittances=lines)
    assert told.verdict is verdict
    if verdict is Verdict.APPLY:
        assert [share.deduction_minor for share in told.explanation.shares] == [50_00]


# ---- numbers


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [
        pytest.param(750_00, Verdict.PROPOSE, id="it owes an item of just this amount"),
        pytest.param(760_00, Verdict.APPLY, id="it owes nothing of the kind"),
    ],
)
def test_a_number_of_somebody_else_is_doubted_where_the_amount_fits_who_the_payer_looks_like(theirs, verdict):
    customers = (customer(1, "Kestrel Foods LLC"), customer(2, "Nørgaard Oakhurst Roofing LLC"))
    items = (item(1, 750_00, "SI24000779"), item(2, theirs, "SI24000749", 2))
    told = one(items, receipt(750_00, "RG SI24000779", name="NOERGAARD OAKHURST ROOF"), customers)
    assert told.verdict is verdict


def test_a_number_cut_off_is_no_month():
    rents = (
        *(item(n, 3_000_00, f"R-{n}", due=due) for n, due in enumerate((-60, -28, 2), 1)),
        item(8, 77_31, "R-8"),
    )
    later = item(9, 3_000_00, "2026-03771", due=70)
    assert shares(one(rents, receipt(3_000_00, "FACTURE 2026-03"))) == {3: 3_000_00}
    assert one(rents, receipt(3_000_00, "FACTURE 2026-03")).verdict is Verdict.APPLY
    assert one((*rents, later), receipt(3_000_00, "FACTURE 2026-03")).verdict is not Verdict.APPLY


def test_a_number_broken_in_two_is_no_month_against_its_own_item():
    told = one((item(1, 8_233_17, "2024-05131", due=-20),), receipt(8_233_17, "BILL 2024-05 131 AMT 8233.17"))
    assert (told.verdict, shares(told)) == (Verdict.APPLY, {1: 8_233_17})


# ---- amounts


@pytest.mark.parametrize(
    ("older", "verdict"),
    [
        pytest.param(600_34, Verdict.QUEUE, id="the same discount too late, on an older item"),
        pytest.param(612_34, Verdict.APPLY, id="no other item comes to it"),
    ],
)
def test_a_discount_may_be_taken_too_late_on_another_item(older, verdict):
    terms = {"discount_minor": 6_00, "discount_until": DAY + timedelta(days=2)}
    late = {"discount_minor": 6_00, "discount_until": DAY - timedelta(days=40)}
    items = (item(1, 600_34, due=20, **terms), item(2, older, due=-30, **late))
    told = one(items, receipt(594_34))
    assert told.verdict in ({Verdict.APPLY} if verdict is Verdict.APPLY else {Verdict.QUEUE, Verdict.PROPOSE})


@pytest.mark.parametrize(
    ("paid", "verdict"),
    [
        pytest.param(900_37, Verdict.APPLY, id="a tenth too little is a claim"),
        pytest.param(500_19, Verdict.APPLY, id="half of it"),
        pytest.param(250_09, Verdict.APPLY, id="a quarter"),
        pytest.param(333_46, Verdict.APPLY, id="a third"),
        pytest.param(400_00, Verdict.APPLY, id="a round sum"),
        pytest.param(251_31, Verdict.PROPOSE, id="a quarter and something else"),
        pytest.param(433_31, Verdict.PROPOSE, id="an odd part"),
    ],
)
def test_a_part_of_a_named_invoice_is_posted_where_it_looks_like_a_part(paid, verdict):
    items = (item(1, 1_000_37, "INV-20417"), item(2, 77_77, "INV-31002"))
    assert one(items, receipt(paid, "INV 20417")).verdict is verdict


def test_some_items_of_two_crowded_dates_are_no_run():
    """Nine and thirteen items of two dates: many sets of four come to an amount by accident."""
    first = [item(n, 1_000_00 + 137 * n * n + n, due=-7) for n in range(1, 10)]
    second = [item(n, 1_500_00 + 211 * n * n + n, due=0) for n in range(10, 23)]
    some = (first[2], first[6], second[4], second[9])
    told = one((*first, *second), receipt(sum(row.available_minor for row in some)))
    assert told.verdict is not Verdict.APPLY


@pytest.mark.parametrize("name", ["KESTREL FOODS LLC", "KSTRL FDS LLC"])
def test_of_two_runs_with_equal_amounts_neither_is_taken(name):
    """The equal items stand at either end: which of them is meant nothing tells, whatever else their dates hold."""
    first, last = item(2, 187_63, due=-3), item(34, 187_63, due=-1)
    middle = (item(11, 1_771_39, due=-2), item(12, 661_89, due=-2), item(13, 924_62, due=-2))
    rest = (
        item(1, 3_889_81, due=-3),
        *(item(14 + n, 3_473_59 + 1_000_07 * n, due=-2) for n in range(2)),
        *(item(30 + n, 8_061_01 + 1_713_19 * n * n, due=-1) for n in (0, 1, 2, 3, 5, 6, 7)),
    )
    paid = sum(row.available_minor for row in (first, *middle))
    assert one((first, last, *middle, *rest), receipt(paid, name=name)).verdict is not Verdict.APPLY
    different = last._replace(original_minor=188_63, available_minor=188_63)
    told = one((first, different, *middle, *rest), receipt(paid, name=name))
    assert (told.verdict, told.explanation.klass) == (Verdict.APPLY, EvidenceClass.BLOCK)


# ---- what is certain after all


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        pytest.param("P20409 P73219", Verdict.APPLY, id="each order has an item that is paid"),
        pytest.param(
            "P20409 P73219 INV 20420", Verdict.PROPOSE, id="an item named by its own number is not paid"
        ),
        pytest.param(
            "P20409 P73219 P55555", Verdict.PROPOSE, id="an order is named of which nothing is paid"
        ),
    ],
)
def test_orders_name_their_items_together_and_some_of_them_are_paid(text, verdict):
    items = (
        item(1, 2_750_00, "INV-20417", references=("P20409",)),
        item(2, 1_277_31, "INV-20418", references=("P20409",)),
        item(3, 7_378_42, "INV-20419", references=("P73219",)),
        item(4, 9_999_17, "INV-20420", references=("P55555",)),
        item(5, 8_888_18, "INV-20421", references=("P55555",)),
    )
    told = one(items, receipt(2_750_00 + 7_378_42, text))
    assert (told.verdict, shares(told)) == (verdict, {1: 2_750_00, 3: 7_378_42})


def test_the_rent_of_a_month_is_all_that_is_due_in_it():
    rents = (442_50, 185_00, 160_00)
    items = [
        item(first + n, rent, due=due)._replace(issued=DAY + timedelta(days=due - 1))
        for due, first in ((-58, 1), (-28, 11), (2, 21), (32, 31))
        for n, rent in enumerate(rents)
    ]
    told = one(items, receipt(787_50, "RENT MARCH 2026"))
    assert (told.verdict, set(shares(told))) == (Verdict.APPLY, {21, 22, 23})
    assert one(items, receipt(787_50, "RENT")).verdict is not Verdict.APPLY


@pytest.mark.parametrize(
    ("strangers", "verdict"),
    [
        pytest.param(
            item(2, 331_00, "SI24005292", 2), Verdict.APPLY, id="the misread number is a stranger's"
        ),
        pytest.param(item(2, 331_00, "SI24009999", 2), Verdict.APPLY, id="the misread number is nobody's"),
        pytest.param(
            item(2, 1_226_39, "SI24005292", 2), Verdict.QUEUE, id="a stranger's, and of that amount"
        ),
    ],
)
def test_an_advice_means_its_senders_invoice_where_a_stranger_has_the_number_it_misreads(strangers, verdict):
    customers = (customer(1, "Kestrel Foods LLC"), customer(2, "Ospry Glass"))
    lines = (advice("SI24005292", 1_188_05, 1_226_39, total=1_188_05, note="207 DAMAGED"),)
    items = (item(1, 1_226_39, "SI24005297"), strangers)
    told = one(items, receipt(1_188_05, "FAKTUUR 24005297"), customers, remittances=lines)
    assert told.verdict is verdict
    if verdict is Verdict.APPLY:
        assert [(s.item_id, s.deduction_minor) for s in told.explanation.shares] == [(1, 38_34)]


@pytest.mark.parametrize(
    ("total", "verdict"),
    [
        pytest.param(900_00, Verdict.QUEUE, id="an advice of just this sum"),
        pytest.param(77_00, Verdict.APPLY, id="an advice of another sum"),
    ],
)
def test_a_short_payment_is_not_posted_while_an_advice_that_nobody_can_read_is_about_it(total, verdict):
    lines = (advice("SEE ATTACHED", total, total=total),)
    told = one((item(1, 1_000_37, "INV-20417"),), receipt(900_00, "INV 20417"), remittances=lines)
    assert told.verdict is verdict


def test_everything_of_a_day_is_meant_though_another_days_items_could_stand_for_one():
    """Rents of two dates: a whole date outweighs some of both, though the amounts are the same."""
    fifth = [item(n, rent, due=-25) for n, rent in enumerate((4_250_00, 3_950_00, 4_250_11, 1_200_77), 1)]
    later = [item(n, rent, due=-15) for n, rent in enumerate((2_111_00, 3_950_00, 1_777_33), 11)]
    told = one((*fifth, *later), receipt(13_650_88))
    assert (told.verdict, set(shares(told))) == (Verdict.APPLY, {1, 2, 3, 4})


def test_the_rest_of_a_cut_list_may_hold_another_item_of_the_same_amount():
    named = [item(n, 1_000_00 + 137_07 * n, f"19285080{10 + n}", due=-3) for n in range(1, 5)]
    rest = [item(20 + n, 700_01 + 211_13 * n * n, f"19285081{10 + n}", due=-1) for n in range(1, 4)]
    twice = item(30, 848_32, "1928508140", due=-1)
    other = item(31, 848_32, "1928508149", due=0)
    last = item(32, 5_853_57, "1928508150", due=0)
    left = item(33, 9_181_77, "1928508151", due=0)
    paid = sum(row.available_minor for row in (*named, *rest, twice, last))
    text = "INV " + ",".join(row.number for row in named) + ",19285081"
    told = one((*named, *rest, twice, last, left, other), receipt(paid, text))
    assert told.verdict is not Verdict.APPLY
    alone = one((*named, *rest, twice, last, left), receipt(paid, text))
    assert alone.verdict is Verdict.APPLY


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        pytest.param(657_56, Verdict.QUEUE, id="with another item nothing is missing"),
        pytest.param(657_57, Verdict.APPLY, id="no other item makes it whole"),
    ],
)
def test_a_small_difference_is_none_where_another_item_in_a_named_ones_place_comes_to_the_cent(
    other, verdict
):
    policy = replace(WEIGHED, small_difference_minor={"USD": 50_00}, small_difference_bp=10_000)
    items = (item(1, 669_29, "316801"), item(2, 425_32, "316850"), item(3, other, "316841"))
    told = decided(items, receipt(1_082_88, "RG 316801, 316850"), policy=policy)
    assert (told.verdict is Verdict.APPLY) is (verdict is Verdict.APPLY)


# ---- real payers with many open items


def _busy(*special, days=12, each=4):
    """Items of a customer who is sent several invoices a day; no sum of few of them comes to another's amount."""
    filler = (
        item(100 + number, 1_000_003 + 7_919 * number**2, due=number // each - days)
        for number in range(days * each)
    )
    return (*special, *filler)


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        pytest.param(None, Verdict.APPLY, id="no other item has an amount of theirs"),
        pytest.param(5, Verdict.APPLY, id="one that is due later has"),
        pytest.param(-2, Verdict.QUEUE, id="one that was due two days before has"),
    ],
)
def test_a_run_that_leaves_an_older_item_of_its_amounts_is_doubted(left, verdict):
    """Of the runs of open data that leave an equal item, one in fifty leaves an older one."""
    run = (item(1, 8_041_59), item(2, 9_896_18), item(3, 15_284_38, due=1))
    other = () if left is None else (item(4, 15_284_38, due=left),)
    told = one(_busy(*run, item(5, 9_971_25, due=1), *other), receipt(33_222_15))
    assert shares(told) == {1: 8_041_59, 2: 9_896_18, 3: 15_284_38}
    assert told.verdict is verdict


def test_of_who_pays_some_items_by_habit_a_run_may_be_chance():
    run = tuple(item(n, 610_00 + 37 * n**2, due=n) for n in range(1, 9))
    paid = receipt(sum(row.available_minor for row in run))
    some = Knowledge(
        habits=(Habit(1, 40, USUAL._replace(one=0, oldest=0, run=0, ties=0, but_one=0, some=40), 0, 0),)
    )
    books = _busy(*run, days=60)
    assert one(books, paid).verdict is Verdict.APPLY
    assert one(books, paid, knowledge=some).verdict is not Verdict.APPLY


# ---- what a few numbers vouch for


@pytest.mark.parametrize(
    ("number", "text", "sure"),
    [
        pytest.param("INV-20417", "INV 20417 ETC", True, id="a whole number"),
        pytest.param("417", "INV 417 ETC", False, id="three digits, which may be misread"),
    ],
)
def test_a_few_numbers_vouch_for_a_long_rest_if_they_are_whole(number, text, sure):
    rest = tuple(item(n, 1_000_37 + 137_11 * n**2, f"INV-3{n}002", due=-9) for n in range(2, 7))
    other = item(9, 77_777_13, "INV-39002", due=4)
    paid = receipt(481_37 + sum(row.available_minor for row in rest), text)
    told = one((item(1, 481_37, number, due=9), *rest, other), paid)
    assert len(shares(told)) == 6
    assert (told.explanation.probability > 0.98, told.verdict is Verdict.APPLY) == (sure, sure)


def test_a_payer_who_owes_something_else_hardly_pays_a_named_invoice_short():
    customers = (customer(1), customer(2, "Ospry Glass"))
    items = (item(1, 4_813_37, "INV-20417", customer_id=2), item(2, 900_12, "INV-31002"))
    own = one((item(1, 4_813_37, "INV-20417"),), receipt(4_100_12, "INV 20417"))
    others = one(items, receipt(4_100_12, "INV 20417"), customers)
    assert others.explanation.probability < 0.2 < own.explanation.probability


@pytest.mark.parametrize(
    ("credit", "verdict"),
    [
        pytest.param(-4_000_00, Verdict.APPLY, id="no item less a credit is what is missing"),
        pytest.param(-4_088_93, Verdict.QUEUE, id="an item less a credit is what is missing"),
    ],
)
def test_a_small_difference_may_be_an_item_less_a_credit(credit, verdict):
    policy = replace(WEIGHED, small_difference_minor={"USD": 50_00}, small_difference_bp=500)
    items = (item(1, 12_300_00, "INV-20417"), item(2, 4_067_93, "INV-31002", due=3), item(3, credit, "CM-9"))
    told = decided(items, receipt(12_279_00, "INV 20417"), policy=policy)
    assert (told.verdict is Verdict.APPLY) is (verdict is Verdict.APPLY)
