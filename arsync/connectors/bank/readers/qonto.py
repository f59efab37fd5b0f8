"""Qonto transactions.

Units   `amount_cents` are whole minor units without a sign; `side` gives it.
Source  Qonto API documentation, "List transactions".
"""

from collections.abc import Sequence
from typing import Any

from arsync.connectors.bank.amounts import SignUnreadable
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.money import AmountUnreadable, Money


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    found = [
        record
        for one in feed.objects(values)
        for record in feed.records(one.get("transactions"))
        if "amount_cents" in record and "side" in record
    ]
    if not found:
        return None
    drafts: dict[str, Draft] = {}
    for position, record in enumerate(found, 1):
        currency = feed.text_at(record, "currency") or profile.currency or ""
        account = feed.account("qonto", profile.account or feed.text_at(record, "bank_account_id"), profile)
        draft = drafts.setdefault(f"{account.key}/{currency}", Draft(account, currency.upper() or None))
        if feed.text_at(record, "status") not in {"", "completed"}:
            draft.warnings.append("pending-not-read")
            continue
        _take(draft, f"transactions[{position}]", record, currency, profile)
    for draft in drafts.values():
        draft.days_of_lines()
    return list(drafts.values())


def _signed(record: feed.Record, currency: str) -> Money:
    amount, side = feed.minor(feed.text_at(record, "amount_cents"), currency), feed.text_at(record, "side")
    if side not in {"credit", "debit"} or amount.minor < 0:
        raise SignUnreadable(side, "side is neither credit nor debit")
    return amount if side == "credit" else -amount


def _take(draft: Draft, locator: str, record: feed.Record, currency: str, profile: Profile) -> None:
    try:
        amount = _signed(record, currency)
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, currency)
        return
    booked = feed.text_at(record, "settled_at")
    said = feed.Line(
        amount=amount,
        booked=feed.day(booked),
        booked_as_given=booked,
        provider_id=feed.text_at(record, "transaction_id") or feed.text_at(record, "id"),
        trust=profile.id_trust,
        payer_name=feed.text_at(record, "label"),
        pieces=(
            feed.text_at(record, "label"),
            feed.text_at(record, "reference"),
            feed.text_at(record, "note"),
        ),
        codes={"operation_type": kind} if (kind := feed.text_at(record, "operation_type")) else None,
    )
    feed.add(draft, locator, record, said)
