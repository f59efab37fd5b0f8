"""Bank files in a person's hand: import them, look at them first, and see what is missing or doubled.

Shape   paths -> what they brought; the store -> findings, each a sentence with its reason.
Law     looking writes nothing. An import by hand is the inbox's: same rules, same queue, and the person's name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from arsync.connectors.bank.bankprofile import parse_profile
from arsync.connectors.bank.mapping import read_file
from arsync.connectors.bank.proof import Span, gaps
from arsync.connectors.bank.propose import Proposal, propose
from arsync.connectors.bank.sniff import sniff
from arsync.core.bank import BankFile
from arsync.core.money import Money
from arsync.errors import ConfigError, FileRefused, NotFound, UnsupportedFormat
from arsync.store import bank, breakdowns
from arsync.store.engine import Tx
from arsync.store.lock import locked
from arsync.sync.acting import Desk, permitted
from arsync.sync.intake import Incoming, Taken, profile_of, take_file


@dataclass(frozen=True, slots=True)
class Brought:
    """What one file brought, for people and programs."""

    file: str
    new_lines: int
    known: bool
    refused: str
    problems: int
    remittances: int
    splits: int


def import_files(desk: Desk, paths: Sequence[Path], folder: str | None, profiles: Path) -> list[Brought]:
    """Import files for a person; a file that is refused does not keep the others out."""
    permitted(desk.person, "work")
    brought: list[Brought] = []
    with locked(desk.store, "inbox", wait_s=60):
        for path in paths:
            taken = Taken()
            incoming = Incoming(path.name, _bytes_of(path), folder, profiles, desk.person.name)
            take_file(desk, incoming, taken)
            refused = taken.refused[0][1] if taken.refused else ""
            one = Brought(
                path.name,
                taken.new_lines,
                bool(taken.known),
                refused,
                taken.problems,
                taken.remittances,
                taken.splits,
            )
            brought.append(one)
    return brought


def look(conn: Tx, path: Path, folder: str | None, profiles: Path) -> BankFile:
    """Read a file as an import would, and keep nothing. Raises `FileRefused`."""
    return read_file(_bytes_of(path), profile_of(folder, bank.accounts(conn), profiles))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"the file cannot be opened: {error.strerror}", where=str(path), do="check its name"
        ) from None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of the bank's files a person should know."""

    account: str
    code: str
    text: str


def check(conn: Tx) -> list[Finding]:
    """Gaps, overlaps, statements that do not add up, lines counted once though two files have them, open sums."""
    findings: list[Finding] = []
    for account in bank.accounts(conn):
        rows = bank.statements(conn, account.id)
        findings += [Finding(account.name, gap.code, gap.why) for gap in gaps(map(_span, rows))]
        findings += [_unproven(account, row) for row in rows if row.proven == "unproven"]
        findings += [_doubled(account, row) for row in breakdowns.doubled(conn, account.id)]
        waiting = breakdowns.count_waiting(conn, account.id)
        if waiting:
            text = f"{waiting} payouts, lockbox or ACH batches are not found on the account"
            findings.append(Finding(account.name, "deposit-not-seen", text))
    return findings


# ---- the daily sheet

