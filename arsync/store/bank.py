"""Keep what bank files say: files by hash, statements, lines by identity, receipts to apply.

Law     the same file again writes nothing; a line that overlapping files repeat is stored once (account,
        key, occurrence). Lines are superseded, never changed. Shares of a batch line add up to the line.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from arsync.core.bank import BankFile, BankLineRead, Problem, Remittance, Statement, says_returned
from arsync.core.finality import Method, method_of
from arsync.core.money import Money
from arsync.store import breakdowns, bulk, raw, receipts
from arsync.store.breakdowns import Split, Twin
from arsync.store.receipts import Place, Share
from arsync.store.tables import bank_account, bank_file, bank_line, receipt, statement

_LINE = (
    "id", "bank_account_id", "statement_id", "file_sha", "locator", "key", "occurrence", "provider_id", "booking_date",
    "value_date", "amount_minor", "currency", "payer_name", "payer_account", "text", "body", "is_return",
    "superseded_by",
)  # fmt: skip
INSTALLATION = 0  # counters of things that belong to no ledger


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A problem of a stored file, with the ledger whose clerks must look."""

    ledger_id: int
    account: str
    problem: Problem
    file_sha: bytes


@dataclass(slots=True)
class Imported:
    """What one file brought."""

    lines: int = 0
    new_lines: int = 0
    receipts: dict[int, list[int]] = field(default_factory=dict)  # ledger -> new receipt ids
    problems: list[FileProblem] = field(default_factory=list)
    corrections: list[tuple[int, int, str]] = field(
        default_factory=list
    )  # (ledger, corrected line id, action)
    splits: list[tuple[int, Split]] = field(default_factory=list)  # with their ledger
    twins: list[tuple[int, Twin]] = field(default_factory=list)  # with their ledger: not certain ones
    merged: int = 0  # lines known from a file of another format
    remittances: int = 0


def known_file(conn: Connection, sha: bytes) -> Any | None:
    """The row of a file that was imported or refused before."""
    return conn.execute(select(bank_file).where(bank_file.c.sha == sha)).one_or_none()


def accounts(conn: Connection) -> list[Any]:
    """All bank accounts."""
    return list(conn.execute(select(bank_account).order_by(bank_account.c.id)))


def statements(conn: Connection, account_id: int) -> list[Any]:
    """The statements of an account, as they came."""
    query = select(statement).where(statement.c.bank_account_id == account_id).order_by(statement.c.id)
    return list(conn.execute(query))


def set_deposit_account(conn: Connection, account_id: int, deposit_account: str) -> None:
    """Which of the platform's accounts mirrors a bank account."""
    conn.execute(
        bank_account.update().where(bank_account.c.id == account_id).values(deposit_account=deposit_account)
    )


def keep_refused(conn: Connection, sha: bytes, name: str, why: str, at: str) -> None:
    """Remember that a file was refused, and why."""
    bulk.upsert(
        conn,
        bank_file,
        ("sha", "name", "format", "outcome", "lines", "new_lines", "at"),
        [(sha, name, "", why, 0, 0, at)],
    )


def keep_letter(conn: Connection, sha: bytes, name: str, found: int, new: int, at: str) -> None:
    """Remember that a letter was read, with how many advices."""
    columns = ("sha", "name", "format", "outcome", "lines", "new_lines", "at")
    bulk.upsert(conn, bank_file, columns, [(sha, name, "mail", "imported", found, new, at)])


@dataclass(frozen=True, slots=True)
class Given:
    """A file as it came: its name and bytes, the ledger of what names no bank account, and that ledger's day."""

    name: str
    data: bytes
    ledger_id: int
    on: date


def keep_file(conn: Connection, given: Given, read: BankFile, owners: Sequence[Any], at: str) -> Imported:
    """Keep a file that was read; `owners` holds the bank account row of each statement, in order."""
    (sha,) = raw.keep(conn, [given.data])
    imported = Imported()
    for one, account in zip(read.statements, owners, strict=True):
        if one.standing == "booked":
            _keep_statement(conn, (sha, read.format), one, account, imported)
        else:
            imported.lines += len(one.lines)
            imported.new_lines += breakdowns.keep(conn, sha, one, account)
            imported.problems += [FileProblem(account.ledger_id, account.name, p, sha) for p in one.problems]
    for account in {row.id: row for row in owners}.values():
        imported.splits += [(account.ledger_id, split) for split in breakdowns.explain(conn, account)]
    _keep_remittances(conn, sha, given, read, owners, imported)
    bulk.upsert(
        conn,
        bank_file,
        ("sha", "name", "format", "outcome", "lines", "new_lines", "at"),
        [(sha, given.name, read.format, "imported", imported.lines, imported.new_lines, at)],
    )
    return imported


