"""A small accounts receivable office: an installation in a folder, simulated books over HTTP, people, a bank.

`Office` is the harness of the end-to-end tests: bookkeeper on one side (`keeper`), bank files on the other
(`statement`), arsync between them (`run`, `desk`). `adds_up` and `agrees` are the laws every test leans on.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import func, select

from arsync import migrations
from arsync.connectors.contract import Tokens
from arsync.connectors.quickbooks import QuickBooksSettings
from arsync.simulators.quickbooks import QuickBooksSimulator, Switches
from arsync.store import audit, books, decisions, office, queries, queues, tables
from arsync.store.engine import Store
from arsync.store.vault import Vault
from arsync.sync import actions, connect
from arsync.sync.actions import Desk, Part
from arsync.sync.connect import House
from arsync.sync.report import unapplied_report
from arsync.sync.run import run

REALM = "9130350000000001"
START = datetime(2026, 11, 20, 8, 0, 0, tzinfo=UTC)
TODAY = START.date()
BANK, ACCOUNT = "121000248", "7700123"
PEOPLE = {"Ada": "admin", "Max": "manager", "Mia": "manager", "Cleo": "clerk", "Otto": "auditor"}
POLICY = """
[match]
automatic = ["reference", "remittance", "one item", "balance"]

[write_off]
USD = "25.00"

