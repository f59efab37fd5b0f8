"""The tour on a simulated company, and the simulator served by itself.

Shape   `tour` makes an installation in a folder, serves a simulated QuickBooks to it and gives the very commands a
        person would type; it has no other way to do anything. `serve` runs the simulator until it is interrupted.
Law     everything the tour starts is stopped when it ends; what it leaves in the folder goes on working.
"""

import json
import shlex
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from arsync import config
from arsync.clock import Clock
from arsync.errors import UsageError
from arsync.output import grid
from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.quickbooks.control import books_document
from arsync.simulators.quickbooks.wire import dump_json
from arsync.simulators.statements import dollars
from arsync.simulators.world import COMPANY, Truth, World, build, build_xero
from arsync.simulators.xero import ALL_SCOPES, Switches, XeroSimulator
from arsync.simulators.xero.control import books_document as xero_document
from arsync.simulators.xero.oauth import App
from arsync.store import office, queries
from arsync.store.contents import contents
from arsync.store.engine import Store

Say = Callable[[Sequence[str] | str], None]
Command = Callable[[Sequence[str]], str]  # arguments of `arsync` -> what it prints; raises what it raises
Contents = dict[str, tuple[int, str]]

REALM = "9130347000000001"
PORT = 8800
XERO_REDIRECT = "http://localhost:8765/callback"
XERO_PORT = 8801
XERO, XERO_BOOKS, XERO_SECRET = "xero", "xero.json", "xero.secret"  # the twin's folder, and what is in it
LEDGER = "harbor-pine"
ADMIN, MANAGER, CLERK = "dana", "morgan", "casey"
BOOKS, SECRET, README, POLICY = "quickbooks.json", "quickbooks.secret", "README.txt", "policy.toml"
# A run always writes that it ran and how many calls it made; the counter counts the runs.
A_RUN_ITSELF = frozenset({"run", "meter", "counter"})
REDIRECT = "http://127.0.0.1:8765/callback"
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
    guide, twin = Guide(folder, say, arsync), Guide(folder / XERO, say, arsync)
    # A tour does not wait for a minute's calls to be over, as a run on the real platform does.
    switches = Switches(minute_limit=10_000)
    xero = XeroSimulator(seed=seed, clock=clock, state_path=twin.folder / XERO_BOOKS, switches=switches)
    xero_world = build_xero(xero, clock().date(), seed)
    with served(simulator, PORT) as url, served(xero, XERO_PORT) as xero_url:
        (folder / README).write_text(_readme(folder, url, xero_url), encoding="utf-8")
        guide.step(f"set up {folder}/ for {COMPANY}, whose QuickBooks is simulated at {url}")
        found(guide, SECRET, simulator.client_secret, _section(simulator, url, SECRET))
        unpack(guide, world)
        set_up(guide, simulator, world)
        _first_run(guide, world)
        _on_xero(guide, twin, xero, xero_world, xero_url)
        _second_run(guide, _people_decide(guide, world))
        twin.show("run")
        _reports(guide)
        unchanged = _last_run(guide, "QuickBooks", lambda: _books(simulator))
        unchanged &= _last_run(twin, "Xero", lambda: _xero_books(xero))
    say(
        [
            "",
            f"QuickBooks and Xero have been stopped. {folder}/ is yours to look at; {README} says what is what. Next:",
            *_path(),
            f"  cd {folder}",
            "  arsync queue list                 what waits for a person, largest first",
            "  arsync aging --basis document     who owes what; --as-of DATE for any past day",
            "  arsync doctor                     what is set up, what is missing",
        ]
    )
    return 0 if unchanged else 1


