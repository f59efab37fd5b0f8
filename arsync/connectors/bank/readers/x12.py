"""X12 820 remittance advices, in files of their own and in the addenda of ACH payments.

Units   amounts in major units with a point, or whole units without; the currency is the CUR segment's, else the
        profile's.
Shape   text -> `Remittance`s; pure.
Law     what the documents are paid comes to what the payment is (BPR02). Senders disagree on which of RMR04
        and RMR05 is paid and which gross: the order that adds up is taken, and if none does, none is.
Source  ASC X12 004010 transaction set 820 (BPR, TRN, CUR, N1, ENT, RMR, REF, DTM, ADX); Nacha CTX guide.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from arsync.connectors.bank import remit
from arsync.connectors.bank.amounts import POINT, read_money
from arsync.core.bank import Problem, Remittance, RemittanceLine
from arsync.core.money import AmountUnreadable, Money

_ISA_LENGTH = 106
_KNOWN = r"ISA|GS|ST|BPR|TRN|CUR|REF|DTM|N1|N2|N3|N4|PER|ENT|NM1|RMR|IT1|ADX|NTE|SE|GE|IEA|RMT|DTP|SLN|PID"
_FIRST = re.compile(rf"\s*(?:{_KNOWN})([*|^:<>\x1d\x1e])")
_CREDIT_MEMOS = frozenset({"CM", "CR"})
_DATE_OF_DOCUMENT = frozenset({"003", "097"})


@dataclass(slots=True)
class _Document:
    """One RMR with what follows it."""

    fields: list[str]
    day: date | None = None
    notes: list[str] = field(default_factory=list)
    segment: int = 0


@dataclass(slots=True)
class _Set:
    """One ST ... SE."""

    number: int
    segments: list[str] = field(default_factory=list)
    amount: str = ""
    on: date | None = None
    reference: str = ""
    currency: str = ""
    payer: str = ""
    documents: list[_Document] = field(default_factory=list)
    adjustments: list[list[str]] = field(default_factory=list)
    inside: bool = False

    @property
    def says(self) -> bool:
        """Whether it is about any money: an ST alone is no advice."""
        return bool(self.documents or self.amount)


def segments(text: str) -> Iterator[list[str]]:
    """The segments of a message, each split into its elements; separators as the message declares them."""
    first = _FIRST.match(text)
    if first is None:
        return
    element = first[1]
    terminator = _terminator(text, element)
    for segment in text.split(terminator):
        elements = [each.strip() for each in segment.strip("\r\n \t").split(element)]
        if elements[0]:
            yield elements


def _terminator(text: str, element: str) -> str:
    start = text.lstrip()
    if start.startswith("ISA") and len(start) >= _ISA_LENGTH:
        return start[_ISA_LENGTH - 1]
    # Without an envelope it is what stands before the next segment's name.
    found = re.search(rf"([~\\'|!\x1c\n])\s*(?:{_KNOWN}){re.escape(element)}", text)
    return found[1] if found else "~" if "~" in text else "\\"


def read(text: str, currency: str | None, payment: Money | None = None) -> tuple[Remittance, ...]:
    """Read every 820 of a message.

    Args:
        text: the segments; an envelope or a BPR may be missing, as in the addenda of a payment.
        currency: used where a message names none.
        payment: what was paid, for a message that does not say it.
    """
    return tuple(_remittance(one, currency, payment) for one in _sets(segments(text)))


def _sets(found: Iterator[list[str]]) -> Iterator[_Set]:
    held = _Set(1)
    for elements in found:
        name = elements[0]
        if name == "ST" and held.segments:
            if held.says:
                yield held
            held = _Set(held.number + 1)
        elif name in {"ISA", "GS", "GE", "IEA", "SE"}:
            continue
        _take(held, elements)
        held.segments.append("*".join(elements))
    if held.says:
        yield held


def _at(elements: Sequence[str], position: int) -> str:
    return elements[position] if position < len(elements) else ""


def _take(one: _Set, elements: list[str]) -> None:
    name = elements[0]
    if name == "BPR":
        one.amount, one.on = _at(elements, 2), _day(_at(elements, 16) or elements[-1])
    elif name == "TRN":
        one.reference = one.reference or _at(elements, 2)
    elif name == "CUR":
        one.currency = _at(elements, 2).upper()
    elif name == "N1" and _at(elements, 1) in {"PR", "RM"}:
        one.payer = one.payer or _at(elements, 2)
    elif name == "RMR":
        one.documents.append(_Document(elements, segment=len(one.segments) + 1))
    elif name == "ADX":
        one.adjustments.append(elements)
    elif one.documents:
        _take_detail(one.documents[-1], elements)


def _take_detail(document: _Document, elements: list[str]) -> None:
    name = elements[0]
    if name == "DTM" and _at(elements, 1) in _DATE_OF_DOCUMENT:
        document.day = _day(_at(elements, 2))
    elif name in {"REF", "NTE"}:
        document.notes.append(" ".join(filter(None, elements[1:])))


def _day(text: str) -> date | None:
    digits = text if len(text) == 8 else f"20{text}" if len(text) == 6 else ""  # noqa: PLR2004 - CCYYMMDD, YYMMDD
    if not digits.isascii() or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _remittance(one: _Set, fallback: str | None, payment: Money | None) -> Remittance:
    currency = one.currency or fallback
    advice = Remittance(
        key="",
        locator=f"ST[{one.number}]",
        on=one.on,
        payer_name=one.payer,
        currency=currency,
        total=None,
        grade="bank file",
        reference=one.reference,
        raw="~".join(one.segments),
    )
    try:
        total = _money(one.amount, currency) if one.amount else payment
        lines = _lines(one, currency, total)
    except AmountUnreadable as error:
        code = "currency-unreadable" if currency is None else "remittance-unreadable"
        lines = tuple(RemittanceLine(reference=_at(doc.fields, 2)) for doc in one.documents)
        problem = Problem(code, advice.locator, "RMR", error.raw, str(error), remit.ASK)
        return remit.sealed(replace(advice, lines=lines, problems=(problem,)))
    if lines is None:
        why = f"neither order of paid and gross comes to the payment of {total}"
        problem = Problem(remit.DISAGREES, advice.locator, "RMR", advice.raw, why, remit.ASK)
        unpaid = tuple(RemittanceLine(reference=_at(doc.fields, 2)) for doc in one.documents)
        return remit.sealed(replace(advice, total=total, lines=unpaid, problems=(problem,)))
    return remit.sealed(replace(advice, total=total, lines=lines))


def _money(raw: str, currency: str | None) -> Money:
    if currency is None:
        raise AmountUnreadable(raw, "the advice names no currency")
    return read_money(raw, currency, POINT)


def _lines(one: _Set, currency: str | None, total: Money | None) -> tuple[RemittanceLine, ...] | None:
    """The documents in the order of RMR04 and RMR05 that comes to the total; None when neither does."""
    adjustments = [
        RemittanceLine(
            reference=_at(elements, 4),
            paid=_money(_at(elements, 1), currency),
            note=f"ADX {_at(elements, 2)}",
        )
        for elements in one.adjustments
    ]
    for paid_at, gross_at in ((4, 5), (5, 4)):
        lines = [_line(document, currency, paid_at, gross_at) for document in one.documents]
        if total is None or any(line.paid is None for line in lines):
            return tuple(lines)
        # An adjustment explains a document, or changes the payment: only one of the two adds up.
        for candidate in ([*lines], [*lines, *adjustments]):
            if not candidate or sum(line.paid.minor for line in candidate if line.paid) == total.minor:
                return tuple(candidate)
    return None


def _line(document: _Document, currency: str | None, paid_at: int, gross_at: int) -> RemittanceLine:
    fields = document.fields

    def money(position: int) -> Money | None:
        raw = _at(fields, position)
        return _money(raw, currency) if raw else None

    paid, gross = money(paid_at), money(gross_at)
    if paid is None:  # one amount alone is what is paid
        paid, gross = gross, None
    if paid is not None and _at(fields, 1) in _CREDIT_MEMOS and paid.minor > 0:
        paid = -paid
    notes = [*document.notes, *([f"{_at(fields, 7)} {_at(fields, 8)}".strip()] if _at(fields, 7) else [])]
    return RemittanceLine(
        reference=_at(fields, 2),
        paid=paid,
        gross=gross,
        discount=money(6),
        document_date=document.day,
        note="; ".join(notes),
    )
