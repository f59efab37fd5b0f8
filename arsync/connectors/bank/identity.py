"""Which lines are the same line, within a file and across overlapping files.

Shape   fields -> key; lines of one file -> the same lines numbered; numbered lines -> those not yet known.
Law     (account, key, occurrence) of a line depends on the line and on equal lines of its days only, so
        two files that overlap in whole days give the identities one file would.
Source  research of 666 OFX and 533 SWIFT lines: an id alone loses lines, content alone loses lines;
        README, section "When two lines are the same".
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from arsync.core.bank import AccountId, BankLineRead, Trust
from arsync.core.money import Money

_USELESS_IDS = frozenset({"NONREF", "NOTPROVIDED", "NONE", "NULL", "NA", "N/A", "UNKNOWN", "-"})
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


@dataclass(frozen=True, slots=True)
class Content:
    """What tells two lines apart when the bank gives no usable id. Dates as read, else as given."""

    booked: date | str
    valued: date | str | None
    code: str
    payer_account: str
    text: str


def line_key(
    account: AccountId, trust: Trust, provider_id: str | None, amount: Money, content: Content
) -> str:
    """The identity hash of a line: by id, date and amount where the id can be trusted, else by content."""
    if trust != "C" and provider_id:
        parts: tuple[str, ...] = (
            account.key,
            "id",
            provider_id,
            str(content.booked),
            str(amount.minor),
            amount.currency,
        )
    else:
        parts = (
            account.key,
            "content",
            str(content.booked),
            str(content.valued or ""),
            str(amount.minor),
            amount.currency,
            content.code,
            normalised(content.payer_account),
            normalised(content.text),
        )
    return hashed(parts)


def part_key(parent_key: str, index: int, provider_id: str | None, amount: Money) -> str:
    """The identity of the `index`-th transaction (from 0) inside a batch line."""
    return hashed((parent_key, "part", str(index), provider_id or "", str(amount.minor), amount.currency))


def trust_of(provider_id: str | None, profile_trust: Trust) -> Trust:
    """The trust a profile gives to its ids, or C where this one says nothing (blank, zeros, NONREF)."""
    if not provider_id:
        return "C"
    bare = provider_id.strip().upper()
    if not bare.strip("0") or bare in _USELESS_IDS:
        return "C"
    return profile_trust


def normalised(text: str) -> str:
    """NFKC, upper case, no white space: banks reflow the same text between downloads."""
    if text.isascii():
        return "".join(text.upper().split())
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def account_id(scheme: str, identifier: str, bank_id: str = "") -> AccountId:
    """Name an account; an IBAN with a right check digit is the same account under any scheme."""
    bare = _NOT_ALPHANUMERIC.sub("", identifier.upper())
    if is_iban(bare):
        return AccountId("iban", identifier, bank_id, f"iban:{bare}")
    bank = _NOT_ALPHANUMERIC.sub("", bank_id.upper())
    return AccountId(scheme, identifier, bank_id, f"{scheme}:{bank}:{bare}")


def is_iban(bare: str) -> bool:
    """Whether upper-case text without separators is an IBAN (ISO 13616, mod 97-10)."""
    if not _IBAN.fullmatch(bare):
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def numbered(lines: Iterable[BankLineRead]) -> tuple[BankLineRead, ...]:
    """Number equal keys of one account in the order of the file, and warn of ids used twice.

    `id-reused`    one id with two dates or amounts: all are kept, the id is no longer believed (trust C).
    `id-repeated`  one id with the same date and amount again: kept, it may be one payment listed twice.
    """
    lines = tuple(lines)
    meanings: dict[str, set[tuple[date | None, Money]]] = {}
    for line in lines:
        if line.provider_id and line.provider_id_trust != "C":
            meanings.setdefault(line.provider_id, set()).add((line.booking_date, line.amount))
    reused = {provider_id for provider_id, meaning in meanings.items() if len(meaning) > 1}
    seen: Counter[str] = Counter()
    return tuple(_number(line, seen, reused) for line in lines)


def _number(line: BankLineRead, seen: Counter[str], reused: set[str]) -> BankLineRead:
    seen[line.key] += 1
    occurrence = seen[line.key]
    believed = line.provider_id_trust != "C"
    if believed and line.provider_id in reused:
        # The key keeps its form: one that changed with the file around it would book lines twice.
        warnings = (*line.warnings, "id-reused")
        return replace(line, occurrence=occurrence, provider_id_trust="C", warnings=warnings)
    if occurrence == 1:
        return line
    warnings = (*line.warnings, "id-repeated") if believed else line.warnings
    return replace(line, occurrence=occurrence, warnings=warnings)


def new_lines(lines: Sequence[BankLineRead], known: Mapping[str, int]) -> tuple[BankLineRead, ...]:
    """Lines of one account that are not yet known.

    Args:
        lines: numbered lines of one account.
        known: highest occurrence stored so far, by key, for that account.
    """
    return tuple(line for line in lines if line.occurrence > known.get(line.key, 0))


def hashed(parts: Iterable[str]) -> str:
    """A short hash of these texts, kept apart."""
    # The unit separator cannot be typed into a payment; with "|" two different lines could collide.
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
