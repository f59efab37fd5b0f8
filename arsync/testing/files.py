"""What every reader of bank files must pass. The first line of each docstring is the promise.

Shape   a `FileBench` reads bytes with the reader, and writes the same lines into bytes with a writer that shares no
        code with it. A case takes a bench; it raises `Violation`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from arsync.core.bank import BankFile, BankLineRead, Problem
from arsync.core.money import Money, total
from arsync.errors import FileRefused
from arsync.testing.manners import floats
from arsync.testing.stage import ODD_NAME
from arsync.testing.verdicts import Violation, few, must, same

_FIRST_DAY = date(2026, 11, 2)
_ODD = 47113_91  # found nowhere else in a file
_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in, again.</body></html>"


@dataclass(frozen=True, slots=True)
class Booked:
    """One line as the bank booked it; money in is positive."""

    on: date
    amount: Money
    payer: str
    text: str


class FileBench(ABC):
    """One format, one account."""

    currency: str = "USD"

    @abstractmethod
    def read(self, data: bytes) -> BankFile:
        """What the reader makes of a file."""

    @abstractmethod
    def write(self, lines: Sequence[Booked], opening: Money) -> bytes:
        """The file a bank would write of these lines."""

    def respell(self, data: bytes, amount: Money, spelling: str) -> bytes:
        """Write one amount of a file in another way; with a decimal point or comma."""
        texts = "|".join(re.escape(text) for text in (amount.text(), amount.text().replace(".", ",")))
        return re.sub(rf"(?<![\d.,])(?:{texts})(?![\d.,])".encode(), spelling.encode(), data, count=1)


# ---- cases


def lines_arrive(bench: FileBench) -> None:
    """Every line arrives, in its order, with its date and its exact, signed amount."""
    booked = _some_lines(bench)
    found = _lines(bench.read(_written(bench, booked)))
    same(
        [(one.booking_date, one.amount) for one in found],
        [(one.on, one.amount) for one in booked],
        "the lines",
    )


def texts_arrive(bench: FileBench) -> None:
    """Apostrophes, backslashes and ampersands in names and texts arrive as they are, but for case."""
    booked = replace(_some_lines(bench)[0], payer=ODD_NAME, text=f"INV 1041 {ODD_NAME}")
    [line] = _lines(bench.read(_written(bench, [booked])))
    must(booked.text.casefold() in line.text.casefold(), f"the text is {line.text!r}, not {booked.text!r}")
    same((line.payer_name or "").casefold(), ODD_NAME.casefold(), "the payer")


def read_twice(bench: FileBench) -> None:
    """The same bytes give the same value and the same hash."""
    data = _written(bench, _some_lines(bench))
    same(bench.read(data), bench.read(data), "a file read again")
    other = bench.read(_written(bench, _some_lines(bench)[:-1]))
    must(other.sha256 != bench.read(data).sha256, "two files have one hash")


def statements_tie(bench: FileBench) -> None:
    """A statement called proven adds up, and one whose lines were tampered with is not called proven."""
    booked = [*_some_lines(bench), _odd_line(bench)]
    for statement in bench.read(_written(bench, booked)).statements:
        if statement.proven == "proven" and statement.opening is not None and statement.closing is not None:
            moved = total((line.amount for line in statement.lines), statement.opening.currency)
            same(statement.opening + moved, statement.closing, "opening and lines of a proven statement")
    tampered = bench.respell(_written(bench, booked), _odd_line(bench).amount, "47113.92")
    states = {statement.proven for statement in bench.read(tampered).statements}
    must("proven" not in states, "an amount was tampered with, and the statement is proven")


def unreadable_amount(bench: FileBench, spelling: str) -> None:
    """An amount that cannot be read is a Problem with its raw text: never 0, never left out, never proven."""
    booked = [*_some_lines(bench), _odd_line(bench)]
    data = _written(bench, booked)
    spoiled = bench.respell(data, _odd_line(bench).amount, spelling)
    must(spoiled != data, "no amount of the file could be spelled anew: write `FileBench.respell`")
    found = bench.read(spoiled)
    problems = [one for statement in found.statements for one in statement.problems]
    told: list[Problem] = [one for one in problems if spelling in one.raw]
    must(
        told,
        f"an amount written {spelling!r} is left out without a word; problems: {few(problems) or 'none'}",
    )
    must(all(one.why and one.do for one in told), "a problem does not say why, or what to do")
    same(
        [one.amount for one in _lines(found)],
        [one.amount for one in booked[:-1]],
        "the lines that can be read",
    )
    must(
        all(one.proven != "proven" for one in found.statements), "a line could not be read, and all is proven"
    )


def exact_amounts(bench: FileBench) -> None:
    """An amount that no float can hold arrives to the minor unit."""
    huge = Money(999_999_999_999_999_99, bench.currency)
    [line] = _lines(bench.read(_written(bench, [replace(_odd_line(bench), amount=huge)])))
    same(line.amount, huge, "an amount of 17 digits")
    found = list(floats(bench.read(_written(bench, _some_lines(bench))), ""))
    must(not found, f"floats: {few(found)}")


def cut_anywhere(bench: FileBench) -> None:
    """A file cut off anywhere is refused or read in part: no line of it is another than in the whole file."""
    data = _written(bench, _some_lines(bench))
    whole = {(line.booking_date, line.amount, line.text) for line in _lines(bench.read(data))}
    ends = {*range(0, len(data), max(1, len(data) // 200)), *range(max(0, len(data) - 250), len(data))}
    for end in sorted(ends):
        try:
            part = bench.read(data[:end])
        except FileRefused as error:
            must(error.what, f"cut after {end} bytes: refused without a word")
            continue
        strange = {(line.booking_date, line.amount, line.text) for line in _lines(part)} - whole
        must(not strange, f"cut after {end} bytes, a line nobody booked is read: {few(strange)}")


def page_is_refused(bench: FileBench) -> None:
    """A page of a bank's web site and an empty file are refused: they are no statements without lines."""
    for data in (_PAGE, b""):
        try:
            found = bench.read(data)
        except FileRefused as error:
            must(error.what and error.do, f"refused without a word: {error}")
        else:
            raise Violation(f"{data[:30]!r} is read as {len(found.statements)} statements")


