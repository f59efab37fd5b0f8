"""A mailbox read by IMAP: what is new, and nothing is changed there.

Shape   (settings, mark) -> `Delivery`s of kind "letter", oldest first. A mark is "UIDVALIDITY:UID".
Law     the mailbox is opened read-only and no flag is set. A server that numbers anew (UIDVALIDITY) is read from its
        start; letters that are kept already are known by their bytes.
Errors  `Unreachable`, `Garbled`, `ConfigError` (sign-in refused, no such folder).
Source  RFC 3501, sections 2.3.1.1 and 6.4.8; RFC 8314 (TLS from the start).
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from arsync.connectors.deliveries import Delivery
from arsync.errors import ConfigError, Garbled, Unreachable

Security = Literal["tls", "starttls", "none"]
MAX_BYTES = 32 * 1024**2
_TIMEOUT_S = 60.0
_SIZED = re.compile(rb"UID ([0-9]+) RFC822\.SIZE ([0-9]+)|RFC822\.SIZE ([0-9]+) UID ([0-9]+)")


class Pass(Protocol):
    """What gives access tokens, where a mail server takes no passwords."""

    reconnect: str

    def access(self) -> str:
        """A token that is good now."""

    def renew(self, spent: str) -> str:
        """Another, because this one was not taken."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where advices are sent to.

    Attributes:
        ledger: whose advices they are.
        security: "none" only for a server on this machine.
        authority: the name under which the mail server writes what it checked (RFC 8601); empty: nothing is believed.
        ca_file: a certificate to trust besides the system's.
        tokens: signs in with access tokens (XOAUTH2) instead of the password.
    """

    ledger: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: Security = "tls"
    folder: str = "INBOX"
    authority: str = ""
    ca_file: str | None = None
    tokens: Pass | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What its mark is kept under."""
        return f"mail:{self.user}@{self.host}/{self.folder}"

    def new(self, mark: str | None) -> Iterator[Delivery]:
        """Letters that came since the mark."""
        with self._opened() as (server, validity):
            after = _after(mark, validity)
            for uid, size in _listed(server, after):
                name, here = f"mail {uid} of {self.user}", f"{validity}:{uid}"
                if size > MAX_BYTES:
                    why = f"larger than {MAX_BYTES // 1024**2} MiB"
                    yield Delivery(name, b"", here, "letter", refused=why)
                    continue
                data = _letter(server, uid)
                if data is not None:  # else somebody moved it between the list and now
                    yield Delivery(name, data, here, "letter")

    @contextmanager
    def _opened(self) -> Iterator[tuple[imaplib.IMAP4, str]]:
        """The folder, opened read-only, and its UIDVALIDITY."""
        where = f"{self.host}:{self.port}"
        try:
            server = self._connected()
            try:
                self._signed_in(server)
                answer, said = server.select(_quoted(self.folder), readonly=True)
                if answer != "OK":
                    raise ConfigError(
                        f"the mail server has no folder {self.folder}: {_text(said)}",
                        where=where,
                        do="set mailbox.folder",
                    )
                validity = server.response("UIDVALIDITY")[1][0]
                if not validity:
                    raise Garbled(
                        "the mail server gives no UIDVALIDITY", where=where, do="the next run tries again"
                    )
                yield server, validity.decode("ascii")
            finally:
                _let_go(server)
        except ssl.SSLError as error:
            raise Unreachable(
                f"no secure connection: {error.reason}", where=where, do="check security and ca_file"
            ) from error
        except OSError as error:
            raise Unreachable(
                f"the mail server does not answer: {error}", where=where, do="the next run tries again"
            ) from error
        except imaplib.IMAP4.error as error:
            raise Garbled(
                f"the mail server broke off: {error}", where=where, do="the next run tries again"
            ) from error

    def _connected(self) -> imaplib.IMAP4:
        if self.security == "none":
            return imaplib.IMAP4(self.host, self.port, timeout=_TIMEOUT_S)
        trust = ssl.create_default_context(cafile=self.ca_file)
        if self.security == "tls":
            return imaplib.IMAP4_SSL(self.host, self.port, ssl_context=trust, timeout=_TIMEOUT_S)
        server = imaplib.IMAP4(self.host, self.port, timeout=_TIMEOUT_S)
        server.starttls(trust)
        return server

    def _signed_in(self, server: imaplib.IMAP4) -> None:
        do = "check mailbox.user and the file mailbox.password_file names"
        try:
            if self.tokens is None:
                server.login(self.user, self.password)
            else:
                do = (
                    f"check that {self.user} may be read by IMAP, then sign in again: {self.tokens.reconnect}"
                )
                _let_in(server, self.user, self.tokens)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise ConfigError(
                f"the mail server does not let {self.user} in: {_text(error.args)}",
                where=f"{self.host}:{self.port}",
                do=do,
            ) from error


def _let_in(server: imaplib.IMAP4, user: str, tokens: Pass) -> None:
    """Sign in with an access token; once more with a new one, because a token may be taken back before its time."""
    token = tokens.access()
    try:
        _shown(server, user, token)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        _shown(server, user, tokens.renew(token))


def _shown(server: imaplib.IMAP4, user: str, token: str) -> None:
    said = f"user={user}\x01auth=Bearer {token}\x01\x01".encode()
    # A server that does not take it says why, and goes on when it hears an empty answer.
    server.authenticate("XOAUTH2", lambda why: b"" if why else said)


def _after(mark: str | None, validity: str) -> int:
    known, _, uid = (mark or "").partition(":")
    return int(uid) if known == validity and uid.isdigit() else 0


def _listed(server: imaplib.IMAP4, after: int) -> list[tuple[int, int]]:
    """(UID, size) of letters after one, in order. `n:*` always names the last letter, so it is looked at again."""
    answer, said = server.uid("FETCH", f"{after + 1}:*", "(UID RFC822.SIZE)")
    if answer != "OK":
        raise imaplib.IMAP4.error(f"FETCH: {_text(said)}")
    found = []
    for line in said:
        match = _SIZED.search(line) if isinstance(line, bytes) else None
        if match:
            uid, size = (match[1], match[2]) if match[1] else (match[4], match[3])
            found.append((int(uid), int(size)))
    return sorted((uid, size) for uid, size in found if uid > after)


def _letter(server: imaplib.IMAP4, uid: int) -> bytes | None:
    answer, said = server.uid("FETCH", str(uid), "(BODY.PEEK[])")
    if answer != "OK":
        raise imaplib.IMAP4.error(f"FETCH {uid}: {_text(said)}")
    # What servers say unasked of other letters holds no body.
    bodies = (bytes(part[1]) for part in said if isinstance(part, tuple) and b"BODY[]" in part[0])
    return next(bodies, None)


def _let_go(server: imaplib.IMAP4) -> None:
    try:
        server.logout()
    except (imaplib.IMAP4.error, OSError):
        return  # it is gone already, and nothing was to be said


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(said: object) -> str:
    parts = said if isinstance(said, list | tuple) else [said]
    words = (part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts)
    return " ".join(words)[:200]