def _keep_remittances(
    conn: Connection,
    sha: bytes,
    given: Given,
    read: BankFile,
    owners: Sequence[Any],
    imported: Imported,
) -> None:
    """Advices go to the ledger of the line they came with, else to that of the file."""
    ledgers = {
        part.key: account.ledger_id
        for one, account in zip(read.statements, owners, strict=True)
        for line in one.lines
        for part in (line, *line.parts)
    }
    by_ledger: dict[int, list[Remittance]] = {}
    for advice in read.remittances:
        ledger_id = ledgers.get(advice.line_key or "", given.ledger_id)
        by_ledger.setdefault(ledger_id, []).append(advice)
        imported.problems += [FileProblem(ledger_id, given.name, problem, sha) for problem in advice.problems]
    for ledger_id, advices in by_ledger.items():
        imported.remittances += breakdowns.keep_remittances(conn, ledger_id, sha, advices, given.on)


def _keep_statement(
    conn: Connection, file: tuple[bytes, str], read: Statement, account: Any, imported: Imported
) -> None:
    sha, format_ = file
    (statement_id,) = bulk.take_ids(conn, INSTALLATION, "statement", 1)
    currency = read.currency or account.currency
    conn.execute(
        statement.insert().values(
            id=statement_id,
            file_sha=sha,
            bank_account_id=account.id,
            statement_id=read.statement_id,
            sequence=None if read.sequence is None else str(read.sequence),
            currency=currency,
            opening_minor=_minor(read.opening),
            closing_minor=_minor(read.closing),
            from_date=read.from_date,
            to_date=read.to_date,
            proven=read.proven,
            difference_minor=_minor(read.difference),
        )
    )
    for problem in read.problems:
        imported.problems.append(FileProblem(account.ledger_id, account.name, problem, sha))
    lines = [line for line in read.lines if line.booking_date is not None]
    imported.lines += len(read.lines)
    known = _known_lines(conn, account.id, lines)
    new = [line for line in lines if (line.key, line.occurrence) not in known]
    ids = bulk.take_ids(conn, INSTALLATION, "bank_line", len(new))
    numbered = list(zip(ids, new, strict=True))
    bulk.insert(
        conn, bank_line, _LINE, [_line_row(i, line, account.id, statement_id, sha) for i, line in numbered]
    )
    twins = breakdowns.twins(conn, account.id, format_, ids, known.values())
    certain = [twin for twin in twins if twin.certain]
    breakdowns.merge(conn, certain)
    imported.merged += len(certain)
    imported.new_lines += len(new) - len(certain)
    imported.twins += [(account.ledger_id, twin) for twin in twins if not twin.certain]
    merged = {twin.line_id for twin in certain}
    alone = [(line_id, line) for line_id, line in numbered if line_id not in merged]
    _keep_receipts(conn, account, alone, imported, proven=read.proven != "unproven")
    for line_id, line in alone:
        if line.corrects:
            _supersede(conn, account, (line_id, line.corrects.provider_id, line.corrects.action), imported)
    for provider_id in read.removed:
        _supersede(conn, account, (None, provider_id, "DELETE"), imported)


def _minor(amount: Money | None) -> int | None:
    return None if amount is None else amount.minor


def _known_lines(
    conn: Connection, account_id: int, lines: Sequence[BankLineRead]
) -> dict[tuple[str, int], int]:
    """The ids of lines that are kept already, by identity."""
    keys = {line.key for line in lines}
    found = bulk.rows_by(
        conn, bank_line, ("key", "occurrence", "id"), "key", keys, bank_account_id=account_id
    )
    held = {(line.key, line.occurrence) for line in lines}
    return {(row.key, row.occurrence): row.id for row in found if (row.key, row.occurrence) in held}


