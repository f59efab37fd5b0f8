from datetime import date

import pytest

from arsync.connectors.bank.amounts import AmountStyle
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.mapping import read_file
from arsync.core.bank import Correction
from arsync.core.money import Money
from arsync.errors import FileRefused, TruncatedFile, UnsafeFile, UnsupportedFormat
from tests.connectors.bank.samples import OFX_HEADER, ofx, ofx_account, ofx_file, ofx_line


def read_one(*lines, profile=None, **more):
    (statement,) = read_file(ofx(*lines, **more), profile or Profile("test")).statements
    return statement


def test_a_line_has_all_its_fields():
    line = ofx_line(
        "1234.56",
        posted="20260115120000.000[-5:EST]",
        DTAVAIL="20260117",
        NAME="NORTHWIND LTD",
        MEMO="INV 1001 &amp; 1002",
        CHECKNUM="77",
        REFNUM="B-9",
    )
    statement = read_one(line)
    (read,) = statement.lines
    assert (read.amount, read.booking_date, read.value_date) == (
        Money(1_234_56, "USD"),
        date(2026, 1, 15),
        date(2026, 1, 17),
    )
    assert (read.payer_name, read.cheque_number, read.bank_reference) == ("NORTHWIND LTD", "77", "B-9")
    assert read.text == "NORTHWIND LTD INV 1001 & 1002"
    assert read.text_joined == "NORTHWIND LTDINV 1001 & 1002"
    assert read.provider_id == "F1"
    assert read.provider_id_trust == "B"
    assert read.raw == line.strip()
    assert read.locator == "line 17"
    assert statement.account.key == "bank:121000248:4711"
    assert (statement.from_date, statement.to_date) == (date(2026, 1, 1), date(2026, 1, 31))
    assert (statement.opening, statement.closing, statement.proven) == (
        None,
        Money(1000_00, "USD"),
        "no balances",
    )


@pytest.mark.parametrize(
    ("posted", "day"),
    [
        pytest.param(
            "20231231230000[-5:EST]", date(2023, 12, 31), id="New Year's Eve in New York stays there"
        ),
        pytest.param(
            "20240101003000[+2:EET]", date(2024, 1, 1), id="New Year's night in Helsinki stays there"
        ),
        pytest.param("20240229", date(2024, 2, 29), id="a leap day"),
        pytest.param("20240229120000.123[0:GMT]", date(2024, 2, 29), id="milliseconds and zone"),
        pytest.param("202402291200", date(2024, 2, 29), id="hours and minutes"),
        pytest.param("2024-02-29T23:59:59Z", date(2024, 2, 29), id="as ISO writes it"),
        pytest.param("20240229 ", date(2024, 2, 29), id="a blank after it"),
    ],
)
def test_the_booking_date_is_the_local_day_as_written(posted, day):
    assert read_one(ofx_line(posted=posted)).lines[0].booking_date == day


@pytest.mark.parametrize(
    "posted", ["00000000", "00010101", "29022024", "2024-0229", "20230230", "150126", "tomorrow", "", None]
)
def test_an_unreadable_date_keeps_the_line_and_says_so(posted):
    statement = read_one(ofx_line("5.00", posted=posted), ofx_line("6.00", fitid="F2"))
    assert [line.amount.minor for line in statement.lines] == [5_00, 6_00]
    assert statement.lines[0].booking_date is None
    (problem,) = statement.problems
    assert (problem.code, problem.locator, problem.raw) == (
        "date-unreadable",
        statement.lines[0].locator,
        posted or "",
    )


@pytest.mark.parametrize("amount", ["$120", "NaN", "1e999", "", None, "1.234.5", "8.4850"])
def test_an_unreadable_amount_is_a_problem_and_the_other_lines_stay(amount):
    statement = read_one(ofx_line("5.00"), ofx_line(amount, fitid="F2"), ofx_line("6.00", fitid="F3"))
    assert [line.amount.minor for line in statement.lines] == [5_00, 6_00]
    (problem,) = statement.problems
    assert problem.code == "amount-unreadable"
    assert "<FITID>F2" in problem.raw
    assert problem.do
    assert statement.proven == "unproven"


