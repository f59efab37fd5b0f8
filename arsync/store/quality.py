"""How often we are wrong: the blind sample, errors found in other ways, and classes of evidence held back.

Law     a sample is drawn in the transaction that keeps the decisions it is drawn from.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, select

from arsync.core.matching.sampling import Place, Stratum
from arsync.store import bulk
from arsync.store.tables import decision, found_error, held_class, sample, stratum

APPLIED = ("apply", "on_account")  # verdicts that put money somewhere
_WRONG = ("wrong", "undone")
_CHECKED = ("right", "stands", *_WRONG)


def places(conn: Connection, ledger_id: int) -> dict[Stratum, Place]:
    """How far the draw has come."""
    rows = conn.execute(select(stratum).where(stratum.c.ledger_id == ledger_id))
    return {Stratum(r.evidence_class, r.currency, r.digits): Place(r.seen, r.drawn) for r in rows}


def keep_draw(
    conn: Connection,
    ledger_id: int,
    drawn: Sequence[tuple[int, str]],
    changed: Mapping[Stratum, Place],
    at: str,
) -> None:
    """Keep which decisions were drawn, with their class of evidence, and how far the draw has come."""
    columns = ("ledger_id", "decision_id", "evidence_class", "at", "state")
    bulk.insert(conn, sample, columns, [(ledger_id, i, klass, at, "asked") for i, klass in drawn])
    names = ("ledger_id", "evidence_class", "currency", "digits", "seen", "drawn")
    bulk.upsert(conn, stratum, names, [(ledger_id, *key, *place) for key, place in changed.items()])


def sample_of(conn: Connection, ledger_id: int, decision_id: int) -> Any:
    """The sample of a decision; None if it was not drawn."""
    mine = (sample.c.ledger_id == ledger_id) & (sample.c.decision_id == decision_id)
    return conn.execute(select(sample).where(mine)).one_or_none()


def set_sample(conn: Connection, ledger_id: int, decision_id: int, state: str, by: str, at: str) -> None:
    """Say what came of a sample; does nothing where the decision was not drawn."""
    conn.execute(
        sample.update()
        .where(sample.c.ledger_id == ledger_id, sample.c.decision_id == decision_id)
        .values(state=state, checked_by=by, checked_at=at)
    )


def keep_error(
    conn: Connection, ledger_id: int, errors: Iterable[tuple[int, str]], how: str, who: str, at: str
) -> None:
    """Keep that these decisions (with their classes of evidence) were found wrong; the first finding stays."""
    columns = ("ledger_id", "decision_id", "evidence_class", "how", "who", "at")
    rows = [(ledger_id, i, klass, how, who, at) for i, klass in errors]
    bulk.insert_missing(conn, found_error, columns, rows)


def drop_error(conn: Connection, ledger_id: int, decision_id: int) -> None:
    """Forget that a decision was found wrong: a person has said that it is right."""
    conn.execute(
        found_error.delete().where(
            found_error.c.ledger_id == ledger_id, found_error.c.decision_id == decision_id
        )
    )


# ---- classes held back


def held(conn: Connection, ledger_id: int) -> dict[str, Any]:
    """The classes of evidence that apply nothing by themselves now."""
    query = select(held_class).where(held_class.c.ledger_id == ledger_id, held_class.c.lifted_at.is_(None))
    return {row.evidence_class: row for row in conn.execute(query)}


def hold(conn: Connection, ledger_id: int, evidence_class: str, why: str, at: str) -> None:
    """Hold a class back."""
    conn.execute(
        held_class.insert().values(ledger_id=ledger_id, evidence_class=evidence_class, held_at=at, why=why)
    )


def lift(conn: Connection, ledger_id: int, evidence_class: str, by: str, at: str) -> None:
    """Let a class go on; what is counted against it begins anew."""
    mine = (held_class.c.ledger_id == ledger_id) & (held_class.c.evidence_class == evidence_class)
    conn.execute(
        held_class.update().where(mine, held_class.c.lifted_at.is_(None)).values(lifted_at=at, lifted_by=by)
    )


# ---- counting


class Counts(NamedTuple):
    """What is known of one class of evidence."""

    applied: int = 0  # by the program
    checked: int = 0
    wrong: int = 0
    asked: int = 0
    unclear: int = 0
    undone: int = 0
    moved: int = 0
    since: str | None = None  # when it was last lifted; None: from the beginning


def counts(conn: Connection, ledger_id: int, engine: str) -> dict[str, Counts]:
    """By class of evidence, since it was last lifted; `engine` is whose decisions are the program's."""
    lifted = _lifted(conn, ledger_id)
    found: dict[str, Counts] = {}

    def add(query: Select[Any]) -> None:
        for row in conn.execute(query):
            numbers: Any = {name: int(getattr(row, name)) for name in row._fields if name in Counts._fields}
            before = found.get(row.evidence_class, Counts(since=lifted.get(row.evidence_class)))
            found[row.evidence_class] = before._replace(**numbers)

    d, e = decision.c, found_error.c
    applied = select(d.evidence_class, func.count().label("applied")).where(
        d.ledger_id == ledger_id, d.decided_by == engine, d.verdict.in_(APPLIED), d.state != "failed"
    )
    add(applied.where(_later(d, lifted)).group_by(d.evidence_class))
    add(_sampled(ledger_id, lifted))
    numbers = [_number(e.how == how, how) for how in ("undone", "moved")]
    errors = select(e.evidence_class, *numbers).where(e.ledger_id == ledger_id, _later(e, lifted))
    add(errors.group_by(e.evidence_class))
    return found


def checked(conn: Connection, ledger_id: int) -> dict[str, tuple[int, int]]:
    """By class of evidence: how many were wrong, of how many that were checked since it was last lifted."""
    rows = conn.execute(_sampled(ledger_id, _lifted(conn, ledger_id)))
    return {row.evidence_class: (int(row.wrong), int(row.checked)) for row in rows}


def _sampled(ledger_id: int, lifted: Mapping[str, str]) -> Select[Any]:
    s = sample.c
    states = {"checked": _CHECKED, "wrong": _WRONG, "asked": ("asked",), "unclear": ("unclear",)}
    numbers = [_number(s.state.in_(group), name) for name, group in states.items()]
    query = select(s.evidence_class, *numbers).where(s.ledger_id == ledger_id, _later(s, lifted))
    return query.group_by(s.evidence_class)


def _number(condition: Any, name: str) -> Any:
    return func.sum(case((condition, 1), else_=0)).label(name)


def _lifted(conn: Connection, ledger_id: int) -> dict[str, str]:
    h = held_class.c
    query = (
        select(h.evidence_class, func.max(h.lifted_at))
        .where(h.ledger_id == ledger_id, h.lifted_at.is_not(None))
        .group_by(h.evidence_class)
    )
    return {klass: at for klass, at in conn.execute(query)}


def _later(columns: Any, lifted: Mapping[str, str]) -> Any:
    """Rows of a time after their class was last lifted."""
    if not lifted:
        return columns.ledger_id.is_not(None)
    return columns.at > case(lifted, value=columns.evidence_class, else_="")
