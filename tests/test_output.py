"""How facts look to people and to programs."""

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.money import Money
from arsync.errors import Conflict
from arsync.output import (
    Bar,
    Screen,
    as_json,
    bars,
    counted,
    error_lines,
    facts,
    grid,
    progress,
    section,
    visible,
)


def usd(text):
    return Money.of(text, "USD")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_the_sample_screen():
    lines = section(
        "queued, largest first",
        grid(
            ("Amount", "Payer", "Why", "Item"),
            [
                (usd("40000"), "Northwind Ltd", "three sets fit", "Q-1182"),
                (usd("-12.5"), "Acme", None, "Q-7"),
            ],
            totals=[(usd("39987.50"), "2 receipts", None, None)],
        ),
        following="arsync queue show Q-1182",
    )
    assert lines == [
        "queued, largest first",
        "     Amount  Payer          Why             Item",
        "  40,000.00  Northwind Ltd  three sets fit  Q-1182",
        "     -12.50  Acme                           Q-7",
        "  ---------  -------------  --------------  ------",
        "  39,987.50  2 receipts",
        "next: arsync queue show Q-1182",
    ]


def test_facts_align_their_values_and_name_the_currency():
    assert facts([("received", Money(1234, "JPY")), ("as of", date(2024, 2, 29)), ("lines", 1204)]) == [
        "received  JPY 1,234",
        "as of     2024-02-29",
        "lines     1,204",
    ]


def test_only_text_is_cut_to_fit():
    row = ("A customer with a very long name", date(2024, 2, 29), usd("1234567.89"))
    narrow = grid(("Customer", "Due", "Open"), [row], Screen(40))
    assert narrow[1] == "A customer wi…  2024-02-29  1,234,567.89"
    assert grid(("Customer", "Due", "Open"), [row], Screen(10))[1] == "A custo…  2024-02-29  1,234,567.89"


def test_wide_characters_keep_columns_aligned():
    assert grid(("Name", "Open"), [("株式会社", usd("1")), ("e\u0301", usd("2"))])[1:] == [
        "株式会社  1.00",
        "e\u0301         2.00",
    ]


def test_a_name_cannot_steer_the_terminal():
    assert visible("a\x1b[2J\r\u202eb\x00ö") == "a\\x1b[2J\\r\\u202eb\\x00ö"
    assert grid(("Name",), [("Müller\x1b",)], Screen(unicode=False))[1] == "M\\xfcller\\x1b"


@given(
    st.lists(st.tuples(st.text(max_size=40), st.integers(-(10**15), 10**15)), max_size=6), st.integers(10, 90)
)
def test_every_amount_stands_whole_and_aligned(rows, width):
    lines = grid(
        ("Name", "Open"), [(name, Money(minor, "KWD")) for name, minor in rows], Screen(width, unicode=False)
    )
    amounts = [Money(minor, "KWD").grouped() for _, minor in rows]
    assert all(line.endswith(amount) for line, amount in zip(lines[1:], amounts, strict=True))
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("environ", "styled"),
    [
        pytest.param({}, True, id="a terminal may be bold"),
        pytest.param({"NO_COLOR": "1"}, False, id="NO_COLOR is plain"),
        pytest.param({"NO_COLOR": ""}, True, id="an empty NO_COLOR does not count"),
        pytest.param({"TERM": "dumb"}, False, id="a dumb terminal is plain"),
    ],
)
def test_a_terminal_is_styled_unless_told_otherwise(environ, styled):
    screen = Screen.of(Terminal(), environ)
    assert screen.styled is styled
    assert ("\x1b[1m" in grid(("Name",), [("x",)], screen)[0]) is styled


def test_a_pipe_is_plain():
    screen = Screen.of(io.TextIOWrapper(io.BytesIO(), encoding="ascii"), {})
    assert screen == Screen(100, styled=False, unicode=False)


def test_bars_show_amount_and_range():
    chart = [
        Bar("2024-03-04", usd("20"), usd("10"), usd("40")),
        Bar("2024-03-11", usd("0"), usd("0"), usd("0.01")),
        Bar("beyond", usd("-40")),
    ]
    assert bars(chart) == [
        "2024-03-04   20.00  ████████▓▓▓▓▓▓▓░░░░░░░░░░░░░░░",
        "2024-03-11    0.00  ░",
        "beyond      -40.00  ------------------------------",
    ]
    assert bars(chart, Screen(unicode=False))[0] == "2024-03-04   20.00  ########=======..............."


def test_bars_of_nothing():
    assert bars([]) == []
    assert bars([Bar("a", usd("0"))]) == ["a  0.00"]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=8))
def test_bars_share_one_scale(minors):
    lengths = [
        len(line.split("  ")[-1]) if minor else 0
        for line, minor in zip(bars([Bar("x", Money(minor, "JPY")) for minor in minors]), minors, strict=True)
    ]
    assert max(lengths) == (30 if any(minors) else 0)
    order = sorted(range(len(minors)), key=lambda n: abs(minors[n]))
    assert [lengths[n] for n in order] == sorted(lengths)


