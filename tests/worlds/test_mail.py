"""From a real mailbox to the books: an advice says what a payment without references pays."""

from dataclasses import replace

import pytest

from arsync.connectors.mail.imap import Mailbox
from arsync.sync import actions
from tests.connectors.mail.mailserver import PASSWORD, USER, serving
from tests.connectors.mail.test_mail_letter import OURS, mail
from tests.worlds.office import Line

pytestmark = pytest.mark.slow
ADVICE = "Invoice   Amount paid\n1001      100.00\n1002      50.00\nTotal     150.00\n"


@pytest.fixture
def office(quick_office):
    quick_office.mode("auto")
    with serving() as server:
        box = Mailbox("books", "127.0.0.1", server.port, USER, PASSWORD, "none", authority=OURS)
        quick_office.house = replace(quick_office.house, sources=lambda _ledger: (box,))
        customer = quick_office.customer("Northwind Traders")
        quick_office.invoices = [
            quick_office.invoice(customer, amount, number)
            # 1003 makes two sets of items fit, so that the amount alone says nothing.
            for amount, number in (("100.00", "1001"), ("50.00", "1002"), ("50.00", "1003"))
        ]
        quick_office.run()
        quick_office.deliver = server.deliver
        yield quick_office


def letter(office, body=ADVICE, *, proven=True):
    day = office.clock.now().strftime("%d %b %Y 08:00:00 +0000")
    results = (f"{OURS}; dkim=pass header.d=northwind.example",) if proven else ()
    data = mail(body, sender="AP <ap@northwind.example>", results=results)
    return data.replace(b"Tue, 06 Jan 2026 23:30:00 -0500", day.encode())


def paid(office):
    office.statement(Line("150.00", "ACH CREDIT", "NORTHWIND TRADERS", on=office.today()))


@pytest.mark.parametrize("order", [("mail", "money"), ("money", "mail")], ids=["mail first", "money first"])
def test_a_proven_advice_applies_the_money_in_either_order(office, order):
    actions.know_sender(office.desk("Mia"), "ap@northwind.example", office.customer_id("1"))
    for what in order:
        office.deliver(letter(office)) if what == "mail" else paid(office)
        office.run_until_idle()
    assert [office.balance(one) for one in office.invoices] == [0, 0, 50]
    assert office.queue() == []


def test_a_letter_that_names_invoices_in_a_sentence_applies_the_money(office):
    actions.know_sender(office.desk("Mia"), "ap@northwind.example", office.customer_id("1"))
    office.deliver(letter(office, "Hello,\n\nwe paid USD 150.00 for your invoices 1001 and 1002.\n\nAnn\n"))
    paid(office)
    office.run_until_idle()
    assert [office.balance(one) for one in office.invoices] == [0, 0, 50]


@pytest.mark.parametrize("proven", [False, True], ids=["on file, not proven", "proven, not on file"])
def test_an_advice_that_anybody_could_have_written_only_suggests(office, proven):
    if not proven:
        actions.know_sender(office.desk("Mia"), "ap@northwind.example", office.customer_id("1"))
    office.deliver(letter(office, proven=proven))
    paid(office)
    office.run_until_idle()
    assert [office.balance(one) for one in office.invoices] == [100, 50, 50]
    (row,) = office.queue()
    actions.accept(office.desk(), row.id)
    office.run_until_idle()
    assert [office.balance(one) for one in office.invoices] == [0, 0, 50]


def test_a_second_run_reads_no_letter_again_and_changes_nothing(office):
    office.deliver(letter(office))
    office.run_until_idle()
    before = office.rows()
    assert not office.run().changed
    assert office.changed_rows(before) == set()
