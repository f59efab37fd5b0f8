"""What QuickBooks announces, against Intuit's own schema; what it does not announce is told."""

import pytest

from arsync.connectors.quickbooks.properties import ANNOUNCED, unknown
from arsync.connectors.quickbooks.pull import ENTITIES
from tests import xsd_oracle


@pytest.mark.corpus
@pytest.mark.parametrize("entity", ENTITIES)
def test_the_page_is_intuits_schema(entity):
    if not xsd_oracle.FOLDER.exists():
        pytest.skip("the corpus is not here: ../shared/corpus/quickbooks/xsd")
    assert ANNOUNCED[entity] == set(xsd_oracle.properties(entity))


def test_a_property_nobody_announced_is_named_once():
    rows = [{"Id": "1", "Mood": "good"}, {"Id": "2", "Mood": {"deep": "er"}, "DocNumber": "x"}]
    assert unknown("Invoice", rows) == {"Invoice.Mood"}
    assert unknown("Invoice", []) == frozenset()
