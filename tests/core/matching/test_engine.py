"""Which items a receipt pays: the everyday cases, and the ones that must not be applied."""

from dataclasses import replace
from datetime import timedelta

import pytest

from arsync.core.decisions import EvidenceClass, Reason, Verdict
from arsync.core.items import ItemKind
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.snapshot import Alias, Knowledge, MatchPolicy
from tests.core.matching.build import (
    DAY,
    POLICY,
    advice,
    booked,
    customer,
    decided,
    find,
    item,
    listing,
    receipt,
    said,
    shares,
    snapshot,
)

TWO = (item(1, 100_00, "INV-20417"), item(2, 55_10, "INV-31002", due=3))
KESTRELS = (customer(1), customer(2, "Kestrel Foods Inc"))
PARENT = (customer(1), customer(2, "Marlow Paper Ltd", parent_id=1))


APPLIED = [
    pytest.param(
        TWO, receipt(155_10, "INV 20417, 31002"), {1: 100_00, 2: 55_10}, "reference", id="two invoices named"
    ),
    pytest.param(
        TWO,
        receipt(100_00, "20417", name="NORTHGATE FACTORING"),
        {1: 100_00},
        "reference",
        id="named by a payer nobody knows",
    ),
    pytest.param(TWO, receipt(100_00, ""), {1: 100_00}, "one item", id="known payer, one item of the amount"),
    pytest.param(
        TWO, receipt(155_10, ""), {1: 100_00, 2: 55_10}, "balance", id="known payer, the whole balance"
    ),
    pytest.param(
        (*TWO, item(3, -20_00, "CM7")),
        receipt(135_10, "INV 20417, 31002"),
        {1: 100_00, 2: 55_10, 3: -20_00},
        "reference",
        id="named invoices less the only credit memo that fits",
    ),
    pytest.param(
        (item(1, 100_00, "INV-20417", discount_minor=2_00, discount_until=DAY), TWO[1]),
        receipt(98_00, "INV 20417"),
        {1: 98_00},
        "reference",
        id="the discount on its last day",
    ),
    pytest.param(
        TWO,
        receipt(100_00, creditor_reference="RF18 20417"),
        {1: 100_00},
        "reference",
        id="a structured reference",
    ),
    pytest.param(
        TWO,
        receipt(100_00, "VIELEN DANK", end_to_end_id="INV-20417"),
        {1: 100_00},
        "reference",
        id="the number in the end-to-end id",
    ),
]


@pytest.mark.parametrize(("items", "money", "expected", "klass"), APPLIED)
def test_applied(items, money, expected, klass):
    decision = decided(items, money)
    assert (decision.verdict, decision.reason) == (Verdict.APPLY, None)
    assert shares(decision) == expected
    assert decision.explanation.klass.value == klass


NOT_APPLIED = [
    pytest.param(
        (*TWO, item(3, 77_00), item(4, 23_00)),
        receipt(100_00),
        Reason.SEVERAL_SETS,
        id="one item, and two others that add up",
    ),
    pytest.param(
        (*TWO, item(3, 100_00, due=9)),
        receipt(100_00),
        Reason.SEVERAL_SETS,
        id="two items of the amount, due on different days",
    ),
    pytest.param(
        (*TWO, item(3, 40_00, due=9)), receipt(155_10), Reason.CONFIRMATION, id="a bare sum of two items"
    ),
    pytest.param(
        TWO,
        receipt(100_00, name="QUILL MEDIA"),
        Reason.UNKNOWN_PAYER,
        id="a bare amount and a payer nobody knows",
    ),
    pytest.param(
        TWO, receipt(100_00, name="KESTREL FODS"), Reason.UNKNOWN_PAYER, id="a name that is only close"
    ),
    pytest.param(
        TWO,
        receipt(100_00, "INV 99887"),
        Reason.UNKNOWN_REFERENCE,
        id="the amount fits, but the text names another invoice",
    ),
    pytest.param(TWO, receipt(90_00, "INV 20417"), Reason.SHORT_PAY, id="less than the invoice named"),
    pytest.param(TWO, receipt(104_00, "INV 20417"), Reason.OVER_PAY, id="more than the invoice named"),
    pytest.param(TWO, receipt(-100_00, "RETURN 20417"), Reason.RETURNED_PAYMENT, id="money going back"),
    pytest.param(
        TWO,
        receipt(100_00, "INV 20417", is_return=True),
        Reason.RETURNED_PAYMENT,
        id="a return with a positive amount",
    ),
    pytest.param(
        TWO,
        receipt(100_00, "INV 20417", currency="EUR"),
        Reason.CURRENCY_MISMATCH,
        id="euros for a dollar invoice",
    ),
    pytest.param(
        TWO,
        receipt(100_00, "PAYMENT IN ADVANCE"),
        Reason.OVER_PAY,
        id="a payment in advance of an item's amount",
    ),
    pytest.param(
        (item(1, 100_00, "INV-20417", discount_minor=2_00, discount_until=DAY - timedelta(days=1)),),
        receipt(98_00, "INV 20417"),
        Reason.SHORT_PAY,
        id="the discount a day late",
    ),
    pytest.param(
        TWO, receipt(99_00, "INV 20417"), Reason.SHORT_PAY, id="a small difference without a tolerance"
    ),
]


