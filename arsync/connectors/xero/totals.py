"""What Xero says is open now: its own open amount of every open document, added up per contact and currency.

Xero has no report of all customers (one call a contact), and its contacts' balances move between two currencies; so
the open documents themselves are asked, in short form. They are Xero's figures, independent of the payments we read.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from arsync.connectors.contract import Total
from arsync.connectors.transport import garbled
from arsync.connectors.xero.mapping import FieldUnreadable, amount
from arsync.connectors.xero.pull import ROWS, SHORT
from arsync.connectors.xero.wire import NAME, Tenant
from arsync.core.money import Money

# entity, what it is asked with, its type, the field of what is left, and whether it is owed to us
_LISTS = (
    ("Invoices", {**SHORT, "Statuses": "AUTHORISED", "where": 'Type=="ACCREC"'}, ("ACCREC",), "AmountDue", 1),
    (
        "CreditNotes",
        {"where": 'Type=="ACCRECCREDIT" AND Status=="AUTHORISED"'},
        ("ACCRECCREDIT",),
        "RemainingCredit",
        -1,
    ),
    (
        "Overpayments",
        {"where": 'Status=="AUTHORISED"'},
        ("RECEIVE-OVERPAYMENT", "AROVERPAYMENT"),
        "RemainingCredit",
        -1,
    ),
    (
        "Prepayments",
        {"where": 'Status=="AUTHORISED"'},
        ("RECEIVE-PREPAYMENT", "ARPREPAYMENT"),
        "RemainingCredit",
        -1,
    ),
)


def open_now(tenant: Tenant, as_of: date) -> tuple[Total, ...]:
    """One total per contact and currency that has something open."""
    sums: dict[tuple[str, str], Money] = {}
    for entity, asked, types, name, sign in _LISTS:
        for row in _all(tenant, entity, asked):
            if row.get("Type") not in types or row.get("Status") != "AUTHORISED":
                continue
            contact = row.get("Contact")
            who, currency = (contact or {}).get("ContactID"), row.get("CurrencyCode")
            if not isinstance(who, str) or not isinstance(currency, str):
                raise garbled(NAME, tenant.last, "a document without contact or currency", entity)
            try:
                left = amount(row, name, currency)
            except FieldUnreadable as error:
                raise garbled(NAME, tenant.last, f"{error.field_name}: {error.why}", entity) from error
            key = (who, currency)
            sums[key] = sums.get(key, Money.zero(currency)) + (left if sign > 0 else -left)
    source = f"Xero's open documents {as_of}"
    return tuple(Total(who, size, source) for (who, _), size in sorted(sums.items(), key=lambda x: x[0]))


def _all(tenant: Tenant, entity: str, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        answer = tenant.read(f"/{entity}", {**asked, "page": str(page), "pageSize": str(ROWS)})
        rows = answer.get(entity)
        if not isinstance(rows, list):
            raise garbled(NAME, tenant.last, f"no {entity} in it", entity)
        yield from (row for row in rows if isinstance(row, dict))
        pages = answer.get("pagination")
        last = page >= int(pages.get("pageCount") or 0) if isinstance(pages, dict) else not rows
        if last:
            return
        page += 1
