"""The referee: Xero's own public specification reads every exchange. Nothing of it is copied into the project.

`judge` says what is wrong with an exchange: with the specification as published (its 23 quoted booleans made
booleans, without which no strict reader loads it), and with a copy tightened at load time: no field the specification
does not name, dates in one of the two written forms. Two lists say what is let through, and why.
"""

import os
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "corpus" / "xero"
# Answered by Xero, and in its reference pages or own examples, but not named by the schemas.
UNNAMED = {
    "Id", "Status", "ProviderName", "DateTimeUTC", "DateString", "DueDateString", "DateUTCString", "DateUTC",
    "CreatedDateUTCString", "ID", "ValidationErrors", "BatchPayment", "Attachments", "HasValidationErrors",
    "PlannedPaymentDateString", "BatchPaymentID", "CurrencyCode", "LineItems", "CreditNotes", "Overpayments",
    "ExpectedPaymentDateString",  # which alone takes the day away: XeroAPI/xero-node#476
    "Prepayments", "HasErrors", "IsDiscounted", "CurrencyRate", "DueDate", "InvoiceNumber",
    "StatusAttributeString",  # of any element with summarizeErrors=false; BatchPayment's schema forgets it
}  # fmt: skip
DATES = re.compile(
    r"/Date\(-?\d+(\+0000)?\)/|\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z?)?|\d{1,2} [A-Z][a-z]+ \d{4}|"
)
# Broken on purpose, as Xero does: (method, path pattern) and why.
ON_PURPOSE = (
    (
        "DELETE",
        r"/(CreditNotes|Overpayments|Prepayments)/[^/]+/Allocations/[^/]+",
        "a deleted allocation has no Amount",
    ),
    ("GET", r"/BankTransactions", "a list without pages has no LineItems"),
)


def missing():
    """Skip, or fail in CI, where the corpus is not beside the project."""
    if not FOLDER.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("the shared corpus is missing")
        pytest.skip("the shared corpus (../shared/corpus/xero) is not beside the project")


def _booleans(node):
    if isinstance(node, dict):
        if node.get("type") == "boolean" and isinstance(node.get("default"), str):
            node["default"] = node["default"] == "true"
        for value in node.values():
            _booleans(value)
    elif isinstance(node, list):
        for value in node:
            _booleans(value)


@lru_cache(maxsize=1)
def document():
    import yaml

    loaded = yaml.load((FOLDER / "xero_accounting.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    _booleans(loaded)
    return loaded


def _tightened(loaded):
    """Answers may hold no field but those named here or there; request bodies neither."""
    import copy

    tight = copy.deepcopy(loaded)
    for schema in tight["components"]["schemas"].values():
        if schema.get("properties") and schema is not tight["components"]["schemas"]["Element"]:
            for name in UNNAMED - set(schema["properties"]):
                schema["properties"][name] = {}
            schema["additionalProperties"] = False
    return tight


@lru_cache(maxsize=2)
def specification(*, tight):
    import warnings

    from openapi_core import Config, OpenAPI

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = _tightened(document()) if tight else document()
        return OpenAPI.from_dict(source, config=Config(spec_validator_cls=None))


class Sent:
    """An exchange in the words of openapi-core."""

    def __init__(self, request, answer):
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import Headers, ImmutableMultiDict

        self.host_url = "https://api.xero.com"
        self.path = f"/api.xro/2.0{request.path}"
        self.full_url_pattern = f"{self.host_url}{self.path}"
        self.method = request.method.lower()
        self.body = request.body or None
        self.content_type = request.headers.get("content-type", "application/json").split(";")[0]
        headers = {"xero-tenant-id": "unsaid", **request.headers}
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.query),
            header=Headers(headers),
            cookie=ImmutableMultiDict(),
            path={},
        )
        self.query_text = urlencode(request.query)
        self.answer = answer


class Answered:
    def __init__(self, answer):
        from werkzeug.datastructures import Headers

        self.status_code = answer.status
        self.content_type = answer.content_type.split(";")[0]
        self.headers = Headers(list(answer.headers))
        self.data = answer.body


def judge(request, answer):
    """What the specification objects to; "" for nothing."""
    described = answer.status in {200, 204} or (answer.status == 400 and request.method != "GET")
    said_no = answer.status == 400 and b'"ErrorNumber"' not in answer.body  # a key's refusal is plain text
    asks_json = "json" in request.headers.get("accept", "")
    if request.path.startswith(("/connect", "/Connect")) or not described or said_no or not asks_json:
        return ""
    if any(
        request.method == method
        and re.fullmatch(pattern, request.path)
        and _excused(request, method, pattern)
        for method, pattern, _ in ON_PURPOSE
    ):
        return ""
    return _objection(request, answer)


def _excused(request, method, pattern):
    if pattern == r"/BankTransactions":
        return "page" not in request.query
    return True


def _objection(request, answer):
    import warnings

    found = []
    for tight in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                specification(tight=tight).validate_response(Sent(request, answer), Answered(answer))
            except Exception as bad:  # noqa: BLE001 - openapi-core raises many unrelated kinds
                found.append(
                    f"{request.method} {request.path} {answer.status}, tight={tight}: {_deepest(bad)}"
                )
    return "; ".join(found + dates(answer.body.decode()))


def _deepest(bad):
    errors = getattr(bad.__cause__, "schema_errors", None) or getattr(bad, "schema_errors", None)
    if errors:
        return "; ".join(
            f"{'/'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in list(errors)[:3]
        )
    return repr(bad.__cause__ or bad)


def dates(text):
    """Date fields written in none of the known forms."""
    found = re.findall(r'"(\w*Date\w*)":"([^"]*)"', text)
    return [f"{name} is written {value!r}" for name, value in found if not DATES.fullmatch(value)]
