"""Where money goes: deposits, cheques, transfers, taxes, dimensions; every posting in double entry.

The schema (test_quickbooks_schema.py) checks that no property, enumeration or length here is invented; what is
posted, and the words of a refusal, it cannot know.
"""

from decimal import Decimal

import pytest

from tests.simulators.direct_api import Api, pay_line, ref, sale_line
from tests.simulators.world import journal_line


@pytest.fixture
def customer(books):
    return books.create_customer("O'Brien \\ Sons' & Co")["Id"]


def balances(books):
    """Account name -> balance, without the empty ones."""
    return {one["Name"]: str(one["CurrentBalance"]) for one in books.all("Account") if one["CurrentBalance"]}


def deposit_line(books, account, value, **detail):
    return {
        "Amount": value,
        "DetailType": "DepositLineDetail",
        "DepositLineDetail": {"AccountRef": ref(books.account(account)), **detail},
    }


def linked(kind, record_id, value):
    return {"Amount": value, "LinkedTxn": [{"TxnId": record_id, "TxnType": kind, "TxnLineId": "0"}]}


def deposit(api, books, *lines, **fields):
    return api.post(
        "Deposit", {"DepositToAccountRef": ref(books.account("checking")), "Line": list(lines), **fields}
    )


# ---- deposits


def test_a_deposit_takes_payments_receipts_refunds_and_a_fee_to_the_bank(api, books, customer):
    undeposited = books.account("undeposited")
    paid = books.create_payment(customer, 100)["Id"]
    sold = books.create_sales_receipt(customer, 20)["Id"]
    returned = books.create_refund_receipt(customer, 5, account=undeposited)["Id"]
    found = books.create_journal_entry([("Debit", "undeposited", 7), ("Credit", "income", 7)])["Id"]
    made = deposit(
        api,
        books,
        linked("Payment", paid, 100),
        linked("SalesReceipt", sold, 20),
        linked("RefundReceipt", returned, -5),
        linked("JournalEntry", found, 7),
        deposit_line(books, "fees", Decimal("-2.90")),
        deposit_line(books, "income", 1, Entity={**ref(customer), "type": "CUSTOMER"}, CheckNum="CHK 7"),
        CashBack={"AccountRef": ref(books.account("equity")), "Amount": 10, "Memo": "till"},
    )
    assert str(made["TotalAmt"]) == "110.10"
    assert balances(books) == {
        "Accounts Receivable (A/R)": "-100.00",
        "Bank Charges": "2.90",
        "Checking": "110.10",
        "Opening Balance Equity": "-10.00",
        "Services": "23.00",
    }
    for kind, record_id in (("Payment", paid), ("SalesReceipt", sold), ("JournalEntry", found)):
        token = {"Id": record_id, "SyncToken": api.get(kind, record_id)["SyncToken"]}
        assert api.code(kind, token, operation="delete") == "6540"
    api.post("Deposit", {"Id": made["Id"], "SyncToken": made["SyncToken"]}, operation="delete")
    assert balances(books)["Undeposited Funds"] == "122.00"
    assert books.delete("Payment", paid)["status"] == "Deleted"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(lambda paid, books: linked("Payment", paid, 99), "6000", id="another amount"),
        pytest.param(lambda paid, books: linked("Payment", "777", 10), "2500", id="no such payment"),
        pytest.param(lambda paid, books: linked("Invoice", paid, 10), "2500", id="an invoice"),
        pytest.param(lambda paid, books: {"Amount": 10}, "2020", id="no account"),
        pytest.param(
            lambda paid, books: deposit_line(books, "receivable", 10), "6000", id="receivables, no customer"
        ),
        pytest.param(lambda paid, books: deposit_line(books, "fees", -1), "6000", id="less than nothing"),
        pytest.param(
            lambda paid, books: deposit_line(books, "fees", 1, ClassRef=ref(9)), "2500", id="no such class"
        ),
        pytest.param(
            lambda paid, books: deposit_line(books, "fees", 1, CheckNum="x" * 22), "2050", id="long number"
        ),
    ],
)
def test_a_deposit_that_is_refused_changes_nothing(api, books, customer, line, code):
    paid = books.create_payment(customer, 10)["Id"]
    before = balances(books)
    body = {"DepositToAccountRef": ref(books.account("checking")), "Line": [line(paid, books)]}
    assert api.code("Deposit", body) == code
    assert balances(books) == before
    assert "LinkedTxn" not in api.get("Payment", paid)


