"""What people of the books see of arsync on Xero, and what Xero tells arsync of its own habits."""

import pytest

from arsync.connectors.xero import webhook
from arsync.store import office
from arsync.sync.health import ledger_checks
from arsync.sync.hear import hear
from arsync.web.listener import Knocks, listening
from tests.worlds.office import Line
from tests.worlds.xero_office import POLICY, xero_office


@pytest.fixture
def at_xero(tmp_path):
    with xero_office(tmp_path, reminders=True) as made:
        yield made


def notes(at_xero, invoice):
    """What arsync has said on an invoice, oldest first."""
    said = at_xero.tenant.core.history.get(invoice, ())
    return [one.details for one in said if one.details.startswith("arsync: ")]


def in_review(at_xero):
    invoice = at_xero.invoice(at_xero.customer("O'Brien \\ Sons' & Co"), "120.00", "INV-1001")
    at_xero.statement(Line("120.00", "INV-1001", payer="OBRIEN SONS"))
    at_xero.run_until_idle()
    return invoice


def test_nothing_is_said_on_an_invoice_unless_the_policy_says_so(at_xero):
    assert notes(at_xero, in_review(at_xero)) == []


def test_the_history_of_an_invoice_says_what_is_under_way_and_when_it_is_over(at_xero):
    at_xero.policy(POLICY + '\n[write_back]\nstate = "note"\n')
    invoice = in_review(at_xero)
    (item,) = at_xero.queue()
    assert notes(at_xero, invoice) == [f"arsync: payment in review, Q-{item.id}"]
    calls = len(at_xero.calls("PUT"))
    at_xero.run_until_idle()
    assert len(at_xero.calls("PUT")) == calls, "what has been said is not said again"
    at_xero.mode("auto")
    at_xero.clock.sleep(60)
    at_xero.run_until_idle()
    assert notes(at_xero, invoice)[-1] == "arsync: nothing pending"
    at_xero.agrees()


def test_a_note_whose_answer_is_lost_is_said_once(at_xero):
    at_xero.policy(POLICY + '\n[write_back]\nstate = "note"\n')
    at_xero.simulator.faults.add("PUT /Invoices", "lost_after_commit")
    invoice = in_review(at_xero)
    assert len(notes(at_xero, invoice)) == 1
    at_xero.agrees()


def test_doctor_warns_where_xero_reminds_customers_by_itself(at_xero):
    at_xero.run()
    said = [check for check in ledger_checks(at_xero.house, at_xero.ledger) if "reminders" in check.what]
    assert [(check.state, check.do) for check in said] == [("warn", "in the company's settings")]


# ---- what Xero tells by itself


@pytest.fixture
def heard(at_xero):
    """An office whose listener is open; every set of organisations it was told of."""
    kept, key = [], at_xero.app.webhook_key

    def keep(tenants):
        kept.append(tenants)
        return hear(at_xero.house, "xero", tenants)

    knocks = Knocks(
        webhook.SIGNATURE, lambda body, said: webhook.signed(body, said, key), webhook.tenants, keep
    )
    with listening(("127.0.0.1", 0), knocks) as address:
        assert at_xero.simulator.listen(at_xero.app, f"{address}/hook"), "the door must prove itself"
        yield kept


def marked(at_xero):
    with at_xero.store.read() as conn:
        return office.unheeded(office.connection_row(conn, at_xero.ledger.connection_id))


@pytest.mark.parametrize(
    "switches", [{}, {"webhook_duplicates": True, "webhook_shuffle": True}], ids=["once", "twice"]
)
def test_a_door_that_proved_itself_hears_of_a_change_and_the_next_run_heeds_it(at_xero, heard, switches):
    for name, value in switches.items():
        setattr(at_xero.simulator.switches, name, value)
    assert heard in ([], [frozenset()] * len(heard)), "the proof speaks of nobody"
    assert not marked(at_xero)
    invoice = at_xero.invoice(at_xero.customer("Acme"), "250.00", "INV-1")
    at_xero.clock.sleep(1)
    at_xero.simulator.deliver_webhooks()
    assert heard[-1] == {at_xero.tenant_id}
    assert marked(at_xero)
    at_xero.run()
    assert not marked(at_xero)
    assert at_xero.item(f"Invoice:{invoice}").open_minor == 250_00


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(b'{"events": []}', frozenset(), id="intent to receive"),
        pytest.param(b'{"events": [{"tenantId": "t", "eventCategory": "INVOICE"}]}', {"t"}, id="an invoice"),
        pytest.param(
            b'{"events": [{"tenantId": "t", "eventCategory": "SUBSCRIPTION"}]}', frozenset(), id="not ours"
        ),
        pytest.param(b'{"events": {}}', frozenset(), id="an empty object"),
        pytest.param(b'{"news": 1}', None, id="of another shape: everybody may have changed"),
        pytest.param(b"<xml/>", None, id="no JSON"),
    ],
)
def test_what_a_signed_body_tells(body, told):
    assert webhook.tenants(body) == told
