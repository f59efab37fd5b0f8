"""Who keeps paying less: how often, how much, and what was given up."""

from datetime import date

import pytest

from arsync.reports.short_payers import PaidRow, short_payers
from arsync.reports.stamp import Stamp

STAMP = Stamp(date(2026, 11, 20), "receipt")


def paid(customer="Northwind", *, left=0, deducted=0, given_up=0, currency="USD", of=None):
    customer_id = of or sum(customer.encode())
    return PaidRow(customer_id, customer, currency, left, deducted, given_up)


@pytest.mark.parametrize(
    ("rows", "least", "told"),
    [
        pytest.param([paid(), paid()], 1, [], id="who pays everything is not listed"),
        pytest.param([paid(left=1_00), paid()], 2, [], id="once is no habit"),
        pytest.param(
            [paid(left=1_00), paid(given_up=50), paid(deducted=2_00), paid()],
            2,
            [("Northwind", "USD", 4, 3, 3_50, 50)],
            id="left open, given up and deducted are all short",
        ),
        pytest.param(
            [
                paid(left=1),
                paid(left=1),
                paid("Eastlake", left=9),
                paid("Eastlake", left=9),
                paid("Eastlake"),
            ],
            2,
            [("Northwind", "USD", 2, 2, 2, 0), ("Eastlake", "USD", 3, 2, 18, 0)],
            id="who is short with the larger share of its payments comes first",
        ),
        pytest.param(
            [paid(left=1), paid(left=2), paid(left=5, of=9), paid(of=9)],
            1,
            [("Northwind", "USD", 2, 2, 3, 0), ("Northwind", "USD", 2, 1, 5, 0)],
            id="two customers of one name are two",
        ),
        pytest.param(
            [paid(left=1), paid(left=1, currency="EUR")],
            1,
            [("Northwind", "EUR", 1, 1, 1, 0), ("Northwind", "USD", 1, 1, 1, 0)],
            id="currencies are never added up",
        ),
    ],
)
def test_habitual_short_payers(rows, least, told):
    made = short_payers(rows, least, STAMP)
    seen = [
        (r.customer, r.currency, r.receipts, r.times_short, r.short_minor, r.given_up_minor)
        for r in made.rows
    ]
    assert seen == told


def test_the_report_as_people_read_it():
    text = short_payers([paid(left=1_00), paid(given_up=50), paid()], 2, STAMP).text(
        following="arsync export x.csv"
    )
    assert text[-4:] == [
        "Customer   Receipts  Short  Share  Less  Given up",
        "Northwind         3      2  66 %   1.50      0.50  USD",
        "",
        "next: arsync export x.csv",
    ]
    assert short_payers([], 2, STAMP).text()[-1] == "nobody keeps paying less"
