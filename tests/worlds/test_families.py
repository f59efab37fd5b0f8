"""A group pays for its branches: QuickBooks books the payment under the parent."""

from tests.worlds.office import Line


def test_a_parent_pays_the_invoices_of_its_branches(quick_office):
    office = quick_office
    parent = office.customer("Cascade Group")
    branch = office.customer("Cascade Inn Tacoma", parent=parent, BillWithParent=True)
    below = office.customer("Cascade Inn Tacoma Bar", parent=branch, BillWithParent=True)
    invoices = [office.invoice(branch, "250.00", "10101"), office.invoice(below, "80.00", "10102")]
    office.mode("auto")
    office.statement(Line("330.00", "INV 10101 10102", "CASCADE GROUP"))
    ran = office.run()
    print(office.queue())
    assert (ran.written.confirmed, ran.written.failed, ran.settled.verified) == (1, 0, 1)
    assert [office.balance(one) for one in invoices] == [0, 0]
    office.adds_up()
    office.agrees()
    print(office.queue())
