"""A section of a long page, which can be folded away."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight


class _Header(QAbstractButton):
    """The section's name with a chevron; space or a click folds it."""

    def __init__(self, look: Look, icons: Icons, title: str) -> None:
        super().__init__()
        self._look, self._icons = look, icons
        self.setText(title)
        self.setCheckable(True)
        self.setChecked(True)
        self.setAccessibleName(f"{title}, section")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(look.tall("header") + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        size = look.grown(12)
        name = "chevron-down" if self.isChecked() else "chevron-right"
        token = "text" if self.underMouse() else "muted"
        top = (self.height() - size) // 2
        painter.drawPixmap(12, top, self._icons.pixmap(name, token, size, self.devicePixelRatioF()))
        painter.setFont(look.font(Role.BODY, Weight.STRONG))
        painter.setPen(look.color("text"))
        there = self.rect().adjusted(12 + size + 6, 0, 0, 0)
        painter.drawText(there, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())
        if self.hasFocus():
            painter.setPen(QPen(look.color("focus"), look.metric("focus_ring")))
            painter.drawRect(self.rect().adjusted(9, 1, -2, -2))


class Foldable(QWidget):
    """A header and what is under it."""

    folded = Signal(bool)

    def __init__(self, look: Look, icons: Icons, title: str) -> None:
        super().__init__()
        self.header = _Header(look, icons, title)
        self._inner = QWidget()
        self.rows = QVBoxLayout(self._inner)
        self.rows.setContentsMargins(0, 4, 0, 0)
        self.rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 6)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._inner)
        self.header.toggled.connect(self._on_toggled)

    def open(self) -> None:
        self.header.setChecked(True)

    def _on_toggled(self, opened: bool) -> None:
        self._inner.setVisible(opened)
        self.folded.emit(not opened)
