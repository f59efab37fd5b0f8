"""How facts look: aligned columns, money and dates for people; JSON for programs.

Units   amounts come in as `Money`; people see `1,234.50`, programs `{"amount": "1234.50",
        "currency": "USD"}`.
        In JSON a field `open_minor` beside a `currency` becomes `open`: minor units never leave Python.
Shape   a `Screen` says what the terminal can show; every function returns lines of text and prints nothing.
Law     an amount, a date or a number is never cut to fit; only text is. Nothing is said by colour alone.
Errors  `ValueError` for a float where money is meant, or minor units without a currency: bugs of the caller.
"""

import json
import math
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, NoReturn, TextIO, TypeAlias

from arsync.core.money import Money
from arsync.errors import ArsyncError

Cell: TypeAlias = str | int | date | Money | None
Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_GAP = "  "
_NARROWEST = 8  # columns of text are not cut below this many places
_BAR = 30  # places of the longest bar


@dataclass(frozen=True, slots=True)
class Screen:
    """What the place we write to can show."""

    width: int = 100
    styled: bool = False  # bold and dim may be used
    unicode: bool = True  # characters beyond ASCII may be used

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str]) -> "Screen":
        """Look at a stream: plain unless it is a terminal, and when NO_COLOR is set or TERM is dumb."""
        tty = stream.isatty()
        plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
        width = shutil.get_terminal_size((100, 24)).columns if tty else 100
        return cls(width=max(width, 40), styled=tty and not plain, unicode=encoding.startswith("utf"))

    def bold(self, text: str) -> str:
        """Emphasis, where the terminal has it."""
        return f"\x1b[1m{text}\x1b[0m" if self.styled else text


PLAIN = Screen()


# Lines for people


def visible(text: str) -> str:
    """The text with control and direction characters written out: a name must not steer a terminal."""
    return "".join(
        char
        if unicodedata.category(char) not in {"Cc", "Cs"} and char not in _STEERING
        else ascii(char)[1:-1]
        for char in text
    )


_STEERING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def counted(count: int, noun: str) -> str:
    """`"1 item"`, `"1,204 items"`: a number with its regular noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def grid(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    screen: Screen = PLAIN,
    *,
    totals: Sequence[Sequence[Cell]] = (),
) -> list[str]:
    """Aligned columns: text left, amounts and numbers right; totals below a rule.

    Text is cut to fit the screen, the widest column first; the rest never is, even if a line overflows.
    """
    cells = (*rows, *totals)
    texts = [[_shown(cell, screen) for cell in row] for row in cells]
    right = [any(isinstance(row[n], Money | int) for row in cells) for n in range(len(headings))]
    rigid = [numeric or any(isinstance(row[n], date) for row in cells) for n, numeric in enumerate(right)]
    longest = [max(map(_places, column)) for column in zip(headings, *texts, strict=True)]
    widths = _fit(longest, rigid, screen.width)
    lines = [_line(row, widths, right, screen) for row in texts]
    if totals:
        lines.insert(len(rows), _GAP.join("-" * width for width in widths))
    return [screen.bold(_line(headings, widths, right, screen)), *lines]


def facts(pairs: Sequence[tuple[str, Cell]], screen: Screen = PLAIN) -> list[str]:
    """Label and value, one pair a line, the values aligned; an amount shows its currency."""
    width = max((len(label) for label, _ in pairs), default=0)
    texts = [str(value) if isinstance(value, Money) else _shown(value, screen) for _, value in pairs]
    return [f"{label:<{width}}{_GAP}{text}".rstrip() for (label, _), text in zip(pairs, texts, strict=True)]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: a likely amount, and where known the range around it. All of one currency."""

    label: str
    likely: Money
    low: Money | None = None
    high: Money | None = None


