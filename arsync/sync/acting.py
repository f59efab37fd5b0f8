"""How an action is carried out: who may, on what, and what is kept. `actions.py` is the list of what there is to do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from arsync.clock import Clock, stamp
from arsync.connectors.contract import (
    ApplyCredits,
    ApplyPayment,
    Bundle,
    Intent,
    PostCredit,
    PostDeposit,
    PostEntry,
    PostReceipt,
    PostRefund,
    Ref,
    Reverse,
    Settle,
)
from arsync.core.decisions import EvidenceClass, Explanation, Finding
from arsync.core.matching import record
from arsync.core.money import Money
from arsync.errors import Conflict, NotFound, NotPermitted, UsageError
from arsync.store import audit, books, decisions, learned, office, outbox, queries, queues, raw, work
from arsync.store.decisions import Line, New
from arsync.store.engine import Store, Tx
from arsync.store.office import Ledger, Person, PolicyVersion
from arsync.sync import decide, deposits, finality, fitting, giving_back, intents, quality
from arsync.sync.fitting import fitted
from arsync.sync.settle import answers_of

if TYPE_CHECKING:
    from arsync.core.matching.snapshot import Habit

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

    def today(self) -> date:
        """The ledger's own day."""
        return self.ledger.day_of(self.clock())


@dataclass(frozen=True, slots=True)
class Part:
    """What a person gives an item. All in minor units, signed like the item; credits negative."""

    item_id: int
    cash_minor: int
    discount_minor: int = 0
    write_off_minor: int = 0
    given_up: tuple[tuple[str, int], ...] = ()  # further kinds of adjustment ("bad debt"), and how much


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
    currency: str | None = None  # of the lines, where it is not the receipt's


