"""The acceptance cases of bank files, claim by claim, and the tests that hold each; a claim without one fails here."""

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
    1: {
        "31 December 23:00 EST stays in December, 1 January 00:30 EET in January": [
            "test_the_booking_date_is_the_local_day_as_written"
        ]
    },
    2: {
        "-200,00 1.234,56 1,234.56 +5.00 +1 006,60 exact": ["test_amounts_where_either_mark_is_allowed"],
        "2,000 has two readings": [
            "test_two_readings_are_no_reading",
            "test_two_readings_of_an_amount_wait_for_the_declared_mark",
        ],
        "$120, NaN, 1e999: the line is a problem, the others are kept": [
            "test_an_unreadable_amount_is_a_problem_and_the_other_lines_stay"
        ],
    },
    3: {
        "empty balance, no header, odd charset, NUL tail, CDATA, comments": [
            "test_what_banks_do_to_the_format_loses_no_line"
        ],
        "every OFX file of the corpus: line count and sum": [
            "test_ofx_agrees_with_two_other_readers_wherever_these_agree"
        ],
    },
    4: {"two accounts sharing FITIDs are kept apart": ["test_accounts_may_share_ids"]},
    5: {
        "one FITID, two amounts: both kept, id-reused": [
            "test_an_id_on_two_amounts_keeps_both_and_is_no_longer_believed"
        ]
    },
    6: {
        "two equal lines, different FITIDs": ["test_equal_lines_with_different_ids_are_two_payments"],
        "two equal lines without FITID, and the same file again": [
            "test_equal_lines_without_a_usable_id_are_two_payments_too",
            "test_the_same_files_again_change_nothing",
        ],
    },
    7: {"overlapping files: exactly three": ["test_overlapping_months_store_three_equal_lines_three_times"]},
    8: {
        "a bank that renumbers: the overlap adds nothing": [
            "test_a_bank_that_numbers_anew_on_each_download_adds_nothing_at_trust_c"
        ]
    },
    9: {
        "CORRECTFITID on an applied receipt: a question, nothing rewritten": [
            "test_a_correction_of_an_applied_receipt_is_a_question_and_rewrites_nothing"
        ]
    },
    10: {
        "RC and RCR negative, RD positive": ["test_the_mark_gives_the_sign"],
        "the file total -9,269,135.90": ["test_the_total_of_the_file_with_reversal_marks"],
    },
    11: {"the year boundary both ways": ["test_the_year_of_an_entry_date_lies_nearest_the_value_date"]},
    12: {
        "11 accounts, 3 currencies, 39 lines": [
            "test_a_file_of_eleven_accounts_and_three_currencies_keeps_them_apart"
        ]
    },
    13: {
        "30 February: the line is named, all others imported": [
            "test_a_day_that_is_none_is_a_problem_and_the_others_stay",
            "test_a_thirtieth_of_february_leaves_the_entry_date_and_is_named",
        ]
    },
    14: {
        "German fields, cut at 27 characters": ["test_german_fields_are_read_in_both_joinings"],
        "Dutch lines, wrapped at 65": ["test_dutch_tags_are_read_across_the_line_wrap"],
        "a number cut at a border is read in the other joining": [
            "test_a_number_cut_at_a_line_break_is_read_in_the_other_joining"
        ],
    },
    15: {
        "v2, v4, v8, v10, v14 give the same line": ["test_the_same_entry_in_every_version_is_the_same_line"],
        "wrapped in AppHdr too": ["test_an_envelope_changes_nothing"],
    },
    16: {
        "three children of mixed sign, sum = entry": ["test_a_batch_of_mixed_signs_has_parts_that_add_up"],
        "their ids differ": ["test_parts_of_one_batch_differ_and_parts_of_two_batches_differ"],
        "not equal: a problem, the parent kept": [
            "test_parts_that_do_not_add_up_are_a_problem_and_the_entry_stays_whole"
        ],
    },
    17: {
        "054 then 053: one booking": ["test_a_notice_says_what_the_booked_sum_is_made_of"],
        "052 replaced": ["test_a_report_and_the_statement_that_books_it_are_one_receipt"],
    },
    18: {
        "AC04 linked to the original by end-to-end id": [
            "test_a_return_is_linked_to_what_it_takes_back_with_its_consequence"
        ],
        "the invoice is opened again by a person, never automatically": [
            "test_money_that_went_back_is_queued_and_never_applied"
        ],
    },
    19: {
        "a cent off is unproven": ["test_a_cent_missing_is_a_statement_unproven"],
        "nothing of it applies alone": [
            "test_an_amount_that_cannot_be_read_is_a_queue_item_with_its_text_and_nothing_of_its_statement_applies_alone",
            "test_a_house_may_take_the_lines_of_a_statement_that_does_not_come_out",
        ],
        "number 7 missing between 6 and 8 is a gap": ["test_gaps_between_statements"],
    },
    20: {
        "continuations with commas and slashes": [
            "test_texts_keep_their_commas_and_slashes_over_continuations",
            "test_tagged_continuations_are_read_and_are_no_text",
        ],
        "records sharing one line: all of the file's": [
            "test_records_that_share_a_line_are_apart",
            "test_bai2_agrees_with_another_reader_wherever_that_reads",
        ],
        "control totals checked": ["test_a_wrong_control_total_is_a_problem"],
        "type 555 linked to its deposit": [
            "test_a_cheque_that_bounces_in_a_bai2_report_is_linked_to_its_deposit"
        ],
        "yen without decimals": ["test_yen_have_no_decimals"],
    },
    21: {
        "R01 names the original trace, R10 is a dispute": [
            "test_a_return_names_the_trace_it_takes_back_and_what_follows"
        ],
        "linked to our receipt": [
            "test_an_ach_return_is_linked_to_our_receipt_by_its_trace_with_its_consequence"
        ],
        "lines shorter than 94": ["test_rows_of_any_width_are_read"],
    },
    22: {
        "an 820 cut over addenda: all read, sum of paid = BPR02": [
            "test_an_820_cut_anywhere_over_the_addenda_is_read_whole",
            "test_820s_come_to_their_payment",
        ],
        "gross first, resolved by the sum": ["test_gross_comes_before_paid_where_only_that_adds_up"],
    },
    23: {
        "a cheque with two invoices, one unknown: known part proposed, rest on account with the MICR payer": [
            "test_invoices_of_a_cheque_are_its_remittance",
            "test_a_lockbox_cheque_pays_the_invoice_that_is_known_and_the_rest_waits_with_its_payer",
        ]
    },
    24: {
        "children + remainder = the bank's amount": [
            "test_payments_fees_refunds_and_disputes_of_a_payout_come_to_its_line",
            "test_what_a_payout_leaves_open_of_a_line_that_names_it_is_a_remainder_a_person_looks_at",
        ],
        "a negative payout": ["test_a_negative_payout_is_taken_apart_too"],
        "Plaid's sign is turned": ["test_plaid_counts_money_out_as_positive_and_we_do_not"],
        "pending is never applied": [
            "test_pending_plaid_transactions_are_never_lines",
            "test_pending_lines_are_left_out_and_named",
            "test_pending_entries_are_not_booked",
        ],
    },
    25: {
        "DOCTYPE, XXE, entity bombs": [
            "test_a_doctype_is_refused",
            "test_workbooks_that_are_none_are_refused",
        ],
        "200,000 levels, over 64 MB": ["test_bad_files_end_soon_in_a_named_error"],
        "2 MB of text, a line of 64 MB": [
            "test_two_megabytes_of_text_are_cut_and_named",
            "test_a_line_longer_than_any_bank_writes_is_refused_at_once",
            "test_a_line_of_64_mib_is_refused_within_two_seconds",
        ],
        "20,000 lines; bench/bank.py measures the second": [
            "test_twenty_thousand_lines_take_seconds_at_most"
        ],
        "camt flat in memory": ["test_memory_holds_one_entry_whatever_the_size_of_the_file"],
    },
}


@pytest.mark.parametrize(
    ("case", "claim"), [(case, claim) for case, claims in CASES.items() for claim in claims]
)
def test_each_claim_has_its_tests(case, claim):
    assert [name for name in CASES[case][claim] if name not in DEFINED] == []


def test_there_are_twenty_five_cases():
    assert list(CASES) == list(range(1, 26))
