"""The matcher beside others, how its stages grow, a cold process, and the search for sums.

    python -m bench peers

One invented ledger with a known truth (`bench.matching`, strangers among its payers), 100,000 open items and 20,000
receipts. Beside Splink (`bench.linkage`) it goes from Python objects to pairs of receipt and item, in turns; beside the
queries of ERPNext, Blnk and Odoo (`bench.shapes`) from PostgreSQL to decisions, per bank line. Stages are those of
the main job on SQLite. Splink is no part of the development environment:

    uv pip install --require-hashes -r requirements/peers.txt
"""

import gc
import math
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import make_url

from arsync.core.decisions import Decision, Finding, Verdict
from arsync.core.matching import engine
from arsync.core.matching.decide import decide
from arsync.core.matching.rounds import rounds
from arsync.core.matching.snapshot import Knowledge, MatchPolicy, ReceiptRow, Snapshot
from arsync.store.engine import Store
from arsync.sync import decide as deciding
from bench import floor, linkage, shapes
from bench.main_job import furnish, main_job, put_back, watched, with_strangers
from bench.matching import TODAY, Pair, world_and_truth
from bench.measure import Driver, Figure, say, stores, timed
from bench.pairs import Quality, Scored, at_precision, quality

TINY = (1_000, 200, 20)  # to load what is loaded once
SMALL = (10_000, 2_000, 200)  # items, receipts, customers
LARGE = (100_000, 20_000, 2_000)
ROUNDS = 3
LINES = 40  # bank lines that the queries of others are asked for
NEARLY = 0.001  # so much less precise than ours, where a handful of pairs would decide
MOST_TIME, LEAST_RECALL = 0.6, 2.0  # beside Splink
MOST_GROWTH = 12.0  # of a stage, for ten times the data
JUDGED_S = 0.001  # what takes less is not judged: the clock is too coarse
COLD_S = 2.0
SEARCH_MS = 5.0
MISSING = (
    "Splink is not installed, the rest goes on. do: uv pip install --require-hashes -r requirements/peers.txt"
)
_POLICY = MatchPolicy()


@dataclass(frozen=True, slots=True)
class World:
    """A ledger, and what its receipts pay."""

    snapshot: Snapshot
    truth: frozenset[Pair]

    @property
    def size(self) -> str:
        """For the table."""
        return f"{len(self.snapshot.items):,} x {len(self.snapshot.receipts):,}"


def made(size: tuple[int, int, int]) -> World:
    """The busy day of `bench.main_job`, and its truth."""
    snapshot, truth = world_and_truth(*size)
    return World(with_strangers(snapshot), truth)