def keep_decision(conn: Tx, desk: Desk, row: Any, wish: Wish) -> Acted:
    """Keep a person's decision on a receipt and plan what it asks of the platform."""
    must_write(desk)
    receipt = receipt_of(conn, desk, row)
    if wish.customer_id is None:
        raise UsageError("it is not known whose receipt this is", do="name the customer with --customer")
    policy = office.policy_in_force(conn, desk.ledger.id)
    must_be_mapped(wish.lines, policy)
    must_be_money_in(row, receipt)
    must_be_open(conn, desk, receipt)
    currency = wish.currency or receipt.currency
    asked = needs_second(conn, desk, wish, currency, policy)
    new = made(
        conn,
        desk,
        **taken_over(row, receipt) | {"currency": currency},
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


def must_be_mapped(lines: Sequence[Line], policy: PolicyVersion) -> None:
    """Refuse to give up what the policy maps to no document."""
    if missing := intents.unmapped(lines, policy.policy):
        raise UsageError(
            f"the policy maps no document to: {', '.join(missing)}",
            where=f"policy version {policy.version}",
            do=f'arsync adjustments map "{missing[0]}" --product ID',
        )


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
        payment = giving_back.held(conn, desk.ledger, payment_id, desk.today())
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
    must_be_of_one_currency(conn, desk, news)
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


def must_be_of_one_currency(conn: Tx, desk: Desk, news: Sequence[New]) -> None:
    """Refuse to settle an item in another currency than its own."""
    for new in news:
        spent = {line.item_id for line in new.lines if line.item_id is not None}
        for item in queries.items(conn, desk.ledger.id, sorted(spent)).values():
            if item.currency != new.currency:
                raise UsageError(
                    f"{item.number or f'I-{item.id}'} is in {item.currency}, the money in {new.currency}",
                    where=f"I-{item.id}",
                    do=f"apply it to items in {new.currency}, or book the exchange in the books and link the payment",
                )


def plan_bundle(conn: Tx, desk: Desk, decision_id: int, new: New, policy: PolicyVersion) -> None:
    """Store what a decision on a receipt asks of the platform."""
    decide.plan_bundles(conn, desk.ledger, [(decision_id, new)], policy, desk.at())


def plan_credits(conn: Tx, desk: Desk, decision_id: int, new: New) -> None:
    """Store what a decision without a receipt asks of the platform."""
    assert new.customer_id is not None
    refs = refs_of(conn, desk, new.lines)
    owner, today = customer_ref(conn, desk, new.customer_id), desk.today()
    policy = office.policy_in_force(conn, desk.ledger.id).policy
    cash = intents.Cash(owner, today, Money(0, new.currency), "", None)
    send_off(conn, desk, decision_id, intents.for_credits(cash, new.lines, refs, policy))


def plan_again(conn: Tx, desk: Desk, row: Any) -> None:
    """Store what an approved decision asks of the platform."""
    new = as_new(conn, desk, row)
    if row.receipt_id is None:
        plan_credits(conn, desk, row.id, new)
    else:
        plan_bundle(conn, desk, row.id, new, office.policy_in_force(conn, desk.ledger.id))


def return_of(
    conn: Tx, desk: Desk, row: Any, receipt: Any, said: tuple[int | None, int | None, int]
) -> Acted:
    """Keep the decision that a receipt is a return, and plan its entry; `said` is receipt, customer, fee."""
    receipt_id, customer_id, fee_minor = said
    amount = Money(-receipt.amount_minor - fee_minor, receipt.currency)
    if receipt.amount_minor >= 0 or fee_minor < 0 or amount.minor <= 0:
        raise UsageError(
            f"R-{receipt.id} is {Money(receipt.amount_minor, receipt.currency)}: nothing went back",
            do=f"see: arsync queue show {row.id}",
        )
    must_be_open(conn, desk, receipt)
    original = _original(conn, desk, receipt, amount, receipt_id) if customer_id is None else None
    owner = customer_id if original is None else original.customer_id
    assert owner is not None
    policy = office.policy_in_force(conn, desk.ledger.id)
    if fee_minor and policy.policy.fee_account is None:
        raise UsageError(
            "the policy names no account for fees of the bank",
            where=f"policy version {policy.version}",
            do="arsync adjustments map fee --account ID",
        )
    where = giving_back.accounts_of(conn, desk.ledger, receipt.bank_line_id, receipt.currency)
    on = max(receipt.on_date, decide.open_from(conn, desk.ledger.id, policy.policy))
    fee = Money(fee_minor, receipt.currency) if fee_minor else None
    given = giving_back.Given(
        owner, customer_ref(conn, desk, owner), on, amount, fee, decide.reference_of(receipt)
    )
    wanted = giving_back.return_intents(conn, desk.ledger, given, where, original, desk.today())
    why = f"the bank gave back R-{original.id}" if original is not None else "the bank gave a payment back"
    new = made(
        conn,
        desk,
        **taken_over(row, receipt),
        customer_id=owner,
        verdict="return",
        why=why,
        state="planned",
        receipt_state="planned",
    )
    (decision_id,) = keep_all(conn, desk, [new])
    send_off(conn, desk, decision_id, wanted)
    close_item(conn, desk, row, f"D-{decision_id}: {why}")
    return Acted(decision_id, "planned", f"D-{decision_id}: {why}; the next run writes it")


def _original(conn: Tx, desk: Desk, receipt: Any, amount: Money, receipt_id: int | None) -> Any:
    """The receipt a return takes back: the one named, or the only one that fits."""
    found = giving_back.originals(conn, desk.ledger, receipt, amount)
    if receipt_id is not None:
        found = [one for one in found if one.id == receipt_id]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"R-{one.id} of {one.on_date}" for one in found) or "none"
    raise UsageError(
        f"receipts of {amount} that it may take back: {listed}",
        where=f"R-{receipt.id}",
        do="name one with --receipt R-…, or whose payment it was with --customer; with --fee what the bank kept",
    )


def must_not_have_applied(conn: Tx, desk: Desk, row: Any) -> None:
    """Refuse the person who applied the cash as the one who lets it go back."""
    ids = {line.item_id for line in decisions.lines(conn, desk.ledger.id, row.id)}
    for receipt in decisions.receipts_of_payments(conn, desk.ledger.id, ids):
        made_it = decisions.find(conn, desk.ledger.id, receipt.decision_id) if receipt.decision_id else None
        if made_it is not None:
            must_be_other(desk, made_it.decided_by)


def must_be_final(conn: Tx, desk: Desk, row: Any, *, known: bool) -> list[str]:
    """Refuse a refund of money that may itself go back, unless the approver says that this is known.

    Returns:
        What is not final, for people.
    """
    today = desk.today()
    resting = finality.behind_refund(conn, desk.ledger, row, today)
    told = [one.told(today) for one in resting]
    going = [one for one in resting if one.is_given_back and one.final.on(today) == "may go back"]
    if going and not known:
        raise UsageError(
            f"the money is not final: {'; '.join(told)}",
            where=f"D-{row.id}",
            do="wait until it is, or approve it all the same: add --not-final",
        )
    return told


