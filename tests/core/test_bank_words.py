"""Lines on which money left whose words say that the bank gave a payment back."""

import pytest

from arsync.core.bank import says_returned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("RETURNED ITEM NSF", True, id="a returned cheque"),
        pytest.param("ACH Return R01 Northwind", True, id="a returned transfer"),
        pytest.param("Deposited Item Returned", True, id="a deposited item"),
        pytest.param("CHARGEBACK 4411", True, id="a chargeback"),
        pytest.param("Rücklastschrift Müller", True, id="a returned direct debit"),
        pytest.param("RETURNED ITEM FEE", False, id="the bank's fee for it is not the payment"),
        pytest.param("RETURN OF GOODS STAPLES", False, id="goods go back too"),
        pytest.param("TRANSFER TO SAVINGS", False, id="money of ours"),
    ],
)
def test_words(text, expected):
    assert says_returned(text) is expected
