"""init, connect, bank, people, ledger, policy: what is set up once, by people who may."""

import difflib
import os
from pathlib import Path
from typing import Any

import click

from arsync import config as configs
from arsync import migrations, output
from arsync.cli import files
from arsync.cli.common import (
    desk,
    emit,
    json_option,
    ledger_of,
    ledger_option,
    opened,
    person_of,
    say,
    screen,
    told,
)
from arsync.clock import stamp, utc_now
from arsync.core import policy as policies
from arsync.errors import ConfigError, UsageError
from arsync.store import bank, office
from arsync.store.engine import Store
from arsync.sync import actions, connect
from arsync.sync.acting import Desk, permitted
from arsync.sync.connect import House


@click.command(name="init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--store", help="SQLAlchemy URL of the store (else a SQLite file in the folder).")
@click.option("--admin", help="Name of the first person, an admin (else your account's name).")
@json_option
@click.pass_context
def init_command(
    ctx: click.Context, folder: Path, store: str | None, admin: str | None, as_json: bool
) -> None:
    """Set up an installation: configuration, key, store, inbox, and you as its admin."""
    name = connect.me(admin or ctx.obj["person"])
    file = set_up(folder, store, name)
    if as_json:
        emit({"config": str(file), "key": str(file.parent / "arsync.key"), "admin": name})
        return
    say(
        [
            f"{file}: the configuration",
            f"{file.parent / 'arsync.key'}: the key; back it up apart from the store",
            f"{name} is admin",
            "next: write your app's client id into arsync.toml, then: arsync connect quickbooks",
        ]
    )


def set_up(folder: Path, store_url: str | None, admin: str) -> Path:
    """Make an installation; refuses to touch one that is there. The path of its configuration."""
    from cryptography.fernet import Fernet

    file = folder.resolve() / configs.FILE
    if file.exists():
        raise ConfigError("there is an installation already", where=str(file), do="run: arsync doctor")
    try:
        (folder / "inbox").mkdir(parents=True, exist_ok=True)
        key = folder / "arsync.key"
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(Fernet.generate_key() + b"\n")
        text = configs.TEMPLATE.format(store="arsync.db", key="arsync.key", inbox="inbox")
        if store_url:
            text = text.replace('"sqlite:///arsync.db"', f'"{store_url}"')
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"the folder cannot be set up: {error.strerror}",
            where=str(folder),
            do="choose a folder you may write to",
        ) from error
    store = Store(configs.load(file).store)
    try:
        migrations.upgrade(store)
        with store.begin() as conn:
            if not office.people(conn):
                office.add_person(conn, admin, "admin", stamp(utc_now()))
    finally:
        store.close()
    return file


# ---- connect


@click.group(name="connect")
def connect_command() -> None:
    """Connect an accounting platform and open a ledger."""


@connect_command.command(name="quickbooks")
@click.option("--name", default="quickbooks", show_default=True, help="What the connection is called here.")
@click.option(
    "--ledger",
    "ledger_name",
    metavar="NAME",
    help="What the ledger is called here (else the company's name).",
)
@click.option("--realm", help="The company's realm id; asked for when the platform does not send it.")
@click.option(
    "--redirected", help="The whole address the browser was sent to after consent (else it is asked for)."
)
@json_option
@click.pass_context
def connect_quickbooks(
    ctx: click.Context,
    name: str,
    ledger_name: str | None,
    realm: str | None,
    redirected: str | None,
    as_json: bool,
) -> None:
    """Open the consent page in a browser, allow arsync, and paste the address you are sent to."""
    import secrets
    from urllib.parse import parse_qs, urlsplit

    from arsync.connectors.quickbooks.connector import QuickBooksSettings

    with opened(ctx) as (conf, house):
        person, app = person_of(ctx, house), conf.quickbooks
        permitted(person, "administer")
        given = {"base_url": app.base_url, "token_url": app.token_url, "authorize_url": app.authorize_url}
        addresses: dict[str, Any] = {key: value for key, value in given.items() if value}
        state = secrets.token_urlsafe(16)
        if redirected is None:
            signing_in = _unsigned(house, QuickBooksSettings(realm or "", **addresses))
            say(["open this page and allow arsync:", signing_in.authorize_url(app.redirect_uri, state)])
            redirected = str(click.prompt("then paste the address you were sent to"))
            _same_state(redirected, state)
        answer = {key: values[0] for key, values in parse_qs(urlsplit(redirected).query).items()}
        if "code" not in answer:
            said = (
                answer.get("error_description") or answer.get("error") or "there is no code in that address"
            )
            raise UsageError(
                f"the platform did not let us in: {said}", do="run the command again and allow access"
            )
        settings = QuickBooksSettings(realm or answer.get("realmId", ""), **addresses)
        if not settings.realm_id:
            raise UsageError("the address names no company", do="add --realm with the company's realm id")
        connection_id = connect.add_connection(house, "quickbooks", name, settings, person)
        connector, _ = connect.open_connector(house, connection_id)
        connector.exchange(answer["code"], app.redirect_uri)  # type: ignore[attr-defined]  # signing in is each platform's own
        if (known := connect.ledger_of(house, connection_id)) is not None:
            told(f"signed in again; ledger {known.name} goes on", as_json=as_json, ledger=known.name)
            return
        _open_ledger(house, connection_id, ledger_name, person, as_json=as_json)


