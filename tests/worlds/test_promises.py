"""Promises to pay and reminders: recorded by people, judged by the books, said back to both platforms."""

from datetime import date, timedelta

import pytest

from arsync.core.promises import State
from arsync.errors import Conflict, NotFound, NotPermitted, UsageError
from arsync.store import audit, collecting
from arsync.sync import actions, promises
from arsync.sync import notes as noting
from arsync.sync.report import forecast_report
from tests.worlds.office import Line
from tests.worlds.xero_office import POLICY, xero_office

pytestmark = pytest.mark.slow
ON_NOTE = '\n[write_back]\nstate = "note"\n'
BY = date(2026, 12, 5)


def state_of(office, number):
    with office.store.read() as conn:
        every = promises.standing(conn, office.ledger, office.desk().today())
    return next(one.state for one in every if one.row.id == number)


def promised(office, item, by=BY, **more):
    return actions.promise(office.desk(), [item], by, **more)


def rests(office):
    """Another run, and then one that finds nothing to do and writes nothing anywhere."""
    office.run()
    before = office.rows()
    ran = office.run()
    assert (ran.changed, ran.written.sent) == (False, 0)
    assert office.changed_rows(before) == set()


# ---- what is recorded, and what becomes of it


@pytest.fixture
def owed(quick_office):
    """An office on QuickBooks that says notes, and what O'Brien owes there."""
    quick_office.policy(ON_NOTE)
    customer = quick_office.customer("O'Brien \\ Sons' & Co")
    quick_office.invoices = {
        number: quick_office.invoice(customer, amount, number)
        for number, amount in (("1001", "1200.00"), ("1002", "80.00"))
    }
    quick_office.run()
    quick_office.item_id = quick_office.item(f"Invoice:{quick_office.invoices['1001']}").id
    return quick_office


def note_of(office, number="1001"):
    return office.keeper.get("Invoice", office.invoices[number]).get("PrivateNote", "")


def test_a_promise_is_said_on_the_invoice_once_and_taken_off_when_it_is_paid(owed):
    (made,) = promised(owed, owed.item_id, said_by="Pat O'Brien")
    assert made.text == "P-1: USD 1,200.00 of 1001 promised by 2026-12-05"
    assert made.warnings == ()
    owed.run()
    assert note_of(owed) == "[arsync: promised 1,200.00 by 2026-12-05]"
    rests(owed)
    owed.keeper.create_payment(
        "1", "1200.00", [("Invoice", owed.invoices["1001"], "1200.00")], date=owed.today().isoformat()
    )
    owed.run()
    assert state_of(owed, 1) is State.KEPT
    assert note_of(owed) == "[arsync: nothing pending]"
    rests(owed)
    owed.adds_up()


def test_a_promise_that_was_broken_is_said_from_the_day_after_on(owed):
    promised(owed, owed.item_id, by=owed.today() + timedelta(days=2))
    owed.clock.pass_days(2)
    owed.run()
    assert state_of(owed, 1) is State.OPEN, "due today"
    owed.clock.pass_days(1)
    owed.run()
    assert state_of(owed, 1) is State.BROKEN
    assert note_of(owed) == "[arsync: promise broken: 1,200.00 by 2026-11-22]"
    rests(owed)


def test_money_that_arrived_in_time_and_waits_in_the_queue_breaks_no_promise(owed):
    promised(owed, owed.item_id, by=owed.today())
    owed.statement(Line("1200.00", "INVOICE 1001", "OBRIEN SONS CO", on=owed.today()))
    owed.run()
    owed.clock.pass_days(3)
    owed.run()
    (row,) = owed.queue()
    assert state_of(owed, 1) is State.IN_REVIEW
    assert note_of(owed) == f"[arsync: payment in review, Q-{row.id}; promised 1,200.00 by 2026-11-20]"
    actions.accept(owed.desk(), row.id)
    assert state_of(owed, 1) is State.IN_REVIEW, "decided, and not in the books yet"
    owed.run_until_idle()
    assert state_of(owed, 1) is State.KEPT, "the money came in time, whenever it was applied"


