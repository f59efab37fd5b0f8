"""Feeds over HTTPS against simulators that share no code with them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from arsync.connectors.bank.feeds import GoCardless, Line, Plaid
from arsync.connectors.bank.mapping import read_file
from arsync.errors import ConfigError, ConsentLost, Throttled, Unreachable
from arsync.simulators.feeds import CLIENT, SECRET, TOKEN, Feeds
from arsync.store.office import NoMeter

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)


class Time:
    """A clock that tests move, and pauses that take no time."""

    def __init__(self):
        self.at = NOW

    def now(self):
        return self.at

    def sleep(self, pause_s):
        self.at += timedelta(seconds=pause_s)


@pytest.fixture
def served():
    feeds = Feeds()
    with feeds.serve() as url:
        yield feeds, url


@pytest.fixture
def clock():
    return Time()


def plaid(url, clock, **changed):
    given = {"client_id": CLIENT, "secret": SECRET, "access_token": TOKEN, "base_url": url, "account": "us"}
    return Plaid("chase", "books", line=Line(clock.now, clock.sleep, NoMeter()), **(given | changed))


def gocardless(url, clock, **changed):
    given = {
        "secret_id": CLIENT,
        "secret_key": SECRET,
        "account_id": "A1",
        "base_url": url,
        "account": "giro",
    }
    return GoCardless("giro", "books", line=Line(clock.now, clock.sleep, NoMeter()), **(given | changed))


def spent(number, amount="-5.10", **more):
    given = {
        "transaction_id": f"T{number}",
        "account_id": "ACC1",
        "amount": float(amount),
        "iso_currency_code": "USD",
    }
    return given | {"date": "2026-01-15", "name": "ADA", "pending": False} | more


def lines_of(deliveries):
    return [
        (line.provider_id, line.amount.minor)
        for one in deliveries
        for statement in read_file(one.data).statements
        for line in statement.lines
    ]


def test_plaid_brings_every_page_once_and_goes_on_from_its_cursor(served, clock):
    feeds, url = served
    feeds.events = [("added", spent(n)) for n in range(1, 6)]
    pages = list(plaid(url, clock).new(None))
    assert lines_of(pages) == [(f"T{n}", 510) for n in range(1, 6)], "what is negative there came in"
    assert [one.mark for one in pages] == ["", "", "c5"], "the cursor moves with the last page"
    assert list(plaid(url, clock).new("c5")) == []
    feeds.events += [("modified", spent(1, "-7.00")), ("removed", {"transaction_id": "T2"})]
    (page,) = plaid(url, clock).new("c5")
    (statement,) = read_file(page.data).statements
    assert (statement.lines[0].corrects.provider_id, statement.removed) == ("T1", ("T2",))


def test_an_update_that_changes_while_it_is_paged_is_read_again_from_its_start(served, clock):
    feeds, url = served
    feeds.events, feeds.changes = [("added", spent(n)) for n in range(1, 6)], 2
    assert len(lines_of(plaid(url, clock).new(None))) == 5
    feeds.changes = 99
    with pytest.raises(Throttled):
        list(plaid(url, clock).new(None))


@pytest.mark.parametrize(
    ("changed", "error"),
    [({"secret": "wrong-secret"}, ConfigError), ({"access_token": "another-token"}, ConsentLost)],
)
def test_plaid_refusals_say_who_must_act(served, clock, changed, error):
    with pytest.raises(error, match="plaid refuses") as met:
        list(plaid(served[1], clock, **changed).new(None))
    assert SECRET not in str(met.value)


@pytest.mark.parametrize("feed", [plaid, gocardless])
def test_a_consent_that_ended_is_a_persons_to_renew(served, clock, feed):
    served[0].consented = False
    with pytest.raises(ConsentLost):
        list(feed(served[1], clock).new(None))


@pytest.mark.parametrize("feed", [plaid, gocardless])
def test_a_feed_that_does_not_answer_is_no_empty_one(clock, feed):
    with pytest.raises(Unreachable):
        list(feed("http://127.0.0.1:1", clock).new(None))


def booked(number, day, amount="12.30"):
    return {
        "transactionId": f"B{number}", "bookingDate": day, "valueDate": day, "debtorName": "ADA",
        "transactionAmount": {"amount": amount, "currency": "EUR"},
        "remittanceInformationUnstructured": f"INV-{number}",
    }  # fmt: skip


def test_gocardless_is_asked_every_six_hours_and_for_ten_days_back(served, clock):
    feeds, url = served
    feeds.booked = [booked(1, "2025-12-01"), booked(2, "2026-01-15")]
    feeds.pending = [booked(3, "2026-01-20")]
    (first,) = gocardless(url, clock).new(None)
    assert lines_of([first]) == [("B1", 1230), ("B2", 1230)], "pending is no money yet"
    assert list(gocardless(url, clock).new(first.mark)) == []
    clock.at += timedelta(hours=6)
    (second,) = gocardless(url, clock).new(first.mark)
    assert lines_of([second]) == [("B2", 1230)]
    assert feeds.requests == ["", "date_from=2026-01-10"]


def test_gocardless_refusals_say_who_must_act(served, clock):
    with pytest.raises(ConfigError, match="secret_id"):
        list(gocardless(served[1], clock, secret_key="wrong-secret").new(None))
    served[0].asked_today = 4
    with pytest.raises(Throttled):
        list(gocardless(served[1], clock).new(None))


def test_answers_are_kept_as_they_came(served, clock):
    feeds, url = served
    feeds.booked = [booked(1, "2026-01-15", "0.10")]
    (one,) = gocardless(url, clock).new(None)
    assert json.loads(one.data)["transactions"]["booked"][0]["transactionAmount"]["amount"] == "0.10"
