"""OAuth 2.0 as Xero runs it: applications, consent, PKCE, rotation with a grace, custom connections, scopes.

Units   seconds of the simulator's clock.
Law     a refresh token works once more for thirty minutes after it was used (its answer may have been lost), then the
        chain it started is all that is left.
Source  Xero's OAuth pages and FAQ as quoted in public notes; granular scopes as announced for 2 March 2026.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from arsync.simulators.exact_json import dump_json

ACCESS_LIFE_S = 30 * 60
REFRESH_LIFE_S = 60 * 86_400
GRACE_S = 30 * 60
CODE_LIFE_S = 5 * 60
ID_TOKEN_LIFE_S = 5 * 60
BROAD_ENDS = datetime(2027, 9, 13, tzinfo=UTC)
GRANULAR_FROM = datetime(2026, 3, 2, tzinfo=UTC)

AppKind = Literal["web", "pkce", "custom"]
_WRITABLE = (
    "invoices",
    "payments",
    "banktransactions",
    "contacts",
    "settings",
    "attachments",
    "manualjournals",
)
_REPORTS = ("aged", "trialbalance", "balancesheet", "profitandloss", "banksummary")
BROAD = {"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"}
GRANULAR = (
    {f"accounting.{name}" for name in _WRITABLE}
    | {f"accounting.{name}.read" for name in _WRITABLE}
    | {f"accounting.reports.{name}.read" for name in _REPORTS}
)
BOTH = {"offline_access", "openid", "profile", "email", "app.connections"}
_IN_TRANSACTIONS = {"invoices", "payments", "banktransactions", "manualjournals"}


class TokenRefused(Exception):
    """The token endpoint said no."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


@dataclass(slots=True)
class App:
    """A registered application."""

    name: str
    client_id: str
    client_secret: str
    kind: AppKind = "web"
    redirect_uris: tuple[str, ...] = ()
    granular: bool = True  # made on or after the announcement: only granular scopes
    scopes: tuple[str, ...] = ()  # of a custom connection
    tenant_id: str = ""  # of a custom connection
    webhook_url: str = ""
    webhook_key: str = ""
    webhook_state: str = "off"  # off, ok, disabled


@dataclass(slots=True)
class Connection:
    """An application may reach a tenant."""

    id: str
    client_id: str
    tenant_id: str
    auth_event_id: str
    created_s: int
    updated_s: int


@dataclass(slots=True)
class Grant:
    """What a person agreed to, once; refresh tokens and access tokens hang on it."""

    auth_event_id: str
    client_id: str
    user: str
    scopes: tuple[str, ...]
    adviser: bool = False  # may write before the period lock date
    may_report: bool = True
    revoked: bool = False


@dataclass(slots=True)
class Refresh:
    """One refresh token."""

    auth_event_id: str
    expires_s: int
    used_s: int | None = None


@dataclass(slots=True)
class Access:
    """One access token."""

    auth_event_id: str
    expires_s: int


@dataclass(slots=True)
class Code:
    """An authorisation code, for one exchange."""

    auth_event_id: str
    redirect_uri: str
    expires_s: int
    challenge: str = ""