[adjustments]
"cash discount" = {{ product = "{product}" }}
"small difference" = {{ product = "{product}" }}
"write-off" = {{ product = "{product}" }}
"""
# What every run may write even when nothing changed: that it ran, when, and how many calls it made.
STAMPS = {"run", "meter", "counter"}
CONNECTION_STAMPS = {"cursor", "cursor_at", "totals_at", "secret"}
_MARKER = re.compile(r"arsync:([a-z0-9]+-\d+)\.\d+\.\d+")


class Clock:
    """Stands still between readings but for one millisecond, and moves when somebody sleeps."""

    def __init__(self, now: datetime = START) -> None:
        self.now_is = now

    def now(self) -> datetime:
        self.now_is += timedelta(milliseconds=1)
        return self.now_is

    def sleep(self, seconds: float) -> None:
        self.now_is += timedelta(seconds=seconds)

    def pass_days(self, days: int) -> None:
        self.now_is += timedelta(days=days)


@dataclass(frozen=True)
class Line:
    """One line of a bank statement; `amount` as text."""

    amount: str
    text: str
    payer: str = ""
    on: date = TODAY
    fitid: str = ""
    cheque: str = ""


def ofx(lines: list[Line], *, first: int, balance: str = "10000.00", cut: int = 0) -> bytes:
    """A statement as American banks write it; `first` numbers the lines."""
    rows = []
    for number, line in enumerate(lines, first):
        cheque = f"<CHECKNUM>{line.cheque}" if line.cheque else ""
        kind = "CREDIT" if not line.amount.startswith("-") else "DEBIT"
        rows.append(
            f"<STMTTRN><TRNTYPE>{kind}<DTPOSTED>{line.on:%Y%m%d}<TRNAMT>{line.amount}"
            f"<FITID>{line.fitid or f'F{number:06d}'}{cheque}<NAME>{line.payer[:32]}<MEMO>{line.text}</STMTTRN>"
        )
    start, end = min(line.on for line in lines), max(line.on for line in lines)
    text = (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n"
        "OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO"
        f"</STATUS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>{BANK}<ACCTID>{ACCOUNT}<ACCTTYPE>CHECKING</BANKACCTFROM>"
        f"<BANKTRANLIST><DTSTART>{start:%Y%m%d}<DTEND>{end:%Y%m%d}\n" + "\n".join(rows) + "\n</BANKTRANLIST>"
        f"<LEDGERBAL><BALAMT>{balance}<DTASOF>{end:%Y%m%d}</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )
    return text.encode("ascii")[: -cut or None]


@dataclass
class Office:
    """Everything in one place."""

    folder: Path
    house: House
    simulator: QuickBooksSimulator
    clock: Clock
    url: str
    ledger_name: str = "books"
    statements: int = 0
    lines: int = 0
    last: Any = None  # what the last run did, where a test keeps it
    received: Counter[str] = field(default_factory=Counter)  # fitid -> minor units the bank reported

    # ---- the books

    @property
    def company(self) -> Any:
        return self.simulator.companies[REALM]

    @property
    def keeper(self) -> Any:
        return self.company.books

    def customer(self, name: str, **fields: Any) -> str:
        return str(self.keeper.create_customer(name, **fields)["Id"])

    def invoice(self, customer: str, amount: str, number: str, *, days_ago: int = 30, **fields: Any) -> str:
        on = self.today() - timedelta(days=days_ago)
        given = {"date": on.isoformat(), "due": (on + timedelta(days=30)).isoformat(), "number": number}
        return str(self.keeper.create_invoice(customer, amount, **{**given, **fields})["Id"])

    def credit_memo(self, customer: str, amount: str, number: str, *, days_ago: int = 10) -> str:
        on = (self.today() - timedelta(days=days_ago)).isoformat()
        return str(self.keeper.create_credit_memo(customer, amount, date=on, number=number)["Id"])

    def balance(self, invoice: str) -> Decimal:
        return Decimal(str(self.keeper.get("Invoice", invoice)["Balance"]))

    def payments(self) -> list[dict[str, Any]]:
        """Payments in the simulator's books, as a reader sees them."""
        return [p for p in self.keeper.all("Payment") if p.get("TxnStatus") != "Voided"]

    def ours(self) -> Counter[str]:
        """How many live payments with cash carry the marker of each of our decisions."""
        return Counter(
            found[1]
            for p in self.payments()
            if Decimal(str(p["TotalAmt"])) and (found := _MARKER.match(p.get("PrivateNote") or ""))
        )

    def books_as_people_see_them(self) -> list[Any]:
        """What the platform holds, without ids, tokens and times."""
        seen = []
        for kind in ("Deposit", "JournalEntry"):
            for one in self.keeper.all(kind):
                lines = sorted((str(line["Amount"]), self._about(line)) for line in one["Line"])
                seen.append((kind, one["TxnDate"], str(one.get("TotalAmt")), lines))
        for kind in ("Invoice", "CreditMemo", "Payment"):
            for one in self.keeper.all(kind):
                lines = one.get("Line", []) if kind == "Payment" else []
                names = sorted((str(line["Amount"]), *self._named(line["LinkedTxn"][0])) for line in lines)
                number = one.get("DocNumber", "") if kind == "Invoice" else ""
                balance = one.get("Balance", one.get("UnappliedAmt"))
                unapplied = one.get("UnappliedAmt")
                seen.append(
                    (
                        kind,
                        number,
                        one["CustomerRef"]["value"],
                        str(one["TotalAmt"]),
                        str(balance),
                        str(unapplied),
                        names,
                    )
                )
        return sorted(seen, key=repr)

    def _about(self, line: dict[str, Any]) -> str:
        """The account or the kind of document a line of an entry or deposit is about."""
        if line.get("LinkedTxn"):
            return str(line["LinkedTxn"][0]["TxnType"])
        detail = line[line["DetailType"]]
        return f"{detail.get('PostingType', '')} {detail['AccountRef']['value']}"

    def _named(self, link: dict[str, str]) -> tuple[str, str]:
        kind = link["TxnType"]
        return kind, self.keeper.get(kind, link["TxnId"])["DocNumber"] if kind == "Invoice" else ""

    # ---- the bank

    def statement(self, *lines: Line, name: str = "", cut: int = 0) -> Path:
        """Put a bank file into the inbox."""
        self.statements += 1
        data = ofx(list(lines), first=self.lines + 1, cut=cut)
        if not cut:
            for number, line in enumerate(lines, self.lines + 1):
                minor = int(Decimal(line.amount) * 100)
                if minor > 0:
                    self.received[line.fitid or f"F{number:06d}"] = minor
        self.lines += len(lines)
        path = self.inbox / (name or f"statement-{self.statements:03d}.ofx")
        path.write_bytes(data)
        return path

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    # ---- arsync

    @property
    def store(self) -> Store:
        return self.house.store

    @property
    def ledger(self) -> office.Ledger:
        with self.store.read() as conn:
            return self.house.here(office.find_ledger(conn, self.ledger_name))

    def today(self) -> date:
        return self.clock.now_is.date()

    def settings(self) -> QuickBooksSettings:
        """What a connection to these books is told."""
        return settings(self.url)

    def new_tokens(self) -> Tokens:
        """What signing in anew gives."""
        access, refresh = self.simulator.grant(REALM)
        now = self.clock.now_is
        return Tokens(access, refresh, now + timedelta(minutes=55), now + timedelta(days=100))

    def job(self) -> Any:
        return connect.job_of(self.house, self.ledger, lambda _step, _text: None)[0]

    def run(self) -> Any:
        job = self.job()
        try:
            return run(job, self.inbox)
        finally:
            job.connector.close()

    def run_until_idle(self, most: int = 6) -> int:
        """Run until a run says that nothing changed; the number of runs that changed something."""
        for number in range(most):
            if not self.run().changed:
                return number
        raise AssertionError(f"after {most} runs there is still something to change")

    def desk(self, name: str = "Cleo") -> Desk:
        with self.store.read() as conn:
            person = office.find_person(conn, name)
        return Desk(self.store, self.ledger, person, self.clock.now)

    def mode(self, mode: office.Mode) -> None:
        actions.set_mode(self.desk("Max"), mode)

    def policy(self, text: str) -> None:
        """Put a policy in force; no sample is drawn by chance unless it says so."""
        said = text if "[quality]" in text else f"{text}\n[quality]\none_in = 0\n"
        version = actions.propose_policy(self.desk("Max"), said)
        number = int(re.findall(r"version (\d+)", version.text)[0])
        actions.approve_policy(self.desk("Mia"), number)

    def queue(self, reason: str = "") -> list[Any]:
        with self.store.read() as conn:
            return [q for q in queues.listing(conn, self.ledger.id) if not reason or q.reason == reason]

    def queued(self) -> Any:
        """The only receipt in the queue."""
        (row,) = [q for q in self.queue() if q.subject.startswith("receipt:")]
        return row

    def item(self, external_id: str) -> Any:
        """Our row of a platform document, such as `Invoice:7`."""
        with self.store.read() as conn:
            ids = books.known_ids(conn, self.ledger.connection_id, "item", [external_id])
            return books.item_row(conn, self.ledger.id, ids[external_id])

    def customer_id(self, external_id: str) -> int:
        with self.store.read() as conn:
            return books.known_ids(conn, self.ledger.connection_id, "customer", [external_id])[external_id]

    def part(self, external_id: str, cash: str, *, discount: str = "0", write_off: str = "0") -> Part:
        minor = [int(Decimal(text) * 100) for text in (cash, discount, write_off)]
        return Part(self.item(external_id).id, *minor)

    def decision(self, decision_id: int) -> Any:
        with self.store.read() as conn:
            return decisions.find(conn, self.ledger.id, decision_id)

    def receipts(self) -> list[Any]:
        with self.store.read() as conn:
            return queries.receipts(conn, self.ledger.id)

    def receipt(self) -> Any:
        (row,) = self.receipts()
        return row

    # ---- looking at everything

    def rows(self) -> dict[str, list[Any]]:
        """Every row of every table that an idle run must not touch."""
        found: dict[str, list[Any]] = {}
        with self.store.read() as conn:
            for table in tables.metadata.sorted_tables:
                if table.name in STAMPS:
                    continue
                columns = [
                    c for c in table.c if table.name != "connection" or c.name not in CONNECTION_STAMPS
                ]
                found[table.name] = sorted(
                    (tuple(_plain(v) for v in row) for row in conn.execute(select(*columns))), key=repr
                )
        return found

    def changed_rows(self, before: dict[str, list[Any]]) -> set[str]:
        after = self.rows()
        return {name for name in after if after[name] != before[name]}

    def adds_up(self) -> None:
        """Promise 2, from scratch: every receipt's cent has a place, every item's open amount its reasons."""
        ledger = self.ledger
        report = unapplied_report(self.store, ledger, self.clock.now_is)
        for equation in report.equations:
            assert equation.unexplained_minor == 0
        assert sum(e.received_minor for e in report.equations) == sum(r.amount_minor for r in self.receipts())
        for r in self.receipts():
            if r.state in ("applied", "on_account"):
                self._applied_to_the_cent(r)
        with self.store.read() as conn:
            a, i = tables.application.c, tables.item.c
            applied = dict(
                conn.execute(
                    select(a.item_id, func.sum(a.amount_minor))
                    .where(a.ledger_id == ledger.id)
                    .group_by(a.item_id)
                ).all()
            )
            for row in conn.execute(
                select(i.id, i.original_minor, i.open_minor, i.gone).where(i.ledger_id == ledger.id)
            ):
                expected = 0 if row.gone else row.original_minor - int(applied.get(row.id, 0))
                assert row.open_minor == expected, f"I-{row.id}"
            count, faults = audit.verify(conn, ledger.id, self.house.vault.signing_key())
            assert faults == []
            assert count > 0

    def adds_up_if_any(self) -> None:
        """The same, where a run may have ended before there was anything."""
        if self.receipts():
            self.adds_up()

    def _applied_to_the_cent(self, receipt: Any) -> None:
        """What a decision spends is the receipt: cash lines + on account = amount."""
        with self.store.read() as conn:
            spent = decisions.lines(conn, self.ledger.id, receipt.decision_id)
            lines = [line for line in spent if line.kind in ("cash", "on_account")]
            assert sum(line.amount_minor for line in lines) == receipt.amount_minor, f"R-{receipt.id}"
            assert receipt.payment_id is not None, f"R-{receipt.id} is applied by no payment"

    def all_received(self) -> None:
        """Every line of money in that a bank file held is a receipt, once; or several that add up to it."""
        lines: Counter[int] = Counter()
        for r in self.receipts():
            lines[r.bank_line_id] += r.amount_minor
        assert sorted(minor for minor in lines.values() if minor > 0) == sorted(self.received.values())

    def agrees(self, *, booked: bool = True) -> None:
        """Books and store say the same of every customer; `booked`: and every decision of ours stands there once."""
        self.keeper.audit()
        with self.store.read() as conn:
            i = tables.item.c
            ours = {
                customer: int(minor)
                for customer, minor in conn.execute(
                    select(i.customer_id, func.sum(i.open_minor))
                    .where(i.ledger_id == self.ledger.id, i.gone.is_(False))
                    .group_by(i.customer_id)
                )
                if minor
            }
            refs = books.platform_refs(conn, self.ledger.id, "customer", ours)
        theirs: Counter[str] = Counter()
        for one in self.keeper.open_items():
            theirs[one["customer_id"]] += int(Decimal(str(one["open"])) * 100)
        assert {refs[c]: m for c, m in ours.items()} == {c: m for c, m in theirs.items() if m}
        if booked:
            self.booked_once()

    def booked_once(self) -> None:
        """No decision of ours has more than one payment, and every applied receipt has exactly one."""
        ours = self.ours()
        assert all(number == 1 for number in ours.values()), ours
        live = {
            f"{self.ledger.uid}-{r.decision_id}"
            for r in self.receipts()
            if r.state in ("applied", "on_account")
        }
        returned = {f"{self.ledger.uid}-{r.decision_id}" for r in self.receipts() if r.state == "returned"}
        with self.store.read() as conn:
            undoing = {
                f"{self.ledger.uid}-{d.id}"
                for d in conn.execute(
                    select(tables.decision).where(
                        tables.decision.c.state.in_(["undoing", "planned", "failed"])
                    )
                )
            }
        assert live <= set(ours), "an applied receipt has no payment in the books"
        assert set(ours) <= live | undoing | returned | self._still_ours(), (
            "a payment of ours that no receipt stands behind"
        )

    def _still_ours(self) -> set[str]:
        """Decisions a person may have contradicted on the platform by a copy."""
        return set()


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def open_house(store_url: str, folder: Path, simulator: QuickBooksSimulator, clock: Clock) -> House:
    """The installation's parts, as the command line puts them together, on the test's clock."""
    key = folder / "arsync.key"
    if not key.exists():
        key.write_bytes(Fernet.generate_key() + b"\n")
        key.chmod(0o600)
    vault = Vault(key.read_bytes().split())
    return House(
        Store(store_url),
        vault,
        clock.now,
        clock.sleep,
        lambda _platform: (simulator.client_id, simulator.client_secret),
    )


