"""How an action is carried out: who may, on what, and what is kept. `actions.py` is the list of what there is to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from arsync.clock import Clock, stamp
from arsync.connectors.contract import ApplyPayment, Bundle, Intent, PostReceipt, Ref, Reverse
from arsync.core.decisions import EvidenceClass, Finding
from arsync.core.matching import record
from arsync.core.money import Money
from arsync.errors import Conflict, NotPermitted, UsageError
from arsync.store import audit, books, decisions, office, outbox, queues, raw, work
from arsync.store.decisions import Line, New
from arsync.store.engine import Store, Tx
from arsync.store.office import Ledger, Person, PolicyVersion
from arsync.sync import decide, intents
from arsync.sync.settle import answers_of

Action = Literal["work", "approve", "govern", "administer"]
MAY: Mapping[str, frozenset[str]] = {
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
    if person.role not in MAY[action]:
        who = ", ".join(sorted(MAY[action]))
        raise NotPermitted(
            f"{person.name} is {person.role}; this needs one of: {who}", do="ask somebody who may"
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done with a receipt."""

    customer_id: int | None
    lines: tuple[Line, ...]
    why: str
    klass: str = EvidenceClass.NONE.value
    probability: float = 1.0


def keep_decision(conn: Tx, desk: Desk, row: Any, wish: Wish) -> Acted:
    """Keep a person's decision on a receipt and plan what it asks of the platform."""
    must_write(desk)
    receipt = receipt_of(conn, desk, row)
    if wish.customer_id is None:
        raise UsageError("it is not known whose receipt this is", do="name the customer with --customer")
    policy = office.policy_in_force(conn, desk.ledger.id)
    if missing := intents.unmapped(wish.lines, policy.policy):
        raise UsageError(
            f"the policy maps no document to: {', '.join(missing)}",
            where=f"policy version {policy.version}",
            do="map it under [adjustments]: arsync policy show, then arsync policy apply FILE",
        )
    must_be_money_in(row, receipt)
    must_be_open(conn, desk, receipt)
    asked = over_limit(wish, receipt.currency, policy)
    new = made(
        conn,
        desk,
        **taken_over(row, receipt),
        customer_id=wish.customer_id,
        verdict="on_account" if all(line.item_id is None for line in wish.lines) else "apply",
        evidence_class=wish.klass,
        probability=wish.probability,
        why=wish.why,
        lines=wish.lines,
        state="asked" if asked else "planned",
        receipt_state="planned",
    )
    (decision_id,) = keep_all(conn, desk, [new])
    if not asked:
        plan_bundle(conn, desk, decision_id, new, policy)
    close_item(conn, desk, row, f"D-{decision_id}: {wish.why}")
    text = "a manager must approve it" if asked else "the next run writes it"
    return Acted(decision_id, new.state, f"D-{decision_id}: {text}")


def link_payment(
    conn: Tx, desk: Desk, row: Any, payment_id: int, customer_id: int | None, parts: Sequence[Part] = ()
) -> Acted:
    """Link a receipt to a payment the platform holds, and use its unapplied part where `parts` say so."""
    receipt = receipt_of(conn, desk, row)
    must_be_free(conn, desk, payment_id, receipt)
    lines = lines_from(parts, 0)
    state = "planned" if lines else "done"
    if lines:
        must_write(desk)
        must_suffice(conn, desk, payment_id, parts, receipt.currency)
    why = "linked to a payment the platform already holds"
    spends = (*lines, Line(payment_id, "cash", -sum(p.cash_minor for p in parts))) if lines else ()
    new = made(
        conn,
        desk,
        **taken_over(row, receipt),
        customer_id=customer_id,
        verdict="link",
        evidence_class=EvidenceClass.BOOKED.value,
        why=why,
        lines=spends,
        state=state,
        receipt_state="planned" if lines else "linked",
        payment_id=payment_id,
    )
    (decision_id,) = keep_all(conn, desk, [new])
    if lines:
        payment = books.item_ref(books.platform_refs(conn, desk.ledger.id, "item", [payment_id])[payment_id])
        wanted_intents = intents.for_payment(payment, lines, refs_of(conn, desk, lines), receipt.currency)
        send_off(conn, desk, decision_id, wanted_intents)
    close_item(conn, desk, row, f"D-{decision_id}: {why}")
    return Acted(decision_id, state, f"D-{decision_id}: {why}")


