"""Snapshots, knowledge, findings and policies as text: read back they are equal, and one value has one text."""

import dataclasses
import types
import typing
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import Evidence, EvidenceClass, Explanation, Finding, Reason, Rejected, Share
from arsync.core.items import ItemKind
from arsync.core.matching import record
from arsync.core.matching.snapshot import (
    Alias,
    BookedRow,
    Crowd,
    CustomerRow,
    ItemRow,
    Knowledge,
    MatchPolicy,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)
from arsync.core.rates import Rate

LEAVES = {
    int: st.integers(-(10**15), 10**15),
    str: st.text(max_size=20),
    bool: st.booleans(),
    float: st.floats(0, 1),
    date: st.dates(),
    type(None): st.none(),
    ItemKind: st.sampled_from(ItemKind),
    Reason: st.sampled_from(Reason),
    EvidenceClass: st.sampled_from(EvidenceClass),
}


def some(kind):
    """Any value of a type, dataclasses and tuples of them included: a new field is tried without a word here."""
    if kind in LEAVES:
        return LEAVES[kind]
    if isinstance(kind, types.UnionType):
        return st.one_of(*map(some, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return st.lists(some(typing.get_args(kind)[0]), max_size=3).map(tuple)
    if typing.get_origin(kind) is frozenset:
        return st.frozensets(some(typing.get_args(kind)[0]), max_size=3)
    if typing.get_origin(kind) is dict:
        return st.dictionaries(*map(some, typing.get_args(kind)), max_size=3)
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: some(hints[name]) for name in hints})


PAIRS = {
    Snapshot: (record.snapshot_to_text, record.snapshot_from_text),
    Knowledge: (record.knowledge_to_text, record.knowledge_from_text),
    Finding: (record.finding_to_text, record.finding_from_text),
    MatchPolicy: (record.policy_to_text, record.policy_from_text),
}


@pytest.mark.parametrize("kind", PAIRS, ids=[kind.__name__ for kind in PAIRS])
@given(data=st.data())
def test_what_is_recorded_is_read_back_the_same(kind, data):
    to_text, from_text = PAIRS[kind]
    value = data.draw(some(kind))
    text = to_text(value)
    assert from_text(text) == value
    assert to_text(from_text(text)) == text
    assert "\n" not in text, "three of them are kept as three lines"


DAY = date(2026, 11, 22)


def test_every_table_of_a_snapshot_is_recorded():
    receipt = ReceiptRow(1, DAY, "USD", 100, "Kestrel", texts=("a\nb", "ü"), is_return=True)
    whole = Snapshot(
        7,
        DAY,
        (CustomerRow(1, "Kestrel", ("K",), 2, "USD", active=False, payer_accounts=("77",)),),
        (ItemRow(1, 1, ItemKind.INVOICE, None, DAY, DAY, "USD", 100, 50, ("PO 1",), 2, DAY),),
        (receipt,),
        (BookedRow(3, 1, DAY, "USD", 100, 0, "x"),),
        (RemittanceRow("A", DAY, "Kestrel", "USD", None, "unknown", "1001", 100, None, 0, "n"),),
        (receipt,),
        (1,),
        (Crowd("USD", 100, 32),),
        (Rate(DAY, "EUR", "USD", Decimal("1.0837")),),
    )
    assert all(getattr(whole, field.name) for field in dataclasses.fields(Snapshot)), (
        "nothing is left out here"
    )
    assert record.snapshot_from_text(record.snapshot_to_text(whole)) == whole


def test_an_alias_that_has_ended():
    known = Knowledge((Alias("kestrel", 1, 2, DAY, DAY), Alias("account:77", 2, 1, DAY)))
    assert record.knowledge_from_text(record.knowledge_to_text(known)) == known


def test_a_finding_with_everything():
    share, evidence = Share(1, 90, 5, 3, 2), Evidence("amount-fits", supports=True, text="It fits.")
    explanation = Explanation(1, (share,), 10, EvidenceClass.SET, (evidence,), 0.75, 9, "EUR")
    finding = Finding(4, (explanation,), True, Reason.SHORT_PAY, (Rejected(None, (1, 2), "no"),), wait=True)
    assert record.finding_from_text(record.finding_to_text(finding)) == finding
