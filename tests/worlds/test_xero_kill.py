"""Killed anywhere on Xero, arsync carries on: each payment, batch, overpayment and allocation stands there once.

The same processes and points as in `test_kill.py`, over the steps that Xero takes more of: an overpayment and its
allocations, a credit note and its allocation, batches, a payout, a refund, money the bank took back.
Figures: docs/evidence/kill.md.
"""

import signal
import time
from datetime import date, timedelta

import pytest

from arsync.connectors.contract import Found
from arsync.connectors.xero import XeroConnector
from arsync.core.policy import BookedAs
from arsync.store.receipts import Share
from arsync.sync import actions
from tests.worlds import test_kill as kill
from tests.worlds.office import Line
from tests.worlds.test_kill import killer, settle  # noqa: F401 - a fixture
from tests.worlds.test_write_back import map_to
from tests.worlds.xero_office import POLICY, make_xero_office, open_xero_office, served_xero

QUICK = 12
BY = date(2026, 12, 5)


def busy(office):
    """Decisions of clerks wait to be written, one is being undone, the books have moved, a new bank file is there.

    A payout is taken apart, and a refund is approved that the bank shows by now. What is promised is said in the books.
    """
    office.policy(POLICY + '\n[write_back]\nstate = "note"\n')
    north, acme = office.customer("Northwind Traders"), office.customer("Acme Corporation")
    contoso = office.customer("Contoso Industries")
    owed = {
        number: office.invoice(who, amount, number)
        for who, amount, number in (
            (north, "100.00", "1001"), (north, "200.00", "1002"), (north, "300.00", "1003"), (north, "75.25", "1004"),
            (acme, "400.00", "2001"), (acme, "512.34", "2002"), (contoso, "1000.00", "3001"),
            (north, "10.00", "1005"), (acme, "20.00", "2004"),
        )
    }  # fmt: skip
    note = office.credit_memo(north, "50.00", "CM-7")
    long_ago = (office.today() - timedelta(days=90)).isoformat()  # it cannot go back any more
    twice = office.keeper.overpayment(acme, "55.00", reference="TWICE", date=long_ago)
    held = f"Payment:Overpayment:{office.tenant.core.papers[twice['BankTransactionID']].credit_id}"
    map_to(office, "fee", BookedAs(None, account=office.tenant.core.account_by_code("404").id))
    office.statement(
        Line("400.00", "INVOICES 1001 1003", "NORTHWIND TRADERS"),
        Line("1000.00", "INV 3001", "CONTOSO INDUSTRIES"),
        Line("13.37", "HELLO", "SOMEBODY ELSE"),
        Line("27.10", "STRIPE PAYOUT PO-77", "STRIPE"),
    )
    office.run()
    by_amount = {q.amount_minor: q.id for q in office.queue()}
    accepted = actions.accept(office.desk(), by_amount[100000])
    office.run()
    actions.undo(office.desk(), accepted.decision_id, "it was for 3002")
    parts = [
        office.part(f"Invoice:{owed['1001']}", "100.00"),
        office.part(f"Invoice:{owed['1003']}", "280.00", write_off="20.00"),
    ]
    actions.apply(office.desk(), by_amount[40000], parts, rest_on_account=True)
    shares = [
        Share(1000, ("INVOICE 1005",), "NORTHWIND TRADERS"),
        Share(2000, ("INVOICE 2004",), "ACME CORPORATION"),
    ]
    actions.split(office.desk(), by_amount[2710], shares, 290)
    refund = actions.ask_refund(office.desk(), [office.part(held, "-40.00")], "paid twice").decision_id
    actions.approve(office.desk("Max"), refund)
    credit = [office.part(f"Invoice:{owed['1002']}", "30.00"), office.part(f"CreditNote:{note}", "-30.00")]
    actions.apply_credits(office.desk(), credit, "agreed")
    actions.promise(office.desk(), [office.item(f"Invoice:{owed['1002']}").id], BY)
    office.mode("auto")
    office.invoice(contoso, "88.00", "3002")
    office.keeper.pay(
        office.invoice(acme, "60.00", "2003"), "60.00", date=office.today().isoformat(), reference="2003"
    )
    office.statement(
        Line("912.34", "INVOICES 2001 2002", "ACME CORPORATION"),
        Line("75.25", "INVOICE 1004", "NORTHWIND TRADERS"),
        Line("60.00", "INVOICE 2003", "ACME CORPORATION"),
        Line("88.00", "INV 3002", "CONTOSO INDUSTRIES"),
        Line("77.77", "NOTHING TO SEE", "A STRANGER"),
        Line("-40.00", f"TRANSFER RF-{refund}", "ACME CORPORATION"),
    )


