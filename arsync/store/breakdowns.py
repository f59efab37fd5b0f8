"""What bank lines are made of, what was announced before it was booked, and what payers say they pay.

Law     a breakdown is no money of its own: it splits the receipt of the line that books it, and shares add up
        to that line. What was announced makes no receipt, ever. A receipt that somebody has decided is left
        alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from arsync.core.bank import BankLineRead, Remittance, Statement
from arsync.core.deposits import REMAINDER, Line, Sum, partner, remainder
from arsync.core.finality import method_of
from arsync.store import bulk, receipts
from arsync.store.receipts import Place, Share
from arsync.store.tables import (
    bank_file,
    bank_line,
    breakdown,
    breakdown_line,
    receipt,
    remittance,
    remittance_line,
)

INSTALLATION = 0
_LINE = (
    "id", "breakdown_id", "bank_account_id", "key", "occurrence", "booking_date", "amount_minor", "currency", "body",
)  # fmt: skip
_REMITTANCE = (
    "ledger_id", "id", "key", "file_sha", "locator", "received", "payer_name", "payer_account", "currency",
    "total_minor", "grade", "reference", "line_key",
)  # fmt: skip
_REMITTANCE_LINE = (
    "ledger_id", "remittance_id", "line", "reference", "paid_minor", "gross_minor", "discount_minor", "note",
)  # fmt: skip
_TAKEN_BACK = frozenset({"refund", "chargeback", "return"})
_UNDECIDED = ("undecided", "waiting", "queued")


@dataclass(frozen=True, slots=True)
class Split:
    """A bank line that was taken apart."""

    bank_line_id: int
    receipt_ids: tuple[int, ...]
    remainder_minor: int
    currency: str


# ---- keeping


def keep(conn: Connection, sha: bytes, read: Statement, account: Any) -> int:
    """Keep a breakdown or an announcement; the number of its lines that were not known."""
    occurrence = {(row.key, row.occurrence) for row in _known(conn, account.id, read.lines)}
    new = [line for line in read.lines if (line.key, line.occurrence) not in occurrence]
    if read.lines and not new:
        return 0
    (our_id,) = bulk.take_ids(conn, INSTALLATION, "breakdown", 1)
    days = [day for day in (read.to_date, *(line.booking_date for line in read.lines)) if day]
    total = _sum(read) if read.total is None else read.total
    conn.execute(
        breakdown.insert().values(
            id=our_id, bank_account_id=account.id, standing=read.standing, file_sha=sha,
            statement_id=read.statement_id, reference=read.reference or "", currency=read.currency or account.currency,
            total_minor=None if total is None else total.minor, last_day=max(days, default=None), proven=read.proven,
        )
    )  # fmt: skip
    ids = bulk.take_ids(conn, INSTALLATION, "breakdown_line", len(new))
    rows = [
        (
            line_id, our_id, account.id, line.key, line.occurrence, line.booking_date, line.amount.minor,
            line.amount.currency, json.dumps(_body(line), ensure_ascii=False),
        )
        for line_id, line in zip(ids, new, strict=True)
    ]  # fmt: skip
    bulk.insert(conn, breakdown_line, _LINE, rows)
    return len(new)


def _known(conn: Connection, account_id: int, lines: Iterable[BankLineRead]) -> list[Any]:
    keys = {line.key for line in lines}
    return bulk.rows_by(conn, breakdown_line, ("key", "occurrence"), "key", keys, bank_account_id=account_id)


def _sum(read: Statement) -> Any:
    """What the lines of a complete breakdown come to, where the file names no total."""
    if read.standing != "detail" or read.problems or not read.lines:
        return None
    first = read.lines[0].amount
    return sum((line.amount for line in read.lines[1:]), first)


def _body(line: BankLineRead) -> dict[str, Any]:
    return {
        "key": line.key,
        "amount_minor": line.amount.minor,
        "payer_name": line.payer_name or "",
        "payer_account": line.payer_account or "",
        "texts": list(dict.fromkeys(t for t in (line.text, line.text_joined) if t)),
        "creditor_reference": line.creditor_reference or "",
        "end_to_end_id": line.end_to_end_id or "",
        "bank_reference": line.bank_reference or "",
        "cheque_number": line.cheque_number or "",
        "family": line.code_family,
        "method": method_of(line.code_family, line.raw_codes, line.amount.currency),
        "is_return": line.is_return or line.is_reversal or line.code_family in _TAKEN_BACK,
        "original_reference": line.original_reference or "",
        "return_reason": line.return_reason or "",
        "raw": line.raw,
        "parts": [_body(part) for part in line.parts],
    }


def keep_remittances(
    conn: Connection, ledger_id: int, sha: bytes, found: Sequence[Remittance], today: date
) -> int:
    """Keep the advices of a file that are not there yet; how many were new."""
    known = bulk.rows_by(conn, remittance, ("key",), "key", {one.key for one in found}, ledger_id=ledger_id)
    seen = {row.key for row in known}
    new = {one.key: one for one in found if one.key not in seen and one.currency is not None and one.lines}
    ids = bulk.take_ids(conn, ledger_id, "remittance", len(new))
    rows, lines = [], []
    for our_id, one in zip(ids, new.values(), strict=True):
        # A problem of the advice itself means that it explains nothing by itself.
        grade = "unknown" if one.problems else one.grade
        rows.append(
            (
                ledger_id, our_id, one.key, sha, one.locator, one.on or today, one.payer_name, one.payer_account,
                one.currency, None if one.total is None else abs(one.total.minor), grade, one.reference, one.line_key,
            )
        )  # fmt: skip
        for number, line in enumerate(one.lines, 1):
            amounts = (line.paid, line.gross, line.discount)
            lines.append(
                (
                    ledger_id,
                    our_id,
                    number,
                    line.reference,
                    *(None if a is None else a.minor for a in amounts),
                    line.note,
                )
            )
    bulk.insert(conn, remittance, _REMITTANCE, rows)
    bulk.insert(conn, remittance_line, _REMITTANCE_LINE, lines)
    return len(new)


def remittances(conn: Connection, ledger_id: int, since: date) -> list[Any]:
    """Each line of the advices received since a day, with its advice, for the matcher."""
    query = (
        select(
            remittance.c.id, remittance.c.received, remittance.c.payer_name, remittance.c.currency,
            remittance.c.total_minor, remittance.c.grade, remittance_line.c.reference, remittance_line.c.paid_minor,
            remittance_line.c.gross_minor, remittance_line.c.discount_minor, remittance_line.c.note,
        )
        .join(
            remittance_line,
            (remittance_line.c.ledger_id == remittance.c.ledger_id)
            & (remittance_line.c.remittance_id == remittance.c.id),
        )
        .where(remittance.c.ledger_id == ledger_id, remittance.c.received >= since)
        .order_by(remittance.c.id, remittance_line.c.line)
    )  # fmt: skip
    return list(conn.execute(query))


# ---- explaining booked lines


def explain(conn: Connection, account: Any) -> list[Split]:
    """Link what was announced and broken down to the lines that book it; the lines that were split."""
    return [*_booked_now(conn, account), *_broken_down(conn, account)]


def _broken_down(conn: Connection, account: Any) -> list[Split]:
    waiting = conn.execute(
        select(breakdown)
        .where(
            breakdown.c.bank_account_id == account.id, breakdown.c.standing == "detail",
            breakdown.c.bank_line_id.is_(None), breakdown.c.total_minor.is_not(None),
        )
        .order_by(breakdown.c.id)
    ).all()  # fmt: skip
    if not waiting:
        return []
    lines = _lines_to_explain(
        conn, account, min((row.last_day for row in waiting if row.last_day), default=None)
    )
    wanted = [([row.id], _as_sum([row])) for row in waiting] + _groups(waiting)
    found = [(ids, line) for ids, one in wanted if (line := partner(one, lines)) is not None]
    splits: list[Split] = []
    taken: set[int] = set()
    for ids, line in found:
        # A line two sums claim belongs to neither.
        rivals = [other for other, claimed in found if claimed.id == line.id and not set(other) <= set(ids)]
        if taken.intersection(ids) or any(not set(ids) <= set(other) for other in rivals):
            continue
        taken.update(ids)
        split = _split_by(conn, account, line, ids)
        if split is not None:
            splits.append(split)
    return splits


def _groups(waiting: Sequence[Any]) -> list[tuple[list[int], Sum]]:
    """Batches of one lockbox and day that the bank may deposit as one sum."""
    by_day: dict[tuple[Any, ...], list[Any]] = {}
    for row in waiting:
        by_day.setdefault((row.file_sha, row.reference, row.last_day, row.currency), []).append(row)
    several = [rows for rows in by_day.values() if len(rows) > 1]
    return [([row.id for row in rows], _as_sum(rows)) for rows in several]


def _as_sum(rows: Sequence[Any]) -> Sum:
    last = rows[0].last_day
    return Sum(rows[0].id, sum(row.total_minor for row in rows), rows[0].currency, last, rows[0].reference)


def _lines_to_explain(conn: Connection, account: Any, since: date | None) -> list[Line]:
    linked = select(breakdown.c.bank_line_id).where(
        breakdown.c.bank_account_id == account.id, breakdown.c.bank_line_id.is_not(None)
    )
    query = select(
        bank_line.c.id,
        bank_line.c.amount_minor,
        bank_line.c.currency,
        bank_line.c.booking_date,
        bank_line.c.text,
    ).where(
        bank_line.c.bank_account_id == account.id,
        bank_line.c.superseded_by.is_(None),
        bank_line.c.id.not_in(linked),
    )
    if since is not None:
        query = query.where(bank_line.c.booking_date >= date.fromordinal(since.toordinal() - 3))
    return [Line(*row) for row in conn.execute(query.order_by(bank_line.c.id))]


def _split_by(conn: Connection, account: Any, line: Line, breakdown_ids: Sequence[int]) -> Split | None:
    """Link breakdowns to the line that books them, and take it apart where nobody has decided it yet."""
    bodies = [
        json.loads(body)
        for body in conn.execute(
            select(breakdown_line.c.body)
            .where(bulk.among(conn, breakdown_line.c.breakdown_id, breakdown_ids))
            .order_by(breakdown_line.c.id)
        ).scalars()
    ]
    conn.execute(
        breakdown.update().where(bulk.among(conn, breakdown.c.id, breakdown_ids)).values(bank_line_id=line.id)
    )
    return _split(conn, account, line, bodies)


def _split(conn: Connection, account: Any, line: Line, bodies: Sequence[Mapping[str, Any]]) -> Split | None:
    """Make a receipt of each share; None where there is none, or somebody has decided the line already."""
    shares = [_share(body) for body in bodies if body["amount_minor"]]
    rows = conn.execute(
        select(receipt).where(receipt.c.ledger_id == account.ledger_id, receipt.c.bank_line_id == line.id)
    ).all()
    if not shares or len(rows) > 1 or any(row.state not in _UNDECIDED or row.hands_off for row in rows):
        return None
    left = remainder(line.amount_minor, [share.amount_minor for share in shares])
    if left:
        shares.append(Share(left, (REMAINDER,), state="queued"))
    if rows:  # the receipt of the whole line becomes that of its first share
        ids = receipts.divide(conn, rows[0], shares)
    else:
        places = [Place(line.id, n, line.booked, line.currency, proven=True) for n in range(len(shares))]
        ids = receipts.make(conn, account.ledger_id, list(zip(places, shares, strict=True)))
    return Split(line.id, tuple(ids), left, line.currency)


def _share(body: Mapping[str, Any]) -> Share:
    """A line of a breakdown as a receipt; fees are no receivable."""
    is_fee = body["family"] == "fee"
    return Share(
        body["amount_minor"], tuple(body["texts"]), body["payer_name"], body["payer_account"],
        {name: body[name] for name in receipts.REFERENCES}, bool(body["is_return"]),
        body.get("method", "not said"),  # lines kept before methods were do not have it
        "not_ours" if is_fee else "undecided", is_fee,
    )  # fmt: skip


def _booked_now(conn: Connection, account: Any) -> list[Split]:
    """Announced lines that a booked line now says: linked, and their parts taken where the booked line has none."""
    announced = conn.execute(
        select(breakdown_line)
        .join(breakdown, breakdown.c.id == breakdown_line.c.breakdown_id)
        .where(
            breakdown_line.c.bank_account_id == account.id, breakdown.c.standing == "provisional",
            breakdown_line.c.bank_line_id.is_(None), breakdown_line.c.booking_date.is_not(None),
        )
        .order_by(breakdown_line.c.id)
    ).all()  # fmt: skip
    if not announced:
        return []
    since = min(row.booking_date for row in announced)
    taken = set(
        conn.execute(
            select(breakdown_line.c.bank_line_id).where(
                breakdown_line.c.bank_account_id == account.id, breakdown_line.c.bank_line_id.is_not(None)
            )
        ).scalars()
    )
    booked = conn.execute(
        select(bank_line).where(
            bank_line.c.bank_account_id == account.id, bank_line.c.booking_date >= since,
            bank_line.c.superseded_by.is_(None),
        )
    ).all()  # fmt: skip
    free = [row for row in booked if row.id not in taken]
    splits: list[Split] = []
    for row in announced:
        line = _says_the_same(row, free)
        if line is None:
            continue
        free.remove(line)
        conn.execute(
            breakdown_line.update().where(breakdown_line.c.id == row.id).values(bank_line_id=line.id)
        )
        parts = json.loads(row.body)["parts"]
        whole = Line(line.id, line.amount_minor, line.currency, line.booking_date, line.text)
        if parts and (split := _split(conn, account, whole, parts)) is not None:
            splits.append(split)
    return splits


def _says_the_same(row: Any, free: Sequence[Any]) -> Any | None:
    """The booked line of what was announced: by identity, by the bank's or payer's reference, else the only one."""
    same = [line for line in free if (line.amount_minor, line.currency) == (row.amount_minor, row.currency)]
    for line in same:
        if (line.key, line.occurrence) == (row.key, row.occurrence):
            return line
    body = json.loads(row.body)
    names = {name for name in (body["end_to_end_id"], body["bank_reference"]) if name}
    referring = [line for line in same if names & _references(line)]
    if referring:
        return referring[0] if len(referring) == 1 else None
    on_day = [line for line in same if line.booking_date == row.booking_date]
    return on_day[0] if len(on_day) == 1 else None


def _references(line: Any) -> set[str]:
    body = json.loads(line.body)
    return {name for name in (body["end_to_end_id"], body["bank_reference"]) if name}


# ---- what looks like one payment twice


@dataclass(frozen=True, slots=True)
class Twin:
    """A new line and a known one of another format that have one day and amount."""

    line_id: int
    other_id: int
    certain: bool  # bank or payer gave both the same reference


def twins(
    conn: Connection, account_id: int, format_: str, line_ids: Sequence[int], present: Iterable[int]
) -> list[Twin]:
    """New lines that may be known from a file of another format; each known line is the twin of one at most.

    Args:
        conn: the store.
        account_id: whose lines.
        format_: of the file the new lines came in: two lines of one format with different identities are two.
        line_ids: the new lines.
        present: known lines that the same file holds too: they are not the new ones.
    """
    new = (
        conn.execute(select(bank_line).where(bulk.among(conn, bank_line.c.id, line_ids))).all()
        if line_ids
        else []
    )
    if not new:
        return []
    days = [row.booking_date for row in new]
    query = (
        select(bank_line)
        .join(bank_file, bank_file.c.sha == bank_line.c.file_sha)
        .where(
            bank_line.c.bank_account_id == account_id, bank_line.c.superseded_by.is_(None),
            bank_line.c.booking_date >= min(days), bank_line.c.booking_date <= max(days),
            bank_file.c.format != format_,
        )
        .order_by(bank_line.c.id)
    )  # fmt: skip
    gone = {*present, *line_ids}
    free = [row for row in conn.execute(query) if row.id not in gone]
    found: list[Twin] = []
    for row in new:
        same = [old for old in free if _looks_like(old, row)]
        certain = [old for old in same if _references(old) & _references(row)]
        if same:
            twin = (certain or same)[0]
            free.remove(twin)
            found.append(Twin(row.id, twin.id, bool(certain)))
    return found


def _looks_like(one: Any, other: Any) -> bool:
    return (one.booking_date, one.amount_minor, one.currency) == (
        other.booking_date,
        other.amount_minor,
        other.currency,
    )


def merge(conn: Connection, pairs: Iterable[Twin]) -> None:
    """Count new lines as the known ones they repeat: no money comes twice."""
    for twin in pairs:
        conn.execute(
            bank_line.update().where(bank_line.c.id == twin.line_id).values(superseded_by=twin.other_id)
        )


def doubled(conn: Connection, account_id: int) -> list[Any]:
    """Lines that count as another one, which came in a file of another format."""
    other = bank_line.alias("other")
    query = (
        select(bank_line)
        .join(other, (other.c.id == bank_line.c.superseded_by) & (other.c.id < bank_line.c.id))
        .where(bank_line.c.bank_account_id == account_id)
        .order_by(bank_line.c.id)
    )
    return list(conn.execute(query))


def count_waiting(conn: Connection, account_id: int) -> int:
    """Breakdowns of an account whose line was not found yet."""
    query = select(func.count()).where(
        breakdown.c.bank_account_id == account_id,
        breakdown.c.standing == "detail",
        breakdown.c.bank_line_id.is_(None),
    )
    return int(conn.execute(query).scalar_one())
