"""Which test shows each row of FAULTS: those of the simulation, and those of other rooms that were there already."""

_ORDERS = "tests/simulation/test_faults.py"
_OUTSIDE = "tests/simulation/test_faults_outside.py"
_WIRE = "tests/unit/test_live_faults.py"
_CONTRACT = "tests/contract/test_exchange_contract.py"
_STORE = "tests/integration/test_store_commits.py"
_POSTGRES = "tests/integration/test_store_postgres.py"
_HOSTILE = "tests/integration/test_webhook_hostile.py"
_MIGRATED = "tests/migrations/test_migrations.py"
_REVISIONS = "tests/migrations/test_revisions.py"

ROWS: dict[int, tuple[str, ...]] = {
    1: (f"{_ORDERS}::test_row_01_a_lost_answer_is_asked_for_and_the_order_adopted",),
    2: (f"{_ORDERS}::test_row_02_an_order_that_never_arrived_is_sent_once_more_under_its_id",),
    3: (f"{_ORDERS}::test_row_03_an_order_whose_answer_was_lost_and_that_filled_at_once_is_found_with_its_fills",),
    4: (
        f"{_CONTRACT}::test_a_gateways_page_says_nothing_of_the_order",
        f"{_WIRE}::test_where_nobody_knows_what_became_of_an_order_it_is_asked_for",
        f"{_WIRE}::test_a_server_error_after_a_new_order_leaves_it_unknown_and_after_a_question_is_tried_again",
    ),
    5: (
        f"{_CONTRACT}::test_an_answer_that_cannot_be_read_says_nothing_of_the_order",
        f"{_ORDERS}::test_row_05_an_answer_that_cannot_be_read_says_nothing_of_the_order",
        f"{_WIRE}::test_where_nobody_knows_what_became_of_an_order_it_is_asked_for",
    ),
    6: (f"{_ORDERS}::test_row_06_where_answers_only_acknowledge_stream_or_questions_tell_the_rest",),
    7: (
        f"{_ORDERS}::test_row_07_an_id_that_is_taken_is_our_own_order",
        f"{_WIRE}::test_an_id_that_is_taken_is_our_own_order",
    ),
    8: (f"{_ORDERS}::test_row_08_an_entry_without_funds_is_refused_with_its_reason_and_its_money_is_free_again",),
    9: (
        f"{_ORDERS}::test_row_09_what_a_fee_took_of_the_coin_is_not_sold",
        "tests/unit/test_targets.py::test_what_is_sold_is_what_is_there_after_fees_in_base_and_the_rest_is_dust",
    ),
    10: (
        f"{_ORDERS}::test_row_10_an_order_refused_for_the_rules_is_made_again_once_by_new_ones",
        f"{_ORDERS}::test_row_10_and_then_it_fails_visibly",
        f"{_ORDERS}::test_row_10_a_close_just_above_the_minimum_is_not_bounded_below_it",
    ),
    11: (f"{_ORDERS}::test_row_11_what_had_filled_before_the_rest_was_cancelled_stays_and_gets_its_target",),
    12: (f"{_ORDERS}::test_row_12_a_rest_under_the_minimum_goes_with_the_next_close",),
    13: (f"{_ORDERS}::test_row_13_a_fill_that_stream_and_poll_both_tell_counts_once",),
    14: (
        f"{_ORDERS}::test_row_14_a_fill_that_comes_before_the_answer_is_kept",
        "tests/unit/test_order.py::test_a_fill_may_come_before_the_creates_answer",
    ),
    15: (
        f"{_ORDERS}::test_row_15_events_in_any_order_come_to_the_same",
        "tests/unit/test_order.py::test_no_arrow_leads_from_a_final_state_to_a_working_one_but_for_a_fill_the_exchange_"
        "had_refused",
    ),
    16: (
        f"{_ORDERS}::test_row_16_a_cancel_that_meets_a_fill_is_what_the_exchange_says",
        f"{_ORDERS}::test_row_16_not_found_on_a_cancel_is_not_cancelled",
    ),
    17: (f"{_ORDERS}::test_row_17_a_cancel_without_proof_is_pending_until_it_is_proven",),
    18: (
        "tests/unit/test_order.py::test_more_filled_than_ordered_is_accepted_as_it_is",
        "tests/unit/test_exit_and_slippage.py::test_more_filled_than_ordered_is_counted_sold_and_told_of",
    ),
    19: (f"{_ORDERS}::test_row_19_of_a_ladder_with_one_refused_leg_the_others_stand",),
    20: (f"{_ORDERS}::test_row_20_a_leg_refused_while_the_group_leaves_stops_no_exit",),
    21: (f"{_ORDERS}::test_row_21_of_a_partly_filled_entry_the_part_is_sold_at_an_exit",),
    22: (f"{_ORDERS}::test_row_22_three_exits_at_once_are_one_sale",),
    23: (f"{_ORDERS}::test_row_23_an_entry_for_a_group_that_closes_waits_for_it",),
    24: (f"{_ORDERS}::test_row_24_killed_before_the_commit_nothing_was_sent",),
    25: (f"{_ORDERS}::test_row_25_killed_between_commit_and_sending_it_is_asked_for_and_sent_once",),
    26: (f"{_ORDERS}::test_row_26_killed_between_sending_and_the_answers_commit_it_is_adopted",),
    27: (f"{_ORDERS}::test_row_27_killed_between_a_fill_and_its_target_there_is_one_target_after_the_restart",),
    28: (
        f"{_ORDERS}::test_row_28_killed_in_an_offset_at_every_step_it_goes_on",
        "tests/unit/test_risk_resumed.py::test_it_goes_on_from_wherever_it_died",
    ),
    29: (f"{_ORDERS}::test_row_29_killed_while_closing_the_close_goes_on",),
    30: (
        f"{_ORDERS}::test_row_30_killed_at_every_commit_every_sending_and_every_answer_of_a_story",
        "tests/integration/test_program_crash_points.py::test_dying_after_any_of_its_transactions_changes_nothing_of_"
        "what_is_traded",
        "tests/simulation/test_simulation.py::test_nothing_is_broken_in_any_life",
    ),
    31: (
        "tests/integration/test_program.py::test_a_second_program_on_the_same_data_says_so_and_disturbs_nothing",
        f"{_POSTGRES}::test_a_second_engine_is_told_where_the_first_one_runs",
    ),
    32: (
        f"{_ORDERS}::test_row_32_an_orderly_stop_does_not_wait_for_an_exchange_that_hangs",
        f"{_ORDERS}::test_row_32_a_stop_with_orders_in_flight_is_recovered_from",
        "tests/unit/test_engine.py::test_a_stop_is_bounded_though_exchange_and_store_hang",
    ),
    33: (
        f"{_ORDERS}::test_row_33_a_machine_that_slept_compares_its_orders_before_it_lets_anybody_in",
        f"{_ORDERS}::test_row_33_a_clock_that_is_set_hides_nothing",
        f"{_ORDERS}::test_row_33_a_clock_that_is_set_back_makes_nobody_wait_longer",
        f"{_ORDERS}::test_row_33_a_clock_that_is_set_back_makes_no_old_price_new",
    ),
    34: (
        "tests/unit/test_engine.py::test_a_window_that_raises_stops_nothing",
        "tests/ui/test_window_faults.py::test_a_slot_that_raises_is_in_the_audit_trail_once_and_alerts_go_on",
        "tests/ui/test_window_faults.py::test_a_window_that_keeps_the_engine_waiting_is_told_of",
    ),
    35: (
        f"{_ORDERS}::test_row_35_while_neither_stream_nor_questions_show_a_fill_entries_wait",
        f"{_ORDERS}::test_row_35_a_task_that_dies_is_run_again",
        "tests/unit/test_engine_supervisor.py::test_a_task_that_fails_is_run_again_and_its_first_failure_told",
    ),
    36: (f"{_OUTSIDE}::test_row_36_while_the_stream_is_silent_polling_covers",),
    37: (f"{_CONTRACT}::test_a_session_that_has_expired_is_renewed_when_its_silence_is_noticed",),
    38: (
        f"{_OUTSIDE}::test_row_38_slow_down_is_honoured",
        "tests/unit/test_live_pace.py::test_exits_go_before_targets_and_targets_before_entries_that_waited_longer",
    ),
    39: (
        f"{_OUTSIDE}::test_row_39_while_banned_nothing_is_done_and_then_all_goes_on",
        "tests/unit/test_live_pace.py::test_while_the_exchange_wants_silence_nothing_goes_out_not_even_an_exit",
    ),
    40: (
        f"{_WIRE}::test_a_wrong_clock_is_no_wrong_key",
        f"{_CONTRACT}::test_a_clock_that_is_off_is_set_by_the_exchanges_and_no_key_is_called_bad",
    ),
    41: (f"{_OUTSIDE}::test_row_41_in_maintenance_entries_wait_and_are_let_in_on_return",),
    42: (
        f"{_OUTSIDE}::test_row_42_a_revoked_key_stops_the_account_and_nothing_is_asked_any_more",
        "tests/contract/test_account_check.py::test_a_key_that_may_withdraw_is_warned_about",
    ),
    43: (f"{_OUTSIDE}::test_row_43_of_a_halted_symbol_the_ladder_is_cancelled_and_the_group_left_to_the_trader",),
    44: (f"{_OUTSIDE}::test_row_44_a_target_that_the_trader_cancels_on_the_exchange_is_not_put_back",),
    45: (f"{_OUTSIDE}::test_row_45_when_the_trader_sells_our_coins_the_group_stands_still_and_shows_the_difference",),
    46: (f"{_OUTSIDE}::test_row_46_orders_and_deposits_that_are_not_ours_are_never_touched",),
    47: ("tests/unit/test_market_plausible.py::test_which_prices_are_handed_on",),
    48: (
        f"{_OUTSIDE}::test_row_48_nothing_is_closed_on_a_price_that_has_grown_old",
        f"{_OUTSIDE}::test_row_48_nobody_is_paid_off_at_prices_that_have_grown_old",
        "tests/ui/test_positions_model.py::test_a_stale_price_is_muted_with_a_clock_and_its_pnl_keeps_the_sign",
    ),
    49: (
        f"{_OUTSIDE}::test_row_49_and_50_a_store_that_fails_at_any_moment_lets_nothing_out_and_goes_on",
        f"{_STORE}::test_a_lock_that_stays_fails_within_its_bound_and_later_it_works_again",
    ),
    50: (
        f"{_OUTSIDE}::test_row_50_at_whatever_transaction_the_store_fails_the_story_comes_to_the_same_end",
        f"{_OUTSIDE}::test_row_50_while_the_disk_is_full_alerts_are_turned_away_and_what_rests_stays",
        f"{_STORE}::test_a_full_disk_takes_nothing_says_so_and_later_it_works_again",
        "tests/integration/test_store_faults.py::test_a_fault_at_any_statement_leaves_nothing_behind_and_is_over_with_"
        "its_cause",
        "tests/integration/test_webhook.py::TestTheTableOfAnswers::test_503_the_store_cannot_take_it",
    ),
    51: (f"{_POSTGRES}::test_a_commit_whose_answer_was_lost_is_found_and_is_no_failure",),
    52: (
        f"{_MIGRATED}::test_an_older_store_is_migrated_and_its_backup_is_what_it_was",
        f"{_MIGRATED}::test_a_newer_store_is_refused_with_what_to_do_and_left_as_it_was",
        f"{_MIGRATED}::test_what_cannot_be_read_is_refused_with_what_to_do_and_left_as_it_was",
    ),
    53: (
        f"{_REVISIONS}::test_from_nothing_come_exactly_the_tables_that_the_program_uses",
        f"{_REVISIONS}::test_from_each_revision_with_rows_in_it_a_start_reaches_the_last_and_keeps_them",
    ),
    54: (
        f"{_OUTSIDE}::test_row_54_the_same_signal_four_times_at_once_has_one_effect",
        f"{_OUTSIDE}::test_row_54_also_over_a_death",
        f"{_HOSTILE}::TestManyAtOnce::test_the_same_signal_four_times_at_once_is_accepted_once",
    ),
    55: (f"{_HOSTILE}::TestManyAtOnce::test_a_thousand_requests_are_all_answered",),
    56: (f"{_OUTSIDE}::test_row_56_answers_do_not_wait_for_an_exchange_that_hangs",),
    57: (
        f"{_HOSTILE}::TestBodies::test_whatever_comes_is_a_4xx_and_the_next_alert_is_taken",
        f"{_HOSTILE}::TestSecrecy::test_token_and_secret_are_in_no_answer_no_log_and_no_arrival",
    ),
    58: (f"{_OUTSIDE}::test_row_58_sixteen_entries_at_once_never_take_more_slots_than_there_are",),
    59: (f"{_OUTSIDE}::test_row_59_two_groups_of_one_coin_each_sell_their_own",),
    60: (f"{_OUTSIDE}::test_row_60_the_profit_of_one_winner_is_spent_once_on_two_losers",),
    61: (f"{_OUTSIDE}::test_row_61_a_promotion_whose_orders_fail_is_told_and_nothing_is_lost",),
    62: (
        "tests/unit/test_settings_file.py::test_the_last_good_copy_survives_a_file_that_is_cut_short",
        "tests/unit/test_settings_file.py::test_a_file_cut_short_is_refused_with_its_line",
        "tests/unit/test_settings_file.py::test_a_wrong_value_is_named_with_its_path",
        "tests/integration/test_apply_file.py::test_a_broken_file_is_named_and_what_runs_goes_on",
    ),
}

PENDING: dict[int, str] = {}
"""Rows that have no test of their own yet, and why."""
