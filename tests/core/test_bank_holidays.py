"""Closing days, held against what the Federal Reserve and the ECB publish, and Easter against another's rule."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.bank_holidays import both, easter, federal_reserve, target

# Federal Reserve Financial Services, holiday schedules of 2025 to 2027.
FEDERAL = {
    2025: ["01-01", "01-20", "02-17", "05-26", "06-19", "07-04", "09-01", "10-13", "11-11", "11-27", "12-25"],
    2026: ["01-01", "01-19", "02-16", "05-25", "06-19", "07-04", "09-07", "10-12", "11-11", "11-26", "12-25"],
    2027: ["01-01", "01-18", "02-15", "05-31", "06-19", "07-05", "09-06", "10-11", "11-11", "11-25", "12-25"],
}
TARGET_2026 = ["01-01", "04-03", "04-06", "05-01", "12-25", "12-26"]


@pytest.mark.parametrize("year", FEDERAL)
def test_closing_days_of_the_federal_reserve(year):
    assert sorted(f"{day:%m-%d}" for day in federal_reserve(year)) == FEDERAL[year]


def test_closing_days_of_target():
    assert sorted(f"{day:%m-%d}" for day in target(2026)) == TARGET_2026
    assert both(2026) == federal_reserve(2026) | target(2026)


def test_before_juneteenth_was_a_holiday():
    assert date(2020, 6, 19) not in federal_reserve(2020)


@given(st.integers(1900, 2200))
def test_easter_is_that_of_another_reader(year):
    oracle = pytest.importorskip("dateutil.easter", reason="python-dateutil is not installed")
    assert easter(year) == oracle.easter(year)
