"""Webhooks: what changed is told to whoever asked, signed, again and again until it is acknowledged.

Shape   `WebhookDesk` holds endpoints, events and deliveries; `send` carries one body over HTTP.
Units   seconds of the simulator's clock; retries happen at the times they were due, also when the clock jumped.
Source  Intuit's pages on webhooks and its change to CloudEvents (deadline 2026-07-31). Names of types in
        CloudEvents beyond `qbo.account.created.v1` follow that pattern.
"""

import base64
import hashlib
import hmac
import random
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from arsync.simulators.quickbooks.records import Switches
from arsync.simulators.quickbooks.wire import PACIFIC, Document, dump_json

RETRY_AFTER_S = (10, 20, 30, 5 * 60, 20 * 60, 2 * 3600, 4 * 3600, 6 * 3600)
"""Then every six hours."""
ANSWER_WITHIN_S = 3.0
NOT_TOLD = frozenset({"CompanyInfo", "TaxCode", "TaxRate", "Attachable"})
OK = range(200, 300)

Shape = Literal["notifications", "cloudevents"]
Operation = Literal["Create", "Update", "Delete", "Void", "Merge", "Emailed"]
_PAST = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Void": "voided",
    "Merge": "merged",
    "Emailed": "emailed",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who wants to be told, in which shape."""

    url: str
    verifier: str
    shape: Shape = "cloudevents"


@dataclass(frozen=True, slots=True)
class Event:
    """One change."""

    event_id: str
    realm_id: str
    kind: str
    id: str
    operation: Operation
    at_s: int
    merged_id: str = ""


@dataclass(slots=True)
class Delivery:
    """Events on their way to one endpoint."""

    url: str
    events: tuple[Event, ...]
    due_s: float
    failures: int = 0
    copies: int = 1  # how many more times it is sent even when it is acknowledged


class Attempt(NamedTuple):
    """One line of the delivery log; status 0: no answer."""

    at_s: float
    url: str
    status: int
    failures_before: int
    event_ids: tuple[str, ...]


class WebhookDesk:
    """Endpoints, events waiting for a delivery, deliveries waiting for an acknowledgement."""

    def __init__(self, seed: int, switches: Switches, now_s: Callable[[], float]) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.waiting: list[Event] = []
        self.deliveries: list[Delivery] = []
        self.attempts: list[Attempt] = []
        self._seed = seed
        self._noted = 0
        self._random = random.Random(f"webhooks {seed}")  # noqa: S311 - a simulator must be repeatable
        self._switches = switches
        self._now_s = now_s

    def register(self, url: str, shape: Shape = "cloudevents", verifier: str = "") -> Endpoint:
        """Tell an address from now on; its verifier token signs what it is told.

        Raises:
            ValueError: no web address, or no such shape.
        """
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no web address")
        if shape not in {"notifications", "cloudevents"}:
            raise ValueError(f"no shape is called {shape!r}; there are notifications, cloudevents")
        token = verifier or str(uuid.UUID(int=self._random.getrandbits(128)))
        self.endpoints[url] = Endpoint(url, token, shape)
        return self.endpoints[url]

    def forget(self, url: str) -> None:
        """Tell an address nothing any more."""
        self.endpoints.pop(url, None)
        self.deliveries = [one for one in self.deliveries if one.url != url]

    def note(
        self, realm_id: str, kind: str, record_id: str, operation: Operation, merged_id: str = ""
    ) -> None:
        """Something changed."""
        if self.endpoints and kind not in NOT_TOLD and not self._switches.webhooks_lost:
            self._noted += 1
            event_id = str(uuid.UUID(int=self._random.getrandbits(128)))
            at_s = int(self._now_s())
            self.waiting.append(Event(event_id, realm_id, kind, record_id, operation, at_s, merged_id))

    def due(self) -> list[Delivery]:
        """The deliveries to send now, in the order to send them."""
        self._gather()
        now = self._now_s()
        ready = [one for one in self.deliveries if one.due_s <= now]
        if self._switches.webhook_hold:
            first = {one.url: one for one in reversed(self.deliveries)}
            ready = [one for one in ready if first[one.url] is one]
        ready.sort(key=lambda one: one.due_s)
        return ready[::-1] if self._switches.webhook_order == "reversed" else ready

    def _gather(self) -> None:
        """Put the waiting events into deliveries: one for each endpoint, or one for each company too."""
        old_enough = self._now_s() - self._switches.webhook_delay_s
        ready = [event for event in self.waiting if event.at_s <= old_enough]
        if not ready:
            return
        self.waiting = [event for event in self.waiting if event.at_s > old_enough]
        for endpoint in self.endpoints.values():
            for events in self._parcels(ready):
                due_s = events[-1].at_s + self._switches.webhook_delay_s
                self.deliveries.append(
                    Delivery(endpoint.url, events, due_s, copies=self._switches.webhook_copies)
                )

    def _parcels(self, events: list[Event]) -> list[tuple[Event, ...]]:
        if self._switches.webhook_order == "reversed":
            events = events[::-1]
        if self._switches.webhook_mixed_realms:
            return [tuple(events)]
        realms = dict.fromkeys(event.realm_id for event in events)
        return [tuple(event for event in events if event.realm_id == realm) for realm in realms]

    def body(self, delivery: Delivery) -> bytes:
        """The bytes of a delivery, the same on every attempt."""
        shape = self.endpoints[delivery.url].shape
        document = (
            _notifications(delivery.events) if shape == "notifications" else _cloudevents(delivery.events)
        )
        return dump_json(document).encode()

    def settle(self, delivery: Delivery, status: int) -> None:
        """An endpoint answered, or did not (0)."""
        ids = tuple(event.event_id for event in delivery.events)
        self.attempts.append(Attempt(delivery.due_s, delivery.url, status, delivery.failures, ids))
        if status not in OK:
            wait_s = RETRY_AFTER_S[min(delivery.failures, len(RETRY_AFTER_S) - 1)]
            delivery.failures += 1
            delivery.due_s += wait_s
            return
        delivery.copies -= 1
        if delivery.copies <= 0 and delivery in self.deliveries:
            self.deliveries.remove(delivery)

    def document(self) -> Document:
        """Everything that must outlive a restart."""
        return {
            "noted": self._noted,
            "endpoints": [asdict(one) for one in self.endpoints.values()],
            "waiting": [asdict(one) for one in self.waiting],
            "deliveries": [{**asdict(one), "due_s": str(one.due_s)} for one in self.deliveries],
        }

    def restore(self, document: Document) -> None:
        """Go on from a `document`."""
        self._noted = document["noted"]  # no event has the name of another, also after a restart
        self._random = random.Random(f"webhooks {self._seed} after {self._noted}")  # noqa: S311 - repeatable
        self.endpoints = {one["url"]: Endpoint(**one) for one in document["endpoints"]}
        self.waiting = [Event(**one) for one in document["waiting"]]
        self.deliveries = [
            Delivery(
                **{
                    **one,
                    "events": tuple(Event(**event) for event in one["events"]),
                    "due_s": float(one["due_s"]),
                }
            )
            for one in document["deliveries"]
        ]


def signature(verifier: str, body: bytes) -> str:
    """The `intuit-signature` of a body."""
    return base64.b64encode(hmac.new(verifier.encode(), body, hashlib.sha256).digest()).decode()


def _notifications(events: tuple[Event, ...]) -> Document:
    """The older shape: companies, each with its entities."""
    realms = dict.fromkeys(event.realm_id for event in events)
    return {
        "eventNotifications": [
            {
                "realmId": realm,
                "dataChangeEvent": {
                    "entities": [_entity(event) for event in events if event.realm_id == realm]
                },
            }
            for realm in realms
        ]
    }


def _entity(event: Event) -> Document:
    moment = datetime.fromtimestamp(event.at_s, PACIFIC)
    told: Document = {"name": event.kind, "id": event.id, "operation": event.operation}
    if event.merged_id:
        told["deletedId"] = event.merged_id
    return {**told, "lastUpdated": moment.strftime("%Y-%m-%dT%H:%M:%S%z")}


def _cloudevents(events: tuple[Event, ...]) -> list[Document]:
    """The newer shape: an array, companies mixed."""
    return [
        {
            "specversion": "1.0",
            "id": event.event_id,
            "source": "intuit.simulator",
            "type": f"qbo.{event.kind.lower()}.{_PAST[event.operation]}.v1",
            "datacontenttype": "application/json",
            "time": f"{datetime.fromtimestamp(event.at_s, UTC):%Y-%m-%dT%H:%M:%S}.000000000Z",
            "intuitentityid": event.id,
            "intuitaccountid": event.realm_id,
            "data": {},
        }
        for event in events
    ]


def send(url: str, verifier: str, body: bytes) -> int:
    """POST one delivery; the status, or 0 when nobody answered within three seconds."""
    import httpx2  # only a simulator with endpoints needs a client

    headers = {
        "Content-Type": "application/json",
        "User-Agent": "intuit_notification_prod",
        "intuit-signature": signature(verifier, body),
    }
    try:
        return httpx2.post(url, content=body, headers=headers, timeout=ANSWER_WITHIN_S).status_code
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return 0
