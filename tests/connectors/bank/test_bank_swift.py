"""MT940 and MT942 (SWIFT Standards MT Category 9), with the texts of German, Dutch, Polish and other banks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money
from arsync.errors import FileRefused, UnsafeFile

HEAD = ":20:STARTUMS\n:25:10020030/1234567\n:28C:7/1\n:60F:C251231EUR1000,00\n"


def message(*lines, head=HEAD, closing=":62F:C260131EUR1100,00\n-\n"):
    return (head + "".join(f"{line}\n" for line in lines) + closing).encode()


def read_one(*lines, **more):
    (read,) = read_file(message(*lines, **more)).statements
    return read


def line_of(*lines, **more):
    (line,) = read_one(*lines, **more).lines
    return line


MARKS = [
    pytest.param("C", 100_00, False, id="credit"),
    pytest.param("D", -100_00, False, id="debit"),
    pytest.param("RC", -100_00, True, id="RC takes a credit back: money out"),
    pytest.param("RD", 100_00, True, id="RD takes a debit back: money in"),
    pytest.param("RCR", -100_00, True, id="RC with the funds letter of EUR"),
    pytest.param("CR", 100_00, False, id="C with the funds letter of EUR, no reversal"),
    pytest.param("DN", -100_00, False, id="D with the funds letter of PLN"),
]


@pytest.mark.parametrize(("mark", "minor", "is_reversal"), MARKS)
def test_the_mark_gives_the_sign(mark, minor, is_reversal):
    line = line_of(f":61:2601150115{mark}100,00NTRFNONREF")
    assert (line.amount, line.is_reversal) == (Money(minor, "EUR"), is_reversal)


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("2200,", 2200_00),
        ("000000000300.00", 300_00),
        ("0,5", 50),
        ("7", 7_00),
        ("999999999999,99", 99_999_999_999_999),
    ],
)
def test_amounts_with_either_mark_or_none(written, minor):
    assert line_of(f":61:2601150115C{written}NTRFNONREF").amount.minor == minor


def test_a_currency_without_decimals_has_none():
    head = ":20:X\n:25:4711\n:28C:1\n:60F:C251231JPY1000,\n"
    line = line_of(":61:2601150115C1560395,NTRFNONREF", head=head, closing=":62F:C260131JPY1561395,\n-\n")
    assert line.amount == Money(1_560_395, "JPY")


@pytest.mark.parametrize(
    ("dates", "booked", "valued"),
    [
        ("1412310105", date(2015, 1, 5), date(2014, 12, 31)),
        ("2101011230", date(2020, 12, 30), date(2021, 1, 1)),
        ("240229", date(2024, 2, 29), date(2024, 2, 29)),
        ("9912310102", date(2000, 1, 2), date(1999, 12, 31)),
    ],
    ids=["entry after the year's end", "entry before the year's start", "no entry date", "the century"],
)
def test_the_year_of_an_entry_date_lies_nearest_the_value_date(dates, booked, valued):
    line = line_of(f":61:{dates}C100,00NTRFNONREF")
    assert (line.booking_date, line.value_date) == (booked, valued)


def test_a_thirtieth_of_february_leaves_the_entry_date_and_is_named():
    line = line_of(":61:1602300301D100,00NTRFNONREF")
    assert (line.booking_date, line.value_date) == (date(2016, 3, 1), None)
    assert "value-date-unreadable" in line.warnings


def test_a_day_that_is_none_is_a_problem_and_the_others_stay():
    read = read_one(":61:160230C50,00NTRFNONREF", ":61:2601150115C50,00NTRFNONREF")
    assert [problem.code for problem in read.problems] == ["date-unreadable"]
    assert [line.booking_date for line in read.lines] == [None, date(2026, 1, 15)]


@pytest.mark.parametrize("line", [":61:rubbish", ":61:2601150115X100,00NTRF", ":61:2601150115C1,2,3NTRF"])
def test_an_unreadable_line_is_a_problem_and_its_statement_unproven(line):
    read = read_one(line, ":61:2601150115C100,00NTRFNONREF")
    (problem,) = read.problems
    assert problem.raw.startswith(":61:")
    assert (len(read.lines), read.proven) == (1, "unproven")


@pytest.mark.parametrize(
    ("reference", "bank", "trust"),
    [("NTRFNONREF//R4711", "R4711", "B"), ("NTRFNONREF", None, "C"), ("NTRFINV-1001//0000", "0000", "C")],
)
def test_the_reference_behind_the_slashes_is_the_banks(reference, bank, trust):
    line = line_of(f":61:2601150115C100,00{reference}")
    assert (line.bank_reference, line.provider_id_trust) == (bank, trust)


def test_a_customer_reference_is_text_and_an_iban_in_its_place_an_account():
    line = line_of(":61:2601150115C100,00NTRFINV-1001//R1", "Ada Ltd")
    assert line.text == "INV-1001 Ada Ltd"
    line = line_of(":61:2601150115C100,00NTRFDE89370400440532013000", "Ada Ltd")
    assert (line.payer_account, line.text) == ("DE89370400440532013000", "Ada Ltd")


def german(*fields, code="166"):
    return f":86:{code}" + "".join(fields)


def test_german_fields_are_read_in_both_joinings():
    text = german(
        "?00GUTSCHRIFT",
        "?20SVWZ+RECHNUNG 20260",
        "?21001 DANKE",
        "?31DE75512108001245126199",
        "?32ADA",
        "?33 LTD",
    )
    line = line_of(":61:2601150115CR100,00N166NONREF", text)
    assert (line.text, line.text_joined) == ("RECHNUNG 20260 001 DANKE", "RECHNUNG 20260001 DANKE")
    assert (line.payer_name, line.payer_account) == ("ADA LTD", "DE75512108001245126199")
    assert line.raw_codes["GVC"] == "166"


def test_sepa_tags_are_found_where_the_field_border_cuts_them_and_numbers_of_others_are_no_text():
    text = german("?20EREF+INV-77", "?21MREF+M1 CRED+DE98ZZZ09999999999S", "?22VWZ+THANKS FOR MAY")
    line = line_of(":61:2601150115CR100,00N166NONREF", text)
    assert line.end_to_end_id == "INV-77"
    assert line.text_joined == "INV-77 THANKS FOR MAY"
    assert "DE98ZZZ" not in line.text
    assert line.raw_codes["MREF"] == "M1"


def test_a_german_return_names_the_order_it_takes_back_and_why():
    text = german("?00RETOURE", "?20EREF+TFNR 40005", "?21MTLG:Konto erloschen", "?34902", code="109")
    line = line_of(":61:2601150115DR100,00N109NONREF", text, closing="-\n")
    assert (line.is_return, line.code_family, line.return_reason) == (True, "return", "902")
    assert line.original_reference == "TFNR 40005"


def test_dutch_tags_are_read_across_the_line_wrap():
    line = line_of(
        ":61:2601150115C100,00N654NONREF",
        ":86:/TRTP/SEPA OVERBOEKING/IBAN/NL75INGB0001234567/BIC/INGBNL2A/NAME/",
        "HR JANSEN/REMI/FACTUUR 861835-5746311",
        "43/EREF/NOTPROVIDED",
    )
    assert (line.payer_name, line.payer_account) == ("HR JANSEN", "NL75INGB0001234567")
    assert (line.text, line.text_joined) == ("FACTUUR 861835-5746311 43", "FACTUUR 861835-574631143")
    assert line.end_to_end_id is None


def test_what_fits_no_dialect_is_text():
    line = line_of(":61:2601150115C100,00NMSCNONREF", ":86:911 TRANSAKCJA; OD: JAN NOWAK", "TYT.: FAKTURA 17")
    assert line.text == "911 TRANSAKCJA; OD: JAN NOWAK TYT.: FAKTURA 17"


def test_the_older_ns_fields_are_read():
    line = line_of(
        ":61:2601150115C100,00NMSCNONREF", ":NS:01Rechnung 17", "02Danke", "15Ada Ltd", "17Gutschrift"
    )
    assert (line.text, line.payer_name) == ("Rechnung 17 Danke Gutschrift", "Ada Ltd")


def test_a_time_wrapped_to_the_start_of_a_line_is_no_tag():
    line = line_of(":61:2601150115C100,00NMSCNONREF", ":86:106?20CARD 12-09-2026T13", ":20:37 FOLGE?21 007")
    assert line.text == "CARD 12-09-2026T13:20:37 FOLGE 007"


def test_a_tag_and_a_line_that_were_wrapped_are_put_together():
    line = line_of(":61:2601150115CR", "100,00N062NONREF", ":", "86:166?00GUTSCHRIFT?20SVWZ+Test")
    assert (line.amount.minor, line.text) == (100_00, "Test")


def test_every_message_has_its_own_account_and_currency():
    def one(account, currency, amount):
        head = f":20:X\n:25:{account}\n:28C:1\n:60F:C251231{currency}0,00\n"
        return message(
            f":61:2601150115C{amount},NTRFNONREF", head=head, closing=f":62F:C260131{currency}{amount},\n-\n"
        )

    file = read_file(one("111", "EUR", 5) + one("222", "USD", 7) + one("111", "USD", 9))
    assert [
        (s.account.identifier, s.currency, s.lines[0].amount.minor, s.proven) for s in file.statements
    ] == [
        ("111", "EUR", 5_00, "proven"),
        ("222", "USD", 7_00, "proven"),
        ("111", "USD", 9_00, "proven"),
    ]


@pytest.mark.parametrize(
    ("written", "bank", "identifier", "key"),
    [
        ("10020030/1234567", "10020030", "1234567", "bank:10020030:1234567"),
        ("NL53ASNB0781269733", "", "NL53ASNB0781269733", "iban:NL53ASNB0781269733"),
        ("DE89370400440532013000 EUR", "", "DE89370400440532013000", "iban:DE89370400440532013000"),
        ("51210600/9223382012EUR", "51210600", "9223382012", "bank:51210600:9223382012"),
        ("UBRTHUHB/1234567/HUF", "UBRTHUHB", "1234567", "bank:UBRTHUHB:1234567"),
    ],
)
def test_accounts_as_banks_write_them(written, bank, identifier, key):
    read = read_one(head=f":20:X\n:25:{written}\n:28C:1\n:60F:C251231EUR1100,00\n")
    assert (read.account.bank_id, read.account.identifier, read.account.key) == (bank, identifier, key)


def test_pages_chain_over_their_interim_balances():
    first = message(":61:2601150115C60,00NTRFNONREF", closing=":62M:C260115EUR1060,00\n-\n")
    second = message(
        ":61:2601160116C40,00NTRFNONREF",
        head=HEAD.replace(":60F:C251231EUR1000", ":60M:C260115EUR1060").replace("7/1", "7/2"),
    )
    assert [(s.sequence, s.proven) for s in read_file(first + second).statements] == [
        (7, "proven"),
        (7, "proven"),
    ]


def test_a_cent_missing_is_a_statement_unproven():
    read = read_one(":61:2601150115C99,99NTRFNONREF")
    assert (read.proven, read.difference) == ("unproven", Money(1, "EUR"))


def test_swift_blocks_and_line_ends_of_other_systems_change_nothing():
    plain = message(":61:2601150115C100,00NTRFNONREF", ":86:Hello")
    framed = b"{1:F01BANKDEFFXXXX0000000000}{2:O940BANKDEFFXXXXN}{4:\r\n" + plain.replace(
        b"-\n", b"-}{5:}"
    ).replace(b"\n", b"\r\n")
    keys = [[line.key for s in read_file(data).statements for line in s.lines] for data in (plain, framed)]
    assert keys[0] == keys[1]


MT942 = (
    ":20:X\n:25:DE89370400440532013000\n:28C:1/1\n:34F:EUR0,\n:13D:2601151815+0100\n"
    ":61:2601150115C5,00NTRFNONREF\n:61:2601150115D2,00NTRFNONREF\n:90D:1EUR2,00\n:90C:{}\n-\n"
)


def test_what_an_intraday_report_says_is_provisional():
    (read,) = read_file(MT942.format("1EUR5,00").encode()).statements
    assert (read.standing, read.currency, len(read.lines), read.problems) == ("provisional", "EUR", 2, ())


def test_its_counts_and_sums_must_fit():
    (read,) = read_file(MT942.format("1EUR4,99").encode()).statements
    assert [problem.code for problem in read.problems] == ["control-totals-differ"]


def test_a_line_longer_than_any_bank_writes_is_refused_at_once():
    with pytest.raises(UnsafeFile):
        read_file(message(":61:2601150115C1,00NTRFNONREF", ":86:" + "x" * 3_000_000))


def test_a_file_of_other_fields_is_refused():
    with pytest.raises(FileRefused):
        read_file(b":28C:00035/001\n")


@given(
    lines=st.lists(
        st.tuples(
            st.integers(0, 10**11),
            st.sampled_from(["C", "D", "RC", "RD"]),
            st.dates(date(1990, 1, 1), date(2070, 1, 1)),
            st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=60),
        ),
        max_size=6,
    )
)
def test_a_written_statement_reads_back_line_by_line(lines):
    rows = []
    for minor, mark, day, text in lines:
        rows += [f":61:{day:%y%m%d%m%d}{mark}{minor // 100},{minor % 100:02}NTRFNONREF", f":86:{text}"]
    read = read_one(*rows, closing="-\n")
    signs = {"C": 1, "D": -1, "RC": -1, "RD": 1}
    assert [(line.amount.minor, line.booking_date, line.text) for line in read.lines] == [
        (minor * signs[mark], day if day.year >= 1980 else None, text) for minor, mark, day, text in lines
    ]
    assert read.problems == ()
