"""An invented company: its books on a simulated platform, what its bank wrote lately, and the true answers.

Units   whole cents of US dollars.
Shape   `build(simulator, realm_id, today, seed)` fills books of QuickBooks, `build_xero(simulator, today, seed)` those
        of Xero, and returns a `World`: bank files as bytes, and a `Truth` for every line of them. The same seed and
        day give the same world: the same customers, documents and receipts on both platforms.
Law     every item that a truth settles exists and has that much open; no two receipts are owed the same cent.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from arsync.simulators.statements import LOCKBOX_PROFILE, Written, camt, dollars, lockbox_csv, ofx

if TYPE_CHECKING:  # a world lives on one platform and needs only that
    from arsync.simulators.quickbooks import Bookkeeper, QuickBooksSimulator
    from arsync.simulators.xero import Bookkeeper as XeroBookkeeper
    from arsync.simulators.xero import XeroSimulator

COMPANY = "Harbor & Pine Supply"
HISTORY_DAYS = 240
BANK_DAYS = 20  # what the bank files cover

PLAIN_CUSTOMERS = (
    "Anchor Street Bakery", "Beacon Hill Optics", "Birch & Barley Brewing", "Blue Heron Marine Inc",
    "Canyon Ridge Outfitters", "Copper Kettle Catering", "Delmar Print Works", "Eastlake Veterinary",
    "Evergreen Nursery LLC", "Fairhaven Bicycle Co", "Foxglove Florists", "Granite Falls Clinic",
    "Hollis & Webb Architects", "Ironwood Furniture", "Juniper Day Spa", "Kestrel Aviation Services",
    "Lakeshore Bistro", "Magnolia Pet Hotel", "Nordic Roots Grocery", "Orchard Valley Foods",
    "Pacific Tile & Stone", "Quarry Road Builders", "Redwood Music School", "Salish Sea Charters",
    "Tidewater Hardware", "Union Street Pharmacy", "Vista Point Hotel", "Whidbey Island Soap",
    "Yarrow Landscaping",
)  # fmt: skip
GROUPS = {
    "Cascade Hospitality Group": ("Cascade Inn Tacoma", "Cascade Inn Yakima", "Cascade Lodge Leavenworth"),
    "Northgate School District": ("Northgate High School", "Northgate Middle School"),
}
LOOK_ALIKES = ("Meridian Dental Care", "Meridian Dental Supply", "Alder Creek Farms", "Alder Creek Foods")
APOSTROPHES = r"O'Brien \ Sons' & Co"
INACTIVE = "Bayview Catering"

# Terms: name on the platform, days, and how many of the customers have them.
_TERMS = (("Net 30", 30, 0.70), ("Net 15", 15, 0.15), ("Net 60", 60, 0.15))
_DISCOUNT_TERMS = "2% 10 Net 30"
_HABITS = ((-4, 2), (1, 3), (6, 4), (14, 6), (24, 9))  # days after the due date, and their spread
_UNREADABLE_CENTS = 120_450
_BY_NUMBER, _BY_LIST = 13, 7  # so many receipts of the two commonest kinds
_DISCOUNT_EVERY = 5  # each so many-th customer has discount terms
_FORGOTTEN = 0.01  # share of old invoices nobody has paid
_SATURDAY = 5
_NOTHING_NEWER_DAYS = 5  # the last invoices are so old: nobody pays on the day

_OPERATING, _WIRES, _LOCKBOX = "operating", "wires", "lockbox"


@dataclass(frozen=True, slots=True)
class Truth:
    """What a line of a bank file is in truth. `account`, `on`, `cents` and `text` find the line."""

    account: str
    on: date
    cents: int
    text: str
    case: str
    customer: str = ""  # whose money it is; "" where nobody's in the books
    settles: tuple[tuple[str, int], ...] = ()  # document number, what its open amount goes down by
    given_up_cents: int = 0  # of that, discounts and small differences rather than cash
    booked: str = ""  # the reference of the payment that the bookkeeper has entered already
    receivable: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account, as it is added to an installation."""

    name: str
    identifier: str
    profile: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file for the inbox: where, and its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class World:
    """What was made."""

    realm_id: str  # the platform's id of the company: a realm, a tenant
    today: date
    accounts: tuple[Account, ...]
    files: tuple[File, ...]
    profile: str  # the lockbox's CSV profile, TOML
    products: dict[str, str]  # name of a product -> its id: what adjustments are booked with
    truths: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class _Invoice:
    id: str
    number: str
    cents: int
    customer: str
    issued: date


