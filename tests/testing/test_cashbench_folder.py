"""A world of the benchmark, small and made here, replayed as a ledger's past."""

from datetime import date

import pytest

from arsync.core.matching.backtest import quality, replayed
from arsync.core.matching.snapshot import MatchPolicy
from arsync.core.policy import parse
from arsync.errors import UsageError
from arsync.testing.cashbench_folder import history_of

FILES = {
    "customers": """customer_id,name,parent_id,payer_accounts,aliases,terms
C1,O'Brien \\ Sons' & Co,,,,2/10 NET30
C2,Kestrel Foods LLC,C1,,KFL;Kestrel,NET30
""",
    "items": """item_id,customer_id,kind,number,po_number,issue_date,due_date,currency,amount,terms
I1,C1,invoice,INV-1001,P7,2024-01-01,2024-01-31,USD,1000.37,2/10 NET30
I2,C2,invoice,INV-1002,,2024-01-05,2024-02-04,USD,250.00,NET30
I3,C2,credit_memo,CM-7,,2024-01-06,2024-01-06,USD,-50.00,
I4,C2,invoice,INV-1004,,2024-02-01,2024-03-02,USD,777.77,NET30
""",
    "bank": """line_id,date,amount,currency,payer_name,payer_account,text
L1,2024-01-08,980.36,USD,O'Brien \\ Sons' & Co,,INV 1001
L2,2024-01-20,200.00,USD,Kestrel Foods LLC,,INV 1002
L3,2024-01-22,12.00,USD,Somebody,,INTEREST
L4,2024-01-25,-200.00,USD,Kestrel Foods LLC,,RETURN
L5,2024-02-10,700.00,USD,Kestrel Foods LLC,,PAYMENT
""",
    "remittances": """remittance_id,received_date,payer_name,currency,total,line_no,reference,gross,discount,paid,note
R1,2024-02-12,Kestrel Foods LLC,USD,700.00,0001,INV-1004,777.77,0.00,700.00,207 DAMAGED
""",
    "rates": "date,currency,rate\n2024-01-02,EUR,1.0956\n",
    "truth": """line_id,kind,customer_id,item_id,applied,discount,write_off,deduction
L1,discount,C1,I1,980.36,20.01,0.00,0.00
L2,credit_netted,C2,I2,250.00,0.00,0.00,0.00
L2,credit_netted,C2,I3,-50.00,0.00,0.00,0.00
L3,unrelated,,,0.00,0.00,0.00,0.00
L4,reversal,C2,I2,-250.00,0.00,0.00,0.00
L5,short,C2,I4,700.00,0.00,0.00,77.77
""",
}


@pytest.fixture
def world(tmp_path):
    for name, text in FILES.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_world_is_read_exactly(world):
    past = history_of(world)
    first, netted, strange, returned, short = past.past
    assert (first.customer_id, first.settled, first.taught) == (1, {1: 1_000_37}, None)
    assert netted.settled == {2: 250_00, 3: -50_00}
    assert [one.apart for one in past.past] == [False, False, True, True, False]
    assert (strange.customer_id, returned.receipt.is_return, short.settled) == (0, True, {4: 700_00})
    assert past.moves == ((date(2024, 2, 10), 4, 77_77),), (
        "what a code deducts leaves the item, and is no money"
    )
    item = past.items[0]
    assert (item.discount_minor, item.discount_until) == (20_01, date(2024, 1, 11))
    assert (past.customers[0].name, past.customers[1].aliases) == (
        "O'Brien \\ Sons' & Co",
        ("KFL", "Kestrel"),
    )
    assert [(rate.one, rate.other, str(rate.value)) for rate in past.rates] == [("EUR", "USD", "1.0956")]


def test_money_for_a_family_is_its_parents(world):
    """As a clerk books it (`arsync queue apply`)."""
    truth = world / "truth.csv"
    both = "L5,full,C1,I1,20.00,0.00,0.00,0.00\nL5,full,C2,I4,680.00,0.00,0.00,0.00\n"
    truth.write_text(truth.read_text().replace("L5,short,C2,I4,700.00,0.00,0.00,77.77\n", both))
    assert history_of(world).past[-1].customer_id == 1


def test_what_was_received_before_a_day_is_settled_as_the_truth_says(world):
    past = history_of(world, date(2024, 2, 1))
    assert [one.receipt.amount_minor for one in past.past] == [700_00]
    cases = replayed(past, MatchPolicy())
    assert len(cases) == 1


def test_an_advice_that_comes_while_the_policy_waits_is_known(world):
    posts = '[match]\nposts = ["deduction"]\nautomatic = ["reference", "remittance"]\n'
    at_once = replayed(history_of(world), parse(posts).match)
    later = replayed(history_of(world), parse(posts + "wait_days = 3\n").match)
    assert [case.alone for case in at_once][-1] is False
    assert (later[-1].alone, later[-1].right) == (True, True)
    assert quality(later).receipts == 5


def test_what_is_not_ours_is_wrong_if_it_is_applied(world):
    returned = next(
        case for case in replayed(history_of(world), MatchPolicy()) if case.past.receipt.is_return
    )
    assert not returned.right
    assert not returned.alone


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        pytest.param("items", "1000.37", "1000.3x7", "1000.3x7", id="an amount that is none"),
        pytest.param("bank", "2024-01-08", "2024-13-08", "month", id="a day that is none"),
        pytest.param("truth", "I1,980", "I9,980", "I9", id="an item that is not there"),
        pytest.param(
            "bank", "line_id,date,amount", "line_id,date,sum", "amount", id="a column that is missing"
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_its_file(world, name, old, new, told):
    path = world / f"{name}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match=told) as caught:
        history_of(world)
    assert f"{name}.csv" in caught.value.where


def test_a_folder_without_truth_is_no_world(world):
    (world / "truth.csv").unlink()
    with pytest.raises(UsageError, match=r"there is no truth\.csv"):
        history_of(world)


def test_the_command_needs_no_ledger(world, tmp_path):
    import json

    from click.testing import CliRunner

    from arsync.cli import cli

    policy = tmp_path / "new.toml"
    policy.write_text('[match]\nautomatic = ["reference"]\n', encoding="utf-8")
    ran = CliRunner().invoke(
        cli, ["backtest", "--folder", str(world), "--policy", str(policy), "--json"], standalone_mode=False
    )
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.output)
    assert (said["ledger"], said["in_force"]["receipts"], said["proposed"]["receipts"]) == (world.name, 5, 5)
    (value,) = said["in_force"]["value"]
    assert (value["applied"]["amount"], value["right"]["amount"]) == ("1300.37", "1300.37")
