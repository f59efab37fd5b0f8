"""The installation: where the store, the key and the inbox are. Everything else is a row in the store.

Shape   `arsync.toml` (found by --config, ARSYNC_CONFIG, then upwards from the working folder) -> `Config`.
        Relative paths count from the file. Environment variables ARSYNC_STORE, ARSYNC_KEY_FILE and
        ARSYNC_INBOX win over the file. The key comes from, in this order: $CREDENTIALS_DIRECTORY/arsync.key
        (systemd), ARSYNC_KEY_FILE, `key_file`.
Errors  `ConfigError` names file, key and allowed values; `KeyMissing` tells where a key was looked for.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from arsync.errors import ConfigError, KeyMissing

FILE = "arsync.toml"
_READS = "monthly_reads"
# What is so with an app of each platform where the file does not say otherwise.
_USUAL: Mapping[str, Mapping[str, Any]] = {
    # Intuit's free tier allows 500,000 reads a month to all companies of an app together.
    "quickbooks": {"redirect_uri": "http://127.0.0.1:8765/callback", _READS: 20_000},
    # Xero takes no redirect address in numbers, has apps without a secret, and its free tier allows 1,000 calls a day.
    "xero": {"redirect_uri": "http://localhost:8765/callback", _READS: 25_000, "is_without_secret": True},
}
_LEDGERS = "ledgers"  # what is said of single ledgers: [ledgers.acme-us]
_KEYS = {"store", "key_file", "inbox", "mailbox", "sftp", "plaid", "gocardless", _LEDGERS, *_USUAL}
_APPS = "apps"  # further apps of a platform: [xero.apps.shop]
_APP = {
    "client_id", "client_secret_file", "base_url", "token_url", "authorize_url", "revoke_url", "redirect_uri",
    "webhook_token_file", _READS,
}  # fmt: skip

_MAILBOX = {
    "ledger", "host", "port", "user", "password_file", "security", "folder", "authority", "ca_file", "oauth",
}  # fmt: skip
_MAIL_ADDRESSES = ("authorize_url", "token_url", "revoke_url", "scope")
_MAIL_APP = {"provider", "tenant", "client_id", "client_secret_file", "redirect_uri", *_MAIL_ADDRESSES}
_PROVIDERS = ("microsoft", "google")
_NEEDED: dict[str, tuple[str, ...]] = {
    "sftp": ("ledger", "host", "user", "key_file", "known_hosts"),
    "plaid": ("ledger", "client_id", "secret_file", "access_token_file"),
    "gocardless": ("ledger", "secret_id", "secret_file", "account_id"),
}
_ALLOWED = {
    "sftp": ("port", "folder", "account"),
    "plaid": ("account", "base_url"),
    "gocardless": ("account", "base_url"),
}
_FILES = ("key_file", "known_hosts", "secret_file", "access_token_file")
_SSH_PORT = 22
_SECURITY = ("tls", "starttls", "none")
_TLS_PORT, _PLAIN_PORT = 993, 143
_HERE = ("localhost", "127.0.0.1", "::1")

TEMPLATE = """\
# arsync: this installation. Ledgers, connections, bank accounts, people and policies are rows in the store.
store = "sqlite:///{store}"        # or postgresql+psycopg://user@host/database
key_file = "{key}"                 # protects stored secrets; back it up apart from the store
inbox = "{inbox}"                  # bank files: one folder per bank account, or loose where the file names its account

[quickbooks]
client_id = ""                     # of your app at Intuit
client_secret_file = ""            # a file that holds the app's secret, readable by you alone
# monthly_reads = 20000            # reads of one company in a month; arsync slows down at 80 % of them
# webhook_token_file = ""          # a file with the app's webhook verifier token, for: arsync listen

# [xero]
# client_id = ""                   # of your app at Xero
# client_secret_file = ""          # a file that holds its secret; an app without one signs in with PKCE
# webhook_token_file = ""          # a file with the app's webhook signing key
# [xero.apps.shop]                 # another app, for: arsync connect xero --app shop

