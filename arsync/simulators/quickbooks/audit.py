"""Recompute the books from their documents and compare: the check of the checks."""

from collections import Counter
from typing import TYPE_CHECKING

from arsync.simulators.quickbooks import rendering
from arsync.simulators.quickbooks.ledger import BooksBroken, ItemKey
from arsync.simulators.quickbooks.wire import to_cents

if TYPE_CHECKING:  # books imports this module
    from arsync.simulators.quickbooks.books import Books


def audit(books: "Books") -> None:
    """Compare ledger, open items, applications and what readers see.

    Raises:
        BooksBroken: anything differs.
    """
    _check_ledger(books)
    _check_items(books)
    _check_applications(books)
    _check_invoices(books)


def _expect(same: bool, what: str) -> None:  # noqa: FBT001 - a condition and its words
    if not same:
        raise BooksBroken(what)


def _check_ledger(books: "Books") -> None:
    home: Counter[str] = Counter()
    own: Counter[str] = Counter()
    customers: Counter[str] = Counter()
    for records in books.records.values():
        for record in records.values():
            _expect(
                not (record.deleted and record.postings), f"deleted {record.kind} {record.id} still posts"
            )
            _expect(
                not sum(one.home_cents for one in record.postings),
                f"{record.kind} {record.id} does not balance",
            )
            for posting in record.postings:
                home[posting.account_id] += posting.home_cents
                own[posting.account_id] += posting.cents
                if posting.account_id in books.ledger.receivable:
                    customers[posting.customer_id] += posting.cents
    _expect(_nonzero(home) == _nonzero(books.ledger.home), "home balances differ from the documents")
    _expect(_nonzero(own) == _nonzero(books.ledger.own), "balances differ from the documents")
    _expect(
        _nonzero(customers) == _nonzero(books.ledger.customers), "customer balances differ from the documents"
    )


def _nonzero(counts: Counter[str]) -> dict[str, int]:
    return {key: cents for key, cents in counts.items() if cents}


def _check_items(books: "Books") -> None:
    own: Counter[str] = Counter()
    home: Counter[str] = Counter()
    customers: Counter[str] = Counter()
    for key, item in books.items.by_key.items():
        _expect(item.cents >= 0 and item.open_cents >= 0, f"{key} is below zero")
        own[item.account_id] += item.side * item.open_cents
        home[item.account_id] += item.side * item.open_home_cents
        customers[item.customer_id] += item.side * item.open_cents
    for account_id in books.ledger.receivable:
        _expect(
            own[account_id] == books.ledger.own[account_id], f"account {account_id} is not its open items"
        )
        _expect(
            home[account_id] == books.ledger.home[account_id],
            f"account {account_id} is not its items in home",
        )
    _expect(_nonzero(customers) == _nonzero(books.ledger.customers), "customers are not their open items")


def _check_applications(books: "Books") -> None:
    from_payments: Counter[tuple[ItemKey, str]] = Counter()
    for payment in books.live("Payment"):
        for key, cents in payment.applications.items():
            from_payments[(key, payment.id)] += cents
    from_items = {
        (key, payment_id): cents
        for key, item in books.items.by_key.items()
        for payment_id, cents in item.applied.items()
    }
    _expect(dict(from_payments) == from_items, "the two sides of the applications differ")


def _check_invoices(books: "Books") -> None:
    for record in books.live("Invoice"):
        if not record.postings and not record.items:
            continue  # being created right now
        seen = rendering.render(books, record)
        applied = sum(books.items.by_key[ItemKey("Invoice", record.id)].applied.values())
        balance = to_cents(seen["TotalAmt"]) - to_cents(seen.get("Deposit", 0)) - applied
        _expect(
            to_cents(seen["Balance"]) == balance, f"Invoice {record.id} shows another balance than its parts"
        )
    for record in books.live("Payment"):
        if not record.items:
            continue
        seen = rendering.render(books, record)
        used = sum(books.items.by_key[key].side * cents for key, cents in record.applications.items())
        by_others = sum(books.items.by_key[ItemKey("Payment", record.id)].applied.values())
        _expect(
            to_cents(seen["TotalAmt"]) == used + by_others + to_cents(seen["UnappliedAmt"]),
            f"Payment {record.id} is not what it uses and what is left",
        )
