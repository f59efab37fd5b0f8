"""OAuth 2.0 as Intuit runs it: consent, tokens, rotation, revocation.

Units   seconds of the simulator's clock.
Source  intuit-oauth 1.2.6 and the discovery document; lifetimes from Intuit's announcements.
"""

import base64
import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ACCESS_LIFE_S = 3600
REFRESH_LIFE_S = 8_726_400  # 101 days, what clients see
ROTATION_S = 86_400
HARD_LIFE_S = 5 * 365 * 86_400
CODE_LIFE_S = 600

Rotation = Literal["same", "each", "daily"]


class TokenRefused(Exception):
    """The token endpoint said no."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.description = description


@dataclass(slots=True)
class Grant:
    """One refresh token: which company, and until when."""

    realm_id: str
    issued_s: int
    expires_s: int
    connected_s: int  # consent; the hard limit counts from here
    superseded_s: int | None = None


@dataclass(slots=True)
class Access:
    """One access token."""

    realm_id: str
    expires_s: int
    refresh_token: str


class TokenDesk:
    """Issues and checks tokens."""

    def __init__(self, seed: int, now_s: Callable[[], int]) -> None:
        self._seed = seed
        self._random = random.Random(f"oauth {seed}")  # noqa: S311 - a simulator must be repeatable
        self._now_s = now_s
        self.issued = 0
        self.client_id = f"AB{self._word(38)}"
        self.client_secret = self._word(40)
        self.access: dict[str, Access] = {}
        self.grants: dict[str, Grant] = {}
        self.codes: dict[str, tuple[str, int, str]] = {}  # code -> realm, expiry, redirect address

    def _word(self, length: int) -> str:
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=length))

    def go_on(self, issued: int) -> None:
        """After a restart, issue no token a second time."""
        self.issued = issued
        self._random = random.Random(f"oauth {self._seed} after {issued}")  # noqa: S311 - repeatable

    def check_client(self, authorization: str, form: dict[str, str]) -> None:
        """Client credentials in the header or the form.

        Raises:
            TokenRefused: 401 invalid_client.
        """
        client = (form.get("client_id", ""), form.get("client_secret", ""))
        if authorization.startswith("Basic "):
            try:
                plain = base64.b64decode(authorization[6:], validate=True).decode()
            except ValueError:
                plain = ""
            name, _, secret = plain.partition(":")
            client = (name, secret)
        if client != (self.client_id, self.client_secret):
            raise TokenRefused(401, "invalid_client")

    def new_code(self, realm_id: str, redirect_uri: str) -> str:
        """A code for the way back from the consent page."""
        code = self._word(40)
        self.codes[code] = (realm_id, self._now_s() + CODE_LIFE_S, redirect_uri)
        return code

    def redeem(self, code: str, redirect_uri: str) -> tuple[str, str]:
        """Access and refresh token for a code, once.

        Raises:
            TokenRefused: 400 invalid_grant.
        """
        realm_id, expires_s, expected = self.codes.pop(code, ("", 0, ""))
        if not realm_id or expires_s < self._now_s() or expected != redirect_uri:
            raise TokenRefused(400, "invalid_grant", "Invalid authorization code")
        return self.connect(realm_id)

    def connect(self, realm_id: str) -> tuple[str, str]:
        """Consent without a browser."""
        now = self._now_s()
        refresh_token = self._new_refresh(realm_id, now)
        return self._new_access(realm_id, refresh_token), refresh_token

    def refresh(self, refresh_token: str, rotation: Rotation, grace_s: int) -> tuple[str, str]:
        """New access token, and the refresh token to use from now on.

        Raises:
            TokenRefused: 400 invalid_grant.
        """
        now = self._now_s()
        grant = self.grants.get(refresh_token)
        dead = grant is None or grant.expires_s <= now or now >= grant.connected_s + HARD_LIFE_S
        if (
            grant is None
            or dead
            or (grant.superseded_s is not None and now > grant.superseded_s + grace_s - 1)
        ):
            raise TokenRefused(400, "invalid_grant", "Incorrect or invalid refresh token")
        if rotation == "each" or (rotation == "daily" and now - grant.issued_s >= ROTATION_S):
            if grant.superseded_s is None:
                grant.superseded_s = now
            refresh_token = self._new_refresh(grant.realm_id, grant.connected_s)
        else:
            grant.expires_s = now + REFRESH_LIFE_S
        return self._new_access(grant.realm_id, refresh_token), refresh_token

    def hard_expires_in_s(self, refresh_token: str) -> int:
        """Seconds until consent must be given again."""
        return self.grants[refresh_token].connected_s + HARD_LIFE_S - self._now_s()

    def revoke(self, token: str) -> bool:
        """Disconnect the company a token belongs to; False for a token nobody knows."""
        grant, access = self.grants.get(token), self.access.get(token)
        realm_id = grant.realm_id if grant else access.realm_id if access else None
        if realm_id is None:
            return False
        self.grants = {one: other for one, other in self.grants.items() if other.realm_id != realm_id}
        self.access = {one: other for one, other in self.access.items() if other.realm_id != realm_id}
        return True

    def realm_of(self, access_token: str) -> str | None:
        """The company an access token opens, or None when it is expired or unknown."""
        access = self.access.get(access_token)
        return None if access is None or access.expires_s <= self._now_s() else access.realm_id

    def forget_expired(self) -> None:
        """Drop access tokens nobody can use any more."""
        now = self._now_s()
        self.access = {token: one for token, one in self.access.items() if one.expires_s > now}

    def _new_refresh(self, realm_id: str, connected_s: int) -> str:
        now = self._now_s()
        self.issued += 1
        token = f"AB{self._word(48)}"
        self.grants[token] = Grant(realm_id, now, now + REFRESH_LIFE_S, connected_s)
        return token

    def _new_access(self, realm_id: str, refresh_token: str) -> str:
        self.issued += 1
        token = self._word(96)
        self.access[token] = Access(realm_id, self._now_s() + ACCESS_LIFE_S, refresh_token)
        return token