# [mailbox]                        # remittance advices by mail; arsync only reads there
# ledger = ""                      # whose they are
# host = ""
# user = ""
# password_file = ""               # or [mailbox.oauth], for Microsoft 365 and Gmail
# authority = ""                   # the name under which your mail server says what it checked of a sender

# [ledgers.NAME]
# timezone = "America/Denver"      # where that ledger's day begins, if not where its platform says (else UTC)

# A bank's SFTP server, or a feed: [sftp.NAME], [plaid.NAME], [gocardless.NAME]; see docs/how-to/read-bank-files.md
"""


@dataclass(frozen=True, slots=True)
class App:
    """An app registered with a platform, and its addresses where they are not the platform's own (simulator).

    `section` is where the configuration speaks of it: "quickbooks", "xero", "xero.apps.shop".
    """

    section: str = "quickbooks"
    client_id: str = ""
    client_secret_file: Path | None = None
    base_url: str | None = None
    token_url: str | None = None
    authorize_url: str | None = None
    revoke_url: str | None = None
    redirect_uri: str = "http://127.0.0.1:8765/callback"
    monthly_reads: int = 20_000  # of one company
    webhook_token_file: Path | None = None
    is_without_secret: bool = False  # the platform takes a proof of its own instead (PKCE)

    def secret(self) -> str:
        """The app's secret."""
        return _secret(self.section, self.client_secret_file, "client_secret_file", "the app's secret")

    def credentials(self) -> tuple[str, str]:
        """Client id and secret; the secret is empty where the app has none and proves itself otherwise (PKCE)."""
        if not self.client_id:
            where, do = FILE, f"write your app's client id into [{self.section}] there"
            raise ConfigError(f"{self.section}.client_id is not set", where=where, do=do)
        has_none = self.is_without_secret and self.client_secret_file is None
        return self.client_id, "" if has_none else self.secret()

    def addresses(self) -> dict[str, str]:
        """The addresses that are not the platform's own."""
        given = {
            "base_url": self.base_url,
            "token_url": self.token_url,
            "authorize_url": self.authorize_url,
            "revoke_url": self.revoke_url,
        }
        return {key: value for key, value in given.items() if value}

    def webhook_token(self) -> str:
        """What the app's webhooks are signed with."""
        return _secret(
            self.section, self.webhook_token_file, "webhook_token_file", "the app's webhook verifier token"
        )


@dataclass(frozen=True, slots=True)
class MailApp:
    """The app with which a mailbox's owner signs in, where its server takes no passwords: `[mailbox.oauth]`.

    Attributes:
        provider: "microsoft", "google", or empty where `addresses` says all.
        addresses: authorize_url, token_url, revoke_url and scope, as far as they are not the provider's.
    """

    client_id: str
    provider: str = ""
    tenant: str = ""
    client_secret_file: Path | None = None
    redirect_uri: str = "http://localhost:8765/callback"
    addresses: Mapping[str, str] = field(default_factory=dict)

    def secret(self) -> str:
        """The app's secret; empty where it has none."""
        if self.client_secret_file is None:
            return ""
        return _secret("mailbox.oauth", self.client_secret_file, "client_secret_file", "the app's secret")


@dataclass(frozen=True, slots=True)
class MailboxAt:
    """Where remittance advices are sent to."""

    ledger: str
    host: str
    user: str
    port: int = _TLS_PORT
    password_file: Path | None = None
    security: Literal["tls", "starttls", "none"] = "tls"
    folder: str = "INBOX"
    authority: str = ""
    ca_file: Path | None = None
    oauth: MailApp | None = None

    def password(self) -> str:
        """What opens it; empty where its owner signs in."""
        if self.oauth is not None:
            return ""
        return _secret("mailbox", self.password_file, "password_file", "the mailbox's password")


