"""arsync.toml: found, read and checked; every error names file, key and what is allowed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from arsync import config
from arsync.errors import ConfigError, KeyMissing

WHOLE = 'store = "sqlite:///arsync.db"\nkey_file = "keys/arsync.key"\ninbox = "inbox"\n'
NAMES = ("ARSYNC_CONFIG", "ARSYNC_STORE", "ARSYNC_KEY_FILE", "ARSYNC_INBOX", "CREDENTIALS_DIRECTORY")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "arsync.toml"
    path.write_text(WHOLE)
    return path


def test_relative_paths_count_from_the_file(file, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    loaded = config.load(file)
    assert loaded.store == f"sqlite:///{tmp_path / 'arsync.db'}"
    assert loaded.key_file == tmp_path / "keys/arsync.key"
    assert loaded.inbox == tmp_path / "inbox"
    assert loaded.file == file


@pytest.mark.parametrize(
    ("store", "url"),
    [
        pytest.param(
            "sqlite:////var/lib/arsync.db", "sqlite:////var/lib/arsync.db", id="an absolute path stays"
        ),
        pytest.param("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d", id="PostgreSQL stays"),
        pytest.param(
            "sqlite:///a/b.db", "sqlite:///{folder}/a/b.db", id="a relative path counts from the file"
        ),
    ],
)
def test_the_store(file, tmp_path, store, url):
    file.write_text(WHOLE.replace("sqlite:///arsync.db", store))
    assert config.load(file).store == url.format(folder=tmp_path)


def test_the_environment_wins(file, tmp_path, monkeypatch):
    monkeypatch.setenv("ARSYNC_STORE", "postgresql+psycopg://u@h/d")
    monkeypatch.setenv("ARSYNC_KEY_FILE", "/etc/arsync.key")
    monkeypatch.setenv("ARSYNC_INBOX", "elsewhere")
    loaded = config.load(file)
    assert (loaded.store, loaded.key_file) == ("postgresql+psycopg://u@h/d", Path("/etc/arsync.key"))
    assert loaded.inbox == tmp_path / "elsewhere"


def test_the_file_is_found_upwards_by_name_and_by_environment(file, tmp_path, monkeypatch):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert config.load(None).file == file
    other = tmp_path / "other.toml"
    other.write_text(WHOLE)
    monkeypatch.setenv("ARSYNC_CONFIG", str(other))
    assert config.load(None).file == other
    assert config.load(file).file == file, "what is named by hand wins"


def test_the_template_can_be_read(file):
    file.write_text(config.TEMPLATE.format(store="arsync.db", key="arsync.key", inbox="inbox"))
    loaded = config.load(file)
    assert loaded.quickbooks == config.App(client_id="", client_secret_file=None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("store = ", "not valid TOML", id="torn"),
        pytest.param(WHOLE + 'stor = "x"\n', "stor is not a setting", id="misspelt"),
        pytest.param(WHOLE.replace('inbox = "inbox"\n', ""), "inbox is missing", id="missing"),
        pytest.param(WHOLE.replace('"inbox"', '""'), "inbox is ''", id="empty"),
        pytest.param(WHOLE.replace('"inbox"', "7"), "inbox is 7", id="a number"),
        pytest.param(
            WHOLE.replace("sqlite:///arsync.db", "arsync.db"), "store is 'arsync.db'", id="a path for a URL"
        ),
        pytest.param(WHOLE.replace("sqlite", "mysql"), "sqlite:///path or postgresql", id="another database"),
        pytest.param(WHOLE + 'quickbooks = "x"\n', "quickbooks is 'x'", id="a text for a table"),
        pytest.param(
            WHOLE + "[quickbooks]\nid = 1\n", "quickbooks.id is not a setting", id="misspelt in a table"
        ),
        pytest.param(
            WHOLE + "[quickbooks]\nclient_id = 1\n", "quickbooks.client_id is 1", id="a number for an id"
        ),
        pytest.param(
            WHOLE + '[ledgers.us]\ntimezone = "Denver"\n', "ledgers.us.timezone is 'Denver'", id="no zone"
        ),
        pytest.param(
            WHOLE + '[ledgers.us]\ntimezone = "America"\n', "timezone is 'America'", id="a folder of zones"
        ),
        pytest.param(
            WHOLE + '[ledgers.us]\ntimezone = "../../etc/hosts"\n', "timezone is", id="a way out of the zones"
        ),
        pytest.param(
            WHOLE + "[ledgers.us]\ntimezone = -7\n", "ledgers.us.timezone is -7", id="hours for a zone"
        ),
        pytest.param(
            WHOLE + '[ledgers.us]\ntimezone = ""\n', "ledgers.us.timezone is ''", id="an empty zone"
        ),
        pytest.param(WHOLE + "[ledgers.us]\n", "ledgers.us.timezone is missing", id="a ledger and no zone"),
        pytest.param(
            WHOLE + '[ledgers.us]\nzone = "UTC"\n', "ledgers.us.zone is not a setting", id="zone misspelt"
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_file(file, text, says):
    file.write_text(text)
    with pytest.raises(ConfigError) as met:
        config.load(file)
    assert says in met.value.what
    assert met.value.where == str(file)
    assert met.value.do


def test_a_ledgers_day_begins_where_the_file_says(file):
    file.write_text(WHOLE + '[ledgers."Craig & Sons"]\ntimezone = "America/Denver"\n')
    assert config.load(file).zones == {"Craig & Sons": "America/Denver"}


def test_a_zone_is_known_where_the_system_has_none(file):
    file.write_text(WHOLE + '[ledgers.nz]\ntimezone = "Pacific/Auckland"\n')
    script = (
        "import sys, zoneinfo, pathlib; from arsync import config; assert not zoneinfo.TZPATH;"
        "print(config.load(pathlib.Path(sys.argv[1])).zones)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "{'nz': 'Pacific/Auckland'}\n", ran.stderr


def test_the_keys_are_newest_first_and_for_us_alone(file, tmp_path):
    key = tmp_path / "keys" / "arsync.key"
    key.parent.mkdir()
    key.write_bytes(b"new\nold\n")
    key.chmod(0o600)
    assert config.load(file).keys() == [b"new", b"old"]
    key.chmod(0o640)
    with pytest.raises(KeyMissing, match="read by others") as met:
        config.load(file).keys()
    assert met.value.do == f"chmod 600 {key}"


def test_a_credential_of_systemd_comes_first(file, tmp_path, monkeypatch):
    (tmp_path / "arsync.key").write_bytes(b"credential")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert config.load(file).keys() == [b"credential"]


def test_the_secret_of_the_app_is_read_from_its_file(file, tmp_path):
    (tmp_path / "secret").write_text(" s3cret\n")
    file.write_text(WHOLE + '[quickbooks]\nclient_id = "app"\nclient_secret_file = "secret"\n')
    app = config.load(file).quickbooks
    assert (app.client_id, app.secret()) == ("app", "s3cret")
    (tmp_path / "secret").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        app.secret()


MAILBOX = '[mailbox]\nledger = "books"\nhost = "imap.x.example"\nuser = "u"\npassword_file = "p"\n'


def test_a_mailbox(file, tmp_path):
    (tmp_path / "p").write_text("secret\n")
    file.write_text(WHOLE + MAILBOX)
    box = config.load(file).mailbox
    assert (box.port, box.security, box.folder, box.password()) == (993, "tls", "INBOX", "secret")
    file.write_text(WHOLE + MAILBOX + 'security = "starttls"\n')
    assert config.load(file).mailbox.port == 143


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (MAILBOX.replace('host = "imap.x.example"\n', ""), "mailbox.host is missing"),
        (MAILBOX + 'security = "ssl"\n', "tls, starttls, none"),
        (MAILBOX + 'security = "none"\n', "only for a server on this machine"),
        (MAILBOX + "port = 0\n", "mailbox.port"),
        (MAILBOX + 'pasword = "x"\n', "mailbox.pasword is not a setting"),
        ("mailbox = 1\n", r"a table: \[mailbox\]"),
    ],
)
def test_a_mailbox_that_is_wrong_names_the_key(file, changed, says):
    file.write_text(WHOLE + changed)
    with pytest.raises(ConfigError, match=says):
        config.load(file)


SIGNED = (
    '[mailbox]\nledger = "books"\nhost = "imap.x.example"\nuser = "u"\n[mailbox.oauth]\nclient_id = "c"\n'
)
OWN = 'authorize_url = "https://x.example/a"\ntoken_url = "https://x.example/t"\nscope = "mail"\n'


def test_a_mailbox_whose_owner_signs_in(file, tmp_path):
    file.write_text(WHOLE + SIGNED + 'provider = "microsoft"\ntenant = "ours.example"\n')
    box = config.load(file).mailbox
    assert (box.password(), box.oauth.provider, box.oauth.tenant, box.oauth.secret()) == (
        "",
        "microsoft",
        "ours.example",
        "",
    )
    (tmp_path / "s").write_text("secret\n")
    file.write_text(WHOLE + SIGNED + OWN + 'client_secret_file = "s"\n')
    app = config.load(file).mailbox.oauth
    assert (app.secret(), app.addresses["token_url"]) == ("secret", "https://x.example/t")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (SIGNED, "mailbox.oauth.authorize_url is missing"),
        (SIGNED + OWN.replace("https://x.example/t", "http://x.example/t"), "begins with https://"),
        (SIGNED + 'provider = "aol"\n', "microsoft, google"),
        (SIGNED.replace('client_id = "c"\n', 'provider = "google"\n'), "mailbox.oauth.client_id is missing"),
        (SIGNED.replace("[mailbox.oauth]", 'password_file = "p"\n[mailbox.oauth]') + OWN, "nothing beside"),
        (SIGNED + OWN + 'secret = "x"\n', "mailbox.oauth.secret is not a setting"),
        (MAILBOX + "oauth = 1\n", r"a table: \[mailbox.oauth\]"),
    ],
)
def test_a_sign_in_that_is_wrong_names_the_key(file, changed, says):
    file.write_text(WHOLE + changed)
    with pytest.raises(ConfigError, match=says):
        config.load(file)


SFTP = (
    '[sftp.chase]\nledger = "books"\nhost = "sftp.x.example"\nuser = "u"\nkey_file = "k"\nknown_hosts = "h"\n'
)
FEED = '[plaid.chase]\nledger = "books"\nclient_id = "c"\nsecret_file = "s"\naccess_token_file = "t"\n'


def test_servers_and_feeds_of_banks(file, tmp_path):
    (tmp_path / "s").write_text("secret\n")
    (tmp_path / "t").write_text("token\n")
    file.write_text(WHOLE + SFTP + FEED)
    server, feed = config.load(file).banks
    assert (server.kind, server.name, server.port, server.key_file) == ("sftp", "chase", 22, tmp_path / "k")
    assert (feed.kind, feed.secret(), feed.access_token(), feed.base_url) == (
        "plaid",
        "secret",
        "token",
        None,
    )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (SFTP.replace('known_hosts = "h"\n', ""), "sftp.chase.known_hosts is missing"),
        (SFTP + "port = true\n", "sftp.chase.port"),
        (SFTP + 'password = "x"\n', "sftp.chase.password is not a setting"),
        (FEED + 'base_url = "http://plaid.example"\n', "https"),
        ('[gocardless]\nledger = "books"\n', r"a table: \[gocardless.NAME\]"),
    ],
)
def test_a_server_or_feed_that_is_wrong_names_the_key(file, changed, says):
    file.write_text(WHOLE + changed)
    with pytest.raises(ConfigError, match=says):
        config.load(file)
