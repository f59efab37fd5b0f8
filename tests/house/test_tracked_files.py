"""The project speaks of itself alone: no registry's host, no path of somebody's machine, no secret."""

import re

import pytest

from tests.house.sources import ROOT, tracked

# Written apart, so that this file does not hold what it forbids.
REGISTRIES = [
    "pypi." + "org",
    "python" + "hosted.org",
    "npmjs." + "org",
    "npmjs." + "com",
    "crates." + "io",
    "rubygems." + "org",
    "docker." + "io",
    "ghcr." + "io",
    "conda." + "anaconda.org",
]
HOSTS = re.compile("|".join(re.escape(host) for host in REGISTRIES), re.IGNORECASE)
# Dana is the person of the how-tos.
MACHINE = re.compile(
    r"(?<![\w.])/(?:" + "|".join(["wo" + "rk/", "ro" + "ot/", "ho" + "me/(?!dana/)", "Us" + "ers/"]) + r")\w"
)
KEYS = re.compile("-----BEGIN " + r"[A-Z ]*PRIVATE KEY-----")


def hits(pattern: re.Pattern[str]) -> list[str]:
    """`file:line: what was found` for every tracked file."""
    return [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for path, text in tracked()
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(HOSTS, id="no package registry's host"),
        pytest.param(MACHINE, id="no path of one machine"),
        pytest.param(KEYS, id="no private key"),
    ],
)
def test_no_tracked_file_holds(pattern):
    assert hits(pattern) == []


def test_the_locks_hold_no_address():
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        assert "://" not in lock.read_text(), f"{lock.name} names a host: make lock"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        pytest.param(HOSTS, "see https://files.python" + "hosted.org/x", True, id="a registry"),
        pytest.param(HOSTS, "pip install arsync", False, id="the ordinary client"),
        pytest.param(MACHINE, "open('/ro" + "ot/x')", True, id="a home folder"),
        pytest.param(MACHINE, "/ho" + "me/somebody/x", True, id="somebody's folder"),
        pytest.param(MACHINE, "/ho" + "me/dana/books", False, id="the folder of the how-tos"),
        pytest.param(MACHINE, "/etc/arsync/arsync.toml", False, id="where the configuration lives"),
        pytest.param(MACHINE, "net/wo" + "rk/x", False, id="part of another path"),
    ],
)
def test_the_patterns_find_what_they_forbid(pattern, text, found):
    assert bool(pattern.search(text)) == found
