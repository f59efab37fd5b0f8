"""X12 820 remittance advices (ASC X12 004010)."""

from dataclasses import replace

import pytest

from arsync.connectors.bank.bankprofile import GENERIC
from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money
from arsync.errors import UnsupportedFormat

ISA = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*0900*U*00401*000000001*0*P*>~"
USD = replace(GENERIC, currency="USD")


def message(*segments, amount="100.00", separators="*~"):
    inside = [
        "ST*820*0001",
        f"BPR*C*{amount}*C*ACH*CTX*01*1*DA*2*3**01*4*DA*5*20260116",
        "TRN*1*T-9",
        "CUR*PR*USD",
        "N1*PR*O'Brien \\ Sons' & Co",
    ]
    text = ISA + "~".join([*inside, *segments, "SE*9*0001", "GE*1*1", "IEA*1*000000001", ""])
    return text.replace("*", separators[0]).replace("~", separators[1]).encode()


def one(*segments, profile=GENERIC, **more):
    (advice,) = read_file(message(*segments, **more), profile).remittances
    return advice


def paid(advice):
    return [(line.reference, line.paid and line.paid.minor) for line in advice.lines]


def test_paid_comes_before_gross_where_that_adds_up():
    advice = one("RMR*IV*INV-1**60.00*62.00*2.00", "RMR*IV*INV-2**40.00*40.00")
    assert paid(advice) == [("INV-1", 6000), ("INV-2", 4000)]
    assert (advice.payer_name, advice.reference, advice.grade) == (
        "O'Brien \\ Sons' & Co",
        "T-9",
        "bank file",
    )


def test_gross_comes_before_paid_where_only_that_adds_up():
    assert paid(one("RMR*IV*INV-1**62.00*60.00*2.00", "RMR*IV*INV-2**40.00*40.00")) == [
        ("INV-1", 6000),
        ("INV-2", 4000),
    ]


@pytest.mark.corpus
def test_the_820_row_of_the_corpus_is_paid_net(corpus):
    """Row D62: gross stands where other senders write what is paid; the payment of 5,390.00 says which it is."""
    rows = (corpus / "bank" / "remittance-dev.tsv").read_text("utf-8").splitlines()
    segment = next(row for row in rows if row.startswith("D62\t")).split("\t")[1]
    (line,) = one(segment, amount="5390.00").lines
    assert (line.reference, line.paid, line.discount) == (
        "INV-2026-8801",
        Money(539_000, "USD"),
        Money(11_000, "USD"),
    )


def test_where_neither_adds_up_nothing_is_taken_for_paid():
    advice = one("RMR*IV*INV-1**70.00*80.00")
    assert paid(advice) == [("INV-1", None)]
    assert [problem.code for problem in advice.problems] == ["remittance-does-not-add-up"]


def test_an_adjustment_counts_where_the_documents_alone_do_not_come_to_the_payment():
    advice = one("RMR*IV*INV-1**110.00", "ADX*-10.00*L7*CM*CLAIM-3")
    assert paid(advice) == [("INV-1", 11000), ("CLAIM-3", -1000)]
    explained = one("RMR*IV*INV-1**100.00*110.00", "ADX*-10.00*L7*CM*CLAIM-3")
    assert paid(explained) == [("INV-1", 10000)]


@pytest.mark.parametrize("separators", ["*~", "|~", "*\n", "^'", "*\\"])
def test_separators_are_those_the_envelope_declares(separators):
    text = (
        message("RMR*IV*INV-1**100.00", separators=separators)
        .replace(b" \\ ", b" ")
        .replace(b"O'", b"O")
        .replace(b"s'", b"s")
    )
    (advice,) = read_file(text).remittances
    assert paid(advice) == [("INV-1", 10000)]


def test_an_amount_of_more_digits_than_its_currency_is_a_problem():
    advice = one("RMR*IV*INV-1**100.005")
    assert [problem.code for problem in advice.problems] == ["remittance-unreadable"]
    assert paid(advice) == [("INV-1", None)]


def test_a_message_without_a_currency_needs_one_from_the_profile():
    data = message("RMR*IV*INV-1**100.00").replace(b"CUR*PR*USD~", b"")
    (advice,) = read_file(data).remittances
    assert [problem.code for problem in advice.problems] == ["currency-unreadable"]
    (advice,) = read_file(data, USD).remittances
    assert (advice.total, advice.problems) == (Money(100_00, "USD"), ())


def test_two_messages_are_two_advices_and_the_same_one_again_has_the_same_key():
    twice = message("RMR*IV*INV-1**100.00").replace(
        b"GE*1", b"ST*820*0002~BPR*C*5.00*C~RMR*IV*INV-2**5.00~SE*3*0002~GE*1"
    )
    first, second = read_file(twice, USD).remittances
    assert (paid(first), paid(second)) == ([("INV-1", 10000)], [("INV-2", 500)])
    assert first.key == one("RMR*IV*INV-1**100.00").key


def test_other_messages_are_refused_by_name():
    with pytest.raises(UnsupportedFormat, match="820"):
        read_file((ISA + "GS*IN*A*B*20260115*1200*1*X*004010~ST*810*1~BIG*20260101*1~SE*2*1~").encode())


def test_an_st_that_is_about_no_money_is_no_advice():
    empty = ISA.encode() + b"ST*820*0000~" + message("RMR*IV*INV-1**100.00").removeprefix(ISA.encode())
    (advice,) = read_file(empty, GENERIC).remittances
    assert [line.reference for line in advice.lines] == ["INV-1"]
