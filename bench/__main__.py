"""All speed benches as one table: `python -m bench [NAME ...] [--big] [--write]`."""

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

from bench.measure import Figure, show

NAMES = ("upsert", "main_job", "idle", "xero")
PAGE = Path(__file__).parents[1] / "docs" / "evidence" / "speed.md"


def main() -> int:
    """Run the named benches, or all; the figures tell what was missed, the exit code only whether they ran."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--big", action="store_true", help="a million invoices instead of a hundred thousand")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in docs/evidence/{PAGE.name}")
    args = parser.parse_args()
    figures: list[Figure] = []
    for name in args.names or NAMES:
        figures += importlib.import_module(f"bench.{name}").run(big=args.big)
    table = show(figures)
    print(table)
    if args.write:
        PAGE.write_text(page(table, f"python -m bench {' '.join(sys.argv[1:])}".rstrip()))
    return 0


def page(table: str, command: str) -> str:
    """The evidence page."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = (
        f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}; load {load}"
    )
    return (
        "# Speed, measured\n\n"
        "Made by `"
        + command
        + "`. Only ratios are judged: what is compared takes turns in one run, because wall\n"
        "times of a shared machine wander by a factor of two.\n\n"
        f"Machine: {machine}.\n\n"
        "```\n" + table + "\n```\n\n" + NOTES
    )


NOTES = """\
What is compared with what stands at the head of each bench: `bench/upsert.py`, `bench/main_job.py` and its
`bench/floor.py`, `bench/idle.py`, `bench/xero.py`.

- Beside the raw driver: a third of what a new invoice costs is compressing its raw record. The driver that only
  writes ready-made rows does not pay that, so the ratio is given without and with it.
- The floor of the main job decides nothing and compresses nothing; the matcher alone takes more than twice as long.
- Rates and milliseconds are of a machine shared with other work and say little: between two runs they differed by a
  factor of two, ratios by a tenth.
- The run that proves reads four times: preferences, change feed, aging report and the control account.
- Xero: calls that sweep are the pages of open invoices; a round has eleven more. What changed in the five minutes before
  a load is read twice.
"""


if __name__ == "__main__":
    sys.exit(main())
