"""QIF (Intuit, Quicken Interchange Format)."""

from dataclasses import replace
from datetime import date

import pytest

from arsync.connectors.bank.bankprofile import GENERIC
from arsync.connectors.bank.mapping import read_file
from arsync.errors import FileRefused

USD = replace(GENERIC, currency="USD")


def qif(*transactions, head="!Type:Bank\n"):
    return (head + "".join("\n".join(rows) + "\n^\n" for rows in transactions)).encode()


def read_one(*transactions, profile=USD, **more):
    (read,) = read_file(qif(*transactions, **more), profile).statements
    return read


def test_transactions_are_lines():
    read = read_one(
        ("D01/15/2026", "T-1,000.00", "N1042", "PADA LTD", "MINV-1001"), ("D01/16/2026", "T5.00", "PBOB")
    )
    assert [(line.amount.minor, line.booking_date, line.cheque_number, line.text) for line in read.lines] == [
        (-100_000, date(2026, 1, 15), "1042", "ADA LTD INV-1001"),
        (500, date(2026, 1, 16), None, "BOB"),
    ]


def test_without_a_currency_every_line_is_a_problem():
    read = read_one(("D01/15/2026", "T5.00"), profile=GENERIC)
    assert (read.lines, [problem.code for problem in read.problems]) == ((), ["currency-unreadable"])


@pytest.mark.parametrize(
    ("written", "order", "day"),
    [
        ("1/13/26", None, date(2026, 1, 13)),
        ("13/1/2026", None, date(2026, 1, 13)),
        ("2026-01-13", None, date(2026, 1, 13)),
        ("1/ 2'26", "month first", date(2026, 1, 2)),
        ("1.2.26", "day first", date(2026, 2, 1)),
        ("1/2/98", "month first", date(1998, 1, 2)),
        ("1/2/26", None, None),
        ("32/1/26", "day first", None),
    ],
)
def test_dates_are_read_in_the_declared_order_or_the_only_one(written, order, day):
    read = read_one((f"D{written}", "T5.00"), profile=replace(USD, date_order=order))
    assert read.lines[0].booking_date == day
    assert [problem.code for problem in read.problems] == ([] if day else ["date-unreadable"])


def test_one_date_of_the_file_may_settle_the_order_of_all():
    read = read_one(("D1/2/26", "T5.00"), ("D1/13/26", "T5.00"))
    assert [line.booking_date for line in read.lines] == [date(2026, 1, 2), date(2026, 1, 13)]


def test_an_opening_balance_is_no_money_that_came_in():
    read = read_one(("D1/13/26", "T900.00", "POpening Balance"), ("D1/14/26", "T5.00"))
    assert (read.opening.minor, [line.amount.minor for line in read.lines]) == (90_000, [500])
    assert "opening-balance-read" in read.warnings


def test_lists_and_other_accounts_are_stepped_over():
    head = "!Type:Cat\nNRent\nT1\n^\n!Account\nNCard\nTCCard\n^\n!Type:CCard\n"
    read = read_one(("D1/13/26", "T-5.00"), head=head)
    assert (read.account.identifier, [line.amount.minor for line in read.lines]) == ("Card", [-500])


def test_an_unreadable_amount_is_a_problem_and_the_others_stay():
    read = read_one(("D1/13/26", "T5,00,0.0"), ("D1/13/26", "T5.00"))
    assert (len(read.lines), [problem.code for problem in read.problems], read.proven) == (
        1,
        ["amount-unreadable"],
        "unproven",
    )


def test_a_file_of_lists_only_is_refused():
    with pytest.raises(FileRefused):
        read_file(b"!Type:Cat\nNRent\n^\n")
