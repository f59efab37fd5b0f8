"""queue, undo, credit, show: what people do with what waits, and everything about one thing."""

import json
import textwrap
from collections.abc import Sequence
from datetime import date
from typing import Any

import click

from arsync import output
from arsync.cli.common import desk, emit, json_option, ledger_of, ledger_option, number, opened, say, screen
from arsync.core.decisions import Explanation, Finding
from arsync.core.matching import record
from arsync.core.money import AmountUnreadable, Money
from arsync.core.policy import ADJUSTMENT_KINDS, AdjustmentKind
from arsync.errors import UsageError
from arsync.store import audit, collecting, decisions, queries, queues, raw
from arsync.store.engine import Tx
from arsync.store.office import Ledger
from arsync.store.receipts import Share
from arsync.sync import actions, checking, finality, promises
from arsync.sync.acting import Acted, Desk, Part

version_option = click.option(
    "--version", "seen", type=int, help="The version you looked at; refused if it changed since."
)
why_option = click.option("--why", required=True, help="The reason; kept on record.")
item_option = click.option(
    "--item",
    "items",
    multiple=True,
    metavar="NUMBER=AMOUNT",
    help="What an item gets; a credit as a negative amount.",
)


@click.group(name="queue")
def queue_command() -> None:
    """What waits for a person."""


@queue_command.command(name="list")
@ledger_option
@click.option("--reason", help="Only this reason.")
@click.option("--owner", help="Only this person's.")
@click.option("--closed", is_flag=True, help="What was closed, newest first.")
@json_option
@click.pass_context
def queue_list(
    ctx: click.Context,
    ledger_name: str | None,
    reason: str | None,
    owner: str | None,
    closed: bool,
    as_json: bool,
) -> None:
    """Open items, largest first."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            rows = queues.listing(conn, ledger.id, closed=closed)
            names = queries.customer_names(conn, ledger.id)
    rows = [r for r in rows if (not reason or r.reason == reason) and (not owner or r.owner == owner)]
    if as_json:
        emit([_queue_facts(r, names) for r in rows])
        return
    if not rows:
        say(f"{ledger.name}: nothing waits")
        return
    owned = any(r.owner for r in rows)
    body: list[tuple[output.Cell, ...]] = [
        (
            f"Q-{r.id}",
            _money(r),
            names.get(r.customer_id, ""),
            r.reason,
            "*" if r.preferred else "",
            *([r.owner or ""] if owned else []),
            r.detail,
        )
        for r in rows
    ]
    sums: dict[str, int] = {}
    for r in rows:
        if r.currency and r.amount_minor is not None:
            sums[r.currency] = sums.get(r.currency, 0) + r.amount_minor
    empty = [""] * (4 if owned else 3)
    totals: list[tuple[output.Cell, ...]] = [
        (output.counted(len(rows), "item"), Money(m, c), c, *empty) for c, m in sorted(sums.items())
    ]
    head = ("", "Amount", "Customer", "Reason", "", *(["Owner"] if owned else []), "What")
    say(output.grid(head, body, screen(), totals=totals))
    say(
        f"* one suggestion is preferred: arsync queue accept --preferred\nnext: arsync queue show {rows[0].id}"
    )


@queue_command.command(name="show")
@click.argument("queue_item")
@click.option(
    "--customer", help="Of a quality check: what was open of this customer when the money was applied."
)
@ledger_option
@json_option
@click.pass_context
def queue_show(
    ctx: click.Context,
    queue_item: str,
    ledger_name: str | None,
    as_json: bool,
    customer: str | None = None,
) -> None:
    """One item: where the money comes from, what it may pay, what speaks for and against."""
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        today = ledger.day_of(house.clock())
        with house.store.read() as conn:
            row = queues.find(conn, ledger.id, number(queue_item, "Q"))
            if checking.decision_id_of(row) is not None:
                facts, told = _blind(conn, ledger, row, customer)
                emit(facts) if as_json else say(told)
                return
            finding = _finding(conn, row.finding_sha)
            shown = _Shown(conn, ledger, finding)
            history = audit.history(conn, ledger.id, row.subject)
            receipt = decisions.receipt_of(conn, ledger.id, row.receipt_id) if row.receipt_id else None
            origin = queries.origin(conn, receipt.bank_line_id) if receipt is not None else None
    if as_json:
        emit(
            _queue_facts(row, shown.names)
            | {"suggestions": shown.jsonable(), "rejected": shown.rejected(), "history": history}
        )
        return
    lines = [
        f"Q-{row.id}  {row.reason}"
        + ("" if row.closed_at is None else f"  closed by {row.closed_by}: {row.outcome}"),
        row.detail,
        "",
    ]
    if receipt is not None and origin is not None:
        lines += _receipt_lines(receipt, origin, today)
    lines += shown.lines()
    lines += _history_lines(history)
    if row.closed_at is None and row.subject.startswith("receipt:"):
        first = "arsync queue accept" if finding and finding.explanations else "arsync queue apply"
        first = "arsync queue return" if receipt is not None and receipt.amount_minor < 0 else first
        lines.append(f"next: {first} {row.id}   (or apply, on-account, link, not-ours, assign, comment)")
    say(lines)


@queue_command.command(name="accept")
@click.argument("queue_items", nargs=-1)
@click.option("--suggestion", type=int, default=1, show_default=True, help="Which suggestion.")
@click.option(
    "--preferred", is_flag=True, help="Accept the first suggestion of every item that has a preferred one."
)
@version_option
@ledger_option
@json_option
@click.pass_context
def queue_accept(
    ctx: click.Context,
    queue_items: tuple[str, ...],
    suggestion: int,
    preferred: bool,
    seen: int | None,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """Accept a suggestion."""
    with desk(ctx, ledger_name) as at_desk:
        if preferred:
            with at_desk.store.read() as conn:
                chosen = [r.id for r in queues.listing(conn, at_desk.ledger.id) if r.preferred]
            acted = [actions.accept(at_desk, i, bulk=True) for i in chosen]
        else:
            if not queue_items:
                raise UsageError("no queue item is named", do="arsync queue accept 12, or --preferred")
            acted = [actions.accept(at_desk, number(q, "Q"), suggestion, seen) for q in queue_items]
    tell(acted, as_json=as_json)


@queue_command.command(name="apply")
@click.argument("queue_item")
@item_option
@click.option(
    "--discount", "discounts", multiple=True, metavar="NUMBER=AMOUNT", help="Cash discount given on an item."
)
@click.option(
    "--write-off", "write_offs", multiple=True, metavar="NUMBER=AMOUNT", help="Written off on an item."
)
@click.option(
    "--give-up",
    "given_up",
    multiple=True,
    metavar="KIND:NUMBER=AMOUNT",
    help='Another kind of adjustment: "bad debt:1041=25.00".',
)
@click.option("--on-account", is_flag=True, help="What is left stays on the customer's account.")
@click.option("--customer", help="Whose receipt it is, when the items do not say.")
@version_option
@ledger_option
@json_option
@click.pass_context
def queue_apply(
    ctx: click.Context, /, queue_item: str, ledger_name: str | None, as_json: bool, **given: Any
) -> None:
    """Apply by hand, split over items."""
    with desk(ctx, ledger_name) as at_desk:
        parts = parts_of(at_desk, given["items"], given["discounts"], given["write_offs"], given["given_up"])
        acted = actions.apply(
            at_desk,
            number(queue_item, "Q"),
            parts,
            rest_on_account=given["on_account"],
            customer_id=customer_named(at_desk, given["customer"]),
            version=given["seen"],
        )
    tell([acted], as_json=as_json)


@queue_command.command(name="on-account")
@click.argument("queue_item")
@click.option("--customer", required=True)
@version_option
@ledger_option
@json_option
@click.pass_context
def queue_on_account(
    ctx: click.Context,
    queue_item: str,
    customer: str,
    seen: int | None,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """Leave the whole receipt on a customer's account."""
    with desk(ctx, ledger_name) as at_desk:
        customer_id = customer_named(at_desk, customer)
        assert customer_id is not None
        acted = actions.on_account(at_desk, number(queue_item, "Q"), customer_id, seen)
    tell([acted], as_json=as_json)


