"""What a person at the keyboard may get wrong."""

from arsync.errors import Conflict, NotFound, NotPermitted
from arsync.store import office, queues
from arsync.sync.actions import permitted
from tests.errors.reproduce import reproduces

NOW = "2026-11-22T08:00:00.000000Z"


@reproduces(
    NotFound,
    title="No ledger of this name",
    when="a ledger is named that does not exist",
    do="choose one of those the error lists",
)
def test_no_such_ledger(store):
    with store.read() as conn:
        office.find_ledger(conn, "acme-eu")


@reproduces(
    NotFound,
    title="No queue item of this number",
    when="a number is mistyped",
    do="see: arsync queue list",
)
def test_no_such_queue_item(store):
    with store.read() as conn:
        queues.find(conn, 1, 4711)


@reproduces(
    NotPermitted,
    title="Your role does not allow this",
    when="an auditor tries to work on the queue",
    do="ask somebody who may; the error says which roles",
)
def test_an_auditor_at_work(store):
    with store.begin() as conn:
        person = office.add_person(conn, "Bo", "auditor", NOW)
    permitted(person, "work")


@reproduces(
    Conflict,
    title="The queue item changed since you looked at it",
    when="somebody else worked on it in between",
    do="look again and decide again: arsync queue show",
)
def test_two_clerks_at_one_queue_item(store):
    with store.begin() as conn:
        connection_id = office.add_connection(conn, "books", "quickbooks", {}, NOW)
        ledger = office.add_ledger(conn, "acme-us", connection_id, "USD", NOW, by="Bo")
        entry = queues.Entry("line 1", "unknown payer", "nobody is called so")
        [queue_id] = queues.open_items(conn, ledger.id, [entry], NOW).new.values()
        queues.claim(conn, ledger.id, queue_id, version=7)
