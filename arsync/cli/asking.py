"""why, backtest: what is asked of the matcher; nothing is decided. What a back-test said is kept as an event."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arsync import output
from arsync.cli.common import day, emit, json_option, ledger_of, ledger_option, number, opened, say, screen
from arsync.core.decisions import Evidence
from arsync.core.matching import record
from arsync.core.matching.snapshot import MatchPolicy
from arsync.core.money import Money
from arsync.core.policy import Policy, parse
from arsync.errors import UsageError
from arsync.store import decisions, office, queries, queues, raw
from arsync.store.engine import Tx
from arsync.store.office import Ledger
from arsync.sync import actions, checking
from arsync.sync.acting import Desk
from arsync.sync.connect import me

if TYPE_CHECKING:
    from arsync.core.matching.backtest import Case, History, Quality


@click.command(name="why")
@click.argument("receipt")
@click.argument("item")
@ledger_option
@json_option
@click.pass_context
def why_command(ctx: click.Context, receipt: str, item: str, ledger_name: str | None, as_json: bool) -> None:
    """Why not this invoice? What speaks for and against ITEM for the money R-12 (or Q-4), as it was matched."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            money = decisions.receipt_of(conn, ledger.id, _receipt_id(conn, ledger, receipt))
            row = queries.find_item(conn, ledger.id, item)
            told = _answer(conn, ledger, money, row)
    facts = {"receipt": money.id, "item": row.id, "number": row.number}
    if as_json:
        emit({**facts, "evidence": [e._asdict() for e in told]})
        return
    came, left = Money(money.amount_minor, money.currency), Money(row.open_minor, row.currency)
    say(
        f"R-{money.id} of {money.on_date}, {came}, and {row.kind} {row.number or row.external_id} of {row.customer}"
    )
    say([f"  {'+' if e.supports else '-'} {output.visible(e.text)}" for e in told])
    if not told:
        say(f"  - It was not open when the money was matched; now {left} is.")


def _receipt_id(conn: Tx, ledger: Ledger, named: str) -> int:
    if not named.upper().startswith("Q"):
        return number(named, "R")
    row = queues.find(conn, ledger.id, number(named, "Q"))
    if row.receipt_id is None:
        raise UsageError(f"Q-{row.id} is about no receipt", do=f"see: arsync queue show Q-{row.id}")
    if checking.decision_id_of(row) is not None:
        raise UsageError(
            f"Q-{row.id} asks to look at it blind; the answer would say what was applied",
            do=f"see: arsync queue show Q-{row.id}",
        )
    return int(row.receipt_id)


def _answer(conn: Tx, ledger: Ledger, money: Any, item: Any) -> tuple[Evidence, ...]:
    from arsync.core.matching.why import why

    proof = _proof(conn, ledger, money.id)
    if proof is None:
        raise UsageError(f"R-{money.id} has not been matched yet", do="match it: arsync run")
    bodies = raw.get_many(conn, [bytes(proof.snapshot_sha), bytes(proof.finding_sha)])
    snapshot, knowledge, policy = bodies[bytes(proof.snapshot_sha)].decode().split("\n")
    return why(
        record.snapshot_from_text(snapshot),
        record.knowledge_from_text(knowledge),
        record.policy_from_text(policy),
        record.finding_from_text(bodies[bytes(proof.finding_sha)].decode()),
        item.id,
    )


def _proof(conn: Tx, ledger: Ledger, receipt_id: int) -> Any:
    """What was last seen and found of a receipt: in the queue, else with its newest decision."""
    waiting = [row for row in queues.listing(conn, ledger.id) if row.receipt_id == receipt_id]
    rows = [*decisions.of_receipt(conn, ledger.id, receipt_id), *waiting]
    return next((row for row in reversed(rows) if row.finding_sha is not None), None)


@click.command(name="backtest")
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path, exists=True),
    help="A policy to compare with the one in force.",
)
@click.option("--since", metavar="DATE", help="From this day on; all there is, if not said.")
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Write how true the probabilities are as a picture (SVG)."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Replay a world of the benchmark of cash application instead; without --policy under the default one.",
)
@ledger_option
@json_option
@click.pass_context
def backtest_command(
    ctx: click.Context,
    file: Path | None,
    since: str | None,
    plot: Path | None,
    folder: Path | None,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """Replay the money of the past, day by day: what would have been applied alone, and how often wrong."""
    from arsync.core.matching import backtest
    from arsync.reports import backtest as report

    text = file.read_text(encoding="utf-8") if file else ""
    proposed = parse(text, str(file)).match if file else None
    first = day(since) if since else None
    if folder is not None:
        name, tried = folder.name, _compared(_world(folder, first), Policy().match, proposed)
    else:
        name, tried = _own_past(ctx, ledger_name, first, text, proposed)
    (before, now), (after, then) = tried
    moved = backtest.changed(before, after) if after else []
    if plot:
        plot.write_text(report.plot((then or now).bands), encoding="utf-8")
    if as_json:
        ids = [one.past.receipt.id for one, _ in moved]
        facts = {"in_force": _facts(now), "proposed": _facts(then) if then else None, "changed": ids}
        emit({"ledger": name, **facts})
        return
    say(report.lines(now, then, moved, screen()))
    say(f"plot in {plot}") if plot else None


def _facts(quality: "Quality") -> dict[str, object]:
    facts = asdict(quality)
    value = facts.pop("value_minor")
    rows = [
        {"currency": c, "applied_minor": applied, "right_minor": right}
        for c, (applied, right) in value.items()
    ]
    return {**facts, "value": rows}


_Tried = tuple[tuple["tuple[Case, ...]", "Quality"], tuple["tuple[Case, ...]", "Quality | None"]]


def _compared(past: "History", in_force: MatchPolicy, proposed: MatchPolicy | None) -> _Tried:
    """What the policy in force would have done, and what the proposed one, where there is one."""
    from arsync.core.matching import backtest

    before = backtest.replayed(past, in_force)
    after = backtest.replayed(past, proposed) if proposed else ()
    return (before, backtest.quality(before)), (after, backtest.quality(after) if after else None)


def _world(folder: Path, first: date | None) -> "History":
    from arsync.testing.cashbench_folder import history_of

    return history_of(folder, first)


def _own_past(
    ctx: click.Context, ledger_name: str | None, first: date | None, text: str, proposed: MatchPolicy | None
) -> tuple[str, _Tried]:
    """The ledger's own past; what it said is kept where a person known to the store asks."""
    from arsync.store import history

    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            in_force = office.policy_in_force(conn, ledger.id)
            past = history.history(conn, ledger.id, first or date.min)
            asking = next((one for one in office.people(conn) if one.name == me(ctx.obj["person"])), None)
        if not past.past:
            raise UsageError(
                f"{ledger.name} has no receipt whose payment is in the books",
                do="import bank files of the past months (arsync run), or ask for an earlier day",
            )
        tried = _compared(past, in_force.policy.match, proposed)
        (_, now), (_, then) = tried
        if asking is not None:
            at_desk = Desk(house.store, ledger, asking, house.clock)
            actions.keep_backtest(at_desk, in_force.text, first, now)
            if then is not None:
                actions.keep_backtest(at_desk, text, first, then)
    return ledger.name, tried
