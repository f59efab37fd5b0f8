"""The installation's own rows: ledgers, connections, bank accounts, people, policies, meters."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from arsync.clock import Clock
from arsync.core import policy as policies
from arsync.core.policy import Policy
from arsync.errors import NotFound, UsageError
from arsync.store import bulk
from arsync.store.engine import Store
from arsync.store.tables import bank_account, connection, ledger, meter, person, policy, unknown_field

Mode = Literal["observe", "propose", "auto"]
ROLES = ("clerk", "manager", "auditor", "admin")


@dataclass(frozen=True, slots=True)
class Ledger:
    """One set of books."""

    id: int
    name: str
    # short and random: part of every marker, so that two installations never take each other's writes for
    # theirs
    uid: str
    connection_id: int
    home_currency: str
    mode: Mode
    stopped: str | None
    zone: str = "UTC"  # where its day begins, as the time zone database names it

    def day_of(self, instant: datetime) -> date:
        """The day on which an instant falls for the people of these books."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def end_of(self, day: date) -> datetime:
        """The instant at which a day is over there."""
        return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts."""

    id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """An applied policy."""

    version: int
    text: str
    policy: Policy
    proposed_by: str
    approved_by: str | None
    at: str


# ---- ledgers and connections


def add_connection(conn: Connection, name: str, platform: str, settings: Mapping[str, Any], at: str) -> int:
    """A new connection; its id."""
    if conn.execute(select(connection.c.id).where(connection.c.name == name)).scalar() is not None:
        raise UsageError(f"there is a connection called {name} already", do="choose another name with --name")
    result = conn.execute(
        connection.insert()
        .values(name=name, platform=platform, settings=json.dumps(settings, sort_keys=True), created_at=at)
        .returning(connection.c.id)
    )
    return int(result.scalar_one())


def connection_row(conn: Connection, connection_id: int) -> Any:
    """The connection's row."""
    return conn.execute(select(connection).where(connection.c.id == connection_id)).one()


def connections(conn: Connection) -> list[Any]:
    """All connections."""
    return list(conn.execute(select(connection).order_by(connection.c.id)))


def set_connection(conn: Connection, connection_id: int, **values: Any) -> None:
    """Change columns of a connection: cursor, stamps, settings."""
    conn.execute(connection.update().where(connection.c.id == connection_id).values(**values))


def hear(conn: Connection, connection_ids: Iterable[int], at: str) -> None:
    """A platform says that something changed in these books: pull soon."""
    conn.execute(connection.update().where(connection.c.id.in_(list(connection_ids))).values(heard_at=at))


def unheeded(row: Any) -> bool:
    """Whether a connection's newest message waits for a pull."""
    return row.heard_at is not None and (row.heeded_at is None or row.heeded_at <= row.heard_at)


def keep_unknown(conn: Connection, connection_id: int, names: Iterable[str], at: str) -> int:
    """Remember properties a platform sent that nobody announced; how many are new."""
    rows = [(connection_id, name, at) for name in sorted(names)]
    return bulk.insert_missing(conn, unknown_field, ("connection_id", "name", "first_at"), rows)


def unknown_fields(conn: Connection, connection_id: int) -> list[Any]:
    """Such properties, with the instant each was first met."""
    query = select(unknown_field.c.name, unknown_field.c.first_at).order_by(unknown_field.c.name)
    return list(conn.execute(query.where(unknown_field.c.connection_id == connection_id)))


def add_ledger(
    conn: Connection,
    name: str,
    connection_id: int,
    currency: str,
    at: str,
    *,
    by: str,
    zone: str | None = None,
) -> Ledger:
    """A new ledger, in observe, with the default policy."""
    if conn.execute(select(ledger.c.id).where(ledger.c.name == name)).scalar() is not None:
        raise UsageError(f"there is a ledger called {name} already", do="choose another name with --ledger")
    uid = secrets.token_hex(3)
    result = conn.execute(
        ledger.insert()
        .values(
            name=name,
            uid=uid,
            connection_id=connection_id,
            home_currency=currency,
            mode="observe",
            stopped=None,
            created_at=at,
            zone=zone,
        )
        .returning(ledger.c.id)
    )
    made = find_ledger(conn, name)
    assert made.id == result.scalar_one()
    add_policy(conn, made.id, policies.DEFAULT_TEXT, at, proposed_by=by, approved_by=by)
    return made


