"""The project's own files, for the tests that read code rather than run it."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "arsync"


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def modules(*rooms: str) -> list[Path]:
    """Every module of these rooms (folders or files of the package), or of all of it."""
    found: list[Path] = []
    for place in [PACKAGE / room for room in rooms] or [PACKAGE]:
        found += [place] if place.is_file() else sorted(place.rglob("*.py"))
    return found


def name_of(path: Path) -> str:
    """`core/money.py`: a module as the house calls it."""
    return path.relative_to(PACKAGE).as_posix()


def found_in(
    look: Callable[[ast.Module], list[int]], paths: list[Path] | None = None, *, but: tuple[str, ...] = ()
) -> dict[str, list[int]]:
    """Module -> the lines that `look` finds in it, where there are any; `but` begins the names of exempt modules."""
    looked = {
        name_of(path): look(tree(path)) for path in paths or modules() if not name_of(path).startswith(but)
    }
    return {name: lines for name, lines in looked.items() if lines}


def tracked() -> Iterator[tuple[Path, str]]:
    """Every file git knows, with its text; files that are not text are left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if not name or not path.is_file():
            continue
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
