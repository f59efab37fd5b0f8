"""The mailbox as a person meets it: whose letters are believed, whether it opens, and signing in where it must be.

The IMAP server is pymap; its XOAUTH2 is pysasl's. Consent, tokens and their end come from the Xero simulator's sign-in,
which knows nothing of mail: to OAuth 2 it is any provider.
"""

import json
import re

import click
import pytest

from arsync.config import load
from arsync.errors import ConfigError, ConsentLost, NotFound, NotPermitted, Unreachable, UsageError
from arsync.store import tables
from arsync.store.engine import Store
from arsync.store.vault import MailboxTokens, Vault
from tests.cli.test_booking import Terminal
from tests.cli.test_sign_in_xero import allows, person, xero  # noqa: F401 - fixtures
from tests.connectors.mail.mailserver import PASSWORD, USER, serving
from tests.connectors.mail.test_mail_imap import letter
from tests.connectors.mail.test_mail_letter import mail
from tests.worlds.conftest import platform, quick_office, sqlite_template  # noqa: F401 - fixtures
from tests.worlds.test_listening import use

pytestmark = pytest.mark.slow
BOX = '[mailbox]\nledger = "books"\nhost = "127.0.0.1"\nport = {port}\nuser = "demouser"\nsecurity = "none"\n'


@pytest.fixture
def terminal(quick_office, monkeypatch):  # noqa: F811 - the fixture
    return Terminal(quick_office, monkeypatch)


def configured(terminal, *sections):
    file = terminal.office.folder / "arsync.toml"
    file.write_text(file.read_text() + "\n" + "\n".join(sections))
    (terminal.office.folder / "box.password").write_text(PASSWORD)


# ---- whose letters are believed


def test_senders_are_put_on_file_and_taken_off_by_a_manager(terminal):
    terminal.office.customer("Northwind Traders")
    terminal.office.run()
    with pytest.raises(NotPermitted):
        terminal.type("mail", "allow", "ap@northwind.example")
    terminal.type("mail", "allow", "AP@Northwind.example", "--customer", "Northwind Traders", person="Max")
    (known,) = terminal.json("mail", "senders")
    assert (known["address"], known["customer"], known["by"]) == (
        "ap@northwind.example",
        "Northwind Traders",
        "Max",
    )
    with pytest.raises(NotPermitted):
        terminal.type("mail", "forget", "ap@northwind.example")
    said = terminal.type("mail", "forget", "AP@northwind.example", person="Max")
    assert said == "ap@northwind.example is not on file any more\n"
    assert terminal.type("mail", "senders") == "nobody is on file\n"
    with pytest.raises(NotFound, match="not on file") as met:
        terminal.json("mail", "forget", "ap@northwind.example", person="Max")
    assert met.value.do == "see: arsync mail senders"


# ---- whether the mailbox opens


def test_a_mailbox_is_looked_into_and_nothing_is_kept(terminal):
    with serving() as server:
        configured(terminal, BOX.format(port=server.port), 'password_file = "box.password"')
        name = f"mail:{USER}@127.0.0.1/INBOX"
        assert terminal.type("mail", "check") == f"{name}: 0 new letters\n"
        server.deliver(letter("one"), letter("two"))
        for _ in range(2):
            assert terminal.json("mail", "check") == {name: 2}
        server.deliver(letter("three"))
        assert terminal.type("mail", "check") == f"{name}: 3 new letters\n"


def test_a_mailbox_that_does_not_open_says_why(terminal):
    with pytest.raises(ConfigError, match="no mailbox is set for books") as met:
        terminal.type("mail", "check")
    assert met.value.do == "add [mailbox]"
    configured(terminal, BOX.format(port=1), 'password_file = "box.password"')
    with pytest.raises(Unreachable, match="does not answer"):
        terminal.type("mail", "check")


# ---- signing in


@pytest.fixture
def oauth(terminal, xero, person, tmp_path):  # noqa: F811 - the fixtures
    """A mailbox whose server takes access tokens alone, and a provider at which its owner can sign in."""
    simulator, url = xero
    app = simulator.add_app("mail", kind="pkce")
    person += simulator.tenants
    listed = tmp_path / "tokens"
    listed.write_text("none")
    with serving(tokens=listed) as server:
        configured(
            terminal, BOX.format(port=server.port), "[mailbox.oauth]", f'client_id = "{app.client_id}"',
            f'authorize_url = "{url}/identity/connect/authorize"', f'token_url = "{url}/connect/token"',
            f'revoke_url = "{url}/connect/revocation"', 'scope = "offline_access accounting.settings"',
        )  # fmt: skip
        terminal.simulator, terminal.listed = simulator, listed
        yield terminal


