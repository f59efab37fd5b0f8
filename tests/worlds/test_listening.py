"""Webhooks and the month's reads: who may make a ledger run sooner, and who makes it wait."""

import json
import time
from datetime import timedelta

import pytest

from arsync.connectors.quickbooks import webhook
from arsync.store import office as rows
from arsync.store import tables
from arsync.sync import connect, follow
from arsync.sync.budget import Budget
from arsync.sync.health import ledger_checks
from arsync.sync.hear import hear
from arsync.sync.run import run
from arsync.web.listener import Knocks, listening
from tests.worlds.office import REALM, Line

HOUR = timedelta(hours=1)


@pytest.fixture
def heard(quick_office):
    """An office whose listener is open; yields (office, how often a mark was kept)."""
    office, kept, token = quick_office, [], "verifier-of-the-app"

    def keep(companies):
        kept.append(companies)
        return hear(office.house, "quickbooks", companies)

    knocks = Knocks(
        webhook.SIGNATURE, lambda body, given: webhook.signed(body, given, token), webhook.companies, keep
    )
    with listening(("127.0.0.1", 0), knocks) as address:
        yield office, kept, lambda shape: office.simulator.webhooks.register(f"{address}/qbo", shape, token)
        for url in list(office.simulator.webhooks.endpoints):
            office.simulator.webhooks.forget(url)


def until_kept(office, kept):
    for _ in range(50):
        office.simulator.deliver_webhooks()
        if kept:
            return
        time.sleep(0.05)
    raise AssertionError("nothing was heard")


def due(office, every=24 * HOUR):
    return follow.due(office.house, office.ledger, every)


@pytest.mark.parametrize("shape", ["cloudevents", "notifications"])
@pytest.mark.parametrize(
    "switches", [{}, {"webhook_copies": 3, "webhook_order": "reversed"}], ids=["once", "thrice"]
)
def test_a_change_is_heard_and_the_next_run_heeds_it(heard, shape, switches):
    office, kept, register = heard
    for name, value in switches.items():
        setattr(office.simulator.switches, name, value)
    invoice = office.invoice(office.customer("Acme"), "250.00", "1001")
    office.run()
    register(shape)
    office.clock.sleep(60)
    assert not due(office)
    office.keeper.void("Invoice", invoice)
    until_kept(office, kept)
    assert set(kept) == {frozenset({REALM})}
    assert due(office)
    office.run()
    assert office.item(f"Invoice:{invoice}").open_minor == 0
    office.clock.sleep(60)
    assert not due(office), "heeded"


def test_a_lost_webhook_loses_nothing(heard):
    office, kept, register = heard
    register("cloudevents")
    office.simulator.switches.webhooks_lost = True
    invoice = office.invoice(office.customer("Acme"), "250.00", "1001")
    office.simulator.deliver_webhooks()
    assert kept == []
    office.run()
    assert office.item(f"Invoice:{invoice}").open_minor == 250_00


def test_a_burst_waits_for_its_end_and_a_ledger_is_due_by_time(heard):
    office, *_ = heard
    assert due(office), "never run"
    office.run()
    hear(office.house, "quickbooks", frozenset({REALM}))
    assert not due(office), "a run has just ended: changes come in bursts"
    office.clock.sleep(30)
    assert due(office)
    office.run()
    office.clock.sleep(3000)
    assert not due(office, HOUR)
    office.clock.sleep(700)
    assert due(office, HOUR)


# ---- the month's reads


def use(office, reads):
    """Let the month have cost so many reads."""
    month = office.clock.now_is.strftime("%Y-%m")
    with office.store.begin() as conn:
        m = tables.meter
        conn.execute(m.delete())
        conn.execute(m.insert().values(connection_id=1, month=month, what="quickbooks.read", count=reads))


def rests(office):
    return follow.rests(office.house, office.ledger, office.inbox)


@pytest.mark.parametrize(
    ("percent", "after", "waits"),
    [
        pytest.param(79, HOUR, False, id="below 80 percent every look is made"),
        pytest.param(80, HOUR, True, id="from 80 percent an hour is too soon"),
        pytest.param(80, 5 * HOUR, False, id="and five hours are not"),
        pytest.param(95, 5 * HOUR, True, id="from 95 percent five hours are too soon"),
        pytest.param(95, 21 * HOUR, False, id="and the next day is not"),
        pytest.param(140, 21 * HOUR, False, id="one look a day is made whatever was used"),
    ],
)
def test_looks_at_books_where_nothing_waits_slow_down(quick_office, percent, after, waits):
    office = quick_office
    office.run()
    use(office, percent * 200)
    office.clock.sleep(after.total_seconds())
    assert bool(rests(office)) == waits
    if waits:
        assert f"{percent} % of the month's 20,000 reads" in rests(office)


def test_work_never_waits_for_the_budget(quick_office):
    office = quick_office
    office.invoice(office.customer("Acme"), "250.00", "1001")
    office.mode("auto")
    office.run()
    use(office, 19_999)
    office.clock.sleep(3600)
    assert rests(office)
    office.statement(Line("250.00", "INVOICE 1001", "ACME"))
    assert not rests(office), "a bank file waits"
    ran = office.run()
    assert ran.after.state == "proven", "what is written is proved"
    use(office, 19_999)
    office.clock.sleep(3600)
    assert rests(office), "the file is known now"


