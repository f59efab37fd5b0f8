"""The way back of a sign-in: the platform sends the browser to an address on this machine, with a code.

Shape   `listening(...)` holds the address open; `heard()` is what the browser was sent to, once it came.
Law     only an answer that carries our own `state` is taken; anything else is told so, and we go on waiting.
        The code is never in a log line: this server logs nothing.
Source  RFC 8252, section 7.3: a loopback address, open for as long as one sign-in takes.
"""

import hmac
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LOOPBACK = ("127.0.0.1", "localhost")
_SLOW_S = 5.0  # browsers open connections ahead and say nothing on them
_HEARD = "arsync has its answer. Close this page and go back to the terminal."
_STRANGE = "This answer belongs to another sign-in. Go back to the terminal and open the page named there."


def loopback(redirect_uri: str) -> tuple[str, int] | None:
    """Where to listen for this address; None when it is not on this machine."""
    split = urllib.parse.urlsplit(redirect_uri)
    if split.scheme != "http" or split.hostname not in _LOOPBACK:
        return None
    return "127.0.0.1", split.port or 80


def answers(address: str, state: str) -> bool:
    """Whether an address answers our question: it carries our state."""
    given = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query).get("state", [""])[0]
    return hmac.compare_digest(given.encode(), state.encode())


@contextmanager
def listening(where: tuple[str, int], state: str) -> Iterator[Callable[[float], str | None]]:
    """Listen for the answer; yields what waits for it, so many seconds: the path it came on, or None.

    Raises:
        OSError: the port is taken, or may not be opened.
    """
    came, heard = threading.Event(), list[str]()

    class Handler(BaseHTTPRequestHandler):
        timeout = _SLOW_S

        def do_GET(self) -> None:
            ours = answers(self.path, state)
            body = (_HEARD if ours else _STRANGE).encode()
            self.send_response(200 if ours else 400)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            if ours:
                heard.append(self.path)
                came.set()

        def log_message(self, *_: object) -> None:
            """The path holds the code."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A browser that hangs up is no trouble of ours."""

    def wait(wait_s: float) -> str | None:
        return heard[0] if came.wait(wait_s) else None

    with Server(where, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield wait
        finally:
            server.shutdown()
            thread.join()
