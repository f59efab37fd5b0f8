"""A bank's SFTP server: files that are new there, read with the system's own `sftp` (OpenSSH).

Shape   (settings, mark) -> `Delivery`s of kind "file", in the order of their names. A mark is what each file that lies
        there looked like (size and time) when it was read, as JSON.
Law     nothing is written, renamed or deleted there. The server's key must be known beforehand. A file that has
        grown or changed since is read again; what was read of it before counts once.
Errors  `ConfigError` (no `sftp`, key or sign-in refused, no such folder), `Unreachable`.
Source  OpenSSH sftp(1), batch mode; its `ls -n` writes one format whatever the server.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arsync.connectors.deliveries import Delivery
from arsync.errors import ConfigError, Unreachable

MAX_BYTES = 64 * 1024**2
_CONNECT_S, _PATIENCE_S = 30, 600
_UNFINISHED = (".part", ".tmp", ".filepart", ".writing")
# -rw-r--r--    ? 0 0 1234 Jan  5 12:00 /out/name of it
_LISTED = re.compile(r"-\S+\s+\S+\s+\S+\s+\S+\s+([0-9]+)\s+(\S+\s+\S+\s+\S+)\s(.+)")
_SPECIAL = re.compile(r"([\\\"'*?\[\]# \t])")
_REFUSED = re.compile(
    r"Host key verification failed|Permission denied|REMOTE HOST IDENTIFICATION|No such file|not found", re.I
)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a bank puts files.

    Attributes:
        title: what the installation calls it.
        account: the bank account its files belong to where they do not say; None: they say it.
        key_file: our private key; known_hosts: the server's public one, as OpenSSH writes it.
    """

    title: str
    ledger: str
    host: str
    user: str
    key_file: Path
    known_hosts: Path
    port: int = 22
    folder: str = "."
    account: str | None = None
    authority: str = ""

    @property
    def name(self) -> str:
        """What its mark is kept under."""
        return f"sftp:{self.title}"

    def new(self, mark: str | None) -> Iterator[Delivery]:
        """Files that came or changed since the mark."""
        seen: dict[str, str] = json.loads(mark) if mark else {}
        listed = self._listed()
        # What is gone there need not be remembered.
        seen = {name: look for name, look in seen.items() if name in listed}
        for name in sorted(listed):
            size, look = listed[name]
            if seen.get(name) == look:
                continue
            seen[name] = look
            here = json.dumps(seen, sort_keys=True)
            shown = f"{self.title}/{name}"
            if size > MAX_BYTES:
                why = f"larger than {MAX_BYTES // 1024**2} MiB"
                yield Delivery(shown, b"", here, folder=self.account, refused=why)
                continue
            yield Delivery(shown, self._fetched(name), here, folder=self.account)

    def _listed(self) -> dict[str, tuple[int, str]]:
        """(size, size and time) of each finished file of the folder, by name."""
        found: dict[str, tuple[int, str]] = {}
        for line in self._said(f"ls -ln {_quoted(self.folder)}").splitlines():
            match = _LISTED.fullmatch(line.strip())
            if match is None:
                continue
            name = match[3].rpartition("/")[2]
            if not name.startswith(".") and not name.lower().endswith(_UNFINISHED):
                found[name] = (int(match[1]), f"{match[1]} {' '.join(match[2].split())}")
        return found

    def _fetched(self, name: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="arsync-") as folder:
            path = Path(folder) / "file"
            there = f"{self.folder.rstrip('/')}/{name}"
            self._said(f"get {_quoted(there)} {_quoted(str(path))}")
            return path.read_bytes()

    def _said(self, batch: str) -> str:
        """What one command of a session of its own answers."""
        program = shutil.which("sftp")
        where = f"{self.user}@{self.host}:{self.port}"
        if program is None:
            raise ConfigError("there is no sftp program", where=self.title, do="install OpenSSH's client")
        options = {
            "BatchMode": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "/dev/null", "IdentityFile": self.key_file, "IdentitiesOnly": "yes",
            "ConnectTimeout": _CONNECT_S, "ServerAliveInterval": _CONNECT_S, "PasswordAuthentication": "no",
        }  # fmt: skip
        given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        command = [
            program,
            "-F",
            "/dev/null",
            "-P",
            str(self.port),
            *given,
            "-b",
            "-",
            f"{self.user}@{self.host}",
        ]
        try:
            # No shell: every word is a setting, and names of files go in as its input, quoted.
            done = subprocess.run(  # noqa: S603
                command, input=f"{batch}\n".encode(), capture_output=True, timeout=_PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unreachable(
                "the bank's server does not finish", where=where, do="the next run tries again"
            ) from None
        if done.returncode:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[-300:]
            if _REFUSED.search(said):
                do = "check user, key_file, known_hosts and folder"
                raise ConfigError(f"the bank's server refuses: {said}", where=where, do=do)
            raise Unreachable(
                f"the bank's server is not reached: {said}", where=where, do="the next run tries again"
            )
        return "\n".join(
            line
            for line in done.stdout.decode("utf-8", "replace").splitlines()
            if not line.startswith("sftp> ")
        )


def _quoted(path: str) -> str:
    """A path as one word of a batch, with nothing in it that stands for something else."""
    if any(ord(char) < ord(" ") for char in path):
        raise ConfigError(
            "the name of a file holds control characters", where=repr(path), do="rename it there"
        )
    return _SPECIAL.sub(r"\\\1", path)