def overlap_is_known(bench: FileBench) -> None:
    """A line has the same identity in every file that holds it, and equal lines of a file are told apart."""
    booked = _some_lines(bench)
    first, later = booked[:5], booked[3:]
    known, again = (_identities(bench.read(_written(bench, part))) for part in (first, later))
    same(set(known) & set(again), set(known[3:5]), "identities that both files hold")
    same(len(set(known)), len(first), "identities of one file")


FILE_CASES: tuple[tuple[Callable[..., None], tuple[str, ...]], ...] = (
    (lines_arrive, ()),
    (texts_arrive, ()),
    (read_twice, ()),
    (statements_tie, ()),
    (unreadable_amount, ("n/a", "47113.91x", "4711 3.9 1.")),
    (exact_amounts, ()),
    (cut_anywhere, ()),
    (page_is_refused, ()),
    (overlap_is_known, ()),
)


# ---- what cases stand on


def _some_lines(bench: FileBench) -> list[Booked]:
    """Ten lines of five days, two of them alike but for their day, one of them money out."""
    amounts = (100_10, 33_33, -7_07, 1, 250_00, 33_33, 1_000_000_00, 99_99, 12_34, 8_01)
    return [
        Booked(
            _FIRST_DAY + timedelta(days=place // 2),
            Money(minor, bench.currency),
            f"Payer {place}",
            f"INV {place}",
        )
        for place, minor in enumerate(amounts)
    ]


def _odd_line(bench: FileBench) -> Booked:
    return Booked(_FIRST_DAY + timedelta(days=9), Money(_ODD, bench.currency), "Odd", "INV 4711")


def _written(bench: FileBench, lines: Sequence[Booked]) -> bytes:
    return bench.write(lines, Money(5_000_00, bench.currency))


def _lines(found: BankFile) -> list[BankLineRead]:
    return [line for statement in found.statements for line in statement.lines]


def _identities(found: BankFile) -> list[tuple[str, str, int]]:
    return [
        (statement.account.key, line.key, line.occurrence)
        for statement in found.statements
        for line in statement.lines
    ]
