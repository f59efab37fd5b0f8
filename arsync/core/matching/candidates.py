"""The open items of a snapshot, ready to be asked: by number, by customer, by amount.

Shape   `Book(snapshot, policy)` is built once per match and never changes; what is spent during a match is
        held beside it.
Law     every list is in (due, id) order, so the order of the snapshot's rows never shows.
Cost    linear in items; nothing is ever joined on amount alone.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property
from operator import attrgetter

from arsync.core.items import ItemKind
from arsync.core.matching.normalise import keys_of_number
from arsync.core.matching.reach import step
from arsync.core.matching.snapshot import CustomerRow, ItemRow, MatchPolicy, Snapshot

NETTED_KINDS = frozenset({ItemKind.CREDIT_MEMO, ItemKind.JOURNAL_CREDIT})
_ORDER = attrgetter("due", "id")
TwinKey = tuple[int, ItemKind, str, date, int, int, int, date | None]


class Pool:
    """What one customer (or family) has open in one currency: debits, then the credits that may be netted."""

    def __init__(self, rows: Sequence[ItemRow]) -> None:
        self.debits = tuple(row for row in rows if row.available_minor > 0)
        self.credits = tuple(row for row in rows if row.available_minor < 0 and row.kind in NETTED_KINDS)
        self.items = self.debits + self.credits
        self.values_minor = tuple(row.available_minor for row in self.items)
        self.discountable = any(row.discount_minor for row in self.debits)
        self.dues = tuple(row.due for row in self.debits)

    @cached_property
    def key(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What tells it from another pool of the same books."""
        return tuple(row.id for row in self.items), self.values_minor

    @cached_property
    def twins(self) -> tuple[int, ...]:
        """A mark for each item; items with one mark are twins."""
        if max(self.times.values(), default=1) == 1:
            return tuple(range(len(self.items)))
        marks: dict[TwinKey, int] = {}
        return tuple(marks.setdefault(twin_key(item), len(marks)) for item in self.items)

    @cached_property
    def places_of(self) -> dict[int, list[int]]:
        """The places of each mark of `twins`, ascending."""
        found: dict[int, list[int]] = {}
        for place, mark in enumerate(self.twins):
            found.setdefault(mark, []).append(place)
        return found

    @cached_property
    def on_date(self) -> Counter[date]:
        """How many debits are due on each date."""
        return Counter(self.dues)

    @cached_property
    def by_amount(self) -> dict[int, list[int]]:
        """The places of each amount."""
        found: dict[int, list[int]] = {}
        for place, value in enumerate(self.values_minor):
            found.setdefault(value, []).append(place)
        return found

    @cached_property
    def times(self) -> Counter[int]:
        """How many of the items have an amount: one that is there once has no twin."""
        return Counter(self.values_minor)


class Numbers:
    """The items of a snapshot by the keys of their numbers, and by purchase order and the like, as ids.

    They serve the books of every part of that snapshot, and of what is left of it: making them is dear.
    """

    def __init__(self, items: tuple[ItemRow, ...]) -> None:
        self.items = items
        self.first: dict[str, int] = {}
        self.others: dict[str, list[int]] = {}  # where several have a key
        self.orders: dict[str, list[int]] = {}  # which several items may share
        for item in items:
            if item.available_minor:
                self._add(item)

    def _add(self, item: ItemRow) -> None:
        first, mine = self.first, item.id
        for key in keys_of_number(item.number) if item.number else ():
            if first.setdefault(key, mine) != mine:
                self.others.setdefault(key, []).append(mine)
        for reference in item.references:
            for key in keys_of_number(reference)[:1]:
                self.orders.setdefault(key, []).append(mine)

    @cached_property
    def keys(self) -> Container[str]:
        """All keys."""
        return self.first.keys() | self.orders.keys() if self.orders else self.first.keys()


class _Known:
    """The keys that the items of a book have, where its numbers know of more items."""

    def __init__(self, book: "Book") -> None:
        self._book = book

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(self._book.numbered(key) or self._book.ordered(key))