def settings(url: str) -> QuickBooksSettings:
    return QuickBooksSettings(REALM, url, f"{url}/oauth2/v1/tokens/bearer", f"{url}/connect/oauth2")


def furnish(made: Office, mode: office.Mode = "propose") -> None:
    """Set up store, people, connection, ledger, bank account and policy."""
    house, at = made.house, made.house.at()
    (made.folder / "inbox").mkdir(exist_ok=True)
    migrations.upgrade(house.store)
    with house.store.begin() as conn:
        people = {name: office.add_person(conn, name, role, at) for name, role in PEOPLE.items()}
    product = made.keeper.create_item("Allowances", "income")["Id"]
    connection_id = connect.add_connection(
        house, "quickbooks", "quickbooks", settings(made.url), people["Ada"]
    )
    connect.keep_tokens(house, connection_id, made.new_tokens())
    connect.add_ledger(house, connection_id, made.ledger_name, people["Ada"])
    values = {
        "name": "main",
        "identifier": f"{BANK}/{ACCOUNT}",
        "currency": "USD",
        "profile": None,
        "deposit_account": None,
    }
    actions.add_bank_account(made.desk("Ada"), values)
    made.policy(POLICY.format(product=product))
    made.mode(mode)


@dataclass(frozen=True)
class Platform:
    """One simulator, served once for many offices; each office begins with its saved state."""

    simulator: QuickBooksSimulator
    clock: Clock
    url: str


