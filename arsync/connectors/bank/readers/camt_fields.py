"""The fields of a camt element by path, and the values in them.

Shape   an XML element -> `Fields`; text -> day or `Money`; pure.
Errors  `AmountUnreadable`, and `SignUnreadable` for a `CdtDbtInd` that is neither CRDT nor DBIT.
Source  ISO 20022 data types: ActiveCurrencyAndAmount, CreditDebitCode, ISODate.
"""

import re
from collections.abc import Mapping
from datetime import date

from lxml import etree

from arsync.connectors.bank.amounts import SignUnreadable
from arsync.core.money import AmountUnreadable, Money

Fields = Mapping[str, list[str]]
"""Element content by path of local names: `{"RltdPties/Dbtr/Nm": ["Ada"], "Amt@Ccy": ["EUR"]}`."""

SIGNS = {"CRDT": 1, "DBIT": -1}
_DECIMAL = re.compile(r"\+?(?:[0-9]{1,40}(?:\.[0-9]{0,5})?|\.[0-9]{1,5})", re.ASCII)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*|Z|[+-][0-9:]+)?", re.ASCII)
_LOCAL_NAMES: dict[str, str] = {}
_LOCAL_NAMES_LIMIT = 4096


def local_name(tag: str) -> str:
    """The name without its namespace; remembered, because a file repeats some fifty names."""
    name = _LOCAL_NAMES.get(tag)
    if name is None:
        name = tag.rpartition("}")[2]
        if len(_LOCAL_NAMES) < _LOCAL_NAMES_LIMIT:
            _LOCAL_NAMES[tag] = name
    return name


def flat(element: etree._Element) -> dict[str, list[str]]:
    """The leaves below an element, by path."""
    fields: dict[str, list[str]] = {}
    flatten(element, "", fields)
    return fields


def flatten(element: etree._Element, prefix: str, fields: dict[str, list[str]]) -> None:
    """Collect leaves; depth is bounded by the parser (256)."""
    for child in element:
        tag = child.tag
        path = prefix + (_LOCAL_NAMES.get(tag) or local_name(tag))
        if len(child):
            flatten(child, path + "/", fields)
            continue
        text = child.text
        if text and (text := text.strip()):
            if path in fields:
                fields[path].append(text)
            else:
                fields[path] = [text]
        if path.endswith("Amt") and (currency := child.get("Ccy")) is not None:
            fields.setdefault(path + "@Ccy", []).append(currency)


def first(fields: Fields, *paths: str) -> str | None:
    """The first value of the first path that has one."""
    for path in paths:
        found = fields.get(path)
        if found:
            return found[0]
    return None


def every(fields: Fields, *paths: str) -> list[str]:
    """All values of all paths, in the order of the paths."""
    return [text for path in paths for text in fields.get(path, ())]


def read_day(raw: str | None) -> date | None:
    """The calendar day of an ISO date or date-time as written; its zone never moves it."""
    found = _DAY.fullmatch(raw or "")
    if not found:
        return None
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        return None


def magnitude(raw: str, currency: str) -> Money:
    """An amount without a sign, exactly. Raises `AmountUnreadable`."""
    if not _DECIMAL.fullmatch(raw):
        raise AmountUnreadable(raw, "not an unsigned decimal number with at most 5 decimals")
    return Money.of(raw, currency)


def signed(fields: Fields, path: str, fallback: str | None) -> Money:
    """The amount at a path, with the sign of the `CdtDbtInd` beside it.

    Raises:
        AmountUnreadable: the amount, its currency or its sign cannot be read.
    """
    raw = first(fields, path) or ""
    if len(fields.get(path, ())) > 1:
        raise AmountUnreadable(" / ".join(fields[path]), "more than one amount is given")
    currency = first(fields, f"{path}@Ccy") or fallback
    if currency is None:
        raise AmountUnreadable(raw, "no currency is given")
    directions = set(fields.get("CdtDbtInd", ()))
    sign = SIGNS.get(directions.pop()) if len(directions) == 1 else None
    if sign is None:
        raise SignUnreadable(first(fields, "CdtDbtInd") or "", "CdtDbtInd is neither CRDT nor DBIT")
    money = magnitude(raw, currency)
    return money if sign > 0 else -money
