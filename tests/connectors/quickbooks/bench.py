"""QuickBooks' simulator as the conformance suite wants it: its books told by their references."""

from contextlib import contextmanager
from datetime import timedelta

from arsync.connectors.contract import Ref, Tokens
from arsync.connectors.quickbooks import QuickBooksSettings, pull, query
from arsync.core.money import Money
from arsync.simulators.quickbooks import BulkInvoice, QuickBooksSimulator, Switches
from arsync.testing import Bench

REALM = "9130350000000001"
ENTITY_OF = {"customer": "Customer", "terms": "Term", "account": "Account", "product": "Item"}
# Every entity has one free text that a person may change.
WORD_OF = {"Customer": "Notes", "Term": "Name", "Account": "Description", "Item": "Description"}


class QuickBooksBench(Bench):
    page_rows = 7
    product = "1"

    def __init__(self, simulator, url):
        self.simulator, self.url = simulator, url
        self.client_id, self.client_secret = simulator.client_id, simulator.client_secret
        self.company = simulator.companies[REALM]
        self.keeper = self.company.books
        self.bank_account = self.keeper.account("checking")
        self.undeposited_account = self.keeper.account("undeposited")
        self.waiting_account = self.keeper.create_account("Unidentified receipts", "Other Current Liability")[
            "Id"
        ]
        self.receivable_account = self.keeper.account("receivable")
        self.fee_account = self.keeper.create_account("Fees of the suite", "Expense")["Id"]
        self._names = 0

    def settings(self, url):
        return QuickBooksSettings(REALM, url, f"{url}/oauth2/v1/tokens/bearer", f"{url}/connect/oauth2")

    def grant(self):
        access, refresh = self.simulator.grant(REALM)
        return Tokens(access, refresh, self.simulator.now() + timedelta(hours=1))

    def revoke(self):
        for token in list(self.simulator.tokens.grants):
            self.simulator.tokens.revoke(token)

    def expire(self):
        self.simulator.tokens.access.clear()
        return True

    # ---- the books, by hand

    def customer(self, name):
        taken = {row["DisplayName"] for row in self.keeper.all("Customer")}
        free = name if name not in taken else self._numbered(name)
        return Ref("customer", self.keeper.create_customer(free)["Id"])

    def _numbered(self, name):
        """QuickBooks wants every name once."""
        self._names += 1
        return f"{name} {self._names}"

    def invoice(self, customer, amount):
        return Ref("item", f"Invoice:{self.keeper.create_invoice(customer.id, amount.text())['Id']}")

    def invoices(self, customer, count):
        rows = [BulkInvoice(customer.id, 100_00 + n, "2026-11-01", "2026-12-01") for n in range(count)]
        return [Ref("item", f"Invoice:{number}") for number in self.keeper.add_invoices(rows)]

    def credit(self, customer, amount):
        return Ref("item", f"CreditMemo:{self.keeper.create_credit_memo(customer.id, amount.text())['Id']}")

    def payment(self, customer, total, settles=()):
        lines = []
        for settle in settles:
            kind, _, number = settle.item.id.partition(":")
            lines.append((kind, number, abs(settle.amount).text()))
        return Ref("payment", f"Payment:{self.keeper.create_payment(customer.id, total.text(), lines)['Id']}")

    def line(self, customer, amount):
        lines = [("Debit", "receivable", amount.text(), customer.id), ("Credit", "income", amount.text())]
        row = self.keeper.create_journal_entry(lines)
        [line] = [one["Id"] for one in row["Line"] if one["JournalEntryLineDetail"].get("Entity")]
        return Ref("item", f"JournalEntry:{row['Id']}:{line}")

    def other(self, kind):
        name = self._numbered(kind)
        if kind == "terms":
            row = self.keeper.create_term(name, 30)
        elif kind == "account":
            row = self.keeper.create_account(name, "Bank")
        else:
            row = self.keeper.create_item(name, "income")
        return Ref(kind, row["Id"])

    def touch(self, ref):
        entity, number = self._entity(ref)
        self.keeper.edit(entity, number, **{WORD_OF.get(entity, "PrivateNote"): self._numbered("looked at")})

    def remove(self, ref):
        entity, number = self._entity(ref)
        if entity in WORD_OF:
            self.keeper.deactivate(entity, number)
        else:
            self.keeper.delete(entity, number)

    def _entity(self, ref):
        if ref.kind in ENTITY_OF:
            return ENTITY_OF[ref.kind], ref.id
        entity, number = ref.id.split(":")[:2]
        return entity, number

    def refuse(self):
        self.keeper.set_closing_date(self.simulator.now().date().isoformat())

    # ---- what the books say

    def open(self):
        return {
            self._ref(one): Money.of(str(one["open"]), one["currency"]) for one in self.keeper.open_items()
        }

    def _ref(self, one):
        line = f":{one['line_id']}" if one["line_id"] else ""
        kind = "payment" if one["kind"] == "Payment" else "item"
        return Ref(kind, f"{one['kind']}:{one['id']}{line}")

    def changes(self):
        return sum(self.company.writes.values())

    def balance(self, account):
        return Money.of(str(self.keeper.get("Account", account)["CurrentBalance"]), "USD")


@contextmanager
def small_pages(rows):
    """Let the connector ask for few rows a query, so that every pull has pages to lose something between."""
    places = ((query.select.__kwdefaults__, "rows"), (vars(query), "ROWS"), (vars(pull), "_IDS_A_QUERY"))
    usual = [place[name] for place, name in places]
    for place, name in places:
        place[name] = rows
    try:
        yield
    finally:
        for (place, name), value in zip(places, usual, strict=True):
            place[name] = value


@contextmanager
def quickbooks_bench(clock):
    simulator = QuickBooksSimulator(clock=clock.now, switches=Switches(audit_every_write=False))
    simulator.add_company(REALM, name="Craig's Design")
    with simulator.serve() as url, small_pages(QuickBooksBench.page_rows):
        yield QuickBooksBench(simulator, url)
