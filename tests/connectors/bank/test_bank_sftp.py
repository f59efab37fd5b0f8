"""Files from a bank's SFTP server: a real server, and the system's own client."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arsync.connectors.bank.sftp import Server
from arsync.errors import ConfigError, Unreachable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("sftp") is None and os.environ.get("CI") != "true",
        reason="OpenSSH's client is not installed",
    ),
]


def key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """(a server, the folder it serves)."""
    folder = tmp_path_factory.mktemp("sftp")
    host, user, stranger = (key(folder / name) for name in ("host", "user", "stranger"))
    out = folder / "root" / "out"
    out.mkdir(parents=True)
    script = Path(__file__).with_name("sftp_server.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder / "root"), str(host), str(user)],
        stdout=subprocess.PIPE,
        text=True,
    )
    port = int(process.stdout.readline())
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {host.with_suffix('.pub').read_text()}")
    wrong = folder / "wrong_hosts"
    wrong.write_text(f"[127.0.0.1]:{port} {stranger.with_suffix('.pub').read_text()}")
    yield Server("bank", "books", "127.0.0.1", "bank", user, known, port, "out", "main"), out
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(autouse=True)
def empty(place):
    for path in place[1].iterdir():
        path.unlink()


def names(deliveries):
    return [one.name for one in deliveries]


def test_new_files_come_once_in_order_and_stay_there(place):
    server, out = place
    assert list(server.new(None)) == []
    (out / "b.ofx").write_bytes(b"two")
    (out / "a.ofx").write_bytes(b"one \x00\xff")
    first, second = server.new(None)
    assert [(one.name, one.data, one.folder) for one in (first, second)] == [
        ("bank/a.ofx", b"one \x00\xff", "main"),
        ("bank/b.ofx", b"two", "main"),
    ]
    assert list(server.new(second.mark)) == []
    assert names(server.new(first.mark)) == ["bank/b.ofx"], "a mark is safe to go on from"
    assert sorted(path.name for path in out.iterdir()) == ["a.ofx", "b.ofx"]


def test_a_file_that_has_grown_is_read_again_and_one_that_is_gone_is_forgotten(place):
    server, out = place
    (out / "a.ofx").write_bytes(b"one")
    (one,) = server.new(None)
    (out / "a.ofx").write_bytes(b"one and more")
    (grown,) = server.new(one.mark)
    assert grown.data == b"one and more"
    (out / "a.ofx").unlink()
    assert list(server.new(grown.mark)) == []


@pytest.mark.parametrize(
    "name", ["O'Brien \\ Sons & Co.csv", "a [1] *?.csv", 'say "x".txt', "ümlaut #1.ofx", "-b.ofx"]
)
def test_names_of_every_kind(place, name):
    server, out = place
    (out / name).write_bytes(name.encode())
    (one,) = server.new(None)
    assert (one.name, one.data) == (f"bank/{name}", name.encode())


def test_folders_hidden_and_unfinished_files_are_left(place):
    server, out = place
    for name in (".hidden", "a.ofx.part", "b.TMP"):
        (out / name).write_bytes(b"x")
    (out / "done").mkdir()
    try:
        assert list(server.new(None)) == []
    finally:
        (out / "done").rmdir()


def changed(server, **more):
    given = {name: getattr(server, name) for name in Server.__dataclass_fields__}
    return Server(**(given | more))


def test_trouble_is_named_and_is_never_an_empty_folder(place):
    server, _ = place
    folder = server.key_file.parent
    with pytest.raises(ConfigError, match="refuses"):
        list(changed(server, key_file=folder / "stranger").new(None))
    with pytest.raises(ConfigError, match=r"(?i)host key|identification"):
        list(changed(server, known_hosts=folder / "wrong_hosts").new(None))
    with pytest.raises(ConfigError, match="refuses"):
        list(changed(server, folder="nowhere").new(None))
    with pytest.raises(Unreachable):
        list(changed(server, port=1).new(None))
