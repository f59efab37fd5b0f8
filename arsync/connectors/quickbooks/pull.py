"""Reading everything that changed, and proving what is gone.

Shape   a load (first, full, or after too long a pause) reads every entity oldest change first; after it,
        and on every later pull, one call of change data capture. A cursor is a small JSON text, good after
        each page that has one.
Law     nothing that changes while a load runs is lost: rows are ordered by their time of change, so a
        touched row moves to the end of what is still to come, and the first capture starts before the load
        began. A row is `Gone` only after QuickBooks answered 610 to a question about it alone. A property
        nobody announced is kept in the raw record and told, never an error.
Limits  capture reaches 30 days back and shows 1,000 rows. Beyond the first, a load of that window takes its
        place; beyond the second, a load of the entities that were cut short, and the rest of the capture.
Source  README.md of this folder.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from arsync.connectors.contract import Gone, Kind, Page, Pull, Record, Ref, Unreadable
from arsync.connectors.quickbooks import mapping, properties, query
from arsync.connectors.quickbooks.mapping import ENTRIES, Key, LedgerFacts
from arsync.connectors.quickbooks.sdk import NAME, Company
from arsync.connectors.transport import garbled
from arsync.core.items import Books
from arsync.errors import PlatformRefused, UsageError

OVERLAP = timedelta(minutes=5)
REACH = timedelta(days=29)  # QuickBooks says 30
_CAPTURE_MOST = 1000
_LISTS = ("Account", "Term", "Item", "Customer")
# Accounts first, because they tell which lines of entries are receivables; payments last, because they
# point at the rest.
ENTITIES = (*_LISTS, "Invoice", "CreditMemo", "JournalEntry", "Deposit", "Payment")
# Other list entries can only be made inactive; a customer vanishes when it is merged into another.
_DELETABLE = ("Customer", "Invoice", "CreditMemo", "JournalEntry", "Deposit", "Payment")
_KIND_OF: Mapping[str, Kind] = {
    "Account": "account",
    "Term": "terms",
    "Item": "product",
    "Customer": "customer",
    "Payment": "payment",
}
_IDS_A_QUERY = 200
_VERSION = 1
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a pull stands; times are ISO texts with offset.

    A load is at `entity`, reading rows changed at or after `after`, from `start`; `last` is the row before.
    `entity` "gone" looks for what has vanished. `changes` starts at `since`.

    A capture that was cut short goes on as a load of `only` those entities; then `changes` again, from the same
    `since`, `without` what was loaded, and the pull after that starts at `until`.
    """

    step: Literal["load", "changes"]
    since: str  # where the next capture starts
    company: str = ""
    receivable: tuple[str, ...] = ()
    window: str = ""  # a load reads only what changed at or after this; "" is everything
    entity: str = ""
    after: str = ""
    start: int = 1
    last: str = ""
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    until: str = ""
    version: int = _VERSION

    @property
    def entities(self) -> tuple[str, ...]:
        """What this step is about, in the order of `ENTITIES`."""
        wanted = self.only or ENTITIES
        return tuple(one for one in ENTITIES if one in wanted and one not in self.without)

    def text(self) -> str:
        """As stored."""
        told = {key: value for key, value in asdict(self).items() if value and (key, value) != ("start", 1)}
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def of(cls, stored: str) -> "Cursor":
        """Read a stored cursor; a stranger's is a usage error, never a silent fresh start."""
        try:
            fields = json.loads(stored)
            for name in ("receivable", "only", "without"):
                fields[name] = tuple(fields.get(name, ()))
            cursor = cls(**fields)
            datetime.fromisoformat(cursor.since)
        except (ValueError, TypeError, KeyError, AttributeError):
            cursor = None
        if cursor is None or cursor.version != _VERSION:
            what = f"this is no cursor of the QuickBooks connector: {stored[:80]!r}"
            raise UsageError(what, do="read everything again: arsync run with --full")
        return cursor


