"""Finds connectors by name: ours are found through the same entry points as a stranger's.

Source  entry point group `arsync.connectors`; the name is what people write, the value a class that fits
        `Connector`.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from arsync.connectors.contract import Connector
from arsync.errors import ConfigError

GROUP = "arsync.connectors"


def available() -> Mapping[str, EntryPoint]:
    """Every installed connector by name, not yet imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def load(name: str) -> type[Connector]:
    """The connector class of this name.

    Raises:
        ConfigError: no such connector, or it cannot be imported.
    """
    known = available()
    if name not in known:
        listed = ", ".join(known) or "none"
        raise ConfigError(f"no connector is called {name!r}", where=GROUP, do=f"use one of: {listed}")
    try:
        return cast("type[Connector]", known[name].load())
    except (ImportError, AttributeError) as error:
        where = f"{GROUP}, {known[name].value}"
        raise ConfigError(
            f"connector {name} cannot be loaded: {error}", where=where, do="install it again"
        ) from error
