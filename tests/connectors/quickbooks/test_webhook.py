"""Webhooks are believed only when signed, and tell which companies changed; both shapes, whatever else is in them."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.quickbooks.webhook import companies, signed

TOKEN = "verifier-7f3"


def cloud(realm, kind="qbo.invoice.created.v1"):
    return {
        "specversion": "1.0", "id": "88cd52aa", "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
        "type": kind, "datacontenttype": "application/json", "time": "2026-11-22T08:15:30.123456789Z",
        "intuitentityid": "1234", "intuitaccountid": realm, "data": {},
    }  # fmt: skip


def older(*named):
    return {
        "eventNotifications": [
            {
                "realmId": realm,
                "dataChangeEvent": {
                    "entities": [{"name": name, "id": "1", "operation": "Merge", "lastUpdated": "2026-11-22"}]
                },
            }
            for realm, name in named
        ]
    }


def sign(body, token=TOKEN):
    return base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param([cloud("1"), cloud("2")], {"1", "2"}, id="one delivery speaks of several companies"),
        pytest.param([cloud("1"), cloud("1")], {"1"}, id="the same news twice is one"),
        pytest.param([], set(), id="no news"),
        pytest.param([cloud("1", "qbo.vendor.updated.v1")], set(), id="a vendor is nothing to us"),
        pytest.param(older(("1", "Payment"), ("2", "Bill")), {"1"}, id="the older shape"),
        pytest.param(older(("1", "Customer")), {"1"}, id="a merge in the older shape"),
        pytest.param({"hello": 1}, None, id="a shape nobody knows may concern everybody"),
        pytest.param([{"type": "qbo.invoice"}], None, id="an event without a company too"),
        pytest.param([cloud("1", "invoice")], None, id="and one whose type is another"),
        pytest.param("text", None, id="a bare text"),
    ],
)
def test_which_companies_changed(document, expected):
    assert companies(json.dumps(document).encode()) == expected


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reading(body):
    assert companies(body) in (None, frozenset())


@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_a_signature_fits_its_own_bytes_alone(body, other):
    assert signed(body, sign(body), TOKEN)
    assert not signed(body, sign(body, "another token"), TOKEN)
    assert signed(other, sign(body), TOKEN) == (other == body)


@pytest.mark.parametrize("signature", ["", "x", "é", "====", "A" * 10_000])
def test_a_strange_signature_is_no_signature(signature):
    assert not signed(b"{}", signature, TOKEN)
