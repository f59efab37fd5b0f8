"""The invented company and the tour: nothing is applied wrongly, on any day, and the tour leaves what it says."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter, defaultdict
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest

from arsync import demo
from arsync.cli import trying
from arsync.config import load
from arsync.core.decisions import Verdict
from arsync.errors import UsageError
from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.world import World, build
from arsync.sync.run import dry_run
from tests.worlds.pages import SEED, TODAY, served_again
from tests.worlds.standing import clock_of, furnish, job_in, stand, toured

MOST_LINES = 145
PEOPLE = (demo.ADMIN, demo.MANAGER, demo.CLERK)

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


# ---- the tour itself


@pytest.fixture(scope="module")
def tour_taken(tmp_path_factory):
    """The folder the tour left, what it said, and its clock."""
    folder, clock = tmp_path_factory.mktemp("tour") / "arsync-demo", clock_of(TODAY)
    with pytest.MonkeyPatch.context() as patch:
        stand(patch, clock)
        said = toured(folder, clock, SEED)
    return folder, "\n".join(said).split("\n"), clock


@pytest.mark.slow
def test_the_tour_shows_everything_and_fits_a_reader(tour_taken):
    _, lines, _ = tour_taken
    assert len(lines) <= MOST_LINES
    assert max(len(line) for line in lines if "/tmp" not in line) <= 130
    shown = [line.split()[1:] for line in lines if line.startswith("$ arsync")]
    verbs = {next(word for word in words[1:] if word not in ("--as", *PEOPLE)) for words in shown}
    assert {"reconcile", "run", "show", "queue", "aging", "forecast", "export", "audit", "proof"} <= verbs
    assert any(line.startswith("QuickBooks has been stopped") for line in lines[-7:])
    assert any(line.endswith("the same, but for the run's own record") for line in lines)


@pytest.mark.slow
def test_the_tour_leaves_a_folder_in_which_reading_works(tour_taken, monkeypatch, tmp_path):
    made, _, clock = tour_taken
    folder = tmp_path / "books"
    shutil.copytree(made, folder)
    left = {path.name for path in folder.iterdir()}
    assert {"README.txt", "arsync.toml", "aging.xlsx", "forecast.csv.manifest.json", "inbox"} <= left
    stand(monkeypatch, clock)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ARSYNC_USER", demo.ADMIN)
    for line in (
        "aging",
        "unapplied",
        "forecast",
        "queue list",
        "show R-1",
        "show D-1",
        "proof show",
        "audit verify",
        "doctor",
    ):
        assert trying._printed(line.split())
    assert not [
        check for check in json.loads(trying._printed(["doctor", "--json"])) if check["state"] == "bad"
    ]
    url = urlsplit(load(folder / "arsync.toml").quickbooks.base_url)
    with pytest.raises(ConnectionRefusedError), socket.create_connection((url.hostname, url.port), 5):
        pass  # everything the tour started has been stopped


@pytest.mark.slow
def test_the_short_pay_stands_in_the_books_to_the_cent(tour_taken):
    folder, _, clock = tour_taken
    keeper = QuickBooksSimulator(clock=clock, state_path=folder / demo.BOOKS).companies[demo.REALM].books
    keeper.audit()
    world = build(QuickBooksSimulator(clock=clock), demo.REALM, TODAY, SEED)
    (truth,) = [one for one in world.truths if one.case == "three invoices, a credit memo, short"]
    documents = {d.get("DocNumber"): d for kind in ("Invoice", "CreditMemo") for d in keeper.all(kind)}
    kinds = {number: "CreditMemo" if number.startswith("CM") else "Invoice" for number, _ in truth.settles}
    (payment,) = [p for p in keeper.all("Payment") if p["TotalAmt"] * 100 == truth.cents]
    lines = {
        (line["LinkedTxn"][0]["TxnType"], line["LinkedTxn"][0]["TxnId"]): line["Amount"] * 100
        for line in payment["Line"]
    }
    assert lines == {(kinds[n], documents[n]["Id"]): abs(cents) for n, cents in truth.settles}
    assert payment["UnappliedAmt"] == 0
    left = [documents[n].get("Balance", documents[n].get("RemainingCredit")) for n, _ in truth.settles]
    assert sorted(left) == [0, 0, 0, 50]


def test_a_folder_that_is_no_former_demo_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="not empty"):
        demo.tour(tmp_path, 1, print, trying._printed, clock_of(TODAY))
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_change_behind_the_back_of_the_last_run_is_found(tmp_path, monkeypatch):
    clock = clock_of(TODAY)
    stand(monkeypatch, clock)
    furnish(tmp_path / "demo", clock, SEED)
    guide = demo.Guide(tmp_path / "demo", lambda _: None, trying._printed)
    before = demo.contents_of(guide)
    guide.quietly("people", "add", "eve", "--role", "auditor")
    after = demo.contents_of(guide)
    assert {name for name in after if after[name] != before[name]} == {"person"}


# ---- the simulator by itself


@pytest.mark.slow
def test_the_simulator_is_served_until_interrupted_and_keeps_its_books(tmp_path):
    state, command = (
        tmp_path / "books.json",
        [sys.executable, "-m", "arsync", "simulate", "quickbooks", "--port", "0"],
    )
    for _ in range(2):
        with subprocess.Popen([*command, "--state", str(state)], stdout=subprocess.PIPE, text=True) as served:
            said = []
            while not said or not said[-1].startswith("stop with"):
                said.append(served.stdout.readline())
            url = re.search(r"at (http://\S+)", said[0])[1]
            with urllib.request.urlopen(f"{url}/_control/books/{demo.REALM}") as page:
                assert len(json.load(page)["transactions"]) > 500
            served.send_signal(signal.SIGINT)
            assert served.wait(10) == 0
    assert state.stat().st_size > 100_000


def test_a_strange_state_file_is_named_and_left_alone(tmp_path):
    strange = tmp_path / "books.json"
    strange.write_text('{"format": "something else"}')
    with pytest.raises(UsageError, match="no state file") as caught:
        demo.serve(0, strange, SEED, demo.REALM, print, clock_of(TODAY))
    assert "--state" in (caught.value.do or "")
    assert strange.read_text() == '{"format": "something else"}'


@pytest.mark.slow
def test_xero_is_served_until_interrupted_and_keeps_its_books(tmp_path):
    state = tmp_path / "books.json"
    command = [sys.executable, "-m", "arsync", "simulate", "xero", "--port", "0", "--state", str(state)]
    totals = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
            said = []
            while not said or not said[-1].startswith("stop with"):
                said.append(served.stdout.readline())
            tenant, url = re.search(r"tenant (\S+), at (http://\S+)", said[0]).groups()
            with urllib.request.urlopen(f"{url}/_control/books/{tenant}") as page:
                books = json.load(page)
            served.send_signal(signal.SIGTERM)
            assert served.wait(10) == 0
        assert len(books["journal"]) > 500
        assert books["control_total"]["difference"] == 0
        totals.append(books["control_total"])
    assert totals[0] == totals[1]
