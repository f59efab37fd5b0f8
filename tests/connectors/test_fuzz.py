"""Damage to real samples, for minutes: a reader ends soon in values or a named error, and invents no amount.

Seeded, so that a finding can be met again: `FUZZ_SEED=7 FUZZ_S=300` sets where it starts and how long it goes on.
"""

import copy
import os
import random
import time
from decimal import Decimal
from itertools import count

import pytest

from arsync.connectors import exact
from arsync.connectors.contract import Record, Unreadable
from arsync.connectors.quickbooks import mapping, reports
from arsync.connectors.quickbooks.faults import fault_of, meaning
from arsync.connectors.transport import Reply
from arsync.core.items import OpenItem, Payment
from arsync.core.money import AmountUnreadable
from arsync.simulators.quickbooks import QuickBooksSimulator
from tests.conftest import CORPUS
from tests.connectors.bank.samples import camt, entry, ofx, ofx_line, statement, transaction
from tests.connectors.bank.test_bank_files import check_ends_well
from tests.connectors.quickbooks.helpers import Clock
from tests.connectors.quickbooks.test_corpus import FACTS, recorded, rows
from tests.connectors.quickbooks.test_reports import cells, grand, report

pytestmark = pytest.mark.long
SEED = int(os.environ.get("FUZZ_SEED", "1"))
BUDGET_S = int(os.environ.get("FUZZ_S", "120"))
LARGEST = 40_000
TOKENS = [
    b"<", b">", b"</", b'"', b"&", b"&amp;", b"<!--", b"]]>", b"\x00", b"\xff\xfe", b"\xe2\x82\xac", b"\r", b"\n",
    b",", b";", b"-",
    b"1E9", b"NaN", b"999999999999999999999", b"0.001", b"1,234.50", b"1.234,50", b"<STMTTRN>",
    b"</STMTRS>", b"<TRNAMT>",
    b"20260231", b"CRDT", b"<Ntry>", b"\xef\xbb\xbf", b"  ", b"{", b"[",
]  # fmt: skip
VALUES = [
    None, True, "", "x", "100.00", "1_000", 0, -1, 10**20, Decimal("0.001"), Decimal("1E-99"), Decimal("12.345"),
    [], [{}], {}, {"value": None},
    {"value": 1}, "2026-02-31", "USD", "EUR", "XXX",
]  # fmt: skip


def turns(budget_s):
    """A seeded source of chance for each turn, until the time is up."""
    until = time.monotonic() + budget_s
    for number in count():
        if time.monotonic() > until:
            assert number > 1000, "too slow to find anything"
            return
        yield number, random.Random(f"{SEED}-{number}")


# ---- bank files


def bank_samples():
    own = [
        ofx(ofx_line("5.00"), ofx_line("-1.00", fitid="F2", MEMO="x")),
        camt(statement(entry("5.00", "CRDT", transaction(amount="5.00")), entry("1.00", "DBIT"))),
        b"Date,Description,Amount\n2026-01-15,x,5.00\n2026-01-16,y,-1.00\n",
    ]
    real = sorted((CORPUS / "bank" / "dev").rglob("*")) if CORPUS.is_dir() else []
    return own + [path.read_bytes() for path in real if path.is_file() and path.stat().st_size <= LARGEST]


def damaged(data, chance, others):
    """One to five wounds: bytes cut, changed, doubled, moved, or taken from another file."""
    for _ in range(chance.randint(1, 5)):
        at, length = chance.randrange(len(data) + 1), chance.choice([1, 2, 8, 64, 1024])
        part = data[at : at + length]
        other = chance.choice(others)
        begin = chance.randrange(len(other) + 1)
        there = chance.choice(
            [b"", part + part, chance.choice(TOKENS), chance.randbytes(length), other[begin : begin + length]]
        )
        data = data[:at] + there + data[at + chance.choice([0, length]) :]
    return data


