"""A month of minutes and a million ticks through `exengine replay`: time, memory, and what ten times as many cost."""

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.bench.goals import Goal
from tests.bench.measured import show
from tests.bench.replay_inputs import MONTH, TIMEFRAMES, alerts, closes, config, walk, write

ROOT = Path(__file__).resolve().parents[2]
LADDER = [{"gap_percent": str(Decimal(-place) / 20), "weight_percent": "20", "tp_percent": "0.3"} for place in range(5)]


class Run(NamedTuple):
    """One replay in a process of its own."""

    events: int
    fills: int
    wall_s: float
    cpu_s: float
    peak_mb: float


_MEASURED = """
import sys, time
from pathlib import Path
from exengine.__main__ import main
began = time.process_time()
code = main(sys.argv[1:])
status = Path("/proc/self/status")  # getrusage would tell the parent's peak where that is higher
lines = status.read_text().splitlines() if status.exists() else []
peak_kb = next((line.split()[1] for line in lines if line.startswith("VmHWM")), "nan")
print("measured", time.process_time() - began, float(peak_kb) / 1024)
sys.exit(code)
"""


def played(folder: Path, **inputs: Any) -> Run:
    prices = write(folder, **inputs)
    given = ["replay", "--signals", folder / "signals.jsonl", "--prices", prices, "--markets", folder / "markets.json"]
    given += ["--config", folder / "config.json", "--out", folder / "out", "--no-auth"]
    began = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, given)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    wall_s = time.perf_counter() - began
    said, measured = told.strip().splitlines()[-2:]
    _, cpu_s, peak_mb = measured.split()
    with (folder / "out" / "fills.csv").open(encoding="utf-8") as file:
        fills = sum(1 for _ in file) - 1
    return Run(int(said.split()[0].replace(",", "")), fills, wall_s, float(cpu_s), float(peak_mb))


def told(name: str, run: Run) -> str:
    rate = run.events / run.cpu_s
    return (
        f"  {name:34}{run.events:>10,} events {run.fills:>6,} fills {run.wall_s:>7.1f} s wall {run.cpu_s:>6.1f} s cpu"
        f" {rate:>9,.0f} events/s {run.peak_mb:>6.0f} MB"
    )


LOSING = {"loss_threshold_percent": "-1", "require_full_pyramids": False, "post_full_wait_minutes": "30"}
"""From early on in the month there is a loser that nobody can pay for."""


@pytest.mark.skipif(not MONTH.exists(), reason="the recorded month is not beside the project")
@pytest.mark.parametrize("mode", ["leg", "pyramid", "aggregate", "hybrid"])
@pytest.mark.parametrize("risk", [{}, LOSING], ids=["defaults", "losers"])
def test_the_recorded_month(tmp_path: Path, goals: list[Goal], benchmark: Any, mode: str, risk: dict[str, Any]) -> None:
    settings = config(take_profit={"mode": mode, "percent": "1"}, sizing={"amount": "300"}, risk=risk)
    signals = alerts(closes(), 300, seed=7)
    run = benchmark.pedantic(played, (tmp_path,), {"signals": signals, "settings": settings}, rounds=1)
    benchmark.extra_info.update(run._asdict())
    what = f"the recorded month, {mode}{', with losers' if risk else ''}, thousands of events"
    goals.append(Goal(area="replay", what=what, measured=run.events / run.cpu_s / 1000, unit="k/s"))


def test_ten_times_the_ticks_cost_about_ten_times(
    tmp_path: Path, goals: list[Goal], benchmark: Any, request: pytest.FixtureRequest
) -> None:
    """A ladder of twenty levels, and ten times the fills as well; start-up and imports are in neither."""
    grid = {"legs": LADDER, "max_pyramids": 4, "overrides": []}
    settings = config(grid=grid, sizing={"amount": "200"}, risk={"loss_threshold_percent": "-0.2"})
    runs = []
    for count in (1000, 100_000, 1_000_000):
        prices = walk(count, seed=2)
        signals = alerts(prices, count // 500, seed=4, timeframes=TIMEFRAMES)
        arguments = {"signals": signals, "settings": settings, "prices": prices}
        if count < 1_000_000:
            runs.append(played(tmp_path / str(count), **arguments))
        else:
            runs.append(benchmark.pedantic(played, (tmp_path / str(count),), arguments, rounds=1))
    none, tenth, whole = runs
    few_s, many_s = tenth.cpu_s - none.cpu_s, whole.cpu_s - none.cpu_s
    benchmark.extra_info.update(whole._asdict())
    rate = whole.events / whole.cpu_s / 1000
    goals += [
        Goal(area="replay", what="a million ticks, 20 levels, thousands of them", measured=rate, unit="k/s"),
        Goal(area="replay", what="a million ticks, the most memory", measured=whole.peak_mb, unit="MB"),
        Goal(area="growth", what="ten times the ticks, a replay less its start", measured=many_s, unit="s", bare=few_s,
             times=11),
    ]  # fmt: skip
    show(request.config, "\n".join(told(f"walk of {run.events:,}", run) for run in runs))
