"""A person in Xero's own pages: does what the API does, and what it does not, without asking a client.

Shape   every action takes and returns JSON values (amounts as text, `Decimal` or whole `int`), so that the control API
        is the same thing.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from arsync.simulators.exact_json import Document
from arsync.simulators.xero import bank, contacts, papers, payments, rendering
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.door import Call, add_currency, save_account
from arsync.simulators.xero.ledger import Entry
from arsync.simulators.xero.records import SIDES, Account, Actor, Batch, Contact, Kind, Line, Paper, Payment
from arsync.simulators.xero.refusals import Invalid
from arsync.simulators.xero.wire import amount

Amount = str | int | Decimal
ACTIONS = frozenset(
    {
        "contact",
        "edit_contact",
        "archive",
        "merge",
        "invoice",
        "credit_note",
        "edit",
        "void",
        "delete",
        "pay",
        "delete_payment",
        "batch",
        "delete_batch",
        "overpayment",
        "prepayment",
        "received",
        "refund",
        "allocate",
        "deallocate",
        "reconcile",
        "lock",
        "bank_account",
        "currency",
        "strange",
        "ordinary",
        "open_items",
        "audit",
    }
)


class BulkInvoice(NamedTuple):
    """One line of `add_invoices`."""

    contact_id: str
    cents: int
    on: date
    due: date
    number: str


class Bookkeeper:
    """Somebody who keeps these books by hand."""

    def __init__(self, core: Books) -> None:
        self.core = core
        self.actor = Actor(core.organisation.user, adviser=True)

    # ---- people --------------------------------------------------------------------------------------------

    def contact(self, name: str, **more: object) -> Document:
        """A new contact; `more` are fields of the API."""
        with self.core.writing():
            made = contacts.save(self.core, {"Name": name, **more}, self.actor, "PUT")
        return rendering.contact(self.core, made)

    def edit_contact(self, contact_id: str, **changes: object) -> Document:
        """Change a contact."""
        with self.core.writing():
            contacts.update(self.core, self._contact(contact_id), dict(changes), self.actor)
        return rendering.contact(self.core, self._contact(contact_id))

    def archive(self, contact_id: str) -> None:
        """Archive a contact."""
        with self.core.writing():
            contacts.archive(self.core, self._contact(contact_id))

    def merge(self, contact_id: str, into: str) -> None:
        """Merge one contact into another."""
        with self.core.writing():
            contacts.merge(self.core, self._contact(contact_id), self._contact(into), self.actor)

    def _contact(self, contact_id: str) -> Contact:
        return self.core.contacts[contact_id]

    # ---- documents -----------------------------------------------------------------------------------------

    def invoice(
        self,
        contact: str,
        value: Amount,
        *,
        date: str = "",
        due: str = "",
        number: str = "",
        kind: str = "ACCREC",
        currency: str = "",
        **more: object,
    ) -> Document:
        """An approved invoice of one line without tax; `more` are fields of the API."""
        element = {
            "Type": kind,
            "InvoiceNumber": number,
            "DueDate": due,
            **self._document(contact, value, date, currency),
        }
        return self._save("Invoice", {**element, **more})

    def credit_note(
        self,
        contact: str,
        value: Amount,
        *,
        date: str = "",
        number: str = "",
        currency: str = "",
        **more: object,
    ) -> Document:
        """An approved credit note of one line without tax."""
        element = {"Type": "ACCRECCREDIT", "CreditNoteNumber": number}
        return self._save("CreditNote", {**element, **self._document(contact, value, date, currency), **more})

    def _document(self, contact: str, value: Amount, day: str, currency: str) -> Document:
        line = {"Description": "Goods and services", "Quantity": 1, "UnitAmount": value, "AccountCode": "200"}
        return {
            "Contact": {"ContactID": contact},
            "Date": day,
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "LineItems": [line],
            "CurrencyCode": currency,
        }

    def _save(self, kind: Kind, element: Mapping[str, object]) -> Document:
        said = {name: value for name, value in element.items() if value != ""}
        with self.core.writing():
            made = papers.save(self.core, kind, said, self.actor, "PUT")
        return rendering.paper(self.core, made)

    def edit(self, paper_id: str, **changes: object) -> Document:
        """Change an invoice or credit note."""
        paper = self._paper(paper_id)
        with self.core.writing():
            papers.update(self.core, paper, dict(changes), self.actor)
        return rendering.paper(self.core, paper)

    def void(self, paper_id: str) -> Document:
        """Void an invoice, credit note, overpayment or prepayment."""
        paper = self._paper(paper_id)
        with self.core.writing():
            if paper.kind in {"Overpayment", "Prepayment"}:
                bank.void_credit(self.core, paper, self.actor)
            else:
                papers.update(self.core, paper, {"Status": "VOIDED"}, self.actor)
        return rendering.paper(self.core, paper)

    def delete(self, paper_id: str) -> Document:
        """Delete a draft, or a plain bank transaction."""
        paper = self._paper(paper_id)
        with self.core.writing():
            act = bank.update if paper.kind == "BankTransaction" else papers.update
            act(self.core, paper, {"Status": "DELETED"}, self.actor)
        return rendering.paper(self.core, paper)

    def _paper(self, paper_id: str) -> Paper:
        return self.core.papers[paper_id]

    # ---- money ---------------------------------------------------------------------------------------------

    def pay(
        self,
        paper_id: str,
        value: Amount,
        *,
        date: str = "",
        reference: str = "",
        account: str = "",
        bank_amount: Amount | None = None,
        rate: Amount | None = None,
    ) -> Document:
        """Pay an invoice, or refund a credit."""
        element: Document = {f"{self._paper(paper_id).kind}": {f"{self._paper(paper_id).kind}ID": paper_id}}
        element |= {"Account": self._account(account), "Date": date, "Amount": value, "Reference": reference}
        element |= {"BankAmount": bank_amount, "CurrencyRate": rate}
        with self.core.writing():
            made = payments.create(self.core, element, self.actor)
        return rendering.payment(self.core, made)

    refund = pay

    def delete_payment(self, payment_id: str) -> Document:
        """Remove a payment."""
        payment = self._payment(payment_id)
        with self.core.writing():
            payments.delete(self.core, payment, self.actor)
        return rendering.payment(self.core, payment)

    def _payment(self, payment_id: str) -> Payment:
        return self.core.payments[payment_id]

    def batch(
        self, rows: Iterable[tuple[str, Amount]], *, date: str = "", reference: str = "", account: str = ""
    ) -> Document:
        """One deposit for several invoices, in any currencies: the API only takes the base currency."""
        element: Document = {"Account": self._account(account), "Date": date, "Reference": reference}
        element["Payments"] = [{"Invoice": {"InvoiceID": one}, "Amount": value} for one, value in rows]
        with self.core.writing():
            made = payments.create_batch(self.core, element, self.actor)
        return rendering.batch(self.core, made)

    def delete_batch(self, batch_id: str) -> Document:
        """Remove a batch with its payments."""
        batch = self._batch(batch_id)
        with self.core.writing():
            payments.delete_batch(self.core, batch, self.actor)
        return rendering.batch(self.core, batch)

    def _batch(self, batch_id: str) -> Batch:
        return self.core.batches[batch_id]

    def overpayment(self, contact: str, value: Amount, **more: Any) -> Document:  # noqa: ANN401 - fields of `received`
        """Money a customer has paid too much."""
        return self.received(contact, value, kind="RECEIVE-OVERPAYMENT", code="610", **more)

    def prepayment(self, contact: str, value: Amount, **more: Any) -> Document:  # noqa: ANN401 - fields of `received`
        """Money a customer has paid ahead."""
        return self.received(contact, value, kind="RECEIVE-PREPAYMENT", **more)

    def received(
        self,
        contact: str,
        value: Amount,
        *,
        kind: str = "RECEIVE",
        code: str = "260",
        date: str = "",
        reference: str = "",
        account: str = "",
    ) -> Document:
        """A bank transaction of one line."""
        line = {"Description": "Received", "Quantity": 1, "UnitAmount": value, "AccountCode": code}
        element: Document = {
            "Type": kind,
            "Contact": {"ContactID": contact},
            "LineItems": [line],
            "Date": date,
        }
        element |= {"BankAccount": self._account(account), "Reference": reference, "LineAmountTypes": "NoTax"}
        with self.core.writing():
            made = bank.create(self.core, element, self.actor)
        return rendering.paper(self.core, made)

    def transfer(self, source: str, into: str, value: Amount, *, date: str = "") -> Document:
        """Money moved between two bank accounts of ours."""
        element: Document = {"FromBankAccount": {"AccountID": source}, "ToBankAccount": {"AccountID": into}}
        element |= {"Amount": value, "Date": date}
        with self.core.writing():
            made = bank.create_transfer(self.core, element, self.actor)
        return rendering.transfer(self.core, made)

    def _account(self, account: str) -> Document:
        return {"AccountID": account or self.bank()}

    def bank(self) -> str:
        """The id of the first bank account."""
        return next(one.id for one in self.core.accounts.values() if one.type == "BANK")

    def allocate(self, credit_id: str, invoice_id: str, value: Amount) -> Document:
        """Use a credit on an invoice."""
        element = {"Invoice": {"InvoiceID": invoice_id}, "Amount": value}
        with self.core.writing():
            made = payments.allocate(self.core, self._paper(credit_id), element, self.actor)
        return rendering.allocation(self.core, made)

    def deallocate(self, allocation_id: str) -> None:
        """Take an allocation back."""
        with self.core.writing():
            payments.deallocate(self.core, self.core.allocations[allocation_id], self.actor)

    def reconcile(self, record_id: str, *, reconciled: bool = True) -> None:
        """Match a payment, a batch or a bank transaction with a line of the bank statement, or undo that."""
        core = self.core
        with core.writing():
            for table in (core.payments, core.batches, core.papers):
                if record_id in table:
                    self._reconcile(table[record_id], reconciled=reconciled)
                    return
        raise KeyError(record_id)

    def _reconcile(self, record: Payment | Batch | Paper, *, reconciled: bool) -> None:
        self.core.change(record)
        record.reconciled = reconciled
        self.core.stamp(record)
        if isinstance(record, Batch):
            for payment_id in record.payments:
                self._reconcile(self._payment(payment_id), reconciled=reconciled)

    # ---- settings ------------------------------------------------------------------------------------------

    def lock(self, *, period: str = "", year: str = "") -> None:
        """Set both lock dates; "" opens."""
        with self.core.writing():
            organisation = self.core.change(self.core.organisation)
            organisation.period_lock = date.fromisoformat(period) if period else None
            organisation.year_lock = date.fromisoformat(year) if year else None

    def bank_account(self, name: str, code: str, *, currency: str = "", number: str = "") -> Document:
        """Another bank account."""
        element: Document = {"Name": name, "Code": code, "Type": "BANK", "BankAccountNumber": number}
        element |= {"CurrencyCode": currency} if currency else {}
        with self.core.writing():
            made: Account = save_account(self.core, element, Call("PUT", (), {}, {}, b"", self.actor))
        return rendering.account(self.core, made)

    def currency(self, code: str, rate: Amount) -> None:
        """Enable a currency with its rate of the day."""
        with self.core.writing():
            add_currency(self.core, code)
            self.core.organisation.rates = {**self.core.organisation.rates, code: Decimal(rate)}

    def strange(self, record_id: str, **shown: object) -> None:
        """Let a record be read with other values: an unknown status, a null date, a quoted boolean."""
        with self.core.writing():
            self.core.overlays[record_id] = dict(shown)

    def ordinary(self) -> None:
        """Let every record be read as it is again."""
        with self.core.writing():
            self.core.overlays.clear()

    # ---- looking -------------------------------------------------------------------------------------------

    def receivable_cents(self) -> int:
        """The balance of Accounts Receivable in base currency."""
        return self.core.ledger.balances[self.core.system("DEBTORS").id]

    def open_items(self) -> list[Document]:
        """Everything open in Accounts Receivable: invoices positive, credits negative."""
        core, found = self.core, []
        for paper in core.papers.values():
            account, side = SIDES.get(paper.type, ("", 0))
            if not paper.is_item or account != "DEBTORS" or paper.status != "AUTHORISED":
                continue
            found.append(
                {
                    "kind": paper.kind,
                    "id": paper.id,
                    "number": paper.number,
                    "contact_id": paper.contact_id,
                    "currency": paper.currency,
                    "original": amount(side * paper.total_cents),
                    "open": amount(side * paper.open_cents),
                    "open_base": amount(side * (paper.base_cents - paper.base_settled)),
                }
            )
        return found

    def audit(self) -> None:
        """Recompute the ledger; raises `BooksBroken` when anything differs."""
        self.core.audit()

    # ---- many at once --------------------------------------------------------------------------------------

    def add_invoices(self, rows: Iterable[BulkInvoice]) -> list[str]:
        """Add many approved one-line invoices in base currency at once; their ids."""
        core, made = self.core, []
        debtors, sales = core.system("DEBTORS").id, core.account_by_code("200")
        if sales is None:
            raise Invalid("Account code '200' is not a valid code for this document.")
        now = core.now_ms()
        for row in rows:
            line = Line(
                core.new_id(), "Goods", Decimal(1), Decimal(row.cents).scaleb(-2), row.cents, 0, "200"
            )
            paper = Paper(
                core.new_id(), "Invoice", "ACCREC", row.contact_id, row.on,
                core.organisation.base_currency, Decimal(1), "AUTHORISED",
                number=row.number, due=row.due, amount_types="NoTax", lines=(line,),
                net_cents=row.cents, total_cents=row.cents, base_cents=row.cents, updated_ms=now,
            )  # fmt: skip
            core.papers[paper.id] = paper
            core.numbers[row.number] = paper.id
            core.by_contact[row.contact_id].append(paper.id)
            core.ledger.post(
                paper.id, Entry(row.on, core.postings((debtors, row.cents), (sales.id, -row.cents)))
            )
            made.append(paper.id)
        core.on_commit([])
        return made