def _line_row(
    line_id: int, line: BankLineRead, account_id: int, statement_id: int, sha: bytes
) -> tuple[Any, ...]:
    body = {
        "end_to_end_id": line.end_to_end_id,
        "creditor_reference": line.creditor_reference,
        "text_joined": line.text_joined,
        "bank_reference": line.bank_reference,
        "cheque_number": line.cheque_number,
        "code_family": line.code_family,
        "raw_codes": dict(line.raw_codes),
        "return_reason": line.return_reason,
        "original_reference": line.original_reference,
        "ultimate_payer_name": line.ultimate_payer_name,
        "original_amount": str(line.original_amount) if line.original_amount else None,
        "warnings": list(line.warnings),
        "raw": line.raw,
    }
    return (
        line_id, account_id, statement_id, sha, line.locator, line.key, line.occurrence, line.provider_id,
        line.booking_date, line.value_date, line.amount.minor, line.amount.currency, line.payer_name or "",
        line.payer_account or "", line.text, json.dumps(body, ensure_ascii=False),
        line.is_return or line.is_reversal, None,
    )  # fmt: skip


def _is_share(line: BankLineRead, part: BankLineRead) -> bool:
    """Whether a part is a receipt: money in, what takes money back, and all that money in is made of."""
    of_money_in = bool(line.parts) and line.amount.minor > 0
    return part.amount.minor > 0 or _is_return(part) or (of_money_in and part.amount.minor < 0)


def _keep_receipts(
    conn: Connection,
    account: Any,
    lines: Sequence[tuple[int, BankLineRead]],
    imported: Imported,
    *,
    proven: bool,
) -> None:
    """Money in becomes receipts, one per part of a batch line; returns too, because they open a debt again."""
    shares = [
        (line_id, number, line, part)
        for line_id, line in lines
        for number, part in enumerate(line.parts or (line,))
        if _is_share(line, part)
    ]
    given = [
        (
            Place(line_id, number, line.booking_date, part.amount.currency, proven),
            _share(line, part),
        )
        for line_id, number, line, part in shares
        if line.booking_date is not None
    ]
    ids = receipts.make(conn, account.ledger_id, given)
    imported.receipts.setdefault(account.ledger_id, []).extend(ids)


def _share(line: BankLineRead, part: BankLineRead) -> Share:
    """What a part of a line says of itself, else what the line says."""
    texts = dict.fromkeys(text for text in (part.text, part.text_joined, line.text) if text)
    is_fee = part.code_family == "fee"
    return Share(
        amount_minor=part.amount.minor,
        texts=tuple(texts),
        payer_name=part.payer_name or line.payer_name or "",
        payer_account=part.payer_account or line.payer_account or "",
        references={
            "creditor_reference": part.creditor_reference or "",
            "end_to_end_id": part.end_to_end_id or "",
            "bank_reference": part.bank_reference or line.bank_reference or "",
            "cheque_number": part.cheque_number or "",
            "original_reference": part.original_reference or "",
            "return_reason": part.return_reason or "",
        },
        is_return=_is_return(part),
        method=_method(line, part),
        state="not_ours" if is_fee else "undecided",
        hands_off=is_fee,
    )


def _method(line: BankLineRead, part: BankLineRead) -> Method:
    """How a part came: what the bank says of it, else of the line it is in."""
    said = method_of(part.code_family, part.raw_codes, part.amount.currency)
    return said if said != "not said" else method_of(line.code_family, line.raw_codes, line.amount.currency)


def split(conn: Connection, row: Any, shares: Sequence[Share], fee_minor: int) -> list[int]:
    """Make several receipts of one, and of what was kept as a fee a negative one that is not ours; their ids.

    Whom the line names is who brought the money (a processor, the bank), not who paid: a share names its own payer.
    """
    said, texts = receipts.references_of(row), tuple(json.loads(row.texts)["texts"])
    wanted = [
        replace(share, texts=share.texts or texts, references=said, method=row.method) for share in shares
    ]
    if fee_minor:
        wanted.append(Share(-fee_minor, ("fee",), references=said, state="not_ours", hands_off=True))
    return receipts.divide(conn, row, wanted)


