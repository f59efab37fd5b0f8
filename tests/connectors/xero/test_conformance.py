"""Xero passes the suite that every connector must pass, over real HTTP."""

import pytest

from arsync.connectors.xero import XeroConnector
from arsync.testing import conformance
from tests.connectors.xero.bench import xero_bench

pytestmark = pytest.mark.slow


class TestXero(conformance.Suite):
    connector = XeroConnector
    bench = staticmethod(xero_bench)
