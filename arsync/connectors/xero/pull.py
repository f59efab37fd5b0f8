"""Reading everything that changed, in rounds; once a day also what Xero does not tell as changed.

Shape   a round reads each list from the moment the round before began, oldest change first; the first round
        reads all of it. A cursor is a small JSON text, good after each page that has one. A round once a day also
        sweeps: it reads every open invoice in short form, because a due date moved on a part-paid invoice is told
        by no list.
Law     nothing that changes while a list is read is lost: a row that is touched moves to the end and would pull the
        next one over a page's edge, so a list is whole only if as many rows were seen as it has; else it is read again
        by time. What was voided or deleted is told by its status: nothing is gone because it is not shown.
Limits  1,000 rows a page. Every 60 s a minute's calls; near the end of the day's calls reading stops (see wire.py) and
        the next round goes on from the last cursor.
Source  README.md of this folder.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from arsync.connectors.contract import Gone, Kind, Page, Pull, Record, Ref, Unreadable
from arsync.connectors.transport import garbled
from arsync.connectors.xero import mapping, properties
from arsync.connectors.xero.mapping import Facts, State
from arsync.connectors.xero.wire import NAME, Tenant, moment
from arsync.core.items import Books
from arsync.errors import PlatformRefused, UsageError

OVERLAP = timedelta(minutes=5)
SWEEP_EVERY = timedelta(hours=20)
ROWS = 1000
SWEEP = "open invoices"
# Accounts first, because payments name them; documents before what settles them.
LISTS = (
    "Accounts",
    "Contacts",
    "Invoices",
    "CreditNotes",
    "Payments",
    "Overpayments",
    "Prepayments",
    "BankTransactions",
)
_IDS_A_CALL = 40
_SECOND = timedelta(seconds=1)
_ID_OF = {
    "Accounts": "AccountID",
    "Contacts": "ContactID",
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Payments": "PaymentID",
    "Overpayments": "OverpaymentID",
    "Prepayments": "PrepaymentID",
    "BankTransactions": "BankTransactionID",
}
# Invoices always in short form: it has every amount, one shape in all readings, and a tenth of the bytes.
SHORT = {"summaryOnly": "true"}
_ASKS: Mapping[str, Mapping[str, str]] = {
    "Contacts": {"includeArchived": "true"},
    "Invoices": {**SHORT, "where": 'Type=="ACCREC"'},
    "CreditNotes": {"where": 'Type=="ACCRECCREDIT"'},
    "BankTransactions": {"where": 'Type=="RECEIVE"'},
    SWEEP: {**SHORT, "where": 'Type=="ACCREC"', "Statuses": "AUTHORISED"},
}
_VERSION = 1
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a pull stands; times are ISO texts in UTC.

    At rest `step` is empty and the next round reads what changed at or after `since`. Else a round is at the list
    `step`, of which everything changed before `after` is read; it reads what changed at or after `window` ("" is
    everything), and the next one starts at `since`. `swept` is when a round last swept.
    """

    since: str
    step: str = ""
    window: str = ""
    after: str = ""
    swept: str = ""
    currencies: tuple[str, ...] = ()
    reminds: bool = False
    version: int = _VERSION

    def text(self) -> str:
        """As stored."""
        return json.dumps({k: v for k, v in asdict(self).items() if v}, separators=(",", ":"))

    @classmethod
    def of(cls, stored: str) -> "Cursor":
        """Read a stored cursor; a stranger's is a usage error, never a silent fresh start."""
        try:
            fields = json.loads(stored)
            fields["currencies"] = tuple(fields.get("currencies", ()))
            cursor = cls(**fields)
            for text in filter(None, (cursor.since, cursor.window, cursor.after, cursor.swept)):
                datetime.fromisoformat(text)
        except (ValueError, TypeError, KeyError, AttributeError):
            cursor = None
        if cursor is None or cursor.version != _VERSION or cursor.step not in ("", *LISTS, SWEEP):
            what = f"this is no cursor of the Xero connector: {stored[:80]!r}"
            raise UsageError(what, do="read everything again: arsync pull --full")
        return cursor


@dataclass(frozen=True, slots=True)
class _Read:
    """Rows of a list: how far they reach, and whether more follow."""

    rows: list[Row]
    after: str  # everything changed before this is read
    more: bool


