"""Promises to pay and reminders: recorded by people, judged against the books as they are now.

Law     nobody who has paid is taken for somebody who broke a promise: money that arrived in time and waits for a
        decision holds it open. Of several promises of one customer each may be held by the same money: which of them
        it pays is not decided yet.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from arsync.core.matching import record
from arsync.core.money import Money
from arsync.core.promises import Moved, Promise, State, state_of
from arsync.errors import Conflict, NotFound, UsageError
from arsync.store import audit, books, collecting, office, queries, queues, raw
from arsync.store.collecting import Given, Said
from arsync.store.engine import Tx
from arsync.store.office import Ledger
from arsync.sync.acting import Desk

WAYS = ("mail", "letter", "phone")


@dataclass(frozen=True, slots=True)
class Standing:
    """A promise and what has become of it; `row` holds its columns and those of its item."""

    row: Any
    state: State

    @property
    def amount(self) -> Money:
        """What was promised."""
        return Money(self.row.amount_minor, self.row.currency)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What recording something on one item led to, and what its person should know."""

    id: int
    item_id: int
    text: str
    warnings: tuple[str, ...] = ()


# ---- what has become of them


def standing(conn: Tx, ledger: Ledger, today: date) -> list[Standing]:
    """Every promise and its state, oldest first."""
    rows = collecting.promises(conn, ledger.id)
    if not rows:
        return []
    settled, arrived = collecting.settled_since(conn, ledger.id), _Arrived(conn, ledger.id)
    unapplied = _unapplied(conn, ledger, rows)
    found = []
    for row in rows:
        said = Promise(
            row.by_date, row.amount_minor, row.withdrawn_at is not None, row.superseded_by is not None
        )
        # What stood on account before the promise was given is not what was promised.
        on_account = [one for one in unapplied[row.customer_id, row.currency] if one.on >= row.on_date]
        waiting = [*arrived.for_item(row.item_id, row.customer_id, row.currency), *on_account]
        found.append(Standing(row, state_of(said, settled.get(row.id, []), waiting, row.open_minor, today)))
    return found


def _unapplied(conn: Tx, ledger: Ledger, rows: Sequence[Any]) -> Mapping[tuple[int, str], list[Moved]]:
    """What the customers of items have paid and nothing is settled with, by customer and currency."""
    found: dict[tuple[int, str], list[Moved]] = defaultdict(list)
    for one in collecting.unapplied(conn, ledger.id, {row.customer_id for row in rows}):
        found[one.customer_id, one.currency].append(Moved(one.issued, int(one.minor)))
    return found


class _Arrived:
    """Money that has arrived and is not settled yet: what it may pay, as far as anybody can tell."""

    def __init__(self, conn: Tx, ledger_id: int) -> None:
        self._decided = collecting.under_way(conn, ledger_id)
        self._receipts = collecting.undecided(conn, ledger_id)
        self._items: dict[int, dict[int, int]] = defaultdict(dict)  # item -> receipt -> how much of the item
        self._customers: dict[int, set[int]] = defaultdict(set)  # customer -> receipts
        for receipt_id, row in self._receipts.items():
            self._customers[row.customer_id].add(receipt_id)
        for row in queues.listing(conn, ledger_id):
            if row.receipt_id in self._receipts:
                self._customers[row.customer_id].add(row.receipt_id)
                if row.finding_sha is not None:
                    self._explained(conn, row)

    def _explained(self, conn: Tx, row: Any) -> None:
        finding = record.finding_from_text(raw.get(conn, bytes(row.finding_sha)).decode())
        for explanation in finding.explanations:
            self._customers[explanation.customer_id or 0].add(row.receipt_id)
            for share in explanation.shares:
                least = self._items[share.item_id].get(row.receipt_id, 0)
                paid = share.settled_minor - share.deduction_minor
                self._items[share.item_id][row.receipt_id] = max(least, paid)

    def for_item(self, item_id: int, customer_id: int, currency: str) -> list[Moved]:
        """What an item may lose by it; a receipt of its customer with all it is."""
        found = dict(self._items.get(item_id, {}))
        for receipt_id in self._customers.get(customer_id, ()):
            if self._receipts[receipt_id].currency == currency:
                found[receipt_id] = max(found.get(receipt_id, 0), self._receipts[receipt_id].amount_minor)
        waits = [
            Moved(self._receipts[receipt_id].on_date, minor) for receipt_id, minor in sorted(found.items())
        ]
        return [*self._decided.get(item_id, []), *waits]


def latest(promises: Sequence[Standing]) -> dict[int, Standing]:
    """The newest promise of each item."""
    return {one.row.item_id: one for one in promises}