@contextmanager
def _no_collector() -> Iterator[None]:
    """As in a run (`sync/decide.py`); for Splink too."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# --- beside Splink ---


def _judge(finding: Finding, receipt: ReceiptRow) -> Decision:
    return decide(finding, receipt, _POLICY, "auto")


def once(snapshot: Snapshot) -> tuple[list[Pair], Scored]:
    """Matched and decided once: what is applied, and the first explanation of everything."""
    findings = engine.match(snapshot, Knowledge(), _POLICY)
    return _pairs(
        (finding, _judge(finding, receipt))
        for finding, receipt in zip(findings, snapshot.receipts, strict=True)
    )


def in_rounds(snapshot: Snapshot) -> tuple[list[Pair], Scored]:
    """The same as a run does it: what is left is matched again until nothing more follows."""
    outcome = rounds(snapshot, Knowledge(), _POLICY, _judge)
    return _pairs((judged.finding, judged.decision) for judged in outcome.judged)


def _pairs(found: Iterator[tuple[Finding, Decision]]) -> tuple[list[Pair], Scored]:
    applied: list[Pair] = []
    first: Scored = []
    for finding, decision in found:
        if decision.verdict is Verdict.APPLY and decision.explanation:
            applied += [(finding.receipt_id, share.item_id) for share in decision.explanation.shares]
        for one in finding.explanations[:1]:
            first += [((finding.receipt_id, share.item_id), one.probability) for share in one.shares]
    return applied, first


def splink(snapshot: Snapshot, variant: linkage.Variant) -> tuple[float, Scored]:
    """Seconds of them that learning took, and the pairs."""
    linker, receipt_of = linkage.prepare(snapshot, variant)
    learning_s, _ = timed(lambda: linkage.train(linker))
    return learning_s, linkage.pairs(linker, receipt_of)


def beside_splink(world: World, count: int) -> list[Figure]:
    """Time, precision and pair recall of both, taking turns."""
    variants = linkage.VARIANTS if linkage.installed() else ()
    warm = made(TINY)
    for variant in variants:
        splink(warm.snapshot, variant)
    in_rounds(warm.snapshot)
    took: dict[Any, list[float]] = defaultdict(list)
    learned: dict[linkage.Variant, list[float]] = defaultdict(list)
    ways: dict[Any, tuple[list[Pair], Scored]] = {}
    pairs: dict[linkage.Variant, Scored] = {}
    for number in range(count):
        say(f"  turn {number + 1} of {count}")
        for way in (once, in_rounds):
            with _no_collector():
                seconds, ways[way] = timed(lambda way=way: way(world.snapshot))
            took[way].append(seconds)
        for variant in variants:
            with _no_collector():
                seconds, (learning_s, pairs[variant]) = timed(
                    lambda variant=variant: splink(world.snapshot, variant)
                )
            took[variant].append(seconds)
            learned[variant].append(seconds - learning_s)
    applied, first = ways[once]
    ours, proposed = quality(applied, world.truth), quality([pair for pair, _ in first], world.truth)
    _, surest = at_precision(first, world.truth, ours.precision - NEARLY)
    figures = [
        Figure(f"match {world.size}: matched and decided once", _ms(took[once]), "ms"),
        _recall("applied: ", ours),
        _recall("first proposals: ", proposed),
        _recall("first proposals, the surest: ", surest),
        Figure("  in rounds, as a run does", _ms(took[in_rounds]), "ms"),
        _recall("in rounds, applied: ", quality(ways[in_rounds][0], world.truth)),
    ]
    for variant in variants:
        threshold, equal = at_precision(pairs[variant], world.truth, ours.precision)
        threshold_near, near = at_precision(pairs[variant], world.truth, ours.precision - NEARLY)
        say(f"  {variant.name}: from {threshold:.3f} on {equal}; from {threshold_near:.3f} on {near}")
        figures += [
            Figure(f"Splink {linkage.installed()}, {variant.name}", _ms(took[variant]), "ms"),
            Figure("  its chances learned before", _ms(learned[variant]), "ms"),
            _recall("", equal),
            _recall("", near),
        ]
        if not variant.by_name:
            figures += [
                _time("  ours beside it: time", took[once], took[variant]),
                _time("  ours beside it, its chances learned before: time", took[once], learned[variant]),
                Figure(
                    "  ours beside it: pair recall at our precision", _times(ours, equal), "x", LEAST_RECALL
                ),
                Figure(
                    "  ours beside it: pair recall, it a thousandth less precise",
                    _times(ours, near),
                    "x",
                    LEAST_RECALL,
                ),
                Figure("  our surest first proposals beside it, both so precise", _times(surest, near), "x"),
            ]
    return figures


def _recall(which: str, of: Quality) -> Figure:
    return Figure(f"  {which}pair recall at a precision of {100 * of.precision:.3f} %", 100 * of.recall, "%")


def _times(ours: Quality, theirs: Quality) -> float:
    return ours.recall / theirs.recall if theirs.recall else math.inf


def _time(what: str, ours: list[float], theirs: list[float]) -> Figure:
    ratio = statistics.median(our / their for our, their in zip(ours, theirs, strict=True))
    return Figure(what, ratio, "x", MOST_TIME, at_least=False)


def _ms(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)


# --- the search for sums ---


def solver_ms(snapshot: Snapshot) -> list[float]:
    """Of each receipt whose sums are searched: milliseconds of all its searches, with the tables they make.

    Of processor time: of one receipt in a hundred the wall would tell who else was at work.
    """
    spent: dict[int, float] = defaultdict(float)
    search = "_fits"  # of a receipt, among one customer's items: pool, sums, runs, and their weights
    original: Callable[..., Any] = getattr(engine.Batch, search)

    def watch(self: engine.Batch, receipt: ReceiptRow, customer: int) -> Any:
        began = time.thread_time()
        try:
            return original(self, receipt, customer)
        finally:
            spent[receipt.id] += time.thread_time() - began

    setattr(engine.Batch, search, watch)
    try:
        with _no_collector():
            engine.match(snapshot, Knowledge(), _POLICY)
    finally:
        setattr(engine.Batch, search, original)
    return sorted(1000 * seconds for seconds in spent.values())


def solver(world: World) -> list[Figure]:
    """The share of receipts that need it, and what it takes of them."""
    found = solver_ms(world.snapshot)
    percentiles = statistics.quantiles(found, n=100)
    return [
        Figure(
            f"sums, {world.size}: processor time of 99 of 100 receipts at most",
            percentiles[98],
            "ms",
            SEARCH_MS,
            at_least=False,
        ),
        Figure("  half of them at most", percentiles[49], "ms"),
        Figure("  the longest", found[-1], "ms"),
        Figure("  receipts whose sums are searched", 100 * len(found) / len(world.snapshot.receipts), "%"),
    ]


# --- stages, as the data grows ---


class Stages:
    """The main job on one store, again and again."""

    def __init__(self, store: Store, world: World) -> None:
        self._job = furnish(store, world.snapshot)
        self._driver = Driver(store)
        self._keeps = {row[0] for row in self._driver.rows(floor.raw)}

    def seconds(self) -> dict[str, float]:
        """Of each stage and of the whole; the store is left undecided."""
        with watched() as spent:
            whole, _ = timed(lambda: main_job(self._job))
        put_back(self._driver, floor.OUTPUTS[:-1])
        self._driver.forget_raw(self._keeps)
        self._driver.tidy()
        return {**spent, "the rest, with the commit": whole - sum(spent.values()), "the whole": whole}

    def close(self) -> None:
        """Let go."""
        self._driver.close()


def growth(small: Stages, large: Stages, times: int, count: int) -> list[Figure]:
    """How many times as long each stage takes for so much more data, taking turns."""
    small.seconds()
    turns = [(small.seconds(), large.seconds()) for _ in range(count)]
    figures = [Figure("stages of the main job, SQLite: more data", times, "x")]
    for stage in turns[0][0]:
        before, after = (statistics.median(turn[n][stage] for turn in turns) for n in (0, 1))
        what = f"  {stage}: from {1000 * before:,.1f} to {1000 * after:,.1f} ms"
        if before >= JUDGED_S:
            ratio = statistics.median(turn[1][stage] / turn[0][stage] for turn in turns)
            figures.append(Figure(what, ratio, "x", MOST_GROWTH, at_least=False))
        elif before:
            figures.append(Figure(what, after / before, "x"))
    return figures


def cold(store: Store, receipts: int, count: int) -> list[Figure]:
    """A process from its start to its end, on a copy of the store each time."""
    path = Path(str(make_url(store.url).database))
    took: list[float] = []
    worked: list[float] = []
    with TemporaryDirectory(prefix="arsync-cold-") as folder:
        for _ in range(count):
            copied = shutil.copy(path, Path(folder) / "store.sqlite")
            words = [sys.executable, "-m", "bench.cold", f"sqlite:///{copied}", TODAY.isoformat()]
            before = _of_children()
            seconds, ran = timed(
                lambda words=words: subprocess.run(words, check=True, capture_output=True, text=True)
            )
            assert int(ran.stdout) == receipts
            took.append(seconds)
            worked.append(_of_children() - before)
    what = f"cold process, {receipts:,} receipts to decisions kept"
    return [
        Figure(what, statistics.median(took), "s", COLD_S, at_least=False),
        Figure("  processor time of it", statistics.median(worked), "s"),
    ]


def _of_children() -> float:
    """Seconds of processor time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- beside the queries of others ---


