"""A message across the settings: what failed, what is safe, what to do; or that the file was changed elsewhere."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, button
from exengine.ui.theme import Look


class Notice(QWidget):
    """An icon, a text and what can be done; hidden until it has something to say."""

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__()
        self._look, self._icons = look, icons
        self._tone = "error"
        self.setObjectName("settings_notice")
        self._mark = Label(look)
        self.text = Label(look)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 8, 12, 8)
        self._row.setSpacing(8)
        self._row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        self._row.addWidget(self.text, 1)
        self.choices: list[QWidget] = []
        self.hide()

    def say(self, text: str, *, tone: str = "error", actions: Mapping[str, Callable[[], object]] | None = None) -> None:
        """`tone` is error, warn or info; an empty text says nothing any more."""
        for old in self.choices:
            old.hide()
            old.deleteLater()
        self.choices = []
        self._tone = tone
        self.text.setText(text)
        self.text.set_token(tone)
        icon = {"error": "error", "warn": "warn", "info": "info"}[tone]
        size = self._look.grown(14)
        self._mark.setPixmap(self._icons.pixmap(icon, tone, size, self.devicePixelRatioF()))
        for words, call in (actions or {}).items():
            made = button(self._look, words, small=True)
            made.clicked.connect(lambda _=False, call=call: call())
            self._row.addWidget(made, 0, Qt.AlignmentFlag.AlignTop)
            self.choices.append(made)
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color(f"{self._tone}_bg"))
        painter.fillRect(0, 0, 3, self.height(), self._look.color(self._tone))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line"))
