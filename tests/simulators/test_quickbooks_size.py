"""A hundred thousand invoices: made, paged and followed in seconds."""

import time

import pytest

from arsync.simulators.quickbooks import BulkInvoice, QuickBooksSimulator
from tests.simulators.direct_api import Api

ROWS = 100_000


@pytest.mark.slow
def test_a_large_company(clock):
    sim = QuickBooksSimulator(clock=clock)
    books = sim.add_company("1", name="Large").books
    customers = [books.create_customer(f"Customer {number:04}")["Id"] for number in range(1000)]
    started = time.perf_counter()
    rows = (
        BulkInvoice(customers[number % 1000], 100 + number, "2026-01-05", "2026-02-04", f"B{number}")
        for number in range(ROWS)
    )
    ids = books.add_invoices(rows)
    assert time.perf_counter() - started < 20
    api = Api(sim, "1")
    started = time.perf_counter()
    seen = set()
    for start in range(1, ROWS, 1000):
        found = api.query(f"select * from Invoice startposition {start} maxresults 1000")
        seen.update(one["Id"] for one in found["Invoice"])
    assert len(seen) == ROWS
    assert time.perf_counter() - started < 60
    clock.advance(minutes=1)
    since = clock.moment.isoformat()
    started = time.perf_counter()
    for record_id in ids[:50]:
        record = books.core.records["Invoice"][record_id]
        books.create_payment(record.customer_id, 1, [("Invoice", record_id, 1)])
        api.call("GET", "/cdc", entities="Invoice,Payment,Customer", changedSince=since)
    assert time.perf_counter() - started < 5
    books.audit()
