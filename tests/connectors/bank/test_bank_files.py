"""Any bytes, any format: recognised, read, or refused by name."""

import contextlib
import gc
import time
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arsync.connectors.bank.bankprofile import GENERIC, shipped_profile
from arsync.connectors.bank.mapping import READERS, read_file
from arsync.connectors.bank.sniff import NOT_IMPORTED, Format, sniff
from arsync.core.bank import BankFile
from arsync.core.money import Money
from arsync.errors import ArsyncError, UnknownFormat, UnsafeFile, UnsupportedFormat
from tests.connectors.bank import test_bank_bai2 as bai2
from tests.connectors.bank import test_bank_swift as swift
from tests.connectors.bank.samples import camt, entry, ofx, ofx_line, statement, transaction
from tests.connectors.bank.test_bank_xlsx import PROFILE as SHEET
from tests.connectors.bank.whole_files import WHOLE

SIGNED = replace(shipped_profile("signed-amount"), currency="USD")

SAMPLES = {
    "mt940": b":20:STARTUMS\r\n:25:10020030/1234567\r\n:28C:1/1\r\n:60F:C260101EUR1,00\r\n-",
    "mt942": b"{1:F01BANKDEFFXXXX0000000000}{2:I942BANKDEFFXXXXN}{4:\r\n:20:X\r\n:34F:EUR0,\r\n-}",
    "bai2": b"01,122099999,123456789,040621,0200,1,65,,2/\n02,031001234,122099999,1,040620,2359,,2/\n",
    "nacha": b"101 091000019 0910000191601051349A094101US BANK\n5220X\n",
    "bai lockbox": b"100 PRIORITY  LOCKBOX   2601151200\n200 PRIORITY  LOCKBOX   2601151200\n5001234\n",
    "x12 820": b"ISA*00*          *00*          *ZZ*A*ZZ*B*260115*1200~ST*820*1~",
    "qif": b"!Type:Bank\nD01/15/2026\nT5.00\n^\n",
    "json": b'{"transactions": {"booked": []}}',
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04rest",
    "excel 97": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
    "other xml": b"<?xml version='1.0'?><Document><CstmrCdtTrfInitn/></Document>",
}


@pytest.mark.parametrize(("name", "data"), SAMPLES.items(), ids=SAMPLES.keys())
def test_formats_are_recognised_by_content(name, data):
    assert sniff(data) == name


@pytest.mark.parametrize("name", ["pdf", "excel 97", "other xml"])
def test_formats_that_are_no_bank_files_are_refused_by_name(name):
    with pytest.raises(UnsupportedFormat) as caught:
        read_file(SAMPLES[name])
    assert "import" in caught.value.what
    assert caught.value.do


def test_every_other_format_has_a_reader():
    assert set(get_args(Format)) == set(READERS) | set(NOT_IMPORTED)


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_of_each_format_is_read_without_a_problem(name):
    file = read_file(WHOLE[name], SHEET if name == "XLSX" else SIGNED)
    assert file.statements or file.remittances
    assert [
        problem for read in file.statements for problem in read.problems if "total" not in problem.code
    ] == []


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (ofx(ofx_line()), "ofx"),
        (b"\n\n" + ofx(ofx_line()), "ofx"),
        (camt(statement(entry())), "camt.053"),
        (b"Date;Text;Amount\n", "csv"),
        (b"Date\tText\tAmount\r", "csv"),
    ],
)
def test_what_is_imported_is_recognised(data, name):
    assert sniff(data) == name


def test_a_web_page_is_named_as_one():
    with pytest.raises(UnknownFormat, match="web page"):
        read_file(b"<!DOCTYPE html><html><body>Please sign in, again</body></html>")


@pytest.mark.parametrize(
    "rows", ["01,5.00,a\n02,6.00,b\n", "101;one;2\n2;2\n5200;3\n"], ids=["like BAI2", "like NACHA"]
)
def test_rows_that_begin_like_another_format_are_still_delimited_text(rows):
    assert sniff(rows.encode()) == "csv"


@pytest.mark.parametrize("data", [b"", b" \n ", b"hello", b"\x00\x01\x02\x03", b"\x89PNG\r\n\x1a\n\x00\x00,"])
def test_what_fits_no_format_is_unknown(data):
    with pytest.raises(UnknownFormat):
        read_file(data, SIGNED)