@dataclass(frozen=True, slots=True)
class BankAt:
    """A server or feed of a bank: `[sftp.NAME]`, `[plaid.NAME]` or `[gocardless.NAME]`.

    Attributes:
        account: the bank account its files belong to where they do not say.
    """

    kind: Literal["sftp", "plaid", "gocardless"]
    name: str
    ledger: str
    account: str | None = None
    host: str = ""
    user: str = ""
    port: int = _SSH_PORT
    folder: str = "."
    key_file: Path | None = None
    known_hosts: Path | None = None
    client_id: str = ""
    secret_id: str = ""
    account_id: str = ""
    secret_file: Path | None = None
    access_token_file: Path | None = None
    base_url: str | None = None

    def secret(self) -> str:
        """The secret of the service's app."""
        return _secret(f"{self.kind}.{self.name}", self.secret_file, "secret_file", "the secret")

    def access_token(self) -> str:
        """What stands for the sign-in at the bank."""
        return _secret(
            f"{self.kind}.{self.name}", self.access_token_file, "access_token_file", "the access token"
        )


def _secret(section: str, file: Path | None, key: str, what: str) -> str:
    if file is None:
        raise ConfigError(
            f"{section}.{key} is not set",
            where=FILE,
            do=f"write {what} into a file of mode 0600 and name it there",
        )
    where = f"{section}.{key} = {file}"
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(
            f"{what} cannot be read: {why}", where=where, do="check path and permissions"
        ) from error
    if not found:
        raise ConfigError(f"{what} is empty", where=where, do=f"write {what} into that file")
    return found


@dataclass(frozen=True, slots=True)
class Config:
    """One installation."""

    file: Path
    store: str
    key_file: Path
    inbox: Path
    apps: Mapping[str, App]  # "quickbooks", "xero", "xero.shop"
    mailbox: MailboxAt | None = None
    banks: tuple[BankAt, ...] = ()
    zones: Mapping[str, str] = field(default_factory=dict)  # ledger -> where its day begins: "America/Denver"

    @property
    def quickbooks(self) -> App:
        """The app at Intuit."""
        return self.apps["quickbooks"]

    def app(self, name: str) -> App:
        """The app of this name."""
        if name not in self.apps:
            section = name.replace(".", f".{_APPS}.", 1)
            what = f"there is no app {name} in the configuration"
            raise ConfigError(what, where=str(self.file), do=f"add a section [{section}] with its client_id")
        return self.apps[name]

    def keys(self) -> list[bytes]:
        """The installation's keys, newest first (one a line)."""
        path = self._key_path()
        try:
            mode = path.stat().st_mode
            lines = path.read_bytes().split()
        except OSError as error:
            raise KeyMissing(
                f"the installation key cannot be read: {error.strerror}",
                where=str(path),
                do="restore it from its backup; a new installation makes one with `arsync init`",
            ) from error
        if mode & 0o077 and "CREDENTIALS_DIRECTORY" not in os.environ:
            raise KeyMissing(
                "the installation key can be read by others", where=str(path), do=f"chmod 600 {path}"
            )
        if not lines:
            raise KeyMissing(
                "the installation key is empty", where=str(path), do="restore it from its backup"
            )
        return lines

    def _key_path(self) -> Path:
        credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent")) / "arsync.key"
        return credential if credential.exists() else self.key_file


def find(given: Path | None) -> Path:
    """The configuration file to use.

    Raises:
        ConfigError: there is none; tells where it was looked for.
    """
    if given is None and (named := os.environ.get("ARSYNC_CONFIG")):
        given = Path(named)
    if given is not None:
        if not given.is_file():
            raise ConfigError(
                "the configuration file is not there",
                where=str(given),
                do="check the path, or run: arsync init",
            )
        return given
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigError(
        f"there is no {FILE} here or above", where=str(here), do="run: arsync init, or name one with --config"
    )


