"""The cells of an XLSX workbook as rows of text, for the profile that reads delimited text.

Units   a number is given with the 15 significant digits a spreadsheet means, never as a float; a date in the
        first date format of the profile.
Shape   bytes -> rows; one sheet, the named one or the first that is shown.
Law     a cell's text is what the workbook stores; what a formula came to is its value.
Errors  `UnsafeFile` (DOCTYPE, too large unpacked), `FileRefused` (not a workbook, no such sheet).
Source  ECMA-376 part 1, SpreadsheetML (workbook, worksheet, sharedStrings, styles).
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from io import BytesIO
from xml.parsers import expat

from arsync.connectors.bank import texts
from arsync.errors import FileRefused, UnsafeFile

_DO = "save the sheet as CSV, or download the file again"
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_IN_QUOTES = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DATE_LETTERS = re.compile(r"[dmyhs]", re.IGNORECASE)
_COLUMN = re.compile(r"([A-Z]{1,3})[0-9]+")
_MOST_COLUMNS = 16_384
_MOST_ROWS = 1_048_576
_MOST_PADDED = 4_000_000
_MEANT = Context(prec=15)
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - days of a sheet have no zone
_LATEST_DAY = 2_958_465  # 9999-12-31
_Start = Callable[[str, dict[str, str]], None]
_End = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class _Look:
    """What the cells of a workbook need to be read."""

    strings: tuple[str, ...]
    date_styles: frozenset[int]
    epoch: datetime
    decimal_mark: str
    date_format: str


def is_workbook(data: bytes) -> bool:
    """Whether a ZIP file is a workbook."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return False


def rows(
    data: bytes, sheet: str | None, *, decimal_mark: str, date_format: str, max_bytes: int
) -> list[list[str]]:
    """The rows of one sheet; blank ones in between are kept, so that row numbers are those of the sheet."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > max_bytes:
                raise UnsafeFile(f"the workbook unpacks to more than {max_bytes // 1024**2} MiB", do=_DO)
            return _read(archive, sheet, decimal_mark, date_format)
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        zlib.error,
    ) as error:
        raise FileRefused(f"the workbook cannot be unpacked: {error}", do=_DO) from None
    except expat.ExpatError as error:
        raise FileRefused(f"a part of the workbook is not well-formed: {error}", do=_DO) from None


def _read(
    archive: zipfile.ZipFile, sheet: str | None, decimal_mark: str, date_format: str
) -> list[list[str]]:
    names = set(archive.namelist())
    book = _Book()
    _parse(archive.read("xl/workbook.xml"), book.start, _nothing)
    targets: dict[str, str] = {}

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    if "xl/_rels/workbook.xml.rels" in names:
        _parse(archive.read("xl/_rels/workbook.xml.rels"), relation, _nothing)
    target = targets.get(book.chosen(sheet), "worksheets/sheet1.xml").removeprefix("/xl/").removeprefix("./")
    path = target if target.startswith("xl/") else f"xl/{target}"
    if path not in names:
        raise FileRefused("the workbook lacks its sheet", do=_DO)
    strings = _strings(archive.read("xl/sharedStrings.xml")) if "xl/sharedStrings.xml" in names else ()
    styles = _date_styles(archive.read("xl/styles.xml")) if "xl/styles.xml" in names else frozenset()
    look = _Look(strings, styles, _EPOCH_1904 if book.from_1904 else _EPOCH, decimal_mark, date_format)
    reading = _Sheet(look)
    _parse(archive.read(path), reading.start, reading.end)
    return reading.rows


def _nothing(_name: str, _text: str) -> None:
    """An end that means nothing."""


def _doctype(*_: object) -> None:
    raise UnsafeFile("a part of the workbook declares a DOCTYPE", do=_DO)


def _parse(xml: bytes, start: _Start, end: _End) -> None:
    """Walk the elements of a part by local name; `end` gets the text directly inside."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    text: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        text.clear()
        start(name.rpartition(":")[2], attributes)

    def finish(name: str) -> None:
        end(name.rpartition(":")[2], "".join(text))
        text.clear()

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = _doctype
    parser.Parse(xml, True)  # noqa: FBT003 - expat takes no names


