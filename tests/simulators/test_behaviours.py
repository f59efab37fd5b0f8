"""What the QuickBooks simulator reproduces, by number, and the tests that show it.

S means that the behaviour is disputed or unverified and has a switch (`records.Switches`, or a setting of the
company); README.md beside the simulator gives the evidence.
"""

import ast
from pathlib import Path

import pytest

BEHAVIOURS = {
    1: (
        "OAuth discovery, consent, token, refresh and revocation",
        "test_consent_in_a_browser test_a_refresh_token_dies_of_age_and_of_revocation test_a_wrong_secret",
    ),
    2: ("an access token lives an hour, then 401", "test_access_expires_and_realms_are_apart"),
    3: (
        "S refresh tokens rotate, with a grace",
        "test_refresh_rotation test_an_old_refresh_token_may_have_a_grace",
    ),
    4: ("invalid_grant in its words", "test_a_refresh_token_dies_of_age_and_of_revocation"),
    5: (
        "the hard expiry is told when asked for, and kept",
        "test_the_hard_expiry_comes_only_when_asked_for test_five_years_after_consent_no_refresh_helps",
    ),
    6: ("3100 for a company the token does not open", "test_access_expires_and_realms_are_apart"),
    7: ("companies see nothing of each other", "test_a_company_sees_nothing_of_another"),
    8: (
        "minor versions below 75 are answered as 75",
        "test_minor_versions_below_75_are_answered_as_75 test_headers_minor_versions_and_unknown_paths",
    ),
    9: (
        "an unknown property is 2010, by the schema",
        "test_refusals test_no_property_of_the_tables_is_invented "
        "test_every_answer_of_a_busy_year_lies_inside_of_the_schema",
    ),
    10: (
        "a missing parameter is 2020; S sparse payments",
        "test_refusals test_sparse_payments_are_refused_unless_switched",
    ),
    11: (
        "2030 for a bad Id, 610 for a missing one, 500 for an unknown path",
        "test_refusals test_headers_minor_versions_and_unknown_paths",
    ),
    12: (
        "lengths: 2050",
        "test_refusals test_no_length_contradicts_the_schema test_notes_that_are_refused",
    ),
    13: ("transactions share their Ids", "test_transactions_share_their_ids_and_lists_have_their_own"),
    14: (
        "a SyncToken moves with a change and not without one",
        "test_sending_back_an_invoice_changes_nothing test_sending_back_what_was_read_changes_nothing "
        "test_the_same_deposit_sent_back_changes_nothing",
    ),
    15: ("5010 names who was first", "test_a_stale_token_names_who_was_first"),
    16: (
        "a payment moves the tokens of what it uses, not the customer's",
        "test_a_payment_bumps_every_document_it_uses_but_not_the_customers_token "
        "test_editing_bumps_what_is_used_and_what_is_let_go",
    ),
    17: (
        "documents point at each other from both sides",
        "test_an_invoice_points_back_at_each_of_its_payments_and_only_while_they_last",
    ),
    18: (
        "UnappliedAmt with credits",
        "test_balance_and_unapplied_amount test_cash_and_credit_pay_three_invoices_short",
    ),
    19: ("an overpayment is accepted", "test_balance_and_unapplied_amount"),
    20: (
        "a payment of 0 applies credit memos, journal entries and cheques",
        "test_a_zero_payment_applies_a_credit_memo test_a_credit_line_of_a_journal_entry_pays_an_invoice "
        "test_a_cheque_to_a_customer_uses_his_unapplied_credit_up",
    ),
    21: ("lines are replaced; none un-applies", "test_an_empty_line_list_unapplies_everything"),
    22: (
        "S a line above the balance",
        "test_a_refused_payment_changes_nothing test_a_line_over_the_balance_can_be_cut_instead",
    ),
    23: (
        "another customer's invoice is refused",
        "test_a_refused_payment_changes_nothing test_a_parent_pays_its_childs_invoice_but_not_the_other_way",
    ),
    24: ("money goes to Undeposited Funds", "test_money_goes_to_undeposited_funds_unless_told_otherwise"),
    25: (
        "6540 for what has been deposited",
        "test_a_deposited_payment_cannot_be_changed_until_it_leaves_the_deposit "
        "test_a_deposit_takes_payments_receipts_refunds_and_a_fee_to_the_bank",
    ),
    26: ("a void invoice", "test_voiding_an_invoice"),
    27: (
        "S a paid invoice is voided and its payment stays",
        "test_a_paid_invoice_goes_and_its_payment_stays test_or_it_is_refused",
    ),
    28: ("a void payment", "test_voiding_a_payment_keeps_it_with_nothing"),
    29: ("a credit memo cannot be voided", "test_a_credit_memo_cannot_be_voided"),
    30: ("a deleted object is a stub", "test_deleting_gives_the_balance_back_and_leaves_a_stub"),
    31: (
        "inactive and merged names hide, with a suffix",
        "test_inactive_names_hide_and_show test_a_merged_customer_hands_everything_over",
    ),
    32: (
        "the query language",
        "test_what_a_query_finds test_orders test_count_and_paging_numbers "
        "test_a_page_is_a_hundred_and_never_more_than_a_thousand test_what_a_query_may_not_say "
        "test_quotes_and_backslashes_cannot_break_out test_an_entity_in_lower_case_is_disputed",
    ),
    33: ("LIKE, IN, times with offsets", "test_what_a_query_finds test_times_are_pacific_to_the_second"),
    34: ("Pacific times with daylight saving", "test_times_are_pacific_to_the_second"),
    35: (
        "only what has a value; 0 and 100.00",
        "test_only_what_has_a_value_is_returned test_number_text",
    ),
    36: (
        "S the change feed: window, cap, stubs, empty blocks",
        "test_changes_since_a_second_and_empty_blocks test_the_feed_has_a_cap_and_a_window "
        "test_a_deleted_object_is_a_stub",
    ),
    37: ("a living object called deleted", "test_a_living_object_can_be_called_deleted"),
    38: (
        "batches of thirty, refusals inside; S order",
        "test_a_batch_of_everything test_the_sdks_batch test_a_batch_promises_no_order",
    ),
    39: (
        "a requestid is answered twice, also after a delete; S another body",
        "test_a_requestid_is_answered_twice_and_done_once test_another_body_under_the_same_requestid "
        "test_a_refused_request_does_not_use_its_requestid_up",
    ),
    40: (
        "S limits by minute, second, at once and batch; JSON, XML, 403, Retry-After",
        "test_rate_limits_run_on_the_simulators_clock test_batches_have_their_own_limit "
        "test_the_eleventh_request_at_once_is_refused test_other_applications_use_the_companys_batches_up "
        "test_what_the_broken_answers_look_like test_a_throttle_in_each_of_its_shapes",
    ),
    41: ("S reads are metered, then blocked", "test_reads_are_metered_and_writes_are_not"),
    42: (
        "a fault that says 200",
        "test_every_fault_is_what_it_says test_what_the_broken_answers_look_like",
    ),
    43: (
        "lost, cut, slow, torn and empty answers",
        "test_every_fault_is_what_it_says test_a_lost_answer_repeated_with_its_requestid_pays_once",
    ),
    44: ("intuit_tid and QBO-Version", "test_headers_minor_versions_and_unknown_paths"),
    45: (
        "6140 where numbers are given by hand, 6240 across names",
        "test_numbers_by_themselves_and_by_hand test_refusals test_a_name_is_used_once_in_its_list",
    ),
    46: (
        "S closed books: 6210, 5010, or answered and not done",
        "test_a_closed_period_is_refused test_or_the_edit_is_answered_and_not_done",
    ),
    47: ("6190 in a company that lapsed", "test_a_lapsed_subscription_reads_only"),
    48: (
        "several currencies, deposits too",
        "test_a_foreign_invoice_has_two_amounts test_currencies_do_not_mix "
        "test_euros_are_deposited_in_euros_at_the_rate_of_the_day test_receivables_in_euros_take_only_euros",
    ),
    49: (
        "balances of parents and sub-customers",
        "test_parent_and_sub_customer_balances_are_not_added_twice",
    ),
    50: (
        "S credits and payments applied by themselves",
        "test_a_new_invoice_takes_old_credits_oldest_first test_a_new_credit_memo_takes_old_invoices "
        "test_a_payment_without_lines_may_be_applied "
        "test_a_new_invoice_takes_money_on_account_but_not_what_is_deposited",
    ),
    51: (
        "attachments with LF and CRLF, refusals inside 200, notes",
        "test_an_upload_comes_back_byte_for_byte test_each_file_of_an_upload_is_answered_for_itself "
        "test_a_note_needs_no_file test_the_sdk_uploads_with_line_feeds_and_base64",
    ),
    52: (
        "e-mail leaves its trace, forty a day",
        "test_sending_an_invoice_leaves_its_trace test_forty_a_day",
    ),
    53: (
        "reports from the ledger",
        "test_the_buckets_of_an_aging test_no_data test_every_report_is_the_control_account "
        "test_a_past_day_is_as_it_was",
    ),
    54: (
        "webhooks: both shapes, signed, mixed, doubled, out of order, retried",
        "test_cloudevents_tell_what_was_created_changed_and_touched test_the_older_shape "
        "test_the_sdk_accepts_the_signature_and_no_other test_companies_are_mixed_in_one_array_or_not "
        "test_duplicates_carry_the_same_ids test_out_of_order "
        "test_retries_follow_their_schedule_when_the_clock_jumps",
    ),
    55: (
        "a bookkeeper at work beside the program",
        "test_concurrent_clients_are_safe test_the_copy_button_copies_the_note_but_no_application "
        "test_a_payment_is_applied_and_unapplied_line_by_line",
    ),
    56: ("pages drift while they are read", "test_a_change_while_paging_shifts_the_pages"),
    57: ("fields nobody announced", "test_new_fields_nobody_announced"),
    58: (
        "the control account is the sum of the open items, always",
        "test_the_control_account_is_the_open_items test_it_is_so_in_a_foreign_currency_too",
    ),
}


@pytest.fixture(scope="module")
def known():
    """The name of every test beside this one."""
    trees = (ast.parse(path.read_text()) for path in Path(__file__).parent.glob("test_*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_all_fifty_eight_are_there():
    assert list(BEHAVIOURS) == list(range(1, 59))


@pytest.mark.parametrize(
    ("number", "words", "tests"),
    [(number, *rest) for number, rest in BEHAVIOURS.items()],
    ids=[f"{number}. {words}" for number, (words, _) in BEHAVIOURS.items()],
)
def test_each_behaviour_has_its_test(known, number, words, tests):
    assert tests.split()
    assert set(tests.split()) - known == set(), f"{number}. {words}"
