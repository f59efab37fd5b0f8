"""Xero's client for Node does its accounting against the simulator: a second pair of eyes, in another language."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arsync.simulators.xero import Switches, XeroSimulator

HERE = Path(__file__).parent
INSTALL = "npm install --no-audit --no-fund --prefix tests/foreign"

pytestmark = pytest.mark.long


@pytest.fixture
def node():
    found = shutil.which("node")
    if found is None:
        pytest.skip(f"node is missing: install Node.js 20 or newer, then: {INSTALL}")
    if not (HERE / "node_modules" / "xero-node").exists():
        pytest.skip(f"xero-node is missing: {INSTALL}")
    return found


def test_a_cycle_of_receivables(node):
    clock = lambda: datetime(2026, 3, 2, 18, tzinfo=UTC)  # noqa: E731 - a clock that stands
    xero = XeroSimulator(clock=clock, switches=Switches(audit_every_write=True))
    tenant = xero.add_organisation("Acme Supply")
    token = xero.grant(xero.add_app("Node"), tenant.organisation.id)["access_token"]
    with xero.serve() as url:
        told = json.dumps({"url": url, "token": token, "tenant": tenant.organisation.id})
        done = subprocess.run(
            [node, "receivables.js", told], cwd=HERE, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "batch": 80,
        "first": ["PAID", 0, "2026-03-03T00:00:00.000Z"],
        "open": [17.5],
        "after": 40.1,
        "refused": "Payment amount exceeds the amount outstanding on this document",
        "name": r"O'Brien \ Sons' & Co",
    }
    tenant.books.audit()
    assert tenant.books.receivable_cents() == 40_10 + 17_50 - 5_00
