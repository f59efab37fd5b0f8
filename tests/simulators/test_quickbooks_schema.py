"""The simulator's tables and answers against Intuit's own schema."""

import re
from decimal import Decimal

import pytest

from arsync.simulators.quickbooks.schema import ENTITIES, ENUMERATIONS, STRUCTURES
from arsync.simulators.quickbooks.wire import parse_json
from tests import xsd_oracle
from tests.simulators.world import busy_year

pytestmark = [pytest.mark.corpus, pytest.mark.usefixtures("schema_files")]

TYPES = {
    # our structure -> the schema's type
    "ref": "ReferenceType",
    "meta": "ModificationMetaData",
    "field": "CustomField",
    "memo": "MemoRef",
    "email": "EmailAddress",
    "phone": "TelephoneNumber",
    "web": "WebSiteAddress",
    "address": "PhysicalAddress",
    "attachref": "AttachableRef",
    "link": "LinkedTxn",
    "line": "Line",
    "paymentline": "PaymentLineDetail",
    "discountline": "DiscountLineDetail",
    "taxline": "TaxLineDetail",
    "salesline": "SalesItemLineDetail",
    "depositline": "DepositLineDetail",
    "journalline": "JournalEntryLineDetail",
    "entity": "EntityTypeRef",
    "accountline": "AccountBasedExpenseLineDetail",
    "itemline": "ItemBasedExpenseLineDetail",
    "taxrates": "TaxRateList",
    "taxrate": "TaxRateDetail",
    "subtotalline": "SubTotalLineDetail",
    "tax": "TxnTaxDetail",
    "cashback": "CashBackInfo",
    "pair": "NameValue",
    "accountingprefs": "CompanyAccountingPrefs",
    "salesprefs": "SalesFormsPrefs",
    "currencyprefs": "CurrencyPrefs",
    "reportprefs": "ReportPrefs",
}
ENUMERATION_TYPES = {
    "EntityStatus": "EntityStatusEnum",
    "EmailStatus": "EmailStatusEnum",
    "PrintStatus": "PrintStatusEnum",
    "PostingType": "PostingTypeEnum",
    "GlobalTax": "GlobalTaxCalculationEnum",
    "PaymentType": "PaymentTypeEnum",
    "EntityType": "EntityTypeEnum",
    "FieldType": "CustomFieldTypeEnum",
    "Classification": "AccountClassificationEnum",
    "AccountType": "AccountTypeEnum",
    "ItemType": "ItemTypeEnum",
    "DetailType": "LineDetailTypeEnum",
    "Month": "MonthEnum",
}
TABLES = {**{name: (name, table) for name, table in ENTITIES.items()}} | {
    ours: (theirs, STRUCTURES[ours]) for ours, theirs in TYPES.items()
}


def test_every_structure_is_compared():
    assert set(TYPES) == set(STRUCTURES)
    assert set(ENUMERATION_TYPES) == set(ENUMERATIONS)


@pytest.mark.parametrize("ours", sorted(TABLES))
def test_no_property_of_the_tables_is_invented(ours):
    theirs, table = TABLES[ours]
    known = xsd_oracle.properties(theirs)
    assert known
    assert set(table) - set(known) == set()


READ_HERE = {
    "CompanyInfo",
    "Preferences",
    "TaxCode",
    "TaxRate",
    "accountingprefs",
    "salesprefs",
}
"""Nobody writes these, so that a property may be missing."""


@pytest.mark.parametrize("ours", sorted(set(TABLES) - READ_HERE))
def test_no_property_a_client_may_write_is_missing(ours):
    """What QuickBooks knows must not be refused here as unknown."""
    theirs, table = TABLES[ours]
    assert set(xsd_oracle.properties(theirs)) - set(table) == set()


@pytest.mark.parametrize("ours", sorted(TABLES))
def test_lists_are_lists_and_scalars_are_of_their_type(ours):
    theirs, table = TABLES[ours]
    known = xsd_oracle.properties(theirs)
    kinds = {"number": {"decimal"}, "flag": {"boolean"}, "date": {"date"}, "moment": {"dateTime"}}
    for name, declared in table.items():
        assert declared.many == known[name].many, name
        assert known[name].type in kinds.get(declared.type, {known[name].type}), name
        if declared.type in TYPES:
            assert known[name].type == TYPES[declared.type], name
        if declared.type in ENUMERATION_TYPES:
            assert known[name].type == ENUMERATION_TYPES[declared.type], name


@pytest.mark.parametrize("ours", sorted(ENUMERATION_TYPES))
def test_no_enumeration_value_is_invented(ours):
    known = xsd_oracle.enumeration(ENUMERATION_TYPES[ours])
    assert known
    assert set(ENUMERATIONS[ours]) == set(known)


def test_no_length_contradicts_the_schema():
    wrong = []
    for ours, (theirs, table) in TABLES.items():
        for name, declared in table.items():
            told = xsd_oracle.documented_lengths(theirs, name)
            if declared.longest and told and declared.longest not in told:
                wrong.append((ours, name, declared.longest, sorted(told)))
    assert wrong == []


def entities_in(document):
    """(kind, object) of everything an answer holds."""
    if isinstance(document, list):
        for one in document:
            yield from entities_in(one)
    elif isinstance(document, dict):
        for name, value in document.items():
            if name in ENTITIES:
                for one in value if isinstance(value, list) else [value]:
                    yield name, one
            else:
                yield from entities_in(value)


def test_every_answer_of_a_busy_year_lies_inside_of_the_schema(sim, clock):
    bodies = []
    answer = sim.answer

    def listen(*arguments):
        got = answer(*arguments)
        bodies.append(got.body)
        return got

    sim.answer = listen
    busy_year(sim, clock)
    seen = set()
    problems = []
    for body in bodies:
        for kind, document in entities_in(parse_json(body)):
            seen.add(kind)
            problems += xsd_oracle.check_entity(kind, document)
    assert problems == []
    assert seen == set(ENTITIES)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        pytest.param({"Foo": 1}, "unknown property", id="a property nobody knows"),
        pytest.param({"TotalAmt": "12.00"}, "no decimal", id="an amount as text"),
        pytest.param({"Line": {}}, "should be a list", id="a single line"),
        pytest.param({"PaymentType": "Barter"}, "not in PaymentTypeEnum", id="an unknown value"),
        pytest.param({"CustomerRef": "1"}, "should be an object", id="a bare reference"),
        pytest.param({"TxnDate": "1 May"}, "no date", id="a date in words"),
    ],
)
def test_the_oracle_itself_objects(document, problem):
    found = xsd_oracle.check_entity("Payment", document)
    assert len(found) == 1
    assert re.search(problem, found[0])


def test_the_oracle_accepts_a_proper_payment():
    line = {"Amount": Decimal("5.00"), "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}
    assert (
        xsd_oracle.check_entity("Payment", {"TotalAmt": 5, "CustomerRef": {"value": "1"}, "Line": [line]})
        == []
    )
