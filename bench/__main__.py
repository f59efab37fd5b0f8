"""All speed benches as one table: `python -m bench [NAME ...] [--big] [--write]`."""

import argparse
import importlib
import platform
import sys
from pathlib import Path

from bench.measure import Figure, show

NAMES = ("upsert",)
PAGE = Path(__file__).parents[1] / "docs" / "evidence" / "speed.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--big", action="store_true", help="a million invoices instead of a hundred thousand")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {PAGE.name}")
    args = parser.parse_args()
    figures: list[Figure] = []
    for name in args.names or NAMES:
        figures += importlib.import_module(f"bench.{name}").run(big=args.big)
    print(show(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
