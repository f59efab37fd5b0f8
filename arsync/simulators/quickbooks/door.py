"""The API of one company: a request goes in, status, headers and body come out.

Shape   `Request` -> `Answer`; no sockets here, the server only carries bytes.
Errors  none: whatever is refused becomes an answer in the platform's own envelopes.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from arsync.simulators.quickbooks import attachments, query, refusals, reports
from arsync.simulators.quickbooks.bookkeeper import Bookkeeper
from arsync.simulators.quickbooks.books import Books
from arsync.simulators.quickbooks.records import CompanySettings, Record, Switches
from arsync.simulators.quickbooks.refusals import Refused, TurnedAway
from arsync.simulators.quickbooks.schema import ENTITIES, KIND_OF_PATH
from arsync.simulators.quickbooks.search import Search
from arsync.simulators.quickbooks.wire import (
    Document,
    RawJson,
    dump_json,
    pacific,
    pacific_millis,
    parse_json,
    parse_moment,
)

NAMED_SERVICES = frozenset({"reports", "download"})
"""These take one more part of the path: /reports/NAME."""
BATCH_ITEMS = 30
REQUESTID_LENGTH = 50
BATCH_REQUESTID_LENGTH = 36
BATCH_BID_LENGTH = 10
CDC_DAYS = 30
NOT_IN_CDC = frozenset({"CompanyInfo", "Preferences", "TaxCode", "TaxRate"})

CALLS_PER_MINUTE = 500
CALLS_PER_SECOND = 10
CALLS_AT_ONCE = 10
BATCHES_PER_MINUTE = 40
BATCHES_OF_ALL_APPS_PER_MINUTE = 120


@dataclass(frozen=True, slots=True)
class Request:
    """What came over the wire; `path` is what follows the company."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    wants_xml: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    content_type: str = "application/json;charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Mail(NamedTuple):
    """One e-mail that has been sent."""

    time: datetime
    kind: str
    id: str
    to: str


@dataclass(slots=True)
class Remembered:
    """The answer to a `requestid`."""

    body_sha256: str
    answer: bytes


@dataclass(slots=True)
class Company:
    """One company: its books, and what the gateway keeps about it."""

    realm_id: str
    settings: CompanySettings
    core: Books
    books: Bookkeeper
    search: Search
    requestids: dict[str, Remembered] = field(default_factory=dict)
    unsaved_requestids: set[str] = field(default_factory=set)
    reads: Counter[str] = field(default_factory=Counter)  # CorePlus, by month "2026-01"
    writes: Counter[str] = field(default_factory=Counter)
    recent: deque[float] = field(default_factory=deque)  # seconds of the last minute's calls
    recent_batches: deque[float] = field(default_factory=deque)
    at_once: int = 0
    mails: list[Mail] = field(default_factory=list)

    def meters(self) -> Document:
        """What has been counted, as a document."""
        return {"reads": dict(self.reads), "writes": dict(self.writes)}

    def remembered(self, requestids: Iterable[str]) -> Document:
        """The answers to some `requestid`s, as a document."""
        known = ((one, self.requestids[one]) for one in requestids)
        return {one: [it.body_sha256, it.answer.decode()] for one, it in known}

    def recall(self, document: Document) -> None:
        """Remember answers again."""
        for requestid, (body_sha256, answer) in document.items():
            self.requestids[requestid] = Remembered(body_sha256, answer.encode())


