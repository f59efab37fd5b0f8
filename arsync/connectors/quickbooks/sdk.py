"""python-quickbooks, driven through our transport: it names the URLs and shapes the calls, nothing else.

Its own session has no timeout and no retry, its errors lose the trace, and its object classes send fields
nobody set; so it is given a session of ours, plain text bodies, and never gets to see an answer that is a
fault.

Errors  `Faulted` carries a fault the caller must give a meaning; `ConsentLost`, `PlatformBusy` kinds as in
        transport.
"""

import warnings
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from quickbooks.client import QuickBooks
from quickbooks.exceptions import QuickbooksException

from arsync.connectors.oauth import SignIn
from arsync.connectors.quickbooks.faults import Fault, fault_of, meaning
from arsync.connectors.transport import Ask, Reply, Transport, garbled
from arsync.errors import ConsentLost

NAME = "quickbooks"
_OK = 200


class Faulted(Exception):
    """The platform answered with a fault."""

    def __init__(self, fault: Fault, where: str) -> None:
        super().__init__(fault.said)
        self.fault, self.where = fault, where


class _Heard:
    """What the SDK wants to see of an answer."""

    def __init__(self, reply: Reply) -> None:
        self.status_code, self.text = reply.status, reply.text


class _Session:
    """The SDK's session: it needs an access token and one method."""

    def __init__(self, transport: Transport, sign_in: SignIn) -> None:
        self._transport, self._sign_in = transport, sign_in
        self.last = Reply(0, {}, "")

    @property
    def access_token(self) -> str:
        return self._sign_in.access()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Mapping[str, Any],
        data: str | Mapping[str, Any],
    ) -> _Heard:
        body = data.encode() if isinstance(data, str) else b""
        purpose: Literal["read", "write"] = "read" if method == "GET" or url.endswith("/query") else "write"
        wanted = {key: str(value) for key, value in params.items()}

        def ask(bearer: str) -> Reply:
            with_token = {**headers, "Authorization": f"Bearer {bearer}"}
            return self._transport.request(Ask(method, url, purpose, with_token, wanted, body))

        spent = headers["Authorization"].removeprefix("Bearer ")
        self.last = reply = ask(spent)
        fault = fault_of(reply)
        if _wants_sign_in(reply, fault):
            self.last = reply = ask(self._sign_in.renew(spent))
            fault = fault_of(reply)
        return self._judge(reply, fault, url)

    def _judge(self, reply: Reply, fault: Fault | None, url: str) -> _Heard:
        where = url.partition("/v3/")[2]
        if _wants_sign_in(reply, fault) or (fault is not None and meaning(fault) == "consent"):
            said = fault.said if fault else reply.excerpt()
            what = f"QuickBooks does not let us into this company: {said}"
            where = f"{where}, trace {reply.trace or 'none'}"
            raise ConsentLost(
                what,
                where=where,
                do=f"an administrator of the company connects again: {self._sign_in.reconnect}",
            )
        if fault is not None:
            raise Faulted(fault, where)
        if reply.status != _OK:
            raise garbled(NAME, reply, "neither an answer nor a fault", where)
        return _Heard(reply)


def _wants_sign_in(reply: Reply, fault: Fault | None) -> bool:
    if fault is None:
        return reply.status == 401  # noqa: PLR2004 - "unauthorised"
    return meaning(fault) == "sign_in"


class Company:
    """One company's books, call by call. Not for several threads: `last` belongs to the newest call."""

    def __init__(
        self,
        base_url: str,
        realm_id: str,
        minor_version: int,
        transport: Transport,
        sign_in: SignIn,
    ) -> None:
        self._realm_id = realm_id
        self._session = _Session(transport, sign_in)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # it warns about versions QuickBooks ignores anyway
            self._client = QuickBooks(company_id=realm_id, minorversion=minor_version, use_decimal=True)
        self._client.api_url_v3 = base_url.rstrip("/") + "/v3"
        self._client.session = self._session

    @property
    def last(self) -> Reply:
        """The newest answer as it came."""
        return self._session.last

    def date(self) -> datetime | None:
        """The server's clock in the newest answer, from its Date header."""
        try:
            return parsedate_to_datetime(self.last.headers.get("date", ""))
        except ValueError:
            return None

    def query(self, statement: str) -> dict[str, Any]:
        """The answer to a statement of the query language."""
        return self._read("query", lambda: self._client.query(statement))

    def changes(self, entities: str, since: str) -> dict[str, Any]:
        """Change data capture of these entities (comma between them)."""
        return self._read("cdc", lambda: self._client.change_data_capture(entities, since))

    def report(self, name: str, options: Mapping[str, str]) -> dict[str, Any]:
        """A report."""
        return self._read(f"reports/{name}", lambda: self._client.get_report(name, dict(options)))

    def one(self, entity: str, number: str) -> dict[str, Any] | None:
        """One object as it is now; None when the platform says that it is no more (code 610)."""
        try:
            answer = self._read(f"{entity} {number}", lambda: self._client.get_single_object(entity, number))
        except Faulted as error:
            if meaning(error.fault) == "gone":
                return None
            raise
        found = answer.get(entity)
        if not isinstance(found, dict):
            raise garbled(NAME, self.last, f"no {entity} in it", f"{entity} {number}")
        return found

    def write(self, entity: str, operation: str, body: str, key: str) -> dict[str, Any]:
        """Create, update or delete, byte for byte as given, under an idempotency key."""
        if operation == "delete":
            return self._read(entity, lambda: self._client.delete_object(entity, body, request_id=key))
        return self._read(entity, lambda: self._client.create_object(entity, body, request_id=key))

    def batch(self, body: str, key: str) -> dict[str, Any]:
        """Up to 30 writes in one request, under one idempotency key (at most 36 characters)."""
        # The SDK's own batch names its items by itself and passes no key.
        url = f"{self._client.api_url}/company/{self._realm_id}/batch"
        return self._read("batch", lambda: self._client.post(url, body, request_id=key))

    def _read(self, what: str, call: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK is untyped
        try:
            answer = call()
        except QuickbooksException:
            # Faults never get here: the SDK found no JSON. Its own error quotes the whole answer, and a proxy's
            # page may show the token it was asked with: nobody may see it below ours.
            raise garbled(NAME, self.last, "not JSON", what) from None
        if not isinstance(answer, dict):
            raise garbled(NAME, self.last, "not a JSON object", what)
        return answer
