"""Payments over the API's door: what they use, what is left, whom they touch."""

from decimal import Decimal

import pytest

from tests.simulators.direct_api import pay_line, ref, sale_line


@pytest.fixture
def customer(books):
    return books.create_customer("Bluebird Cafe")["Id"]


def invoice(api, customer, amount, **fields):
    return api.post("Invoice", {"CustomerRef": ref(customer), "Line": [sale_line(amount)], **fields})


def credit_memo(api, customer, amount):
    return api.post("CreditMemo", {"CustomerRef": ref(customer), "Line": [sale_line(amount)]})


def pay(api, customer, total, *lines, **fields):
    return api.post(
        "Payment", {"CustomerRef": ref(customer), "TotalAmt": total, "Line": list(lines), **fields}
    )


@pytest.mark.parametrize(
    ("invoiced", "total", "used", "balance", "unapplied"),
    [
        pytest.param("100.00", "100.00", "100.00", "0", "0", id="paid in full"),
        pytest.param("100.00", "40.01", "40.01", "59.99", "0", id="paid in part"),
        pytest.param(
            "5.00", "30.00", "5.00", "0", "25.00", id="an overpayment is accepted and stays unapplied"
        ),
        pytest.param("0.30", "0.10", "0.10", "0.20", "0", id="a tenth is a tenth"),
        pytest.param("100.00", "50.00", "0", "100.00", "50.00", id="nothing applied, all on account"),
    ],
)
def test_balance_and_unapplied_amount(api, customer, invoiced, total, used, balance, unapplied):
    made = invoice(api, customer, Decimal(invoiced))
    lines = [pay_line("Invoice", made["Id"], Decimal(used))] if used != "0" else []
    paid = pay(api, customer, Decimal(total), *lines)
    assert str(paid["UnappliedAmt"]) == unapplied
    assert str(api.get("Invoice", made["Id"])["Balance"]) == balance
    owed = Decimal(invoiced) - Decimal(total)
    assert api.get("Customer", customer)["Balance"] == owed


def test_a_payment_bumps_every_document_it_uses_but_not_the_customers_token(api, customer, clock):
    one, other = invoice(api, customer, 10), invoice(api, customer, 20)
    credit = credit_memo(api, customer, 5)
    before = api.get("Customer", customer)
    clock.advance(seconds=90)
    made = pay(
        api,
        customer,
        10,
        pay_line("Invoice", one["Id"], 10),
        pay_line("Invoice", other["Id"], 5),
        pay_line("CreditMemo", credit["Id"], 5),
    )
    for kind, record in (("Invoice", one), ("Invoice", other), ("CreditMemo", credit)):
        now = api.get(kind, record["Id"])
        assert (record["SyncToken"], now["SyncToken"]) == ("0", "1")
        assert now["MetaData"]["LastUpdatedTime"] == made["MetaData"]["LastUpdatedTime"]
        assert now["LinkedTxn"] == [{"TxnId": made["Id"], "TxnType": "Payment"}]
    after = api.get("Customer", customer)
    assert after["SyncToken"] == before["SyncToken"] == "0"
    assert after["MetaData"]["LastUpdatedTime"] > before["MetaData"]["LastUpdatedTime"]


def test_an_invoice_points_back_at_each_of_its_payments_and_only_while_they_last(api, customer):
    """Both sides say the same, without amounts on the invoice's."""
    one = invoice(api, customer, 10)
    first = pay(api, customer, 4, pay_line("Invoice", one["Id"], 4))
    second = pay(api, customer, 5, pay_line("Invoice", one["Id"], 5))
    links = [{"TxnId": paid["Id"], "TxnType": "Payment"} for paid in (first, second)]
    assert api.get("Invoice", one["Id"])["LinkedTxn"] == links
    assert second["Line"][0]["LinkedTxn"] == [{"TxnId": one["Id"], "TxnType": "Invoice"}]
    api.post("Payment", {"Id": first["Id"], "SyncToken": "0"}, operation="delete")
    assert api.get("Invoice", one["Id"])["LinkedTxn"] == links[1:]
    api.post("Payment", {**second, "Line": []})
    assert api.get("Invoice", one["Id"])["LinkedTxn"] == []


def test_editing_bumps_what_is_used_and_what_is_let_go(api, customer):
    one, other = invoice(api, customer, 10), invoice(api, customer, 10)
    made = pay(api, customer, 10, pay_line("Invoice", one["Id"], 10))
    edited = api.post("Payment", {**made, "Line": [pay_line("Invoice", other["Id"], 10)]})
    assert edited["SyncToken"] == "1"
    assert [api.get("Invoice", each["Id"])["SyncToken"] for each in (one, other)] == ["2", "1"]
    assert [str(api.get("Invoice", each["Id"])["Balance"]) for each in (one, other)] == ["10.00", "0"]


