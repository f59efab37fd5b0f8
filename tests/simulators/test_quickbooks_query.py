"""The query language and the change feed."""

from datetime import UTC, datetime, timedelta

import pytest

from arsync.simulators.quickbooks import query
from arsync.simulators.quickbooks.refusals import Refused
from arsync.simulators.quickbooks.wire import parse_moment
from tests.simulators.direct_api import ref, sale_line


@pytest.fixture
def invoices(api, books, clock):
    """Ten invoices of 1.00 to 10.00, one a minute."""
    customer = books.create_customer("Ann")["Id"]
    made = []
    for number in range(1, 11):
        clock.advance(minutes=1)
        made.append(books.create_invoice(customer, number, date=f"2026-01-{number:02}")["Id"])
    return made


def ids(found, kind="Invoice"):
    return [one["Id"] for one in found.get(kind, [])]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("select * from Invoice", 10, id="everything"),
        pytest.param("SELECT * FROM Invoice WHERE Balance > '7'", 3, id="a number in quotes"),
        pytest.param("select * from Invoice where Balance >= 7", 4, id="a bare number"),
        pytest.param("select * from Invoice where TotalAmt = '3.00'", 1, id="three is 3.00"),
        pytest.param("select * from Invoice where Id in ('1', '3', '99')", 2, id="some of a list"),
        pytest.param("select * from Invoice where TxnDate < '2026-01-04'", 3, id="before a day"),
        pytest.param(
            "select * from Invoice where TxnDate > '2026-01-01' and Balance < '4'", 2, id="two conditions"
        ),
        pytest.param("select * from Invoice where CustomerRef = '1'", 10, id="a reference by its Id"),
        pytest.param("select * from Invoice where CustomerRef = '2'", 0, id="nothing"),
        pytest.param("select * from Invoice where DocNumber LIKE '10%'", 10, id="like with a percent sign"),
        pytest.param("select * from Invoice where DocNumber LIKE '%05'", 1, id="like at the end"),
        pytest.param("select * from Invoice MAXRESULTS 4 STARTPOSITION 9", 2, id="paging in this order"),
        pytest.param("select * from Invoice STARTPOSITION 9 MAXRESULTS 4", 2, id="and in that"),
        pytest.param("select * from Invoice startposition 11", 0, id="past the end"),
    ],
)
def test_what_a_query_finds(api, invoices, text, count):
    found = api.query(text)
    assert len(found.get("Invoice", [])) == count
    assert (found == {}) == (count == 0)


def test_orders(api, invoices):
    latest_first = list(reversed(invoices))
    assert ids(api.query("select * from Invoice")) == latest_first
    assert ids(api.query("select * from Invoice ORDERBY TxnDate DESC")) == latest_first
    assert ids(api.query("select * from Invoice ORDER BY TxnDate")) == invoices
    assert ids(api.query("select * from Invoice order by CustomerRef, Id asc")) == invoices
    assert ids(api.query("select * from Invoice orderby Balance desc maxresults 1")) == invoices[-1:]


def test_count_and_paging_numbers(api, invoices):
    assert api.query("select count(*) from Invoice where Balance > '7'") == {"totalCount": 3}
    page = api.query("select * from Invoice startposition 4 maxresults 3")
    assert (page["startPosition"], page["maxResults"]) == (4, 3)


def test_a_page_is_a_hundred_and_never_more_than_a_thousand(api, books):
    customer = books.create_customer("Ann")["Id"]
    from arsync.simulators.quickbooks import BulkInvoice

    books.add_invoices(BulkInvoice(customer, 100, "2026-01-01", "2026-01-31") for _ in range(1100))
    assert len(api.query("select * from Invoice")["Invoice"]) == 100
    assert len(api.query("select * from Invoice maxresults 5000")["Invoice"]) == 1000


