"""demo and simulate: try arsync without any account."""

from pathlib import Path

import click

from arsync.cli.common import say


@click.command(name="demo")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default="arsync-demo", show_default=True
)
@click.option("--seed", type=int, default=1, show_default=True)
def demo_command(folder: Path, seed: int) -> int:
    """A two-minute tour: a simulated QuickBooks company and its bank, one run, a second run that changes nothing."""
    from arsync.demo import tour

    return tour(folder, seed, say)


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

    serve(port, state, seed, realm, say)
