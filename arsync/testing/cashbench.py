"""arsync's matcher as the benchmark of cash application drives it, day by day.

    python driver.py DIR arsync.testing.cashbench:factory --out decisions.jsonl

Shape   `factory(customers, rates)` -> a function of the day; it runs `match`, `decide` and `learn` as a ledger in
        `auto` does, under the policy in `cashbench.toml`.
Law     the engine knows nothing of the benchmark: its posting rules are that policy. What a clerk's correction says
        teaches; what was applied automatically teaches nothing.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

from arsync.core.decisions import Decision, Explanation, Finding, Verdict
from arsync.core.matching.decide import decide
from arsync.core.matching.habits import observed, with_habit
from arsync.core.matching.learn import learn
from arsync.core.matching.normalise import normalise_payer
from arsync.core.matching.payers import payer_of
from arsync.core.matching.rounds import Judged, rounds
from arsync.core.matching.snapshot import (
    CustomerRow,
    ItemRow,
    Knowledge,
    MatchPolicy,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)
from arsync.core.policy import parse
from arsync.core.rates import Rate
from arsync.testing.cashbench_folder import KINDS, discount_of

POLICY = parse(
    (files("arsync.testing") / "cashbench.toml").read_text(encoding="utf-8"), "cashbench.toml"
).match
Given = Any  # the benchmark's own records; its `world.py` says what they hold
_RECENT_DAYS = 21
_RATE_DAYS = 14
HOME = "USD"  # what the benchmark's bank account is in
_ADVICE_DAYS = 14
_REASONS = {
    "short-pay": "short",
    "over-pay": "over",
    "possible duplicate": "duplicate",
    "returned payment": "reversal",
    "deduction": "short",
    "unknown payer": "unrelated",
}


def money(minor: int) -> str:
    """Decimal text with two digits, as the benchmark writes amounts."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


