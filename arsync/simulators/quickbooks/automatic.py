"""What QuickBooks applies by itself where the owner has asked for it; never what is deposited or in closed books.

AutoApplyCredit     a new invoice takes the oldest credits of its customer, a new credit memo the oldest invoices;
                    a payment of 0 links the two.
AutoApplyPayments   a new payment without lines pays the oldest invoices of its customer.

Source  the two preferences exist in the schema; that they act on writes over the API is unverified.
"""

from typing import TYPE_CHECKING

from arsync.simulators.quickbooks import payments
from arsync.simulators.quickbooks.ledger import ItemKey, OpenItem
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.wire import Document, amount

if TYPE_CHECKING:  # books imports this module
    from arsync.simulators.quickbooks.books import Books

Target = tuple[ItemKey, OpenItem]


def apply(books: "Books", record: Record) -> None:
    """Apply what a new record can settle."""
    if record.kind == "Payment" and books.settings.auto_apply_payments and not record.applications:
        _pay(books, record, _open(books, record, "Invoice"))
    if record.kind in {"Invoice", "CreditMemo"} and books.settings.auto_apply_credit:
        _net(books, record)
    if record.kind == "Invoice" and books.settings.auto_apply_credit:
        for key, _ in _open(books, record, "Payment"):
            payment = books.records["Payment"][key.id]
            if not payment.deposit_id and not books.is_closed(payment.fields["TxnDate"]):
                _pay(books, payment, [(one, books.items.by_key[one]) for one in record.items])


def _open(books: "Books", record: Record, kind: str) -> list[Target]:
    """Open items of a kind of the record's customer and currency, oldest first."""
    currency = record.fields["CurrencyRef"]["value"]
    found = [
        (key, item)
        for key, item in books.items.of_customer(record.customer_id)
        if key.kind == kind and item.open_cents and item.currency == currency
    ]
    return sorted(found, key=lambda one: (books.records[kind][one[0].id].fields["TxnDate"], int(one[0].id)))


def _pay(books: "Books", payment: Record, targets: list[Target]) -> None:
    left = payments.unapplied_cents(books, payment)
    lines = payments.written_lines(books, payment)
    before = len(lines)
    for key, item in targets:
        used = min(left, item.open_cents)
        if used > 0:
            lines.append(_line(key, used))
            left -= used
    if len(lines) > before:
        token = {"Id": payment.id, "SyncToken": str(payment.sync_token)}
        books.update("Payment", {**books.render(payment), **token, "Line": lines})


def _net(books: "Books", record: Record) -> None:
    """One payment of 0 for the new document and whatever of the other kind it meets."""
    own = record.items[0]
    left = books.items.by_key[own].open_cents
    lines: list[Document] = []
    for key, item in _open(books, record, "CreditMemo" if record.kind == "Invoice" else "Invoice"):
        used = min(left, item.open_cents)
        if used > 0:
            lines += [_line(key, used), _line(own, used)]
            left -= used
    if lines:
        document = {"CustomerRef": {"value": record.customer_id}, "TotalAmt": 0, "Line": lines}
        books.create("Payment", {**document, "TxnDate": record.fields["TxnDate"]})


def _line(key: ItemKey, cents: int) -> Document:
    return {"Amount": amount(cents), "LinkedTxn": [{"TxnId": key.id, "TxnType": key.kind}]}
