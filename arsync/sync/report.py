"""Report: gather what the store knows for the reports. Read-only."""

from datetime import date, datetime
from typing import Any

from arsync.clock import stamp
from arsync.core.dates import Buckets
from arsync.core.finality import EVER_BACK
from arsync.core.forecast.cash import forecast
from arsync.core.forecast.delays import Habits, OpenRow, PaidItem
from arsync.core.items import ItemKind
from arsync.core.matching.learn import named
from arsync.errors import UsageError
from arsync.reports.aging import AgedRow, Aging, Basis, aging
from arsync.reports.forecast import ForecastReport
from arsync.reports.learned import Learned, Pays, Taught, learned
from arsync.reports.not_final import NotFinal, ReceivedRow, not_final
from arsync.reports.quality import Measured, OfClass
from arsync.reports.restated import Cause, Restated, restated
from arsync.reports.short_payers import PaidRow, ShortPayers, short_payers
from arsync.reports.stamp import Stamp
from arsync.reports.unapplied import ReceiptRow, Unapplied, UnappliedPayment, unapplied
from arsync.store import books, office, proofs, quality, queries, short_pays
from arsync.store import learned as taught
from arsync.store.engine import Store, Tx
from arsync.store.office import Ledger
from arsync.sync import promises
from arsync.sync.job import ENGINE

_UNDECIDED = {
    "undecided": "not looked at yet",
    "waiting": "waiting for an advice",
    "queued": "in the queue",
    "planned": "decided, not yet verified in the books",
    "parked": "booked to the account for unidentified receipts",
}


def aging_report(
    store: Store,
    ledger: Ledger,
    as_of: date,
    *,
    now: datetime,
    known_on: date | None = None,
    basis: Basis = "due",
    buckets: Buckets | None = None,
) -> Aging:
    """Who owes what, by age, as of any day, as known now or at the end of `known_on`."""
    known = now if known_on is None else ledger.end_of(known_on)
    with store.read() as conn:
        rows = _open_rows(conn, ledger, as_of, known)
        complete = _completeness(conn, ledger, current=as_of >= ledger.day_of(now) and known_on is None)
    return aging(
        rows,
        as_of,
        basis,
        buckets,
        known_at=known if known_on else None,
        completeness=complete,
        ledger=ledger.name,
    )


def _open_rows(conn: Tx, ledger: Ledger, as_of: date, known: datetime) -> list[AgedRow]:
    return [
        AgedRow(
            r.customer_id,
            r.customer,
            r.item_id,
            r.number,
            ItemKind(r.kind),
            r.issued,
            r.due,
            r.currency,
            int(r.open_minor),
        )
        for r in queries.open_as_of(conn, ledger.id, as_of, stamp(known))
    ]


def restated_report(
    store: Store, ledger: Ledger, as_of: date, *, now: datetime, known_on: date | None = None
) -> Restated:
    """What has moved the aging of a past day since it was known at the end of `known_on` (else of that day)."""
    then = ledger.end_of(known_on or as_of)
    with store.read() as conn:
        loaded_at = office.connection_row(conn, ledger.connection_id).loaded_at
        if loaded_at is None or loaded_at > stamp(then):
            first = ledger.day_of(datetime.fromisoformat(loaded_at)) if loaded_at else "not yet"
            raise UsageError(
                f"nothing was known here at the end of {known_on or as_of}: the books were first read {first}",
                do="choose a later day with --known",
            )
        before, after = _open_rows(conn, ledger, as_of, then), _open_rows(conn, ledger, as_of, now)
        later = queries.applied_later(conn, ledger.id, as_of, stamp(then))
        refs = books.platform_refs(conn, ledger.id, "item", {row.item_id for row in (*before, *after)})
        complete = _completeness(conn, ledger, current=False)
    causes = [
        Cause(
            r.item_id,
            _document(r.external_id),
            r.on_date,
            ledger.day_of(datetime.fromisoformat(r.known_at)),
            r.amount_minor,
        )
        for r in later
    ]
    names = {item_id: _document(external_id) for item_id, external_id in refs.items()}
    return restated(before, after, causes, names, Stamp(as_of, "effective", then, complete, ledger.name))


