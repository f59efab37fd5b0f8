"""Statements: nothing in a value can end its quotes."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.quickbooks import query
from tests.connectors.quickbooks.helpers import connector_on

ODD = "O'Brien \\ Sons' & Co"


def unquoted(literal):
    """What a reader of the language sees, and whether the literal ended where it should."""
    assert literal[0] == literal[-1] == "'"
    value, rest = [], iter(literal[1:-1])
    for char in rest:
        assert char != "'", "the quotes ended early"
        value.append(next(rest) if char == "\\" else char)
    return "".join(value)


def test_the_odd_name():
    assert query.literal(ODD) == r"'O\'Brien \\ Sons\' & Co'"


@given(st.text())
def test_no_value_breaks_out_of_its_quotes(value):
    assert unquoted(query.literal(value)) == value


@pytest.mark.parametrize("name", [ODD, "x\\' OR Active = 'y", "100% & more", "Ünïcødé 株式会社", "\\"])
def test_the_platform_finds_exactly_that_name(world, name):
    world.keeper.create_customer("Somebody else")
    number = world.keeper.create_customer(name)["Id"]
    answer = world.connector._company.query(query.select("Customer", query.equals("DisplayName", name)))
    assert [row["Id"] for row in answer["QueryResponse"]["Customer"]] == [number]


def test_a_moment_always_names_its_zone():
    pacific = timezone(timedelta(hours=-8))
    assert query.moment(datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=pacific)) == "2026-01-02T11:04:05+00:00"


def test_a_whole_statement():
    assert query.select(
        "Invoice", "Balance > '0'", query.one_of("Id", ["1", "2"]), order="Id", start=3, rows=5
    ) == (
        "SELECT * FROM Invoice WHERE Balance > '0' AND Id IN ('1', '2') "
        "ORDERBY Id STARTPOSITION 3 MAXRESULTS 5"
    )


def test_constructing_a_connector_asks_nobody():
    connector_on(lambda _: pytest.fail("asked"))