@pytest.mark.parametrize(("items", "money", "reason"), NOT_APPLIED)
def test_not_applied(items, money, reason):
    decision = decided(items, money)
    assert decision.verdict in {Verdict.PROPOSE, Verdict.QUEUE}
    assert decision.reason is reason


def test_identical_twins_are_no_ambiguity_and_the_lower_id_goes_first():
    items = (item(7, 100_00, "A-777701"), item(4, 100_00, "A-777702"))
    assert shares(decided(items, receipt(100_00))) == {4: 100_00}


def test_two_receipts_share_two_twins_but_not_one():
    both = (receipt(100_00, id=1), receipt(100_00, id=2))
    twins = match(snapshot((item(1, 100_00), item(2, 100_00)), both), Knowledge(), POLICY)
    assert [shares(f.explanations[0]) for f in twins] == [{1: 100_00}, {2: 100_00}]
    assert all(f.unique for f in twins)
    one = match(snapshot((item(1, 100_00),), both), Knowledge(), POLICY)
    assert [(f.unique, f.reason) for f in one] == [(False, Reason.SEVERAL_SETS)] * 2
    assert all("rival" in said(f.explanations[0]) for f in one)


def test_a_twin_is_called_by_its_own_number():
    both = (receipt(100_00, id=1), receipt(100_00, id=2))
    items = (item(1, 100_00, "INV-20417"), item(2, 100_00, "INV-20418"))
    for found, own in zip(match(snapshot(items, both), Knowledge(), POLICY), items, strict=True):
        assert shares(found.explanations[0]) == {own.id: 100_00}
        assert found.explanations[0].evidence[0].text.startswith(f"invoice {own.number}: ")


def test_a_reference_has_the_item_before_a_bare_amount():
    items = (item(1, 100_00, "INV-20417"), item(2, 100_00, "INV-31002", due=5))
    findings = match(
        snapshot(items, (receipt(100_00, id=1), receipt(100_00, "INV 20417", id=2))), Knowledge(), POLICY
    )
    assert [shares(f.explanations[0]) for f in findings] == [{2: 100_00}, {1: 100_00}]


def test_an_item_that_an_undecided_receipt_names_is_not_free():
    findings = match(
        snapshot(TWO, (receipt(100_00, id=1), receipt(90_00, "INV 20417", id=2))), Knowledge(), POLICY
    )
    assert findings[0].reason is Reason.SEVERAL_SETS
    assert "named-elsewhere" in said(findings[0].explanations[0])


def test_receipts_alike_in_every_word_are_possible_duplicates():
    findings = match(
        snapshot(TWO, (receipt(100_00, "INV 20417", id=1), receipt(100_00, "INV 20417", id=2))),
        Knowledge(),
        POLICY,
    )
    assert {f.reason for f in findings} == {Reason.POSSIBLE_DUPLICATE}


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        pytest.param("", 2, Reason.POSSIBLE_DUPLICATE, id="the same money two days later, without a word"),
        pytest.param("", 11, None, id="eleven days later it is another payment"),
        pytest.param("INV 20417", 2, None, id="it names an open item, which the first did not"),
    ],
)
def test_a_receipt_that_repeats_a_recent_one(text, days, expected):
    seen = receipt(100_00, id=9, on=DAY - timedelta(days=days))
    finding = find(TWO, receipt(100_00, text), recent=(seen,), recent_customers=(1,))
    assert finding.reason is expected


def test_a_return_points_to_the_payment_it_may_return():
    seen = receipt(100_00, id=9, on=DAY - timedelta(days=5))
    finding = find(TWO, receipt(-100_00, "NSF"), recent=(seen,), recent_customers=(1,))
    assert "receipt 9" in finding.explanations[0].evidence[0].text


