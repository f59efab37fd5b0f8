"""Bank files that cannot be read at all: kept, named, and nothing of them imported."""

from arsync.connectors.bank.mapping import read_file
from arsync.errors import FileRefused, TruncatedFile, UnknownFormat, UnsafeFile, UnsupportedFormat
from tests.errors.reproduce import reproduces

OFX = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
CHARSET:1252

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>121<ACCTID>77<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261120<TRNAMT>101.50<FITID>1<NAME>NORTHWIND</STMTTRN></BANKTRANLIST>
</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def test_the_whole_file_is_read():
    [statement] = read_file(OFX).statements
    assert [line.amount.text() for line in statement.lines] == ["101.50"]


@reproduces(
    TruncatedFile,
    title="The bank file ends in the middle",
    when="a download was cut off",
    do="download it again; nothing of it was imported",
)
def test_a_statement_that_was_cut_off():
    read_file(OFX[: OFX.index(b"<NAME>")])


@reproduces(
    UnknownFormat,
    title="The file is no bank file",
    when="the inbox holds a page or a letter instead of an export",
    do="check that it is the bank's export, not a web page or a picture of one",
)
def test_a_letter():
    read_file(b"Dear customer\n\nplease find enclosed the figures you asked for.\n")


@reproduces(
    UnsupportedFormat,
    title="The format is known and not imported",
    when="the bank's statement was saved as a PDF",
    do="export OFX, camt.053 or CSV from the bank",
)
def test_a_format_that_is_not_imported():
    read_file(b"%PDF-1.7\n")


@reproduces(
    UnsafeFile,
    title="The file holds something that has no place in it",
    when="a file declares a DOCTYPE, which can make a reader fetch or grow things",
    do="ask the bank for a plain file",
)
def test_a_file_with_a_doctype():
    read_file(b'<?xml version="1.0"?>\n<!DOCTYPE OFX [<!ENTITY a "aaaa">]>\n' + OFX[OFX.index(b"<OFX>") :])


@reproduces(
    FileRefused,
    title="A CSV file whose columns nobody declared",
    when="a CSV file lies in the inbox of an account without a profile",
    do="name a CSV profile of the bank, or write one from a shipped one",
)
def test_a_csv_file_without_a_profile():
    read_file(b"Date;Text;Amount\n2026-11-20;NORTHWIND;101,50\n2026-11-21;ACME;12,00\n")
