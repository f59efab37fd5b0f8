"""Payments: which items they use, what is left unapplied, and what they post.

Law     TotalAmt = invoices and debits used - credit memos and credits used + UnappliedAmt, and
        0 <= UnappliedAmt <= TotalAmt.
Source  recorded sandbox walk for overpayment, un-applying by `Line: []` and the bumps of linked documents.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from arsync.simulators.quickbooks import refusals
from arsync.simulators.quickbooks.ledger import ItemKey, OpenItem, Posting, in_home
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.transactions import positive_cents
from arsync.simulators.quickbooks.wire import Document, amount, to_cents

if TYPE_CHECKING:  # books imports this module
    from arsync.simulators.quickbooks.books import Books

LINKED_KINDS = {
    "Invoice": "Invoice",
    "CreditMemo": "CreditMemo",
    "JournalEntry": "JournalEntry",
    "Deposit": "Deposit",
    "Payment": "Payment",  # its unapplied part, used by another payment as a credit
    "Check": "Purchase",
    "Expense": "Purchase",
    "CreditCardCredit": "Purchase",
}
"""What the type of a link means; purchases are named by how they were paid."""


def book(books: "Books", record: Record, fields: Document, currency: str, rate: Decimal) -> None:
    """Check a payment, then store it with its applications and postings.

    Raises:
        Refused: 6000 for wrong customer, currency, balance or total; 2500 and 610 for what is not there.
    """
    customer_id = fields["CustomerRef"]["value"]
    total_cents = positive_cents("TotalAmt", fields.get("TotalAmt", 0))
    wanted = _applications(books, record, fields, customer_id, currency)
    unapplied = total_cents - _net_cents(books, wanted)
    if unapplied < 0:
        raise refusals.business("The amount applied is larger than the amount received and the credits used.")
    if unapplied > total_cents:
        raise refusals.business("More credits are used than invoices are paid.")
    fields["TotalAmt"] = amount(total_cents)
    fields.setdefault("ProcessPayment", False)
    fields.setdefault("DepositToAccountRef", {"value": books.account("undeposited")})
    books.money_account(fields, "DepositToAccountRef", currency)
    fields.pop("Line", None)
    own = ItemKey("Payment", record.id)
    account_id = books.receivable_account(currency, fields)
    before = dict(record.applications)
    record.fields, record.total_cents, record.customer_id = fields, total_cents, customer_id
    books.items.put(own, OpenItem(-1, unapplied, customer_id, account_id, currency, rate))
    record.items = (own,)
    record.applications = wanted
    for key in {**before, **wanted}:
        books.items.apply(key, record.id, wanted.get(key, 0))
        _touch_target(books, key)
    repost(books, record)
    for key in {**before, **wanted}:
        repost_all(books, key)


def same(books: "Books", record: Record, fields: Document) -> bool:
    """Whether a written payment says nothing new."""
    plain = {name: value for name, value in fields.items() if name not in {"Line", "TotalAmt"}}
    stored = {name: value for name, value in record.fields.items() if name not in {"Line", "TotalAmt"}}
    if _references(plain) != _references(stored) or fields.get("TotalAmt", 0) != record.fields.get(
        "TotalAmt", 0
    ):
        return False
    customer_id = fields["CustomerRef"]["value"]
    currency = record.fields["CurrencyRef"]["value"]
    return _applications(books, record, fields, customer_id, currency) == record.applications


def _references(fields: Document) -> Document:
    """The same fields with references cut to their Ids: names are noise."""
    return {
        name: {"value": value["value"]} if isinstance(value, dict) and "value" in value else value
        for name, value in fields.items()
    }


def _net_cents(books: "Books", applications: dict[ItemKey, int]) -> int:
    """Debits less credits."""
    return sum(books.items.by_key[key].side * cents for key, cents in applications.items())


def _applications(
    books: "Books", record: Record, fields: Document, customer_id: str, currency: str
) -> dict[ItemKey, int]:
    wanted: dict[ItemKey, int] = {}
    for line in fields.get("Line", []):
        links = line.get("LinkedTxn", [])
        if not links:
            raise refusals.missing("LinkedTxn")
        if "Amount" not in line:
            raise refusals.missing("Amount")
        cents = positive_cents("Amount", line["Amount"])
        for link in links:
            key = _target(books, link, customer_id)
            wanted[key] = wanted.get(key, 0) + cents
    for key, cents in wanted.items():
        item = books.items.by_key[key]
        _check_target(books, item, customer_id, currency)
        available = item.open_cents + item.applied.get(record.id, 0)
        if cents > available and books.switches.line_over_balance == "refuse":
            raise refusals.business(
                f"The amount {amount(cents)} applied to {key.kind} {key.id} is larger than its open balance "
                f"{amount(available)}."
            )
        wanted[key] = min(cents, available)
    return {key: cents for key, cents in wanted.items() if cents}


def _target(books: "Books", link: Document, customer_id: str) -> ItemKey:
    kind, record_id = link.get("TxnType", ""), link.get("TxnId", "")
    if kind not in LINKED_KINDS:
        raise refusals.bad_value("TxnType", kind)
    record = books.records[LINKED_KINDS[kind]].get(record_id)
    if record is None:
        raise refusals.bad_reference("LinkedTxn", f"{kind} {record_id}")
    if record.deleted:
        raise refusals.not_found()
    if kind == "Payment" and not record.items:
        raise refusals.business("A payment cannot use itself.")
    if len(record.items) == 1:
        return record.items[0]
    line_id = link.get("TxnLineId")
    ours = [key for key in record.items if customer_id in books.lineage(books.items.by_key[key].customer_id)]
    chosen = [key for key in record.items if key.line_id == line_id] or (ours if len(ours) == 1 else [])
    if not chosen:
        raise refusals.business(
            f"{kind} {record_id} has no open line of this customer, or several: name TxnLineId."
        )
    return chosen[0]


def _check_target(books: "Books", item: OpenItem, customer_id: str, currency: str) -> None:
    if customer_id not in books.lineage(item.customer_id):
        raise refusals.business("The linked transaction belongs to another customer.")
    if item.currency != currency:
        raise refusals.business("The linked transaction is in another currency.")


def _touch_target(books: "Books", key: ItemKey) -> None:
    record = books.records[key.kind][key.id]
    if not record.deleted:
        books.touch(record)


def repost(books: "Books", record: Record) -> None:
    """Post a payment: cash, what it uses at each item's rate, what is on account, the exchange difference."""
    rate = Decimal(record.fields.get("ExchangeRate", 1))
    total = record.total_cents
    till = record.fields["DepositToAccountRef"]["value"]
    postings = [Posting(till, total, in_home(total, rate))] if total else []
    for key, cents in record.applications.items():
        item = books.items.by_key[key]
        home = item.applied_home_cents(record.id)
        postings.append(Posting(item.account_id, -item.side * cents, -item.side * home, item.customer_id))
    own = books.items.by_key[ItemKey("Payment", record.id)]
    if own.cents:
        postings.append(Posting(own.account_id, -own.cents, -own.open_home_cents, own.customer_id))
    rest = sum(posting.home_cents for posting in postings)
    if rest:
        postings.append(Posting(books.account("exchange"), 0, -rest))
    books.post(record, postings)


