"""Account information of the Berlin Group standard, as banks and GoCardless Bank Account Data give it.

Units   amounts are signed decimal text with their currency.
Source  Berlin Group NextGenPSD2 XS2A Implementation Guidelines 1.3.12, "Transactions"; GoCardless Bank Account
        Data API, /accounts/{id}/transactions.
"""

from collections.abc import Sequence
from typing import Any

from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.money import AmountUnreadable


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    found = [(one, _booked(one)) for one in feed.objects(values)]
    found = [(one, booked) for one, booked in found if booked is not None]
    if not found:
        return None
    drafts: dict[str, Draft] = {}
    for one, booked in found:
        named = feed.text_at(one, "account", "iban") or feed.text_at(one, "account", "bban")
        account = feed.account("bank", named, profile)
        for position, record in enumerate(feed.records(booked), 1):
            currency = feed.text_at(record, "transactionAmount", "currency").upper()
            draft = drafts.setdefault(
                f"{account.key}/{currency}", Draft(account, currency or profile.currency)
            )
            _take(draft, f"booked[{position}]", record, profile)
        if not drafts:
            drafts[account.key] = Draft(account, profile.currency)
        if feed.at(one, "transactions", "pending") or one.get("pending"):
            next(iter(drafts.values())).warnings.append("pending-not-read")
    for draft in drafts.values():
        draft.days_of_lines()
    return list(drafts.values())


def _booked(one: feed.Record) -> Any:  # noqa: ANN401 - JSON has any shape
    inside = one.get("transactions")
    booked = feed.at(inside, "booked") if inside is not None else one.get("booked")
    if isinstance(booked, list):
        return booked
    return [] if feed.at(inside, "pending") is not None else None


def _take(draft: Draft, locator: str, record: feed.Record, profile: Profile) -> None:
    raw, currency = (feed.text_at(record, "transactionAmount", name) for name in ("amount", "currency"))
    currency = currency or profile.currency or ""
    try:
        amount = feed.money(raw, currency)
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, currency)
        return
    side = "debtor" if amount.minor >= 0 else "creditor"
    other = record.get("remittanceInformationUnstructuredArray")
    several = [piece for piece in other if isinstance(piece, str)] if isinstance(other, list) else []
    structured = feed.text_at(record, "remittanceInformationStructured")
    structured = structured or feed.text_at(record, "remittanceInformationStructured", "reference")
    booked, valued = feed.text_at(record, "bookingDate"), feed.text_at(record, "valueDate")
    said = feed.Line(
        amount=amount,
        booked=feed.day(booked),
        booked_as_given=booked,
        valued=feed.day(valued),
        provider_id=feed.text_at(record, "transactionId"),
        trust=profile.id_trust,
        payer_name=feed.text_at(record, f"{side}Name"),
        ultimate_payer_name=feed.text_at(record, f"ultimate{side.capitalize()}"),
        payer_account=feed.text_at(record, f"{side}Account", "iban")
        or feed.text_at(record, f"{side}Account", "bban"),
        end_to_end_id=feed.text_at(record, "endToEndId"),
        creditor_reference=structured,
        pieces=(
            *(several or [feed.text_at(record, "remittanceInformationUnstructured")]),
            structured,
            feed.text_at(record, "additionalInformation"),
        ),
        bank_reference=feed.text_at(record, "entryReference"),
        cheque_number=feed.text_at(record, "checkId"),
        codes={
            name: value
            for name in ("bankTransactionCode", "proprietaryBankTransactionCode", "mandateId")
            if (value := feed.text_at(record, name))
        },
    )
    feed.add(draft, locator, record, said)
