"""What commands share: opening the installation, options, printing."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from arsync import migrations, output
from arsync.clock import utc_now
from arsync.config import BankAt, Config, MailboxAt, load
from arsync.connectors.contract import Ports
from arsync.connectors.deliveries import Source
from arsync.errors import UsageError
from arsync.store import office
from arsync.store.engine import Store
from arsync.store.office import Ledger, Person
from arsync.store.vault import MAIL_SIGN_IN, MailboxTokens, Vault
from arsync.sync.acting import Desk
from arsync.sync.connect import House, me

if TYPE_CHECKING:
    from arsync.connectors.mail.sign_in import MailSignIn

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option(
    "--json", "as_json", is_flag=True, help="For programs: one JSON document on standard output."
)
ledger_option = click.option(
    "--ledger", "ledger_name", metavar="NAME", help="Which ledger (not needed when there is one)."
)


def screen() -> output.Screen:
    """What standard output can show."""
    return output.Screen.of(sys.stdout, os.environ)


def say(lines: Sequence[str] | str) -> None:
    """Print lines for people."""
    click.echo(lines if isinstance(lines, str) else "\n".join(lines))


def emit(value: object) -> None:
    """Print one JSON document for programs."""
    click.echo(output.as_json(value))


def told(text: str, *, as_json: bool, **facts: object) -> None:
    """Say what was done: a sentence for people, its facts for programs."""
    if as_json:
        emit({"done": text, **facts})
    else:
        say(text)


@contextmanager
def opened(ctx: click.Context) -> Iterator[tuple[Config, House]]:
    """The installation, its store checked; closed at the end."""
    config = load(Path(ctx.obj["config"]) if ctx.obj["config"] else None)
    if ctx.obj["verbose"]:
        from arsync.connectors.transport import guard

        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
        for handler in logging.getLogger().handlers:
            guard(handler)
    store = Store(config.store)
    try:
        migrations.check(store)
        yield (
            config,
            House(
                store,
                Vault(config.keys()),
                utc_now,
                time.sleep,
                lambda app: config.app(app).credentials(),
                lambda app: config.app(app).monthly_reads,
                sources=lambda ledger: sources_of(config, store, ledger.name),
                zones=config.zones,
            ),
        )
    finally:
        store.close()


def sources_of(config: Config, store: Store, ledger_name: str) -> tuple[Source, ...]:
    """Where the documents of a ledger come from besides the inbox."""
    found: list[Source] = [_bank_source(at) for at in config.banks if at.ledger == ledger_name]
    box = config.mailbox
    if box is not None and box.ledger == ledger_name:
        from arsync.connectors.mail.imap import Mailbox

        ca_file = str(box.ca_file) if box.ca_file else None
        found.append(
            Mailbox(
                box.ledger,
                box.host,
                box.port,
                box.user,
                box.password(),
                box.security,
                box.folder,
                box.authority,
                ca_file,
                mail_sign_in(config, box, store) if box.oauth else None,
            )
        )
    return tuple(found)


def mail_tokens(config: Config, box: MailboxAt, store: Store) -> MailboxTokens:
    """What signing in to a mailbox gave."""
    return MailboxTokens(store, Vault(config.keys()), f"{box.user}@{box.host}")


def mail_sign_in(config: Config, box: MailboxAt, store: Store) -> "MailSignIn":
    """How a mailbox's owner signs in."""
    from arsync.connectors.mail.sign_in import MailSignIn, SignInAt

    app = box.oauth
    assert app is not None
    tokens = mail_tokens(config, box, store)
    ports = Ports(tokens, office.NoMeter(), utc_now, time.sleep, app.client_id, app.secret(), MAIL_SIGN_IN)
    return MailSignIn(SignInAt(app.provider, app.tenant, app.addresses), box.user, ports)


def _bank_source(at: BankAt) -> Source:
    if at.kind == "sftp":
        from arsync.connectors.bank.sftp import Server

        assert at.key_file is not None
        assert at.known_hosts is not None
        return Server(
            at.name, at.ledger, at.host, at.user, at.key_file, at.known_hosts, at.port, at.folder, at.account
        )
    from arsync.connectors.bank import feeds

    line = feeds.Line(utc_now, time.sleep, office.NoMeter())
    if at.kind == "plaid":
        return feeds.Plaid(
            at.name,
            at.ledger,
            at.client_id,
            at.secret(),
            at.access_token(),
            line,
            at.account,
            at.base_url or feeds.PLAID,
        )
    return feeds.GoCardless(
        at.name,
        at.ledger,
        at.secret_id,
        at.secret(),
        at.account_id,
        line,
        at.account,
        at.base_url or feeds.GOCARDLESS,
    )


def person_of(ctx: click.Context, house: House) -> Person:
    """Who acts."""
    with house.store.read() as conn:
        return office.find_person(conn, me(ctx.obj["person"]))


def ledger_of(house: House, name: str | None) -> Ledger:
    """The ledger named, or the only one."""
    with house.store.read() as conn:
        return house.here(office.find_ledger(conn, name))


@contextmanager
def desk(ctx: click.Context, ledger_name: str | None) -> Iterator[Desk]:
    """A ledger with somebody at work on it."""
    with opened(ctx) as (_, house):
        yield Desk(house.store, ledger_of(house, ledger_name), person_of(ctx, house), house.clock)


def number(text: str, letter: str) -> int:
    """`Q-12`, `q12` or `12` as 12."""
    bare = text.upper().removeprefix(letter).removeprefix("-")
    if not bare.isdigit():
        raise UsageError(
            f"{text} is not a number of the kind {letter}-12",
            do="see the lists: arsync queue list, arsync show",
        )
    return int(bare)


def day(text: str) -> date:
    """`2026-10-31` as a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text} is not a date", do="write it like 2026-10-31") from None
