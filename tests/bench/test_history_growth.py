"""What ten times the history costs: a start, the dashboard, and each table's export, on stores that an engine filled.

Processor seconds of 10,000 closed groups and of 100,000; the figures that are told beside them are those of one day's.
The long run is made twice and the short one so often that it takes as long, around the long ones; means are compared:
on a machine whose speed changes from second to second, the best of some short runs would be a lucky moment.
"""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest

from exengine.analytics.equity import Now
from exengine.engine.rows import Mode
from exengine.settings.paths import DataDir
from exengine.store import seal
from exengine.store.database import SqliteStore
from exengine.store.export import export
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import run
from exengine.ui.performance import PerformanceDock
from exengine.ui.performance_feed import PerformanceFeed, Source
from exengine.ui.theme import Look
from exengine.ui.window import Window
from tests.bench.goals import Goal
from tests.bench.history import A_DAY, store_with
from tests.bench.measured import show
from tests.helpers.program import ROOT, environment, write_config
from tests.ui import rows
from tests.ui.feed import Feed, Recorder, setup

CLOSED = (A_DAY, 1_000, 10_000, 100_000)
STARTED, STARTS = (A_DAY, 10_000, 100_000), 3
EXPORTED = {"trades": 100_000, "equity": 100_000, "orders": 10_000, "fills": 10_000, "signals": 10_000, "logs": 10_000}
"""Tables, and of how many closed groups; the longer ones of fewer, for a hundred thousand have five million lines."""

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[int, Path]]:
    """A data folder for each length of the history; they are too large to be left behind."""
    made = {}
    for closed in CLOSED:
        folder = tmp_path_factory.mktemp(f"closed_{closed}")
        write_config(folder)
        path = DataDir(folder / "data").create().database_file
        store_with(path, closed)
        made[closed] = folder
        show(request.config, f"  {closed:>7,} closed groups: a store of {path.stat().st_size / 1e6:,.0f} MB")
    yield made
    for folder in made.values():
        shutil.rmtree(folder)


def in_turns(few: int, many: int) -> tuple[int, ...]:
    """In which order the two lengths are measured."""
    return (*(few,) * 5, many, *(few,) * 10, many, *(few,) * 5)


def grown(what: str, few_s: float, many_s: float) -> Goal:
    what = f"ten times the history, {what}"
    return Goal(area="growth", what=what, measured=many_s, unit="s", bare=few_s, times=11)


# a start ------------------------------------------------------------------------------------------------------------


def started(folder: Path) -> tuple[float, float]:
    """Seconds, and processor seconds, until alerts are taken."""
    command = [sys.executable, "-m", "tests.bench.started", str(folder)]
    told = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True).stdout
    wall_s, cpu_s = told.split()[-2:]
    return float(wall_s), float(cpu_s)


def started_after_a_crash(folder: Path) -> tuple[float, float]:
    """The same where nothing tells that the store was closed in good order, so that all of it is read for damage."""
    seal.take_off(DataDir(folder / "data").database_file)
    return started(folder)


@pytest.mark.parametrize(
    ("start", "what"), [(started, "a start"), (started_after_a_crash, "a start after a crash")], ids=["stop", "crash"]
)
def test_a_start(
    folders: dict[int, Path],
    goals: list[Goal],
    benchmark: Any,
    start: Callable[[Path], tuple[float, float]],
    what: str,
) -> None:
    """As a whole: what comes with the history is less than what an empty store's start varies by."""
    wall: dict[int, list[float]] = {closed: [] for closed in STARTED}
    cpu: dict[int, list[float]] = {closed: [] for closed in STARTED}

    def a_turn() -> None:
        for closed in STARTED:
            wall_s, cpu_s = start(folders[closed])
            wall[closed].append(wall_s)
            cpu[closed].append(cpu_s)

    benchmark.pedantic(a_turn, rounds=STARTS, warmup_rounds=1)
    few_s, many_s = (min(cpu[closed][1:]) for closed in STARTED[1:])
    none_wall_s, _, many_wall_s = (median(wall[closed][1:]) for closed in STARTED)
    goals += [
        grown(what, few_s, many_s),
        Goal(area="start", what=f"{what}, 100,000 closed trades", measured=many_wall_s, unit="s", bare=none_wall_s),
    ]
    assert len(wall[100_000]) == STARTS + 1


# the dashboard --------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Looked:
    """Processor seconds of the whole process, and the longest in which the loop could do nothing else."""

    figures_s: float = 0.0
    """Until a whole history was read and its figures worked out; no window."""
    first_s: float = 0.0
    """The same with all that is made and painted of it."""
    again_s: list[float] = field(default_factory=list)
    kept_s: float = 0.0