def find_ledger(conn: Connection, name: str | None) -> Ledger:
    """The ledger of that name; without a name, the only one."""
    query = select(ledger)
    rows = conn.execute(query.where(ledger.c.name == name) if name else query.order_by(ledger.c.id)).all()
    names = ", ".join(conn.execute(select(ledger.c.name).order_by(ledger.c.id)).scalars())
    if not rows and not name:
        raise NotFound("there is no ledger yet", do="run: arsync connect quickbooks")
    if not rows:
        raise NotFound(f"there is no ledger called {name}", do=f"choose one of: {names}")
    if len(rows) > 1:
        raise UsageError("there are several ledgers", do=f"name one with --ledger: {names}")
    return _ledger(rows[0])


def ledgers(conn: Connection) -> list[Ledger]:
    """All ledgers."""
    return [_ledger(row) for row in conn.execute(select(ledger).order_by(ledger.c.id))]


def set_ledger(conn: Connection, ledger_id: int, **values: Any) -> None:
    """Change mode, stopped or zone."""
    conn.execute(ledger.update().where(ledger.c.id == ledger_id).values(**values))


def _ledger(row: Any) -> Ledger:
    return Ledger(
        row.id,
        row.name,
        row.uid,
        row.connection_id,
        row.home_currency,
        row.mode,
        row.stopped,
        row.zone or "UTC",
    )


# ---- bank accounts


def add_bank_account(conn: Connection, values: Mapping[str, Any]) -> int:
    """A new bank account; its id."""
    taken = select(bank_account.c.name).where(
        (bank_account.c.name == values["name"])
        | (
            (bank_account.c.identifier == values["identifier"])
            & (bank_account.c.currency == values["currency"])
        )
    )
    if (name := conn.execute(taken).scalar()) is not None:
        raise UsageError(f"bank account {name} is there already", do="see: arsync bank list")
    return int(conn.execute(bank_account.insert().values(**values).returning(bank_account.c.id)).scalar_one())


# ---- people


def add_person(conn: Connection, name: str, role: str, at: str) -> Person:
    """A new person with a role."""
    if role not in ROLES:
        raise UsageError(f"{role} is not a role", do=f"choose one of: {', '.join(ROLES)}")
    if conn.execute(select(person.c.id).where(person.c.name == name)).scalar() is not None:
        raise UsageError(f"there is a person called {name} already", do="see: arsync people list")
    conn.execute(person.insert().values(name=name, role=role, active=True, created_at=at))
    return find_person(conn, name)


def find_person(conn: Connection, name: str) -> Person:
    """The active person of that name."""
    row = conn.execute(select(person).where(person.c.name == name, person.c.active.is_(True))).one_or_none()
    if row is None:
        names = ", ".join(p.name for p in people(conn)) or "nobody yet"
        raise NotFound(
            f"{name} is not known here",
            where="--as or ARSYNC_USER",
            do=f"act as one of: {names}; or an admin adds you: arsync people add NAME --role ROLE",
        )
    return Person(row.id, row.name, row.role)


def lock_person(conn: Connection, person_id: int) -> None:
    """Let nobody else act as this person until the transaction ends: what is counted of a person stays true."""
    conn.execute(select(person.c.id).where(person.c.id == person_id).with_for_update())


def people(conn: Connection) -> list[Person]:
    """All active people."""
    query = select(person).where(person.c.active.is_(True)).order_by(person.c.id)
    return [Person(row.id, row.name, row.role) for row in conn.execute(query)]


# ---- policies


