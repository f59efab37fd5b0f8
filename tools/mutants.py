"""Change the code that decides money, one place at a time, and see which changes no test notices: `make mutate`.

Shape   runs mutmut on the modules named in pyproject.toml, at most `MOST_S` seconds, and prints one line a module
        and every survivor. Exit 1 where more survive than are explained in docs/evidence/mutation.md.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "evidence" / "mutation.md"
MOST_S = 1200
UNNOTICED = ("survived", "no tests")
_RESULT = re.compile(r"^ *(\S+?)\.x\S+: (.+)$", re.MULTILINE)


def results() -> list[tuple[str, str, str]]:
    """Mutant, its module, and what became of it."""
    told = _mutmut("results", "--all", "true").stdout
    return [(line.group().split(":")[0].strip(), line[1], line[2]) for line in _RESULT.finditer(told)]


def allowed() -> int:
    """How many survivors the page explains."""
    said = re.search(r"^Survivors explained: (\d+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    return int(said[1]) if said else 0


def main() -> None:
    """Run, print, and fail where a change goes unnoticed that nobody has explained."""
    for _ in range(3):  # it takes up where it stopped
        try:
            ran = _mutmut("run", "--max-children", "2")
        except subprocess.TimeoutExpired:
            sys.exit(f"mutants  not done after {MOST_S} s")
        found = results()
        if found and all(fate != "not checked" for _, _, fate in found):
            break
    counts = Counter((module, fate) for _, module, fate in found)
    for (module, fate), number in sorted(counts.items()):
        sys.stdout.write(f"{module:<28} {fate:<12} {number:>5}\n")
    survivors = [(name, fate) for name, _, fate in found if fate in UNNOTICED]
    sys.stdout.writelines(f"{fate}  {name}   (mutmut show {name})\n" for name, fate in survivors)
    if not found or any(fate == "not checked" for _, _, fate in found):
        sys.exit(f"mutants  not all were tried\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
    sys.stdout.write(f"mutants  {len(found)} tried, {len(survivors)} unnoticed, {allowed()} explained\n")
    sys.exit(len(survivors) > allowed())


def _mutmut(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("mutmut")
    return subprocess.run(  # noqa: S603 - our own tool, no input from outside
        [tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=MOST_S
    )


if __name__ == "__main__":
    main()
