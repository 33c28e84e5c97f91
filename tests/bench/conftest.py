"""One table of all goals at the end of a run, kept as JSON; `--against FILE` holds it against an earlier one.

`--profiles` tells where the time goes of each goal that falls short; its figures are no measure of anything else.
"""

import os
import time
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

from tests.bench import profiles
from tests.bench.goals import Goal, goals_table, keep_goals, kept_goals

if TYPE_CHECKING:
    from exengine.ui.theme import Look

MEASURES = "measures"
"""The fixture of a module whose tests only tell what it has found."""

_GOALS = pytest.StashKey[list[Goal]]()
_BEFORE = pytest.StashKey[dict[str, float] | None]()
_PROFILE_OF = pytest.StashKey[dict[Goal, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--against", type=Path, metavar="FILE", help="the JSON of an earlier run of the benchmarks")
    parser.addoption("--profiles", action="store_true", help="tell where the time goes of each goal that falls short")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_GOALS], config.stash[_PROFILE_OF] = [], {}
    file: Path | None = config.getoption("--against", default=None)
    if _is_profiled(config):
        if file is not None:
            raise pytest.UsageError("What is measured under a profile cannot be held --against anything.")
        profiles.begin()
    try:
        config.stash[_BEFORE] = kept_goals(file) if file is not None else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise pytest.UsageError(
            f"--against {file}: no figures of an earlier run can be read there ({error})."
        ) from None


def _is_profiled(config: pytest.Config) -> bool:
    return bool(config.getoption("--profiles", default=False))


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    wanted = _is_profiled(request.config) and fixturedef.argname == MEASURES
    with profiles.profiled(profiles.name_of(request.node.nodeid)) if wanted else nullcontext():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    stash, before = pyfuncitem.config.stash, len(pyfuncitem.config.stash[_GOALS])
    told_only = MEASURES in pyfuncitem.fixturenames
    name = profiles.name_of(pyfuncitem.parent.nodeid if told_only and pyfuncitem.parent else pyfuncitem.nodeid)
    wanted = _is_profiled(pyfuncitem.config) and not told_only
    with profiles.profiled(name) if wanted else nullcontext():
        result = yield
    stash[_PROFILE_OF].update(dict.fromkeys(stash[_GOALS][before:], name))
    return result


@pytest.fixture(scope="session")
def goals(request: pytest.FixtureRequest) -> list[Goal]:
    """What the benchmarks found; each adds its own."""
    return request.config.stash[_GOALS]


@pytest.fixture(scope="session")
def look() -> "Look":
    """Of the one application that all windows of a run share."""
    from exengine.ui.app import make_app
    from exengine.ui.theme import Look, Scheme

    return Look(make_app([]), scheme=Scheme.DARK)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[_GOALS]
    if not found:
        return
    if _is_profiled(config):
        terminalreporter.section("Measured under a profile: slower, and not to be compared")
        terminalreporter.write_line(goals_table("", found))
        short: dict[str, list[str]] = {}
        for goal in found:
            if goal.met is False:
                short.setdefault(config.stash[_PROFILE_OF].get(goal, ""), []).append(f"{goal.area}, {goal.what}")
        for name, what in short.items():
            terminalreporter.write_line("\n".join(["", *what, "  Where the time goes:", profiles.dearest(name)]))
        terminalreporter.write_line(f"\n  All profiles are in {profiles.PROFILES}.")
        return
    terminalreporter.section("What was measured, and what it must be")
    terminalreporter.write_line(goals_table("", found, config.stash[_BEFORE]))
    name = time.strftime("%Y-%m-%d-%H%M%S", time.gmtime())
    terminalreporter.write_line(f"  Kept in {keep_goals(name, found)}: give it to --against another time.")