@dataclass(slots=True)
class Desk:
    """Everything the identity service remembers."""

    now_s: Callable[[], int]
    new_id: Callable[[], str]
    new_word: Callable[[int], str]
    signing_key: str
    apps: dict[str, App] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Refresh] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)

    # ---- applications and consent --------------------------------------------------------------------------

    def add_app(
        self,
        name: str,
        *,
        kind: AppKind = "web",
        redirect_uris: tuple[str, ...] = ("http://localhost:8765/callback",),
        granular: bool = True,
        scopes: tuple[str, ...] = (),
        tenant_id: str = "",
    ) -> App:
        """Register an application.

        Raises:
            ValueError: a redirect address that is neither https nor http://localhost; a scope it cannot have.
        """
        for uri in redirect_uris:
            if not redirect_allowed(uri):
                raise ValueError(f"{uri}: use https, or http://localhost")
        secret = "" if kind == "pkce" else self.new_word(48)
        app = App(
            name,
            self.new_id().replace("-", "").upper(),
            secret,
            kind,
            redirect_uris,
            granular,
            scopes,
            tenant_id,
        )
        app.webhook_key = base64.b64encode(self.new_word(32).encode()).decode()
        self.check_scopes(app, scopes)
        self.apps[app.client_id] = app
        if kind == "custom":
            self._connect(app.client_id, tenant_id, self.new_id())
        return app

    def check_scopes(self, app: App, scopes: tuple[str, ...]) -> None:
        """Refuse scopes this application cannot have.

        Raises:
            ValueError: names the first one.
        """
        known = GRANULAR | BOTH | (set() if app.granular or self.now_s() >= BROAD_ENDS.timestamp() else BROAD)
        for scope in scopes:
            if scope not in known:
                raise ValueError(f"{scope} is not a scope of this application")

    def consent(
        self,
        app: App,
        tenant_ids: tuple[str, ...],
        scopes: tuple[str, ...],
        *,
        user: str,
        adviser: bool = False,
        may_report: bool = True,
    ) -> Grant:
        """A person lets an application reach some tenants."""
        self.check_scopes(app, scopes)
        grant = Grant(self.new_id(), app.client_id, user, scopes, adviser, may_report)
        self.grants[grant.auth_event_id] = grant
        for tenant_id in tenant_ids:
            self._connect(app.client_id, tenant_id, grant.auth_event_id)
        return grant

    def _connect(self, client_id: str, tenant_id: str, auth_event_id: str) -> None:
        now = self.now_s()
        for one in self.connections.values():
            if (one.client_id, one.tenant_id) == (client_id, tenant_id):
                one.auth_event_id, one.updated_s = auth_event_id, now
                return
        made = Connection(self.new_id(), client_id, tenant_id, auth_event_id, now, now)
        self.connections[made.id] = made

    def new_code(self, grant: Grant, redirect_uri: str, challenge: str = "") -> str:
        """A code for the way back to the application."""
        code = self.new_word(43)
        self.codes[code] = Code(grant.auth_event_id, redirect_uri, self.now_s() + CODE_LIFE_S, challenge)
        return code

    # ---- the token endpoint --------------------------------------------------------------------------------

    def client(self, authorization: str, form: dict[str, str]) -> App:
        """Who asks: HTTP Basic or the form; PKCE applications have no secret."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.lower().startswith("basic "):
            try:
                client_id, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
            except ValueError as bad:
                raise TokenRefused("invalid_client") from bad
        app = self.apps.get(client_id)
        if app is None or not hmac.compare_digest(app.client_secret.encode(), secret.encode()):
            raise TokenRefused("invalid_client")
        return app

    def exchange(self, app: App, form: dict[str, str]) -> dict[str, object]:
        """Answer one request for tokens."""
        match form.get("grant_type"):
            case "authorization_code":
                return self._by_code(app, form)
            case "refresh_token":
                return self._by_refresh(app, form.get("refresh_token", ""))
            case "client_credentials":
                return self._by_itself(app, form.get("scope", ""))
        raise TokenRefused("unsupported_grant_type")

    def _by_code(self, app: App, form: dict[str, str]) -> dict[str, object]:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.expires_s <= self.now_s() or code.redirect_uri != form.get("redirect_uri"):
            raise TokenRefused("invalid_grant")
        grant = self.grants[code.auth_event_id]
        if grant.client_id != app.client_id or not _verified(code.challenge, form.get("code_verifier", "")):
            raise TokenRefused("invalid_grant")
        return self.issue(grant)

    def _by_refresh(self, app: App, token: str) -> dict[str, object]:
        now, known = self.now_s(), self.refresh.get(token)
        grant = self.grants.get(known.auth_event_id) if known else None
        if known is None or grant is None or grant.revoked or grant.client_id != app.client_id:
            raise TokenRefused("invalid_grant")
        if known.expires_s <= now or (known.used_s is not None and now >= known.used_s + GRACE_S):
            raise TokenRefused("invalid_grant")
        if known.used_s is None:
            known.used_s = now
        return self.issue(grant)

    def _by_itself(self, app: App, scope: str) -> dict[str, object]:
        """A custom connection, or an application that looks after its connections."""
        asked = tuple(scope.split())
        if app.kind != "custom" and asked != ("app.connections",):
            raise TokenRefused("unauthorized_client")
        allowed = app.scopes if app.kind == "custom" else ("app.connections",)
        if not set(asked) <= set(allowed):
            raise TokenRefused("invalid_scope")
        grant = Grant(self.new_id(), app.client_id, app.name, asked or allowed)
        self.grants[grant.auth_event_id] = grant
        return self.issue(grant)

    def issue(self, grant: Grant) -> dict[str, object]:
        """New tokens of a grant."""
        app, now = self.apps[grant.client_id], self.now_s()
        claims: dict[str, object] = {
            "iss": "https://identity.xero.com",
            "aud": "https://identity.xero.com/resources",
            "client_id": app.client_id,
            "nbf": now,
            "exp": now + ACCESS_LIFE_S,
            "authentication_event_id": grant.auth_event_id,
            "jti": self.new_id(),
            "scope": list(grant.scopes),
        }
        access = self._signed(claims)
        self.access[access] = Access(grant.auth_event_id, now + ACCESS_LIFE_S)
        answer: dict[str, object] = {
            "access_token": access,
            "expires_in": ACCESS_LIFE_S,
            "token_type": "Bearer",
            "scope": " ".join(grant.scopes),
        }
        if "offline_access" in grant.scopes:
            token = self.new_word(43)
            self.refresh[token] = Refresh(grant.auth_event_id, now + REFRESH_LIFE_S)
            answer["refresh_token"] = token
        if "openid" in grant.scopes:
            person = {
                "sub": grant.user,
                "name": grant.user,
                "exp": now + ID_TOKEN_LIFE_S,
                "aud": app.client_id,
            }
            answer["id_token"] = self._signed({"iss": "https://identity.xero.com", "iat": now, **person})
        return answer

    def _signed(self, claims: dict[str, object]) -> str:
        """A token of three parts; the signature is ours alone, clients only read the claims."""
        parts = (dump_json({"alg": "HS256", "typ": "JWT"}), dump_json(claims))
        body = ".".join(_base64url(part.encode()) for part in parts)
        signature = hmac.digest(self.signing_key.encode(), body.encode(), "sha256")
        return f"{body}.{_base64url(signature)}"

    def revoke(self, app: App, token: str) -> None:
        """End a consent: its tokens and all connections that person made for the application."""
        known = self.refresh.get(token)
        grant = self.grants.get(known.auth_event_id) if known else None
        if grant is None or grant.client_id != app.client_id:
            return
        for one in self.grants.values():
            if (one.client_id, one.user) == (grant.client_id, grant.user):
                one.revoked = True
        ended = {one.auth_event_id for one in self.grants.values() if one.revoked}
        self.connections = {
            key: one for key, one in self.connections.items() if one.auth_event_id not in ended
        }

    # ---- using a token -------------------------------------------------------------------------------------

    def holder(self, token: str) -> Grant | None:
        """Whose access token it is; None when it is unknown, revoked or too old."""
        known = self.access.get(token)
        if known is None or known.expires_s <= self.now_s():
            return None
        grant = self.grants[known.auth_event_id]
        return None if grant.revoked else grant

    def connection(self, client_id: str, tenant_id: str) -> Connection | None:
        """The connection of an application with a tenant."""
        return next(
            (
                one
                for one in self.connections.values()
                if (one.client_id, one.tenant_id) == (client_id, tenant_id)
            ),
            None,
        )

    def covers(self, grant: Grant, area: str, *, write: bool) -> bool:
        """Whether a consent lets an application read or write an area."""
        accepted = scopes_for(area, write=write)
        if self.now_s() >= BROAD_ENDS.timestamp():
            accepted -= BROAD
        return not accepted.isdisjoint(grant.scopes)


def scopes_for(area: str, *, write: bool) -> set[str]:
    """The scopes any of which opens an area: `invoices`, `reports.aged`."""
    if area.startswith("reports."):
        return {f"accounting.{area}.read", "accounting.reports.read"}
    found = {f"accounting.{area}"}
    found |= {"accounting.transactions"} if area in _IN_TRANSACTIONS else set()
    return found if write else found | {f"{scope}.read" for scope in found}


def redirect_allowed(uri: str) -> bool:
    """Https anywhere, http on `localhost` by that name only."""
    parts = urlsplit(uri)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")


def _verified(challenge: str, verifier: str) -> bool:
    if not challenge:
        return not verifier
    return hmac.compare_digest(_base64url(hashlib.sha256(verifier.encode()).digest()), challenge)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
