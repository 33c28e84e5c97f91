"""No value of the configuration is ignored: each changes what happens, as it says (SPEC §14)."""

import ast
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest

from exengine.domain.settings import QueueRule
from exengine.settings.pages import Config
from tests.helpers.setting_cases import accounts, grid, listener, paper, pool_and_queue, risk, targets
from tests.helpers.setting_cases.case import COMMON, OVERRIDABLE, Case, as_override, differences, leaf_of, leaves

COMMON_CASES = [
    *grid.CASES, *targets.CASES, *pool_and_queue.CASES, *risk.CASES, *accounts.CASES, *paper.CASES,
    *listener.CASES,
]  # fmt: skip
OVERRIDES = [as_override(case) for case in (*grid.VALUES, *targets.CASES) if case.path.partition(".")[0] in OVERRIDABLE]
CASES = [*COMMON_CASES, *OVERRIDES]

ELSEWHERE = {
    "schema_version": "unit/test_settings_file.py::test_a_file_of_a_newer_program_is_refused_with_what_to_do",
    "app.data_dir": "unit/test_settings_paths.py::"
    "test_the_option_comes_before_the_configuration_and_that_before_the_platform",
    "app.database_url": "integration/test_program_postgres.py::"
    "test_a_program_on_postgres_trades_is_exported_checked_killed_and_goes_on",
    "app.update_list": "integration/test_updates.py::"
    "test_a_program_that_is_told_to_asks_from_the_next_apply_on_and_no_longer_once_it_is_not",
    "app.update_key": "integration/test_updates.py::test_a_list_that_another_has_signed_is_not_read",
    "listener.port": "integration/test_apply.py::test_a_port_moves_and_the_old_one_is_free",
    "listener.tls_certificate": "integration/test_webhook_exposure.py::"
    "test_the_whole_program_listens_over_tls_and_the_commands_find_it",
    "listener.tls_key": "integration/test_webhook_exposure.py::"
    "test_the_whole_program_listens_over_tls_and_the_commands_find_it",
    "listener.tunnel": "integration/test_tunnel.py::"
    "test_the_program_runs_it_trusts_it_and_gives_its_address_to_the_trader",
    "security.read_only": "ui/test_secrets_in_the_window.py::test_no_event_and_no_change_of_settings_gets_through",
    "security.app_lock": "ui/test_secrets_in_the_window.py::"
    "test_it_is_locked_at_the_start_and_each_passphrase_opens_its_role",
    "security.auto_lock_minutes": "ui/test_secrets_in_the_window.py::"
    "test_nobody_there_for_long_it_locks_itself_and_floating_docks_and_dialogs_go",
    "accounts.testnet": "contract/test_where_it_asks.py::test_with_testnet_the_exchanges_place_for_practice_is_asked",
    "accounts.server": "contract/test_where_it_asks.py::test_with_a_server_of_this_machine_nothing_else_is_asked",
    "accounts.margin_mode": "contract/test_swap_contract.py::test_a_symbol_is_set_up_once_before_its_first_order",
    "precision.refresh_seconds": "unit/test_timers.py::"
    "test_market_rules_of_live_accounts_are_loaded_anew_as_often_as_precision_refresh_seconds_says",
    "logging.level": "integration/test_program_log.py::test_the_program_writes_what_is_at_least_as_severe_as_its_level",
    "logging.keep_days": "integration/test_program_log.py::test_the_program_keeps_its_log_for_keep_days",
    "logging.max_file_mb": "integration/test_program_log.py::test_the_program_continues_its_log_at_max_file_mb",
    "logging.webhook_replay": "integration/test_signal_replay.py::"
    "test_it_is_refused_where_the_setting_is_off_and_what_is_not_there_is_said",
    "notifications.url": "integration/test_notices.py::"
    "test_mail_and_http_are_told_what_each_asked_for_with_account_and_paper",
    "notifications.events": "integration/test_notices.py::"
    "test_mail_and_http_are_told_what_each_asked_for_with_account_and_paper",
    **{
        f"ui.{name}": "ui/test_settings_on_the_engine.py::test_each_value_of_the_look_is_seen_as_soon_as_it_is_applied"
        for name in ("theme", "font_size", "refresh_ms", "pnl_palette", "time")
    },
}
"""Values without a story here, and the test that shows what each changes."""

