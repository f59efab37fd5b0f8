"""BAI lockbox files (BAI Lockbox Communications Standards)."""

from dataclasses import replace
from datetime import date

import pytest

from arsync.connectors.bank.bankprofile import GENERIC, LockboxLayout
from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money

HEAD = ["100ACMECORP  00123456782601151200", "2ACMECORP  001234567800000000004000801"]


def cheque(item, cents, *, number=77, name="ADA LTD", batch=1):
    return f"6{batch:03}{item:03}{cents:010}{'055002707'}{'0012345555'}{number:010}260114{name}"


def overflow(item, text, *, last="9", batch=1):
    return f"4{batch:03}{item:03}601{last}{text}"


def lockbox(*rows, total, count=None, batch=1, day="260115"):
    number = sum(row[0] == "6" for row in rows) if count is None else count
    head = f"5{batch:03}0000022222{day}ACMECORP  0012345678"
    foot = f"7{batch:03}0000022222{day}{number:03}{total:010}"
    return "\n".join(
        [*HEAD, head, *rows, foot, f"8{batch:03}0000022222{day}{number:04}{total:010}", "9000009"]
    ).encode()


def test_cheques_are_what_one_deposit_is_made_of():
    (read,) = read_file(
        lockbox(cheque(1, 7000), cheque(2, 3000, number=78, name="O'Brien"), total=10000)
    ).statements
    assert (read.standing, read.total, read.proven, read.reference) == (
        "detail",
        Money(100_00, "USD"),
        "proven",
        "0022222",
    )
    assert [
        (line.amount.minor, line.payer_account, line.cheque_number, line.payer_name) for line in read.lines
    ] == [
        (7000, "055002707 0012345555", "77", "ADA LTD"),
        (3000, "055002707 0012345555", "78", "O'Brien"),
    ]
    assert read.lines[0].booking_date == date(2026, 1, 15)


@pytest.mark.parametrize(("total", "count"), [(9999, None), (7000, 2)], ids=["another sum", "another count"])
def test_a_batch_that_does_not_come_to_its_total_is_unproven(total, count):
    (read,) = read_file(lockbox(cheque(1, 7000), total=total, count=count)).statements
    assert read.proven == "unproven"


def test_invoices_of_a_cheque_are_its_remittance():
    file = read_file(
        lockbox(cheque(1, 7000), overflow(1, "INV-1", last="0"), overflow(1, "INV-2"), total=7000)
    )
    (advice,) = file.remittances
    assert [line.reference for line in advice.lines] == ["INV-1", "INV-2"]
    assert (advice.line_key, advice.payer_account, advice.reference) == (
        file.statements[0].lines[0].key,
        "055002707 0012345555",
        "77",
    )


def test_amounts_of_invoices_are_read_where_the_profile_says_where_they_stand():
    profile = replace(GENERIC, lockbox=LockboxLayout(invoice_width=10, amount_width=10))
    rows = [cheque(1, 7000), overflow(1, f"{'INV-1':<10}{8000:010}"), overflow(1, f"{'CLAIM':<10}-{1000:09}")]
    (advice,) = read_file(lockbox(*rows, total=7000), profile).remittances
    assert [(line.reference, line.paid.minor) for line in advice.lines] == [("INV-1", 8000), ("CLAIM", -1000)]
    assert advice.problems == ()


def test_an_amount_keyed_with_a_letter_is_a_problem_and_the_batch_unproven():
    (read,) = read_file(
        lockbox(cheque(1, 7000).replace("7000", "70O0"), cheque(2, 3000), total=10000)
    ).statements
    assert ([line.amount.minor for line in read.lines], read.proven) == ([3000], "unproven")
    assert read.problems[0].code == "amount-unreadable"
