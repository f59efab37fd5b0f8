"""A real ledger as a world of cashbench: what a customer cleared on one day came as one receipt.

    python bench/real_ledger.py LEDGER.csv WORLD [--bench ../shared/cashbench] [--references 0.5]
    python bench/cashbench_arsync.py --folders WORLD

The ledger is a CSV with customer_id, issue_date_est, due_date, clear_date (empty: never), amount, currency and, if it
has them, invoiceNumber. Amounts, dates and what was paid together are real; names of customers are cashbench's, numbers
that are missing are counted up, and of the receipts the share `--references` quotes them. Only money in US dollars.
"""

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

_LONGEST_TEXT = 140
_LONGEST_NAME = 35
_FILES = {
    "customers": "customer_id name parent_id payer_accounts aliases terms",
    "items": "item_id customer_id kind number po_number issue_date due_date currency amount terms",
    "bank": "line_id date amount currency payer_name payer_account text",
    "remittances": "remittance_id received_date payer_name currency total line_no reference gross discount paid note",
    "rates": "date currency rate",
    "truth": "line_id kind customer_id item_id applied discount write_off deduction",
    "labels": "line_id kind reference_mode payer_mode remittance items open_items determined",
}


@dataclass(frozen=True, slots=True)
class Invoice:
    """A row of the ledger; dates as ISO text, the amount in minor units."""

    id: str
    customer: str
    number: str
    issued: str
    due: str
    amount: int
    cleared: str


def invoices(path: Path) -> list[Invoice]:
    """The ledger's invoices in US dollars, oldest first."""
    from world import cents

    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file) if row["currency"] == "USD" and Decimal(row["amount"]) > 0
        ]
    rows.sort(key=lambda row: (row["issue_date_est"], row["customer_id"], row["due_date"]))
    return [
        Invoice(
            id=f"I{place:06d}",
            customer=row["customer_id"],
            number=row.get("invoiceNumber") or f"193{place:07d}",
            # An estimated date of issue may lie behind the day it was paid.
            issued=min(row["issue_date_est"], row["due_date"], row["clear_date"] or row["due_date"]),
            due=row["due_date"],
            amount=cents(_two_digits(row["amount"])),
            cleared=row["clear_date"],
        )
        for place, row in enumerate(rows)
    ]


def _two_digits(amount: str) -> str:
    whole, _, fraction = amount.partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


def write(ledger: Sequence[Invoice], out: Path, references: float) -> Counter[str]:
    """Write the world; by what its receipts can be told, as cashbench says it (its README, "What can be known")."""
    from ledger import make_customers
    from profiles import PROFILES
    from world import money

    random = Random("real")
    names = sorted({one.customer for one in ledger})
    people = make_customers(PROFILES["no_refs"], Random("real:customers"), len(names))
    who = dict(zip(names, people, strict=True))
    rows: dict[str, list[Sequence[object]]] = {name: [] for name in _FILES}
    rows["customers"] = [(p.customer_id, p.name, "", "", "", p.terms.text) for p in people]
    rows["items"] = [
        (
            i.id,
            who[i.customer].customer_id,
            "invoice",
            i.number,
            "",
            i.issued,
            i.due,
            "USD",
            money(i.amount),
            "",
        )
        for i in sorted(ledger, key=lambda one: (one.issued, one.id))
    ]
    of_customer = _by(ledger, "customer")
    told: Counter[str] = Counter()
    for place, (day, customer, paid) in enumerate(_payments(ledger)):
        line, payer = f"L{place:06d}", who[customer]
        named = random.random() < references
        text = f"INV {' '.join(one.number for one in paid)}" if named else "PAYMENT"
        total = money(sum(one.amount for one in paid))
        name = payer.name.upper()[:_LONGEST_NAME]
        rows["bank"].append((line, day, total, "USD", name, "", text[:_LONGEST_TEXT]))
        open_then = [
            i for i in of_customer[customer] if i.issued <= day and (not i.cleared or i.cleared >= day)
        ]
        by = "refs" if named and len(text) <= _LONGEST_TEXT else determined(paid, open_then)
        told[by] += 1
        rows["truth"] += [
            (line, "full", payer.customer_id, one.id, money(one.amount), "0.00", "0.00", "0.00")
            for one in paid
        ]
        mode = "all" if named else "none"
        rows["labels"].append((line, "full", mode, "name", "none", len(paid), len(open_then), by))
    out.mkdir(parents=True, exist_ok=True)
    for name, header in _FILES.items():
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header.split(), *rows[name]])
    return told


def _by(ledger: Iterable[Invoice], name: str) -> dict[Any, list[Invoice]]:
    found: dict[Any, list[Invoice]] = defaultdict(list)
    for one in ledger:
        found[getattr(one, name)].append(one)
    return found


def _payments(ledger: Iterable[Invoice]) -> Iterator[tuple[str, str, list[Invoice]]]:
    """(day, customer, what is paid), in order."""
    for day, cleared in sorted(_by(ledger, "cleared").items()):
        if day:
            for customer, paid in sorted(_by(cleared, "customer").items()):
                yield day, customer, paid


def determined(paid: Sequence[Invoice], open_then: Sequence[Invoice]) -> str:
    """By what the amount alone tells the set: one sum, the oldest of equal amounts, one run, or nothing."""
    from subsets import blocks, count_sums

    ordered = sorted(open_then, key=lambda one: (one.due, one.id))
    total = sum(one.amount for one in paid)
    if count_sums([one.amount for one in ordered], total) == 1:
        left = [
            (one, other)
            for one in paid
            for other in ordered
            if other.amount == one.amount and other not in paid
        ]
        if any(other.due < one.due for one, other in left):
            return "none"
        return "oldest" if any(other.due > one.due for one, other in left) else "sum"
    places = [place for place, one in enumerate(ordered) if one in paid]
    run = (places[0], places[-1] + 1)
    is_run = run[1] - run[0] == len(places)
    return "block" if is_run and blocks([one.amount for one in ordered], total) == [run] else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ledger", type=Path)
    parser.add_argument("world", type=Path)
    parser.add_argument("--bench", type=Path, default=Path(__file__).parents[2] / "shared/cashbench")
    parser.add_argument("--references", type=float, default=0.0)
    args = parser.parse_args()
    sys.path.insert(0, str(args.bench.resolve()))
    ledger = invoices(args.ledger)
    told = write(ledger, args.world, args.references)
    print(f"{len(ledger):,} invoices, {told.total():,} receipts; told by: {dict(told)}")


if __name__ == "__main__":
    main()
