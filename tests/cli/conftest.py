"""A simulated platform, and an installation that knows its app."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from arsync.cli import cli
from arsync.simulators.quickbooks import QuickBooksSimulator
from tests.cli.installation import Installation


@pytest.fixture
def simulator() -> Iterator[tuple[QuickBooksSimulator, str]]:
    made = QuickBooksSimulator(clock=lambda: datetime.now(UTC))
    made.add_company("4620816365", name="Harbour & Pine, O'Brien \\ Sons' Supply")
    with made.serve() as url:
        yield made, url


@pytest.fixture
def place(tmp_path: Path, simulator) -> Installation:
    """An installation that knows its app, and is not connected yet."""
    made, url = simulator
    folder = tmp_path / "with a space"
    folder.mkdir()
    CliRunner().invoke(
        cli, ["init", str(folder), "--admin", "dana"], catch_exceptions=False, standalone_mode=False
    )
    (folder / "app.secret").write_text(made.client_secret)
    toml = folder / "arsync.toml"
    text = toml.read_text().replace('client_id = ""', f'client_id = "{made.client_id}"')
    text = text.replace('client_secret_file = ""', 'client_secret_file = "app.secret"')
    addresses = f'base_url = "{url}"\ntoken_url = "{url}/oauth2/v1/tokens/bearer"\n'
    toml.write_text(
        text
        + addresses
        + f'authorize_url = "{url}/connect/oauth2"\nrevoke_url = "{url}/v2/oauth2/tokens/revoke"\n'
    )
    return Installation(folder, made, url)
