"""Square payouts with their entries: what one bank line is made of.

Units   whole minor units with their currency.
Law     an entry's gross less its fee is its net; the nets come to the payout.
Source  Square API, "Payouts" (`payout_entries`, gross_amount_money, fee_amount_money, net_amount_money).
"""

from collections.abc import Sequence
from typing import Any

from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import CodeFamily
from arsync.core.money import AmountUnreadable, Money

_FAMILIES: dict[str, CodeFamily] = {
    "CHARGE": "card",
    "REFUND": "refund",
    "DISPUTE": "chargeback",
    "FEE": "fee",
    "SQUARE_FEE": "fee",
    "SQUARE_SUBSCRIPTION": "fee",
    "TAX_ON_FEE": "fee",
    "RETURNED_PAYOUT": "return",
}


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    drafts: dict[str, Draft] = {}
    for one in feed.objects(values):
        payout = one.get("payout")
        for position, record in enumerate(feed.records(one.get("payout_entries")), 1):
            name = feed.text_at(record, "payout_id") or feed.text_at(payout, "id")
            draft = drafts.get(name) or drafts.setdefault(name, _draft(name, payout, profile))
            _take(draft, f"payout_entries[{position}]", record)
    for draft in drafts.values():
        draft.days_of_lines()
    return list(drafts.values()) or None


def _money(record: object, name: str) -> Money:
    found = feed.at(record, name)
    currency = feed.text_at(found, "currency") or feed.text_at(found, "currency_code")
    return feed.minor(feed.text_at(found, "amount"), currency)


def _draft(name: str, payout: object, profile: Profile) -> Draft:
    draft = Draft(feed.account("square", profile.account or "square", profile), None, "detail")
    draft.statement_id = name or None
    draft.reference = feed.text_at(payout, "end_to_end_id") or draft.statement_id
    if isinstance(payout, dict):
        try:
            draft.total = _money(payout, "amount_money")
        except AmountUnreadable as error:
            draft.problem("balance-unreadable", "payout", "amount_money", error.raw, str(error))
    return draft


def _take(draft: Draft, locator: str, record: feed.Record) -> None:
    kind, at = feed.text_at(record, "type"), feed.text_at(record, "effective_at")
    try:
        gross = _money(record, "gross_amount_money")
        fee = (
            _money(record, "fee_amount_money") if record.get("fee_amount_money") else Money(0, gross.currency)
        )
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, draft.currency or "")
        return
    draft.currency = draft.currency or gross.currency
    family = _FAMILIES.get(kind, "other")
    details = record.get(f"type_{kind.lower()}_details")
    payment = feed.text_at(details, "payment_id") or feed.text_at(details, "refund_id")
    said = feed.Line(
        amount=gross,
        booked=feed.day(at),
        booked_as_given=at,
        provider_id=feed.text_at(record, "id"),
        trust="A",
        pieces=(payment,),
        bank_reference=payment,
        family=family,
        codes={"type": kind},
        original_reference=payment if family in {"refund", "chargeback"} else "",
        is_return=family in {"chargeback", "return"},
    )
    feed.add(draft, locator, record, said)
    if fee:
        charged = feed.Line(
            amount=-abs(fee) if gross.minor >= 0 else abs(fee),
            booked=said.booked,
            booked_as_given=at,
            provider_id=f"{said.provider_id}/fee",
            trust="A",
            pieces=(f"fee of {payment or said.provider_id}",),
            family="fee",
        )
        feed.add(draft, f"{locator}/fee", record, charged)