class _Book:
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.from_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self.from_1904 = attributes.get("date1904") in {"1", "true"}
        elif name == "sheet":
            relation = next(
                (value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), ""
            )
            self.sheets.append(
                (attributes.get("name", ""), relation, attributes.get("state", "visible") == "visible")
            )

    def chosen(self, wanted: str | None) -> str:
        """The relation of the wanted sheet, else of the first that is shown."""
        for name, relation, shown in self.sheets:
            if name == wanted or (wanted is None and shown):
                return relation
        names = ", ".join(name for name, _, _ in self.sheets)
        raise FileRefused(
            f"the workbook has no sheet {wanted!r}; it has {names}", do="name it in the bank profile"
        )


def _strings(xml: bytes) -> tuple[str, ...]:
    found: list[str] = []
    pieces: list[str] = []
    phonetic = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal phonetic
        if name == "si":
            pieces.clear()
        elif name == "rPh":
            phonetic += 1

    def end(name: str, text: str) -> None:
        nonlocal phonetic
        if name == "t" and not phonetic:
            pieces.append(text)
        elif name == "rPh":
            phonetic -= 1
        elif name == "si":
            found.append("".join(pieces))

    _parse(xml, start, end)
    return tuple(found)


def _date_styles(xml: bytes) -> frozenset[int]:
    """The numbers of cell styles that show a number as a date."""
    formats: dict[str, str] = {}
    styles: list[str] = []
    inside = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == "numFmt":
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name in {"cellXfs", "cellStyleXfs"}:
            inside = name
        elif name == "xf" and inside == "cellXfs":
            styles.append(attributes.get("numFmtId", "0"))

    _parse(xml, start, _nothing)
    return frozenset(at for at, number in enumerate(styles) if _is_date(number, formats))


def _is_date(number: str, formats: dict[str, str]) -> bool:
    if number in formats:
        return _DATE_LETTERS.search(_IN_QUOTES.sub("", formats[number])) is not None
    return texts.count(number) in _BUILT_IN_DATES


class _Sheet:
    """The rows of a sheet while its cells go by."""

    def __init__(self, look: _Look) -> None:
        self.look = look
        self.rows: list[list[str]] = []
        self._padded = 0
        self._kind = self._style = self._place = self._inline = self._value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            number = texts.count(attributes.get("r", ""))
            if number is not None and number <= _MOST_ROWS:
                self.rows += [[] for _ in range(number - 1 - len(self.rows))]
            self.rows.append([])
        elif name == "c":
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._place, self._inline, self._value = attributes.get("r", ""), "", ""

    def end(self, name: str, text: str) -> None:
        if name == "v":
            self._value = text
        elif name == "t":
            self._inline += text
        elif name == "c" and self.rows:
            row = self.rows[-1]
            column = _column(self._place, len(row))
            gap = max(0, column - len(row))
            self._padded += gap
            if self._padded > _MOST_PADDED:
                raise UnsafeFile("the sheet is millions of empty cells wide", do=_DO)
            row.extend([""] * gap)
            row.append(self._shown())

    def _shown(self) -> str:
        value = self._value
        if self._kind == "s":
            at = texts.count(value)
            return self.look.strings[at] if at is not None and at < len(self.look.strings) else value
        if self._kind == "inlineStr":
            return self._inline
        if self._kind != "n" or not value:
            return value
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            return value
        if texts.count(self._style) in self.look.date_styles:
            return _date(number, self.look) or value
        return _number(number, self.look.decimal_mark)


def _column(place: str, following: int) -> int:
    found = _COLUMN.fullmatch(place)
    if not found:
        return following
    at = 0
    for letter in found[1]:
        at = at * 26 + ord(letter) - ord("A") + 1
    return max(min(at - 1, _MOST_COLUMNS), following)


def _number(number: Decimal, mark: str) -> str:
    if not number.is_finite() or abs(number.adjusted()) > 20:  # noqa: PLR2004 - no amount is
        return str(number)
    return f"{number.normalize(_MEANT):f}".replace(".", mark)


def _date(number: Decimal, look: _Look) -> str:
    if not number.is_finite() or not 0 <= number <= _LATEST_DAY:
        return ""
    day = look.epoch + timedelta(days=int(number))
    return day.strftime(look.date_format)


def as_rows(found: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with their numbers, blank ones left out."""
    for number, cells in enumerate(found, 1):
        if any(cell.strip() for cell in cells):
            yield number, cells
