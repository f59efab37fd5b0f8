"""reconcile, run, pull, proof: the story on the command line."""

import json
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from arsync import output
from arsync.cli.common import desk, emit, json_option, ledger_of, ledger_option, opened, say, screen, told
from arsync.core.money import Money
from arsync.errors import ArsyncError, BooksDisagree, UsageError
from arsync.store import office, proofs, queries, queues
from arsync.store.office import Ledger
from arsync.sync import actions, follow
from arsync.sync.connect import House, at_work, reconnect, signed_in
from arsync.sync.decide import Decided
from arsync.sync.hear import hear
from arsync.sync.proof import Proof
from arsync.sync.run import Ran, dry_run, look, run

NEW_WORK = 4  # exit code: done, and new queue items wait for a person
_VERDICTS = (
    ("apply", "applied"),
    ("link", "already in the books"),
    ("propose", "proposed"),
    ("queue", "queued"),
    ("wait", "waiting for advice"),
    ("not_ours", "not ours"),
)


@click.command(name="reconcile")
@ledger_option
@click.option(
    "--dry-run", is_flag=True, help="Pull and match, but decide nothing and write nothing to the books."
)
@json_option
@click.pass_context
def reconcile_command(ctx: click.Context, ledger_name: str | None, dry_run: bool, as_json: bool) -> int:
    """Pull, match, decide, write and prove, now."""
    with opened(ctx) as (config, house):
        ledger = ledger_of(house, ledger_name)
        if dry_run:
            return _dry(house, ledger, config.inbox, as_json=as_json)
        with _telling(ledger.name) as tell, at_work(house, ledger, tell) as job:
            ran = run(job, config.inbox)
        if as_json:
            emit(_facts(ledger, ran))
        else:
            say(_screen(house, ledger, ran))
        return _code(ran)


@click.command(name="run")
@ledger_option
@click.option("--follow", "stays", is_flag=True, help="Stay, and run a ledger again when it is due.")
@click.option(
    "--every",
    "every_min",
    metavar="MINUTES",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="With --follow: at least so often; sooner where a webhook says that something changed.",
)
@json_option
@click.pass_context
def run_command(
    ctx: click.Context, ledger_name: str | None, every_min: int, *, stays: bool, as_json: bool
) -> int:
    """The same for systemd and cron: every ledger, one line each.

    Exit code: 0 done; 4 done, new queue items; 5 platform not reachable, the next run tries again;
    6 another run is at work; 7 the books disagree and nothing more is written; 3 the installation needs a person.
    """
    with opened(ctx) as (config, house):
        if stays:
            _follow(house, ledger_name, config.inbox, every_min, as_json=as_json)
            return 0
        with house.store.read() as conn:
            chosen = [office.find_ledger(conn, ledger_name)] if ledger_name else office.ledgers(conn)
        results = [_run_one(house, ledger, config.inbox, as_json=as_json) for ledger in chosen]
    if as_json:
        emit({"ledgers": [facts for facts, _ in results]})
    errors = [code for facts, code in results if "error" in facts]
    return errors[0] if errors else max((code for _, code in results), default=0)


def _run_one(house: House, ledger: Ledger, inbox: Path, *, as_json: bool) -> tuple[dict[str, Any], int]:
    """One ledger's run: its facts and its exit code. Its trouble does not keep the others waiting."""
    if not signed_in(house, ledger):
        return _passed_by(ledger, f"signed out, passed by; back: {reconnect(house, ledger)}", as_json=as_json)
    why = follow.rests(house, ledger, inbox)
    try:
        with at_work(house, ledger, lambda _step, _text: None) as job:
            # The month's reads are the platform's: a mailbox or a bank is looked into all the same.
            if why and not (taken := look(job, inbox)).brought:
                return _passed_by(ledger, why, taken.refused, as_json=as_json)
            ran = run(job, inbox)
    except ArsyncError as error:
        click.echo(f"{ledger.name}: {error}", err=True)
        return {"ledger": ledger.name, "error": error.what}, error.exit_code
    if not as_json:
        say(_line(ledger, ran))
    return _facts(ledger, ran), _code(ran)


def _passed_by(
    ledger: Ledger, why: str, refused: Sequence[tuple[str, str]] = (), *, as_json: bool
) -> tuple[dict[str, Any], int]:
    if not as_json:
        say([f"{ledger.name}: {why}", *(f"{ledger.name}: {name}: {reason}" for name, reason in refused)])
    return {"ledger": ledger.name, "rests": why, "refused": list(refused)}, 0


_LOOK_S = 2.0  # how often the marks of webhooks are looked at
_AFTER_TROUBLE_S = 300.0


