"""init, connect, bank, people, ledger, policy: what is set up once, by people who may."""

import difflib
import os
import shlex
import sys
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
    """Connect an accounting platform and open a ledger, or sign in again."""


@connect_command.command(name="quickbooks")
@click.option("--name", help="What the connection is called here (else quickbooks, then quickbooks-REALM).")
@click.option(
    "--ledger",
    "ledger_name",
    metavar="NAME",
    help="What the ledger is called here (else the company's name).",
)
@click.option("--realm", help="The company's realm id; asked for when the platform does not send it.")
@click.option("--paste", is_flag=True, help="Ask for the address the browser is sent to, do not listen.")
@click.option("--no-browser", is_flag=True, help="Only print the page to open.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Listen here for the answer, where a proxy brings it (else at the redirect address, on loopback).",
)
@click.option(
    "--redirected", help="The whole address the browser was sent to after consent (else it is waited for)."
)
@json_option
@click.pass_context
def connect_quickbooks(
    ctx: click.Context,
    name: str | None,
    ledger_name: str | None,
    realm: str | None,
    redirected: str | None,
    listen: str | None,
    *,
    paste: bool,
    no_browser: bool,
    as_json: bool,
) -> None:
    """Open the consent page in a browser; once you allow arsync there, it is signed in."""
    from arsync.connectors.quickbooks.connector import QuickBooksSettings

    with opened(ctx) as (conf, house):
        person, app = person_of(ctx, house), conf.quickbooks
        permitted(person, "administer")
        addresses: dict[str, Any] = app.addresses()
        if redirected is None:
            settings = QuickBooksSettings(realm or "", **addresses)
            signing_in = connect.newcomer(house, "quickbooks", settings, connect.FreshTokens())
            redirected = consent(signing_in, app.redirect_uri, listen, paste=paste, browser=not no_browser)
        answer = granted(redirected)
        settings = QuickBooksSettings(realm or answer.get("realmId", ""), **addresses)
        if not settings.realm_id:
            raise UsageError("the address names no company", do="add --realm with the company's realm id")
        connection_id = connect.add_connection(house, "quickbooks", name, settings, person)
        connector, meter = connect.open_connector(house, connection_id)
        connector.exchange(answer["code"], app.redirect_uri)  # type: ignore[attr-defined]  # signing in is each platform's own
        connector.close()
        meter.keep()
        _go_on(house, connection_id, ledger_name, person, as_json=as_json)


@connect_command.command(name="xero")
@click.option("--name", help="What the connection is called here (else xero, then xero-TENANT).")
@click.option(
    "--ledger",
    "ledger_name",
    metavar="NAME",
    help="What the ledger is called here (else the organisation's name).",
)
@click.option("--tenant", help="The organisation, by name or tenant id, where the sign-in reaches several.")
@click.option("--app", default="", help="Which app signs in, of those in arsync.toml under [xero.apps.NAME].")
@click.option("--custom", is_flag=True, help="The app is a custom connection: no browser, no person.")
@click.option("--read-only", is_flag=True, help="Ask for the right to read only.")
@click.option(
    "--prepayments", metavar="CODE", default="", help="Book money for nothing yet as prepayment, there."
)
@click.option(
    "--returns-account", metavar="CODE", default="", help="The account returned payments clear through."
)
@click.option(
    "--clearing-account", metavar="CODE", default="", help="The bank account a payout's payments wait in."
)
@click.option(
    "--payouts-contact",
    metavar="NAME",
    default="Payouts",
    show_default=True,
    help="Whose the fees of payouts are.",
)
@click.option("--paste", is_flag=True, help="Ask for the address the browser is sent to, do not listen.")
@click.option("--no-browser", is_flag=True, help="Only print the page to open.")
@click.option("--listen", metavar="HOST:PORT", help="Listen here for the answer, where a proxy brings it.")
@click.option("--redirected", help="The whole address the browser was sent to (an app with a secret only).")
@json_option
@click.pass_context
def connect_xero(
    ctx: click.Context,
    name: str | None,
    ledger_name: str | None,
    tenant: str | None,
    redirected: str | None,
    listen: str | None,
    *,
    app: str,
    custom: bool,
    read_only: bool,
    prepayments: str,
    returns_account: str,
    clearing_account: str,
    payouts_contact: str,
    paste: bool,
    no_browser: bool,
    as_json: bool,
) -> None:
    """Open Xero's consent page in a browser; each sign-in serves one organisation."""
    from dataclasses import replace

    from arsync.connectors.xero.connector import READING, XeroSettings

    with opened(ctx) as (conf, house):
        person, own = person_of(ctx, house), conf.app(configs.app_name("xero", app))
        permitted(person, "administer")
        chosen: dict[str, Any] = own.addresses() | ({"scopes": READING} if read_only else {})
        settings = XeroSettings(
            app=app, custom=custom, prepayment_account=prepayments, returns_account=returns_account,
            clearing_account=clearing_account, payouts_contact=payouts_contact, **chosen,
        )  # fmt: skip
        tokens = connect.FreshTokens()
        connector = connect.newcomer(house, "xero", settings, tokens)
        if custom:
            connector.enter()
        else:
            if redirected is None:
                redirected = consent(connector, own.redirect_uri, listen, paste=paste, browser=not no_browser)
            connector.exchange(granted(redirected)["code"], own.redirect_uri)
        settings = replace(settings, tenant_id=_one_of(connector.tenants(), tenant))
        connector.close()
        connection_id = connect.add_connection(house, "xero", name, settings, person)
        connect.keep_tokens(house, connection_id, tokens.load())
        _go_on(house, connection_id, ledger_name, person, as_json=as_json)


