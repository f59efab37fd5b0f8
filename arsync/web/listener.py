"""A door for platforms to knock on: "something changed here". It opens to signed knocks only and keeps one mark.

Shape   `listening(...)` serves until it is closed. `keep(companies)` writes the mark; None means every company.
Law     a knock is answered with 200 only after its mark is kept, within 2 s; else with 503, and the platform
        knocks again. A knock that is lost, doubled or late changes nothing but when the next pull runs.
Limits  1 MiB a knock, 2 s to send it. No TLS: a proxy in front has that.
Source  docs/decisions/0009-webhooks-only-knock.md.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from arsync.errors import ArsyncError

MOST_BYTES = 1024 * 1024
ANSWER_WITHIN_S = 2.0  # QuickBooks waits 3 s
_PATIENCE_S = 2.0
log = logging.getLogger("arsync.web")

Companies = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Knocks:
    """How one platform knocks."""

    header: str  # the one with the signature
    signed: Callable[[bytes, str], bool]
    companies: Callable[[bytes], Companies]
    keep: Callable[[Companies], int]  # writes the mark; how many ledgers it concerns


@dataclass(slots=True)
class _Knock:
    companies: Companies
    kept: threading.Event = field(default_factory=threading.Event)


class _Keeper(threading.Thread):
    """The one that writes: knocks that came together are one mark."""

    def __init__(self, keep: Callable[[Companies], int]) -> None:
        super().__init__(daemon=True)
        self.waiting: queue.SimpleQueue[_Knock | None] = queue.SimpleQueue()
        self._keep = keep

    def run(self) -> None:
        """Until None comes."""
        while (first := self.waiting.get()) is not None:
            together = [first]
            while not self.waiting.empty():
                following = self.waiting.get()
                if following is None:
                    return
                together.append(following)
            self._write(together)

    def _write(self, together: list[_Knock]) -> None:
        sets = [one.companies for one in together]
        everything = any(one is None for one in sets)
        try:
            number = self._keep(None if everything else frozenset().union(*(one or () for one in sets)))
        except ArsyncError as error:
            log.warning("%d knocks are not kept, they will come again: %s", len(together), error.what)
            return
        log.info("%d knocks kept, for %d ledgers", len(together), number)
        for one in together:
            one.kept.set()


def _handler(knocks: Knocks, keeper: _Keeper) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_S

        def do_GET(self) -> None:
            self._answer(200, "arsync listens")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self._answer(413 if length.isdecimal() else 411)
                return
            body = self.rfile.read(int(length))
            if not knocks.signed(body, self.headers.get(knocks.header, "")):
                log.warning("a knock whose signature is wrong, from %s", self.client_address[0])
                self._answer(401)
                return
            knock = _Knock(knocks.companies(body))
            if knock.companies == frozenset():
                self._answer(200)
                return
            keeper.waiting.put(knock)
            kept = knock.kept.wait(ANSWER_WITHIN_S)
            self._answer(200 if kept else 503)

        def _answer(self, status: int, text: str = "") -> None:
            """To a knock without a word: Xero takes a door that says anything for one that does not work."""
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form: str, *values: object) -> None:
            log.debug(form, *values)

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 resets a platform that knocks for many companies at once

    def handle_error(self, _request: object, client: object) -> None:
        """Somebody hung up, or was too slow: they knock again."""
        log.debug("a connection from %s ended early", client)


@contextmanager
def listening(where: tuple[str, int], knocks: Knocks) -> Iterator[str]:
    """Serve for as long as the block lasts; yields the address.

    Raises:
        OSError: the port is taken, or may not be opened.
    """
    keeper = _Keeper(knocks.keep)
    with _Server(where, _handler(knocks, keeper)) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        keeper.start()
        serving.start()
        try:
            yield f"http://{where[0]}:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()
            keeper.waiting.put(None)
            keeper.join()
