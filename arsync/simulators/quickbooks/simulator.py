"""QuickBooks Online on loopback: a real HTTP server with real books behind it.

Shape   `QuickBooksSimulator` holds companies, tokens, faults and logs; `serve()` runs the server in a thread.
Law     one lock around each request: concurrent clients see a sequence of whole operations. A write is in the
        state file before its answer leaves.
"""

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from arsync.simulators.faults import FaultScript
from arsync.simulators.quickbooks import state
from arsync.simulators.quickbooks.bookkeeper import Bookkeeper
from arsync.simulators.quickbooks.books import Books
from arsync.simulators.quickbooks.door import Answer, Company, Door, Request
from arsync.simulators.quickbooks.interference import FAULT_KINDS
from arsync.simulators.quickbooks.keeping import StateFile
from arsync.simulators.quickbooks.oauth import Access, Grant, TokenDesk
from arsync.simulators.quickbooks.records import CompanySettings, Record, Switches
from arsync.simulators.quickbooks.refusals import TurnedAway
from arsync.simulators.quickbooks.search import Search
from arsync.simulators.quickbooks.webhooks import Operation, WebhookDesk, send
from arsync.simulators.quickbooks.wire import Document

if TYPE_CHECKING:  # the server brings uvicorn, which only serving needs
    from arsync.simulators.serving import ServerThread


MESSENGER_WAIT_S = 0.05


