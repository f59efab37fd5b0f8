"""Recorded exchanges of the real platform pass through our parsers: read, or refused by name."""

import os
from pathlib import Path

import pytest
import yaml

from arsync.connectors import exact
from arsync.connectors.contract import Record, Unreadable
from arsync.connectors.quickbooks import mapping
from arsync.connectors.quickbooks.faults import fault_of, meaning
from arsync.connectors.quickbooks.mapping import LedgerFacts
from arsync.connectors.transport import Reply

FOLDER = Path(__file__).parents[3] / "../shared/corpus/quickbooks/vcr"
FACTS = LedgerFacts("USD", receivable=frozenset({"84"}))
ENTITIES = (
    "Account",
    "Term",
    "Item",
    "Customer",
    "Invoice",
    "CreditMemo",
    "Payment",
    "JournalEntry",
    "Deposit",
)
FAULTS = {
    "error/400_json.yml": {"refused"},
    "error/401.yml": {"sign_in"},
    "error/validation.yml": {"refused"},
}
pytestmark = pytest.mark.corpus


def recorded():
    if not FOLDER.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("the recorded exchanges are missing")
        pytest.skip("the recorded exchanges are not beside the project")
    for path in sorted(FOLDER.rglob("*.yml")):
        for exchange in yaml.safe_load(path.read_text())["http_interactions"]:
            response = exchange["response"]
            text = response["body"]["string"]
            text = text.decode() if isinstance(text, bytes) else text
            yield path.relative_to(FOLDER).as_posix(), response["status"]["code"], text


def rows(value):
    """Every (entity, row) at any depth of an answer."""
    if isinstance(value, list):
        for one in value:
            yield from rows(one)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ENTITIES:
                yield from (
                    (name, row)
                    for row in (inner if isinstance(inner, list) else [inner])
                    if isinstance(row, dict)
                )
            yield from rows(inner)


def test_every_recorded_answer_is_read_or_refused_by_name():
    answers = list(recorded())
    assert len(answers) >= 18
    read = 0
    for name, status, text in answers:
        fault = fault_of(Reply(status, {}, text))
        if fault is not None:
            assert meaning(fault) in FAULTS[name], (name, fault)
            continue
        for entity, row in rows(exact.read(text)):
            if row.get("status") == "Deleted" or "Id" not in row:
                continue
            for one in mapping.read(entity, row, FACTS):
                assert isinstance(one, Record | Unreadable)
                assert isinstance(one, Record), (name, one.ref, one.field, one.why)
                read += 1
    assert read >= 20


def test_every_recorded_number_keeps_its_digits():
    for name, _, text in recorded():
        if text.startswith("{"):
            kept = exact.text(exact.read(text))
            assert exact.read(kept) == exact.read(text), name
            assert kept.count(".00") == text.count(".00"), name


def test_a_recorded_void_is_recognised():
    voided = [
        one.value
        for name, _, text in recorded()
        if name == "void/invoice.yml" and text.startswith("{")
        for entity, row in rows(exact.read(text))
        if entity == "Invoice"
        for one in mapping.read(entity, row, FACTS)
    ]
    assert [value.voided for value in voided] == [False, True] or voided[-1].voided
