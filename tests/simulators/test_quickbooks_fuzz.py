"""Whatever a client sends is answered: taken or refused, and the books hold."""

import random
from collections import Counter
from decimal import Decimal

import pytest

from arsync.simulators.quickbooks import QuickBooksSimulator, Switches
from arsync.simulators.quickbooks.schema import ENTITIES, ENUMERATIONS, REQUIRED, STRUCTURES
from tests.simulators.direct_api import Api

NUMBERS = [0, 1, 2, 5, -1, Decimal("0.01"), Decimal("1.5"), 10**12, Decimal("1E+30")]
TEXTS = ["a", "b", "Invoice", "Payment", "JournalEntry", "Check", "Deposit", "1", "%'\\", "x" * 60]
SCALARS = {
    "number": NUMBERS,
    "whole": [0, 1, 30, -5, 99_999],
    "flag": [True, False],
    "date": ["2026-01-01", "2026-12-31", "0001-01-01", "9999-12-31", "bad"],
    "moment": ["2026-01-01T00:00:00Z"],
    "id": ["1", "2", "3", "4", "TAX", "-1", "x"],
    "any": [{}, {"a": 1}, "x", []],
}
DETAILS = (
    "SalesItemLineDetail",
    "DepositLineDetail",
    "JournalEntryLineDetail",
    "AccountBasedExpenseLineDetail",
    "DiscountLineDetail",
)
NEEDED = {"journalline": ("PostingType", "AccountRef", "Entity"), "depositline": ("AccountRef",)}
NEEDED["accountline"] = NEEDED["depositline"]


class Sender:
    """Makes documents out of the tables: mostly of the right shape, often of odd content."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def value(self, known, depth):
        if self.chance(0.04):
            return self.random.choice([None, "", 0, [], {}, True, "x", -1])
        if known.type in STRUCTURES:
            return self.structure(known.type, depth + 1)
        return self.random.choice(ENUMERATIONS.get(known.type) or SCALARS.get(known.type, TEXTS))

    def property(self, known, depth):
        if known.many and self.chance(0.97):
            return [self.value(known, depth) for _ in range(self.random.choice([0, 1, 1, 2]))]
        return self.value(known, depth)

    def structure(self, name, depth):
        if name == "ref":
            ids = ["1", "2", "3", "4", "5", "x", "99", "TAX"]
            return {"value": self.random.choice(ids)} if self.chance(0.95) else {"name": "x"}
        table = STRUCTURES[name]
        if name == "line":
            return self.line(table, depth)
        names = [one for one in table if self.chance(0.12 if depth < 3 else 0.05)]
        return {one: self.property(table[one], depth) for one in (*names, *NEEDED.get(name, ()))}

    def line(self, table, depth):
        kind = self.random.choice(DETAILS)
        made = {"Amount": self.random.choice(NUMBERS), "DetailType": kind}
        made[kind] = self.structure(table[kind].type, depth + 1)
        if self.chance(0.3):
            link = {"TxnId": self.random.choice("123456789"), "TxnType": self.random.choice(TEXTS)}
            made["LinkedTxn"] = [link]
        return {one: value for one, value in made.items() if self.chance(0.95)}

    def document(self, kind):
        table = ENTITIES[kind]
        names = [one for one in table if self.chance(0.12)]
        names += [one for one in REQUIRED.get(kind, ()) if self.chance(0.95)]
        return {one: self.property(table[one], 0) for one in names if one != "Id"}

    def send(self, api, core):
        kind = self.random.choice(list(ENTITIES))
        body, query = self.document(kind), {}
        if core.records[kind] and self.chance(0.4):
            record = self.random.choice(list(core.records[kind].values()))
            body |= {"Id": record.id, "SyncToken": str(record.sync_token), "sparse": self.chance(0.5)}
            query = self.random.choice(
                [
                    {},
                    {},
                    {"operation": "delete"},
                    {"operation": "void"},
                    {"operation": "update", "include": "void"},
                ]
            )
        return api.send("POST", f"/{kind.lower()}", body, **query)

    def ask(self, api):
        kind = self.random.choice(list(ENTITIES))
        field, other = (self.random.choice(list(ENTITIES[kind])) for _ in range(2))
        condition = self.random.choice(
            ["= '1'", "> 'a'", "< '5'", "LIKE '%a%'", "IN ('1', 'x')", ">= '2026-01-01'"]
        )
        return api.send(
            "GET", "/query", query=f"select * from {kind} where {field} {condition} orderby {other}"
        )


@pytest.mark.parametrize(
    ("seed", "requests"),
    [
        *(pytest.param(seed, 700, marks=pytest.mark.slow, id=f"seed {seed}") for seed in range(3)),
        *(
            pytest.param(seed, 5000, marks=pytest.mark.long, id=f"seed {seed}, long")
            for seed in range(100, 110)
        ),
    ],
)
def test_no_request_breaks_the_books(clock, seed, requests):
    switches = Switches(audit_every_write=True, sparse_payment=("refuse", "accept")[seed % 2])
    sim = QuickBooksSimulator(clock=clock, switches=switches)
    rates = {"EUR": Decimal("1.1")}
    company = sim.add_company("1", name="Fuzz", multicurrency=True, exchange_rates=rates)
    for name in ("Ann", "Bob"):
        company.books.create_customer(name)
    company.books.change_settings(auto_apply_credit=seed % 2 == 0, auto_apply_payments=seed % 3 == 0)
    api, sender, answered = Api(sim, "1"), Sender(seed), Counter()
    for _ in range(requests):
        answered[sender.send(api, company.core).status] += 1
        assert sender.ask(api).status in {200, 400}
    assert set(answered) == {200, 400}, "some must be taken, some refused"
    for report in ("AgedReceivables", "AgedReceivableDetail"):
        assert api.send("GET", f"/reports/{report}").status == 200
