"""Money is exact: a float counts seconds or probability, where listed, and never stands beside an amount."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.sources import PACKAGE, found_in, modules

# A float under one of these names says that it is not money.
NOT_MONEY = re.compile(r"probability|share|threshold|likeness|score|quantile|_s$", re.IGNORECASE)

# What the other floats of a module count. A module that is not here holds none.
COUNTS = {
    "connectors/contract.py": "seconds to sleep",
    "connectors/quickbooks/connector.py": "seconds of a rate limit",
    "connectors/bank/feeds.py": "seconds",
    "connectors/pace.py": "seconds",
    "connectors/transport.py": "seconds",
    "core/forecast/": "probabilities and quantiles of days",
    "core/matching/": "probabilities and likeness of names",
    "core/policy.py": "probability thresholds, read from the text",
    "sync/act": "probability of what a person decided",
    "sync/connect.py": "seconds to sleep",
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
    """The lines that hold a float whose name does not say that it is not money."""
    named = {id(part) for node in _named_not_money(module) for part in ast.walk(node)}
    return sorted({node.lineno for node in ast.walk(module) if is_float(node) and id(node) not in named})


def _named_not_money(module: ast.Module) -> Iterator[ast.AST]:
    """Assignments, arguments and defaults whose own name says what the float counts."""
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names = {name: [node]}
            case ast.keyword(arg=str(name)):
                names = {name: [node]}
            case ast.arguments():
                names = _with_defaults(node)
            case _:
                continue
        yield from (part for name, parts in names.items() if NOT_MONEY.search(name) for part in parts)


def _with_defaults(node: ast.arguments) -> dict[str, list[ast.AST]]:
    plain = [*node.posonlyargs, *node.args]
    defaults = [*[None] * (len(plain) - len(node.defaults)), *node.defaults, *node.kw_defaults]
    pairs = zip([*plain, *node.kwonlyargs], defaults, strict=True)
    return {arg.arg: [arg, *([default] if default else [])] for arg, default in pairs}


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what it is made of; the arguments of a call are the call's own affair."""
    yield node
    parts = (
        [node.func] if isinstance(node, ast.Call) and not is_float(node.func) else ast.iter_child_nodes(node)
    )
    for part in parts:
        yield from _within(part)


def _names_money(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return MONEY.search(name) is not None
    return False


def _mixes(node: ast.AST) -> bool:
    """An operation on a float and an amount, or an amount that is given something made from a float."""
    match node:
        case ast.BinOp() | ast.Compare() | ast.AugAssign():
            parts = list(_within(node))
            return any(map(is_float, parts)) and any(map(_names_money, parts))
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            return _names_money(target) and any(map(is_float, ast.walk(node)))
        case ast.keyword(arg=str(name)):
            return MONEY.search(name) is not None and any(map(is_float, ast.walk(node)))
    return False


def mixtures(module: ast.Module) -> list[int]:
    """The lines where a float and an amount meet."""
    return sorted({node.lineno for node in ast.walk(module) if _mixes(node)})


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


def test_floats_stay_where_they_are_listed():
    rooms = modules(*(room for room in ROOMS if (PACKAGE / room).exists()))
    assert found_in(floats, rooms, but=tuple(COUNTS)) == {}, "money is exact; if it is not money, list it"


def test_no_float_stands_beside_an_amount():
    assert found_in(lambda module: mixtures(module) + arguments(module), but=("simulators/",)) == {}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param("x = 0.1", [1], id="a literal"),
        pytest.param("def f(x: float): ...", [1], id="an annotation"),
        pytest.param("def f(a, wait_s: float = 0.5, *, b=0.5): ...", [1], id="a default among others"),
        pytest.param("def f(a, wait_s: float = 0.5): ...", [], id="seconds"),
        pytest.param("class A:\n    probability: float", [], id="a probability"),
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
