"""rates: what currencies were worth, so that money in another currency finds its items."""

from datetime import date
from pathlib import Path

import click

from arsync import output
from arsync.cli.common import day, emit, json_option, opened, person_of, say, screen, told
from arsync.core.rates import STANDS_DAYS
from arsync.errors import NotFound
from arsync.sync import rates


@click.group(name="rates")
def rates_command() -> None:
    """Exchange rates, by day; money in another currency than the invoices is judged by them."""


@rates_command.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--base", metavar="CURRENCY", help="What the rates of a list are in: 1 EUR = 1.09 USD has base USD."
)
@json_option
@click.pass_context
def import_command(ctx: click.Context, file: Path, base: str | None, as_json: bool) -> int:
    """Import a list (date,currency,rate) or the European Central Bank's table (Date,USD,JPY,...).

    A rate of a day that has one already corrects it. Exit code 3 when a line could not be read.
    """
    with opened(ctx) as (_, house):
        made = rates.take(house.store, person_of(ctx, house), house.clock, file, base)
    if not as_json:
        for bad in made.bad:
            say(f"line {bad.line}: {output.visible(bad.why)}: {output.visible(bad.raw)}")
    told(
        f"{made.new:,} new, {made.corrected:,} corrected, {made.same:,} as they were",
        as_json=as_json,
        new=made.new,
        corrected=made.corrected,
        unchanged=made.same,
        bad=[{"line": bad.line, "raw": bad.raw, "why": bad.why} for bad in made.bad],
    )
    return 3 if made.bad else 0


@rates_command.command(name="list")
@click.option("--from", "first", metavar="DAY", help="The first day shown; else all.")
@click.option("--to", "last", metavar="DAY", help="The last day shown; else all.")
@json_option
@click.pass_context
def list_command(ctx: click.Context, first: str | None, last: str | None, as_json: bool) -> None:
    """The rates on file, and who imported them."""
    with opened(ctx) as (_, house):
        rows = rates.on_file(house.store, day(first) if first else date.min, day(last) if last else date.max)
    if as_json:
        emit([row._asdict() for row in rows])
        return
    body: list[tuple[output.Cell, ...]] = [
        (row.on, f"1 {row.one}", str(row.value), row.other, row.who, row.at[:10]) for row in rows
    ]
    head = ("Day", "One", "Is", "Of", "By", "Imported")
    say(output.grid(head, body, screen()) if body else "no rates are on file: arsync rates import FILE")


@rates_command.command(name="show")
@click.argument("on", metavar="DAY")
@click.argument("one", metavar="CURRENCY")
@click.argument("other", metavar="CURRENCY")
@json_option
@click.pass_context
def show_command(ctx: click.Context, on: str, one: str, other: str, as_json: bool) -> None:
    """What a unit of one currency was worth in another on a day, as the matcher sees it."""
    with opened(ctx) as (_, house):
        found = rates.at(house.store, day(on), one.upper(), other.upper())
    if found is None:
        raise NotFound(
            f"no rate of {one.upper()} in {other.upper()} for {on} or the {STANDS_DAYS} days before",
            do="import one: arsync rates import FILE",
        )
    text = f"1 {one.upper()} = {found.text} {other.upper()}, published for {found.on.isoformat()}"
    told(text, as_json=as_json, on=found.on, one=one.upper(), other=other.upper(), rate=found.text)