def payment_row(conn: Tx, desk: Desk, payment_id: int) -> Any:
    """A payment the platform holds."""
    payment = books.item_row(conn, desk.ledger.id, payment_id)
    if payment is None or payment.kind != "payment" or payment.gone:
        raise NotFound(
            "there is no such payment on the platform",
            where=f"I-{payment_id}",
            do="see: arsync show CUSTOMER",
        )
    return payment


def must_not_contradict(conn: Tx, desk: Desk, payment_id: int) -> None:
    """Refuse to take apart what a decision of ours stands behind."""
    for receipt in decisions.receipts_of_payments(conn, desk.ledger.id, [payment_id]):
        if receipt.state == "applied" and receipt.decision_id is not None:
            raise Conflict(
                f"D-{receipt.decision_id} decided what this payment settles",
                where=f"R-{receipt.id}",
                do=f"arsync undo D-{receipt.decision_id} --why TEXT",
            )


def write_again(conn: Tx, desk: Desk, row: Any, why: str) -> Acted:
    """Plan what is missing on the platform of a decision that was written: the next generation of its bundle."""
    written = outbox.written(conn, desk.ledger.id, row.id)
    planned = outbox.bundles_of(conn, desk.ledger.id, row.id)
    if any(isinstance(intent, PostEntry | PostRefund | PostDeposit) for intent, _ in written):
        raise Conflict(
            f"D-{row.id} booked an entry, a refund or a deposit, which is not patched",
            where=f"D-{row.id}",
            do=f"take it back and book it anew: arsync undo D-{row.id} --why TEXT",
        )
    missing = _missing(conn, desk, written)
    if not missing or not planned:
        raise Conflict(f"all of D-{row.id} stands in the books", do=f"see: arsync show D-{row.id}")
    stored = decisions.lines(conn, desk.ledger.id, row.id)
    _must_be_available(conn, desk, missing)
    decisions.set_state(conn, desk.ledger.id, row.id, "planned")
    if row.receipt_id is not None:
        decisions.set_receipt(conn, desk.ledger.id, row.receipt_id, state="planned")
    decisions.touch_items(conn, desk.ledger.id, {line.item_id for line in stored if line.item_id is not None})
    again = Bundle(
        planned[-1].bundle.key, planned[-1].bundle.generation + 1, fitted(conn, desk.ledger, missing)
    )
    outbox.plan(conn, desk.ledger.id, [(row.id, again)], desk.at())
    documents = {ref.id for _, ref in written}
    known = books.known_ids(conn, desk.ledger.connection_id, "item", documents).values()
    subjects = [f"decision:{row.id}", *(f"payment:{our_id}" for our_id in known)]
    queues.close(conn, desk.ledger.id, subjects, desk.person.name, f"written again: {why}", desk.at())
    note(conn, desk, "written again", f"decision:{row.id}", {"decision": row.id, "why": why})
    return Acted(row.id, "planned", f"D-{row.id}: the next run writes again what is missing")


def _missing(conn: Tx, desk: Desk, written: Sequence[tuple[Intent, Ref]]) -> tuple[Intent, ...]:
    """Of the newest document of each intent that settles something: the whole if it is gone, else what was taken off.

    Credit memos that still stand are used again; those that are gone are posted again.
    """
    newest_of = {intent: ref for intent, ref in written if isinstance(intent, PostCredit)}
    gone = tuple(intent for intent, ref in newest_of.items() if is_gone(conn, desk, ref))
    standing = tuple(Settle(ref, -intent.amount) for intent, ref in newest_of.items() if intent not in gone)
    settling = [(i, r) for i, r in written if isinstance(i, PostReceipt | ApplyCredits | ApplyPayment)]
    if not settling:
        return ()
    intent, newest = settling[0][0], settling[-1][1]
    if not isinstance(intent, ApplyPayment) and is_gone(conn, desk, newest):
        used = (*intent.settles, *standing)
        return (*gone, replace(intent, settles=used, credits_of=tuple(range(len(gone)))))
    payment = intent.payment if isinstance(intent, ApplyPayment) else newest
    known = books.known_ids(conn, desk.ledger.connection_id, "item", [payment.id])
    stored = books.applied_by(conn, desk.ledger.id, known[payment.id]) if payment.id in known else {}
    off = []
    for settle in intent.settles:
        item_id = books.known_ids(conn, desk.ledger.connection_id, "item", [settle.item.id])[settle.item.id]
        left = settle.amount.minor - stored.get(item_id, 0)
        if left * settle.amount.minor > 0:
            off.append(Settle(settle.item, Money(left, settle.amount.currency)))
    return (ApplyPayment(payment, tuple(off)),) if off else ()


