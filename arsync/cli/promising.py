"""promise, reminder: what customers have promised, and of what they were reminded."""

import re
from collections.abc import Sequence
from typing import Any

import click

from arsync import output
from arsync.cli.common import (
    day,
    desk,
    emit,
    json_option,
    ledger_of,
    ledger_option,
    number,
    opened,
    say,
    screen,
)
from arsync.cli.desk import amount_of, why_option
from arsync.core.money import Money
from arsync.core.promises import State
from arsync.errors import UsageError
from arsync.store import collecting, queries
from arsync.sync import actions, promises
from arsync.sync.acting import Desk
from arsync.sync.promises import Recorded, Standing

_OVER = (State.SUPERSEDED, State.WITHDRAWN)


@click.group(name="promise")
def promise_command() -> None:
    """What customers have promised to pay, by when, and whether they did."""


@promise_command.command(name="add")
@click.argument("invoices", nargs=-1)
@click.option("--by", required=True, metavar="DATE", help="The last day on which it is paid in time.")
@click.option("--amount", help="How much of the only item; without, all that is open of each.")
@click.option("--said-by", default="", metavar="WHO", help="Who promised it.")
@click.option("--comment", default="", help="What else was said.")
@ledger_option
@json_option
@click.pass_context
def promise_add(
    ctx: click.Context, /, invoices: tuple[str, ...], ledger_name: str | None, as_json: bool, **given: Any
) -> None:
    """Record a promise to pay one or more items; it supersedes one for the same item that still runs."""
    with desk(ctx, ledger_name) as at_desk:
        items = _items(at_desk, invoices)
        minor = _amount(given["amount"], items) if given["amount"] else None
        done = actions.promise(
            at_desk,
            [row.id for row in items],
            day(given["by"]),
            minor,
            said_by=given["said_by"],
            comment=given["comment"],
        )
    _tell(done, "arsync promise list", as_json=as_json)