@queue_command.command(name="link")
@click.argument("queue_item")
@click.option("--payment", required=True, help="The platform's payment: its id (Payment:158) or I-….")
@item_option
@version_option
@ledger_option
@json_option
@click.pass_context
def queue_link(
    ctx: click.Context,
    queue_item: str,
    payment: str,
    items: tuple[str, ...],
    seen: int | None,
    ledger_name: str | None,
    as_json: bool,
) -> None:
    """The platform holds this money already; with --item, use its unapplied part too."""
    with desk(ctx, ledger_name) as at_desk:
        with at_desk.store.read() as conn:
            found = queries.find_item(conn, at_desk.ledger.id, payment)
        acted = actions.link(at_desk, number(queue_item, "Q"), found.id, parts_of(at_desk, items), seen)
    tell([acted], as_json=as_json)


@queue_command.command(name="not-ours")
@click.argument("queue_item")
@why_option
@version_option
@ledger_option
@json_option
@click.pass_context
def queue_not_ours(
    ctx: click.Context, queue_item: str, why: str, seen: int | None, ledger_name: str | None, as_json: bool
) -> None:
    """The money is no receivable."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.not_ours(at_desk, number(queue_item, "Q"), why, seen)
    tell([acted], as_json=as_json)


@queue_command.command(name="return")
@click.argument("queue_item")
@click.option("--receipt", help="The receipt it takes back (R-…), where several fit.")
@click.option("--customer", help="Whose payment it was, where no receipt of ours fits.")
@click.option("--fee", metavar="AMOUNT", help="What the bank kept for it, inside the line's amount.")
@version_option
@ledger_option
@json_option
@click.pass_context
def queue_return(
    ctx: click.Context, /, queue_item: str, ledger_name: str | None, as_json: bool, **given: Any
) -> None:
    """The bank gave a payment back: book it on its day; what the payment settled is open again."""
    with desk(ctx, ledger_name) as at_desk:
        with at_desk.store.read() as conn:
            row = queues.find(conn, at_desk.ledger.id, number(queue_item, "Q"))
        acted = actions.book_return(
            at_desk,
            row.id,
            receipt_id=number(given["receipt"], "R") if given["receipt"] else None,
            customer_id=customer_named(at_desk, given["customer"]),
            fee_minor=amount_of(given["fee"], row.currency) if given["fee"] else 0,
            version=given["seen"],
        )
    tell([acted], as_json=as_json)


@queue_command.command(name="split")
@click.argument("queue_item")
@click.option(
    "--part",
    "parts",
    multiple=True,
    required=True,
    metavar="AMOUNT[=PAYER: TEXT]",
    help="One receipt, who paid and what for.",
)
@click.option("--fee", metavar="AMOUNT", help="What was kept before the money came.")
@version_option
@ledger_option
@json_option
@click.pass_context
def queue_split(
    ctx: click.Context, /, queue_item: str, ledger_name: str | None, as_json: bool, **given: Any
) -> None:
    """Make several receipts of one bank line: a lump deposit, a payout with its fee."""
    with desk(ctx, ledger_name) as at_desk:
        with at_desk.store.read() as conn:
            row = queues.find(conn, at_desk.ledger.id, number(queue_item, "Q"))
        shares = [_share(part, row.currency) for part in given["parts"]]
        fee_minor = amount_of(given["fee"], row.currency) if given["fee"] else 0
        acted = actions.split(at_desk, row.id, shares, fee_minor, given["seen"])
    tell([acted], as_json=as_json)


def _share(part: str, currency: str) -> Share:
    size, _, said = part.partition("=")
    payer, colon, text = said.partition(": ")
    words = text if colon else said
    return Share(amount_of(size, currency), (words,) if words else (), payer.strip() if colon else "")


@queue_command.command(name="assign")
@click.argument("queue_item")
@click.argument("owner", required=False)
@ledger_option
@json_option
@click.pass_context
def queue_assign(
    ctx: click.Context, queue_item: str, owner: str | None, ledger_name: str | None, as_json: bool
) -> None:
    """Give an item to somebody; without a name, to nobody."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.assign(at_desk, number(queue_item, "Q"), owner)
    tell([acted], as_json=as_json)


