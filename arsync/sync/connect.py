"""Connect: an installation, its people, a platform, a ledger.

Each change is made by a person who may, and is on record.
"""

import getpass
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from arsync.clock import Clock, stamp
from arsync.config import app_name
from arsync.connectors import registry
from arsync.connectors.contract import Connector, Ports, Probe, Tokens
from arsync.connectors.deliveries import Source
from arsync.connectors.pace import ProcessPaces
from arsync.errors import ConsentLost, KeyMissing, NotPermitted, PlatformBusy, PlatformRefused, UsageError
from arsync.store import audit, office, outbox
from arsync.store.engine import Store, Tx
from arsync.store.lock import locked
from arsync.store.office import Ledger, NoMeter, Person, StoredMeter
from arsync.store.vault import StoredTokens, Vault, sign_in_command
from arsync.sync.budget import budget_of
from arsync.sync.job import Job


@dataclass(frozen=True, slots=True)
class House:
    """An opened installation."""

    store: Store
    vault: Vault
    clock: Clock
    sleep: Callable[[float], None]
    secrets: Callable[[str], tuple[str, str]] = field(
        repr=False
    )  # app (see `config.app_name`) -> (client id, client secret)
    monthly_reads: Callable[[str], int] = lambda _app: 20_000  # of one connection of an app
    paces: ProcessPaces = field(
        default_factory=ProcessPaces
    )  # one a process: its ledgers share each account's limits
    sources: Callable[[Ledger], tuple[Source, ...]] = lambda _ledger: ()
    zones: Mapping[str, str] = field(default_factory=dict)  # where a ledger's day begins, by its name

    def here(self, ledger: Ledger) -> Ledger:
        """The ledger with what this installation says of it, which wins over what its platform says."""
        return replace(ledger, zone=self.zones.get(ledger.name, ledger.zone))

    def at(self) -> str:
        """Now, as the store keeps instants."""
        return stamp(self.clock())


def me(name: str | None) -> str:
    """Who acts when nobody is named: the account of the operating system."""
    return name or getpass.getuser()


def open_connector(house: House, connection_id: int) -> tuple[Connector, StoredMeter]:
    """The connector of a connection, ready to be used; nothing is asked of the platform yet."""
    with house.store.read() as conn:
        row = office.connection_row(conn, connection_id)
    connector_type = registry.load(row.platform)
    given = json.loads(row.settings)
    client_id, client_secret = house.secrets(app_name(row.platform, given.get("app", "")))
    meter = StoredMeter(house.store, connection_id, house.clock)
    ports = Ports(
        tokens=StoredTokens(house.store, house.vault, connection_id),
        meter=meter,
        now=house.clock,
        sleep=house.sleep,
        client_id=client_id,
        client_secret=client_secret,
        reconnect=sign_in_command(row.platform, row.name),
        paces=house.paces,
    )
    settings = connector_type.Settings(**given)
    return connector_type(settings, ports), meter


def add_connection(house: House, platform: str, name: str | None, settings: Any, by: Person) -> int:
    """The connection to sign in, made if there is none; its id.

    Signing in again to the same company renews the consent; the ledger stays as it is. Without a name the
    company's connection is found, or a new one is named after the platform.
    """
    _admin(by)
    given = asdict(settings)
    with house.store.begin() as conn:
        known = _same_company(conn, platform, given, settings.company)
        if known is not None and name not in (None, known.name):
            raise UsageError(
                f"this company is connected already, as {known.name}",
                do=f"sign in again: {sign_in_command(platform, known.name)}",
            )
        if known is not None:
            given |= _unsaid(settings, json.loads(known.settings))
            office.set_connection(conn, known.id, settings=json.dumps(given, sort_keys=True))
            return int(known.id)
        taken = {row.name for row in office.connections(conn)}
        if name in taken:
            raise UsageError(
                f"{name} is a connection to another company", do="give this one its own name with --name"
            )
        if name is None:
            name = platform if platform not in taken else f"{platform}-{given[settings.company]}"
        return office.add_connection(conn, name, platform, given, house.at())


