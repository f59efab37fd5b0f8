"""One bank file, read: the door to this package.

Shape   (bytes, profile) -> `BankFile`; pure.
Law     the same bytes and profile give the same value; a file is read whole or refused by name.
Errors  `FileRefused` and its kinds: `UnknownFormat`, `UnsupportedFormat`, `TruncatedFile`, `UnsafeFile`.
"""

import gc
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from arsync.connectors.bank import decode, identity, texts
from arsync.connectors.bank.bankprofile import GENERIC, CsvDialect, Profile
from arsync.connectors.bank.readers.draft import finished
from arsync.connectors.bank.sniff import Format, refuse_unless_imported, sniff
from arsync.core.bank import BankFile, BankLineRead, Remittance, Statement
from arsync.errors import FileRefused, UnsafeFile, UnsupportedFormat

_HEADER_BYTES = 4096
_EXPORT = "export a statement or a remittance advice in another format"
_OFX_CHARSET = re.compile(rb"CHARSET\s*:\s*(?:ISO-?|WINDOWS-?|CP)?(8859-[0-9]{1,2}|125[0-8]|UTF-?8)", re.I)
_OFX_UNICODE = re.compile(rb"ENCODING\s*:\s*(?:UTF-?8|UNICODE)", re.I)
_XML_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9_.-]{1,20})[\"']", re.I)
_KNOWN_CODECS = re.compile(
    r"utf-?8|us-?ascii|(?:windows-?|cp)125[0-8]|(?:iso-?)?8859-[0-9]{1,2}|latin-?1", re.I
)


def read_file(data: bytes, profile: Profile = GENERIC) -> BankFile:
    """Read one bank file.

    Args:
        data: the bytes as they came.
        profile: what the file does not say itself; a CSV file needs one of its own.

    Raises:
        FileRefused: the file cannot be read at all; nothing of it is imported.
    """
    if len(data) > profile.max_bytes:
        limit_mib = profile.max_bytes // 1024**2
        raise UnsafeFile(f"the file is larger than {limit_mib} MiB", do="export a shorter period")
    name = sniff(data)
    refuse_unless_imported(name)
    with _nothing_is_garbage():
        codec, statements, warnings, remittances = READERS[name](data, profile, name)
        return BankFile(
            sha256=hashlib.sha256(data).hexdigest(),
            format=name,
            codec=codec,
            statements=_numbered(statements),
            warnings=texts.once(warnings),
            remittances=remittances,
        )


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """Let the cycle collector rest: all that is made of a file is kept, and searching it takes a third of the time."""
    rests = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if rests:
            gc.enable()


_Read = tuple[str, tuple[Statement, ...], tuple[str, ...], tuple[Remittance, ...]]


