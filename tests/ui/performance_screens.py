"""Renders the Performance layout to PNG files: `python -m tests.ui.performance_screens build/screens`."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from exengine.analytics.calendar import Range
from exengine.analytics.history import Day, Problem
from exengine.domain.results import GroupResult
from exengine.engine.changes import StoreFailed
from exengine.engine.rows import Mode, ViewChanges
from exengine.ui.app import make_app
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import Loop
from exengine.ui.performance import PerformanceDock
from exengine.ui.performance_feed import Progress, Source
from exengine.ui.theme import Look, Scheme
from exengine.ui.window import Window
from tests.helpers.results import DAY_MS, Shelf, traded
from tests.ui import rows
from tests.ui.feed import Feed, Recorder, setup
from tests.ui.screens import let_go

SIZES = ((1440, 900), (2560, 1440))
TODAY = Day(
    fees={("paper", "USDT"): rows.D("20.16")},
    signals={"opened": 6, "pyramid": 4, "queued": 9, "duplicate": 12, "ignored": 7},
    slowest_ms=412,
    errors=1,
    last_error=Problem(at_ms=rows.NOW_MS - 40 * rows.MINUTE, text="Order rejected: DOGE/USDT 15m, pyramid 1, DCA4"),
)


def day_of(results: Sequence[GroupResult]) -> Day:
    """The day so far of groups that closed: the best of today's has paid for the worst, where both are there."""
    begins_ms = rows.NOW_MS - rows.NOW_MS % DAY_MS
    closed = sorted((one for one in results if one.closed_at_ms >= begins_ms), key=lambda one: one.realised)
    if not closed or not closed[0].realised < 0 < closed[-1].realised:
        return TODAY
    return replace(TODAY, offsets=((closed[0].group_id, (closed[-1].group_id,)),))


async def _nothing() -> None:
    return None


class Stage:
    """A window in the Performance layout, on a history in memory."""

    def __init__(self, loop: Loop, look: Look, folder: Path, size: tuple[int, int]) -> None:
        self.loop, self.look = loop, look
        self.shelf, self.feed = Shelf(today=TODAY), Feed()
        self.bridge = Bridge(self.feed, Recorder(), now_ms=lambda: rows.NOW_MS)
        store = LayoutStore(folder / "layout.ini")
        store.forget()
        source = Source(history=self.shelf, timezone="UTC")
        self.window = Window(look, self.bridge, setup(Mode.PAPER), store, on_close=_nothing, source=source)
        assert self.window.performance is not None
        self.dock: PerformanceDock = self.window.performance
        self.window.resize(*size)

    def trade(self, *history: Any) -> None:
        """Shows the window on a history; the ribbon says what it has realised."""
        self.shelf.add(*history)
        self.shelf.today = day_of(self.shelf.rows)
        realised = [mark.realised for mark in self.shelf.marks]
        before = [mark.realised for mark in self.shelf.marks if mark.at_ms < rows.NOW_MS - rows.NOW_MS % DAY_MS]
        total = realised[-1]
        told: dict[str, object] = {
            "realised_total": total,
            "realised_today": total - before[-1] if before else total,
            "closed_groups": len(self.shelf.rows),
        }
        if not self.shelf.today.offsets:
            told["last_offset_at_ms"] = None
        self.show(live(**told))

    def show(self, changes: ViewChanges) -> None:
        async def shown() -> None:
            self.window.show()
            self.window.put_layout("performance")
            self.feed.put(changes)
            self.bridge.flush()
            await self.rest()

        self.loop.run_until_complete(shown())
        self.settle()

    async def rest(self) -> None:
        """Until nothing is being read any more, also of what Qt is yet to tell."""
        for _ in range(3):
            QApplication.processEvents()
            await self.dock.feed.settled()

    def ask(self, change: Callable[[], object]) -> None:
        async def asked() -> None:
            change()
            await self.rest()

        self.loop.run_until_complete(asked())
        self.settle()

    @staticmethod
    def settle() -> None:
        for _ in range(5):
            QApplication.processEvents()

    def close(self) -> None:
        self.bridge.close()
        let_go(self.window)


def live(**changes: object) -> ViewChanges:
    return rows.changes(
        rows.sample_groups(), quotes=rows.sample_quotes(), log=rows.sample_log(), engine=rows.engine(**changes)
    )


