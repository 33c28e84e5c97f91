"""Pictures of the Replay window: `python -m tests.ui.screens build/screens replay-`."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from exengine.analytics.replayed import Stage as Done
from exengine.domain.errors import UserError
from exengine.engine.rows import Mode
from exengine.ui.app import make_app
from exengine.ui.loop import Loop
from exengine.ui.replay_form import DAYS, FILE, FILES, NONE
from exengine.ui.replay_window import ReplayWindow
from exengine.ui.theme import Look, Scheme
from tests.ui import rows
from tests.ui.replay_stage import InlineDesk
from tests.ui.screens import Stage, empty

CHANGES = "grid.legs[0].tp_percent = 2\ntake_profit.mode = aggregate"
Scene = Callable[[ReplayWindow, InlineDesk], None]


def nothing(replay: ReplayWindow, desk: InlineDesk) -> None:
    replay.form.show_there(desk.there)


def running(replay: ReplayWindow, desk: InlineDesk) -> None:
    nothing(replay, desk)
    replay.form.changes.setPlainText(CHANGES)
    desk.stage = Done(text="Replaying", shares=(0.62, 0.48))
    replay.begin()


def downloading(replay: ReplayWindow, desk: InlineDesk) -> None:
    running(replay, desk)
    desk.stage = Done(text="Downloading SOL/USDT (2 of 3)", shares=(0.41,))


def compared(replay: ReplayWindow, desk: InlineDesk) -> None:
    nothing(replay, desk)
    replay.form.changes.setPlainText(CHANGES)
    replay.begin()


def alone(replay: ReplayWindow, desk: InlineDesk) -> None:
    nothing(replay, desk)
    replay.form.second.setCurrentText(NONE)
    replay.begin()


def failed(replay: ReplayWindow, desk: InlineDesk) -> None:
    nothing(replay, desk)
    replay.form.changes.setPlainText(CHANGES)
    desk.fails_with = UserError(
        "The prices of BTC/USDT could not be downloaded. Binance gives no prices: it cannot be reached.",
        safe="Nothing was traded, and the engine goes on.",
        remedy="Check the network, or choose prices from files.",
    )
    replay.begin()


def wrong(replay: ReplayWindow, desk: InlineDesk) -> None:
    """Everything from files, and changes that cannot be."""
    nothing(replay, desk)
    form = replay.form
    for choice, kind in ((form.signals, FILE), (form.prices, FILES), (form.markets, FILE), (form.span, DAYS)):
        choice.setCurrentText(kind)
    form.price_files.put(Path("BTCUSDT.csv"), Path("ETHUSDT.csv"), Path("SOLUSDT.csv"))
    form.changes.setPlainText("take_profit.percent = -1\ngrid.leg = 3")


SCENES: dict[str, Scene] = {
    "empty": nothing,
    "running": running,
    "downloading": downloading,
    "compared": compared,
    "alone": alone,
    "failed": failed,
    "wrong": wrong,
}


def render(folder: Path, only: str = "") -> Iterator[Path]:
    """Every scene in both themes."""
    app = QApplication.instance() or make_app([])
    assert isinstance(app, QApplication)
    look, loop = Look(app, scheme=Scheme.DARK), Loop(app)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as kept, loop:
        for scheme in (Scheme.DARK, Scheme.LIGHT):
            look.choose(scheme=scheme)
            stage = Stage(app, look, Path(kept), (1440, 900), Mode.PAPER)
            empty(stage)
            for name, scene in SCENES.items():
                if only in f"replay-{name}":
                    path = folder / f"replay-{name}-{scheme.value}.png"
                    loop.run_until_complete(shot(stage, scene, InlineDesk(Path(kept) / name))).save(str(path))
                    yield path
            stage.close()


async def shot(stage: Stage, scene: Scene, desk: InlineDesk) -> QPixmap:
    """The window as a scene leaves it."""
    window = stage.window
    replay = ReplayWindow(window.look, window.icons, window, desk, now_ms=lambda: rows.NOW_MS)
    replay.show()
    scene(replay, desk)
    await (replay.ended() if desk.stage is None else asyncio.sleep(0.05))
    stage.settle()
    picture = replay.grab()
    replay.stop()
    await replay.ended()
    replay.hide()
    replay.deleteLater()
    return picture
