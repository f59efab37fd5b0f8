"""JSON objects over HTTP, signed in by OAuth 2: what most platforms need between a connector and the transport.

Law     numbers keep their digits (`Decimal`, never a float); an answer that is no JSON object, or has a status
        nobody expects, is `Garbled` and never an empty answer; an access token that ended is renewed once.
Errors  `ConsentLost`, `Garbled`, and those of the transport.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, NamedTuple

from arsync.connectors.contract import Ports
from arsync.connectors.oauth import Endpoints, SignIn
from arsync.connectors.pace import Limit, shared
from arsync.connectors.transport import Ask, Reply, Transport, garbled
from arsync.errors import ConsentLost

_OK, _UNAUTHORISED = 200, 401
_CONCURRENT = 8


class Heard(NamedTuple):
    """An answer: its status, the object in it, and its text as it came."""

    status: int
    document: dict[str, Any]
    text: str


class JsonApi:
    """One platform below one address. Constructing it does no I/O."""

    def __init__(self, url: str, endpoints: Endpoints, ports: Ports, limits: Sequence[Limit]) -> None:
        """`endpoints.name` is the platform's name; `limits` is how often it may be asked."""
        self._url, self._endpoints, self._ports, self._limits = url, endpoints, ports, limits

    def read(self, path: str) -> dict[str, Any]:
        """The object below this path; any other status than 200 is `Garbled`."""
        return self.ask("GET", path).document

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        expected: frozenset[int] = frozenset({_OK}),
    ) -> Heard:
        """One request and its answer, of one of the expected statuses.

        Raises:
            ConsentLost: not let in, also with a new token. Garbled: not what the platform promises.
        """
        purpose: Literal["read", "write"] = "read" if method == "GET" else "write"

        def once(token: str) -> Reply:
            sent = {"Content-Type": "application/json", **(headers or {}), "Authorization": f"Bearer {token}"}
            return self._transport.request(Ask(method, self._url + path, purpose, sent, body=body))

        token = self._sign_in.access()
        reply = once(token)
        if reply.status == _UNAUTHORISED:
            reply = once(self._sign_in.renew(token))
        name, where = self._endpoints.name, path.partition("?")[0]
        if reply.status == _UNAUTHORISED:
            raise ConsentLost(
                f"{name} does not let us in", where=where, do=f"connect again: {self._ports.reconnect}"
            )
        try:
            document = json.loads(reply.text, parse_float=Decimal)
        except ValueError:
            document = None
        if not isinstance(document, dict) or reply.status not in expected:
            raise garbled(name, reply, "not an answer it promises", where)
        return Heard(reply.status, document, reply.text)

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        if "_transport" in self.__dict__:
            self._transport.close()
            for name in ("_transport", "_sign_in"):
                self.__dict__.pop(name, None)

    @cached_property
    def _transport(self) -> Transport:
        ports, name = self._ports, self._endpoints.name
        # Platforms count by account, so all who speak with one share a pace.
        pace = shared(ports, f"{name} {self._url}", self._limits, _CONCURRENT)
        return Transport(name, ports.now, ports.sleep, ports.meter, pace)

    @cached_property
    def _sign_in(self) -> SignIn:
        return SignIn(self._endpoints, self._transport, self._ports)
