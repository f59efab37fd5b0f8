"""Every error a user can meet has a reproducer here: a test that ends in it, as a user would.

    @reproduces(
        TruncatedFile,
        title="The bank file ends too early",
        when="a download was cut off",
        do="download it again",
    )
    def test_a_statement_that_was_cut_off():
        read_file(WHOLE[:-100], None)

The decorator checks that the test ends in exactly this class, not in a parent or child, and that the error
says what to do. One class may have several reproducers. `make errors` writes `docs/errors.md` from them.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec

import pytest

from arsync.errors import ArsyncError, Broken

Arguments = ParamSpec("Arguments")


@dataclass(frozen=True, slots=True)
class Reproduced:
    """One reproducer, as the page lists it; `title`, `when` and `do` are phrases without a full stop."""

    error: type[ArsyncError]
    title: str
    when: str
    do: str


# Keyed by file and function, because a file may be imported under two names in one process.
REPRODUCERS: dict[tuple[str, str], Reproduced] = {}


def reproduces(
    error: type[ArsyncError], *, title: str, when: str, do: str
) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """Register a test as the reproducer of an error class, and expect it to end in that class."""

    def register(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
        REPRODUCERS[Path(test.__code__.co_filename).name, test.__name__] = Reproduced(error, title, when, do)

        @functools.wraps(test)
        def expect(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
            with pytest.raises(error) as met:
                test(*args, **kwargs)
            assert type(met.value) is error, f"ended in {type(met.value).__name__}, not in {error.__name__}"
            assert met.value.what, "an error says what happened"
            # What to do about a fault of ours stands on the page.
            assert met.value.do or error is Broken, "an error says what to do"

        return expect

    return register