def _unsigned(house: House, settings: Any) -> Any:
    from arsync.connectors.contract import Ports
    from arsync.connectors.quickbooks.connector import QuickBooksConnector
    from arsync.store.office import StoredMeter
    from arsync.store.vault import StoredTokens

    client_id, client_secret = house.secrets("quickbooks")
    ports = Ports(
        StoredTokens(house.store, house.vault, 0),
        StoredMeter(0, ""),
        house.clock,
        house.sleep,
        client_id,
        client_secret,
    )
    return QuickBooksConnector(settings, ports)


def _same_state(redirected: str, state: str) -> None:
    if f"state={state}" not in redirected:
        raise UsageError(
            "that address does not answer our question (its state differs)",
            do="run the command again and paste the address of this very sign-in",
        )


def _open_ledger(
    house: House, connection_id: int, name: str | None, person: office.Person, *, as_json: bool
) -> None:
    ledger, probe = connect.add_ledger(house, connection_id, name, person)
    if as_json:
        emit(
            {
                "ledger": ledger.name,
                "mode": ledger.mode,
                "books": probe.books,
                "warnings": list(probe.warnings),
            }
        )
        return
    lines = [
        f"connected to {probe.books.company} ({probe.books.home_currency}); ledger {ledger.name} is in observe"
    ]
    lines += [f"note: {warning}" for warning in probe.warnings]
    say(
        [
            *lines,
            "next: arsync bank add NAME --identifier ACCOUNT, then put bank files into the inbox",
        ]
    )


# ---- bank accounts


@click.group(name="bank")
def bank_command() -> None:
    """Bank accounts whose statements are read from the inbox."""


