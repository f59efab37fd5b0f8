"""mail: the mailbox that advices are sent to, and whose letters are believed."""

import click

from arsync import output
from arsync.cli.common import (
    desk,
    emit,
    json_option,
    ledger_option,
    mail_sign_in,
    mail_tokens,
    opened,
    person_of,
    say,
    screen,
    told,
)
from arsync.cli.desk import customer_named
from arsync.config import Config, MailboxAt
from arsync.errors import ConfigError
from arsync.store import audit, office, queries, sources
from arsync.store.office import Person
from arsync.sync import acting, actions
from arsync.sync.connect import House


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


@mail_command.command(name="connect")
@click.option("--paste", is_flag=True, help="Ask for the address the browser is sent to, do not listen.")
@click.option("--no-browser", is_flag=True, help="Only print the page to open.")
@click.option("--listen", metavar="HOST:PORT", help="Listen here for the answer, where a proxy brings it.")
@json_option
@click.pass_context
def connect_command(
    ctx: click.Context, *, paste: bool, no_browser: bool, listen: str | None, as_json: bool
) -> None:
    """Sign in to a mailbox that takes no passwords (Microsoft 365, Gmail), or sign in again (an admin)."""
    from arsync.cli.setup import consent, granted

    with opened(ctx) as (config, house):
        box, person = _signed_in_mailbox(config), person_of(ctx, house)
        acting.permitted(person, "administer")
        signing_in = mail_sign_in(config, box, house.store)
        redirect_uri = box.oauth.redirect_uri if box.oauth else ""
        redirected = consent(signing_in, redirect_uri, listen, paste=paste, browser=not no_browser)
        signing_in.exchange(granted(redirected)["code"], redirect_uri)
        signing_in.close()
        _recorded(house, box, person, "mailbox signed in")
    told(f"signed in to the mailbox of {box.user}", as_json=as_json)
    if not as_json:
        say("next: arsync mail check")


@mail_command.command(name="disconnect")
@json_option
@click.pass_context
def disconnect_command(ctx: click.Context, *, as_json: bool) -> None:
    """Give the consent to read the mailbox back where its provider lets us, and erase its tokens (an admin)."""
    with opened(ctx) as (config, house):
        box, person = _signed_in_mailbox(config), person_of(ctx, house)
        acting.permitted(person, "administer")
        signing_in = mail_sign_in(config, box, house.store)
        revoked = signing_in.revoke()
        signing_in.close()
        mail_tokens(config, box, house.store).forget()
        _recorded(house, box, person, "mailbox signed out")
    said = "" if revoked else "; its provider was not told: remove arsync from the apps of that account"
    told(f"signed out of the mailbox of {box.user}{said}", as_json=as_json, revoked=revoked)


def _signed_in_mailbox(config: Config) -> MailboxAt:
    if config.mailbox is None or config.mailbox.oauth is None:
        raise ConfigError(
            "no mailbox is set whose owner signs in",
            where=str(config.file),
            do="add [mailbox] and [mailbox.oauth]",
        )
    return config.mailbox


def _recorded(house: House, box: MailboxAt, person: Person, what: str) -> None:
    with house.store.begin() as conn:
        ledger = office.find_ledger(conn, box.ledger)
        audit.record(
            conn, ledger.id, house.at(), person.name, [audit.Entry(what, "ledger", {"user": box.user})]
        )


@mail_command.command(name="check")
@ledger_option
@json_option
@click.pass_context
def check_command(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Look into the mailbox: whether it opens, and how many letters wait. Nothing is kept."""
    with opened(ctx) as (config, house), desk(ctx, ledger_name) as at_desk:
        found = house.sources(at_desk.ledger)
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
