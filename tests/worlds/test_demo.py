"""The invented company and the tour: nothing is applied wrongly, on any day, and the tour leaves what it says."""

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from arsync.core.decisions import Verdict
from arsync.simulators.world import World
from arsync.sync.run import dry_run
from tests.worlds.pages import served_again
from tests.worlds.standing import clock_of, furnish, job_in, stand

CERTAIN = {
    "one invoice by number",
    "several by list",
    "whole balance",
    "one invoice by amount",
    "discount in time",
    "credit memo named",
    "credit memo not named",
    "small difference",
    "a parent for its branches",
    "another name, with number",
    "look-alikes, with number",
}
PERSONS = {
    "three invoices, a credit memo, short",
    "part payment",
    "over-payment",
    "paid in advance",
    "another name, no number",
    "customer unknown",
    "look-alikes, no number",
    "sent twice",
    "discount too late",
    "returned payment",
    "no receivable",
    "beside an unreadable amount",
}


def told_apart(world: World, decided) -> list[tuple]:
    """Each receipt's case beside its truth; equal lines are given out in order."""
    truths = defaultdict(list)
    for truth in world.truths:
        truths[truth.on, truth.cents].append(truth)
    return [(case, truths[case.receipt.on, case.receipt.amount_minor].pop(0)) for case in decided.cases]


def wrong(case, truth, numbers) -> str:
    """What is wrong with a decision that acts by itself; empty if nothing is."""
    decision = case.decision
    if decision.verdict is Verdict.LINK:
        return "" if truth.booked else "linked, but nobody has booked it"
    if decision.verdict is Verdict.NOT_OURS:
        return "called no receivable, but it is one" if truth.receivable else ""
    if decision.verdict is not Verdict.APPLY:
        return ""
    did = Counter({numbers[s.item_id]: s.settled_minor for s in decision.explanation.shares})
    return "" if did == Counter(dict(truth.settles)) else f"applied {dict(did)}, owed {dict(truth.settles)}"


DAYS = [
    pytest.param(date(2026, 11, 22), 1, id="a Sunday"),
    pytest.param(date(2026, 2, 28), 2, id="the last of February", marks=pytest.mark.slow),
    pytest.param(date(2027, 1, 1), 3, id="New Year", marks=pytest.mark.slow),
    pytest.param(date(2028, 2, 29), 4, id="a leap day", marks=pytest.mark.slow),
    pytest.param(date(2026, 10, 31), 5, id="a month's end", marks=pytest.mark.slow),
    *[
        pytest.param(
            date(2026, 3, 1) + timedelta(days=17 * n), 10 + n, id=f"seed {10 + n}", marks=pytest.mark.long
        )
        for n in range(20)
    ],
]


@pytest.mark.parametrize(("today", "seed"), DAYS)
def test_nothing_is_applied_wrongly_and_what_is_certain_is_applied(monkeypatch, tmp_path, today, seed):
    clock, template, folder = clock_of(today), tmp_path / "template", tmp_path / "demo"
    stand(monkeypatch, clock)
    world = furnish(template, clock, seed)
    with served_again(template, folder, clock), job_in(folder, clock) as (job, inbox):
        _, taken, proof, decided = dry_run(job, inbox)
    assert proof.state == "proven"
    numbers = {item.id: item.number for item in decided.work.snapshot.items}
    pairs = told_apart(world, decided)
    assert [(t.case, why) for case, t in pairs if (why := wrong(case, t, numbers))] == []
    acts = {Verdict.APPLY, Verdict.LINK}
    assert [
        (t, c.finding) for c, t in pairs if t.case in CERTAIN and c.decision.verdict is not Verdict.APPLY
    ] == []
    assert {t.case for c, t in pairs if c.decision.verdict in acts} == CERTAIN | {"booked already"}
    assert {t.case for c, t in pairs if c.decision.verdict not in acts} == PERSONS
    assert taken.new_lines == len(world.truths) - 1  # all but the one whose amount nobody can read
