"""QuickBooks Online on loopback: a real HTTP server with real books behind it.

Shape   `QuickBooksSimulator` holds companies, tokens, faults and logs; `serve()` runs the server in a thread.
Law     one lock around each request: concurrent clients see a sequence of whole operations. A write is in the
        state file before its answer leaves.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from arsync.simulators.faults import FaultScript
from arsync.simulators.quickbooks import state
from arsync.simulators.quickbooks.bookkeeper import Bookkeeper
from arsync.simulators.quickbooks.books import Books
from arsync.simulators.quickbooks.door import Answer, Company, Door, Remembered, Request
from arsync.simulators.quickbooks.interference import FAULT_KINDS
from arsync.simulators.quickbooks.oauth import Access, Grant, TokenDesk
from arsync.simulators.quickbooks.records import CompanySettings, Switches
from arsync.simulators.quickbooks.refusals import TurnedAway
from arsync.simulators.quickbooks.search import Search
from arsync.simulators.quickbooks.wire import Document, dump_json, parse_json

if TYPE_CHECKING:  # the server brings uvicorn, which only serving needs
    from arsync.simulators.serving import ServerThread


class LoggedRequest(NamedTuple):
    """One line of the request log."""

    time: datetime
    method: str
    path: str
    query: dict[str, str]
    requestid: str
    status: int  # 0: the connection was cut before an answer
    answer_bytes: int
    fault: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What one company has used in one month."""

    reads: int
    writes: int


