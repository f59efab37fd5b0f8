"""Money: exact from text to text, nothing rounded, nothing lost when it is divided."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.money import AmountUnreadable, Money, exponent, total

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])
MINOR = st.integers(-(10**15) + 1, 10**15 - 1)
MONEY = st.builds(Money, MINOR, CURRENCIES)
USD = st.builds(Money, MINOR, st.just("USD"))


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        pytest.param("12.34", "USD", 1234, id="dollars and cents"),
        pytest.param("12", "USD", 1200, id="whole dollars"),
        pytest.param("12.3", "USD", 1230, id="one digit after the mark"),
        pytest.param("12.3400", "USD", 1234, id="zeros say nothing finer"),
        pytest.param("-0.01", "USD", -1, id="one cent the other way"),
        pytest.param("0", "USD", 0, id="nothing"),
        pytest.param("-0.00", "USD", 0, id="minus nothing is nothing"),
        pytest.param("1E+2", "USD", 10000, id="a power of ten"),
        pytest.param("12", "JPY", 12, id="yen have no digits"),
        pytest.param("1.234", "KWD", 1234, id="dinar have three"),
        pytest.param("0.0001", "CLF", 1, id="unidades de fomento have four"),
        pytest.param("0.1", "USD", 10, id="a tenth, which no float holds"),
    ],
)
def test_an_amount_is_read_exactly(text, currency, minor):
    assert Money.of(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        pytest.param("12.345", "USD", id="finer than a cent"),
        pytest.param("0.5", "JPY", id="half a yen"),
        pytest.param("1.2345", "KWD", id="finer than a fils"),
        pytest.param("", "USD", id="nothing at all"),
        pytest.param("twelve", "USD", id="words"),
        pytest.param("12,34", "USD", id="a comma"),
        pytest.param("1 234.00", "USD", id="a space inside"),
        pytest.param("$12.34", "USD", id="a sign of currency"),
        pytest.param("NaN", "USD", id="not a number"),
        pytest.param("Infinity", "USD", id="without end"),
        pytest.param("1e400", "USD", id="a power nobody has"),
        pytest.param("1000000000000000", "USD", id="sixteen digits"),
        pytest.param("12.34", "XXX", id="no currency"),
        pytest.param("12.34", "usd", id="a currency in small letters"),
        pytest.param("12.34", "", id="a currency left out"),
    ],
)
def test_what_is_no_amount_is_unreadable_and_kept(text, currency):
    with pytest.raises(AmountUnreadable) as met:
        Money.of(text, currency)
    assert met.value.raw in (text, currency)
    assert met.value.why


@given(MONEY)
def test_text_read_back_is_the_same_money(money):
    assert Money.of(money.text(), money.currency) == money
    assert Money.of(money.decimal(), money.currency) == money
    assert money.grouped().replace(",", "") == money.text()
    assert str(money) == f"{money.currency} {money.grouped()}"


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9),
    CURRENCIES,
)
def test_an_amount_is_exact_or_unreadable(value, currency):
    try:
        assert Money.of(value, currency).decimal() == value
    except AmountUnreadable:
        assert value != round(value, exponent(currency))


@given(USD, USD, USD)
def test_adding_is_adding(one, two, three):
    assert (one + two) + three == one + (two + three)
    assert one + two == two + one
    assert one - two == one + -two
    assert one - one == Money.zero("USD")
    assert not one - one
    assert abs(one) == abs(-one)
    assert (one < two) == (one.decimal() < two.decimal())
    assert (one <= two) == (one.decimal() <= two.decimal())


@given(USD)
def test_two_currencies_are_never_mixed(one):
    other = Money(1, "EUR")
    for mixed in (lambda: one + other, lambda: one - other, lambda: one < other, lambda: one <= other):
        with pytest.raises(ValueError, match="USD and EUR"):
            mixed()


@given(MONEY, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_dividing_loses_nothing(money, weights):
    parts = money.allot(weights)
    assert total(parts, money.currency) == money
    assert len(parts) == len(weights)
    for part, weight in zip(parts, weights, strict=True):
        exact = Decimal(money.minor) * weight / sum(weights)
        assert abs(part.minor - exact) < 1, "no part is a whole unit off"
        assert weight or not part, "what has no weight gets nothing"


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        pytest.param(100, [1, 1, 1], [34, 33, 33], id="the first gets the odd cent"),
        pytest.param(-100, [1, 1, 1], [-34, -33, -33], id="the same the other way"),
        pytest.param(1, [1, 1], [1, 0], id="one cent for two"),
        pytest.param(0, [3, 5], [0, 0], id="nothing for two"),
        pytest.param(7, [0, 1], [0, 7], id="all to one"),
        pytest.param(10, [5, 3, 2], [5, 3, 2], id="it divides evenly"),
    ],
)
def test_dividing_gives_the_odd_units_to_the_largest_remainder(minor, weights, parts):
    assert [part.minor for part in Money(minor, "USD").allot(weights)] == parts


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2]], ids=["no weights", "all zero", "below zero"])
def test_weights_that_say_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        Money(100, "USD").allot(weights)


@given(st.lists(MINOR.filter(lambda minor: abs(minor) < 10**12)))
def test_the_sum_of_many(minors):
    assert total((Money(minor, "USD") for minor in minors), "USD") == Money(sum(minors), "USD")


# ---- what a Decimal would have let through


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(
            "1." + "0" * 40 + "1", "2 decimal digits", id="finer than the 28 digits a Decimal rounds to"
        ),
        pytest.param("1E-999999999", "2 decimal digits", id="nearly nothing is not nothing"),
        pytest.param("1E+999999999", "over 15 digits", id="beyond all memory"),
        pytest.param("1E+99999999999999999999", "exponent", id="an exponent no computer holds"),
        pytest.param("1000000000000000", "over 15 digits", id="sixteen digits"),
        pytest.param("1_000", "not a number", id="grouped as in program code"),
        pytest.param(" 12", "not a number", id="a blank before"),
        pytest.param("12\n", "not a number", id="a line end behind"),
        pytest.param("١٢", "not a number", id="digits of another script"),
        pytest.param("", "not a number", id="nothing at all"),
    ],
)
def test_only_plain_exact_numbers_are_amounts(text, why):
    with pytest.raises(AmountUnreadable, match=why) as refused:
        Money.of(text, "USD")
    assert refused.value.raw == text


def test_long_amounts_are_written_whole():
    amount = Money(10**32 + 1, "USD")
    assert amount.text() == "1" + "0" * 30 + ".01"
    assert amount.grouped() == "1" + ",000" * 10 + ".01"


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        pytest.param(100, [1, 2, 3], [17, 33, 50], id="the largest remainder takes the odd cent"),
        pytest.param(100, [3, 2, 1], [50, 33, 17], id="wherever it stands"),
        pytest.param(200, [1, 1, 1], [67, 67, 66], id="equal remainders: the earlier ones"),
        pytest.param(-100, [1, 2, 3], [-17, -33, -50], id="the same the other way"),
    ],
)
def test_who_gets_the_odd_cents(minor, weights, parts):
    assert Money(minor, "USD").allot(weights) == tuple(Money(part, "USD") for part in parts)


@pytest.mark.parametrize("minor", [-5, 0, 5])
def test_the_size_of_an_amount(minor):
    assert abs(Money(minor, "JPY")) == Money(max(minor, -minor), "JPY")
