"""Where the time goes: `--profiles` has each benchmark profiled, and ExEngine's own processes that it starts.

Only main threads are, and their processor time: the event loop and all that runs on it, and no waiting.
"""

import cProfile
import os
import pstats
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pytest_benchmark import fixture as benchmark

from tests.bench.goals import FOLDER

PROFILES = FOLDER / "profiles"
DEAREST = 10


def begin() -> None:
    """From now on processes profile themselves as well; what an earlier run has left is removed."""
    shutil.rmtree(PROFILES, ignore_errors=True)
    PROFILES.mkdir(parents=True)
    mine = str(Path(__file__).with_name("profiled"))
    os.environ["PYTHONPATH"] = os.pathsep.join([mine, *filter(None, [os.environ.get("PYTHONPATH")])])
    # It would stop every profile while it measures, and a C profile cannot be begun again from there.
    benchmark.PauseInstrumentation = nullcontext


@contextmanager
def profiled(name: str) -> Iterator[None]:
    """What is done meanwhile is profiled, under this name."""
    os.environ["BENCH_PROFILE"] = str(PROFILES / name)
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        profile.dump_stats(PROFILES / f"{name}.prof")


def name_of(node_id: str) -> str:
    """A test's name as a file may have it."""
    return re.sub(r"[^\w.-]+", "-", node_id.removeprefix("tests/bench/")).strip("-")


def dearest(name: str) -> str:
    """The lines that took most, of ExEngine's own processes where there were some, else of the benchmark itself."""
    files = sorted(PROFILES.glob(f"{name}.*.prof")) or [PROFILES / f"{name}.prof"]
    return "\n".join(line for file in files if file.exists() for line in [f"  {file}", *_lines(file)])


def _lines(file: Path) -> list[str]:
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    by_own_time = sorted(stats.items(), key=lambda one: -one[1][2])
    return [
        f"    {own_s:>8.3f} s in {calls:>9,} calls   {_place(path)}:{line} {function}"
        for (path, line, function), (_, calls, own_s, _, _) in by_own_time[:DEAREST]
    ]


def _place(path: str) -> str:
    """Without what leads to the checkout or to a library."""
    return re.sub(r"^.*/(?:site-packages|lib/python[\d.]+|(?=exengine/|tests/))/?", "", path)