@queue_command.command(name="comment")
@click.argument("queue_item")
@click.argument("text")
@ledger_option
@json_option
@click.pass_context
def queue_comment(
    ctx: click.Context, queue_item: str, text: str, ledger_name: str | None, as_json: bool
) -> None:
    """Leave a comment."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.comment(at_desk, number(queue_item, "Q"), text)
    tell([acted], as_json=as_json)


@queue_command.command(name="resolve")
@click.argument("queue_item")
@why_option
@ledger_option
@json_option
@click.pass_context
def queue_resolve(
    ctx: click.Context, queue_item: str, why: str, ledger_name: str | None, as_json: bool
) -> None:
    """Close an item that is not about a receipt."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.resolve(at_desk, number(queue_item, "Q"), why)
    tell([acted], as_json=as_json)


@queue_command.command(name="approve")
@click.argument("decision")
@click.option(
    "--not-final", is_flag=True, help="A refund of money that may itself still go back: you know it."
)
@ledger_option
@json_option
@click.pass_context
def queue_approve(
    ctx: click.Context, decision: str, not_final: bool, ledger_name: str | None, as_json: bool
) -> None:
    """Let somebody else's decision go on (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.approve(at_desk, number(decision, "D"), not_final=not_final)
    tell([acted], as_json=as_json)


@queue_command.command(name="reject")
@click.argument("decision")
@why_option
@ledger_option
@json_option
@click.pass_context
def queue_reject(ctx: click.Context, decision: str, why: str, ledger_name: str | None, as_json: bool) -> None:
    """Send somebody else's decision back to the queue (a manager)."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.reject(at_desk, number(decision, "D"), why)
    tell([acted], as_json=as_json)


@click.command(name="undo")
@click.argument("decision")
@why_option
@ledger_option
@json_option
@click.pass_context
def undo_command(ctx: click.Context, decision: str, why: str, ledger_name: str | None, as_json: bool) -> None:
    """Take back a decision of ours: withdrawn if it was not sent, reversed if it was."""
    with desk(ctx, ledger_name) as at_desk:
        acted = actions.undo(at_desk, number(decision, "D"), why)
    tell([acted], as_json=as_json)


