"""Connectors are found by their entry points."""

import pytest

from arsync.connectors import registry
from arsync.connectors.quickbooks import QuickBooksConnector
from arsync.errors import ConfigError


def test_ours_is_loaded_as_a_strangers_would_be():
    if "quickbooks" not in registry.available():
        pytest.skip("arsync is not installed: its entry points are not known")
    assert registry.load("quickbooks") is QuickBooksConnector


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match="no connector is called 'sap'") as caught:
        registry.load("sap")
    assert "use one of:" in caught.value.do