def said(conn: Tx, ledger: Ledger, promises: Sequence[Standing]) -> dict[int, list[str]]:
    """What there is to say of open items: the newest promise unless it was kept or withdrawn, and the last reminder."""
    found: dict[int, list[str]] = defaultdict(list)
    for item_id, one in latest(promises).items():
        words = {State.BROKEN: "promise broken: "}.get(one.state, "promised ")
        if one.row.open_minor > 0 and (one.state.runs or one.state is State.BROKEN):
            found[item_id].append(f"{words}{one.amount.grouped()} by {one.row.by_date}")
    for row in {row.item_id: row for row in collecting.reminders(conn, ledger.id)}.values():
        if row.open_minor > 0:
            found[row.item_id].append(reminded(row.on_date, row.level, row.way))
    return found


def reminded(on: date, level: int, way: str) -> str:
    """A reminder in one line."""
    by = "" if way == "not said" else f" by {way}"
    return f"reminded (level {level}) {on}{by}"


# ---- recording a promise


def add(
    desk: Desk, items: Sequence[int], by: date, amount_minor: int | None, said_by: str, comment: str
) -> list[Recorded]:
    """Record what was promised for items: all that is open of each, or an amount of the only one."""
    items = list(dict.fromkeys(items))
    if not items:
        raise UsageError("no item is named", do="arsync promise add 1041 --by DATE")
    if amount_minor is not None and len(items) > 1:
        raise UsageError(
            f"one amount for {len(items)} items", do="one promise each: arsync promise add 1041 --amount …"
        )
    today = desk.today()
    if by < today:
        raise UsageError(
            f"{by} is over: a promise is for today ({today}) or later", do="name the day with --by"
        )
    with desk.store.begin() as conn:
        rows = queries.items(conn, desk.ledger.id, items)
        new = [_said(rows[i], amount_minor, Said(i, 0, by, today, said_by, comment)) for i in items]
        older = latest([one for one in standing(conn, desk.ledger, today) if one.state.runs])
        ids = collecting.keep_promises(conn, desk.ledger.id, new, desk.person.name, desk.at())
        replaced = {
            older[one.item_id].row.id: i for i, one in zip(ids, new, strict=True) if one.item_id in older
        }
        collecting.supersede(conn, desk.ledger.id, replaced)
        entries, done = [], []
        theirs, arrived = _of_the_books(conn, desk.ledger.id, items), _Arrived(conn, desk.ledger.id)
        told = _tells(conn, desk.ledger)
        for promise_id, one in zip(ids, new, strict=True):
            row, old = rows[one.item_id], older.get(one.item_id)
            amount = Money(one.amount_minor, row.currency)
            text = f"P-{promise_id}: {amount} of {_name(row.number, row.id)} promised by {by}"
            body = {"promise": promise_id, "amount": str(amount), "by": by.isoformat(), "said_by": said_by}
            if old is not None:
                text += f"; P-{old.row.id} ({old.amount} by {old.row.by_date}) is superseded"
                body["supersedes"] = old.row.id
            notes = []
            if (day := theirs.get(one.item_id)) not in (None, by):
                body["the books expected"] = str(day)
                notes.append(
                    f"the books expect {_name(row.number, row.id)} on {day}, by somebody's hand there"
                    + ("; the next run replaces it" if told else "")
                )
            if (waits := _in_review(arrived, row)) is not None:
                notes.append(waits)
            entries.append(
                audit.Entry("promise recorded", f"item:{one.item_id}", body | {"comment": comment})
            )
            done.append(Recorded(promise_id, one.item_id, text, tuple(notes)))
        audit.record(conn, desk.ledger.id, desk.at(), desk.person.name, entries)
    return done


def _said(row: Any, amount_minor: int | None, blank: Said) -> Said:
    """A promise that fits its item.

    Raises:
        UsageError: it does not; says why.
    """
    left = Money(row.open_minor, row.currency)
    if row.open_minor <= 0:
        what = "is settled" if row.open_minor == 0 else "is a credit"
        raise UsageError(
            f"{_name(row.number, row.id)} {what}: nothing is owed on it", do=f"see: arsync show I-{row.id}"
        )
    minor = row.open_minor if amount_minor is None else amount_minor
    if not 0 < minor <= row.open_minor:
        raise UsageError(
            f"{Money(minor, row.currency)} cannot be promised of {_name(row.number, row.id)}: {left} is open",
            do="leave out --amount for all that is open",
        )
    return Said(blank.item_id, minor, blank.by, blank.on, blank.said_by, blank.comment)


def _of_the_books(conn: Tx, ledger_id: int, items: Sequence[int]) -> dict[int, date]:
    """The days on which the books expect items' money, where they are not ours."""
    ours = collecting.expected(conn, ledger_id)
    rows = [
        row
        for i in items
        if (row := books.item_row(conn, ledger_id, i)) is not None and row.expected is not None
    ]
    return {
        row.id: row.expected for row in rows if row.id not in ours or ours[row.id].on_date != row.expected
    }


def _tells(conn: Tx, ledger: Ledger) -> bool:
    """Whether the books are told anything."""
    return ledger.mode != "observe" and office.policy_in_force(conn, ledger.id).policy.write_back != "off"


