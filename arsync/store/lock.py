"""Locks that die with their holder: flock beside a SQLite file, an advisory lock on a PostgreSQL connection.

Errors  `LedgerLocked` when somebody else holds the lock and the wait is over.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from arsync.errors import LedgerLocked
from arsync.store.engine import Store

_POLL_S = 0.1


Check = Callable[[], None]
"""Raises when the lock is no longer ours; asked before anything leaves that only its holder may send."""


@contextmanager
def locked(store: Store, name: str, wait_s: float = 0.0) -> Iterator[Check]:
    """Hold the named lock, or raise `LedgerLocked` after `wait_s`."""
    if store.is_sqlite:
        with _flock(Path(f"{make_url(store.url).database}.{name}.lock"), name, wait_s) as check:
            yield check
    else:
        with _advisory(store, name, wait_s) as check:
            yield check


@contextmanager
def _flock(path: Path, name: str, wait_s: float) -> Iterator[Check]:
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    file.seek(0)
                    raise _held(name, file.read().strip()) from None
                time.sleep(_POLL_S)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        yield lambda: None  # the kernel keeps it for as long as this process lives


@contextmanager
def _advisory(store: Store, name: str, wait_s: float) -> Iterator[Check]:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with store.held() as conn:
        deadline = time.monotonic() + wait_s
        while not conn.execute(text("select pg_try_advisory_lock(:n)"), {"n": number}).scalar():
            conn.rollback()
            if time.monotonic() >= deadline:
                raise _held(name, "another session of the database")
            time.sleep(_POLL_S)
        conn.commit()

        def check() -> None:
            try:
                conn.execute(text("select 1"))
                conn.commit()
            except DBAPIError as error:
                raise LedgerLocked(
                    "the connection that held the lock is gone, and with it the lock",
                    where=f"lock {name}",
                    do="run again; what was already sent is read back first",
                ) from error

        try:
            yield check
        finally:
            try:
                conn.execute(text("select pg_advisory_unlock(:n)"), {"n": number})
                conn.commit()
            except DBAPIError:
                conn.invalidate()  # the server let go of the lock with the connection


def _held(name: str, holder: str) -> LedgerLocked:
    return LedgerLocked(
        "another run is at work on it",
        where=f"lock {name}, held by {holder}",
        do="wait until it has ended, then run again",
    )