def test_two_readings_of_an_amount_wait_for_the_declared_mark():
    line = ofx_line("2,000")
    (problem,) = read_one(line).problems
    assert problem.code == "amount-ambiguous"
    assert read_one(line).warnings == ("amount-ambiguous",)
    comma = Profile("comma", amounts=AmountStyle(decimal_mark=","))
    point = Profile("point", amounts=AmountStyle(decimal_mark="."))
    assert read_one(line, profile=comma).lines[0].amount == Money(2_00, "USD")
    assert read_one(line, profile=point).lines[0].amount == Money(2_000_00, "USD")


def test_comma_and_point_in_one_file_are_read_each_for_itself():
    statement = read_one(
        ofx_line("-200,00"), ofx_line("1,234.56", fitid="F2"), ofx_line("1.234,56", fitid="F3")
    )
    assert [line.amount.minor for line in statement.lines] == [-200_00, 1_234_56, 1_234_56]


BODY = ofx_account(ofx_line("5.00", NAME="CAFE"))
DAMAGED = {
    "empty balance": ofx_file(ofx_account(ofx_line("5.00", NAME="CAFE"), balance="")),
    "no header": ofx_file(BODY, header=""),
    "blank lines before the header": ofx_file(BODY, header="\n\n" + OFX_HEADER),
    "header on one line": ofx_file(BODY, header=OFX_HEADER.replace("\n", "") + "\n"),
    "charset 8859-1": ofx_file(BODY, header=OFX_HEADER.replace("1252", "8859-1")),
    "charset none": ofx_file(BODY, header=OFX_HEADER.replace("1252", "NONE")),
    "unknown charset": ofx_file(BODY, header=OFX_HEADER.replace("1252", "KLINGON")),
    "NUL bytes after the end": ofx_file(BODY) + b"\x00" * 40,
    "CRLF": ofx_file(BODY).replace(b"\n", b"\r\n"),
    "CR only": ofx_file(BODY).replace(b"\n", b"\r"),
    "everything on one line": ofx_file(BODY, header="").replace(b"\n", b""),
    "lower-case tags": ofx_file(BODY).replace(b"STMTTRN", b"stmttrn").replace(b"TRNAMT", b"trnamt"),
    "a comment inside a value": ofx_file(BODY).replace(b"5.00", b"5<!-- five -->.00"),
    "a commented line": ofx_file(BODY).replace(
        b"</BANKTRANLIST>", f"<!-- {ofx_line('9.00')} --></BANKTRANLIST>".encode()
    ),
    "CDATA": ofx_file(BODY).replace(b"CAFE", b"<![CDATA[CAFE]]>"),
    "a memo tag closed in itself": ofx_file(BODY).replace(b"<FITID>", b"<MEMO/><FITID>"),
    "closed leaves": ofx_file(BODY).replace(b"5.00\n", b"5.00</TRNAMT>\n"),
    "a line not closed": ofx_file(BODY).replace(b"</STMTTRN>", b""),
    "unknown tags": ofx_file(BODY).replace(b"<FITID>", b"<ACCTBAL>-400.52\n<CATEGORY>x\n<FITID>"),
    "UTF-8 with byte order mark": b"\xef\xbb\xbf" + ofx_file(BODY),
    "UTF-16": ofx_file(BODY).decode().encode("utf-16"),
    "XML": b'<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n'
    + ofx_file(BODY, header="").replace(b"5.00\n", b"5.00</TRNAMT>\n"),
    "XML with a namespace": ofx_file(BODY, header="").replace(b"<OFX>", b'<OFX xmlns="http://ofx.net/x">'),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_what_banks_do_to_the_format_loses_no_line(data):
    (statement,) = read_file(data).statements
    assert [(line.amount, line.payer_name) for line in statement.lines] == [(Money(5_00, "USD"), "CAFE")]
    assert statement.problems == ()


@pytest.mark.parametrize(
    ("memo", "text"),
    [
        pytest.param("x < y", "x < y", id="less-than is no tag"),
        pytest.param("a &amp; b &lt;c&gt; &#65;", "a & b <c> A", id="entities"),
        pytest.param("AT&T &copy", "AT&T &copy", id="ampersands that are no entities"),
        pytest.param("<![CDATA[a <STMTTRN> &amp; b]]>", "a <STMTTRN> &amp; b", id="CDATA is as it stands"),
        pytest.param("in<!-- no <TRNAMT>7 -->side", "inside", id="a comment disappears"),
        pytest.param("  many   spaces ", "many spaces", id="white space"),
    ],
)
def test_text(memo, text):
    assert read_one(ofx_line(MEMO=memo)).lines[0].text == text


@pytest.mark.parametrize(
    ("header", "encoded", "codec"),
    [
        pytest.param(OFX_HEADER, "Müller".encode("cp1252"), "cp1252", id="as declared"),
        pytest.param(OFX_HEADER, "Müller".encode(), "utf-8", id="UTF-8, whatever is declared"),
        pytest.param(
            OFX_HEADER.replace("1252", "NONE"), "Müller".encode("cp1252"), "cp1252", id="none declared"
        ),
        pytest.param(
            OFX_HEADER.replace("1252", "ISO-8859-2"), "Łódź".encode("iso8859-2"), "iso8859-2", id="Latin-2"
        ),
    ],
)
def test_codec(header, encoded, codec):
    data = ofx_file(ofx_account(ofx_line(NAME="@@")), header=header).replace(b"@@", encoded)
    file = read_file(data)
    assert file.codec == codec
    assert file.statements[0].lines[0].payer_name in {"Müller", "Łódź"}


def test_accounts_may_share_ids():
    file = read_file(ofx_file(ofx_account(ofx_line(), account="1"), ofx_account(ofx_line(), account="2")))
    first, second = (statement.lines[0] for statement in file.statements)
    assert first.key != second.key
    assert (first.occurrence, second.occurrence) == (1, 1)
    assert first.warnings == second.warnings == ()


def test_an_id_on_two_amounts_keeps_both_and_is_no_longer_believed():
    statement = read_one(ofx_line("-100.00", kind="DEBIT"), ofx_line("-3.00", kind="DEBIT"))
    assert [line.amount.minor for line in statement.lines] == [-100_00, -3_00]
    assert all("id-reused" in line.warnings and line.provider_id_trust == "C" for line in statement.lines)
    assert statement.lines[0].key != statement.lines[1].key


def test_currency_of_the_line_is_not_that_of_the_account():
    line = ofx_line("5.00", CURRENCY="<CURRATE>1.1<CURSYM>EUR</CURRENCY>")
    (read,) = read_one(line).lines
    assert read.amount == Money(5_00, "EUR")
    assert "currency-differs" in read.warnings


def test_a_converted_amount_stays_in_the_currency_of_the_account():
    (read,) = read_one(ofx_line("5.00", ORIGCURRENCY="<CURRATE>1.1<CURSYM>EUR</ORIGCURRENCY>")).lines
    assert read.amount == Money(5_00, "USD")
    assert read.raw_codes["ORIGCURRENCY.CURSYM"] == "EUR"


def test_without_a_currency_no_amount_is_money():
    statement = read_one(ofx_line("5.00"), currency="")
    assert [problem.code for problem in statement.problems] == ["currency-unreadable"]
    (line,) = read_one(ofx_line("5.00"), currency="", profile=Profile("eur", currency="EUR")).lines
    assert line.amount == Money(5_00, "EUR")
    assert "currency-from-profile" in line.warnings


def test_payee_and_account_of_the_other_side():
    payee = "<NAME>JANE ROE<ADDR1>1 Main St<CITY>X<STATE>NY<POSTALCODE>1<PHONE>2</PAYEE>"
    to = "<BANKID>99<ACCTID>555-1<ACCTTYPE>CHECKING</BANKACCTTO>"
    (read,) = read_one(ofx_line(PAYEE=payee, BANKACCTTO=to, MEMO="rent")).lines
    assert (read.payer_name, read.payer_account, read.text) == ("JANE ROE", "555-1", "JANE ROE rent")


def test_a_correction_names_what_it_corrects():
    (read,) = read_one(ofx_line(CORRECTFITID="F0", CORRECTACTION="REPLACE")).lines
    assert read.corrects == Correction("F0", "REPLACE")


def test_two_amounts_in_one_line_are_none():
    (problem,) = read_one(ofx_line("5.00").replace("<FITID>", "<TRNAMT>6.00\n<FITID>")).problems
    assert "two different amounts" in problem.why


def test_a_sign_against_the_type_is_named():
    (read,) = read_one(ofx_line("5.00", kind="DEBIT")).lines
    assert read.amount.minor == 5_00
    assert "sign-against-type" in read.warnings


def test_an_inverted_card_statement_is_turned_by_its_profile():
    (read,) = read_one(ofx_line("5.00", kind="DEBIT"), profile=Profile("card", invert_sign=True)).lines
    assert read.amount.minor == -5_00


@pytest.mark.parametrize(
    ("balance", "unit", "closing"),
    [
        pytest.param("1000.00", None, 1000_00, id="with a mark it is plain"),
        pytest.param("0", None, 0, id="nothing is nothing in any unit"),
        pytest.param("100000", None, None, id="without a mark it may be cents"),
        pytest.param("100000", "minor", 1000_00, id="the profile says cents"),
        pytest.param("100000", "major", 100000_00, id="the profile says dollars"),
        pytest.param("n/a", None, None, id="unreadable"),
    ],
)
def test_a_ledger_balance_is_believed_only_when_its_unit_is_known(balance, unit, closing):
    statement = read_one(ofx_line(), balance=balance, profile=Profile("x", balance_unit=unit))
    assert statement.closing == (None if closing is None else Money(closing, "USD"))
    assert bool(statement.warnings) == (closing is None)


def test_pending_lines_are_not_booked():
    pending = (
        "<BANKTRANLISTP><STMTTRNP><TRNTYPE>DEBIT<TRNAMT>-9.00<NAME>P</STMTTRNP></BANKTRANLISTP></STMTRS>"
    )
    file = read_file(ofx(ofx_line()).replace(b"</STMTRS>", pending.encode()))
    assert len(file.statements[0].lines) == 1
    assert file.warnings == ("pending-not-read",)


@pytest.mark.parametrize("cut", range(20, 101, 5))
def test_a_file_cut_short_is_refused_or_reads_the_same(cut):
    data = ofx(ofx_line("123.45", NAME="A"), ofx_line("678.90", fitid="F2"))
    part = data[: len(data) * cut // 100]
    try:
        lines = [line for statement in read_file(part).statements for line in statement.lines]
    except FileRefused:
        return
    assert [line.amount.minor for line in lines] == [123_45, 678_90]


def test_a_file_that_ends_inside_a_line_is_truncated():
    data = ofx(ofx_line("123.45"))
    with pytest.raises(TruncatedFile):
        read_file(data[: data.index(b".45") + 2])


def test_a_doctype_is_refused():
    with pytest.raises(UnsafeFile):
        read_file(b'<?xml version="1.0"?><!DOCTYPE OFX [<!ENTITY a "b">]>' + ofx_file(BODY, header=""))


def test_an_error_message_of_the_bank_is_no_empty_statement():
    answer = "<STATUS><CODE>2000<SEVERITY>ERROR<MESSAGE>General Server Error</STATUS>"
    with pytest.raises(FileRefused, match="General Server Error"):
        read_file(ofx_file(f"<STMTTRNRS>{answer}</STMTTRNRS>"))


def test_a_sign_on_alone_is_no_statement():
    with pytest.raises(UnsupportedFormat):
        read_file(ofx_file("<SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS></SONRS>"))


def test_cash_lines_of_an_investment_statement_are_read_and_the_rest_is_named():
    data = ofx_file(
        "<INVSTMTTRNRS><INVSTMTRS><CURDEF>USD<INVACCTFROM><BROKERID>b.com<ACCTID>7</INVACCTFROM><INVTRANLIST>"
        f"<BUYSTOCK><INVBUY><TOTAL>-50.00</INVBUY></BUYSTOCK><INVBANKTRAN>{ofx_line('9.00')}"
        "<SUBACCTFUND>CASH</INVBANKTRAN></INVTRANLIST></INVSTMTRS></INVSTMTTRNRS>"
    )
    file = read_file(data)
    assert [line.amount.minor for line in file.statements[0].lines] == [9_00]
    assert file.warnings == ("investment-transactions-not-read",)