def made(conn: Tx, desk: Desk, **facts: Any) -> New:
    """A decision of this person, under the policy in force."""
    defaults: dict[str, Any] = {
        "evidence_class": EvidenceClass.NONE.value,
        "probability": 1.0,
        "decided_by": desk.person.name,
        "lines": (),
        "policy_version": office.policy_in_force(conn, desk.ledger.id).version,
        "hands_off": True,
    }
    return New(**{**defaults, **facts})


def taken_over(row: Any, receipt: Any) -> dict[str, Any]:
    """What a decision on a queued receipt takes over from it."""
    return {
        "receipt_id": receipt.id,
        "currency": receipt.currency,
        "snapshot_sha": row.snapshot_sha,
        "finding_sha": row.finding_sha,
    }


def keep_all(conn: Tx, desk: Desk, news: Sequence[New]) -> list[int]:
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


def plan_bundle(conn: Tx, desk: Desk, decision_id: int, new: New, policy: PolicyVersion) -> None:
    """Store what a decision on a receipt asks of the platform."""
    decide.plan_bundles(conn, desk.ledger, [(decision_id, new)], policy, desk.at())


def send_off(conn: Tx, desk: Desk, decision_id: int, wanted: tuple[Intent, ...]) -> None:
    """Store these intents as the bundle of a decision; the next run sends it."""
    bundle = Bundle(f"{desk.ledger.uid}-{decision_id}", 1, wanted)
    outbox.plan(conn, desk.ledger.id, [(decision_id, bundle)], desk.at())


def take_back(conn: Tx, desk: Desk, row: Any, planned: Sequence[outbox.Planned], why: str) -> Acted:
    """Nothing has left yet (or there was nothing to send): the decision is simply withdrawn."""
    for one in planned:
        outbox.set_bundle(conn, desk.ledger.id, one.id, "withdrawn", why)
    back_to_queue(
        conn,
        desk,
        row,
        "withdrawn" if planned or row.state == "asked" else "undone",
        f"undone by {desk.person.name}: {why}",
    )
    return Acted(row.id, "done", f"D-{row.id} is withdrawn")


def reverse(conn: Tx, desk: Desk, row: Any, planned: outbox.Planned, why: str) -> Acted:
    """Plan the taking back of everything this decision wrote, last first."""
    must_write(desk)
    answers = answers_of(conn, desk.ledger.id, planned.id)
    written = {a.call.number: a.ref for a in answers if a.ref is not None}
    back: list[Intent] = []
    for number in sorted(written, reverse=True):
        intent = planned.bundle.intents[number]
        back.append(Reverse(written[number], intent.settles if isinstance(intent, ApplyPayment) else ()))
    if not back:
        raise Conflict(f"D-{row.id} wrote nothing that could be reversed", do=f"see: arsync show D-{row.id}")
    decisions.set_state(conn, desk.ledger.id, row.id, "undoing")
    undoing = made(
        conn,
        desk,
        receipt_id=row.receipt_id,
        customer_id=row.customer_id,
        verdict="undo",
        why=why,
        currency=currency_of(planned),
        state="planned",
        receipt_state=None,
        undoes_id=row.id,
    )
    (undo_id,) = keep_all(conn, desk, [undoing])
    send_off(conn, desk, undo_id, tuple(back))
    return Acted(undo_id, "planned", f"D-{undo_id} takes D-{row.id} back; the next run writes it")


def currency_of(planned: outbox.Planned) -> str:
    """The currency of what a bundle settles; empty when it settles nothing."""
    for intent in planned.bundle.intents:
        if isinstance(intent, PostReceipt):
            return intent.total.currency
        if not isinstance(intent, Reverse) and hasattr(intent, "settles") and intent.settles:
            return intent.settles[0].amount.currency
    return ""


def back_to_queue(conn: Tx, desk: Desk, row: Any, state: str, why: str) -> None:
    """Release what a decision reserved and put its receipt into the queue, for people only."""
    decisions.set_state(conn, desk.ledger.id, row.id, state)
    items = {
        line.item_id for line in decisions.lines(conn, desk.ledger.id, row.id) if line.item_id is not None
    }
    decisions.touch_items(conn, desk.ledger.id, items)
    subject = f"receipt:{row.receipt_id}" if row.receipt_id is not None else f"decision:{row.id}"
    note(conn, desk, f"decision {state}", subject, {"decision": row.id, "why": why})
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


