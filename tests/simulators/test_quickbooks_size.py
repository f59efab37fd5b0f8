"""A hundred thousand invoices: made, paged and followed in seconds."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from arsync.simulators.quickbooks import BulkInvoice, QuickBooksSimulator
from tests.simulators.direct_api import Api

ROWS = 100_000


@pytest.mark.slow
def test_a_large_company(clock):
    sim = QuickBooksSimulator(clock=clock)
    books = sim.add_company("1", name="Large").books
    customers = [books.create_customer(f"Customer {number:04}")["Id"] for number in range(1000)]
    started = time.process_time()
    rows = (
        BulkInvoice(customers[number % 1000], 100 + number, "2026-01-05", "2026-02-04", f"B{number}")
        for number in range(ROWS)
    )
    ids = books.add_invoices(rows)
    assert time.process_time() - started < 20
    api = Api(sim, "1")
    started = time.process_time()
    seen = set()
    for start in range(1, ROWS, 1000):
        found = api.query(f"select * from Invoice startposition {start} maxresults 1000")
        seen.update(one["Id"] for one in found["Invoice"])
    assert len(seen) == ROWS
    assert time.process_time() - started < 60
    clock.advance(minutes=1)
    since = clock.moment.isoformat()
    started = time.process_time()
    for record_id in ids[:50]:
        record = books.core.records["Invoice"][record_id]
        books.create_payment(record.customer_id, 1, [("Invoice", record_id, 1)])
        api.call("GET", "/cdc", entities="Invoice,Payment,Customer", changedSince=since)
    assert time.process_time() - started < 5
    books.audit()


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(10_000, marks=pytest.mark.slow, id="ten thousand invoices"),
        pytest.param(ROWS, marks=pytest.mark.long, id="a hundred thousand invoices"),
    ],
)
def test_writing_to_a_large_company_costs_what_is_written(clock, tmp_path, rows):
    """Payments, and looking one document up after each, in a large world that is kept on disk."""
    sim = QuickBooksSimulator(clock=clock, state_path=tmp_path / "books.json")
    books = sim.add_company("1", name="Large").books
    customers = [books.create_customer(f"Customer {number:04}")["Id"] for number in range(1000)]
    ids = books.add_invoices(
        BulkInvoice(customers[number % 1000], 100 + number, "2026-01-05", "2026-02-04", f"B{number}")
        for number in range(rows)
    )
    api = Api(sim, "1")
    api.post("Customer", {"DisplayName": "One more"})  # folds what the bulk has written into the file
    before = (tmp_path / "books.json").stat().st_mtime_ns
    started = time.process_time()
    for number, record_id in enumerate(ids[:200]):
        api.post("Payment", payment(customers[number], record_id), requestid=f"k{number}")
        number_is = f"select * from Invoice where DocNumber = 'B{number}'"
        assert [one["Id"] for one in api.query(number_is)["Invoice"]] == [record_id]
        theirs = api.query(f"select count(*) from Invoice where CustomerRef = '{customers[number]}'")
        assert theirs["totalCount"] == rows // 1000
    assert time.process_time() - started < 8
    assert (tmp_path / "books.json").stat().st_mtime_ns == before, "the whole file was written again"
    books.audit()


def payment(customer, invoice):
    line = {"Amount": 1, "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}
    return {"CustomerRef": {"value": customer}, "TotalAmt": 1, "Line": [line]}


@pytest.mark.slow
def test_fifty_connections_at_once(sim, company, books):
    """Fifty clients, each on a connection of its own, read and write; nothing is lost and nothing is doubled."""
    customer = books.create_customer("Ann")["Id"]
    invoices = [books.create_invoice(customer, 10)["Id"] for _ in range(50)]
    token = sim.grant("9130")[0]
    together = threading.Barrier(50)

    def work(number):
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {token}"
            together.wait(30)
            statuses = []
            for turn in range(6):
                address = f"{url}/v3/company/9130/payment?requestid=c{number}-{turn // 2}"
                body = payment(customer, invoices[number])
                statuses.append(session.post(address, json=body, timeout=60).status_code)
                address = f"{url}/v3/company/9130/invoice/{invoices[number]}"
                statuses.append(session.get(address, timeout=60).status_code)
            return statuses

    with sim.serve() as url, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(work, range(50)))
    assert {status for statuses in answers for status in statuses} == {200}
    assert len(books.all("Payment")) == 150
    assert {str(books.get("Invoice", one)["Balance"]) for one in invoices} == {"7.00"}
    books.audit()
