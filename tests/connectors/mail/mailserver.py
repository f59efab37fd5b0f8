"""A real IMAP server (pymap, in a process of its own) and letters put into it as a mail server would."""

import imaplib
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

USER, PASSWORD = "demouser", "demopass"


class Server:
    """One running server."""

    def __init__(self, port, tokens=None):
        self.port, self.tokens = port, tokens

    def client(self):
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        if self.tokens is None:
            client.login(USER, PASSWORD)
        else:
            said = f"user={USER}\x01auth=Bearer {self.tokens.read_text().split()[-1]}\x01\x01"
            client.authenticate("XOAUTH2", lambda _: said.encode())
        return client

    def deliver(self, *letters, folder="INBOX"):
        with self.client() as client:
            for data in letters:
                assert client.append(folder, None, None, data)[0] == "OK"

    def flags(self):
        with self.client() as client:
            client.select("INBOX", readonly=True)
            return client.uid("FETCH", "1:*", "(FLAGS)")[1]


@contextmanager
def serving(*options, tokens=None):
    """A server with an empty mailbox on a free port; with `tokens`, a file that lists the access tokens it takes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [str(Path(sys.executable).parent / "pymap")]
    if tokens is not None:
        program = [sys.executable, str(Path(__file__).with_name("oauth_imap.py")), str(tokens)]
    command = [
        *program,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *options,
    ]
    quiet = ["--no-service", "admin", "--no-service", "managesieve", "dict"]
    process = subprocess.Popen([*command, *quiet], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield Server(port, tokens)
    finally:
        process.terminate()
        process.wait(10)


def _wait(port, process):
    for _ in range(200):
        assert process.poll() is None, "the IMAP server ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the IMAP server does not listen")
