"""What of a customer's money may still go back: what a refund and a released credit rest on.

Units   minor units of each currency; days as the installation's clock has them.
Law     money that was given back already is counted no more. A refund of money that may go back without our being
        asked needs somebody to say that he knows it.
Source  `core/finality.py` has the windows and whose rules they are.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from arsync.core.finality import Finality, finality
from arsync.core.money import Money
from arsync.store import books, decisions, queries
from arsync.store.engine import Tx
from arsync.store.office import Ledger


def of_receipt(row: Any) -> Finality:
    """Until when a receipt can go back."""
    return finality(row.method, row.on_date)


@dataclass(frozen=True, slots=True)
class Resting:
    """Money that is not final, and until when; `is_given_back`: a refund gives back this very money."""

    name: str  # R-12, or the platform's payment
    amount: Money
    final: Finality
    is_given_back: bool = False

    def told(self, today: date) -> str:
        """`R-12 over USD 140.00 may go back until 2026-12-01 (cheque)`."""
        return f"{self.name} over {self.amount} {self.final.told(today)}"


@dataclass(frozen=True, slots=True)
class CreditStanding:
    """What a customer owes in one currency, and what he would owe if money went back.

    Attributes:
        open_minor: what is open now, credits and unapplied money taken off.
        may_go_back_minor: money in the books that may go back without our being asked; the last day of it.
        may_be_claimed_minor: money that goes back only on a claim; the last day of it.
    """

    currency: str
    open_minor: int
    may_go_back_minor: int
    may_go_back_until: date | None
    may_be_claimed_minor: int
    may_be_claimed_until: date | None

    @property
    def at_most_minor(self) -> int:
        """What is owed if all goes back that may without our being asked."""
        return self.open_minor + self.may_go_back_minor


def credit_standing(conn: Tx, ledger: Ledger, customer_id: int, today: date) -> list[CreditStanding]:
    """What a customer's credit rests on, by currency."""
    opened: dict[str, int] = defaultdict(int)
    for item in queries.items_of(conn, ledger.id, customer_id):
        opened[item.currency] += item.open_minor
    resting: dict[str, list[Resting]] = defaultdict(list)
    for one in _not_final(conn, ledger, customer_id, today):
        resting[one.amount.currency].append(one)
    found = []
    for currency in sorted({*opened, *resting}):
        going = [one for one in resting[currency] if one.final.on(today) == "may go back"]
        claimed = [one for one in resting[currency] if one.final.on(today) == "may be claimed back"]
        found.append(
            CreditStanding(
                currency,
                opened[currency],
                sum(one.amount.minor for one in going),
                max((one.final.returned_until for one in going if one.final.returned_until), default=None),
                sum(one.amount.minor for one in claimed),
                max((one.final.claimed_until for one in claimed if one.final.claimed_until), default=None),
            )
        )
    return found


def behind_refund(conn: Tx, ledger: Ledger, decision: Any, today: date) -> list[Resting]:
    """The money that a refund gives back and that is not final: the payment's, or for credit memos the customer's."""
    spent = [line.item_id for line in decisions.lines(conn, ledger.id, decision.id)]
    rows = [books.item_row(conn, ledger.id, item_id) for item_id in spent]
    payments = [row for row in rows if row.kind == "payment"]
    if not payments:
        return _not_final(conn, ledger, decision.customer_id, today)
    ours = decisions.receipts_of_payments(conn, ledger.id, [row.id for row in payments])
    found = [replace(_resting(row), is_given_back=True) for row in ours if row.amount_minor > 0]
    if not ours:  # somebody booked it in the books: nothing says how it came
        found = [
            Resting(
                f"the payment {row.number}".rstrip(),
                Money(-row.original_minor, row.currency),
                finality("not said", row.issued),
                is_given_back=True,
            )
            for row in payments
        ]
    return [one for one in found if one.final.on(today) != "final"]


def _not_final(conn: Tx, ledger: Ledger, customer_id: int, today: date) -> list[Resting]:
    rows = queries.receipts_of(conn, ledger.id, customer_id)
    standing = [row for row in rows if row.state in decisions.IN_THE_BOOKS and row.amount_minor > 0]
    return [one for one in map(_resting, standing) if one.final.on(today) != "final"]


def _resting(row: Any) -> Resting:
    return Resting(f"R-{row.id}", Money(row.amount_minor, row.currency), of_receipt(row))