def give_up(conn: Tx, desk: Desk, command_id: int, why: str) -> None:
    """End a bundle of which nobody can tell what became: it is never sent again, a person decides anew."""
    bundle_id = outbox.command_of(conn, desk.ledger.id, command_id).bundle_id
    planned = next((p for p in outbox.bundles(conn, desk.ledger.id, ["unknown"]) if p.id == bundle_id), None)
    if planned is None:
        return
    outbox.set_bundle(conn, desk.ledger.id, bundle_id, "withdrawn", why)
    row = decisions.find(conn, desk.ledger.id, planned.decision_id)
    if row.undoes_id is None:
        back_to_queue(conn, desk, row, "failed", f"{desk.person.name} looked in the books: {why}")
        return
    decisions.set_state(conn, desk.ledger.id, row.id, "failed")
    decisions.set_state(conn, desk.ledger.id, row.undoes_id, "done")
    note(conn, desk, "decision failed", f"decision:{row.id}", {"decision": row.id, "why": why})


def asked_decision(conn: Tx, desk: Desk, decision_id: int) -> Any:
    """A decision that waits for a second person, who must not be its maker."""
    row = decisions.find(conn, desk.ledger.id, decision_id)
    if row.state != "asked":
        raise Conflict(
            f"D-{decision_id} is {row.state}: nothing to approve", do=f"see: arsync show D-{decision_id}"
        )
    must_be_other(desk, row.decided_by)
    return row


def must_be_other(desk: Desk, maker: str) -> None:
    """Refuse the maker as the second pair of eyes."""
    if desk.person.name == maker:
        raise NotPermitted(f"{maker} made it; a second person must approve it", do="ask another manager")


def as_new(conn: Tx, desk: Desk, row: Any) -> New:
    """A stored decision as it was made, for planning."""
    stored = decisions.lines(conn, desk.ledger.id, row.id)
    lines = tuple(Line(s.item_id, s.kind, s.amount_minor) for s in stored)
    return New(
        row.receipt_id, row.customer_id, row.verdict, row.evidence_class, row.probability, row.decided_by, row.why,
        stored[0].currency, lines, "planned", "planned", policy_version=row.policy_version,
    )  # fmt: skip


def over_limit(wish: Wish, currency: str, policy: PolicyVersion) -> bool:
    """Whether more is given up than a clerk may alone; a discount granted by hand counts as a write-off does."""
    by_hand = wish.klass == EvidenceClass.NONE.value
    kinds = {"write_off", "discount"} if by_hand else {"write_off"}
    given_up = sum(line.minor for line in wish.lines if line.kind in kinds)
    return given_up > policy.policy.write_off_minor.get(currency, 0)


def lines_from(parts: Sequence[Part], rest_minor: int) -> tuple[Line, ...]:
    """A person's parts as lines; what is left of the receipt goes on account."""
    lines = []
    for part in parts:
        if part.discount_minor < 0 or part.write_off_minor < 0:
            # Below zero it would raise what somebody owes.
            raise UsageError(
                f"what is given up on I-{part.item_id} is below zero",
                do="write discount and write-off as positive amounts",
            )
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


def owner_of(conn: Tx, desk: Desk, parts: Sequence[Part]) -> int:
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


def teach(conn: Tx, desk: Desk, row: Any, customer_id: int | None) -> None:
    """A confirmed payer becomes a dated suggestion."""
    from arsync.core.matching.learn import learn

    if customer_id is None:
        return
    receipt = receipt_of(conn, desk, row)
    before = work.knowledge(conn, desk.ledger.id)
    today = desk.clock().date()
    after = learn(before, receipt.payer_name, receipt.payer_account, customer_id, today)
    work.keep_knowledge(conn, desk.ledger.id, before, after)


def finding_of(conn: Tx, row: Any) -> Finding:
    """The suggestions a queue item shows."""
    if row.finding_sha is None:
        raise UsageError(f"Q-{row.id} has no suggestions", do=f"see: arsync queue show {row.id}")
    return record.finding_from_text(raw.get(conn, bytes(row.finding_sha)).decode())


