"""What QuickBooks tells by webhook: that something changed in a company. Never what, never an amount.

Shape   `signed(body, signature, token)`; `companies(body)` -> realm ids whose books changed in something that is
        read here, or None where a signed body cannot be understood: then every company may have changed.
Law     the signature is compared in constant time, over the exact bytes. Two shapes are read: a list of
        CloudEvents, which may mix companies, and the older `eventNotifications`.
Source  README.md of this folder.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

from arsync.connectors.quickbooks.pull import ENTITIES

SIGNATURE = "intuit-signature"
# What a pull reads; a bill or a vendor that changed is nothing to us.
_READ = frozenset(entity.lower() for entity in (*ENTITIES, "Preferences", "CompanyInfo"))


def signed(body: bytes, signature: str, token: str) -> bool:
    """Whether the app's verifier token signed these bytes."""
    expected = base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.encode())


def companies(body: bytes) -> frozenset[str] | None:
    """The realm ids a body speaks of, as far as it concerns us; None: it cannot be told."""
    try:
        return frozenset(realm for realm, entity in _events(json.loads(body)) if entity.lower() in _READ)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None


def _events(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON has no narrower type
    """(realm id, entity) of each event."""
    if isinstance(document, list):
        for event in document:
            # "qbo.invoice.created.v1"
            yield str(event["intuitaccountid"]), event["type"].split(".")[1]
        return
    for notification in document["eventNotifications"]:
        realm = str(notification["realmId"])
        for entity in notification["dataChangeEvent"]["entities"]:
            yield realm, entity["name"]
