"""The double-entry ledger and the open items it must agree with.

Units   cents; a debit is positive, a credit negative. `cents` are of the transaction's currency, `home_cents`
        of the company's.
Law     every set of postings sums to zero in home currency; the balance of each receivable account is the sum
        of its open items, in both currencies; the balance of each customer is the sum of its open items.
Errors  `BooksBroken` when a law does not hold: an error of the simulator, never of its client.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

ONE = Decimal(1)


class BooksBroken(RuntimeError):
    """The simulator's books contradict themselves."""


class Posting(NamedTuple):
    """One line of a journal entry; receivable lines name their customer."""

    account_id: str
    cents: int
    home_cents: int
    customer_id: str = ""


class ItemKey(NamedTuple):
    """Which document, and for journal entries and deposits which line of it."""

    kind: str
    id: str
    line_id: str = ""


def in_home(cents: int, rate: Decimal) -> int:
    """Cents of home currency, rounded half up."""
    return cents if rate == ONE else int((cents * rate).to_integral_value(ROUND_HALF_UP))


@dataclass(slots=True)
class OpenItem:
    """Something a customer owes (side 1) or is owed (side -1)."""

    side: int
    cents: int  # original amount, positive
    customer_id: str
    account_id: str
    currency: str
    rate: Decimal = ONE
    applied: dict[str, int] = field(default_factory=dict)  # payment Id -> cents, in order of application

    @property
    def open_cents(self) -> int:
        """What is left, in its own currency."""
        return self.cents - sum(self.applied.values())

    @property
    def open_home_cents(self) -> int:
        """What is left, at the item's own rate."""
        return in_home(self.cents, self.rate) - in_home(sum(self.applied.values()), self.rate)

    def applied_home_cents(self, payment_id: str) -> int:
        """The share of one payment at the item's own rate; shares sum to the whole without a rest."""
        before = 0
        for one, cents in self.applied.items():
            if one == payment_id:
                return in_home(before + cents, self.rate) - in_home(before, self.rate)
            before += cents
        return 0


class OpenItems:
    """All open items; keeps the total of every receivable account up to date."""

    def __init__(self) -> None:
        self.by_key: dict[ItemKey, OpenItem] = {}
        self.totals: Counter[str] = Counter()
        self.unsaved: set[ItemKey] = set()
        self._by_customer: dict[str, dict[ItemKey, OpenItem]] = defaultdict(dict)

    def put(self, key: ItemKey, item: OpenItem) -> None:
        """Hold an item under a key, instead of what was there."""
        self.drop(key)
        self.unsaved.add(key)
        self.by_key[key] = item
        self._by_customer[item.customer_id][key] = item
        self.totals[item.account_id] += item.side * item.open_cents

    def drop(self, key: ItemKey) -> None:
        """Forget an item, if it is there."""
        item = self.by_key.pop(key, None)
        self.unsaved.add(key)
        if item is not None:
            del self._by_customer[item.customer_id][key]
            self.totals[item.account_id] -= item.side * item.open_cents

    def resize(self, key: ItemKey, cents: int) -> None:
        """Give an item another original amount."""
        item = self.by_key[key]
        self.unsaved.add(key)
        self.totals[item.account_id] += item.side * (cents - item.cents)
        item.cents = cents

    def of_customer(self, customer_id: str) -> list[tuple[ItemKey, OpenItem]]:
        """Everything a customer owes or is owed, settled or not."""
        return list(self._by_customer[customer_id].items())

    def hand_over(self, from_id: str, to_id: str) -> None:
        """Give every item of one customer to another."""
        for key, item in self.of_customer(from_id):
            self.drop(key)
            item.customer_id = to_id
            self.put(key, item)

    def apply(self, key: ItemKey, payment_id: str, cents: int) -> None:
        """Let a payment use exactly `cents` of an item; 0 takes the application away."""
        item = self.by_key[key]
        self.unsaved.add(key)
        before = item.applied.pop(payment_id, 0)
        if cents:
            item.applied[payment_id] = cents
        self.totals[item.account_id] -= item.side * (cents - before)


class Ledger:
    """Balances by account, and by customer over the receivable accounts."""

    def __init__(self) -> None:
        self.receivable: set[str] = set()
        self.home: Counter[str] = Counter()
        self.own: Counter[str] = Counter()  # in the currency of the transactions; meaningful for receivables
        self.customers: Counter[str] = Counter()

    def replace(self, old: Iterable[Posting], new: Iterable[Posting]) -> set[str]:
        """Take back `old`, post `new`; the customers whose balance moved.

        Raises:
            BooksBroken: the new postings do not balance, or a receivable line has no customer.
        """
        new = tuple(new)
        if sum(posting.home_cents for posting in new):
            raise BooksBroken(f"postings do not balance: {new}")
        moved: Counter[str] = Counter()
        for sign, postings in ((-1, old), (1, new)):
            for account_id, cents, home_cents, customer_id in postings:
                self.home[account_id] += sign * home_cents
                self.own[account_id] += sign * cents
                if account_id in self.receivable:
                    if not customer_id:
                        raise BooksBroken(f"receivable line without a customer: {new}")
                    moved[customer_id] += sign * cents
        self.customers.update(moved)
        return {customer_id for customer_id, cents in moved.items() if cents}
