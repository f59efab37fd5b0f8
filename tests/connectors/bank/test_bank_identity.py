from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.connectors.bank.bankprofile import GENERIC, Profile
from arsync.connectors.bank.identity import account_id, is_iban, new_lines, normalised, trust_of
from arsync.connectors.bank.mapping import read_file
from arsync.connectors.bank.proof import gaps, span
from tests.connectors.bank.samples import balance, camt, entry, ofx, ofx_line, statement

RENUMBERS = Profile("renumbers", id_trust="C")


def lines_of(data, profile=GENERIC):
    return [line for read in read_file(data, profile).statements for line in read.lines]


def store(known, lines):
    """What a store does: keep the highest occurrence of each key."""
    for line in lines:
        known[line.key] = max(line.occurrence, known.get(line.key, 0))


def imported(files, profile=GENERIC):
    """How many lines each file adds."""
    known, added = {}, []
    for data in files:
        lines = lines_of(data, profile)
        added.append(len(new_lines(lines, known)))
        store(known, lines)
    return added


def test_equal_lines_with_different_ids_are_two_payments():
    data = ofx(ofx_line("50.00", fitid="A"), ofx_line("50.00", fitid="B"))
    assert imported([data, data]) == [2, 0]


@pytest.mark.parametrize("fitid", [None, "", "0000000000", "NONREF", " "])
def test_equal_lines_without_a_usable_id_are_two_payments_too(fitid):
    data = ofx(ofx_line("50.00", fitid=fitid), ofx_line("50.00", fitid=fitid))
    assert [(line.occurrence, line.provider_id_trust) for line in lines_of(data)] == [(1, "C"), (2, "C")]
    assert imported([data, data]) == [2, 0]


def month(first, last, fitid):
    """One line of 10.00 a day, and three of 50.00 on the 15th."""
    lines = []
    for day in range(first, last + 1):
        for number, amount in enumerate(["10.00", *(["50.00"] * 3 if day == 15 else [])]):
            lines.append(ofx_line(amount, posted=f"202601{day:02}", fitid=fitid(day, number)))
    return ofx(*lines)


@pytest.mark.parametrize(
    ("profile", "fitid"),
    [
        pytest.param(GENERIC, lambda day, number: f"F{day}-{number}", id="the bank has good ids"),
        pytest.param(GENERIC, lambda day, number: None, id="the bank has none"),
    ],
)
def test_overlapping_months_store_three_equal_lines_three_times(profile, fitid):
    assert imported([month(1, 20, fitid), month(10, 31, fitid)], profile) == [23, 11]


def test_a_bank_that_numbers_anew_on_each_download_adds_nothing_at_trust_c():
    first, again = month(1, 20, lambda d, n: f"A{d}{n}"), month(1, 20, lambda d, n: f"B{n}{d}")
    assert imported([first, again], RENUMBERS) == [23, 0]


def test_the_same_id_date_and_amount_twice_is_kept_and_named():
    first, second = lines_of(ofx(ofx_line("50.00"), ofx_line("50.00")))
    assert (first.key, first.occurrence, second.occurrence) == (second.key, 1, 2)
    assert second.warnings == ("id-repeated",)


def test_an_id_reused_in_one_file_and_alone_in_another_has_the_same_key():
    both = lines_of(ofx(ofx_line("-100.00", kind="DEBIT"), ofx_line("-3.00", kind="DEBIT")))
    alone = lines_of(ofx(ofx_line("-100.00", kind="DEBIT")))
    assert (both[0].key, both[0].occurrence) == (alone[0].key, alone[0].occurrence)


def test_text_reflowed_between_downloads_is_the_same_line():
    first = lines_of(ofx(ofx_line(fitid=None, MEMO="Invoice 1001  of May")))
    again = lines_of(ofx(ofx_line(fitid=None, MEMO="INVOICE 10 01 OF MAY")))
    assert first[0].key == again[0].key


def test_parts_of_one_batch_differ_and_parts_of_two_batches_differ():
    part = '<TxDtls><Amt Ccy="EUR">50.00</Amt></TxDtls>'
    data = camt(
        statement(entry("100.00", "CRDT", part, part), entry("100.00", "CRDT", part, part, reference="R2"))
    )
    keys = {child.key for line in lines_of(data) for child in line.parts}
    assert len(keys) == 4