def bars(chart: Sequence[Bar], screen: Screen = PLAIN) -> list[str]:
    """A small chart: solid up to the low amount, half-tone to the likely one, light to the high one.

    The amounts stand beside the bars; a negative amount has a bar of minus signs. All bars share one scale.
    """
    solid, half, light = ("█", "▓", "░") if screen.unicode else ("#", "=", ".")
    scale = max(
        (abs(amount.minor) for bar in chart for amount in (bar.likely, bar.high or bar.likely)), default=0
    )

    def cells(amount: Money) -> int:
        if not amount or not scale:
            return 0
        return max(1, (abs(amount.minor) * _BAR + scale // 2) // scale)

    def drawn(bar: Bar) -> str:
        if bar.likely.minor < 0:
            return "-" * cells(bar.likely)
        low, high = bar.low or bar.likely, bar.high or bar.likely
        first = min(cells(low), cells(bar.likely))
        second = cells(bar.likely) - first
        return solid * first + half * second + light * max(0, cells(high) - first - second)

    rows = [(bar.label, bar.likely.grouped(), drawn(bar)) for bar in chart]
    label = max((_places(row[0]) for row in rows), default=0)
    amount = max((len(row[1]) for row in rows), default=0)
    return [f"{row[0]:<{label}}{_GAP}{row[1]:>{amount}}{_GAP}{row[2]}".rstrip() for row in rows]


def section(title: str, body: Sequence[str], screen: Screen = PLAIN, *, following: str = "") -> list[str]:
    """A titled block, indented; `following` is the command that leads on, shown last."""
    lines = [screen.bold(title), *(f"{_GAP}{line}".rstrip() for line in body)]
    return [*lines, f"next: {following}"] if following else lines


def error_lines(error: ArsyncError) -> list[str]:
    """What happened, where, what to do."""
    return [f"error: {line}" if n == 0 else line for n, line in enumerate(str(error).splitlines())]


@contextmanager
def progress(title: str, total: int | None, stream: TextIO) -> Iterator["Advance"]:
    """Show how far a long step is on `stream` (standard error); silent when that is no terminal.

    Yields:
        A callable: `advance(1)` after each piece of work.
    """
    if not stream.isatty():
        yield Advance(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as shown:
        task = shown.add_task(visible(title).replace("[", r"\["), total=total)
        yield Advance(lambda count: shown.advance(task, count))


class Advance:
    """Counts finished pieces of work for `progress`."""

    def __init__(self, forward: Callable[[int], object] | None) -> None:
        self._forward = forward

    def __call__(self, count: int = 1) -> None:
        """Say that `count` more pieces are done."""
        if self._forward:
            self._forward(count)


def _shown(cell: Cell, screen: Screen) -> str:
    match cell:
        case None:
            return ""
        case Money():
            return cell.grouped()
        case int():
            return f"{cell:,}"
        case datetime():
            return cell.isoformat(sep=" ", timespec="minutes")
        case date():
            return cell.isoformat()
    text = visible(cell)
    return text if screen.unicode else text.encode("ascii", "backslashreplace").decode("ascii")


def _places(text: str) -> int:
    """How many places the text takes on a terminal."""
    return sum(
        0
        if unicodedata.category(char) in {"Mn", "Me", "Cf"}
        else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _fit(widths: list[int], rigid: list[bool], width: int) -> list[int]:
    """Narrow the widest column that may be cut, place by place, while the line is too long."""
    widths = list(widths)
    spare = [n for n, fixed in enumerate(rigid) if not fixed]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        widest = max(spare, key=lambda n: widths[n], default=None)
        if widest is None or widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool], screen: Screen) -> str:
    cut = [_cut(text, width, screen) for text, width in zip(texts, widths, strict=True)]
    blanks = [" " * (width - _places(text)) for text, width in zip(cut, widths, strict=True)]
    padded = [b + t if r else t + b for t, b, r in zip(cut, blanks, right, strict=True)]
    return _GAP.join(padded).rstrip()


def _cut(text: str, width: int, screen: Screen) -> str:
    if _places(text) <= width:
        return text
    while _places(text) > width - 1:
        text = text[:-1]
    return text + ("…" if screen.unicode else "~")


# JSON for programs


def as_json(value: object) -> str:
    """JSON text: fields in their declared order, mapping keys sorted, money as decimal strings, dates ISO.

    Raises:
        ValueError: minor units without a currency, a float among them, or a type that has no agreed form.
    """
    return json.dumps(jsonable(value), ensure_ascii=False, indent=2, allow_nan=False)


def jsonable(value: object, currency: str | None = None) -> Json:
    """The value in JSON's own types; `currency` is that of the record around it."""
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value, currency)
    if is_dataclass(value) and not isinstance(value, type):
        return _record([(field.name, getattr(value, field.name)) for field in fields(value)], currency)
    return _refuse(value, "has no agreed form in JSON")


def _record(pairs: list[tuple[str, object]], currency: str | None) -> Json:
    own = next((entry for name, entry in pairs if name == "currency" and isinstance(entry, str)), currency)
    result: dict[str, Json] = {}
    for name, entry in pairs:
        short = name.removesuffix(_MINOR)
        if short in result:
            _refuse(name, "stands beside a field of the same name")
        result[short] = jsonable(entry, own) if short == name else _amount(entry, own)
    return result


def _amount(value: object, currency: str | None) -> Json:
    """Minor units, alone or in a sequence or mapping, as amounts."""
    match value:
        case None:
            return None
        case int() if currency and not isinstance(value, bool):
            return jsonable(Money(value, currency))
        case list() | tuple():
            return [_amount(entry, currency) for entry in value]
        case Mapping():
            return {str(key): _amount(value[key], currency) for key in sorted(value, key=str)}
    return _refuse(value, "is not whole minor units of a known currency")


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        _refuse(value, "has no time zone")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _refuse(value: object, why: str) -> NoReturn:
    raise ValueError(f"{value!r} {why}")


_MINOR = "_minor"
_FORMS: tuple[tuple[type | tuple[type, ...], Callable[[Any, str | None], Json]], ...] = (
    (Enum, lambda value, currency: jsonable(value.value, currency)),
    ((type(None), bool, int, str), lambda value, _: value),
    (float, lambda value, _: value if math.isfinite(value) else _refuse(value, "is not a finite number")),
    (Money, lambda value, _: {"amount": value.text(), "currency": value.currency}),
    (Decimal, lambda value, _: f"{value:f}"),
    (datetime, lambda value, _: _instant(value)),
    (date, lambda value, _: value.isoformat()),
    (PurePath, lambda value, _: str(value)),
    (
        Mapping,
        lambda value, currency: _record([(str(key), value[key]) for key in sorted(value, key=str)], currency),
    ),
    (AbstractSet, lambda value, currency: sorted((jsonable(v, currency) for v in value), key=json.dumps)),
    ((list, tuple), lambda value, currency: [jsonable(v, currency) for v in value]),
)
