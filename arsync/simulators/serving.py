"""Starlette on uvicorn in a thread, with a hand on the connection to cut it.

Errors  `RuntimeError` when the server does not come up; `OSError` when the port is taken.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

START_WAIT_S = 10.0


class _Protocol(H11Protocol):
    """Uvicorn's protocol, which also lets a fault reach its connection."""

    open_connections: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        super().connection_made(transport)
        if self.client is not None:
            self.open_connections[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self.open_connections.pop(self.client, None)
        super().connection_lost(exc)


class ServerThread:
    """One running server."""

    def __init__(self, application: Callable[[str], Starlette], port: int, name: str) -> None:
        # asyncio sets TCP_NODELAY only on sockets that say IPPROTO_TCP; without it 40 ms an answer.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
            self._socket.listen(128)
        except OSError:
            self._socket.close()
            raise
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            application(self.url),
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name=name,
            daemon=True,
        )
        self._thread.start()
        waited_s = 0.0
        while not self._server.started:
            if waited_s > START_WAIT_S or not self._thread.is_alive():
                raise RuntimeError(f"the {name} did not start")
            time.sleep(0.002)
            waited_s += 0.002

    def stop(self) -> None:
        """Finish running requests, close everything."""
        self._server.should_exit = True
        self._thread.join(START_WAIT_S)
        self._socket.close()


class Silence(Response):
    """No answer at all: the connection is gone already."""

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """Send nothing."""


async def drip(body: bytes, delay_s: float) -> AsyncIterator[bytes]:
    """The body in twenty pieces over `delay_s`."""
    pieces = 20
    size = max(1, -(-len(body) // pieces))
    for start in range(0, len(body), size):
        await asyncio.sleep(delay_s / pieces)
        yield body[start : start + size]


async def cut(http: HttpRequest) -> None:
    """Reset the connection: SO_LINGER 0 makes the kernel send RST instead of a polite goodbye."""
    if http.client is None:
        return
    transport = _Protocol.open_connections.get((http.client.host, http.client.port))
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while not await http.is_disconnected():
        await asyncio.sleep(0.001)
