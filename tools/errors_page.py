"""Write `docs/errors.md` from `arsync/errors.py` and the reproducers in `tests/errors/`: `make errors`."""

import importlib
import inspect
import sys
from pathlib import Path

from arsync import errors
from arsync.errors import ArsyncError
from tests.errors.reproduce import REPRODUCERS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "errors.md"
_HEAD = """# Errors: what happened, and what to do

Written by `make errors` from `arsync/errors.py` and `tests/errors/`, where tests meet these errors.

An error says what happened, where, and what to do. The exit code says who must act:

| exit | who acts |
|---|---|
| 0 | nobody: done |
| 1 | us: please report it |
| 2 | the person at the keyboard: a wrong argument |
| 3 | whoever runs the installation |
| 4 | a clerk: done, and new queue items wait |
| 5 | nobody: the platform is busy, the next run tries again |
| 6 | nobody: another run holds the ledger |
| 7 | the AR manager: the books disagree, nothing more is written |

A value inside a record that cannot be read is no error: it becomes a queue item with the raw value.
"""


def classes() -> list[type[ArsyncError]]:
    """Every error class, in the order of `arsync/errors.py`, the root left out."""
    found = [
        value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, ArsyncError)
    ]
    return [error for error in found if error is not ArsyncError]


def load_reproducers() -> None:
    """Import every test file of tests/errors/, which registers its reproducers."""
    for path in sorted((ROOT / "tests" / "errors").glob("test_*.py")):
        importlib.import_module(f"tests.errors.{path.stem}")


def page() -> str:
    """The text of `docs/errors.md`."""
    load_reproducers()
    return "\n".join([_HEAD, *map(_section, classes())])


def _section(error: type[ArsyncError]) -> str:
    parent = error.__mro__[1]
    kind = "" if parent is ArsyncError else f", a {parent.__name__}"
    lines = [f"## {error.__name__}", "", f"{inspect.getdoc(error)} (exit {error.exit_code}{kind})", ""]
    met = sorted((key, reproduced) for key, reproduced in REPRODUCERS.items() if reproduced.error is error)
    for (file, test), reproduced in met:
        lines += [
            f"- **{reproduced.title}.** When: {reproduced.when}. Do: {reproduced.do}.",
            f"  (`tests/errors/{file}::{test}`)",
        ]
    return "\n".join([*lines, ""] if met else lines)


def main() -> None:
    """Write the page; say so."""
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(
        f"{PAGE.relative_to(ROOT)}  {len(REPRODUCERS)} reproducers of {len(classes())} classes\n"
    )


if __name__ == "__main__":
    main()
