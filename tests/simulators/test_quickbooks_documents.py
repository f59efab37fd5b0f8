"""Invoices, credit memos, lists and what QuickBooks refuses."""

from datetime import date
from decimal import Decimal

import pytest

from arsync.simulators.quickbooks.wire import dump_json
from tests.simulators.direct_api import Api, pay_line, ref, sale_line
from tests.simulators.world import journal_line


@pytest.fixture
def customer(books):
    return books.create_customer("Bluebird Cafe")["Id"]


def make(api, customer, amount=100, **fields):
    return api.post("Invoice", {"CustomerRef": ref(customer), "Line": [sale_line(amount)], **fields})


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        pytest.param("Invoice", {"BadJson": True}, "2010", id="an unknown property"),
        pytest.param("Invoice", {"CustomerRef": {"valeu": "1"}}, "2010", id="an unknown property inside"),
        pytest.param("Invoice", b"{not json", "2010", id="no JSON"),
        pytest.param("Invoice", {"Line": [sale_line(1)]}, "2020", id="no customer"),
        pytest.param("Invoice", {"CustomerRef": ref(1)}, "2020", id="no lines"),
        pytest.param("Payment", {"CustomerRef": ref(1)}, "2020", id="a payment without a total"),
        pytest.param("Payment", {"TotalAmt": 1}, "2020", id="a payment without a customer"),
        pytest.param("Invoice", {"Id": "abc", "SyncToken": "0"}, "2030", id="an Id in letters"),
        pytest.param("Invoice", {"Id": "999", "SyncToken": "0"}, "610", id="an Id that never was"),
        pytest.param(
            "Invoice", {"CustomerRef": ref(99), "Line": [sale_line(1)]}, "2500", id="an unknown customer"
        ),
        pytest.param("Payment", {"PaymentRefNum": "x" * 22}, "2050", id="a reference of 22 characters"),
        pytest.param("Invoice", {"DocNumber": "x" * 22}, "2050", id="a number of 22 characters"),
        pytest.param(
            "Invoice", {"CustomerMemo": {"value": "x" * 1001}}, "2050", id="a memo of 1001 characters"
        ),
        pytest.param("Invoice", {"PrivateNote": "x" * 4001}, "2050", id="a note of 4001 characters"),
        pytest.param("Payment", {"TotalAmt": "ten"}, "2080", id="an amount in words"),
        pytest.param("Payment", {"TxnDate": "tomorrow"}, "2090", id="a date in words"),
        pytest.param("Invoice", {"EmailStatus": "Maybe"}, "2170", id="an unknown status"),
        pytest.param("Customer", {"Notes": "nameless"}, "2020", id="a customer without a name"),
        pytest.param(
            "Customer", {"DisplayName": "bluebird cafe"}, "6240", id="a name that exists, in other case"
        ),
        pytest.param(
            "Vendor", {"DisplayName": "Bluebird Cafe"}, "6240", id="a vendor with a customer's name"
        ),
        pytest.param(
            "Customer",
            {"DisplayName": "E", "CurrencyRef": ref("EUR")},
            "6000",
            id="a foreign customer at home",
        ),
    ],
)
def test_refusals(api, customer, kind, body, code):
    assert api.code(kind, body) == code


def test_quantity_times_price_must_be_the_amount(api, customer):
    line = sale_line(Decimal("337.51"), Qty=Decimal("4.5"), UnitPrice=75)
    assert api.code("Invoice", {"CustomerRef": ref(customer), "Line": [line]}) == "6070"
    line["Amount"] = Decimal("337.50")
    made = api.post("Invoice", {"CustomerRef": ref(customer), "Line": [line]})
    detail = made["Line"][0]["SalesItemLineDetail"]
    assert (str(detail["Qty"]), str(detail["UnitPrice"])) == ("4.5", "75")


def test_discount_tax_and_prepayment_make_the_balance(api, customer):
    discount = {
        "DetailType": "DiscountLineDetail",
        "Amount": 1,
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }
    body = {"CustomerRef": ref(customer), "Line": [sale_line(Decimal("99.99")), discount], "Deposit": 20}
    made = api.post("Invoice", {**body, "TxnTaxDetail": {"TotalTax": Decimal("7.20")}})
    shown = [str(made[name]) for name in ("TotalAmt", "Deposit", "Balance")]
    assert shown == ["97.19", "20.00", "77.19"]
    assert [line["DetailType"] for line in made["Line"]] == [
        "SalesItemLineDetail",
        "SubTotalLineDetail",
        "DiscountLineDetail",
    ]