def outgoing(conn: Connection, ledger_id: int, amounts: Iterable[int], since: date) -> list[Any]:
    """Lines on which money left the ledger's bank accounts, of these amounts (negative), that nothing explains yet."""
    waiting = receipt.c.state.in_(("undecided", "waiting", "queued")) & receipt.c.is_return.is_(False)
    query = (
        select(bank_line, receipt.c.id.label("receipt_id"))
        .join(bank_account, bank_account.c.id == bank_line.c.bank_account_id)
        .outerjoin(
            receipt,
            (receipt.c.ledger_id == bank_account.c.ledger_id) & (receipt.c.bank_line_id == bank_line.c.id),
        )
        .where(
            bank_account.c.ledger_id == ledger_id,
            bulk.among(conn, bank_line.c.amount_minor, amounts),
            bank_line.c.booking_date >= since,
            bank_line.c.is_return.is_(False),
            bank_line.c.superseded_by.is_(None),
            receipt.c.id.is_(None) | waiting,
        )
        .order_by(bank_line.c.id)
    )
    return list(conn.execute(query))


def claim(conn: Connection, ledger_id: int, line: Any) -> int:
    """The (negative) receipt of a line on which money left; made where there is none yet."""
    if line.receipt_id is not None:
        return int(line.receipt_id)
    place = Place(line.id, 0, line.booking_date, line.currency, proven=True)
    share = Share(
        line.amount_minor, (line.text,), line.payer_name, line.payer_account,
        {"bank_reference": json.loads(line.body)["bank_reference"] or ""}, state="queued", hands_off=True,
    )  # fmt: skip
    (our_id,) = receipts.make(conn, ledger_id, [(place, share)])
    return our_id


def _is_return(part: BankLineRead) -> bool:
    coded = (part.is_return or part.is_reversal) and part.amount.minor != 0
    return coded or (part.amount.minor < 0 and says_returned(part.text))


def _supersede(
    conn: Connection, account: Any, correction: tuple[int | None, str, str], imported: Imported
) -> None:
    """Let a line replace an earlier one of this provider id; what the bank only takes back replaces itself."""
    line_id, provider_id, action = correction
    query = select(bank_line.c.id).where(
        bank_line.c.bank_account_id == account.id,
        bank_line.c.provider_id == provider_id,
        bank_line.c.superseded_by.is_(None),
    )
    for old_id in conn.execute(query).scalars().all():
        if old_id == line_id:
            continue
        by = old_id if line_id is None else line_id
        conn.execute(bank_line.update().where(bank_line.c.id == old_id).values(superseded_by=by))
        imported.corrections.append((account.ledger_id, old_id, action))


def lines_on(conn: Connection, account_id: int, day: date) -> list[Any]:
    """The lines of an account booked on a day, each once, in the order they came."""
    query = select(bank_line).where(
        bank_line.c.bank_account_id == account_id,
        bank_line.c.booking_date == day,
        bank_line.c.superseded_by.is_(None),
    )
    return list(conn.execute(query.order_by(bank_line.c.id)))


def receipts_on(conn: Connection, ledger_id: int, line_ids: Iterable[int]) -> list[Any]:
    """The receipts of these lines, by line and part."""
    query = select(receipt).where(
        receipt.c.ledger_id == ledger_id, bulk.among(conn, receipt.c.bank_line_id, line_ids)
    )
    return list(conn.execute(query.order_by(receipt.c.bank_line_id, receipt.c.part)))


def is_all_of(conn: Connection, statement_id: int, day: date) -> bool:
    """Whether every line of a statement was booked on this day, and is counted."""
    query = select(func.count()).where(
        bank_line.c.statement_id == statement_id,
        (bank_line.c.booking_date != day) | bank_line.c.superseded_by.is_not(None),
    )
    return not conn.execute(query).scalar_one()


def totals_by_state(conn: Connection, ledger_id: int) -> list[tuple[str, str, int, int]]:
    """(currency, state, number, sum in minor units) of all receipts: the left and right side of "no cent is lost"."""
    query = (
        select(receipt.c.currency, receipt.c.state, func.count(), func.sum(receipt.c.amount_minor))
        .where(receipt.c.ledger_id == ledger_id)
        .group_by(receipt.c.currency, receipt.c.state)
        .order_by(receipt.c.currency, receipt.c.state)
    )
    return [(c, s, n, int(m)) for c, s, n, m in conn.execute(query)]
