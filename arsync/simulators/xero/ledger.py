"""Double entry: what was posted by whom, and the balances.

Units   hundredths of the base currency; debits are positive.
Law     every entry sums to zero; a balance is the sum of its postings.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple


class BooksBroken(AssertionError):
    """The books contradict themselves: a defect of the simulator."""


class Posting(NamedTuple):
    """One line of an entry."""

    account_id: str
    base_cents: int


class Entry(NamedTuple):
    """What one record has posted."""

    on: date
    postings: tuple[Posting, ...]


class Ledger:
    """Entries by the id of the record that made them."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.balances: defaultdict[str, int] = defaultdict(int)

    def post(self, record_id: str, entry: Entry | None) -> Entry | None:
        """Replace what a record has posted; what it had posted before."""
        if entry is not None and sum(posting.base_cents for posting in entry.postings) != 0:
            raise BooksBroken(f"an entry of {record_id} does not balance: {entry}")
        old = self.entries.pop(record_id, None)
        for posting in old.postings if old else ():
            self.balances[posting.account_id] -= posting.base_cents
        for posting in entry.postings if entry else ():
            self.balances[posting.account_id] += posting.base_cents
        if entry is not None:
            self.entries[record_id] = entry
        return old

    def balances_on(self, day: date) -> dict[str, int]:
        """The balances of a past day's end."""
        return totals(entry for entry in self.entries.values() if entry.on <= day)


def totals(entries: Iterable[Entry]) -> dict[str, int]:
    """Balances of some entries."""
    found: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        for posting in entry.postings:
            found[posting.account_id] += posting.base_cents
    return dict(found)
