"""What a person may do. CLI, web and API call exactly this; permission and four eyes are inside.

Law     every action is done by a named person with a role, on the item as that person saw it, and is on
        record in the same transaction. An action records a decision and plans commands; only a run sends
        them. A person's decision is never undone by the program.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from arsync.core.decisions import EvidenceClass
from arsync.core.money import Money
from arsync.errors import Conflict, NotFound, UsageError
from arsync.store import books, decisions, office, outbox, proofs, queues
from arsync.store.decisions import Line
from arsync.sync import acting, intents
from arsync.sync.acting import MAY, Acted, Desk, Part, Wish, permitted

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
        wish = Wish(chosen.customer_id, lines, why, chosen.klass.value, chosen.probability)
        acted = acting.keep_decision(conn, desk, row, wish)
        if not bulk:
            acting.teach(conn, desk, row, chosen.customer_id)
        return acted


def apply(
    desk: Desk,
    queue_id: int,
    parts: Sequence[Part],
    *,
    rest_on_account: bool = False,
    customer_id: int | None = None,
    version: int | None = None,
) -> Acted:
    """Apply by hand, split over items; what is left must go on account explicitly."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        receipt = acting.receipt_of(conn, desk, row)
        rest = receipt.amount_minor - sum(p.cash_minor for p in parts)
        if rest < 0 or (rest and not rest_on_account):
            left = Money(rest, receipt.currency)
            raise UsageError(
                f"the parts add up to {Money(receipt.amount_minor - rest, receipt.currency)}, the receipt is "
                f"{Money(receipt.amount_minor, receipt.currency)}: {left} is left over",
                where=f"Q-{queue_id}",
                do="correct the parts, or leave the rest on account with --on-account",
            )
        owner = customer_id or acting.owner_of(conn, desk, parts)
        lines = acting.lines_from(parts, rest)
        acted = acting.keep_decision(conn, desk, row, Wish(owner, lines, "applied by hand"))
        acting.teach(conn, desk, row, owner)
        return acted


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
        payment = books.item_row(conn, desk.ledger.id, payment_id)
        if payment is None or payment.kind != "payment" or payment.gone:
            raise NotFound(
                "there is no such payment on the platform",
                where=f"I-{payment_id}",
                do="see: arsync show CUSTOMER",
            )
        return acting.link_payment(conn, desk, row, payment_id, payment.customer_id, parts)


def not_ours(desk: Desk, queue_id: int, why: str, version: int | None = None) -> Acted:
    """The money is no receivable."""
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say why it is not ours", do="add --why TEXT")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
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
    be decided anew (linked to what stands in the books, if it arrived).
    """
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say how it was resolved", do="add --why TEXT")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        if row.subject.startswith(("receipt:", "proof:")):
            what = (
                "its receipt must be decided"
                if row.receipt_id
                else "it closes by itself when the books agree"
            )
            raise UsageError(
                f"Q-{queue_id} cannot be closed like this: {what}", do=f"see: arsync queue show {queue_id}"
            )
        acting.close_item(conn, desk, row, why)
        if row.subject.startswith("command:"):
            acting.give_up(conn, desk, int(row.subject.removeprefix("command:")), why)
        return Acted(None, "done", f"Q-{queue_id} is closed")


# ---- decisions


def approve(desk: Desk, decision_id: int) -> Acted:
    """The second pair of eyes: let a decision go on that its maker may not make alone."""
    permitted(desk.person, "approve")
    with desk.store.begin() as conn:
        row = acting.asked_decision(conn, desk, decision_id)
        decisions.set_state(conn, desk.ledger.id, decision_id, "planned")
        new = acting.as_new(conn, desk, row)
        acting.plan_bundle(conn, desk, decision_id, new, office.policy_in_force(conn, desk.ledger.id))
        acting.note(
            conn,
            desk,
            "approved",
            f"receipt:{row.receipt_id}",
            {"decision": decision_id, "asked_by": row.decided_by},
        )
        return Acted(decision_id, "planned", f"D-{decision_id} is approved; the next run writes it")


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
        planned = outbox.bundles_of(conn, desk.ledger.id, decision_id)
        if all(p.state == "planned" and not outbox.commands(conn, desk.ledger.id, p.id) for p in planned):
            return acting.take_back(conn, desk, row, planned, why)
        if row.state != "done":
            raise Conflict(
                f"D-{decision_id} is being written just now",
                where=planned[-1].state,
                do="run: arsync run, then undo it",
            )
        return acting.reverse(conn, desk, row, planned[0], why)


def apply_credits(desk: Desk, parts: Sequence[Part]) -> Acted:
    """Settle items with credits the same customer has; no cash. The parts add up to zero."""
    permitted(desk.person, "work")
    if sum(p.cash_minor for p in parts) or not parts:
        raise UsageError(
            "items and credits must add up to zero", do="give credits as negative amounts: --item CM-7=-50.00"
        )
    with desk.store.begin() as conn:
        owner = acting.owner_of(conn, desk, parts)
        currency = books.item_row(conn, desk.ledger.id, parts[0].item_id).currency
        lines = acting.lines_from(parts, 0)
        new = acting.made(
            conn,
            desk,
            receipt_id=None,
            customer_id=owner,
            verdict="apply",
            why="credits applied by hand",
            currency=currency,
            lines=lines,
            state="planned",
            receipt_state=None,
        )
        (decision_id,) = acting.keep_all(conn, desk, [new])
        refs = acting.refs_of(conn, desk, lines)
        cash = intents.Cash(
            acting.customer_ref(conn, desk, owner), desk.clock().date(), Money(0, currency), "", None
        )
        policy = office.policy_in_force(conn, desk.ledger.id).policy
        acting.send_off(conn, desk, decision_id, intents.for_credits(cash, lines, refs, policy))
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


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
        ref = books.item_ref(books.platform_refs(conn, desk.ledger.id, "item", [payment_id])[payment_id])
        lines = acting.lines_from(parts, 0)
        acting.send_off(
            conn,
            desk,
            decision_id,
            intents.for_payment(ref, lines, acting.refs_of(conn, desk, lines), payment.currency),
        )
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


# ---- governing


def set_mode(desk: Desk, mode: office.Mode) -> Acted:
    """How far the ledger goes by itself: observe, propose, auto."""
    permitted(desk.person, "govern")
    with desk.store.begin() as conn:
        before = office.find_ledger(conn, desk.ledger.name).mode
        office.set_ledger(conn, desk.ledger.id, mode=mode)
        acting.note(conn, desk, "mode", "ledger", {"before": before, "after": mode})
    return Acted(None, "done", f"{desk.ledger.name}: {before} -> {mode}")


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