def receipt_of(conn: Tx, desk: Desk, row: Any) -> Any:
    """The receipt a queue item asks to decide."""
    if row.receipt_id is None or not row.subject.startswith("receipt:"):
        raise UsageError(
            f"Q-{row.id} is not about a receipt to decide",
            do=f"close it with: arsync queue resolve {row.id} --why TEXT",
        )
    parked = decisions.park_of(conn, desk.ledger.id, row.receipt_id)
    if parked is not None and parked.state == "planned":
        raise Conflict(
            f"R-{row.receipt_id} is being booked to the waiting account just now",
            where=f"D-{parked.id}",
            do="run: arsync reconcile, then decide",
        )
    return decisions.receipt_of(conn, desk.ledger.id, row.receipt_id)


def must_write(desk: Desk) -> None:
    """Refuse what would be written while the ledger is in observe."""
    if desk.ledger.mode == "observe":
        raise NotPermitted(
            f"{desk.ledger.name} is in observe: nothing is written",
            do="a manager lets it go on with: arsync ledger mode propose",
        )


def must_suffice(conn: Tx, desk: Desk, payment_id: int, parts: Sequence[Part], currency: str) -> None:
    """Refuse to use more of a payment than it has unapplied."""
    unapplied = -books.open_minor(conn, desk.ledger.id, payment_id)
    wanted = sum(p.cash_minor for p in parts)
    if wanted > unapplied:
        raise UsageError(
            f"the payment has {Money(unapplied, currency)} unapplied, not {Money(wanted, currency)}",
            do="correct the parts",
        )


def must_be_money_in(row: Any, receipt: Any) -> None:
    """Refuse to book money that went out as if it had come in."""
    if receipt.amount_minor <= 0:
        amount = Money(receipt.amount_minor, receipt.currency)
        raise UsageError(
            f"{amount} went back to the payer: it cannot be applied",
            where=f"R-{receipt.id}",
            do=f"undo the decision on the receipt it returns, then: arsync queue not-ours {row.id} --why TEXT",
        )


def must_be_free(conn: Tx, desk: Desk, payment_id: int, receipt: Any) -> None:
    """Refuse a payment that another receipt stands behind already, or of another currency."""
    for other in decisions.receipts_of_payments(conn, desk.ledger.id, [payment_id]):
        raise Conflict(
            f"R-{other.id} is linked to this payment already",
            where=f"I-{payment_id}",
            do=f"see: arsync show R-{other.id}; undo its decision first if it is wrong",
        )
    currency = books.item_row(conn, desk.ledger.id, payment_id).currency
    if currency != receipt.currency:
        raise UsageError(
            f"the payment is in {currency}, the receipt in {receipt.currency}",
            where=f"I-{payment_id}",
            do="link the payment that books this receipt",
        )


def must_be_open(conn: Tx, desk: Desk, receipt: Any) -> None:
    """Refuse a receipt dated inside the closed books."""
    facts = books.books_of(conn, desk.ledger.id)
    if facts and facts.closed_until and receipt.on_date <= facts.closed_until:
        raise UsageError(
            f"the books are closed through {facts.closed_until}, the receipt is of {receipt.on_date}",
            where=f"R-{receipt.id}",
            do="open the period in the books, or book it there by hand and link it: arsync queue link",
        )


def refs_of(conn: Tx, desk: Desk, lines: Sequence[Line]) -> dict[int, Ref]:
    """Platform refs of the items that lines spend."""
    ids = {line.item_id for line in lines if line.item_id is not None}
    return {i: books.item_ref(e) for i, e in books.platform_refs(conn, desk.ledger.id, "item", ids).items()}


def customer_ref(conn: Tx, desk: Desk, customer_id: int) -> Ref:
    """The platform ref of a customer."""
    return Ref("customer", books.platform_refs(conn, desk.ledger.id, "customer", [customer_id])[customer_id])


def close_item(conn: Tx, desk: Desk, row: Any, outcome: str) -> None:
    """Close the queue item a person has dealt with."""
    queues.close(conn, desk.ledger.id, [row.subject], desk.person.name, outcome, desk.at())


def note(conn: Tx, desk: Desk, what: str, subject: str, body: dict[str, Any]) -> None:
    """Put on record what the person did."""
    audit.record(conn, desk.ledger.id, desk.at(), desk.person.name, [audit.Entry(what, subject, body)])