@click.command(name="credit")
@item_option
@click.option(
    "--payment",
    help="Use this payment's unapplied part instead of credit memos: its id (Payment:158) or I-….",
)
@ledger_option
@json_option
@click.pass_context
def credit_command(
    ctx: click.Context, items: tuple[str, ...], payment: str | None, ledger_name: str | None, as_json: bool
) -> None:
    """Settle items with credits (--item CM-7=-50.00) or with an unapplied payment (--payment)."""
    with desk(ctx, ledger_name) as at_desk:
        parts = parts_of(at_desk, items)
        if payment is None:
            acted = actions.apply_credits(at_desk, parts)
        else:
            with at_desk.store.read() as conn:
                found = queries.find_item(conn, at_desk.ledger.id, payment)
            acted = actions.apply_payment(at_desk, found.id, parts)
    tell([acted], as_json=as_json)


# ---- show


@click.command(name="show")
@click.argument("thing")
@ledger_option
@json_option
@click.pass_context
def show_command(ctx: click.Context, thing: str, ledger_name: str | None, as_json: bool) -> None:
    """R-12 a receipt, D-7 a decision, I-3 or 1041 an item, K-2 or a name a customer, Q-4 a queue item."""
    letter = thing[:2].upper()
    if letter == "Q-":
        ctx.invoke(queue_show, queue_item=thing, ledger_name=ledger_name, as_json=as_json)
        return
    with opened(ctx) as (_, house):
        ledger = ledger_of(house, ledger_name)
        with house.store.read() as conn:
            facts, lines = _SHOWS.get(letter, _show_named)(conn, ledger, thing, ledger.day_of(house.clock()))
    if as_json:
        emit(facts)
    else:
        say(lines)


def _show_receipt(conn: Tx, ledger: Ledger, thing: str, today: date) -> tuple[Any, list[str]]:
    row = decisions.receipt_of(conn, ledger.id, number(thing, "R"))
    origin = queries.origin(conn, row.bank_line_id)
    history = audit.history(conn, ledger.id, f"receipt:{row.id}")
    decided = [_decision_facts(conn, ledger, d) for d in decisions.of_receipt(conn, ledger.id, row.id)]
    names = queries.customer_names(conn, ledger.id)
    facts = {
        "receipt": row.id, "on": row.on_date, "amount": Money(row.amount_minor, row.currency), "state": row.state,
        "payer": row.payer_name, "customer": names.get(row.customer_id), "file": origin.file, "locator": origin.locator,
        "final": _final_facts(row, today), "raw": json.loads(origin.body)["raw"], "decisions": decided,
        "history": history,
    }  # fmt: skip
    lines = [f"R-{row.id}  {row.state}" + (f"  {names[row.customer_id]}" if row.customer_id in names else "")]
    lines += _receipt_lines(row, origin, today)
    for decided_facts in decided:
        lines += _decision_lines(decided_facts)
    return facts, [*lines, *_history_lines(history)]


def _show_decision(conn: Tx, ledger: Ledger, thing: str, today: date) -> tuple[Any, list[str]]:
    row = decisions.find(conn, ledger.id, number(thing, "D"))
    facts = _decision_facts(conn, ledger, row)
    shown = _Shown(conn, ledger, _finding(conn, row.finding_sha), undecided=row.state in ("asked", "planned"))
    resting = _rests_on(conn, ledger, row, today)
    return facts | {"suggestions": shown.jsonable(), "rejected": shown.rejected(), "not_final": resting}, [
        *_decision_lines(facts),
        *(f"not final: {told}" for told in resting),
        *shown.lines(),
    ]


def _show_item(conn: Tx, ledger: Ledger, thing: str, today: date) -> tuple[Any, list[str]]:
    row = queries.find_item(conn, ledger.id, thing)
    raw_text = raw.get(conn, bytes(row.raw_sha)).decode()
    promised = [
        f"P-{one.row.id} {one.state.value}: {one.amount} by {one.row.by_date}"
        for one in promises.standing(conn, ledger, today)
        if one.row.item_id == row.id
    ]
    reminded = [
        promises.reminded(one.on_date, one.level, one.way)
        for one in collecting.reminders(conn, ledger.id)
        if one.item_id == row.id
    ]
    facts = {
        "item": row.id, "platform": row.external_id, "customer": row.customer, "kind": row.kind, "number": row.number,
        "issued": row.issued, "due": row.due, "original": Money(row.original_minor, row.currency),
        "open": Money(row.open_minor, row.currency), "expected": row.expected, "promises": promised,
        "reminders": reminded, "raw": raw_text,
    }  # fmt: skip
    pairs: list[tuple[str, output.Cell]] = [
        ("Customer", row.customer), ("Kind", row.kind), ("Number", row.number), ("Issued", row.issued),
        ("Due", row.due),
        ("Original", facts["original"]), ("Open", facts["open"]), ("Platform", row.external_id),
        *([("Expected", row.expected)] if row.expected is not None else []),
        *(("Promise", one) for one in promised), *(("Reminder", one) for one in reminded), ("As read", raw_text),
    ]  # fmt: skip
    return facts, [f"I-{row.id}", *output.facts(pairs, screen())]


