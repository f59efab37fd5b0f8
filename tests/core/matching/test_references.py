"""What a payer's text names. Every text is our own, one for each way found in public bank files."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.matching import references
from arsync.core.matching.normalise import number_keys
from arsync.core.matching.references import mask, read
from tests.conftest import CORPUS


def named(text, *numbers, joinings=()):
    """The numbers, of those given, that a text names."""
    owner = {key: number for number in reversed(numbers) for key in reversed(number_keys(number))}
    reading = read((text, *joinings), owner)
    return list(dict.fromkeys(owner[mention.key] for mention in reading.mentions))


OPEN = ("20417", "31002", "INV-000731", "2024-00123", "00977/24", "SI24000455", "1928500881")

NAMES = [
    pytest.param("FAKTUUR 20417", ["20417"], id="a keyword and a number"),
    pytest.param("invoice 20417", ["20417"], id="a keyword in lower case"),
    pytest.param("20417", ["20417"], id="a number and nothing else"),
    pytest.param("20417,31002", ["20417", "31002"], id="a bare list with commas"),
    pytest.param("20417/31002", ["20417", "31002"], id="a list with slashes"),
    pytest.param("20417 AND 31002", ["20417", "31002"], id="a list with words"),
    pytest.param("20417, 20417, 31002", ["20417", "31002"], id="a number twice counts once"),
    pytest.param("CUST 31002-INV20417", ["20417"], id="a customer number glued to an invoice by a dash"),
    pytest.param("CONTRACT 31002/20417", ["20417"], id="a contract, and the invoice after a slash"),
    pytest.param("KLANTNUMMER 31002/ FAKTUUR 20417", ["20417"], id="a customer number is no invoice"),
    pytest.param("Rechnung 20417 Messe Kundennr 31002", ["20417"], id="a customer number after other words"),
    pytest.param("FAKTUUR 20417-009", ["20417"], id="a suffix after a dash"),
    pytest.param("INV. 24/11/03-20417", ["20417"], id="a date inside the reference"),
    pytest.param("FAKNR* 20417 FAKDAT* 03112024", ["20417"], id="labels with asterisks"),
    pytest.param("Rechnung-Nr.: INV-000731 v. 13.02.24", ["INV-000731"], id="a German label and a date"),
    pytest.param(
        "Ihre Rechnung inv-000731 vom 15.09.2024 DANKE", ["INV-000731"], id="a prefix in lower case"
    ),
    pytest.param("Factuur 20417/KPDT/2024-04-04", ["20417"], id="a slash code right after"),
    pytest.param("factuurnummer 20417cursus", ["20417"], id="words glued to the number"),
    pytest.param("BETREFT 20417INCASSO", ["20417"], id="a word glued behind"),
    pytest.param("XX20417XX TRAINING", ["20417"], id="padded with letters"),
    pytest.param("FA20417", ["20417"], id="a label glued in front"),
    pytest.param("RES.NR 0020417", ["20417"], id="leading zeros added"),
    pytest.param("INV-731", ["INV-000731"], id="leading zeros dropped behind a prefix"),
    pytest.param("/REMI//INV/20417 1.12.2024", ["20417"], id="SWIFT structured remittance"),
    pytest.param("EREF+RECHNR. 20417MREF+KD20700SVWZ+02/2024", ["20417"], id="SEPA tags without separators"),
    pytest.param("EREF+998877SVWZ+RG 20417", ["20417"], id="a SEPA purpose after an end-to-end id"),
    pytest.param("PAYMENT OF INVOICES 31002 204 17", ["31002", "20417"], id="a space inside a number"),
    pytest.param("1928 5008 81", ["1928500881"], id="a number printed in groups"),
    pytest.param("INV 2024-123", ["2024-00123"], id="zeros dropped inside"),
    pytest.param("INV 202400123", ["2024-00123"], id="separators dropped"),
    pytest.param("INV 977/24", ["00977/24"], id="zeros dropped before a slash"),
    pytest.param("YOUR INV 500881", ["1928500881"], id="the last six digits"),
    pytest.param("inv si24000455 dtd 12/03/24", ["SI24000455"], id="glued prefix in lower case"),
    pytest.param("20417 INV-000731", ["20417", "INV-000731"], id="two kinds of number"),
]


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_the_text_names(text, expected):
    assert named(text, *OPEN) == expected


NOTHING = [
    pytest.param("Levbet Example AB (204178)", id="a number inside a longer one"),
    pytest.param("DEM 20.417,00 KRS 112,72500", id="an amount and a rate"),
    pytest.param("POSTBANK  10  F   204,17", id="a clearing amount"),
    pytest.param("AFREKENING T/M 20-04-2017", id="a date"),
    pytest.param("01.09.2024 - 30.09.2024", id="a period"),
    pytest.param("TEL 555 20417", id="a phone number"),
    pytest.param("GB82 WEST 1234 5698 7654 32", id="an IBAN"),
    pytest.param("KUNDENNR. 20417", id="a customer number"),
    pytest.param("NUMÉRO CLIENT 01-20417-3", id="the middle of a customer number"),
    pytest.param("MANDATE REF 20417", id="a mandate"),
    pytest.param("VERTRAG NR. 20417", id="a contract"),
    pytest.param("A/C 20417", id="an account"),
    pytest.param("AMT 20417", id="an amount without decimals"),
    pytest.param("card 4111222033334417", id="a card number"),
    pytest.param("500881", id="last six digits glued to nothing are read, but only as weak"),
]


@pytest.mark.parametrize("text", NOTHING)
def test_the_text_names_nothing_for_sure(text):
    owner = {key: number for number in OPEN for key in number_keys(number)}
    assert not [mention for mention in read((text,), owner).mentions if not mention.weak]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "47575,68584-84", ["47575", "68584"], id="an end that is not higher is no second number"
        ),
        pytest.param("68584-86", ["68584", "68586"], id="an abbreviated second number"),
        pytest.param("68584, 86", ["68584", "68586"], id="abbreviated after a comma"),
        pytest.param("INV-68584/86", ["68584", "68586"], id="abbreviated after a slash, with a prefix"),
        pytest.param("68584 86", ["68584"], id="after a space it is only another number"),
    ],
)
def test_abbreviated_second_numbers(text, expected):
    assert named(text, "47575", "68584", "68586") == expected


def test_a_number_cut_at_a_line_break_is_read_in_the_other_joining():
    assert named("INV 204 ACME 17", "20417") == []
    assert named("861835-5746311 43", "861835-574631143", joinings=("861835-574631143",)) == [
        "861835-574631143"
    ]


def test_a_missing_number_is_told_only_after_a_word_for_invoice():
    assert read(("INV 99887 and BACS 77665",), {"20417"}).unknown == ("99887",)
    assert read(("BACS 77665",), {"20417"}).unknown == ()


@pytest.mark.parametrize(
    ("text", "open_end"),
    [
        pytest.param("INV 315897/3159", True, id="another number breaks off"),
        pytest.param("INV 315897/98", False, id="an abbreviated one is whole"),
        pytest.param("INV 315897/24", False, id="a year"),
        pytest.param("INV 315897 3159", True, id="after a space"),
    ],
)
def test_a_list_that_breaks_off_may_go_on(text, open_end):
    assert read((text,), {"315897", "315898"}).open_end is open_end


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        pytest.param("INVOICE REF 99887", ("99887",), id="the label of an invoice's number"),
        pytest.param("INV 20417 99887", ("99887",), id="one more of a list"),
        pytest.param("INV 20417 NO 99887", ("99887",), id="one more, said again"),
        pytest.param("INV 20417 REF 99887", (), id="the payment's own reference"),
        pytest.param("INV 20417 REF INV 99887", ("99887",), id="a reference that says invoice"),
        pytest.param("REF 99887", (), id="a reference and nothing else"),
    ],
)
def test_a_reference_after_an_invoice_is_the_payments(text, unknown):
    assert read((text,), {"20417"}).unknown == unknown


def test_short_numbers_are_weak():
    owner = {"1037": "1037", "88": "88"}
    assert [(m.key, m.weak) for m in read(("1037",), owner).mentions] == [("1037", True)]
    assert read(("88 boxes",), owner).mentions == ()
    assert [m.key for m in read(("INV 88",), owner).mentions] == ["88"]


@given(st.text(alphabet="0123456789 -/.,INVABC+", max_size=60), st.integers(10_000, 9_999_999))
def test_a_number_that_is_found_stands_in_the_text_digit_by_digit(text, number):
    known = set(number_keys(str(number)))
    if read((text,), known).mentions:
        digits = "".join(char for char in text if char.isdigit())
        assert str(number)[-6:] in digits or str(number)[:-1] in digits


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text):
    assert isinstance(mask(text), str)
    read((text,), {"1", "12345"})


# --- the shared corpus of real texts ---------------------------------------------------------------

# Rows whose expectation is prose: what is open, and what arsync says the text names. All others are exact.
ANSWERS = {
    # A Dutch payment reference of 16 digits, cut by a line and glued to another number: it names nothing.
    "D27": (["0000000185039955"], []),
    # A return: the order it takes back is linked by its end-to-end id; here its number is read like any other.
    "D44": (["40005 00005"], ["40005 00005"]),
    # Inside a Swiss reference the seller's layout says where the invoice stands; the end of it is weak.
    "D47": (["11111", "302388292"], []),
    # A batch: its details carry the references; neither its date nor the middle of the customer number is one.
    "D48": (["22032017", "2017", "70884"], []),
    # Words for a column of its own, which a profile maps.
    "D51": (["1"], []),
    # Look-alike letters alone are no number: a slip is judged with the amount (`named.resembles`).
    "D54": (["11100"], []),
    "D59": (["40203632", "8940203"], []),
    # Words about references that begin with RF; those themselves are tested in test_structured_references.
    "D60": (["8"], []),
    # A row of an advice with words in place of its elements: nothing to read.
    "D63": (["1001"], []),
}
# Read by somebody else than the reader of texts, where a test says so of the same row.
ELSEWHERE = {
    "D56": "test_the_swedish_reference_of_the_corpus_carries_its_invoice",
    "D62": "test_the_820_row_of_the_corpus_is_paid_net",
}


def _corpus():
    path = CORPUS / "bank" / "remittance-dev.tsv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.corpus
def test_real_texts_name_what_they_should():
    rows = _corpus()
    if not rows:
        pytest.skip("the shared corpus is not beside the project")
    wrong = []
    for row in rows:
        if row["id"] in ANSWERS or row["id"] in ELSEWHERE:
            continue
        expected = row["expected (ours)"].split("(")[0].strip()
        text, _, _ = row["text"].partition(" for invoice ")
        text = text.split(" for ")[0].split(" vs ")[0]
        if expected in {"none", "payout"}:
            alternatives = [[]]
            # D57 is about a number inside a longer one; elsewhere the text's own digits are documents.
            known = ["14", "990001", *(re.findall("[0-9]{3,}", text) if row["id"] != "D57" else ())]
        else:
            alternatives = [
                [part.strip() for part in option.split(";") if "=" not in part]
                for option in expected.split("|")
            ]
            known = [number for option in alternatives for number in option] + ["990001"]
        if not any(_names(_joinings(text), option, known) for option in alternatives):
            wrong.append((row["id"], row["text"], alternatives))
    assert wrong == []


def _joinings(text):
    """The two joinings a reader gives of a text cut at the borders of its fields."""
    broken = text.replace("?22", "|").replace("?25", "|")
    return broken.replace(" | ", " ").replace("|", " "), broken.replace(" | ", "\n").replace("|", "")


def _names(joinings, option, known):
    """Only this alternative's documents are open, besides one that nothing names."""
    mine = [*option, "990001"] if option else known
    return set(named(joinings[0], *mine, joinings=joinings[1:])) == set(option)


