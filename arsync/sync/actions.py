"""What a person may do. CLI, web and API call exactly this; permission and four eyes are inside.

Law     every action is done by a named person with a role, on the item as that person saw it, and is on
        record in the same transaction. An action records a decision and plans commands; only a run sends
        them. A person's decision is never undone by the program.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from arsync.connectors.contract import Reverse, Settle
from arsync.core.decisions import EvidenceClass
from arsync.core.matching.learn import named
from arsync.core.money import Money
from arsync.core.policy import AdjustmentKind, BookedAs, with_mapping
from arsync.errors import Conflict, NotFound, UsageError
from arsync.store import bank, books, decisions, learned, office, outbox, proofs, queues, sources
from arsync.store import quality as measured
from arsync.store.decisions import Line
from arsync.store.engine import Tx
from arsync.store.receipts import Share
from arsync.sync import acting, backtested, checking, finality, giving_back, intents, promises, quality
from arsync.sync.acting import MAY, Acted, Desk, Part, Wish, permitted
from arsync.sync.promises import Recorded

if TYPE_CHECKING:
    from arsync.core.matching.backtest import Quality

# ---- the queue


def accept(
    desk: Desk, queue_id: int, suggestion: int = 1, version: int | None = None, *, bulk: bool = False
) -> Acted:
    """Accept a suggestion (1 is the first).

    Accepted one by one it teaches who pays for whom; in bulk it teaches nothing.
    """
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        finding = acting.finding_of(conn, row)
        if not 1 <= suggestion <= len(finding.explanations):
            raise UsageError(
                f"Q-{queue_id} has {len(finding.explanations) or 'no'} suggestions; there is no number {suggestion}",
                do=f"see: arsync queue show {queue_id}",
            )
        chosen = finding.explanations[suggestion - 1]
        if chosen.booked_payment_id is not None:
            return acting.link_payment(conn, desk, row, chosen.booked_payment_id, chosen.customer_id)
        why = f"accepted suggestion {suggestion}: " + " ".join(e.text for e in chosen.evidence if e.supports)
        lines = intents.lines_of(chosen)
        acting.must_be_exchangeable(conn, desk, queue_id, chosen)
        wish = Wish(chosen.customer_id, lines, why, chosen.klass.value, chosen.probability, chosen.currency)
        if not bulk:
            acting.teach(conn, desk, row, chosen.customer_id, lines)
        return acting.keep_decision(conn, desk, row, wish)


def apply(
    desk: Desk,
    queue_id: int,
    parts: Sequence[Part],
    *,
    rest_on_account: bool = False,
    customer_id: int | None = None,
    version: int | None = None,
) -> Acted:
    """Apply by hand, split over items; what is left must go on account explicitly.

    Items in one other currency than the receipt are settled by all of it, where the books can: at the rate that makes
    what the bank shows and what the items lose the same. Where the receipt is applied already and drawn for a check,
    it is only compared.
    """
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        drawn = checking.decision_id_of(row)
        receipt = row if drawn is not None else acting.receipt_of(conn, desk, row)
        exchanged = acting.exchange_of(conn, desk, parts, receipt) if drawn is None else None
        if exchanged is not None:
            return _apply_exchanged(conn, desk, row, parts, exchanged, rest_on_account=rest_on_account)
        rest = receipt.amount_minor - sum(p.cash_minor for p in parts)
        if rest < 0 or (rest and not rest_on_account):
            left = Money(rest, receipt.currency)
            raise UsageError(
                f"the parts add up to {Money(receipt.amount_minor - rest, receipt.currency)}, the receipt is "
                f"{Money(receipt.amount_minor, receipt.currency)}: {left} is left over",
                where=f"Q-{queue_id}",
                do="correct the parts, or leave the rest on account with --on-account",
            )
        lines = acting.lines_from(parts, rest)
        if drawn is not None:
            return checking.answer(conn, desk, row, drawn, checking.Said(lines, customer_id))
        owner = customer_id or acting.owner_of(conn, desk, parts)
        acting.teach(conn, desk, row, owner, lines)
        return acting.keep_decision(conn, desk, row, Wish(owner, lines, "applied by hand"))


def _apply_exchanged(
    conn: Tx, desk: Desk, row: Any, parts: Sequence[Part], settled: Money, *, rest_on_account: bool
) -> Acted:
    receipt = acting.receipt_of(conn, desk, row)
    banked = Money(receipt.amount_minor, receipt.currency)
    if rest_on_account:
        raise UsageError(
            f"{banked} against items in {settled.currency} leaves no rest: all of it is {settled}",
            where=f"Q-{row.id}",
            do="leave out --on-account; book money for nothing yet in the books, and link the payment",
        )
    owner = acting.owner_of(conn, desk, parts)
    why = f"applied by hand: {banked} is {settled}"
    wish = Wish(owner, acting.lines_from(parts, 0), why, currency=settled.currency)
    acted = acting.keep_decision(conn, desk, row, wish)
    acting.teach(conn, desk, row, owner, ())
    return replace(acted, text=f"{acted.text}; {banked} is {settled}: {_rate(banked, settled)}")


def _rate(banked: Money, settled: Money) -> str:
    rate = (banked.decimal() / settled.decimal()).quantize(Decimal("0.000001"))
    return f"1 {settled.currency} at {rate} {banked.currency}"


def on_account(desk: Desk, queue_id: int, customer_id: int, version: int | None = None) -> Acted:
    """Leave the whole receipt on the customer's account."""
    return apply(desk, queue_id, (), rest_on_account=True, customer_id=customer_id, version=version)


