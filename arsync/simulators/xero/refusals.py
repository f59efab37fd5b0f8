"""How Xero says no: the bodies and codes of every refusal.

Source  reference pages and error bodies quoted in public code. Texts nobody could show are marked unverified in the
        README; their shape is known.
"""

from dataclasses import dataclass
from typing import Any

from arsync.simulators.exact_json import Document, dump_json
from arsync.simulators.xero.wire import number

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

OVER_OUTSTANDING = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
LOCKED_PAYMENT = "Organisation accounts are locked on the specified payment date"
HAS_APPLIED = "This document cannot be edited as it has a payment or credit note allocated to it."
UNAVAILABLE = {
    "maintenance": b"The Xero API is currently offline for maintenance",
    "unavailable": b"The Xero API is temporarily unavailable",
    "offline": b"The Organisation is offline",
}
_NUMBERS = {
    "Amount", "BankAmount", "CurrencyRate", "UnitAmount", "Quantity", "LineAmount", "TaxAmount", "DiscountRate",
}  # fmt: skip
HTML_500 = (
    b"<!DOCTYPE html><html><head><title>Runtime Error</title></head><body>Server Error in '/'.</body></html>"
)


class Refused(Exception):
    """An answer that is a refusal, with its body ready."""

    def __init__(
        self, status: int, body: bytes, content_type: str = JSON, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(body.decode("utf-8", "replace"))
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers


class Invalid(Exception):
    """One element may not be written; the messages are what a client sees."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Failed:
    """An element beside why it was refused."""

    element: Document
    messages: tuple[str, ...]


def validation(failed: list[Failed]) -> Refused:
    """400: nothing of the request was written."""
    elements = [{**echo(one.element), "ValidationErrors": errors(one.messages)} for one in failed]
    return _json(
        400,
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": elements,
        },
    )


def echo(value: Any) -> Any:  # noqa: ANN401 - JSON
    """An element as it comes back beside its errors: read and written again, so numbers are numbers."""
    if isinstance(value, list):
        return [echo(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _echoed_number(one) if name in _NUMBERS and isinstance(one, str) else echo(one)
        for name, one in value.items()
        if one is not None
    }


def _echoed_number(text: str) -> object:
    try:
        return number(text)
    except ValueError:  # refused for another reason before anybody read it
        return text


def errors(messages: tuple[str, ...]) -> list[Document]:
    """`ValidationErrors` or `Warnings`."""
    return [{"Message": message} for message in messages]


def unreadable(why: str) -> Refused:
    """400: the body is no JSON, or a value in it has the wrong type."""
    return _json(400, {"ErrorNumber": 17, "Type": "PostDataInvalidException", "Message": why})


def bad_query(why: str) -> Refused:
    """400: a `where`, an `order` or another parameter cannot be read."""
    return _json(400, {"ErrorNumber": 16, "Type": "QueryParseException", "Message": why})


def too_many(threshold: int) -> Refused:
    """400: the request would touch or return too much."""
    why = f"The request exceeds the threshold of {threshold} records; add or change a filter."
    return _json(400, {"ErrorNumber": 16, "Type": "QueryThresholdException", "Message": why})


def idempotency(why: str) -> Refused:
    """400: the Idempotency-Key cannot be taken."""
    return Refused(400, why.encode(), TEXT)


def not_found() -> Refused:
    """404."""
    return Refused(404, b"The resource you're looking for cannot be found", TEXT)


def not_here(what: str) -> Refused:
    """501: Xero has it, the simulator does not; better than an answer that lies."""
    return Refused(501, f"{what} is not simulated".encode(), TEXT)


def no_such_method() -> Refused:
    """405."""
    return Refused(405, b"The HTTP method is not allowed for this resource", TEXT)


def turned_away(status: int, title: str, detail: str, instance: str) -> Refused:
    """401 and 403: who asks may not."""
    return _json(
        status,
        {
            "Type": None,
            "Title": title,
            "Status": status,
            "Detail": detail,
            "Instance": instance,
            "Extensions": {},
        },
    )


def throttled(problem: str, retry_after_s: int | None) -> Refused:
    """429; the limit on concurrent requests names no time."""
    headers: tuple[tuple[str, str], ...] = (("X-Rate-Limit-Problem", problem),)
    if retry_after_s is not None:
        headers = (*headers, ("Retry-After", str(retry_after_s)))
    return Refused(429, b"", TEXT, headers)


def unavailable(which: str) -> Refused:
    """503 with plain text."""
    return Refused(503, UNAVAILABLE[which], TEXT)


def _json(status: int, document: Document) -> Refused:
    return Refused(status, dump_json(document).encode())
