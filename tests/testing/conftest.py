"""The tutorial's connector, installed for these tests."""

import importlib
import sys

import pytest

from tests.testing import tutorial


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Where the tutorial's package is installed."""
    return tutorial.install(tmp_path_factory.mktemp("pebble"))


@pytest.fixture(scope="session")
def pebble(site):
    """The tutorial's package, imported."""
    sys.path.insert(0, str(site))
    try:
        yield importlib.import_module("arsync_pebble")
    finally:
        sys.path.remove(str(site))


@pytest.fixture(scope="session")
def pebble_bench(pebble):
    """Its bench."""
    return importlib.import_module("arsync_pebble.bench").pebble_bench