def test_a_change_while_paging_shifts_the_pages(api, books, invoices):
    first = ids(api.query("select * from Invoice maxresults 5"))
    books.edit("Invoice", invoices[0], PrivateNote="touched")
    second = ids(api.query("select * from Invoice startposition 6 maxresults 5"))
    assert first[-1] in second
    assert invoices[0] not in first + second


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("selct * from Invoice", "4000", id="a misspelt keyword"),
        pytest.param("select * from Invoice where Balance > '0' or Balance < '0'", "4000", id="OR"),
        pytest.param("select * from Invoice where DocNumber = 'it's'", "4000", id="an open quote"),
        pytest.param("select * from Invoice where", "4000", id="nothing after WHERE"),
        pytest.param("select * from Invoice group by CustomerRef", "4000", id="GROUP BY"),
        pytest.param("select * from Foo", "4001", id="an unknown entity"),
        pytest.param("select * from Invoice where Colour = 'red'", "4001", id="an unknown property"),
        pytest.param(
            "select * from Payment where DocNumber = '1'", "4001", id="a property that cannot be asked for"
        ),
        pytest.param("select * from Invoice startposition 0", "4001", id="positions start at one"),
        pytest.param("select * from Invoice where Balance > 'much'", "4001", id="a word for a number"),
    ],
)
def test_what_a_query_may_not_say(api, text, code):
    assert api.refused("GET", "/query", query=text)[:2] == (400, code)


def test_an_entity_in_lower_case_is_disputed(api, switches, invoices):
    """Intuit's page says that case matters; node-quickbooks asks in lower case for everything."""
    assert len(api.query("select * from invoice")["Invoice"]) == 10
    switches.entity_case = "strict"
    assert api.refused("GET", "/query", query="select * from invoice")[1] == "4001"


def test_quotes_and_backslashes_cannot_break_out(api, books):
    name = "O'Brien \\ Sons' & Co"
    books.create_customer(name)
    books.create_customer("Somebody else")
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    assert [
        one["DisplayName"]
        for one in api.query(f"select * from Customer where DisplayName = '{quoted}'")["Customer"]
    ] == [name]
    with pytest.raises(Refused):
        query.parse("select * from Customer where DisplayName = 'x\\\\' OR Active = \\'y'")


def test_inactive_names_hide_and_show(api, books):
    gone = books.create_customer("Gone Ltd")["Id"]
    books.create_customer("Here Ltd")
    books.deactivate("Customer", gone)
    assert [one["DisplayName"] for one in api.query("select * from Customer")["Customer"]] == ["Here Ltd"]
    both = api.query("select * from Customer where Active IN (true, false)")["Customer"]
    assert [one["DisplayName"] for one in both] == ["Gone Ltd (deleted)", "Here Ltd"]
    assert books.create_customer("Gone Ltd")["Id"] != gone


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        pytest.param(
            datetime(2026, 3, 8, 9, 59, 59, tzinfo=UTC),
            "2026-03-08T01:59:59-08:00",
            id="before the clocks go forward",
        ),
        pytest.param(datetime(2026, 3, 8, 10, 0, 0, tzinfo=UTC), "2026-03-08T03:00:00-07:00", id="and after"),
        pytest.param(
            datetime(2026, 11, 1, 8, 30, 0, tzinfo=UTC),
            "2026-11-01T01:30:00-07:00",
            id="half past one, the first",
        ),
        pytest.param(
            datetime(2026, 11, 1, 9, 30, 0, tzinfo=UTC),
            "2026-11-01T01:30:00-08:00",
            id="half past one, again",
        ),
    ],
)
def test_times_are_pacific_to_the_second(api, sim, clock, books, moment, shown):
    clock.moment = moment + timedelta(milliseconds=700)
    api.token = sim.grant("9130")[0]
    customer = books.create_customer("Ann")
    assert customer["MetaData"]["LastUpdatedTime"] == shown
    assert parse_moment(shown) == int(moment.timestamp())
    text = f"select * from Customer where MetaData.LastUpdatedTime >= '{shown}'"
    assert ids(api.query(text), "Customer") == [customer["Id"]]
    later = (moment + timedelta(seconds=1)).isoformat()
    assert api.query(f"select * from Customer where MetaData.LastUpdatedTime >= '{later}'") == {}


# ---- the change feed


def changes(api, since, entities="Invoice,Payment"):
    return api.call("GET", "/cdc", entities=entities, changedSince=since)["CDCResponse"][0]["QueryResponse"]