def _show_customer(conn: Tx, ledger: Ledger, thing: str, today: date) -> tuple[Any, list[str]]:
    row = queries.find_customer(conn, ledger.id, thing)
    items, receipts = queries.items_of(conn, ledger.id, row.id), queries.receipts_of(conn, ledger.id, row.id)
    standing = finality.credit_standing(conn, ledger, row.id, today)
    facts = {
        "customer": row.id,
        "platform": row.external_id,
        "name": row.name,
        "active": row.active,
        "items": [_item_facts(i) for i in items],
        "receipts": [
            {
                "receipt": r.id,
                "on": r.on_date,
                "amount": Money(r.amount_minor, r.currency),
                "state": r.state,
                "final": _final_facts(r, today),
            }
            for r in receipts
        ],
        "credit": [_credit_facts(one) for one in standing],
    }
    lines = [f"K-{row.id}  {row.name}" + ("" if row.active else "  (inactive)")]
    if items:
        body: list[tuple[output.Cell, ...]] = [
            (
                f"I-{i.id}",
                i.kind,
                i.number,
                i.issued,
                i.due,
                i.currency,
                Money(i.original_minor, i.currency),
                Money(i.open_minor, i.currency),
            )
            for i in items
        ]
        sums = {
            c: sum(i.open_minor for i in items if i.currency == c)
            for c in sorted({i.currency for i in items})
        }
        totals: list[tuple[output.Cell, ...]] = [
            ("", "", "", None, None, c, None, Money(m, c)) for c, m in sums.items()
        ]
        head = ("", "Kind", "Number", "Issued", "Due", "", "Original", "Open")
        lines += ["", *output.grid(head, body, screen(), totals=totals)]
    else:
        lines.append("nothing is open")
    lines += _credit_lines(standing)
    if receipts:
        rows: list[tuple[output.Cell, ...]] = [
            (f"R-{r.id}", r.on_date, Money(r.amount_minor, r.currency), r.currency, r.state)
            for r in receipts[:20]
        ]
        lines += ["", *output.grid(("Receipts", "Date", "Amount", "", "State"), rows, screen())]
    return facts, lines


def _item_facts(row: Any) -> dict[str, Any]:
    left = Money(row.open_minor, row.currency)
    return {"item": row.id, "kind": row.kind, "number": row.number, "due": row.due, "open": left}


def _show_command(conn: Tx, ledger: Ledger, thing: str, today: date) -> tuple[Any, list[str]]:
    row = queries.command(conn, ledger.id, number(thing, "C"))
    answer = raw.get(conn, bytes(row.answer_sha)).decode(errors="replace") if row.answer_sha else ""
    facts = {
        "command": row.id, "verb": row.verb, "state": row.state, "key": row.key, "method": row.method, "path": row.path,
        "sent_at": row.sent_at, "answered_at": row.answered_at, "attempts": row.attempts, "why": row.why,
        "body": bytes(row.body).decode(), "answer": answer,
    }  # fmt: skip
    pairs: list[tuple[str, output.Cell]] = [(name.replace("_", " "), value) for name, value in facts.items()]
    return facts, output.facts(pairs, screen())


def _show_named(conn: Tx, ledger: Ledger, thing: str, today: date) -> tuple[Any, list[str]]:
    """An item's number or a customer's name."""
    from arsync.errors import NotFound

    try:
        return _show_item(conn, ledger, thing, today)
    except NotFound:
        return _show_customer(conn, ledger, thing, today)


_SHOWS = {
    "R-": _show_receipt,
    "D-": _show_decision,
    "I-": _show_item,
    "K-": _show_customer,
    "C-": _show_command,
}


# ---- inside


def _likely(probability: float) -> str:
    """Per cent, rounded down: nothing here is certain."""
    return f"{int(probability * 1000) / 10:.1f}%"