def test_a_tolerated_difference_is_written_off_the_largest_named_item():
    policy = replace(POLICY, small_difference_minor={"USD": 2_00})
    decision = decided(TWO, receipt(153_10, "INV 20417 31002"), policy=policy)
    assert decision.verdict is Verdict.APPLY
    assert [(s.applied_minor, s.write_off_minor) for s in decision.explanation.shares] == [
        (98_00, 2_00),
        (55_10, 0),
    ]
    assert decided(TWO, receipt(153_09, "INV 20417 31002"), policy=policy).reason is Reason.SHORT_PAY


def test_a_small_difference_is_no_write_off_where_the_text_says_that_there_is_more():
    policy = replace(POLICY, small_difference_minor={"USD": 2_00})
    assert decided(TWO, receipt(99_00, "INV 20417"), policy=policy).verdict is Verdict.APPLY
    assert decided(TWO, receipt(99_00, "INV 20417 +MORE"), policy=policy).reason is Reason.SHORT_PAY


def test_a_short_pay_keeps_the_shortfall_open_on_the_largest_item_named():
    decision = decided(TWO, receipt(150_10, "INV 20417 31002"))
    assert shares(decision) == {1: 95_00, 2: 55_10}
    assert decision.explanation.klass is EvidenceClass.PARTIAL
    assert any("USD 5.00 is missing" in e.text for e in decision.explanation.evidence)


@pytest.mark.parametrize("paid", [1, 200, 500, 501])
def test_money_that_names_only_a_credit_memo_is_not_explained_by_it(paid):
    """A credit asks for no money: nothing may be put on it, and none of it may be used up."""
    found = find((item(1, -500, "INV-20401"),), receipt(paid, "INV 20401"))
    assert all(share.item_id != 1 for one in found.explanations for share in one.shares)


def test_an_over_payment_stays_on_account_until_a_person_agrees():
    decision = decided(TWO, receipt(104_00, "INV 20417"))
    assert (decision.verdict, decision.explanation.on_account_minor) == (Verdict.PROPOSE, 4_00)


def test_a_look_alike_that_differs_in_its_suffix_alone_is_several_customers():
    items = (item(1, 100_00, customer_id=1), item(2, 100_00, customer_id=2))
    finding = find(items, receipt(100_00, name="KESTREL FOODS"), KESTRELS)
    assert finding.reason is Reason.SEVERAL_CUSTOMERS
    assert {e.customer_id for e in finding.explanations} == {1, 2}
    assert shares(decided(items, receipt(100_00, name="Kestrel Foods Incorporated"), KESTRELS)) == {2: 100_00}


def test_a_parents_payment_of_a_childs_item_needs_its_reference():
    items = (item(1, 100_00, "INV-20417", customer_id=2),)
    silent = decided(items, receipt(100_00), PARENT)
    assert (silent.verdict, silent.reason) == (Verdict.PROPOSE, Reason.WEAK_EVIDENCE)
    assert "family" in said(silent.explanation)
    assert decided(items, receipt(100_00, "INV 20417"), PARENT).verdict is Verdict.APPLY


def test_references_of_another_customer_than_the_payer_are_proposed_only():
    items = (item(1, 100_00, "INV-20417", customer_id=2),)
    customers = (customer(1), customer(2, "Marlow Paper Ltd"))
    decision = decided(items, receipt(100_00, "INV 20417"), customers)
    assert (decision.verdict, decision.reason) == (Verdict.PROPOSE, Reason.WEAK_EVIDENCE)
    assert "payer-differs" in said(decision.explanation)


def test_money_on_account_of_the_customer_is_never_netted_by_itself():
    items = (item(1, 100_00, "INV-20417"), item(2, -30_00, kind=ItemKind.PAYMENT))
    assert find(items, receipt(70_00)).explanations == ()


