"""What of the help is made by code: drawings, pictures of the window, and the pages of settings and keys."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QApplication

from exengine.ui.app import make_app
from exengine.ui.help_text import keys_page, settings_page
from exengine.ui.theme import Look, Scheme
from tests.docs.pictures import draw
from tests.ui.screens import SCENES, Stage

SHOTS = {
    "window": ("normal", Scheme.DARK),
    "window-light": ("normal", Scheme.LIGHT),
    "risk": ("run-plan", Scheme.DARK),
    "queue": ("queue-error", Scheme.DARK),
}
"""The pictures of the window, by file: which scene of `screens`, and in which theme."""
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
        for name, (scene, scheme) in SHOTS.items():
            look.choose(scheme=scheme)
            make, mode = SCENES[scene]
            stage = Stage(app, look, Path(layouts), SIZE, mode)
            if name == "window":
                for page, text in pages(stage).items():
                    (folder / page).write_text(text, encoding="utf-8")
                    yield folder / page
            make(stage)
            save(stage.shot(), pictures / f"{name}.png")
            stage.close()
            yield pictures / f"{name}.png"


def save(shot: QPixmap, path: Path) -> None:
    """Of its logical size, in its most frequent colours: a third as large so, and no eye sees a difference."""
    image = shot.toImage().scaled(QSize(*SIZE), mode=Qt.TransformationMode.SmoothTransformation)
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
