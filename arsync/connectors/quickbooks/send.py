"""Sending calls, reading their answers with suspicion, and finding what became of lost ones.

Law     an answer is "accepted" only if it shows every fact the call expects; anything that may have
        happened unseen is "unknown". A document is ours only if its marker and its facts agree.
Source  README.md of this folder: a replayed key may answer with an object that was deleted since.
"""

import hashlib
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from arsync.connectors import exact
from arsync.connectors.contract import Answer, Call, Found, Record, Ref
from arsync.connectors.quickbooks import mapping, query
from arsync.connectors.quickbooks.faults import Fault, fault_in, meaning
from arsync.connectors.quickbooks.mapping import FieldUnreadable, LedgerFacts, amount, settled
from arsync.connectors.quickbooks.plan import banked_text, entry_text, lines_text
from arsync.connectors.quickbooks.sdk import Company, Faulted
from arsync.connectors.transport import NoAnswer
from arsync.errors import Garbled, Throttled

_ENTITIES = {name.lower(): name for name in ("Payment", "CreditMemo", "Deposit", "JournalEntry", "Invoice")}
_MARKER = re.compile(r"arsync:[a-z0-9-]+\.\d+\.\d+")
_SLOW = timedelta(seconds=30)  # an answer that tells of an older change may be a replay
_BATCH_KEY_DIGITS = 32  # QuickBooks takes 36 characters where a request is a batch
_ITEM_REFUSED = 400  # an item of a batch has no status of its own
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Request:
    """What a stored call asks for."""

    entity: str
    operation: str
    body: Row

    @property
    def number(self) -> str:
        """The id it changes or deletes; "" where it creates."""
        return str(self.body.get("Id", ""))

    @property
    def batch_operation(self) -> str:
        """What an item of a batch calls it."""
        return self.operation or ("update" if self.number else "create")

    @classmethod
    def of(cls, call: Call) -> "_Request":
        split = urllib.parse.urlsplit(call.path)
        operation = urllib.parse.parse_qs(split.query).get("operation", [""])[0]
        return cls(_ENTITIES[split.path.rpartition("/")[2]], operation, exact.read_object(call.body))


# ---- sending


def send(company: Company, call: Call) -> Answer:
    """Send one call and judge its answer.

    Raises:
        Unreachable: nothing left this machine. ConsentLost: we are not let in, nothing happened.
    """
    request = _Request.of(call)
    try:
        answer = company.write(request.entity, request.operation, call.body.decode(), call.key)
    except Faulted as error:
        return _faulted(call, request, error.fault, company.last.text.encode())
    except (NoAnswer, Throttled, Garbled) as error:
        return Answer(call, "unknown", None, why=str(error))
    return _judged(company, call, request, answer.get(request.entity), company.last.text.encode())


def send_together(company: Company, calls: Sequence[Call]) -> Iterator[Answer]:
    """Send calls in one request; each has an answer of its own, in no order.

    The request's key follows from the calls' keys and their order: the same calls again are the same request.

    Raises:
        Unreachable: nothing left this machine. ConsentLost: we are not let in, nothing happened.
    """
    requests = [_Request.of(call) for call in calls]
    body = ",".join(
        f'{{"bId":"{number}","operation":"{request.batch_operation}","{request.entity}":{call.body.decode()}}}'
        for number, (call, request) in enumerate(zip(calls, requests, strict=True))
    )
    key = hashlib.sha256("\n".join(call.key for call in calls).encode()).hexdigest()[:_BATCH_KEY_DIGITS]
    try:
        answer = company.batch(f'{{"BatchItemRequest":[{body}]}}', key)
    except Faulted as error:
        raw = company.last.text.encode()
        yield from (_refused(call, error.fault, raw) for call in calls)
        return
    except (NoAnswer, Throttled, Garbled) as error:
        yield from (Answer(call, "unknown", None, why=str(error)) for call in calls)
        return
    reply = company.last
    told = answer.get("BatchItemResponse")
    items = (
        {str(item.get("bId")): item for item in told if isinstance(item, dict)}
        if isinstance(told, list)
        else {}
    )
    for number, (call, request) in enumerate(zip(calls, requests, strict=True)):
        item = items.get(str(number), {})
        stated = item.get("Fault")
        if isinstance(stated, dict):
            fault = fault_in(stated, _ITEM_REFUSED, reply.trace)
            yield _faulted(call, request, fault, exact.text(item).encode())
        else:
            yield _judged(company, call, request, item.get(request.entity), exact.text(item).encode())


