"""What kind of file is this? By content, never by its name.

Shape   bytes -> `Format`; only the head is looked at.
Errors  `UnknownFormat`.
Source  the standards named beside each sign; README, section "Formats".
"""

import re
from collections.abc import Callable
from typing import Literal

from arsync.errors import UnknownFormat, UnsupportedFormat

Format = Literal[
    "ofx",
    "camt.053",
    "camt.052",
    "camt.054",
    "other xml",
    "mt940",
    "mt942",
    "bai2",
    "bai lockbox",
    "nacha",
    "x12 820",
    "qif",
    "json",
    "pdf",
    "zip",
    "excel 97",
    "csv",
]

_HEAD_BYTES = 64 * 1024
_BINARY: tuple[tuple[bytes, Format], ...] = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel 97"),
)
_OFX = re.compile(r"OFXHEADER\s*[:=]|<\?OFX\s|<(?:\w+:)?OFX[\s>]", re.IGNORECASE)
_CAMT_MESSAGES: tuple[tuple[str, Format], ...] = (
    ("BkToCstmrStmt", "camt.053"),
    ("BkToCstmrAcctRpt", "camt.052"),
    ("BkToCstmrDbtCdtNtfctn", "camt.054"),
)
_TEXT_SIGNS: tuple[tuple[re.Pattern[str], Format], ...] = (
    (re.compile(r"^!(?:Type|Account|Option|Clear)\b", re.IGNORECASE | re.MULTILINE), "qif"),
    (re.compile(r"\A\s*ISA[^A-Za-z0-9\s]|\A\s*ST[*|~^]820[*|~^]"), "x12 820"),
    (re.compile(r"\A\s{0,9}01,[^\r\n/]{1,200}/\s{0,9}(?:02|88),"), "bai2"),
    (
        re.compile(
            r"\A101[^\r\n]{20}[0-9]{6}[^\r\n]*[\r\n]+5(?:200|220|225|280)|\A101[^\r\n]{91}5(?:200|220|225|280)"
        ),
        "nacha",
    ),
    (re.compile(r"\A1[0-9]{2}[^\r\n,;\t|]{20,}[\r\n]+2[^\r\n,;\t|]{20,}[\r\n]+5"), "bai lockbox"),
    (re.compile(r"^:34F:|^:13D?:|\{2:[IO]942", re.MULTILINE), "mt942"),
    (re.compile(r"^:(?:20|25|28C?|60[FM]|61):", re.MULTILINE), "mt940"),
    (re.compile(r"\A\s*[\[{]\s*(?:[\"\[{\]}]|\Z)"), "json"),
)
_DELIMITED = re.compile(r"^[^\n]*[,;\t|][^\n]*$", re.MULTILINE)

NOT_IMPORTED: dict[Format, str] = {
    "other xml": "an XML file that is neither OFX nor a camt statement; not imported",
    "pdf": "a PDF document; not imported",
    "excel 97": "an old Excel workbook; not imported",
}


def sniff(data: bytes) -> Format:
    """Name the format of a file by its content.

    Raises:
        UnknownFormat: empty, or nothing known.
    """
    for sign, name in _BINARY:
        if data.startswith(sign):
            return name
    head = _head(data)
    if not head.strip():
        raise UnknownFormat("the file is empty", do="download it again")
    if _OFX.search(head):
        return "ofx"
    if head.lstrip().startswith("<"):
        return _xml(head, data)
    for pattern, name in _TEXT_SIGNS:
        if pattern.search(head):
            return name
    if _is_text(head) and _DELIMITED.search(head.replace("\r", "\n")):
        return "csv"
    raise UnknownFormat(
        "the content fits no bank format arsync knows",
        do="check that it is the bank's export, not a web page or a picture of one",
    )


def refuse_unless_imported(name: Format) -> None:
    """Raise `UnsupportedFormat`, naming the format, for one that is known but not imported."""
    why = NOT_IMPORTED.get(name)
    if why:
        raise UnsupportedFormat(f"this is {why}", do="export OFX, camt.053 or CSV from the bank")


def _head(data: bytes) -> str:
    head = data[:_HEAD_BYTES]
    decoders: tuple[tuple[bytes, Callable[[bytes], str]], ...] = (
        (b"\xef\xbb\xbf", lambda b: b[3:].decode("utf-8", "replace")),
        (b"\xff\xfe", lambda b: b.decode("utf-16", "replace")),
        (b"\xfe\xff", lambda b: b.decode("utf-16", "replace")),
        (b"<\x00", lambda b: b.decode("utf-16-le", "replace")),
        (b"\x00<", lambda b: b.decode("utf-16-be", "replace")),
    )
    for sign, decoder in decoders:
        if head.startswith(sign):
            return decoder(head)
    # Latin-1 gives every byte a character; only signs in ASCII are looked for.
    return head.decode("latin-1")


def _xml(head: str, data: bytes) -> Format:
    if head.lstrip()[:14].lower().startswith(("<!doctype html", "<html")):
        raise UnknownFormat(
            "the file is a web page, not an export", do="sign in again, then download the export"
        )
    for message, name in _CAMT_MESSAGES:
        if re.search(rf"<(?:[\w.-]+:)?{message}(?:V[0-9]{{1,2}})?[\s/>]", head):
            return name
    # An envelope may push the message out of the head; names are ASCII in every encoding but UTF-16.
    for message, name in _CAMT_MESSAGES:
        if f"<{message}".encode() in data or f":{message}".encode() in data:
            return name
    return "other xml"


def _is_text(head: str) -> bool:
    return "\x00" not in head.rstrip("\x00")