@given(
    days=st.lists(
        st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from(["", "X", "Y"]), st.sampled_from("ab")), max_size=5
        ),
        min_size=2,
        max_size=8,
    ),
    cuts=st.tuples(st.integers(0, 8), st.integers(0, 8)),
    trust=st.sampled_from(["B", "C"]),
)
def test_two_files_that_overlap_in_whole_days_have_the_identities_of_one(days, cuts, trust):
    def file(first, last):
        return ofx(
            *(
                ofx_line(f"{amount}.00", posted=f"202601{day + 1:02}", fitid=fitid, NAME=name)
                for day in range(first, last)
                for amount, fitid, name in days[day]
            )
        )

    def identities(data):
        return {(line.key, line.occurrence) for line in lines_of(data, Profile("p", id_trust=trust))}

    low, high = sorted(min(cut, len(days)) for cut in cuts)
    whole = lines_of(file(0, len(days)), Profile("p", id_trust=trust))
    assert identities(file(0, high)) | identities(file(low, len(days))) == identities(file(0, len(days)))
    assert len(identities(file(0, len(days)))) == len(whole)


@pytest.mark.parametrize(
    ("provider_id", "trust"),
    [("F1", "B"), ("", "C"), (None, "C"), ("000", "C"), ("NOTPROVIDED", "C"), ("nonref", "C"), ("0001", "B")],
)
def test_trust(provider_id, trust):
    assert trust_of(provider_id, "B") == trust


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("bank", "DE89 3704 0044 0532 0130 00"), ("card", "de89370400440532013000"), True),
        (("bank", "4711", "121000248"), ("bank", "47-11", "1210 00248"), True),
        (("bank", "4711", "1"), ("bank", "4711", "2"), False),
        (("bank", "4711"), ("card", "4711"), False),
        (("bank", "00123"), ("bank", "123"), False),
    ],
)
def test_accounts_are_one_whatever_way_they_are_written(one, other, same):
    assert (account_id(*one).key == account_id(*other).key) == same


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        *[("DE89370400440532013000", True), ("GB82WEST12345698765432", True), ("NO9386011117947", True)],
        *[("DE88370400440532013000", False), ("DE89", False), ("123", False)],
    ],
)
def test_iban_check_digits(text, valid):
    assert is_iban(text) == valid


def test_normalised_text_forgets_case_width_and_spaces():
    assert normalised("\uff29\uff4e\uff56  \u00bd a") == normalised("INV1\u20442A")


def statements_of(*numbers, closings=None):
    data = camt(
        *(
            statement(
                sequence=n, balances=balance("OPBD", "1.00", day=f"2026-01-{n:02}") + balance("CLBD", c)
            )
            for n, c in zip(numbers, closings or ["1.00"] * len(numbers), strict=True)
        )
    )
    return read_file(data).statements


@pytest.mark.parametrize(
    ("numbers", "closings", "codes"),
    [
        pytest.param((6, 7, 8), None, [], id="one after the other"),
        pytest.param((6, 8), None, ["gap"], id="number 7 is missing between 6 and 8"),
        pytest.param((8, 6), None, ["gap"], id="in any order"),
        pytest.param(
            (6, 7), ("1.01", "1.00"), ["balance-break"], id="a closing that is not the next opening"
        ),
    ],
)
def test_gaps_between_statements(numbers, closings, codes):
    assert [gap.code for gap in gaps(map(span, statements_of(*numbers, closings=closings)))] == codes


def test_a_new_year_starts_at_one_without_a_gap():
    old, new = (
        read_file(
            camt(
                statement(
                    sequence=number,
                    more=f"<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{day}</ToDtTm></FrToDt>",
                )
            )
        ).statements[0]
        for number, day in ((250, "2025-12-31"), (1, "2026-01-02"))
    )
    assert (old.from_date, new.from_date) == (date(2025, 12, 31), date(2026, 1, 2))
    assert gaps(map(span, [new, old])) == ()
