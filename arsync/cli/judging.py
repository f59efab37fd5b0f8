"""quality, learned: how often the program was wrong, and what it has learned from people."""

from dataclasses import asdict

import click

from arsync.cli.common import desk, emit, json_option, ledger_of, ledger_option, opened, say, screen, told
from arsync.cli.desk import customer_named
from arsync.core.decisions import EvidenceClass
from arsync.errors import UsageError
from arsync.reports.learned import habit_lines, lines
from arsync.sync import actions, report

_CLASSES = [klass.value for klass in EvidenceClass]


def _only_alone(ctx: click.Context) -> None:
    """Refuse options before a subcommand: they would say nothing to it."""
    if any(ctx.params.values()):
        raise UsageError("options come after the subcommand", do=f"see: {ctx.command_path} --help")


@click.group(name="quality", invoke_without_command=True)
@ledger_option
@json_option
@click.pass_context
def quality_command(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """How often what was applied without a person was wrong: what a blind sample found, and what was found later."""
    if ctx.invoked_subcommand is not None:
        _only_alone(ctx)
        return
    with opened(ctx) as (_, house):
        made = report.quality_report(house.store, ledger_of(house, ledger_name))
    if as_json:
        classes = [{**asdict(one), "in_10_000": one.rate} for one in (*made.classes, made.all_of_them)]
        emit({**asdict(made), "classes": classes})
    else:
        say(made.lines(screen()))


@quality_command.command(name="lift")
@click.argument("evidence", type=click.Choice(_CLASSES), metavar="CLASS")
@click.option("--why", required=True, help="The reason; kept on record.")
@ledger_option
@json_option
@click.pass_context
def quality_lift(ctx: click.Context, evidence: str, why: str, ledger_name: str | None, as_json: bool) -> None:
    """Let a class of evidence that was too often wrong apply by itself again; counting begins anew (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.lift_class(at_desk, evidence, why)
    told(acted.text, as_json=as_json, **{"class": evidence})


@click.group(name="learned", invoke_without_command=True)
@click.option("--all", "ended_too", is_flag=True, help="What has ended too.")
@ledger_option
@json_option
@click.pass_context
def learned_command(ctx: click.Context, ended_too: bool, ledger_name: str | None, as_json: bool) -> None:
    """What clerks' decisions taught: who pays for whom, how often that was confirmed, by whom, and until when."""
    if ctx.invoked_subcommand is not None:
        _only_alone(ctx)
        return
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        made = report.learned_report(house.store, ledger, ledger.day_of(house.clock()))
    shown = [one for one in made if ended_too or one.standing != "ended"]
    if as_json:
        emit(shown)
    else:
        say(lines(shown, screen()) if shown else f"{ledger.name}: nothing was learned")


@learned_command.command(name="forget")
@click.argument("which", type=int, metavar="ID")
@click.option("--why", default="", help="The reason; kept on record.")
@ledger_option
@json_option
@click.pass_context
def learned_forget(ctx: click.Context, which: int, why: str, ledger_name: str | None, as_json: bool) -> None:
    """Take back one thing that was learned; what is undecided is matched again without it."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.forget(at_desk, which, why)
    told(acted.text, as_json=as_json, forgotten=which)


@learned_command.command(name="habits")
@ledger_option
@json_option
@click.pass_context
def learned_habits(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """How customers usually pay, by what people confirmed; it weighs the sets of items that fit a receipt."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        made = report.habits_report(house.store, ledger, ledger.day_of(house.clock()))
    if as_json:
        emit(made)
    else:
        say(
            habit_lines(made, screen())
            if made
            else f"{ledger.name}: nothing was learned of how customers pay"
        )


@learned_command.command(name="unlearn")
@click.argument("customer", metavar="CUSTOMER")
@click.option("--why", default="", help="The reason; kept on record.")
@ledger_option
@json_option
@click.pass_context
def learned_unlearn(
    ctx: click.Context, customer: str, why: str, ledger_name: str | None, as_json: bool
) -> None:
    """Take back how a customer usually pays; what is undecided is matched again without it."""
    with desk(ctx, ledger_name) as at_desk:
        owner = customer_named(at_desk, customer)
        assert owner is not None
        acted = actions.forget_habit(at_desk, owner, why)
    told(acted.text, as_json=as_json, customer=customer)
