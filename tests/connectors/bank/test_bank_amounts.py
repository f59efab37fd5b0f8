from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.bank.amounts import EITHER_MARK, AmountAmbiguous, AmountStyle, read_decimal, read_money
from arsync.core.money import AmountUnreadable, Money, exponent

POINT, COMMA = AmountStyle(decimal_mark="."), AmountStyle(decimal_mark=",")


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        pytest.param("-200,00", -200_00, id="decimal comma"),
        pytest.param("1.234,56", 1_234_56, id="comma, points group"),
        pytest.param("1,234.56", 1_234_56, id="point, commas group"),
        pytest.param("+5.00", 5_00, id="plus sign"),
        pytest.param("+1 006,60", 1_006_60, id="space groups"),
        pytest.param("+1\u00a0006,60", 1_006_60, id="no-break space groups"),
        pytest.param("1\u202f006,60", 1_006_60, id="narrow no-break space groups"),
        pytest.param("1'234.50", 1_234_50, id="Swiss apostrophe"),
        pytest.param("1.234.567", 1_234_567_00, id="points that only group"),
        pytest.param("1,00,000.00", 100_000_00, id="Indian groups"),
        pytest.param("\u22125.00", -5_00, id="typographic minus"),
        pytest.param("120", 120_00, id="no decimals"),
        pytest.param("2200,", 2_200_00, id="mark at the end"),
        pytest.param(".50", 50, id="mark at the start"),
        pytest.param("-46.0000", -46_00, id="zeros beyond the cents are not digits lost"),
        pytest.param("+00000000000000.1600", 16, id="padded with zeros"),
    ],
)
def test_amounts_where_either_mark_is_allowed(text, minor):
    assert read_money(text, "USD", EITHER_MARK) == Money(minor, "USD")


@pytest.mark.parametrize(
    "text",
    [
        *[
            "$120",
            "NaN",
            "Infinity",
            "1e999",
            "1e5",
            "0x10",
            "",
            " ",
            "--5",
            "+-5",
            "5-",
            "(5.00)",
            "5.00 CR",
        ],
        *[
            "1.2.3",
            "12.34.56",
            "1,23,456.789.1",
            "1 23",
            "1_000.00",
            "\u0663\u066b\u0665\u0660",
            "\uff11\uff12.00",
            "8.4850",
            "0,125",
        ],
        *["1234567890123456.00", "1.000000", "9" * 100],
    ],
)
def test_what_is_no_amount_is_unreadable_never_zero(text):
    with pytest.raises(AmountUnreadable):
        read_money(text, "USD", EITHER_MARK)


@pytest.mark.parametrize("text", ["2,000", "2.000", "-12,345", "999.999"])
def test_two_readings_are_no_reading(text):
    with pytest.raises(AmountAmbiguous):
        read_money(text, "USD", EITHER_MARK)


@pytest.mark.parametrize(
    ("text", "style", "currency", "minor"),
    [
        pytest.param("2,000", COMMA, "USD", 2_00, id="the declared comma is the mark"),
        pytest.param("2,000", POINT, "USD", 2_000_00, id="the declared point makes the comma a group"),
        pytest.param("2.000", COMMA, "EUR", 2_000_00, id="the declared comma makes the point a group"),
        pytest.param("2.000", EITHER_MARK, "KWD", 2_000, id="a currency of three digits has one reading"),
        pytest.param("1,500", POINT, "JPY", 1_500, id="yen have no decimals"),
        pytest.param("£67.40", AmountStyle(".", ("£",)), "GBP", 67_40, id="currency sign before"),
        pytest.param(
            "+ £1,100.00", AmountStyle(".", ("£",)), "GBP", 1_100_00, id="sign, space, currency sign"
        ),
        pytest.param("- $220.00", AmountStyle(".", ("$",)), "USD", -220_00, id="minus, space, currency sign"),
        pytest.param("$-5.00", AmountStyle(".", ("$",)), "USD", -5_00, id="minus after the currency sign"),
        pytest.param("(1,234.56)", AmountStyle(".", parentheses=True), "USD", -1_234_56, id="brackets"),
        pytest.param("5.00-", AmountStyle(".", trailing_sign=True), "USD", -5_00, id="minus at the end"),
    ],
)
def test_amounts_in_a_declared_style(text, style, currency, minor):
    assert read_money(text, currency, style) == Money(minor, currency)


@pytest.mark.parametrize("text", ["1.234,56", "1,23", "(5.00)", "£5.00", "-(5.00)"])
def test_a_style_reads_nothing_it_does_not_declare(text):
    with pytest.raises(AmountUnreadable):
        read_money(text, "USD", POINT)


def test_an_unknown_currency_is_unreadable():
    with pytest.raises(AmountUnreadable):
        read_money("5.00", "XXQ", POINT)


@given(
    st.integers(-(10**14), 10**14),
    st.sampled_from(["USD", "JPY", "KWD"]),
    st.sampled_from("., "),
    st.booleans(),
)
def test_every_written_amount_reads_back(minor, currency, group, comma):
    mark = "," if comma else "."
    digits = exponent(currency)
    text = f"{Decimal(minor).scaleb(-digits):,f}"
    grouped = text.replace(",", "_").replace(".", mark).replace("_", "" if group == mark else group)
    style = AmountStyle(decimal_mark=mark)
    assert read_money(grouped, currency, style) == Money(minor, currency)


@given(
    st.text(max_size=80), st.sampled_from([EITHER_MARK, POINT, COMMA, AmountStyle(".", ("$",), True, True)])
)
def test_any_text_is_a_finite_number_or_unreadable(text, style):
    try:
        number = read_decimal(text, style)
    except AmountUnreadable:
        return
    assert number.is_finite()
    assert any(c.isdigit() for c in text)
