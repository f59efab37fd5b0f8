"""doctor, audit, upgrade, completion: the health of the installation, and proof of what was done."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from arsync import __version__, migrations, output
from arsync import config as configs
from arsync.cli.common import emit, json_option, ledger_of, ledger_option, number, opened, say, screen, told
from arsync.core.matching import record
from arsync.errors import ArsyncError, BooksDisagree, Broken, UsageError
from arsync.store import audit, decisions, office, raw
from arsync.store.engine import SQLITE_VERSION, Store, Tx
from arsync.sync.connect import House
from arsync.sync.health import Check, ask, ledger_checks

_LOW_DISK_BYTES = 500 * 1024**2


@click.command(name="doctor")
@click.option("--ask", "asking", is_flag=True, help="Also ask each platform whether it lets us in.")
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, *, asking: bool, as_json: bool) -> int:
    """What is set up, what is missing, what to do. Exit code 3 when something must be done."""
    checks = [
        Check("ok", f"arsync {__version__}, Python {sys.version.split()[0]}, SQLite {SQLITE_VERSION}"),
    ]
    try:
        with opened(ctx) as (conf, house):
            checks.append(Check("ok", f"configuration {conf.file}, key {conf.key_file}"))
            checks.append(Check("ok", f"store {house.store.shown()}, revision {migrations.HEAD}"))
            checks += [_disk(conf), _inbox(conf), _people(house), *_ledgers(house, asking=asking)]
    except ArsyncError as error:
        checks.append(Check("bad", error.what + (f" ({error.where})" if error.where else ""), error.do))
    if as_json:
        emit([{"state": one.state, "what": one.what, "do": one.do} for one in checks])
    else:
        for one in checks:
            say(f"{one.state:<5} {one.what}" + (f"\n      do: {one.do}" if one.do else ""))
    return 3 if any(one.state == "bad" for one in checks) else 0


def _disk(conf: configs.Config) -> Check:
    free = shutil.disk_usage(conf.file.parent).free
    text = f"{free // 1024**2:,} MiB of disk are free"
    return Check("warn", text, "free some space") if free < _LOW_DISK_BYTES else Check("ok", text)


def _inbox(conf: configs.Config) -> Check:
    if not conf.inbox.is_dir():
        return Check("bad", f"the inbox {conf.inbox} is not there", f"mkdir -p {conf.inbox}")
    files = sum(1 for p in conf.inbox.rglob("*") if p.is_file())
    return Check("ok", f"inbox {conf.inbox}: {output.counted(files, 'file')}")


def _people(house: House) -> Check:
    with house.store.read() as conn:
        people = office.people(conn)
    names = ", ".join(f"{p.name} ({p.role})" for p in people)
    deciders = [p for p in people if p.role in ("manager", "admin")]
    if len(people) == 1 or len(deciders) == 1:
        return Check(
            "warn",
            f"duties are not separated: {names}",
            "let an admin add a second person: arsync people add NAME --role manager",
        )
    return Check("ok", f"people: {names}")


def _ledgers(house: House, *, asking: bool) -> list[Check]:
    with house.store.read() as conn:
        ledgers = office.ledgers(conn)
    if not ledgers:
        return [Check("warn", "no ledger yet", "arsync connect quickbooks")]
    strangers = sorted(house.zones.keys() - {ledger.name for ledger in ledgers})
    checks = [
        Check("warn", f"arsync.toml speaks of a ledger {name}, which is not here", "see: arsync ledger list")
        for name in strangers
    ]
    for ledger in ledgers:
        checks += ledger_checks(house, ledger)
        checks += [ask(house, ledger)] if asking else []
    return checks


# ---- audit


@click.group(name="audit")
def audit_command() -> None:
    """Verify the chain of events; replay a decision; read the history."""


@audit_command.command(name="verify")
@ledger_option
@json_option
@click.pass_context
def audit_verify(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Walk the whole chain: every link, every body, the signature."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            count, faults = audit.verify(conn, ledger.id, house.vault.signing_key())
    if as_json:
        emit({"ledger": ledger.name, "events": count, "faults": faults})
    else:
        say(
            [
                f"{ledger.name}: {output.counted(count, 'event')}, "
                + ("every link holds" if not faults else output.counted(len(faults), "fault"))
            ]
        )
        say([f"  event {f.seq}: {f.what}" for f in faults]) if faults else None
    if faults:
        raise Broken(
            "the audit chain does not hold",
            where=f"ledger {ledger.name}",
            do="compare with a backup; do not write until it is explained",
        )


@audit_command.command(name="replay")
@click.argument("decision")
@ledger_option
@json_option
@click.pass_context
def audit_replay(ctx: click.Context, decision: str, ledger_name: str | None, as_json: bool) -> None:
    """Match again what was matched then: the same snapshot, knowledge and policy must give the same explanation."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            row = decisions.find(conn, ledger.id, number(decision, "D"))
            same, then, now = _replay(conn, row)
    if as_json:
        emit(
            {
                "decision": row.id,
                "engine": row.engine_version,
                "same": same,
                "then": json.loads(then),
                "now": json.loads(now),
            }
        )
    else:
        say(f"D-{row.id}: the same explanation again" if same else f"D-{row.id}: then {then}\nnow  {now}")
    if not same:
        raise BooksDisagree(
            "the decision does not replay to the same explanation",
            where=f"D-{row.id}, engine {row.engine_version}",
            do="report it with this output",
        )


