"""The sixty behaviours a simulated Xero must show, and the tests that show each; none may be missing."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHOWN_BY = {
    1: ("token by code, refresh, client credentials, revocation; Basic and form", [
        "test_a_code_gives_tokens_which_refresh_and_can_be_revoked", "test_a_wrong_secret_is_refused",
        "test_a_code_lives_five_minutes", "test_pkce_needs_the_verifier_and_no_secret",
        "test_redirects_go_to_https_or_to_localhost_by_name"]),
    2: ("rotation with a grace of thirty minutes", ["test_a_used_refresh_token_works_again_for_thirty_minutes"]),
    3: ("access tokens live thirty minutes", ["test_an_access_token_lives_thirty_minutes"]),
    4: ("refresh tokens live sixty days", ["test_an_unused_refresh_token_lives_sixty_days"]),
    5: ("scopes, granular and broad", [
        "test_scopes_open_endpoints", "test_a_new_application_cannot_ask_for_broad_scopes",
        "test_broad_scopes_end_in_september_2027", "test_a_user_without_reports_gets_403_from_reports_only"]),
    6: ("connections: list, filter, delete", [
        "test_connections_are_listed_filtered_and_deleted",
        "test_an_application_looks_after_its_connections_without_a_user"]),
    7: ("unknown tenant", [
        "test_an_unknown_tenant_is_403", "test_one_applications_token_does_not_open_anothers_tenant"]),
    8: ("custom connection without a tenant header", ["test_a_custom_connection_needs_no_tenant_header"]),
    9: ("XML unless JSON is asked for", ["test_without_asking_for_json_one_gets_xml"]),
    10: ("envelope and both forms of dates", ["test_the_envelope_and_both_forms_of_dates"]),
    11: ("rate headers on every answer", ["test_every_answer_says_what_is_left"]),
    12: ("minute, concurrency, day, application", [
        "test_sixty_a_minute", "test_five_at_once_and_the_sixth_is_told_no_time",
        "test_the_limit_of_an_application_over_all_tenants", "test_throttles_on_request"]),
    13: ("the day's Retry-After is hours", ["test_the_day_has_a_limit_and_says_for_how_many_hours"]),
    14: ("three texts of 503", ["test_three_plain_texts_of_503"]),
    15: ("500 is HTML", ["test_500_is_html"]),
    16: ("412 and 404", ["test_404_for_an_unknown_id_and_412_for_an_unreadable_condition",
                         "test_single_refusals_on_request"]),
    17: ("slow, cut before and after the write", [
        "test_slow_answers_come", "test_what_was_written_when_the_answer_is_lost",
        "test_every_kind_of_fault_is_carried_out"]),
    18: ("delivered twice", [
        "test_what_was_written_when_the_answer_is_lost", "test_a_duplicate_with_a_key_is_written_once"]),
    19: ("gzip", ["test_gzip_where_it_is_asked_for"]),
    20: ("six minutes of a key, errors too", [
        "test_a_key_repeats_the_answer_for_six_minutes", "test_a_key_repeats_an_error_too"]),
    21: ("a key with another body", ["test_a_key_with_another_request_is_refused"]),
    22: ("an expired key writes again", [
        "test_a_key_repeats_the_answer_for_six_minutes", "test_a_key_belongs_to_the_application"]),
    23: ("128 characters", ["test_a_key_of_128_characters_is_the_longest"]),
    24: ("repeated answers count", ["test_repeated_answers_count_against_the_limits"]),
    25: ("the store of keys is down", ["test_when_the_store_of_keys_is_down_nothing_is_written"]),
    26: ("pages of 100, 1 to 1000, beyond the last", [
        "test_pages_of_a_hundred_unless_said", "test_a_page_size_out_of_range_is_moved_into_it_silently"]),
    27: ("unpaged lists are summaries", [
        "test_a_list_without_pages_is_a_summary", "test_a_payments_list_without_pages_has_a_stub_of_the_invoice"]),
    28: ("Statuses and summaryOnly force pages", [
        "test_statuses_and_summary_only_force_pages", "test_a_summary_of_contacts_has_no_balances"]),
    29: ("If-Modified-Since", ["test_if_modified_since", "test_if_modified_since_as_a_parameter_is_ignored"]),
    30: ("what the feed does not see, and what it does", [
        "test_the_feed_does_not_see_due_dates_and_sending_of_part_paid_invoices",
        "test_a_contacts_balance_does_not_move_its_date", "test_payments_allocations_and_voids_move_the_date"]),
    31: ("where", ["test_where", "test_a_where_that_cannot_be_read_is_400", "test_every_list_answers_its_filters"]),
    32: ("lists of ids, numbers, contacts, statuses", ["test_lists_of_ids_numbers_contacts_and_statuses"]),
    33: ("order, ties, changes while paging", [
        "test_the_default_order_is_by_change_then_id", "test_equal_moments_are_ordered_by_id",
        "test_a_record_that_changes_while_one_pages_comes_again_at_the_end"]),
    34: ("threshold", ["test_too_many_records_are_400"]),
    35: ("by number", ["test_an_invoice_by_its_number"]),
    36: ("archived and merged contacts", ["test_archived_contacts_hide_and_merged_ones_point"]),
    37: ("unitdp", ["test_unit_prices_have_two_decimals_unless_four_are_asked_for"]),
    38: ("absent keys, empty lists, quoted values, unknown words", [
        "test_absent_values_are_absent_and_empty_lists_stand_for_none",
        "test_quoted_numbers_and_booleans_on_request", "test_one_strange_record_on_request"]),
    39: ("status machine", [
        "test_the_status_machine", "test_paid_is_set_by_xero_alone", "test_what_an_authorised_invoice_needs",
        "test_a_part_paid_invoice_keeps_its_amounts_but_not_its_words"]),
    40: ("all or each", [
        "test_one_bad_element_fails_them_all", "test_with_summarize_errors_false_each_stands_by_itself",
        "test_the_error_text_may_be_called_description"]),
    41: ("rules of payments", [
        "test_rules_of_payments", "test_a_euro_invoice_paid_into_a_dollar_account",
        "test_what_a_foreign_payment_cannot_be", "test_the_last_payment_takes_what_rounding_left"]),
    42: ("payments move what is due", ["test_payments_move_what_is_due_and_deleting_moves_it_back"]),
    43: ("batches", ["test_a_batch_is_one_line_at_the_bank", "test_what_a_batch_cannot_be"]),
    44: ("allocations", ["test_allocations", "test_what_an_allocation_cannot_be"]),
    45: ("overpayments and prepayments", [
        "test_money_received_ahead_makes_two_objects", "test_a_plain_bank_transaction_can_be_changed_and_deleted"]),
    46: ("refunds", ["test_refunds_are_payments_of_credits"]),
    47: ("lock dates", [
        "test_both_lock_dates_speak_in_one_element", "test_advisers_pass_the_period_lock_but_not_the_years",
        "test_nothing_in_a_locked_period_is_taken_back"]),
    48: ("lines by their id", ["test_lines_without_their_id_are_made_anew"]),
    49: ("an invoice's contact changes the contact", [
        "test_other_fields_of_an_invoices_contact_change_the_contact"]),
    50: ("tax by line", ["test_tax_is_rounded_line_by_line", "test_discounts_and_line_totals"]),
    51: ("a number twice", ["test_a_number_is_refused_on_put_and_updated_on_post"]),
    52: ("void is blocked", ["test_void_is_blocked_while_anything_is_applied"]),
    53: ("history", ["test_history_is_kept_and_notes_are_limited"]),
    54: ("mail", ["test_emails_have_a_cap_a_day", "test_a_demo_organisation_sends_no_mail"]),
    55: ("concurrent payments", ["test_of_concurrent_payments_only_what_is_due_is_taken"]),
    56: ("people at the books", [
        "test_reconciling_is_done_by_a_person", "test_what_people_do_in_the_books_is_seen",
        "test_the_control_api_does_all_of_it_over_http",
        "test_a_reconciled_batch_is_reconciled_in_each_payment"]),
    57: ("webhooks", [
        "test_a_door_proves_itself_before_it_hears_anything", "test_events_of_webhooks",
        "test_a_failed_delivery_is_tried_every_fifteen_minutes_for_a_day",
        "test_events_older_than_thirty_one_days_are_gone", "test_duplicates_and_disorder_on_request"]),
    58: ("aged receivables are the ledger", ["test_aged_receivables_are_the_ledger"]),
    59: ("virtual clock, seed", [
        "test_the_same_seed_gives_the_same_answers", "test_only_the_given_clock_moves_time"]),
    60: ("log with verdicts, egress", ["test_the_log_has_a_verdict_and_the_egress_of_each_exchange"]),
}  # fmt: skip


def names_of_tests():
    """Names of tests that run; one that is skipped or expected to fail shows nothing."""
    found = set()
    for path in HERE.glob("test_xero_*.py"):
        for node in ast.parse(path.read_text()).body:
            marks = " ".join(ast.unparse(one) for one in getattr(node, "decorator_list", []))
            if isinstance(node, ast.FunctionDef) and "skip" not in marks and "xfail" not in marks:
                found.add(node.name)
    return found


def test_none_of_the_sixty_is_missing():
    assert sorted(SHOWN_BY) == list(range(1, 61))


@pytest.mark.parametrize("number", range(1, 61))
def test_each_behaviour_is_shown(number):
    _, names = SHOWN_BY[number]
    assert names
    assert set(names) <= names_of_tests()
