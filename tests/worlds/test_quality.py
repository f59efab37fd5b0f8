"""How often we are wrong: what was applied without a person goes to a clerk, who does not see what was applied."""

from contextlib import contextmanager

import pytest
from sqlalchemy import select

from arsync.errors import Conflict, NotPermitted, UsageError
from arsync.store import tables
from arsync.store.office import policy_in_force
from arsync.sync import actions, checking
from arsync.sync.decide import keep, look
from arsync.sync.report import quality_report
from tests.worlds.office import Line

pytestmark = pytest.mark.slow
EVERY = "[quality]\none_in = 1\n"


@pytest.fixture
def office(office):
    office.northwind = office.customer("Northwind Traders")
    with office.store.read() as conn:
        office.plain = policy_in_force(conn, office.ledger.id).text.partition("[quality]")[0]
    office.policy(office.plain + EVERY)
    office.mode("auto")
    return office


def pay(office, *numbers, customer=None, amount="100.00"):
    """An invoice for each number, and its money."""
    for number in numbers:
        office.invoice(customer or office.northwind, amount, str(number), days_ago=5)
    office.statement(*(Line(amount, f"INVOICE {number}", "NORTHWIND TRADERS") for number in numbers))


def drawn(office):
    return [q for q in office.queue("quality check") if q.subject.startswith("sample:")]


def measured(office):
    (one,) = quality_report(office.store, office.ledger).classes
    return one


def part(office, number, cash="100.00"):
    with office.store.read() as conn:
        i = tables.item.c
        found = conn.execute(select(i.id).where(i.number == str(number), i.kind == "invoice")).scalar_one()
    return actions.Part(found, int(cash.replace(".", "")))


def test_what_was_applied_is_asked_again_and_nothing_is_held_up(office):
    pay(office, 1001)
    office.run_until_idle()
    (asked,) = drawn(office)
    assert office.receipt().state == "applied"
    assert (asked.customer_id, asked.finding_sha, asked.preferred) == (None, None, False)
    before = office.rows()
    office.run()
    assert office.changed_rows(before) == set()


def test_a_clerk_who_says_the_same_counts_for_it(office):
    pay(office, 1001)
    office.run_until_idle()
    acted = actions.apply(office.desk(), drawn(office)[0].id, [part(office, 1001)])
    assert "applied the same" in acted.text
    assert office.queue() == []
    assert (measured(office).checked, measured(office).wrong) == (1, 0)
    assert len(office.payments()) == 1
    office.adds_up()


def test_of_equal_items_each_is_as_good(office):
    pay(office, 1001)
    office.invoice(office.northwind, "100.00", "1002", days_ago=5)
    office.run_until_idle()
    assert "the same" in actions.apply(office.desk(), drawn(office)[0].id, [part(office, 1002)]).text


