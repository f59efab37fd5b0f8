"""One sum explains one line or none; a return's code says what follows."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.deposits import Line, Sum, partner, remainder
from arsync.core.returns import consequence

SUM = Sum(1, 10_000, "USD", date(2026, 1, 15), "po_ABCDE")
LINE = Line(7, 10_000, "USD", date(2026, 1, 16), "STRIPE PAYOUT")

FITS = [
    pytest.param([LINE], 7, id="same amount, a day later"),
    pytest.param([LINE, replace(LINE, id=8, amount_minor=1)], 7, id="beside another amount"),
    pytest.param([LINE, replace(LINE, id=8)], None, id="two of the same amount"),
    pytest.param([LINE, replace(LINE, id=8, text="po_abcde")], 8, id="two, of which one names it"),
    pytest.param([replace(LINE, amount_minor=9_000, text="PO _ABCDE")], 7, id="another amount that names it"),
    pytest.param([replace(LINE, amount_minor=9_000)], None, id="another amount"),
    pytest.param([replace(LINE, currency="EUR")], None, id="another currency"),
    pytest.param([replace(LINE, booked=date(2026, 1, 26))], None, id="eleven days later"),
    pytest.param([replace(LINE, booked=date(2026, 1, 11))], None, id="four days before"),
    pytest.param([], None, id="no line"),
]


@pytest.mark.parametrize(("lines", "wanted"), FITS)
def test_a_sum_explains_one_line_or_none(lines, wanted):
    found = partner(SUM, lines)
    assert (found and found.id) == wanted


def test_a_short_reference_names_nothing():
    assert partner(replace(SUM, reference="po"), [LINE, replace(LINE, id=8, text="po")]) is None


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(-(10**6), 10**6)))
def test_parts_and_remainder_are_the_line(line, parts):
    assert sum(parts) + remainder(line, parts) == line


@pytest.mark.parametrize(
    ("code", "then"),
    [
        *[
            ("R01", "present again"),
            ("r09 ", "present again"),
            ("R03", "ask for account"),
            ("R07", "dispute"),
        ],
        *[
            ("AC04", "ask for account"),
            ("MD06", "dispute"),
            ("MD01", "ask for consent"),
            ("902", "ask for account"),
        ],
        *[("906", "present again"), ("", None), (None, None), ("R00", None), ("914", "ask the bank")],
    ],
)
def test_a_reason_says_what_follows(code, then):
    found = consequence(code)
    assert (found and found.then) == then
