"""Reports as files: CSV, JSON and XLSX, each with a manifest that proves what is in it.

Units   amount cells are `Money`, percent cells basis points (100 bp = 1 %), dates `date`, ids text.
Shape   `write(table, path)` makes `path` and `path + ".manifest.json"`; rows are streamed.
Law     files hold exactly the rows given; control totals in the manifest are the sums of the amounts written.
Errors  `SetupError` when the disk is full or the folder cannot be written: neither file nor manifest is left.
        `UsageError` for what a format cannot hold. `Broken` when a row does not fit its table.

Conventions of all three: UTF-8, ISO dates, amounts as plain decimals with the digits of their currency, the
currency in its own column, stable snake_case headers. CSV has CRLF line ends and quoted text; text that a
spreadsheet would take for a formula gets an apostrophe in front (see `guarded`). In XLSX amounts are numbers
in the currency's format; one of over 15 digits is text, because a spreadsheet would silently round it.
"""

import csv
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import arsync
from arsync.core.money import Money, exponent
from arsync.errors import Broken, SetupError, UsageError
from arsync.output import Json, jsonable
from arsync.reports.stamp import Stamp

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

Kind = Literal["text", "date", "amount", "integer", "currency", "percent"]
FileKind = Literal["csv", "json", "xlsx"]
Cell: TypeAlias = str | date | Money | int | None
Row: TypeAlias = Sequence[Cell]

