"""Aged receivables and customer balances, computed from the open items as of any day.

Units   cents inside, text outside (`"1234.50"`, "" for nothing), home currency.
Law     the total of every report is the receivable accounts' balance as of the day.
Source  recorded report shapes; Intuit's report JSON.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from arsync.simulators.quickbooks import refusals, rendering
from arsync.simulators.quickbooks.books import Books
from arsync.simulators.quickbooks.ledger import ItemKey, in_home
from arsync.simulators.quickbooks.wire import Document, amount, pacific_millis

BUCKETS = ("Current", "1 - 30", "31 - 60", "61 - 90", "91 and over")


class OpenLine(NamedTuple):
    """One open item as of a day."""

    customer_id: str
    kind: str
    id: str
    number: str
    day: str
    due: str
    cents: int  # signed, home currency
    total_cents: int


def open_lines(books: Books, as_of: str) -> list[OpenLine]:
    """Every item open at the end of a day: an application counts from the later date of its two documents."""
    lines = []
    unapplied: dict[str, int] = {}
    for payment in books.live("Payment"):
        if payment.fields["TxnDate"] <= as_of:
            unapplied[payment.id] = -sum(
                one.home_cents for one in payment.postings if one.account_id in books.ledger.receivable
            )
    for key, item in books.items.by_key.items():
        record = books.records[key.kind][key.id]
        day = record.fields["TxnDate"]
        if key.kind == "Payment" or day > as_of:
            continue
        cents = item.side * in_home(item.cents, item.rate)
        for payment_id in item.applied:
            if payment_id in unapplied:
                share = item.side * item.applied_home_cents(payment_id)
                cents -= share
                unapplied[payment_id] -= share
        lines.append(_line(books, key, cents, item.side * in_home(item.cents, item.rate), item.customer_id))
    for payment_id, cents in unapplied.items():
        payment = books.records["Payment"][payment_id]
        key = ItemKey("Payment", payment_id)
        lines.append(_line(books, key, -cents, -payment.total_cents, payment.customer_id))
    return [line for line in lines if line.cents]


def _line(books: Books, key: ItemKey, cents: int, total_cents: int, customer_id: str) -> OpenLine:
    fields = books.records[key.kind][key.id].fields
    day = fields["TxnDate"]
    number = str(fields.get("DocNumber", fields.get("PaymentRefNum", "")))
    due = str(fields.get("DueDate", day))
    return OpenLine(customer_id, key.kind, key.id, number, str(day), due, cents, total_cents)


def run(books: Books, name: str, query: Mapping[str, str], now: datetime) -> Document:
    """One report.

    Raises:
        Refused: 500 for an unknown report, 2090 for a bad date.
    """
    report = _REPORTS.get(name)
    if report is None:
        raise refusals.unsupported(f"Report {name}")
    as_of = query.get("report_date") or query.get("end_date") or books.today().isoformat()
    try:
        date.fromisoformat(as_of)
    except ValueError as bad:
        raise refusals.bad_date("report_date", as_of) from bad
    lines = open_lines(books, as_of)
    wanted = set(query["customer"].split(",")) if query.get("customer") else None
    if wanted is not None:
        lines = [line for line in lines if line.customer_id in wanted]
    columns, rows = report(books, lines, as_of, query)
    options = [
        {"Name": "report_date", "Value": as_of},
        {"Name": "NoReportData", "Value": str(not lines).lower()},
    ]
    header: Document = {
        "Time": pacific_millis(now),
        "ReportName": name,
        "DateMacro": query.get("date_macro", "today"),
        "StartPeriod": as_of,
        "EndPeriod": as_of,
        "Currency": books.settings.home_currency,
        "Option": options,
    }
    return {"Header": header, "Columns": {"Column": columns}, "Rows": {"Row": rows} if rows else {}}


def _text(cents: int) -> str:
    return str(amount(cents)) if cents else ""


def _column(title: str, kind: str = "Money") -> Document:
    return {"ColTitle": title, "ColType": kind}


def _totals(title: str, sums: list[int]) -> Document:
    cells = [{"value": title}, *({"value": _text(cents) or "0.00"} for cents in sums)]
    return {"Summary": {"ColData": cells}, "type": "Section", "group": "GrandTotal"}


def _by_customer(books: Books, lines: list[OpenLine]) -> list[tuple[str, str, list[OpenLine]]]:
    """(full name, Id, lines) in the order of names."""
    grouped: dict[str, list[OpenLine]] = defaultdict(list)
    for line in lines:
        grouped[line.customer_id].append(line)
    named = [
        (rendering.full_name(books, "Customer", books.records["Customer"][one].fields), one, found)
        for one, found in grouped.items()
    ]
    return sorted(named)


def bucket(line: OpenLine, as_of: str, aging_method: str) -> int:
    """Which of the five columns a line falls into: days past due on the day of the report, or today."""
    late = (date.fromisoformat(as_of) - date.fromisoformat(line.due)).days
    if aging_method == "none" or late <= 0:
        return 0
    return min((late - 1) // 30 + 1, len(BUCKETS) - 1)


def _aged(
    books: Books, lines: list[OpenLine], as_of: str, query: Mapping[str, str]
) -> tuple[list[Document], list[Document]]:
    measured_on = books.today().isoformat() if query.get("aging_method") == "Current" else as_of
    rows: list[Document] = []
    totals = [0] * (len(BUCKETS) + 1)
    for name, customer_id, found in _by_customer(books, lines):
        sums = [0] * len(BUCKETS)
        for line in found:
            sums[bucket(line, measured_on, "")] += line.cents
        sums.append(sum(sums))
        totals = [left + right for left, right in zip(totals, sums, strict=True)]
        cells = [{"value": name, "id": customer_id}, *({"value": _text(cents)} for cents in sums)]
        rows.append({"ColData": cells})
    columns = [_column("", "Customer"), *(_column(title) for title in BUCKETS), _column("Total")]
    return columns, [*rows, _totals("TOTAL", totals)] if rows else []


def _balances(
    books: Books, lines: list[OpenLine], _as_of: str, _query: Mapping[str, str]
) -> tuple[list[Document], list[Document]]:
    rows: list[Document] = []
    total = 0
    for name, customer_id, found in _by_customer(books, lines):
        cents = sum(line.cents for line in found)
        total += cents
        rows.append({"ColData": [{"value": name, "id": customer_id}, {"value": _text(cents)}]})
    columns = [_column("", "Customer"), _column("Total")]
    return columns, [*rows, _totals("TOTAL", [total])] if rows else []


def _detail(
    books: Books, lines: list[OpenLine], as_of: str, _query: Mapping[str, str]
) -> tuple[list[Document], list[Document]]:
    titles = [
        ("Date", "tx_date"),
        ("Transaction Type", "txn_type"),
        ("Num", "doc_num"),
        ("Due Date", "due_date"),
    ]
    columns = [_column(title, kind) for title, kind in titles] + [
        _column("Amount", "amount"),
        _column("Open Balance", "subt_open_bal"),
    ]
    sections: list[Document] = []
    for name, customer_id, found in _by_customer(books, lines):
        rows = [
            {"ColData": _detail_cells(line), "type": "Data"}
            for line in sorted(found, key=lambda one: (one.day, int(one.id)))
        ]
        total = _text(sum(line.cents for line in found))
        sections.append(
            {
                "Header": {"ColData": [{"value": name, "id": customer_id}]},
                "Rows": {"Row": rows},
                "Summary": {
                    "ColData": [
                        {"value": f"Total for {name}"},
                        *({"value": ""} for _ in range(4)),
                        {"value": total},
                    ]
                },
                "type": "Section",
            }
        )
    if not sections:
        return columns, []
    grand = {"value": _text(sum(line.cents for line in lines))}
    summary = {"ColData": [{"value": "TOTAL"}, *({"value": ""} for _ in range(4)), grand]}
    return columns, [*sections, {"Summary": summary, "type": "Section", "group": "GrandTotal"}]


def _detail_cells(line: OpenLine) -> list[Document]:
    return [
        {"value": line.day},
        {"value": line.kind, "id": line.id},
        {"value": line.number},
        {"value": line.due},
        {"value": _text(line.total_cents)},
        {"value": _text(line.cents)},
    ]


Report = Callable[[Books, list[OpenLine], str, Mapping[str, str]], tuple[list[Document], list[Document]]]
_REPORTS: dict[str, Report] = {
    "AgedReceivables": _aged,
    "AgedReceivableDetail": _detail,
    "CustomerBalance": _balances,
    "CustomerBalanceDetail": _detail,
}
