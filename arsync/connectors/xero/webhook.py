"""What Xero tells by webhook: that something changed in an organisation. Never what, never an amount.

Shape   `signed(body, signature, key)`; `tenants(body)` -> tenant ids whose books changed in something that is read
        here, or None where a signed body cannot be understood: then every organisation may have changed.
Law     the signature is compared in constant time, over the exact bytes; Xero asks with right and wrong ones whether it
        is (intent to receive), with no events in them.
Source  README.md of this folder. There is no word of payments: they show in the invoice they change.
"""

import base64
import hashlib
import hmac
import json

SIGNATURE = "x-xero-signature"
_READ = frozenset({"CONTACT", "INVOICE", "CREDITNOTE", "PREPAYMENT", "OVERPAYMENT", "PAYMENT"})


def signed(body: bytes, signature: str, key: str) -> bool:
    """Whether the app's webhook key signed these bytes."""
    expected = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.encode())


def tenants(body: bytes) -> frozenset[str] | None:
    """The tenants a body speaks of, as far as it concerns us; None: it cannot be told."""
    try:
        events = json.loads(body)["events"]
        return frozenset(str(one["tenantId"]) for one in events if str(one["eventCategory"]).upper() in _READ)
    except (ValueError, KeyError, TypeError):
        return None