@dataclass(slots=True)
class _Customer:
    id: str
    name: str
    term: str
    days: int
    late: int
    spread: int
    size: float  # of its invoices, times the usual
    open: list[_Invoice] = field(default_factory=list)


class Ledger(Protocol):
    """What a world asks of the books it lives in; ids are the platform's, amounts whole cents."""

    def customer(self, name: str, term: str, days: int, parent: str) -> str:
        """Somebody who buys on these terms; its id."""

    def retire(self, customer_id: str) -> None:
        """Nobody buys under that name any more."""

    def invoice(self, customer_id: str, cents: int, issued: date, due: date, number: str, term: str) -> str:
        """An open invoice; its id."""

    def credit_memo(self, customer_id: str, cents: int, issued: date, number: str) -> None:
        """An open credit memo."""

    def payment(self, customer_id: str, invoice_id: str, cents: int, on: date, reference: str) -> None:
        """A payment of an invoice, or of none."""

    def loose_credit(self, customer_id: str, cents: int, on: date, note: str) -> None:
        """A credit that no receipt is about."""


class _QuickBooks:
    """The books of a QuickBooks company."""

    def __init__(self, keeper: "Bookkeeper") -> None:
        self._keeper = keeper
        self._terms = {str(one["Name"]): str(one["Id"]) for one in keeper.all("Term")}

    def customer(self, name: str, term: str, _days: int, parent: str) -> str:
        terms = {"value": self._terms[term]}
        family = {"BillWithParent": True} if parent else {}
        made = self._keeper.create_customer(name, parent=parent, SalesTermRef=terms, **family)  # type: ignore[arg-type]  # platform fields
        return str(made["Id"])

    def retire(self, customer_id: str) -> None:
        self._keeper.deactivate("Customer", customer_id)

    def invoice(self, customer_id: str, cents: int, issued: date, due: date, number: str, term: str) -> str:
        made = self._keeper.create_invoice(
            customer_id,
            dollars(cents),
            date=issued.isoformat(),
            due=due.isoformat(),
            number=number,
            SalesTermRef={"value": self._terms[term]},
        )
        return str(made["Id"])

    def credit_memo(self, customer_id: str, cents: int, issued: date, number: str) -> None:
        self._keeper.create_credit_memo(customer_id, dollars(cents), date=issued.isoformat(), number=number)

    def payment(self, customer_id: str, invoice_id: str, cents: int, on: date, reference: str) -> None:
        lines = (("Invoice", invoice_id, dollars(cents)),) if invoice_id else ()
        self._keeper.create_payment(
            customer_id, dollars(cents), lines, date=on.isoformat(), reference=reference
        )

    def loose_credit(self, customer_id: str, cents: int, on: date, note: str) -> None:
        self._keeper.create_journal_entry(
            (("Credit", "receivable", dollars(cents), customer_id), ("Debit", "income", dollars(cents))),
            date=on.isoformat(),
            note=note,
        )


class _Xero:
    """The books of a Xero organisation: no families, no discount terms, no journals to receivables, credits instead."""

    def __init__(self, keeper: "XeroBookkeeper") -> None:
        self._keeper = keeper

    def customer(self, name: str, _term: str, days: int, _parent: str) -> str:
        terms = {"Sales": {"Day": days, "Type": "DAYSAFTERBILLDATE"}}
        return str(self._keeper.contact(name, PaymentTerms=terms)["ContactID"])

    def retire(self, customer_id: str) -> None:
        self._keeper.archive(customer_id)

    def invoice(self, customer_id: str, cents: int, issued: date, due: date, number: str, _term: str) -> str:
        made = self._keeper.invoice(
            customer_id, dollars(cents), date=issued.isoformat(), due=due.isoformat(), number=number
        )
        return str(made["InvoiceID"])

    def credit_memo(self, customer_id: str, cents: int, issued: date, number: str) -> None:
        self._keeper.credit_note(customer_id, dollars(cents), date=issued.isoformat(), number=number)

    def payment(self, customer_id: str, invoice_id: str, cents: int, on: date, reference: str) -> None:
        day = on.isoformat()
        if invoice_id:
            self._keeper.pay(invoice_id, dollars(cents), date=day, reference=reference)
        else:
            self._keeper.overpayment(customer_id, dollars(cents), date=day, reference=reference)

    def loose_credit(self, customer_id: str, cents: int, on: date, note: str) -> None:
        self._keeper.credit_note(customer_id, dollars(cents), date=on.isoformat(), Reference=note)


