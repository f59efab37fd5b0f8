"""The text of an MT940 line (`:86:`), in the dialects of the countries.

Shape   the lines of one `:86:` -> `Information`; pure.
Law     no text is lost: what fits no dialect is text. Banks cut at 27 or 65 characters, inside numbers or
        between words, and do not say which: both readings are given.
Source  German DFÜ agreement annex 3 (?NN fields, SEPA tags); Dutch banks' MT940 structured guides (/REMI/);
        SWIFT MT940 field 86; the NS fields of DTAUS times.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from arsync.connectors.bank import texts

_FIELDS = re.compile(r"\A([0-9]{3})?([?>~<^|#])(?=[0-9]{2})")
_SEPA = re.compile(
    r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|MTLG)(?:\+|(?<=MTLG):|:(?= ))"
)
_SLASHED = re.compile(
    r"/(TRTP|IBAN|BBAN|BIC|NAME|REMI|EREF|KREF|ORDP|BENM|CSID|MARF|ADDR|ISDT|PREF|IREF|PURP|ULTD|ULTB|RTRN|RTYP|SVCL"
    r"|CNTP|ACCW|OCMT|EXCH|CHGS|CHGS1|NRTX|PID|INV)/"
)
_IS_SLASHED = re.compile(r"\A\s*/[A-Z0-9]{3,5}/|/REMI/|/EREF/|/NAME/")
# What stands in a tag of its own is not what the payer wrote: account numbers and mandates would be read as invoices.
_TEXT_TAGS = frozenset(["", "SVWZ", "EREF", "KREF", "ABWA", "MTLG", "REMI", "INV", "ORDP", "BENM"])
_SHORT_VALUE = frozenset(["OCMT", "EXCH", "CHGS", "CHGS1", "ISDT"])
_PURPOSE = frozenset(str(n) for n in (*range(20, 30), *range(60, 64)))
_NS_PURPOSE = frozenset(f"{n:02}" for n in range(1, 15))
_NOTHING_SAID = frozenset(["", "NOTPROVIDED", "NONREF"])
_RETURNS = frozenset(["059", "108", "109", "159", "181"])


@dataclass(frozen=True, slots=True)
class Information:
    """What a `:86:` says."""

    text: str = ""
    text_joined: str = ""
    payer_name: str | None = None
    payer_account: str | None = None
    ultimate_payer_name: str | None = None
    end_to_end_id: str | None = None
    return_reason: str | None = None
    is_return: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


NOTHING = Information()


def read(lines: Sequence[str]) -> Information:
    """Read the lines of one `:86:`, the first without its tag."""
    if not lines:
        return NOTHING
    fields = _FIELDS.match(lines[0])
    if fields:
        return _german("".join(lines), fields[2])
    whole = "".join(lines)
    if _IS_SLASHED.search(whole):
        return _dutch(lines, whole)
    text, joined, cut = texts.join(lines)
    return Information(text, joined, warnings=cut)


def read_ns(lines: Iterable[str]) -> Information:
    """Read an `:NS:` field: lines that begin with their number."""
    numbered = [(line[:2], line[2:]) for line in lines if line[:2].isdigit()]
    text, joined, cut = texts.join(
        value for number, value in numbered if number in _NS_PURPOSE or number == "17"
    )
    name = " ".join(value.strip() for number, value in numbered if number in {"15", "16"})
    account = next((value for number, value in numbered if number == "34" and value.isdigit()), None)
    return Information(text, joined, name or None, account, warnings=cut)


def _german(whole: str, mark: str) -> Information:
    """`166?00GUTSCHRIFT?20EREF+...?32NAME`: numbered fields of 27 characters."""
    code, _, rest = whole.partition(mark)
    fields: dict[str, list[str]] = {}
    pieces = rest.split(mark)
    for at, piece in enumerate(pieces):
        if piece[:2].isdigit() and len(piece) > 1:
            fields.setdefault(piece[:2], []).append(piece[2:])
        elif at and fields:  # the mark itself, inside a text
            fields[next(reversed(fields))][-1] += mark + piece
    purpose = [piece for number in sorted(_PURPOSE.intersection(fields)) for piece in fields[number]]
    tagged = _tagged(purpose, _SEPA)
    name = "".join(piece.ljust(27) for number in ("32", "33") for piece in fields.get(number, ()))
    booking_text = " ".join(fields.get("00", ()))
    end_to_end = tagged.value("EREF")
    codes = {"GVC": code} if code else {}
    codes |= {"booking text": booking_text} if booking_text.strip() else {}
    codes |= {tag: value for tag in ("MREF", "CRED") if (value := tagged.value(tag))}
    account = "".join(fields.get("38", ()) or fields.get("31", ())).strip() or tagged.value("IBAN")
    is_return = code in _RETURNS or booking_text.strip().upper().startswith(("RETOURE", "RUECKLASTSCHRIFT"))
    return Information(
        *tagged.texts(),
        " ".join(name.split()) or None,
        account or None,
        tagged.value("ABWA"),
        end_to_end,
        ("".join(fields.get("34", ())).strip() or None) if is_return else None,
        is_return,
        codes,
        tagged.warnings(),
    )


def _dutch(lines: Sequence[str], whole: str) -> Information:
    """`/TRTP/SEPA OVERBOEKING/IBAN/.../NAME/.../REMI/...`: tags between slashes, lines of 65 characters."""
    tagged = _tagged(lines, _SLASHED)
    counterpart = [*(tagged.value("CNTP") or "").split("/"), "", ""]
    reason = tagged.value("RTRN")
    account = tagged.value("IBAN") or tagged.value("BBAN") or (counterpart[0] or None)
    name = tagged.value("NAME") or counterpart[2]
    codes = {
        tag: value for tag in ("TRTP", "MARF", "CSID", "PREF", "OCMT", "PURP") if (value := tagged.value(tag))
    }
    return Information(
        *tagged.texts(),
        name or None,
        account,
        tagged.value("ULTD") or tagged.value("ULTB"),
        tagged.value("EREF"),
        reason,
        reason is not None or "/RTYP/" in whole,
        codes,
        tagged.warnings(),
    )


@dataclass(frozen=True, slots=True)
class _Tagged:
    """Sections of a text that was cut into pieces: (tag, without the cuts, with a space at each)."""

    sections: tuple[tuple[str, str, str], ...]

    def value(self, wanted: str) -> str | None:
        """The first section of a tag, as one word; None where it says nothing."""
        for tag, joined, _ in self.sections:
            if tag == wanted:
                value = " ".join(joined.split()).strip("/ ")
                return None if value in _NOTHING_SAID else value
        return None

    def texts(self) -> tuple[str, str]:
        kept = [
            part for part in self.sections if part[0] in _TEXT_TAGS and part[1].strip() not in _NOTHING_SAID
        ]
        spaced = texts.join(spaced for _, _, spaced in kept)[0]
        return spaced, " ".join(tidy for _, joined, _ in kept if (tidy := " ".join(joined.split())))[
            : texts.LONGEST_TEXT
        ]

    def warnings(self) -> tuple[str, ...]:
        return ("text-cut",) if sum(len(section[2]) for section in self.sections) > texts.LONGEST_TEXT else ()


def _tagged(pieces: Sequence[str], tags: re.Pattern[str]) -> _Tagged:
    """Find tags where they stand without the cuts, which may go through a tag."""
    whole = "".join(pieces)
    marks = list(tags.finditer(whole))
    if not marks:
        return _Tagged((("", whole, " ".join(pieces)),))
    cuts: list[int] = []
    at = 0
    for piece in pieces[:-1]:
        at += len(piece)
        cuts.append(at)
    sections = [("", 0, marks[0].start())]
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        end = following.start() if following else len(whole)
        tag, start = mark[1], mark.end()
        if tag in _SHORT_VALUE and (slash := whole.find("/", start, end)) >= 0:
            sections += [(tag, start, slash), ("", slash + 1, end)]
        else:
            sections.append((tag, start, end))
    return _Tagged(tuple(_section(whole, section, cuts) for section in sections))


def _section(whole: str, section: tuple[str, int, int], cuts: Sequence[int]) -> tuple[str, str, str]:
    tag, start, end = section
    inside = [cut for cut in cuts if start < cut < end]
    if not inside:
        return tag, whole[start:end], whole[start:end]
    edges = [start, *inside, end]
    spaced = " ".join(whole[a:b] for a, b in pairwise(edges))
    return tag, whole[start:end], spaced
