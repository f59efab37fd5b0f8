"""What a person may do. CLI, web and API call exactly this; permission and four eyes are inside.

Law     every action is done by a named person with a role, on the item as that person saw it, and is on record in the same
        transaction. An action records a decision and plans commands; only a run sends them. A person's decision is never undone by
        the program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from arsync.clock import Clock, stamp
from arsync.connectors.contract import ApplyPayment, Bundle, Intent, PostReceipt, Ref, Reverse
from arsync.core.decisions import EvidenceClass, Finding
from arsync.core.matching import record
from arsync.core.money import Money
from arsync.errors import Conflict, NotFound, NotPermitted, UsageError
from arsync.store import audit, books, decisions, office, outbox, proofs, queues, raw, work
from arsync.store.decisions import Line, New
from arsync.store.engine import Store, Tx
from arsync.store.office import Ledger, Person, PolicyVersion
from arsync.sync import decide, intents
from arsync.sync.settle import answers_of

Action = Literal["work", "approve", "govern", "administer"]
_MAY: Mapping[str, frozenset[str]] = {
    "work": frozenset({"clerk", "manager", "admin"}),
    "approve": frozenset({"manager", "admin"}),
    "govern": frozenset({"manager", "admin"}),
    "administer": frozenset({"admin"}),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a person acts: one ledger, as somebody."""

    store: Store
    ledger: Ledger
    person: Person
    clock: Clock

    def at(self) -> str:
        """Now, as the store keeps instants."""
        return stamp(self.clock())


@dataclass(frozen=True, slots=True)
class Part:
    """What a person gives an item. All in minor units, signed like the item; credits negative."""

    item_id: int
    cash_minor: int
    discount_minor: int = 0
    write_off_minor: int = 0


@dataclass(frozen=True, slots=True)
class Acted:
    """What an action led to."""

    decision_id: int | None
    state: str  # planned: the next run writes it; asked: a second person must approve; done
    text: str
    customers: tuple[int, ...] = field(default=())


def permitted(person: Person, action: Action) -> None:
    """Refuse what the person's role does not allow.

    Raises:
        NotPermitted: says who may.
    """
    if person.role not in _MAY[action]:
        who = ", ".join(sorted(_MAY[action]))
        raise NotPermitted(
            f"{person.name} is {person.role}; this needs one of: {who}", do="ask somebody who may"
        )


# ---- the queue


