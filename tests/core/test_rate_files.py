"""Files of rates: a list, or the European Central Bank's table; a bad line is a problem, never a rate."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.rate_files import NoRates, read
from arsync.core.rates import Rate

DAY = date(2026, 3, 6)
ONE = Rate(DAY, "EUR", "USD", Decimal("1.0850"))
POUND = Rate(DAY, "EUR", "GBP", Decimal("0.86"))


@pytest.mark.parametrize(
    ("text", "base", "rates"),
    [
        pytest.param(
            "date,currency,rate\n2026-03-06,EUR,1.0850\n", "USD", [ONE], id="a list in a stated base"
        ),
        pytest.param(
            "Rate,Date,Currency,Base\n1.0850,2026-03-06,EUR,USD", None, [ONE], id="a list that says its base"
        ),
        pytest.param(
            "\ufeffdate,currency,rate\r\n2026-03-06,EUR,1.0850\r\n", "USD", [ONE], id="as Excel saves it"
        ),
        pytest.param(
            "Date,USD,JPY,GBP,\n2026-03-06,1.0850,N/A,0.86,\n",
            None,
            [POUND, ONE],
            id="the bank's history, a gap left out",
        ),
        pytest.param(
            "Date, USD, GBP, \n06 March 2026, 1.0850, 0.86, \n",
            None,
            [POUND, ONE],
            id="the bank's table of one day",
        ),
        pytest.param(
            "date,currency,rate\n2026-03-06,EUR,1.0850\n\n2026-03-06,EUR,1.0850\n",
            "USD",
            [ONE],
            id="said twice alike",
        ),
    ],
)
def test_what_a_file_says(text, base, rates):
    found = read(text, base)
    assert (list(found.rates), found.bad) == (rates, ())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("2026-03-06,EUR,1,09", "4 fields", id="a comma for a point"),
        pytest.param("2026-03-06,EUR,", "is no rate", id="nothing"),
        pytest.param("2026-03-06,EUR,0.000", "is no rate", id="zero"),
        pytest.param("2026-03-06,EUR,-1.09", "is no rate", id="below zero"),
        pytest.param("2026-03-06,EUR,1e3", "is no rate", id="an exponent"),
        pytest.param("2026-03-06,EUR,NaN", "is no rate", id="not a number"),
        pytest.param("06.03.2026,EUR,1.09", "is no date", id="a date that may be two"),
        pytest.param("2026-03-06,XXX,1.09", "currency", id="no currency"),
        pytest.param("2026-03-06,USD,1.00", "in itself", id="the base itself"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_text_and_the_others_count(line, why):
    found = read(f"date,currency,rate\n{line}\n2026-03-06,GBP,1.27\n", "USD")
    (bad,) = found.bad
    assert (bad.line, bad.raw) == (2, line)
    assert why in bad.why
    assert [one.one for one in found.rates] == ["GBP"]


def test_of_two_rates_that_differ_neither_counts():
    found = read("date,currency,rate\n2026-03-06,EUR,1.08\n2026-03-06,EUR,1.09\n", "USD")
    assert (found.rates, [bad.line for bad in found.bad]) == ((), [2, 3])


def test_a_cell_of_the_wide_table_is_named_alone():
    found = read("Date,USD,GBP\n2026-03-06,1.0850,n.a.\n2026-03-05,1.08\n")
    assert list(found.rates) == [ONE]
    assert [(bad.line, bad.raw) for bad in found.bad] == [(2, "2026-03-06 GBP n.a."), (3, "2026-03-05,1.08")]


@pytest.mark.parametrize(
    ("text", "base"),
    [("", None), ("a,b\n1,2", None), ("date,currency,rate\n", None), ("Date,Amount\n2026-03-06,5", None)],
    ids=["empty", "another file", "no base", "a statement"],
)
def test_what_is_no_file_of_rates_is_refused(text, base):
    with pytest.raises(NoRates):
        read(text, base)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        read(text, "USD")
        read("Date,USD\n" + text)
    except NoRates:
        pass