def taken(terminal):
    """Let the mail server take the newest access token, and return it."""
    config = load(terminal.office.folder / "arsync.toml")
    store = Store(config.store)
    token = MailboxTokens(store, Vault(config.keys()), f"{USER}@127.0.0.1").load().access
    store.close()
    terminal.listed.write_text(token)
    return token


def test_an_owner_signs_in_once_and_the_mailbox_is_read_from_then_on(oauth):
    with pytest.raises(ConsentLost, match="nobody has signed in") as met:
        oauth.type("mail", "check")
    assert met.value.do == "run: arsync mail connect"
    with pytest.raises(NotPermitted):
        oauth.type("mail", "connect", "--paste", person="Max")
    said = oauth.type("mail", "connect", "--paste", person="Ada")
    assert said == "signed in to the mailbox of demouser\nnext: arsync mail check\n"
    first = taken(oauth)
    assert oauth.type("mail", "check").endswith(": 0 new letters\n")
    oauth.simulator.advance(31 * 60)
    oauth.office.clock.sleep(31 * 60)
    with pytest.raises(ConfigError, match="does not let demouser in"):
        oauth.type("mail", "check")  # it has a new token, which the mail server has not heard of yet
    assert taken(oauth) != first
    assert oauth.type("mail", "check").endswith(": 0 new letters\n")


def test_the_consent_is_given_back_and_the_tokens_are_erased(oauth):
    oauth.type("mail", "connect", "--paste", person="Ada")
    assert json.loads(oauth.type("mail", "disconnect", "--json", person="Ada"))["revoked"] is True
    assert all(grant.revoked for grant in oauth.simulator.desk.grants.values())
    with pytest.raises(ConsentLost):
        oauth.type("mail", "check")


def test_a_lost_consent_asks_a_person_in_the_queue_and_the_run_goes_on(oauth):
    office = oauth.office
    oauth.type("mail", "connect", "--paste", person="Ada")
    taken(oauth)
    oauth.type("run")
    assert office.queue("platform refused") == []
    oauth.type("mail", "disconnect", person="Ada")
    oauth.type("run")
    (asked,) = office.queue("platform refused")
    assert "arsync mail connect" in asked.detail


# ---- the month's reads


def test_a_mailbox_is_read_although_the_platform_rests(terminal):
    office = terminal.office
    invoice = office.invoice(office.customer("Northwind Traders"), "150.00", "1001")
    office.mode("auto")
    office.run()
    with serving() as server:
        configured(terminal, BOX.format(port=server.port), 'password_file = "box.password"')
        office.clock.sleep(3600)
        use(office, 19_999)
        assert "99 % of the month's 20,000 reads are used: nothing waits here" in terminal.type("run")
        asked = reads(office)
        server.deliver(letter("nothing of ours"))
        (rests,) = terminal.json("run")["ledgers"]
        assert (rests["refused"], reads(office)) == ([], asked), "the platform was asked nothing"
        assert terminal.json("mail", "check") == {f"mail:{USER}@127.0.0.1/INBOX": 0}, "the letter was read"
        server.deliver(mail("Invoice   Amount paid\n1001      150.00\n", sender="AP <ap@north.example>"))
        assert "rests" not in terminal.json("run")["ledgers"][0], "what it brought is matched"
        assert reads(office) > asked
    assert office.balance(invoice) == 150


def test_a_mailbox_that_cannot_be_read_is_named_although_the_platform_rests(terminal):
    office = terminal.office
    office.run()
    configured(terminal, BOX.format(port=1), 'password_file = "box.password"')
    office.clock.sleep(3600)
    use(office, 19_999)
    assert "the mail server does not answer" in terminal.type("run")


def reads(office):
    with office.store.read() as conn:
        query = tables.meter.select().where(tables.meter.c.what == "quickbooks.read")
        return conn.execute(query).one().count


def test_without_an_app_there_is_nothing_to_sign_in_to(terminal):
    configured(terminal, BOX.format(port=1), 'password_file = "box.password"')
    for words in (("mail", "connect"), ("mail", "disconnect")):
        with pytest.raises(ConfigError, match="no mailbox is set whose owner signs in"):
            terminal.type(*words, person="Ada")


def test_an_answer_to_another_sign_in_is_not_taken(oauth, monkeypatch):
    monkeypatch.setattr(click, "prompt", lambda *_a, **_k: "http://localhost:8765/callback?code=x&state=y")
    with pytest.raises(UsageError, match="does not answer our question"):
        oauth.type("mail", "connect", "--paste", person="Ada")
    assert not re.search("x", oauth.listed.read_text())