def _faulted(call: Call, request: _Request, fault: Fault, raw: bytes) -> Answer:
    if request.operation == "delete" and meaning(fault) == "gone":
        ref = mapping.ref_of(request.entity, request.number)
        return Answer(call, "accepted", ref, raw, f"{ref.id} was gone already")
    return _refused(call, fault, raw)


def _judged(company: Company, call: Call, request: _Request, row: object, raw: bytes) -> Answer:
    """The answer to a call that was not refused; accepted only if it shows everything the call expects."""
    trace = company.last.trace or "none"
    if not isinstance(row, dict):
        return Answer(call, "unknown", None, raw, f"the answer holds no {request.entity}, trace {trace}")
    ref = _ref(request, row)
    difference = _difference(call, request, row)
    if difference:
        return Answer(call, "unknown", ref, raw, f"the answer shows {difference}, trace {trace}")
    if request.operation == "delete":
        return Answer(call, "accepted", ref, raw)
    if (call.again or _may_be_replay(company, row)) and company.one(request.entity, str(row["Id"])) is None:
        why = f"the answer tells of {ref.id}, which exists no more: the key was used before, trace {trace}"
        return Answer(call, "unknown", ref, raw, why)
    return Answer(call, "accepted", ref, raw, records=_records(call, request.entity, row))


def _ref(request: _Request, row: Row) -> Ref:
    """What a row is to us; of a journal entry of ours, the line on which a customer owes."""
    number = str(row.get("Id", request.number))
    if request.entity == "JournalEntry":
        for line in row.get("Line") or []:
            if _value((line.get("JournalEntryLineDetail") or {}).get("Entity") or {}, "EntityRef"):
                return Ref("item", f"JournalEntry:{number}:{line.get('Id')}")
    return mapping.ref_of(request.entity, number)


def _refused(call: Call, fault: Fault, raw: bytes) -> Answer:
    what = meaning(fault)
    why = f"QuickBooks: {fault.said}, trace {fault.trace or 'none'}"
    if what in {"stale", "gone"}:
        return Answer(call, "stale", None, raw, why, fault.code)
    if what == "closed_period":
        return Answer(call, "refused", None, raw, why, "closed_period")
    if what == "read_only":
        return Answer(call, "refused", None, raw, why, "read_only")
    if what == "refused":
        return Answer(call, "refused", None, raw, why, fault.code)
    return Answer(call, "unknown", None, raw, why, fault.code)


def _may_be_replay(company: Company, row: Row) -> bool:
    """Whether the answer may be an old one: after a lost attempt, or when it tells of a change long ago."""
    told, said_at = _moment(row), company.date()
    return company.last.doubtful or told is None or said_at is None or abs(said_at - told) > _SLOW


def _moment(row: Row) -> datetime | None:
    stamp = (row.get("MetaData") or {}).get("LastUpdatedTime")
    try:
        when = datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
    return when if when.tzinfo else None


def _records(call: Call, entity: str, row: Row) -> tuple[Record, ...]:
    if entity in mapping.ENTRIES:
        return ()  # which of its lines are ours, only a pull knows
    if any(not link.get("TxnLineId") for link in mapping.entry_links(row)):
        return ()  # this answer does not tell which line of an entry is meant; the next pull does
    read = mapping.read(entity, row, LedgerFacts(call.expects["Currency"]))
    return tuple(one for one in read if isinstance(one, Record))


def _difference(call: Call, request: _Request, row: Row) -> str:
    """How a row falls short of what the call expects; "" when it shows all of it."""
    try:
        shown = _facts(row, call.expects, request)
    except FieldUnreadable as error:
        return f"no readable {error.field_name}: {error.why}"
    wrong = [name for name, expected in call.expects.items() if shown.get(name) != expected]
    return ", ".join(f"{name} {shown.get(name)!r}, not {call.expects[name]!r}" for name in wrong)


