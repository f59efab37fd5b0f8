"""The office on Xero: the same desk and bank, a simulated organisation behind it, Xero's specification as referee."""

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import func, select

from arsync import migrations
from arsync.connectors.contract import Tokens
from arsync.connectors.xero import XeroSettings
from arsync.simulators.xero import Switches, XeroSimulator
from arsync.store import books, office, tables
from arsync.store.engine import Store
from arsync.store.vault import Vault
from arsync.sync import actions, connect
from arsync.sync.connect import House
from tests.simulators import xero_spec
from tests.worlds.office import ACCOUNT, BANK, PEOPLE, START, Clock, Office, Platform, open_house

_LONG = 200_000
_MARKER = re.compile(r"arsync:([^.]+)\.")
POLICY = """
[match]
automatic = ["reference", "remittance", "one item", "balance"]

[write_off]
USD = "25.00"

[adjustments]
"cash discount" = { product = "429" }
"small difference" = { product = "429" }
"write-off" = { product = "429" }
"""


def objections_to_request(request: Any, answer: Any) -> str:
    """What Xero's specification, as published and tightened, has against a request of ours."""
    if not xero_spec.FOLDER.exists() or request.path.startswith(("/connect", "/Connect")):
        return ""
    found = []
    for tight in (False, True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it knows no OAuth and says so
                xero_spec.specification(tight=tight).validate_request(xero_spec.Sent(request, answer))
        except Exception as bad:  # noqa: BLE001 - openapi-core raises many unrelated kinds
            cause: BaseException | None = bad
            while cause is not None and cause.__cause__ is not None:
                cause = cause.__cause__
            errors = getattr(cause, "schema_errors", ())
            said = "; ".join(str(e.message)[:200] for e in errors) or str(cause)[:300]
            found.append(f"{request.method} {request.path} tight={tight}: {said}")
    return "; ".join(found)


@dataclass
class XeroOffice(Office):
    """Everything in one place."""

    tenant: Any = None
    app: Any = None
    objections: list[str] = field(default_factory=list)

    @property
    def company(self) -> Any:
        return self.tenant

    @property
    def keeper(self) -> Any:
        return self.tenant.books

    @property
    def tenant_id(self) -> str:
        return str(self.tenant.organisation.id)

    def customer(self, name: str, **fields: Any) -> str:
        return str(self.keeper.contact(name, **fields)["ContactID"])

    def invoice(self, customer: str, amount: str, number: str, *, days_ago: int = 30, **fields: Any) -> str:
        on = self.today() - timedelta(days=days_ago)
        given = {"date": on.isoformat(), "due": (on + timedelta(days=30)).isoformat(), "number": number}
        return str(self.keeper.invoice(customer, amount, **{**given, **fields})["InvoiceID"])

    def credit_memo(self, customer: str, amount: str, number: str, *, days_ago: int = 10) -> str:
        on = (self.today() - timedelta(days=days_ago)).isoformat()
        return str(self.keeper.credit_note(customer, amount, date=on, number=number)["CreditNoteID"])

    def balance(self, invoice: str) -> Decimal:
        return Decimal(self.tenant.core.papers[invoice].open_cents) / 100

    def payments(self) -> list[Any]:
        """Living payments in the simulator's books."""
        return [p for p in self.tenant.core.payments.values() if p.status == "AUTHORISED"]

    def batches(self) -> list[Any]:
        return [b for b in self.tenant.core.batches.values() if b.status == "AUTHORISED"]

    def papers(self, kind: str) -> list[Any]:
        return [p for p in self.tenant.core.papers.values() if p.kind == kind]

    def ours(self) -> Counter[str]:
        """How many live documents of cash carry the marker of each of our decisions."""
        core = self.tenant.core
        single = [p for p in core.payments.values() if not p.batch_id]
        held = [p for p in core.papers.values() if p.kind in {"Overpayment", "Prepayment"}]
        cash = [
            one for one in (*single, *core.batches.values(), *held) if one.status in {"AUTHORISED", "PAID"}
        ]
        return Counter(found[1] for one in cash if (found := _MARKER.search(one.reference)))

    def books_as_people_see_them(self) -> list[Any]:
        """What the organisation holds, without ids, keys and times."""
        core = self.tenant.core
        names = {
            p.id: f"{p.kind} {p.number or core.contacts[p.contact_id].name}" for p in core.papers.values()
        }
        seen: list[Any] = [
            (
                p.type,
                core.contacts[p.contact_id].name,
                p.on.isoformat(),
                p.total_cents,
                p.open_cents,
                p.status,
                p.expected and p.expected.isoformat(),
            )
            for p in core.papers.values()
        ]
        seen += [
            ("Payment", names[p.paper_id], p.on.isoformat(), p.cents, p.status, bool(p.batch_id))
            for p in core.payments.values()
        ]
        seen += [
            ("Allocation", names[a.credit_id], names[a.invoice_id], a.cents, a.deleted)
            for a in core.allocations.values()
        ]
        seen += [("Transfer", t.on.isoformat(), t.cents, t.status) for t in core.transfers.values()]
        return sorted(seen, key=repr)

    def calls(self, method: str = "", path: str = "") -> list[Any]:
        found = [r for r in self.simulator.requests if r.method.startswith(method) and path in r.path]
        return [r for r in found if r.status]

    def settings(self) -> Any:
        return settings(self.url, self.tenant_id)

    def new_tokens(self) -> Tokens:
        return tokens_of(self.simulator.grant(self.app, self.tenant_id), self.clock)

    def agrees(self, *, booked: bool = True) -> None:
        """Books and store say the same of every contact, in every currency."""
        self.keeper.audit()
        with self.store.read() as conn:
            i = tables.item.c
            rows = conn.execute(
                select(i.customer_id, i.currency, func.sum(i.open_minor))
                .where(i.ledger_id == self.ledger.id, i.gone.is_(False))
                .group_by(i.customer_id, i.currency)
            ).all()
            refs = books.platform_refs(conn, self.ledger.id, "customer", {row[0] for row in rows})
        ours = {(refs[who], currency): int(minor) for who, currency, minor in rows if minor}
        theirs: Counter[tuple[str, str]] = Counter()
        for one in self.keeper.open_items():
            theirs[one["contact_id"], one["currency"]] += int(Decimal(str(one["open"])) * 100)
        assert ours == {key: minor for key, minor in theirs.items() if minor}
        assert not self.objections, self.objections[0]


def settings(url: str, tenant_id: str, **fields: Any) -> XeroSettings:
    return XeroSettings(
        tenant_id=tenant_id,
        base_url=url,
        token_url=f"{url}/connect/token",
        authorize_url=f"{url}/identity/connect/authorize",
        revoke_url=f"{url}/connect/revocation",
        **fields,
    )


def tokens_of(granted: dict[str, Any], clock: Clock) -> Tokens:
    now = clock.now_is
    return Tokens(
        str(granted["access_token"]),
        str(granted.get("refresh_token", "")),
        now + timedelta(seconds=int(granted["expires_in"])),
        scope=str(granted.get("scope", "")),
    )


@contextmanager
def xero_office(
    folder: Path,
    *,
    name: str = "Craig's Design",
    connection: dict[str, Any] | None = None,
    **organisation: Any,
) -> Iterator[XeroOffice]:
    """A furnished office with empty books, in `propose`; `connection` is what else its connection is told."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    objections: list[str] = []

    def judge(request: Any, answer: Any) -> str:
        said = objections_to_request(request, answer)
        if xero_spec.FOLDER.exists() and len(answer.body) < _LONG:  # a thousand rows are read like ten
            said = "; ".join(filter(None, (said, xero_spec.judge(request, answer))))
        if said:
            objections.append(said)
        return said

    simulator = XeroSimulator(clock=lambda: clock.now_is, judge=judge)
    tenant = simulator.add_organisation(name, **organisation)
    app = simulator.add_app("arsync")
    key = folder / "arsync.key"
    key.write_bytes(Fernet.generate_key() + b"\n")
    house = House(
        Store(f"sqlite:///{folder / 'arsync.sqlite'}"),
        Vault(key.read_bytes().split()),
        clock.now,
        clock.sleep,
        lambda _app: (app.client_id, app.client_secret),
    )
    with simulator.serve() as url:
        made = XeroOffice(folder, house, simulator, clock, url, tenant=tenant, app=app, objections=objections)
        furnish(made, **(connection or {}))
        simulator.requests.clear()
        yield made
    house.store.close()


def furnish(made: XeroOffice, mode: office.Mode = "propose", **more: Any) -> None:
    """Set up store, people, connection, ledger, bank account and policy."""
    house, at = made.house, made.house.at()
    made.inbox.mkdir(exist_ok=True)
    migrations.upgrade(house.store)
    with house.store.begin() as conn:
        people = {name: office.add_person(conn, name, role, at) for name, role in PEOPLE.items()}
    given = settings(made.url, made.tenant_id, **more)
    connection_id = connect.add_connection(house, "xero", "xero", given, people["Ada"])
    connect.keep_tokens(house, connection_id, made.new_tokens())
    connect.add_ledger(house, connection_id, made.ledger_name, people["Ada"])
    values = {
        "name": "main",
        "identifier": f"{BANK}/{ACCOUNT}",
        "currency": "USD",
        "profile": None,
        "deposit_account": made.keeper.bank(),
    }
    actions.add_bank_account(made.desk("Ada"), values)
    made.run()
    made.policy(POLICY)
    made.mode(mode)


# ---- many offices on one simulator, each of which begins with its saved books


@contextmanager
def served_xero() -> Iterator[Platform]:
    """A simulator on loopback."""
    clock = Clock()
    # Many offices, one after the other, on one day of one organisation.
    switches = Switches(rate_limits=False, day_limit=1_000_000)
    simulator = XeroSimulator(clock=lambda: clock.now_is, switches=switches)
    with simulator.serve() as url:
        yield Platform(simulator, clock, url)  # type: ignore[arg-type]  # of the other platform


def make_xero_office(platform: Platform, store_url: str, folder: Path) -> XeroOffice:
    """A furnished office with empty books, in `propose`; its books are saved beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    simulator: Any = platform.simulator
    platform.clock.now_is = START
    simulator.tenants.clear()
    simulator.desk.apps.clear()
    simulator.add_organisation("Craig's Design")
    simulator.add_app("arsync")
    simulator.save(folder / "books.json")
    made = open_xero_office(platform, store_url, folder)
    made.keeper.bank_account("Payouts clearing", "095")
    furnish(made, returns_account="260", clearing_account="095")
    simulator.save(folder / "books.json")
    return made


def open_xero_office(platform: Platform, store_url: str, folder: Path) -> XeroOffice:
    """The office of a folder, with the books it was saved with."""
    simulator: Any = platform.simulator
    simulator.faults.clear()
    simulator.requests.clear()
    simulator.load(folder / "books.json")
    [tenant], [app] = simulator.tenants.values(), simulator.desk.apps.values()
    house = open_house(store_url, folder, app, platform.clock)
    return XeroOffice(folder, house, simulator, platform.clock, platform.url, tenant=tenant, app=app)
