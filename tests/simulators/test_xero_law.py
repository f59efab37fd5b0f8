"""The law: whatever anybody does, receivables are the sum of the open items; a refusal changes nothing."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from arsync.simulators.exact_json import dump_json
from arsync.simulators.xero import Switches, XeroSimulator
from arsync.simulators.xero.control import control_total
from arsync.simulators.xero.refusals import Invalid
from arsync.simulators.xero.state import restore, snapshot

ACTIONS = (
    "invoice", "credit", "overpay", "prepay", "pay", "refund", "batch", "allocate", "deallocate", "unpay", "unbatch",
    "void", "edit", "merge", "receive",
)  # fmt: skip
STEP = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 30), st.integers(0, 30), st.integers(1, 90_00))


class Clerk:
    """Does one random thing after another to one organisation."""

    def __init__(self, *, foreign, direction="document_per_base"):
        switches = Switches(audit_every_write=True, rate_direction=direction)
        self.simulator = XeroSimulator(clock=lambda: datetime(2026, 5, 4, tzinfo=UTC), switches=switches)
        self.tenant = self.simulator.add_organisation("Law", currencies=("EUR",), rates={"EUR": "0.7351"})
        self.books, self.core = self.tenant.books, self.tenant.core
        self.contacts = [self.books.contact(name)["ContactID"] for name in "ABC"]
        self.foreign = foreign
        self.account = ""
        if foreign:
            self.account = self.books.bank_account("Euro", "091", currency="EUR")["AccountID"]

    def do(self, step):
        action, one, other, cents = step
        before = self.everything()
        try:
            getattr(self, f"do_{action}")(one, other, Decimal(cents).scaleb(-2))
        except Invalid:
            assert self.everything() == before
        self.core.audit()
        assert control_total(self.tenant)["difference"] == 0

    def everything(self):
        return dump_json(snapshot(self.core)), sorted(self.core.numbers), dict(self.core.ledger.balances)

    def pick(self, number, *kinds):
        found = [one.id for one in self.core.papers.values() if one.kind in kinds]
        return found[number % len(found)] if found else None

    def currency(self, number):
        return "EUR" if self.foreign and number % 2 else ""

    def do_invoice(self, one, other, amount):
        kind = "ACCPAY" if other % 5 == 4 else "ACCREC"
        rate = {"CurrencyRate": Decimal(other + 1) / 7} if self.currency(one) else {}
        number = f"B-{len(self.core.papers)}" if kind == "ACCPAY" else ""
        self.books.invoice(
            self.contacts[one % 3], amount, kind=kind, currency=self.currency(one), number=number, **rate
        )

    def do_credit(self, one, _other, amount):
        self.books.credit_note(self.contacts[one % 3], amount, currency=self.currency(one))

    def do_overpay(self, one, other, amount):
        self.books.overpayment(self.contacts[one % 3], amount, account=self.account if other % 2 else "")

    def do_prepay(self, one, other, amount):
        self.books.prepayment(self.contacts[one % 3], amount, account=self.account if other % 2 else "")

    def do_receive(self, one, _other, amount):
        self.books.received(self.contacts[one % 3], amount)

    def do_pay(self, one, other, amount):
        paper = self.pick(one, "Invoice")
        if paper:
            left = Decimal(self.core.papers[paper].open_cents).scaleb(-2)
            bank = {"bank_amount": amount} if self.currency(other) else {}
            self.books.pay(paper, left if other % 3 == 0 else amount, **bank)

    def do_refund(self, one, _other, amount):
        paper = self.pick(one, "CreditNote", "Overpayment", "Prepayment")
        if paper:
            self.books.pay(paper, amount)

    def do_batch(self, one, other, amount):
        rows = {self.pick(one, "Invoice"), self.pick(other, "Invoice")} - {None}
        self.books.batch([(paper, amount) for paper in sorted(rows)])

    def do_allocate(self, one, other, amount):
        credit, paper = self.pick(one, "CreditNote", "Overpayment", "Prepayment"), self.pick(other, "Invoice")
        if credit and paper:
            left = Decimal(self.core.papers[credit].open_cents).scaleb(-2)
            self.books.allocate(credit, paper, min(left, amount))

    def do_deallocate(self, one, _other, _amount):
        if self.core.allocations:
            self.books.deallocate(list(self.core.allocations)[one % len(self.core.allocations)])

    def do_unpay(self, one, _other, _amount):
        if self.core.payments:
            self.books.delete_payment(list(self.core.payments)[one % len(self.core.payments)])

    def do_unbatch(self, one, _other, _amount):
        if self.core.batches:
            self.books.delete_batch(list(self.core.batches)[one % len(self.core.batches)])

    def do_void(self, one, _other, _amount):
        paper = self.pick(one, "Invoice", "CreditNote", "Overpayment", "Prepayment")
        if paper:
            self.books.void(paper)

    def do_edit(self, one, other, amount):
        paper = self.pick(one, "Invoice", "CreditNote")
        line = {"Description": "Edited", "Quantity": other, "UnitAmount": amount, "AccountCode": "260"}
        if paper:
            self.books.edit(paper, LineItems=[line], Reference=f"R{other}")

    def do_merge(self, one, other, _amount):
        if one % 3 != other % 3:
            self.books.merge(self.contacts[one % 3], self.contacts[other % 3])


@given(st.lists(STEP, max_size=30))
def test_receivables_are_the_open_items(steps):
    clerk = Clerk(foreign=False)
    for step in steps:
        clerk.do(step)


@given(st.lists(STEP, max_size=30), st.sampled_from(["document_per_base", "base_per_document"]))
def test_receivables_are_the_open_items_in_two_currencies(steps, direction):
    clerk = Clerk(foreign=True, direction=direction)
    for step in steps:
        clerk.do(step)


@given(st.lists(STEP, max_size=20))
def test_books_that_were_kept_read_like_those_before(steps):
    clerk = Clerk(foreign=True)
    for step in steps:
        clerk.do(step)
    kept = snapshot(clerk.core)
    clerk.core.ledger.__init__()
    for name in (
        "accounts",
        "contacts",
        "papers",
        "payments",
        "batches",
        "allocations",
        "transfers",
        "numbers",
    ):
        getattr(clerk.core, name).clear()
    clerk.core.by_contact.clear()
    restore(clerk.core, kept)
    assert dump_json(snapshot(clerk.core)) == dump_json(kept)
    clerk.core.audit()
