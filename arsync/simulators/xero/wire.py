"""Xero's way to write dates and amounts, in JSON and in XML, and how to read what a client sends.

Units   amounts are integer hundredths of the document's currency inside (Xero keeps two decimals of every currency);
        outside they are bare numbers with two decimals. Moments are milliseconds since the epoch.
Errors  `ValueError` for what cannot be read; nothing is rounded silently.
Source  responses of the public specification (XeroAPI/Xero-OpenAPI) and of the reference pages.
"""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from xml.sax.saxutils import escape

from arsync.simulators.exact_json import Document

_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_ONE = Decimal(1)
_TEXT = {"Values": "Value", "ReportTitles": "ReportTitle", "Statuses": "Status", "Addresses": "Address"}


def amount(cents: int) -> Decimal:
    """`10050` is `100.50`."""
    return Decimal(cents).scaleb(-2)


def to_cents(value: object) -> int:
    """Hundredths of an amount: a JSON number or text.

    Raises:
        ValueError: no number, or finer than a hundredth.
    """
    scaled = number(value).scaleb(2)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than two decimals")
    return int(scaled)


def number(value: object) -> Decimal:
    """An exact number.

    Raises:
        ValueError: a float, a boolean, or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY004 - one error for every bad number
    try:
        read = Decimal(value)
    except InvalidOperation as bad:
        raise ValueError(f"{value!r} is no number") from bad
    if not read.is_finite() or abs(read.adjusted()) > 20:  # noqa: PLR2004 - far beyond every amount of money
        raise ValueError(f"{value!r} is no number")
    return read


def rounded(value: Decimal) -> int:
    """The nearest whole number, halves away from zero."""
    return int(value.quantize(_ONE, ROUND_HALF_UP))


def day_ms(day: date) -> int:
    """Midnight UTC of a calendar day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def json_day(day: date) -> str:
    """`/Date(1539993600000+0000)/`."""
    return f"/Date({day_ms(day)}+0000)/"


def json_moment(moment_ms: int) -> str:
    """A moment in the same clothes."""
    return f"/Date({moment_ms}+0000)/"


def day_text(day: date) -> str:
    """`2018-10-20T00:00:00`: a calendar day without a zone."""
    return f"{day.isoformat()}T00:00:00"


def moment_text(moment_ms: int, zone: str = "") -> str:
    """`2018-11-02T16:36:32`, UTC, with `Z` where the field has one."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + zone


def read_day(value: object) -> date:
    """A day as clients write it: ISO, ISO with a time, or `/Date(ms)/`, which is the UTC day.

    Raises:
        ValueError: anything else.
    """
    text = str(value)
    found = _JSON_DATE.fullmatch(text)
    if found:
        return datetime.fromtimestamp(int(found[1]) / 1000, UTC).date()
    return date.fromisoformat(text[:10]) if len(text) <= 10 else datetime.fromisoformat(text).date()  # noqa: PLR2004 - YYYY-MM-DD


def read_moment_s(text: str) -> int:
    """`If-Modified-Since`: ISO, with a zone or without one (then UTC); fractions are dropped.

    Raises:
        ValueError: anything else.
    """
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def to_xml(name: str, value: object) -> str:
    """The document as XML, which Xero answers unless JSON is asked for. Dates become ISO, lists their singular."""
    if isinstance(value, dict):
        inside = "".join(to_xml(key, item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        inside = "".join(to_xml(_singular(name), item) for item in value)
    else:
        inside = escape(_xml_text(value))
    return f"<{name}>{inside}</{name}>"


def _singular(name: str) -> str:
    return _TEXT.get(name) or (name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s"))


def _xml_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    found = _JSON_DATE.fullmatch(text)
    return moment_text(int(found[1])) if found else text


def envelope(app_name: str, answer_id: str, now_ms: int, body: Document) -> Document:
    """What stands around every answer that is no error."""
    return {
        "Id": answer_id,
        "Status": "OK",
        "ProviderName": app_name,
        "DateTimeUTC": f"/Date({now_ms})/",
        **body,
    }
