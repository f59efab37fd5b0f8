"""A wire with trouble: it stands between a connector and its simulator, keeps what passed, and breaks on request.

Shape   a real HTTP server on loopback that hands every request on. A `Fault` says which requests, and what
        happens to them; simulators need no faults of their own.
Law     nothing but what a fault asks for is changed: method, path, query and body pass byte for byte.
"""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Literal
from urllib.parse import urlsplit

Trouble = Literal[
    "lost before",  # the connection is cut, the platform never heard of it
    "lost after",  # the platform did it, the connection is cut before the first byte of the answer
    "torn",  # the platform did it, the connection is cut in the middle of the answer
    "truncated",  # the platform did it, half of its answer arrives as if it were all
    "html",  # the platform did it, a sign-in page of some proxy arrives instead, with status 200
    "empty",  # the platform did it, status 200 and nothing else arrives
    "broken",  # the platform did it, a page with status 500 arrives
    "throttled",  # status 429, the platform never heard of it
    "late",  # the platform did it, the answer does not come
    "rewritten",  # the answer is changed by `rewrite`
    "watched",  # nothing; `first` is called before the request is handed on
]
_PAGE_TYPE = (("Content-Type", "text/html"),)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
_OK, _BROKEN, _THROTTLED = 200, 500, 429
_PLATFORM_ANSWERS_S = 60
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER 0: the kernel says RST instead of a polite goodbye


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, as it left the connector."""

    method: str
    path: str  # with query
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def is_sign_in(self) -> bool:
        """Whether it asks for tokens (RFC 6749)."""
        return b"grant_type" in self.body


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what the connector got for it."""

    sent: Sent
    at: datetime
    status: int  # 0: nothing came back
    answer: bytes
    trouble: Trouble | None


def _every_question(sent: Sent) -> bool:
    return not sent.is_sign_in


@dataclass(slots=True)
class Fault:
    """What happens to which requests: `skip` of those that match pass, then it happens `times` times."""

    trouble: Trouble
    match: Callable[[Sent], bool] = _every_question
    times: int = 10_000
    skip: int = 0
    retry_after_s: int | None = None
    rewrite: Callable[[bytes], bytes] = bytes
    first: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int  # 0: the connection is cut
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_torn: bool = False  # as much again was promised, and the connection is cut instead


_NOTHING = _Answer(0)


@dataclass(slots=True)
class Wire:
    """The wire; `url` is what the connector is told, `exchanges` everything that passed."""

    target: str
    now: Callable[[], datetime]
    exchanges: list[Exchange] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _released: threading.Event = field(default_factory=threading.Event)
    _server: "_Server | None" = None

    @property
    def url(self) -> str:
        """Its address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._server.open_sockets) if self._server else 0

    @contextmanager
    def running(self) -> Iterator["Wire"]:
        """Listen for a block."""
        self._server = server = _Server(self)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._released.set()
            server.shutdown()
            server.cut_all()
            server.server_close()
            thread.join()
            self._server = None

    def fault(self, fault: Fault) -> None:
        """Let this happen from now on, before older faults."""
        with self._lock:
            self._faults.insert(0, fault)
            self._released.clear()

    def heal(self) -> None:
        """No more faults; answers held back are cut off."""
        with self._lock:
            self._faults.clear()
        self._released.set()

    def story(self, last: int = 10) -> str:
        """The last exchanges, one a line, for a person."""
        return "\n".join(
            f"  {one.sent.method} {one.sent.path} -> {one.status or 'nothing'}"
            + (f" ({one.trouble})" * bool(one.trouble))
            for one in self.exchanges[-last:]
        )

    # ---- one request

    def carry(self, sent: Sent) -> _Answer:
        """Hand a request on; what the connector gets for it."""
        fault, at = self._due(sent), self.now()
        if fault:
            fault.first()
        answer = self._answer(sent, fault)
        with self._lock:
            trouble = fault.trouble if fault else None
            self.exchanges.append(Exchange(sent, at, answer.status, answer.body, trouble))
        return answer

    def _due(self, sent: Sent) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if not fault.match(sent) or fault.times == 0:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _answer(self, sent: Sent, fault: Fault | None) -> _Answer:
        if fault and fault.trouble == "lost before":
            return _NOTHING
        if fault and fault.trouble == "throttled":
            wait = () if fault.retry_after_s is None else (("Retry-After", str(fault.retry_after_s)),)
            return _Answer(_THROTTLED, (("Content-Type", "text/plain"), *wait), b"slow down")
        answer = self._from_platform(sent)
        return self._spoiled(answer, sent, fault) if fault and answer.status else answer

    def _spoiled(self, answer: _Answer, sent: Sent, fault: Fault) -> _Answer:
        half = answer.body[: len(answer.body) // 2]
        match fault.trouble:
            case "truncated":
                return replace(answer, body=half)
            case "torn":
                return replace(answer, body=half, is_torn=True)
            case "html" | "empty" | "broken":
                body = b"" if fault.trouble == "empty" else _page(sent)
                return _Answer(_BROKEN if fault.trouble == "broken" else _OK, _PAGE_TYPE, body)
            case "rewritten":
                return replace(answer, body=fault.rewrite(answer.body))
            case "late":
                # Held for as long as the case runs: the connector has to give up by itself.
                self._released.wait()
                return _NOTHING
            case "lost after":
                return _NOTHING
        return answer

    def _from_platform(self, sent: Sent) -> _Answer:
        host = urlsplit(self.target)
        connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=_PLATFORM_ANSWERS_S)
        # What is to be rewritten must not be compressed.
        passed = {name: value for name, value in sent.headers.items() if name != "accept-encoding"}
        try:
            connection.request(sent.method, sent.path, sent.body or None, passed)
            response = connection.getresponse()
            headers = (
                (name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP
            )
            return _Answer(response.status, tuple(headers), response.read())
        except (OSError, http.client.HTTPException):
            return _NOTHING
        finally:
            connection.close()


def _page(sent: Sent) -> bytes:
    """A proxy that shows what it was asked, secrets included: this is how secrets get into logs."""
    shown = "".join(f"<li>{name}: {value}</li>" for name, value in sent.headers.items())
    return f"<!DOCTYPE html><html><title>Sign in</title><body>Please sign in.<ul>{shown}</ul></body></html>".encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.server.open_sockets.add(self.connection)

    def finish(self) -> None:
        self.server.open_sockets.discard(self.connection)
        super().finish()

    def handle(self) -> None:
        with suppress(OSError):  # the connector hung up, or the wire did
            super().handle()

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        kept = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
        answer = self.server.wire.carry(Sent(self.command, self.path, kept, body))
        if answer.status:
            self._give(answer)
        if answer.is_torn or not answer.status:
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - names of the standard library

    def _give(self, answer: _Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) * (1 + answer.is_torn) + answer.is_torn))
        self.end_headers()
        self.wfile.write(answer.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that `server_close` waits for every one
    request_queue_size = 64

    def __init__(self, wire: Wire) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wire, self.open_sockets = wire, set[socket.socket]()

    def server_bind(self) -> None:
        """Listen without asking anybody for the name of this machine, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_port = self.socket.getsockname()[1]

    def cut_all(self) -> None:
        """Hang up on everybody."""
        for one in tuple(self.open_sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