SCHEMA = 1  # of the files; raised when a column changes its meaning
_EXACT_IN_XLSX = 10**15
_XLSX_ROWS, _XLSX_TEXT, _XLSX_NAME, _XLSX_FIRST_YEAR = 1_048_576, 32_767, 31, 1900
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_TYPES: dict[Kind, type] = {
    "text": str,
    "date": date,
    "amount": Money,
    "integer": int,
    "currency": str,
    "percent": int,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; a table with amounts has a column of kind `currency` that says which."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A report as rows. `rows` may be a generator; it is read once."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Written:
    """What was written; `control` maps currency and column to the sum of that column."""

    path: Path
    manifest: Path
    rows: int
    control: Mapping[str, Mapping[str, Money]]
    sha256: str


@dataclass(slots=True)
class _Tally:
    """Checks rows on their way into a file and adds them up."""

    table: Table
    rows: int = 0
    control: dict[str, dict[str, Money]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Row]:
        columns = self.table.columns
        currencies = [n for n, column in enumerate(columns) if column.kind == "currency"]
        for row in self.table.rows:
            self._check(row)
            stated = {row[n] for n in currencies}
            for column, cell in zip(columns, row, strict=True):
                if isinstance(cell, Money):
                    self._add(column.name, cell, stated)
            self.rows += 1
            yield row

    def _check(self, row: Row) -> None:
        if len(row) != len(self.table.columns):
            raise Broken(f"a row of {self.table.name} has {len(row)} cells", where=repr(row))
        for column, cell in zip(self.table.columns, row, strict=True):
            fits = isinstance(cell, _TYPES[column.kind]) and not isinstance(cell, bool)
            if cell is not None and not fits:
                raise Broken(
                    f"{cell!r} is no {column.kind} for {self.table.name}.{column.name}", where=repr(row)
                )

    def _add(self, name: str, amount: Money, stated: set[Cell]) -> None:
        if amount.currency not in stated:
            raise Broken(f"{amount} in {self.table.name}.{name}, but its row states another currency")
        totals = self.control.setdefault(amount.currency, {})
        totals[name] = totals.get(name, Money.zero(amount.currency)) + amount


def write(table: Table, path: Path, form: FileKind | None = None) -> Written:
    """Write a table and its manifest; the format follows the file's suffix unless given.

    An older file of this name stays as it is until the new one is complete on the disk.

    Raises:
        SetupError: the disk is full, or the folder cannot be written.
        UsageError: an unknown suffix, or more than the format can hold.
        Broken: a row that does not fit the table.
    """
    body = _WRITERS.get(form or path.suffix.lstrip(".").lower())
    if body is None:
        raise UsageError(
            f"no writer for {path.suffix or 'a file without suffix'}",
            where=str(path),
            do="use .csv, .json or .xlsx",
        )
    manifest = path.with_name(path.name + ".manifest.json")
    tally = _Tally(table)
    try:
        with tempfile.TemporaryDirectory(prefix=".arsync-", dir=path.parent) as room:
            draft, manifest_draft = Path(room, "report"), Path(room, "manifest")
            body(tally, draft)
            sha256 = _sha256(draft)
            _write_manifest(manifest_draft, path.name, tally, sha256)
            _sync(draft)
            _sync(manifest_draft)
            _put(draft, path, manifest_draft, manifest)
    except OSError as error:
        raise SetupError(
            f"the report was not written: {error.strerror or error}",
            where=str(path),
            do="free some space or choose a folder you may write to, then run the same command again",
        ) from error
    return Written(path, manifest, tally.rows, tally.control, sha256)


def _put(draft: Path, path: Path, manifest_draft: Path, manifest: Path) -> None:
    """Move both into place; the manifest comes off first and goes on last, so it never belies its file."""
    manifest.unlink(missing_ok=True)
    draft.replace(path)
    try:
        manifest_draft.replace(manifest)
    except OSError:
        path.unlink()
        raise
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_manifest(draft: Path, name: str, tally: _Tally, sha256: str) -> None:
    table = tally.table
    content: dict[str, Json] = {
        "schema": SCHEMA,
        "generator": f"arsync {arsync.__version__}",
        "report": table.name,
        "file": name,
        "sha256": sha256,
        "rows": tally.rows,
        "columns": [{"name": column.name, "type": column.kind} for column in table.columns],
        "control_totals": _control(tally),
        **_stamp(table.stamp),
    }
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _control(tally: _Tally) -> Json:
    return {
        currency: {name: amount.text() for name, amount in totals.items()}
        for currency, totals in sorted(tally.control.items())
    }


def _stamp(stamp: Stamp) -> dict[str, Json]:
    return {each.name: jsonable(getattr(stamp, each.name)) for each in fields(stamp)}


# CSV


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    What starts with = + - @, tab or a line end, after any apostrophes, gets one more apostrophe in front.
    To read the original back, remove one apostrophe from text that still starts like that.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _write_csv(tally: _Tally, draft: Path) -> None:
    columns = tally.table.columns
    with draft.open("w", encoding="utf-8", newline="") as stream:
        # QUOTE_NONNUMERIC leaves exactly the numbers bare, so an id such as 007 stays text.
        writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        writer.writerow([column.name for column in columns])
        for row in tally:
            writer.writerow([_csv_cell(column, cell) for column, cell in zip(columns, row, strict=True)])


def _csv_cell(column: Column, cell: Cell) -> str | int | Decimal:
    match cell:
        case None:
            return ""
        case Money():
            return cell.decimal()
        case int():
            return _percent(cell) if column.kind == "percent" else cell
        case date():
            return _iso(cell)
    return guarded(cell)


def _percent(basis_points: int) -> Decimal:
    return Decimal(basis_points).scaleb(-2)


def _iso(day: date) -> str:
    return day.date().isoformat() if isinstance(day, datetime) else day.isoformat()


# JSON


def _write_json(tally: _Tally, draft: Path) -> None:
    """One object: the stamp, then a list of rows, one a line, then what they add up to."""
    columns = tally.table.columns
    head: dict[str, Json] = {"schema": SCHEMA, "report": tally.table.name, **_stamp(tally.table.stamp)}
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(f'{json.dumps(head, ensure_ascii=False)[:-1]}, "rows": [')
        for number, row in enumerate(tally):
            record = {c.name: _json_cell(c, cell) for c, cell in zip(columns, row, strict=True)}
            stream.write(f"{',' if number else ''}\n{json.dumps(record, ensure_ascii=False)}")
        stream.write(f'\n], "row_count": {tally.rows}, "control_totals": {json.dumps(_control(tally))}}}\n')


def _json_cell(column: Column, cell: Cell) -> Json:
    match cell:
        case Money():
            return cell.text()
        case int() if column.kind == "percent":
            return f"{_percent(cell):f}"
        case date():
            return _iso(cell)
    return cell


# XLSX


def _write_xlsx(tally: _Tally, draft: Path) -> None:
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(draft.parent),
    }
    try:
        with Workbook(str(draft), options) as book:
            book.use_zip64()
            # The same figures give the same bytes: no clock in the file.
            book.set_properties({"created": datetime.combine(tally.table.stamp.as_of, time())})
            _figures(book, tally)
            _about(book, tally)
    except FileCreateError as error:
        raise error.args[0] from error  # the OSError it wraps