def link(
    desk: Desk, queue_id: int, payment_id: int, parts: Sequence[Part] = (), version: int | None = None
) -> Acted:
    """The platform holds this money already: link it, and use its unapplied part where `parts` say so."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        payment = acting.payment_row(conn, desk, payment_id)
        return acting.link_payment(conn, desk, row, payment_id, payment.customer_id, parts)


def not_ours(desk: Desk, queue_id: int, why: str, version: int | None = None) -> Acted:
    """The money is no receivable."""
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say why it is not ours", do="add --why TEXT")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        if (drawn := checking.decision_id_of(row)) is not None:
            return checking.answer(conn, desk, row, drawn, checking.Said(()))
        receipt = acting.receipt_of(conn, desk, row)
        new = acting.made(
            conn,
            desk,
            **acting.taken_over(row, receipt),
            customer_id=None,
            verdict="not_ours",
            why=why,
            state="done",
            receipt_state="not_ours",
        )
        (decision_id,) = acting.keep_all(conn, desk, [new])
        acting.close_item(conn, desk, row, f"not ours: {why}")
        return Acted(decision_id, "done", f"R-{receipt.id} is not ours")


def assign(desk: Desk, queue_id: int, owner: str | None, version: int | None = None) -> Acted:
    """Give a queue item to somebody, or to nobody."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        if owner is not None:
            office.find_person(conn, owner)
        queues.change(conn, desk.ledger.id, row, owner=owner)
        acting.note(
            conn, desk, "assigned", row.subject, {"queue": queue_id, "before": row.owner, "after": owner}
        )
        return Acted(None, "done", f"Q-{queue_id} is {owner or 'nobody'}'s")


def comment(desk: Desk, queue_id: int, text: str) -> Acted:
    """Leave a comment; kept in the history of the item."""
    permitted(desk.person, "work")
    if not text.strip():
        raise UsageError("the comment is empty", do="add the text")
    with desk.store.begin() as conn:
        row = queues.find(conn, desk.ledger.id, queue_id)
        acting.note(conn, desk, "comment", row.subject, {"queue": queue_id, "text": text})
        return Acted(None, "done", f"comment kept on Q-{queue_id}")


