"""Bank files of every kind in one store: one payment is one receipt, whatever files say it, and shares add up."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from arsync import migrations
from arsync.core.decisions import Reason
from arsync.core.items import ItemKind
from arsync.core.matching.engine import match
from arsync.core.matching.normalise import normalise_account
from arsync.core.matching.snapshot import Alias, CustomerRow, ItemRow, Knowledge, MatchPolicy
from arsync.core.money import Money
from arsync.errors import NotFound
from arsync.store import breakdowns, office, queues
from arsync.store import work as works
from arsync.store.engine import Store
from arsync.store.tables import bank_account, bank_line, breakdown, breakdown_line, receipt
from arsync.store.tables import statement as statements_table
from arsync.sync import bankfiles, giving_back
from arsync.sync.acting import Desk
from arsync.sync.intake import Incoming, Taken, take_file
from tests.connectors.bank import test_bank_bai2 as bai2
from tests.connectors.bank import test_bank_lockbox as lockbox
from tests.connectors.bank import test_bank_nacha as nacha
from tests.connectors.bank import test_bank_payouts as payouts
from tests.connectors.bank import test_bank_x12 as x12
from tests.connectors.bank.samples import (
    balance,
    camt,
    entry,
    ofx_account,
    ofx_file,
    ofx_line,
    statement,
    transaction,
)

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
AT = "2026-01-20T12:00:00.000000Z"
IBAN = "DE89370400440532013000"


@pytest.fixture
def desk(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    migrations.upgrade(store)
    with store.begin() as conn:
        connection = office.add_connection(conn, "books", "quickbooks", {}, AT)
        ledger = office.add_ledger(conn, "books", connection, "EUR", AT, by="Ada")
        person = office.add_person(conn, "Ada", "admin", AT)
        for name, identifier, currency in (("giro", IBAN, "EUR"), ("us", "121000248/4711", "USD")):
            values = {"name": name, "identifier": identifier, "currency": currency, "profile": None}
            office.add_bank_account(
                conn, {**values, "deposit_account": None, "ledger_id": ledger.id, "created_at": AT}
            )
    yield Desk(store, ledger, person, lambda: NOW)
    store.close()


def take(desk, data, folder=None, name="file"):
    taken = Taken()
    take_file(desk, Incoming(name, data, folder, Path("/nowhere"), "engine"), taken)
    assert taken.refused == []
    return taken


def rows(desk, table):
    with desk.store.read() as conn:
        return conn.execute(table.select().order_by(table.c.id)).all()


def receipts(desk):
    return [(row.amount_minor, row.state, row.is_return) for row in rows(desk, receipt)]


def findings(desk):
    with desk.store.read() as conn:
        work = works.load(conn, desk.ledger.id, NOW.date())
    return match(work.snapshot, work.knowledge, MatchPolicy())


def open_queue(desk):
    with desk.store.read() as conn:
        return [(row.reason, row.amount_minor) for row in queues.listing(conn, desk.ledger.id)]


def batch(reference="R1", booked="<Dt>2026-01-15</Dt>"):
    parts = [
        transaction(f"<RmtInf><Ustrd>INV-{n}</Ustrd></RmtInf>", amount=f"{n}0.00", end_to_end=f"E{n}")
        for n in (4, 6)
    ]
    return entry("100.00", "CRDT", *parts, reference=reference, booked=booked)


NOTICE = camt(statement(batch(), sequence=1), message="BkToCstmrDbtCdtNtfctn")
REPORT = camt(statement(entry(), sequence=1), message="BkToCstmrAcctRpt")
BOOKED = camt(statement(entry(), sequence=2, balances=balance("OPBD", "0.00") + balance("CLBD", "100.00")))


def test_what_is_announced_makes_no_receipt(desk):
    take(desk, REPORT)
    take(desk, NOTICE)
    assert receipts(desk) == []
    assert rows(desk, bank_line) == []


@pytest.mark.parametrize("order", [(REPORT, BOOKED), (BOOKED, REPORT)], ids=["before", "after"])
def test_a_report_and_the_statement_that_books_it_are_one_receipt(desk, order):
    for data in order:
        take(desk, data)
    assert receipts(desk) == [(10_000, "undecided", False)]
    (line,) = rows(desk, bank_line)
    assert [row.bank_line_id for row in rows(desk, breakdown_line)] == [line.id]


@pytest.mark.parametrize("order", [(NOTICE, BOOKED), (BOOKED, NOTICE)], ids=["before", "after"])
def test_a_notice_says_what_the_booked_sum_is_made_of(desk, order):
    for data in order:
        take(desk, data)
    assert receipts(desk) == [(4_000, "undecided", False), (6_000, "undecided", False)]
    assert [json.loads(row.texts)["texts"] for row in rows(desk, receipt)] == [["INV-4"], ["INV-6"]]


def test_two_booked_lines_that_fit_a_notice_without_reference_leave_it_unlinked(desk):
    take(desk, camt(statement(entry(reference=None), sequence=1), message="BkToCstmrAcctRpt"))
    twice = [entry(reference=name, more="<AddtlNtryInf>x</AddtlNtryInf>") for name in ("R8", "R9")]
    take(desk, camt(statement(*twice, sequence=2)))
    assert [row.bank_line_id for row in rows(desk, breakdown_line)] == [None]
    assert len(receipts(desk)) == 2


def us(*lines):
    return ofx_file(ofx_account(*lines))


LOCKBOX = lockbox.lockbox(
    lockbox.cheque(1, 7000), lockbox.overflow(1, "INV-1"), lockbox.cheque(2, 3000, number=78), total=10000
)
DEPOSIT = us(
    ofx_line("100.00", posted="20260116", NAME="LOCKBOX DEPOSIT"),
    ofx_line("55.00", fitid="F2", posted="20260116"),
)


@pytest.mark.parametrize("order", [("lockbox", "line"), ("line", "lockbox")])
def test_a_lockbox_batch_and_its_deposit_are_one_sum(desk, order):
    for what in order:
        take(desk, LOCKBOX, "us") if what == "lockbox" else take(desk, DEPOSIT)
    assert sorted(receipts(desk)) == [
        (3000, "undecided", False),
        (5500, "undecided", False),
        (7000, "undecided", False),
    ]
    (one,) = rows(desk, breakdown)
    assert one.bank_line_id == next(row.id for row in rows(desk, bank_line) if row.amount_minor == 10_000)


def test_the_same_files_again_change_nothing(desk):
    for _ in range(2):
        take(desk, LOCKBOX, "us")
        take(desk, DEPOSIT)
    before = receipts(desk)
    take(desk, LOCKBOX + b"\n", "us")
    assert receipts(desk) == before
    assert len(rows(desk, breakdown)) == 1


PAYOUT = json.dumps(
    {
        "data": [
            payouts.stripe("payout", -6_210, source="po_ABCDE"), payouts.stripe("charge", 10_000, 290),
            payouts.stripe("refund", -3_000, category="refund"), payouts.stripe("adjustment", -500, category="dispute"),
        ]
    }
).encode()  # fmt: skip


def methods(desk):
    return [row.method for row in rows(desk, receipt)]


def test_receipts_know_how_their_money_came_as_far_as_the_bank_says(desk):
    def code(family, sub):
        return f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn></BkTxCd>"

    debit = [transaction(amount=f"{n}0.00", end_to_end=f"E{n}") for n in (4, 6)]
    lines = [
        entry("100.00", "CRDT", *debit, more=code("IDDT", "ESDD")),
        entry("20.00", reference="R2", more=code("RCDT", "ESCT")),
        entry("30.00", reference="R3"),
    ]
    take(desk, camt(statement(*lines)))
    assert methods(desk) == ["sepa direct debit", "sepa direct debit", "bank transfer", "not said"]


@pytest.mark.parametrize(
    ("detail", "amount", "method"),
    [(LOCKBOX, "100.00", "cheque"), (PAYOUT, "62.10", "card")],
    ids=["a lockbox", "a payout of cards"],
)
def test_shares_of_a_line_came_as_their_report_says(desk, detail, amount, method):
    take(desk, us(ofx_line(amount, posted="20260116")))
    take(desk, detail, "us")
    assert next(row.method for row in rows(desk, receipt) if row.amount_minor > 0) == method


def test_two_batches_the_bank_deposits_as_one_are_its_parts(desk):
    first = lockbox.lockbox(lockbox.cheque(1, 4000), total=4000).decode().split("\n")
    second = lockbox.lockbox(lockbox.cheque(1, 6000, batch=2), total=6000, batch=2).decode().split("\n")
    take(desk, "\n".join([*first[:-2], *second[2:]]).encode(), "us")
    take(desk, DEPOSIT)
    assert sorted(receipts(desk))[:2] == [(4000, "undecided", False), (5500, "undecided", False)]
    assert all(row.bank_line_id for row in rows(desk, breakdown))


def test_a_batch_whose_sum_two_deposits_have_explains_neither(desk):
    twice = us(ofx_line("100.00", posted="20260116"), ofx_line("100.00", fitid="F2", posted="20260116"))
    take(desk, LOCKBOX, "us")
    take(desk, twice)
    assert [row.bank_line_id for row in rows(desk, breakdown)] == [None]
    assert receipts(desk) == [(10_000, "undecided", False)] * 2


def test_payments_fees_refunds_and_disputes_of_a_payout_come_to_its_line(desk):
    take(desk, us(ofx_line("62.10", posted="20260116", NAME="STRIPE PAYOUT")))
    take(desk, PAYOUT, "us")
    assert receipts(desk) == [
        (10_000, "undecided", False),
        (-290, "not_ours", False),
        (-3_000, "undecided", True),
        (-500, "undecided", True),
    ]
    assert sum(row[0] for row in receipts(desk)) == 6_210


def test_what_a_payout_leaves_open_of_a_line_that_names_it_is_a_remainder_a_person_looks_at(desk):
    take(desk, us(ofx_line("60.00", posted="20260116", NAME="STRIPE PO_ABCDE")))
    take(desk, PAYOUT, "us")
    assert receipts(desk)[-1] == (-210, "queued", False)
    assert sum(row[0] for row in receipts(desk)) == 6_000
    assert ("unproven statement", -210) in open_queue(desk)


def test_a_negative_payout_is_taken_apart_too(desk):
    take(desk, us(ofx_line("-7.00", kind="DEBIT", posted="20260116")))
    data = {
        "data": [
            payouts.stripe("payout", 700),
            payouts.stripe("refund", -1_000),
            payouts.stripe("charge", 300),
        ]
    }
    take(desk, json.dumps(data).encode(), "us")
    assert receipts(desk) == [(-1_000, "undecided", True), (300, "undecided", False)]


def test_a_line_somebody_has_decided_is_left_alone(desk):
    take(desk, us(ofx_line("62.10", posted="20260116")))
    with desk.store.begin() as conn:
        conn.execute(receipt.update().values(state="applied"))
    take(desk, PAYOUT, "us")
    assert receipts(desk) == [(6_210, "applied", False)]
    (payout,) = rows(desk, breakdown)
    assert payout.bank_line_id == rows(desk, bank_line)[0].id, (
        "it explains no other line of this amount later"
    )


def test_a_line_that_waited_in_the_queue_waits_no_more_when_it_is_taken_apart(desk):
    take(desk, us(ofx_line("62.10", posted="20260116")))
    with desk.store.begin() as conn:
        conn.execute(receipt.update().values(state="queued"))
        entry = queues.Entry("receipt:1", "unknown payer", "nobody known", receipt_id=1)
        queues.open_items(conn, desk.ledger.id, [entry], AT)
    take(desk, PAYOUT, "us")
    assert open_queue(desk) == []


def test_a_breakdown_without_an_account_waits_for_a_person(desk):
    taken = Taken()
    take_file(desk, Incoming("x", LOCKBOX, None, Path("/nowhere"), "engine"), taken)
    assert "what deposits of" in taken.refused[0][1]


# ---- remittances


def test_an_820_reaches_the_matcher_with_its_grade(desk):
    assert (
        take(desk, x12.message("RMR*IV*INV-1**60.00*62.00*2.00", "RMR*IV*INV-2**40.00"), "us").remittances
        == 1
    )
    with desk.store.read() as conn:
        snapshot = works.load(conn, desk.ledger.id, NOW.date()).snapshot
        found = breakdowns.remittances(conn, desk.ledger.id, date(2026, 1, 1))
    assert [(row.reference, row.paid_minor, row.grade, row.total_minor) for row in found] == [
        ("INV-1", 6000, "bank file", 10000),
        ("INV-2", 4000, "bank file", 10000),
    ]
    assert [(row.reference, row.paid_minor) for row in snapshot.remittances] == [
        ("INV-1", 6000),
        ("INV-2", 4000),
    ]


def test_an_advice_that_does_not_add_up_is_of_unknown_grade_and_queued(desk):
    take(desk, x12.message("RMR*IV*INV-1**70.00*80.00"), "us")
    with desk.store.read() as conn:
        assert {row.grade for row in breakdowns.remittances(conn, desk.ledger.id, date(2026, 1, 1))} == {
            "unknown"
        }
    assert [reason for reason, _ in open_queue(desk)] == ["unreadable field"]


def test_the_same_advice_in_two_files_is_kept_once(desk):
    message = x12.message("RMR*IV*INV-1**100.00")
    take(desk, message, "us")
    assert take(desk, message.replace(b"000000001", b"000000002"), "us").remittances == 0


# ---- what banks take back, and what they say twice


def test_a_return_is_linked_to_what_it_takes_back_with_its_consequence(desk):
    returned = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    paid = entry("100.00", "CRDT", transaction(end_to_end="INV-1001"))
    back = entry(
        "100.00",
        "DBIT",
        transaction(returned, end_to_end="INV-1001"),
        reference="R2",
        booked="<Dt>2026-01-17</Dt>",
    )
    take(desk, camt(statement(paid)))
    take(desk, camt(statement(back, sequence=8)))
    (finding,) = [one for one in findings(desk) if one.receipt_id == 2]
    assert finding.explanations[0].evidence[0].text == (
        "It takes back receipt 1 of 2026-01-15, EUR 100.00 (AC04, account closed: ask for account)."
    )
    assert receipts(desk) == [(10_000, "undecided", False), (-10_000, "undecided", True)]


TRACE = "091000000000001"


def test_an_ach_return_is_linked_to_our_receipt_by_its_trace_with_its_consequence(desk):
    """The bank books the sums of two ACH files; the second takes back, by trace number, an entry of the first."""
    take(desk, us(ofx_line("100.00", posted="20260116", NAME="ACH SETTLEMENT")))
    take(desk, nacha.file(*nacha.batch(nacha.entry("22", 10_000), credit=10_000)), "us")
    back = [nacha.entry("26", 10_000, addenda=1, name="", number=""), nacha.returned("R10", TRACE)]
    take(desk, us(ofx_line("-100.00", kind="DEBIT", fitid="F9", posted="20260118", NAME="ACH SETTLEMENT")))
    take(desk, nacha.file(*nacha.batch(*back, debit=10_000, effective="260118")), "us")
    (finding,) = [one for one in findings(desk) if one.receipt_id == 2]
    assert finding.reason == Reason.RETURNED_PAYMENT
    assert finding.explanations[0].evidence[0].text == (
        "It takes back receipt 1 of 2026-01-16, USD 100.00 from ADA LTD "
        "(R10, not authorised, or not in accordance: dispute)."
    )


def test_a_cheque_that_bounces_in_a_bai2_report_is_linked_to_its_deposit(desk):
    with desk.store.begin() as conn:  # a BAI2 account has no routing number
        conn.execute(bank_account.update().where(bank_account.c.name == "us").values(identifier="4711"))
    paid = bai2.report("16,174,5000,Z,B1,C1,CHECK 2290/", total=155_000, closing=105_000, account="4711,,")
    take(desk, paid)
    bounced = ["16,555,5000,Z,B2,C1,DEPOSITED ITEM RETURNED NSF", "88,EREF: B1"]
    take(desk, bai2.report(*bounced, total=0, account="4711,,", summary=""))
    assert receipts(desk) == [(5_000, "undecided", False), (-5_000, "undecided", True)]
    (finding,) = [one for one in findings(desk) if one.receipt_id == 2]
    assert finding.reason == Reason.RETURNED_PAYMENT
    assert finding.explanations[0].evidence[0].text == "It takes back receipt 1 of 2026-01-14, USD 50.00."


def test_a_lockbox_cheque_pays_the_invoice_that_is_known_and_the_rest_waits_with_its_payer(desk, tmp_path):
    """The cheque names two invoices, one of nobody we know; its payer is known by the account on the cheque."""
    (tmp_path / "box.toml").write_text('name = "box"\n[lockbox]\ninvoice_width = 10\namount_width = 10\n')
    with desk.store.begin() as conn:
        conn.execute(bank_account.update().where(bank_account.c.name == "us").values(profile="box"))
    named = [f"{'INV-1':<10}{4000:010}", f"{'INV-9':<10}{3000:010}"]
    rows_ = [lockbox.cheque(1, 7000, name=""), *(lockbox.overflow(1, text, last="0") for text in named)]
    for data, folder in (
        (lockbox.lockbox(*rows_, total=7000), "us"),
        (us(ofx_line("70.00", posted="20260116", NAME="LOCKBOX")), None),
    ):
        taken = Taken()
        take_file(desk, Incoming("file", data, folder, tmp_path, "engine"), taken)
        assert taken.refused == []
    with desk.store.read() as conn:
        work = works.load(conn, desk.ledger.id, NOW.date())
    day = date(2025, 12, 1)
    open_items = tuple(
        ItemRow(n, n, ItemKind.INVOICE, f"INV-{n}", day, day, "USD", 4000, 4000) for n in (1, 2)
    )
    books = replace(
        work.snapshot, items=open_items, customers=(CustomerRow(1, "Ada Ltd"), CustomerRow(2, "Bob"))
    )
    known = Knowledge((Alias(f"account:{normalise_account('055002707 0012345555')}", 1, 2, day),))
    (finding,) = match(books, known, MatchPolicy())
    first = finding.explanations[0]
    assert [(share.item_id, share.applied_minor) for share in first.shares] == [(1, 4000)]
    assert (first.customer_id, first.on_account_minor) == (1, 3000)
    texts = " ".join(one.text for one in first.evidence)
    assert "INV-9, which is no open item" in texts
    assert finding.reason == Reason.UNKNOWN_REFERENCE, "a person looks at what is left"


def test_a_return_names_its_payment_even_after_the_days_in_which_amounts_are_compared(desk):
    """A SEPA direct debit without a mandate may come back for thirteen months."""
    paid = entry("100.00", "CRDT", transaction(end_to_end="E-1"), booked="<Dt>2025-02-01</Dt>")
    other = entry(
        "100.00", "CRDT", transaction(end_to_end="E-2"), reference="R3", booked="<Dt>2026-01-12</Dt>"
    )
    returned = "<RtrInf><Rsn><Cd>MD01</Cd></Rsn></RtrInf>"
    back = entry("100.00", "DBIT", transaction(returned, end_to_end="E-1"), reference="R2")
    take(desk, camt(statement(paid, other)))
    with desk.store.begin() as conn:
        conn.execute(receipt.update().values(state="applied", customer_id=1))
    take(desk, camt(statement(back, sequence=8)))
    (finding,) = findings(desk)
    assert "takes back receipt 1 of 2025-02-01" in finding.explanations[0].evidence[0].text
    with desk.store.read() as conn:
        (row,) = conn.execute(receipt.select().where(receipt.c.id == 3)).all()
        found = giving_back.originals(conn, desk.ledger, row, Money(10_000, "EUR"))
    assert [one.id for one in found] == [1], "the desk finds what the queue names"


def mt940(reference, text="HI"):
    head = f":20:X\n:25:{IBAN}\n:28C:1/1\n:60F:C260114EUR0,00\n"
    return (
        f"{head}:61:2601150115C100,00NTRFNONREF{reference}\n:86:{text}\n:62F:C260115EUR100,00\n-\n".encode()
    )


def test_the_same_payment_in_two_formats_with_one_bank_reference_is_the_same_line(desk):
    take(desk, camt(statement(entry("100.00", reference="R77"))))
    assert take(desk, mt940("//R77")).new_lines == 0
    assert receipts(desk) == [(10_000, "undecided", False)]


def test_the_same_payment_in_two_formats_with_one_end_to_end_id_counts_once_and_is_reported(desk):
    take(desk, camt(statement(entry("100.00", "CRDT", transaction(end_to_end="E-9"), reference="R77"))))
    taken = take(desk, mt940("", "166?20EREF+E-9"))
    assert (taken.new_lines, taken.merged) == (0, 1)
    assert receipts(desk) == [(10_000, "undecided", False)]
    with desk.store.read() as conn:
        assert "duplicate" in {finding.code for finding in bankfiles.check(conn)}


def test_the_same_day_and_amount_in_two_formats_without_a_common_reference_is_a_question(desk):
    take(desk, camt(statement(entry("100.00", reference="R77"))))
    take(desk, mt940(""))
    assert receipts(desk) == [(10_000, "undecided", False), (10_000, "queued", False)]
    assert ("possible duplicate", 10_000) in open_queue(desk)


def test_equal_payments_in_two_files_of_one_format_are_two(desk):
    take(desk, us(ofx_line("50.00", fitid="A")))
    take(desk, us(ofx_line("50.00", fitid="B")))
    assert receipts(desk) == [(5_000, "undecided", False)] * 2


# ---- what a person does by hand


def test_a_person_imports_and_looks_and_checks(desk, tmp_path):
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(BOOKED)
    bad.write_bytes(b"<html>")
    with desk.store.read() as conn:
        assert len(bankfiles.look(conn, good, None, tmp_path).statements) == 1
    assert receipts(desk) == [], "looking keeps nothing"
    first, second = bankfiles.import_files(desk, [good, bad], None, tmp_path)
    assert (first.new_lines, first.refused, bool(second.refused)) == (1, "", True)
    assert bankfiles.import_files(desk, [good], None, tmp_path)[0].known
    with desk.store.begin() as conn:
        assert bankfiles.check(conn) == []
    gap = camt(
        statement(
            entry(reference="R9"), sequence=4, balances=balance("OPBD", "5.00") + balance("CLBD", "105.00")
        )
    )
    good.write_bytes(gap)
    bankfiles.import_files(desk, [good], None, tmp_path)
    with desk.store.read() as conn:
        assert {"gap", "balance-break"} <= {finding.code for finding in bankfiles.check(conn)}


def test_a_correction_of_an_applied_receipt_is_a_question_and_rewrites_nothing(desk):
    take(desk, us(ofx_line("50.00", fitid="A")))
    with desk.store.begin() as conn:
        conn.execute(receipt.update().values(state="applied"))
    take(desk, us(ofx_line("40.00", fitid="B", CORRECTFITID="A", CORRECTACTION="REPLACE")))
    assert receipts(desk)[0] == (5_000, "applied", False)
    assert ("returned payment", 5_000) in open_queue(desk)


def test_what_a_feed_takes_back_is_superseded(desk):
    lines = [
        {
            "account_id": "121000248/4711",
            "transaction_id": "P1",
            "amount": -5,
            "iso_currency_code": "USD",
            "date": "2026-01-15",
            "name": "ADA",
        }
    ]
    with desk.store.begin() as conn:
        values = {
            "name": "plaid",
            "identifier": "ACC1",
            "currency": "USD",
            "profile": None,
            "deposit_account": None,
        }
        office.add_bank_account(conn, {**values, "ledger_id": desk.ledger.id, "created_at": AT})
    added = [{**lines[0], "account_id": "ACC1"}]
    take(desk, json.dumps({"added": added}).encode())
    take(
        desk,
        json.dumps(
            {
                "added": [{**added[0], "transaction_id": "P2", "amount": -7}],
                "removed": [{"transaction_id": "P1"}],
            }
        ).encode(),
    )
    assert [row.superseded_by == row.id for row in rows(desk, bank_line)] == [True, False]
    assert [row[1] for row in receipts(desk)] == ["not_ours", "undecided"]


# ---- the daily sheet

DAY = date(2026, 1, 16)


def sheet(desk, day=DAY, name="us"):
    with desk.store.read() as conn:
        return bankfiles.sheet(conn, name, day)


def test_every_credit_of_a_day_stands_somewhere_and_the_sum_is_the_banks(desk):
    credits_ = ("62.10", "40.00", "30.00", "20.00", "10.00")
    lines = [ofx_line(a, fitid=f"F{n}", posted="20260116") for n, a in enumerate(credits_)]
    take(desk, us(*lines, ofx_line("-5.00", fitid="D", kind="DEBIT", posted="20260116")))
    take(desk, PAYOUT, "us")
    states = {2: "applied", 3: "on_account", 4: "not_ours", 5: "returned"}
    with desk.store.begin() as conn:
        for our_id, state in states.items():
            conn.execute(receipt.update().where(receipt.c.id == our_id).values(state=state))
    one = sheet(desk)
    assert {standing: amount.minor for standing, amount in one.totals.items()} == {
        "queued": 6_500, "not ours": 1_710, "applied": 4_000, "on account": 3_000, "returned": 1_000,
    }  # fmt: skip
    assert (one.credits.minor, one.debits.minor, one.agrees) == (16_210, -500, True)
    assert sum(line.amount.minor for line in one.lines) == one.credits.minor


def test_a_line_of_two_formats_stands_on_the_sheet_once(desk):
    take(desk, camt(statement(entry("100.00", reference="R77"))))
    take(desk, mt940("//R77"))
    one = sheet(desk, date(2026, 1, 15), "giro")
    assert (one.credits.minor, len(one.lines), one.agrees) == (10_000, 1, True)


def test_a_day_that_does_not_come_to_its_statement_says_so(desk):
    take(desk, mt940(""))
    assert sheet(desk, date(2026, 1, 15), "giro").agrees
    with desk.store.begin() as conn:
        conn.execute(receipt.delete())
    one = sheet(desk, date(2026, 1, 15), "giro")
    assert [(line.standing, line.amount.minor) for line in one.lines] == [("unexplained", 10_000)]
    assert not one.agrees
    with desk.store.begin() as conn:
        conn.execute(statements_table.update().values(closing_minor=10_001))
        conn.execute(bank_line.update().values(amount_minor=0))
    assert not sheet(desk, date(2026, 1, 15), "giro").agrees, "the statement moved by more than its lines"


def test_a_balance_of_zero_is_a_balance(desk):
    take(desk, mt940(""))
    (kept,) = rows(desk, statements_table)
    assert (kept.opening_minor, kept.closing_minor) == (0, 10_000)


def test_a_sheet_of_an_account_nobody_has_or_of_a_day_without_lines(desk):
    with pytest.raises(NotFound):
        sheet(desk, name="nobody")
    assert (sheet(desk).lines, sheet(desk).agrees) == ((), True)
