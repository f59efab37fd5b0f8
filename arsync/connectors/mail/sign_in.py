"""Signing in to a mailbox whose server takes no passwords: Microsoft 365, Gmail, and others that speak OAuth 2.

Shape   `MailSignIn` is what a person signs in with once, and what gives an access token for each look into the mailbox.
Law     every sign-in proves with a verifier that it asked (PKCE), with a secret or without.
Errors  as in `connectors/oauth.py`.
Source  RFC 6749, 7628 and 7636; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth"; Google, "XOAUTH2
        mechanism" and "Using OAuth 2.0 for web server applications" (offline access).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from arsync.connectors import oauth
from arsync.connectors.contract import Ports, Tokens
from arsync.connectors.oauth import Endpoints
from arsync.connectors.pace import AccountPace, Limit
from arsync.connectors.transport import Transport

_MICROSOFT = "https://login.microsoftonline.com"
_GOOGLE = "https://oauth2.googleapis.com"
ANY_TENANT = "organizations"


def microsoft(tenant: str) -> Endpoints:
    """Microsoft 365: mailboxes of one tenant, or of whichever organisation the person belongs to."""
    at = f"{_MICROSOFT}/{quote(tenant or ANY_TENANT, safe='')}/oauth2/v2.0"
    scope = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"
    return Endpoints("Microsoft", f"{at}/authorize", f"{at}/token", "", scope)


GOOGLE = Endpoints(
    "Google",
    "https://accounts.google.com/o/oauth2/v2/auth",
    f"{_GOOGLE}/token",
    f"{_GOOGLE}/revoke",
    "https://mail.google.com/",
    revokes="form",
    # Only so does Google give a refresh token, and again when somebody signs in anew.
    page={"access_type": "offline", "prompt": "consent"},
)


@dataclass(frozen=True, slots=True)
class SignInAt:
    """Where a mailbox's owner signs in: a provider that is known, or addresses of one's own.

    Attributes:
        provider: "microsoft" or "google"; empty where addresses and scope are given.
        tenant: of Microsoft; empty: any organisation.
        addresses: those that are not the provider's: authorize_url, token_url, revoke_url, scope.
    """

    provider: str = ""
    tenant: str = ""
    addresses: Mapping[str, str] | None = None

    def endpoints(self, user: str) -> Endpoints:
        """Where and how."""
        own = {
            "microsoft": lambda: microsoft(self.tenant),
            "google": lambda: GOOGLE,
            "": lambda: Endpoints("The mail server", "", "", "", "", revokes="form"),
        }
        known, said = own[self.provider](), self.addresses or {}
        return replace(
            known,
            authorize_url=said.get("authorize_url", known.authorize_url),
            token_url=said.get("token_url", known.token_url),
            revoke_url=said.get("revoke_url", known.revoke_url),
            scope=said.get("scope", known.scope),
            page={**known.page, "login_hint": user},
        )


class MailSignIn:
    """One mailbox's sign-in."""

    def __init__(self, at: SignInAt, user: str, ports: Ports) -> None:
        self._endpoints, self._ports = at.endpoints(user), ports
        pace = AccountPace((Limit(30, 60),), 1, ports.now, ports.sleep)
        self._transport = Transport(self._endpoints.name, ports.now, ports.sleep, ports.meter, pace)
        self._oauth = oauth.SignIn(self._endpoints, self._transport, ports)
        self._verifier = ""  # of a sign-in under way
        self.reconnect = ports.reconnect

    def authorize_url(self, redirect_uri: str, state: str) -> str:
        """The page where the mailbox's owner lets us in."""
        self._verifier = secrets.token_urlsafe(48)
        return oauth.authorize_url(
            self._endpoints, self._ports.client_id, redirect_uri, state, self._verifier
        )

    def exchange(self, code: str, redirect_uri: str) -> Tokens:
        """Trade the code that came back for tokens, and save them."""
        return self._oauth.exchange(code, redirect_uri, self._verifier)

    def revoke(self) -> bool:
        """Give the consent back; False where the provider has no way to, or knew nothing of it."""
        return bool(self._endpoints.revoke_url) and self._oauth.revoke()

    def access(self) -> str:
        """An access token that is good for at least two more minutes."""
        return self._oauth.access()

    def renew(self, spent: str) -> str:
        """A new one in place of a token that the mail server did not take."""
        return self._oauth.renew(spent)

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()
