"""Wounds for fuzzing: a file cut into its own pieces (tags, fields, records), and what goes wrong with pieces.

Shape   (bytes, grains, chance) -> damaged bytes; the same chance gives the same bytes.
"""

import io
import random
import re
import time
import zipfile
from collections.abc import Iterator, Sequence
from itertools import count

Grains = tuple[re.Pattern[bytes], ...]
"""Where pieces begin, coarse to fine: each pattern matches nothing wide, between two pieces."""

LARGEST = 200_000
_MOST_SPLIT = 40_000
_NUMBER = re.compile(rb"[0-9]+(?:[.,][0-9]+)*")
_ODD_NUMBERS = [
    "", "-", "--5", "+5", "5-", "(12.50)", "NaN", "Infinity", "-0", "1e5", "1E-2", "12e999", "0x1F", "1_000", "5 000",
    "1,234.50", "1.234,50", "1'234.50", "1,00,000.50", "12.345", "0.001", ".5", "5.", ",5", "1.2.3", "9" * 40, "0" * 30,
    "\u0661\u0662\u0663", "\uff11\uff12.50", "\u00bd", "\u22125.00", "1\u00a0234,50", "20260231", "99999999", "000000",
    "null", "true", "=1+1", "\u00b2", "7" * 5000,
]  # fmt: skip
_TOKENS = [
    b"<", b">", b"</", b'"', b"'", b"&", b"&amp;", b"&#49;", b"&#0;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x ?>",
    b"<!DOCTYPE x [", b"\x00", b"\xff\xfe", b"\xe2\x82\xac", b"\xe9", b"\r", b"\n", b",", b";", b"-", b"/", b":",
    b"~", b"*", b"\\", b"{", b"[", b"}", b"]", b"\t", b"  ", b"\xef\xbb\xbf", b"(", b")", b"EUR", b"JPY", b"KWD",
]  # fmt: skip
_CODECS = ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32", "cp1252", "cp037", "utf-7")


def chances(seed: str) -> Iterator[tuple[int, random.Random]]:
    """A source of chance for each turn, without an end."""
    return ((number, random.Random(f"{seed}-{number}")) for number in count())


def turns(seed: str, budget_s: float, least: int = 200) -> Iterator[tuple[int, random.Random]]:
    """A source of chance for each turn, until so much processor time is spent."""
    until = time.process_time() + budget_s
    for number, chance in chances(seed):
        if time.process_time() > until:
            assert number > least, "too slow to find anything"
            return
        yield number, chance


