"""Exchange rates, typed as a person types them; programs read the same."""

import pytest

from arsync.errors import NotFound, NotPermitted, UsageError
from arsync.store import audit
from tests.cli.test_booking import Terminal
from tests.worlds.conftest import platform, quick_office, sqlite_template  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow
LIST = "date,currency,rate\n2026-03-05,EUR,1.0850\n2026-03-06,EUR,1.0911\n2026-03-06,GBP,1,27\n"
TABLE = "Date,USD,JPY,GBP,\n2026-03-09,1.0880,160.25,N/A,\n"


@pytest.fixture
def terminal(quick_office, monkeypatch):  # noqa: F811 - the fixture
    return Terminal(quick_office, monkeypatch)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "list.csv").write_text(LIST)
    (tmp_path / "table.csv").write_text(TABLE)
    (tmp_path / "statement.csv").write_text("Date,Amount\n2026-03-06,100.00\n")
    (tmp_path / "latin.csv").write_bytes("date,currency,rate\n2026-03-06,é,1\n".encode("latin-1"))
    return tmp_path


def test_a_list_and_the_banks_table(terminal, files):
    told = terminal.type("rates", "import", str(files / "list.csv"), "--base", "usd")
    assert "line 4: it has 4 fields, the header 3: 2026-03-06,GBP,1,27" in told
    assert "2 new, 0 corrected, 0 as they were" in told
    assert terminal.json("rates", "import", str(files / "table.csv")) == {
        "done": "2 new, 0 corrected, 0 as they were",
        "new": 2,
        "corrected": 0,
        "unchanged": 0,
        "bad": [],
    }
    rows = terminal.json("rates", "list", "--from", "2026-03-06")
    assert [(row["on"], row["one"], row["value"], row["other"], row["who"]) for row in rows] == [
        ("2026-03-06", "EUR", "1.0911", "USD", "Cleo"),
        ("2026-03-09", "EUR", "160.25", "JPY", "Cleo"),
        ("2026-03-09", "EUR", "1.0880", "USD", "Cleo"),
    ]
    assert "1 EUR 1.0850 USD" in " ".join(terminal.type("rates", "list").split())


def test_a_later_file_corrects_a_day(terminal, files):
    terminal.type("rates", "import", str(files / "list.csv"), "--base", "USD")
    (files / "late.csv").write_text("date,currency,rate\n2026-03-06,USD,0.92\n2026-03-05,EUR,1.0850\n")
    with pytest.raises(UsageError, match="nothing says which currency"):
        terminal.type("rates", "import", str(files / "late.csv"))
    told = terminal.type("rates", "import", str(files / "late.csv"), "--base", "EUR")
    assert "0 new, 1 corrected" in told, "the pair is kept once, whichever way round"
    assert "EUR has no rate in itself" in told
    assert "1 USD = 0.92 EUR" in terminal.type("rates", "show", "2026-03-07", "usd", "eur")


def test_one_rate_as_the_matcher_sees_it(terminal, files):
    terminal.type("rates", "import", str(files / "table.csv"))
    assert terminal.type("rates", "show", "2026-03-12", "usd", "jpy").strip() == (
        "1 USD = 147.28860294 JPY, published for 2026-03-09"
    )
    assert terminal.json("rates", "show", "2026-03-09", "EUR", "USD")["rate"] == "1.088"
    with pytest.raises(NotFound, match="no rate of EUR in USD for 2026-03-15"):
        terminal.type("rates", "show", "2026-03-15", "EUR", "USD")


def test_what_is_refused(terminal, files):
    assert "no rates are on file" in terminal.type("rates", "list")
    with pytest.raises(UsageError, match="no file of rates"):
        terminal.type("rates", "import", str(files / "statement.csv"))
    with pytest.raises(UsageError, match="not text in UTF-8"):
        terminal.type("rates", "import", str(files / "latin.csv"), "--base", "USD")
    with pytest.raises(NotPermitted):
        terminal.type("rates", "import", str(files / "table.csv"), person="Otto")


def test_the_chain_says_who_imported_them(terminal, files):
    terminal.type("rates", "import", str(files / "table.csv"))
    with terminal.office.store.read() as conn:
        (told,) = audit.history(conn, terminal.office.ledger.id, "rates")
    assert (told["what"], told["who"], told["body"]["new"]) == ("rates imported", "Cleo", 2)
