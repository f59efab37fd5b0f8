"""Until when received money can be taken back. Days are from the rules each row of the table names."""

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.core.bank import CodeFamily
from arsync.core.finality import WINDOWS, Method, finality, method_of

FRIDAY = date(2026, 1, 16)  # before Martin Luther King Day
CASES = [
    pytest.param("wire", FRIDAY, None, None, id="a wire is final"),
    pytest.param("cash", FRIDAY, None, None, id="cash is final"),
    pytest.param("ach debit", FRIDAY, date(2026, 1, 21), date(2026, 3, 17), id="two banking days, 60 days"),
    pytest.param("ach credit", FRIDAY, date(2026, 1, 26), None, id="a reversal within five banking days"),
    pytest.param("sepa direct debit", FRIDAY, date(2026, 3, 13), date(2027, 2, 16), id="8 weeks, 13 months"),
    pytest.param(
        "sepa direct debit",
        date(2026, 1, 31),
        date(2026, 3, 28),
        date(2027, 2, 28),
        id="13 months from a 31st end on the last day of February",
    ),
    pytest.param(
        "sepa b2b direct debit",
        date(2026, 4, 2),
        date(2026, 4, 9),
        date(2027, 5, 2),
        id="three banking days over Easter",
    ),
    pytest.param(
        "cheque", date(2026, 12, 24), date(2027, 1, 6), date(2027, 12, 24), id="over Christmas and New Year"
    ),
    pytest.param("card", FRIDAY, date(2026, 5, 16), date(2027, 7, 10), id="120 days, 540 at most"),
    pytest.param("bacs direct debit", FRIDAY, date(2026, 1, 26), date.max, id="a claim without an end"),
    pytest.param("not said", FRIDAY, date(2026, 1, 28), None, id="what is not said may be a cheque"),
]


@pytest.mark.parametrize(("method", "booked", "returned_until", "claimed_until"), CASES)
def test_until_when_money_can_go_back(method, booked, returned_until, claimed_until):
    found = finality(method, booked)
    assert (found.returned_until, found.claimed_until) == (returned_until, claimed_until)


def test_the_last_day_still_counts_and_the_next_does_not():
    found = finality("ach debit", FRIDAY)
    days = [date(2026, 1, 21), date(2026, 1, 22), date(2026, 3, 17), date(2026, 3, 18)]
    assert [found.on(day) for day in days] == [
        "may go back",
        "may be claimed back",
        "may be claimed back",
        "final",
    ]


@pytest.mark.parametrize(
    ("method", "days", "told"),
    [
        ("cheque", 0, "may go back until 2026-01-28 (cheque)"),
        ("cheque", 30, "may be claimed back until 2027-01-16 (cheque)"),
        ("bacs direct debit", 3000, "may be claimed back without an end (bacs direct debit)"),
        ("not said", 1, "may go back until 2026-01-28 (how it came is not said)"),
        ("wire", 0, "final (wire)"),
    ],
)
def test_what_people_are_told(method, days, told):
    assert finality(method, FRIDAY).told(FRIDAY + timedelta(days)) == told


ISO, SUB = "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd"
METHODS = [
    pytest.param("transfer_in", {ISO: "RCDT", SUB: "ESCT"}, "EUR", "bank transfer", id="a SEPA transfer"),
    pytest.param("transfer_in", {ISO: "RRCT"}, "EUR", "instant transfer", id="an instant transfer"),
    pytest.param("direct_debit_in", {ISO: "IDDT", SUB: "ESDD"}, "EUR", "sepa direct debit", id="SEPA Core"),
    pytest.param(
        "direct_debit_in", {ISO: "IDDT", SUB: "BBDD"}, "EUR", "sepa b2b direct debit", id="SEPA B2B"
    ),
    pytest.param("direct_debit_in", {}, "GBP", "bacs direct debit", id="a debit in pounds"),
    pytest.param("direct_debit_in", {}, "USD", "ach debit", id="a debit in dollars"),
    pytest.param("direct_debit_in", {}, "SEK", "direct debit", id="a debit of a scheme nobody names"),
    pytest.param("other", {"type": "NMSC", "GVC": "171"}, "EUR", "sepa direct debit", id="a German code"),
    pytest.param("transfer_in", {"type": "195"}, "USD", "wire", id="BAI2 incoming wire"),
    pytest.param("other", {"type": "166"}, "USD", "ach debit", id="BAI2 settlement of our debits"),
    pytest.param("lockbox", {"type": "115"}, "USD", "cheque", id="a lockbox holds cheques"),
    pytest.param("other", {"type": "S103"}, "USD", "wire", id="an MT103"),
    pytest.param("other", {"TRNTYPE": "CREDIT"}, "USD", "not said", id="a credit is any money"),
    pytest.param("transfer_in", {"TRNTYPE": "DIRECTDEP"}, "USD", "ach credit", id="a direct deposit"),
    pytest.param(
        "transfer_in", {}, "USD", "ach credit", id="dollars: a wire or an ACH credit, so an ACH credit"
    ),
    pytest.param("card", {"type": "charge"}, "USD", "card", id="a charge inside a payout"),
]


@pytest.mark.parametrize(("family", "codes", "currency", "method"), METHODS)
def test_only_what_the_bank_says_decides_how_money_came(family, codes, currency, method):
    assert method_of(family, codes, currency) == method


def test_every_method_has_its_window_with_a_source():
    assert WINDOWS.keys() == set(get_args(Method))
    assert all(window.who and window.source for window in WINDOWS.values())


@given(
    st.sampled_from(get_args(CodeFamily)),
    st.dictionaries(st.sampled_from([ISO, SUB, "type", "GVC", "TRNTYPE"]), st.text(max_size=6)),
    st.sampled_from(["EUR", "USD", "JPY"]),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)
def test_no_window_ends_before_it_begins_and_a_claim_never_before_a_return(family, codes, currency, booked):
    found = finality(method_of(family, codes, currency), booked)
    ends = [end for end in (found.returned_until, found.claimed_until) if end]
    assert ends == sorted(ends)
    assert all(end > booked for end in ends)
    assert found.on(date.max) in {"final", "may be claimed back"}
