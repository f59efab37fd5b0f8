"""The aged receivables report: found by keys and ids, believed only if it adds up."""

import pytest

from arsync.connectors.quickbooks.reports import ReportUnreadable, aged_receivables
from tests.connectors.quickbooks.helpers import usd


def columns(*keys):
    listed = [{"ColTitle": "", "ColType": "Customer"}]
    for key in keys:
        listed.append({"ColTitle": key, "ColType": "Money", "MetaData": [{"Name": "ColKey", "Value": key}]})
    return {"Column": listed}


def cells(name, number, *values):
    return {"ColData": [{"value": name, "id": number}, *({"value": value} for value in values)]}


def report(*rows, keys=("current", "old", "total"), currency="USD"):
    return {"Header": {"Currency": currency}, "Columns": columns(*keys), "Rows": {"Row": list(rows)}}


def grand(*values):
    return {"group": "GrandTotal", "type": "Section", "Summary": cells("TOTAL", "", *values)}


def told(document):
    return {one.customer: one.amount for one in aged_receivables(document, "AgedReceivables", "USD")}


def test_each_customer_and_the_whole():
    rows = [cells("Acme", "1", "10.10", "", "10.10"), cells("Bolt", "2", "", "-5.00", "-5.00")]
    assert told(report(*rows, grand("10.10", "-5.00", "5.10"))) == {
        "1": usd("10.10"), "2": usd("-5"), None: usd("5.10")
    }  # fmt: skip


def test_a_parent_counts_its_own_part_once():
    section = {
        "Header": cells("Acme", "1", "10.00", "", "10.00"),
        "Rows": {"Row": [cells("Branch", "2", "20.00", "", "20.00")]},
        "Summary": cells("Total Acme", "", "30.00", "", "30.00"),
        "type": "Section",
    }
    assert told(report(section, grand("30.00", "", "30.00"))) == {
        "1": usd("10"),
        "2": usd("20"),
        None: usd("30"),
    }


def test_a_parent_without_an_own_part_is_no_row():
    section = {
        "Header": {"ColData": [{"value": "Acme", "id": "1"}, {"value": ""}, {"value": ""}, {"value": ""}]},
        "Rows": {"Row": [cells("Branch", "2", "20.00", "", "20.00")]},
        "Summary": cells("Total Acme", "", "20.00", "", "20.00"),
    }
    assert told(report(section, grand("20.00", "", "20.00"))) == {"2": usd("20"), None: usd("20")}


def test_the_total_is_found_by_its_key_wherever_it_stands():
    document = report(
        cells("Acme", "1", "7.00", "7.00", ""), grand("7.00", "7.00", ""), keys=("total", "a", "b")
    )
    assert told(document) == {"1": usd("7"), None: usd("7")}


@pytest.mark.parametrize("rows", [{}, {"Row": []}])
def test_an_empty_report_is_a_total_of_nothing(rows):
    document = {
        "Header": {"Currency": "USD", "Option": [{"Name": "NoReportData", "Value": "true"}]},
        "Rows": rows,
    }
    assert told(document) == {None: usd("0")}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        pytest.param(report(cells("Acme", "1", "1.00", "", "2.00"), grand("", "", "2.00")), "does not add up",
                     id="a row whose buckets are not its total"),
        pytest.param(report(cells("Acme", "1", "1.00", "", "1.00"), grand("2.00", "", "2.00")), "add up",
                     id="customers that are not the total"),
        pytest.param(report(cells("Acme", "", "1.00", "", "1.00"), grand("1.00", "", "1.00")), "no customer",
                     id="a row of nobody"),
        pytest.param(report(cells("Acme", "1", "1.00", "", "1.00")), "no total", id="no total"),
        pytest.param(report(cells("Acme", "1", "1,00", "", "1,00"), grand("", "", "")), "not an amount",
                     id="an amount nobody can read"),
        pytest.param(report(cells("Acme", "1", "1.00"), grand("1.00")), "fewer cells", id="a short row"),
        pytest.param({"Rows": {"Row": [cells("Acme", "1", "1.00")]}}, "no columns", id="no columns"),
    ],
)  # fmt: skip
def test_a_report_that_does_not_add_up_is_refused(document, why):
    with pytest.raises(ReportUnreadable, match=why):
        told(document)


def test_no_customers_is_an_empty_list():
    assert told({**report(), "Rows": {}}) == {None: usd("0")}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"Rows": None}, id="no rows at all"),
        pytest.param({"Rows": []}, id="rows of another shape"),
        pytest.param({"Rows": {"Row": "x"}}, id="a word for rows"),
        pytest.param({"Rows": {"Row": [None]}}, id="a row that is none"),
        pytest.param({"Rows": {"Row": [{"ColData": []}]}}, id="a row without cells"),
        pytest.param({"Rows": {"Row": [{"ColData": ["x"]}]}}, id="a cell that is none"),
        pytest.param({"Columns": {"Column": ["x"]}}, id="a column that is none"),
    ],
)
def test_a_report_of_another_shape_is_no_empty_report(broken):
    whole = report(cells("Acme", "1", "1.00", "", "1.00"), grand("1.00", "", "1.00"))
    with pytest.raises(ReportUnreadable):
        told({**whole, **broken})
