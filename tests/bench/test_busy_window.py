"""The busy case: 200 groups, 7,000 legs, prices 20 times a second, the real engine and the real window on one loop.

How long a flush takes of the processor, how late the loop is, how soon alerts are answered meanwhile, each beside a
bare loop or handler in the same run; what memory does over an hour.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from PySide6.QtCore import QTimer

from exengine.cli.desktop import setup_of
from exengine.engine.desk import Desk
from exengine.ui.bridge import Bridge
from exengine.ui.garbage import pass_over_what_is_there
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import run
from exengine.ui.theme import Look
from exengine.ui.window import Window
from tests.bench.busy import BATCHES, COINS, BusyMarket, busy_program, lateness
from tests.bench.goals import Goal, in_ms
from tests.bench.measured import PLAYED, show, table
from tests.bench.steady_alerts import ROUNDS, Way
from tests.bench.test_webhook_latency import bare_webhook
from tests.helpers.program import ROOT, TOKEN, environment
from tests.ui import rows
from tests.ui.conftest import Stage

SECONDS = 15.0
HOUR_S, QUARTERS = 3600, 4
MOVES = 900 * BATCHES
FLAT_PERCENT = 2.0
"""How much more memory the last half of an hour may take than its first half left, or a quarter of one."""

BARE_LOOP, BUSY_LOOP = "bare loop, a timer's lateness", "busy window, a timer's lateness"
BARE_HANDLER, BUSY_HANDLER = "bare handler, an alert's answer", "busy window, an alert's answer"
BARE_FLUSH = "bare loop, 200 prices valued and written"
CLOSED, OPEN = "a flush, processor time, groups closed up", "a flush, processor time, all rows open"
ROWS = {CLOSED: CLOSED, OPEN: OPEN}
PANELS = {CLOSED: "its panels worked out, groups closed up", OPEN: "its panels worked out, all rows open"}
SHOWN = {CLOSED: "its panels shown, groups closed up", OPEN: "its panels shown, all rows open"}
"""A flush comes in three passes of the loop: after the rows what is computed only while it is looked at."""
COLLECTED = "a full collection of garbage"

AREA = "busy window"

pytestmark = pytest.mark.timeout(1800)


@dataclass(kw_only=True)
class Measures:
    """Seconds."""

    flush: dict[str, list[float]] = field(default_factory=dict)
    collected: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    """At the start, the middle and the end of a quarter of an hour of prices."""
    processor_share: float = 0.0
    """Of one core, all that the busy program takes."""
    late: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list[float]] = field(default_factory=dict)


async def answers(*ways: Way) -> list[list[float]]:
    """Seconds to the answers of alerts that a process of its own sends by these ways in turns."""
    told = [COINS[0].id, *(str(part) for way in ways for part in way)]
    command = [sys.executable, "-m", "tests.bench.steady_alerts", *told]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    found: list[list[float]] = json.loads(output)
    return found


async def measured(look: Look, folder: Path) -> Measures:
    found = Measures()
    found.late[BARE_LOOP] = await lateness(SECONDS / 2)
    found.flush[BARE_FLUSH] = [bare_flush() for _ in range(50)]
    async with busy_program(folder) as (program, market):
        bridge = Bridge(program.views, Desk(program.engine, program.clock, program.past))
        layouts = LayoutStore(folder / "layout.ini")
        window = Window(look, bridge, setup_of(program), layouts, on_close=program.stop)
        window.resize(1920, 1080)
        window.show()
        pass_over_what_is_there()  # as the program does once its window is open
        table = window.positions.table
        prices = asyncio.create_task(market.flow(), name="prices")
        found.late[BUSY_LOOP] = []
        began_s, began_processor_s = time.perf_counter(), time.process_time()
        for way, arrange in ((CLOSED, table.collapseAll), (OPEN, table.expandAll)):
            arrange()
            await asyncio.sleep(2)  # the first flush makes everything
            found.flush[way], found.flush[PANELS[way]], found.flush[SHOWN[way]] = [], [], []
            with (
                _timed(bridge, bridge._timer, bridge._on_due, found.flush[way]),
                _timed(bridge, bridge._panels_timer, bridge._on_panels_due, found.flush[PANELS[way]]),
                _timed(bridge, bridge._show_timer, bridge._on_show_due, found.flush[SHOWN[way]]),
            ):
                found.late[BUSY_LOOP] += await lateness(SECONDS)
        found.processor_share = (time.process_time() - began_processor_s) / (time.perf_counter() - began_s)
        with bare_webhook(folder) as bare:
            ways = (bare, "/one"), (program.config.listener.port, f"/webhook/{TOKEN}")
            of_both = await asyncio.to_thread(lambda: asyncio.run(answers(*ways)))
        found.answers[BARE_HANDLER], found.answers[BUSY_HANDLER] = of_both
        prices.cancel()
        found.collected = [_collected() for _ in range(3)]
        await a_quarter(market, bridge, found.memory_mb)
        bridge.close()
        window.hide()
        window.deleteLater()
    return found


def bare_flush() -> float:
    """The least that 200 new prices cost: each held against a holding, and the difference written out."""
    began = time.thread_time()
    for number in range(200):
        format((Decimal(number) * Decimal("1.5") - Decimal(7)) / Decimal(7) * 100, ",.2f")
    return time.thread_time() - began


def _collected() -> float:
    began = time.thread_time()
    gc.collect()
    return time.thread_time() - began


async def a_quarter(market: BusyMarket, bridge: Bridge, memory_mb: list[float]) -> None:
    """The prices of a quarter of an hour, as fast as the engine takes them, and what the window shows each second."""
    memory_mb.append(resident_mb())
    for half in (1, 2):
        for move in range(MOVES // 2):
            await market.move()
            if move % BATCHES == 0:
                bridge.flush()
                await asyncio.sleep(0)
        gc.collect()
        memory_mb.append(resident_mb())
        assert len(memory_mb) == half + 1


@contextmanager
def _timed(bridge: Bridge, timer: QTimer, flush: Callable[[], None], took: list[float]) -> Iterator[None]:
    """Keeps what the passes that a timer begins take of the processor; one that gives way is none."""

    def watched() -> None:
        began, before = time.thread_time(), bridge._passed_at
        flush()
        if bridge._passed_at != before:
            took.append(time.thread_time() - began)

    timer.timeout.disconnect()
    timer.timeout.connect(watched)
    yield
    timer.timeout.disconnect()
    timer.timeout.connect(flush)


@pytest.fixture(scope="module")
def measures(look: Look, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Measures:
    folder = tmp_path_factory.mktemp("busy")
    kept: list[Measures] = []

    async def main() -> None:
        kept.append(await measured(look, folder))

    story: Callable[[], Awaitable[None]] = main
    run(look._app, story)
    (found,) = kept
    show(request.config, table("200 groups, 7,000 legs, prices 20 times a second", found.late, bare=BARE_LOOP))
    show(request.config, table("Alerts at 50 a second meanwhile", found.answers, bare=BARE_HANDLER))
    show(request.config, table("What a flush takes of the processor", found.flush, bare=BARE_FLUSH))
    return found


@pytest.mark.benchmark(group="the busy window", timer=PLAYED)
@pytest.mark.parametrize("way", [passes[way] for way in (CLOSED, OPEN) for passes in (ROWS, PANELS, SHOWN)])
def test_a_flush_of_the_busy_window(measures: Measures, goals: list[Goal], way: str, benchmark: Any):
    took, bare = measures.flush[way], measures.flush[BARE_FLUSH]
    PLAYED.play(benchmark, took, of=way)
    goals.append(in_ms(AREA, f"{way}, p50", took, 50, limit=5, bare=bare))
    if way in ROWS:
        each = [median(measures.flush[passes[way]]) for passes in (ROWS, PANELS, SHOWN)]
        goals.append(Goal(area=AREA, what=f"{way}: all its passes", measured=sum(each) * 1000, unit="ms"))
    assert len(took) > SECONDS


@pytest.mark.benchmark(group="the busy window", timer=PLAYED)
def test_a_timer_beside_the_busy_window(measures: Measures, goals: list[Goal], benchmark: Any):
    late, bare = measures.late[BUSY_LOOP], measures.late[BARE_LOOP]
    goal = in_ms(AREA, "event loop lag, p99", late, 99, limit=15, bare=bare)
    goals.append(goal)
    goals.append(
        Goal(area=AREA, what="processor time of the busy program", measured=measures.processor_share * 100, unit="%")
    )
    goals.append(in_ms(AREA, COLLECTED, measures.collected, 50))
    PLAYED.play(benchmark, late, of=BUSY_LOOP, p99_ratio_to_bare_loop=goal.ratio)
    assert late


@pytest.mark.benchmark(group="the busy window", timer=PLAYED)
def test_an_alert_is_answered_beside_the_busy_window(measures: Measures, goals: list[Goal], benchmark: Any):
    took, bare = measures.answers[BUSY_HANDLER], measures.answers[BARE_HANDLER]
    goal = in_ms(AREA, "a webhook's answer at 50 a second, p99", took, 99, limit=15, bare=bare)
    goals += [in_ms(AREA, "a webhook's answer at 50 a second, p50", took, 50, bare=bare, times=2), goal]
    PLAYED.play(benchmark, took, of=BUSY_HANDLER, p99_ratio_to_bare_handler=goal.ratio)
    assert len(took) == len(bare) == ROUNDS


def test_memory_of_the_busy_program_over_a_quarter_of_an_hour(measures: Measures, goals: list[Goal], benchmark: Any):
    """180,000 prices through the engine and the window; what the first half fills once is no growth."""
    first, middle, last = measures.memory_mb
    benchmark.extra_info.update(first_mb=first, middle_mb=middle, last_mb=last)
    benchmark.pedantic(resident_mb, rounds=1)
    grown = (last - middle) / middle * 100
    goals.append(
        Goal(area=AREA, what="memory, the second half of 180,000 prices", measured=grown, unit="%", limit=FLAT_PERCENT)
    )
    goals.append(Goal(area=AREA, what="memory of the busy program", measured=last, unit="MB"))
    assert last > 0


@pytest.mark.benchmark(group="the window's memory")
def test_memory_of_the_window_over_an_hour_of_simulated_time(
    look: Look, tmp_path: Path, goals: list[Goal], request: Any, benchmark: Any
):
    """A flush a second with every price new, a group that goes and one that comes each ten seconds."""
    groups = rows.busy_groups()
    stage = Stage(look, tmp_path).show()
    stage.put(rows.changes(groups, quotes=rows.quotes_for(groups), engine=rows.engine()))
    kept = [resident_mb()]
    began_ms = stage.now_ms

    def quarter() -> None:
        for second in range(HOUR_S // QUARTERS):
            stage.now_ms += 1_000
            turn = groups[(stage.now_ms // 10_000) % len(groups)]
            if second % 10 == 0:
                stage.put(rows.changes(gone=[turn.id]))
                stage.put(rows.changes([turn]))
            stage.put(rows.changes(quotes=rows.quotes_for(groups, f"1.{second % 90 + 10}", stage.now_ms)), urgent=False)
        kept.append(resident_mb())

    benchmark.pedantic(quarter, rounds=QUARTERS, iterations=1)
    assert stage.now_ms - began_ms == HOUR_S * 1000
    stage.bridge.close()
    stage.window.hide()
    stage.window.deleteLater()
    benchmark.extra_info.update({f"quarter_{number}_mb": mb for number, mb in enumerate(kept)})
    grown = (kept[-1] - kept[2]) / kept[2] * 100
    goals.append(
        Goal(area=AREA, what="memory, the window's second half hour", measured=grown, unit="%", limit=FLAT_PERCENT)
    )
    told = ", ".join(f"{mb:.1f}" for mb in kept)
    show(request.config, f"Memory at each quarter of a simulated hour, MB: {told}")


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")
