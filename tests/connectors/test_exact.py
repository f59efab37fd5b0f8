"""Numbers leave as they came."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors import exact

numbers = st.one_of(
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(), numbers),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)


@pytest.mark.parametrize("text", ["0", "100.00", "0.10", "1234567890123.45", "-0.01", "1E+2", "0.30", "5"])
def test_a_number_keeps_its_digits(text):
    assert exact.text(exact.read(text)) == text


@given(values)
def test_what_is_written_is_read_again(value):
    assert exact.read(exact.text(value)) == value


@given(values)
def test_it_is_json_for_everybody(value):
    text = exact.text(value)
    assert json.loads(text, parse_float=Decimal) == value
    assert exact.text(exact.read(text)) == text


def test_keys_keep_their_order():
    assert exact.text(exact.read('{"b":1.50,"a":[{}, []]}')) == '{"b":1.50,"a":[{},[]]}'


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "{", ""])
def test_what_is_no_number_is_no_json(text):
    with pytest.raises(ValueError, match=r"not a number|Expecting|expecting"):
        exact.read(text)


def test_a_float_has_no_exact_text():
    with pytest.raises(TypeError, match="float has no exact JSON"):
        exact.text({"Amount": 0.1})


def test_json_nested_beyond_all_measure_is_no_json_to_us():
    with pytest.raises(ValueError, match="nested"):
        exact.read("[" * 100_000)