class _Shown:
    """A finding with the names of what it is about."""

    def __init__(self, conn: Tx, ledger: Ledger, finding: Finding | None, *, undecided: bool = True) -> None:
        self.finding = finding
        self.undecided = undecided  # what is open now has nothing to do with a decision that was carried out
        self.names = queries.customer_names(conn, ledger.id)
        ids = {s.item_id for e in finding.explanations for s in e.shares} if finding else set()
        self.items = queries.items(conn, ledger.id, sorted(ids))

    def lines(self) -> list[str]:
        """Suggestions, each with what speaks for and against, then what was rejected and why."""
        if self.finding is None:
            return []
        lines = []
        for place, e in enumerate(self.finding.explanations, 1):
            who = self.names.get(e.customer_id or 0, "customer not known")
            lines += [
                f"suggestion {place}: {who}  {e.klass.value}, {_likely(e.probability)} likely",
                *self._shares(e),
            ]
            lines += [f"    {'+' if x.supports else '-'} {output.visible(x.text)}" for x in e.evidence]
            lines.append("")
        for r in self.finding.rejected[:5]:
            who = self.names.get(r.customer_id or 0, "")
            lines.append(
                f"  not: {who} {output.visible(r.why)}".replace("  ", " ").replace(" not:", "  not:")
            )
        return lines

    def _shares(self, e: Explanation) -> list[str]:
        rows: list[tuple[output.Cell, ...]] = []
        currency = ""
        for s in e.shares:
            row = self.items.get(s.item_id)
            if row is None:
                continue
            currency = row.currency
            given = s.discount_minor + s.write_off_minor
            rows.append(
                (
                    row.number or f"I-{s.item_id}",
                    row.kind.replace("_", " "),
                    row.due,
                    Money(row.open_minor, currency) if self.undecided else None,
                    Money(s.applied_minor, currency),
                    Money(given, currency) if given else None,
                    Money(row.open_minor - s.settled_minor, currency) if self.undecided else None,
                )
            )
        if e.on_account_minor and currency:
            rows.append(("on account", "", None, None, Money(e.on_account_minor, currency), None, None))
        if not rows:
            return []
        head = ("Item", "Kind", "Due", "Open", "Pays", "Given up", "Left")
        shown = [n for n, title in enumerate(head) if self.undecided or title not in ("Open", "Left")]
        table = [tuple(row[n] for n in shown) for row in rows]
        return [f"    {line}" for line in output.grid([head[n] for n in shown], table, screen())]

    def jsonable(self) -> list[dict[str, Any]]:
        """Suggestions for programs."""
        if self.finding is None:
            return []
        return [
            {
                "customer": self.names.get(e.customer_id or 0),
                "customer_id": e.customer_id,
                "class": e.klass.value,
                "probability": e.probability,
                "items": [
                    {
                        "item": s.item_id,
                        "number": self.items[s.item_id].number,
                        "applied": Money(s.applied_minor, self.items[s.item_id].currency),
                        "discount": Money(s.discount_minor, self.items[s.item_id].currency),
                        "write_off": Money(s.write_off_minor, self.items[s.item_id].currency),
                    }
                    for s in e.shares
                    if s.item_id in self.items
                ],
                "evidence": [{"code": x.code, "supports": x.supports, "text": x.text} for x in e.evidence],
            }
            for e in self.finding.explanations
        ]

    def rejected(self) -> list[dict[str, Any]]:
        """What was looked at and is not proposed."""
        if self.finding is None:
            return []
        return [
            {"customer_id": r.customer_id, "items": list(r.item_ids), "why": r.why}
            for r in self.finding.rejected
        ]


def _blind(conn: Tx, ledger: Ledger, row: Any, customer: str | None) -> tuple[dict[str, Any], list[str]]:
    """A receipt drawn for a check, as if nobody had decided it: what it was applied to is not said."""
    receipt = decisions.receipt_of(conn, ledger.id, row.receipt_id)
    origin = queries.origin(conn, receipt.bank_line_id)
    advices = checking.advices_of(conn, ledger.id, receipt)
    open_then = checking.open_then(conn, ledger.id, row, customer) if customer else []
    text = next(iter(json.loads(receipt.texts)["texts"]), "")
    amount = Money(receipt.amount_minor, receipt.currency)
    facts = {
        **_queue_facts(row, {}), "on": receipt.on_date, "payer": receipt.payer_name, "account": receipt.payer_account,
        "text": text,
        "advices": [{"reference": a.reference, "paid": Money(a.paid_minor, a.currency)} for a in advices],
        "open_then": [
            {"item": r.item_id, "number": r.number, "due": r.due, "open": Money(int(r.open_minor), r.currency)}
            for r in open_then
        ],
    }  # fmt: skip
    pairs: list[tuple[str, output.Cell]] = [
        ("Receipt", f"of {receipt.on_date}, {amount}"),
        ("Payer", " ".join(p for p in (receipt.payer_name, receipt.payer_account) if p)),
        ("Text", text),
        ("Bank", f"{origin.account}, {origin.file} at {origin.locator}"),
        *(("Advice", f"{Money(a.paid_minor, a.currency)} for {a.reference}") for a in advices),
    ]
    lines = [f"Q-{row.id}  {row.reason}", row.detail, "", *output.facts(pairs, screen()), ""]
    if row.closed_at is not None:
        return facts, [*lines, f"closed by {row.closed_by}: {row.outcome}"]
    if customer:
        table: list[tuple[output.Cell, ...]] = [
            (
                r.number or f"I-{r.item_id}",
                r.kind.replace("_", " "),
                r.due,
                Money(int(r.open_minor), r.currency),
            )
            for r in open_then
        ]
        lines += [*output.grid(("Open then", "Kind", "Due", "Open"), table, screen()), ""] if table else []
    else:
        lines.append(f"what was open then: arsync queue show {row.id} --customer NAME")
    return facts, [
        *lines,
        f"next: arsync queue apply {row.id}   (or on-account, not-ours, resolve if nobody can tell)",
    ]


