"""One fast load per database: SQLite by executemany, PostgreSQL by COPY into a staging table.

Law     a row that is already there with the same values is not written: unchanged input writes zero rows.
Speed   measured against the raw driver in `bench/upsert.py`.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select

from arsync.store.tables import counter

Row = Sequence[Any]
sqlite3.register_adapter(date, date.isoformat)


def upsert(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert rows or bring them up to date by primary key; the number of rows written."""
    if not rows:
        return 0
    keys = [column.name for column in table.primary_key]
    others = [name for name in columns if name not in keys]
    target, quoted = _quoted(conn, table, columns)
    changes = ", ".join(f"{_q(conn, name)} = excluded.{_q(conn, name)}" for name in others)
    differs = " or ".join(
        f"{target}.{_q(conn, name)} is distinct from excluded.{_q(conn, name)}" for name in others
    )
    if conn.dialect.name == "sqlite":
        differs = differs.replace(" is distinct from ", " is not ")
    conflict = ", ".join(_q(conn, key) for key in keys)
    action = f"do update set {changes} where {differs}" if others else "do nothing"
    return _load(conn, target, quoted, rows, f"on conflict ({conflict}) {action}")


def insert(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert new rows; a row that is already there is an error."""
    if not rows:
        return 0
    target, quoted = _quoted(conn, table, columns)
    return _load(conn, target, quoted, rows, "")


def insert_missing(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert rows whose key is not there yet; the number written."""
    if not rows:
        return 0
    target, quoted = _quoted(conn, table, columns)
    return _load(conn, target, quoted, rows, "on conflict do nothing")


def update(
    conn: Connection, table: Table, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Set `columns` of the rows named by `keys`; each row holds the keys first."""
    if not rows:
        return
    names = [*keys, *columns]
    statement = table.update().values({name: bindparam(f"v_{name}") for name in columns})
    for key in keys:
        statement = statement.where(table.c[key] == bindparam(f"v_{key}"))
    conn.execute(statement, [{f"v_{n}": v for n, v in zip(names, row, strict=True)} for row in rows])


def chunks(values: Iterable[Any], size: int = 500) -> Iterable[list[Any]]:
    """Lists of at most `size`, small enough for an IN clause on both databases."""
    batch: list[Any] = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def take_ids(conn: Connection, ledger_id: int, name: str, number: int) -> range:
    """Reserve `number` ids of this ledger's counter; they count from 1 and are never used twice."""
    if number == 0:
        return range(0)
    insert_missing(conn, counter, ("ledger_id", "name", "last"), [(ledger_id, name, 0)])
    mine = (counter.c.ledger_id == ledger_id) & (counter.c.name == name)
    last = conn.execute(
        counter.update().where(mine).values(last=counter.c.last + number).returning(counter.c.last)
    ).scalar_one()
    return range(last - number + 1, last + 1)


def _load(conn: Connection, target: str, columns: Sequence[str], rows: Sequence[Row], conflict: str) -> int:
    names = ", ".join(columns)
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        cursor = conn.connection.cursor()
        try:
            # Table and column names are ours, quoted; every value is a parameter.
            cursor.executemany(f"insert into {target} ({names}) values ({marks}) {conflict}", rows)  # noqa: S608
            return int(cursor.rowcount)
        finally:
            cursor.close()
    return _copy(conn, target, names, rows, conflict)


def _copy(conn: Connection, target: str, names: str, rows: Sequence[Row], conflict: str) -> int:
    raw: Any = conn.connection.driver_connection
    with raw.cursor() as cursor:
        into = target
        if conflict:
            into = f"stage_{target.strip(chr(34))}"
            cursor.execute(f"create temp table if not exists {into} (like {target}) on commit delete rows")
            cursor.execute(f"truncate {into}")
        with cursor.copy(f"copy {into} ({names}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        if conflict:
            cursor.execute(f"insert into {target} ({names}) select {names} from {into} {conflict}")  # noqa: S608 - as above
        return int(cursor.rowcount)


def _q(conn: Connection, name: str) -> str:
    return conn.dialect.identifier_preparer.quote(name)


def _quoted(conn: Connection, table: Table, columns: Sequence[str]) -> tuple[str, list[str]]:
    return _q(conn, table.name), [_q(conn, name) for name in columns]


def rows_by(
    conn: Connection, table: Table, columns: Sequence[str], key: str, values: Iterable[Any], **fixed: Any
) -> list[Any]:
    """Rows of `table` whose `key` is among `values` and whose `fixed` columns equal."""
    found: list[Any] = []
    for part in chunks(values):
        query = select(*(table.c[name] for name in columns)).where(table.c[key].in_(part))
        for name, value in fixed.items():
            query = query.where(table.c[name] == value)
        found += conn.execute(query).all()
    return found
