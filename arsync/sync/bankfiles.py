"""Bank files in a person's hand: import them, look at them first, and see what is missing or doubled.

Shape   paths -> what they brought; the store -> findings, each a sentence with its reason.
Law     looking writes nothing. An import by hand is the inbox's: same rules, same queue, and the person's name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