class QuickBooksSimulator:
    """A platform with companies, for tests, demonstrations and trying things out."""

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: Callable[[], datetime],
        switches: Switches | None = None,
        state_path: Path | None = None,
    ) -> None:
        """Prepare a platform; nothing listens yet.

        Args:
            seed: makes tokens and trace ids repeatable.
            clock: returns an aware datetime.
            switches: disputed behaviour.
            state_path: keep everything in this file after each write; read it first when it exists.
        """
        self.switches = switches or Switches()
        self.lock = threading.RLock()
        self.faults = FaultScript(FAULT_KINDS)
        self.requests: list[LoggedRequest] = []
        self.companies: dict[str, Company] = {}
        self.random = random.Random(f"trace {seed}")  # noqa: S311 - a simulator must be repeatable
        self.tokens = TokenDesk(seed, self.now_s)
        self.door = Door(self.switches, self.now)
        self._clock = clock
        self._ahead = timedelta()
        self._state_path: Path | None = None
        self._holding_saves = False
        self._unsaved = False
        self._server: ServerThread | None = None
        if state_path is not None and state_path.exists():
            self.load(state_path)
        self._state_path = state_path

    # ---- time ----------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The platform's time."""
        return self._clock() + self._ahead

    def now_s(self) -> int:
        """Seconds since the epoch."""
        return int(self.now().timestamp())

    def advance(self, seconds: float) -> None:
        """Let time pass: tokens expire, limits forget."""
        with self.lock:
            self._ahead += timedelta(seconds=seconds)

    # ---- companies and consent -----------------------------------------------------------------------------

    @property
    def client_id(self) -> str:
        """What an application calls itself."""
        return self.tokens.client_id

    @property
    def client_secret(self) -> str:
        """What it proves that with."""
        return self.tokens.client_secret

    def add_company(  # noqa: PLR0913 - the owner's choices, each by its name
        self,
        realm_id: str,
        *,
        name: str,
        country: str = "US",
        home_currency: str = "USD",
        multicurrency: bool = False,
        book_close_date: date | None = None,
        custom_txn_numbers: bool = False,
        custom_fields: tuple[str, ...] = (),
        exchange_rates: dict[str, Decimal] | None = None,
        user: str = "Pat Keeper",
    ) -> Company:
        """Open the books of a company, with a chart of accounts, terms, items and payment methods."""
        settings = CompanySettings(
            name=name,
            country=country,
            home_currency=home_currency,
            multicurrency=multicurrency,
            book_close_date=book_close_date,
            custom_txn_numbers=custom_txn_numbers,
            custom_fields=custom_fields,
            exchange_rates=exchange_rates or {},
            user=user,
        )
        with self.lock:
            company = self._open(realm_id, settings)
            self.written()
            return company

    def _open(self, realm_id: str, settings: CompanySettings) -> Company:
        core = Books(realm_id, settings, self.switches, self.now_s)
        core.lock = self.lock
        core.on_write = self.written
        company = Company(realm_id, settings, core, Bookkeeper(core), Search(core))
        self.companies[realm_id] = company
        return company

    def grant(self, realm_id: str) -> tuple[str, str]:
        """Consent without a browser: (access token, refresh token)."""
        with self.lock:
            tokens = self.tokens.connect(self.companies[realm_id].realm_id)
            self.written()
            return tokens

    @property
    def counters(self) -> dict[tuple[str, str], Counted]:
        """What each company used, by (realm, month)."""
        with self.lock:
            return {
                (company.realm_id, month): Counted(company.reads[month], company.writes[month])
                for company in self.companies.values()
                for month in sorted({*company.reads, *company.writes})
            }

    # ---- requests ------------------------------------------------------------------------------------------

    def answer(self, realm_id: str, authorization: str, request: Request) -> Answer:
        """Serve one API request: token, company, then the door."""
        with self.lock, self.saving_once():
            try:
                company = self._company(realm_id, authorization)
            except TurnedAway as turned:
                return self.door.turned_away(turned)
            return self.door.answer(company, request)

    def _company(self, realm_id: str, authorization: str) -> Company:
        scheme, _, token = authorization.partition(" ")
        owner = self.tokens.realm_of(token) if scheme.lower() == "bearer" else None
        if owner is None:
            raise self.token_expired(token)
        company = self.companies.get(realm_id)
        if company is None or owner != realm_id:
            raise TurnedAway(
                403,
                "3100",
                "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
                "The application is not authorized for this company.",
                "AUTHORIZATION",
            )
        return company

    def token_expired(self, token: str) -> TurnedAway:
        """401 with code 3200."""
        return TurnedAway(
            401,
            "3200",
            "message=AuthenticationFailed; errorCode=003200; statusCode=401",
            f"Token expired: {token[:6]}...",
            headers=(("WWW-Authenticate", 'Bearer realm="Intuit", error="invalid_token"'),),
        )

    # ---- state ---------------------------------------------------------------------------------------------

    @contextmanager
    def saving_once(self) -> Iterator[None]:
        """Write the state file once, at the end of a request, and before its answer."""
        outer, self._holding_saves = self._holding_saves, True
        try:
            yield
        finally:
            self._holding_saves = outer
            if self._unsaved and not outer:
                self.written()

    def written(self) -> None:
        """Something changed: keep it, now or at the end of the request."""
        self._unsaved = self._holding_saves
        if self._state_path is not None and not self._holding_saves:
            self.save(self._state_path)

    def save(self, path: Path) -> None:
        """Write the whole platform as JSON; a reader sees the old file or the new one, never half of one."""
        with self.lock:
            document: Document = {
                "format": "arsync quickbooks simulator 1",
                "client_id": self.tokens.client_id,
                "client_secret": self.tokens.client_secret,
                "ahead_s": str(self._ahead.total_seconds()),
                "access": {token: asdict(access) for token, access in self.tokens.access.items()},
                "grants": {token: asdict(grant) for token, grant in self.tokens.grants.items()},
                "companies": [self._company_document(company) for company in self.companies.values()],
            }
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f"{path.name}.new")
            new.write_text(dump_json(document), encoding="utf-8")
            new.replace(path)

    def _company_document(self, company: Company) -> Document:
        return {
            "books": state.snapshot(company.core),
            "requestids": {
                requestid: [known.body.decode("utf-8", "surrogateescape"), known.answer.decode()]
                for requestid, known in company.requestids.items()
            },
            "reads": dict(company.reads),
            "writes": dict(company.writes),
        }

    def load(self, path: Path) -> None:
        """Read a file of `save`, instead of everything there is.

        Raises:
            ValueError: the file is not one of `save`.
        """
        document = parse_json(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != "arsync quickbooks simulator 1":
            raise ValueError(f"{path} is no state file of this simulator")
        with self.lock, self.saving_once():
            self._ahead = timedelta(seconds=float(document["ahead_s"]))
            self.tokens.client_id = document["client_id"]
            self.tokens.client_secret = document["client_secret"]
            self.tokens.access = {token: Access(**one) for token, one in document["access"].items()}
            self.tokens.grants = {token: Grant(**one) for token, one in document["grants"].items()}
            self.companies.clear()
            for one in document["companies"]:
                self._load_company(one)

    def _load_company(self, document: Document) -> None:
        books = document["books"]
        company = self._open(books["realm_id"], state.read_settings(books["settings"]))
        state.restore(company.core, books)
        company.reads.update(document["reads"])
        company.writes.update(document["writes"])
        company.requestids = {
            requestid: Remembered(body.encode("utf-8", "surrogateescape"), answer.encode())
            for requestid, (body, answer) in document["requestids"].items()
        }

    # ---- serving -------------------------------------------------------------------------------------------

    def log(self, line: LoggedRequest) -> None:
        """Add a line to the request log."""
        with self.lock:
            self.requests.append(line)

    def trace_id(self) -> str:
        """The `intuit_tid` of an answer."""
        with self.lock:
            return f"1-{self.now_s():08x}-{self.random.getrandbits(96):024x}"

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
        from arsync.simulators.quickbooks.server import serve

        if self._server is not None:
            raise RuntimeError("the simulator is already being served")
        self._server = serve(self, port)
        return self._server.url

    def stop(self) -> None:
        """Stop the server and wait for it."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