def test_what_the_customer_left_on_account_after_promising_breaks_no_promise(owed):
    promised(owed, owed.item_id, by=owed.today())
    owed.keeper.create_payment("1", "1200.00", date=owed.today().isoformat())
    owed.clock.pass_days(1)
    owed.run()
    assert state_of(owed, 1) is State.IN_REVIEW


def test_money_of_somebody_else_that_waits_holds_nothing(owed):
    promised(owed, owed.item_id, by=owed.today())
    owed.statement(Line("5000.00", "HELLO", "A STRANGER", on=owed.today()))
    owed.run()
    owed.clock.pass_days(1)
    assert state_of(owed, 1) is State.BROKEN


def test_a_newer_promise_supersedes_one_that_runs_and_leaves_a_broken_one(owed):
    promised(owed, owed.item_id)
    (second,) = promised(owed, owed.item_id, by=BY + timedelta(days=7), amount_minor=500_00)
    assert "P-1 (USD 1,200.00 by 2026-12-05) is superseded" in second.text
    assert (state_of(owed, 1), state_of(owed, 2)) == (State.SUPERSEDED, State.OPEN)
    owed.clock.pass_days(30)
    (third,) = promised(owed, owed.item_id, by=owed.today())
    assert "superseded" not in third.text
    assert (state_of(owed, 2), state_of(owed, 3)) == (State.BROKEN, State.OPEN)
    with owed.store.read() as conn:
        history = audit.history(conn, owed.ledger.id, f"item:{owed.item_id}")
    assert [one["what"] for one in history] == ["promise recorded"] * 3
    assert history[1]["body"]["supersedes"] == 1


def test_a_promise_that_is_withdrawn_is_on_record_and_no_longer_said(owed):
    promised(owed, owed.item_id)
    owed.run()
    actions.withdraw_promise(owed.desk(), 1, "said of another invoice")
    owed.run()
    assert state_of(owed, 1) is State.WITHDRAWN
    assert note_of(owed) == "[arsync: nothing pending]"
    rests(owed)
    with pytest.raises(Conflict, match="withdrawn"):
        actions.withdraw_promise(owed.desk(), 1, "again")
    with pytest.raises(NotFound, match="P-9"):
        actions.withdraw_promise(owed.desk(), 9, "no such")


@pytest.mark.parametrize(
    ("items", "more", "says"),
    [
        pytest.param([], {}, "no item is named", id="of nothing"),
        pytest.param(
            ["1001", "1002"], {"amount_minor": 5}, "one amount for 2 items", id="one amount for two"
        ),
        pytest.param(["1001"], {"amount_minor": 1200_01}, "1,200.00 is open", id="more than is open"),
        pytest.param(["1001"], {"amount_minor": 0}, "cannot be promised", id="nothing"),
        pytest.param(["1001"], {"amount_minor": -1}, "cannot be promised", id="less than nothing"),
        pytest.param(["1001"], {"by": date(2026, 11, 19)}, "2026-11-19 is over", id="for yesterday"),
        pytest.param(["CM-1"], {}, "is a credit", id="of a credit memo"),
        pytest.param(["1003"], {}, "is settled", id="of a settled invoice"),
    ],
)
def test_what_cannot_be_promised(owed, items, more, says):
    memo = owed.credit_memo("1", "20.00", "CM-1")
    paid = owed.invoice("1", "10.00", "1003")
    owed.keeper.create_payment("1", "10.00", [("Invoice", paid, "10.00")], date=owed.today().isoformat())
    owed.run()
    named = {number: f"Invoice:{invoice}" for number, invoice in owed.invoices.items()}
    named |= {"CM-1": f"CreditMemo:{memo}", "1003": f"Invoice:{paid}"}
    ids = [owed.item(named[one]).id for one in items]
    with pytest.raises(UsageError, match=says):
        actions.promise(owed.desk(), ids, **{"by": BY, **more})
    with owed.store.read() as conn:
        assert collecting.promises(conn, owed.ledger.id) == []


