from datetime import date
from pathlib import Path

import pytest

from arsync.connectors.bank.bankprofile import parse_profile, shipped_profile
from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money
from arsync.errors import ConfigError, FileRefused, NotFound

SIGNED = """
name = "signed"
currency = "USD"
amounts = { decimal_mark = ".", symbols = ["$"] }
[csv]
header = ["Date", "Text", "Amount"]
date_formats = ["%Y-%m-%d"]
columns = { booking_date = "Date", text = ["Text"], amount = "Amount" }
"""


def profile(text=SIGNED, *changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_profile(text, where="test.toml")


def read(data, given=None):
    (statement,) = read_file(data.encode(), given or profile()).statements
    return statement


def test_a_signed_file():
    statement = read('Date,Text,Amount\n2026-01-15,"Ada, inv. 7",1234.56\n\n2026-01-16,Fee,-5\n')
    assert [(line.amount, line.booking_date, line.text, line.locator) for line in statement.lines] == [
        (Money(1234_56, "USD"), date(2026, 1, 15), "Ada, inv. 7", "line 2"),
        (Money(-5_00, "USD"), date(2026, 1, 16), "Fee", "line 4"),
    ]
    assert statement.lines[0].raw == '2026-01-15,"Ada, inv. 7",1234.56'
    assert "currency-from-profile" in statement.lines[0].warnings
    assert (statement.from_date, statement.to_date) == (date(2026, 1, 15), date(2026, 1, 16))


BASE = "Date,Text,Amount\n2026-01-15,{},5.00\n2026-01-16,next,6.00\n"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param("2026-01-15,x,abc\n", "amount-unreadable", id="no number"),
        pytest.param("2026-01-15,x,\n", "amount-unreadable", id="empty amount"),
        pytest.param("2026-01-15,x\n", "amount-unreadable", id="a column missing"),
        pytest.param('2026-01-15,x,"1.234,56"\n', "amount-unreadable", id="another decimal mark"),
        pytest.param("2026-01-15,x,1,234.56\n", "line-unreadable", id="an unquoted comma moves the columns"),
        pytest.param('2026-01-15,"x"y,5.00\n', "line-unreadable", id="text after a quote"),
    ],
)
def test_an_unreadable_row_is_a_problem_and_the_others_stay(data, code):
    statement = read(f"Date,Text,Amount\n2026-01-14,a,1.00\n{data}2026-01-16,b,2.00\n")
    assert [line.amount.minor for line in statement.lines] == [1_00, 2_00]
    (problem,) = statement.problems
    assert (problem.code, problem.locator, problem.raw) == (code, "line 3", data.strip())
    assert statement.proven == "unproven"


def test_an_unclosed_quote_swallows_nothing_in_silence():
    statement = read('Date,Text,Amount\n2026-01-14,a,1.00\n2026-01-15,"x,5.00\n2026-01-16,b,2.00\n')
    assert [line.amount.minor for line in statement.lines] == [1_00]
    (problem,) = statement.problems
    assert problem.code == "line-unreadable"
    assert "2026-01-16,b,2.00" in problem.raw


def test_an_unreadable_date_keeps_the_amount():
    statement = read("Date,Text,Amount\n15/01/2026,x,5.00\n")
    assert [(line.amount.minor, line.booking_date) for line in statement.lines] == [(5_00, None)]
    assert [problem.code for problem in statement.problems] == ["date-unreadable"]


def test_quotes_inside_quotes_and_lines_inside_fields():
    statement = read('Date,Text,Amount\r\n2026-01-15,"say ""hi""\r\nthere",5.00\r\n2026-01-16,b,1\r\n')
    assert [(line.text, line.locator) for line in statement.lines] == [
        ('say "hi" there', "line 2"),
        ("b", "line 4"),
    ]


def test_a_header_that_is_not_the_declared_one_refuses_the_file():
    with pytest.raises(FileRefused, match="header"):
        read("Date,Amount,Text\n2026-01-15,5.00,x\n")


def test_rows_above_the_header_are_preamble_where_that_is_declared():
    text = "Account 7,,\nExported today,,\nDate,Text,Amount\n2026-01-15,x,5.00\n"
    with pytest.raises(FileRefused):
        read(text)
    within = profile(SIGNED, ("date_formats", "header_within = 5\ndate_formats"))
    assert [line.locator for line in read(text, within).lines] == ["line 4"]