def build(simulator: "QuickBooksSimulator", realm_id: str, today: date, seed: int) -> World:
    """Make the company in QuickBooks, and its bank."""
    with simulator.lock, simulator.saving_once():
        company = simulator.add_company(realm_id, name=COMPANY, custom_txn_numbers=True)
        bank = _lived(_QuickBooks(company.books), today, seed)
    products = {str(one["Name"]): str(one["Id"]) for one in company.books.all("Item")}
    return _world(realm_id, bank, products)


def build_xero(simulator: "XeroSimulator", today: date, seed: int) -> World:
    """Make the company in Xero, and its bank; what adjustments are booked with are accounts of the chart."""
    with simulator.lock, simulator.saving_once():
        tenant = simulator.add_organisation(COMPANY)
        bank = _lived(_Xero(tenant.books), today, seed)
    accounts = {one.name: one.code for one in tenant.core.accounts.values()}
    return _world(tenant.organisation.id, bank, accounts)


def _lived(ledger: Ledger, today: date, seed: int) -> "_Bank":
    books = _Books(ledger, today, random.Random(f"world {seed} {today}"))  # noqa: S311 - repeatable
    books.found()
    books.live()
    bank = _Bank(books)
    bank.play()
    return bank


def _world(realm_id: str, bank: "_Bank", products: dict[str, str]) -> World:
    return World(
        realm_id,
        bank.books.today,
        (
            Account(_OPERATING, "125000024/4471902"),
            Account(_WIRES, "8830041277"),
            Account(_LOCKBOX, "55-0100-7", "lockbox"),
        ),
        bank.files(),
        LOCKBOX_PROFILE,
        products,
        tuple(truth for _, truth in bank.lines),
    )


class _Books:
    """The company's ledger and the people who owe it."""

    def __init__(self, ledger: Ledger, today: date, rng: random.Random) -> None:
        self.ledger, self.today, self.rng = ledger, today, rng
        self.customers: dict[str, _Customer] = {}
        self._number = 20_000 + rng.randrange(100, 900)
        self._check = rng.randrange(3_000, 7_000)
        self.taken: set[int] = set()

    @property
    def bank_from(self) -> date:
        """The first day of the bank files."""
        return self.today - timedelta(days=BANK_DAYS)

    # ---- customers

    def found(self) -> None:
        """Everybody who buys."""
        for name in (*PLAIN_CUSTOMERS, *LOOK_ALIKES, APOSTROPHES, *GROUPS):
            self._add(name)
        for parent, names in GROUPS.items():
            for name in names:
                self._add(name, parent=self.customers[parent].id)
        self.ledger.retire(self.ledger.customer(INACTIVE, "Net 30", 30, ""))

    def _add(self, name: str, parent: str = "") -> None:
        discount = len(self.customers) % _DISCOUNT_EVERY == 0 and not parent
        (term, days, _), *_ = self.rng.choices(_TERMS, [share for *_, share in _TERMS])
        term, days = (_DISCOUNT_TERMS, 30) if discount else (term, days)
        late, spread = self.rng.choice(_HABITS)
        made = self.ledger.customer(name, term, days, parent)
        self.customers[name] = _Customer(made, name, term, days, late, spread, self.rng.uniform(0.5, 2.5))

    # ---- documents

    def cents(self, customer: _Customer) -> int:
        """An amount nobody else has: between about 150 and 15,000 dollars."""
        while True:
            amount = round(self.rng.lognormvariate(0, 0.8) * 110_000 * customer.size) + 15_001
            if amount not in self.taken:
                self.taken.add(amount)
                return amount

    def invoice(self, customer: _Customer, issued: date, cents: int = 0) -> _Invoice:
        """Write an invoice; it is open."""
        self._number += self.rng.randrange(1, 4)
        number, cents = str(self._number), cents or self.cents(customer)
        due = issued + timedelta(days=customer.days)
        made = self.ledger.invoice(customer.id, cents, issued, due, number, customer.term)
        return _Invoice(made, number, cents, customer.name, issued)

    def credit_memo(self, customer: _Customer, cents: int, issued: date) -> str:
        """Write a credit memo; its number."""
        self._number += 1
        number = f"CM-{self._number}"
        self.ledger.credit_memo(customer.id, cents, issued, number)
        return number

    def paid(self, invoice: _Invoice, on: date, reference: str = "") -> None:
        """The bookkeeper enters a payment of an invoice."""
        self._check += 1
        customer_id = self.customers[invoice.customer].id
        self.ledger.payment(customer_id, invoice.id, invoice.cents, on, reference or f"CHK {self._check}")

    # ---- eight months

    def live(self) -> None:
        """Invoices and their payments, day by day, each customer with its own habit of paying."""
        first = self.today - timedelta(days=HISTORY_DAYS)
        days: list[tuple[date, _Customer]] = []
        for customer in self.customers.values():
            if customer.name in GROUPS:
                continue  # the branches buy, the group pays
            day = first + timedelta(days=self.rng.randrange(14))
            while day < self.today - timedelta(days=_NOTHING_NEWER_DAYS):
                days.append((day, customer))
                day += timedelta(days=self.rng.randrange(13, 29))
        for issued, customer in sorted(days, key=lambda pair: (pair[0], pair[1].name)):
            invoice = self.invoice(customer, issued)
            late = round(self.rng.gauss(customer.late, customer.spread))
            paid_on = issued + timedelta(days=max(3, customer.days + late))
            if paid_on < self.bank_from - timedelta(days=7) and self.rng.random() > _FORGOTTEN:
                self.paid(invoice, paid_on)
            else:
                customer.open.append(invoice)


