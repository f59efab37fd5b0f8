"""doctor, audit, upgrade, completion: the health of the installation, and proof of what was done."""

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from arsync import __version__, migrations, output
from arsync import config as configs
from arsync.cli.common import emit, json_option, ledger_of, ledger_option, number, opened, say, screen, told
from arsync.core.matching import record
from arsync.errors import ArsyncError, BooksDisagree, Broken, UsageError
from arsync.store import audit, decisions, office, proofs, queries, raw, runs
from arsync.store.engine import SQLITE_VERSION, Store, Tx
from arsync.store.office import Ledger
from arsync.store.vault import StoredTokens
from arsync.sync.connect import House

_LOW_DISK_BYTES = 500 * 1024**2
_SOON_DAYS = 30


@click.command(name="doctor")
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, as_json: bool) -> int:
    """What is set up, what is missing, what to do. Exit code 3 when something must be done."""
    checks: list[tuple[str, str, str]] = []  # (state, what, what to do)
    checks.append(
        ("ok", f"arsync {__version__}, Python {sys.version.split()[0]}, SQLite {SQLITE_VERSION}", "")
    )
    try:
        with opened(ctx) as (conf, house):
            checks.append(("ok", f"configuration {conf.file}, key {conf.key_file}", ""))
            checks.append(("ok", f"store {house.store.shown()}, revision {migrations.HEAD}", ""))
            checks += _disk(conf)
            checks += _inbox(conf)
            checks += _people(house)
            for ledger in _ledgers(house):
                checks += _ledger_checks(house, ledger)
    except ArsyncError as error:
        checks.append(("bad", error.what + (f" ({error.where})" if error.where else ""), error.do))
    if as_json:
        emit([{"state": s, "what": w, "do": d} for s, w, d in checks])
    else:
        for state, what, do in checks:
            say(f"{state:<5} {what}" + (f"\n      do: {do}" if do else ""))
    return 3 if any(state == "bad" for state, _, _ in checks) else 0


def _disk(conf: configs.Config) -> list[tuple[str, str, str]]:
    free = shutil.disk_usage(conf.file.parent).free
    text = f"{free // 1024**2:,} MiB of disk are free"
    return [("warn", text, "free some space")] if free < _LOW_DISK_BYTES else [("ok", text, "")]


def _inbox(conf: configs.Config) -> list[tuple[str, str, str]]:
    if not conf.inbox.is_dir():
        return [("bad", f"the inbox {conf.inbox} is not there", f"mkdir -p {conf.inbox}")]
    files = sum(1 for p in conf.inbox.rglob("*") if p.is_file())
    return [("ok", f"inbox {conf.inbox}: {output.counted(files, 'file')}", "")]


def _people(house: House) -> list[tuple[str, str, str]]:
    with house.store.read() as conn:
        people = office.people(conn)
    names = ", ".join(f"{p.name} ({p.role})" for p in people)
    deciders = [p for p in people if p.role in ("manager", "admin")]
    if len(people) == 1 or len(deciders) == 1:
        return [
            (
                "warn",
                f"duties are not separated: {names}",
                "let an admin add a second person: arsync people add NAME --role manager",
            )
        ]
    return [("ok", f"people: {names}", "")]


def _ledgers(house: House) -> list[Ledger]:
    with house.store.read() as conn:
        return office.ledgers(conn)


def _ledger_checks(house: House, ledger: Ledger) -> list[tuple[str, str, str]]:
    now = house.clock()
    with house.store.read() as conn:
        row = office.connection_row(conn, ledger.connection_id)
        last = runs.latest(conn, ledger.id)
        open_ones = [d for d in proofs.standing(conn, ledger.id).values() if d.unexplained_minor]
        meter = office.metered(conn, ledger.connection_id, now.strftime("%Y-%m"))
        unfinished = queries.unfinished(conn, ledger.id)
        count, faults = audit.verify(conn, ledger.id, house.vault.signing_key())
        policy = office.policy_in_force(conn, ledger.id)
    name = f"ledger {ledger.name}"
    checks = [("ok", f"{name}: {ledger.mode}, policy version {policy.version}, {count:,} events", "")]
    if ledger.stopped:
        checks.append(("bad", f"{name}: {ledger.stopped}", "see: arsync proof show"))
    if open_ones:
        checks.append(
            (
                "warn",
                f"{name}: {output.counted(len(open_ones), 'unexplained difference')}",
                "see: arsync proof show",
            )
        )
    if faults:
        checks.append(
            (
                "bad",
                f"{name}: the audit chain has {output.counted(len(faults), 'fault')}",
                "see: arsync audit verify",
            )
        )
    if last is None:
        checks.append(("warn", f"{name}: never run", "arsync reconcile --dry-run"))
    else:
        ended = last.ended_at or "still under way"
        state = "ok" if last.outcome == "done" else "warn"
        checks.append(
            (
                state,
                f"{name}: last run {last.outcome} {ended[:16].replace('T', ' ')}"
                + (f": {last.error}" if last.error else ""),
                "",
            )
        )
    if unfinished:
        checks.append(("warn", f"{name}: something is still to be sent or verified", "arsync reconcile"))
    checks += _tokens(house, ledger, row, now)
    if meter:
        checks.append(
            (
                "ok",
                f"{name}: calls this month: " + ", ".join(f"{n:,} {what}" for what, n in meter.items()),
                "",
            )
        )
    return checks


def _tokens(house: House, ledger: Ledger, row: Any, now: datetime) -> list[tuple[str, str, str]]:
    try:
        tokens = StoredTokens(house.store, house.vault, row.id).load()
    except ArsyncError as error:
        return [("bad", error.what, error.do)]
    # The refresh token dies when it is not used for about a hundred days; consent as a whole ends some day too.
    until = min((end for end in (tokens.refresh_until, tokens.hard_until) if end is not None), default=None)
    if until is None:
        return [("ok", f"ledger {ledger.name}: signed in to {row.platform}", "")]
    days = (until - now).days
    text = f"ledger {ledger.name}: {row.platform} lets us in for {days} more days without another run"
    return [
        (
            "warn" if days < _SOON_DAYS else "ok",
            text,
            "connect again before it ends" if days < _SOON_DAYS else "",
        )
    ]


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