def _unsaid(settings: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    """What a person chose once and says nothing of when signing in again."""
    kept = getattr(settings, "kept", ())
    usual = {one.name: one.default for one in fields(settings) if one.name in kept}
    return {name: before.get(name, was) for name, was in usual.items() if getattr(settings, name) == was}


def _same_company(conn: Tx, platform: str, given: Mapping[str, Any], field_name: str) -> Any:
    for row in office.connections(conn):
        if row.platform == platform and json.loads(row.settings).get(field_name) == given[field_name]:
            return row
    return None


def signed_in_again(house: House, ledger: Ledger, by: Person) -> None:
    """Put on record that a person renewed the consent."""
    with house.store.begin() as conn:
        audit.record(conn, ledger.id, house.at(), by.name, [audit.Entry("signed in", "ledger", {})])


def signed_in(house: House, ledger: Ledger) -> bool:
    """Whether there are tokens at all; a person who signed out on purpose is asked nothing every night."""
    with house.store.read() as conn:
        return office.connection_row(conn, ledger.connection_id).secret is not None


def reconnect(house: House, ledger: Ledger) -> str:
    """The command that signs a ledger's connection in again."""
    with house.store.read() as conn:
        row = office.connection_row(conn, ledger.connection_id)
    return sign_in_command(row.platform, row.name)


@dataclass(frozen=True, slots=True)
class Left:
    """How a sign-in was given up."""

    revoked: bool  # the platform took the consent back
    note: str  # why not, else empty
    unfinished: bool  # something was sent that is not verified yet
    back: str  # the command that signs in again


def disconnect(house: House, ledger: Ledger, by: Person, *, anyway: bool) -> Left:
    """Give the consent back and erase the tokens; the ledger keeps what it knows.

    Raises:
        PlatformBusy, PlatformRefused: the platform could not be told; nothing is erased without `anyway`.
    """
    _admin(by)
    with house.store.read() as conn:
        row = office.connection_row(conn, ledger.connection_id)
        unfinished = outbox.has_open(conn, ledger.id)
    back = sign_in_command(row.platform, row.name)
    if row.secret is None:
        return Left(revoked=False, note=f"{row.name} was not signed in", unfinished=unfinished, back=back)
    # A run at work would find its tokens gone between a write and its answer.
    with locked(house.store, f"ledger-{ledger.id}"):
        revoked, note = _revoke(house, ledger, anyway=anyway)
        StoredTokens(house.store, house.vault, ledger.connection_id).forget()
        with house.store.begin() as conn:
            body = {"told the platform": revoked, "note": note}
            audit.record(conn, ledger.id, house.at(), by.name, [audit.Entry("signed out", "ledger", body)])
    return Left(revoked=revoked, note=note, unfinished=unfinished, back=back)


def _revoke(house: House, ledger: Ledger, *, anyway: bool) -> tuple[bool, str]:
    connector, meter = open_connector(house, ledger.connection_id)
    try:
        known = connector.revoke()  # type: ignore[attr-defined]  # signing in is each platform's own
    except (PlatformBusy, PlatformRefused, KeyMissing) as error:
        if not anyway:
            raise
        return False, f"the platform was not told ({error.what}); remove arsync from the company's apps there"
    finally:
        connector.close()
        meter.keep()
    return known, "" if known else "the platform did not know this sign-in any more"


def ledger_of(house: House, connection_id: int) -> Ledger | None:
    """The ledger a connection serves already."""
    with house.store.read() as conn:
        return next((x for x in office.ledgers(conn) if x.connection_id == connection_id), None)


def add_ledger(house: House, connection_id: int, name: str | None, by: Person) -> tuple[Ledger, Probe]:
    """Look at the books behind a signed-in connection and open a ledger for them, in observe.

    Without a name it is called like the company.
    """
    _admin(by)
    connector, meter = open_connector(house, connection_id)
    try:
        probe = connector.probe()
    finally:
        connector.close()
        meter.keep()
    with house.store.begin() as conn:
        ledger = office.add_ledger(
            conn,
            name or probe.books.company,
            connection_id,
            probe.books.home_currency,
            house.at(),
            by=by.name,
            zone=probe.books.zone,
        )
        body = {
            "company": probe.books.company,
            "currency": probe.books.home_currency,
            "warnings": list(probe.warnings),
        }
        audit.record(conn, ledger.id, house.at(), by.name, [audit.Entry("ledger opened", "ledger", body)])
    return ledger, probe


@dataclass(slots=True)
class FreshTokens:
    """The contract's token store for a sign-in whose connection is not made yet: in memory, of this process alone."""

    newest: Tokens | None = field(default=None, repr=False)

    def load(self) -> Tokens:
        """What signing in gave."""
        if self.newest is None:
            raise ConsentLost("nobody has signed in yet", do="sign in first: arsync connect")
        return self.newest

    def save(self, tokens: Tokens) -> None:
        """Keep them until the connection is made."""
        self.newest = tokens

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else knows of them."""
        yield


def newcomer(house: House, platform: str, settings: Any, tokens: FreshTokens) -> Any:
    """A connector that is about to sign in; its connection is made when it has."""
    app = app_name(platform, getattr(settings, "app", ""))
    client_id, client_secret = house.secrets(app)
    ports = Ports(
        tokens, NoMeter(), house.clock, house.sleep, client_id, client_secret, f"arsync connect {platform}"
    )
    return registry.load(platform)(settings, ports)


def keep_tokens(house: House, connection_id: int, tokens: Tokens) -> None:
    """Store tokens that signing in gave."""
    StoredTokens(house.store, house.vault, connection_id).save(tokens)


def job_of(house: House, ledger: Ledger, tell: Callable[[str, str], None]) -> tuple[Job, StoredMeter]:
    """A run's job for a ledger."""
    connector, meter = open_connector(house, ledger.connection_id)
    with house.store.read() as conn:
        stops = budget_of(conn, ledger.connection_id, house.monthly_reads, house.clock).stops
    key = house.vault.signing_key()
    job = Job(
        house.store, house.here(ledger), connector, house.clock, key, tell,
        optional_reads=not stops, sources=house.sources(ledger),
    )  # fmt: skip
    return job, meter


@contextmanager
def at_work(house: House, ledger: Ledger, tell: Callable[[str, str], None]) -> Iterator[Job]:
    """A run's job; at its end the meters are kept and connections are let go, however it ended."""
    job, meter = job_of(house, ledger, tell)
    try:
        yield job
    finally:
        job.connector.close()
        meter.keep()


def _admin(by: Person) -> None:
    if by.role != "admin":
        raise NotPermitted(f"{by.name} is {by.role}; only an admin may connect a platform", do="ask an admin")
