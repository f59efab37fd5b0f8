"""Nacha ACH files (Nacha Operating Rules, appendices three and four) and the 820s in their addenda."""

from datetime import date

import pytest

from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money
from arsync.core.returns import consequence

ACCOUNT = "12345678".ljust(17)


def entry(code="22", cents=10_000, *, name="ADA LTD", number="INV-1001", trace="1", addenda=0, ctx=False):
    who = f"{addenda:04}{name:<16}  " if ctx else f"{name:<22}"
    return (
        f"6{code}12100024{'8'}{ACCOUNT}{cents:010}{number:<15}{who}  {int(addenda > 0)}0910000{int(trace):08}"
    )


def note(text, number=1):
    return f"705{text:<80}{number:04}0000001"


def returned(reason, original="091000010000001"):
    return f"799{reason}{original:<15}{'':6}12100024{'':44}091000010000009"


def batch(*rows, debit=0, credit=0, sec="CCD", effective="260116", settled="   "):
    entries = sum(row[0] in "67" for row in rows)
    head = f"5200{'ACME CORP':<16}{'':20}1234567890{sec}{'INVOICES':<10}{'':6}{effective:<6}{settled}109100001{1:07}"
    foot = f"8200{entries:06}{'0' * 10}{debit:012}{credit:012}1234567890{'':25}09100001{1:07}"
    return [head, *rows, foot]


def file(*rows, width=None):
    head = f"101 091000019 1234567892601151200A094101{'BANK':<23}{'ACME':<23}{'':8}"
    lines = [head, *rows, f"9{1:06}{1:06}{1:08}{0:010}{0:012}{0:012}"]
    return "\n".join(line if width else line.rstrip() for line in lines).encode()


def read_one(*rows):
    return read_file(file(*rows))


def test_entries_are_what_one_net_line_is_made_of():
    (read,) = read_one(
        *batch(entry("22", 10_000), entry("27", 2_500, trace="2"), debit=2500, credit=10000)
    ).statements
    assert read.standing == "detail"
    assert (read.total, read.proven) == (Money(75_00, "USD"), "proven")
    assert [(line.amount.minor, line.payer_name, line.booking_date) for line in read.lines] == [
        (10_000, "ADA LTD", date(2026, 1, 16)),
        (-2_500, "ADA LTD", date(2026, 1, 16)),
    ]


def test_a_control_record_that_does_not_fit_is_a_problem():
    (read,) = read_one(*batch(entry(), credit=1)).statements
    assert [problem.code for problem in read.problems] == ["control-totals-differ"]


CODES = [
    ("22", 1),
    ("32", 1),
    ("21", 1),
    ("42", 1),
    ("52", 1),
    ("27", -1),
    ("37", -1),
    ("26", -1),
    ("36", -1),
    ("55", -1),
]


@pytest.mark.parametrize(("code", "sign"), CODES)
def test_the_transaction_code_gives_the_sign(code, sign):
    (read,) = read_one(*batch(entry(code), debit=10000 * (sign < 0), credit=10000 * (sign > 0))).statements
    assert [line.amount.minor for line in read.lines] == [sign * 10_000]


@pytest.mark.parametrize("row", [entry("99"), entry().replace("0000010000", "00000100O0"), entry("  ")])
def test_an_unreadable_entry_is_a_problem_and_the_others_stay(row):
    (read,) = read_one(*batch(row, entry(trace="2"), credit=10000)).statements
    assert (len(read.lines), len(read.problems), read.proven) == (1, 1, "unproven")


RETURNS = [
    ("R01", "present again"),
    ("R02", "ask for account"),
    ("R10", "dispute"),
    ("R29", "dispute"),
    ("R68", "ask the bank"),
]


@pytest.mark.parametrize(("reason", "then"), RETURNS)
def test_a_return_names_the_trace_it_takes_back_and_what_follows(reason, then):
    (read,) = read_one(*batch(entry("26", addenda=1), returned(reason), debit=10000)).statements
    (line,) = read.lines
    assert (line.is_return, line.code_family, line.amount.minor) == (True, "return", -10_000)
    assert (line.return_reason, line.original_reference) == (reason, "091000010000001")
    assert consequence(line.return_reason).then == then


def test_a_notice_of_change_is_no_return():
    (read,) = read_one(
        *batch(entry("21", 0, addenda=1), "798C01091000010000001".ljust(94), sec="COR")
    ).statements
    assert (read.lines[0].is_return, read.lines[0].raw_codes["notice of change"]) == (False, "C01")


@pytest.mark.parametrize(
    "cut", [0, 20, 200], ids=["whole rows", "trailing blanks stripped", "no line ends at all"]
)
def test_rows_of_any_width_are_read(cut):
    rows = [row.ljust(94) for row in file(*batch(entry(), credit=10000), width=94).decode().split("\n")]
    data = "".join(rows) if cut == 200 else "\n".join(row.rstrip() if cut else row for row in rows)
    (read,) = read_file(data.encode()).statements
    assert [line.amount.minor for line in read.lines] == [10_000]


def test_a_batch_without_an_effective_date_has_its_settlement_day():
    (read,) = read_one(*batch(entry(), credit=10000, effective="", settled="017")).statements
    assert read.lines[0].booking_date == date(2026, 1, 17)


def ctx_rows(message):
    pieces = [message[at : at + 80] for at in range(0, len(message), 80)]
    return [
        entry(cents=539_000, addenda=len(pieces), ctx=True),
        *(note(p, n) for n, p in enumerate(pieces, 1)),
    ]


MESSAGE = (
    "ST*820*0001\\BPR*C*5390.00*C*ACH*CTX*01*121000248*DA*1*1234567890**01*091000019*DA*2*260116\\TRN*1*PAY-77\\"
    "N1*PR*ADA LTD\\ENT*1\\RMR*IV*INV-1001**3000.00*3050.00*50.00\\DTM*003*20260101\\"
    "RMR*IV*INV-1002**2400.00\\RMR*CM*CM-7**-10.00\\SE*10*0001\\"
)


def test_an_820_cut_anywhere_over_the_addenda_is_read_whole():
    found = read_one(*batch(*ctx_rows(MESSAGE), credit=539000, sec="CTX"))
    (advice,) = found.remittances
    (line,) = found.statements[0].lines
    assert len(ctx_rows(MESSAGE)) > 3
    assert (advice.line_key, advice.payer_name, advice.total) == (line.key, "ADA LTD", Money(539_000, "USD"))
    assert [(one.reference, one.paid.minor) for one in advice.lines] == [
        ("INV-1001", 300_000),
        ("INV-1002", 240_000),
        ("CM-7", -1_000),
    ]
    first = advice.lines[0]
    assert (first.gross.minor, first.discount.minor, first.document_date) == (
        305_000,
        5_000,
        date(2026, 1, 1),
    )
    assert advice.problems == ()


def test_a_single_addendum_of_free_text_is_the_lines_text():
    (read,) = read_one(*batch(entry(addenda=1), note("INVOICES 1001 AND 1002"), credit=10000)).statements
    assert read.lines[0].text == "INV-1001 INVOICES 1001 AND 1002"
