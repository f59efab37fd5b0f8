"""Clients from npm at work: node-quickbooks and intuit-oauth for Node, which know nothing of this project."""

import json
import os
import subprocess
from pathlib import Path

import pytest

FOREIGN = Path(__file__).parents[1] / "foreign"

pytestmark = pytest.mark.long


def test_a_day_of_a_client_written_for_node(sim, clock, company, books, node_packages):
    with sim.serve() as url:
        environment = {
            **os.environ,
            "FOREIGN_FOLDER": str(node_packages),
            "SIMULATOR": url,
            "CLIENT_ID": sim.client_id,
            "CLIENT_SECRET": sim.client_secret,
            "REFRESH_TOKEN": sim.grant("9130")[1],
            "REALM": "9130",
            "CHECKING": books.account("checking"),
            "FEES": books.account("fees"),
            "NOW": clock.moment.isoformat(),
        }
        done = subprocess.run(
            ["node", str(FOREIGN / "client.js")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "realm": "9130",
        "expires": 3600,
        "balance": 100.1,
        "replayed": True,
        "left": 40,
        "deposited": 58.5,
        "deleteDeposited": "6540",
        "found": ["1"],
        "named": ["O'Brien \\ Sons' & Co"],
        "count": 1,
        "batch": [["one", "Customer"], ["two", "6240"], ["three", "QueryResponse"]],
        "cdc": [1, 1, 0],
        "aged": ["TOTAL", "40.00", "0.00", "0.00", "0.00", "0.00", "40.00"],
        "report": ["O'Brien \\ Sons' & Co", "40.00"],
        "file": "paid\r\n\r\nall",
        "mailed": "EmailSent",
        "voided": "Voided",
        "stale": "5010",
        "unknown": "2010",
        "voidPayment": "2020",
        "deleted": "Deleted",
        "gone": "610",
        "revoked": "3200",
    }
    books.audit()
