"""The schema's history. `upgrade` brings a store to the newest revision; `check` refuses one of another revision.

A version imports nothing of ours, so that an old version still means what it meant.
"""

from pathlib import Path

from arsync.errors import StoreUnusable
from arsync.store.engine import Store

HEAD = "0012"


def upgrade(store: Store, to: str = HEAD) -> None:
    """Create or bring up to date the schema, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with store.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, to)


def check(store: Store) -> None:
    """Refuse a store of another revision.

    Raises:
        StoreUnusable: it was never set up, or belongs to an older or newer arsync.
    """
    found = store.revision()
    if found == HEAD:
        return
    if found is None:
        raise StoreUnusable("the store has not been set up", where=store.shown(), do="run: arsync init")
    what = "an older" if found < HEAD else "a newer"
    do = (
        "run: arsync upgrade (after a backup)"
        if found < HEAD
        else "install the arsync that wrote it, or a newer one"
    )
    raise StoreUnusable(
        f"the store belongs to {what} arsync (revision {found}, ours {HEAD})", where=store.shown(), do=do
    )
