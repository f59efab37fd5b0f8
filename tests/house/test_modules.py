"""What every module owes its reader, and how few mocks the tests need."""

import ast

import pytest

from tests.house.sources import ROOT, modules, name_of, tree

MOCKS_PER_100_TESTS = 2


def test_every_module_says_what_it_is():
    """An empty file has nothing to say."""
    silent = [name_of(path) for path in modules() if tree(path).body and not ast.get_docstring(tree(path))]
    assert silent == [], "a module begins with what it is, in one sentence"


def mocks(module: ast.Module) -> int:
    """Replaced parts: `unittest.mock` objects, and attributes set with monkeypatch."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module in ("unittest.mock", "unittest")
        for alias in node.names
    }
    return sum(isinstance(node, ast.Call) and _replaces(node.func, imported) for node in ast.walk(module))


def _replaces(function: ast.expr, imported: set[str]) -> bool:
    match function:
        case ast.Name(id=name):
            return name in imported
        case ast.Attribute(value=ast.Name(id="monkeypatch"), attr="setattr"):
            return True
        case ast.Attribute(value=inner):
            return _replaces(inner, imported)
    return False


@pytest.mark.slow
def test_mocks_are_few():
    trees = [tree(path) for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    tests = sum(
        isinstance(n, ast.FunctionDef) and n.name.startswith("test_") for t in trees for n in ast.walk(t)
    )
    assert sum(map(mocks, trees)) <= MOCKS_PER_100_TESTS * max(tests, 100) / 100, (
        "use the simulators, or hand it in"
    )


@pytest.mark.parametrize(
    ("code", "count"),
    [
        pytest.param("from unittest.mock import Mock\nx = Mock()\ny = Mock()", 2, id="mock objects"),
        pytest.param(
            "from unittest import mock\nwith mock.patch.object(a, 'b'): ...", 1, id="a patched attribute"
        ),
        pytest.param("def test(monkeypatch): monkeypatch.setattr(a, 'b', c)", 1, id="monkeypatch"),
        pytest.param(
            "def test(monkeypatch): monkeypatch.setenv('CI', 'true')", 0, id="the environment is no mock"
        ),
    ],
)
def test_mocks_are_counted(code, count):
    assert mocks(ast.parse(code)) == count
