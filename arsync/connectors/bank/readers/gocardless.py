"""GoCardless payouts with their items: what one bank line is made of.

Units   items are minor units with one decimal ("45.0"); fees may hold tenths, and only their sum is whole.
Law     payments, refunds, failures, fees and taxes of a payout come to it.
Source  GoCardless API, "Payouts" and "Payout items" (types, amount, links).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from arsync.connectors.bank import texts
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import CodeFamily
from arsync.core.money import AmountUnreadable, Money

_FAMILIES: dict[str, CodeFamily] = {
    "payment_paid_out": "direct_debit_in",
    "payment_failed": "return",
    "payment_charged_back": "chargeback",
    "payment_refunded": "refund",
    "refund": "refund",
    "refund_funds_returned": "refund",
    "gocardless_fee": "fee",
    "app_fee": "fee",
    "revenue_share": "fee",
    "surcharge_fee": "fee",
}
_NUMBER = frozenset("0123456789.-")


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    found = [one for one in feed.objects(values) if isinstance(one.get("payout_items"), list)]
    return [_payout(one, profile) for one in found] or None


def _payout(one: feed.Record, profile: Profile) -> Draft:
    payouts = one.get("payouts")
    payout: object = next(iter(feed.records(payouts)), None) if isinstance(payouts, list) else payouts
    currency = (feed.text_at(payout, "currency") or profile.currency or "").upper()
    draft = Draft(
        feed.account("gocardless", profile.account or "gocardless", profile), currency or None, "detail"
    )
    draft.statement_id = feed.text_at(payout, "id") or None
    draft.reference = feed.text_at(payout, "reference") or draft.statement_id
    day = feed.day(feed.text_at(payout, "arrival_date"))
    draft.from_date = draft.to_date = day
    given = feed.text_at(payout, "amount")
    if given:
        try:
            draft.total = feed.minor(given, currency)
        except AmountUnreadable as error:
            draft.problem("balance-unreadable", "payouts", "amount", given, str(error))
    fees = Decimal(0)
    for position, record in enumerate(feed.records(one.get("payout_items")), 1):
        fees += _take(
            draft, f"payout_items[{position}]", record, (currency, feed.text_at(payout, "arrival_date"))
        )
    if fees:
        _fees(draft, fees, (currency, feed.text_at(payout, "arrival_date")))
    return draft


def _tenths(raw: str) -> Decimal:
    if not raw or len(raw) > texts.LONGEST_COUNT or set(raw) - _NUMBER:
        raise AmountUnreadable(raw, "not a number of minor units")
    try:
        return Decimal(raw)
    except ArithmeticError:
        raise AmountUnreadable(raw, "not a number of minor units") from None


def _whole(value: Decimal, currency: str) -> Money:
    if value != value.to_integral_value():
        raise AmountUnreadable(str(value), "not a whole number of minor units")
    return feed.minor(str(int(value)), currency)


def _take(draft: Draft, locator: str, record: feed.Record, payout: tuple[str, str]) -> Decimal:
    """Add an item; give back what is a fee, which only the sum makes whole."""
    currency, arrives = payout
    kind = feed.text_at(record, "type")
    family = _FAMILIES.get(kind, "other")
    try:
        value = _tenths(feed.text_at(record, "amount"))
        if family == "fee":
            return value
        amount = _whole(value, currency)
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, currency)
        return Decimal(0)
    payment = feed.text_at(record, "links", "payment") or feed.text_at(record, "links", "refund")
    said = feed.Line(
        amount=amount,
        booked=feed.day(arrives),
        booked_as_given=arrives,
        provider_id=f"{payment}/{kind}" if payment else "",
        trust="A",
        pieces=(payment, feed.text_at(record, "reference"), feed.text_at(record, "description")),
        bank_reference=payment,
        family=family,
        codes={"type": kind},
        original_reference=payment if family in {"return", "chargeback", "refund"} else "",
        is_return=family in {"return", "chargeback"},
    )
    feed.add(draft, locator, record, said)
    return Decimal(0)


def _fees(draft: Draft, fees: Decimal, payout: tuple[str, str]) -> None:
    currency, arrives = payout
    record = {"type": "fees", "amount": str(fees)}
    try:
        amount = _whole(fees, currency)
    except AmountUnreadable as error:
        feed.unreadable(draft, "payout_items/fees", record, error, currency)
        return
    said = feed.Line(
        amount=amount,
        booked=feed.day(arrives),
        booked_as_given=arrives,
        provider_id=f"{draft.statement_id or ''}/fees",
        pieces=("fees of the payout",),
        family="fee",
    )
    feed.add(draft, "payout_items/fees", record, said)
