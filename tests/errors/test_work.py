"""Errors in the middle of the work, met in an office with books and a bank: a step is kept whole or not at all."""

from dataclasses import replace

import pytest
from sqlalchemy import event, update

from arsync import cli, config
from arsync.core import policy
from arsync.errors import BooksDisagree, ConfigError, ConsentLost, KeyMissing, StoreUnusable
from arsync.store import raw, tables
from arsync.store.engine import Store
from arsync.store.vault import Vault
from arsync.sync import actions, connect
from arsync.sync.intake import intake
from tests.errors.reproduce import reproduces
from tests.errors.test_installation import WHOLE, configured
from tests.worlds.office import Line


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in ("ARSYNC_CONFIG", "ARSYNC_STORE", "ARSYNC_KEY_FILE", "ARSYNC_INBOX", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def office(quick_office):
    """An office with a receipt that pays an invoice, not decided yet."""
    quick_office.invoice(quick_office.customer("Northwind Traders"), "250.00", "1001")
    quick_office.statement(Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS"))
    return quick_office


def command(office, *arguments):
    """A command of the command line, in this process."""
    (office.folder / "arsync.toml").write_text(WHOLE)
    cli.cli.main(["--config", str(office.folder / "arsync.toml"), *arguments], standalone_mode=False)


# ---- the books


@pytest.mark.slow
@reproduces(
    BooksDisagree,
    title="A decision does not replay to the same explanation",
    when="what the matcher said then is not what it says of the same snapshot now",
    do="report it with the output of arsync audit replay",
)
def test_a_finding_that_was_changed(office):
    office.mode("auto")
    office.run()
    decision_id = office.receipt().decision_id
    with office.store.begin() as conn:
        decided = tables.decision.c
        row = conn.execute(tables.decision.select().where(decided.id == decision_id)).one()
        text = raw.get(conn, bytes(row.finding_sha)).replace(b'"unique":true', b'"unique":false')
        (sha,) = raw.keep(conn, [text])
        conn.execute(update(tables.decision).where(decided.id == decision_id).values(finding_sha=sha))
    command(office, "audit", "replay", f"D-{decision_id}")


# ---- the store


def fill_disk(store):
    """From now on the database may not grow by a page."""

    @event.listens_for(store.engine, "connect")
    def full(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}").close()

    store.engine.dispose()
    return full


@pytest.mark.slow
@reproduces(
    StoreUnusable,
    title="The disk is full",
    when="the store cannot grow while a run writes to it",
    do="free some space and run again; the run carries on where it stopped",
)
def test_a_full_disk(office):
    full = fill_disk(office.store)
    try:
        office.run()
    finally:
        event.remove(office.store.engine, "connect", full)
        office.store.engine.dispose()
        office.mode("auto")
        office.run_until_idle()
        office.adds_up()
        office.all_received()
        office.agrees()
        assert office.receipt().state == "applied"


@reproduces(
    StoreUnusable,
    title="The store URL cannot be used",
    when="store in arsync.toml names a database arsync does not know",
    do="use sqlite:///path/arsync.db or postgresql+psycopg://user@host/database",
)
def test_a_store_of_another_kind():
    Store("oracle7://scott@tiger/books")


@pytest.mark.slow
@reproduces(
    StoreUnusable,
    title="The store belongs to another version of arsync",
    when="the store was written by a newer arsync",
    do="install the arsync that wrote it, or a newer one",
)
def test_a_store_of_a_newer_version(office):
    with office.store.begin() as conn:
        conn.exec_driver_sql("update alembic_version set version_num = '9999'")
    command(office, "queue", "list")


# ---- configuration and keys


@reproduces(
    ConfigError,
    title="A setting has a value that is not allowed",
    when="store in arsync.toml is a number",
    do="set it to one of the values the error lists",
)
def test_a_wrong_value(tmp_path):
    configured(tmp_path, WHOLE.replace('"sqlite:///arsync.sqlite"', "5"))


@reproduces(
    ConfigError,
    title="A setting is missing",
    when="arsync.toml does not say where the inbox is",
    do="set it",
)
def test_a_missing_setting(tmp_path):
    configured(tmp_path, WHOLE.replace('inbox = "inbox"\n', ""))


@reproduces(
    ConfigError,
    title="The configuration is not TOML",
    when="a quote is missing in arsync.toml",
    do="correct the line named",
)
def test_a_torn_configuration(tmp_path):
    configured(tmp_path, WHOLE + 'quickbooks = "\n')


@reproduces(
    ConfigError,
    title="A policy with a value that is not allowed",
    when="an amount of the policy is written without quotes",
    do="correct the key the error names and apply it again",
)
def test_a_policy_with_a_bare_amount():
    policy.parse("[write_off]\nUSD = 25.00\n")


@pytest.mark.slow
@reproduces(
    ConfigError,
    title="The inbox is not there",
    when="the folder for bank files was removed",
    do="make it again: mkdir -p",
)
def test_no_inbox(office):
    intake(office.job(), office.folder / "nowhere")


@reproduces(
    ConfigError,
    title="The app's secret is not named",
    when="quickbooks.client_secret_file is empty",
    do="write the app's secret into a file of mode 0600 and name it there",
)
def test_no_secret_of_the_app():
    config.App(client_id="app").secret()


@reproduces(
    KeyMissing,
    title="The key file holds no key",
    when="it was overwritten or cut",
    do="restore the key file that arsync init wrote",
)
def test_a_key_that_is_none():
    Vault([b"open sesame"])


@reproduces(
    KeyMissing,
    title="The key file is empty",
    when="it was cut off while it was copied",
    do="restore it from its backup",
)
def test_an_empty_key(tmp_path):
    (tmp_path / "arsync.key").touch(mode=0o600)
    configured(tmp_path).keys()


@pytest.mark.slow
@reproduces(
    ConsentLost,
    title="Nobody has signed in yet",
    when="a connection was added and the sign-in was not finished",
    do="run: arsync connect quickbooks",
)
def test_a_connection_without_tokens(office):
    desk = office.desk("Ada")
    actions.permitted(desk.person, "administer")
    other_company = replace(office.settings(), realm_id="9130357850009999")
    connection_id = connect.add_connection(office.house, "quickbooks", "second", other_company, desk.person)
    connector, _ = connect.open_connector(office.house, connection_id)
    connector.probe()
