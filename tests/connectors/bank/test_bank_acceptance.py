"""The acceptance cases of bank files, and the tests that hold each; a case without a test fails here."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
DEFINED = {
    name
    for path in TESTS.rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}
CASES = {
    "1 a booking date is the local day as written": ["test_the_booking_date_is_the_local_day_as_written"],
    "2 amounts exact or a line's problem": [
        "test_amounts_where_either_mark_is_allowed",
        "test_two_readings_are_no_reading",
    ],
    "3 what banks do to OFX loses no line": ["test_what_banks_do_to_the_format_loses_no_line"],
    "4 accounts may share ids": ["test_accounts_may_share_ids"],
    "5 an id on two amounts keeps both": ["test_an_id_on_two_amounts_keeps_both_and_is_no_longer_believed"],
    "6 equal lines are two; the same file adds none": [
        "test_equal_lines_without_a_usable_id_are_two_payments_too"
    ],
    "7 overlapping files store three equal lines three times": [
        "test_overlapping_months_store_three_equal_lines_three_times"
    ],
    "8 a bank that numbers anew adds nothing": [
        "test_a_bank_that_numbers_anew_on_each_download_adds_nothing_at_trust_c"
    ],
    "9 a correction of what is applied is a question": [
        "test_a_correction_of_an_applied_receipt_is_a_question_and_rewrites_nothing"
    ],
    "10 RC, RCR and RD": ["test_the_mark_gives_the_sign", "test_the_total_of_the_file_with_reversal_marks"],
    "11 the year boundary both ways": ["test_the_year_of_an_entry_date_lies_nearest_the_value_date"],
    "12 eleven accounts, three currencies": [
        "test_a_file_of_eleven_accounts_and_three_currencies_keeps_them_apart"
    ],
    "13 an invalid date keeps the others": ["test_a_day_that_is_none_is_a_problem_and_the_others_stay"],
    "14 numbers cut at borders": [
        "test_german_fields_are_read_in_both_joinings",
        "test_dutch_tags_are_read_across_the_line_wrap",
    ],
    "15 every camt version, wrapped too": [
        "test_the_same_entry_in_every_version_is_the_same_line",
        "test_an_envelope_changes_nothing",
    ],
    "16 three details, mixed signs": ["test_a_batch_of_mixed_signs_has_parts_that_add_up"],
    "17 054 then 053 is one booking": [
        "test_a_notice_says_what_the_booked_sum_is_made_of",
        "test_a_report_and_the_statement_that_books_it_are_one_receipt",
    ],
    "18 a return is linked and never applied by itself": [
        "test_a_return_is_linked_to_what_it_takes_back_with_its_consequence"
    ],
    "19 a cent off is unproven, a missing number a gap": [
        "test_a_cent_missing_is_a_statement_unproven",
        "test_gaps_between_statements",
    ],
    "20 BAI2 continuations, shared lines, totals, returns, yen": [
        "test_records_that_share_a_line_are_apart",
        "test_a_wrong_control_total_is_a_problem",
        "test_yen_have_no_decimals",
        "test_tagged_continuations_are_read_and_are_no_text",
    ],
    "21 ACH returns by trace, short rows": [
        "test_a_return_names_the_trace_it_takes_back_and_what_follows",
        "test_rows_of_any_width_are_read",
    ],
    "22 an 820 over addenda, gross first": [
        "test_an_820_cut_anywhere_over_the_addenda_is_read_whole",
        "test_gross_comes_before_paid_where_only_that_adds_up",
    ],
    "23 a lockbox cheque with its invoices and MICR payer": [
        "test_invoices_of_a_cheque_are_its_remittance",
        "test_a_lockbox_batch_and_its_deposit_are_one_sum",
    ],
    "24 payouts, negative ones, Plaid's sign, pending": [
        "test_payments_fees_refunds_and_disputes_of_a_payout_come_to_its_line",
        "test_a_negative_payout_is_taken_apart_too",
        "test_plaid_counts_money_out_as_positive_and_we_do_not",
        "test_pending_plaid_transactions_are_never_lines",
    ],
    "25 bad files end soon by name; load": [
        "test_bad_files_end_soon_in_a_named_error",
        "test_a_line_of_64_mib_is_refused_within_two_seconds",
        "test_twenty_thousand_lines_take_seconds_at_most",
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_each_case_has_its_tests(case):
    assert [name for name in CASES[case] if name not in DEFINED] == []
