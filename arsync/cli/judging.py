"""quality: how often the program was wrong."""

from dataclasses import asdict

import click

from arsync.cli.common import desk, emit, json_option, ledger_of, ledger_option, opened, say, screen, told
from arsync.core.decisions import EvidenceClass
from arsync.sync import actions, report

_CLASSES = [klass.value for klass in EvidenceClass]


@click.group(name="quality", invoke_without_command=True)
@ledger_option
@json_option
@click.pass_context
def quality_command(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """How often what was applied without a person was wrong: what a blind sample found, and what was found later."""
    if ctx.invoked_subcommand is not None:
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