def serve(port: int, state: Path | None, seed: int, realm: str, say: Say, clock: Clock) -> None:
    """Serve the invented company, or the books of a state file, until interrupted."""
    try:
        simulator = QuickBooksSimulator(seed=seed, clock=clock, state_path=state)
    except ValueError as error:
        raise UsageError(str(error), do="name another file with --state, or move this one away") from error
    if realm not in simulator.companies:
        build(simulator, realm, clock().date(), seed)
    access, refresh = simulator.grant(realm)
    with _listening(simulator, port) as url:
        query = urlencode(
            {
                "client_id": simulator.client_id,
                "redirect_uri": REDIRECT,
                "response_type": "code",
                "state": "s",
            }
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
        _wait_for_a_signal()
        say("stopped")


def serve_xero(port: int, state: Path | None, seed: int, say: Say, clock: Clock) -> None:
    """Serve the invented company on Xero, or the books of a state file, until interrupted."""
    from arsync.simulators.xero.control import consent_query

    simulator = XeroSimulator(seed=seed, clock=clock, state_path=state)
    if not simulator.tenants:
        build_xero(simulator, clock().date(), seed)
        simulator.add_app("arsync", redirect_uris=(XERO_REDIRECT,))
    app, tenant = next(iter(simulator.desk.apps.values())), next(iter(simulator.tenants.values()))
    tokens = simulator.grant(app, tenant.organisation.id)
    with _listening(simulator, port) as url:
        say(
            [
                f"Xero, simulated: {tenant.organisation.name}, tenant {tenant.organisation.id}, at {url}",
                f"  pages of the books   {url}/_control/books/{tenant.organisation.id}?page=1",
                f"  sign in              {url}/identity/connect/authorize?{consent_query(app)}",
                f"  token, API           {url}/connect/token {url}/api.xro/2.0",
                f"  client id, secret    {app.client_id} {app.client_secret}",
                f"  access token         {tokens['access_token']}",
                f"  refresh token        {tokens['refresh_token']}",
                f"  state                {state or 'not kept: say --state FILE'}",
                "stop with Ctrl-C",
            ]
        )
        _wait_for_a_signal()
        say("stopped")


def _wait_for_a_signal() -> None:
    # Said explicitly: who is started in the background has interrupts ignored; a service stops by SIGTERM.
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


# ---- what the tour stands on


@dataclass(frozen=True, slots=True)
class Guide:
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

    def told(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON has any shape
        """What a command answers to a program."""
        return json.loads(self.quietly(*arguments, "--json"))

    def show(
        self, *arguments: str, who: str = "", keep: tuple[int, int] | None = None, until: str = ""
    ) -> str:
        """Give a command and show it; of a long answer `keep` lines first and last, or all `until` a line begins so."""
        named = ("--as", who) if who else ()
        self.say(f"$ {shlex.join(('arsync', *named, *arguments))}")
        output = self.quietly(*self._placed(arguments), who=who or ADMIN)
        self.say(_shortened(output.rstrip("\n").split("\n"), keep, until))
        return output

    def _placed(self, arguments: Sequence[str]) -> list[str]:
        """The tour shows commands as they are given inside the folder."""
        files = (POLICY, "aging.xlsx", "forecast.csv")
        return [str(self.folder / one) if one in files else one for one in arguments]


def _shortened(lines: list[str], keep: tuple[int, int] | None, until: str) -> list[str]:
    if until:
        stop = next((n for n, line in enumerate(lines) if line.startswith(until)), len(lines))
        return "\n".join(lines[:stop]).rstrip().split("\n")
    if keep is None or len(lines) <= sum(keep) + (1 if keep[1] else 0):
        return lines
    first, last = keep
    left_out = [f"  ... {len(lines) - first - last} more lines"] if last else []
    return [*lines[:first], *left_out, *lines[len(lines) - last :]]


def _make_room(folder: Path) -> None:
    """An empty folder; a former demo is replaced, anything else is left alone."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / BOOKS).is_file() or not (folder / README).is_file():
            raise UsageError(
                "the folder is not empty and not a former demo",
                where=str(folder),
                do="choose another with --folder",
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _path() -> list[str]:
    """How to find the command, where the shell does not find it by itself."""
    return [] if shutil.which("arsync") else [f'  export PATH="{Path(sys.executable).parent}:$PATH"']


@contextmanager
def served(simulator: "Served", port: int) -> Iterator[str]:
    """Serve at this port; where it is taken, at any that is free."""
    try:
        url = simulator.start(port)
    except OSError:
        url = simulator.start(0)
    try:
        yield url
    finally:
        simulator.stop()


class Served(Protocol):
    """A simulator that listens."""

    def start(self, port: int = 0) -> str:
        """Listen; the address."""

    def stop(self) -> None:
        """Stop."""


@contextmanager
def _listening(simulator: Served, port: int) -> Iterator[str]:
    """Serve at this port and no other."""
    try:
        url = simulator.start(port)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used: {error.strerror}",
            do="stop what uses it, or choose another with --port",
        ) from error
    try:
        yield url
    finally:
        simulator.stop()


def _xero_section(app: App, url: str) -> str:
    """The simulated Xero in `arsync.toml`."""
    return (
        "[xero]\n"
        f'client_id = "{app.client_id}"\n'
        f'client_secret_file = "{XERO_SECRET}"\n'
        f'base_url = "{url}"\n'
        f'token_url = "{url}/connect/token"\n'
        f'authorize_url = "{url}/identity/connect/authorize"\n'
        f'revoke_url = "{url}/connect/revocation"\n'
    )


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


def found(guide: Guide, file_name: str, app_secret: str, section: str) -> None:
    """Make the installation; its addresses, id and secret stand where a person would write the real ones."""
    guide.arsync(("init", str(guide.folder), "--admin", ADMIN))
    secret = guide.folder / file_name
    secret.write_text(app_secret + "\n", encoding="utf-8")
    secret.chmod(0o600)
    file = guide.folder / config.FILE
    written = file.read_text(encoding="utf-8").partition("[quickbooks]")[0]
    file.write_text(written + section, encoding="utf-8")


def unpack(guide: Guide, world: World) -> None:
    """Put bank files, the lockbox's profile and the policy into the folder."""
    _put(guide.folder / "profiles" / "lockbox.toml", world.profile.encode())
    for one in world.files:
        _put(guide.folder / "inbox" / one.path, one.data)
    _put(guide.folder / POLICY, _policy(world).encode())


def set_up(guide: Guide, simulator: QuickBooksSimulator, world: World) -> None:
    """What people do once: sign in, name each other and the bank accounts, agree on a policy and a mode."""
    back = f"{REDIRECT}?{urlencode({'code': simulator.tokens.new_code(REALM, REDIRECT), 'realmId': REALM})}"
    guide.quietly("connect", "quickbooks", "--ledger", LEDGER, "--redirected", back)
    _agree(guide, world)
    guide.say(
        [
            f"people: {ADMIN} (admin), {MANAGER} (manager), {CLERK} (clerk); bank files: {len(world.files)}",
            f"policy: proposed by {ADMIN}, approved by {MANAGER}, who has also set the ledger to auto",
        ]
    )


def _agree(guide: Guide, world: World) -> None:
    """People name each other and the bank accounts, agree on a policy and a mode."""
    guide.quietly("people", "add", MANAGER, "--role", "manager")
    guide.quietly("people", "add", CLERK, "--role", "clerk")
    for account in world.accounts:
        profile = ("--profile", account.profile) if account.profile else ()
        guide.quietly("bank", "add", account.name, "--identifier", account.identifier, *profile)
    guide.quietly("policy", "apply", str(guide.folder / POLICY), who=ADMIN)
    guide.quietly("policy", "approve", "2", who=MANAGER)
    guide.quietly("ledger", "mode", "auto", who=MANAGER)


def set_up_xero(guide: Guide, simulator: XeroSimulator, world: World, url: str) -> None:
    """The same for the twin on Xero; there each bank account names the account of the books it is."""
    [tenant] = simulator.tenants.values()
    app = simulator.add_app("arsync", redirect_uris=(XERO_REDIRECT,))
    grant = simulator.desk.consent(app, (tenant.organisation.id,), ALL_SCOPES, user=ADMIN)
    back = f"{XERO_REDIRECT}?{urlencode({'code': simulator.desk.new_code(grant, XERO_REDIRECT)})}"
    found(guide, XERO_SECRET, app.client_secret, _xero_section(app, url))
    unpack(guide, world)
    guide.quietly("connect", "xero", "--ledger", f"{LEDGER}-xero", "--redirected", back)
    _agree(guide, world)
    guide.quietly("pull")
    for account in world.accounts:
        guide.quietly("bank", "map", account.name, "--deposit-account", tenant.books.bank())


def _put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _policy(world: World) -> str:
    """What arsync may do here by itself; adjustments are booked with the products of these books."""
    usual = world.products.get("General Expenses", "")
    discount, loss = (world.products.get(name, usual) for name in ("Cash discount", "Write-off"))
    return (
        '[match]\nautomatic = ["reference", "remittance", "one item", "balance"]\n\n'
        '[match.small_difference]\nUSD = "1.00"\n\n'
        '[write_off]\nUSD = "25.00"\n\n'
        "[adjustments]  # the product carries the account\n"
        f'"cash discount" = {{ product = "{discount}" }}\n'
        f'"small difference" = {{ product = "{loss}" }}\n'
        f'"write-off" = {{ product = "{loss}" }}\n\n'
        "[quality]\none_in = 0  # the tour is too short to draw a sample from\n"
    )


def _first_run(guide: Guide, world: World) -> None:
    guide.step("pull the books, read the bank files, match, apply what is certain, write it back, prove it")
    guide.show("reconcile", until="next:")
    guide.step("three that were applied, and why")
    guide.show("show", f"R-{_receipt(guide, world, 'discount in time')}", until="history")
    for case in ("one invoice by amount", "credit memo named"):
        guide.show("show", f"D-{_decision(guide, world, case)}", until="suggestion")
    guide.step("one that waits for a person, with what speaks for and against it")
    guide.show("queue", "show", f"Q-{_queued(guide, world, _SHORT_PAY)}", until="history")


def _on_xero(guide: Guide, twin: Guide, simulator: XeroSimulator, world: World, url: str) -> None:
    """The same company, its customers and receipts, on the other platform; what became of them, side by side."""
    guide.step(f"the same company on Xero, simulated at {url}; in {twin.folder}/, side by side")
    set_up_xero(twin, simulator, world, url)
    twin.show("reconcile", until="in the queue")
    here, there = _became(guide), _became(twin)
    rows = [(name, here.get(name, 0), there.get(name, 0)) for name in sorted({*here, *there})]
    guide.say(["", *grid(("of the same receipts", "QuickBooks", "Xero"), rows)])
    guide.say(
        "(Xero knows no parent companies and no discount terms: what rested on them waits for a person.)"
    )


def _became(guide: Guide) -> Counter[str]:
    """Receipts of an installation, by what became of them."""
    with _store(guide) as store, store.read() as conn:
        rows = queries.receipts(conn, office.find_ledger(conn, None).id)
    return Counter(row.state for row in rows)


def _people_decide(guide: Guide, world: World) -> list[str]:
    """A clerk's two decisions; their numbers, like `D-38`."""
    guide.step(f"{CLERK}, a clerk, accepts one suggestion and applies one by hand")
    accepted = guide.show(
        "queue", "accept", f"Q-{_queued(guide, world, _OTHER_NAME)}", who=CLERK, keep=(1, 0)
    )
    items = [f"--item={number}={dollars(cents)}" for number, cents in _truth(world, _SHORT_PAY).settles]
    applied = guide.show(
        "queue", "apply", f"Q-{_queued(guide, world, _SHORT_PAY)}", *items, who=CLERK, keep=(1, 0)
    )
    return [text.partition(":")[0] for text in (accepted, applied)]


def _second_run(guide: Guide, decided: Sequence[str]) -> None:
    guide.step(
        "the next run (as systemd or cron would start it) writes both, reads them back and proves the books"
    )
    guide.show("run")
    guide.show("show", decided[-1], until="suggestion")
    guide.show("proof", "show")


def _reports(guide: Guide) -> None:
    guide.step("what is owed, how old it is, and the cash to come")
    guide.show("aging", keep=(9, 0))
    guide.show("forecast", "--weeks", "6", keep=(10, 0))
    for name in ("aging.xlsx", "forecast.csv"):
        guide.show("export", name, keep=(1, 0))
    guide.step("whether the record holds, and whether a decision can be made again from it")
    guide.show("audit", "verify")
    guide.show("audit", "replay", "D-1")


def _last_run(guide: Guide, platform: str, books: Callable[[], str]) -> bool:
    """Run again with nothing new; compare everything, here and in the books, with what it was before."""
    guide.step(f"once more on {platform}: a run with nothing new changes nothing, anywhere")
    store_before, books_before = contents_of(guide), books()
    guide.show("run")
    store_after, books_after = contents_of(guide), books()
    changed = {name for name, held in store_after.items() if store_before[name] != held} - A_RUN_ITSELF
    same_books = books_before == books_after
    guide.say(
        f"compared: {len(store_after)} tables, {sum(rows for rows, _ in store_after.values()):,} rows here: "
        + (f"CHANGED: {', '.join(sorted(changed))}" if changed else "the same, but for the run's own record")
    )
    guide.say(
        f"compared: {len(books_after):,} characters of books in {platform}: "
        + ("the same" if same_books else "CHANGED")
    )
    return same_books and not changed


def contents_of(guide: Guide) -> Contents:
    """Rows and hash of every table of the installation."""
    with _store(guide) as store, store.read() as conn:
        return contents(conn)


def _books(simulator: QuickBooksSimulator) -> str:
    """Every account, customer, transaction and journal line of the simulated books, as text."""
    with simulator.lock:
        return dump_json(books_document(simulator.companies[REALM]))


def _xero_books(simulator: XeroSimulator) -> str:
    """The same of the organisation on Xero."""
    [tenant] = simulator.tenants.values()
    with simulator.lock:
        return dump_json(xero_document(tenant))


# ---- looking things up


@contextmanager
def _store(guide: Guide) -> Iterator[Store]:
    store = Store(config.load(guide.folder / config.FILE).store)
    try:
        yield store
    finally:
        store.close()


def _truth(world: World, case: str) -> Truth:
    """The first line of a case."""
    return next(truth for truth in world.truths if truth.case == case)


def _row(guide: Guide, world: World, case: str) -> Any:  # noqa: ANN401 - a row of the store
    """The receipt of that line, as the store has it."""
    truth = _truth(world, case)
    with _store(guide) as store, store.read() as conn:
        rows = queries.receipts(conn, office.find_ledger(conn, None).id)
    return next(r for r in rows if (r.on_date, r.amount_minor) == (truth.on, truth.cents))


def _receipt(guide: Guide, world: World, case: str) -> int:
    return int(_row(guide, world, case).id)


def _decision(guide: Guide, world: World, case: str) -> int:
    return int(_row(guide, world, case).decision_id)


def _queued(guide: Guide, world: World, case: str) -> int:
    """The queue item about it."""
    subject = f"receipt:{_receipt(guide, world, case)}"
    return next(int(q["id"]) for q in guide.told("queue", "list") if q["subject"] == subject)


def _readme(folder: Path, url: str, xero_url: str) -> str:
    port, xero_port = url.rpartition(":")[2], xero_url.rpartition(":")[2]
    return f"""\
A demonstration of arsync: {COMPANY}, a company that was invented for it.

arsync.toml         the configuration; commands given in this folder find it
arsync.db           the store: books as read, bank lines, decisions, queue, events; locks beside it
arsync.key          the key that protects the stored sign-in
inbox/              what the bank sent: OFX (operating), camt.053 (wires), CSV (lockbox)
profiles/           how the lockbox writes its CSV file
{POLICY}         what arsync may do here without a person, as proposed by {ADMIN} and approved by {MANAGER}
aging.xlsx, forecast.csv    two reports, each with its manifest: rows, control totals, SHA-256
{BOOKS}     the simulated QuickBooks, as the tour left it
{SECRET}   the simulated app's secret
{XERO}/               the same company on Xero: an installation of its own, with its books in {XERO_BOOKS}

People: {ADMIN} (admin), {MANAGER} (manager), {CLERK} (clerk). Act as one of them with --as NAME.

Everything that only reads works as it is:

    cd {folder}
    arsync queue list
    arsync aging
    arsync doctor

To go on working, serve the simulated QuickBooks again (its pages: {url}/_control/), in another terminal:

    arsync simulate quickbooks --port {port} --state {BOOKS}

then, for example:

    arsync --as {CLERK} queue accept --preferred
    arsync reconcile

The same for Xero, in {XERO}/:

    arsync simulate xero --port {xero_port} --state {XERO_BOOKS}

`arsync demo` makes this folder anew.
"""
