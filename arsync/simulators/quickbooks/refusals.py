"""What QuickBooks answers instead of doing what it was asked: codes, words and envelopes.

Source  recorded traffic for 610, 2010, 3200, 4001, 5010, 6000 and 6240; the rest from public issue threads
        and Intuit's error list, see README.md.
"""

from dataclasses import dataclass

from arsync.simulators.quickbooks.wire import Document


@dataclass(slots=True, eq=False)
class Refused(Exception):
    """A refused request: what goes into `Fault.Error[0]`, and the HTTP status."""

    code: str
    message: str
    detail: str
    element: str | None = None
    status: int = 400
    fault_type: str = "ValidationFault"

    def envelope(self) -> Document:
        """The `Fault` object of the accounting envelope (A)."""
        error: Document = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element is not None:
            error["element"] = self.element
        return {"Error": [error], "type": self.fault_type}


@dataclass(slots=True, eq=False)
class TurnedAway(Exception):
    """The gateway's refusal (envelope B): the request never reached the books."""

    status: int
    code: str
    message: str
    detail: str
    kind: str = "AUTHENTICATION"
    headers: tuple[tuple[str, str], ...] = ()

    def envelope(self, now_ms: int) -> Document:
        """The whole lower-case body."""
        error = {"message": self.message, "detail": self.detail, "code": self.code, "element": None}
        return {
            "warnings": None,
            "intuitObject": None,
            "fault": {"error": [error], "type": self.kind},
            "report": None,
            "queryResponse": None,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": None,
            "requestId": None,
            "time": now_ms,
            "status": None,
            "cdcresponse": [],
        }


def unknown_property(kind: str, name: str, known: tuple[str, ...]) -> Refused:
    """2010, with the list of known properties cut short as the platform does."""
    listed = ", ".join(f'"{one}"' for one in known[:58])
    return Refused(
        "2010",
        "Request has invalid or unsupported property",
        f'Property Name:Unrecognized field "{name}" (class com.intuit.schema.finance.v3.{kind}), not marked '
        f"as ignorable ({len(known)} known properties: {listed} [truncated]])\n specified is unsupported or "
        "invalid",
    )


def unreadable(why: str) -> Refused:
    """2010 for a body that is no JSON object."""
    return Refused(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:{why} specified is unsupported or invalid",
    )


def missing(name: str) -> Refused:
    """2020."""
    return Refused(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        name,
    )


def invalid_id(value: object) -> Refused:
    """2030."""
    return Refused(
        "2030", "Invalid ID", f"Invalid ID : Id should be a valid number. Supplied value:{value}", "Id"
    )


def too_long(name: str, limit: int) -> Refused:
    """2050."""
    return Refused(
        "2050",
        "String is too short or too long",
        f"Supplied value is longer than the maximum length of {limit} for {name}",
        name,
    )


def bad_number(name: str, value: object) -> Refused:
    """2080."""
    return Refused("2080", "Invalid Number Format", f"Invalid number format. Supplied value:{value}", name)


def bad_value(name: str, value: object) -> Refused:
    """2170: a value outside of the enumeration."""
    return Refused("2170", "Invalid Enumeration", f"Property Name:{name} has the unknown value {value}", name)


def bad_date(name: str, value: object) -> Refused:
    """2090."""
    return Refused("2090", "Invalid Date Format", f"Invalid date format. Supplied value:{value}", name)


def bad_reference(name: str, value: object) -> Refused:
    """2500: nothing ever had this Id."""
    return Refused("2500", "Invalid Reference Id", f"Invalid Reference Id : {name} {value} not found", name)


def not_found() -> Refused:
    """610: deleted, inactive or never there."""
    return Refused(
        "610",
        "Object Not Found",
        "Object Not Found : Something you're trying to use has been made inactive. Check the fields with "
        "accounts, customers, items, vendors or employees.",
        "",
    )


def stale(user: str) -> Refused:
    """5010: the SyncToken is not the current one."""
    return Refused(
        "5010",
        "Stale Object Error",
        f"Stale Object Error : You and {user} were working on this at the same time. {user} finished before "
        "you did, so your work was not saved.",
        "",
    )


def business(why: str) -> Refused:
    """6000, the catch-all of business rules."""
    return Refused(
        "6000",
        "A business validation error has occurred while processing your request",
        f"Business Validation Error: {why}",
        "",
    )


def duplicate_name() -> Refused:
    """6240."""
    return Refused("6240", "Duplicate Name Exists Error", "The name supplied already exists. : null")


def duplicate_number(number: str, kind: str, holder_id: str) -> Refused:
    """6140."""
    return Refused(
        "6140",
        "Duplicate Document Number Error",
        f"Duplicate Document Number Error : You must specify a different number. This number has already "
        f"been used. DocNumber={number} is assigned to TxnType={kind} with TxnId={holder_id}",
        "",
    )


def wrong_product() -> Refused:
    """6070: Amount is not Qty times UnitPrice."""
    return Refused(
        "6070",
        "Amount calculation incorrect in the request",
        "Amount calculation incorrect in the request : Amount is not equal to UnitPrice * Qty. "
        "Supplied value:null",
        "",
    )


def deposited() -> Refused:
    """6540."""
    return Refused(
        "6540",
        "Deposited Transaction cannot be changed",
        "Deposited Transaction cannot be changed : This transaction has been deposited. If you want to "
        "change or delete it, you must edit the deposit it appears on and remove it first.",
        "",
    )


def period_closed(code: str) -> Refused:
    """6210, or 5010 under the same words; both have been seen."""
    return Refused(
        code,
        "Account Period Closed",
        "The account period has closed and the account books cannot be updated through the QBO Services API. "
        "Please use the QBO website to make these changes.",
        "",
    )


def read_only_company() -> Refused:
    """6190: the subscription lapsed."""
    return Refused(
        "6190",
        "Invalid Company Status",
        "Subscription period has ended or canceled or there was a billing problem : You can't add or edit "
        "anything right now.",
        "",
    )


def unsupported(what: str) -> Refused:
    """500 in the body, HTTP 400."""
    return Refused("500", "Unsupported Operation", f"{what} is not supported.")


def query_syntax(why: str) -> Refused:
    """4000."""
    return Refused("4000", "Error parsing query", f"QueryParserError: {why}", fault_type="ValidationFault")


def query_invalid(why: str) -> Refused:
    """4001."""
    return Refused("4001", "Invalid query", f"QueryValidationError: {why}")


def nothing_to_link(kind: str, record_id: str) -> Refused:
    """6000, an attachment to something that is not there (recorded)."""
    entity = f"{kind} {record_id}"
    return business(f"The entity {entity} that you are trying to link does not exist. {entity}")


def system_failure() -> Refused:
    """10000."""
    return Refused(
        "10000",
        "An application error has occurred while processing your request",
        "System Failure Error: Unknown",
        status=500,
        fault_type="SystemFault",
    )


def throttled(status: int = 429) -> Refused:
    """3001, a SERVICE fault."""
    return Refused(
        "3001",
        f"message=ThrottleExceeded; errorCode=003001; statusCode={status}",
        "The request limit was reached.",
        status=status,
        fault_type="SERVICE",
    )
