"""OAuth 2 sign-in: authorise, exchange, refresh; one refresh at a time, nothing used before it is saved.

Revoke  gives a consent back; the platform forgets our tokens, whatever of them is still stored.
Law     under `TokenStore.exclusive` the stored tokens are read again first: whoever waited for the lock
        finds the work done. A new refresh token is durable (`TokenStore.save` returned) before its access
        token is used.
Errors  `ConsentLost`: the platform will not take our refresh token; only a person can connect again.
        `PlatformBusy` kinds as in transport; `PlatformRefused` for a client id or secret that is not
        accepted.
Shape   three ways in: an app with a secret; one without, which proves with a verifier that it asked (PKCE); an
        app that stands for itself (`client_credentials`), without a person and without a refresh token.
Source  RFC 6749, 7009 and 7636; Intuit's discovery document; Intuit's .NET SDK of 2026-05-29 for the hard-expiry header
        and field.
"""

import base64
import hashlib
import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal

from arsync.connectors.contract import Ports, Tokens
from arsync.connectors.transport import REDACTION, Ask, Reply, Transport, garbled
from arsync.errors import ConsentLost, PlatformRefused

_EARLY = timedelta(
    seconds=120
)  # refresh this long before the access token ends, so that no call starts with a dying one
_MAX_LIFE_S = 10 * 366 * 86_400  # a stated life beyond ten years is not a life


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where and how a platform signs people in. `name` is the platform's, for errors."""

    name: str
    authorize_url: str
    token_url: str
    revoke_url: str
    scope: str
    itself: bool = False  # the app stands for itself
    revokes: Literal["json", "form"] = "json"
    idle_s: int | None = None  # a refresh token ends when unused for so long, where the answer does not say
    asks: Mapping[str, str] = field(default_factory=dict)  # headers of a token request
    page: Mapping[str, str] = field(default_factory=dict)  # what the consent page is told besides


def authorize_url(
    endpoints: Endpoints, client_id: str, redirect_uri: str, state: str, verifier: str = ""
) -> str:
    """The page where a person grants access; the platform sends them back with `code` and our `state`."""
    query = {
        "client_id": client_id,
        "response_type": "code",
        "scope": endpoints.scope,
        "redirect_uri": redirect_uri,
        "state": state,
        **endpoints.page,
    }
    if verifier:
        query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    return f"{endpoints.authorize_url}?{urllib.parse.urlencode(query)}"


