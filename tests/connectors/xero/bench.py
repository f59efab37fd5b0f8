"""Xero's simulator as the conformance suite wants it: its books told by their references."""

from contextlib import contextmanager
from datetime import timedelta

from arsync.connectors.contract import Ref, Tokens
from arsync.connectors.xero import XeroSettings, pull
from arsync.core.money import Money
from arsync.simulators.xero import XeroSimulator
from arsync.simulators.xero.bookkeeper import BulkInvoice
from arsync.simulators.xero.records import Switches
from arsync.testing import Bench

CLEARING = "095"


class XeroBench(Bench):
    page_rows = 7
    product = "429"

    def __init__(self, simulator, url):
        self.simulator, self.url = simulator, url
        self.app = simulator.add_app("suite")
        self.client_id, self.client_secret = self.app.client_id, self.app.client_secret
        [self.tenant] = simulator.tenants.values()
        self.tenant_id = self.tenant.organisation.id
        self.keeper = self.tenant.books
        self.bank_account = self.keeper.bank()
        core = self.tenant.core
        self.receivable_account = core.system("DEBTORS").id
        self.fee_account = "404"
        self.undeposited_account = self.keeper.bank_account("Payouts clearing", CLEARING)["AccountID"]
        self.receiving_account = self.bank_account
        self._names = 0

    def settings(self, url):
        return XeroSettings(
            tenant_id=self.tenant_id,
            returns_account="260",
            clearing_account=CLEARING,
            base_url=url,
            token_url=f"{url}/connect/token",
            authorize_url=f"{url}/identity/connect/authorize",
            revoke_url=f"{url}/connect/revocation",
        )

    def grant(self):
        granted = self.simulator.grant(self.app, self.tenant_id)
        until = self.simulator.now() + timedelta(seconds=int(granted["expires_in"]))
        return Tokens(granted["access_token"], granted["refresh_token"], until, scope=granted["scope"])

    def revoke(self):
        desk = self.simulator.desk
        for connection in list(desk.connections.values()):
            desk.connections.pop(connection.id)
        desk.refresh.clear()
        desk.access.clear()

    def expire(self):
        self.simulator.desk.access.clear()
        return True

    # ---- the books, by hand

    def _numbered(self, name):
        self._names += 1
        return f"{name} {self._names}"

    def customer(self, name):
        taken = {one.name for one in self.tenant.core.contacts.values()}
        return Ref(
            "customer", self.keeper.contact(self._numbered(name) if name in taken else name)["ContactID"]
        )

    def invoice(self, customer, amount):
        made = self.keeper.invoice(customer.id, amount.text(), number=self._numbered("INV"))
        return Ref("item", f"Invoice:{made['InvoiceID']}")

    def invoices(self, customer, count):
        today = self.simulator.now().date()
        rows = [BulkInvoice(customer.id, 100_00 + n, today, today, self._numbered("B")) for n in range(count)]
        return [Ref("item", f"Invoice:{number}") for number in self.keeper.add_invoices(rows)]

    def credit(self, customer, amount):
        made = self.keeper.credit_note(customer.id, amount.text(), number=self._numbered("CN"))
        return Ref("item", f"CreditNote:{made['CreditNoteID']}")

    def payment(self, customer, total, settles=()):
        made = self.keeper.overpayment(customer.id, total.text(), account=self.undeposited_account)
        number = made.get("OverpaymentID") or self.tenant.core.papers[made["BankTransactionID"]].credit_id
        for settle in settles:
            self.keeper.allocate(number, settle.item.id.partition(":")[2], settle.amount.text())
        return Ref("payment", f"Payment:Overpayment:{number}")

    def other(self, kind):
        made = self.keeper.bank_account(self._numbered("Bank"), f"09{self._names}")
        return Ref("account", made["AccountID"])

    def touch(self, ref):
        number = ref.id.rpartition(":")[2]
        if ref.kind == "customer":
            self.keeper.edit_contact(number, FirstName=self._numbered("looked at"))
        elif ref.id.startswith(("Invoice:", "CreditNote:")):
            self.keeper.edit(number, Reference=self._numbered("looked at"))
        else:
            core = self.tenant.core
            [row] = [t[number] for t in (core.papers, core.payments, core.batches) if number in t]
            with core.writing():
                core.change(row).reference = self._numbered("looked at")
                core.stamp(row)

    def remove(self, ref):
        number = ref.id.rpartition(":")[2]
        if ref.kind == "customer":
            self.keeper.archive(number)
        else:
            for one in [a for a in self.tenant.core.allocations.values() if a.credit_id == number]:
                self.keeper.deallocate(one.id)
            self.keeper.void(number)

    def refuse(self):
        for grant in self.simulator.desk.grants.values():
            grant.scopes = tuple(
                f"{s.removesuffix('.read')}.read" for s in grant.scopes if s != "offline_access"
            )

    # ---- what the books say

    def open(self):
        return {
            self._ref(one): Money.of(str(one["open"]), one["currency"]) for one in self.keeper.open_items()
        }

    @staticmethod
    def _ref(one):
        if one["kind"] in {"Overpayment", "Prepayment"}:
            return Ref("payment", f"Payment:{one['kind']}:{one['id']}")
        return Ref("item", f"{one['kind']}:{one['id']}")

    def changes(self):
        return self.tenant.writes

    def balance(self, account):
        return Money(self.tenant.core.ledger.balances[account], self.currency)


@contextmanager
def small_pages(rows):
    """Let the connector ask for few rows a page, so that every pull has pages to lose something between."""
    usual, pull.ROWS = pull.ROWS, rows
    try:
        yield
    finally:
        pull.ROWS = usual


@contextmanager
def xero_bench(clock):
    # A case is many processes within one minute of a clock that stands still; being throttled has cases of its own.
    simulator = XeroSimulator(clock=clock.now, switches=Switches(minute_limit=10_000))
    simulator.add_organisation("Craig's Design")
    with simulator.serve() as url, small_pages(XeroBench.page_rows):
        yield XeroBench(simulator, url)
