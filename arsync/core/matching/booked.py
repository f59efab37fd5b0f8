"""Pass 1: is this money in the books already, or money we have seen, or money going back?

Shape   `Past(snapshot, book)` answers for one receipt: platform payments that explain it, recent receipts it
        repeats, the payment a return may take back.
Law     amount and date alone never link: the payer or a reference must agree, and only one payment may fit.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import Literal

from arsync.core.decisions import Evidence, EvidenceClass, Explanation, Reason
from arsync.core.matching.candidates import Book
from arsync.core.matching.explain import PROBABILITY, con, money, pro
from arsync.core.matching.normalise import fold, normalise_account, normalise_payer
from arsync.core.matching.payers import Payer
from arsync.core.matching.snapshot import BookedRow, ReceiptRow, Snapshot
from arsync.core.returns import consequence

_BOOKED_DAYS = 7
_REPEAT_DAYS = 10
RETURN_DAYS = 60  # a bank gives a payment back within so many days, where it does not name it
RETURN_BY_NAME_DAYS = 400  # and one without a mandate within thirteen months
_LEAST_REFERENCE = 4
_NOT_WORD = re.compile(r"[^A-Z0-9]+")


class Past:
    """What the platform and we ourselves already know of the money."""

    def __init__(self, snapshot: Snapshot, book: Book) -> None:
        self._book = book
        self._booked: dict[tuple[str, int], list[BookedRow]] = defaultdict(list)
        self._recent: dict[tuple[str, int], list[tuple[ReceiptRow, int]]] = defaultdict(list)
        for row in sorted(snapshot.booked, key=lambda row: row.id):
            self._booked[row.currency, row.total_minor].append(row)
        for seen, customer in sorted(
            zip(snapshot.recent, snapshot.recent_customers, strict=True), key=lambda p: p[0].id
        ):
            self._recent[seen.currency, seen.amount_minor].append((seen, customer))
        self._by_reference: dict[str, list[tuple[ReceiptRow, int]]] = defaultdict(list)
        wanted = {name_of_original(row) for row in snapshot.receipts if row.is_return} - {""}
        recent = zip(snapshot.recent, snapshot.recent_customers, strict=True)
        for receipt, payer in (*recent, *((row, 0) for row in snapshot.receipts)) if wanted else ():
            for name in {receipt.end_to_end_id, receipt.bank_reference} & wanted:
                self._by_reference[name].append((receipt, payer))

    def customers(self, receipt: ReceiptRow) -> set[int]:
        """Whose payments, booked or seen lately, have the receipt's amount."""
        key, back = (receipt.currency, receipt.amount_minor), (receipt.currency, -receipt.amount_minor)
        seen = (*self._recent.get(key, ()), *self._recent.get(back, ()))
        return {row.customer_id for row in self._booked.get(key, ())} | {customer for _, customer in seen}

    def booked(self, receipt: ReceiptRow, payer: Payer, named_owners: frozenset[int]) -> list[Explanation]:
        """Platform payments that may be this receipt, best first."""
        rows = self._booked.get((receipt.currency, receipt.amount_minor), ())
        found = [
            explanation
            for row in rows
            if abs((row.on - receipt.on).days) <= _BOOKED_DAYS
            and (explanation := self._link(receipt, payer, named_owners, row))
        ]
        return sorted(found, key=lambda e: (-e.probability, e.booked_payment_id or 0))

    def _link(
        self, receipt: ReceiptRow, payer: Payer, named_owners: frozenset[int], row: BookedRow
    ) -> Explanation | None:
        family = self._book.relatives(row.customer_id)
        refers = _refers(receipt, row.reference)
        mine = family & ({payer.known} if payer.known is not None else set(payer.candidates))
        stranger = payer.known is not None and not mine
        if (stranger or (named_owners and not named_owners & family)) and not refers:
            return None
        name, amount = self._book.name(row.customer_id), money(row.total_minor, row.currency)
        evidence: list[Evidence] = [
            pro("booked-amount", f"The books hold a payment of {amount} by {name} on {row.on.isoformat()}.")
        ]
        if refers:
            evidence.append(pro("booked-reference", f"Its reference {row.reference} stands in the receipt."))
        if mine:
            evidence.append(pro(payer.code, f"The payer is or may be {name}: {payer.how}."))
        sure = refers or (payer.known is not None and bool(mine)) or bool(named_owners & family)
        if not sure:
            evidence.append(
                con("booked-payer", "Neither the payer nor a reference says that it is this payment.")
            )
        kind = "booked" if sure else "booked, weak"
        return Explanation(
            row.customer_id,
            (),
            receipt.amount_minor,
            EvidenceClass.BOOKED,
            tuple(evidence),
            PROBABILITY[kind],
            row.id,
        )

    def repeated(self, receipt: ReceiptRow, payer: Payer) -> Evidence | None:
        """A recent receipt that this one may repeat: same amount, same payer, few days apart, same words."""
        for seen, customer in self._said.get((receipt.currency, receipt.amount_minor, _words(receipt)), ()):
            near = seen.id != receipt.id and abs((receipt.on - seen.on).days) <= _REPEAT_DAYS
            if near and _same_sender(seen, receipt, payer.known, customer):
                amount = money(receipt.amount_minor, receipt.currency)
                return con(
                    "repeats", f"Receipt {seen.id} of {seen.on.isoformat()} was {amount} from the same payer."
                )
        return None

    @cached_property
    def _said(self) -> dict[tuple[str, int, str], list[tuple[ReceiptRow, int]]]:
        """Recent receipts by currency, amount and words: thousands may have one amount."""
        found: dict[tuple[str, int, str], list[tuple[ReceiptRow, int]]] = defaultdict(list)
        for (currency, minor), rows in self._recent.items():
            for seen, customer in rows:
                found[currency, minor, _words(seen)].append((seen, customer))
        return found

    def returned(self, receipt: ReceiptRow, payer: Payer) -> Evidence | None:
        """The receipt that a return takes back, if it is named or exactly one of its sender fits."""
        seen_before = (
            *self._by_reference.get(name_of_original(receipt), ()),
            *self._recent.get((receipt.currency, -receipt.amount_minor), ()),
        )
        found = taken_back(receipt, seen_before, -receipt.amount_minor, payer.known)
        if len(found.receipts) != 1 or found.how == "amount":
            return None
        seen = found.receipts[0]
        verb = "takes back" if found.how == "reference" else "may return"
        amount = money(seen.amount_minor, seen.currency)
        sender = f" from {seen.payer_name}" if seen.payer_name else ""
        text = (
            f"It {verb} receipt {seen.id} of {seen.on.isoformat()}, {amount}{sender}{reason_told(receipt)}."
        )
        return pro("returns", text)