def test_damaged_bank_files_end_soon_in_values_or_a_named_error():
    samples = bank_samples()
    for number, chance in turns(BUDGET_S):
        data = damaged(chance.choice(samples), chance, samples)
        try:
            check_ends_well(data)
        except Exception as found:
            raise AssertionError(f"FUZZ_SEED={SEED} turn {number}: {data[:2000]!r}") from found


# ---- QuickBooks


@pytest.fixture(scope="module")
def documents():
    """Rows of every kind, recorded and simulated, and answers with a fault."""
    kept = [(entity, row) for _, _, text in recorded_texts() for entity, row in rows(exact.read(text))]
    return kept + simulated()


def recorded_texts():
    if not CORPUS.is_dir():
        return []
    return [(name, status, text) for name, status, text in recorded() if text.startswith("{")]


def simulated():
    keeper = QuickBooksSimulator(clock=Clock().now).add_company("1", name="Acme").books
    customer = keeper.create_customer("Acme")["Id"]
    invoice = keeper.create_invoice(customer, "100.00")
    memo = keeper.create_credit_memo(customer, "10.00")
    payment = keeper.create_payment(customer, "60.00", [("Invoice", invoice["Id"], "50.00")])
    written = [("Invoice", invoice), ("CreditMemo", memo), ("Payment", payment)]
    return [(entity, exact.read(exact.text(row))) for entity, row in written]


def places(value, path=()):
    """Every path into a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*path, key)
        yield from places(below, (*path, key))


def altered(row, chance):
    """The row with one to three of its values replaced or taken away."""
    row = copy.deepcopy(row)
    for _ in range(chance.randint(1, 3)):
        where = list(places(row))
        if not where:
            break
        *way, last = chance.choice(where)
        holder = row
        for key in way:
            holder = holder[key]
        if chance.random() < 0.3:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(chance.choice(VALUES))
    return row


def invents(one, row):
    """What a record claims that its row does not state."""
    value = one.value
    if isinstance(value, OpenItem) and "TotalAmt" in row:
        return abs(value.stated_open.decimal()) not in {
            abs(row[name])
            for name in ("Balance", "RemainingCredit")
            if isinstance(row.get(name), Decimal | int)
        }
    if isinstance(value, Payment):
        return (value.total.decimal(), value.unapplied.decimal()) != (row["TotalAmt"], row["UnappliedAmt"])
    return False


def test_altered_rows_are_read_as_they_are_or_told_unreadable(documents):
    for number, chance in turns(BUDGET_S):
        entity, row = chance.choice(documents)
        row = altered(row, chance)
        try:
            told = mapping.read(entity, row, FACTS)
            assert all(isinstance(one, Record | Unreadable) for one in told)
            assert not any(isinstance(one, Record) and invents(one, row) for one in told)
        except Exception as found:
            raise AssertionError(f"FUZZ_SEED={SEED} turn {number}: {entity} {exact.text(row)}") from found


REPORT = report(
    {
        "Header": cells("Acme", "1", "10.00", "", "10.00"),
        "Rows": {"Row": [cells("Branch", "2", "20.00", "", "20.00")]},
        "Summary": cells("Total Acme", "", "30.00", "", "30.00"),
        "type": "Section",
    },
    grand("30.00", "", "30.00"),
)


def test_altered_reports_and_faults_are_read_or_refused():
    faults = [(status, text) for _, status, text in recorded_texts()] or [(400, '{"Fault":{"Error":[]}}')]
    for number, chance in turns(BUDGET_S // 4):
        document = altered(REPORT, chance)
        status, text = chance.choice(faults)
        answer = damaged(text.encode(), chance, TOKENS).decode("utf-8", "replace")
        try:
            fault = fault_of(Reply(status, {}, answer))
            assert fault is None or meaning(fault)
            *_, whole = reports.aged_receivables(document, "fuzz", "USD")
            assert whole.amount.text() in {"30.00", "0.00"}, whole
        except (reports.ReportUnreadable, AmountUnreadable):
            continue
        except Exception as found:
            raise AssertionError(f"FUZZ_SEED={SEED} turn {number}: {document} {answer!r}") from found
