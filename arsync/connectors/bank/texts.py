"""Remittance text, put together in the two ways a reader may need.

Banks cut text into pieces in the middle of words and numbers, or between them, and do not say which:
joined with a space the words stay apart, joined without the numbers stay whole.
"""

from collections.abc import Iterable

LONGEST_TEXT = 4096
LONGEST_COUNT = 18


def join(pieces: Iterable[str | None]) -> tuple[str, str, tuple[str, ...]]:
    """Return (text, text_joined, warnings); white space inside a piece becomes one space."""
    kept = [tidy for piece in pieces if piece and (tidy := " ".join(piece.split()))]
    text, joined = " ".join(kept), "".join(kept)
    if len(text) <= LONGEST_TEXT:
        return text, joined, ()
    return text[:LONGEST_TEXT], joined[:LONGEST_TEXT], ("text-cut",)


def count(text: str) -> int | None:
    """A whole number in ASCII digits, as files count things; None for all else, and for one beyond any use."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_COUNT else None


def once(warnings: Iterable[str]) -> tuple[str, ...]:
    """The same codes in the same order, each once."""
    return tuple(dict.fromkeys(warnings))