class TestRemittance:
    ITEMS = (item(1, 100_00, "INV-20417"), item(2, 55_10, "INV-31002"), item(3, 9_00, "INV-40000"))

    def test_its_lines_are_applied(self):
        lines = (advice("20417", 100_00), advice("31002", 55_10))
        decision = decided(self.ITEMS, receipt(155_10), remittances=lines)
        assert (decision.verdict, decision.explanation.klass) == (Verdict.APPLY, EvidenceClass.REMITTANCE)
        assert shares(decision) == {1: 100_00, 2: 55_10}

    def test_of_unknown_origin_it_is_never_automatic(self):
        lines = (advice("20417", 100_00, grade="unknown"), advice("31002", 55_10, grade="unknown"))
        assert decided(self.ITEMS, receipt(155_10), remittances=lines).verdict is Verdict.PROPOSE

    @pytest.mark.parametrize(
        ("name", "text", "verdict"),
        [
            pytest.param("NORTHGATE FACTORING", "", Verdict.APPLY, id="who sent it pays"),
            pytest.param("ZEPHYR VENTURES", "", Verdict.PROPOSE, id="somebody else pays that very amount"),
            pytest.param("ZEPHYR VENTURES", "INV 20417", Verdict.APPLY, id="the text names what it lists"),
        ],
    )
    def test_an_advice_of_nobody_on_file(self, name, text, verdict):
        lines = (advice("20417", 100_00, name="Northgate Factoring"),)
        decision = decided(self.ITEMS, receipt(100_00, text, name=name), remittances=lines)
        assert (decision.verdict, shares(decision)) == (verdict, {1: 100_00})

    def test_a_discount_and_a_part_payment_are_taken_as_told(self):
        lines = (advice("20417", 98_00, 100_00, discount_minor=2_00), advice("31002", 50_00, 55_10))
        one = decided(self.ITEMS, receipt(148_00), remittances=lines).explanation
        assert [(s.applied_minor, s.discount_minor, s.settled_minor) for s in one.shares] == [
            (98_00, 2_00, 100_00),
            (50_00, 0, 50_00),
        ]

    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param((advice("20417", 90_00, 100_00, note="204 SHORTAGE"),), id="on the item's line"),
            pytest.param(
                (advice("20417", 100_00), advice("CB77", -10_00, 0, note="204 SHORTAGE 20417")),
                id="on a line of its own",
            ),
        ],
    )
    def test_a_deduction_is_kept_apart_and_proposed(self, lines):
        decision = decided(self.ITEMS, receipt(90_00), remittances=lines)
        assert (decision.verdict, decision.reason) == (Verdict.PROPOSE, Reason.DEDUCTION)
        assert [(s.applied_minor, s.deduction_minor) for s in decision.explanation.shares] == [(90_00, 10_00)]

    def test_it_gives_way_when_the_text_names_other_items(self):
        lines = (advice("31002", 55_10),)
        items = (*self.ITEMS, item(4, 55_10, "INV-55555", due=8))
        decision = decided(items, receipt(55_10, "INV 55555"), remittances=lines)
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.SEVERAL_SETS)

    def test_it_gives_way_when_the_text_names_another_item_by_its_last_digits(self):
        items = (item(1, 55_10, "SI24015043"), item(2, 55_10, "SI24016977", due=8))
        decision = decided(items, receipt(55_10, "INV 015043"), remittances=(advice("SI24016977", 55_10),))
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.SEVERAL_SETS)

    def test_an_unknown_line_is_told_and_proposed(self):
        lines = (advice("20417", 100_00), advice("88888", 5_00))
        decision = decided(self.ITEMS, receipt(105_00), remittances=lines)
        assert decision.reason in {Reason.UNKNOWN_REFERENCE, Reason.OVER_PAY}
        assert "line-unknown" in said(decision.explanation)

    def test_several_customers_in_one_deposit_are_proposed(self):
        customers = (customer(1), customer(2, "Marlow Paper Ltd"))
        items = (item(1, 100_00, "INV-20417"), item(2, 55_10, "INV-31002", customer_id=2))
        lines = (advice("20417", 100_00, name="LOCKBOX 77"), advice("31002", 55_10, name="LOCKBOX 77"))
        decision = decided(items, receipt(155_10, name="LOCKBOX 77"), customers, remittances=lines)
        assert (decision.verdict, decision.reason) == (Verdict.PROPOSE, Reason.SEVERAL_CUSTOMERS)
        assert decision.explanation.customer_id is None

    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param((listing("20417", 155_10), listing("31002", 155_10)), id="a line for each"),
            pytest.param((listing("We have paid invoices 20417 and 31002.", 155_10),), id="a sentence"),
            pytest.param(
                (listing("31002", 155_10), advice("20417", 100_00, total=155_10)), id="of one of two"
            ),
        ],
    )
    def test_documents_without_amounts_are_paid_in_full_where_that_is_its_total(self, lines):
        decision = decided(self.ITEMS, receipt(155_10), remittances=lines)
        assert (decision.verdict, decision.explanation.klass) == (Verdict.APPLY, EvidenceClass.REFERENCE)
        assert shares(decision) == {1: 100_00, 2: 55_10}
        assert "listed" in said(decision.explanation)

    @pytest.mark.parametrize(
        ("text", "verdict"),
        [
            pytest.param("", Verdict.PROPOSE, id="the text names nothing"),
            pytest.param("20417 31002", Verdict.APPLY, id="the text names them itself"),
        ],
    )
    def test_documents_without_amounts_that_a_stranger_names_are_proposed_at_most(self, text, verdict):
        line = listing("20417 and 31002", 155_10, grade="unknown")
        decision = decided(self.ITEMS, receipt(155_10, text), remittances=(line,))
        assert (decision.verdict, shares(decision)) == (verdict, {1: 100_00, 2: 55_10})

    def test_two_lists_of_one_total_say_nothing(self):
        lines = (listing("20417 and 31002", 155_10), listing("40000", 155_10, id="A2"))
        assert shares(decided(self.ITEMS, receipt(155_10), remittances=lines)) == {1: 100_00, 2: 55_10}
        assert "listed" not in said(decided(self.ITEMS, receipt(155_10), remittances=lines).explanation)

    def test_documents_without_amounts_may_be_paid_less_their_discount(self):
        items = (item(1, 100_00, "INV-20417", discount_minor=2_00, discount_until=DAY), self.ITEMS[1])
        one = decided(items, receipt(153_10), remittances=(listing("20417 and 31002", 153_10),)).explanation
        assert [(s.applied_minor, s.discount_minor) for s in one.shares] == [(98_00, 2_00), (55_10, 0)]

    @pytest.mark.parametrize(
        ("text", "total", "paid"),
        [
            pytest.param("INV 20417", 60_00, {1: 60_00}, id="a part of one document"),
            pytest.param(
                "INV 20417 and INV 31002 and INV 40000", 155_10, {1: 100_00, 2: 55_10}, id="less than all"
            ),
            pytest.param("INV 20417", 130_00, {1: 100_00}, id="more than is open"),
        ],
    )
    @pytest.mark.parametrize(
        "posts", [(), ("short-pay", "over-pay")], ids=["queues differences", "posts them"]
    )
    def test_documents_without_amounts_that_do_not_come_to_the_total_are_proposed(
        self, text, total, paid, posts
    ):
        items = (*self.ITEMS, item(9, 77_77, "INV-70000", customer_id=2))
        customers = (customer(1), customer(2, "Marlow Paper Ltd"))
        policy = replace(POLICY, posts=frozenset(posts))
        decision = decided(items, receipt(total), customers, policy, remittances=(listing(text, total),))
        assert decision.verdict is not Verdict.APPLY
        assert shares(decision) == paid

    def test_documents_without_amounts_and_without_a_total_say_nothing(self):
        items = (*self.ITEMS, item(4, 155_10, "INV-50000", due=3))
        lines = (listing("20417 and 31002", None),)
        assert shares(decided(items, receipt(155_10), remittances=lines)) == {4: 155_10}

    def test_without_one_a_line_may_wait_for_it(self):
        policy = replace(POLICY, wait_days=2)
        items = (*TWO, item(3, 40_00, due=9))
        money = receipt(155_10)
        assert decided(items, money, policy=policy).verdict is Verdict.WAIT
        assert decided(items, money, policy=policy, as_of=DAY + timedelta(days=1)).verdict is Verdict.WAIT
        assert decided(items, money, policy=policy, as_of=DAY + timedelta(days=2)).verdict is Verdict.PROPOSE

    def test_nobody_waits_for_an_advice_of_a_return(self):
        finding = find(TWO, receipt(100_00, is_return=True), policy=replace(POLICY, wait_days=2))
        assert not finding.wait


