"""What is seen at once while the program starts: its name, and that resting orders rest meanwhile."""

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from exengine import __version__
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label
from exengine.ui.theme import Look, Role, Weight


class Opening(QWidget):
    """A small window without a frame, until `done`. It takes no click: there is nothing to act on yet."""

    def __init__(self, look: Look) -> None:
        super().__init__(None, Qt.WindowType.SplashScreen)
        self._look = look
        self._painted = asyncio.Event()
        self.setObjectName("opening")
        self.setWindowTitle("ExEngine starts")
        self.setFixedSize(look.scaled(360), look.scaled(108))
        icon = Label(look)
        icon.setPixmap(Icons(look).icon("app", "accent").pixmap(look.scaled(32)))
        texts = QVBoxLayout()
        texts.setSpacing(4)
        texts.addStretch(1)
        texts.addWidget(Label(look, f"ExEngine {__version__}", role=Role.HEADING, weight=Weight.STRONG))
        texts.addWidget(Label(look, "Starting. Orders that rest on an exchange go on.", token="muted"))
        texts.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 16, 24, 16)
        row.setSpacing(16)
        row.addWidget(icon)
        row.addLayout(texts, 1)

    async def seen(self) -> None:
        """Returns once it is on the screen."""
        await self._painted.wait()

    def done(self) -> None:
        """Makes room for the window, or for the words why there is none."""
        self.hide()
        self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("surface"))
        painter.setPen(self._look.color("line_strong"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        self._painted.set()
