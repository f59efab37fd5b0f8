"""What Xero says when it does not do as asked, and what that means for us.

Shape   JSON of three kinds (`Type` and `Title` at the door, `ErrorNumber` and `Elements` for what is refused), plain
        text under 503, pages of proxies. An element of a list that was refused alone stands in an answer of status 200.
Source  README.md of this folder.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from arsync.connectors import exact
from arsync.connectors.transport import Reply

Meaning = Literal["sign_in", "consent", "no_right", "gone", "locked", "stale", "refused", "busy", "unknown"]
Row = Mapping[str, Any]
_REFUSED, _UNAUTHORISED, _FORBIDDEN, _MISSING = 400, 401, 403, 404
_BROKEN = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal, in Xero's own words."""

    status: int
    said: str
    kind: str = ""
    trace: str = ""


def fault_of(reply: Reply) -> Fault | None:
    """The fault an answer carries; None for an answer that is none."""
    if reply.status < _REFUSED:
        return None
    body = _object(reply.text)
    if body is None:
        return Fault(reply.status, reply.excerpt() or "an empty page", trace=reply.trace)
    messages = [message for element in _elements(body) for message in said_of(element)]
    words = messages or [str(body.get(name)) for name in ("Message", "Detail", "Title") if body.get(name)]
    kind = str(body.get("Detail") or body.get("Type") or "")
    return Fault(reply.status, "; ".join(dict.fromkeys(words)) or "a fault without a word", kind, reply.trace)


def said_of(element: Row) -> list[str]:
    """What is wrong with one element, in Xero's words; some samples of Xero say Description for Message."""
    errors = element.get("ValidationErrors")
    listed = errors if isinstance(errors, list) else []
    return [str(e.get("Message") or e.get("Description") or "?") for e in listed if isinstance(e, Mapping)]


_LOCKED = re.compile(r"(?i)\block(ed)?\b")
# What is refused because somebody was quicker: the next look tells what is left.
_STALE = re.compile(
    r"(?i)exceed|amount (due|outstanding|remaining)|not of valid status|fully paid|already been paid"
)


def meaning(fault: Fault) -> Meaning:
    """What a fault means for us; "unknown" stops, it is never retried."""
    words = f"{fault.kind} {fault.said}"
    if fault.status in {_UNAUTHORISED, _FORBIDDEN}:
        if "AuthorizationUnsuccessful" in words or "insufficient" in words.lower():
            return "no_right"
        return "sign_in" if fault.status == _UNAUTHORISED else _forbidden(words)
    if fault.status == _MISSING:
        return "gone"
    if fault.status >= _BROKEN:
        return "busy"
    if fault.status == _REFUSED:
        return refusal(words)
    return "refused"


def _forbidden(words: str) -> Meaning:
    return "consent" if "AuthenticationUnsuccessful" in words or "Unsuccessful" in words else "no_right"


def refusal(words: str) -> Meaning:
    """What a refused element means."""
    if _LOCKED.search(words):
        return "locked"
    return "stale" if _STALE.search(words) else "refused"


def _elements(body: Row) -> list[Row]:
    found = body.get("Elements")
    listed = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    nested = [inner for one in listed for inner in _lists(one)]
    return [*listed, *nested, body]


def _lists(element: Row) -> list[Row]:
    """Elements inside an element: the payments of a batch, the allocations of a document."""
    lists = (element.get(name) for name in ("Payments", "Allocations", "LineItems"))
    return [one for listed in lists if isinstance(listed, list) for one in listed if isinstance(one, Mapping)]


def _object(text: str) -> dict[str, Any] | None:
    try:
        return exact.read_object(text)
    except ValueError:
        return None