class LoggedRequest(NamedTuple):
    """One line of the request log."""

    time: datetime
    method: str
    full_path: str
    path: str  # what follows the company
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
        self.webhooks = WebhookDesk(seed, self.switches, lambda: self.now().timestamp())
        self.door = Door(self.switches, self.now)
        self._clock = clock
        self._ahead = timedelta()
        self._file: StateFile | None = None
        self._holding_saves = False
        self._unsaved = False
        self._server: ServerThread | None = None
        self._messenger: Messenger | None = None
        self._sending = threading.Lock()
        if state_path is not None and state_path.exists():
            self.load(state_path)
        if state_path is not None:
            self._file = StateFile(state_path)

    # ---- time ----------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The platform's time."""
        return self._clock() + self._ahead

    def now_s(self) -> int:
        """Seconds since the epoch."""
        return int(self.now().timestamp())

    def advance(self, seconds: float) -> None:
        """Let time pass: tokens expire, limits forget, webhooks are tried again.

        Raises:
            ValueError: time does not go back.
        """
        if seconds < 0:
            raise ValueError("the clock of the books does not go back")
        with self.lock:
            self._ahead += timedelta(seconds=seconds)
            self.written()

    def set_time(self, moment: datetime) -> None:
        """Let it be a moment from now on; time goes on from there.

        Raises:
            ValueError: it is in the past, or says no offset.
        """
        with self.lock:
            if moment.tzinfo is None:
                raise ValueError(f"{moment.isoformat()} says no offset from UTC")
            self.advance((moment - self.now()).total_seconds())

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
        tax_percents: dict[str, Decimal] | None = None,
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
            tax_percents=tax_percents,
            user=user,
        )
        with self.lock:
            company = self._open(realm_id, settings)
            if self._file is not None:  # a log amends companies, it does not add them
                self._file.whole(self._document())
            return company

    def _open(self, realm_id: str, settings: CompanySettings) -> Company:
        core = Books(realm_id, settings, self.switches, self.now_s)
        core.lock = self.lock
        core.on_write = self.written
        core.on_change = partial(self._changed, realm_id)
        company = Company(realm_id, settings, core, Bookkeeper(core), Search(core))
        core.address = self._server.url if self._server is not None else ""
        self.companies[realm_id] = company
        return company

    def _changed(self, realm_id: str, record: Record, operation: str) -> None:
        merged_id = record.merged_id if operation == "Merge" else ""
        self.webhooks.note(realm_id, record.kind, record.id, cast("Operation", operation), merged_id)

    def deliver_webhooks(self) -> int:
        """Send what is due, retries that fell due in the meantime too; how many were sent."""
        sent = 0
        with self._sending:
            while True:
                with self.lock:
                    ready = [
                        (one, self.webhooks.endpoints[one.url].verifier, self.webhooks.body(one))
                        for one in self.webhooks.due()
                    ]
                for delivery, verifier, body in ready:
                    status = send(delivery.url, verifier, body)
                    with self.lock:
                        self.webhooks.settle(delivery, status)
                        self.written()
                if not ready:
                    return sent
                sent += len(ready)

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
        if self._holding_saves:
            return
        if self._file is None:
            for company in self.companies.values():
                company.core.take_unsaved()
                company.unsaved_requestids.clear()
        elif self._file.wants_whole:
            self._file.whole(self._document())
        else:
            self._file.append({"platform": self._platform(), "companies": self._changes()})

    def save(self, path: Path) -> None:
        """Write the whole platform as JSON; a reader sees the old file or the new one, never half of one."""
        with self.lock:
            StateFile(path).whole(self._document())

    def _document(self) -> Document:
        for company in self.companies.values():
            company.core.take_unsaved()
            company.unsaved_requestids.clear()
        companies = [
            {"books": state.snapshot(one.core), **one.meters(), "requestids": one.remembered(one.requestids)}
            for one in self.companies.values()
        ]
        return {"platform": self._platform(), "companies": companies}

    def _changes(self) -> list[Document]:
        changed = []
        for one in self.companies.values():
            requestids = one.remembered(one.unsaved_requestids)
            one.unsaved_requestids.clear()
            changed.append({"books": state.changes(one.core), **one.meters(), "requestids": requestids})
        return changed

    def _platform(self) -> Document:
        self.tokens.forget_expired()
        return {
            "client_id": self.tokens.client_id,
            "client_secret": self.tokens.client_secret,
            "tokens_issued": self.tokens.issued,
            "ahead_s": str(self._ahead.total_seconds()),
            "access": {token: asdict(access) for token, access in self.tokens.access.items()},
            "grants": {token: asdict(grant) for token, grant in self.tokens.grants.items()},
            "webhooks": self.webhooks.document(),
        }

    def load(self, path: Path) -> None:
        """Read a file of `save`, instead of everything there is.

        Raises:
            ValueError: the file is not one of `save`.
        """
        whole, changes = StateFile(path).read()
        platform = changes[-1]["platform"] if changes else whole["platform"]
        with self.lock, self.saving_once():
            self._ahead = timedelta(seconds=float(platform["ahead_s"]))
            self.tokens.client_id = platform["client_id"]
            self.tokens.client_secret = platform["client_secret"]
            self.tokens.go_on(platform["tokens_issued"])
            self.tokens.access = {token: Access(**one) for token, one in platform["access"].items()}
            self.tokens.grants = {token: Grant(**one) for token, one in platform["grants"].items()}
            self.webhooks.restore(platform["webhooks"])
            self.companies.clear()
            added: dict[str, list[Document]] = defaultdict(list)
            for one in (company for change in changes for company in change["companies"]):
                added[one["books"]["realm_id"]].append(one)
            for company in whole["companies"]:
                self._load_company(company, added[company["books"]["realm_id"]])

    def _load_company(self, whole: Document, changed: list[Document]) -> None:
        books = state.joined(whole["books"], [one["books"] for one in changed])
        company = self._open(books["realm_id"], state.read_settings(books["settings"]))
        state.restore(company.core, books)
        company.reads.update((changed or [whole])[-1]["reads"])
        company.writes.update((changed or [whole])[-1]["writes"])
        for one in (whole, *changed):
            company.recall(one["requestids"])

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
        self._messenger = Messenger(self.deliver_webhooks)
        for company in self.companies.values():
            company.core.address = self._server.url
        return self._server.url

    def stop(self) -> None:
        """Stop the server and wait for it."""
        server, self._server = self._server, None
        messenger, self._messenger = self._messenger, None
        if messenger is not None:
            messenger.stop()
        if server is not None:
            server.stop()
        if self._file is not None and self._file.has_log:
            with self.lock:
                self._file.whole(self._document())


class Messenger:
    """Sends webhooks in a thread of its own while the simulator is served."""

    def __init__(self, deliver: Callable[[], int]) -> None:
        self._deliver = deliver
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="quickbooks-webhooks", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(MESSENGER_WAIT_S):
            self._deliver()

    def stop(self) -> None:
        """Finish the delivery under way."""
        self._stopped.set()
        self._thread.join()
