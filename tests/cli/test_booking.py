"""What goes back, what is given up and where it is booked, typed as a person types it; programs read the same."""

import json

import pytest
from click.testing import CliRunner

from arsync.cli import cli, common
from arsync.errors import ArsyncError, NotPermitted, UsageError
from tests.worlds.conftest import platform, quick_office, sqlite_template  # noqa: F401 - fixtures
from tests.worlds.office import Line

pytestmark = pytest.mark.slow


class Terminal:
    """Commands typed in an office's folder."""

    def __init__(self, office, monkeypatch):
        self.office = office
        (office.folder / "client.secret").write_text(office.simulator.client_secret)
        (office.folder / "arsync.toml").write_text(
            'store = "sqlite:///arsync.sqlite"\nkey_file = "arsync.key"\ninbox = "inbox"\n'
            f'[quickbooks]\nclient_id = "{office.simulator.client_id}"\nclient_secret_file = "client.secret"\n'
        )
        monkeypatch.setattr(common, "utc_now", office.clock.now)

    def type(self, *words, person="Cleo"):
        told = ["--config", str(self.office.folder / "arsync.toml"), "--as", person, *words]
        result = CliRunner().invoke(cli, told, standalone_mode=False)
        if isinstance(result.exception, ArsyncError):
            raise result.exception
        assert result.exception is None, result.output
        return result.stdout

    def json(self, *words, person="Cleo"):
        return json.loads(self.type(*words, "--json", person=person))


@pytest.fixture
def terminal(quick_office, monkeypatch):  # noqa: F811 - the fixture
    quick_office.mode("auto")
    quick_office.run()
    made = Terminal(quick_office, monkeypatch)
    made.type(
        "bank", "map", "main", "--deposit-account", quick_office.keeper.account("checking"), person="Ada"
    )
    return made


def test_where_adjustments_are_booked(terminal):
    office = terminal.office
    shown = terminal.json("adjustments", "list")
    assert shown["kinds"]["bad debt"] is None
    assert office.keeper.account("fees") in shown["accounts"]
    assert 'next: arsync adjustments map "deduction"' in terminal.type("adjustments", "list")
    with pytest.raises(NotPermitted):
        terminal.type("adjustments", "map", "bad debt", "--product", "1")
    with pytest.raises(UsageError, match="no kind of adjustment"):
        terminal.type("adjustments", "map", "kickback", "--product", "1", person="Max")
    with pytest.raises(UsageError, match="no product 999"):
        terminal.type("adjustments", "map", "bad debt", "--product", "999", person="Max")
    said = terminal.json(
        "adjustments", "map", "bad debt", "--product", "1", "--tax-code", "NON", person="Max"
    )
    version = said["done"].split("version ")[1].split()[0]
    terminal.type("policy", "approve", version, person="Mia")
    assert terminal.json("adjustments", "list")["kinds"]["bad debt"]["product"] == "1"


def test_a_day_of_money_that_goes_back(terminal):
    office = terminal.office
    north = office.customer("O'Brien \\ Sons' & Co")
    invoice = office.invoice(north, "100.00", "1001")
    memo = office.credit_memo(north, "55.00", "CM-1")
    number = office.keeper.get("CreditMemo", memo)["DocNumber"]
    today = office.today()
    office.statement(Line("100.00", "INVOICE 1001", "OBRIEN SONS CO", on=today))
    office.run_until_idle()
    office.statement(Line("-112.00", "RETURNED ITEM NSF", "OBRIEN SONS CO", on=today))
    office.run()
    queued = f"Q-{office.queued().id}"
    assert f"next: arsync queue return {queued[2:]}" in terminal.type("queue", "show", queued)
    with pytest.raises(UsageError, match="no account for fees"):
        terminal.type("queue", "return", queued, "--fee", "12.00")
    said = terminal.json(
        "adjustments", "map", "fee", "--account", office.keeper.account("fees"), person="Max"
    )
    terminal.type("policy", "approve", said["done"].split("version ")[1].split()[0], person="Mia")
    assert "next: arsync reconcile" in terminal.type("queue", "return", queued, "--fee", "12.00")
    asked = terminal.type("refund", "ask", "--item", f"{number}=-40.00", "--why", "wants it back")
    decision = asked.split(" asks")[0]
    assert f"next: somebody else: arsync queue approve {decision}" in asked
    assert "RF-" in terminal.type("queue", "approve", decision, person="Max")
    (waiting,) = terminal.json("refund", "list")
    assert (waiting["amount"]["amount"], waiting["reference"]) == ("40.00", f"RF-{decision[2:]}")
    assert waiting["reference"] in terminal.type("refund", "list")
    office.statement(Line("-40.00", f"WIRE {waiting['reference']}", "OBRIEN", on=today))
    office.run_until_idle()
    assert office.balance(invoice) == 100
    assert "no refund waits" in terminal.type("refund", "list")
    assert terminal.json("write-off", "1001=20.00", "--why", "broken in transit")[0]["state"] == "planned"
    office.run_until_idle()
    assert office.balance(invoice) == 80
    office.adds_up()
    office.agrees()