def test_counted():
    assert [counted(n, "item") for n in (0, 1, 1204)] == ["0 items", "1 item", "1,204 items"]


def test_an_error_says_what_where_and_what_to_do():
    error = Conflict("the receipt changed", where="receipt R-7", do="arsync show R-7")
    assert error_lines(error) == [
        "error: the receipt changed",
        "  where: receipt R-7",
        "  do:    arsync show R-7",
    ]


def test_progress_is_silent_off_a_terminal_and_speaks_on_one():
    silent, shown = io.StringIO(), Terminal()
    for stream in (silent, shown):
        with progress("pulling [bold]", 3, stream) as advance:
            advance()
            advance(2)
    assert silent.getvalue() == ""
    assert "pulling [bold]" in shown.getvalue()
    assert "3/3" in shown.getvalue()


def test_nothing_heavy_is_loaded_before_it_is_used():
    code = "import sys, arsync.output, arsync.reports.aging; print({'rich', 'xlsxwriter'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "set()\n"
    )


# JSON


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    open_minor: int | None
    shares_minor: tuple[int, ...] = ()


@dataclass(frozen=True)
class Whole:
    name: str
    currency: str
    total_minor: int
    parts: tuple[Part, ...]
    by_week_minor: dict[str, int]


def test_minor_units_leave_as_decimal_amounts():
    whole = Whole("x", "KWD", 1234, (Part(5, (1, -1)), Part(None)), {"b": 2, "a": 1})
    kwd = lambda text: {"amount": text, "currency": "KWD"}  # noqa: E731 (a word for the table below)
    assert json.loads(as_json(whole)) == {
        "name": "x",
        "currency": "KWD",
        "total": kwd("1.234"),
        "parts": [
            {"open": kwd("0.005"), "shares": [kwd("0.001"), kwd("-0.001")]},
            {"open": None, "shares": []},
        ],
        "by_week": {"a": kwd("0.001"), "b": kwd("0.002")},
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(
            Money(1230, "USD"), '{"amount": "12.30", "currency": "USD"}', id="money is a decimal string"
        ),
        pytest.param(
            Money(5, "JPY"), '{"amount": "5", "currency": "JPY"}', id="without decimals where there are none"
        ),
        pytest.param(date(2024, 2, 29), '"2024-02-29"', id="dates are ISO"),
        pytest.param(
            datetime(2024, 1, 1, 8, tzinfo=timezone(timedelta(hours=2))), '"2024-01-01T06:00:00Z"', id="UTC"
        ),
        pytest.param(Decimal("1E+3"), '"1000"', id="a rate is plain decimal text"),
        pytest.param(Colour.RED, '"red"', id="an enumeration is its value"),
        pytest.param(PurePosixPath("/a/b"), '"/a/b"', id="a path is text"),
        pytest.param(
            {"b": 1, "a": [None, True, 0.25]}, '{"a": [null, true, 0.25], "b": 1}', id="keys are sorted"
        ),
        pytest.param({"z", "a"}, '["a", "z"]', id="sets are sorted"),
        pytest.param("Łódź", '"Łódź"', id="letters stay letters"),
    ],
)
def test_forms(value, text):
    assert json.loads(as_json(value)) == json.loads(text)
    assert as_json(value).replace("\n", "").replace("  ", "") == text.replace(", ", ",").replace("\n", "")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        pytest.param({"open_minor": 12.34, "currency": "USD"}, "minor units", id="a float is never money"),
        pytest.param({"open_minor": True, "currency": "USD"}, "minor units", id="nor is a truth value"),
        pytest.param({"open_minor": 5}, "minor units", id="minor units need a currency"),
        pytest.param({"open_minor": 5, "currency": "XXX"}, "ISO 4217", id="and one that exists"),
        pytest.param({"a": 1, "a_minor": 5, "currency": "USD"}, "same name", id="no field is overwritten"),
        pytest.param(float("nan"), "finite", id="not a number"),
        pytest.param(datetime(2024, 1, 1), "time zone", id="a time without zone"),
        pytest.param(b"raw", "no agreed form", id="bytes"),
        pytest.param(object(), "no agreed form", id="anything else"),
    ],
)
def test_what_has_no_exact_form_is_refused(value, why):
    with pytest.raises(ValueError, match=why):
        as_json(value)


MONEY = st.builds(Money, st.integers(-(10**17), 10**17), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))


@given(
    st.dictionaries(
        st.text(max_size=5), MONEY | st.dates() | st.text() | st.integers() | st.none(), max_size=6
    )
)
def test_json_reads_back(record):
    got = json.loads(as_json({f"key {key}": value for key, value in record.items()}))
    assert list(got) == sorted(got)
    for key, value in record.items():
        back = got[f"key {key}"]
        if isinstance(value, Money):
            assert (Decimal(back["amount"]), back["currency"]) == (value.decimal(), value.currency)
        else:
            assert back == (value.isoformat() if isinstance(value, date) else value)


def test_known_moments_are_utc():
    assert as_json(datetime(2024, 1, 1, tzinfo=UTC)) == '"2024-01-01T00:00:00Z"'