def repost_all(books: "Books", key: ItemKey) -> None:
    """In foreign currency the share of one payment depends on the others of the same item."""
    item = books.items.by_key.get(key)
    if item is None or item.currency == books.settings.home_currency:
        return
    for payment_id in item.applied:
        repost(books, books.records["Payment"][payment_id])


def release(books: "Books", key: ItemKey, keep_cents: int) -> None:
    """Take applications away, newest payment first, until an item has no more than `keep_cents` applied."""
    item = books.items.by_key[key]
    surplus = sum(item.applied.values()) - keep_cents
    for payment_id in reversed(tuple(item.applied)):
        if surplus <= 0:
            return
        taken = min(surplus, item.applied[payment_id])
        surplus -= taken
        payment = books.records["Payment"][payment_id]
        _use(books, payment, key, item.applied[payment_id] - taken)
        _rebalance(books, payment)
        repost(books, payment)
        books.touch(payment)


def _use(books: "Books", payment: Record, key: ItemKey, cents: int) -> None:
    books.items.apply(key, payment.id, cents)
    payment.applications.pop(key, None)
    if cents:
        payment.applications[key] = cents


def _rebalance(books: "Books", payment: Record) -> None:
    """After a release a payment must again use no more than it has; what follows is released too."""
    net = _net_cents(books, payment.applications)
    side = 1 if net > payment.total_cents else -1
    surplus = net - payment.total_cents if side > 0 else -net
    for key in reversed(tuple(payment.applications)):
        if surplus <= 0:
            break
        if books.items.by_key[key].side != side:
            continue
        taken = min(surplus, payment.applications[key])
        surplus -= taken
        _use(books, payment, key, payment.applications[key] - taken)
        _touch_target(books, key)
    unapplied = payment.total_cents - _net_cents(books, payment.applications)
    books.items.resize(ItemKey("Payment", payment.id), unapplied)


def unbook(books: "Books", record: Record) -> None:
    """Take a payment out of the books."""
    used = tuple(record.applications)
    for key in used:
        _use(books, record, key, 0)
        _touch_target(books, key)
    for key in record.items:
        books.items.drop(key)
    record.items = ()
    books.post(record, ())
    for key in used:
        repost_all(books, key)


def unapplied_cents(books: "Books", record: Record) -> int:
    """The part of a payment that is on account."""
    item = books.items.by_key.get(ItemKey("Payment", record.id))
    return item.open_cents if item else 0


def written_lines(books: "Books", record: Record) -> list[Document]:
    """The lines of a payment as they are read: one for each item it uses."""
    return [_line(books, record, key, cents) for key, cents in record.applications.items()]


def link_type(record: Record) -> str:
    """The word a link uses for a document."""
    if record.kind != "Purchase":
        return record.kind
    if record.fields["PaymentType"] == "Check":
        return "Check"
    return "CreditCardCredit" if record.fields.get("Credit") else "Expense"


def _line(books: "Books", record: Record, key: ItemKey, cents: int) -> Document:
    target = books.records[key.kind][key.id]
    link: Document = {"TxnId": key.id, "TxnType": link_type(target)}
    if key.line_id:
        link["TxnLineId"] = key.line_id
    open_cents = books.items.by_key[key].open_cents + to_cents(amount(cents))
    extras = [
        ("txnId", key.id),
        ("txnOpenBalance", str(amount(open_cents))),
        ("txnReferenceNumber", str(target.fields.get("DocNumber", ""))),
    ]
    return {
        "Amount": amount(cents),
        "LinkedTxn": [link],
        "LineEx": {"any": [_name_value(*pair) for pair in extras]},
    }


def _name_value(name: str, value: str) -> Document:
    return {
        "name": "{http://schema.intuit.com/finance/v3}NameValue",
        "declaredType": "com.intuit.schema.finance.v3.NameValue",
        "scope": "javax.xml.bind.JAXBElement$GlobalScope",
        "value": {"Name": name, "Value": value},
        "nil": False,
        "globalScope": True,
        "typeSubstituted": False,
    }