def test_an_auditor_records_nothing(owed):
    with pytest.raises(NotPermitted):
        actions.promise(owed.desk("Otto"), [owed.item_id], BY)
    with pytest.raises(NotPermitted):
        actions.remind(owed.desk("Otto"), [owed.item_id])


# ---- reminders


def test_a_reminder_on_record_is_said_on_the_invoice(owed):
    (made,) = actions.remind(owed.desk(), [owed.item_id], way="letter")
    assert (made.text, made.warnings) == ("1001: reminded (level 1) 2026-11-20 by letter", ())
    owed.run()
    assert note_of(owed) == "[arsync: reminded (level 1) 2026-11-20 by letter]"
    owed.clock.pass_days(9)
    (again,) = actions.remind(owed.desk(), [owed.item_id], on=owed.today() - timedelta(days=1))
    assert again.text == "1001: reminded (level 2) 2026-11-28"
    promised(owed, owed.item_id)
    owed.run()
    assert note_of(owed) == "[arsync: promised 1,200.00 by 2026-12-05; reminded (level 2) 2026-11-28]"
    rests(owed)


@pytest.mark.parametrize(
    ("items", "more", "says"),
    [
        pytest.param([], {}, "no item is named", id="of nothing"),
        pytest.param([1], {"on": date(2026, 11, 21)}, "still to come", id="given tomorrow"),
        pytest.param([1], {"level": 0}, "no level 0", id="of no level"),
    ],
)
def test_what_is_no_reminder(owed, items, more, says):
    with pytest.raises(UsageError, match=says):
        actions.remind(owed.desk(), [owed.item_id for _ in items], **more)


def test_who_has_paid_or_promised_is_not_reminded_without_a_word(owed):
    actions.promise(owed.desk(), [owed.item_id], BY)
    owed.keeper.create_payment("1", "30.00", date=owed.today().isoformat())
    owed.keeper.create_payment(
        "1", "80.00", [("Invoice", owed.invoices["1002"], "80.00")], date=owed.today().isoformat()
    )
    owed.statement(Line("1200.00", "INVOICE 1001", "OBRIEN SONS CO", on=owed.today()))
    owed.run()
    second = owed.item(f"Invoice:{owed.invoices['1002']}").id
    first, settled = actions.remind(owed.desk(), [owed.item_id, second])
    assert first.warnings == (
        "USD 1,200.00 that may pay it is in review",
        "its customer has USD 30.00 unapplied",
        "P-1 runs: USD 1,200.00 by 2026-12-05",
    )
    assert settled.warnings[0] == "1002 is settled"


# ---- said back to Xero


@pytest.fixture
def at_xero(tmp_path):
    """An office on Xero that says notes, and what O'Brien owes there."""
    with xero_office(tmp_path, reminders=True) as made:
        made.policy(POLICY + ON_NOTE)
        made.invoices = {"1001": made.invoice(made.customer("O'Brien \\ Sons' & Co"), "1200.00", "1001")}
        made.run()
        made.item_id = made.item(f"Invoice:{made.invoices['1001']}").id
        yield made
        made.agrees()


def expected(at_xero):
    return at_xero.tenant.core.papers[at_xero.invoices["1001"]].expected


def said(at_xero):
    history = at_xero.tenant.core.history.get(at_xero.invoices["1001"], ())
    return [one.details for one in history if one.details.startswith("arsync: ")]


def set_by_a_person(at_xero, day):
    at_xero.clock.sleep(2)
    at_xero.keeper.edit(at_xero.invoices["1001"], ExpectedPaymentDate=day.isoformat())
    at_xero.clock.sleep(2)


def test_xero_expects_the_money_on_the_promised_day_and_our_own_word_is_no_change(at_xero):
    promised(at_xero, at_xero.item_id)
    at_xero.run()
    assert expected(at_xero) == BY
    assert said(at_xero) == ["arsync: promised 1,200.00 by 2026-12-05"]
    assert at_xero.item(f"Invoice:{at_xero.invoices['1001']}").expected == BY
    assert at_xero.run().pulled.total == 0
    rests(at_xero)


