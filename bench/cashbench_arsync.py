"""Drive arsync's matcher through the worlds of cashbench, the yardstick beside this project.

    python bench/cashbench_arsync.py --bench ../shared/cashbench --worlds DIR --seeds 11 12 [--profiles mixed ...]
        [--markdown FILE] [--wrong] [--kinds] [--folders WORLD ...]

Generates the worlds that are missing in DIR, drives `arsync.testing.cashbench` through each and prints one table; with
`--folders` through the worlds that lie there (`bench/real_ledger.py` makes some of real ledgers) and no others.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from arsync.testing.cashbench import Matcher

PROFILES = ("clean_refs", "mixed", "no_refs", "remitted", "hard", "dense", "recurring", "credits", "fx")

# --- the table ---------------------------------------------------------------------------------------------

_NEVER = frozenset({"duplicate", "reversal", "unrelated"})
_THREE = 3
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
    stated: list[tuple[float, bool]] = []  # probability of a first explanation, and whether it was right
    # Of reviewed lines that the data determine: which suggestion is right, from 1; 0 where none is.
    ranks: list[int] = []
    for line_id, decision in result.decisions.items():
        if not decision.auto and _is_determined(world, line_id):
            told = (decision.customer_id, world.truth[line_id], items)
            right_ones = (n for n, one in enumerate(decision.suggestions, 1) if is_right(*one, *told))
            ranks.append(next(right_ones, 0))
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
        stated.append((first.probability, right))
        reason = finding.reason.value if finding.reason else "-"
        key = f"{first.klass.value} p={int(first.probability * 100) / 100:.2f} {reason}"
        kinds[key + (" AUTO" if decision.auto else ""), "right" if right else "wrong"] += 1
        if show_wrong and decision.auto and not right:
            print(f"  WRONG {truth.kind} {receipt}\n    {ours}\n    truth {truth}", world.labels.get(line_id))
    scored["kinds"], scored["stated"] = kinds, stated
    scored["first"] = f"{ranks.count(1)} of {len(ranks)}"
    scored["first_three"] = f"{sum(0 < rank <= _THREE for rank in ranks)}"
    return scored


def _is_determined(world: Any, line_id: str) -> bool:
    """Whether a line may be applied, and the data tell how."""
    return world.truth[line_id].kind not in _NEVER and world.labels[line_id]["determined"] != "none"


def calibration(stated: list[tuple[float, bool]]) -> list[str]:
    """By tenths of the stated probability: their mean, how many, and how many of them were right."""
    bands: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, right in stated:
        bands[min(9, int(probability * 10))].append((probability, right))
    return [
        f"stated {sum(p for p, _ in rows) / count:.3f}  right {sum(r for _, r in rows) / count:.3f}  of {count:,}"
        for _, rows in sorted(bands.items())
        for count in (len(rows),)
    ]


def _worlds(args: argparse.Namespace) -> Iterator[tuple[str, str, Path]]:
    """(profile, seed, folder) of each world; what is missing is made."""
    from generate import generate
    from profiles import DEFAULT_CUSTOMERS, PROFILES

    for folder in args.folders or ():
        yield folder.name, "-", folder
    for profile in args.profiles if args.worlds else ():
        for seed in args.seeds:
            customers = args.customers or DEFAULT_CUSTOMERS.get(profile, 400)
            folder = args.worlds / f"{profile}-{seed}-{customers}"
            if not (folder / "labels.csv").exists():
                generate(PROFILES[profile], seed, customers, 12, folder)
            yield profile, str(seed), folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", type=Path, default=Path(__file__).parents[2] / "shared/cashbench")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--worlds", type=Path)
    where.add_argument("--folders", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12])
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES))
    parser.add_argument("--customers", type=int)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--kinds", action="store_true", help="how often each kind of explanation was right")
    parser.add_argument("--wrong", action="store_true", help="show what was applied and wrong")
    args = parser.parse_args()
    sys.path.insert(0, str(args.bench.resolve()))
    table = [
        "| profile | seed | lines | wrong / 10,000 | wrong by kind | "
        + " | ".join(_SHOWN.values())
        + " | first, determined | in three | lines/s in match |",
        "|---|" + "---|" * 15,
    ]
    kinds: Counter[tuple[str, str]] = Counter()
    stated: list[tuple[float, bool]] = []
    for profile, seed, folder in _worlds(args):
        got = run_world(folder, show_wrong=args.wrong)
        kinds.update(got["kinds"])
        stated += got["stated"]
        by_kind = ", ".join(f"{kind} {count}" for kind, count in got["wrong_by_kind"].items()) or "none"
        cells = [f"{got[name]:.3f}" if got[name] is not None else "-" for name in _SHOWN]
        table.append(
            f"| {profile} | {seed} | {got['lines']:,} | {got['wrong_per_10000_lines']:.1f} | {by_kind} | "
            + " | ".join(cells)
            + f" | {got['first']} | {got['first_three']} | {got['lines'] / got['match_seconds']:,.0f} |"
        )
        print(table[-1], f"rejected {got['rejected']} late {got['late']}", flush=True)
    if args.kinds:
        for name in sorted({name for name, _ in kinds}):
            right, wrong = kinds[name, "right"], kinds[name, "wrong"]
            print(f"{name:<70}{right:>8}{wrong:>8}{right / (right + wrong):>9.4f}")
        for band in calibration(stated):
            print(band)
    if args.markdown:
        args.markdown.write_text("\n".join(table) + "\n", encoding="utf-8")
        print(json.dumps({"written": str(args.markdown)}))


if __name__ == "__main__":
    main()
