"""What the benches of speed share: databases, raw drivers, and figures that say whether they are good enough.

Shape   a bench module has `run(big) -> list[Figure]`; `python -m bench NAME` prints them as one table.
Rule    only ratios of one run are judged: what is compared takes turns, so that a busy machine hits both.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Table, make_url

from arsync import migrations
from arsync.store.engine import Store
from arsync.store.tables import raw
from tests.postgres import Server

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure and what is wanted of it; `wanted` None: for information."""

    what: str
    value: float
    unit: str
    wanted: float | None = None
    at_least: bool = True

    @property
    def verdict(self) -> str:
        """Empty, "met" or "missed"."""
        if self.wanted is None:
            return ""
        good = self.value >= self.wanted if self.at_least else self.value <= self.wanted
        return "met" if good else "missed"

    def cells(self) -> tuple[str, str, str, str]:
        """What, figure, wanted, verdict."""
        wanted = ""
        if self.wanted is not None:
            wanted = f"{'>=' if self.at_least else '<='} {_number(self.wanted)} {self.unit}".rstrip()
        return self.what, f"{_number(self.value)} {self.unit}".rstrip(), wanted, self.verdict


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def show(figures: Iterable[Figure]) -> str:
    """The figures as an aligned table."""
    rows = [("figure", "measured", "wanted", "verdict"), *(figure.cells() for figure in figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    )


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def stores(number: int) -> Iterator[Iterator[tuple[str, list[Store]]]]:
    """For SQLite, then PostgreSQL: its name and `number` empty stores at the newest revision."""
    with tempfile.TemporaryDirectory(prefix="arsync-bench-") as folder:
        yield _each(Path(folder), number)


def _each(folder: Path, number: int) -> Iterator[tuple[str, list[Store]]]:
    with _opened([f"sqlite:///{folder / f'store-{n}.sqlite'}" for n in range(number)]) as made:
        yield "SQLite", made
    server = Server.start(16)
    try:
        names = [f"bench_{n}" for n in range(number)]
        for name in names:
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        with _opened([server.url(name) for name in names]) as made:
            yield "PostgreSQL", made
    finally:
        server.stop()


@contextmanager
def _opened(urls: list[str]) -> Iterator[list[Store]]:
    made = [Store(url) for url in urls]
    for store in made:
        migrations.upgrade(store)
    yield made
    for store in made:
        store.close()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


class Driver:
    """The raw driver of a store's database: rows as they are, no SQLAlchemy."""

    def __init__(self, store: Store) -> None:
        url = make_url(store.url)
        self.is_sqlite = store.is_sqlite
        if self.is_sqlite:
            self.connection: Any = sqlite3.connect(str(url.database), isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self.connection.execute(f"PRAGMA {pragma}")
        else:
            self.connection = psycopg.connect(
                url.set(drivername="postgresql").render_as_string(hide_password=False)
            )

    def rows(self, table: Table, where: str = "true", columns: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """All columns (or these) of the rows that fit."""
        names = ", ".join(f'"{name}"' for name in columns or _names(table))
        found = self.connection.execute(f'select {names} from "{table.name}" where {where}').fetchall()
        if not self.is_sqlite:
            self.connection.rollback()
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction, durable as the product's."""
        if self.is_sqlite:
            self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.commit()

    def insert(self, table: Table, rows: Sequence[Row], columns: Sequence[str] = ()) -> None:
        """Insert rows: executemany, or COPY."""
        names = columns or _names(table)
        listed = ", ".join(f'"{name}"' for name in names)
        if self.is_sqlite:
            marks = ", ".join("?" * len(names))
            self.connection.executemany(f'insert into "{table.name}" ({listed}) values ({marks})', rows)
            return
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f'copy "{table.name}" ({listed}) from stdin') as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows, or change those that differ: executemany, or COPY beside the table and one insert."""
        names = _names(table)
        keys = [column.name for column in table.primary_key]
        listed = ", ".join(f'"{name}"' for name in names)
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
        is_other = "is not" if self.is_sqlite else "is distinct from"
        differs = " or ".join(
            f'"{table.name}"."{name}" {is_other} excluded."{name}"' for name in names if name not in keys
        )
        conflict = f"on conflict ({', '.join(keys)}) do update set {changes} where {differs}"
        if self.is_sqlite:
            marks = ", ".join("?" * len(names))
            self.connection.executemany(
                f'insert into "{table.name}" ({listed}) values ({marks}) {conflict}', rows
            )
            return
        with self.connection.cursor() as cursor:
            cursor.execute(f'create temp table given on commit drop as select * from "{table.name}" limit 0')
            with cursor.copy(f"copy given ({listed}) from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f'insert into "{table.name}" ({listed}) select {listed} from given {conflict}')
            cursor.execute("drop table given")

    def update(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Set these columns; each row ends with the id. One statement prepared once, or COPY and one update."""
        if self.is_sqlite:
            values = ", ".join(f'"{name}" = ?' for name in columns)
            self.connection.executemany(
                f'update "{table.name}" set {values} where ledger_id = 1 and id = ?', rows
            )
            return
        names = ", ".join(f'"{name}"' for name in (*columns, "id"))
        values = ", ".join(f'"{name}" = given."{name}"' for name in columns)
        with self.connection.cursor() as cursor:
            cursor.execute(
                f'create temp table given on commit drop as select {names} from "{table.name}" limit 0'
            )
            with cursor.copy(f"copy given ({names}) from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
            fits = f'"{table.name}".ledger_id = 1 and "{table.name}".id = given.id'
            cursor.execute(f'update "{table.name}" set {values} from given where {fits}')
            cursor.execute("drop table given")

    def forget_raw(self, but: set[bytes]) -> None:
        """Remove raw records that were not there at first."""
        gone = [(key,) for (key,) in self.rows(raw, columns=("sha",)) if bytes(key) not in but]
        with self.transaction(), closing(self.connection.cursor()) as cursor:
            cursor.executemany(f"delete from raw where sha = {'?' if self.is_sqlite else '%s'}", gone)

    def tidy(self) -> None:
        """What the database's own housekeeping would have done by the next day."""
        if self.is_sqlite:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        self.connection.autocommit = True
        self.connection.execute("vacuum analyze")
        self.connection.autocommit = False

    def close(self) -> None:
        """Let go."""
        self.connection.close()


def _names(table: Table) -> list[str]:
    return [column.name for column in table.c]