def test_sending_back_what_was_read_changes_nothing(api, customer):
    one = invoice(api, customer, 10)
    made = pay(api, customer, 15, pay_line("Invoice", one["Id"], 10), PaymentRefNum="CHK 7")
    assert api.post("Payment", made) == made
    assert api.get("Invoice", one["Id"])["SyncToken"] == "1"


def test_an_empty_line_list_unapplies_everything(api, customer):
    one = invoice(api, customer, 14)
    made = pay(api, customer, 14, pay_line("Invoice", one["Id"], 14))
    edited = api.post("Payment", {**made, "Line": []})
    assert (str(edited["UnappliedAmt"]), edited["Line"]) == ("14.00", [])
    assert str(api.get("Invoice", one["Id"])["Balance"]) == "14.00"
    assert api.get("Invoice", one["Id"])["LinkedTxn"] == []


def test_deleting_gives_the_balance_back_and_leaves_a_stub(api, customer):
    one = invoice(api, customer, 14)
    made = pay(api, customer, 14, pay_line("Invoice", one["Id"], 14))
    token = {"Id": made["Id"], "SyncToken": made["SyncToken"]}
    stub = api.post("Payment", token, operation="delete")
    assert stub == {"domain": "QBO", "status": "Deleted", "Id": made["Id"]}
    now = api.get("Invoice", one["Id"])
    assert (str(now["Balance"]), now["SyncToken"], now["LinkedTxn"]) == ("14.00", "2", [])
    assert api.query("select * from Payment") == {}
    assert api.refused("GET", f"/payment/{made['Id']}") == (400, "610", "Object Not Found")
    assert api.code("Payment", token, operation="delete") == "610"


def test_cash_and_credit_pay_three_invoices_short(api, customer):
    """3 invoices + 1 credit memo + short pay: TotalAmt is the cash and everything ties to the cent."""
    invoices = [invoice(api, customer, Decimal(amount)) for amount in ("100.10", "200.20", "300.30")]
    credit = credit_memo(api, customer, Decimal("50.05"))
    made = pay(
        api,
        customer,
        Decimal("540.50"),
        pay_line("Invoice", invoices[0]["Id"], Decimal("100.10")),
        pay_line("Invoice", invoices[1]["Id"], Decimal("200.20")),
        pay_line("Invoice", invoices[2]["Id"], Decimal("290.25")),
        pay_line("CreditMemo", credit["Id"], Decimal("50.05")),
    )
    assert (str(made["TotalAmt"]), str(made["UnappliedAmt"])) == ("540.50", "0")
    assert str(api.get("Invoice", invoices[2]["Id"])["Balance"]) == "10.05"
    assert str(api.get("CreditMemo", credit["Id"])["RemainingCredit"]) == "0"
    assert str(api.get("Customer", customer)["Balance"]) == "10.05"


@pytest.mark.parametrize("form", ["two lines", "one line with both links"])
def test_a_zero_payment_applies_a_credit_memo(api, customer, form):
    one, credit = invoice(api, customer, 100), credit_memo(api, customer, 30)
    lines = [pay_line("Invoice", one["Id"], 20), pay_line("CreditMemo", credit["Id"], 20)]
    if form == "one line with both links":
        lines = [{"Amount": 20, "LinkedTxn": lines[0]["LinkedTxn"] + lines[1]["LinkedTxn"]}]
    made = pay(api, customer, 0, *lines)
    assert (made["TotalAmt"], made["UnappliedAmt"], len(made["Line"])) == (0, 0, 2)
    assert str(api.get("Invoice", one["Id"])["Balance"]) == "80.00"
    assert str(api.get("CreditMemo", credit["Id"])["RemainingCredit"]) == "10.00"


def test_a_credit_line_of_a_journal_entry_pays_an_invoice(api, books, customer):
    one = invoice(api, customer, 100)
    entry = books.create_journal_entry(
        [("Debit", "bad_debts", "60.00"), ("Credit", "receivable", "60.00", customer)]
    )
    lines = [pay_line("Invoice", one["Id"], 45), pay_line("JournalEntry", entry["Id"], 45)]
    pay(api, customer, 0, *lines)
    assert str(api.get("Invoice", one["Id"])["Balance"]) == "55.00"
    left = {item["kind"]: str(item["open"]) for item in books.open_items()}
    assert left == {"Invoice": "55.00", "JournalEntry": "-15.00"}


