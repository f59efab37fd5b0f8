"""The pages tell the truth: links lead somewhere, commands and targets exist, decisions are short."""

import re
import shlex

import click
import pytest

from arsync.cli import COMMANDS, cli
from tests.house.sources import PACKAGE, ROOT, tracked
from tools import cli_page

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


def verbs(text):
    """The verbs that a page names: `arsync verb` in backticks."""
    return re.findall(r"`arsync ([a-z]+(?:-[a-z]+)*)", text)


def test_commands_exist():
    named = {(name(page), verb) for page in PAGES for verb in verbs(page.read_text("utf-8"))}
    assert {(page, verb) for page, verb in named if verb not in COMMANDS} == set()


def command_lines(text):
    """The lines of code that begin with arsync, without the comment behind them."""
    code = "".join(re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL))
    found = re.findall(r"^(?:\$ )?arsync +(.*?)(?: +#.*)?$", code, re.MULTILINE)
    return [shlex.split(line) for line in found if not line.startswith("-")]


def wrong(words):
    """What a person who types this would be told about the command and its options; None if nothing."""
    *_, context = walk(words)
    if isinstance(context.command, click.Group) and not context.command.invoke_without_command:
        return f"{context.command_path} needs a command"
    known = {option for parameter in context.command.params for option in parameter.opts} | {"--help", "-h"}
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    return f"{context.command_path}: {used - known}" if used - known else None


def walk(words):
    """The groups and the command that these words lead to."""
    context = cli_page.entered(cli, None, "arsync")
    yield context
    for word in words:
        group = context.command
        below = group.get_command(context, word) if isinstance(group, click.Group) else None
        if below is None:
            return
        context = cli_page.entered(below, context, word)
        yield context


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_command_lines_may_be_typed(page):
    assert [said for words in command_lines(page.read_text("utf-8")) if (said := wrong(words))] == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("reconcile --dry-run", None, id="a command and its option"),
        pytest.param("audit verify", None, id="a command of a group"),
        pytest.param("audit", "needs a command", id="a group alone"),
        pytest.param("quality", None, id="a group that says something alone"),
        pytest.param("quality --sure", "--sure", id="an option it does not have"),
        pytest.param("reconcile --sure", "--sure", id="an option nobody has"),
        pytest.param("recover", "needs a command", id="a command nobody has"),
    ],
)
def test_wrong_lines_are_found(line, told):
    said = wrong(line.split())
    assert said is None if told is None else told in said


def test_the_command_page_is_true():
    assert cli_page.PAGE.read_text("utf-8") == cli_page.page(), "make pages"


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