TESTS = Path(__file__).resolve().parents[1]

LEAVES = dict(leaves())


HERE = [leaf for leaf in LEAVES if leaf not in ELSEWHERE]


def each(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


@each(CASES)
def test_the_value_makes_the_difference_that_it_says(case: Case) -> None:
    assert case.outcome(with_value=False) == case.plain
    assert case.outcome(with_value=True) == case.changed


@each(CASES)
def test_the_story_would_fail_where_the_value_were_ignored(case: Case) -> None:
    """Ignored means as if it were not written: the story must not end as it does with the value."""
    assert case.outcome(with_value=False) != case.changed


@each(CASES)
def test_nothing_but_the_value_differs_between_the_two_plays(case: Case) -> None:
    found = differences(case.configuration(with_value=False), case.configuration(with_value=True))
    wanted = {case.leaf, *map(leaf_of, case.also)}
    assert found
    assert {leaf for leaf in found if not any(f"{leaf}.".startswith(f"{one}.") for one in wanted)} == set()


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_value_that_can_be_set_is_shown_to_change_something(leaf: str) -> None:
    """By a story of this file, or by a test that is named here, is there, and speaks of it."""
    if leaf not in ELSEWHERE:
        assert leaf in {case.leaf for case in CASES}, "a new setting needs a story here, or a test in ELSEWHERE"
        return
    file, _, name = ELSEWHERE[leaf].partition("::")
    source = (TESTS / file).read_text(encoding="utf-8")
    defined = {
        node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in defined
    assert leaf.rpartition(".")[2] in source


@pytest.mark.parametrize("leaf", HERE)
def test_every_choice_of_a_value_has_a_story(leaf: str) -> None:
    choices = [one for kind in _kinds(LEAVES[leaf]) if issubclass(kind, Enum) for one in kind]
    if leaf == "queue.priority" or not choices:
        return
    plays = [(case, with_value) for case in CASES if case.leaf == leaf for with_value in (False, True)]
    assert {_value(case, with_value=with_value) for case, with_value in plays} >= set(choices)


def test_every_rule_of_the_queue_has_a_story_of_its_own() -> None:
    """One that is taken out, or put in, and nothing else."""
    usual = list(Config().queue.priority)
    moved: Counter[QueueRule] = Counter()
    for case in CASES:
        if case.leaf == "queue.priority":
            rules = {QueueRule(name) for name in case.value}
            if len(changed := rules ^ set(usual)) == 1:
                moved.update(changed)
    assert set(moved) == set(QueueRule)


def test_no_test_elsewhere_is_named_for_a_value_that_is_not_there_or_has_a_story() -> None:
    assert set(ELSEWHERE) <= set(LEAVES)
    assert not set(ELSEWHERE) & {case.leaf for case in CASES}
    assert {leaf_of(path) for path in COMMON} <= {*LEAVES, "accounts", "grid.legs"}


def test_no_two_stories_are_one() -> None:
    assert all(count == 1 for count in Counter((case.path, str(case.value), case.story) for case in CASES).values())


def _kinds(annotation: Any) -> list[type]:
    """The types that a value may be of."""
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [kind for inner in get_args(annotation) for kind in _kinds(inner)]


def _value(case: Case, *, with_value: bool) -> Any:
    """What the configuration of a play has at the case's path."""
    found: Any = case.configuration(with_value=with_value)
    for name in case.path.split("."):
        found = found[int(name)] if name.isdigit() else getattr(found, name)
    return found