def _read_ofx(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import ofx

    decoded = decode.decode_ofx(data, _declared_ofx_codec(data[:_HEADER_BYTES]))
    statements, warnings = ofx.read(decoded.text, profile)
    return decoded.codec, statements, decoded.warnings + warnings, ()


def _read_camt(data: bytes, profile: Profile, name: Format) -> _Read:
    from arsync.connectors.bank.readers import camt

    drafts, warnings, codec = camt.read(data, name, profile)
    statements, remittances = finished(drafts)
    return codec, statements, warnings, remittances


def _read_csv(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import csvprofile

    dialect = _dialect(profile, "this is delimited text")
    decoded = decode.decode(data, dialect.encodings)
    statements, warnings, remittances = csvprofile.read(decoded.text, profile, dialect)
    return decoded.codec, statements, decoded.warnings + warnings, remittances


def _read_workbook(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import csvprofile, xlsx

    if not xlsx.is_workbook(data):
        raise UnsupportedFormat(
            "this is a ZIP archive; not imported", do="unpack it and put its files into the inbox"
        )
    dialect = _dialect(profile, "this is a workbook")
    cells = xlsx.rows(
        data,
        dialect.sheet,
        decimal_mark=profile.amounts.decimal_mark or ".",
        date_format=dialect.date_formats[0] if dialect.date_formats else "%Y-%m-%d",
        max_bytes=profile.max_bytes,
    )
    statements, warnings, remittances = csvprofile.read_cells(xlsx.as_rows(cells), profile, dialect)
    return "xlsx", statements, warnings, remittances


def _dialect(profile: Profile, what: str) -> CsvDialect:
    if profile.csv is None:
        raise FileRefused(
            f"{what}, and its profile declares no columns",
            do="arsync bank profile new FILE proposes one; see the README of the bank connector",
        )
    return profile.csv


def _read_swift(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import swift

    decoded = decode.decode_lines(data)
    statements, remittances = finished(swift.read(decoded.text, profile))
    return decoded.codec, statements, decoded.warnings, remittances


def _read_bai2(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import bai2

    decoded = decode.decode_lines(data)
    drafts, warnings = bai2.read(decoded.text, profile)
    return decoded.codec, finished(drafts)[0], warnings, ()


def _read_lockbox(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import lockbox

    decoded = decode.decode_lines(data)
    statements, remittances = finished(lockbox.read(decoded.text, profile))
    return decoded.codec, statements, (), remittances


def _read_nacha(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import nacha

    decoded = decode.decode_lines(data)
    statements, remittances = finished(nacha.read(decoded.text, profile))
    return decoded.codec, statements, (), remittances


def _read_x12(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import x12

    decoded = decode.decode_lines(data)
    remittances = x12.read(decoded.text, profile.currency)
    if not remittances:
        raise UnsupportedFormat("an X12 file without an 820 (payment order, remittance advice)", do=_EXPORT)
    return decoded.codec, (), (), remittances


def _read_qif(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import qif

    decoded = decode.decode_lines(data)
    drafts, warnings = qif.read(decoded.text, profile)
    return decoded.codec, finished(drafts)[0], warnings, ()


def _read_json(data: bytes, profile: Profile, _name: Format) -> _Read:
    from arsync.connectors.bank.readers import feed

    decoded = decode.decode(data, ("utf-8",))
    return decoded.codec, finished(feed.read(decoded.text, profile))[0], (), ()


READERS: dict[Format, Callable[[bytes, Profile, Format], _Read]] = {
    "ofx": _read_ofx,
    "camt.053": _read_camt,
    "camt.052": _read_camt,
    "camt.054": _read_camt,
    "csv": _read_csv,
    "zip": _read_workbook,
    "mt940": _read_swift,
    "mt942": _read_swift,
    "bai2": _read_bai2,
    "bai lockbox": _read_lockbox,
    "nacha": _read_nacha,
    "x12 820": _read_x12,
    "qif": _read_qif,
    "json": _read_json,
}


def _declared_ofx_codec(head: bytes) -> str | None:
    """The codec an OFX header declares, as Python names it; None when it declares none that is known."""
    xml = _XML_ENCODING.search(head)
    if xml:
        name = xml[1].decode("ascii")
        return name.lower() if _KNOWN_CODECS.fullmatch(name) else None
    if b"<?xml" in head:
        return "utf-8"
    if _OFX_UNICODE.search(head):
        return "utf-8"
    charset = _OFX_CHARSET.search(head)
    if not charset:
        return None
    name = charset[1].decode("ascii").lower()
    return f"iso{name}" if name.startswith("8859") else "utf-8" if name.startswith("utf") else f"cp{name}"


def _numbered(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Number equal lines per account over the whole file; an id is unique, at best, in its account."""
    by_account: dict[str, list[BankLineRead]] = {}
    for statement in statements:
        by_account.setdefault(statement.account.key, []).extend(statement.lines)
    numbered = {key: iter(identity.numbered(lines)) for key, lines in by_account.items()}
    return tuple(
        replace(statement, lines=tuple(islice(numbered[statement.account.key], len(statement.lines))))
        for statement in statements
    )


__all__ = ["READERS", "Format", "read_file"]
