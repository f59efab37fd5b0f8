"""BAI2 (BAI Cash Management Balance Reporting Specifications, version 2)."""

from datetime import date

import pytest

from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money
from arsync.errors import TruncatedFile

HEAD = "01,SENDER,US,260115,0200,1,,,2/\n02,US,121000248,1,260114,,{currency},{modifier}/\n"
FOOT = "98,0,1,9/\n99,0,1,11/\n"


def report(
    *records, total, account="4711,,", summary="010,100000,,,015,{closing},,/", closing=100000, **group
):
    head = HEAD.format(currency=group.get("currency", "USD"), modifier=group.get("modifier", "2"))
    rows = "".join(f"{record}\n" for record in records)
    return f"{head}03,{account}{summary.format(closing=closing)}\n{rows}49,{total},{len(records) + 2}/\n{FOOT}".encode()


def read_one(*records, **more):
    (read,) = read_file(report(*records, **more)).statements
    return read


def test_details_prove_the_balances_and_the_control_total():
    read = read_one(
        "16,195,5000,Z,B1,C1,INVOICE 1001/", "16,495,2000,Z,B2,C2,RENT/", total=210000, closing=103000
    )
    assert [(line.amount, line.booking_date, line.text) for line in read.lines] == [
        (Money(50_00, "USD"), date(2026, 1, 14), "INVOICE 1001"),
        (Money(-20_00, "USD"), date(2026, 1, 14), "RENT"),
    ]
    assert (read.proven, read.opening, read.closing) == ("proven", Money(100000, "USD"), Money(103000, "USD"))


def test_a_wrong_control_total_is_a_problem():
    read = read_one("16,195,5000,Z,B1,C1,X/", total=1, closing=105000)
    assert [problem.code for problem in read.problems] == ["control-totals-differ"]
    assert read.proven == "unproven"


CODES = [("195", 1), ("399", 1), ("400", -1), ("555", -1), ("698", -1), ("921", 1), ("961", -1)]


@pytest.mark.parametrize(("code", "sign"), CODES)
def test_the_type_code_gives_the_sign(code, sign):
    read = read_one(f"16,{code},5000,Z,,,/", total=0)
    assert [line.amount.minor for line in read.lines] == [5000 * sign]


@pytest.mark.parametrize(
    "record", ["16,755,5000,Z,,,X/", "16,195,-5000,Z,,,X/", "16,195,50.00,Z,,,X/", "16,195,,Z,,,X/"]
)
def test_what_cannot_be_read_is_a_problem_with_its_record(record):
    read = read_one(record, "16,195,100,Z,,,/", total=0)
    assert len(read.lines) == 1
    assert read.problems[0].raw == record
    assert read.proven == "unproven"


def test_yen_have_no_decimals():
    read = read_one("16,195,5000,Z,,,/", total=0, currency="JPY")
    assert read.lines[0].amount == Money(5000, "JPY")


def test_a_report_without_a_currency_is_in_us_dollars_by_the_specification_and_says_so():
    read = read_one("16,195,5000,Z,,,/", total=0, currency="")
    assert read.lines[0].warnings == ("currency-by-default",)


def test_texts_keep_their_commas_and_slashes_over_continuations():
    read = read_one("16,195,5000,Z,B1,C1,WIRE, REF A/B 1001", "88,SECOND, LINE", "88,OF 11/12/", total=0)
    assert read.lines[0].text == "WIRE, REF A/B 1001 SECOND, LINE OF 11/12"


def test_a_continuation_of_fields_begins_a_new_field():
    read = read_one("16,195,5000,S,1000", "88,2000,2000,B1", "88,C1,TEXT/", total=0)
    assert (read.lines[0].bank_reference, read.lines[0].text) == ("B1", "TEXT")


def test_balances_may_go_on_in_a_continuation():
    data = report(total=103000, summary="010,100000,,,015/\n88,3000,,/")
    (read,) = read_file(data).statements
    assert (read.opening.minor, read.closing.minor) == (100000, 3000)


@pytest.mark.parametrize(
    ("funds", "reference", "valued"),
    [
        ("Z", "B1", None),
        ("V,260120,", "B1", date(2026, 1, 20)),
        ("S,1,2,3", "B1", None),
        ("D,2,0,100,1,200", "B1", None),
        ("", "B1", None),
    ],
)
def test_funds_types_take_the_fields_that_are_theirs(funds, reference, valued):
    line = read_one(f"16,195,5000,{funds},B1,C1,TEXT/", total=0).lines[0]
    assert (line.bank_reference, line.value_date, line.text) == (reference, valued, "TEXT")


def test_records_that_share_a_line_are_apart():
    read = read_one("16,142,2500,Z,,,TRANSFER PPD/ 16,142,500,Z,,,OTHER/ 88,MORE/", total=0)
    assert [(line.amount.minor, line.text) for line in read.lines] == [
        (2500, "TRANSFER PPD"),
        (500, "OTHER MORE"),
    ]


def test_a_line_without_a_record_goes_on_with_the_text_before_it():
    assert read_one("16,195,5000,Z,,,WIRE", "FROM ADA/", total=0).lines[0].text == "WIRE FROM ADA"


def test_tagged_continuations_are_read_and_are_no_text():
    line = read_one(
        '16,557,20000,,B1,C1,ACH RETURN,Reason: "R02"',
        "88,EREF: E-1",
        "88,DBNM: ADA LTD",
        "88,REMI: INVOICE 17",
        total=0,
    ).lines[0]
    assert (line.is_return, line.return_reason, line.original_reference) == (True, "R02", "E-1")
    assert (line.payer_name, line.text) == ("ADA LTD", 'ACH RETURN,Reason: "R02" INVOICE 17')


def test_items_of_a_lockbox_deposit_are_its_parts_and_not_money_beside_it():
    read = read_one(
        "16,115,5000,Z,,,LOCKBOX 22/",
        "16,116,3000,Z,,,CHECK 1/",
        "16,116,2000,Z,,,CHECK 2/",
        total=215000,
        closing=105000,
    )
    (line,) = read.lines
    assert (line.amount.minor, [part.amount.minor for part in line.parts]) == (5000, [3000, 2000])
    assert read.proven == "proven"


def test_items_that_do_not_come_to_their_deposit_are_a_problem_and_the_deposit_stays_whole():
    read = read_one("16,115,5000,Z,,,LOCKBOX/", "16,116,3000,Z,,,CHECK 1/", total=0)
    assert [(line.amount.minor, line.parts) for line in read.lines] == [(5000, ())]
    assert "parts-do-not-add-up" in [problem.code for problem in read.problems]


@pytest.mark.parametrize(
    ("modifier", "standing"), [("1", "booked"), ("2", "booked"), ("3", "provisional"), ("4", "provisional")]
)
def test_a_report_of_the_same_day_is_provisional(modifier, standing):
    assert read_one("16,195,5000,Z,,,/", total=0, modifier=modifier).standing == standing


def test_a_file_cut_inside_an_account_is_refused():
    with pytest.raises(TruncatedFile):
        read_file(report("16,195,5000,Z,,,X/", total=0).split(b"49,")[0])
