"""The switch for what a ledger's own history teaches: statistics of its customers, or nothing at all."""

from arsync.store import learned
from arsync.sync import actions
from arsync.sync.report import forecast_report
from tests.worlds.office import POLICY, Line


def confirmed(office):
    """A clerk says whose money a strange name is."""
    invoice = office.invoice(office.customer("Acme Corporation"), "250.00", "1001")
    office.statement(Line("250.00", "THANK YOU", "HOLDING 77 LLC"))
    office.run()
    actions.apply(office.desk(), office.queued().id, [office.part(f"Invoice:{invoice}", "250.00")])
    office.run_until_idle()
    with office.store.read() as conn:
        return learned.knowledge(conn, office.ledger.id)


def ignoring(office):
    product = office.keeper.create_item("Given up", "income")["Id"]
    office.policy(POLICY.format(product=product) + '\n[learning]\nhistory = "ignore"\n')


def test_a_confirmed_payer_is_remembered(quick_office):
    assert confirmed(quick_office).aliases


def test_with_history_ignored_a_confirmation_teaches_nothing_and_what_was_taught_is_not_used(quick_office):
    office = quick_office
    taught = confirmed(office)
    ignoring(office)
    office.invoice(office.customer("Beta"), "80.00", "1002")
    office.statement(Line("80.00", "HELLO", "HOLDING 77 LLC"))
    office.run()
    assert "HOLDING" not in office.queued().detail
    with office.store.read() as conn:
        assert learned.knowledge(conn, office.ledger.id) == taught, "what was taught is kept, and stands still"


def test_with_history_ignored_the_forecast_goes_by_due_dates(quick_office):
    office = quick_office
    confirmed(office)
    office.invoice(office.customer("Beta"), "80.00", "1002")
    office.run()
    office.clock.pass_days(1)
    learned = forecast_report(office.store, office.ledger, office.clock.now(), 6)
    ignoring(office)
    plain = forecast_report(office.store, office.ledger, office.clock.now(), 6)
    assert "only 1 settled items" in "\n".join(learned.text())
    assert "terms only" in "\n".join(plain.text())