class TestAlreadyBooked:
    def test_a_payment_of_the_payer_is_linked_and_nothing_is_booked(self):
        decision = decided(TWO, receipt(100_00, "INV 20417"), booked=(booked(50, 100_00, days=-2),))
        assert decision.verdict is Verdict.LINK
        assert (decision.explanation.booked_payment_id, decision.explanation.shares) == (50, ())

    def test_a_cheque_number_links_what_the_name_cannot(self):
        money = receipt(100_00, name="LOCKBOX", cheque_number="004711")
        assert decided(TWO, money, booked=(booked(50, 100_00, reference="004711"),)).verdict is Verdict.LINK

    @pytest.mark.parametrize(
        "payments",
        [
            pytest.param((booked(50, 100_00), booked(51, 100_00, days=1)), id="two payments fit"),
        ],
    )
    def test_ambiguity_goes_to_the_queue(self, payments):
        decision = decided(TWO, receipt(100_00), booked=payments)
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.ALREADY_BOOKED)

    def test_amount_and_date_alone_never_link(self):
        decision = decided(TWO, receipt(100_00, name="QUILL MEDIA"), booked=(booked(50, 100_00),))
        assert (decision.verdict, decision.reason) == (Verdict.QUEUE, Reason.ALREADY_BOOKED)

    @pytest.mark.parametrize(
        "payment",
        [
            pytest.param(booked(50, 100_00, days=-8), id="eight days apart"),
            pytest.param(booked(50, 100_01), id="a cent more"),
            pytest.param(booked(50, 100_00, customer_id=2), id="of another customer"),
        ],
    )
    def test_a_payment_that_does_not_fit_is_no_obstacle(self, payment):
        customers = (customer(1), customer(2, "Marlow Paper Ltd"))
        assert (
            decided(TWO, receipt(100_00, "INV 20417"), customers, booked=(payment,)).verdict is Verdict.APPLY
        )

    def test_two_receipts_do_not_share_a_payment(self):
        one = snapshot(TWO, (receipt(100_00, id=1), receipt(100_00, "X", id=2)), booked=(booked(50, 100_00),))
        findings = match(one, Knowledge(), POLICY)
        assert {f.reason for f in findings} == {Reason.ALREADY_BOOKED}