def _one_of(tenants: dict[str, str], named: str | None) -> str:
    """The organisation that is meant, of those that a sign-in reaches."""
    fitting = [number for number, name in tenants.items() if named in (None, number, name)]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{name} ({number})" for number, name in tenants.items()) or "none"
    raise UsageError(
        f"the sign-in reaches these organisations: {listed}",
        do="name one with --tenant; for each of them sign in once",
    )


def granted(redirected: str) -> dict[str, str]:
    """What the platform sent the browser back with: a code, or why there is none."""
    from urllib.parse import parse_qs, urlsplit

    answer = {key: values[0] for key, values in parse_qs(urlsplit(redirected).query).items()}
    if "code" not in answer:
        said = answer.get("error_description") or answer.get("error") or "there is no code in that address"
        raise UsageError(
            f"the platform did not let us in: {said}", do="run the command again and allow access"
        )
    return answer


def _go_on(
    house: House, connection_id: int, ledger_name: str | None, person: office.Person, *, as_json: bool
) -> None:
    """A ledger goes on with its new sign-in; without one, one is opened."""
    if (known := connect.ledger_of(house, connection_id)) is not None:
        connect.signed_in_again(house, known, person)
        told(f"signed in again; ledger {known.name} goes on", as_json=as_json, ledger=known.name)
        return
    _open_ledger(house, connection_id, ledger_name, person, as_json=as_json)


_PATIENCE_S = 600.0  # for a person to find a password and a company
_POLL_S = 0.2


def consent(signing_in: Any, redirect_uri: str, listen: str | None, *, paste: bool, browser: bool) -> str:
    """Send a person to the consent page; the address the browser was sent to afterwards."""
    import secrets

    from arsync.web.callback import answers, listening, loopback

    state = secrets.token_urlsafe(24)
    page = signing_in.authorize_url(redirect_uri, state)
    where = _host_and_port(listen) if listen else loopback(redirect_uri)
    # Standard output is the command's answer, also for programs; the talk goes beside it.
    click.echo(f"open this page and allow arsync:\n{page}", err=True)
    if paste or where is None:
        redirected = str(click.prompt("then paste the address you were sent to", err=True))
        if not answers(redirected, state):
            raise UsageError(
                "that address does not answer our question (its state differs)",
                do="run the command again and paste the address of this very sign-in",
            )
        return redirected
    try:
        with listening(where, state) as wait:
            if browser:
                _open(page)
            return _heard_or_typed(wait, state)
    except OSError as error:
        raise UsageError(
            f"nobody can listen at {where[0]}:{where[1]}: {error.strerror}",
            where=f"redirect_uri = {redirect_uri}",
            do="end the other sign-in, or run again with --paste",
        ) from error


def _heard_or_typed(wait: Any, state: str) -> str:
    """The answer as it comes to us, or as the person pastes it meanwhile."""
    import select
    import sys

    from arsync.web.callback import answers

    typing = sys.stdin.isatty()
    beside = "; or paste here the address you were sent to" if typing else ""
    click.echo(f"waiting for your browser{beside} ...", err=True)
    for _ in range(int(_PATIENCE_S / _POLL_S)):
        if (heard := wait(_POLL_S)) is not None:
            return str(heard)
        if typing and select.select([sys.stdin], [], [], 0)[0]:
            typed = sys.stdin.readline().strip()
            if answers(typed, state):
                return typed
            if typed:
                click.echo("that address does not answer our question (its state differs)", err=True)
    raise UsageError(
        f"nobody has answered within {_PATIENCE_S / 60:.0f} minutes",
        do="run the command again; on a machine without a browser with --paste",
    )


def _open(page: str) -> None:
    """Open a browser where there is one that does not take over this terminal."""
    import webbrowser

    if sys.platform == "darwin" or any(os.environ.get(x) for x in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        webbrowser.open(page)


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"{text} is no HOST:PORT", do="write it like 127.0.0.1:8765")
    return host, int(port)


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
    with house.store.read() as conn:
        several = len(office.ledgers(conn)) > 1
    which = f" --ledger {shlex.quote(ledger.name)}" if several else ""
    say(
        [
            *lines,
            f"next: arsync bank add NAME --identifier ACCOUNT{which}, then put bank files into the inbox",
        ]
    )


@click.command(name="disconnect")
@ledger_option
@click.option("--anyway", is_flag=True, help="Forget the sign-in here even if the platform cannot be told.")
@json_option
@click.pass_context
def disconnect_command(ctx: click.Context, ledger_name: str | None, *, anyway: bool, as_json: bool) -> None:
    """Give the consent back: the platform forgets arsync, and the ledger keeps what it knows (an admin)."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        left = connect.disconnect(house, ledger, person_of(ctx, house), anyway=anyway)
    if as_json:
        emit(
            {"ledger": ledger.name, "revoked": left.revoked, "unfinished": left.unfinished, "back": left.back}
        )
        return
    lines = [f"{ledger.name}: signed out; nothing is read or written until somebody signs in again"]
    if not left.revoked:
        lines.append(f"note: {left.note}")
    if left.unfinished:
        lines.append(
            "note: something that was sent is not verified yet; the next run after signing in does it"
        )
    say([*lines, f"back: {left.back}"])


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


@bank_command.command(name="map")
@click.argument("name")
@click.option(
    "--deposit-account", required=True, help="The platform's account that mirrors it (its id there)."
)
@ledger_option
@json_option
@click.pass_context
def bank_map(
    ctx: click.Context, name: str, deposit_account: str, ledger_name: str | None, as_json: bool
) -> None:
    """Say which account of the books a bank account is: deposits, returns and refunds are booked there."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.map_bank_account(at_desk, name, deposit_account)
    told(acted.text, as_json=as_json)


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
bank_command.add_command(files.sheet_command)
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
