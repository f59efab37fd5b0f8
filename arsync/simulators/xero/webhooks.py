"""Webhooks: what is told to whom, signed, retried, kept and told again.

Units   milliseconds of the simulator's clock for events, seconds for delivery.
Law     at least once: an event leaves the queue when its door has answered 200 within five seconds with nothing in the
        body and no cookie. A door that fails for a day is disabled; events are kept for thirty-one days.
Source  Xero's webhook page as quoted in public notes; `xero-webhooks.yaml` of the public specification.
"""

import base64
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from arsync.simulators.exact_json import Document, dump_json
from arsync.simulators.xero.books import Event
from arsync.simulators.xero.oauth import App
from arsync.simulators.xero.records import Switches
from arsync.simulators.xero.wire import moment_text

RETRY_S = 15 * 60
GIVE_UP_S = 86_400
KEEP_S = 31 * 86_400
_OK, _UNAUTHORISED = 200, 401
_PLURALS = {
    "CONTACT": "Contacts",
    "INVOICE": "Invoices",
    "CREDITNOTE": "CreditNotes",
    "PREPAYMENT": "Prepayments",
    "OVERPAYMENT": "Overpayments",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """How a door answered; status 0 when it did not, or not within five seconds."""

    status: int
    body_bytes: int = 0
    cookies: bool = False

    @property
    def taken(self) -> bool:
        """Whether that counts as received."""
        return self.status == _OK and not self.body_bytes and not self.cookies


Send = Callable[[str, bytes, dict[str, str]], Heard]
"""(address, body, headers) -> how the door answered."""


@dataclass(slots=True)
class Due:
    """One message to one application."""

    client_id: str
    events: list[Document]
    first: int
    last: int
    made_s: int
    due_s: int
    taken: bool = False


@dataclass(slots=True)
class Post:
    """All webhooks of the platform."""

    seed: int
    switches: Switches
    queue: list[Due] = field(default_factory=list)
    sequence: int = 0
    log: list[tuple[int, str, int]] = field(default_factory=list)  # second, client id, status
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"webhooks {self.seed}")  # noqa: S311 - a simulator must be repeatable

    def add(self, apps: list[App], tenant_id: str, events: list[Event], now_s: int) -> None:
        """Queue what one write has caused, for every application that listens."""
        if not events or not apps:
            return
        first = self.sequence + 1
        self.sequence += len(events)
        told = [_told(one, tenant_id) for one in events]
        for app in apps:
            self.queue.append(Due(app.client_id, told, first, self.sequence, now_s, now_s))

    def prove(self, app: App, send: Send) -> bool:
        """Intent to receive: rightly and wrongly signed messages must be told apart; then events are delivered."""
        body = dump_json(
            {"events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": self._entropy()}
        )
        wrong = base64.b64encode(self._entropy().encode().ljust(32, b"x")[:32]).decode()
        tries = ((sign(body.encode(), app.webhook_key), _OK), (wrong, _UNAUTHORISED))
        heard = [
            (send(app.webhook_url, body.encode(), _headers(signature)), wanted)
            for signature, wanted in tries * 2
        ]
        proven = all(one.status == wanted and not one.body_bytes and not one.cookies for one, wanted in heard)
        app.webhook_state = "ok" if proven else app.webhook_state
        return proven

    def due(self, apps: dict[str, App], now_s: int) -> list[Due]:
        """Messages whose time has come; what is done or too old leaves the queue."""
        self.queue = [one for one in self.queue if not one.taken and now_s < one.made_s + KEEP_S]
        found = [
            one for one in self.queue if one.due_s <= now_s and apps[one.client_id].webhook_state == "ok"
        ]
        if self.switches.webhook_shuffle:
            self._random.shuffle(found)
        return found

    def deliver(self, one: Due, app: App, send: Send, now_s: int) -> None:
        """Send one message, or twice where duplicates are switched on."""
        for _ in range(2 if self.switches.webhook_duplicates else 1):
            heard = self._sent(one, app, send, now_s)
            one.taken = one.taken or heard.taken
        if not one.taken:
            one.due_s = now_s + RETRY_S
            if now_s >= one.made_s + GIVE_UP_S:
                app.webhook_state = "disabled"

    def _sent(self, one: Due, app: App, send: Send, now_s: int) -> Heard:
        body = dump_json(
            {
                "events": one.events,
                "firstEventSequence": one.first,
                "lastEventSequence": one.last,
                "entropy": self._entropy(),
            }
        ).encode()
        heard = send(app.webhook_url, body, _headers(sign(body, app.webhook_key)))
        self.log.append((now_s, app.client_id, heard.status))
        return heard

    def _entropy(self) -> str:
        return "".join(self._random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=20))


def sign(body: bytes, key: str) -> str:
    """`x-xero-signature`."""
    return base64.b64encode(hmac.digest(key.encode(), body, "sha256")).decode()


def _headers(signature: str) -> dict[str, str]:
    return {"x-xero-signature": signature, "Content-Type": "application/json; charset=utf-8"}


def _told(event: Event, tenant_id: str) -> Document:
    millis = f"{event.moment_ms % 1000:03}"
    told: Document = {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/{_PLURALS[event.category]}/{event.resource_id}",
        "resourceId": event.resource_id,
        "tenantId": tenant_id,
        "tenantType": "ORGANISATION",
        "eventCategory": event.category,
        "eventType": event.event_type,
        "eventDateUtc": f"{moment_text(event.moment_ms)}.{millis}",
    }
    return told | ({"data": dict(event.data)} if event.data else {})