How = Literal["reference", "sender", "amount"]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Receipts a return may take back, and what speaks for them."""

    receipts: tuple[ReceiptRow, ...]
    how: How


def name_of_original(receipt: ReceiptRow) -> str:
    """What the bank calls the payment that a return takes back; empty where it does not say."""
    return receipt.original_reference or receipt.end_to_end_id


def taken_back(
    receipt: ReceiptRow,
    seen: Iterable[tuple[ReceiptRow, int]],
    amount_minor: int,
    payer_id: int | None = None,
) -> TakenBack:
    """Which receipts a return may take back: the one it names, else of its amount and sender, else of its amount.

    Args:
        receipt: the return.
        seen: earlier receipts, each with its customer (0 where none is known).
        amount_minor: what the bank gave back, without its fee.
        payer_id: the customer the return's sender is known to be.
    """
    wanted = name_of_original(receipt)
    before = [
        (one, customer)
        for one, customer in seen
        if one.amount_minor > 0 and one.currency == receipt.currency and one.on <= receipt.on
    ]
    named = tuple(
        {
            one.id: one for one, _ in before if wanted and wanted in (one.end_to_end_id, one.bank_reference)
        }.values()
    )
    if named:
        same = tuple(one for one in named if one.amount_minor == amount_minor)
        return TakenBack(same or named, "reference")
    near = [
        (one, customer)
        for one, customer in before
        if one.amount_minor == amount_minor and (receipt.on - one.on).days <= RETURN_DAYS
    ]
    sent = tuple(one for one, customer in near if _same_sender(one, receipt, payer_id, customer))
    return TakenBack(sent, "sender") if sent else TakenBack(tuple(one for one, _ in near), "amount")


def reason_told(receipt: ReceiptRow) -> str:
    """The bank's reason in brackets, with what to do next; empty where it gave none."""
    meant = consequence(receipt.return_reason)
    if meant is None:
        return f" (reason {receipt.return_reason})" if receipt.return_reason else ""
    return f" ({meant.code}, {meant.meaning}: {meant.then})"


def repeats_in_batch(receipts: tuple[ReceiptRow, ...]) -> dict[int, int]:
    """Receipts of one batch that are alike in payer, amount and words, few days apart: id -> id of another.

    Words without a digit are too common to count.
    """
    paid: dict[tuple[str, int, str], list[ReceiptRow]] = defaultdict(list)
    for row in sorted(receipts, key=attrgetter("on", "id")):
        paid[row.currency, row.amount_minor, normalise_payer(row.payer_name)].append(row)
    groups: dict[tuple[int, str], list[ReceiptRow]] = defaultdict(list)
    for number, rows in enumerate(paid.values()):
        for row in rows if len(rows) > 1 else ():
            words = _words(row)
            if any(map(str.isdigit, words)):
                groups[number, words].append(row)
    alike: dict[int, int] = {}
    for rows in groups.values():
        for one, other in pairwise(rows):
            if (other.on - one.on).days <= _REPEAT_DAYS:
                alike.setdefault(one.id, other.id)
                alike[other.id] = one.id
    return alike


def _refers(receipt: ReceiptRow, reference: str) -> bool:
    """Whether the booked reference stands, whole, in the receipt."""
    wanted = _NOT_WORD.sub("", fold(reference))
    if len(wanted) < _LEAST_REFERENCE or not any(char.isdigit() for char in wanted):
        return False
    texts = (
        *receipt.texts,
        receipt.cheque_number,
        receipt.bank_reference,
        receipt.end_to_end_id,
        receipt.creditor_reference,
    )
    spoken = " ".join(_NOT_WORD.sub(" ", fold(text)) for text in texts)
    packed = _NOT_WORD.sub(" ", fold(reference)).strip()
    return f" {packed} " in f" {spoken} " or f" {wanted} " in f" {spoken} "


def _same_sender(seen: ReceiptRow, receipt: ReceiptRow, payer_id: int | None, customer: int) -> bool:
    account = normalise_account(receipt.payer_account)
    if account and account == normalise_account(seen.payer_account):
        return True
    name = normalise_payer(receipt.payer_name)
    return (bool(name) and name == normalise_payer(seen.payer_name)) or payer_id == customer


def _words(row: ReceiptRow) -> str:
    return " ".join(_NOT_WORD.sub(" ", fold(text)).strip() for text in row.texts[:1])


def reason_for(explanations: list[Explanation]) -> Reason | None:
    """What stands in the way of linking to the first."""
    sure = [e for e in explanations if e.probability >= PROBABILITY["booked"]]
    return None if len(sure) == 1 else Reason.ALREADY_BOOKED
