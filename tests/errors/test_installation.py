"""Configuration, key, store and disk: errors of whoever runs the installation."""

from datetime import date

import pytest

from arsync import config, migrations
from arsync.connectors import registry
from arsync.core.dates import Buckets
from arsync.errors import Broken, ConfigError, KeyMissing, LedgerLocked, SetupError, StoreUnusable, UsageError
from arsync.reports.stamp import Stamp
from arsync.reports.writers import Column, Table, write
from arsync.store.engine import Store
from arsync.store.lock import locked
from arsync.store.vault import Vault
from tests.errors.reproduce import reproduces

WHOLE = 'store = "sqlite:///arsync.sqlite"\nkey_file = "arsync.key"\ninbox = "inbox"\n'


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in ("ARSYNC_CONFIG", "ARSYNC_STORE", "ARSYNC_KEY_FILE", "ARSYNC_INBOX", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


def configured(folder, text=WHOLE):
    file = folder / "arsync.toml"
    file.write_text(text)
    return config.load(file)


@reproduces(
    ConfigError,
    title="A setting that does not exist",
    when="a key in arsync.toml is misspelt",
    do="check the spelling; the error lists what is allowed there",
)
def test_a_misspelt_setting(tmp_path):
    configured(tmp_path, WHOLE + 'stroe = "x"\n')


@reproduces(
    ConfigError,
    title="No configuration",
    when="arsync runs in a folder without arsync.toml, and none is named",
    do="run arsync init, or name one with --config or ARSYNC_CONFIG",
)
def test_no_configuration(tmp_path):
    config.load(tmp_path / "arsync.toml")


@reproduces(
    ConfigError,
    title="No connector of this name",
    when="a platform is named that no installed package connects",
    do="use one of the names the error lists",
)
def test_no_such_connector():
    registry.load("ledgerdemain")


@reproduces(
    KeyMissing,
    title="The key is not there",
    when="the key file was not restored, or its path is wrong",
    do="restore it from its backup",
)
def test_no_key(tmp_path):
    configured(tmp_path).keys()


@reproduces(
    KeyMissing,
    title="Others can read the key",
    when="the key file has a mode other than 0600",
    do="chmod 600",
)
def test_a_key_for_everybody(tmp_path):
    (tmp_path / "arsync.key").write_bytes(b"secret")
    (tmp_path / "arsync.key").chmod(0o644)
    configured(tmp_path).keys()


@reproduces(
    KeyMissing,
    title="The key does not fit the store",
    when="the store was restored with another installation's key",
    do="restore the key that belongs to this store, or connect again",
)
def test_a_key_of_another_store():
    from cryptography.fernet import Fernet

    stored = Vault([Fernet.generate_key()]).encrypt("token")
    Vault([Fernet.generate_key()]).decrypt(stored)


@reproduces(
    StoreUnusable,
    title="The store has not been set up",
    when="the store is empty",
    do="run arsync init",
)
def test_an_empty_store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'arsync.sqlite'}")
    try:
        migrations.check(store)
    finally:
        store.close()


@reproduces(
    StoreUnusable,
    title="The store cannot be opened",
    when="its folder is not there",
    do="check that the path or server exists and may be written",
)
def test_a_store_in_no_folder(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'nowhere' / 'arsync.sqlite'}")
    try:
        migrations.upgrade(store)
    finally:
        store.close()


@reproduces(
    LedgerLocked,
    title="Another run holds the ledger",
    when="a run starts while another is still at work",
    do="nothing; wait for the other to end",
)
def test_two_runs_at_once(store):
    with locked(store, "ledger-1"), locked(store, "ledger-1"):
        pass


def report(rows):
    columns = (Column("customer", "text"), Column("items", "integer"))
    return Table("unapplied", columns, rows, Stamp(date(2026, 11, 22), "due"))


@reproduces(
    SetupError,
    title="The report cannot be written",
    when="its folder is not there, may not be written, or its disk is full",
    do="free some space or choose another folder, then run the same command again",
)
def test_a_report_into_no_folder(tmp_path):
    write(report([("Northwind", 3)]), tmp_path / "nowhere" / "unapplied.csv")


@reproduces(
    UsageError,
    title="No such kind of report file",
    when="a report is to be written to a file whose suffix says nothing",
    do="use .csv, .json or .xlsx",
)
def test_a_report_into_a_picture(tmp_path):
    write(report([("Northwind", 3)]), tmp_path / "unapplied.png")


@reproduces(
    UsageError,
    title="Aging buckets that do not rise",
    when="the edges given are not rising days",
    do="give days in rising order, for example 0,30,60,90",
)
def test_buckets_that_fall():
    Buckets.parse("30,0,60")


@reproduces(
    Broken,
    title="A fault of arsync",
    when="something that must always hold does not",
    do="report it, with the lines the error shows",
)
def test_a_row_that_does_not_fit_its_table(tmp_path):
    write(report([("Northwind",)]), tmp_path / "unapplied.csv")
