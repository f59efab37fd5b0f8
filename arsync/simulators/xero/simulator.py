"""Xero on loopback: a real HTTP server with real books behind it.

Shape   `XeroSimulator` holds organisations, applications, tokens, faults and logs; `serve()` runs the server in a
        thread.
Law     one lock around each request: concurrent clients see a sequence of whole operations. A write is in the state
        file before its answer leaves. The same seed and calls give the same ids, tokens and answers.
"""

import hashlib
import random
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from arsync.simulators.exact_json import Document, dump_json, parse_json
from arsync.simulators.faults import FaultScript
from arsync.simulators.xero import door, limits, refusals, state, wire
from arsync.simulators.xero.bookkeeper import Bookkeeper
from arsync.simulators.xero.books import Books, Event
from arsync.simulators.xero.chart import COUNTRIES
from arsync.simulators.xero.interference import FAULT_KINDS
from arsync.simulators.xero.limits import Memory, Meter, Remembered
from arsync.simulators.xero.oauth import Access, App, Code, Connection, Desk, Grant, Refresh
from arsync.simulators.xero.records import Actor, Organisation, Switches
from arsync.simulators.xero.refusals import Invalid, Refused
from arsync.simulators.xero.webhooks import Due, Heard, Post, Send

if TYPE_CHECKING:  # serving brings uvicorn
    from arsync.simulators.serving import ServerThread

