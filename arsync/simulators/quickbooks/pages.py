"""Pages for a person: the companies, the books of one, and the page on which consent is given.

Shape   simulator or company -> HTML. Lists are cut after `ROWS` rows and say so; totals are of everything.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from arsync.simulators.quickbooks.door import Answer, Company
from arsync.simulators.quickbooks.ledger import ItemKey
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.schema import TRANSACTION_KINDS
from arsync.simulators.quickbooks.wire import amount

if TYPE_CHECKING:  # the simulator starts the server, which comes here
    from arsync.simulators.quickbooks.simulator import QuickBooksSimulator

ROWS = 200
REQUESTS = 30
STYLE = (
    "body{font:15px sans-serif;margin:2em;max-width:70em}td,th{padding:.15em .8em;text-align:left}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr:nth-child(even){background:#f4f4f4}"
    ".wrong{color:#b00020;font-weight:bold}"
)


def page(title: str, inside: str, status: int = 200) -> Answer:
    """A whole page."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{inside}</body></html>"
    )
    return Answer(status, text.encode(), "text/html; charset=utf-8")


def companies(simulator: "QuickBooksSimulator") -> str:
    """The companies, the clock, the last requests."""
    rows = (
        [
            f'<a href="/_control/books/{escape(one.realm_id)}?page=1">{escape(one.realm_id)}</a>',
            escape(one.settings.name),
            _money(one.books.receivable_cents()),
        ]
        for one in simulator.companies.values()
    )
    faults = (
        [escape(one.match), one.kind, str(one.times)] for one in simulator.faults.faults if one.times > 0
    )
    return (
        f"<p>The clock says {simulator.now().isoformat(timespec='seconds')}.</p>"
        + _table(("Company", "Name", "Receivable"), rows, 1)
        + _section("Faults to come", ("Request", "Fault", "Times"), faults, 1)
        + _requests(simulator, lambda _path: True)
    )


def books(simulator: "QuickBooksSimulator", company: Company) -> str:
    """The books of one company, with the control total."""
    core = company.core
    names = {record.id: escape(str(record.fields["Name"])) for record in core.live("Account")}
    return (
        f"<p>{simulator.now().isoformat(timespec='seconds')}, realm {escape(company.realm_id)}; "
        f'<a href="/_control/">all companies</a>, <a href="/_control/books/{escape(company.realm_id)}">as JSON</a></p>'
        + _control_total(company)
        + _accounts(company, names)
        + _open_items(company)
        + _section(
            "Payments",
            ("Date", "Id", "Customer", "Reference", "Applied to", "Unapplied", "Total", "Deposit"),
            (_payment(company, record) for record in _newest(company, "Payment")),
            5,
        )
        + _section(
            "Deposits",
            ("Date", "Id", "Account", "Lines", "Total"),
            (_deposit(record, names) for record in _newest(company, "Deposit")),
            3,
        )
        + _requests(simulator, lambda path: path.startswith(f"/v3/company/{company.realm_id}/"))
        + _journal(company, names)
    )


def _control_total(company: Company) -> str:
    """Each receivable account against the sum of its open items, in the currency of the account."""
    core = company.core
    rows = []
    for account_id in sorted(core.ledger.receivable, key=int):
        account = core.records["Account"][account_id]
        held = core.ledger.own[account_id]
        owed = sum(
            item.side * item.open_cents
            for item in core.items.by_key.values()
            if item.account_id == account_id
        )
        verdict = "agrees" if held == owed else f'<span class="wrong">differs by {_money(held - owed)}</span>'
        rows.append([escape(str(account.fields["Name"])), verdict, _money(held), _money(owed)])
    return _section("Control total", ("Account", "", "Account holds", "Open items"), rows, 2)


def _accounts(company: Company, names: dict[str, str]) -> str:
    """Undeposited funds and banks first, then everything else."""
    core = company.core
    undeposited = core.account("undeposited")
    kinds = {record.id: str(record.fields.get("AccountType", "")) for record in core.live("Account")}
    first = sorted(names, key=lambda one: (one != undeposited, kinds[one] != "Bank", int(one)))
    rows = (
        [names[one], escape(kinds[one]), str(core.render(core.records["Account"][one])["CurrentBalance"])]
        for one in first
    )
    return _section("Accounts", ("Account", "Type", "Balance"), rows, 2)