def _replay(conn: Tx, row: Any) -> tuple[bool, str, str]:
    from arsync.core.matching.engine import match

    if row.snapshot_sha is None or row.finding_sha is None:
        raise UsageError(
            f"D-{row.id} was made by {row.decided_by} by hand: there is nothing to replay",
            do=f"see: arsync show D-{row.id}",
        )
    snapshot, knowledge, policy = raw.get(conn, bytes(row.snapshot_sha)).decode().split("\n")
    findings = match(
        record.snapshot_from_text(snapshot),
        record.knowledge_from_text(knowledge),
        record.policy_from_text(policy),
    )
    now = next(record.finding_to_text(f) for f in findings if f.receipt_id == row.receipt_id)
    then = raw.get(conn, bytes(row.finding_sha)).decode()
    return now == then, then, now


@audit_command.command(name="log")
@click.argument("subject")
@ledger_option
@json_option
@click.pass_context
def audit_log(ctx: click.Context, subject: str, ledger_name: str | None, as_json: bool) -> None:
    """The events of one subject: receipt:12, policy, ledger, bank ..."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            events = audit.history(conn, ledger.id, subject)
    if as_json:
        emit(events)
        return
    body: list[tuple[output.Cell, ...]] = [
        (
            e["seq"],
            e["at"][:19].replace("T", " "),
            e["who"],
            e["what"],
            json.dumps(e["body"], ensure_ascii=False),
        )
        for e in events
    ]
    say(
        output.grid(("", "At (UTC)", "Who", "What", "Facts"), body, screen())
        if body
        else f"nothing is on record about {subject}"
    )


# ---- the rest


@click.command(name="upgrade")
@json_option
@click.pass_context
def upgrade_command(ctx: click.Context, as_json: bool) -> None:
    """Bring the store to this version's schema; make a backup first."""
    conf = configs.load(Path(ctx.obj["config"]) if ctx.obj["config"] else None)
    store = Store(conf.store)
    try:
        before = store.revision()
        migrations.upgrade(store)
        after = store.revision()
        told(f"{store.shown()}: {before or 'empty'} -> {after}", as_json=as_json, before=before, after=after)
    finally:
        store.close()


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script of your shell: eval "$(arsync completion bash)"."""
    from click.shell_completion import get_completion_class

    from arsync.cli import cli

    found = get_completion_class(shell)
    assert found is not None
    say(found(cli, {}, "arsync", "_ARSYNC_COMPLETE").source())
