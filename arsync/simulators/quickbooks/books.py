"""One company's books: what may be written, what follows from it, and what a reader sees.

Units   cents and seconds inside, see `wire`.
Shape   `create`, `update`, `delete`, `void` take and return JSON objects; the HTTP door and the bookkeeper
        both come through here, so nobody passes the rules by.
Law     after every write each receivable account equals its open items (`ledger`); `audit` recomputes it all.
Errors  `Refused` for what QuickBooks refuses; nothing is changed then. `BooksBroken` for our own mistakes.
"""

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from arsync.simulators.quickbooks import (
    attachments,
    audit,
    automatic,
    chart,
    lists,
    payments,
    refusals,
    rendering,
    transactions,
)
from arsync.simulators.quickbooks.directory import DEPOSITED_KINDS, Directory
from arsync.simulators.quickbooks.ledger import BooksBroken, ItemKey, Ledger, OpenItem, OpenItems, Posting
from arsync.simulators.quickbooks.records import CompanySettings, Record, Switches
from arsync.simulators.quickbooks.schema import (
    ENTITIES,
    GIVEN_KINDS,
    KEPT_BY_FULL_UPDATE,
    LIST_KINDS,
    NAME_KINDS,
    READ_ONLY,
    REQUIRED,
    SALES_KINDS,
    TRANSACTION_KINDS,
)
from arsync.simulators.quickbooks.shapes import clean
from arsync.simulators.quickbooks.transactions import Shaped
from arsync.simulators.quickbooks.wire import PACIFIC, Document, dump_json, pacific

NUMBERED_KINDS = (*SALES_KINDS, "JournalEntry")
"""These get a number by themselves unless the company numbers by hand."""
INDEXED = ("CustomerRef", "DocNumber")
"""What clients ask for one by one."""
LOG_WORTH_REWRITING = 1000


