"""From nothing to a first run, the way a person does it: init, connect with consent, bank, people, reconcile."""

from datetime import UTC, datetime, timedelta

import pytest

from arsync.cli import cli
from arsync.errors import ArsyncError, ConsentLost, NotPermitted, UsageError
from tests.cli.installation import connect
from tests.worlds.office import ACCOUNT, BANK, Line, ofx


def test_from_nothing_to_a_first_run(place):
    books = place.simulator.companies["4620816365"].books
    customer = books.create_customer("Northwind Traders")["Id"]
    today = datetime.now(UTC).date()
    books.create_invoice(customer, "250.00", number="1001", date=(today - timedelta(days=9)).isoformat())
    connect(place)
    place.type(f"--as dana bank add main --identifier {BANK}/{ACCOUNT}")
    place.type("--as dana people add casey --role clerk")
    (place.folder / "inbox" / "main" / "a.ofx").write_bytes(
        ofx([Line("250.00", "INVOICE 1001", "NORTHWIND TRADERS", on=today)], first=1)
    )
    dry = place.json("reconcile --dry-run")
    assert dry["decided"]["propose"]["number"] == 1
    assert place.type("reconcile", code=4).stdout.count("observe") >= 1
    assert not books.all("Payment")
    place.type("--as dana ledger mode auto")
    ran = place.json("run")["ledgers"][0]
    assert (ran["written"]["verified"], ran["proof"]["state"]) == (1, "proven")
    assert [str(p["TotalAmt"]) for p in books.all("Payment")] == ["250.00"]
    assert "nothing changed" in place.type("run").stdout
    assert place.json("aging")["lines"] == []
    assert place.json("doctor")
    assert place.json("audit verify")["faults"] == []


def test_connecting_again_renews_the_consent_and_keeps_the_ledger(place):
    connect(place)
    place.simulator.tokens.access.clear()
    place.simulator.tokens.grants.clear()
    with pytest.raises(ConsentLost) as lost:
        place.type("pull")
    assert "arsync connect quickbooks" in lost.value.do
    connect(place)
    assert "records seen" in place.type("pull").stdout
    assert len(place.json("ledger list")) == 1


def test_a_sign_in_that_failed_half_way_can_be_repeated(place):
    refused = "http://127.0.0.1:8765/callback?code=never-issued&state=s&realmId=4620816365"
    with pytest.raises(ArsyncError):
        place.type(f"--as dana connect quickbooks --ledger supply --redirected '{refused}'")
    connect(place)
    assert len(place.json("ledger list")) == 1


def test_another_company_needs_another_name(place):
    connect(place)
    other = "http://127.0.0.1:8765/callback?code=x&state=s&realmId=1"
    with pytest.raises(UsageError, match="another company"):
        place.type(f"--as dana connect quickbooks --name quickbooks --redirected '{other}'")


def test_a_company_is_connected_once(place):
    connect(place)
    with pytest.raises(UsageError, match="connected already, as quickbooks"):
        connect(place, "--name twice --ledger again")
    assert len(place.json("ledger list")) == 1


def test_the_address_of_another_sign_in_is_refused(place):
    answer = f"{place.url}/callback?code=x&state=other&realmId=4620816365\n"
    with pytest.raises(UsageError, match="state differs"):
        place.type("--as dana connect quickbooks --paste", answer=answer)


def test_a_refusal_of_consent_is_told_as_such(place):
    with pytest.raises(UsageError, match="access_denied"):
        place.type(
            "--as dana connect quickbooks --redirected 'http://127.0.0.1/?error=access_denied&state=s'"
        )


def test_only_an_admin_connects(place):
    place.type("--as dana people add casey --role clerk")
    with pytest.raises(NotPermitted, match="casey is clerk"):
        place.type("--as casey connect quickbooks --redirected 'http://127.0.0.1/?code=x&state=s'")


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", ".hidden", ".."])
def test_a_bank_account_is_never_a_way_out_of_the_inbox(place, name):
    connect(place)
    with pytest.raises(UsageError, match="cannot be the name of a folder"):
        place.type(f"--as dana bank add {name} --identifier 1")


def test_secrets_are_not_in_the_store_nor_in_what_is_printed(place):
    connect(place)
    tokens = [t for grant in (place.simulator.tokens.access, place.simulator.tokens.grants) for t in grant]
    assert tokens
    held = b"".join(p.read_bytes() for p in place.folder.iterdir() if p.name.startswith("arsync.db"))
    said = place.type("-v doctor").output + place.type("-v pull").output
    for token in tokens:
        assert token.encode() not in held
        assert token not in said


def _every_command(group=cli, path=()):
    import click

    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if isinstance(command, click.Group):
            yield from _every_command(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


# What has nothing to tell a program: a shell script, a tour for people, a server.
_FOR_PEOPLE = {"completion", "demo", "simulate quickbooks", "simulate xero"}


@pytest.mark.parametrize(
    ("name", "command"), list(_every_command()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_command_speaks_to_programs_and_says_what_it_does(name, command):
    assert command.help
    if name not in _FOR_PEOPLE:
        assert any("--json" in p.opts for p in command.params), f"arsync {name} has no --json"
