"""Intake: bank files from the inbox become lines, and money in becomes receipts.

Shape   the inbox holds one folder per bank account (its name), or loose files that name their account
        themselves.
Law     the same file again is a no-op. A file that cannot be read is kept, named, and becomes a queue item;
        the others go on. A line whose amount cannot be read becomes a queue item with the raw text, and its
        statement counts as unproven.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from arsync.connectors.bank.bankprofile import GENERIC, Profile, parse_profile, shipped_profile
from arsync.connectors.bank.mapping import read_file
from arsync.core.bank import BankFile, Statement
from arsync.core.decisions import Reason
from arsync.core.money import Money
from arsync.errors import ConfigError, FileRefused
from arsync.store import audit, bank, decisions, queues, raw
from arsync.store.bank import Given, Imported
from arsync.store.engine import Store, Tx
from arsync.store.lock import locked
from arsync.store.office import Ledger
from arsync.store.queues import Entry
from arsync.sync.job import ENGINE, Job

_IGNORED = (".part", ".tmp", ".manifest.json")


@dataclass(slots=True)
class Taken:
    """What the inbox brought."""

    files: int = 0
    known: int = 0
    new_lines: int = 0
    merged: int = 0  # lines known from a file of another format
    remittances: int = 0
    splits: int = 0  # bank lines that were taken apart
    new_receipts: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)  # (file, why)
    problems: int = 0

    @property
    def brought(self) -> bool:
        """Whether there is anything to match that was not there before."""
        return bool(self.new_lines or self.remittances or self.splits)


def intake(job: Job, inbox: Path) -> Taken:
    """Import every new file of the inbox."""
    taken = Taken()
    if not inbox.is_dir():
        raise ConfigError("the inbox is not a folder", where=f"inbox = {inbox}", do=f"mkdir -p {inbox}")
    with locked(job.store, "inbox", wait_s=60):
        for path, folder in _files(inbox):
            _take(job, inbox, path, folder, taken)
    return taken


def has_news(conn: Tx, inbox: Path) -> bool:
    """Whether the inbox holds a file that was never read."""
    for path, _ in _files(inbox):
        try:
            data = path.read_bytes()
        except OSError:
            return True
        if bank.known_file(conn, raw.sha(data)) is None:
            return True
    return False


def _files(inbox: Path) -> Iterator[tuple[Path, str | None]]:
    """Files with the name of the folder they are in, in a stable order."""
    for path in sorted(inbox.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_IGNORED):
            relative = path.relative_to(inbox)
            yield path, relative.parts[0] if len(relative.parts) > 1 else None


def _take(job: Job, inbox: Path, path: Path, folder: str | None, taken: Taken) -> None:
    name = str(path.relative_to(inbox))
    try:
        data = path.read_bytes()
    except OSError as error:
        taken.files += 1
        refuse(job, name, b"", f"cannot be opened: {error.strerror}", taken)
        return
    told = take_file(job, Incoming(name, data, folder, inbox.parent / "profiles", ENGINE), taken)
    if told:
        job.tell("bank", told)


class Receiver(Protocol):
    """Who takes files in: a run, or a person at a desk."""

    @property
    def store(self) -> Store:
        """Where they are kept."""

    @property
    def ledger(self) -> Ledger:
        """Whose they are, where they name no bank account."""

    def at(self) -> str:
        """Now, as the store keeps instants."""

    def today(self) -> date:
        """The ledger's own day."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One file as it came.

    Attributes:
        name: what it is called in messages.
        folder: the bank account it was put in, where it does not name one itself.
        profiles: the folder of own bank profiles.
        who: "engine", or the person who imports it.
    """

    name: str
    data: bytes
    folder: str | None
    profiles: Path
    who: str


def take_file(to: Receiver, file: Incoming, taken: Taken) -> str | None:
    """Import one file; what it brought, in a sentence, or None where it is known or refused."""
    taken.files += 1
    with to.store.read() as conn:
        known, accounts = bank.known_file(conn, raw.sha(file.data)), bank.accounts(conn)
    if known is not None:
        taken.known += 1
        return None
    try:
        profile = profile_of(file.folder, accounts, file.profiles)
        read = read_file(file.data, profile)
        owners = [_owner(statement, file.folder, accounts) for statement in read.statements]
    except FileRefused as refused:
        unknown = isinstance(refused, UnknownAccount)
        refuse(to, file.name, file.data, str(refused.what), taken, remember=not unknown)
        return None
    return _keep(to, file, read, owners, taken)


class UnknownAccount(FileRefused):
    """The file is of a bank account nobody has added yet; it is tried again on the next run."""

    reason = "unknown-account"


def profile_of(folder: str | None, accounts: Sequence[Any], profiles: Path) -> Profile:
    """How the files of this folder are written.

    Its account's profile: an own TOML file of the profiles folder, or one that arsync brings. Where it names no
    currency, the account's.
    """
    account = next((a for a in accounts if a.name == folder), None)
    if account is None:
        return GENERIC
    profile = named_profile(account.profile, profiles) if account.profile else GENERIC
    return replace(profile, currency=profile.currency or account.currency)


def named_profile(name: str, profiles: Path) -> Profile:
    """A bank profile by name. Raises `NotFound`, `ConfigError`."""
    own = profiles / f"{name}.toml"
    if own.is_file():
        return parse_profile(own.read_text(encoding="utf-8"), where=str(own))
    return shipped_profile(name)


def normalised_account(identifier: str) -> str:
    """A bank account as people write it (`DE89 3704…`, `12-345`.

    `routing/number`) in the form statements are compared in.
    """
    return re.sub(r"[^0-9A-Z/]", "", identifier.upper())


def _names(statement: Statement) -> set[str]:
    """The forms under which a statement's account may have been added: its number, or bank and number."""
    parts = statement.account.key.split(":")
    return {parts[-1], "/".join(parts[1:])} - {"", "/"}