ANSWERS = {
    "another item": lambda o, q: actions.apply(o.desk(), q, [part(o, 1002)]),
    "part of it on account": lambda o, q: actions.apply(
        o.desk(), q, [part(o, 1001, "60.00")], rest_on_account=True
    ),
    "all of it on account": lambda o, q: actions.on_account(o.desk(), q, o.customer_id(o.northwind)),
    "no receivable": lambda o, q: actions.not_ours(o.desk(), q, "our own transfer"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_clerk_who_says_something_else_counts_against_it_and_is_told_how_to_take_it_back(office, answer):
    other = office.customer("Eastlake")
    pay(office, 1001)
    office.invoice(other, "100.00", "1002", days_ago=20)
    office.run_until_idle()
    decision = office.receipt().decision_id
    acted = answer(office, drawn(office)[0].id)
    assert f"arsync undo D-{decision} --why TEXT" in acted.text
    assert (measured(office).checked, measured(office).wrong) == (1, 1)
    assert office.receipt().state == "applied"
    office.adds_up()
    actions.undo(office.desk(), decision, "it was Eastlake's")
    office.run_until_idle()
    assert [q.subject for q in office.queue()] == ["receipt:1", "class:reference"]
    assert (measured(office).wrong, measured(office).undone) == (1, 1)
    office.adds_up()


def test_a_second_person_may_say_that_the_check_was_mistaken(office):
    pay(office, 1001)
    office.run_until_idle()
    actions.not_ours(office.desk("Max"), drawn(office)[0].id, "a slip")
    (doubt,) = [q for q in office.queue() if q.subject.startswith("doubt:")]
    for name in ("Cleo", "Max"):  # a clerk may not; who checked may not either
        with pytest.raises(NotPermitted):
            actions.resolve(office.desk(name), doubt.id, "it stands")
    actions.resolve(office.desk("Mia"), doubt.id, "it stands")
    assert (measured(office).checked, measured(office).wrong) == (1, 0)


def test_nobody_can_tell(office):
    pay(office, 1001)
    office.run_until_idle()
    actions.resolve(office.desk(), drawn(office)[0].id, "no advice, two jobs")
    made = quality_report(office.store, office.ledger)
    assert (made.classes[0].checked, made.unclear, made.asked) == (0, 1, 0)


def test_what_does_not_add_up_is_no_answer(office):
    pay(office, 1001)
    office.run_until_idle()
    with pytest.raises(UsageError, match="is left over"):
        actions.apply(office.desk(), drawn(office)[0].id, [part(office, 1001, "60.00")])
    with pytest.raises(UsageError, match="no suggestions"):
        actions.accept(office.desk(), drawn(office)[0].id)
    assert measured(office).checked == 0


def test_evidence_that_is_too_often_wrong_goes_back_to_propose_until_a_manager_lifts_it(office):
    pay(office, 1001)
    office.run_until_idle()
    actions.not_ours(office.desk(), drawn(office)[0].id, "a transfer")
    (told,) = [q for q in office.queue() if q.subject.startswith("class:")]
    assert '"reference" is back to propose: 1 of 1 checked were wrong' in told.detail

    pay(office, 1002)
    office.run_until_idle()
    assert [(q.reason, q.preferred) for q in office.queue() if q.subject == "receipt:2"] == [
        ("confirmation", True)
    ]
    assert measured(office).held
    with pytest.raises(UsageError, match="when a manager lifts it"):
        actions.resolve(office.desk(), told.id, "seen")
    with pytest.raises(NotPermitted):
        actions.lift_class(office.desk("Cleo"), "reference", "all is well")
    actions.lift_class(office.desk("Max"), "reference", "the import was wrong, and is mended")
    office.run_until_idle()
    assert [r.state for r in office.receipts()] == ["applied", "applied"]
    assert (measured(office).checked, measured(office).held) == (0, None)
    with pytest.raises(Conflict, match="not held back"):
        actions.lift_class(office.desk("Max"), "reference", "again")
    with office.store.read() as conn:
        e = tables.event.c
        events = [(row.what, row.who) for row in conn.execute(select(e.what, e.who).order_by(e.seq))]
    assert ("back to propose", "engine") in events
    assert ("lifted", "Max") in events


def test_a_stricter_policy_holds_back_at_the_next_run(office):
    office.policy(office.plain + "[quality]\none_in = 1\nmost_wrong = 10000\n")
    pay(office, 1001)
    office.run_until_idle()
    actions.not_ours(office.desk(), drawn(office)[0].id, "a transfer")
    assert not measured(office).held
    office.policy(office.plain + EVERY)
    office.run()
    assert measured(office).held


def test_what_people_undo_and_what_they_move_in_the_books_is_an_error_found_later(office):
    office.policy(office.plain + "[quality]\none_in = 0\n")
    pay(office, 1001, 1002)
    office.run_until_idle()
    first, second = office.receipts()
    actions.undo(office.desk(), first.decision_id, "not theirs")
    marker = f"arsync:{office.ledger.uid}-{second.decision_id}."
    (payment,) = [p for p in office.payments() if marker in p["PrivateNote"]]
    office.keeper.delete("Payment", payment["Id"])
    office.run_until_idle()
    one = measured(office)
    assert (one.applied, one.checked, one.undone, one.moved) == (2, 0, 1, 1)


def test_what_is_decided_by_a_person_is_not_drawn(office):
    office.mode("propose")
    pay(office, 1001)
    office.run()
    actions.accept(office.desk(), office.queued().id)
    office.run_until_idle()
    assert office.queue() == []


def test_a_run_that_dies_before_its_decisions_are_kept_draws_nothing_twice(office, monkeypatch):
    pay(office, 1001, 1002, 1003)
    office.mode("observe")
    office.run()  # books and statement are read
    office.mode("auto")
    job = office.job()
    job.connector.close()
    decided = look(job)
    begin = type(job.store).begin

    @contextmanager
    def cut_off(store):
        with begin(store) as conn:
            yield conn
            raise KeyboardInterrupt

    monkeypatch.setattr(type(job.store), "begin", cut_off)
    with pytest.raises(KeyboardInterrupt):
        keep(job, decided)
    monkeypatch.undo()
    assert drawn(office) == []
    office.run_until_idle()
    assert len({q.subject for q in drawn(office)}) == 3


def test_what_was_open_then_is_shown_although_it_is_paid_now(office):
    pay(office, 1001)
    office.run_until_idle()
    with office.store.read() as conn:
        rows = checking.open_then(conn, office.ledger.id, drawn(office)[0], "Northwind Traders")
    assert [(r.number, int(r.open_minor)) for r in rows] == [("1001", 100_00)]