def wounded(data: bytes, grains: Grains, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """The file with one to four wounds."""
    for _ in range(chance.choice([1, 1, 2, 3, 4])):
        kind = chance.random()
        if kind < 0.45:
            data = _piece(data, chance.choice(grains), chance, others)
        elif kind < 0.75:
            data = _number(data, chance)
        elif kind < 0.95:
            data = _bytes(data, chance, others)
        else:
            data = _written(data, chance)
    return data


def _piece(data: bytes, grain: re.Pattern[bytes], chance: random.Random, others: Sequence[bytes]) -> bytes:
    """One piece dropped, doubled, moved, swapped, cut short, taken from another file, or said very often."""
    start = chance.randrange(max(1, len(data) - _MOST_SPLIT))
    before, middle, after = data[:start], data[start : start + _MOST_SPLIT], data[start + _MOST_SPLIT :]
    pieces = grain.split(middle)
    one, two = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    piece, kind = pieces[one], chance.randrange(20)
    if kind < 4:
        pieces[one] = b""
    elif kind < 8:
        pieces[one] = piece + piece
    elif kind < 11:
        pieces[one], pieces[two] = pieces[two], piece
    elif kind < 13:
        pieces.insert(two, pieces.pop(one))
    elif kind < 16:
        pieces[one] = piece[: chance.randrange(len(piece) + 1)]
    elif kind < 19:
        pieces[one] = chance.choice(grain.split(chance.choice(others)[:_MOST_SPLIT]))
    else:
        times = chance.choice([10, 100, 1000, LARGEST])
        pieces[one] = piece * min(times, max(1, (LARGEST - len(data)) // max(1, len(piece))))
    return before + b"".join(pieces) + after


def _number(data: bytes, chance: random.Random) -> bytes:
    """One number replaced: by one that is odd, or by one that stands nowhere else in the file."""
    start = chance.randrange(len(data) + 1)
    found = _NUMBER.search(data, start) or _NUMBER.search(data)
    if not found:
        return data
    if chance.random() < 0.5:
        there = chance.choice(_ODD_NUMBERS).encode()
    else:
        there = str(chance.randrange(10 ** chance.randint(1, 12))).encode()
        if chance.random() < 0.7:
            there += chance.choice([b".", b","]) + str(chance.randrange(1000)).encode()
        elif chance.random() < 0.5:  # formats in columns of fixed width
            there = there.rjust(len(found[0]), b"0")[: len(found[0])]
    return data[: found.start()] + there + data[found.end() :]


def _bytes(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """Bytes cut, changed, doubled, or taken from another file, with no regard for what they mean."""
    at, length = chance.randrange(len(data) + 1), chance.choice([1, 1, 2, 8, 64, 1024])
    part = data[at : at + length]
    other = chance.choice(others)
    begin = chance.randrange(len(other) + 1)
    there = chance.choice(
        [b"", part + part, chance.choice(_TOKENS), chance.randbytes(length), other[begin : begin + length]]
    )
    return data[:at] + there + data[at + chance.choice([0, length]) :]


def _written(data: bytes, chance: random.Random) -> bytes:
    """The whole file in another codec, with other line ends, cut off, or twice."""
    kind = chance.randrange(6)
    if kind < 2:
        return data.decode("utf-8", "replace").encode(chance.choice(_CODECS), "replace")
    if kind == 2:
        return data.replace(b"\r\n", b"\n").replace(b"\n", chance.choice([b"\r\n", b"\r", b"\n\n", b""]))
    if kind == 3:
        return data[: chance.randrange(len(data) + 1)]
    return data + data if len(data) < LARGEST else data


def wounded_zip(data: bytes, grains: Grains, chance: random.Random) -> bytes:
    """An archive of which one member is wounded, so that what is inside is reached and not only the archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice([*members, *(name for name in members if "sheet" in name.lower())])
    members[name] = wounded(members[name], grains, chance, list(members.values()))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


# ---- does an amount stand in the text?

_SEPARATORS = (".", ",", ".,", ".,'\u2019", ".,'\u2019 \u00a0\u2009\u202f")
_TOKEN = {marks: re.compile(rf"[0-9][0-9{re.escape(marks)}]*") for marks in ("", *_SEPARATORS)}
_NO_DIGIT = re.compile(r"[^0-9]+")
_NOT_CONTENT = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[|\]\]>", re.DOTALL)


class Numbers:
    """The numbers a text writes, by their digits without zeros at either end: 1,234.50 and 0123450 are 12345."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.whole: set[str] = set()
        self._run: str | None = None
        for text in texts:
            for pattern in _TOKEN.values():
                self.whole.update(_digits(token) for token in pattern.findall(text))

    def state(self, minor: int, *, in_columns: bool) -> bool:
        """Whether an amount stands there; in columns of fixed width it may be part of a longer run of digits."""
        wanted = str(abs(minor)).strip("0")
        if wanted in self.whole or not wanted:
            return True
        if not in_columns:
            return False
        if self._run is None:
            self._run = "|".join(_NO_DIGIT.sub("", text) for text in self.texts)
        return wanted in self._run


def _digits(token: str) -> str:
    return _NO_DIGIT.sub("", token).strip("0")


def without_markup(text: str) -> str:
    """XML or HTML without what is no content inside a number: comments, instructions, the marks of CDATA."""
    return _NOT_CONTENT.sub("", text)
