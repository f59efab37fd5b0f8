"""Money is exact: a float counts seconds or probability, in the modules listed, and never stands beside an amount."""

import ast
import re

import pytest

from tests.house.sources import PACKAGE, modules, name_of, tree

# What the floats of a module count. A module that is not here holds none.
COUNTS = {
    "connectors/contract.py": "seconds to sleep",
    "connectors/transport.py": "seconds",
    "core/decisions.py": "probability",
    "core/forecast/": "probabilities and quantiles of days",
    "core/matching/": "probabilities and likeness of names",
    "core/policy.py": "probability thresholds",
    "store/lock.py": "seconds",
}
ROOMS = ("core", "store", "sync", "connectors")
MONEY = re.compile(
    r"(^|_)(minor|amount|amounts|money|price|owed|paid|balance|cash|receipt_total|open_total|discount|write_off|unapplied|applied)(_|$)"
)
PATHS = re.compile(r"path|folder|file|root|dir|name|base|home|resources", re.IGNORECASE)


def _is_path(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        or (isinstance(part, ast.Name) and PATHS.search(part.id) is not None)
        or (isinstance(part, ast.Attribute) and PATHS.search(part.attr) is not None)
        for part in ast.walk(node)
    )


def is_float(node: ast.AST) -> bool:
    """A float literal, the type's name, or a true division (of numbers, not of paths)."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.Name):
        return node.id == "float"
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _is_path(node)


def floats(module: ast.Module) -> list[int]:
    """The lines that hold a float."""
    return sorted({node.lineno for node in ast.walk(module) if is_float(node)})


def _own_expressions(statement: ast.stmt) -> list[ast.AST]:
    """The parts of a statement that are not statements themselves."""
    parts: list[ast.AST] = []
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        parts.append(node)
        todo += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]
    return parts


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return [name]
    return []


def mixtures(module: ast.Module) -> list[int]:
    """The lines of statements that hold a float and the name of an amount."""
    found = []
    for statement in (node for node in ast.walk(module) if isinstance(node, ast.stmt)):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue  # a signature may hold an amount and a wait; its body is seen statement by statement
        parts = _own_expressions(statement)
        if any(is_float(part) for part in parts) and any(
            MONEY.search(n) for part in parts for n in _names(part)
        ):
            found.append(statement.lineno)
    return found


def arguments(module: ast.Module) -> list[int]:
    """The lines of arguments that are named like an amount and annotated as float."""
    return [
        node.lineno
        for node in ast.walk(module)
        if isinstance(node, ast.arg)
        and MONEY.search(node.arg)
        and node.annotation is not None
        and any(is_float(part) for part in ast.walk(node.annotation))
    ]


@pytest.mark.parametrize("path", modules(*(r for r in ROOMS if (PACKAGE / r).exists())), ids=name_of)
def test_floats_stay_where_they_are_listed(path):
    if not name_of(path).startswith(tuple(COUNTS)):
        assert floats(tree(path)) == [], (
            f"a float in {name_of(path)}: money is exact; if it is not money, list it"
        )


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_float_stands_beside_an_amount(path):
    if not name_of(path).startswith("simulators/"):
        assert mixtures(tree(path)) + arguments(tree(path)) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param("x = 0.1", [1], id="a literal"),
        pytest.param("def f(wait_s: float): ...", [1], id="an annotation"),
        pytest.param("x = float(text)", [1], id="a conversion"),
        pytest.param("x = minor / 100", [1], id="a true division"),
        pytest.param("x = minor // 100", [], id="whole division is exact"),
        pytest.param("path = folder / 'x'", [], id="a path is not divided"),
        pytest.param("x = 100", [], id="an integer"),
    ],
)
def test_floats_are_found(code, found):
    assert floats(ast.parse(code)) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param("open_minor = int(100 * 1.1)", [1], id="an amount made from a float"),
        pytest.param("x = receipt.amount.minor * 0.02", [1], id="an amount multiplied"),
        pytest.param(
            "if probability > 0.98:\n    pay(amount)", [], id="a threshold, and an amount in the body"
        ),
        pytest.param("threshold: float = 0.98", [], id="a probability"),
        pytest.param("amount: float = 0", [1], id="an amount annotated"),
        pytest.param("send(amount=12.5)", [1], id="a keyword argument"),
    ],
)
def test_mixtures_are_found(code, found):
    assert mixtures(ast.parse(code)) == found


def test_float_arguments_are_found():
    assert arguments(ast.parse("def pay(amount: float, wait_s: float): ...")) == [1]
