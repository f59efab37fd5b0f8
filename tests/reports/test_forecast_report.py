"""The cash forecast as people read it and as files."""

from datetime import date, timedelta

from arsync.core.forecast.cash import forecast
from arsync.core.forecast.delays import Habits, OpenRow
from arsync.core.money import Money
from arsync.output import Screen, as_json
from arsync.reports.forecast import ForecastReport
from arsync.reports.stamp import Stamp
from arsync.reports.writers import write

MONDAY = date(2024, 6, 3)
ROWS = [
    OpenRow(1, 1, MONDAY, MONDAY + timedelta(days=9), "USD", 1_000_00),
    OpenRow(2, 2, MONDAY, MONDAY - timedelta(days=9), "USD", 500_00, disputed_minor=100_00),
    OpenRow(None, 3, MONDAY, MONDAY, "USD", -20_00),
    OpenRow(1, 4, MONDAY, MONDAY, "JPY", 7_000),
]


def report(rows=ROWS, weeks=3):
    habits = Habits.learn([], [], MONDAY)
    return ForecastReport(Stamp(MONDAY, "due"), forecast(rows, habits, MONDAY, weeks))


def test_the_screen_ends_in_the_open_total():
    lines = report().text(Screen(90, unicode=False), following="arsync forecast acme-us --json")
    assert lines[2] == "terms only: no payment history yet, so the ranges are wide"
    assert "open USD 1,480.00 in 3 items; expected by week, 8 in 10 between low and high" in lines
    totals = [line.split() for line in lines[-6:-2]]
    assert [words[0] for words in totals] == ["beyond", "disputed", "credit", "open"]
    assert totals[-1] == ["open", "1,480.00"]
    assert lines[-1] == "next: arsync forecast acme-us --json"


def test_the_picture_has_one_bar_a_week():
    lines = report().text(Screen(90, unicode=False))
    start = lines.index("open USD 1,480.00 in 3 items; expected by week, 8 in 10 between low and high") + 1
    bars = lines[start : start + 3]
    assert [bar.split()[0] for bar in bars] == ["2024-06-03", "2024-06-10", "2024-06-17"]
    assert all(set(bar.split()[-1]) <= set("#=.") for bar in bars)


def test_likely_amounts_in_a_file_add_up_to_what_is_open(tmp_path):
    for form in ("csv", "json", "xlsx"):
        written = write(report().table(), tmp_path / f"forecast.{form}")
        assert written.control["USD"]["likely"] == Money(1_480_00, "USD")
        assert written.control["JPY"]["likely"] == Money(7_000, "JPY")
        assert written.rows == 12


def test_nothing_open_says_so_and_json_is_exact():
    assert report([]).text()[-1] == "nothing is open"
    assert '"amount": "1480.00"' in as_json(report())
