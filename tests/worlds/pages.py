"""Pages whose sessions are run: every ```console block of a page, in order, in the world its first comment names.

A line that begins with `$ ` is a command; what follows, up to the next one, is what it must print. Commands are
arsync's own, run in this process at a fixed time, and a few of the shell's; a block that names a file, as in
```python client.py, is that file, and port 8800 is wherever the simulator is. With `ARSYNC_REGENERATE=1` the pages are
written anew.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from arsync import demo
from arsync.cli import trying
from arsync.clock import Clock
from arsync.errors import ArsyncError
from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.world import build_xero
from arsync.simulators.xero import XeroSimulator

PORT_OF_PAGES, XERO_OF_PAGES = "http://127.0.0.1:8800", "http://127.0.0.1:8801"
TODAY, SEED = date(2026, 11, 22), 1
WORLD = re.compile(r"<!-- tested: ([a-z-]+) -->")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```[a-z]+ ([\w.]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("cat", "cp", "curl", "grep", "head", "ls", "python3", "sed", "mkdir")
_VARIES = (
    (re.compile(rf"({TODAY}) \d\d:\d\d"), r"\1 12:00"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "0" * 64),
    (re.compile(r"127\.0\.0\.1:(?!880[01])\d+"), "127.0.0.1:8800"),
    (re.compile(r"arsync \S+, Python \S+, SQLite \S+"), "arsync 0.1.0, Python 3.11.9, SQLite 3.45.0"),
    (re.compile(r"\d+(?= quickbooks\.read)"), "31"),
    (re.compile(r"\d+(?= quickbooks\.write)"), "44"),
    (re.compile(r"[\d,]+ MiB of disk"), "50,000 MiB of disk"),
)


@dataclass(frozen=True)
class World:
    """A folder to work in, and the simulated platform behind it."""

    folder: Path
    simulator: QuickBooksSimulator | XeroSimulator
    url: str
    said: str = PORT_OF_PAGES  # where the pages say that it is


@contextmanager
def served_again(template: Path, folder: Path, clock: Clock) -> Iterator[World]:
    """A copy of a folder of the demo, its QuickBooks served where the folder expects it."""
    shutil.copytree(template, folder)
    simulator = QuickBooksSimulator(clock=clock, state_path=folder / demo.BOOKS)
    port = int(re.findall(r"base_url = .*:(\d+)", (folder / "arsync.toml").read_text("utf-8"))[0])
    with simulator.serve(port) as url:
        yield World(folder, simulator, url)


@contextmanager
def served_xero(folder: Path, clock: Clock) -> Iterator[World]:
    """An empty folder beside the invented company on Xero."""
    folder.mkdir()
    simulator = XeroSimulator(seed=SEED, clock=clock)
    build_xero(simulator, TODAY, SEED)
    with simulator.serve() as url:
        yield World(folder, simulator, url, XERO_OF_PAGES)


def play(text: str, world: World) -> str:
    """The page with what its commands print now."""
    for name, content in FILE.findall(text):
        (world.folder / name).write_text(_here(content, world), encoding="utf-8")

    def block(found: re.Match[str]) -> str:
        commands = [line for line in found[1].splitlines() if line.startswith("$ ")]
        said = [f"{line}\n{_give(line.removeprefix('$ '), world)}" for line in commands]
        return f"```console\n{''.join(said)}```"

    return BLOCK.sub(block, text)


def _give(line: str, world: World) -> str:
    """Give one command, with pipes; what it prints, without what varies."""
    first, *pipes = line.split(" | ")
    output = (
        _arsync(shlex.split(first)[1:], world) if first.startswith("arsync ") else _shell(first, "", world)
    )
    for pipe in pipes:
        output = _shell(pipe, output, world)
    return settled(output.replace(world.url, world.said), world.folder)


def _arsync(arguments: list[str], world: World) -> str:
    code = world.simulator.tokens.new_code(demo.REALM, demo.REDIRECT)
    given = [one.replace("CODE", code).replace("REALM", demo.REALM) for one in arguments]
    try:
        return trying._printed(given)
    except ArsyncError as error:
        return f"error: {error}\n"


def _shell(command: str, text: str, world: World) -> str:
    name, *arguments = shlex.split(_here(command, world))
    assert name in SHELL, f"pages use arsync and {', '.join(SHELL)}: {command}"
    program = sys.executable if name == "python3" else name
    ran = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, check=True)
    return ran.stdout


def _here(text: str, world: World) -> str:
    """The same with the address of the simulator."""
    return text.replace(world.said, world.url)


def settled(output: str, folder: Path) -> str:
    """What is printed, with a standing value for what differs from run to run."""
    text = output.replace(str(folder), "/home/dana/books")
    for varies, standing in _VARIES:
        text = varies.sub(standing, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def regenerating() -> bool:
    """Whether the pages are to be written anew."""
    return os.environ.get("ARSYNC_REGENERATE") == "1"