class Books(Directory):
    """The books of one company. Every public method holds the lock of the simulator while it works."""

    def __init__(
        self, realm_id: str, settings: CompanySettings, switches: Switches, now_s: Callable[[], int]
    ) -> None:
        super().__init__(settings, switches)
        self.realm_id = realm_id
        self.lock = threading.RLock()
        self.items = OpenItems()
        self.changes: dict[str, list[tuple[int, int, str]]] = {kind: [] for kind in ENTITIES}
        self.false_deletions: set[tuple[str, str]] = set()
        self.address = ""  # of the server, while there is one
        self.on_write: Callable[[], None] = _nothing
        self.on_change: Callable[[Record, str], None] = _told_nobody
        self.now_s = now_s
        self._last_s = 0
        self._change = 0
        self._sequences: Counter[str] = Counter({"Attachable": attachments.FIRST_ID - 1})
        self._numbers: dict[str, set[str]] = defaultdict(set)
        self._next_number = settings.first_number
        self.children: dict[str, set[str]] = defaultdict(set)
        self.name_index: dict[str, dict[str, Record]] = {}
        self._touched: dict[tuple[str, str], tuple[Record, str]] = {}
        self._unsaved: dict[tuple[str, str], Record] = {}
        self._index: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._moved_customers: set[str] = set()
        chart.open_books(self)

    # ---- reading -------------------------------------------------------------------------------------------

    def get(self, kind: str, record_id: str) -> Document:
        """One object as a reader sees it.

        Raises:
            Refused: 610.
        """
        with self.lock:
            record = self.find(kind, record_id)
            if record is None:
                raise refusals.not_found()
            return self.render(record)

    def render(self, record: Record) -> Document:
        """The object with everything derived."""
        return rendering.render(self, record)

    def text(self, record: Record) -> str:
        """The JSON text of a record, kept until something about it changes."""
        if self.switches.extra_read_fields or record.kind == "Attachable":  # its address changes with time
            return dump_json(self.render(record))
        if record.text is None:
            record.text = dump_json(self.render(record))
        return record.text

    def changed_since(self, kind: str, since_s: int) -> list[Record]:
        """Records of a kind changed at or after a second, oldest change first; deleted ones too."""
        log = self.changes[kind]
        records = self.records[kind]
        start = bisect_left(log, (since_s, 0, ""))
        return [records[one] for _, change, one in log[start:] if records[one].change == change]

    def named_by(self, kind: str, name: str, value: str) -> list[Record]:
        """Every record of a kind that has ever had a value in an `INDEXED` property, oldest first."""
        return [self.records[kind][one] for one in sorted(self._index.get((kind, name, value), ()), key=int)]

    def _remember_names(self, record: Record) -> None:
        for name in INDEXED:
            value = record.fields.get(name)
            if value is not None:
                text = value["value"] if isinstance(value, dict) else str(value).strip()
                self._index[(record.kind, name, text)].add(record.id)

    def in_change_order(self, kind: str) -> list[Record]:
        """Live records, oldest change first."""
        return [record for record in self.changed_since(kind, 0) if not record.deleted]

    def balance_cents(self, customer_id: str, *, with_jobs: bool = False) -> int:
        """What a customer owes, in its currency; with its sub-customers when asked."""
        own = self.ledger.customers[customer_id]
        if not with_jobs:
            return own
        return own + sum(
            self.balance_cents(child, with_jobs=True) for child in self.children.get(customer_id, ())
        )

    def today(self) -> date:
        """The company's date: Pacific, as MetaData."""
        return datetime.fromtimestamp(self.now_s(), PACIFIC).date()

    def receivable_account(self, currency: str, fields: Document) -> str:
        """The receivable account of a currency; QuickBooks opens one with the first foreign document."""
        asked = fields.get("ARAccountRef", {}).get("value")
        if asked:
            account = self.find("Account", asked)
            if account is None or account.fields["AccountType"] != "Accounts Receivable":
                raise refusals.business("The account is not an Accounts Receivable account.")
            if account.fields.get("CurrencyRef", {}).get("value", self.settings.home_currency) != currency:
                raise refusals.business("The currency of the account is not that of the transaction.")
            return str(asked)
        role = f"receivable:{currency}"
        if role not in self.roles:
            chart.add_receivable_account(self, currency)
        return self.roles[role]

    # ---- writing -------------------------------------------------------------------------------------------

    def create(self, kind: str, document: Mapping[str, object], *, user: str = "") -> Document:
        """Add an object.

        Raises:
            Refused: anything of section 6 of the error list.
        """
        with self.lock:
            if kind in GIVEN_KINDS:
                raise refusals.unsupported(f"Operation create on {kind}")
            fields = self._writable(kind, document)
            self._require(kind, fields)
            record = Record(kind, self._next_id(kind), {}, user=user or self.settings.user)
            self.records[kind][record.id] = record
            outer, self.creating = self.creating, True
            admitted = False
            try:
                self._admit(record, fields)
                admitted = True
            finally:
                self.creating = outer
                if not admitted:
                    del self.records[kind][record.id]
            self._sequences[_sequence(kind)] += 1
            self.touch(record)
            self.commit()
            automatic.apply(self, record)
            return self.render(record)

    def update(self, kind: str, document: Mapping[str, object], *, user: str = "") -> Document:
        """Change an object: sparse keeps what is not named, a full update clears most of it.

        Raises:
            Refused: also 5010 for a stale SyncToken and 610 for an object that is gone.
        """
        with self.lock:
            record = self._current(kind, document)
            sparse = document.get("sparse") in (True, "true")
            fields = self._writable(kind, document)
            if kind == "Payment" and sparse and self.switches.sparse_payment == "refuse":
                raise refusals.missing("CustomerRef")
            merged = _merge(record.fields, fields, sparse=sparse)
            if "Line" in fields and "TxnTaxDetail" not in fields:
                _forget_computed_tax(merged)
            if kind == "Payment" and sparse and "Line" not in fields:
                merged["Line"] = payments.written_lines(self, record)
            self._require(kind, merged)
            if kind in GIVEN_KINDS:
                raise refusals.unsupported(f"Update of {kind}")
            if kind == "Attachable":
                return attachments.update(self, record, merged)
            if kind in LIST_KINDS:
                return lists.update(self, record, merged, user)
            return self._update_transaction(record, merged, user)

    def delete(self, kind: str, document: Mapping[str, object], *, user: str = "") -> Document:
        """Delete a transaction; list entries are made inactive instead.

        Raises:
            Refused: 500 for list entries, 610, 5010, 6540, closed period.
        """
        with self.lock:
            if kind not in TRANSACTION_KINDS and kind != "Attachable":
                raise refusals.unsupported(f"Operation delete on {kind}")
            record = self._current(kind, document)
            if kind in TRANSACTION_KINDS:
                self._check_open(record.fields["TxnDate"])
                self._check_removable(record)
                self._unbook(record)
            record.deleted = True
            record.user = user or self.settings.user
            self._numbers[f"{kind}:{record.fields.get('DocNumber', '')}"].discard(record.id)
            self.touch(record, "Delete")
            self.commit()
            return {"domain": "QBO", "status": "Deleted", "Id": record.id}

    def void(self, kind: str, document: Mapping[str, object], *, user: str = "") -> Document:
        """Set every amount of a transaction to 0 and keep it.

        Raises:
            Refused: 500 where there is no void (credit memos), 2020 for a sparse payment, as `delete`.
        """
        with self.lock:
            if kind not in {"Invoice", "Payment", "SalesReceipt"}:
                raise refusals.unsupported(f"Operation void on {kind}")
            record = self._current(kind, document)
            if (
                kind == "Payment"
                and document.get("sparse") in (True, "true")
                and self.switches.sparse_payment == "refuse"
            ):
                raise refusals.missing("CustomerRef")
            self._check_open(record.fields["TxnDate"])
            self._check_removable(record)
            self._unbook(record)
            record.fields = _voided(record.fields)
            record.total_cents = 0
            record.user = user or self.settings.user
            self._book(record, record.fields)
            self.touch(record, "Void")
            self.commit()
            return self.render(record)

    def _admit(self, record: Record, fields: Document) -> None:
        if record.kind == "Attachable":
            attachments.check(self, fields)
            record.fields = fields
        elif record.kind in LIST_KINDS:
            fields.setdefault("Active", True)
            lists.check(self, record, fields)
            lists.store(self, record, fields)
        else:
            self._check_open(str(fields.setdefault("TxnDate", self.today().isoformat())))
            if record.kind in SALES_KINDS:
                self._copy_addresses(fields)
            self._book(record, fields)

    def send(self, kind: str, record_id: str, to: str) -> tuple[Document, str]:
        """Send a document by e-mail: (the document, the address it went to).

        Raises:
            Refused: 500 for what cannot be sent, 610, 2020 without an address (unverified).
        """
        with self.lock:
            if kind not in SALES_KINDS:
                raise refusals.unsupported(f"Operation send on {kind}")
            record = self.find(kind, record_id)
            if record is None:
                raise refusals.not_found()
            customer = self.records["Customer"].get(record.customer_id)
            known = customer.fields.get("PrimaryEmailAddr", {}).get("Address", "") if customer else ""
            address = to or record.fields.get("BillEmail", {}).get("Address", "") or known
            if "@" not in address:
                raise refusals.missing("BillEmail")
            sent = {"DeliveryType": "Email", "DeliveryTime": pacific(self.now_s())}
            record.fields |= {
                "EmailStatus": "EmailSent",
                "BillEmail": {"Address": address},
                "DeliveryInfo": sent,
            }
            self.touch(record, "Emailed")
            self.commit()
            return self.render(record), address

    def _copy_addresses(self, fields: Document) -> None:
        """A new document takes its customer's addresses (recorded: create/invoice)."""
        customer = self.records["Customer"].get(fields.get("CustomerRef", {}).get("value", ""))
        for name in ("BillAddr", "ShipAddr"):
            if customer is not None and name in customer.fields:
                fields.setdefault(name, customer.fields[name])

    # ---- the inside of a write -----------------------------------------------------------------------------

    def _writable(self, kind: str, document: Mapping[str, object]) -> Document:
        accept_text = self.switches.numbers_as_text == "accept"
        fields = clean(kind, document, numbers_as_text=accept_text)
        ignored = READ_ONLY.get(
            kind, frozenset({"MetaData", "domain", "sparse", "status", "SyncToken", "Id"})
        )
        return {name: value for name, value in fields.items() if name not in ignored}

    def _require(self, kind: str, fields: Document) -> None:
        for name in REQUIRED.get(kind, ()):
            if name not in fields or fields[name] in ({}, []):
                raise refusals.missing(name)

    def _next_id(self, kind: str) -> str:
        return str(self._sequences[_sequence(kind)] + 1)

    def admit_given(self, record: Record) -> None:
        """Store company information, preferences or a tax code, which nobody creates over the API."""
        self.records[record.kind][record.id] = record
        self.touch(record)
        self.commit()

    def start_ids(self, kind: str, first: int) -> None:
        """Let the sequence of a kind go on at `first`, as in a company that has a past."""
        with self.lock:
            self._sequences[_sequence(kind)] = max(self._sequences[_sequence(kind)], first - 1)

    def _current(self, kind: str, document: Mapping[str, object]) -> Record:
        record_id = str(document.get("Id", ""))
        if not record_id.isdecimal():
            raise refusals.invalid_id(document.get("Id"))
        record = self.find(kind, record_id)
        if record is None:
            raise refusals.not_found()
        token = document.get("SyncToken")
        if token is None or token == "":
            raise refusals.missing("SyncToken")
        if str(token) != str(record.sync_token):
            raise refusals.stale(record.user)
        return record

    def _check_open(self, *days: str) -> None:
        closed = self.settings.book_close_date
        if closed is not None and any(date.fromisoformat(day) <= closed for day in days):
            raise refusals.period_closed("5010" if self.switches.closed_period == "5010" else "6210")

    def _check_removable(self, record: Record) -> None:
        if record.deposit_id:
            raise refusals.deposited()
        applied = any(self.items.by_key[key].applied for key in record.items if key.kind != "Payment")
        if record.kind == "Invoice" and applied and self.switches.void_paid_invoice == "refuse":
            raise refusals.business("The invoice has payments applied to it and cannot be changed this way.")

    def _update_transaction(self, record: Record, fields: Document, user: str) -> Document:
        if self._same(record, fields):
            return self.render(record)
        if self.switches.closed_period == "unchanged" and self.is_closed(record.fields["TxnDate"]):
            return self.render(record)
        self._check_open(record.fields["TxnDate"], fields["TxnDate"])
        if record.deposit_id:
            raise refusals.deposited()
        self._book(record, fields)
        record.user = user or self.settings.user
        self.touch(record)
        self.commit()
        return self.render(record)

    def is_closed(self, day: str) -> bool:
        """Whether the books are closed through a day."""
        closed = self.settings.book_close_date
        return closed is not None and date.fromisoformat(day) <= closed

    def _same(self, record: Record, fields: Document) -> bool:
        if record.kind == "Payment":
            return payments.same(self, record, fields)
        return rendering.says_nothing_new(self, record, fields)

    def _book(self, record: Record, fields: Document) -> None:
        """Check everything, then change the books; a refusal leaves them as they were."""
        fields = dict(fields)
        currency, rate = self._currency(record, fields)
        self.check_references(fields)
        if record.kind == "Payment":
            payments.book(self, record, fields, currency, rate)
            return
        if record.kind == "Invoice":
            self._default_due_date(fields, record)
        shaped = self._shape(record, fields, currency, rate)
        self._check_items(record, shaped)
        self._number(record, shaped.fields)  # the last that may refuse, so that no refusal uses a number up
        self._store_shaped(record, shaped)

    def _shape(self, record: Record, fields: Document, currency: str, rate: Decimal) -> Shaped:
        match record.kind:
            case "JournalEntry":
                return transactions.shape_journal_entry(fields, currency, rate, self)
            case "Deposit":
                return transactions.shape_deposit(record.id, fields, currency, rate, self)
            case "Purchase":
                return transactions.shape_purchase(fields, currency, rate, self)
            case "Transfer":
                return transactions.shape_transfer(fields, currency, rate, self)
        return transactions.shape_sale(record.kind, fields, currency, rate, self)

    def _currency(self, record: Record, fields: Document) -> tuple[str, Decimal]:
        home = self.settings.home_currency
        customer = self.records["Customer"].get(self._customer_of(record, fields))
        known = customer.fields.get("CurrencyRef", {}).get("value", home) if customer else None
        asked = fields.get("CurrencyRef", {}).get("value")
        if asked and asked != home and not self.settings.multicurrency:
            raise refusals.business("Multi currency should be enabled to perform this operation.")
        if known and asked and asked != known:
            raise refusals.business(
                f"The transaction's currency {asked} is not that of the customer, {known}."
            )
        currency = asked or known or self.currency_of_accounts(fields) or home
        fields["CurrencyRef"] = {"value": currency}
        if currency == home:
            fields.pop("ExchangeRate", None)
            return currency, Decimal(1)
        rate = Decimal(fields.get("ExchangeRate", self.settings.exchange_rates.get(currency, 1)))
        if rate <= 0:
            raise refusals.bad_number("ExchangeRate", rate)
        fields["ExchangeRate"] = rate
        return currency, rate

    def _customer_of(self, record: Record, fields: Document) -> str:
        """The customer of a document; a changed customer must not keep applications."""
        customer_id = str(fields.get("CustomerRef", {}).get("value", ""))
        if customer_id and customer_id != record.customer_id:
            self.reference("Customer", fields, "CustomerRef")
        return customer_id

    def _number(self, record: Record, fields: Document) -> None:
        if record.kind not in NUMBERED_KINDS:
            return
        old = str(record.fields.get("DocNumber", ""))
        asked = str(fields.get("DocNumber", ""))
        if not self.settings.custom_txn_numbers or asked == "AUTO_GENERATE":
            number = old or self.take_number()
        else:
            number = asked
            holder = next(
                (one for one in sorted(self._numbers[f"{record.kind}:{number}"]) if one != record.id), None
            )
            if number not in {"", old} and holder is not None:
                raise refusals.duplicate_number(number, record.kind, holder)
        if number:
            fields["DocNumber"] = number
            self._numbers[f"{record.kind}:{number}"].add(record.id)
        if old != number:
            self._numbers[f"{record.kind}:{old}"].discard(record.id)

    def reserve_number(self, record: Record) -> None:
        """Let no other document of the kind have the number of this one."""
        self._numbers[f"{record.kind}:{record.fields['DocNumber']}"].add(record.id)

    def _default_due_date(self, fields: Document, record: Record) -> None:
        if "DueDate" in fields:
            return
        if "DueDate" in record.fields and fields.get("SalesTermRef") == record.fields.get("SalesTermRef"):
            fields["DueDate"] = record.fields["DueDate"]
            return
        term_id = self.reference("Term", fields, "SalesTermRef")
        try:
            fields["DueDate"] = transactions.due_date(
                fields["TxnDate"], self.term_fields(term_id) if term_id else None
            )
        except (OverflowError, ValueError) as beyond:  # after the year 9999
            raise refusals.bad_date("TxnDate", fields["TxnDate"]) from beyond

    def _check_items(self, record: Record, shaped: Shaped) -> None:
        """A document with applications keeps its customer; smaller amounts release applications later."""
        planned = {plan.line_id: plan for plan in shaped.items}
        for key in record.items:
            item, plan = self.items.by_key[key], planned.get(key.line_id)
            if item.applied and plan is not None and plan.customer_id != item.customer_id:
                raise refusals.business("The customer cannot be changed while payments are applied.")

    def _store_shaped(self, record: Record, shaped: Shaped) -> None:
        for key in record.items:
            item = self.items.by_key[key]
            plan = next((one for one in shaped.items if one.line_id == key.line_id), None)
            same = plan is not None and (
                (plan.side, plan.customer_id, plan.account_id, shaped.currency)
                == (item.side, item.customer_id, item.account_id, item.currency)
            )
            if not same:
                payments.release(self, key, 0)
                self.items.drop(key)
        for plan in shaped.items:
            key = ItemKey(record.kind, record.id, plan.line_id)
            if key in self.items.by_key:
                payments.release(self, key, plan.cents)
                self.items.resize(key, plan.cents)
                self.items.by_key[key].rate = shaped.rate
                payments.repost_all(self, key)
            else:
                self.items.put(
                    key,
                    OpenItem(
                        plan.side, plan.cents, plan.customer_id, plan.account_id, shaped.currency, shaped.rate
                    ),
                )
        record.items = tuple(ItemKey(record.kind, record.id, plan.line_id) for plan in shaped.items)
        self._take_to_bank(record, shaped)
        self.post(record, shaped.postings)
        record.fields = shaped.fields
        record.total_cents = shaped.total_cents
        record.customer_id = shaped.customer_id

    def _take_to_bank(self, record: Record, shaped: Shaped) -> None:
        if record.kind != "Deposit":
            return
        for kind in DEPOSITED_KINDS:
            for linked in self._on_deposit(record, kind):
                if (kind, linked.id) not in shaped.deposits:
                    linked.deposit_id = ""
                    self.touch(linked)
        for kind, linked_id in shaped.deposits:
            linked = self.records[kind][linked_id]
            if linked.deposit_id != record.id:
                linked.deposit_id = record.id
                self.touch(linked)

    def _on_deposit(self, record: Record, kind: str) -> list[Record]:
        links = [link for line in record.fields.get("Line", []) for link in line.get("LinkedTxn", [])]
        known = (self.records[kind].get(link["TxnId"]) for link in links if link.get("TxnType") == kind)
        return [one for one in known if one is not None and one.deposit_id == record.id]

    def _unbook(self, record: Record) -> None:
        """Take every effect of a transaction back; the record itself stays."""
        if record.kind == "Payment":
            payments.unbook(self, record)
            return
        for key in record.items:
            payments.release(self, key, 0)
            self.items.drop(key)
        record.items = ()
        if record.kind == "Deposit":
            self._take_to_bank(record, Shaped({}, 0, "", Decimal(1)))
        self.post(record, ())

    def post(self, record: Record, postings: tuple[Posting, ...] | list[Posting]) -> None:
        """Replace the postings of a transaction."""
        self._moved_customers |= self.ledger.replace(record.postings, postings)
        for posting in (*record.postings, *postings):
            account = self.records["Account"].get(posting.account_id)
            if account is not None:
                account.text = None
        record.postings = tuple(postings)
        self._unsaved[(record.kind, record.id)] = record

    def touch(self, record: Record, operation: str = "") -> None:
        """Mark a record as changed by the write that is under way; `operation` in the words of webhooks."""
        _, before = self._touched.get((record.kind, record.id), (record, ""))
        self._touched[(record.kind, record.id)] = (record, operation or before)

    def take_unsaved(self) -> tuple[list[Record], list[ItemKey]]:
        """Records and keys of items that have changed since this was last asked."""
        records, self._unsaved = list(self._unsaved.values()), {}
        keys = sorted(self.items.unsaved)
        self.items.unsaved.clear()
        return records, keys

    def announce(self, record: Record) -> None:
        """Put a record into the change feed again without changing it."""
        self._last_s = max(self.now_s(), self._last_s)
        self._log_change(record)

    def take_id(self, kind: str) -> str:
        """The next Id of a kind, used up."""
        self._sequences[_sequence(kind)] += 1
        return str(self._sequences[_sequence(kind)])

    def take_number(self) -> str:
        """The next document number, used up."""
        self._next_number += 1
        return str(self._next_number - 1)

    def forget_texts(self) -> None:
        """Names are part of every reference, so a renamed object changes the text of others."""
        for records in self.records.values():
            for record in records.values():
                record.text = None

    def commit(self) -> None:
        """Stamp what changed, check the law, tell whoever keeps the state."""
        self._last_s = max(self.now_s(), self._last_s)
        for record, operation in self._touched.values():
            is_new = not record.created_s
            if is_new:
                record.created_s = self._last_s
            else:
                record.sync_token += 1
            self._log_change(record)
            self.on_change(record, operation or ("Create" if is_new else "Update"))
        for customer_id in self._moved_customers:
            for one in self.lineage(customer_id):
                customer = self.records["Customer"][one]
                if (customer.kind, customer.id) not in self._touched:
                    self._log_change(customer)
        self._touched.clear()
        self._moved_customers.clear()
        self._check_control_accounts()
        if self.switches.audit_every_write:
            self.audit()
        self.on_write()

    def _log_change(self, record: Record) -> None:
        self._change += 1
        record.change = self._change
        record.updated_s = self._last_s
        record.text = None
        self._unsaved[(record.kind, record.id)] = record
        self._remember_names(record)
        log = self.changes[record.kind]
        log.append((self._last_s, self._change, record.id))
        # Half of the log may be outdated before it is worth rewriting.
        if len(log) > LOG_WORTH_REWRITING and len(log) > 2 * len(self.records[record.kind]):
            records = self.records[record.kind]
            self.changes[record.kind] = [entry for entry in log if records[entry[2]].change == entry[1]]

    def counters(self) -> Document:
        """What goes on counting after a restart."""
        return {
            "last_s": self._last_s,
            "change": self._change,
            "sequences": dict(self._sequences),
            "roles": self.roles,
            "next_number": self._next_number,
        }

    def refill(self, records: list[Record], items: dict[ItemKey, OpenItem], counters: Document) -> None:
        """Hold exactly these records and items; everything derived is derived again."""
        self.records = {kind: {} for kind in ENTITIES}
        self.items, self.ledger = OpenItems(), Ledger()
        self._numbers, self.children = defaultdict(set), defaultdict(set)
        self.name_index.clear()
        self._index.clear()
        self._last_s, self._change = counters["last_s"], counters["change"]
        self._sequences, self.roles = Counter(counters["sequences"]), dict(counters["roles"])
        self._next_number = counters["next_number"]
        for record in records:
            self.records[record.kind][record.id] = record
            self._remember_names(record)
            if record.kind == "Account" and record.fields["AccountType"] == "Accounts Receivable":
                self.ledger.receivable.add(record.id)
            if record.kind == "Customer":
                self.children[record.fields.get("ParentRef", {}).get("value", "")].add(record.id)
            if "DocNumber" in record.fields and not record.deleted:
                self._numbers[f"{record.kind}:{record.fields['DocNumber']}"].add(record.id)
        for record in records:
            self.ledger.replace((), record.postings)
        for key, item in items.items():
            self.items.put(key, item)
        for kind, known in self.records.items():
            log = sorted((record.updated_s, record.change, record.id) for record in known.values())
            self.changes[kind] = log
        self.take_unsaved()
        self.audit()

    def version(self, kind: str) -> int:
        """A number that grows with every change of a kind."""
        log = self.changes[kind]
        return log[-1][1] if log else 0

    def _check_control_accounts(self) -> None:
        for account_id in self.ledger.receivable:
            if self.ledger.own[account_id] != self.items.totals[account_id]:
                raise BooksBroken(
                    f"account {account_id} holds {self.ledger.own[account_id]} cents, "
                    f"its open items {self.items.totals[account_id]}"
                )

    def audit(self) -> None:
        """Recompute the whole ledger from the documents.

        Raises:
            BooksBroken: anything differs.
        """
        with self.lock:
            audit.audit(self)