def _finding(conn: Tx, sha: bytes | None) -> Finding | None:
    return record.finding_from_text(raw.get(conn, bytes(sha)).decode()) if sha is not None else None


def _rests_on(conn: Tx, ledger: Ledger, row: Any, today: date) -> list[str]:
    """What a refund that is not paid yet rests on and may go back."""
    if row.verdict != "refund" or row.state not in ("asked", "planned"):
        return []
    return [one.told(today) for one in finality.behind_refund(conn, ledger, row, today)]


def _final_facts(row: Any, today: date) -> dict[str, Any] | None:
    """Whether a receipt may go back; None for what is no money in."""
    if row.amount_minor <= 0:
        return None
    final = finality.of_receipt(row)
    return {
        "standing": final.on(today), "method": final.method, "returned_until": final.returned_until,
        "claimed_until": final.claimed_until,
    }  # fmt: skip


def _credit_facts(one: finality.CreditStanding) -> dict[str, Any]:
    return {
        "open": Money(one.open_minor, one.currency),
        "may_go_back": Money(one.may_go_back_minor, one.currency), "may_go_back_until": one.may_go_back_until,
        "may_be_claimed_back": Money(one.may_be_claimed_minor, one.currency),
        "may_be_claimed_back_until": one.may_be_claimed_until, "at_most": Money(one.at_most_minor, one.currency),
    }  # fmt: skip


def _credit_lines(standing: Sequence[finality.CreditStanding]) -> list[str]:
    """What the open balance rests on, where some of the money may still go back."""
    lines = []
    for one in standing:
        if one.may_go_back_minor:
            lines.append(
                f"{Money(one.may_go_back_minor, one.currency)} of what was paid may still go back, the last until "
                f"{one.may_go_back_until}: then {Money(one.at_most_minor, one.currency)} would be owed"
            )
        if one.may_be_claimed_minor:
            until = one.may_be_claimed_until
            ends = "without an end" if until == date.max else f"the last until {until}"
            lines.append(
                f"{Money(one.may_be_claimed_minor, one.currency)} of what was paid may be claimed back, {ends}"
            )
    return ["", *lines] if lines else []


def _receipt_lines(row: Any, origin: Any, today: date) -> list[str]:
    pairs: list[tuple[str, output.Cell]] = [
        ("Receipt", f"R-{row.id} of {row.on_date}, {Money(row.amount_minor, row.currency)}"),
        ("Payer", " ".join(p for p in (row.payer_name, row.payer_account) if p)),
        ("Text", next(iter(json.loads(row.texts)["texts"]), "")),
        ("Bank", f"{origin.account}, {origin.file} at {origin.locator}"),
    ]
    if row.amount_minor > 0:
        pairs.append(("Finality", finality.of_receipt(row).told(today)))
    return [*output.facts(pairs, screen()), ""]


def _decision_facts(conn: Tx, ledger: Ledger, row: Any) -> dict[str, Any]:
    spent = decisions.lines(conn, ledger.id, row.id)
    items = queries.items(conn, ledger.id, [s.item_id for s in spent if s.item_id is not None])
    commands = [
        {"command": c.id, "verb": c.verb, "state": c.state, "platform": c.ref_id, "why": c.why}
        for c in queries.commands_of(conn, ledger.id, row.id)
    ]
    return {
        "decision": row.id, "verdict": row.verdict, "state": row.state, "by": row.decided_by, "at": row.at,
        "class": row.evidence_class, "why": row.why, "policy": row.policy_version, "engine": row.engine_version,
        "lines": [
            {
                "item": s.item_id, "number": items[s.item_id].number if s.item_id in items else None, "kind": s.kind,
                "amount": Money(s.amount_minor, s.currency),
            }
            for s in spent
        ],
        "commands": commands,
    }  # fmt: skip


