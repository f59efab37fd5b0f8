"""QuickBooks passes the suite that every connector must pass, over real HTTP."""

import pytest

from arsync.connectors.quickbooks import QuickBooksConnector
from arsync.testing import conformance
from tests.connectors.quickbooks.bench import quickbooks_bench

pytestmark = pytest.mark.slow


class TestQuickBooks(conformance.Suite):
    connector = QuickBooksConnector
    bench = staticmethod(quickbooks_bench)