def mean_of(each: list[Looked]) -> Looked:
    return Looked(
        figures_s=mean(one.figures_s for one in each),
        first_s=mean(one.first_s for one in each),
        again_s=[mean(one.again_s) for one in each],
        kept_s=mean(one.kept_s for one in each),
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def performance(look: Look, folder: Path, history: SqliteStore) -> Iterator[PerformanceDock]:
    """The dock of a window that has not been looked at yet."""

    async def nothing() -> None: ...

    feed = Feed()
    bridge = Bridge(feed, Recorder(), now_ms=now_ms)
    source = Source(history=history.performance, timezone="UTC")
    layouts = LayoutStore(folder / "layout.ini")
    window = Window(look, bridge, setup(Mode.PAPER), layouts, on_close=nothing, source=source)
    window.resize(1920, 1080)
    window.show()
    feed.put(rows.changes(engine=rows.engine()))
    bridge.flush()
    assert window.performance is not None
    try:
        yield window.performance
    finally:
        bridge.close()
        window.hide()
        window.deleteLater()


async def longest_kept(work: Awaitable[None]) -> float:
    """How long the loop's thread computed at most while a timer waited and `work` was done, in seconds."""
    task, worst = asyncio.ensure_future(work), 0.0
    while not task.done():
        began_s = time.thread_time()
        await asyncio.sleep(0.005)
        worst = max(worst, time.thread_time() - began_s)
    await task
    return worst


async def shown(dock: PerformanceDock, ask: Callable[[], object]) -> None:
    """Asks, and waits until the figures that come of it are in the window."""
    before = dock.report
    ask()
    async with asyncio.timeout(600):
        while dock.report is before:  # noqa: ASYNC110  # the dock has no event for it
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)  # painted


async def worked_out(source: Source) -> float:
    feed, done = (
        PerformanceFeed(source, lambda: Now(at_ms=now_ms(), start_equity=Decimal(10_000)), lambda *_: None),
        asyncio.Event(),
    )
    feed.ready.connect(lambda _: done.set())
    began_s = time.process_time()
    feed.ask()
    async with asyncio.timeout(600):
        await done.wait()
    await feed.settled()
    return time.process_time() - began_s


async def looked(look: Look, folder: Path) -> Looked:
    store = await asyncio.to_thread(SqliteStore.open, DataDir(folder / "data").database_file, read_only=True)
    found = Looked(figures_s=await worked_out(Source(history=store.performance, timezone="UTC")))
    with performance(look, folder, store) as dock:
        window = dock.window()
        await asyncio.sleep(0.5)
        began_s = time.process_time()
        found.kept_s = await longest_kept(shown(dock, lambda: window.put_layout("performance")))
        found.first_s = time.process_time() - began_s
        for _ in range(5):
            began_s = time.process_time()
            await shown(dock, dock.feed.ask)
            found.again_s.append(time.process_time() - began_s)
    await store.close()
    return found


def test_the_dashboard(
    look: Look, folders: dict[int, Path], goals: list[Goal], benchmark: Any, request: pytest.FixtureRequest
) -> None:
    each: dict[int, list[Looked]] = {closed: [] for closed in STARTED}

    async def all_of_them() -> None:
        for closed in (A_DAY, A_DAY, *in_turns(10_000, 100_000)):  # the first time modules are loaded as well
            each[closed].append(await looked(look, folders[closed]))

    benchmark.pedantic(run, (look._app, all_of_them), rounds=1)
    del each[A_DAY][0]
    found = {closed: mean_of(each[closed]) for closed in STARTED}
    few, many = found[10_000], found[100_000]
    show(request.config, "\n".join(
        f"  dashboard, {closed:>7,} closed, processor time: figures {one.figures_s:.2f} s, shown {one.first_s:.2f} s,"
        f" again {mean(one.again_s):.3f} s;"
        f" the loop was kept for {one.kept_s * 1000:.0f} ms"
        for closed, one in found.items()
    ))  # fmt: skip
    goals += [
        grown("the dashboard's figures", few.figures_s, many.figures_s),
        grown("the dashboard shown", few.first_s, many.first_s),
        grown("the dashboard after one more close", mean(few.again_s), mean(many.again_s)),
        Goal(area="growth", what="ten times the history, the loop kept by the dashboard", measured=many.kept_s * 1000,
             unit="ms", bare=few.kept_s * 1000),
    ]  # fmt: skip
    assert min(many.again_s) > 0


# exports --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", EXPORTED)
def test_an_export(folders: dict[int, Path], tmp_path: Path, goals: list[Goal], benchmark: Any, what: str) -> None:
    few, many = EXPORTED[what] // 10, EXPORTED[what]
    rows_of: dict[int, int] = {}
    took_s: dict[int, list[float]] = {few: [], many: []}

    def exported(closed: int) -> None:
        began_s = time.process_time()
        place, file = DataDir(folders[closed] / "data").database_file, tmp_path / f"{closed}.csv"
        rows_of[closed] = export(place, what, "csv", file)
        took_s[closed].append(time.process_time() - began_s)

    def all_of_them() -> None:
        for closed in in_turns(few, many):
            exported(closed)

    exported(few)  # loads modules as well, and is not counted
    took_s[few].clear()
    benchmark.pedantic(all_of_them, rounds=1)
    benchmark.extra_info["rows"] = rows_of[many]
    goals.append(grown(f"export of {rows_of[many]:,} {what}", mean(took_s[few]), mean(took_s[many])))
    assert rows_of[many] > 9 * rows_of[few]