def load(given: Path | None) -> Config:
    """Read and check the configuration."""
    file = find(given)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(file), do="correct the line named") from None
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(file), do="check its permissions"
        ) from error
    _only(document, _KEYS, file, "")
    return Config(
        file=file.resolve(),
        store=_store(file, os.environ.get("ARSYNC_STORE") or _text(document, "store", file)),
        key_file=_path(file, os.environ.get("ARSYNC_KEY_FILE") or _text(document, "key_file", file)),
        inbox=_path(file, os.environ.get("ARSYNC_INBOX") or _text(document, "inbox", file)),
        apps={name: app for platform in _USUAL for name, app in _apps(document, platform, file)},
        mailbox=_mailbox(_table(document["mailbox"], file, "mailbox"), file)
        if "mailbox" in document
        else None,
        banks=tuple(
            _bank(kind, name, table, file)
            for kind in _NEEDED
            for name, table in sorted(_table(document.get(kind, {}), file, kind).items())
        ),
        zones={
            name: _zone(_table(table, file, f"{_LEDGERS}.{name}"), file, f"{_LEDGERS}.{name}.")
            for name, table in _table(document.get(_LEDGERS, {}), file, _LEDGERS).items()
        },
    )


def _zone(table: Mapping[str, Any], file: Path, prefix: str) -> str:
    """Where a ledger's day begins, as the time zone database names it."""
    _only(table, {"timezone"}, file, prefix)
    name = _text(table, "timezone", file, prefix)
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last: a folder of zones, like "America"
        allowed = "a name of the time zone database, like America/Denver"
        raise _wrong(file, f"{prefix}timezone", name, allowed) from None


def _bank(kind: str, name: str, table: object, file: Path) -> BankAt:
    where = f"{kind}.{name}"
    if not isinstance(table, dict):
        raise _wrong(file, where, table, f"a table: [{kind}.NAME]")
    _only(table, {*_NEEDED[kind], *_ALLOWED[kind]}, file, f"{where}.")
    for key in _NEEDED[kind]:
        if not table.get(key):
            raise _wrong(file, f"{where}.{key}", table.get(key), "a text in quotes")
    values: dict[str, Any] = {key: _text(table, key, file, f"{where}.") for key in table.keys() - {"port"}}
    values |= {key: _path(file, values[key]) for key in _FILES if key in values}
    if "port" in table:
        values["port"] = _port(table["port"], f"{where}.port", file)
    url = values.get("base_url", "https://")
    if not url.startswith(("https://", *(f"http://{host}" for host in _HERE))):
        raise _wrong(file, f"{where}.base_url", url, "an address that begins with https://")
    return BankAt(kind=kind, name=name, **values)  # type: ignore[arg-type]  # a key of _NEEDED


def _port(port: object, key: str, file: Path) -> int:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 1 << 16:
        raise _wrong(file, key, port, "a whole number of a port")
    return port


def _mailbox(section: Mapping[str, Any], file: Path) -> MailboxAt:
    _only(section, _MAILBOX, file, "mailbox.")
    for key in ("ledger", "host", "user"):
        if not section.get(key):
            raise _wrong(file, f"mailbox.{key}", section.get(key), "a text in quotes")
    plain = section.keys() - {"port", "oauth"}
    values: dict[str, Any] = {key: _text(section, key, file, "mailbox.") for key in plain}
    if "oauth" in section:
        values["oauth"] = _mail_app(_table(section["oauth"], file, "mailbox.oauth"), file)
        if "password_file" in section:
            raise _wrong(
                file, "mailbox.password_file", section["password_file"], "nothing beside [mailbox.oauth]"
            )
    security = values.get("security", "tls")
    if security not in _SECURITY:
        raise _wrong(file, "mailbox.security", security, ", ".join(_SECURITY))
    port = _port(section.get("port", _TLS_PORT if security == "tls" else _PLAIN_PORT), "mailbox.port", file)
    if security == "none" and values["host"] not in _HERE:
        raise _wrong(
            file, "mailbox.security", security, "tls or starttls; none only for a server on this machine"
        )
    for key in ("password_file", "ca_file"):
        values[key] = _path(file, values[key]) if values.get(key) else None
    return MailboxAt(**values | {"port": port})


