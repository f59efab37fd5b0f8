"""Secrets at rest: encrypted with a key that is not in the store.

Shape   the key comes from `config` (systemd credential, file with mode 0600, or environment); tokens are
        Fernet texts, and the signature key of the audit chain is derived from the same secret.
Errors  `KeyMissing` when the key is not there or does not fit what is stored.
Source  Fernet: AES-128-CBC with HMAC-SHA256, cryptography.io.
"""

import hashlib
import hmac
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import select

from arsync.connectors.contract import Tokens
from arsync.errors import ConsentLost, KeyMissing
from arsync.store import bulk
from arsync.store.engine import Store
from arsync.store.lock import locked
from arsync.store.tables import connection, source_sign_in


class Vault:
    """Encrypts and decrypts with one or more keys; the first encrypts."""

    def __init__(self, keys: list[bytes]) -> None:
        """`keys` are Fernet keys, newest first."""
        from cryptography.fernet import Fernet, MultiFernet

        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except (ValueError, TypeError) as error:
            raise KeyMissing(
                "the installation key is not a valid key",
                where="key file",
                do="restore the key file that `arsync init` wrote",
            ) from error
        self._first = keys[0]

    def encrypt(self, text: str) -> bytes:
        """The secret as it is stored."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, stored: bytes) -> str:
        """The secret itself."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(bytes(stored)).decode()
        except InvalidToken:
            raise KeyMissing(
                "the stored secrets were encrypted with another key",
                where="key file",
                do="restore the key file that belongs to this store, or connect again with `arsync connect`",
            ) from None

    def signing_key(self) -> bytes:
        """The key that signs the head of the audit chain."""
        return hmac.new(self._first, b"arsync audit chain", hashlib.sha256).digest()


class StoredTokens:
    """The contract's token store: one row per connection, one refresh at a time across processes."""

    def __init__(self, store: Store, vault: Vault, connection_id: int) -> None:
        self._store, self._vault, self._id = store, vault, connection_id

    def load(self) -> Tokens:
        """The newest tokens."""
        with self._store.read() as conn:
            row = conn.execute(
                select(connection.c.secret, connection.c.name, connection.c.platform).where(
                    connection.c.id == self._id
                )
            ).one()
        if row.secret is None:
            raise ConsentLost(
                f"{row.name} is not signed in",
                where=f"connection {row.name}",
                do=f"run: {sign_in_command(row.platform, row.name)}",
            )
        return _tokens(json.loads(self._vault.decrypt(row.secret)))

    def save(self, tokens: Tokens) -> None:
        """Keep new tokens; returns when they are durable."""
        secret = self._vault.encrypt(json.dumps(_plain(tokens)))
        with self._store.begin() as conn:
            conn.execute(connection.update().where(connection.c.id == self._id).values(secret=secret))

    def forget(self) -> None:
        """Erase the tokens."""
        with self._store.begin() as conn:
            conn.execute(connection.update().where(connection.c.id == self._id).values(secret=None))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the one lock of this connection's tokens, across processes."""
        with locked(self._store, f"tokens-{self._id}", wait_s=60):
            yield


class MailboxTokens:
    """The same for a mailbox, by its name."""

    def __init__(self, store: Store, vault: Vault, name: str) -> None:
        self._store, self._vault, self._name = store, vault, name

    def load(self) -> Tokens:
        """The newest tokens."""
        with self._store.read() as conn:
            query = select(source_sign_in.c.secret).where(source_sign_in.c.name == self._name)
            secret = conn.execute(query).scalar()
        if secret is None:
            raise ConsentLost(
                "nobody has signed in to the mailbox", where=self._name, do=f"run: {MAIL_SIGN_IN}"
            )
        return _tokens(json.loads(self._vault.decrypt(secret)))

    def save(self, tokens: Tokens) -> None:
        """Keep new tokens; returns when they are durable."""
        secret = self._vault.encrypt(json.dumps(_plain(tokens)))
        with self._store.begin() as conn:
            bulk.upsert(conn, source_sign_in, ("name", "secret"), [(self._name, secret)])

    def forget(self) -> None:
        """Erase the tokens."""
        with self._store.begin() as conn:
            conn.execute(source_sign_in.delete().where(source_sign_in.c.name == self._name))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the one lock of this mailbox's tokens, across processes."""
        named = hashlib.sha256(self._name.encode()).hexdigest()[:12]
        with locked(self._store, f"tokens-{named}", wait_s=60):
            yield


MAIL_SIGN_IN = "arsync mail connect"


def sign_in_command(platform: str, name: str) -> str:
    """What a person types to sign a connection in again."""
    return f"arsync connect {platform} --name {shlex.quote(name)}"


def _plain(tokens: Tokens) -> dict[str, Any]:
    return {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "access_until": tokens.access_until.isoformat(),
        "refresh_until": tokens.refresh_until.isoformat() if tokens.refresh_until else None,
        "hard_until": tokens.hard_until.isoformat() if tokens.hard_until else None,
        "renewed_at": tokens.renewed_at.isoformat() if tokens.renewed_at else None,
        "scope": tokens.scope,
    }


def _tokens(body: dict[str, Any]) -> Tokens:
    def instant(name: str) -> datetime | None:
        return datetime.fromisoformat(body[name]) if body.get(name) else None

    until = instant("access_until")
    assert until is not None
    return Tokens(
        body["access"],
        body["refresh"],
        until,
        instant("refresh_until"),
        instant("hard_until"),
        instant("renewed_at"),
        body.get("scope", ""),
    )
