"""Decisions and what they spend.

Law     a decision is kept only if every item and receipt it spends still has the version it saw and is
        still available; keeping one counts up the versions of what it spends, so that two deciders never
        spend the same thing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from arsync.errors import NotFound
from arsync.store import bulk, work
from arsync.store.tables import decision, decision_line, item, receipt

IN_THE_BOOKS = frozenset({"applied", "on_account", "linked"})  # states of a receipt whose payment stands
BESIDE = frozenset({"park", "deposit"})  # verdicts about a receipt that leave open what it pays


class Line(NamedTuple):  # several for each decision
    """What a decision does with an item (None: on account). `minor` is signed like the item."""

    item_id: int | None
    kind: str  # cash, discount, write_off, on_account
    minor: int


class New(NamedTuple):
    """A decision to keep."""

    receipt_id: int | None
    customer_id: int | None
    verdict: str
    evidence_class: str
    probability: float
    decided_by: str
    why: str
    currency: str
    lines: tuple[Line, ...]
    state: str  # planned when something must be written, else done
    receipt_state: str | None  # what the receipt becomes
    payment_id: int | None = None
    snapshot_sha: bytes | None = None
    finding_sha: bytes | None = None
    engine_version: str = ""
    policy_version: int = 0
    undoes_id: int | None = None
    hands_off: bool = False


def refused(
    conn: Connection,
    ledger_id: int,
    rows: Sequence[New],
    item_versions: Mapping[int, int],
    receipt_versions: Mapping[int, int],
) -> dict[int, str]:
    """Which of the decisions (by position) cannot be kept any more, and why; locks what the others spend."""
    item_ids = {line.item_id for row in rows for line in row.lines if line.item_id is not None}
    receipt_ids = {row.receipt_id for row in rows if row.receipt_id is not None}
    items = _locked(conn, item, ("id", "version", "gone", "open_minor"), ledger_id, item_ids)
    receipts = _locked(conn, receipt, ("id", "version"), ledger_id, receipt_ids)
    taken = work.reserved(conn, ledger_id)
    spent: dict[int, int] = {}
    out: dict[int, str] = {}
    for position, row in enumerate(rows):
        why = _stale(row, items, receipts, item_versions, receipt_versions) or _overspent(
            row, items, taken, spent
        )
        if why:
            out[position] = why
            continue
        for line in row.lines:
            if line.item_id is not None:
                spent[line.item_id] = spent.get(line.item_id, 0) + line.minor
    return out


def keep(conn: Connection, ledger_id: int, rows: Sequence[New], at: str) -> list[int]:
    """Keep decisions that `refused` let pass; their ids."""
    ids = bulk.take_ids(conn, ledger_id, "decision", len(rows))
    numbered = list(zip(ids, rows, strict=True))
    bulk.insert(
        conn,
        decision,
        (
            "ledger_id", "id", "receipt_id", "customer_id", "verdict", "evidence_class", "probability",
            "decided_by", "at",
            "state", "why", "snapshot_sha", "finding_sha", "engine_version", "policy_version", "undoes_id",
            "generation",
        ),
        [
            (
                ledger_id, i, r.receipt_id, r.customer_id, r.verdict, r.evidence_class, r.probability, r.decided_by, at,
                r.state, r.why, r.snapshot_sha, r.finding_sha, r.engine_version, r.policy_version, r.undoes_id, 1,
            )
            for i, r in numbered
        ],
    )  # fmt: skip
    bulk.insert(
        conn,
        decision_line,
        ("ledger_id", "decision_id", "line", "item_id", "kind", "amount_minor", "currency"),
        [
            (ledger_id, i, n, line.item_id, line.kind, line.minor, r.currency)
            for i, r in numbered
            for n, line in enumerate(r.lines)
        ],
    )
    touch_items(conn, ledger_id, {line.item_id for r in rows for line in r.lines if line.item_id is not None})
    bulk.update(
        conn,
        receipt,
        ("ledger_id", "id"),
        ("state", "decision_id", "customer_id", "payment_id", "hands_off"),
        [
            (ledger_id, r.receipt_id, r.receipt_state, i, r.customer_id, r.payment_id, r.hands_off)
            for i, r in numbered
            if r.receipt_id is not None and r.receipt_state is not None
        ],
        counted="version",
    )
    return list(ids)


def set_receipt(conn: Connection, ledger_id: int, receipt_id: int, **values: Any) -> None:
    """Change a receipt; counts its version up."""
    conn.execute(
        receipt.update()
        .where(receipt.c.ledger_id == ledger_id, receipt.c.id == receipt_id)
        .values(**values, version=receipt.c.version + 1)
    )


def move_receipts(conn: Connection, ledger_id: int, ids: Sequence[int], state: str) -> None:
    """Put undecided receipts into another undecided state; writes nothing for those that are there already."""
    if ids:
        conn.execute(
            receipt.update()
            .where(
                receipt.c.ledger_id == ledger_id,
                bulk.among(conn, receipt.c.id, ids),
                receipt.c.state != state,
            )
            .values(state=state, version=receipt.c.version + 1)
        )


def set_state(conn: Connection, ledger_id: int, decision_id: int, state: str, why: str | None = None) -> None:
    """Move a decision to another state."""
    values: dict[str, Any] = {"state": state} | ({"why": why} if why is not None else {})
    conn.execute(
        decision.update()
        .where(decision.c.ledger_id == ledger_id, decision.c.id == decision_id)
        .values(**values)
    )


def approve(conn: Connection, ledger_id: int, decision_id: int, by: str) -> None:
    """Let an asked-for decision go on; keeps who approved it."""
    conn.execute(
        decision.update()
        .where(decision.c.ledger_id == ledger_id, decision.c.id == decision_id)
        .values(state="planned", approved_by=by)
    )


def tell_receipt(conn: Connection, ledger_id: int, decision_id: int, receipt_id: int) -> None:
    """Tell a decision which receipt it is about, where that showed only later."""
    conn.execute(
        decision.update()
        .where(decision.c.ledger_id == ledger_id, decision.c.id == decision_id)
        .values(receipt_id=receipt_id)
    )


def find(conn: Connection, ledger_id: int, decision_id: int) -> Any:
    """One decision."""
    row = conn.execute(
        select(decision).where(decision.c.ledger_id == ledger_id, decision.c.id == decision_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no decision D-{decision_id}", do="see: arsync show R-… of its receipt")
    return row


def lines(conn: Connection, ledger_id: int, decision_id: int) -> list[Any]:
    """What a decision spends."""
    query = (
        select(decision_line)
        .where(decision_line.c.ledger_id == ledger_id, decision_line.c.decision_id == decision_id)
        .order_by(decision_line.c.line)
    )
    return list(conn.execute(query))


def of_receipt(conn: Connection, ledger_id: int, receipt_id: int) -> list[Any]:
    """All decisions on a receipt, oldest first."""
    query = (
        select(decision)
        .where(decision.c.ledger_id == ledger_id, decision.c.receipt_id == receipt_id)
        .order_by(decision.c.id)
    )
    return list(conn.execute(query))


def given_up(conn: Connection, ledger_id: int, by: str, since: date) -> dict[tuple[int, str], int]:
    """Minor units of small differences given up from a day on, by customer and currency; what was undone counts not."""
    line, d = decision_line.c, decision.c
    query = (
        select(d.customer_id, line.currency, func.sum(line.amount_minor))
        .join(decision, (d.ledger_id == line.ledger_id) & (d.id == line.decision_id))
        .where(
            line.ledger_id == ledger_id,
            line.kind == "small_difference",
            d.decided_by == by,
            d.at >= since.isoformat(),
            d.state.in_(("asked", "planned", "done")),
            d.undoes_id.is_(None),
            d.customer_id.is_not(None),
        )
        .group_by(d.customer_id, line.currency)
    )
    return {(customer, currency): int(minor) for customer, currency, minor in conn.execute(query)}


def given_up_alone(conn: Connection, ledger_id: int, by: str, currency: str, since: date) -> int:
    """Minor units a person has given up from a day on without a second one; a discount earned by terms counts not."""
    line, d = decision_line.c, decision.c
    query = (
        select(func.coalesce(func.sum(line.amount_minor), 0))
        .join(decision, (d.ledger_id == line.ledger_id) & (d.id == line.decision_id))
        .where(
            line.ledger_id == ledger_id,
            line.currency == currency,
            line.kind.not_in(("cash", "on_account")),
            (line.kind != "discount") | (d.evidence_class == "none"),
            d.decided_by == by,
            d.approved_by.is_(None),
            d.at >= since.isoformat(),
            d.state.in_(("planned", "done")),
            d.undoes_id.is_(None),
        )
    )
    return int(conn.execute(query).scalar_one())


def park_of(conn: Connection, ledger_id: int, receipt_id: int) -> Any:
    """The decision that parked a receipt at period end, done or under way; None if it was not parked."""
    return parks(conn, ledger_id, [receipt_id]).get(receipt_id)


def parks(conn: Connection, ledger_id: int, receipt_ids: Iterable[int]) -> dict[int, Any]:
    """The decisions that parked these receipts, by receipt."""
    query = select(decision).where(
        decision.c.ledger_id == ledger_id,
        bulk.among(conn, decision.c.receipt_id, receipt_ids),
        decision.c.verdict == "park",
        decision.c.state.in_(("planned", "done")),
    )
    return {row.receipt_id: row for row in conn.execute(query)}


def receipt_of(conn: Connection, ledger_id: int, receipt_id: int) -> Any:
    """One receipt."""
    row = conn.execute(
        select(receipt).where(receipt.c.ledger_id == ledger_id, receipt.c.id == receipt_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no receipt R-{receipt_id}", do="see: arsync queue list")
    return row


def receipts(conn: Connection, ledger_id: int, ids: Iterable[int]) -> dict[int, Any]:
    """Receipts by id."""
    columns = (*work.RECEIPT, "bank_line_id")
    return {row.id: row for row in bulk.rows_by(conn, receipt, columns, "id", ids, ledger_id=ledger_id)}


def receipts_of_payments(conn: Connection, ledger_id: int, payment_ids: Iterable[int]) -> list[Any]:
    """Decided receipts that these payments of the platform book."""
    return bulk.rows_by(
        conn,
        receipt,
        [c.name for c in receipt.c],
        "payment_id",
        sorted(payment_ids),
        ledger_id=ledger_id,
    )


def receipts_of_line(conn: Connection, ledger_id: int, line_id: int) -> list[Any]:
    """The receipts a bank line became."""
    return list(
        conn.execute(
            select(receipt).where(receipt.c.ledger_id == ledger_id, receipt.c.bank_line_id == line_id)
        )
    )


def receipts_of_amount(
    conn: Connection, ledger_id: int, amount_minor: int, currency: str, days: tuple[date, date]
) -> list[Any]:
    """Receipts of this amount that are in the books, dated from the first to the last of `days`."""
    c = receipt.c
    query = select(receipt).where(
        c.ledger_id == ledger_id,
        c.state.in_(IN_THE_BOOKS),
        c.amount_minor == amount_minor,
        c.currency == currency,
        c.on_date.between(*days),
    )
    return list(conn.execute(query.order_by(c.on_date, c.id)))


def approved_refunds(conn: Connection, ledger_id: int) -> list[Any]:
    """Refunds that wait for the bank to show them."""
    d = decision.c
    query = select(decision).where(
        d.ledger_id == ledger_id, d.verdict == "refund", d.state == "planned", d.receipt_id.is_(None)
    )
    return list(conn.execute(query.order_by(d.id)))


def lines_to_deposit(conn: Connection, ledger_id: int) -> list[int]:
    """Bank lines that became several receipts, some of them in the books, and that no deposit was made for yet."""
    kept = (
        select(receipt.c.bank_line_id)
        .join(
            decision, (decision.c.ledger_id == receipt.c.ledger_id) & (decision.c.receipt_id == receipt.c.id)
        )
        .where(
            receipt.c.ledger_id == ledger_id,
            decision.c.verdict == "deposit",
            decision.c.state.in_(("planned", "done", "undoing")),
        )
    )
    query = (
        select(receipt.c.bank_line_id)
        .where(
            receipt.c.ledger_id == ledger_id,
            receipt.c.part > 0,
            receipt.c.state.in_((*IN_THE_BOOKS, "not_ours")),
            receipt.c.bank_line_id.not_in(kept),
        )
        .distinct()
        .order_by(receipt.c.bank_line_id)
    )
    return list(conn.execute(query).scalars())


def touch_items(conn: Connection, ledger_id: int, ids: Iterable[int]) -> None:
    """Count up the versions of items whose available amount changed."""
    rows = [(ledger_id, item_id) for item_id in sorted(ids)]
    bulk.update(conn, item, ("ledger_id", "id"), (), rows, counted="version")


def _locked(
    conn: Connection, table: Any, columns: Sequence[str], ledger_id: int, ids: Iterable[int]
) -> dict[int, Any]:
    listed = sorted(ids)
    if not listed:
        return {}
    query = (
        select(*(table.c[name] for name in columns))
        .where(table.c.ledger_id == ledger_id, bulk.among(conn, table.c.id, listed))
        .order_by(table.c.id)
        .with_for_update()
    )
    return {row.id: row for row in conn.execute(query).all()}


def _stale(
    row: New, items: Mapping[int, Any], receipts: Mapping[int, Any], item_versions: Mapping[int, int],
    receipt_versions: Mapping[int, int],
) -> str:  # fmt: skip
    if row.receipt_id is not None:
        now = receipts.get(row.receipt_id)
        if now is None or now.version != receipt_versions.get(row.receipt_id):
            return "the receipt changed meanwhile"
    for line in row.lines:
        if line.item_id is None:
            continue
        seen = items.get(line.item_id)
        if seen is None or seen.gone or seen.version != item_versions.get(line.item_id):
            return "an item changed meanwhile"
    return ""


def _overspent(row: New, items: Mapping[int, Any], taken: Mapping[int, int], spent: Mapping[int, int]) -> str:
    wanted: dict[int, int] = {}
    for line in row.lines:
        if line.item_id is not None:
            wanted[line.item_id] = wanted.get(line.item_id, 0) + line.minor
    for item_id, minor in wanted.items():
        left = items[item_id].open_minor - taken.get(item_id, 0) - spent.get(item_id, 0)
        if not (0 < minor <= left or left <= minor < 0):
            return "an item has less available than this decision needs"
    return ""
