"""What every test may use: databases, the shared corpus, and the rule that CI skips nothing."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import NoServer, Server

IN_CI = os.environ.get("CI") == "true"
TESTS = Path(__file__).parent
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"

_SLOW_MACHINE = [HealthCheck.too_slow]
settings.register_profile(
    "fast", max_examples=10, deadline=None, derandomize=True, suppress_health_check=_SLOW_MACHINE
)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=_SLOW_MACHINE
)
settings.register_profile(
    "long", max_examples=500, deadline=None, print_blob=True, suppress_health_check=_SLOW_MACHINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


# ---- what is left out of `make fast`

_SERVERS = {"postgres_16", "postgres_18", "pg_url"}
_SLOW_FOLDERS = {"worlds"}  # whole companies, end to end


def _needs_server(item: pytest.Item) -> bool:
    """Whether the test starts PostgreSQL: by a fixture it names, or by the case of one."""
    callspec = getattr(item, "callspec", None)
    cases = {case for case in (callspec.params.values() if callspec else ()) if isinstance(case, str)}
    return bool(_SERVERS & (cases | set(getattr(item, "fixturenames", ()))))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test on a server or on a whole company is slow, whoever wrote it; those of minutes begin first."""
    for item in items:
        if _needs_server(item) or (
            item.path.is_relative_to(TESTS) and item.path.parent.name in _SLOW_FOLDERS
        ):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


# ---- in CI a skipped test is a failed test


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped in CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


# ---- files


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The shared corpus beside the project: real bank files and recorded exchanges, never copied into it."""
    if not CORPUS.is_dir():
        pytest.skip("the shared corpus is not there: ../shared/corpus beside the project")
    return CORPUS


# ---- clients in another language

NPM_INSTALL = "npm install --prefix FOLDER --no-package-lock --no-audit --no-fund --ignore-scripts"


@pytest.fixture(scope="session")
def node_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of tests/foreign/package.json, in their pinned versions."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"node and npm are missing: install Node.js 20, then {NPM_INSTALL}")
    made = tmp_path_factory.mktemp("foreign")
    shutil.copy(TESTS / "foreign" / "package.json", made)
    command = NPM_INSTALL.replace("FOLDER", str(made)).split()
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(
            f"the packages of tests/foreign cannot be installed here: {NPM_INSTALL}\n{done.stderr[-500:]}"
        )
    return made


# ---- databases


def _server(major: int) -> Iterator[Server]:
    given = os.environ.get("ARSYNC_TEST_PG_URL")
    try:
        server = Server.existing(given) if given else Server.start(major)
    except NoServer as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_16() -> Iterator[Server]:
    """PostgreSQL 16, one server for the session (or the one of ARSYNC_TEST_PG_URL)."""
    yield from _server(16)


@pytest.fixture(scope="session")
def postgres_18() -> Iterator[Server]:
    """PostgreSQL 18, one server for the session (or the one of ARSYNC_TEST_PG_URL)."""
    yield from _server(18)


@pytest.fixture
def pg_url(postgres_16: Server) -> Iterator[str]:
    """A new, empty PostgreSQL database for this test: `postgresql+psycopg://...`."""
    with postgres_16.database() as url:
        yield url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres_16", id="postgresql 16"),
        pytest.param("postgres_18", id="postgresql 18", marks=pytest.mark.long),
    ]
)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind in turn: a SQLite file, then PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'arsync.sqlite'}"
        return
    server: Server = request.getfixturevalue(request.param)
    with server.database() as url:
        yield url