def resolve(desk: Desk, queue_id: int, why: str, version: int | None = None) -> Acted:
    """Close an item that is not about a receipt: an unreadable record, a refused file, a contradiction looked at.

    Where it asks what became of a call, the person has looked: nothing of it is sent again, and its receipt is to
    be decided anew (linked to what stands in the books, if it arrived). A receipt drawn for a check is unclear then;
    one that a clerk has seen otherwise than it was applied stands as it is, if somebody else who may approve says so.
    """
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say how it was resolved", do="add --why TEXT")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        if row.subject.startswith(("receipt:", "proof:", "class:")):
            closes = {"receipt": "its receipt must be decided", "class": "it closes when a manager lifts it"}
            what = closes.get(row.subject.partition(":")[0], "it closes by itself when the books agree")
            raise UsageError(
                f"Q-{queue_id} cannot be closed like this: {what}", do=f"see: arsync queue show {queue_id}"
            )
        if (drawn := checking.decision_id_of(row)) is not None:
            checking.unclear(conn, desk, row, drawn, why)
        if (doubted := checking.decision_id_of(row, "doubt:")) is not None:
            checking.stands(conn, desk, row, doubted, why)
        acting.close_item(conn, desk, row, why)
        if row.subject.startswith("command:"):
            acting.give_up(conn, desk, int(row.subject.removeprefix("command:")), why)
        return Acted(None, "done", f"Q-{queue_id} is closed")


# ---- decisions


def approve(desk: Desk, decision_id: int, *, not_final: bool = False) -> Acted:
    """The second pair of eyes: let a decision go on that its maker may not make alone.

    Args:
        desk: where, and who.
        decision_id: what was asked.
        not_final: a refund may go on although the money it gives back may itself still go back.
    """
    permitted(desk.person, "approve")
    with desk.store.begin() as conn:
        row = acting.asked_decision(conn, desk, decision_id)
        text, resting = f"D-{decision_id} is approved; the next run writes it", list[str]()
        if row.verdict == "refund":
            acting.must_not_have_applied(conn, desk, row)
            resting = acting.must_be_final(conn, desk, row, known=not_final)
            pay = f"pay it, with {giving_back.reference_for(decision_id)} in its text"
            text = f"D-{decision_id} is approved: {pay}; it is booked when the bank shows it"
            text = "; ".join([text, *resting])
        decisions.approve(conn, desk.ledger.id, decision_id, desk.person.name)
        if row.verdict != "refund":
            acting.plan_again(conn, desk, row)
        subject = f"receipt:{row.receipt_id}" if row.receipt_id is not None else f"decision:{decision_id}"
        body = {"decision": decision_id, "asked_by": row.decided_by}
        acting.note(conn, desk, "approved", subject, body | ({"not final": resting} if resting else {}))
        return Acted(decision_id, "planned", text)


def reject(desk: Desk, decision_id: int, why: str) -> Acted:
    """Send an asked-for decision back to the queue."""
    permitted(desk.person, "approve")
    with desk.store.begin() as conn:
        row = acting.asked_decision(conn, desk, decision_id)
        acting.back_to_queue(conn, desk, row, "withdrawn", f"{desk.person.name} did not approve: {why}")
        return Acted(decision_id, "done", f"D-{decision_id} is rejected; its receipt is in the queue again")


def undo(desk: Desk, decision_id: int, why: str) -> Acted:
    """Take back our own error: withdraw what was not sent, reverse what was. A bank's return is not an undo."""
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say why it is undone", do="add --why TEXT")
    with desk.store.begin() as conn:
        row = decisions.find(conn, desk.ledger.id, decision_id)
        if row.undoes_id is not None or row.state not in ("asked", "planned", "done"):
            raise Conflict(
                f"D-{decision_id} is {row.state} and cannot be undone", do=f"see: arsync show D-{decision_id}"
            )
        acting.must_not_be_returned(conn, desk, row)
        quality.undone(conn, desk.ledger, row, desk.person.name, desk.at())
        planned = outbox.bundles_of(conn, desk.ledger.id, decision_id)
        if all(p.state == "planned" and not outbox.commands(conn, desk.ledger.id, p.id) for p in planned):
            return acting.take_back(conn, desk, row, planned, why)
        if row.state != "done":
            raise Conflict(
                f"D-{decision_id} is being written just now",
                where=planned[-1].state,
                do="run: arsync run, then undo it",
            )
        return acting.reverse(conn, desk, row, planned, why)