def empty(stage: Stage) -> None:
    stage.show(rows.changes(engine=rows.empty_engine()))


def normal(stage: Stage) -> None:
    stage.trade(*traded(175, until_ms=rows.NOW_MS))


def crosshair(stage: Stage) -> None:
    normal(stage)
    point(stage)


def point(stage: Stage) -> None:
    canvas = stage.dock.view.equity.canvas
    area = canvas.area_of(stage.dock.view.equity.top_box)
    canvas.pointed.emit(QPointF(area.left() + area.width() * 0.62, area.center().y()))


def one_pair(stage: Stage) -> None:
    """Two days of one pair."""
    stage.trade(*traded(6, until_ms=rows.NOW_MS, span_ms=2 * DAY_MS, symbols=("BTC/USDT",)))


def by_pair(stage: Stage) -> None:
    normal(stage)
    stage.dock.view.groups.choose("pair")


def by_strategy(stage: Stage) -> None:
    normal(stage)
    stage.dock.view.groups.choose("strategy")


def today(stage: Stage) -> None:
    normal(stage)
    stage.ask(lambda: stage.dock.range.choose(Range.TODAY))


def custom(stage: Stage) -> None:
    normal(stage)
    stage.ask(lambda: stage.dock.range.choose(Range.CUSTOM))


def nothing_in_range(stage: Stage) -> None:
    stage.trade(*traded(50, until_ms=rows.NOW_MS - 3 * DAY_MS, span_ms=10 * DAY_MS))
    stage.ask(lambda: stage.dock.range.choose(Range.TODAY))


def busy(stage: Stage) -> None:
    symbols = tuple(f"COIN{number}/USDT" for number in range(200))
    stage.trade(*traded(20_000, until_ms=rows.NOW_MS, span_ms=900 * DAY_MS, symbols=symbols))


def reading(stage: Stage) -> None:
    stage.show(rows.changes(engine=rows.engine()))
    stage.dock.feed.slow.emit(Progress(done=34_000, of=100_000))


def error(stage: Stage) -> None:
    stage.shelf.fault = StoreFailed("The store is locked by another program (database is locked, SQLITE_BUSY).")
    stage.show(live())


def stale(stage: Stage) -> None:
    normal(stage)
    stage.shelf.fault = StoreFailed("The store is locked by another program.")
    stage.ask(stage.dock.feed.ask)


def large(stage: Stage) -> None:
    normal(stage)
    stage.look.choose(font_size=16)
    stage.settle()
    point(stage)


def narrow(stage: Stage) -> None:
    stage.window.resize(960, 600)
    normal(stage)


def other_palette(stage: Stage) -> None:
    stage.look.choose(pnl_palette="blue/orange")
    normal(stage)


SCENES: dict[str, Callable[[Stage], None]] = {
    "empty": empty,
    "normal": normal,
    "crosshair": crosshair,
    "one-pair": one_pair,
    "by-pair": by_pair,
    "by-strategy": by_strategy,
    "today": today,
    "custom": custom,
    "nothing-in-range": nothing_in_range,
    "busy": busy,
    "reading": reading,
    "error": error,
    "stale": stale,
    "font-16": large,
    "narrow": narrow,
    "blue-orange": other_palette,
}


def render(folder: Path, only: str = "", sizes: tuple[tuple[int, int], ...] = SIZES) -> Iterator[Path]:
    """Every scene in both themes and sizes."""
    app = QApplication.instance() or make_app([])
    assert isinstance(app, QApplication)
    loop = Loop(app)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as layouts:
        for scheme in (Scheme.DARK, Scheme.LIGHT):
            for size in sizes:
                for name, scene in SCENES.items():
                    if only and only not in name:
                        continue
                    stage = Stage(loop, Look(app, scheme=scheme), Path(layouts), size)
                    scene(stage)
                    path = folder / f"performance-{name}-{scheme.value}-{size[0]}.png"
                    stage.settle()
                    stage.window.grab().save(str(path))
                    stage.close()
                    yield path
    loop.close()


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screens")
    for written in render(target, sys.argv[2] if len(sys.argv) > 2 else ""):
        print(written)
