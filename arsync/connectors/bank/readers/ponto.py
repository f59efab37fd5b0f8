"""Ponto transactions (Isabel Ponto Connect), as JSON:API objects.

Units   amounts are signed decimal numbers with their currency.
Source  Ponto Connect API documentation, "Transactions".
"""

from collections.abc import Sequence
from typing import Any

from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.money import AmountUnreadable


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    found: list[feed.Record] = []
    for one in feed.objects(values):
        found += [each for each in [one, *feed.records(one.get("data"))] if _is_transaction(each)]
    if not found:
        return None
    drafts: dict[str, Draft] = {}
    for position, record in enumerate(found, 1):
        said = record["attributes"]
        currency = feed.text_at(said, "currency") or profile.currency or ""
        named = profile.account or feed.text_at(record, "relationships", "account", "data", "id")
        account = feed.account("ponto", named, profile)
        draft = drafts.setdefault(f"{account.key}/{currency}", Draft(account, currency.upper() or None))
        _take(draft, f"[{position}]", record, currency, profile)
    for draft in drafts.values():
        draft.days_of_lines()
    return list(drafts.values())


def _is_transaction(one: feed.Record) -> bool:
    return feed.text_at(one, "type") == "transaction" and feed.at(one, "attributes", "amount") is not None


def _take(draft: Draft, locator: str, record: feed.Record, currency: str, profile: Profile) -> None:
    said = record["attributes"]
    try:
        amount = feed.money(feed.text_at(said, "amount"), currency)
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, currency)
        return
    text = feed.text_at(said, "remittanceInformation")
    structured = feed.text_at(said, "remittanceInformationType") == "structured"
    booked, valued = feed.text_at(said, "executionDate"), feed.text_at(said, "valueDate")
    line = feed.Line(
        amount=amount,
        booked=feed.day(booked or valued),
        booked_as_given=booked or valued,
        valued=feed.day(valued),
        provider_id=feed.text_at(record, "id"),
        trust=profile.id_trust,
        payer_name=feed.text_at(said, "counterpartName"),
        payer_account=feed.text_at(said, "counterpartReference"),
        end_to_end_id=feed.text_at(said, "endToEndId"),
        creditor_reference=text if structured else "",
        pieces=(text,),
        codes={"description": description} if (description := feed.text_at(said, "description")) else None,
    )
    feed.add(draft, locator, record, line)
