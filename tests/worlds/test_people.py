"""People: roles, four eyes, versions, and a record that shows every change made behind its back."""

import hashlib
import shutil
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from arsync.errors import Conflict, NotFound, NotPermitted, UsageError
from arsync.store import audit, queues, tables
from arsync.sync import actions
from tests.worlds.office import START, Line, open_office

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prepared(platform, sqlite_template, tmp_path_factory):
    """A receipt to decide, and one that only a person can place; made once."""
    folder = tmp_path_factory.mktemp("people") / "office"
    shutil.copytree(sqlite_template, folder)
    office = open_office(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)
    customer = office.customer("Northwind Traders")
    office.invoice(customer, "250.00", "1001")
    office.invoice(customer, "100.00", "1002")
    office.statement(
        Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"), Line("13.37", "HELLO", "SOMEBODY ELSE")
    )
    office.run()
    platform.simulator.save(folder / "books.json")
    office.store.close()
    return folder


@pytest.fixture
def office(platform, prepared, tmp_path):
    folder = tmp_path / "office"
    shutil.copytree(prepared, folder)
    platform.clock.now_is = START + timedelta(hours=1)
    made = open_office(platform, f"sqlite:///{folder / 'arsync.sqlite'}", folder)
    yield made
    made.store.close()


def clear(office):
    return next(q for q in office.queue() if q.amount_minor == 25000)


WORK = {
    "accept": lambda desk, o: actions.accept(desk, clear(o).id),
    "apply": lambda desk, o: actions.apply(desk, clear(o).id, [o.part("Invoice:1", "250.00")]),
    "on account": lambda desk, o: actions.on_account(desk, clear(o).id, o.customer_id("1")),
    "not ours": lambda desk, o: actions.not_ours(desk, clear(o).id, "a refund"),
    "assign": lambda desk, o: actions.assign(desk, clear(o).id, "Cleo"),
    "comment": lambda desk, o: actions.comment(desk, clear(o).id, "called them"),
}
GOVERN = {
    "mode": lambda desk, _o: actions.set_mode(desk, "auto"),
    "policy": lambda desk, _o: actions.propose_policy(desk, ""),
    "baseline": lambda desk, _o: actions.sign_baseline(desk),
}


@pytest.mark.parametrize("act", WORK.values(), ids=WORK)
def test_an_auditor_may_look_and_not_act(office, act):
    before = office.rows()
    with pytest.raises(NotPermitted, match="Otto is auditor"):
        act(office.desk("Otto"), office)
    assert office.changed_rows(before) == set()


@pytest.mark.parametrize("act", WORK.values(), ids=WORK)
def test_what_a_clerk_does_is_on_record_with_his_name(office, act):
    act(office.desk("Cleo"), office)
    with office.store.read() as conn:
        newest = conn.execute(select(tables.event).order_by(tables.event.c.seq.desc()).limit(1)).one()
    assert newest.who == "Cleo"
    office.adds_up()


@pytest.mark.parametrize("name", ["Cleo", "Otto"])
@pytest.mark.parametrize("act", GOVERN.values(), ids=GOVERN)
def test_only_managers_govern(office, act, name):
    before = office.rows()
    with pytest.raises(NotPermitted):
        act(office.desk(name), office)
    assert office.changed_rows(before) == set()


def test_a_policy_needs_a_second_person_who_may_govern(office):
    proposed = actions.propose_policy(office.desk("Max"), '[write_off]\nUSD = "99.00"\n')
    assert proposed.state == "asked"
    version = 3  # the default, the one of the furniture, this one
    with pytest.raises(NotPermitted, match="second person"):
        actions.approve_policy(office.desk("Max"), version)
    with pytest.raises(NotPermitted):
        actions.approve_policy(office.desk("Cleo"), version)
    actions.approve_policy(office.desk("Mia"), version)
    with pytest.raises(Conflict, match="approved by Mia"):
        actions.approve_policy(office.desk("Mia"), version)


def test_who_looked_at_an_older_version_is_told_so(office):
    seen = clear(office)
    actions.assign(office.desk("Max"), seen.id, "Cleo")
    with pytest.raises(Conflict, match="changed since you looked"):
        actions.accept(office.desk(), seen.id, version=seen.version)
    actions.accept(office.desk(), seen.id, version=seen.version + 1)


def test_two_clerks_decide_the_same_receipt(office):
    seen = clear(office)
    actions.accept(office.desk("Cleo"), seen.id)
    with pytest.raises(Conflict, match="closed by Cleo"):
        actions.on_account(office.desk("Max"), seen.id, office.customer_id("1"))


def test_one_item_is_not_spent_twice(office):
    stranger = next(q for q in office.queue() if q.amount_minor == 1337)
    actions.accept(office.desk("Cleo"), clear(office).id)
    with pytest.raises(Conflict, match="less available"):
        actions.apply(office.desk("Max"), stranger.id, [office.part("Invoice:1", "13.37")])


def test_an_accepted_payer_is_a_dated_suggestion(office):
    actions.accept(office.desk(), clear(office).id)
    with office.store.read() as conn:
        learned = conn.execute(select(tables.alias)).all()
    assert {(a.customer_id, a.since, a.confirmations) for a in learned} == {
        (office.customer_id("1"), office.today(), 1)
    }


def test_accepting_in_bulk_teaches_nothing(office):
    actions.accept(office.desk(), clear(office).id, bulk=True)
    with office.store.read() as conn:
        assert conn.execute(select(tables.alias)).all() == []


