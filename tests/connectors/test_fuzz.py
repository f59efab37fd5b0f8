"""Damage to answers of QuickBooks, for minutes: read or refused, and no amount invented.

Bank files and advices have a table of their own (bank/test_bank_fuzz.py). Seeded, so that a finding can be met again:
`FUZZ_SEED=7 FUZZ_S=7200` sets where it starts and how long it goes on (a thirtieth of it here, for each test).
"""

import copy
import os
import re
from decimal import Decimal

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
from tests.connectors.quickbooks.helpers import Clock
from tests.connectors.quickbooks.test_corpus import FACTS, recorded, rows
from tests.connectors.quickbooks.test_reports import cells, grand, report
from tests.connectors.wounds import turns, wounded

pytestmark = pytest.mark.long
SEED = int(os.environ.get("FUZZ_SEED", "1"))
BUDGET_S = float(os.environ.get("FUZZ_S", "3600")) / 30
JSON = (re.compile(rb"(?=[{}\[\],:])|(?<=[{}\[\],:])"),)
VALUES = [
    None, True, "", "x", "100.00", "1_000", 0, -1, 10**20, Decimal("0.001"), Decimal("1E-99"), Decimal("12.345"),
    [], [{}], {}, {"value": None},
    {"value": 1}, "2026-02-31", "USD", "EUR", "XXX",
]  # fmt: skip


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
    for number, chance in turns(f"{SEED}-rows", BUDGET_S):
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
    for number, chance in turns(f"{SEED}-reports", BUDGET_S / 4):
        document = altered(REPORT, chance)
        status, text = chance.choice(faults)
        answer = wounded(text.encode(), JSON, chance, [text.encode()]).decode("utf-8", "replace")
        try:
            fault = fault_of(Reply(status, {}, answer))
            assert fault is None or meaning(fault)
            *_, whole = reports.aged_receivables(document, "fuzz", "USD")
            assert whole.amount.text() in {"30.00", "0.00"}, whole
        except (reports.ReportUnreadable, AmountUnreadable):
            continue
        except Exception as found:
            raise AssertionError(f"FUZZ_SEED={SEED} turn {number}: {document} {answer!r}") from found
