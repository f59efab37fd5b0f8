"""QuickBooks write-back against the cases that expose a toy connector; each test's id is the case's own text.

The books are the simulator's, over HTTP; the laws of `office.py` (`adds_up`, `agrees`) hold after every case.
"""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from arsync.simulators.quickbooks import Fault
from arsync.store import decisions, outbox
from arsync.sync import actions
from tests.worlds.office import REALM, TODAY, Line

CASES = {
    2: "Timeout after the payment was created -> exactly one Payment after retry, across process restart.",
    3: "Payment deleted in QBO, re-push -> new Payment with new Id; books show it.",
    4: "Clerk edits invoice between match and write -> 5010 handled; decision re-evaluated, not blindly replayed.",
    5: "Two invoices paid, invoice memo written afterwards -> no stale-token failure.",
    6: "Balance was paid in the UI meanwhile -> no overpayment posted; exception raised.",
    7: "One bank receipt: 3 invoices + 1 credit memo + short pay -> TotalAmt = cash, lines tie to cents.",
    8: "Zero-cash credit application; credit partly left; RemainingCredit right.",
    9: "JE credit on A/R applied to an invoice; JE residual computed.",
    10: "Existing unapplied payment applied; other lines of that Payment intact.",
    11: "0.1+0.2-style amounts, 1,000 lines: sums exact to the cent; JSON numbers on the wire.",
    22: "Books closed through last month; receipt dated inside -> queued with reason, nothing half-written.",
    23: "EUR customer in USD company: balance, home balance and ageing right; wrong-currency receipt refused.",
    24: "Batch of 30 with 7 faults -> 23 recorded, 7 queued with own reason; rerun does nothing twice.",
}


def case(number):
    """The test of one case, with the case's words as its id."""
    return pytest.mark.parametrize("_case", [pytest.param(number, id=f"{number}: {CASES[number]}")])


@pytest.fixture
def office(quick_office):
    quick_office.mode("auto")
    return quick_office


def ended_well(office):
    office.run_until_idle()
    office.adds_up()
    office.agrees()
    before = office.rows()
    assert not office.run().changed
    assert office.changed_rows(before) == set()


def lines_of(office, payment):
    return {
        (line["LinkedTxn"][0]["TxnType"], line["LinkedTxn"][0]["TxnId"]): Decimal(str(line["Amount"]))
        for line in payment["Line"]
    }


def the_payment(office):
    (payment,) = office.payments()
    return payment


def fail_next(office, kind, path, times=1):
    office.simulator.faults.add(Fault(kind=kind, path=path, times=times))


@case(2)
def test_case_2(office, _case):
    customer = office.customer("Acme")
    office.invoice(customer, "100.00", "1001")
    office.statement(Line("100.00", "INVOICE 1001", "ACME"))
    fail_next(office, "lost_after_commit", "/payment", times=9)
    assert office.run().written.unknown == 1
    office.simulator.faults.clear()
    reopened = office.run()  # a run opens store and connector anew: what a restarted process does
    assert reopened.read_back.adopted == 1
    assert len(office.payments()) == 1
    ended_well(office)