class TestPayers:
    @pytest.mark.parametrize(
        ("confirmations", "verdict"),
        [
            pytest.param(1, Verdict.PROPOSE, id="one confirmation is a suggestion"),
            pytest.param(2, Verdict.APPLY, id="two make the payer known"),
        ],
    )
    def test_a_learned_name(self, confirmations, verdict):
        knowledge = Knowledge((Alias("QUILL MEDIA", 1, confirmations, DAY),))
        assert decided(TWO, receipt(100_00, name="Quill Media"), knowledge=knowledge).verdict is verdict

    def test_a_name_learned_for_two_customers_is_not_known(self):
        knowledge = Knowledge((Alias("QUILL MEDIA", 1, 9, DAY), Alias("QUILL MEDIA", 2, 1, DAY)))
        finding = find(TWO, receipt(100_00, name="Quill Media"), KESTRELS, knowledge=knowledge)
        assert finding.reason is Reason.SEVERAL_CUSTOMERS

    def test_an_account_on_file_outranks_the_name(self):
        customers = (customer(1), customer(2, "Marlow Paper Ltd", payer_accounts=("DE89 3704 0044",)))
        items = (item(1, 100_00), item(2, 100_00, customer_id=2))
        money = receipt(100_00, name="KESTREL FOODS LLC", payer_account="DE8937040044")
        assert shares(decided(items, money, customers)) == {2: 100_00}

    def test_an_alias_that_has_ended_says_nothing(self):
        knowledge = Knowledge((Alias("QUILL MEDIA", 1, 9, DAY - timedelta(days=9), until=DAY),))
        assert (
            find(TWO, receipt(100_00, name="Quill Media"), knowledge=knowledge).reason is Reason.UNKNOWN_PAYER
        )

    @pytest.mark.parametrize(
        "name",
        [
            pytest.param("KESTREL FOO", id="cut off"),
            pytest.param("KSTRL FDS LLC", id="without vowels"),
            pytest.param("Ketsrel Foods LLC", id="two letters swapped"),
        ],
    )
    def test_a_close_name_proposes_and_says_so(self, name):
        decision = decided(TWO, receipt(100_00, name=name))
        assert decision.verdict is Verdict.PROPOSE
        assert "payer-close" in said(decision.explanation)

    def test_quotes_and_backslashes_are_a_name_like_any_other(self):
        name = "O'Brien \\ Sons' & Co"
        assert decided(TWO, receipt(100_00, name=name.upper()), (customer(1, name),)).verdict is Verdict.APPLY

    def test_on_whose_behalf_it_is_paid_is_a_suggestion(self):
        decision = decided(TWO, receipt(100_00, "RUN 5 OBO KESTREL FOODS LLC", name="ABACUS SHARED SERVICES"))
        assert decision.verdict is Verdict.PROPOSE
        assert "payer-on-behalf" in said(decision.explanation)


def test_every_mode_below_auto_applies_nothing():
    finding = find(TWO, receipt(100_00, "INV 20417"))
    for mode in ("observe", "propose"):
        decision = decide(finding, receipt(100_00, "INV 20417"), POLICY, mode)
        assert (decision.verdict, decision.reason) == (Verdict.PROPOSE, Reason.CONFIRMATION)


