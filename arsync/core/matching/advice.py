"""Pass 2: a remittance advice says what the money pays.

Shape   `Advices(snapshot, book, payers).explain(receipt, payer)` -> `Outcome`; pure.
Law     an advice belongs to a receipt by total and payer together. Its lines name items; what it pays must
        come to the receipt, less a tolerated difference. An advice of unknown origin never lifts a receipt to
        automatic.
Units   minor units of the advice's currency; a line's `paid` is what it contributes, negative for credits and
        claims.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations
from typing import NamedTuple

from arsync.core.decisions import Evidence, EvidenceClass, Reason, Share
from arsync.core.matching.candidates import Book, twin_key
from arsync.core.matching.explain import (
    con,
    explanation,
    label,
    money,
    owner_of,
    payer_evidence,
    pro,
    standing,
)
from arsync.core.matching.named import Outcome, resembles, tolerated_minor
from arsync.core.matching.normalise import normalise_payer
from arsync.core.matching.payers import Payer, Payers
from arsync.core.matching.references import read
from arsync.core.matching.snapshot import ItemRow, ReceiptRow, RemittanceRow, Snapshot

_NEAR_DAYS = 7
_MOST_ADVICES, _MOST_TOGETHER, _MOST_LINES = 12, 4, 12  # beyond these a sum says nothing any more
_UNKNOWN = "unknown"
_PART = " in part"
_TWO = 2  # ways to one sum are as good as many
_LITTLE = 20  # what is paid beyond an advice is at most one in so many
_LOOSELY = 0.6
_FEE_STEP_MINOR = 50  # what banks keep for themselves is round


@dataclass(frozen=True, slots=True)
class _Advice:
    id: str
    received: date
    payer_name: str
    currency: str
    total_minor: int
    graded: bool
    rows: tuple[RemittanceRow, ...]


class Words(NamedTuple):
    """What advices without amounts say that belong to a receipt."""

    text: str = ""
    graded: bool = True


@dataclass(slots=True)
class _Reading:
    """An advice read against the book."""

    shares: dict[int, Share]
    evidence: list[Evidence]
    owners: set[int] = field(default_factory=set)  # of every item that a line may name
    gaps: bool = False  # a line could not be resolved
    claims: bool = False  # a deduction is taken


class Advices:
    """The remittance advices of a snapshot."""

    def __init__(self, snapshot: Snapshot, book: Book, payers: Payers) -> None:
        self._book, self._payers = book, payers
        grouped: dict[str, list[RemittanceRow]] = defaultdict(list)
        for row in snapshot.remittances:
            grouped[row.remittance_id].append(row)
        self._by_total: dict[tuple[str, int], list[_Advice]] = defaultdict(list)
        self._by_name: dict[tuple[str, str], list[_Advice]] = defaultdict(list)
        self._lists: dict[tuple[str, int], list[_Advice]] = defaultdict(list)  # without amounts, by total
        self._readings: dict[str, _Reading] = {}
        self._received: dict[tuple[str, str], list[ReceiptRow]] = defaultdict(list)
        for receipt in snapshot.receipts if snapshot.remittances else ():
            self._received[receipt.currency, normalise_payer(receipt.payer_name)].append(receipt)
        for key in sorted(grouped):
            advice = _advice(key, grouped[key])
            if any(row.in_full for row in advice.rows):
                self._lists[advice.currency, advice.total_minor].append(advice)
                continue
            self._by_total[advice.currency, advice.total_minor].append(advice)
            self._by_name[advice.currency, normalise_payer(advice.payer_name)].append(advice)
        self._currencies = sorted({currency for currency, _ in self._by_name})

    def customers(self, receipt: ReceiptRow, payer: Payer) -> set[int]:
        """Whose items the advices list that may belong to the receipt."""
        fitting = self._by_total.get((receipt.currency, receipt.amount_minor), ())
        return self._concerned([*fitting, *self._of_sender(receipt, payer, perhaps=True)])

    def _concerned(self, advices: Iterable[_Advice]) -> set[int]:
        """Whose items advices list, and who may have sent them."""
        concerned: set[int] = set()
        for one in advices:
            concerned |= self._read(one).owners
            concerned.update(self._payers.find_name(one.payer_name).candidates)
        return concerned

    def totals(self, receipt: ReceiptRow, payer: Payer, currency: str) -> set[int]:
        """The totals of the sender's advices in another currency, near the receipt's day."""
        return {one.total_minor for one in self._abroad(receipt, payer) if one.currency == currency}

    def customers_abroad(self, receipt: ReceiptRow, payer: Payer) -> set[int]:
        """Whose items the sender's advices in other currencies list."""
        return self._concerned(self._abroad(receipt, payer))

    def _abroad(self, receipt: ReceiptRow, payer: Payer) -> list[_Advice]:
        names = {
            normalise_payer(receipt.payer_name),
            *(normalise_payer(self._book.name(c)) for c in payer.candidates),
        }
        return [
            advice
            for name in sorted(names - {""})
            for currency in self._currencies
            if currency != receipt.currency
            for advice in self._by_name.get((currency, name), ())
            if _near(advice, receipt)
        ]

    def words(self, receipt: ReceiptRow, payer: Payer) -> Words:
        """What the advice of just this total that names documents without amounts says, if only one belongs to it.

        Words say no more than the receipt's own: which of its documents are paid, the money tells.
        """
        lists = self._lists.get((receipt.currency, receipt.amount_minor), ())
        mine = [one for one in lists if self._belongs(one, receipt, payer)]
        if len(mine) != 1:
            return Words()
        texts = [row.reference if " " in row.reference else f"INV {row.reference}" for row in mine[0].rows]
        return Words(", ".join(texts), mine[0].graded)

    def explain(self, receipt: ReceiptRow, payer: Payer) -> Outcome:
        """What the advice with this receipt's total says, if one and only one belongs to it.

        Else what several advices say that together come to it, or a part of one that several receipts come to.
        """
        fitting = self._by_total.get((receipt.currency, receipt.amount_minor), ())
        whole = self._only(receipt, payer, [a for a in fitting if self._belongs(a, receipt, payer)])
        if whole.explanations:
            return whole
        together = self._only(receipt, payer, self._together(receipt, payer))
        return (
            together if together.explanations else self._only(receipt, payer, self._in_part(receipt, payer))
        )

    def _of_sender(self, receipt: ReceiptRow, payer: Payer, *, perhaps: bool = False) -> list[_Advice]:
        """Advices that name this receipt's sender, near its day; or that `perhaps` do, where its name is close."""
        if not self._by_name:
            return []
        names = {normalise_payer(receipt.payer_name)}
        customers = payer.candidates if perhaps else (payer.known,)
        names.update(normalise_payer(self._book.name(one)) for one in customers if one is not None)
        found = {a.id: a for name in names if name for a in self._by_name.get((receipt.currency, name), ())}
        return [advice for advice in found.values() if _near(advice, receipt)]

    def _together(self, receipt: ReceiptRow, payer: Payer) -> list[_Advice]:
        """The only few advices of the sender whose totals are the receipt, as one."""
        smaller = [a for a in self._of_sender(receipt, payer) if 0 < a.total_minor < receipt.amount_minor]
        if len(smaller) > _MOST_ADVICES:
            return []
        found = [
            chosen
            for size in range(2, _MOST_TOGETHER + 1)
            for chosen in combinations(smaller, size)
            if sum(a.total_minor for a in chosen) == receipt.amount_minor
        ]
        if len(found) != 1:
            return []
        (chosen,) = found
        return [
            replace(
                chosen[0], id=" and ".join(a.id for a in chosen), total_minor=receipt.amount_minor,
                graded=all(a.graded for a in chosen), rows=tuple(row for a in chosen for row in a.rows),
            )
        ]  # fmt: skip

    def _in_part(self, receipt: ReceiptRow, payer: Payer) -> list[_Advice]:
        """The lines of a larger advice that are this receipt, where receipts of the sender come to the whole of it."""
        parts = []
        for advice in self._of_sender(receipt, payer):
            others = [
                r.amount_minor
                for r in self._received.get((receipt.currency, normalise_payer(receipt.payer_name)), ())
                if r.id != receipt.id and _near(advice, r)
            ]
            rest = advice.total_minor - receipt.amount_minor
            if rest <= 0 or len(others) > _MOST_ADVICES or len(advice.rows) > _MOST_LINES:
                continue
            if not any(sum(c) == rest for n in range(1, _MOST_TOGETHER) for c in combinations(others, n)):
                continue
            rows = _summing(advice.rows, receipt.amount_minor)
            if rows:
                parts.append(
                    replace(
                        advice,
                        id=f"{advice.id}{_PART}",
                        total_minor=receipt.amount_minor,
                        graded=False,
                        rows=rows,
                    )
                )
        return parts

    def says_more(self, receipt: ReceiptRow, payer: Payer) -> bool:
        """Whether an advice of just this total belongs to the receipt, readable or not."""
        fitting = self._by_total.get((receipt.currency, receipt.amount_minor), ())
        return any(self._belongs(advice, receipt, payer) for advice in fitting)

    def explain_nearly(self, receipt: ReceiptRow, payer: Payer) -> Outcome:
        """The same for an advice of this payer whose total is a tolerated difference more."""
        return self._only(receipt, payer, self._nearly(receipt, payer))

    def explain_loosely(self, receipt: ReceiptRow, payer: Payer) -> Outcome:
        """What an advice says that does not quite belong to the receipt; never more than a suggestion.

        It has the receipt's total and another sender, where nobody knows who pays; or it is a sender's who may be this
        one, and its total is a tolerated difference more, or a little less.
        """
        fitting = self._by_total.get((receipt.currency, receipt.amount_minor), ())
        same = fitting if payer.known is None else ()
        senders = self._of_sender(receipt, payer, perhaps=True)
        for advices in (
            [advice for advice in same if _near(advice, receipt)],
            self._a_little_more(receipt, senders),
            [
                a
                for a in senders
                if 0 < (receipt.amount_minor - a.total_minor) * _LITTLE <= receipt.amount_minor
            ],
        ):
            found = self._only(receipt, payer, advices)
            if len(found.explanations) == 1:
                (one,) = found.explanations
                weak = replace(one, probability=min(one.probability, _LOOSELY))
                return Outcome((weak,), found.reason or Reason.WEAK_EVIDENCE, unique=False)
        return Outcome()

    def _only(self, receipt: ReceiptRow, payer: Payer, advices: Iterable[_Advice]) -> Outcome:
        applied = [outcome for a in advices if (outcome := self._apply(a, receipt, payer)).explanations]
        # An advice that is sent twice says one thing: the one that is believed most says it.
        said: dict[tuple[Share, ...], Outcome] = {}
        for outcome in sorted(applied, key=lambda one: one.reason is not None):
            said.setdefault(outcome.explanations[0].shares, outcome)
        outcomes = list(said.values())
        if len(outcomes) <= 1:
            return outcomes[0] if outcomes else Outcome()
        explanations = tuple(one for outcome in outcomes for one in outcome.explanations)
        return Outcome(explanations, Reason.SEVERAL_SETS, unique=False)

    def _nearly(self, receipt: ReceiptRow, payer: Payer) -> list[_Advice]:
        """Advices of the same payer whose total is a tolerated difference more than the receipt."""
        return self._a_little_more(receipt, self._of_sender(receipt, payer))

    def _a_little_more(self, receipt: ReceiptRow, advices: Iterable[_Advice]) -> list[_Advice]:
        tolerated = self._book.policy.small_difference_minor.get(receipt.currency, 0)
        return [a for a in advices if 0 < a.total_minor - receipt.amount_minor <= tolerated]

    def _belongs(self, advice: _Advice, receipt: ReceiptRow, payer: Payer) -> bool:
        if not _near(advice, receipt):
            return False
        if normalise_payer(advice.payer_name) == normalise_payer(receipt.payer_name):
            return True
        if not payer.candidates:
            return True  # nothing contradicts it; `standing` lowers the probability
        near = {relative for one in payer.candidates for relative in self._book.relatives(one)}
        if near.intersection(self._payers.find_name(advice.payer_name).candidates):
            return True
        owners = {self._book.items[item_id].customer_id for item_id in self._read(advice).shares}
        return bool(near & owners)

    def _apply(self, advice: _Advice, receipt: ReceiptRow, payer: Payer) -> Outcome:
        reading = self._read(advice)
        if not reading.shares:
            return Outcome()
        shares = self._less_difference(
            reading.shares, sum(s.applied_minor for s in reading.shares.values()) - receipt.amount_minor
        )
        if shares is None:
            return Outcome()
        owners = frozenset(self._book.items[share.item_id].customer_id for share in shares)
        owner = owner_of(self._book, payer, owners)
        text = pro(
            "remittance", f"The remittance advice {advice.id} of {advice.received.isoformat()} lists it."
        )
        evidence = [text, *reading.evidence, *payer_evidence(self._book, payer, owners)]
        on_account = receipt.amount_minor - sum(share.applied_minor for share in shares)
        agrees = standing(self._book, payer, owners)
        same = normalise_payer(advice.payer_name) == normalise_payer(receipt.payer_name)
        kind = "remittance, its sender pays" if same and agrees == "unknown" else "remittance, payer unknown"
        kind = "remittance" if agrees in {"agrees", "likely"} else kind
        if advice.total_minor != receipt.amount_minor:
            fee = (advice.total_minor - receipt.amount_minor) % _FEE_STEP_MINOR == 0
            kind = (
                "remittance less a fee" if fee and agrees == "agrees" else "remittance with small difference"
            )
        kind = "remittance with gaps" if reading.gaps or on_account else kind
        if not advice.graded:
            why = (
                "Only a part of the advice is this receipt."
                if advice.id.endswith(_PART)
                else "Nothing proves who sent the advice."
            )
            evidence.append(con("ungraded", why))
        one = explanation(receipt, owner, shares, EvidenceClass.REMITTANCE, kind, evidence)
        return Outcome((one,), _objection(advice, reading, owner, on_account))

    def _less_difference(self, shares: dict[int, Share], missing_minor: int) -> tuple[Share, ...] | None:
        """The shares, a tolerated difference written off on the largest; None if the money does not cover them."""
        if missing_minor <= 0:
            return tuple(shares.values())
        largest = max(shares.values(), key=lambda share: (share.applied_minor, -share.item_id))
        currency = self._book.items[largest.item_id].currency
        if (
            missing_minor > tolerated_minor(self._book.policy, currency, largest.applied_minor)
            or largest.applied_minor <= missing_minor
        ):
            return None
        less = largest._replace(
            applied_minor=largest.applied_minor - missing_minor,
            write_off_minor=largest.write_off_minor + missing_minor,
        )
        return tuple(less if share is largest else share for share in shares.values())

    def _read(self, advice: _Advice) -> _Reading:
        if advice.id not in self._readings:
            self._readings[advice.id] = self._resolve(advice)
        return self._readings[advice.id]

    def _resolve(self, advice: _Advice) -> _Reading:
        candidates = self._payers.find_name(advice.payer_name).candidates
        near = frozenset(relative for one in candidates for relative in self._book.relatives(one))
        reading = _Reading({}, [])
        claims: list[RemittanceRow] = []
        for row in advice.rows:
            item = self._item(row, near, reading)
            if item is not None:
                if self._slip(row, item, reading.shares):
                    reading.gaps = True
                    reading.evidence.append(
                        con(
                            "line-doubtful",
                            f"{row.reference} may be a slip: another item of this amount is numbered alike.",
                        )
                    )
                reading.gaps |= not _take(reading, row, item)
            elif row.paid_minor < 0 and not row.gross_minor:
                claims.append(row)
            else:
                reading.gaps = True
                reading.evidence.append(
                    con("line-unknown", f"The advice names {row.reference}, which is no open item.")
                )
        for row in claims:
            reading.gaps |= not self._claim(reading, row)
        return reading

    def _item(self, row: RemittanceRow, near: frozenset[int], reading: _Reading) -> ItemRow | None:
        """The open item a line names; else the payer's only one with this amount and nearly this number."""
        taken = reading.shares
        named = [
            item
            for mention in read((f"INV {row.reference}",), self._book.known_keys).mentions
            for item in self._book.numbered(mention.key)
        ]
        reading.owners.update(item.customer_id for item in named)
        rows = [
            item
            for item in named
            if item.currency == row.currency
            and item.id not in taken
            and (item.available_minor > 0) == (row.paid_minor >= 0)
        ]
        rows = [item for item in rows if item.customer_id in near] or rows
        exact = [item for item in rows if item.available_minor == row.gross_minor] or rows
        strange = near.isdisjoint(item.customer_id for item in exact)
        alike = self._alike(row, near, taken) if strange and row.gross_minor is not None else []
        if len(alike) == 1 and not any(item.available_minor == row.gross_minor for item in exact):
            reading.owners.add(alike[0].customer_id)
            return alike[0]  # the payer's own, misread, rather than a stranger's of another amount
        return exact[0] if len(exact) == 1 else None

    def _alike(self, row: RemittanceRow, customers: Iterable[int], taken: Container[int]) -> list[ItemRow]:
        """Open items with a line's amount whose number is nearly the one it names."""
        return [
            item
            for item in self._book.by_amount.get((row.currency, row.gross_minor or 0), ())
            if item.customer_id in frozenset(customers)
            and item.id not in taken
            and resembles(row.reference, item.number)
        ]

    def _slip(self, row: RemittanceRow, item: ItemRow, taken: Container[int]) -> bool:
        """Whether one wrong character could mean another item of the same amount; twins do not count."""
        alike = self._alike(row, self._book.relatives(item.customer_id), taken)
        return any(twin_key(other) != twin_key(item) for other in alike)

    def _claim(self, reading: _Reading, row: RemittanceRow) -> bool:
        """A line that only takes money off: a deduction on the item its note names, else on the largest."""
        named = [
            item.id
            for mention in read((f"INV {row.note}",), self._book.known_keys).mentions
            for item in self._book.numbered(mention.key)
            if item.id in reading.shares
        ]
        debits = [share for share in reading.shares.values() if share.applied_minor + row.paid_minor > 0]
        if not debits:
            return False
        largest = max(debits, key=lambda share: (share.applied_minor, -share.item_id)).item_id
        place = named[0] if len(set(named)) == 1 else largest
        share = reading.shares[place]
        if share.applied_minor + row.paid_minor <= 0:
            return False
        reading.shares[place] = share._replace(
            applied_minor=share.applied_minor + row.paid_minor,
            deduction_minor=share.deduction_minor - row.paid_minor,
        )
        reading.claims = True
        item = self._book.items[place]
        amount = money(-row.paid_minor, row.currency)
        reading.evidence.append(
            con("deduction", f"The advice deducts {amount} ({row.reference} {row.note}) on {label(item)}.")
        )
        return True


