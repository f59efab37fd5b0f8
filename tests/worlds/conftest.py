"""An office to work in, on each database; furnished once, then copied."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.postgres import Server
from tests.worlds.office import START, Office, Platform, make_office, open_office, served_platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """One simulator, served for the whole session."""
    with served_platform() as made:
        yield made


@pytest.fixture(scope="session")
def sqlite_template(platform, tmp_path_factory) -> Path:
    """The folder of a furnished office on SQLite."""
    folder = tmp_path_factory.mktemp("furnished")
    made = make_office(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)
    made.house.store.close()
    return folder


@pytest.fixture(scope="session")
def postgres_templates(platform, tmp_path_factory) -> Callable[[Server], tuple[Path, str]]:
    """Makes, once per server, a furnished office on PostgreSQL: its folder and the name of its database."""
    kept: dict[int, tuple[Path, str]] = {}

    def template(server: Server) -> tuple[Path, str]:
        if id(server) not in kept:
            url = server.lasting()
            folder = tmp_path_factory.mktemp("furnished-pg")
            made = make_office(platform, url, folder)
            made.house.store.close()
            kept[id(server)] = (folder, str(make_url(url).database))
        return kept[id(server)]

    return template


@pytest.fixture
def quick_office(platform, sqlite_template, tmp_path) -> Iterator[Office]:
    """A furnished office with empty books, on SQLite."""
    folder = tmp_path / "office"
    shutil.copytree(sqlite_template, folder)
    yield from _opened(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres_16", id="postgresql 16"),
        pytest.param("postgres_18", id="postgresql 18", marks=pytest.mark.long),
    ]
)
def office(request, platform, tmp_path) -> Iterator[Office]:
    """A furnished office with empty books, on each database in turn."""
    folder = tmp_path / "office"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("sqlite_template"), folder)
        yield from _opened(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)
        return
    server: Server = request.getfixturevalue(request.param)
    template, name = request.getfixturevalue("postgres_templates")(server)
    shutil.copytree(template, folder)
    with server.database(template=name) as url:
        yield from _opened(platform, url, folder)


def _opened(platform: Platform, url: str, folder: Path) -> Iterator[Office]:
    platform.clock.now_is = START
    made = open_office(platform, url, folder)
    yield made
    made.house.store.close()
