"""Read models: what reports and screens ask. Nothing here writes."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from arsync.core.items import ItemKind
from arsync.errors import NotFound, UsageError
from arsync.store import decisions, outbox
from arsync.store.tables import (
    application,
    bank_account,
    bank_file,
    bank_line,
    customer,
    decision,
    decision_line,
    external_ref,
    item,
    item_version,
    receipt,
)
from arsync.store.tables import command as command_table


def open_as_of(conn: Connection, ledger_id: int, as_of: date, known_at: str) -> list[Any]:
    """Items open on a day as known at an instant: original as known - applications dated and known by then."""
    a, v = application.c, item_version.c
    applied = (
        select(a.item_id, func.sum(a.amount_minor).label("minor"))
        .where(a.ledger_id == ledger_id, a.on_date <= as_of, a.known_at <= known_at)
        .group_by(a.item_id)
        .subquery()
    )
    left = (v.original_minor - func.coalesce(applied.c.minor, 0)).label("open_minor")
    query = (
        select(
            v.customer_id, func.coalesce(customer.c.name, "customer not read yet").label("customer"), v.item_id,
            item.c.number, item.c.kind, v.issued, v.due, item.c.currency, left,
        )
        .select_from(item_version)
        .join(item, and_(item.c.ledger_id == v.ledger_id, item.c.id == v.item_id))
        .outerjoin(customer, and_(customer.c.ledger_id == v.ledger_id, customer.c.id == v.customer_id))
        .outerjoin(applied, applied.c.item_id == v.item_id)
        .where(
            v.ledger_id == ledger_id,
            v.known_from <= known_at,
            or_(v.known_to.is_(None), v.known_to > known_at),
            v.gone.is_(False),
            v.issued <= as_of,
            left != 0,
        )
        .order_by(v.item_id)
    )  # fmt: skip
    return list(conn.execute(query))


def applied_later(conn: Connection, ledger_id: int, as_of: date, known_at: str) -> list[Any]:
    """Applications that count on a day and became known only after an instant, with the other side's platform id."""
    a = application.c
    other = and_(
        external_ref.c.ledger_id == a.ledger_id,
        external_ref.c.id == a.other_id,
        external_ref.c.kind == "item",
    )
    query = (
        select(a.item_id, a.on_date, a.known_at, a.amount_minor, external_ref.c.external_id)
        .join(external_ref, other)
        .where(a.ledger_id == ledger_id, a.on_date <= as_of, a.known_at > known_at)
    )
    return list(conn.execute(query.order_by(a.id)))


def settled_items(conn: Connection, ledger_id: int) -> list[Any]:
    """Debits that are settled in full, with the day the last of it came: what the forecast learns from."""
    a = application.c
    last = (
        select(a.item_id, func.max(a.on_date).label("paid_on"))
        .where(a.ledger_id == ledger_id, a.pays.is_(False), a.amount_minor > 0)
        .group_by(a.item_id)
        .subquery()
    )
    i = item.c
    query = (
        select(i.customer_id, i.issued, i.due, last.c.paid_on, i.currency, i.original_minor)
        .join(last, last.c.item_id == i.id)
        .where(
            i.ledger_id == ledger_id,
            i.open_minor == 0,
            i.gone.is_(False),
            i.original_minor > 0,
            i.kind.in_([k.value for k in ItemKind if k.is_debit]),
        )
        .order_by(i.id)
    )
    return list(conn.execute(query))


def receipts(conn: Connection, ledger_id: int) -> list[Any]:
    """All receipts with their customer's name, what their decision put on account.

    And what their payment has unapplied.
    """
    d = decision_line.c
    on_account = (
        select(d.decision_id, func.sum(d.amount_minor).label("minor"))
        .where(d.ledger_id == ledger_id, d.kind == "on_account")
        .group_by(d.decision_id)
        .subquery()
    )
    booked = item.alias("booked")
    query = (
        select(
            receipt, customer.c.name.label("customer"), on_account.c.minor.label("on_account_minor"),
            booked.c.open_minor.label("payment_open_minor"), bank_line.c.superseded_by,
        )
        .join(bank_line, bank_line.c.id == receipt.c.bank_line_id)
        .outerjoin(
            customer, and_(customer.c.ledger_id == receipt.c.ledger_id, customer.c.id == receipt.c.customer_id)
        )
        .outerjoin(on_account, on_account.c.decision_id == receipt.c.decision_id)
        .outerjoin(booked, and_(booked.c.ledger_id == receipt.c.ledger_id, booked.c.id == receipt.c.payment_id))
        .where(receipt.c.ledger_id == ledger_id)
        .order_by(receipt.c.id)
    )  # fmt: skip
    return list(conn.execute(query))


