"""Xero's client for Node does its accounting against the simulator: a second pair of eyes, in another language."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arsync.simulators.xero import Switches, XeroSimulator

HERE = Path(__file__).parent

pytestmark = pytest.mark.long


def test_a_cycle_of_receivables(node_packages):
    clock = lambda: datetime(2026, 3, 2, 18, tzinfo=UTC)  # noqa: E731 - a clock that stands
    xero = XeroSimulator(clock=clock, switches=Switches(audit_every_write=True))
    tenant = xero.add_organisation("Acme Supply")
    token = xero.grant(xero.add_app("Node"), tenant.organisation.id)["access_token"]
    with xero.serve() as url:
        told = json.dumps({"url": url, "token": token, "tenant": tenant.organisation.id})
        done = subprocess.run(
            ["node", str(HERE / "receivables.js"), told],
            env={**os.environ, "NODE_PATH": str(node_packages / "node_modules")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
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
