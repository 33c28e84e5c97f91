"""A sentence whose numbers run with prices and time, painted so that nothing else moves."""

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from exengine.ui import format as fmt
from exengine.ui.theme import Look, Role, Weight

LEAST_LETTERS = 20
"""How many letters a line has at least."""
_FIGURES = str.maketrans("123456789", "0" * 9)


class RunningProse(QWidget):
    """Says what `pieces.Prose` says; around it all is laid out anew only where it becomes higher or lower."""

    def __init__(self, look: Look, *, token: str = "muted") -> None:
        super().__init__()
        self._look, self._token, self._strong, self._said = look, token, "text", ""
        self._laid_out: QTextLayout | None = None
        self._height = 0
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        look.changed.connect(self._lay_out)

    def say(self, text: str, *, strong: str = "text") -> None:
        """Shows `text`, in which `**` begins and ends what is bold, in the colour of the token `strong`."""
        if (text, strong) == (self._said, self._strong):
            return
        # All figures are of one width: others in their places break no line elsewhere.
        is_alike = text.translate(_FIGURES) == self._said.translate(_FIGURES)
        self._said, self._strong = text, strong
        self.setAccessibleName(text.replace("**", ""))
        if is_alike:
            self._laid_out = None
            self.update()
        else:
            self._lay_out()

    def _lay_out(self) -> None:
        before = self._height
        self._break()
        if self._height != before:
            self.updateGeometry()
        self.update()

    def _break(self) -> QTextLayout:
        self._laid_out = made = self._made()
        self._height = broken(made, self.width())
        return made

    def _made(self) -> QTextLayout:
        pieces = fmt.tied(self._said).split("**")
        made = QTextLayout("".join(pieces), self._look.font())
        wrapped = QTextOption()
        wrapped.setWrapMode(QTextOption.WrapMode.WordWrap)
        made.setTextOption(wrapped)
        formats, start = [], 0
        for place, piece in enumerate(pieces):
            one = QTextLayout.FormatRange()
            one.start, one.length, start = start, len(piece), start + len(piece)
            one.format = self._format(is_strong=place % 2 == 1)
            formats.append(one)
        made.setFormats(formats)
        return made

    def _format(self, *, is_strong: bool) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(QColor(self._look.hex(self._strong if is_strong else self._token)))
        if is_strong:
            made.setFont(self._look.font(Role.BODY, Weight.STRONG))
        return made

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._height if width == self.width() else broken(self._made(), width)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        line = self._look.line_height()
        return QSize(round(LEAST_LETTERS * self.fontMetrics().averageCharWidth()), round(line))

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._break()

    def paintEvent(self, event: QPaintEvent) -> None:
        (self._laid_out or self._break()).draw(QPainter(self), QPointF(0, 0))


def broken(text: QTextLayout, width: int) -> int:
    """Breaks a text into lines of this width; how high it is then, in pixels."""
    height = 0.0
    text.beginLayout()
    while (line := text.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, height))
        height += line.height()
    text.endLayout()
    return round(height + 0.49)
