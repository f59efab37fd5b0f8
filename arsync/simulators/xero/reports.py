"""Reports from the ledger: what one contact owes on a day, and the trial balance.

Law     the Due of AgedReceivablesByContact is the contact's open papers on that day; the trial balance is the ledger.
Source  examples of the public specification; cells are text, rows carry the id of their document.
"""

from collections.abc import Mapping
from datetime import date

from arsync.simulators.exact_json import Document
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.records import SIDES, Paper
from arsync.simulators.xero.refusals import bad_query, not_found, not_here
from arsync.simulators.xero.wire import amount, day_text, json_moment, read_day

AREAS = {"AgedReceivablesByContact": "reports.aged", "TrialBalance": "reports.trialbalance"}
_SECTIONS = (
    ("REVENUE", "Revenue"),
    ("EXPENSE", "Expenses"),
    ("ASSET", "Assets"),
    ("LIABILITY", "Liabilities"),
    ("EQUITY", "Equity"),
)


def run(books: Books, name: str, query: Mapping[str, str]) -> Document:
    """One report."""
    if name == "AgedReceivablesByContact":
        return _aged(books, query)
    if name == "TrialBalance":
        return _trial_balance(books, query)
    raise not_here(f"The report {name}")


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name, "")
    try:
        return read_day(text) if text else None
    except ValueError as bad:
        raise bad_query(f"{name} '{text}' is not a date") from bad


def _long(day: date) -> str:
    return f"{day.day} {day.strftime('%B %Y')}"


# ---- aged receivables --------------------------------------------------------------------------------------


def standing_on(books: Books, paper: Paper, day: date) -> tuple[int, int]:
    """(paid, credited) of a paper by the end of a day."""
    paid = sum(one.cents for one in books.payments_of(paper) if one.on <= day)
    return paid, sum(one.cents for one in books.allocations_of(paper) if one.on <= day)


def _aged(books: Books, query: Mapping[str, str]) -> Document:
    contact_id = (query.get("contactId") or query.get("contactID") or "").lower()
    contact = books.contacts.get(contact_id)
    if contact is None:
        raise not_found() if contact_id else bad_query("contactId is required")
    day = _day(query, "date") or books.today()
    first, last = _day(query, "fromDate") or date.min, min(_day(query, "toDate") or day, day)
    rows, sums = [], [0, 0, 0, 0]
    papers = [one for one in books.contact_papers(contact_id) if _is_receivable(one, first, last)]
    for paper in sorted(papers, key=lambda one: (one.on, one.id)):
        side = SIDES[paper.type][1]
        paid, credited = standing_on(books, paper, day)
        figures = [side * cents for cents in (paper.total_cents, paid, credited)]
        figures.append(figures[0] - figures[1] - figures[2])
        if not figures[3]:
            continue
        sums = [total + one for total, one in zip(sums, figures, strict=True)]
        rows.append(_aged_row(paper, day, figures))
    titles = ["Invoices", contact.name, f"To {_long(last)}", f"Showing payments to {_long(day)}"]
    head = ("Date", "Number", "Due Date", "", "Total", "Paid", "Credited", "Due")
    total = {"RowType": "SummaryRow", "Cells": [_cell(text) for text in ("Total", "", "", "", *_texts(sums))]}
    sections = [{"RowType": "Section", "Title": "", "Rows": [*rows, total]}]
    return _report(
        books, "Aged Receivables By Contact", "AgedReceivablesByContact", titles, day, head, sections
    )


def _is_receivable(paper: Paper, first: date, last: date) -> bool:
    return (
        paper.is_item
        and paper.status in {"AUTHORISED", "PAID"}
        and SIDES[paper.type][0] == "DEBTORS"
        and first <= paper.on <= last
    )


def _aged_row(paper: Paper, day: date, figures: list[int]) -> Document:
    late = (day - paper.due).days if paper.due is not None and paper.due < day else 0
    texts = [
        day_text(paper.on),
        paper.number or paper.reference,
        day_text(paper.due) if paper.due else "",
        f"{late} days overdue" if late else "",
        *_texts(figures),
    ]
    attribute = [{"Value": paper.id, "Id": "invoiceID"}]
    return {"RowType": "Row", "Cells": [{"Value": text, "Attributes": attribute} for text in texts]}


# ---- trial balance -----------------------------------------------------------------------------------------


def _trial_balance(books: Books, query: Mapping[str, str]) -> Document:
    day = _day(query, "date") or books.today()
    balances = books.ledger.balances_on(day)
    sections, debit, credit = [], 0, 0
    for account_class, title in _SECTIONS:
        rows = []
        for account in sorted(books.accounts.values(), key=lambda one: one.code):
            cents = balances.get(account.id, 0)
            if account.account_class != account_class or not cents:
                continue
            debit, credit = debit + max(cents, 0), credit + max(-cents, 0)
            sides = (str(amount(cents)) if cents > 0 else "", str(amount(-cents)) if cents < 0 else "")
            attribute = [{"Value": account.id, "Id": "account"}]
            texts = (f"{account.name} ({account.code})", *sides, *sides)
            rows.append(
                {"RowType": "Row", "Cells": [{"Value": text, "Attributes": attribute} for text in texts]}
            )
        if rows:
            sections.append({"RowType": "Section", "Title": title, "Rows": rows})
    totals = (str(amount(debit)), str(amount(credit)))
    summary = {"RowType": "SummaryRow", "Cells": [_cell(text) for text in ("Total", *totals, *totals)]}
    sections.append({"RowType": "Section", "Title": "", "Rows": [summary]})
    titles = ["Trial Balance", books.organisation.name, f"As at {_long(day)}"]
    head = ("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")
    return _report(books, "Trial Balance", "TrialBalance", titles, day, head, sections)


def _report(
    books: Books,
    name: str,
    kind: str,
    titles: list[str],
    day: date,
    head: tuple[str, ...],
    sections: list[Document],
) -> Document:
    header = {"RowType": "Header", "Cells": [_cell(text) for text in head]}
    report = {
        "ReportID": kind,
        "ReportName": name,
        "ReportType": kind,
        "ReportTitles": titles,
        "ReportDate": _long(day),
        "UpdatedDateUTC": json_moment(books.now_ms()),
        "Fields": [],
        "Rows": [header, *sections],
    }
    return {"Reports": [report]}


def _cell(text: str) -> Document:
    return {"Value": text}


def _texts(figures: list[int]) -> list[str]:
    return [str(amount(cents)) for cents in figures]
