"""A folder of the benchmark of cash application as a past that a back-test replays.

Shape   `history_of(folder)` -> `History`: customers, items, bank lines with their truth, advices and rates.
Law     every amount is read exactly; a file, a column or a value that is missing is named, nothing is taken for zero.
Source  the benchmark's README: customers.csv, items.csv, bank.csv, remittances.csv, rates.csv, truth.csv.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from arsync.core.items import ItemKind
from arsync.core.matching.backtest import History, Past
from arsync.core.matching.payers import payer_of
from arsync.core.matching.snapshot import CustomerRow, ItemRow, ReceiptRow, RemittanceRow
from arsync.core.money import AmountUnreadable, Money
from arsync.core.rates import Rate
from arsync.errors import UsageError

T = TypeVar("T")
Row = dict[str, str]
KINDS = {
    "invoice": ItemKind.INVOICE,
    "credit_memo": ItemKind.CREDIT_MEMO,
    "debit_memo": ItemKind.DEBIT_MEMO,
}
_APART = frozenset({"duplicate", "reversal", "unrelated"})  # never to be applied
_TERMS = re.compile(r"([0-9]+)/([0-9]+) ")
_WHOLE = 100  # a per cent has so many to the whole


@dataclass(frozen=True, slots=True)
class _Truth:
    """What a bank line pays, by the benchmark."""

    apart: bool
    customer_id: int
    settled: dict[int, int]
    deducted: dict[int, int]


_NOT_OURS = _Truth(apart=True, customer_id=0, settled={}, deducted={})


def discount_of(terms: str, kind: str, minor: int, issued: date) -> tuple[int, date | None]:
    """The cash discount that the benchmark's terms grant on an item, rounded half up, and until when."""
    found = _TERMS.match(terms)
    if found is None or kind != "invoice":
        return 0, None
    return (minor * int(found[1]) + _WHOLE // 2) // _WHOLE, issued + timedelta(days=int(found[2]))


def history_of(folder: Path, since: date | None = None) -> History:
    """The world in a folder, as if it were a ledger's past; receipts before `since` are settled as the truth says.

    Raises:
        UsageError: a file or a column is missing, or a value cannot be read.
    """
    customers = {row["customer_id"]: number for number, row in enumerate(_rows(folder, "customers"), 1)}
    people = tuple(_customer(row, customers) for row in _rows(folder, "customers"))
    items: dict[str, ItemRow] = {}
    for number, row in enumerate(_rows(folder, "items"), 1):
        items[row["item_id"]] = _read(folder, "items", row, partial(_item, number, customers=customers))
    ids = {name: item.id for name, item in items.items()}
    truths = _truths(folder, customers, people, ids, {item.id: item.currency for item in items.values()})
    past: list[Past] = []
    moves: list[tuple[date, int, int]] = []
    for number, row in enumerate(_rows(folder, "bank"), 1):
        receipt = _read(folder, "bank", row, partial(_receipt, number))
        truth = truths.get(row["line_id"], _NOT_OURS)
        if since is not None and receipt.on < since:
            moves += [(receipt.on, item_id, minor) for item_id, minor in truth.settled.items()]
        else:
            past.append(Past(receipt, truth.customer_id, truth.settled, taught=None, apart=truth.apart))
        moves += [(receipt.on, item_id, minor) for item_id, minor in truth.deducted.items()]
    return History(
        1,
        people,
        tuple(items.values()),
        tuple(moves),
        tuple(past),
        tuple(_read(folder, "remittances", row, _advice) for row in _rows(folder, "remittances")),
        tuple(_rates(folder)),
    )


def _truths(
    folder: Path,
    customers: dict[str, int],
    people: tuple[CustomerRow, ...],
    ids: dict[str, int],
    currencies: dict[int, str],
) -> dict[str, _Truth]:
    parents = {row.id: row.parent_id for row in people}
    lines: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(folder, "truth"):
        lines[row["line_id"]].append(row)
    found: dict[str, _Truth] = {}
    for line_id, rows in lines.items():
        settled: dict[int, int] = {}
        deducted: dict[int, int] = {}
        for row in rows:
            if not row["item_id"]:
                continue
            item_id = _read(folder, "truth", row, lambda r: ids[r["item_id"]])
            minor = [
                _minor(folder, row, name, currencies[item_id])
                for name in ("applied", "discount", "write_off")
            ]
            settled[item_id] = settled.get(item_id, 0) + sum(minor)
            if deduction := _minor(folder, row, "deduction", currencies[item_id]):
                deducted[item_id] = deduction
        owners = {customers[row["customer_id"]] for row in rows if row["customer_id"] in customers}
        owner = payer_of(owners, parents.get)
        found[line_id] = _Truth(rows[0]["kind"] in _APART, owner or 0, settled, deducted)
    return found


def _minor(folder: Path, row: Row, name: str, currency: str) -> int:
    return _read(folder, "truth", row, lambda r: Money.of(r[name], currency).minor)


def _customer(row: Row, customers: dict[str, int]) -> CustomerRow:
    return CustomerRow(
        customers[row["customer_id"]],
        row["name"],
        tuple(filter(None, row["aliases"].split(";"))),
        customers.get(row["parent_id"]),
        payer_accounts=tuple(filter(None, row["payer_accounts"].split(";"))),
    )


def _item(number: int, row: Row, customers: dict[str, int]) -> ItemRow:
    minor, issued = Money.of(row["amount"], row["currency"]).minor, date.fromisoformat(row["issue_date"])
    return ItemRow(
        number, customers[row["customer_id"]], KINDS[row["kind"]], row["number"], issued,
        date.fromisoformat(row["due_date"]), row["currency"], minor, minor,
        (row["po_number"],) if row["po_number"] else (),
        *discount_of(row["terms"], row["kind"], minor, issued),
    )  # fmt: skip


def _receipt(number: int, row: Row) -> ReceiptRow:
    minor = Money.of(row["amount"], row["currency"]).minor
    return ReceiptRow(
        number, date.fromisoformat(row["date"]), row["currency"], minor, row["payer_name"], row["payer_account"],
        (row["text"],), is_return=minor < 0,
    )  # fmt: skip


def _advice(row: Row) -> RemittanceRow:
    def minor(name: str) -> int:
        return Money.of(row[name], row["currency"]).minor

    return RemittanceRow(
        row["remittance_id"], date.fromisoformat(row["received_date"]), row["payer_name"], row["currency"],
        minor("total"), "known sender", row["reference"], minor("paid"), minor("gross"), minor("discount"), row["note"],
    )  # fmt: skip


def _rates(folder: Path) -> Iterable[Rate]:
    """Rates to the bank's currency, which is that of the first bank line."""
    rows = list(_rows(folder, "rates"))
    if not rows:
        return
    home = next(iter(_rows(folder, "bank")))["currency"]
    for row in rows:
        yield _read(
            folder, "rates", row,
            lambda r: Rate(date.fromisoformat(r["date"]), r["currency"], home, Decimal(r["rate"])),
        )  # fmt: skip


def _rows(folder: Path, name: str) -> Iterable[Row]:
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise UsageError(
            f"there is no {name}.csv",
            where=str(folder),
            do="name a folder that the benchmark's generator made",
        )
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _read(folder: Path, name: str, row: Row, made: Callable[[Row], T]) -> T:
    try:
        return made(row)
    except (KeyError, ValueError, ArithmeticError, AmountUnreadable) as why:
        raise UsageError(
            f"a line cannot be read: {why}",
            where=f"{folder / name}.csv: {','.join(str(value) for value in row.values())[:120]}",
            do="make the folder anew with the benchmark's generator",
        ) from None