@pytest.mark.corpus
@pytest.mark.parametrize("row", ANSWERS)
def test_what_is_answered_where_the_expectation_is_prose(row):
    found = [one for one in _corpus() if one["id"] == row]
    if not found:
        pytest.skip("the shared corpus is not beside the project")
    known, answer = ANSWERS[row]
    first, *others = _joinings(found[0]["text"])
    assert named(first, *known, joinings=others) == answer


@pytest.mark.parametrize("test", ELSEWHERE.values())
def test_rows_read_elsewhere_have_their_tests(test):
    tests = Path(__file__).parents[2]
    assert any(f"def {test}(" in path.read_text("utf-8") for path in tests.rglob("test_*.py"))


@given(
    st.lists(
        st.sampled_from(
            [
                "TEL",
                "FAX 0",
                "KLANT",
                "KUNDENNR.",
                "K-NR",
                "DEBNR",
                "CUST",
                "ID",
                "A/C",
                "ACCOUNT NO",
                "VERTRAGSKONTO",
                "JAN",
                "MEI",
                "OKT",
                "DEZ",
                "AMT",
                "EUR",
                "KURS",
                "DEM",
                "DE89370400440532013000",
                "+31612345678",
                "2026-03",
                "03/2026",
                "1.234,56",
                "12.50",
                "24.12.2025",
                "26/03/02",
                "INV",
                "INV-2041",
                "2041",
                " ",
                " ",
                "-",
                "/",
                "5",
                "2026",
                "A",
            ]
        ),
        max_size=8,
    )
)
def test_a_text_passed_over_quickly_has_nothing_to_mask(pieces):
    for glue in ("", " "):
        text = glue.join(pieces)
        assert references.mask(text) == references._MASKS.sub(references._blank, text)
