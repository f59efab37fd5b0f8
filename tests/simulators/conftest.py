import os
from datetime import UTC, datetime, timedelta

import pytest

from arsync.simulators.quickbooks import QuickBooksSimulator, Switches
from tests import xsd_oracle
from tests.simulators.direct_api import Api


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
