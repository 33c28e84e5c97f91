"""What happened and what to do about it, as the alert strip says it: on further lines where one is too short."""

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from exengine.ui.theme import Look

LINES = 4
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

    def shown(self) -> list[list[tuple[float, str, str]]]:
        """Of each line where its pieces begin, the pieces and their tokens; only the last line may lose its end."""
        whole, metrics = self._whole(), QFontMetricsF(self._look.font())
        lines = []
        for start, end in zip(self._breaks, (*self._breaks[1:], len(whole)), strict=True):
            line, left = list[tuple[float, str, str]](), 0.0
            for first, last, token in ((0, len(self._text), "text"), (len(self._text), len(whole), "muted")):
                piece = whole[max(start, first) : min(end, last)]
                if end == len(whole):
                    piece = metrics.elidedText(piece, Qt.TextElideMode.ElideRight, max(0.0, self.width() - left))
                line.append((left, piece, token))
                left += metrics.horizontalAdvance(piece)
            lines.append(line)
        return lines

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, lines = QPainter(self), self.shown()
        painter.setFont(self._look.font())
        baseline = (self.height() - self.lines * self._look.line_height()) / 2
        baseline += QFontMetricsF(self._look.font()).ascent()
        for line in lines:
            for left, piece, token in line:
                painter.setPen(self._look.color(token))
                painter.drawText(QPointF(left, baseline), piece)
            baseline += self._look.line_height()
        is_cut = "".join(piece for line in lines for _, piece, _ in line) != self._whole()
        self.setToolTip(f"{self._text}\n{self._advice}".rstrip() if is_cut else "")