def _follow(house: House, ledger_name: str | None, inbox: Path, every_min: int, *, as_json: bool) -> None:
    """Run each ledger whenever it is due, until somebody stops us; a run that is at work is finished first."""
    not_before: dict[int, datetime] = {}
    with _asked_to_stop() as stop:
        while not stop.is_set():
            _follow_once(
                house, ledger_name, inbox, timedelta(minutes=every_min), stop, not_before, as_json=as_json
            )
            stop.wait(_LOOK_S)


def _follow_once(
    house: House,
    ledger_name: str | None,
    inbox: Path,
    every: timedelta,
    stop: threading.Event,
    not_before: dict[int, datetime],
    *,
    as_json: bool,
) -> None:
    """Run every ledger that is due; one in trouble, or at rest, is left alone for a while."""
    with house.store.read() as conn:
        chosen = [office.find_ledger(conn, ledger_name)] if ledger_name else office.ledgers(conn)
    for ledger in chosen:
        now = house.clock()
        if stop.is_set() or now < not_before.get(ledger.id, now):
            continue
        if not follow.due(house, ledger, every):
            continue
        facts, _ = _run_one(house, ledger, inbox, as_json=as_json)
        if as_json:
            click.echo(json.dumps(json.loads(output.as_json(facts))))
        if "error" in facts or "rests" in facts:
            not_before[ledger.id] = house.clock() + timedelta(seconds=_AFTER_TROUBLE_S)


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Set when the service manager or the person at the keyboard wants us to end."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command(name="listen")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; a proxy has the TLS.")
@click.option("--port", type=click.IntRange(0, 65535), default=8766, show_default=True)
@click.option(
    "--app", default="quickbooks", show_default=True, help="Whose webhooks: quickbooks, xero, xero.NAME."
)
@json_option
@click.pass_context
def listen_command(ctx: click.Context, host: str, port: int, app: str, *, as_json: bool) -> None:
    """Listen for webhooks, which say only that a ledger has changed: pull soon (see run --follow)."""
    from arsync.connectors import registry
    from arsync.web.listener import Knocks, listening

    with opened(ctx) as (config, house):
        platform, token = app.partition(".")[0], config.app(app).webhook_token()
        hooks = registry.load(platform).webhooks()  # type: ignore[attr-defined]  # a platform that has an app for it
        knocks = Knocks(
            hooks.header,
            lambda body, signature: hooks.signed(body, signature, token),
            hooks.companies,
            lambda companies: hear(house, platform, companies),
        )
        try:
            with _asked_to_stop() as stop, listening((host, port), knocks) as address:
                told(f"listening at {address}", as_json=as_json, address=address)
                stop.wait()
        except OSError as error:
            raise UsageError(
                f"nobody can listen at {host}:{port}: {error.strerror}",
                do="end what listens there, or choose another with --port",
            ) from error


@click.command(name="pull")
@ledger_option
@click.option("--full", is_flag=True, help="Read everything again.")
@json_option
@click.pass_context
def pull_command(ctx: click.Context, ledger_name: str | None, full: bool, as_json: bool) -> None:
    """Only read what changed on the platform."""
    from arsync.store.lock import locked
    from arsync.sync.pull import pull

    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with (
            _telling(ledger.name) as tell,
            at_work(house, ledger, tell) as job,
            locked(house.store, f"ledger-{ledger.id}"),
        ):
            kept = pull(job, full=full)
        if as_json:
            emit({"ledger": ledger.name, "seen": kept.seen, "changed": dict(kept.written)})
            return
        changed = (
            ", ".join(f"{n} {kind}" for kind, n in sorted(kept.written.items()) if n) or "nothing changed"
        )
        say(f"{ledger.name}: {kept.seen:,} records seen; {changed}")


@click.group(name="proof")
def proof_command() -> None:
    """Our figures against the platform's."""


