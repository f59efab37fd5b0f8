"""Reports as files: what goes in comes out, exactly, and the manifest proves it."""

import csv
import hashlib
import json
import resource
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arsync
from arsync.core.money import Money
from arsync.errors import Broken, SetupError, UsageError
from arsync.reports.stamp import Stamp
from arsync.reports.writers import Column, Table, guarded, write

STAMP = Stamp(
    date(2024, 2, 29), "due", datetime(2024, 3, 1, 6, 30, tzinfo=UTC), "unproven: a test", "acme-us"
)
COLUMNS = (
    Column("id"),
    Column("name"),
    Column("due", "date"),
    Column("currency", "currency"),
    Column("open", "amount"),
    Column("items", "integer"),
    Column("share", "percent"),
)
NASTY = [
    "=cmd|' /C calc'!A0",
    "O'Brien \\ Sons' & Co",
    "'s-Hertogenbosch",
    "'=1+1",
    "+49 30 1",
    "-",
    "@x",
    "\tx",
]
NASTY += [
    'say "hi", twice',
    "two\nlines",
    "株式会社",
    "Łódź № 5",
    "",
    "007",
    "1e5",
    "http://example.test",
    "\x01\x1b[2J",
]


def table(rows, columns=COLUMNS):
    return Table("open items", columns, rows, STAMP)


AMOUNT = Money(12_34, "USD")


def line(name="Acme", amount=AMOUNT, day=date(2024, 2, 29), items=3, share=1250):
    return ("007", name, day, amount.currency, amount, items, share)


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_xlsx(path):
    book = openpyxl.load_workbook(path)
    return list(book.worksheets[0].iter_rows(min_row=2))


def plain(text):
    """What the reader of a CSV does to get the original text."""
    return text[1:] if text.startswith("'") and guarded(text[1:]) == text else text


