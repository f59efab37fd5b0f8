"""The ledger's own day: what is due, overdue and dated where the books are kept, not where UTC stands."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from arsync.sync import actions, connect
from arsync.sync.health import ledger_checks
from arsync.sync.report import aging_report, forecast_report, unapplied_report
from tests.worlds.test_dates import sign_in_again as sign_in_to_quickbooks
from tests.worlds.xero_office import xero_office

# New Year of Auckland: 11:00 UTC of the last day of the year.
BEFORE, AFTER = datetime(2026, 12, 31, 10, 50, tzinfo=UTC), datetime(2026, 12, 31, 11, 10, tzinfo=UTC)


@pytest.fixture
def kiwi(tmp_path):
    with xero_office(tmp_path, country="NZ") as made:
        yield made


def at_that_time(made, now):
    made.clock.now_is = now
    connect.keep_tokens(made.house, made.ledger.connection_id, made.new_tokens())
    made.run()


def test_the_first_run_knows_the_day_already(kiwi):
    assert kiwi.ledger.zone == "Pacific/Auckland"
    kiwi.clock.now_is = AFTER
    assert kiwi.job().today() == date(2027, 1, 1)


def aged(made, day):
    """What is not yet due on a day, and what is overdue, in minor units."""
    (line,) = aging_report(made.store, made.ledger, day, now=made.clock.now_is).totals
    return line.buckets_minor[0], sum(line.buckets_minor[1:])


@pytest.mark.parametrize(
    ("now", "today", "ages"), [(BEFORE, "2026-12-31", (10_00, 0)), (AFTER, "2027-01-01", (0, 10_00))]
)
def test_an_invoice_is_overdue_from_the_midnight_of_its_own_books(kiwi, now, today, ages):
    owner = kiwi.customer("Kiwi")
    kiwi.keeper.invoice(owner, "10.00", date="2026-12-01", due="2026-12-31", number="N-1")
    at_that_time(kiwi, now)
    day = kiwi.ledger.day_of(now)
    assert (day.isoformat(), aged(kiwi, day)) == (today, ages)
    assert forecast_report(kiwi.store, kiwi.ledger, now, 4).stamp.as_of == day
    assert unapplied_report(kiwi.store, kiwi.ledger, now).stamp.as_of == day


def test_what_is_given_up_on_new_years_day_is_of_the_new_year(kiwi):
    """The old year is locked an hour later: what UTC calls 31 December would be refused there."""
    invoice = kiwi.invoice(kiwi.customer("Kiwi"), "10.00", "N-1")
    at_that_time(kiwi, AFTER)
    kiwi.keeper.lock(period="2026-12-31")
    item = kiwi.item(f"Invoice:{invoice}").id
    asked = actions.write_off(kiwi.desk("Max"), item, "write-off", 10_00, "gone")
    actions.approve(kiwi.desk("Mia"), asked.decision_id)
    kiwi.run_until_idle()
    (note,) = kiwi.papers("CreditNote")
    assert (note.on, kiwi.balance(invoice)) == (date(2027, 1, 1), 0)
    kiwi.agrees()


def test_as_known_at_the_end_of_a_day_means_the_day_of_the_books(kiwi):
    owner = kiwi.customer("Kiwi")
    kiwi.invoice(owner, "10.00", "EARLY")
    at_that_time(kiwi, BEFORE)
    kiwi.invoice(owner, "20.00", "LATE")
    at_that_time(kiwi, AFTER)
    now, month = kiwi.clock.now_is, date(2027, 1, 31)
    days = (date(2026, 12, 31), date(2027, 1, 1))
    known = [aging_report(kiwi.store, kiwi.ledger, month, now=now, known_on=day) for day in days]
    assert [sum(line.total_minor for line in made.lines) for made in known] == [10_00, 30_00]


def test_the_setting_wins_over_the_platform(kiwi):
    kiwi.house = replace(kiwi.house, zones={"books": "Pacific/Honolulu"})
    kiwi.clock.now_is = AFTER
    assert kiwi.job().today() == date(2026, 12, 31)
    assert kiwi.desk().today() == date(2026, 12, 31)
    said = [check.what for check in ledger_checks(kiwi.house, kiwi.ledger)]
    assert (
        "ledger books: its day is that of Pacific/Honolulu, as arsync.toml says; its books say Pacific/Auckland"
        in said
    )


def test_a_company_that_moves_its_clock_in_xero_has_another_day_from_the_next_run(kiwi):
    kiwi.tenant.organisation.timezone = "GMTSTANDARDTIME"
    kiwi.run()
    assert kiwi.ledger.zone == "Europe/London"


def test_quickbooks_says_no_zone_and_the_installation_does(quick_office):
    made = quick_office
    made.clock.now_is = datetime(2026, 12, 1, 6, 30, tzinfo=UTC)
    assert made.job().today() == date(2026, 12, 1)
    made.house = replace(made.house, zones={"books": "America/Denver"})
    sign_in_to_quickbooks(made)
    assert made.job().today() == date(2026, 11, 30)
    made.invoice(made.customer("Northwind"), "10.00", "1", due="2026-11-30")
    made.run()
    assert aged(made, made.ledger.day_of(made.clock.now_is)) == (10_00, 0)
    made.house = replace(made.house, zones={})
    assert aged(made, made.ledger.day_of(made.clock.now_is)) == (0, 10_00)
