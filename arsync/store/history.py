"""A ledger's own past, as a back-test replays it.

Law     the truth of a receipt is what the books say today of the payment that books it. A receipt without one has no
        truth yet and is left out. A credit memo of that day that this payment alone uses up is what was given up with
        it (a discount, a small difference): nobody could have seen it before.
"""

from collections import defaultdict
from datetime import date

from sqlalchemy import Connection, select

from arsync.core.items import ItemKind
from arsync.core.matching.backtest import History, Past
from arsync.core.matching.snapshot import ItemRow
from arsync.store import books, work
from arsync.store.tables import application, bank_line, decision, item, receipt

_NOT_PEOPLE = frozenset({"engine", "platform"})
_PAYMENTS = (ItemKind.PAYMENT.value, ItemKind.DEPOSIT_CREDIT.value)


def history(conn: Connection, ledger_id: int, since: date) -> History:
    """Everything that was received from a day on, and what was open then."""
    r, payments = receipt.c, item.alias()
    rows = conn.execute(
        select(*(r[name] for name in work.RECEIPT if name != "customer_id"), r.payment_id)
        .add_columns(payments.c.customer_id, decision.c.decided_by)
        .join(payments, (payments.c.ledger_id == r.ledger_id) & (payments.c.id == r.payment_id))
        .join(bank_line, bank_line.c.id == r.bank_line_id)
        .outerjoin(decision, (decision.c.ledger_id == r.ledger_id) & (decision.c.id == r.decision_id))
        .where(r.ledger_id == ledger_id, r.on_date >= since, bank_line.c.superseded_by.is_(None))
        .order_by(r.on_date, r.id)
    ).all()
    booked_by = {row.payment_id for row in rows}
    applied: dict[int, dict[int, int]] = defaultdict(dict)
    moves: list[tuple[date, int, int]] = []
    a = application.c
    query = select(a.item_id, a.other_id, a.amount_minor, a.on_date).where(a.ledger_id == ledger_id)
    for item_id, other_id, minor, on in conn.execute(query):
        if other_id in booked_by:
            applied[other_id][item_id] = applied[other_id].get(item_id, 0) + minor
        elif item_id not in booked_by:
            moves.append((on, item_id, minor))
    items = {one.id: one for one in _items(conn, ledger_id)}
    given_up = {
        item_id
        for row in rows
        for item_id, minor in applied[row.payment_id].items()
        if (one := items.get(item_id)) and one.original_minor == minor < 0 and one.issued >= row.on_date
    }
    past = tuple(
        Past(
            work.receipt_row(row),
            row.customer_id,
            {i: minor for i, minor in applied[row.payment_id].items() if minor and i not in given_up},
            taught=row.decided_by is not None and row.decided_by not in _NOT_PEOPLE,
        )
        for row in rows
    )
    seen = tuple(one for one in items.values() if one.id not in given_up)
    return History(ledger_id, work.customers(conn, ledger_id), seen, tuple(moves), past)


def _items(conn: Connection, ledger_id: int) -> tuple[ItemRow, ...]:
    terms, i = books.references(conn, ledger_id, "terms"), item.c
    query = select(
        i.id, i.customer_id, i.kind, i.number, i.reference, i.issued, i.due, i.currency, i.original_minor, i.terms
    ).where(i.ledger_id == ledger_id, i.gone.is_(False), i.kind.not_in(_PAYMENTS)).order_by(i.id)  # fmt: skip
    return tuple(
        ItemRow(
            row.id, row.customer_id, ItemKind(row.kind), row.number, row.issued, row.due, row.currency,
            row.original_minor, row.original_minor, (row.reference,) if row.reference else (),
            *work.discount(terms.get(row.terms) if row.terms else None, row.issued, row.original_minor),
        )
        for row in conn.execute(query)
    )  # fmt: skip
