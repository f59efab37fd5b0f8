"""refund, write-off, unapply, redo, adjustments: what goes back, what is given up, and where it is booked."""

import click

from arsync import output
from arsync.cli.common import (
    desk,
    emit,
    json_option,
    ledger_of,
    ledger_option,
    number,
    opened,
    say,
    screen,
    told,
)
from arsync.cli.desk import (
    adjustment_kind,
    amount_of,
    item_option,
    parts_of,
    tell,
    why_option,
)
from arsync.core.policy import ADJUSTMENT_KINDS, BookedAs
from arsync.errors import UsageError
from arsync.store import books, decisions, office, queries
from arsync.sync import actions, giving_back
from arsync.sync.acting import Part


@click.group(name="refund")
def refund_command() -> None:
    """Give credits back: one person asks, another approves, the bank pays; it is booked when the bank shows it."""


@refund_command.command(name="ask")
@item_option
@click.option("--payment", help="The payment whose unapplied part goes back: its id (Payment:158) or I-….")
@click.option("--amount", help="How much of the payment.")
@why_option
@ledger_option
@json_option
@click.pass_context
def refund_ask(
    ctx: click.Context,
    /,
    items: tuple[str, ...],
    payment: str | None,
    amount: str | None,
    why: str,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """Ask to give credit memos (--item CM-7=-50.00) or an overpayment (--payment, --amount) back."""
    with desk(ctx, ledger_name) as at_desk:
        parts = parts_of(at_desk, items)
        if payment is not None:
            if amount is None:
                raise UsageError("it is not said how much of the payment goes back", do="add --amount 50.00")
            with at_desk.store.read() as conn:
                row = queries.find_item(conn, at_desk.ledger.id, payment)
            parts.append(Part(row.id, -amount_of(amount, row.currency)))
        acted = actions.ask_refund(at_desk, parts, why)
    tell([acted], as_json=as_json)


@refund_command.command(name="list")
@ledger_option
@json_option
@click.pass_context
def refund_list(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Approved refunds that the bank has not shown yet."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            rows = [
                (row, giving_back.refunded(conn, ledger, row.id))
                for row in decisions.approved_refunds(conn, ledger.id)
            ]
            names = queries.customer_names(conn, ledger.id)
    if as_json:
        emit(
            [
                {
                    "decision": row.id, "customer": names.get(row.customer_id), "amount": amount, "by": row.decided_by,
                    "reference": giving_back.reference_for(row.id), "why": row.why,
                }
                for row, amount in rows
            ]
        )  # fmt: skip
        return
    if not rows:
        say(f"{ledger.name}: no refund waits for the bank")
        return
    body: list[tuple[output.Cell, ...]] = [
        (f"D-{row.id}", amount, names.get(row.customer_id, ""), giving_back.reference_for(row.id), row.why)
        for row, amount in rows
    ]
    say(output.grid(("", "Amount", "Customer", "Say on the transfer", "Why"), body, screen()))


@refund_command.command(name="book")
@click.argument("decision")
@click.option("--line", required=True, help="The bank line that paid it (L-…).")
@ledger_option
@json_option
@click.pass_context
def refund_book(ctx: click.Context, decision: str, line: str, ledger_name: str | None, as_json: bool) -> None:
    """Say which bank line paid a refund, where several fit."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.book_refund(at_desk, number(decision, "D"), number(line, "L"))
    tell([acted], as_json=as_json)


@click.command(name="write-off")
@click.argument("item", metavar="NUMBER=AMOUNT")
@click.option("--kind", default="write-off", show_default=True, help=", ".join(ADJUSTMENT_KINDS))
@why_option
@ledger_option
@json_option
@click.pass_context
def write_off_command(
    ctx: click.Context, item: str, kind: str, why: str, ledger_name: str | None, as_json: bool
) -> None:
    """Give up part of an open item, without a receipt; over the limit a manager approves."""
    with desk(ctx, ledger_name) as at_desk:
        (part,) = parts_of(at_desk, [item])
        acted = actions.write_off(at_desk, part.item_id, adjustment_kind(kind), part.cash_minor, why)
    tell([acted], as_json=as_json)


@click.command(name="unapply")
@click.argument("payment")
@item_option
@why_option
@ledger_option
@json_option
@click.pass_context
def unapply_command(
    ctx: click.Context, payment: str, items: tuple[str, ...], why: str, ledger_name: str | None, as_json: bool
) -> None:
    """Take items off a payment (Payment:158 or I-…), all of them if none is named; the money stays on account."""
    with desk(ctx, ledger_name) as at_desk:
        with at_desk.store.read() as conn:
            found = queries.find_item(conn, at_desk.ledger.id, payment)
        acted = actions.unapply(at_desk, found.id, parts_of(at_desk, items), why)
    tell([acted], as_json=as_json)


@click.command(name="redo")
@click.argument("decision")
@why_option
@ledger_option
@json_option
@click.pass_context
def redo_command(ctx: click.Context, decision: str, why: str, ledger_name: str | None, as_json: bool) -> None:
    """Write again what somebody deleted or took apart in the books."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.redo(at_desk, number(decision, "D"), why)
    tell([acted], as_json=as_json)


# ---- where it is booked


@click.group(name="adjustments")
def adjustments_command() -> None:
    """Where discounts, write-offs, bad debt and fees are booked."""


@adjustments_command.command(name="list")
@ledger_option
@json_option
@click.pass_context
def adjustments_list(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Every kind with its product, tax code and account; and what the books have to offer."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            mapped = office.policy_in_force(conn, ledger.id).policy.adjustments
            products = books.references(conn, ledger.id, "product")
            accounts = books.references(conn, ledger.id, "account")
    rows = [(kind, mapped.get(kind)) for kind in ADJUSTMENT_KINDS]
    offer = {
        "products": {i: p["name"] for i, p in sorted(products.items()) if p["active"]},
        "accounts": {i: a["name"] for i, a in sorted(accounts.items()) if a["active"]},
    }
    if as_json:
        kinds = {
            kind: None if b is None else {"product": b.product, "tax_code": b.tax_code, "account": b.account}
            for kind, b in rows
        }
        emit({"kinds": kinds, **offer})
        return
    body: list[tuple[output.Cell, ...]] = [
        (
            kind,
            _named(b.product, offer["products"]) if b else "not mapped: goes to the queue",
            (b.tax_code or "") if b else "",
            _named(b.account, offer["accounts"]) if b else "",
        )
        for kind, b in rows
    ]
    lines = [*output.grid(("Kind", "Product", "Tax", "Account"), body, screen()), ""]
    for what, names in offer.items():
        lines.append(f"{what} of the books: " + ", ".join(f"{i} {name}" for i, name in names.items()))
    missing = next((kind for kind, b in rows if b is None), None)
    if missing:
        lines.append(f'next: arsync adjustments map "{missing}" --product ID')
    say(lines)


def _named(known: str | None, names: dict[str, str]) -> str:
    return "" if known is None else f"{known} {names.get(known, 'not in the books')}"


@adjustments_command.command(name="map")
@click.argument("kind")
@click.option("--product", help="The product or service whose credit memo carries it.")
@click.option("--tax-code", help="Its tax code, where not the product's own.")
@click.option("--account", help="For fee: the account of what a bank or a payout keeps.")
@ledger_option
@json_option
@click.pass_context
def adjustments_map(
    ctx: click.Context,
    kind: str,
    product: str | None,
    tax_code: str | None,
    account: str | None,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """Map one kind: a new version of the policy, approved by a second person like any other."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.map_adjustment(at_desk, adjustment_kind(kind), BookedAs(product, tax_code, account))
    told(acted.text, as_json=as_json)