def beside_shapes(store: Store, world: World, count: int) -> list[Figure]:
    """Milliseconds of a line, taking turns; ours reads, matches and decides all lines of the day at once."""
    job = furnish(store, world.snapshot)
    driver = Driver(store)
    driver.tidy()
    lines, number = _lines(world), len(world.snapshot.receipts)
    ours: list[float] = []
    theirs: dict[str, list[shapes.Asked]] = defaultdict(list)
    for _ in range(count):
        ours.append(1000 * timed(lambda: deciding.look(job))[0] / number)
        for named in shapes.SHAPES:
            theirs[named.name].append(shapes.ask(named.shape, driver, lines))
    figures = [
        Figure(
            f"a bank line beside {len(world.snapshot.items):,} items, PostgreSQL: ours",
            statistics.median(ours),
            "ms",
        )
    ]
    for named in shapes.SHAPES:
        asked = theirs[named.name]
        if asked[0].hits:
            say(f"  {named.name}: a right item among the candidates of {asked[0].hits} of {LINES} lines")
        ratio = statistics.median(one.ms / our for one, our in zip(asked, ours, strict=True))
        figures += [
            Figure(f"  {named.name}", statistics.median(one.ms for one in asked), "ms"),
            Figure("    beside ours", ratio, "x", named.wanted),
        ]
    shapes.index_amounts(driver)
    indexed = shapes.ask(shapes.erpnext_equal, driver, lines)
    with driver.transaction():
        driver.connection.execute(
            "update receipt set state = 'not_ours' where id <> %s", (lines[0].receipt.id,)
        )
    alone, decided = timed(lambda: deciding.look(job))
    assert len(decided.cases) == 1
    driver.close()
    return [
        *figures,
        Figure("  ERPNext, amount equal, with an index on amounts", indexed.ms, "ms"),
        Figure("  ours, when it is the only new line of the day", 1000 * alone, "ms"),
    ]


