"""Bank files that are cut, foreign, strange or repeated: named, kept, nothing half-imported, and the others go on."""

import pytest

from arsync.errors import UsageError
from arsync.sync import actions
from tests.worlds.office import ACCOUNT, Line

pytestmark = pytest.mark.slow
GOOD = Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS")


@pytest.fixture
def office(quick_office):
    quick_office.invoice(quick_office.customer("Northwind Traders"), "250.00", "1001")
    quick_office.mode("auto")
    return quick_office


def foreign(data):
    return data.replace(ACCOUNT.encode(), b"9999999")


SPOILT = {
    "cut off": (lambda data: data[: data.index(b"<MEMO>")], "trunc|end"),
    "a page of the bank's web site": (
        lambda _: b"<!DOCTYPE html><html><body>Please sign in</body></html>",
        "",
    ),
    "empty": (lambda _: b"", ""),
    "of an account nobody has added": (foreign, "9999999"),
    "noise": (lambda _: bytes(range(256)) * 4, ""),
}


@pytest.mark.parametrize(("spoil", "says"), SPOILT.values(), ids=SPOILT)
def test_a_file_that_cannot_be_read_is_named_and_the_others_go_on(office, spoil, says):
    bad = office.statement(Line("99.00", "OTHER", "SOMEBODY"), name="a-bad.ofx")
    whole = bad.read_bytes()
    bad.write_bytes(spoil(whole))
    office.received.clear()
    office.statement(GOOD, name="b-good.ofx")
    ran = office.run()
    assert [name for name, _ in ran.taken.refused] == ["a-bad.ofx"]
    (row,) = office.queue("unreadable field")
    assert row.subject == "file:a-bad.ofx"
    assert not says or any(word in row.detail for word in says.split("|")), row.detail
    assert office.receipt().state == "applied", "the good file went on"
    office.adds_up()
    office.all_received()
    office.agrees()
    before = office.rows()
    assert not office.run().changed
    assert office.changed_rows(before) == set()
    bad.write_bytes(whole)
    office.received["F000001"] = 9900
    office.run()
    assert office.queue("unreadable field") == [], "the file was downloaded again"
    office.all_received()
    office.adds_up()


def test_a_file_of_an_account_that_is_added_later_is_taken_then(office):
    path = office.statement(GOOD)
    path.write_bytes(foreign(path.read_bytes()))
    office.run()
    assert office.receipts() == []
    values = {"name": "second", "identifier": "121000248/9999999", "currency": "USD", "profile": None}
    actions.add_bank_account(office.desk("Ada"), {**values, "deposit_account": None})
    office.run()
    assert office.receipt().state == "applied"
    assert office.queue() == []
    office.adds_up()


def test_an_amount_that_cannot_be_read_is_a_queue_item_with_its_text_and_nothing_of_its_statement_applies_alone(
    office,
):
    path = office.statement(GOOD, Line("13.37", "OTHER", "SOMEBODY"))
    path.write_bytes(path.read_bytes().replace(b"<TRNAMT>13.37", b"<TRNAMT>13.3x7"))
    office.received.pop("F000002")
    ran = office.run()
    assert ran.taken.problems
    assert any("13.3x7" in q.detail for q in office.queue("unreadable field"))
    assert office.receipt().amount_minor == 25000
    assert (office.payments(), office.queued().reason) == ([], "unproven statement")
    office.adds_up()
    office.all_received()
    assert office.run_until_idle() == 0
    actions.accept(office.desk(), office.queued().id)
    office.run()
    assert office.receipt().state == "applied", "a person may let it go on"
    office.agrees()


def test_a_house_may_take_the_lines_of_a_statement_that_does_not_come_out(office):
    office.policy('[unproven_statement]\nreceipts = "apply"\n')
    path = office.statement(GOOD, Line("13.37", "OTHER", "SOMEBODY"))
    path.write_bytes(path.read_bytes().replace(b"<TRNAMT>13.37", b"<TRNAMT>13.3x7"))
    office.received.pop("F000002")
    office.run()
    assert any("13.3x7" in q.detail for q in office.queue("unreadable field")), (
        "what cannot be read still waits"
    )
    assert office.receipt().state == "applied"
    office.agrees()


def test_overlapping_files_bring_each_line_once(office):
    other = Line("10.00", "OTHER", "SOMEBODY", fitid="X2")
    first = Line(GOOD.amount, GOOD.text, GOOD.payer, fitid="X1")
    office.statement(first)
    office.run()
    office.statement(first, other)
    office.statement(first, other, name="again-under-another-name.ofx")
    office.run()
    office.all_received()
    office.adds_up()
    office.agrees()
    assert len(office.ours()) == 1


RETURN = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId>
<CreDtTm>2026-11-20T07:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S1</Id><CreDtTm>2026-11-20T07:00:00Z</CreDtTm>
<Acct><Id><Othr><Id>5500</Id></Othr></Id><Ccy>USD</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">900.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-11-19</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">650.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-11-20</Dt></Dt></Bal>
<Ntry><NtryRef>1</NtryRef><Amt Ccy="USD">250.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>R1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>
<SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs>
<Amt Ccy="USD">250.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>NORTHWIND TRADERS</Nm></Pty></Dbtr>
</RltdPties><RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf><RmtInf><Ustrd>INVOICE 1001</Ustrd></RmtInf></TxDtls></NtryDtls>
</Ntry></Stmt></BkToCstmrStmt></Document>
"""


def test_money_that_went_back_is_queued_and_never_applied(office):
    """A return opens a debt again: it must not be posted as if it were a receipt."""
    values = {
        "name": "camt",
        "identifier": "5500",
        "currency": "USD",
        "profile": None,
        "deposit_account": None,
    }
    actions.add_bank_account(office.desk("Ada"), values)
    (office.inbox / "return.xml").write_text(RETURN)
    office.run()
    queued = office.queued()
    assert (queued.reason, queued.amount_minor) == ("returned payment", -25000)
    with pytest.raises(UsageError, match="went back"):
        actions.accept(office.desk(), queued.id)
    with pytest.raises(UsageError):
        actions.on_account(office.desk(), queued.id, office.customer_id("1"))
    actions.not_ours(office.desk(), queued.id, "seen; the invoice is open again")
    assert office.run_until_idle() == 0
    assert office.payments() == []
    office.adds_up()