def apply_credits(desk: Desk, parts: Sequence[Part], why: str = "credits applied by hand") -> Acted:
    """Settle items with credits the same customer has, or by giving up part of them; no cash.

    Without what is given up the parts add up to zero. More than a clerk may give up alone waits for a manager.
    """
    permitted(desk.person, "work")
    if sum(p.cash_minor for p in parts) or not parts:
        raise UsageError(
            "items and credits must add up to zero", do="give credits as negative amounts: --item CM-7=-50.00"
        )
    acting.must_write(desk)
    with desk.store.begin() as conn:
        owner = acting.owner_of(conn, desk, parts)
        currency = books.item_row(conn, desk.ledger.id, parts[0].item_id).currency
        lines = acting.lines_from(parts, 0)
        policy = office.policy_in_force(conn, desk.ledger.id)
        acting.must_be_mapped(lines, policy)
        asked = acting.needs_second(conn, desk, Wish(owner, lines, why), currency, policy)
        new = acting.made(
            conn,
            desk,
            receipt_id=None,
            customer_id=owner,
            verdict="apply",
            why=why,
            currency=currency,
            lines=lines,
            state="asked" if asked else "planned",
            receipt_state=None,
        )
        (decision_id,) = acting.keep_all(conn, desk, [new])
        if asked:
            return Acted(decision_id, "asked", f"D-{decision_id}: a manager must approve it")
        acting.plan_credits(conn, desk, decision_id, new)
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


def write_off(desk: Desk, item_id: int, kind: AdjustmentKind, minor: int, why: str) -> Acted:
    """Give up part of an open item, without a receipt: bad debt, goodwill, a small difference."""
    if not why.strip():
        raise UsageError("say why it is given up", do="add --why TEXT")
    return apply_credits(desk, [Part(item_id, 0, given_up=((kind, minor),))], f"{kind}: {why}")


def apply_payment(desk: Desk, payment_id: int, parts: Sequence[Part]) -> Acted:
    """Use the unapplied part of a payment the platform already holds."""
    permitted(desk.person, "work")
    if not parts:
        raise UsageError("no item is named", do="add --item NUMBER=AMOUNT")
    acting.must_write(desk)
    with desk.store.begin() as conn:
        payment = books.item_row(conn, desk.ledger.id, payment_id)
        if payment is None or payment.kind != "payment" or payment.gone:
            raise NotFound(
                "there is no such payment on the platform",
                where=f"I-{payment_id}",
                do="see: arsync show CUSTOMER",
            )
        acting.must_suffice(conn, desk, payment_id, parts, payment.currency)
        spends = (*acting.lines_from(parts, 0), Line(payment_id, "cash", -sum(p.cash_minor for p in parts)))
        new = acting.made(
            conn,
            desk,
            receipt_id=None,
            customer_id=payment.customer_id,
            verdict="apply",
            evidence_class=EvidenceClass.BOOKED.value,
            why="unapplied payment applied by hand",
            currency=payment.currency,
            lines=spends,
            state="planned",
            receipt_state=None,
        )
        (decision_id,) = acting.keep_all(conn, desk, [new])
        held = giving_back.held(conn, desk.ledger, payment_id, desk.today())
        lines = acting.lines_from(parts, 0)
        acting.send_off(
            conn,
            desk,
            decision_id,
            intents.for_payment(held, lines, acting.refs_of(conn, desk, lines), payment.currency),
        )
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


def unapply(desk: Desk, payment_id: int, parts: Sequence[Part], why: str) -> Acted:
    """Take items off a payment of the platform; its money is on account then. Nothing is deleted."""
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say why it is taken off", do="add --why TEXT")
    acting.must_write(desk)
    with desk.store.begin() as conn:
        payment = acting.payment_row(conn, desk, payment_id)
        acting.must_not_contradict(conn, desk, payment_id)
        settled = books.applied_by(conn, desk.ledger.id, payment_id)
        wanted = {p.item_id: p.cash_minor for p in parts} or settled
        for item_id, minor in wanted.items():
            if not 0 < minor <= settled.get(item_id, 0):
                shown = Money(settled.get(item_id, 0), payment.currency)
                raise UsageError(f"the payment settles {shown} of I-{item_id}", do="correct the amount")
        names = books.platform_refs(conn, desk.ledger.id, "item", (payment_id, *wanted))
        off = tuple(
            Settle(books.item_ref(names[item_id]), Money(minor, payment.currency))
            for item_id, minor in wanted.items()
        )
        back = (Reverse(books.item_ref(names[payment_id]), off),)
        if not off:
            raise UsageError("the payment settles nothing", do="see: arsync show CUSTOMER")
        acting.must_be_changeable(conn, desk, back)
        new = acting.made(
            conn, desk, receipt_id=None, customer_id=payment.customer_id, verdict="unapply", why=why,
            currency=payment.currency, state="planned", receipt_state=None,
        )  # fmt: skip
        (decision_id,) = acting.keep_all(conn, desk, [new])
        acting.send_off(conn, desk, decision_id, back)
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