class _Bank:
    """The last weeks at the bank: a cast of cases, each with the truth about it."""

    def __init__(self, books: _Books) -> None:
        self.books, self.rng = books, books.rng
        self.lines: list[tuple[Written, Truth]] = []
        plain = [name for name in PLAIN_CUSTOMERS if self._customer(name).term != _DISCOUNT_TERMS]
        discount = [name for name in PLAIN_CUSTOMERS if self._customer(name).term == _DISCOUNT_TERMS]
        self.rng.shuffle(plain)
        self.rng.shuffle(discount)
        self._plain, self._discount = plain, discount
        self._cheque = self.rng.randrange(10_000, 60_000)
        self._last_week = books.today - timedelta(days=7)

    # ---- the cast

    def play(self) -> None:
        """Every case, in an order that leaves enough customers for each."""
        books_only = [self._next() for _ in range(2)]
        self._books_only(*books_only)
        by_balance = [self._next() for _ in range(3)]
        by_amount = [self._next() for _ in range(3)]
        self._credits([self._next() for _ in range(4)])
        self._amounts_off([self._next() for _ in range(5)])
        self._strange_payers([self._next() for _ in range(2)])
        self._twice([self._next()])
        self._entered_already([self._next() for _ in range(2)])
        self._discounts()
        self._families()
        self._look_alikes()
        self._balances(by_balance)
        self._bare_amounts(by_amount)
        silent = {*by_balance, *by_amount}
        self._named([name for name in PLAIN_CUSTOMERS if name not in silent])
        self._returned()
        self._not_ours()
        self._unreadable()

    def _next(self) -> str:
        return self._plain.pop()

    def _customer(self, name: str) -> _Customer:
        return self.books.customers[name]

    def _draw(self, name: str, count: int, issued: date | None = None) -> list[_Invoice]:
        """The customer's oldest open invoices, new ones where there are too few."""
        customer = self._customer(name)
        while len(customer.open) < count or issued is not None:
            day = issued or self.books.today - timedelta(days=self.rng.randrange(25, 40))
            customer.open.insert(0, self.books.invoice(customer, day))
            issued = None
        drawn, customer.open = customer.open[:count], customer.open[count:]
        return drawn

    def _day(self, first: date | None = None) -> date:
        """A business day the bank files cover."""
        start = max(first or self.books.bank_from, self.books.bank_from)
        days = [start + timedelta(days=n) for n in range((self.books.today - start).days)]
        days = [day for day in days if day.weekday() < _SATURDAY] or days[-1:]
        return self.rng.choice(days)

    def _after(self, invoices: Iterable[_Invoice]) -> date:
        """A day on which all of them had been written."""
        return self._day(max(i.issued for i in invoices) + timedelta(days=1))

    def _receive(
        self,
        account: str,
        on: date,
        payer: str,
        text: str,
        truth: dict[str, object],
        cents: int,
        **more: object,
    ) -> None:
        """One line of a statement, and what it is."""
        if account == _LOCKBOX:
            self._cheque += self.rng.randrange(1, 40)
            more.setdefault("cheque", str(self._cheque))
        line = Written(on, cents, payer, text, **more)  # type: ignore[arg-type]  # the fields of Written
        self.lines.append((line, Truth(account, on, cents, text, **truth)))  # type: ignore[arg-type]  # of Truth

    def _channel(self, on: date) -> str:
        """Mostly the operating account; the lockbox's last week is kept for the cheque nobody can read."""
        return self.rng.choices((_OPERATING, _WIRES, _LOCKBOX), (6, 3, 3 if on < self._last_week else 0))[0]

    def _pays(  # noqa: PLR0913 - what a case says of itself, each by its name
        self,
        case: str,
        payer: str,
        invoices: Sequence[_Invoice],
        text: str,
        *,
        memos: Sequence[tuple[str, int]] = (),
        less: int = 0,
        account: str = "",
        on: date | None = None,
        owner: str = "",
        given_up: int = 0,
    ) -> Written:
        """A receipt for whole invoices, less credits, less what is missing on the last one (a discount is given up)."""
        settles = [(i.number, i.cents) for i in invoices]
        if less and not given_up:
            settles[-1] = (settles[-1][0], settles[-1][1] - less)
        settles += [(number, -cents) for number, cents in memos]
        truth: dict[str, object] = {
            "case": case,
            "customer": owner or invoices[0].customer,
            "settles": tuple(settles),
            "given_up_cents": given_up,
        }
        cents = sum(i.cents for i in invoices) - sum(c for _, c in memos) - less
        on = on or self._after(invoices)
        self._receive(account or self._channel(on), on, payer, text, truth, cents)
        return self.lines[-1][0]

    # ---- cases that agree

    def _named(self, names: Sequence[str]) -> None:
        """One invoice by its number, or several by list."""
        names = self.rng.sample(names, len(names))
        for name in names[:_BY_NUMBER]:
            (one,) = self._draw(name, 1)
            word = self.rng.choice(("INV {}", "INVOICE {}", "PAYMENT INV {}", "INV NO {}"))
            self._pays("one invoice by number", name, [one], word.format(one.number))
        for place, name in enumerate(names[-_BY_LIST:]):
            several = self._draw(name, self.rng.randrange(2, 5))
            joint = (", ", " ", " / ")[place % 3]
            self._pays("several by list", name, several, "INV " + joint.join(i.number for i in several))
        (one,) = self._draw(APOSTROPHES, 1)
        self._pays("one invoice by number", APOSTROPHES, [one], f"INVOICE {one.number}", account=_WIRES)

    def _balances(self, names: Sequence[str]) -> None:
        """Everything the customer owes, without a word."""
        for name in names:
            invoices = self._draw(name, max(2, len(self._customer(name).open)))
            self._pays("whole balance", name, invoices, "ACCOUNT BALANCE", account=_WIRES)

    def _bare_amounts(self, names: Sequence[str]) -> None:
        """Exactly one open invoice's amount, without a word."""
        for name in names:
            several = self._draw(name, 2)
            self._customer(name).open.insert(0, several[1])
            self._pays("one invoice by amount", name, several[:1], "", account=_OPERATING)

    def _discounts(self) -> None:
        """Two percent within ten days; once too late."""
        for name in self._discount[:3]:
            on = self._day()
            (one,) = self._draw(name, 1, issued=on - timedelta(days=self.rng.randrange(4, 10)))
            less = (one.cents * 2 + 50) // 100
            self._pays(
                "discount in time",
                name,
                [one],
                f"INV {one.number} LESS 2 PCT",
                less=less,
                given_up=less,
                on=on,
            )
        name = self._discount[3]
        on = self._day()
        (one,) = self._draw(name, 1, issued=on - timedelta(days=19))
        self._pays(
            "discount too late", name, [one], f"INV {one.number}", less=(one.cents * 2 + 50) // 100, on=on
        )

    def _families(self) -> None:
        """A group pays for its branches."""
        for parent, branches in GROUPS.items():
            invoices = [self._draw(name, 1)[0] for name in branches]
            text = "INV " + " ".join(i.number for i in invoices)
            self._pays("a parent for its branches", parent, invoices, text, account=_WIRES, owner=parent)

    # ---- credits

    def _credits(self, names: Sequence[str]) -> None:
        """Credit memos: named, not named, and three invoices with one credit memo and a short-pay."""
        for name in names[:2]:
            invoices = self._draw(name, 2)
            number = self._memo(name, invoices)
            text = f"INV {invoices[0].number} {invoices[1].number} LESS {number[0]}"
            self._pays("credit memo named", name, invoices, text, memos=[number])
        invoices = self._draw(names[2], 2)
        memo = self._memo(names[2], invoices)
        text = "INV " + " ".join(i.number for i in invoices)
        self._pays("credit memo not named", names[2], invoices, text, memos=[memo])
        invoices = self._draw(names[3], 3)
        memo = self._memo(names[3], invoices)
        text = f"{invoices[0].number} {invoices[1].number}/{invoices[2].number} LESS {memo[0]}"
        short = min(5_000, invoices[-1].cents // 3)
        case = "three invoices, a credit memo, short"
        self._pays(case, names[3], invoices, text, memos=[memo], less=short, account=_WIRES)

    def _memo(self, name: str, invoices: Sequence[_Invoice]) -> tuple[str, int]:
        cents = invoices[0].cents // 7 + 1_301
        issued = max(i.issued for i in invoices)
        return self.books.credit_memo(self._customer(name), cents, issued), cents

    def _books_only(self, one: str, other: str) -> None:
        """What stands in the books and no receipt is about: a loose credit, an unapplied payment."""
        day = self.books.today - timedelta(days=50)
        self.books.ledger.loose_credit(self._customer(one).id, 185_00, day, "freight claim")
        self.books.ledger.payment(self._customer(other).id, "", 640_00, day, "CHK 2290")

    # ---- amounts that do not agree

    def _amounts_off(self, names: Sequence[str]) -> None:
        """A part payment, two over-payments, a small difference, a payment in advance."""
        (one,) = self._draw(names[0], 1)
        half = one.cents // 2
        self._pays("part payment", names[0], [one], f"INV {one.number} PART PAYMENT", less=half)
        for name, over in ((names[1], 2_500), (names[2], 100)):
            (one,) = self._draw(name, 1)
            truth: dict[str, object] = {
                "case": "over-payment",
                "customer": name,
                "settles": ((one.number, one.cents),),
            }
            on = self._after([one])
            self._receive(self._channel(on), on, name, f"INV {one.number}", truth, one.cents + over)
        (one,) = self._draw(names[3], 1)
        self._pays("small difference", names[3], [one], f"INVOICE {one.number}", less=37, given_up=37)
        ahead: dict[str, object] = {"case": "paid in advance", "customer": names[4]}
        self._receive(_WIRES, self._day(), names[4], "PREPAYMENT SPRING ORDER", ahead, 150_000)

    # ---- payers that are not who they are

    def _strange_payers(self, names: Sequence[str]) -> None:
        """Somebody else pays, once with a number and twice without."""
        (one,) = self._draw(names[0], 1)
        self._pays("another name, with number", "Sunrise Holdings LLC", [one], f"INV {one.number}")
        (one,) = self._draw(names[1], 1)
        self._pays("another name, no number", "JKP Ventures", [one], "THANK YOU", account=_OPERATING)
        for payer, cents in (("Quillon Trading", 77_310), ("R. Castellano", 21_999)):
            self._receive(_OPERATING, self._day(), payer, "PAYMENT", {"case": "customer unknown"}, cents)

    def _look_alikes(self) -> None:
        """A name that two customers could bear; with a number it is clear, without it is not."""
        (one,) = self._draw(LOOK_ALIKES[0], 1)
        self._pays(
            "look-alikes, with number", "Meridian Dental", [one], f"INV {one.number}", account=_OPERATING
        )
        (one,) = self._draw(LOOK_ALIKES[1], 1)
        self._pays("look-alikes, no number", "Meridian Dental", [one], "", account=_OPERATING)
        (one,) = self._draw(LOOK_ALIKES[2], 1)
        self._pays(
            "look-alikes, no number",
            "Alder Creek",
            [one],
            "MONTHLY",
            account=_LOCKBOX,
            on=self._week_before(),
        )

    def _week_before(self) -> date:
        days = [self.books.bank_from + timedelta(days=n) for n in range(BANK_DAYS - 7)]
        return self.rng.choice([day for day in days if day.weekday() < _SATURDAY])

    # ---- money that was there, or comes back

    def _twice(self, names: Sequence[str]) -> None:
        """The same transfer twice, two days apart."""
        for name in names:
            (one,) = self._draw(name, 1)
            on = self._day(self.books.today - timedelta(days=9))
            self._pays("sent twice", name, [one], f"INV {one.number}", account=_OPERATING, on=on)
            again: dict[str, object] = {"case": "sent twice", "customer": name}
            later = min(on + timedelta(days=2), self.books.today - timedelta(days=1))
            self._receive(_OPERATING, later, name, f"INV {one.number}", again, one.cents)

    def _entered_already(self, names: Sequence[str]) -> None:
        """The bookkeeper was faster."""
        for place, name in enumerate(names):
            (one,) = self._draw(name, 1)
            on, reference = self._after([one]), f"ACH {self.rng.randrange(700_000, 900_000)}"
            self.books.paid(one, on, reference)
            truth: dict[str, object] = {"case": "booked already", "customer": name, "booked": reference}
            text = f"{reference} INV {one.number}" if place else f"INV {one.number}"
            self._receive(_OPERATING, on, name, text, truth, one.cents)

    def _returned(self) -> None:
        """A payment of last month comes back."""
        name = self.rng.choice(LOOK_ALIKES[3:])
        truth: dict[str, object] = {"case": "returned payment", "customer": name}
        self._receive(_WIRES, self._day(), name, "RETURN ACCOUNT CLOSED", truth, -84_215, is_return=True)

    def _not_ours(self) -> None:
        """Money that no invoice is about, in and out."""
        for payer, text, cents, kind in (
            ("Interest paid", "", 1_213, "INT"),
            ("IRS Treas 310", "TAX REF 2025", 318_400, ""),
            ("Transfer from savings 0911", "", 1_000_000, "XFER"),
            ("Service charge", "MONTHLY FEE", -3_500, "SRVCHG"),
            ("Payroll funding", "PAYROLL", -2_841_907, ""),
            ("Dockside Properties", "RENT", -640_000, ""),
        ):
            truth: dict[str, object] = {"case": "no receivable", "receivable": False}
            self._receive(_OPERATING, self._day(), payer, text, truth, cents, kind=kind)
        truth = {"case": "no receivable", "receivable": False}
        self._receive(_WIRES, self._day(), "Pulp & Board Mills", "PO 5521", truth, -1_918_033)

    def _unreadable(self) -> None:
        """A cheque whose amount the lockbox keyed with a letter: nothing of that file is proven."""
        name = self._discount[-1]
        (one,) = self._draw(name, 1)
        beside = self._day(self._last_week)
        self._pays(
            "beside an unreadable amount", name, [one], f"INV {one.number}", account=_LOCKBOX, on=beside
        )
        truth: dict[str, object] = {"case": "unreadable amount", "customer": name}
        on = self._day(self._last_week)
        self._receive(_LOCKBOX, on, name, "ON STATEMENT", truth, _UNREADABLE_CENTS, as_written="12O4.50")

    # ---- the files

    def files(self) -> tuple[File, ...]:
        """The inbox: one OFX file, one camt.053 file, and the lockbox's two weeks as CSV."""
        by_account: dict[str, list[Written]] = {}
        for line, truth in sorted(self.lines, key=lambda pair: pair[0].on):
            by_account.setdefault(truth.account, []).append(line)
        stamp = f"{self.books.today:%Y-%m-%d}"
        boxed = by_account[_LOCKBOX]
        before = [line for line in boxed if line.on < self._last_week]
        after = [line for line in boxed if line.on >= self._last_week]
        moved = sum(line.cents for line in before)
        made = [
            File(f"{_OPERATING}/{stamp}.ofx", ofx("125000024", "4471902", by_account[_OPERATING], 8_120_455)),
            File(f"{_WIRES}/{stamp}.camt053.xml", camt("8830041277", by_account[_WIRES], 15_604_210)),
            File(f"{_LOCKBOX}/{stamp}-b.csv", lockbox_csv(after, 250_000 + moved)),
        ]
        if before:
            made.append(File(f"{_LOCKBOX}/{stamp}-a.csv", lockbox_csv(before, 250_000)))
        return tuple(sorted(made, key=lambda file: file.path))
