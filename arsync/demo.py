"""The tour on a simulated company, and the simulator served by itself.

Shape   `tour` makes an installation in a folder, serves a simulated QuickBooks to it and gives the very commands a
        person would type; it has no other way to do anything. `serve` runs the simulator until it is interrupted.
Law     everything the tour starts is stopped when it ends; what it leaves in the folder goes on working.
"""

import json
import shlex
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from arsync import config
from arsync.clock import Clock
from arsync.errors import UsageError
from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.quickbooks.control import books_document
from arsync.simulators.world import COMPANY, World, build
from arsync.store import office, queries
from arsync.store.contents import contents
from arsync.store.engine import Store

Say = Callable[[Sequence[str] | str], None]
Command = Callable[[Sequence[str]], str]  # arguments of `arsync` -> what it prints; raises what it raises
Contents = dict[str, tuple[int, str]]

REALM = "9130347000000001"
PORT = 8800
LEDGER = "harbor-pine"
ADMIN, MANAGER, CLERK = "dana", "morgan", "casey"
BOOKS, SECRET, README, POLICY = "quickbooks.json", "quickbooks.secret", "README.txt", "policy.toml"
# A run always writes that it ran and how many calls it made; the counter counts the runs.
A_RUN_ITSELF = frozenset({"run", "meter", "counter"})
_REDIRECT = "http://127.0.0.1:8765/callback"
_SHORT_PAY = "three invoices, a credit memo, short"
_OTHER_NAME = "another name, no number"


def tour(folder: Path, seed: int, say: Say, arsync: Command, clock: Clock) -> int:
    """Two minutes: pull, match, decide, queue, write, prove, report; then a run that changes nothing.

    Args:
        folder: where the installation goes; a former demo there is replaced.
        seed: of the invented company.
        say: prints lines.
        arsync: runs a command of arsync in this process.
        clock: the time, of the installation and of the simulated platform.

    Returns:
        The exit code: 0, or 1 if the last run changed anything.
    """
    _make_room(folder)
    simulator = QuickBooksSimulator(seed=seed, clock=clock, state_path=folder / BOOKS)
    world = build(simulator, REALM, clock().date(), seed)
    guide = _Guide(folder, say, arsync)
    with _served(simulator, PORT) as url:
        (folder / README).write_text(_readme(folder, url), encoding="utf-8")
        _set_up(guide, simulator, world, url)
        _first_run(guide, world)
        _people_decide(guide, world)
        _second_run(guide, simulator)
        _reports(guide)
        unchanged = _third_run(guide, simulator)
    say(
        [
            "",
            f"{folder}/ is yours to look at ({README} says what is what; the simulated QuickBooks has been stopped). Next:",
            f"  cd {folder}",
            "  arsync queue list                 what waits for a person, largest first",
            "  arsync queue show Q-1             one of them: suggestions, and what speaks for and against each",
            "  arsync aging --basis document     who owes what; --as-of DATE for any past day",
            "  arsync doctor                     what is set up, what is missing",
        ]
    )
    return 0 if unchanged else 1


