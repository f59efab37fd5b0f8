"""Feeds over HTTPS: Plaid, and GoCardless Bank Account Data. Their answers are kept as they came and read as files are.

Shape   (settings, mark) -> `Delivery`s of kind "file". Plaid's mark is its cursor; GoCardless' is when it was asked.
Law     a cursor moves only after the last page of an update is kept; an update that Plaid changes while it is paged is
        asked for again from its start. GoCardless is asked at most every six hours (banks allow four a day) and
        again for ten days back: what is known counts once.
Errors  `Unreachable`, `Throttled`, `Garbled`, `ConsentLost` (the bank asks for a new consent), `ConfigError`.
Source  Plaid API, "/transactions/sync" and "Errors"; GoCardless Bank Account Data API v2.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from arsync.connectors.contract import Meter
from arsync.connectors.deliveries import Delivery
from arsync.connectors.pace import AccountPace, Limit
from arsync.connectors.transport import REDACTION, Ask, Reply, Transport, garbled
from arsync.errors import ConfigError, ConsentLost, Garbled, PlatformRefused, Throttled

PLAID = "https://production.plaid.com"
GOCARDLESS = "https://bankaccountdata.gocardless.com"
_PAGE = 500
_MOST_PAGES, _MOST_STARTS = 10_000, 3
_ASK_EVERY = timedelta(hours=6)
_AGAIN = timedelta(days=10)
_CHANGED = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
_SIGN_IN = frozenset({"ITEM_LOGIN_REQUIRED", "INVALID_ACCESS_TOKEN", "ITEM_NOT_FOUND", "ACCESS_NOT_GRANTED"})
_OURS = frozenset({"INVALID_API_KEYS", "INVALID_CLIENT_ID", "INVALID_SECRET"})
_OK, _UNAUTHORISED, _FORBIDDEN = 200, 401, 403


@dataclass(frozen=True, slots=True)
class Line:
    """How a feed speaks: the clock, pauses and meter it is given."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    meter: Meter

    def to(self, name: str) -> Transport:
        """A wire of its own; gentle, because nothing waits for it."""
        pace = AccountPace((Limit(30, 60.0),), 1, self.now, self.sleep)
        return Transport(name, self.now, self.sleep, self.meter, pace)


@dataclass(frozen=True, slots=True)
class Plaid:
    """One item (a sign-in at a bank) of Plaid."""

    title: str
    ledger: str
    client_id: str
    secret: str = field(repr=False)
    access_token: str = field(repr=False)
    line: Line = field(repr=False)
    account: str | None = None
    base_url: str = PLAID
    authority: str = ""

    @property
    def name(self) -> str:
        """What its mark is kept under."""
        return f"plaid:{self.title}"

    def new(self, mark: str | None) -> Iterator[Delivery]:
        """What changed since the cursor, page by page."""
        REDACTION.hide(self.secret, self.access_token)
        wire = self.line.to("plaid")
        try:
            pages = self._pages(wire, mark or "")
        finally:
            wire.close()
        for number, (text, cursor) in enumerate(pages, 1):
            after = cursor if number == len(pages) else mark or ""
            yield Delivery(f"{self.title} page {number}", text.encode(), after, folder=self.account)

    def _pages(self, wire: Transport, cursor: str) -> list[tuple[str, str]]:
        """Pages that say something, each with the cursor after all of them."""
        for _ in range(_MOST_STARTS):
            pages = self._update(wire, cursor)
            if pages is not None:
                return pages
        raise Throttled(
            "plaid changes the update while it is read", where=self.title, do="the next run tries again"
        )

    def _update(self, wire: Transport, cursor: str) -> list[tuple[str, str]] | None:
        """All pages of one update; None where Plaid changed it meanwhile."""
        pages: list[str] = []
        at = cursor
        for _ in range(_MOST_PAGES):
            body = {"client_id": self.client_id, "secret": self.secret, "access_token": self.access_token}
            asked = {**body, "count": _PAGE, **({"cursor": at} if at else {})}
            reply = wire.request(
                Ask(
                    "POST", f"{self.base_url}/transactions/sync", "read",
                    {"content-type": "application/json"}, body=json.dumps(asked).encode(),
                )
            )  # fmt: skip
            said = _object("plaid", reply, self.title)
            if reply.status != _OK:
                if said.get("error_code") == _CHANGED:
                    return None
                raise self._refusal(reply, said)
            following, more = said.get("next_cursor"), said.get("has_more")
            if not isinstance(following, str) or not isinstance(more, bool):
                raise garbled("plaid", reply, "no next_cursor or has_more", self.title)
            if said.get("added") or said.get("modified") or said.get("removed"):
                pages.append(reply.text)
            at = following
            if not more:
                return [(text, at) for text in pages]
        raise Garbled("plaid's pages never end", where=self.title, do="the next run tries again")

    def _refusal(self, reply: Reply, said: dict[str, Any]) -> ConsentLost | ConfigError | PlatformRefused:
        code = str(said.get("error_code", reply.status))
        message = f"plaid refuses: {code}: {str(said.get('error_message', ''))[:200]}"
        if code in _SIGN_IN:
            return ConsentLost(
                message, where=self.title, do="sign in to the bank again at Plaid (update mode)"
            )
        if code in _OURS:
            return ConfigError(message, where=self.title, do="check client_id and secret_file")
        return PlatformRefused(message, where=self.title, do="see Plaid's page of this error")


