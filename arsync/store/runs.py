"""Runs: what each one did, and how it ended."""

import json
from typing import Any

from sqlalchemy import Connection, select

from arsync.store import bulk
from arsync.store.tables import run


def start(conn: Connection, ledger_id: int, at: str) -> int:
    """A new run; its id. A run that was cut off is marked so."""
    conn.execute(
        run.update()
        .where(run.c.ledger_id == ledger_id, run.c.ended_at.is_(None))
        .values(ended_at=at, outcome="cut off")
    )
    (run_id,) = bulk.take_ids(conn, ledger_id, "run", 1)
    conn.execute(
        run.insert().values(ledger_id=ledger_id, id=run_id, started_at=at, outcome="under way", counts="{}")
    )
    return run_id


def end(
    conn: Connection,
    ledger_id: int,
    run_id: int,
    at: str,
    outcome: str,
    counts: dict[str, Any],
    error: str | None,
) -> None:
    """Close a run."""
    conn.execute(
        run.update()
        .where(run.c.ledger_id == ledger_id, run.c.id == run_id)
        .values(ended_at=at, outcome=outcome, counts=json.dumps(counts, sort_keys=True), error=error)
    )


def latest(conn: Connection, ledger_id: int, outcome: str | None = None) -> Any | None:
    """The newest run; of those that ended so, where an outcome is named."""
    query = select(run).where(run.c.ledger_id == ledger_id).order_by(run.c.id.desc()).limit(1)
    if outcome is not None:
        query = query.where(run.c.outcome == outcome)
    return conn.execute(query).one_or_none()
