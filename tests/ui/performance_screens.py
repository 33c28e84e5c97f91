"""Renders the Performance layout to PNG files: `python -m tests.ui.performance_screens build/screens`."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from exengine.analytics.calendar import Range
from exengine.analytics.history import Day, Problem
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
    offsets=(("paper|ADA/USDT|2h#4", ("paper|BTC/USDT|2h#9",)),),
    errors=1,
    last_error=Problem(at_ms=rows.NOW_MS - 40 * rows.MINUTE, text="Order rejected: DOGE/USDT 15m, pyramid 1, DCA4"),
)


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
    """The ribbon says what the groups of the history have realised."""
    stage.shelf.add(*traded(175, until_ms=rows.NOW_MS))
    stage.show(live(realised_today="20.46", realised_total="23.0854186600"))


def crosshair(stage: Stage) -> None:
    normal(stage)
    point(stage)


def point(stage: Stage) -> None:
    canvas = stage.dock.view.equity.canvas
    area = canvas.area_of(stage.dock.view.equity.top_box)
    canvas.pointed.emit(QPointF(area.left() + area.width() * 0.62, area.center().y()))


def one_pair(stage: Stage) -> None:
    """Two days of one pair."""
    stage.shelf.add(*traded(6, until_ms=rows.NOW_MS, span_ms=2 * DAY_MS, symbols=("BTC/USDT",)))
    stage.show(live())


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
    stage.shelf.add(*traded(50, until_ms=rows.NOW_MS - 3 * DAY_MS, span_ms=10 * DAY_MS))
    stage.show(live())
    stage.ask(lambda: stage.dock.range.choose(Range.TODAY))


def busy(stage: Stage) -> None:
    symbols = tuple(f"COIN{number}/USDT" for number in range(200))
    stage.shelf.add(*traded(20_000, until_ms=rows.NOW_MS, span_ms=900 * DAY_MS, symbols=symbols))
    stage.show(live(realised_total="1234567.89", closed_groups=20_000))


def reading(stage: Stage) -> None:
    stage.show(rows.changes(engine=rows.empty_engine()))
    stage.dock.feed.slow.emit(Progress(done=34_000, of=100_000))


def error(stage: Stage) -> None:
    stage.shelf.fault = StoreFailed("The disk does not read or write the store's file. (disk I/O error, SQLITE_IOERR)")
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
