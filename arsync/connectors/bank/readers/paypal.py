"""PayPal transaction search: the lines of a PayPal account.

Units   amounts are signed decimal text with their currency. A line is what the balance moved by: the amount and
        PayPal's fee, which are its parts.
Source  PayPal REST API, Transaction Search v1 (`transaction_details`, transaction event codes, statuses).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from arsync.connectors.bank import identity
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers import feed
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import BankLineRead, CodeFamily
from arsync.core.money import AmountUnreadable, Money

_BOOKED = frozenset({"", "S", "V"})
_FAMILIES: dict[str, CodeFamily] = {
    "T00": "wallet",
    "T01": "fee",
    "T02": "fx",
    "T04": "payout",
    "T1106": "return",
    "T1107": "refund",
    "T1201": "chargeback",
    "T1202": "reversal",
    "T11": "reversal",
}


def read(values: Sequence[Any], profile: Profile) -> list[Draft] | None:
    """The drafts of a file of this kind; None where it is another's."""
    drafts: dict[str, Draft] = {}
    seen = False
    for one in feed.objects(values):
        details = (
            [one]
            if isinstance(one.get("transaction_info"), dict)
            else feed.records(one.get("transaction_details"))
        )
        seen = seen or isinstance(one.get("transaction_details"), list)
        account = feed.account("paypal", profile.account or feed.text_at(one, "account_number"), profile)
        for position, record in enumerate(details, 1):
            amount = feed.at(record, "transaction_info", "transaction_amount")
            currency = feed.text_at(amount, "currency_code") or profile.currency or ""
            draft = drafts.setdefault(f"{account.key}/{currency}", Draft(account, currency.upper() or None))
            _take(draft, f"transaction_details[{position}]", record, currency)
        if seen and not drafts:
            drafts[account.key] = Draft(account, profile.currency)
    for draft in drafts.values():
        draft.days_of_lines()
    return list(drafts.values()) or None


def _take(draft: Draft, locator: str, record: feed.Record, currency: str) -> None:
    info = record.get("transaction_info")
    if feed.text_at(info, "transaction_status") not in _BOOKED:
        draft.warnings.append("pending-not-read")
        return
    fee_raw = feed.text_at(info, "fee_amount", "value")
    try:
        gross = feed.money(feed.text_at(info, "transaction_amount", "value"), currency)
        fee = feed.money(fee_raw or "0.00", feed.text_at(info, "fee_amount", "currency_code") or currency)
        amount = _moved(gross, fee)
    except AmountUnreadable as error:
        feed.unreadable(draft, locator, record, error, currency)
        return
    code, booked = (
        feed.text_at(info, "transaction_event_code"),
        feed.text_at(info, "transaction_initiation_date"),
    )
    payer = record.get("payer_info")
    said = feed.Line(
        amount=amount,
        booked=feed.day(booked),
        booked_as_given=booked,
        provider_id=feed.text_at(info, "transaction_id"),
        trust="A",
        payer_name=feed.text_at(payer, "payer_name", "alternate_full_name"),
        payer_account=feed.text_at(payer, "email_address"),
        pieces=tuple(
            feed.text_at(info, name)
            for name in ("invoice_id", "custom_field", "transaction_subject", "transaction_note")
        ),
        bank_reference=feed.text_at(info, "bank_reference_id"),
        family=_FAMILIES.get(code) or _FAMILIES.get(code[:3], "other"),
        codes={"event": code},
        original_reference=feed.text_at(info, "paypal_reference_id"),
        is_return=code in {"T1106", "T1201"},
        is_reversal=code[:3] == "T11" and code not in {"T1106", "T1107"},
    )
    feed.add(draft, locator, record, said)
    if fee:
        draft.lines[-1] = _with_fee(draft, locator, record, said, (gross, fee))


def _moved(gross: Money, fee: Money) -> Money:
    """What the balance moved by."""
    if fee.currency != gross.currency:
        raise AmountUnreadable(str(fee), f"the fee is not in {gross.currency}")
    return gross + fee


def _with_fee(
    draft: Draft, locator: str, record: feed.Record, said: feed.Line, amounts: tuple[Money, Money]
) -> BankLineRead:
    """The line with what was paid and what PayPal kept as its parts."""
    whole = draft.lines[-1]
    parts = []
    for index, (amount, name) in enumerate(zip(amounts, ("amount", "fee"), strict=True)):
        family: CodeFamily = "fee" if name == "fee" else said.family
        part = feed.line(
            draft.account, f"{locator}/{name}", record, replace(said, amount=amount, family=family)
        )
        parts.append(replace(part, key=identity.part_key(whole.key, index, part.provider_id, amount), raw=""))
    return replace(whole, parts=tuple(parts))