@bank_command.command(name="add")
@click.argument("name")
@click.option(
    "--identifier",
    required=True,
    help="IBAN or account number, as the statements name it (bank/number if needed).",
)
@click.option("--currency", help="Its currency (else the ledger's).")
@click.option(
    "--profile", help="How its CSV files are written: a name of ours, or profiles/NAME.toml beside the inbox."
)
@click.option("--deposit-account", help="The platform's account that mirrors it (its id there).")
@ledger_option
@json_option
@click.pass_context
def bank_add(
    ctx: click.Context,
    name: str,
    identifier: str,
    currency: str | None,
    profile: str | None,
    deposit_account: str | None,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """Add a bank account; its files go to inbox/NAME, or loose where they name the account."""
    from arsync.sync.intake import normalised_account

    if name in {"", ".", ".."} or "/" in name or name.startswith("."):
        raise UsageError(
            f"{name!r} cannot be the name of a folder", do="choose letters, digits, spaces and dashes"
        )
    with opened(ctx) as (conf, house):
        ledger = ledger_of(house, ledger_name)
        at_desk = Desk(house.store, ledger, person_of(ctx, house), house.clock)
        acted = actions.add_bank_account(
            at_desk,
            {
                "name": name,
                "identifier": normalised_account(identifier),
                "currency": currency or ledger.home_currency,
                "profile": profile,
                "deposit_account": deposit_account,
            },
        )
        (conf.inbox / name).mkdir(parents=True, exist_ok=True)
        folder = conf.inbox / name
        if as_json:
            emit({"done": acted.text, "folder": str(folder)})
        else:
            say([acted.text, f"next: put its files into {folder}, then: arsync reconcile --dry-run"])


@bank_command.command(name="list")
@json_option
@click.pass_context
def bank_list(ctx: click.Context, as_json: bool) -> None:
    """All bank accounts."""
    with opened(ctx) as (_, house), house.store.read() as conn:
        rows = bank.accounts(conn)
        names = {x.id: x.name for x in office.ledgers(conn)}
    if as_json:
        emit(
            [
                {
                    "name": r.name,
                    "identifier": r.identifier,
                    "currency": r.currency,
                    "profile": r.profile,
                    "ledger": names[r.ledger_id],
                }
                for r in rows
            ]
        )
        return
    body: list[tuple[output.Cell, ...]] = [
        (r.name, r.identifier, r.currency, r.profile or "", names[r.ledger_id]) for r in rows
    ]
    say(
        output.grid(("Name", "Account", "Currency", "Profile", "Ledger"), body, screen())
        if body
        else "no bank account yet"
    )


bank_command.add_command(files.import_command)
bank_command.add_command(files.check_command)
bank_command.add_command(files.profile_command)


# ---- people


@click.group(name="people")
def people_command() -> None:
    """Who may act, and in which role."""


@people_command.command(name="add")
@click.argument("name")
@click.option("--role", type=click.Choice(office.ROLES), required=True)
@json_option
@click.pass_context
def people_add(ctx: click.Context, name: str, role: str, as_json: bool) -> None:
    """Add a person (an admin)."""
    with opened(ctx) as (_, house):
        permitted(person_of(ctx, house), "administer")
        with house.store.begin() as conn:
            office.add_person(conn, name, role, house.at())
    told(f"{name} is {role}", as_json=as_json, name=name, role=role)


@people_command.command(name="list")
@json_option
@click.pass_context
def people_list(ctx: click.Context, as_json: bool) -> None:
    """Everybody who may act."""
    with opened(ctx) as (_, house), house.store.read() as conn:
        people = office.people(conn)
    if as_json:
        emit(people)
    else:
        say(output.grid(("Name", "Role"), [(p.name, p.role) for p in people], screen()))


# ---- ledgers


@click.group(name="ledger")
def ledger_command() -> None:
    """Ledgers and how far they go by themselves."""


@ledger_command.command(name="list")
@json_option
@click.pass_context
def ledger_list(ctx: click.Context, as_json: bool) -> None:
    """All ledgers."""
    with opened(ctx) as (_, house), house.store.read() as conn:
        rows = office.ledgers(conn)
    if as_json:
        emit(rows)
    else:
        body: list[tuple[output.Cell, ...]] = [
            (r.name, r.home_currency, r.mode, r.stopped or "") for r in rows
        ]
        say(
            output.grid(("Ledger", "Currency", "Mode", "Stopped"), body, screen())
            if body
            else "no ledger yet; next: arsync connect quickbooks"
        )


@ledger_command.command(name="mode")
@click.argument("mode", type=click.Choice(["observe", "propose", "auto"]))
@ledger_option
@json_option
@click.pass_context
def ledger_mode(ctx: click.Context, mode: Any, ledger_name: str | None, as_json: bool) -> None:
    """observe: nothing is written; propose: people decide; auto: trusted evidence applies by itself (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        told(actions.set_mode(at_desk, mode).text, as_json=as_json, ledger=at_desk.ledger.name, mode=mode)


# ---- policy


@click.group(name="policy")
def policy_command() -> None:
    """What may be done without a person: show, diff, apply, approve."""


@policy_command.command(name="show")
@click.option("--version", "version", type=int, help="This version (else the one in force).")
@ledger_option
@json_option
@click.pass_context
def policy_show(ctx: click.Context, version: int | None, ledger_name: str | None, as_json: bool) -> None:
    """The document."""
    with opened(ctx) as (_, house), house.store.read() as conn:
        ledger = office.find_ledger(conn, ledger_name)
        row = (
            office.policy_version(conn, ledger.id, version)
            if version
            else office.policy_in_force(conn, ledger.id)
        )
    if as_json:
        emit(
            {
                "version": row.version,
                "text": row.text,
                "proposed_by": row.proposed_by,
                "approved_by": row.approved_by,
                "at": row.at,
            }
        )
        return
    say(
        [
            f"# version {row.version}, proposed by {row.proposed_by}, approved by {row.approved_by or 'nobody yet'}",
            row.text.rstrip(),
        ]
    )


@policy_command.command(name="list")
@ledger_option
@json_option
@click.pass_context
def policy_list(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """All versions."""
    with opened(ctx) as (_, house), house.store.read() as conn:
        rows = office.policy_versions(conn, office.find_ledger(conn, ledger_name).id)
    if as_json:
        emit(
            [
                {"version": r.version, "at": r.at, "proposed_by": r.proposed_by, "approved_by": r.approved_by}
                for r in rows
            ]
        )
        return
    body: list[tuple[output.Cell, ...]] = [
        (r.version, r.at[:16].replace("T", " "), r.proposed_by, r.approved_by or "waits for approval")
        for r in rows
    ]
    say(output.grid(("Version", "At (UTC)", "Proposed by", "Approved by"), body, screen()))


@policy_command.command(name="diff")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@ledger_option
@json_option
@click.pass_context
def policy_diff(ctx: click.Context, file: Path, ledger_name: str | None, as_json: bool) -> None:
    """What a file would change."""
    text = _policy_text(file)
    with opened(ctx) as (_, house), house.store.read() as conn:
        now = office.policy_in_force(conn, office.find_ledger(conn, ledger_name).id)
    lines = difflib.unified_diff(
        now.text.splitlines(), text.splitlines(), f"version {now.version}", str(file), lineterm="", n=1
    )
    changed = list(lines)
    if as_json:
        emit({"version": now.version, "file": str(file), "diff": changed})
    else:
        say(changed or "no difference")


@policy_command.command(name="apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@ledger_option
@json_option
@click.pass_context
def policy_apply(ctx: click.Context, file: Path, ledger_name: str | None, as_json: bool) -> None:
    """Propose a new version; another manager approves it (a manager)."""
    text = _policy_text(file)
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.propose_policy(at_desk, text)
    told(acted.text, as_json=as_json, state=acted.state)


@policy_command.command(name="approve")
@click.argument("version", type=int)
@ledger_option
@json_option
@click.pass_context
def policy_approve(ctx: click.Context, version: int, ledger_name: str | None, as_json: bool) -> None:
    """Put somebody else's proposed version in force (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        told(actions.approve_policy(at_desk, version).text, as_json=as_json, version=version)


def _policy_text(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    policies.parse(text, str(file))
    return text