def _decision_lines(facts: dict[str, Any]) -> list[str]:
    when = facts["at"][:16].replace("T", " ")
    lines = [f"D-{facts['decision']}  {facts['verdict']}, {facts['state']}, by {facts['by']} at {when} UTC"]
    if facts["why"]:
        why = output.visible(facts["why"])
        lines += textwrap.wrap(why, screen().width, initial_indent="  why   ", subsequent_indent=" " * 8)
    for line in facts["lines"]:
        named = line["number"] or (f"I-{line['item']}" if line["item"] else "the customer's account")
        lines.append(f"  {line['kind']:<9} {line['amount'].grouped():>14}  {named}")
    lines += [
        f"  wrote C-{c['command']} {_words(c['verb'])}: {c['state']} {c['platform'] or ''} {c['why']}".rstrip()
        for c in facts["commands"]
    ]
    return [*lines, ""]


def _words(verb: str) -> str:
    return verb.replace("_", " ")


def _history_lines(history: Sequence[dict[str, Any]]) -> list[str]:
    lines = ["history"] if history else []
    for event in history:
        body = event["body"] or {}
        # Why something was decided stands with the decision itself.
        said = body.get("text") or ("" if event["what"].startswith("decided") else body.get("why", ""))
        when = event["at"][:16].replace("T", " ")
        lines.append(
            f"  {when}  {event['who']}: {event['what']}" + (f": {output.visible(str(said))}" if said else "")
        )
    return lines


def _queue_facts(row: Any, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": row.id, "version": row.version, "subject": row.subject, "reason": row.reason, "detail": row.detail,
        "customer": names.get(row.customer_id), "amount": _money(row) or None,
        "preferred": row.preferred, "owner": row.owner, "opened_at": row.opened_at, "closed_at": row.closed_at,
        "closed_by": row.closed_by, "outcome": row.outcome,
    }  # fmt: skip


def _money(row: Any) -> output.Cell:
    return Money(row.amount_minor, row.currency) if row.currency and row.amount_minor is not None else ""


def parts_of(
    at_desk: Desk,
    items: Sequence[str],
    discounts: Sequence[str] = (),
    write_offs: Sequence[str] = (),
    given_up: Sequence[str] = (),
) -> list[Part]:
    """`1041=100.00` and the like as parts, one per item; `given_up` with the kind before it, `bad debt:1041=5.00`."""
    minor: dict[int, list[int]] = {}
    further: dict[int, dict[str, int]] = {}
    with at_desk.store.read() as conn:
        for place, given in enumerate((items, discounts, write_offs)):
            for text in given:
                row, size = _item_amount(conn, at_desk, text)
                minor.setdefault(row.id, [0, 0, 0])[place] += size
        for text in given_up:
            kind, _, rest = text.partition(":")
            row, size = _item_amount(conn, at_desk, rest)
            kinds = further.setdefault(row.id, {})
            kinds[adjustment_kind(kind)] = kinds.get(kind, 0) + size
    return [
        Part(item_id, cash, discount, write_off, tuple(further.get(item_id, {}).items()))
        for item_id in dict.fromkeys((*minor, *further))
        for cash, discount, write_off in [minor.get(item_id, [0, 0, 0])]
    ]


def _item_amount(conn: Tx, at_desk: Desk, text: str) -> tuple[Any, int]:
    named, found, size = text.rpartition("=")
    if not found:
        raise UsageError(f"{text} is not NUMBER=AMOUNT", do="write it like 1041=100.00")
    row = queries.find_item(conn, at_desk.ledger.id, named)
    return row, amount_of(size, row.currency)


def adjustment_kind(named: str) -> AdjustmentKind:
    """A kind of adjustment by its name."""
    for kind in ADJUSTMENT_KINDS:
        if kind == named.strip().lower():
            return kind
    raise UsageError(f"{named!r} is no kind of adjustment", do=f"one of: {', '.join(ADJUSTMENT_KINDS)}")


def amount_of(text: str, currency: str) -> int:
    """An amount as a person wrote it, in minor units."""
    try:
        return Money.of(text.strip(), currency).minor
    except AmountUnreadable as why:
        raise UsageError(str(why), do=f"write amounts like 100.00 ({currency})") from None


def customer_named(at_desk: Desk, named: str | None) -> int | None:
    """Our id of the customer a person named; None where nobody is named."""
    if named is None:
        return None
    with at_desk.store.read() as conn:
        return int(queries.find_customer(conn, at_desk.ledger.id, named).id)


def tell(acted: Sequence[Acted], *, as_json: bool) -> None:
    """Say what actions led to, and the command that comes next."""
    if as_json:
        emit(list(acted))
        return
    say([a.text for a in acted] or ["nothing to accept"])
    if any(a.state in ("planned", "split") for a in acted):
        say("next: arsync reconcile")
    for a in acted:
        if a.state == "asked" and a.decision_id is not None:
            say(f"next: somebody else: arsync queue approve D-{a.decision_id}")