Standing = Literal["applied", "queued", "on account", "not ours", "returned", "unexplained"]
_STANDING: dict[str, Standing] = {
    "applied": "applied", "linked": "applied", "planned": "applied", "on_account": "on account",
    "not_ours": "not ours", "returned": "returned",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A share of a credit: what became of it."""

    line_id: int
    receipt_id: int | None
    amount: Money
    payer: str
    text: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Sheet:
    """A bank account's day.

    Attributes:
        lines: shares of all credits of the day; they add up to `credits`, what is left of one being unexplained.
        credits, debits: of the booked lines, as the bank has them; debits are negative.
        statements: what the statements that cover the day say of themselves.
        moved: closing less opening of the statement that has the lines of this day alone; None where there is none.
    """

    account: str
    day: date
    lines: tuple[SheetLine, ...]
    totals: Mapping[Standing, Money]
    credits: Money
    debits: Money
    statements: tuple[str, ...]
    moved: Money | None

    @property
    def agrees(self) -> bool:
        """Whether receipts are all of the credits, and these with the debits what the statement moved by."""
        whole = self.moved is None or self.credits + self.debits == self.moved
        return "unexplained" not in self.totals and whole


def sheet(conn: Tx, name: str, day: date) -> Sheet:
    """What became of every credit of a day: applied, queued, on account, not ours, returned; and what nobody explains.

    Raises:
        NotFound: there is no such bank account.
    """
    account = next((a for a in bank.accounts(conn) if a.name == name), None)
    if account is None:
        raise NotFound(f"there is no bank account {name}", do="see: arsync bank list")
    booked = bank.lines_on(conn, account.id, day)
    shares: dict[int, list[Any]] = {}
    for row in bank.receipts_on(conn, account.ledger_id, [line.id for line in booked]):
        shares.setdefault(row.bank_line_id, []).append(row)
    paid_in = [line for line in booked if line.amount_minor > 0]
    lines = tuple(one for line in paid_in for one in _shares(line, shares.get(line.id, [])))
    totals: dict[Standing, Money] = {}
    for one in lines:
        totals[one.standing] = totals.get(one.standing, Money.zero(account.currency)) + one.amount
    covering = [row for row in bank.statements(conn, account.id) if _covers(row, day)]
    return Sheet(
        account=name,
        day=day,
        lines=lines,
        totals=totals,
        credits=Money(sum(line.amount_minor for line in paid_in), account.currency),
        debits=Money(sum(line.amount_minor for line in booked if line.amount_minor < 0), account.currency),
        statements=tuple(f"statement {row.statement_id or row.id}: {row.proven}" for row in covering),
        moved=_moved(conn, booked, covering, day),
    )


def _shares(line: Any, rows: Sequence[Any]) -> list[SheetLine]:
    """The receipts of a credit, and what is left of it without one."""
    found = [
        SheetLine(
            line.id, row.id, Money(row.amount_minor, line.currency), row.payer_name or line.payer_name, line.text,
            _STANDING.get(row.state, "queued"),
        )
        for row in rows
    ]  # fmt: skip
    left = line.amount_minor - sum(row.amount_minor for row in rows)
    if left:
        amount = Money(left, line.currency)
        found.append(SheetLine(line.id, None, amount, line.payer_name, line.text, "unexplained"))
    return found


def _covers(row: Any, day: date) -> bool:
    return row.from_date is not None and row.to_date is not None and row.from_date <= day <= row.to_date


def _moved(conn: Tx, booked: Sequence[Any], covering: Sequence[Any], day: date) -> Money | None:
    """What the balance moved by, where one statement has all lines of the day and no other."""
    for row in covering:
        whole = None not in (row.opening_minor, row.closing_minor) and row.to_date == day
        if whole and {line.statement_id for line in booked} <= {row.id} and bank.is_all_of(conn, row.id, day):
            return Money(row.closing_minor - row.opening_minor, row.currency)
    return None


def _span(row: Any) -> Span:
    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, row.currency)

    number = int(row.sequence) if row.sequence and row.sequence.isdigit() else None
    return Span(
        str(row.bank_account_id),
        row.currency,
        number,
        money(row.opening_minor),
        money(row.closing_minor),
        row.from_date,
        row.to_date,
    )


def _unproven(account: Any, row: Any) -> Finding:
    named = row.statement_id or row.to_date or row.id
    off = f" by {Money(row.difference_minor, row.currency)}" if row.difference_minor else ""
    return Finding(account.name, "unproven", f"statement {named} does not add up{off}")


def _doubled(account: Any, row: Any) -> Finding:
    amount = Money(row.amount_minor, row.currency)
    text = f"{amount} of {row.booking_date}: line {row.id} is line {row.superseded_by} from another format"
    return Finding(account.name, "duplicate", text)


def problems_of(files: Iterable[Brought]) -> int:
    """How many lines or fields of these files wait for a person."""
    return sum(one.problems for one in files)


def proposal(path: Path, name: str) -> tuple[Proposal, BankFile | None]:
    """A draft of a profile for a file, and how the file reads with it; None while a person must decide first.

    Raises:
        FileRefused: it needs no profile, or has no headings.
        NotFound: the file cannot be opened.
    """
    data = _bytes_of(path)
    what = sniff(data)
    if what not in {"csv", "zip"}:
        raise UnsupportedFormat(
            f"a file of the format {what} needs no profile", do=f"import it: arsync bank import {path}"
        )
    draft = propose(data, name, is_workbook=what == "zip")
    try:
        profile = parse_profile(draft.toml, where=f"{name}.toml")
        return draft, read_file(data, replace(profile, currency=profile.currency or "USD"))
    except (ConfigError, FileRefused):
        return draft, None
