import os
from datetime import UTC, datetime, timedelta

import pytest

from arsync.simulators.quickbooks import QuickBooksSimulator, Switches
from arsync.simulators.xero import Switches as XeroSwitches
from arsync.simulators.xero import XeroSimulator
from tests import xsd_oracle
from tests.simulators import xero_spec
from tests.simulators.direct_api import Api
from tests.simulators.xero_api import Api as XeroApi


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, moment):
        self.moment = moment

    def __call__(self):
        return self.moment

    def advance(self, **parts):
        self.moment += timedelta(**parts)


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 2, 18, 0, tzinfo=UTC))


@pytest.fixture
def switches():
    return Switches(audit_every_write=True)


@pytest.fixture
def sim(clock, switches):
    return QuickBooksSimulator(seed=7, clock=clock, switches=switches)


@pytest.fixture
def company(sim):
    return sim.add_company("9130", name="Acme Supply", user="Pat Keeper")


@pytest.fixture
def books(company):
    return company.books


@pytest.fixture
def api(sim, company):
    return Api(sim, "9130")


@pytest.fixture
def schema_files():
    if not xsd_oracle.FOLDER.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("the shared corpus is missing")
        pytest.skip("the shared corpus is not beside the project")


# ---- Xero: every exchange of these tests is read by Xero's own specification where it lies beside the project


@pytest.fixture
def xero(clock):
    judge = xero_spec.judge if xero_spec.FOLDER.exists() else None
    simulator = XeroSimulator(seed=7, clock=clock, switches=XeroSwitches(audit_every_write=True), judge=judge)
    yield simulator
    assert [one.verdict for one in simulator.requests if one.verdict] == []


@pytest.fixture
def tenant(xero):
    return xero.add_organisation(
        "Acme Supply", country="US", currencies=("EUR", "GBP"), rates={"EUR": "0.8", "GBP": "0.75"}
    )


@pytest.fixture
def keeper(tenant):
    return tenant.books


@pytest.fixture
def xapi(xero, tenant):
    return XeroApi(xero, tenant)


@pytest.fixture
def bluebird(keeper):
    return keeper.contact("Bluebird Cafe", EmailAddress="pay@bluebird.example")["ContactID"]
