"""The floor under the main job: read what it reads, in columns, and write what it writes, in bulk; decide nothing.

The inputs are the columns of customers, open items and undecided receipts that the matcher is given; the outputs are
every row that deciding left behind (decisions, lines, bundles, queue items, events, evidence) and the new state of
every receipt and version of every item, all in one transaction by the raw driver.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arsync.store.tables import (
    bundle,
    customer,
    decision,
    decision_line,
    event,
    event_body,
    item,
    queue_item,
    raw,
    receipt,
)
from bench.measure import Driver

INPUTS = (
    (customer, ("id", "name", "aliases", "parent_id", "currency", "active"), "not gone"),
    (
        item,
        (
            "id", "customer_id", "kind", "number", "reference", "issued", "due", "currency", "original_minor",
            "open_minor", "stated_open_minor", "terms", "version",
        ),
        "open_minor <> 0 and not gone",
    ),
    (
        receipt,
        (
            "id", "on_date", "currency", "amount_minor", "payer_name", "payer_account", "texts", "is_return", "proven",
            "state", "version",
        ),
        "state in ('undecided', 'waiting', 'queued')",
    ),
)  # fmt: skip
OUTPUTS = (decision, decision_line, bundle, queue_item, event, event_body, raw)
_RECEIPT = ("state", "decision_id", "customer_id", "payment_id", "hands_off", "version")


@dataclass(frozen=True, slots=True)
class Output:
    """What deciding wrote."""

    rows: tuple[tuple[Any, list[tuple[Any, ...]]], ...]
    receipts: list[tuple[Any, ...]]  # new values, then the id
    items: list[tuple[Any, ...]]  # version, then the id

    @property
    def number(self) -> int:
        """Rows in all."""
        return sum(len(rows) for _, rows in self.rows) + len(self.receipts) + len(self.items)


def output_of(driver: Driver, decided: Driver) -> Output:
    """The difference between a store before (`driver`) and after (`decided`) the main job."""
    rows = []
    for table in OUTPUTS:
        before = set(driver.rows(table))
        rows.append((table, [row for row in decided.rows(table) if row not in before]))
    changed = {}
    for table, columns in ((receipt, (*_RECEIPT, "id")), (item, ("version", "id"))):
        before = set(driver.rows(table, columns=columns))
        changed[table.name] = [row for row in decided.rows(table, columns=columns) if row not in before]
    return Output(tuple(rows), changed["receipt"], changed["item"])


def read(driver: Driver) -> int:
    """All inputs, as columns; their number of rows."""
    number = 0
    for table, columns, where in INPUTS:
        found = list(zip(*driver.rows(table, where, columns), strict=True))
        number += len(found[0])
    return number


def write(driver: Driver, output: Output) -> None:
    """All outputs, in one transaction."""
    with driver.transaction():
        for table, rows in output.rows:
            driver.insert(table, rows)
        driver.update(receipt, _RECEIPT, output.receipts)
        driver.update(item, ("version",), output.items)


def clear(driver: Driver, tables: Sequence[Any]) -> None:
    """Empty tables, between rounds."""
    with driver.transaction():
        for table in tables:
            driver.connection.execute(f'delete from "{table.name}"')
