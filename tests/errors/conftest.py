"""A simulated QuickBooks company and a store, for the errors that need one."""

import pytest

from arsync import migrations
from arsync.store.engine import Store
from tests.connectors.quickbooks.conftest import company_options, switches, world

__all__ = ["company_options", "switches", "world"]  # fixtures


@pytest.fixture
def store(tmp_path):
    """A new store with its tables."""
    made = Store(f"sqlite:///{tmp_path / 'arsync.sqlite'}")
    migrations.upgrade(made)
    yield made
    made.close()