def test_csv_is_bytes_as_promised(tmp_path):
    write(table([line(NASTY[0])]), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == (
        b'"id","name","due","currency","open","items","share"\r\n'
        b'"007","\'=cmd|\' /C calc\'!A0","2024-02-29","USD",12.34,3,12.50\r\n'
    )


@pytest.mark.parametrize("name", NASTY)
def test_names_survive_every_format(tmp_path, name):
    for form in ("csv", "json", "xlsx"):
        write(table([line(name)]), tmp_path / f"a.{form}")
    assert plain(read_csv(tmp_path / "a.csv")[0]["name"]) == name
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["rows"][0]["name"] == name
    cell = read_xlsx(tmp_path / "a.xlsx")[0][1]
    assert cell.data_type in {"s", "n", "inlineStr"}
    assert openpyxl.utils.escape.unescape(cell.value or "") == name


@pytest.mark.parametrize("name", NASTY)
def test_no_cell_is_a_formula_or_a_link(tmp_path, name):
    write(table([line(name)]), tmp_path / "a.csv")
    write(table([line(name)]), tmp_path / "a.xlsx")
    assert not read_csv(tmp_path / "a.csv")[0]["name"].startswith(("=", "+", "-", "@", "\t"))
    cell = read_xlsx(tmp_path / "a.xlsx")[0][1]
    assert cell.data_type != "f"
    assert cell.hyperlink is None


@given(st.text(alphabet="'=+-@\t\na", max_size=6))
def test_the_guard_can_be_taken_off(text):
    assert plain(guarded(text)) == text


@pytest.mark.parametrize(
    ("amount", "text", "number_format"),
    [
        pytest.param(Money(12_34, "USD"), "12.34", "#,##0.00", id="cents"),
        pytest.param(Money(-1_00, "EUR"), "-1.00", "#,##0.00", id="a credit keeps its zeros"),
        pytest.param(Money(1234, "JPY"), "1234", "#,##0", id="yen have no decimals"),
        pytest.param(Money(1234, "KWD"), "1.234", "#,##0.000", id="dinars have three"),
        pytest.param(Money(0, "USD"), "0.00", "#,##0.00", id="zero"),
        pytest.param(
            Money(10**15 - 1, "USD"), "9999999999999.99", "#,##0.00", id="15 digits are still a number"
        ),
    ],
)
def test_amounts(tmp_path, amount, text, number_format):
    for form in ("csv", "json", "xlsx"):
        write(table([line(amount=amount)]), tmp_path / f"a.{form}")
    assert read_csv(tmp_path / "a.csv")[0]["open"] == text
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["rows"][0]["open"] == text
    cell = read_xlsx(tmp_path / "a.xlsx")[0][4]
    assert cell.number_format == number_format
    assert Decimal(f"{cell.value:.15g}") == Decimal(text)


def test_an_amount_of_sixteen_digits_is_text_in_a_spreadsheet(tmp_path):
    write(table([line(amount=Money(-(10**15), "USD"))]), tmp_path / "a.xlsx")
    assert read_xlsx(tmp_path / "a.xlsx")[0][4].value == "-10000000000000.00"


def test_dates_and_shares_are_real_in_a_spreadsheet(tmp_path):
    write(table([line(), line(day=date(1899, 12, 31)), line(day=None)]), tmp_path / "a.xlsx")
    first, second, third = read_xlsx(tmp_path / "a.xlsx")
    assert (first[2].value, first[2].number_format) == (datetime(2024, 2, 29), "yyyy-mm-dd")
    assert (first[6].value, first[6].number_format) == (0.125, "0.00%")
    assert (second[2].value, third[2].value) == ("1899-12-31", None)


AMOUNTS = st.builds(Money, st.integers(-(10**17), 10**17), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
LINES = st.lists(st.builds(line, name=st.sampled_from(NASTY), amount=AMOUNTS), max_size=12)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(LINES)
def test_csv_and_json_read_back_exactly(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("back")
    written = write(table(iter(rows)), folder / "a.csv")
    write(table(iter(rows)), folder / "a.json")
    document = json.loads((folder / "a.json").read_text("utf-8"))
    assert [(plain(r["name"]), r["currency"], Decimal(r["open"])) for r in read_csv(folder / "a.csv")] == [
        (row[1], row[3], row[4].decimal()) for row in rows
    ]
    assert [(r["open"], r["currency"], r["name"]) for r in document["rows"]] == [
        (row[4].text(), row[3], row[1]) for row in rows
    ]
    assert document["row_count"] == written.rows == len(rows)
    for currency, totals in written.control.items():
        assert totals["open"].minor == sum(row[4].minor for row in rows if row[3] == currency)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(AMOUNTS.filter(lambda amount: abs(amount.minor) < 10**15), min_size=1, max_size=8))
def test_spreadsheet_amounts_are_exact_to_fifteen_digits(tmp_path_factory, amounts):
    path = tmp_path_factory.mktemp("exact") / "a.xlsx"
    write(table([line(amount=amount) for amount in amounts]), path)
    assert [Decimal(f"{row[4].value:.15g}") for row in read_xlsx(path)] == [
        amount.decimal() for amount in amounts
    ]


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_the_manifest_proves_the_file(tmp_path, form):
    rows = [line(), line(amount=Money(5, "JPY")), line(amount=Money(66, "USD"))]
    written = write(table(rows), tmp_path / f"a.{form}")
    manifest = json.loads(written.manifest.read_text("utf-8"))
    assert manifest["sha256"] == written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
    assert manifest["file"] == f"a.{form}"
    assert manifest["generator"] == f"arsync {arsync.__version__}"
    assert manifest["rows"] == 3
    assert manifest["control_totals"] == {"JPY": {"open": "5"}, "USD": {"open": "13.00"}}
    assert {key: manifest[key] for key in ("as_of", "known_at", "basis", "completeness", "ledger")} == {
        "as_of": "2024-02-29",
        "known_at": "2024-03-01T06:30:00Z",
        "basis": "due",
        "completeness": "unproven: a test",
        "ledger": "acme-us",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{form}", f"a.{form}.manifest.json"]


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_the_same_rows_give_the_same_bytes(tmp_path, form):
    first, second = (write(table([line()]), tmp_path / f"{name}.{form}") for name in "ab")
    assert first.sha256 == second.sha256


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        pytest.param(line()[:-1], "6 cells", id="a cell is missing"),
        pytest.param((*line()[:4], "12.34", 3, 0), "no amount", id="text where an amount belongs"),
        pytest.param((*line()[:4], 12.34, 3, 0), "no amount", id="a float is never an amount"),
        pytest.param(
            (*line()[:3], "EUR", *line()[4:]), "another currency", id="the row states another currency"
        ),
        pytest.param((*line()[:5], True, 0), "no integer", id="a truth value is no number"),
    ],
)
def test_a_row_that_does_not_fit_stops_the_report(tmp_path, form, bad, why):
    with pytest.raises(Broken, match=why):
        write(table([line(), bad]), tmp_path / f"a.{form}")
    assert list(tmp_path.iterdir()) == []


def test_an_older_report_stays_when_the_new_one_fails(tmp_path):
    old = write(table([line()]), tmp_path / "a.csv")
    with pytest.raises(Broken):
        write(table([line()[:-1]]), tmp_path / "a.csv")
    assert hashlib.sha256(old.path.read_bytes()).hexdigest() == json.loads(old.manifest.read_text())["sha256"]


def test_an_older_report_stays_when_its_manifest_cannot_be_replaced(tmp_path):
    old = write(table([line()]), tmp_path / "a.csv")
    old.manifest.unlink()
    old.manifest.mkdir()
    with pytest.raises(SetupError, match="the report was not written"):
        write(table([line("Other")]), tmp_path / "a.csv")
    assert read_csv(old.path)[0]["name"] == "Acme"


def test_a_new_report_replaces_the_older_one(tmp_path):
    write(table([line()]), tmp_path / "a.csv")
    new = write(table([line("Other")]), tmp_path / "a.csv")
    assert read_csv(new.path)[0]["name"] == "Other"
    assert json.loads(new.manifest.read_text())["sha256"] == new.sha256


def test_what_a_spreadsheet_cannot_hold_is_said(tmp_path):
    with pytest.raises(UsageError, match="32,767") as caught:
        write(table([line("x" * 32_768)]), tmp_path / "a.xlsx")
    assert caught.value.where == "row 1, column name"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_more_rows_than_a_spreadsheet_has_are_refused(tmp_path):
    rows = (("x",) for _ in range(1_048_576))
    with pytest.raises(UsageError, match="1,048,576 rows"):
        write(table(rows, (Column("id"),)), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match=r"no writer for \.pdf") as caught:
        write(table([]), tmp_path / "a.pdf")
    assert caught.value.do == "use .csv, .json or .xlsx"


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_a_folder_that_cannot_be_written(tmp_path, form):
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "missing", tmp_path / "file", Path("/proc")):
        with pytest.raises(SetupError, match="the report was not written") as caught:
            write(table([line()]), folder / f"a.{form}")
        assert caught.value.where == str(folder / f"a.{form}")


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_a_folder_of_that_name_is_left_alone(tmp_path, form):
    (tmp_path / f"a.{form}").mkdir()
    with pytest.raises(SetupError, match="Is a directory"):
        write(table([line()]), tmp_path / f"a.{form}")
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{form}"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from datetime import date
from arsync.core.money import Money
from arsync.errors import SetupError
from arsync.reports.stamp import Stamp
from arsync.reports.writers import Column, Table, write

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
columns = (Column("name"), Column("currency", "currency"), Column("open", "amount"))
rows = ((f"{n * 7919 % 100_003} Acme", "USD", Money(n, "USD")) for n in range(5_000))
try:
    write(Table("aging", columns, rows, Stamp(date(2024, 1, 1), "due")), Path(sys.argv[1]))
except SetupError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_a_disk_that_fills_up_leaves_the_old_report_and_nothing_else(tmp_path, form):
    """The limit on file size makes the kernel refuse the write half way, as a full disk does."""
    assert hasattr(resource, "RLIMIT_FSIZE")
    path = tmp_path / f"a.{form}"
    old = write(table([line()]), path)
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.splitlines()[0]) == (
        3,
        "the report was not written: File too large",
    ), run.stderr
    assert hashlib.sha256(path.read_bytes()).hexdigest() == old.sha256
    assert len(list(tmp_path.iterdir())) == 2
