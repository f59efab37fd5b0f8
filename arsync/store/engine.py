"""Open the store: SQLite by default, PostgreSQL by URL.

Law     SQLite runs in WAL with full synchronisation: a command is durable before its first byte leaves. A
        write transaction takes the write lock when it begins, so two writers wait for one another and never
        collide half-way.
Errors  `StoreUnusable` for a store that cannot be opened, is of another version, is locked or whose disk is
        full.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, InterfaceError, NoSuchModuleError, OperationalError

from arsync.errors import StoreUnusable

SQLITE_VERSION = sqlite3.sqlite_version
Tx = Connection  # an open transaction, for rooms that hand it on and know no SQL


class Store:
    """One database. `begin()` for writing, `read()` for a consistent look."""

    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL: `sqlite:////var/lib/arsync/arsync.db` or `postgresql+psycopg://…`."""
        self.url = url
        try:
            parsed = make_url(url)
            self.engine: Engine = create_engine(parsed, pool_pre_ping=not url.startswith("sqlite"))
        except (ArgumentError, NoSuchModuleError, ImportError) as why:
            raise StoreUnusable(
                f"the store URL cannot be used: {why}",
                where="store in arsync.toml",
                do="use sqlite:///path/arsync.db or postgresql+psycopg://user@host/database",
            ) from None
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_connect)
        event.listen(self.engine, "begin", _sqlite_begin if self.is_sqlite else _postgres_begin)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One write transaction: all of it or nothing."""
        with (
            _clear_errors(self.url),
            self.engine.connect().execution_options(arsync_write=True) as conn,
            conn.begin(),
        ):
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look; nothing may be written."""
        with _clear_errors(self.url), self.engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """A connection without an open transaction, for locks that live as long as it does."""
        with _clear_errors(self.url), self.engine.connect() as conn:
            yield conn

    def shown(self) -> str:
        """The URL without a password, for people."""
        return make_url(self.url).render_as_string()

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def revision(self) -> str | None:
        """The schema's revision; None for an empty database."""
        with self.read() as conn:
            if not inspect(conn).has_table("alembic_version"):
                return None
            found: str | None = conn.execute(text("select version_num from alembic_version")).scalar()
            return found


def _sqlite_connect(dbapi: Any, _record: Any) -> None:
    dbapi.isolation_level = None  # we begin transactions ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        dbapi.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE" if conn.get_execution_options().get("arsync_write") else "BEGIN")


def _postgres_begin(conn: Connection) -> None:
    if not conn.get_execution_options().get("arsync_write"):
        conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _operational() -> tuple[type[Exception], ...]:
    """Errors of a database that is full, locked or gone; the bulk paths speak to the drivers directly."""
    drivers: list[type[Exception]] = [OperationalError, InterfaceError, sqlite3.OperationalError]
    if "psycopg" in sys.modules:
        drivers += [sys.modules["psycopg"].OperationalError, sys.modules["psycopg"].InterfaceError]
    return tuple(drivers)


@contextmanager
def _clear_errors(url: str) -> Iterator[None]:
    try:
        yield
    except _operational() as error:
        why = str(getattr(error, "orig", error))
        if "disk is full" in why or "No space left" in why or "disk I/O error" in why:
            raise StoreUnusable(
                "the store's disk is full: nothing of this step was kept",
                where=make_url(url).render_as_string(),
                do="free some space and run again; the run carries on where it stopped",
            ) from error
        raise StoreUnusable(
            f"the store cannot be used: {why.strip()}",
            where=make_url(url).render_as_string(),
            do="check that the path or server exists and may be written; arsync doctor tells more",
        ) from error
