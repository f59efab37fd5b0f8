"""A group pays for its branches: QuickBooks books the payment under the parent."""

from tests.worlds.office import Line


def test_a_parent_pays_the_invoices_of_its_branches(quick_office):
    office = quick_office
    parent = office.customer("Cascade Group")
    branches = [
        office.customer(f"Cascade Inn {name}", parent=parent, BillWithParent=True)
        for name in ("Tacoma", "Yakima")
    ]
    amounts = ("250.00", "80.00")
    invoices = [office.invoice(b, a, "") for b, a in zip(branches, amounts, strict=True)]
    numbers = " ".join(office.keeper.get("Invoice", one)["DocNumber"] for one in invoices)
    office.mode("auto")
    office.statement(Line("330.00", f"INV {numbers}", "CASCADE GROUP"))
    ran = office.run()
    assert (ran.written.confirmed, ran.written.failed, ran.settled.verified) == (1, 0, 1)
    assert [office.balance(one) for one in invoices] == [0, 0]
    office.adds_up()
    office.agrees()
