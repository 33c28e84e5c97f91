"""What happened and what to do about it, as the alert strip says it: on further lines where one is too short."""

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from exengine.ui.theme import Look

LINES = 3
"""At most; what has no room on them is in the tooltip."""
GAP = "   "
"""Between what happened and what to do."""


class AlertText(QWidget):
    """The text in the colour of texts, the advice muted after it."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self._text, self._advice = look, "", ""
        self._breaks: tuple[int, ...] = (0,)
        """Where its lines begin."""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        look.changed.connect(self._lay_out)

    def say(self, text: str, advice: str) -> None:
        if (text, advice) != (self._text, self._advice):
            self._text, self._advice = text, advice
            self.setAccessibleName(f"{text} {advice}".rstrip())
            self._lay_out()

    def text(self) -> str:
        """What happened."""
        return self._text

    @property
    def lines(self) -> int:
        """How many lines it takes at its width."""
        return len(self._breaks)

    def _whole(self) -> str:
        return f"{self._text}{GAP}{self._advice}" if self._advice else self._text

    def _lay_out(self) -> None:
        before = self.lines
        self._breaks = self._broken()
        if self.lines != before:
            self.updateGeometry()
        self.update()

    def _broken(self) -> tuple[int, ...]:
        made, begins = QTextLayout(self._whole(), self._look.font()), list[int]()
        wrapped = QTextOption()
        wrapped.setWrapMode(QTextOption.WrapMode.WordWrap)
        made.setTextOption(wrapped)
        made.beginLayout()
        while len(begins) < LINES and (line := made.createLine()).isValid():
            line.setLineWidth(max(1, self.width()))
            begins.append(line.textStart())
        made.endLayout()
        return tuple(begins) or (0,)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._lay_out()

    def sizeHint(self) -> QSize:
        return QSize(120, round(self.lines * self._look.line_height()))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, whole = QPainter(self), self._whole()
        painter.setFont(self._look.font())
        metrics, ends = painter.fontMetrics(), (*self._breaks[1:], len(whole))
        top, cut = (self.height() - self.lines * self._look.line_height()) / 2, False
        for place, (start, end) in enumerate(zip(self._breaks, ends, strict=True)):
            baseline, left = top + place * self._look.line_height() + metrics.ascent(), 0
            for first, last, token in ((0, len(self._text), "text"), (len(self._text), len(whole), "muted")):
                piece = whole[max(start, first) : min(end, last)]
                shown = metrics.elidedText(piece, Qt.TextElideMode.ElideRight, max(0, self.width() - left))
                cut = cut or shown != piece
                painter.setPen(self._look.color(token))
                painter.drawText(QPointF(left, baseline), shown)
                left += metrics.horizontalAdvance(piece)
        self.setToolTip(f"{self._text}\n{self._advice}".rstrip() if cut else "")
