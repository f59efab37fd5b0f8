"""One organisation's books: records, their control accounts, and writing that can be taken back as a whole.

Shape   `writing()` is a transaction: what raises inside leaves nothing behind, no number and no event either. Records
        change only through `add` and `change`, which remember the state before.
Law     after every write each control account is the sum of its open papers, to the cent of the base currency;
        a paper is PAID exactly when nothing of it is open, and then nothing of its base amount is left either.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from arsync.simulators.exact_json import Document
from arsync.simulators.xero.chart import CHART
from arsync.simulators.xero.ledger import BooksBroken, Entry, Ledger, Posting, totals
from arsync.simulators.xero.records import (
    SIDES,
    Account,
    Actor,
    Allocation,
    Batch,
    Contact,
    Note,
    Organisation,
    Paper,
    Payment,
    Switches,
    Transfer,
)
from arsync.simulators.xero.refusals import Invalid
from arsync.simulators.xero.wire import rounded

WEBHOOK_KINDS = {
    "Contact": "CONTACT",
    "Invoice": "INVOICE",
    "CreditNote": "CREDITNOTE",
    "Prepayment": "PREPAYMENT",
    "Overpayment": "OVERPAYMENT",
}
RATE_DIGITS = Decimal("0.0000000001")


class Record(Protocol):
    """Whatever has an id."""

    id: str


Kept = TypeVar("Kept", bound=Record)


class Stamped(Record, Protocol):
    """Whatever has an UpdatedDateUTC."""

    updated_ms: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something a webhook may tell."""

    category: str
    resource_id: str
    event_type: str
    moment_ms: int
    data: tuple[tuple[str, str], ...] = ()