@pytest.mark.parametrize(
    ("term", "issued", "due"),
    [
        pytest.param(None, "2026-01-31", "2026-03-02", id="no term means thirty days"),
        pytest.param({"Name": "T", "DueDays": 10}, "2026-01-31", "2026-02-10", id="ten days"),
        pytest.param(
            {"Name": "T", "DayOfMonthDue": 31, "DueNextMonthDays": 5},
            "2026-02-10",
            "2026-02-28",
            id="end of a short month",
        ),
        pytest.param(
            {"Name": "T", "DayOfMonthDue": 15, "DueNextMonthDays": 5},
            "2026-12-12",
            "2027-01-15",
            id="too close, next year",
        ),
        pytest.param({"Name": "T", "DayOfMonthDue": 10}, "2026-12-11", "2027-01-10", id="already past"),
    ],
)
def test_due_dates(api, customer, term, issued, due):
    terms = {"SalesTermRef": ref(api.post("Term", term)["Id"])} if term else {}
    assert make(api, customer, TxnDate=issued, **terms)["DueDate"] == due


def test_transactions_share_their_ids_and_lists_have_their_own(api, books, customer):
    ids = [make(api, customer)["Id"], books.create_payment(customer, 5)["Id"], make(api, customer)["Id"]]
    assert ids == ["1", "2", "3"]
    assert [books.create_customer("B")["Id"], api.post("Vendor", {"DisplayName": "V"})["Id"]] == ["2", "3"]


def test_a_sparse_update_keeps_and_a_full_update_clears(api, customer):
    made = make(api, customer, PrivateNote="note", PONumber="PO 1")
    token = {"Id": made["Id"], "SyncToken": "0"}
    sparse = api.post("Invoice", {**token, "sparse": True, "PONumber": "PO 2"})
    assert (sparse["PrivateNote"], sparse["PONumber"], sparse["SyncToken"]) == ("note", "PO 2", "1")
    full = api.post(
        "Invoice", {**token, "SyncToken": "1", "CustomerRef": ref(customer), "Line": made["Line"]}
    )
    assert "PrivateNote" not in full
    assert (full["DocNumber"], full["TxnDate"], full["SyncToken"]) == (
        made["DocNumber"],
        made["TxnDate"],
        "2",
    )


def test_sending_back_an_invoice_changes_nothing(api, customer):
    made = make(api, customer)
    assert api.post("Invoice", made) == made
    deactivated = {"Id": customer, "SyncToken": "0", "sparse": True, "Active": True}
    assert api.post("Customer", deactivated)["SyncToken"] == "0"


