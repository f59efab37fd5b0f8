"""The chain of events: whatever is changed behind its back shows."""

import pytest
from sqlalchemy import delete, select, update

from arsync.store import audit
from arsync.store.tables import event, event_body, event_head

KEY = b"k" * 32


@pytest.fixture
def chain(store):
    with store.begin() as conn:
        for n in range(5):
            body = {"amount": f"{n}.00", "who": "O'Brien \\ Sons' & Co\n"}
            entry = audit.Entry("decided: apply", f"receipt:{n}", body)
            audit.record(conn, 1, f"2026-11-22T00:00:0{n}.000000Z", "engine", [entry])
        audit.sign(conn, 1, KEY)
    return store


def faults(store, key=KEY):
    with store.read() as conn:
        return audit.verify(conn, 1, key)


def test_an_untouched_chain_holds(chain):
    assert faults(chain) == (5, [])


def test_a_body_may_be_erased_and_the_chain_still_holds(chain):
    with chain.begin() as conn:
        conn.execute(delete(event_body).where(event_body.c.seq == 3))
    assert faults(chain) == (5, [])
    with chain.read() as conn:
        assert audit.history(conn, 1, "receipt:2")[0]["body"] is None


@pytest.mark.parametrize("column", ["at", "who", "what", "subject", "digest", "hash"])
def test_a_changed_column_shows(chain, column):
    with chain.begin() as conn:
        conn.execute(update(event).where(event.c.seq == 3).values({column: "f" * 27}))
    assert faults(chain)[1]


def test_a_changed_body_shows(chain):
    with chain.begin() as conn:
        other = conn.execute(select(event_body.c.body).where(event_body.c.seq == 1)).scalar()
        conn.execute(update(event_body).where(event_body.c.seq == 3).values(body=other))
    assert any("body" in f.what for f in faults(chain)[1])


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_removed_event_shows(chain, seq):
    with chain.begin() as conn:
        conn.execute(delete(event).where(event.c.seq == seq))
    assert faults(chain)[1]


def test_a_chain_rewritten_without_the_key_shows(chain):
    """Somebody with the database but not the key rebuilds every link."""
    with chain.begin() as conn:
        rows = conn.execute(select(event).order_by(event.c.seq)).all()
        last = "0" * 64
        for row in rows:
            who = "mallory" if row.seq == 2 else row.who
            last = audit._link(last, row.seq, row.at, who, row.what, row.subject, row.digest)
            conn.execute(update(event).where(event.c.seq == row.seq).values(who=who, hash=last))
        conn.execute(update(event_head).values(hash=last))
    assert [f.what for f in faults(chain)[1]] == ["the signature does not fit the chain"]


def test_another_key_does_not_verify(chain):
    assert faults(chain, b"x" * 32)[1]


def test_two_ledgers_have_chains_of_their_own(chain):
    with chain.begin() as conn:
        audit.record(conn, 2, "2026-11-22T00:00:09.000000Z", "ann", [audit.Entry("x", "y", {})])
    assert faults(chain) == (5, [])