def add_policy(
    conn: Connection, ledger_id: int, text: str, at: str, *, proposed_by: str, approved_by: str | None
) -> int:
    """A new version; in force once approved."""
    policies.parse(text)
    last = (
        conn.execute(select(func.max(policy.c.version)).where(policy.c.ledger_id == ledger_id)).scalar() or 0
    )
    conn.execute(
        policy.insert().values(
            ledger_id=ledger_id,
            version=last + 1,
            body=text,
            sha=hashlib.sha256(text.encode()).hexdigest(),
            proposed_by=proposed_by,
            approved_by=approved_by,
            at=at,
            approved_at=at if approved_by else None,
        )
    )
    return int(last) + 1


def policy_in_force(conn: Connection, ledger_id: int) -> PolicyVersion:
    """The newest approved version."""
    query = (
        select(policy)
        .where(policy.c.ledger_id == ledger_id, policy.c.approved_by.is_not(None))
        .order_by(policy.c.version.desc())
        .limit(1)
    )
    return _policy(conn.execute(query).one())


def policy_version(conn: Connection, ledger_id: int, version: int) -> PolicyVersion:
    """One version, approved or not."""
    row = conn.execute(
        select(policy).where(policy.c.ledger_id == ledger_id, policy.c.version == version)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no policy version {version}", do="see: arsync policy list")
    return _policy(row)


def policy_versions(conn: Connection, ledger_id: int) -> list[PolicyVersion]:
    """All versions, oldest first."""
    query = select(policy).where(policy.c.ledger_id == ledger_id).order_by(policy.c.version)
    return [_policy(row) for row in conn.execute(query)]


def approve_policy(conn: Connection, ledger_id: int, version: int, by: str, at: str) -> None:
    """Put a proposed version in force."""
    conn.execute(
        policy.update()
        .where(policy.c.ledger_id == ledger_id, policy.c.version == version)
        .values(approved_by=by, approved_at=at)
    )


def _policy(row: Any) -> PolicyVersion:
    return PolicyVersion(
        row.version,
        row.body,
        policies.parse(row.body, f"policy version {row.version}"),
        row.proposed_by,
        row.approved_by,
        row.at,
    )


# ---- meters

_MOST_UNKEPT = 20  # calls that a kill may leave uncounted


class StoredMeter:
    """The contract's meter: counts per connection and month of the clock; kept now and then, and by `keep`."""

    def __init__(self, store: Store, connection_id: int, clock: Clock) -> None:
        self._store, self._id, self._clock = store, connection_id, clock
        self._counts: dict[tuple[str, str], int] = {}  # (month, what)

    def count(self, what: str, number: int = 1) -> None:
        """Count something a platform charges or limits."""
        key = (month_of(self._clock), what)
        self._counts[key] = self._counts.get(key, 0) + number
        if sum(self._counts.values()) >= _MOST_UNKEPT:
            self.keep()

    def keep(self) -> None:
        """Add what was counted to the store's figures."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        with self._store.begin() as conn:
            rows = [(self._id, month, what, 0) for month, what in counts]
            bulk.insert_missing(conn, meter, ("connection_id", "month", "what", "count"), rows)
            for (month, what), number in counts.items():
                conn.execute(
                    meter.update()
                    .where(meter.c.connection_id == self._id, meter.c.month == month, meter.c.what == what)
                    .values(count=meter.c.count + number)
                )


class NoMeter:
    """A meter for a connection that is not there yet: signing in is not charged."""

    def count(self, what: str, number: int = 1) -> None:
        """Forget it."""


def month_of(clock: Clock) -> str:
    """The month a call made now is counted in (UTC): `2026-11`."""
    return clock().strftime("%Y-%m")


def metered(conn: Connection, connection_id: int, month: str) -> dict[str, int]:
    """This month's figures of a connection."""
    query = select(meter.c.what, meter.c.count).where(
        meter.c.connection_id == connection_id, meter.c.month == month
    )
    return {what: int(count) for what, count in conn.execute(query.order_by(meter.c.what))}