class Books:
    """Everything one organisation has written."""

    def __init__(
        self,
        organisation: Organisation,
        switches: Switches,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self.organisation = organisation
        self.switches = switches
        self.now = now
        self.new_id = new_id
        self.on_commit: Callable[[list[Event]], None] = lambda _events: None
        self.ledger = Ledger()
        self.accounts: dict[str, Account] = {}
        self.contacts: dict[str, Contact] = {}
        self.papers: dict[str, Paper] = {}
        self.payments: dict[str, Payment] = {}
        self.batches: dict[str, Batch] = {}
        self.allocations: dict[str, Allocation] = {}
        self.transfers: dict[str, Transfer] = {}
        self.history: dict[str, tuple[Note, ...]] = {}
        self.overlays: dict[str, Document] = {}  # fields a test wants to be read differently
        self.counters = {"invoice": 0, "credit": 0}
        self.emails: dict[str, int] = {}  # day -> how many were sent
        self.by_contact: defaultdict[str, list[str]] = defaultdict(list)
        self.numbers: dict[str, str] = {}  # sales invoice number -> id
        self._undo: list[Callable[[], object]] = []
        self._events: list[Event] = []
        self._depth = 0

    def open_accounts(self) -> None:
        """The chart every organisation starts with."""
        for one in CHART:
            currency = self.organisation.base_currency if one.type == "BANK" else ""
            number = "01-0123-0123456-00" if one.type == "BANK" else ""
            account = Account(
                self.new_id(),
                one.code,
                one.name,
                one.type,
                one.account_class,
                currency,
                number,
                one.payments_enabled,
                one.system,
                tax_type="OUTPUT" if one.taxed and one.account_class == "REVENUE" else "NONE",
            )
            self.accounts[account.id] = account
            self.stamp(account)

    # ---- time ----------------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The platform's time."""
        return round(self.now().timestamp() * 1000)

    def today(self) -> date:
        """Today where the organisation is."""
        return self.now().astimezone(ZoneInfo(self.organisation.zone)).date()

    # ---- writing -------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All of it or nothing; nested transactions are savepoints."""
        mark, told = len(self._undo), len(self._events)
        self._depth += 1
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                self._undo.pop()()
            del self._events[told:]
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._undo.clear()
            events, self._events = self._events, []
            if self.switches.audit_every_write:
                self.audit()
            self.on_commit(events)

    def take_back_with(self, undo: Callable[[], object]) -> None:
        """Remember how to take a change back."""
        self._undo.append(undo)

    def add(self, table: dict[str, Kept], record: Kept) -> Kept:
        """Put a new record into its table."""
        table[record.id] = record
        self.take_back_with(lambda: table.pop(record.id))
        return record

    def change(self, record: Kept) -> Kept:
        """Say that a record is about to change."""
        old = copy.copy(record)

        def back() -> None:
            for one in fields(record):  # type: ignore[arg-type]  # all records are dataclasses
                setattr(record, one.name, getattr(old, one.name))

        self.take_back_with(back)
        return record

    def stamp(self, record: Stamped) -> None:
        """Move UpdatedDateUTC; it never goes back, and no two changes of one record share a moment."""
        record.updated_ms = max(self.now_ms(), record.updated_ms + 1)

    def tell(self, record: Contact | Paper, event_type: str) -> None:
        """Let webhooks know."""
        kind = "Contact" if isinstance(record, Contact) else record.kind
        if kind not in WEBHOOK_KINDS:
            return
        data: tuple[tuple[str, str], ...] = ()
        if isinstance(record, Paper) and kind != "Invoice":
            data = (("Type", record.type), ("Status", record.status))
        self._events.append(Event(WEBHOOK_KINDS[kind], record.id, event_type, self.now_ms(), data))

    def note(self, record_id: str, changes: str, details: str, user: str = "System Generated") -> None:
        """Add to a record's history."""
        before = self.history.get(record_id, ())
        self.history[record_id] = (*before, Note(self.now_ms(), changes, user, details))

        def back() -> None:
            self.history[record_id] = before

        self.take_back_with(back)

    def post(self, record_id: str, entry: Entry | None) -> None:
        """Replace what a record has posted."""
        old = self.ledger.post(record_id, entry)
        self.take_back_with(lambda: self.ledger.post(record_id, old))

    def take_number(self, counter: str) -> int:
        """The next number of a sequence."""
        self.counters[counter] += 1

        def back() -> None:
            self.counters[counter] -= 1

        self.take_back_with(back)
        return self.counters[counter]

    def add_paper(self, paper: Paper) -> Paper:
        """A new paper, known to its contact."""
        self.add(self.papers, paper)
        owner = self.by_contact[paper.contact_id]
        owner.append(paper.id)
        self.take_back_with(owner.pop)
        return paper

    def move_paper(self, paper: Paper, contact_id: str) -> None:
        """Give a paper to another contact."""
        if paper.contact_id == contact_id:
            return
        left, joined = self.by_contact[paper.contact_id], self.by_contact[contact_id]
        place = left.index(paper.id)
        left.remove(paper.id)
        joined.append(paper.id)

        def back() -> None:
            joined.remove(paper.id)
            left.insert(place, paper.id)

        self.take_back_with(back)
        paper.contact_id = contact_id

    def name_invoice(self, paper: Paper, number: str) -> None:
        """Give a sales invoice its number, which is unique."""
        old_number, holder = paper.number, self.numbers.get(number)
        if holder not in {None, paper.id}:
            raise Invalid("Invoice # must be unique.")
        if old_number and self.numbers.get(old_number) == paper.id:
            del self.numbers[old_number]
            self.take_back_with(lambda: self.numbers.__setitem__(old_number, paper.id))
        self.numbers[number] = paper.id
        self.take_back_with(lambda: self.numbers.pop(number, None))
        paper.number = number

    # ---- looking -------------------------------------------------------------------------------------------

    def system(self, role: str) -> Account:
        """The account of a role: `DEBTORS`, `ROUNDING`."""
        return next(one for one in self.accounts.values() if one.system == role)

    def account_by_code(self, code: str) -> Account | None:
        """An account that is in use."""
        return next((one for one in self.accounts.values() if one.code == code and code), None)

    def control(self, paper: Paper) -> tuple[str, int]:
        """The id of a paper's control account, and its side there."""
        role, side = SIDES[paper.type]
        return self.system(role).id, side

    def payments_of(self, paper: Paper) -> list[Payment]:
        """Payments that stand."""
        return [self.payments[one] for one in paper.payments]

    def allocations_of(self, paper: Paper) -> list[Allocation]:
        """Allocations that stand."""
        return [self.allocations[one] for one in paper.allocations]

    def contact_papers(self, contact_id: str) -> list[Paper]:
        """Everything written to one contact."""
        return [self.papers[one] for one in self.by_contact[contact_id]]

    def balance_of(self, contact_id: str, role: str = "DEBTORS") -> tuple[int, int]:
        """(outstanding, overdue) of one contact in base currency."""
        outstanding = overdue = 0
        today = self.today()
        for paper in self.contact_papers(contact_id):
            account, side = SIDES.get(paper.type, ("", 0))
            if account != role or paper.status != "AUTHORISED" or not paper.is_item:
                continue
            open_base = (side if role == "DEBTORS" else -side) * (paper.base_cents - paper.base_settled)
            outstanding += open_base
            overdue += open_base if paper.due is not None and paper.due < today else 0
        return outstanding, overdue

    # ---- currencies ----------------------------------------------------------------------------------------

    def day_rate(self, currency: str) -> Decimal:
        """The rate Xero takes when nobody names one."""
        if currency == self.organisation.base_currency:
            return Decimal(1)
        return self.organisation.rates.get(currency, Decimal(1))

    def check_currency(self, currency: str) -> str:
        """The currency, where the organisation has it."""
        if currency not in self.organisation.currencies:
            raise Invalid(f"Organisation is not subscribed to currency {currency}")
        return currency

    def to_base(self, cents: int, rate: Decimal) -> int:
        """An amount in base currency."""
        if self.switches.rate_direction == "document_per_base":
            return rounded(Decimal(cents) / rate)
        return rounded(Decimal(cents) * rate)

    def from_base(self, base_cents: int, rate: Decimal) -> int:
        """An amount of base currency in another."""
        if self.switches.rate_direction == "document_per_base":
            return rounded(Decimal(base_cents) * rate)
        return rounded(Decimal(base_cents) / rate)

    def rate_between(self, cents: int, base_cents: int) -> Decimal:
        """The rate two amounts imply, to ten decimals."""
        over, under = (
            (cents, base_cents)
            if self.switches.rate_direction == "document_per_base"
            else (base_cents, cents)
        )
        return (Decimal(over) / Decimal(under)).quantize(RATE_DIGITS).normalize()

    # ---- locks ---------------------------------------------------------------------------------------------

    def locks(self, day: date, actor: Actor) -> list[tuple[str, date]]:
        """The lock dates that keep this actor from writing on a day; the day itself is locked."""
        organisation, found = self.organisation, []
        if organisation.period_lock and day <= organisation.period_lock and not actor.adviser:
            found.append(("period", organisation.period_lock))
        if organisation.year_lock and day <= organisation.year_lock:
            found.append(("end of year", organisation.year_lock))
        return found

    def check_unlocked(self, day: date, actor: Actor) -> None:
        """Refuse a document dated in a locked period; both messages where both locks hold."""
        held = self.locks(day, actor)
        if held:
            raise Invalid(
                *(
                    f"The document date cannot be before the {name} lock date, "
                    f"currently set at {lock.strftime('%d-%b-%Y')}"
                    for name, lock in held
                )
            )

    # ---- settling ------------------------------------------------------------------------------------------

    def relief(self, paper: Paper, cents: int) -> int:
        """What leaves the control account with part of a paper; the last part takes what is left."""
        left = paper.base_cents - paper.base_settled
        if cents == paper.open_cents:
            return left
        return rounded(Decimal(left) * cents / paper.open_cents)

    def settled(self, paper: Paper, on: date | None) -> None:
        """Bring the status in line with what is open, after a payment, an allocation, or taking one back."""
        if paper.status == "AUTHORISED" and paper.open_cents == 0:
            paper.status, paper.fully_paid = "PAID", on
        elif paper.status == "PAID" and paper.open_cents:
            paper.status, paper.fully_paid = "AUTHORISED", None
        self.stamp(paper)
        self.tell(paper, "UPDATE")

    # ---- the check of the checks ---------------------------------------------------------------------------

    def audit(self) -> None:
        """Recompute everything.

        Raises:
            BooksBroken: something differs.
        """
        fresh = totals(self.ledger.entries.values())
        if {k: v for k, v in fresh.items() if v} != {k: v for k, v in self.ledger.balances.items() if v}:
            raise BooksBroken("a balance is not the sum of its postings")
        open_by_account: defaultdict[str, int] = defaultdict(int)
        for paper in self.papers.values():
            self._audit_paper(paper)
            if paper.is_item and paper.status in {"AUTHORISED", "PAID"}:
                account_id, side = self.control(paper)
                open_by_account[account_id] += side * (paper.base_cents - paper.base_settled)
        for role in ("DEBTORS", "CREDITORS"):
            account_id = self.system(role).id
            if self.ledger.balances[account_id] != open_by_account[account_id]:
                raise BooksBroken(f"{role} is not the sum of its open papers")

    def _audit_paper(self, paper: Paper) -> None:
        paid = sum(one.cents for one in self.payments_of(paper))
        credited = sum(one.cents for one in self.allocations_of(paper))
        if (paid, credited) != (paper.paid_cents, paper.credited_cents):
            raise BooksBroken(f"{paper.kind} {paper.number}: what was applied does not add up")
        standing = paper.status in {"AUTHORISED", "PAID"}
        if paper.open_cents < 0 or (not standing and paper.applied):
            raise BooksBroken(f"{paper.kind} {paper.number}: more applied than there is")
        if standing and paper.is_item and (paper.status == "PAID") != (paper.open_cents == 0):
            raise BooksBroken(f"{paper.kind} {paper.number} is {paper.status} with {paper.open_cents} open")
        if (
            standing
            and paper.type in SIDES
            and paper.open_cents == 0
            and paper.base_cents != paper.base_settled
        ):
            raise BooksBroken(f"{paper.kind} {paper.number}: nothing open, but something in base currency")

    def postings(self, *lines: tuple[str, int]) -> tuple[Posting, ...]:
        """Postings without the empty ones."""
        return tuple(Posting(account_id, base) for account_id, base in lines if base)

    def find(self, table: dict[str, Any], record_id: object) -> Any:  # noqa: ANN401 - the table's own kind of record
        """A record by id, in either case of its letters; None when there is none."""
        return table.get(str(record_id).lower())
