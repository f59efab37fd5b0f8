"""Every error a user can meet is made to happen by a test, and `docs/errors.md` tells the truth about it."""

import ast
import re

import pytest

from arsync import errors
from arsync.errors import NotFound, UsageError
from tests.errors.reproduce import REPRODUCERS, reproduces
from tests.house.sources import modules, tree
from tools.errors_page import PAGE, classes, load_reproducers, page

# Classes whose reproducer is still to be written. This list only shrinks; version 0.1.0 has none.
NOT_YET: set[str] = set()


def raised():
    """The names of the error classes that the package raises or makes by name."""
    return {
        node.func.id
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def needed():
    """Classes nothing derives from, and groups that are raised as such."""
    every = classes()
    groups = {parent for error in every for parent in error.__mro__[1:]}
    return {error.__name__ for error in every if error not in groups or error.__name__ in raised()}


def reproduced():
    load_reproducers()
    return {entry.error.__name__ for entry in REPRODUCERS.values()}


@pytest.mark.slow
def test_every_error_has_a_reproducer():
    assert needed() - reproduced() - NOT_YET == set(), (
        "write one in tests/errors/, see tests/errors/reproduce.py"
    )


def test_the_list_of_missing_reproducers_only_shrinks():
    assert NOT_YET & reproduced() == set(), "take these off the list"
    assert {error.__name__ for error in classes()} >= NOT_YET


def test_the_page_is_true():
    assert PAGE.read_text("utf-8") == page(), "make errors"


def test_the_page_has_every_class():
    for error in classes():
        assert f"## {error.__name__}\n" in page()


def test_the_tree_in_the_docstring_is_the_tree():
    """`errors.py` opens with the whole tree; name, exit code and order must be those of the classes."""
    drawn = re.findall(r"^    [│ ]*[├└]── (\w+)(?: +exit (\d))?", errors.__doc__, re.MULTILINE)
    assert [name for name, _ in drawn] == [error.__name__ for error in classes()]
    codes = {error.__name__: error.exit_code for error in classes()}
    assert all(codes[name] == int(code) for name, code in drawn if code)


# ---- the decorator itself


def end_in(error):
    def test():
        raise error

    return test


def register(test):
    before = dict(REPRODUCERS)
    try:
        return reproduces(UsageError, title="t", when="w", do="d")(test)
    finally:
        REPRODUCERS.clear()
        REPRODUCERS.update(before)


def test_a_reproducer_that_meets_its_error_passes():
    register(end_in(UsageError("wrong", do="right")))()


@pytest.mark.parametrize(
    "test",
    [
        pytest.param(end_in(NotFound("wrong", do="right")), id="another class, though a child of it"),
        pytest.param(end_in(UsageError("wrong")), id="an error that does not say what to do"),
    ],
)
def test_a_reproducer_that_meets_another_error_fails(test):
    with pytest.raises(AssertionError):
        register(test)()


def test_a_reproducer_that_meets_no_error_fails():
    with pytest.raises(pytest.fail.Exception):
        register(lambda: None)()
