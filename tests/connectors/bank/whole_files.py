"""One small whole file of each format, ours, marked with the specification it follows; for damage and for load."""

import json

from tests.connectors.bank import test_bank_bai2 as bai2
from tests.connectors.bank import test_bank_feeds as feeds
from tests.connectors.bank import test_bank_lockbox as lockbox
from tests.connectors.bank import test_bank_nacha as nacha
from tests.connectors.bank import test_bank_payouts as payouts
from tests.connectors.bank import test_bank_qif as qif
from tests.connectors.bank import test_bank_swift as swift
from tests.connectors.bank import test_bank_x12 as x12
from tests.connectors.bank import test_bank_xlsx as xlsx
from tests.connectors.bank.samples import camt, entry, ofx, ofx_line, statement, transaction

_LINES = (":61:2601150115C60,00NTRFINV-1//R1", ":86:166?00GUTSCHRIFT?20EREF+E1?21SVWZ+INVOICE 1001?32ADA")
_STRD = "<RmtInf><Strd><RfrdDocInf><Nb>INV-9</Nb></RfrdDocInf></Strd><Ustrd>INV-9</Ustrd></RmtInf>"
_ENTRIES = (entry("5.00", "CRDT", transaction(_STRD, amount="5.00")), entry("1.00", "DBIT", reference="R2"))

WHOLE = {
    "OFX 1.6": ofx(ofx_line("5.00"), ofx_line("-1.00", fitid="F2", MEMO="x")),
    "camt.053.001.08": camt(statement(*_ENTRIES)),
    "camt.054.001.08": camt(statement(*_ENTRIES), message="BkToCstmrDbtCdtNtfctn"),
    "CSV": b"Date,Description,Amount\n2026-01-15,x,5.00\n2026-01-16,y,-1.00\n",
    "MT940": swift.message(*_LINES, ":61:2601160116DR1,00NCHGNONREF", ":86:/TRTP/FEE/REMI/MAY/"),
    "MT942": swift.MT942.format("1EUR5,00").encode(),
    "BAI2": bai2.report("16,115,5000,Z,B1,C1,LOCKBOX/", "16,116,5000,Z,,,CHECK 1/", "88,MORE/", total=0),
    "BAI lockbox": lockbox.lockbox(lockbox.cheque(1, 7000), lockbox.overflow(1, "INV-1"), total=7000),
    "Nacha CTX": nacha.file(*nacha.batch(*nacha.ctx_rows(nacha.MESSAGE), credit=539000, sec="CTX")),
    "Nacha return": nacha.file(
        *nacha.batch(nacha.entry("26", addenda=1), nacha.returned("R01"), debit=10000)
    ),
    "X12 820": x12.message("RMR*IV*INV-1**60.00*62.00*2.00", "RMR*IV*INV-2**40.00"),
    "QIF": qif.qif(("D01/15/2026", "T5.00", "PADA"), ("D01/16/2026", "T-1.00")),
    "Berlin Group": json.dumps(feeds.berlin(feeds.berlin_line())).encode(),
    "Plaid": json.dumps([feeds.plaid()]).encode(),
    "PayPal": json.dumps({"transaction_details": [feeds.paypal()]}).encode(),
    "Stripe": json.dumps(
        {"data": [payouts.stripe("payout", -90), payouts.stripe("charge", 100, 10)]}
    ).encode(),
    "GoCardless": json.dumps(payouts.gocardless(payouts.item("payment_paid_out", "5871.0"))).encode(),
    "XLSX": xlsx.workbook(("15.01.2026", "Invoice 1001", 5.0), preamble=False),
}