def _owner(statement: Statement, folder: str | None, accounts: Sequence[Any]) -> Any:
    """The bank account a statement belongs to: the one it names, else the one of its folder.

    In conflict, nobody guesses.
    """
    if statement.standing == "detail":
        return _deposit_account(statement, folder, accounts)
    named = [a for a in accounts if a.identifier in _names(statement)]
    named = [a for a in named if a.currency == (statement.currency or a.currency)] or named
    placed = [a for a in accounts if a.name == folder]
    if len(named) > 1:
        raise UnknownAccount(
            f"its account fits {named[0].name} and {named[1].name}", do="write them as bank/number"
        )
    if named and placed and named[0].id != placed[0].id:
        raise UnknownAccount(
            f"it is of {named[0].name} but lies in the folder of {placed[0].name}", do="move the file"
        )
    found = named or ([] if _names(statement) else placed)
    if not found:
        number = statement.account.identifier or "an account it does not name"
        raise UnknownAccount(
            f"it is of {number}, which no bank account here has",
            do=f"arsync bank add NAME --identifier {number}",
        )
    if statement.currency is not None and statement.currency != found[0].currency:
        raise UnknownAccount(
            f"it is in {statement.currency}, but {found[0].name} is kept in {found[0].currency}",
            do="add the account once per currency",
        )
    return found[0]


def _deposit_account(statement: Statement, folder: str | None, accounts: Sequence[Any]) -> Any:
    """The bank account on which the sum of a payout, lockbox or ACH file is booked: the one of its folder."""
    placed = [a for a in accounts if a.name == folder]
    if not placed:
        raise UnknownAccount(
            f"it says what deposits of {statement.account.identifier or 'somebody'} are made of, not on which account",
            do="put it into the folder of the bank account that gets them",
        )
    if statement.currency is not None and statement.currency != placed[0].currency:
        raise UnknownAccount(
            f"it is in {statement.currency}, but {placed[0].name} is kept in {placed[0].currency}",
            do="put it into the folder of the account of that currency",
        )
    return placed[0]


def _keep(to: Receiver, file: Incoming, read: BankFile, owners: Sequence[Any], taken: Taken) -> str:
    at = to.at()
    name = file.name
    with to.store.begin() as conn:
        accounts = bank.accounts(conn)
        ledger_id = next((a.ledger_id for a in accounts if a.name == file.folder), to.ledger.id)
        imported = bank.keep_file(conn, Given(name, file.data, ledger_id, to.today()), read, owners, at)
        _queue_problems(conn, name, imported, at)
        _queue_corrections(conn, imported, at)
        _queue_twins(conn, name, imported, at)
        _queue_remainders(conn, name, imported, file.who, at)
        queues.close(conn, to.ledger.id, [f"file:{name}"], file.who, "the file is imported now", at)
        body = {"file": name, "lines": imported.lines, "new": imported.new_lines, "sha256": read.sha256}
        for ledger in {a.ledger_id for a in owners} or {ledger_id}:
            entry = audit.Entry("bank file imported", f"file:{name}", body)
            audit.record(conn, ledger, at, file.who, [entry])
    taken.new_lines += imported.new_lines
    taken.new_receipts += sum(len(ids) for ids in imported.receipts.values())
    taken.problems += len(imported.problems)
    taken.merged += imported.merged
    taken.remittances += imported.remittances
    taken.splits += len(imported.splits)
    return f"{name}: {imported.new_lines} new of {imported.lines} lines"


