"""The tutorial does what it says: its code is short, is found like a stranger's, and passes the suite."""

import os
import re
import subprocess
import sys

import pytest

from arsync.connectors import registry
from tests.house.sources import ROOT
from tests.testing import tutorial

pytestmark = pytest.mark.slow
MOST_LINES = 100


def code_lines(text):
    """Lines with something on them, but imports and comments."""
    return [
        line
        for line in text.splitlines()
        if line.strip() and not line.strip().startswith(("#", "import", "from"))
    ]


@pytest.mark.parametrize("name", ["arsync_pebble/__init__.py", "arsync_pebble/mapping.py"])
def test_the_connector_is_short(name):
    assert len(code_lines(tutorial.files()[name])) < MOST_LINES


def test_the_page_is_all_there():
    assert list(tutorial.files()) == [
        "pyproject.toml",
        "arsync_pebble/mapping.py",
        "arsync_pebble/__init__.py",
        "arsync_pebble/simulator.py",
        "arsync_pebble/bench.py",
        "test_pebble.py",
    ]


def test_it_is_found_by_its_entry_point_as_ours_are(pebble):
    assert registry.load("pebble") is pebble.PebbleConnector


def run(site, test, *options):
    """pytest as the reader runs it: another process, no configuration of ours."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        site.parent,
        *options,
        test,
    ]
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    return subprocess.run(
        command, cwd=site.parent, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "spread",
    [
        pytest.param((), id="in one process"),
        pytest.param(("-n", "2", "--dist", "load"), id="over two processes"),
    ],
)
def test_it_passes_the_suite(site, spread):
    ran = run(site, site.parent / "source" / "test_pebble.py", *spread)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^(=+ )?\d\d passed in", ran.stdout, re.MULTILINE), "nothing is skipped"


def test_a_word_of_the_manifest_that_is_not_true_fails(site):
    test = site.parent / "test_liar.py"
    liar = """
from dataclasses import replace
from arsync_pebble import BOOKS, READS, RECEIPT, REVERSE, PebbleConnector
from test_pebble import TestPebble as Honest

class Liar(PebbleConnector):
    manifest = replace(
        PebbleConnector.manifest,
        writes={"post_receipt": replace(RECEIPT, undo="void"), "reverse": REVERSE},
    )

class TestLiar(Honest):
    connector = Liar

del Honest
"""
    (site / "test_pebble.py").write_text(tutorial.files()["test_pebble.py"])
    test.write_text(liar)
    ran = run(site, test, "--tb=line")
    failed = re.findall(r"^FAILED .*?::(test_\w+)(?:\[(.*)\])?", ran.stdout, re.MULTILINE)
    assert [name for name, _ in failed] == ["test_that", "test_what_the_manifest_declares_is_proven"], (
        ran.stdout
    )
    assert "writes post_receipt undo void" in ran.stdout