def test_one_of_several_journal_lines_is_named_by_its_line_id(api, books, customer):
    entry = books.create_journal_entry(
        [
            ("Debit", "receivable", "70.00", customer),
            ("Debit", "receivable", "30.00", customer),
            ("Credit", "income", "100.00"),
        ]
    )
    pay(api, customer, 30, pay_line("JournalEntry", entry["Id"], 30, line_id="1"))
    assert [(item["line_id"], str(item["open"])) for item in books.open_items()] == [("0", "70.00")]
    body = {"CustomerRef": ref(customer), "TotalAmt": 5, "Line": [pay_line("JournalEntry", entry["Id"], 5)]}
    assert api.code("Payment", body) == "6000"


def test_a_deposit_line_straight_to_receivables_is_a_credit_that_can_be_used(api, books, customer):
    one = invoice(api, customer, 100)
    deposit = books.create_deposit(straight=[(customer, "40.00")])
    assert str(api.get("Customer", customer)["Balance"]) == "60.00"
    pay(api, customer, 0, pay_line("Invoice", one["Id"], 40), pay_line("Deposit", deposit["Id"], 40))
    assert str(api.get("Invoice", one["Id"])["Balance"]) == "60.00"


def refused_payments(api, books, customer):
    one = invoice(api, customer, 10)
    credit = credit_memo(api, customer, 10)
    stranger = books.create_customer("Stranger")["Id"]
    theirs = invoice(api, stranger, 10)
    gone = invoice(api, customer, 10)
    books.delete("Invoice", gone["Id"])
    use = lambda kind, record, amount: pay_line(kind, record["Id"], amount)  # noqa: E731 - table helper
    return {
        "more than the open balance": ("6000", 20, [use("Invoice", one, 11)]),
        "more than was received": ("6000", 5, [use("Invoice", one, 10)]),
        "more credit than invoices": ("6000", 0, [use("CreditMemo", credit, 10)]),
        "another customer's invoice": ("6000", 10, [use("Invoice", theirs, 10)]),
        "a deleted invoice": ("610", 10, [use("Invoice", gone, 10)]),
        "an invoice that never was": ("2500", 10, [pay_line("Invoice", 999, 10)]),
        "a kind that cannot be linked": ("2170", 10, [pay_line("Bill", 1, 10)]),
        "a negative line": ("2240", 10, [use("Invoice", one, -1)]),
        "a line without a link": ("2020", 10, [{"Amount": 5}]),
        "a tenth of a cent": ("2080", Decimal("10.001"), []),
    }


@pytest.mark.parametrize(
    "why",
    [
        "more than the open balance",
        "more than was received",
        "more credit than invoices",
        "another customer's invoice",
        "a deleted invoice",
        "an invoice that never was",
        "a kind that cannot be linked",
        "a negative line",
        "a line without a link",
        "a tenth of a cent",
    ],
)
def test_a_refused_payment_changes_nothing(api, books, customer, why):
    code, total, lines = refused_payments(api, books, customer)[why]
    before = books.open_items()
    body = {"CustomerRef": ref(customer), "TotalAmt": total, "Line": lines}
    assert api.code("Payment", body) == code
    assert books.open_items() == before
    assert api.query("select count(*) from Payment") == {"totalCount": 0}
    books.audit()


def test_a_line_over_the_balance_can_be_cut_instead(api, customer, switches):
    switches.line_over_balance = "cap"
    one = invoice(api, customer, 10)
    made = pay(api, customer, 20, pay_line("Invoice", one["Id"], 15))
    assert (str(made["Line"][0]["Amount"]), str(made["UnappliedAmt"])) == ("10.00", "10.00")


def test_a_parent_pays_its_childs_invoice_but_not_the_other_way(api, books, customer):
    child = books.create_customer("Bluebird Airport", parent=customer)["Id"]
    childs, parents = invoice(api, child, 85), invoice(api, customer, 10)
    now = api.get("Customer", customer)
    assert (str(now["Balance"]), str(now["BalanceWithJobs"])) == ("10.00", "95.00")
    pay(api, customer, 85, pay_line("Invoice", childs["Id"], 85))
    assert api.get("Customer", child)["Balance"] == 0
    assert str(api.get("Customer", customer)["BalanceWithJobs"]) == "10.00"
    body = {"CustomerRef": ref(child), "TotalAmt": 10, "Line": [pay_line("Invoice", parents["Id"], 10)]}
    assert api.code("Payment", body) == "6000"


def test_sparse_payments_are_refused_unless_switched(api, customer, switches):
    made = pay(api, customer, 10)
    body = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "hello"}
    assert api.code("Payment", body) == "2020"
    assert api.code("Payment", body, operation="update", include="void") == "2020"
    switches.sparse_payment = "accept"
    assert api.post("Payment", body)["PrivateNote"] == "hello"