class Puller:
    """One pull."""

    def __init__(self, tenant: Tenant, want: Pull, now: Callable[[], datetime]) -> None:
        self._tenant, self._want, self._now = tenant, want, now
        self._facts = Facts("")
        self._server_time = ""
        self._known: dict[Kind, frozenset[str]] = {}

    # ---- a round

    def pages(self) -> Iterator[Page]:
        """Every page of a round, in order; see the module."""
        cursor, books = self._begin()
        steps = self._steps(cursor)
        several = cursor.window == ""
        seen = bool(cursor.step)  # a round that was cut off has something to keep: where it ends
        if several and not cursor.step:
            first = replace(cursor, step=steps[0])
            yield self._page((books,), first, "organisation")
            books = None
        for step in steps[steps.index(cursor.step) if cursor.step else 0 :]:
            after = cursor.after if step == cursor.step else ""
            for read in self._list(step, after or cursor.window):
                states = self._states(step, read.rows)
                entity = "Invoices" if step == SWEEP else step
                following = replace(cursor, step=step, after=read.after)
                seen = seen or any(_is_new(row, cursor.window) for row in read.rows)
                if read.rows:
                    keeps = several or read.more
                    page = self._page(states, following if keeps else None, f"{len(read.rows)} {step}")
                    yield replace(page, unknown=properties.unknown(entity, read.rows))
        swept = SWEEP in steps or several
        rest = Cursor(
            cursor.since,
            swept=cursor.since if swept else cursor.swept,
            currencies=cursor.currencies,
            reminds=cursor.reminds,
        )
        last = self._page((books,) if books else (), rest, "up to date")
        yield replace(last, rest=not (seen or swept))

    def books(self) -> Record:
        """The organisation and its settings."""
        organisation = self._organisation()
        return books_record(organisation, self._currencies(), reminds=self._reminds())

    def _begin(self) -> tuple[Cursor, State | None]:
        stored = None if self._want.full or self._want.cursor is None else Cursor.of(self._want.cursor)
        organisation = self._organisation()
        since = moment(datetime.fromisoformat(self._server_time) - OVERLAP)
        if stored is not None and stored.step:
            cursor = stored
        elif stored is not None:
            cursor = replace(stored, since=since, window=stored.since)
        else:
            cursor = Cursor(since)
        if not cursor.step and (cursor.window == "" or self._sweeps(cursor)):
            cursor = replace(cursor, currencies=self._currencies(), reminds=self._reminds())
        record = books_record(organisation, cursor.currencies, reminds=cursor.reminds)
        assert isinstance(record.value, Books)
        self._facts = Facts(record.value.home_currency, record.value.multicurrency)
        return cursor, record

    def _sweeps(self, cursor: Cursor) -> bool:
        last = cursor.swept or cursor.window
        return self._now() - datetime.fromisoformat(last) >= SWEEP_EVERY

    def _steps(self, cursor: Cursor) -> tuple[str, ...]:
        if cursor.window == "":
            return LISTS
        if cursor.step == SWEEP or self._sweeps(cursor):
            return (*LISTS, SWEEP)
        return LISTS[1:]  # accounts change seldom: they are read with the sweep

    def _organisation(self) -> Row:
        answer = self._tenant.read("/Organisation")
        rows = _rows(answer, "Organisations")
        if len(rows) != 1:
            raise garbled(NAME, self._tenant.last, "no organisation in it", "Organisation")
        self._server_time = self._time(answer)
        return rows[0]

    def _currencies(self) -> tuple[str, ...]:
        rows = self._must_list(self._tenant.read("/Currencies"), "Currencies")
        return tuple(sorted(str(row.get("Code")) for row in rows))

    def _reminds(self) -> bool:
        answer = self._tenant.read("/InvoiceReminders/Settings")
        return any(row.get("Enabled") in (True, "true") for row in _rows(answer, "InvoiceReminders"))

    # ---- a list

    def _list(self, step: str, after: str) -> Iterator[_Read]:
        if step == "Accounts":
            rows = self._must_list(self._tenant.read("/Accounts"), "Accounts")
            yield _Read(rows, "", more=False)
            return
        entity = "Invoices" if step == SWEEP else step
        since = None if step == SWEEP or not after else datetime.fromisoformat(after)
        seen: set[str] = set()
        missing = False
        for read, stated in self._numbered(entity, step, since):
            seen |= {str(row.get(_ID_OF[entity])) for row in read.rows}
            missing = stated is not None and len(seen) < stated
            yield read
        if missing:
            yield from self._by_time(entity, step, since)

    def _numbered(self, entity: str, step: str, since: datetime | None) -> Iterator[tuple[_Read, int | None]]:
        """Page after page; with each, how many rows Xero says the whole list has."""
        number = 1
        while True:
            rows, pages, items = self._ask(entity, step, since, number)
            more = bool(rows) if pages is None else number < pages
            yield _Read(rows, self._reached(rows, since), more), items
            if not more:
                return
            number += 1

    def _by_time(self, entity: str, step: str, since: datetime | None) -> Iterator[_Read]:
        """The list again, each page from where the last one ended: no row can slip over a page's edge."""
        number = 1
        while True:
            rows, pages, _ = self._ask(entity, step, since, number)
            more = bool(rows) if pages is None else number < pages
            yield _Read(rows, self._reached(rows, since), more)
            if not more:
                return
            reached = _resumes(rows)
            if reached is not None and (since is None or reached > since):
                since, number = reached, 1
            else:
                number += 1

    def _ask(
        self, entity: str, step: str, since: datetime | None, number: int
    ) -> tuple[list[Row], int | None, int | None]:
        asked = {**_ASKS.get(step, {}), "page": str(number), "pageSize": str(ROWS)}
        answer = self._tenant.read(f"/{entity}", asked, since)
        rows = self._must_list(answer, entity)
        pages = answer.get("pagination")
        if not isinstance(pages, Mapping):
            return rows, None, None
        return rows, _whole(pages.get("pageCount")), _whole(pages.get("itemCount"))

    @staticmethod
    def _reached(rows: Sequence[Row], since: datetime | None) -> str:
        reached = _resumes(rows)
        return moment(reached) if reached else (moment(since) if since else "")

    # ---- rows to records

    def _states(self, step: str, rows: Sequence[Row]) -> tuple[State, ...]:
        entity = "Invoices" if step == SWEEP else step
        if entity == "Payments":
            return self._payments(rows)
        if entity == "Invoices":
            rows = self._whole_where_needed(rows)
        states = tuple(state for row in rows for state in mapping.read(entity, row, self._facts))
        return (*states, *self._taken_off(rows, states)) if entity == "CreditNotes" else states

    def _whole_where_needed(self, rows: Sequence[Row]) -> list[Row]:
        """The rows; where the short form's amounts do not agree, the long form, which tells what was held back."""
        odd = [str(row.get("InvoiceID")) for row in rows if not mapping.adds_up(row)]
        whole = {str(row.get("InvoiceID")): row for row in self._invoices(odd, short=False)}
        return [whole.get(str(row.get("InvoiceID")), row) for row in rows]

    def _invoices(self, numbers: Sequence[str], *, short: bool) -> Iterator[Row]:
        for first in range(0, len(numbers), _IDS_A_CALL):
            asked = {
                "IDs": ",".join(numbers[first : first + _IDS_A_CALL]),
                "page": "1",
                "pageSize": str(ROWS),
            }
            answer = self._tenant.look("/Invoices", asked | (SHORT if short else {}))
            yield from self._must_list(answer, "Invoices")

    def _taken_off(self, rows: Sequence[Row], states: Sequence[State]) -> Iterator[Gone]:
        """Allocations that the store knows and their credit note no longer shows."""
        shown = {state.ref.id for state in states}
        notes = {str(row.get("CreditNoteID")) for row in rows}
        for known in sorted(self._known_ids("payment")):
            prefix, _, rest = known.partition("Allocation:")
            if prefix == "Payment:" and rest.partition(":")[0] in notes and known not in shown:
                yield Gone(Ref("payment", known))

    def _known_ids(self, kind: Kind) -> frozenset[str]:
        if kind not in self._known:
            self._known[kind] = self._want.known(kind)
        return self._known[kind]

    def _payments(self, rows: Sequence[Row]) -> tuple[State, ...]:
        states: list[State] = []
        batches: dict[str, list[Row]] = {}
        for row in rows:
            number = mapping.batch_of(row)
            if number is None or mapping.is_deleted(row) or mapping.is_of_bills(row):
                states += mapping.read("Payments", row, self._facts)
            else:
                batches.setdefault(number, []).append(row)
        for number, some in batches.items():
            states += mapping.batch(number, self._whole_batch(number, some), self._facts)
        return tuple(states)

    def _whole_batch(self, number: str, rows: Sequence[Row]) -> list[Row]:
        """All payments of a batch: those at hand, and those that other pages hold."""
        if _is_whole(rows):
            return list(rows)
        found = self._tenant.one("BatchPayments", number) or {}
        at_hand = {str(row.get("PaymentID")): row for row in rows}
        wanted = [str(one.get("PaymentID")) for one in _rows(found, "Payments")]
        missing = [one for one in wanted if one not in at_hand]
        read = [row for row in (self._tenant.one("Payments", one) for one in missing) if row is not None]
        return [*rows, *read]

    # ---- single records

    def fetch(self, refs: Sequence[Ref]) -> Page:
        """These records as they are now; what is no more comes back as gone."""
        record = books_record(self._organisation(), self._currencies(), reminds=False)
        assert isinstance(record.value, Books)
        self._facts = Facts(record.value.home_currency, record.value.multicurrency)
        invoices = [ref.id.partition(":")[2] for ref in refs if ref.id.startswith("Invoice:")]
        states = list(self._states("Invoices", list(self._invoices(invoices, short=True))))
        for ref in refs:
            if not ref.id.startswith(("Invoice:", *_UNKEPT)):
                states += self._one(ref)
        told = {state.ref for state in states}
        gone = tuple(Gone(ref) for ref in refs if ref not in told and not ref.id.startswith(_UNKEPT))
        return self._page((*states, *gone), None, f"{len(refs)} records read again")

    def _one(self, ref: Ref) -> tuple[State, ...]:
        entity, number = place_of(ref)
        if entity == "BatchPayments":
            found = self._tenant.one(entity, number)
            if found is None or mapping.is_deleted(found):
                return ()
            return mapping.batch(number, self._whole_batch(number, ()), self._facts)
        row = self._tenant.one(entity, number)
        return self._states(entity, [row]) if row is not None else ()

    # ---- small things

    def _page(self, states: Iterable[State | None], cursor: Cursor | None, note: str) -> Page:
        told = tuple(states)
        return Page(
            tuple(one for one in told if isinstance(one, Record)),
            tuple(one for one in told if isinstance(one, Unreadable)),
            tuple(one for one in told if isinstance(one, Gone)),
            cursor.text() if cursor else None,
            server_time=self._server_time,
            note=note,
        )

    def _must_list(self, answer: Row, entity: str) -> list[Row]:
        """The rows of a list; an answer without the list is no empty list."""
        if not isinstance(answer.get(entity), list):
            raise garbled(NAME, self._tenant.last, f"no {entity} in it", entity)
        return _rows(answer, entity)

    def _time(self, answer: Row) -> str:
        when = mapping.instant(answer.get("DateTimeUTC")) or self._tenant.date()
        if when is None:
            raise garbled(NAME, self._tenant.last, "it does not tell its time", "Organisation")
        return moment(when)


