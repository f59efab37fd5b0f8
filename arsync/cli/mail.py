"""mail: the mailbox that advices are sent to, and whose letters are believed."""

import click

from arsync import output
from arsync.cli.common import desk, emit, json_option, ledger_option, opened, say, screen, sources_of, told
from arsync.cli.desk import customer_named
from arsync.errors import ConfigError
from arsync.store import queries, sources
from arsync.sync import actions


@click.group(name="mail")
def mail_command() -> None:
    """Remittance advices by mail."""


@mail_command.command(name="senders")
@ledger_option
@json_option
@click.pass_context
def senders_command(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Whose advices are believed, once their domain is proven."""
    with desk(ctx, ledger_name) as at_desk, at_desk.store.read() as conn:
        rows = sources.senders(conn, at_desk.ledger.id)
        names = queries.customer_names(conn, at_desk.ledger.id)
    if as_json:
        emit(
            [
                {"address": r.address, "customer": names.get(r.customer_id), "by": r.who, "at": r.at}
                for r in rows
            ]
        )
        return
    body: list[tuple[output.Cell, ...]] = [
        (r.address, names.get(r.customer_id, ""), r.who, r.at[:10]) for r in rows
    ]
    say(output.grid(("Address", "Customer", "By", "Since"), body, screen()) if body else "nobody is on file")


@mail_command.command(name="allow")
@click.argument("address")
@click.option("--customer", help="Whose payments it advises (name or number); else the advice says so.")
@ledger_option
@json_option
@click.pass_context
def allow_command(
    ctx: click.Context, address: str, customer: str | None, ledger_name: str | None, as_json: bool
) -> None:
    """Put a sender on file: an address, or @domain for all of a domain (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.know_sender(at_desk, address, customer_named(at_desk, customer))
    told(acted.text, as_json=as_json)


@mail_command.command(name="forget")
@click.argument("address")
@ledger_option
@json_option
@click.pass_context
def forget_command(ctx: click.Context, address: str, ledger_name: str | None, as_json: bool) -> None:
    """Take a sender off the file: their advices only ever suggest (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.forget_sender(at_desk, address)
    told(acted.text, as_json=as_json)


@mail_command.command(name="check")
@ledger_option
@json_option
@click.pass_context
def check_command(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Look into the mailbox: whether it opens, and how many letters wait. Nothing is kept."""
    with opened(ctx) as (config, _), desk(ctx, ledger_name) as at_desk:
        found = sources_of(config, at_desk.ledger.name)
        if not found:
            raise ConfigError(
                f"no mailbox is set for {at_desk.ledger.name}", where=str(config.file), do="add [mailbox]"
            )
        with at_desk.store.read() as conn:
            marks = {one.name: sources.mark_of(conn, one.name) for one in found}
        waiting = {one.name: sum(1 for _ in one.new(marks[one.name])) for one in found}
    if as_json:
        emit(waiting)
        return
    say([f"{name}: {output.counted(number, 'new letter')}" for name, number in waiting.items()])