def _nothing() -> None:
    return None


def _told_nobody(_record: Record, _operation: str) -> None:
    return None


def _sequence(kind: str) -> str:
    if kind in TRANSACTION_KINDS:
        return "transactions"
    return "names" if kind in NAME_KINDS else kind


def _merge(stored: Document, written: Document, *, sparse: bool) -> Document:
    if sparse:
        return {**stored, **written}
    kept = {name: value for name, value in stored.items() if name in KEPT_BY_FULL_UPDATE}
    return {**kept, **written}


def _forget_computed_tax(fields: Document) -> None:
    """New lines without a tax detail are taxed anew."""
    tax = fields.get("TxnTaxDetail", {})
    if "TaxLine" in tax:
        fields["TxnTaxDetail"] = {
            name: value for name, value in tax.items() if name not in {"TaxLine", "TotalTax"}
        }


def _voided(fields: Document) -> Document:
    note = fields.get("PrivateNote")
    voided = {**fields, "PrivateNote": f"Voided - {note}"[:4000] if note else "Voided"}
    voided.pop("Deposit", None)
    if "TotalAmt" in voided:
        voided["TotalAmt"] = 0
    if "TxnTaxDetail" in voided:
        voided["TxnTaxDetail"] = {"TotalTax": 0}
    voided["Line"] = [_voided_line(line) for line in fields.get("Line", []) if not line.get("LinkedTxn")]
    return voided


def _voided_line(line: Document) -> Document:
    detail = {
        name: value
        for name, value in line.get("SalesItemLineDetail", {}).items()
        if name not in {"Qty", "UnitPrice", "TaxInclusiveAmt"}
    }
    zero = {**line, "Amount": 0}
    return {**zero, "SalesItemLineDetail": detail} if "SalesItemLineDetail" in line else zero