def _lines(world: World) -> list[shapes.Line]:
    """Some receipts, and what they pay."""
    owner = {item.id: item.customer_id for item in world.snapshot.items}
    paid: dict[int, set[int]] = defaultdict(set)
    for receipt_id, item_id in world.truth:
        paid[receipt_id].add(item_id)
    chosen = Random(7).sample(world.snapshot.receipts, LINES)
    return [shapes.Line(row, owner[min(paid[row.id])], frozenset(paid[row.id])) for row in chosen]


def run_at(small: World, large: World, count: int) -> list[Figure]:
    """All of it, on two worlds."""
    if not linkage.installed():
        say(MISSING)
    say("peers: beside Splink ...")
    figures = beside_splink(large, count)
    say("peers: sums ...")
    figures += solver(large)
    with stores(2) as each:
        for name, (first, second) in each:
            if name == "SQLite":
                say("peers: stages ...")
                few, many = Stages(first, small), Stages(second, large)
                figures += growth(few, many, len(large.snapshot.items) // len(small.snapshot.items), count)
                few.close()
                many.close()
                figures += cold(first, len(small.snapshot.receipts), count)
            else:
                say("peers: queries of others ...")
                figures += beside_shapes(first, large, count)
    return figures


def run(*, big: bool = False) -> list[Figure]:
    """10,000 items, and 100,000; `big` changes nothing."""
    del big
    return run_at(made(SMALL), made(LARGE), ROUNDS)
