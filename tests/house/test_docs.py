"""The pages tell the truth: links lead somewhere, commands and targets exist, decisions are short."""

import re
import subprocess
import sys

import pytest

from tests.house.sources import HAS_COMMANDS, PACKAGE, ROOT, tracked

PAGES = sorted(path for path, _ in tracked() if path.suffix == ".md")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
MOST_LINES = 40


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)\b", page.read_text("utf-8"), re.MULTILINE))
    assert named <= targets


def commands():
    """The verbs of the command line, as its help lists them."""
    ran = subprocess.run(
        [sys.executable, "-m", "arsync", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = ran.stdout.partition("Commands:")[2]
    return set(re.findall(r"^  ([a-z][a-z-]*)\b", listed, re.MULTILINE))


def verbs(text):
    """The verbs a page uses: `arsync verb` in backticks, and lines of code that begin with it."""
    code = "".join(re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL))
    return re.findall(r"`arsync ([a-z]+)", text) + re.findall(r"^(?:\$ )?arsync ([a-z]+)", code, re.MULTILINE)


@pytest.mark.skipif(not HAS_COMMANDS, reason="the command line is not there yet")
def test_commands_exist():
    known = commands()
    named = {(name(page), verb) for page in PAGES for verb in verbs(page.read_text("utf-8"))}
    assert {(page, verb) for page, verb in named if verb not in known} == set()


@pytest.mark.parametrize("decision", DECISIONS, ids=name)
def test_a_decision_is_short_and_complete(decision):
    text = decision.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert re.match(rf"# {int(decision.name[:4])}\. ", text), "its number is in its title"
    for part in ("**Decision.**", "**Figures", "**What would change our mind.**"):
        assert part in text


def test_decisions_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_architecture_names_every_room():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = {
        path.name
        for path in PACKAGE.iterdir()
        if path.name.strip("_") == path.name and path.suffix in ("", ".py")
    }
    assert {room for room in rooms if room not in text} == set()