@contextmanager
def served_platform() -> Iterator[Platform]:
    """A simulator on loopback."""
    clock = Clock()
    simulator = QuickBooksSimulator(clock=lambda: clock.now_is, switches=Switches(audit_every_write=False))
    with simulator.serve() as url:
        yield Platform(simulator, clock, url)


def empty_platform(platform: Platform, state: Path, **company: Any) -> None:
    """Forget everything; open the books of one company."""
    platform.clock.now_is = START
    platform.simulator.faults.clear()
    platform.simulator.companies.clear()
    platform.simulator.add_company(REALM, name="Craig's Design", **company)
    platform.simulator.save(state)


def make_office(platform: Platform, store_url: str, folder: Path, **company: Any) -> Office:
    """A furnished office with empty books, in `propose`; its books are saved beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    empty_platform(platform, folder / "books.json", **company)
    made = open_office(platform, store_url, folder)
    furnish(made)
    platform.simulator.save(folder / "books.json")
    return made


def open_office(platform: Platform, store_url: str, folder: Path) -> Office:
    """The office of a folder, with the books it was saved with."""
    platform.simulator.faults.clear()
    platform.simulator.requests.clear()
    for name, value in asdict(Switches(audit_every_write=False)).items():
        setattr(platform.simulator.switches, name, value)
    platform.simulator.load(folder / "books.json")
    return Office(
        folder,
        open_house(store_url, folder, platform.simulator, platform.clock),
        platform.simulator,
        platform.clock,
        platform.url,
    )


def finding_of(conn: Any, row: Any) -> Any:
    """The stored finding of a queue item, as JSON."""
    from arsync.store import raw

    return json.loads(raw.get(conn, bytes(row.finding_sha)))
