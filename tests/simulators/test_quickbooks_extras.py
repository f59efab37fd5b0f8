"""Attachments, e-mail, automatic applications, merged customers, the clock, and a state file of any size."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.objects import Attachable, Invoice

from arsync.simulators.quickbooks import QuickBooksSimulator
from arsync.simulators.quickbooks.refusals import Refused
from arsync.simulators.quickbooks.wire import parse_json
from tests.simulators.direct_api import Api, pay_line, ref, sale_line


@pytest.fixture
def customer(books):
    return books.create_customer("O'Brien \\ Sons' & Co")["Id"]


@pytest.fixture
def invoice(books, customer):
    return books.create_invoice(customer, 100)["Id"]


@pytest.fixture
def qb(sim, company):
    """python-quickbooks with its own session, pointed here: no Intuit, no change to its code."""
    with sim.serve() as url:
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

        class Local(QuickBooks):
            api_url_v3 = sandbox_api_url_v3 = f"{url}/v3"

        place = f"{url}/.well-known/openid_configuration"
        with AuthClient(sim.client_id, sim.client_secret, "http://localhost/", place) as auth:
            auth.access_token, auth.refresh_token = sim.grant("9130")
            yield Local(
                auth_client=auth, refresh_token=auth.refresh_token, company_id="9130", minorversion=75
            )
        del os.environ["OAUTHLIB_INSECURE_TRANSPORT"]


# ---- attachments


def multipart(*files, end=b"\r\n"):
    """An upload with the given line ends: (metadata, content) for each file."""
    lines = []
    for number, (metadata, content) in enumerate(files, 1):
        lines += [b"--Boundary", b'Content-Disposition: form-data; name="file_metadata_%02d"' % number]
        lines += [b"Content-Type: application/json", b"", json.dumps(metadata).encode()]
        if content is not None:
            lines += [b"--Boundary", b'Content-Disposition: form-data; name="file_content_%02d"' % number]
            lines += [b"Content-Type: application/pdf", b"", content]
    return end.join([*lines, b"--Boundary--", b""])


def about(kind, record_id, **fields):
    return {"AttachableRef": [{"EntityRef": {"type": kind, "value": record_id}}], **fields}


CONTENT = b"%PDF-1.4\x00\xff\n\n--Boundless--\r\n\r\nend\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["CRLF between the lines", "LF between the lines"])
def test_an_upload_comes_back_byte_for_byte(sim, company, api, invoice, clock, end):
    metadata = about("Invoice", invoice, FileName="remit.pdf", ContentType="application/pdf")
    with sim.serve():
        body = multipart((metadata, CONTENT), end=end)
        made = api.call("POST", "/upload", body)["AttachableResponse"][0]["Attachable"]
        assert (made["FileName"], made["Size"], len(made["Id"])) == ("remit.pdf", len(CONTENT), 19)
        assert made["AttachableRef"][0]["EntityRef"] == {"type": "Invoice", "value": invoice}
        address = api.send("GET", f"/download/{made['Id']}").body.decode()
        assert "X-Amz-Expires=900" in address
        assert requests.get(address, timeout=10).content == CONTENT
        assert requests.get(address.replace("Signature=", "Signature=0"), timeout=10).status_code == 403
        clock.advance(seconds=900)
        assert requests.get(address, timeout=10).status_code == 403
        assert requests.get(api.get("Attachable", made["Id"])["TempDownloadUri"], timeout=10).ok
    assert api.get("Invoice", invoice)["SyncToken"] == "0", "an attachment does not change its invoice"


def test_each_file_of_an_upload_is_answered_for_itself(api, invoice):
    good = about("Invoice", invoice, FileName="a.txt")
    body = multipart((about("Estimate", "75", FileName="b.txt"), b"b"), (good, b"a"))
    answer = api.send("POST", "/upload", body)
    first, second = parse_json(answer.body)["AttachableResponse"]
    assert answer.status == 200
    assert first["Fault"]["Error"][0]["code"] == "6000"
    assert (
        "The entity Estimate 75 that you are trying to link does not exist"
        in (first["Fault"]["Error"][0]["Detail"])
    )
    assert second["Attachable"]["FileName"] == "a.txt"


def test_a_note_needs_no_file(api, books, invoice):
    made = api.post("Attachable", about("Invoice", invoice, Note="promised for Friday"))
    assert "TempDownloadUri" not in made
    link = "AttachableRef.EntityRef"
    found = f"select * from Attachable where {link}.type = '{{}}' and {link}.value = '{{}}'"
    assert api.query(found.format("invoice", invoice))["Attachable"] == [made]
    assert api.query(found.format("invoice", "99")) == {}
    changed = api.post("Attachable", {**made, "Note": "paid"})
    assert (changed["Note"], changed["SyncToken"]) == ("paid", "1")
    api.post("Attachable", {"Id": made["Id"], "SyncToken": "1"}, operation="delete")
    assert api.refused("GET", f"/attachable/{made['Id']}")[1] == "610"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({"Note": "x" * 2001}, "2050", id="a long note"),
        pytest.param({"FileName": "x" * 1001}, "2050", id="a long name"),
        pytest.param({}, "2020", id="nothing"),
        pytest.param(about("Invoice", "99", Note="x"), "6000", id="about nothing"),
    ],
)
def test_notes_that_are_refused(api, body, code):
    assert api.code("Attachable", body) == code


@pytest.mark.parametrize("body", [b"", b"{}", b"--B\r\n\r\n--B--"], ids=["empty", "JSON", "no parts"])
def test_what_is_no_upload(api, body):
    assert api.refused("POST", "/upload", body)[:2] == (400, "2010")


@pytest.mark.slow
def test_the_sdk_uploads_with_line_feeds_and_base64(qb, sim, books, invoice):
    attachment = Attachable()
    attachment.FileName, attachment.ContentType = "scan.pdf", "application/pdf"
    attachment._FileBytes = CONTENT
    saved = attachment.save(qb=qb)
    found = Attachable.get(saved.Id, qb=qb)
    assert (found.FileName, found.Size) == ("scan.pdf", len(CONTENT))
    assert requests.get(found.TempDownloadUri, timeout=10).content == CONTENT
    note = Attachable()
    note.Note = "called"
    assert Attachable.get(note.save(qb=qb).Id, qb=qb).Note == "called"


# ---- e-mail


def test_sending_an_invoice_leaves_its_trace(api, books, company, customer, invoice, clock):
    books.edit("Customer", customer, PrimaryEmailAddr={"Address": "ap@example.com"})
    sent = api.call("POST", f"/invoice/{invoice}/send")["Invoice"]
    assert (sent["EmailStatus"], sent["BillEmail"]) == ("EmailSent", {"Address": "ap@example.com"})
    assert sent["DeliveryInfo"] == {"DeliveryType": "Email", "DeliveryTime": "2026-03-02T10:00:00-08:00"}
    assert sent["SyncToken"] == "1"
    again = api.call("POST", f"/invoice/{invoice}/send", sendTo="other@example.com")["Invoice"]
    assert again["BillEmail"] == {"Address": "other@example.com"}
    assert [mail.to for mail in company.mails] == ["ap@example.com", "other@example.com"]
    body = {"Id": invoice, "SyncToken": "2", "CustomerRef": ref(customer), "Line": again["Line"]}
    assert "DeliveryInfo" in api.post("Invoice", {**body, "PrivateNote": "x"})


def test_forty_a_day(sim, api, invoice, clock):
    statuses = [
        api.send("POST", f"/invoice/{invoice}/send", sendTo="a@example.com").status for _ in range(41)
    ]
    assert statuses == [200] * 40 + [429]
    clock.advance(days=1)
    api.token = sim.grant("9130")[0]
    assert api.send("POST", f"/invoice/{invoice}/send", sendTo="a@example.com").status == 200


def test_what_cannot_be_sent(api, books, customer, invoice):
    assert api.refused("POST", f"/invoice/{invoice}/send")[1] == "2020"
    assert api.refused("POST", "/invoice/99/send", sendTo="a@example.com")[1] == "610"
    assert api.refused("POST", f"/customer/{customer}/send", sendTo="a@example.com")[1] == "500"


@pytest.mark.slow
def test_the_sdk_sends(qb, books, invoice):
    Invoice.get(invoice, qb=qb).send(qb=qb, send_to="sdk@example.com")
    assert books.get("Invoice", invoice)["BillEmail"] == {"Address": "sdk@example.com"}


# ---- what QuickBooks applies by itself


def preferences(api):
    return api.call("GET", "/preferences")["Preferences"]["SalesFormsPrefs"]


def test_a_new_invoice_takes_old_credits_oldest_first(api, books, customer):
    assert preferences(api)["AutoApplyCredit"] is False
    books.change_settings(auto_apply_credit=True)
    assert preferences(api)["AutoApplyCredit"] is True
    old = books.create_credit_memo(customer, 30, date="2026-01-01")["Id"]
    new = books.create_credit_memo(customer, 50, date="2026-02-01")["Id"]
    books.create_credit_memo(books.create_customer("Other")["Id"], 99)
    made = api.post("Invoice", {"CustomerRef": ref(customer), "Line": [sale_line(40)]})
    assert (made["Balance"], made["SyncToken"]) == (0, "1")
    left = [str(api.get("CreditMemo", one)["Balance"]) for one in (old, new)]
    assert left == ["0", "40.00"]
    paid = api.get("Payment", made["LinkedTxn"][0]["TxnId"])
    assert str(paid["TotalAmt"]) == "0"


def test_a_new_credit_memo_takes_old_invoices(api, books, customer, invoice):
    books.change_settings(auto_apply_credit=True)
    made = books.create_credit_memo(customer, "130.50")
    assert (str(made["RemainingCredit"]), api.get("Invoice", invoice)["Balance"]) == ("30.50", 0)


def test_a_new_invoice_takes_money_on_account_but_not_what_is_deposited(api, books, customer):
    books.change_settings(auto_apply_credit=True)
    kept = books.create_payment(customer, 10)["Id"]
    books.create_deposit([kept])
    free = books.create_payment(customer, 25)["Id"]
    made = api.post("Invoice", {"CustomerRef": ref(customer), "Line": [sale_line(40)]})
    assert str(made["Balance"]) == "15.00"
    assert [api.get("Payment", one)["UnappliedAmt"] for one in (kept, free)] == [Decimal("10.00"), 0]


def test_money_of_a_closed_month_is_left_alone(api, books, customer):
    books.change_settings(auto_apply_credit=True)
    paid = books.create_payment(customer, 25, date="2026-01-15")["Id"]
    books.set_closing_date("2026-01-31")
    made = api.post("Invoice", {"CustomerRef": ref(customer), "Line": [sale_line(40)]})
    assert (str(made["Balance"]), api.get("Payment", paid)["SyncToken"]) == ("40.00", "0")


@pytest.mark.parametrize(
    ("on", "lines", "balance", "unapplied"),
    [
        pytest.param(False, [], "100.00", "120.00", id="off: it stays on account"),
        pytest.param(True, [], "0", "20.00", id="on: the oldest invoice is paid"),
        pytest.param(True, [1], "99.00", "119.00", id="on: lines of its own are left as they are"),
    ],
)
def test_a_payment_without_lines_may_be_applied(api, books, customer, invoice, on, lines, balance, unapplied):
    books.change_settings(auto_apply_payments=on)
    body = {"CustomerRef": ref(customer), "TotalAmt": 120}
    made = api.post("Payment", {**body, "Line": [pay_line("Invoice", invoice, one) for one in lines]})
    assert str(made["UnappliedAmt"]) == unapplied
    assert str(api.get("Invoice", invoice)["Balance"]) == balance


# ---- customers that become one


def test_a_merged_customer_hands_everything_over(api, books, customer, invoice):
    kept = books.create_customer("Kept")["Id"]
    child = books.create_customer("Child", parent=customer)["Id"]
    paid = books.create_payment(customer, 30, [("Invoice", invoice, 20)])["Id"]
    cheque = books.create_purchase([("receivable", 5)], customer=customer)["Id"]
    entry = books.create_journal_entry([("Debit", "receivable", 7, customer), ("Credit", "income", 7)])["Id"]
    straight = books.create_deposit(straight=[(customer, 2)])["Id"]
    assert str(books.merge_customers(customer, kept)["Balance"]) == "80.00"
    gone = api.query(f"select * from Customer where Id = '{customer}' and Active in (true, false)")[
        "Customer"
    ][0]
    assert (gone["DisplayName"], gone["Active"], gone["Balance"]) == (
        "O'Brien \\ Sons' & Co (deleted)",
        False,
        0,
    )
    assert api.query(f"select * from Customer where Id = '{customer}'") == {}
    assert api.get("Invoice", invoice)["CustomerRef"] == {"value": kept, "name": "Kept"}
    assert api.get("Payment", paid)["CustomerRef"]["value"] == kept
    assert api.get("Purchase", cheque)["EntityRef"]["value"] == kept
    assert (
        api.get("JournalEntry", entry)["Line"][0]["JournalEntryLineDetail"]["Entity"]["EntityRef"]["value"]
        == kept
    )
    assert api.get("Deposit", straight)["Line"][0]["DepositLineDetail"]["Entity"]["value"] == kept
    assert api.get("Customer", child)["FullyQualifiedName"] == "Kept:Child"
    feed = api.call("GET", "/cdc", entities="Customer,Invoice", changedSince="2026-03-02T00:00:00-08:00")
    assert [one["SyncToken"] for one in feed["CDCResponse"][0]["QueryResponse"][1]["Invoice"]] == ["2"]
    with pytest.raises(Refused):
        books.merge_customers(kept, child)


def test_parent_and_sub_customer_balances_are_not_added_twice(api, books, customer):
    child = books.create_customer("Airport", parent=customer)["Id"]
    below = books.create_customer("Gate 1", parent=child)["Id"]
    for one, value in ((customer, 10), (child, 20), (below, 40)):
        books.create_invoice(one, value)
    shown = {
        one["FullyQualifiedName"].rpartition(":")[2]: (str(one["Balance"]), str(one["BalanceWithJobs"]))
        for one in api.query("select * from Customer")["Customer"]
    }
    assert list(shown.values()) == [("10.00", "70.00"), ("20.00", "60.00"), ("40.00", "40.00")]
    assert api.get("Customer", below)["Level"] == 2
    books.create_payment(customer, 40, [("Invoice", "3", 40)])
    assert str(api.get("Customer", customer)["BalanceWithJobs"]) == "30.00"


# ---- limits that need several at once


def test_the_eleventh_request_at_once_is_refused(sim, company, switches):
    from concurrent.futures import ThreadPoolExecutor

    switches.rate_limits = True
    sim.faults.add("GET /companyinfo", "slow", times=10, delay_s=1.5)
    token = sim.grant("9130")[0]
    with sim.serve() as url, ThreadPoolExecutor(11) as pool:

        def ask(path):
            headers = {"Authorization": f"Bearer {token}"}
            return requests.get(f"{url}/v3/company/9130/{path}", headers=headers, timeout=10).status_code

        slow = []
        for number in range(10):
            slow.append(pool.submit(ask, "companyinfo/9130"))
            while company.at_once < number + 1:
                time.sleep(0.005)
            sim.advance(1)  # so that no second sees ten calls
        assert ask("preferences") == 429
        assert [one.result() for one in slow] == [200] * 10
        assert ask("preferences") == 200


@pytest.mark.parametrize(
    ("shape", "retry_after_s", "status", "content_type"),
    [
        pytest.param("json_429", None, 429, "application/json;charset=utf-8", id="JSON"),
        pytest.param("xml_429", 60, 429, "application/xml", id="XML although JSON was asked"),
        pytest.param("json_403", 7, 403, "application/json;charset=utf-8", id="the old way"),
    ],
)
def test_a_throttle_in_each_of_its_shapes(api, switches, shape, retry_after_s, status, content_type):
    switches.rate_limits, switches.throttle, switches.retry_after_s = True, shape, retry_after_s
    answer = [api.send("GET", "/preferences") for _ in range(11)][-1]
    assert (answer.status, answer.content_type) == (status, content_type)
    assert b"ThrottleExceeded" in answer.body
    assert dict(answer.headers).get("Retry-After") == (str(retry_after_s) if retry_after_s else None)


def test_other_applications_use_the_companys_batches_up(api, switches, clock):
    switches.rate_limits, switches.other_apps_batches = True, 115
    statuses = []
    for _ in range(6):
        clock.advance(seconds=1)
        statuses.append(api.send("POST", "/batch", {"BatchItemRequest": []}).status)
    assert statuses == [200] * 5 + [429]


def test_a_batch_promises_no_order(api, books, switches):
    switches.batch_order = "reversed"
    items = [{"bId": name, "operation": "create", "Customer": {"DisplayName": name}} for name in ("a", "b")]
    answers = api.call("POST", "/batch", {"BatchItemRequest": items})["BatchItemResponse"]
    assert [(one["bId"], one["Customer"]["Id"]) for one in answers] == [("b", "1"), ("a", "2")]


def test_only_what_has_a_value_is_returned(api, books, customer):
    shown = api.get("Customer", customer)
    assert None not in shown.values()
    assert "" not in shown.values()
    assert not {"Notes", "BillAddr", "ParentRef", "PrimaryEmailAddr"} & set(shown)
    body = {"DisplayName": "B", "Notes": "", "BillAddr": {"Line1": None}, "CompanyName": None}
    assert not {"Notes", "CompanyName"} & set(api.post("Customer", body))


def test_minor_versions_below_75_are_answered_as_75(api, customer):
    answers = {api.send("GET", f"/customer/{customer}", minorversion=one).body for one in (1, 40, 74, 75)}
    assert len(answers | {api.send("GET", f"/customer/{customer}").body}) == 1


# ---- the clock


def test_the_clock_is_set_and_goes_on_but_never_back(sim, api, clock):
    sim.set_time(datetime(2026, 4, 1, 9, tzinfo=UTC))
    clock.advance(seconds=5)
    assert sim.now() == datetime(2026, 4, 1, 9, 0, 5, tzinfo=UTC)
    assert api.send("GET", "/customer/1").status == 401, "tokens live on the same clock"
    for bad in (datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 1, 1)):
        with pytest.raises(ValueError, match=r"offset|back"):
            sim.set_time(bad)
    with sim.serve() as url:
        body = {"now": "2026-05-01T00:00:00+00:00"}
        assert (
            requests.post(f"{url}/_control/clock", json=body, timeout=10)
            .json()["now"]
            .startswith("2026-05-01")
        )
        assert requests.get(f"{url}/_control/clock", timeout=10).json()["now"].startswith("2026-05-01")
        body = {"now": "2026-04-01T00:00:00+00:00"}
        assert requests.post(f"{url}/_control/clock", json=body, timeout=10).status_code == 400


def test_five_years_after_consent_no_refresh_helps(sim, company, clock):
    token = sim.grant("9130")[1]
    for _ in range(19):
        clock.advance(days=100)
        assert sim.tokens.hard_expires_in_s(token) > 0 or clock.moment > datetime(2031, 3, 1, tzinfo=UTC)
        if sim.tokens.hard_expires_in_s(token) <= 0:
            break
        token = sim.tokens.refresh(token, "each", 0)[1]
    with pytest.raises(Exception, match="invalid_grant"):
        sim.tokens.refresh(token, "each", 0)


# ---- a page to look at


def test_the_page_of_the_books(sim, company, books, customer, invoice):
    paid = books.create_payment(customer, 30, [("Invoice", invoice, 30)], reference="CHK <7>")["Id"]
    books.create_deposit([paid], others=[("fees", "-1.25")])
    token = sim.grant("9130")[0]
    with sim.serve() as url:
        address = f"{url}/v3/company/9130/query?query=select * from Invoice"
        requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        page = requests.get(f"{url}/_control/books/9130?page=1", timeout=10).text
    for words in ("Control total", "agrees", "Undeposited Funds", "28.75", "Last requests", "CHK &lt;7&gt;"):
        assert words in page
    assert "select * from Invoice" in page
    assert "O&#x27;Brien \\ Sons&#x27; &amp; Co" in page
    assert "differs" not in page
    company.core.ledger.own[books.account("receivable")] += 1
    with sim.serve() as url:
        assert "differs by 0.01" in requests.get(f"{url}/_control/books/9130?page=1", timeout=10).text


# ---- keeping much


def test_a_write_costs_the_state_file_what_it_changed(tmp_path, clock):
    path = tmp_path / "books.json"
    sim = QuickBooksSimulator(clock=clock, state_path=path)
    books = sim.add_company("1", name="Large").books
    customer = books.create_customer("Ann")["Id"]
    invoices = [books.create_invoice(customer, 10)["Id"] for _ in range(50)]
    log = tmp_path / "books.json.log"
    before = log.stat().st_size
    api = Api(sim, "1")
    body = {"CustomerRef": ref(customer), "TotalAmt": 4, "Line": [pay_line("Invoice", invoices[7], 4)]}
    api.post("Payment", body, requestid="r-1")
    books.delete("Invoice", invoices[8])
    books.edit("Invoice", invoices[9], PrivateNote="Zeile\u2028zwei")
    assert log.stat().st_size - before < 20_000
    again = QuickBooksSimulator(clock=clock, state_path=path)
    assert again.companies["1"].books.open_items() == books.open_items()
    assert again.companies["1"].books.all("Invoice") == books.all("Invoice")
    again.companies["1"].books.audit()
    other = Api(again, "1")
    assert other.post("Payment", body, requestid="r-1")["Id"] == "51", "the requestid is remembered too"


def test_bytes_that_are_no_text_do_not_harm_the_state_file(tmp_path, clock):
    """An upload of any bytes, remembered by its requestid; half of a surrogate pair is refused."""
    path = tmp_path / "books.json"
    sim = QuickBooksSimulator(clock=clock, state_path=path)
    sim.add_company("1", name="Kept")
    api = Api(sim, "1")
    body = multipart(({"FileName": "a"}, bytes(range(256))))
    first = api.send("POST", "/upload", body, requestid="u-1").body
    assert api.code("Customer", b'{"DisplayName": "\\uD83D"}', requestid="c-1") == "2010"
    assert api.post("Customer", b'{"DisplayName": "\\ud83d\\ude00"}')["DisplayName"] == "\N{GRINNING FACE}"
    again = Api(QuickBooksSimulator(clock=clock, state_path=path), "1")
    assert again.send("POST", "/upload", body, requestid="u-1").body == first


def test_what_is_not_simulated_says_so(api, invoice):
    assert api.refused("GET", f"/invoice/{invoice}/pdf")[:2] == (400, "500")


def test_a_torn_last_line_is_a_write_that_never_was(tmp_path, clock):
    path = tmp_path / "books.json"
    sim = QuickBooksSimulator(clock=clock, state_path=path)
    books = sim.add_company("1", name="Torn").books
    books.create_customer("Ann")
    log = tmp_path / "books.json.log"
    whole = log.read_bytes()
    books.create_customer("Bob")
    log.write_bytes(log.read_bytes()[:-10])
    again = QuickBooksSimulator(clock=clock, state_path=path)
    assert [one["DisplayName"] for one in again.companies["1"].books.all("Customer")] == ["Ann"]
    again.companies["1"].books.create_customer("Cid")
    third = QuickBooksSimulator(clock=clock, state_path=path)
    assert [one["DisplayName"] for one in third.companies["1"].books.all("Customer")] == ["Ann", "Cid"]
    log.write_bytes(whole)  # a log that belongs to an earlier whole
    fourth = QuickBooksSimulator(clock=clock, state_path=path)
    assert [one["DisplayName"] for one in fourth.companies["1"].books.all("Customer")] == ["Ann", "Cid"]


def test_after_a_restart_no_token_and_no_event_comes_again(tmp_path, clock):
    seen = []
    for _ in range(3):
        sim = QuickBooksSimulator(clock=clock, state_path=tmp_path / "books.json")
        if not sim.companies:
            sim.add_company("1", name="Kept")
            sim.webhooks.register("http://127.0.0.1:9/nobody")
        seen += sim.grant("1")
        sim.companies["1"].books.create_customer(f"C{len(seen)}")
        seen.append(sim.webhooks.waiting[-1].event_id)
    assert len(set(seen)) == 9


def test_a_stopped_simulator_leaves_one_file_and_a_reader_leaves_it_alone(tmp_path, clock):
    path = tmp_path / "books.json"
    sim = QuickBooksSimulator(clock=clock, state_path=path)
    with sim.serve():
        sim.add_company("1", name="Kept").books.create_customer("Ann")
        assert sorted(one.name for one in tmp_path.iterdir()) == ["books.json", "books.json.log"]
        reader = QuickBooksSimulator(clock=clock, state_path=path)
        sim.companies["1"].books.create_customer("Bob")
        assert len(reader.companies["1"].books.all("Customer")) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["books.json"]
    again = QuickBooksSimulator(clock=clock, state_path=path)
    assert len(again.companies["1"].books.all("Customer")) == 2


def test_a_log_longer_than_its_books_is_folded_in(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("arsync.simulators.quickbooks.keeping.SMALLEST_LOG_BYTES", 10_000)
    path = tmp_path / "books.json"
    sim = QuickBooksSimulator(clock=clock, state_path=path)
    books = sim.add_company("1", name="Long").books
    sizes = []
    for number in range(200):
        books.create_customer(f"C{number}")
        log = tmp_path / "books.json.log"
        sizes.append(log.stat().st_size if log.exists() else 0)
    assert sizes != sorted(sizes), "the log was never folded in"
    assert len(QuickBooksSimulator(clock=clock, state_path=path).companies["1"].books.all("Customer")) == 200


def test_tokens_outlive_the_hour_only_in_memory(sim, company, clock):
    sim.grant("9130")
    clock.moment += timedelta(hours=2)
    sim.tokens.forget_expired()
    assert sim.tokens.access == {}