def _must_be_available(conn: Tx, desk: Desk, missing: Sequence[Intent]) -> None:
    """Refuse to write again what somebody else has settled meanwhile."""
    for intent in missing:
        for settle in getattr(intent, "settles", ()):
            known = books.known_ids(conn, desk.ledger.connection_id, "item", [settle.item.id])
            item_id = known.get(settle.item.id, 0)
            taken = work.reserved(conn, desk.ledger.id, [item_id]).get(item_id, 0)
            left = books.open_minor(conn, desk.ledger.id, item_id) - taken
            if not (0 < settle.amount.minor <= left or left <= settle.amount.minor < 0):
                raise Conflict(
                    f"{settle.item.id} has {Money(left, settle.amount.currency)} left, less than {settle.amount}",
                    do="undo the decision and decide anew: arsync undo D-… --why TEXT",
                )


def send_off(conn: Tx, desk: Desk, decision_id: int, wanted: tuple[Intent, ...]) -> None:
    """Store these intents as the bundle of a decision; the next run sends it."""
    bundle = Bundle(f"{desk.ledger.uid}-{decision_id}", 1, fitted(conn, desk.ledger, wanted))
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


def must_not_be_returned(conn: Tx, desk: Desk, row: Any) -> None:
    """Refuse to take back what the bank has given back: the customer would owe it twice."""
    if row.receipt_id is None or row.verdict in ("return", "refund"):
        return
    receipt = decisions.receipt_of(conn, desk.ledger.id, row.receipt_id)
    if receipt.state == "returned":
        raise Conflict(
            f"the bank gave R-{receipt.id} back, and that is booked",
            where=f"D-{row.id}",
            do="its items are open again; if the return was none, undo the return",
        )


def reverse(conn: Tx, desk: Desk, row: Any, planned: Sequence[outbox.Planned], why: str) -> Acted:
    """Plan the taking back of everything this decision wrote, last first."""
    must_write(desk)
    back: list[Intent] = []
    for one in reversed(planned):
        answers = answers_of(conn, desk.ledger.id, one.id)
        written = {a.call.number: a.ref for a in answers if a.ref is not None}
        back += intents.taking_back(one.bundle.intents, written)
    deleted = {intent.written for intent in back if isinstance(intent, Reverse) and not intent.settles}
    # What is deleted need not be taken apart first; what somebody deleted in the books cannot be.
    back = [i for i in back if not (isinstance(i, Reverse) and i.settles and i.written in deleted)]
    back = [i for i in dict.fromkeys(back) if not (isinstance(i, Reverse) and is_gone(conn, desk, i.written))]
    if not back:
        raise Conflict(f"D-{row.id} wrote nothing that could be reversed", do=f"see: arsync show D-{row.id}")
    must_be_changeable(conn, desk, back)
    decisions.set_state(conn, desk.ledger.id, row.id, "undoing")
    undoing = made(
        conn,
        desk,
        receipt_id=row.receipt_id,
        customer_id=row.customer_id,
        verdict="undo",
        why=why,
        currency=currency_of(planned[0]),
        state="planned",
        receipt_state=None,
        undoes_id=row.id,
    )
    (undo_id,) = keep_all(conn, desk, [undoing])
    send_off(conn, desk, undo_id, tuple(back))
    return Acted(undo_id, "planned", f"D-{undo_id} takes D-{row.id} back; the next run writes it")


def is_gone(conn: Tx, desk: Desk, ref: Ref) -> bool:
    """Whether somebody deleted or voided a document of ours in the books; False while no pull has shown it."""
    found = books.known_ids(conn, desk.ledger.connection_id, "item", [ref.id]).get(ref.id)
    row = books.item_row(conn, desk.ledger.id, found) if found is not None else None
    return row is not None and bool(row.gone)


