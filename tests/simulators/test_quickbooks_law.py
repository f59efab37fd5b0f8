"""The law: whatever people do, receivables are the sum of the open items, and a refusal changes nothing."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from arsync.simulators.quickbooks import QuickBooksSimulator, Switches
from arsync.simulators.quickbooks.refusals import Refused
from arsync.simulators.quickbooks.wire import dump_json

CENTS = st.integers(1, 50_00)
STEP = st.tuples(
    st.sampled_from(
        [
            "invoice",
            "credit",
            "journal",
            "pay",
            "apply",
            "unapply",
            "edit",
            "delete",
            "void",
            "deposit",
            "straight",
            "prepaid",
            "cheque",
            "fee",
            "receipt",
            "merge",
        ]
    ),
    st.integers(0, 30),
    st.integers(0, 30),
    CENTS,
)


class Clerk:
    """Does one random thing after another to one company."""

    def __init__(self, currency="USD", **settings):
        switches = Switches(audit_every_write=True)
        clock = lambda: datetime(2026, 5, 4, tzinfo=UTC)  # noqa: E731 - a clock that stands
        self.simulator = QuickBooksSimulator(clock=clock, switches=switches)
        company = self.simulator.add_company("1", name="Law", **settings)
        self.books, self.core = company.books, company.core
        parent = self.books.create_customer("Parent", currency=currency)["Id"]
        self.customers = [parent, self.books.create_customer("Child", parent=parent, currency=currency)["Id"]]
        self.customers.append(self.books.create_customer("Other", currency=currency)["Id"])
        self.currency = currency

    def pick(self, kinds, number):
        found = [(kind, one["Id"]) for kind in kinds for one in self.books.all(kind)]
        return found[number % len(found)] if found else None

    def do(self, step):
        action, one, other, cents = step
        try:
            getattr(self, f"do_{action}")(one, other, Decimal(cents).scaleb(-2))
        except Refused:
            self.core.audit()

    def do_invoice(self, one, _other, amount):
        self.books.create_invoice(self.customers[one % 3], amount, TxnTaxDetail={"TotalTax": one})

    def do_prepaid(self, one, _other, amount):
        self.books.create_invoice(self.customers[one % 3], amount * 2, Deposit=amount)

    def do_credit(self, one, _other, amount):
        self.books.create_credit_memo(self.customers[one % 3], amount)

    def do_journal(self, one, other, amount):
        sides = ["Debit", "Credit"] if other % 2 else ["Credit", "Debit"]
        receivable = self.core.receivable_account(self.currency, {})
        self.books.create_journal_entry(
            [(sides[0], receivable, amount, self.customers[one % 3]), (sides[1], "income", amount)]
        )

    def owed(self, customer, number, *, credit=False):
        """One open item of a customer, as (kind, Id with line, what is open)."""
        found = [
            (item["kind"], f"{item['id']}:{item['line_id']}".rstrip(":"), abs(item["open"]))
            for item in self.books.open_items()
            if item["customer_id"] == customer and item["kind"] != "Payment" and (item["open"] < 0) == credit
        ]
        return found[number % len(found)] if found else None

    def do_pay(self, one, other, amount):
        """Mostly sensible: cash and credits for open items; sometimes more than is open, which is refused."""
        customer = self.customers[one % 3]
        debit, credit = self.owed(customer, other), self.owed(customer, other, credit=True)
        lines, cash = [], amount
        if debit:
            kind, record_id, left = debit
            kind = {"Purchase": "Check"}.get(kind, kind)
            used = left if other % 7 == 6 else min(left, amount)
            lines.append((kind, record_id, used))
            if credit and other % 2:
                taken = min(credit[2], used)
                lines.append((credit[0], credit[1], taken))
                cash = max(amount - taken, Decimal(0))
        self.books.create_payment(customer, cash, lines)

    def do_apply(self, one, other, amount):
        free = [item for item in self.books.open_items() if item["kind"] == "Payment"]
        if free:
            payment = free[one % len(free)]
            debit = self.owed(payment["customer_id"], other)
            if debit:
                kind = {"Purchase": "Check"}.get(debit[0], debit[0])
                self.books.apply(payment["id"], kind, debit[1], min(amount, -payment["open"], debit[2]))

    def do_unapply(self, one, _other, _amount):
        payment = self.pick(("Payment",), one)
        if payment:
            self.books.unapply(payment[1])

    def do_edit(self, one, other, amount):
        target = self.pick(("Invoice", "CreditMemo"), one)
        line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}}
        if target and other % 3:
            self.books.edit(*target, Line=[line])
        elif payment := self.pick(("Payment",), one):
            self.books.edit(*payment, TotalAmt=amount)

    def do_delete(self, one, _other, _amount):
        target = self.pick(("Invoice", "CreditMemo", "Payment", "JournalEntry", "Deposit", "Purchase"), one)
        if target:
            self.books.delete(*target)

    def do_void(self, one, _other, _amount):
        target = self.pick(("Invoice", "Payment"), one)
        if target:
            self.books.void(*target)

    def do_deposit(self, one, _other, _amount):
        payment = self.pick(("Payment",), one)
        if payment:
            self.books.create_deposit([payment[1]])

    def do_straight(self, one, _other, amount):
        if self.currency == "USD":
            self.books.create_deposit(straight=[(self.customers[one % 3], amount)])

    def do_cheque(self, one, _other, amount):
        receivable = self.core.receivable_account(self.currency, {})
        self.books.create_purchase([(receivable, amount)], customer=self.customers[one % 3])

    def do_fee(self, one, _other, amount):
        payment = self.pick(("Payment",), one)
        if payment:
            self.books.create_deposit([payment[1]], others=[("fees", -amount), ("income", amount * 2)])

    def do_receipt(self, one, other, amount):
        kind = ("SalesReceipt", "RefundReceipt")[other % 2]
        customer, undeposited = self.customers[one % 3], self.books.account("undeposited")
        made = (
            self.books.create_refund_receipt(customer, amount, account=undeposited)
            if other % 2
            else self.books.create_sales_receipt(customer, amount)
        )
        if other % 3:
            self.books.create_deposit([made["Id"]], others=[("income", amount * 2)], kind=kind)

    def do_merge(self, one, other, _amount):
        if other % 5 == 0:
            self.books.merge_customers(self.customers[one % 3], self.customers[(one + 1) % 3])

    def everything(self):
        return self.core.counters(), dump_json(
            {
                kind: self.books.all(kind)
                for kind in ("Invoice", "CreditMemo", "Payment", "Customer", "Account", "Deposit", "Purchase")
            }
        )


def check(clerk):
    """The control account against open items and against what a reader adds up."""
    clerk.core.audit()
    balance = sum(item["open"] for item in clerk.books.open_items())
    assert sum(Decimal(one["Balance"]) for one in clerk.books.all("Customer")) == balance
    if clerk.currency == "USD":
        assert Decimal(clerk.books.receivable_cents()).scaleb(-2) == balance
    for one in clerk.books.all("Invoice"):
        applied = sum(
            line["Amount"]
            for payment in clerk.books.all("Payment")
            for line in payment["Line"]
            if line["LinkedTxn"][0] == {"TxnId": one["Id"], "TxnType": "Invoice"}
        )
        assert one["Balance"] == one["TotalAmt"] - one.get("Deposit", 0) - applied


@given(st.lists(STEP, max_size=25))
def test_the_control_account_is_the_open_items(steps):
    clerk = Clerk()
    for step in steps:
        clerk.do(step)
    check(clerk)


@given(st.lists(STEP, max_size=20))
def test_it_is_so_in_a_foreign_currency_too(steps):
    clerk = Clerk("EUR", multicurrency=True, exchange_rates={"EUR": Decimal("1.0837")})
    for number, step in enumerate(steps):
        clerk.core.settings.exchange_rates["EUR"] = Decimal("1.0837") + Decimal(number) / 1000
        clerk.do(step)
    check(clerk)


@given(st.lists(STEP, max_size=20))
def test_it_is_so_where_quickbooks_applies_by_itself(steps):
    clerk = Clerk()
    clerk.books.change_settings(auto_apply_credit=True, auto_apply_payments=True)
    for step in steps:
        clerk.do(step)
    check(clerk)


@given(st.lists(STEP, max_size=12), STEP)
def test_a_refused_step_leaves_everything_as_it_was(steps, last):
    clerk = Clerk(custom_txn_numbers=True)
    for step in steps:
        clerk.do(step)
    before = clerk.everything()
    action, one, other, cents = last
    try:
        getattr(clerk, f"do_{action}")(one, other, Decimal(cents).scaleb(-2))
    except Refused:
        assert clerk.everything() == before


@given(st.lists(STEP, max_size=15))
def test_a_restart_changes_nothing(tmp_path_factory, steps):
    clerk = Clerk()
    for step in steps:
        clerk.do(step)
    path = tmp_path_factory.mktemp("state") / "books.json"
    clerk.simulator.save(path)
    again = Clerk()
    again.simulator.load(path)
    company = again.simulator.companies["1"]
    again.books, again.core = company.books, company.core
    assert again.everything() == clerk.everything()
    check(again)
    step = ("invoice", 1, 1, 100)
    clerk.do(step)
    again.do(step)
    assert again.everything() == clerk.everything()
