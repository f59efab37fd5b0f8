"""What a currency was worth in another on a day: as published, turned round, across a third; never guessed."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.rates import STANDS_DAYS, Rate, Rates, between, worth

FRIDAY = date(2026, 3, 6)


def rate(value, one="EUR", other="USD", on=FRIDAY):
    return Rate(on, one, other, Decimal(value))


ECB = (rate("1.0850"), rate("0.8600", other="GBP"), rate("160.25", other="JPY"))


@pytest.mark.parametrize(
    ("one", "other", "is_"),
    [
        pytest.param("EUR", "USD", Fraction("1.085"), id="as published"),
        pytest.param("USD", "EUR", 1 / Fraction("1.085"), id="turned round, exactly"),
        pytest.param("GBP", "USD", Fraction("1.085") / Fraction("0.86"), id="across the euro"),
        pytest.param(
            "JPY", "GBP", Fraction("0.86") / Fraction("160.25"), id="across the euro, neither is home"
        ),
        pytest.param("USD", "USD", Fraction(1), id="a currency in itself"),
        pytest.param("CHF", "USD", None, id="a currency nobody published"),
    ],
)
def test_two_currencies(one, other, is_):
    found = Rates(ECB).at(FRIDAY, one, other)
    assert (found.value if found else None) == is_


@pytest.mark.parametrize(
    ("days_later", "is_there"),
    [(0, True), (1, True), (STANDS_DAYS, True), (STANDS_DAYS + 1, False), (-1, False)],
)
def test_a_rate_stands_for_five_days_after_its_own_and_never_before(days_later, is_there):
    found = Rates(ECB).at(FRIDAY + timedelta(days=days_later), "EUR", "USD")
    assert (found is not None) == is_there
    assert found is None or found.on == FRIDAY


def test_the_newest_day_counts_and_the_pair_itself_before_one_across_a_third():
    newer = rate("1.1000", on=FRIDAY + timedelta(days=3))
    own = rate("1.3000", one="GBP")
    rates = Rates((*ECB, newer, own))
    assert rates.at(FRIDAY + timedelta(days=4), "EUR", "USD").value == Fraction("1.1")
    assert rates.at(FRIDAY, "GBP", "USD").value == Fraction("1.3")


def test_a_yen_has_no_cents():
    assert worth(Fraction("160.25"), "EUR", "JPY") == Fraction("1.6025")
    assert worth(Fraction("0.0063"), "JPY", "USD") == Fraction("0.63")


def test_only_what_says_something_of_these_currencies_is_kept():
    strangers = (rate("1.50", one="AUD", other="NZD"), rate("0.95", other="CHF"))
    assert between((*ECB, *strangers), frozenset({"USD", "GBP"})) == list(ECB[:2])
    assert between((*ECB, *strangers), frozenset({"USD", "AUD"})) == []
    assert between((*ECB, *strangers), frozenset({"USD", "EUR"})) == [ECB[0]]


VALUES = st.decimals("0.0001", "9999", places=4)


@given(usd=VALUES, gbp=VALUES, days=st.integers(-3, 9))
def test_there_and_back_again_is_where_one_was(usd, gbp, days):
    rates, on = Rates((rate(usd), rate(gbp, other="GBP"))), FRIDAY + timedelta(days=days)
    for one, other in (("EUR", "USD"), ("USD", "GBP"), ("GBP", "EUR")):
        there, back = rates.at(on, one, other), rates.at(on, other, one)
        assert (there is None) == (back is None)
        assert there is None or there.value * back.value == 1
