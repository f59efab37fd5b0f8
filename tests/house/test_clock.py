"""The clock is handed in: one module reads it, and only the top of the house asks that module."""

import ast

import pytest

from tests.house.sources import found_in

READS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("time", "time_ns"),
}
ASKS = ("cli.py", "cli/", "demo.py", "web/", "testing/")


def readings(module: ast.Module) -> list[int]:
    """The lines that read the clock themselves."""
    return [
        node.lineno for node in ast.walk(module) if isinstance(node, ast.Attribute) and _ends(node) in READS
    ]


def _ends(node: ast.Attribute) -> tuple[str, str]:
    match node.value:
        case ast.Name(id=owner) | ast.Attribute(attr=owner):
            return owner, node.attr
    return "", node.attr


def asks(module: ast.Module) -> list[int]:
    """The lines that take the real clock from the module that reads it."""
    return [
        node.lineno
        for node in ast.walk(module)
        if (isinstance(node, ast.ImportFrom) and node.module == "arsync.clock" and _takes(node, "utc_now"))
        or (isinstance(node, ast.Attribute) and _ends(node) == ("clock", "utc_now"))
    ]


def _takes(node: ast.ImportFrom, name: str) -> bool:
    return any(alias.name == name for alias in node.names)


@pytest.mark.slow
def test_only_the_clock_reads_the_clock():
    assert found_in(readings, but=("clock.py",)) == {}


def test_only_the_top_of_the_house_asks_for_the_time():
    assert found_in(asks, but=ASKS) == {}, "take a `Clock` as an argument"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param("from datetime import datetime\nx = datetime.now()", [2], id="datetime.now"),
        pytest.param("import datetime\nx = datetime.datetime.now(UTC)", [2], id="by module"),
        pytest.param("from datetime import date\nx = date.today()", [2], id="date.today"),
        pytest.param("import time\nx = time.time()", [2], id="time.time"),
        pytest.param("import time\nx = time.monotonic()", [], id="a stopwatch is no clock"),
        pytest.param("x = ports.now()", [], id="the clock that was handed in"),
    ],
)
def test_readings_are_found(code, found):
    assert readings(ast.parse(code)) == found


@pytest.mark.parametrize(
    "code", ["from arsync.clock import utc_now", "import arsync.clock\nx = arsync.clock.utc_now"]
)
def test_asking_is_found(code):
    assert len(asks(ast.parse(code))) == 1