def must_be_changeable(conn: Tx, desk: Desk, back: Sequence[Intent]) -> None:
    """Refuse to take back what stands on a bank deposit or in closed books; says what to do instead."""
    facts = books.books_of(conn, desk.ledger.id)
    for intent in back:
        ref = intent.written if isinstance(intent, Reverse) else getattr(intent, "payment", None)
        known = books.known_ids(conn, desk.ledger.connection_id, "item", [ref.id]) if ref is not None else {}
        row = (
            books.item_row(conn, desk.ledger.id, known[ref.id])
            if ref is not None and ref.id in known
            else None
        )
        if ref is None or row is None:
            continue
        if books.is_deposited(conn, desk.ledger.id, row.id):
            raise Conflict(
                f"{ref.id} is on a bank deposit, so that the platform does not let it change",
                where=f"I-{row.id}",
                do=_off_the_deposit(conn, desk, row.id),
            )
        if facts and facts.closed_until and row.issued <= facts.closed_until:
            raise Conflict(
                f"{ref.id} is dated {row.issued}, and the books are closed through {facts.closed_until}",
                where=f"I-{row.id}",
                do="open the period in the books, or put it right with an entry of today: arsync credit, arsync refund",
            )


def _off_the_deposit(conn: Tx, desk: Desk, payment_id: int) -> str:
    for receipt in decisions.receipts_of_payments(conn, desk.ledger.id, [payment_id]):
        ours = deposits.deposit_of(conn, desk.ledger.id, receipt.bank_line_id)
        if ours is not None:
            return f"undo the deposit first: arsync undo D-{ours.id} --why TEXT, then arsync reconcile"
    return "take it off the deposit in the books first, then: arsync reconcile"


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
    if state == "failed":
        quality.void(conn, desk.ledger.id, row.id, desk.at())
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


def needs_second(conn: Tx, desk: Desk, wish: Wish, currency: str, policy: PolicyVersion) -> bool:
    """Whether more is given up than this person may alone; a discount granted by hand counts as a write-off does.

    Who may approve is asked for a second person beyond the month's limit too; anybody else is refused there.

    Raises:
        NotPermitted: it is beyond the month's limit of one person.
    """
    by_hand = wish.klass == EvidenceClass.NONE.value
    given_up = [line for line in wish.lines if line.kind in intents.ADJUSTMENTS]
    single = sum(line.minor for line in given_up if by_hand or line.kind == "write_off")
    if single > policy.policy.write_off_minor.get(currency, 0):
        return True
    most = policy.policy.write_off_a_month_minor.get(currency)
    minor = sum(line.minor for line in given_up if by_hand or line.kind != "discount")
    if most is None or not minor:
        return False
    office.lock_person(conn, desk.person.id)
    month = desk.today().replace(day=1)
    used = decisions.given_up_alone(conn, desk.ledger.id, desk.person.name, currency, month)
    if used + minor <= most:
        return False
    if desk.person.role in MAY["approve"]:
        return True
    others = ", ".join(p.name for p in office.people(conn) if p.role in MAY["approve"])
    raise NotPermitted(
        f"{desk.person.name} has given up {Money(used, currency)} alone in {month:%Y-%m}, of "
        f"{Money(most, currency)}: {Money(minor, currency)} more is over the limit",
        where=f"[write_off_a_month], policy version {policy.version}",
        do=f"let one of them do it: {others or 'nobody yet'}; or they raise the limit: arsync policy apply FILE",
    )


_LINE_KINDS = {kind: line for line, kind in intents.ADJUSTMENTS.items()}


def lines_from(parts: Sequence[Part], rest_minor: int) -> tuple[Line, ...]:
    """A person's parts as lines; what is left of the receipt goes on account."""
    lines = []
    for part in parts:
        given = [("discount", part.discount_minor), ("write_off", part.write_off_minor)]
        given += [(_LINE_KINDS[kind], minor) for kind, minor in part.given_up]
        if any(minor < 0 for _, minor in given):
            # Below zero it would raise what somebody owes.
            raise UsageError(
                f"what is given up on I-{part.item_id} is below zero",
                do="write discount and write-off as positive amounts",
            )
        lines += [
            Line(part.item_id, kind, minor) for kind, minor in (("cash", part.cash_minor), *given) if minor
        ]
    if rest_minor:
        lines.append(Line(None, "on_account", rest_minor))
    return tuple(lines)


