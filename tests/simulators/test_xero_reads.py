"""Reading: pages, detail, filters, what the change feed does not see (behaviours 26 to 38)."""

from decimal import Decimal

import pytest

from arsync.simulators.exact_json import parse_json
from tests.simulators.xero_api import invoice, line


def numbers(document):
    return [one["InvoiceNumber"] for one in document["Invoices"]]


@pytest.fixture
def five(keeper, bluebird, clock):
    """Five invoices, a second apart."""
    made = []
    for n in range(1, 6):
        made.append(
            keeper.invoice(bluebird, f"{n}00.00", number=f"I-{n}", date=f"2026-02-0{n}", due=f"2026-03-0{n}")
        )
        clock.advance(seconds=1)
    return made


# ---- pages -------------------------------------------------------------------------------------------------


def test_pages_of_a_hundred_unless_said(xapi, keeper, bluebird):
    for n in range(103):
        keeper.invoice(bluebird, "1.00", number=f"N{n}")
    first = xapi.get("/Invoices", page=1)
    assert first["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 103}
    assert len(first["Invoices"]) == 100
    assert len(xapi.get("/Invoices", page=2)["Invoices"]) == 3
    beyond = xapi.get("/Invoices", page=3)
    assert (beyond["Invoices"], beyond["pagination"]["itemCount"]) == ([], 103)


@pytest.mark.parametrize(
    ("asked", "got"), [(0, 1), (-5, 1), (1, 1), (1000, 1000), (1001, 1000), (99999, 1000)], ids=str
)
def test_a_page_size_out_of_range_is_moved_into_it_silently(xapi, five, asked, got):
    assert xapi.get("/Invoices", page=1, pageSize=asked)["pagination"]["pageSize"] == got


def test_a_list_without_pages_is_a_summary(xapi, five, bluebird):
    document = xapi.get("/Invoices")
    assert "pagination" not in document
    (first, *_) = document["Invoices"]
    assert first["LineItems"] == []
    assert first["AmountDue"] == Decimal("100.00")
    assert "ContactStatus" not in first["Contact"]
    (paged, *_) = xapi.get("/Invoices", page=1)["Invoices"]
    assert len(paged["LineItems"]) == 1
    assert paged["Contact"]["ContactStatus"] == "ACTIVE"


def test_a_payments_list_without_pages_has_a_stub_of_the_invoice(xapi, keeper, five):
    keeper.pay(five[0]["InvoiceID"], "40.00")
    (stub,) = xapi.get("/Payments")["Payments"]
    assert set(stub["Invoice"]) == {"InvoiceID", "InvoiceNumber", "Type", "Contact", "LineItems"}
    (full,) = xapi.get("/Payments", page=1)["Payments"]
    assert full["Invoice"]["AmountDue"] == Decimal("60.00")


def test_statuses_and_summary_only_force_pages(xapi, five):
    assert xapi.get("/Invoices", Statuses="AUTHORISED")["pagination"]["itemCount"] == 5
    document = xapi.get("/Invoices", summaryOnly="True")
    assert document["pagination"]["itemCount"] == 5
    full = xapi.get("/Invoices", page=1)["Invoices"][0]
    dropped = set(full) - set(document["Invoices"][0])
    assert {"Payments", "HasAttachments", "LineItems"} <= dropped
    assert document["Invoices"][0]["AmountDue"] == Decimal("100.00")


def test_a_summary_of_contacts_has_no_balances(xapi, five):
    (full,) = xapi.get("/Contacts", page=1)["Contacts"]
    assert full["Balances"]["AccountsReceivable"]["Outstanding"] == Decimal("1500.00")
    (short,) = xapi.get("/Contacts", summaryOnly="true")["Contacts"]
    assert not {"Balances", "IsCustomer"} & set(short)


# ---- what changed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "found"),
    [
        pytest.param("2026-03-02T18:00:02", ["I-3", "I-4", "I-5"], id="without a zone it is UTC"),
        pytest.param("2026-03-02T18:00:02+00:00", ["I-3", "I-4", "I-5"], id="with a zone"),
        pytest.param("2026-03-02T10:00:02-08:00", ["I-3", "I-4", "I-5"], id="with another zone"),
        pytest.param("2026-03-02T18:00:02.999Z", ["I-3", "I-4", "I-5"], id="fractions are dropped"),
        pytest.param("2026-03-02T18:01:00Z", [], id="nothing since"),
    ],
)
def test_if_modified_since(xapi, five, since, found):
    document = xapi.call("GET", "/Invoices", headers={"if-modified-since": since}, page=1)
    assert numbers(document) == found


