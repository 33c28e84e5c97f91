"""What of the help is made by code: drawings, pictures of the window, and the pages of settings and keys."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from exengine.engine.rows import Mode
from exengine.ui.app import make_app
from exengine.ui.help_text import keys_page, settings_page
from exengine.ui.loop import Loop
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.theme import Look, Scheme
from tests.docs.pictures import draw
from tests.ui import performance_screens, replay_screens, settings_screens
from tests.ui.replay_stage import InlineDesk
from tests.ui.screens import SCENES, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A scene of `screens`: all of the window, one of its docks, or the question over it alone."""

    scene: str
    scheme: Scheme = Scheme.DARK
    part: str = ""

    def of(self, stage: Stage) -> QPixmap:
        if not self.part:
            return stage.shot()
        stage.settle()
        widget = stage.window.clicks.sheet if self.part == "question" else getattr(stage.window, self.part)
        assert isinstance(widget, QWidget)
        return widget.grab()


SHOTS = {
    "window": Shot(scene="normal"),
    "window-light": Shot(scene="normal", scheme=Scheme.LIGHT),
    "risk": Shot(scene="run-plan", part="question"),
    "risk-light": Shot(scene="run-plan", scheme=Scheme.LIGHT, part="question"),
    "queue": Shot(scene="normal", part="queue"),
    "queue-light": Shot(scene="normal", scheme=Scheme.LIGHT, part="queue"),
}
"""The pictures of the window, by file: the light theme shows the light ones."""
WORKED = ("replay", "performance", "settings")
"""Those of what reads or works before it shows something, each in both themes."""
SIZE = (1440, 900)
COLORS = 256


def pages(stage: Stage) -> dict[str, str]:
    """The pages that the program makes of itself, as they stand in the repository."""
    return {"settings.md": settings_page() + "\n", "keys.md": keys_page(stage.window.registry) + "\n"}


def renew(folder: Path) -> Iterator[Path]:
    """Writes all of it, and yields each file."""
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    for name, text in draw().items():
        (pictures / name).write_text(text, encoding="utf-8")
        yield pictures / name
    app = QApplication.instance() or make_app([])
    assert isinstance(app, QApplication)
    look = Look(app, scheme=Scheme.DARK, reduced_motion=False)
    with tempfile.TemporaryDirectory() as layouts:
        for name, shot in SHOTS.items():
            look.choose(scheme=shot.scheme)
            make, mode = SCENES[shot.scene]
            stage = Stage(app, look, Path(layouts), SIZE, mode)
            if name == "window":
                for page, text in pages(stage).items():
                    (folder / page).write_text(text, encoding="utf-8")
                    yield folder / page
            make(stage)
            save(shot.of(stage), pictures / f"{name}.png")
            stage.close()
            yield pictures / f"{name}.png"
        for scheme, ending in ((Scheme.DARK, ""), (Scheme.LIGHT, "-light")):
            look.choose(scheme=scheme)
            for name, picture in zip(WORKED, _worked(app, look, Path(layouts)), strict=True):
                save(picture, pictures / f"{name}{ending}.png")
                yield pictures / f"{name}{ending}.png"


def _worked(app: QApplication, look: Look, folder: Path) -> Iterator[QPixmap]:
    """Two configurations compared, a history's figures, and the settings with their preview."""
    with Loop(app) as loop:
        stage = Stage(app, look, folder, SIZE, Mode.PAPER)
        SCENES["empty"][0](stage)
        yield loop.run_until_complete(replay_screens.shot(stage, replay_screens.compared, InlineDesk(folder)))
        stage.close()
        shown = performance_screens.Stage(loop, look, folder, SIZE)
        performance_screens.normal(shown)
        yield shown.window.grab()
        shown.close()
    settings = settings_screens.Stage(app, look, folder, SIZE)
    yield settings.shoot("grid", _without_fault, settings_screens.CONFIG)
    settings.close()


def _without_fault(dialog: SettingsDialog) -> None:
    settings_screens.as_drawn(dialog)
    dialog.editing.put(("grid", "min_pyramid_gap_percent"), "0")
    dialog.preview.refresh()


def save(shot: QPixmap, path: Path) -> None:
    """Of its logical size, in its most frequent colours: a third as large so, and no eye sees a difference."""
    image = shot.toImage().scaled(
        shot.deviceIndependentSize().toSize(), mode=Qt.TransformationMode.SmoothTransformation
    )
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(bytes(image.constBits()), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    colors, places, counts = np.unique(pixels[:, : image.width()], return_inverse=True, return_counts=True)
    kept = colors[np.argsort(counts)[::-1][:COLORS]]
    nearest = np.array([_nearest(color, kept) for color in _channels(colors)], np.uint8)
    rows = np.ascontiguousarray(nearest[places].reshape(image.height(), image.width()))
    indexed = QImage(rows.data, image.width(), image.height(), image.width(), QImage.Format.Format_Indexed8)
    indexed.setColorTable([int(color) | 0xFF000000 for color in kept])
    indexed.save(str(path), quality=0)


def _channels(colors: np.ndarray) -> np.ndarray:
    return np.stack([(colors >> shift) & 0xFF for shift in (16, 8, 0)], axis=-1).astype(np.int32)


def _nearest(color: np.ndarray, kept: np.ndarray) -> int:
    return int(np.argmin(((_channels(kept) - color) ** 2).sum(axis=1)))