def test_the_same_bytes_give_the_same_value_and_hash():
    data = ofx(ofx_line())
    assert read_file(data) == read_file(data)
    assert len(read_file(data).sha256) == 64


@pytest.mark.parametrize("data", [ofx(ofx_line()), b"no bank file"], ids=["read", "refused"])
@pytest.mark.parametrize("works", [True, False], ids=["at work", "at rest"])
def test_the_collector_is_left_as_it_was(data, works):
    gc.collect()
    (gc.enable if works else gc.disable)()
    try:
        with contextlib.suppress(ArsyncError):
            read_file(data)
        assert gc.isenabled() == works
    finally:
        gc.enable()


PIECES = st.sampled_from(
    [
        *[
            b"<OFX>",
            b"</OFX>",
            b"<STMTRS>",
            b"</STMTRS>",
            b"<STMTTRN>",
            b"</STMTTRN>",
            b"<TRNAMT>5.00",
            b"<!--",
        ],
        *[
            b"-->",
            b"<![CDATA[",
            b"]]>",
            b"<CURDEF>USD",
            b"<DTPOSTED>20260101",
            b"<",
            b">",
            b"&amp;",
            b"&#0;",
            b"\x00",
        ],
        *[
            b"<FITID>1",
            b"<LEDGERBAL>",
            b"<BALAMT>1",
            b"<INVSTMTRS>",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"\r\n",
            b"\xe9",
        ],
        *[
            b"<Document><BkToCstmrStmt>",
            b"<Stmt>",
            b"</Stmt>",
            b"<Ntry>",
            b"</Ntry>",
            b"<Amt Ccy='EUR'>1</Amt>",
        ],
        *[
            b"</BkToCstmrStmt></Document>",
            b"<CdtDbtInd>CRDT</CdtDbtInd>",
            b"<?xml version='1.0'?>",
            b"<TxDtls/>",
        ],
        *[b"Date,Description,Amount\n", b"2026-01-15,x,5.00\n", b'"', b",", b"\n", b"2026-01-15,", b"1e999"],
        *[
            b"<Bal>",
            b"</Bal>",
            b"<NtryDtls>",
            b"</NtryDtls>",
            b"<Sts>BOOK</Sts>",
            b"<!DOCTYPE x>",
            b"<PAYEE>",
        ],
    ]
)


def check_ends_well(data, profile=SIGNED):
    started = time.thread_time()
    try:
        file = read_file(data, profile)
    except ArsyncError as error:
        assert error.what  # noqa: PT017 - a value is as good an end as an error
    else:
        assert isinstance(file, BankFile)
        for read in file.statements:
            assert all(line.locator and len(line.key) == 32 for line in read.lines)
            assert all(line.raw for line in read.lines if not line.locator.endswith("/fee"))
            assert all(problem.code and problem.why and problem.do for problem in read.problems)
    assert time.thread_time() - started < 2


@given(st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=60).map(b"".join)))
@example(b"<OFX><STMTRS>" + b"<!--" * 50_000)
@example(b"<OFX><STMTRS><STMTTRN><MEMO>" + b"<a " * 50_000)
@example(b"<OFX><STMTRS><STMTTRN><MEMO>" + b"<" * 100_000 + b"</STMTTRN></STMTRS></OFX>")
@example(b"<OFX><STMTRS><CURDEF" + b" " * 100_000)
@example(b"<OFX>" + b"<STMTRS><STMTTRN>" * 5_000 + b"</STMTRS></OFX>")
@example(b"<OFX><STMTRS><STMTTRN><x" + b" a=" * 50_000 + b"</STMTTRN></STMTRS></OFX>")
@example(b"<OFX>" + b"<INVSTMTRS><STMTTRN></INVSTMTRS>" * 5_000 + b"</OFX>")
@example(b"Date,Description,Amount\n" + b'"' * 100_000)
@example(b"Date,Description,Amount\n" + b"," * 100_000)
@example(b"Date,Description,Amount\n2026-01-15,x," + b"1" * 100_000)
@example(b"01," + b"," * 100_000)
def test_any_bytes_end_soon_in_a_value_or_a_named_error(data):
    check_ends_well(data)


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_damage_anywhere_ends_soon_in_a_value_or_a_named_error(name, data):
    whole = WHOLE[name]
    at = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 20))
    put = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from(ODD)))
    check_ends_well(whole[:at] + put + whole[at + gone :], SHEET if name == "XLSX" else SIGNED)