_UNKEPT = ("Spend:", "Transfer:")  # what we write for a payout: no receivable, so no pull keeps them
_PLACES = {
    "CreditNote": "CreditNotes",
    "Receive": "BankTransactions",
    "Payment:Batch": "BatchPayments",
    "Payment:Overpayment": "Overpayments",
    "Payment:Prepayment": "Prepayments",
    "Payment:Allocation": "CreditNotes",
    "Payment:Receive": "BankTransactions",
    "Payment": "Payments",
}


def place_of(ref: Ref) -> tuple[str, str]:
    """Where Xero keeps what a ref names: ("Payments", id). An allocation is kept with its credit note."""
    if ref.kind == "customer":
        return "Contacts", ref.id
    if ref.id.startswith("Invoice:"):
        return "Invoices", ref.id.partition(":")[2]
    name, _, number = ref.id.rpartition(":")
    if name.startswith("Payment:Allocation:"):
        return "CreditNotes", name.rpartition(":")[2]
    return _PLACES[name], number


def books_record(organisation: Row, currencies: Sequence[str], *, reminds: bool) -> Record:
    """The books; nothing can be read without them, so an unreadable one stops the pull."""
    record = mapping.books(organisation, [{"Code": code} for code in currencies], reminds=reminds)
    if isinstance(record, Unreadable):
        what = f"Xero's organisation cannot be read: {record.field} {record.why}"
        raise PlatformRefused(what, where="Organisation", do="look at the organisation's settings in Xero")
    return record


def _rows(answer: Mapping[str, Any], entity: str) -> list[Row]:
    rows = answer.get(entity)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_new(row: Row, window: str) -> bool:
    """Whether a row changed after the round before began; what only the overlap shows again is not."""
    when = mapping.instant(row.get("UpdatedDateUTC"))
    return when is None or not window or when >= datetime.fromisoformat(window) + OVERLAP


def _resumes(rows: Sequence[Row]) -> datetime | None:
    """From when on a list goes on after these rows: the second before the last one's change."""
    when = mapping.instant(rows[-1].get("UpdatedDateUTC")) if rows else None
    return None if when is None else when.replace(microsecond=0) - _SECOND


def _is_whole(rows: Sequence[Row]) -> bool:
    """Whether the payments at hand make up what their batch totals."""
    inner = rows[0].get("BatchPayment") if rows else None
    stated = inner.get("TotalAmount") if isinstance(inner, Mapping) else None
    try:
        return stated is not None and sum(Decimal(str(row.get("Amount"))) for row in rows) == Decimal(
            str(stated)
        )
    except ArithmeticError:
        return False