def _open_items(company: Company) -> str:
    core = company.core
    found = [(key, item) for key, item in core.items.by_key.items() if item.open_cents]
    rows = (
        [
            key.kind,
            _name_of(key),
            escape(str(core.records[key.kind][key.id].fields.get("DocNumber", ""))),
            escape(str(core.records["Customer"][item.customer_id].fields["DisplayName"])),
            str(core.records[key.kind][key.id].fields["TxnDate"]),
            item.currency,
            _money(item.side * item.cents),
            _money(item.side * item.open_cents),
        ]
        for key, item in found
    )
    titles = ("Kind", "Id", "Number", "Customer", "Date", "Currency", "Original", "Open")
    return _section(f"Open items ({len(found)})", titles, rows, 6)


def _name_of(key: ItemKey) -> str:
    return f"{key.id}:{key.line_id}" if key.line_id else key.id


def _newest(company: Company, kind: str) -> list[Record]:
    return company.core.in_change_order(kind)[::-1]


def _payment(company: Company, record: Record) -> list[str]:
    core = company.core
    used = ", ".join(
        f"{key.kind} {_name_of(key)}: {_money(cents)}" for key, cents in record.applications.items()
    )
    left = core.items.by_key.get(ItemKey("Payment", record.id))
    return [
        str(record.fields["TxnDate"]),
        record.id,
        escape(str(core.records["Customer"][record.customer_id].fields["DisplayName"])),
        escape(str(record.fields.get("PaymentRefNum", ""))),
        escape(used),
        _money(left.open_cents if left else 0),
        _money(record.total_cents),
        record.deposit_id,
    ]


def _deposit(record: Record, names: dict[str, str]) -> list[str]:
    account = names.get(record.fields["DepositToAccountRef"]["value"], "")
    lines = str(len(record.fields["Line"]))
    return [str(record.fields["TxnDate"]), record.id, account, lines, _money(record.total_cents)]


def _requests(simulator: "QuickBooksSimulator", shown: Callable[[str], bool]) -> str:
    last = islice((one for one in reversed(simulator.requests) if shown(one.full_path)), REQUESTS)
    rows = (
        [
            one.time.strftime("%H:%M:%S"),
            one.method,
            escape(one.path),
            escape(one.query.get("query", one.query.get("operation", ""))),
            escape(one.requestid),
            one.fault,
            str(one.status) if one.status else "cut",
            str(one.answer_bytes),
        ]
        for one in last
    )
    titles = ("Time", "Method", "Path", "Query", "requestid", "Fault", "Status", "Bytes")
    return _section("Last requests", titles, rows, 6)


def _journal(company: Company, names: dict[str, str]) -> str:
    """The newest entries, debits and credits in home currency."""
    core = company.core
    newest = sorted(
        (record for kind in TRANSACTION_KINDS for record in core.live(kind)), key=lambda one: -one.change
    )
    rows = (
        [
            str(record.fields["TxnDate"]),
            record.kind,
            record.id,
            names.get(posting.account_id, ""),
            _money(max(posting.home_cents, 0)),
            _money(max(-posting.home_cents, 0)),
        ]
        for record in newest
        for posting in record.postings
    )
    return _section("Journal", ("Date", "Kind", "Id", "Account", "Debit", "Credit"), rows, 4)


def consent(simulator: "QuickBooksSimulator", asked: dict[str, str]) -> str:
    """The page on which a person chooses a company."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(asked.get(name, ""))}">'
        for name in ("client_id", "redirect_uri", "state")
    )
    buttons = "".join(
        f'<button name="realm_id" value="{escape(company.realm_id)}">'
        f"{escape(company.settings.name)}</button> "
        for company in simulator.companies.values()
    )
    cancel = '<button name="realm_id" value="">Cancel</button>'
    return f'<p>Which company?</p><form method="post">{hidden}{buttons}{cancel}</form>'


def _money(cents: int) -> str:
    return str(amount(cents))


def _section(title: str, titles: Sequence[str], rows: Iterable[list[str]], numbers_from: int) -> str:
    return f"<h2>{title}</h2>{_table(titles, rows, numbers_from)}"


def _table(titles: Sequence[str], rows: Iterable[list[str]], numbers_from: int) -> str:
    """The first rows; columns from `numbers_from` on are numbers."""

    def cells(values: Sequence[str], tag: str) -> str:
        numbered = (
            f'<{tag} class="n">' if column >= numbers_from else f"<{tag}>" for column in range(len(values))
        )
        return (
            "<tr>"
            + "".join(f"{open_}{one}</{tag}>" for open_, one in zip(numbered, values, strict=True))
            + "</tr>"
        )

    left = iter(rows)
    shown = "".join(cells(one, "td") for one in islice(left, ROWS))
    more = sum(1 for _ in left)
    rest = f"<p>and {more} more</p>" if more else ""
    return f"<table>{cells(titles, 'th')}{shown}</table>{rest}" if shown else "<p>none</p>"