def test_if_modified_since_as_a_parameter_is_ignored(xapi, five):
    assert len(xapi.get("/Invoices", **{"If-Modified-Since": "2026-03-02T18:01:00Z"})["Invoices"]) == 5


def updated(xapi, made):
    return xapi.one("Invoices", made["InvoiceID"])["UpdatedDateUTC"]


def test_the_feed_does_not_see_due_dates_and_sending_of_part_paid_invoices(xapi, keeper, five, clock):
    part, whole = five[0], five[1]
    keeper.pay(part["InvoiceID"], "40.00")
    clock.advance(minutes=1)
    before, before_whole = updated(xapi, part), updated(xapi, whole)
    keeper.edit(part["InvoiceID"], DueDate="2026-06-30")
    keeper.edit(part["InvoiceID"], SentToContact=True)
    xapi.call("POST", f"/Invoices/{part['InvoiceID']}/Email", {})
    assert updated(xapi, part) == before
    assert xapi.one("Invoices", part["InvoiceID"])["DueDateString"] == "2026-06-30T00:00:00"
    keeper.edit(whole["InvoiceID"], DueDate="2026-06-30")
    assert updated(xapi, whole) != before_whole  # nothing is applied to that one
    keeper.edit(part["InvoiceID"], Reference="PO 7")
    assert updated(xapi, part) != before


def test_a_contacts_balance_does_not_move_its_date(xapi, keeper, bluebird, clock):
    before = xapi.one("Contacts", bluebird)["UpdatedDateUTC"]
    clock.advance(minutes=1)
    keeper.invoice(bluebird, "10.00")
    shown = xapi.one("Contacts", bluebird)
    assert shown["UpdatedDateUTC"] == before
    assert shown["IsCustomer"] is True


def test_payments_allocations_and_voids_move_the_date(xapi, keeper, five, bluebird, clock):
    credit = keeper.credit_note(bluebird, "20.00")
    for act, made in (
        (lambda: keeper.pay(five[0]["InvoiceID"], "1.00"), five[0]),
        (lambda: keeper.allocate(credit["CreditNoteID"], five[1]["InvoiceID"], "5.00"), five[1]),
        (lambda: keeper.void(five[2]["InvoiceID"]), five[2]),
    ):
        clock.advance(minutes=1)
        before = updated(xapi, made)
        act()
        assert updated(xapi, made) != before


# ---- filters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('Status=="AUTHORISED"', [1, 2, 3, 4, 5]),
        ('Status="VOIDED"', []),
        ('InvoiceNumber=="I-2"', [2]),
        ("AmountDue>200", [3, 4, 5]),
        ("AmountDue>=200 AND AmountDue<400.00", [2, 3]),
        ("Date>=DateTime(2026,02,02) && Date<DateTime(2026, 02, 04)", [2, 3]),
        ("DueDate<DateTime(2026,03,02)", [1]),
        ('Contact.Name=="bluebird CAFE"', [1, 2, 3, 4, 5]),
        ('Contact.Name=="Blüebird Café"', [1, 2, 3, 4, 5]),
        ('Contact.ContactID==guid("{contact}")', [1, 2, 3, 4, 5]),
        ('Contact.ContactID==Guid("00000000-0000-0000-0000-000000000000")', []),
        ('InvoiceID==guid("{first}") OR InvoiceID==guid("{last}")', [1, 5]),
        ('InvoiceID==guid("{first}") || InvoiceID==guid("{last}")', [1, 5]),
        ('Type=="ACCREC" AND AmountPaid==0', [1, 2, 3, 4, 5]),
        ("!(AmountDue>200)", [1, 2]),
        ('InvoiceNumber.StartsWith("I-") AND InvoiceNumber.EndsWith("3")', [3]),
        ('InvoiceNumber.Contains("4")', [4]),
        ("Reference==null", []),
        ("FullyPaidOnDate==null", [1, 2, 3, 4, 5]),
        ("SentToContact", []),
        ("SentToContact==false", [1, 2, 3, 4, 5]),
    ],
    ids=str,
)
def test_where(xapi, five, bluebird, where, found):
    asked = where.format(contact=bluebird, first=five[0]["InvoiceID"], last=five[4]["InvoiceID"])
    assert numbers(xapi.get("/Invoices", where=asked)) == [f"I-{n}" for n in found]


