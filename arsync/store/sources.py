"""How far each source of documents was read, and whose letters may be believed."""

from typing import Any

from sqlalchemy import Connection, select

from arsync.errors import NotFound
from arsync.store import bulk
from arsync.store.tables import known_sender, source_mark


def mark_of(conn: Connection, name: str) -> str | None:
    """Where to go on; None for a source that was never read."""
    mark = conn.execute(select(source_mark.c.mark).where(source_mark.c.name == name)).scalar()
    return None if mark is None else str(mark)


def set_mark(conn: Connection, name: str, mark: str, at: str) -> None:
    """All before this mark is kept."""
    bulk.upsert(conn, source_mark, ("name", "mark", "at"), [(name, mark, at)])


def senders(conn: Connection, ledger_id: int) -> list[Any]:
    """Senders on file, by address."""
    query = select(known_sender).where(known_sender.c.ledger_id == ledger_id)
    return list(conn.execute(query.order_by(known_sender.c.address)))


def sender(conn: Connection, ledger_id: int, address: str) -> Any | None:
    """The entry of an address, else of its whole domain; None for a stranger."""
    wanted = (address, f"@{address.rpartition('@')[2]}")
    query = select(known_sender).where(
        known_sender.c.ledger_id == ledger_id, known_sender.c.address.in_(wanted)
    )
    found = {row.address: row for row in conn.execute(query)}
    return found.get(wanted[0]) or found.get(wanted[1])


def know_sender(
    conn: Connection, ledger_id: int, address: str, customer_id: int | None, who: str, at: str
) -> None:
    """Put an address, or "@domain", on file."""
    columns = ("ledger_id", "address", "customer_id", "at", "who")
    bulk.upsert(conn, known_sender, columns, [(ledger_id, address, customer_id, at, who)])


def forget_sender(conn: Connection, ledger_id: int, address: str) -> None:
    """Take an address off the file.

    Raises:
        NotFound: it is not on it.
    """
    gone = conn.execute(
        known_sender.delete().where(known_sender.c.ledger_id == ledger_id, known_sender.c.address == address)
    )
    if not gone.rowcount:
        raise NotFound(f"{address} is not on file", do="see: arsync mail senders")
