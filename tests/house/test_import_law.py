"""The import law holds, and every contract of it can fail: a planted violation breaks exactly that one."""

import configparser
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # `make check` keeps the law itself

ROOT = Path(__file__).parents[2]
LAW = ROOT / ".importlinter"
_SECTION = "importlinter:contract:"


def contracts():
    """Contract id -> name, as written in the law."""
    law = configparser.ConfigParser()
    law.read(LAW)
    return {
        section.removeprefix(_SECTION): law[section]["name"]
        for section in law.sections()
        if _SECTION in section
    }


@dataclass(frozen=True)
class Plant:
    """One violation: a line of code written into a module of the copy (made if it is not there)."""

    contract: str
    module: str
    line: str
    says: str


PLANTS = [
    Plant("storeys", "core/policy.py", "import arsync.connectors.contract", "core looks up"),
    Plant("storeys", "store/planted.py", "import arsync.connectors.transport", "the store calls"),
    Plant("storeys", "connectors/bank/planted.py", "import arsync.store.tables", "a connector stores"),
    Plant("storeys", "sync/planted.py", "import arsync.cli", "a step imports the command line"),
    Plant("storeys", "reports/planted.py", "import arsync.sync", "a report starts a step"),
    Plant("storeys", "attic.py", "", "a room nobody has given a storey"),
    Plant("connectors", "connectors/bank/planted.py", "import arsync.connectors.xero", "one knows another"),
    Plant("connectors", "connectors/contract.py", "import arsync.connectors.bank", "the contract knows one"),
    Plant("connectors", "connectors/attic/__init__.py", "", "an unknown connector"),
    Plant("core", "core/money.py", "import arsync.core.items", "a noun below imports a noun above"),
    Plant("core", "core/forecast/planted.py", "import arsync.core.matching", "two rules are not strangers"),
    Plant("core", "core/attic.py", "", "a noun nobody has given a place"),
    Plant("pure", "core/money.py", "import time", "core reads the clock"),
    Plant("pure", "core/items.py", "from os import environ", "core reads the environment"),
    Plant("numbers", "core/items.py", "import rapidfuzz", "a noun measures string distance"),
    Plant("outbox", "reports/planted.py", "from arsync.store import outbox", "a report writes"),
    Plant("outbox", "cli.py", "import arsync.store.outbox", "the command line writes to a platform"),
    Plant("simulators", "simulators/planted.py", "import arsync.core.money", "it shares our money"),
    Plant("simulators", "simulators/planted.py", "import arsync.connectors.bank", "it shares a reader"),
    Plant("sql", "reports/planted.py", "import sqlalchemy", "a report speaks SQL"),
    Plant("sql", "sync/planted.py", "import sqlite3", "a step speaks SQL"),
    Plant("http", "connectors/quickbooks/planted.py", "import httpx2", "an own client"),
    Plant("http", "sync/planted.py", "import requests", "an own client in a step"),
    Plant("quickbooks", "connectors/transport.py", "import quickbooks", "the SDK elsewhere"),
    Plant("versions", "migrations/versions/planted.py", "import arsync.core.money", "today's code"),
    Plant("versions", "migrations/versions/planted.py", "import arsync.migrations.env", "a neighbour"),
]  # fmt: skip

# Runs import-linter's own command function in each folder in turn: one process instead of thirty.
LINT_EACH = """
import contextlib, importlib, io, json, os, sys
from importlinter.cli import lint_imports
told = []
for folder in sys.argv[1:]:
    os.chdir(folder)
    sys.path[0] = folder
    importlib.invalidate_caches()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        lint_imports(no_logo=True, no_cache=True, is_debug_mode=True)
    told.append(said.getvalue())
json.dump(told, sys.stdout)
"""


def copy_with(plant, folder):
    shutil.copytree(
        ROOT / "arsync", folder / "arsync", ignore=shutil.ignore_patterns("__pycache__", "*.json", "*.toml")
    )
    shutil.copy(LAW, folder)
    if plant is None:
        return folder
    module = _make(folder / "arsync", plant.module)
    if target := _target(plant.line):
        _make(folder / "arsync", target)
    module.write_text(f"{module.read_text()}\n{plant.line}\n")
    return folder


def _target(line):
    """The file that `import arsync.x.y` or `from arsync.x import y` needs; other imports need none."""
    name = line.replace(" import ", ".").split()[-1] if line else ""
    return name.removeprefix("arsync.").replace(".", "/") + ".py" if name.startswith("arsync.") else None


def _make(package, module):
    """The module, made with its packages if it is missing, so that the plant has somewhere to grow."""
    path = package / module
    if path.with_suffix("").is_dir():
        path = path.with_suffix("") / "__init__.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    for folder in path.relative_to(package).parents:
        (package / folder / "__init__.py").touch()
    return path


def broken(said):
    """The ids of the broken contracts in what import-linter said."""
    verdicts = {identifier for identifier, name in contracts().items() if f"{name} BROKEN" in said}
    assert len([line for line in said.splitlines() if " KEPT" in line or " BROKEN" in line]) == len(
        contracts()
    ), said
    return frozenset(verdicts)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """None (the tree as it is) and each plant -> (broken contracts, what import-linter said)."""
    cases = [None, *PLANTS]
    folders = [copy_with(case, tmp_path_factory.mktemp("house")) for case in cases]
    ran = subprocess.run(
        [sys.executable, "-c", LINT_EACH, *folders],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "400", "PYTHONPATH": ""},
    )
    return {case: (broken(said), said) for case, said in zip(cases, json.loads(ran.stdout), strict=True)}


def test_the_law_holds(verdicts):
    found, said = verdicts[None]
    assert not found, said


@pytest.mark.parametrize("plant", [pytest.param(p, id=f"{p.contract}: {p.says}") for p in PLANTS])
def test_a_planted_violation_breaks_its_contract_and_no_other(plant, verdicts):
    found, said = verdicts[plant]
    assert found - verdicts[None][0] == {plant.contract}, said


def test_every_contract_has_a_plant():
    assert {plant.contract for plant in PLANTS} == set(contracts())