def test_the_threshold_rises_with_the_amount():
    money = receipt(100_00, "INV 20417", name="NORTHGATE FACTORING")
    policy = MatchPolicy(large_minor={"USD": 100_00})
    assert decided(TWO, money, policy=policy).reason is Reason.WEAK_EVIDENCE
    assert decided(TWO, money, policy=MatchPolicy(large_minor={"USD": 100_01})).verdict is Verdict.APPLY


def test_rejected_candidates_say_why():
    finding = find(TWO, receipt(42_00))
    assert [r.why for r in finding.rejected] == [
        "No set of Kestrel Foods LLC's open items adds up to the amount."
    ]
    assert finding.reason is Reason.WEAK_EVIDENCE


def test_evidence_is_readable():
    one = find(TWO, receipt(155_10, "INV 20417, 31002")).explanations[0]
    assert [e.text for e in one.evidence] == [
        "The text names invoice INV-20417, invoice INV-31002.",
        "Their open amounts add up to USD 155.10 exactly.",
        'The payer is Kestrel Foods LLC: the name "KESTREL FOODS LLC" is exactly this customer\'s.',
    ]


def test_a_small_difference_is_small_beside_what_was_asked_for_too():
    policy = replace(POLICY, small_difference_minor={"USD": 500}, small_difference_bp=100)
    items, money = [item(1, 10_000, "INV-20401")], receipt(9_850, "INV 20401")
    assert decided(items, money, policy=policy).verdict is not Verdict.APPLY
    assert decided(items, money._replace(amount_minor=9_900), policy=policy).verdict is Verdict.APPLY
    whole = replace(policy, small_difference_bp=10_000)
    assert decided(items, money, policy=whole).verdict is Verdict.APPLY


def test_a_receipt_larger_than_the_policy_allows_is_left_to_a_person():
    policy = replace(POLICY, most_minor={"USD": 1_000})
    for amount, verdict in ((1_000, Verdict.APPLY), (1_001, Verdict.PROPOSE)):
        told = decided([item(1, amount, "INV-20401")], receipt(amount, "INV 20401"), policy=policy)
        assert told.verdict is verdict
    assert told.reason is Reason.CONFIRMATION


NORTHGATE = customer(2, "Northgate Factoring")
SHORT_NUMBERS = (item(1, 100_00, "1002"), item(2, 100_00, "1001", customer_id=2))


@pytest.mark.parametrize(
    ("text", "applied"),
    [
        pytest.param("INVOICE 1001", False, id="a short invoice number that only another customer owes"),
        pytest.param("INVOICE 1002", True, id="the payer's own short number"),
        pytest.param("ROOM 1001", True, id="a number that nothing calls an invoice's"),
        pytest.param("INVOICE 002", True, id="a piece of the payer's own number"),
    ],
)
def test_an_amount_is_not_applied_where_the_text_names_what_another_customer_owes(text, applied):
    decision = decided(SHORT_NUMBERS, receipt(100_00, text), (customer(1), NORTHGATE))
    assert (decision.verdict is Verdict.APPLY) is applied
    assert shares(decision) == {1: 100_00}


SIBLINGS = (customer(1, "Marlow Paper Ltd"), *(customer(n, f"Marlow Shop {n}", parent_id=1) for n in (2, 3)))


_WEIGHED = replace(
    POLICY, automatic=POLICY.automatic | {"one item"}, weighed=True, posts=frozenset({"over-pay"})
)


@pytest.mark.parametrize(
    ("policy", "name", "verdict"),
    [
        pytest.param(POLICY, "Marlow Paper", Verdict.PROPOSE, id="by default nobody pays for others unsaid"),
        pytest.param(_WEIGHED, "Marlow Paper", Verdict.APPLY, id="a parent, where sets may be weighed"),
        pytest.param(_WEIGHED, "Marlow Shop 2", Verdict.PROPOSE, id="a child does not pay for its sibling"),
        pytest.param(_WEIGHED, "Marlowe Paper Inc", Verdict.PROPOSE, id="a name that is only close"),
    ],
)
def test_what_a_named_invoice_leaves_may_be_a_siblings(policy, name, verdict):
    items = (item(1, 481_37, "INV-20417", customer_id=2), item(2, 77_31, "INV-31002", customer_id=3))
    decision = decided(items, receipt(558_68, "INV 20417", name=name), SIBLINGS, policy=policy)
    assert shares(decision) == {1: 481_37, 2: 77_31}
    assert (decision.verdict, decision.reason) == (
        verdict,
        None if verdict is Verdict.APPLY else Reason.WEAK_EVIDENCE,
    )