def unapplied_payments(conn: Connection, ledger_id: int) -> list[Any]:
    """Money the platform holds for a customer and no receipt of ours stands behind.

    Payments with something unapplied, and lines of deposits straight to receivables that settle nothing.
    """
    linked = select(receipt.c.payment_id).where(
        receipt.c.ledger_id == ledger_id, receipt.c.payment_id.is_not(None)
    )
    named = and_(
        external_ref.c.ledger_id == item.c.ledger_id,
        external_ref.c.id == item.c.id,
        external_ref.c.kind == "item",
    )
    query = (
        select(
            item.c.id,
            item.c.kind,
            item.c.issued.label("on_date"),
            item.c.number,
            customer.c.name.label("customer"),
            item.c.currency,
            item.c.open_minor,
            external_ref.c.external_id,
        )
        .join(external_ref, named)
        .outerjoin(
            customer, and_(customer.c.ledger_id == item.c.ledger_id, customer.c.id == item.c.customer_id)
        )
        .where(
            item.c.ledger_id == ledger_id,
            item.c.kind.in_((ItemKind.PAYMENT.value, ItemKind.DEPOSIT_CREDIT.value)),
            item.c.open_minor < 0,
            item.c.gone.is_(False),
            item.c.id.not_in(linked),
        )
        .order_by(item.c.id)
    )
    return list(conn.execute(query))


def items(conn: Connection, ledger_id: int, ids: Sequence[int]) -> dict[int, Any]:
    """Items by id, with customer name and platform id."""
    query = _items().where(item.c.ledger_id == ledger_id, item.c.id.in_(list(ids)))
    return {row.id: row for row in conn.execute(query)}


def find_item(conn: Connection, ledger_id: int, named: str) -> Any:
    """An item by our id (`I-12`), its number (`1041`), or its platform id (`Invoice:157`).

    Raises:
        NotFound: no item is called so.
        UsageError: several are; lists them.
    """
    query = _items().where(item.c.ledger_id == ledger_id, item.c.gone.is_(False))
    if named.upper().startswith("I-") and named[2:].isdigit():
        rows = conn.execute(query.where(item.c.id == int(named[2:]))).all()
    else:
        rows = conn.execute(
            query.where(or_(item.c.number == named, external_ref.c.external_id == named))
        ).all()
    open_rows = [row for row in rows if row.open_minor] or rows
    if not open_rows:
        raise NotFound(
            f"no item is called {named}", do="give its number, its platform id or I-…: arsync show CUSTOMER"
        )
    if len(open_rows) > 1:
        names = ", ".join(f"I-{row.id} ({row.kind}, {row.customer})" for row in open_rows)
        raise UsageError(f"several items are called {named}", do=f"name one of: {names}")
    return open_rows[0]


def find_customer(conn: Connection, ledger_id: int, named: str) -> Any:
    """A customer by our id (`K-3`), platform id, or name; part of a name when only one fits."""
    query = (
        select(customer, external_ref.c.external_id)
        .join(
            external_ref,
            and_(
                external_ref.c.ledger_id == customer.c.ledger_id,
                external_ref.c.kind == "customer",
                external_ref.c.id == customer.c.id,
            ),
        )
        .where(customer.c.ledger_id == ledger_id, customer.c.gone.is_(False))
    )
    if named.upper().startswith("K-") and named[2:].isdigit():
        rows = conn.execute(query.where(customer.c.id == int(named[2:]))).all()
    else:
        rows = conn.execute(
            query.where(or_(customer.c.name == named, external_ref.c.external_id == named))
        ).all()
        rows = rows or conn.execute(query.where(customer.c.name.icontains(named, autoescape=True))).all()
    if not rows:
        raise NotFound(f"no customer is called {named}", do="check the spelling, or give the platform's id")
    if len(rows) > 1:
        names = ", ".join(f"K-{row.id} {row.name}" for row in rows[:10])
        raise UsageError(f"several customers fit {named}", do=f"name one of: {names}")
    return rows[0]


def customer_names(conn: Connection, ledger_id: int) -> dict[int, str]:
    """All customer names by our id."""
    query = select(customer.c.id, customer.c.name).where(customer.c.ledger_id == ledger_id)
    return dict(conn.execute(query).all())


def expected_items(conn: Connection, ledger_id: int) -> list[Any]:
    """Open items for which the books say when their money is expected: id, expected, open_minor."""
    query = select(item.c.id, item.c.expected, item.c.open_minor).where(
        item.c.ledger_id == ledger_id, item.c.expected.is_not(None), item.c.open_minor > 0
    )
    return list(conn.execute(query))