class Matcher:
    """arsync as cashbench sees it: a function of the day."""

    def __init__(
        self, customers: list[Given], rates: Mapping[tuple[date, str], float], policy: MatchPolicy = POLICY
    ) -> None:
        self.policy = policy
        # The benchmark reads its decimal text as floats, of which `str` gives the same text again.
        self.rates = tuple(
            Rate(on, currency, HOME, Decimal(str(rate))) for (on, currency), rate in sorted(rates.items())
        )
        self.customer_ids = {c.customer_id: n for n, c in enumerate(customers, 1)}
        self.customer_names = {n: key for key, n in self.customer_ids.items()}
        self.customers = tuple(
            CustomerRow(
                self.customer_ids[c.customer_id],
                c.name,
                tuple(c.aliases),
                self.customer_ids[c.parent_id] if c.parent_id else None,
                payer_accounts=tuple(c.payer_accounts),
            )
            for c in customers
        )
        self.knowledge = Knowledge()
        self.item_ids: dict[str, int] = {}
        self.item_names: dict[int, str] = {}
        self.items: dict[int, ItemRow] = {}
        self.open: dict[int, ItemRow] = {}
        self.receipts: dict[str, ReceiptRow] = {}
        self.line_names: dict[int, str] = {}
        self.held: list[ReceiptRow] = []
        self.opened: dict[str, tuple[ItemRow, ...]] = {}  # by line of the queue, what was open then
        self.queued: dict[str, ReceiptRow] = {}  # with a clerk: matched along, never answered again
        self.recent: list[tuple[ReceiptRow, int]] = []
        self.advices: list[RemittanceRow] = []
        self.seconds = 0.0
        self.log: dict[str, tuple[ReceiptRow, Finding, Decision]] = {}

    def __call__(self, day: Given) -> list[dict[str, Any]]:
        """The answers of a day; a line without one waits."""
        self._post(day)
        for correction in day.corrections:
            self._confirm(correction, day.date)
        arrived = [self._receipt(line) for line in day.lines]
        for remittance in day.remittances:
            self.advices += self._advice(remittance)
        self.advices = [row for row in self.advices if (day.date - row.received).days <= _ADVICE_DAYS]
        self.recent = [pair for pair in self.recent if (day.date - pair[0].on).days <= _RECENT_DAYS]
        waiting, self.held = [*self.held, *arrived], []
        if not waiting:
            return []
        snapshot = Snapshot(
            1,
            day.date,
            self.customers,
            tuple(self.open.values()),
            (*waiting, *self.queued.values()),
            remittances=tuple(self.advices),
            recent=tuple(row for row, _ in self.recent),
            rates=tuple(
                rate for rate in self.rates if rate.on <= day.date and (day.date - rate.on).days < _RATE_DAYS
            ),
            recent_customers=tuple(c for _, c in self.recent),
        )
        began = time.perf_counter()
        outcome = rounds(snapshot, self.knowledge, self.policy, self._judge)
        self.seconds += time.perf_counter() - began
        return [answer for one in outcome.judged[: len(waiting)] if (answer := self._answer(one))]

    def _post(self, day: Given) -> None:
        for item in day.items:
            number = self.item_ids[item.item_id] = len(self.item_ids) + 1
            self.item_names[number] = item.item_id
            self.items[number] = self._item(number, item)
        for name in day.touched:
            number = self.item_ids[name]
            left = day.ledger[name]
            if left:
                self.open[number] = self.items[number]._replace(available_minor=left)
            else:
                self.open.pop(number, None)

    def _item(self, number: int, item: Given) -> ItemRow:
        return ItemRow(
            number,
            self.customer_ids[item.customer_id],
            KINDS[item.kind],
            item.number,
            item.issue_date,
            item.due_date,
            item.currency,
            item.amount,
            item.amount,
            (item.po_number,) if item.po_number else (),
            *discount_of(item.terms, item.kind, item.amount, item.issue_date),
        )

    def _receipt(self, line: Given) -> ReceiptRow:
        number = len(self.receipts) + 1
        row = ReceiptRow(
            number,
            line.date,
            line.currency,
            line.amount,
            line.payer_name,
            line.payer_account,
            (line.text,),
            is_return=line.amount < 0,
        )
        self.receipts[line.line_id] = row
        self.line_names[number] = line.line_id
        return row

    def _advice(self, remittance: Given) -> list[RemittanceRow]:
        return [
            RemittanceRow(
                remittance.remittance_id,
                remittance.received_date,
                remittance.payer_name,
                remittance.currency,
                remittance.total,
                "known sender",
                row.reference,
                row.paid,
                row.gross,
                row.discount,
                row.note,
            )
            for row in remittance.lines
        ]

    def _confirm(self, correction: Given, today: date) -> None:
        receipt = self.receipts[correction.line_id]
        self.queued.pop(correction.line_id, None)
        owners = {self.customer_ids[name] for name in correction.customer_ids}
        owner = payer_of(owners, lambda one: self.customers[one - 1].parent_id) or 0
        if receipt.amount_minor > 0:
            self.recent.append((receipt, owner))
            self._used(receipt, owner)
        self._observe(correction, owner)
        if owner and correction.kind not in {"reversal", "unrelated"}:
            self.knowledge = learn(
                self.knowledge,
                receipt.payer_name,
                receipt.payer_account,
                owner,
                today,
                self.policy.alias_days,
            )

    def _observe(self, correction: Given, owner: int) -> None:
        """How the customer paid, of what it had open when its money went to a clerk."""
        open_then = self.opened.pop(correction.line_id, ())
        if owner:
            settled = {
                self.item_ids[row.item_id]: row.applied + row.discount for row in correction.applications
            }
            discounted = any(row.discount for row in correction.applications)
            receipt = self.receipts[correction.line_id]
            seen = observed(owner, open_then, settled, receipt, discounted=discounted)
            self.knowledge = with_habit(self.knowledge, seen)

    def _used(self, receipt: ReceiptRow, customer_id: int) -> None:
        """Advices of a decided receipt are not handed in again, as a store would not."""
        row = self.customers[customer_id - 1] if customer_id else None
        names = {receipt.payer_name, *((row.name, *row.aliases) if row else ())}
        payers = {normalise_payer(name) for name in names}
        self.advices = [
            advice
            for advice in self.advices
            if advice.total_minor != receipt.amount_minor or normalise_payer(advice.payer_name) not in payers
        ]

    def _judge(self, finding: Finding, receipt: ReceiptRow) -> Decision:
        """As production does; what a clerk has is decided no more."""
        decision = decide(finding, receipt, self.policy, "auto")
        if self.line_names[receipt.id] in self.queued and decision.verdict is Verdict.APPLY:
            return replace(decision, verdict=Verdict.QUEUE)
        return decision

    def _answer(self, judged: Judged) -> dict[str, Any] | None:
        receipt, finding, decision = judged.receipt, judged.finding, judged.decision
        self.log[self.line_names[receipt.id]] = (receipt, finding, decision)
        if decision.verdict is Verdict.WAIT:
            self.held.append(receipt)
            return None
        first = decision.explanation
        base: dict[str, Any] = {
            "line_id": self.line_names[receipt.id],
            "customer_id": self.customer_names.get(first.customer_id or 0) if first else None,
            "confidence": first.probability if first else 0.0,
            "reason": _kind(decision, first),
        }
        if decision.verdict is Verdict.APPLY:
            assert first is not None
            self.recent.append((receipt, first.customer_id or 0))
            self._used(receipt, first.customer_id or 0)
            return {**base, "decision": "apply", **self._rows(first)}
        self.queued[self.line_names[receipt.id]] = receipt
        self.opened[self.line_names[receipt.id]] = tuple(self.open.values())
        return {**base, "decision": "review", "suggestions": [self._rows(e) for e in finding.explanations]}

    def _rows(self, one: Explanation) -> dict[str, Any]:
        rows = [
            {
                "item_id": self.item_names[s.item_id],
                "applied": money(s.applied_minor),
                "discount": money(s.discount_minor),
                "write_off": money(s.write_off_minor),
                "deduction": money(s.deduction_minor),
            }
            for s in one.shares
        ]
        return {"applications": rows, "unapplied": money(one.on_account_minor)}


def _kind(decision: Decision, first: Explanation | None) -> str:
    if decision.reason is not None and decision.reason.value in _REASONS:
        return _REASONS[decision.reason.value]
    if first is None:
        return "unrelated"
    totals = Counter[str]()
    for share in first.shares:
        totals["write_off"] += share.write_off_minor
        totals["discount"] += share.discount_minor
        totals["credit"] += share.applied_minor < 0
    if totals["credit"]:
        return "credit_netted"
    return "fee" if totals["write_off"] else "discount" if totals["discount"] else "full"


def factory(customers: list[Given], rates: Mapping[tuple[date, str], float]) -> Matcher:
    """The entry that the benchmark's driver calls."""
    return Matcher(customers, rates)