def test_declared_rows_are_skipped_by_name_and_count():
    skips = '\n[[csv.skips]]\ncolumn = "Date"\nvalues = ["Pending"]\nreason = "pending"\n'
    file = read_file(b"Date,Text,Amount\nPending,x,5.00\n2026-01-15,y,6.00\n", profile(SIGNED + skips))
    assert [line.amount.minor for line in file.statements[0].lines] == [6_00]
    assert file.warnings == ("rows-skipped:pending:1",)


TWO_COLUMNS = (
    ('"Text", "Amount"]', '"Text", "Debit", "Credit"]'),
    ('amount = "Amount"', 'debit = "Debit", credit = "Credit"'),
    ("date_formats", 'sign = "debit and credit columns"\ndate_formats'),
)


@pytest.mark.parametrize(
    ("row", "odd_sign", "minor"),
    [
        pytest.param("5.00,", "problem", -5_00, id="debit is money out"),
        pytest.param(",5.00", "problem", 5_00, id="credit is money in"),
        pytest.param("0.00,5.00", "problem", 5_00, id="a zero beside it is nothing"),
        pytest.param("0.00,0.00", "problem", 0, id="two zeros are zero"),
        pytest.param("5.00,6.00", "problem", None, id="both are unreadable"),
        pytest.param(",", "problem", None, id="neither is unreadable, not zero"),
        pytest.param("-5.00,", "problem", None, id="a minus in a debit is unreadable"),
        pytest.param("-5.00,", "ignore", -5_00, id="unless it repeats the column"),
        pytest.param("-5.00,", "flip", 5_00, id="or takes the debit back"),
    ],
)
def test_debit_and_credit_columns(row, odd_sign, minor):
    given = profile(SIGNED, *TWO_COLUMNS, ("date_formats", f'odd_sign = "{odd_sign}"\ndate_formats'))
    statement = read(f"Date,Text,Debit,Credit\n2026-01-15,x,{row}\n", given)
    assert [line.amount.minor for line in statement.lines] == ([] if minor is None else [minor])
    assert len(statement.problems) == (minor is None)


@pytest.mark.parametrize(
    ("row", "minor"),
    [("5.00,C", 5_00), ("5.00,D", -5_00), ("5.00,X", None), ("5.00,", None), ("-5.00,D", None)],
)
def test_a_flag_gives_the_direction_or_there_is_none(row, minor):
    flag = (
        ('"Amount"]', '"Amount", "C/D"]'),
        ('amount = "Amount"', 'amount = "Amount", flag = "C/D"'),
        ("date_formats", 'sign = "flag"\nmoney_in = ["C"]\nmoney_out = ["D"]\ndate_formats'),
    )
    statement = read(f"Date,Text,Amount,C/D\n2026-01-15,x,{row}\n", profile(SIGNED, *flag))
    assert [line.amount.minor for line in statement.lines] == ([] if minor is None else [minor])
    assert [problem.code for problem in statement.problems] == (
        [] if minor is not None else ["sign-unreadable"]
    )


def test_an_inverted_file_writes_spending_as_positive():
    inverted = profile(SIGNED, ("date_formats", 'sign = "inverted"\ndate_formats'))
    assert read("Date,Text,Amount\n2026-01-15,x,5.00\n", inverted).lines[0].amount.minor == -5_00


BALANCE = (
    ('"Amount"]', '"Amount", "Balance"]'),
    ('amount = "Amount"', 'amount = "Amount", balance = "Balance"'),
)
OLDEST = "Date,Text,Amount,Balance\n2026-01-15,a,5.00,105.00\n2026-01-16,b,-1.00,\n2026-01-17,c,2.00,106.00\n"
NEWEST = (
    "Date,Text,Amount,Balance\n2026-01-17,c,2.00,106.00\n"
    "2026-01-16,b,-1.00,104.00\n2026-01-15,a,5.00,105.00\n"
)