@pytest.mark.parametrize(
    "where",
    [
        'Status=="AUTHORISED',
        "Status==",
        "==5",
        "Status AND",
        '(Status=="PAID"',
        'Colour=="red"',
        "Date>DateTime(2026,13,01)",
        'AmountDue>"much"',
        'Status=="PAID" extra',
        "Status==$",
        "Status==Now()",
    ],
)
def test_a_where_that_cannot_be_read_is_400(xapi, five, where):
    answer = xapi.send("GET", "/Invoices", where=where)
    assert (answer.status, parse_json(answer.body)["Type"]) == (400, "QueryParseException")


def test_lists_of_ids_numbers_contacts_and_statuses(xapi, keeper, five, bluebird):
    other = keeper.contact("Other")["ContactID"]
    keeper.invoice(other, "9.00", number="O-1")
    keeper.void(five[4]["InvoiceID"])
    ids = ",".join(one["InvoiceID"] for one in five[:2])
    assert numbers(xapi.get("/Invoices", IDs=ids)) == ["I-1", "I-2"]
    assert numbers(xapi.get("/Invoices", InvoiceNumbers="I-3,O-1")) == ["I-3", "O-1"]
    assert numbers(xapi.get("/Invoices", ContactIDs=other)) == ["O-1"]
    assert numbers(xapi.get("/Invoices", Statuses="VOIDED,DELETED")) == ["I-5"]
    assert numbers(xapi.get("/Invoices", searchTerm="o-1")) == ["O-1"]
    assert numbers(xapi.get("/Invoices", createdByMyApp="true")) == []


def test_the_default_order_is_by_change_then_id(xapi, keeper, five, clock):
    keeper.edit(five[1]["InvoiceID"], Reference="moved")
    assert numbers(xapi.get("/Invoices")) == ["I-1", "I-3", "I-4", "I-5", "I-2"]
    assert numbers(xapi.get("/Invoices", order="DueDate DESC")) == ["I-5", "I-4", "I-3", "I-2", "I-1"]
    assert numbers(xapi.get("/Invoices", order="Status, InvoiceNumber ASC")) == [
        f"I-{n}" for n in range(1, 6)
    ]
    assert xapi.send("GET", "/Invoices", order="DueDate sideways").status == 400


def test_equal_moments_are_ordered_by_id(xapi, keeper, bluebird):
    for n in range(20):
        keeper.invoice(bluebird, "1.00", number=f"N{n}")
    for one in keeper.core.papers.values():
        one.updated_ms = 1
    seen = [
        one["InvoiceID"]
        for page in range(1, 6)
        for one in xapi.get("/Invoices", page=page, pageSize=4)["Invoices"]
    ]
    assert seen == sorted(seen)
    assert len(set(seen)) == 20


def test_a_record_that_changes_while_one_pages_comes_again_at_the_end(xapi, keeper, five):
    seen = numbers(xapi.get("/Invoices", page=1, pageSize=2))
    keeper.edit(five[0]["InvoiceID"], Reference="changed")
    for page in (2, 3):
        seen += numbers(xapi.get("/Invoices", page=page, pageSize=2))
    # I-3 moved to the page that had been read: the trap a reader must know.
    assert seen == ["I-1", "I-2", "I-4", "I-5", "I-1"]


def test_too_many_records_are_400(xero, xapi, five):
    xero.switches.threshold = 4
    assert xapi.send("GET", "/Invoices").status == 400
    assert xapi.send("GET", "/Invoices", page=1).status == 200
    assert xapi.send("GET", "/Invoices", page=1, order="Total").status == 400  # not an optimised field
    assert xapi.send("GET", "/Invoices", page=1, where='Status=="PAID" OR Status=="VOIDED"').status == 400
    assert xapi.send("GET", "/Invoices", page=1, where='Status=="AUTHORISED"').status == 200


def test_an_invoice_by_its_number(xapi, five):
    assert xapi.one("Invoices", "I-3")["InvoiceID"] == five[2]["InvoiceID"]
    assert xapi.send("GET", "/Invoices/I-99").status == 404