def serve(port: int, state: Path | None, seed: int, realm: str, say: Say, clock: Clock) -> None:
    """Serve the invented company, or the books of a state file, until interrupted."""
    simulator = QuickBooksSimulator(seed=seed, clock=clock, state_path=state)
    if realm not in simulator.companies:
        build(simulator, realm, clock().date(), seed)
    access, refresh = simulator.grant(realm)
    with _listening(simulator, port) as url:
        query = urlencode(
            {"client_id": simulator.client_id, "redirect_uri": _REDIRECT, "response_type": "code", "state": "s"}
        )
        say(
            [
                f"QuickBooks, simulated: {simulator.companies[realm].settings.name}, realm {realm}, at {url}",
                f"  pages of the books   {url}/_control/books/{realm}?page=1",
                f"  sign in              {url}/connect/oauth2?{query}",
                f"  client id, secret    {simulator.client_id} {simulator.client_secret}",
                f"  access token         {access}",
                f"  refresh token        {refresh}",
                f"  state                {state or 'not kept: say --state FILE'}",
                "for arsync.toml:",
                *(f"  {line}" for line in _section(simulator, url, SECRET).splitlines()),
                "stop with Ctrl-C",
            ]
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("stopped")


# ---- what the tour stands on


@dataclass(frozen=True, slots=True)
class _Guide:
    """Gives commands and shows them."""

    folder: Path
    say: Say
    arsync: Command

    def step(self, text: str) -> None:
        """A new chapter."""
        self.say(["", f"== {text}"])

    def quietly(self, *arguments: str, who: str = ADMIN) -> str:
        """Give a command; its output."""
        return self.arsync(("--config", str(self.folder / config.FILE), "--as", who, *arguments))

    def told(self, *arguments: str) -> Any:
        """What a command answers to a program."""
        return json.loads(self.quietly(*arguments, "--json"))

    def show(self, *arguments: str, who: str = "", keep: tuple[int, int] | None = None) -> str:
        """Give a command and show it; `keep` is how many lines of a long answer are shown, first and last."""
        named = ("--as", who) if who else ()
        self.say(f"$ {shlex.join(('arsync', *named, *arguments))}")
        output = self.quietly(*arguments, who=who or ADMIN)
        self.say(_shortened(output.rstrip("\n").split("\n"), keep))
        return output


def _shortened(lines: list[str], keep: tuple[int, int] | None) -> list[str]:
    if keep is None or len(lines) <= sum(keep) + 1:
        return lines
    first, last = keep
    left_out = len(lines) - first - last
    return [*lines[:first], f"  ... {left_out} more lines", *lines[len(lines) - last :]]


def _make_room(folder: Path) -> None:
    """An empty folder; a former demo is replaced, anything else is left alone."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / BOOKS).is_file() or not (folder / README).is_file():
            raise UsageError(
                "the folder is not empty and not a former demo", where=str(folder), do="choose another with --folder"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _served(simulator: QuickBooksSimulator, port: int) -> Iterator[str]:
    """Serve at this port; where it is taken, at any that is free."""
    try:
        url = simulator.start(port)
    except OSError:
        url = simulator.start(0)
    try:
        yield url
    finally:
        simulator.stop()


@contextmanager
def _listening(simulator: QuickBooksSimulator, port: int) -> Iterator[str]:
    """Serve at this port and no other."""
    try:
        url = simulator.start(port)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used: {error.strerror}", do="stop what uses it, or choose another with --port"
        ) from error
    try:
        yield url
    finally:
        simulator.stop()


def _section(simulator: QuickBooksSimulator, url: str, secret_file: str) -> str:
    """The simulator in `arsync.toml`."""
    return (
        "[quickbooks]\n"
        f'client_id = "{simulator.client_id}"\n'
        f'client_secret_file = "{secret_file}"\n'
        f'base_url = "{url}"\n'
        f'token_url = "{url}/oauth2/v1/tokens/bearer"\n'
        f'authorize_url = "{url}/connect/oauth2"\n'
    )


# ---- the chapters


def _set_up(guide: _Guide, simulator: QuickBooksSimulator, world: World, url: str) -> None:
    """An installation as a person makes one: init, sign in, people, bank accounts, policy, mode."""
    guide.step(f"set up {guide.folder}/ for {COMPANY}, whose QuickBooks is simulated at {url}")
    guide.arsync(("init", str(guide.folder), "--admin", ADMIN))
    secret = guide.folder / SECRET
    secret.write_text(simulator.client_secret + "\n", encoding="utf-8")
    secret.chmod(0o600)
    file = guide.folder / config.FILE
    written = file.read_text(encoding="utf-8").partition("[quickbooks]")[0]
    file.write_text(written + _section(simulator, url, SECRET), encoding="utf-8")
    code = simulator.tokens.new_code(REALM, _REDIRECT)
    back = f"{_REDIRECT}?{urlencode({'code': code, 'realmId': REALM})}"
    guide.quietly("connect", "quickbooks", "--ledger", LEDGER, "--redirected", back)
    guide.quietly("people", "add", MANAGER, "--role", "manager")
    guide.quietly("people", "add", CLERK, "--role", "clerk")
    for account in world.accounts:
        profile = ("--profile", account.profile) if account.profile else ()
        guide.quietly("bank", "add", account.name, "--identifier", account.identifier, *profile)
    _put(guide.folder / "profiles" / "lockbox.toml", world.profile.encode())
    for one in world.files:
        _put(guide.folder / "inbox" / one.path, one.data)
    _put(guide.folder / POLICY, _policy(world).encode())
    guide.say(f"{ADMIN} is admin, {MANAGER} manager, {CLERK} clerk; three bank accounts, {len(world.files)} files in the inbox")
    guide.show("policy", "apply", str(guide.folder / POLICY), who=ADMIN)
    guide.show("policy", "approve", "2", who=MANAGER)
    guide.show("ledger", "mode", "auto", who=MANAGER)


def _put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _policy(world: World) -> str:
    """What arsync may do here by itself; adjustments are booked with the products of these books."""
    discount, loss = world.products["Cash discount"], world.products["Write-off"]
    return (
        '[match]\nautomatic = ["reference", "remittance", "one item", "balance"]\n\n'
        '[match.small_difference]\nUSD = "1.00"\n\n'
        '[write_off]\nUSD = "25.00"\n\n'
        "[adjustments]  # the product carries the account\n"
        f'"cash discount" = {{ product = "{discount}" }}\n'
        f'"small difference" = {{ product = "{loss}" }}\n'
        f'"write-off" = {{ product = "{loss}" }}\n'
    )


def _first_run(guide: _Guide, world: World) -> None:
    guide.step("pull the books, read the bank files, match, apply what is certain, write it back, prove it")
    guide.show("reconcile")
    guide.step("three that were applied, and why")
    for case in ("several by list", "discount in time", "credit memo named"):
        guide.show("show", f"R-{_receipt(guide, world, case)}", keep=(12, 0))
    guide.step("what waits for a person")
    guide.show("queue", "list", keep=(9, 3))
    guide.show("queue", "show", f"Q-{_queued(guide, world, _SHORT_PAY)}")


def _people_decide(guide: _Guide, world: World) -> None:
    guide.step(f"{CLERK}, a clerk, accepts one suggestion and applies one by hand")
    guide.show("queue", "accept", f"Q-{_queued(guide, world, _OTHER_NAME)}", who=CLERK)
    truth = next(t for t in world.truths if t.case == _SHORT_PAY)
    items = [f"--item={number}={cents / 100:.2f}" for number, cents in truth.settles]
    guide.show("queue", "apply", f"Q-{_queued(guide, world, _SHORT_PAY)}", *items, who=CLERK)


def _second_run(guide: _Guide, simulator: QuickBooksSimulator) -> None:
    guide.step("the next run writes them")
    guide.show("reconcile", keep=(8, 0))


def _reports(guide: _Guide) -> None:
    guide.step("what is owed, and the cash to come")
    guide.show("aging", keep=(8, 6))
    guide.show("forecast", "--weeks", "6")
    for name in ("aging.xlsx", "forecast.csv"):
        guide.show("export", str(guide.folder / name))


def _third_run(guide: _Guide, simulator: QuickBooksSimulator) -> bool:
    return True


# ---- looking things up


def _receipt(guide: _Guide, world: World, case: str) -> int:
    """The receipt of the first line of a case."""
    truth = next(t for t in world.truths if t.case == case)
    store = Store(config.load(guide.folder / config.FILE).store)
    try:
        with store.read() as conn:
            rows = queries.receipts(conn, office.find_ledger(conn, None).id)
    finally:
        store.close()
    return next(int(r.id) for r in rows if (r.on_date, r.amount_minor) == (truth.on, truth.cents))


def _queued(guide: _Guide, world: World, case: str) -> int:
    """The queue item about the first line of a case."""
    subject = f"receipt:{_receipt(guide, world, case)}"
    return next(int(q["id"]) for q in guide.told("queue", "list") if q["subject"] == subject)


def _readme(folder: Path, url: str) -> str:
    return ""
