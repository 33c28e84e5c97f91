"""A month of minutes and a million ticks through `exengine replay`: time, memory, and what ten times as many cost.

And the same files through other programs of the kind, each in an environment of its own (`peers`).
"""

from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.bench.goals import Goal
from tests.bench.measured import PLAYED, show
from tests.bench.peers.playing import Played, beside, missing
from tests.bench.replay_inputs import MONTH, TIMEFRAMES, alerts, closes, config, laps, walk
from tests.bench.replay_process import played, told

LADDER = [{"gap_percent": str(Decimal(-place) / 20), "weight_percent": "20", "tp_percent": "0.3"} for place in range(5)]

MONTH_LADDER = [
    {"gap_percent": gap, "weight_percent": "20", "tp_percent": target}
    for gap, target in (("0", "1"), ("-0.5", "0.5"), ("-1", "2"), ("-1.5", "1.5"), ("-2", "1"))
]
"""The default one, written out for who does not know it."""

NO_MONTH = "the recorded month is not beside the project"
PEER_S = 3600
"""Making a peer's environment is in it, where it is not there yet."""

LOSING = {"loss_threshold_percent": "-1", "require_full_pyramids": False, "post_full_wait_minutes": "30"}
"""From early on in the month there is a loser that nobody can pay for."""


@pytest.mark.skipif(not MONTH.exists(), reason=NO_MONTH)
@pytest.mark.parametrize("mode", ["leg", "pyramid", "aggregate", "hybrid"])
@pytest.mark.parametrize("risk", [{}, LOSING], ids=["defaults", "losers"])
def test_the_recorded_month(tmp_path: Path, goals: list[Goal], benchmark: Any, mode: str, risk: dict[str, Any]) -> None:
    settings = config(take_profit={"mode": mode, "percent": "1"}, sizing={"amount": "300"}, risk=risk)
    signals = alerts(closes(), 300, seed=7)
    run = benchmark.pedantic(played, (tmp_path,), {"signals": signals, "settings": settings}, rounds=1)
    benchmark.extra_info.update(run._asdict())
    what = f"the recorded month, {mode}{', with losers' if risk else ''}, thousands of events"
    goals.append(Goal(area="replay", what=what, measured=run.events / run.cpu_s / 1000, unit="k/s"))


LAP = 100_000
ALERT_EVERY = 1800
"""So many ticks to an alert make a few thousand fills of a million."""


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> list[Played]:
    """A thousand ticks, which is about what a start costs, a hundred thousand, and these ten times over.

    In turns, three times, the shorter ones more often; of each the run in the middle, since the best of short runs is
    a lucky moment of the machine, and a long one has no such moment.
    """
    grid = {"legs": LADDER, "max_pyramids": 4, "overrides": []}
    settings = config(grid=grid, sizing={"amount": "200"}, risk={"loss_threshold_percent": "-0.2"})
    walked = []
    for count, times in ((1000, 1), (LAP, 1), (LAP, 10)):
        lap = walk(count, seed=2)
        asked = alerts(lap, max(1, count // ALERT_EVERY), seed=4, timeframes=TIMEFRAMES)
        walked.append(laps(times, lap, asked))
    none, tenth, whole = range(len(walked))
    runs: list[list[Played]] = [[] for _ in walked]
    for size in (none, tenth, none, tenth, none, tenth, whole, none, tenth) * 3:
        prices, signals = walked[size]
        folder = tmp_path_factory.mktemp(f"walk{len(prices)}")
        runs[size].append(Played(folder, played(folder, signals=signals, settings=settings, prices=prices)))
    return [sorted(each, key=lambda one: one.run.work_cpu_s)[len(each) // 2] for each in runs]


@pytest.mark.benchmark(timer=PLAYED)
def test_ten_times_the_ticks_cost_about_ten_times(
    walks: list[Played], goals: list[Goal], benchmark: Any, request: pytest.FixtureRequest
) -> None:
    """A ladder of twenty levels, and ten times the fills as well, as they are the same ten times over.

    Start-up and imports are in neither.
    """
    none, tenth, whole = (one.run for one in walks)
    few_s, many_s = tenth.work_cpu_s - none.work_cpu_s, whole.work_cpu_s - none.work_cpu_s
    PLAYED.play(benchmark, [whole.cpu_s], **whole._asdict())
    rate = whole.events / whole.cpu_s / 1000
    goals += [
        Goal(area="replay", what="a million ticks, 20 levels, thousands of them", measured=rate, unit="k/s"),
        Goal(area="replay", what="a million ticks, the most memory", measured=whole.peak_mb, unit="MB"),
        Goal(area="growth", what="ten times the ticks, a replay less its start", measured=many_s, unit="s", bare=few_s,
             times=11),
    ]  # fmt: skip
    show(request.config, "\n".join(told(f"walk of {one.run.events:,}", one.run) for one in walks))


@pytest.mark.timeout(PEER_S)
@pytest.mark.benchmark(timer=PLAYED)
def test_a_million_ticks_beside_nautilus_trader(
    walks: list[Played], goals: list[Goal], benchmark: Any, request: pytest.FixtureRequest
) -> None:
    """Its backtest engine on the same files."""
    few, _, many = walks
    found, text = beside("nautilus_trader", "a million ticks less the start, and nautilus_trader", few, many)
    PLAYED.play(benchmark, [many.run.work_cpu_s - few.run.work_cpu_s])
    goals += found
    show(request.config, text)


@pytest.mark.timeout(PEER_S)
@pytest.mark.benchmark(timer=PLAYED)
def test_the_recorded_month_beside_freqtrade(
    tmp_path: Path, goals: list[Goal], benchmark: Any, request: pytest.FixtureRequest
) -> None:
    """The alerts of one timeframe, as it has one trade a pair, and one target for the group, as it has one a trade."""
    what = "the recorded month less the start, and freqtrade"
    if not MONTH.exists():
        goals.append(missing(what, NO_MONTH))
        pytest.skip(NO_MONTH)
    settings = config(
        grid={"legs": MONTH_LADDER, "max_pyramids": 5},
        take_profit={"mode": "aggregate", "percent": "1"},
        sizing={"amount": "300"},
    )
    runs = []
    for bars, count in ((1000, 7), (None, 300)):
        folder = tmp_path / str(bars)
        prices = first_rows(folder, bars)
        signals = alerts(closes(prices), count, seed=7, timeframes=("15",))
        runs.append(Played(folder, played(folder, signals=signals, settings=settings, prices=prices)))
    few, many = runs
    found, text = beside("freqtrade", what, few, many)
    PLAYED.play(benchmark, [many.run.work_cpu_s - few.run.work_cpu_s])
    goals += found
    show(request.config, text)


def first_rows(folder: Path, count: int | None) -> Path:
    """The recorded month, or the bars at its beginning."""
    if count is None:
        return MONTH
    folder.mkdir()
    path = folder / "beginning"
    with MONTH.open(encoding="utf-8") as file:
        path.write_text("".join(islice(file, count + 1)), encoding="utf-8")
    return path
