"""One fast load per database: SQLite by executemany, PostgreSQL by COPY or by arrays where rows may conflict.

Law     a row that is already there with the same values is not written: unchanged input writes zero rows.
Speed   measured against the raw driver in `bench/upsert.py`.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Table, bindparam, func, select

from arsync.store.tables import counter

Row = Sequence[Any]
sqlite3.register_adapter(date, cache(date.isoformat))


def upsert(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert rows or bring them up to date by primary key; the number of rows written."""
    if not rows:
        return 0
    keys = [column.name for column in table.primary_key]
    others = [name for name in columns if name not in keys]
    target = _q(conn, table.name)
    changes = ", ".join(f"{_q(conn, name)} = excluded.{_q(conn, name)}" for name in others)
    differs = " or ".join(
        f"{target}.{_q(conn, name)} is distinct from excluded.{_q(conn, name)}" for name in others
    )
    if conn.dialect.name == "sqlite":
        differs = differs.replace(" is distinct from ", " is not ")
    conflict = ", ".join(_q(conn, key) for key in keys)
    action = f"do update set {changes} where {differs}" if others else "do nothing"
    return _load(conn, table, columns, rows, f"on conflict ({conflict}) {action}")


def insert(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert new rows; a row that is already there is an error."""
    if not rows:
        return 0
    return _load(conn, table, columns, rows, "")


def insert_missing(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert rows whose key is not there yet; the number written."""
    if not rows:
        return 0
    return _load(conn, table, columns, rows, "on conflict do nothing")


def update(
    conn: Connection,
    table: Table,
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    counted: str | None = None,
) -> None:
    """Set `columns` of the rows named by `keys`, and count `counted` up; each row holds the keys first."""
    if not rows:
        return
    target, names = _quoted(conn, table, [*keys, *columns])
    named, changed = names[: len(keys)], names[len(keys) :]
    up = [f"{_q(conn, counted)} = {target}.{_q(conn, counted)} + 1"] if counted else []
    if conn.dialect.name == "sqlite":
        fits = " and ".join(f"{name} = ?{n}" for n, name in enumerate(named, 1))
        values = ", ".join([*(f"{name} = ?{n}" for n, name in enumerate(changed, len(keys) + 1)), *up])
        _execute_many(conn, f"update {target} set {values} where {fits}", rows)  # noqa: S608 - see _load
        return
    fits = " and ".join(f"{target}.{name} = given.{name}" for name in named)
    values = ", ".join([*(f"{name} = given.{name}" for name in changed), *up])
    given = _given(conn, table, [*keys, *columns])
    _execute(conn, f"update {target} set {values} from {given} where {fits}", rows)  # noqa: S608 - see _load


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


def among(conn: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """The condition `column in values`, for texts or integers.

    One parameter however many values, so that a statement is compiled once; joined, so that PostgreSQL never
    compares every row with every value, whatever its statistics say.
    """
    listed = list(values)
    if conn.dialect.name == "sqlite":
        return column.in_(select(func.json_each(json.dumps(listed)).table_valued("value").c.value))
    return column.in_(select(func.unnest(bindparam(None, listed, ARRAY(column.type)))))


def rows_by(
    conn: Connection, table: Table, columns: Sequence[str], key: str, values: Iterable[Any], **fixed: Any
) -> list[Any]:
    """Rows of `table` whose `key` is among `values` and whose `fixed` columns equal."""
    if not (wanted := list(values)):
        return []
    query = select(*(table.c[name] for name in columns)).where(among(conn, table.c[key], wanted))
    for name, value in fixed.items():
        query = query.where(table.c[name] == value)
    return list(conn.execute(query).all())


def take_ids(conn: Connection, ledger_id: int, name: str, number: int) -> range:
    """Reserve `number` ids of this ledger's counter; they count from 1 and are never used twice."""
    if number == 0:
        return range(0)
    mine = (counter.c.ledger_id == ledger_id) & (counter.c.name == name)
    take = counter.update().where(mine).values(last=counter.c.last + number).returning(counter.c.last)
    last = conn.execute(take).scalar()
    if last is None:
        insert_missing(conn, counter, ("ledger_id", "name", "last"), [(ledger_id, name, 0)])
        last = conn.execute(take).scalar_one()
    return range(last - number + 1, last + 1)


def analyze(conn: Connection, *tables: Table) -> None:
    """Tell PostgreSQL's planner how much a table has grown: it finds out by itself only a minute later."""
    if conn.dialect.name == "postgresql":
        for table in tables:
            conn.exec_driver_sql(f"analyze {_q(conn, table.name)}")


def _load(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row], conflict: str) -> int:
    target, quoted = _quoted(conn, table, columns)
    names = ", ".join(quoted)
    # Table and column names are ours, quoted; every value is a parameter.
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(quoted))
        return _execute_many(conn, f"insert into {target} ({names}) values ({marks}) {conflict}", rows)  # noqa: S608
    if conflict:
        given = _given(conn, table, columns)
        return _execute(conn, f"insert into {target} ({names}) select * from {given} {conflict}", rows)  # noqa: S608
    return _copy(conn, f"copy {target} ({names}) from stdin", rows)


def _execute_many(conn: Connection, statement: str, rows: Sequence[Row]) -> int:
    cursor = conn.connection.cursor()
    try:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)
    finally:
        cursor.close()


def _execute(conn: Connection, statement: str, rows: Sequence[Row]) -> int:
    raw: Any = conn.connection.driver_connection
    with raw.cursor() as cursor:
        cursor.execute(statement, [list(values) for values in zip(*rows, strict=True)])
        return int(cursor.rowcount)


def _copy(conn: Connection, statement: str, rows: Sequence[Row]) -> int:
    raw: Any = conn.connection.driver_connection
    with raw.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return int(cursor.rowcount)


def _given(conn: Connection, table: Table, columns: Sequence[str]) -> str:
    """Rows that arrive as one array per column."""
    arrays = ", ".join(f"%b::{table.c[name].type.compile(conn.dialect)}[]" for name in columns)
    names = ", ".join(_q(conn, name) for name in columns)
    return f"unnest({arrays}) as given ({names})"


def _q(conn: Connection, name: str) -> str:
    return conn.dialect.identifier_preparer.quote(name)


def _quoted(conn: Connection, table: Table, columns: Sequence[str]) -> tuple[str, list[str]]:
    return _q(conn, table.name), [_q(conn, name) for name in columns]