def _document(external_id: str) -> str:
    """A platform id for people: `Invoice:157` is Invoice 157."""
    return " ".join(external_id.split(":")[:2])


def unapplied_report(store: Store, ledger: Ledger, now: datetime) -> Unapplied:
    """Cash that settles nothing yet, and where all received money went."""
    with store.read() as conn:
        receipts = [_receipt(r) for r in queries.receipts(conn, ledger.id) if r.superseded_by is None]
        payments = [_unapplied(r) for r in queries.unapplied_payments(conn, ledger.id)]
        complete = _completeness(conn, ledger, current=True)
    return unapplied(receipts, payments, ledger.day_of(now), completeness=complete, ledger=ledger.name)


def forecast_report(store: Store, ledger: Ledger, now: datetime, weeks: int) -> ForecastReport:
    """Cash by week from each customer's own delays."""
    today = ledger.day_of(now)
    with store.read() as conn:
        paid = [
            PaidItem(r.customer_id, r.issued, r.due, r.paid_on, r.currency, r.original_minor)
            for r in queries.settled_items(conn, ledger.id)
        ]
        named = _named_days(conn, ledger, today)
        rows = [
            OpenRow(
                r.customer_id, r.item_id, r.issued, r.due, r.currency, int(r.open_minor), 0, *named.get(r.item_id, ())
            )
            for r in queries.open_as_of(conn, ledger.id, today, stamp(now))
        ]  # fmt: skip
        complete = _completeness(conn, ledger, current=True)
        learns = office.policy_in_force(conn, ledger.id).policy.learns
    head = Stamp(today, "due", None, complete, ledger.name)
    habits = Habits.learn(paid, rows, today) if learns else Habits.learn((), (), today)
    return ForecastReport(head, forecast(rows, habits, today, weeks))


def _named_days(conn: Tx, ledger: Ledger, today: date) -> dict[int, tuple[date, int]]:
    """For which day the money of items was promised, and how much; else for which day the books expect all of it."""
    found = {row.id: (row.expected, row.open_minor) for row in queries.expected_items(conn, ledger.id)}
    for item_id, one in promises.latest(promises.standing(conn, ledger, today)).items():
        if one.state.runs:
            found[item_id] = (one.row.by_date, one.row.amount_minor)
    return found


def quality_report(store: Store, ledger: Ledger) -> Measured:
    """How often what was applied without a person was wrong, by class of evidence."""
    with store.read() as conn:
        policy = office.policy_in_force(conn, ledger.id).policy
        known = quality.counts(conn, ledger.id, ENGINE)
        held = quality.held(conn, ledger.id)
    classes = tuple(
        OfClass(
            klass, of.applied, of.checked, of.wrong, of.undone, of.moved, of.since,
            held=held[klass].why if klass in held else None,
        )
        for klass, of in sorted(known.items())
    )  # fmt: skip
    return Measured(
        ledger.name,
        policy.sample_one_in,
        policy.most_wrong_in_10_000,
        sum(of.asked for of in known.values()),
        sum(of.unclear for of in known.values()),
        classes,
    )


def learned_report(store: Store, ledger: Ledger, today: date) -> list[Learned]:
    """What clerks' decisions taught, newest first, what has ended too."""
    with store.read() as conn:
        policy = office.policy_in_force(conn, ledger.id).policy
        rows = [
            Taught(
                row.id, row.key, named(row.key), row.customer or "", row.confirmations, row.since, row.until,
                tuple(taught.teachers(row)),
            )
            for row in taught.listing(conn, ledger.id)
        ]  # fmt: skip
    return learned(rows, policy.match.alias_confirmations, today, used=policy.learns)


