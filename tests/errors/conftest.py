"""A simulated QuickBooks company and a store, for the errors that need one."""

import pytest

from arsync import migrations
from arsync.store.engine import Store
from tests.connectors.quickbooks.conftest import company_options, switches, world
from tests.worlds.conftest import platform, quick_office, sqlite_template

__all__ = ["company_options", "platform", "quick_office", "sqlite_template", "switches", "world"]  # fixtures


@pytest.fixture
def store(tmp_path):
    """A new store with its tables."""
    made = Store(f"sqlite:///{tmp_path / 'arsync.sqlite'}")
    migrations.upgrade(made)
    yield made
    made.close()
