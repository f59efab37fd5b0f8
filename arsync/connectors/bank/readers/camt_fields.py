"""The fields of a camt message by path, and the values in them.

Shape   a stream of bytes -> `Scope`s, one for each element that is read as a whole; text -> day or `Money`.
Law     memory holds one entry at a time, whatever the size of the file. A leaf's text is kept under the path
        of local names inside its scope; a party's name has one path in all versions.
Errors  `UnsafeFile` (DOCTYPE, too deep, too many names), `TruncatedFile`, `FileRefused` (not well-formed);
        `AmountUnreadable`, and `SignUnreadable` for a `CdtDbtInd` that is neither CRDT nor DBIT.
Source  ISO 20022 camt.052, .053, .054 message definitions, versions 1 to 14.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import chain
from xml.parsers import expat

from arsync.connectors.bank.amounts import SignUnreadable
from arsync.core.money import AmountUnreadable, Money, exponent
from arsync.errors import FileRefused, TruncatedFile, UnsafeFile

Fields = Mapping[str, list[str]]
"""Element content by path of local names: `{"RltdPties/Dbtr/Nm": ["Ada"], "Amt@Ccy": ["EUR"]}`."""

SIGNS = {"CRDT": 1, "DBIT": -1}
_DECIMAL = re.compile(r"\+?(?:[0-9]{1,40}(?:\.[0-9]{0,5})?|\.[0-9]{1,5})", re.ASCII)
_CENTS = re.compile(r"[0-9]{1,15}\.[0-9]{2}", re.ASCII)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*|Z|[+-][0-9:]+)?", re.ASCII)
_MESSAGE = re.compile(r"BkToCstmr(?:Stmt|AcctRpt|DbtCdtNtfctn)(?:V[0-9]{1,2})?")
_DEEPEST = 256
_MOST_PATHS = 20_000
_DO = "download it again; nothing of it was imported"
# One need, one path: what the versions and choices call differently.
_SAME = {
    "Sts/Cd": "Sts",
    "Sts/Prtry": "Sts",
    "BookgDt/Dt": "BookgDt",
    "BookgDt/DtTm": "BookgDt",
    "ValDt/Dt": "ValDt",
    "ValDt/DtTm": "ValDt",
    "NtryDtls/Btch/NbOfTxs": "Btch/NbOfTxs",
    **{
        f"RltdPties/{role}Acct/Id/{scheme}": f"RltdPties/{role}Acct"
        for role in ("Dbtr", "Cdtr")
        for scheme in ("IBAN", "Othr/Id", "BBAN", "PrtryAcct/Id")
    },
    **{
        f"RltdPties/{prefix}{role}/Pty/Nm": f"RltdPties/{prefix}{role}/Nm"
        for prefix in ("", "Ultmt")
        for role in ("Dbtr", "Cdtr")
    },
}


@dataclass(slots=True)
class Scope:
    """One element that is read as a whole: Stmt, Bal, Ntry, TxDtls, Strd or GrpHdr.

    Attributes:
        name: its local name; Rpt and Ntfctn are called Stmt too.
        children: scopes inside an entry: its TxDtls; inside these: their Strd.
        raw: the source text of an entry.
    """

    name: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    children: "list[Scope]" = field(default_factory=list)
    start: int = 0
    raw: str = ""


class _Path(dict[str, "_Path"]):
    """A place in the tree of names; its children by the name they are written with."""

    __slots__ = ("above", "depth", "opens", "path", "within")

    def __init__(self, above: "_Path | None", path: str, within: str, opens: str = "") -> None:
        super().__init__()
        self.above = self if above is None else above
        self.depth: int = 0 if above is None else above.depth + 1
        self.path, self.within, self.opens = path, within, opens

    def child(self, written: str) -> "_Path":
        """The place below, made on first sight."""
        name = written.rpartition(":")[2]
        path = f"{self.path}/{name}" if self.path else name
        opens = _opens(self.within, path, name)
        if opens:
            made = _Path(self, "", opens, opens)
        else:
            within = "message" if self.within == "" and _MESSAGE.fullmatch(name) else self.within
            made = _Path(self, "" if within != self.within else _SAME.get(path, path), within)
        self[written] = made
        return made


def _opens(within: str, path: str, name: str) -> str:
    """The scope an element opens, or nothing."""
    if within == "message":
        return "Stmt" if path in {"Stmt", "Rpt", "Ntfctn"} else "GrpHdr" if path == "GrpHdr" else ""
    if within == "Stmt":
        return path if path in {"Ntry", "Bal"} else ""
    if within == "Ntry":
        return name if path in {"TxDtls", "NtryDtls/TxDtls"} else ""
    return name if within == "TxDtls" and path == "RmtInf/Strd" else ""


class _Source:
    """The bytes still needed for the source text of the entry being read."""

    def __init__(self) -> None:
        self.bytes, self.at = bytearray(), 0

    def between(self, start: int, last_tag: int) -> str:
        """The text from an offset to the end of the tag at another."""
        end = self.bytes.find(b">", last_tag - self.at) + 1
        return self.bytes[start - self.at : end].decode("utf-8", "replace")

    def forget(self, entry: Scope | None) -> None:
        """Keep the entry being read, or a tag that is not whole yet."""
        done_with = entry.start - self.at if entry else self.bytes.rfind(b"<")
        if done_with > 0:
            del self.bytes[:done_with]
            self.at += done_with


class _Open:
    """The scopes being read, the innermost last, and those that are whole."""

    def __init__(self, parser: expat.XMLParserType, source: _Source) -> None:
        self.parser, self.source = parser, source
        self.scopes: list[Scope] = []
        self.done: list[tuple[Scope, Scope | None]] = []
        self.entry: Scope | None = None
        self.statement: Scope | None = None

    def begin(self, name: str) -> dict[str, list[str]]:
        """Open a scope; its fields."""
        scope = Scope(name)
        if name == "Stmt":
            self.statement = scope
        elif name == "Ntry":
            scope.start = self.parser.CurrentByteIndex
            self.entry = scope
        elif name != "Bal" and self.scopes:
            self.scopes[-1].children.append(scope)
        self.scopes.append(scope)
        return scope.fields

    def finish(self) -> dict[str, list[str]] | None:
        """Close the innermost scope; the fields of the one around it."""
        scope = self.scopes.pop()
        if scope.name == "Ntry":
            scope.raw = self.source.between(scope.start, self.parser.CurrentByteIndex)
            self.entry = None
        if scope.name not in {"TxDtls", "Strd"}:
            self.done.append((scope, self.statement))
        return self.scopes[-1].fields if self.scopes else None


def _parser(  # noqa: C901, PLR0915 - the handlers share local names: they run sixty times an entry
    source: _Source,
) -> tuple[expat.XMLParserType, _Open]:
    """A parser, and the scopes it opens and finishes."""
    parser = expat.ParserCreate("utf-8")
    opened = _Open(parser, source)
    place, fields, paths = _Path(None, "", ""), None, 0
    texts: list[str] = []

    def start(written: str, attributes: list[str]) -> None:
        nonlocal place, fields, paths
        below = place.get(written)
        if below is None:
            paths += 1
            if paths > _MOST_PATHS or place.depth > _DEEPEST:
                raise UnsafeFile("the XML is nested too deep or has too many names", do=_DO)
            below = place.child(written)
        place = below
        if texts:
            texts.clear()
        if below.opens:
            fields = opened.begin(below.opens)
        if attributes and fields is not None and "Ccy" in attributes and below.path.endswith("Amt"):
            currency = attributes[attributes.index("Ccy") + 1]
            fields.setdefault(f"{below.path}@Ccy", []).append(currency)

    def end(_written: str) -> None:
        nonlocal place, fields
        if texts:
            text = (texts[0] if len(texts) == 1 else "".join(texts)).strip()
            texts.clear()
            if text and fields is not None:
                path = place.path
                if path in fields:
                    fields[path].append(text)
                else:
                    fields[path] = [text]
        if place.opens:
            fields = opened.finish()
        place = place.above

    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = texts.append
    parser.StartDoctypeDeclHandler = _doctype
    return parser, opened


def scopes(chunks: Iterable[bytes]) -> Iterator[tuple[Scope, Scope | None]]:
    """The finished scopes of a message in UTF-8, each with the statement around it as far as it is read."""
    source = _Source()
    parser, opened = _parser(source)
    for chunk in chain(chunks, (b"",)):
        source.bytes += chunk
        try:
            parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise _not_xml(error) from None
        yield from opened.done
        opened.done.clear()
        source.forget(opened.entry)


def _doctype(*_: object) -> None:
    raise UnsafeFile(
        "the file declares a DOCTYPE, which has no place in camt", do="ask the bank for a plain file"
    )


_CUT_OFF = frozenset({"no element found", "unclosed token", "unclosed CDATA section"})


def _not_xml(error: expat.ExpatError) -> FileRefused:
    message = f"{expat.ErrorString(error.code)}, line {error.lineno}"
    if expat.ErrorString(error.code) in _CUT_OFF:
        return TruncatedFile(f"the XML ends before it should: {message}", do=_DO)
    return FileRefused(f"the file is not well-formed XML: {message}", do=_DO)


def one(fields: Fields, path: str) -> str | None:
    """The first value of a path."""
    found = fields.get(path)
    return found[0] if found else None


def first(fields: Fields, *paths: str) -> str | None:
    """The first value of the first path that has one."""
    for path in paths:
        found = fields.get(path)
        if found:
            return found[0]
    return None


def read_day(raw: str | None) -> date | None:
    """The calendar day of an ISO date or date-time as written; its zone never moves it."""
    return _day(raw) if raw else None


@lru_cache(maxsize=4096)
def _day(raw: str) -> date | None:
    found = _DAY.fullmatch(raw)
    if not found:
        return None
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        return None


def magnitude(raw: str, currency: str) -> Money:
    """An amount without a sign, exactly. Raises `AmountUnreadable`."""
    if _CENTS.fullmatch(raw) and exponent(currency) == 2:  # noqa: PLR2004 - most amounts, without a Decimal
        return Money(int(raw[:-3] + raw[-2:]), currency)
    if not _DECIMAL.fullmatch(raw):
        raise AmountUnreadable(raw, "not an unsigned decimal number with at most 5 decimals")
    return Money.of(raw, currency)


def signed(fields: Fields, path: str, fallback: str | None) -> Money:
    """The amount at a path, with the sign of the `CdtDbtInd` beside it.

    Raises:
        AmountUnreadable: the amount, its currency or its sign cannot be read.
    """
    given = fields.get(path)
    raw = given[0] if given else ""
    if given and len(given) > 1:
        raise AmountUnreadable(" / ".join(given), "more than one amount is given")
    currency = first(fields, f"{path}@Ccy") or fallback
    if currency is None:
        raise AmountUnreadable(raw, "no currency is given")
    directions = fields.get("CdtDbtInd") or [""]
    sign = SIGNS.get(directions[0])
    if sign is None or any(other != directions[0] for other in directions):
        raise SignUnreadable(first(fields, "CdtDbtInd") or "", "CdtDbtInd is neither CRDT nor DBIT")
    money = magnitude(raw, currency)
    return money if sign > 0 else -money
