"""Clients from npm at work: node-quickbooks and intuit-oauth for Node, which know nothing of this project."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOREIGN = Path(__file__).parents[1] / "foreign"
INSTALL = "npm install --prefix FOLDER --no-package-lock --no-audit --no-fund --ignore-scripts"

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the two packages installed from their pinned versions."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"node and npm are missing: install Node.js 20, then {INSTALL}")
    made = tmp_path_factory.mktemp("foreign")
    shutil.copy(FOREIGN / "package.json", made)
    command = INSTALL.replace("FOLDER", str(made)).split()
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(
            f"the packages of tests/foreign cannot be installed here: {INSTALL}\n{done.stderr[-500:]}"
        )
    return made


def test_a_day_of_a_client_written_for_node(sim, clock, company, books, folder):
    with sim.serve() as url:
        environment = {
            **os.environ,
            "FOREIGN_FOLDER": str(folder),
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
