"""The invented company on Xero: the same receipts and truths as on QuickBooks, and they stand in these books too."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.world import APOSTROPHES, INACTIVE, build, build_xero
from arsync.simulators.xero import XeroSimulator


def made(today, seed):
    """A world and the bookkeeper of its books."""
    noon = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12)
    simulator = XeroSimulator(clock=lambda: noon)
    world = build_xero(simulator, today, seed)
    return world, simulator.tenants[world.realm_id].books


@settings(max_examples=4)
@given(today=st.dates(date(2024, 1, 1), date(2030, 12, 31)), seed=st.integers(0, 10_000))
def test_truths_stand_in_the_books(today, seed):
    world, keeper = made(today, seed)
    keeper.audit()
    owed = {one["number"]: int(one["open"] * 100) for one in keeper.open_items()}
    spent = Counter()
    for truth in world.truths:
        for number, cents in truth.settles:
            spent[number] += cents
    assert spent
    assert {number: cents for number, cents in spent.items() if not 0 <= cents / owed[number] <= 1} == {}


def test_both_platforms_tell_the_same_story():
    today, noon = date(2026, 3, 2), datetime(2026, 3, 2, 12, tzinfo=UTC)
    world, keeper = made(today, 5)
    quickbooks = QuickBooksSimulator(clock=lambda: noon)
    other = build(quickbooks, "1", today, 5)
    assert world.truths == other.truths
    assert world.files == other.files
    assert keeper.receivable_cents() == quickbooks.companies["1"].books.receivable_cents()
    names = {one.name: one.status for one in keeper.core.contacts.values()}
    assert names[APOSTROPHES] == "ACTIVE"
    assert names[INACTIVE] == "ARCHIVED"
