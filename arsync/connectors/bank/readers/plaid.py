"""Plaid transactions: a list, `/transactions/get` or `/transactions/sync`.

Units   amounts are decimal numbers with the sign turned round: positive is money OUT of the account.
Law     pending transactions are left out; what Plaid modified corrects what it said before, and what it
        removed is named.
Source  Plaid API documentation, "Transactions" (amount, pending_transaction_id, added, modified, removed).
"""

from collections.abc import Sequence
from typing import Any

from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import Correction
from arsync.core.money import AmountUnreadable

_LISTS = ("transactions", "added", "modified")


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    found: list[tuple[str, feed.Record, bool]] = []
    removed: list[str] = []
    known = False
    for one in feed.objects(values):
        if _is_transaction(one):
            found.append((f"[{len(found) + 1}]", one, False))
            continue
        known = known or isinstance(one.get("added"), list)
        for name in _LISTS:
            for record in filter(_is_transaction, feed.records(one.get(name))):
                found.append((f"{name}[{len(found) + 1}]", record, name == "modified"))
        removed += [
            gone
            for each in feed.records(one.get("removed"))
            if (gone := feed.text_at(each, "transaction_id"))
        ]
    if not found and not removed and not known:
        return None
    drafts: dict[str, Draft] = {}
    for locator, record, modified in found:
        _take(drafts, locator, record, profile, modified=modified)
    if not drafts:
        drafts[""] = Draft(feed.account("plaid", "", profile), profile.currency)
    for draft in drafts.values():
        draft.days_of_lines()
        draft.removed = tuple(removed)
    return list(drafts.values())


def _is_transaction(one: feed.Record) -> bool:
    return "transaction_id" in one and "account_id" in one and "amount" in one


def _take(
    drafts: dict[str, Draft], locator: str, record: feed.Record, profile: Profile, *, modified: bool
) -> None:
    currency = (
        feed.text_at(record, "iso_currency_code")
        or feed.text_at(record, "unofficial_currency_code")
        or profile.currency
        or ""
    )
    named = feed.account("plaid", profile.account or feed.text_at(record, "account_id"), profile)
    draft = drafts.setdefault(f"{named.key}/{currency}", Draft(named, currency.upper() or None))
    if record.get("pending") is True:
        draft.warnings.append("pending-not-read")
        return
    try:
        amount = -feed.money(feed.text_at(record, "amount"), currency)
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, currency)
        return
    provider_id, booked = feed.text_at(record, "transaction_id"), feed.text_at(record, "date")
    names = [feed.text_at(record, name) for name in ("original_description", "name")]
    said = feed.Line(
        amount=amount,
        booked=feed.day(booked),
        booked_as_given=booked,
        provider_id=provider_id,
        trust="A",
        payer_name=feed.text_at(record, "payment_meta", "payer") or feed.text_at(record, "merchant_name"),
        pieces=(*dict.fromkeys(filter(None, names)), feed.text_at(record, "payment_meta", "reason")),
        bank_reference=feed.text_at(record, "payment_meta", "reference_number"),
        cheque_number=feed.text_at(record, "check_number"),
        codes={
            name: value
            for name in ("transaction_code", "payment_channel", "pending_transaction_id")
            if (value := feed.text_at(record, name))
        },
        corrects=Correction(provider_id, "REPLACE") if modified else None,
    )
    feed.add(draft, locator, record, said)
