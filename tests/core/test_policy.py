"""The policy document: careful when it says nothing, exact in amounts, and never wrong in silence."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.decisions import EvidenceClass
from arsync.core.matching.normalise import normalise_account
from arsync.core.matching.snapshot import MatchPolicy
from arsync.core.money import Money
from arsync.core.policy import ADJUSTMENT_KINDS, DEFAULT_TEXT, BookedAs, Policy, parse, with_mapping
from arsync.errors import ConfigError


def test_an_empty_document_gives_nothing_away():
    policy = parse("")
    assert policy == Policy()
    assert (policy.write_off_minor, policy.adjustments, policy.unidentified) == ({}, {}, "leave")
    assert policy.match == MatchPolicy()
    assert policy.match.small_difference_minor == {}


def test_the_document_of_a_new_ledger_says_what_the_defaults_are():
    assert parse(DEFAULT_TEXT) == parse("")


def test_every_line_of_the_default_that_is_only_a_hint_may_be_used():
    """The examples behind `#` in the default document are right as they stand."""
    lines = []
    for line in DEFAULT_TEXT.splitlines():
        bare = line.removeprefix("# ")
        lines.append(
            bare if line.startswith("# ") and "=" in bare and not bare.startswith("Classes") else line
        )
    policy = parse("\n".join(lines).replace('at_period_end = "leave"', 'at_period_end = "book"'))
    assert policy.write_off_minor == {"USD": 2500}
    assert policy.match.small_difference_minor == {"USD": 50}
    assert policy.match.large_minor == {"USD": 5_000_000}
    assert set(policy.adjustments) == set(ADJUSTMENT_KINDS)
    assert policy.adjustments["write-off"] == BookedAs("43", "NON")
    assert (policy.unidentified, policy.unidentified_account) == ("book", "96")


WRONG = {
    "torn": ("[match", "not valid TOML"),
    "a table nobody knows": ("[matching]\n", "matching is not a setting"),
    "a key nobody knows": ("[match]\nautomatik = []\n", "match.automatik is not a setting"),
    "a text in place of a table": ('match = "auto"\n', "match is 'auto'"),
    "a class that may never be automatic": ('[match]\nautomatic = ["partial"]\n', "match.automatic"),
    "no evidence may never be automatic": ('[match]\nautomatic = ["none"]\n', "match.automatic"),
    "a text in place of a list": ('[match]\nautomatic = "reference"\n', "match.automatic"),
    "a payer known by nobody's word": ("[match]\nalias_confirmations = 0\n", "match.alias_confirmations"),
    "yes is no number": ("[match]\nalias_confirmations = true\n", "match.alias_confirmations"),
    "several sets, and no word what then": ('[match]\nseveral = "first"\n', "match.several"),
    "what may never be posted by rule": ('[match]\nposts = ["possible duplicate"]\n', "match.posts"),
    "waiting backwards": ("[match]\nwait_days = -1\n", "match.wait_days"),
    "half a day": ("[match]\nwait_days = 1.5\n", "match.wait_days"),
    "everything is likely enough": ("[match]\nthreshold = 0\n", "match.threshold"),
    "per cent in place of a share": ("[match]\nthreshold = 98\n", "match.threshold"),
    "an amount without quotes": ("[match.large]\nUSD = 50000\n", "match.large.USD"),
    "a spread that anything fits": ("[match.exchange]\nspread_bp = 1001\n", "match.exchange.spread_bp"),
    "a rate twice as good": ("[match.exchange]\nbetter_bp = 10000\n", "match.exchange.better_bp"),
    "booked weeks late": ("[match.exchange]\nlate_days = 11\n", "match.exchange.late_days"),
    "a fee without quotes": ("[match.exchange]\nfee = 45\n", "match.exchange.fee"),
    "a fee below zero": ('[match.exchange]\nfee = "-1.00"\n', "match.exchange.fee"),
    "hidden to a tenth of a cent": ('[match.exchange]\nunseen = "60.001"\n', "match.exchange.unseen"),
    "an exchange setting nobody knows": ("[match.exchange]\nspread = 1\n", "match.exchange.spread"),
    "finer than a cent": ('[write_off]\nUSD = "25.001"\n', "write_off.USD"),
    "below zero": ('[write_off]\nUSD = "-25.00"\n', "write_off.USD"),
    "no currency": ('[write_off]\nDOLLAR = "25.00"\n', "write_off.DOLLAR"),
    "grace below zero": ("[discount]\ngrace_days = -3\n", "discount.grace_days"),
    "a kind nobody knows": ('[adjustments]\n"kickback" = { product = "1" }\n', "kickback"),
    "a lost debt with tax": (
        '[adjustments]\n"bad debt" = { product = "1", tax_code = "TAX" }\n',
        "adjustments.bad debt.tax_code",
    ),
    "a discount on an account": ('[adjustments]\n"cash discount" = { account = "1" }\n', "cash discount"),
    "a field without its name": ('[write_back]\nstate = "field"\n', "write_back.field"),
    "another way with statements that do not come out": (
        '[unproven_statement]\nreceipts = "guess"\n',
        "unproven_statement.receipts",
    ),
    "another way with closed books": ('[closed_period]\nreceipts = "today"\n', "closed_period.receipts"),
    "a text in place of a mapping": ('[adjustments]\n"write-off" = "1"\n', "adjustments.write-off"),
    "without a product": ('[adjustments]\n"write-off" = { tax_code = "1" }\n', "adjustments.write-off"),
    "a number for an id": ('[adjustments]\n"write-off" = { product = 43 }\n', "adjustments.write-off"),
    "a misspelt tax code": (
        '[adjustments]\n"write-off" = { product = "4", tax = "1" }\n',
        "tax is not a setting",
    ),
    "guessing": ('[unidentified]\nat_period_end = "guess"\n', "unidentified.at_period_end"),
    "booked to nowhere": ('[unidentified]\nat_period_end = "book"\n', "unidentified.account"),
}


@pytest.mark.parametrize(("text", "key"), WRONG.values(), ids=WRONG)
def test_what_is_not_allowed_names_its_key(text, key):
    with pytest.raises(ConfigError) as met:
        parse(text, "policy.toml")
    assert key in met.value.what
    assert met.value.where == "policy.toml"
    assert met.value.do


CLASSES = [c.value for c in EvidenceClass if c not in (EvidenceClass.NONE, EvidenceClass.PARTIAL)]
AMOUNTS = st.dictionaries(st.sampled_from(["USD", "EUR", "JPY", "KWD"]), st.integers(0, 10**9), max_size=3)


@given(
    st.sets(st.sampled_from(CLASSES)),
    st.integers(1, 9),
    st.integers(0, 30),
    st.integers(0, 30),
    AMOUNTS,
    AMOUNTS,
    AMOUNTS,
)
def test_a_policy_is_what_its_document_says(
    automatic, confirmations, wait_days, grace, write_off, small, large
):
    def table(minors):
        return "\n".join(f'{code} = "{Money(minor, code).text()}"' for code, minor in minors.items())

    text = (
        f"[match]\nautomatic = {sorted(automatic)}\nalias_confirmations = {confirmations}\nwait_days = {wait_days}\n"
        f"[match.large]\n{table(large)}\n[match.small_difference]\n{table(small)}\n"
        f"[discount]\ngrace_days = {grace}\n[write_off]\n{table(write_off)}\n"
    )
    assert tomllib.loads(text)
    policy = parse(text)
    assert policy.match.automatic == automatic
    assert (policy.match.alias_confirmations, policy.match.wait_days) == (confirmations, wait_days)
    assert policy.match.discount_grace_days == grace
    assert (policy.write_off_minor, policy.match.small_difference_minor) == (write_off, small)
    assert policy.match.large_minor == large


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty document"),
        pytest.param(DEFAULT_TEXT, id="the document of a new ledger"),
        pytest.param(
            '[adjustments]\n"fee" = { account = "9" }\n[discount]\ngrace_days = 3\n', id="mapped already"
        ),
        pytest.param("[adjustments] # ours\nfee = { account = '9' }\n", id="written another way"),
    ],
)
@pytest.mark.parametrize("kind", ["fee", "bad debt", "cash discount"])
def test_one_mapping_is_changed_and_nothing_else(text, kind):
    booked = BookedAs("77", "NON", "61" if kind == "fee" else None)
    changed = with_mapping(text, kind, booked)
    before, after = parse(text), parse(changed)
    assert after.adjustments == {**before.adjustments, kind: booked}
    assert (after.match, after.write_off_minor, after.unidentified) == (
        before.match,
        before.write_off_minor,
        before.unidentified,
    )
    kept = [line for line in text.splitlines() if line.startswith("#")]
    assert all(line in changed for line in kept), "comments stay"


def test_a_document_whose_mapping_spans_lines_is_left_to_a_person():
    with pytest.raises(ConfigError, match="cannot be changed"):
        with_mapping('[adjustments.fee]\naccount = "9"\n', "fee", BookedAs(None, account="61"))


def test_what_an_exchange_may_cost_is_read():
    text = '[match.exchange]\nspread_bp = 0\nfee = "12.5"\nbetter_bp = 1000\nlate_days = 10\nunseen = "7"\n'
    match = parse(text).match
    assert (match.exchange_spread_bp, match.exchange_better_bp, match.exchange_days) == (0, 1_000, 10)
    assert (match.exchange_fee_hundredths, match.exchange_unseen_hundredths) == (12_50, 7_00)


def test_limits_are_read():
    said = parse(
        """
        [match.small_difference]
        USD = "5.00"
        percent = 1
        [match.given_up_a_year]
        USD = "20.00"
        [match.most]
        USD = "1000.00"
        [do_not_accept]
        customers = ["Kestrel Foods LLC"]
        accounts = ["US 12-34"]
        """
    )
    assert (said.match.small_difference_minor, said.match.small_difference_bp) == ({"USD": 500}, 100)
    assert (said.given_up_a_year_minor, said.match.most_minor) == ({"USD": 2_000}, {"USD": 100_000})
    assert said.never_customers == {"Kestrel Foods LLC"}
    assert said.never_accounts == {normalise_account("US-1234")}
    assert parse("").match.small_difference_bp == 10_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('[do_not_accept]\ncustomers = "Kestrel"', id="a name without a list"),
        pytest.param("[do_not_accept]\naccounts = [7]", id="an account that is a number"),
        pytest.param("[match.small_difference]\npercent = 0.5", id="half a per cent"),
    ],
)
def test_a_limit_that_cannot_be_read_is_an_error(text):
    with pytest.raises(ConfigError, match="allowed"):
        parse(text)
