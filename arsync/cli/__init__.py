"""The command line: parse, call one function, print. Nothing heavy is imported before a command needs it."""

import importlib
import os
import sys
from typing import Any, NoReturn

import click

from arsync import __version__
from arsync.errors import ArsyncError

# command -> (module, what it does); the module is imported when the command runs, so `arsync --help` is instant.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("setup", "Set up an installation in a folder."),
    "connect": ("setup", "Connect an accounting platform and open a ledger."),
    "disconnect": ("setup", "Sign a ledger out of its platform."),
    "bank": ("setup", "Bank accounts whose statements are read from the inbox."),
    "mail": ("mail", "Remittance advices by mail, and whose are believed."),
    "people": ("setup", "Who may act, and in which role."),
    "ledger": ("setup", "Ledgers and how far they go by themselves."),
    "policy": ("setup", "What may be done without a person: show, diff, apply, approve."),
    "reconcile": ("running", "Pull, match, decide, write and prove, now."),
    "run": ("running", "The same for systemd and cron: every ledger, few words."),
    "listen": ("running", "Listen for webhooks: pull soon."),
    "pull": ("running", "Only read what changed on the platform."),
    "proof": ("running", "Our figures against the platform's."),
    "rates": ("exchange", "Exchange rates: import a file, list, show one."),
    "queue": ("desk", "What waits for a person."),
    "undo": ("desk", "Take back a decision of ours."),
    "credit": ("desk", "Settle items with credits or unapplied payments."),
    "write-off": ("booking", "Give up part of an open item: bad debt, goodwill, a small difference."),
    "unapply": ("booking", "Take items off a payment; its money stays on account."),
    "redo": ("booking", "Write again what somebody took apart in the books."),
    "refund": ("booking", "Give credits back: ask, approve, and book what the bank paid."),
    "promise": ("promising", "What customers have promised to pay, and whether they did."),
    "reminder": ("promising", "Reminders given outside arsync, on record."),
    "adjustments": ("booking", "Where discounts, write-offs, bad debt and fees are booked."),
    "show": ("desk", "Everything about a customer, item, receipt, decision or command."),
    "why": ("asking", "Why not this invoice? What speaks for and against it, for one receipt."),
    "backtest": (
        "asking",
        "Replay the past under a policy: what it would have applied alone, and how often wrong.",
    ),
    "quality": ("judging", "How often what was applied without a person was wrong."),
    "learned": ("judging", "What clerks' decisions taught, and how to take it back."),
    "aging": ("reporting", "Who owes what, by age, as of any day."),
    "unapplied": ("reporting", "Cash that settles nothing yet."),
    "short-payers": ("reporting", "Customers who keep paying less than they owe."),
    "not-final": ("reporting", "Received money that may still go back."),
    "forecast": ("reporting", "The cash to come, by week."),
    "export": ("reporting", "Write a report as CSV, JSON or XLSX with its manifest."),
    "doctor": ("care", "What is set up, what is missing, what to do."),
    "audit": ("care", "Verify the chain of events; replay a decision."),
    "upgrade": ("care", "Bring the store to this version's schema."),
    "completion": ("care", "Print the completion script of your shell."),
    "demo": ("trying", "A two-minute tour on a simulated company."),
    "simulate": ("trying", "Serve a simulated platform."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"arsync.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """An unknown command names the nearest known one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"; did you mean {near[0]}?" if near else "; see: arsync --help"
            ctx.fail(f"there is no command {args[0]}{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="arsync")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    help="arsync.toml of the installation (else found upwards from here).",
)
@click.option(
    "--as", "person", metavar="NAME", help="Act as this person (else ARSYNC_USER, else your account's name)."
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Log what is asked of the platforms (secrets are never logged)."
)
@click.pass_context
def cli(ctx: click.Context, config: str | None, person: str | None, verbose: bool) -> None:
    """Arsync applies cash: which invoices does this money pay?"""
    ctx.obj = {"config": config, "person": person or os.environ.get("ARSYNC_USER"), "verbose": verbose}


def main() -> NoReturn:
    """Run a command; every error ends as what, where and what to do, with an exit code that means something."""
    try:
        code = cli.main(standalone_mode=False, prog_name="arsync")
    except ArsyncError as error:
        _say(error)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _say(error: ArsyncError) -> None:
    if "--json" in sys.argv:
        import json

        body = {"error": type(error).__name__, "what": error.what, "where": error.where, "do": error.do}
        click.echo(json.dumps(body, ensure_ascii=False), err=True)
        return
    click.echo(f"error: {error}", err=True)
