"""JSON feeds of banks, open banking hubs and payment services: which one it is, and what they share.

Units   numbers keep the text they are written with: no float ever stands for money.
Shape   text -> the records of one file -> drafts, by the module of its provider.
Law     each booked record is a line or a problem; pending ones are left out and named.
Errors  `FileRefused` (not JSON), `UnsafeFile` (nested too deep), `UnsupportedFormat` (JSON of nobody we know).
Source  RFC 8259; the providers' own documentation, named in their modules.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NoReturn

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.amounts import POINT, amount_problem_code, read_money
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import AccountId, BankLineRead, CodeFamily, Correction, Trust
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused, UnsafeFile, UnsupportedFormat

Record = Mapping[str, Any]
_DAY_LENGTH = 10
_DO = "download it again; nothing of it was imported"


def read(text: str, profile: Profile) -> tuple[Draft, ...]:
    """Read one JSON file, whoever wrote it."""
    from arsync.connectors.bank.readers import (
        berlin_group,
        gocardless,
        paypal,
        plaid,
        ponto,
        qonto,
        square,
        stripe,
    )

    values = _values(text)
    for provider in (stripe, gocardless, square, paypal, berlin_group, qonto, ponto, plaid):
        drafts = provider.read(values, profile)
        if drafts is not None:
            return tuple(drafts)
    raise UnsupportedFormat(
        "JSON of a provider arsync does not know, or without transactions", do="export a statement instead"
    )


def _values(text: str) -> list[Any]:
    """The values of a file: one, or several one after the other; numbers as their text."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_not_a_number)
    values: list[Any] = []
    at = 0
    try:
        while at < len(text):
            if text[at] in " \t\r\n\x00":
                at += 1
                continue
            value, at = decoder.raw_decode(text, at)
            values.append(value)
    except RecursionError:
        raise UnsafeFile("the JSON is nested too deep", do=_DO) from None
    except ValueError as error:
        raise FileRefused(f"the file is not JSON: {error}", do=_DO) from None
    return values


def _not_a_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def records(value: object) -> list[Record]:
    """The objects of a list; nothing where it is none."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def objects(values: Sequence[Any]) -> list[Record]:
    """The objects at the top of a file, those inside lists too."""
    found: list[Record] = []
    for value in values:
        found += [value] if isinstance(value, Mapping) else records(value)
    return found


def text_at(record: object, *path: str) -> str:
    """The text at a path of names; empty where there is none."""
    for name in path:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record.strip() if isinstance(record, str) else ""


def at(record: object, *path: str) -> Any:  # noqa: ANN401 - JSON has any shape
    """The value at a path of names, or None."""
    for name in path:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


@lru_cache(maxsize=4096)
def day(text: str) -> date | None:
    """The calendar day of an ISO date or date-time as written; its zone never moves it."""
    try:
        return date.fromisoformat(text[:_DAY_LENGTH])
    except ValueError:
        return None


def epoch_day(text: str) -> date | None:
    """The UTC day of seconds since 1970."""
    try:
        return datetime.fromtimestamp(int(text), UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def money(raw: str, currency: str) -> Money:
    """An amount in major units. Raises `AmountUnreadable`."""
    if not currency:
        raise AmountUnreadable(raw, "no currency is given")
    return read_money(raw, currency.upper(), POINT)


def minor(raw: str, currency: str) -> Money:
    """An amount in whole minor units. Raises `AmountUnreadable`."""
    magnitude = texts.count(raw.removeprefix("-"))
    if not currency or magnitude is None:
        raise AmountUnreadable(raw, "not a whole number of minor units of a named currency")
    Money.zero(currency.upper()).text()  # a known currency
    return Money(-magnitude if raw.startswith("-") else magnitude, currency.upper())


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a provider says of one transaction, in our words."""

    amount: Money
    booked: date | None
    booked_as_given: str
    provider_id: str
    trust: Trust = "B"
    valued: date | None = None
    payer_name: str = ""
    ultimate_payer_name: str = ""
    payer_account: str = ""
    end_to_end_id: str = ""
    creditor_reference: str = ""
    pieces: tuple[str, ...] = ()
    bank_reference: str = ""
    cheque_number: str = ""
    family: CodeFamily = "other"
    codes: Mapping[str, str] | None = None
    original_reference: str = ""
    is_return: bool = False
    is_reversal: bool = False
    corrects: Correction | None = None
    warnings: tuple[str, ...] = ()


def add(draft: Draft, locator: str, record: Record, said: Line) -> None:
    """Add one line to its draft."""
    if said.booked is None:
        why = (
            f"{said.booked_as_given!r} is not a date" if said.booked_as_given else "no booking date is given"
        )
        draft.problem(
            "date-unreadable",
            locator,
            "date",
            said.booked_as_given,
            why,
            "look at the record and give its date",
        )
    draft.lines.append(line(draft.account, locator, record, said))


def line(account: AccountId, locator: str, record: Record, said: Line) -> BankLineRead:
    """The line of what a provider says; its raw text is the record, in JSON."""
    text, joined, cut = texts.join(said.pieces)
    trust = identity.trust_of(said.provider_id, said.trust)
    content = identity.Content(said.booked or said.booked_as_given, said.valued, "", said.payer_account, text)
    end_to_end_id = said.end_to_end_id if identity.trust_of(said.end_to_end_id, "A") != "C" else ""
    return BankLineRead(
        locator=locator,
        key=identity.line_key(account, trust, said.provider_id, said.amount, content),
        occurrence=1,
        provider_id=said.provider_id or None,
        provider_id_trust=trust,
        booking_date=said.booked,
        value_date=said.valued,
        amount=said.amount,
        payer_name=said.payer_name or None,
        ultimate_payer_name=said.ultimate_payer_name or None,
        payer_account=said.payer_account or None,
        end_to_end_id=end_to_end_id or None,
        creditor_reference=said.creditor_reference or None,
        text=text,
        text_joined=joined,
        bank_reference=said.bank_reference or None,
        cheque_number=said.cheque_number or None,
        code_family=said.family,
        raw_codes=said.codes or {},
        original_reference=said.original_reference or None,
        is_return=said.is_return,
        is_reversal=said.is_reversal,
        corrects=said.corrects,
        warnings=said.warnings + cut,
        raw=json.dumps(record, ensure_ascii=False),
    )


def unreadable(draft: Draft, locator: str, record: Record, error: AmountUnreadable, currency: str) -> None:
    """A record whose amount cannot be read: kept as a problem."""
    code = amount_problem_code(error, currency.upper() or None)
    draft.problem(code, locator, "amount", json.dumps(record, ensure_ascii=False), str(error))


def account(scheme: str, identifier: str, profile: Profile) -> AccountId:
    """The account a feed names, else the profile's."""
    identifier = identifier or profile.account or ""
    return identity.account_id(scheme if identifier else "unknown", identifier)
