"""How often the program was wrong, what it has learned and who pays short, typed as a person types it."""

import pytest

from arsync.errors import NotPermitted, UsageError
from tests.cli.test_booking import Terminal
from tests.worlds.conftest import platform, quick_office, sqlite_template  # noqa: F401 - fixtures
from tests.worlds.office import Line

pytestmark = pytest.mark.slow
EVERY = """
[quality]
one_in = 1
"""


@pytest.fixture
def terminal(quick_office, monkeypatch):  # noqa: F811 - the fixture
    office = quick_office
    with office.store.read() as conn:
        from arsync.store.office import policy_in_force

        text = policy_in_force(conn, office.ledger.id).text.partition("[quality]")[0]
    office.policy(text + EVERY)
    office.customer("O'Brien \\ Sons' & Co")
    return Terminal(office, monkeypatch)


def pay(office, amount="250.00", paid=""):
    """The next invoice of the only customer, and its money."""
    invoice = office.invoice("1", amount, "", days_ago=5)
    number = office.keeper.get("Invoice", invoice)["DocNumber"]
    office.statement(Line(paid or amount, f"INVOICE {number}", "O'BRIEN SONS & CO"))
    return number


def drawn(office):
    pay(office)
    office.mode("auto")
    office.run_until_idle()
    (row,) = office.queue("quality check")
    return row


def test_a_check_is_blind(terminal):
    row = drawn(terminal.office)
    decision = terminal.office.receipt().decision_id
    for shown in (terminal.type("queue", "show", f"Q-{row.id}"), terminal.type("queue", "list")):
        assert "1001" not in shown.replace("INVOICE 1001", "")
        assert "R-1" not in shown
        assert f"D-{decision}" not in shown
    facts = terminal.json("queue", "show", str(row.id))
    assert (facts["customer"], facts["open_then"], facts["text"]) == (
        None,
        [],
        "O'BRIEN SONS & CO INVOICE 1001",
    )
    with pytest.raises(UsageError, match="blind"):
        terminal.type("why", f"Q-{row.id}", "1001")


def test_what_was_open_of_a_customer_then_is_listed_on_asking(terminal):
    row = drawn(terminal.office)
    shown = terminal.type("queue", "show", str(row.id), "--customer", "O'Brien \\ Sons' & Co")
    assert "1001       invoice" in shown
    assert "250.00" in shown


def test_a_check_that_differs_is_told_with_the_command_that_takes_it_back(terminal):
    office = terminal.office
    row = drawn(office)
    told = terminal.type("queue", "not-ours", str(row.id), "--why", "a transfer")
    assert f"arsync undo D-{office.receipt().decision_id} --why TEXT" in told
    told = terminal.type("quality")
    assert "reference" in told
    assert 'arsync quality lift "reference"' in told
    assert terminal.json("quality")["classes"][0] | {"held": "", "since": None} == {
        "evidence_class": "reference", "applied": 1, "checked": 1, "wrong": 1, "undone": 0, "moved": 0,
        "since": None, "held": "", "in_10_000": [2065, 10000],
    }  # fmt: skip
    assert '"reference" applies nothing by itself' in terminal.type("doctor")
    with pytest.raises(NotPermitted):
        terminal.type("quality", "lift", "reference", "--why", "mended")
    terminal.type("quality", "lift", "reference", "--why", "mended", person="Max")
    assert "lift" not in terminal.type("quality")


def test_before_anything_was_applied(terminal):
    assert "all of it is checked blind, 50 in 10,000 may be wrong" in terminal.type("quality")
    assert terminal.type("learned") == "books: nothing was learned\n"
    with pytest.raises(UsageError, match="after the subcommand"):
        terminal.type("learned", "--all", "forget", "1")


def test_what_was_learned_is_listed_and_taken_back(terminal):
    office = terminal.office
    invoice = office.invoice("1", "80.00", "", days_ago=5)
    office.statement(Line("80.00", "THANK YOU", "HOLDING 77 LLC"))
    office.run()
    terminal.type("queue", "apply", str(office.queued().id), "--item", f"Invoice:{invoice}=80.00")
    assert "HOLDING 77 LLC" in terminal.type("learned")
    assert terminal.json("learned")[0]["by"] == ["Cleo"]
    told = terminal.type("learned", "forget", "1")
    assert told == "it is forgotten that \"HOLDING 77 LLC\" pays for O'Brien \\ Sons' & Co\n"
    assert terminal.json("learned") == []
    assert terminal.json("learned", "--all")[0]["standing"] == "ended"


def test_how_a_customer_pays_is_listed_and_taken_back(terminal):
    office = terminal.office
    assert terminal.type("learned", "habits") == "books: nothing was learned of how customers pay\n"
    invoice = office.invoice("1", "80.00", "", days_ago=5)
    office.statement(Line("80.00", "THANK YOU", "HOLDING 77 LLC"))
    office.run()
    terminal.type("queue", "apply", str(office.queued().id), "--item", f"Invoice:{invoice}=80.00")
    (habit,) = terminal.json("learned", "habits")
    assert (habit["payments"], habit["by"]) == (1, ["Cleo"])
    assert "most often" in terminal.type("learned", "habits")
    told = terminal.type("learned", "unlearn", habit["customer"], "--why", "another landlord")
    assert told == "it is forgotten how O'Brien \\ Sons' & Co paid: 1 payment(s)\n"
    assert terminal.json("learned", "habits") == []


def test_a_ledger_goes_to_auto_with_its_back_test_or_with_a_warning(terminal):
    office = terminal.office
    pay(office)
    office.run()
    told = terminal.type("ledger", "mode", "auto", person="Max")
    assert told.splitlines() == [
        "books: propose -> auto",
        "warning: nobody has asked what the policy in force would have done with the past: arsync backtest",
    ]
    office.run_until_idle()
    terminal.type("backtest", person="Otto")
    told = terminal.type("ledger", "mode", "auto", person="Max")
    assert told.splitlines()[1] == (
        "back-tested 2026-11-20 by Otto under the policy in force: of 1 receipt 1 applied alone, 0 of them wrong "
        "(0 to 7935 in 10,000)"
    )
    office.policy("[match]\nthreshold = 0.99\n" + EVERY)
    assert "warning" in terminal.json("ledger", "mode", "auto", person="Max")["done"]


def test_who_keeps_paying_less(terminal):
    office = terminal.office
    for paid in ("90.00", "95.00", "100.00"):
        pay(office, "100.00", paid)
    office.run()
    for row in office.queue():
        terminal.type("queue", "accept", str(row.id))
    office.run_until_idle()
    told = terminal.type("short-payers")
    assert "O'Brien \\ Sons' & Co         3      2  66 %   15.00      0.00  USD" in told
    assert terminal.json("short-payers")["rows"][0]["times_short"] == 2
    assert "nobody keeps paying less" in terminal.type("short-payers", "--least", "3")
    file = office.folder / "short-payers.csv"
    assert "1 rows; short USD 15.00" in terminal.type("export", str(file))
    assert file.read_text().splitlines()[1].endswith('3,2,66.66,"USD",15.00,0.00')
