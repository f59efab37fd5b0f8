"""A proposed profile holds what the file shows, and asks for what it does not."""

import pytest

from arsync.connectors.bank.bankprofile import parse_profile
from arsync.connectors.bank.mapping import read_file
from arsync.connectors.bank.propose import propose
from arsync.errors import FileRefused
from tests.connectors.bank.test_bank_xlsx import workbook

GERMAN = (
    "Konto;DE89370400440532013000\n\nBuchungstag;Valuta;Verwendungszweck;Betrag;Währung\n"
    "15.01.2026;16.01.2026;Rechnung 1001;1.234,56;EUR\n16.01.2026;16.01.2026;Miete;-7,00;EUR\n"
)
AMERICAN = "Date,Description,Debit,Credit\n01/15/2026,ADA,,10.00\n01/16/2026,RENT,7.00,\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [(GERMAN, [123_456, -700]), (AMERICAN, [1000, -700])],
    ids=["preamble, semicolons, decimal comma", "debit and credit columns"],
)
def test_a_file_that_leaves_one_reading_is_read_with_the_proposal(text, lines):
    made = propose(text.encode("cp1252"), "mine", is_workbook=False)
    profile = parse_profile(made.toml, where="mine")
    (read,) = (
        read_file(text.encode("cp1252"), profile).statements
        if profile.currency
        else _with_currency(text, made)
    )
    assert [line.amount.minor for line in read.lines] == lines
    assert read.problems == ()


def test_a_cell_longer_than_any_table_has_is_refused_by_name():
    data = AMERICAN.encode() + b'01/17/2026,"' + b"x" * 140_000 + b'",1.00,\n'
    with pytest.raises(FileRefused, match="cannot be read"):
        propose(data, "x", is_workbook=False)


def _with_currency(text, made):
    return read_file(
        text.encode("cp1252"), parse_profile(f'currency = "EUR"\n{made.toml}', where="mine")
    ).statements


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Date,Description,Amount\n01/02/2026,x,-5.00\n", "date_formats"),
        ("Date,Description,Amount\n2026-01-15,x,-2.000\n", "decimal_mark"),
        ("Date,Description,Amount\n2026-01-15,x,5.00\n", "sign"),
        ("Date,Description,Amount,C/D\n2026-01-15,x,5.00,H\n2026-01-15,y,5.00,S\n", "money_in"),
        ("Description,Amount\nx,-5.00\n", "booking_date"),
    ],
)
def test_what_has_two_readings_is_asked(text, asks):
    made = propose(text.encode(), "mine", is_workbook=False)
    assert any(question.startswith(asks) or asks in question for question in made.open_questions)
    assert f"TO DECIDE  {made.open_questions[0]}" in made.toml


def test_a_workbook_is_proposed_for_too():
    made = propose(workbook(("15.01.2026", "x", -5.5)), "mine", is_workbook=True)
    assert 'header = ["Date", "Text", "Amount"]' in made.toml
    assert "header_within = 3" in made.toml


def test_a_table_without_headings_is_refused_with_what_to_do():
    with pytest.raises(FileRefused, match="headings"):
        propose(b"1,2,3\n4,5,6\n", "mine", is_workbook=False)