def _queue_problems(conn: Tx, name: str, imported: Imported, at: str) -> None:
    for found in imported.problems:
        problem = found.problem
        queues.open_items(
            conn,
            found.ledger_id,
            [
                Entry(
                    subject=f"file:{found.file_sha.hex()[:12]}:{problem.locator}:{problem.field}",
                    reason=Reason.UNREADABLE_FIELD.value,
                    detail=f"{name}, {problem.locator}: {problem.field} {problem.raw[:80]!r}: {problem.why}",
                    raw_sha=found.file_sha,
                )
            ],
            at,
        )


def _queue_corrections(conn: Tx, imported: Imported, at: str) -> None:
    """The bank took a line back. What was decided on it stands until a person says otherwise."""
    for ledger_id, line_id, action in imported.corrections:
        for receipt in decisions.receipts_of_line(conn, ledger_id, line_id):
            if receipt.state in ("undecided", "waiting", "queued"):
                decisions.set_receipt(conn, ledger_id, receipt.id, state="not_ours", hands_off=True)
                queues.close(
                    conn, ledger_id, [f"receipt:{receipt.id}"], ENGINE, "the bank corrected the line", at
                )
                continue
            queues.open_items(
                conn,
                ledger_id,
                [
                    Entry(
                        subject=f"correction:{line_id}",
                        reason=Reason.RETURNED_PAYMENT.value,
                        detail=f"the bank changed a line that is decided already ({action}): R-{receipt.id}",
                        receipt_id=receipt.id,
                        customer_id=receipt.customer_id,
                        currency=receipt.currency,
                        amount_minor=receipt.amount_minor,
                    )
                ],
                at,
            )


def _queue_twins(conn: Tx, name: str, imported: Imported, at: str) -> None:
    """Lines of two formats that may be one payment: nothing is applied until a person says."""
    for ledger_id, twin in imported.twins:
        for receipt in decisions.receipts_of_line(conn, ledger_id, twin.line_id):
            decisions.set_receipt(conn, ledger_id, receipt.id, state="queued", hands_off=True)
            queues.open_items(
                conn,
                ledger_id,
                [
                    Entry(
                        subject=f"receipt:{receipt.id}",
                        reason=Reason.POSSIBLE_DUPLICATE.value,
                        detail=f"{name} has a line of the day and amount of line {twin.other_id}, from another format",
                        receipt_id=receipt.id,
                        customer_id=receipt.customer_id,
                        currency=receipt.currency,
                        amount_minor=receipt.amount_minor,
                    )
                ],
                at,
            )


def _queue_remainders(conn: Tx, name: str, imported: Imported, who: str, at: str) -> None:
    """Nobody need look at the line as a whole any more; what its parts do not explain waits for a person."""
    for ledger_id, split in imported.splits:
        subjects = [f"receipt:{our_id}" for our_id in split.receipt_ids]
        queues.close(conn, ledger_id, subjects, who, f"{name} says what the line is made of", at)
        if not split.remainder_minor:
            continue
        left = Money(split.remainder_minor, split.currency)
        queues.open_items(
            conn,
            ledger_id,
            [
                Entry(
                    subject=f"receipt:{split.receipt_ids[-1]}",
                    reason=Reason.UNPROVEN_STATEMENT.value,
                    detail=f"{name} explains bank line {split.bank_line_id} but for {left}",
                    receipt_id=split.receipt_ids[-1],
                    currency=split.currency,
                    amount_minor=split.remainder_minor,
                )
            ],
            at,
        )


def refuse(to: Receiver, name: str, data: bytes, why: str, taken: Taken, *, remember: bool = True) -> None:
    """Keep the bytes and say why; a file whose account is merely unknown is tried again."""
    taken.refused.append((name, why))
    at = to.at()
    with to.store.begin() as conn:
        sha = raw.keep(conn, [data])[0] if data else None
        if remember and sha is not None:
            bank.keep_refused(conn, sha, name, why, at)
        queues.open_items(
            conn,
            to.ledger.id,
            [Entry(f"file:{name}", Reason.UNREADABLE_FIELD.value, f"{name}: {why}", raw_sha=sha)],
            at,
        )
