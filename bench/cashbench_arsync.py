"""Drive arsync's matcher through the worlds of cashbench, the yardstick beside this project.

    python bench/cashbench_arsync.py --bench ../shared/cashbench --worlds DIR --seeds 11 12 [--profiles mixed
...]
        [--markdown FILE] [--wrong]

Generates the worlds that are missing in DIR, drives `match`, `decide` and `learn` day by day and prints one
table. The benchmark's posting rules (three days of grace for discounts, differences up to 50.00 written off)
are policy here; the engine knows none of them. Corrections are a clerk's confirmations and teach; what was
applied automatically teaches nothing.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from arsync.core.decisions import Decision, Explanation, Finding, Verdict
from arsync.core.items import ItemKind
from arsync.core.matching.decide import decide
from arsync.core.matching.engine import match
from arsync.core.matching.learn import learn
from arsync.core.matching.normalise import normalise_payer
from arsync.core.matching.snapshot import (
    CustomerRow,
    ItemRow,
    Knowledge,
    MatchPolicy,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)

PROFILES = ("clean_refs", "mixed", "no_refs", "remitted", "hard", "dense", "recurring", "credits", "fx")
POLICY = MatchPolicy(small_difference_minor={"USD": 50_00}, discount_grace_days=3, wait_days=2)
_KINDS = {"invoice": ItemKind.INVOICE, "credit_memo": ItemKind.CREDIT_MEMO, "debit_memo": ItemKind.DEBIT_MEMO}
_RECENT_DAYS = 21
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
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


class Matcher:
    """arsync as cashbench sees it: a function of the day."""

    def __init__(
        self, customers: list[Any], rates: Mapping[tuple[date, str], float], policy: MatchPolicy = POLICY
    ) -> None:
        self.policy = policy
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
        self.queued: dict[str, ReceiptRow] = {}  # with a clerk: matched along, never answered again
        self.recent: list[tuple[ReceiptRow, int]] = []
        self.advices: list[RemittanceRow] = []
        self.seconds = 0.0
        self.log: dict[str, tuple[ReceiptRow, Finding, Decision]] = {}

    def __call__(self, day: Any) -> list[dict[str, Any]]:
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
            recent_customers=tuple(c for _, c in self.recent),
        )
        began = time.perf_counter()
        findings = match(snapshot, self.knowledge, self.policy)
        self.seconds += time.perf_counter() - began
        pairs = zip(waiting, findings[: len(waiting)], strict=True)
        return [answer for receipt, finding in pairs if (answer := self._answer(receipt, finding))]

    def _post(self, day: Any) -> None:
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

    def _item(self, number: int, item: Any) -> ItemRow:
        terms = re.match(r"(\d+)/(\d+) ", item.terms)
        discount, until = 0, None
        if terms and item.kind == "invoice":
            discount = (item.amount * int(terms[1]) + 50) // 100
            until = item.issue_date + timedelta(days=int(terms[2]))
        return ItemRow(
            number,
            self.customer_ids[item.customer_id],
            _KINDS[item.kind],
            item.number,
            item.issue_date,
            item.due_date,
            item.currency,
            item.amount,
            item.amount,
            (item.po_number,) if item.po_number else (),
            discount,
            until,
        )

    def _receipt(self, line: Any) -> ReceiptRow:
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

    def _advice(self, remittance: Any) -> list[RemittanceRow]:
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

    def _confirm(self, correction: Any, today: date) -> None:
        receipt = self.receipts[correction.line_id]
        self.queued.pop(correction.line_id, None)
        owners = [self.customer_ids[name] for name in correction.customer_ids]
        if receipt.amount_minor > 0:
            self.recent.append((receipt, owners[0] if len(owners) == 1 else 0))
            self._used(receipt, owners[0] if len(owners) == 1 else 0)
        if len(owners) == 1 and correction.kind not in {"reversal", "unrelated"}:
            self.knowledge = learn(
                self.knowledge, receipt.payer_name, receipt.payer_account, owners[0], today
            )

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

    def _answer(self, receipt: ReceiptRow, finding: Finding) -> dict[str, Any] | None:
        decision = decide(finding, receipt, self.policy, "auto")
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


def factory(customers: list[Any], rates: Mapping[tuple[date, str], float]) -> Matcher:
    """cashbench's entry: `driver.py DIR cashbench_arsync:factory`."""
    return Matcher(customers, rates)


