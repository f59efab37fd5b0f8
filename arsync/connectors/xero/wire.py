"""One organisation's books over HTTP: requests through our transport, raw JSON with exact decimals.

xero-python is not used at run time; docs/decisions tells why.

Errors  `Faulted` carries a fault the caller must give a meaning; `ConsentLost`, `PlatformBusy` kinds as in transport.
Law     reading stops while enough of the day's calls are left for writing what was decided.
Source  README.md of this folder.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from arsync.connectors import exact
from arsync.connectors.contract import Meter
from arsync.connectors.oauth import SignIn
from arsync.connectors.transport import Ask, Reply, Transport, garbled
from arsync.connectors.xero.faults import Fault, fault_of, meaning
from arsync.errors import ConsentLost, Throttled

NAME = "xero"
_BOOKS = "/api.xro/2.0"
_UNAUTHORISED = 401
_NOTHING = 204
KEY_TTL_S = 360  # so long Xero remembers an idempotency key
_KEY_S = 300.0


class Faulted(Exception):
    """Xero answered with a fault."""

    def __init__(self, fault: Fault, where: str) -> None:
        super().__init__(fault.said)
        self.fault, self.where = fault, where


class Tenant:
    """One organisation, call by call. Not for several threads: `last` belongs to the newest call."""

    def __init__(
        self, base_url: str, tenant_id: str, transport: Transport, sign_in: SignIn, meter: Meter, reserve: int
    ) -> None:
        """`reserve` of the day's calls are kept for writing; `tenant_id` may be empty for a custom connection."""
        self._base, self._tenant_id, self._reserve = base_url.rstrip("/"), tenant_id, reserve
        self._transport, self._sign_in, self._meter = transport, sign_in, meter
        self.last = Reply(0, {}, "")
        self.day_left: int | None = None  # calls that Xero still takes today

    def date(self) -> datetime | None:
        """The server's clock in the newest answer, from its Date header."""
        try:
            return parsedate_to_datetime(self.last.headers.get("date", ""))
        except ValueError:
            return None

    def read(
        self, path: str, params: Mapping[str, str] | None = None, since: datetime | None = None
    ) -> dict[str, Any]:
        """A list or a record, for pulling: only while the day has calls to spare."""
        if self.day_left is not None and self.day_left <= self._reserve:
            what = f"xero takes {self.day_left} more requests today, and they are kept for writing"
            raise Throttled(what, where=path, do="nothing; the next day's run goes on where this one stopped")
        return self.look(path, params, since)

    def look(
        self, path: str, params: Mapping[str, str] | None = None, since: datetime | None = None
    ) -> dict[str, Any]:
        """A list or a record, for writing safely: whatever the day has left."""
        headers = {} if since is None else {"If-Modified-Since": moment(since)}
        return self._ask("GET", f"{_BOOKS}{path}", "read", headers, params or {}, b"")

    def one(self, entity: str, number: str) -> dict[str, Any] | None:
        """One record as it is now; None when Xero knows none of this id."""
        try:
            found = self.look(f"/{entity}/{number}").get(entity)
        except Faulted as error:
            if meaning(error.fault) == "gone":
                return None
            raise
        if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
            raise garbled(NAME, self.last, f"no {entity} in it", f"{entity}/{number}")
        return found[0]

    def write(self, method: str, path: str, body: bytes, key: str) -> dict[str, Any]:
        """Send a write, byte for byte as given; the key makes the same bytes one effect for six minutes."""
        headers = {"Content-Type": "application/json"} if body else {}
        headers |= {"Idempotency-Key": key} if method != "DELETE" else {}
        return self._ask(method, f"{_BOOKS}{path}", "write", headers, {}, body)

    def connections(self) -> list[dict[str, Any]]:
        """The organisations that this sign-in reaches."""
        found: list[dict[str, Any]] = self._ask("GET", "/connections", "read", {}, {}, b"")["connections"]
        return found

    def forget(self, connection_id: str) -> None:
        """Take one organisation off this sign-in."""
        self._ask("DELETE", f"/connections/{connection_id}", "write", {}, {}, b"")

    def _ask(
        self,
        method: str,
        path: str,
        purpose: Literal["read", "write"],
        headers: Mapping[str, str],
        params: Mapping[str, str],
        body: bytes,
    ) -> dict[str, Any]:
        key_s = _KEY_S if purpose == "write" else None
        tenant = {"xero-tenant-id": self._tenant_id} if self._tenant_id else {}

        def ask(bearer: str) -> Reply:
            given = {"Accept": "application/json", "Authorization": f"Bearer {bearer}", **tenant, **headers}
            reply = self._transport.request(
                Ask(method, f"{self._base}{path}", purpose, given, params, body, key_s=key_s)
            )
            self._count(path, reply)
            return reply

        spent = self._sign_in.access()
        self.last = reply = ask(spent)
        if reply.status == _UNAUTHORISED and (fault := fault_of(reply)) and meaning(fault) == "sign_in":
            self.last = reply = ask(self._sign_in.renew(spent))
        return self._judge(reply, path)

    def _count(self, path: str, reply: Reply) -> None:
        left = reply.headers.get("x-daylimit-remaining", "")
        if left.isdecimal():
            self.day_left = int(left)
        if not path.endswith("/Organisation"):  # which Xero does not charge for
            self._meter.count(f"{NAME}.bytes", reply.size)

    def _judge(self, reply: Reply, path: str) -> dict[str, Any]:
        where = path.removeprefix(_BOOKS)
        fault = fault_of(reply)
        if fault is not None and meaning(fault) in {"sign_in", "consent"}:
            what = f"Xero does not let us into this organisation: {fault.said}"
            raise ConsentLost(
                what,
                where=f"{where}, trace {fault.trace or 'none'}",
                do=f"somebody who may connect apps in Xero connects again: {self._sign_in.reconnect}",
            )
        if fault is not None:
            raise Faulted(fault, where)
        if reply.status == _NOTHING:
            return {}
        try:
            answer = exact.read(reply.text)
        except ValueError as error:
            raise garbled(NAME, reply, "not JSON", where) from error
        if isinstance(answer, list) and path == "/connections":  # the one answer that is no object
            return {"connections": [one for one in answer if isinstance(one, dict)]}
        if not isinstance(answer, dict):
            raise garbled(NAME, reply, "not a JSON object", where)
        return answer


def moment(when: datetime) -> str:
    """A time as If-Modified-Since takes it: UTC, whole seconds, its zone said."""
    return when.astimezone(UTC).isoformat(timespec="seconds")
