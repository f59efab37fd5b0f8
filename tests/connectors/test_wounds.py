"""The judge of fuzzing can say no: an amount that stands in no text is noticed, one that stands there is not."""

import re
from itertools import islice

import pytest

from tests.connectors.wounds import Numbers, chances, without_markup, wounded


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1,234.50", 123_450),
        ("1.234,5", 123_450),
        ("0000123450", 123_450),
        ("-1234.5", -123_450),
        ("1 234,50 EUR", 123_450),
        ("5.0E3", 500_000),
        ("nothing", 0),
        (without_markup("12<!-- x -->34.50"), 123_450),
    ],
)
def test_amounts_that_stand_in_a_text(text, minor):
    assert Numbers([text]).state(minor, in_columns=False)


@pytest.mark.parametrize("text", ["1,234.51", "1234 and 50", "a12b34.50", "1123450", ""])
def test_amounts_that_do_not(text):
    assert not Numbers([text]).state(123_450, in_columns=False)


def test_in_columns_an_amount_may_touch_another_number():
    assert Numbers(["0912345061"]).state(123_450, in_columns=True)
    assert not Numbers(["0912335061"]).state(123_450, in_columns=True)


def test_the_same_chance_makes_the_same_wounds():
    def made(seed):
        lines = (re.compile(rb"(?<=\n)"),)
        return [
            wounded(b"a,1.00\nb,2.00\n", lines, chance, [b"c,3\n"]) for _, chance in islice(chances(seed), 50)
        ]

    assert made("1") == made("1") != made("2")
