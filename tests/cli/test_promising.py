"""Promises and reminders typed as a person types them; programs read the same."""

import pytest

from arsync.errors import NotFound, NotPermitted, UsageError
from tests.cli.test_booking import Terminal
from tests.worlds.conftest import platform, quick_office, sqlite_template  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow


@pytest.fixture
def terminal(quick_office, monkeypatch):  # noqa: F811 - the fixture
    north = quick_office.customer("O'Brien \\ Sons' & Co")
    quick_office.invoice(north, "1200.00", "1001")
    quick_office.invoice(north, "80.00", "1002")
    quick_office.run()
    return Terminal(quick_office, monkeypatch)


def test_promises_from_the_first_word_to_the_last(terminal):
    assert "nothing is promised" in terminal.type("promise", "list")
    said = terminal.type("promise", "add", "1001", "1002", "--by", "2026-11-25", "--said-by", "Pat")
    assert "P-1: USD 1,200.00 of 1001 promised by 2026-11-25" in said
    assert "P-2: USD 80.00 of 1002 promised by 2026-11-25" in said
    assert "next: arsync promise list" in said
    (newer,) = terminal.json("promise", "add", "1002", "--by", "2026-11-21", "--amount", "50.00 USD")
    assert "P-2 (USD 80.00 by 2026-11-25) is superseded" in newer["text"]
    terminal.office.clock.pass_days(2)
    listed = terminal.type("promise", "list")
    assert "P-2" not in listed
    assert "next: arsync reminder add INVOICE" in listed
    assert [line.split()[:3] for line in listed.splitlines() if "promise " in line] == [
        ["1", "promise", "open"], ["1", "promise", "broken"]
    ]  # fmt: skip
    assert "superseded" in terminal.type("promise", "list", "--all")
    terminal.type("promise", "withdraw", "1001", "--why", "said of another invoice")
    terminal.type("promise", "withdraw", "p-3", "--why", "said of another invoice")
    rows = terminal.json("promise", "list")
    assert [(row["promise"], row["state"]) for row in rows] == [
        (1, "withdrawn"), (2, "superseded"), (3, "withdrawn")
    ]  # fmt: skip
    assert rows[0]["withdrawn_why"] == "said of another invoice"
    with pytest.raises(NotFound, match="nothing is promised"):
        terminal.type("promise", "withdraw", "1001", "--why", "again")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["1001", "--amount", "10.00 EUR"], "1001 is in USD, not in EUR", id="another currency"),
        pytest.param(["1001", "--amount", "1,20"], "not an amount", id="a comma is not guessed at"),
        pytest.param(
            ["1001", "1002", "--amount", "10.00"], "one amount for 2 items", id="one amount for two"
        ),
        pytest.param(["1001", "--by", "soon"], "not a date", id="no day"),
        pytest.param([], "no item is named", id="of nothing"),
        pytest.param(["--amount", "10.00"], "no item is named", id="an amount of nothing"),
    ],
)
def test_what_is_not_understood_is_refused(terminal, words, says):
    with pytest.raises(UsageError, match=says):
        terminal.type("promise", "add", "--by", "2026-12-05", *words)
    assert terminal.json("promise", "list") == []


def test_unknown_items_and_people_are_refused(terminal):
    with pytest.raises(NotFound, match="no item is called 4711"):
        terminal.type("promise", "add", "4711", "--by", "2026-12-05")
    with pytest.raises(NotPermitted):
        terminal.type("promise", "add", "1001", "--by", "2026-12-05", person="Otto")


def test_reminders(terminal):
    assert "nobody was reminded" in terminal.type("reminder", "list")
    with pytest.raises(UsageError, match="no item is named"):
        terminal.type("reminder", "add")
    terminal.type("promise", "add", "1001", "--by", "2026-12-05")
    said = terminal.type("reminder", "add", "1001", "--by", "letter", "--level", "2", "--on", "2026-11-18")
    assert "1001: reminded (level 2) 2026-11-18 by letter" in said
    assert "careful: P-1 runs: USD 1,200.00 by 2026-12-05" in said
    shown = terminal.json("show", "1001")
    assert shown["promises"] == ["P-1 open: USD 1,200.00 by 2026-12-05"]
    assert shown["reminders"] == ["reminded (level 2) 2026-11-18 by letter"]
    assert "P-1 open" in terminal.type("show", "1001")
    (row,) = terminal.json("reminder", "list")
    assert (row["number"], row["level"], row["by"], row["who"]) == ("1001", 2, "letter", "Cleo")
    assert "2026-11-18" in terminal.type("reminder", "list")
