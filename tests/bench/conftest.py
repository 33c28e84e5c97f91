"""One table of all goals at the end of a run, kept as JSON; `--against FILE` holds it against an earlier one."""

import time
from pathlib import Path

import pytest

from tests.bench.goals import Goal, goals_table, keep_goals, kept_goals

_GOALS = pytest.StashKey[list[Goal]]()
_BEFORE = pytest.StashKey[dict[str, float] | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--against", type=Path, metavar="FILE", help="the JSON of an earlier run of the benchmarks")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_GOALS] = []
    file: Path | None = config.getoption("--against", default=None)
    try:
        config.stash[_BEFORE] = kept_goals(file) if file is not None else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise pytest.UsageError(
            f"--against {file}: no figures of an earlier run can be read there ({error})."
        ) from None


@pytest.fixture(scope="session")
def goals(request: pytest.FixtureRequest) -> list[Goal]:
    """What the benchmarks found; each adds its own."""
    return request.config.stash[_GOALS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[_GOALS]
    if not found:
        return
    terminalreporter.section("What was measured, and what it must be")
    terminalreporter.write_line(goals_table("", found, config.stash[_BEFORE]))
    name = time.strftime("%Y-%m-%d-%H%M%S", time.gmtime())
    terminalreporter.write_line(f"  Kept in {keep_goals(name, found)}: give it to --against another time.")