def test_money_that_is_not_final_is_shown_and_refunded_on_somebodys_word(terminal):
    office = terminal.office
    customer = office.customer("Northwind Traders")
    office.invoice(customer, "70.00", "1001")
    office.statement(Line("100.00", "INVOICE 1001 AND MORE", "NORTHWIND TRADERS", on=office.today()))
    office.run()
    queued = f"Q-{office.queued().id}"
    assert "may go back until 2026-12-02 (how it came is not said)" in terminal.type("queue", "show", queued)
    terminal.type("queue", "apply", queued, "--item", "1001=70.00", "--on-account")
    office.run_until_idle()
    shown = terminal.json("show", "R-1")["final"]
    assert shown == {
        "standing": "may go back", "method": "not said", "returned_until": "2026-12-02", "claimed_until": None,
    }  # fmt: skip
    assert "may go back until 2026-12-02" in terminal.type("show", "R-1")
    (credit,) = terminal.json("show", "Northwind Traders")["credit"]
    assert (credit["open"]["amount"], credit["may_go_back"]["amount"], credit["at_most"]["amount"]) == (
        "-30.00",
        "100.00",
        "70.00",
    )
    told = terminal.type("show", "Northwind Traders")
    assert "100.00 of what was paid may still go back, the last until 2026-12-02: then USD 70.00" in told
    (row,) = terminal.json("not-final")["rows"]
    assert (row["customer"], row["method"], row["standing"], row["until"], row["amount"]["amount"]) == (
        "Northwind Traders",
        "not said",
        "may go back",
        "2026-12-02",
        "100.00",
    )
    assert "1 receipt in USD" in terminal.type("not-final")
    file = office.folder / "not-final.csv"
    assert "1 rows; amount" in terminal.type("export", str(file))
    assert '"Northwind Traders","may go back","not said","2026-12-02",1,"USD",100.00' in file.read_text(
        "utf-8"
    )
    (payment,) = office.payments()
    ask = ["refund", "ask", "--payment", f"Payment:{payment['Id']}", "--amount", "30.00", "--why", "overpaid"]
    decision = terminal.json(*ask)[0]["decision_id"]
    assert "may go back" in terminal.json("show", f"D-{decision}")["not_final"][0]
    with pytest.raises(UsageError, match="not final") as met:
        terminal.type("queue", "approve", f"D-{decision}", person="Max")
    assert "--not-final" in met.value.do
    assert "RF-" in terminal.type("queue", "approve", f"D-{decision}", "--not-final", person="Max")


def test_a_payout_is_split(terminal):
    office = terminal.office
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "100.00", "1001")
    office.statement(Line("150.00", "LOCKBOX 7", "LOCKBOX", on=office.today()))
    office.run()
    queued = f"Q-{office.queued().id}"
    part = "100.00=NORTHWIND TRADERS: INVOICE 1001"
    assert "next: arsync reconcile" in terminal.type(
        "queue", "split", queued, "--part", part, "--part", "50.00"
    )
    office.run_until_idle()
    assert office.balance(invoice) == 0
    terminal.type("queue", "on-account", f"Q-{office.queued().id}", "--customer", "Northwind Traders")
    office.run_until_idle()
    assert [d["TotalAmt"] for d in office.keeper.all("Deposit")] == [150]


def test_taken_apart_and_written_again(terminal):
    office = terminal.office
    customer = office.customer("Northwind Traders")
    invoice = office.invoice(customer, "100.00", "1001", days_ago=5)
    payment = office.keeper.create_payment(
        customer,
        "100.00",
        [("Invoice", invoice, "100.00")],
        date=office.today().isoformat(),
        reference="INV 1001",
    )["Id"]
    office.run()
    terminal.type("unapply", f"Payment:{payment}", "--item", "1001=40.00", "--why", "was for 1002")
    office.run_until_idle()
    assert office.balance(invoice) == 40
    office.statement(Line("40.00", "INVOICE 1001", "NORTHWIND TRADERS", on=office.today()))
    office.run_until_idle()
    (ours,) = [p for p in office.payments() if p["Id"] != payment]
    office.keeper.delete("Payment", ours["Id"])
    office.run()
    decision = f"D-{office.receipt().decision_id}"
    assert "next: arsync reconcile" in terminal.type("redo", decision, "--why", "deleted by mistake")
    office.run_until_idle()
    assert office.balance(invoice) == 0
    office.adds_up()
