"""In CI nothing is skipped: a skipped test, or a skipped file, fails; an expected failure stays one."""

import os
import re
import subprocess
import sys

import pytest

from tests.house.sources import ROOT

FILES = {
    "calls_skip": "import pytest\ndef test(): pytest.skip('no server')",
    "marked": "import pytest\n@pytest.mark.skip(reason='no server')\ndef test(): ...",
    "fixture": "import pytest\n@pytest.fixture\ndef server(): pytest.skip('no')\ndef test(server): ...",
    "module": "import pytest\npytest.importorskip('no_such_library')\ndef test(): ...",
    "expected": "import pytest\n@pytest.mark.xfail\ndef test(): assert False",
    "passing": "def test(): ...",
}


def outcomes(folder, ci):
    """File -> how it ends by the rules of tests/conftest.py (PASSED, FAILED ...); and what was said."""
    for name, code in FILES.items():
        (folder / f"test_{name}.py").write_text(code)
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "--continue-on-collection-errors",
            "-rA",
            folder,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": ci, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = re.findall(r"^([A-Z]+) (?:\[1\] )?\S*?test_(\w+)\.py", ran.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in told}, ran.stdout


@pytest.mark.slow
def test_in_ci_a_skip_is_a_failure(tmp_path):
    found, said = outcomes(tmp_path, "true")
    failed = {name for name, outcome in found.items() if outcome in ("FAILED", "ERROR")}
    assert failed == {"calls_skip", "marked", "fixture", "module"}, said
    assert "nothing may be skipped in CI: " in said
    assert found["expected"] == "XFAIL"


@pytest.mark.slow
def test_elsewhere_a_skip_is_a_skip(tmp_path):
    found, said = outcomes(tmp_path, "")
    assert {name for name, outcome in found.items() if outcome == "SKIPPED"} == {
        "calls_skip",
        "marked",
        "fixture",
        "module",
    }, said