@pytest.mark.parametrize(("text", "order"), [(OLDEST, "oldest first"), (NEWEST, "newest first")])
def test_a_running_balance_proves_the_file(text, order):
    given = profile(SIGNED, *BALANCE, ("date_formats", f'order = "{order}"\ndate_formats'))
    statement = read(text, given)
    assert (statement.opening, statement.closing, statement.proven) == (
        Money(100_00, "USD"),
        Money(106_00, "USD"),
        "proven",
    )


def test_a_row_cut_out_breaks_the_running_balance():
    rows = "Date,Text,Amount,Balance\n2026-01-15,a,5.00,105.00\n2026-01-17,c,2.00,106.01\n"
    statement = read(rows, profile(SIGNED, *BALANCE))
    assert (statement.proven, statement.difference) == ("unproven", Money(-99, "USD"))
    (problem,) = statement.problems
    assert (problem.code, problem.locator) == ("balance-chain-broken", "line 3")


def test_accounts_and_currencies_are_statements_of_their_own():
    columns = (
        ('"Amount"]', '"Amount", "Account", "Currency"]'),
        ('amount = "Amount"', 'amount = "Amount", account = "Account", currency = "Currency"'),
    )
    text = (
        "Date,Text,Amount,Account,Currency\n2026-01-15,a,1,X1,USD\n"
        "2026-01-15,a,2,X1,eur\n2026-01-15,a,3,X 1,USD\n"
    )
    statements = read_file(text.encode(), profile(SIGNED, *columns)).statements
    assert [(s.account.key, s.currency, len(s.lines)) for s in statements] == [
        ("bank::X1", "USD", 2),
        ("bank::X1", "EUR", 1),
    ]


def test_rows_of_text_go_on_with_the_row_above():
    continued = profile(SIGNED, ("date_formats", "continued = true\ndate_formats"))
    statement = read("Date,Text,Amount\n2026-01-15,PAYMENT,5.00\n,INV 1001,\n2026-01-16,b,1\n", continued)
    assert [line.text for line in statement.lines] == ["PAYMENT INV 1001", "b"]
    assert statement.lines[0].raw == "2026-01-15,PAYMENT,5.00\n,INV 1001,"


@pytest.mark.parametrize(
    ("encodings", "data", "name"),
    [
        ('["utf-8"]', "Müller".encode(), "Müller"),
        ('["utf-8", "cp1252"]', "Müller €".encode("cp1252"), "Müller €"),
        ('["cp1250"]', "Dvořák".encode("cp1250"), "Dvořák"),
    ],
)
def test_encodings_are_declared(encodings, data, name):
    given = profile(SIGNED, ("date_formats", f"encodings = {encodings}\ndate_formats"))
    file = read_file(BASE.encode().replace(b"{}", data), given)
    assert file.statements[0].lines[0].text == name


def test_bytes_that_fit_no_declared_encoding_refuse_the_file():
    with pytest.raises(FileRefused, match="utf-8"):
        read_file(BASE.encode().replace(b"{}", b"M\xfcller"), profile())


def test_without_a_profile_delimited_text_is_refused():
    with pytest.raises(FileRefused, match="declares no columns"):
        read_file(b"Date,Text,Amount\n2026-01-15,x,5.00\n")


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('decimal_mark = ".", ', "", "decimal mark"),
        ('currency = "USD"', 'currency = "USA"', "ISO 4217"),
        ("date_formats", 'sing = "signed"\ndate_formats', "sing"),
        ("date_formats", 'sign = "sign"\ndate_formats', "sign"),
        ('amount = "Amount" }', "}", "TOML|amount"),
        ('text = ["Text"]', 'text = ["Txt"]', "Txt"),
        ('text = ["Text"]', 'memo = "Text"', "memo"),
        ('header = ["Date", "Text", "Amount"]', "", "header"),
        ('name = "signed"', "", "name"),
    ],
)
def test_a_profile_that_cannot_work_is_refused_with_the_reason(old, new, word):
    with pytest.raises(ConfigError, match=word):
        profile(SIGNED, (old, new))


SHIPPED = sorted(
    path.stem for path in (Path(__file__).parents[3] / "arsync/connectors/bank/profiles").glob("*.toml")
)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_loads(name):
    assert shipped_profile(name).name == name


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(NotFound) as caught:
        shipped_profile("acme")
    assert "signed-amount" in caught.value.do