def test_what_a_named_invoice_leaves_is_first_looked_for_where_it_is_owed():
    own = item(3, 77_31, "INV-40001", customer_id=2)
    items = (item(1, 481_37, "INV-20417", customer_id=2), item(2, 77_31, "INV-31002", customer_id=3), own)
    found = find(items, receipt(558_68, "INV 20417", name="Marlow Paper"), SIBLINGS)
    assert shares(found.explanations[0]) == {1: 481_37, 3: 77_31}


def test_what_fits_the_payer_is_suggested_before_a_number_that_hardly_explains_the_money():
    items = (item(1, 10_43, "INV-20417", customer_id=2), item(2, 186_43, "INV-31002"))
    policy = replace(POLICY, weighed=True, posts=frozenset({"over-pay"}))
    decision = decided(items, receipt(186_43, "INV 20417"), (customer(1), NORTHGATE), policy=policy)
    assert shares(decision) == {2: 186_43}
    assert decision.verdict is Verdict.QUEUE
    assert decision.reason is Reason.UNKNOWN_REFERENCE


@pytest.mark.parametrize(
    ("customers", "name", "owner"),
    [
        pytest.param(
            (customer(1), NORTHGATE), "KESTREL FODS LLC", 1, id="of the only customer with a close name"
        ),
        pytest.param(KESTRELS, "KESTREL FODS", None, id="of nobody, where several names are close"),
    ],
)
def test_money_in_advance_is_suggested_for_the_only_customer_that_may_be_the_payer(customers, name, owner):
    decision = decided((), receipt(500_00, "PREPAYMENT ORDER 7", name=name), customers)
    assert decision.verdict is not Verdict.APPLY
    assert decision.explanation is not None
    assert decision.explanation.customer_id == owner


class TestLooseAdvice:
    """What an advice says that does not quite belong to a receipt is suggested, never applied."""

    ITEMS = (
        item(1, 100_00, "INV-20417"),
        item(2, 55_10, "INV-31002"),
        item(3, 777_77, "INV-40000", customer_id=2),
    )
    CUSTOMERS = (customer(1), customer(2, "Marlow Paper Ltd"))

    @pytest.mark.parametrize(
        ("amount", "payer", "line", "share"),
        [
            pytest.param(
                777_77,
                "KESTREL FOOD",
                advice("40000", 777_77, name="Marlow Paper"),
                {3: 777_77},
                id="of its total, for somebody else",
            ),
            pytest.param(
                103_00,
                "KESTREL FOODS LLC",
                advice("20417", 100_00),
                {1: 100_00},
                id="of a little less than came",
            ),
            pytest.param(
                99_70,
                "KESTREL FOOD",
                advice("20417", 100_00),
                {1: 99_70},
                id="of a tolerated difference more, of a payer whose name is close",
            ),
        ],
    )
    def test_it_is_suggested(self, amount, payer, line, share):
        tolerant = replace(POLICY, small_difference_minor={"USD": 50})
        decision = decided(
            self.ITEMS, receipt(amount, name=payer), self.CUSTOMERS, policy=tolerant, remittances=(line,)
        )
        assert decision.verdict is Verdict.QUEUE
        assert shares(decision) == share

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param(advice("20417", 100_00, received=DAY - timedelta(days=8)), id="of long ago"),
            pytest.param(advice("20417", 94_00), id="of much less than came"),
            pytest.param(
                advice("31002", 103_00, total=103_00, name="Marlow Paper"),
                id="of its total, for somebody else",
            ),
            pytest.param(
                advice("20417", 100_00, name="Nobody Inc"), id="of another sender and another total"
            ),
        ],
    )
    def test_it_says_nothing(self, line):
        found = find(self.ITEMS, receipt(103_00), self.CUSTOMERS, remittances=(line,))
        assert [one.klass for one in found.explanations if one.klass is EvidenceClass.REMITTANCE] == []

    def test_what_adds_up_is_suggested_before_it(self):
        items = (*self.ITEMS, item(4, 103_00, "INV-50000", due=3))
        assert shares(
            decided(items, receipt(103_00), self.CUSTOMERS, remittances=(advice("20417", 100_00),))
        ) == {4: 103_00}

    def test_an_item_of_somebody_else_of_just_the_amount_is_suggested_where_no_candidate_fits(self):
        customers = (*self.CUSTOMERS, customer(3, "Kestrel Foods Inc"))
        decision = decided(self.ITEMS, receipt(777_77, name="KESTREL FOODS"), customers)
        assert (decision.verdict, shares(decision)) == (Verdict.QUEUE, {3: 777_77})
