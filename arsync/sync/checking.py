"""What a clerk says of a drawn receipt, laid beside what was applied."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from arsync.core.decisions import Reason
from arsync.core.money import Money
from arsync.errors import Conflict
from arsync.store import breakdowns, decisions, office, queries, queues
from arsync.store import quality as store
from arsync.store.decisions import Line
from arsync.store.engine import Tx
from arsync.store.queues import Entry
from arsync.sync import acting, quality
from arsync.sync.acting import Acted, Desk

_AROUND = timedelta(days=14)  # an advice comes some days before its money or after it


@dataclass(frozen=True, slots=True)
class Said:
    """What a clerk says a receipt pays; no lines: it is no receivable."""

    lines: tuple[Line, ...]
    customer_id: int | None = None


def decision_id_of(row: Any, prefix: str = "sample:") -> int | None:
    """The decision that a queue item asks to check; None if it asks something else."""
    return int(row.subject.removeprefix(prefix)) if row.subject.startswith(prefix) else None


def answer(conn: Tx, desk: Desk, row: Any, decision_id: int, said: Said) -> Acted:
    """Compare what the clerk says with what was applied; what was applied stays."""
    decided = decisions.find(conn, desk.ledger.id, decision_id)
    lines = [
        Line(s.item_id, s.kind, s.amount_minor) for s in decisions.lines(conn, desk.ledger.id, decision_id)
    ]
    same = _same(conn, desk.ledger.id, said, Said(tuple(lines), decided.customer_id))
    by, at = desk.person.name, desk.at()
    store.set_sample(conn, desk.ledger.id, decision_id, "right" if same else "wrong", by, at)
    outcome = f"D-{decision_id} applied " + ("the same" if same else "something else")
    acting.close_item(conn, desk, row, outcome)
    told = {"decision": decision_id, "same": same, "said": [list(line) for line in said.lines]}
    acting.note(conn, desk, "checked", row.subject, told)
    if same:
        return Acted(None, "done", f"Q-{row.id}: {outcome}")
    doubt = _doubt(conn, desk, row, decided, lines)
    quality.review(conn, desk.ledger, office.policy_in_force(conn, desk.ledger.id).policy, at)
    text = (
        f"Q-{row.id}: {outcome}; see: arsync show D-{decision_id}\n"
        f"if it is wrong: arsync undo D-{decision_id} --why TEXT\n"
        f"if it is right, a manager says so: arsync queue resolve Q-{doubt} --why TEXT"
    )
    return Acted(None, "done", text)


def open_then(conn: Tx, ledger_id: int, row: Any, customer: str) -> list[Any]:
    """What was open of a customer, as it was known when a drawn receipt was decided; oldest due first."""
    owner = queries.find_customer(conn, ledger_id, customer)
    decided = decisions.find(conn, ledger_id, decision_id_of(row) or 0)
    rows = queries.open_as_of(conn, ledger_id, date.fromisoformat(decided.at[:10]), decided.at)
    return sorted((r for r in rows if r.customer_id == owner.id), key=lambda r: (r.due, r.item_id))


def advices_of(conn: Tx, ledger_id: int, receipt: Any) -> list[Any]:
    """The lines of advices over a receipt's amount, of the days around it."""
    rows = breakdowns.remittances(conn, ledger_id, receipt.on_date - _AROUND)
    wanted = (receipt.amount_minor, receipt.currency)
    return [
        r
        for r in rows
        if (r.total_minor, r.currency) == wanted
        and r.paid_minor is not None
        and r.received <= receipt.on_date + _AROUND
    ]


def unclear(conn: Tx, desk: Desk, row: Any, decision_id: int, why: str) -> None:
    """Nobody can tell what the receipt pays: it counts neither way."""
    store.set_sample(conn, desk.ledger.id, decision_id, "unclear", desk.person.name, desk.at())
    acting.note(conn, desk, "unclear", row.subject, {"decision": decision_id, "why": why})


def stands(conn: Tx, desk: Desk, row: Any, decision_id: int, why: str) -> None:
    """A second person has looked: what was applied is right, the check was mistaken.

    Raises:
        NotPermitted: only who may approve, and not who checked.
    """
    acting.permitted(desk.person, "approve")
    drawn = store.sample_of(conn, desk.ledger.id, decision_id)
    if drawn is None or drawn.state != "wrong":
        raise Conflict(f"nothing is said against D-{decision_id}", do=f"see: arsync show D-{decision_id}")
    acting.must_be_other(desk, drawn.checked_by)
    store.set_sample(conn, desk.ledger.id, decision_id, "stands", desk.person.name, desk.at())
    acting.note(conn, desk, "stands", row.subject, {"decision": decision_id, "why": why})


def _doubt(conn: Tx, desk: Desk, row: Any, decided: Any, lines: Sequence[Line]) -> int:
    """A queue item that stays until the application is taken back, or a second person lets it stand."""
    items = queries.items(conn, desk.ledger.id, [line.item_id for line in lines if line.item_id is not None])
    shown = ", ".join(
        f"{Money(line.minor, row.currency)} {_named(line, items)}"
        for line in lines
        if line.kind in ("cash", "on_account")
    )
    entry = Entry(
        subject=quality.doubt_subject(decided.id),
        reason=Reason.QUALITY_CHECK.value,
        detail=f"D-{decided.id} applied {shown}; {desk.person.name} sees it otherwise",
        receipt_id=decided.receipt_id,
        customer_id=decided.customer_id,
        currency=row.currency,
        amount_minor=row.amount_minor,
    )
    return next(iter(queues.open_items(conn, desk.ledger.id, [entry], desk.at()).new.values()))


def _named(line: Line, items: Mapping[int, Any]) -> str:
    if line.item_id is None:
        return "on account"
    return f"to {items[line.item_id].number or f'I-{line.item_id}'}"


def _same(conn: Tx, ledger_id: int, said: Said, done: Said) -> bool:
    """Whether both give the same to the same items; of equal items of one customer and day each is as good."""
    ids = {line.item_id for line in (*said.lines, *done.lines) if line.item_id is not None}
    items = queries.items(conn, ledger_id, sorted(ids))
    if not ids and said.customer_id != done.customer_id:
        return False
    return bool(said.lines) and _spread(said.lines, items) == _spread(done.lines, items)


def _spread(lines: Sequence[Line], items: Mapping[int, Any]) -> Counter[tuple[Any, ...]]:
    """What each item gets, in cash and given up; where it is given up for does not matter."""
    cash: Counter[int | None] = Counter()
    given_up: Counter[int | None] = Counter()
    for line in lines:
        (cash if line.kind in ("cash", "on_account") else given_up)[line.item_id] += line.minor
    return Counter((_twin(items.get(i or 0)), cash[i], given_up[i]) for i in {*cash, *given_up})


def _twin(row: Any) -> tuple[Any, ...]:
    return (row.customer_id, row.kind, row.currency, row.due, row.original_minor) if row is not None else ()
