"""Names and numbers in the form in which they are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.matching import normalise
from arsync.core.matching.normalise import base_name, fold, normalise_account, normalise_payer, number_keys


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(r"O'Brien \ Sons' & Co", "OBRIEN SONS CO", id="quotes, backslash and ampersand"),
        pytest.param(
            "Smith and Sons Company", "SMITH SONS CO", id="and is like an ampersand, company like co"
        ),
        pytest.param("Müller GmbH", "MUELLER GMBH", id="an umlaut as banks spell it"),
        pytest.param("MUELLER GMBH", "MUELLER GMBH", id="which is the same name"),
        pytest.param("Société Générale S.A.", "SOCIETE GENERALE S A", id="accents go"),
        pytest.param("ORIG CO NAME:Kestrel Foods", "KESTREL FOODS", id="a bank's prefix goes"),
        pytest.param("WIRE FROM Kestrel Foods", "KESTREL FOODS", id="another bank's prefix"),
        pytest.param("  ", "", id="blank is empty"),
        pytest.param("!!!", "", id="punctuation alone is empty"),
    ],
)
def test_payer_names(name, expected):
    assert normalise_payer(name) == expected


def test_suffixes_go_only_when_a_name_is_left():
    assert base_name("KESTREL FOODS LLC") == "KESTREL FOODS"
    assert base_name("CO") == "CO"
    # "Group" and "Partners" tell firms apart; only what the law adds to a name may be missing.
    assert base_name("MERIDIAN DENTAL GROUP") == "MERIDIAN DENTAL GROUP"
    assert base_name("HALE PARTNERS LLP") == "HALE PARTNERS"


def test_a_hidden_account_is_no_account():
    assert normalise_account("****1234") == ""
    assert normalise_account("DE89 3704-0044 0532.0130.00") == "DE89370400440532013000"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param("INV-041234", ("INV041234", "INV41234", "41234"), id="prefix and zeros"),
        pytest.param("2024-00123", ("202400123", "2024-123", "~400123"), id="year and sequence"),
        pytest.param("00977/24", ("0097724", "977-24", "97724", "~097724"), id="sequence and year"),
        pytest.param("1037", ("1037",), id="a plain number"),
        pytest.param("#000123", ("000123", "123"), id="zeros alone before"),
        pytest.param("inv 20240041", ("INV20240041", "20240041", "~240041"), id="letters and many figures"),
        pytest.param("0000", (), id="nothing but zeros"),
        pytest.param("RENT", (), id="a short word names nothing"),
        pytest.param("---", (), id="no letter, no digit"),
    ],
)
def test_number_keys(number, expected):
    assert number_keys(number) == expected


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(name):
    once = normalise_payer(name)
    assert fold(once) == once
    assert " ".join(once.split()) == once


@given(st.from_regex(r"[A-Z]{0,3}-?[1-9][0-9]{4,8}", fullmatch=True))
def test_case_and_separators_do_not_matter(number):
    assert set(number_keys(number.lower().replace("-", ""))) & set(number_keys(number))


@given(st.text(alphabet="ABÄ/-#. 0012٣", max_size=14))
def test_the_usual_form_of_a_number_gives_the_keys_that_its_runs_give(number):
    assert normalise.keys_of_number(number) == normalise._keys_of_runs(normalise._RUNS.findall(fold(number)))
