"""What would a policy have done with the money of the past, and how often would it have been wrong?

Shape   `replayed(history, policy)` -> one `Case` per receipt of the past; `quality(cases)` -> counts at four levels.
Law     each day knows only what was open on that day and what people had taught until then; the truth is what the books
        say today, so that a mistake somebody has put right counts as one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby

from arsync.core.dates import add_business_days
from arsync.core.decisions import Decision, Explanation, Finding, Verdict
from arsync.core.matching.candidates import twin_key
from arsync.core.matching.decide import decide
from arsync.core.matching.exchange import about
from arsync.core.matching.habits import observed, with_habit
from arsync.core.matching.learn import learn
from arsync.core.matching.rounds import rounds
from arsync.core.matching.sampling import interval
from arsync.core.matching.snapshot import (
    CustomerRow,
    ItemRow,
    Knowledge,
    MatchPolicy,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)
from arsync.core.rates import Rate

_RECENT = timedelta(days=90)
_ADVICE = timedelta(days=14)  # older ones belong to nothing that arrives today
_BANDS = 10


@dataclass(frozen=True, slots=True)
class Past:
    """A receipt of the past, and what the books say of it today."""

    receipt: ReceiptRow
    customer_id: int
    settled: dict[int, int]  # minor units by item, with what was given up; what is missing is on account
    taught: bool | None  # a person decided it: the next receipts profit; None: whatever is not applied alone
    apart: bool = False  # a duplicate, a return, not ours: to apply it at all is wrong


@dataclass(frozen=True, slots=True)
class History:
    """A ledger's own past."""

    ledger_id: int
    customers: tuple[CustomerRow, ...]
    items: tuple[ItemRow, ...]  # all there ever were, with their original amounts available
    moves: tuple[
        tuple[date, int, int], ...
    ]  # day, item, minor units: what settled items beside these receipts
    past: tuple[Past, ...]
    remittances: tuple[RemittanceRow, ...] = ()
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """What would have been found and decided of a receipt."""

    past: Past
    finding: Finding
    decision: Decision
    twins: Mapping[int, int] = field(
        default_factory=dict
    )  # item -> the first that is alike but for its number

    @property
    def first(self) -> Explanation | None:
        """The best explanation."""
        return self.finding.explanations[0] if self.finding.explanations else None

    @property
    def alone(self) -> bool:
        """Whether it would have been applied without a person."""
        return self.decision.verdict is Verdict.APPLY

    @property
    def right(self) -> bool:
        """Whether the best explanation is what the books say; items that differ in nothing but their number are one."""
        one = self.first
        if one is None or one.customer_id is None or self.past.apart:
            return False
        return self._counted(_settled(one)) == self._counted(self.past.settled)

    def _counted(self, settled: Mapping[int, int]) -> Counter[tuple[int, int]]:
        return Counter((self.twins.get(item_id, item_id), minor) for item_id, minor in settled.items())


@dataclass(frozen=True, slots=True)
class Band:
    """Explanations of about one probability."""

    stated: float  # their mean probability
    number: int
    right: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts; `*_minor` by currency."""

    receipts: int
    alone: int
    wrong: int
    wrong_rate: tuple[float, float]  # share of what was applied alone, 95 % interval
    lines: tuple[int, int]  # invoice lines applied alone, and how many of them as in the books
    value_minor: dict[str, tuple[int, int]]  # money applied alone, and how much of it as in the books
    customers: tuple[int, int]  # receipts applied alone, and how many to the right customer
    suggested: tuple[
        int, int
    ]  # receipts left to a person with a suggestion, and how often the first was right
    bands: tuple[Band, ...]


def replayed(history: History, policy: MatchPolicy) -> tuple[Case, ...]:
    """Day by day, as if the ledger had been in `auto` under this policy.

    A receipt is judged once, on its day, with the advices that came while the policy lets it wait.
    """
    waits, policy = policy.wait_days, replace(policy, wait_days=0)
    left = {item.id: item for item in history.items}
    moves = sorted(history.moves, reverse=True)
    knowledge, twins = Knowledge(), _twins(history.items)
    done: list[Past] = []
    cases: list[Case] = []
    ordered = sorted(history.past, key=lambda one: (one.receipt.on, one.receipt.id))
    for day, group in groupby(ordered, key=lambda one: one.receipt.on):
        while moves and moves[-1][0] < day:
            _settle(left, *moves.pop()[1:])
        todays = {one.receipt.id: one for one in group}
        advices = _near(history.remittances, day, add_business_days(day, waits))
        snapshot = _snapshot(history, day, left.values(), todays.values(), done, advices)
        outcome = rounds(snapshot, knowledge, policy, lambda f, r: decide(f, r, policy, "auto"))
        judged = {
            one.receipt.id: Case(todays[one.receipt.id], one.finding, one.decision, twins)
            for one in outcome.judged
        }
        cases += judged.values()
        for past in todays.values():
            if past.taught or (
                past.taught is None and past.customer_id and not judged[past.receipt.id].alone
            ):
                knowledge = _taught(knowledge, past, left, policy)
            for item_id, minor in past.settled.items():
                _settle(left, item_id, minor)
        done = [one for one in (*done, *todays.values()) if day - one.receipt.on <= _RECENT]
    return tuple(cases)


def _twins(items: Iterable[ItemRow]) -> dict[int, int]:
    first: dict[object, int] = {}
    return {item.id: first.setdefault((twin_key(item), item.references), item.id) for item in items}


def _taught(knowledge: Knowledge, past: Past, left: dict[int, ItemRow], policy: MatchPolicy) -> Knowledge:
    """What a person's confirmation of that day taught: who paid, and how."""
    row, owner = past.receipt, past.customer_id
    known = learn(knowledge, row.payer_name, row.payer_account, owner, row.on, policy.alias_days)
    issued = (item for item in left.values() if item.issued <= row.on)
    return with_habit(known, observed(owner, issued, past.settled, row, discounted=None))


