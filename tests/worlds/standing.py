"""The demo's installation for tests, on any day: furnished, or after the whole tour."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from arsync import demo
from arsync.cli import trying
from arsync.clock import Clock
from arsync.config import load
from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.world import World, build, build_xero
from arsync.simulators.xero import XeroSimulator
from arsync.store import office
from arsync.store.engine import Store
from arsync.store.vault import Vault
from arsync.sync import connect
from arsync.sync.connect import House
from arsync.sync.job import Job


def clock_of(today: date) -> Clock:
    """Noon of a day, and as long after it as this has run."""
    started, noon = time.monotonic(), datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12)
    return lambda: noon + timedelta(seconds=time.monotonic() - started)


def stand(monkeypatch: Any, clock: Clock) -> None:
    """Make the command line live by this clock, and the tour serve at a port that nobody else uses."""
    monkeypatch.setattr(demo, "PORT", 0)
    monkeypatch.setattr(demo, "XERO_PORT", 0)
    for module in ("arsync.cli.common", "arsync.cli.setup", "arsync.cli.trying"):
        monkeypatch.setattr(f"{module}.utc_now", clock)


def furnish(folder: Path, clock: Clock, seed: int, *, connected: bool = True) -> World:
    """Leave an installation of the demo in a folder, as before its first run; its QuickBooks is in the state file."""
    folder.mkdir(parents=True)
    simulator = QuickBooksSimulator(seed=seed, clock=clock, state_path=folder / demo.BOOKS)
    world = build(simulator, demo.REALM, clock().date(), seed)
    guide = demo.Guide(folder, lambda _: None, trying._printed)
    with demo.served(simulator, 0) as url:
        demo.found(guide, demo.SECRET, simulator.client_secret, demo._section(simulator, url, demo.SECRET))
        demo.unpack(guide, world)
        if connected:
            demo.set_up(guide, simulator, world)
    return world


def furnish_xero(folder: Path, clock: Clock, seed: int) -> World:
    """The same on Xero, right after `arsync init`, with the app's id and secret written down."""
    folder.mkdir(parents=True)
    simulator = XeroSimulator(seed=seed, clock=clock, state_path=folder / demo.XERO_BOOKS)
    world = build_xero(simulator, clock().date(), seed)
    app = simulator.add_app("arsync", redirect_uris=(demo.XERO_REDIRECT,))
    guide = demo.Guide(folder, lambda _: None, trying._printed)
    with demo.served(simulator, 0) as url:
        demo.found(guide, demo.XERO_SECRET, app.client_secret, demo._xero_section(app, url))
        demo.unpack(guide, world)
    return world


def toured(folder: Path, clock: Clock, seed: int) -> list[str]:
    """Take the whole tour; what it said."""
    said: list[str] = []
    code = demo.tour(
        folder,
        seed,
        lambda lines: said.extend([lines] if isinstance(lines, str) else lines),
        trying._printed,
        clock,
    )
    assert code == 0, said[-12:]
    return said


@contextmanager
def job_in(folder: Path, clock: Clock) -> Iterator[tuple[Job, Path]]:
    """A run's job in an installation, and its inbox."""
    conf = load(folder / "arsync.toml")
    store = Store(conf.store)
    app = (conf.quickbooks.client_id, conf.quickbooks.secret())
    house = House(store, Vault(conf.keys()), clock, time.sleep, lambda _: app)
    with store.read() as conn:
        ledger = office.find_ledger(conn, None)
    job, _ = connect.job_of(house, ledger, lambda _step, _text: None)
    yield job, conf.inbox
    job.connector.close()
    store.close()
