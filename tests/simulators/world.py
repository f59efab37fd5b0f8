"""A company in which everything happens once: used where answers of every kind are wanted."""

from datetime import date
from decimal import Decimal

from tests.simulators.direct_api import Api, pay_line, ref, sale_line


def busy_year(sim, clock):  # noqa: PLR0915 - a year is long, and nothing in it is alike
    """Play it; the companies are left behind for whoever wants to look."""
    sim.add_company(
        "77",
        name="Everything Ltd",
        multicurrency=True,
        custom_fields=("Crew #",),
        book_close_date=date(2025, 12, 31),
        exchange_rates={"EUR": Decimal("1.0837")},
    )
    api = Api(sim, "77")
    address = {"Line1": "1 Main St", "City": "Bayshore", "PostalCode": "94326"}
    parent = api.post(
        "Customer",
        {
            "DisplayName": "Amy's Birds",
            "PrimaryEmailAddr": {"Address": "amy@example.com"},
            "PrimaryPhone": {"FreeFormNumber": "555"},
            "BillAddr": address,
            "Notes": "early",
        },
    )["Id"]
    child = api.post("Customer", {"DisplayName": "Barn", "ParentRef": ref(parent), "BillWithParent": True})[
        "Id"
    ]
    euro = api.post("Customer", {"DisplayName": "Vögel GmbH", "CurrencyRef": ref("EUR")})["Id"]
    api.post("Vendor", {"DisplayName": "Seed Co"})
    api.post("Employee", {"GivenName": "Emily", "FamilyName": "Platt"})
    term = api.post("Term", {"Name": "1% 5 Net 20", "DueDays": 20, "DiscountPercent": 1, "DiscountDays": 5})[
        "Id"
    ]
    api.post("Term", {"Name": "15th", "DayOfMonthDue": 15, "DueNextMonthDays": 5})
    account = api.post("Account", {"Name": "Lockbox", "AccountType": "Bank", "AccountSubType": "Checking"})[
        "Id"
    ]
    api.post(
        "Item", {"Name": "Cage", "Type": "Service", "UnitPrice": Decimal("12.5"), "IncomeAccountRef": ref(4)}
    )
    api.post("PaymentMethod", {"Name": "Lockbox"})
    discount = {
        "Amount": 0,
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }
    invoice = api.post(
        "Invoice",
        {
            "CustomerRef": ref(child),
            "SalesTermRef": ref(term),
            "Line": [
                sale_line(Decimal("337.50"), Qty=Decimal("4.5"), UnitPrice=75),
                {"Description": "thanks", "DetailType": "DescriptionOnly"},
                discount,
            ],
            "TxnTaxDetail": {"TotalTax": Decimal("26.06")},
            "Deposit": 20,
            "CustomerMemo": {"value": "Thank you"},
            "BillEmail": {"Address": "amy@example.com"},
            "CustomField": [{"DefinitionId": "1", "StringValue": "7"}],
            "PONumber": "PO 1",
        },
    )
    foreign = api.post(
        "Invoice",
        {"CustomerRef": ref(euro), "CurrencyRef": ref("EUR"), "Line": [sale_line(Decimal("99.99"))]},
    )
    credit = api.post("CreditMemo", {"CustomerRef": ref(parent), "Line": [sale_line(10)]})
    clock.advance(minutes=50)
    paid = api.post(
        "Payment",
        {
            "CustomerRef": ref(parent),
            "TotalAmt": 25,
            "PaymentRefNum": "CHK 1",
            "PaymentMethodRef": ref(2),
            "Line": [pay_line("Invoice", invoice["Id"], 30), pay_line("CreditMemo", credit["Id"], 10)],
        },
    )
    api.post(
        "Payment",
        {
            "CustomerRef": ref(euro),
            "TotalAmt": 50,
            "ExchangeRate": Decimal("1.1"),
            "Line": [pay_line("Invoice", foreign["Id"], Decimal("33.33"))],
        },
    )
    receipt = api.post("SalesReceipt", {"CustomerRef": ref(parent), "Line": [sale_line(7)]})
    refund = api.post(
        "RefundReceipt",
        {"CustomerRef": ref(parent), "Line": [sale_line(2)], "DepositToAccountRef": ref(account)},
    )
    estimate = api.post(
        "Estimate", {"CustomerRef": ref(parent), "Line": [sale_line(500)], "TxnStatus": "Pending"}
    )
    receivable = sim.companies["77"].books.account("receivable")
    entry = api.post(
        "JournalEntry",
        {
            "Line": [journal_line("Debit", receivable, 12, parent), journal_line("Credit", 4, 12)],
            "PrivateNote": "opening",
        },
    )
    deposit = api.post(
        "Deposit",
        {
            "DepositToAccountRef": ref(account),
            "Line": [
                {"Amount": 25, "LinkedTxn": [{"TxnId": paid["Id"], "TxnType": "Payment", "TxnLineId": "0"}]},
                {"Amount": 7, "LinkedTxn": [{"TxnId": receipt["Id"], "TxnType": "SalesReceipt"}]},
                {
                    "Amount": 3,
                    "DetailType": "DepositLineDetail",
                    "DepositLineDetail": {
                        "AccountRef": ref(receivable),
                        "Entity": {**ref(parent), "type": "CUSTOMER"},
                    },
                },
            ],
            "CashBack": {"AccountRef": ref(4), "Amount": 1},
        },
    )
    segment = api.post("Class", {"Name": "Retail"})["Id"]
    branch = api.post("Department", {"Name": "Bayshore"})["Id"]
    api.post("Class", {"Name": "Online", "ParentRef": ref(segment)})
    taxed = api.post(
        "CreditMemo",
        {
            "CustomerRef": ref(parent),
            "DepartmentRef": ref(branch),
            "TxnTaxDetail": {"TxnTaxCodeRef": ref(2)},
            "Line": [sale_line(4, TaxCodeRef=ref("TAX"), ClassRef=ref(segment))],
        },
    )
    cheque = api.post(
        "Purchase",
        {
            "AccountRef": ref(account),
            "PaymentType": "Check",
            "DocNumber": "1007",
            "EntityRef": {**ref(parent), "type": "Customer"},
            "Line": [
                {
                    "Amount": Decimal("4.32"),
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "AccountBasedExpenseLineDetail": {"AccountRef": ref(receivable)},
                },
                {
                    "Amount": 1,
                    "DetailType": "ItemBasedExpenseLineDetail",
                    "ItemBasedExpenseLineDetail": {"ItemRef": ref(1), "ClassRef": ref(segment)},
                },
            ],
        },
    )
    lines = [
        pay_line("Check", cheque["Id"], Decimal("4.32")),
        pay_line("CreditMemo", taxed["Id"], Decimal("4.32")),
    ]
    api.post("Payment", {"CustomerRef": ref(parent), "TotalAmt": 0, "Line": lines})
    moved = api.post("Transfer", {"FromAccountRef": ref(account), "ToAccountRef": ref(3), "Amount": 2})
    note = {"AttachableRef": [{"EntityRef": {**ref(invoice["Id"]), "type": "Invoice"}}], "Note": "disputed"}
    api.post("Attachable", note)
    upload = (
        b'--B\r\nContent-Disposition: form-data; name="file_metadata_01"\r\n\r\n'
        b'{"FileName":"remit.txt","ContentType":"text/plain","AttachableRef":[{"EntityRef":'
        b'{"type":"Invoice","value":"' + invoice["Id"].encode() + b'"},"IncludeOnSend":true}]}\r\n--B\r\n'
        b'Content-Disposition: form-data; name="file_content_01"\r\n\r\npaid\r\n--B--\r\n'
    )
    api.call("POST", "/upload", upload)
    api.call("POST", f"/invoice/{invoice['Id']}/send", sendTo="bill@example.com")
    void = api.post("Invoice", {"CustomerRef": ref(parent), "Line": [sale_line(1)]})
    api.post("Invoice", {"Id": void["Id"], "SyncToken": "0"}, operation="void")
    gone = api.post("Payment", {"CustomerRef": ref(parent), "TotalAmt": 1})
    api.post("Payment", {"Id": gone["Id"], "SyncToken": "0"}, operation="delete")
    api.post("Customer", {"Id": child, "SyncToken": "0", "sparse": True, "Active": False})
    made = {
        "Invoice": invoice,
        "CreditMemo": credit,
        "Payment": paid,
        "SalesReceipt": receipt,
        "RefundReceipt": refund,
    }
    out = {"Purchase": cheque, "Transfer": moved}
    for kind, record in {
        **made,
        "Estimate": estimate,
        "JournalEntry": entry,
        "Deposit": deposit,
        **out,
    }.items():
        api.get(kind, record["Id"])
    kinds = (
        "Invoice,Payment,CreditMemo,Customer,JournalEntry,Deposit,SalesReceipt,RefundReceipt,"
        "Term,Account,Item"
    )
    api.call("GET", "/cdc", entities=kinds, changedSince="2026-03-01T00:00:00-08:00")
    for kind in (
        *kinds.split(","),
        "Vendor",
        "Employee",
        "Class",
        "Department",
        "TaxCode",
        "TaxRate",
        "Attachable",
        "PaymentMethod",
        "Estimate",
        "CompanyInfo",
        "Preferences",
    ):
        api.query(f"select * from {kind}")
    api.query("select * from Customer where Active in (true, false)")
    return api


def journal_line(side, account, amount, customer=None):
    detail = {"PostingType": side, "AccountRef": ref(account)}
    if customer:
        detail["Entity"] = {"Type": "Customer", "EntityRef": ref(customer)}
    return {"Amount": amount, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}