def test_a_newer_promise_moves_the_day_and_a_withdrawn_one_takes_it_away(at_xero):
    promised(at_xero, at_xero.item_id)
    at_xero.run()
    promised(at_xero, at_xero.item_id, by=BY + timedelta(days=7))
    at_xero.run()
    assert expected(at_xero) == BY + timedelta(days=7)
    actions.withdraw_promise(at_xero.desk(), 2, "they called it off")
    at_xero.run()
    assert expected(at_xero) is None
    assert said(at_xero)[-1] == "arsync: nothing pending"
    rests(at_xero)


def test_a_day_that_people_of_the_books_had_set_is_replaced_with_a_word_and_set_back(at_xero):
    theirs = date(2026, 11, 30)
    set_by_a_person(at_xero, theirs)
    at_xero.run()
    (made,) = promised(at_xero, at_xero.item_id)
    assert made.warnings == (
        "the books expect 1001 on 2026-11-30, by somebody's hand there; the next run replaces it",
    )
    at_xero.run()
    assert expected(at_xero) == BY
    with at_xero.store.read() as conn:
        history = audit.history(conn, at_xero.ledger.id, f"item:{at_xero.item_id}")
    assert [one["what"] for one in history] == ["promise recorded", "expected day replaced"]
    assert history[1]["body"] == {"the books expected": "2026-11-30", "promised by": "2026-12-05"}
    (second,) = promised(at_xero, at_xero.item_id, by=BY + timedelta(days=1))
    assert second.warnings == (), "the day that stands there is ours"
    at_xero.run()
    actions.withdraw_promise(at_xero.desk(), 2, "they called it off")
    at_xero.run()
    assert expected(at_xero) == theirs
    rests(at_xero)


def test_a_day_that_somebody_changes_after_us_stands(at_xero):
    promised(at_xero, at_xero.item_id)
    at_xero.run()
    set_by_a_person(at_xero, BY + timedelta(days=20))
    at_xero.run()
    rests(at_xero)
    actions.withdraw_promise(at_xero.desk(), 1, "they called it off")
    at_xero.run()
    assert expected(at_xero) == BY + timedelta(days=20)
    rests(at_xero)


def test_a_day_that_the_books_have_already_is_not_sent(at_xero):
    set_by_a_person(at_xero, BY)
    at_xero.run()
    promised(at_xero, at_xero.item_id)
    at_xero.run()
    assert [r.method for r in at_xero.calls("POST", "/Invoices/")] == []
    actions.withdraw_promise(at_xero.desk(), 1, "they called it off")
    at_xero.run()
    assert expected(at_xero) == BY
    rests(at_xero)


def test_a_broken_promise_leaves_the_day_it_was_for(at_xero):
    promised(at_xero, at_xero.item_id, by=at_xero.today())
    at_xero.run()
    at_xero.clock.pass_days(1)
    at_xero.run()
    assert expected(at_xero) == date(2026, 11, 20)
    assert said(at_xero)[-1] == "arsync: promise broken: 1,200.00 by 2026-11-20"
    rests(at_xero)


def test_nothing_is_expected_of_what_is_settled_or_locked(at_xero):
    promised(at_xero, at_xero.item_id)
    at_xero.keeper.lock(period=(at_xero.today() - timedelta(days=1)).isoformat())
    at_xero.run()
    assert expected(at_xero) is None
    assert said(at_xero) == ["arsync: promised 1,200.00 by 2026-12-05"], "its history may still be written"
    rests(at_xero)
    at_xero.keeper.lock()
    at_xero.keeper.pay(at_xero.invoices["1001"], "1200.00", date=at_xero.today().isoformat())
    at_xero.clock.sleep(2)
    at_xero.run()
    assert state_of(at_xero, 1) is State.KEPT
    assert expected(at_xero) is None
    rests(at_xero)


