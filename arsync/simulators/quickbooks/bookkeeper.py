"""A person at the books: what happens in QuickBooks' own pages while a program is connected.

Units   amounts are `Decimal`, whole `int` units or text ("100.50"); a float is refused.
Shape   every method does one thing a bookkeeper does and returns the object as a reader sees it.
Errors  `Refused`, the same rules as for the API; SyncTokens and the change feed move as they do there.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from arsync.simulators.quickbooks import merging, refusals
from arsync.simulators.quickbooks.books import Books
from arsync.simulators.quickbooks.ledger import ItemKey, OpenItem, Posting
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.wire import Document, amount, to_cents

Amount = Decimal | int | str

ACTIONS = (
    "create", "create_customer", "create_invoice", "create_credit_memo", "create_payment",
    "create_journal_entry", "create_deposit", "create_sales_receipt", "create_refund_receipt", "create_term",
    "create_account", "create_item", "create_purchase", "edit", "void", "delete", "deactivate", "apply",
    "unapply", "copy", "set_closing_date", "change_settings", "merge_customers", "get", "tell_false_deletion",
    "clear_false_deletions", "start_ids",
)  # fmt: skip
"""What the control door may call."""


CHANGEABLE = frozenset(
    {"read_only", "custom_txn_numbers", "auto_apply_credit", "auto_apply_payments", "multicurrency"}
)
"""Settings an owner may change later; all of them are yes or no."""


class BulkInvoice(NamedTuple):
    """One row of `add_invoices`."""

    customer_id: str
    amount_cents: int
    txn_date: str
    due_date: str
    number: str = ""


def _exact(value: Amount) -> Decimal | int:
    return amount(to_cents(value))


class Bookkeeper:
    """Acts on one company as a named person."""

    def __init__(self, core: Books) -> None:
        self.core = core
        self.name = core.settings.user

    # ---- creating ------------------------------------------------------------------------------------------

    def create(self, kind: str, document: Document) -> Document:
        """Any object, in the platform's own shape."""
        return self.core.create(kind, document, user=self.name)

    def create_customer(
        self, name: str, *, parent: str = "", currency: str = "", **fields: object
    ) -> Document:
        """A customer, or a sub-customer of `parent`."""
        document: Document = {"DisplayName": name, **fields}
        if parent:
            document |= {"ParentRef": {"value": parent}, "Job": True}
        if currency:
            document["CurrencyRef"] = {"value": currency}
        return self.create("Customer", document)

    def create_invoice(
        self,
        customer: str,
        amount: Amount,
        *,
        date: str = "",
        due: str = "",
        number: str = "",
        item: str = "1",
        **fields: object,
    ) -> Document:
        """An invoice of one line."""
        return self._sale(
            "Invoice", customer, amount, date, {"DueDate": due, "DocNumber": number, **fields}, item
        )

    def create_credit_memo(
        self,
        customer: str,
        amount: Amount,
        *,
        date: str = "",
        number: str = "",
        item: str = "1",
        **fields: object,
    ) -> Document:
        """A credit memo of one line."""
        return self._sale("CreditMemo", customer, amount, date, {"DocNumber": number, **fields}, item)

    def create_sales_receipt(
        self, customer: str, amount: Amount, *, date: str = "", account: str = "", **fields: object
    ) -> Document:
        """A cash sale, into Undeposited Funds unless an account is named."""
        till = {"DepositToAccountRef": {"value": account}} if account else {}
        return self._sale("SalesReceipt", customer, amount, date, {**till, **fields}, "1")

    def create_refund_receipt(
        self, customer: str, amount: Amount, *, account: str = "", date: str = ""
    ) -> Document:
        """Money given back, out of the checking account unless another is named."""
        till = {"DepositToAccountRef": {"value": account or self.account("checking")}}
        return self._sale("RefundReceipt", customer, amount, date, till, "1")

    def _sale(
        self, kind: str, customer: str, amount: Amount, day: str, fields: Document, item: str
    ) -> Document:
        line = {
            "Amount": _exact(amount),
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": item}},
        }
        document = {"CustomerRef": {"value": customer}, "Line": [line], "TxnDate": day, **fields}
        return self.create(kind, {name: value for name, value in document.items() if value != ""})

    def create_payment(
        self,
        customer: str,
        amount: Amount,
        lines: Iterable[tuple[str, str, Amount]] = (),
        *,
        date: str = "",
        reference: str = "",
        **fields: object,
    ) -> Document:
        """A payment; each line is (kind, Id, amount) of what it uses."""
        document = {
            "CustomerRef": {"value": customer},
            "TotalAmt": _exact(amount),
            "Line": [payment_line(*line) for line in lines],
            "TxnDate": date,
            "PaymentRefNum": reference,
            **fields,
        }
        return self.create("Payment", {name: value for name, value in document.items() if value != ""})

    def create_journal_entry(
        self, lines: Iterable[Sequence[str]], *, date: str = "", note: str = ""
    ) -> Document:
        """A journal entry; each line is (Debit or Credit, account Id or role, amount[, customer Id])."""
        document: Document = {"Line": [self._journal_line(*line) for line in lines]}
        if date:
            document["TxnDate"] = date
        if note:
            document["PrivateNote"] = note
        return self.create("JournalEntry", document)

    def _journal_line(self, side: str, account: str, value: Amount, customer: str = "") -> Document:
        detail: Document = {"PostingType": side, "AccountRef": {"value": self.account(account)}}
        if customer:
            detail["Entity"] = {"Type": "Customer", "EntityRef": {"value": customer}}
        return {
            "Amount": _exact(value),
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": detail,
        }

    def create_deposit(
        self,
        payments: Iterable[str] = (),
        *,
        straight: Iterable[tuple[str, Amount]] = (),
        others: Iterable[tuple[str, Amount]] = (),
        date: str = "",
        account: str = "checking",
        kind: str = "Payment",
    ) -> Document:
        """Bring payments to the bank.

        Args:
            payments: Ids of what lies in Undeposited Funds.
            straight: (customer Id, amount) right to receivables.
            others: (account Id or role, amount); a fee is below 0.
            date: today when empty.
            account: the bank account, by Id or role.
            kind: of what is deposited.
        """
        lines: list[Document] = [
            {"LinkedTxn": [{"TxnId": one, "TxnType": kind, "TxnLineId": "0"}]} for one in payments
        ]
        for customer, value in straight:
            receivable = self.account(f"receivable:{self.core.settings.home_currency}")
            entity = {"value": customer, "type": "CUSTOMER"}
            detail = {"Entity": entity, "AccountRef": {"value": receivable}}
            lines.append(
                {"Amount": _exact(value), "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
            )
        for name, value in others:
            detail = {"AccountRef": {"value": self.account(name)}}
            lines.append(
                {"Amount": _exact(value), "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
            )
        document: Document = {"DepositToAccountRef": {"value": self.account(account)}, "Line": lines}
        return self.create("Deposit", {**document, "TxnDate": date} if date else document)

    def create_purchase(
        self,
        lines: Iterable[tuple[str, Amount]],
        *,
        customer: str = "",
        account: str = "checking",
        date: str = "",
        payment_type: str = "Check",
        **fields: object,
    ) -> Document:
        """Money out by cheque, cash or card; each line is (account Id or role, amount).

        A line on `receivable` gives money back to `customer`.
        """
        document: Document = {
            "AccountRef": {"value": self.account(account)},
            "PaymentType": payment_type,
            "Line": [
                {
                    "Amount": _exact(value),
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "AccountBasedExpenseLineDetail": {"AccountRef": {"value": self.account(name)}},
                }
                for name, value in lines
            ],
            **fields,
        }
        if customer:
            document["EntityRef"] = {"value": customer, "type": "Customer"}
        return self.create("Purchase", {**document, "TxnDate": date} if date else document)

    def create_term(
        self, name: str, days: int, *, discount_percent: int = 0, discount_days: int = 0
    ) -> Document:
        """A payment term."""
        discount = (
            {"DiscountPercent": discount_percent, "DiscountDays": discount_days} if discount_percent else {}
        )
        return self.create("Term", {"Name": name, "DueDays": days, **discount})

    def create_account(self, name: str, account_type: str, subtype: str = "") -> Document:
        """An account of the chart."""
        document = {"Name": name, "AccountType": account_type}
        return self.create("Account", {**document, "AccountSubType": subtype} if subtype else document)

    def create_item(self, name: str, account: str) -> Document:
        """A service that posts to an account (Id or role)."""
        return self.create(
            "Item", {"Name": name, "Type": "Service", "IncomeAccountRef": {"value": self.account(account)}}
        )

    # ---- changing ------------------------------------------------------------------------------------------

    def _live(self, kind: str, record_id: str) -> Record:
        record = self.core.find(kind, record_id)
        if record is None:
            raise refusals.not_found()
        return record

    def edit(self, kind: str, record_id: str, **changes: object) -> Document:
        """Change some properties; a person's page always holds the newest SyncToken."""
        with self.core.lock:
            record = self._live(kind, record_id)
            token = {"Id": record_id, "SyncToken": str(record.sync_token)}
            if kind == "Payment":
                return self.core.update(
                    kind, {**self.get(kind, record_id), **changes, **token}, user=self.name
                )
            return self.core.update(kind, {**changes, **token, "sparse": True}, user=self.name)

    def void(self, kind: str, record_id: str) -> Document:
        """Void with the newest SyncToken."""
        with self.core.lock:
            return self.core.void(kind, self._token(kind, record_id), user=self.name)

    def delete(self, kind: str, record_id: str) -> Document:
        """Delete with the newest SyncToken."""
        with self.core.lock:
            return self.core.delete(kind, self._token(kind, record_id), user=self.name)

    def deactivate(self, kind: str, record_id: str) -> Document:
        """Make a list entry inactive."""
        return self.edit(kind, record_id, Active=False)

    def _token(self, kind: str, record_id: str) -> Document:
        return {"Id": record_id, "SyncToken": str(self._live(kind, record_id).sync_token)}

    def apply(self, payment_id: str, kind: str, record_id: str, value: Amount) -> Document:
        """Add one line to a payment."""
        with self.core.lock:
            lines = self.get("Payment", payment_id)["Line"]
            return self.edit("Payment", payment_id, Line=[*lines, payment_line(kind, record_id, value)])

    def unapply(self, payment_id: str, kind: str = "", record_id: str = "") -> Document:
        """Take one line of a payment away, or all of them."""
        with self.core.lock:
            lines = self.get("Payment", payment_id)["Line"]
            gone = {(kind, record_id)}
            kept = [
                one
                for one in lines
                if kind and (one["LinkedTxn"][0]["TxnType"], one["LinkedTxn"][0]["TxnId"]) not in gone
            ]
            return self.edit("Payment", payment_id, Line=kept)

    def copy(self, kind: str, record_id: str) -> Document:
        """The Copy button: everything of the old document, its note too, but no applications."""
        with self.core.lock:
            fields = dict(self._live(kind, record_id).fields)
            fields.pop("DocNumber", None)
            return self.create(kind, {**fields, "Line": fields.get("Line", [])})

    def set_closing_date(self, day: str) -> None:
        """Close the books through a day; "" opens them."""
        with self.core.lock:
            self.core.settings.book_close_date = date.fromisoformat(day) if day else None
            self.core.touch(self.core.records["Preferences"]["1"])
            self.core.commit()

    def change_settings(self, **changes: object) -> None:
        """Change what the owner has set up: `read_only` (6190), `custom_txn_numbers`, `auto_apply_credit` ...

        Raises:
            ValueError: there is no such setting.
            Refused: 6000, a second currency cannot be switched off.
        """
        with self.core.lock:
            settings = self.core.settings
            unknown = sorted(changes.keys() - CHANGEABLE)
            if unknown:
                raise ValueError(
                    f"no setting is called {unknown[0]}; there are {', '.join(sorted(CHANGEABLE))}"
                )
            if settings.multicurrency and not changes.get("multicurrency", True):
                raise refusals.business("Multicurrency cannot be turned off.")
            for name, value in changes.items():
                setattr(settings, name, value)
            self.core.forget_texts()
            self.core.touch(self.core.records["Preferences"]["1"])
            self.core.commit()

    def merge_customers(self, gone: str, kept: str) -> Document:
        """Make one customer of two, as saving a customer under another's name does."""
        merging.merge(self.core, gone, kept, user=self.name)
        return self.get("Customer", kept)

    def start_ids(self, kind: str, first: int) -> None:
        """Let the Ids of a kind go on at a number."""
        self.core.start_ids(kind, first)

    def tell_false_deletion(self, kind: str, record_id: str) -> None:
        """Let the change feed call a living object deleted, as has been reported."""
        with self.core.lock:
            record = self._live(kind, record_id)
            self.core.false_deletions.add((kind, record_id))
            self.core.announce(record)

    def clear_false_deletions(self) -> None:
        """Let the change feed tell the truth again."""
        with self.core.lock:
            self.core.false_deletions.clear()

    # ---- looking -------------------------------------------------------------------------------------------

    def get(self, kind: str, record_id: str) -> Document:
        """One object."""
        return self.core.get(kind, record_id)

    def all(self, kind: str) -> list[Document]:
        """Every object of a kind that has not been deleted, inactive ones too."""
        with self.core.lock:
            return [self.core.render(record) for record in self.core.live(kind)]

    def account(self, name: str) -> str:
        """The Id of an account by role (`undeposited`, `checking`, `receivable`); an Id stays."""
        if name == "receivable":
            name = f"receivable:{self.core.settings.home_currency}"
        return name if name.isdecimal() else self.core.account(name)

    def receivable_cents(self) -> int:
        """The balance of all receivable accounts in home currency."""
        with self.core.lock:
            return sum(self.core.ledger.home[one] for one in self.core.ledger.receivable)

    def open_items(self) -> list[Document]:
        """Everything open, signed: invoices and debits positive, credits and unapplied payments negative."""
        with self.core.lock:
            return [
                {
                    "kind": key.kind,
                    "id": key.id,
                    "line_id": key.line_id,
                    "customer_id": item.customer_id,
                    "currency": item.currency,
                    "original": amount(item.side * item.cents),
                    "open": amount(item.side * item.open_cents),
                }
                for key, item in self.core.items.by_key.items()
                if item.open_cents
            ]

    def audit(self) -> None:
        """Recompute the ledger; raises `BooksBroken` when anything differs."""
        self.core.audit()

    # ---- many at once --------------------------------------------------------------------------------------

    def add_invoices(self, rows: Iterable[BulkInvoice]) -> list[str]:
        """Add many one-line invoices in home currency at once; their Ids.

        Names, numbers and dates are taken as they are: this is for worlds and benchmarks, not for odd input.
        """
        core = self.core
        home = core.settings.home_currency
        receivable, income = self.account("receivable"), self.account("income")
        currency = {"value": home}
        detail = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "NON"}}
        customers: dict[str, Document] = {}
        made = []
        with core.lock:
            for row in rows:
                reference = customers.setdefault(row.customer_id, {"value": row.customer_id})
                record = Record("Invoice", core.take_id("Invoice"), {}, user=self.name)
                value = amount(row.amount_cents)
                line = {
                    "Id": "1",
                    "Amount": value,
                    "DetailType": "SalesItemLineDetail",
                    "SalesItemLineDetail": detail,
                    "LineNum": 1,
                }
                record.fields = {
                    "CustomerRef": reference,
                    "Line": [line],
                    "TxnDate": row.txn_date,
                    "DueDate": row.due_date,
                    "CurrencyRef": currency,
                    "DocNumber": row.number or core.take_number(),
                }
                record.customer_id, record.total_cents = row.customer_id, row.amount_cents
                key = ItemKey("Invoice", record.id)
                record.items = (key,)
                core.items.put(key, OpenItem(1, row.amount_cents, row.customer_id, receivable, home))
                core.post(
                    record,
                    (
                        Posting(receivable, row.amount_cents, row.amount_cents, row.customer_id),
                        Posting(income, -row.amount_cents, -row.amount_cents),
                    ),
                )
                core.records["Invoice"][record.id] = record
                core.reserve_number(record)
                core.touch(record)
                made.append(record.id)
            core.commit()
        return made


def payment_line(kind: str, record_id: str, value: Amount) -> Document:
    """A payment line that uses one item; `JournalEntry:3` style Ids name a line."""
    record_id, _, line_id = record_id.partition(":")
    link: Document = {"TxnId": record_id, "TxnType": kind}
    if line_id:
        link["TxnLineId"] = line_id
    return {"Amount": _exact(value), "LinkedTxn": [link]}
