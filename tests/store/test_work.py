"""What the store hands to the matcher."""

import json
from datetime import date
from types import SimpleNamespace

from arsync.store.work import receipt_row

DAY = date(2026, 11, 22)


def test_a_receipt_that_an_older_arsync_kept_is_read():
    """Its texts do not name what later versions keep beside them."""
    said = {"texts": ["INV 1001"], "creditor_reference": "", "end_to_end_id": "E1", "bank_reference": "B1"}
    row = SimpleNamespace(
        id=1, on_date=DAY, currency="USD", amount_minor=25_000, payer_name="ACME", payer_account="",
        texts=json.dumps(said | {"cheque_number": ""}), is_return=False,
    )  # fmt: skip
    receipt = receipt_row(row)
    assert (receipt.texts, receipt.end_to_end_id) == (("INV 1001",), "E1")
    assert (receipt.original_reference, receipt.return_reason) == ("", "")
