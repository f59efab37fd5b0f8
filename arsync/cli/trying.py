"""demo and simulate: try arsync without any account."""

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import click

from arsync.cli.common import say
from arsync.clock import utc_now


@click.command(name="demo")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default="arsync-demo", show_default=True
)
@click.option("--seed", type=int, default=1, show_default=True)
def demo_command(folder: Path, seed: int) -> int:
    """A two-minute tour: a simulated QuickBooks company and its bank, one run, a second run that changes nothing."""
    from arsync.demo import tour

    return tour(folder, seed, say, _printed, utc_now)


def _printed(arguments: Sequence[str]) -> str:
    """What a command of ours prints; it raises what the command raises."""
    from arsync.cli import cli

    page = io.TextIOWrapper(io.BytesIO(), encoding=sys.stdout.encoding, newline="\n")
    with redirect_stdout(page):
        cli.main(list(arguments), prog_name="arsync", standalone_mode=False)
    page.flush()
    page.seek(0)
    return page.read()


@click.group(name="simulate")
def simulate_command() -> None:
    """Serve a simulated platform."""


@simulate_command.command(name="quickbooks")
@click.option("--port", type=int, default=8800, show_default=True)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the books in this file over restarts.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--realm", default="9130347000000001", show_default=True)
def simulate_quickbooks(port: int, state: Path | None, seed: int, realm: str) -> None:
    """QuickBooks Online on loopback: the real SDK talks to it, a bookkeeper and faults answer to its control pages."""
    from arsync.demo import serve

    serve(port, state, seed, realm, say, utc_now)


@simulate_command.command(name="xero")
@click.option("--port", type=int, default=8801, show_default=True)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the books in this file over restarts.",
)
@click.option("--seed", type=int, default=1, show_default=True)
def simulate_xero(port: int, state: Path | None, seed: int) -> None:
    """Xero on loopback: the real SDKs talk to it, a bookkeeper and faults answer to its control pages."""
    from arsync.demo import serve_xero

    serve_xero(port, state, seed, say, utc_now)