def _mail_app(section: Mapping[str, Any], file: Path) -> MailApp:
    at = "mailbox.oauth"
    _only(section, _MAIL_APP, file, f"{at}.")
    values: dict[str, Any] = {key: _text(section, key, file, f"{at}.") for key in section}
    provider = values.get("provider", "")
    if provider and provider not in _PROVIDERS:
        raise _wrong(file, f"{at}.provider", provider, ", ".join(_PROVIDERS))
    addresses = {key: values.pop(key) for key in _MAIL_ADDRESSES if key in values}
    needed = ("client_id",) if provider else ("client_id", "authorize_url", "token_url", "scope")
    for key in needed:
        if not (values | addresses).get(key):
            raise _wrong(file, f"{at}.{key}", None, "a text in quotes")
    for key in _MAIL_ADDRESSES[:3]:
        if not addresses.get(key, "https://").startswith(("https://", *(f"http://{host}" for host in _HERE))):
            raise _wrong(file, f"{at}.{key}", addresses[key], "an address that begins with https://")
    if values.get("client_secret_file"):
        values["client_secret_file"] = _path(file, values["client_secret_file"])
    return MailApp(**values, addresses=addresses)


def app_name(platform: str, app: str) -> str:
    """What an app is called: "xero", or "xero.shop" where an installation has several."""
    return f"{platform}.{app}" if app else platform


def _apps(document: Mapping[str, Any], platform: str, file: Path) -> Iterator[tuple[str, App]]:
    """The apps of a platform, by name; QuickBooks has one even where nothing is said of it."""
    if platform not in document and platform != "quickbooks":
        return
    own = _table(document.get(platform, {}), file, platform)
    further = _table(own.get(_APPS, {}), file, f"{platform}.{_APPS}")
    usual = _USUAL[platform]
    yield platform, _app({key: value for key, value in own.items() if key != _APPS}, file, platform, usual)
    for name, section in further.items():
        at = f"{platform}.{_APPS}.{name}"
        yield app_name(platform, name), _app(_table(section, file, at), file, at, usual)


def _table(found: object, file: Path, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _wrong(file, name, found, f"a table: [{name}]")
    return found


def _app(section: Mapping[str, Any], file: Path, at: str, usual: Mapping[str, Any]) -> App:
    _only(section, _APP, file, f"{at}.")
    files = ("client_secret_file", "webhook_token_file")
    said = {key: _text(section, key, file, f"{at}.") for key in section.keys() - {_READS}}
    values: dict[str, Any] = {**usual, **said}
    for key in files:
        values[key] = _path(file, values[key]) if values.get(key) else None
    if _READS in section:
        reads = section[_READS]
        if isinstance(reads, bool) or not isinstance(reads, int) or reads < 1:
            raise _wrong(file, f"{at}.{_READS}", reads, "a whole number above 0")
        values[_READS] = reads
    return App(section=at, **values)


def _only(table: Mapping[str, Any], allowed: set[str], file: Path, prefix: str) -> None:
    for key in table:
        if key not in allowed:
            raise ConfigError(
                f"{prefix}{key} is not a setting; allowed here: {', '.join(sorted(allowed))}",
                where=str(file),
                do="check the spelling",
            )


def _text(table: Mapping[str, Any], key: str, file: Path, prefix: str = "") -> str:
    value = table.get(key)
    if not isinstance(value, str) or (not value and not prefix):
        raise _wrong(file, prefix + key, value, "a text in quotes")
    return value


def _wrong(file: Path, key: str, value: object, allowed: str) -> ConfigError:
    said = "is missing" if value is None else f"is {value!r}"
    return ConfigError(f"{key} {said}; allowed: {allowed}", where=str(file), do=f"set {key}")


def _path(file: Path, text: str) -> Path:
    return (file.parent / Path(text).expanduser()).resolve()


def _store(file: Path, url: str) -> str:
    """A relative SQLite path counts from the file, not from wherever the command is run."""
    prefix = "sqlite:///"
    if not url.startswith((prefix, "postgresql")):
        raise _wrong(file, "store", url, "sqlite:///path or postgresql+psycopg://user@host/database")
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return prefix + str(_path(file, url.removeprefix(prefix)))
    return url