class Book:
    """One snapshot's open items and families, indexed.

    `numbers` are those of a snapshot of which this one is a part, or what is left: what it has besides has no number.
    """

    def __init__(self, snapshot: Snapshot, policy: MatchPolicy, numbers: Numbers | None = None) -> None:
        self.policy = policy
        self.customers: dict[int, CustomerRow] = {row.id: row for row in snapshot.customers}
        self.items: dict[int, ItemRow] = {}
        self.by_customer: dict[int, list[ItemRow]] = {}
        self.children: dict[int, list[int]] = defaultdict(list)
        self._relatives: dict[int, frozenset[int]] = {}
        self.creditors: set[int] = set()  # customers with an open credit
        self.overopen: dict[
            int, ItemRow
        ] = {}  # by customer, an item of which more is open than it was made for
        self._crowds = {(crowd.currency, crowd.minor): crowd.number for crowd in snapshot.crowds}
        self._asked = {row.amount_minor for row in snapshot.receipts}
        self._asked.update(row.gross_minor for row in snapshot.remittances if row.gross_minor is not None)
        for customer in sorted(snapshot.customers, key=lambda row: row.id):
            if customer.parent_id is not None:
                self.children[customer.parent_id].append(customer.id)
        for item in sorted(snapshot.items, key=_ORDER):
            if item.available_minor:
                self._add(item)
        self._numbers = numbers or Numbers(snapshot.items)
        whole = self._numbers.items is snapshot.items
        self.known_keys: Container[str] = self._numbers.keys if whole else _Known(self)

    def _add(self, item: ItemRow) -> None:
        self.items[item.id] = item
        mine = self.by_customer.get(item.customer_id)
        if mine is None:
            self.by_customer[item.customer_id] = [item]
        else:
            mine.append(item)
        if item.available_minor < 0:
            self.creditors.add(item.customer_id)
        if abs(item.available_minor) > abs(item.original_minor):
            self.overopen[item.customer_id] = item

    def numbered(self, key: str) -> list[ItemRow]:
        """The items with this number key."""
        first = self._numbers.first.get(key)
        if first is None:
            return []
        return self._here((first, *self._numbers.others.get(key, ())))

    def ordered(self, key: str) -> list[ItemRow]:
        """The items with this key of a purchase order or the like."""
        return self._here(self._numbers.orders.get(key, ()))

    def _here(self, item_ids: Iterable[int]) -> list[ItemRow]:
        rows = [self.items[item_id] for item_id in item_ids if item_id in self.items]
        return sorted(rows, key=_ORDER) if len(rows) > 1 else rows

    @cached_property
    def by_amount(self) -> dict[tuple[str, int], list[ItemRow]]:
        """The items by currency and available amount, of the amounts that a receipt or a line of an advice has.

        Asked where a payer or a number narrows the choice.
        """
        found: dict[tuple[str, int], list[ItemRow]] = {}
        for item in self.items.values():
            if item.available_minor in self._asked:
                found.setdefault((item.currency, item.available_minor), []).append(item)
        return found

    @cached_property
    def owners_by_amount(self) -> dict[tuple[str, int], Counter[int]]:
        """How many of these items each customer has."""
        return {key: Counter([item.customer_id for item in items]) for key, items in self.by_amount.items()}

    def owing(self, currency: str, minor: int) -> int:
        """How many items of the ledger have an amount, in steps where they are a crowd."""
        key = (currency, minor)
        return self._crowds.get(key) or step(len(self.by_amount.get(key, ())))

    def family(self, customer_id: int) -> tuple[int, ...]:
        """The customers whose items this one may pay: its own, then its children's."""
        return (customer_id, *self.children.get(customer_id, ()))

    def relatives(self, customer_id: int) -> frozenset[int]:
        """Everybody under one roof: parent, children and the customer itself."""
        if customer_id not in self._relatives:
            row = self.customers.get(customer_id)
            top = row.parent_id if row and row.parent_id is not None else customer_id
            self._relatives[customer_id] = frozenset({*self.family(top), *self.family(customer_id)})
        return self._relatives[customer_id]

    def pool(self, customer_ids: tuple[int, ...], currency: str, spent: Container[int]) -> Pool:
        """The open items of these customers in one currency that nothing has spent yet."""
        rows = [
            item
            for customer_id in customer_ids
            for item in self.by_customer.get(customer_id, ())
            if item.currency == currency and item.id not in spent
        ]
        if len(customer_ids) > 1:
            rows.sort(key=lambda row: (row.due, row.id))
        return Pool(rows)

    def name(self, customer_id: int) -> str:
        """The customer's name for people."""
        row = self.customers.get(customer_id)
        return row.name if row else f"customer {customer_id}"


def discount_minor(item: ItemRow, on: date, grace_days: int) -> int:
    """The cash discount the terms grant on this day; none on an item of which a part is settled."""
    if not item.discount_minor or item.discount_until is None or item.available_minor != item.original_minor:
        return 0
    return item.discount_minor if on <= item.discount_until + timedelta(days=grace_days) else 0


def twin_key(item: ItemRow) -> TwinKey:
    """Items with one key are interchangeable: nothing but their number tells them apart."""
    return (
        item.customer_id,
        item.kind,
        item.currency,
        item.due,
        item.original_minor,
        item.available_minor,
        item.discount_minor,
        item.discount_until,
    )
