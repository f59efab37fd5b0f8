"""What QuickBooks says when it does not do as asked, and what that means for us.

Shape   four envelopes: accounting `Fault` (also with HTTP 200), gateway `fault` in lower case, XML, and
        pages of proxies. The meaning is looked up by (HTTP status, code, words): 5010 is a stale object,
        and also a closed period.
Source  Intuit's error pages, recorded exchanges and the sandbox walk named in README.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from arsync.connectors import exact
from arsync.connectors.transport import Reply

Meaning = Literal[
    "sign_in",
    "consent",
    "throttled",
    "busy",
    "stale",
    "gone",
    "closed_period",
    "read_only",
    "refused",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal that says why."""

    status: int
    code: str
    message: str
    detail: str = ""
    kind: str = ""  # "ValidationFault", "AUTHENTICATION", "SERVICE" ...
    trace: str = ""

    @property
    def said(self) -> str:
        """One line for people, in the platform's own words."""
        words = (
            self.message
            if not self.detail or self.detail == self.message
            else f"{self.message}: {self.detail}"
        )
        return f"{words} (code {self.code or 'none'})"


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule that fits decides; an empty set or None fits everything."""

    meaning: Meaning
    codes: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    says: re.Pattern[str] | None = None


_HTTP_REFUSED = frozenset(range(400, 500))
_HTTP_BROKEN = frozenset(range(500, 600))
RULES = (
    Rule("throttled", statuses=frozenset({429})),
    Rule("throttled", codes=frozenset({"3001", "003001"})),
    # An administrator left, or the app was never allowed into this company: signing in again by itself
    # cannot help.
    Rule("consent", codes=frozenset({"120", "3100"})),
    Rule("sign_in", codes=frozenset({"3200"})),
    Rule("sign_in", statuses=frozenset({401})),
    Rule(
        "closed_period", codes=frozenset({"5010", "6000", "6210"}), says=re.compile(r"(?i)\bclos(ed|ing)\b")
    ),
    Rule("stale", codes=frozenset({"5010"})),
    Rule("gone", codes=frozenset({"610"})),
    Rule("read_only", codes=frozenset({"6190"})),
    Rule("busy", codes=frozenset({"10000"})),
    Rule("busy", statuses=_HTTP_BROKEN),
    Rule("consent", statuses=frozenset({403})),
    Rule("refused", statuses=_HTTP_REFUSED),
    Rule("refused", codes=frozenset(), says=re.compile(r"ValidationFault")),
)


def meaning(fault: Fault) -> Meaning:
    """What a fault means for us; "unknown" stops, it is never retried."""
    words = f"{fault.message} {fault.detail} {fault.kind}"
    for rule in RULES:
        if (
            (not rule.codes or fault.code in rule.codes)
            and (not rule.statuses or fault.status in rule.statuses)
            and (rule.says is None or rule.says.search(words))
        ):
            return rule.meaning
    return "unknown"


def fault_of(reply: Reply) -> Fault | None:
    """The fault an answer carries, in any envelope; None when it carries none that can be read."""
    start = reply.text.lstrip()[:1]
    if start == "<":
        return _from_xml(reply)
    if start == "{" and (reply.status >= 400 or '"Fault"' in reply.text or '"fault"' in reply.text):  # noqa: PLR2004
        return _from_json(reply)
    return None


def _from_json(reply: Reply) -> Fault | None:
    try:
        answer = exact.read_object(reply.text)
    except ValueError:
        return None
    stated = answer.get("Fault") or answer.get("fault")
    return fault_in(stated, reply.status, reply.trace) if isinstance(stated, dict) else None


def fault_in(stated: Mapping[str, Any], status: int, trace: str) -> Fault:
    """The fault that an answer, or one item of a batch, states."""
    errors = [error for error in stated.get("Error") or stated.get("error") or [] if isinstance(error, dict)]
    if not errors:
        return Fault(status, "", "a fault without a word", kind=str(stated.get("type", "")), trace=trace)
    lower = [{key.lower(): value for key, value in error.items()} for error in errors]
    return Fault(
        status,
        code=_text(lower[0], "code"),
        message="; ".join(_text(error, "message") for error in lower),
        detail="; ".join(filter(None, (_text(error, "detail") for error in lower))),
        kind=str(stated.get("type", "")),
        trace=trace,
    )


def _text(error: Mapping[str, Any], key: str) -> str:
    value = error.get(key)
    return "" if value is None else str(value)


_XML_ERROR = re.compile(r"<Error\b([^>]*)>(.*?)</Error>", re.DOTALL)
_XML_CODE = re.compile(r"""\bcode=["']([^"']*)""")
_XML_KIND = re.compile(r"""<Fault\b[^>]*\btype=["']([^"']*)""")


def _from_xml(reply: Reply) -> Fault | None:
    error = _XML_ERROR.search(reply.text)
    if error is None:
        return None
    code, kind = _XML_CODE.search(error[1]), _XML_KIND.search(reply.text)
    return Fault(
        reply.status,
        code=code[1] if code else "",
        message=_xml_text(error[2], "Message"),
        detail=_xml_text(error[2], "Detail"),
        kind=kind[1] if kind else "",
        trace=reply.trace,
    )


def _xml_text(error: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", error, re.DOTALL)
    return found[1].strip() if found else ""