def test_a_deposit_goes_to_a_bank(api, books, customer):
    body = {"DepositToAccountRef": ref(books.account("income")), "Line": [deposit_line(books, "fees", 1)]}
    assert api.code("Deposit", body) == "6000"
    straight = {"CustomerRef": ref(customer), "TotalAmt": 1}
    assert api.code("Payment", {**straight, "DepositToAccountRef": ref(books.account("income"))}) == "6000"


def test_a_payment_straight_to_the_bank_cannot_be_deposited(api, books, customer):
    paid = books.create_payment(customer, 10, DepositToAccountRef=ref(books.account("checking")))["Id"]
    body = {"DepositToAccountRef": ref(books.account("checking")), "Line": [linked("Payment", paid, 10)]}
    assert api.code("Deposit", body) == "6000"


def test_the_same_deposit_sent_back_changes_nothing(api, books, customer):
    paid = books.create_payment(customer, 10)["Id"]
    made = deposit(api, books, linked("Payment", paid, 10), deposit_line(books, "fees", -1))
    assert api.post("Deposit", made) == made


# ---- money out


def test_a_cheque_to_a_customer_uses_his_unapplied_credit_up(api, books, customer):
    """A refund: the cheque owes on receivables, a payment of 0 sets credit memo and cheque off."""
    credit = books.create_credit_memo(customer, 30)["Id"]
    cheque = books.create_purchase([("receivable", 30)], customer=customer, DocNumber="1007")
    assert (str(cheque["TotalAmt"]), cheque["DocNumber"]) == ("30.00", "1007")
    assert str(api.get("Customer", customer)["Balance"]) == "0"
    assert [(one["kind"], str(one["open"])) for one in books.open_items()] == [
        ("CreditMemo", "-30.00"),
        ("Purchase", "30.00"),
    ]
    lines = [pay_line("Check", cheque["Id"], 30), pay_line("CreditMemo", credit, 30)]
    paid = api.post("Payment", {"CustomerRef": ref(customer), "TotalAmt": 0, "Line": lines})
    assert [line["LinkedTxn"][0]["TxnType"] for line in paid["Line"]] == ["Check", "CreditMemo"]
    assert api.post("Payment", paid)["SyncToken"] == "0", "what was read can be sent back"
    assert books.open_items() == []
    assert api.get("Purchase", cheque["Id"])["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]
    assert balances(books) == {"Checking": "-30.00", "Services": "-30.00"}
    api.post("Purchase", {"Id": cheque["Id"], "SyncToken": "1"}, operation="delete")
    assert str(api.get("CreditMemo", credit)["Balance"]) == "30.00"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"EntityRef": None}, "6000", id="receivables without a customer"),
        pytest.param({"PaymentType": "Gold"}, "2170", id="an unknown way of paying"),
        pytest.param({"PaymentType": None}, "2020", id="no way of paying"),
        pytest.param({"AccountRef": None}, "2020", id="no bank"),
        pytest.param({"AccountRef": ref(4)}, "6000", id="out of an income account"),
        pytest.param({"Credit": True}, "6000", id="a cheque that is a credit"),
        pytest.param({"Colour": "red"}, "2010", id="an unknown property"),
    ],
)
def test_cheques_that_are_refused(api, books, customer, change, code):
    line = {
        "Amount": 5,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": ref(books.account("receivable"))},
    }
    good = {
        "AccountRef": ref(books.account("checking")),
        "PaymentType": "Check",
        "EntityRef": {**ref(customer), "type": "Customer"},
        "Line": [line],
    }
    assert str(api.post("Purchase", good)["TotalAmt"]) == "5.00"
    assert api.code("Purchase", {**good, **change}) == code