ODD = [
    b"NaN",
    b"1e999",
    b"-",
    b",",
    b"\n",
    b"\n:61:",
    b"\n:20:",
    b"\n88,",
    b"\n16,195,",
    b"/",
    b"?",
    b"\xc3",
    b"\x00",
    b"9" * 40,
]

LONG = 64 * 1024 * 1024 - 4096
HUGE = {
    "MT940": lambda: swift.message(":61:2601150115C1,00NTRFNONREF", ":86:" + "x" * LONG),
    "BAI2": lambda: bai2.report("16,195,1,Z,,," + "x" * LONG, total=0),
    "BAI lockbox": lambda: WHOLE["BAI lockbox"] + b"4" * LONG,
    "X12 820": lambda: WHOLE["X12 820"] + b"x" * LONG,
    "QIF": lambda: WHOLE["QIF"] + b"P" + b"x" * LONG,
    "Nacha": lambda: WHOLE["Nacha CTX"] + b"7" * LONG,
    "over 64 MiB": lambda: WHOLE["camt.053.001.08"] + b" " * (65 * 1024 * 1024),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE)
def test_a_line_of_64_mib_is_refused_within_two_seconds(name):
    data = HUGE[name]()
    started = time.process_time()
    with pytest.raises(UnsafeFile):
        read_file(data)
    assert time.process_time() - started < 2


TEXT = st.text(st.characters(codec="cp1252", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=30)
LINES = st.lists(
    st.tuples(
        st.integers(-(10**9), 10**9), st.integers(0, 2000), TEXT, st.text("ABC123", min_size=1, max_size=5)
    ),
    max_size=8,
)
EPOCH = date(2024, 1, 1)


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def write_ofx(lines):
    return ofx(
        *(
            ofx_line(
                Decimal(minor).scaleb(-2),
                posted=f"{EPOCH + timedelta(day):%Y%m%d}",
                fitid=i,
                NAME=escaped(text),
            )
            for minor, day, text, i in lines
        )
    )


def write_camt(lines):
    return camt(
        statement(
            *(
                entry(
                    abs(Decimal(minor).scaleb(-2)),
                    "CRDT" if minor >= 0 else "DBIT",
                    transaction(f"<RmtInf><Ustrd>{escaped(text)}</Ustrd></RmtInf>"),
                    reference=i,
                    booked=f"<Dt>{EPOCH + timedelta(day)}</Dt>",
                    currency="USD",
                )
                for minor, day, text, i in lines
            )
        )
    )


def write_csv(lines):
    rows = (
        '{},"{}",{}\n'.format(EPOCH + timedelta(day), text.replace('"', '""'), Decimal(minor).scaleb(-2))
        for minor, day, text, _ in lines
    )
    return ("Date,Description,Amount\n" + "".join(rows)).encode()


@pytest.mark.parametrize("write", [write_ofx, write_camt, write_csv], ids=["ofx", "camt", "csv"])
@given(lines=LINES)
def test_a_written_statement_reads_back_line_by_line(write, lines):
    (read,) = read_file(write(lines), SIGNED).statements
    assert read.problems == ()
    got = [(line.amount, line.booking_date, line.text) for line in read.lines]
    assert got == [(Money(minor, "USD"), EPOCH + timedelta(day), text) for minor, day, text, _ in lines]


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_ofx, write_camt, write_csv], ids=["ofx", "camt", "csv"])
def test_twenty_thousand_lines_take_seconds_at_most(write):
    lines = [(i, i % 300, f"Invoice {i}", f"A{i}") for i in range(20_000)]
    started = time.process_time()
    (read,) = read_file(write(lines), SIGNED).statements
    assert len(read.lines) == 20_000
    # Ten times the target, because this machine may be busy; bench/bank.py measures.
    assert time.process_time() - started < 10


def test_generic_is_what_a_caller_without_a_profile_gets():
    assert read_file(ofx(ofx_line())) == read_file(ofx(ofx_line()), GENERIC)
