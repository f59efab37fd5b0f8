"""XLSX workbooks (ECMA-376), made by a library that is not ours, and read by the profile of a CSV file."""

import zipfile
from dataclasses import replace
from datetime import date, datetime
from io import BytesIO

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from arsync.connectors.bank.bankprofile import parse_profile
from arsync.connectors.bank.mapping import read_file
from arsync.errors import FileRefused, UnsafeFile, UnsupportedFormat

PROFILE = parse_profile(
    """
name = "sheet"
currency = "EUR"
amounts = { decimal_mark = "," }
[csv]
header = ["Date", "Text", "Amount"]
header_within = 5
date_formats = ["%d.%m.%Y"]
columns = { booking_date = "Date", text = ["Text"], amount = "Amount" }
""",
    where="sheet",
)


def workbook(*rows, sheets=("Export",), mac=False, preamble=True):
    book = Workbook()
    if mac:
        book.epoch = CALENDAR_MAC_1904
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        if preamble:
            sheet.append(["Account", "DE89370400440532013000"])
            sheet.append([])
        sheet.append(["Date", "Text", "Amount"])
        for row in rows:
            sheet.append(list(row))
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def read_one(*rows, profile=PROFILE, **more):
    (read,) = read_file(workbook(*rows, **more), profile).statements
    return read


@pytest.mark.parametrize("mac", [False, True], ids=["days since 1900", "days since 1904"])
def test_dates_and_numbers_of_cells_are_read_as_the_sheet_means_them(mac):
    read = read_one((datetime(2026, 1, 15), "Invoice 1001", 1234.5), (date(2024, 2, 29), "x", -0.1), mac=mac)
    assert [(line.booking_date, line.amount.minor, line.text) for line in read.lines] == [
        (date(2026, 1, 15), 123_450, "Invoice 1001"),
        (date(2024, 2, 29), -10, "x"),
    ]
    assert read.lines[0].locator == "line 4"


def test_a_sum_the_spreadsheet_computed_in_binary_is_the_sum_it_shows():
    assert read_one(("15.01.2026", "x", 1.1 + 2.2)).lines[0].amount.minor == 330


def altered(data, member, *changes):
    """The workbook with one part changed as text."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for old, new in changes:
        assert old in parts[member], parts[member]
        parts[member] = parts[member].replace(old, new)
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize("number", ["\u00b2", "9" * 5000, "-1", "1048577", ""])
def test_a_row_that_numbers_itself_beyond_any_sheet_follows_the_one_before(number):
    data = altered(
        workbook(("15.01.2026", "x", 5), preamble=False), SHEET, (b'row r="2"', f'row r="{number}"'.encode())
    )
    (read,) = read_file(data, PROFILE).statements
    assert [line.amount.minor for line in read.lines] == [500]


@pytest.mark.parametrize("style", ["\u00b2", "9" * 5000])
def test_a_style_nobody_numbers_so_is_no_date(style):
    data = altered(
        workbook((date(2026, 1, 15), "x", 5), preamble=False),
        SHEET,
        (b's="1"', f's="{style}"'.encode()),
    )
    (read,) = read_file(data, PROFILE).statements
    assert [problem.code for problem in read.problems] == ["date-unreadable"]


def test_a_sheet_of_empty_cells_alone_is_refused_before_it_fills_the_memory():
    wide = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (at, at) for at in range(3, 400))
    data = altered(
        workbook(("15.01.2026", "x", 5), preamble=False), SHEET, (b"</sheetData>", wide + b"</sheetData>")
    )
    with pytest.raises(UnsafeFile, match="empty cells"):
        read_file(data, PROFILE)


def test_a_part_whose_bytes_are_damaged_is_refused_by_name():
    data = workbook(*[("15.01.2026", f"x{at}", at) for at in range(300)])
    where = data.index(SHEET.encode()) + len(SHEET) + 40
    with pytest.raises(FileRefused, match="unpacked"):
        read_file(data[:where] + b"\xff" * 40 + data[where + 40 :], PROFILE)


def test_text_cells_are_read_as_text():
    assert read_one(("15.01.2026", "00123", "1.234,56")).lines[0].amount.minor == 123_456


def test_an_amount_finer_than_its_currency_is_a_problem():
    read = read_one(("15.01.2026", "x", 1.005), ("15.01.2026", "y", 1))
    assert (len(read.lines), [problem.code for problem in read.problems]) == (1, ["amount-unreadable"])


def test_the_named_sheet_is_read():
    profile = replace(PROFILE, csv=replace(PROFILE.csv, sheet="Second"))
    assert len(read_one(("15.01.2026", "x", 1), sheets=("First", "Second"), profile=profile).lines) == 1
    with pytest.raises(FileRefused, match="Second"):
        read_one(("15.01.2026", "x", 1), profile=profile)


def test_a_formula_counts_with_the_value_it_came_to():
    data = workbook(("15.01.2026", "x", 1))
    with zipfile.ZipFile(BytesIO(data)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(
        b"<v>1</v>", b"<f>A1+B1</f><v>7.5</v>"
    )
    (read,) = read_file(packed(parts), PROFILE).statements
    assert read.lines[0].amount.minor == 750


def packed(parts):
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return target.getvalue()


DOCTYPE = b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"xl/workbook.xml": DOCTYPE + b"<workbook/>"}, UnsafeFile),
        ({"xl/workbook.xml": b"<workbook>"}, FileRefused),
        ({"xl/workbook.xml": b"<workbook/>"}, FileRefused),
        ({"xl/workbook.xml": b"<a>" * 1000}, FileRefused),
        ({"xl/workbook.xml": b" " * (70 * 1024 * 1024)}, UnsafeFile),
        ({"statement.xml": b"<a/>"}, UnsupportedFormat),
    ],
    ids=["an entity of a file", "cut short", "no sheet", "deep", "a bomb", "no workbook"],
)
def test_workbooks_that_are_none_are_refused(parts, error):
    with pytest.raises(error):
        read_file(packed(parts), PROFILE)


def test_a_damaged_archive_is_refused():
    with pytest.raises(FileRefused):
        read_file(workbook(("15.01.2026", "x", 1))[:-30], PROFILE)