@dataclass(frozen=True, slots=True)
class GoCardless:
    """One bank account of GoCardless Bank Account Data."""

    title: str
    ledger: str
    secret_id: str
    secret_key: str = field(repr=False)
    account_id: str
    line: Line = field(repr=False)
    account: str | None = None
    base_url: str = GOCARDLESS
    authority: str = ""

    @property
    def name(self) -> str:
        """What its mark is kept under."""
        return f"gocardless:{self.title}"

    def new(self, mark: str | None) -> Iterator[Delivery]:
        """The account's transactions since ten days before the last answer; nothing if that is not six hours old."""
        now = self.line.now().astimezone(UTC)
        last = datetime.fromisoformat(mark) if mark else None
        if last is not None and now - last < _ASK_EVERY:
            return
        since = (last - _AGAIN).date() if last is not None else None
        REDACTION.hide(self.secret_key)
        wire = self.line.to("gocardless")
        try:
            text = self._asked(wire, since)
        finally:
            wire.close()
        yield Delivery(
            f"{self.title} {now:%Y-%m-%d %H:%M}", text.encode(), now.isoformat(), folder=self.account
        )

    def _asked(self, wire: Transport, since: date | None) -> str:
        headers = {"accept": "application/json", "authorization": f"Bearer {self._token(wire)}"}
        url = f"{self.base_url}/api/v2/accounts/{self.account_id}/transactions/"
        params = {"date_from": since.isoformat()} if since else {}
        reply = wire.request(Ask("GET", url, "read", headers, params))
        said = _object("gocardless", reply, self.title)
        if reply.status != _OK:
            raise self._refusal(reply, said)
        inside = said.get("transactions")
        if not isinstance(inside, dict) or not isinstance(inside.get("booked"), list):
            raise garbled("gocardless", reply, "no booked transactions", self.title)
        return reply.text

    def _token(self, wire: Transport) -> str:
        body = json.dumps({"secret_id": self.secret_id, "secret_key": self.secret_key}).encode()
        headers = {"accept": "application/json", "content-type": "application/json"}
        reply = wire.request(Ask("POST", f"{self.base_url}/api/v2/token/new/", "token", headers, body=body))
        said = _object("gocardless", reply, self.title)
        token = said.get("access")
        if reply.status in {_UNAUTHORISED, _FORBIDDEN}:
            raise ConfigError(
                "gocardless does not let us in", where=self.title, do="check secret_id and secret_file"
            )
        if not isinstance(token, str) or not token:
            raise garbled("gocardless", reply, "no access token", self.title)
        return token

    def _refusal(self, reply: Reply, said: dict[str, Any]) -> ConsentLost | PlatformRefused:
        message = f"gocardless refuses: {reply.status}: {str(said.get('detail') or said.get('summary') or '')[:200]}"
        if reply.status in {
            _UNAUTHORISED,
            _FORBIDDEN,
        }:  # the consent to see an account ends after 90 days or so
            return ConsentLost(message, where=self.title, do="let the bank be connected again at GoCardless")
        return PlatformRefused(message, where=self.title, do="see GoCardless' page of this error")


def _object(name: str, reply: Reply, where: str) -> dict[str, Any]:
    try:
        # Numbers stay text: no float ever stands for money.
        said = json.loads(reply.text, parse_float=str)
    except ValueError:
        raise garbled(name, reply, "not JSON", where) from None
    if not isinstance(said, dict):
        raise garbled(name, reply, "not an object", where)
    return said
