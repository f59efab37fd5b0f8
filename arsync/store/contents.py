"""What every table holds, as a number of rows and a hash: to see that nothing changed, and what did.

Law     two equal answers mean equal rows; the order in which rows were written does not matter.
"""

import hashlib

from sqlalchemy import Connection, select

from arsync.store.tables import metadata


def contents(conn: Connection) -> dict[str, tuple[int, str]]:
    """Rows and SHA-256 of every table, by name."""
    found = {}
    for table in metadata.sorted_tables:
        rows = sorted(repr(tuple(row)) for row in conn.execute(select(table)))
        found[table.name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found
