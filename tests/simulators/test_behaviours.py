"""Every behaviour the QuickBooks simulator claims has its tests, and none of the fifty-eight is missing."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def rows():
    """(number, words, names of tests) of the table."""
    for line in (HERE / "behaviours.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].isdecimal():
            yield int(cells[0]), cells[1], set(cells[2].split(", "))


@pytest.fixture(scope="module")
def known():
    """The name of every test beside this one."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in HERE.glob("test_*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_all_fifty_eight_are_there():
    assert [number for number, _, _ in rows()] == list(range(1, 59))


@pytest.mark.parametrize(
    "tests", [pytest.param(tests, id=f"{number}. {words}") for number, words, tests in rows()]
)
def test_each_behaviour_has_its_tests(known, tests):
    assert all(name.startswith("test_") for name in tests)
    assert tests - known == set()