def test_archived_contacts_hide_and_merged_ones_point(xapi, keeper, bluebird, five):
    other = keeper.contact("Bluebird Coffee", ContactNumber="C-2")["ContactID"]
    keeper.merge(bluebird, other)
    assert [one["Name"] for one in xapi.get("/Contacts")["Contacts"]] == ["Bluebird Coffee"]
    everyone = xapi.get("/Contacts", includeArchived="true", page=1)["Contacts"]
    merged = next(one for one in everyone if one["ContactID"] == bluebird)
    assert (merged["ContactStatus"], merged["MergedToContactID"]) == ("ARCHIVED", other)
    listed = xapi.get("/Contacts", includeArchived="true")["Contacts"]
    assert not any("MergedToContactID" in one for one in listed)
    assert {one["Contact"]["ContactID"] for one in xapi.get("/Invoices", page=1)["Invoices"]} == {other}
    assert xapi.one("Contacts", "C-2")["ContactID"] == other


def test_unit_prices_have_two_decimals_unless_four_are_asked_for(xapi, bluebird):
    fine = invoice(bluebird, LineItems=[line("0.1234", Quantity=1000)])
    made = xapi.put("Invoices", fine, unitdp=4)
    assert made["Total"] == Decimal("123.40")
    assert made["LineItems"][0]["UnitAmount"] == Decimal("0.1234")
    read = xapi.one("Invoices", made["InvoiceID"])
    assert (read["LineItems"][0]["UnitAmount"], read["Total"]) == (Decimal("0.12"), Decimal("123.40"))
    assert xapi.put("Invoices", fine)["Total"] == Decimal("120.00")


def test_absent_values_are_absent_and_empty_lists_stand_for_none(xapi, five):
    answer = xapi.send("GET", f"/Invoices/{five[0]['InvoiceID']}")
    assert b"null" not in answer.body
    (shown,) = parse_json(answer.body)["Invoices"]
    assert "FullyPaidOnDate" not in shown
    assert shown["Payments"] == shown["CreditNotes"] == []


def test_quoted_numbers_and_booleans_on_request(xero, xapi, five):
    xero.judge = None
    xero.switches.quoted_numbers = xero.switches.quoted_booleans = True
    shown = xapi.one("Invoices", five[0]["InvoiceID"])
    assert (shown["Total"], shown["SentToContact"]) == ("100.00", "false")


def test_one_strange_record_on_request(xero, xapi, keeper, five):
    xero.judge = None
    keeper.strange(five[1]["InvoiceID"], Status="HIBERNATING", DueDate=None)
    found = xapi.get("/Invoices", page=1)["Invoices"]
    assert [one["Status"] for one in found] == ["AUTHORISED", "HIBERNATING", *["AUTHORISED"] * 3]
    assert found[1]["DueDate"] is None
    keeper.ordinary()
    assert xapi.one("Invoices", five[1]["InvoiceID"])["Status"] == "AUTHORISED"


def test_every_list_answers_its_filters(xapi, keeper, five, bluebird):
    keeper.pay(five[0]["InvoiceID"], "1.00", reference="R-1")
    keeper.batch([(five[1]["InvoiceID"], "2.00")], reference="B-1")
    over = keeper.overpayment(bluebird, "5.00", reference="OVER")
    keeper.prepayment(bluebird, "5.00", reference="I-9")
    assert over["OverpaymentID"]
    assert len(xapi.get("/Payments", where='Reference=="R-1"')["Payments"]) == 1
    asked = f'Invoice.InvoiceId==guid("{five[0]["InvoiceID"]}") AND Status=="AUTHORISED"'
    assert len(xapi.get("/Payments", where=asked)["Payments"]) == 1
    assert len(xapi.get("/Payments", where='PaymentType=="ACCRECPAYMENT"', page=1)["Payments"]) == 2
    assert (
        len(xapi.get("/BatchPayments", where='Type=="RECBATCH" AND Status=="AUTHORISED"')["BatchPayments"])
        == 1
    )
    assert len(xapi.get("/Overpayments", References="OVER")["Overpayments"]) == 1
    assert len(xapi.get("/Prepayments", InvoiceNumbers="I-9")["Prepayments"]) == 1
    assert len(xapi.get("/BankTransactions", where='Type=="RECEIVE-OVERPAYMENT"')["BankTransactions"]) == 1
    assert [one["Code"] for one in xapi.get("/Accounts", where='SystemAccount=="DEBTORS"')["Accounts"]] == [
        "610"
    ]
    assert len(xapi.get("/Contacts", where='EmailAddress=="pay@bluebird.example"')["Contacts"]) == 1
