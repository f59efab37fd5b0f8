"""How long does one match take? 10,000 open items and 2,000 receipts, by default.

    python bench/matching.py [--items 10000] [--receipts 2000] [--customers 200] [--repeat 7] [--profile]

An invented ledger: skewed customers, a quarter of the items at recurring amounts; receipts pay 1 (70 %), 2-5
(22 %) or 6-15 (8 %) items; 62 % quote full numbers, 8 % stripped ones, 30 % nothing; payer names are cut,
mistyped or lack their suffix. Prints best and median wall time of a warm process, and what was decided.
"""

import argparse
import cProfile
import pstats
import statistics
import time
from collections import Counter
from datetime import date, timedelta
from random import Random

from arsync.core.items import ItemKind
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.snapshot import CustomerRow, ItemRow, Knowledge, MatchPolicy, ReceiptRow, Snapshot

TODAY = date(2026, 3, 2)
_SUFFIXES = ("INC", "LLC", "LTD")
_WORDS = [
    "HARBOR",
    "KESTREL",
    "COBALT",
    "FENWICK",
    "GRANITE",
    "HOLLIS",
    "IVORY",
    "JUNIPER",
    "MARLOW",
    "NORTHAM",
    "OAKHURST",
    "QUARRY",
    "TAMARACK",
    "VERITY",
]
_TRADES = [
    "FOODS",
    "LOGISTICS",
    "FREIGHT",
    "TEXTILES",
    "TIMBER",
    "STEEL",
    "BAKERY",
    "MEDICAL",
    "PAPER",
    "MOTORS",
    "MARINE",
    "ENERGY",
    "GLASS",
    "TOOLS",
]


Pair = tuple[int, int]  # a receipt, and an item that it pays


def world(items: int, receipts: int, customers: int, seed: int = 7) -> Snapshot:
    return world_and_truth(items, receipts, customers, seed)[0]


def world_and_truth(
    items: int, receipts: int, customers: int, seed: int = 7
) -> tuple[Snapshot, frozenset[Pair]]:
    """The world, and what its receipts pay."""
    rng = Random(seed)
    rows = tuple(
        CustomerRow(
            n,
            f"{rng.choice(_WORDS)} {rng.choice(_WORDS)} {rng.choice(_TRADES)} {n} {rng.choice(_SUFFIXES)}",
        )
        for n in range(1, customers + 1)
    )
    weights = [n**-0.7 for n in range(1, customers + 1)]
    recurring = [rng.randrange(100_00, 900_00, 25_00) for _ in range(7)]
    owners = rng.choices(range(1, customers + 1), weights, k=items)
    book = []
    for number, owner in enumerate(owners, 1):
        amount = rng.choice(recurring) if rng.random() < 0.25 else int(rng.lognormvariate(11.5, 1.2)) + 100
        due = TODAY - timedelta(days=rng.randrange(-40, 60))
        issued = due - timedelta(days=30)
        book.append(
            ItemRow(
                number,
                owner,
                ItemKind.INVOICE,
                f"INV-{2026_00000 + number}",
                issued,
                due,
                "USD",
                amount,
                amount,
            )
        )
    by_owner: dict[int, list[ItemRow]] = {}
    for item in book:
        by_owner.setdefault(item.customer_id, []).append(item)
    paid = [_receipt(rng, number, rows, by_owner) for number in range(1, receipts + 1)]
    truth = frozenset((receipt.id, item.id) for receipt, chosen in paid for item in chosen)
    return Snapshot(1, TODAY, rows, tuple(book), tuple(receipt for receipt, _ in paid)), truth


def _receipt(
    rng: Random, number: int, customers: tuple[CustomerRow, ...], by_owner: dict[int, list[ItemRow]]
) -> tuple[ReceiptRow, list[ItemRow]]:
    owner = rng.choice(list(by_owner))
    u = rng.random()
    size = 1 if u < 0.7 else rng.randint(2, 5) if u < 0.92 else rng.randint(6, 15)
    chosen = [
        by_owner[owner].pop(rng.randrange(len(by_owner[owner])))
        for _ in range(min(size, len(by_owner[owner])))
    ]
    if not by_owner[owner]:
        del by_owner[owner]
    amount = sum(item.available_minor for item in chosen)
    if rng.random() < 0.03:
        amount -= 15_00
    u = rng.random()
    numbers = [item.number or "" for item in chosen]
    quoted = numbers if u < 0.62 else [n[4:] for n in numbers] if u < 0.7 else []
    text = (
        "PAYMENT " + ", ".join(quoted)
        if quoted
        else rng.choice(("ACH PMT", "VENDOR PAYMENT", f"BACS {rng.randrange(10**7)}"))
    )
    name = customers[owner - 1].name
    kind = rng.randrange(4)
    if kind == 1:
        name = name[: rng.choice((16, 18, 22))]
    elif kind == 2:
        at = rng.randrange(len(name) - 1)
        name = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    elif kind == 3:
        name = name.rsplit(" ", 1)[0]
    return ReceiptRow(number, TODAY, "USD", amount, name, "", (text, text.replace(" ", ""))), chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--receipts", type=int, default=2_000)
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    snapshot, policy = world(args.items, args.receipts, args.customers), MatchPolicy()
    findings = match(snapshot, Knowledge(), policy)
    times = []
    for _ in range(args.repeat):
        began = time.perf_counter()
        match(snapshot, Knowledge(), policy)
        times.append(time.perf_counter() - began)
    pairs = zip(findings, snapshot.receipts, strict=True)
    verdicts = Counter(str(decide(finding, receipt, policy, "auto").verdict) for finding, receipt in pairs)
    print(
        f"{args.items:,} items x {args.receipts:,} receipts, {args.customers:,} customers: "
        f"best {min(times):.3f} s, median {statistics.median(times):.3f} s of {args.repeat}; {dict(verdicts)}"
    )
    if args.profile:
        profile = cProfile.Profile()
        profile.runcall(match, snapshot, Knowledge(), policy)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
