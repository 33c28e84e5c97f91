"""How long a flush of a busy window takes, and how late the loop is meanwhile: `python -m tests.ui.flush_times`."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from exengine.engine.rows import ViewChanges
from exengine.ui.app import make_app
from exengine.ui.loop import run
from exengine.ui.theme import Look, Scheme
from tests.ui import rows
from tests.ui.conftest import Stage

GROUPS = rows.busy_groups(200, 5, 7)


def prices(step: int) -> ViewChanges:
    """Every symbol has a new price."""
    return rows.changes(quotes=rows.quotes_for(GROUPS, f"1.{step % 90 + 10}"))


def fills(step: int, count: int) -> ViewChanges:
    """Every symbol has a new price, and `count` groups a fill: all their rows are new."""
    changed = [replace(row, realised=row.realised + step, pyramid_rows=_anew(row)) for row in GROUPS[:count]]
    return rows.changes(changed, quotes=rows.quotes_for(GROUPS, f"1.{step % 90 + 10}"))


def _anew(row: rows.GroupRow) -> tuple[rows.PyramidRow, ...]:
    return tuple(replace(one, legs=tuple(replace(leg) for leg in one.legs)) for one in row.pyramid_rows)


def timed(stage: Stage, make: Callable[[int], ViewChanges], times: int = 40) -> str:
    """In processor time of the one thread: what else runs on the machine does not count."""
    flushes, paints = [], []
    for step in range(times):
        stage.feed._changed = make(step)
        began = time.thread_time()
        stage.bridge.flush()
        middle = time.thread_time()
        stage.settle()
        flushes.append((middle - began) * 1000)
        paints.append((time.thread_time() - middle) * 1000)
    flushes.sort()
    paints.sort()
    worst = times * 95 // 100
    return (
        f"flush median {statistics.median(flushes):5.2f} ms, p95 {flushes[worst]:5.2f} ms;"
        f"  paint median {statistics.median(paints):5.2f} ms, p95 {paints[worst]:5.2f} ms"
    )


async def lag(stage: Stage, seconds: float) -> str:
    """How late a timer comes while every price changes each half second."""
    late: list[float] = []
    until = time.perf_counter() + seconds
    step = 0
    next_flush = time.perf_counter()
    while time.perf_counter() < until:
        if time.perf_counter() >= next_flush:
            step += 1
            next_flush += 0.1
            stage.feed.put(prices(step))
        began = time.perf_counter()
        await asyncio.sleep(0.002)
        late.append((time.perf_counter() - began - 0.002) * 1000)
    late.sort()
    return (
        f"loop lag p50 {late[len(late) // 2]:.2f} ms, p99 {late[len(late) * 99 // 100]:.2f} ms, max {late[-1]:.2f} ms"
    )


def main() -> None:
    app = make_app([])
    look = Look(app, scheme=Scheme.DARK)
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(look, Path(folder)).show()
        stage.window.resize(2560, 1440)
        stage.put(rows.changes(GROUPS, quotes=rows.quotes_for(GROUPS), engine=rows.engine()))
        for name, arrange in (
            ("all closed", stage.window.positions.table.collapseAll),
            ("all open", stage.window.positions.table.expandAll),
        ):
            arrange()
            stage.settle()
            print(f"{name}, 200 prices:            {timed(stage, prices)}")
            print(f"{name}, 200 prices, 20 fills:  {timed(stage, lambda step: fills(step, 20))}")
            print(f"{name}, 200 prices, 200 fills: {timed(stage, lambda step: fills(step, 200), 15)}")
        stage.window.positions.sort_by(7)
        print(f"sorted by PnL, 200 prices:       {timed(stage, prices)}")
        print(run(app, lambda: lag(stage, 8)))


if __name__ == "__main__":
    main()