API = "/api.xro/2.0"
FORMAT = "arsync xero simulator 1"
ALL_SCOPES = (
    "offline_access",
    "accounting.invoices",
    "accounting.payments",
    "accounting.banktransactions",
    "accounting.contacts",
    "accounting.settings",
    "accounting.reports.aged.read",
    "accounting.reports.trialbalance.read",
)
"""What an accounts-receivable client asks for."""
LOST = {"lost_before_commit", "lost_after_commit"}
DELIVER_EVERY_S = 0.05
DOOR_WAIT_S = 5.0
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
_WRITES = {"PUT", "POST", "PATCH"}
_STATE_TABLES: dict[str, type] = {
    "apps": App,
    "connections": Connection,
    "grants": Grant,
    "refresh": Refresh,
    "access": Access,
    "codes": Code,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the accounting API; `path` follows `/api.xro/2.0`."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    content_type: str = refusals.JSON
    headers: tuple[tuple[str, str], ...] = ()


class LoggedRequest(NamedTuple):
    """One line of the request log."""

    time: datetime
    method: str
    path: str
    query: dict[str, str]
    tenant_id: str
    idempotency_key: str
    status: int  # 0: the connection was cut before an answer
    answer_bytes: int
    fault: str
    verdict: str | None  # what the judge objects to; "" for nothing, None where nobody judges


Judge = Callable[[Request, Answer], str]
"""Somebody who knows the specification: what is wrong with an exchange, or ""."""


@dataclass(slots=True)
class Tenant:
    """An organisation, its books, and the person who keeps them; `writes` counts what came through the API."""

    organisation: Organisation
    core: Books
    books: Bookkeeper
    writes: int = 0


class XeroSimulator:
    """A platform with organisations and applications, for tests, demonstrations and trying things out."""

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: Callable[[], datetime],
        switches: Switches | None = None,
        state_path: Path | None = None,
        judge: Judge | None = None,
    ) -> None:
        """Prepare a platform; nothing listens yet.

        Args:
            seed: makes ids and tokens repeatable.
            clock: returns an aware datetime.
            switches: disputed behaviour.
            state_path: keep everything in this file after each write; read it first when it exists.
            judge: gives each exchange its verdict in the request log.
        """
        self.switches = switches or Switches()
        self.lock = threading.RLock()
        self.faults = FaultScript(FAULT_KINDS)
        self.requests: list[LoggedRequest] = []
        self.tenants: dict[str, Tenant] = {}
        self.memory = Memory()
        self.post = Post(seed, self.switches)
        self.desk = Desk(self.now_s, self.new_id, self.new_word, f"simulated {seed}")
        self.judge = judge
        self._seed = seed
        self._taken = 0
        self._clock = clock
        self._ahead = timedelta()
        self._meters: dict[tuple[str, str], Meter] = {}
        self._app_recent: defaultdict[str, deque[int]] = defaultdict(deque)
        self._state_path: Path | None = None
        self._server: ServerThread | None = None
        self._delivering = threading.Lock()
        self._stopped = threading.Event()
        if state_path is not None and state_path.exists():
            self.load(state_path)
        self._state_path = state_path

    # ---- time and chance -----------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The platform's time."""
        return self._clock() + self._ahead

    def now_s(self) -> int:
        """Seconds since the epoch."""
        return int(self.now().timestamp())

    def advance(self, seconds: float) -> None:
        """Let time pass: tokens expire, limits and keys are forgotten."""
        with self.lock:
            self._ahead += timedelta(seconds=seconds)

    def new_id(self) -> str:
        """A UUID nobody has had."""
        self._taken += 1
        digest = hashlib.sha256(f"{self._seed} id {self._taken}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def new_word(self, length: int) -> str:
        """Letters and digits nobody has had."""
        self._taken += 1
        digest = hashlib.shake_256(f"{self._seed} word {self._taken}".encode()).digest(length)
        return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest)

    # ---- organisations, applications, consent --------------------------------------------------------------

    def add_organisation(  # noqa: PLR0913 - the owner's choices, each by its name
        self,
        name: str,
        *,
        country: str = "US",
        currencies: tuple[str, ...] = (),
        rates: Mapping[str, Decimal | str] | None = None,
        is_demo: bool = False,
        reminders: bool = False,
        period_lock: date | None = None,
        year_lock: date | None = None,
        user: str = "Pat Keeper",
    ) -> Tenant:
        """Open the books of an organisation with a chart of accounts."""
        base, timezone, zone, percent = COUNTRIES[country]
        with self.lock:
            organisation = Organisation(
                self.new_id(),
                name,
                base,
                country,
                timezone,
                zone,
                percent,
                (base, *(one for one in currencies if one != base)),
                {code: Decimal(rate) for code, rate in (rates or {}).items()},
                period_lock,
                year_lock,
                is_demo,
                reminders,
                f"!{self.new_word(5)}",
                self.now_s() * 1000,
                user,
            )
            tenant = self._open(organisation)
            tenant.core.open_accounts()
            self.written()
            return tenant

    def _open(self, organisation: Organisation) -> Tenant:
        core = Books(organisation, self.switches, self.now, self.new_id)
        tenant = Tenant(organisation, core, Bookkeeper(core))
        core.on_commit = lambda events: self._committed(organisation.id, events)
        self.tenants[organisation.id] = tenant
        return tenant

    def _committed(self, tenant_id: str, events: list[Event]) -> None:
        listening = [
            app
            for app in self.desk.apps.values()
            if app.webhook_state in {"ok", "disabled"} and self.desk.connection(app.client_id, tenant_id)
        ]
        self.post.add(listening, tenant_id, events, self.now_s())
        self.written()

    def add_app(self, name: str, **choices: Any) -> App:  # noqa: ANN401 - the choices of Desk.add_app
        """Register an application; see `Desk.add_app`."""
        with self.lock:
            app = self.desk.add_app(name, **choices)
            self.written()
            return app

    def grant(
        self,
        app: App,
        *tenant_ids: str,
        scopes: tuple[str, ...] = ALL_SCOPES,
        user: str = "Pat Keeper",
        adviser: bool = False,
        may_report: bool = True,
    ) -> dict[str, object]:
        """Consent without a browser: the answer of the token endpoint."""
        with self.lock:
            grant = self.desk.consent(
                app, tenant_ids, scopes, user=user, adviser=adviser, may_report=may_report
            )
            tokens = self.desk.issue(grant)
            self.written()
            return tokens

    # ---- requests ------------------------------------------------------------------------------------------

    @contextmanager
    def entering(self, request: Request) -> Iterator[None]:
        """Count a request as under way, for the limit on concurrent ones."""
        with self.lock:
            meter = self._meter_of(request)
            if meter is not None:
                meter.at_once += 1
        try:
            yield
        finally:
            if meter is not None:
                with self.lock:
                    meter.at_once -= 1

    def _meter_of(self, request: Request) -> Meter | None:
        grant = self.desk.holder(_bearer(request))
        if grant is None:
            return None
        return self._meter(grant.client_id, self._tenant_id(request, self.desk.apps[grant.client_id]))

    def _meter(self, client_id: str, tenant_id: str) -> Meter:
        """The meter of an application and a tenant; its day starts when it starts for that tenant."""
        known = self._meters.get((client_id, tenant_id))
        if known is None:
            chance = random.Random(f"{self._seed} {tenant_id}")  # noqa: S311 - a simulator must be repeatable
            known = self._meters[client_id, tenant_id] = Meter(chance.randrange(limits.DAY_S))
        return known

    def _tenant_id(self, request: Request, app: App) -> str:
        return request.headers.get("xero-tenant-id", "") or (app.tenant_id if app.kind == "custom" else "")

    def answer(self, request: Request, fault: str = "") -> Answer:
        """Serve one request to the accounting API, and log it."""
        with self.lock:
            try:
                answered = self._answered(request)
            except Refused as refused:
                answered = _refusal(refused)
            return self.log(request, answered, fault)

    def _answered(self, request: Request) -> Answer:
        grant = self.desk.holder(_bearer(request))
        if grant is None:
            raise self.token_expired()
        app = self.desk.apps[grant.client_id]
        tenant_id = self._tenant_id(request, app)
        tenant = self.tenants.get(tenant_id)
        if tenant is None or self.desk.connection(app.client_id, tenant_id) is None:
            raise refusals.turned_away(403, "Forbidden", "AuthenticationUnsuccessful", self.new_id())
        meter, app_recent = self._meter(app.client_id, tenant_id), self._app_recent[app.client_id]
        try:
            limits.check(meter, app_recent, self.switches, self.now_s())
            self._check_scope(request, grant)
            answered = self._once(request, tenant, app, grant)
        except Refused as refused:
            answered = _refusal(refused)
        if not request.path.startswith("/Organisation"):
            day = self.now().astimezone(UTC).date().isoformat()
            meter.egress[day] = meter.egress.get(day, 0) + len(answered.body)
        left = limits.headers(meter, app_recent, self.switches)
        return Answer(answered.status, answered.body, answered.content_type, (*answered.headers, *left))

    def token_expired(self) -> Refused:
        """401: unknown, revoked and expired tokens look alike."""
        expired = f"TokenExpired: token expired at {self.now():%m/%d/%Y %H:%M:%S}"
        return refusals.turned_away(401, "Unauthorized", expired, self.new_id())

    def _check_scope(self, request: Request, grant: Grant) -> None:
        area = door.area_of(_parts(request.path))
        if area.startswith("reports.") and not grant.may_report:
            raise refusals.turned_away(403, "Forbidden", "The user has no access to reports", self.new_id())
        if not self.desk.covers(grant, area, write=request.method != "GET"):
            status = self.switches.missing_scope
            title = "Unauthorized" if status == 401 else "Forbidden"  # noqa: PLR2004 - its code
            raise refusals.turned_away(status, title, "AuthorizationUnsuccessful", self.new_id())

    def _once(self, request: Request, tenant: Tenant, app: App, grant: Grant) -> Answer:
        """Act, or repeat the answer the Idempotency-Key has had, an error too."""
        key = request.headers.get("idempotency-key", "") if request.method in _WRITES else ""
        scope = app.client_id
        if self.switches.idempotency_scope == "app_and_tenant":
            scope = f"{scope} {tenant.organisation.id}"
        place = f"{request.path}?{sorted(request.query.items())}"
        print_of = limits.fingerprint(request.method, tenant.organisation.id, place, request.body)
        down, now = self.switches.idempotency_store_down, self.now_s()
        known = self.memory.recall(scope, key, print_of, now, down=down)
        if known is not None:
            return Answer(known.status, known.body, known.content_type)
        actor = Actor(grant.user, app.client_id, grant.adviser)
        try:
            answered = self._acted(request, tenant, app, actor)
        except Refused as refused:
            answered = _refusal(refused)
        self.memory.keep(
            scope, key, Remembered(print_of, now, answered.status, answered.body, answered.content_type)
        )
        if key:
            self.written()
        return answered

    def _acted(self, request: Request, tenant: Tenant, app: App, actor: Actor) -> Answer:
        call = door.Call(
            request.method, _parts(request.path), request.query, request.headers, request.body, actor
        )
        try:
            done = door.act(tenant.core, call)
        except Invalid as bad:
            raise refusals.validation([refusals.Failed({}, bad.messages)]) from bad
        tenant.writes += done.writes
        if done.document is None:
            return Answer(done.status, done.raw, done.content_type or refusals.JSON)
        document = done.document
        if "IsDeleted" not in document:  # a deleted allocation comes without an envelope
            document = wire.envelope(app.name, self.new_id(), tenant.core.now_ms(), document)
        return self._written_out(request, done.status, document)

    def _written_out(self, request: Request, status: int, document: Document) -> Answer:
        if "json" not in request.headers.get("accept", ""):
            return Answer(status, wire.to_xml("Response", document).encode(), "text/xml; charset=utf-8")
        shown = _quoted(document, self.switches)
        return Answer(status, dump_json(shown).encode(), refusals.JSON)

    # ---- the log -------------------------------------------------------------------------------------------

    def log(self, request: Request, answered: Answer, fault: str = "") -> Answer:
        """Add a line to the request log; gives the answer back."""
        with self.lock:
            verdict = self.judge(request, answered) if self.judge is not None and not fault else None
            lost = fault in LOST
            self.requests.append(
                LoggedRequest(
                    self.now(),
                    request.method,
                    request.path,
                    dict(request.query),
                    request.headers.get("xero-tenant-id", ""),
                    request.headers.get("idempotency-key", ""),
                    0 if lost else answered.status,
                    0 if lost else len(answered.body),
                    fault,
                    verdict,
                )
            )
        return answered

    @property
    def egress(self) -> dict[tuple[str, str, str], int]:
        """Bytes answered, by (client id, tenant id, UTC day); the Organisation endpoint is exempt."""
        with self.lock:
            return {
                (client_id, tenant_id, day): count
                for (client_id, tenant_id), meter in self._meters.items()
                for day, count in meter.egress.items()
            }

    def used_today(self, client_id: str, tenant_id: str) -> int:
        """Calls that count against the day limit."""
        meter = self._meter(client_id, tenant_id)
        meter.roll(self.now_s())
        return meter.used_today

    # ---- connections ---------------------------------------------------------------------------------------

    def connections(self, authorization: str, auth_event_id: str = "") -> list[Document]:
        """`GET /connections`: what the person behind a token has connected.

        Raises:
            Refused: 401.
        """
        with self.lock:
            grant = self._holder(authorization)
            return [
                {
                    "id": one.id,
                    "authEventId": one.auth_event_id,
                    "tenantId": one.tenant_id,
                    "tenantType": "ORGANISATION",
                    "tenantName": self.tenants[one.tenant_id].organisation.name,
                    "createdDateUtc": f"{wire.moment_text(one.created_s * 1000)}.0000000",
                    "updatedDateUtc": f"{wire.moment_text(one.updated_s * 1000)}.0000000",
                }
                for one in self._connections_of(grant)
                if auth_event_id in {"", one.auth_event_id}
            ]

    def disconnect(self, authorization: str, connection_id: str) -> bool:
        """`DELETE /connections/ID`: whether there was such a connection.

        Raises:
            Refused: 401.
        """
        with self.lock:
            mine = {one.id for one in self._connections_of(self._holder(authorization))}
            if connection_id not in mine:
                return False
            del self.desk.connections[connection_id]
            self.written()
            return True

    def _holder(self, authorization: str) -> Grant:
        grant = self.desk.holder(authorization[7:] if authorization.lower().startswith("bearer ") else "")
        if grant is None:
            raise self.token_expired()
        return grant

    def _connections_of(self, grant: Grant) -> list[Connection]:
        found = [one for one in self.desk.connections.values() if one.client_id == grant.client_id]
        if "app.connections" in grant.scopes or self.desk.apps[grant.client_id].kind == "custom":
            return found
        people = {event: one.user for event, one in self.desk.grants.items()}
        return [one for one in found if people.get(one.auth_event_id) == grant.user]

    # ---- webhooks ------------------------------------------------------------------------------------------

    def listen(self, app: App, url: str, send: Send | None = None) -> bool:
        """Let an application's door prove itself; whether it may receive from now on."""
        app.webhook_url = url
        proven = self.post.prove(app, send or knock)
        with self.lock:
            self.written()
        return proven

    def deliver_webhooks(self, send: Send | None = None) -> int:
        """Send what is due; how many messages. No lock is held while a door answers: it may ask us back."""
        with self._delivering:
            with self.lock:
                due: list[Due] = self.post.due(self.desk.apps, self.now_s())
            for one in due:
                self.post.deliver(one, self.desk.apps[one.client_id], send or knock, self.now_s())
            return len(due)

    def _deliver_on(self) -> None:
        while not self._stopped.wait(DELIVER_EVERY_S):
            self.deliver_webhooks()

    # ---- state ---------------------------------------------------------------------------------------------

    @contextmanager
    def saving_once(self) -> Iterator[None]:
        """Write the state file once, at the end."""
        path, self._state_path = self._state_path, None
        try:
            yield
        finally:
            self._state_path = path
            self.written()

    def written(self) -> None:
        """Something changed: keep it."""
        if self._state_path is not None:
            self.save(self._state_path)

    def save(self, path: Path) -> None:
        """Write the whole platform as JSON; a reader sees the old file or the new one, never half of one."""
        with self.lock:
            document: Document = {
                "format": FORMAT,
                "taken": self._taken,
                "ahead_s": str(self._ahead.total_seconds()),
                "desk": {name: state.encode(getattr(self.desk, name)) for name in _STATE_TABLES},
                "keys": {
                    key: {**asdict(one), "body": one.body.decode("latin-1")}
                    for key, one in self.memory.known.items()
                },
                "tenants": [state.snapshot(tenant.core) for tenant in self.tenants.values()],
            }
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f"{path.name}.new")
            new.write_text(dump_json(document), encoding="utf-8")
            new.replace(path)

    def load(self, path: Path) -> None:
        """Read a file of `save`, instead of everything there is.

        Raises:
            ValueError: the file is not one of `save`.
        """
        document = parse_json(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError(f"{path} is no state file of this simulator")
        with self.lock:
            self._taken = document["taken"]
            self._ahead = timedelta(seconds=float(document["ahead_s"]))
            for name, kind in _STATE_TABLES.items():
                rows = document["desk"][name]
                setattr(self.desk, name, {key: state.decode(kind, one) for key, one in rows.items()})
            self.memory.known = {
                key: Remembered(**{**one, "body": one["body"].encode("latin-1")})
                for key, one in document["keys"].items()
            }
            self.tenants.clear()
            for one in document["tenants"]:
                state.restore(self._open(state.organisation(one)).core, one)

    # ---- serving -------------------------------------------------------------------------------------------

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Run the server for a block; yields its address, `http://127.0.0.1:PORT`."""
        url = self.start(port)
        try:
            yield url
        finally:
            self.stop()

    def start(self, port: int = 0) -> str:
        """Start the server in a thread; its address.

        Raises:
            RuntimeError: it runs already, or did not come up.
            OSError: the port is taken.
        """
        from arsync.simulators.xero.server import serve

        if self._server is not None:
            raise RuntimeError("the simulator is already being served")
        self._server = serve(self, port)
        self._stopped.clear()
        threading.Thread(target=self._deliver_on, name="xero-webhooks", daemon=True).start()
        return self._server.url

    def stop(self) -> None:
        """Stop the server and wait for it."""
        self._stopped.set()
        server, self._server = self._server, None
        if server is not None:
            server.stop()


def knock(url: str, body: bytes, headers: dict[str, str]) -> Heard:
    """Send one message to a door."""
    import httpx2

    try:
        heard = httpx2.post(url, content=body, headers=headers, timeout=DOOR_WAIT_S)
    except httpx2.HTTPError:
        return Heard(0)
    return Heard(heard.status_code, len(heard.content), "set-cookie" in heard.headers)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _refusal(refused: Refused) -> Answer:
    return Answer(refused.status, refused.body, refused.content_type, refused.headers)


def _quoted(value: Any, switches: Switches) -> Any:  # noqa: ANN401 - JSON
    """Numbers and booleans as text, where a switch says so."""
    if not switches.quoted_numbers and not switches.quoted_booleans:
        return value
    if isinstance(value, dict):
        return {name: _quoted(one, switches) for name, one in value.items()}
    if isinstance(value, list):
        return [_quoted(one, switches) for one in value]
    if isinstance(value, bool):
        return str(value).lower() if switches.quoted_booleans else value
    return str(value) if isinstance(value, Decimal) and switches.quoted_numbers else value


SWITCH_NAMES = tuple(one.name for one in fields(Switches))
