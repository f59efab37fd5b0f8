"""The README of the bank connector tells the truth about its codes."""

import re
from pathlib import Path

import pytest

from arsync.connectors.bank import mapping
from arsync.connectors.bank.proof import AMOUNT_PROBLEMS

PACKAGE = Path(mapping.__file__).parent
README = (PACKAGE / "README.md").read_text("utf-8")
SOURCES = "".join(path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py")))
# A code is lower-case words joined by hyphens, alone in quotes; these are codecs, schemes and headers, not codes.
NOT_CODES = re.compile(r"utf|iso|us-|unknown-|signed-|content-")
CODES = sorted({code for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', SOURCES) if not NOT_CODES.match(code)})


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code):
    assert f"`{code}`" in README


def test_there_are_codes():
    assert len(CODES) > 25
    assert set(CODES) >= AMOUNT_PROBLEMS


@pytest.mark.parametrize("name", sorted(path.stem for path in (PACKAGE / "profiles").glob("*.toml")))
def test_every_shipped_profile_is_named(name):
    assert f"`{name}`" in README
