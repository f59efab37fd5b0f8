"""Unapplied cash: where all received money went, and what settles nothing yet."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.output import Screen, as_json
from arsync.reports.unapplied import ReceiptRow, UnappliedPayment, unapplied
from arsync.reports.writers import write

AS_OF = date(2024, 3, 31)


def receipt(number=1, currency="USD", received=100_00, customer="Acme", days=3, **parts):
    parts = parts or {"applied_minor": received}
    return ReceiptRow(
        number, AS_OF - timedelta(days=days), "ACME CORP", customer, currency, received, **parts
    )


def payment(unapplied_minor=5_00, currency="USD", number="P-9"):
    return UnappliedPayment(9, date(2024, 2, 29), number, "Beta", currency, unapplied_minor)


def test_the_screen():
    rows = [
        receipt(1, received=900_00),
        receipt(2, undecided_minor=60_00, applied_minor=40_00, why="several sets fit"),
        receipt(3, received=25_00, on_account_minor=25_00),
        receipt(4, received=10_00, returned_minor=10_00),
        receipt(5, received=7_00, not_receivables_minor=7_00),
    ]
    got = unapplied(rows, [payment()], AS_OF, ledger="acme-us", completeness="proven")
    assert got.text(Screen(100, unicode=False), following="arsync queue show R-2") == [
        "acme-us  as of 2024-03-31, by receipt date, as known now",
        "proven",
        "",
        "5 receipts in USD",
        "  applied                 940.00",
        "  on account               25.00",
        "  not receivables           7.00",
        "  undecided                60.00",
        "  returned or refunded     10.00",
        "  --------------------  --------",
        "  received              1,042.00",
        "  besides, unapplied payments in the platform's books: USD 5.00",
        "",
        "Amount  State              Arrived     Days  From  Why               Reference",
        " 60.00  undecided          2024-03-28     3  Acme  several sets fit  R-2",
        " 25.00  on account         2024-03-28     3  Acme                    R-3",
        "  5.00  unapplied payment  2024-02-29    31  Beta                    P-9",
        "",
        "next: arsync queue show R-2",
    ]


def test_a_receipt_that_does_not_add_up_is_shown():
    got = unapplied([receipt(applied_minor=60_00)], [], AS_OF)
    assert [(line.state, line.amount_minor) for line in got.lines] == [("unexplained", 40_00)]
    assert got.equations[0].unexplained_minor == 40_00
    assert any("UNEXPLAINED" in line for line in got.text())


def test_two_errors_that_cancel_out_are_both_shown():
    got = unapplied([receipt(1, applied_minor=60_00), receipt(2, applied_minor=140_00)], [], AS_OF)
    assert got.equations[0].unexplained_minor == 0
    assert sorted(line.amount_minor for line in got.lines) == [-40_00, 40_00]


def test_an_unknown_payer_is_named_as_the_bank_names_it():
    got = unapplied([receipt(customer=None, undecided_minor=100_00)], [], AS_OF)
    assert "ACME CORP" in got.text()[-1]
    assert got.rows()[0][5] is None


def test_everything_settled_and_nothing_received():
    assert unapplied([receipt()], [], AS_OF).text()[-1] == "  everything is settled"
    assert unapplied([], [], AS_OF).text()[-1] == "nothing was received"


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_it_can_be_written(tmp_path, form):
    got = unapplied([receipt(undecided_minor=100_00)], [payment(7, "JPY", None)], AS_OF)
    written = write(got.table(), tmp_path / f"unapplied.{form}")
    assert {key: value["amount"].text() for key, value in written.control.items()} == {
        "JPY": "7",
        "USD": "100.00",
    }


PARTS = st.lists(st.integers(-(10**12), 10**12), min_size=5, max_size=5)


@given(st.lists(st.tuples(PARTS, st.sampled_from(["USD", "JPY", "KWD"])), max_size=12), st.integers(0, 10**9))
def test_applied_to_returned_add_up_to_received(receipts, outside):
    names = (
        "applied_minor",
        "on_account_minor",
        "not_receivables_minor",
        "undecided_minor",
        "returned_minor",
    )
    rows = [
        receipt(n, currency, sum(parts), **dict(zip(names, parts, strict=True)))
        for n, (parts, currency) in enumerate(receipts)
    ]
    got = unapplied(rows, [payment(outside)] if outside else [], AS_OF)
    for equation in got.equations:
        own = [row for row in rows if row.currency == equation.currency]
        assert equation.received_minor == sum(row.received_minor for row in own)
        assert equation.received_minor == sum(getattr(equation, name) for name in names)
        assert equation.unexplained_minor == 0
        assert equation.receipts == len(own)
        waiting = sum(line.amount_minor for line in got.lines if line.currency == equation.currency)
        listed = equation.undecided_minor + equation.on_account_minor + equation.unapplied_payments_minor
        assert waiting == listed
    assert sum(equation.receipts for equation in got.equations) == len(rows)
    assert as_json(got)
