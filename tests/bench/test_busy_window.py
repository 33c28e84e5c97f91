"""The busy case: 200 groups, 7,000 legs, prices 20 times a second, the real engine and the real window on one loop.

How long a flush takes of the processor, how late the loop is, how soon alerts are answered meanwhile, each beside a
bare loop or handler in the same run; what memory does over an hour; how soon the first window is painted.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

from exengine.cli.desktop import setup_of
from exengine.engine.desk import Desk
from exengine.ui.app import make_app
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import run
from exengine.ui.theme import Look, Scheme
from exengine.ui.window import Window
from tests.bench.busy import busy_program, lateness
from tests.bench.measured import PLAYED, percentile, show, table
from tests.bench.test_webhook_latency import bare_webhook
from tests.helpers.program import ROOT, TOKEN, environment, write_config
from tests.ui import rows
from tests.ui.conftest import Stage

SECONDS = 20.0
ALERTS = 150
HOUR_S, QUARTERS = 3600, 4
PAINTS = 5

BARE_LOOP, BUSY_LOOP = "bare loop, a timer's lateness", "busy window, a timer's lateness"
BARE_HANDLER, BUSY_HANDLER = "bare handler, an alert's answer", "busy window, an alert's answer"
FLUSH = "a flush, processor time"
BARE_WINDOW, OPENING, DESKTOP = "bare Qt window", "what opens first", "ExEngine's whole window"

pytestmark = pytest.mark.timeout(1800)


@dataclass(kw_only=True)
class Measures:
    """Seconds."""

    flush: list[float] = field(default_factory=list)
    late: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list[float]] = field(default_factory=dict)


async def answers(port: int, path: str) -> list[float]:
    command = [sys.executable, "-m", "tests.bench.steady_alerts", str(port), path, str(ALERTS)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
    told, _ = await process.communicate()
    found: list[float] = json.loads(told)
    return found


async def measured(look: Look, folder: Path) -> Measures:
    found = Measures()
    found.late[BARE_LOOP] = await lateness(SECONDS / 2)
    with bare_webhook(folder) as port:
        found.answers[BARE_HANDLER] = await asyncio.to_thread(lambda: asyncio.run(answers(port, "/one")))
    async with busy_program(folder) as (program, market):
        bridge = Bridge(program.views, Desk(program.engine, program.clock, program.past))
        _watch_flushes(bridge, found.flush)
        layouts = LayoutStore(folder / "layout.ini")
        window = Window(look, bridge, setup_of(program), layouts, on_close=program.stop)
        window.resize(1920, 1080)
        window.show()
        prices = asyncio.create_task(market.flow(), name="prices")
        await asyncio.sleep(2)
        found.flush.clear()  # the first ones make everything
        found.late[BUSY_LOOP] = await lateness(SECONDS)
        url = f"/webhook/{TOKEN}"
        port = program.config.listener.port
        found.answers[BUSY_HANDLER] = await asyncio.to_thread(lambda: asyncio.run(answers(port, url)))
        prices.cancel()
        bridge.close()
        window.hide()
        window.deleteLater()
    return found


def _watch_flushes(bridge: Bridge, took: list[float]) -> None:
    flush: Callable[[], None] = bridge.flush

    def watched() -> None:
        began = time.thread_time()
        flush()
        took.append(time.thread_time() - began)

    bridge._timer.timeout.disconnect(bridge.flush)
    bridge.flush = watched  # type: ignore[method-assign]
    bridge._timer.timeout.connect(watched)


@pytest.fixture(scope="module")
def look() -> Look:
    return Look(make_app([]), scheme=Scheme.DARK)


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
    show(request.config, table("Alerts at 10 a second meanwhile", found.answers, bare=BARE_HANDLER))
    show(request.config, table("What the window takes of the loop's time", {FLUSH: found.flush}, bare=FLUSH))
    return found


@pytest.mark.benchmark(group="the busy window", timer=PLAYED)
def test_a_flush_of_the_busy_window(measures: Measures, benchmark: Any):
    PLAYED.play(benchmark, measures.flush, of=FLUSH)
    assert len(measures.flush) > SECONDS


@pytest.mark.benchmark(group="the busy window", timer=PLAYED)
def test_a_timer_beside_the_busy_window(measures: Measures, benchmark: Any):
    ratio = percentile(measures.late[BUSY_LOOP], 99) / percentile(measures.late[BARE_LOOP], 99)
    PLAYED.play(benchmark, measures.late[BUSY_LOOP], of=BUSY_LOOP, p99_ratio_to_bare_loop=ratio)
    assert measures.late[BUSY_LOOP]


@pytest.mark.benchmark(group="the busy window", timer=PLAYED)
def test_an_alert_is_answered_beside_the_busy_window(measures: Measures, benchmark: Any):
    ratio = percentile(measures.answers[BUSY_HANDLER], 99) / percentile(measures.answers[BARE_HANDLER], 99)
    PLAYED.play(benchmark, measures.answers[BUSY_HANDLER], of=BUSY_HANDLER, p99_ratio_to_bare_handler=ratio)
    assert len(measures.answers[BUSY_HANDLER]) == ALERTS


@pytest.mark.benchmark(group="the window's memory")
def test_memory_over_an_hour_of_simulated_time(look: Look, tmp_path: Path, request: Any, benchmark: Any):
    """Two flushes a second with every price new, a group that goes and one that comes each ten seconds."""
    groups = rows.busy_groups()
    stage = Stage(look, tmp_path).show()
    stage.put(rows.changes(groups, quotes=rows.quotes_for(groups), engine=rows.engine()))
    kept = [resident_mb()]
    began_ms = stage.now_ms

    def quarter() -> None:
        for half in range(HOUR_S // QUARTERS * 2):
            stage.now_ms += 500
            turn = groups[(stage.now_ms // 10_000) % len(groups)]
            if half % 20 == 0:
                stage.put(rows.changes(gone=[turn.id]))
                stage.put(rows.changes([turn]))
            stage.put(rows.changes(quotes=rows.quotes_for(groups, f"1.{half % 90 + 10}", stage.now_ms)), urgent=False)
        kept.append(resident_mb())

    benchmark.pedantic(quarter, rounds=QUARTERS, iterations=1)
    assert stage.now_ms - began_ms == HOUR_S * 1000
    stage.bridge.close()
    stage.window.hide()
    stage.window.deleteLater()
    benchmark.extra_info.update({f"quarter_{number}_mb": mb for number, mb in enumerate(kept)})
    told = ", ".join(f"{mb:.1f}" for mb in kept)
    show(request.config, f"Memory at each quarter of a simulated hour, MB: {told}")


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


@pytest.mark.benchmark(group="first paint", timer=PLAYED)
def test_the_first_window_is_painted(tmp_path: Path, request: Any, benchmark: Any):
    write_config(tmp_path)
    painted: dict[str, list[float]] = {BARE_WINDOW: [], OPENING: [], DESKTOP: []}
    processor: list[float] = []
    for _ in range(PAINTS):
        for name, what in ((BARE_WINDOW, "bare"), (OPENING, "opening"), (DESKTOP, "window")):
            command = [sys.executable, "-m", "tests.bench.first_paint", what, str(tmp_path)]
            env = environment(QT_QPA_PLATFORM="offscreen")
            told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout.split()
            painted[name].append(float(told[0]))
            if name == OPENING:
                processor.append(float(told[1]))
    show(request.config, table("From the process's start to the first paint", painted, bare=BARE_WINDOW))
    show(request.config, f"  processor time until what opens first, s: {min(processor):.2f}")
    PLAYED.play(benchmark, painted[OPENING], of=OPENING, processor_s=min(processor))
    assert len(painted[DESKTOP]) == len(painted[OPENING]) == PAINTS
