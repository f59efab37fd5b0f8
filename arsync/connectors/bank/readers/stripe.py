"""Stripe balance transactions of a payout: what one bank line is made of.

Units   whole minor units; Stripe counts ISK and UGX in hundredths.
Law     charges, refunds, disputes and fees of a payout come to it; what does not is the remainder. A payout may
        be negative. Lists without a payout (manual payouts) name no total.
Source  Stripe API, "List all balance transactions" filtered by `payout`; "Supported currencies".
"""

from collections.abc import Sequence
from typing import Any

from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import CodeFamily
from arsync.core.money import AmountUnreadable, Money

_HUNDREDTHS = frozenset({"ISK", "UGX"})
_FAMILIES: dict[str, CodeFamily] = {
    "charge": "card",
    "payment": "card",
    "refund": "refund",
    "payment_refund": "refund",
    "partial_capture_reversal": "refund",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback",
    "fee": "fee",
    "stripe_fee": "fee",
    "application_fee": "fee",
    "network_cost": "fee",
    "refund_failure": "return",
    "payment_failure_refund": "return",
}
_PAYOUTS = frozenset({"payout", "payout_cancel", "payout_failure"})


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    drafts = []
    for one in feed.objects(values):
        found = [record for record in feed.records(one.get("data")) if _is_balance_transaction(record)]
        if found:
            drafts += _payout(found, profile, whole=one.get("has_more") is not True)
    return drafts or None


def _is_balance_transaction(record: feed.Record) -> bool:
    return feed.text_at(record, "object") == "balance_transaction"


def _amount(record: feed.Record, name: str) -> Money:
    currency = feed.text_at(record, "currency").upper()
    money = feed.minor(feed.text_at(record, name) or "0", currency)
    if currency not in _HUNDREDTHS:
        return money
    if money.minor % 100:
        raise AmountUnreadable(feed.text_at(record, name), f"{currency} has no hundredths")
    return Money(money.minor // 100, currency)


def _payout(found: list[feed.Record], profile: Profile, *, whole: bool) -> list[Draft]:
    """One draft for each currency of a list."""
    drafts: dict[str, Draft] = {}
    for position, record in enumerate(found, 1):
        currency = feed.text_at(record, "currency").upper()
        draft = drafts.get(currency)
        if draft is None:
            draft = drafts[currency] = Draft(
                feed.account("stripe", profile.account or "stripe", profile), currency, "detail"
            )
            draft.warnings += [] if whole else ["more-pages-follow"]
        _take(draft, f"data[{position}]", record)
    for draft in drafts.values():
        draft.days_of_lines()
    return list(drafts.values())


def _take(draft: Draft, locator: str, record: feed.Record) -> None:
    kind = feed.text_at(record, "type")
    try:
        amount, fee = _amount(record, "amount"), _amount(record, "fee")
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, feed.text_at(record, "currency"))
        return
    if kind in _PAYOUTS:
        source = record.get("source")
        draft.total = (draft.total or Money(0, amount.currency)) - amount
        draft.reference = source if isinstance(source, str) else feed.text_at(source, "id")
        draft.statement_id = draft.reference
        return
    created = feed.text_at(record, "created")
    source = record.get("source")
    family = _FAMILIES.get(feed.text_at(record, "reporting_category")) or _FAMILIES.get(kind, "other")
    provider_id = feed.text_at(record, "id")
    said = feed.Line(
        amount=amount,
        booked=feed.epoch_day(created),
        booked_as_given=created,
        valued=feed.epoch_day(feed.text_at(record, "available_on")),
        provider_id=provider_id,
        trust="A",
        payer_name=feed.text_at(source, "billing_details", "name"),
        payer_account=feed.text_at(source, "billing_details", "email"),
        pieces=(feed.text_at(record, "description"), *_metadata(source)),
        bank_reference=source if isinstance(source, str) else feed.text_at(source, "id"),
        family=family,
        codes={"type": kind},
        original_reference=feed.text_at(source, "charge")
        if family in {"refund", "chargeback", "return"}
        else "",
        is_return=family in {"chargeback", "return"},
    )
    feed.add(draft, locator, record, said)
    if fee:
        charged = feed.Line(
            amount=-fee,
            booked=said.booked,
            booked_as_given=created,
            provider_id=f"{provider_id}/fee",
            trust="A",
            pieces=(f"fee of {provider_id}",),
            family="fee",
        )
        feed.add(draft, f"{locator}/fee", record, charged)


def _metadata(source: object) -> list[str]:
    found = feed.at(source, "metadata")
    values = found.values() if isinstance(found, dict) else ()
    return [*(value for value in values if isinstance(value, str)), feed.text_at(source, "invoice")]
