"""What `exengine --smoke` sees of the window: whether it is there and drawn, and what is said where it is not."""

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QMessageBox

from exengine.ui.window import Window

SPOTS = 64
"""So many pixels are looked at across a window and down it."""


def shown_window() -> Window | None:
    """The window that is on the screen; None while it is not."""
    return next((one for one in QApplication.topLevelWidgets() if isinstance(one, Window) and one.isVisible()), None)


def told_fault() -> str:
    """What a message on the screen says, for nobody is there to answer it; empty where there is none."""
    for one in QApplication.topLevelWidgets():
        if isinstance(one, QMessageBox) and one.isVisible():
            return f"{one.text()} {one.informativeText()}".strip()
    return ""


def colours(window: Window) -> int:
    """In how many colours the window is drawn, among spots spread over it; a blank one has one."""
    image: QImage = window.grab().toImage()
    across, down = max(1, image.width() // SPOTS), max(1, image.height() // SPOTS)
    spots = ((x, y) for x in range(0, image.width(), across) for y in range(0, image.height(), down))
    return len({image.pixel(x, y) for x, y in spots})
