"""All speed benches as tables: `python -m bench [NAME ...] [--big] [--write]`."""

import argparse
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.measure import show

TOGETHER = ("upsert", "main_job", "idle")  # one table, at the head of the page
APART = {"xero": "Xero", "bank": "Bank files", "peers": "Beside others"}  # a section each
PAGE = Path(__file__).parents[1] / "docs" / "evidence" / "speed.md"
HEAD = """\
# Speed, measured

Only ratios are judged: what is compared takes turns in one run, because wall times of a shared machine wander by a
factor of two.
"""


def main() -> int:
    """Run the named benches, or all; the figures tell what was missed, the exit code only whether they ran."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join((*TOGETHER, *APART))}")
    parser.add_argument("--big", action="store_true", help="a million invoices instead of a hundred thousand")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in docs/evidence/{PAGE.name}")
    args = parser.parse_args()
    tables: dict[str, list[str]] = {}
    for name in args.names or everything():
        figures = importlib.import_module(f"bench.{name}").run(big=args.big)
        tables.setdefault(APART.get(name, ""), []).extend(figures)
    shown = {heading: show(figures) for heading, figures in tables.items()}
    print("\n\n".join(shown.values()))
    if args.write:
        command = f"python -m bench {' '.join(sys.argv[1:])}".rstrip()
        made = {heading: _part(heading, table, command) for heading, table in shown.items()}
        PAGE.write_text(renewed(PAGE.read_text(), made))
    return 0


def everything() -> list[str]:
    """All benches; what is beside others only if the largest of them is installed."""
    return [name for name in (*TOGETHER, *APART) if name != "peers" or importlib.util.find_spec("splink")]


def renewed(page: str, made: Mapping[str, str]) -> str:
    """The page with these parts anew, by heading ("": its head); parts it does not have go to its end.

    Of a part what goes down to the end of its first table is replaced: what somebody wrote below stays.
    """
    head, *sections = page.split("\n## ")
    parts = {"": head}
    for section in sections:
        heading, _, parts[heading] = section.partition("\n")
    for heading, part in made.items():
        parts[heading] = part + _below_table(parts.get(heading, ""))
    return parts.pop("") + "".join(f"\n## {heading}\n{part}" for heading, part in parts.items())


def _below_table(part: str) -> str:
    return part.split("\n```\n", 2)[2] if part.count("\n```\n") > 1 else ""


def _part(heading: str, table: str, command: str) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{'' if heading else HEAD}\n"
        f"Made by `{command}`; {os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}, "
        f"load {load}.\n\n"
        f"```\n{table}\n```\n"
    )


if __name__ == "__main__":
    sys.exit(main())