def test_without_the_policys_word_xero_is_told_nothing(at_xero):
    at_xero.policy(POLICY)
    promised(at_xero, at_xero.item_id)
    at_xero.run()
    assert (expected(at_xero), said(at_xero)) == (None, [])


@pytest.mark.parametrize("kind", ["lost_before_commit", "lost_after_commit", "html_500_after_commit"])
def test_a_day_whose_answer_is_lost_is_found_or_said_again(at_xero, kind):
    promised(at_xero, at_xero.item_id)
    at_xero.simulator.faults.add("POST /Invoices", kind)
    at_xero.run()
    at_xero.clock.sleep(400)
    at_xero.run_until_idle()
    assert expected(at_xero) == BY
    assert len(said(at_xero)) == 1
    rests(at_xero)


def test_a_day_that_cannot_be_read_back_is_looked_up_by_the_next_run(at_xero):
    """Xero took it; the reading after it fails, and so does the process."""
    promised(at_xero, at_xero.item_id)
    at_xero.simulator.faults.add("POST /Invoices", "lost_after_commit", times=9)
    ran = at_xero.run()
    assert ran.written.unknown == 1
    assert expected(at_xero) == BY
    promise_withdrawn_meanwhile = actions.withdraw_promise(at_xero.desk(), 1, "they called it off")
    assert promise_withdrawn_meanwhile.id == 1
    at_xero.simulator.faults.clear()
    at_xero.clock.sleep(400)
    ran = at_xero.run()
    assert ran.read_back.adopted == 1
    at_xero.run_until_idle()
    assert expected(at_xero) is None, "once it is known to stand, it is taken away"
    rests(at_xero)


def test_killed_between_sending_and_reading_back(at_xero, monkeypatch):
    promised(at_xero, at_xero.item_id)
    from arsync.connectors.xero import send

    with monkeypatch.context() as dying:
        dying.setattr(send, "_invoices", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            at_xero.run()
    assert expected(at_xero) == BY
    at_xero.clock.sleep(400)
    assert at_xero.run().read_back.adopted == 1
    assert len(at_xero.calls("POST", "/Invoices/")) == 1
    at_xero.run()
    rests(at_xero)


def test_a_reminder_where_xero_reminds_too_is_warned_of(at_xero):
    (made,) = actions.remind(at_xero.desk(), [at_xero.item_id], level=2, way="phone")
    assert made.warnings == ("the books send reminders by themselves: the customer may be reminded twice",)
    at_xero.run()
    assert said(at_xero) == ["arsync: reminded (level 2) 2026-11-20 by phone"]


def test_what_is_said_of_many_promises_costs_three_calls_each(at_xero):
    customer = at_xero.customer("Many")
    invoices = [at_xero.invoice(customer, "10.00", f"M-{n}") for n in range(5)]
    at_xero.run()
    ids = [at_xero.item(f"Invoice:{invoice}").id for invoice in invoices]
    actions.promise(at_xero.desk(), ids, BY)
    at_xero.run_until_idle()
    calls = [r for r in at_xero.calls() if r.method in ("PUT", "POST")]
    assert len(calls) == 10
    assert noting.NOTHING not in [
        one.details for i in invoices for one in at_xero.tenant.core.history.get(i, ())
    ]


# ---- the cash to come


def test_the_forecast_counts_on_what_is_promised_and_on_what_the_books_expect(at_xero):
    other = at_xero.invoice(at_xero.customer("Acme"), "300.00", "2001")
    at_xero.keeper.edit(other, ExpectedPaymentDate="2026-12-15")
    at_xero.clock.sleep(2)
    at_xero.run()
    promised(at_xero, at_xero.item_id)
    made = forecast_report(at_xero.store, at_xero.ledger, at_xero.clock.now_is, 5)
    (currency,) = made.forecast.currencies
    assert [week.likely_minor for week in currency.weeks] == [
        0,
        0,
        0,
        1200_00,
        300_00,
    ]  # the 5th is a Saturday
    assert "2 of the items on the day promised, or expected in the books" in made.forecast.note