@dataclass(frozen=True, slots=True)
class _Rows:
    """One step's reading, before it is a page."""

    records: tuple[Record, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    gone: tuple[Gone, ...] = ()
    unknown: frozenset[str] = frozenset()


class Puller:
    """One pull."""

    def __init__(self, company: Company, want: Pull, now: Callable[[], datetime]) -> None:
        self._company, self._want, self._now = company, want, now
        self._known: dict[Kind, frozenset[str]] = {}
        self._facts = LedgerFacts("")
        self._books: Record | None = None
        self._server_time = ""
        self._first = False
        self._captured_whole: dict[str, list[Row]] = {}  # of a capture that was cut short: what was not cut

    def pages(self) -> Iterator[Page]:
        """Every page, in order; see the module."""
        cursor = self._begin()
        going_on: Cursor | None = cursor
        # Of what a store has never held nothing can be gone.
        self._first = cursor.step == "load" and not cursor.window and not self._holds_anything()
        if cursor.step == "load":
            # The page of the books: a load that is cut off later resumes with its own beginning, not with a
            # new one.
            yield self._page(_Rows(self._take_books()), cursor, "company settings")
        while going_on is not None:
            page, going_on = self._advance(going_on)
            yield page

    def _advance(self, cursor: Cursor) -> tuple[Page, Cursor | None]:
        if cursor.step == "changes":
            return self._changes(cursor)
        if cursor.entity == "gone":
            return self._end_of_load(cursor)
        return self._load(cursor)

    # ---- the books come first

    def _begin(self) -> Cursor:
        stored = None if self._want.full or self._want.cursor is None else Cursor.of(self._want.cursor)
        preferences = self._preferences()
        cursor = stored or Cursor(
            "load",
            since=self._since(self._server_time),
            company=company_name(self._company),
            entity=ENTITIES[0],
        )
        self._books = books_record(preferences, cursor.company)
        assert isinstance(self._books.value, Books)
        home, several = self._books.value.home_currency, self._books.value.multicurrency
        self._facts = LedgerFacts(home, several, frozenset(cursor.receivable))
        return cursor

    def _preferences(self) -> Row:
        preferences, answer = read_preferences(self._company)
        self._server_time = self._time(answer)
        return preferences

    def _take_books(self) -> tuple[Record, ...]:
        record, self._books = self._books, None
        return (record,) if record else ()

    # ---- a load

    def _load(self, cursor: Cursor) -> tuple[Page, Cursor]:
        rows, following = self._next_rows(cursor)
        if cursor.entity == "Account":
            receivable = mapping.receivable_accounts(rows) | frozenset(following.receivable)
            following = replace(following, receivable=tuple(sorted(receivable)))
            self._facts = replace(self._facts, receivable=receivable)
        return self._page(
            self._read(cursor.entity, rows), following, f"{cursor.entity}: {len(rows)} rows"
        ), following

    def _end_of_load(self, cursor: Cursor) -> tuple[Page, Cursor | None]:
        read = _Rows() if self._first else self._vanished(cursor.entities, cursor.since)
        if cursor.only:
            following = Cursor(
                "changes", cursor.window, cursor.company, cursor.receivable,
                without=cursor.without + cursor.only, until=cursor.since,
            )  # fmt: skip
            return self._page(read, following, _found_gone(read)), following
        following = Cursor("changes", cursor.since, cursor.company, cursor.receivable)
        page = self._page(read, following, _found_gone(read))
        # What changed meanwhile waits for the next pull, unless the load lasted long enough to matter.
        lasted = datetime.fromisoformat(self._server_time) - datetime.fromisoformat(cursor.since)
        return page, following if not cursor.window and lasted > 2 * OVERLAP else None

    def _next_rows(self, cursor: Cursor) -> tuple[list[Row], Cursor]:
        """The next rows of a load, and where it goes on."""
        after, start = cursor.after or cursor.window, cursor.start
        rows = self._query(cursor.entity, after, start)
        if start > 1 and (not rows or rows[0].get("Id") != cursor.last):
            # The row we left off at has moved: one before it vanished or changed, so what follows slipped
            # forward.
            start = 1
            rows = self._query(cursor.entity, after, start)
        if len(rows) < query.ROWS:
            following = _next(cursor.entity, cursor.entities)
            return rows, replace(cursor, entity=following, after="", start=1, last="")
        last = str(rows[-1].get("Id"))
        newest = self._changed(rows[-1], cursor.entity)
        if newest is None:
            # Without offsets nobody knows where the next page begins in time: count on from the same beginning.
            return rows, replace(cursor, start=start + len(rows) - 1, last=last)
        same_second = sum(self._changed(row, cursor.entity) == newest for row in rows)
        # Go on from the newest second; the row we leave off at is read twice, so that slipping shows.
        start = start + len(rows) - 1 if newest == after else same_second
        return rows, replace(cursor, after=newest, start=start, last=last)

    def _query(self, entity: str, after: str, start: int) -> list[Row]:
        where = [f"MetaData.LastUpdatedTime >= {query.literal(after)}"] if after else []
        if entity in _LISTS:
            where.append("Active IN (true, false)")
        statement = query.select(entity, *where, order="MetaData.LastUpdatedTime", start=start)
        answer = self._company.query(statement)
        self._server_time = self._time(answer)
        return _rows(answer.get("QueryResponse"), entity)

    def _changed(self, row: Row, entity: str) -> str | None:
        """When a row was changed; None where its zone is not stated, which nobody may guess."""
        stamp = (row.get("MetaData") or {}).get("LastUpdatedTime", "")
        try:
            when = datetime.fromisoformat(stamp)
        except (ValueError, TypeError) as error:
            where = f"query {entity}"
            raise garbled(NAME, self._company.last, f"LastUpdatedTime {stamp!r}", where) from error
        return None if when.tzinfo is None else query.moment(when)

    # ---- what is gone

    def _vanished(self, entities: Sequence[str], began: str) -> _Rows:
        """Everything of these entities the store knows that no query shows any more, each one confirmed."""
        read = _Rows()
        self._known.clear()  # the pages of this load are stored meanwhile
        for entity in (one for one in _DELETABLE if one in entities):
            known = self._known_numbers(entity)
            if not known or self._all_there(entity, len(known), began):
                continue
            for number in sorted(known - self._present(entity)):
                read = _joined(read, self._gone_if_confirmed(entity, number, ""))
        return read

    def _all_there(self, entity: str, known: int, began: str) -> bool:
        """Whether two counts prove that nothing is gone, instead of a list of all ids.

        As many there as here, all of which we have just read, and none made since we began, which could stand in
        for one that is gone. Of entries only those with a receivable line are known, so their number says nothing.
        """
        if entity in ENTRIES or self._count(entity) != known:
            return False
        return self._count(entity, f"MetaData.CreateTime >= {query.literal(began)}") == 0

    def _count(self, entity: str, *where: str) -> int | None:
        states = ["Active IN (true, false)"] if entity in _LISTS else []
        answer = self._company.query(query.count(entity, *where, *states)).get("QueryResponse")
        number = answer.get("totalCount") if isinstance(answer, Mapping) else None
        return number if isinstance(number, int) and not isinstance(number, bool) else None

    def _present(self, entity: str) -> frozenset[str]:
        ids: set[str] = set()
        where = ["Active IN (true, false)"] if entity in _LISTS else []
        start = 1
        while True:
            statement = query.select(entity, *where, order="Id", start=start, fields="Id")
            rows = _rows(self._company.query(statement).get("QueryResponse"), entity)
            ids |= {str(row.get("Id")) for row in rows}
            if len(rows) < query.ROWS:
                return frozenset(ids)
            start += len(rows)

    def _holds_anything(self) -> bool:
        return any(self._want.known(_KIND_OF.get(entity, "item")) for entity in _DELETABLE)

    def _known_ids(self, kind: Kind) -> frozenset[str]:
        if kind not in self._known:
            self._known[kind] = self._want.known(kind)
        return self._known[kind]

    def _known_numbers(self, entity: str) -> frozenset[str]:
        kind = _KIND_OF.get(entity, "item")
        if kind in {"item", "payment"}:
            return frozenset(i.split(":")[1] for i in self._known_ids(kind) if i.startswith(f"{entity}:"))
        return self._known_ids(kind)

    def _known_lines(self, entity: str, number: str) -> frozenset[str]:
        return frozenset(i for i in self._known_ids("item") if i.startswith(f"{entity}:{number}:"))

    def _gone_if_confirmed(self, entity: str, number: str, changed: str) -> _Rows:
        """Ask about one row alone: what it states when it lives after all, or that it is gone."""
        row = self._company.one(entity, number)
        if row is not None:
            return self._read(entity, [row])
        if entity in ENTRIES:
            refs = [Ref("item", line) for line in sorted(self._known_lines(entity, number))]
        else:
            refs = [mapping.ref_of(entity, number)]
        return _Rows(gone=tuple(Gone(ref, changed) for ref in refs))

    # ---- change data capture

    def _changes(self, cursor: Cursor) -> tuple[Page, Cursor | None]:
        if self._now() - datetime.fromisoformat(cursor.since) > REACH:
            return self._window(cursor, ENTITIES, "longer ago than a capture reaches")
        blocks = self._captured_whole if cursor.without and self._captured_whole else self._capture(cursor)
        if cut := _cut_short(blocks):
            # More than 1,000 rows in one answer: the 1,000 count for an entity, and the others are whole.
            several = sum(map(len, blocks.values())) > _CAPTURE_MOST
            self._captured_whole = {one: blocks[one] for one in blocks if one not in cut} if several else {}
            return self._window(cursor, cut, "more changes than one capture shows")
        self._captured_whole = {}
        receivable = self._facts.receivable | mapping.receivable_accounts(blocks.get("Account", []))
        self._facts = replace(self._facts, receivable=receivable)
        read = _joined(_Rows(self._take_books()), self._captured(blocks))
        since = cursor.until or self._since(self._server_time)
        following = Cursor("changes", since, cursor.company, tuple(sorted(receivable)))
        size = sum(len(rows) for rows in blocks.values())
        return replace(self._page(read, following, f"{size} changes"), rest=not cursor.until), None

    def _capture(self, cursor: Cursor) -> dict[str, list[Row]]:
        answer = self._company.changes(",".join(cursor.entities), cursor.since)
        blocks = _blocks(answer, cursor.entities)
        if blocks is None:
            raise garbled(NAME, self._company.last, "no CDCResponse in it", "cdc")
        self._server_time = self._time(answer)
        return blocks

    def _window(self, cursor: Cursor, entities: Sequence[str], why: str) -> tuple[Page, Cursor]:
        """A load of what changed since the cursor, in place of a capture that cannot show it all."""
        only = () if tuple(entities) == ENTITIES else tuple(entities)
        following = Cursor(
            "load",
            since=cursor.until or self._since(self._server_time),
            company=cursor.company,
            receivable=cursor.receivable,
            window=cursor.since,
            entity=entities[0],
            only=only,
            without=cursor.without if only else (),
        )
        return self._page(_Rows(self._take_books()), following, why), following

    def _captured(self, blocks: Mapping[str, list[Row]]) -> _Rows:
        read = _Rows()
        own = {
            entity: [row for row in blocks.get(entity, []) if row.get("status") != "Deleted"]
            for entity in ENTITIES
        }
        entries = self._entries(
            {(entity, str(row.get("Id"))): row for entity in ENTRIES for row in own.get(entity, ())}
        )
        for entity in ENTITIES:
            read = _joined(read, self._read(entity, own[entity], entries))
        for entity in ENTITIES:
            for stub in blocks.get(entity, []):
                if stub.get("status") == "Deleted":
                    found = self._gone_if_confirmed(entity, str(stub.get("Id")), _stamp(stub))
                    read = _joined(read, found)
        return read

    # ---- rows to records

    def _read(self, entity: str, rows: Sequence[Row], entries: Mapping[Key, Any] | None = None) -> _Rows:
        facts = (
            replace(self._facts, entries=self._linked(rows, entries or {}))
            if entity == "Payment"
            else self._facts
        )
        read = [self._states(entity, row, facts) for row in rows]
        found = _sorted(
            (one for states, _ in read for one in states), (one for _, gone in read for one in gone)
        )
        return replace(found, unknown=properties.unknown(entity, rows))

    def _states(
        self, entity: str, row: Row, facts: LedgerFacts
    ) -> tuple[tuple[Record | Unreadable, ...], tuple[Gone, ...]]:
        states = mapping.read(entity, row, facts)
        if entity not in ENTRIES:
            return states, ()
        # An edit may take a line off accounts receivable: what the store still holds of this entry is gone.
        left = self._known_lines(entity, str(row.get("Id"))) - {one.ref.id for one in states}
        return states, tuple(Gone(Ref("item", line), _stamp(row)) for line in sorted(left))

    def _entries(self, rows: Mapping[Key, Row]) -> dict[Key, Any]:
        return {key: mapping.entry_lines(key[0], row, self._facts) for key, row in rows.items()}

    def _linked(self, payments: Iterable[Row], entries: Mapping[Key, Any]) -> dict[Key, Any]:
        """The entries that payments point at, read where needed: a line does not tell an entry's side."""
        wanted = {key for row in payments for key in mapping.linked_entries(row)}
        found = {key: entries[key] for key in wanted if key in entries}
        for entity in ENTRIES:
            numbers = sorted(number for name, number in wanted - found.keys() if name == entity)
            for row in by_ids(self._company, entity, numbers):
                found |= self._entries({(entity, str(row.get("Id"))): row})
        return found

    # ---- single records

    def fetch(self, refs: Sequence[Ref], receivable: frozenset[str]) -> Page:
        """These records as they are now; what is no more comes back as gone."""
        preferences = self._preferences()
        record = books_record(preferences, "")
        assert isinstance(record.value, Books)
        self._facts = LedgerFacts(record.value.home_currency, record.value.multicurrency, receivable)
        read = _Rows()
        for entity, wanted in _by_entity(refs).items():
            rows = {str(row.get("Id")): row for row in by_ids(self._company, entity, sorted(wanted))}
            read = _joined(read, self._read(entity, list(rows.values())))
            for number in sorted(wanted.keys() - rows.keys()):
                read = _joined(read, self._gone_if_confirmed(entity, number, ""))
        stated = {record.ref for record in read.records} | {one.ref for one in read.unreadable}
        stated |= {one.ref for one in read.gone}
        # An entry that lives without the line asked for: that line is gone.
        lines = tuple(Gone(ref) for ref in refs if ref.kind == "item" and ref not in stated)
        return self._page(replace(read, gone=read.gone + lines), None, f"{len(refs)} records read again")

    # ---- small things

    def _page(self, read: _Rows, cursor: Cursor | None, note: str) -> Page:
        stored = cursor.text() if cursor else None
        return Page(
            read.records, read.unreadable, read.gone, stored, server_time=self._server_time, note=note,
            unknown=read.unknown,
        )  # fmt: skip

    def _time(self, answer: Row) -> str:
        """The server's time; one without a zone is worth nothing, then the answer's Date header tells it."""
        stamp = answer.get("time")
        try:
            when: datetime | None = datetime.fromisoformat(str(stamp))
        except ValueError:
            when = None
        if when is None or when.tzinfo is None:
            when = self._company.date()
        if when is None:
            raise garbled(NAME, self._company.last, f"its time is {stamp!r}", "time")
        return query.moment(when)

    @staticmethod
    def _since(server_time: str) -> str:
        return query.moment(datetime.fromisoformat(server_time) - OVERLAP)


def read_preferences(company: Company) -> tuple[Row, Row]:
    """The company's preferences, and the answer that held them."""
    answer = company.query(query.select("Preferences"))
    rows = _rows(answer.get("QueryResponse"), "Preferences")
    if len(rows) != 1:
        raise garbled(NAME, company.last, "no Preferences in it", "query Preferences")
    return rows[0], answer


def company_name(company: Company) -> str:
    """What the company calls itself."""
    rows = _rows(company.query(query.select("CompanyInfo")).get("QueryResponse"), "CompanyInfo")
    return str(rows[0].get("CompanyName", "")) if rows else ""


def books_record(preferences: Row, company: str) -> Record:
    """The books; nothing can be read without them, so an unreadable one stops the pull."""
    record = mapping.books(preferences, company)
    if isinstance(record, Unreadable):
        what = f"QuickBooks' preferences cannot be read: {record.field} {record.why}"
        raise PlatformRefused(what, where="Preferences", do="look at the company's settings in QuickBooks")
    return record


def by_ids(company: Company, entity: str, numbers: Sequence[str]) -> Iterator[Row]:
    """The rows with these ids that exist now."""
    for first in range(0, len(numbers), _IDS_A_QUERY):
        some = numbers[first : first + _IDS_A_QUERY]
        where = [query.one_of("Id", some)] + (["Active IN (true, false)"] if entity in _LISTS else [])
        yield from _rows(company.query(query.select(entity, *where)).get("QueryResponse"), entity)


def _by_entity(refs: Sequence[Ref]) -> dict[str, dict[str, Ref]]:
    wanted: dict[str, dict[str, Ref]] = {}
    entity_of = {kind: entity for entity, kind in _KIND_OF.items()}
    for ref in refs:
        entity, _, rest = (
            ref.id.rpartition(":") if ref.kind not in {"item", "payment"} else ref.id.partition(":")
        )
        wanted.setdefault(entity or entity_of[ref.kind], {})[rest.partition(":")[0]] = ref
    return wanted


def _next(entity: str, entities: Sequence[str]) -> str:
    position = entities.index(entity) + 1
    return entities[position] if position < len(entities) else "gone"


def _found_gone(read: _Rows) -> str:
    return f"looked for what is gone: {len(read.gone)}"


def _cut_short(blocks: Mapping[str, Sequence[Row]]) -> tuple[str, ...]:
    """The entities of a capture that may have more changes than it shows.

    Whether the 1,000 count for an entity or for a call is not clear: exactly 1,000 rows in all may be either, and
    then the largest block goes first, and the rest is asked for again.
    """
    sizes = {entity: len(rows) for entity, rows in blocks.items() if rows}
    full = tuple(entity for entity in ENTITIES if sizes.get(entity, 0) >= _CAPTURE_MOST)
    if full or sum(sizes.values()) != _CAPTURE_MOST:
        return full
    return (max(sizes, key=lambda entity: sizes[entity]),)


def _rows(response: object, entity: str) -> list[Row]:
    rows = response.get(entity) if isinstance(response, Mapping) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _blocks(answer: Row, entities: Sequence[str]) -> dict[str, list[Row]] | None:
    try:
        responses = answer["CDCResponse"][0]["QueryResponse"]
    except (KeyError, IndexError, TypeError):
        return None
    blocks: dict[str, list[Row]] = {}
    for block in responses:
        for entity in entities:
            blocks.setdefault(entity, []).extend(_rows(block, entity))
    return blocks


def _stamp(row: Row) -> str:
    return str((row.get("MetaData") or {}).get("LastUpdatedTime", ""))


def _sorted(states: Iterable[Record | Unreadable], gone: Iterable[Gone]) -> _Rows:
    all_of_it = tuple(states)
    return _Rows(
        tuple(one for one in all_of_it if isinstance(one, Record)),
        tuple(one for one in all_of_it if isinstance(one, Unreadable)),
        tuple(gone),
    )


def _joined(one: _Rows, other: _Rows) -> _Rows:
    return _Rows(
        one.records + other.records,
        one.unreadable + other.unreadable,
        one.gone + other.gone,
        one.unknown | other.unknown,
    )