@proof_command.command(name="show")
@ledger_option
@json_option
@click.pass_context
def proof_show(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """The standing differences."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            standing = list(proofs.standing(conn, ledger.id).values())
            names = queries.customer_names(conn, ledger.id)
            at = office.connection_row(conn, ledger.connection_id).totals_at
    if as_json:
        emit({"ledger": ledger.name, "compared_at": at, "stopped": ledger.stopped, "differences": standing})
        return
    if not standing:
        when = f"{at[:16].replace('T', ' ')} UTC" if at else "never"
        say(f"{ledger.name}: no difference, customer by customer and in the control account; compared {when}")
        return
    rows = [
        (
            "control account"
            if d.customer_id == proofs.CONTROL
            else names.get(d.customer_id, "not read yet"),
            d.currency,
            Money(d.ours_minor, d.currency),
            Money(d.theirs_minor, d.currency),
            Money(d.baseline_minor, d.currency),
            Money(d.unexplained_minor, d.currency),
            d.signed_by or "",
        )
        for d in standing
    ]
    head = ("Customer", "Currency", "Here", "Platform", "Opening", "Unexplained", "Signed by")
    say([f"{ledger.name}: last compared {at}", *output.grid(head, rows, screen())])
    if any(d.unexplained_minor for d in standing):
        say("next: clear them in the books, or, if they were there before arsync: arsync proof sign")


@proof_command.command(name="sign")
@ledger_option
@json_option
@click.pass_context
def proof_sign(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Take the standing differences as the opening baseline (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        acted, signed = actions.sign_baseline(at_desk)
    if as_json:
        emit({"done": acted.text, "differences": signed})
        return
    for d in signed:
        say(f"  {Money(d.unexplained_minor, d.currency)}  ({d.source})")
    say(acted.text)


def _dry(house: House, ledger: Ledger, inbox: Any, *, as_json: bool) -> int:
    with _telling(ledger.name) as tell, at_work(house, ledger, tell) as job:
        pulled, taken, proof, decided = dry_run(job, inbox)
    tally = _by_verdict(decided)
    if as_json:
        emit(
            {
                "ledger": ledger.name,
                "dry_run": True,
                "changed": pulled.total,
                "bank_lines": taken.new_lines,
                "decided": _jsonable(tally),
            }
        )
        return 0
    lines = [f"{ledger.name}  dry run: nothing is decided, nothing is written to the books"]
    lines += _pull_lines(pulled.seen, pulled.total, taken.new_lines, taken.refused)
    lines += _match_lines(tally, "Would be")
    lines += _proof_lines(proof)
    say([*lines, f"next: arsync reconcile --ledger {ledger.name}"])
    return 0


def _screen(house: House, ledger: Ledger, ran: Ran) -> list[str]:
    """The run for people: the answer first, totals that add up, the next command last."""
    lines = [f"{ledger.name}  run {ran.run_id}  {ledger.mode}"]
    if not ran.changed:
        lines.append("  nothing changed: nothing was decided, nothing was written, here or in the books")
    lines += _pull_lines(ran.pulled.seen, ran.pulled.total, ran.taken.new_lines, ran.taken.refused)
    lines += _match_lines(_by_verdict(ran.decided))
    if ran.written.sent or ran.written.held or ran.written.failed or ran.read_back.adopted:
        lines += _write_lines(ran)
    lines += _proof_lines(ran.after or ran.before)
    if ran.stopped:
        lines.append(f"  stop    {ran.stopped}")
    with house.store.read() as conn:
        waiting = queues.listing(conn, ledger.id)
        names = queries.customer_names(conn, ledger.id)
    if waiting:
        lines.append(f"in the queue: {output.counted(len(waiting), 'item')}, largest first")
        rows = [
            (
                Money(q.amount_minor, q.currency) if q.amount_minor is not None and q.currency else "",
                names.get(q.customer_id, ""),
                q.reason,
                f"Q-{q.id}",
            )
            for q in waiting[:5]
        ]
        lines += [f"  {line}" for line in output.grid(("Amount", "Customer", "Reason", ""), rows, screen())]
        lines.append(f"next: arsync queue show {waiting[0].id}")
    else:
        lines.append("next: arsync aging")
    return lines


def _pull_lines(seen: int, changed: int, bank_lines: int, refused: list[tuple[str, str]]) -> list[str]:
    lines = [
        f"  pull    {output.counted(seen, 'record')} seen, {changed:,} changed",
        f"  bank    {output.counted(bank_lines, 'new line')}",
    ]
    return lines + [f"          {name}: {why}" for name, why in refused]


def _by_verdict(decided: Decided) -> dict[str, tuple[int, dict[str, int]]]:
    result: dict[str, tuple[int, dict[str, int]]] = {}
    for case in decided.cases:
        count, minor = result.get(case.decision.verdict.value, (0, {}))
        minor[case.receipt.currency] = minor.get(case.receipt.currency, 0) + case.receipt.amount_minor
        result[case.decision.verdict.value] = (count + 1, minor)
    return result


def _match_lines(tally: dict[str, tuple[int, dict[str, int]]], heading: str = "Match") -> list[str]:
    if not tally:
        return ["  match   no receipt waits for a decision"]
    total = sum(count for count, _ in tally.values())
    rows: list[tuple[output.Cell, ...]] = []
    for verdict, label in _VERDICTS:
        count, minor = tally.get(verdict, (0, {}))
        for currency, amount in sorted(minor.items()):
            rows.append((label, count, f"{100 * count / total:.1f} %", currency, Money(amount, currency)))
    sums: dict[str, int] = {}
    for _, minor in tally.values():
        for currency, amount in minor.items():
            sums[currency] = sums.get(currency, 0) + amount
    totals: list[tuple[output.Cell, ...]] = [
        ("receipts", total if len(sums) == 1 else None, "", currency, Money(amount, currency))
        for currency, amount in sorted(sums.items())
    ]
    table = output.grid((heading, "Number", "Share", "", "Amount"), rows, screen(), totals=totals)
    return [f"  {line}" for line in table]


def _write_lines(ran: Ran) -> list[str]:
    booked = ", ".join(str(Money(m, c)) for c, m in sorted(ran.written.minor.items())) or "no cash"
    done = output.counted(ran.written.confirmed, "decision")
    lines = [f"  write   {done} carried out, {booked}; {ran.settled.verified} verified"]
    if ran.read_back.adopted:
        lines.append(
            f"          {ran.read_back.adopted} found on the platform after a lost answer; not sent again"
        )
    if ran.written.failed:
        lines.append(f"          {ran.written.failed} could not be carried out: in the queue")
    if ran.written.unknown:
        lines.append(
            f"          {ran.written.unknown} without an answer: the next run looks before it sends anything again"
        )
    if ran.written.held:
        lines.append(
            f"          {ran.written.held} held back: the books of their customers disagree or are in use"
        )
    return lines


def _proof_lines(proof: Proof) -> list[str]:
    if proof.state == "proven":
        currencies = sorted(set(proof.ours_minor) | set(proof.theirs_minor))
        sums = ", ".join(
            f"A/R here {Money(proof.ours_minor.get(c, 0), c)} = {Money(proof.theirs_minor.get(c, 0), c)} there"
            for c in currencies
        )
        return [f"  proof   {sums or 'nothing is open, here or there'}  ({proof.source})"]
    if proof.state == "differs":
        number = output.counted(len(proof.differences), "difference")
        return [f"  proof   {number}: nothing is written for those; arsync proof show"]
    if proof.state == "not due":
        return ["  proof   nothing moved since the last one; compared once a day"]
    return ["  proof   unproven: the platform gives no totals"]


def _line(ledger: Ledger, ran: Ran) -> str:
    if not ran.changed:
        return f"{ledger.name}: nothing changed"
    tally = ran.tally.number
    decided = ", ".join(f"{tally[v]} {label}" for v, label in _VERDICTS if v in tally) or "nothing to decide"
    return (
        f"{ledger.name}: {output.counted(ran.pulled.total, 'record')} changed, "
        f"{output.counted(ran.taken.new_lines, 'new bank line')}; {decided}; "
        f"{output.counted(ran.settled.verified, 'decision')} written and verified; {ran.open_queue} in the queue"
        + (f"; {ran.stopped}" if ran.stopped else "")
    )


def _facts(ledger: Ledger, ran: Ran) -> dict[str, Any]:
    proof = ran.after or ran.before
    return {
        "ledger": ledger.name,
        "run": ran.run_id,
        "mode": ledger.mode,
        "changed": ran.changed,
        "records_seen": ran.pulled.seen,
        "records_changed": ran.pulled.total,
        "bank_files": {"new_lines": ran.taken.new_lines, "refused": [list(r) for r in ran.taken.refused]},
        "decided": _jsonable(_by_verdict(ran.decided)),
        "written": {
            "sent": ran.written.sent, "carried_out": ran.written.confirmed, "verified": ran.settled.verified,
            "failed": ran.written.failed, "unknown": ran.written.unknown, "held": ran.written.held,
            "found_after_lost_answer": ran.read_back.adopted,
        },
        "proof": {"state": proof.state, "differences": len(proof.differences), "source": proof.source},
        "queue": {"open": ran.open_queue, "new": ran.new_queue},
        "stopped": ran.stopped,
    }  # fmt: skip


def _jsonable(tally: dict[str, tuple[int, dict[str, int]]]) -> dict[str, Any]:
    return {
        verdict: {"number": count, "amounts": [Money(m, c) for c, m in sorted(minor.items())]}
        for verdict, (count, minor) in tally.items()
    }


def _code(ran: Ran) -> int:
    if (ran.after or ran.before).stopped:
        return BooksDisagree.exit_code
    return NEW_WORK if ran.new_queue else 0


class _telling:  # noqa: N801 - used like a function
    """Progress on standard error while a run is under way; silent where nobody looks."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> Any:
        import sys

        if not sys.stderr.isatty():
            return lambda _step, _text: None
        from rich.console import Console

        self._status = Console(stderr=True).status(f"{self._name} ...")
        self._status.start()
        return lambda step, text: self._status.update(f"{self._name}  {step}: {output.visible(text)}")

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_status"):
            self._status.stop()
