"""bank import, bank check, bank profile: bank files in a person's hand."""

from pathlib import Path

import click

from arsync import output
from arsync.cli.common import desk, emit, json_option, ledger_option, opened, say, screen
from arsync.core.bank import BankFile, Statement
from arsync.errors import UsageError
from arsync.sync import bankfiles
from arsync.sync.bankfiles import Brought

_SHOWN_LINES = 5
_TEXT_WIDTH = 60


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--account", "folder", metavar="NAME", help="The bank account, where the file does not name it."
)
@click.option("--dry-run", is_flag=True, help="Only show how the files read; keep nothing.")
@ledger_option
@json_option
@click.pass_context
def import_command(
    ctx: click.Context,
    files: tuple[Path, ...],
    folder: str | None,
    dry_run: bool,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """Import bank files now: statements, reports, lockbox, ACH, payouts, remittance advices."""
    with opened(ctx) as (conf, house):
        profiles = conf.inbox.parent / "profiles"
        if dry_run:
            with house.store.read() as conn:
                read = [(path.name, bankfiles.look(conn, path, folder, profiles)) for path in files]
            emit([_facts(name, file) for name, file in read]) if as_json else say(_shown(read))
            return
    with desk(ctx, ledger_name) as at_desk:
        brought = bankfiles.import_files(at_desk, files, folder, profiles)
    if as_json:
        emit([output.jsonable(one) for one in brought])
    else:
        say([line for one in brought for line in _brought(one)])
    if any(one.refused for one in brought):
        ctx.exit(3)
    if bankfiles.problems_of(brought):
        ctx.exit(4)


def _brought(one: Brought) -> list[str]:
    if one.refused:
        return [f"{one.file}: refused", f"  {one.refused}", "  it is in the queue: arsync queue list"]
    if one.known:
        return [f"{one.file}: known already; nothing new"]
    parts = [output.counted(one.new_lines, "new line")]
    parts += [output.counted(one.remittances, "remittance advice")] if one.remittances else []
    parts += [f"{output.counted(one.splits, 'bank line')} taken apart"] if one.splits else []
    parts += [f"{output.counted(one.problems, 'problem')} in the queue"] if one.problems else []
    return [f"{one.file}: {', '.join(parts)}"]


def _facts(name: str, file: BankFile) -> dict[str, object]:
    return {
        "file": name,
        "format": file.format,
        "statements": [
            {
                "account": one.account.identifier,
                "currency": one.currency,
                "standing": one.standing,
                "lines": len(one.lines),
                "problems": [problem.why for problem in one.problems],
                "proven": one.proven,
            }
            for one in file.statements
        ],
        "remittances": len(file.remittances),
        "warnings": list(file.warnings),
    }


def _shown(read: list[tuple[str, BankFile]]) -> list[str]:
    lines: list[str] = []
    for name, file in read:
        lines.append(f"{name}: {file.format}")
        for one in file.statements:
            lines += _statement(one)
        if file.remittances:
            lines.append(f"  {output.counted(len(file.remittances), 'remittance advice')}")
        lines += [f"  note: {warning}" for warning in file.warnings]
    return [*lines, "nothing is kept: this was a dry run"]


def _statement(one: Statement) -> list[str]:
    named = one.account.identifier or "not named"
    head = f"  account {named}  {one.currency or 'no currency'}  {one.standing}  {one.proven}"
    rows: list[tuple[output.Cell, ...]] = [
        (line.booking_date, line.amount, line.payer_name or "", line.text[:_TEXT_WIDTH])
        for line in one.lines[:_SHOWN_LINES]
    ]
    lines = [
        head,
        *(f"  {row}" for row in output.grid(("Date", "Amount", "Payer", "Text"), rows, screen()) if rows),
    ]
    more = len(one.lines) - _SHOWN_LINES
    lines += [f"  and {output.counted(more, 'line')} more"] if more > 0 else []
    return [
        *lines,
        *(f"  problem at {problem.locator}: {problem.why}" for problem in one.problems[:_SHOWN_LINES]),
    ]


@click.command(name="check")
@json_option
@click.pass_context
def check_command(ctx: click.Context, as_json: bool) -> None:
    """Gaps, overlaps, duplicates, statements that do not add up, payouts not seen on the account."""
    with opened(ctx) as (_, house), house.store.read() as conn:
        findings = bankfiles.check(conn)
    if as_json:
        emit([output.jsonable(finding) for finding in findings])
        return
    rows: list[tuple[output.Cell, ...]] = [(f.account, f.code, f.text) for f in findings]
    say(output.grid(("Account", "What", "Why"), rows, screen()) if rows else "nothing is missing or doubled")


@click.group(name="profile")
def profile_command() -> None:
    """How a bank writes its CSV and XLSX files."""


@profile_command.command(name="new")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", help="The profile's name (else the file's).")
@click.option("--write", is_flag=True, help="Write it to profiles/NAME.toml beside the inbox.")
@json_option
@click.pass_context
def profile_new(ctx: click.Context, file: Path, name: str | None, write: bool, as_json: bool) -> None:
    """Propose a profile for a CSV or XLSX file, and show how its first lines read with it."""
    name = name or file.stem.lower().replace(" ", "-")
    if "/" in name or name.startswith("."):
        raise UsageError(f"{name!r} cannot be the name of a file", do="choose letters, digits and dashes")
    proposal, read = bankfiles.proposal(file, name)
    with opened(ctx) as (conf, _):
        path = conf.inbox.parent / "profiles" / f"{name}.toml"
    if write:
        if path.exists():
            raise UsageError(
                "a profile of this name is there already", where=str(path), do="choose another --name"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(proposal.toml, encoding="utf-8")
    if as_json:
        emit({"name": name, "toml": proposal.toml, "open": list(proposal.open_questions), "written": write})
        return
    lines = [proposal.toml.rstrip(), ""]
    lines += (
        _shown([(file.name, read)])[:-1]
        if read
        else ["it cannot read the file yet: decide what is open first"]
    )
    done = f"written to {path}" if write else f"next: arsync bank profile new {file} --name {name} --write"
    say([*lines, done])
