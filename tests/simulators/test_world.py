"""The invented company: its files prove, its truths stand in its books, and a seed and a day give one world."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arsync.connectors.bank.bankprofile import GENERIC, parse_profile
from arsync.connectors.bank.mapping import read_file
from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.world import APOSTROPHES, GROUPS, INACTIVE, LOOK_ALIKES, build

REALM = "9130347000000001"


def made(today, seed):
    """A world and the bookkeeper of its books."""
    noon = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12)
    simulator = QuickBooksSimulator(clock=lambda: noon)
    world = build(simulator, REALM, today, seed)
    return world, simulator.companies[REALM].books


def statements(world):
    """Every statement of the files, as arsync's own readers read them."""
    profile = parse_profile(world.profile, where="lockbox")
    for file in world.files:
        yield from read_file(file.data, profile if file.path.endswith(".csv") else GENERIC).statements


def open_cents(keeper):
    """What every numbered document has open, credits negative."""
    numbers = {(k, d["Id"]): d["DocNumber"] for k in ("Invoice", "CreditMemo") for d in keeper.all(k)}
    return {
        numbers[one["kind"], one["id"]]: round(one["open"] * 100)
        for one in keeper.open_items()
        if (one["kind"], one["id"]) in numbers
    }


@settings(max_examples=6)
@given(today=st.dates(date(2024, 1, 1), date(2030, 12, 31)), seed=st.integers(0, 10_000))
def test_truths_stand_in_the_books_and_files_prove(today, seed):
    world, keeper = made(today, seed)
    keeper.audit()
    owed, spent = open_cents(keeper), Counter()
    for truth in world.truths:
        for number, cents in truth.settles:
            spent[number] += cents
        moved = truth.cents + truth.given_up_cents
        settled = sum(cents for _, cents in truth.settles)
        assert not truth.settles or moved - settled in (
            (0,) if truth.case != "over-payment" else (2_500, 100)
        )
        assert world.today - timedelta(days=20) <= truth.on < world.today
    assert {n: (cents, owed[n]) for n, cents in spent.items() if not 0 <= cents / owed[n] <= 1} == {}
    read = Counter((line.booking_date, line.amount.minor) for one in statements(world) for line in one.lines)
    readable = [truth for truth in world.truths if truth.case != "unreadable amount"]
    assert read == Counter((truth.on, truth.cents) for truth in readable)
    assert [one.proven for one in statements(world)].count("unproven") == 1


def test_the_same_seed_and_day_give_the_same_world():
    today = date(2026, 11, 22)
    assert made(today, 7)[0] == made(today, 7)[0]
    assert made(today, 7)[0].truths != made(today, 8)[0].truths


@pytest.fixture(scope="module")
def usual():
    return made(date(2026, 11, 22), 1)


def test_the_company_has_what_a_company_has(usual):
    _, keeper = usual
    names = {one["DisplayName"]: one for one in keeper.all("Customer")}
    assert 40 <= len(names) <= 45
    assert {APOSTROPHES, *LOOK_ALIKES, *GROUPS} <= set(names)
    assert [name for name, one in names.items() if not one["Active"]] == [f"{INACTIVE} (deleted)"]
    assert sum("ParentRef" in one for one in names.values()) == sum(map(len, GROUPS.values()))
    assert 100 <= len(keeper.open_items()) <= 160
    assert len(keeper.all("CreditMemo")) == 4
    assert len(keeper.all("JournalEntry")) == 1
    assert [p["UnappliedAmt"] for p in keeper.all("Payment") if p["UnappliedAmt"]] == [640]


def test_the_bank_brings_every_case(usual):
    world, _ = usual
    assert len([truth for truth in world.truths if truth.cents > 0]) >= 55
    assert {"ofx", "xml", "csv"} == {file.path.rpartition(".")[2] for file in world.files}
    assert len({truth.case for truth in world.truths}) >= 24


def test_customers_differ_in_how_late_they_pay(usual):
    _, keeper = usual
    paid_on = {}
    for payment in keeper.all("Payment"):
        for line in payment["Line"]:
            paid_on[line["LinkedTxn"][0]["TxnId"]] = date.fromisoformat(payment["TxnDate"])
    late = {}
    for invoice in keeper.all("Invoice"):
        if invoice["Id"] in paid_on:
            days = (paid_on[invoice["Id"]] - date.fromisoformat(invoice["DueDate"])).days
            late.setdefault(invoice["CustomerRef"]["value"], []).append(days)
    means = sorted(sum(days) / len(days) for days in late.values() if len(days) > 3)
    assert means[0] < 0
    assert means[-1] > 15