def redo(desk: Desk, decision_id: int, why: str) -> Acted:
    """Write a decision again that somebody took apart on the platform: what is missing, under the next generation."""
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say why it is written again", do="add --why TEXT")
    acting.must_write(desk)
    with desk.store.begin() as conn:
        row = decisions.find(conn, desk.ledger.id, decision_id)
        if row.state != "done" or row.undoes_id is not None:
            raise Conflict(
                f"D-{decision_id} is {row.state} and cannot be written again",
                do=f"see: arsync show D-{decision_id}",
            )
        measured.drop_error(conn, desk.ledger.id, decision_id)
        return acting.write_again(conn, desk, row, why)


# ---- money that goes back, and money that came as one line


def book_return(
    desk: Desk,
    queue_id: int,
    *,
    receipt_id: int | None = None,
    customer_id: int | None = None,
    fee_minor: int = 0,
    version: int | None = None,
) -> Acted:
    """Book what the bank gave back as an entry of its own; what the payment had settled is open again."""
    permitted(desk.person, "work")
    acting.must_write(desk)
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        receipt = acting.receipt_of(conn, desk, row)
        return acting.return_of(conn, desk, row, receipt, (receipt_id, customer_id, fee_minor))


def split(
    desk: Desk, queue_id: int, shares: Sequence[Share], fee_minor: int = 0, version: int | None = None
) -> Acted:
    """Make several receipts of one bank line: a lump deposit, or a payout whose fee was kept before it came."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        receipt = acting.receipt_of(conn, desk, row)
        left = sum(share.amount_minor for share in shares) - fee_minor - receipt.amount_minor
        if left or fee_minor < 0 or any(share.amount_minor <= 0 for share in shares) or not shares:
            raise UsageError(
                f"the parts less the fee must be {Money(receipt.amount_minor, receipt.currency)}; "
                f"they are off by {Money(left, receipt.currency)}",
                where=f"R-{receipt.id}",
                do="give every part: --part '100.00=Northwind: INV 1041' --part 50.00 --fee 4.50",
            )
        if len(decisions.receipts_of_line(conn, desk.ledger.id, receipt.bank_line_id)) > 1:
            raise Conflict("its bank line is several receipts already", do=f"see: arsync show R-{receipt.id}")
        ids = bank.split(conn, receipt, shares, fee_minor)
        named = ", ".join(f"R-{i}" for i in ids)
        acting.close_item(conn, desk, row, f"split into {named}")
        body = {"receipts": ids, "fee": Money(fee_minor, receipt.currency).text()}
        acting.note(conn, desk, "split", f"receipt:{receipt.id}", body)
        return Acted(None, "split", f"R-{receipt.id} is {named} now; the next run looks at each")


def ask_refund(desk: Desk, parts: Sequence[Part], why: str) -> Acted:
    """Ask to give credits back (credit memos, or one payment's unapplied part); a second person approves.

    arsync pays nothing: it books the refund when the bank shows it.
    """
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say why it is refunded", do="add --why TEXT")
    acting.must_write(desk)
    with desk.store.begin() as conn:
        rows = [books.item_row(conn, desk.ledger.id, part.item_id) for part in parts]
        payments = [row for row in rows if row.kind == "payment"]
        if not parts or any(part.cash_minor >= 0 for part in parts) or (payments and len(parts) > 1):
            raise UsageError(
                "a refund gives back credit memos, or the unapplied part of one payment",
                do="arsync refund ask --item CM-7=-50.00, or --payment Payment:158 --amount 50.00",
            )
        owner = acting.owner_of(conn, desk, parts)
        new = acting.made(
            conn, desk, receipt_id=None, customer_id=owner, verdict="refund", why=why, currency=rows[0].currency,
            lines=acting.lines_from(parts, 0), state="asked", receipt_state=None,
        )  # fmt: skip
        (decision_id,) = acting.keep_all(conn, desk, [new])
        amount = giving_back.refunded(conn, desk.ledger, decision_id)
        text = f"D-{decision_id} asks to refund {amount}: somebody else must approve it"
        row, today = decisions.find(conn, desk.ledger.id, decision_id), desk.today()
        resting = [one.told(today) for one in finality.behind_refund(conn, desk.ledger, row, today)]
        return Acted(decision_id, "asked", "; ".join([text, *resting]))


def book_refund(desk: Desk, decision_id: int, bank_line_id: int) -> Acted:
    """Say which bank line paid an approved refund."""
    permitted(desk.person, "work")
    acting.must_write(desk)
    with desk.store.begin() as conn:
        row = next((r for r in decisions.approved_refunds(conn, desk.ledger.id) if r.id == decision_id), None)
        if row is None:
            raise Conflict(f"D-{decision_id} is no approved refund", do=f"see: arsync show D-{decision_id}")
        amount = giving_back.refunded(conn, desk.ledger, decision_id)
        lines = bank.outgoing(conn, desk.ledger.id, [-amount.minor], date.min)
        line = next((one for one in lines if (one.id, one.currency) == (bank_line_id, amount.currency)), None)
        if line is None:
            raise NotFound(
                f"L-{bank_line_id} is no line on which {amount} left, or something explains it already",
                do=f"see: arsync queue list, arsync show D-{decision_id}",
            )
        giving_back.book_refund(conn, desk.ledger, row, line, desk.today(), desk.at())
        outcome = f"L-{line.id} paid it"
        queues.close(conn, desk.ledger.id, [f"decision:{row.id}"], desk.person.name, outcome, desk.at())
        acting.note(conn, desk, "refund seen", f"decision:{row.id}", {"decision": row.id, "line": line.id})
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


# ---- governing


def set_mode(desk: Desk, mode: office.Mode) -> Acted:
    """How far the ledger goes by itself: observe, propose, auto.

    To `auto` it goes with what the back-test of its own past said, or with a warning that there is none.
    """
    permitted(desk.person, "govern")
    with desk.store.begin() as conn:
        before = office.find_ledger(conn, desk.ledger.name).mode
        office.set_ledger(conn, desk.ledger.id, mode=mode)
        tested = backtested.newest(conn, desk.ledger) if mode == "auto" else None
        body = {"before": before, "after": mode, "back_test": tested.at if tested else None}
        acting.note(conn, desk, "mode", "ledger", body)
    told = f"\n{backtested.said(tested)}" if mode == "auto" else ""
    return Acted(None, "done", f"{desk.ledger.name}: {before} -> {mode}{told}")


def keep_backtest(desk: Desk, text: str, since: date | None, quality_of: "Quality") -> None:
    """Keep what the back-test of a policy (its text) said; whoever may look may ask for one."""
    with desk.store.begin() as conn:
        entry = backtested.entry(text, since, quality_of)
        acting.note(conn, desk, entry.what, entry.subject, entry.body)


# ---- what was learned


def forget(desk: Desk, alias_id: int, why: str = "") -> Acted:
    """Take back one thing that was learned; what is undecided is matched again without it by the next run."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = learned.forget(conn, desk.ledger.id, alias_id, desk.today())
        body = {"key": row.key, "customer": row.customer_id, "confirmations": row.confirmations, "why": why}
        acting.note(conn, desk, "forgotten", f"learned:{alias_id}", body)
    return Acted(None, "done", f"it is forgotten that {named(row.key)} pays for {row.customer}")


def forget_habit(desk: Desk, customer_id: int, why: str = "") -> Acted:
    """Take back how a customer usually pays; what is undecided is matched again without it by the next run."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        name = learned.habit_teachers(conn, desk.ledger.id, desk.today()).get(customer_id, ("",))[0]
        number = learned.forget_habit(conn, desk.ledger.id, customer_id, desk.today())
        body = {"customer": customer_id, "payments": number, "why": why}
        acting.note(conn, desk, "forgotten", f"habit:{customer_id}", body)
    return Acted(None, "done", f"it is forgotten how {name} paid: {number} payment(s)")


def lift_class(desk: Desk, evidence_class: str, why: str) -> Acted:
    """Let a class of evidence that was too often wrong apply by itself again; counting begins anew."""
    permitted(desk.person, "govern")
    if not why.strip():
        raise UsageError("say why it may go on", do="add --why TEXT")
    with desk.store.begin() as conn:
        if evidence_class not in measured.held(conn, desk.ledger.id):
            raise Conflict(f'"{evidence_class}" is not held back', do="see: arsync quality")
        measured.lift(conn, desk.ledger.id, evidence_class, desk.person.name, desk.at())
        subject = quality.class_subject(evidence_class)
        queues.close(conn, desk.ledger.id, [subject], desk.person.name, f"lifted: {why}", desk.at())
        acting.note(conn, desk, "lifted", subject, {"class": evidence_class, "why": why})
    return Acted(None, "done", f'"{evidence_class}" applies by itself again from the next run on')


def propose_policy(desk: Desk, text: str) -> Acted:
    """A new policy version; in force at once only where nobody else could approve it."""
    permitted(desk.person, "govern")
    with desk.store.begin() as conn:
        others = [p for p in office.people(conn) if p.role in MAY["govern"] and p.id != desk.person.id]
        approved = None if others else desk.person.name
        version = office.add_policy(
            conn, desk.ledger.id, text, desk.at(), proposed_by=desk.person.name, approved_by=approved
        )
        acting.note(conn, desk, "policy proposed", "policy", {"version": version, "approved_by": approved})
    if approved:
        return Acted(None, "done", f"policy version {version} is in force (nobody else could approve it)")
    names = ", ".join(p.name for p in others)
    return Acted(None, "asked", f"policy version {version} waits for approval by one of: {names}")


def map_adjustment(desk: Desk, kind: AdjustmentKind, booked: BookedAs) -> Acted:
    """Say where one kind of adjustment is booked: a new version of the policy, approved like any other.

    Raises:
        UsageError: the books have no such product or account in use.
    """
    permitted(desk.person, "govern")
    with desk.store.read() as conn:
        for what, named in (("product", booked.product), ("account", booked.account)):
            known = books.references(conn, desk.ledger.id, what)
            if named is not None and not known.get(named, {}).get("active"):
                raise UsageError(
                    f"the books have no {what} {named} in use",
                    where=desk.ledger.name,
                    do="arsync adjustments list",
                )
        text = office.policy_in_force(conn, desk.ledger.id).text
    return propose_policy(desk, with_mapping(text, kind, booked))


def approve_policy(desk: Desk, version: int) -> Acted:
    """Put a proposed policy in force; not one's own."""
    permitted(desk.person, "govern")
    with desk.store.begin() as conn:
        row = office.policy_version(conn, desk.ledger.id, version)
        if row.approved_by is not None:
            raise Conflict(
                f"policy version {version} was approved by {row.approved_by}", do="see: arsync policy list"
            )
        acting.must_be_other(desk, row.proposed_by)
        office.approve_policy(conn, desk.ledger.id, version, desk.person.name, desk.at())
        acting.note(conn, desk, "policy approved", "policy", {"version": version})
    return Acted(None, "done", f"policy version {version} is in force")


def sign_baseline(desk: Desk) -> tuple[Acted, list[proofs.Difference]]:
    """Take the standing differences as the opening baseline."""
    permitted(desk.person, "govern")
    with desk.store.begin() as conn:
        signed = proofs.sign(conn, desk.ledger.id, desk.person.name)
        office.set_ledger(conn, desk.ledger.id, stopped=None)
        subjects = [f"proof:{d.customer_id}:{d.currency}" for d in signed]
        queues.close(
            conn, desk.ledger.id, subjects, desk.person.name, "signed as opening baseline", desk.at()
        )
        body = {
            "differences": [
                [d.customer_id, d.currency, str(Money(d.unexplained_minor, d.currency))] for d in signed
            ]
        }
        acting.note(conn, desk, "baseline signed", "ledger", body)
    return Acted(None, "done", f"{len(signed)} difference(s) signed as the opening baseline"), signed


def add_bank_account(desk: Desk, values: Mapping[str, Any]) -> Acted:
    """A bank account whose statements belong to this ledger."""
    permitted(desk.person, "administer")
    with desk.store.begin() as conn:
        office.add_bank_account(conn, {**values, "ledger_id": desk.ledger.id, "created_at": desk.at()})
        acting.note(conn, desk, "bank account added", "bank", {"name": values["name"]})
    return Acted(None, "done", f"bank account {values['name']} is added")


def map_bank_account(desk: Desk, name: str, account: str) -> Acted:
    """Which account of the books mirrors a bank account.

    Raises:
        NotFound: the ledger has no such bank account. UsageError: the books have no such account in use.
    """
    permitted(desk.person, "administer")
    with desk.store.begin() as conn:
        row = next((a for a in bank.accounts(conn) if (a.name, a.ledger_id) == (name, desk.ledger.id)), None)
        if row is None:
            raise NotFound(f"{desk.ledger.name} has no bank account {name}", do="see: arsync bank list")
        known = books.references(conn, desk.ledger.id, "account").get(account)
        if known is None or not known["active"] or known["kind"] in ("receivable", "undeposited_funds"):
            raise UsageError(f"the books have no bank account {account} in use", do="arsync adjustments list")
        bank.set_deposit_account(conn, row.id, account)
        body = {"name": name, "before": row.deposit_account, "after": account}
        acting.note(conn, desk, "bank account mapped", "bank", body)
    return Acted(None, "done", f"{name} is account {account} {known['name']} of the books")


# ---- mail

_ADDRESS = re.compile(r"[^@\s]*@[^@\s]+\.[^@\s.]+")


def know_sender(desk: Desk, address: str, customer_id: int | None) -> Acted:
    """Put an address, or "@domain", on file: its advices count as those of a known sender once its domain is proven."""
    permitted(desk.person, "govern")
    wanted = address.strip().lower()
    if not _ADDRESS.fullmatch(wanted):
        raise UsageError(
            f"{address!r} is no mail address", do="give ap@customer.example, or @customer.example"
        )
    with desk.store.begin() as conn:
        sources.know_sender(conn, desk.ledger.id, wanted, customer_id, desk.person.name, desk.at())
        body = {"address": wanted, "customer": customer_id}
        acting.note(conn, desk, "sender put on file", f"sender:{wanted}", body)
    return Acted(
        None, "done", f"{wanted} is on file; its letters count from now on where its domain is proven"
    )


def forget_sender(desk: Desk, address: str) -> Acted:
    """Take an address off the file."""
    permitted(desk.person, "govern")
    wanted = address.strip().lower()
    with desk.store.begin() as conn:
        sources.forget_sender(conn, desk.ledger.id, wanted)
        acting.note(conn, desk, "sender taken off the file", f"sender:{wanted}", {"address": wanted})
    return Acted(None, "done", f"{wanted} is not on file any more")


# ---- promises and reminders


def promise(
    desk: Desk,
    items: Sequence[int],
    by: date,
    amount_minor: int | None = None,
    *,
    said_by: str = "",
    comment: str = "",
) -> list[Recorded]:
    """Record what a customer has promised to pay: all that is open of each item, or an amount of the only one."""
    permitted(desk.person, "work")
    return promises.add(desk, items, by, amount_minor, said_by, comment)


def withdraw_promise(desk: Desk, promise_id: int, why: str) -> Recorded:
    """A promise does not count any more."""
    permitted(desk.person, "work")
    return promises.withdraw(desk, promise_id, why)


def remind(
    desk: Desk, items: Sequence[int], on: date | None = None, level: int | None = None, way: str | None = None
) -> list[Recorded]:
    """Record that a reminder was given outside arsync, and say what speaks against it."""
    permitted(desk.person, "work")
    return promises.remind(desk, items, on, level, way)
