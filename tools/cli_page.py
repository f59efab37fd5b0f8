"""Write `docs/cli.md` from the commands themselves: `make pages`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from arsync.cli import cli

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cli.md"
_WIDTH = 100
_HEAD = """# The command line, command by command

Written by `make pages` from the commands' own help. What each exit code means: [running it](../deploy/README.md).
Options of `arsync` itself (`--config`, `--as`, `-v`) come before the command.
"""


def entered(command: click.Command, parent: click.Context | None, name: str) -> click.Context:
    """The command as it is when somebody types its name below `parent`; no wider or narrower for any terminal."""
    width = {"terminal_width": _WIDTH, "max_content_width": _WIDTH}
    return click.Context(command, parent, name, **{**command.context_settings, **width})


def contexts(command: click.Command, parent: click.Context | None = None) -> Iterator[click.Context]:
    """The command and everything below it, in the order of the help."""
    context = entered(command, parent, (parent and command.name) or "arsync")
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from contexts(found, context)


def page() -> str:
    """The text of `docs/cli.md`."""
    return "\n".join([_HEAD, *map(_section, contexts(cli))])


def _section(context: click.Context) -> str:
    heading = "###" if context.parent and context.parent.parent else "##"
    return f"{heading} {context.command_path}\n\n```text\n{context.command.get_help(context).rstrip()}\n```\n"


def main() -> None:
    """Write the page; say so."""
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}  {sum(1 for _ in contexts(cli))} commands\n")


if __name__ == "__main__":
    main()
