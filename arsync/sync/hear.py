"""Hear: a platform says that something changed. A mark in the store, and nothing more."""

import json

from arsync.connectors import registry
from arsync.store import office
from arsync.sync.connect import House


def hear(house: House, platform: str, companies: frozenset[str] | None) -> int:
    """Mark the connections to these companies as changed, or all of the platform; how many there are."""
    field_name = registry.load(platform).Settings.company  # type: ignore[attr-defined]  # as the contract says
    with house.store.begin() as conn:
        ids = [
            row.id
            for row in office.connections(conn)
            if row.platform == platform
            and (companies is None or json.loads(row.settings).get(field_name) in companies)
        ]
        if ids:
            office.hear(conn, ids, house.at())
    return len(ids)