def habits_report(store: Store, ledger: Ledger, today: date) -> list[Pays]:
    """How customers usually pay, by what is remembered today."""
    from arsync.core.matching.habits import told

    with store.read() as conn:
        known = taught.habit_teachers(conn, ledger.id, today)
        found = taught.habits(conn, ledger.id, today)
    rows = [(known[one.customer_id], one) for one in found]
    return [
        Pays(one.customer_id, name, one.payments, told(one), first, last, tuple(people))
        for (name, first, last, people), one in sorted(rows, key=lambda row: (row[0][0], row[1].customer_id))
    ]


def short_payers_report(
    store: Store, ledger: Ledger, now: datetime, since: date | None = None, least: int = 2
) -> ShortPayers:
    """Who keeps paying less, from a day on; else in this calendar year."""
    today = ledger.day_of(now)
    first = since or today.replace(month=1, day=1)
    with store.read() as conn:
        rows = [
            PaidRow(r.customer_id, r.customer, r.currency, r.left_minor, r.deducted_minor, r.given_up_minor)
            for r in short_pays.paid(conn, ledger.id, first)
        ]
        complete = _completeness(conn, ledger, current=True)
    head = Stamp(today, "receipt", None, f"receipts since {first}; {complete}", ledger.name)
    return short_payers(rows, least, head)


def not_final_report(store: Store, ledger: Ledger, now: datetime) -> NotFinal:
    """Which received money may still go back, over all customers."""
    with store.read() as conn:
        rows = [
            ReceivedRow(
                r.customer_id,
                r.customer or "",
                r.currency,
                r.method,
                r.on_date,
                r.receipts,
                int(r.amount_minor),
            )
            for r in queries.received_by_day(conn, ledger.id, EVER_BACK)
        ]
        complete = _completeness(conn, ledger, current=True)
    return not_final(rows, Stamp(ledger.day_of(now), "receipt", None, complete, ledger.name))


def _unapplied(row: Any) -> UnappliedPayment:
    is_payment = row.kind == ItemKind.PAYMENT.value
    number = row.number if is_payment else row.number or _document(row.external_id)
    what = "payment" if is_payment else "deposit"
    return UnappliedPayment(
        row.id, row.on_date, number, row.customer or "", row.currency, -row.open_minor, what
    )


def _receipt(row: Any) -> ReceiptRow:
    state, amount = row.state, row.amount_minor
    base = (row.id, row.on_date, row.payer_name, row.customer, row.currency, amount)
    if state == "applied":
        kept = int(row.on_account_minor or 0)
        return ReceiptRow(*base, applied_minor=amount - kept, on_account_minor=kept)
    if state == "on_account":
        return ReceiptRow(*base, on_account_minor=amount)
    if state == "linked":
        left = max(0, min(amount, -(row.payment_open_minor or 0)))
        return ReceiptRow(*base, applied_minor=amount - left, on_account_minor=left)
    if state == "not_ours":
        return ReceiptRow(*base, not_receivables_minor=amount)
    if state == "returned":
        return ReceiptRow(*base, returned_minor=amount)
    return ReceiptRow(*base, undecided_minor=amount, why=_UNDECIDED[state])


def _completeness(conn: Tx, ledger: Ledger, *, current: bool) -> str:
    """Whether the figures were compared with the platform's."""
    at = office.connection_row(conn, ledger.connection_id).totals_at
    if at is None:
        return "unproven: never compared with the platform's totals"
    open_ones = [d for d in proofs.standing(conn, ledger.id).values() if d.unexplained_minor]
    signed = [d for d in proofs.standing(conn, ledger.id).values() if d.baseline_minor]
    if open_ones:
        return f"unproven: {len(open_ones)} difference(s) to the platform's totals of {at[:16].replace('T', ' ')} UTC"
    note = f", with {len(signed)} signed opening difference(s)" if signed else ""
    if not current:
        return f"a past day: not comparable; today's books were proven {at[:16].replace('T', ' ')} UTC{note}"
    return f"proven against the platform's totals of {at[:16].replace('T', ' ')} UTC{note}"
