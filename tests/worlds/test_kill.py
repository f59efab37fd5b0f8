"""Killed anywhere, arsync carries on: each payment stands in the books exactly once, and the store agrees.

A kill point is the n-th commit or the n-th socket write of a real `arsync` process that dies by SIGKILL (`killer.py`).
The points are drawn, seeded, from all that an undisturbed run passes, spread over its steps. 40 in every test run, 200
on each database in the long one, and a thousand over write-back, five in a row. Figures: docs/evidence/kill.md.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from arsync.connectors.contract import Found
from arsync.connectors.quickbooks import QuickBooksConnector
from arsync.core.policy import BookedAs
from arsync.errors import ConsentLost, LedgerLocked
from arsync.store import outbox
from arsync.store.receipts import Share
from arsync.sync import actions, connect
from tests.worlds.office import START, Line, make_office, open_office

ROOT = Path(__file__).parents[2]
WHENS = {"commit": ("before", "after"), "write": ("before", "half", "after")}
QUICK = {"sqlite": 24, "postgresql": 16}
LONG = 200


# ---- two worlds: an office that has never pulled, and one in the middle of its work


def first_books(office):
    """Books, and a bank file; nothing pulled yet."""
    term = office.keeper.create_term("2/10 net 30", 30, discount_percent=2, discount_days=10)["Id"]
    north, acme = office.customer("Northwind Traders"), office.customer("Acme Corporation")
    contoso = office.customer("Contoso Industries")
    for number, amount in (("1001", "100.00"), ("1002", "200.00"), ("1003", "300.00"), ("1004", "75.25")):
        office.invoice(north, amount, number)
    office.credit_memo(north, "50.00", "CM-7")
    office.invoice(acme, "400.00", "2001", days_ago=5, SalesTermRef={"value": term})
    office.invoice(acme, "512.34", "2002")
    office.invoice(contoso, "1000.00", "3001")
    office.statement(
        Line("400.00", "INVOICES 1001 1003", "NORTHWIND TRADERS"),
        Line("392.00", "INVOICE 2001", "ACME CORPORATION"),
        Line("1000.00", "INV 3001", "CONTOSO INDUSTRIES"),
        Line("13.37", "HELLO", "SOMEBODY ELSE"),
    )
    return acme, contoso


def first(office):
    first_books(office)
    office.mode("auto")


def later(office):
    """Decisions of clerks wait to be written, one is being undone, the books have moved, a new bank file is there."""
    acme, contoso = first_books(office)
    office.run()
    by_amount = {q.amount_minor: q.id for q in office.queue()}
    accepted = actions.accept(office.desk(), by_amount[100000])
    office.run()
    actions.undo(office.desk(), accepted.decision_id, "it was for 3002")
    parts = [office.part("Invoice:1", "100.00"), office.part("Invoice:3", "280.00", write_off="20.00")]
    actions.apply(office.desk(), by_amount[40000], parts, rest_on_account=True)
    office.mode("auto")
    office.invoice(contoso, "88.00", "3002")
    paid = office.invoice(acme, "60.00", "2003")
    office.keeper.create_payment(
        acme, "60.00", [("Invoice", paid, "60.00")], date=office.today().isoformat(), reference="2003"
    )
    office.keeper.create_deposit(straight=[(contoso, "5.00")])
    office.statement(
        Line("75.25", "INVOICE 1004", "NORTHWIND TRADERS"),
        Line("512.34", "INVOICE 2002", "ACME CORPORATION"),
        Line("60.00", "INVOICE 2003", "ACME CORPORATION"),
        Line("88.00", "INV 3002", "CONTOSO INDUSTRIES"),
        Line("150.00", "INV 1002 LESS CM-7", "NORTHWIND TRADERS"),
        Line("77.77", "NOTHING TO SEE", "A STRANGER"),
    )


def back(office):
    """All that goes back and is put right waits to be written, and the bank shows a refund and a new receipt."""
    term = office.keeper.create_term("2/10 net 30", 30, discount_percent=2, discount_days=10)["Id"]
    north, acme = office.customer("Northwind Traders"), office.customer("Acme Corporation")
    contoso = office.customer("Contoso Industries")
    gave_back = office.invoice(north, "100.00", "1001")
    office.invoice(contoso, "50.00", "1002")
    office.invoice(acme, "75.00", "1003")
    lost, used = office.invoice(north, "20.00", "1004"), office.invoice(north, "30.00", "1005")
    office.invoice(acme, "400.00", "1006", days_ago=5, SalesTermRef={"value": term})
    memo = office.credit_memo(contoso, "55.00", "CM-1")
    old = office.keeper.create_payment(north, "45.00", date="2026-09-15")["Id"]
    office.run()
    desk = office.desk()
    actions.map_bank_account(office.desk("Ada"), "main", office.keeper.account("checking"))
    asked = actions.map_adjustment(
        office.desk("Max"), "fee", BookedAs(None, account=office.keeper.account("fees"))
    )
    actions.approve_policy(office.desk("Mia"), int(asked.text.split()[2]))
    office.mode("auto")
    today = office.today()
    office.statement(
        Line("100.00", "INVOICE 1001", "NORTHWIND TRADERS", on=today),
        Line("121.00", "PAYOUT PO-1", "STRIPE", on=today),
        Line("-100.00", "RETURNED ITEM NSF", "NORTHWIND TRADERS", on=today),
    )
    office.run_until_idle()
    assert office.balance(gave_back) == 0
    waiting = {q.amount_minor: q.id for q in office.queue()}
    actions.book_return(desk, waiting[-10000])
    shares = [
        Share(5000, ("INVOICE 1002",), "CONTOSO INDUSTRIES"),
        Share(7500, ("INVOICE 1003",), "ACME CORPORATION"),
    ]
    actions.split(desk, waiting[12100], shares, 400)
    actions.write_off(desk, office.item(f"Invoice:{lost}").id, "write-off", 2000, "not worth asking")
    actions.apply_payment(desk, office.item(f"Payment:{old}").id, [office.part(f"Invoice:{used}", "30.00")])
    refund = actions.ask_refund(desk, [office.part(f"CreditMemo:{memo}", "-40.00")], "wants it back")
    actions.approve(office.desk("Max"), refund.decision_id)
    office.statement(
        Line("392.00", "INVOICE 1006", "ACME CORPORATION", on=today),
        Line("-40.00", f"TRANSFER RF-{refund.decision_id}", "CONTOSO", on=today),
        Line("13.37", "HELLO", "SOMEBODY ELSE", on=today),
    )


WORLDS = {"first": first, "later": later, "back": back}
TOML = 'store = "sqlite:///arsync.sqlite"\nkey_file = "arsync.key"\ninbox = "inbox"\n'


@dataclass(frozen=True)
class Template:
    """A world ready to be copied, how an undisturbed run ends in it, and the points it passes."""

    folder: Path
    database: str  # of PostgreSQL; "" is SQLite
    points: dict[tuple[str, str], list[int]]  # (kind, step) -> numbers
    received: Counter[str]  # what its bank files hold
    outcome: object = None


class Yard:
    """Makes templates once, and copies of them."""

    worlds = WORLDS

    def __init__(self, platform, killer, folder, server=None):
        self.platform, self.killer, self.folder, self.server = platform, killer, folder, server
        self.templates: dict[str, Template] = {}

    def template(self, world):
        if world not in self.templates:
            folder = self.folder / world
            url = f"sqlite:///{folder / 'arsync.sqlite'}"
            if self.server:
                url = self.server.lasting()
            office = self.make(url, folder)
            self.worlds[world](office)
            self.configure(office)
            self.platform.simulator.save(folder / "books.json")
            office.store.close()
            name = str(make_url(url).database) if self.server else ""
            self.templates[world] = Template(folder, name, {}, office.received)
            self.templates[world] = self._undisturbed(self.templates[world])
        return self.templates[world]

    def make(self, url, folder):
        return make_office(self.platform, url, folder)

    def open(self, url, folder):
        office = open_office(self.platform, url, folder)
        office.simulator.switches.old_refresh_grace_s = 86_400
        return office

    def configure(self, office):
        """What the command line needs beside the store."""
        (office.folder / "client.secret").write_text(office.simulator.client_secret)
        section = f'[quickbooks]\nclient_id = "{office.simulator.client_id}"\n'
        (office.folder / "arsync.toml").write_text(TOML + section + 'client_secret_file = "client.secret"\n')

    @contextmanager
    def copy(self, template):
        folder = self.folder / "work"
        shutil.copytree(template.folder, folder)
        with ExitStack() as ends:
            ends.callback(shutil.rmtree, folder)
            url = f"sqlite:///{folder / 'arsync.sqlite'}"
            if template.database:
                url = ends.enter_context(self.server.database(template=template.database))
            office = self._opened(template, folder, url)
            ends.callback(office.store.close)
            yield office

    def _opened(self, template, folder, url):
        self.platform.clock.now_is = START
        self.platform.clock.pass_days(1)
        office = self.open(url, folder)
        office.received = template.received
        return office

    def _undisturbed(self, template):
        with self.copy(template) as office:
            trace = office.folder / "trace.json"
            done = self.killer.arsync(office, "reconcile", trace=trace)
            assert done.returncode in (0, 4), done.said
            points = defaultdict(list)
            counts = {"commit": 0, "write": 0}
            for kind, step in json.loads(trace.read_text()):
                counts[kind] += 1
                points[kind, step].append(counts[kind])
            outcome = settle(office)
        return replace(template, points=dict(points), outcome=outcome)


@dataclass
class Done:
    """How a command ended."""

    returncode: int
    said: str


class Killer:
    """The process that forks commands; see `killer.py`."""

    def __init__(self):
        told = [sys.executable, str(Path(__file__).parent / "killer.py")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        for name in (
            "ARSYNC_CONFIG",
            "ARSYNC_KEY_FILE",
            "ARSYNC_INBOX",
            "ARSYNC_USER",
            "CREDENTIALS_DIRECTORY",
        ):
            environment.pop(name, None)
        self.environment = environment
        self.process = subprocess.Popen(
            told, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def arsync(self, office, *arguments, kill=None, trace=None, person="Cleo"):
        """Run the real command in a process of its own; it may die at a point."""
        out = office.folder / "said.txt"
        plan = {
            "arguments": ["--config", str(office.folder / "arsync.toml"), "--as", person, *arguments],
            "environment": {**self.environment, "ARSYNC_STORE": office.store.url},
            "now": office.clock.now().isoformat(),
            "kill": kill,
            "trace": trace and str(trace),
            "out": str(out),
        }
        office.clock.sleep(60)
        self.process.stdin.write(json.dumps(plan) + "\n")
        self.process.stdin.flush()
        return Done(int(self.process.stdout.readline()), out.read_text())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


def settle(office):
    """Run until idle; the laws; how it ended, in words that do not depend on ids."""
    office.clock.sleep(200)  # a request that many calls shared is looked up when it cannot arrive any more
    run_until_idle(office)
    office.adds_up()
    office.all_received()
    office.agrees()
    receipts = sorted((r.amount_minor, r.state, r.hands_off) for r in office.receipts())
    queue = sorted((q.reason, q.amount_minor or 0) for q in office.queue())
    return office.books_as_people_see_them(), receipts, queue


def run_until_idle(office):
    """The lock dies with its holder; a database may need a moment to notice."""
    until = time.monotonic() + 10
    while True:
        try:
            return office.run_until_idle()
        except LedgerLocked:
            assert time.monotonic() < until, "the lock outlived its holder"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def killer():
    made = Killer()
    yield made
    made.close()


@pytest.fixture(scope="session")
def sqlite_yard(platform, killer, tmp_path_factory):
    return Yard(platform, killer, tmp_path_factory.mktemp("kill"))


@pytest.fixture(scope="session")
def postgres_yard(platform, killer, tmp_path_factory, postgres_16):
    return Yard(platform, killer, tmp_path_factory.mktemp("kill-pg"), postgres_16)


FIRST = ("write", "decide", "intake", "settle", "pull")  # steps that come before the others in every round
TWICE = ("write",)


def drawn(template, number, seed):
    """Seeded points, in rounds that visit every kind and step of the run; never the same twice."""
    source = random.Random(seed)
    piles = []
    for (kind, step), numbers in sorted(template.points.items()):
        pile = [(kind, n, when) for n in numbers for when in WHENS[kind]]
        source.shuffle(pile)
        place = FIRST.index(step) if step in FIRST else len(FIRST)
        piles.append((place, source.random(), 2 if step in TWICE else 1, pile))
    points = []
    while len(points) < number and any(pile for *_, pile in piles):
        for *_, often, pile in sorted(piles):
            points += [pile.pop() for _ in range(min(often, len(pile)))]
    return points[:number]


def killed_at(yard, world, point):
    template = yard.template(world)
    with yard.copy(template) as office:
        done = yard.killer.arsync(office, "reconcile", kill=point)
        assert done.returncode == -signal.SIGKILL, (point, done)
        assert settle(office) == template.outcome, point


def points_of(database, world, number):
    """Numbers stand for points: which they are is known once the world has been made."""
    return [pytest.param(world, n, id=f"{database} {world} {n}") for n in range(number)]


def share(database, number):
    third = number // 3
    return [
        *points_of(database, "first", third),
        *points_of(database, "later", third),
        *points_of(database, "back", number - 2 * third),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("world", "number"), share("sqlite", QUICK["sqlite"]))
def test_killed_on_sqlite(sqlite_yard, world, number):
    killed_at(sqlite_yard, world, drawn(sqlite_yard.template(world), QUICK["sqlite"], 1)[number])


@pytest.mark.slow
@pytest.mark.parametrize(("world", "number"), share("postgresql", QUICK["postgresql"]))
def test_killed_on_postgresql(postgres_yard, world, number):
    killed_at(postgres_yard, world, drawn(postgres_yard.template(world), QUICK["postgresql"], 2)[number])


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("world", ["first", "later"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_everywhere(request, database, world):
    yard = request.getfixturevalue("sqlite_yard" if database == "sqlite" else "postgres_yard")
    for point in drawn(yard.template(world), LONG // 2, 3):
        killed_at(yard, world, point)


KILLS, IN_A_ROW, SEEDS = 1000, 5, 10


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_thousand_kills_while_writing_back(sqlite_yard, seed):
    """Killed again and again, also while it recovers: up to five times before it is left in peace."""
    kills = KILLS // SEEDS
    assert killed_in_rows(sqlite_yard, "back", kills, 7 + seed) < kills, "most recoveries were killed too"


def killed_in_rows(yard, world, kills, seed):
    """So many kills, up to five in a row before a copy is left in peace; how many copies it took."""
    template, source, left, chains = yard.template(world), random.Random(seed), kills, 0
    points = [
        (kind, number)
        for (kind, step), numbers in sorted(template.points.items())
        for number in numbers
        for _ in range(3 if step in ("write", "settle", "deposits", "giving_back") else 1)
    ]
    while left > 0:
        chains += 1
        met = []
        with yard.copy(template) as office:
            for _ in range(IN_A_ROW):
                kind, number = source.choice(points)
                met.append((kind, number, source.choice(WHENS[kind])))
                done = yard.killer.arsync(office, "reconcile", kill=met[-1])
                if done.returncode != -signal.SIGKILL:
                    assert done.returncode in (0, 4), (met, done.said)
                    break
                left -= 1
            assert settle(office) == template.outcome, met
    return chains


# ---- killed in the hands of a clerk


def clerk_world(office):
    """Two decisions to make: a suggestion to accept, and a payment in the books to take back."""
    _acme, contoso = first_books(office)
    office.run()
    by_amount = {q.amount_minor: q.id for q in office.queue()}
    actions.accept(office.desk(), by_amount[100000])
    office.run()
    office.invoice(contoso, "5.00", "3009")


WORLDS["clerk"] = clerk_world
ACCEPT = ("queue", "accept", "Q-{queue}")
UNDO = ("undo", "D-{decision}", "--why", "it was for 3009")


@pytest.mark.slow
@pytest.mark.parametrize("command", [pytest.param(ACCEPT, id="accept"), pytest.param(UNDO, id="undo")])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_while_a_clerk_acts(request, database, command):
    """The action is there as a whole or not at all; done again, it is done once."""
    yard = request.getfixturevalue("sqlite_yard" if database == "sqlite" else "postgres_yard")
    template = yard.template("clerk")
    ends = []
    for when in ("before", "after"):
        with yard.copy(template) as office:
            queue = next(q.id for q in office.queue() if q.amount_minor == 39200)
            (done,) = [r.decision_id for r in office.receipts() if r.state == "applied"]
            told = [word.format(queue=queue, decision=done) for word in command]
            before = office.rows()
            died = yard.killer.arsync(office, *told, kill=("commit", 1, when))
            assert died.returncode == -signal.SIGKILL, died
            assert bool(office.changed_rows(before)) == (when == "after")
            again = yard.killer.arsync(office, *told)
            assert (again.returncode == 0) == (when == "before"), again.said
            office.adds_up()
            ends.append(settle(office))
    assert ends[0] == ends[1]


@pytest.mark.slow
def test_killed_while_what_was_undone_is_taken_back(sqlite_yard):
    """After every socket write of the run that reverses, and at every commit."""
    template = sqlite_yard.template("clerk")
    ends = []
    for kind in ("write", "commit"):
        for number in range(1, 60, 2):
            with sqlite_yard.copy(template) as office:
                (done,) = [r.decision_id for r in office.receipts() if r.state == "applied"]
                actions.undo(office.desk(), done, "it was for 3009")
                died = sqlite_yard.killer.arsync(office, "reconcile", kill=(kind, number, "after"))
                ends.append(settle(office))
                assert ends[-1] == ends[0], (kind, number)
            if died.returncode != -signal.SIGKILL:
                break
        else:
            raise AssertionError(f"the run has more than {number} points of this kind")
    assert len(ends) > 10
    assert not [one for one in ends[0][0] if one[0] == "Payment"]


# ---- killed between a new refresh token and its commit


@pytest.mark.slow
def test_killed_with_the_only_valid_refresh_token_in_hand(sqlite_yard):
    """Where the platform forgets the old token at once, nobody can go on: the error says who must do what."""
    template = sqlite_yard.template("first")
    (point, *_) = template.points["commit", "sign in"]
    with sqlite_yard.copy(template) as office:
        office.simulator.switches.old_refresh_grace_s = 0
        died = sqlite_yard.killer.arsync(office, "reconcile", kill=("commit", point, "before"))
        assert died.returncode == -signal.SIGKILL
        with pytest.raises(ConsentLost) as met:
            office.run()
        assert "arsync connect" in met.value.do
        connect.keep_tokens(office.house, office.ledger.connection_id, office.new_tokens())
        assert settle(office) == template.outcome


# ---- the test can fail


def test_a_planted_violation_is_found(sqlite_yard, monkeypatch):
    """Sending again under a new key what is believed absent: two payments, and the laws say so."""
    template = sqlite_yard.template("first")
    point = next(n for n in template.points["write", "write"][1:])
    monkeypatch.setattr(QuickBooksConnector, "find", lambda _self, _call: Found("absent"))
    monkeypatch.setattr(
        outbox, "call_of", lambda row, of=outbox.call_of: replace(of(row), key=f"{row.key[:20]}-again")
    )
    with sqlite_yard.copy(template) as office:
        yes = sqlite_yard.killer.arsync(office, "reconcile", kill=("write", point, "after"))
        assert yes.returncode == -signal.SIGKILL
        time.sleep(0.5)  # the last request of the dead process is served
        with pytest.raises(AssertionError):
            assert settle(office) == template.outcome