def _snapshot(
    history: History,
    day: date,
    items: Iterable[ItemRow],
    todays: Iterable[Past],
    done: Sequence[Past],
    advices: tuple[RemittanceRow, ...],
) -> Snapshot:
    return Snapshot(
        history.ledger_id,
        day,
        history.customers,
        tuple(item for item in items if item.available_minor and item.issued <= day),
        tuple(one.receipt for one in todays),
        recent=tuple(one.receipt for one in done),
        recent_customers=tuple(one.customer_id for one in done),
        remittances=advices,
        rates=tuple(about(history.rates, day)),
    )


def _near(advices: Iterable[RemittanceRow], day: date, last: date) -> tuple[RemittanceRow, ...]:
    return tuple(row for row in advices if day - _ADVICE <= row.received <= last)


def _settle(left: dict[int, ItemRow], item_id: int, minor: int) -> None:
    if item := left.get(item_id):
        left[item_id] = item._replace(available_minor=item.available_minor - minor)


def quality(cases: Sequence[Case]) -> Quality:
    """How much would have been done alone, and how right it would have been."""
    alone = [case for case in cases if case.alone]
    wrong = [case for case in alone if not case.right]
    helped = [case for case in cases if not case.alone and case.first]
    value: dict[str, tuple[int, int]] = {}
    lines = right_lines = 0
    for case in alone:
        assert case.first is not None
        said, truth, currency = _settled(case.first), case.past.settled, case.past.receipt.currency
        agreed = {item: minor for item, minor in said.items() if truth.get(item) == minor}
        lines, right_lines = lines + len(said), right_lines + len(agreed)
        so_far, right = value.get(currency, (0, 0))
        value[currency] = (so_far + sum(map(abs, said.values())), right + sum(map(abs, agreed.values())))
    known = sum(1 for case in alone if case.first and case.first.customer_id == case.past.customer_id)
    return Quality(
        len(cases),
        len(alone),
        len(wrong),
        interval(len(wrong), len(alone)),
        (lines, right_lines),
        value,
        (len(alone), known),
        (len(helped), sum(case.right for case in helped)),
        _bands(cases),
    )


def changed(before: Sequence[Case], after: Sequence[Case]) -> list[tuple[Case, Case]]:
    """The receipts that two policies would have treated differently."""
    return [
        (one, other)
        for one, other in zip(before, after, strict=True)
        if one.decision.verdict is not other.decision.verdict or (other.alone and _said(one) != _said(other))
    ]


def _bands(cases: Iterable[Case]) -> tuple[Band, ...]:
    held: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for case in cases:
        if case.first:
            probability = case.first.probability
            held[min(_BANDS - 1, int(probability * _BANDS))].append((probability, case.right))
    return tuple(
        Band(sum(p for p, _ in rows) / len(rows), len(rows), sum(right for _, right in rows))
        for _, rows in sorted(held.items())
    )


def _settled(one: Explanation) -> dict[int, int]:
    """What goes off each item; a deduction stays open."""
    return {share.item_id: share.settled_minor - share.deduction_minor for share in one.shares}


def _said(case: Case) -> dict[int, int]:
    return _settled(case.first) if case.first else {}