def test_not_ours_is_out_of_the_queue_and_comes_back_when_undone(office):
    stranger = next(q for q in office.queue() if q.amount_minor == 1337)
    acted = actions.not_ours(office.desk(), stranger.id, "a tax refund")
    office.adds_up()
    assert office.run_until_idle() == 0
    assert [q.amount_minor for q in office.queue()] == [25000]
    actions.undo(office.desk(), acted.decision_id, "it is a customer's after all")
    assert sorted(q.amount_minor for q in office.queue()) == [1337, 25000]
    office.adds_up()


MISTAKES = {
    "no such queue item": (NotFound, lambda d, o: actions.accept(d, 4711)),
    "no such suggestion": (UsageError, lambda d, o: actions.accept(d, clear(o).id, 9)),
    "no reason given": (UsageError, lambda d, o: actions.not_ours(d, clear(o).id, " ")),
    "an empty comment": (UsageError, lambda d, o: actions.comment(d, clear(o).id, "")),
    "a receipt is decided, not resolved": (UsageError, lambda d, o: actions.resolve(d, clear(o).id, "done")),
    "an unknown owner": (NotFound, lambda d, o: actions.assign(d, clear(o).id, "Nobody")),
    "no such decision": (NotFound, lambda d, o: actions.undo(d, 4711, "why")),
    "more than came": (
        UsageError,
        lambda d, o: actions.apply(d, clear(o).id, [o.part("Invoice:1", "251.00")]),
    ),
    "more than is open": (
        Conflict,
        lambda d, o: actions.apply(d, clear(o).id, [o.part("Invoice:2", "250.00")]),
    ),
    "an invoice is no payment": (NotFound, lambda d, o: actions.link(d, clear(o).id, o.item("Invoice:1").id)),
    "credits that do not add up": (
        UsageError,
        lambda d, o: actions.apply_credits(d, [o.part("Invoice:1", "5.00")]),
    ),
}


@pytest.mark.parametrize(("error", "act"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_changes_nothing(office, act, error):
    before = office.rows()
    with pytest.raises(error) as met:
        act(office.desk(), office)
    assert met.value.do, "it says what to do"
    assert office.changed_rows(before) == set()


# ---- the record


def faults(office):
    with office.store.read() as conn:
        return audit.verify(conn, office.ledger.id, office.house.vault.signing_key())[1]


EVENT = tables.event.c
TAMPERS = {
    **{
        f"another {name}": update(tables.event)
        .where(EVENT.seq == 3)
        .values({name: "2020-01-01T00:00:00.000000Z"})
        for name in ("at", "who", "what", "subject", "digest", "hash")
    },
    "an event is gone": delete(tables.event).where(EVENT.seq == 3),
    "the first event is gone": delete(tables.event).where(EVENT.seq == 1),
    "an event has another number": update(tables.event).where(EVENT.seq == 3).values(seq=4711),
    "another body": update(tables.event_body)
    .where(tables.event_body.c.seq == 3)
    .values(body=b"x\x9cKJ\x06\x00\x02M\x01'"),
    "another salt": update(tables.event_body).where(tables.event_body.c.seq == 3).values(salt=b"0" * 16),
    "another head": update(tables.event_head).values(hash="0" * 64),
    "a head further back": update(tables.event_head).values(seq=2),
    "no head": delete(tables.event_head),
    "another signature": update(tables.event_head).values(signature="0" * 64),
}


@pytest.mark.parametrize("tamper", TAMPERS.values(), ids=TAMPERS)
def test_every_change_of_the_record_is_found(office, tamper):
    assert faults(office) == []
    with office.store.begin() as conn:
        conn.execute(tamper)
    assert faults(office)


def test_the_newest_events_cannot_be_cut_off(office):
    with office.store.begin() as conn:
        last = conn.execute(select(tables.event).order_by(EVENT.seq.desc()).limit(2)).all()
        conn.execute(delete(tables.event).where(EVENT.seq == last[0].seq))
        conn.execute(update(tables.event_head).values(seq=last[1].seq, hash=last[1].hash))
    assert faults(office), "the signature is of a later link"


def test_a_chain_hashed_anew_without_the_key_is_found(office):
    """Whoever can write the whole store can make every link hold; the signature he cannot make."""
    with office.store.begin() as conn:
        rows = conn.execute(select(tables.event).order_by(EVENT.seq)).all()
        conn.execute(delete(tables.event))
        last = "0" * 64
        for row in rows:
            who = "Cleo" if row.who == "engine" else row.who
            parts = [row.seq, row.at, who, row.what, row.subject, row.digest]
            text = "\n".join([last, *(str(p).replace("\\", "\\\\").replace("\n", "\\n") for p in parts)])
            last = hashlib.sha256(text.encode()).hexdigest()
            conn.execute(insert(tables.event).values({**row._mapping, "who": who, "hash": last}))
        conn.execute(update(tables.event_head).values(hash=last))
    assert [f.what for f in faults(office)] == ["the signature does not fit the chain"]


def test_an_erased_body_is_no_fault(office):
    with office.store.begin() as conn:
        conn.execute(delete(tables.event_body).where(tables.event_body.c.seq == 3))
    assert faults(office) == []


def test_the_queue_shows_the_largest_first(office):
    with office.store.read() as conn:
        assert [q.amount_minor for q in queues.listing(conn, office.ledger.id)] == [25000, 1337]
