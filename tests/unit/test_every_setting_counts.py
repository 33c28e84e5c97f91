"""No value of the configuration that concerns trading is ignored: each changes what happens, as it says (SPEC §14)."""

from collections import Counter
from enum import Enum
from typing import Any, get_args

import pytest

from exengine.domain.settings import QueueRule
from exengine.settings.pages import Config
from tests.helpers.setting_cases import accounts, grid, paper, pool_and_queue, risk, targets
from tests.helpers.setting_cases.case import COMMON, OVERRIDABLE, Case, as_override, differences, leaf_of, leaves

COMMON_CASES = [
    *grid.CASES, *targets.CASES, *pool_and_queue.CASES, *risk.CASES, *accounts.CASES, *paper.CASES,
]  # fmt: skip
OVERRIDES = [as_override(case) for case in (*grid.VALUES, *targets.CASES) if case.path.partition(".")[0] in OVERRIDABLE]
CASES = [*COMMON_CASES, *OVERRIDES]

EXEMPT = {
    "schema_version": "the form of the file",
    "app.data_dir": "where files lie",
    "app.database_url": "where the store is",
    "security.webhook_auth": "who may send an alert, not what it does: tests of the listener",
    "security.read_only": "the window's own",
    "security.app_lock": "the window's own",
    "security.auto_lock_minutes": "the window's own",
    "accounts.testnet": "which servers of a live exchange are asked: contract tests of the exchanges",
    "accounts.margin_mode": "what a live exchange is told before it trades: contract tests of the exchanges",
    "accounts.server": "where a live exchange is asked: contract tests of the exchanges",
    "precision.refresh_seconds": "how often live exchanges are asked: tests of the timer",
}
"""Values without a story here, and why."""

OTHER_PAGES = {
    "listener": "how alerts arrive: tests of the listener",
    "logging": "what is written down",
    "notifications": "who is told",
    "ui": "the window's own",
}
"""Pages on which nothing concerns trading."""

LEAVES = dict(leaves())


def is_exempt(leaf: str) -> bool:
    return leaf in EXEMPT or leaf.partition(".")[0] in OTHER_PAGES


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


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if not is_exempt(leaf)])
def test_every_value_that_concerns_trading_has_a_story(leaf: str) -> None:
    assert leaf in {case.leaf for case in CASES}, "a new setting needs a case here, or a reason in EXEMPT"


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if not is_exempt(leaf)])
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


def test_no_exemption_is_for_a_value_that_is_not_there_or_has_a_story() -> None:
    assert set(EXEMPT) <= set(LEAVES)
    assert not set(EXEMPT) & {case.leaf for case in CASES}
    assert set(OTHER_PAGES) <= set(Config.model_fields)
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