class Door:
    """Answers API requests; called with the simulator's lock held."""

    def __init__(self, switches: Switches, now: Callable[[], datetime]) -> None:
        self._switches = switches
        self._now = now
        self._services: dict[tuple[str, ...], Callable[[Company, Request], bytes]] = {
            ("GET", "query"): self._query,
            ("POST", "query"): self._query,
            ("GET", "cdc"): self._cdc,
            ("GET", "reports"): self._report,
            ("GET", "download"): self._download,
            ("POST", "batch"): partial(self._once, act=self._batch),
            ("POST", "upload"): partial(self._once, act=self._upload),
        }

    def answer(self, company: Company, request: Request) -> Answer:
        """Serve one request of a company whose token has been checked."""
        try:
            self._throttle(company, request)
            self._meter_gate(company)
            status, body = self._serve(company, request)
        except Refused as refused:
            return self.refusal(refused)
        except TurnedAway as turned:
            return self.turned_away(turned)
        return Answer(status, body)

    def refusal(self, refused: Refused) -> Answer:
        """Envelope A, or XML for throttles when the switch says so."""
        headers: tuple[tuple[str, str], ...] = ()
        if refused.code == "3001":
            if self._switches.retry_after_s is not None:
                headers = (("Retry-After", str(self._switches.retry_after_s)),)
            if self._switches.throttle == "xml_429":
                return Answer(refused.status, self.fault_xml(refused), "application/xml", headers)
        body = dump_json({"Fault": refused.envelope(), "time": self._time()})
        return Answer(refused.status, body.encode(), headers=headers)

    def turned_away(self, turned: TurnedAway) -> Answer:
        """Envelope B."""
        body = dump_json(turned.envelope(int(self._now().timestamp() * 1000)))
        return Answer(turned.status, body.encode(), "application/json", turned.headers)

    def fault_xml(self, refused: Refused) -> bytes:
        """Envelope C."""
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            f'<IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time="{self._time()}">'
            f'<Fault type="{refused.fault_type}"><Error code="{refused.code}">'
            f"<Message>{refused.message}</Message><Detail>{refused.detail}</Detail></Error></Fault></IntuitResponse>"
        ).encode()

    def _time(self) -> str:
        return pacific_millis(self._now())

    # ---- limits --------------------------------------------------------------------------------------------

    def _throttle(self, company: Company, request: Request) -> None:
        if not self._switches.rate_limits:
            return
        now = self._now().timestamp()
        calls, batches = company.recent, company.recent_batches
        for times in (calls, batches):
            while times and times[0] <= now - 60:
                times.popleft()
        is_batch = request.path == "/batch"
        batches_left = min(
            BATCHES_PER_MINUTE, BATCHES_OF_ALL_APPS_PER_MINUTE - self._switches.other_apps_batches
        )
        in_this_second = sum(1 for one in calls if one > now - 1)
        if (
            len(calls) >= CALLS_PER_MINUTE
            or in_this_second >= CALLS_PER_SECOND
            or company.at_once > CALLS_AT_ONCE
            or (is_batch and len(batches) >= batches_left)
        ):
            raise refusals.throttled(403 if self._switches.throttle == "json_403" else 429)
        calls.append(now)
        if is_batch:
            batches.append(now)

    def _month(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m")

    def _meter_gate(self, company: Company) -> None:
        limit = self._switches.monthly_reads
        if limit is not None and company.reads[self._month()] >= limit:
            raise TurnedAway(
                403,
                "3100",
                "message=ApplicationBlocked; errorCode=003100; statusCode=403",
                "Monthly limit",
                "AUTHORIZATION",
            )

    def _count_read(self, company: Company) -> None:
        company.reads[self._month()] += 1

    def _count_write(self, company: Company) -> None:
        company.writes[self._month()] += 1

    # ---- routes --------------------------------------------------------------------------------------------

    def _serve(self, company: Company, request: Request) -> tuple[int, bytes]:
        parts = tuple(part for part in request.path.split("/") if part)
        service = self._services.get((request.method, *parts[:1]))
        if service is not None and len(parts) == 1 + (parts[0] in NAMED_SERVICES):
            return 200, service(company, request)
        kind = KIND_OF_PATH.get(parts[0] if parts else "")
        if kind is None:
            raise refusals.unsupported(f"Operation {request.path}")
        match (request.method, *parts[1:]):
            case ("GET", *rest):
                return 200, self._get(company, kind, rest)
            case ("POST",):
                return 200, self._once(company, request, partial(self._write, kind))
            case ("POST", record_id, "send"):
                return 200, self._once(company, request, partial(self._send, kind, record_id))
        raise refusals.unsupported(f"Operation {request.method} {request.path}")

    def _cdc(self, company: Company, request: Request) -> bytes:
        return self._read(company, self._changes(company, request.query))

    def _report(self, company: Company, request: Request) -> bytes:
        report = reports.run(company.core, request.path.split("/")[-1], request.query, self._now())
        self._count_read(company)
        return dump_json(report).encode()

    def _read(self, company: Company, body: Document) -> bytes:
        self._count_read(company)
        return dump_json({**body, "time": self._time()}).encode()

    def _query(self, company: Company, request: Request) -> bytes:
        source = request.query.get("query") or request.body.decode()
        found = company.search.run(self._parsed(source))
        return self._read(company, {"QueryResponse": found})

    def _parsed(self, source: str) -> query.Select:
        return query.parse(source, strict=self._switches.entity_case == "strict")

    def _get(self, company: Company, kind: str, rest: list[str]) -> bytes:
        if len(rest) > 1:
            raise refusals.unsupported(f"Operation {'/'.join(rest[1:])} on {kind}")
        record_id = rest[0] if rest else ""
        if kind in {"CompanyInfo", "Preferences"}:
            record_id = "1"
        elif not (record_id.isdecimal() or (rest and kind == "TaxCode")):
            raise refusals.invalid_id(record_id)
        record = company.core.find(kind, record_id)
        if record is None:
            raise refusals.not_found()
        return self._read(company, {kind: RawJson(company.core.text(record))})

    def _once(self, company: Company, request: Request, act: Callable[[Company, Request], Document]) -> bytes:
        """Run a write, or repeat the answer its `requestid` had; only successes are remembered."""
        requestid = request.query.get("requestid", "")
        limit = BATCH_REQUESTID_LENGTH if request.path == "/batch" else REQUESTID_LENGTH
        if len(requestid) > limit:
            raise refusals.too_long("requestid", limit)
        body_sha256 = hashlib.sha256(request.body).hexdigest()
        known = company.requestids.get(requestid) if requestid else None
        if known is not None:
            if known.body_sha256 != body_sha256 and self._switches.requestid_other_body == "refuse":
                raise refusals.business("The requestid has been used for another request.")
            return known.answer
        if company.settings.read_only:
            raise refusals.read_only_company()
        answer = dump_json({**act(company, request), "time": self._time()}).encode()
        if requestid:
            company.requestids[requestid] = Remembered(body_sha256, answer)
            company.unsaved_requestids.add(requestid)
            company.core.on_write()
        return answer

    def _write(self, kind: str, company: Company, request: Request) -> Document:
        document = _json_object(request.body)
        operation = request.query.get("operation", "")
        result = self._act(company.core, kind, document, operation, request.query.get("include", ""))
        self._count_write(company)
        return {kind: result}

    def _upload(self, company: Company, request: Request) -> Document:
        """Each file is answered for itself, refusals too: HTTP 200 either way."""
        answers: list[Document] = []
        for metadata, content in attachments.uploads(request.body):
            try:
                answers.append({"Attachable": attachments.attach(company.core, metadata, content)})
            except Refused as refused:
                answers.append({"Fault": refused.envelope()})
        self._count_write(company)
        return {"AttachableResponse": answers}

    def _download(self, company: Company, request: Request) -> bytes:
        found = company.core.get("Attachable", request.path.split("/")[-1])
        if "TempDownloadUri" not in found:
            raise refusals.not_found()
        self._count_read(company)
        return str(found["TempDownloadUri"]).encode()

    def _send(self, kind: str, record_id: str, company: Company, request: Request) -> Document:
        now = self._now()
        today = sum(1 for mail in company.mails if mail.time > now - timedelta(days=1))
        if today >= self._switches.emails_a_day:
            raise refusals.throttled()
        shown, to = company.core.send(kind, record_id, request.query.get("sendTo", ""))
        company.mails.append(Mail(now, kind, record_id, to))
        self._count_write(company)
        return {kind: shown}

    def _act(self, books: Books, kind: str, document: Document, operation: str, include: str) -> Document:
        operation = operation.lower()
        if operation == "delete":
            return books.delete(kind, document)
        if operation == "void" or (operation == "update" and include == "void"):
            if kind == "Payment" and operation == "void":
                raise refusals.unsupported("Operation void on Payment")
            return books.void(kind, document)
        if operation not in {"", "create", "update"}:
            raise refusals.unsupported(f"Operation {operation}")
        if operation == "update" or document.get("Id"):
            return books.update(kind, document)
        return books.create(kind, document)

    # ---- changes -------------------------------------------------------------------------------------------

    def _changes(self, company: Company, asked: Mapping[str, str]) -> Document:
        names = [name.strip() for name in asked.get("entities", "").split(",") if name.strip()]
        kinds = [KIND_OF_PATH.get(name.lower(), "") for name in names]
        if not kinds or "" in kinds or not NOT_IN_CDC.isdisjoint(kinds):
            raise refusals.query_invalid(f"Invalid entities {asked.get('entities', '')}")
        if "changedSince" not in asked:
            raise refusals.missing("changedSince")
        try:
            since_s = parse_moment(asked["changedSince"])
        except ValueError as bad:
            raise refusals.bad_date("changedSince", asked["changedSince"]) from bad
        oldest_s = int((self._now() - timedelta(days=CDC_DAYS)).timestamp())
        if since_s < oldest_s and self._switches.cdc_window == "refuse":
            raise refusals.query_invalid(f"changedSince is more than {CDC_DAYS} days ago")
        left = self._switches.cdc_objects
        blocks = []
        for kind in kinds:
            found = company.core.changed_since(kind, since_s)[:left]
            if self._switches.cdc_cap == "call":
                left -= len(found)
            blocks.append(_block(company.core, kind, found))
        return {"CDCResponse": [{"QueryResponse": blocks}]}

    # ---- batch ---------------------------------------------------------------------------------------------

    def _batch(self, company: Company, request: Request) -> Document:
        items = _json_object(request.body).get("BatchItemRequest")
        if not isinstance(items, list):
            raise refusals.missing("BatchItemRequest")
        if len(items) > BATCH_ITEMS:
            raise refusals.business(f"Batch items exceed the limit of {BATCH_ITEMS}.")
        short = bool(request.query.get("requestid"))
        if self._switches.batch_order == "reversed":
            items = items[::-1]
        return {"BatchItemResponse": [self._batch_item(company, item, short=short) for item in items]}

    def _batch_item(self, company: Company, item: Document, *, short: bool) -> Document:
        bid = str(item.get("bId", ""))
        try:
            if short and len(bid) > BATCH_BID_LENGTH:
                raise refusals.too_long("bId", BATCH_BID_LENGTH)
            return {**self._batch_result(company, item), "bId": bid}
        except Refused as refused:
            return {"Fault": refused.envelope(), "bId": bid}

    def _batch_result(self, company: Company, item: Document) -> Document:
        if "Query" in item:
            found = company.search.run(self._parsed(str(item["Query"])))
            self._count_read(company)
            return {"QueryResponse": found}
        kind = next((name for name in item if name in ENTITIES), None)
        if kind is None:
            raise refusals.unsupported("The batch item")
        include = str(item.get("optionsData", ""))
        result = self._act(company.core, kind, item[kind], str(item.get("operation", "")), include)
        self._count_write(company)
        return {kind: result}


def _json_object(body: bytes) -> Document:
    try:
        document = parse_json(body)
    except ValueError as bad:
        raise refusals.unreadable(f"Unexpected character: {bad}") from bad
    if not isinstance(document, dict):
        raise refusals.unreadable("the body is no JSON object")
    if b"\\ud" in body.lower():  # half of a pair has no bytes of its own: it could be kept but never answered
        try:
            dump_json(document).encode()
        except UnicodeEncodeError as bad:
            raise refusals.unreadable(f"Invalid UTF-16 surrogate: {bad.reason}") from bad
    return document


def _block(books: Books, kind: str, found: list[Record]) -> Document:
    """One entity of a CDC answer; blocks with stubs were seen without a startPosition."""
    if not found:
        return {}
    false_deletions = {record_id for one, record_id in books.false_deletions if one == kind}
    rows = [
        _stub(record) if record.deleted or record.id in false_deletions else RawJson(books.text(record))
        for record in found
    ]
    if all(isinstance(row, RawJson) for row in rows):
        return {kind: rows, "startPosition": 1, "maxResults": len(rows)}
    return {kind: rows, "maxResults": len(rows), "totalCount": len(rows)}


def _stub(record: Record) -> Document:
    return {
        "domain": "QBO",
        "status": "Deleted",
        "Id": record.id,
        "MetaData": {"LastUpdatedTime": pacific(record.updated_s)},
    }
