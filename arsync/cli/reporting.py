"""aging, unapplied, short-payers, not-final, forecast, export: what people and other programs read."""

from pathlib import Path
from typing import Any

import click

from arsync.cli.common import day, emit, json_option, ledger_of, ledger_option, opened, say, screen
from arsync.core.dates import Buckets
from arsync.errors import UsageError
from arsync.reports.aging import Aging
from arsync.reports.restated import Restated
from arsync.reports.short_payers import ShortPayers
from arsync.reports.writers import Table, write
from arsync.store.office import Ledger
from arsync.sync import report
from arsync.sync.connect import House

_REPORTS = ("aging", "unapplied", "forecast", "short-payers", "not-final")
as_of_option = click.option("--as-of", "as_of", metavar="DATE", help="The day, like 2026-10-31 (else today).")
known_option = click.option(
    "--known", "known_on", metavar="DATE", help="As the books were known at the end of that day (else now)."
)
basis_option = click.option(
    "--basis", type=click.Choice(["due", "document"]), default="due", help="Age by due or document date."
)
buckets_option = click.option("--buckets", metavar="DAYS", help='Own classes, like "0,15,30,60,90".')
since_option = click.option(
    "--since", metavar="DATE", help="Of short payers: receipts from this day on (else of this calendar year)."
)
least_option = click.option(
    "--least",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Of short payers: who was short so often.",
)
weeks_option = click.option("--weeks", type=click.IntRange(1, 52), default=13, show_default=True)


@click.command(name="aging")
@ledger_option
@as_of_option
@known_option
@basis_option
@buckets_option
@click.option(
    "--moved",
    is_flag=True,
    help="Instead: which documents have moved that day's aging since then (else since --known), and why.",
)
@json_option
@click.pass_context
def aging_command(
    ctx: click.Context, /, ledger_name: str | None, *, moved: bool, as_json: bool, **options: Any
) -> None:
    """Who owes what, by age, as of any day."""
    with opened(ctx) as (_, house):
        if moved:
            changed = _moved(house, ledger_of(house, ledger_name), options["as_of"], options["known_on"])
            emit(changed) if as_json else say(changed.text(screen()))
            return
        made = _aging(house, ledger_of(house, ledger_name), **options)
    if as_json:
        emit(made)
    else:
        say(made.text(screen(), following="arsync export aging.xlsx"))


def _moved(house: House, ledger: Ledger, as_of: str | None, known_on: str | None) -> Restated:
    if as_of is None:
        raise UsageError("--moved compares a past day with today", do="name the day with --as-of")
    known = day(known_on) if known_on else None
    return report.restated_report(house.store, ledger, day(as_of), now=house.clock(), known_on=known)


@click.command(name="unapplied")
@ledger_option
@json_option
@click.pass_context
def unapplied_command(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Cash that settles nothing yet, and where all received money went."""
    with opened(ctx) as (_, house):
        made = report.unapplied_report(house.store, ledger_of(house, ledger_name), house.clock())
    if as_json:
        emit(made)
    else:
        say(made.text(screen(), following="arsync queue list"))


@click.command(name="short-payers")
@ledger_option
@since_option
@least_option
@json_option
@click.pass_context
def short_payers_command(
    ctx: click.Context, ledger_name: str | None, since: str | None, least: int, as_json: bool
) -> None:
    """Customers who keep paying less than they owe: how often, how much, and what was given up."""
    with opened(ctx) as (_, house):
        made = _short_payers(house, ledger_of(house, ledger_name), since, least)
    if as_json:
        emit(made)
    else:
        say(made.text(screen(), following="arsync export short-payers.xlsx"))


@click.command(name="not-final")
@ledger_option
@json_option
@click.pass_context
def not_final_command(ctx: click.Context, ledger_name: str | None, as_json: bool) -> None:
    """Received money that may still go back: whose, how it came, and until when."""
    with opened(ctx) as (_, house):
        made = report.not_final_report(house.store, ledger_of(house, ledger_name), house.clock())
    if as_json:
        emit(made)
    else:
        say(made.text(screen(), following="arsync export not-final.xlsx"))


@click.command(name="forecast")
@ledger_option
@weeks_option
@json_option
@click.pass_context
def forecast_command(ctx: click.Context, ledger_name: str | None, weeks: int, as_json: bool) -> None:
    """The cash to come, by week, from each customer's own delays."""
    with opened(ctx) as (_, house):
        made = report.forecast_report(house.store, ledger_of(house, ledger_name), house.clock(), weeks)
    if as_json:
        emit(made)
    else:
        say(made.text(screen(), following="arsync export forecast.xlsx"))


@click.command(name="export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--report",
    "which",
    type=click.Choice(_REPORTS),
    help="Which report (else from the file's name).",
)
@ledger_option
@as_of_option
@known_option
@basis_option
@buckets_option
@weeks_option
@since_option
@least_option
@json_option
@click.pass_context
def export_command(
    ctx: click.Context,
    /,
    file: Path,
    which: str | None,
    ledger_name: str | None,
    weeks: int,
    since: str | None,
    least: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a report as CSV, JSON or XLSX; beside it a manifest with rows, control totals and SHA-256."""
    name = which or next((n for n in _REPORTS if n in file.stem), None)
    if name is None:
        raise UsageError(
            f"it is not clear which report {file.name} is to hold",
            do=f"say --report with one of: {', '.join(_REPORTS)}",
        )
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        if name == "short-payers":
            table = _short_payers(house, ledger, since, least).table()
        else:
            table = _table(house, ledger, name, weeks, options)
        written = write(table, file)
    if as_json:
        emit(
            {
                "file": str(written.path),
                "manifest": str(written.manifest),
                "rows": written.rows,
                "sha256": written.sha256,
            }
        )
        return
    totals = "; ".join(
        f"{column} {amount}"
        for columns in written.control.values()
        for column, amount in columns.items()
        if column in ("total", "amount", "likely", "short")
    )
    say(
        [
            f"{written.path}: {written.rows:,} rows; {totals or 'no amounts'}",
            f"manifest {written.manifest.name}, sha256 {written.sha256}",
        ]
    )


def _table(house: House, ledger: Ledger, name: str, weeks: int, options: dict[str, Any]) -> Table:
    if name == "aging":
        return _aging(house, ledger, **options).table()
    if name == "unapplied":
        return report.unapplied_report(house.store, ledger, house.clock()).table()
    if name == "not-final":
        return report.not_final_report(house.store, ledger, house.clock()).table()
    return report.forecast_report(house.store, ledger, house.clock(), weeks).table()


def _short_payers(house: House, ledger: Ledger, since: str | None, least: int) -> ShortPayers:
    first = day(since) if since else None
    return report.short_payers_report(house.store, ledger, house.clock(), first, least)


def _aging(
    house: House, ledger: Ledger, as_of: str | None, known_on: str | None, basis: str, buckets: str | None
) -> Aging:
    now = house.clock()
    return report.aging_report(
        house.store,
        ledger,
        day(as_of) if as_of else ledger.day_of(now),
        now=now,
        known_on=day(known_on) if known_on else None,
        basis="document" if basis == "document" else "due",
        buckets=Buckets.parse(buckets) if buckets else None,
    )
