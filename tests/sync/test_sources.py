"""What mailboxes bring: advices with a grade, nothing else; alerts; and nothing twice."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arsync import migrations
from arsync.connectors.deliveries import Delivery
from arsync.core.matching.engine import match
from arsync.core.matching.snapshot import (
    CustomerRow,
    ItemKind,
    ItemRow,
    Knowledge,
    MatchPolicy,
    ReceiptRow,
    RemittanceRow,
    Snapshot,
)
from arsync.errors import ConsentLost, NotFound, NotPermitted, Unreachable, UsageError
from arsync.store import breakdowns, office, queues, raw, sources
from arsync.store.engine import Store
from arsync.store.tables import bank_line, receipt, remittance
from arsync.sync import actions
from arsync.sync.acting import Desk
from arsync.sync.intake import Taken
from arsync.sync.job import Job
from arsync.sync.sources import collect
from tests.connectors.bank.samples import ofx_account, ofx_file, ofx_line
from tests.connectors.mail.test_mail_letter import OURS, PASS, mail

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
AT = "2026-01-20T12:00:00.000000Z"
TABLE = "Invoice   Amount paid\nINV-1     60.00\nINV-2     40.00\nTotal     100.00\n"
SIGNED = (f"{OURS}; {PASS}",)


@dataclass
class Box:
    """A source that holds what a test puts into it."""

    letters: list = field(default_factory=list)
    name: str = "mail:box"
    ledger: str = "books"
    authority: str = OURS
    kind: str = "letter"
    broken_after: int | None = None

    def new(self, mark):
        for number, data in enumerate(self.letters, 1):
            if self.broken_after is not None and number > self.broken_after:
                raise Unreachable("the mail server does not answer")
            if number > int(mark or 0):
                yield Delivery(f"mail {number}", data, str(number), self.kind)


@pytest.fixture
def desk(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    migrations.upgrade(store)
    with store.begin() as conn:
        connection = office.add_connection(conn, "books", "quickbooks", {}, AT)
        ledger = office.add_ledger(conn, "books", connection, "USD", AT, by="Ada")
        person = office.add_person(conn, "Ada", "admin", AT)
        values = {"name": "us", "identifier": "121000248/4711", "currency": "USD", "profile": None}
        office.add_bank_account(
            conn, {**values, "deposit_account": None, "ledger_id": ledger.id, "created_at": AT}
        )
    yield Desk(store, ledger, person, lambda: NOW)
    store.close()


def run(desk, *boxes):
    job = Job(desk.store, desk.ledger, None, desk.clock, b"key", sources=boxes)
    return collect(job, Path("/nowhere/inbox"), Taken())


def rows(desk, table):
    with desk.store.read() as conn:
        return conn.execute(table.select()).all()


def grades(desk):
    return [row.grade for row in rows(desk, remittance)]


def queue(desk):
    with desk.store.read() as conn:
        return [(row.reason, row.detail) for row in queues.listing(conn, desk.ledger.id)]


@pytest.mark.parametrize(
    ("on_file", "results", "grade"),
    [
        pytest.param("ap@acme.example", SIGNED, "known sender", id="on file and proven"),
        pytest.param("@acme.example", SIGNED, "known sender", id="the whole domain on file, and proven"),
        pytest.param("ap@acme.example", (), "unknown", id="on file, but anybody can write a sender"),
        pytest.param("", SIGNED, "unknown", id="proven, but a stranger"),
        pytest.param("bob@acme.example", SIGNED, "unknown", id="a colleague of somebody on file"),
    ],
)
def test_how_far_an_advice_is_believed(desk, on_file, results, grade):
    if on_file:
        actions.know_sender(desk, on_file, None)
    taken = run(desk, Box([mail(TABLE, results=results)]))
    assert (taken.remittances, grades(desk)) == (1, [grade])
    with desk.store.read() as conn:
        found = breakdowns.remittances(conn, desk.ledger.id, NOW.date() - timedelta(30))
    assert [(row.reference, row.paid_minor, row.total_minor) for row in found] == [
        ("INV-1", 6000, 10000),
        ("INV-2", 4000, 10000),
    ]


def test_a_letter_is_read_once_wherever_the_mark_is(desk):
    box = Box([mail(TABLE)])
    assert run(desk, box).remittances == 1
    assert run(desk, box).remittances == 0, "the mark says so"
    with desk.store.begin() as conn:
        sources.set_mark(conn, box.name, "0", AT)
    taken = run(desk, box)
    assert (taken.known, taken.remittances) == (1, 0), "its bytes say so"


def test_a_mailbox_that_breaks_off_keeps_what_came_and_goes_on_there(desk):
    box = Box([mail(TABLE), mail(TABLE.replace("INV-1", "INV-9"))], broken_after=1)
    taken = run(desk, box, Box([mail("hello")], name="another"))
    assert taken.remittances == 1
    assert taken.refused == [("mail:box", "the mail server does not answer")]
    box.broken_after = None
    assert run(desk, box).remittances == 1


def test_a_source_that_needs_a_person_asks_one_until_it_works_again(desk):
    class Ended(Box):
        def new(self, mark):
            raise ConsentLost("the bank asks for a new consent", do="sign in again")

    taken = run(desk, Ended(), Box([mail(TABLE)], name="another"))
    assert (taken.remittances, [name for name, _ in taken.refused]) == (1, ["mail:box"])
    assert queue(desk) == [("platform refused", "mail:box: the bank asks for a new consent; sign in again")]
    run(desk, Box())
    assert queue(desk) == []


def test_a_letter_that_asks_to_change_bank_details_is_an_alert_and_its_advice_is_not_believed(desk):
    actions.know_sender(desk, "ap@acme.example", None)
    run(desk, Box([mail(f"Please use our new bank account.\n\n{TABLE}", results=SIGNED)]))
    assert grades(desk) == ["unknown"]
    ((reason, detail),) = queue(desk)
    assert reason == "bank details"
    assert "call them" in detail


def test_an_advice_that_does_not_add_up_is_not_believed_and_queued(desk):
    actions.know_sender(desk, "ap@acme.example", None)
    run(desk, Box([mail(TABLE.replace("100.00", "120.00"), results=SIGNED)]))
    assert grades(desk) == ["unknown"]
    assert [reason for reason, _ in queue(desk)] == ["unreadable field"]


def test_letters_without_advices_leave_no_work(desk):
    assert run(desk, Box([mail("Happy new year"), mail("<html>"), b"", b"\x00\xff"])).remittances == 0
    assert queue(desk) == []


def test_a_statement_in_a_letter_makes_no_line_but_one_of_the_banks_server_does(desk):
    data = ofx_file(ofx_account(ofx_line("50.00", fitid="A")))
    actions.know_sender(desk, "ap@acme.example", None)
    run(desk, Box([mail(data.decode(), results=SIGNED)]))
    assert rows(desk, bank_line) == []
    run(desk, Box([data], name="bank", kind="file"))
    assert len(rows(desk, receipt)) == 1


def test_a_letter_that_is_refused_is_kept_and_told_of_and_the_next_one_read(desk):
    parts = b"".join(b"--b\nContent-Type: text/plain\n\nhello\n" for _ in range(600))
    many = mail("x").replace(b"\n\n", b'\nContent-Type: multipart/mixed; boundary="b"\n\n', 1) + parts
    taken = run(desk, Box([many, mail(TABLE)]))
    assert (taken.remittances, len(taken.refused)) == (1, 1)
    assert [detail for _, detail in queue(desk)] == ["mail 1: the letter has more than 500 parts"]
    with desk.store.read() as conn:
        assert raw.get(conn, raw.sha(many)) == many
    again = run(desk, Box([many], name="mail:elsewhere"))
    assert (again.known, again.refused) == (1, [])


def test_who_is_on_file_is_a_managers_word(desk):
    clerk = Desk(desk.store, desk.ledger, office.Person(9, "Cleo", "clerk"), desk.clock)
    with pytest.raises(NotPermitted):
        actions.know_sender(clerk, "ap@acme.example", None)
    with pytest.raises(UsageError, match="no mail address"):
        actions.know_sender(desk, "acme", None)
    actions.know_sender(desk, " AP@Acme.example ", None)
    actions.forget_sender(desk, "ap@acme.example")
    with pytest.raises(NotFound):
        actions.forget_sender(desk, "ap@acme.example")


# ---- the matcher and advices


def snapshot(*advices, amount_minor=10_000):
    items = tuple(
        ItemRow(n, 1, ItemKind.INVOICE, f"INV-{n}", NOW.date(), NOW.date(), "USD", minor, minor)
        for n, minor in ((1, 6_000), (2, 4_000), (3, 5_000), (4, 5_000))
    )
    return Snapshot(
        1, NOW.date(), (CustomerRow(1, "Acme"),), items,
        (ReceiptRow(1, NOW.date(), "USD", amount_minor, "Acme"),), remittances=tuple(r for a in advices for r in a),
    )  # fmt: skip


def advice(name, *lines, grade="known sender"):
    total = sum(minor for _, minor in lines)
    return [RemittanceRow(name, NOW.date(), "Acme", "USD", total, grade, ref, minor) for ref, minor in lines]


FIRST = (("INV-1", 6_000), ("INV-2", 4_000))


def test_the_same_advice_sent_twice_says_one_thing(desk):
    (finding,) = match(snapshot(advice("1", *FIRST), advice("2", *FIRST)), Knowledge(), MatchPolicy())
    assert (finding.reason, len(finding.explanations)) == (None, 1)


def test_two_advices_that_differ_are_a_question():
    other = (("INV-3", 5_000), ("INV-4", 5_000))
    (finding,) = match(snapshot(advice("1", *FIRST), advice("2", *other)), Knowledge(), MatchPolicy())
    assert finding.reason is not None
    assert len(finding.explanations) >= 2


def test_two_advices_that_together_come_to_a_receipt_explain_it():
    (finding,) = match(
        snapshot(advice("1", ("INV-1", 6_000)), advice("2", ("INV-2", 4_000))), Knowledge(), MatchPolicy()
    )
    assert {share.item_id for share in finding.explanations[0].shares} == {1, 2}
    assert finding.explanations[0].klass.value == "remittance"


def test_three_advices_of_which_two_choices_come_to_a_receipt_explain_nothing():
    three = [advice(str(n), (name, 5_000)) for n, name in enumerate(("INV-3", "INV-4", "INV-1"), 1)]
    (finding,) = match(snapshot(*three), Knowledge(), MatchPolicy())
    assert all(one.klass.value != "remittance" for one in finding.explanations)


def test_two_receipts_that_together_come_to_an_advice_are_each_a_part_of_it_for_a_person_to_say():
    lines = (("INV-1", 6_000), ("INV-2", 4_000), ("INV-3", 5_000))
    given = snapshot(advice("1", *lines), amount_minor=9_000)
    both = replace(given, receipts=(given.receipts[0], given.receipts[0]._replace(id=2, amount_minor=6_000)))
    first, _ = match(both, Knowledge(), MatchPolicy())
    advised = [one for one in first.explanations if one.klass.value == "remittance"]
    assert [{share.item_id for share in one.shares} for one in advised] == [{2, 3}]
    assert first.reason is not None, "not by itself"


def test_lines_of_an_advice_that_come_to_a_receipt_in_two_ways_say_nothing():
    lines = (("INV-1", 6_000), ("INV-3", 5_000), ("INV-4", 5_000))
    given = snapshot(advice("1", *lines), amount_minor=11_000)
    both = replace(given, receipts=(given.receipts[0], given.receipts[0]._replace(id=2, amount_minor=5_000)))
    first, _ = match(both, Knowledge(), MatchPolicy())
    assert all(one.klass.value != "remittance" for one in first.explanations)


@pytest.mark.slow
def test_an_advice_of_ten_thousand_lines_is_matched_in_seconds():
    from time import perf_counter

    count = 10_000
    day = NOW.date()
    items = tuple(
        ItemRow(n, 1, ItemKind.INVOICE, f"INV-{n:05d}", day, day, "USD", 100 + n, 100 + n)
        for n in range(1, count + 1)
    )
    lines = [(item.number, item.available_minor) for item in items]
    total = sum(minor for _, minor in lines)
    big = Snapshot(
        1, day, (CustomerRow(1, "Acme"),), items, (ReceiptRow(1, day, "USD", total, "Acme"),),
        remittances=tuple(advice("1", *lines)),
    )  # fmt: skip
    began = perf_counter()
    (finding,) = match(big, Knowledge(), MatchPolicy())
    assert perf_counter() - began < 10
    assert len(finding.explanations[0].shares) == count
