"""What the suite stands on: the words of a manifest, spoiled answers, memory ports, and no pytest unless asked for."""

import subprocess
import sys
from dataclasses import replace

import pytest

from arsync.connectors.contract import Ref
from arsync.connectors.quickbooks import QuickBooksConnector
from arsync.core.money import Money
from arsync.testing import Bench, MemoryTokens, Violation, trials, unproven
from arsync.testing.cases import CASES, declared
from arsync.testing.stage import moved
from arsync.testing.verdicts import same
from tests.connectors.quickbooks.helpers import tokens

MANIFEST = QuickBooksConnector.manifest


def with_receipts(**words):
    """The manifest of QuickBooks, whose receipts say something else."""
    receipt = replace(MANIFEST.writes["post_receipt"], **words)
    return replace(MANIFEST, writes={**MANIFEST.writes, "post_receipt": receipt})


def test_every_trial_has_a_name_of_its_own():
    names = [trial.name for trial in trials(MANIFEST)]
    assert len(set(names)) == len(names)
    assert all(case.name and len(case.name) < 120 for case in CASES)


def test_everything_quickbooks_declares_has_a_case():
    assert unproven(MANIFEST, trials(MANIFEST)) == ()


@pytest.mark.parametrize(
    ("manifest", "lacking"),
    [
        pytest.param(
            with_receipts(route="file"), "writes post_receipt route file", id="a route without a case"
        ),
        pytest.param(with_receipts(bundle="batch"), "writes post_receipt bundle batch", id="batches"),
        pytest.param(with_receipts(key_ttl_s=60), None, id="a key that is forgotten has a case"),
        pytest.param(
            replace(MANIFEST, writes={**MANIFEST.writes, "telex": MANIFEST.writes["park"]}),
            "writes telex",
            id="a verb of tomorrow",
        ),
        pytest.param(replace(MANIFEST, totals=frozenset({"customer"})), None, id="less than before"),
    ],
)
def test_what_no_case_can_prove_is_named(manifest, lacking):
    found = unproven(manifest, trials(manifest))
    assert (lacking in found) if lacking else found == ()


def test_a_failed_trial_proves_nothing():
    passed = [trial for trial in trials(MANIFEST) if "totals ledger" not in trial.proves]
    assert unproven(MANIFEST, passed) == ("totals ledger",)


def test_a_word_that_is_not_declared_wants_no_case():
    assert not any("gone never" in word or "overlap_s 0" in word for word in declared(MANIFEST))


@pytest.mark.parametrize(
    ("answer", "spelling", "found"),
    [
        pytest.param(b'{"a": 47113.91}', "n/a", b'{"a": "n/a"}', id="a number becomes text"),
        pytest.param(b'{"a": "47113.91"}', "n/a", b'{"a": "n/a"}', id="text stays text"),
        pytest.param(b'{"a": 47113.91}', "47113.919", b'{"a": 47113.919}', id="a number stays a number"),
        pytest.param(
            b'{"a": 147113.91, "b": 47113.915}', "1", b'{"a": 147113.91, "b": 47113.915}', id="others stay"
        ),
        pytest.param(b'{"a": 4711391}', "47113.919", b'{"a": 4711391.9}', id="minor units"),
        pytest.param(
            b'{"a": "for 47113.91, {\\" 47113.91"}', "1", b'{"a": "for 47113.91, {\\" 47113.91"}', id="words"
        ),
        pytest.param(b"<A>47113.91</A>", "n/a", b'<A>"n/a"</A>', id="outside of JSON it is unreadable too"),
    ],
)
def test_an_amount_is_spelled_anew(answer, spelling, found):
    assert Bench.respell(None, answer, Money(47113_91, "USD"), spelling) == found


def test_every_object_gets_an_unknown_field_and_stays_json():
    extended = Bench.extend(None, b'{"a": [{"b": "c{"}], "d": {}}')
    assert extended == b'{"zzUnannounced": "kept?", "a": [{"zzUnannounced": "kept?", "b": "c{"}], "d": {}}'


def test_tokens_saved_outside_of_the_lock_are_a_violation():
    store = MemoryTokens(tokens())
    with pytest.raises(Violation, match="exclusive"):
        store.save(tokens())
    with store.exclusive():
        store.save(tokens("access-token-two"))
    assert "access-token-two" in store.secrets


def test_what_moved_is_what_differs():
    one, two, three = (Ref("item", name) for name in "abc")
    before, after = (
        {one: Money(5, "USD"), two: Money(7, "USD")},
        {two: Money(7, "USD"), three: Money(-2, "USD")},
    )
    assert moved(before, after) == {one: Money(-5, "USD"), three: Money(-2, "USD")}


@pytest.mark.parametrize(
    ("found", "wanted", "said"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b is 2, not 3", id="one of many differs"),
        pytest.param({"a": 1}, {"a": 1, "b": 3}, "missing: b", id="one is missing"),
        pytest.param({1, 2}, {2}, "too much: 1", id="one too many"),
        pytest.param(set(range(9)), set(), "too much: 0, 1, 2, 3, 4 and 4 more", id="many"),
        pytest.param([1], [2], "[1], not [2]", id="small things are shown whole"),
    ],
)
def test_a_violation_says_in_what_things_differ(found, wanted, said):
    with pytest.raises(Violation) as caught:
        same(found, wanted, "rows")
    assert str(caught.value) == f"rows: {said}"
    same(wanted, wanted, "rows")


def test_pytest_is_imported_by_the_suite_alone():
    code = "import sys; sys.modules['pytest'] = None; import arsync.testing; print('without pytest')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "without pytest\n"), ran.stderr