def test_voiding_an_invoice(api, customer):
    made = make(api, customer, PrivateNote="call first")
    void = api.post("Invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="void")
    assert (void["TotalAmt"], void["Balance"], void["SyncToken"]) == (0, 0, "1")
    assert {str(line["Amount"]) for line in void["Line"]} == {"0"}
    assert void["PrivateNote"] == "Voided - call first"
    assert [one["Id"] for one in api.query("select * from Invoice")["Invoice"]] == [made["Id"]]


@pytest.mark.parametrize("operation", ["void", "delete"])
def test_a_paid_invoice_goes_and_its_payment_stays(api, books, customer, operation):
    made = make(api, customer, 20)
    paid = books.create_payment(customer, 20, [("Invoice", made["Id"], 20)])
    api.post("Invoice", {"Id": made["Id"], "SyncToken": "1"}, operation=operation)
    now = api.get("Payment", paid["Id"])
    assert (str(now["UnappliedAmt"]), now["Line"], now["SyncToken"]) == ("20.00", [], "1")


def test_or_it_is_refused(api, books, customer, switches):
    switches.void_paid_invoice = "refuse"
    made = make(api, customer, 20)
    books.create_payment(customer, 20, [("Invoice", made["Id"], 20)])
    assert api.code("Invoice", {"Id": made["Id"], "SyncToken": "1"}, operation="void") == "6000"


def test_a_credit_memo_cannot_be_voided(api, books, customer):
    made = books.create_credit_memo(customer, 5)
    assert api.refused("POST", "/creditmemo", {"Id": made["Id"], "SyncToken": "0"}, operation="void")[:2] == (
        400,
        "500",
    )


def test_an_invoice_made_smaller_lets_go_of_what_is_too_much(api, books, customer):
    made = make(api, customer, 20)
    paid = books.create_payment(customer, 20, [("Invoice", made["Id"], 20)])
    books.edit("Invoice", made["Id"], Line=[sale_line(15)])
    assert api.get("Invoice", made["Id"])["Balance"] == 0
    assert str(api.get("Payment", paid["Id"])["UnappliedAmt"]) == "5.00"


def test_numbers_by_themselves_and_by_hand(sim, api, customer):
    assert [make(api, customer, DocNumber="A-1")["DocNumber"], make(api, customer)["DocNumber"]] == [
        "1001",
        "1002",
    ]
    sim.add_company("2", name="By hand", custom_txn_numbers=True)
    other = Api(sim, "2")
    theirs = other.post("Customer", {"DisplayName": "C"})["Id"]
    made = make(other, theirs, DocNumber="A-1")
    assert made["DocNumber"] == "A-1"
    assert "DocNumber" not in make(other, theirs)
    assert make(other, theirs, DocNumber="AUTO_GENERATE")["DocNumber"] == "1001"
    body = {"CustomerRef": ref(theirs), "Line": [sale_line(1)], "DocNumber": "A-1"}
    assert other.code("Invoice", body) == "6140"
    sim.companies["2"].books.delete("Invoice", made["Id"])
    assert other.post("Invoice", body)["DocNumber"] == "A-1"


def test_two_sub_customers_may_have_one_name_under_different_parents(books, customer):
    other = books.create_customer("Other")["Id"]
    books.create_customer("Airport", parent=customer)
    child = books.create_customer("Airport", parent=other)
    assert (child["FullyQualifiedName"], child["Level"], child["Job"]) == ("Other:Airport", 1, True)


def test_an_invoice_that_moves_to_another_customer_takes_its_debt_along(api, books, customer):
    other = books.create_customer("Other")["Id"]
    made = make(api, customer, 30)
    books.edit("Invoice", made["Id"], CustomerRef=ref(other))
    assert [str(api.get("Customer", one)["Balance"]) for one in (customer, other)] == ["0", "30.00"]
    books.create_payment(other, 30, [("Invoice", made["Id"], 30)])
    assert books.open_items() == []


@pytest.mark.parametrize("kind", ["CompanyInfo", "Preferences", "TaxCode", "TaxRate"])
def test_what_nobody_creates_survives_the_attempt(api, kind):
    before = api.query(f"select * from {kind}")
    assert api.code(kind, {"Name": "Mine"} if kind.startswith("Tax") else {}) == "500"
    assert api.query(f"select * from {kind}") == before


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        pytest.param(
            "Payment", {"CustomerRef": {"name": "x"}, "TotalAmt": 1}, "2020", id="a nameless customer"
        ),
        pytest.param("Account", {"Name": "x", "AccountSubType": "Odd"}, "2020", id="an account of no type"),
        pytest.param("Invoice", {"Id": "1", "SyncToken": "0", "sparse": {}}, "610", id="an odd flag"),
        pytest.param(
            "Item",
            {"Name": "x", "IncomeAccountRef": ref(1)},
            "6000",
            id="an item that sells into receivables",
        ),
        pytest.param(
            "Invoice",
            {"CustomerRef": ref(1), "Line": [sale_line(1)], "TxnDate": "9999-12-31"},
            "2090",
            id="due after the end of time",
        ),
    ],
)
def test_odd_documents_are_refused_and_break_nothing(api, customer, kind, body, code):
    assert api.code(kind, body) == code


def test_a_class_is_not_below_itself(api):
    above = api.post("Class", {"Name": "A"})
    below = api.post("Class", {"Name": "B", "ParentRef": ref(above["Id"])})
    assert api.code("Class", {**above, "ParentRef": ref(below["Id"])}) == "6000"


def test_a_renamed_customer_is_renamed_everywhere(api, books, customer):
    made = make(api, customer)
    books.edit("Customer", customer, DisplayName="Blackbird")
    assert api.get("Invoice", made["Id"])["CustomerRef"]["name"] == "Blackbird"


def test_an_inactive_customer_gets_no_new_invoice_but_keeps_its_old_one(api, books, customer):
    made = make(api, customer)
    books.deactivate("Customer", customer)
    assert api.code("Invoice", {"CustomerRef": ref(customer), "Line": [sale_line(1)]}) == "610"
    books.edit("Invoice", made["Id"], PrivateNote="still here")
    assert str(api.get("Customer", customer)["Balance"]) == "100.00"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        pytest.param(
            [("Debit", "1", 10, None), ("Credit", "4", 10, None)], "6000", id="receivables without a customer"
        ),
        pytest.param(
            [("Debit", "1", 10, "1"), ("Credit", "4", 9, None)], "6000", id="debits are not credits"
        ),
    ],
)
def test_journal_entries_that_are_refused(api, customer, lines, code):
    assert api.code("JournalEntry", {"Line": [journal_line(*line) for line in lines]}) == code


# ---- closed books


@pytest.fixture
def closed(books, customer):
    made = books.create_invoice(customer, 50, date="2026-01-15")
    books.set_closing_date("2026-01-31")
    return made