def test_changes_since_a_second_and_empty_blocks(api, invoices, clock):
    blocks = changes(api, (clock.moment - timedelta(minutes=2)).isoformat())
    assert ids(blocks[0]) == invoices[-3:]
    assert (blocks[0]["startPosition"], blocks[0]["maxResults"]) == (1, 3)
    assert blocks[1] == {}


def test_a_deleted_object_is_a_stub(api, books, invoices, clock):
    clock.advance(minutes=1)
    books.delete("Invoice", invoices[4])
    block = changes(api, clock.moment.isoformat(), "invoice")[0]
    assert block == {
        "Invoice": [
            {
                "domain": "QBO",
                "status": "Deleted",
                "Id": invoices[4],
                "MetaData": {"LastUpdatedTime": "2026-03-02T10:11:00-08:00"},
            }
        ],
        "maxResults": 1,
        "totalCount": 1,
    }


def test_a_living_object_can_be_called_deleted(api, books, invoices, clock):
    clock.advance(minutes=1)
    books.tell_false_deletion("Invoice", invoices[0])
    assert changes(api, clock.moment.isoformat())[0]["Invoice"][0]["status"] == "Deleted"
    assert api.get("Invoice", invoices[0])["SyncToken"] == "0"
    books.clear_false_deletions()
    assert "status" not in changes(api, clock.moment.isoformat())[0]["Invoice"][0]


def test_a_customer_is_in_the_feed_when_its_balance_moves(api, books, clock):
    customer = books.create_customer("Ann")["Id"]
    clock.advance(minutes=5)
    books.create_invoice(customer, 10)
    row = changes(api, clock.moment.isoformat(), "Customer")[0]["Customer"][0]
    assert (str(row["Balance"]), row["SyncToken"]) == ("10.00", "0")


def test_the_feed_has_a_cap_and_a_window(api, switches, invoices, clock):
    switches.cdc_objects = 4
    start = (clock.moment - timedelta(hours=1)).isoformat()
    assert ids(changes(api, start)[0]) == invoices[:4]
    both = changes(api, start, "Customer,Invoice")
    assert [len(both[0]["Customer"]), len(both[1]["Invoice"])] == [1, 4]
    switches.cdc_cap = "call"
    both = changes(api, start, "Customer,Invoice")
    assert [len(both[0]["Customer"]), len(both[1]["Invoice"])] == [1, 3]
    old = (clock.moment - timedelta(days=31)).isoformat()
    assert api.refused("GET", "/cdc", entities="Invoice", changedSince=old)[0] == 400
    switches.cdc_window = "accept"
    assert changes(api, old) != []


def test_an_old_entry_of_the_log_does_not_come_twice(api, books, invoices, clock):
    for _ in range(3):
        clock.advance(minutes=1)
        books.edit("Invoice", invoices[0], PrivateNote=str(clock.moment))
    found = ids(changes(api, "2026-03-01T00:00:00-08:00")[0])
    assert found == [*invoices[1:], invoices[0]]


def test_new_fields_nobody_announced(api, switches, invoices):
    switches.extra_read_fields = {"Invoice": {"shinyNewThing": {"level": 3}}}
    assert api.get("Invoice", invoices[0])["shinyNewThing"] == {"level": 3}


def test_projection(api, invoices):
    row = api.query("select Id, DocNumber from Invoice maxresults 1")["Invoice"][0]
    assert set(row) == {"Id", "DocNumber", "domain", "sparse"}
    assert (
        "Sku" in query.parse("select *, Sku from Item").fields
        or query.parse("select *, Sku from Item").fields == ()
    )


def test_post_body_query(api, invoices):
    answer = api.send("POST", "/query", b"select count(*) from Invoice")
    assert b'"totalCount":10' in answer.body


def test_invoice_lines_do_not_matter_to_the_feed_of_others(api, books, clock):
    customer = books.create_customer("Ann")["Id"]
    api.post("Invoice", {"CustomerRef": ref(customer), "Line": [sale_line(5)]})
    clock.advance(minutes=1)
    assert (
        changes(api, clock.moment.isoformat(), "Invoice,Customer,Term,Account,Item,PaymentMethod") == [{}] * 6
    )