def withdraw(desk: Desk, named: int, why: str) -> Recorded:
    """A promise does not count any more; `named` is its id."""
    with desk.store.begin() as conn:
        every = standing(conn, desk.ledger, desk.today())
        one = next((one for one in every if one.row.id == named), None)
        if one is None:
            raise NotFound(f"there is no promise P-{named}", do="see: arsync promise list --all")
        if one.state in (State.WITHDRAWN, State.SUPERSEDED, State.KEPT):
            raise Conflict(
                f"P-{named} is {one.state.value}: there is nothing to withdraw", do="see: arsync promise list"
            )
        collecting.withdraw(conn, desk.ledger.id, named, desk.person.name, why, desk.at())
        body = {"promise": named, "amount": str(one.amount), "by": one.row.by_date.isoformat(), "why": why}
        entry = audit.Entry("promise withdrawn", f"item:{one.row.item_id}", body)
        audit.record(conn, desk.ledger.id, desk.at(), desk.person.name, [entry])
    text = f"P-{named}: {one.amount} of {_name(one.row.number, one.row.item_id)} by {one.row.by_date} is withdrawn"
    return Recorded(named, one.row.item_id, text)


def newest_of(conn: Tx, ledger: Ledger, item_id: int) -> int:
    """The promise that counts for an item.

    Raises:
        NotFound: there is none.
    """
    rows = [
        row
        for row in collecting.promises(conn, ledger.id)
        if row.item_id == item_id and row.withdrawn_at is None and row.superseded_by is None
    ]
    if not rows:
        raise NotFound(f"nothing is promised for I-{item_id}", do="see: arsync promise list --all")
    return int(rows[-1].id)


# ---- recording a reminder


def remind(
    desk: Desk, items: Sequence[int], on: date | None, level: int | None, way: str | None
) -> list[Recorded]:
    """Record that a reminder was given outside arsync; what says that it should not have been is told."""
    items = list(dict.fromkeys(items))
    if not items:
        raise UsageError("no item is named", do="arsync reminder add 1041")
    today = desk.today()
    day = on or today
    if day > today:
        raise UsageError(f"{day} is still to come: what is recorded has been given", do=f"today is {today}")
    if level is not None and level < 1:
        raise UsageError(f"there is no level {level}", do="the first is --level 1")
    with desk.store.begin() as conn:
        rows = queries.items(conn, desk.ledger.id, items)
        last = {row.item_id: row.level for row in collecting.reminders(conn, desk.ledger.id)}
        given = [Given(i, day, level or last.get(i, 0) + 1, way or "not said") for i in items]
        warnings = _against(conn, desk, [rows[i] for i in items])
        ids = collecting.keep_reminders(conn, desk.ledger.id, given, desk.person.name, desk.at())
        entries = [
            audit.Entry(
                "reminder recorded",
                f"item:{one.item_id}",
                {
                    "reminder": i, "on": day.isoformat(), "level": one.level, "by": one.way,
                    "warnings": warnings[one.item_id],
                },
            )
            for i, one in zip(ids, given, strict=True)
        ]  # fmt: skip
        audit.record(conn, desk.ledger.id, desk.at(), desk.person.name, entries)
    return [
        Recorded(
            i,
            one.item_id,
            f"{_name(rows[one.item_id].number, one.item_id)}: {reminded(one.on, one.level, one.way)}",
            tuple(warnings[one.item_id]),
        )
        for i, one in zip(ids, given, strict=True)
    ]


def _against(conn: Tx, desk: Desk, rows: Sequence[Any]) -> Mapping[int, list[str]]:
    """Why items' customers should not be reminded of them, by item: nobody who has paid is chased."""
    arrived = _Arrived(conn, desk.ledger.id)
    runs = latest([one for one in standing(conn, desk.ledger, desk.today()) if one.state.runs])
    unapplied = _unapplied(conn, desk.ledger, rows)
    facts = books.books_of(conn, desk.ledger.id)
    found: dict[int, list[str]] = {}
    for row in rows:
        said = []
        if row.open_minor <= 0:
            said.append(f"{_name(row.number, row.id)} is settled")
        if (waits := _in_review(arrived, row)) is not None:
            said.append(waits)
        if cash := sum(one.minor for one in unapplied[row.customer_id, row.currency]):
            said.append(f"its customer has {Money(cash, row.currency)} unapplied")
        if (one := runs.get(row.id)) is not None:
            said.append(f"P-{one.row.id} runs: {one.amount} by {one.row.by_date}")
        if facts is not None and facts.reminds:
            said.append("the books send reminders by themselves: the customer may be reminded twice")
        found[row.id] = said
    return found


def _in_review(arrived: _Arrived, row: Any) -> str | None:
    """That money waits which may pay an item; None where there is none."""
    waits = sum(one.minor for one in arrived.for_item(row.id, row.customer_id, row.currency))
    return f"{Money(waits, row.currency)} that may pay it is in review" if waits else None


def _name(number: str | None, item_id: int) -> str:
    return number or f"I-{item_id}"
