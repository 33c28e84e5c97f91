"""Text for machines, to be read and copied: alert texts and payloads."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from exengine.ui.theme import Look


class Code(QPlainTextEdit):
    """A text to paste elsewhere, with the secret masked; read only, as tall as its lines."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look = look
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def set_text(self, text: str) -> None:
        if text != self.toPlainText():
            self.setPlainText(text)
            self.updateGeometry()

    def _on_look_changed(self) -> None:
        self.setFont(self._look.code_font())
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # The last line that is seen is a whole one: what is left of the height stays below it.
        bar = self.horizontalScrollBar()
        room = self.contentsRect().height() - 2 * round(self.document().documentMargin())
        room -= bar.height() if bar.isVisible() else 0
        spare = room % self.fontMetrics().lineSpacing() if room > 0 else 0
        if self.viewportMargins().bottom() != spare:
            self.setViewportMargins(0, 0, 0, spare)

    def sizeHint(self) -> QSize:
        lines = max(1, self.document().blockCount())
        return QSize(400, lines * self.fontMetrics().lineSpacing() + 24)