def test_a_new_month_begins_anew(quick_office):
    office = quick_office
    office.run()
    use(office, 20_000)
    office.clock.sleep(3600)
    assert rests(office)
    office.clock.pass_days(10)
    assert office.clock.now_is.month == 11
    office.clock.pass_days(1)
    assert not rests(office)


def test_reads_are_counted_for_each_month_and_survive_a_kill(quick_office, monkeypatch):
    office = quick_office

    def read():
        with office.store.read() as conn:
            return {m: rows.metered(conn, 1, m).get("quickbooks.read", 0) for m in ("2026-11", "2026-12")}

    before = read()["2026-11"]
    office.simulator.requests.clear()
    with connect.at_work(office.house, office.ledger, lambda _step, _text: None) as job:
        run(job, office.inbox)
    november = read()["2026-11"]
    asked = [r for r in office.simulator.requests if "/oauth2/" not in r.path]
    assert november - before == len(asked)
    office.clock.now_is = office.clock.now_is.replace(day=30, hour=23, minute=59, second=58)
    job = office.job()
    for _ in range(40):
        job.connector.control()
        office.clock.sleep(0.1)
    job.connector.close()  # and nobody says goodbye to the meter
    counted, total = read(), before + len([r for r in office.simulator.requests if "/oauth2/" not in r.path])
    assert counted["2026-12"] > 0
    assert 0 <= total - sum(counted.values()) < 20, "a kill leaves less than twenty uncounted"


@pytest.mark.parametrize(
    ("used", "percent", "stops"),
    [(0, 0, False), (15_999, 79, False), (16_000, 80, False), (19_000, 95, True)],
)
def test_a_budget_counts_in_whole_percents_rounded_down(used, percent, stops):
    budget = Budget(used, 20_000)
    assert (budget.percent, budget.stops) == (percent, stops)


# ---- what doctor says


def said(office):
    return {
        (c.state, c.what.removeprefix("ledger books: "), c.do)
        for c in ledger_checks(office.house, office.ledger)
    }


def says(office, state, words, do=""):
    found = [one for one in said(office) if words in one[1]]
    assert found, sorted(said(office))
    assert found[0][0] == state, found
    assert do in found[0][2]


def with_tokens(office, **changes):
    from dataclasses import replace

    from arsync.store.vault import StoredTokens

    store = StoredTokens(office.store, office.house.vault, office.ledger.connection_id)
    store.save(replace(store.load(), **changes))


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [
        pytest.param(400, "ok", "ends 2027-12-25, whatever is done", id="more than two months"),
        pytest.param(59, "warn", "within two months", id="two months"),
        pytest.param(29, "warn", "whatever is done: this month", id="a month"),
        pytest.param(6, "bad", "in 6 days", id="a week"),
        pytest.param(-1, "bad", "the consent to quickbooks ended", id="over"),
    ],
)
def test_doctor_warns_before_the_consent_ends(quick_office, days, state, words):
    office = quick_office
    with_tokens(office, hard_until=office.clock.now_is + timedelta(days=days, hours=1))
    says(office, state, words, "" if state == "ok" else "arsync connect quickbooks --name quickbooks")


@pytest.mark.parametrize(
    ("unused", "state"), [pytest.param(59, "ok", id="59 days"), pytest.param(61, "bad", id="61 days")]
)
def test_doctor_alarms_when_nobody_uses_the_sign_in(quick_office, unused, state):
    office = quick_office
    now = office.clock.now_is
    with_tokens(
        office, renewed_at=now - timedelta(days=unused), refresh_until=now + timedelta(days=101 - unused)
    )
    says(office, state, "quickbooks", "" if state == "ok" else "arsync run") if state == "ok" else says(
        office, "bad", f"was not used for {unused} days", "arsync run"
    )


def test_doctor_tells_of_gaps_closed_books_automatic_applications_and_the_budget(quick_office):
    office = quick_office
    office.keeper.set_closing_date("2026-10-31")
    office.keeper.change_settings(auto_apply_credit=True)
    office.run()
    hear(office.house, "quickbooks", None)
    office.clock.sleep(3 * 3600)
    says(office, "ok", "the books are closed through 2026-10-31")
    says(office, "warn", "QuickBooks applies credits by itself", "settings")
    says(office, "warn", "as a webhook said, and not read since", "arsync run")
    office.clock.pass_days(5)
    says(office, "warn", "the books were last read 5 days ago", "arsync run")
    says(office, "warn", "last proved 2026-11-20", "arsync run")
    use(office, 16_500)
    says(office, "warn", "82 % of the month's 20,000 reads", "monthly_reads")


def test_doctor_tells_of_a_company_that_takes_no_writes(quick_office):
    office = quick_office
    office.invoice(office.customer("Acme"), "250.00", "1001")
    office.mode("auto")
    office.company.settings.read_only = True
    office.statement(Line("250.00", "INVOICE 1001", "ACME"))
    office.run()
    says(office, "bad", "the company is read-only since", "renew")
    assert json.dumps(sorted(said(office)))
