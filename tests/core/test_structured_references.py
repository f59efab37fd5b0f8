"""References with check digits: examples as their publishers print them, and the law that a wrong digit is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.structured_references import (
    belgian,
    carried,
    confusion_key,
    find,
    luhn,
    readings,
    recursive_mod_10,
    rf,
    seven_three_one,
    swedish,
    swiss,
)

PRINTED = [
    pytest.param("RF18 5390 0754 7034", "RF", "539007547034", id="ISO 11649, as the standard prints it"),
    pytest.param("RF712348231", "RF", "2348231", id="RF with a national number"),
    pytest.param("+++090/9337/55493+++", "BE", "0909337554", id="Belgian OGM between plus signs"),
    pytest.param("***090/9337/55493***", "BE", "0909337554", id="Belgian OGM between stars"),
    pytest.param(
        "21 00000 00003 13947 14300 09017", "CH", "21000000000313947143000901", id="Swiss QRR in groups"
    ),
    pytest.param("1234561", "FI", "123456", id="Finnish viitenumero"),
    pytest.param("1234561", "EE", "123456", id="Estonian viitenumber"),
    pytest.param("2345676", "NO", "234567", id="Norwegian KID by mod 10"),
    pytest.param("1234567897", "SE", "123456789", id="Swedish OCR"),
    pytest.param("SI12 1234567890120", "SI", "123456789012", id="Slovenian model 12"),
    pytest.param("+71<000000000012344", "DK", "00000000001234", id="Danish FI-kort 71"),
]


@pytest.mark.parametrize(("text", "scheme", "payload"), PRINTED)
def test_a_printed_reference_is_read_as_its_publisher_means_it(text, scheme, payload):
    assert (scheme, payload) in {(one.scheme, one.payload) for one in readings(text)}


@pytest.mark.parametrize(
    "text",
    [
        "RF19 5390 0754 7034",
        "+++090/9337/55494+++",
        "21 00000 00003 13947 14300 09018",
        "RF18",
        "",
        "INV-1001",
        "SI12 7",
    ],
)
def test_a_wrong_check_digit_is_no_certain_reference(text):
    assert not any(one.certain for one in readings(text))
    assert find(text) == ()


def test_a_bare_number_that_fits_by_chance_is_not_certain():
    assert not any(one.certain for one in readings("1234561"))


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("Payment RF18 5390 0754 7034 thank you", ["RF18539007547034"]),
        ("ref RF18539007547034", ["RF18539007547034"]),
        ("+++090/9337/55493+++ MARCH", ["090933755493"]),
        ("090/9337/55493", ["090933755493"]),
        ("QRR 210000000003139471430009017.", ["210000000003139471430009017"]),
        ("tel 030 1234561, invoice 1234561, 22.000,00", []),
        ("IBAN DE89 3704 0044 0532 0130 00", []),
        ("card 4111 1111 1111 1111", []),
    ],
)
def test_references_are_found_in_a_text_only_where_their_form_says_so(text, references):
    assert [one.reference for one in find(text)] == references


DIGITS = st.text("0123456789", min_size=4, max_size=18)


@given(DIGITS, st.integers(0, 30), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(digits, at, off):
    for check, rule in ((luhn, swedish), (seven_three_one, lambda t: readings_of("FI", t))):
        whole = digits + str(check(digits))
        assert rule(whole) is not None
        place = at % len(whole)
        wrong = whole[:place] + str((int(whole[place]) + off) % 10) + whole[place + 1 :]
        assert rule(wrong) is None


def readings_of(scheme, text):
    return next((one for one in readings(text) if one.scheme == scheme), None)


@given(st.text("0123456789", min_size=26, max_size=26), st.integers(0, 26), st.integers(1, 9))
def test_one_wrong_digit_of_a_swiss_reference_is_always_seen(digits, place, off):
    whole = digits + str(recursive_mod_10(digits))
    assert swiss(whole).payload == digits
    assert swiss(whole[:place] + str((int(whole[place]) + off) % 10) + whole[place + 1 :]) is None


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=21))
def test_every_rf_reference_made_by_the_rule_is_read(payload):
    number = int("".join(str(int(char, 36)) for char in payload + "RF00"))
    made = f"RF{98 - number % 97:02}{payload}"
    assert rf(made).payload == payload


@given(st.integers(0, 10**10 - 1))
def test_every_belgian_reference_made_by_the_rule_is_read(number):
    assert belgian(f"+++{number:010}{number % 97 or 97:02}+++").payload == f"{number:010}"


@pytest.mark.parametrize(
    ("reference", "number"),
    [
        (swiss("21" + "0" * 8 + "313947143000901" + "7") or swiss("210000000003139471430009017"), "901"),
        (swedish("202600425"), "20260042"),
        (rf("RF712348231"), "2348231"),
    ],
    ids=["the end of a Swiss reference", "an OCR without its Luhn digit", "RF without its prefix"],
)
def test_what_a_reference_carries(reference, number):
    assert number in carried(reference)


@pytest.mark.parametrize(
    ("typed", "meant", "same"),
    [
        ("MOO123", "M00123", True),
        ("Il10O", "11100", True),
        ("INV-S8", "1NV58", True),
        ("1001", "1002", False),
    ],
)
def test_letters_that_look_like_digits_have_one_key(typed, meant, same):
    assert (confusion_key(typed) == confusion_key(meant)) == same


@pytest.mark.corpus
def test_the_swedish_reference_of_the_corpus_carries_its_invoice(corpus):
    """Row D56: a number the payer saw with a Luhn digit behind it."""
    text = (corpus / "bank" / "remittance-dev.tsv").read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("D56\t"))
    reference, invoice = row.split("\t")[1].split(" for invoice ")
    assert invoice.replace("-", "") in {number for one in readings(reference) for number in carried(one)}
