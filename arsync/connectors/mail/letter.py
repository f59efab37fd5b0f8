"""A letter, read: who says they sent it, what the mail server checked of that, its words and its documents.

Shape   bytes -> `Letter`; pure. `UnsafeFile` where it has more parts than any letter.
Law     a header is the word of whoever wrote it. Only the topmost `Authentication-Results` of our own mail server
        counts, and only for the domain the sender writes from.
Source  RFC 5322; RFC 8601 sections 2.2 and 5 (who may be believed); RFC 7489 section 3.1 (alignment).
"""

import re
from dataclasses import dataclass
from datetime import UTC, date
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime

from arsync.errors import UnsafeFile

_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_DKIM = re.compile(r"^\s*dkim\s*=\s*pass\b", re.IGNORECASE)
_DOMAIN = re.compile(r"\bheader\.(?:d|i)\s*=\s*(?:[^\s;@]*@)?([A-Za-z0-9.-]+)", re.IGNORECASE)
_CHANGE = re.compile(
    r"\b(?:new|chang\w*|updat\w*|switch\w*|replac\w*|neue\w*|[gG]eändert\w*|nouve\w+|nuov\w+|nuev\w+|gewijzigd\w*)\b",
    re.I,
)
_BANK = re.compile(
    r"\b(?:bank(?:ing)?[ -]*(?:details?|accounts?|information|data)|account (?:details?|number)|iban|routing number"
    r"|sort code|wire instructions?|payment instructions?|remit[ -]?to|bankverbindung\w*|kontoverbindung\w*"
    r"|coordonn[ée]es bancaires|coordinate bancarie|datos bancarios|bankgegevens)\b",
    re.I,
)
_PART = re.compile(rb"^content-type:", re.IGNORECASE | re.MULTILINE)
# A letter with a page of pictures has some dozens; each costs the library half a millisecond.
_MOST_PARTS = 500
_SENTENCE = re.compile(r"[.!?\n]+")


@dataclass(frozen=True, slots=True)
class Document:
    """What was attached."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail.

    Attributes:
        sender: the address it says it is from, in lower case; empty where it names none, or several.
        is_proven: our mail server checked a signature of the sender's own domain, and it held.
        on: the day it says it was written, in UTC; None where it does not.
    """

    sender: str
    sender_name: str
    subject: str
    on: date | None
    is_proven: bool
    text: str
    html: str
    documents: tuple[Document, ...]

    @property
    def asks_for_bank_details(self) -> str:
        """The sentence that asks to change bank details; empty where none does."""
        words = self.text or re.sub(r"<[^>]*>", " ", self.html)
        for sentence in _SENTENCE.split(f"{self.subject}\n{words}"):
            if _CHANGE.search(sentence) and _BANK.search(sentence):
                return " ".join(sentence.split())[:200]
        return ""


def read(data: bytes, authority: str) -> Letter:
    """Read a mail.

    Args:
        data: its bytes.
        authority: the name our mail server writes what it checked under; empty: nothing is proven.
    """
    if len(_PART.findall(data)) > _MOST_PARTS:
        raise UnsafeFile(f"the letter has more than {_MOST_PARTS} parts", do="ask for a plain one")
    message = BytesHeaderParser(policy=policy.compat32).parsebytes(data)
    sender, name = _sender(message)
    text, html, documents = _parts(data)
    return Letter(
        sender=sender,
        sender_name=name,
        subject=_header(data, "subject"),
        on=_day(message),
        is_proven=bool(sender) and _proven(message, authority, sender.rpartition("@")[2]),
        text=text,
        html=html,
        documents=documents,
    )


def _sender(message: Message) -> tuple[str, str]:
    try:
        addresses = getaddresses([str(one) for one in message.get_all("from", [])])
    except RecursionError:  # thousands of names or brackets are nobody
        return "", ""
    named = {address.lower() for _, address in addresses if "@" in address}
    if len(named) != 1:
        return "", ""
    return named.pop(), next(name for name, address in addresses if "@" in address)


def _day(message: Message) -> date | None:
    try:
        said = parsedate_to_datetime(str(message.get("date", "")))
        return (said.astimezone(UTC) if said.tzinfo else said).date()
    except (ValueError, TypeError, OverflowError):  # a year beyond the calendar overflows
        return None


def _header(data: bytes, name: str) -> str:
    """A header with its encoded words decoded."""
    try:
        return " ".join(str(BytesHeaderParser(policy=policy.default).parsebytes(data).get(name, "")).split())
    except (ValueError, IndexError, LookupError, RecursionError):  # of the library, on thousands of words
        return ""


def _proven(message: Message, authority: str, domain: str) -> bool:
    """Whether our mail server found a signature of this domain, or of one above it, to hold."""
    if not authority:
        return False
    for header in message.get_all("authentication-results", []):
        said = str(header)
        while (bare := _COMMENT.sub(" ", said)) != said:
            said = bare
        server, _, results = _QUOTED.sub(" ", said).partition(";")
        if server.split()[:1] != [authority]:
            continue
        signed = [
            found[1].lower().strip(".")
            for one in results.split(";")
            if _DKIM.match(one) and (found := _DOMAIN.search(one))
        ]
        return any("." in one and (domain == one or domain.endswith(f".{one}")) for one in signed)
    return False


def _parts(data: bytes) -> tuple[str, str, tuple[Document, ...]]:
    message = message_from_bytes(data, policy=policy.default)
    texts: list[str] = []
    pages: list[str] = []
    documents: list[Document] = []
    for part in message.walk():
        if not isinstance(part, EmailMessage) or part.is_multipart():
            continue
        kind, name = part.get_content_type(), _file_name(part)
        body = part.get_payload(decode=True)
        if not isinstance(body, bytes):
            continue
        if kind == "text/plain" and not name:
            texts.append(_decoded(part, body))
        elif kind == "text/html":
            pages.append(_decoded(part, body))
        elif not kind.startswith(("image/", "audio/", "video/")):
            documents.append(Document(name or "unnamed", body))
    return "\n".join(texts), "\n".join(pages), tuple(documents)


def _file_name(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except (ValueError, LookupError):
        return "unnamed"


def _decoded(part: EmailMessage, body: bytes) -> str:
    try:
        return body.decode(part.get_content_charset() or "utf-8")
    except (LookupError, ValueError):  # a codec nobody has, or a name that is none
        return body.decode("cp1252", "replace")