def test_a_fee_paid_by_card_and_given_back(api, books):
    card = books.create_account("Card", "Credit Card", "CreditCard")["Id"]
    fee = books.create_purchase([("fees", "3.10")], account=card, payment_type="CreditCard")
    back = books.create_purchase([("fees", "1.10")], account=card, payment_type="CreditCard", Credit=True)
    assert (fee["Credit"], back["Credit"]) == (False, True)
    assert balances(books) == {"Bank Charges": "2.00", "Card": "2.00"}


def test_a_transfer_between_accounts(api, books):
    body = {"FromAccountRef": ref(books.account("checking")), "ToAccountRef": ref(2), "Amount": 12}
    made = api.post("Transfer", body)
    assert made["FromAccountRef"]["name"] == "Checking"
    assert balances(books) == {"Checking": "-12.00", "Undeposited Funds": "12.00"}
    assert api.code("Transfer", {**body, "ToAccountRef": ref(books.account("receivable"))}) == "6000"
    api.post("Transfer", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    assert balances(books) == {}


def test_payables_need_a_vendor(api, books, customer):
    payable = books.create_account("Accounts Payable", "Accounts Payable", "AccountsPayable")["Id"]
    vendor = api.post("Vendor", {"DisplayName": "Seed Co"})["Id"]
    named = {"Type": "Vendor", "EntityRef": ref(vendor)}
    lines = [journal_line("Credit", payable, 5), journal_line("Debit", books.account("fees"), 5)]
    assert api.code("JournalEntry", {"Line": lines}) == "6000"
    lines[0]["JournalEntryLineDetail"]["Entity"] = named
    made = api.post("JournalEntry", {"Line": lines})
    assert made["Line"][0]["JournalEntryLineDetail"]["Entity"]["EntityRef"]["name"] == "Seed Co"


# ---- taxes


@pytest.mark.parametrize(
    ("lines", "fields", "total", "tax"),
    [
        pytest.param([sale_line(100)], {}, "100.00", "0", id="a line is NON by default"),
        pytest.param(
            [sale_line(100, TaxCodeRef=ref("TAX")), sale_line(50)],
            {"TxnTaxDetail": {"TxnTaxCodeRef": ref(2)}},
            "158.00",
            "8.00",
            id="the document's code taxes the lines that say TAX",
        ),
        pytest.param(
            [sale_line(100, TaxCodeRef=ref("TAX"))], {}, "100.00", "0", id="TAX without a code is no tax"
        ),
        pytest.param(
            [sale_line(100, TaxCodeRef=ref("TAX"))],
            {"TxnTaxDetail": {"TxnTaxCodeRef": ref(2), "TotalTax": Decimal("7.99")}},
            "107.99",
            "7.99",
            id="a written total is taken as it is",
        ),
        pytest.param(
            [
                sale_line(100, TaxCodeRef=ref("TAX")),
                {"Amount": 10, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {}},
            ],
            {"TxnTaxDetail": {"TxnTaxCodeRef": ref(2)}, "ApplyTaxAfterDiscount": True},
            "97.20",
            "7.20",
            id="a discount before tax",
        ),
        pytest.param(
            [
                sale_line(100, TaxCodeRef=ref("TAX")),
                {"Amount": 10, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {}},
            ],
            {"TxnTaxDetail": {"TxnTaxCodeRef": ref(2)}},
            "98.00",
            "8.00",
            id="a discount after tax",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["Invoice", "CreditMemo"])
def test_taxes_in_the_united_states(api, books, customer, kind, lines, fields, total, tax):
    made = api.post(kind, {"CustomerRef": ref(customer), "Line": lines, **fields})
    assert (str(made["TotalAmt"]), str(made["TxnTaxDetail"]["TotalTax"])) == (total, tax)
    assert api.post(kind, made) == made


@pytest.fixture
def british(sim):
    sim.add_company("44", name="Abroad Ltd", country="GB", home_currency="GBP")
    api = Api(sim, "44")
    return api, api.post("Customer", {"DisplayName": "Ann"})["Id"]


def test_taxes_elsewhere_are_in_the_code_of_the_line(british):
    api, ann = british
    codes = {one["Name"]: one["Id"] for one in api.query("select * from TaxCode")["TaxCode"]}
    lines = [
        sale_line(100, TaxCodeRef=ref(codes["20.0% S"])),
        sale_line(Decimal("0.10"), TaxCodeRef=ref(codes["5.0% R"])),
        sale_line(10, TaxCodeRef=ref(codes["Exempt"])),
    ]
    made = api.post("CreditMemo", {"CustomerRef": ref(ann), "Line": lines})
    shown = [
        (line["TaxLineDetail"]["TaxPercent"], str(line["Amount"])) for line in made["TxnTaxDetail"]["TaxLine"]
    ]
    assert shown == [(20, "20.00"), (5, "0.01"), (0, "0")]
    assert (str(made["TotalAmt"]), str(made["RemainingCredit"])) == ("130.11", "130.11")
    assert api.code(
        "CreditMemo", {"CustomerRef": ref(ann), "Line": [sale_line(1, TaxCodeRef=ref("NON"))]}
    ) == ("2500")
    longer = api.post("CreditMemo", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Line": lines[:1]})
    assert str(longer["TotalAmt"]) == "120.00", "new lines are taxed anew"


def test_an_inclusive_amount_is_split(british):
    api, ann = british
    code = api.query("select * from TaxCode where Name = '20.0% S'")["TaxCode"][0]["Id"]
    line = sale_line(Decimal("9.99"), TaxCodeRef=ref(code))
    made = api.post(
        "Invoice", {"CustomerRef": ref(ann), "GlobalTaxCalculation": "TaxInclusive", "Line": [line]}
    )
    detail = made["Line"][0]["SalesItemLineDetail"]
    assert [str(made["Line"][0]["Amount"]), str(detail["TaxInclusiveAmt"])] == ["8.33", "9.99"]
    assert [str(made["TxnTaxDetail"]["TotalTax"]), str(made["TotalAmt"])] == ["1.66", "9.99"]
    assert api.post("Invoice", made) == made


def test_a_missing_tax_code_may_be_refused(british, switches):
    api, ann = british
    body = {"CustomerRef": ref(ann), "Line": [sale_line(1)]}
    assert "TaxCodeRef" not in api.post("Invoice", body)["Line"][0]["SalesItemLineDetail"]
    switches.missing_tax_code = "refuse"
    assert api.code("Invoice", body) == "6000"


def test_tax_codes_are_read_only(api):
    assert api.get("TaxCode", "TAX")["Taxable"] is True
    assert api.code("TaxCode", {"Name": "Mine"}) == "500"
    assert api.code("Class", {"Name": "x" * 101}) == "2050"


# ---- classes, departments, names


def test_classes_and_departments_are_named_where_they_are_used(api, customer):
    above = api.post("Class", {"Name": "Retail"})["Id"]
    below = api.post("Class", {"Name": "Online", "ParentRef": ref(above)})
    branch = api.post("Department", {"Name": "North"})["Id"]
    assert (below["FullyQualifiedName"], below["SubClass"]) == ("Retail:Online", True)
    line = sale_line(1, ClassRef=ref(below["Id"]))
    made = api.post("Invoice", {"CustomerRef": ref(customer), "Line": [line], "DepartmentRef": ref(branch)})
    assert made["DepartmentRef"] == {"value": branch, "name": "North"}
    assert made["Line"][0]["SalesItemLineDetail"]["ClassRef"]["name"] == "Online"
    body = {"CustomerRef": ref(customer), "Line": [line], "DepartmentRef": ref(77)}
    assert api.code("Invoice", body) == "2500"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Account", {"Name": "checking", "AccountType": "Bank"}),
        ("Item", {"Name": "services", "IncomeAccountRef": ref(4)}),
        ("Term", {"Name": "net 30", "DueDays": 3}),
        ("PaymentMethod", {"Name": "CHECK"}),
    ],
)
def test_a_name_is_used_once_in_its_list(api, kind, body):
    assert api.code(kind, body) == "6240"
    assert api.post(kind, {**body, "Name": "another"})["Name"] == "another"


# ---- several currencies


@pytest.fixture
def euro(sim):
    company = sim.add_company("3", name="Abroad", multicurrency=True, exchange_rates={"EUR": Decimal("1.10")})
    api = Api(sim, "3")
    return api, company.books, api.post("Customer", {"DisplayName": "Vogel", "CurrencyRef": ref("EUR")})["Id"]


def euro_bank(books):
    body = {"Name": "Bank EUR", "AccountType": "Bank", "CurrencyRef": ref("EUR")}
    return books.create("Account", body)["Id"]


def test_euros_are_deposited_in_euros_at_the_rate_of_the_day(euro):
    api, books, vogel = euro
    bank = euro_bank(books)
    paid = api.post("Payment", {"CustomerRef": ref(vogel), "TotalAmt": 100})["Id"]
    body = {
        "DepositToAccountRef": ref(bank),
        "ExchangeRate": Decimal("1.2"),
        "Line": [linked("Payment", paid, 100)],
    }
    made = api.post("Deposit", body)
    assert (made["CurrencyRef"]["value"], str(made["TotalAmt"])) == ("EUR", "100.00")
    assert [str(made[name]) for name in ("ExchangeRate", "HomeTotalAmt")] == ["1.2", "120.00"]
    assert balances(books) == {
        "Accounts Receivable (A/R) - EUR": "-100.00",
        "Bank EUR": "100.00",
        "Exchange Gain or Loss": "-10.00",
    }
    books.audit()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda paid, bank: {"CurrencyRef": ref("USD")}, id="a deposit of another currency"),
        pytest.param(
            lambda paid, bank: {"DepositToAccountRef": ref(bank), "CurrencyRef": ref("GBP")},
            id="a bank of another currency",
        ),
    ],
)
def test_currencies_are_not_mixed_on_a_deposit(euro, body):
    api, books, vogel = euro
    paid = api.post("Payment", {"CustomerRef": ref(vogel), "TotalAmt": 100})["Id"]
    common = {"DepositToAccountRef": ref(books.account("checking")), "Line": [linked("Payment", paid, 100)]}
    assert api.code("Deposit", {**common, **body(paid, euro_bank(books))}) == "6000"