def _facts(row: Row, expects: Mapping[str, str], request: _Request) -> dict[str, str]:
    currency = expects["Currency"]
    readers = {
        "Currency": lambda: _value(row, "CurrencyRef") or currency,
        "CustomerRef": lambda: _value(row, "CustomerRef") or "",
        "TotalAmt": lambda: amount(row, "TotalAmt", currency).text(),
        "UnappliedAmt": lambda: amount(row, "UnappliedAmt", currency).text(),
        "Lines": lambda: lines_text(settled(row), currency),
        "DepositTo": lambda: _value(row, "DepositToAccountRef") or "",
        "From": lambda: " ".join(
            str(_value(line.get("DepositLineDetail") or {}, "AccountRef")) for line in row.get("Line") or []
        ),
        "Entry": lambda: entry_text(row, currency),
        "Banked": lambda: banked_text(row, currency),
        "PrivateNote": lambda: str(row.get("PrivateNote", "")),
        "CustomField": lambda: _field(row, expects["CustomField"].partition("=")[0]),
        "status": lambda: str(row.get("status", "")) if row.get("Id") == request.number else "another object",
    }
    return {name: readers[name]() for name in expects}


def _field(row: Row, name: str) -> str:
    fields = [one for one in row.get("CustomField") or [] if one.get("Name") == name]
    return f"{name}={fields[0].get('StringValue', '')}" if fields else ""


def _value(row: Row, name: str) -> str | None:
    holder = row.get(name)
    return holder.get("value") if isinstance(holder, Mapping) else None


# ---- finding


def find(company: Company, call: Call) -> Found:
    """Whether the call's effect exists. Never writes."""
    request = _Request.of(call)
    if request.operation == "delete":
        return _find_deleted(company, request)
    if request.number:
        return _find_changed(company, call, request)
    return _find_created(company, call, request)


def _find_deleted(company: Company, request: _Request) -> Found:
    ref = mapping.ref_of(request.entity, request.number)
    return Found("present" if company.one(request.entity, request.number) is None else "absent", ref)


def _find_changed(company: Company, call: Call, request: _Request) -> Found:
    ref = mapping.ref_of(request.entity, request.number)
    row = company.one(request.entity, request.number)
    if row is None:
        return Found("differs", ref, f"{ref.id} exists no more")
    difference = _difference(call, request, row)
    if not difference:
        return Found("present", ref)
    if row.get("SyncToken") == request.body.get("SyncToken"):
        return Found("absent", ref)
    return Found("differs", ref, f"{ref.id} was changed by somebody else and shows {difference}")


def _find_created(company: Company, call: Call, request: _Request) -> Found:
    wanted = _MARKER.match(str(request.body.get("PrivateNote", "")))
    if wanted is None:
        return Found("unclear", None, "the call carries no marker")
    marked: dict[str, Row] = {}
    # By day first: few rows, and it finds a document that was moved to another customer. Then by customer,
    # any day.
    conditions = [query.equals("TxnDate", str(request.body["TxnDate"]))]
    if "CustomerRef" in call.expects:
        conditions.append(query.equals("CustomerRef", call.expects["CustomerRef"]))
    for condition in conditions:
        for row in _all(company, request.entity, condition):
            if wanted[0] in _MARKER.findall(row.get("PrivateNote") or ""):
                marked[str(row.get("Id"))] = row
        agreeing = sorted(
            (_born(row), number) for number, row in marked.items() if not _difference(call, request, row)
        )
        if agreeing:
            # A copy made in the user interface repeats the note; ours is the older one.
            return Found("present", _ref(request, marked[agreeing[0][1]]))
    if not marked:
        return Found("absent")
    row = min(marked.values(), key=_born)
    ref = _ref(request, row)
    return Found("differs", ref, f"{ref.id} carries our marker and shows {_difference(call, request, row)}")


def _born(row: Row) -> tuple[str, int]:
    number = str(row.get("Id", ""))
    return str((row.get("MetaData") or {}).get("CreateTime", "")), int(number) if number.isdecimal() else 0


def _all(company: Company, entity: str, condition: str) -> Iterator[Row]:
    start = 1
    while True:
        statement = query.select(entity, condition, order="Id", start=start)
        rows = (company.query(statement).get("QueryResponse") or {}).get(entity) or []
        yield from rows
        if len(rows) < query.ROWS:
            return
        start += len(rows)