@promise_command.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Superseded and withdrawn ones too.")
@ledger_option
@json_option
@click.pass_context
def promise_list(ctx: click.Context, ledger_name: str | None, everything: bool, as_json: bool) -> None:
    """What was promised and what became of it, by the books as they are now."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            every = promises.standing(conn, ledger, ledger.day_of(house.clock()))
    shown = [one for one in every if everything or as_json or one.state not in _OVER]
    if as_json:
        emit([_facts(one) for one in shown])
        return
    if not shown:
        say(f"{ledger.name}: nothing is promised")
        return
    body: list[tuple[output.Cell, ...]] = [
        (f"P-{one.row.id}", one.state.value, one.row.by_date, one.amount, one.row.currency, _number(one),
         one.row.customer, one.row.said_by)
        for one in shown
    ]  # fmt: skip
    head = ("", "State", "By", "Amount", "", "Item", "Customer", "Said by")
    say(output.grid(head, body, screen(), totals=_totals(shown)))
    if any(one.state is State.BROKEN for one in shown):
        say("next: arsync reminder add INVOICE")


@promise_command.command(name="withdraw")
@click.argument("promise")
@why_option
@ledger_option
@json_option
@click.pass_context
def promise_withdraw(
    ctx: click.Context, promise: str, why: str, ledger_name: str | None, as_json: bool
) -> None:
    """Withdraw a promise: P-3, or the item it is for."""
    with desk(ctx, ledger_name) as at_desk:
        if re.fullmatch(r"[Pp]-\d+", promise):
            named = number(promise, "P")
        else:
            with at_desk.store.read() as conn:
                found = queries.find_item(conn, at_desk.ledger.id, promise)
                named = promises.newest_of(conn, at_desk.ledger, found.id)
        done = actions.withdraw_promise(at_desk, named, why)
    _tell([done], "arsync promise list", as_json=as_json)


@click.group(name="reminder")
def reminder_command() -> None:
    """Reminders given outside arsync, on record."""


@reminder_command.command(name="add")
@click.argument("invoices", nargs=-1)
@click.option("--on", metavar="DATE", help="The day it was given; without, today.")
@click.option("--level", type=int, help="1 is the first; without, one above the item's last.")
@click.option("--by", "way", type=click.Choice(promises.WAYS), help="How it was given.")
@ledger_option
@json_option
@click.pass_context
def reminder_add(
    ctx: click.Context, /, invoices: tuple[str, ...], ledger_name: str | None, as_json: bool, **given: Any
) -> None:
    """Record that a customer was reminded of items; warns where it has paid, or has promised to."""
    with desk(ctx, ledger_name) as at_desk:
        items = [row.id for row in _items(at_desk, invoices)]
        on = day(given["on"]) if given["on"] else None
        done = actions.remind(at_desk, items, on, given["level"], given["way"])
    _tell(done, "arsync reminder list", as_json=as_json)


@reminder_command.command(name="list")
@ledger_option
@json_option
@click.pass_context
def reminder_list(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Reminders on record, oldest first."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            rows = collecting.reminders(conn, ledger.id)
    if as_json:
        emit(
            [
                {
                    "item": r.item_id, "number": r.number, "customer": r.customer, "on": r.on_date, "level": r.level,
                    "by": r.way, "who": r.who, "open": Money(r.open_minor, r.currency),
                }
                for r in rows
            ]
        )  # fmt: skip
        return
    if not rows:
        say(f"{ledger.name}: nobody was reminded of anything")
        return
    body: list[tuple[output.Cell, ...]] = [
        (r.on_date, r.level, r.way, r.number or f"I-{r.item_id}", r.customer, Money(r.open_minor, r.currency),
         r.currency, r.who)
        for r in rows
    ]  # fmt: skip
    say(output.grid(("On", "Level", "By", "Item", "Customer", "Open now", "", "Recorded by"), body, screen()))


# ---- inside


def _items(at_desk: Desk, named: Sequence[str]) -> list[Any]:
    with at_desk.store.read() as conn:
        return [queries.find_item(conn, at_desk.ledger.id, one) for one in named]


def _amount(text: str, items: Sequence[Any]) -> int:
    """What a person wrote, with or without a currency, in the minor units of the first item."""
    if not items:
        raise UsageError("no item is named", do="arsync promise add 1041 --by DATE --amount 100.00")
    currency = items[0].currency
    for code in re.findall(r"[A-Z]{3}", text):
        if code != currency:
            raise UsageError(
                f"{items[0].number or f'I-{items[0].id}'} is in {currency}, not in {code}",
                do=f"name the amount in {currency}",
            )
    return amount_of(text.replace(currency, ""), currency)


def _number(one: Standing) -> str:
    return one.row.number or f"I-{one.row.item_id}"


def _totals(shown: Sequence[Standing]) -> list[tuple[output.Cell, ...]]:
    """How many of each state, and how much, by currency."""
    sums: dict[tuple[State, str], list[int]] = {}
    for one in shown:
        sums.setdefault((one.state, one.row.currency), []).append(one.row.amount_minor)
    order = list(State)
    return [
        (
            output.counted(len(minors), "promise"),
            state.value,
            None,
            Money(sum(minors), currency),
            currency,
            "",
            "",
            "",
        )
        for (state, currency), minors in sorted(
            sums.items(), key=lambda entry: (order.index(entry[0][0]), entry[0][1])
        )
    ]


def _facts(one: Standing) -> dict[str, Any]:
    r = one.row
    return {
        "promise": r.id, "state": one.state.value, "item": r.item_id, "number": r.number, "customer": r.customer,
        "amount": one.amount, "by": r.by_date, "on": r.on_date, "said_by": r.said_by, "comment": r.comment,
        "who": r.who, "open": Money(r.open_minor, r.currency), "superseded_by": r.superseded_by,
        "withdrawn_by": r.withdrawn_by,
        "withdrawn_why": r.withdrawn_why,
    }  # fmt: skip


def _tell(done: Sequence[Recorded], following: str, *, as_json: bool) -> None:
    if as_json:
        emit(list(done))
        return
    for one in done:
        say([one.text, *(f"  careful: {warning}" for warning in one.warnings)])
    say(f"next: {following}")