def challenge(verifier: str) -> str:
    """What is shown of a verifier before it is needed (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class SignIn:
    """Keeps one connection signed in; caches nothing, because other processes refresh the same tokens."""

    def __init__(self, endpoints: Endpoints, transport: Transport, ports: Ports) -> None:
        self._endpoints, self._transport, self._ports = endpoints, transport, ports
        self.reconnect = ports.reconnect  # what a person types to sign in again
        REDACTION.hide(ports.client_secret)

    def access(self) -> str:
        """An access token that is good for at least two more minutes; refreshes when needed."""
        tokens = self._known(self._ports.tokens.load())
        if self._fresh(tokens):
            return tokens.access
        return self.renew(tokens.access)

    def renew(self, spent: str) -> str:
        """A new access token in place of `spent`, which has ended or was not accepted."""
        with self._ports.tokens.exclusive():
            tokens = self._known(self._ports.tokens.load())
            if tokens.access != spent and self._fresh(tokens):
                return tokens.access
            if self._endpoints.itself:
                return self._save(self._for_itself(), tokens).access
            return self._save({"grant_type": "refresh_token", "refresh_token": tokens.refresh}, tokens).access

    def exchange(self, code: str, redirect_uri: str, verifier: str = "") -> Tokens:
        """Trade the code of a person's consent for tokens, and save them."""
        REDACTION.hide(code, verifier)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        form |= {"code_verifier": verifier} if verifier else {}
        with self._ports.tokens.exclusive():
            return self._save(form, None)

    def enter(self) -> Tokens:
        """Sign in as the app itself, and save the tokens."""
        with self._ports.tokens.exclusive():
            return self._save(self._for_itself(), None)

    def _for_itself(self) -> dict[str, str]:
        return {"grant_type": "client_credentials", "scope": self._endpoints.scope}

    def revoke(self) -> bool:
        """Give the consent back; False when the platform knew nothing of it any more.

        Raises:
            PlatformBusy, PlatformRefused: the consent may still stand.
        """
        with self._ports.tokens.exclusive():
            tokens = self._known(self._ports.tokens.load())
            named = {"token": tokens.refresh or tokens.access}
            form = self._endpoints.revokes == "form"
            body = self._form(named) if form else json.dumps(named).encode("ascii")
            headers = self._headers("application/x-www-form-urlencoded" if form else "application/json")
            reply = self._transport.request(
                Ask("POST", self._endpoints.revoke_url, "token", headers=headers, body=body, repeat=True)
            )
        if reply.status == HTTPStatus.OK:
            return True
        answer = _object(reply.text) or {}
        if reply.status == HTTPStatus.BAD_REQUEST and answer.get("error") != "invalid_client":
            return False
        raise self._refusal(reply, answer, urllib.parse.urlsplit(self._endpoints.revoke_url).netloc)

    def _save(self, form: Mapping[str, str], old: Tokens | None) -> Tokens:
        tokens = self._known(self._ask(form, old))
        self._ports.tokens.save(tokens)
        return tokens

    def _fresh(self, tokens: Tokens) -> bool:
        return self._ports.now() + _EARLY < tokens.access_until

    @staticmethod
    def _known(tokens: Tokens) -> Tokens:
        REDACTION.hide(tokens.access, tokens.refresh)
        return tokens

    def _ask(self, form: Mapping[str, str], old: Tokens | None) -> Tokens:
        headers = self._headers("application/x-www-form-urlencoded")
        headers |= self._endpoints.asks
        asked_at = self._ports.now()
        reply = self._transport.request(
            Ask(
                "POST",
                self._endpoints.token_url,
                "token",
                headers=headers,
                body=self._form(form),
                repeat=old is not None,  # a code is good for one use; asking twice would burn it
            )
        )
        return self._tokens(reply, asked_at, old)

    def _headers(self, content_type: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if not self._ports.client_secret:
            return headers
        pair = f"{self._ports.client_id}:{self._ports.client_secret}"
        return headers | {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}

    def _form(self, named: Mapping[str, str]) -> bytes:
        # An app without a secret says who it is; one with a secret has said so in the header.
        who = {} if self._ports.client_secret else {"client_id": self._ports.client_id}
        return urllib.parse.urlencode({**named, **who}).encode("ascii")

    def _tokens(self, reply: Reply, asked_at: datetime, old: Tokens | None) -> Tokens:
        name, where = self._endpoints.name, urllib.parse.urlsplit(self._endpoints.token_url).netloc
        answer = _object(reply.text)
        if answer is None:
            raise garbled(name, reply, "not a JSON object", where)
        if reply.status >= 400 or "error" in answer:  # noqa: PLR2004 - the boundary of HTTP's error statuses
            raise self._refusal(reply, answer, where)
        access = answer.get("access_token")
        # An app that stands for itself asks anew each time.
        refresh = "" if self._endpoints.itself else answer.get("refresh_token") or (old and old.refresh)
        life_s = _life_s(answer.get("expires_in"))
        if not isinstance(access, str) or not access or not isinstance(refresh, str) or life_s is None:
            # The body holds what may be tokens, so it is not quoted.
            raise garbled(name, Reply(reply.status, reply.headers, ""), "no tokens in it", where)
        return Tokens(
            access,
            refresh,
            access_until=asked_at + timedelta(seconds=life_s),
            refresh_until=None
            if self._endpoints.itself
            else _until(asked_at, answer.get("x_refresh_token_expires_in") or self._endpoints.idle_s),
            hard_until=_until(asked_at, answer.get("x_refresh_token_hard_expires_in"))
            or (old.hard_until if old else None),
            renewed_at=asked_at,
            scope=_scope(answer.get("scope")) or (old.scope if old else ""),
        )

    def _refusal(self, reply: Reply, answer: Mapping[str, Any], where: str) -> ConsentLost | PlatformRefused:
        name, error = self._endpoints.name, str(answer.get("error", reply.status))
        said = REDACTION.clean(f"{error}: {answer.get('error_description', 'no description')}")
        where = f"{where}, trace {reply.trace or 'none'}"
        if error in {"invalid_grant", "access_denied"}:
            what = f"{name} no longer accepts our sign-in ({said})"
            return ConsentLost(
                what,
                where=where,
                do=f"an administrator of the company connects again: {self._ports.reconnect}",
            )
        what = f"{name} refused our token request ({said})"
        return PlatformRefused(
            what, where=where, do=f"check client id and secret, then: {self._ports.reconnect}"
        )


def _object(text: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(text)
    except json.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _scope(stated: object) -> str:
    return stated if isinstance(stated, str) else ""


def _life_s(stated: object) -> int | None:
    text = str(stated)
    return int(text) if text.isdecimal() and 0 < int(text) <= _MAX_LIFE_S else None


def _until(asked_at: datetime, stated: object) -> datetime | None:
    life_s = _life_s(stated)
    return None if life_s is None else asked_at + timedelta(seconds=life_s)
