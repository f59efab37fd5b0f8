"""Bytes to text, strictly, and on record.

Shape   (bytes, declared codecs) -> `Decoded`; no byte is replaced or skipped.
Errors  `FileRefused` when no declared codec fits.
Source  OFX 1.6 section 2.2 (ENCODING, CHARSET), RFC 3629; exports that declare one codec and use another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from arsync.errors import FileRefused, UnsafeFile

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the codec that gave it, and whether it was the one the file declares."""

    text: str
    codec: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes, declared: Sequence[str]) -> Decoded:
    """Decode with a byte order mark's codec, else the first declared codec that fits every byte.

    Raises:
        FileRefused: no declared codec fits; nothing is replaced.
    """
    bom_length, bom_codec = _bom(data)
    if bom_codec:
        text = _strictly(data[bom_length:], bom_codec)
        if text is None:
            raise _no_codec_fits([bom_codec])
        return Decoded(text, bom_codec)
    for position, codec in enumerate(declared):
        text = _strictly(data, codec)
        if text is not None:
            return Decoded(text, codec, ("codec-not-the-declared",) if position else ())
    raise _no_codec_fits(declared)


def decode_ofx(data: bytes, declared: str | None) -> Decoded:
    """Decode an OFX file, whose declared charset is often wrong.

    Text of more than ASCII that is valid UTF-8 is UTF-8 whatever the header says: other codecs
    give such byte pairs only by accident. Windows-1252 comes before Latin-1, which fits anything.
    """
    _, bom_codec = _bom(data)
    if bom_codec:
        return decode(data, [bom_codec])
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii")
    for codec in ("utf-8", declared or "cp1252", "cp1252", "latin-1"):
        text = _strictly(data, codec)
        if text is not None:
            return Decoded(text, codec, () if codec == declared else ("codec-not-the-declared",))
    raise _no_codec_fits([declared or "none"])


LONGEST_LINE = 1024 * 1024


def decode_lines(data: bytes) -> Decoded:
    """Decode a file of lines in no declared codec: UTF-8, else Windows-1252, else Latin-1.

    Raises:
        UnsafeFile: a line is longer than any bank writes (1 MiB).
    """
    decoded = decode(data, ("utf-8", "cp1252", "latin-1"))
    text = decoded.text
    for start in range(0, len(text) - LONGEST_LINE, LONGEST_LINE):
        window = text[start : start + LONGEST_LINE]
        if "\n" not in window and "\r" not in window:
            raise UnsafeFile(
                "a line of the file is longer than 1 MiB", do="check that it is the bank's export"
            )
    return Decoded(text, decoded.codec)


def _bom(data: bytes) -> tuple[int, str | None]:
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return len(bom), codec
    return 0, None


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None


def _no_codec_fits(codecs: Sequence[str]) -> FileRefused:
    return FileRefused(
        f"the file is not text in {' or '.join(codecs)}",
        do="declare the right encoding in the bank profile, or ask the bank for UTF-8",
    )