class XeroYard(kill.Yard):
    """The same on Xero."""

    worlds = {"busy": busy}  # noqa: RUF012 - as its base has it

    def make(self, url, folder):
        return make_xero_office(self.platform, url, folder)

    def open(self, url, folder):
        return open_xero_office(self.platform, url, folder)

    def configure(self, office):
        (office.folder / "client.secret").write_text(office.app.client_secret)
        section = f'[xero]\nclient_id = "{office.app.client_id}"\nclient_secret_file = "client.secret"\n'
        (office.folder / "arsync.toml").write_text(kill.TOML + section)


@pytest.fixture(scope="session")
def xero_yard(killer, tmp_path_factory):  # noqa: F811 - the fixture
    with served_xero() as platform:
        yield XeroYard(platform, killer, tmp_path_factory.mktemp("kill-xero"))


def test_what_an_undisturbed_run_writes_is_everything_xero_takes(xero_yard):
    """The world is worth killing in: it writes one of each."""
    template = xero_yard.template("busy")
    with xero_yard.copy(template) as office:
        assert xero_yard.killer.arsync(office, "reconcile").returncode in (0, 4)
        settle(office)
        office.booked_once()
        written = {
            f"{r.method} /{r.path.split('/')[1]}" for r in office.calls() if r.method in {"PUT", "POST"}
        }
        refunded = [
            p for p in office.payments() if office.tenant.core.papers[p.paper_id].kind == "Overpayment"
        ]
        promised = office.papers("Invoice")
        below = {r.path.rpartition("/")[2] for r in office.calls("PUT")}
    assert {"PUT /Payments", "PUT /BatchPayments", "PUT /BankTransactions", "PUT /CreditNotes"} <= written
    assert "POST /Payments" in written, "a payment is taken back"
    assert [one.expected for one in promised if one.expected] == [BY], "what is promised is expected"
    assert "PUT /BankTransfers" in written, "a payout comes to the bank"
    assert [one.cents for one in refunded] == [40_00]
    assert "Allocations" in below


@pytest.mark.slow
@pytest.mark.parametrize("number", range(QUICK))
def test_killed_on_xero(xero_yard, number):
    kill.killed_at(xero_yard, "busy", kill.drawn(xero_yard.template("busy"), QUICK, 5)[number])


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(kill.SEEDS))
def test_a_thousand_kills_on_xero(xero_yard, seed):
    """Up to five in a row: no duplicate and no loss."""
    kills = kill.KILLS // kill.SEEDS
    assert kill.killed_in_rows(xero_yard, "busy", kills, 11 + seed) < kills


@pytest.mark.slow
def test_a_lost_allocation_is_not_made_twice(xero_yard):
    """After every socket write of the run; allocations carry no key and no text by which they would be known."""
    template = xero_yard.template("busy")
    points = template.points["write", "write"]
    for number in points[:: max(1, len(points) // 8)]:
        with xero_yard.copy(template) as office:
            died = xero_yard.killer.arsync(office, "reconcile", kill=("write", number, "after"))
            assert died.returncode == -signal.SIGKILL
            assert settle(office) == template.outcome, number
            office.booked_once()


def test_a_planted_violation_is_found(xero_yard, monkeypatch):
    """Believing every lost call absent makes an overpayment twice, and the laws say so."""
    template = xero_yard.template("busy")
    monkeypatch.setattr(XeroConnector, "find", lambda _self, _call: Found("absent"))
    ends = []
    for number in template.points["write", "write"]:
        with xero_yard.copy(template) as office:
            xero_yard.killer.arsync(office, "reconcile", kill=("write", number, "after"))
            time.sleep(0.2)  # the last request of the dead process is served
            try:
                ends.append(settle(office) == template.outcome)
            except AssertionError:
                ends.append(False)
        if not ends[-1]:
            break
    assert not ends[-1], "nothing tells a second overpayment from the first"
