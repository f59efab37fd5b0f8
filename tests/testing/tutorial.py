"""The tutorial's code: its blocks as files, and the package they make, installed as a stranger's would be."""

import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

from tests.house.sources import ROOT

PAGE = ROOT / "docs" / "tutorial-connector.md"
_BLOCK = re.compile(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def files():
    """File name -> text, in the order of the page."""
    return dict(_BLOCK.findall(PAGE.read_text("utf-8")))


def install(folder: Path) -> Path:
    """Build the tutorial's wheel and unpack it: a folder that is importable, entry points and all."""
    source, site = folder / "source", folder / "site"
    for name, text in files().items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site
