"""Text for machines, to be read and copied: alert texts and payloads."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from exengine.ui.theme import Look


class Code(QPlainTextEdit):
    """A text to paste elsewhere, with the secret masked; read only, as tall as its lines or as the most of them."""

    def __init__(self, look: Look, name: str, *, most_lines: int | None = None) -> None:
        super().__init__()
        self._look, self._most_lines = look, most_lines
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        if most_lines is None:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def set_text(self, text: str) -> None:
        if text != self.toPlainText():
            self.setPlainText(text)
            self.updateGeometry()
            self._fit_lines()

    def _on_look_changed(self) -> None:
        self.setFont(self._look.code_font())
        self.updateGeometry()
        self._fit_lines()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_lines()

    def _fit_lines(self) -> None:
        """The last line that is seen is a whole one: what is left of the height stays below it."""
        bar, line = self.horizontalScrollBar(), self.fontMetrics().lineSpacing()
        room = self.contentsRect().height() - (bar.height() if bar.isVisible() else 0)
        room -= round(self.document().documentMargin())  # above the first line
        is_cut = self.document().blockCount() * line > room > 0
        spare = room % line if is_cut else 0
        if self.viewportMargins().bottom() != spare:
            self.setViewportMargins(0, 0, 0, spare)

    def sizeHint(self) -> QSize:
        lines = max(1, self.document().blockCount())
        if self._most_lines is not None:
            lines = min(lines, self._most_lines)
        return QSize(400, lines * self.fontMetrics().lineSpacing() + 24)
