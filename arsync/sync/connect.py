"""Connect: an installation, its people, a platform, a ledger.

Each change is made by a person who may, and is on record.
"""

import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from arsync.clock import Clock, stamp
from arsync.connectors import registry
from arsync.connectors.contract import Connector, Ports, Probe, Tokens
from arsync.connectors.pace import Paces
from arsync.errors import NotPermitted, UsageError
from arsync.store import audit, office
from arsync.store.engine import Store
from arsync.store.office import Ledger, Person, StoredMeter
from arsync.store.vault import StoredTokens, Vault, sign_in_command
from arsync.sync.job import Job


@dataclass(frozen=True, slots=True)
class House:
    """An opened installation."""

    store: Store
    vault: Vault
    clock: Clock
    sleep: Callable[[float], None]
    secrets: Callable[[str], tuple[str, str]] = field(repr=False)  # platform -> (client id, client secret)
    monthly_reads: int = 20_000  # of one connection
    paces: Paces = field(default_factory=Paces)  # one a process: its ledgers share each account's limits

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
    client_id, client_secret = house.secrets(row.platform)
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
    settings = connector_type.Settings(**json.loads(row.settings))
    return connector_type(settings, ports), meter


def add_connection(house: House, platform: str, name: str, settings: Any, by: Person) -> int:
    """The connection of that name to sign in, made if there is none; its id.

    Signing in again to the same company renews the consent; the ledger stays as it is.
    """
    _admin(by)
    with house.store.begin() as conn:
        row = office.find_connection(conn, name)
        if row is None:
            return office.add_connection(conn, name, platform, asdict(settings), house.at())
        before = json.loads(row.settings)
        if row.platform != platform or before.get("realm_id") != asdict(settings).get("realm_id"):
            raise UsageError(
                f"{name} is a connection to another company", do="give this one its own name with --name"
            )
        office.set_connection(conn, row.id, settings=json.dumps(asdict(settings), sort_keys=True))
        return int(row.id)


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
    probe = connector.probe()
    meter.keep()
    with house.store.begin() as conn:
        ledger = office.add_ledger(
            conn,
            name or probe.books.company,
            connection_id,
            probe.books.home_currency,
            house.at(),
            by=by.name,
        )
        body = {
            "company": probe.books.company,
            "currency": probe.books.home_currency,
            "warnings": list(probe.warnings),
        }
        audit.record(conn, ledger.id, house.at(), by.name, [audit.Entry("ledger opened", "ledger", body)])
    return ledger, probe


def keep_tokens(house: House, connection_id: int, tokens: Tokens) -> None:
    """Store tokens that signing in gave."""
    StoredTokens(house.store, house.vault, connection_id).save(tokens)


def job_of(house: House, ledger: Ledger, tell: Callable[[str, str], None]) -> tuple[Job, StoredMeter]:
    """A run's job for a ledger."""
    connector, meter = open_connector(house, ledger.connection_id)
    return Job(house.store, ledger, connector, house.clock, house.vault.signing_key(), tell), meter


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