def _advice(key: str, rows: Iterable[RemittanceRow]) -> _Advice:
    ordered = tuple(sorted(rows, key=lambda r: (r.reference, r.paid_minor, r.note)))
    first = ordered[0]
    total = first.total_minor if first.total_minor is not None else sum(row.paid_minor for row in ordered)
    graded = all(row.grade != _UNKNOWN for row in ordered)
    return _Advice(key, first.received, first.payer_name, first.currency, total, graded, ordered)


def _summing(rows: tuple[RemittanceRow, ...], wanted_minor: int) -> tuple[RemittanceRow, ...]:
    """The only lines that come to an amount; none where there are none, or several choices."""
    ways: dict[int, tuple[tuple[int, ...], ...]] = {0: ((),)}
    for at, row in enumerate(rows):
        for total, chosen in list(ways.items()):
            more = tuple((*one, at) for one in chosen)
            ways[total + row.paid_minor] = (*ways.get(total + row.paid_minor, ()), *more)[:_TWO]
    found = ways.get(wanted_minor, ())
    return tuple(rows[at] for at in found[0]) if len(found) == 1 else ()


def _near(advice: _Advice, receipt: ReceiptRow) -> bool:
    return abs((advice.received - receipt.on).days) <= _NEAR_DAYS


def _take(reading: _Reading, row: RemittanceRow, item: ItemRow) -> bool:
    """Add one line's share; false if it asks more of the item than is available."""
    rest = item.available_minor - row.paid_minor - row.discount_minor
    deduction = rest if row.note and rest > 0 and item.available_minor > 0 else 0
    within = 0 < row.paid_minor + row.discount_minor <= item.available_minor
    credit = item.available_minor <= row.paid_minor < 0 and not row.discount_minor
    if not within and not credit:
        amount = money(item.available_minor, item.currency)
        reading.evidence.append(
            con("line-differs", f"The advice pays more on {label(item)} than the {amount} that are open.")
        )
        return False
    stated = deduction if row.gross_minor is None else row.gross_minor - row.paid_minor - row.discount_minor
    if stated != deduction and deduction:
        asked, left = money(row.gross_minor or 0, item.currency), money(item.available_minor, item.currency)
        text = f"The advice says that {asked} is open on {label(item)}, the books say {left}."
        reading.evidence.append(con("line-differs", text))
        return False
    if deduction:
        reading.claims = True
        amount = money(deduction, item.currency)
        reading.evidence.append(
            con("deduction", f"The advice deducts {amount} ({row.note}) on {label(item)}.")
        )
    reading.shares[item.id] = Share(item.id, row.paid_minor, row.discount_minor, 0, deduction)
    return True


def _objection(advice: _Advice, reading: _Reading, owner: int | None, on_account: int) -> Reason | None:
    if not advice.graded:
        return Reason.WEAK_EVIDENCE
    if reading.gaps:
        return Reason.UNKNOWN_REFERENCE
    if owner is None:
        return Reason.SEVERAL_CUSTOMERS
    if reading.claims:
        return Reason.DEDUCTION
    return Reason.OVER_PAY if on_account else None