def test_euros_may_go_to_a_bank_at_home(euro):
    api, books, vogel = euro
    paid = api.post("Payment", {"CustomerRef": ref(vogel), "TotalAmt": 100})["Id"]
    body = {"DepositToAccountRef": ref(books.account("checking")), "CurrencyRef": ref("EUR")}
    api.post("Deposit", {**body, "Line": [linked("Payment", paid, 100)]})
    assert balances(books)["Checking"] == "110.00"


def test_receivables_in_euros_take_only_euros(euro):
    api, books, vogel = euro
    api.post("Invoice", {"CustomerRef": ref(vogel), "Line": [sale_line(1)]})
    receivable = books.core.receivable_account("EUR", {})
    lines = [journal_line("Debit", receivable, 5, vogel), journal_line("Credit", books.account("income"), 5)]
    assert api.post("JournalEntry", {"Line": lines})["CurrencyRef"]["value"] == "EUR"
    assert api.code("JournalEntry", {"Line": lines, "CurrencyRef": ref("USD")}) == "6000"
    dollar = api.post("Customer", {"DisplayName": "Bird"})["Id"]
    lines = [journal_line("Debit", receivable, 5, dollar), journal_line("Credit", books.account("income"), 5)]
    assert api.code("JournalEntry", {"Line": lines}) == "6000"