@pytest.mark.parametrize(("switch", "code"), [("6210", "6210"), ("5010", "5010")])
def test_a_closed_period_is_refused(api, switches, customer, closed, switch, code):
    switches.closed_period = switch
    late = {"CustomerRef": ref(customer), "TotalAmt": 5, "TxnDate": "2026-01-31"}
    assert api.refused("POST", "/payment", late) == (400, code, "Account Period Closed")
    assert api.code("Invoice", {"Id": closed["Id"], "SyncToken": "0"}, operation="delete") == code
    assert api.code("Invoice", {**closed, "PrivateNote": "x"}) == code
    later = {**late, "TxnDate": "2026-02-01", "Line": [pay_line("Invoice", closed["Id"], 5)]}
    assert str(api.post("Payment", later)["TotalAmt"]) == "5.00"
    preferences = api.query("select * from Preferences")["Preferences"][0]
    assert preferences["AccountingInfoPrefs"]["BookCloseDate"] == "2026-01-31"


def test_or_the_edit_is_answered_and_not_done(api, switches, closed):
    switches.closed_period = "unchanged"
    assert api.post("Invoice", {**closed, "PrivateNote": "x"}) == closed


# ---- several currencies


@pytest.fixture
def euro(sim):
    sim.add_company(
        "3",
        name="Abroad",
        multicurrency=True,
        exchange_rates={"EUR": Decimal("1.10")},
        book_close_date=date(2020, 1, 1),
    )
    api = Api(sim, "3")
    return api, api.post("Customer", {"DisplayName": "Vogel", "CurrencyRef": ref("EUR")})["Id"]


def test_a_foreign_invoice_has_two_amounts(euro, sim):
    api, vogel = euro
    made = make(api, vogel, Decimal("99.99"))
    assert made["CurrencyRef"] == {"value": "EUR", "name": "Euro"}
    assert [str(made[name]) for name in ("Balance", "HomeTotalAmt", "HomeBalance", "ExchangeRate")] == [
        "99.99",
        "109.99",
        "109.99",
        "1.10",
    ]
    paid = {"CustomerRef": ref(vogel), "TotalAmt": Decimal("99.99"), "ExchangeRate": Decimal("1.2")}
    api.post("Payment", {**paid, "Line": [pay_line("Invoice", made["Id"], Decimal("99.99"))]})
    now = api.get("Invoice", made["Id"])
    assert (now["Balance"], now["HomeBalance"]) == (0, 0)
    gain = next(
        one for one in api.query("select * from Account")["Account"] if one["Name"] == "Exchange Gain or Loss"
    )
    assert str(gain["CurrentBalance"]) == "-10.00"
    assert sim.companies["3"].books.receivable_cents() == 0


def test_home_amounts_of_several_payments_add_up(euro, sim):
    """0.10 EUR at 1.05 are 0.11 USD; two halves of 0.05 must not make 0.10."""
    api, vogel = euro
    made = make(api, vogel, Decimal("0.10"), ExchangeRate=Decimal("1.05"))
    for home_left in ("0.06", "0"):
        line = pay_line("Invoice", made["Id"], Decimal("0.05"))
        api.post("Payment", {"CustomerRef": ref(vogel), "TotalAmt": Decimal("0.05"), "Line": [line]})
        assert str(api.get("Invoice", made["Id"])["HomeBalance"]) == home_left
    sim.companies["3"].books.audit()


def test_currencies_do_not_mix(euro):
    api, vogel = euro
    dollar = api.post("Customer", {"DisplayName": "Bird"})["Id"]
    assert (
        api.code("Payment", {"CustomerRef": ref(vogel), "TotalAmt": 1, "CurrencyRef": ref("USD")}) == "6000"
    )
    assert (
        api.code("Customer", {"Id": dollar, "SyncToken": "0", "sparse": True, "CurrencyRef": ref("EUR")})
        == "6000"
    )


def test_home_amounts_are_absent_in_a_company_of_one_currency(api, customer):
    assert not {"HomeBalance", "HomeTotalAmt", "ExchangeRate"} & set(make(api, customer))


def test_number_text(api, customer):
    assert '"TotalAmt":100.00' in dump_json(make(api, customer))
    body = b'{"CustomerRef":{"value":"1"},"TotalAmt":"12.50"}'
    assert str(api.post("Payment", body)["TotalAmt"]) == "12.50"


def test_numbers_in_quotes_can_be_refused(api, customer, switches):
    switches.numbers_as_text = "refuse"
    assert api.code("Payment", b'{"CustomerRef":{"value":"1"},"TotalAmt":"12.50"}') == "2080"