def items_of(conn: Connection, ledger_id: int, customer_id: int) -> list[Any]:
    """A customer's open items, oldest due first."""
    query = (
        _items()
        .where(
            item.c.ledger_id == ledger_id,
            item.c.customer_id == customer_id,
            item.c.gone.is_(False),
            item.c.open_minor != 0,
        )
        .order_by(item.c.due, item.c.id)
    )
    return list(conn.execute(query))


def receipts_of(conn: Connection, ledger_id: int, customer_id: int) -> list[Any]:
    """A customer's receipts, newest first."""
    query = (
        select(receipt)
        .where(receipt.c.ledger_id == ledger_id, receipt.c.customer_id == customer_id)
        .order_by(receipt.c.on_date.desc(), receipt.c.id.desc())
    )
    return list(conn.execute(query))


def received_by_day(conn: Connection, ledger_id: int, methods: Collection[str]) -> list[Any]:
    """Money in the books that came in one of these ways: its sum by customer, currency, method and day."""
    c = receipt.c
    of = (customer.c.name, c.currency, c.method, c.on_date)
    query = (
        select(
            c.customer_id,
            customer.c.name.label("customer"),
            *of[1:],
            func.count().label("receipts"),
            func.sum(c.amount_minor).label("amount_minor"),
        )
        .outerjoin(customer, (customer.c.ledger_id == c.ledger_id) & (customer.c.id == c.customer_id))
        .where(
            c.ledger_id == ledger_id,
            c.state.in_(decisions.IN_THE_BOOKS),
            c.amount_minor > 0,
            c.method.in_(sorted(methods)),
        )
        .group_by(c.customer_id, *of)
        .order_by(c.customer_id, *of[1:])
    )
    return list(conn.execute(query))


def origin(conn: Connection, bank_line_id: int) -> Any:
    """Where a receipt's bank line comes from: account, file, locator, and the text as it stood there."""
    query = (
        select(
            bank_line,
            bank_account.c.name.label("account"),
            bank_file.c.name.label("file"),
            bank_file.c.format.label("format"),
        )
        .join(bank_account, bank_account.c.id == bank_line.c.bank_account_id)
        .join(bank_file, bank_file.c.sha == bank_line.c.file_sha)
        .where(bank_line.c.id == bank_line_id)
    )
    return conn.execute(query).one()


def commands_of(conn: Connection, ledger_id: int, decision_id: int) -> list[Any]:
    """Every command a decision led to, in order."""
    planned = outbox.bundles_of(conn, ledger_id, decision_id)
    return [row for one in planned for row in outbox.commands(conn, ledger_id, one.id)]


def command(conn: Connection, ledger_id: int, command_id: int) -> Any:
    """One command."""
    return outbox.command_of(conn, ledger_id, command_id)


def read_only_since(conn: Connection, ledger_id: int) -> str | None:
    """Since when the platform refuses every write of this company; None when the last one was taken.

    Source: a connector's answer of code `read_only`, such as QuickBooks' 6190 of a lapsed subscription.
    """
    c = command_table.c

    def last(*conditions: Any) -> str:
        query = select(func.max(c.answered_at)).where(c.ledger_id == ledger_id, *conditions)
        return conn.execute(query).scalar() or ""

    refused = last(c.code == "read_only")
    return refused if refused > last(c.state.in_(("confirmed", "verified"))) else None


def unfinished(conn: Connection, ledger_id: int) -> bool:
    """Whether anything waits to be sent, read back or verified."""
    return outbox.has_open(conn, ledger_id)


def decided_between(conn: Connection, ledger_id: int, first_at: str) -> list[Any]:
    """Decisions since an instant, with their receipts and customers, largest first."""
    query = (
        select(
            decision,
            receipt.c.amount_minor,
            receipt.c.currency,
            receipt.c.payer_name,
            customer.c.name.label("customer"),
        )
        .outerjoin(
            receipt, and_(receipt.c.ledger_id == decision.c.ledger_id, receipt.c.id == decision.c.receipt_id)
        )
        .outerjoin(
            customer,
            and_(customer.c.ledger_id == decision.c.ledger_id, customer.c.id == decision.c.customer_id),
        )
        .where(decision.c.ledger_id == ledger_id, decision.c.at >= first_at)
        .order_by(receipt.c.amount_minor.desc(), decision.c.id)
    )
    return list(conn.execute(query))


def _items() -> Any:
    return (
        select(item, customer.c.name.label("customer"), external_ref.c.external_id)
        .join(
            external_ref,
            and_(
                external_ref.c.ledger_id == item.c.ledger_id,
                external_ref.c.kind == "item",
                external_ref.c.id == item.c.id,
            ),
        )
        .outerjoin(
            customer, and_(customer.c.ledger_id == item.c.ledger_id, customer.c.id == item.c.customer_id)
        )
    )