def accept(
    desk: Desk, queue_id: int, suggestion: int = 1, version: int | None = None, *, bulk: bool = False
) -> Acted:
    """Accept a suggestion (1 is the first). Accepted one by one it teaches who pays for whom; in bulk it teaches nothing."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        finding = _finding(conn, row)
        if not 1 <= suggestion <= len(finding.explanations):
            raise UsageError(
                f"Q-{queue_id} has {len(finding.explanations)} suggestion(s), not number {suggestion}",
                do=f"see: arsync queue show {queue_id}",
            )
        chosen = finding.explanations[suggestion - 1]
        if chosen.booked_payment_id is not None:
            return _link(conn, desk, row, chosen.booked_payment_id, chosen.customer_id)
        why = f"accepted suggestion {suggestion}: " + "; ".join(e.text for e in chosen.evidence if e.supports)
        lines = intents.lines_of(chosen)
        acted = _decide(
            conn, desk, row, chosen.customer_id, lines, chosen.klass.value, why, chosen.probability
        )
        if not bulk:
            _learn(conn, desk, row, chosen.customer_id)
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
        receipt = _receipt(conn, desk, row)
        rest = receipt.amount_minor - sum(p.cash_minor for p in parts)
        if rest < 0 or (rest and not rest_on_account):
            left = Money(rest, receipt.currency)
            raise UsageError(
                f"the parts add up to {Money(receipt.amount_minor - rest, receipt.currency)}, the receipt is "
                f"{Money(receipt.amount_minor, receipt.currency)}: {left} is left over",
                where=f"Q-{queue_id}",
                do="correct the parts, or leave the rest on account with --on-account",
            )
        owner = customer_id or _owner(conn, desk, parts)
        lines = _lines(parts, rest)
        acted = _decide(conn, desk, row, owner, lines, EvidenceClass.NONE.value, "applied by hand", 1.0)
        _learn(conn, desk, row, owner)
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
        return _link(conn, desk, row, payment_id, payment.customer_id, parts)


def not_ours(desk: Desk, queue_id: int, why: str, version: int | None = None) -> Acted:
    """The money is no receivable."""
    permitted(desk.person, "work")
    if not why.strip():
        raise UsageError("say why it is not ours", do="add --why TEXT")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        receipt = _receipt(conn, desk, row)
        new = _new(
            desk, conn, receipt, None, "not_ours", (), EvidenceClass.NONE.value, why, 1.0, "done", "not_ours"
        )
        (decision_id,) = _keep(conn, desk, [new])
        _close(conn, desk, row, f"not ours: {why}")
        return Acted(decision_id, "done", f"R-{receipt.id} is not ours")


def assign(desk: Desk, queue_id: int, owner: str | None, version: int | None = None) -> Acted:
    """Give a queue item to somebody, or to nobody."""
    permitted(desk.person, "work")
    with desk.store.begin() as conn:
        row = queues.claim(conn, desk.ledger.id, queue_id, version)
        if owner is not None:
            office.find_person(conn, owner)
        queues.change(conn, desk.ledger.id, row, owner=owner)
        _note(conn, desk, "assigned", row.subject, {"queue": queue_id, "before": row.owner, "after": owner})
        return Acted(None, "done", f"Q-{queue_id} is {owner or 'nobody'}'s")


def comment(desk: Desk, queue_id: int, text: str) -> Acted:
    """Leave a comment; kept in the history of the item."""
    permitted(desk.person, "work")
    if not text.strip():
        raise UsageError("the comment is empty", do="add the text")
    with desk.store.begin() as conn:
        row = queues.find(conn, desk.ledger.id, queue_id)
        _note(conn, desk, "comment", row.subject, {"queue": queue_id, "text": text})
        return Acted(None, "done", f"comment kept on Q-{queue_id}")


def resolve(desk: Desk, queue_id: int, why: str, version: int | None = None) -> Acted:
    """Close an item that is not about a receipt (an unreadable record, a refused file, a contradiction that was looked at)."""
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
        _close(conn, desk, row, why)
        return Acted(None, "done", f"Q-{queue_id} is closed")


# ---- decisions


def approve(desk: Desk, decision_id: int) -> Acted:
    """The second pair of eyes: let a decision go on that its maker may not make alone."""
    permitted(desk.person, "approve")
    with desk.store.begin() as conn:
        row = _asked(conn, desk, decision_id)
        decisions.set_state(conn, desk.ledger.id, decision_id, "planned")
        new = _as_new(conn, desk, row)
        _plan(conn, desk, decision_id, new, office.policy_in_force(conn, desk.ledger.id))
        _note(
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
        row = _asked(conn, desk, decision_id)
        _back_to_queue(conn, desk, row, "withdrawn", f"{desk.person.name} did not approve: {why}")
        return Acted(decision_id, "done", f"D-{decision_id} is rejected; its receipt is in the queue again")


def undo(desk: Desk, decision_id: int, why: str) -> Acted:
    """Take back our own error: withdraw what was not sent, reverse what was. (A bank's return is not an undo.)"""
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
            return _take_back(conn, desk, row, planned, why)
        if row.state != "done":
            raise Conflict(
                f"D-{decision_id} is being written just now",
                where=planned[-1].state,
                do="run: arsync run, then undo it",
            )
        return _reverse(conn, desk, row, planned[0], why)


def apply_credits(desk: Desk, parts: Sequence[Part]) -> Acted:
    """Settle items with credits the same customer has; no cash. The parts add up to zero."""
    permitted(desk.person, "work")
    if sum(p.cash_minor for p in parts) or not parts:
        raise UsageError(
            "items and credits must add up to zero", do="give credits as negative amounts: --item CM-7=-50.00"
        )
    with desk.store.begin() as conn:
        owner = _owner(conn, desk, parts)
        currency = books.item_row(conn, desk.ledger.id, parts[0].item_id).currency
        lines = _lines(parts, 0)
        new = New(
            None, owner, "apply", EvidenceClass.NONE.value, 1.0, desk.person.name, "credits applied by hand", currency, lines,
            "planned", None, policy_version=office.policy_in_force(conn, desk.ledger.id).version, hands_off=True,
        )  # fmt: skip
        (decision_id,) = _keep(conn, desk, [new])
        refs = _refs(conn, desk, lines)
        cash = intents.Cash(
            _customer_ref(conn, desk, owner), desk.clock().date(), Money(0, currency), "", None
        )
        policy = office.policy_in_force(conn, desk.ledger.id).policy
        _send_off(conn, desk, decision_id, intents.for_credits(cash, lines, refs, policy))
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


def apply_payment(desk: Desk, payment_id: int, parts: Sequence[Part]) -> Acted:
    """Use the unapplied part of a payment the platform already holds."""
    permitted(desk.person, "work")
    if not parts:
        raise UsageError("no item is named", do="add --item NUMBER=AMOUNT")
    _writing(desk)
    with desk.store.begin() as conn:
        payment = books.item_row(conn, desk.ledger.id, payment_id)
        if payment is None or payment.kind != "payment" or payment.gone:
            raise NotFound(
                "there is no such payment on the platform",
                where=f"I-{payment_id}",
                do="see: arsync show CUSTOMER",
            )
        _enough(conn, desk, payment_id, parts, payment.currency)
        spends = (*_lines(parts, 0), Line(payment_id, "cash", -sum(p.cash_minor for p in parts)))
        new = New(
            None, payment.customer_id, "apply", EvidenceClass.BOOKED.value, 1.0, desk.person.name,
            "unapplied payment applied by hand", payment.currency, spends, "planned", None,
            policy_version=office.policy_in_force(conn, desk.ledger.id).version, hands_off=True,
        )  # fmt: skip
        (decision_id,) = _keep(conn, desk, [new])
        ref = books.item_ref(books.platform_refs(conn, desk.ledger.id, "item", [payment_id])[payment_id])
        lines = _lines(parts, 0)
        _send_off(
            conn,
            desk,
            decision_id,
            intents.for_payment(ref, lines, _refs(conn, desk, lines), payment.currency),
        )
        return Acted(decision_id, "planned", f"D-{decision_id}: the next run writes it")


# ---- governing


def set_mode(desk: Desk, mode: office.Mode) -> Acted:
    """How far the ledger goes by itself: observe, propose, auto."""
    permitted(desk.person, "govern")
    with desk.store.begin() as conn:
        before = office.find_ledger(conn, desk.ledger.name).mode
        office.set_ledger(conn, desk.ledger.id, mode=mode)
        _note(conn, desk, "mode", "ledger", {"before": before, "after": mode})
    return Acted(None, "done", f"{desk.ledger.name}: {before} -> {mode}")


def propose_policy(desk: Desk, text: str) -> Acted:
    """A new policy version; in force at once only where nobody else could approve it."""
    permitted(desk.person, "govern")
    with desk.store.begin() as conn:
        others = [p for p in office.people(conn) if p.role in _MAY["govern"] and p.id != desk.person.id]
        approved = None if others else desk.person.name
        version = office.add_policy(
            conn, desk.ledger.id, text, desk.at(), proposed_by=desk.person.name, approved_by=approved
        )
        _note(conn, desk, "policy proposed", "policy", {"version": version, "approved_by": approved})
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
        _other(desk, row.proposed_by)
        office.approve_policy(conn, desk.ledger.id, version, desk.person.name, desk.at())
        _note(conn, desk, "policy approved", "policy", {"version": version})
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
        _note(conn, desk, "baseline signed", "ledger", body)
    return Acted(None, "done", f"{len(signed)} difference(s) signed as the opening baseline"), signed


def add_bank_account(desk: Desk, values: Mapping[str, Any]) -> Acted:
    """A bank account whose statements belong to this ledger."""
    permitted(desk.person, "administer")
    with desk.store.begin() as conn:
        office.add_bank_account(conn, {**values, "ledger_id": desk.ledger.id, "created_at": desk.at()})
        _note(conn, desk, "bank account added", "bank", {"name": values["name"]})
    return Acted(None, "done", f"bank account {values['name']} is added")


# ---- inside


def _decide(
    conn: Tx,
    desk: Desk,
    row: Any,
    customer_id: int | None,
    lines: tuple[Line, ...],
    klass: str,
    why: str,
    probability: float,
) -> Acted:
    """Keep a person's decision on a receipt and plan what it asks of the platform."""
    _writing(desk)
    receipt = _receipt(conn, desk, row)
    if customer_id is None:
        raise UsageError("it is not known whose receipt this is", do="name the customer with --customer")
    policy = office.policy_in_force(conn, desk.ledger.id)
    if missing := intents.unmapped(lines, policy.policy):
        raise UsageError(
            f"the policy maps no document to: {', '.join(missing)}",
            where=f"policy version {policy.version}",
            do="map it under [adjustments]: arsync policy show, then arsync policy apply FILE",
        )
    _closed(conn, desk, receipt)
    asked = _over_limit(lines, receipt.currency, policy)
    verdict = "on_account" if all(line.item_id is None for line in lines) else "apply"
    state = "asked" if asked else "planned"
    new = _new(
        desk, conn, receipt, customer_id, verdict, lines, klass, why, probability, state, "planned", row
    )
    (decision_id,) = _keep(conn, desk, [new])
    if not asked:
        _plan(conn, desk, decision_id, new, policy)
    _close(conn, desk, row, f"D-{decision_id}: {why}")
    text = "a manager must approve it" if asked else "the next run writes it"
    return Acted(decision_id, state, f"D-{decision_id}: {text}")


def _link(
    conn: Tx, desk: Desk, row: Any, payment_id: int, customer_id: int | None, parts: Sequence[Part] = ()
) -> Acted:
    receipt = _receipt(conn, desk, row)
    lines = _lines(parts, 0)
    state = "planned" if lines else "done"
    if lines:
        _writing(desk)
        _enough(conn, desk, payment_id, parts, receipt.currency)
    why = "linked to a payment the platform already holds"
    new = _new(
        desk, conn, receipt, customer_id, "link", lines, EvidenceClass.BOOKED.value, why, 1.0, state,
        "planned" if lines else "linked", row, payment_id,
    )  # fmt: skip
    (decision_id,) = _keep(conn, desk, [new])
    if lines:
        payment = books.item_ref(books.platform_refs(conn, desk.ledger.id, "item", [payment_id])[payment_id])
        wanted_intents = intents.for_payment(payment, lines, _refs(conn, desk, lines), receipt.currency)
        _send_off(conn, desk, decision_id, wanted_intents)
    _close(conn, desk, row, f"D-{decision_id}: {why}")
    return Acted(decision_id, state, f"D-{decision_id}: {why}")


def _new(
    desk: Desk,
    conn: Tx,
    receipt: Any,
    customer_id: int | None,
    verdict: str,
    lines: tuple[Line, ...],
    klass: str,
    why: str,
    probability: float,
    state: str,
    receipt_state: str,
    row: Any = None,
    payment_id: int | None = None,
) -> New:
    return New(
        receipt_id=receipt.id,
        customer_id=customer_id,
        verdict=verdict,
        evidence_class=klass,
        probability=probability,
        decided_by=desk.person.name,
        why=why,
        currency=receipt.currency,
        lines=lines,
        state=state,
        receipt_state=receipt_state,
        payment_id=payment_id,
        snapshot_sha=row.snapshot_sha if row is not None else None,
        finding_sha=row.finding_sha if row is not None else None,
        policy_version=office.policy_in_force(conn, desk.ledger.id).version,
        hands_off=True,
    )


def _keep(conn: Tx, desk: Desk, news: Sequence[New]) -> list[int]:
    """Keep decisions on the items as they are now; the person's look was checked by the queue item's version."""
    items = {line.item_id for new in news for line in new.lines if line.item_id is not None}
    versions = books.versions(conn, desk.ledger.id, items)
    receipts = {
        new.receipt_id: decisions.receipt_of(conn, desk.ledger.id, new.receipt_id).version
        for new in news
        if new.receipt_id is not None
    }
    if out := decisions.refused(conn, desk.ledger.id, news, versions, receipts):
        raise Conflict(next(iter(out.values())), do="look again and decide again")
    ids = decisions.keep(conn, desk.ledger.id, news, desk.at())
    entries = [decide.decision_event(i, new) for i, new in zip(ids, news, strict=True)]
    audit.record(conn, desk.ledger.id, desk.at(), desk.person.name, entries)
    return ids


def _plan(conn: Tx, desk: Desk, decision_id: int, new: New, policy: PolicyVersion) -> None:
    decide.plan_bundles(conn, desk.ledger, [(decision_id, new)], policy, desk.at())


def _send_off(conn: Tx, desk: Desk, decision_id: int, wanted: tuple[Intent, ...]) -> None:
    bundle = Bundle(f"{desk.ledger.uid}-{decision_id}", 1, wanted)
    outbox.plan(conn, desk.ledger.id, [(decision_id, bundle)], desk.at())


def _take_back(conn: Tx, desk: Desk, row: Any, planned: Sequence[outbox.Planned], why: str) -> Acted:
    """Nothing has left yet (or there was nothing to send): the decision is simply withdrawn."""
    for one in planned:
        outbox.set_bundle(conn, desk.ledger.id, one.id, "withdrawn", why)
    _back_to_queue(
        conn,
        desk,
        row,
        "withdrawn" if planned or row.state == "asked" else "undone",
        f"undone by {desk.person.name}: {why}",
    )
    return Acted(row.id, "done", f"D-{row.id} is withdrawn")


def _reverse(conn: Tx, desk: Desk, row: Any, planned: outbox.Planned, why: str) -> Acted:
    """Plan the taking back of everything this decision wrote, last first."""
    _writing(desk)
    answers = answers_of(conn, desk.ledger.id, planned.id)
    written = {a.call.number: a.ref for a in answers if a.ref is not None}
    back: list[Intent] = []
    for number in sorted(written, reverse=True):
        intent = planned.bundle.intents[number]
        back.append(Reverse(written[number], intent.settles if isinstance(intent, ApplyPayment) else ()))
    if not back:
        raise Conflict(f"D-{row.id} wrote nothing that could be reversed", do=f"see: arsync show D-{row.id}")
    decisions.set_state(conn, desk.ledger.id, row.id, "undoing")
    undoing = New(
        row.receipt_id, row.customer_id, "undo", row.evidence_class, 1.0, desk.person.name, why,
        _currency(planned), (), "planned", None, policy_version=row.policy_version, undoes_id=row.id,
    )  # fmt: skip
    (undo_id,) = _keep(conn, desk, [undoing])
    _send_off(conn, desk, undo_id, tuple(back))
    return Acted(undo_id, "planned", f"D-{undo_id} takes D-{row.id} back; the next run writes it")


def _currency(planned: outbox.Planned) -> str:
    for intent in planned.bundle.intents:
        if isinstance(intent, PostReceipt):
            return intent.total.currency
        if not isinstance(intent, Reverse) and hasattr(intent, "settles") and intent.settles:
            return intent.settles[0].amount.currency
    return ""


def _back_to_queue(conn: Tx, desk: Desk, row: Any, state: str, why: str) -> None:
    decisions.set_state(conn, desk.ledger.id, row.id, state)
    items = {
        line.item_id for line in decisions.lines(conn, desk.ledger.id, row.id) if line.item_id is not None
    }
    decisions.touch_items(conn, desk.ledger.id, items)
    subject = f"receipt:{row.receipt_id}" if row.receipt_id is not None else f"decision:{row.id}"
    _note(conn, desk, f"decision {state}", subject, {"decision": row.id, "why": why})
    if row.receipt_id is None:
        return
    receipt = decisions.receipt_of(conn, desk.ledger.id, row.receipt_id)
    decisions.set_receipt(
        conn, desk.ledger.id, receipt.id, state="queued", decision_id=None, payment_id=None, hands_off=True
    )
    entry = queues.Entry(
        subject=f"receipt:{receipt.id}",
        reason="confirmation",
        detail=f"D-{row.id}: {why}",
        receipt_id=receipt.id,
        customer_id=receipt.customer_id,
        currency=receipt.currency,
        amount_minor=receipt.amount_minor,
        finding_sha=row.finding_sha,
        snapshot_sha=row.snapshot_sha,
    )
    queues.open_items(conn, desk.ledger.id, [entry], desk.at())


def _asked(conn: Tx, desk: Desk, decision_id: int) -> Any:
    row = decisions.find(conn, desk.ledger.id, decision_id)
    if row.state != "asked":
        raise Conflict(
            f"D-{decision_id} is {row.state}: nothing to approve", do=f"see: arsync show D-{decision_id}"
        )
    _other(desk, row.decided_by)
    return row


def _other(desk: Desk, maker: str) -> None:
    if desk.person.name == maker:
        raise NotPermitted(f"{maker} made it; a second person must approve it", do="ask another manager")


def _as_new(conn: Tx, desk: Desk, row: Any) -> New:
    stored = decisions.lines(conn, desk.ledger.id, row.id)
    lines = tuple(Line(s.item_id, s.kind, s.amount_minor) for s in stored)
    return New(
        row.receipt_id, row.customer_id, row.verdict, row.evidence_class, row.probability, row.decided_by, row.why,
        stored[0].currency, lines, "planned", "planned", policy_version=row.policy_version,
    )  # fmt: skip


def _over_limit(lines: Sequence[Line], currency: str, policy: PolicyVersion) -> bool:
    given_up = sum(line.minor for line in lines if line.kind == "write_off")
    return given_up > policy.policy.write_off_minor.get(currency, 0)


def _lines(parts: Sequence[Part], rest_minor: int) -> tuple[Line, ...]:
    lines = []
    for part in parts:
        for kind, minor in (
            ("cash", part.cash_minor),
            ("discount", part.discount_minor),
            ("write_off", part.write_off_minor),
        ):
            if minor:
                lines.append(Line(part.item_id, kind, minor))
    if rest_minor:
        lines.append(Line(None, "on_account", rest_minor))
    return tuple(lines)


def _owner(conn: Tx, desk: Desk, parts: Sequence[Part]) -> int:
    """The one customer the items belong to, or the common parent."""
    owners = {
        row.customer_id for row in (books.item_row(conn, desk.ledger.id, p.item_id) for p in parts) if row
    }
    if len(owners) == 1:
        return int(owners.pop())
    parents = {books.parent_of(conn, desk.ledger.id, owner) or owner for owner in owners}
    if len(parents) == 1:
        return int(parents.pop())
    raise UsageError(
        "the items belong to several customers", do="one receipt pays one customer: split it at the bank line"
    )


def _learn(conn: Tx, desk: Desk, row: Any, customer_id: int | None) -> None:
    """A confirmed payer becomes a dated suggestion."""
    from arsync.core.matching.learn import learn

    if customer_id is None:
        return
    receipt = _receipt(conn, desk, row)
    before = work.knowledge(conn, desk.ledger.id)
    today = desk.clock().date()
    after = learn(before, receipt.payer_name, receipt.payer_account, customer_id, today)
    work.keep_knowledge(conn, desk.ledger.id, before, after)


def _finding(conn: Tx, row: Any) -> Finding:
    if row.finding_sha is None:
        raise UsageError(f"Q-{row.id} has no suggestions", do=f"see: arsync queue show {row.id}")
    return record.finding_from_text(raw.get(conn, bytes(row.finding_sha)).decode())


def _receipt(conn: Tx, desk: Desk, row: Any) -> Any:
    if row.receipt_id is None or not row.subject.startswith("receipt:"):
        raise UsageError(
            f"Q-{row.id} is not about a receipt to decide",
            do=f"close it with: arsync queue resolve {row.id} --why TEXT",
        )
    return decisions.receipt_of(conn, desk.ledger.id, row.receipt_id)


def _writing(desk: Desk) -> None:
    if desk.ledger.mode == "observe":
        raise NotPermitted(
            f"{desk.ledger.name} is in observe: nothing is written",
            do="a manager lets it go on with: arsync ledger mode propose",
        )


def _enough(conn: Tx, desk: Desk, payment_id: int, parts: Sequence[Part], currency: str) -> None:
    unapplied = -books.open_minor(conn, desk.ledger.id, payment_id)
    wanted = sum(p.cash_minor for p in parts)
    if wanted > unapplied:
        raise UsageError(
            f"the payment has {Money(unapplied, currency)} unapplied, not {Money(wanted, currency)}",
            do="correct the parts",
        )


def _closed(conn: Tx, desk: Desk, receipt: Any) -> None:
    facts = books.books_of(conn, desk.ledger.id)
    if facts and facts.closed_until and receipt.on_date <= facts.closed_until:
        raise UsageError(
            f"the books are closed through {facts.closed_until}, the receipt is of {receipt.on_date}",
            where=f"R-{receipt.id}",
            do="open the period in the books, or book it there by hand and link it: arsync queue link",
        )


def _refs(conn: Tx, desk: Desk, lines: Sequence[Line]) -> dict[int, Ref]:
    ids = {line.item_id for line in lines if line.item_id is not None}
    return {i: books.item_ref(e) for i, e in books.platform_refs(conn, desk.ledger.id, "item", ids).items()}


def _customer_ref(conn: Tx, desk: Desk, customer_id: int) -> Ref:
    return Ref("customer", books.platform_refs(conn, desk.ledger.id, "customer", [customer_id])[customer_id])


def _close(conn: Tx, desk: Desk, row: Any, outcome: str) -> None:
    queues.close(conn, desk.ledger.id, [row.subject], desk.person.name, outcome, desk.at())


def _note(conn: Tx, desk: Desk, what: str, subject: str, body: dict[str, Any]) -> None:
    audit.record(conn, desk.ledger.id, desk.at(), desk.person.name, [audit.Entry(what, subject, body)])