def _figures(book: "Workbook", tally: _Tally) -> None:
    columns = tally.table.columns
    sheet = book.add_worksheet(tally.table.name[:_XLSX_NAME])
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 16)
    styles = _Styles(book)
    for n, column in enumerate(columns):
        sheet.write_string(0, n, column.name, styles("@", bold=True))
    for line, row in enumerate(tally, start=1):
        for n, (column, cell) in enumerate(zip(columns, row, strict=True)):
            value, number_format = _xlsx_cell(column, cell)
            if _store(sheet, (line, n), value, styles(number_format)):
                raise UsageError(
                    f"{tally.table.name} does not fit into a spreadsheet: "
                    f"over {_XLSX_ROWS:,} rows, or over {_XLSX_TEXT:,} characters in a cell",
                    where=f"row {line}, column {column.name}",
                    do="write it as .csv or .json",
                )


def _about(book: "Workbook", tally: _Tally) -> None:
    """What the manifest says, for whoever gets only the spreadsheet."""
    sheet = book.add_worksheet("about")
    sheet.set_column(0, 1, 24)
    styles = _Styles(book)
    lines: list[tuple[str, Json]] = [
        ("generator", f"arsync {arsync.__version__}"),
        *_stamp(tally.table.stamp).items(),
    ]
    lines.append(("rows", str(tally.rows)))
    for currency, totals in sorted(tally.control.items()):
        lines += [(f"control total {name} {currency}", amount.text()) for name, amount in totals.items()]
    for number, (label, value) in enumerate(lines):
        sheet.write_string(number, 0, label, styles("@", bold=True))
        sheet.write_string(number, 1, "" if value is None else str(value))


def _xlsx_cell(column: Column, cell: Cell) -> tuple[Decimal | date | str | None, str]:
    """The value to store and its number format."""
    match cell:
        case Money():
            digits = exponent(cell.currency)
            # A spreadsheet's binary numbers keep 15 digits; more would be rounded without a word.
            exact = abs(cell.minor) < _EXACT_IN_XLSX
            return cell.decimal() if exact else cell.text(), f"#,##0.{'0' * digits}".rstrip(".")
        case int() if column.kind == "percent":
            return _percent(cell) / 100, "0.00%"
        case int():
            return (Decimal(cell), "0") if abs(cell) < _EXACT_IN_XLSX else (str(cell), "0")
        case date() if cell.year < _XLSX_FIRST_YEAR:
            return _iso(cell), "@"
        case date():
            return cell, "yyyy-mm-dd"
    # Text stays text, even when somebody edits the cell.
    return cell, "@"


def _store(sheet: "Worksheet", at: tuple[int, int], value: Decimal | date | str | None, style: object) -> int:
    """Put one cell; not 0 when it does not fit."""
    match value:
        case None:
            return 0
        case Decimal():
            return int(sheet.write_number(*at, value, style))
        case date():
            return int(sheet.write_datetime(*at, value, style))
    return int(sheet.write_string(*at, value, style))


class _Styles:
    """One style a number format; a workbook keeps every style it is given."""

    def __init__(self, book: "Workbook") -> None:
        self._book = book
        self._made: dict[tuple[str, bool], Format] = {}

    def __call__(self, number_format: str, *, bold: bool = False) -> "Format":
        key = (number_format, bold)
        if key not in self._made:
            self._made[key] = self._book.add_format({"num_format": number_format, "bold": bold})
        return self._made[key]


_WRITERS: dict[str, Callable[[_Tally, Path], None]] = {
    "csv": _write_csv,
    "json": _write_json,
    "xlsx": _write_xlsx,
}
