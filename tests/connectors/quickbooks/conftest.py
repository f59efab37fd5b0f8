"""A simulated company and a connector signed in to it; both live on one clock."""

import pytest

from arsync.connectors.quickbooks import QuickBooksConnector, QuickBooksSettings
from arsync.simulators.quickbooks import QuickBooksSimulator, Switches
from tests.connectors.quickbooks.helpers import Clock, CountingMeter, MemoryTokens, Ports, World, tokens

REALM = "9130350000000001"


@pytest.fixture
def switches():
    return Switches(audit_every_write=False)


@pytest.fixture
def company_options():
    return {}


@pytest.fixture
def world(switches, company_options):
    clock = Clock()
    simulator = QuickBooksSimulator(clock=clock.now, switches=switches)
    company = simulator.add_company(REALM, name="Craig's Design", **company_options)
    access, refresh = simulator.grant(REALM)
    with simulator.serve() as url:
        store = MemoryTokens(tokens(access, refresh))
        ports = Ports(
            store, CountingMeter(), clock.now, clock.sleep, simulator.client_id, simulator.client_secret
        )
        settings = QuickBooksSettings(REALM, url, f"{url}/oauth2/v1/tokens/bearer", f"{url}/connect/oauth2")
        connector = QuickBooksConnector(settings, ports)
        yield World(simulator, company, company.books, connector, clock, store, ports, settings)
        connector.close()