# --- the table ---------------------------------------------------------------------------------------------

_SHOWN = {
    "recall": "recall",
    "recall_knowable": "recall knowable",
    "recall_amount": "by amount",
    "auto_share": "auto",
    "suggestion_top1": "top 1",
    "suggestion_top3": "top 3",
    "customer_identified": "customer",
    "brier": "Brier",
}


def run_world(folder: Path, *, show_wrong: bool) -> dict[str, Any]:
    from driver import run
    from score import is_right, score
    from world import load_world

    world = load_world(folder)
    made: list[Matcher] = []

    def make(customers: list[Any], rates: Mapping[tuple[date, str], float]) -> Matcher:
        made.append(Matcher(customers, rates))
        return made[0]

    result = run(world, make)
    scored: dict[str, Any] = score(world, result.decisions, result.seconds)
    scored["brier"] = scored["calibration"]["brier"]
    scored["match_seconds"] = made[0].seconds
    items = {item.item_id: item for item in world.items}
    kinds: Counter[tuple[str, str]] = Counter()
    for line_id, decision in result.decisions.items():
        receipt, finding, ours = made[0].log[line_id]
        if not finding.explanations:
            continue
        truth = world.truth[line_id]
        rows, unapplied = (
            (decision.applications, decision.unapplied)
            if decision.auto
            else (decision.suggestions[0] if decision.suggestions else ((), 0))
        )
        right = is_right(rows, unapplied, decision.customer_id, truth, items)
        first = finding.explanations[0]
        key = f"{first.klass.value} p={first.probability} {finding.reason.value if finding.reason else '-'}"
        kinds[key + (" AUTO" if decision.auto else ""), "right" if right else "wrong"] += 1
        if show_wrong and decision.auto and not right:
            print(f"  WRONG {truth.kind} {receipt}\n    {ours}\n    truth {truth}", world.labels.get(line_id))
    scored["kinds"] = kinds
    return scored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", type=Path, default=Path(__file__).parents[2] / "shared/cashbench")
    parser.add_argument("--worlds", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12])
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES))
    parser.add_argument("--customers", type=int)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--kinds", action="store_true", help="how often each kind of explanation was right")
    parser.add_argument("--wrong", action="store_true", help="show what was applied and wrong")
    args = parser.parse_args()
    sys.path.insert(0, str(args.bench.resolve()))
    from generate import generate
    from profiles import DEFAULT_CUSTOMERS
    from profiles import PROFILES as WORLDS

    table = [
        "| profile | seed | lines | wrong / 10,000 | wrong by kind | "
        + " | ".join(_SHOWN.values())
        + " | lines/s in match |",
        "|---|" + "---|" * 13,
    ]
    kinds: Counter[tuple[str, str]] = Counter()
    for profile in args.profiles:
        for seed in args.seeds:
            customers = args.customers or DEFAULT_CUSTOMERS.get(profile, 400)
            folder = args.worlds / f"{profile}-{seed}-{customers}"
            if not (folder / "labels.csv").exists():
                generate(WORLDS[profile], seed, customers, 12, folder)
            got = run_world(folder, show_wrong=args.wrong)
            kinds.update(got["kinds"])
            by_kind = ", ".join(f"{kind} {count}" for kind, count in got["wrong_by_kind"].items()) or "none"
            cells = [f"{got[name]:.3f}" if got[name] is not None else "-" for name in _SHOWN]
            table.append(
                f"| {profile} | {seed} | {got['lines']:,} | {got['wrong_per_10000_lines']:.1f} | {by_kind} | "
                + " | ".join(cells)
                + f" | {got['lines'] / got['match_seconds']:,.0f} |"
            )
            print(table[-1], f"rejected {got['rejected']} late {got['late']}", flush=True)
    if args.kinds:
        for name in sorted({name for name, _ in kinds}):
            right, wrong = kinds[name, "right"], kinds[name, "wrong"]
            print(f"{name:<70}{right:>8}{wrong:>8}{right / (right + wrong):>9.4f}")
    if args.markdown:
        args.markdown.write_text("\n".join(table) + "\n", encoding="utf-8")
        print(json.dumps({"written": str(args.markdown)}))


if __name__ == "__main__":
    main()
