"""Xero: the six verbs, and nothing but glue. Facts and limits are in README.md."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar

from arsync.connectors import oauth
from arsync.connectors.contract import (
    Answer,
    Bundle,
    Call,
    Cannot,
    Document,
    Found,
    Fresh,
    Kind,
    Manifest,
    Page,
    Ports,
    Probe,
    Pull,
    Reads,
    Tokens,
    Total,
    Verb,
    Webhooks,
    Writes,
)
from arsync.connectors.pace import Limit, shared
from arsync.connectors.transport import Transport
from arsync.connectors.xero import plan
from arsync.core.items import Books
from arsync.errors import PlatformBusy, PlatformRefused, UsageError

if TYPE_CHECKING:
    from arsync.connectors.contract import Ref
    from arsync.connectors.xero.wire import Tenant

NAME = "xero"
_AREAS = ("invoices", "payments", "banktransactions", "contacts")
_SETTINGS = "accounting.settings.read"
READING = " ".join((*(f"accounting.{area}.read" for area in _AREAS), _SETTINGS))
WRITING = " ".join((*(f"accounting.{area}" for area in _AREAS), _SETTINGS))
# What a sign-in must hold before anything is written; "accounting.transactions" is the older word for all of it.
_NEEDED = ("accounting.invoices", "accounting.payments", "accounting.banktransactions")
_LIMITS = (Limit(55, 60),)  # Xero allows 60 a minute
_CONCURRENT = 3  # Xero allows 5
_IDLE_S = 60 * 86_400  # a refresh token that is not used for so long has ended
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class XeroSettings:
    """One organisation of one app. For a simulator, the addresses differ."""

    company: ClassVar[str] = "tenant_id"
    kept: ClassVar[tuple[str, ...]] = (
        "prepayment_account", "returns_account", "clearing_account", "payouts_contact",
    )  # fmt: skip
    tenant_id: str = ""  # a custom connection needs none
    app: str = ""  # which of the installation's apps, where it has several
    custom: bool = False  # the app stands for itself: a custom connection
    scopes: str = WRITING
    reserve: int = 100  # of the day's calls, kept for writing
    prepayment_account: str = ""
    returns_account: str = ""
    clearing_account: str = ""
    payouts_contact: str = "Payouts"
    base_url: str = "https://api.xero.com"
    token_url: str = "https://identity.xero.com/connect/token"  # noqa: S105 - an address
    authorize_url: str = "https://login.xero.com/identity/connect/authorize"
    revoke_url: str = "https://identity.xero.com/connect/revocation"


_RECORDS = Reads(frozenset({"changes", "full", "ids"}), gone="flag", applications="explicit", overlap_s=300)
_PAYMENTS = replace(_RECORDS, gone="feed")  # a deleted payment is in the list of changes, once
_LIST = Reads(frozenset({"changes", "full", "ids"}), gone="flag", applications="none", overlap_s=300)
_WHOLE = Reads(frozenset({"full"}), gone="never", applications="none", overlap_s=0)
_READS: Mapping[Kind, Reads] = {
    "customer": _LIST,
    "item": _RECORDS,
    "payment": _PAYMENTS,
    "account": _WHOLE,
    "product": _WHOLE,
    "books": _WHOLE,
}
_DOCUMENT = Writes(
    route="direct",
    target="item",
    bundle="intent",
    retry="after_find",
    key_ttl_s=None,  # six minutes, and errors are remembered too: between two sends we look, and rely on no key
    find="ask",
    marker=(plan.MARKER_FIELD, plan.REFERENCE_WIDTH),
    undo="delete",
    atomic=True,
    calls_per_send=50,
    late_s=130,  # an answer is waited for so long
    within=frozenset(),
)
_WRITES: Mapping[Verb, Writes] = {
    "post_receipt": replace(_DOCUMENT, within=frozenset({"exchange"})),
    "apply": replace(_DOCUMENT, marker=None),  # an allocation has no text
    "post_credit": replace(_DOCUMENT, undo="void"),
    "post_entry": replace(_DOCUMENT, undo="none"),  # two documents, of which the books name one
    "refund": _DOCUMENT,
    # Two documents, of which the books name one; neither touches a receivable, so no pull shows them.
    "deposit": replace(_DOCUMENT, undo="none", shown="answer"),
    "reverse": replace(_DOCUMENT, marker=None, undo="none"),
    "note": replace(_DOCUMENT, marker=None, undo="none"),
    "expect": replace(_DOCUMENT, marker=None, undo="none"),
}


class XeroConnector:
    """One organisation of Xero."""

    manifest: ClassVar[Manifest] = Manifest(NAME, _READS, _WRITES, frozenset({"customer"}))
    Settings: ClassVar[type] = XeroSettings

    def __init__(self, settings: XeroSettings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports
        self._verifier = ""  # of a sign-in under way
        self._site = plan.Site(
            settings.tenant_id,
            settings.prepayment_account,
            settings.returns_account,
            settings.clearing_account,
            settings.payouts_contact,
        )
        self._endpoints = oauth.Endpoints(
            NAME,
            settings.authorize_url,
            settings.token_url,
            settings.revoke_url,
            settings.scopes if settings.custom else f"offline_access {settings.scopes}",
            itself=settings.custom,
            revokes="form",
            idle_s=_IDLE_S,
        )

    # ---- signing in

    def authorize_url(self, redirect_uri: str, state: str) -> str:
        """Where a person lets us in; an app without a secret shows what it will prove with when the code came."""
        if not self._ports.client_secret:
            self._verifier = secrets.token_urlsafe(48)
        return oauth.authorize_url(
            self._endpoints, self._ports.client_id, redirect_uri, state, self._verifier
        )

    def exchange(self, code: str, redirect_uri: str) -> Tokens:
        """Trade the code that came back for tokens, and save them."""
        if not self._ports.client_secret and not self._verifier:
            what = (
                "this answer was given to another sign-in, and an app without a secret can prove only its own"
            )
            raise UsageError(what, do=f"sign in anew: {self._ports.reconnect}")
        return self._sign_in.exchange(code, redirect_uri, self._verifier)

    def enter(self) -> Tokens:
        """Sign in as the app itself (a custom connection), and save the tokens."""
        return self._sign_in.enter()

    def tenants(self) -> dict[str, str]:
        """The organisations this sign-in reaches: tenant id to name."""
        found = self._told(self._tenant.connections)
        return {
            str(one.get("tenantId")): str(one.get("tenantName", ""))
            for one in found
            if one.get("tenantType", "ORGANISATION") == "ORGANISATION"
        }

    def revoke(self) -> bool:
        """Give the consent back: this organisation is taken off the app, then the sign-in ends."""
        if not self._settings.custom:
            ours = [
                str(one.get("id"))
                for one in self._told(self._tenant.connections)
                if one.get("tenantId") == self._settings.tenant_id
            ]
            for number in ours:
                self._told(lambda number=number: self._tenant.forget(number))  # type: ignore[misc]  # a default binds it now
        return self._sign_in.revoke()

    # ---- what it tells by itself

    @staticmethod
    def webhooks() -> Webhooks:
        """How Xero says that something changed."""
        from arsync.connectors.xero import webhook

        return Webhooks(webhook.SIGNATURE, webhook.signed, webhook.tenants)

    # ---- the contract

    def probe(self) -> Probe:
        """Sign in, look at the organisation and its settings."""
        from arsync.connectors.xero.pull import Puller

        record = self._told(lambda: Puller(self._tenant, Pull(None), self._ports.now).books())
        books = record.value
        assert isinstance(books, Books)
        granted = self._ports.tokens.load().scope.split()
        lacking = _lacking(granted)
        warnings = books.warnings + (
            (f"nothing can be written: not granted: {', '.join(lacking)}",) if lacking else ()
        )
        return Probe(books, frozenset() if lacking else frozenset(_WRITES), warnings, self._skew_s())

    def pull(self, want: Pull) -> Iterator[Page]:
        """Everything that changed since the cursor; see `pull.py`."""
        from arsync.connectors.xero.pull import Puller

        pages = Puller(self._tenant, want, self._ports.now).pages()
        while (page := self._told(lambda: next(pages, None))) is not None:
            yield page

    def plan(self, bundle: Bundle, fresh: Fresh, done: Sequence[Answer]) -> Call | Cannot | None:
        """The next call of the bundle; pure."""
        return plan.plan(bundle, fresh, done, self._site)

    def send(self, calls: Sequence[Call]) -> Iterator[Answer]:
        """Calls to one list share a request; each is taken or refused by itself."""
        from arsync.connectors.xero import send

        yield from self._told(lambda: list(send.send(self._tenant, calls)))

    def find(self, call: Call) -> Found:
        """What became of a call whose answer was lost."""
        from arsync.connectors.xero import send

        return self._told(lambda: send.find(self._tenant, call))

    def fetch(self, refs: "Sequence[Ref]") -> Page:
        """These records as they are now."""
        from arsync.connectors.xero.pull import Puller

        return self._told(lambda: Puller(self._tenant, Pull(None), self._ports.now).fetch(refs))

    def totals(self, as_of: date, foreign: frozenset[str] = frozenset()) -> tuple[Total, ...]:
        """What Xero says is open, per contact and currency, from the documents that are open now."""
        from arsync.connectors.xero import totals

        return self._told(lambda: totals.open_now(self._tenant, as_of))

    def documents(self, customers: Sequence[str], as_of: date) -> tuple[Document, ...]:
        """Not asked: the manifest does not promise it."""
        raise NotImplementedError

    def control(self) -> tuple[Total, ...]:
        """Not asked: the manifest does not promise it."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections; the connector may still be used and opens new ones."""
        if "_transport" in self.__dict__:
            self._transport.close()
            for name in ("_transport", "_sign_in", "_tenant"):
                self.__dict__.pop(name, None)

    # ---- what the verbs stand on

    @cached_property
    def _transport(self) -> Transport:
        ports = self._ports
        # Xero counts by organisation and app.
        account = f"{self._settings.base_url} {self._settings.tenant_id} {ports.client_id}"
        pace = shared(ports, account, _LIMITS, _CONCURRENT)
        return Transport(NAME, ports.now, ports.sleep, ports.meter, pace)

    @cached_property
    def _sign_in(self) -> oauth.SignIn:
        return oauth.SignIn(self._endpoints, self._transport, self._ports)

    @cached_property
    def _tenant(self) -> "Tenant":
        from arsync.connectors.xero.wire import Tenant

        site = self._settings
        return Tenant(
            site.base_url, site.tenant_id, self._transport, self._sign_in, self._ports.meter, site.reserve
        )

    def _told(self, ask: Callable[[], Given]) -> Given:
        """A question, whose fault becomes an error for people."""
        from arsync.connectors.xero.faults import meaning
        from arsync.connectors.xero.wire import Faulted

        try:
            return ask()
        except Faulted as error:
            fault = error.fault
            where = f"{error.where}, trace {fault.trace or 'none'}"
            what = meaning(fault)
            if what == "busy":
                said = f"Xero cannot answer now: {fault.said}"
                raise PlatformBusy(said, where=where, do="nothing; the next run tries again") from error
            if what == "no_right":
                said = f"Xero does not let this sign-in read {error.where}: {fault.said}"
                do = f"allow it in Xero, or with the scopes of: {self._ports.reconnect}"
                raise PlatformRefused(said, where=where, do=do) from error
            raise PlatformRefused(
                f"Xero refused a question: {fault.said}", where=where, do="report it with the trace number"
            ) from error

    def _skew_s(self) -> int | None:
        theirs = self._tenant.date()
        return None if theirs is None else round((self._ports.now() - theirs).total_seconds())


def _lacking(granted: Sequence[str]) -> list[str]:
    """What is needed for writing and was not granted; nothing where Xero does not say what was."""
    if not granted or "accounting.transactions" in granted:
        return []
    return [scope for scope in _NEEDED if scope not in granted]