def test_a_sparse_update_keeps_the_lines(api, customer, switches):
    switches.sparse_payment = "accept"
    one = invoice(api, customer, 10)
    made = pay(api, customer, 10, pay_line("Invoice", one["Id"], 10))
    edited = api.post("Payment", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"})
    assert edited["Line"] == made["Line"]


def test_voiding_a_payment_keeps_it_with_nothing(api, customer):
    one = invoice(api, customer, 10)
    made = pay(api, customer, 10, pay_line("Invoice", one["Id"], 10), PrivateNote="cheque")
    void = api.post("Payment", made, operation="update", include="void")
    assert (void["TotalAmt"], void["UnappliedAmt"], void["Line"]) == (0, 0, [])
    assert void["PrivateNote"] == "Voided - cheque"
    assert str(api.get("Invoice", one["Id"])["Balance"]) == "10.00"


def test_money_goes_to_undeposited_funds_unless_told_otherwise(api, books, customer):
    checking = books.account("checking")
    assert pay(api, customer, 10)["DepositToAccountRef"]["name"] == "Undeposited Funds"
    assert (
        pay(api, customer, 10, DepositToAccountRef=ref(checking))["DepositToAccountRef"]["value"] == checking
    )


def test_a_deposited_payment_cannot_be_changed_until_it_leaves_the_deposit(api, books, customer):
    one = invoice(api, customer, 10)
    made = pay(api, customer, 10, pay_line("Invoice", one["Id"], 10))
    other = pay(api, customer, 3)
    deposit = books.create_deposit([made["Id"], other["Id"]])
    assert str(deposit["TotalAmt"]) == "13.00"
    held = api.get("Payment", made["Id"])
    assert held["LinkedTxn"] == [{"TxnId": deposit["Id"], "TxnType": "Deposit"}]
    token = {"Id": made["Id"], "SyncToken": held["SyncToken"]}
    assert api.code("Payment", {**held, "PrivateNote": "x"}) == "6540"
    assert api.code("Payment", token, operation="delete") == "6540"
    assert api.code("Payment", {**held}, operation="update", include="void") == "6540"
    books.edit("Deposit", deposit["Id"], Line=deposit["Line"][1:])
    token["SyncToken"] = api.get("Payment", made["Id"])["SyncToken"]
    assert api.post("Payment", token, operation="delete")["status"] == "Deleted"


def test_a_payment_is_deposited_once(books, api, customer):
    made = pay(api, customer, 10)
    books.create_deposit([made["Id"]])
    body = {
        "DepositToAccountRef": ref(books.account("checking")),
        "Line": [
            {"Amount": 10, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Payment", "TxnLineId": "0"}]}
        ],
    }
    assert api.code("Deposit", body) == "6000"


def test_a_stale_token_names_who_was_first(api, books, customer):
    made = pay(api, customer, 10)
    books.name = "Robin Clerk"
    books.edit("Payment", made["Id"], PrivateNote="seen")
    answer = api.send("POST", "/payment", {**made, "PrivateNote": "mine"})
    assert answer.status == 400
    assert b'"code":"5010"' in answer.body
    assert b"Robin Clerk finished before you did" in answer.body


def test_an_applied_credit_memo_that_is_deleted_opens_its_invoice_again(api, books, customer):
    one, credit = invoice(api, customer, 100), credit_memo(api, customer, 30)
    made = pay(api, customer, 0, pay_line("Invoice", one["Id"], 30), pay_line("CreditMemo", credit["Id"], 30))
    books.delete("CreditMemo", credit["Id"])
    assert str(api.get("Invoice", one["Id"])["Balance"]) == "100.00"
    left = api.get("Payment", made["Id"])
    assert (left["TotalAmt"], left["UnappliedAmt"], left["Line"]) == (0, 0, [])


def test_when_the_invoice_goes_the_credit_is_free_again(api, books, customer):
    """What is left on account is the cash, never the credit memo."""
    one, credit = invoice(api, customer, 100), credit_memo(api, customer, 30)
    made = pay(
        api, customer, 70, pay_line("Invoice", one["Id"], 100), pay_line("CreditMemo", credit["Id"], 30)
    )
    books.delete("Invoice", one["Id"])
    left = api.get("Payment", made["Id"])
    assert (str(left["UnappliedAmt"]), left["Line"]) == ("70.00", [])
    free = api.get("CreditMemo", credit["Id"])
    assert (str(free["RemainingCredit"]), free["SyncToken"]) == ("30.00", "2")