def exchange_of(conn: Tx, desk: Desk, parts: Sequence[Part], receipt: Any) -> Money | None:
    """What a receipt settles in the other currency of its items; None where they have its own, or the books cannot."""
    rows = queries.items(conn, desk.ledger.id, sorted({part.item_id for part in parts}))
    currencies = {row.currency for row in rows.values()}
    if len(currencies) != 1 or currencies == {receipt.currency} or not fitting.exchanges(conn, desk.ledger):
        return None
    settled = Money(sum(part.cash_minor for part in parts), currencies.pop())
    if settled.minor <= 0:
        raise UsageError(
            f"{Money(receipt.amount_minor, receipt.currency)} cannot settle {settled}",
            where=f"R-{receipt.id}",
            do=f"say what it pays of each item, in {settled.currency}: --item NUMBER=AMOUNT",
        )
    return settled


def must_be_exchangeable(conn: Tx, desk: Desk, queue_id: int, chosen: Explanation) -> None:
    """Refuse a suggestion in another currency than the receipt's that the books do not take, or not all of it."""
    if chosen.currency is None:
        return
    if not fitting.exchanges(conn, desk.ledger):
        raise UsageError(
            f"the books take no money in another currency for items in {chosen.currency}",
            where=f"Q-{queue_id}",
            do="book the exchange in the books, and link the payment",
        )
    if chosen.on_account_minor:
        rest = Money(chosen.on_account_minor, chosen.currency)
        raise UsageError(
            f"a rest of {rest} cannot stay on account: all of the receipt settles items in {chosen.currency}",
            where=f"Q-{queue_id}",
            do="say what it pays: arsync queue apply, with --item NUMBER=AMOUNT",
        )


def owner_of(conn: Tx, desk: Desk, parts: Sequence[Part]) -> int:
    """The one customer the items belong to, or the common parent."""
    from arsync.core.matching.payers import payer_of

    owners = {
        row.customer_id for row in (books.item_row(conn, desk.ledger.id, p.item_id) for p in parts) if row
    }
    payer = payer_of(owners, lambda owner: books.parent_of(conn, desk.ledger.id, owner))
    if payer is not None:
        return payer
    raise UsageError(
        "the items belong to several customers", do="one receipt pays one customer: split it at the bank line"
    )


def teach(conn: Tx, desk: Desk, row: Any, customer_id: int | None, lines: Sequence[Line]) -> None:
    """A confirmed payer becomes a dated suggestion; asked before the decision is kept, for how the customer paid."""
    from arsync.core.matching.learn import learn

    policy = office.policy_in_force(conn, desk.ledger.id).policy
    if customer_id is None or not policy.learns:
        return
    receipt = receipt_of(conn, desk, row)
    before = learned.knowledge(conn, desk.ledger.id, desk.today())
    name, account, days = receipt.payer_name, receipt.payer_account, policy.match.alias_days
    after = learn(before, name, account, customer_id, desk.today(), days)
    learned.keep(conn, desk.ledger.id, before, after, desk.person.name)
    habit = _habit(conn, desk, customer_id, receipt, lines)
    if habit is not None:
        until = desk.today() + timedelta(days=days)
        learned.keep_habit(conn, desk.ledger.id, habit, desk.today(), until, desk.person.name)


def _habit(conn: Tx, desk: Desk, customer_id: int, receipt: Any, lines: Sequence[Line]) -> "Habit | None":
    """How the customer pays, if the lines settle whole items of its own; None if they say nothing of it."""
    from arsync.core.matching.habits import observed

    settled: Counter[int] = Counter()
    for line in lines:
        if line.item_id is None:
            return None
        settled[line.item_id] += line.minor
    mine = work.open_of(conn, desk.ledger.id, customer_id)
    discounted = any(line.kind == "discount" and line.minor for line in lines)
    return observed(customer_id, mine, settled, work.receipt_row(receipt), discounted=discounted)


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
            do=f"book it as a return: arsync queue return {row.id}; or: arsync queue not-ours {row.id} --why TEXT",
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
    if office.policy_in_force(conn, desk.ledger.id).policy.closed_period != "queue":
        return
    if facts and facts.closed_until and receipt.on_date <= facts.closed_until:
        raise UsageError(
            f"the books are closed through {facts.closed_until}, the receipt is of {receipt.on_date}",
            where=f"R-{receipt.id}",
            do="open the period, or book it there by hand and link it: arsync queue link; or let the policy "
            'date it on the first open day: [closed_period] receipts = "first open date"',
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
